import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { STATE_LAYOUT } from '../emu/core/state.ts';
import { EVENT_KINDS, type MachineEvent } from '../emu/core/tap.ts';
import { decodeItem, scanItem, type Item } from './codec.ts';
import { checkSeal } from './envelope.ts';
import type { RecordedKind } from './event-context.ts';
import { EventDecoder } from './event-decoder.ts';
import {
  CHUNK_BYTES_MAX,
  CHUNK_ITEM,
  CHUNK_PAYLOAD_MAX,
  decompress,
  END_ITEM,
  FORMAT,
  ITEM_MAX,
  MAGIC,
  readHeader,
  type RecordingHeader,
} from './format.ts';
import { RecordingError } from './recording-error.ts';

/** Bytes to read a recording from. */
export interface RecordingSource {
  /** As messages name it. */
  readonly name: string;
  readonly size: number;
  /** Copies `length` bytes from `position`, which lie inside. */
  read(position: number, length: number): Uint8Array;
  close(): void;
}

export class MemorySource implements RecordingSource {
  readonly name: string;
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, name = 'recording') {
    this.name = name;
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  read(position: number, length: number): Uint8Array {
    return this.#bytes.subarray(position, position + length);
  }

  close(): void {}
}

export class FileSource implements RecordingSource {
  readonly name: string;
  readonly size: number;
  readonly #file: number;

