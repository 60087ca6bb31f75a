import {
  AVAIL_F_NO_INTERRUPT,
  AVAIL_IDX,
  AVAIL_RING,
  DESC_BYTES,
  DESC_F_INDIRECT,
  DESC_F_NEXT,
  DESC_F_WRITE,
  DESC_FLAGS,
  DESC_LEN,
  DESC_NEXT,
  LEGACY_RING_ALIGN,
  RING_SIZE_MAX,
  USED_ELEM_BYTES,
  USED_F_NO_NOTIFY,
  USED_IDX,
  USED_RING,
} from './abi.ts';
import { MAPPING_FAILED, type DmaMapper } from './dma-map.ts';
import type { GuestPlatform } from './platform.ts';

/** Where the three areas of a split ring lie, in bytes from the start of its one block. */
export interface RingLayout {
  readonly avail: number;
  readonly used: number;
  readonly bytes: number;
}

/** One block, the used ring at the next multiple of 4096 (2.7.2): what legacy needs, and what Linux always does. */
export function ringLayout(size: number): RingLayout {
  const avail = DESC_BYTES * size;
  const used = (avail + 6 + 2 * size + LEGACY_RING_ALIGN - 1) & ~(LEGACY_RING_ALIGN - 1);
  return { avail, used, bytes: used + 6 + USED_ELEM_BYTES * size };
}

/** Where the areas of a ring lie, by guest-physical address; `avail` is the driver's, `used` the device's. */
export class RingPlace {
  readonly platform: GuestPlatform;
  size = 0;
  desc = 0;
  avail = 0;
  used = 0;
  little = true;

  constructor(platform: GuestPlatform) {
    this.platform = platform;
  }

  place(size: number, desc: number, avail: number, used: number, little: boolean): void {
    this.size = size;
    this.desc = desc;
    this.avail = avail;
    this.used = used;
    this.little = little;
  }
}

/**
 * Stores into the areas of a split ring, and loads from them, with no opinion on what makes sense: a driver's hands,
 * honest or not.
 */
export class RingWriter extends RingPlace {
  /** Descriptor `index` of the table at `table`, which may be an indirect one. */
  descriptor(
    table: number,
    index: number,
    high: number,
    low: number,
    length: number,
    flags: number,
    next: number,
  ): void {
    const { platform, little } = this;
    const at = table + DESC_BYTES * index;
    platform.store32(little ? at : at + 4, low >>> 0, little);
    platform.store32(little ? at + 4 : at, high >>> 0, little);
    platform.store32(at + DESC_LEN, length >>> 0, little);
    platform.store16(at + DESC_FLAGS, flags, little);
    platform.store16(at + DESC_NEXT, next, little);
  }

  setAvailFlags(flags: number): void {
    this.platform.store16(this.avail, flags, this.little);
  }

  setAvailIndex(index: number): void {
    this.platform.store16(this.avail + AVAIL_IDX, index, this.little);
  }

  setAvailEntry(slot: number, head: number): void {
    this.platform.store16(this.avail + AVAIL_RING + 2 * slot, head, this.little);
  }

  setUsedEvent(index: number): void {
    this.platform.store16(this.avail + AVAIL_RING + 2 * this.size, index, this.little);
  }

  usedFlags(): number {
    return this.platform.load16(this.used, this.little);
  }

  usedIndex(): number {
    return this.platform.load16(this.used + USED_IDX, this.little);
  }

  usedId(slot: number): number {
    return this.platform.load32(this.used + USED_RING + USED_ELEM_BYTES * slot, this.little);
  }

  usedLength(slot: number): number {
    return this.platform.load32(this.used + USED_RING + USED_ELEM_BYTES * slot + 4, this.little);
  }

  availEvent(): number {
    return this.platform.load16(this.used + USED_RING + USED_ELEM_BYTES * this.size, this.little);
  }
}

/** Buffers of one chain at most, in what the drivers here submit. */
export const CHAIN_MAX = 8;

/** The buffers of one request, by guest-physical address: those that the device reads come first. */
export class Chain {
  count = 0;
  readonly gpa: Float64Array = new Float64Array(CHAIN_MAX);
  readonly length: Uint32Array = new Uint32Array(CHAIN_MAX);
  readonly deviceWrites: Uint8Array = new Uint8Array(CHAIN_MAX);

  clear(): this {
    this.count = 0;
    return this;
  }

  add(gpa: number, length: number, deviceWrites: boolean): this {
    const at = this.count++;
    this.gpa[at] = gpa;
    this.length[at] = length;
    this.deviceWrites[at] = deviceWrites ? 1 : 0;
    return this;
  }
}

