/**
 * G1, first half: every access of the device lies inside a ring area or an element that the driver described.
 *
 * The books are kept from three things that cross the seams: the driver's writes of queue registers say where rings
 * lie, the device's own reads of descriptors say which elements it was given, and what the device writes into a used
 * ring gives an element back, after which it may not be touched. Descriptors are read in both byte orders, because a
 * legacy ring has the guest's; a wrong order names addresses so odd that this lets nothing pass.
 */
import { EVENT_KINDS, KIND, type MachineEvent } from '../../emu/core/tap.ts';
import { addressText, type Ground, type Watcher } from './invariant.ts';

const MMIO_READ = KIND['mmio-read'];
const PIO_READ = KIND['pio-read'];
const READ_VALUE = KIND['read-value'];
const MMIO_WRITE = KIND['mmio-write'];
const PIO_WRITE = KIND['pio-write'];
const DMA_READ = KIND['dma-read'];
const DMA_WRITE = KIND['dma-write'];
const DMA_FAULT = KIND['dma-fault'];
const MACHINE_RESET = KIND['machine-reset'];
const IS_INPUT: Uint8Array = Uint8Array.from(EVENT_KINDS, (kind) => (kind.direction === 'input' ? 1 : 0));

// Registers by offset and width, as the specification lays them out (VIRTIO 1.3, 4.1.4.3 and 4.1.4.10).
const STATUS = 0x14;
const QUEUE_SELECT = 0x16;
const QUEUE_SIZE = 0x18;
const QUEUE_ENABLE = 0x1c;
const QUEUE_RESET = 0x3a;
const FEATURE_SELECT = 8;
const FEATURES = 12;
/** RING_PACKED in the second word. */
const PACKED = 4;
const ADDRESSES = 0x20;
const ADDRESSES_END = 0x38;
const LEGACY_FRAME = 8;
const LEGACY_SIZE = 12;
const LEGACY_SELECT = 14;
const LEGACY_NOTIFY = 16;
const LEGACY_STATUS = 18;
const LEGACY_ALIGN = 4096;
const TWO_32 = 2 ** 32;

const DESCRIPTOR = 16;
const INDIRECT = 4;
const QUEUES = 8;
const SIZE_MAX = 1024;
const AREAS = 3 * QUEUES;
const ELEMENTS_MAX = 8192;
/** Spans of one queue: descriptors, driver area, device area. */
const DESC = 0;
const AVAIL = 1;
const USED = 2;
/** Where the host bridge turns stores into messages (QEMU SPAPR_PCI_MSI_WINDOW). */
const MSI_HIGH = 0x400;
const MSI_BYTES = 0x1000;

export class MemoryInvariant implements Watcher {
  breach = '';
  #ground: Ground | undefined;
  #tracking = true;
  /** The harness said that the books are wrong, and has not said yet that they are right again. */
  #lost = false;
  #resetting = false;
  #select = 0;
  #featureSelect = 0;
  #lastRead = -1;
  readonly #sizes: Uint16Array = new Uint16Array(QUEUES);
  /** Sizes that the device had before a driver chose: a reset brings them back. */
  readonly #offered: Uint16Array = new Uint16Array(QUEUES);
  readonly #areaLow: Uint32Array = new Uint32Array(AREAS);
  readonly #areaHigh: Uint32Array = new Uint32Array(AREAS);
  readonly #areaUsed: Uint8Array = new Uint8Array(AREAS);
  /** The areas that are used, by number, so that an access looks at no others. */
  readonly #laidOutAreas: Uint8Array = new Uint8Array(AREAS);
  #laidOut = 0;
  // Addresses written and not enabled yet: the device keeps the rings it has until then.
  readonly #nextLow: Uint32Array = new Uint32Array(AREAS);
  readonly #nextHigh: Uint32Array = new Uint32Array(AREAS);
  // Elements and indirect tables that the device has read and not given back.
  #count = 0;
  readonly #low: Uint32Array = new Uint32Array(ELEMENTS_MAX);
  readonly #high: Uint32Array = new Uint32Array(ELEMENTS_MAX);
  readonly #length: Uint32Array = new Uint32Array(ELEMENTS_MAX);
  readonly #head: Int32Array = new Int32Array(ELEMENTS_MAX);
  readonly #isTable: Uint8Array = new Uint8Array(ELEMENTS_MAX);
  /** Which reading of an available entry an element came with. */
  readonly #serial: Uint32Array = new Uint32Array(ELEMENTS_MAX);
  #chain = -1;
  #readings = 0;
  /** The available index as last read, byte for byte, and whether it ever moved further than the ring is long. */
  readonly #availIndex: Uint16Array = new Uint16Array(QUEUES);
  readonly #jumped: Uint8Array = new Uint8Array(QUEUES);
  // The descriptor that is being read, perhaps in pieces.
  readonly #block: Uint8Array = new Uint8Array(DESCRIPTOR);
  /** Where the rest of a ring block is looked for by QEMU 7.2 after a page that is not mapped (tce.md 5.2). */
  #slip = -1;
  #found = -1;
  #offset = 0;

