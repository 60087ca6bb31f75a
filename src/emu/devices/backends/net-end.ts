import type { EventQueue, HandlerId } from '../../core/event-queue.ts';
import type { Stateful, StateStream } from '../../core/state.ts';
import { ticks } from '../../core/time.ts';
import { VIRTIO_NET_HDR_BYTES } from '../net-abi.ts';
import { throughHostStack } from './host-stack.ts';

/** What a network device sends to. */
export interface NetPeer {
  /** Pairs of queues that the host has for it: `queues=` of a tap, else 1. */
  readonly queues: number;
  /** `vnet_hdr=on` of a tap: frames come and go behind a virtio header in the host's byte order, little-endian. */
  readonly headers: boolean;
  /** A whole frame, behind its header where the end takes one, valid during the call. */
  transmitted(frame: Uint8Array, pair: number): void;
  /** Length of the header from now on: 10, 12 or 20 bytes, of which the host fills the first ten. */
  setHeaderLength(bytes: number): void;
  /** What the driver takes undone: bits of GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, GUEST_ECN, GUEST_UFO. */
  setOffloads(offloads: bigint): void;
  /** Pairs in use. */
  setActive(pairs: number): void;
  /** The device keeps no frames any more. */
  drained(): void;
  /** Frames that are on their way to the device are of no use to it any more. */
  forget?(): void;
}

/** What a host end sends to. */
export interface NetReceiver {
  /** Hands a frame to the device, or keeps it until the driver offers buffers. The bytes are the device's from now on. */
  receive(frame: Uint8Array, pair?: number): void;
  readonly framesKept: number;
  /** `set_link`. */
  setLink(up: boolean): void;
  /** `announce-self`. */
  announce(): void;
}

/** How the end was made. */
export interface NetEndOptions {
  /** Frames come back. */
  readonly loopback: boolean;
  readonly queues: number;
  readonly headers: boolean;
}

/** TUN_NUM_FLOW_ENTRIES: flows of which a tap knows the queue. */
const FLOWS = 1024;

/** A peer that is not there. */
export const NOBODY: NetPeer = {
  queues: 1,
  headers: false,
  transmitted: () => undefined,
  setHeaderLength: () => undefined,
  setOffloads: () => undefined,
  setActive: () => undefined,
  drained: () => undefined,
};

/**
 * The host's end of a network device: shows each frame to whoever listens, and, looped back, returns it to the device
 * once the machine comes to it. With headers it is a Linux tap: it does for the driver what the driver does not take,
 * and a flow comes back by the pair that the driver sent it by.
 */
export class NetEnd implements NetPeer, Stateful {
  /** Sees what the guest sends, as it is handed over; the bytes are valid during the call. */
  listener: ((frame: Uint8Array) => void) | undefined = undefined;
  device: NetReceiver | undefined = undefined;
  readonly queues: number;
  readonly headers: boolean;
  readonly #loopback: boolean;
  readonly #events: EventQueue;
  readonly #deliver: HandlerId;
  readonly #flows: Uint16Array<ArrayBuffer>;
  #waiting: Uint8Array[] = [];
  #headerBytes: number = VIRTIO_NET_HDR_BYTES;
  #offloads = 0n;
  #active = 1;

  constructor(events: EventQueue, { loopback, queues, headers }: NetEndOptions) {
    this.#events = events;
    this.#loopback = loopback;
    this.queues = queues;
    this.headers = headers;
    this.#flows = new Uint16Array(queues > 1 ? FLOWS : 0);
    this.#deliver = events.register(() => this.#deliverNext());
  }

