import {
  DDW_PAGE_SIZES,
  H_PUT_TCE,
  H_PUT_TCE_INDIRECT,
  H_STUFF_TCE,
  TCE_LIST_MAX,
  TCE_READ,
  TCE_WRITE,
} from '../papr/abi.ts';
import type { GuestCalls } from './calls.ts';
import type { HostBridgeNode } from './hardware.ts';

/**
 * How a guest makes memory reachable for a device. A device address is two halves: `high`, the same for all addresses
 * of one mapper, and the low 32 bits that `map` returns.
 */
export interface DmaMapper {
  readonly high: number;
  /** Forgets every mapping: the machine is as it was when firmware handed over. */
  reset(): void;
  /** Memory that driver and device share for long: rings. The low half, or MAPPING_FAILED. */
  mapCoherent(gpa: number, length: number): number;
  /** One buffer of one request. */
  map(gpa: number, length: number, deviceWrites: boolean): number;
  unmap(low: number, length: number): void;
}

export const MAPPING_FAILED = -1;

/** No DMA API: the device is given guest-physical addresses. */
export class PhysicalMapper implements DmaMapper {
  readonly high = 0;

  reset(): void {
    // There is nothing to forget.
  }

  mapCoherent(gpa: number): number {
    return gpa;
  }

  map(gpa: number): number {
    return gpa;
  }

  unmap(): void {
    // Nothing was mapped.
  }
}

const PAGE_SHIFT = 12;
const PAGE_BYTES = 4096;
const PAGE_MASK = PAGE_BYTES - 1;

/** Which calls a kernel has for more than one entry: both, none, or H_STUFF_TCE alone, as a secure one. */
export type MultiTce = boolean | 'stuff';

/** TCE hypercalls with RPNs below 4 GiB. */
class TceCalls {
  readonly #calls: GuestCalls;
  readonly #multi: boolean;
  readonly #indirect: boolean;
  /** A page of RAM for the lists of H_PUT_TCE_INDIRECT. */
  readonly #list: number;

  constructor(calls: GuestCalls, multi: MultiTce, list: number) {
    this.#calls = calls;
    this.#multi = multi !== false;
    this.#indirect = multi === true;
    this.#list = list;
  }

