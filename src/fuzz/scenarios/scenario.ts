import type fc from 'fast-check';
import type { CaseMachine, Step } from '../case.ts';

export interface Scenario {
  readonly name: string;
  /** What `--scenario` also takes: all scenarios of a group. */
  readonly group: 'rings' | 'disks' | 'net' | 'tce' | 'transport' | 'host' | 'canary' | 'life';
  readonly title: string;
  /** Whether a campaign that names no scenario runs it. */
  readonly byDefault: boolean;
  /** Device that the cases are about, whatever the campaign's machines have; absent: theirs. */
  readonly device?: string;
  /** The program of one case on this machine. */
  program(random: fc.Random, machine: CaseMachine): Step[];
}
