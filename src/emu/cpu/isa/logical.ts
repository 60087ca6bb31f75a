import { AT } from '../layout.ts';
import { L, type Emit, type Kit } from '../kit.ts';
import { get, i32, i64, select, set, type Code } from '../wasm.ts';
import {
  dForm,
  extended,
  mask64,
  mb6,
  ra,
  rb,
  register,
  rt,
  sh6,
  ui,
  type Instruction,
  type Micro,
  type Operations,
} from './row.ts';

// Fixed-point logic, rotation and shifting: Power ISA 3.0B, book I 3.3.13 and 3.3.14.

const x = get(L.x);
const y = get(L.y);
const z = get(L.z);
const ALL = i64.const(-1n);
const not = (value: Code): Code => i64.xor(value, ALL);
const low = (value: Code): Code => i64.fromU(i32.wrap(value));
const RC = 1;

interface Logical {
  readonly name: string;
  readonly xo: number;
  /** Bits of the extended opcode that count: 9 where one of ten belongs to the shift. */
  readonly bits?: number;
  /** Instructions without Rc never record. */
  readonly plain?: boolean;
  /** From rS in y and rB in z. */
  readonly result: Code;
}

const SHIFT_6 = i64.and(z, i64.const(63n));
const over = (bitOfShift: bigint, beyond: Code, inside: Code): Code =>
  select(i64.eqz(i64.and(z, i64.const(bitOfShift))), inside, beyond);
const ZERO = i64.const(0n);

/** 1 for each byte of odd parity, in bit 0 of the byte. */
const BYTE_ONES = i64.and(y, i64.const(0x0101_0101_0101_0101n));

function popcntb(): Code {
  const pairs = i64.sub(y, i64.and(i64.shrU(y, i64.const(1n)), i64.const(0x5555_5555_5555_5555n)));
  const threes = i64.const(0x3333_3333_3333_3333n);
  const nibbles = i64.add(i64.and(z, threes), i64.and(i64.shrU(z, i64.const(2n)), threes));
  return [
    ...set(L.z, pairs),
    ...set(L.z, nibbles),
    ...i64.and(i64.add(z, i64.shrU(z, i64.const(4n))), i64.const(0x0f0f_0f0f_0f0f_0f0fn)),
  ];
}

/** All ones in each byte that is equal: the zero bytes of y ^ z, spread from their high bits. */
function cmpb(): Code {
  const lows = i64.const(0x7f7f_7f7f_7f7f_7f7fn);
  const zeros = i64.shrU(not(i64.or(i64.or(i64.add(i64.and(x, lows), lows), x), lows)), i64.const(7n));
  return [...set(L.x, i64.xor(y, z)), ...i64.mul(zeros, i64.const(0xffn))];
}

const high = (value: Code): Code => i32.wrap(i64.shrU(value, i64.const(32n)));
const words = (of: (word: Code) => Code): Code =>
  i64.or(i64.fromU(of(i32.wrap(y))), i64.shl(i64.fromU(of(high(y))), i64.const(32n)));

const LOGICAL_ROWS: readonly Logical[] = [
  { name: 'and', xo: 28, result: i64.and(y, z) },
  { name: 'andc', xo: 60, result: i64.and(y, not(z)) },
  { name: 'or', xo: 444, result: i64.or(y, z) },
  { name: 'orc', xo: 412, result: i64.or(y, not(z)) },
  { name: 'xor', xo: 316, result: i64.xor(y, z) },
  { name: 'nor', xo: 124, result: not(i64.or(y, z)) },
  { name: 'nand', xo: 476, result: not(i64.and(y, z)) },
  { name: 'eqv', xo: 284, result: not(i64.xor(y, z)) },
  { name: 'extsb', xo: 954, result: i64.extend8(y) },
  { name: 'extsh', xo: 922, result: i64.extend16(y) },
  { name: 'extsw', xo: 986, result: i64.extend32(y) },
  { name: 'cntlzw', xo: 26, result: i64.fromU(i32.clz(i32.wrap(y))) },
  { name: 'cntlzd', xo: 58, result: i64.clz(y) },
  { name: 'cnttzw', xo: 538, result: i64.fromU(i32.ctz(i32.wrap(y))) },
  { name: 'cnttzd', xo: 570, result: i64.ctz(y) },
  { name: 'popcntb', xo: 122, plain: true, result: popcntb() },
  { name: 'popcntw', xo: 378, plain: true, result: words(i32.popcnt) },
  { name: 'popcntd', xo: 506, plain: true, result: i64.popcnt(y) },
  {
    name: 'prtyw',
    xo: 154,
    plain: true,
    result: i64.and(
      i64.or(
        i64.fromU(i32.popcnt(i32.wrap(BYTE_ONES))),
        i64.shl(i64.fromU(i32.popcnt(high(BYTE_ONES))), i64.const(32n)),
      ),
      i64.const(0x1_0000_0001n),
    ),
  },
  {
    name: 'prtyd',
    xo: 186,
    plain: true,
    result: i64.and(i64.popcnt(BYTE_ONES), i64.const(1n)),
  },
  { name: 'cmpb', xo: 508, plain: true, result: cmpb() },
  { name: 'slw', xo: 24, result: over(0x20n, ZERO, low(i64.shl(y, SHIFT_6))) },
  { name: 'srw', xo: 536, result: over(0x20n, ZERO, i64.shrU(low(y), SHIFT_6)) },
  { name: 'sld', xo: 27, result: over(0x40n, ZERO, i64.shl(y, SHIFT_6)) },
  { name: 'srd', xo: 539, result: over(0x40n, ZERO, i64.shrU(y, SHIFT_6)) },
];

