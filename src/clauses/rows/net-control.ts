import type { ClauseTable } from '../clause.ts';
import { hashOf } from '../net-hash.ts';
import type { NetFrame } from '../net-frame.ts';
import { CLASS, CONFIG, F, type NetCommand, type NetPacket, type NetView } from '../net-view.ts';
import { commanded, commanding, received, rule, sending, settled } from './net-rules.ts';

const MODE = {
  promiscuous: 0,
  allMulticast: 1,
  allUnicast: 2,
  noMulticast: 3,
  noUnicast: 4,
  noBroadcast: 5,
} as const;
const ANNOUNCE = 2;
const VLANS = 4096;
const FLOWS = 64;
const QUEUES_MAX = 1024;
/** OFFLOADS_SET names the tunnel features by other numbers (5.1.9.5.9). */
const OFFLOAD_BITS: readonly (readonly [bit: number, feature: number])[] = [
  [1, F.GUEST_CSUM],
  [7, F.GUEST_TSO4],
  [8, F.GUEST_TSO6],
  [9, F.GUEST_ECN],
  [10, F.GUEST_UFO],
  [54, F.GUEST_USO4],
  [55, F.GUEST_USO6],
  [61, F.RSC_EXT],
  [46, F.GUEST_UDP_TUNNEL_GSO],
  [47, F.GUEST_UDP_TUNNEL_GSO_CSUM],
];

/** What filters by address say of a frame; undefined where the driver has not said enough. */
function admits(frame: NetFrame, view: NetView): boolean | undefined {
  if (view.on(MODE.promiscuous)) return true;
  if (frame.broadcast) return !view.on(MODE.noBroadcast);
  if (frame.multicast) {
    if (view.on(MODE.noMulticast)) return view.filters ? false : undefined;
    if (view.on(MODE.allMulticast)) return true;
  } else {
    if (view.on(MODE.noUnicast)) return view.filters ? false : undefined;
    if (view.on(MODE.allUnicast) || (view.macKnown && view.isOwn(frame))) return true;
  }
  if (view.tableOverflowed) return undefined;
  if (view.inTable(frame)) return true;
  return view.filters && view.macKnown ? false : undefined;
}

/** No VLAN filter keeps the frame back. */
function vlanPasses(frame: NetFrame, view: NetView): boolean {
  return frame.vlan < 0 || !view.has(F.CTRL_VLAN) || view.vlans[frame.vlan % VLANS] === 1;
}

const noRss = (view: NetView): boolean => !view.steering;
const isMode = (command: NetCommand, from: number, to: number): boolean =>
  command.kind === CLASS.RX && command.command >= from && command.command <= to;

/** Multicast that is not broadcast, with filters in force. */
const multicast = (frame: NetFrame, view: NetView): boolean =>
  frame.multicast && view.filters && vlanPasses(frame, view);
const unicast = (frame: NetFrame, view: NetView): boolean =>
  frame.unicast && view.filters && vlanPasses(frame, view);
const broadcast = (frame: NetFrame, view: NetView): boolean =>
  frame.broadcast && view.filters && vlanPasses(frame, view);

function lengthOfTable(command: NetCommand): number {
  const second = 4 + 6 * command.word(0);
  return second + 4 + 6 * command.word(second);
}

/** An RSS or hash configuration that a device has no reason to refuse. */
export function isGoodHash(command: NetCommand, view: NetView): boolean {
  if (!command.is(CLASS.MQ) || command.command < 1 || command.command > 2) return false;
  const steering = command.command === 1;
  const entries = steering ? command.half(4) + 1 : 1;
  const end = 8 + 2 * entries;
  const keyBytes = command.byte(end + 2);
  const supported = view.knows(CONFIG.hashTypes, 4) ? view.field(CONFIG.hashTypes, 4) : 0;
  if (command.argumentBytes < end + 3 + keyBytes || keyBytes === 0 || keyBytes > 40) return false;
  if ((command.word(0) & ~supported) !== 0 || !view.has(steering ? F.RSS : F.HASH_REPORT)) return false;
  if (!steering) return true;
  const pairs = command.half(end);
  if ((entries & (entries - 1)) !== 0 || entries > 128 || pairs < 1 || pairs > view.maxPairs) return false;
  if (command.half(6) >= pairs) return false;
  for (let i = 0; i < entries; i++) if (command.half(8 + 2 * i) >= pairs) return false;
  return true;
}

