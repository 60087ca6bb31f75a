import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../../_prop.ts';
import { TestPlatform } from '../_platform.ts';

const H_GET_TCE = 0x1c;
const H_PUT_TCE = 0x20;
const H_STUFF_TCE = 0x138;
const H_PUT_TCE_INDIRECT = 0x13c;
const H_SUCCESS = 0;
const H_PARAMETER = -4;
const DEFAULT = 0x8000_0000;
const SECOND = 0x8000_0001;
const WINDOW_BYTES = 0x4000_0000;
const ENTRIES = 0x4_0000;
const LIST = 0x2000;

function get(
  platform: TestPlatform,
  ioba: number | bigint,
  liobn: number | bigint = DEFAULT,
): bigint | number {
  const status = platform.hcall(H_GET_TCE, liobn, ioba);
  return status === H_SUCCESS ? platform.output(0) : status;
}

test('liobns: the upper half must be zero, disabled tables and other units are refused', (t) => {
  const platform = new TestPlatform();
  for (const liobn of [0, SECOND, 0x8000_0002, 0x7100_0000, 0x7100_0001, 0x1_8000_0000n, -1]) {
    t.is(platform.hcall(H_PUT_TCE, liobn, 0, 3), H_PARAMETER);
    t.is(platform.hcall(H_GET_TCE, liobn, 0), H_PARAMETER);
    t.is(platform.output(0), BigInt.asUintN(64, BigInt(liobn)), 'r4 keeps what the caller put there');
    t.is(platform.hcall(H_STUFF_TCE, liobn, 0, 3, 1), H_PARAMETER);
    t.is(platform.hcall(H_PUT_TCE_INDIRECT, liobn, 0, LIST, 1), H_PARAMETER);
  }
});

test('counts: zero, too many, and one past the table', (t) => {
  const platform = new TestPlatform();
  for (const count of [0, ENTRIES + 1, 1n << 32n, (1n << 32n) + 1n, -1]) {
    t.is(platform.hcall(H_STUFF_TCE, DEFAULT, 0, 7, count), H_PARAMETER);
  }
  t.is(get(platform, 0), 0n, 'a refused count writes nothing');
  t.is(platform.hcall(H_STUFF_TCE, DEFAULT, 0, 7, ENTRIES), H_SUCCESS);
  t.is(get(platform, WINDOW_BYTES - 1), 7n);
  for (const count of [0, 513, 1n << 32n, -1]) {
    t.is(platform.hcall(H_PUT_TCE_INDIRECT, DEFAULT, 0, LIST, count), H_PARAMETER);
  }
  t.is(platform.hcall(H_PUT_TCE_INDIRECT, DEFAULT, 0, LIST + 8, 1), H_PARAMETER, 'a list is 4 KiB aligned');
  t.is(platform.hcall(H_PUT_TCE_INDIRECT, DEFAULT, 0, LIST, 512), H_SUCCESS);
});

test('what runs over the end stays written up to the end', (t) => {
  const platform = new TestPlatform();
  t.is(platform.hcall(H_STUFF_TCE, DEFAULT, WINDOW_BYTES - 0x2000, 0x7003, 3), H_PARAMETER);
  t.is(get(platform, WINDOW_BYTES - 0x2000), 0x7003n);
  t.is(get(platform, WINDOW_BYTES - 0x1000), 0x7003n);
  for (let i = 0; i < 4; i++) platform.memory.setU64(LIST + 8 * i, BigInt(0x1_0003 + i * 0x1000), false);
  t.is(platform.hcall(H_PUT_TCE_INDIRECT, DEFAULT, WINDOW_BYTES - 0x2000, LIST, 4), H_PARAMETER);
  t.is(get(platform, WINDOW_BYTES - 0x2000), 0x1_0003n);
  t.is(get(platform, WINDOW_BYTES - 0x1000), 0x1_1003n);
});

test('a list outside RAM reads as zeros and succeeds', (t) => {
  const platform = new TestPlatform();
  for (const list of [0x100_0000n, 0xffff_ffff_ffff_f000n, 0x8000_0000_0000_2000n]) {
    t.is(platform.hcall(H_STUFF_TCE, DEFAULT, 0, -1, 2), H_SUCCESS);
    t.is(platform.hcall(H_PUT_TCE_INDIRECT, DEFAULT, 0, list, 2), H_SUCCESS);
    t.is(get(platform, 0x1000), 0n);
  }
});

