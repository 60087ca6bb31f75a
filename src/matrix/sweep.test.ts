// Every cell there is, not a sample: predicted by the rules, and decided by realize and by lives on the machine. The
// reviewed snapshot beside this file shows each of them folded; its digest runs over all of them.
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { WHOLE } from './axes.ts';
import { RuleSource } from './cell.ts';
import { DecidedSource } from './decided.ts';
import { matrixDocument } from './document.ts';
import { gridText } from './grid-text.ts';
import { sweep } from './sweep.ts';
import { NO_CAPS } from './tiers.ts';

/** Reviewed like code: UPDATE_MATRIX=1 npm run ava -- src/matrix/sweep.test.ts writes it anew. */
const REVIEWED = new URL('reviewed.txt', import.meta.url);

test('the whole matrix is as it was reviewed', (t) => {
  const { cells, constructions, digest, byPolicy } = sweep(WHOLE, new RuleSource());
  const lines = [
    `${cells} cells of ${constructions} places, digest ${digest}`,
    ...[...byPolicy].map(([policy, counts]) => `${policy}: ${JSON.stringify(counts)}`),
    '',
    ...gridText(matrixDocument(WHOLE, new RuleSource(), 'rules', NO_CAPS)),
  ];
  if (process.env['UPDATE_MATRIX'] !== undefined) writeFileSync(REVIEWED, `${lines.join('\n')}\n`);
  const reviewed = readFileSync(REVIEWED, 'utf8').split('\n');
  const differs = lines.findIndex((line, at) => line !== reviewed[at]);
  t.is(
    differs < 0 ? '' : `line ${differs + 1}: ${lines[differs] ?? ''}`,
    differs < 0 ? '' : `line ${differs + 1}: ${reviewed[differs] ?? ''}`,
  );
  t.is(reviewed.length, lines.length + 1);
});

test('every cell that this emulator can decide ends as the rules predict', (t) => {
  t.timeout(600_000, 'thousands of guests live');
  const began = performance.now();
  const source = new DecidedSource();
  const decided = sweep(WHOLE, source);
  const seconds = (performance.now() - began) / 1000;
  const perSecond = Math.round(decided.cells / seconds);
  t.log(
    `${decided.cells} cells in ${seconds.toFixed(1)} s (${perSecond} cells/s), ${source.lives} lives, ${source.constructions} constructions`,
  );
  t.is(decided.digest, sweep(WHOLE, new RuleSource()).digest);
  t.true(source.lives > 5000, 'a distinct pair of device and guest is run, not looked up');
  t.true(perSecond > 20_000);
});
