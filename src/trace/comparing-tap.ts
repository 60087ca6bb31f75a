import { EVENT_KINDS, MachineEvent, type Tap } from '../emu/core/tap.ts';
import type { Divergence, EventCopy } from './divergence.ts';
import { copyEvent, differingField } from './divergence.ts';
import { EventDecoder, PAYLOAD_MAX } from './event-decoder.ts';
import { EventEncoder } from './event-encoder.ts';
import { inPieces } from './pieces.ts';
import type { Chunk, RecordingReader } from './reader.ts';
import type { Digested } from './recorder.ts';

/** Which events of a recording are compared. */
export interface ComparedRange {
  /** First event that is compared. */
  readonly from?: number;
  /** First event that is not compared any more. */
  readonly until?: number;
  /** Whether more may happen than was recorded, where the recording ends without a digest: it was cut off. */
  readonly mayGoOn?: boolean;
}

/**
 * Holds every event of a running machine against a recording, bit by bit.
 *
 * Encoding is a function of the events, so the tap encodes what it sees as the recorder did and compares bytes: that is
 * as strict as comparing fields and as fast as recording. Where bytes differ, the recorded event is decoded to say
 * what is different; should nothing be (another program may code the same events otherwise), the rest of the
 * recording is compared by fields.
 */
export class ComparingTap implements Tap {
  readonly wantsGuestWrites: boolean;
  readonly #reader: RecordingReader;
  readonly #chunks: Generator<Chunk, void, undefined>;
  readonly #encoder: EventEncoder = new EventEncoder();
  readonly #decoder: EventDecoder;
  readonly #machine: Digested | undefined;
  readonly #range: ComparedRange;
  readonly #from: number;
  readonly #until: number;
  #chunk: Chunk | undefined;
  /** Events of the present chunk compared so far. */
  #inChunk = 0;
  #byFields: boolean;
  #events = 0;
  #divergence: Divergence | undefined;
  #ended = false;

  /** `machine` gives the digests to hold against checkpoints. */
  constructor(reader: RecordingReader, machine?: Digested, range: ComparedRange = {}) {
    this.#reader = reader;
    this.#chunks = reader.chunks();
    this.#decoder = new EventDecoder(reader.header.kinds);
    this.#machine = machine;
    this.#range = range;
    this.#from = range.from ?? 0;
    this.#until = range.until ?? Infinity;
    this.#byFields = !reader.sameKinds;
    this.wantsGuestWrites = reader.header.guestWrites;
  }

  /** Events found equal so far. */
  get events(): number {
    return this.#events;
  }

  /** The first difference, if there was one; nothing after it is compared. */
  get divergence(): Divergence | undefined {
    return this.#divergence;
  }

  /** Whether nothing is left to compare: a divergence, the recording's end, or the event to stop at. */
  get done(): boolean {
    return this.#ended;
  }

  take(event: MachineEvent): void {
    if (this.#ended) return;
    if (event.byteLength > PAYLOAD_MAX) inPieces(event, (piece) => this.#compare(piece));
    else this.#compare(event);
  }

  /** To be called when the machine has come to its end: whether the recording has too. */
  finish(finalDigest?: string): Divergence | undefined {
    if (this.#ended) return this.#divergence;
    const chunk = this.#current();
    if (chunk !== undefined) this.#diverge({ kind: 'short', event: this.#events });
    const end = this.#reader.end;
    if (this.#divergence === undefined && finalDigest !== undefined && end?.finalDigest !== undefined) {
      if (end.finalDigest !== finalDigest)
        this.#diverge({
          kind: 'digest',
          event: this.#events,
          expected: end.finalDigest,
          actual: finalDigest,
        });
    }
    this.#ended = true;
    return this.#divergence;
  }

  #compare(event: MachineEvent): void {
    if (this.#ended) return;
    if (this.#events >= this.#until) {
      this.#ended = true;
      return;
    }
    const chunk = this.#current();
    if (chunk === undefined) {
      // A torn recording lacks its tail: that the machine goes on is no difference.
      const end = this.#reader.end;
      const openEnded =
        end?.torn !== undefined || (this.#range.mayGoOn === true && end?.finalDigest === undefined);
      if (!openEnded) {
        this.#diverge({ kind: 'long', event: this.#events, actual: copyEvent(event, EVENT_KINDS) });
      }
      this.#ended = true;
      return;
    }
    if (this.#inChunk === 0 && !this.#startChunk(chunk)) return;
    if (!this.#byFields) {
      const encoder = this.#encoder;
      const from = encoder.length;
      encoder.encode(event);
      if (this.#events >= this.#from && !sameBytes(encoder.bytes, chunk.raw, from, encoder.length))
        this.#goByFields(chunk);
    }
    if (this.#byFields && !this.#compareFields(event)) return;
    this.#events++;
    this.#inChunk++;
  }

  /** The chunk that holds the next event; undefined behind the last. */
  #current(): Chunk | undefined {
    if (this.#chunk !== undefined && this.#inChunk < this.#chunk.events) return this.#chunk;
    const next = this.#chunks.next();
    this.#chunk = next.done === true ? undefined : next.value;
    this.#inChunk = 0;
    return this.#chunk;
  }

  #startChunk(chunk: Chunk): boolean {
    if (this.#byFields) this.#decoder.start(chunk.raw, chunk.firstTime);
    else this.#encoder.reset(chunk.firstTime);
    if (chunk.checkpoint === undefined || this.#machine === undefined) return true;
    const actual = this.#machine.digest();
    if (actual === chunk.checkpoint) return true;
    this.#diverge({ kind: 'digest', event: this.#events, expected: chunk.checkpoint, actual });
    return false;
  }

  /** Decodes up to the event that is due. */
  #goByFields(chunk: Chunk): void {
    this.#byFields = true;
    this.#decoder.start(chunk.raw, chunk.firstTime);
    for (let i = 0; i < this.#inChunk; i++) this.#decoder.next();
  }

  #compareFields(event: MachineEvent): boolean {
    const decoder = this.#decoder;
    decoder.next();
    const kinds = this.#reader.header.kinds;
    const expected: EventCopy = copyEvent(decoder.event, kinds);
    const actual: EventCopy = copyEvent(event, EVENT_KINDS);
    const difference = differingField(expected, actual);
    if (difference === undefined || this.#events < this.#from) return true;
    this.#diverge({ kind: 'event', event: this.#events, expected, actual, difference });
    return false;
  }

  #diverge(divergence: Divergence): void {
    this.#divergence = divergence;
    this.#ended = true;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  if (to > b.length) return false;
  for (let i = from; i < to; i++) if (a[i] !== b[i]) return false;
  return true;
}
