import { PROGRAM } from '../abi.ts';
import { MSR_FE0, MSR_FE1 } from '../abi.ts';
import type { Core } from '../core.ts';
import {
  add,
  classOf,
  compare,
  divide,
  DOUBLE,
  fromInteger,
  isNan,
  multiply,
  multiplyAdd,
  negated,
  RAISED,
  roundTo,
  roundToIntegral,
  SINGLE,
  squareRoot,
  subtract,
  toInteger,
  type Result,
  type Rounding,
} from '../soft-float.ts';
import { extended, ra, rb, rt, type Instruction } from './row.ts';

// Floating point: Power ISA 3.0B, book I 4.6, and the scalar forms of chapter 7, as QEMU 7.2 carries them out.

const SIGN = 1n << 63n;
const FX = 1n << 31n;
const FEX = 1n << 30n;
const VX = 1n << 29n;
const FRACTION_INEXACT = 1n << 17n;
const FPRF = 0x1fn << 12n;
const FPCC = 0xfn << 12n;
/** C and FU: what QEMU has of an invalid conversion or ordered comparison of the forms on FPRs. */
const UNORDERED_CLASS = 0x11n << 12n;
const INVALID =
  RAISED.signalling |
  RAISED.infinityMinusInfinity |
  RAISED.infinityByInfinity |
  RAISED.zeroByZero |
  RAISED.infinityTimesZero |
  RAISED.compare |
  RAISED.root |
  RAISED.convert |
  (1 << 10);
/** Enable bits and what they enable. */
const ENABLES = [
  { enable: 7n, raised: INVALID },
  { enable: 6n, raised: RAISED.overflow },
  { enable: 5n, raised: RAISED.underflow },
  { enable: 4n, raised: RAISED.zeroDivide },
  { enable: 3n, raised: RAISED.inexact },
] as const;

const ROUNDINGS: readonly Rounding[] = ['nearest', 'zero', 'up', 'down'];

function rounding(core: Core): Rounding {
  return ROUNDINGS[Number(core.fpscr & 3n)] ?? 'nearest';
}

/** VX and FEX follow from the other bits. */
function summarise(fpscr: bigint): bigint {
  let value = fpscr & ~(VX | FEX);
  if ((value & BigInt(INVALID)) !== 0n) value |= VX;
  const enabled = ENABLES.some(
    ({ enable, raised }) => ((value >> enable) & 1n) !== 0n && (value & BigInt(raised)) !== 0n,
  );
  return enabled ? value | FEX : value;
}

/** Notes what an operation raised; true if its result may be written. */
function note(core: Core, raised: number): boolean {
  const before = core.fpscr;
  let value = before & ~FRACTION_INEXACT;
  if ((raised & RAISED.inexact) !== 0) value |= FRACTION_INEXACT;
  if ((BigInt(raised) & ~before) !== 0n) value |= FX;
  value = summarise(value | BigInt(raised));
  core.fpscr = value;
  const enabled = ENABLES.filter((row) => ((value >> row.enable) & 1n) !== 0n && (raised & row.raised) !== 0);
  if (enabled.length === 0) return true;
  if ((core.msr & (MSR_FE0 | MSR_FE1)) !== 0n) core.programInterrupt(PROGRAM.floatEnabled);
  return !enabled.some((row) => row.enable === 7n || row.enable === 4n);
}

const vsrOf = (core: Core, vsr: number): bigint => core.vectors[2 * vsr] ?? 0n;

function setVsr(core: Core, vsr: number, bits: bigint): void {
  core.vectors[2 * vsr] = bits;
  core.vectors[2 * vsr + 1] = 0n;
}

/** Writes a result with its class, unless an enabled exception forbids it. */
function give(core: Core, vsr: number, result: Result): void {
  if (!note(core, result.raised)) return;
  setVsr(core, vsr, result.bits);
  core.fpscr = (core.fpscr & ~FPRF) | (BigInt(classOf(result.bits)) << 12n);
}

/** Rc: CR1 takes the upper four bits of FPSCR. */
function record(core: Core, word: number): void {
  if ((word & 1) !== 0) core.condition[1] = Number((core.fpscr >> 28n) & 15n);
}

const xt = (word: number): number => rt(word) | ((word & 1) << 5);
const xa = (word: number): number => ra(word) | ((word & 4) << 3);
const xb = (word: number): number => rb(word) | ((word & 2) << 4);
const frc = (word: number): number => (word >>> 6) & 31;

const float =
  (run: (core: Core, word: number) => void) =>
  (core: Core, word: number): void => {
    if (!core.available('float')) return;
    run(core, word);
    record(core, word);
  };
