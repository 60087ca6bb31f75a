import type { ClauseProofs } from '../_laws.ts';
import { le16, le32 } from '../_stream.ts';
import { hash, rss } from './_net-control.ts';
import { CONFIG, frame, proof, type NetScene, type Play, type SceneOptions } from './_net-scene.ts';

const VQ = 17;
const HASH = [VQ, 57];
const TUNNELS = [VQ, 57, 51];
const COAL = [VQ, 53, 52, 40];
const STATS = [VQ, 50];
const MANY: SceneOptions = { queues: 8, reads: 28 };
const WIDE: SceneOptions = { reads: 28 };
const TCP = frame();
/** The proofs' key; the hash of TCP under it is worked out below, bit by bit of the published algorithm. */
const KEY = Array.from({ length: 40 }, (_, i) => (i * 37 + 11) & 0xff);

function toeplitz(input: readonly number[]): number {
  const bits = (bytes: readonly number[]): string =>
    bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const key = bits(KEY);
  let value = 0;
  const set = bits(input);
  for (let i = 0; i < set.length; i++) {
    if (set[i] === '1') value ^= Number.parseInt(key.slice(i, i + 32), 2);
  }
  return value >>> 0;
}

const RIGHT = toeplitz([...TCP.slice(26, 34), ...TCP.slice(34, 38)]);

function answers(
  offers: readonly number[],
  kind: number,
  command: number,
  argument: readonly number[],
  good: 0 | 1,
  options: SceneOptions = WIDE,
): ClauseProofs[string] {
  return proof(
    offers,
    (net) => net.command(kind, command, argument, 1 - good),
    (net) => net.command(kind, command, argument, good),
    options,
  );
}

function asks(
  offers: readonly number[],
  bad: readonly [number, number, readonly number[]],
  good: readonly [number, number, readonly number[]],
  options: SceneOptions = WIDE,
): ClauseProofs[string] {
  return proof(
    offers,
    (net) => net.ask(...bad),
    (net) => net.ask(...good),
    options,
  );
}

function needs(
  without: readonly number[],
  feature: number,
  kind: number,
  command: number,
  argument: readonly number[],
): ClauseProofs[string] {
  const play: Play = (net) => net.ask(kind, command, argument);
  const { breach } = proof(without, play, play, WIDE);
  const { clean = breach } = proof([...without, feature], play, play, WIDE);
  return { breach, clean };
}

const hashed =
  (value: number): Play =>
  (net) =>
    net.command(4, 2, hash()).receive({ hash: value, report: 2 }, TCP);

const setQueue = (queue: number, packets: number, reserved = 0): number[] => [
  ...le16(queue),
  ...le16(reserved),
  ...le32(packets),
  ...le32(9),
];
const getQueue = (queue: number): number[] => [...le16(queue), 0, 0];
const values = (packets: number, usecs = 9): number[] => [...le32(packets), ...le32(usecs)];
const both = (packets: number): number[] => [...le32(packets), ...le32(9)];

/** One queue goes and comes back. */
function again(net: NetScene, queue: number): void {
  net.s.write('common', 0x16, 2, queue);
  net.s.write('common', 0x3a, 2, 1);
  net.s.enableQueue(queue);
}

/** After a queue came back, its values are told. */
function enabledAnew(queue: number, set: number): ClauseProofs[string] {
  const play =
    (packets: number): Play =>
    (net) => {
      net.command(6, set, both(5));
      again(net, queue);
      net.command(6, 3, getQueue(queue), 0, values(packets));
    };
  return proof(COAL, play(6), play(5));
}

const want = (queue: number, types: number): number[] => [
  ...le16(queue),
  0,
  0,
  0,
  0,
  0,
  0,
  ...le32(types),
  0,
  0,
  0,
  0,
];
const reply = (type: number, queue: number, size: number, bytes = size): number[] => [
  type,
  0,
  ...le16(queue),
  0,
  0,
  ...le16(size),
  ...Array.from({ length: bytes - 8 }, () => 1),
];
const QUERY = [1, 0, 1, 0, 0, 0, 0, 0];

function told(bad: readonly number[], good: readonly number[]): ClauseProofs[string] {
  const play =
    (result: readonly number[]): Play =>
    (net) =>
      net.command(8, 1, want(0, 1), 0, result);
  return proof(STATS, play(bad), play(good));
}

/** Asked for with room for so many bytes of replies. */
const get =
  (argument: readonly number[], room = 64): Play =>
  (net) => {
    net.s.publish(net.control, [[8, 1], [...argument], 1 + room]);
  };

