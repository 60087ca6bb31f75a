import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import {
  add,
  compare,
  divide,
  DOUBLE,
  fromInteger,
  fromSingle,
  multiply,
  multiplyAdd,
  RAISED,
  roundTo,
  SINGLE,
  squareRoot,
  subtract,
  toInteger,
  toSingle,
} from './soft-float.ts';

const view = new DataView(new ArrayBuffer(8));

function bitsOf(value: number): bigint {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

function numberOf(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

const double = fc.double({ noNaN: true });
const near = fc.oneof(
  double,
  fc.integer().map(Number),
  fc.constantFrom(0, -0, 1, -1, 5e-324, 2 ** -1022, 1.7e308),
);

/** The host's own arithmetic rounds to nearest: IEEE 754 leaves it no choice, and NaNs are not compared. */
const agrees = (bits: bigint, expected: number): boolean =>
  Number.isNaN(expected) ? Number.isNaN(numberOf(bits)) : Object.is(numberOf(bits), expected);

prop('sum, difference, product, quotient and root are what any IEEE machine finds', [near, near], (a, b) => {
  const [x, y] = [bitsOf(a), bitsOf(b)];
  return (
    agrees(add(x, y, 'nearest', DOUBLE).bits, a + b) &&
    agrees(subtract(x, y, 'nearest', DOUBLE).bits, a - b) &&
    agrees(multiply(x, y, 'nearest', DOUBLE).bits, a * b) &&
    agrees(divide(x, y, 'nearest', DOUBLE).bits, a / b) &&
    agrees(squareRoot(x, 'nearest', DOUBLE).bits, Math.sqrt(a))
  );
});

prop(
  'rounding to single is Math.fround, and single patterns survive the way to double and back',
  [near],
  (a) => {
    const single = roundTo(bitsOf(a), 'nearest', SINGLE).bits;
    return agrees(single, Math.fround(a)) && fromSingle(toSingle(single)) === single;
  },
);

prop('a product is fused with a sum: one rounding', [fc.integer(), fc.integer(), fc.integer()], (a, c, b) => {
  const exact = BigInt(a) * BigInt(c) + BigInt(b);
  const fused = multiplyAdd(bitsOf(a), bitsOf(c), bitsOf(b), 'nearest', DOUBLE).bits;
  return agrees(fused, Number(exact)) || exact === 0n;
});

prop('integers come and go', [fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })], (value) => {
  const made = fromInteger(value, 'nearest', DOUBLE).bits;
  const back = toInteger(made, 64, true, 'zero');
  const fits = BigInt(numberOf(made)) < 1n << 63n;
  return agrees(made, Number(value)) && (!fits || BigInt.asIntN(64, back.bits) === BigInt(numberOf(made)));
});

prop('order is the order of numbers', [near, near], (a, b) => {
  const { order } = compare(bitsOf(a), bitsOf(b));
  return order === (a < b ? 8 : a > b ? 4 : 2);
});

const ONE = bitsOf(1);
const THREE = bitsOf(3);

test('directed rounding brackets the exact value, and says that it is inexact', (t) => {
  const down = divide(ONE, THREE, 'down', DOUBLE);
  const up = divide(ONE, THREE, 'up', DOUBLE);
  t.is(up.bits - down.bits, 1n);
  t.is(divide(ONE, THREE, 'zero', DOUBLE).bits, down.bits);
  t.is(down.raised, RAISED.inexact);
});

test('what has no result raises its own kind of invalid operation', (t) => {
  const infinite = bitsOf(Infinity);
  const zero = bitsOf(0);
  const quiet = 0x7ff8_0000_0000_0000n;
  t.deepEqual(subtract(infinite, infinite, 'nearest', DOUBLE), { bits: quiet, raised: 1 << 23 });
  t.deepEqual(divide(infinite, infinite, 'nearest', DOUBLE), { bits: quiet, raised: 1 << 22 });
  t.deepEqual(divide(zero, zero, 'nearest', DOUBLE), { bits: quiet, raised: 1 << 21 });
  t.deepEqual(multiply(infinite, zero, 'nearest', DOUBLE), { bits: quiet, raised: 1 << 20 });
  t.deepEqual(squareRoot(bitsOf(-1), 'nearest', DOUBLE), { bits: quiet, raised: 1 << 9 });
  t.is(divide(ONE, zero, 'nearest', DOUBLE).raised, 1 << 26);
  // A signalling NaN comes out quiet, and keeps its payload.
  t.deepEqual(add(0x7ff0_0000_0000_0001n, ONE, 'nearest', DOUBLE), {
    bits: 0x7ff8_0000_0000_0001n,
    raised: 1 << 24,
  });
  t.is(toInteger(quiet, 32, true, 'zero').bits, 0x8000_0000n);
});

test('overflow goes to infinity or to the largest number, as the rounding has it', (t) => {
  const huge = bitsOf(1.7e308);
  t.is(numberOf(add(huge, huge, 'nearest', DOUBLE).bits), Infinity);
  t.is(numberOf(add(huge, huge, 'down', DOUBLE).bits), Number.MAX_VALUE);
  t.is(numberOf(roundTo(bitsOf(1e39), 'zero', SINGLE).bits), 3.4028234663852886e38);
});
