import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { main } from '../main.ts';
import { explain } from './explain.ts';

/** Runs a command line and gives back what it prints. Tests here run one after another: stdout is one. */
async function printed(...args: string[]): Promise<{ status: number; text: string }> {
  const write = process.stdout.write.bind(process.stdout);
  let text = '';
  process.stdout.write = (chunk: string | Uint8Array): boolean => {
    text += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
    return true;
  };
  try {
    return { status: await main(args), text };
  } finally {
    process.stdout.write = write;
  }
}

const CLAIM = /`papyrus ([^`]+)` → `([^`]+)`/g;

test.serial('every command of docs/thread.md shows what the page says it shows', async (t) => {
  t.timeout(300_000, 'each command builds machines of its own');
  const page = readFileSync('docs/thread.md', 'utf8');
  const claims = [...page.matchAll(CLAIM)];
  t.true(claims.length >= 40, 'the page was read');
  for (const [, command = '', expected = ''] of claims) {
    const { status, text } = await printed(...command.split(' '));
    t.is(status, 0, command);
    t.true(text.includes(expected), `${command}: no “${expected}” in\n${text}`);
  }
});

test.serial('a cell is explained for programs too, and its guest’s life recorded', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'papyrus-cell-'));
  const output = join(folder, 'cell.rec.cbor');
  const what = ['proposal', 'pseries-5.0', 'virtio-blk-pci', 'rhel-6'];
  t.is((await printed('explain', ...what, '--json', '-o', output)).status, 0);
  const { status, text } = await printed('replay', output);
  rmSync(folder, { recursive: true });
  t.is(status, 0);
  t.regex(text, /identical/);
  await t.throwsAsync(explain({ what: [...what, 'virtio-blk-pci,disable-modern=on'], json: true, output }), {
    message: /there is no life to record/,
  });
});

test.serial('a policy file is compared as any other policy', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'papyrus-policy-'));
  const file = join(folder, 'mine.json');
  writeFileSync(
    file,
    JSON.stringify({ name: 'mine', defaults: [{ from: '6.0', set: { disableLegacy: 'on' } }] }),
  );
  const words = ['matrix', '--policy', 'upstream', '--against', file, '--guest', 'rhel-6', '--predict'];
  const { status, text } = await printed(...words);
  rmSync(folder, { recursive: true });
  t.is(status, 0);
  t.regex(text, /rhel-6 +6\.0 … 7\.2 +Recommended +Supported +-global virtio-pci\.disable-legacy=auto/);
});

test.serial(
  'a downstream that drops a guest its vendor supports is told, and ends in status 1',
  async (t) => {
    const words = ['matrix', '--policy', 'upstream', '--against', 'downstream', '--machine', '7.2'];
    const caps = ['--cap', 'vendor', '--today', '2020-03-10', '--predict'];
    const { status, text } = await printed(...words, ...caps);
    t.regex(text, /rhel-6 +7\.2 +Recommended +Unsupported/);
    // The policy itself says that it does not vouch for it: that is its choice, no accident of defaults.
    t.is(status, 0);
  },
);

test.serial('the document has the form that docs/matrix.schema.json publishes', async (t) => {
  const words = [
    'matrix',
    '--policy',
    'upstream',
    '--guest',
    'rhel-6',
    '--machine',
    '2.6,7.2',
    '--device',
    'blk',
  ];
  const { status, text } = await printed(...words, '--predict', '--json');
  t.is(status, 0);
  const document: unknown = JSON.parse(text);
  const schema = JSON.parse(readFileSync('docs/matrix.schema.json', 'utf8')) as Schema;
  t.deepEqual(breaches(document, schema, schema, '$'), []);
});

interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** As much of JSON Schema as the published one uses. */
function breaches(value: unknown, schema: Schema, root: Schema, at: string): string[] {
  if (schema.$ref !== undefined) {
    return breaches(value, root.$defs?.[schema.$ref.replace('#/$defs/', '')] ?? {}, root, at);
  }
  const kind =
    value === null
      ? 'null'
      : Array.isArray(value)
        ? 'array'
        : Number.isInteger(value)
          ? 'integer'
          : typeof value;
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [kind]);
  if (!types.includes(kind)) return [`${at}: ${kind} is not ${types.join(' or ')}`];
  if (schema.const !== undefined && schema.const !== value) return [`${at}: ${String(value)}`];
  if (schema.enum?.includes(value) === false) return [`${at}: ${String(value)} is not in the list`];
  if (kind === 'array') {
    return (value as unknown[]).flatMap((item, index) =>
      breaches(item, schema.items ?? {}, root, `${at}[${index}]`),
    );
  }
  if (kind !== 'object') return [];
  const fields = value as Readonly<Record<string, unknown>>;
  const missing = (schema.required ?? [])
    .filter((name) => !(name in fields))
    .map((name) => `${at}: no ${name}`);
  const strange =
    schema.additionalProperties === false
      ? Object.keys(fields).filter((name) => schema.properties?.[name] === undefined)
      : [];
  const inside = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
    name in fields ? breaches(fields[name], inner, root, `${at}.${name}`) : [],
  );
  return [...missing, ...strange.map((name) => `${at}: ${name} is not published`), ...inside];
}

for (const [words, sentence] of [
  [['matrix', '--policy', 'nobody'], /there is no policy nobody/],
  [['matrix', '--policy', 'upstream', '--guest', 'rhel-5'], /there is no guest rhel-5/],
  [['matrix', '--policy', 'upstream', '--cap', 'vendor'], /--cap wants --today/],
  [['explain', 'R44'], /R44 is no rule/],
  [['explain', 'upstream', 'pseries-7.2', 'virtio-blk-pci'], /a cell needs a guest/],
  [['explain', 'upstream', 'virtio-blk-pci,colour=red', 'rhel-6'], /colour=red/],
] as const) {
  test.serial(`papyrus ${words.join(' ')} ends in one sentence and status 2`, async (t) => {
    const write = process.stderr.write.bind(process.stderr);
    let said = '';
    process.stderr.write = (chunk: string): boolean => {
      said += chunk;
      return true;
    };
    try {
      t.is((await printed(...words)).status, 2);
    } finally {
      process.stderr.write = write;
    }
    t.regex(said, sentence);
    t.is(said.trim().split('\n').length, 1);
  });
}
