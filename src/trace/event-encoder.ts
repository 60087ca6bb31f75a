import { EVENT_KINDS, type MachineEvent } from '../emu/core/tap.ts';
import { addressSlot, EventContext, FIELD_STRIDE, KIND_STRIDE, SHORT_PAYLOAD } from './event-context.ts';

const UINT = 0x00;
const NINT = 0x20;
const BYTES = 0x40;
const TRUE = 0xf5;

/** Bytes of an event without its payload, at most: head, mask, time, length and twelve fields of nine bytes each. */
const EVENT_MAX = 160;

/**
 * Writes events as CBOR items into one buffer, allocating nothing: docs/recording.cddl is the grammar,
 * docs/recording-format.md the prose. 64-bit values are two 32-bit words throughout. The same events between two calls
 * of `reset` always give the same bytes; replaying relies on that to compare.
 */
export class EventEncoder {
  #out: Uint8Array;
  #end = 0;
  readonly #context: EventContext = new EventContext(EVENT_KINDS);

  constructor(capacity: number = 1 << 17) {
    this.#out = new Uint8Array(capacity);
  }

  /** The buffer; what was written stands in its first `length` bytes, until the next event. */
  get bytes(): Uint8Array {
    return this.#out;
  }

  get length(): number {
    return this.#end;
  }

  /** Starts a chunk whose first event happens at `firstTime`. */
  reset(firstTime: number): void {
    this.#end = 0;
    this.#context.reset(firstTime);
  }