/** Arithmetic shifts right: the carry says whether a negative number lost ones. Amount in z, value in y. */
function shiftRight(kit: Kit, records: boolean): Code {
  const sign = i64.shrS(y, i64.const(63n));
  const back = i64.shl(x, z);
  const lost = i32.and(i64.ltS(y, ZERO), i64.ne(back, y));
  return [
    ...set(L.x, i64.shrS(y, z)),
    ...set(L.q, lost),
    // Beyond the register everything but the sign is lost.
    ...kit.when(i64.gtU(z, i64.const(63n)), () => [...set(L.x, sign), ...set(L.q, i64.ltS(y, ZERO))]),
    ...kit.setByte(AT.ca, get(L.q)),
    ...kit.setByte(AT.ca32, get(L.q)),
    ...kit.setA(x),
    ...(records ? kit.record() : []),
  ];
}

/** Amounts from 32 to 63 shift every bit of a word out: its sign remains. */
const sraw =
  (records: boolean): Emit =>
  (kit) => [
    ...set(L.y, i64.extend32(kit.B)),
    ...set(L.z, i64.and(kit.C, i64.const(63n))),
    ...shiftRight(kit, records),
  ];
const srad =
  (records: boolean): Emit =>
  (kit) => [...set(L.y, kit.B), ...set(L.z, i64.and(kit.C, i64.const(127n))), ...shiftRight(kit, records)];
const srawi =
  (records: boolean): Emit =>
  (kit) => [...set(L.y, i64.extend32(kit.B)), ...set(L.z, kit.immediate), ...shiftRight(kit, records)];
const sradi =
  (records: boolean): Emit =>
  (kit) => [...set(L.y, kit.B), ...set(L.z, kit.immediate), ...shiftRight(kit, records)];

/** Rotations: operand c is the amount or its register, the doubleword the mask. */
const AMOUNT = (kit: Kit): Code => i64.fromU(kit.c);
const doubled = (value: Code): Code => [...set(L.y, low(value)), ...i64.or(y, i64.shl(y, i64.const(32n)))];
const rotated =
  (value: (kit: Kit) => Code, amount: (kit: Kit) => Code) =>
  (kit: Kit): Code =>
    i64.and(i64.rotl(value(kit), amount(kit)), kit.immediate);
const inserted =
  (value: (kit: Kit) => Code) =>
  (kit: Kit): Code =>
    i64.or(rotated(value, AMOUNT)(kit), i64.and(kit.A, not(kit.immediate)));
const rS = (kit: Kit): Code => kit.B;
const rS32 = (kit: Kit): Code => doubled(kit.B);

const ROTATIONS: Readonly<Record<string, (kit: Kit) => Code>> = {
  rotate: rotated(rS, AMOUNT),
  rotateinsert: inserted(rS),
  rotateby: rotated(rS, (kit) => kit.C),
  rotatew: rotated(rS32, AMOUNT),
  /** A mask within the low word needs no doubling. */
  rotatelow: (kit) => i64.and(i64.fromU(i32.rotl(i32.wrap(kit.B), kit.c)), kit.immediate),
  rotateinsertw: inserted(rS32),
  rotatewby: rotated(rS32, (kit) => i64.and(kit.C, i64.const(31n))),
  immediateand: (kit) => i64.and(kit.B, kit.immediate),
  extswsli: (kit) => i64.shl(i64.extend32(kit.B), kit.immediate),
};

const recorded =
  (result: (kit: Kit) => Code, records: boolean): Emit =>
  (kit) =>
    records ? [...set(L.x, result(kit)), ...kit.setA(x), ...kit.record()] : kit.setA(result(kit));

function logical(row: Logical, records: boolean): Emit {
  return (kit) => [
    ...set(L.y, kit.B),
    ...set(L.z, kit.C),
    ...(records ? [...set(L.x, row.result), ...kit.setA(x), ...kit.record()] : kit.setA(row.result)),
  ];
}

const both = (name: string, make: (records: boolean) => Emit): [string, Emit][] => [
  [name, make(false)],
  [`${name}.`, make(true)],
];

