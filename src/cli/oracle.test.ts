import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

// Whether the two machines agree is asked in CI, where QEMU is installed first; here stands what needs none.
const CLI = new URL('../cli.ts', import.meta.url).pathname;

function oracle(...flags: readonly string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'oracle', ...flags], {
    encoding: 'utf8',
  });
  return { status, out: stdout, err: stderr };
}

/** A program that calls itself QEMU and does what `script` says otherwise. */
function pretender(script: string): { readonly path: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'pretender-'));
  const path = join(folder, 'qemu-system-ppc64');
  writeFileSync(
    path,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo 'QEMU emulator version 9.9.9'; exit 0; fi\n${script}\n`,
  );
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

test('without QEMU the sentence names the package, and the status is 2', (t) => {
  const { status, out, err } = oracle('--qemu', '/nowhere/qemu-system-ppc64', '--cases', '1');
  t.is(status, 2);
  t.is(out, '');
  t.is(
    err,
    'papyrus: no /nowhere/qemu-system-ppc64 can be run here: install it (Debian: apt-get install qemu-system-ppc ipxe-qemu) or name one with --qemu PATH\n',
  );
});

test('a QEMU that does not start is told with its own words, and the status is 2', (t) => {
  const { path, remove } = pretender('echo "qemu-system-ppc64: unsupported machine type" >&2; exit 1');
  const { status, err } = oracle('--qemu', path, '--cases', '1');
  remove();
  t.is(status, 2);
  t.is(err, 'papyrus: QEMU 9.9.9 does not start: unsupported machine type\n');
});

test('flags that leave nothing to run are refused', (t) => {
  const { path, remove } = pretender('exit 0');
  const { status, err } = oracle('--qemu', path, '--machine', 'pseries-9.9');
  remove();
  t.is(status, 2);
  t.regex(err, /^papyrus: no machine is left to run on/);
});
