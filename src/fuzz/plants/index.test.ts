// A green campaign says something only if each oracle finds the fault that was planted for it.
import test from 'ava';
import { BlockRunner } from '../block.ts';
import { machineFactory } from '../factory.ts';
import { bucketOf } from '../minimise.ts';
import { BLOCK_CASES } from '../plan.ts';
import { PLANTS, plantsOf } from './index.ts';

const ORACLES = ['G1', 'G1-tce', 'G2', 'G3', 'G4', 'G5', 'integrity'];

for (const plant of PLANTS) {
  test(`${plant.oracle} finds ${plant.name} within ${plant.within} cases`, (t) => {
    const runner = new BlockRunner(
      { seed: 'plants', scenarios: [], filter: { devices: plant.devices ?? [] }, plants: [plant.name] },
      machineFactory([plant.name]),
    );
    const blocks = Math.ceil(plant.within / BLOCK_CASES);
    for (let block = 0; block < blocks; block++) {
      const { findings } = runner.run(block, plant.within);
      const found = findings.find((finding) => finding.oracle === plant.oracle);
      if (found === undefined) continue;
      t.log(`case ${found.index}: ${bucketOf(found)}`);
      t.pass();
      return;
    }
    t.fail('nothing was found');
  });
}

test('every oracle has a fault of its own', (t) => {
  t.deepEqual([...new Set(PLANTS.map((plant) => plant.oracle))].toSorted(), ORACLES.toSorted());
  t.throws(() => plantsOf(['gremlin']), { message: /no fault is called 'gremlin'/ });
});

test('the canary fails', (t) => {
  const runner = new BlockRunner(
    { seed: 'canary', scenarios: ['canary'], filter: {}, plants: [] },
    machineFactory([]),
  );
  t.true(runner.run(0, 32).findings.some((finding) => finding.oracle === 'canary'));
});
