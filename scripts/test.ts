// Runs AVA and ends with the one line that CI reads: 'N passed, N failed, N skipped'.
//
// AVA's own last lines leave out the passes once something fails, and its TAP reporter crashes on a timeout,
// so the marks of the default reporter are counted as they stream by. Whatever AVA calls it (a hang, an
// import error, a process.exit inside a test), a run that did not end well counts at least one failure.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const avaCli = join(dirname(createRequire(import.meta.url).resolve('ava')), 'cli.js');
const ava = spawn(process.execPath, [avaCli, ...process.argv.slice(2)], {
  stdio: ['ignore', 'pipe', 'inherit'],
});

let transcript = '';
ava.stdout.setEncoding('utf8');
ava.stdout.on('data', (text: string) => {
  process.stdout.write(text);
  transcript += text;
});

ava.on('close', (status) => {
  const lines = stripVTControlCharacters(transcript);
  const count = (pattern: RegExp): number => [...lines.matchAll(pattern)].length;
  const total = (pattern: RegExp): number =>
    [...lines.matchAll(pattern)].reduce((sum, [, figure]) => sum + Number(figure), 0);

  const passed = count(/^ {2}[✔√] /gm);
  const skipped = total(/^ {2}(\d+) tests? (?:skipped|todo)$/gm);
  const reported =
    total(/^ {2}(\d+) (?:tests?|hooks?) failed$/gm) +
    total(/^ {2}(\d+) (?:uncaught exceptions?|unhandled rejections?)$/gm) +
    total(/^ {2}(\d+) tests? remained pending after a timeout$/gm);
  // `status` is null when a signal ended AVA.
  const failed = status === 0 ? reported : Math.max(reported, 1);

  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
});
