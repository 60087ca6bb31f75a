import type { Chain } from '../chain.ts';
import type { ClauseChecker, Judgement } from '../clause.ts';
import type { Hooks } from '../hooks.ts';
import type { VirtioFunction } from '../virtio-function.ts';
import * as blk from './blk-request.ts';

// The block device through the legacy interface (5.2.4.1, 5.2.5.3, 5.2.6.3, 5.2.6.4).

const DRIVER_OK = 4;
const SENSE_BYTES = 96;
const SCSI_INHDR_BYTES = 16;
/** No disk has more than 2^48 sectors: bytes the wrong way round make such a capacity. */
const CAPACITY_MAX = 2 ** 48;
const REQUESTS_KEPT = 64;
/** Up to here every device has its configuration. */
const FIELDS_OF_ALL = 34;

/** Writes that must leave the cache mode alone: what is read after them is what was known before. */
function modeIsKept(
  id: string,
  watch: (touched: () => void, excused: () => void, device: VirtioFunction) => Hooks,
  sentence: string,
): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ mode: -1, touched: false });
      const forget = (): void => {
        seen.mode = -1;
        seen.touched = false;
      };
      const hooks = watch(
        () => {
          seen.touched = seen.mode >= 0;
        },
        forget,
        device,
      );
      return {
        ...hooks,
        onReset: forget,
        onDeviceConfigWrite(offset, width, value) {
          const mode = blk.byteOf(blk.AT_WRITEBACK, offset, width, value);
          if (mode < 0) return;
          seen.mode = mode === 0 ? 0 : 1;
          seen.touched = false;
        },
        onDeviceConfigRead(offset, width, value) {
          const mode = blk.byteOf(blk.AT_WRITEBACK, offset, width, value);
          if (mode < 0 || !device.legacy) return;
          if (seen.touched) clause.holds(mode === seen.mode, sentence);
          seen.mode = mode;
          seen.touched = false;
        },
      };
    },
  };
}

/** Framing of a legacy driver's requests: judged by how the driver cut them. */
function framing(
  id: string,
  applies: (type: number, device: VirtioFunction) => boolean,
  keeps: (chain: Chain) => boolean,
  sentence: string,
): ClauseChecker {
  return {
    id,
    judge: 'driver',
    watch: (clause, device) => ({
      onUsed(_queue, chain) {
        const judged = device.legacy && blk.isRequest(chain) && chain.count === chain.elementsSeen;
        if (!judged || !applies(blk.typeOf(chain, device), device)) return;
        clause.holds(keeps(chain), sentence);
      },
    }),
  };
}

function isScsi(type: number): boolean {
  return type === blk.T_SCSI || type === blk.T_SCSI_OUT;
}

function isPart(chain: Chain, at: number, length: number, write: boolean): boolean {
  return at >= 0 && at < chain.count && chain.length(at) === length && chain.writable(at) === write;
}

/** Requests under way by their number, and which of them are barriers. */
function order(
  id: string,
  keeps: (serial: number, barrier: boolean, others: ReadonlyMap<number, boolean>) => boolean | undefined,
  sentence: string,
): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause: Judgement, device: VirtioFunction) => {
      const underWay = new Map<number, boolean>();
      const forget = (): void => {
        underWay.clear();
      };
      return {
        onBegin: forget,
        onReset: forget,
        onMachineReset: forget,
        onTaken(queue, chain) {
          const known = chain.requestKnown >= blk.HEADER_BYTES;
          const barrier = known && (blk.typeOf(chain, device) & blk.T_BARRIER) !== 0;
          if (queue.index === 0 && underWay.size < REQUESTS_KEPT) underWay.set(chain.serial, barrier);
        },
        onUsed(queue, chain) {
          if (queue.index !== 0) return;
          const known = underWay.delete(chain.serial);
          if (!known || !device.has(blk.F_BARRIER) || !blk.isJudged(device, queue, chain)) return;
          const barrier = (blk.typeOf(chain, device) & blk.T_BARRIER) !== 0;
          const kept = keeps(chain.serial, barrier, underWay);
          if (kept !== undefined) clause.holds(kept, sentence);
        },
      };
    },
  };
}

