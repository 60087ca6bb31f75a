import type { ClauseChecker, ClauseTable, Judged, Judgement } from '../clause.ts';
import type { Chain } from '../chain.ts';
import type { Hooks } from '../hooks.ts';
import type { VirtioFunction } from '../virtio-function.ts';
import * as blk from './blk-request.ts';
import { BLK_LEGACY_CHECKERS } from './blk-legacy.ts';
import { BLK_ZONED_CHECKERS, ZONED_UNDECIDED } from './blk-zoned.ts';

const FEATURES_OK = 8;
const FLAG_UNMAP = 1;
const PERMISSION = 'a permission: nothing that is done or left undone breaks it';
const INSIDE = 'what the driver thinks of it shows in no event';
const MEDIUM = 'only a power cut would show what the medium held';
/** Sectors whose content is remembered. */
const SECTORS_KEPT = 64;

/** A checker of requests that drivers make, whatever becomes of them. */
function ofRequests(
  id: string,
  applies: (type: number, chain: Chain, device: VirtioFunction) => boolean,
  keeps: (chain: Chain, device: VirtioFunction) => boolean,
  sentence: string,
): ClauseChecker {
  return {
    id,
    judge: 'driver',
    watch: (clause, device) => ({
      onUsed(_queue, chain) {
        if (!blk.isRequest(chain) || !applies(blk.typeOf(chain, device), chain, device)) return;
        clause.holds(keeps(chain, device), sentence);
      },
    }),
  };
}

/**
 * A checker of the status with which a device ends requests of a kind, until an access of it leads nowhere. A request that
 * was under way with another may share its buffers, so that one's status is the other's data.
 */
function ofStatus(
  id: string,
  applies: (type: number, chain: Chain, device: VirtioFunction) => boolean,
  keeps: (status: number, chain: Chain, device: VirtioFunction) => boolean,
  sentence: string,
): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ faulted: false });
      const alone = new blk.Alone();
      const begin = (): void => {
        seen.faulted = false;
        alone.begin();
      };
      return {
        onBegin: begin,
        onReset: begin,
        onDma(access) {
          if (access.fault) seen.faulted = true;
        },
        onTaken() {
          alone.taken();
        },
        onUsed(queue, chain) {
          const single = alone.used();
          if (!single || seen.faulted || !blk.isJudged(device, queue, chain)) return;
          if (!applies(blk.typeOf(chain, device), chain, device)) return;
          clause.holds(keeps(blk.statusOf(chain), chain, device), sentence);
        },
      };
    },
  };
}

/** A checker of what a driver reads of the configuration, with all that it has read before. */
function ofConfig(
  id: string,
  judge: Judged,
  watch: (clause: Judgement, device: VirtioFunction, config: blk.ConfigSeen) => Hooks,
): ClauseChecker {
  return {
    id,
    judge,
    watch: (clause, device) => {
      const config = new blk.ConfigSeen();
      const hooks = watch(clause, device, config);
      return {
        ...hooks,
        onBegin() {
          config.forget();
          hooks.onBegin?.();
        },
        onReset() {
          config.forget();
          hooks.onReset?.();
        },
        onDeviceConfigRead(offset, width, value) {
          config.take(offset, width, value);
          hooks.onDeviceConfigRead?.(offset, width, value);
        },
      };
    },
  };
}

/** Bytes that read 0, where the feature that brings them is offered. */
function paddingIsZero(
  id: string,
  bytes: readonly (readonly [at: number, feature: number])[],
): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => ({
      onDeviceConfigRead(offset, width, value) {
        for (const [at, feature] of bytes) {
          const byte = blk.byteOf(at, offset, width, value);
          if (byte < 0 || (feature >= 0 && !device.offers(feature))) continue;
          clause.holds(byte === 0, `padding at byte ${at} of the configuration does not read 0`);
        }
      },
    }),
  };
}

