import test from 'ava';
import { conformConstruction } from './construction.ts';
import { conformDefaults } from './defaults.ts';
import { Tally, type Conform } from './log.ts';
import { conformPci } from './pci.ts';
import { conformRegisters } from './registers.ts';

// Small logs in the form of the golden ones, right and wrong: a judge that lets a wrong one pass judges nothing.

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

async function judge(conform: Conform, ...lines: readonly (string | object)[]): Promise<Tally> {
  const tally = new Tally(10);
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  await conform(linesOf(texts), tally);
  return tally;
}

const RNG_OK =
  "pseries-7.1 virtio-rng-pci,rng=r => ok id=10051af4 rev=00 sub=00041af4 bars={0: ('io', '0x20'), 4: ('mem64pf', '0x4000')} mf=0x130000000 lf=0x79000000";
const NEITHER = 'virtio-rng-pci,rng=r,disable-legacy=on,disable-modern=on';

test('constructions: outcome, error and hint are held', async (t) => {
  const good = await judge(
    conformConstruction,
    RNG_OK,
    `pseries-7.2 ${NEITHER} => ERR rc=1 -device ${NEITHER}: device cannot work as neither modern nor legacy mode is enabled`,
    'Set either disable-modern or disable-legacy to off',
  );
  t.deepEqual([good.lines, good.first], [3, []]);
  const bad = await judge(conformConstruction, RNG_OK.replace('0x130000000', '0x130000001'));
  t.is(bad.mismatches, 1);
  const hintless = await judge(
    conformConstruction,
    `pseries-7.2 ${NEITHER} => ERR rc=1 -device ${NEITHER}: device cannot work as neither modern nor legacy mode is enabled`,
  );
  t.is(hintless.mismatches, 1);
});

const RAM = { qemu: '7.2.22', ram: 0x400_0000 };
const CONFIG = {
  config: 1,
  machine: 'pseries-7.2',
  arg: 'virtio-rng-pci,rng=r,addr=1,ioeventfd=off,disable-legacy=on',
  interface: 'modern',
  base: {
    common: '0x210010000000',
    isr: '0x210010001000',
    device: '0x210010002000',
    notify: '0x210010003000',
  },
  command: 7,
};
const STATE = {
  'device-endian': 'big',
  started: false,
  'start-on-kick': false,
  broken: false,
  disabled: false,
  isr: 0,
  'queue-sel': 0,
  'vm-running': false,
};

test('registers: values, state, complaints and memory are held', async (t) => {
  const log = [
    ["Invalid read at addr 0x1F, size 2, region 'virtio-pci-common-virtio-rng', reason: unaligned", 1],
  ];
  const steps = [
    ['r', 'common', 18, 2, 'le', 'cpu', '0x1'],
    ['r', 'common', 18, 2, 'be', 'ci', '0x100'],
    ['w', 'common', 20, 1, 'le', 'cpu', '0x1'],
    ['cap', 4, 20, 1, null, '0x1'],
    ['r', 'common', 31, 2, 'be', 'ci', '0x0'],
    { after: 5, state: STATE, log },
    { ram: {} },
  ];
  const good = await judge(conformRegisters, RAM, CONFIG, ...steps);
  t.deepEqual([good.lines, good.first], [8, []]);
  const wrongValue = await judge(conformRegisters, RAM, CONFIG, ['r', 'common', 18, 2, 'le', 'cpu', '0x2']);
  t.is(wrongValue.mismatches, 1);
  const wrongState = await judge(conformRegisters, RAM, CONFIG, {
    after: 0,
    state: { ...STATE, broken: true },
    log: [['nothing of the kind', 1]],
  });
  t.is(wrongState.mismatches, 2);
  const wrongMemory = await judge(conformRegisters, RAM, CONFIG, { ram: { '0x200000': '00' } });
  t.is(wrongMemory.mismatches, 1);
});

test('PCI: an error is held, and a device where an error was told', async (t) => {
  const arg = 'virtio-rng-pci,rng=r,iommu_platform=on';
  const line = { device: 'virtio-rng-pci', mode: 'default+iommu', machine: 'pseries-7.2', arg };
  const error = [
    `qemu-system-ppc64: -device ${arg}: VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device`,
  ];
  const good = await judge(conformPci, RAM, { ...line, error });
  t.deepEqual([good.lines, good.first], [1, []]);
  const bad = await judge(conformPci, RAM, { ...line, error, arg: 'virtio-rng-pci,rng=r' });
  t.is(bad.mismatches, 1);
});

test('PCI: what a driver sees is held', async (t) => {
  const line = {
    device: 'virtio-rng-pci',
    mode: 'modern',
    machine: 'pseries-7.2',
    arg: 'virtio-rng-pci,addr=1,rng=r,disable-legacy=on',
    start: [],
    bars_after_ones: ['0x0', '0xfffff000', '0x0', '0x0', '0xffffc00c', '0xffffffff'],
  };
  const tally = await judge(conformPci, RAM, line);
  // Everything that the line leaves out differs; what it says does not.
  t.true(tally.first.length > 0);
  t.false(tally.first.some(({ what }) => what.endsWith('bars_after_ones')));
});

test('defaults: properties and windows are held', async (t) => {
  const lines = (ioBase: string, vectors: number): string =>
    JSON.stringify({
      '7.2': {
        win: [
          `${ioBase}-000020000000ffff (prio 0, i/o): alias pci@800000020000000.io-alias`,
          '0000200080000000-00002000ffffffff (prio 0, i/o): alias pci@800000020000000.mmio32-alias',
          '0000210000000000-000021ffffffffff (prio 0, i/o): alias pci@800000020000000.mmio64-alias @pci',
        ],
        rng: { id: '0x10051af4', numq: 1, props: { vectors } },
      },
    });
  const good = await judge(conformDefaults, lines('0000200000000000', 2));
  t.deepEqual([good.lines, good.first], [2, []]);
  const bad = await judge(conformDefaults, lines('0000200000010000', 0));
  t.is(bad.mismatches, 2);
});
