import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import { Tally, type Conform, type Lines } from './conform/log.ts';
import { EXIT, UsageError, type ConformOptions } from './options.ts';
import { styled } from './status-line.ts';

/** A kind of golden log: how it is known from its first two lines, and what judges it. */
interface LogKind {
  readonly name: string;
  readonly knownBy: (first: string, second: string) => boolean;
  readonly load: () => Promise<Conform>;
}

/** Whether a line is a JSON object that has every one of these keys. */
function hasKeys(line: string, ...keys: readonly string[]): boolean {
  if (!line.startsWith('{')) return false;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && keys.every((key) => key in value);
  } catch {
    return false;
  }
}

const KINDS: readonly LogKind[] = [
  {
    name: 'tce',
    knownBy: (header, first) => hasKeys(header, 'qemu', 'ram') && /^\{"(mem|in|rtas|table)"/.test(first),
    load: async () => (await import('./conform/tce.ts')).conformTce,
  },
  {
    name: 'pci',
    knownBy: (header, first) => hasKeys(header, 'qemu', 'ram') && hasKeys(first, 'device', 'arg', 'machine'),
    load: async () => (await import('./conform/pci.ts')).conformPci,
  },
  {
    name: 'virtio',
    knownBy: (header, first) =>
      hasKeys(header, 'qemu', 'ram') && hasKeys(first, 'config', 'interface', 'arg'),
    load: async () => (await import('./conform/registers.ts')).conformRegisters,
  },
  {
    name: 'matrix',
    knownBy: (header, first) => hasKeys(header, 'qemu', 'iova') && hasKeys(first, 'device', 'mapping'),
    load: async () => (await import('./conform/matrix.ts')).conformMatrix,
  },
  {
    name: 'ring',
    knownBy: (header, first) => hasKeys(header, 'qemu', 'ram') && hasKeys(first, 'case', 'way'),
    load: async () => (await import('./conform/ring.ts')).conformRing,
  },
  {
    name: 'construction',
    knownBy: (first) => /^pseries-\S+ \S.* => /.test(first),
    load: async () => (await import('./conform/construction.ts')).conformConstruction,
  },
  {
    name: 'defaults',
    knownBy: (first, second) => /^\s*\{\s*"\d+\.\d+"\s*:/.test(first + second),
    load: async () => (await import('./conform/defaults.ts')).conformDefaults,
  },
  {
    name: 'device-tree',
    knownBy: (first, second) => /^(\/\/ totalsize=|\/dts-v1\/)/.test(first) && second.startsWith('/'),
    load: async () => (await import('./conform/device-tree.ts')).conformDeviceTree,
  },
];

/** Holds each file against the emulator. Status 1 if any line differs. */
export async function conform(options: ConformOptions): Promise<number> {
  const results: FileResult[] = [];
  for (const file of await filesMeant(options.files)) {
    const result = await conformFile(file, options.limit);
    results.push(result);
    if (!options.json) process.stdout.write(`${asText(result)}\n`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(asJson(results))}\n`);
  return results.some((result) => result.tally.mismatches > 0) ? EXIT.wrong : EXIT.fine;
}

export interface FileResult {
  readonly file: string;
  readonly kind: string;
  readonly tally: Tally;
}

/** Judges one golden log. A file of no known kind throws a UsageError before anything is run. */
export async function conformFile(file: string, limit: number): Promise<FileResult> {
  const lines = linesOf(file);
  const [first, second] = [await next(lines), await next(lines)];
  const kind = KINDS.find((row) => row.knownBy(first, second));
  if (kind === undefined) {
    await lines.return(undefined);
    throw new UsageError(
      `${file} is not a golden log: wanted is one of ${KINDS.map((row) => row.name).join(', ')}`,
    );
  }
  const judge = await kind.load();
  const tally = new Tally(limit);
  try {
    await judge(joined([first, second], lines), tally);
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`${file} is damaged: ${error.message}`);
    throw error;
  } finally {
    await lines.return(undefined);
  }
  return { file, kind: kind.name, tally };
}

/** Files as given; of a folder the files whose names say that they are golden logs. */
async function filesMeant(given: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of given) {
    if (!(await stat(path)).isDirectory()) {
      files.push(path);
      continue;
    }
    const inside = (await readdir(path)).toSorted();
    const logs = inside.filter((name) => /\.(jsonl|txt|json|dts)(\.zst)?$/.test(name));
    if (logs.length === 0) throw new UsageError(`there is no golden log in ${path}`);
    files.push(...logs.map((name) => join(path, name)));
  }
  return files;
}

const ZSTD_MAGIC = 0xfd2fb528;

/** Longer than any golden line; a file without line ends is foreign and is not read whole. */
const LINE_CHARACTERS_MAX = 1 << 24;

async function* linesOf(file: string): AsyncGenerator<string, void, undefined> {
  const text = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  try {
    for await (const chunk of await opened(file)) {
      const pieces = (rest + text.decode(chunk as Uint8Array, { stream: true })).split('\n');
      rest = pieces.pop() ?? '';
      if (rest.length > LINE_CHARACTERS_MAX) throw new UsageError(`${file} is not made of lines`);
      yield* pieces;
    }
  } catch (error) {
    if (isDamage(error)) throw new UsageError(`${file} is not a golden log: ${error.message}`);
    throw error;
  }
  if (rest !== '') yield rest;
}

/** The decoder and the decompressor refuse what is not text, or not whole. */
function isDamage(error: unknown): error is NodeJS.ErrnoException {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
  return code === 'ERR_ENCODING_INVALID_ENCODED_DATA' || /^(ZSTD|Z_|ERR_BUFFER)/.test(code);
}

async function opened(file: string): Promise<Readable> {
  const handle = await open(file);
  const head = Buffer.alloc(4);
  const { bytesRead } = await handle.read(head, 0, 4, 0).finally(() => handle.close());
  const bytes = createReadStream(file);
  if (bytesRead < 4 || head.readUInt32LE() !== ZSTD_MAGIC) return bytes;
  const plain = createZstdDecompress();
  bytes.on('error', (error) => plain.destroy(error));
  return bytes.pipe(plain);
}

async function next(lines: AsyncGenerator<string, void, undefined>): Promise<string> {
  const step = await lines.next();
  return step.done === true ? '' : step.value;
}

async function* joined(head: readonly string[], rest: AsyncIterable<string>): Lines {
  for (const line of head) if (line !== '') yield line;
  yield* rest;
}

function asText({ file, kind, tally }: FileResult): string {
  const counts = `${tally.lines} lines, ${tally.mismatches} mismatches`;
  const lines = [
    `${file} (${kind}): ${tally.mismatches === 0 ? styled('green', counts) : styled('red', counts)}`,
  ];
  for (const [what, times] of tally.notJudged) lines.push(`  not judged: ${times} of ${what}`);
  for (const [what, times] of tally.supposed) lines.push(`  agree if one supposes: ${times} × ${what}`);
  for (const { line, what, expected, actual } of tally.first) {
    lines.push(`  line ${line}: ${what}`, `    QEMU     ${expected}`, `    Papyrus  ${actual}`);
  }
  const unseen = tally.mismatches - tally.first.length;
  if (unseen > 0) lines.push(`  and ${unseen} more; --limit shows them`);
  return lines.join('\n');
}

function asJson(results: readonly FileResult[]): object {
  const sum = (of: (tally: Tally) => number): number =>
    results.reduce((total, { tally }) => total + of(tally), 0);
  return {
    type: 'summary',
    lines: sum((tally) => tally.lines),
    mismatches: sum((tally) => tally.mismatches),
    files: results.map(({ file, kind, tally }) => ({
      file: basename(file),
      kind,
      lines: tally.lines,
      mismatches: tally.mismatches,
      notJudged: Object.fromEntries(tally.notJudged),
      supposed: Object.fromEntries(tally.supposed),
      first: tally.first,
    })),
  };
}
