import test from 'ava';
import { BusHit } from '../memory/translation.ts';
import type { PhbPlacement } from './environment.ts';
import { TestFunction, TestPlatform } from './_platform.ts';

const IO = 0x2000_0000_0000;
const MEM32 = 0x2000_8000_0000;
const MEM64 = 0x2100_0000_0000;

function plugged(
  platform: TestPlatform,
  addresses: readonly (readonly [bar: number, address: number])[],
): TestFunction {
  const added = new TestFunction(8);
  for (const [bar, address] of addresses) added.addresses.set(bar, address);
  platform.papr.plug(0, added);
  return added;
}

test('a BAR shows through the window of its kind', (t) => {
  const platform = new TestPlatform();
  plugged(platform, [
    [0, 0x40],
    [1, 0x8000_1000],
    [4, MEM64 + 0x4000],
  ]);
  for (const address of [IO + 0x40, MEM32 + 0x1000, MEM64 + 0x4000]) {
    t.is(platform.hcall(0x40, 4, address, 0x1122_3344), 0);
    t.is(platform.hcall(0x3c, 2, address), 0);
    t.is(platform.output(0), 0x1122n, 'big-endian, as the CPU is');
  }
  t.is(platform.system.read(MEM32 + 0x1000, 4, false), 0x4433_2211);
  t.is(platform.papr.hostBridge.portOf(IO + 0x42), 0x42);
  t.is(platform.papr.hostBridge.portOf(IO + 0x1_0000), undefined);
});

test('a 64-bit BAR below 4 GiB shows through the 32-bit window, and nowhere outside the windows', (t) => {
  const platform = new TestPlatform();
  const added = plugged(platform, [[4, 0x9000_0000]]);
  t.true(platform.system.answers(MEM32 + 0x1000_0000));
  added.addresses.set(4, 0x7000_0000);
  platform.papr.hostBridge.remapped(8);
  t.false(platform.system.answers(MEM32 + 0x1000_0000));
  added.addresses.set(4, 0x2_0000_0000);
  platform.papr.hostBridge.remapped(8);
  t.is(platform.papr.hostBridge.nextMapped(0x100_0000), Infinity);
});

test('the BAR mapped last hides what it covers, until it moves', (t) => {
  const platform = new TestPlatform();
  const lower = plugged(platform, [[1, 0x8000_1000]]);
  const upper = new TestFunction(16);
  platform.papr.plug(0, upper);
  upper.addresses.set(1, 0x8000_1000);
  platform.papr.hostBridge.remapped(16);
  platform.hcall(0x40, 1, MEM32 + 0x1000, 7);
  t.is(upper.regions[1]?.bytes[0], 7);
  upper.addresses.delete(1);
  platform.papr.hostBridge.remapped(16);
  platform.hcall(0x40, 1, MEM32 + 0x1000, 8);
  t.is(lower.regions[1]?.bytes[0], 8);
});

test('a restored bridge shows its BARs where they were, in the order they came', (t) => {
  const platform = new TestPlatform();
  const lower = plugged(platform, [[1, 0x8000_1000]]);
  const upper = new TestFunction(16);
  upper.addresses.set(1, 0x8000_1000);
  platform.papr.plug(0, upper);
  const saved = platform.save();
  const digest = platform.digest();
  lower.addresses.set(1, 0x8000_4000);
  platform.papr.hostBridge.remapped(8);
  lower.addresses.set(1, 0x8000_1000);
  platform.papr.hostBridge.remapped(8);
  t.not(platform.digest(), digest, 'the order is state');
  platform.restore(saved);
  t.is(platform.digest(), digest);
  platform.hcall(0x40, 1, MEM32 + 0x1000, 9);
  t.is(upper.regions[1]?.bytes[0], 9);
});

