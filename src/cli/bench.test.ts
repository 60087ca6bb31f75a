import { spawnSync } from 'node:child_process';
import test from 'ava';

const CLI = new URL('../cli.ts', import.meta.url).pathname;

function bench(...flags: readonly string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'bench', '--quick', ...flags], {
    encoding: 'utf8',
  });
  return { status, out: stdout, err: stderr };
}

test('--json is one document of rows, each with its ratio to a baseline', (t) => {
  const { status, out } = bench('--only', 'register', '--json');
  t.is(status, 0);
  const { type, rows } = JSON.parse(out) as {
    readonly type: string;
    readonly rows: readonly Readonly<Record<string, unknown>>[];
  };
  t.is(type, 'summary');
  t.deepEqual(
    rows.map(({ name, unit }) => [name, unit]),
    [
      ['register read', 'ns'],
      ['register write', 'ns'],
    ],
  );
  for (const { value, baseline, ratio } of rows) t.is(ratio, Number(value) / Number(baseline));
});

test('a word that no row has is refused with the names there are', (t) => {
  const { status, out, err } = bench('--only', 'nonsense');
  t.is(status, 2);
  t.is(out, '');
  t.regex(err, /^papyrus: .*nonsense.*H_PUT_TCE.*\n$/);
});
