import { MachineEvent } from '../emu/core/tap.ts';
import {
  addressSlot,
  EventContext,
  FIELD_STRIDE,
  KIND_STRIDE,
  SHORT_PAYLOAD,
  type RecordedKind,
} from './event-context.ts';
import { RecordingError } from './recording-error.ts';

/** Bytes that one event carries at most; longer ones are recorded in pieces. */
export const PAYLOAD_MAX: number = 1 << 20;

const UINT = 0;
const NINT = 1;
const BYTES = 2;
const TRUE = 0xf5;

/**
 * Reads back what an EventEncoder wrote, into one reused event. The bytes may come from anybody: whatever the grammar
 * does not allow is refused with a RecordingError, and nothing is allocated by a declared size before it is checked.
 */
export class EventDecoder {
  /** The event that `next` read; `kind` counts in the table handed in. Its bytes last until the next one. */
  readonly event: MachineEvent = new MachineEvent();
  readonly #context: EventContext;
  /** By kind: whether fields and bytes are handed out. */
  readonly #wanted: Uint8Array;
  #payload: Uint8Array = new Uint8Array(4096);
  #from: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Argument of the item head read last: low and high word. */
  #low = 0;
  #high = 0;

  /** Of kinds that `wants` leaves out only kind, time and byte length are handed out; all else is checked and skipped. */
  constructor(kinds: readonly RecordedKind[], wants: (kind: RecordedKind) => boolean = () => true) {
    this.#context = new EventContext(kinds);
    this.#wanted = Uint8Array.from(kinds, (kind) => (wants(kind) ? 1 : 0));
  }

  /** Starts on a chunk's uncompressed bytes. */
  start(chunk: Uint8Array, firstTime: number): void {
    this.#from = chunk;
    this.#at = 0;
    this.#context.reset(firstTime);
    this.event.at = firstTime;
  }

  /** Offset behind the event that `next` read. */
  get offset(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at === this.#from.length;
  }

