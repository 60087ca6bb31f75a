import {
  DESC_BYTES,
  DESC_F_INDIRECT,
  DESC_F_NEXT,
  DESC_F_WRITE,
  DESC_LEN,
  PACKED_DESC_F_AVAIL,
  PACKED_DESC_F_USED,
  PACKED_DESC_FLAGS,
  PACKED_DESC_ID,
  PACKED_EVENT_F_DESC,
  PACKED_EVENT_F_DISABLE,
  PACKED_EVENT_F_ENABLE,
  PACKED_EVENT_FLAGS,
  PACKED_EVENT_BYTES,
  RING_SIZE_MAX,
} from './abi.ts';
import { MAPPING_FAILED, type DmaMapper } from './dma-map.ts';
import type { GuestPlatform } from './platform.ts';
import {
  Batch,
  CHAIN_MAX,
  RING_BROKEN,
  RING_EMPTY,
  RING_FULL,
  RING_UNMAPPED,
  RingPlace,
  type Chain,
  type DriverRing,
  type RingFault,
  type RingLayout,
} from './rings.ts';

const WRAP = 0x8000;

/** One block: descriptors, then the driver's event structure, then the device's. */
export function packedLayout(size: number): RingLayout {
  const avail = DESC_BYTES * size;
  return { avail, used: avail + PACKED_EVENT_BYTES, bytes: avail + 2 * PACKED_EVENT_BYTES };
}

/** Stores into the areas of a packed ring, and loads from them, with no opinion on what makes sense. */
export class PackedWriter extends RingPlace {
  /** Everything of a descriptor but its flags. `table` may be an indirect one. */
  body(table: number, index: number, high: number, low: number, length: number, id: number): void {
    const { platform, little } = this;
    const at = table + DESC_BYTES * index;
    platform.store32(little ? at : at + 4, low >>> 0, little);
    platform.store32(little ? at + 4 : at, high >>> 0, little);
    platform.store32(at + DESC_LEN, length >>> 0, little);
    platform.store16(at + PACKED_DESC_ID, id, little);
  }

  setFlags(table: number, index: number, flags: number): void {
    this.platform.store16(table + DESC_BYTES * index + PACKED_DESC_FLAGS, flags, this.little);
  }

  flags(index: number): number {
    return this.platform.load16(this.desc + DESC_BYTES * index + PACKED_DESC_FLAGS, this.little);
  }

  id(index: number): number {
    return this.platform.load16(this.desc + DESC_BYTES * index + PACKED_DESC_ID, this.little);
  }

  length(index: number): number {
    return this.platform.load32(this.desc + DESC_BYTES * index + DESC_LEN, this.little);
  }

  setDriverPlace(place: number): void {
    this.platform.store16(this.avail, place, this.little);
  }

  setDriverFlags(flags: number): void {
    this.platform.store16(this.avail + PACKED_EVENT_FLAGS, flags, this.little);
  }

  /** The device's event structure in one load, so that its halves belong together: place below, flags above. */
  deviceEvent(): number {
    return this.platform.load32(this.used, this.little);
  }
}

/**
 * The driver's side of a packed queue as Linux has it (drivers/virtio/virtio_ring.c, virtqueue_*_packed): ids name
 * requests, slots are taken in ring order, and what the device answers is checked against what the driver remembers.
 */
export class PackedRing implements DriverRing {
  readonly writer: PackedWriter;
  fault: RingFault | undefined;
  ignoresLengths = false;
  collectedLength = 0;
  inFlight = 0;

  #mapper: DmaMapper | undefined;
  #eventIdx = false;
  #tables = 0;
  #freeId = 0;
  #freeSlots = 0;
  #next = 0;
  #nextWrap = true;
  #used = 0;
  #usedWrap = true;
  /** Slots published since the device was last notified. */
  #unannounced = 0;
  #noInterrupt = false;
  readonly #batch: Batch = new Batch();

  readonly #nextId: Uint16Array = new Uint16Array(RING_SIZE_MAX);
  /** Slots of the request with this id; 0 marks an id that is free. */
  readonly #slots: Uint16Array = new Uint16Array(RING_SIZE_MAX);
  readonly #indirect: Uint8Array = new Uint8Array(RING_SIZE_MAX);
  readonly #buffers: Uint8Array = new Uint8Array(RING_SIZE_MAX);
  readonly #writable: Uint32Array = new Uint32Array(RING_SIZE_MAX);
  readonly #mappedLow: Uint32Array = new Uint32Array(RING_SIZE_MAX * CHAIN_MAX);
  readonly #mappedLength: Uint32Array = new Uint32Array(RING_SIZE_MAX * CHAIN_MAX);
  readonly #tableLow: Uint32Array = new Uint32Array(RING_SIZE_MAX);

