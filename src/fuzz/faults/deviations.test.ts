// Every deviation of QEMU from the specification has a case that shows it and a recording with its story; the clauses that
// a device breaks under qemu-7.2 are those that the table names, and under spec it breaks none.
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { fileName, storyOf } from '../../../scripts/deviation-recordings.ts';
import { ClauseOracle } from '../../clauses/oracle.ts';
import { behaviourOf, DEVIATIONS } from '../../emu/virtio/behaviour.ts';
import { MemorySource, RecordingReader } from '../../trace/reader.ts';
import { replayWithGuest } from '../../trace/replayer.ts';
import { caseRunner } from '../case-runner.ts';
import type { Case } from '../case.ts';
import { readCorpus } from '../corpus.ts';
import { machineFactory } from '../factory.ts';
import { Runner } from '../runner.ts';
import { SHOWN_BY } from './deviations.ts';
import { Observer } from './observe.ts';

const RECORDINGS = 'recordings/deviations';
const KIB = 1024;
/** Rows that no case shows: the frame that waits is dropped at DRIVER_OK on the ways that a case can go. */
const NOT_SHOWN = ['keepsFramesOverReset'];
const SHOWN = DEVIATIONS.filter(({ name }) => !NOT_SHOWN.includes(name));
/**
 * Named and watched over, and not seen by their checkers in these cases: frames over a reset, the count of a large segment,
 * announcements, requests cut lawfully without a table, a packed list, and a queue that is reset while it works.
 */
const UNSEEN = [
  'NETCTRL-DEV-029',
  'NETCTRL-DEV-030',
  'NETRX-DEV-010',
  'NETRX-DEV-011',
  'NETRX-DEV-017',
  'NETRX-DEV-031',
  'NETRX-DEV-032',
  'NETRX-DEV-034',
  'NETRX-DEV-035',
  'PACKED-DEV-001',
  'SPLIT-DEV-001',
  'VQR-DEV-002',
];
const CASES: ReadonlyMap<string, Case> = new Map(
  readCorpus('corpora')
    .filter(({ value }) => value.scenario === 'faults')
    // One machine after the other, since making one takes as long as many cases.
    .toSorted((a, b) => (machineOf(a.value) < machineOf(b.value) ? -1 : 1))
    .map(({ path, value }) => [path.replace(/^.*\/|\.case$/g, ''), value]),
);

function machineOf(value: Case): string {
  return JSON.stringify(value.machine);
}

test('every deviation has its case, and each case beside the list of faults its deviation', (t) => {
  t.deepEqual(
    Object.keys(SHOWN_BY),
    SHOWN.map((row) => row.name),
  );
  for (const [name, file] of Object.entries(SHOWN_BY)) t.true(CASES.has(file), `${name}: ${file}`);
  const own = [...CASES.keys()].filter((name) => name.startsWith('q-'));
  t.deepEqual(
    own.toSorted(),
    Object.values(SHOWN_BY)
      .filter((name) => name.startsWith('q-'))
      .toSorted(),
  );
});

test('with one flag alone as QEMU has it, its case is seen to end otherwise', (t) => {
  const honest = new Observer();
  for (const { name } of SHOWN) {
    const value = CASES.get(SHOWN_BY[name] ?? '');
    if (value === undefined) continue;
    const slipping = new Observer({ ...behaviourOf('spec'), [name]: true });
    const { evidence } = slipping.observe(value, 'spec');
    t.not(evidence, honest.observe(value, 'spec').evidence, name);
  }
});

test('every deviation has its recording and its story, and no other stands there', (t) => {
  const runner = caseRunner(machineFactory([]));
  const names = SHOWN.map((row) => fileName(row));
  t.deepEqual(
    readdirSync(RECORDINGS).toSorted(),
    names.flatMap((name) => [`${name}.md`, `${name}.rec.cbor`]).toSorted(),
  );
  for (const row of SHOWN) {
    const path = `${RECORDINGS}/${fileName(row)}.rec.cbor`;
    const stored = readFileSync(path);
    t.is(readFileSync(`${RECORDINGS}/${fileName(row)}.md`, 'utf8'), storyOf(row), path);
    t.true(stored.length < 8 * KIB, path);
    const reader = new RecordingReader(new MemorySource(stored, path));
    t.is(replayWithGuest(reader, runner)?.divergence, undefined, path);
  }
});

/** Clauses that the device breaks over all the cases of the list. */
function broken(behaviour: 'qemu-7.2' | 'spec'): ReadonlyMap<string, string> {
  const runner = new Runner(machineFactory([]));
  const oracle = new ClauseOracle();
  const met = new Map<string, string>();
  for (const [name, value] of CASES) {
    oracle.begin();
    runner.run({ ...value, machine: { ...value.machine, behaviour } }, { alsoTap: oracle });
    oracle.end();
    for (const { id, judge, sentence } of oracle.breaks)
      if (judge === 'device' && !met.has(id)) met.set(id, `${id} in ${name}: ${sentence}`);
  }
  return met;
}

test('under spec the device breaks no clause', (t) => {
  t.deepEqual([...broken('spec').values()], []);
});

test('under qemu-7.2 the broken clauses are those of the table', (t) => {
  const named = new Set<string>(DEVIATIONS.flatMap((row) => row.breaks));
  const watched = new Set(new ClauseOracle().checkers.map((checker) => checker.id));
  const met = broken('qemu-7.2');
  t.deepEqual(
    [...met].filter(([id]) => !named.has(id)).map(([, sentence]) => sentence),
    [],
  );
  // And the other way: what the table names and somebody watches over is seen to be broken.
  const unseen = [...named].filter((id) => watched.has(id) && !met.has(id));
  t.deepEqual(unseen.toSorted(), UNSEEN);
});
