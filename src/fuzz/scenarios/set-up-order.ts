/**
 * The phases of initialisation in every order and with gaps: rings before features, kicks before DRIVER_OK, status bits
 * taken back, both interfaces of a transitional device at once (faults.md 1c, D54, D63-D68, D80).
 */
import { below, oneIn, oneOf } from '../arbitraries/drawn.ts';
import { drawStep } from '../arbitraries/step.ts';
import type { Step } from '../case.ts';
import { step, type StepName } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { drawRequest, swarm } from './whole-life.ts';

const PHASES: readonly StepName[] = [
  'set-up',
  'set-up',
  'status',
  'features',
  'notify',
  'legacy-frame',
  'reset-queue',
  'byte-order',
];

export const setUpOrder: Scenario = {
  name: 'set-up-order',
  group: 'transport',
  title: 'initialisation in the wrong order and in part',
  byDefault: false,
  program(random) {
    const steps: Step[] = [];
    const places = swarm(random);
    const length = 3 + below(random, 12);
    for (let i = 0; i < length; i++) {
      steps.push(drawStep(random, oneOf(random, PHASES), places));
      if (oneIn(random, 3)) steps.push(drawStep(random, 'submit', places, 4));
      if (oneIn(random, 6)) steps.push(step('recover'), drawRequest(random));
    }
    return steps;
  },
};
