/**
 * A network device behind a tap is opened with every set of features, given commands that fit and that do not, frames to
 * send behind honest and lying headers, and frames from the wire that its filters decide about.
 */
import { below, oneIn } from '../arbitraries/drawn.ts';
import { drawStep } from '../arbitraries/step.ts';
import type { Step } from '../case.ts';
import { step, type StepName } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { drawRequest } from './whole-life.ts';

/** Each as often as it stands here. */
const DEEDS: readonly StepName[] = [
  'net-command',
  'net-command',
  'net-command',
  'net-send',
  'net-wire',
  'net-wire',
];

export const netControl: Scenario = {
  name: 'net-control',
  group: 'net',
  title: 'control commands, headers and filters of a network device',
  byDefault: false,
  device: 'net-tap',
  program(random) {
    const steps: Step[] = [drawStep(random, 'net-open', [])];
    const length = 4 + below(random, 20);
    for (let i = 0; i < length; i++) {
      if (oneIn(random, 10)) steps.push(oneIn(random, 2) ? step('net-open') : step('recover'));
      else if (oneIn(random, 16)) steps.push(drawRequest(random));
      else steps.push(drawStep(random, DEEDS[below(random, DEEDS.length)] ?? 'net-command', []));
    }
    return steps;
  },
};
