/**
 * TCE tables that change around requests: pages taken away, turned read-only or pointed behind RAM before, between and
 * after requests, windows that come and go. A device may never reach what no TCE gives it (faults.md 1b, tce.md 3).
 */
import { below, oneIn } from '../arbitraries/drawn.ts';
import { drawStep } from '../arbitraries/step.ts';
import { drawTceMap } from '../arbitraries/tce-map.ts';
import type { Step } from '../case.ts';
import { step } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { drawRequest, swarm } from './whole-life.ts';

export const tceMaps: Scenario = {
  name: 'tce-maps',
  group: 'tce',
  title: 'translation tables that change around requests',
  byDefault: false,
  program(random) {
    const steps: Step[] = [];
    const places = swarm(random);
    const rounds = 1 + below(random, 4);
    for (let round = 0; round < rounds; round++) {
      steps.push(drawRequest(random), ...drawTceMap(random, 6, oneIn(random, 2)));
      steps.push(oneIn(random, 2) ? drawStep(random, 'submit', places, 8) : drawRequest(random));
      if (oneIn(random, 2)) steps.push(step('recover'));
    }
    return steps;
  },
};
