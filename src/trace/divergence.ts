import type { MachineEvent } from '../emu/core/tap.ts';
import type { RecordedKind } from './event-context.ts';
import { LastWriters, type Writer } from './last-writers.ts';
import type { RecordingReader } from './reader.ts';
import { EventText } from './report-text.ts';

/** An event to keep: what the reused buffer held. */
export interface EventCopy {
  readonly kind: RecordedKind;
  readonly at: number;
  readonly fields: readonly bigint[];
  readonly bytes: Uint8Array;
}

export interface FieldDifference {
  /** A field's name, or `kind`, `time`, `length`, `byte 12`. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  /** Offset of the first byte that differs. */
  readonly byte?: number;
}

/** The first difference between a recording and what happened instead. `event` counts from 0. */
export type Divergence =
  | {
      readonly kind: 'event';
      readonly event: number;
      readonly expected: EventCopy;
      readonly actual: EventCopy;
      readonly difference: FieldDifference;
    }
  /** The machine's whole state, before this event. */
  | { readonly kind: 'digest'; readonly event: number; readonly expected: string; readonly actual: string }
  /** The recording ends here, and something else happened. */
  | { readonly kind: 'long'; readonly event: number; readonly actual: EventCopy }
  /** The recording goes on with this event, and nothing more happened. */
  | { readonly kind: 'short'; readonly event: number };

export function copyEvent(event: MachineEvent, kinds: readonly RecordedKind[]): EventCopy {
  const kind = kinds[event.kind] ?? {
    name: `kind ${event.kind}`,
    direction: 'output',
    fields: [],
    carriesBytes: false,
  };
  return {
    kind,
    at: event.at,
    fields: [...event.fields.subarray(0, kind.fields.length)],
    bytes: event.bytes.slice(event.byteOffset, event.byteOffset + event.byteLength),
  };
}

/** What of two events differs first: kind, fields in order, bytes, time. */
export function differingField(expected: EventCopy, actual: EventCopy): FieldDifference | undefined {
  if (expected.kind.name !== actual.kind.name)
    return { field: 'kind', expected: expected.kind.name, actual: actual.kind.name };
  for (const [index, field] of expected.kind.fields.entries()) {
    const want = expected.fields[index] ?? 0n;
    const got = actual.fields[index] ?? 0n;
    if (want !== got) return { field, expected: hex(want), actual: hex(got) };
  }
  if (expected.bytes.length !== actual.bytes.length)
    return { field: 'length', expected: `${expected.bytes.length}`, actual: `${actual.bytes.length}` };
  for (const [byte, want] of expected.bytes.entries()) {
    const got = actual.bytes[byte] ?? 0;
    if (want !== got) return { field: `byte ${byte}`, expected: hex(want), actual: hex(got), byte };
  }
  if (expected.at !== actual.at) return { field: 'time', expected: `${expected.at}`, actual: `${actual.at}` };
  return undefined;
}

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

const CONTEXT_EVENTS = 6;

/** A divergence with what led to it, for people. */
export interface DivergenceReport {
  readonly event: number;
  readonly summary: string;
  readonly field: string | undefined;
  readonly expected: string | undefined;
  readonly actual: string | undefined;
  /** The recorded events before it, oldest first. */
  readonly context: readonly string[];
  readonly lastWriter: string | undefined;
}

/**
 * Walks the recording up to the divergence once more and tells what stood before it and who wrote the bytes that
 * differ. Up to there recording and replay were the same, so the recording answers for both.
 */
export function explainDivergence(reader: RecordingReader, divergence: Divergence): DivergenceReport {
  const text = new EventText(reader.header);
  const writers = new LastWriters(reader.header.kinds);
  const context: string[] = [];
  let expectedLine: string | undefined;
  reader.forEach((event, number) => {
    if (number >= divergence.event) {
      expectedLine = text.line(event, number);
      return false;
    }
    context.push(text.line(event, number));
    if (context.length > CONTEXT_EVENTS) context.shift();
    writers.see(event, number);
    return true;
  });
  return {
    event: divergence.event,
    ...summarise(divergence, text, expectedLine),
    context,
    lastWriter:
      divergence.kind === 'event' ? whoWrote(divergence.expected, divergence.difference, writers) : undefined,
  };
}

type Summary = Pick<DivergenceReport, 'summary' | 'field' | 'expected' | 'actual'>;

function summarise(divergence: Divergence, text: EventText, expectedLine: string | undefined): Summary {
  const at = `event ${divergence.event}`;
  switch (divergence.kind) {
    case 'event': {
      const { field, expected, actual } = divergence.difference;
      const kind = divergence.expected.kind.name;
      const whole = `recorded ${expectedLine ?? '-'}\n  happened ${text.copyLine(divergence.actual, divergence.event)}`;
      const summary = `${at} (${kind}) differs in ${field}: recorded ${expected}, happened ${actual}\n  ${whole}`;
      return { summary, field, expected, actual };
    }
    case 'digest': {
      const { expected, actual } = divergence;
      return {
        summary: `before ${at} the machine's digest differs: recorded ${expected}, happened ${actual}`,
        field: 'digest',
        expected,
        actual,
      };
    }
    case 'long': {
      const actual = text.copyLine(divergence.actual, divergence.event);
      return {
        summary: `the recording ends before ${at}, and then happened\n  ${actual}`,
        field: undefined,
        expected: undefined,
        actual,
      };
    }
    default:
      return {
        summary: `nothing happened any more where ${at} was recorded\n  ${expectedLine ?? '-'}`,
        field: undefined,
        expected: expectedLine,
        actual: undefined,
      };
  }
}

/** Who wrote what an event shows: the memory behind its bytes, or the register behind a value that was read. */
function whoWrote(expected: EventCopy, difference: FieldDifference, writers: LastWriters): string {
  const address = expected.fields[expected.kind.fields.indexOf('address')];
  let writer: Writer | undefined;
  if (difference.byte !== undefined && address !== undefined) {
    const device = expected.fields[expected.kind.fields.indexOf('device')];
    writer = writers.of(address + BigInt(difference.byte), device);
    return writer === undefined
      ? 'nothing recorded wrote the byte: the guest did, or it is as the machine began'
      : `the byte was last written by event ${writer.event} (${writer.what}); the guest's own stores since are not recorded`;
  }
  writer = expected.kind.name === 'read-value' ? writers.ofLastRead() : writers.lastInput();
  if (writer === undefined) return 'no recorded event could have written it';
  return `last written by event ${writer.event} (${writer.what})`;
}
