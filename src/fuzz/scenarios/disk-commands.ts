/**
 * Disks that are asked for everything: block requests of every type, SCSI commands and task management, with lengths,
 * ranges and flags that fit and that do not. The driver's rings are honest; what it asks is not (faults.md 4).
 */
import { below, oneIn } from '../arbitraries/drawn.ts';
import { drawStep } from '../arbitraries/step.ts';
import type { Step } from '../case.ts';
import { step, type StepName } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { drawRequest } from './whole-life.ts';

/** What a device of the name is asked, each as often as it stands here; other devices are asked what they know. */
const ASKED: ReadonlyMap<string, readonly StepName[]> = new Map<string, readonly StepName[]>([
  ['blk', ['blk-request']],
  ['scsi', ['scsi-command', 'scsi-command', 'scsi-command', 'scsi-task']],
]);

export const diskCommands: Scenario = {
  name: 'disk-commands',
  group: 'disks',
  title: 'requests of every type, with ranges and lengths that do not fit',
  byDefault: false,
  program(random, machine) {
    const asked = ASKED.get(machine.device);
    const steps: Step[] = [];
    const length = 6 + below(random, 18);
    for (let i = 0; i < length; i++) {
      const name = asked?.[below(random, asked.length)];
      if (name === undefined || oneIn(random, 8)) {
        steps.push(oneIn(random, 2) ? step('recover') : drawRequest(random));
      } else steps.push(drawStep(random, name, []));
    }
    return steps;
  },
};
