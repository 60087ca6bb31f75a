// The golden logs of a real QEMU lie beside the checkout. CI has them; elsewhere the tests that need them are skipped.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import test from 'ava';
import { conformFile } from './conform.ts';

const GOLDEN = '../shared/golden';
const golden = existsSync(GOLDEN) || process.env['CI'] !== undefined ? test : test.skip;

/** Every log, and how many of its lines are judged. What is not judged is named, with the reason. */
const LOGS: readonly (readonly [
  file: string,
  kind: string,
  lines: number,
  notJudged: Record<string, number>,
])[] = [
  ['tce.jsonl.zst', 'tce', 11_037, {}],
  ['pci.jsonl.zst', 'pci', 499, {}],
  ['virtio.jsonl.zst', 'virtio', 15_816, {}],
  ['matrix.jsonl.zst', 'matrix', 216, {}],
  ['ring.jsonl.zst', 'ring', 310, {}],
  ['machines/construction.txt.zst', 'construction', 804, {}],
  ['machines/defaults.json.zst', 'defaults', 208, {}],
];

for (const [file, kind, lines, notJudged] of LOGS) {
  golden(`${file}: every line is as QEMU did it`, async (t) => {
    const result = await conformFile(join(GOLDEN, file), 10);
    t.is(result.kind, kind);
    t.deepEqual(result.tally.first, []);
    t.is(result.tally.mismatches, 0);
    t.is(result.tally.lines, lines);
    t.deepEqual(Object.fromEntries(result.tally.notJudged), notJudged);
    t.deepEqual([...result.tally.supposed], []);
  });
}

golden(
  'a ring log whose cases have other names agrees as well, and says what it takes for granted',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'papyrus-ring-'));
    try {
      const file = join(folder, 'ring.jsonl');
      const text = zstdDecompressSync(readFileSync(join(GOLDEN, 'ring.jsonl.zst'))).toString();
      const renamed = text.replaceAll(/"case": ?"/g, '$&other-');
      // In the first case that was served no change of the window explains a register that is off.
      writeFileSync(file, renamed.replace('"used_idx": 1,', '"used_idx": 1, "isr": 2,'));
      const { tally } = await conformFile(file, 10);
      t.is(tally.lines, 310);
      t.deepEqual(
        tally.first.map(({ what }) => what.replace(/^.*: /, '')),
        ['ISR'],
      );
      t.deepEqual(Object.fromEntries(tally.supposed), { 'queue left': 2, 'DMA window changed': 13 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

for (const file of ['machines/pseries-7.2.dts', 'machines/pseries-7.2-after-cas.dts']) {
  golden(`${file}: every node and property is as QEMU has it`, async (t) => {
    const result = await conformFile(join(GOLDEN, file), 10);
    t.is(result.kind, 'device-tree');
    t.deepEqual(result.tally.first, []);
    t.true(result.tally.lines > 100);
  });
}

const HEADER = '{"qemu": "7.2.22", "ram": 268435456, "rings": 1048576, "buffer": 1081344, "iova": 268435456}';
const CELL =
  '{"device": "rng", "mode": "modern", "iommu_platform": "on", "machine": "pseries-7.2", "mapping": "mapped", "error": ["QEMU did not start: no"]}';

function scratch(t: { teardown(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'papyrus-conform-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a line that QEMU ended otherwise is a mismatch with both sides, plain and compressed', async (t) => {
  const folder = scratch(t);
  const text = `${HEADER}\n${CELL}\n`;
  writeFileSync(join(folder, 'a'), text);
  writeFileSync(join(folder, 'b'), zstdCompressSync(Buffer.from(text)));
  for (const name of ['a', 'b']) {
    const { kind, tally } = await conformFile(join(folder, name), 1);
    t.is(kind, 'matrix');
    t.is(tally.lines, 1);
    t.true(tally.mismatches > 0);
    const [mismatch] = tally.first;
    t.is(mismatch?.line, 2);
    t.not(mismatch?.expected, mismatch?.actual);
  }
});

test('foreign, empty, cut and binary files are refused with the name of the file', async (t) => {
  const folder = scratch(t);
  const compressed = zstdCompressSync(Buffer.from(`${HEADER}\n${CELL}\n`));
  const files: Readonly<Record<string, Uint8Array | string>> = {
    empty: '',
    prose: 'It was a dark and stormy night.\n',
    'other-json': '{"qemu": 1}\n{"x": 2}\n',
    'only-header': `${HEADER}\n`,
    binary: Uint8Array.from({ length: 4096 }, (_, at) => (at * 37) & 0xff),
    'cut-compression': compressed.subarray(0, compressed.length - 6),
    'cut-json': `${HEADER}\n${CELL}\n${CELL.slice(0, 40)}\n`,
  };
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, name);
    writeFileSync(file, content);
    await t.throwsAsync(conformFile(file, 1), { name: 'UsageError', message: new RegExp(name) }, name);
  }
});

golden('a decompressed log gives what the compressed one gives', async (t) => {
  const folder = scratch(t);
  const plain = join(folder, 'matrix.jsonl');
  writeFileSync(plain, zstdDecompressSync(readFileSync(join(GOLDEN, 'matrix.jsonl.zst'))));
  const { kind, tally } = await conformFile(plain, 1);
  t.is(kind, 'matrix');
  t.is(tally.lines, 216);
});