/** A field that changes while the driver is at work is announced. */
function changeIsAnnounced(id: string, at: number, width: number, what: string): ClauseChecker {
  return ofConfig(id, 'device', (clause, device, config) => {
    const seen = clause.state({ value: -1, announced: false });
    const forget = (): void => {
      seen.value = -1;
      seen.announced = false;
    };
    return {
      onReset: forget,
      onInterrupt(vector) {
        if (vector === device.configVector && vector >= 0) seen.announced = true;
      },
      onIsrRead(value) {
        if ((value & 2) !== 0) seen.announced = true;
      },
      onDeviceConfigRead(offset, length) {
        // A field that is read in parts is looked at when its last byte is there.
        if (offset > at + width - 1 || offset + length <= at) return;
        const value = config.read(at, width, device.little);
        const before = seen.value;
        if (value < 0) return;
        seen.value = value;
        if (before < 0 || before === value || !device.running) return;
        clause.holds(seen.announced, `${what} has changed and no configuration change notification came`);
        seen.announced = false;
      },
    };
  });
}

/** At most as many segments as the configuration allows. */
function segmentsFit(id: string, type: number, at: number): ClauseChecker {
  return ofConfig(id, 'driver', (clause, device, config) => ({
    onUsed(_queue, chain) {
      if (!blk.isRequest(chain) || blk.typeOf(chain, device) !== type) return;
      const most = config.read(at, 4, device.little);
      if (most < 0) return;
      const count = blk.sentBytes(chain) / blk.SEGMENT_BYTES;
      clause.holds(
        count <= most,
        `a request of type ${type} has ${count} segments where ${most} are allowed`,
      );
    },
  }));
}

function flagsOf(chain: Chain, device: VirtioFunction): number {
  let flags = 0;
  for (let i = 0; i < blk.segmentCount(chain); i++) flags |= blk.segmentFlags(chain, device, i);
  return flags >>> 0;
}

function isZeroed(chain: Chain, from: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (chain.response[from + i] !== 0) return false;
  return true;
}

/** A number that is the same for the same bytes; others meet it once in 2^32. */
function sumOf(bytes: Uint8Array, from: number, length: number): number {
  let sum = 0x811c_9dc5;
  for (let i = 0; i < length; i++) sum = Math.imul(sum ^ (bytes[from + i] ?? 0), 0x0100_0193);
  return sum >>> 0;
}

const INITIALIZATION: readonly ClauseChecker[] = [
  {
    id: 'BLK-DRV-004',
    judge: 'driver',
    watch: (clause, device) => ({
      onDeviceConfigRead(offset, width, value) {
        if (device.legacy || blk.byteOf(blk.AT_WRITEBACK, offset, width, value) < 0) return;
        clause.holds((device.status & FEATURES_OK) !== 0, 'writeback is read before FEATURES_OK');
      },
    }),
  },
  {
    id: 'BLK-DEV-001',
    judge: 'device',
    watch: (clause) => ({
      onFeaturesRead(word, value) {
        // Where no device answers, nothing is offered.
        if (word !== 0 || value === 0 || value === 0xffff_ffff) return;
        clause.holds((value & (1 << blk.F_FLUSH)) !== 0, 'FLUSH is not offered');
      },
    }),
  },
  {
    id: 'BLK-DEV-002',
    judge: 'device',
    watch: (clause) => ({
      onFeaturesRead(word, value) {
        if (word !== 0 || (value & (1 << blk.F_CONFIG_WCE)) === 0) return;
        clause.holds((value & (1 << blk.F_FLUSH)) !== 0, 'CONFIG_WCE is offered without FLUSH');
      },
    }),
  },
  {
    id: 'BLK-DEV-003',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ written: false });
      return {
        onReset() {
          seen.written = false;
        },
        onDeviceConfigWrite(offset, width) {
          if (blk.byteOf(blk.AT_WRITEBACK, offset, width, 0) >= 0) seen.written = true;
        },
        onDeviceConfigRead(offset, width, value) {
          const writeback = blk.byteOf(blk.AT_WRITEBACK, offset, width, value);
          const agreed = (device.status & FEATURES_OK) !== 0 && device.has(blk.F_CONFIG_WCE);
          if (writeback < 0 || seen.written || !agreed || device.has(blk.F_FLUSH)) return;
          clause.holds(writeback === 0, 'writeback starts at 1 for a driver that cannot flush');
        },
      };
    },
  },
  paddingIsZero('BLK-DEV-004', [
    [blk.AT_UNUSED0, -1],
    [blk.AT_UNUSED1, blk.F_WRITE_ZEROES],
    [blk.AT_UNUSED1 + 1, blk.F_WRITE_ZEROES],
    [blk.AT_UNUSED1 + 2, blk.F_WRITE_ZEROES],
  ]),
  {
    id: 'BLK-DEV-006',
    judge: 'device',
    watch: (clause, device) => ({
      onFeaturesRead(word, value) {
        if (word !== 0 || !device.legacy) return;
        clause.holds((value & (1 << blk.F_ZONED)) === 0, 'ZONED is offered through the legacy interface');
      },
    }),
  },
];

