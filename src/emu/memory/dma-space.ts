import type { Diagnostics } from '../core/diagnostics.ts';
import { KIND } from '../core/tap.ts';
import type { TapLine } from '../core/tap-line.ts';
import type { AddressSpace } from './address-space.ts';
import type { BounceBuffer } from './bounce-buffer.ts';
import type { Dma } from './dma.ts';
import { PAGE_BYTES, type PagedMemory } from './guest-memory.ts';
import { RingCache, RING_IN_RAM, RING_IN_REGION, RING_IN_WINDOW, RING_NOWHERE } from './ring-cache.ts';
import {
  BusHit,
  MAY_READ,
  MAY_WRITE,
  Translation,
  type BusSpace,
  type TranslationWindow,
} from './translation.ts';

/** The bus a function masters, and whether it may: only behind an IOMMU. */
export interface MasteredBus {
  readonly space: BusSpace;
  readonly function: { readonly busMaster: boolean };
}

export interface DmaParts {
  readonly memory: PagedMemory;
  /** What answers beside RAM. */
  readonly system: AddressSpace;
  readonly bounce: BounceBuffer;
  readonly diagnostics: Diagnostics;
  readonly line: TapLine;
  /** Requester id: bus << 8 | devfn. */
  readonly requester: number;
  /** Absent: the device speaks guest-physical addresses (iommu_platform=off). */
  readonly bus: MasteredBus | undefined;
  /** Called after each access, or part of one, that nothing answered. */
  readonly onFault?: () => void;
}

const RAM = 0;
const REGION = 1;
const NOTHING = 2;
type Kind = typeof RAM | typeof REGION | typeof NOTHING;

/** QEMU's name of the region that is guest RAM. */
const RAM_NAME = 'ppc_spapr.ram';
const TWO_32 = 2 ** 32;
const EXACT_HIGH = 2 ** 21;
const NO_WINDOW: TranslationWindow = {
  translate: (_offset, into) => {
    into.permission = 0;
  },
};
const DMA_READ = KIND['dma-read'];
const DMA_WRITE = KIND['dma-write'];
const DMA_FAULT = KIND['dma-fault'];
const DISCARD = KIND['discard'];

/**
 * A device's view of memory: QEMU's AddressSpace with what softmmu/physmem.c does to it. Every access of a device is
 * made here and nowhere else, so this is where DMA events come from.
 *
 * Addresses are two 32-bit halves, and what a translation finds stays in fields until the next one: nothing is allocated.
 * An access to a region can lead back into the same device (a buffer that is a BAR), so fields are read before it.
 */
export class DmaSpace implements Dma {
  /** What `map` found: an offset into RAM, or -1 for the bounce buffer, and how much of the request it covers. */
  mappedOffset = 0;
  mappedLength = 0;
  readonly requester: number;
  readonly memory: PagedMemory;
  readonly bounce: BounceBuffer;
  readonly #system: AddressSpace;
  readonly #bus: MasteredBus | undefined;
  readonly #diagnostics: Diagnostics;
  readonly #line: TapLine;
  readonly #onFault: (() => void) | undefined;
  readonly #hit: BusHit = new BusHit();
  readonly #translation: Translation = new Translation();
  readonly #small: Uint8Array<ArrayBuffer> = new Uint8Array(16);
  readonly #smallView: DataView<ArrayBuffer> = new DataView(this.#small.buffer);

  // The target of the last translation.
  #kind: Kind = NOTHING;
  /** Offset into RAM, or the address in `#regions`. */
  #offset = 0;
  #regions: AddressSpace;
  /** Bytes that the answer holds for, at most what was asked. */
  #length = 0;
  /** What QEMU prints of an access that nothing answers. */
  #printHigh = 0;
  #printLow = 0;

