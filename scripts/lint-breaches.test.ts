// The lint rules are promises of the house: replay is exact because src/emu cannot see the host, and guest and
// device cannot be wrong in the same way because they share only numbers. oxlint drops a pattern it cannot parse
// without a word, so a rule counts only once a breach of it has been caught. This test writes, in a temporary
// directory, every import that any folder could make of any other and a breach of every ban, runs oxlint over
// them once, and holds what was reported against the table below, line by line, in both directions.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import test from 'ava';

const EMU = ['core', 'memory', 'pci', 'virtio', 'devices', 'papr', 'ultravisor', 'guest', 'cpu', 'machine'];

/** What each folder of src/emu may import: a folder, one file of it, or (with `type`) only its types. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  memory: ['core'],
  pci: ['core', 'memory'],
  virtio: ['core', 'memory', 'pci'],
  devices: ['core', 'type memory', 'virtio'],
  papr: ['core', 'memory', 'pci'],
  ultravisor: ['core', 'memory', 'papr/abi.ts'],
  guest: ['core', ...EMU.map((folder) => `${folder}/abi.ts`)],
  cpu: ['core', ...EMU.map((folder) => `${folder}/abi.ts`), 'guest/platform.ts'],
  machine: EMU,
};

interface Line {
  readonly code: string;
  /** The rule that must speak on this line, or null when none may. */
  readonly breaks: string | null;
}

const IMPORTS = 'eslint(no-restricted-imports)';
const GLOBALS = 'eslint(no-restricted-globals)';
const PROPERTIES = 'eslint(no-restricted-properties)';

let serial = 0;
function name(): string {
  serial += 1;
  return `x${serial}`;
}

function imports(from: string, target: string, allowed: boolean): Line[] {
  const specifier = target.startsWith('src/') ? relativeTo(from, target) : target;
  const breaks = allowed ? null : IMPORTS;
  const line = (code: string): Line => ({ code, breaks });
  return [
    line(`export * from '${specifier}';`),
    line(`import { ${name()} } from '${specifier}';`),
    line(`export type { ${name()} } from '${specifier}';`),
  ];
}

function relativeTo(from: string, target: string): string {
  const path = posix.relative(posix.dirname(from), target);
  return path.startsWith('.') ? path : `./${path}`;
}

function emuDirection(from: string, folder: string): Line[] {
  const allowed = MAY_IMPORT[folder] ?? [];
  const lines: Line[] = [];
  for (const other of EMU)
    for (const file of ['thing.ts', 'abi.ts', 'platform.ts', 'deep/thing.ts']) {
      const target = `src/emu/${other}/${file}`;
      const whole = other === folder || allowed.includes(other) || allowed.includes(`${other}/${file}`);
      if (!whole && allowed.includes(`type ${other}`)) {
        const specifier = relativeTo(from, target);
        lines.push(
          { code: `export type { ${name()} } from '${specifier}';`, breaks: null },
          { code: `import type { ${name()} } from '${specifier}';`, breaks: null },
          { code: `import { ${name()} } from '${specifier}';`, breaks: IMPORTS },
          { code: `export * from '${specifier}';`, breaks: IMPORTS },
        );
      } else lines.push(...imports(from, target, whole));
    }
  return lines;
}

const OUTSIDE = [
  'src/trace/codec.ts',
  'src/matrix/sweep.ts',
  'src/clauses/oracle.ts',
  'src/fuzz/campaign.ts',
  'src/qemu/rival.ts',
  'src/cli/fuzz.ts',
];
const ROOTS = ['src/index.ts', 'src/main.ts', 'src/cli.ts'];
const TEST_FILES = ['src/emu/core/rng.test.ts', 'src/_prop.ts'];
const PACKAGES = [
  'seedrandom',
  '@noble/ciphers/aes.js',
  '@noble/hashes/sha2.js',
  'cbor-x/index-no-eval',
  'fast-check',
  'ava',
  'commander',
  'valibot',
  'node:fs',
];

/** All lines of one planted importer: its folder's row, the layers above it, the entry files and the packages. */
function importer(from: string, targets: readonly string[], packages: readonly string[]): Line[] {
  const folder = /^src\/emu\/(\w+)\//.exec(from)?.[1];
  const lines = folder === undefined ? [] : emuDirection(from, folder);
  const rest =
    folder === undefined ? ['src/emu/core/rng.ts', 'src/emu/papr/abi.ts', 'src/emu/machine/machine.ts'] : [];
  for (const target of [...rest, ...OUTSIDE, ...ROOTS, ...TEST_FILES])
    if (target !== from) lines.push(...imports(from, target, targets.includes(target)));
  for (const target of PACKAGES)
    lines.push(...imports(from, target, packages.includes(target.split('/')[0] ?? target)));
  const host = packages.includes('node:fs') ? null : IMPORTS;
  lines.push({ code: `export const ${name()} = import('node:net');`, breaks: host });
  return lines;
}

