import test from 'ava';
import { assert, AssertionError } from './assert.ts';

test('a belief that does not hold stops the run with its sentence', (t) => {
  const [one, two] = [1, 2];
  t.notThrows(() => {
    assert(true, 'holds');
  });
  t.throws(
    () => {
      assert(one > two, 'one is more than two');
    },
    { instanceOf: AssertionError, message: 'one is more than two' },
  );
});
