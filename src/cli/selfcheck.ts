import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Campaign } from '../fuzz/campaign.ts';
import { EXIT, UsageError, type SelfcheckOptions } from './options.ts';

/** Fixed, so that every version of a run says something about the same cases. */
const SEED = 'selfcheck';
const RUNS = 4096;
const RUNS_QUICK = 192;

/** One way of running the same cases: nothing of it may show in the digest. */
interface Setting {
  readonly name: string;
  readonly v8: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly jobs: number;
}

const PLAIN = { v8: [], environment: {}, jobs: 1 };

/**
 * The first is what the others are held against. The V8 flags take away the optimising compilers, all compilers, lazy
 * compilation's timing, and move every object at every collection: a digest that hung on any of these would differ.
 */
const SETTINGS: readonly Setting[] = [
  { ...PLAIN, name: 'default' },
  { ...PLAIN, name: '--jitless', v8: ['--jitless'] },
  { ...PLAIN, name: '--no-opt', v8: ['--no-opt'] },
  { ...PLAIN, name: '--max-lazy', v8: ['--max-lazy'] },
  { ...PLAIN, name: '--stress-compaction', v8: ['--stress-compaction', '--gc-interval=20000'] },
  { ...PLAIN, name: '--random-seed', v8: ['--random-seed=77', '--hash-seed=77'] },
  {
    ...PLAIN,
    name: 'TZ and LANG changed',
    environment: { TZ: 'Pacific/Apia', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
  },
  { ...PLAIN, name: '2 jobs', jobs: 2 },
];

interface Outcome {
  readonly setting: string;
  readonly digest: string;
  /** A process that did not end well has words in place of its digest. */
  readonly ended: boolean;
}

/** Runs the fixed cases under every setting; status 1 if a digest differs from the first. */
export async function selfcheck(options: SelfcheckOptions): Promise<number> {
  if (options.digest !== undefined) {
    process.stdout.write(`${await digestOfCases(options.quick, options.digest)}\n`);
    return EXIT.fine;
  }
  const program = executable();
  const outcomes = await inTurns(SETTINGS, availableParallelism(), (setting) =>
    runUnder(setting, program.cli, options),
  ).finally(() => program.remove());
  const expected = outcomes[0]?.digest ?? '';
  const unequal = outcomes.filter(({ digest, ended }) => !ended || digest !== expected);
  if (options.json) {
    const document = { type: 'summary', digest: expected, equal: unequal.length === 0, settings: outcomes };
    process.stdout.write(`${JSON.stringify(document)}\n`);
  } else {
    for (const { setting, digest } of unequal) {
      process.stdout.write(`${digest}  under ${setting}\n`);
    }
    process.stdout.write(`${expected}  ${outcomes.length - unequal.length} of ${outcomes.length} settings\n`);
  }
  return unequal.length === 0 ? EXIT.fine : EXIT.wrong;
}

/** Of every event of every case, of what the cases reached, and of the texts of those that reached something new. */
async function digestOfCases(quick: boolean, jobs: number): Promise<string> {
  const plan = { seed: SEED, scenarios: [], filter: {}, plants: [] };
  const budget = { milliseconds: undefined, runs: quick ? RUNS_QUICK : RUNS, from: 0 };
  const { digest, cases, requests, events, features, kept, found } = await new Campaign(
    plan,
    budget,
    jobs,
  ).run(() => undefined);
  // Which worker met a feature first does not count: only which case is kept for it.
  const texts = kept.map(({ index, text }) => [index, text]);
  const all = createHash('sha256');
  all.update(JSON.stringify({ digest, cases, requests, events, features, texts, found }));
  return all.digest('hex').slice(0, 32);
}

interface Program {
  readonly cli: string;
  remove(): void;
}

/**
 * What the child processes run: this package if it is built, else a copy of the sources without their types. Node takes
 * types away with WebAssembly, which `--jitless` does not have.
 */
function executable(): Program {
  const here = fileURLToPath(import.meta.url);
  const sources = dirname(dirname(here));
  if (!here.endsWith('.ts')) return { cli: join(sources, 'cli.js'), remove: () => undefined };
  const root = dirname(sources);
  // Below node_modules, so that the copy finds its packages, and nobody looks for sources there.
  const copy = join(root, 'node_modules', '.cache', `papyrus-selfcheck-${process.pid}`);
  mkdirSync(join(copy, 'src'), { recursive: true });
  copyFileSync(join(root, 'package.json'), join(copy, 'package.json'));
  for (const file of readdirSync(sources, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    const target = join(copy, 'src', file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, asJavaScript(readFileSync(join(sources, file), 'utf8')));
  }
  return {
    cli: join(copy, 'src', 'cli.js'),
    remove: () => rmSync(copy, { recursive: true, force: true }),
  };
}

function asJavaScript(source: string): string {
  const specifier = /(\bfrom\s+|\bimport\s*\(?\s*)'(\.[^']*)\.ts'/g;
  return stripTypeScriptTypes(source).replaceAll(specifier, "$1'$2.js'");
}

/** The digest that a process of its own gives under a setting; words of failure in its place if it gives none. */
function runUnder(setting: Setting, cli: string, options: SelfcheckOptions): Promise<Outcome> {
  const flags = [`--digest=${setting.jobs}`, ...(options.quick ? ['--quick'] : [])];
  const child = spawn(process.execPath, [...process.execArgv, ...setting.v8, cli, 'selfcheck', ...flags], {
    env: { ...process.env, ...setting.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      const ended = status === 0 && /^[0-9a-f]{32}\n$/.test(out);
      if (/bad option/.test(err))
        reject(new UsageError(`${process.execPath} does not know ${setting.v8.join(' ')}`));
      else
        resolve({ setting: setting.name, digest: ended ? out.trim() : failure(status, signal, err), ended });
    });
  });
}

function failure(status: number | null, signal: string | null, err: string): string {
  const words = err.split('\n').find((line) => /^papyrus: |^\w*Error\b/.test(line)) ?? '';
  return `no digest (ended by ${signal ?? `status ${status}`}: ${words})`;
}

/** Runs `work` over all items, `width` at a time; results in the order of the items. */
async function inTurns<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      const item = items[at];
      if (item !== undefined) results[at] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}
