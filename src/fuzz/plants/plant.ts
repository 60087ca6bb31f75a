import type { Machine } from '../../emu/machine/machine.ts';

/** A fault put into a machine from outside, so that an oracle can be seen to find it. */
export interface Plant {
  readonly name: string;
  /** The oracle that has to find it. */
  readonly oracle: string;
  readonly title: string;
  /** Cases within which a campaign of the default scenario has to find it. */
  readonly within: number;
  /** Devices to look at; absent for all. */
  readonly devices?: readonly string[];
  /** Changes this machine. What is handed back is called whenever the machine is rewound. */
  into(machine: Machine): () => void;
}