/**
 * Requests in the order of their publication, where IN_ORDER was accepted: an answer names the last of a run (2.7.9,
 * 2.8.8), and those before it count as used whole. Without it an answer is of one request.
 */
export class Batch {
  inOrder = false;
  /** An answer stands for more requests than were taken. */
  open = false;
  /** Bytes written into the last of them. */
  length = 0;
  #last = 0;
  #from = 0;
  #until = 0;
  readonly #order: Uint16Array = new Uint16Array(2 * RING_SIZE_MAX);

  start(inOrder: boolean): void {
    this.inOrder = inOrder;
    this.open = false;
    this.#from = 0;
    this.#until = 0;
  }

  add(head: number): void {
    if (this.inOrder) this.#order[this.#until++ % this.#order.length] = head;
  }

  answer(last: number, length: number): void {
    this.#last = last;
    this.length = length;
    this.open = true;
  }

  take(): number {
    const head = this.inOrder ? (this.#order[this.#from++ % this.#order.length] ?? 0) : this.#last;
    this.open = head !== this.#last;
    return head;
  }
}

/** What `collect` and `add` answer instead of a head. */
export const RING_EMPTY = -1;
export const RING_BROKEN = -2;
export const RING_FULL = -3;
export const RING_UNMAPPED = -4;

/** What a careful driver finds wrong with a used ring (drivers/virtio/virtio_ring.c `virtqueue_get_buf_ctx_split`). */
export type RingFault =
  | 'id out of range'
  | 'id is not a head'
  | 'length exceeds the buffers'
  | 'index jumped';

/** The driver's side of a queue, of either layout. A head is what names a request: a descriptor, or an id. */
export interface DriverRing {
  readonly writer: RingPlace;
  /** Set when the device broke the rules; the queue is then out of use. */
  readonly fault: RingFault | undefined;
  /** Whether any length is taken: of a device whose driver never looks at it. */
  ignoresLengths: boolean;
  /** Bytes that the device says it wrote into the buffer last collected. */
  readonly collectedLength: number;
  readonly inFlight: number;
  readonly size: number;
  /** What a notification says of the queue besides its number, in 16 bits (2.9). */
  readonly place: number;
  /** `inOrder`: IN_ORDER was accepted; an answer may then stand for all requests up to it. */
  start(mapper: DmaMapper, eventIdx: boolean, tables: number, inOrder?: boolean): void;
  add(chain: Chain): number;
  needsNotification(): boolean;
  collect(): number;
  disableInterrupts(): void;
  enableInterrupts(): boolean;
  abandon(): void;
}

/**
 * The driver's side of a split queue: it keeps its own copy of everything that it decided, and takes from shared memory
 * only the used index, ids and lengths, each read once and checked.
 */
export class SplitRing implements DriverRing {
  readonly writer: RingWriter;
  /** Set when the device broke the rules; the queue is then out of use. */
  fault: RingFault | undefined;
  ignoresLengths = false;
  /** Bytes that the device says it wrote into the buffer last collected. */
  collectedLength = 0;
  inFlight = 0;

  #mapper: DmaMapper | undefined;
  #eventIdx = false;
  #tables = 0;
  #freeHead = 0;
  #freeTail = 0;
  #freeCount = 0;
  #availIndex = 0;
  #usedIndex = 0;
  /** Buffers published since the device was last notified. */
  #unannounced = 0;
  #noInterrupt = false;
  readonly #batch: Batch = new Batch();

  readonly #next: Uint16Array = new Uint16Array(RING_SIZE_MAX);
  /** Descriptors of the chain that begins here; 0 marks a descriptor that heads none. */
  readonly #links: Uint8Array = new Uint8Array(RING_SIZE_MAX);
  readonly #indirect: Uint8Array = new Uint8Array(RING_SIZE_MAX);
  readonly #buffers: Uint8Array = new Uint8Array(RING_SIZE_MAX);
  readonly #writable: Uint32Array = new Uint32Array(RING_SIZE_MAX);
  readonly #mappedLow: Uint32Array = new Uint32Array(RING_SIZE_MAX * CHAIN_MAX);
  readonly #mappedLength: Uint32Array = new Uint32Array(RING_SIZE_MAX * CHAIN_MAX);
  readonly #tableLow: Uint32Array = new Uint32Array(RING_SIZE_MAX);

  constructor(platform: GuestPlatform) {
    this.writer = new RingWriter(platform);
  }

