import { EVENT_KINDS, MachineEvent, type Tap } from '../emu/core/tap.ts';

/** Words of fields, by kind. */
const FIELD_WORDS: Uint8Array<ArrayBuffer> = Uint8Array.from(EVENT_KINDS, (kind) => 2 * kind.fields.length);
/** An event's head is its kind, with these bits where a time (two words) and a byte length follow it. */
const TIMED = 0x100;
const CARRYING = 0x200;
const KIND_MASK = 0xff;
/** Head, time (low, high), byte length, and two words for each field at most. */
const EVENT_WORDS_MAX = 4 + 24;
const WORDS_MAX: number = 1 << 24;
const BYTES_MAX: number = 1 << 26;

/**
 * Keeps the events of a run as they are, uncoded, in memory that is used again and again: a fraction of what recording
 * costs. A campaign keeps every case this way and pours the few that matter into a Recorder, which then writes the
 * same file as if it had been there.
 */
export class FlightRecorder implements Tap {
  readonly wantsGuestWrites = false;
  #words: Uint32Array = new Uint32Array(1 << 16);
  #bytes: Uint8Array = new Uint8Array(1 << 16);
  #wordsUsed = 0;
  #bytesUsed = 0;
  #events = 0;
  /** Time of the last event kept: most happen at the moment of the one before. */
  #now = 0;
  #full = false;

  /** Events kept since `restart`. */
  get events(): number {
    return this.#events;
  }

  /** Whether a run was so long that its end is not kept. */
  get overflowed(): boolean {
    return this.#full;
  }

  restart(): void {
    this.#wordsUsed = 0;
    this.#bytesUsed = 0;
    this.#events = 0;
    this.#now = 0;
    this.#full = false;
  }

  take(event: MachineEvent): void {
    const { kind, at: time, byteLength } = event;
    const at = this.#wordsUsed;
    if (at + EVENT_WORDS_MAX > this.#words.length) this.#growWords();
    if (byteLength > 0 && this.#bytesUsed + byteLength > this.#bytes.length) this.#growBytes(byteLength);
    if (this.#full) return;
    const into = this.#words;
    let head = kind;
    let end = at + 1;
    if (time !== this.#now) {
      head |= TIMED;
      into[end] = time;
      into[end + 1] = time / 2 ** 32;
      end += 2;
      this.#now = time;
    }
    if (byteLength > 0) {
      head |= CARRYING;
      into[end++] = byteLength;
      this.#keepBytes(event.bytes, event.byteOffset, byteLength);
    }
    into[at] = head;
    const from = event.words;
    const count = FIELD_WORDS[kind] ?? 0;
    for (let i = 0; i < count; i++) into[end + i] = from[i] ?? 0;
    this.#wordsUsed = end + count;
    this.#events++;
  }

  /** Hands every event to `tap`, as it was. */
  pourInto(tap: Tap): void {
    const event = new MachineEvent();
    const words = this.#words;
    let byteAt = 0;
    for (let at = 0; at < this.#wordsUsed;) {
      const head = words[at++] ?? 0;
      event.kind = head & KIND_MASK;
      if ((head & TIMED) !== 0) {
        event.at = (words[at] ?? 0) + (words[at + 1] ?? 0) * 2 ** 32;
        at += 2;
      }
      event.noBytes();
      if ((head & CARRYING) !== 0) event.carry(this.#bytes, byteAt, words[at++] ?? 0);
      byteAt += event.byteLength;
      const count = FIELD_WORDS[event.kind] ?? 0;
      event.words.set(words.subarray(at, at + count));
      at += count;
      tap.take(event);
    }
  }

  #keepBytes(from: Uint8Array, offset: number, length: number): void {
    const into = this.#bytes;
    const at = this.#bytesUsed;
    if (length <= 32) for (let i = 0; i < length; i++) into[at + i] = from[offset + i] ?? 0;
    else into.set(from.subarray(offset, offset + length), at);
    this.#bytesUsed = at + length;
  }

  #growWords(): void {
    if (this.#words.length >= WORDS_MAX) {
      this.#full = true;
      return;
    }
    const grown = new Uint32Array(this.#words.length * 2);
    grown.set(this.#words.subarray(0, this.#wordsUsed));
    this.#words = grown;
  }

  #growBytes(room: number): void {
    if (this.#bytesUsed + room > BYTES_MAX) {
      this.#full = true;
      return;
    }
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#bytesUsed + room));
    grown.set(this.#bytes.subarray(0, this.#bytesUsed));
    this.#bytes = grown;
  }
}
