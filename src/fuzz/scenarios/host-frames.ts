/**
 * The host's side: frames of every length arrive while the guest posts buffers, honest and not, or none at all.
 */
import { below, oneIn } from '../arbitraries/drawn.ts';
import { drawStep } from '../arbitraries/step.ts';
import type { Step } from '../case.ts';
import { step } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { drawRequest, swarm } from './whole-life.ts';

export const hostFrames: Scenario = {
  name: 'host-frames',
  group: 'host',
  title: 'frames from the host against buffers of every kind',
  byDefault: false,
  program(random) {
    const steps: Step[] = [];
    const places = swarm(random);
    const length = 4 + below(random, 16);
    for (let i = 0; i < length; i++) {
      const draw = below(random, 4);
      if (draw < 2) steps.push(drawStep(random, 'host-frame', places));
      else if (draw === 2) steps.push(drawStep(random, 'submit', places, 8));
      else steps.push(oneIn(random, 3) ? step('recover') : drawRequest(random));
    }
    return steps;
  },
};
