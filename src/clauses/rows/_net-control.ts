import type { ClauseProofs } from '../_laws.ts';
import { le16, le32 } from '../_stream.ts';
import {
  ALL,
  CONFIG,
  frame,
  GROUP,
  OTHER,
  OWN,
  proof,
  type NetScene,
  type Play,
  type SceneOptions,
} from './_net-scene.ts';

const [VQ, RX, VLAN, EXTRA, ANNOUNCE, MQ, MAC_SET] = [17, 18, 19, 20, 21, 22, 23];
const FILTERS = [VQ, RX, EXTRA, 5];
const TO_ALL = frame({ to: ALL });
const TO_GROUP = frame({ to: GROUP });
const TO_OTHER = frame({ to: OTHER });
const TO_OWN = frame({ to: OWN });
const KEY = Array.from({ length: 40 }, (_, i) => (i * 37 + 11) & 0xff);
const MANY: SceneOptions = { queues: 8 };

/** Modes as [mode, on] pairs, each acknowledged. */
function modes(net: NetScene, ...set: readonly (readonly [number, 0 | 1])[]): void {
  for (const [mode, on] of set) net.command(0, mode, [on]);
}

/** Under modes, a frame comes in; the clause wants it delivered, or withheld. */
function filtered(
  set: readonly (readonly [number, 0 | 1])[],
  bytes: readonly number[],
  wanted: boolean,
  offers: readonly number[] = FILTERS,
): ClauseProofs[string] {
  const play =
    (delivered: boolean): Play =>
    (net) => {
      modes(net, ...set);
      net.wire(bytes, delivered);
    };
  return proof(offers, play(!wanted), play(wanted));
}

const table = (...macs: readonly (readonly number[])[]): number[] => [
  ...le32(macs.length),
  ...macs.flat(),
  0,
  0,
  0,
  0,
];

function answered(
  offers: readonly number[],
  kind: number,
  command: number,
  argument: readonly number[],
  options: SceneOptions = {},
): ClauseProofs[string] {
  return proof(
    offers,
    (net) => net.command(kind, command, argument, 1),
    (net) => net.command(kind, command, argument, 0),
    options,
  );
}

/** A command that must not be asked for, and one that may. */
function asked(
  offers: readonly number[],
  bad: readonly [number, number, readonly number[]],
  good: readonly [number, number, readonly number[]],
  options: SceneOptions = {},
): ClauseProofs[string] {
  return proof(
    offers,
    (net) => net.ask(...bad),
    (net) => net.ask(...good),
    options,
  );
}

/** The same command without and with a feature. */
function needs(
  without: readonly number[],
  feature: number,
  kind: number,
  command: number,
  argument: readonly number[] = [],
): ClauseProofs[string] {
  const play: Play = (net) => net.ask(kind, command, argument);
  const bad = proof(without, play, play);
  const good = proof([...without, feature], play, play);
  return { breach: bad.breach, ...(good.clean === undefined ? {} : { clean: good.clean }) };
}

interface Rss {
  readonly types?: number;
  readonly table?: readonly number[];
  readonly pairs?: number;
  readonly other?: number;
}

export function rss({ types = 2, table: entries = [0, 1], pairs = 4, other = 3 }: Rss = {}): number[] {
  return [
    ...le32(types),
    ...le16(entries.length - 1),
    ...le16(other),
    ...entries.flatMap((entry) => le16(entry)),
    ...le16(pairs),
    40,
    ...KEY,
  ];
}

export const hash = (types = 2, reserved = 0): number[] => [
  ...le32(types),
  ...le16(reserved),
  0,
  0,
  0,
  0,
  0,
  0,
  40,
  ...KEY,
];

const STEERED = [VQ, MQ, 60];
const NO_FLOW = frame().with(12, 0x88).with(13, 0xb5);

const afterReset = (net: NetScene, set: () => void): void => {
  set();
  net.up(24);
};

