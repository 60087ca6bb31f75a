import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { LoneProcessor } from './lone-processor.ts';
import { KNOWN_TO_REFERENCE, Reference } from './_reference.ts';
import { AT } from './layout.ts';
import { INSTRUCTIONS } from './isa/table.ts';

const RAM_BYTES = 0x1_0000;
const PROGRAM_AT = 0xff0;
const lone = new LoneProcessor(RAM_BYTES);
const { processor } = lone;

// --- The reference and the interpreter agree ----------------------------------------------------------------------

const known = INSTRUCTIONS.filter((row) => KNOWN_TO_REFERENCE.includes(row.name));

/** Values at which carries, signs and shifts turn, addresses in RAM, and anything. */
const value = fc.oneof(
  fc.bigInt({ min: 0n, max: BigInt(RAM_BYTES) }),
  fc.bigInt({ min: 0n, max: 63n }).map((bit) => 1n << bit),
  fc.bigInt({ min: -3n, max: 3n }).map((small) => BigInt.asUintN(64, small)),
  fc.bigInt({ min: -3n, max: 3n }).map((small) => BigInt.asUintN(64, (1n << 63n) + small)),
  fc.bigInt({ min: -3n, max: 3n }).map((small) => (1n << 31n) + small),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);

/** Update forms without a base, or with the target as base, do not exist. */
function exists(name: string, word: number): boolean {
  const [target, base] = [(word >>> 21) & 31, (word >>> 16) & 31];
  return !/^(l|st).*u(x?)$/.test(name) || (base !== 0 && (name.startsWith('st') || base !== target));
}

const instruction = fc
  .tuple(fc.integer({ min: 0, max: known.length - 1 }), fc.integer({ min: 0, max: 0xffff_ffff }))
  .map(([index, bits]) => {
    const row = known[index] ?? known[0];
    const word = ((row?.match ?? 0) | (bits & ~(row?.mask ?? 0))) >>> 0;
    return exists(row?.name ?? '', word) ? word : 0x6000_0000;
  });

const state = fc.record({
  gpr: fc.array(value, { minLength: 32, maxLength: 32 }),
  cr: fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 8, maxLength: 8 }),
  lr: value,
  ctr: value,
  flags: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
});

const FLAGS = [AT.so, AT.ov, AT.ca, AT.ov32, AT.ca32];
const flagBytes = new Uint8Array(lone.ram.buffer);

interface Shown {
  readonly gpr: readonly string[];
  readonly cr: readonly number[];
  readonly lr: string;
  readonly ctr: string;
  readonly flags: readonly boolean[];
  readonly pc: string;
  readonly memory: string;
}

const hex = (number: bigint): string => number.toString(16);
const bytes = (view: DataView): string =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64');

function shownReference(machine: Reference): Shown {
  return {
    gpr: machine.gpr.map(hex),
    cr: machine.cr,
    lr: hex(machine.lr),
    ctr: hex(machine.ctr),
    flags: [machine.so, machine.ov, machine.ca, machine.ov32, machine.ca32],
    pc: hex(machine.pc),
    memory: bytes(machine.memory),
  };
}

function shownProcessor(): Shown {
  return {
    gpr: [...processor.registers.subarray(0, 32)].map(hex),
    cr: [...processor.condition],
    lr: hex(processor.specials[8] ?? 0n),
    ctr: hex(processor.specials[9] ?? 0n),
    flags: FLAGS.map((at) => flagBytes[at] === 1),
    pc: hex(processor.pc),
    memory: bytes(lone.ram),
  };
}

prop(
  'random programs do the same in the interpreter, in any slices, as in the reference, in both byte orders',
  [
    fc.array(instruction, { minLength: 1, maxLength: 24 }),
    state,
    fc.boolean(),
    fc.integer({ min: 1, max: 7 }),
  ],
  (words, start, little, slice) => {
    const memory = new DataView(new ArrayBuffer(RAM_BYTES));
    for (let at = 0; at < RAM_BYTES; at += 4) memory.setUint32(at, Math.imul(at, 0x9e37_79b1) >>> 0);
    for (const [index, word] of words.entries()) memory.setUint32(PROGRAM_AT + 4 * index, word, little);
    for (let at = 0; at < RAM_BYTES; at += 4) lone.poke32(at, memory.getUint32(at), false);
    const reference = new Reference(memory, little);
    lone.start(PROGRAM_AT, little);
    for (const [index, register] of start.gpr.entries()) {
      reference.gpr[index] = register;
      processor.registers[index] = register;
    }
    for (const [index, field] of start.cr.entries()) {
      reference.cr[index] = field;
      processor.condition[index] = field;
    }
    reference.pc = BigInt(PROGRAM_AT);
    reference.lr = start.lr;
    reference.ctr = start.ctr;
    processor.specials[8] = start.lr;
    processor.specials[9] = start.ctr;
    [
      reference.so = false,
      reference.ov = false,
      reference.ca = false,
      reference.ov32 = false,
      reference.ca32 = false,
    ] = start.flags;
    for (const [index, at] of FLAGS.entries()) flagBytes[at] = start.flags[index] === true ? 1 : 0;

    const end = PROGRAM_AT + 4 * words.length;
    let steps = 0;
    while (steps < 60 && reference.pc >= PROGRAM_AT && reference.pc < end && reference.step()) steps++;
    const goal = processor.icount + steps;
    while (processor.icount < goal) processor.run(Math.min(goal, processor.icount + slice));
    const [expected, found] = [shownReference(reference), shownProcessor()];
    for (const key of Object.keys(expected) as (keyof Shown)[]) {
      if (JSON.stringify(expected[key]) !== JSON.stringify(found[key])) {
        throw new Error(
          `${key}: reference ${JSON.stringify(expected[key])}, interpreter ${JSON.stringify(found[key])}`,
        );
      }
    }
  },
  { numRuns: 400 },
);