export const BLK_LEGACY_CHECKERS: readonly ClauseChecker[] = [
  {
    id: 'BLKL-BOTH-001',
    judge: 'device',
    watch: (clause, device) => {
      const config = new blk.ConfigSeen();
      const forget = (): void => {
        config.forget();
      };
      return {
        onBegin: forget,
        onReset: forget,
        onStatusWrite: forget,
        onFeaturesWrite: forget,
        onDeviceConfigWrite: forget,
        onInterrupt: forget,
        onDeviceConfigRead(offset, width, value) {
          if (!device.legacy) return;
          if (offset + width <= FIELDS_OF_ALL && config.shares(offset, width)) {
            const kept = config.agrees(offset, width, value);
            clause.holds(kept, 'where a byte of the configuration is depends on the width of the access');
          }
          config.take(offset, width, value);
          if (offset >= 8) return;
          const capacity = config.read(blk.AT_CAPACITY, 8, device.little);
          if (capacity <= 0) return;
          clause.holds(capacity < CAPACITY_MAX, 'capacity is not in the byte order of the guest');
        },
      };
    },
  },
  modeIsKept(
    'BLKL-DEV-002',
    (touched, excused, device) => ({
      onStatusWrite(value) {
        if (value === 0 || !device.legacy) return;
        const starts = (value & ~device.status & DRIVER_OK) !== 0;
        if (starts && !device.accepts(blk.F_CONFIG_WCE)) excused();
        else touched();
      },
    }),
    'a write to status has changed the cache mode',
  ),
  modeIsKept(
    'BLKL-DEV-003',
    (touched, excused, device) => ({
      onFeaturesWrite() {
        if (device.legacy) touched();
      },
      onStatusWrite() {
        excused();
      },
    }),
    'a write of features has changed the cache mode',
  ),
  {
    id: 'BLKL-BOTH-002',
    judge: 'device',
    watch: (clause, device) => ({
      onUsed(queue, chain) {
        if (!device.legacy || !blk.isJudged(device, queue, chain)) return;
        // The type of a read is 0 either way round.
        if (blk.typeOf(chain, device) !== blk.T_OUT) return;
        clause.holds(blk.statusOf(chain) !== blk.S_UNSUPP, 'a write in the guest’s byte order is not known');
      },
    }),
  },
  {
    id: 'BLKL-BOTH-003',
    judge: 'device',
    watch: (clause, device) => ({
      onUsed(queue, chain) {
        if (!device.legacy || !blk.isJudged(device, queue, chain)) return;
        if (blk.typeOf(chain, device) !== blk.T_FLUSH_OUT || !device.has(blk.F_FLUSH)) return;
        clause.holds(blk.statusOf(chain) !== blk.S_UNSUPP, 'FLUSH_OUT is not known as a flush');
      },
    }),
  },
  order(
    'BLKL-DEV-004',
    (serial, barrier, others) => {
      if (!barrier) return undefined;
      for (const other of others.keys()) if (other < serial) return false;
      return true;
    },
    'a barrier is finished before a request that came before it',
  ),
  order(
    'BLKL-DEV-005',
    (serial, _barrier, others) => {
      for (const [other, isBarrier] of others) if (isBarrier && other < serial) return false;
      return true;
    },
    'a request is finished before a barrier that came before it',
  ),
  framing(
    'BLKL-DRV-005',
    isScsi,
    (chain) => isPart(chain, 0, blk.HEADER_BYTES, false) && chain.count > 1 && !chain.writable(1),
    'the command of a SCSI request has no descriptor of its own',
  ),
  framing(
    'BLKL-DRV-007',
    (_type, device) => !device.has(blk.F_ANY_LAYOUT),
    (chain) => isPart(chain, 0, blk.HEADER_BYTES, false) && isPart(chain, chain.count - 1, 1, true),
    'header or status of a request has no descriptor of its own',
  ),
  framing(
    'BLKL-DRV-008',
    (type, device) => isScsi(type) && !device.has(blk.F_ANY_LAYOUT),
    (chain) => isPart(chain, chain.count - 3, SENSE_BYTES, true),
    'sense of a SCSI request has no descriptor of 96 bytes of its own',
  ),
  framing(
    'BLKL-DRV-009',
    (type, device) => isScsi(type) && !device.has(blk.F_ANY_LAYOUT),
    (chain) => isPart(chain, chain.count - 2, SCSI_INHDR_BYTES, true),
    'errors and residual of a SCSI request have no descriptor of their own',
  ),
];