  /**
   * Maps `pages` pages of 2^shift bytes from `ioba` on to memory from `gpa` on. False if the hypervisor refused;
   * what it took before stays.
   */
  put(
    liobn: number,
    high: number,
    ioba: number,
    gpa: number,
    pages: number,
    shift: number,
    perm: number,
  ): boolean {
    if (pages === 1 || !this.#indirect) {
      for (let page = 0; page < pages; page++) {
        const offset = page * 2 ** shift;
        if (!this.putOne(liobn, high, ioba + offset, (gpa + offset) | perm)) return false;
      }
      return true;
    }
    for (let done = 0; done < pages; done += TCE_LIST_MAX) {
      const count = Math.min(TCE_LIST_MAX, pages - done);
      const { platform } = this.#calls;
      for (let i = 0; i < count; i++) {
        platform.store32(this.#list + 8 * i, 0, false);
        platform.store32(this.#list + 8 * i + 4, ((gpa + (done + i) * 2 ** shift) | perm) >>> 0, false);
      }
      this.#address(liobn, high, ioba + done * 2 ** shift);
      this.#calls.set(3, this.#list);
      this.#calls.set(4, count);
      if (this.#calls.hcall(H_PUT_TCE_INDIRECT) !== 0) return false;
    }
    return true;
  }

  putOne(liobn: number, high: number, ioba: number, tce: number): boolean {
    this.#address(liobn, high, ioba);
    this.#calls.setWide(3, 0, tce);
    return this.#calls.hcall(H_PUT_TCE) === 0;
  }

  clear(liobn: number, high: number, ioba: number, pages: number, shift: number): void {
    if (!this.#multi) {
      for (let page = 0; page < pages; page++) this.putOne(liobn, high, ioba + page * 2 ** shift, 0);
      return;
    }
    for (let done = 0; done < pages; done += TCE_LIST_MAX) {
      this.#address(liobn, high, ioba + done * 2 ** shift);
      this.#calls.set(3, 0);
      this.#calls.set(4, Math.min(TCE_LIST_MAX, pages - done));
      this.#calls.hcall(H_STUFF_TCE);
    }
  }

  #address(liobn: number, high: number, ioba: number): void {
    this.#calls.set(1, liobn);
    this.#calls.setWide(2, high, ioba | 0);
  }
}

/** Entries of the bitmap that a request may take, and where the next search in it begins. */
class Pool {
  start = 0;
  end = 0;
  hint = 0;

  set(start: number, end: number): void {
    this.start = start;
    this.end = end;
    this.hint = start;
  }
}

const SMALL_POOLS = 4;
/** Requests above this many pages come from the large pool. */
const LARGE_ABOVE = 15;
/** After a small request the next one begins in another block of this many pages. */
const BLOCK_PAGES = 16;
const WINDOW_FOR_POOLS = 2 ** 30;

/**
 * Linux's default window (arch/powerpc/kernel/iommu.c): 4 KiB pages; entry 0 is never used; a window of 1 GiB or more
 * has four pools of small requests (CPU 0 uses the first) and a quarter for large ones; each search goes on where the
 * last one ended.
 */
export class DefaultWindowMapper implements DmaMapper {
  readonly high = 0;
  readonly #tces: TceCalls;
  readonly #liobn: number;
  readonly #entries: number;
  readonly #used: Uint8Array;
  readonly #pools: readonly Pool[] = Array.from({ length: SMALL_POOLS }, () => new Pool());
  readonly #large: Pool = new Pool();
  readonly #guestPage: number;
  #liveFrom: number;
  #liveTo = 0;

  /** `guestPageShift`: 12 or 16, the kernel's own page size. */
  constructor(
    calls: GuestCalls,
    bridge: HostBridgeNode,
    multiTce: MultiTce,
    list: number,
    guestPageShift: number,
  ) {
    this.#tces = new TceCalls(calls, multiTce, list);
    this.#liobn = bridge.liobn;
    this.#entries = Math.floor(bridge.dmaBytes / PAGE_BYTES);
    this.#used = new Uint8Array(this.#entries);
    this.#guestPage = 2 ** guestPageShift;
    this.#liveFrom = this.#entries;
    this.reset();
  }

  reset(): void {
    if (this.#liveTo > this.#liveFrom) this.#used.fill(0, this.#liveFrom, this.#liveTo);
    this.#liveFrom = this.#entries;
    this.#liveTo = 0;
    this.#used[0] = 1;
    const pooled = this.#entries * PAGE_BYTES >= WINDOW_FOR_POOLS;
    const small = Math.floor((this.#entries * 3) / 4 / (pooled ? SMALL_POOLS : 1));
    for (let i = 0; i < SMALL_POOLS; i++) {
      const pool = this.#pools[i];
      if (pooled) pool?.set(i * small, (i + 1) * small);
      else pool?.set(0, small);
    }
    this.#large.set(pooled ? SMALL_POOLS * small : small, this.#entries);
  }

  /** Writes zero over the whole window, 512 entries a call, as a kernel does when it finds the host bridge. */
  clearWindow(): void {
    this.#tces.clear(this.#liobn, 0, 0, this.#entries, PAGE_SHIFT);
  }

  mapCoherent(gpa: number, length: number): number {
    // The allocation is rounded to a power of two of the kernel's pages, and aligned to itself.
    let bytes = this.#guestPage;
    while (bytes < length) bytes *= 2;
    const pages = Math.ceil(Math.ceil(length / this.#guestPage) * this.#guestPage * 2 ** -PAGE_SHIFT);
    return this.#mapPages(gpa & ~PAGE_MASK, pages, bytes >>> PAGE_SHIFT, TCE_READ | TCE_WRITE);
  }

  map(gpa: number, length: number, deviceWrites: boolean): number {
    const first = gpa & ~PAGE_MASK;
    const pages = ((gpa + length + PAGE_MASK) >>> PAGE_SHIFT) - (gpa >>> PAGE_SHIFT);
    const wholePage = length >= this.#guestPage && gpa % this.#guestPage === 0;
    const align = wholePage ? this.#guestPage >>> PAGE_SHIFT : 1;
    const low = this.#mapPages(first, pages, align, deviceWrites ? TCE_READ | TCE_WRITE : TCE_READ);
    return low === MAPPING_FAILED ? low : low + (gpa & PAGE_MASK);
  }

  unmap(low: number, length: number): void {
    const entry = low >>> PAGE_SHIFT;
    const pages = ((low + length + PAGE_MASK) >>> PAGE_SHIFT) - entry;
    for (let i = 0; i < pages; i++) this.#used[entry + i] = 0;
    this.#tces.clear(this.#liobn, 0, entry * PAGE_BYTES, pages, PAGE_SHIFT);
  }

  #mapPages(gpa: number, pages: number, align: number, perm: number): number {
    const entry = this.#allocate(pages, align);
    if (entry < 0) return MAPPING_FAILED;
    const ioba = entry * PAGE_BYTES;
    // Only one error undoes a mapping in Linux; the hypervisor here never gives it, so any other is let pass.
    this.#tces.put(this.#liobn, 0, ioba, gpa, pages, PAGE_SHIFT, perm);
    return ioba;
  }

  #allocate(pages: number, align: number): number {
    const large = pages > LARGE_ABOVE;
    const first = large ? this.#large : this.#pools[0];
    if (first === undefined) return -1;
    let entry = this.#search(first, first.hint, pages, align);
    let pool = first;
    if (entry < 0) entry = this.#search(first, first.start, pages, align);
    for (let i = 1; entry < 0 && i < SMALL_POOLS; i++) {
      pool = this.#pools[i] ?? first;
      entry = this.#search(pool, pool.start, pages, align);
    }
    if (entry < 0) {
      pool = this.#large;
      entry = this.#search(pool, pool.start, pages, align);
    }
    if (entry < 0) return -1;
    const end = entry + pages;
    pool.hint = large ? end : (end + BLOCK_PAGES - 1) & ~(BLOCK_PAGES - 1);
    this.#used.fill(1, entry, end);
    this.#liveFrom = Math.min(this.#liveFrom, entry);
    this.#liveTo = Math.max(this.#liveTo, end);
    return entry;
  }

  #search(pool: Pool, from: number, pages: number, align: number): number {
    let entry = Math.ceil(from / align) * align;
    while (entry + pages <= pool.end) {
      let free = 0;
      while (free < pages && this.#used[entry + free] === 0) free++;
      if (free === pages) return entry;
      entry = Math.ceil((entry + free + 1) / align) * align;
    }
    return -1;
  }
}

/** Firmware's way (SLOF lib/libbootmem, board-qemu/slof/pci-phb.fs): page by page, first fit, page 0 left alone. */
export class FirmwareMapper implements DmaMapper {
  readonly high = 0;
  readonly #tces: TceCalls;
  readonly #liobn: number;
  readonly #used: Uint8Array;
  #highest = 0;

  constructor(calls: GuestCalls, bridge: HostBridgeNode) {
    this.#tces = new TceCalls(calls, false, 0);
    this.#liobn = bridge.liobn;
    this.#used = new Uint8Array(Math.floor(bridge.dmaBytes / PAGE_BYTES));
    this.#used[0] = 1;
  }

  reset(): void {
    this.#used.fill(0, 1, this.#highest + 1);
    this.#highest = 0;
  }

  mapCoherent(gpa: number, length: number): number {
    return this.map(gpa, length);
  }

  map(gpa: number, length: number): number {
    const pages = ((gpa + length + PAGE_MASK) >>> PAGE_SHIFT) - (gpa >>> PAGE_SHIFT);
    const entry = this.#firstFit(pages);
    if (entry < 0) return MAPPING_FAILED;
    this.#used.fill(1, entry, entry + pages);
    this.#highest = Math.max(this.#highest, entry + pages - 1);
    const ioba = entry * PAGE_BYTES;
    this.#tces.put(this.#liobn, 0, ioba, gpa & ~PAGE_MASK, pages, PAGE_SHIFT, TCE_READ | TCE_WRITE);
    return ioba + (gpa & PAGE_MASK);
  }

  unmap(low: number, length: number): void {
    const entry = low >>> PAGE_SHIFT;
    const pages = ((low + length + PAGE_MASK) >>> PAGE_SHIFT) - entry;
    this.#used.fill(0, entry, entry + pages);
    this.#tces.clear(this.#liobn, 0, entry * PAGE_BYTES, pages, PAGE_SHIFT);
  }

  #firstFit(pages: number): number {
    let free = 0;
    for (let entry = 1; entry < this.#used.length; entry++) {
      free = this.#used[entry] === 0 ? free + 1 : 0;
      if (free === pages) return entry - pages + 1;
    }
    return -1;
  }
}

/** How long a kernel makes its dynamic window. */
export type WindowLength =
  /** All memory there can be (Linux up to 6.11). */
  | 'memory'
  /** The top that ibm,lrdr-capacity names, even if that is 0 (6aa989ab2bd0, Linux 6.12.30 and 6.15). */
  | 'lrdr';

/**
 * Linux's direct window (arch/powerpc/platforms/pseries/iommu.c enable_ddw): a second, 64-bit window in which every
 * page of RAM has its entry from the start, so that an address is the window's base plus the guest-physical address.
 * Without such a window it falls back on the default one.
 */
export class DirectWindowMapper implements DmaMapper {
  readonly #calls: GuestCalls;
  readonly #bridge: HostBridgeNode;
  readonly #tces: TceCalls;
  readonly #fallback: DefaultWindowMapper;
  readonly #length: WindowLength;
  readonly #hotplugTop: number;
  #tried = false;
  #direct = false;
  #high = 0;
  #low = 0;

  constructor(
    calls: GuestCalls,
    bridge: HostBridgeNode,
    multiTce: MultiTce,
    list: number,
    fallback: DefaultWindowMapper,
    length: WindowLength,
    hotplugTop: number,
  ) {
    this.#calls = calls;
    this.#bridge = bridge;
    this.#tces = new TceCalls(calls, multiTce, list);
    this.#fallback = fallback;
    this.#length = length;
    this.#hotplugTop = hotplugTop;
  }

  get high(): number {
    return this.#direct ? this.#high : 0;
  }

  /** Whether the window could be made. */
  get direct(): boolean {
    return this.#direct;
  }

  reset(): void {
    this.#tried = false;
    this.#direct = false;
    this.#fallback.reset();
  }

  /** Asks for the window once; drivers do when they set their DMA mask, whether or not they will use it. */
  enable(): void {
    if (this.#tried) return;
    this.#tried = true;
    this.#direct = this.#create();
  }

  mapCoherent(gpa: number, length: number): number {
    return this.#direct ? this.#low + gpa : this.#fallback.mapCoherent(gpa, length);
  }

  map(gpa: number, length: number, deviceWrites: boolean): number {
    return this.#direct ? this.#low + gpa : this.#fallback.map(gpa, length, deviceWrites);
  }

  unmap(low: number, length: number): void {
    if (!this.#direct) this.#fallback.unmap(low, length);
  }

  #create(): boolean {
    const { ddw } = this.#bridge;
    if (ddw === undefined) return false;
    this.#address();
    if (this.#calls.rtas(ddw.query, 3, ddw.queryResults) !== 0) return false;
    const windows = this.#calls.result(1);
    // With six results the largest window takes two words.
    const mask = this.#calls.result(ddw.queryResults === 6 ? 4 : 3);
    const shift = largestPage(mask);
    if (windows === 0 || shift === 0) return false;
    const ram = this.#calls.platform.ramBytes;
    const windowShift = ceilLog2(
      this.#length === 'memory' ? Math.max(ram, this.#hotplugTop) : this.#hotplugTop,
    );
    this.#address();
    this.#calls.argument(3, shift);
    this.#calls.argument(4, windowShift);
    if (this.#calls.rtas(ddw.create, 5, 4) !== 0) return false;
    const liobn = this.#calls.result(1);
    this.#high = this.#calls.result(2);
    this.#low = this.#calls.result(3);
    const pages = Math.ceil(ram / 2 ** shift);
    return this.#tces.put(liobn, this.#high, this.#low, 0, pages, shift, TCE_READ | TCE_WRITE);
  }

  #address(): void {
    this.#calls.argument(0, 0);
    this.#calls.argument(1, this.#bridge.buidHigh);
    this.#calls.argument(2, this.#bridge.buidLow);
  }
}

/** Shift of the largest page that the query offers, up to 16 MiB and by size, 16 GiB pages being no use here. */
function largestPage(mask: number): number {
  let shift = 0;
  for (const size of DDW_PAGE_SIZES) {
    if ((mask & size.queryBit) !== 0 && size.shift > shift && size.shift < 34) shift = size.shift;
  }
  return shift;
}

function ceilLog2(value: number): number {
  let shift = 0;
  while (2 ** shift < value) shift++;
  return shift;
}
