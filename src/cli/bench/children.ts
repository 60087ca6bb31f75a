import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `papyrus` as it stands: sources when this file is source, dist when it is built. */
const HERE = fileURLToPath(import.meta.url);
const CLI = fileURLToPath(new URL(HERE.endsWith('.ts') ? '../../cli.ts' : '../../cli.js', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));

/** Loaded before the program: tells the peak of its resident memory, in KiB, on file descriptor 3 when it ends. */
const TELL_PEAK = `data:text/javascript,${encodeURIComponent(
  "import { writeSync } from 'node:fs'; process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)));",
)}`;

/** Peak resident memory of one command in MiB, its workers included. */
export function peakMemory(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, '--import', TELL_PEAK, CLI, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let told = '';
  let err = '';
  child.stderr?.on('data', (data: Buffer) => (err += data.toString()));
  child.stdio[3]?.on('data', (data: Buffer) => (told += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      if (told === '' || status === 2)
        reject(new Error(`papyrus ${args.join(' ')} ended with status ${status}: ${err.trim()}`));
      else resolve(Number(told) / 1024);
    });
  });
}

/**
 * Milliseconds from starting `npm run fuzz` (or, where the package is installed, `papyrus fuzz`) to its first output,
 * npm's own lines aside.
 */
export function firstStatus(): Promise<number> {
  const scripts = existsSync(`${PACKAGE}src/cli.ts`);
  const flags = ['--runs', '64', '--jobs', '1', '--seed', 'bench'];
  const start = performance.now();
  const child = scripts
    ? spawn('npm', ['run', '--silent', 'fuzz', '--', ...flags], {
        cwd: PACKAGE,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    : spawn(process.execPath, [CLI, 'fuzz', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    const seen = (): void => resolve(performance.now() - start);
    child.stdout.once('data', seen);
    child.stderr.once('data', seen);
    child.on('error', reject);
    child.on('close', () => reject(new Error('papyrus fuzz printed nothing')));
  });
}
