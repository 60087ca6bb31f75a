import { rowOf } from './decoder.ts';
import { operationNumber } from './interpreter.ts';
import { INSTRUCTIONS } from './isa/table.ts';
import type { Micro } from './isa/row.ts';
import { MICRO_AT, MICRO_BYTES, MICRO_PAGE_BYTES, MICRO_PAGES } from './layout.ts';

const WORDS_IN_PAGE = 1024;
const ASSIST = operationNumber('assist');
const PAGE_END = operationNumber('pageend');
/** Decoded in one go, while nothing jumps away for good. */
const AHEAD = 64;
const ENDS: ReadonlySet<string> = new Set(['b', 'bfar', 'ba', 'blr', 'bctr', 'assist']);
const NUMBERS = new Map<string, number>();

function numberOf(name: string): number {
  const known = NUMBERS.get(name);
  if (known !== undefined) return known;
  const found = operationNumber(name);
  NUMBERS.set(name, found);
  return found;
}

/**
 * The decoded instructions of physical pages, one set for each byte order: made as they are reached, dropped when
 * their page is written. Nothing of this shows: a processor that starts without any does the same.
 */
export class DecodedPages {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #ram: DataView;
  /** By page, big-endian ones behind the little-endian: where its instructions begin, or 0. */
  readonly #places: Int32Array;
  readonly #pages: number;
  /** Which of those a slot serves. */
  readonly #owners: Int32Array = new Int32Array(MICRO_PAGES).fill(-1);
  readonly #free: number[] = [];
  #unused = 0;

  constructor(buffer: ArrayBuffer, ram: DataView) {
    this.#view = new DataView(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.#ram = ram;
    this.#pages = ram.byteLength / 4096;
    this.#places = new Int32Array(2 * this.#pages);
  }

  has(page: number): boolean {
    return this.#places[page] !== 0 || this.#places[this.#pages + page] !== 0;
  }

  /** Where the page's instructions begin; 0 if no room is left. */
  of(page: number, little: boolean): number {
    const owner = little ? page : this.#pages + page;
    const known = this.#places[owner] ?? 0;
    if (known !== 0) return known;
    const slot = this.#free.pop() ?? (this.#unused < MICRO_PAGES ? this.#unused++ : -1);
    if (slot < 0) return 0;
    const at = MICRO_AT + slot * MICRO_PAGE_BYTES;
    this.#bytes.fill(0, at, at + MICRO_PAGE_BYTES);
    this.#view.setUint16(at + WORDS_IN_PAGE * MICRO_BYTES, PAGE_END, true);
    this.#places[owner] = at;
    this.#owners[slot] = owner;
    return at;
  }

  /** The instruction word behind a decoded place. */
  wordAt(decoded: number, offset: number): number {
    const owner = this.#owners[slotOf(decoded)] ?? 0;
    const little = owner < this.#pages;
    const page = little ? owner : owner - this.#pages;
    return this.#ram.getUint32(page * 4096 + offset, little);
  }

  /** Decodes from an offset in the page to the next branch. */
  decode(decoded: number, offset: number): void {
    const owner = this.#owners[slotOf(decoded)] ?? 0;
    const little = owner < this.#pages;
    for (let i = 0, at = offset; i < AHEAD && at < 4096; i++, at += 4) {
      const place = decoded + 4 * at;
      if (this.#view.getUint16(place, true) !== 0) return;
      const word = this.wordAt(decoded, at);
      const row = INSTRUCTIONS[rowOf(word)];
      const micro = row?.lower?.(word, { offset: at, little }) ?? { op: 'assist' };
      this.#put(place, micro);
      if (ENDS.has(micro.op)) return;
    }
  }

  /** Forgets words that changed. */
  reset(page: number, offset: number, bytes: number): void {
    for (const owner of [page, this.#pages + page]) {
      const at = this.#places[owner] ?? 0;
      if (at === 0) continue;
      for (let word = offset & ~3; word < offset + bytes && word < 4096; word += 4) {
        this.#view.setUint16(at + 4 * word, 0, true);
      }
    }
  }

  /** Forgets a page; whoever keeps places of it has to forget them too. */
  drop(page: number): void {
    for (const owner of [page, this.#pages + page]) {
      const at = this.#places[owner] ?? 0;
      if (at === 0) continue;
      this.#places[owner] = 0;
      this.#owners[slotOf(at)] = -1;
      this.#free.push(slotOf(at));
    }
  }

  clear(): void {
    this.#places.fill(0);
    this.#owners.fill(-1);
    this.#free.length = 0;
    this.#unused = 0;
  }

  #put(at: number, micro: Micro): void {
    const view = this.#view;
    view.setUint16(at, micro.op === 'assist' ? ASSIST : numberOf(micro.op), true);
    view.setUint16(at + 2, micro.a ?? 0, true);
    view.setUint16(at + 4, micro.b ?? 0, true);
    view.setUint16(at + 6, micro.c ?? 0, true);
    view.setBigInt64(at + 8, BigInt.asIntN(64, micro.immediate ?? 0n), true);
  }
}

function slotOf(decoded: number): number {
  return (decoded - MICRO_AT) / MICRO_PAGE_BYTES;
}
