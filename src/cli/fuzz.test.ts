// The commands about cases, from outside: what they print, what they leave on disk, and how they end.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
// Each of these is a command below: './corpus.ts', './fuzz.ts' and './minimise.ts'.

const CLI = resolve('src/cli.ts');

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly complaint: string;
}

function papyrus(folder: string, ...args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', CLI, ...args],
    { cwd: folder, encoding: 'utf8' },
  );
  return { status, out: stdout, complaint: stderr };
}

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'papyrus-fuzz-'));
}

interface Summary {
  readonly type: string;
  readonly seed: string;
  readonly cases: number;
  readonly findings: number;
  readonly broken: number;
  readonly digest: string;
  readonly jobs: number;
}

function summaryOf(text: string): Summary {
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Summary;
}

test('a clean campaign ends with 0, the same under any number of jobs, and grows a corpus', (t) => {
  const at = folder();
  const flags = ['--seed', 'x', '--runs', '300', '--json'];
  const one = papyrus(at, 'fuzz', ...flags, '--jobs', '1');
  t.is(one.status, 0, one.complaint);
  const two = summaryOf(papyrus(at, 'fuzz', ...flags, '--jobs', '2').out);
  const first = summaryOf(one.out);
  t.is(first.cases, 300);
  t.is(first.findings, 0);
  t.is(two.digest, first.digest);
  t.true(existsSync(join(at, 'corpora', 'whole-life')));
  t.false(existsSync(join(at, 'findings')));
  const stats = papyrus(at, 'corpus', 'stats', '--json');
  t.is(stats.status, 0, stats.complaint);
  const thinned = papyrus(at, 'corpus', 'minimise', '--json');
  t.is(thinned.status, 0, thinned.complaint);
  const [kept = ''] = readdirSync(join(at, 'corpora', 'whole-life'));
  const why = papyrus(at, 'corpus', 'why', join('corpora', 'whole-life', kept));
  t.regex(why.out, /reaches \d+ features/);
  const merged = papyrus(at, 'corpus', 'merge', 'corpora', '--corpus', 'other', '--json');
  t.is(merged.status, 0, merged.complaint);
  rmSync(at, { recursive: true });
});

test('a planted fault is found, shrunk and named with a command, and nothing is stored', (t) => {
  const at = folder();
  const { status, out } = papyrus(
    at,
    'fuzz',
    '--plant',
    'assertion',
    '--seed',
    'p',
    '--runs',
    '256',
    '--jobs',
    '1',
  );
  t.is(status, 1);
  t.regex(out, /^G3: .*: papyrus fuzz --seed p --plant assertion --runs \d+$/m);
  t.deepEqual(readdirSync(at), []);
  rmSync(at, { recursive: true });
});

test('a known breach of QEMU that is disallowed is a finding, which is repeated until it is removed', (t) => {
  const at = folder();
  const jump = 'available-index-jump';
  const flags = [
    'fuzz',
    '--scenario',
    'rings',
    '--seed',
    'k',
    '--runs',
    '2048',
    '--jobs',
    '1',
    '--corpus',
    'c',
  ];
  mkdirSync(join(at, 'c'));
  t.is(papyrus(at, ...flags).status, 0);
  t.is(papyrus(at, ...flags, '--disallow', jump).status, 1);
  const stored = readdirSync(join(at, 'findings'));
  t.deepEqual(stored.map((name) => name.replace(/^[^.]*/, '')).toSorted(), ['.case', '.md', '.rec.cbor']);
  const again = papyrus(
    at,
    'fuzz',
    '--regressions',
    '--corpus',
    'c',
    '--disallow',
    jump,
    '--junit',
    'j.xml',
    '--sarif',
    's.json',
  );
  t.is(again.status, 1);
  t.true(readFileSync(join(at, 'j.xml'), 'utf8').includes('<failure type="G2"'));
  t.true(existsSync(join(at, 's.json')));
  const file = join('findings', stored.find((name) => name.endsWith('.case')) ?? '');
  const small = papyrus(at, 'minimise', file, '-o', 'small.case');
  t.is(small.status, 1);
  t.regex(small.out, /^G2: /);
  t.is(papyrus(at, 'replay', 'findings').status, 0);
  rmSync(at, { recursive: true });
});

test('stored cases that are wrong are refused before anything runs or is written', (t) => {
  const at = folder();
  mkdirSync(join(at, 'corpora', 'tce-maps'), { recursive: true });
  const text =
    'papyrus case 1\nscenario whole-life\nmachine pseries-7.2 device=blk mode=modern iommu_platform=on profile=modern-plat seed=1\n';
  writeFileSync(join(at, 'corpora', 'tce-maps', 'stray.case'), text);
  const before = readdirSync(at, { recursive: true }).length;
  for (const [args, said] of [
    [['fuzz', '--runs', '1'], /is a case of scenario whole-life/],
    [['fuzz', '--corpus', 'nowhere', '--runs', '1'], /there is no corpus folder nowhere/],
    [['fuzz', '--resume'], /no interrupted campaign/],
    [['fuzz', '--disallow', 'nothing'], /no known finding is called 'nothing'/],
    [['minimise', 'absent.case'], /absent\.case/],
    [['corpus', 'merge'], /wants the folders/],
    [['record', 'corpora/tce-maps/absent.case', '-o', 'x.rec.cbor'], /absent\.case/],
  ] as const) {
    const { status, complaint } = papyrus(at, ...args);
    t.is(status, 2, args.join(' '));
    t.regex(complaint, said);
    t.is(complaint.trimEnd().split('\n').length, 1, complaint);
    t.is(readdirSync(at, { recursive: true }).length, before);
  }
  rmSync(at, { recursive: true });
});

test('the canary of the corpus must fail, and its passing is a finding', (t) => {
  const at = folder();
  mkdirSync(join(at, 'corpora', 'canary'), { recursive: true });
  const head =
    'papyrus case 1\nscenario canary\nmachine pseries-7.2 device=blk mode=modern iommu_platform=on profile=modern-plat seed=1\n';
  writeFileSync(join(at, 'corpora', 'canary', 'planted.case'), `${head}request\nfail\n`);
  t.is(papyrus(at, 'fuzz', '--regressions').status, 0);
  writeFileSync(join(at, 'corpora', 'canary', 'planted.case'), `${head}request\n`);
  const { status, out } = papyrus(at, 'fuzz', '--regressions');
  t.is(status, 1);
  t.regex(out, /the harness judges nothing/);
  rmSync(at, { recursive: true });
});
