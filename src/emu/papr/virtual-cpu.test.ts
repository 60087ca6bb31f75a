import test from 'ava';
import { TestPlatform } from './_platform.ts';

const ILE = 1n << 25n;
const AIL_3 = 3n << 23n;
const HR = 1n << 20n;
const UPRT = 1n << 22n;

test('the modes that H_SET_MODE chose hold for every CPU, and for those that start later', (t) => {
  const platform = new TestPlatform({ cpus: 3, maxCpus: 3 });
  t.deepEqual(
    platform.papr.cpus.map((cpu) => cpu.lpcr),
    [HR | UPRT, HR | UPRT, HR | UPRT],
    'radix from the start on POWER9',
  );
  platform.hcall(0x31c, 1, 4, 0, 0);
  platform.hcall(0x31c, 3, 3, 0, 0);
  platform.rtas(0x2006, [1, 0x4000, 0], 1);
  for (const cpu of platform.papr.cpus) t.is(cpu.lpcr, HR | UPRT | ILE | AIL_3);
  platform.hcall(0x31c, 0, 4, 0, 0);
  for (const cpu of platform.papr.cpus) t.is(cpu.lpcr, HR | UPRT | AIL_3);
});

test('reset halts all CPUs but the first and forgets their areas', (t) => {
  const platform = new TestPlatform({ cpus: 2, maxCpus: 2 });
  platform.memory.setU16(0x3004, 640, false);
  platform.hcall(0xdc, 1n << 45n, 1, 0x3000);
  platform.rtas(0x2006, [1, 0x4000, 0], 1);
  platform.hcall(0x24, 99);
  t.is(platform.papr.cpus[0]?.sprg0, 99n);
  platform.papr.reset();
  t.deepEqual(
    platform.papr.cpus.map(({ halted, vpa, sprg0 }) => [halted, vpa, sprg0]),
    [
      [false, 0n, 0n],
      [true, 0n, 0n],
    ],
  );
});
