/**
 * Must fail. One case in four contains a step that fails on purpose; a campaign that lets it pass is broken, whatever else
 * it reports.
 */
import { below, oneIn } from '../arbitraries/drawn.ts';
import { step } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { drawRequest, wholeLife } from './whole-life.ts';

export const canary: Scenario = {
  name: 'canary',
  group: 'canary',
  title: 'fails on purpose',
  byDefault: false,
  program(random, machine) {
    const steps = wholeLife.program(random, machine);
    if (!oneIn(random, 4)) return steps;
    steps.splice(below(random, steps.length), 0, drawRequest(random), step('fail'));
    return steps;
  },
};
