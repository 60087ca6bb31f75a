import { VIRTIO_ID_BLOCK, VIRTIO_ID_NET, VIRTIO_ID_RNG } from '../virtio/abi.ts';
import {
  BLK_F_FLUSH,
  BLK_F_RO,
  BLK_HEADER_BYTES,
  BLK_ID_BYTES,
  BLK_S_OK,
  BLK_T_FLUSH,
  BLK_T_GET_ID,
  BLK_T_IN,
  BLK_T_OUT,
  NET_F_MAC,
  NET_F_MRG_RXBUF,
  NET_HEADER_BYTES,
  NET_HEADER_MRG_BYTES,
  NET_RX_QUEUE,
  NET_TX_QUEUE,
  SECTOR_BYTES,
} from './abi.ts';
import type { Arena } from './arena.ts';
import type { GuestPlatform } from './platform.ts';
import { Chain, type DriverRing } from './rings.ts';
import type { DriverTransport } from './transport.ts';

/** What a request maker is given once a device is set up. */
export interface RequestHost {
  readonly platform: GuestPlatform;
  readonly arena: Arena;
  readonly transport: DriverTransport;
  readonly rings: readonly DriverRing[];
  /** Features accepted, word 0. */
  readonly featuresLow: number;
  /** Byte order of rings and request headers. */
  readonly little: boolean;
  /** VERSION_1 was accepted. */
  readonly modern: boolean;
  /** NOTIFICATION_DATA was accepted: a notification says how far the driver has come. */
  readonly saysPlace: boolean;
}

/** Notifies the device of what a queue holds, if it wants that. Whether it was notified. */
export function announce(host: RequestHost, queue: number): boolean {
  const ring = host.rings[queue];
  if (ring === undefined || !ring.needsNotification()) return false;
  host.transport.notify(queue, host.saysPlace ? ring.place : undefined);
  return true;
}

/** Requests of one device type: makes them, and judges what comes back. */
export interface DeviceRequests {
  readonly virtioId: number;
  /** Queues that it uses, from 0 on. */
  readonly queues: number;
  /** Device-type feature bits (word 0) of a kernel's driver, and of firmware's. */
  readonly kernelFeatures: number;
  readonly firmwareFeatures: number;
  /** Whether the driver of this type looks at no length that the device tells. */
  readonly ignoresLengths?: boolean;
  /** Requests handed out whose answer has not come. */
  readonly outstanding: number;
  /** Requests answered, and whether every answer was right so far. */
  readonly completed: number;
  readonly correct: boolean;
  /** Buffers are taken and, where the device needs them before anything happens, posted. */
  begin(host: RequestHost): void;
  /** Publishes request `step`; the queue to notify, or NO_QUEUE if the ring took nothing. */
  submit(step: number): number;
  /** A buffer came back on a queue. */
  collected(queue: number, head: number, length: number): void;
}

export const NO_QUEUE = -1;

/** Requests in flight at most. */
const SLOTS = 8;

/**
 * Test data: request k's bytes repeat an eight-byte tag of k & 255, one tag after the other here, so that bytes from
 * elsewhere show, and a recording can say them in eight bytes.
 */
const TAG_BYTES = 8;
const TAGS = 256;
const PATTERN: Uint8Array = Uint8Array.from({ length: TAGS * SECTOR_BYTES }, (_, at) => {
  const tag = Math.floor(at / SECTOR_BYTES);
  const place = at % TAG_BYTES;
  return place === 0 ? tag : (tag * 31 + place * 29 + 7) & 0xff;
});

/** Slots by head, and the buffer that each slot owns. */
class Slots {
  readonly #ofHead: Int16Array = new Int16Array(1024).fill(-1);
  readonly #busy: Uint8Array = new Uint8Array(SLOTS);

  clear(): void {
    this.#ofHead.fill(-1);
    this.#busy.fill(0);
  }

  free(): number {
    return this.#busy.indexOf(0);
  }

