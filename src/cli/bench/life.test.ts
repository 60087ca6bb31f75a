import test from 'ava';
import { Life } from './life.ts';

test('every life is the same life', (t) => {
  for (const iommuPlatform of [false, true]) {
    const life = new Life(iommuPlatform);
    const ends: string[] = [];
    for (let round = 0; round < 2; round++) {
      life.run(12, undefined);
      t.true(life.driver.outcome.dataCorrect);
      t.is(life.driver.outcome.completed, 12);
      ends.push(life.machine.digest());
    }
    t.is(ends[0], ends[1]);
  }
});
