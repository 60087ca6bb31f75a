import type { ClauseTable } from '../clause.ts';
import { hashOf } from '../net-hash.ts';
import { CLASS, CONFIG, F, type NetCommand, type NetView } from '../net-view.ts';
import { commanded, commanding, rule } from './net-rules.ts';
import { isGoodHash } from './net-control.ts';

const COAL = { txSet: 0, rxSet: 1, queueSet: 2, queueGet: 3 } as const;
const STATS = { query: 0, get: 1 } as const;
const QUEUES_MAX = 1024;
/** Tunnel types that 5.1.9.4.4.4 documents. */
const TUNNEL_TYPES = 0x3ff;
const ENTRY_BYTES = 16;
const REPLY_HEADER_BYTES = 8;
const CONTROL_TYPE = 32;
/** Reply size by type of statistics, its header counted in (5.1.9.5.11). */
const REPLY_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 48],
  [1, 40],
  [2, 40],
  [3, 24],
  [16, 48],
  [17, 24],
  [18, 56],
  [19, 24],
  [CONTROL_TYPE, 24],
]);

const isQueueCommand = (command: NetCommand): boolean =>
  command.is(CLASS.COAL, COAL.queueSet) || command.is(CLASS.COAL, COAL.queueGet);

/** A receive or transmit queue that is enabled. */
function isDataQueue(queue: number, view: NetView): boolean {
  return queue !== view.controlQueue && view.device.queue(queue) !== undefined;
}

/** The queue has the direction of a type of statistics. */
function fits(type: number, queue: number, view: NetView): boolean {
  if (type === CONTROL_TYPE) return queue === view.controlQueue;
  return queue !== view.controlQueue && (queue % 2 === 0) === type < 16;
}

/** One entry of STATS_GET, as the driver asks. */
interface Entry {
  queue: number;
  low: number;
  high: number;
}

const ENTRY: Entry = { queue: 0, low: 0, high: 0 };

function entry(command: NetCommand, at: number): Entry {
  const from = ENTRY_BYTES * at;
  ENTRY.queue = command.half(from);
  ENTRY.low = command.word(from + 8);
  ENTRY.high = command.word(from + 12);
  return ENTRY;
}

function entries(command: NetCommand): number {
  return Math.floor(command.argumentBytes / ENTRY_BYTES);
}

/** Types that an entry asks for, in order. */
function typesOf({ low, high }: Entry): number[] {
  return Array.from({ length: 64 }, (_, bit) => bit).filter((bit) =>
    bit < 32 ? ((low >>> bit) & 1) === 1 : ((high >>> (bit - 32)) & 1) === 1,
  );
}

function entryIsGood(one: Entry, view: NetView): boolean {
  if (view.device.queue(one.queue) === undefined) return false;
  return typesOf(one).every((type) => REPLY_BYTES.has(type) && fits(type, one.queue, view));
}

/** Entries of a command that no device can answer. */
function badEntries(command: NetCommand, view: NetView): number {
  let bad = 0;
  for (let at = 0; at < entries(command); at++) if (!entryIsGood(entry(command, at), view)) bad++;
  return bad;
}

/** Bytes of all replies that a command asks for. */
function replyBytes(command: NetCommand): number {
  let bytes = 0;
  for (let at = 0; at < entries(command); at++) {
    for (const type of typesOf(entry(command, at))) bytes += REPLY_BYTES.get(type) ?? 0;
  }
  return bytes;
}

function isGet(command: NetCommand): boolean {
  return command.is(CLASS.STATS, STATS.get) && command.known;
}

/** Whether every reply passes a test; a reply is followed by the next at its own size. */
function everyReply(
  command: NetCommand,
  test: (at: number, type: number, queue: number) => boolean,
): boolean {
  let at = 0;
  for (let i = 0; i < entries(command); i++) {
    const { queue } = entry(command, i);
    for (const type of typesOf(entry(command, i))) {
      if (at + REPLY_HEADER_BYTES > command.resultBytes) return true;
      if (!test(at, type, queue)) return false;
      at += REPLY_BYTES.get(type) ?? REPLY_HEADER_BYTES;
    }
  }
  return true;
}

