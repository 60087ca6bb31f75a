import { assert } from '../core/assert.ts';
import type { Digest } from '../core/digest.ts';

const PAGE_SHIFT = 12;
export const PAGE_BYTES = 4096;

/** The pages that differ from zero at one moment, kept beside the machine's other state. */
export interface MemorySnapshot {
  readonly pages: ReadonlyMap<number, Uint8Array>;
}

const EMPTY: MemorySnapshot = { pages: new Map() };

/** Somebody who keeps what he made of pages, or writes to them without asking each time: a CPU. */
export interface MemoryWatcher {
  /** The content of a page that was guarded is about to change; the guard is gone. */
  guardedWritten(page: number): void;
  /** No page counts as touched any more: whoever writes asks again. */
  baselined(): void;
}

const TOUCHED = 1;
const GUARDED = 2;

/**
 * Bytes that remember which 4 KiB pages were touched: guest RAM, and disk images. Every change goes through a method
 * here, so that restoring a snapshot costs what was touched since and not the size of the memory.
 *
 * Offsets are numbers that the caller has checked against `size`; a breach is our mistake, not the guest's.
 */
export class PagedMemory {
  readonly size: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  /** Touched since the baseline: by page, and as a list in order of first touch. */
  readonly #dirty: Uint8Array;
  #touched: Uint32Array = new Uint32Array(256);
  #touchedCount = 0;
  /** What an untouched page holds: the snapshot last taken or restored; a page it lacks is zero. */
  #baseline: ReadonlyMap<number, Uint8Array> = new Map();
  #watcher: MemoryWatcher | undefined;