  begin(ground: Ground): void {
    this.#ground = ground;
    this.breach = '';
    this.#lost = false;
    this.#offered.fill(SIZE_MAX);
    this.#forget();
    this.#select = 0;
    this.#lastRead = -1;
  }

  loseTrack(): void {
    this.#lost = true;
  }

  regainTrack(): void {
    this.#lost = false;
  }

  take(event: MachineEvent): void {
    const kind = event.kind;
    // A device ends what it has begun inside the write that resets it; what it was given holds until the next action.
    if (this.#resetting && IS_INPUT[kind] === 1) this.#forget();
    if (kind === DMA_READ || kind === DMA_WRITE) this.#access(event, kind === DMA_WRITE);
    else if (kind === DMA_FAULT) this.#fault(event);
    else if (kind === MMIO_WRITE) this.#write(this.#register(event), event);
    else if (kind === PIO_WRITE) this.#legacyWrite(event);
    else if (kind === MMIO_READ) this.#lastRead = this.#register(event);
    else if (kind === PIO_READ) this.#lastRead = 0x1000 + this.#port(event);
    else if (kind === READ_VALUE) this.#learn(event);
    else if (kind === MACHINE_RESET) this.#forget();
  }

  /** Nothing is described any more, as after a device reset. */
  #forget(): void {
    this.#resetting = false;
    this.#tracking = true;
    this.#select = 0;
    this.#areaUsed.fill(0);
    this.#laidOut = 0;
    this.#nextLow.fill(0);
    this.#nextHigh.fill(0);
    this.#sizes.set(this.#offered);
    this.#count = 0;
    this.#chain = -1;
    this.#availIndex.fill(0);
    this.#jumped.fill(0);
    this.#slip = -1;
  }