  hold(slot: number, head: number): void {
    this.#busy[slot] = 1;
    this.#ofHead[head] = slot;
  }

  release(head: number): number {
    const slot = this.#ofHead[head] ?? -1;
    this.#ofHead[head] = -1;
    if (slot >= 0) this.#busy[slot] = 0;
    return slot;
  }
}

const RNG_BYTES = 64;

/** Entropy (5.4): buffers that come back with 1 to all of their bytes written. */
export class RngRequests implements DeviceRequests {
  readonly virtioId: number = VIRTIO_ID_RNG;
  readonly queues: number = 1;
  readonly kernelFeatures: number = 0;
  readonly firmwareFeatures: number = 0;
  outstanding = 0;
  completed = 0;
  correct = true;
  readonly #chain: Chain = new Chain();
  readonly #slots: Slots = new Slots();
  readonly #scratch: Uint8Array = new Uint8Array(RNG_BYTES);
  readonly #zeros: Uint8Array = new Uint8Array(RNG_BYTES);
  #host: RequestHost | undefined;
  #buffers = 0;

  begin(host: RequestHost): void {
    this.#host = host;
    this.outstanding = 0;
    this.completed = 0;
    this.correct = true;
    this.#slots.clear();
    this.#buffers = host.arena.take(SLOTS * RNG_BYTES, 64);
  }

