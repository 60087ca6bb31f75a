import type { Chain } from '../chain.ts';
import type { ClauseTable, Judgement } from '../clause.ts';
import type { Hooks } from '../hooks.ts';
import type { VirtioFunction } from '../virtio-function.ts';

const F_ADMIN_VQ = 41;
/** admin_queue_index of the common configuration (4.1.4.3). */
const ADMIN_QUEUE_INDEX = 0x3c;
/** A command: opcode, group, member; its own data; then status, qualifier, and its own result (2.12.1). */
const DATA = 24;
const RESULT = 8;
const LIST_QUERY = 0;
const COMMON_CFG_WRITE = 2;
const COMMON_CFG_READ = 3;
const NOTIFY_INFO = 6;
const LEGACY_COMMANDS = 0b11_1100;
const NOTIFY_INFO_BIT = 0b100_0000;
/** Offset and reserved bytes before what is written. */
const WRITE_HEADER = 8;
const QUEUE_SIZE = 12;
const SIZE_MAX = 32768;
const ENTRY_BYTES = 16;
const ENTRIES = 4;
const OWNER = 1;
const MEMBER = 2;
const BARS = 6;
/** Fields of the legacy header (4.1.4.10), those of MSI-X behind the first twenty bytes: offset → bytes. */
const LEGACY_FIELDS: ReadonlyMap<number, number> = new Map([
  [0, 4],
  [4, 4],
  [8, 4],
  [12, 2],
  [14, 2],
  [16, 2],
  [18, 1],
  [19, 1],
  [20, 2],
  [22, 2],
]);

/** A chain of the administration virtqueue, once the device has answered it. */
function whenAnswered(device: VirtioFunction, see: (opcode: number, chain: Chain) => void): Hooks {
  let index = -1;
  return {
    onBegin() {
      index = -1;
    },
    onRegisterRead(access) {
      if (access.region === 'common' && access.offset === ADMIN_QUEUE_INDEX) index = access.value & 0xffff;
    },
    onUsed(queue, chain) {
      if (queue.index !== index || !device.has(F_ADMIN_VQ) || queue.broken !== '') return;
      if (chain.requestKnown >= DATA && chain.responseEnd >= 2) see(chain.request16(0), chain);
    },
  };
}

function succeeded(chain: Chain): boolean {
  return chain.response16(0) === 0;
}

/** Whether a command for the legacy header names one field, whole. */
function namesOneField(opcode: number, chain: Chain): boolean {
  const length =
    opcode === COMMON_CFG_WRITE ? chain.readableBytes - DATA - WRITE_HEADER : chain.writableBytes - RESULT;
  return LEGACY_FIELDS.get(chain.request[DATA] ?? 0) === length;
}

/** The commands that a device says it has. */
function whenListed(clause: Judgement, device: VirtioFunction, see: (opcodes: number) => void): Hooks {
  return whenAnswered(device, (opcode, chain) => {
    if (opcode !== LIST_QUERY || !succeeded(chain) || chain.responseEnd < RESULT + 4) return;
    clause.applies();
    see(chain.response32(RESULT));
  });
}

/** Each entry of a notification list before the one that ends it; `ended` says whether one did. */
function whenNotified(
  device: VirtioFunction,
  see: (flags: number, bar: number, offset: number) => void,
  ended?: (is: boolean) => void,
): Hooks {
  return whenAnswered(device, (opcode, chain) => {
    if (opcode !== NOTIFY_INFO || !succeeded(chain)) return;
    for (let i = 0; i < ENTRIES; i++) {
      const at = RESULT + i * ENTRY_BYTES;
      const flags = chain.response[at] ?? 0;
      if (at + ENTRY_BYTES > chain.responseEnd || flags === 0) {
        ended?.(flags === 0 && at < chain.responseEnd);
        return;
      }
      see(flags, chain.response[at + 1] ?? 0, chain.response32(at + 8));
    }
    ended?.(false);
  });
}

const NO_MEMBERS =
  'what an owner does for a member shows at that member, and no stream says which functions are whose: neither this machine nor QEMU 7.2 has SR-IOV';