  constructor(parts: DmaParts) {
    this.memory = parts.memory;
    this.bounce = parts.bounce;
    this.requester = parts.requester;
    this.#system = parts.system;
    this.#regions = parts.system;
    this.#bus = parts.bus;
    this.#diagnostics = parts.diagnostics;
    this.#line = parts.line;
    this.#onFault = parts.onFault;
  }

  read(address: bigint, into: Uint8Array, at: number, length: number): void {
    this.readAt(
      Number(BigInt.asUintN(32, address >> 32n)),
      Number(BigInt.asUintN(32, address)),
      into,
      at,
      length,
    );
  }

  write(address: bigint, from: Uint8Array, at: number, length: number): void {
    this.writeAt(
      Number(BigInt.asUintN(32, address >> 32n)),
      Number(BigInt.asUintN(32, address)),
      from,
      at,
      length,
    );
  }

  /** address_space_read: what nothing answers is zero. */
  readAt(high: number, low: number, into: Uint8Array, at: number, length: number): void {
    if (length === 0) return;
    let done = 0;
    // Where the run of bytes began that nothing answers, or -1.
    let lost = -1;
    let answered = false;
    while (done < length) {
      this.#translate(carried(high, low, done), (low + done) >>> 0, length - done, false);
      const step = this.#readStep(into, at + done);
      if (this.#kind === NOTHING) {
        if (lost < 0) lost = done;
      } else {
        if (lost >= 0) this.#fault(high, low, lost, done - lost, 0);
        lost = -1;
        answered = true;
      }
      done += step;
    }
    if (lost >= 0) this.#fault(high, low, lost, done - lost, 0);
    if (answered) this.#emit(DMA_READ, high, low, into, at, length);
  }

  /** address_space_write: what nothing answers is dropped. */
  writeAt(high: number, low: number, from: Uint8Array, at: number, length: number): void {
    if (length === 0) return;
    let done = 0;
    // Where the run of bytes began that nothing answers, or -1.
    let lost = -1;
    let answered = false;
    while (done < length) {
      this.#translate(carried(high, low, done), (low + done) >>> 0, length - done, true);
      const step = this.#writeStep(from, at + done);
      if (this.#kind === NOTHING) {
        if (lost < 0) lost = done;
      } else {
        if (lost >= 0) this.#fault(high, low, lost, done - lost, 1);
        lost = -1;
        answered = true;
      }
      done += step;
    }
    if (lost >= 0) this.#fault(high, low, lost, done - lost, 1);
    if (answered) this.#emit(DMA_WRITE, high, low, from, at, length);
  }

  /** A message: one little-endian store of 4 bytes (address_space_stl_le), as msi_send_message makes it. */
  writeMessage(high: number, low: number, data: number): void {
    this.#translate(high, low, 4, true);
    this.#smallView.setUint32(0, data, true);
    this.#store(4, data, true, high, low);
  }

  // --- Mapped buffers -------------------------------------------------------------------------------------------

