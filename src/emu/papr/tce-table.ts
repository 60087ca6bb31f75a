import { assert } from '../core/assert.ts';
import type { Digest } from '../core/digest.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import type { Translation, TranslationWindow } from '../memory/translation.ts';
import { TCE_READ, TCE_WRITE } from './abi.ts';

/** Entries of one storage page: the grain in which tables are allocated, copied and restored. */
const PAGE_ENTRIES = 256;
const PAGE_ENTRY_SHIFT = 8;
const BLOCK_PAGES = 1024;
const BLOCK_SHIFT = 10;
const SPARE_PAGES_MAX = 64;
const TWO_32 = 2 ** 32;

class TcePage {
  /** High and low word of each entry in turn. */
  readonly words: Uint32Array = new Uint32Array(2 * PAGE_ENTRIES);
  /** The table's epoch in which this page was laid: older pages belong to snapshots and are never written. */
  epoch = 0;
  /** Stands at several places at once, so it is copied before it is written. */
  shared = false;
}

export interface TceSnapshot {
  readonly pages: ReadonlyMap<number, TcePage>;
}

const NO_PAGES: ReadonlyMap<number, TcePage> = new Map();

/**
 * One table of translation control entries (QEMU hw/ppc/spapr_iommu.c, SpaprTceTable). Values are 64 bits that
 * nobody checks. A table without entries is registered but disabled.
 *
 * Storage is sparse, and copied on the first write after a snapshot: taking, restoring and digesting cost what was
 * touched, and a window of 2^31 entries costs nothing until it is filled.
 */
export class TceTable implements Stateful, TranslationWindow {
  readonly liobn: number;
  #entries = 0;
  #pageShift = 0;
  // Both follow from the two above.
  #pageBytes = 1;
  #bytes = 0;
  #busHigh = 0;
  /** Set when the default window is made here, and never cleared (spapr_phb_dma_reset). */
  defaultWindow = false;
  bypass = false;

  #blocks: (TcePage | undefined)[][] = [];
  #epoch = 1;
  #touched: number[] = [];
  #baseline: ReadonlyMap<number, TcePage> = NO_PAGES;
  readonly #spare: TcePage[] = [];

  constructor(liobn: number) {
    this.liobn = liobn;
  }

  /** nb_table: 0 while disabled. */
  get entries(): number {
    return this.#entries;
  }

  get pageShift(): number {
    return this.#pageShift;
  }

  /** Upper word of the bus address at which the window starts; the lower one is always 0. */
  get busHigh(): number {
    return this.#busHigh;
  }

  enable(pageShift: number, busHigh: number, entries: number): void {
    assert(entries >= 0 && entries < TWO_32, 'a table counts its entries in 32 bits');
    this.#pageShift = pageShift;
    this.#busHigh = busHigh;
    this.#entries = entries;
    this.#measure();
    this.clear();
  }

  disable(): void {
    this.enable(0, 0, 0);
  }

  /** Every entry 0 again. */
  clear(): void {
    this.restore({ pages: NO_PAGES });
  }

