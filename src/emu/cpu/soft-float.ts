/**
 * Binary floating point in integers (IEEE 754-2008, Power ISA 3.0B book I 4): results are exact integers times a power
 * of two, rounded once. No number of the host's is ever asked, so no host can differ. Values are 64-bit patterns, also
 * where a result is rounded to single precision.
 */
export type Rounding = 'nearest' | 'zero' | 'up' | 'down' | 'away';

/** What an operation raises: FPSCR's own bits. */
export const RAISED: {
  readonly overflow: number;
  readonly underflow: number;
  readonly zeroDivide: number;
  readonly inexact: number;
  readonly signalling: number;
  readonly infinityMinusInfinity: number;
  readonly infinityByInfinity: number;
  readonly zeroByZero: number;
  readonly infinityTimesZero: number;
  readonly compare: number;
  readonly root: number;
  readonly convert: number;
} = {
  overflow: 1 << 28,
  underflow: 1 << 27,
  zeroDivide: 1 << 26,
  inexact: 1 << 25,
  signalling: 1 << 24,
  infinityMinusInfinity: 1 << 23,
  infinityByInfinity: 1 << 22,
  zeroByZero: 1 << 21,
  infinityTimesZero: 1 << 20,
  compare: 1 << 19,
  root: 1 << 9,
  convert: 1 << 8,
};

export interface Result {
  readonly bits: bigint;
  readonly raised: number;
}

interface Format {
  readonly precision: number;
  readonly exponentMin: number;
  readonly exponentMax: number;
}

export const DOUBLE: Format = { precision: 53, exponentMin: -1022, exponentMax: 1023 };
export const SINGLE: Format = { precision: 24, exponentMin: -126, exponentMax: 127 };

const SIGN = 1n << 63n;
const FRACTION = (1n << 52n) - 1n;
const HIDDEN = 1n << 52n;
const QUIET = 1n << 51n;
const INFINITY = 0x7ffn << 52n;
const DEFAULT_NAN = INFINITY | QUIET;

interface Unpacked {
  readonly bits: bigint;
  readonly negative: boolean;
  readonly kind: 'zero' | 'finite' | 'infinite' | 'nan';
  readonly signalling: boolean;
  /** Value is mantissa * 2 ** exponent. */
  readonly mantissa: bigint;
  readonly exponent: number;
}

function unpack(bits: bigint): Unpacked {
  const negative = (bits & SIGN) !== 0n;
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & FRACTION;
  if (biased === 0x7ff) {
    const kind = fraction === 0n ? 'infinite' : 'nan';
    const signalling = kind === 'nan' && (fraction & QUIET) === 0n;
    return { bits, negative, kind, signalling, mantissa: 0n, exponent: 0 };
  }
  const mantissa = biased === 0 ? fraction : fraction | HIDDEN;
  const kind = mantissa === 0n ? 'zero' : 'finite';
  return { bits, negative, kind, signalling: false, mantissa, exponent: Math.max(biased, 1) - 1075 };
}

const signOf = (negative: boolean): bigint => (negative ? SIGN : 0n);
const zero = (negative: boolean): Result => ({ bits: signOf(negative), raised: 0 });
const infinity = (negative: boolean): Result => ({ bits: signOf(negative) | INFINITY, raised: 0 });
const invalid = (raised: number): Result => ({ bits: DEFAULT_NAN, raised });

export function isNan(bits: bigint): boolean {
  return (bits & ~SIGN) > INFINITY;
}

