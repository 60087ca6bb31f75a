// What the linter cannot say. Each check lists every breach with the remedy, so that one run mends all.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename } from 'node:path';
import test from 'ava';

/** Files whose tests live somewhere else than beside them: the test file that holds them. */
const TESTED_ELSEWHERE: Readonly<Record<string, string>> = {
  'src/emu/machine/emulated-platform.ts': 'src/emu/machine/machine.test.ts',
  'src/trace/codec.ts': 'src/trace/event-encoder.test.ts',
  'src/trace/event-context.ts': 'src/trace/event-encoder.test.ts',
  'src/trace/event-decoder.ts': 'src/trace/event-encoder.test.ts',
  'src/trace/envelope.ts': 'src/trace/recorder.test.ts',
  'src/trace/pieces.ts': 'src/trace/recorder.test.ts',
  'src/trace/format.ts': 'src/trace/recorder.test.ts',
  'src/trace/recording-error.ts': 'src/trace/reader.test.ts',
  'src/trace/comparing-tap.ts': 'src/trace/replayer.test.ts',
  'src/trace/divergence.ts': 'src/trace/replayer.test.ts',
  'src/trace/last-writers.ts': 'src/trace/replayer.test.ts',
  'src/trace/names.ts': 'src/trace/report-text.test.ts',
  'src/trace/device-view.ts': 'src/trace/report-text.test.ts',
  'src/trace/filter.ts': 'src/trace/report-text.test.ts',
  'src/trace/request-follower.ts': 'src/trace/report-text.test.ts',
  'src/trace/diff.ts': 'src/cli/replay.test.ts',
  'src/cli/commands.ts': 'src/main.test.ts',
  'src/cli/diff.ts': 'src/cli/replay.test.ts',
  'src/cli/inspect.ts': 'src/cli/replay.test.ts',
  'src/cli/record.ts': 'src/cli/replay.test.ts',
  'src/emu/guest/systems.ts': 'src/matrix/golden.test.ts',
  'src/emu/machine/fate.ts': 'src/matrix/golden.test.ts',
  'src/emu/machine/policies.ts': 'src/matrix/golden.test.ts',
  'src/emu/machine/prediction.ts': 'src/matrix/golden.test.ts',
  'src/emu/machine/virtio-models.ts': 'src/matrix/golden.test.ts',
  'src/matrix/decided-construction.ts': 'src/matrix/golden.test.ts',
  'src/cli/explain.ts': 'src/cli/thread-matrix.test.ts',
  'src/emu/machine/rules.ts': 'src/matrix/rules.test.ts',
  'src/fuzz/arbitraries/situation.ts': 'src/matrix/rules.test.ts',
  'src/matrix/counter-policies.ts': 'src/matrix/rules.test.ts',
  'src/matrix/experiments.ts': 'src/matrix/rules.test.ts',
  'src/matrix/axes.ts': 'src/matrix/sweep.test.ts',
  'src/matrix/cell.ts': 'src/matrix/sweep.test.ts',
  'src/matrix/decided.ts': 'src/matrix/sweep.test.ts',
  'src/matrix/document.ts': 'src/matrix/sweep.test.ts',
  'src/matrix/grid-text.ts': 'src/matrix/sweep.test.ts',
  'src/matrix/tiers.ts': 'src/matrix/sweep.test.ts',
  'src/emu/guest/scripted.ts': 'src/matrix/life.test.ts',
  'src/matrix/secure-guest.ts': 'src/matrix/life.test.ts',
  'src/matrix/secure-world.ts': 'src/matrix/life.test.ts',
  'src/fuzz/case.ts': 'src/fuzz/case-text.test.ts',
  'src/fuzz/case-binary.ts': 'src/fuzz/case-text.test.ts',
  'src/fuzz/machines.ts': 'src/fuzz/runner.test.ts',
  'src/fuzz/factory.ts': 'src/fuzz/runner.test.ts',
  'src/fuzz/judge.ts': 'src/fuzz/runner.test.ts',
  'src/fuzz/features.ts': 'src/fuzz/runner.test.ts',
  'src/fuzz/adversary/driver.ts': 'src/fuzz/runner.test.ts',
  'src/fuzz/adversary/hardware.ts': 'src/fuzz/runner.test.ts',
  'src/fuzz/adversary/calls.ts': 'src/fuzz/runner.test.ts',
  'src/fuzz/adversary/perform.ts': 'src/fuzz/runner.test.ts',
  'src/fuzz/block.ts': 'src/fuzz/campaign.test.ts',
  'src/fuzz/plan.ts': 'src/fuzz/campaign.test.ts',
  'src/fuzz/worker.ts': 'src/fuzz/campaign.test.ts',
  'src/fuzz/finding.ts': 'src/fuzz/corpus.test.ts',
  'src/fuzz/known.ts': 'src/fuzz/corpus.test.ts',
  'src/fuzz/report.ts': 'src/fuzz/corpus.test.ts',
  'src/fuzz/case-runner.ts': 'src/fuzz/corpus.test.ts',
  'src/fuzz/arbitraries/chain.ts': 'src/fuzz/arbitraries/laws.test.ts',
  'src/fuzz/arbitraries/ring.ts': 'src/fuzz/arbitraries/laws.test.ts',
  'src/fuzz/arbitraries/step.ts': 'src/fuzz/arbitraries/laws.test.ts',
  'src/fuzz/arbitraries/tce-map.ts': 'src/fuzz/arbitraries/laws.test.ts',
  'src/fuzz/arbitraries/machine-config.ts': 'src/fuzz/arbitraries/laws.test.ts',
  'src/fuzz/arbitraries/drawn.ts': 'src/fuzz/arbitraries/laws.test.ts',
  'src/fuzz/invariants/memory.ts': 'src/fuzz/invariants/books.test.ts',
  'src/fuzz/invariants/translation.ts': 'src/fuzz/invariants/books.test.ts',
  'src/fuzz/invariants/work.ts': 'src/fuzz/invariants/books.test.ts',
  'src/fuzz/invariants/invariant.ts': 'src/fuzz/invariants/books.test.ts',
  'src/fuzz/scenarios/canary.ts': 'src/fuzz/scenarios/smoke.test.ts',
  'src/fuzz/scenarios/host-frames.ts': 'src/fuzz/scenarios/smoke.test.ts',
  'src/fuzz/scenarios/hostile-rings.ts': 'src/fuzz/scenarios/smoke.test.ts',
  'src/fuzz/scenarios/register-storm.ts': 'src/fuzz/scenarios/smoke.test.ts',
  'src/fuzz/scenarios/set-up-order.ts': 'src/fuzz/scenarios/smoke.test.ts',
  'src/fuzz/scenarios/tce-maps.ts': 'src/fuzz/scenarios/smoke.test.ts',
  'src/fuzz/scenarios/whole-life.ts': 'src/fuzz/scenarios/smoke.test.ts',
  'src/cli/corpus.ts': 'src/cli/fuzz.test.ts',
  'src/cli/minimise.ts': 'src/cli/fuzz.test.ts',
};