prop(
  'H_GET_TCE returns what H_PUT_TCE stored: any value, the low bits of the address ignored',
  [
    fc.integer({ min: 0, max: ENTRIES - 1 }),
    fc.integer({ min: 0, max: 0xfff }),
    fc.integer({ min: 0, max: 0xfff }),
    fc.bigInt(0n, (1n << 64n) - 1n),
  ],
  (index, low, otherLow, value) => {
    const platform = new TestPlatform();
    const put = platform.hcall(H_PUT_TCE, DEFAULT, index * 0x1000 + low, value);
    return put === H_SUCCESS && get(platform, index * 0x1000 + otherLow) === value;
  },
);

/** A small window of each page size: addresses around its ends are interesting. */
interface Step {
  readonly call: 'put' | 'stuff' | 'indirect';
  readonly index: number;
  readonly low: number;
  readonly value: bigint;
  readonly count: number;
}
const steps = fc.array(
  fc.record({
    call: fc.constantFrom<Step['call']>('put', 'stuff', 'indirect'),
    index: fc.integer({ min: -2, max: 1030 }),
    low: fc.integer({ min: 0, max: 0xfff }),
    value: fc.oneof(fc.constant(0n), fc.bigInt(0n, (1n << 64n) - 1n)),
    count: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 250, max: 1030 })),
  }),
  { maxLength: 25 },
);

prop(
  'a window of 1024 entries behaves as an array that is written entry by entry',
  [fc.constantFrom(12, 16, 21, 24), steps],
  (pageShift, program) => {
    const platform = new TestPlatform();
    const base = 1n << 59n;
    if (platform.rtas(0x2027, [0, 0x800_0000, 0x2000_0000, pageShift, pageShift + 10], 4)[0] !== 0)
      return false;
    const model = Array.from({ length: 1024 }, () => 0n);
    const place = (index: number, low: number): bigint =>
      BigInt.asUintN(64, base + (BigInt(index) << BigInt(pageShift)) + BigInt(low));
    for (const { call, index, low, value, count } of program) {
      const ioba = place(index, low);
      let expected = H_SUCCESS;
      let actual: number;
      if (call === 'put') {
        actual = platform.hcall(H_PUT_TCE, SECOND, ioba, value);
        if (index < 0 || index > 1023) expected = H_PARAMETER;
        else model[index] = value;
      } else {
        for (let i = 0; i < 512; i++)
          platform.memory.setU64(LIST + 8 * i, (value + BigInt(i)) & ((1n << 64n) - 1n), false);
        const indirect = call === 'indirect';
        actual = indirect
          ? platform.hcall(H_PUT_TCE_INDIRECT, SECOND, ioba, LIST, count)
          : platform.hcall(H_STUFF_TCE, SECOND, ioba, value, count);
        if (count === 0 || count > (indirect ? 512 : 1024)) expected = H_PARAMETER;
        else {
          for (let i = 0; i < count; i++) {
            if (index + i < 0 || index + i > 1023) {
              expected = H_PARAMETER;
              break;
            }
            model[index + i] = indirect ? BigInt.asUintN(64, value + BigInt(i)) : value;
          }
        }
      }
      if (actual !== expected) return false;
    }
    return model.every((value, index) => get(platform, place(index, 0), SECOND) === value);
  },
  { numRuns: 60 },
);

test('a window of 2^31 entries costs nothing until it is written, and takes a fill of all of it', (t) => {
  const platform = new TestPlatform();
  t.deepEqual(platform.rtas(0x2027, [0, 0x800_0000, 0x2000_0000, 12, 43], 4), [0, SECOND, 0x800_0000, 0]);
  const last = (1n << 59n) + (((1n << 31n) - 1n) << 12n);
  t.is(platform.hcall(H_PUT_TCE, SECOND, last, 5), H_SUCCESS);
  t.is(get(platform, last, SECOND), 5n);
  t.is(platform.hcall(H_PUT_TCE, SECOND, last + 0x1000n, 5), H_PARAMETER);
  t.is(platform.hcall(H_STUFF_TCE, SECOND, 1n << 59n, 0, 1n << 31n), H_SUCCESS);
  t.is(get(platform, last, SECOND), 0n);
});