  encode(event: MachineEvent): void {
    const context = this.#context;
    const kind = event.kind;
    const words = event.words;
    const slots = context.slots;
    const slotOf = context.slotOf;
    const row = kind * FIELD_STRIDE;
    const fields = context.fieldCount[kind] ?? 0;
    const carries = context.carriesBytes[kind] ?? 0;
    const byteLength = carries === 0 ? 0 : event.byteLength;
    if (this.#end + EVENT_MAX + byteLength > this.#out.length) this.#grow(EVENT_MAX + byteLength);
    const out = this.#out;
    let at = this.#end;

    const addressField = context.addressField[kind] ?? 255;
    const bucket = carries === 0 ? 0 : addressSlot(byteLength);
    let mask = carries !== 0 && byteLength !== context.byteLength[kind] ? 1 : 0;
    for (let i = 0; i < fields; i++) {
      const slot = (slotOf[row + i] ?? 0) + (i === addressField ? bucket : 0);
      if (words[2 * i] !== slots[slot] || words[2 * i + 1] !== slots[slot + 1]) mask |= 1 << (i + carries);
    }
    const step = event.at - context.now;
    const stepDiffers = step !== context.timeStep[kind];
    const pair = context.pair;
    const symbol = context.successor[pair] === kind ? 0 : kind + 1;
    const head = (symbol << 2) | (mask === 0 ? 0 : 2) | (stepDiffers ? 1 : 0);
    if (head < 24) out[at++] = head;
    else at = putWord(out, at, UINT, head);
    if (mask !== 0) {
      if (mask < 24) out[at++] = mask;
      else at = putWord(out, at, UINT, mask);
    }
    if (stepDiffers) {
      at = putInteger(out, at, step);
      context.timeStep[kind] = step;
    }
    context.now = event.at;
    context.successor[pair] = kind;
    context.pair = (pair % KIND_STRIDE) * KIND_STRIDE + kind;

    if (carries !== 0 && (mask & 1) !== 0) {
      at = putWord(out, at, UINT, byteLength);
      context.byteLength[kind] = byteLength;
    }
    let differing = mask >>> carries;
    for (let i = 0; differing !== 0; i++, differing >>>= 1) {
      if ((differing & 1) === 0) continue;
      const slot = (slotOf[row + i] ?? 0) + (i === addressField ? bucket : 0);
      at = putField(out, at, slots, slot, words[2 * i] ?? 0, words[2 * i + 1] ?? 0);
    }
    if (byteLength > 0) {
      at =
        byteLength <= SHORT_PAYLOAD
          ? putShortPayload(out, at, context.payloads, kind, event)
          : putLiteral(out, at, event.bytes, event.byteOffset, byteLength);
    }
    this.#end = at;
  }

  #grow(room: number): void {
    const grown = new Uint8Array(Math.max(this.#out.length * 2, this.#end + room));
    grown.set(this.#out.subarray(0, this.#end));
    this.#out = grown;
  }
}

/** A field's new value: `true` for the same difference as last time, the difference, or the value where it is shorter. */
function putField(
  out: Uint8Array,
  at: number,
  slots: Uint32Array,
  slot: number,
  low: number,
  high: number,
): number {
  const before = slots[slot] ?? 0;
  const stepLow = (low - before) >>> 0;
  const stepHigh = (high - (slots[slot + 1] ?? 0) - (low < before ? 1 : 0)) >>> 0;
  slots[slot] = low;
  slots[slot + 1] = high;
  if (slots[slot + 2] === stepLow && slots[slot + 3] === stepHigh) {
    out[at] = TRUE;
    return at + 1;
  }
  slots[slot + 2] = stepLow;
  slots[slot + 3] = stepHigh;
  const negative = stepHigh >>> 31 !== 0;
  const offsetLow = negative ? ~stepLow >>> 0 : stepLow;
  const offsetHigh = negative ? ~stepHigh >>> 0 : stepHigh;
  const valueBytes = significantBytes(low, high);
  if (1 + valueBytes < headBytes(offsetLow, offsetHigh)) return putValue(out, at, low, high, valueBytes);
  return putWide(out, at, negative ? NINT : UINT, offsetLow, offsetHigh);
}

/** The value itself: a byte string of its significant bytes, big-endian. */
function putValue(out: Uint8Array, at: number, low: number, high: number, length: number): number {
  out[at++] = BYTES | length;
  for (let i = length - 1; i >= 0; i--) out[at++] = i > 3 ? high >>> (8 * (i - 4)) : low >>> (8 * i);
  return at;
}

/** What differs from the last payload of this kind and length, or the payload literally where that is shorter. */
function putShortPayload(
  out: Uint8Array,
  at: number,
  payloads: Uint8Array,
  kind: number,
  event: MachineEvent,
): number {
  const length = event.byteLength;
  const from = event.bytes;
  const offset = event.byteOffset;
  const last = (kind * (SHORT_PAYLOAD + 1) + length) * SHORT_PAYLOAD;
  let mask = 0;
  let count = 0;
  for (let i = 0; i < length; i++) {
    if (from[offset + i] === payloads[last + i]) continue;
    mask |= 1 << i;
    count++;
  }
  mask >>>= 0;
  if (mask === 0) {
    out[at] = UINT;
    return at + 1;
  }
  const prefix = literalPrefix(from, offset, length);
  const cost = headBytes(mask, 0) + headBytes(count, 0) + count;
  if (headBytes(prefix, 0) + prefix < cost) {
    for (let i = 0; i < length; i++) payloads[last + i] = from[offset + i] ?? 0;
    return putLiteral(out, at, from, offset, length);
  }
  at = putWord(out, at, UINT, mask);
  at = putWord(out, at, BYTES, count);
  for (let i = 0; i < length; i++) {
    if (((mask >>> i) & 1) === 0) continue;
    const byte = from[offset + i] ?? 0;
    out[at++] = byte;
    payloads[last + i] = byte;
  }
  return at;
}

/** The bytes up to where each repeats the one eight before it; before the start all is zero. */
function putLiteral(out: Uint8Array, at: number, from: Uint8Array, offset: number, length: number): number {
  const prefix = literalPrefix(from, offset, length);
  at = putWord(out, at, BYTES, prefix);
  if (prefix <= 32) for (let i = 0; i < prefix; i++) out[at + i] = from[offset + i] ?? 0;
  else out.set(from.subarray(offset, offset + prefix), at);
  return at + prefix;
}

function literalPrefix(from: Uint8Array, offset: number, length: number): number {
  let end = offset + length;
  if (length >= 64 && repeatsThroughout(from, offset, end)) end = offset + 8;
  while (end > offset + 8 && from[end - 1] === from[end - 9]) end--;
  if (end === offset + 8 || length < 8) while (end > offset && from[end - 1] === 0) end--;
  return end - offset;
}

/** Sectors of tags, and zeros: one native comparison instead of a walk. */
function repeatsThroughout(from: Uint8Array, offset: number, end: number): boolean {
  if (from[end - 1] !== from[end - 9] || from[offset] !== from[offset + 8]) return false;
  return Buffer.prototype.compare.call(from, from, offset, end - 8, offset + 8, end) === 0;
}

function significantBytes(low: number, high: number): number {
  if (high !== 0) return 8 - (Math.clz32(high) >>> 3);
  return 4 - (Math.clz32(low) >>> 3);
}

function headBytes(low: number, high: number): number {
  if (high !== 0) return 9;
  if (low < 24) return 1;
  if (low < 0x100) return 2;
  return low < 0x10000 ? 3 : 5;
}

/** An item head whose argument is below 2^32, in its shortest form. */
function putWord(out: Uint8Array, at: number, major: number, value: number): number {
  if (value < 24) {
    out[at] = major | value;
    return at + 1;
  }
  if (value < 0x100) {
    out[at] = major | 24;
    out[at + 1] = value;
    return at + 2;
  }
  if (value < 0x10000) {
    out[at] = major | 25;
    out[at + 1] = value >>> 8;
    out[at + 2] = value;
    return at + 3;
  }
  out[at] = major | 26;
  out[at + 1] = value >>> 24;
  out[at + 2] = value >>> 16;
  out[at + 3] = value >>> 8;
  out[at + 4] = value;
  return at + 5;
}

function putWide(out: Uint8Array, at: number, major: number, low: number, high: number): number {
  if (high === 0) return putWord(out, at, major, low);
  out[at] = major | 27;
  out[at + 1] = high >>> 24;
  out[at + 2] = high >>> 16;
  out[at + 3] = high >>> 8;
  out[at + 4] = high;
  out[at + 5] = low >>> 24;
  out[at + 6] = low >>> 16;
  out[at + 7] = low >>> 8;
  out[at + 8] = low;
  return at + 9;
}

/** A whole number that a double holds exactly. */
function putInteger(out: Uint8Array, at: number, value: number): number {
  const argument = value < 0 ? -1 - value : value;
  return putWide(out, at, value < 0 ? NINT : UINT, argument >>> 0, Math.floor(argument / 2 ** 32));
}