  /**
   * An empty ring. The areas hold zeros. `tables`: guest-physical address of an indirect table of CHAIN_MAX entries
   * for each descriptor, 0 if indirect descriptors were not accepted.
   */
  start(mapper: DmaMapper, eventIdx: boolean, tables: number, inOrder = false): void {
    const { size } = this.writer;
    this.fault = undefined;
    this.inFlight = 0;
    this.#mapper = mapper;
    this.#eventIdx = eventIdx;
    this.#tables = tables;
    this.#batch.start(inOrder);
    this.#freeTail = size - 1;
    this.#freeHead = 0;
    this.#freeCount = size;
    this.#availIndex = 0;
    this.#usedIndex = 0;
    this.#unannounced = 0;
    this.#noInterrupt = false;
    for (let i = 0; i < size; i++) {
      this.#next[i] = i + 1;
      this.#links[i] = 0;
    }
  }

  get size(): number {
    return this.writer.size;
  }

  /** What a notification says besides the queue's number: the available index, its top bit the wrap counter. */
  get place(): number {
    return this.#availIndex;
  }

  /** The driver's own available index, free-running. */
  get availIndex(): number {
    return this.#availIndex;
  }

  /** How far the driver has followed the used index. */
  get usedIndex(): number {
    return this.#usedIndex;
  }

  get freeDescriptors(): number {
    return this.#freeCount;
  }

