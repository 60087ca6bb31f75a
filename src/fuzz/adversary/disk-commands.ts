/** What disks are asked for: the readable parts of block requests (VIRTIO 1.3, 5.2.6) and of SCSI ones (5.6.6). */

const BLK_HEADER_BYTES = 16;
const SEGMENT_BYTES = 16;
const SCSI_REQUEST_BYTES = 51;
const SCSI_TASK_BYTES = 24;
const SCSI_CDB = 19;
const TWO_32 = 2 ** 32;

export const SCSI_RESPONSE_BYTES = 108;
export const SCSI_STATUS = 10;
export const SCSI_SENSE_KEY = 14;
export const SCSI_CONTROL_QUEUE = 0;
export const SCSI_COMMAND_QUEUE = 2;

export function blockHeader(little: boolean, type: number, sector: number): Uint8Array {
  const bytes = new Uint8Array(BLK_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, little);
  putWide(view, 8, sector, little);
  return bytes;
}

/** `bytes` bytes of segments for discard, write zeroes and secure erase, the same range in each. */
export function segments(
  little: boolean,
  bytes: number,
  sector: number,
  count: number,
  flags: number,
): Uint8Array {
  const list = new Uint8Array(Math.ceil(bytes / SEGMENT_BYTES) * SEGMENT_BYTES);
  const view = new DataView(list.buffer);
  for (let at = 0; at < list.length; at += SEGMENT_BYTES) {
    putWide(view, at, sector, little);
    view.setUint32(at + 8, count, little);
    view.setUint32(at + 12, flags, little);
  }
  return list.subarray(0, bytes);
}

/** Header of a command; the tag is that of every command, so that task management finds one. */
export function scsiCommand(target: number, lun: number, cdb: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(SCSI_REQUEST_BYTES);
  putLun(bytes, 0, target, lun);
  bytes[8] = 1;
  bytes.set(cdb, SCSI_CDB);
  return bytes;
}

export function scsiTask(little: boolean, subtype: number, target: number, lun: number): Uint8Array {
  const bytes = new Uint8Array(SCSI_TASK_BYTES);
  new DataView(bytes.buffer).setUint32(4, subtype, little);
  putLun(bytes, 8, target, lun);
  bytes[16] = 1;
  return bytes;
}

/** A command block by its group: where address and length stand follows from the operation code (SPC-3, 4.3). */
export function commandBlock(opcode: number, flags: number, block: number, count: number): Uint8Array {
  const cdb = new Uint8Array(16);
  const view = new DataView(cdb.buffer);
  const group = opcode >>> 5;
  cdb[0] = opcode;
  if (group === 0) {
    view.setUint16(2, block & 0xffff);
    cdb[4] = count;
  } else if (group === 4) {
    putWide(view, 2, block, false);
    view.setUint32(10, count);
  } else {
    view.setUint32(2, block);
    if (group === 5) view.setUint32(6, count);
    else view.setUint16(7, count & 0xffff);
  }
  cdb[1] = (cdb[1] ?? 0) | flags;
  return cdb;
}

function putLun(bytes: Uint8Array, at: number, target: number, lun: number): void {
  bytes.set([1, target, lun === 0 ? 0 : 0x40 | ((lun >>> 8) & 0x3f), lun & 0xff], at);
}

function putWide(view: DataView, at: number, value: number, little: boolean): void {
  view.setUint32(little ? at : at + 4, value >>> 0, little);
  view.setUint32(little ? at + 4 : at, Math.floor(value / TWO_32), little);
}
