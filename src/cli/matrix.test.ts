import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import test from 'ava';
import { runMatrix, type CellVerdict } from '../emu/machine/matrix.ts';
import { linesOf } from './matrix.ts';

const CLI = new URL('../cli.ts', import.meta.url).pathname;

function matrix(...flags: readonly string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'matrix', ...flags], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, out: stdout, err: stderr };
}

test('--json holds every cell, and the counts add up', (t) => {
  const { status, out } = matrix('--machine', 'pseries-7.2', '--device', 'rng', '--json');
  t.is(status, 0);
  const { type, cells, ...counts } = JSON.parse(out) as {
    readonly type: string;
    readonly count: number;
    readonly works: number;
    readonly refused: number;
    readonly absent: number;
    readonly fails: number;
    readonly cells: readonly { readonly device: string; readonly machine: string }[];
  };
  t.is(type, 'summary');
  t.is(counts.count, cells.length);
  t.is(counts.count, counts.works + counts.refused + counts.absent + counts.fails);
  t.true(cells.every(({ device, machine }) => device === 'rng' && machine === 'pseries-7.2'));
});

test('as text: a line for what has one outcome, and a sum', (t) => {
  const { status, out } = matrix(
    '--machine',
    'pseries-7.2,pseries-7.1',
    '--mode',
    'modern',
    '--device',
    'net',
  );
  t.is(status, 0);
  t.regex(out, /^mode +iommu +guest +devices +machines +verdict +reason$/m);
  t.regex(out, /^modern +off +legacy-be +net +7\.2 … 7\.1 +absent +no device/m);
  t.regex(out, /^modern +on +freebsd +net +7\.2 … 7\.1 +fails +virtio: device refuses features$/m);
  t.regex(out, /^\d+ cells, \d+ works, 0 refused, \d+ absent, \d+ fails$/m);
});

test('a name that is none is refused with those there are', (t) => {
  for (const [flag, name] of [
    ['--guest', 'modern-plat'],
    ['--machine', 'pseries-7.2'],
    ['--device', 'blk'],
  ] as const) {
    const { status, out, err } = matrix(flag, 'nonsense');
    t.is(status, 2);
    t.is(out, '');
    t.regex(err, /^papyrus: there is no .* nonsense; choose from .*\n$/);
    t.true(err.includes(name));
  }
});

test('machines that are neighbours in the table make a range', (t) => {
  const cell = {
    mode: 'modern',
    iommuPlatform: false,
    guest: 'modern-plat',
    verdict: 'works' as const,
    reason: 'modern, MSI-X',
    found: true,
    negotiated: true,
    dataCorrect: true,
    interrupts: 1,
  };
  const cells = ['pseries-7.2', 'pseries-7.1', 'pseries-7.0', 'pseries-6.0'].map((machine) => ({
    ...cell,
    machine,
    device: 'blk',
  }));
  const lines = linesOf([...cells, ...cells.map((one) => ({ ...one, device: 'net' }))]);
  t.deepEqual(
    lines.map(({ devices, machines }) => [devices, machines]),
    [['blk net', '7.2 … 7.0, 6.0']],
  );
});

/** One line of the golden log of a real QEMU, as far as a guest's own outcome is comparable with it. */
interface GoldenCell {
  readonly device: string;
  readonly mode: string;
  readonly iommu_platform: string;
  readonly machine: string;
  readonly mapping: string;
  readonly cpu_order?: string;
  readonly data_ok?: boolean;
  readonly status_features?: number;
  readonly error?: readonly string[];
}

const FEATURES_OK = 8;

/** The guests that do by themselves what the agent of the log was told to do; none where no guest does such a thing. */
function guestsLike(cell: GoldenCell): readonly string[] {
  const byLegacy = cell.mode.endsWith('legacy');
  const order = cell.cpu_order === 'little' ? 'legacy-le' : 'legacy-be';
  switch (cell.mapping) {
    case 'phys':
      if (cell.iommu_platform === 'on') return [];
      return byLegacy ? [order] : ['modern-noplat', 'modern-plat', 'slof-modern', 'freebsd'];
    case 'mapped':
      return byLegacy ? [order] : ['modern-plat', 'modern-plat-be', 'slof-iommu', 'debian-6.12'];
    case 'feature-declined':
      return ['modern-noplat', 'slof-modern', 'freebsd'];
    default:
      return [];
  }
}

function goldenVerdict(cell: GoldenCell): CellVerdict {
  if (cell.error !== undefined) return 'refused';
  if (cell.mode === 'modern' || cell.mode === 'transitional/modern') {
    if (((cell.status_features ?? 0) & FEATURES_OK) === 0) return 'fails';
  }
  return cell.data_ok === true ? 'works' : 'fails';
}

const GOLDEN = '../shared/golden/matrix.jsonl.zst';
const golden = existsSync(GOLDEN) || process.env['CI'] !== undefined ? test : test.skip;

golden('every cell that a guest stands for ends as the log of the real QEMU says', (t) => {
  const [, ...lines] = zstdDecompressSync(readFileSync(GOLDEN)).toString().trimEnd().split('\n');
  let compared = 0;
  for (const line of lines) {
    const cell = JSON.parse(line) as GoldenCell;
    const guest = guestsLike(cell);
    if (guest.length === 0) continue;
    const found = [
      ...runMatrix({
        machine: [cell.machine],
        mode: [cell.mode.replace(/\/.*/, '')],
        iommuPlatform: [cell.iommu_platform],
        device: [cell.device.replace('-tx', '')],
        guest,
      }),
    ];
    t.is(found.length, guest.length);
    for (const one of found) {
      t.is(one.verdict, goldenVerdict(cell), `${one.guest}: ${line}`);
      if (cell.error !== undefined) t.true(cell.error.some((text) => text.endsWith(`: ${one.reason}`)));
      compared++;
    }
  }
  t.true(compared > 100, `${compared} cells compared`);
});
