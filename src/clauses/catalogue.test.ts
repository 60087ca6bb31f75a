import test from 'ava';
import { catalogue, clauseById, countClauses } from './catalogue.ts';
import { CLAUSE_TABLES } from './rows/index.ts';

test('the catalogue has every row of the specification that is in scope, each once and whole', (t) => {
  const entries = catalogue();
  const said = entries.filter(({ clause }) => !clause.implied);
  t.is(said.length, 858);
  t.is(entries.length - said.length, 98);
  t.is(said.filter(({ clause }) => clause.decidable === 'yes').length, 580);
  t.is(said.filter(({ clause }) => clause.decidable === 'partly').length, 111);
  for (const { clause } of entries) {
    t.regex(clause.id, /^[A-Z]+-[A-Z]+-\d{3}$/);
    t.regex(clause.section, /^\d+(\.\d+)*$/, clause.id);
    t.regex(clause.level, /^(MUST|SHOULD)( NOT)?$|^MAY$/, clause.id);
    t.true(
      [clause.title, clause.statement, clause.how, clause.source].every((field) => field !== ''),
      clause.id,
    );
  }
});

test('every checker and every reason is of a clause that there is, and of one only', (t) => {
  const ids = CLAUSE_TABLES.flatMap(({ checkers, undecided }) =>
    [...checkers, ...undecided].map(({ id }) => id),
  );
  t.deepEqual(
    ids.filter((id) => clauseById(id) === undefined),
    [],
  );
  t.deepEqual(
    ids.filter((id, at) => ids.indexOf(id) !== at),
    [],
  );
  // A device's clause is judged at the device, a driver's at the driver; of those for both either may be.
  const wrong = CLAUSE_TABLES.flatMap(({ checkers }) => checkers).filter(({ id, judge }) => {
    const side = id.split('-')[1];
    return (side === 'DEV' && judge !== 'device') || (side === 'DRV' && judge !== 'driver');
  });
  t.deepEqual(
    wrong.map(({ id }) => id),
    [],
  );
});

test('rows that are owed a checker are counted, not skipped', (t) => {
  const { rows, decidable, checked, owed } = countClauses(catalogue());
  const excused = catalogue().filter(
    ({ clause, checker, why }) =>
      !clause.implied && clause.decidable === 'yes' && checker === undefined && why !== undefined,
  );
  t.is(rows, 858);
  t.is(checked + owed + excused.length, decidable);
  t.log(
    `${checked} of ${decidable} decidable rows have a checker, ${excused.length} a reason, ${owed} are owed`,
  );
  for (const { why } of excused) t.true((why ?? '').length > 20, 'a reason is a sentence');
});