  constructor(platform: GuestPlatform) {
    this.writer = new PackedWriter(platform);
  }

  /** An empty ring. The areas hold zeros. `tables` as for a split ring, one for each id. */
  start(mapper: DmaMapper, eventIdx: boolean, tables: number, inOrder = false): void {
    const { size } = this.writer;
    this.fault = undefined;
    this.inFlight = 0;
    this.#mapper = mapper;
    this.#eventIdx = eventIdx;
    this.#tables = tables;
    this.#batch.start(inOrder);
    this.#freeId = 0;
    this.#freeSlots = size;
    this.#next = 0;
    this.#nextWrap = true;
    this.#used = 0;
    this.#usedWrap = true;
    this.#unannounced = 0;
    this.#noInterrupt = false;
    for (let id = 0; id < size; id++) {
      this.#nextId[id] = id + 1;
      this.#slots[id] = 0;
    }
  }

  get size(): number {
    return this.writer.size;
  }

  get freeDescriptors(): number {
    return this.#freeSlots;
  }

  /** What a notification says of this queue besides its number (2.9): next slot, and wrap counter in bit 15. */
  get place(): number {
    return this.#next | (this.#nextWrap ? WRAP : 0);
  }

  /** Maps the buffers, writes the descriptors, the head's flags last. The id, RING_FULL or RING_UNMAPPED. */
  add(chain: Chain): number {
    const mapper = this.#mapper;
    const indirect = this.#tables !== 0 && chain.count > 1;
    const slots = indirect ? 1 : chain.count;
    if (mapper === undefined || this.#freeSlots < slots) return RING_FULL;
    const id = this.#freeId;
    if (!this.#mapChain(mapper, id, chain)) return RING_UNMAPPED;
    if (indirect) {
      if (!this.#writeIndirect(mapper, id, chain)) return RING_UNMAPPED;
    } else this.#writeDirect(mapper, id, chain);
    this.#freeId = this.#nextId[id] ?? 0;
    this.#slots[id] = slots;
    this.#indirect[id] = indirect ? 1 : 0;
    this.#freeSlots -= slots;
    this.#unannounced += slots;
    this.inFlight++;
    this.#batch.add(id);
    return id;
  }

  #mapChain(mapper: DmaMapper, id: number, chain: Chain): boolean {
    const at = id * CHAIN_MAX;
    let writable = 0;
    for (let i = 0; i < chain.count; i++) {
      const length = chain.length[i] ?? 0;
      const deviceWrites = chain.deviceWrites[i] === 1;
      const low = mapper.map(chain.gpa[i] ?? 0, length, deviceWrites);
      if (low === MAPPING_FAILED) {
        this.#unmapBuffers(mapper, id, i);
        return false;
      }
      this.#mappedLow[at + i] = low;
      this.#mappedLength[at + i] = length;
      if (deviceWrites) writable += length;
    }
    this.#buffers[id] = chain.count;
    this.#writable[id] = writable;
    return true;
  }

  #writeDirect(mapper: DmaMapper, id: number, chain: Chain): void {
    const { writer } = this;
    const head = this.#next;
    let headFlags = 0;
    for (let i = 0; i < chain.count; i++) {
      const slot = this.#next;
      const more = i === chain.count - 1 ? 0 : DESC_F_NEXT;
      const flags = more | (chain.deviceWrites[i] === 1 ? DESC_F_WRITE : 0) | this.#available();
      const low = this.#mappedLow[id * CHAIN_MAX + i] ?? 0;
      writer.body(writer.desc, slot, mapper.high, low, chain.length[i] ?? 0, id);
      if (i === 0) headFlags = flags;
      else writer.setFlags(writer.desc, slot, flags);
      this.#advance();
    }
    writer.setFlags(writer.desc, head, headFlags);
  }

  #writeIndirect(mapper: DmaMapper, id: number, chain: Chain): boolean {
    const { writer } = this;
    const table = this.#tables + id * CHAIN_MAX * DESC_BYTES;
    const bytes = chain.count * DESC_BYTES;
    for (let i = 0; i < chain.count; i++) {
      const low = this.#mappedLow[id * CHAIN_MAX + i] ?? 0;
      writer.body(table, i, mapper.high, low, chain.length[i] ?? 0, 0);
      writer.setFlags(table, i, chain.deviceWrites[i] === 1 ? DESC_F_WRITE : 0);
    }
    const low = mapper.map(table, bytes, false);
    if (low === MAPPING_FAILED) {
      this.#unmapBuffers(mapper, id, chain.count);
      return false;
    }
    this.#tableLow[id] = low;
    const slot = this.#next;
    writer.body(writer.desc, slot, mapper.high, low, bytes, id);
    writer.setFlags(writer.desc, slot, DESC_F_INDIRECT | this.#available());
    this.#advance();
    return true;
  }

  #available(): number {
    return this.#nextWrap ? PACKED_DESC_F_AVAIL : PACKED_DESC_F_USED;
  }

