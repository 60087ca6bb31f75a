import test from 'ava';
import { assert, AssertionError } from './assert.ts';

test('a belief that does not hold stops the run with its sentence', (t) => {
  t.notThrows(() => {
    assert(true, 'holds');
  });
  t.throws(
    () => {
      assert(1 > 2, 'one is more than two');
    },
    { instanceOf: AssertionError, message: 'one is more than two' },
  );
});