const BELOW = ['src/emu/core/rng.ts', 'src/emu/papr/abi.ts', 'src/emu/machine/machine.ts'];
const LIBRARY = [
  ...BELOW,
  'src/trace/codec.ts',
  'src/matrix/sweep.ts',
  'src/clauses/oracle.ts',
  'src/fuzz/campaign.ts',
];
const BESIDE = [
  ...BELOW,
  'src/trace/codec.ts',
  'src/clauses/oracle.ts',
  'src/fuzz/campaign.ts',
  'src/qemu/rival.ts',
];
const ALL = [...LIBRARY, 'src/qemu/rival.ts'];
const CLAUSES = ['src/emu/core/rng.ts', 'src/emu/papr/abi.ts', 'src/clauses/oracle.ts'];
const FREE = ['commander', 'valibot'];

const plants = new Map<string, readonly Line[]>();
for (const folder of EMU) {
  const packages = folder === 'machine' ? ['valibot'] : [];
  for (const from of [`src/emu/${folder}/plant.ts`, `src/emu/${folder}/deep/plant.ts`])
    plants.set(from, importer(from, [], packages));
}
for (const [from, targets, packages] of [
  ['src/emu/core/rng.ts', [], ['seedrandom']],
  ['src/emu/core/crypto.ts', [], ['@noble']],
  ['src/trace/plant.ts', [...BELOW, 'src/trace/codec.ts'], [...FREE, 'node:fs']],
  ['src/trace/deep/plant.ts', [...BELOW, 'src/trace/codec.ts'], [...FREE, 'node:fs']],
  ['src/trace/codec.ts', BELOW, [...FREE, 'cbor-x', 'node:fs']],
  ['src/matrix/plant.ts', [...BELOW, 'src/matrix/sweep.ts'], FREE],
  ['src/matrix/deep/plant.ts', [...BELOW, 'src/matrix/sweep.ts'], FREE],
  ['src/clauses/plant.ts', CLAUSES, []],
  ['src/clauses/deep/plant.ts', CLAUSES, []],
  ['src/fuzz/plant.ts', LIBRARY, [...FREE, 'fast-check', 'node:fs']],
  ['src/fuzz/deep/plant.ts', LIBRARY, [...FREE, 'fast-check', 'node:fs']],
  ['src/qemu/plant.ts', BESIDE, [...FREE, 'node:fs']],
  ['src/index.ts', ALL, FREE],
  ['src/main.ts', [...ALL, 'src/index.ts', 'src/cli/fuzz.ts'], [...FREE, 'node:fs']],
  ['src/cli.ts', [...ALL, 'src/index.ts', 'src/main.ts', 'src/cli/fuzz.ts'], [...FREE, 'node:fs']],
  ['src/cli/plant.ts', [...ALL, 'src/index.ts', 'src/cli/fuzz.ts'], [...FREE, 'node:fs']],
] as const)
  plants.set(from, importer(from, targets, packages));

// Tests may reach anywhere: they stand outside the layers.
plants.set(
  'src/emu/virtio/reach.test.ts',
  [...EMU.map((folder) => `src/emu/${folder}/thing.ts`), ...OUTSIDE, ...TEST_FILES, ...PACKAGES].flatMap(
    (to) => imports('src/emu/virtio/reach.test.ts', to, true),
  ),
);

const words = (text: string): string[] => text.trim().split(/\s+/);

const CLOCK = words('Date performance Temporal');
const TIMERS = words(`setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate
  queueMicrotask requestAnimationFrame requestIdleCallback scheduler`);
const HOST = words(`process fetch crypto navigator require module __dirname __filename console
  global globalThis self Buffer Worker MessageChannel MessagePort BroadcastChannel
  WebSocket EventSource XMLHttpRequest localStorage sessionStorage AbortSignal
  SharedArrayBuffer Atomics Intl WeakRef FinalizationRegistry Promise`);
const INEXACT = words(`sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh
  exp expm1 log log1p log2 log10 pow cbrt hypot`);
const LOCALE = words(`toLocaleString toLocaleDateString toLocaleTimeString toLocaleLowerCase toLocaleUpperCase
  localeCompare normalize`);

const value = (expression: string, breaks: string | null): Line => ({
  code: `export const ${name()}: unknown = ${expression};`,
  breaks,
});

plants.set('src/emu/core/bans.ts', [
  ...[...CLOCK, ...TIMERS, ...HOST].map((global) => value(global, GLOBALS)),
  ...['random', ...INEXACT].flatMap((method) => [
    value(`Math.${method}`, PROPERTIES),
    value(`Math['${method}']`, PROPERTIES),
    { code: `export const { ${method}: ${name()} } = Math;`, breaks: PROPERTIES },
  ]),
  ...LOCALE.map((method) => value(`(1 as unknown as Record<string, unknown>).${method}`, PROPERTIES)),
  { code: `export async function ${name()}(): unknown {}`, breaks: 'oxc(no-async-await)' },
  value('[3, 20].toSorted()', 'typescript(require-array-sort-compare)'),
]);

// What determinism leaves alone. A rule that also speaks here would be switched off by the first who meets it.
plants.set('src/emu/core/clean.ts', [
  ...['imul', 'clz32', 'floor', 'min', 'max', 'fround', 'sqrt', 'trunc', 'abs'].map((method) =>
    value(`Math.${method}`, null),
  ),
  ...['BigInt.asUintN(64, 2n ** 64n)', 'new DataView(new ArrayBuffer(8))', 'new WeakMap()'].map((text) =>
    value(text, null),
  ),
  value('[3, 20].toSorted((a, b) => a - b)', null),
]);

