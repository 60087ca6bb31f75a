import { EVENT_KINDS, KIND, type MachineEvent } from '../emu/core/tap.ts';

/** Bits of a feature's number: 2^16 features, of which a campaign meets a few thousand. */
const FEATURE_BITS = 16;
export const FEATURES_MAX: number = 1 << FEATURE_BITS;
const TOUCHED_MAX = 4096;
/** Bytes at the end of a payload that go into the digest one and all. */
const LONG_TAIL = 64;

const HCALL = KIND['hcall'];
const HCALL_RETURN = KIND['hcall-return'];
const RTAS = KIND['rtas'];
const RTAS_RETURN = KIND['rtas-return'];
const MMIO_READ = KIND['mmio-read'];
const MMIO_WRITE = KIND['mmio-write'];
const PIO_WRITE = KIND['pio-write'];
const READ_VALUE = KIND['read-value'];
const DMA_READ = KIND['dma-read'];
const DMA_WRITE = KIND['dma-write'];
const DMA_FAULT = KIND['dma-fault'];
const INTERRUPT = KIND['interrupt'];

/**
 * What a run reached, as a set of small numbers, and a digest of its events. Features are of two sorts: an event by its kind
 * and a class of what it carried (which call with which status, which register with which width and order of value, a
 * transfer of which order of length, a fault read or written), and two events that follow each other by their kinds, with
 * lengths and levels where these say something. It is cheap enough for every event of every case, and it depends on
 * nothing but the events.
 */
export class FeatureSet {
  /** Features of this run, each once, in the order they were met. */
  readonly touched: Uint16Array = new Uint16Array(TOUCHED_MAX);
  count = 0;
  /** Events of this run. */
  events = 0;
  digestLow = 0;
  digestHigh = 0;
  readonly #stamp: Uint32Array = new Uint32Array(FEATURES_MAX);
  #run = 0;
  #previous = 0;
  #call = 0;

  begin(): void {
    this.#run++;
    this.count = 0;
    this.events = 0;
    this.digestLow = 0x243f6a88;
    this.digestHigh = 0x85a308d3;
    this.#previous = 0;
    this.#call = 0;
  }

  take(event: MachineEvent): void {
    this.events++;
    this.#digest(event);
    const fine = this.#classOf(event);
    this.#reach(Math.imul(event.kind + 1, 0x9e3779b1) ^ Math.imul(fine + 1, 0x85ebca6b));
    const coarse = (event.kind << 8) | (COARSE[event.kind] === 1 ? fine & 0xff : 0);
    this.#reach(Math.imul(coarse + 1, 0x27d4eb2f) ^ Math.imul(this.#previous + 1, 0x165667b1));
    this.#previous = coarse;
  }

  #reach(hash: number): void {
    const mixed = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    const feature = (mixed ^ (mixed >>> 13)) >>> (32 - FEATURE_BITS);
    if (this.#stamp[feature] === this.#run) return;
    this.#stamp[feature] = this.#run;
    if (this.count < TOUCHED_MAX) this.touched[this.count++] = feature;
  }

  #classOf(event: MachineEvent): number {
    const words = event.words;
    switch (event.kind) {
      case HCALL:
        this.#call = words[0] ?? 0;
        return this.#call;
      case HCALL_RETURN:
        return (this.#call << 8) ^ ((words[0] ?? 0) & 0xff);
      case RTAS:
        this.#call = words[0] ?? 0;
        return this.#call;
      case RTAS_RETURN:
        return (this.#call << 8) ^ ((words[2] ?? 0) & 0xff);
      case MMIO_READ:
        return place(words[0] ?? 0) | ((words[2] ?? 0) << 16);
      case MMIO_WRITE:
      case PIO_WRITE:
        return place(words[0] ?? 0) | ((words[2] ?? 0) << 16) | ((magnitude(words[6] ?? 0) >> 2) << 20);
      case READ_VALUE:
        return magnitude(words[0] ?? 0);
      case DMA_READ:
      case DMA_WRITE:
        return magnitude(event.byteLength);
      case DMA_FAULT:
        return (magnitude(words[4] ?? 0) << 1) | (words[6] ?? 0);
      case INTERRUPT:
        return words[2] ?? 0;
      default:
        return 0;
    }
  }

  /** Every field, and the bytes as words, in order. */
  #digest(event: MachineEvent): void {
    let low = this.digestLow ^ event.kind;
    let high = this.digestHigh ^ event.byteLength;
    const words = event.words;
    const fields = FIELD_WORDS[event.kind] ?? 0;
    for (let i = 0; i < fields; i += 2) {
      low = Math.imul(low ^ (words[i] ?? 0), 0x01000193);
      high = Math.imul(high ^ (words[i + 1] ?? 0) ^ (low >>> 15), 0x85ebca6b);
    }
    const bytes = event.bytes;
    let at = event.byteOffset;
    const end = at + event.byteLength;
    for (; at + 3 < end; at += 4) {
      const word =
        (bytes[at] ?? 0) |
        ((bytes[at + 1] ?? 0) << 8) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 24);
      low = Math.imul((low << 5) ^ (low >>> 27) ^ word, 0x9e3779b1);
      // Of long payloads one word in eight, and all of the end: what lies between shows in the machine's own digest.
      if (end - at > LONG_TAIL) at += 28;
    }
    for (; at < end; at++) low = Math.imul(low ^ (bytes[at] ?? 0), 0x01000193);
    this.digestLow = low >>> 0;
    this.digestHigh = (high ^ (low >>> 16)) >>> 0;
  }
}

/** Half-words that a kind's fields fill; what lies behind them is left from other events. */
const FIELD_WORDS: Uint8Array = fieldWords();

function fieldWords(): Uint8Array {
  const words = new Uint8Array(EVENT_KINDS.length);
  EVENT_KINDS.forEach((kind, index) => {
    words[index] = 2 * kind.fields.length;
  });
  return words;
}

/** Kinds whose class counts in pairs: transfers, faults and interrupts. */
const COARSE: Uint8Array = coarseKinds();

function coarseKinds(): Uint8Array {
  const kinds = new Uint8Array(EVENT_KINDS.length);
  for (const kind of [DMA_READ, DMA_WRITE, DMA_FAULT, INTERRUPT]) kinds[kind] = 1;
  return kinds;
}

/** Which structure of the modern BAR, and where in its beginning: behind that all places are alike. */
function place(address: number): number {
  const offset = address & 0xfff;
  return (address & 0x3000) | (offset < 0x40 ? offset : 0x40);
}

/** Order of magnitude: 0 for 0, then the place of the highest bit. */
function magnitude(value: number): number {
  return 32 - Math.clz32(value);
}
