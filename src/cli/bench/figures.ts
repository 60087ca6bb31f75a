import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '../../emu/core/assert.ts';
import { Campaign } from '../../fuzz/campaign.ts';
import { caseHeader } from '../../fuzz/case-runner.ts';
import { machineFactory } from '../../fuzz/factory.ts';
import { CLAUSES_EVERY, Drawer } from '../../fuzz/plan.ts';
import { Runner } from '../../fuzz/runner.ts';
import type { CaseRunner, PreparedCase } from '../../trace/case-runner.ts';
import { FlightRecorder } from '../../trace/flight-recorder.ts';
import { makeHeader, type RecordingHeader } from '../../trace/format.ts';
import { MemorySource, RecordingReader } from '../../trace/reader.ts';
import { FileSink, MemorySink, Recorder, type RecordingTotals } from '../../trace/recorder.ts';
import { replayWithGuest } from '../../trace/replayer.ts';
import { firstStatus, peakMemory } from './children.ts';
import { largeReads } from './disk.ts';
import { pagesOutAndIn, sharing, ultracalls } from './secure.ts';
import { benchConfig, Life } from './life.ts';
import { framesReceived, framesSent } from './net.ts';
import { millisecondsOf, type Figure, type FigureRow } from './measure.ts';
import { processorSpeed } from './processor.ts';

const ROUNDS = 9;
const ROUNDS_QUICK = 2;
const PLAN = { seed: 'bench', scenarios: [], filter: {}, plants: [] };
const MEGABYTE_EVENTS = 1_000_000;

export const FIGURES: readonly FigureRow[] = [
  { name: 'default campaign', measure: campaignRate },
  { name: 'keeping every case of a campaign', measure: keepingOverhead },
  { name: 'clause checkers, every case judged', measure: (quick) => clausesOverhead(quick, 1) },
  {
    name: 'clause checkers, as a campaign samples them',
    measure: (quick) => clausesOverhead(quick, CLAUSES_EVERY),
  },
  { name: 'recording a guest', measure: recordingOverhead },
  {
    name: 'an event of the campaign, raw',
    measure: (quick) => eventBytes(quick, (totals) => totals.rawBytes),
  },
  {
    name: 'an event of the campaign, at rest',
    measure: (quick) => eventBytes(quick, (totals) => totals.fileBytes),
  },
  { name: 'block reads of 64 KiB', measure: largeReads },
  { name: 'network frames of 1,500 bytes sent', measure: framesSent },
  { name: 'network frames of 1,500 bytes received', measure: framesReceived },
  { name: 'replaying a guest', measure: replayRate },
  { name: 'the emulated POWER9', measure: processorSpeed },
  { name: 'restoring a snapshot, 200 dirty pages', measure: restoring },
  { name: 'ultracalls of a secure guest', measure: ultracalls },
  { name: 'sharing a frame and taking it back', measure: sharing },
  { name: 'frames out of secure memory and in again', measure: pagesOutAndIn },
  { name: 'peak memory, default campaign, two jobs', measure: campaignMemory },
  { name: 'peak memory, replaying 1,000,000 events', measure: (quick) => bigRecording(quick, 'replay') },
  { name: 'peak memory, inspecting 1,000,000 events', measure: (quick) => bigRecording(quick, 'inspect') },
  { name: 'first status of npm run fuzz', measure: statusTime },
];

/** Cases that live a whole life, are judged, and are a case of the default campaign in everything. */
async function campaignRate(quick: boolean): Promise<Figure> {
  const budget = { milliseconds: quick ? 3000 : 15_000, runs: undefined, from: 0 };
  const start = process.cpuUsage();
  const { cases } = await new Campaign(PLAN, budget, 1).run(() => undefined);
  // Of the worker, of the thread that merges, and of all that helps them: what one core has to do.
  const { user, system } = process.cpuUsage(start);
  return {
    value: (cases / (user + system)) * 1e6,
    unit: 'cases/s/core',
    baseline: 440,
    baselineName: "inputs of QEMU's own in-process fuzzer on a PC",
  };
}

