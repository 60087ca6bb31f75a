import type { EventQueue, HandlerId } from '../core/event-queue.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import type { Duration } from '../core/time.ts';
import { hasFeature } from '../virtio/features.ts';
import * as abi from './net-abi.ts';

const ETHERNET_BYTES = 14;
const TCP_BYTES = 20;
const PROTOCOL_TCP = 6;
const TCP_SYN = 0x02;
/** FIN, RST, URG, ECE, CWR as QEMU names them; its mask leaves six bits. */
const TCP_CONTROL = 0x01 | 0x04 | 0x20;
const TCP_PAYLOAD_MAX = 65535;

/** What differs between the two protocols. */
interface Family {
  readonly ethertype: number;
  readonly ipBytes: number;
  /** Where addresses begin and how long they are. */
  readonly addresses: number;
  readonly addressBytes: number;
  readonly length: number;
  readonly payloadMax: number;
  readonly gso: number;
}

const IP4: Family = {
  ethertype: 0x0800,
  ipBytes: 20,
  addresses: 12,
  addressBytes: 8,
  length: 2,
  payloadMax: TCP_PAYLOAD_MAX - 20,
  gso: abi.VIRTIO_NET_HDR_GSO_TCPV4,
};
const IP6: Family = {
  ethertype: 0x86dd,
  ipBytes: 40,
  addresses: 8,
  addressBytes: 32,
  length: 4,
  payloadMax: TCP_PAYLOAD_MAX,
  gso: abi.VIRTIO_NET_HDR_GSO_TCPV6,
};
const FAMILIES: readonly Family[] = [IP4, IP6];

/** A segment that waits for its successor. */
interface Held {
  frame: Uint8Array;
  headerBytes: number;
  pair: number;
  packets: number;
  coalesced: boolean;
  payload: number;
}

type Fate = 'coalesced' | 'final' | 'other flow';

/**
 * Receive segment coalescing (VIRTIO_NET_F_RSC_EXT; QEMU hw/net/virtio-net.c, virtio_net_rsc_*): segments of one
 * connection that follow each other become one frame. QEMU leaves the IPv4 header's checksum as the first segment had it,
 * and forgets frames that find no buffers when they are let go; so does this.
 */
export class NetCoalescer implements Stateful {
  readonly #events: EventQueue;
  readonly #interval: Duration;
  readonly #deliver: (frame: Uint8Array, pair: number) => boolean;
  readonly #drain: HandlerId;
  /** gso_size and hdr_len are left as they are (see `coalescesWithoutLengths`). */
  readonly #bare: boolean;
  readonly #on: [ip4: boolean, ip6: boolean] = [false, false];
  readonly #held: readonly [ip4: Held[], ip6: Held[]] = [[], []];

  /** `deliver` hands a frame to the driver; false: there are no buffers. */
  constructor(
    events: EventQueue,
    interval: Duration,
    deliver: (frame: Uint8Array, pair: number) => boolean,
    bare = true,
  ) {
    this.#events = events;
    this.#bare = bare;
    this.#interval = interval;
    this.#deliver = deliver;
    this.#drain = events.register((family) => this.#purge(family));
  }

  get enabled(): boolean {
    return this.#on[0] || this.#on[1];
  }

  /** Takes RSC_EXT, GUEST_TSO4 and GUEST_TSO6 out of a set. */
  setFeatures(features: bigint): void {
    const extended = hasFeature(features, abi.VIRTIO_NET_F_RSC_EXT);
    this.#on[0] = extended && hasFeature(features, abi.VIRTIO_NET_F_GUEST_TSO4);
    this.#on[1] = extended && hasFeature(features, abi.VIRTIO_NET_F_GUEST_TSO6);
  }