test('windows of older machines lie above RAM', (t) => {
  const TIB = 2 ** 40;
  const cases: readonly (readonly [PhbPlacement, number, number, number | undefined])[] = [
    [{ scheme: '2.7', base: TIB, memWindowBytes: 0xf_8000_0000 }, 0x8000_0000, 0x8000_0000, 0xf_0000_0000],
    [{ scheme: '2.7', base: TIB, memWindowBytes: 0x2000_0000 }, 0x8000_0000, 0x2000_0000, undefined],
  ];
  for (const [phbPlacement, io, mem32Bytes, mem64Bytes] of cases) {
    const { hostBridge } = new TestPlatform({ phbPlacement }).papr;
    t.deepEqual(hostBridge.io, { bus: 0, cpu: TIB + io, bytes: 0x1_0000 });
    t.deepEqual(hostBridge.mem32, { bus: 0x8000_0000, cpu: TIB + 0xa000_0000, bytes: mem32Bytes });
    t.deepEqual(
      hostBridge.mem64,
      mem64Bytes === undefined
        ? undefined
        : { bus: 0x1_0000_0000, cpu: TIB + 0x1_2000_0000, bytes: mem64Bytes },
    );
  }
});

test('a second bridge has its own BUID, windows, LIOBNs and lines', (t) => {
  const phb = { ddw: true, pageSizeMask: 0x1000 };
  const platform = new TestPlatform({
    phbs: [
      { index: 0, ...phb },
      { index: 3, ...phb },
    ],
  });
  const bridge = platform.papr.hostBridges[1];
  t.is(bridge?.buidLow, 0x2000_0003);
  t.deepEqual(bridge?.io, { bus: 0, cpu: IO + 0x3_0000, bytes: 0x1_0000 });
  t.is(bridge?.mem64?.cpu, 0x2400_0000_0000);
  t.deepEqual(bridge?.lsi, [0x120c, 0x120d, 0x120e, 0x120f]);
  t.is(platform.hcall(0x20, 0x8000_0300, 0, 3), 0);
  t.is(platform.hcall(0x20, 0x8000_0301, 0, 3), -4);
  t.is(platform.rtas(0x2026, [0, 0x800_0000, 0x2000_0003], 5)[1], 1);
});

test('messages need bus mastering, a number that somebody owns, and no TCE', (t) => {
  const platform = new TestPlatform();
  const added = plugged(platform, []);
  platform.rtas(0x2019, [0x800, 0x800_0000, 0x2000_0000, 1, 1, 0], 4);
  const bridge = platform.papr.hostBridge;
  bridge.sendMessage(8, 0x400_0000_0000n, 0x1300);
  t.deepEqual(platform.interrupts, [[0x1300, 2]]);
  for (const number of [0, 0xfff, 0x1301, 0x2000, 0xffff_ffff])
    bridge.sendMessage(8, 0x400_0000_0ffcn, number);
  t.is(platform.interrupts.length, 1, 'QEMU aborts at these');
  added.busMaster = false;
  bridge.sendMessage(8, 0x400_0000_0000n, 0x1300);
  t.is(platform.interrupts.length, 1);
  added.busMaster = true;
  bridge.sendMessage(8, 0x2000n, 5);
  t.deepEqual(platform.strays, [[0x2000n, 5]], 'elsewhere it is a write like any other');
  bridge.regions.writeBytes(0x400_0000_0010, Uint8Array.of(0, 0x13, 0, 0), 0, 4);
  t.deepEqual(platform.interrupts.at(-1), [0x1300, 2], 'and a device may write there itself');
});

test('nothing translates before the first reset or beyond the window', (t) => {
  const platform = new TestPlatform();
  const hit = new BusHit();
  t.true(platform.papr.hostBridge.find(0, 0x3fff_ffff, hit));
  t.is(hit.left, 1);
  t.false(platform.papr.hostBridge.find(0, 0x4000_0000, hit));
  t.false(platform.papr.hostBridge.find(0x400, 0, hit));
});