plants.set('src/emu/core/bans.test.ts', [
  ...[...CLOCK, ...TIMERS, 'crypto'].map((global) => value(global, GLOBALS)),
  value('Math.random', PROPERTIES),
  ...['process', 'console', 'Promise', 'Math.sin'].map((expression) => value(expression, null)),
  { code: `export async function ${name()}(): Promise<void> {}`, breaks: null },
]);

plants.set('src/trace/anywhere.ts', [
  value('(1 as any)', 'typescript(no-explicit-any)'),
  { code: "type Mode = 'legacy' | 'modern'; declare const mode: Mode;", breaks: null },
  { code: "switch (mode) { case 'legacy': break; }", breaks: 'typescript(switch-exhaustiveness-check)' },
  { code: 'declare const later: () => Promise<void>;', breaks: null },
  { code: 'later();', breaks: 'typescript(no-floating-promises)' },
  { code: "import 'fs';", breaks: 'unicorn(prefer-node-protocol)' },
  { code: "eval('1');", breaks: 'eslint(no-eval)' },
  { code: "export const made: unknown = new Function('1');", breaks: 'eslint(no-new-func)' },
  { code: 'export const same: boolean = made == later;', breaks: 'eslint(eqeqeq)' },
]);
plants.set('src/trace/cycle-a.ts', [
  { code: "import { b } from './cycle-b.ts';", breaks: 'import(no-cycle)' },
  { code: 'export const a = (): unknown => b;', breaks: null },
]);
plants.set('src/trace/cycle-b.ts', [
  { code: "import { a } from './cycle-a.ts';", breaks: 'import(no-cycle)' },
  { code: 'export const b = (): unknown => a;', breaks: null },
]);

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

/** Which rules spoke, by 'file:line'. */
function lint(): ReadonlyMap<string, ReadonlySet<string>> {
  const root = mkdtempSync(join(tmpdir(), 'lint-breaches-'));
  try {
    for (const file of ['.oxlintrc.json', 'tsconfig.json']) copyFileSync(file, join(root, file));
    symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'), 'junction');
    for (const [file, lines] of plants) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), lines.map((line) => `${line.code}\n`).join(''));
    }
    const oxlint = join(process.cwd(), 'node_modules/oxlint/bin/oxlint');
    const run = spawnSync(process.execPath, [oxlint, '--type-aware', '-f', 'json', 'src'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const { diagnostics } = JSON.parse(run.stdout) as { diagnostics: Diagnostic[] };
    const spoke = new Map<string, Set<string>>();
    for (const { code, filename, labels } of diagnostics) {
      const place = `${filename.replaceAll('\\', '/')}:${labels[0]?.span.line ?? 0}`;
      spoke.set(place, (spoke.get(place) ?? new Set()).add(code));
    }
    return spoke;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const spoke = lint();

// Rules of taste speak on the planted lines too; only the rules this test is about are held against the table.
const PROMISED = new Set([IMPORTS, GLOBALS, PROPERTIES, 'oxc(no-async-await)']);

for (const [file, lines] of plants)
  test(`lint reports what ${file} breaks, and nothing it does not`, (t) => {
    const wrong: string[] = [];
    for (const [index, { code, breaks }] of lines.entries()) {
      const rules = spoke.get(`${file}:${index + 1}`) ?? new Set<string>();
      if (breaks !== null && !rules.has(breaks)) wrong.push(`missed ${breaks}: ${code}`);
      for (const rule of rules)
        if (rule !== breaks && PROMISED.has(rule)) wrong.push(`false alarm ${rule}: ${code}`);
    }
    t.deepEqual(wrong, []);
  });

test('a clean file is clean of every rule', (t) => {
  t.deepEqual(
    [...spoke.keys()].filter((place) => place.startsWith('src/emu/core/clean.ts')),
    [],
  );
});

test('every ban in .oxlintrc.json has a planted breach', (t) => {
  const text = readFileSync('.oxlintrc.json', 'utf8');
  const config = JSON.parse(text) as {
    overrides: { files: string[]; rules: Record<string, [string, ...Record<string, string>[]]> }[];
  };
  const emu = config.overrides.find(({ files }) => files[0] === 'src/emu/**/*.ts');
  const listed = (rule: string, field: string): string[] =>
    (emu?.rules[rule] ?? []).slice(1).map((entry) => (entry as Record<string, string>)[field] ?? '');
  t.deepEqual(listed('no-restricted-globals', 'name').toSorted(), [...CLOCK, ...TIMERS, ...HOST].toSorted());
  t.deepEqual(
    listed('no-restricted-properties', 'property').toSorted(),
    ['random', ...INEXACT, ...LOCALE].toSorted(),
  );
});

test('every folder of src/emu has its row in the direction table', (t) => {
  t.deepEqual(Object.keys(MAY_IMPORT).toSorted(), EMU.toSorted());
});