  submit(): number {
    const ring = this.#host?.rings[0];
    const slot = this.#slots.free();
    if (this.#host === undefined || ring === undefined || slot < 0) return NO_QUEUE;
    const buffer = this.#buffers + slot * RNG_BYTES;
    this.#host.platform.storeBytes(buffer, this.#zeros, 0, RNG_BYTES);
    const head = ring.add(this.#chain.clear().add(buffer, RNG_BYTES, true));
    if (head < 0) return NO_QUEUE;
    this.#slots.hold(slot, head);
    this.outstanding++;
    return 0;
  }

  collected(_queue: number, head: number, length: number): void {
    const slot = this.#slots.release(head);
    this.outstanding--;
    this.completed++;
    this.#host?.platform.loadBytes(this.#buffers + slot * RNG_BYTES, this.#scratch, 0, RNG_BYTES);
    let written = 0;
    let beyond = 0;
    for (let i = 0; i < RNG_BYTES; i++) {
      if (i < length) written |= this.#scratch[i] ?? 0;
      else beyond |= this.#scratch[i] ?? 0;
    }
    // Eight random bytes are all zero once in 2^64.
    if (length === 0 || beyond !== 0 || (length >= 8 && written === 0)) this.correct = false;
  }
}

const BLK_SLOT_BYTES = 1024;
const BLK_DATA = 64;
const BLK_STATUS = BLK_DATA + SECTOR_BYTES;
/** Sectors that the requests write and read. */
const BLK_SECTORS = [2, 5, 3, 9];

type BlkKind = 'write' | 'read' | 'flush' | 'id';

/**
 * The cycle of requests: sector n of BLK_SECTORS and what to do with it. A read follows the write that it checks at a
 * distance of at least two, so that two may be in flight.
 */
const BLK_CYCLE: readonly { readonly kind: BlkKind; readonly sector: number }[] = [
  { kind: 'write', sector: 0 },
  { kind: 'write', sector: 1 },
  { kind: 'read', sector: 0 },
  { kind: 'flush', sector: 0 },
  { kind: 'read', sector: 1 },
  { kind: 'id', sector: 0 },
  { kind: 'write', sector: 2 },
  { kind: 'write', sector: 3 },
  { kind: 'read', sector: 2 },
  { kind: 'read', sector: 3 },
];

const NOT_WRITTEN = -1;
const STATUS_UNTOUCHED = 0xff;

/** Block requests (5.2): what is written is read back and compared. */
export class BlkRequests implements DeviceRequests {
  readonly virtioId: number = VIRTIO_ID_BLOCK;
  readonly queues: number = 1;
  /** SIZE_MAX, SEG_MAX, GEOMETRY, RO, BLK_SIZE, FLUSH, TOPOLOGY, CONFIG_WCE, MQ, DISCARD, WRITE_ZEROES. */
  readonly kernelFeatures: number = 0x7e76;
  /** SLOF: BLK_SIZE. */
  readonly firmwareFeatures: number = 0x40;
  outstanding = 0;
  completed = 0;
  correct = true;
  /** 512-byte sectors, as the device's configuration says. */
  capacity = 0;
  readonly #chain: Chain = new Chain();
  readonly #slots: Slots = new Slots();
  readonly #kind: BlkKind[] = Array.from({ length: SLOTS }, (): BlkKind => 'flush');
  /** The tag that a read must bring; NOT_WRITTEN if nothing is known. */
  readonly #expected: Int16Array = new Int16Array(SLOTS);
  readonly #contents: Int16Array = new Int16Array(BLK_SECTORS.length);
  readonly #scratch: Uint8Array = new Uint8Array(SECTOR_BYTES);
  #host: RequestHost | undefined;
  #buffers = 0;

  begin(host: RequestHost): void {
    this.#host = host;
    this.outstanding = 0;
    this.completed = 0;
    this.correct = true;
    this.#slots.clear();
    this.#contents.fill(NOT_WRITTEN);
    this.capacity = configWide(host, 0);
    this.#buffers = host.arena.take(SLOTS * BLK_SLOT_BYTES, BLK_SLOT_BYTES);
  }

  submit(step: number): number {
    const host = this.#host;
    const ring = host?.rings[0];
    const slot = this.#slots.free();
    const row = BLK_CYCLE[step % BLK_CYCLE.length];
    if (host === undefined || ring === undefined || row === undefined || slot < 0) return NO_QUEUE;
    const kind = this.#allowed(row.kind, host.featuresLow);
    const base = this.#buffers + slot * BLK_SLOT_BYTES;
    this.#kind[slot] = kind;
    this.#writeHeader(host, base, kind, BLK_SECTORS[row.sector] ?? 0);
    const chain = this.#chain.clear().add(base, BLK_HEADER_BYTES, false);
    if (kind === 'write') {
      const pattern = step & 0xff;
      host.platform.storeBytes(base + BLK_DATA, PATTERN, pattern * SECTOR_BYTES, SECTOR_BYTES);
      this.#contents[row.sector] = pattern;
      chain.add(base + BLK_DATA, SECTOR_BYTES, false);
    } else if (kind !== 'flush') {
      chain.add(base + BLK_DATA, kind === 'read' ? SECTOR_BYTES : BLK_ID_BYTES, true);
      this.#expected[slot] = this.#contents[row.sector] ?? NOT_WRITTEN;
    }
    host.platform.store8(base + BLK_STATUS, STATUS_UNTOUCHED);
    const head = ring.add(chain.add(base + BLK_STATUS, 1, true));
    if (head < 0) return NO_QUEUE;
    this.#slots.hold(slot, head);
    this.outstanding++;
    return 0;
  }

  #allowed(kind: BlkKind, features: number): BlkKind {
    if (kind === 'write' && (features & (1 << BLK_F_RO)) !== 0) return 'read';
    if (kind === 'flush' && (features & (1 << BLK_F_FLUSH)) === 0) return 'id';
    return kind;
  }

  #writeHeader(host: RequestHost, base: number, kind: BlkKind, sector: number): void {
    const { platform, little } = host;
    platform.store32(base, BLK_TYPES[kind], little);
    platform.store32(base + 4, 0, little);
    const moves = kind === 'read' || kind === 'write';
    platform.store32(little ? base + 8 : base + 12, moves ? sector : 0, little);
    platform.store32(little ? base + 12 : base + 8, 0, little);
  }

