// Every scenario runs: some hundred cases of each over machines of every kind, none of which breaks anything new.
import test from 'ava';
import { BlockRunner } from '../block.ts';
import { machineFactory } from '../factory.ts';
import { knownBreach } from '../known.ts';
import { BLOCK_CASES } from '../plan.ts';
import { canary } from './canary.ts';
import { faults } from './faults.ts';
import { hostFrames } from './host-frames.ts';
import { netControl } from './net-control.ts';
import { hostLies } from './host-lies.ts';
import { hostOrders } from './host-orders.ts';
import { hostileRings } from './hostile-rings.ts';
import { SCENARIOS, scenarioOf, scenariosOf } from './index.ts';
import { registerStorm } from './register-storm.ts';
import { setUpOrder } from './set-up-order.ts';
import { tceMaps } from './tce-maps.ts';
import { drawRequest, swarm, wholeLife } from './whole-life.ts';
import { randomOf } from '../arbitraries/drawn.ts';

const BLOCKS = 3;
const MACHINE = {
  machine: 'pseries-7.2',
  device: 'blk',
  mode: 'modern',
  iommuPlatform: true,
  profile: 'modern-plat',
  seed: '1',
} as const;

for (const scenario of [
  wholeLife,
  hostileRings,
  tceMaps,
  registerStorm,
  setUpOrder,
  hostFrames,
  netControl,
  hostLies,
  hostOrders,
  faults,
]) {
  test(`${scenario.name} breaks nothing new`, (t) => {
    const plan = { seed: 'smoke', scenarios: [scenario.name], filter: {}, plants: [] };
    const runner = new BlockRunner(plan, machineFactory([]));
    for (let block = 0; block < BLOCKS; block++) {
      const result = runner.run(block, BLOCKS * BLOCK_CASES);
      const news = result.findings.filter((finding) => knownBreach(finding) === undefined);
      t.deepEqual(news, []);
    }
  });
}

test('a whole life has eight requests at the least, honest and hostile ones', (t) => {
  let hostile = 0;
  for (let i = 0; i < 500; i++) {
    const steps = wholeLife.program(randomOf([1, 2, 3, 4], i), MACHINE);
    const requests = steps.filter((one) => one.name === 'request' || one.name === 'submit');
    t.true(requests.length >= 8);
    if (requests.some((one) => one.name === 'submit')) hostile++;
  }
  t.true(hostile > 250, `${hostile} of 500 lives hold a hostile chain`);
  t.is(drawRequest(randomOf([1], 1)).name, 'request');
  t.true(swarm(randomOf([1], 1)).includes('buffer'));
});

test('scenarios are found by name and by group', (t) => {
  t.is(scenarioOf('tce-maps'), tceMaps);
  t.deepEqual(scenariosOf([]), [wholeLife]);
  t.true(scenariosOf(['transport']).length >= 2);
  t.is(new Set(SCENARIOS.map((one) => one.name)).size, SCENARIOS.length);
  t.false(canary.byDefault);
  t.throws(() => scenarioOf('x'), { message: /no scenario is called 'x'/ });
});