export const NET_EXTRA_PROOFS: ClauseProofs = {
  'NETHASH-DEV-001': answers(HASH, 4, 2, hash(), 0),
  'NETHASH-DEV-002': answers([...HASH, 22, 60], 4, 1, rss(), 0, MANY),
  'NETHASH-DEV-003': answers(HASH, 4, 2, hash(), 0),
  'NETHASH-DEV-004': proof(HASH, hashed(RIGHT ^ 1), hashed(RIGHT)),
  'NETHASH-DEV-005': answers(TUNNELS, 7, 0, le32(0x400), 1),
  'NETHASH-DEV-006': proof(
    TUNNELS,
    (net) => {
      net.command(7, 0, le32(1)).command(7, 0, le32(0));
      hashed(RIGHT ^ 1)(net);
    },
    (net) => {
      net.command(7, 0, le32(1)).command(7, 0, le32(0));
      hashed(RIGHT)(net);
    },
  ),
  'NETHASH-DRV-001': needs(HASH, 51, 7, 0, le32(1)),
  'NETHASH-DRV-002': asks(TUNNELS, [7, 0, le32(0x200)], [7, 0, le32(1)], {
    reads: 28,
    config: CONFIG.with(25, 1),
  }),
  'NETHASH-DRV-003': asks(TUNNELS, [7, 0, le32(0x800)], [7, 0, le32(1)]),
  'NETCOAL-DRV-001': asks(COAL, [6, 2, setQueue(5, 1)], [6, 2, setQueue(1, 1)]),
  'NETCOAL-DRV-002': needs([VQ], 53, 6, 0, both(1)),
  'NETCOAL-DRV-003': needs([VQ, 53], 52, 6, 2, setQueue(0, 1)),
  'NETCOAL-DEV-001': answers(COAL, 6, 2, setQueue(0, 1, 7), 0),
  'NETCOAL-DEV-002': answers([VQ], 6, 0, both(1), 1),
  'NETCOAL-DEV-003': proof(
    COAL,
    (net) => net.command(6, 2, setQueue(0, 4)).command(6, 3, getQueue(0), 0, values(3)),
    (net) => net.command(6, 2, setQueue(0, 4)).command(6, 3, getQueue(0), 0, values(4)),
  ),
  'NETCOAL-DEV-004': answers(COAL, 6, 2, setQueue(2, 4), 1),
  'NETCOAL-DEV-005': enabledAnew(1, 0),
  'NETCOAL-DEV-006': enabledAnew(0, 1),
  'NETCOAL-DEV-008': proof(
    COAL,
    (net) => {
      net.s.store16(net.s.ring(0).driver, 1);
      net.receive({}, TCP);
      net.s.message(1);
    },
    (net) => {
      net.s.store16(net.s.ring(0).driver, 1);
      net.receive({}, TCP);
    },
    { msix: true },
  ),
  'NETCOAL-DEV-009': proof(
    COAL,
    (net) => {
      net.command(6, 2, setQueue(0, 4)).up(24);
      net.command(6, 3, getQueue(0), 0, values(4));
    },
    (net) => {
      net.command(6, 2, setQueue(0, 4)).up(24);
      net.command(6, 3, getQueue(0), 0, values(0, 0));
    },
  ),
  'NETSTAT-DEV-001': proof(
    STATS,
    (net) => net.command(8, 0, [], 1, QUERY.slice(0, 4).concat([0, 0, 0, 0])),
    (net) => net.command(8, 0, [], 0, QUERY),
  ),
  'NETSTAT-DEV-002': proof(
    STATS,
    (net) => net.command(8, 1, want(9, 1), 0, reply(0, 9, 48)),
    (net) => net.command(8, 1, want(9, 1), 1),
  ),
  'NETSTAT-DEV-003': proof(
    STATS,
    (net) => net.command(8, 1, [...want(0, 1), ...want(9, 1)], 0, reply(0, 0, 48)),
    (net) => net.command(8, 1, [...want(0, 1), ...want(9, 1)], 1),
  ),
  'NETSTAT-DEV-004': told(reply(0, 0, 40, 48), reply(0, 0, 48)),
  'NETSTAT-DEV-005': told(reply(0, 1, 48), reply(0, 0, 48)),
  'NETSTAT-DEV-006': told(reply(0, 0, 48, 56), reply(0, 0, 48)),
  'NETSTAT-DRV-001': proof(
    STATS,
    (net) => get(want(0, 2))(net.command(8, 0, [], 0, QUERY)),
    (net) => get(want(0, 1))(net.command(8, 0, [], 0, QUERY)),
  ),
  'NETSTAT-DRV-002': proof(STATS, get(want(1, 1)), get(want(0, 1))),
  'NETSTAT-DRV-003': proof(STATS, get(want(0, 3), 15), get(want(0, 3), 16)),
};
