import { existsSync } from 'node:fs';
import { rmSync } from 'node:fs';
import { keepCase, readCase, readCorpus, type StoredCase } from '../fuzz/corpus.ts';
import { stepText } from '../fuzz/case-text.ts';
import { machineFactory } from '../fuzz/factory.ts';
import { FEATURES_MAX } from '../fuzz/features.ts';
import { Runner } from '../fuzz/runner.ts';
import { EXIT, UsageError, type CorpusOptions } from './options.ts';

/** Looks after a corpus: counts it, takes others over, drops what adds nothing, says what a file is for. */
export async function corpus(options: CorpusOptions): Promise<number> {
  switch (options.action) {
    case 'stats':
      return stats(options);
    case 'merge':
      return merge(options);
    case 'minimise':
      return thin(options);
    default:
      return why(options);
  }
}

function stats(options: CorpusOptions): number {
  const counts = new Map<string, number>();
  const stored = readCorpus(options.corpus);
  for (const { value } of stored) counts.set(value.scenario, (counts.get(value.scenario) ?? 0) + 1);
  const { reached } = coverOf(stored);
  if (options.json) {
    print({
      type: 'summary',
      cases: stored.length,
      features: reached,
      scenarios: Object.fromEntries(counts),
    });
  } else {
    for (const [scenario, count] of counts)
      process.stdout.write(`${String(count).padStart(6)}  ${scenario}\n`);
    process.stdout.write(`${String(stored.length).padStart(6)}  cases, ${reached} features\n`);
  }
  return EXIT.fine;
}

/** Every case of the other corpora that reaches something ours does not. */
function merge(options: CorpusOptions): number {
  if (options.files.length === 0) throw new UsageError('corpus merge wants the folders of other corpora');
  const ours = existsSync(options.corpus) ? readCorpus(options.corpus) : [];
  const others = options.files.flatMap((folder) => readCorpus(folder));
  const cover = new Cover();
  for (const one of ours) cover.add(one);
  let taken = 0;
  for (const one of others) if (cover.add(one) > 0 && keepCase(options.corpus, one.value)) taken++;
  if (options.json) print({ type: 'summary', taken, looked: others.length, features: cover.reached });
  else process.stdout.write(`${taken} of ${others.length} cases taken over, ${cover.reached} features\n`);
  return EXIT.fine;
}

/** Drops every case that reaches nothing which those before it do not: short ones are asked first. */
function thin(options: CorpusOptions): number {
  const stored = readCorpus(options.corpus).toSorted(
    (a, b) => a.value.steps.length - b.value.steps.length || (a.path < b.path ? -1 : 1),
  );
  const cover = new Cover();
  let dropped = 0;
  for (const one of stored) {
    if (cover.add(one) > 0 || cover.lastBroke) continue;
    rmSync(one.path);
    dropped++;
  }
  if (options.json)
    print({ type: 'summary', dropped, kept: stored.length - dropped, features: cover.reached });
  else process.stdout.write(`${dropped} of ${stored.length} cases dropped, ${cover.reached} features kept\n`);
  return EXIT.fine;
}

/** What a file alone reaches. */
function why(options: CorpusOptions): number {
  const [file] = options.files;
  if (file === undefined) throw new UsageError('corpus why wants one case file');
  const one = readCase(file);
  const cover = new Cover();
  for (const other of readCorpus(options.corpus)) if (other.path !== one.path) cover.add(other);
  const alone = cover.add(one);
  if (options.json)
    print({ type: 'summary', file, alone, steps: one.value.steps.map((step) => stepText(step)) });
  else process.stdout.write(`${file} reaches ${alone} features that no other case reaches\n`);
  return EXIT.fine;
}

function coverOf(stored: readonly StoredCase[]): Cover {
  const cover = new Cover();
  for (const one of stored) cover.add(one);
  return cover;
}

/** Runs cases and counts what they reach. */
class Cover {
  readonly #runner: Runner = new Runner(machineFactory([]));
  readonly #met: Uint8Array = new Uint8Array(FEATURES_MAX);
  reached = 0;
  lastBroke = false;

  /** How many features this case adds. */
  add(one: StoredCase): number {
    this.lastBroke = this.#runner.run(one.value).breach !== undefined;
    const { touched, count } = this.#runner.judge.features;
    let added = 0;
    for (let i = 0; i < count; i++) {
      const feature = touched[i] ?? 0;
      if (this.#met[feature] === 1) continue;
      this.#met[feature] = 1;
      added++;
    }
    this.reached += added;
    return added;
  }
}

function print(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}