const REQUESTS: readonly ClauseChecker[] = [
  ofConfig('BLKOP-DRV-002', 'driver', (clause, device, config) => ({
    onUsed(_queue, chain) {
      const capacity = config.read(blk.AT_CAPACITY, 8, device.little);
      if (capacity < 0 || !blk.isRequest(chain)) return;
      const type = blk.typeOf(chain, device);
      if (type === blk.T_IN || type === blk.T_OUT) {
        const bytes = type === blk.T_IN ? blk.receivedBytes(chain) : blk.sentBytes(chain);
        const end = blk.sectorOf(chain, device) + Math.ceil(bytes / blk.SECTOR_BYTES);
        clause.holds(end <= capacity, `a request reaches to sector ${end} of ${capacity}`);
      } else if (blk.hasSegments(type)) {
        for (let i = 0; i < blk.segmentCount(chain); i++) {
          const end = blk.segmentSector(chain, device, i) + blk.segmentSectors(chain, device, i);
          clause.holds(end <= capacity, `a segment reaches to sector ${end} of ${capacity}`);
        }
      }
    },
  })),
  {
    id: 'BLKOP-DRV-003',
    judge: 'driver',
    watch: (clause, device) => ({
      onDriverOk() {
        if (device.offers(blk.F_RO)) clause.holds(device.accepts(blk.F_RO), 'RO is offered and not accepted');
      },
    }),
  },
  ofRequests(
    'BLKOP-DRV-004',
    (type) => type === blk.T_FLUSH,
    (chain, device) => blk.sectorOf(chain, device) === 0,
    'a flush names a sector',
  ),
  ofRequests(
    'BLKOP-DRV-005',
    (type) => type === blk.T_FLUSH,
    (chain) => blk.sentBytes(chain) === 0 && blk.receivedBytes(chain) === 0,
    'a flush carries data',
  ),
  ofRequests(
    'BLKOP-DRV-006',
    (type) => type === blk.T_IN || type === blk.T_OUT,
    (chain, device) => {
      const read = blk.typeOf(chain, device) === blk.T_IN;
      return (read ? blk.receivedBytes(chain) : blk.sentBytes(chain)) % blk.SECTOR_BYTES === 0;
    },
    'data of a read or write are no multiple of 512 bytes',
  ),
  ofRequests(
    'BLKOP-DRV-007',
    blk.hasSegments,
    (chain) => blk.sentBytes(chain) % blk.SEGMENT_BYTES === 0,
    'segments are no multiple of 16 bytes',
  ),
  ofRequests(
    'BLKOP-DRV-008',
    (type) => type === blk.T_GET_ID,
    (chain) => blk.receivedBytes(chain) === blk.ID_BYTES,
    'GET_ID asks for other than 20 bytes',
  ),
  segmentsFit('BLKOP-DRV-009', blk.T_DISCARD, blk.AT_MAX_DISCARD_SEG),
  segmentsFit('BLKOP-DRV-010', blk.T_SECURE_ERASE, blk.AT_MAX_SECURE_ERASE_SEG),
  segmentsFit('BLKOP-DRV-011', blk.T_WRITE_ZEROES, blk.AT_MAX_WRITE_ZEROES_SEG),
  ofRequests(
    'BLKOP-DRV-014',
    (type) => type === blk.T_DISCARD,
    (chain, device) => (flagsOf(chain, device) & FLAG_UNMAP) === 0,
    'a discard segment has unmap set',
  ),
];