/** The pair that RSS picks; -1 where that is not known. */
function picked(frame: NetFrame, view: NetView): number {
  const hash = hashOf(frame, view.hashTypes, view.key);
  if (hash === undefined || view.indirection.length === 0) return -1;
  return hash.report === 0
    ? view.unclassified
    : (view.indirection[hash.value & (view.indirection.length - 1)] ?? -1);
}

/** A number for the flow of a TCP or UDP frame, the same in both directions; -1 for any other frame. */
function flowOf(frame: NetFrame): number {
  const { outer } = frame;
  if (outer.transport < 0 || (outer.protocol !== 6 && outer.protocol !== 17)) return -1;
  const [from, bytes] = outer.ip6 ? [outer.network + 8, 16] : [outer.network + 12, 4];
  let flow = outer.protocol;
  for (let i = 0; i < bytes; i++) {
    const a = frame.byte(from + i);
    const b = frame.byte(from + bytes + i);
    flow = (flow * 31 + Math.min(a, b) * 257 + Math.max(a, b)) % 0x1000_0000;
  }
  const a = frame.short(outer.transport);
  const b = frame.short(outer.transport + 2);
  return (flow * 31 + Math.min(a, b) * 65_537 + Math.max(a, b)) % 0x1000_0000;
}

/** Flows that the driver sent, and by which pair; a flow comes back by the pair that it was sent by last. */
function followsFlow(id: string, sentence: string): ReturnType<typeof rule> {
  return rule(id, 'device', (clause, view) => {
    const flows = new Float64Array(FLOWS);
    const pairs = new Uint16Array(FLOWS);
    const forget = (): void => {
      flows.fill(-1);
    };
    return {
      onBegin: forget,
      onReset: forget,
      onSent(packet: NetPacket) {
        const flow = flowOf(packet);
        if (flow < 0) return;
        flows[flow % FLOWS] = flow;
        pairs[flow % FLOWS] = packet.pair;
      },
      onReceived(packet: NetPacket) {
        if (!view.trusts(packet.queue) || view.pairs < 2 || view.hashing) return;
        const flow = flowOf(packet);
        const known = pairs[flow % FLOWS] ?? 0;
        if (flow < 0 || flows[flow % FLOWS] !== flow || known >= view.pairs) return;
        clause.holds(packet.pair === known, sentence);
      },
    };
  });
}

/** Receive queues that the driver has taken away and not given back, of those in use. */
function inReset(view: NetView, gone: Uint8Array): number {
  let count = 0;
  for (let pair = 0; pair < view.pairs; pair++) {
    if (gone[2 * pair] === 1 && view.device.queue(2 * pair) === undefined) count++;
  }
  return count;
}

