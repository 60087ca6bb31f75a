/**
 * Lives around one lie each, made of the words that the fault list is written in: a set-up in full or in part, a few bytes of
 * rings and requests written by hand, and a look at what came of it (corpora/faults holds every row of the list as such a case).
 */
import { below, oneIn, oneOf } from '../arbitraries/drawn.ts';
import { drawStep } from '../arbitraries/step.ts';
import type { Step } from '../case.ts';
import { step, type StepName } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { swarm } from './whole-life.ts';

const LIES: readonly StepName[] = [
  'poke',
  'poke',
  'scribble',
  'register-write',
  'remap',
  'set-up',
  'reset-queue',
];
const LOOKS: readonly StepName[] = ['peek', 'register-read', 'config-read', 'reap'];

export const faults: Scenario = {
  name: 'faults',
  group: 'rings',
  title: 'requests and rings written by hand, with a lie or two in each',
  byDefault: false,
  program(random) {
    const steps: Step[] = [];
    const places = swarm(random);
    const length = 1 + below(random, 4);
    for (let i = 0; i < length; i++) {
      // Published first, so that what is changed afterwards is what the device finds.
      const submitted = drawStep(random, 'submit', places, 4);
      steps.push({ ...submitted, args: submitted.args.map((value, at) => (at === KICK ? 0 : value)) });
      const lies = 1 + below(random, 3);
      for (let lie = 0; lie < lies; lie++) steps.push(drawStep(random, oneOf(random, LIES), places));
      steps.push(step('notify', { queue: submitted.args[0] ?? 0 }));
      steps.push(drawStep(random, oneOf(random, LOOKS), places));
      if (oneIn(random, 4)) steps.push(step('recover'));
    }
    return steps;
  },
};

/** Where `submit` has its argument `kick`. */
const KICK = 4;
