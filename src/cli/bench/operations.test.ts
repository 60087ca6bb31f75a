// No figure is judged: what is measured must be what the row says, so every operation checks its own outcome.
import test from 'ava';
import { OPERATIONS } from './operations.ts';

for (const { name, prepare } of OPERATIONS) {
  test(`${name}: both sides run as often as they are asked to`, (t) => {
    const pair = prepare();
    t.notThrows(() => {
      // Beyond the 256 entries of the ring, and beyond 1,024 pages.
      pair.run(1100);
      pair.runBaseline(1100);
    });
  });
}
