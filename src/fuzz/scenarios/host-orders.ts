/**
 * Consoles and balloons, whose hosts act: bytes and commands arrive between the messages, page lists, statistics and hints
 * of a driver that means some of them.
 */
import { below, oneIn } from '../arbitraries/drawn.ts';
import { drawStep } from '../arbitraries/step.ts';
import type { Step } from '../case.ts';
import { step, type StepName } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { drawRequest, swarm } from './whole-life.ts';

const ASKED: ReadonlyMap<string, readonly StepName[]> = new Map<string, readonly StepName[]>([
  ['console', ['control-message', 'control-message', 'host-bytes', 'monitor-order', 'submit']],
  ['ballooning', ['balloon-pages', 'balloon-pages', 'statistics', 'hint-command', 'monitor-order', 'submit']],
]);
const OTHERS: readonly StepName[] = ['monitor-order', 'submit'];

export const hostOrders: Scenario = {
  name: 'host-orders',
  group: 'host',
  title: 'consoles and balloons with a host that acts',
  byDefault: false,
  program(random, machine) {
    const asked = ASKED.get(machine.device) ?? OTHERS;
    const places = swarm(random);
    const steps: Step[] = [];
    const length = 6 + below(random, 18);
    for (let i = 0; i < length; i++) {
      const name = asked[below(random, asked.length)];
      if (name === undefined || oneIn(random, 6)) {
        steps.push(oneIn(random, 2) ? step('recover') : drawRequest(random));
      } else steps.push(drawStep(random, name, places, 8));
    }
    return steps;
  },
};