/** The first NaN among operands, quiet; what signalling ones raise. */
function nanOf(operands: readonly Unpacked[], format: Format): Result | undefined {
  const first = operands.find((operand) => operand.kind === 'nan');
  if (first === undefined) return undefined;
  const signalling = operands.some((operand) => operand.signalling);
  const kept = (1n << BigInt(DOUBLE.precision - format.precision)) - 1n;
  return { bits: (first.bits | QUIET) & ~kept, raised: signalling ? RAISED.signalling : 0 };
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

function roundsUp(rounding: Rounding, negative: boolean, odd: boolean, half: number): boolean {
  if (rounding === 'zero') return false;
  if (rounding === 'up') return !negative;
  if (rounding === 'down') return negative;
  if (rounding === 'away') return half >= 0;
  return half > 0 || (half === 0 && odd);
}

/** Cuts off `shift` bits; `sticky` says that something nonzero lies below. Half: where the rest lies about one half. */
function cut(
  mantissa: bigint,
  shift: number,
  sticky: boolean,
  rounding: Rounding,
  negative: boolean,
): { readonly value: bigint; readonly inexact: boolean } {
  if (shift <= 0) {
    const value = mantissa << BigInt(-shift);
    const up = sticky && roundsUp(rounding, negative, (value & 1n) === 1n, -1);
    return { value: up ? value + 1n : value, inexact: sticky };
  }
  const value = mantissa >> BigInt(shift);
  const rest = mantissa & ((1n << BigInt(shift)) - 1n);
  const middle = 1n << BigInt(shift - 1);
  const inexact = rest !== 0n || sticky;
  if (!inexact) return { value, inexact };
  const half = rest > middle || (rest === middle && sticky) ? 1 : rest === middle ? 0 : -1;
  return {
    value: roundsUp(rounding, negative, (value & 1n) === 1n, half) ? value + 1n : value,
    inexact,
  };
}

/** Rounds mantissa * 2 ** exponent, a mantissa above zero, to a format. */
function round(
  negative: boolean,
  mantissa: bigint,
  exponent: number,
  sticky: boolean,
  rounding: Rounding,
  format: Format,
): Result {
  const leading = bitLength(mantissa) - 1 + exponent;
  const last = Math.max(leading, format.exponentMin) - format.precision + 1;
  const { value, inexact } = cut(mantissa, last - exponent, sticky, rounding, negative);
  const tiny = leading < format.exponentMin;
  const raised = inexact ? RAISED.inexact | (tiny ? RAISED.underflow : 0) : 0;
  if (value === 0n) return { bits: signOf(negative), raised };
  if (bitLength(value) - 1 + last > format.exponentMax) return overflowed(negative, rounding, format);
  return { bits: encode(negative, value, last), raised };
}

function overflowed(negative: boolean, rounding: Rounding, format: Format): Result {
  const raised = RAISED.overflow | RAISED.inexact;
  const toInfinity = rounding === 'nearest' || rounding === 'away' || (rounding === 'up') === !negative;
  if (rounding !== 'zero' && toInfinity) return { bits: signOf(negative) | INFINITY, raised };
  const largest = (1n << BigInt(format.precision)) - 1n;
  return { bits: encode(negative, largest, format.exponentMax - format.precision + 1), raised };
}

/** A value that a double holds exactly. */
function encode(negative: boolean, mantissa: bigint, exponent: number): bigint {
  const length = bitLength(mantissa);
  const leading = length - 1 + exponent;
  if (leading < -1022) return signOf(negative) | (mantissa << BigInt(exponent + 1074));
  const shift = 53 - length;
  const fraction = shift >= 0 ? mantissa << BigInt(shift) : mantissa >> BigInt(-shift);
  return signOf(negative) | (BigInt(leading + 1023) << 52n) | (fraction & FRACTION);
}

/** A sum of two exact products of integers and powers of two. */
function sumOf(
  first: { readonly negative: boolean; readonly mantissa: bigint; readonly exponent: number },
  second: { readonly negative: boolean; readonly mantissa: bigint; readonly exponent: number },
  rounding: Rounding,
  format: Format,
  negates = false,
): Result {
  const exponent = Math.min(first.exponent, second.exponent);
  const term = (of: typeof first): bigint => {
    const magnitude = of.mantissa << BigInt(of.exponent - exponent);
    return of.negative ? -magnitude : magnitude;
  };
  const sum = term(first) + term(second);
  if (sum !== 0n) {
    return round(sum < 0n !== negates, sum < 0n ? -sum : sum, exponent, false, rounding, format);
  }
  const bothNegative = first.negative && second.negative;
  const opposite = first.negative !== second.negative;
  return zero((bothNegative || (opposite && rounding === 'down')) !== negates);
}

export function add(left: bigint, right: bigint, rounding: Rounding, format: Format): Result {
  const a = unpack(left);
  const b = unpack(right);
  const nan = nanOf([a, b], format);
  if (nan !== undefined) return nan;
  if (a.kind === 'infinite' && b.kind === 'infinite' && a.negative !== b.negative) {
    return invalid(RAISED.infinityMinusInfinity);
  }
  if (a.kind === 'infinite') return infinity(a.negative);
  if (b.kind === 'infinite') return infinity(b.negative);
  return sumOf(a, b, rounding, format);
}

/** NaNs keep their sign. */
export function negated(bits: bigint): bigint {
  return isNan(bits) ? bits : bits ^ SIGN;
}

export function subtract(left: bigint, right: bigint, rounding: Rounding, format: Format): Result {
  return add(left, negated(right), rounding, format);
}

export function multiply(left: bigint, right: bigint, rounding: Rounding, format: Format): Result {
  const a = unpack(left);
  const b = unpack(right);
  const negative = a.negative !== b.negative;
  const nan = nanOf([a, b], format);
  if (nan !== undefined) return nan;
  if (a.kind === 'infinite' || b.kind === 'infinite') {
    return a.kind === 'zero' || b.kind === 'zero' ? invalid(RAISED.infinityTimesZero) : infinity(negative);
  }
  const product = a.mantissa * b.mantissa;
  if (product === 0n) return zero(negative);
  return round(negative, product, a.exponent + b.exponent, false, rounding, format);
}

/** Bits beyond those of the result that a quotient or a root is computed to; the rest is sticky. */
const EXTRA_BITS = 70;

export function divide(left: bigint, right: bigint, rounding: Rounding, format: Format): Result {
  const a = unpack(left);
  const b = unpack(right);
  const negative = a.negative !== b.negative;
  const nan = nanOf([a, b], format);
  if (nan !== undefined) return nan;
  if (a.kind === 'infinite') {
    return b.kind === 'infinite' ? invalid(RAISED.infinityByInfinity) : infinity(negative);
  }
  if (b.kind === 'infinite') return zero(negative);
  if (b.kind === 'zero') {
    if (a.kind === 'zero') return invalid(RAISED.zeroByZero);
    return { bits: infinity(negative).bits, raised: RAISED.zeroDivide };
  }
  if (a.kind === 'zero') return zero(negative);
  const shift = EXTRA_BITS + Math.max(0, bitLength(b.mantissa) - bitLength(a.mantissa));
  const dividend = a.mantissa << BigInt(shift);
  const quotient = dividend / b.mantissa;
  const sticky = dividend % b.mantissa !== 0n;
  return round(negative, quotient, a.exponent - b.exponent - shift, sticky, rounding, format);
}

/**
 * a * c + b with one rounding; NaNs count in the order a, b, c. `negates`: the exact result is negated before it is
 * rounded, as QEMU has it; the architecture rounds first.
 */
export function multiplyAdd(
  left: bigint,
  factor: bigint,
  addend: bigint,
  rounding: Rounding,
  format: Format,
  negates = false,
): Result {
  const a = unpack(left);
  const c = unpack(factor);
  const b = unpack(addend);
  const impossible =
    (a.kind === 'infinite' && c.kind === 'zero') || (a.kind === 'zero' && c.kind === 'infinite');
  const nan = nanOf([a, b, c], format);
  if (nan !== undefined) {
    // QEMU tells of the impossible product alone, also where a NaN signals.
    return impossible ? { bits: nan.bits, raised: RAISED.infinityTimesZero } : nan;
  }
  if (impossible) return invalid(RAISED.infinityTimesZero);
  const negative = a.negative !== c.negative;
  if (a.kind === 'infinite' || c.kind === 'infinite') {
    const clash = b.kind === 'infinite' && b.negative !== negative;
    return clash ? invalid(RAISED.infinityMinusInfinity) : infinity(negative !== negates);
  }
  if (b.kind === 'infinite') return infinity(b.negative !== negates);
  const product = { negative, mantissa: a.mantissa * c.mantissa, exponent: a.exponent + c.exponent };
  return sumOf(product, b, rounding, format, negates);
}

function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(bitLength(value) / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

export function squareRoot(operand: bigint, rounding: Rounding, format: Format): Result {
  const a = unpack(operand);
  const nan = nanOf([a], format);
  if (nan !== undefined) return nan;
  if (a.kind === 'zero') return zero(a.negative);
  if (a.negative) return invalid(RAISED.root);
  if (a.kind === 'infinite') return infinity(false);
  // An even exponent, and enough bits for the root.
  let shift = 2 * EXTRA_BITS;
  if ((a.exponent - shift) % 2 !== 0) shift++;
  const scaled = a.mantissa << BigInt(shift);
  const root = integerRoot(scaled);
  return round(false, root, (a.exponent - shift) / 2, root * root !== scaled, rounding, format);
}

/** To the precision of a format: frsp. */
export function roundTo(operand: bigint, rounding: Rounding, format: Format): Result {
  const a = unpack(operand);
  const nan = nanOf([a], format);
  if (nan !== undefined) return nan;
  if (a.kind === 'infinite' || a.kind === 'zero') return { bits: operand, raised: 0 };
  return round(a.negative, a.mantissa, a.exponent, false, rounding, format);
}

/** To an integral value in the same format. */
export function roundToIntegral(operand: bigint, rounding: Rounding): Result {
  const a = unpack(operand);
  const nan = nanOf([a], DOUBLE);
  if (nan !== undefined) return nan;
  if (a.kind !== 'finite' || a.exponent >= 0) return { bits: operand, raised: 0 };
  const { value, inexact } = cut(a.mantissa, -a.exponent, false, rounding, a.negative);
  const bits = value === 0n ? signOf(a.negative) : encode(a.negative, value, 0);
  return { bits, raised: inexact ? RAISED.inexact : 0 };
}

/** To an integer of so many bits; what does not fit becomes the nearest that does. */
export function toInteger(operand: bigint, bits: 32 | 64, signed: boolean, rounding: Rounding): Result {
  const a = unpack(operand);
  const span = 1n << BigInt(bits);
  const least = signed ? -(span >> 1n) : 0n;
  const most = signed ? (span >> 1n) - 1n : span - 1n;
  if (a.kind === 'nan') {
    return {
      bits: BigInt.asUintN(bits, least),
      raised: RAISED.convert | (a.signalling ? RAISED.signalling : 0),
    };
  }
  if (a.kind === 'infinite') {
    return { bits: BigInt.asUintN(64, a.negative ? least : most), raised: RAISED.convert };
  }
  const { value, inexact } = cut(a.mantissa, -a.exponent, false, rounding, a.negative);
  const integer = a.negative ? -value : value;
  if (integer < least || integer > most) {
    return { bits: BigInt.asUintN(64, a.negative ? least : most), raised: RAISED.convert };
  }
  return { bits: BigInt.asUintN(64, integer), raised: inexact ? RAISED.inexact : 0 };
}

export function fromInteger(value: bigint, rounding: Rounding, format: Format): Result {
  if (value === 0n) return zero(false);
  return round(value < 0n, value < 0n ? -value : value, 0, false, rounding, format);
}

/** Order of two values: less 8, greater 4, equal 2, unordered 1. */
export function compare(left: bigint, right: bigint): { readonly order: number; readonly raised: number } {
  const a = unpack(left);
  const b = unpack(right);
  const raised = a.signalling || b.signalling ? RAISED.signalling : 0;
  if (a.kind === 'nan' || b.kind === 'nan') return { order: 1, raised };
  const key = (of: Unpacked): bigint => (of.negative ? -(of.bits & ~SIGN) : of.bits);
  if (key(a) === key(b)) return { order: 2, raised };
  return { order: key(a) < key(b) ? 8 : 4, raised };
}

/** FPRF of a result: its class. */
export function classOf(bits: bigint): number {
  const value = unpack(bits);
  if (value.kind === 'nan') return 0x11;
  if (value.kind === 'infinite') return value.negative ? 0x09 : 0x05;
  if (value.kind === 'zero') return value.negative ? 0x12 : 0x02;
  const subnormal = value.mantissa < HIDDEN;
  if (value.negative) return subnormal ? 0x18 : 0x08;
  return subnormal ? 0x14 : 0x04;
}

/** A single as loaded (book I 4.6.2, DOUBLE): NaNs stay what they are. */
export function fromSingle(word: number): bigint {
  const negative = (word & 0x8000_0000) !== 0;
  const biased = (word >>> 23) & 0xff;
  const fraction = word & 0x7f_ffff;
  if (biased === 0xff) return signOf(negative) | INFINITY | (BigInt(fraction) << 29n);
  if (biased === 0) return fraction === 0 ? signOf(negative) : encode(negative, BigInt(fraction), -149);
  return signOf(negative) | (BigInt(biased + 896) << 52n) | (BigInt(fraction) << 29n);
}

/** A double as stored in single precision (book I 4.6.3, SINGLE): bits are dropped, nothing is rounded. */
export function toSingle(bits: bigint): number {
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const sign = Number(bits >> 63n);
  if (exponent > 896 || (bits & ~SIGN) === 0n) {
    const low = Number((bits >> 29n) & 0x3fff_ffffn);
    return ((Number((bits >> 62n) & 3n) << 30) | low) >>> 0;
  }
  if (exponent < 874) return sign === 0 ? 0 : 0x8000_0000;
  const mantissa = (bits & FRACTION) | HIDDEN;
  return ((sign << 31) | Number(mantissa >> BigInt(29 + 897 - exponent))) >>> 0;
}
