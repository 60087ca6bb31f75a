import test from 'ava';
import { peakMemory } from './children.ts';

test('the peak of a process is told, and a command that cannot run is refused', async (t) => {
  const mebibytes = await peakMemory(['--version']);
  t.true(mebibytes > 10 && mebibytes < 1000, `${mebibytes} MiB`);
  await t.throwsAsync(peakMemory(['replay', 'no-such-file']), { message: /status 2/ });
});