export const LOGICAL_OPERATIONS: Operations = {
  move: (kit) => kit.setA(kit.B),
  ori: (kit) => kit.setA(i64.or(kit.B, kit.immediate)),
  xori: (kit) => kit.setA(i64.xor(kit.B, kit.immediate)),
  ...Object.fromEntries([
    ...LOGICAL_ROWS.flatMap((row) =>
      row.plain === true
        ? [[row.name, logical(row, false)] as [string, Emit]]
        : both(row.name, (records) => logical(row, records)),
    ),
    ...Object.entries(ROTATIONS).flatMap(([name, result]) =>
      both(name, (records) => recorded(result, records)),
    ),
    ...both('sraw', sraw),
    ...both('srad', srad),
    ...both('srawi', srawi),
    ...both('sradi', sradi),
  ]),
};

const dotted = (name: string, word: number): string => ((word & RC) === 0 ? name : `${name}.`);

/** rA is the target of these, rS the first source. */
function shifted(op: string, word: number, more: Omit<Micro, 'op'>): Micro {
  return { op: dotted(op, word), a: register(ra(word)), b: register(rt(word)), ...more };
}

function wordMask(word: number): bigint {
  return mask64(32 + ((word >>> 6) & 31), 32 + ((word >>> 1) & 31));
}

const immediateLogic = (name: string, op: string, opcode: number, shift: bigint): Instruction => ({
  name,
  ...dForm(opcode),
  lower: (word) => ({
    op,
    a: register(ra(word)),
    b: register(rt(word)),
    immediate: ui(word) << shift,
  }),
});

/** MD form: the mask from the instruction's field, and the fixed other end. */
const rotation = (name: string, xo: number, op: string, mask: (word: number) => bigint): Instruction => ({
  name,
  ...extended(30, xo, 3, 2),
  lower: (word) => shifted(op, word, { c: sh6(word), immediate: mask(word) }),
});

const rotationBy = (name: string, xo: number, mask: (word: number) => bigint): Instruction => ({
  name,
  ...extended(30, xo, 4, 1),
  lower: (word) => shifted('rotateby', word, { c: register(rb(word)), immediate: mask(word) }),
});

export const LOGICAL: readonly Instruction[] = [
  immediateLogic('ori', 'ori', 24, 0n),
  immediateLogic('oris', 'ori', 25, 16n),
  immediateLogic('xori', 'xori', 26, 0n),
  immediateLogic('xoris', 'xori', 27, 16n),
  immediateLogic('andi.', 'immediateand.', 28, 0n),
  immediateLogic('andis.', 'immediateand.', 29, 16n),
  ...LOGICAL_ROWS.map((row): Instruction => ({
    name: row.name,
    ...extended(31, row.xo, 10),
    lower: (word) => {
      if (row.name === 'or' && rt(word) === rb(word) && (word & RC) === 0) {
        return { op: 'move', a: register(ra(word)), b: register(rt(word)) };
      }
      const op = row.plain === true ? row.name : dotted(row.name, word);
      return { op, a: register(ra(word)), b: register(rt(word)), c: register(rb(word)) };
    },
  })),
  {
    name: 'rlwinm',
    ...dForm(21),
    lower: (word) => {
      const immediate = wordMask(word);
      const op = immediate >> 32n === 0n ? 'rotatelow' : 'rotatew';
      return shifted(op, word, { c: rb(word), immediate });
    },
  },
  {
    name: 'rlwimi',
    ...dForm(20),
    lower: (word) => shifted('rotateinsertw', word, { c: rb(word), immediate: wordMask(word) }),
  },
  {
    name: 'rlwnm',
    ...dForm(23),
    lower: (word) => shifted('rotatewby', word, { c: register(rb(word)), immediate: wordMask(word) }),
  },
  rotation('rldicl', 0, 'rotate', (word) => mask64(mb6(word), 63)),
  rotation('rldicr', 1, 'rotate', (word) => mask64(0, mb6(word))),
  rotation('rldic', 2, 'rotate', (word) => mask64(mb6(word), 63 - sh6(word))),
  rotation('rldimi', 3, 'rotateinsert', (word) => mask64(mb6(word), 63 - sh6(word))),
  rotationBy('rldcl', 8, (word) => mask64(mb6(word), 63)),
  rotationBy('rldcr', 9, (word) => mask64(0, mb6(word))),
  {
    name: 'sraw',
    ...extended(31, 792, 10),
    lower: (word) => shifted('sraw', word, { c: register(rb(word)) }),
  },
  {
    name: 'srad',
    ...extended(31, 794, 10),
    lower: (word) => shifted('srad', word, { c: register(rb(word)) }),
  },
  {
    name: 'srawi',
    ...extended(31, 824, 10),
    lower: (word) => shifted('srawi', word, { immediate: BigInt(rb(word)) }),
  },
  {
    name: 'sradi',
    ...extended(31, 413, 9, 2),
    lower: (word) => shifted('sradi', word, { immediate: BigInt(sh6(word)) }),
  },
  {
    name: 'extswsli',
    ...extended(31, 445, 9, 2),
    lower: (word) => shifted('extswsli', word, { immediate: BigInt(sh6(word)) }),
  },
];
