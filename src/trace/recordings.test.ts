// The recordings that come with Papyrus: each has its story, replays, is what its script makes today, and is not to be
// tampered with.
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { caseRunner } from '../fuzz/case-runner.ts';
import { machineFactory } from '../fuzz/factory.ts';
import { filesOf, linesOf, ROWS, tellingLines } from '../../scripts/make-recordings.ts';
import { MemorySource, RecordingReader } from './reader.ts';
import { replayWithGuest, verifyRecording } from './replayer.ts';

const SUFFIX = '.rec.cbor';
const KIB = 1024;

const names = readdirSync('recordings')
  .filter((name) => name.endsWith(SUFFIX))
  .map((name) => name.slice(0, -SUFFIX.length));
const runner = caseRunner(machineFactory([]));

function bytesOf(name: string): Uint8Array {
  return readFileSync(`recordings/${name}${SUFFIX}`);
}

function readerOf(bytes: Uint8Array, name: string): RecordingReader {
  return new RecordingReader(new MemorySource(bytes, name));
}

test('every recording has its story, and every story its recording', (t) => {
  const stories = readdirSync('recordings')
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => name.slice(0, -'.md'.length));
  t.deepEqual(stories.toSorted(), names.toSorted());
  t.deepEqual(ROWS.map((row) => row.name).toSorted(), names.toSorted());
  t.true(names.length >= 12);
});

test('every recording is small, whole, and replays identically with its guest', (t) => {
  for (const name of names) {
    const bytes = bytesOf(name);
    t.true(bytes.length < 8 * KIB, name);
    const outcome = replayWithGuest(readerOf(bytes, name), runner);
    t.is(outcome?.divergence, undefined, name);
    t.is(outcome?.end?.torn, undefined, name);
    t.is(outcome?.events, verifyRecording(readerOf(bytes, name)).events, name);
  }
});

test('recordings, stories and cases are what scripts/make-recordings.ts makes today', (t) => {
  for (const row of ROWS) {
    for (const [path, content] of filesOf(row)) {
      // What the compressor makes of the same events is not ours to fix.
      if (path.endsWith(SUFFIX)) t.deepEqual(linesOf(readFileSync(path)), linesOf(content), path);
      else t.is(readFileSync(path, 'utf8'), content.toString(), path);
    }
  }
});

test('a recording that does not show its fault is refused', (t) => {
  for (const row of ROWS) {
    const lines = linesOf(bytesOf(row.name));
    const told = tellingLines(row, lines);
    t.true(told.length >= 3 || row.never !== undefined, `${row.name} tells little`);
    for (const line of told) {
      const holds = row.events.filter((wanted) => line.includes(wanted));
      const without = lines.filter((one) => !holds.some((wanted) => one.includes(wanted)));
      t.throws(() => tellingLines(row, without), { message: /does not show its fault/ }, row.name);
    }
    for (const unwanted of row.never ?? []) {
      const at = lines.indexOf(told.at(-1) ?? '');
      t.throws(() => tellingLines(row, lines.toSpliced(at, 0, unwanted)), { message: /there should be no/ });
    }
  }
});

test('a change of any single byte of any recording is refused', (t) => {
  // Falsified by one position where the reader takes the file for whole and its replay finds nothing either.
  const missed: string[] = [];
  let flips = 0;
  for (const name of names) {
    const bytes = new Uint8Array(bytesOf(name));
    for (let at = 0; at < bytes.length; at++) {
      const honest = bytes[at] ?? 0;
      // Every bit in turn, each byte once.
      bytes[at] = honest ^ (1 << (at % 8));
      if (passes(bytes, name)) missed.push(`${name} at byte ${at}`);
      bytes[at] = honest;
      flips++;
    }
  }
  t.deepEqual(missed, []);
  t.true(flips >= 1000);
});

/** Whether nobody notices: the reader first, since it is cheap, and the replay for what the reader lets through. */
function passes(bytes: Uint8Array, name: string): boolean {
  try {
    const reader = readerOf(bytes, name);
    if (verifyRecording(reader).torn !== undefined) return false;
    const outcome = replayWithGuest(readerOf(bytes, name), runner);
    return outcome !== undefined && outcome.divergence === undefined;
  } catch (error) {
    if (error instanceof Error && error.name === 'RecordingError') return false;
    throw error;
  }
}
