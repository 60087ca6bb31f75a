import { assert } from '../core/assert.ts';
import { SILENT, type Diagnostics } from '../core/diagnostics.ts';
import type { Region, Width } from './region.ts';

const PAGE = 4096;
/** What an access is limited to where a region does not say (QEMU's memory_access_size). */
const DEFAULT_PIECE = 4;
/** QEMU prints a region without a name as glibc prints a null string. */
const NAMELESS = '(null)';

/**
 * Keeps a device from being entered while it is answering (QEMU's mem_reentrancy_guard): its regions share one, and what
 * its own DMA does to them meanwhile is dropped.
 */
export class EntryGuard {
  engaged = false;
}

interface Mapping {
  readonly base: number;
  readonly region: Region;
  readonly guard: EntryGuard | undefined;
  /** What is visible of it, as addresses. */
  readonly from: number;
  readonly to: number;
}

/**
 * Finds the region behind an address and applies its access rules, as QEMU's softmmu/memory.c, softmmu/physmem.c and
 * accel/tcg/cputlb.c do together. Two ways lead in, and they differ in what an odd access does:
 *
 * - `read` and `write` are a CPU's own loads and stores. An unaligned load becomes two aligned ones of the same width,
 *   an unaligned store becomes byte stores. A 4 KiB page that is not filled by one region is a "subpage": there an
 *   access is checked piece by piece before it is carried out.
 * - `loadPhysical` and `storePhysical` are the hypervisor's (H_LOGICAL_CI_LOAD and _STORE): one access as it is.
 *
 * What nothing answers reads as zero and swallows writes. Later mappings hide earlier ones. Addresses are below 2^53.
 */
export class AddressSpace {
  readonly #diagnostics: Diagnostics;
  /** Newest first. */
  #mappings: Mapping[] = [];
  #stale = false;
  // The flat view: sections without overlap, sorted by address.
  #bases: number[] = [];
  #ends: number[] = [];
  #regions: Region[] = [];
  #guards: (EntryGuard | undefined)[] = [];
  /** Where the region itself begins; a section may show only its tail. */
  #origins: number[] = [];
  #last = 0;
  /** QEMU warns of blocked accesses once. */
  #warned = false;
  /** The value of the access under way: bits 0–31 and 32–63, little-endian as memory has the bytes. */
  #low = 0;
  #high = 0;
  readonly #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(16);
  readonly #view: DataView<ArrayBuffer> = new DataView(this.#bytes.buffer);

  constructor(diagnostics: Diagnostics = SILENT) {
    this.#diagnostics = diagnostics;
  }

  /** Lets `region` answer from `base` on; only what lies in [from, to) of the address space shows. */
  map(
    base: number,
    region: Region,
    from = 0,
    to: number = Number.MAX_SAFE_INTEGER,
    guard?: EntryGuard,
  ): void {
    this.#mappings.unshift({ base, region, guard, from, to });
    this.#stale = true;
  }

  /** Takes every mapping of `region` away. */
  unmap(region: Region): void {
    this.#mappings = this.#mappings.filter((mapping) => mapping.region !== region);
    this.#stale = true;
  }

  clear(): void {
    this.#mappings = [];
    this.#stale = true;
  }

  /** Whether a region answers at this address. */
  answers(address: number): boolean {
    return this.#find(address) >= 0;
  }

