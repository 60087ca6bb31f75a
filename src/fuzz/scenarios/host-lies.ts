/**
 * Devices that lie: a scripted driver, as real guests behave, lives on a device that shows it wrong registers, used rings,
 * data and interrupts, and must give up or go on without harm to itself; then it finds the device honest and is served
 * (the host section of the list of faults, with chance in every lie).
 */
import { below } from '../arbitraries/drawn.ts';
import { drawStep } from '../arbitraries/step.ts';
import type { Step } from '../case.ts';
import { step } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { drawRequest } from './whole-life.ts';

export const hostLies: Scenario = {
  name: 'host-lies',
  group: 'host',
  title: 'a device that lies to a scripted driver, which must survive',
  byDefault: false,
  program(random) {
    const steps: Step[] = [];
    const lies = 1 + below(random, 3);
    for (let i = 0; i < lies; i++) steps.push(drawStep(random, 'lie', []));
    steps.push(step('recover'), drawRequest(random));
    return steps;
  },
};
