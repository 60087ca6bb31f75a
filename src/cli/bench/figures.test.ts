// No figure is judged: only that the rows that need no process of their own give one, in the unit they name.
import test from 'ava';
import { FIGURES } from './figures.ts';

const UNITS: Readonly<Record<string, string>> = {
  'an event of the campaign, at rest': 'bytes',
  'clause checkers, as a campaign samples them': '%',
  'the emulated POWER9': 'instructions/µs',
  'restoring a snapshot, 200 dirty pages': 'µs',
  'block reads of 64 KiB': 'reads/s',
  'ultracalls of a secure guest': 'ucalls/s',
  'frames out of secure memory and in again': 'MB/s',
  'network frames of 1,500 bytes sent': 'frames/s',
  'network frames of 1,500 bytes received': 'frames/s',
};

for (const [name, unit] of Object.entries(UNITS)) {
  test(`${name}: a figure and its baseline`, async (t) => {
    const row = FIGURES.find((one) => one.name === name);
    const figure = await row?.measure(true);
    t.is(figure?.unit, unit);
    t.true(Number.isFinite(figure?.value) && (figure?.value ?? 0) > 0);
    t.true((figure?.baseline ?? 0) > 0);
  });
}

test('every row has a name of its own', (t) => {
  t.is(new Set(FIGURES.map(({ name }) => name)).size, FIGURES.length);
});