  /** Reads one event; false at the chunk's end. */
  next(): boolean {
    if (this.#at === this.#from.length) return false;
    const context = this.#context;
    const head = this.#word();
    const symbol = head >>> 2;
    const pair = context.pair;
    const kind = symbol === 0 ? (context.successor[pair] ?? 0) : symbol - 1;
    if (kind >= context.kinds.length)
      throw new RecordingError(`an event is of kind ${kind}, which has no row`);
    const carries = context.carriesBytes[kind] ?? 0;
    const fields = context.fieldCount[kind] ?? 0;
    const mask = (head & 2) === 0 ? 0 : this.#word();
    if (mask >>> (fields + carries) !== 0)
      throw new RecordingError('an event changes fields that its kind lacks');
    if ((head & 1) !== 0) context.timeStep[kind] = this.#integer();
    context.now += context.timeStep[kind] ?? 0;
    if (context.now < 0 || context.now > Number.MAX_SAFE_INTEGER)
      throw new RecordingError('an event lies outside time');
    context.successor[pair] = kind;
    context.pair = (pair % KIND_STRIDE) * KIND_STRIDE + kind;

    const event = this.event;
    event.kind = kind;
    event.at = context.now;
    if (carries !== 0 && (mask & 1) !== 0) {
      const length = this.#word();
      if (length > PAYLOAD_MAX)
        throw new RecordingError(`an event carries ${length} bytes, more than any may`);
      context.byteLength[kind] = length;
    }
    const length = carries === 0 ? 0 : (context.byteLength[kind] ?? 0);
    this.#readFields(kind, fields, mask >>> carries, carries === 0 ? 0 : addressSlot(length));
    if (length === 0) event.noBytes();
    else this.#readPayload(kind, length);
    return true;
  }

  #readFields(kind: number, fields: number, changed: number, bucket: number): void {
    const context = this.#context;
    const slots = context.slots;
    const words = this.event.words;
    const row = kind * FIELD_STRIDE;
    const addressField = context.addressField[kind] ?? 255;
    for (let i = 0; changed !== 0; i++, changed >>>= 1) {
      if ((changed & 1) === 0) continue;
      this.#readField(slots, (context.slotOf[row + i] ?? 0) + (i === addressField ? bucket : 0));
    }
    if (this.#wanted[kind] === 0) return;
    for (let i = 0; i < fields; i++) {
      const slot = (context.slotOf[row + i] ?? 0) + (i === addressField ? bucket : 0);
      words[2 * i] = slots[slot] ?? 0;
      words[2 * i + 1] = slots[slot + 1] ?? 0;
    }
  }

  #readField(slots: Uint32Array, slot: number): void {
    const beforeLow = slots[slot] ?? 0;
    const beforeHigh = slots[slot + 1] ?? 0;
    let stepLow = slots[slot + 2] ?? 0;
    let stepHigh = slots[slot + 3] ?? 0;
    if (this.#from[this.#at] === TRUE) {
      this.#at++;
    } else {
      const major = this.#head();
      if (major === BYTES) {
        this.#readValue(this.#low, this.#high);
        stepLow = (this.#low - beforeLow) >>> 0;
        stepHigh = (this.#high - beforeHigh - (this.#low < beforeLow ? 1 : 0)) >>> 0;
      } else if (major === UINT || major === NINT) {
        stepLow = major === NINT ? ~this.#low >>> 0 : this.#low;
        stepHigh = major === NINT ? ~this.#high >>> 0 : this.#high;
      } else throw new RecordingError('a field is neither a difference nor a value');
    }
    const low = (beforeLow + stepLow) >>> 0;
    slots[slot] = low;
    slots[slot + 1] = (beforeHigh + stepHigh + (low < beforeLow ? 1 : 0)) >>> 0;
    slots[slot + 2] = stepLow;
    slots[slot + 3] = stepHigh;
  }

  /** The value's bytes after their head, into the two words. */
  #readValue(length: number, lengthHigh: number): void {
    if (lengthHigh !== 0 || length > 8) throw new RecordingError('a field is longer than 64 bits');
    const at = this.#take(length);
    let low = 0;
    let high = 0;
    for (let i = 0; i < length; i++) {
      high = ((high << 8) | (low >>> 24)) >>> 0;
      low = ((low << 8) | (this.#from[at + i] ?? 0)) >>> 0;
    }
    if (length > 0 && this.#from[at] === 0) throw new RecordingError('a field is not in its shortest form');
    this.#low = low;
    this.#high = high;
  }

  #readPayload(kind: number, length: number): void {
    if (this.#payload.length < length)
      this.#payload = new Uint8Array(Math.max(length, 2 * this.#payload.length));
    const short = length <= SHORT_PAYLOAD;
    const wanted = this.#wanted[kind] !== 0;
    const last = (kind * (SHORT_PAYLOAD + 1) + length) * SHORT_PAYLOAD;
    const payloads = this.#context.payloads;
    const major = this.#head();
    if (this.#high !== 0) throw new RecordingError('an event carries more bytes than it says');
    if (major === UINT && short) {
      if (this.#low !== 0) this.#patch(payloads, last, length, this.#low);
      if (wanted) for (let i = 0; i < length; i++) this.#payload[i] = payloads[last + i] ?? 0;
    } else if (major === BYTES) {
      this.#literal(length, this.#low, wanted || short);
      if (short) for (let i = 0; i < length; i++) payloads[last + i] = this.#payload[i] ?? 0;
    } else throw new RecordingError('the bytes of an event are neither literal nor a change');
    this.event.carry(this.#payload, 0, length);
  }

  #patch(payloads: Uint8Array, last: number, length: number, mask: number): void {
    if (length < 32 && mask >>> length !== 0)
      throw new RecordingError('an event changes bytes beyond its own');
    if (this.#head() !== BYTES || this.#high !== 0) throw new RecordingError('changed bytes are missing');
    let at = this.#take(this.#low);
    const end = at + this.#low;
    for (let i = 0; i < length; i++) {
      if (((mask >>> i) & 1) === 0) continue;
      if (at === end) throw new RecordingError('an event changes more bytes than it holds');
      payloads[last + i] = this.#from[at++] ?? 0;
    }
    if (at !== end) throw new RecordingError('an event holds more bytes than it changes');
  }

  #literal(length: number, prefix: number, wanted: boolean): void {
    if (prefix > length) throw new RecordingError('an event carries more bytes than it says');
    const at = this.#take(prefix);
    if (!wanted) return;
    const payload = this.#payload;
    if (prefix <= 32) for (let i = 0; i < prefix; i++) payload[i] = this.#from[at + i] ?? 0;
    else payload.set(this.#from.subarray(at, at + prefix));
    if (prefix < length) repeatTail(payload, prefix, length);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#from.length - at) throw new RecordingError('an event ends outside its chunk');
    this.#at = at + length;
    return at;
  }

  /** An unsigned item below 2^32. */
  #word(): number {
    const byte = this.#from[this.#at] ?? 0xff;
    if (byte < 24) {
      this.#at++;
      return byte;
    }
    if (this.#head() !== UINT || this.#high !== 0)
      throw new RecordingError('an event has no whole number where one belongs');
    return this.#low;
  }

  #integer(): number {
    const major = this.#head();
    if (major > NINT || this.#high >= 1 << 21) throw new RecordingError('a time step is not a whole number');
    const value = this.#high * 2 ** 32 + this.#low;
    return major === UINT ? value : -1 - value;
  }

  /** Reads an item head in its shortest form, argument into the two words; returns the major type, 7 refused. */
  #head(): number {
    const from = this.#from;
    const first = from[this.#take(1)] ?? 0;
    const information = first & 31;
    this.#high = 0;
    this.#low = information;
    if (first >= 0xe0) throw new RecordingError('an event holds an item of a type that no event has');
    if (information < 24) return first >>> 5;
    if (information > 27) throw new RecordingError('an event holds an item of indefinite length');
    const size = 1 << (information - 24);
    const at = this.#take(size);
    let low = 0;
    let high = 0;
    for (let i = 0; i < size; i++) {
      high = ((high << 8) | (low >>> 24)) >>> 0;
      low = ((low << 8) | (from[at + i] ?? 0)) >>> 0;
    }
    const shortest = size === 1 ? low >= 24 : size === 8 ? high !== 0 : low >= (size === 2 ? 0x100 : 0x10000);
    if (!shortest) throw new RecordingError('an event holds a number that is not in its shortest form');
    this.#low = low;
    this.#high = high;
    return first >>> 5;
  }
}

/** Each byte from `from` on is the one eight before it; before the start all is zero. Long tails double by copying. */
function repeatTail(bytes: Uint8Array, from: number, length: number): void {
  let at = from;
  for (; at < length && at < from + 16; at++) bytes[at] = at < 8 ? 0 : (bytes[at - 8] ?? 0);
  // From eight bytes before `from` on, the bytes repeat with a period of eight.
  const start = Math.max(0, from - 8);
  while (at < length) {
    const whole = (at - start) & ~7;
    const step = Math.min(whole, length - at);
    bytes.copyWithin(at, at - whole, at - whole + step);
    at += step;
  }
}
