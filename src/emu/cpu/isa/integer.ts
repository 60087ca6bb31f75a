import { AT } from '../layout.ts';
import { HIGH_MULTIPLY, L, type Emit, type Kit } from '../kit.ts';
import { call, get, i32, i64, select, set, type Code } from '../wasm.ts';
import {
  baseRegister,
  dForm,
  extended,
  ra,
  rb,
  register,
  rt,
  si,
  ui,
  type Instruction,
  type Micro,
  type Operations,
} from './row.ts';

// Fixed-point arithmetic and comparison: Power ISA 3.0B, book I 3.3.8 to 3.3.12.

const ZERO = i64.const(0n);
const x = get(L.x);
const y = get(L.y);
const z = get(L.z);
const low = (value: Code): Code => i64.fromU(i32.wrap(value));

interface Arithmetic {
  readonly name: string;
  readonly xo: number;
  /** rB is not an operand. */
  readonly unary?: boolean;
  /** There is no Rc. */
  readonly plain?: boolean;
  /** Operands into locals y and z first. */
  readonly operands: (kit: Kit) => readonly [Code, Code];
  /** The result, from locals y and z. */
  readonly result: Code;
  /** Whether it overflows in 64 bits and in 32: from locals x, y and z, 0 or 1. */
  readonly overflow: Code;
  readonly overflow32?: Code;
  /** Carries out of bits 0 and 32, from locals x, y and z. */
  readonly carry?: Code;
}

/** Signs of both addends differ from that of the sum. */
const ADDS_OVER = i32.wrap(i64.shrU(i64.and(i64.xor(x, y), i64.xor(x, z)), i64.const(63n)));
const ADDS_OVER_32 = i32.and(
  i32.wrap(i64.shrU(i64.and(i64.xor(x, y), i64.xor(x, z)), i64.const(31n))),
  i32.const(1),
);
const ADD = i64.add(y, z);
const carryIn = (kit: Kit): Code => i64.fromU(kit.carry);
const not = (value: Code): Code => i64.xor(value, i64.const(-1n));

/**
 * Sums of y, z and a carry that stands in local ea. The carry out is that of the majority of operands and the
 * complemented sum in the highest bit.
 */
const SUM = i64.add(ADD, get(L.ea));
const majority = (shift: bigint): Code =>
  i32.and(
    i32.wrap(i64.shrU(i64.or(i64.and(y, z), i64.and(i64.or(y, z), not(x))), i64.const(shift))),
    i32.const(1),
  );
const CARRY = majority(63n);
const CARRY_32 = majority(31n);

const sum = (
  name: string,
  xo: number,
  first: (kit: Kit) => Code,
  second: (kit: Kit) => Code,
  carry: (kit: Kit) => Code,
  unary = false,
): Arithmetic => ({
  name,
  xo,
  unary,
  operands: (kit) => [[...first(kit), ...set(L.ea, carry(kit))], second(kit)],
  result: SUM,
  overflow: ADDS_OVER,
  overflow32: ADDS_OVER_32,
  carry: CARRY,
});

const rA = (kit: Kit): Code => kit.B;
const notA = (kit: Kit): Code => not(kit.B);
const rB = (kit: Kit): Code => kit.C;
const zero = (): Code => ZERO;
const one = (): Code => i64.const(1n);
const minusOne = (): Code => i64.const(-1n);

const MIN_64 = i64.const(-(1n << 63n));
const Y32 = i32.wrap(y);
const Z32 = i32.wrap(z);
const BAD_SIGNED = i32.or(i64.eqz(z), i32.and(i64.eq(y, MIN_64), i64.eq(z, i64.const(-1n))));
const BAD_SIGNED_32 = i32.or(
  i32.eqz(Z32),
  i32.and(i32.eq(Y32, i32.const(-0x8000_0000)), i32.eq(Z32, i32.const(-1))),
);
/** A divisor that WebAssembly does not trap at; the result is thrown away. */
const safe = (bad: Code, value: Code): Code => select(bad, i64.const(1n), value);
const safe32 = (bad: Code, value: Code): Code => select(bad, i32.const(1), value);
/** QEMU's result of a division that has none is 0 (unsigned), or the dividend's sign (fixed-point helpers of 7.2). */
const orZero = (bad: Code, value: Code): Code => select(bad, ZERO, value);