const vsx =
  (run: (core: Core, word: number) => void) =>
  (core: Core, word: number): void => {
    if (core.available('vsx')) run(core, word);
  };

type Two = (left: bigint, right: bigint, mode: Rounding, format: typeof DOUBLE) => Result;
type Three = (a: bigint, c: bigint, b: bigint, mode: Rounding, format: typeof DOUBLE) => Result;

const ONE = 0x3ff0_0000_0000_0000n;
const madd: Three = multiplyAdd;
const msub: Three = (a, c, b, mode, format) => multiplyAdd(a, c, negated(b), mode, format);
const nmadd: Three = (a, c, b, mode, format) => multiplyAdd(a, c, b, mode, format, true);
const nmsub: Three = (a, c, b, mode, format) => multiplyAdd(a, c, negated(b), mode, format, true);

const HALF = 0x3fe0_0000_0000_0000n;

/** QEMU's estimate of a reciprocal is exact, and half of one for zero. */
function reciprocal(value: bigint, mode: Rounding, format: typeof DOUBLE): Result {
  const found = divide(ONE, value, mode, format);
  if ((found.raised & RAISED.zeroDivide) === 0) return found;
  return { bits: (found.bits & SIGN) | HALF, raised: found.raised };
}

const ARITHMETIC: readonly (readonly [name: string, xo: number, run: Two, xs: number])[] = [
  ['add', 21, add, 32],
  ['sub', 20, subtract, 40],
  ['mul', 25, multiply, 48],
  ['div', 18, divide, 56],
];
const FUSED: readonly (readonly [name: string, xo: number, run: Three, xs: number])[] = [
  ['madd', 29, madd, 33],
  ['msub', 28, msub, 49],
  ['nmadd', 31, nmadd, 161],
  ['nmsub', 30, nmsub, 177],
];

const PRECISIONS = [
  { opcode: 63, format: DOUBLE, letter: '', vsx: 'dp', step: 0 },
  { opcode: 59, format: SINGLE, letter: 's', vsx: 'sp', step: 32 },
] as const;

const arithmetic: readonly Instruction[] = PRECISIONS.flatMap(
  ({ opcode, format, letter, vsx: kind, step }) => [
    ...ARITHMETIC.flatMap(([name, xo, run, xs]): Instruction[] => [
      {
        name: `f${name}${letter}`,
        ...extended(opcode, xo, 5),
        assist: float((core, word) => {
          const right = vsrOf(core, name === 'mul' ? frc(word) : rb(word));
          give(core, rt(word), run(vsrOf(core, ra(word)), right, rounding(core), format));
        }),
      },
      {
        name: `xs${name}${kind}`,
        ...extended(60, xs - step, 8, 3),
        assist: vsx((core, word) =>
          give(core, xt(word), run(vsrOf(core, xa(word)), vsrOf(core, xb(word)), rounding(core), format)),
        ),
      },
    ]),
    ...FUSED.flatMap(([name, xo, run, xs]): Instruction[] => [
      {
        name: `f${name}${letter}`,
        ...extended(opcode, xo, 5),
        assist: float((core, word) =>
          give(
            core,
            rt(word),
            run(vsrOf(core, ra(word)), vsrOf(core, frc(word)), vsrOf(core, rb(word)), rounding(core), format),
          ),
        ),
      },
      {
        name: `xs${name}a${kind}`,
        ...extended(60, xs - step, 8, 3),
        assist: vsx((core, word) =>
          give(
            core,
            xt(word),
            run(vsrOf(core, xa(word)), vsrOf(core, xb(word)), vsrOf(core, xt(word)), rounding(core), format),
          ),
        ),
      },
      {
        name: `xs${name}m${kind}`,
        ...extended(60, xs + 8 - step, 8, 3),
        assist: vsx((core, word) =>
          give(
            core,
            xt(word),
            run(vsrOf(core, xa(word)), vsrOf(core, xt(word)), vsrOf(core, xb(word)), rounding(core), format),
          ),
        ),
      },
    ]),
    {
      name: `fsqrt${letter}`,
      ...extended(opcode, 22, 5),
      assist: float((core, word) =>
        give(core, rt(word), squareRoot(vsrOf(core, rb(word)), rounding(core), format)),
      ),
    },
    {
      name: `fre${letter}`,
      ...extended(opcode, 24, 5),
      assist: float((core, word) =>
        give(core, rt(word), reciprocal(vsrOf(core, rb(word)), rounding(core), format)),
      ),
    },
    {
      name: `frsqrte${letter}`,
      ...extended(opcode, 26, 5),
      assist: float((core, word) => {
        const root = squareRoot(vsrOf(core, rb(word)), rounding(core), DOUBLE);
        const estimate = divide(ONE, root.bits, rounding(core), format);
        give(core, rt(word), { bits: estimate.bits, raised: root.raised | estimate.raised });
      }),
    },
  ],
);

