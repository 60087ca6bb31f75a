// Runs the commands that README.md shows (`$ papyrus …` in a fenced block) in an empty folder, in their order, and pastes
// what they print: `npm run readme:tour`, before a release or when their output has changed. No test holds them, since
// some of them tell how long they took; the golden logs lie beside the checkout.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PROMPT = '$ papyrus ';
const GOLDEN = '../shared/golden';

if (!existsSync(GOLDEN)) throw new Error(`the tour needs the golden logs in ${GOLDEN}`);
const folder = mkdtempSync(join(tmpdir(), 'papyrus-tour-'));
symlinkSync(resolve(GOLDEN), join(folder, 'golden'));
const papyrus = `'${process.execPath}' --disable-warning=ExperimentalWarning '${resolve('src/cli.ts')}'`;

/** What a command prints on both streams, as a shell shows it; status lines of long work are no result. */
function printed(command: string): string {
  const { stdout } = spawnSync('sh', ['-c', `${papyrus} ${command} 2>&1`], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const lines = stdout.trimEnd().split('\n');
  return lines.filter((line) => !/^(\d+ s {2}\d+ cases|measuring) /.test(line)).join('\n');
}

function again(block: string): string {
  const commands = block.split('\n').filter((line) => line.startsWith(PROMPT));
  if (commands.length === 0) return block;
  return commands.map((line) => `${line}\n${printed(line.slice(PROMPT.length))}\n`).join('');
}

try {
  const text = readFileSync('README.md', 'utf8');
  const shown = text.replaceAll(
    /(```\n)([\s\S]*?)(```)/g,
    (_, open: string, block: string, close: string) => open + again(block) + close,
  );
  writeFileSync('README.md', shown);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