  #advance(): void {
    if (++this.#next < this.writer.size) return;
    this.#next = 0;
    this.#nextWrap = !this.#nextWrap;
  }

  /** Whether the device wants to hear of what was published since the last time. */
  needsNotification(): boolean {
    const count = this.#unannounced;
    this.#unannounced = 0;
    if (count === 0) return false;
    const word = this.writer.deviceEvent();
    const flags = word >>> 16;
    if (flags !== PACKED_EVENT_F_DESC) return flags !== PACKED_EVENT_F_DISABLE;
    const sameWrap = ((word & WRAP) !== 0) === this.#nextWrap;
    const event = (word & ~WRAP & 0xffff) - (sameWrap ? 0 : this.writer.size);
    return ((this.#next - event - 1) & 0xffff) < count;
  }

  /** The next buffer that the device gave back: its id; RING_EMPTY; or RING_BROKEN, with `fault` set. */
  collect(): number {
    const { writer } = this;
    if (this.fault !== undefined) return RING_BROKEN;
    if (this.#batch.open) return this.#nextAnswered();
    if (!this.#isUsed()) return RING_EMPTY;
    const id = writer.id(this.#used);
    const length = writer.length(this.#used);
    if (id >= writer.size) return this.#broken('id out of range');
    if (this.#slots[id] === 0) return this.#broken('id is not a head');
    if (length > (this.#writable[id] ?? 0) && !this.ignoresLengths)
      return this.#broken('length exceeds the buffers');
    this.#batch.answer(id, length);
    return this.#nextAnswered();
  }

  /** The next request of those that the answer read last stands for. */
  #nextAnswered(): number {
    const { writer } = this;
    const id = this.#batch.take();
    const slots = this.#slots[id] ?? 0;
    this.collectedLength = this.#batch.open ? (this.#writable[id] ?? 0) : this.#batch.length;
    this.#release(id);
    this.#used += slots;
    if (this.#used >= writer.size) {
      this.#used -= writer.size;
      this.#usedWrap = !this.#usedWrap;
    }
    if (this.#eventIdx && !this.#noInterrupt) writer.setDriverPlace(this.#usedPlace());
    return id;
  }

  #isUsed(): boolean {
    const flags = this.writer.flags(this.#used);
    const available = (flags & PACKED_DESC_F_AVAIL) !== 0;
    return available === ((flags & PACKED_DESC_F_USED) !== 0) && available === this.#usedWrap;
  }

  #usedPlace(): number {
    return this.#used | (this.#usedWrap ? WRAP : 0);
  }

  #broken(fault: RingFault): number {
    this.fault = fault;
    return RING_BROKEN;
  }

  #release(id: number): void {
    const mapper = this.#mapper;
    if (mapper === undefined) return;
    if (this.#indirect[id] === 1) {
      mapper.unmap(this.#tableLow[id] ?? 0, (this.#buffers[id] ?? 0) * DESC_BYTES);
    }
    this.#unmapBuffers(mapper, id, this.#buffers[id] ?? 0);
    this.#freeSlots += this.#slots[id] ?? 0;
    this.#slots[id] = 0;
    this.#nextId[id] = this.#freeId;
    this.#freeId = id;
    this.inFlight--;
  }

  #unmapBuffers(mapper: DmaMapper, id: number, count: number): void {
    const at = id * CHAIN_MAX;
    for (let i = 0; i < count; i++)
      mapper.unmap(this.#mappedLow[at + i] ?? 0, this.#mappedLength[at + i] ?? 0);
  }

  disableInterrupts(): void {
    if (this.#noInterrupt) return;
    this.#noInterrupt = true;
    this.writer.setDriverFlags(PACKED_EVENT_F_DISABLE);
  }

  /** Asks for an interrupt at the next used buffer. False if one is there already, which must be looked at first. */
  enableInterrupts(): boolean {
    this.#noInterrupt = false;
    const { writer } = this;
    if (this.#eventIdx) writer.setDriverPlace(this.#usedPlace());
    writer.setDriverFlags(this.#eventIdx ? PACKED_EVENT_F_DESC : PACKED_EVENT_F_ENABLE);
    return !this.#isUsed();
  }

  abandon(): void {
    for (let id = 0; id < this.writer.size; id++) if (this.#slots[id] !== 0) this.#release(id);
  }
}
