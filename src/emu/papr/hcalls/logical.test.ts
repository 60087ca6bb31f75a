import test from 'ava';
import { TestPlatform } from '../_platform.ts';

const H_SUCCESS = 0;
const H_PARAMETER = -4;

test('H_RANDOM exists where the machine has a source; H_PAGE_INIT clears and copies RAM', (t) => {
  const platform = new TestPlatform();
  platform.randomWords = [5n];
  t.is(platform.hcall(0x300), H_SUCCESS);
  t.is(platform.output(0), 5n);
  platform.memory.setU64(0x3000, 7n, false);
  t.is(platform.hcall(0x2c, 1 << 14, 0x2000, 0x3000), H_SUCCESS);
  t.is(platform.memory.u64(0x2000, false), 7n);
  t.is(platform.hcall(0x2c, 1 << 15, 0x2000, 0), H_SUCCESS);
  t.is(platform.memory.u64(0x2000, false), 0n);
  for (const args of [
    [1, 0x2000, 0],
    [1 << 15, 0x2008, 0],
    [1 << 15, 0x100_0000, 0],
    [1 << 14, 0x2000, 0x3008],
    [1 << 14, 0x2000, 0x100_0000],
    [1 << 15, -4096, 0],
  ]) {
    t.is(platform.hcall(0x2c, ...args), H_PARAMETER);
  }
});

test('loads and stores: sizes, RAM, its end, and everywhere else', (t) => {
  const platform = new TestPlatform();
  t.is(platform.hcall(0x40, 8, 0x2000, 0x0102_0304_0506_0708n), H_SUCCESS);
  for (const [size, value] of [
    [1, 1n],
    [2, 0x102n],
    [4, 0x102_0304n],
    [8, 0x102_0304_0506_0708n],
  ] as const) {
    t.is(platform.hcall(0x3c, size, 0x2000), H_SUCCESS);
    t.is(platform.output(0), value);
  }
  for (const size of [0, 3, 5, 16, (1n << 32n) + 1n, -1]) {
    t.is(platform.hcall(0x3c, size, 0x2000), H_PARAMETER);
    t.is(platform.output(0), BigInt.asUintN(64, BigInt(size)), 'r4 stays');
    t.is(platform.hcall(0x40, size, 0x2000, 0), H_PARAMETER);
  }
  t.is(platform.hcall(0x40, 2, 0x2000, 0xabcd_ef01), H_SUCCESS);
  t.is(platform.memory.u32(0x2000, false), 0xef01_0304);
  for (const address of [0x100_0000, 0x1_0000_0000n, 0x2000_8000_0000n, -1, 1n << 60n]) {
    t.is(platform.hcall(0x40, 4, address, 5), H_SUCCESS);
    t.is(platform.hcall(0x3c, 4, address), H_SUCCESS);
    t.is(platform.output(0), 0n);
  }
  platform.memory.fill(0xff_fff0, 0xff, 16);
  platform.hcall(0x3c, 4, 0xff_fffe);
  t.is(platform.output(0), 0n, 'a value across the end of RAM is not split');
  platform.hcall(0x3c, 2, 0xff_fffe);
  t.is(platform.output(0), 0xffffn);
});
