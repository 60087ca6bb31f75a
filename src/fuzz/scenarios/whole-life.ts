/**
 * A whole life: the device is found, negotiated and given rings and TCEs by its guest; honest requests and hostile chains
 * follow each other, eight at the least; the device is reset in between; at the end a good guest must be served.
 *
 * A round is honest requests, then faults, then a reset. Which kinds of fault a case knows at all is drawn first (a swarm),
 * so that some cases are made of nothing but one lie.
 */
import type fc from 'fast-check';
import { below, oneIn, oneOf } from '../arbitraries/drawn.ts';
import { drawStep } from '../arbitraries/step.ts';
import { PLACES, type Place, type Step } from '../case.ts';
import { step, type StepName } from '../steps.ts';
import type { Scenario } from './scenario.ts';

const REQUESTS_LEAST = 8;
const BETWEEN: readonly StepName[] = ['idle', 'advance', 'config-read', 'tce-get', 'notify', 'register-read'];
const FAULTS: readonly StepName[] = [
  'submit',
  'submit',
  'submit',
  'ring',
  'scribble',
  'remap',
  'status',
  'register-write',
];
const HONEST_PLACES: readonly Place[] = ['buffer'];

export const wholeLife: Scenario = {
  name: 'whole-life',
  group: 'life',
  title: 'a guest finds, sets up and uses its device, with hostile requests among honest ones',
  byDefault: true,
  program(random) {
    const steps: Step[] = [];
    const places = swarm(random);
    const rounds = 1 + below(random, 2);
    let requests = 0;
    for (let round = 0; round < rounds; round++) {
      const honest = 2 + below(random, 4);
      for (let i = 0; i < honest; i++) steps.push(drawRequest(random));
      requests += honest;
      if (oneIn(random, 3)) steps.push(drawStep(random, oneOf(random, BETWEEN), HONEST_PLACES));
      const faults = 2 + below(random, 3);
      for (let i = 0; i < faults; i++) {
        const fault = drawStep(random, oneOf(random, FAULTS), places, oneIn(random, 8) ? 64 : 6);
        if (fault.name === 'submit') requests++;
        steps.push(fault);
      }
      if (round + 1 < rounds || oneIn(random, 2)) steps.push(step('recover'));
      else break;
    }
    while (requests < REQUESTS_LEAST) {
      steps.push(drawRequest(random));
      requests++;
    }
    return steps;
  },
};

export function drawRequest(random: fc.Random): Step {
  return {
    name: 'request',
    // Most requests are of one sector: it is their number and order that finds things.
    args: [
      below(random, 2),
      below(random, 56),
      oneIn(random, 4) ? 1 + below(random, 8) : 1,
      1 + below(random, 255),
    ],
    chain: undefined,
    ring: undefined,
  };
}

/** The places that this case may use: all, a few, or none but the driver's own. */
export function swarm(random: fc.Random): readonly Place[] {
  const draw = below(random, 4);
  if (draw === 0) return PLACES;
  const chosen: Place[] = ['buffer'];
  for (let i = 0; i < draw; i++) chosen.push(oneOf(random, PLACES));
  return chosen;
}
