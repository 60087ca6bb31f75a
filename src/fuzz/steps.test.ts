// The table of steps is the format of stored cases: rows and arguments are only added at the end.
import test from 'ava';
import { step, STEP_NAMES, STEP_ROWS, stepRow, STEPS } from './steps.ts';

test('names and rows stand in one order', (t) => {
  t.deepEqual(
    STEPS.map((row) => row.name),
    [...STEP_NAMES],
  );
  t.is(STEP_ROWS.size, STEPS.length);
});

test('every argument has a plain value and edges inside its limits', (t) => {
  for (const row of STEPS) {
    for (const argument of row.args) {
      const inside = (value: number): boolean => value >= argument.least && value <= argument.most;
      t.true(inside(argument.plain), `${row.name} ${argument.name}`);
      t.true((argument.edges ?? []).every(inside), `${row.name} ${argument.name} edges`);
      if (argument.words !== undefined)
        t.is(argument.words.length, argument.most - argument.least + 1, `${row.name} ${argument.name}`);
    }
  }
});

test('rows as stored cases know them', (t) => {
  t.snapshot(STEPS.map((row) => `${row.name} ${row.args.map((argument) => argument.name).join(' ')}`.trim()));
});

test('a step takes plain values for what is not given', (t) => {
  t.deepEqual(step('tce-put', { page: 3 }).args, [0, 3, 0, 3]);
  t.is(stepRow('idle').args.length, 0);
});
