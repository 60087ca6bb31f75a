import { readFileSync } from 'node:fs';
import test from 'ava';
import { PART_NAMES, partsOf, withTables } from './readme-tables.ts';

const readme = readFileSync('README.md', 'utf8');

test('the generated parts of README.md are as the tables have them', (t) => {
  t.is(withTables(readme), readme, 'run npm run readme');
});

test('README.md has every part once', (t) => {
  t.deepEqual(partsOf(readme).toSorted(), PART_NAMES.toSorted());
});

test('a part that nobody makes is named', (t) => {
  t.throws(() => withTables('<!-- generated: nonsense -->\n\n<!-- end -->'), { message: /nonsense/ });
});
