// The command line through its front door: a process, its exit status, stdout and stderr.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { program } from './cli/commands.ts';

const CLI = new URL('cli.ts', import.meta.url).pathname;

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function papyrus(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  return new Promise((resolve) => {
    child.on('close', (status) => resolve({ status, out, err }));
  });
}

/** The contract's commands, and one flag of each that its help must name. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  fuzz: [
    '--time',
    '--runs',
    '--jobs',
    '--seed',
    '--scenario',
    '--mode',
    '--iommu-platform',
    '--behaviour',
    '--machine',
    '--regressions',
    '--corpus',
    '--findings',
    '--plant',
    '--disallow',
    '--clauses',
    '--resume',
    '--junit',
    '--sarif',
    '--json',
  ],
  record: ['--output', '-o', '--machine', '--device', '--guest', '--seed'],
  replay: ['--until', '--from', '--json'],
  inspect: ['--kind', '--device', '--queue', '--address', '--follow-request', '--who-wrote', '--to'],
  diff: ['--json'],
  minimise: ['--output', '--json'],
  matrix: ['--guest', '--machine', '--device', '--json', '--policy', '--against', '--html'],
  explain: ['--output', '--json'],
  clauses: ['--section', '--on', '--json'],
  boot: [
    '--kernel',
    '--initrd',
    '--append',
    '--drive',
    '--net',
    '--mode',
    '--iommu-platform',
    '--budget',
    '--output',
    '--json',
  ],
  conform: ['--limit', '--json'],
  oracle: [],
  corpus: ['stats', 'merge', 'minimise', 'why'],
  selfcheck: ['--quick', '--json'],
  bench: ['--json', '--faults'],
};

test('--version prints the version of the package', async (t) => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  t.deepEqual(await papyrus('--version'), { status: 0, out: `${manifest.version}\n`, err: '' });
});

test('there is every command of the contract, and no other', (t) => {
  const names = program(() => undefined).commands.map((command) => command.name());
  t.deepEqual(names.toSorted(), Object.keys(COMMANDS).toSorted());
});

test('--help names every command', async (t) => {
  const { status, out } = await papyrus('--help');
  t.is(status, 0);
  t.deepEqual(
    Object.keys(COMMANDS).filter((name) => !new RegExp(`^  ${name}\\b`, 'm').test(out)),
    [],
  );
});

for (const [name, flags] of Object.entries(COMMANDS)) {
  test(`${name} --help names its flags and shows examples`, async (t) => {
    const { status, out, err } = await papyrus(name, '--help');
    t.is(status, 0);
    t.is(err, '');
    t.deepEqual(
      flags.filter((flag) => !out.includes(flag)),
      [],
    );
    t.true(out.includes(`\n  papyrus ${name} `));
  });
}

/** What an operator can get wrong before any command runs, and words the sentence must have. */
const REFUSED: readonly (readonly [args: readonly string[], ...words: readonly string[]])[] = [
  [[], 'no command', '--help'],
  [['fuz'], "'fuz'", 'fuzz'],
  [['fuzz', '--bogus'], "'--bogus'", 'fuzz --help'],
  [['fuzz', 'excess'], 'fuzz', '--help'],
  [['fuzz', '--time', 'soon'], "'soon'", '30s'],
  [['fuzz', '--runs', '12x'], "'12x'", 'whole number'],
  [['fuzz', '--jobs', '0'], "'0'", 'whole number'],
  [['fuzz', '--mode', 'ancient'], "'ancient'", 'legacy, transitional, modern'],
  [['fuzz', '--iommu-platform', 'maybe'], "'maybe'", 'on, off'],
  [['record', 'case'], '--output'],
  [['replay'], 'files'],
  [['inspect', 'a', '--address', 'here'], "'here'", '0x'],
  [['conform'], 'files'],
  [['conform', 'no-such-file.jsonl'], 'no-such-file.jsonl'],
  [['conform', 'package.json'], 'package.json', 'golden'],
  [['conform', 'src/main.ts'], 'main.ts', 'golden'],
  [['corpus', 'burn'], "'burn'", 'stats'],
  [['record', 'no-such-case', '-o', 'never.rec.cbor'], 'no-such-case'],
  [['record', 'whole-life:1', '-o', 'no-such-folder/a'], 'no-such-folder'],
  [['record', 'whole-life:1', '--machine', 'pseries-1.0', '-o', 'never.rec.cbor'], 'pseries'],
  [['replay', 'package.json'], 'package.json'],
  [['replay', 'no-such-file'], 'no-such-file'],
  [['inspect', 'src'], 'folder'],
  [['inspect', 'package.json'], 'package.json'],
  [['inspect', 'package.json', 'never'], 'never'],
  [['inspect', 'package.json', '--to', 'json'], '--to'],
  [['diff', 'package.json', 'package.json'], 'package.json'],
  [['minimise', 'no-such-file'], 'no-such-file'],
  [['minimise', 'package.json'], 'case'],
  [['matrix', '--guest', 'plan9'], 'plan9', 'legacy-be'],
  [['fuzz', '--scenario', 'nonsense'], 'nonsense', 'whole-life'],
  [['fuzz', '--plant', 'nonsense'], 'nonsense', 'write-overrun'],
  [['fuzz', '--machine', 'pseries-1.0'], 'pseries-2.1'],
  [['fuzz', '--mode', 'legacy', '--iommu-platform', 'on'], 'iommu_platform=on'],
  [['fuzz', '--corpus', 'no-such-folder'], 'no-such-folder'],
  [['corpus', 'why', 'no-such-file'], 'no-such-file'],
  [['bench', '--only', 'nonsense'], 'nonsense'],
  [['oracle', '--qemu', '/nowhere/qemu'], '/nowhere/qemu', 'apt-get install'],
];

for (const [args, ...words] of REFUSED) {
  test(`refuses: papyrus ${args.join(' ')}`, async (t) => {
    const { status, out, err } = await papyrus(...args);
    t.is(status, 2);
    t.is(out, '');
    t.regex(err, /^papyrus: [^\n]+\n$/, 'one sentence');
    for (const word of words) t.true(err.includes(word), `${err} names ${word}`);
    t.false(existsSync('never') || existsSync('never.rec.cbor'), 'nothing is written');
  });
}

test('a reader that closes the pipe ends the program quietly', async (t) => {
  const child = spawn(process.execPath, [CLI, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let err = '';
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const status = await new Promise((resolve) => child.on('close', resolve));
  t.is(err, '');
  t.is(status, 0);
});