const INSIDE_DRIVER =
  'what a driver makes of an answer shows in what it does to the member, and no machine here has members';
/** Rows that are decided at a member, which there is none of. */
const AT_MEMBERS = [
  'DEV-004',
  'DEV-005',
  'DEV-006',
  'DEV-007',
  'DEV-008',
  'DEV-009',
  'DEV-010',
  'DEV-011',
  'DEV-017',
];
const IN_DRIVERS = ['DRV-001', 'DRV-003', 'DRV-004', 'DRV-005', 'DRV-006', 'DRV-007'];

/** Group administration commands for legacy interfaces (2.12.1.1). */
export const ADMIN_CLAUSES: ClauseTable = {
  name: 'admin',
  checkers: [
    {
      id: 'ADML-DEV-001',
      judge: 'device',
      watch: (clause, device) =>
        whenListed(clause, device, (opcodes) => {
          const four = opcodes & LEGACY_COMMANDS;
          if (four !== 0 && four !== LEGACY_COMMANDS)
            clause.breaks('some of the four legacy commands are there and some are not');
        }),
    },
    {
      id: 'ADML-DEV-002',
      judge: 'device',
      watch: (clause, device) =>
        whenAnswered(device, (opcode, chain) => {
          if (opcode !== COMMON_CFG_READ || !succeeded(chain) || chain.request[DATA] !== QUEUE_SIZE) return;
          if (chain.responseEnd < RESULT + 2) return;
          const size = chain.response16(RESULT);
          // Legacy queues are powers of two; one that is none has its bytes mixed up.
          clause.holds(size <= SIZE_MAX && (size & (size - 1)) === 0, 'a queue size is not little-endian');
        }),
    },
    {
      id: 'ADML-DEV-003',
      judge: 'device',
      watch: (clause, device) =>
        whenAnswered(device, (opcode, chain) => {
          if (opcode !== COMMON_CFG_WRITE && opcode !== COMMON_CFG_READ) return;
          if (chain.requestKnown <= DATA || namesOneField(opcode, chain)) return;
          clause.holds(
            !succeeded(chain),
            'a command succeeds that names no single field of the legacy header',
          );
        }),
    },
    {
      id: 'ADML-DEV-012',
      judge: 'device',
      watch: (clause, device) =>
        whenListed(clause, device, (opcodes) => {
          if ((opcodes & NOTIFY_INFO_BIT) !== 0 && (opcodes & LEGACY_COMMANDS) !== LEGACY_COMMANDS)
            clause.breaks('NOTIFY_INFO is there without the other legacy commands');
        }),
    },
    {
      id: 'ADML-DEV-013',
      judge: 'device',
      watch: (clause, device) =>
        whenNotified(
          device,
          () => undefined,
          (is) => {
            clause.holds(is, 'a list of notification addresses does not end');
          },
        ),
    },
    {
      id: 'ADML-DEV-014',
      judge: 'device',
      watch: (clause, device) =>
        whenNotified(device, (flags, bar) => {
          if (flags === OWNER || flags === MEMBER)
            clause.holds(bar < BARS, 'a notification address is in no BAR');
        }),
    },
    {
      id: 'ADML-DEV-015',
      judge: 'device',
      watch: (clause, device) =>
        whenNotified(device, (flags, _bar, offset) => {
          if (flags === OWNER || flags === MEMBER)
            clause.holds(offset % 2 === 0, 'a notification address is odd');
        }),
    },
    {
      id: 'ADML-DRV-002',
      judge: 'driver',
      watch: (clause, device) =>
        whenAnswered(device, (opcode, chain) => {
          if (opcode !== COMMON_CFG_WRITE && opcode !== COMMON_CFG_READ) return;
          if (chain.requestKnown > DATA)
            clause.holds(
              namesOneField(opcode, chain),
              'a command names no single field of the legacy header',
            );
        }),
    },
  ],
  undecided: [
    ...AT_MEMBERS.map((row) => ({ id: `ADML-${row}`, why: NO_MEMBERS })),
    ...IN_DRIVERS.map((row) => ({ id: `ADML-${row}`, why: INSIDE_DRIVER })),
  ],
};