/** Best of interleaved rounds of two ways to do the same, in milliseconds. */
function bestOfBoth(quick: boolean, one: () => void, other: () => void): [one: number, other: number] {
  const best: [number, number] = [Infinity, Infinity];
  one();
  other();
  for (let round = 0; round < (quick ? ROUNDS_QUICK : ROUNDS); round++) {
    best[0] = Math.min(best[0], millisecondsOf(one));
    best[1] = Math.min(best[1], millisecondsOf(other));
  }
  return best;
}

/** What it costs a campaign that any case can be written out as a recording when it is over. */
// Eight blocks of cases: a runner keeps their machines, so that none is built while the clock runs.
async function keepingOverhead(quick: boolean): Promise<Figure> {
  const drawer = new Drawer(PLAN);
  const cases = Array.from({ length: quick ? 128 : 512 }, (_, index) => drawer.draw(index));
  const runner = new Runner(machineFactory([]));
  const flight = new FlightRecorder();
  const [kept, plain] = bestOfBoth(
    quick,
    () => {
      for (const value of cases) {
        flight.restart();
        runner.run(value, { alsoTap: flight });
      }
    },
    () => {
      for (const value of cases) runner.run(value);
    },
  );
  return overhead(kept, plain, 'of the same cases, not kept');
}

/** What it costs that one case in `every` is held against all clauses of the specification. */
async function clausesOverhead(quick: boolean, every: number): Promise<Figure> {
  const drawer = new Drawer(PLAN);
  const cases = Array.from({ length: quick ? 128 : 512 }, (_, index) => drawer.draw(index));
  const runner = new Runner(machineFactory([]));
  const [judged, plain] = bestOfBoth(
    quick,
    () => cases.forEach((value, index) => runner.run(value, { clauses: index % every === 0 })),
    () => cases.forEach((value) => runner.run(value)),
  );
  return overhead(judged, plain, 'of the same cases, not held against clauses');
}

function overhead(dear: number, cheap: number, baselineName: string): Figure {
  return { value: (dear / cheap - 1) * 100, unit: '%', baseline: 100, baselineName };
}

const REQUESTS = 2000;
const REQUESTS_QUICK = 500;

function recorded(life: Life, requests: number): { bytes: Uint8Array; totals: RecordingTotals } {
  const sink = new MemorySink();
  const recorder = new Recorder(benchHeader(requests), sink, life.machine);
  life.run(requests, recorder);
  const totals = recorder.finish(life.machine.digest());
  return { bytes: sink.bytes, totals };
}

function benchHeader(requests: number): RecordingHeader {
  const origin = { kind: 'bench', name: 'guest', seed: String(requests), program: new Uint8Array(0) };
  return makeHeader(benchConfig(true), origin);
}

/** Encoded, compressed and hashed as it goes. */
async function recordingOverhead(quick: boolean): Promise<Figure> {
  const life = new Life(true);
  const requests = quick ? REQUESTS_QUICK : REQUESTS;
  const [dear, cheap] = bestOfBoth(
    quick,
    () => void recorded(life, requests),
    () => life.run(requests, undefined),
  );
  return overhead(dear, cheap, 'of the same guest, not recorded');
}

/** A recording for each case, headers included. */
async function eventBytes(quick: boolean, of: (totals: RecordingTotals) => number): Promise<Figure> {
  const drawer = new Drawer(PLAN);
  const runner = new Runner(machineFactory([]));
  let bytes = 0;
  let events = 0;
  for (let index = 0; index < (quick ? 128 : 512); index++) {
    const value = drawer.draw(index);
    const recorder = new Recorder(caseHeader(value), new MemorySink());
    runner.run(value, { alsoTap: recorder });
    const totals = recorder.finish();
    bytes += of(totals);
    events += totals.events;
  }
  return { value: bytes / events, unit: 'bytes', baseline: 30, baselineName: 'an event as a CBOR array' };
}

async function replayRate(quick: boolean): Promise<Figure> {
  const requests = quick ? REQUESTS_QUICK : REQUESTS;
  const life = new Life(true);
  const { bytes, totals } = recorded(life, requests);
  const runner = benchRunner(life, requests);
  const [replaying, recording] = bestOfBoth(
    quick,
    () => {
      const outcome = replayWithGuest(new RecordingReader(new MemorySource(bytes, 'bench')), runner);
      assert(
        outcome !== undefined && outcome.divergence === undefined,
        'the benchmark replays as it was recorded',
      );
    },
    () => void recorded(life, requests),
  );
  return {
    value: totals.events / replaying,
    unit: 'events/ms',
    baseline: totals.events / recording,
    baselineName: 'recording the same',
  };
}

