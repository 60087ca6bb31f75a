import test from 'ava';
import { TestPlatform } from '../_platform.ts';

const H_REGISTER_VPA = 0xdc;
const H_CEDE = 0xe0;
const H_CONFER = 0xe4;
const H_PROD = 0xe8;
const H_JOIN = 0x298;
const H_SET_MODE = 0x31c;
const H_SIGNAL_SYS_RESET = 0x380;
const H_SUCCESS = 0;
const H_HARDWARE = -1;
const H_PARAMETER = -4;
const H_BAD_MODE = -5;
const H_RESOURCE = -16;
const H_CONTINUE = 18;
const MSR_EE = 0x8000n;

function areas(platform: TestPlatform, kind: number, address: number, cpu: number | bigint = 0): number {
  return platform.hcall(H_REGISTER_VPA, BigInt(kind) << 45n, cpu, address);
}

test('H_REGISTER_VPA: checks in their order', (t) => {
  const platform = new TestPlatform();
  platform.memory.setU16(0x3004, 640, false);
  t.is(areas(platform, 1, 0, 9), H_PARAMETER, 'the CPU comes first');
  t.is(areas(platform, 1, 0), H_HARDWARE);
  t.is(areas(platform, 1, 0x3040), H_PARAMETER, 'aligned to a cache line');
  t.is(areas(platform, 1, 0x4000), H_PARAMETER, 'at least 640 bytes');
  platform.memory.setU16(0x3f84, 640, false);
  t.is(areas(platform, 1, 0x3f80), H_PARAMETER, 'within a page');
  t.is(areas(platform, 2, 0x4000), H_PARAMETER);
  platform.memory.setU32(0x4004, 48, false);
  t.is(areas(platform, 2, 0x4000), H_RESOURCE, 'a log needs a VPA');
  t.is(areas(platform, 3, 0x4000), H_RESOURCE);
  t.is(areas(platform, 1, 0x3000), H_SUCCESS);
  t.is(platform.memory.u8(0x3009), 2, 'a shared processor');
  t.is(areas(platform, 2, 0x4000), H_SUCCESS);
  t.is(areas(platform, 5, 0), H_RESOURCE, 'not while others are registered');
  t.is(areas(platform, 6, 0), H_SUCCESS);
  t.is(areas(platform, 3, 0x4000), H_SUCCESS);
  t.is(areas(platform, 5, 0), H_RESOURCE);
  t.is(areas(platform, 7, 0), H_SUCCESS);
  t.is(areas(platform, 5, 0), H_SUCCESS);
  t.is(areas(platform, 4, 0x3000), H_PARAMETER);
  t.is(areas(platform, 0, 0x3000), H_PARAMETER);
  t.is(platform.hcall(H_REGISTER_VPA, (1n << 45n) | 1n, 0, 0x3000), H_PARAMETER, 'flags are compared whole');
  t.is(areas(platform, 1, 0x3000, 1n << 32n), H_SUCCESS, "a CPU's number is cut to 32 bits");
});

test('H_CEDE sleeps with interrupts on, unless prodded or interrupted', (t) => {
  const platform = new TestPlatform();
  t.is(platform.hcall(H_CEDE), H_SUCCESS);
  t.true(platform.papr.cpus[0]?.halted);
  t.is((platform.papr.cpus[0]?.msr ?? 0n) & MSR_EE, MSR_EE);
  t.is(platform.hcall(H_PROD, 0), H_SUCCESS);
  platform.hcall(H_CEDE);
  t.false(platform.papr.cpus[0]?.halted, 'the prod is used up');
  platform.hcall(H_CEDE);
  t.true(platform.papr.cpus[0]?.halted);
  platform.hcall(0x68, 0xff);
  platform.hcall(0x6c, 0, 4);
  platform.hcall(H_CEDE);
  t.false(platform.papr.cpus[0]?.halted, 'an interrupt is pending');
  t.is(platform.hcall(H_PROD, 1), H_PARAMETER);
});

test('H_CONFER: where it yields, r3 keeps its number', (t) => {
  const platform = new TestPlatform({ cpus: 2, maxCpus: 2 });
  t.is(platform.hcall(H_CONFER, -1, 0), H_CONFER);
  t.is(platform.hcall(H_CONFER, 2, 0), H_PARAMETER);
  t.is(platform.hcall(H_CONFER, 1, 1), H_SUCCESS, 'no VPA');
  platform.memory.setU16(0x3004, 640, false);
  platform.memory.setU32(0x3100, 7, false);
  areas(platform, 1, 0x3000, 1);
  t.is(platform.hcall(H_CONFER, 1, 6), H_SUCCESS, 'it runs');
  t.is(platform.hcall(H_CONFER, 1, 9), H_SUCCESS, 'it ran since');
  t.is(platform.hcall(H_CONFER, 1, 7), H_CONFER);
  t.is(platform.hcall(H_CONFER, 0, 0), H_SUCCESS, 'to oneself: until prodded');
  t.true(platform.papr.cpus[0]?.halted);
});

