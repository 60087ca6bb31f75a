import { MSR_LE, MSR_ME, MSR_SF } from '../papr/abi.ts';
import { PCI_VENDOR_ID } from '../pci/abi.ts';
import {
  VIRTIO_CONFIG_S_ACKNOWLEDGE,
  VIRTIO_CONFIG_S_DRIVER,
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_F_VERSION_1,
  VIRTIO_PCI_VENDOR,
} from '../virtio/abi.ts';
import {
  NET_CONFIG_MAX_PAIRS_AT,
  NET_F_CTRL_VQ,
  NET_F_HASH_REPORT,
  NET_F_MQ,
  NET_F_MRG_RXBUF,
  NET_F_RSS,
  NET_HEADER_BYTES,
  NET_HEADER_HASH_BYTES,
  NET_HEADER_MRG_BYTES,
} from './abi.ts';
import { Arena } from './arena.ts';
import { DeviceAccess, GuestCalls } from './calls.ts';
import { PhysicalMapper } from './dma-map.ts';
import { Firmware } from './firmware.ts';
import { LegacyTransport } from './legacy-driver.ts';
import { ModernTransport } from './modern-driver.ts';
import type { GuestPlatform } from './platform.ts';
import { Chain, RING_BROKEN, RING_EMPTY, ringLayout, SplitRing } from './rings.ts';
import type { DriverTransport } from './transport.ts';

/** How a network guest behaves. */
export interface NetGuestOptions {
  readonly interface: 'modern' | 'legacy';
  readonly byteOrder: 'little' | 'big';
  /** Features to accept, of those offered. */
  readonly features: bigint;
}

/** The frame header's fields (5.1.9); those that a shorter header lacks are zero. */
export interface NetHeader {
  readonly flags: number;
  readonly gsoType: number;
  readonly hdrLen: number;
  readonly gsoSize: number;
  readonly csumStart: number;
  readonly csumOffset: number;
  readonly numBuffers: number;
  readonly hashValue: number;
  readonly hashReport: number;
}

export const NO_OFFLOAD: NetHeader = {
  flags: 0,
  gsoType: 0,
  hdrLen: 0,
  gsoSize: 0,
  csumStart: 0,
  csumOffset: 0,
  numBuffers: 0,
  hashValue: 0,
  hashReport: 0,
};

/** What came in. */
export interface NetArrival {
  readonly pair: number;
  readonly header: NetHeader;
  readonly frame: Uint8Array;
  /** Length of each buffer that it took. */
  readonly buffers: readonly number[];
}

const MEMORY = 0x40_0000;
const MEMORY_BYTES = 0xb0_0000;
const RTAS_BYTES = 128;
const FRAME_ROOM = 80 * 1024;
const COMMAND_ROOM = 1024;
/** An acknowledgement that no device gives: it was not written. */
const NOT_ANSWERED = 0xee;
/** Bytes that no device wrote: what a receive buffer holds before. */
const UNTOUCHED = 0xee;

/**
 * A guest that knows all of a network device: every queue pair, the control queue, headers of every kind. It keeps its
 * own books and checks the rings as careful drivers do; what the frames mean is for its user to judge. The device is
 * reached without an IOMMU.
 */
export class NetGuest {
  readonly platform: GuestPlatform;
  readonly transport: DriverTransport;
  /** Features that were offered, and those that were accepted. */
  offered = 0n;
  features = 0n;
  /** Pairs that the guest has set up. */
  pairs = 1;
  headerBytes: number = NET_HEADER_BYTES;
  readonly arrivals: NetArrival[] = [];
  /** Transmissions that came back. */
  sent = 0;
  readonly #options: NetGuestOptions;
  readonly #firmware: Firmware;
  readonly #arena: Arena;
  readonly #mapper: PhysicalMapper = new PhysicalMapper();
  readonly #chain: Chain = new Chain();
  #wanted = 0n;
  #rings: SplitRing[] = [];
  #little = true;
  #frameAt = 0;
  #commandAt = 0;
  /** Address and length of posted buffers, by pair and head. */
  #posted: Map<number, readonly [at: number, length: number]>[] = [];

  constructor(platform: GuestPlatform, options: NetGuestOptions) {
    this.platform = platform;
    this.#options = options;
    const calls = new GuestCalls(platform, MEMORY);
    this.#firmware = new Firmware(calls);
    this.#arena = new Arena(platform, MEMORY + RTAS_BYTES, MEMORY + MEMORY_BYTES);
    const access = new DeviceAccess(calls, false);
    this.transport =
      options.interface === 'modern'
        ? new ModernTransport(access, { deviceConfig: true })
        : new LegacyTransport(access);
  }