const LEFT = { operands: (kit: Kit): readonly [Code, Code] => [kit.B, kit.C] };
const PRODUCT = i64.mul(y, z);
const HIGH_UNSIGNED = call(HIGH_MULTIPLY, y, z);
const HIGH_SIGNED = i64.sub(
  i64.sub(HIGH_UNSIGNED, i64.and(i64.shrS(y, i64.const(63n)), z)),
  i64.and(i64.shrS(z, i64.const(63n)), y),
);
const NEVER = i32.const(0);

const ARITHMETIC: readonly Arithmetic[] = [
  { name: 'add', xo: 266, ...LEFT, result: ADD, overflow: ADDS_OVER, overflow32: ADDS_OVER_32 },
  {
    name: 'subf',
    xo: 40,
    operands: (kit) => [kit.C, kit.B],
    result: i64.sub(y, z),
    overflow: i32.wrap(i64.shrU(i64.and(i64.xor(x, y), i64.xor(y, z)), i64.const(63n))),
    overflow32: i32.and(
      i32.wrap(i64.shrU(i64.and(i64.xor(x, y), i64.xor(y, z)), i64.const(31n))),
      i32.const(1),
    ),
  },
  {
    name: 'neg',
    xo: 104,
    unary: true,
    operands: (kit) => [ZERO, kit.B],
    result: i64.sub(y, z),
    overflow: i64.eq(z, MIN_64),
    overflow32: i32.eq(Z32, i32.const(-0x8000_0000)),
  },
  sum('addc', 10, rA, rB, zero),
  sum('subfc', 8, notA, rB, one),
  sum('adde', 138, rA, rB, carryIn),
  sum('subfe', 136, notA, rB, carryIn),
  sum('addze', 202, rA, zero, carryIn, true),
  sum('subfze', 200, notA, zero, carryIn, true),
  sum('addme', 234, rA, minusOne, carryIn, true),
  sum('subfme', 232, notA, minusOne, carryIn, true),
  {
    name: 'mulld',
    xo: 233,
    ...LEFT,
    result: PRODUCT,
    overflow: i64.ne(HIGH_SIGNED, i64.shrS(x, i64.const(63n))),
  },
  {
    name: 'mullw',
    xo: 235,
    ...LEFT,
    result: i64.mul(i64.extend32(y), i64.extend32(z)),
    overflow: i64.ne(i64.extend32(x), x),
  },
  {
    name: 'divd',
    xo: 489,
    ...LEFT,
    result: orZero(BAD_SIGNED, i64.divS(y, safe(BAD_SIGNED, z))),
    overflow: BAD_SIGNED,
  },
  {
    name: 'divdu',
    xo: 457,
    ...LEFT,
    result: orZero(i64.eqz(z), i64.divU(y, safe(i64.eqz(z), z))),
    overflow: i64.eqz(z),
  },
  {
    name: 'divw',
    xo: 491,
    ...LEFT,
    result: orZero(BAD_SIGNED_32, i64.fromU(i32.divS(Y32, safe32(BAD_SIGNED_32, Z32)))),
    overflow: BAD_SIGNED_32,
  },
  {
    name: 'divwu',
    xo: 459,
    ...LEFT,
    result: orZero(i32.eqz(Z32), i64.fromU(i32.divU(Y32, safe32(i32.eqz(Z32), Z32)))),
    overflow: i32.eqz(Z32),
  },
];

/** Without OE: these have none. */
const PLAIN: readonly Arithmetic[] = [
  { name: 'mulhd', xo: 73, ...LEFT, result: HIGH_SIGNED, overflow: NEVER },
  { name: 'mulhdu', xo: 9, ...LEFT, result: HIGH_UNSIGNED, overflow: NEVER },
  {
    name: 'mulhw',
    xo: 75,
    ...LEFT,
    result: i64.fromU(i32.wrap(i64.shrU(i64.mul(i64.extend32(y), i64.extend32(z)), i64.const(32n)))),
    overflow: NEVER,
  },
  {
    name: 'mulhwu',
    xo: 11,
    ...LEFT,
    result: i64.shrU(i64.mul(low(y), low(z)), i64.const(32n)),
    overflow: NEVER,
  },
  {
    name: 'modsd',
    xo: 777,
    plain: true,
    ...LEFT,
    result: orZero(BAD_SIGNED, i64.remS(y, safe(BAD_SIGNED, z))),
    overflow: NEVER,
  },
  {
    name: 'modud',
    xo: 265,
    plain: true,
    ...LEFT,
    result: orZero(i64.eqz(z), i64.remU(y, safe(i64.eqz(z), z))),
    overflow: NEVER,
  },
  {
    name: 'modsw',
    xo: 779,
    plain: true,
    ...LEFT,
    result: orZero(BAD_SIGNED_32, i64.fromS(i32.remS(Y32, safe32(BAD_SIGNED_32, Z32)))),
    overflow: NEVER,
  },
  {
    name: 'moduw',
    xo: 267,
    plain: true,
    ...LEFT,
    result: orZero(i32.eqz(Z32), i64.fromU(i32.remU(Y32, safe32(i32.eqz(Z32), Z32)))),
    overflow: NEVER,
  },
];