const ANSWERS: readonly ClauseChecker[] = [
  changeIsAnnounced('BLKOP-DEV-002', blk.AT_CAPACITY, 8, 'capacity'),
  ofStatus(
    'BLKOP-DEV-003',
    (type, _chain, device) => type === blk.T_OUT && device.offers(blk.F_RO),
    (status) => status === blk.S_IOERR,
    'a write to a read-only disk does not end in IOERR',
  ),
  {
    id: 'BLKOP-DEV-004',
    judge: 'device',
    watch: (clause, device) => {
      const sums = new Map<number, number>();
      const written = new Set<number>();
      const alone = new blk.Alone();
      const forget = (): void => {
        sums.clear();
        written.clear();
        alone.begin();
      };
      return {
        onBegin: forget,
        onMachineReset: forget,
        onReset() {
          alone.begin();
        },
        onTaken() {
          alone.taken();
        },
        onUsed(queue, chain) {
          const single = alone.used();
          if (!single || !device.offers(blk.F_RO) || !blk.isJudged(device, queue, chain)) return;
          const sector = blk.sectorOf(chain, device);
          const type = blk.typeOf(chain, device);
          if (type === blk.T_OUT && sums.has(sector)) written.add(sector);
          const whole = blk.receivedBytes(chain) >= blk.SECTOR_BYTES;
          if (type !== blk.T_IN || blk.statusOf(chain) !== blk.S_OK || !whole) return;
          const sum = sumOf(chain.response, 0, blk.SECTOR_BYTES);
          const before = sums.get(sector);
          if (written.has(sector)) {
            clause.holds(before === sum, `sector ${sector} of a read-only disk was written`);
          }
          if (before === undefined && sums.size < SECTORS_KEPT) sums.set(sector, sum);
        },
      };
    },
  },
  ofStatus(
    'BLKOP-DEV-005',
    (type, chain, device) => blk.hasSegments(type) && (flagsOf(chain, device) & ~FLAG_UNMAP) !== 0,
    (status) => status === blk.S_UNSUPP,
    'a segment with unknown flags does not end in UNSUPP',
  ),
  ofStatus(
    'BLKOP-DEV-006',
    (type, chain, device) => type === blk.T_DISCARD && (flagsOf(chain, device) & FLAG_UNMAP) !== 0,
    (status) => status === blk.S_UNSUPP,
    'a discard with unmap set does not end in UNSUPP',
  ),
  {
    id: 'BLKOP-DEV-009',
    judge: 'device',
    watch: (clause, device) => {
      const zeroed = new Set<number>();
      const alone = new blk.Alone();
      const forget = (): void => {
        zeroed.clear();
        alone.begin();
      };
      return {
        onBegin: forget,
        onMachineReset: forget,
        onReset: forget,
        onTaken() {
          alone.taken();
        },
        onUsed(queue, chain) {
          const single = alone.used();
          const judged = single && blk.isJudged(device, queue, chain);
          const type = judged ? blk.typeOf(chain, device) : -1;
          const succeeded = judged && blk.statusOf(chain) === blk.S_OK;
          // What was not seen from its beginning to its end may have written anything.
          if (!judged) zeroed.clear();
          else if (type === blk.T_IN) {
            const first = blk.sectorOf(chain, device);
            const whole = Math.floor(blk.receivedBytes(chain) / blk.SECTOR_BYTES);
            const count = succeeded ? whole : 0;
            for (let i = 0; i < count; i++) {
              if (!zeroed.has(first + i)) continue;
              const zero = isZeroed(chain, i * blk.SECTOR_BYTES, blk.SECTOR_BYTES);
              clause.holds(zero, `sector ${first + i} does not read 0 after write zeroes`);
            }
          } else if (type === blk.T_WRITE_ZEROES && succeeded && blk.segmentCount(chain) === 1) {
            const first = blk.segmentSector(chain, device, 0);
            const count = blk.segmentSectors(chain, device, 0);
            for (let i = 0; i < count && zeroed.size < SECTORS_KEPT; i++) zeroed.add(first + i);
          } else if (type !== blk.T_FLUSH && type !== blk.T_GET_ID) zeroed.clear();
        },
      };
    },
  },
  changeIsAnnounced('BLKOP-DEV-012', blk.AT_MAY_UNMAP, 1, 'write_zeroes_may_unmap'),
  ofStatus(
    'BLKOP-DEV-017',
    (type, chain) =>
      type === blk.T_GET_LIFETIME && blk.statusOf(chain) === blk.S_OK && blk.receivedBytes(chain) >= 6,
    (_status, chain, device) => {
      const [end, typical, other] = [0, 2, 4].map((at) => chain.response16(at, device.little));
      return (end ?? 0) <= 3 && (typical ?? 0) <= 0xb && (other ?? 0) <= 0xb;
    },
    'a reserved lifetime value is reported',
  ),
  ofStatus(
    'BLKOP-DEV-018',
    (type, _chain, device) => ZONE_TYPES.has(type) && !device.has(blk.F_ZONED),
    (status) => status === blk.S_UNSUPP,
    'a zone request without ZONED does not end in UNSUPP',
  ),
  ofConfig('IMP-BLK-001', 'device', (clause, device, config) => ({
    onUsed(queue, chain) {
      if (!blk.isJudged(device, queue, chain) || blk.typeOf(chain, device) !== blk.T_IN) return;
      const size = config.read(blk.AT_BLK_SIZE, 4, device.little);
      const capacity = config.read(blk.AT_CAPACITY, 8, device.little);
      const bytes = blk.receivedBytes(chain);
      const sector = blk.sectorOf(chain, device);
      const inBlocks = size > blk.SECTOR_BYTES && bytes > 0 && bytes % size === 0;
      const aligned = inBlocks && sector % (size / blk.SECTOR_BYTES) === 0;
      if (!aligned || capacity < 0 || sector + bytes / blk.SECTOR_BYTES > capacity) return;
      clause.holds(
        blk.statusOf(chain) === blk.S_OK,
        'a read within the capacity counted in 512-byte sectors is refused',
      );
    },
  })),
  ofStatus(
    'IMP-BLK-002',
    () => true,
    (status, _chain, device) =>
      status >= 0 && status <= (device.has(blk.F_ZONED) ? blk.S_ACTIVE_RESOURCE : blk.S_UNSUPP),
    'the last writable byte of a request is no status',
  ),
  ofStatus(
    'IMP-BLK-003',
    (type, chain) =>
      type === blk.T_GET_ID && blk.receivedBytes(chain) === blk.ID_BYTES && blk.statusOf(chain) === blk.S_OK,
    (_status, chain) => {
      const end = chain.response.subarray(0, blk.ID_BYTES).indexOf(0);
      const padded = end < 0 || isZeroed(chain, end, blk.ID_BYTES - end);
      return padded && chain.responseWritten >= chain.writableBytes;
    },
    'a serial number is not filled up with zeroes',
  ),
  {
    id: 'IMP-BLK-004',
    judge: 'device',
    watch: (clause, device) => ({
      onDeviceConfigRead(offset, width, value) {
        const writeback = blk.byteOf(blk.AT_WRITEBACK, offset, width, value);
        if (writeback < 0 || !device.offers(blk.F_CONFIG_WCE)) return;
        clause.holds(writeback <= 1, `writeback reads ${writeback}`);
      },
    }),
  },
  ofStatus(
    'IMP-BLK-005',
    (type, _chain, device) => !isKnownType(type, device),
    (status) => status === blk.S_UNSUPP,
    'a request of unknown type does not end in UNSUPP',
  ),
];