  /** Throws as node:fs does if there is no such file. */
  constructor(path: string) {
    this.name = path;
    this.#file = openSync(path, 'r');
    this.size = fstatSync(this.#file).size;
  }

  read(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const got = readSync(this.#file, bytes, at, length - at, position + at);
      if (got === 0) throw new RecordingError('it became shorter while it was read');
      at += got;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#file);
  }
}

export interface Chunk {
  readonly index: number;
  readonly firstEvent: number;
  readonly firstTime: number;
  readonly events: number;
  /** The machine's digest before the chunk's first event, in hexadecimal. */
  readonly checkpoint: string | undefined;
  /** The events, uncompressed. */
  readonly raw: Uint8Array;
}

/** How a recording ends. */
export interface RecordingEnd {
  readonly events: number;
  readonly chunks: number;
  /** Bytes at the end of the file that are no whole item: its writer was cut off. Undefined if the recording is whole. */
  readonly torn: number | undefined;
  readonly finalDigest: string | undefined;
}

const WINDOW = 128 << 10;

/**
 * Reads a recording from front to back, chunk by chunk, checking everything: the file's check sums, the running
 * SHA-256, the counts. Memory is bounded by one item. A file that ends inside an item is torn and gives what lies
 * before; any other fault is a RecordingError.
 */
export class RecordingReader {
  readonly header: RecordingHeader;
  /** Whether the kinds are numbered and made as this program's are. */
  readonly sameKinds: boolean;
  /** Whether its digests are of state laid out as this program's is, and can be compared. */
  readonly sameState: boolean;
  readonly #source: RecordingSource;
  readonly #bodyAt: number;
  readonly #bodyCrc: number;
  readonly #headerHash: Hash;
  #end: RecordingEnd | undefined;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  constructor(source: RecordingSource) {
    this.#source = source;
    const bytes = this.#readHeaderBytes();
    const item = decodeItem(bytes) as readonly Item[];
    const crc = this.#guarded(() => checkSeal(bytes, sealOf(item), 0));
    if (crc === undefined) throw this.#damaged('its header does not fit its check sum');
    this.header = this.#guarded(() => readHeader(item));
    this.sameKinds = fitsOurKinds(this.header);
    this.sameState = this.header.stateLayout === STATE_LAYOUT;
    this.#bodyAt = bytes.length;
    this.#bodyCrc = crc;
    this.#headerHash = createHash('sha256').update(bytes);
  }

  /** Known once the last chunk was read. */
  get end(): RecordingEnd | undefined {
    return this.#end;
  }

  /** The source's name. */
  get name(): string {
    return this.#source.name;
  }

  close(): void {
    this.#source.close();
  }

  /** Every whole chunk, in order; afterwards `end` says how the recording ends. May be walked again. */
  *chunks(): Generator<Chunk, void, undefined> {
    const hash = this.#headerHash.copy();
    let crc = this.#bodyCrc;
    let at = this.#bodyAt;
    let index = 0;
    let events = 0;
    while (true) {
      const bytes = this.#guarded(() => this.#itemAt(at));
      if (bytes === undefined) break;
      const item = decodeItem(bytes) as readonly Item[];
      const next = this.#guarded(() => checkSeal(bytes, sealOf(item), crc));
      if (next === undefined) throw this.#damaged(`the item at byte ${at} does not fit its check sum`);
      crc = next;
      if (item[0] === END_ITEM) {
        if (at + bytes.length !== this.#source.size) throw this.#damaged('it goes on after its end');
        const finalDigest = this.#guarded(() => readEnd(item, events, hash));
        this.#end = { events, chunks: index, torn: undefined, finalDigest };
        return;
      }
      const chunk = this.#guarded(() => readChunk(item, index, events, hash));
      yield chunk;
      index++;
      events += chunk.events;
      at += bytes.length;
    }
    this.#end = { events, chunks: index, torn: this.#source.size - at, finalDigest: undefined };
  }

  /**
   * Shows every event with its number and the chunk it stands in. The event is reused; its kind counts in the
   * header's table. `visit` returns false to stop. Of kinds that `wants` leaves out it sees no fields and no bytes.
   */
  forEach(
    visit: (event: MachineEvent, number: number) => boolean | void,
    wants?: (kind: RecordedKind) => boolean,
  ): void {
    const decoder = new EventDecoder(this.header.kinds, wants);
    for (const chunk of this.chunks()) if (!this.visitChunk(chunk, decoder, visit)) return;
  }

  /** As `forEach`, of one chunk; false if `visit` stopped. */
  visitChunk(
    chunk: Chunk,
    decoder: EventDecoder,
    visit: (event: MachineEvent, number: number) => boolean | void,
  ): boolean {
    decoder.start(chunk.raw, chunk.firstTime);
    let payload = 0;
    for (let i = 0; i < chunk.events; i++) {
      if (!this.#next(decoder)) throw this.#damaged(`chunk ${chunk.index} holds too few events`);
      payload += decoder.event.byteLength;
      if (payload > CHUNK_PAYLOAD_MAX)
        throw this.#damaged(`chunk ${chunk.index} unfolds to more than it may`);
      if (visit(decoder.event, chunk.firstEvent + i) === false) return false;
    }
    if (!decoder.atEnd) throw this.#damaged(`chunk ${chunk.index} holds more than its events`);
    return true;
  }

  #readHeaderBytes(): Uint8Array {
    const start = this.#source.read(0, Math.min(this.#source.size, WINDOW));
    if (!startsAsRecording(start))
      throw new RecordingError(`${this.#source.name} is not a Papyrus recording`);
    const major = this.#guarded(() => majorVersion(start));
    if (major > FORMAT[0])
      throw new RecordingError(
        `${this.#source.name} is of recording format ${major}, newer than the ${FORMAT[0]} that this version reads; use a newer papyrus`,
      );
    const bytes = this.#guarded(() => this.#itemAt(0));
    if (bytes === undefined) throw this.#damaged('it ends inside its header');
    return bytes;
  }

  /** The bytes of the item at `at`, or undefined if the file ends before it does. */
  #itemAt(at: number): Uint8Array | undefined {
    let want = Math.min(WINDOW, this.#source.size - at);
    while (true) {
      const bytes = this.#read(at, want);
      const end = scanItem(bytes, 0);
      if (end <= bytes.length) {
        if ((bytes[0] ?? 0) >>> 5 !== 4)
          throw new RecordingError(`at byte ${at} stands no item of a recording`);
        return bytes.subarray(0, end);
      }
      if (at + end > this.#source.size) return undefined;
      if (end > ITEM_MAX) throw new RecordingError(`the item at byte ${at} is larger than any may be`);
      want = Math.min(Math.max(end, 2 * want), this.#source.size - at);
    }
  }

  /** Reads ahead by a window, so that small items do not cost a system call each. */
  #read(at: number, length: number): Uint8Array {
    const inside = at - this.#windowAt;
    if (inside >= 0 && inside + length <= this.#window.length)
      return this.#window.subarray(inside, inside + length);
    const least = Math.min(Math.max(length, 4 * WINDOW), this.#source.size - at);
    this.#window = this.#source.read(at, least);
    this.#windowAt = at;
    return this.#window.subarray(0, length);
  }

  /** As `#guarded`, without a closure for every event. */
  #next(decoder: EventDecoder): boolean {
    try {
      return decoder.next();
    } catch (error) {
      if (error instanceof RecordingError) throw this.#damaged(error.message);
      throw error;
    }
  }

  /** Names the file in whatever is wrong with it. */
  #guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof RecordingError) throw this.#damaged(error.message);
      throw error;
    }
  }

  #damaged(what: string): RecordingError {
    const name = this.#source.name;
    return new RecordingError(what.startsWith(name) ? what : `${name} is damaged: ${what}`);
  }
}

function sealOf(item: readonly Item[]): number {
  const seal = item.at(-1);
  if (typeof seal !== 'number') throw new RecordingError('an item has no check sum');
  return seal;
}

function readChunk(item: readonly Item[], index: number, firstEvent: number, hash: Hash): Chunk {
  const [type, isIndex, isFirst, time, count, rawLength, checkpoint, sha, data] = item;
  if (item.length < 10 || type !== CHUNK_ITEM)
    throw new RecordingError('an item is neither a chunk nor the end');
  if (Number(isIndex) !== index || Number(isFirst) !== firstEvent)
    throw new RecordingError(`where chunk ${index} belongs stands another`);
  const firstTime = Number(time);
  const events = Number(count);
  const length = Number(rawLength);
  if (
    !(
      length <= CHUNK_BYTES_MAX &&
      events >= 1 &&
      events <= length &&
      Number.isSafeInteger(firstTime) &&
      firstTime >= 0
    )
  )
    throw new RecordingError(`chunk ${index} gives sizes that no chunk has`);
  if (!(sha instanceof Uint8Array) || !(data instanceof Uint8Array))
    throw new RecordingError(`chunk ${index} lacks its bytes`);
  const raw = decompress(data, length);
  hash.update(raw);
  if (hash.copy().digest().compare(sha) !== 0)
    throw new RecordingError(`the events up to chunk ${index} do not fit their SHA-256`);
  return { index, firstEvent, firstTime, events, checkpoint: hexDigest(checkpoint), raw };
}

function readEnd(item: readonly Item[], events: number, hash: Hash): string | undefined {
  const [, count, sha, digest] = item;
  if (item.length < 5 || Number(count) !== events || !(sha instanceof Uint8Array))
    throw new RecordingError('its end does not fit its events');
  if (hash.copy().digest().compare(sha) !== 0)
    throw new RecordingError('its events do not fit their SHA-256');
  return hexDigest(digest);
}

function hexDigest(item: Item | undefined): string | undefined {
  return item instanceof Uint8Array ? Buffer.from(item).toString('hex') : undefined;
}

function startsAsRecording(bytes: Uint8Array): boolean {
  const magic = Buffer.from(MAGIC);
  if ((bytes[0] ?? 0) >>> 5 !== 4 || bytes[1] !== (0x60 | magic.length)) return false;
  return magic.equals(bytes.subarray(2, 2 + magic.length));
}

function majorVersion(bytes: Uint8Array): number {
  const at = 2 + MAGIC.length;
  const end = scanItem(bytes, at);
  if (end > bytes.length) throw new RecordingError('it ends inside its header');
  const version = decodeItem(bytes.subarray(at, end));
  if (!Array.isArray(version) || typeof version[0] !== 'number')
    throw new RecordingError('it gives no format version');
  return version[0];
}

function fitsOurKinds(header: RecordingHeader): boolean {
  return header.kinds.every((kind, number) => {
    const ours = EVENT_KINDS[number];
    return ours !== undefined && ours.name === kind.name && ours.fields.join() === kind.fields.join();
  });
}