  /** virtio_net_rsc_receive: takes a frame behind its header of `headerBytes`; false: to be tried again. */
  receive(frame: Uint8Array, headerBytes: number, pair: number): boolean {
    const ethertype = short(frame, headerBytes + 12);
    const at = FAMILIES.findIndex((row) => row.ethertype === ethertype);
    const family = FAMILIES[at];
    if (family === undefined || this.#on[at] !== true) return this.#deliver(frame, pair);
    if (!this.#bare && frame[abi.VIRTIO_NET_HDR_GSO_TYPE] !== abi.VIRTIO_NET_HDR_GSO_NONE) {
      count(frame, 1);
      return this.#deliver(frame, pair);
    }
    const ip = headerBytes + ETHERNET_BYTES;
    const tcp = ip + family.ipBytes;
    if (frame.length < tcp + TCP_BYTES || !isCandidate(frame, ip, family)) return this.#deliver(frame, pair);
    const flags = (frame[tcp + 13] ?? 0) & 0x3f;
    if ((flags & TCP_SYN) !== 0) return this.#deliver(frame, pair);
    const options = (frame[tcp + 12] ?? 0) >> 4 > TCP_BYTES / 4;
    if ((flags & TCP_CONTROL) !== 0 || options) {
      this.#letFlowGo(frame, ip, family, at);
      return this.#deliver(frame, pair);
    }
    return this.#join(frame, headerBytes, pair, family, at);
  }

  /** Drops what waits. */
  forget(): void {
    for (const [at, held] of this.#held.entries()) {
      held.length = 0;
      this.#events.cancel(this.#drain, at);
    }
  }

  exchange(state: StateStream): void {
    for (const at of [0, 1] as const) {
      this.#on[at] = state.bool(this.#on[at]);
      const held = this.#held[at];
      const length = state.u32(held.length);
      held.length = Math.min(held.length, length);
      for (let i = 0; i < length; i++) held[i] = exchangeHeld(held[i], state);
    }
  }

  #join(frame: Uint8Array, headerBytes: number, pair: number, family: Family, at: number): boolean {
    const held = this.#held[at] as Held[];
    const ip = headerBytes + ETHERNET_BYTES;
    if (held.length === 0) {
      this.#events.cancel(this.#drain, at);
      this.#events.schedule(this.#interval, this.#drain, at);
    }
    for (const segment of held.slice()) {
      const fate = coalesce(segment, frame, ip, family);
      if (fate === 'other flow') continue;
      if (fate === 'final') return this.#release(segment, family, at) && this.#deliver(frame, pair);
      segment.coalesced = true;
      return true;
    }
    const payload = payloadOf(frame, ip, family);
    held.push({ frame: frame.slice(), headerBytes, pair, packets: 1, coalesced: false, payload });
    return true;
  }

  /** What goes before a segment that must not wait. */
  #letFlowGo(frame: Uint8Array, ip: number, family: Family, at: number): void {
    for (const segment of this.#held[at] ?? []) {
      const other = segment.headerBytes + ETHERNET_BYTES;
      if (!sameFlow(segment.frame, other, frame, ip, family)) continue;
      this.#release(segment, family, at);
      return;
    }
  }

  #release(segment: Held, family: Family, at: number): boolean {
    const { frame } = segment;
    frame[abi.VIRTIO_NET_HDR_FLAGS] = 0;
    frame[abi.VIRTIO_NET_HDR_GSO_TYPE] = abi.VIRTIO_NET_HDR_GSO_NONE;
    if (segment.coalesced) {
      count(frame, segment.packets);
      frame[abi.VIRTIO_NET_HDR_GSO_TYPE] = family.gso;
      if (!this.#bare) this.#tellLengths(segment, family);
    }
    const held = this.#held[at] as Held[];
    held.splice(held.indexOf(segment), 1);
    return this.#deliver(frame, segment.pair);
  }

  /** Headers, and as much payload in each segment as they had on average. */
  #tellLengths({ frame, headerBytes, payload, packets }: Held, family: Family): void {
    const tcp = ETHERNET_BYTES + family.ipBytes;
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    const headers = tcp + 4 * ((frame[headerBytes + tcp + 12] ?? 0) >> 4);
    view.setUint16(abi.VIRTIO_NET_HDR_HDR_LEN, headers, true);
    view.setUint16(abi.VIRTIO_NET_HDR_GSO_SIZE, Math.max(1, Math.ceil(payload / packets)), true);
  }

  #purge(at: number): void {
    const family = FAMILIES[at] as Family;
    for (const segment of (this.#held[at] ?? []).slice()) this.#release(segment, family, at);
  }
}

/** Says how many segments a frame was made of, none of them a duplicate acknowledgement. */
function count(frame: Uint8Array, segments: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  view.setUint16(abi.VIRTIO_NET_HDR_CSUM_START, segments, true);
  view.setUint16(abi.VIRTIO_NET_HDR_CSUM_OFFSET, 0, true);
  frame[abi.VIRTIO_NET_HDR_FLAGS] = abi.VIRTIO_NET_HDR_F_RSC_INFO;
}

