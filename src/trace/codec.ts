import { Encoder } from 'cbor-x/index-no-eval';
import { isUtf8 } from 'node:buffer';
import { RecordingError } from './recording-error.ts';

/** What the envelopes of a recording are made of. */
export type Item = number | bigint | boolean | null | string | Uint8Array | readonly Item[];

// Plain arrays, integers and strings only: no records, whose bytes would depend on what was encoded before, and no
// tag on byte strings (packages.md 3.3).
const CBOR = new Encoder({ useRecords: false, tagUint8Array: false, mapsAsObjects: false });

/** A whole number in the form that cbor-x writes shortest: it would write numbers from 2^32 as floats. */
export function whole(value: number): Item {
  return value < 2 ** 32 ? value : BigInt(value);
}

/** The CBOR bytes of `item`. */
export function encodeItem(item: Item): Uint8Array {
  // cbor-x returns a view into a buffer that it reuses.
  return Uint8Array.from(CBOR.encode(item));
}

/** Decodes bytes that `scanItem` admitted. */
export function decodeItem(bytes: Uint8Array): Item {
  return CBOR.decode(bytes) as Item;
}

/** Every item of a CBOR sequence, as cbor-x reads it. */
export function decodeSequence(bytes: Uint8Array): Item[] {
  const items: Item[] = [];
  if (bytes.length > 0) CBOR.decodeMultiple(bytes, (item: unknown) => void items.push(item as Item));
  return items;
}

const DEPTH_MAX = 6;
const ELEMENTS_MAX = 1024;

/**
 * Finds the end of the item at `at` without decoding it. Admits arrays, integers, byte and text strings, false, true
 * and null, with definite lengths and shortest heads; anything else throws a RecordingError. An item that goes on
 * beyond `bytes` gives the offset it needs at least, which is then larger than `bytes.length`.
 */
export function scanItem(bytes: Uint8Array, at: number, depth = 0): number {
  if (at >= bytes.length) return bytes.length + 1;
  const first = bytes[at] ?? 0;
  const major = first >>> 5;
  const information = first & 31;
  if (major === 7) {
    if (information < 20 || information > 22)
      throw new RecordingError('it holds a CBOR value that recordings have not');
    return at + 1;
  }
  if (major > 4) throw new RecordingError('it holds a CBOR map or tag, which recordings have not');
  if (information > 27) throw new RecordingError('it holds a CBOR item of indefinite length');
  const size = information < 24 ? 0 : 1 << (information - 24);
  const body = at + 1 + size;
  if (body > bytes.length) return body;
  const argument = size === 0 ? information : readArgument(bytes, at + 1, size);
  if (major < 2) return body;
  if (major < 4) return scanString(bytes, body, argument, major === 3);
  if (argument > ELEMENTS_MAX || depth === DEPTH_MAX)
    throw new RecordingError('it nests deeper or wider than a recording');
  let end = body;
  for (let i = 0; i < argument && end <= bytes.length; i++) end = scanItem(bytes, end, depth + 1);
  return end;
}

function scanString(bytes: Uint8Array, body: number, length: number, text: boolean): number {
  const end = body + length;
  if (!Number.isSafeInteger(end)) throw new RecordingError('it holds a string longer than any file');
  if (text && end <= bytes.length && !isUtf8(bytes.subarray(body, end)))
    throw new RecordingError('it holds a text that is not UTF-8');
  return end;
}

function readArgument(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (bytes[at + i] ?? 0);
  const least = size === 1 ? 24 : 2 ** (4 * size);
  if (value < least) throw new RecordingError('it holds a number that is not in its shortest form');
  return value;
}
