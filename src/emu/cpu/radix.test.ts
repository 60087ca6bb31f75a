import test from 'ava';
import { LoneProcessor } from './lone-processor.ts';

// One tree of two levels below the root: 52 bits of address as 13 + 9 + 9 + 9, pages of 4 KiB, as Linux makes them.

const RAM_BYTES = 0x8_0000;
const PROCESS_TABLE = 0x1_0000;
const ROOT = 0x2_0000;
const LEVEL_2 = 0x3_0000;
const LEVEL_3 = 0x3_1000;
const LEVEL_4 = 0x3_2000;
const CODE_AT = 0x4_0000;
const PAGE_AT = 0x5_0000;

const VALID = 1n << 63n;
const LEAF = 1n << 62n;
const PRIVILEGED = 8n;
const READ = 4n;
const WRITE = 2n;
const EXECUTE = 1n;
const REFERENCED = 0x100n;
const CHANGED = 0x80n;

const PID = 5;
const SPR_DSISR = 18;
const SPR_DAR = 19;
const SPR_SRR0 = 26;
const SPR_SRR1 = 27;
const AMR = 29;
const MSR_KERNEL = (1n << 63n) | 0x1031n;
const MSR_USER = MSR_KERNEL | 0x4000n;

const lone = new LoneProcessor(RAM_BYTES);
const { processor } = lone;

function put(at: number, value: bigint): void {
  lone.ram.setBigUint64(at, value);
}

/** Effective page n of quadrant 0 is this entry; page 1 is the code. */
function map(page: number, what: bigint): void {
  put(LEVEL_4 + 8 * page, what);
}

function start(msr: bigint, ...words: readonly number[]): void {
  for (let at = PROCESS_TABLE; at < RAM_BYTES; at += 8) put(at, 0n);
  // Table of 4 KiB; the tree has 52 bits (RTS 21: high part 2, low part 5) and a root of 2 ** 13 entries.
  lone.processTable = (1n << 63n) | BigInt(PROCESS_TABLE);
  put(PROCESS_TABLE + 16 * PID, (2n << 61n) | BigInt(ROOT) | (5n << 5n) | 13n);
  put(ROOT, VALID | BigInt(LEVEL_2) | 9n);
  put(LEVEL_2, VALID | BigInt(LEVEL_3) | 9n);
  put(LEVEL_3, VALID | BigInt(LEVEL_4) | 9n);
  const owner = (msr & 0x4000n) === 0n ? PRIVILEGED : 0n;
  map(1, VALID | LEAF | BigInt(CODE_AT) | owner | READ | EXECUTE);
  lone.start(0x1000, true);
  for (const [index, word] of words.entries()) lone.poke32(CODE_AT + 4 * index, word, true);
  processor.hypercall();
  processor.setPid(BigInt(PID));
  processor.setAuthority(AMR, 0n);
  processor.setMsr(msr);
  processor.goTo(0x1000n);
}

// ld r5,0(r4), std r5,8(r4), twice each so that a cached translation is used too.
const LOADS = [0xe8a4_0000, 0xe8c4_0000];
const STORES = [0xf8a4_0008, 0xf8a4_0010];

function entry(page: number): bigint {
  return lone.ram.getBigUint64(LEVEL_4 + 8 * page);
}

test('a load finds its page through four levels and marks it referenced, a store changed', (t) => {
  start(MSR_KERNEL, ...LOADS, ...STORES);
  map(7, VALID | LEAF | BigInt(PAGE_AT) | PRIVILEGED | READ | WRITE);
  lone.ram.setBigUint64(PAGE_AT + 0x120, 0x1122_3344_5566_7788n, true);
  processor.registers[4] = 0x7120n;
  processor.run(processor.icount + 2);
  t.is(processor.registers[5], 0x1122_3344_5566_7788n);
  t.is(processor.registers[6], 0x1122_3344_5566_7788n);
  t.is(entry(7) & (REFERENCED | CHANGED), REFERENCED);
  processor.run(processor.icount + 2);
  t.is(lone.ram.getBigUint64(PAGE_AT + 0x128, true), 0x1122_3344_5566_7788n);
  t.is(lone.ram.getBigUint64(PAGE_AT + 0x130, true), 0x1122_3344_5566_7788n);
  t.is(entry(7) & (REFERENCED | CHANGED), REFERENCED | CHANGED);
});