  collected(_queue: number, head: number, length: number): void {
    const slot = this.#slots.release(head);
    const host = this.#host;
    const kind = this.#kind[slot];
    if (host === undefined || kind === undefined) return;
    this.outstanding--;
    this.completed++;
    const base = this.#buffers + slot * BLK_SLOT_BYTES;
    if (host.platform.load8(base + BLK_STATUS) !== BLK_S_OK) this.correct = false;
    // A legacy device may report any length for what it writes; QEMU reports the right one always.
    if (length !== BLK_WRITTEN[kind] + 1) this.correct = false;
    if (kind === 'read' && !this.#readBack(host, base, this.#expected[slot] ?? NOT_WRITTEN))
      this.correct = false;
  }

  #readBack(host: RequestHost, base: number, expected: number): boolean {
    if (expected === NOT_WRITTEN) return true;
    host.platform.loadBytes(base + BLK_DATA, this.#scratch, 0, SECTOR_BYTES);
    return samePattern(this.#scratch, 0, expected, SECTOR_BYTES);
  }
}

const BLK_TYPES: Readonly<Record<BlkKind, number>> = {
  write: BLK_T_OUT,
  read: BLK_T_IN,
  flush: BLK_T_FLUSH,
  id: BLK_T_GET_ID,
};

/** Bytes that the device writes before the status. */
const BLK_WRITTEN: Readonly<Record<BlkKind, number>> = {
  write: 0,
  read: SECTOR_BYTES,
  flush: 0,
  id: BLK_ID_BYTES,
};

function samePattern(bytes: Uint8Array, at: number, pattern: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[at + i] !== PATTERN[pattern * SECTOR_BYTES + i]) return false;
  return true;
}

/** A 64-bit field of device configuration, read byte by byte as the legacy drivers do. */
function configWide(host: RequestHost, offset: number): number {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = host.transport.config8(offset + (host.little ? 7 - i : i));
    value = value * 256 + byte;
  }
  return value;
}

const NET_RX_BYTES = 2048;
const NET_TX_BYTES = 256;
const FRAME_BYTES = 96;
const MAC_BYTES = 6;
const ETHERTYPE_EXPERIMENTAL = 0x88b5;

/** Network (5.1): frames sent, and, where the other end sends them back, received and compared. */
export class NetRequests implements DeviceRequests {
  readonly virtioId: number = VIRTIO_ID_NET;
  readonly queues: number = 2;
  /** CSUM, GUEST_CSUM, MAC, GUEST_TSO4/6/ECN/UFO, HOST_TSO4/6/ECN/UFO, MRG_RXBUF, STATUS; no control queue. */
  readonly kernelFeatures: number = 0x1_ffa3;
  /** SLOF: MAC. */
  readonly firmwareFeatures: number = 0x20;
  completed = 0;
  correct = true;
  /** Frames that came back from the other end. */
  received = 0;
  /** Whether the other end sends frames back. */
  loopback = false;
  readonly #chain: Chain = new Chain();
  readonly #rx: Slots = new Slots();
  readonly #tx: Slots = new Slots();
  readonly #frame: Uint8Array = new Uint8Array(FRAME_BYTES);
  readonly #scratch: Uint8Array = new Uint8Array(NET_RX_BYTES);
  #host: RequestHost | undefined;
  #rxBuffers = 0;
  #txBuffers = 0;
  #header = NET_HEADER_BYTES;
  #txOutstanding = 0;
  #rxOutstanding = 0;
  #nextReceived = 0;

  get outstanding(): number {
    return this.#txOutstanding + this.#rxOutstanding;
  }

  begin(host: RequestHost): void {
    this.#host = host;
    this.completed = 0;
    this.correct = true;
    this.received = 0;
    this.#txOutstanding = 0;
    this.#rxOutstanding = 0;
    this.#nextReceived = 0;
    this.#rx.clear();
    this.#tx.clear();
    const merged = (host.featuresLow & (1 << NET_F_MRG_RXBUF)) !== 0;
    this.#header = host.modern || merged ? NET_HEADER_MRG_BYTES : NET_HEADER_BYTES;
    this.#rxBuffers = host.arena.take(SLOTS * NET_RX_BYTES, NET_RX_BYTES);
    this.#txBuffers = host.arena.take(SLOTS * NET_TX_BYTES, NET_TX_BYTES);
    this.#addresses(host);
    for (let i = 0; i < SLOTS; i++) this.#post();
    announce(host, NET_RX_QUEUE);
  }