  /** `backing`: zeroed bytes to live in, where somebody else wants to see them too. */
  constructor(size: number, backing?: { readonly buffer: ArrayBuffer; readonly offset: number }) {
    assert(size % PAGE_BYTES === 0, 'memory is whole pages');
    this.size = size;
    this.#bytes =
      backing === undefined ? new Uint8Array(size) : new Uint8Array(backing.buffer, backing.offset, size);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, size);
    this.#dirty = new Uint8Array(size / PAGE_BYTES);
  }

  contains(offset: bigint, length: number): boolean {
    return offset >= 0n && offset + BigInt(length) <= BigInt(this.size);
  }

  u8(offset: number): number {
    return this.#view.getUint8(offset);
  }

  u16(offset: number, littleEndian: boolean): number {
    return this.#view.getUint16(offset, littleEndian);
  }

  u32(offset: number, littleEndian: boolean): number {
    return this.#view.getUint32(offset, littleEndian);
  }

  u64(offset: number, littleEndian: boolean): bigint {
    return this.#view.getBigUint64(offset, littleEndian);
  }

  setU8(offset: number, value: number): void {
    this.#touch(offset, 1);
    this.#view.setUint8(offset, value);
  }

  setU16(offset: number, value: number, littleEndian: boolean): void {
    this.#touch(offset, 2);
    this.#view.setUint16(offset, value, littleEndian);
  }

  setU32(offset: number, value: number, littleEndian: boolean): void {
    this.#touch(offset, 4);
    this.#view.setUint32(offset, value, littleEndian);
  }

  setU64(offset: number, value: bigint, littleEndian: boolean): void {
    this.#touch(offset, 8);
    this.#view.setBigUint64(offset, value, littleEndian);
  }

  /** Copies out; `into` is written from `at`. Short copies go byte by byte, which beats the call of `set`. */
  read(offset: number, into: Uint8Array, at: number, length: number): void {
    const bytes = this.#bytes;
    if (length <= 32) for (let i = 0; i < length; i++) into[at + i] = bytes[offset + i] ?? 0;
    else into.set(bytes.subarray(offset, offset + length), at);
  }

  write(offset: number, from: Uint8Array, at: number, length: number): void {
    if (length === 0) return;
    this.#touch(offset, length);
    const bytes = this.#bytes;
    if (length <= 32) for (let i = 0; i < length; i++) bytes[offset + i] = from[at + i] ?? 0;
    else bytes.set(at === 0 && from.length === length ? from : from.subarray(at, at + length), offset);
  }

  fill(offset: number, value: number, length: number): void {
    if (length === 0) return;
    this.#touch(offset, length);
    this.#bytes.fill(value, offset, offset + length);
  }

  /** The bytes themselves, to be read at once and never kept or written. */
  view(offset: number, length: number): Uint8Array {
    return this.#bytes.subarray(offset, offset + length);
  }

  watch(watcher: MemoryWatcher | undefined): void {
    this.#watcher = watcher;
  }

  /** Counts a page as touched: for a watcher that writes to the backing bytes by itself. */
  touchPage(page: number): void {
    this.#touch(page * PAGE_BYTES, 1);
  }

  /** Lets the watcher know of the next change of a page. */
  guard(page: number): void {
    this.#dirty[page] = (this.#dirty[page] ?? 0) | GUARDED;
  }

  /** Makes the present content the baseline and returns it. */
  snapshot(): MemorySnapshot {
    if (this.#touchedCount > 0) {
      this.#watcher?.baselined();
      const pages = new Map(this.#baseline);
      for (const page of this.#touched.subarray(0, this.#touchedCount)) {
        const bytes = this.#bytes.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
        if (isZero(bytes)) pages.delete(page);
        else pages.set(page, bytes);
        this.#dirty[page] = (this.#dirty[page] ?? 0) & GUARDED;
      }
      this.#touchedCount = 0;
      this.#baseline = pages;
    }
    return { pages: this.#baseline };
  }

  restore(snapshot: MemorySnapshot): void {
    const target = snapshot.pages;
    this.#watcher?.baselined();
    if (target !== this.#baseline) {
      // Another baseline: whatever either of them holds has to be laid anew.
      for (const page of this.#baseline.keys()) if (!target.has(page)) this.#lay(page, undefined);
      for (const [page, bytes] of target) if (this.#baseline.get(page) !== bytes) this.#lay(page, bytes);
    }
    const touched = this.#touched;
    for (let i = 0; i < this.#touchedCount; i++) {
      const page = touched[i] ?? 0;
      this.#lay(page, target.get(page));
      this.#dirty[page] = (this.#dirty[page] ?? 0) & GUARDED;
    }
    this.#touchedCount = 0;
    this.#baseline = target;
  }

  /** All zero again, as if new; costs what was touched. */
  clear(): void {
    this.restore(EMPTY);
  }

  /** Every page that is not zero, by number and content. */
  digest(into: Digest): void {
    const pages = [...this.#baseline.keys()].filter((page) => ((this.#dirty[page] ?? 0) & TOUCHED) === 0);
    for (const page of this.#touched.subarray(0, this.#touchedCount)) pages.push(page);
    pages.sort((a, b) => a - b);
    for (const page of pages) {
      // Not `view`: a digest is nobody's access.
      const bytes = this.#bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      if (isZero(bytes)) continue;
      into.word(page);
      into.bytes(bytes);
    }
  }

  /** The pages that may differ from zero, in rising order: what a dump has to look at. */
  livePages(): number[] {
    const pages = new Set(this.#baseline.keys());
    for (const page of this.#touched.subarray(0, this.#touchedCount)) pages.add(page);
    return [...pages].toSorted((a, b) => a - b);
  }

  #lay(page: number, bytes: Uint8Array | undefined): void {
    this.#unguard(page);
    if (bytes === undefined) this.#bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    else this.#bytes.set(bytes, page * PAGE_BYTES);
  }

  #touch(offset: number, length: number): void {
    const first = offset >>> PAGE_SHIFT;
    const last = (offset + length - 1) >>> PAGE_SHIFT;
    if (first === last && this.#dirty[first] === TOUCHED) return;
    assert(offset >= 0 && offset + length <= this.size, 'memory is written inside its size');
    for (let page = first; page <= last; page++) {
      this.#unguard(page);
      if (this.#dirty[page] === TOUCHED) continue;
      this.#dirty[page] = TOUCHED;
      if (this.#touchedCount === this.#touched.length) this.#grow();
      this.#touched[this.#touchedCount++] = page;
    }
  }

  #unguard(page: number): void {
    const state = this.#dirty[page] ?? 0;
    if ((state & GUARDED) === 0) return;
    this.#dirty[page] = state & TOUCHED;
    this.#watcher?.guardedWritten(page);
  }

  #grow(): void {
    const grown = new Uint32Array(this.#touched.length * 2);
    grown.set(this.#touched);
    this.#touched = grown;
  }
}

function isZero(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}
