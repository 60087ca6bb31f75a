import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import type { MachineEvent, Tap } from '../emu/core/tap.ts';
import { EVENT_KINDS } from '../emu/core/tap.ts';
import { whole, type Item } from './codec.ts';
import { sealItem } from './envelope.ts';
import { EventEncoder } from './event-encoder.ts';
import {
  CHECKPOINT_EVERY,
  CHUNK_BYTES,
  CHUNK_ITEM,
  CHUNK_PAYLOAD_MAX,
  compress,
  END_ITEM,
  headerElements,
  type RecordingHeader,
} from './format.ts';
import { PAYLOAD_MAX } from './event-decoder.ts';
import { inPieces } from './pieces.ts';

/** Where a recording goes, item by item. */
export interface RecordingSink {
  write(bytes: Uint8Array): void;
  close(): void;
  /** Undoes whatever was written. */
  discard(): void;
}

/** What a machine shows a recorder beside its events. */
export interface Digested {
  digest(): string;
}

/** From here on a chunk ends before the next action of the guest, so that checkpoints lie between actions. */
const CHUNK_SOFT: number = CHUNK_BYTES - (8 << 10);
const PAYLOAD_SOFT: number = CHUNK_PAYLOAD_MAX - 2 * PAYLOAD_MAX;
const ACTIONS: readonly boolean[] = EVENT_KINDS.map(
  (kind) => kind.direction === 'input' && kind.name !== 'choice',
);

/** What a finished recording came to. */
export interface RecordingTotals {
  readonly events: number;
  readonly chunks: number;
  /** Bytes of all events before compression. */
  readonly rawBytes: number;
  /** Bytes of the whole file. */
  readonly fileBytes: number;
}

/**
 * Writes every event down. Nothing leaves before the first chunk is full, and `restart` forgets a recording that has
 * not left yet: so a campaign can record each case and keep only those that it wants.
 */
export class Recorder implements Tap {
  readonly wantsGuestWrites: boolean;
  readonly #sink: RecordingSink;
  #header: RecordingHeader;
  #machine: Digested | undefined;
  readonly #encoder: EventEncoder = new EventEncoder(2 * CHUNK_BYTES);
  #hash: Hash | undefined;
  #crc = 0;
  #chunks = 0;
  #events = 0;
  #firstEvent = 0;
  #firstTime = 0;
  #payloadBytes = 0;
  #rawBytes = 0;
  #fileBytes = 0;
  #checkpoint: string | undefined;

  /** `machine` gives the checkpoints; without it there are none. */
  constructor(header: RecordingHeader, sink: RecordingSink, machine?: Digested) {
    this.#header = header;
    this.#sink = sink;
    this.#machine = machine;
    this.wantsGuestWrites = header.guestWrites;
  }

  /** Events taken so far. */
  get events(): number {
    return this.#events;
  }

  /** Forgets everything and begins another recording; what has left already is discarded. */
  restart(header: RecordingHeader, machine?: Digested): void {
    if (this.#hash !== undefined) this.#sink.discard();
    this.#header = header;
    this.#machine = machine;
    this.#hash = undefined;
    this.#crc = 0;
    this.#chunks = 0;
    this.#events = 0;
    this.#firstEvent = 0;
    this.#rawBytes = 0;
    this.#fileBytes = 0;
    this.#encoder.reset(0);
  }

  take(event: MachineEvent): void {
    if (event.byteLength > PAYLOAD_MAX) {
      inPieces(event, (piece) => this.take(piece));
      return;
    }
    const encoder = this.#encoder;
    if (encoder.length >= CHUNK_SOFT || this.#payloadBytes >= PAYLOAD_SOFT) this.#flushIfFull(event);
    if (this.#events === this.#firstEvent) this.#begin(event.at);
    encoder.encode(event);
    this.#payloadBytes += event.byteLength;
    this.#events++;
  }

  /** Writes the rest and the end. The final digest, if given, is what a replay must come to. */
  finish(finalDigest?: string): RecordingTotals {
    if (this.#events > this.#firstEvent) this.#flush();
    const hash = this.#opened();
    const digest = finalDigest === undefined ? null : Buffer.from(finalDigest, 'hex');
    this.#write([END_ITEM, whole(this.#events), hash.copy().digest(), digest]);
    this.#sink.close();
    return {
      events: this.#events,
      chunks: this.#chunks,
      rawBytes: this.#rawBytes,
      fileBytes: this.#fileBytes,
    };
  }

  /** Gives the recording up; nothing of it remains. */
  discard(): void {
    this.#sink.discard();
  }

  #flushIfFull(event: MachineEvent): void {
    if (this.#events === this.#firstEvent) return;
    const full = this.#encoder.length >= CHUNK_BYTES || this.#payloadBytes >= CHUNK_PAYLOAD_MAX - PAYLOAD_MAX;
    if (full || ACTIONS[event.kind] === true) this.#flush();
  }

  #begin(firstTime: number): void {
    this.#firstTime = firstTime;
    this.#payloadBytes = 0;
    this.#encoder.reset(firstTime);
    const due = this.#chunks > 0 && this.#chunks % CHECKPOINT_EVERY === 0;
    this.#checkpoint = due ? this.#machine?.digest() : undefined;
  }

  #opened(): Hash {
    if (this.#hash !== undefined) return this.#hash;
    this.#hash = createHash('sha256');
    this.#hash.update(this.#write(headerElements(this.#header)));
    return this.#hash;
  }

  #flush(): void {
    const hash = this.#opened();
    const raw = this.#encoder.bytes.subarray(0, this.#encoder.length);
    hash.update(raw);
    this.#write([
      CHUNK_ITEM,
      whole(this.#chunks),
      whole(this.#firstEvent),
      whole(this.#firstTime),
      whole(this.#events - this.#firstEvent),
      whole(raw.length),
      this.#checkpoint === undefined ? null : Buffer.from(this.#checkpoint, 'hex'),
      hash.copy().digest(),
      compress(raw),
    ]);
    this.#chunks++;
    this.#rawBytes += raw.length;
    this.#firstEvent = this.#events;
  }

  #write(elements: readonly Item[]): Uint8Array {
    const { bytes, crc } = sealItem(elements, this.#crc);
    this.#crc = crc;
    this.#fileBytes += bytes.length;
    this.#sink.write(bytes);
    return bytes;
  }
}

/** Keeps a recording in memory. */
export class MemorySink implements RecordingSink {
  #parts: Uint8Array[] = [];

  get bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  write(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  close(): void {}

  discard(): void {
    this.#parts = [];
  }
}

/** Appends to a file that comes into being with the first item. If the process dies, what was appended is readable. */
export class FileSink implements RecordingSink {
  readonly path: string;
  #file: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  write(bytes: Uint8Array): void {
    this.#file ??= openSync(this.path, 'w');
    let at = 0;
    while (at < bytes.length) at += writeSync(this.#file, bytes, at);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  discard(): void {
    if (this.#file === undefined) return;
    this.close();
    rmSync(this.path, { force: true });
  }
}
