import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  catalogue,
  chapterOf,
  clauseById,
  countClauses,
  type ClauseCount,
  type ClauseEntry,
} from '../clauses/catalogue.ts';
import { ClauseOracle } from '../clauses/oracle.ts';
import { KIND } from '../emu/core/tap.ts';
import { BEHAVIOURS, type BehaviourName } from '../emu/virtio/behaviour.ts';
import { caseRunner } from '../fuzz/case-runner.ts';
import type { Case } from '../fuzz/case.ts';
import { readCase } from '../fuzz/corpus.ts';
import { machineFactory } from '../fuzz/factory.ts';
import { Runner } from '../fuzz/runner.ts';
import { FileSource, RecordingReader } from '../trace/reader.ts';
import { EXIT, UsageError, type ClausesOptions } from './options.ts';
import { styled } from './status-line.ts';

const RECORDING = '.rec.cbor';
const CASE = '.case';
const GUEST_WRITE = KIND['guest-write'];
const QEMU: BehaviourName = 'qemu-7.2';

/** What is judged where nothing is named: the inputs and recordings that come with the program. */
const SHIPPED = ['../../corpora', '../../recordings'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** What was met of one clause, by the behaviour that the device had. */
interface Met {
  exercised: number;
  /** Times a device broke it, by behaviour; a driver's breaches do not depend on it. */
  readonly byDevice: Map<BehaviourName, number>;
  byDriver: number;
  /** The file in which it applied first. */
  first: string;
  /** The first breach, as a sentence, with where. */
  breach: string | undefined;
}

/** What was judged, and what came of it. */
interface Evidence {
  readonly files: number;
  readonly met: ReadonlyMap<string, Met>;
}

/** `papyrus clauses`: what the oracle watches over, and what it saw in the files named. */
export async function clauses(options: ClausesOptions): Promise<number> {
  const entries = entriesOf(options.section);
  const evidence = judge(
    options.on === undefined ? SHIPPED.filter((path) => existsSync(path)) : [options.on],
  );
  if (options.json) process.stdout.write(`${JSON.stringify(documentOf(entries, evidence))}\n`);
  else process.stdout.write(textOf(entries, evidence, options));
  return EXIT.fine;
}

/** A clause by its number, for `papyrus explain`; undefined if there is none. */
export function explainClause(id: string, json: boolean): string | undefined {
  const entry = clauseById(id);
  if (entry === undefined) return undefined;
  const evidence = judge(SHIPPED.filter((path) => existsSync(path)));
  return json ? `${JSON.stringify(clauseDocument(entry, evidence))}\n` : clauseText(entry, evidence);
}

function entriesOf(section: string | undefined): readonly ClauseEntry[] {
  if (section === undefined) return catalogue();
  const of = catalogue().filter(({ clause }) => `${clause.section}.`.startsWith(`${section}.`));
  if (of.length === 0) {
    const chapters = [...new Set(catalogue().map(({ clause }) => chapterOf(clause)))].join(', ');
    throw new UsageError(`no clause is of section ${section}; chapters are ${chapters}`);
  }
  return of;
}

// --- Judging -----------------------------------------------------------------------------------------------------

/** Recordings and cases, alone or in folders; each case under both behaviours. */
function judge(paths: readonly string[]): Evidence {
  const files = paths.flatMap(filesAt);
  const met = new Map<string, Met>();
  const runner = new Runner(machineFactory([]));
  for (const file of files) {
    if (file.endsWith(RECORDING)) recordingJudged(file, met);
    else {
      const { value } = readCase(file);
      for (const behaviour of BEHAVIOURS) caseJudged(runner, file, value, behaviour, met);
    }
  }
  return { files: files.length, met };
}

function filesAt(path: string): string[] {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist`);
  if (!statSync(path).isDirectory()) {
    if (path.endsWith(RECORDING) || path.endsWith(CASE)) return [path];
    throw new UsageError(`${path} is neither a recording (*${RECORDING}) nor a case (*${CASE})`);
  }
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(RECORDING) || name.endsWith(CASE))
    .toSorted()
    .map((name) => join(path, name));
  if (found.length === 0) throw new UsageError(`${path} holds no recordings and no cases`);
  return found;
}

function caseJudged(
  runner: Runner,
  file: string,
  value: Case,
  behaviour: BehaviourName,
  met: Map<string, Met>,
): void {
  const before = new Counts(runner.clauses);
  runner.run({ ...value, machine: { ...value.machine, behaviour } }, { clauses: true });
  before.addTo(met, file, behaviour);
}

/** With its guest, where the recording names one: then what the guest stored shows too. */
function recordingJudged(file: string, met: Map<string, Met>): void {
  const source = new FileSource(file);
  try {
    const reader = new RecordingReader(source);
    const { header } = reader;
    const oracle = new ClauseOracle();
    const before = new Counts(oracle);
    oracle.begin();
    const again =
      header.origin === undefined ? undefined : caseRunner(machineFactory([])).again(header.origin, header);
    if (again === undefined) {
      if (!reader.sameKinds)
        throw new UsageError(`${file} numbers its kinds of events otherwise; record it again`);
      oracle.world.countsGuestWrites = header.guestWrites;
      reader.forEach((event) => {
        if (event.kind !== GUEST_WRITE || header.guestWrites) oracle.take(event);
      });
    } else again.run((machine) => machine.setTap(oracle));
    oracle.end();
    before.addTo(met, file, header.config.behaviour ?? QEMU);
  } finally {
    source.close();
  }
}

/** What an oracle had counted when this was made. */
class Counts {
  readonly #oracle: ClauseOracle;
  readonly #exercised: Float64Array;
  readonly #broken: Float64Array;

  constructor(oracle: ClauseOracle) {
    this.#oracle = oracle;
    this.#exercised = oracle.exercised.slice();
    this.#broken = oracle.broken.slice();
  }

  addTo(met: Map<string, Met>, file: string, behaviour: BehaviourName): void {
    const { checkers, exercised, broken, breaks } = this.#oracle;
    checkers.forEach(({ id, judge: judged }, i) => {
      const times = (exercised[i] ?? 0) - (this.#exercised[i] ?? 0);
      if (times === 0) return;
      const one = metOf(met, id, file);
      one.exercised += times;
      const breaches = (broken[i] ?? 0) - (this.#broken[i] ?? 0);
      if (breaches === 0) return;
      if (judged === 'driver') one.byDriver += breaches;
      else one.byDevice.set(behaviour, (one.byDevice.get(behaviour) ?? 0) + breaches);
      const said = breaks.find((found) => found.id === id);
      if (said !== undefined) {
        one.breach ??= `${said.sentence} (events ${said.events.join(', ')} of ${file}, ${behaviour})`;
      }
    });
  }
}

function metOf(met: Map<string, Met>, id: string, file: string): Met {
  let one = met.get(id);
  if (one === undefined) {
    one = { exercised: 0, byDevice: new Map(), byDriver: 0, first: file, breach: undefined };
    met.set(id, one);
  }
  return one;
}

// --- Saying ------------------------------------------------------------------------------------------------------

interface SectionCount extends ClauseCount {
  readonly exercised: number;
  /** Clauses that a device broke, by behaviour, and those that a driver broke. */
  readonly brokenBy: Readonly<Record<BehaviourName | 'driver', number>>;
}

function countOf(entries: readonly ClauseEntry[], evidence: Evidence): SectionCount {
  const met = entries.flatMap(({ clause }) => evidence.met.get(clause.id) ?? []);
  const brokenBy = (behaviour: BehaviourName): number =>
    met.filter(({ byDevice }) => (byDevice.get(behaviour) ?? 0) > 0).length;
  return {
    ...countClauses(entries),
    exercised: met.length,
    brokenBy: {
      'qemu-7.2': brokenBy('qemu-7.2'),
      spec: brokenBy('spec'),
      driver: met.filter(({ byDriver }) => byDriver > 0).length,
    },
  };
}

function chaptersOf(entries: readonly ClauseEntry[]): readonly string[] {
  return [...new Set(entries.map(({ clause }) => chapterOf(clause)))].toSorted((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
}

function documentOf(entries: readonly ClauseEntry[], evidence: Evidence): object {
  const { brokenBy, ...all } = countOf(entries, evidence);
  const broken = entries.filter(({ clause }) => (evidence.met.get(clause.id)?.byDevice.size ?? 0) > 0).length;
  return {
    type: 'summary',
    ...all,
    broken,
    brokenBy,
    files: evidence.files,
    sections: chaptersOf(entries).map((section) => ({
      section,
      ...countOf(
        entries.filter(({ clause }) => chapterOf(clause) === section),
        evidence,
      ),
    })),
    clauses: entries.map((entry) => clauseDocument(entry, evidence)),
  };
}

function clauseDocument({ clause, checker, why }: ClauseEntry, evidence: Evidence): object {
  const met = evidence.met.get(clause.id);
  return {
    ...clause,
    judge: checker?.judge ?? null,
    why: why ?? null,
    exercised: met?.exercised ?? 0,
    first: met?.first ?? null,
    brokenBy: { ...Object.fromEntries(met?.byDevice ?? []), driver: met?.byDriver ?? 0 },
    breach: met?.breach ?? null,
  };
}

const HEAD = [
  'section',
  'rows',
  'decidable',
  'checked',
  'beyond',
  'exercised',
  'qemu-7.2',
  'spec',
  'drivers',
];

function textOf(entries: readonly ClauseEntry[], evidence: Evidence, options: ClausesOptions): string {
  const rows = [...chaptersOf(entries), 'all'].map((section) => {
    const of = section === 'all' ? entries : entries.filter(({ clause }) => chapterOf(clause) === section);
    const { rows: count, decidable, checked, beyond, exercised, brokenBy } = countOf(of, evidence);
    const figures = [count, decidable, checked, beyond, exercised];
    return [section, ...figures, brokenBy['qemu-7.2'], brokenBy.spec, brokenBy.driver].map(String);
  });
  const widths = HEAD.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ');
  const lines = [
    styled('bold', line(HEAD)),
    ...rows.map(line),
    '',
    `${evidence.files} files judged, cases under both behaviours; the last three columns count clauses that were broken`,
  ];
  if (options.section !== undefined) lines.push('', ...entries.map((entry) => clauseLine(entry, evidence)));
  else {
    const never = entries.filter(
      ({ clause, checker }) => checker !== undefined && !evidence.met.has(clause.id),
    );
    if (never.length > 0)
      lines.push('', `never exercised here: ${never.map(({ clause }) => clause.id).join(' ')}`);
  }
  return `${lines.join('\n')}\n`;
}

function clauseLine({ clause, checker, why }: ClauseEntry, evidence: Evidence): string {
  const met = evidence.met.get(clause.id);
  const state =
    checker === undefined
      ? (why ?? 'no checker yet')
      : met === undefined
        ? 'never exercised here'
        : `exercised ${met.exercised} times${met.breach === undefined ? '' : `; broken: ${met.breach}`}`;
  return `${clause.id.padEnd(14)} ${clause.level.padEnd(10)} ${clause.statement}\n${' '.repeat(15)}${state}`;
}

function clauseText({ clause, checker, why }: ClauseEntry, evidence: Evidence): string {
  const met = evidence.met.get(clause.id);
  const lines = [
    styled('bold', `${clause.id}: ${clause.statement}`),
    `  section  ${clause.section} ${clause.title}${clause.implied ? ' (implied)' : ''}`,
    `  level    ${clause.level}, of the ${clause.role}`,
    `  source   ${clause.source}`,
    `  decided  ${clause.decidable}: ${clause.how}`,
  ];
  if (checker === undefined) lines.push(`  checker  none: ${why ?? 'still owed'}`);
  else lines.push(`  checker  judges the ${checker.judge}`);
  if (met !== undefined) {
    lines.push(
      `  seen     it applied ${met.exercised} times in ${evidence.files} files, first in ${met.first}`,
    );
    for (const [behaviour, times] of met.byDevice)
      lines.push(`  broken   ${times} times by a device under ${behaviour}`);
    if (met.byDriver > 0)
      lines.push(`  broken   ${met.byDriver} times by drivers, most of them hostile on purpose`);
    if (met.breach !== undefined) lines.push(`           ${met.breach}`);
  } else if (checker !== undefined) lines.push(`  seen     never, in ${evidence.files} files`);
  return `${lines.join('\n')}\n`;
}