  /** Firmware's part, then the first virtio function is bound. */
  boot(): boolean {
    this.platform.setCpu(0, MSR_SF | MSR_ME);
    this.#firmware.boot();
    this.platform.setCpu(0, MSR_SF | MSR_ME | (this.#options.byteOrder === 'little' ? MSR_LE : 0n));
    for (const found of this.#firmware.functions) {
      const ids = found.read(PCI_VENDOR_ID, 4);
      found.vendor = ids & 0xffff;
      found.device = ids >>> 16;
      if (found.vendor !== VIRTIO_PCI_VENDOR) continue;
      found.walkCapabilities();
      if (this.transport.probe(found) === 'bound') return true;
    }
    return false;
  }

  /** From reset to DRIVER_OK with every queue pair that the device has. False: it refuses the features. */
  start(wanted: bigint = this.#options.features): boolean {
    this.#wanted = wanted;
    const { transport } = this;
    this.#arena.reset();
    this.arrivals.length = 0;
    this.sent = 0;
    transport.reset();
    transport.setStatus(VIRTIO_CONFIG_S_ACKNOWLEDGE);
    transport.setStatus(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    if (!this.#negotiate()) return false;
    this.#frameAt = this.#arena.take(FRAME_ROOM, 64);
    this.#commandAt = this.#arena.take(COMMAND_ROOM, 64);
    this.pairs =
      this.accepted(NET_F_MQ) || this.accepted(NET_F_RSS) ? this.config(NET_CONFIG_MAX_PAIRS_AT, 2) : 1;
    const queues = 2 * this.pairs + (this.accepted(NET_F_CTRL_VQ) ? 1 : 0);
    this.#rings = [];
    this.#posted = Array.from({ length: this.pairs }, () => new Map());
    for (let queue = 0; queue < queues; queue++) if (!this.#setUpQueue(queue)) return false;
    transport.setStatus(transport.status() | VIRTIO_CONFIG_S_DRIVER_OK);
    this.platform.idle();
    return true;
  }

  /** RING_RESET of one queue, and its set-up again (4.1.4.3.2). */
  resetQueue(queue: number): void {
    this.transport.resetQueue(queue);
    this.#posted[queue >> 1]?.clear();
  }

  enableQueue(queue: number): boolean {
    return this.#setUpQueue(queue);
  }

  /** A queue's ring, for hands that know better. */
  ring(queue: number): SplitRing | undefined {
    return this.#rings[queue];
  }

  accepted(feature: number): boolean {
    return ((this.features >> BigInt(feature)) & 1n) === 1n;
  }

  /** A field of device configuration, read byte by byte. */
  config(offset: number, bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) {
      const at = this.#little ? bytes - 1 - i : i;
      value = value * 256 + this.transport.config8(offset + at);
    }
    return value;
  }

  get mac(): Uint8Array {
    return Uint8Array.from({ length: 6 }, (_, i) => this.transport.config8(i));
  }

  /** Gives the device buffers to receive into. */
  post(pair: number, lengths: readonly number[]): void {
    const ring = this.#rings[2 * pair];
    if (ring === undefined) return;
    for (const length of lengths) {
      const at = this.#arena.take(length, 64);
      this.platform.storeBytes(at, new Uint8Array(length).fill(UNTOUCHED), 0, length);
      const head = ring.add(this.#chain.clear().add(at, length, true));
      if (head >= 0) this.#posted[pair]?.set(head, [at, length]);
    }
    if (ring.needsNotification()) this.transport.notify(2 * pair);
    this.platform.idle();
  }

  /** Sends a frame behind its header, and takes in whatever came of it. */
  send(frame: Uint8Array, header: NetHeader = NO_OFFLOAD, pair = 0): void {
    const ring = this.#rings[2 * pair + 1];
    if (ring === undefined) return;
    const at = this.#frameAt;
    this.platform.storeBytes(at, this.#encode(header), 0, this.headerBytes);
    this.platform.storeBytes(at + this.headerBytes, frame, 0, frame.length);
    this.#chain
      .clear()
      .add(at, this.headerBytes, false)
      .add(at + this.headerBytes, frame.length, false);
    ring.add(this.#chain);
    if (ring.needsNotification()) this.transport.notify(2 * pair + 1);
    this.settle();
  }

  /** A command on the control queue: its acknowledgement, or 0xee if there is none. */
  command(kind: number, command: number, argument: Uint8Array): number {
    const queue = 2 * this.pairs;
    const ring = this.#rings[queue];
    if (ring === undefined) return NOT_ANSWERED;
    const at = this.#commandAt;
    const answer = at + COMMAND_ROOM - 1;
    this.platform.store8(at, kind);
    this.platform.store8(at + 1, command);
    this.platform.storeBytes(at + 2, argument, 0, argument.length);
    this.platform.store8(answer, NOT_ANSWERED);
    this.#chain.clear().add(at, 2, false);
    if (argument.length > 0) this.#chain.add(at + 2, argument.length, false);
    ring.add(this.#chain.add(answer, 1, true));
    if (ring.needsNotification()) this.transport.notify(queue);
    this.settle();
    return this.platform.load8(answer);
  }

  /** A number in the guest's order, for a command's argument. */
  bytesOf(value: number, bytes: number): number[] {
    const all = Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) & 0xff);
    return this.#little ? all : all.toReversed();
  }

  /** Waits until nothing is due, and takes what the device gave back. */
  settle(): void {
    this.platform.idle();
    for (let queue = 0; queue < this.#rings.length; queue++) {
      if (queue < 2 * this.pairs && queue % 2 === 0) this.#receive(queue / 2);
      else this.#reap(queue);
    }
  }

  /** Puts status 0, as a driver that leaves does. */
  stop(): void {
    this.transport.reset();
  }

  #negotiate(): boolean {
    const { transport } = this;
    this.offered = BigInt(transport.deviceFeatures(0)) & 0xffff_ffffn;
    if (!transport.legacy) this.offered |= (BigInt(transport.deviceFeatures(1)) & 0xffff_ffffn) << 32n;
    this.features = this.offered & this.#wanted;
    transport.acceptFeatures(0, Number(this.features & 0xffff_ffffn));
    if (!transport.legacy) {
      transport.acceptFeatures(1, Number(this.features >> 32n));
      transport.setStatus(transport.status() | VIRTIO_CONFIG_S_FEATURES_OK);
      if ((transport.status() & VIRTIO_CONFIG_S_FEATURES_OK) === 0) return false;
    }
    const modern = this.accepted(VIRTIO_F_VERSION_1);
    this.#little = modern || this.#options.byteOrder === 'little';
    this.headerBytes = modern || this.accepted(NET_F_MRG_RXBUF) ? NET_HEADER_MRG_BYTES : NET_HEADER_BYTES;
    if (modern && this.accepted(NET_F_HASH_REPORT)) this.headerBytes = NET_HEADER_HASH_BYTES;
    return true;
  }

  #setUpQueue(queue: number): boolean {
    const size = this.transport.queueSize(queue);
    if (size === 0) return false;
    const ring = new SplitRing(this.platform);
    const layout = ringLayout(size);
    const base = this.#arena.takeZeroed(layout.bytes, 4096);
    ring.writer.place(size, base, base + layout.avail, base + layout.used, this.#little);
    ring.start(this.#mapper, false, 0);
    this.#rings[queue] = ring;
    if (!this.transport.setQueue(queue, ring.writer, 0, base)) return false;
    this.transport.enableQueue(queue);
    return true;
  }

  #reap(queue: number): void {
    const ring = this.#rings[queue];
    for (let head = ring?.collect() ?? RING_EMPTY; head >= 0; head = ring?.collect() ?? RING_EMPTY) {
      if (queue < 2 * this.pairs) this.sent++;
    }
  }

  #receive(pair: number): void {
    const pieces: Uint8Array[] = [];
    let wanted = 1;
    for (let buffer = this.#take(pair); buffer !== undefined; buffer = this.#take(pair)) {
      pieces.push(buffer);
      if (pieces.length === 1 && this.accepted(NET_F_MRG_RXBUF)) wanted = this.#decode(buffer).numBuffers;
      if (pieces.length < wanted) continue;
      this.#arrived(pair, pieces);
      pieces.length = 0;
      wanted = 1;
    }
  }

  #take(pair: number): Uint8Array | undefined {
    const ring = this.#rings[2 * pair];
    const head = ring?.collect() ?? RING_EMPTY;
    if (ring === undefined || head === RING_EMPTY || head === RING_BROKEN) return undefined;
    const [at] = this.#posted[pair]?.get(head) ?? [0, 0];
    this.#posted[pair]?.delete(head);
    const bytes = new Uint8Array(ring.collectedLength);
    this.platform.loadBytes(at, bytes, 0, bytes.length);
    return bytes;
  }

  #arrived(pair: number, pieces: readonly Uint8Array[]): void {
    const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const whole = new Uint8Array(total);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    this.arrivals.push({
      pair,
      header: this.#decode(whole),
      frame: whole.subarray(this.headerBytes),
      buffers: pieces.map((piece) => piece.length),
    });
  }

  #encode(header: NetHeader): Uint8Array {
    const bytes = new Uint8Array(this.headerBytes);
    const view = new DataView(bytes.buffer);
    view.setUint8(0, header.flags);
    view.setUint8(1, header.gsoType);
    view.setUint16(2, header.hdrLen, this.#little);
    view.setUint16(4, header.gsoSize, this.#little);
    view.setUint16(6, header.csumStart, this.#little);
    view.setUint16(8, header.csumOffset, this.#little);
    return bytes;
  }

  #decode(bytes: Uint8Array): NetHeader {
    const padded = new Uint8Array(NET_HEADER_HASH_BYTES);
    padded.set(bytes.subarray(0, Math.min(this.headerBytes, bytes.length)));
    const view = new DataView(padded.buffer);
    const little = this.#little;
    return {
      flags: view.getUint8(0),
      gsoType: view.getUint8(1),
      hdrLen: view.getUint16(2, little),
      gsoSize: view.getUint16(4, little),
      csumStart: view.getUint16(6, little),
      csumOffset: view.getUint16(8, little),
      numBuffers: view.getUint16(10, little),
      hashValue: view.getUint32(12, little),
      hashReport: view.getUint16(16, little),
    };
  }
}