const ZONE_TYPES: ReadonlySet<number> = new Set([
  blk.T_ZONE_APPEND,
  blk.T_ZONE_REPORT,
  blk.T_ZONE_OPEN,
  blk.T_ZONE_CLOSE,
  blk.T_ZONE_FINISH,
  blk.T_ZONE_RESET,
  blk.T_ZONE_RESET_ALL,
]);
const KNOWN_TYPES: ReadonlySet<number> = new Set([
  blk.T_IN,
  blk.T_OUT,
  blk.T_FLUSH,
  blk.T_GET_ID,
  blk.T_GET_LIFETIME,
  blk.T_DISCARD,
  blk.T_WRITE_ZEROES,
  blk.T_SECURE_ERASE,
  ...ZONE_TYPES,
]);
const LEGACY_TYPES: ReadonlySet<number> = new Set([blk.T_SCSI, blk.T_SCSI_OUT, blk.T_FLUSH_OUT]);

function isKnownType(type: number, device: VirtioFunction): boolean {
  if (device.modern) return KNOWN_TYPES.has(type);
  const plain = (type & ~blk.T_BARRIER) >>> 0;
  return KNOWN_TYPES.has(plain) || LEGACY_TYPES.has(plain);
}

/** Block device (5.2). */
export const BLK_CLAUSES: ClauseTable = {
  name: 'blk',
  type: 2,
  checkers: [...INITIALIZATION, ...REQUESTS, ...ANSWERS, ...BLK_ZONED_CHECKERS, ...BLK_LEGACY_CHECKERS],
  undecided: [
    { id: 'BLK-DRV-001', why: 'a stream may end before the driver sends the flush that it wants to send' },
    { id: 'BLK-DRV-002', why: PERMISSION },
    { id: 'BLK-DRV-003', why: INSIDE },
    { id: 'BLK-DRV-005', why: 'which zone models a driver can handle shows in no event' },
    { id: 'BLK-DRV-007', why: PERMISSION },
    { id: 'BLK-DRV-009', why: PERMISSION },
    { id: 'BLK-DRV-010', why: 'a field that was read may still be ignored' },
    { id: 'BLKOP-DRV-001', why: 'nothing says how soon a driver reads capacity again' },
    { id: 'BLKOP-DRV-012', why: PERMISSION },
    { id: 'BLKOP-DRV-013', why: MEDIUM },
    { id: 'BLKOP-DRV-015', why: INSIDE },
    { id: 'BLKOP-DRV-016', why: INSIDE },
    { id: 'BLKOP-DEV-001', why: PERMISSION },
    { id: 'BLKOP-DEV-007', why: PERMISSION },
    { id: 'BLKOP-DEV-008', why: PERMISSION },
    { id: 'BLKOP-DEV-010', why: 'whether the device could deallocate shows in no event' },
    { id: 'BLKOP-DEV-011', why: PERMISSION },
    { id: 'BLKOP-DEV-013', why: MEDIUM },
    { id: 'BLKOP-DEV-014', why: PERMISSION },
    { id: 'BLKOP-DEV-015', why: 'whether the medium has metrics is the host’s to know' },
    { id: 'BLKOP-DEV-016', why: 'whether the medium has metrics is the host’s to know' },
    ...ZONED_UNDECIDED,
    { id: 'BLKL-DEV-001', why: 'its content is the two rows after it' },
    { id: 'BLKL-DRV-001', why: PERMISSION },
    { id: 'BLKL-DRV-002', why: INSIDE },
    { id: 'BLKL-DRV-003', why: PERMISSION },
    { id: 'BLKL-DRV-004', why: PERMISSION },
    { id: 'BLKL-DRV-006', why: INSIDE },
  ],
};
