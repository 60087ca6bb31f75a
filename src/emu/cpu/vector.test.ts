import test from 'ava';
import { MSR_FP, MSR_LE, MSR_ME, MSR_SF, MSR_VEC, MSR_VSX } from './abi.ts';
import { LoneProcessor } from './lone-processor.ts';

// A few of each kind; scripts/cpu-against-qemu.ts holds all of them against QEMU.

const CODE_AT = 0x2000;
const lone = new LoneProcessor(0x1_0000);
const { processor } = lone;
const vr = (number: number): number => 2 * (32 + number);

function run(word: number, little = true): void {
  lone.poke32(CODE_AT, word, little);
  processor.setMsr(MSR_SF | MSR_ME | MSR_FP | MSR_VEC | MSR_VSX | (little ? MSR_LE : 0n));
  processor.goTo(BigInt(CODE_AT));
  processor.run(processor.icount + 1);
}

function set(index: number, first: bigint, second: bigint): void {
  processor.vectors[index] = first;
  processor.vectors[index + 1] = second;
}

const get = (index: number): string =>
  [processor.vectors[index], processor.vectors[index + 1]].map((half) => (half ?? 0n).toString(16)).join(' ');

const A: readonly [bigint, bigint] = [0x0001_0203_0405_0607n, 0x0809_0a0b_0c0d_0e0fn];
const B: readonly [bigint, bigint] = [0x1011_1213_1415_1617n, 0x1819_1a1b_1c1d_1e1fn];

test('vperm picks bytes of two registers by the low five bits of each control byte', (t) => {
  set(vr(1), ...A);
  set(vr(2), ...B);
  set(vr(3), 0x1f00_0110_ff20_0f05n, 0x0000_0000_0000_0013n);
  run(0x1001_10eb | 0);
  t.is(get(vr(0)), '1f0001101f000f05 13');
});

test('lvsl and lvsr make the two halves of an unaligned copy', (t) => {
  processor.registers[4] = 0x1003n;
  run(0x7c00_200c);
  t.is(get(vr(0)), '30405060708090a b0c0d0e0f101112');
  run(0x7c00_204c);
  t.is(get(vr(0)), 'd0e0f1011121314 15161718191a1b1c');
});

test('a vector in memory has its bytes in the order of the machine', (t) => {
  for (let i = 0; i < 16; i++) lone.ram.setUint8(0x3000 + i, i);
  processor.registers[4] = 0x3007n;
  // lvx v1,0,r4: the low bits of the address do not count.
  run(0x7c20_20ce);
  t.is(get(vr(1)), 'f0e0d0c0b0a0908 706050403020100');
  run(0x7c20_20ce, false);
  t.is(get(vr(1)), '1020304050607 8090a0b0c0d0e0f');
});

test('a comparison with Rc says in CR6 whether all or none are equal', (t) => {
  set(vr(1), ...A);
  set(vr(2), ...A);
  run(0x1001_1406);
  t.is(processor.condition[6], 8);
  t.is(get(vr(0)), 'ffffffffffffffff ffffffffffffffff');
  set(vr(2), ...B);
  run(0x1001_1406);
  t.is(processor.condition[6], 2);
});

test('fadd, fdivs and fctiwz, with their status', (t) => {
  // fadd f3,f1,f2: 1.5 + 2.25
  set(2, 0x3ff8_0000_0000_0000n, 0n);
  set(4, 0x4002_0000_0000_0000n, 0n);
  processor.fpscr = 0n;
  run(0xfc61_102a);
  t.is(get(6), '400e000000000000 0');
  t.is(processor.fpscr, 0x4000n);
  // fdivs f3,f1,f2: 2/3 in single precision, inexact
  run(0xec61_1024);
  t.is(get(6), '3fe5555560000000 0');
  t.is(processor.fpscr, 0x8202_4000n);
  // fctiwz f3,f1
  run(0xfc60_081e);
  t.is(processor.vectors[6], 1n);
});

test('lxvl loads as many bytes as the high byte of a register says', (t) => {
  processor.registers[4] = 0x3000n;
  processor.registers[5] = 3n << 56n;
  // lxvl vs33,r4,r5
  run(0x7c24_2a1b);
  t.is(get(vr(1)), '0 20100');
});