/** One receive queue is taken away. */
function takeAway(net: NetScene, queue: number): void {
  net.s.write('common', 0x16, 2, queue);
  net.s.write('common', 0x3a, 2, 1);
}

export const NET_CONTROL_PROOFS: ClauseProofs = {
  'NETCTRL-DEV-001': answered(FILTERS, 0, 1, [1]),
  'NETCTRL-DEV-002': filtered([[0, 1]], TO_OTHER, true),
  'NETCTRL-DEV-003': filtered(
    [
      [0, 1],
      [4, 1],
    ],
    TO_OTHER,
    true,
  ),
  'NETCTRL-DEV-004': filtered(
    [
      [0, 0],
      [1, 1],
    ],
    TO_GROUP,
    true,
  ),
  'NETCTRL-DEV-005': answered(FILTERS, 0, 5, [1]),
  'NETCTRL-DEV-006': filtered(
    [
      [0, 0],
      [2, 1],
    ],
    TO_OTHER,
    true,
  ),
  'NETCTRL-DEV-007': filtered(
    [
      [0, 0],
      [3, 1],
    ],
    TO_GROUP,
    false,
  ),
  'NETCTRL-DEV-008': filtered(
    [
      [0, 0],
      [1, 1],
      [3, 1],
    ],
    TO_GROUP,
    false,
  ),
  'NETCTRL-DEV-009': filtered(
    [
      [0, 0],
      [3, 1],
    ],
    TO_ALL,
    true,
  ),
  'NETCTRL-DEV-010': filtered(
    [
      [0, 0],
      [4, 1],
    ],
    TO_OWN,
    false,
  ),
  'NETCTRL-DEV-011': filtered(
    [
      [0, 0],
      [2, 1],
      [4, 1],
    ],
    TO_OTHER,
    false,
  ),
  'NETCTRL-DEV-012': filtered(
    [
      [0, 0],
      [5, 1],
    ],
    TO_ALL,
    false,
  ),
  'NETCTRL-DEV-013': filtered(
    [
      [0, 0],
      [1, 1],
      [5, 1],
    ],
    TO_ALL,
    false,
  ),
  'NETCTRL-DRV-001': needs([VQ], RX, 0, 0, [1]),
  'NETCTRL-DRV-002': needs([VQ, RX], EXTRA, 0, 4, [1]),
  'NETCTRL-DEV-014': proof(
    FILTERS,
    (net) => {
      afterReset(net, () => net.command(1, 0, table(OTHER)));
      modes(net, [0, 0]);
      net.wire(TO_OTHER, true);
    },
    (net) => {
      afterReset(net, () => net.command(1, 0, table(OTHER)));
      modes(net, [0, 0]);
      net.wire(TO_OTHER, false);
    },
  ),
  'NETCTRL-DEV-015': proof(
    FILTERS,
    (net) => {
      modes(net, [0, 0]);
      net.command(1, 0, table(OTHER)).wire(TO_OTHER, false);
    },
    (net) => {
      modes(net, [0, 0]);
      net.command(1, 0, table(OTHER)).wire(TO_OTHER, true);
    },
  ),
  'NETCTRL-DEV-016': proof(
    [VQ, RX, 5, MAC_SET],
    (net) => net.command(1, 1, OTHER).s.readConfig(0, 4),
    (net) => net.command(1, 1, OWN).s.readConfig(0, 4),
  ),
  'NETCTRL-DEV-017': filtered([[0, 0]], TO_OTHER, false),
  'NETCTRL-DRV-003': needs([VQ], RX, 1, 0, table()),
  'NETCTRL-DRV-004': proof(
    [VQ, RX, 5, MAC_SET],
    (net) => net.send({}, frame({ from: OTHER })),
    (net) => net.command(1, 1, OTHER).send({}, frame({ from: OTHER })),
  ),
  'NETCTRL-DRV-005': asked(FILTERS, [1, 0, table(OTHER).slice(0, 12)], [1, 0, table(OTHER)]),
  'NETCTRL-DEV-018': filtered([[0, 0]], frame({ to: OWN, vlan: 7 }), true),
  'NETCTRL-DEV-019': proof(
    [...FILTERS, VLAN],
    (net) => {
      modes(net, [0, 0]);
      net.command(2, 0, [7, 0]).wire(frame({ to: OWN, vlan: 7 }), false);
    },
    (net) => {
      modes(net, [0, 0]);
      net.command(2, 0, [7, 0]).wire(frame({ to: OWN, vlan: 7 }), true);
    },
  ),
  'NETCTRL-DEV-020': filtered([[0, 0]], frame({ to: OWN, vlan: 7 }), false, [...FILTERS, VLAN]),
  'NETCTRL-DRV-007': proof(
    [VQ, 16, ANNOUNCE],
    (net) => {
      net.s.readConfig(6, 2, 3);
      net.ask(3, 0);
    },
    (net) => {
      net.s.readConfig(6, 2, 3);
      net.send({}, TO_ALL).ask(3, 0);
    },
  ),
  'NETCTRL-DRV-008': proof(
    [VQ, 16, ANNOUNCE],
    (net) => net.s.readConfig(6, 2, 3).readConfig(6, 2, 3),
    (net) => {
      net.s.readConfig(6, 2, 3);
      net.ask(3, 0);
    },
  ),
  'NETCTRL-DEV-021': proof(
    [VQ, 16, ANNOUNCE],
    (net) => silently(net, () => net.s.readConfig(6, 2, 3)),
    (net) => silently(net, () => net.s.readConfig(6, 2, 1)),
  ),
  'NETCTRL-DEV-024': flows(),
  'NETCTRL-DEV-025': flows(),
  'NETCTRL-DRV-012': asked([VQ, MQ], [4, 0, [3, 0]], [4, 0, [2, 0]], { queues: 4 }),
  'NETCTRL-DRV-013': asked([VQ, MQ], [4, 0, [0, 0]], [4, 0, [4, 0]], MANY),
  'NETCTRL-DRV-014': proof(
    [VQ, MQ],
    (net) => net.send({}, frame(), 3),
    (net) => net.send({}, frame(), 1),
    MANY,
  ),
  'NETCTRL-DRV-015': proof(
    [VQ, MQ],
    (net) => net.command(4, 0, [2, 0]).send({}, frame(), 5),
    (net) => net.command(4, 0, [2, 0]).send({}, frame(), 3),
    MANY,
  ),
  'NETCTRL-DEV-027': proof(
    [VQ, MQ],
    (net) => net.receive({}, frame(), 2),
    (net) => net.receive({}, frame(), 0),
    MANY,
  ),
  'NETCTRL-DEV-028': proof(
    [VQ, MQ],
    (net) => net.command(4, 0, [2, 0]).receive({}, frame(), 4),
    (net) => net.command(4, 0, [2, 0]).receive({}, frame(), 2),
    MANY,
  ),
  'NETCTRL-DEV-029': proof(
    [VQ, MQ, 5, 40],
    (net) => oneAway(net, false),
    (net) => oneAway(net, true),
    MANY,
  ),
  'NETCTRL-DEV-030': proof(
    [5, 40],
    (net) => {
      allAway(net);
      net.receive({}, TO_OWN);
    },
    allAway,
  ),
  'NETCTRL-DEV-031': answered([VQ, 57], 4, 2, hash()),
  'NETCTRL-DRV-016': asked([VQ, 57], [4, 2, hash(2, 1)], [4, 2, hash()]),
  'NETCTRL-DRV-017': needs([VQ, MQ], 60, 4, 1, rss()),
  'NETCTRL-DRV-018': asked(STEERED, [4, 1, rss({ table: [0, 3] })], [4, 1, rss({ table: [0, 1] })], {
    queues: 4,
  }),
  'NETCTRL-DRV-019': asked(STEERED, [4, 1, rss({ table: [0, 1, 0] })], [4, 1, rss()], MANY),
  'NETCTRL-DRV-020': asked(
    STEERED,
    [4, 1, rss({ table: Array.from({ length: 128 }, () => 0) })],
    [4, 1, rss()],
    { queues: 8, config: CONFIG.with(18, 64) },
  ),
  'NETCTRL-DRV-021': asked([VQ, 57], [4, 2, hash(0x200)], [4, 2, hash(0x1ff)]),
  'NETCTRL-DEV-032': proof(
    STEERED,
    (net) => net.command(4, 1, rss()).receive({}, NO_FLOW, 0),
    (net) => net.command(4, 1, rss()).receive({}, NO_FLOW, 6),
    MANY,
  ),
  'NETCTRL-DEV-033': proof(
    [...STEERED, 40],
    (net) => {
      net.command(4, 1, rss());
      takeAway(net, 6);
      net.receive({}, NO_FLOW, 0);
    },
    (net) => net.command(4, 1, rss()).receive({}, NO_FLOW, 6),
    MANY,
  ),
  'NETCTRL-DEV-034': proof(
    [VQ, 60, 64],
    (net) => net.command(9, 0, [], 0, [0, 0]),
    (net) => net.command(9, 0, [], 0, [4, 0]),
    MANY,
  ),
  'NETCTRL-DEV-035': proof(
    [VQ, 60, 64],
    (net) => {
      afterReset(net, () => net.command(9, 1, [1, 0]));
      net.command(9, 3, [1, 0]);
    },
    (net) => {
      afterReset(net, () => net.command(9, 1, [1, 0]));
      net.command(9, 3, [1, 0], 1);
    },
    MANY,
  ),
  'NETCTRL-DRV-022': needs([VQ, 60], 64, 9, 1, [1, 0]),
  'NETCTRL-DRV-023': proof(
    [VQ, 60, 64],
    (net) => net.command(9, 0, [], 0, [4, 0]).ask(9, 1, [5, 0]),
    (net) => net.command(9, 0, [], 0, [4, 0]).ask(9, 1, [4, 0]),
    MANY,
  ),
  'NETCTRL-DRV-024': proof(
    [VQ, MQ, 60, 64],
    (net) => net.command(9, 1, [1, 0]).ask(4, 0, [2, 0]),
    (net) => net.command(9, 1, [1, 0]).command(9, 3, [1, 0]).ask(4, 0, [2, 0]),
    MANY,
  ),
  'NETCTRL-DRV-025': asked([VQ, 1, 2], [5, 0, [0x82, 0, 0, 0, 0, 0, 0, 0]], [5, 0, [2, 0, 0, 0, 0, 0, 0, 0]]),
};

/** ANNOUNCE_ACK without the interrupt that a request ends in: what the device says next is about the command. */
function silently(net: NetScene, then: () => void): void {
  const { s } = net;
  s.readConfig(6, 2, 3);
  const id = s.publish(net.control, [[3, 0], 1]);
  s.notify(net.control).take(net.control);
  s.use(net.control, id, [0]);
  then();
}

/** A flow sent by the second pair comes back by the first, or the second. */
function flows(): ClauseProofs[string] {
  const play =
    (queue: number): Play =>
    (net) => {
      net.command(4, 0, [2, 0]).send({}, frame(), 3);
      net.receive({}, frame(), queue);
    };
  return proof([VQ, MQ], play(0), play(2), MANY);
}

function oneAway(net: NetScene, delivered: boolean): void {
  net.command(4, 0, [2, 0]);
  const id = net.post(2048, 2);
  takeAway(net, 0);
  net.s.hostInput(1, TO_ALL);
  if (delivered) net.deliver(id, { buffers: 1 }, TO_ALL, 2);
  net.idle();
}

function allAway(net: NetScene): void {
  takeAway(net, 0);
  net.s.hostInput(1, TO_OWN);
  net.s.enableQueue(0);
}
