import { spawn } from 'node:child_process';
import test from 'ava';

const CLI = new URL('../cli.ts', import.meta.url).pathname;

/** Every setting that the contract names. */
const SETTINGS = [
  'default',
  '--jitless',
  '--no-opt',
  '--max-lazy',
  '--stress-compaction',
  'TZ and LANG',
  '2 jobs',
];

// False as soon as anything of the host gets into a run: how code is compiled, when memory moves, where the clock
// stands, how many workers there are.
test('the same cases give one digest under every setting', async (t) => {
  const child = spawn(process.execPath, [CLI, 'selfcheck', '--quick', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  const status = await new Promise((resolve) => child.on('close', resolve));
  const report = JSON.parse(out) as {
    readonly digest: string;
    readonly equal: boolean;
    readonly settings: readonly { readonly setting: string; readonly digest: string }[];
  };
  t.deepEqual(
    report.settings.filter(({ digest }) => digest !== report.digest),
    [],
  );
  t.regex(report.digest, /^[0-9a-f]{32}$/);
  t.true(report.equal);
  t.is(status, 0);
  t.deepEqual(
    SETTINGS.filter((name) => !report.settings.some(({ setting }) => setting.startsWith(name))),
    [],
  );
});
