import test from 'ava';
import { TestPlatform } from './_platform.ts';
import { PSERIES_7_2 } from './options.ts';

test('pseries-7.2 as its golden log has it', (t) => {
  t.is(PSERIES_7_2.ramBytes, 268_435_456);
  const platform = new TestPlatform();
  t.deepEqual(platform.rtas(0x2026, [0, 0x800_0000, 0x2000_0000], 6), [0, 1, 0x20, 0, 263, 0]);
});
