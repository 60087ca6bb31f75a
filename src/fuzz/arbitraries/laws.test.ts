// Laws that every generator keeps. What would falsify them: a list that never gets long, a seed that means two things,
// a shrink that does not end or makes something that is no case.
import test from 'ava';
import fc from 'fast-check';
import { chainText, ringText } from '../notation.ts';
import { stepText } from '../case-text.ts';
import { machineRows } from '../machines.ts';
import { chainArbitrary } from './chain.ts';
import { CaseGenerator, Drawn, randomOf, towards, without } from './drawn.ts';
import { machineConfigArbitrary } from './machine-config.ts';
import { ringArbitrary } from './ring.ts';
import { programArbitrary, stepArbitrary } from './step.ts';
import { tceMapArbitrary } from './tce-map.ts';

const WORDS = [1, 2, 3, 4];
const DRAWS = 4000;

interface Row {
  readonly name: string;
  readonly arbitrary: Drawn<unknown>;
  readonly text: (value: unknown) => string;
  readonly length: (value: unknown) => number;
  /** Lengths that a quarter, half and a twentieth of the draws must reach. */
  readonly reaches: readonly [number, number, number];
}

function row<T>(
  name: string,
  arbitrary: Drawn<T>,
  text: (value: T) => string,
  length: (value: T) => number,
  reaches: readonly [number, number, number],
): Row {
  return {
    name,
    arbitrary: arbitrary as unknown as Drawn<unknown>,
    text: text as (value: unknown) => string,
    length: length as (value: unknown) => number,
    reaches,
  };
}

const lines = (steps: Parameters<typeof stepText>[0][]): string =>
  steps.map((one) => stepText(one)).join('\n');

const ROWS: readonly Row[] = [
  row('chain', chainArbitrary(), chainText, (value) => value.elements.length, [4, 3, 30]),
  row('ring', ringArbitrary(), ringText, (value) => value.avail.length, [4, 3, 16]),
  row(
    'step',
    stepArbitrary(),
    (value) => stepText(value),
    () => 1,
    [1, 1, 1],
  ),
  row(
    'program',
    programArbitrary({ maxLength: 40 }),
    (value) => lines([...value]),
    (value) => value.length,
    [30, 20, 38],
  ),
  row(
    'tce map',
    tceMapArbitrary(),
    (value) => lines([...value]),
    (value) => value.length,
    [36, 24, 45],
  ),
];

for (const { name, arbitrary, text, length, reaches } of ROWS) {
  test(`${name}: lengths are as honest as they say`, (t) => {
    const lengths = Array.from({ length: DRAWS }, (_, i) =>
      length(arbitrary.draw(randomOf(WORDS, i))),
    ).toSorted((a, b) => b - a);
    const at = (share: number): number => lengths[Math.floor(DRAWS * share)] ?? 0;
    t.true(at(0.25) >= reaches[0], `a quarter reaches ${at(0.25)}`);
    t.true(at(0.5) >= reaches[1], `half reaches ${at(0.5)}`);
    t.true(at(0.05) >= reaches[2], `one in twenty reaches ${at(0.05)}`);
  });

  test(`${name}: the same seed gives the same value, whoever asks`, (t) => {
    for (let i = 0; i < 50; i++) {
      const value = text(arbitrary.draw(randomOf(WORDS, i)));
      t.is(text(arbitrary.generate(randomOf(WORDS, i)).value), value);
    }
  });

  test(`${name}: shrinking ends, and every step of it is a value of the same kind`, (t) => {
    for (let i = 0; i < 20; i++) {
      let present = arbitrary.draw(randomOf(WORDS, i));
      let turns = 0;
      for (;;) {
        const next = arbitrary.shrink(present).getNthOrLast(0);
        if (next === null) break;
        present = next.value;
        t.true(arbitrary.canShrinkWithoutContext(present));
        t.true(text(present).length >= 0);
        if (++turns > 3000) {
          t.fail('shrinking does not end');
          break;
        }
      }
    }
  });
}

test('what seeds mean', (t) => {
  // A change here changes every seed that stands in a report: it has to be meant.
  for (const { name, arbitrary, text } of ROWS) t.snapshot(text(arbitrary.draw(randomOf(WORDS, 7))), name);
});

test('every realizable machine is drawn, and no other', (t) => {
  const rows = machineRows({});
  const arbitrary = machineConfigArbitrary('s');
  const drawn = new Set<string>();
  for (let i = 0; i < 30_000; i++) drawn.add(JSON.stringify(arbitrary.draw(randomOf(WORDS, i))));
  t.is(drawn.size, rows.length);
  for (const one of rows) t.false(one.iommuPlatform && one.mode !== 'modern');
});

test('a bug that needs twenty elements is found, and made as small as that', (t) => {
  const result = fc.check(
    fc.property(chainArbitrary(), (value) => value.elements.filter((element) => element.write).length < 20),
    { seed: 3, numRuns: 2000 },
  );
  t.true(result.failed);
  const [smallest] = result.counterexample ?? [];
  t.is(smallest?.elements.length, 20);
  t.true(smallest?.elements.every((element) => element.length === 1 && element.place === 'buffer'));
});

test('neighbouring cases draw unrelated numbers', (t) => {
  const firsts = new Set(Array.from({ length: 10_000 }, (_, i) => new CaseGenerator(WORDS, i).next()));
  t.true(firsts.size > 9990);
  const copy = new CaseGenerator(WORDS, 5);
  t.is(copy.clone().next(), copy.next());
});

test('the steps towards a value end before it, and lists lose runs', (t) => {
  t.deepEqual([...towards(9, 1)], [1, 5, 7, 8]);
  t.deepEqual([...towards(1, 1)], []);
  t.deepEqual([...without(['a', 'b', 'c'])], [[], ['b', 'c'], ['a', 'c'], ['a', 'b']]);
  t.deepEqual([...without(['a', 'b'], 1)], [['b'], ['a']]);
  t.true(
    new Drawn(
      () => 1,
      () => [],
      (value): value is number => value === 1,
    ).canShrinkWithoutContext(1),
  );
});