  /** Bytes from `address` to the end of the section that answers there; 0 where none does. */
  extent(address: number): number {
    const at = this.#find(address);
    return at < 0 ? 0 : (this.#ends[at] ?? address) - address;
  }

  /** A CPU load. `bigEndian` is the instruction's order: false is `lwbrx`, whose value is PCI's. */
  read(address: number, width: 1 | 2 | 4, bigEndian: boolean): number {
    const at = this.#find(address);
    // Aligned, of a width that the region takes as it is, and inside it: no page, whole or not, makes a difference.
    if (at >= 0 && (address & (width - 1)) === 0 && address + width <= (this.#ends[at] ?? 0)) {
      const region = this.#regions[at] as Region;
      const offset = address - (this.#origins[at] ?? 0);
      const rules = region.access;
      const passes = rules.validMax === 0 || (width >= rules.validMin && width <= rules.validMax);
      if ((offset & (width - 1)) === 0 && passes && width >= rules.implMin && width <= rules.implMax) {
        const guard = this.#guards[at];
        if (guard !== undefined && !this.#enter(guard, region, offset)) return 0;
        const value = region.read(offset, width);
        if (guard !== undefined) guard.engaged = false;
        return bigEndian ? reversed(value, width) : value;
      }
    }
    this.#cpuRead(address, width);
    return bigEndian ? reversed(this.#low, width) : this.#low;
  }

  write(address: number, width: 1 | 2 | 4, value: number, bigEndian: boolean): void {
    const memory = bigEndian ? reversed(value, width) : value;
    const at = this.#find(address);
    // Aligned, of a width that the region takes as it is, and inside it: no page, whole or not, makes a difference.
    if (at >= 0 && (address & (width - 1)) === 0 && address + width <= (this.#ends[at] ?? 0)) {
      const region = this.#regions[at] as Region;
      const offset = address - (this.#origins[at] ?? 0);
      const rules = region.access;
      const passes = rules.validMax === 0 || (width >= rules.validMin && width <= rules.validMax);
      if ((offset & (width - 1)) === 0 && passes && width >= rules.implMin && width <= rules.implMax) {
        const guard = this.#guards[at];
        if (guard !== undefined && !this.#enter(guard, region, offset)) return;
        region.write(offset, width, memory);
        if (guard !== undefined) guard.engaged = false;
        return;
      }
    }
    this.#cpuWrite(address, width, memory, 0);
  }

  read64(address: number, bigEndian: boolean): bigint {
    this.#cpuRead(address, 8);
    return this.#value64(bigEndian);
  }

  write64(address: number, value: bigint, bigEndian: boolean): void {
    this.#take64(value, bigEndian);
    this.#cpuWrite(address, 8, this.#low, this.#high);
  }

  /** A hypervisor load: never split, so an unaligned one is refused by what it starts in. */
  loadPhysical(address: number, width: 1 | 2 | 4, bigEndian: boolean): number {
    this.#dispatchRead(this.#find(address), address, width);
    return bigEndian ? reversed(this.#low, width) : this.#low;
  }

  storePhysical(address: number, width: 1 | 2 | 4, value: number, bigEndian: boolean): void {
    const memory = bigEndian ? reversed(value, width) : value;
    this.#dispatchWrite(this.#find(address), address, width, memory, 0);
  }

  loadPhysical64(address: number, bigEndian: boolean): bigint {
    this.#dispatchRead(this.#find(address), address, 8);
    return this.#value64(bigEndian);
  }

  storePhysical64(address: number, value: bigint, bigEndian: boolean): void {
    this.#take64(value, bigEndian);
    this.#dispatchWrite(this.#find(address), address, 8, this.#low, this.#high);
  }

  /** A byte string, in the pieces that QEMU's address_space_read cuts: at most 4 bytes, aligned, per region. */
  readBytes(address: number, into: Uint8Array, at: number, length: number): void {
    let done = 0;
    while (done < length) {
      const section = this.#find(address + done);
      const width = this.#piece(section, this.#offset(section, address + done), length - done);
      this.#dispatchRead(section, address + done, width);
      for (let i = 0; i < width; i++) {
        into[at + done + i] = i < 4 ? this.#low >>> (8 * i) : this.#high >>> (8 * (i - 4));
      }
      done += width;
    }
  }

  writeBytes(address: number, from: Uint8Array, at: number, length: number): void {
    let done = 0;
    while (done < length) {
      const section = this.#find(address + done);
      const width = this.#piece(section, this.#offset(section, address + done), length - done);
      let low = 0;
      let high = 0;
      for (let i = 0; i < width; i++) {
        const byte = from[at + done + i] ?? 0;
        if (i < 4) low |= byte << (8 * i);
        else high |= byte << (8 * (i - 4));
      }
      this.#dispatchWrite(section, address + done, width, low >>> 0, high >>> 0);
      done += width;
    }
  }

  #cpuRead(address: number, width: Width): void {
    const odd = address % width;
    if (odd === 0) {
      this.#alignedRead(address, width);
      return;
    }
    // Two aligned loads of the same width; the bytes asked for lie somewhere in the two of them.
    this.#alignedRead(address - odd, width);
    const low = this.#low;
    const high = this.#high;
    this.#alignedRead(address - odd + width, width);
    const bytes = this.#bytes;
    const view = this.#view;
    view.setUint32(0, low, true);
    if (width === 8) view.setUint32(4, high, true);
    view.setUint32(width, this.#low, true);
    if (width === 8) view.setUint32(12, this.#high, true);
    this.#low = 0;
    this.#high = 0;
    for (let i = 0; i < width; i++) {
      const byte = bytes[odd + i] ?? 0;
      if (i < 4) this.#low = (this.#low | (byte << (8 * i))) >>> 0;
      else this.#high = (this.#high | (byte << (8 * (i - 4)))) >>> 0;
    }
  }

  #cpuWrite(address: number, width: Width, low: number, high: number): void {
    if (address % width === 0) {
      this.#alignedWrite(address, width, low, high);
      return;
    }
    for (let i = 0; i < width; i++) {
      const byte = i < 4 ? low >>> (8 * i) : high >>> (8 * (i - 4));
      this.#alignedWrite(address + i, 1, byte & 0xff, 0);
    }
  }

  #alignedRead(address: number, width: Width): void {
    const at = this.#find(address);
    if (!this.#isSubpage(at, address)) {
      this.#dispatchRead(at, address, width);
      return;
    }
    if (!this.#subpageAccepts(address, width, false)) {
      this.#reject('read', address % PAGE, width);
      this.#low = 0;
      this.#high = 0;
      return;
    }
    let low = 0;
    let high = 0;
    for (let done = 0; done < width;) {
      const section = this.#find(address + done);
      const piece = this.#piece(section, this.#offset(section, address + done), width - done);
      this.#dispatchRead(section, address + done, piece);
      if (piece === 8) high = this.#high;
      if (done < 4) low = (low | (this.#low << (8 * done))) >>> 0;
      else high = (high | (this.#low << (8 * (done - 4)))) >>> 0;
      done += piece;
    }
    this.#low = low;
    this.#high = high;
  }

  #alignedWrite(address: number, width: Width, low: number, high: number): void {
    const at = this.#find(address);
    if (!this.#isSubpage(at, address)) {
      this.#dispatchWrite(at, address, width, low, high);
      return;
    }
    if (!this.#subpageAccepts(address, width, true)) {
      this.#reject('write', address % PAGE, width);
      return;
    }
    for (let done = 0; done < width;) {
      const section = this.#find(address + done);
      const piece = this.#piece(section, this.#offset(section, address + done), width - done);
      const value = done < 4 ? low >>> (8 * done) : high >>> (8 * (done - 4));
      this.#dispatchWrite(
        section,
        address + done,
        piece,
        piece < 4 ? value & (2 ** (8 * piece) - 1) : value,
        high,
      );
      done += piece;
    }
  }

  #subpageAccepts(address: number, width: Width, write: boolean): boolean {
    let done = 0;
    while (done < width) {
      const at = this.#find(address + done);
      const piece = this.#piece(at, address + done, width - done);
      if (!this.#isValid(at, address + done, piece, write)) return false;
      done += piece;
    }
    return true;
  }

  #dispatchRead(at: number, address: number, width: Width): void {
    this.#low = 0;
    this.#high = 0;
    if (!this.#isValid(at, address, width, false)) return;
    const region = this.#regions[at] as Region;
    const offset = this.#offset(at, address);
    const guard = this.#guards[at];
    if (guard !== undefined && !this.#enter(guard, region, offset)) return;
    this.#readRegion(region, offset, width);
    if (guard !== undefined) guard.engaged = false;
  }

  #readRegion(region: Region, offset: number, width: Width): void {
    const step = implemented(region, width);
    if (step >= width) {
      this.#low = region.read(offset, step);
      this.#high = 0;
      return;
    }
    let low = 0;
    let high = 0;
    for (let i = 0; i < width; i += step) {
      const value = region.read(offset + i, step);
      if (i < 4) low = (low | (value << (8 * i))) >>> 0;
      else high = (high | (value << (8 * (i - 4)))) >>> 0;
    }
    this.#low = low;
    this.#high = high;
  }

  #dispatchWrite(at: number, address: number, width: Width, low: number, high: number): void {
    if (!this.#isValid(at, address, width, true)) return;
    const region = this.#regions[at] as Region;
    const offset = this.#offset(at, address);
    const guard = this.#guards[at];
    if (guard !== undefined && !this.#enter(guard, region, offset)) return;
    writeRegion(region, offset, width, low, high);
    if (guard !== undefined) guard.engaged = false;
  }

  /** False, and said once, if the device that owns the region is answering already. */
  #enter(guard: EntryGuard, region: Region, offset: number): boolean {
    if (!guard.engaged) {
      guard.engaged = true;
      return true;
    }
    if (!this.#warned && this.#diagnostics.listening) {
      this.#warned = true;
      const where = `${region.name} at addr: 0x${offset.toString(16).toUpperCase()}`;
      this.#diagnostics.say(`qemu-system-ppc64: warning: Blocked re-entrant IO on MemoryRegion: ${where}`);
    }
    return false;
  }

  #isValid(at: number, address: number, width: Width, write: boolean): boolean {
    if (at < 0) {
      this.#reject(write ? 'write' : 'read', address, width);
      return false;
    }
    const region = this.#regions[at] as Region;
    const offset = this.#offset(at, address);
    const rules = region.access;
    if (!rules.validUnaligned && offset % width !== 0) {
      this.#complain(write, offset, width, region.name, 'unaligned');
      return false;
    }
    if (rules.validMax !== 0 && (width < rules.validMin || width > rules.validMax)) {
      const limits = `invalid size (min:${rules.validMin} max:${rules.validMax})`;
      this.#complain(write, offset, width, region.name, limits);
      return false;
    }
    return true;
  }

  #reject(direction: 'read' | 'write', address: number, width: Width): void {
    if (!this.#diagnostics.listening) return;
    this.#complain(direction === 'write', address, width, NAMELESS, 'rejected');
  }

  #complain(write: boolean, address: number, width: Width, name: string, reason: string): void {
    if (!this.#diagnostics.listening) return;
    const where = `at addr 0x${address.toString(16).toUpperCase()}, size ${width}, region '${name}'`;
    this.#diagnostics.say(`Invalid ${write ? 'write' : 'read'} ${where}, reason: ${reason}`);
  }

  /** The next piece of a byte string: bounded by the region, the alignment of `address`, and a power of two. */
  #piece(at: number, address: number, length: number): Width {
    let limit = at < 0 ? DEFAULT_PIECE : (this.#regions[at] as Region).access.validMax || DEFAULT_PIECE;
    const aligned = address % 8 === 0 ? 8 : address % 4 === 0 ? 4 : address % 2 === 0 ? 2 : 1;
    if (aligned < limit) limit = aligned;
    if (length < limit) limit = length;
    return limit >= 8 ? 8 : limit >= 4 ? 4 : limit >= 2 ? 2 : 1;
  }

  /** Where in its region an address lies; what nothing answers keeps its own address. */
  #offset(at: number, address: number): number {
    return at < 0 ? address : address - (this.#origins[at] ?? 0);
  }

  #isSubpage(at: number, address: number): boolean {
    const page = address - (address % PAGE);
    if (at >= 0) return (this.#bases[at] ?? 0) > page || (this.#ends[at] ?? 0) < page + PAGE;
    for (let i = 0; i < this.#bases.length; i++) {
      if ((this.#bases[i] ?? 0) < page + PAGE && (this.#ends[i] ?? 0) > page) return true;
    }
    return false;
  }

  #find(address: number): number {
    if (this.#stale) this.#flatten();
    const bases = this.#bases;
    const last = this.#last;
    if (address >= (bases[last] ?? Infinity) && address < (this.#ends[last] ?? 0)) return last;
    let low = 0;
    let high = bases.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (address < (bases[middle] ?? 0)) high = middle - 1;
      else if (address >= (this.#ends[middle] ?? 0)) low = middle + 1;
      else {
        this.#last = middle;
        return middle;
      }
    }
    return -1;
  }

  #value64(bigEndian: boolean): bigint {
    this.#view.setUint32(0, this.#low, true);
    this.#view.setUint32(4, this.#high, true);
    return this.#view.getBigUint64(0, !bigEndian);
  }

  #take64(value: bigint, bigEndian: boolean): void {
    this.#view.setBigUint64(0, value, !bigEndian);
    this.#low = this.#view.getUint32(0, true);
    this.#high = this.#view.getUint32(4, true);
  }

  #flatten(): void {
    this.#stale = false;
    this.#bases = [];
    this.#ends = [];
    this.#regions = [];
    this.#guards = [];
    this.#origins = [];
    for (const mapping of this.#mappings)
      this.#render(mapping.base, mapping.region, mapping.from, mapping.to, mapping.guard);
    this.#last = 0;
  }

  #render(base: number, region: Region, from: number, to: number, guard: EntryGuard | undefined): void {
    const start = Math.max(base, from);
    const end = Math.min(base + region.size, to);
    if (region.parts !== undefined) {
      for (const part of region.parts) this.#render(base + part.offset, part.region, start, end, guard);
      return;
    }
    this.#insert(start, end, region, base, guard);
  }

  /** Adds what of [start, end) is still free. */
  #insert(start: number, end: number, region: Region, origin: number, guard: EntryGuard | undefined): void {
    let at = 0;
    let next = start;
    while (next < end) {
      while (at < this.#bases.length && (this.#ends[at] ?? 0) <= next) at++;
      const taken = this.#bases[at] ?? Infinity;
      if (next < taken) {
        const until = Math.min(end, taken);
        this.#bases.splice(at, 0, next);
        this.#ends.splice(at, 0, until);
        this.#regions.splice(at, 0, region);
        this.#guards.splice(at, 0, guard);
        this.#origins.splice(at, 0, origin);
        next = until;
      } else {
        next = this.#ends[at] ?? end;
      }
      at++;
    }
    assert(this.#bases.length === this.#origins.length, 'a flat view has one origin a section');
  }
}

function writeRegion(region: Region, offset: number, width: Width, low: number, high: number): void {
  const step = implemented(region, width);
  if (step >= width) {
    region.write(offset, step, low);
    return;
  }
  for (let i = 0; i < width; i += step) {
    const value = i < 4 ? low >>> (8 * i) : high >>> (8 * (i - 4));
    region.write(offset + i, step, step === 4 ? value >>> 0 : value & (2 ** (8 * step) - 1));
  }
}

/** The width in which a region takes an access of `width`; wider ones come in several. */
function implemented(region: Region, width: Width): 1 | 2 | 4 {
  const step = Math.max(Math.min(width, region.access.implMax), region.access.implMin);
  return step >= 4 ? 4 : step >= 2 ? 2 : 1;
}

function reversed(value: number, width: 1 | 2 | 4): number {
  if (width === 1) return value & 0xff;
  if (width === 2) return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