function benchRunner(life: Life, requests: number): CaseRunner {
  const prepared = (): PreparedCase => ({
    header: benchHeader(requests),
    run: (watch) => {
      let tap: Parameters<Life['run']>[1];
      watch({
        digest: () => life.machine.digest(),
        setTap: (given) => {
          tap = given;
        },
      });
      life.run(requests, tap);
    },
  });
  return { find: prepared, again: prepared };
}

const DIRTY_PAGES = 200;
const PAGE_BYTES = 4096;
const FIRST_PAGE = 0x80_0000;

async function restoring(quick: boolean): Promise<Figure> {
  const { machine, start } = new Life(true);
  const page = new Uint8Array(PAGE_BYTES).fill(0x5a);
  const from = new Uint8Array(DIRTY_PAGES * PAGE_BYTES);
  const to = new Uint8Array(DIRTY_PAGES * PAGE_BYTES);
  let best = Infinity;
  let copying = Infinity;
  for (let round = 0; round < (quick ? 200 : 2000); round++) {
    for (let i = 0; i < DIRTY_PAGES; i++) {
      machine.platform.storeBytes(FIRST_PAGE + 2 * PAGE_BYTES * i, page, 0, PAGE_BYTES);
    }
    // Too short for a clock of processor time; of two thousand rounds one is left alone.
    const before = performance.now();
    machine.restore(start);
    const between = performance.now();
    to.set(from);
    best = Math.min(best, between - before);
    copying = Math.min(copying, performance.now() - between);
  }
  return { value: best * 1000, unit: 'µs', baseline: copying * 1000, baselineName: 'copying as many bytes' };
}

const BARE_NODE = 'Node with nothing to do';

/** Twice, since the first run after a change of the sources also takes their types away. */
async function bareNode(): Promise<number> {
  return Math.min(await peakMemory(['--version']), await peakMemory(['--version']));
}

async function campaignMemory(quick: boolean): Promise<Figure> {
  const folder = mkdtempSync(join(tmpdir(), 'papyrus-bench-'));
  try {
    const flags = ['--time', quick ? '3s' : '30s', '--jobs', '2', '--seed', 'bench'];
    mkdirSync(join(folder, 'corpora'));
    const folders = ['--corpus', join(folder, 'corpora'), '--findings', join(folder, 'findings')];
    await peakMemory(['fuzz', '--runs', '1', ...folders]);
    const value = await peakMemory(['fuzz', ...flags, ...folders]);
    return { value, unit: 'MiB', baseline: await bareNode(), baselineName: BARE_NODE };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A recording without a guest, so that replaying feeds the inputs: nothing but the file is there to be kept. */
async function bigRecording(_quick: boolean, command: 'replay' | 'inspect'): Promise<Figure> {
  const folder = mkdtempSync(join(tmpdir(), 'papyrus-bench-'));
  try {
    const file = join(folder, 'big.rec.cbor');
    writeBigRecording(file);
    await peakMemory([command, file, '--until', '1']);
    const value = await peakMemory([command, file]);
    return { value, unit: 'MiB', baseline: await bareNode(), baselineName: BARE_NODE };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeBigRecording(file: string): void {
  const life = new Life(true);
  const { machine, driver } = life;
  const recorder = new Recorder(makeHeader(benchConfig(true), undefined), new FileSink(file), machine);
  machine.setTap(recorder);
  // From the very first action: a machine that inputs are fed to begins as it was built.
  machine.restore(life.built);
  driver.boot();
  assert(driver.probe() && driver.start(), 'the guest of the benchmark drives its device');
  while (recorder.events < MEGABYTE_EVENTS) assert(driver.run(100), 'requests are answered');
  machine.setTap(undefined);
  recorder.finish(machine.digest());
}

async function statusTime(): Promise<Figure> {
  let value = Infinity;
  for (let round = 0; round < 3; round++) value = Math.min(value, await firstStatus());
  return { value, unit: 'ms', baseline: 2000, baselineName: 'what a person waits for' };
}
