import test from 'ava';
import { Tally } from './log.ts';

test('a tally counts every mismatch and keeps the first ones', (t) => {
  const tally = new Tally(2);
  for (let line = 1; line <= 3; line++) {
    tally.judged();
    tally.mismatch(line, 'r3', '0x0', '0x1');
  }
  tally.passOver('packed ring');
  tally.passOver('packed ring');
  t.is(tally.lines, 3);
  t.is(tally.mismatches, 3);
  t.deepEqual(
    tally.first.map(({ line }) => line),
    [1, 2],
  );
  t.deepEqual([...tally.notJudged], [['packed ring', 2]]);
});