function arithmetic(row: Arithmetic, overflows: boolean, records: boolean): Emit {
  return (kit) => {
    const [first, second] = row.operands(kit);
    const code = [...set(L.y, first), ...set(L.z, second), ...set(L.x, row.result), ...kit.setA(x)];
    if (row.carry !== undefined) {
      code.push(...kit.setByte(AT.ca, row.carry), ...kit.setByte(AT.ca32, CARRY_32));
    }
    if (overflows) {
      code.push(
        ...kit.setByte(AT.ov, row.overflow),
        ...kit.setByte(AT.ov32, row.overflow32 ?? row.overflow),
        ...kit.setByte(AT.so, i32.or(kit.byte(AT.so), kit.byte(AT.ov))),
      );
    }
    if (records) code.push(...kit.record());
    return code;
  };
}

const RC = 1;
const OE = 0x400;

/** rT, rA, rB: the target is operand a. */
function operation(name: string, word: number): Micro {
  return { op: name, a: register(rt(word)), b: register(ra(word)), c: register(rb(word)) };
}

function arithmeticRow(row: Arithmetic, hasOverflow: boolean): Instruction {
  return {
    name: row.name,
    ...extended(31, row.xo, hasOverflow ? 9 : 10),
    lower: (word) =>
      operation(
        row.name +
          (hasOverflow && (word & OE) !== 0 ? 'o' : '') +
          ((word & RC) === 0 || row.plain === true ? '' : '.'),
        word,
      ),
  };
}

const compare = (signed: boolean, wide: boolean, right: (kit: Kit) => Code): Emit => {
  const cut = (value: Code): Code => (wide ? value : i32.wrap(value));
  const width = wide ? i64 : i32;
  const less = signed ? width.ltS : width.ltU;
  const greater = signed ? width.gtS : width.gtU;
  return (kit) => [
    ...set(L.y, kit.B),
    ...set(L.z, right(kit)),
    ...i32.store8(kit.a, kit.comparison(less(cut(y), cut(z)), greater(cut(y), cut(z))), AT.cr),
  ];
};

const WIDE = 0x20_0000;

const comparisonRow = (
  name: string,
  encoding: { mask: number; match: number },
  immediate: ((word: number) => bigint) | undefined,
): Instruction => ({
  name,
  ...encoding,
  lower: (word) => ({
    op: `${name}${(word & WIDE) === 0 ? 'w' : 'd'}`,
    a: rt(word) >> 2,
    b: register(ra(word)),
    c: register(rb(word)),
    ...(immediate === undefined ? {} : { immediate: immediate(word) }),
  }),
});

const immediateOf = (kit: Kit): Code => kit.immediate;

const immediateSum =
  (records: boolean): Emit =>
  (kit) => [
    ...set(L.y, kit.B),
    ...set(L.z, kit.immediate),
    ...set(L.x, ADD),
    ...kit.setA(x),
    ...kit.setByte(AT.ca, CARRY),
    ...kit.setByte(AT.ca32, CARRY_32),
    ...(records ? kit.record() : []),
  ];