/** What was set for a queue is what it is asked for again, or nothing where the queue was enabled anew. */
function afterEnable(
  id: string,
  setting: number,
  direction: number,
  sentence: string,
): ReturnType<typeof rule> {
  return rule(id, 'device', (clause, view) => {
    const anew = new Uint8Array(QUEUES_MAX);
    const all = clause.state({ packets: 0, usecs: 0 });
    const forget = (): void => {
      anew.fill(0);
      all.packets = 0;
      all.usecs = 0;
    };
    return {
      onBegin: forget,
      onReset: forget,
      onQueueReset(queue) {
        anew[queue.index] = 1;
      },
      onCommand(command) {
        if (command.ack !== 0 || !command.is(CLASS.COAL)) return;
        if (command.command === setting) {
          all.packets = command.word(0);
          all.usecs = command.word(4);
        }
        const queue = command.half(0);
        if (command.command === COAL.queueSet) anew[queue] = 0;
        if (command.command !== COAL.queueGet || anew[queue] !== 1 || queue % 2 !== direction) return;
        if (!view.trusts(view.controlQueue) || !isDataQueue(queue, view)) return;
        const packets = command.resultWord(0);
        const usecs = command.resultWord(4);
        const common = packets === all.packets && usecs === all.usecs;
        clause.holds(common || (packets === 0 && usecs === 0), sentence);
      },
    };
  });
}

