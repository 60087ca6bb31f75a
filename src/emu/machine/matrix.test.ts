// The matrix against what real guests are known to do (guests.md section 4, each row read in a kernel or seen on a
// boot), and its cells against those of the golden log by way of src/cli/conform.
import test from 'ava';
import { MATRIX_NAMES, runMatrix, type CellResult } from './matrix.ts';

function cells(mode: string, iommuPlatform: string, ...guest: readonly string[]): CellResult[] {
  return [...runMatrix({ machine: ['pseries-7.2'], mode: [mode], iommuPlatform: [iommuPlatform], guest })];
}

function verdicts(found: readonly CellResult[]): string[] {
  return [...new Set(found.map(({ verdict, reason }) => `${verdict}: ${reason.replace(/, .*/, '')}`))];
}

const OLD = ['legacy-be', 'legacy-le'];
const WITHOUT_PLATFORM = ['modern-noplat', 'freebsd', 'slof-modern'];
const NEW = ['modern-plat', 'modern-plat-be', 'debian-6.1', 'debian-6.12', 'slof-iommu'];

test('a legacy device works with every guest', (t) => {
  t.deepEqual(verdicts(cells('legacy', 'off')), ['works: legacy']);
});

test('a transitional device works with every guest, in the way the guest prefers', (t) => {
  t.deepEqual(verdicts(cells('transitional', 'off', ...OLD)), ['works: legacy']);
  t.deepEqual(verdicts(cells('transitional', 'off', ...WITHOUT_PLATFORM, ...NEW)), ['works: modern']);
});

test('a modern device is not there for a guest that only knows legacy, which says nothing', (t) => {
  for (const iommu of ['off', 'on']) {
    t.deepEqual(verdicts(cells('modern', iommu, ...OLD)), ['absent: no device that this guest knows']);
  }
});

test('with iommu_platform=on a guest must accept ACCESS_PLATFORM', (t) => {
  t.deepEqual(verdicts(cells('modern', 'on', ...NEW)), ['works: modern']);
  t.deepEqual(verdicts(cells('modern', 'on', ...WITHOUT_PLATFORM)), [
    'fails: virtio: device refuses features',
  ]);
});

test('QEMU makes no device with iommu_platform=on and a legacy interface', (t) => {
  for (const mode of ['legacy', 'transitional']) {
    t.deepEqual(verdicts(cells(mode, 'on')), [
      'refused: VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device',
    ]);
  }
});

test('a cell that works found its device, agreed with it, moved the right data and was interrupted', (t) => {
  const working = [...runMatrix({ machine: ['pseries-5.0', 'pseries-2.6'] })].filter(
    ({ verdict }) => verdict === 'works',
  );
  t.true(working.length > 100);
  t.deepEqual(
    working.filter(
      ({ found, negotiated, dataCorrect, interrupts, reason }) =>
        !found || !negotiated || !dataCorrect || (interrupts === 0) !== reason.endsWith('polling'),
    ),
    [],
  );
});

test('every combination is a cell', (t) => {
  const { machine, mode, iommuPlatform, guest, device } = MATRIX_NAMES;
  const one = [...runMatrix({ machine: ['pseries-2.1'] })];
  t.is(one.length, mode.length * iommuPlatform.length * guest.length * device.length);
  t.true(machine.includes('pseries-2.1') && machine.includes('pseries-7.2'));
});
