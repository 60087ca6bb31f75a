import { copyEvent, differingField, type EventCopy } from './divergence.ts';
import { EventDecoder } from './event-decoder.ts';
import { headerJson } from './exports.ts';
import type { RecordingReader } from './reader.ts';
import { EventText } from './report-text.ts';

/** The first difference between two recordings. */
export interface RecordingDifference {
  readonly same: boolean;
  /** The first event that differs, if the events do. */
  readonly event: number | undefined;
  /** For people: what differs, and what stands before and after. */
  readonly lines: readonly string[];
}

const BEFORE = 6;
const AFTER = 3;

/** Compares headers (all but the program that wrote them), events and final digests. */
export function diffRecordings(a: RecordingReader, b: RecordingReader): RecordingDifference {
  const lines = headerLines(a, b);
  const left = new Walker(a);
  const right = new Walker(b);
  const context: string[] = [];
  for (let number = 0; ; number++) {
    const one = left.next();
    const two = right.next();
    if (one === undefined && two === undefined) break;
    const difference =
      one === undefined || two === undefined ? undefined : differingField(one.event, two.event);
    if (one !== undefined && two !== undefined && difference === undefined) {
      context.push(one.line(number));
      two.seen();
      if (context.length > BEFORE) context.shift();
      continue;
    }
    lines.push(...differenceLines(number, one, two, difference, context));
    lines.push(...after(a.name, left, number), ...after(b.name, right, number));
    return { same: false, event: number, lines };
  }
  const endA = a.end;
  const endB = b.end;
  if (endA?.torn !== undefined || endB?.torn !== undefined) {
    const torn = endA?.torn === undefined ? b : a;
    lines.push(`${torn.name} is torn: its end is missing`);
  } else if (endA?.finalDigest !== endB?.finalDigest) {
    lines.push(
      `the machines end with different digests: ${endA?.finalDigest ?? 'none'} and ${endB?.finalDigest ?? 'none'}`,
    );
  }
  if (lines.length > 0) return { same: false, event: undefined, lines };
  return { same: true, event: undefined, lines: [`${endA?.events ?? 0} events, all the same`] };
}

function headerLines(a: RecordingReader, b: RecordingReader): string[] {
  const one = flattened(headerJson(a.header));
  const two = flattened(headerJson(b.header));
  const keys = [...new Set([...one.keys(), ...two.keys()])].filter((key) => key !== 'producer');
  return keys
    .filter((key) => one.get(key) !== two.get(key))
    .map((key) => `${key} differs: ${shortened(one.get(key))} and ${shortened(two.get(key))}`);
}

const SHOWN = 60;

function shortened(text: string | undefined): string {
  if (text === undefined) return 'absent';
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} letters)` : text;
}

/** Leaves by their path: `config.devices.0`. */
function flattened(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  if (typeof value !== 'object' || value === null) return into.set(path, JSON.stringify(value));
  for (const [key, inner] of Object.entries(value))
    flattened(inner, path === '' ? key : `${path}.${key}`, into);
  return into;
}

interface Walked {
  readonly event: EventCopy;
  line(number: number): string;
  /** Takes note of what the event changes. */
  seen(): void;
}

/** Event by event through a recording, so that two can be walked side by side. */
class Walker {
  readonly #reader: RecordingReader;
  readonly #text: EventText;
  readonly #chunks: ReturnType<RecordingReader['chunks']>;
  readonly #decoder: EventDecoder;
  #left = 0;

  constructor(reader: RecordingReader) {
    this.#reader = reader;
    this.#text = new EventText(reader.header);
    this.#chunks = reader.chunks();
    this.#decoder = new EventDecoder(reader.header.kinds);
  }

  next(): Walked | undefined {
    if (this.#left === 0) {
      const chunk = this.#chunks.next();
      if (chunk.done === true) return undefined;
      // Walked once by itself first: damage inside the chunk is then refused before anything is said.
      this.#reader.visitChunk(chunk.value, this.#decoder, () => true);
      this.#decoder.start(chunk.value.raw, chunk.value.firstTime);
      this.#left = chunk.value.events;
    }
    this.#left--;
    this.#decoder.next();
    const { event } = this.#decoder;
    return {
      event: copyEvent(event, this.#reader.header.kinds),
      line: (number) => this.#text.line(event, number),
      seen: () => this.#text.see(event),
    };
  }
}

function differenceLines(
  number: number,
  one: Walked | undefined,
  two: Walked | undefined,
  difference: ReturnType<typeof differingField>,
  context: readonly string[],
): string[] {
  const what =
    difference === undefined
      ? `event ${number} is in one recording only`
      : `event ${number} differs in ${difference.field}: ${difference.expected} and ${difference.actual}`;
  const before = context.map((line) => `  ${line}`);
  return [what, ...before, `- ${one?.line(number) ?? '(ends)'}`, `+ ${two?.line(number) ?? '(ends)'}`];
}

function after(name: string, walker: Walker, number: number): string[] {
  const lines: string[] = [];
  for (let i = 1; i <= AFTER; i++) {
    const walked = walker.next();
    if (walked === undefined) break;
    lines.push(`  ${walked.line(number + i)}`);
  }
  return lines.length === 0 ? [] : [`${name} goes on:`, ...lines];
}