  /** The entry that a bus address selects, its offset in the page ignored; -1 outside the window. */
  indexOf(high: number, low: number): number {
    if (this.#entries === 0) return -1;
    const offsetHigh = (high - this.#busHigh) >>> 0;
    const shift = this.#pageShift;
    const index = shift < 32 ? offsetHigh * 2 ** (32 - shift) + (low >>> shift) : offsetHigh >>> (shift - 32);
    return index < this.#entries ? index : -1;
  }

  high(index: number): number {
    const page = this.#find(Math.floor(index / PAGE_ENTRIES));
    return page === undefined ? 0 : (page.words[2 * (index % PAGE_ENTRIES)] ?? 0);
  }

  low(index: number): number {
    const page = this.#find(Math.floor(index / PAGE_ENTRIES));
    return page === undefined ? 0 : (page.words[2 * (index % PAGE_ENTRIES) + 1] ?? 0);
  }

  put(index: number, high: number, low: number): void {
    const number = Math.floor(index / PAGE_ENTRIES);
    const words = this.#writable(number);
    const at = 2 * (index % PAGE_ENTRIES);
    words[at] = high;
    words[at + 1] = low;
  }

  /** Writes the same value `count` times; whole pages cost one store each. */
  fill(index: number, count: number, high: number, low: number): void {
    const end = index + count;
    let at = index;
    let whole: TcePage | undefined;
    while (at < end) {
      const number = Math.floor(at / PAGE_ENTRIES);
      const next = Math.min(end, (number + 1) * PAGE_ENTRIES);
      if (high === 0 && low === 0 && this.#find(number) === undefined) {
        at = next;
        continue;
      }
      if (next - at === PAGE_ENTRIES) {
        whole ??= this.#uniform(high, low);
        this.#layShared(number, whole);
      } else {
        const words = this.#writable(number);
        const first = at % PAGE_ENTRIES;
        for (let i = first; i < first + next - at; i++) {
          words[2 * i] = high;
          words[2 * i + 1] = low;
        }
      }
      at = next;
    }
  }

  /** The window's size in bytes; QEMU's own is cut to 64 bits, which no page size on offer reaches. */
  get bytes(): number {
    return this.#bytes;
  }

  /** One device access (spapr_tce_translate_iommu): every access looks, so a changed entry counts at once. */
  translate(offset: number, into: Translation): void {
    const shift = this.#pageShift;
    if (offset >= this.#bytes) {
      into.permission = 0;
      return;
    }
    const index = Math.floor(offset / this.#pageBytes);
    const page = this.#find(index >>> PAGE_ENTRY_SHIFT);
    const at = 2 * (index & (PAGE_ENTRIES - 1));
    const high = page === undefined ? 0 : (page.words[at] ?? 0);
    const low = page === undefined ? 0 : (page.words[at + 1] ?? 0);
    into.permission = low & (TCE_READ | TCE_WRITE);
    into.pageShift = shift;
    into.pageHigh = shift > 32 ? (high & (-1 << (shift - 32))) >>> 0 : high;
    into.pageLow = shift < 32 ? (low & (-1 << shift)) >>> 0 : 0;
  }

  snapshot(): TceSnapshot {
    if (this.#touched.length > 0) {
      const pages = new Map(this.#baseline);
      for (const number of this.#touched) {
        const page = this.#find(number);
        if (page === undefined || isZero(page)) {
          this.#lay(number, undefined);
          pages.delete(number);
        } else pages.set(number, page);
      }
      this.#baseline = pages;
      this.#touched = [];
      this.#epoch++;
    }
    return { pages: this.#baseline };
  }

  restore(snapshot: TceSnapshot): void {
    const target = snapshot.pages;
    const baseline = this.#baseline;
    for (let i = 0; i < this.#touched.length; i++) {
      const number = this.#touched[i] ?? 0;
      const page = this.#find(number);
      this.#lay(number, baseline.get(number));
      if (page !== undefined) this.#recycle(page);
    }
    this.#touched.length = 0;
    if (target !== baseline) {
      for (const number of baseline.keys()) if (!target.has(number)) this.#lay(number, undefined);
      for (const [number, page] of target) this.#lay(number, page);
      this.#baseline = target;
    }
    this.#epoch++;
  }

  /** Every page that is not zero, by number and content. */
  digest(into: Digest): void {
    const numbers = [...new Set([...this.#baseline.keys(), ...this.#touched])].toSorted((a, b) => a - b);
    for (const number of numbers) {
      const page = this.#find(number);
      if (page === undefined || isZero(page)) continue;
      into.word(number);
      for (const word of page.words) into.word(word);
    }
  }

  /** The window's shape; its entries travel in snapshot(), restore() and digest(). */
  exchange(state: StateStream): void {
    this.#entries = state.u32(this.#entries);
    this.#pageShift = state.u32(this.#pageShift);
    this.#busHigh = state.u32(this.#busHigh);
    this.defaultWindow = state.bool(this.defaultWindow);
    this.bypass = state.bool(this.bypass);
    if (state.restoring) this.#measure();
  }

  #measure(): void {
    this.#pageBytes = 2 ** this.#pageShift;
    this.#bytes = this.#entries * this.#pageBytes;
  }

  #find(number: number): TcePage | undefined {
    return this.#blocks[number >>> BLOCK_SHIFT]?.[number & (BLOCK_PAGES - 1)];
  }

  #lay(number: number, page: TcePage | undefined): void {
    const top = number >>> BLOCK_SHIFT;
    while (this.#blocks.length <= top) this.#blocks.push([]);
    const block = this.#blocks[top];
    assert(block !== undefined, 'every block up to the last is there');
    if (block.length === 0) for (let i = 0; i < BLOCK_PAGES; i++) block.push(undefined);
    block[number & (BLOCK_PAGES - 1)] = page;
  }

  #writable(number: number): Uint32Array {
    const page = this.#find(number);
    if (page === undefined) return this.#own(number, undefined, false);
    if (page.epoch !== this.#epoch) return this.#own(number, page, false);
    return page.shared ? this.#own(number, page, true) : page.words;
  }

  #own(number: number, from: TcePage | undefined, alreadyTouched: boolean): Uint32Array {
    const page = this.#spare.pop() ?? new TcePage();
    page.epoch = this.#epoch;
    if (from === undefined) page.words.fill(0);
    else page.words.set(from.words);
    this.#lay(number, page);
    if (!alreadyTouched) this.#touched.push(number);
    return page.words;
  }

  #uniform(high: number, low: number): TcePage {
    const page = new TcePage();
    page.epoch = this.#epoch;
    page.shared = true;
    for (let i = 0; i < 2 * PAGE_ENTRIES; i += 2) {
      page.words[i] = high;
      page.words[i + 1] = low;
    }
    return page;
  }

  #layShared(number: number, whole: TcePage): void {
    const before = this.#find(number);
    if (before === undefined || before.epoch !== this.#epoch) this.#touched.push(number);
    else this.#recycle(before);
    this.#lay(number, whole);
  }

  /** Keeps a page for the next write, if nobody else can hold it. */
  #recycle(page: TcePage): void {
    if (page.epoch !== this.#epoch || page.shared || this.#spare.length >= SPARE_PAGES_MAX) return;
    this.#spare.push(page);
  }
}

function isZero(page: TcePage): boolean {
  for (const word of page.words) if (word !== 0) return false;
  return true;
}