  /**
   * address_space_map: as much of the buffer as lies together in RAM, or the bounce buffer for at most a page of what is
   * not RAM. False if the bounce buffer is taken.
   */
  map(high: number, low: number, length: number, write: boolean): boolean {
    this.#translate(high, low, length, write);
    if (this.#kind !== RAM) return this.#mapBounce(high, low, Math.min(this.#length, PAGE_BYTES), write);
    const offset = this.#offset;
    let done = this.#length;
    while (done < length) {
      this.#translate(carried(high, low, done), (low + done) >>> 0, length - done, write);
      if (this.#kind !== RAM || this.#offset !== offset + done) break;
      done += this.#length;
    }
    this.mappedOffset = offset;
    this.mappedLength = done;
    return true;
  }

  /** address_space_unmap of a bounced buffer: the first `written` bytes go where they were meant to. */
  unmapBounce(write: boolean, written: number): void {
    const { bounce } = this;
    if (write) this.writeAt(bounce.addressHigh, bounce.addressLow, bounce.bytes, 0, written);
    bounce.inUse = false;
  }

  /** Device's read of a mapped piece; `high`, `low` are its bus address, for whoever watches. */
  readMapped(offset: number, high: number, low: number, into: Uint8Array, at: number, length: number): void {
    this.memory.read(offset, into, at, length);
    this.#emit(DMA_READ, high, low, into, at, length);
  }

  writeMapped(offset: number, high: number, low: number, from: Uint8Array, at: number, length: number): void {
    this.memory.write(offset, from, at, length);
    this.#emit(DMA_WRITE, high, low, from, at, length);
  }

  /** The host takes whole pages of RAM back: they read as zeros from now on. */
  discard(offset: number, length: number): void {
    this.memory.fill(offset, 0, length);
    const event = this.#line.open(DISCARD);
    if (event === undefined) return;
    event.small(0, this.requester);
    event.words[2] = offset % TWO_32;
    event.words[3] = Math.floor(offset / TWO_32);
    event.small(2, length);
    this.#line.send();
  }

  /** Where in RAM a read of the address would be answered now; undefined if nothing of RAM would. */
  ramAt(high: number, low: number): number | undefined {
    this.#translate(high, low, 1, false);
    return this.#kind === RAM ? this.#offset : undefined;
  }

  // --- Rings ----------------------------------------------------------------------------------------------------

  /**
   * address_space_cache_init: finds what a ring area starts in and how much of the area that holds. Only RAM is looked
   * at beyond its start; a window counts whole, whatever its table says.
   */
  openRing(ring: RingCache, high: number, low: number, length: number): number {
    ring.high = high;
    ring.low = low;
    ring.window = undefined;
    this.#section(ring, high, low, length);
    return ring.length;
  }

  load16(ring: RingCache, at: number, littleEndian: boolean): number {
    if (at + 2 > ring.length) return this.#overrun('address_space_lduw_cached');
    let value: number;
    const low = ring.low + at;
    if (ring.kind === RING_IN_RAM) {
      value = this.memory.u16(ring.offset + at, littleEndian);
    } else {
      this.#enter(ring, at, 2, false);
      if (this.#kind === RAM && this.#length >= 2) value = this.memory.u16(this.#offset, littleEndian);
      else if (this.#kind === REGION) value = this.#regions.loadPhysical(this.#offset, 2, !littleEndian);
      else {
        this.#refuse('read', 2);
        this.#fault(ring.high, ring.low, at, 2, 0);
        return 0;
      }
    }
    if (this.#line.tap !== undefined) {
      this.#smallView.setUint16(0, value, littleEndian);
      this.#emit(DMA_READ, carried(ring.high, ring.low, at), low >>> 0, this.#small, 0, 2);
    }
    return value;
  }

  store16(ring: RingCache, at: number, value: number, littleEndian: boolean): void {
    if (at + 2 > ring.length) {
      this.#overrun('address_space_stw_cached');
      return;
    }
    const high = carried(ring.high, ring.low, at);
    const low = (ring.low + at) >>> 0;
    if (ring.kind === RING_IN_RAM) {
      this.#kind = RAM;
      this.#offset = ring.offset + at;
      this.#length = 2;
    } else {
      this.#enter(ring, at, 2, true);
    }
    this.#smallView.setUint16(0, value, littleEndian);
    this.#store(2, value, littleEndian, high, low);
  }

  /**
   * A block of a ring (descriptor, used element). In RAM it is copied. Elsewhere only the first piece is found by the
   * ring; the rest is looked for at the block's offset in the ring taken as an address, as QEMU 7.2 does
   * (address_space_read_cached_slow).
   */
  loadBlock(ring: RingCache, at: number, into: Uint8Array, length: number): void {
    if (at + length > ring.length) {
      into.fill(0, 0, length);
      this.#overrun('address_space_read_cached');
      return;
    }
    const high = carried(ring.high, ring.low, at);
    const low = (ring.low + at) >>> 0;
    if (ring.kind === RING_IN_RAM) {
      this.readMapped(ring.offset + at, high, low, into, 0, length);
      return;
    }
    this.#enter(ring, at, length, false);
    if (this.#kind === RAM && this.#length >= length) {
      this.readMapped(this.#offset, high, low, into, 0, length);
      return;
    }
    const step = this.#readStep(into, 0);
    if (this.#kind === NOTHING) this.#fault(high, low, 0, step, 0);
    else this.#emit(DMA_READ, high, low, into, 0, step);
    this.readAt(0, at + step, into, step, length - step);
  }

  storeBlock(ring: RingCache, at: number, from: Uint8Array, length: number): void {
    if (at + length > ring.length) {
      this.#overrun('address_space_write_cached');
      return;
    }
    const high = carried(ring.high, ring.low, at);
    const low = (ring.low + at) >>> 0;
    if (ring.kind === RING_IN_RAM) {
      this.writeMapped(ring.offset + at, high, low, from, 0, length);
      return;
    }
    this.#enter(ring, at, length, true);
    if (this.#kind === RAM && this.#length >= length) {
      this.writeMapped(this.#offset, high, low, from, 0, length);
      return;
    }
    const step = this.#writeStep(from, 0);
    if (this.#kind === NOTHING) this.#fault(high, low, 0, step, 1);
    else this.#emit(DMA_WRITE, high, low, from, 0, step);
    this.writeAt(0, at + step, from, step, length - step);
  }

  /**
   * Part of a ring in one piece, if it lies together in RAM and nobody watches: then it shows nowhere in how many
   * accesses it is read. False: nothing was read.
   */
  loadUnseen(ring: RingCache, at: number, into: Uint8Array, length: number): boolean {
    const offset = this.#unseen(ring, at, length, false);
    if (offset >= 0) this.memory.read(offset, into, 0, length);
    return offset >= 0;
  }

  storeUnseen(ring: RingCache, at: number, from: Uint8Array, first: number, length: number): boolean {
    const offset = this.#unseen(ring, at, length, true);
    if (offset >= 0) this.memory.write(offset, from, first, length);
    return offset >= 0;
  }

  #unseen(ring: RingCache, at: number, length: number, write: boolean): number {
    if (this.#line.tap !== undefined || at + length > ring.length) return -1;
    if (ring.kind === RING_IN_RAM) return ring.offset + at;
    this.#enter(ring, at, length, write);
    return this.#kind === RAM && this.#length >= length ? this.#offset : -1;
  }

  // --- Finding --------------------------------------------------------------------------------------------------

  #section(ring: RingCache, high: number, low: number, length: number): void {
    if (this.#bus === undefined) {
      this.#system64(high, low, length);
      if (this.#kind === RAM) {
        ring.kind = RING_IN_RAM;
        ring.offset = this.#offset;
        ring.length = this.#length;
        return;
      }
    } else if (this.#bus.function.busMaster && this.#bus.space.find(high, low, this.#hit)) {
      ring.kind = RING_IN_WINDOW;
      ring.window = this.#hit.window;
      ring.offset = this.#hit.offset;
      ring.length = Math.min(length, this.#hit.left);
      return;
    } else {
      this.#outside(high, low, length);
    }
    const region = this.#kind === REGION;
    ring.kind = region ? RING_IN_REGION : RING_NOWHERE;
    const left = region ? this.#regions.extent(this.#offset) : (TWO_32 - high) * TWO_32 - low;
    ring.length = Math.min(length, left);
  }

  /** address_space_translate_cached. */
  #enter(ring: RingCache, at: number, length: number, write: boolean): void {
    if (ring.kind === RING_IN_WINDOW) {
      this.#through(ring.window ?? this.#windowAgain(ring), ring.offset + at, length, write);
      return;
    }
    const high = carried(ring.high, ring.low, at);
    const low = (ring.low + at) >>> 0;
    this.#length = length;
    this.#printHigh = high;
    this.#printLow = low;
    this.#kind = ring.kind === RING_IN_REGION ? REGION : NOTHING;
    this.#offset = high * TWO_32 + low;
    this.#regions = this.#bus === undefined ? this.#system : this.#bus.space.regions;
  }

  /** A restored ring knows its window by address only. */
  #windowAgain(ring: RingCache): TranslationWindow {
    const found = this.#bus?.space.find(ring.high, ring.low, this.#hit) === true;
    ring.window = (found ? this.#hit.window : undefined) ?? NO_WINDOW;
    return ring.window;
  }

  #translate(high: number, low: number, length: number, write: boolean): void {
    const bus = this.#bus;
    if (bus === undefined) {
      this.#system64(high, low, length);
      return;
    }
    if (bus.function.busMaster && bus.space.find(high, low, this.#hit)) {
      const { window } = this.#hit;
      if (window !== undefined) {
        this.#through(window, this.#hit.offset, length, write);
        return;
      }
    }
    this.#outside(high, low, length);
  }

  /** Bus addresses that no window translates. */
  #outside(high: number, low: number, length: number): void {
    this.#kind = NOTHING;
    this.#length = length;
    this.#printHigh = high;
    this.#printLow = low;
    const bus = this.#bus;
    if (bus === undefined || !bus.function.busMaster || high >= EXACT_HIGH) return;
    const address = high * TWO_32 + low;
    if (!bus.space.regions.answers(address)) return;
    this.#kind = REGION;
    this.#offset = address;
    this.#regions = bus.space.regions;
  }

  /** address_space_translate_iommu: without permission nothing answers, and the offset in the window is printed. */
  #through(window: TranslationWindow, offset: number, length: number, write: boolean): void {
    const found = this.#translation;
    window.translate(offset, found);
    if ((found.permission & (write ? MAY_WRITE : MAY_READ)) === 0) {
      this.#kind = NOTHING;
      this.#length = length;
      this.#printHigh = Math.floor(offset / TWO_32);
      this.#printLow = offset >>> 0;
      return;
    }
    const page = 2 ** found.pageShift;
    const inside = offset % page;
    const low = found.pageLow + (inside % TWO_32);
    const high = found.pageHigh + Math.floor(inside / TWO_32);
    this.#system64(high, low, Math.min(length, page - inside));
  }

  #system64(high: number, low: number, length: number): void {
    this.#length = length;
    if (high < EXACT_HIGH) {
      const address = high * TWO_32 + low;
      const left = this.memory.size - address;
      this.#offset = address;
      if (left > 0) {
        this.#kind = RAM;
        if (left < length) this.#length = left;
        return;
      }
      if (this.#system.answers(address)) {
        this.#kind = REGION;
        this.#regions = this.#system;
        return;
      }
    }
    this.#kind = NOTHING;
    this.#printHigh = high;
    this.#printLow = low;
  }

  // --- One piece ------------------------------------------------------------------------------------------------

  /** Reads what one answer gives and returns its length. `#kind` is as it was before, whatever a region did. */
  #readStep(into: Uint8Array, at: number): number {
    if (this.#kind === RAM) {
      this.memory.read(this.#offset, into, at, this.#length);
      return this.#length;
    }
    if (this.#kind === NOTHING) {
      const width = pieceWidth(this.#printLow, this.#length);
      this.#refuse('read', width);
      for (let i = 0; i < width; i++) into[at + i] = 0;
      return width;
    }
    const step = Math.min(this.#length, 8 - (this.#offset % 8));
    this.#regions.readBytes(this.#offset, into, at, step);
    this.#kind = REGION;
    return step;
  }

  #writeStep(from: Uint8Array, at: number): number {
    if (this.#kind === RAM) {
      this.memory.write(this.#offset, from, at, this.#length);
      return this.#length;
    }
    if (this.#kind === NOTHING) {
      const width = pieceWidth(this.#printLow, this.#length);
      this.#refuse('write', width);
      return width;
    }
    const step = Math.min(this.#length, 8 - (this.#offset % 8));
    this.#regions.writeBytes(this.#offset, from, at, step);
    this.#kind = REGION;
    return step;
  }

  /** One store of 2 or 4 bytes to the target found; its bytes stand in `#small` already. */
  #store(width: 2 | 4, value: number, littleEndian: boolean, high: number, low: number): void {
    if (this.#kind === RAM && this.#length >= width) {
      this.memory.write(this.#offset, this.#small, 0, width);
    } else if (this.#kind === REGION) {
      // The event first: the store may lead to others, which use the same bytes.
      this.#emit(DMA_WRITE, high, low, this.#small, 0, width);
      this.#regions.storePhysical(this.#offset, width, value, !littleEndian);
      return;
    } else {
      this.#refuse('write', width);
      this.#fault(high, low, 0, width, 1);
      return;
    }
    this.#emit(DMA_WRITE, high, low, this.#small, 0, width);
  }

  #mapBounce(high: number, low: number, length: number, write: boolean): boolean {
    const { bounce } = this;
    if (bounce.inUse) return false;
    bounce.inUse = true;
    bounce.addressHigh = high;
    bounce.addressLow = low;
    if (write) bounce.bytes.fill(0, 0, length);
    else this.readAt(high, low, bounce.bytes, 0, length);
    this.mappedOffset = -1;
    this.mappedLength = length;
    return true;
  }

  /**
   * Beyond what was opened, which a driver reaches by enlarging a queue after its areas were found. QEMU aborts on an
   * assertion there; here the access is dropped.
   */
  #overrun(where: string): number {
    const why = `${where}: Assertion \`addr < cache->len' failed.`;
    if (this.#diagnostics.listening) this.#diagnostics.say(why);
    this.#diagnostics.ended('abort', why);
    return 0;
  }

  #refuse(direction: 'read' | 'write', width: number): void {
    if (!this.#diagnostics.listening) return;
    // A 2-byte access cut by a page's end is refused by RAM itself, whose plain accessors QEMU leaves out.
    const ram = this.#kind === RAM;
    const address = ram ? hex(0, this.#offset) : hex(this.#printHigh, this.#printLow);
    const name = ram ? RAM_NAME : '(null)';
    this.#diagnostics.say(
      `Invalid ${direction} at addr 0x${address}, size ${width}, region '${name}', reason: rejected`,
    );
  }

  #emit(kind: number, high: number, low: number, bytes: Uint8Array, at: number, length: number): void {
    const event = this.#line.open(kind);
    if (event === undefined) return;
    event.small(0, this.requester);
    event.words[2] = low;
    event.words[3] = high;
    event.carry(bytes, at, length);
    this.#line.send();
  }

  #fault(high: number, low: number, from: number, length: number, write: 0 | 1): void {
    const event = this.#line.open(DMA_FAULT);
    if (event !== undefined) {
      event.small(0, this.requester);
      event.words[2] = (low + from) >>> 0;
      event.words[3] = carried(high, low, from);
      event.small(2, length);
      event.small(3, write);
      this.#line.send();
    }
    this.#onFault?.();
  }
}

/** High half of (high, low) + `add`, modulo 2^64. */
function carried(high: number, low: number, add: number): number {
  const sum = low + add;
  return sum < TWO_32 ? high : (high + Math.floor(sum / TWO_32)) >>> 0;
}

/** memory_access_size for what nothing answers: at most 4 bytes, aligned, a power of two. */
function pieceWidth(low: number, length: number): 1 | 2 | 4 {
  if (length >= 4 && (low & 3) === 0) return 4;
  return length >= 2 && (low & 1) === 0 ? 2 : 1;
}

function hex(high: number, low: number): string {
  const text = high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0');
  return text.toUpperCase();
}