// --- Interrupts and time --------------------------------------------------------------------------------------------

const SC = 0x4400_0002;
const SC_1 = 0x4400_0022;
const NOP = 0x6000_0000;
const SPIN = 0x4800_0000;
const SRR0 = 26;
const SRR1 = 27;
const DEC_NUMBER = 22;

function program(at: number, ...words: readonly number[]): void {
  for (const [index, word] of words.entries()) lone.poke32(at + 4 * index, word, true);
  lone.start(at, true);
}

test('a system call saves the address behind itself and goes to 0xc00 in big-endian real mode', (t) => {
  program(0x2000, NOP, SC);
  const goal = processor.icount + 2;
  processor.run(goal);
  t.is(processor.pc, 0xc00n);
  t.is(processor.specials[SRR0], 0x2008n);
  t.is(processor.specials[SRR1], (1n << 63n) | 0x1001n);
  t.is(processor.msr, (1n << 63n) | 0x1000n);
  t.is(processor.icount, goal);
});

test('LPCR[ILE] has interrupts taken in little-endian order', (t) => {
  lone.lpcr = 1n << 25n;
  program(0x2000, SC);
  processor.run(processor.icount + 1);
  lone.lpcr = 0n;
  t.is(processor.msr, (1n << 63n) | 0x1001n);
});

test('an illegal instruction is a program interrupt at its own address', (t) => {
  program(0x2000, 0);
  processor.run(processor.icount + 1);
  t.is(processor.pc, 0x700n);
  t.is(processor.specials[SRR0], 0x2000n);
  t.is((processor.specials[SRR1] ?? 0n) & 0x8_0000n, 0x8_0000n);
});

test('a hypercall is asked of the platform, and counts as one instruction', (t) => {
  lone.hypercalls.length = 0;
  program(0x2000, SC_1, NOP);
  processor.registers[3] = 0x58n;
  const before = processor.icount;
  processor.run(before + 2);
  t.deepEqual(lone.hypercalls, [0x58n]);
  t.is(processor.pc, 0x2008n);
});

test('the decrementer interrupts as soon as it is below zero and MSR[EE] is set', (t) => {
  program(0x2000, SPIN);
  lone.poke32(0x900, SPIN, false);
  processor.setMsr(processor.msr | 0x8000n);
  processor.registers[4] = 10n;
  const begin = processor.icount;
  processor.setDecrementer(10n);
  const tick = processor.timebase();
  processor.run(begin + 1000);
  t.is(processor.specials[SRR0], 0x2000n);
  // Two instructions a tick, and the value -1 is the first that counts.
  t.is(BigInt.asUintN(64, processor.decrementer() + processor.timebase()), tick + 10n);
  t.true(processor.icount >= begin + 22);
  t.is(processor.specials[DEC_NUMBER] ?? 0n, 0n);
});

test('accesses outside RAM leave the interpreter, with their order and width', (t) => {
  lone.accesses.length = 0;
  // lwz r5,0(r4); lwbrx r6,0,r4; stb r5,1(r4); std r6,8(r4)
  program(0x2000, 0x80a4_0000, 0x7cc0_242c, 0x98a4_0001, 0xf8c4_0008);
  processor.registers[4] = 0x2000_8000_0000n;
  processor.run(processor.icount + 4);
  t.deepEqual(lone.accesses, [
    'read 200080000000 4 little',
    'read 200080000000 4 big',
    'write 200080000001 1 little 11',
    'write 200080000008 8 little 44332211',
  ]);
  t.is(processor.registers[5], 0x4433_2211n);
  t.is(processor.pc, 0x2010n);
});

test('an access across two pages is one access', (t) => {
  // std r5,0(r4); ld r6,0(r4)
  program(0x2000, 0xf8a4_0000, 0xe8c4_0000);
  processor.registers[4] = 0x3ffdn;
  processor.registers[5] = 0x0123_4567_89ab_cdefn;
  processor.run(processor.icount + 2);
  t.is(processor.registers[6], 0x0123_4567_89ab_cdefn);
  t.is(lone.ram.getUint8(0x3ffd), 0xef);
  t.is(lone.ram.getUint8(0x4000), 0x89);
});

test('what a program writes into itself, and what a device writes, is what runs next', (t) => {
  // stw r5,8(r4); nop; nop (to be replaced); b .
  program(0x2000, 0x90a4_0008, NOP, NOP, SPIN);
  processor.run(processor.icount + 3);
  t.is(processor.pc, 0x200cn);
  lone.start(0x2000, true);
  processor.registers[4] = 0x2000n;
  // li r7,42
  processor.registers[5] = 0x38e0_002an;
  processor.run(processor.icount + 3);
  t.is(processor.registers[7], 42n);
  lone.poke32(0x2008, 0x38e0_002b, true);
  lone.start(0x2004, true);
  processor.run(processor.icount + 2);
  t.is(processor.registers[7], 43n);
});

test('a trap, a privileged instruction in problem state, and vectors that are off', (t) => {
  // twi 31,r0,0
  program(0x2000, 0x0fe0_0000);
  processor.run(processor.icount + 1);
  t.is((processor.specials[SRR1] ?? 0n) & 0x2_0000n, 0x2_0000n);
  // lvx v0,0,r4
  program(0x2000, 0x7c00_20ce);
  processor.run(processor.icount + 1);
  t.is(processor.pc, 0xf20n);
});