interface Convert {
  readonly name: string;
  readonly run: (core: Core, bits: bigint) => Result;
  /** Extended opcodes of the form on FPRs (primary 63 or 59) and of that on VSRs. */
  readonly float?: readonly [opcode: number, xo: number];
  readonly vsx?: number;
  /** The result is a floating-point number: FPRF tells its class. */
  readonly classifies: boolean;
}

const integral =
  (bits: 32 | 64, signed: boolean, fixed?: Rounding) =>
  (core: Core, value: bigint): Result => {
    const result = toInteger(value, bits, signed, fixed ?? rounding(core));
    if (bits === 64 || isNan(value)) return result;
    return {
      bits: signed ? BigInt.asUintN(64, BigInt.asIntN(32, result.bits)) : result.bits,
      raised: result.raised,
    };
  };
/** Words of VSX conversions stand in both halves of the doubleword. */
const integralWord =
  (signed: boolean) =>
  (core: Core, value: bigint): Result => {
    const { bits, raised } = integral(32, signed, 'zero')(core, value);
    const low = BigInt.asUintN(32, bits);
    return { bits: (low << 32n) | low, raised };
  };
const fromSigned =
  (format: typeof DOUBLE) =>
  (core: Core, value: bigint): Result =>
    fromInteger(BigInt.asIntN(64, value), rounding(core), format);
const fromUnsigned =
  (format: typeof DOUBLE) =>
  (core: Core, value: bigint): Result =>
    fromInteger(value, rounding(core), format);
/** Rounding to an integral value is never inexact here but for xsrdpic. */
const toIntegral =
  (mode: Rounding | undefined, tells: boolean) =>
  (core: Core, value: bigint): Result => {
    const { bits, raised } = roundToIntegral(value, mode ?? rounding(core));
    return { bits, raised: tells ? raised : raised & ~RAISED.inexact };
  };

const CONVERSIONS: readonly Convert[] = [
  { name: 'fctid', run: integral(64, true), float: [63, 814], classifies: false },
  { name: 'fctidz', run: integral(64, true, 'zero'), float: [63, 815], vsx: 344, classifies: false },
  { name: 'fctidu', run: integral(64, false), float: [63, 942], classifies: false },
  { name: 'fctiduz', run: integral(64, false, 'zero'), float: [63, 943], vsx: 328, classifies: false },
  { name: 'fctiw', run: integral(32, true), float: [63, 14], classifies: false },
  { name: 'fctiwz', run: integral(32, true, 'zero'), float: [63, 15], classifies: false },
  { name: 'fctiwu', run: integral(32, false), float: [63, 142], classifies: false },
  { name: 'fctiwuz', run: integral(32, false, 'zero'), float: [63, 143], classifies: false },
  { name: 'xscvdpsxws', run: integralWord(true), vsx: 88, classifies: false },
  { name: 'xscvdpuxws', run: integralWord(false), vsx: 72, classifies: false },
  { name: 'fcfid', run: fromSigned(DOUBLE), float: [63, 846], vsx: 376, classifies: true },
  { name: 'fcfidu', run: fromUnsigned(DOUBLE), float: [63, 974], classifies: false },
  { name: 'xscvuxddp', run: fromUnsigned(DOUBLE), vsx: 360, classifies: true },
  { name: 'fcfids', run: fromSigned(SINGLE), float: [59, 846], classifies: false },
  { name: 'xscvsxdsp', run: fromSigned(SINGLE), vsx: 312, classifies: true },
  { name: 'fcfidus', run: fromUnsigned(SINGLE), float: [59, 974], classifies: false },
  { name: 'xscvuxdsp', run: fromUnsigned(SINGLE), vsx: 296, classifies: true },
  {
    name: 'frsp',
    run: (core, value) => roundTo(value, rounding(core), SINGLE),
    float: [63, 12],
    vsx: 281,
    classifies: true,
  },
  { name: 'frin', run: toIntegral('away', false), float: [63, 392], vsx: 73, classifies: true },
  { name: 'friz', run: toIntegral('zero', false), float: [63, 424], vsx: 89, classifies: true },
  { name: 'frip', run: toIntegral('up', false), float: [63, 456], vsx: 105, classifies: true },
  { name: 'frim', run: toIntegral('down', false), float: [63, 488], vsx: 121, classifies: true },
  { name: 'xsrdpic', run: toIntegral(undefined, true), vsx: 107, classifies: true },
  {
    name: 'xssqrtdp',
    run: (core, value) => squareRoot(value, rounding(core), DOUBLE),
    vsx: 75,
    classifies: true,
  },
  {
    name: 'xssqrtsp',
    run: (core, value) => squareRoot(value, rounding(core), SINGLE),
    vsx: 11,
    classifies: true,
  },
];

