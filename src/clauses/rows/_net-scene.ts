import { le16, Stream, type StreamOptions } from '../_stream.ts';
import type { ClauseProofs } from '../_laws.ts';

/** Scenes of a network driver and device, for proofs. All numbers are the specification's, written again. */

type Proof = ClauseProofs[string];
export type Play = (net: NetScene) => void;

export interface SceneOptions extends Omit<StreamOptions, 'device' | 'offers'> {
  /** Queues to set up, 3 unless told. */
  readonly queues?: number;
  /** The driver reads this much of its configuration first; 24 unless told. */
  readonly reads?: number;
}

function scene(
  offers: readonly number[],
  play: Play,
  options: SceneOptions = {},
): Exclude<Proof['breach'], (s: Stream) => void> {
  const { reads = 24, ...more } = options;
  return {
    device: 'net',
    queues: 3,
    size: 16,
    config: CONFIG,
    ...more,
    offers,
    play: (stream) => {
      const net = new NetScene(stream);
      net.up(reads);
      play(net);
    },
  };
}

/** A proof of two scenes with the same set-up. */
export function proof(
  offers: readonly number[],
  breach: Play,
  clean: Play,
  options: SceneOptions = {},
): Proof {
  return { breach: scene(offers, breach, options), clean: scene(offers, clean, options) };
}

/** A proof whose set-up is what differs. */
export function proofOf(
  breach: readonly [offers: readonly number[], play: Play, options?: SceneOptions],
  clean: readonly [offers: readonly number[], play: Play, options?: SceneOptions],
): Proof {
  return { breach: scene(...breach), clean: scene(...clean) };
}

export const NOTHING: Play = () => undefined;

export const OWN: readonly number[] = [0x52, 0x54, 0, 1, 2, 3];
export const OTHER: readonly number[] = [0x52, 0x54, 0, 9, 9, 9];
export const GROUP: readonly number[] = [0x01, 0, 0x5e, 1, 1, 1];
export const ALL: readonly number[] = [255, 255, 255, 255, 255, 255];

/** mac, link up, four pairs, mtu 1500, 1000 Mbit/s full, key 40, table 128, all hash types, no tunnels. */
export const CONFIG: readonly number[] = [
  ...OWN,
  1,
  0,
  4,
  0,
  0xdc,
  5,
  0xe8,
  3,
  0,
  0,
  1,
  40,
  128,
  0,
  0xff,
  1,
  0,
  0,
  0xff,
  3,
  0,
  0,
];

export interface Header {
  readonly flags?: number;
  readonly gso?: number;
  readonly hdrLen?: number;
  readonly gsoSize?: number;
  readonly csumStart?: number;
  readonly csumOffset?: number;
  readonly buffers?: number;
  readonly hash?: number;
  readonly report?: number;
  readonly outerTransport?: number;
  readonly innerNetwork?: number;
  readonly outerNetwork?: number;
}

export interface FrameOptions {
  readonly to?: readonly number[];
  readonly from?: readonly number[];
  readonly vlan?: number;
  readonly ip6?: boolean;
  readonly udp?: boolean;
  readonly payload?: number;
  readonly ports?: readonly [number, number];
  /** The transport checksum holds the pseudo-header's sum only. */
  readonly open?: boolean;
  /** Wrong checksums. */
  readonly badSum?: boolean;
  readonly badIp?: boolean;
  /** CWR. */
  readonly marked?: boolean;
  /** A UDP tunnel around a TCP packet of this version; outer checksum as told. */
  readonly tunnel?: 4 | 6;
  readonly outerSum?: 'zero' | 'open' | 'right' | 'bad';
}

/** Offsets in a frame without a tag over IPv4. */
export const AT = {
  network: 14,
  transport: 34,
  tcpSum: 16,
  udpSum: 6,
  inner: 50,
  innerTransport: 70,
  tcpHeader: 54,
  innerHeader: 90,
} as const;

function sum(bytes: readonly number[]): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) total += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

function be(value: number): number[] {
  return [(value >>> 8) & 0xff, value & 0xff];
}

/** A packet from its network header on. */
function packet(options: FrameOptions): number[] {
  const { ip6 = false, udp = false, payload = 40, ports = [1000, 2000] } = options;
  const data = Array.from({ length: payload }, (_, i) => (i * 5 + 1) & 0xff);
  const inside =
    options.tunnel === undefined
      ? data
      : [
          ...vxlan(),
          ...packet({
            ip6: options.tunnel === 6,
            open: true,
            ...(options.marked === true ? { marked: true } : {}),
          }),
        ];
  const isUdp = udp || options.tunnel !== undefined;
  const length = (isUdp ? 8 : 20) + inside.length;
  const addresses = ip6 ? Array.from({ length: 32 }, (_, i) => i + 1) : [10, 0, 0, 1, 10, 0, 0, 2];
  const pseudo = sum([...addresses, 0, isUdp ? 17 : 6, ...be(length)]);
  const head = isUdp
    ? [...be(ports[0]), ...be(ports[1]), ...be(length), 0, 0]
    : [
        ...be(ports[0]),
        ...be(ports[1]),
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        2,
        0x50,
        options.marked === true ? 0x90 : 0x10,
        16,
        0,
        0,
        0,
        0,
        0,
      ];
  const at = isUdp ? 6 : 16;
  const right = ~sum([...be(pseudo), ...head, ...inside]) & 0xffff;
  const kind =
    options.outerSum ?? (options.open === true ? 'open' : options.badSum === true ? 'bad' : 'right');
  const value = { zero: 0, open: pseudo, right, bad: right ^ 0x1111 }[kind];
  const transport = [...head.with(at, value >>> 8).with(at + 1, value & 0xff), ...inside];
  if (ip6) return [0x60, 0, 0, 0, ...be(length), isUdp ? 17 : 6, 64, ...addresses, ...transport];
  const header = [0x45, 0, ...be(20 + length), 0, 1, 0x40, 0, 64, isUdp ? 17 : 6, 0, 0, ...addresses];
  const check = (~sum(header) & 0xffff) ^ (options.badIp === true ? 1 : 0);
  return [...header.with(10, check >>> 8).with(11, check & 0xff), ...transport];
}