  /** Frames go from this device to itself: the other end returns them, the filter lets them in. */
  #addresses(host: RequestHost): void {
    const known = (host.featuresLow & (1 << NET_F_MAC)) !== 0;
    for (let i = 0; i < MAC_BYTES; i++) {
      const byte = known ? host.transport.config8(i) : 0xff;
      this.#frame[i] = byte;
      this.#frame[MAC_BYTES + i] = byte;
    }
    this.#frame[12] = ETHERTYPE_EXPERIMENTAL >> 8;
    this.#frame[13] = ETHERTYPE_EXPERIMENTAL & 0xff;
  }

  #post(): boolean {
    const ring = this.#host?.rings[NET_RX_QUEUE];
    const slot = this.#rx.free();
    if (ring === undefined || slot < 0) return false;
    const buffer = this.#rxBuffers + slot * NET_RX_BYTES;
    const chain = this.#chain.clear();
    // Before ANY_LAYOUT the header has a buffer of its own.
    if (this.#host?.modern === true || this.#header === NET_HEADER_MRG_BYTES)
      chain.add(buffer, NET_RX_BYTES, true);
    else chain.add(buffer, this.#header, true).add(buffer + this.#header, NET_RX_BYTES - this.#header, true);
    const head = ring.add(chain);
    if (head < 0) return false;
    this.#rx.hold(slot, head);
    return true;
  }

  submit(step: number): number {
    const host = this.#host;
    const ring = host?.rings[NET_TX_QUEUE];
    const slot = this.#tx.free();
    if (host === undefined || ring === undefined || slot < 0) return NO_QUEUE;
    const buffer = this.#txBuffers + slot * NET_TX_BYTES;
    const frame = this.#fill(step);
    for (let i = 0; i < this.#header; i++) host.platform.store8(buffer + i, 0);
    host.platform.storeBytes(buffer + this.#header, frame, 0, FRAME_BYTES);
    const chain = this.#chain.clear();
    chain.add(buffer, this.#header, false).add(buffer + this.#header, FRAME_BYTES, false);
    const head = ring.add(chain);
    if (head < 0) return NO_QUEUE;
    this.#tx.hold(slot, head);
    this.#txOutstanding++;
    if (this.loopback) this.#rxOutstanding++;
    return NET_TX_QUEUE;
  }

  #fill(step: number): Uint8Array {
    for (let i = 14; i < FRAME_BYTES; i++) this.#frame[i] = PATTERN[(step & 0xff) * SECTOR_BYTES + i] ?? 0;
    return this.#frame;
  }

  collected(queue: number, head: number, length: number): void {
    if (queue === NET_TX_QUEUE) {
      this.#tx.release(head);
      this.#txOutstanding--;
      this.completed++;
      return;
    }
    const slot = this.#rx.release(head);
    this.#receive(slot, length);
    this.#post();
    const host = this.#host;
    if (host !== undefined) announce(host, NET_RX_QUEUE);
  }

  #receive(slot: number, length: number): void {
    this.received++;
    if (!this.loopback) return;
    this.#rxOutstanding--;
    const frame = this.#fill(this.#nextReceived++);
    this.#host?.platform.loadBytes(this.#rxBuffers + slot * NET_RX_BYTES, this.#scratch, 0, NET_RX_BYTES);
    if (length !== this.#header + FRAME_BYTES) this.correct = false;
    for (let i = 0; i < FRAME_BYTES; i++) {
      if (this.#scratch[this.#header + i] !== frame[i]) this.correct = false;
    }
  }
}
