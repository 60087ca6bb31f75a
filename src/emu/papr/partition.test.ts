import test from 'ava';
import { TestFunction, TestPlatform } from './_platform.ts';

test('CPUs are found by the low 32 bits of their numbers', (t) => {
  const { partition } = new TestPlatform({ cpus: 2, maxCpus: 2, vsmt: 8 }).papr;
  t.deepEqual(
    [0, 8, 1, 4, 16, -8].map((number) => partition.cpuIndex(number)),
    [0, 1, -1, -1, -1, -1],
  );
});

test('a byte order is that of the acting CPU', (t) => {
  const platform = new TestPlatform({ cpus: 2, maxCpus: 2 });
  t.is(platform.papr.hostBridge.cpuOrder, 'big');
  platform.papr.setCpu(1, 0x8000_0000_0000_1001n);
  t.is(platform.papr.hostBridge.cpuOrder, 'little');
});

test('a reset gives back message interrupts; whoever gets them next finds them at priority 0', (t) => {
  const platform = new TestPlatform();
  platform.papr.plug(0, new TestFunction(8));
  platform.rtas(0x2019, [0x800, 0x800_0000, 0x2000_0000, 1, 2, 0], 4);
  platform.rtas(0x200a, [0x1101, 0, 3], 1);
  platform.papr.reset();
  t.is(platform.rtas(0x2018, [0x800, 0x800_0000, 0x2000_0000, 0], 3)[0], 0xffff_ffff);
  t.deepEqual(platform.rtas(0x200b, [0x1300], 3), [0, 0, 0]);
  t.deepEqual(platform.rtas(0x200b, [0x1101], 3), [0, 0, 0xff], 'the platform keeps its own, masked');
});