/** Eight bytes of a tunnel's own header. */
function vxlan(): number[] {
  return [8, 0, 0, 0, 0, 0, 1, 0];
}

export function frame(options: FrameOptions = {}): number[] {
  const { to = OTHER, from = OWN, ip6 = false } = options;
  const tag = options.vlan === undefined ? [] : [0x81, 0, ...be(options.vlan)];
  return [...to, ...from, ...tag, ...(ip6 ? [0x86, 0xdd] : [8, 0]), ...packet(options)];
}

/** Driver and device of a network device, in deeds that its clauses speak of. */
export class NetScene {
  readonly s: Stream;
  /** The queue for commands. */
  control = 2;

  constructor(stream: Stream) {
    this.s = stream;
  }

  has(feature: number): boolean {
    return this.s.options.accepts.includes(feature);
  }

  get little(): boolean {
    return !this.s.legacy || !this.s.options.bigEndian;
  }

  /** Comes up to DRIVER_OK, with four words of features where they are wanted. */
  up(reads: number): void {
    const { s } = this;
    s.probe().reset().status(1).status(3);
    const wide = s.options.offers.some((bit) => bit > 63);
    const words = s.legacy ? 1 : wide ? 4 : 2;
    for (let word = 0; word < words; word++) s.readFeatures(word);
    for (let word = 0; word < words; word++) s.writeFeatures(word);
    if (!s.legacy) s.status(11).readStatus();
    for (let at = 0; at < reads; at++) s.readConfig(at, 1);
    if (s.options.msix && !s.legacy) {
      s.write('common', 0x10, 2, 0);
      s.read('common', 0x10, 2, 0);
    }
    const many = this.has(22) || this.has(60);
    if (many) this.control = 8;
    for (let queue = 0; queue < s.options.queues; queue++) s.enableQueue(queue);
    if (many && s.options.queues <= 8) s.enableQueue(8);
    s.status(s.legacy ? 7 : 15).readStatus();
  }

  get headerBytes(): number {
    if (this.has(69) || this.has(70)) return 32;
    if (this.has(65) || this.has(67)) return 24;
    if (this.has(57) && !this.s.legacy) return 20;
    return !this.s.legacy || this.has(15) ? 12 : 10;
  }

  header(given: Header): number[] {
    const { little } = this;
    const half = (value = 0): number[] => le16(value, little);
    const { hash = 0 } = given;
    const all = [
      given.flags ?? 0,
      given.gso ?? 0,
      ...half(given.hdrLen),
      ...half(given.gsoSize),
      ...half(given.csumStart),
      ...half(given.csumOffset),
      ...half(given.buffers),
      ...half(hash & 0xffff),
      ...half(hash >>> 16),
      ...half(given.report),
      0,
      0,
      ...half(given.outerTransport),
      ...half(given.innerNetwork),
      ...half(given.outerNetwork),
      0,
      0,
      0,
      0,
      0,
      0,
    ];
    return all.slice(0, this.headerBytes);
  }

  /** Sends a frame; `out` are the frames that leave by the host's end, as the end is told. */
  send(header: Header, bytes: readonly number[], queue = 1, out: readonly (readonly number[])[] = []): this {
    const { s } = this;
    const id = s.publish(queue, [this.header(header), [...bytes]]);
    s.notify(queue).take(queue);
    for (const one of out) s.hostOutput(1, one);
    s.use(queue, id, [], 0);
    return this;
  }

  /** Posts a receive buffer. */
  post(room = 2048, queue = 0): number {
    return this.s.publish(queue, [room]);
  }

  /** Delivers a frame into a buffer of its own. */
  receive(header: Header, bytes: readonly number[], queue = 0): this {
    const id = this.post(2048, queue);
    return this.deliver(id, { buffers: 1, ...header }, bytes, queue);
  }

  /** Delivers into a buffer that was posted. */
  deliver(id: number, header: Header, bytes: readonly number[], queue = 0): this {
    this.s.take(queue);
    this.s.use(queue, id, [...this.header(header), ...bytes]);
    return this;
  }

  /** A command and its answer; -1: no acknowledgement is written. */
  command(
    kind: number,
    command: number,
    argument: readonly number[] = [],
    ack = 0,
    result: readonly number[] = [],
  ): this {
    const room = result.length > 0 ? [1 + result.length] : [1];
    const parts = [[kind, command], ...(argument.length > 0 ? [[...argument]] : []), ...room];
    this.s.request(this.control, parts, ack < 0 ? [] : [ack, ...result]);
    return this;
  }

  /** A command that is made available and not taken. */
  ask(kind: number, command: number, argument: readonly number[] = []): this {
    this.s.publish(this.control, [[kind, command], ...(argument.length > 0 ? [[...argument]] : []), 1]);
    return this;
  }

  /** A frame from the wire, and what the device makes of it. */
  wire(bytes: readonly number[], delivered: boolean, queue = 0): this {
    const id = this.post(2048, queue);
    this.s.hostInput(1, bytes);
    if (delivered) this.deliver(id, { buffers: 1 }, bytes, queue);
    this.s.idle();
    return this;
  }

  idle(): this {
    this.s.idle();
    return this;
  }
}
