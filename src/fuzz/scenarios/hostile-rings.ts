/**
 * Rings that break every rule of the split ring: heads, indices, links, lengths, flags, tables and order, on a device that
 * was set up properly. Nothing may be touched that no descriptor names, and a reset must mend all (faults.md 1a).
 */
import { below, oneIn } from '../arbitraries/drawn.ts';
import { drawStep } from '../arbitraries/step.ts';
import type { Step } from '../case.ts';
import { step } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { drawRequest, swarm } from './whole-life.ts';

export const hostileRings: Scenario = {
  name: 'hostile-rings',
  group: 'rings',
  title: 'descriptors and rings that break the rules',
  byDefault: false,
  program(random) {
    const steps: Step[] = [];
    const places = swarm(random);
    const length = 4 + below(random, 12);
    for (let i = 0; i < length; i++) {
      const draw = below(random, 8);
      if (draw < 4) steps.push(drawStep(random, 'submit', places));
      else if (draw < 6) steps.push(drawStep(random, 'ring', places));
      else if (draw === 6) steps.push(drawStep(random, 'scribble', places));
      else steps.push(oneIn(random, 2) ? step('recover') : drawRequest(random));
    }
    return steps;
  },
};