  transmitted(frame: Uint8Array, pair: number): void {
    this.listener?.(frame);
    if (this.queues > 1) this.#flows[this.#flow(frame, this.#start)] = pair + 1;
    if (!this.#loopback) return;
    this.#waiting.push(this.headers ? this.#shortened(frame) : frame.slice());
    this.#goOn();
  }

  /** Frames between the guest's sending and its receiving. */
  get framesKept(): number {
    return this.#waiting.length + (this.device?.framesKept ?? 0);
  }

  setHeaderLength(bytes: number): void {
    this.#headerBytes = bytes;
  }

  setOffloads(offloads: bigint): void {
    this.#offloads = offloads;
  }

  setActive(pairs: number): void {
    this.#active = pairs;
  }

  drained(): void {
    this.#goOn();
  }

  forget(): void {
    this.#waiting = [];
    this.#events.cancel(this.#deliver);
  }

  /** A frame from the wire; where the end has headers, behind one of ten bytes. */
  arrive(frame: Uint8Array): void {
    if (this.#isHeldUp) this.#waiting.push(frame.slice());
    else this.#handOver(frame);
  }

  /** After everything was taken off the clock. */
  resume(): void {
    this.#goOn();
  }

  /** A socket or a tap is read one frame at a time, and not while the device keeps one (net_socket_read_poll). */
  get #isHeldUp(): boolean {
    return (this.device?.framesKept ?? 0) > 0;
  }

  #goOn(): void {
    if (this.#waiting.length === 0 || this.#isHeldUp || this.#events.isScheduled(this.#deliver)) return;
    this.#events.schedule(ticks(0), this.#deliver);
  }

  #handOver(frame: Uint8Array): void {
    if (!this.headers) {
      this.device?.receive(frame, this.#pairOf(frame, 0));
      return;
    }
    for (const packet of throughHostStack(frame, this.#offloads)) {
      const pair = this.#pairOf(packet, VIRTIO_NET_HDR_BYTES);
      this.device?.receive(this.#lengthened(packet), pair);
    }
  }

  exchange(state: StateStream): void {
    const count = state.u32(this.#waiting.length);
    const frames: Uint8Array[] = [];
    for (let i = 0; i < count; i++) frames.push(state.blob(this.#waiting[i] ?? new Uint8Array(0)));
    this.#waiting = frames;
    this.#headerBytes = state.u8(this.#headerBytes);
    this.#offloads = state.u64(this.#offloads);
    this.#active = state.u16(this.#active);
    for (let i = 0; i < this.#flows.length; i++) this.#flows[i] = state.u16(this.#flows[i] ?? 0);
  }

  get #start(): number {
    return this.headers ? this.#headerBytes : 0;
  }

  #deliverNext(): void {
    if (this.#isHeldUp) return;
    const frame = this.#waiting.shift();
    if (frame !== undefined) this.#handOver(frame);
    this.#goOn();
  }

  #shortened(packet: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(Math.max(packet.length - this.#headerBytes + VIRTIO_NET_HDR_BYTES, 0));
    bytes.set(packet.subarray(0, Math.min(VIRTIO_NET_HDR_BYTES, bytes.length)));
    if (packet.length > this.#headerBytes)
      bytes.set(packet.subarray(this.#headerBytes), VIRTIO_NET_HDR_BYTES);
    return bytes;
  }

  #lengthened(packet: Uint8Array): Uint8Array {
    const more = this.#headerBytes - VIRTIO_NET_HDR_BYTES;
    if (more === 0) return packet;
    const bytes = new Uint8Array(packet.length + more);
    bytes.set(packet.subarray(0, VIRTIO_NET_HDR_BYTES));
    bytes.set(packet.subarray(VIRTIO_NET_HDR_BYTES), this.#headerBytes);
    return bytes;
  }

  /** The pair that the flow was sent by, or one that its hash picks. */
  #pairOf(frame: Uint8Array, start: number): number {
    if (this.#active <= 1) return 0;
    const flow = this.#flow(frame, start);
    const known = this.#flows[flow] ?? 0;
    return known > 0 && known <= this.#active ? known - 1 : Math.floor((flow * this.#active) / FLOWS);
  }

  /** A hash that is the same both ways, of what makes a flow: addresses and ports of IPv4, else Ethernet's addresses. */
  #flow(frame: Uint8Array, start: number): number {
    const ip4 = frame[start + 12] === 0x08 && frame[start + 13] === 0 && frame[start + 14] === 0x45;
    if (!ip4) return bothWays(frame, start, 6) % FLOWS;
    const protocol = frame[start + 23];
    const addresses = bothWays(frame, start + 26, 4);
    const ports = protocol === 6 || protocol === 17 ? bothWays(frame, start + 34, 2) : 0;
    return (addresses + 31 * ports) % FLOWS;
  }
}

/** Of two neighbouring fields, whichever comes first. */
function bothWays(bytes: Uint8Array, at: number, length: number): number {
  let hash = 0;
  for (let i = 0; i < length; i++)
    hash += ((bytes[at + i] ?? 0) + (bytes[at + length + i] ?? 0)) * (7 + 2 * i);
  return hash;
}