/** Network device: the control virtqueue (5.1.9.5). */
export const NET_CONTROL_CLAUSES: ClauseTable = {
  name: 'net-control',
  type: 1,
  checkers: [
    commanded(
      'NETCTRL-DEV-001',
      (command, view) => isMode(command, 0, 1) && view.has(F.CTRL_RX) && command.argumentBytes === 1,
      (command) => command.ack === 0,
      'a mode of receiving that CTRL_RX promises is refused',
    ),
    settled(
      'NETCTRL-DEV-002',
      (_frame, view) => view.on(MODE.promiscuous) && noRss(view),
      true,
      'a frame is withheld in promiscuous mode',
    ),
    settled(
      'NETCTRL-DEV-003',
      (_frame, view) =>
        view.on(MODE.promiscuous) &&
        noRss(view) &&
        (view.on(MODE.noMulticast) || view.on(MODE.noUnicast) || view.on(MODE.noBroadcast)),
      true,
      'a frame is withheld in promiscuous mode by another mode',
    ),
    settled(
      'NETCTRL-DEV-004',
      (frame, view) => multicast(frame, view) && view.on(MODE.allMulticast) && !view.on(MODE.noMulticast),
      true,
      'multicast is withheld though all of it is wanted',
    ),
    commanded(
      'NETCTRL-DEV-005',
      (command, view) => isMode(command, 2, 5) && view.has(F.CTRL_RX_EXTRA) && command.argumentBytes === 1,
      (command) => command.ack === 0,
      'a mode of receiving that CTRL_RX_EXTRA promises is refused',
    ),
    settled(
      'NETCTRL-DEV-006',
      (frame, view) => unicast(frame, view) && view.on(MODE.allUnicast) && !view.on(MODE.noUnicast),
      true,
      'unicast is withheld though all of it is wanted',
    ),
    settled(
      'NETCTRL-DEV-007',
      (frame, view) => multicast(frame, view) && view.on(MODE.noMulticast),
      false,
      'multicast is delivered though none is wanted',
    ),
    settled(
      'NETCTRL-DEV-008',
      (frame, view) => multicast(frame, view) && view.on(MODE.noMulticast) && view.on(MODE.allMulticast),
      false,
      'multicast is delivered though none is wanted, as all is wanted too',
    ),
    settled(
      'NETCTRL-DEV-009',
      (frame, view) => broadcast(frame, view) && view.on(MODE.noMulticast) && !view.on(MODE.noBroadcast),
      true,
      'broadcast is withheld because no multicast is wanted',
    ),
    settled(
      'NETCTRL-DEV-010',
      (frame, view) => unicast(frame, view) && view.on(MODE.noUnicast),
      false,
      'unicast is delivered though none is wanted',
    ),
    settled(
      'NETCTRL-DEV-011',
      (frame, view) => unicast(frame, view) && view.on(MODE.noUnicast) && view.on(MODE.allUnicast),
      false,
      'unicast is delivered though none is wanted, as all is wanted too',
    ),
    settled(
      'NETCTRL-DEV-012',
      (frame, view) => broadcast(frame, view) && view.on(MODE.noBroadcast),
      false,
      'broadcast is delivered though none is wanted',
    ),
    settled(
      'NETCTRL-DEV-013',
      (frame, view) => broadcast(frame, view) && view.on(MODE.noBroadcast) && view.on(MODE.allMulticast),
      false,
      'broadcast is delivered though none is wanted, as all multicast is wanted',
    ),
    commanding(
      'NETCTRL-DRV-001',
      (command) => isMode(command, 0, 1),
      (_command, view) => view.has(F.CTRL_RX),
      'a mode of receiving is set without CTRL_RX',
    ),
    commanding(
      'NETCTRL-DRV-002',
      (command) => isMode(command, 2, 5),
      (_command, view) => view.has(F.CTRL_RX_EXTRA),
      'a mode of receiving is set without CTRL_RX_EXTRA',
    ),
    rule('NETCTRL-DEV-014', 'device', (clause, view) => {
      const table = clause.state({ everSet: false, setNow: false });
      return {
        onReset() {
          table.setNow = false;
        },
        onCommand(command) {
          if (!command.is(CLASS.MAC, 0) || command.ack !== 0) return;
          table.everSet = true;
          table.setNow = true;
        },
        onSettled(frame, by) {
          if (!table.everSet || table.setNow || !view.trusts() || frame.broadcast || !vlanPasses(frame, view))
            return;
          if (admits(frame, view) === false)
            clause.holds(by < 0, 'an address of a table from before the reset is still received');
        },
      };
    }),
    settled(
      'NETCTRL-DEV-015',
      (frame, view) =>
        !frame.broadcast &&
        view.filters &&
        view.inTable(frame) &&
        vlanPasses(frame, view) &&
        admits(frame, view) === true,
      true,
      'an address of the table is withheld',
    ),
    rule('NETCTRL-DEV-016', 'device', (clause, view) => {
      const set = clause.state({ at: 0 });
      const mac = new Uint8Array(6);
      return {
        onReset() {
          set.at = 0;
        },
        onCommand(command) {
          if (
            !command.is(CLASS.MAC, 1) ||
            command.ack !== 0 ||
            !view.has(F.MAC) ||
            !view.trusts(view.controlQueue)
          )
            return;
          set.at = clause.event;
          for (let i = 0; i < 6; i++) mac[i] = command.byte(i);
        },
        onConfigRead(offset, width, value) {
          if (set.at === 0 || offset >= 6) return;
          for (let i = 0; i < width && offset + i < 6; i++) {
            const byte = Math.floor(value / 256 ** i) & 0xff;
            clause.holds(byte === mac[offset + i], 'mac is not the address that was set', set.at);
          }
        },
      };
    }),
    settled(
      'NETCTRL-DEV-017',
      (frame, view) =>
        frame.unicast &&
        vlanPasses(frame, view) &&
        view.filters &&
        !view.on(MODE.noUnicast) &&
        admits(frame, view) === false,
      false,
      'a frame for another address is delivered',
    ),
    commanding(
      'NETCTRL-DRV-003',
      (command) => command.is(CLASS.MAC),
      (_command, view) => view.has(F.CTRL_RX),
      'a command of class MAC is sent without CTRL_RX',
    ),
    sending(
      'NETCTRL-DRV-004',
      (packet, view) =>
        view.has(F.CTRL_RX) && view.has(F.CTRL_MAC_ADDR) && view.macKnown && packet.length >= 12,
      (packet, view) => [0, 1, 2, 3, 4, 5].every((i) => packet.byte(6 + i) === view.mac[i]),
      'a frame is sent from an address that the driver did not set',
    ),
    commanding(
      'NETCTRL-DRV-005',
      (command) => command.is(CLASS.MAC, 0) && command.known,
      (command) => command.argumentBytes === lengthOfTable(command),
      'a table of addresses has another length than its counts say',
    ),
    settled(
      'NETCTRL-DEV-018',
      (frame, view) => frame.vlan >= 0 && !view.has(F.CTRL_VLAN) && admits(frame, view) === true,
      true,
      'a tagged frame is withheld and CTRL_VLAN was not accepted',
    ),
    settled(
      'NETCTRL-DEV-019',
      (frame, view) =>
        frame.vlan >= 0 && view.has(F.CTRL_VLAN) && vlanPasses(frame, view) && admits(frame, view) === true,
      true,
      'a tagged frame of a VLAN that was added is withheld',
    ),
    settled(
      'NETCTRL-DEV-020',
      (frame, view) => frame.vlan >= 0 && view.has(F.CTRL_VLAN) && !vlanPasses(frame, view) && view.filters,
      false,
      'a tagged frame of a VLAN that was not added is delivered',
    ),
    rule('NETCTRL-DRV-007', 'driver', (clause, view) => {
      const asked = clause.state({ at: 0, sent: false });
      return {
        onReset() {
          asked.at = 0;
        },
        onConfigRead(offset, width) {
          if (offset > CONFIG.status || offset + width <= CONFIG.status || !view.has(F.GUEST_ANNOUNCE))
            return;
          if (asked.at !== 0 || (view.field(CONFIG.status, 2) & ANNOUNCE) === 0) return;
          asked.at = clause.event;
          asked.sent = false;
        },
        onOffer() {
          asked.sent = true;
        },
        onCommanding(command) {
          if (asked.at === 0 || !command.is(CLASS.ANNOUNCE, 0)) return;
          clause.holds(asked.sent, 'an announcement is acknowledged and nothing was sent', asked.at);
          asked.at = 0;
        },
      };
    }),
    rule('NETCTRL-DRV-008', 'driver', (clause, view) => {
      const asked = clause.state({ at: 0 });
      return {
        onReset() {
          asked.at = 0;
        },
        onConfigRead(offset, width) {
          if (offset > CONFIG.status || offset + width <= CONFIG.status || !view.has(F.GUEST_ANNOUNCE))
            return;
          if ((view.field(CONFIG.status, 2) & ANNOUNCE) === 0) return;
          if (asked.at !== 0)
            clause.breaks('an announcement was asked for and is not acknowledged', asked.at);
          asked.at = clause.event;
        },
        onCommanding(command) {
          if (asked.at === 0 || !command.is(CLASS.ANNOUNCE, 0)) return;
          asked.at = 0;
          clause.applies();
        },
      };
    }),
    rule('NETCTRL-DEV-021', 'device', (clause, view) => {
      const done = clause.state({ at: 0 });
      return {
        onReset() {
          done.at = 0;
        },
        onInterrupt() {
          done.at = 0;
        },
        onCommand(command) {
          if (command.is(CLASS.ANNOUNCE, 0) && command.ack === 0 && view.trusts(view.controlQueue))
            done.at = clause.event;
        },
        onConfigRead(offset, width) {
          if (done.at === 0 || offset > CONFIG.status || offset + width <= CONFIG.status) return;
          clause.holds(
            (view.field(CONFIG.status, 2) & ANNOUNCE) === 0,
            'ANNOUNCE is still set after it was acknowledged',
            done.at,
          );
        },
      };
    }),
    followsFlow('NETCTRL-DEV-024', 'a flow is steered away from the pair that it is sent by'),
    followsFlow('NETCTRL-DEV-025', 'a flow comes back by another pair than it was sent by'),
    commanding(
      'NETCTRL-DRV-012',
      (command) => command.is(CLASS.MQ, 0),
      (command, view) => {
        for (let queue = 0; queue < Math.min(2 * command.half(0), QUEUES_MAX); queue++) {
          if (view.device.queue(queue) === undefined) return false;
        }
        return true;
      },
      'more pairs are asked for than are set up',
    ),
    commanding(
      'NETCTRL-DRV-013',
      (command) => command.is(CLASS.MQ, 0),
      (command, view) => command.half(0) >= 1 && command.half(0) <= view.maxPairs,
      'the number of pairs is 0 or above the maximum',
    ),
    rule('NETCTRL-DRV-014', 'driver', (clause, view) => {
      const asked = clause.state({ yet: false });
      return {
        onReset() {
          asked.yet = false;
        },
        onCommanding(command) {
          if (command.is(CLASS.MQ, 0) || command.is(CLASS.MQ, 1)) asked.yet = true;
        },
        onOffer(_chain, queue) {
          if (!asked.yet && (view.has(F.MQ) || view.has(F.RSS)))
            clause.holds(queue === 1, 'a higher transmit queue is used before pairs were asked for');
        },
      };
    }),
    rule('NETCTRL-DRV-015', 'driver', (clause) => {
      const asked = clause.state({ pairs: 0 });
      return {
        onReset() {
          asked.pairs = 0;
        },
        onCommanding(command) {
          if (command.is(CLASS.MQ, 0)) asked.pairs = command.half(0);
        },
        onOffer(_chain, queue) {
          if (asked.pairs > 0)
            clause.holds(
              queue < 2 * asked.pairs,
              'a transmit queue above the pairs that were asked for is used',
            );
        },
      };
    }),
    received(
      'NETCTRL-DEV-027',
      (_packet, view) => !view.pairsSet && (view.has(F.MQ) || view.has(F.RSS)),
      (packet) => packet.queue === 0,
      'a higher receive queue gets a packet before pairs were set',
    ),
    received(
      'NETCTRL-DEV-028',
      (_packet, view) => view.pairsSet,
      (packet, view) => packet.pair < view.pairs,
      'a receive queue above the pairs in use gets a packet',
    ),
    rule('NETCTRL-DEV-029', 'device', (clause, view) => {
      const gone = new Uint8Array(QUEUES_MAX);
      const arrival = clause.state({ at: 0, delivered: false });
      const forget = (): void => {
        gone.fill(0);
        arrival.at = 0;
      };
      return {
        onBegin: forget,
        onReset: forget,
        onQueueReset(queue) {
          gone[queue.index] = 1;
        },
        onArrived(frame) {
          arrival.at = 0;
          const resting = inReset(view, gone);
          if (
            !view.trusts() ||
            view.steering ||
            resting === 0 ||
            resting === view.pairs ||
            admits(frame, view) !== true ||
            !vlanPasses(frame, view)
          )
            return;
          for (let pair = 0; pair < view.pairs; pair++) {
            const queue = view.device.queue(2 * pair);
            if (queue !== undefined && view.posted(2 * pair) === 0) return;
          }
          arrival.at = clause.event;
          arrival.delivered = false;
        },
        onReceived(packet) {
          if (view.comparesToArrived(packet) === 'same') arrival.delivered = true;
        },
        onIdle() {
          if (arrival.at !== 0)
            clause.holds(
              arrival.delivered,
              'a packet for a queue in reset is not given to another one',
              arrival.at,
            );
          arrival.at = 0;
        },
      };
    }),
    rule('NETCTRL-DEV-030', 'device', (clause, view) => {
      const gone = new Uint8Array(QUEUES_MAX);
      const arrival = clause.state({ at: 0 });
      const forget = (): void => {
        gone.fill(0);
        arrival.at = 0;
      };
      return {
        onBegin: forget,
        onReset: forget,
        onQueueReset(queue) {
          gone[queue.index] = 1;
        },
        onArrived() {
          arrival.at = 0;
          if (!view.trusts() || !view.device.running || inReset(view, gone) < view.pairs) return;
          arrival.at = clause.event;
          clause.applies();
        },
        onReceived(packet) {
          if (arrival.at === 0 || view.comparesToArrived(packet) !== 'same') return;
          clause.breaks('a packet that came while every receive queue was in reset is delivered', arrival.at);
          arrival.at = 0;
        },
      };
    }),
    commanded(
      'NETCTRL-DEV-031',
      (command, view) => command.is(CLASS.MQ, 2) && isGoodHash(command, view),
      (command) => command.ack === 0,
      'parameters of the hash are refused',
    ),
    commanding(
      'NETCTRL-DRV-016',
      (command) => command.is(CLASS.MQ, 2) && command.known,
      (command) => command.word(4) === 0 && command.word(8) === 0,
      'a reserved field of the hash configuration is not 0',
    ),
    commanding(
      'NETCTRL-DRV-017',
      (command) => command.is(CLASS.MQ, 1),
      (_command, view) => view.has(F.RSS),
      'RSS is configured and was not accepted',
    ),
    commanding(
      'NETCTRL-DRV-018',
      (command) => command.is(CLASS.MQ, 1) && command.known && command.half(4) < 128,
      (command, view) => {
        for (let i = 0; i <= command.half(4); i++)
          if (view.device.queue(2 * command.half(8 + 2 * i)) === undefined) return false;
        return true;
      },
      'the table of RSS names a receive queue that is not enabled',
    ),
    commanding(
      'NETCTRL-DRV-019',
      (command) => command.is(CLASS.MQ, 1),
      (command) => (command.half(4) & (command.half(4) + 1)) === 0,
      'the length of the table of RSS is no power of two',
    ),
    commanding(
      'NETCTRL-DRV-020',
      (command, view) => command.is(CLASS.MQ, 1) && view.knows(CONFIG.tableLength, 2),
      (command, view) => command.half(4) < view.field(CONFIG.tableLength, 2),
      'the table of RSS is longer than the device takes',
    ),
    commanding(
      'NETCTRL-DRV-021',
      (command, view) =>
        (command.is(CLASS.MQ, 1) || command.is(CLASS.MQ, 2)) && view.knows(CONFIG.hashTypes, 4),
      (command, view) => (command.word(0) & ~view.field(CONFIG.hashTypes, 4)) === 0,
      'a type of hash is asked for that the device does not have',
    ),
    received(
      'NETCTRL-DEV-032',
      (packet, view) => view.steering && picked(packet, view) >= 0,
      (packet, view) => packet.pair === picked(packet, view),
      'a packet goes to another queue than RSS says',
    ),
    rule('NETCTRL-DEV-033', 'device', (clause, view) => ({
      onReceived(packet) {
        if (!view.steering || !view.trusts(packet.queue)) return;
        const pair = picked(packet, view);
        if (pair < 0 || pair >= view.pairs) return;
        clause.holds(
          view.device.queue(2 * pair) !== undefined,
          'a packet whose queue by RSS is in reset is delivered',
        );
      },
    })),
    commanded(
      'NETCTRL-DEV-034',
      (command, view) => command.is(CLASS.CONTEXT, 0) && view.has(F.RSS_CONTEXT) && command.ack === 0,
      (command) => command.resultHalf(0) >= 1,
      'max_rss_contexts is 0',
    ),
    rule('NETCTRL-DEV-035', 'device', (clause, view) => {
      // By the identifier: 1 made, 2 made before a reset.
      const made = new Map<number, number>();
      return {
        onBegin() {
          made.clear();
        },
        onReset() {
          for (const id of made.keys()) made.set(id, 2);
        },
        onCommand(command) {
          if (!command.is(CLASS.CONTEXT) || command.command === 0 || !view.trusts(view.controlQueue)) return;
          const id = command.half(0);
          if (command.command === 1 && command.ack === 0) made.set(id, 1);
          else if (made.get(id) === 2)
            clause.holds(command.ack !== 0, 'an RSS context from before the reset is still there');
        },
      };
    }),
    commanding(
      'NETCTRL-DRV-022',
      (command) => command.is(CLASS.CONTEXT),
      (_command, view) => view.has(F.RSS_CONTEXT),
      'a command for RSS contexts is sent without RSS_CONTEXT',
    ),
    rule('NETCTRL-DRV-023', 'driver', (clause) => {
      const cap = clause.state({ most: 0 });
      return {
        onCommand(command) {
          if (command.is(CLASS.CONTEXT, 0) && command.ack === 0) cap.most = command.resultHalf(0);
        },
        onCommanding(command) {
          if (!command.is(CLASS.CONTEXT) || command.command === 0 || cap.most === 0) return;
          const id = command.half(0);
          clause.holds(
            id >= 1 && id <= cap.most,
            'an RSS context has a number that the device does not have',
          );
        },
      };
    }),
    rule('NETCTRL-DRV-024', 'driver', (clause, view) => {
      const contexts = clause.state({ count: 0 });
      return {
        onReset() {
          contexts.count = 0;
        },
        onCommand(command) {
          if (!command.is(CLASS.CONTEXT) || command.ack !== 0) return;
          if (command.command === 1) contexts.count++;
          else if (command.command === 3) contexts.count--;
        },
        onCommanding(command) {
          if (command.is(CLASS.MQ, 0) && view.has(F.RSS_CONTEXT))
            clause.holds(contexts.count <= 0, 'the number of pairs is set while an RSS context exists');
        },
      };
    }),
    commanding(
      'NETCTRL-DRV-025',
      (command) => command.is(CLASS.OFFLOADS, 0) && command.argumentBytes >= 8,
      (command, view) => {
        const [low, high] = command.little
          ? [command.word(0), command.word(4)]
          : [command.word(4), command.word(0)];
        let left = (BigInt(high) << 32n) | BigInt(low);
        for (const [bit, feature] of OFFLOAD_BITS) if (view.has(feature)) left &= ~(1n << BigInt(bit));
        return left === 0n;
      },
      'an offload is switched on that was not accepted',
    ),
  ],
  undecided: [
    'NETCTRL-DRV-006',
    'NETCTRL-DEV-022',
    'NETCTRL-DEV-023',
    'NETCTRL-DRV-009',
    'NETCTRL-DRV-010',
    'NETCTRL-DRV-011',
    'NETCTRL-DEV-026',
  ].map((id) => ({ id, why: 'a permission: nothing breaks it' })),
};