function giveConverted(core: Core, vsr: number, row: Convert, value: bigint, classes: boolean): void {
  const result = row.run(core, value);
  if (row.classifies) give(core, vsr, result);
  else {
    const written = note(core, result.raised);
    if (classes && (result.raised & RAISED.convert) !== 0)
      core.fpscr = (core.fpscr & ~FPCC) | UNORDERED_CLASS;
    if (written) setVsr(core, vsr, result.bits);
  }
}

const conversions: readonly Instruction[] = CONVERSIONS.flatMap((row): Instruction[] => [
  ...(row.float === undefined
    ? []
    : [
        {
          name: row.name,
          ...extended(row.float[0], row.float[1], 10),
          assist: float((core, word) => giveConverted(core, rt(word), row, vsrOf(core, rb(word)), true)),
        },
      ]),
  ...(row.vsx === undefined
    ? []
    : [
        {
          name: `${row.name} (VSX)`,
          ...extended(60, row.vsx, 9, 2),
          assist: vsx((core, word) => giveConverted(core, xt(word), row, vsrOf(core, xb(word)), false)),
        },
      ]),
]);

/** Moves change signs and nothing else. */
const MOVES: readonly (readonly [
  name: string,
  xo: number,
  xs: number | undefined,
  run: (b: bigint) => bigint,
])[] = [
  ['fmr', 72, undefined, (b) => b],
  ['fneg', 40, 377, (b) => b ^ SIGN],
  ['fabs', 264, 345, (b) => b & ~SIGN],
  ['fnabs', 136, 361, (b) => b | SIGN],
];

const moves: readonly Instruction[] = MOVES.flatMap(([name, xo, xs, run]): Instruction[] => [
  {
    name,
    ...extended(63, xo, 10),
    assist: float((core, word) => setVsr(core, rt(word), run(vsrOf(core, rb(word))))),
  },
  ...(xs === undefined
    ? []
    : [
        {
          name: `${name} (VSX)`,
          ...extended(60, xs, 9, 2),
          assist: vsx((core, word) => setVsr(core, xt(word), run(vsrOf(core, xb(word))))),
        },
      ]),
]);

function compareInto(
  core: Core,
  field: number,
  left: bigint,
  right: bigint,
  ordered: boolean,
  classes = false,
): void {
  const { order, raised } = compare(left, right);
  core.condition[field] = order;
  core.fpscr = (core.fpscr & ~(0xfn << 12n)) | (BigInt(order) << 12n);
  let found = raised;
  if (ordered && order === 1) {
    const quiet = (raised & RAISED.signalling) === 0 || ((core.fpscr >> 7n) & 1n) === 0n;
    if (quiet) found |= RAISED.compare;
  }
  const before = core.fpscr;
  if (found === 0) return;
  let value = before | BigInt(found);
  if (classes && (found & RAISED.compare) !== 0) value = (value & ~FPCC) | UNORDERED_CLASS;
  if ((BigInt(found) & ~before) !== 0n) value |= FX;
  core.fpscr = summarise(value);
  if ((core.fpscr & FEX) !== 0n && (core.msr & (MSR_FE0 | MSR_FE1)) !== 0n) {
    core.programInterrupt(PROGRAM.floatEnabled);
  }
}

const comparisons: readonly Instruction[] = [
  ...([0, 32] as const).map((xo): Instruction => ({
    name: xo === 0 ? 'fcmpu' : 'fcmpo',
    ...extended(63, xo, 10),
    assist: (core, word) => {
      if (!core.available('float')) return;
      compareInto(core, rt(word) >> 2, vsrOf(core, ra(word)), vsrOf(core, rb(word)), xo === 32, true);
    },
  })),
  ...([35, 43] as const).map((xo): Instruction => ({
    name: xo === 35 ? 'xscmpudp' : 'xscmpodp',
    ...extended(60, xo, 8, 3),
    assist: vsx((core, word) =>
      compareInto(core, rt(word) >> 2, vsrOf(core, xa(word)), vsrOf(core, xb(word)), xo === 43),
    ),
  })),
];