test('what is missing, forbidden or the kernel’s is a data storage interrupt that says which', (t) => {
  const fault = (msr: bigint, words: readonly number[], page: bigint): string => {
    start(msr, ...words);
    map(7, page);
    processor.registers[4] = 0x7120n;
    processor.run(processor.icount + 1);
    t.is(processor.pc, 0x300n);
    t.is(processor.specials[SPR_SRR0], 0x1000n);
    t.is((processor.specials[SPR_DAR] ?? 0n) & ~0xfffn, 0x7000n);
    return (processor.specials[SPR_DSISR] ?? 0n).toString(16);
  };
  const page = VALID | LEAF | BigInt(PAGE_AT);
  t.is(fault(MSR_KERNEL, LOADS, 0n), '40000000');
  t.is(fault(MSR_KERNEL, STORES, 0n), '42000000');
  t.is(fault(MSR_KERNEL, STORES, page | PRIVILEGED | READ), 'a000000');
  t.is(fault(MSR_USER, LOADS, page | PRIVILEGED | READ | WRITE), '8000000');
});

test('AMR keeps the kernel out of user pages, also from one that it reached before', (t) => {
  start(MSR_KERNEL, ...LOADS);
  map(7, VALID | LEAF | BigInt(PAGE_AT) | READ | WRITE);
  processor.registers[4] = 0x7120n;
  processor.run(processor.icount + 1);
  t.is(processor.pc, 0x1004n);
  processor.setAuthority(AMR, 3n << 62n);
  processor.run(processor.icount + 1);
  t.is(processor.pc, 0x300n);
  t.is(processor.specials[SPR_DSISR], 0x800_0000n);
});

test('quadrants 1 and 2 are segment interrupts; pages without execution instruction storage interrupts', (t) => {
  start(MSR_KERNEL, ...LOADS);
  processor.registers[4] = 0x4000_0000_0000_0000n;
  processor.run(processor.icount + 1);
  t.is(processor.pc, 0x380n);
  t.is(processor.specials[SPR_DAR], 0x4000_0000_0000_0000n);
  start(MSR_KERNEL, ...LOADS);
  map(9, VALID | LEAF | BigInt(PAGE_AT) | PRIVILEGED | READ | WRITE);
  processor.goTo(0x9000n);
  processor.run(processor.icount + 1);
  t.is(processor.pc, 0x400n);
  t.is(processor.specials[SPR_SRR0], 0x9000n);
  t.is((processor.specials[SPR_SRR1] ?? 0n) & 0x5800_0000n, 0x800_0000n);
});

test('another process has other pages, and tlbie forgets one', (t) => {
  start(MSR_KERNEL, ...LOADS);
  map(7, VALID | LEAF | BigInt(PAGE_AT) | PRIVILEGED | READ);
  lone.ram.setUint32(PAGE_AT + 0x120, 1, true);
  processor.registers[4] = 0x7120n;
  processor.run(processor.icount + 1);
  t.is(processor.registers[5], 1n);
  // The entry leads elsewhere now; the cached translation still holds until it is invalidated.
  map(7, VALID | LEAF | BigInt(PAGE_AT + 0x1000) | PRIVILEGED | READ);
  lone.ram.setUint32(PAGE_AT + 0x1120, 2, true);
  processor.invalidate(0x7000n, 0);
  processor.run(processor.icount + 1);
  t.is(processor.registers[6], 2n);
  // A process without a table entry reaches nothing.
  processor.setPid(BigInt(PID + 1));
  processor.goTo(0x1000n);
  processor.run(processor.icount + 1);
  t.is(processor.pc, 0x400n);
});
