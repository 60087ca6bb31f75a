import test from 'ava';
import { measureOperations } from './measure.ts';

// No figure is judged here: only that both sides of every row run, and that the rows come back in order.
test('every operation and every baseline runs, and gives a figure', (t) => {
  const ran: Record<string, number> = {};
  const row = (name: string) => ({
    name,
    baselineName: 'counting',
    prepare: () => ({
      run: (times: number) => {
        for (let i = 0; i < times; i++) ran[name] = (ran[name] ?? 0) + 1;
      },
      runBaseline: (times: number) => {
        for (let i = 0; i < times; i++) ran[`${name} baseline`] = (ran[`${name} baseline`] ?? 0) + 1;
      },
    }),
  });
  const measured = measureOperations([row('a'), row('b')], { rounds: 2, roundMs: 10 });
  t.deepEqual(
    measured.map(({ name, unit, baselineName }) => [name, unit, baselineName]),
    [
      ['a', 'ns', 'counting'],
      ['b', 'ns', 'counting'],
    ],
  );
  t.deepEqual(Object.keys(ran).toSorted(), ['a', 'a baseline', 'b', 'b baseline']);
  t.true(measured.every(({ value, baseline }) => value > 0 && baseline > 0));
});
