import test from 'ava';
import { DiagnosticLog, SILENT } from './diagnostics.ts';

test('a log keeps every line in order, silence keeps none and says so', (t) => {
  const log = new DiagnosticLog();
  t.true(log.listening);
  log.say('first');
  log.say('second');
  t.deepEqual(log.lines, ['first', 'second']);
  t.false(SILENT.listening);
  t.notThrows(() => {
    SILENT.say('nobody hears');
  });
});
