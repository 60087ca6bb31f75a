import * as op from './scsi-abi.ts';

/** Which way a command moves data. */
export const NO_DATA = 0;
export const FROM_DEVICE = 1;
export const TO_DEVICE = 2;
export type Direction = typeof NO_DATA | typeof FROM_DEVICE | typeof TO_DEVICE;

/** Bytes of a command by its group, the upper three bits of the operation code; undefined for groups without a length. */
const LENGTHS: readonly (number | undefined)[] = [6, 10, 10, undefined, 16, 12, undefined, undefined];

export function cdbLength(opcode: number): number | undefined {
  return LENGTHS[opcode >>> 5];
}

/** Commands that move nothing, whatever stands where others have a length. */
const WITHOUT_DATA: ReadonlySet<number> = new Set([
  op.TEST_UNIT_READY,
  op.REZERO_UNIT,
  op.START_STOP,
  op.SET_CAPACITY,
  op.WRITE_FILEMARKS,
  op.WRITE_FILEMARKS_16,
  op.SPACE,
  op.RESERVE,
  op.RELEASE,
  op.ERASE,
  op.ALLOW_MEDIUM_REMOVAL,
  op.SEEK_10,
  op.SYNCHRONIZE_CACHE,
  op.SYNCHRONIZE_CACHE_16,
  op.LOCATE_16,
  op.LOCK_UNLOCK_CACHE,
  op.SET_CD_SPEED,
  op.SET_LIMITS,
  op.WRITE_LONG_10,
  op.UPDATE_BLOCK,
  op.RESERVE_TRACK,
  op.SET_READ_AHEAD,
  op.PRE_FETCH,
  op.PRE_FETCH_16,
  op.ALLOW_OVERWRITE,
]);

/** Commands whose length counts blocks. */
const IN_BLOCKS: ReadonlySet<number> = new Set([
  op.READ_6,
  op.READ_REVERSE,
  op.READ_10,
  op.READ_12,
  op.READ_16,
  op.WRITE_6,
  op.WRITE_10,
  op.WRITE_12,
  op.WRITE_16,
  op.WRITE_VERIFY_10,
  op.WRITE_VERIFY_12,
  op.WRITE_VERIFY_16,
]);

/** Commands to which the initiator sends what they move. */
const SENDING: ReadonlySet<number> = new Set([
  op.WRITE_6,
  op.WRITE_10,
  op.WRITE_VERIFY_10,
  op.WRITE_12,
  op.WRITE_VERIFY_12,
  op.WRITE_16,
  op.WRITE_VERIFY_16,
  op.VERIFY_10,
  op.VERIFY_12,
  op.VERIFY_16,
  op.COPY,
  op.COPY_VERIFY,
  op.COMPARE,
  op.CHANGE_DEFINITION,
  op.LOG_SELECT,
  op.MODE_SELECT,
  op.MODE_SELECT_10,
  op.SEND_DIAGNOSTIC,
  op.WRITE_BUFFER,
  op.FORMAT_UNIT,
  op.REASSIGN_BLOCKS,
  op.SEARCH_EQUAL,
  op.SEARCH_HIGH,
  op.SEARCH_LOW,
  op.UPDATE_BLOCK,
  op.WRITE_LONG_10,
  op.WRITE_SAME_10,
  op.WRITE_SAME_16,
  op.UNMAP,
  op.SEARCH_HIGH_12,
  op.SEARCH_EQUAL_12,
  op.SEARCH_LOW_12,
  op.MEDIUM_SCAN,
  op.SEND_VOLUME_TAG,
  op.SEND_CUE_SHEET,
  op.SEND_DVD_STRUCTURE,
  op.PERSISTENT_RESERVE_OUT,
  op.MAINTENANCE_OUT,
  op.SET_WINDOW,
  op.START_STOP,
]);

/** The length field of a command's group (scsi_cdb_xfer). */
function lengthField(cdb: Uint8Array): number {
  const group = (cdb[0] ?? 0) >>> 5;
  if (group === 0) return cdb[4] ?? 0;
  if (group === 4) return wide(cdb, 10);
  return group === 5 ? wide(cdb, 6) : half(cdb, 7);
}