/** Network device: hashes, notification coalescing, statistics (5.1.9.4.4, 5.1.9.5.10, 5.1.9.5.11). */
export const NET_EXTRA_CLAUSES: ClauseTable = {
  name: 'net-extra',
  type: 1,
  checkers: [
    commanded(
      'NETHASH-DEV-001',
      (command, view) => isGoodHash(command, view) && view.has(F.HASH_REPORT),
      (command) => command.ack === 0,
      'no command sets the parameters of the hash that is reported',
    ),
    commanded(
      'NETHASH-DEV-002',
      (command, view) => command.is(CLASS.MQ, 1) && isGoodHash(command, view) && view.has(F.HASH_REPORT),
      (command) => command.ack === 0,
      'RSS_CONFIG does not set the parameters of the hash',
    ),
    commanded(
      'NETHASH-DEV-003',
      (command, view) => command.is(CLASS.MQ, 2) && isGoodHash(command, view) && !view.device.offers(F.RSS),
      (command) => command.ack === 0,
      'HASH_CONFIG does not set the parameters of the hash',
    ),
    rule('NETHASH-DEV-004', 'device', (clause, view) => {
      const tunnels = clause.state({ types: 0 });
      return {
        onReset() {
          tunnels.types = 0;
        },
        onCommand(command) {
          if (command.is(CLASS.TUNNEL, 0) && command.ack === 0) tunnels.types = command.word(0);
        },
        onReceived(packet) {
          if (packet.hashReport === 0 || tunnels.types !== 0 || !view.hashing || !view.trusts(packet.queue))
            return;
          const hash = hashOf(packet, view.hashTypes, view.key);
          if (hash === undefined) return;
          clause.holds(
            hash.report === packet.hashReport && hash.value === packet.hashValue,
            'the hash is not that of the outer headers',
          );
        },
      };
    }),
    commanded(
      'NETHASH-DEV-005',
      (command, view) =>
        command.is(CLASS.TUNNEL, 0) &&
        view.has(F.HASH_TUNNEL) &&
        view.knows(CONFIG.tunnelTypes, 4) &&
        (command.word(0) & ~view.field(CONFIG.tunnelTypes, 4)) !== 0,
      (command) => command.ack !== 0,
      'types of tunnels that the device does not have are taken',
    ),
    rule('NETHASH-DEV-006', 'device', (clause, view) => {
      const inner = clause.state({ off: false });
      return {
        onReset() {
          inner.off = true;
        },
        onCommand(command) {
          if (command.is(CLASS.TUNNEL, 0) && command.ack === 0) inner.off = command.word(0) === 0;
        },
        onReceived(packet) {
          if (!inner.off || packet.hashReport === 0 || !view.hashing || !view.trusts(packet.queue)) return;
          const hash = hashOf(packet, view.hashTypes, view.key);
          if (hash !== undefined)
            clause.holds(hash.value === packet.hashValue, 'the hash of inner headers is not switched off');
        },
      };
    }),
    commanding(
      'NETHASH-DRV-001',
      (command) => command.is(CLASS.TUNNEL),
      (_command, view) => view.has(F.HASH_TUNNEL),
      'types of tunnels are set without HASH_TUNNEL',
    ),
    commanding(
      'NETHASH-DRV-002',
      (command, view) => command.is(CLASS.TUNNEL, 0) && view.knows(CONFIG.tunnelTypes, 4),
      (command, view) => (command.word(0) & ~view.field(CONFIG.tunnelTypes, 4)) === 0,
      'types of tunnels are set that the device does not have',
    ),
    commanding(
      'NETHASH-DRV-003',
      (command) => command.is(CLASS.TUNNEL, 0),
      (command) => (command.word(0) & ~TUNNEL_TYPES) === 0,
      'types of tunnels are set that no document knows',
    ),
    commanding(
      'NETCOAL-DRV-001',
      isQueueCommand,
      (command, view) => isDataQueue(command.half(0), view),
      'coalescing is set or asked for a queue that is no enabled receive or transmit queue',
    ),
    commanding(
      'NETCOAL-DRV-002',
      (command) => command.is(CLASS.COAL, COAL.txSet) || command.is(CLASS.COAL, COAL.rxSet),
      (_command, view) => view.has(F.NOTF_COAL),
      'coalescing is set without NOTF_COAL',
    ),
    commanding(
      'NETCOAL-DRV-003',
      isQueueCommand,
      (_command, view) => view.has(F.VQ_NOTF_COAL),
      'coalescing of a queue is set or asked for without VQ_NOTF_COAL',
    ),
    commanded(
      'NETCOAL-DEV-001',
      (command, view) =>
        command.is(CLASS.COAL, COAL.queueSet) &&
        view.has(F.VQ_NOTF_COAL) &&
        isDataQueue(command.half(0), view) &&
        command.half(2) !== 0 &&
        command.argumentBytes === 12,
      (command) => command.ack === 0,
      'reserved is looked at',
    ),
    commanded(
      'NETCOAL-DEV-002',
      (command, view) =>
        (command.is(CLASS.COAL, COAL.txSet) || command.is(CLASS.COAL, COAL.rxSet)) && !view.has(F.NOTF_COAL),
      (command) => command.ack !== 0,
      'coalescing is said to be set where it cannot be',
    ),
    rule('NETCOAL-DEV-003', 'device', (clause, view) => {
      const packets = new Float64Array(QUEUES_MAX);
      const usecs = new Float64Array(QUEUES_MAX);
      const forget = (): void => {
        packets.fill(-1);
      };
      return {
        onBegin: forget,
        onReset: forget,
        onQueueReset(queue) {
          packets[queue.index] = -1;
        },
        onCommand(command) {
          if (!command.is(CLASS.COAL) || command.ack !== 0 || !view.trusts(view.controlQueue)) return;
          if (command.command < COAL.queueSet) forget();
          const queue = command.half(0) % QUEUES_MAX;
          if (command.command === COAL.queueSet) {
            packets[queue] = command.word(4);
            usecs[queue] = command.word(8);
          } else if (command.command === COAL.queueGet && (packets[queue] ?? -1) >= 0) {
            const same = command.resultWord(0) === packets[queue] && command.resultWord(4) === usecs[queue];
            clause.holds(same, 'coalescing of a queue was said to be set and is not');
          }
        },
      };
    }),
    commanded(
      'NETCOAL-DEV-004',
      (command, view) => isQueueCommand(command) && !isDataQueue(command.half(0), view),
      (command) => command.ack !== 0,
      'coalescing is set or told of a queue that is no enabled receive or transmit queue',
    ),
    afterEnable(
      'NETCOAL-DEV-005',
      COAL.txSet,
      1,
      'a transmit queue that was enabled anew has other values than were set for all',
    ),
    afterEnable(
      'NETCOAL-DEV-006',
      COAL.rxSet,
      0,
      'a receive queue that was enabled anew has other values than were set for all',
    ),
    rule('NETCOAL-DEV-008', 'device', (clause, view) => {
      const quiet = clause.state({ queue: -1 });
      return {
        onReset() {
          quiet.queue = -1;
        },
        onReceived(packet) {
          const queue = view.device.queue(packet.queue);
          if (!view.hasAny(F.NOTF_COAL, F.VQ_NOTF_COAL) || view.has(29) || queue === undefined) return;
          quiet.queue = (queue.driverFlags & 1) === 1 ? packet.queue : -1;
          if (quiet.queue >= 0) clause.applies();
        },
        onInterrupt(vector) {
          const queue = view.device.queue(quiet.queue);
          if (queue === undefined || vector !== queue.vector || (queue.driverFlags & 1) === 0) return;
          if (view.trusts(quiet.queue)) clause.breaks('a notification comes that the driver suppressed');
        },
      };
    }),
    rule('NETCOAL-DEV-009', 'device', (clause, view) => {
      const set = clause.state({ since: false });
      return {
        onReset() {
          set.since = false;
        },
        onCommand(command) {
          if (!command.is(CLASS.COAL) || command.ack !== 0 || !view.trusts(view.controlQueue)) return;
          if (command.command !== COAL.queueGet) set.since = true;
          else if (!set.since)
            clause.holds(
              command.resultWord(0) === 0 && command.resultWord(4) === 0,
              'coalescing is not 0 after reset',
            );
        },
      };
    }),
    commanded(
      'NETSTAT-DEV-001',
      (command, view) =>
        command.is(CLASS.STATS, STATS.query) && view.has(F.DEVICE_STATS) && command.room >= 8,
      (command) => command.ack === 0 && command.resultBytes === 8,
      'STATS_QUERY is not answered with the types of statistics',
    ),
    commanded(
      'NETSTAT-DEV-002',
      (command, view) =>
        isGet(command) &&
        entries(command) === 1 &&
        (badEntries(command, view) > 0 || !view.has(F.DEVICE_STATS)),
      (command) => command.ack !== 0,
      'statistics are told of a queue or type that is not there',
    ),
    commanded(
      'NETSTAT-DEV-003',
      (command, view) => isGet(command) && entries(command) > 1 && badEntries(command, view) > 0,
      (command) => command.ack !== 0,
      'a command with one bad entry is answered',
    ),
    commanded(
      'NETSTAT-DEV-004',
      (command, view) => isGet(command) && command.ack === 0 && badEntries(command, view) === 0,
      (command) => everyReply(command, (at, type) => command.resultHalf(at + 6) === REPLY_BYTES.get(type)),
      'size is not the size of the reply',
    ),
    commanded(
      'NETSTAT-DEV-005',
      (command, view) => isGet(command) && command.ack === 0 && badEntries(command, view) === 0,
      (command) =>
        everyReply(
          command,
          (at, type, queue) => command.resultByte(at) === type && command.resultHalf(at + 2) === queue,
        ),
      'type or vq_index is not what was asked for',
    ),
    commanded(
      'NETSTAT-DEV-006',
      (command, view) => isGet(command) && command.ack === 0 && badEntries(command, view) === 0,
      (command) => command.resultBytes <= replyBytes(command),
      'more is written than the replies',
    ),
    rule('NETSTAT-DRV-001', 'driver', (clause) => {
      const known = clause.state({ low: -1, high: 0 });
      return {
        onReset() {
          known.low = -1;
        },
        onCommand(command) {
          if (!command.is(CLASS.STATS, STATS.query) || command.ack !== 0) return;
          known.low = command.resultWord(0);
          known.high = command.resultWord(4);
        },
        onCommanding(command) {
          if (!isGet(command)) return;
          let inside = known.low >= 0;
          for (let at = 0; inside && at < entries(command); at++) {
            const { low, high } = entry(command, at);
            inside = (low & ~known.low) === 0 && (high & ~known.high) === 0;
          }
          clause.holds(inside, 'statistics are asked for that the device did not say it has');
        },
      };
    }),
    commanding(
      'NETSTAT-DRV-002',
      isGet,
      (command, view) => {
        for (let at = 0; at < entries(command); at++) {
          const one = entry(command, at);
          if (!typesOf(one).every((type) => fits(type, one.queue, view))) return false;
        }
        return true;
      },
      'statistics are asked of a queue of the other direction',
    ),
    commanding(
      'NETSTAT-DRV-003',
      isGet,
      (command) => {
        let headers = 0;
        for (let at = 0; at < entries(command); at++) headers += typesOf(entry(command, at)).length;
        return command.room >= REPLY_HEADER_BYTES * headers;
      },
      'there is no room for the headers of all replies',
    ),
  ],
  undecided: [
    { id: 'NETCOAL-DEV-007', why: 'a permission: nothing breaks it' },
    { id: 'NETCOAL-DRV-004', why: 'what a driver makes of values that came with an error shows in no event' },
    { id: 'NETSTAT-DEV-007', why: 'a counter of 64 bits wraps in no run' },
  ],
};
