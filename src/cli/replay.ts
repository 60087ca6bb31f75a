import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseRunner } from '../trace/case-runner.ts';
import { explainDivergence, type DivergenceReport } from '../trace/divergence.ts';
import { FileSource, RecordingReader } from '../trace/reader.ts';
import { replayInputs, replayWithGuest, type MachineMaker, type ReplayOutcome } from '../trace/replayer.ts';
import { bootRunner } from './boot-recording.ts';
import { EXIT, UsageError, type ReplayOptions } from './options.ts';

const SUFFIX = '.rec.cbor';

interface Replayed {
  readonly file: string;
  readonly verdict: 'identical' | 'diverged' | 'torn' | 'unreadable';
  readonly events: number;
  /** False where the recording's digests are of state laid out otherwise: its events were compared alone. */
  readonly digests: boolean;
  readonly way: 'guest' | 'inputs' | undefined;
  readonly divergence: DivergenceReport | undefined;
  /** Why the file could not be replayed, or not whole. */
  readonly reason: string | undefined;
}

/**
 * Replays every recording named. Status 1 if one diverged; 2 if one could not be read, or lacks its end.
 * Without a `make`, recordings that name no guest are refused.
 */
export async function replay(
  options: ReplayOptions,
  runner: CaseRunner,
  make?: MachineMaker,
): Promise<number> {
  const files = options.files.flatMap(recordingsAt);
  let status: number = EXIT.fine;
  const results: Replayed[] = [];
  for (const file of files) {
    const result = replayFile(file, options, runner, make);
    results.push(result);
    if (!options.json) process.stdout.write(textOf(result));
    if (result.reason !== undefined) process.stderr.write(`papyrus: ${result.reason}\n`);
    status = Math.max(status, statusOf(result));
  }
  if (options.json) {
    const diverged = results.filter((result) => result.verdict === 'diverged').length;
    process.stdout.write(
      `${JSON.stringify({ type: 'summary', files: files.length, diverged, recordings: results })}\n`,
    );
  } else if (files.length > 1) {
    const identical = results.filter((result) => result.verdict === 'identical').length;
    process.stdout.write(`${files.length} recordings, ${identical} identical\n`);
  }
  return status;
}

function statusOf(result: Replayed): number {
  switch (result.verdict) {
    case 'identical':
      return EXIT.fine;
    case 'diverged':
      return EXIT.wrong;
    default:
      return EXIT.cannot;
  }
}

/** A file, or all recordings in a folder and those below, in the order of their names. */
function recordingsAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(SUFFIX))
    .toSorted()
    .map((name) => join(path, name));
  if (found.length === 0) throw new UsageError(`${path} holds no recordings (*${SUFFIX})`);
  return found;
}

function replayFile(
  file: string,
  options: ReplayOptions,
  runner: CaseRunner,
  make: MachineMaker | undefined,
): Replayed {
  let source: FileSource | undefined;
  try {
    source = new FileSource(file);
    const reader = new RecordingReader(source);
    const range = rangeOf(options);
    const outcome =
      replayWithGuest(reader, bootRunner(file, runner), range) ??
      (make === undefined ? undefined : replayInputs(reader, make, range));
    if (outcome === undefined)
      throw new UsageError(`${file} names no guest that this version can run again; inspect still reads it`);
    return resultOf(file, reader, outcome);
  } catch (error) {
    // Our own mistakes keep their stack, and go on to main.ts.
    if (!(error instanceof Error) || !isAboutTheFile(error)) throw error;
    return {
      file,
      verdict: 'unreadable',
      events: 0,
      digests: false,
      way: undefined,
      divergence: undefined,
      reason: error.message,
    };
  } finally {
    source?.close();
  }
}

function isAboutTheFile(error: Error): boolean {
  return error.name === 'RecordingError' || error.name === 'UsageError' || 'syscall' in error;
}

/** Flags count the last event shown; comparing stops before a number. */
function rangeOf(options: ReplayOptions): { from?: number; until?: number } {
  return {
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.until === undefined ? {} : { until: options.until + 1 }),
  };
}

function resultOf(file: string, reader: RecordingReader, outcome: ReplayOutcome): Replayed {
  const { events, way, divergence, end } = outcome;
  const digests = reader.sameState;
  if (divergence !== undefined) {
    const report = explainDivergence(reader, divergence);
    return { file, verdict: 'diverged', events, digests, way, divergence: report, reason: undefined };
  }
  if (end?.torn === undefined)
    return { file, verdict: 'identical', events, digests, way, divergence: undefined, reason: undefined };
  const reason = `${file} is torn: its last ${end.torn} bytes are no whole item and its end is missing, while the ${events} events before replayed identically`;
  return { file, verdict: 'torn', events, digests, way, divergence: undefined, reason };
}

function textOf(result: Replayed): string {
  switch (result.verdict) {
    case 'identical':
      return `${result.file}: ${result.events} events identical (${result.way ?? ''}${result.digests ? '' : '; its digests are of an older state layout and were not compared'})\n`;
    case 'diverged':
      return `${result.file}: diverged after ${result.events} events\n${result.divergence === undefined ? '' : reportText(result.divergence)}`;
    default:
      return '';
  }
}

function reportText(report: DivergenceReport): string {
  const context = report.context.map((line) => `    ${line}\n`).join('');
  const writer = report.lastWriter === undefined ? '' : `  ${report.lastWriter}\n`;
  return `  ${report.summary}\n${writer}  before it:\n${context}`;
}