/** Bits that move instructions write: FEX and VX follow. */
const RESERVED = 1n << 11n;
const WRITABLE = 0xffff_ffffn & ~(FEX | VX | RESERVED);

function writeStatus(core: Core, mask: bigint, value: bigint): void {
  const kept = mask & WRITABLE;
  core.fpscr = summarise((core.fpscr & ~kept) | (value & kept));
}

/** What mffsl shows: modes, enables and the class of the last result. */
const LIGHT = 0x7_f0ffn;
const MODES = 0xffn;
const ENABLE_BITS = 0xf8n;

/** mffs and its forms, by the field that tells them apart; decimal rounding modes are not kept. */
function readStatus(core: Core, word: number): void {
  const form = ra(word);
  const before = core.fpscr;
  if (form === 1) writeStatus(core, ENABLE_BITS, 0n);
  else if (form === 22) writeStatus(core, 3n, vsrOf(core, rb(word)));
  else if (form === 23) writeStatus(core, 3n, BigInt(rb(word) & 3));
  const shown = form === 24 ? LIGHT : form >= 20 ? MODES : 0xffff_ffffn;
  setVsr(core, rt(word), before & shown);
}

const status: readonly Instruction[] = [
  { name: 'mffs', ...extended(63, 583, 10), assist: float(readStatus) },
  {
    name: 'mtfsf',
    ...extended(63, 711, 10),
    assist: float((core, word) => {
      const fields = (word & (1 << 25)) === 0 ? (word >>> 17) & 0xff : 0xff;
      const w = (word & (1 << 16)) !== 0;
      let mask = 0n;
      for (let i = 0; i < 8; i++) if ((fields & (0x80 >> i)) !== 0) mask |= 0xfn << BigInt(28 - 4 * i);
      // W names the upper, decimal half.
      if (!w || (word & (1 << 25)) !== 0) writeStatus(core, mask, vsrOf(core, rb(word)));
    }),
  },
  {
    name: 'mtfsfi',
    ...extended(63, 134, 10),
    assist: float((core, word) => {
      const field = BigInt(28 - 4 * (rt(word) >> 2));
      if ((word & (1 << 16)) === 0) writeStatus(core, 0xfn << field, BigInt((word >>> 12) & 15) << field);
    }),
  },
  {
    name: 'mtfsb0',
    ...extended(63, 70, 10),
    assist: float((core, word) => writeStatus(core, 1n << BigInt(31 - rt(word)), 0n)),
  },
  {
    name: 'mtfsb1',
    ...extended(63, 38, 10),
    assist: float((core, word) => {
      const bit = 1n << BigInt(31 - rt(word));
      writeStatus(core, bit, bit);
    }),
  },
];

const others: readonly Instruction[] = [
  {
    name: 'fsel',
    ...extended(63, 23, 5),
    assist: float((core, word) => {
      const a = vsrOf(core, ra(word));
      const takes = !isNan(a) && ((a & SIGN) === 0n || a === SIGN);
      setVsr(core, rt(word), vsrOf(core, takes ? frc(word) : rb(word)));
    }),
  },
  {
    name: 'fcpsgn',
    ...extended(63, 8, 10),
    assist: float((core, word) =>
      setVsr(core, rt(word), (vsrOf(core, ra(word)) & SIGN) | (vsrOf(core, rb(word)) & ~SIGN)),
    ),
  },
  {
    name: 'xscpsgndp',
    ...extended(60, 176, 8, 3),
    assist: vsx((core, word) =>
      setVsr(core, xt(word), (vsrOf(core, xa(word)) & SIGN) | (vsrOf(core, xb(word)) & ~SIGN)),
    ),
  },
  {
    name: 'fmrgow',
    ...extended(63, 838, 10),
    assist: float((core, word) => {
      const low = BigInt.asUintN(32, vsrOf(core, ra(word))) << 32n;
      setVsr(core, rt(word), low | BigInt.asUintN(32, vsrOf(core, rb(word))));
    }),
  },
  {
    name: 'fmrgew',
    ...extended(63, 966, 10),
    assist: float((core, word) => {
      const high = (vsrOf(core, ra(word)) >> 32n) << 32n;
      setVsr(core, rt(word), high | (vsrOf(core, rb(word)) >> 32n));
    }),
  },
];

export const FLOAT: readonly Instruction[] = [
  ...arithmetic,
  ...conversions,
  ...moves,
  ...comparisons,
  ...status,
  ...others,
];
