import test from 'ava';
import { GuestCalls } from './calls.ts';
import { Firmware } from './firmware.ts';
import { FakePlatform, fakeFunction, fakeTree } from './_fake-platform.ts';

const RTAS_BUFFER = 0x1000;

function booted(platform: FakePlatform): Firmware {
  const firmware = new Firmware(new GuestCalls(platform, RTAS_BUFFER));
  firmware.boot();
  return firmware;
}

// pci_cfg lines of the golden SLOF trace, from the first sizing to the ROM register: a modern-only blk in slot 1.
const SLOF_CYCLES = `
r10 r10 w10=ffffffff r10 w10=0 r14 r14 w14=ffffffff r14 w14=0 w14=80000000 r18 r18 w18=ffffffff r18 w18=0
r1c r1c w1c=ffffffff r1c w1c=0 r20 r20 w20=ffffffff r20 w20=c r24 w24=ffffffff r24 w24=0 w20=0 w24=2100
r30 w30=ffffffff r30 w30=0`
  .trim()
  .split(/\s+/);

test('BARs are sized and placed by the cycles that SLOF makes, in its order', (t) => {
  const platform = new FakePlatform([
    fakeFunction(0x08, [
      [1, 'mem32', 0x1000],
      [4, 'mem64', 0x4000],
    ]),
  ]);
  const firmware = booted(platform);
  const cycles = platform.cycles
    .map((cycle) => cycle.replace(/^read 1:(\w+)\.4$/, 'r$1').replace(/^write 1:(\w+)\.4 = (\w+)$/, 'w$1=$2'))
    .filter((cycle) => /^[rw](1[048c]|2[04]|30)/.test(cycle));
  t.deepEqual(cycles, SLOF_CYCLES);
  t.deepEqual([...(firmware.functions[0]?.bars ?? [])], [0, 0x200080000000, 0, 0, 0x210000000000, 0]);
});

test('several functions share the windows: I/O from 0x10 by size, memory 64 KiB apart', (t) => {
  const bars = [
    [0, 'io', 0x80],
    [1, 'mem32', 0x1000],
    [4, 'mem64', 0x4000],
  ] as const;
  const withRom = fakeFunction(0x10, [...bars, [6, 'mem32', 0x40000]]);
  const firmware = booted(new FakePlatform([fakeFunction(0x08, bars), withRom]));
  t.deepEqual(
    firmware.functions.map((found) => [...found.bars].map((bar) => bar.toString(16))),
    [
      ['200000000080', '200080000000', '0', '0', '210000000000', '0'],
      ['200000000100', '200080010000', '0', '0', '210000010000', '0'],
    ],
  );
  t.deepEqual([...(firmware.functions[0]?.barIsIo ?? [])], [1, 0, 0, 0, 0, 0]);
  t.deepEqual(
    [...withRom.configSpace.subarray(0x30, 0x34)],
    [1, 0, 4, 0x80],
    'the ROM lies at its size, enabled',
  );
});

test('a 64-bit BAR goes below 4 GiB where the bridge has no other window', (t) => {
  const functions = [fakeFunction(0x08, [[4, 'mem64', 0x4000]])];
  const tree = fakeTree(functions);
  const firmware = booted(
    new FakePlatform(functions, { ...tree, hostBridge: { ...tree.hostBridge, mem64: undefined } }),
  );
  t.is(firmware.functions[0]?.bars[4], 0x200080000000);
});

test('a BAR that does not fit gets no place', (t) => {
  const functions = [fakeFunction(0x08, [[1, 'mem32', 0x20000]])];
  const tree = fakeTree(functions);
  const small = { bus: 0x80000000, cpu: 0x200080000000, bytes: 0x10000 };
  const firmware = booted(
    new FakePlatform(functions, { ...tree, hostBridge: { ...tree.hostBridge, mem32: small } }),
  );
  t.is(firmware.functions[0]?.bars[1], 0);
});

test('decoding stays off', (t) => {
  const functions = [fakeFunction(0x08, [[1, 'mem32', 0x1000]])];
  booted(new FakePlatform(functions));
  t.is(functions[0]?.configSpace[4], 0);
});