  /** Maps the buffers, writes the descriptors and publishes the head. The head, RING_FULL or RING_UNMAPPED. */
  add(chain: Chain): number {
    const mapper = this.#mapper;
    const indirect = this.#tables !== 0 && chain.count > 1;
    if (mapper === undefined || this.#freeCount < (indirect ? 1 : chain.count)) return RING_FULL;
    const head = this.#freeHead;
    if (!this.#mapChain(mapper, head, chain)) return RING_UNMAPPED;
    const links = indirect
      ? this.#writeIndirect(mapper, head, chain)
      : this.#writeDirect(mapper, head, chain);
    if (links === 0) return RING_UNMAPPED;
    this.#links[head] = links;
    this.#indirect[head] = indirect ? 1 : 0;
    this.#freeCount -= links;
    this.inFlight++;
    this.#batch.add(head);
    const { writer } = this;
    writer.setAvailEntry(this.#availIndex & (writer.size - 1), head);
    this.#availIndex = (this.#availIndex + 1) & 0xffff;
    writer.setAvailIndex(this.#availIndex);
    this.#unannounced++;
    return head;
  }

  #mapChain(mapper: DmaMapper, head: number, chain: Chain): boolean {
    const at = head * CHAIN_MAX;
    let writable = 0;
    for (let i = 0; i < chain.count; i++) {
      const length = chain.length[i] ?? 0;
      const deviceWrites = chain.deviceWrites[i] === 1;
      const low = mapper.map(chain.gpa[i] ?? 0, length, deviceWrites);
      if (low === MAPPING_FAILED) {
        this.#unmapBuffers(mapper, head, i);
        return false;
      }
      this.#mappedLow[at + i] = low;
      this.#mappedLength[at + i] = length;
      if (deviceWrites) writable += length;
    }
    this.#buffers[head] = chain.count;
    this.#writable[head] = writable;
    return true;
  }

  #writeDirect(mapper: DmaMapper, head: number, chain: Chain): number {
    const { writer } = this;
    let index = head;
    for (let i = 0; i < chain.count; i++) {
      const last = i === chain.count - 1;
      const next = this.#next[index] ?? 0;
      const flags = (last ? 0 : DESC_F_NEXT) | (chain.deviceWrites[i] === 1 ? DESC_F_WRITE : 0);
      const low = this.#mappedLow[head * CHAIN_MAX + i] ?? 0;
      writer.descriptor(writer.desc, index, mapper.high, low, chain.length[i] ?? 0, flags, last ? 0 : next);
      index = next;
    }
    this.#freeHead = index;
    return chain.count;
  }

  #writeIndirect(mapper: DmaMapper, head: number, chain: Chain): number {
    const { writer } = this;
    const table = this.#tables + head * CHAIN_MAX * DESC_BYTES;
    const bytes = chain.count * DESC_BYTES;
    for (let i = 0; i < chain.count; i++) {
      const last = i === chain.count - 1;
      const flags = (last ? 0 : DESC_F_NEXT) | (chain.deviceWrites[i] === 1 ? DESC_F_WRITE : 0);
      const low = this.#mappedLow[head * CHAIN_MAX + i] ?? 0;
      writer.descriptor(table, i, mapper.high, low, chain.length[i] ?? 0, flags, last ? 0 : i + 1);
    }
    const low = mapper.map(table, bytes, false);
    if (low === MAPPING_FAILED) {
      this.#unmapBuffers(mapper, head, chain.count);
      return 0;
    }
    this.#tableLow[head] = low;
    writer.descriptor(writer.desc, head, mapper.high, low, bytes, DESC_F_INDIRECT, 0);
    this.#freeHead = this.#next[head] ?? 0;
    return 1;
  }

  /** Whether the device wants to hear of what was published since the last time. */
  needsNotification(): boolean {
    const count = this.#unannounced;
    this.#unannounced = 0;
    if (count === 0) return false;
    if (!this.#eventIdx) return (this.writer.usedFlags() & USED_F_NO_NOTIFY) === 0;
    const event = this.writer.availEvent();
    return ((this.#availIndex - event - 1) & 0xffff) < count;
  }

  /** The next buffer that the device gave back: its head; RING_EMPTY; or RING_BROKEN, with `fault` set. */
  collect(): number {
    const { writer } = this;
    if (this.fault !== undefined) return RING_BROKEN;
    if (this.#batch.open) return this.#nextAnswered();
    const shared = writer.usedIndex();
    if (shared === this.#usedIndex) return RING_EMPTY;
    if (((shared - this.#usedIndex) & 0xffff) > this.inFlight) return this.#broken('index jumped');
    const slot = this.#usedIndex & (writer.size - 1);
    const head = writer.usedId(slot);
    const length = writer.usedLength(slot);
    if (head >= writer.size) return this.#broken('id out of range');
    if (this.#links[head] === 0) return this.#broken('id is not a head');
    if (length > (this.#writable[head] ?? 0) && !this.ignoresLengths)
      return this.#broken('length exceeds the buffers');
    this.#batch.answer(head, length);
    return this.#nextAnswered();
  }

  /** The next request of those that the answer read last stands for. */
  #nextAnswered(): number {
    const { writer } = this;
    const head = this.#batch.take();
    this.collectedLength = this.#batch.open ? (this.#writable[head] ?? 0) : this.#batch.length;
    this.#release(head);
    this.#usedIndex = (this.#usedIndex + 1) & 0xffff;
    // The device is told how far we came, but only while interrupts are wanted.
    if (this.#eventIdx && !this.#noInterrupt) writer.setUsedEvent(this.#usedIndex);
    return head;
  }

  #broken(fault: RingFault): number {
    this.fault = fault;
    return RING_BROKEN;
  }

  #release(head: number): void {
    const mapper = this.#mapper;
    if (mapper === undefined) return;
    if (this.#indirect[head] === 1) {
      mapper.unmap(this.#tableLow[head] ?? 0, (this.#buffers[head] ?? 0) * DESC_BYTES);
    }
    this.#unmapBuffers(mapper, head, this.#buffers[head] ?? 0);
    const links = this.#links[head] ?? 0;
    let last = head;
    for (let i = 1; i < links; i++) last = this.#next[last] ?? 0;
    if (this.#batch.inOrder) {
      // Descriptors are taken in table order (2.7.5): what comes back goes to the end.
      if (this.#freeCount === 0) this.#freeHead = head;
      else this.#next[this.#freeTail] = head;
      this.#freeTail = last;
    } else {
      this.#next[last] = this.#freeHead;
      this.#freeHead = head;
    }
    this.#freeCount += links;
    this.#links[head] = 0;
    this.inFlight--;
  }

  #unmapBuffers(mapper: DmaMapper, head: number, count: number): void {
    const at = head * CHAIN_MAX;
    for (let i = 0; i < count; i++)
      mapper.unmap(this.#mappedLow[at + i] ?? 0, this.#mappedLength[at + i] ?? 0);
  }

  /** Asks for no interrupts: a hint, the device may still send one. */
  disableInterrupts(): void {
    if (this.#noInterrupt) return;
    this.#noInterrupt = true;
    // With event indexes the flag must stay 0; Linux writes event 0, which asks for one interrupt in 65,536.
    if (this.#eventIdx) this.writer.setUsedEvent(0);
    else this.writer.setAvailFlags(AVAIL_F_NO_INTERRUPT);
  }

  /** Asks for an interrupt at the next used buffer. False if one is there already, which must be looked at first. */
  enableInterrupts(): boolean {
    this.#noInterrupt = false;
    if (this.#eventIdx) this.writer.setUsedEvent(this.#usedIndex);
    else this.writer.setAvailFlags(0);
    return this.writer.usedIndex() === this.#usedIndex;
  }

  /** Gives up what the device never answered: the mappings go, the ring is dead until it is started again. */
  abandon(): void {
    for (let head = 0; head < this.writer.size; head++) if (this.#links[head] !== 0) this.#release(head);
  }
}
