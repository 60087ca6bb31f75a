import { EVENT_KINDS, KIND, type MachineEvent } from '../emu/core/tap.ts';

/** Bits of a feature's number: 2^16 features, of which a campaign meets a few thousand. */
const FEATURE_BITS = 16;
export const FEATURES_MAX: number = 1 << FEATURE_BITS;
const TOUCHED_MAX = 4096;

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
 * What a run reached, as a set of small numbers, and a digest of its events. A feature is a pair of neighbouring events,
 * each by its kind and a coarse class of what it carried: which call with which status, which register with a value of
 * which size, a transfer of which order of length, a fault read or written. It is cheap enough for every event of every
 * case, and it depends on nothing but the events.
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
    const present =
      (Math.imul(event.kind + 1, 0x9e3779b1) ^ Math.imul(this.#classOf(event) + 1, 0x85ebca6b)) >>> 0;
    let feature = Math.imul(present ^ ((this.#previous << 7) | (this.#previous >>> 25)), 0xc2b2ae35);
    feature = (feature ^ (feature >>> 15)) >>> (32 - FEATURE_BITS);
    this.#previous = present;
    if (this.#stamp[feature] === this.#run) return;
    this.#stamp[feature] = this.#run;
    if (this.count < TOUCHED_MAX) this.touched[this.count++] = feature;
  }

  /** A fact about the whole run, as a feature of its own. */
  note(fact: number): void {
    const feature = (Math.imul(fact + 1, 0x27d4eb2f) >>> (32 - FEATURE_BITS)) & (FEATURES_MAX - 1);
    if (this.#stamp[feature] === this.#run || this.count === TOUCHED_MAX) return;
    this.#stamp[feature] = this.#run;
    this.touched[this.count++] = feature;
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
        return ((words[0] ?? 0) & 0x3fff) | ((words[2] ?? 0) << 16);
      case MMIO_WRITE:
      case PIO_WRITE:
        return ((words[0] ?? 0) & 0x3fff) | ((words[2] ?? 0) << 16) | (magnitude(words[6] ?? 0) << 20);
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

  /** Every field and every byte, in order. Bytes go in as words; a tail shorter than a word goes in as it is. */
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

/** Order of magnitude: 0 for 0, then the place of the highest bit. */
function magnitude(value: number): number {
  return 32 - Math.clz32(value);
}