function exchangeHeld(held: Held | undefined, state: StateStream): Held {
  return {
    frame: state.blob(held?.frame ?? new Uint8Array(0)),
    headerBytes: state.u8(held?.headerBytes ?? 0),
    pair: state.u16(held?.pair ?? 0),
    packets: state.u16(held?.packets ?? 0),
    coalesced: state.bool(held?.coalesced ?? false),
    payload: state.u16(held?.payload ?? 0),
  };
}

/** virtio_net_rsc_sanity_check4 and 6: TCP without options, fragments or congestion marks, all there. */
function isCandidate(frame: Uint8Array, ip: number, family: Family): boolean {
  const length = short(frame, ip + family.length);
  const room = frame.length - ip;
  if (family === IP6) {
    const plain = (frame[ip] ?? 0) >> 4 === 6 && frame[ip + 6] === PROTOCOL_TCP;
    // Two bits of the byte behind the version are congestion marks, where QEMU looks for them.
    const marked = ((frame[ip + 1] ?? 0) & 0xc0) !== 0;
    return plain && length >= TCP_BYTES && length <= room - family.ipBytes && !marked;
  }
  if (frame[ip] !== 0x45 || frame[ip + 9] !== PROTOCOL_TCP) return false;
  const mayBeCut = ((frame[ip + 6] ?? 0) & 0x40) === 0;
  if (mayBeCut || ((frame[ip + 1] ?? 0) & 3) !== 0) return false;
  return length >= family.ipBytes + TCP_BYTES && length <= room;
}

/** Payload bytes, in 16 bits as QEMU counts them. */
function payloadOf(frame: Uint8Array, ip: number, family: Family): number {
  const tcpBytes = 4 * ((frame[ip + family.ipBytes + 12] ?? 0) >> 4);
  const before = family === IP4 ? family.ipBytes : 0;
  return (short(frame, ip + family.length) - before - tcpBytes) & 0xffff;
}

function sameFlow(a: Uint8Array, ipA: number, b: Uint8Array, ipB: number, family: Family): boolean {
  for (let i = 0; i < family.addressBytes; i++) {
    if (a[ipA + family.addresses + i] !== b[ipB + family.addresses + i]) return false;
  }
  for (let i = 0; i < 4; i++) {
    if (a[ipA + family.ipBytes + i] !== b[ipB + family.ipBytes + i]) return false;
  }
  return true;
}

/** virtio_net_rsc_coalesce_data: puts a segment behind the one that waits, if it belongs there. */
function coalesce(held: Held, frame: Uint8Array, ip: number, family: Family): Fate {
  const oldIp = held.headerBytes + ETHERNET_BYTES;
  if (!sameFlow(held.frame, oldIp, frame, ip, family)) return 'other flow';
  const tcp = ip + family.ipBytes;
  const oldTcp = oldIp + family.ipBytes;
  const distance = (word(frame, tcp + 4) - word(held.frame, oldTcp + 4)) >>> 0;
  const payload = payloadOf(frame, ip, family);
  if (distance > TCP_PAYLOAD_MAX) return 'final';
  if (distance === 0 && !(held.payload === 0 && payload !== 0))
    return updateWindow(held.frame, oldTcp, frame, tcp);
  if (distance !== 0 && distance !== held.payload) return 'final';
  const length = short(held.frame, oldIp + family.length) + payload;
  if (length > family.payloadMax) return 'final';
  held.payload = (held.payload + payload) & 0xffff;
  const dataAt = tcp + 4 * ((frame[tcp + 12] ?? 0) >> 4);
  const whole = new Uint8Array(held.frame.length + payload);
  whole.set(held.frame);
  whole.set(frame.subarray(dataAt, dataAt + payload), held.frame.length);
  const view = new DataView(whole.buffer);
  view.setUint16(oldIp + family.length, length & 0xffff);
  // Acknowledgement, offset and flags, window: as the last segment has them.
  whole.set(frame.subarray(tcp + 8, tcp + 16), oldTcp + 8);
  held.frame = whole;
  held.packets++;
  return 'coalesced';
}

/** virtio_net_rsc_handle_ack: of acknowledgements only a window update joins. */
function updateWindow(old: Uint8Array, oldTcp: number, frame: Uint8Array, tcp: number): Fate {
  if (word(frame, tcp + 8) !== word(old, oldTcp + 8)) return 'final';
  if (short(frame, tcp + 14) === short(old, oldTcp + 14)) return 'final';
  old.set(frame.subarray(tcp + 14, tcp + 16), oldTcp + 14);
  return 'coalesced';
}

function short(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function word(bytes: Uint8Array, at: number): number {
  return ((short(bytes, at) << 16) | short(bytes, at + 2)) >>> 0;
}