  #register(event: MachineEvent): number {
    const common = this.#ground?.common ?? 0;
    if (common === 0) return -1;
    const offset = (event.words[1] ?? 0) * TWO_32 + (event.words[0] ?? 0) - common;
    return offset >= 0 && offset < 0x40 ? offset : -1;
  }

  #port(event: MachineEvent): number {
    const port = this.#ground?.legacyPort ?? -1;
    const offset = (event.words[0] ?? 0) - port;
    return port >= 0 && offset >= 0 && offset < 0x14 ? offset : -1;
  }

  #learn(event: MachineEvent): void {
    const queue = this.#select;
    if (this.#lastRead === QUEUE_SIZE || this.#lastRead === 0x1000 + LEGACY_SIZE) {
      const size = event.words[0] ?? 0;
      if (queue < QUEUES && size >= 1 && size <= SIZE_MAX) {
        if (this.#offered[queue] === SIZE_MAX) this.#offered[queue] = size;
        this.#sizes[queue] = size;
      }
    }
    this.#lastRead = -1;
  }

  #write(offset: number, event: MachineEvent): void {
    if (offset < 0) return;
    const width = event.words[2] ?? 0;
    const value = event.words[6] ?? 0;
    if (offset === STATUS && width === 1) {
      if (value === 0) this.#resetting = true;
    } else if (offset === FEATURE_SELECT) {
      this.#featureSelect = value;
    } else if (offset === FEATURES && this.#featureSelect === 1 && (value & PACKED) !== 0) {
      // These books read split rings only.
      this.#tracking = false;
    } else if (offset === QUEUE_SELECT && width === 2) {
      if (value <= SIZE_MAX - 1 || this.#ground?.behaviour.keepsOldQueueSelected === false)
        this.#select = value;
    } else if (offset === QUEUE_SIZE && width === 2) {
      // Takes effect at once, on a live ring too (QEMU 7.2, D64 of faults.md).
      if (this.#takesSize(value)) this.#sizes[this.#select] = value;
    } else if (offset === QUEUE_ENABLE && width === 2) {
      if (value === 1 && !this.#isLocked()) this.#enable(this.#select);
    } else if (offset === QUEUE_RESET && width === 2) {
      // Whether it counts depends on RING_RESET, which these books do not follow.
      if (this.#ground?.behaviour.resetsQueuesUnasked === false) this.#tracking = false;
      else if (value === 1) this.#resetQueue(this.#select);
    } else if (offset >= ADDRESSES && offset < ADDRESSES_END && width === 4 && (offset & 3) === 0) {
      this.#place(offset - ADDRESSES, value);
    } else if (
      width === 8 ||
      (offset + width > STATUS && (offset & (width - 1)) !== 0) ||
      event.words[4] === 1
    ) {
      this.#tracking = false;
    } else if (offset >= STATUS && offset < ADDRESSES_END && !isWhole(offset, width)) {
      this.#tracking = false;
    }
  }

  #place(offset: number, value: number): void {
    if (this.#select >= QUEUES) {
      this.#tracking = false;
      return;
    }
    if (this.#isLocked()) return;
    const area = 3 * this.#select + (offset >> 3);
    if ((offset & 4) === 0) this.#nextLow[area] = value;
    else this.#nextHigh[area] = value;
  }

  /** Whether the registers of the selected queue keep their values. */
  #isLocked(): boolean {
    const locks = this.#ground?.behaviour.changesLiveQueues === false;
    return locks && this.#select < QUEUES && this.#areaUsed[3 * this.#select] === 1;
  }

  #takesSize(size: number): boolean {
    if (this.#select >= QUEUES || size < 1 || size > SIZE_MAX || this.#isLocked()) return false;
    if (this.#ground?.behaviour.takesAnyQueueSize !== false) return true;
    return size <= (this.#offered[this.#select] ?? 0) && (size & (size - 1)) === 0;
  }

  #enable(queue: number): void {
    if (queue >= QUEUES) {
      this.#tracking = false;
      return;
    }
    for (let area = 3 * queue; area < 3 * queue + 3; area++) {
      this.#areaLow[area] = this.#nextLow[area] ?? 0;
      this.#areaHigh[area] = this.#nextHigh[area] ?? 0;
      this.#areaUsed[area] = 1;
    }
    this.#listAreas();
  }

  /** RING_RESET: the queue has its default size again, and no ring. */
  #resetQueue(queue: number): void {
    if (queue >= QUEUES) return;
    this.#sizes[queue] = this.#offered[queue] ?? SIZE_MAX;
    this.#areaUsed.fill(0, 3 * queue, 3 * queue + 3);
    this.#listAreas();
  }

  #legacyWrite(event: MachineEvent): void {
    const offset = this.#port(event);
    if (offset < 0) return;
    const width = event.words[2] ?? 0;
    const value = event.words[6] ?? 0;
    if (this.#ground?.behaviour.servesBothWindows === false && this.#ground.common !== 0) {
      // Whether the window counts depends on what was negotiated.
      this.#tracking = false;
      return;
    }
    if (offset === LEGACY_STATUS && width === 1) {
      if (value === 0) this.#resetting = true;
    } else if (offset === LEGACY_SELECT && width === 2) {
      if (value <= SIZE_MAX - 1) this.#select = value;
    } else if (offset === LEGACY_FRAME && width === 4) {
      if (value === 0) this.#resetting = true;
      else this.#placeFrame(value);
    } else if (offset + width > LEGACY_FRAME && offset !== LEGACY_NOTIFY) {
      this.#tracking = false;
    }
  }

  /** Legacy rings are one block: descriptors, driver area, and the device area from the next 4 KiB (2.7.2). */
  #placeFrame(frame: number): void {
    const queue = this.#select;
    if (queue >= QUEUES) {
      this.#tracking = false;
      return;
    }
    const size = this.#sizes[queue] ?? SIZE_MAX;
    const base = frame * LEGACY_ALIGN;
    const avail = base + DESCRIPTOR * size;
    const used = Math.ceil((avail + 6 + 2 * size) / LEGACY_ALIGN) * LEGACY_ALIGN;
    this.#set(3 * queue + DESC, base);
    this.#set(3 * queue + AVAIL, avail);
    this.#set(3 * queue + USED, used);
    this.#listAreas();
  }

  #set(area: number, address: number): void {
    this.#areaLow[area] = address % TWO_32;
    this.#areaHigh[area] = Math.floor(address / TWO_32);
    this.#areaUsed[area] = 1;
  }

  #fault(event: MachineEvent): void {
    if ((event.words[0] ?? 0) !== this.#ground?.requester) return;
    const length = event.words[4] ?? 0;
    if (this.#inArea(event.words[3] ?? 0, event.words[2] ?? 0, length) && this.#found % 3 === DESC) {
      const at = this.#offset & (DESCRIPTOR - 1);
      this.#block.fill(0, at, Math.min(DESCRIPTOR, at + length));
    }
    this.#slip =
      this.#found >= 0
        ? this.#offset + length
        : this.#tableSlip(event.words[3] ?? 0, event.words[2] ?? 0, length);
  }

  /** The same slip for a block of an indirect table. */
  #tableSlip(high: number, low: number, length: number): number {
    const element = this.#inElement(high, low, length, true);
    if (element < 0) return -1;
    const offset = (low - (this.#low[element] ?? 0)) >>> 0;
    const at = offset & (DESCRIPTOR - 1);
    this.#block.fill(0, at, Math.min(DESCRIPTOR, at + length));
    return offset + length;
  }

  #access(event: MachineEvent, write: boolean): void {
    if ((event.words[0] ?? 0) !== this.#ground?.requester) return;
    const high = event.words[3] ?? 0;
    const low = event.words[2] ?? 0;
    const length = event.byteLength;
    if (this.#inArea(high, low, length)) {
      this.#ringAccess(event, write);
      return;
    }
    const slipped = high === 0 && low === this.#slip;
    this.#slip = -1;
    if (slipped) {
      this.#collect(event, low);
      return;
    }
    // An element may lie over a table: reading there may be reading descriptors, and then says what is described.
    const table = write ? -1 : this.#inElement(high, low, length, true);
    const element = table >= 0 ? table : this.#inElement(high, low, length, false);
    if (element >= 0) {
      if (table >= 0) {
        this.#collect(event, (low - (this.#low[element] ?? 0)) >>> 0);
      }
      return;
    }
    if (!this.#tracking || this.#lost || this.breach !== '') return;
    if (write && high === MSI_HIGH && low < MSI_BYTES && length === 4) return;
    this.breach = `the device ${write ? 'wrote' : 'read'} ${length} bytes at ${addressText(high, low)}, which no ring and no element covers`;
  }

  #ringAccess(event: MachineEvent, write: boolean): void {
    const area = this.#found;
    const offset = this.#offset;
    this.#slip = offset + event.byteLength;
    const part = area % 3;
    const raw = rawHalf(event, 0);
    if (part === USED) {
      // Data that an element over the used ring takes says nothing of what came back.
      const isData = this.#inElement(event.words[3] ?? 0, event.words[2] ?? 0, event.byteLength, false) >= 0;
      if (write && !isData) this.#usedWrite(event, Math.floor(area / 3), offset, raw);
    } else if (write) return;
    else if (part === DESC) this.#collect(event, offset);
    else if (event.byteLength === 2) this.#availRead(Math.floor(area / 3), offset, raw);
  }

  #availRead(queue: number, offset: number, raw: number): void {
    if (offset >= 4) {
      this.#chain = raw | (queue << 16);
      this.#readings++;
    } else if (offset === 2) {
      const before = this.#availIndex[queue] ?? 0;
      const size = this.#sizes[queue] ?? SIZE_MAX;
      const bigStep = (raw - before) & 0xffff;
      const littleStep = (swapped(raw) - swapped(before)) & 0xffff;
      if (bigStep > size && littleStep > size) this.#jumped[queue] = 1;
      this.#availIndex[queue] = raw;
    }
  }

  #usedWrite(event: MachineEvent, queue: number, offset: number, raw: number): void {
    if (offset >= 4) {
      if (event.byteLength >= 4 && (offset & 7) === 4)
        this.#giveBack(raw | (queue << 16), rawHalf(event, 2) | (queue << 16));
    } else if (offset === 2 && raw === this.#availIndex[queue] && this.#jumped[queue] === 0) {
      // As many came back as were offered: nothing of this queue is under way.
      this.#dropQueue(queue);
    }
  }

  /** Bytes of descriptors: gathers one after the other and notes what each describes. */
  #collect(event: MachineEvent, offset: number): void {
    let at = offset & (DESCRIPTOR - 1);
    for (let i = 0; i < event.byteLength; i++) {
      this.#block[at++] = event.bytes[event.byteOffset + i] ?? 0;
      if (at === DESCRIPTOR) {
        this.#describe();
        at = 0;
      }
    }
  }

  #describe(): void {
    const b = this.#block;
    const little = (b[12] ?? 0) | ((b[13] ?? 0) << 8);
    this.#add(word(b, 7), word(b, 3), word(b, 11), little);
    const big = (b[13] ?? 0) | ((b[12] ?? 0) << 8);
    this.#add(bigWord(b, 0), bigWord(b, 4), bigWord(b, 8), big);
  }

  #add(high: number, low: number, length: number, flags: number): void {
    if (this.#count === ELEMENTS_MAX) {
      this.#tracking = false;
      return;
    }
    const at = this.#count++;
    this.#low[at] = low;
    this.#high[at] = high;
    this.#length[at] = length;
    this.#head[at] = this.#chain;
    this.#serial[at] = this.#readings;
    this.#isTable[at] = (flags & INDIRECT) !== 0 ? 1 : 0;
  }

  /**
   * A used element names a head, in either byte order. Its elements are the driver's again, unless the device has read
   * that head more than once: then one reading may have been a look ahead, and another may be under way.
   */
  #giveBack(little: number, big: number): void {
    let serial = -1;
    for (let i = 0; i < this.#count; i++) {
      const head = this.#head[i] ?? 0;
      if (head !== little && head !== big) continue;
      if (serial >= 0 && serial !== this.#serial[i]) return;
      serial = this.#serial[i] ?? 0;
    }
    if (serial < 0) return;
    let kept = 0;
    for (let i = 0; i < this.#count; i++) if (this.#serial[i] !== serial) this.#move(i, kept++);
    this.#count = kept;
  }

  #dropQueue(queue: number): void {
    let kept = 0;
    for (let i = 0; i < this.#count; i++) if ((this.#head[i] ?? 0) >> 16 !== queue) this.#move(i, kept++);
    this.#count = kept;
  }

  #move(from: number, to: number): void {
    if (from === to) return;
    this.#low[to] = this.#low[from] ?? 0;
    this.#high[to] = this.#high[from] ?? 0;
    this.#length[to] = this.#length[from] ?? 0;
    this.#head[to] = this.#head[from] ?? 0;
    this.#isTable[to] = this.#isTable[from] ?? 0;
    this.#serial[to] = this.#serial[from] ?? 0;
  }

  #listAreas(): void {
    this.#laidOut = 0;
    for (let area = 0; area < AREAS; area++) {
      if (this.#areaUsed[area] === 1) this.#laidOutAreas[this.#laidOut++] = area;
    }
  }

  #inArea(high: number, low: number, length: number): boolean {
    for (let i = 0; i < this.#laidOut; i++) {
      const area = this.#laidOutAreas[i] ?? 0;
      const offset = inside(high, low, this.#areaHigh[area] ?? 0, this.#areaLow[area] ?? 0);
      if (offset >= 0 && offset + length <= this.#areaBytes(area)) {
        this.#found = area;
        this.#offset = offset;
        return true;
      }
    }
    this.#found = -1;
    return false;
  }

  #areaBytes(area: number): number {
    const size = this.#sizes[Math.floor(area / 3)] ?? SIZE_MAX;
    const part = area % 3;
    if (part === DESC) return DESCRIPTOR * size;
    return part === AVAIL ? 6 + 2 * size : 6 + 8 * size;
  }

  /** The latest element that holds all of these bytes, of tables only or of all; -1 if there is none. */
  #inElement(high: number, low: number, length: number, table: boolean): number {
    for (let i = this.#count - 1; i >= 0; i--) {
      if (table && this.#isTable[i] !== 1) continue;
      const offset = inside(high, low, this.#high[i] ?? 0, this.#low[i] ?? 0);
      if (offset >= 0 && offset + length <= (this.#length[i] ?? 0)) return i;
    }
    return -1;
  }
}

/** Offset of an address from a base, modulo 2^64; -1 from 2^32 on. */
function inside(high: number, low: number, baseHigh: number, baseLow: number): number {
  const difference = low - baseLow;
  const over = (high - baseHigh - (difference < 0 ? 1 : 0)) | 0;
  return over === 0 ? (difference < 0 ? difference + TWO_32 : difference) : -1;
}

function isWhole(offset: number, width: number): boolean {
  if (offset >= ADDRESSES) return width === 4;
  return width === (offset === STATUS || offset === 0x15 ? 1 : 2);
}

/** 32 bits whose most significant byte stands at `top`, less significant ones before it. */
function word(b: Uint8Array, top: number): number {
  return (
    (((b[top] ?? 0) << 24) | ((b[top - 1] ?? 0) << 16) | ((b[top - 2] ?? 0) << 8) | (b[top - 3] ?? 0)) >>> 0
  );
}

function bigWord(b: Uint8Array, at: number): number {
  return (((b[at] ?? 0) << 24) | ((b[at + 1] ?? 0) << 16) | ((b[at + 2] ?? 0) << 8) | (b[at + 3] ?? 0)) >>> 0;
}

/** Two bytes of an event as they stand, the first one high: good for comparing. */
function rawHalf(event: MachineEvent, from: number): number {
  const at = event.byteOffset + from;
  return ((event.bytes[at] ?? 0) << 8) | (event.bytes[at + 1] ?? 0);
}

function swapped(value: number): number {
  return ((value & 0xff) << 8) | (value >> 8);
}
