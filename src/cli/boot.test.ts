import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { kernelOf, OK_KERNEL } from '../emu/machine/_kernel.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'papyrus-boot-'));
const at = (name: string): string => join(folder, name);
writeFileSync(at('ok'), OK_KERNEL);
writeFileSync(at('spins'), kernelOf([0x4800_0000]));
writeFileSync(at('text'), 'no kernel\n');
writeFileSync(at('cut'), OK_KERNEL.subarray(0, 0x1800));
writeFileSync(at('initrd'), '070701 cut off');
writeFileSync(at('odd'), 'x'.repeat(700));
writeFileSync(at('disk'), new Uint8Array(4096));

test.after.always(() => rmSync(folder, { recursive: true }));

function boot(...flags: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const run = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, 'boot', ...flags], {
    encoding: 'utf8',
    input: '',
  });
  return { status: run.status, stdout: run.stdout, stderr: run.stderr };
}

test('a kernel speaks on stdout and ends with status 0', (t) => {
  const run = boot('--kernel', at('ok'), '--drive', at('disk'), '--json');
  t.is(run.stdout, 'OK\n', run.stderr);
  t.is(run.status, 0);
  const summary = JSON.parse(run.stderr.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  t.is(summary['end'], 'power-off');
  t.is(typeof summary['instructions'], 'number');
  t.is(readFileSync(at('disk')).length, 4096);
});

test('a recorded boot is run again bit by bit, but only with the kernel that it was made with', (t) => {
  const recording = at('ok.rec.cbor');
  writeFileSync(at('kernel'), OK_KERNEL);
  t.is(boot('--kernel', at('kernel'), '--drive', at('disk'), '-o', recording).status, 0);
  const replay = (): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, 'replay', recording], {
      encoding: 'utf8',
    });
  const again = replay();
  t.is(again.status, 0, again.stderr);
  t.regex(again.stdout, /events identical \(guest\)/);
  writeFileSync(at('kernel'), kernelOf([0x4800_0000]));
  const other = replay();
  t.is(other.status, 2);
  t.regex(other.stderr, /is not the file that the recording was made with/);
});

test('a kernel that hangs ends with status 1 and one sentence', (t) => {
  const run = boot('--kernel', at('spins'), '--budget', '1000000');
  t.is(run.status, 1);
  t.is(run.stderr, 'papyrus: the budget of instructions is used up after 1000000 instructions\n');
});

test('what cannot be booted is one sentence and status 2', (t) => {
  const sentences: readonly (readonly [RegExp, ...string[]])[] = [
    [/no ELF file/, '--kernel', at('text')],
    [/cut off/, '--kernel', at('cut')],
    [/there is no file or folder/, '--kernel', at('nothing')],
    [/initrd is cut off/, '--kernel', at('ok'), '--initrd', at('initrd')],
    [/there is no such file/, '--kernel', at('ok'), '--drive', at('nothing')],
    [/whole sectors/, '--kernel', at('ok'), '--drive', at('odd')],
    [/ic-mode=xics/, '--kernel', at('ok'), '--machine', 'pseries-7.2,ic-mode=xive'],
    [/multiple of 256 MiB/, '--kernel', at('ok'), '--ram', '300'],
  ];
  for (const [sentence, ...flags] of sentences) {
    const run = boot(...flags);
    t.is(run.status, 2, flags.join(' '));
    t.regex(run.stderr, sentence);
    t.is(run.stderr.trim().split('\n').length, 1, run.stderr);
    t.is(run.stdout, '');
  }
});

test('a drive that may not be written wants --read-only', (t) => {
  writeFileSync(at('fixed'), new Uint8Array(4096));
  chmodSync(at('fixed'), 0o444);
  const refused = boot('--kernel', at('ok'), '--drive', at('fixed'));
  // Root may write to anything.
  if (process.getuid?.() !== 0) t.regex(refused.stderr, /--read-only gives it/);
  t.is(boot('--kernel', at('ok'), '--drive', at('fixed'), '--read-only').status, 0);
});
