import test from 'ava';
import { FakePlatform } from './_fake-platform.ts';
import { DeviceAccess, GuestCalls, RTAS_UNKNOWN } from './calls.ts';

test('wide arguments and negative results', (t) => {
  const platform = new FakePlatform();
  const calls = new GuestCalls(platform, 0x1000);
  platform.answers.set(0x20, (registers) => {
    registers[1] = 0x1_0000_0007n;
    return BigInt.asUintN(64, -4n);
  });
  platform.registers.fill(0xffff_ffff_ffff_ffffn);
  calls.set(1, 0x8000_0000);
  calls.set(2, 0x2100_0000_1000);
  calls.setWide(3, 0x0800_0000, 0xffff_f003);
  t.is(calls.hcall(0x20), -4);
  t.is(platform.hcalls[0], '20 80000000 210000001000 8000000fffff003 ffffffffffffffff');
  t.is(calls.low(1), 7);
});

test('RTAS arguments lie big-endian in RAM, results behind them', (t) => {
  const platform = new FakePlatform();
  const calls = new GuestCalls(platform, 0x1000);
  platform.rtasAnswers.set(0x2026, () => [0, 11, 0xffff_fff0]);
  calls.argument(0, 0x800);
  calls.argument(1, -1);
  t.is(calls.rtas(0x2026, 2, 3), 0);
  t.deepEqual([calls.result(1), calls.result(2)], [11, 0xffff_fff0]);
  t.deepEqual(
    [0, 4, 8, 12, 16].map((at) => platform.load32(0x1000 + at, false)),
    [0x2026, 2, 3, 0x800, 0xffff_ffff],
  );
  platform.rtasAnswers.set(0x2026, () => [-3]);
  t.is(calls.rtas(0x2026, 0, 1), -3);
  t.is(calls.rtas(-1, 0, 1), RTAS_UNKNOWN);
  t.is(platform.rtas.length, 2, 'a call that is not there is not made');
});

test('firmware reaches registers through the hypervisor, bytes swapped', (t) => {
  const platform = new FakePlatform();
  const access = new DeviceAccess(new GuestCalls(platform, 0x1000), true);
  // From the golden SLOF trace: feature select 1, and device feature 0x103 read.
  access.write(0x210000000000, 4, 1);
  platform.answers.set(0x3c, (registers) => {
    registers[1] = 0x0301_0000n;
    return 0n;
  });
  t.is(access.read(0x210000000004, 4), 0x103);
  access.write(0x210000000016, 2, 0x0102);
  access.write(0x210000000014, 1, 0x0b);
  t.deepEqual(
    platform.hcalls.map((call) => call.split(' ').slice(0, 4).join(' ')),
    [
      '40 4 210000000000 1000000',
      '3c 4 210000000004 1000000',
      '40 2 210000000016 201',
      '40 1 210000000014 b',
    ],
  );
});
