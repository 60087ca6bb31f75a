import test from 'ava';
import { FakePlatform, fakeFunction, type FakeFunction } from './_fake-platform.ts';
import { GuestCalls } from './calls.ts';
import { Firmware } from './firmware.ts';
import type { GuestFunction } from './pci.ts';

/** Capabilities as a list: [offset, bytes]; each points to the next, the last to nothing. */
function withCapabilities(
  device: FakeFunction,
  list: readonly (readonly [number, readonly number[]])[],
): FakeFunction {
  const space = device.configSpace;
  space[6] = 0x10;
  space[0x34] = list[0]?.[0] ?? 0;
  for (const [index, [at, bytes]] of list.entries()) {
    space.set(bytes, at);
    space[at + 1] = list[index + 1]?.[0] ?? 0;
  }
  return device;
}

const COMMON = [0x09, 0, 16, 1, 4, 0, 0, 0, 0x00, 0x00, 0, 0, 0x00, 0x10, 0, 0];
const NOTIFY = [0x09, 0, 20, 2, 4, 0, 0, 0, 0x00, 0x30, 0, 0, 0x00, 0x10, 0, 0, 4, 0, 0, 0];
const ISR_NO_BAR = [0x09, 0, 16, 3, 2, 0, 0, 0, 0x00, 0x00, 0, 0, 0x04, 0x00, 0, 0];
const ISR = [0x09, 0, 16, 3, 4, 0, 0, 0, 0x00, 0x10, 0, 0, 0x00, 0x10, 0, 0];
const PCI_CFG = [0x09, 0, 20, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const MSIX = [0x11, 0, 0x02, 0x00, 1, 0, 0, 0, 1, 8, 0, 0];

function found(device: FakeFunction): { found: GuestFunction; platform: FakePlatform } {
  const platform = new FakePlatform([device]);
  const firmware = new Firmware(new GuestCalls(platform, 0x1000));
  firmware.boot();
  const [first] = firmware.functions;
  if (first === undefined) throw new Error('nothing found');
  return { found: first, platform };
}

const BARS = [
  [1, 'mem32', 0x1000],
  [4, 'mem64', 0x4000],
] as const;

test('structures are found by type, the first that lies in a BAR that is there', (t) => {
  const { found: device } = found(
    withCapabilities(fakeFunction(0x08, BARS), [
      [0x98, MSIX],
      [0x84, PCI_CFG],
      [0xc0, ISR_NO_BAR],
      [0x70, NOTIFY],
      [0x50, ISR],
      [0x40, COMMON],
    ]),
  );
  device.walkCapabilities();
  t.is(device.msix, 0x98);
  t.is(device.msixTableSize(), 3);
  t.is(device.notifyMultiplier, 4);
  t.deepEqual(
    device.structures.map((structure) => structure.address),
    [0, 0x210000000000, 0x210000003000, 0x210000001000, 0, 0],
  );
});

test('a list that bites its tail ends', (t) => {
  const device = withCapabilities(fakeFunction(0x08, BARS), [[0x40, COMMON]]);
  device.configSpace[0x41] = 0x40;
  const walked = found(device).found;
  walked.walkCapabilities();
  t.is(walked.structures[1]?.address, 0x210000000000);
});

test('without the status bit there is no list', (t) => {
  const device = withCapabilities(fakeFunction(0x08, BARS), [[0x40, COMMON]]);
  device.configSpace[6] = 0;
  const walked = found(device).found;
  walked.walkCapabilities();
  t.is(walked.structures[1]?.address, 0);
});

test('bits of the command register are set once', (t) => {
  const { found: device, platform } = found(fakeFunction(0x08, BARS));
  device.enable(3);
  device.enable(4);
  device.enable(1);
  t.deepEqual(
    platform.cycles.filter((cycle) => cycle.startsWith('write 1:4')),
    ['write 1:4.2 = 3', 'write 1:4.2 = 7'],
  );
});

test('MSI-X vectors are asked for by function 4, and go on where the platform was busy', (t) => {
  const { found: device, platform } = found(fakeFunction(0x08, BARS));
  let busy = true;
  platform.rtasAnswers.set(0x2019, ([, , , , count = 0, sequence = 0]) => {
    const first = busy;
    busy = false;
    return first ? [-2, 0, sequence + 4] : [0, count, sequence + 1, 2];
  });
  t.is(device.bus.changeMsix(device.devfn, 3), 3);
  t.deepEqual(platform.rtas, ['2019 800 8000000 20000000 4 3 1', '2019 800 8000000 20000000 4 3 5']);
  platform.rtasAnswers.set(0x2018, ([, , , index = 0]) => (index < 3 ? [0, 0x1300 + index, 1] : [-1]));
  t.deepEqual([device.bus.interruptSource(8, 2), device.bus.interruptSource(8, 3)], [0x1302, -1]);
});

test('nothing there reads as ones', (t) => {
  const { found: device } = found(fakeFunction(0x08, BARS));
  t.is(device.bus.read(0xf8, 0, 4), 0xffff_ffff);
  t.is(device.bus.read(0xf8, 0, 2), 0xffff);
});
