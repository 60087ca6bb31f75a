// Every row of the list of faults is a case in corpora/faults whose outcome is known, under both behaviours.
import test from 'ava';
import { readCorpus } from '../corpus.ts';
import { knownBreach } from '../known.ts';
import { Observer } from './observe.ts';
import { FAULTS } from './table.ts';

const DRIVER_FAULTS = 122;

const STORED = readCorpus('corpora')
  .filter(({ value }) => value.scenario === 'faults')
  .map(({ path, value }) => ({ name: path.replace(/^.*\/|\.case$/g, ''), value }))
  // The others show deviations that no fault shows.
  .filter(({ name }) => name.startsWith('d'));

test('every number of the list has its row and its case, and there is no other', (t) => {
  const wanted: string[] = [];
  for (let i = 1; i <= DRIVER_FAULTS; i++) {
    wanted.push(`D${String(i).padStart(2, '0')}`);
  }
  t.deepEqual(
    FAULTS.map((row) => row.id),
    wanted,
  );
  t.deepEqual(FAULTS.map((row) => row.name).toSorted(), STORED.map(({ name }) => name).toSorted());
  for (const row of FAULTS) t.true(row.name.startsWith(`${row.id.toLowerCase()}-`), row.name);
});

for (const behaviour of ['qemu-7.2', 'spec'] as const) {
  test(`each fault ends under ${behaviour} as the table says, and a reset heals it`, (t) => {
    const observer = new Observer();
    for (const row of FAULTS) {
      const stored = STORED.find(({ name }) => name === row.name);
      if (stored === undefined) continue;
      const { outcome, evidence, breach } = observer.observe(stored.value, behaviour);
      const expected = behaviour === 'spec' ? (row.spec ?? row.qemu) : row.qemu;
      t.deepEqual([outcome, evidence], [...expected], row.name);
      const news = breach === undefined || (behaviour === 'qemu-7.2' && knownBreach(breach) !== undefined);
      t.true(news, `${row.name}: ${breach?.reason ?? ''}`);
    }
  });
}

test('under spec nothing is lost and no device dies unseen', (t) => {
  for (const row of FAULTS) {
    const [outcome] = row.spec ?? row.qemu;
    t.true(['needs reset', 'served', 'nothing'].includes(outcome), row.name);
  }
});
