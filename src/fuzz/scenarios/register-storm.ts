/**
 * Registers of every structure read and written with every width, offset and value, and configuration space beside them,
 * with requests in between. Whatever the device makes of it, it answers, and a reset mends it (faults.md 1c, 1d).
 */
import { below, oneIn, oneOf } from '../arbitraries/drawn.ts';
import { drawStep } from '../arbitraries/step.ts';
import type { Step } from '../case.ts';
import { step, type StepName } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { drawRequest, swarm } from './whole-life.ts';

const STORM: readonly StepName[] = [
  'register-write',
  'register-write',
  'register-write',
  'register-read',
  'config-write',
  'config-read',
  'status',
  'features',
  'notify',
  'reset-queue',
  'legacy-frame',
  'byte-order',
];

export const registerStorm: Scenario = {
  name: 'register-storm',
  group: 'transport',
  title: 'registers and configuration space with every width, offset and value',
  byDefault: false,
  program(random) {
    const steps: Step[] = [];
    const places = swarm(random);
    const length = 8 + below(random, 40);
    for (let i = 0; i < length; i++) {
      if (!oneIn(random, 6)) steps.push(drawStep(random, oneOf(random, STORM), places));
      else if (oneIn(random, 3)) steps.push(step('recover'));
      else steps.push(oneIn(random, 2) ? drawRequest(random) : drawStep(random, 'submit', places, 6));
    }
    return steps;
  },
};