const OPERATIONS_PLAIN: Operations = {
  addi: (kit) => kit.setA(i64.add(kit.B, kit.immediate)),
  addpcis: (kit) => kit.setA(i64.add(kit.nextPc, kit.immediate)),
  li: (kit) => kit.setA(kit.immediate),
  mulli: (kit) => kit.setA(i64.mul(kit.B, kit.immediate)),
  addic: immediateSum(false),
  'addic.': immediateSum(true),
  subfic: (kit) => [
    ...set(L.y, not(kit.B)),
    ...set(L.z, kit.immediate),
    ...set(L.x, i64.add(ADD, i64.const(1n))),
    ...kit.setA(x),
    ...kit.setByte(AT.ca, CARRY),
    ...kit.setByte(AT.ca32, CARRY_32),
  ],
  cmpiw: compare(true, false, immediateOf),
  cmpid: compare(true, true, immediateOf),
  cmpliw: compare(false, false, immediateOf),
  cmplid: compare(false, true, immediateOf),
  cmpw: compare(true, false, rB),
  cmpd: compare(true, true, rB),
  cmplw: compare(false, false, rB),
  cmpld: compare(false, true, rB),
  // cmprb, cmpeqb: whether a byte lies in one of two ranges, or among eight bytes.
  cmprb: (kit) => {
    const byte = (value: Code, shift: bigint): Code =>
      i64.and(i64.shrU(value, i64.const(shift)), i64.const(0xffn));
    const inside = (shift: bigint): Code =>
      i32.and(i64.geU(byte(y, 0n), byte(z, shift)), i64.geU(byte(z, shift + 8n), byte(y, 0n)));
    const second = i32.and(inside(16n), i32.wrap(kit.immediate));
    return [
      ...set(L.y, kit.B),
      ...set(L.z, kit.C),
      ...i32.store8(kit.a, i32.shl(i32.or(inside(0n), second), i32.const(2)), AT.cr),
    ];
  },
  cmpeqb: (kit) => {
    const pattern = i64.mul(i64.and(kit.B, i64.const(0xffn)), i64.const(0x0101_0101_0101_0101n));
    const lows = i64.const(0x7f7f_7f7f_7f7f_7f7fn);
    // A zero byte of y, exactly: neither its high bit nor a carry from its low ones.
    const zeros = i64.and(
      not(i64.or(i64.add(i64.and(y, lows), lows), y)),
      i64.const(-0x7f7f_7f7f_7f7f_7f80n),
    );
    return [
      ...set(L.y, i64.xor(pattern, kit.C)),
      ...i32.store8(kit.a, i32.shl(i64.ne(zeros, ZERO), i32.const(2)), AT.cr),
    ];
  },
};

export const INTEGER_OPERATIONS: Operations = {
  ...OPERATIONS_PLAIN,
  ...Object.fromEntries(
    ARITHMETIC.flatMap((row) =>
      [false, true].flatMap((overflows) =>
        [false, true].map((records): [string, Emit] => [
          row.name + (overflows ? 'o' : '') + (records ? '.' : ''),
          arithmetic(row, overflows, records),
        ]),
      ),
    ),
  ),
  ...Object.fromEntries(
    PLAIN.flatMap((row) =>
      [false, true].map((records): [string, Emit] => [
        row.name + (records ? '.' : ''),
        arithmetic(row, false, records),
      ]),
    ),
  ),
};

const immediateRow = (name: string, opcode: number): Instruction => ({
  name,
  ...dForm(opcode),
  lower: (word) => ({
    op: name,
    a: register(rt(word)),
    b: register(ra(word)),
    immediate: si(word),
  }),
});

const addImmediate = (name: string, opcode: number, shift: bigint): Instruction => ({
  name,
  ...dForm(opcode),
  lower: (word) => ({
    op: ra(word) === 0 ? 'li' : 'addi',
    a: register(rt(word)),
    b: baseRegister(word),
    immediate: si(word) << shift,
  }),
});

export const INTEGER: readonly Instruction[] = [
  addImmediate('addi', 14, 0n),
  addImmediate('addis', 15, 16n),
  {
    name: 'addpcis',
    ...extended(19, 2, 5),
    lower: (word) => {
      const d = (word & 0xffc0) | ((word >>> 15) & 0x3e) | (word & 1);
      return { op: 'addpcis', a: register(rt(word)), immediate: si(d) << 16n };
    },
  },
  immediateRow('mulli', 7),
  immediateRow('addic', 12),
  immediateRow('addic.', 13),
  immediateRow('subfic', 8),
  ...ARITHMETIC.map((row) => arithmeticRow(row, true)),
  ...PLAIN.map((row) => arithmeticRow(row, false)),
  comparisonRow('cmpi', dForm(11), si),
  comparisonRow('cmpli', dForm(10), ui),
  comparisonRow('cmp', extended(31, 0, 10), undefined),
  comparisonRow('cmpl', extended(31, 32, 10), undefined),
  {
    name: 'cmprb',
    ...extended(31, 192, 10),
    lower: (word) => ({
      op: 'cmprb',
      a: rt(word) >> 2,
      b: register(ra(word)),
      c: register(rb(word)),
      immediate: (word & WIDE) === 0 ? 0n : 1n,
    }),
  },
  {
    name: 'cmpeqb',
    ...extended(31, 224, 10),
    lower: (word) => ({ op: 'cmpeqb', a: rt(word) >> 2, b: register(ra(word)), c: register(rb(word)) }),
  },
];