/** Files that need no test of their own, each with the reason. */
const UNTESTED: Readonly<Record<string, string>> = {
  'src/cli.ts': 'starts main.ts and does nothing else; .ci/run starts it from the installed package',
};

/** The folders of src/emu: a new one needs its row in .oxlintrc.json and in scripts/lint-breaches.test.ts first. */
const EMU_FOLDERS = 'core cpu devices guest machine memory papr pci ultravisor virtio'.split(' ');

const NOT_OURS = new Set(['.git', 'node_modules', 'dist', 'coverage', 'findings', '.cache']);

function filesBelow(folder: string): string[] {
  return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : filesBelow(path);
    return entry.isFile() && !entry.name.endsWith('.tgz') ? [path] : [];
  });
}

const files = filesBelow('');
const code = files.filter((file) => /^(src|scripts)\/.*\.ts$/.test(file));
const sources = code.filter((file) => file.startsWith('src/') && !isTest(file));
const read = (file: string): string => readFileSync(file, 'utf8');

function isTest(file: string): boolean {
  return file.endsWith('.test.ts') || basename(file).startsWith('_');
}

/** Comments may speak of what code may not use. A `//` inside a string costs the rest of its line, no more. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' '))
    .replaceAll(/\/\/.*/g, '');
}

/** 'file:line: remedy' for each line that matches. */
function matches(file: string, text: string, pattern: RegExp, remedy: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${remedy}`] : []));
}

test('no leftover markers', (t) => {
  // One letter of each stands in brackets so that this file passes its own check.
  const markers = /\b(T[O]DO|F[I]XME|X[X]X)\b/;
  t.deepEqual(
    code.flatMap((file) => matches(file, read(file), markers, 'do it, or write down what happens meanwhile')),
    [],
  );
});

test('no file is named after nothing', (t) => {
  t.deepEqual(
    code.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\.test)?\.ts$/.test(file)),
    [],
    'name the thing it holds',
  );
});

test('nothing that Node cannot strip', (t) => {
  const banned = /^\s*(export\s+)?(declare\s+)?((const\s+)?enum|namespace)\s+\w+/;
  t.deepEqual(
    code.flatMap((file) => matches(file, read(file), banned, 'use a union of literals or a module')),
    [],
  );
});

test('src/emu holds no state outside its objects, never waits, and loads nothing late', (t) => {
  const breaches: string[] = [];
  for (const file of sources.filter((source) => source.startsWith('src/emu/'))) {
    const text = withoutComments(read(file));
    breaches.push(
      ...matches(
        file,
        text,
        /^(export )?(let|var)\s/,
        'module state outlives a machine: put it in an object',
      ),
      ...matches(file, text, /\b(async|await)\s/, 'emu is synchronous'),
      ...matches(file, text, /\bimport\(/, 'import statically, so that the direction rules see it'),
    );
  }
  t.deepEqual(breaches, []);
});

test('src/emu consists of the folders that have a row in the direction table', (t) => {
  const strays = files.filter((file) => {
    const [, folder, inside] = /^src\/emu\/([^/]+)(\/)?/.exec(file) ?? [];
    return folder !== undefined && (inside === undefined || !EMU_FOLDERS.includes(folder));
  });
  t.deepEqual(strays, [], 'give the folder its row in .oxlintrc.json, lint-breaches.test.ts and here');
});

test('no file knows the machine it was written on', (t) => {
  const places = ['work', 'root', 'home', 'Users'].join('|');
  const absolute = new RegExp(String.raw`(?<![\w.$~@{}\\/-])/(${places})/[\w.]`);
  const breaches = files
    .filter((file) => !/\.(zst|cbor|snap|gz|bin)$/.test(file))
    .flatMap((file) => matches(file, read(file), absolute, 'a path of one machine'));
  t.deepEqual(breaches, []);
});

test('the lockfile names no registry', (t) => {
  t.deepEqual(
    matches('package-lock.json', read('package-lock.json'), /"resolved": "\w+:/, 'no "resolved"'),
    [],
  );
});

/** Nothing is left of it at run time but imports and names passed on. */
function holdsNoCode(file: string): boolean {
  const left = withoutComments(stripTypeScriptTypes(read(file)))
    .replaceAll(/\b(import|export)\b[^;]*\bfrom\s+['"][^'"]*['"]\s*;?/g, '')
    .replaceAll(/\b(export\s*\{\s*\}|import\s+['"][^'"]*['"])\s*;?/g, '');
  return /^[\s;]*$/.test(left);
}

test('every source file has its test beside it, or says where it is tested', (t) => {
  const untested = sources.filter((file) => {
    if (existsSync(file.replace(/\.ts$/, '.test.ts'))) return false;
    if (file in UNTESTED || file in TESTED_ELSEWHERE) return false;
    // Numbers of a specification are checked where they are used; types, by the compiler.
    return basename(file) !== 'abi.ts' && basename(file) !== 'index.ts' && !holdsNoCode(file);
  });
  t.deepEqual(untested, [], 'write its test, or add a row to the tables at the top of src/tidy.test.ts');
});

test('the rows about tests are still true', (t) => {
  const stale = Object.keys({ ...UNTESTED, ...TESTED_ELSEWHERE }).filter(
    (file) => !existsSync(file) || existsSync(file.replace(/\.ts$/, '.test.ts')),
  );
  for (const [file, held] of Object.entries(TESTED_ELSEWHERE))
    if (!existsSync(held) || !read(held).includes(`/${basename(file)}'`))
      stale.push(`${file}: not in ${held}`);
  t.deepEqual(stale, []);
});