test('H_JOIN: with interrupts off, and never the last that runs', (t) => {
  const platform = new TestPlatform({ cpus: 2, maxCpus: 2 });
  t.is(platform.hcall(H_JOIN), H_CONTINUE);
  platform.rtas(0x2006, [1, 0, 0], 1);
  t.is(platform.hcall(H_JOIN), H_SUCCESS);
  t.true(platform.papr.cpus[0]?.halted);
  platform.cpu = 1;
  t.is(platform.hcall(H_JOIN), H_CONTINUE);
  platform.msr |= MSR_EE;
  t.is(platform.hcall(H_JOIN), H_BAD_MODE);
});

test('H_SET_MODE: resource, then values, then flags', (t) => {
  const platform = new TestPlatform();
  for (const [args, status] of [
    [[9, 9, 1, 1], -55],
    [[0, 1, 0, 0], -55],
    [[9, 4, 1, 1], -56],
    [[9, 4, 0, 1], -57],
    [[2, 4, 0, 0], -256],
    [[1, 4, 0, 0], 0],
    [[0, 4, 0, 0], 0],
    [[1, 3, 0, 0], -256],
    [[1, 3, 1, 0], -56],
    [[2, 3, 0, 0], 0],
    [[3, 3, 0, 0], 0],
    [[4, 3, 0, 0], 0],
  ] as const) {
    t.is(platform.hcall(H_SET_MODE, ...args), status, args.join());
  }
  t.is(new TestPlatform({ cpu: 'power7' }).hcall(H_SET_MODE, 0, 3, 0, 0), -55);
});

test('H_SIGNAL_SYS_RESET: one, all, all others', (t) => {
  const platform = new TestPlatform({ cpus: 3, maxCpus: 3 });
  t.is(platform.hcall(H_SIGNAL_SYS_RESET, 1), H_SUCCESS);
  t.is(platform.hcall(H_SIGNAL_SYS_RESET, -1), H_SUCCESS);
  t.is(platform.hcall(H_SIGNAL_SYS_RESET, -2), H_SUCCESS);
  t.is(platform.hcall(H_SIGNAL_SYS_RESET, -3), H_PARAMETER);
  t.is(platform.hcall(H_SIGNAL_SYS_RESET, 3), H_PARAMETER);
  t.deepEqual(platform.systemResets, [1, 0, 1, 2, 1, 2]);
});

test('characteristics follow the capabilities', (t) => {
  const asked = (mitigations?: TestPlatform['options']['mitigations']): bigint[] => {
    const platform = new TestPlatform(mitigations === undefined ? {} : { mitigations });
    t.is(platform.hcall(0x1c8), H_SUCCESS);
    return [platform.output(0), platform.output(1)];
  };
  t.deepEqual(asked(), [0xbc40_0000_0000_0000n, 0xe400_0000_0000_0000n]);
  t.deepEqual(asked({ cfpc: 'broken', sbbc: 'broken', ibs: 'broken', countCacheFlushAssist: false }), [
    0x0400_0000_0000_0000n,
    0xe000_0000_0000_0000n,
  ]);
  t.deepEqual(asked({ cfpc: 'fixed', sbbc: 'fixed', ibs: 'fixed-ccd', countCacheFlushAssist: true }), [
    0x0500_0000_0000_0000n,
    0x8180_0000_0000_0000n,
  ]);
});

test('associativity of a CPU', (t) => {
  const platform = new TestPlatform({ cpus: 2, maxCpus: 2 });
  t.is(platform.hcall(0x2ec, 1, 1), H_SUCCESS);
  const rest = (1n << 64n) - 1n;
  t.deepEqual(
    [0, 1, 2, 3, 4, 5].map((i) => platform.output(i)),
    [0n, 0n, 0x1_ffff_ffffn, rest, rest, rest],
  );
  t.is(platform.hcall(0x2ec, 0, 0), -2);
  t.is(platform.hcall(0x2ec, 1, 2), -55);
});

test('DABR exists on POWER7 only', (t) => {
  const platform = new TestPlatform({ cpu: 'power7' });
  t.is(platform.hcall(0x28, 0x1000), H_SUCCESS);
  t.is(platform.hcall(0x134, 0, 4), H_PARAMETER);
  t.is(platform.hcall(0x134, 0, 0x13), H_PARAMETER);
  t.is(platform.hcall(0x134, 0, 0), H_PARAMETER);
  t.is(platform.hcall(0x134, 0, 3), H_SUCCESS);
  t.is(new TestPlatform({ cpu: 'power8' }).hcall(0x134, 0, 3), H_HARDWARE);
});
