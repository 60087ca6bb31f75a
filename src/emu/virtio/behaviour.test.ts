import test from 'ava';
import { behaviourOf, DEVIATION_NAMES, DEVIATIONS } from './behaviour.ts';

test('every flag is a row with both sides, a reason and a source, and no row stands twice', (t) => {
  t.deepEqual(
    DEVIATIONS.map((row) => row.name),
    [...DEVIATION_NAMES],
  );
  for (const row of DEVIATIONS) {
    for (const text of [row.qemu, row.spec, row.because]) t.regex(text, /^.{10,}[.]$/, row.name);
    t.regex(row.source, /^(hw|softmmu|include|net)\/[\w/.-]+\.[ch]: \w+/, row.name);
    for (const clause of [...row.breaks, ...row.provoked]) t.regex(clause, /^[A-Z]+-([A-Z]+-)?\d{3}$/);
  }
});

test('qemu-7.2 is the default and sets every flag, spec none', (t) => {
  t.is(behaviourOf(undefined), behaviourOf('qemu-7.2'));
  t.deepEqual(new Set(Object.values(behaviourOf('qemu-7.2'))), new Set([true]));
  t.deepEqual(new Set(Object.values(behaviourOf('spec'))), new Set([false]));
  t.deepEqual(Object.keys(behaviourOf('spec')), [...DEVIATION_NAMES]);
});
