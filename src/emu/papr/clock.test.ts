import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { TestPlatform } from './_platform.ts';

const PARAM_ERROR = 0xffff_fffd;

test('time of day: virtual time from the epoch, nanoseconds as the low word of the whole', (t) => {
  const platform = new TestPlatform({ epochSeconds: 951_782_400 });
  platform.queue.advance(1_512_000_000 as never);
  const ns = Number(BigInt.asUintN(32, 951_782_400n * 1_000_000_000n + 2_953_125_000n));
  t.deepEqual(platform.rtas(0x2001, [], 8), [0, 2000, 2, 29, 0, 0, 2, ns]);
  t.deepEqual(platform.rtas(0x2002, [2024, 12, 31, 23, 59, 59, 7], 1), [0]);
  t.deepEqual(platform.rtas(0x2001, [], 8).slice(0, 7), [0, 2024, 12, 31, 23, 59, 59]);
  t.deepEqual(platform.rtas(0x2002, [2024, 13, 32, 0, 0, 0, 0], 1), [0], 'dates are not checked');
  t.deepEqual(platform.rtas(0x2001, [], 8).slice(0, 4), [0, 2025, 2, 1]);
  t.is(
    platform.rtas(0x2002, [1969, 12, 31, 23, 59, 59, 0], 1)[0],
    PARAM_ERROR,
    'the one sum that is an error',
  );
});

prop(
  'a clock that is set to a moment shows that moment',
  [
    fc.tuple(
      fc.integer({ min: 1970, max: 2200 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 28 }),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 59 }),
      fc.integer({ min: 0, max: 59 }),
    ),
  ],
  (fields) => {
    const platform = new TestPlatform();
    platform.rtas(0x2002, [...fields, 0], 1);
    return platform.rtas(0x2001, [], 8).slice(1, 7).join() === fields.join();
  },
);
