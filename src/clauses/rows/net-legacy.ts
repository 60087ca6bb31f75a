import type { Chain } from '../chain.ts';
import type { ClauseTable } from '../clause.ts';
import { CLASS, CONFIG, F, NEEDS_CSUM, type NetCommand, type NetView } from '../net-view.ts';
import { commanded, field, received, rule } from './net-rules.ts';

const STATUS_BITS = 3;
const VLANS = 4096;
const TABLE_SURE = 64;
const OFFLOADS_HIGH = 0;

const isLegacy = ({ device }: NetView): boolean => device.legacy && !device.modern;

/** A command whose argument is good in the guest's order. */
function obeyed(
  id: string,
  feature: number,
  good: (command: NetCommand, view: NetView) => boolean,
  sentence: string,
): ReturnType<typeof rule> {
  return commanded(
    id,
    (command, view) => isLegacy(view) && view.has(feature) && good(command, view),
    (command) => command.ack === 0,
    sentence,
  );
}

/** Of the descriptors of a driver that may not lay a message out as it likes. */
function laidOut(
  id: string,
  when: (command: NetCommand) => boolean,
  holds: (chain: Chain, command: NetCommand) => boolean,
  sentence: string,
): ReturnType<typeof rule> {
  return rule(id, 'driver', (clause, view) => ({
    onCommanding(command, chain) {
      if (isLegacy(view) && !view.has(F.ANY_LAYOUT) && when(command))
        clause.holds(holds(chain, command), sentence);
    },
  }));
}

const any = (): boolean => true;
const isTable = (command: NetCommand): boolean => command.is(CLASS.MAC, 0) && command.known;

/** Why a section has no checkers. */
function without(prefix: string, last: number, why: string): { id: string; why: string }[] {
  return Array.from({ length: last }, (_, i) => ({ id: `${prefix}-${String(i + 1).padStart(3, '0')}`, why }));
}

const NO_ADMIN_QUEUE =
  'its objects are made by commands of the administration virtqueue, which no stream here has: of what it promises nothing can be seen';

/** Network device: the legacy interface, and sections that no event shows. */
export const NET_LEGACY_CLAUSES: ClauseTable = {
  name: 'net-legacy',
  type: 1,
  checkers: [
    field(
      'NETL-BOTH-001',
      (view) => isLegacy(view) && view.device.offers(F.STATUS),
      CONFIG.status,
      2,
      (status) => (status & ~STATUS_BITS) === 0,
      'status is not in the order of the guest',
    ),
    received(
      'NETL-BOTH-002',
      (packet, view) => isLegacy(view) && packet.has(NEEDS_CSUM),
      (packet) => packet.checksumInside,
      'the header of a frame is not in the order of the guest',
    ),
    obeyed(
      'NETL-BOTH-003',
      F.CTRL_RX,
      (command) =>
        isTable(command) &&
        command.word(0) <= TABLE_SURE &&
        command.argumentBytes === 8 + 6 * (command.word(0) + command.word(4 + 6 * command.word(0))),
      'a table of addresses in the order of the guest is refused',
    ),
    obeyed(
      'NETL-BOTH-004',
      F.CTRL_VLAN,
      (command) =>
        command.is(CLASS.VLAN) &&
        command.command <= 1 &&
        command.argumentBytes === 2 &&
        command.half(0) < VLANS,
      'a VLAN in the order of the guest is refused',
    ),
    obeyed(
      'NETL-BOTH-005',
      F.MQ,
      (command, view) =>
        command.is(CLASS.MQ, 0) &&
        command.argumentBytes === 2 &&
        command.half(0) >= 1 &&
        command.half(0) <= view.maxPairs,
      'a number of pairs in the order of the guest is refused',
    ),
    obeyed(
      'NETL-BOTH-006',
      F.CTRL_GUEST_OFFLOADS,
      (command, view) => {
        if (!command.is(CLASS.OFFLOADS, 0) || command.argumentBytes !== 8) return false;
        const high = command.little ? command.word(4) : command.word(0);
        const low = command.little ? command.word(0) : command.word(4);
        const taken = [F.GUEST_CSUM, F.GUEST_TSO4, F.GUEST_TSO6, F.GUEST_ECN, F.GUEST_UFO].filter((feature) =>
          view.has(feature),
        );
        return (
          high === OFFLOADS_HIGH &&
          taken.length > 0 &&
          (low & ~taken.reduce((set, bit) => set | (1 << bit), 0)) === 0
        );
      },
      'offloads in the order of the guest are refused',
    ),
    rule('NETL-DRV-002', 'driver', (clause, view) => {
      const alone = (chain: Chain): void => {
        if (isLegacy(view) && !view.has(F.ANY_LAYOUT))
          clause.holds(
            chain.length(0) === view.headerBytes,
            'the header of a frame has no descriptor of its own',
          );
      };
      return {
        onOffer: alone,
        onPosted(_queue, chain) {
          if (!view.has(F.MRG_RXBUF)) alone(chain);
        },
      };
    }),
    laidOut(
      'NETL-DRV-003',
      any,
      (chain) =>
        chain.length(0) === 2 && chain.writable(chain.count - 1) && chain.length(chain.count - 1) === 1,
      'class and command, or the acknowledgement, have no descriptor of their own',
    ),
    laidOut(
      'NETL-DRV-004',
      isTable,
      (chain, command) => chain.length(1) === 4 + 6 * command.word(0),
      'the table of unicast addresses has no descriptor of its own',
    ),
    laidOut(
      'NETL-DRV-005',
      isTable,
      (chain, command) => chain.length(2) === 4 + 6 * command.word(4 + 6 * command.word(0)),
      'the table of multicast addresses has no descriptor of its own',
    ),
  ],
  undecided: [
    ...['NETL-DEV-001', 'NETL-DEV-002'].map((id) => ({ id, why: 'a permission: nothing breaks it' })),
    {
      id: 'NETL-DRV-001',
      why: 'what a driver makes of the length of a used transmit or control buffer shows in no event',
    },
    ...without('NETFF-DEV', 22, NO_ADMIN_QUEUE),
    ...without('NETFF-DRV', 13, NO_ADMIN_QUEUE),
    ...without('NETSEC-DRV', 8, NO_ADMIN_QUEUE),
    ...without('NETSEC-DEV', 10, NO_ADMIN_QUEUE),
  ],
};
