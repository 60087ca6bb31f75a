// What the linter cannot say. Each check lists every breach with the remedy, so that one run mends all.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename, dirname, join } from 'node:path';
import test from 'ava';

/**
 * Files, or whole folders, whose tests live somewhere else than beside them: the test that holds them by what they do
 * together. A file that a test imports itself needs no row.
 */
const TESTED_ELSEWHERE: Readonly<Record<string, string>> = {
  'src/cli/explain.ts': 'src/cli/thread-matrix.test.ts',
  'src/emu/guest/scripted.ts': 'src/matrix/life.test.ts',
  'src/emu/guest/systems.ts': 'src/matrix/golden.test.ts',
  'src/emu/guest/secure-image.ts': 'src/emu/machine/secure-side.test.ts',
  'src/emu/guest/secure-driver.ts': 'src/matrix/life.test.ts',
  'src/emu/memory/host-ram.ts': 'src/emu/machine/secure-side.test.ts',
  'src/emu/ultravisor/': 'src/emu/machine/secure-side.test.ts',
  'src/emu/machine/fate.ts': 'src/matrix/golden.test.ts',
  'src/emu/machine/policies.ts': 'src/matrix/golden.test.ts',
  'src/emu/machine/prediction.ts': 'src/matrix/golden.test.ts',
  'src/emu/machine/rules.ts': 'src/matrix/rules.test.ts',
  'src/emu/machine/virtio-models.ts': 'src/matrix/golden.test.ts',
  'src/fuzz/arbitraries/situation.ts': 'src/matrix/rules.test.ts',
  'src/matrix/axes.ts': 'src/matrix/sweep.test.ts',
  'src/matrix/cell.ts': 'src/matrix/sweep.test.ts',
  'src/matrix/counter-policies.ts': 'src/matrix/rules.test.ts',
  'src/matrix/decided-construction.ts': 'src/matrix/golden.test.ts',
  'src/matrix/decided.ts': 'src/matrix/sweep.test.ts',
  'src/matrix/document.ts': 'src/matrix/sweep.test.ts',
  'src/matrix/experiments.ts': 'src/matrix/rules.test.ts',
  'src/matrix/grid-text.ts': 'src/matrix/sweep.test.ts',
  'src/matrix/secure-lives.ts': 'src/trace/recordings.test.ts',
  'src/trace/secure-text.ts': 'src/trace/page-follower.test.ts',
  'src/matrix/secure-slips.ts': 'src/matrix/rules.test.ts',
  'src/matrix/tiers.ts': 'src/matrix/sweep.test.ts',
  'src/clauses/catalogue-text.ts': 'src/clauses/catalogue.test.ts',
  'src/clauses/': 'src/clauses/observed-world.test.ts',
  'src/cli/bench/disk.ts': 'src/cli/bench/figures.test.ts',
  'src/cli/bench/net.ts': 'src/cli/bench/figures.test.ts',
  'src/cli/bench/processor.ts': 'src/cli/bench/figures.test.ts',
  'src/cli/bench/secure.ts': 'src/cli/bench/figures.test.ts',
  'src/cli/boot-recording.ts': 'src/cli/boot.test.ts',
  'src/cli/conform/': 'src/cli/conform.test.ts',
  'src/cli/corpus.ts': 'src/main.test.ts',
  'src/cli/fuzz.ts': 'src/main.test.ts',
  'src/cli/minimise.ts': 'src/main.test.ts',
  'src/emu/cpu/': 'src/emu/cpu/processor.test.ts',
  'src/emu/devices/': 'src/emu/machine/device-laws.test.ts',
  'src/emu/machine/': 'src/emu/machine/machine.test.ts',
  'src/emu/memory/': 'src/emu/memory/dma-space.test.ts',
  'src/emu/papr/': 'src/emu/papr/papr.test.ts',
  'src/emu/pci/': 'src/emu/virtio/pci-function.test.ts',
  'src/emu/virtio/': 'src/emu/machine/device-laws.test.ts',
  'src/fuzz/': 'src/fuzz/campaign.test.ts',
  'src/qemu/': 'src/cli/oracle.test.ts',
  'src/trace/': 'src/trace/replayer.test.ts',
  'src/trace/names.ts': 'src/trace/report-text.test.ts',
  'src/trace/device-view.ts': 'src/trace/report-text.test.ts',
  'src/trace/filter.ts': 'src/trace/report-text.test.ts',
  'src/trace/request-follower.ts': 'src/trace/report-text.test.ts',
  'src/trace/diff.ts': 'src/cli/replay.test.ts',
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

/** The files that a file imports, itself among them, directly or by way of others. */
const reached = new Map<string, ReadonlySet<string>>();
function reach(file: string): ReadonlySet<string> {
  const known = reached.get(file);
  if (known !== undefined) return known;
  const all = new Set<string>();
  const open = [file];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (all.has(next) || !next.endsWith('.ts') || !existsSync(next)) continue;
    all.add(next);
    open.push(...imports(next));
  }
  reached.set(file, all);
  return all;
}

function imports(file: string): string[] {
  const found = read(file).matchAll(
    /(?:from\s+|import\(\s*|new URL\(\s*[`'"])['"`]?(\.{1,2}\/[^'"`]+)['"`]/g,
  );
  return [...found].map((match) => join(dirname(file), (match[1] ?? '').replace(/\$\{\w+\}$/, 'ts')));
}

function rowOf(file: string): string | undefined {
  return TESTED_ELSEWHERE[file] ?? TESTED_ELSEWHERE[`${dirname(file)}/`] ?? folderRow(file);
}

function folderRow(file: string): string | undefined {
  const folder = Object.keys(TESTED_ELSEWHERE).find((key) => key.endsWith('/') && file.startsWith(key));
  return folder === undefined ? undefined : TESTED_ELSEWHERE[folder];
}

test('every source file has its test beside it, or is held by a test that reaches it', (t) => {
  const direct = new Set(code.filter((file) => file.endsWith('.test.ts')).flatMap(imports));
  const untested = sources.filter((file) => {
    if (existsSync(file.replace(/\.ts$/, '.test.ts')) || direct.has(file) || file in UNTESTED) return false;
    // Numbers of a specification are checked where they are used; types, by the compiler.
    if (basename(file) === 'abi.ts' || basename(file) === 'index.ts' || holdsNoCode(file)) return false;
    const held = rowOf(file);
    return held === undefined || !reach(held).has(file);
  });
  t.deepEqual(untested, [], 'write its test, or add a row to the tables at the top of src/tidy.test.ts');
});

test('the rows about tests are still true', (t) => {
  const rows = [
    ...Object.keys(UNTESTED),
    ...Object.keys(TESTED_ELSEWHERE),
    ...Object.values(TESTED_ELSEWHERE),
  ];
  t.deepEqual(
    rows.filter((path) => !existsSync(path)),
    [],
  );
});
