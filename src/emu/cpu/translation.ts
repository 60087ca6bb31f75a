import {
  CACHES_END,
  CODE_CACHE_AT,
  CODE_CACHE_BYTES,
  CODE_ENTRIES,
  CODE_ENTRY_BYTES,
  DATA_CACHE_AT,
  DATA_CACHE_BYTES,
  DATA_ENTRIES,
  DATA_ENTRY_BYTES,
  RAM_AT,
} from './layout.ts';

const DATA_CACHES = 3;
const CODE_CACHES = 6;
const NONE = 0xffff_ffff;
const LISTED_MAX = 16_384;
/** Marks entries of code caches in a list. */
const CODE_MARK = 1;

/**
 * The interpreter's translation caches. A tag is a page's effective address in two words; all ones match nothing. What
 * is forgotten together is listed as it is filled: the user half, for another process, and what depended on AMR.
 */
export class TranslationCaches {
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #user: Uint32Array = new Uint32Array(LISTED_MAX);
  #userCount = 0;
  readonly #keyed: Uint32Array = new Uint32Array(LISTED_MAX);
  #keyedCount = 0;
  /** Physical pages that some entry lets stores into. */
  readonly #writable: Uint8Array;
  #anyWritable = false;

  constructor(buffer: ArrayBuffer, ramPages: number) {
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer, 0, CACHES_END / 4);
    this.#writable = new Uint8Array(ramPages);
    this.flush();
  }

  flush(): void {
    this.#bytes.fill(0xff, DATA_CACHE_AT, CACHES_END);
    this.#userCount = 0;
    this.#keyedCount = 0;
    if (this.#anyWritable) this.#writable.fill(0);
    this.#anyWritable = false;
  }

  /** Forgets addresses of quadrant 0: another process's. */
  flushUser(): void {
    this.#drop(this.#user, this.#userCount);
    this.#userCount = 0;
  }

  /** Forgets what privileged software may do to user pages: AMR changed. */
  flushKeyed(): void {
    this.#drop(this.#keyed, this.#keyedCount);
    this.#keyedCount = 0;
  }

  flushPage(low: number): void {
    const data = dataOffset(low);
    for (let cache = 0; cache < DATA_CACHES; cache++) {
      this.#forget(DATA_CACHE_AT + cache * DATA_CACHE_BYTES + data);
    }
    const code = codeOffset(low);
    for (let cache = 0; cache < CODE_CACHES; cache++) {
      this.#forget((CODE_CACHE_AT + cache * CODE_CACHE_BYTES + code) | CODE_MARK);
    }
  }

  /** Whether stores may reach a physical page without asking. */
  isWritable(page: number): boolean {
    return this.#writable[page] === 1;
  }

  /** Lets no store through any more. */
  flushStores(): void {
    if (!this.#anyWritable) return;
    const words = this.#words;
    const end = (DATA_CACHE_AT + DATA_CACHES * DATA_CACHE_BYTES) / 4;
    for (let at = DATA_CACHE_AT / 4 + 2; at < end; at += DATA_ENTRY_BYTES / 4) {
      words[at] = NONE;
      words[at + 1] = NONE;
    }
    this.#writable.fill(0);
    this.#anyWritable = false;
  }

  fillData(cache: number, high: number, low: number, real: number, forStore: boolean, keyed: boolean): void {
    const entry = DATA_CACHE_AT + cache * DATA_CACHE_BYTES + dataOffset(low);
    const at = entry / 4;
    const words = this.#words;
    const page = (low & -4096) >>> 0;
    if (words[at] !== page || words[at + 1] !== high) {
      words[at + 2] = NONE;
      words[at + 3] = NONE;
    }
    words[at] = page;
    words[at + 1] = high;
    if (forStore) {
      words[at + 2] = page;
      words[at + 3] = high;
      this.#writable[real / 4096] = 1;
      this.#anyWritable = true;
    }
    words[at + 4] = (RAM_AT + real - page) | 0;
    this.#list(entry, high, keyed);
  }

  fillCode(cache: number, high: number, low: number, decoded: number, keyed: boolean): void {
    const entry = CODE_CACHE_AT + cache * CODE_CACHE_BYTES + codeOffset(low);
    const words = this.#words;
    words[entry / 4] = (low & -4096) >>> 0;
    words[entry / 4 + 1] = high;
    words[entry / 4 + 2] = decoded;
    this.#list(entry | CODE_MARK, high, keyed);
  }

  /** Where the decoded instructions of the page begin; undefined if that is not known. */
  decodedOf(cache: number, high: number, low: number): number | undefined {
    const at = (CODE_CACHE_AT + cache * CODE_CACHE_BYTES + codeOffset(low)) / 4;
    const words = this.#words;
    const known = words[at] === (low & -4096) >>> 0 && words[at + 1] === high;
    return known ? words[at + 2] : undefined;
  }

  /** Forgets all fetch translations. */
  flushCode(): void {
    this.#bytes.fill(0xff, CODE_CACHE_AT, CACHES_END);
  }

  #list(entry: number, high: number, keyed: boolean): void {
    if (high < 0x4000_0000) {
      if (this.#userCount === LISTED_MAX) this.flushUser();
      this.#user[this.#userCount++] = entry;
    }
    if (!keyed) return;
    if (this.#keyedCount === LISTED_MAX) this.flushKeyed();
    this.#keyed[this.#keyedCount++] = entry;
  }

  #drop(list: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) this.#forget(list[i] ?? 0);
  }

  #forget(marked: number): void {
    const words = this.#words;
    const at = (marked & ~CODE_MARK) / 4;
    words[at] = NONE;
    words[at + 1] = NONE;
    if ((marked & CODE_MARK) !== 0) return;
    words[at + 2] = NONE;
    words[at + 3] = NONE;
  }
}

function dataOffset(low: number): number {
  return ((low >>> 12) & (DATA_ENTRIES - 1)) * DATA_ENTRY_BYTES;
}

function codeOffset(low: number): number {
  return ((low >>> 12) & (CODE_ENTRIES - 1)) * CODE_ENTRY_BYTES;
}
