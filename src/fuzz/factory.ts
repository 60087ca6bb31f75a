import { Machine } from '../emu/machine/machine.ts';
import type { MachineConfig, Verdict } from '../emu/machine/config.ts';
import { plantsOf } from './plants/index.ts';
import type { Plant } from './plants/plant.ts';
import type { FuzzMachine, MachineFactory } from './runner.ts';

/** Builds emulated machines, with the faults of these names planted in them. Throws one sentence for an unknown name. */
export function machineFactory(plants: readonly string[]): MachineFactory {
  const planted = plantsOf(plants);
  return (config) => build(config, planted);
}

function build(config: MachineConfig, plants: readonly Plant[]): Verdict<FuzzMachine> {
  const verdict = Machine.create(config);
  if (!verdict.accepted) return verdict;
  const machine = verdict.value;
  const rewinds = plants.map((plant) => plant.into(machine));
  const start = machine.snapshot();
  return {
    accepted: true,
    warnings: verdict.warnings,
    value: {
      platform: machine.platform,
      digest: () => machine.digest(),
      setTap: (tap) => machine.setTap(tap),
      hostInput: (port, bytes) => machine.hostInput(port, bytes),
      rewind: () => {
        machine.restore(start);
        for (const rewind of rewinds) rewind();
      },
    },
  };
}