/** Blocks that a read or write names; 0 means 256 in six-byte commands (scsi_data_cdb_xfer). */
export function blockCount(cdb: Uint8Array): number {
  return (cdb[0] ?? 0) >>> 5 === 0 && cdb[4] === 0 ? 256 : lengthField(cdb);
}

/** The block address of a command, as a double: what one cannot hold exactly is beyond every disk. */
export function blockAddress(cdb: Uint8Array): number {
  const group = (cdb[0] ?? 0) >>> 5;
  if (group === 0) return wide(cdb, 0) & 0x1f_ffff;
  return group === 4 ? wide(cdb, 2) * 2 ** 32 + wide(cdb, 6) : wide(cdb, 2);
}

/** Bytes that a command moves on a disk of that block size (scsi_req_xfer). */
export function transferLength(cdb: Uint8Array, blockSize: number): number {
  const opcode = cdb[0] ?? 0;
  const length = lengthField(cdb);
  if (WITHOUT_DATA.has(opcode)) return 0;
  if (IN_BLOCKS.has(opcode)) {
    const counts256 = opcode === op.READ_6 || opcode === op.WRITE_6 || opcode === op.READ_REVERSE;
    return (counts256 && length === 0 ? 256 : length) * blockSize;
  }
  const flags = cdb[1] ?? 0;
  switch (opcode) {
    case op.VERIFY_10:
    case op.VERIFY_12:
    case op.VERIFY_16:
      if ((flags & 2) === 0) return 0;
      return (flags & 4) === 0 ? length * blockSize : blockSize;
    case op.WRITE_SAME_10:
    case op.WRITE_SAME_16:
      return (flags & 1) === 0 ? blockSize : 0;
    case op.READ_CAPACITY_10:
      return 8;
    case op.READ_BLOCK_LIMITS:
      return 6;
    case op.SEND_VOLUME_TAG:
      return half(cdb, 8);
    case op.FORMAT_UNIT:
      if ((flags & 16) === 0) return 0;
      return (flags & 32) === 0 ? 4 : 8;
    case op.INQUIRY:
    case op.RECEIVE_DIAGNOSTIC:
    case op.SEND_DIAGNOSTIC:
      return half(cdb, 3);
    case op.READ_CD:
    case op.READ_BUFFER:
    case op.WRITE_BUFFER:
    case op.SEND_CUE_SHEET:
      return wide(cdb, 5) & 0xff_ffff;
    case op.PERSISTENT_RESERVE_OUT:
      return wide(cdb, 5);
    case op.ATA_PASSTHROUGH_12:
      return ataLength(cdb, cdb[3] ?? 0, cdb[4] ?? 0, blockSize);
    case op.ATA_PASSTHROUGH_16: {
      const extended = (flags & 1) !== 0;
      const features = extended ? half(cdb, 3) : (cdb[4] ?? 0);
      return ataLength(cdb, features, extended ? half(cdb, 5) : (cdb[6] ?? 0), blockSize);
    }
    default:
      return length;
  }
}

export function direction(cdb: Uint8Array, bytes: number): Direction {
  if (bytes === 0) return NO_DATA;
  const opcode = cdb[0] ?? 0;
  if (opcode === op.ATA_PASSTHROUGH_12 || opcode === op.ATA_PASSTHROUGH_16) {
    return ((cdb[2] ?? 0) & 8) === 0 ? TO_DEVICE : FROM_DEVICE;
  }
  return SENDING.has(opcode) ? TO_DEVICE : FROM_DEVICE;
}

function ataLength(cdb: Uint8Array, features: number, count: number, blockSize: number): number {
  const flags = cdb[2] ?? 0;
  const field = flags & 3;
  const blocks = (flags & 0x10) === 0 ? 512 : blockSize;
  const unit = (flags & 4) === 0 ? 1 : blocks;
  if (field === 1) return features * unit;
  return field === 2 ? count * unit : 0;
}

/** Two bytes of a command, the first the more significant. */
export function half(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Four bytes likewise, without a sign. */
export function wide(bytes: Uint8Array, at: number): number {
  return half(bytes, at) * 0x1_0000 + half(bytes, at + 2);
}
