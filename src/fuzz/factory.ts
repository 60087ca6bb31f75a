import { SILENT, type Diagnostics } from '../emu/core/diagnostics.ts';
import type { Behaviour } from '../emu/virtio/behaviour.ts';
import { Machine, type MachineOptions } from '../emu/machine/machine.ts';
import type { MachineConfig, Verdict } from '../emu/machine/config.ts';
import type { PagedMemory } from '../emu/memory/guest-memory.ts';
import { plantsOf } from './plants/index.ts';
import type { Plant } from './plants/plant.ts';
import type { FuzzMachine, MachineFactory } from './runner.ts';

/** Builds emulated machines, with the faults of these names planted in them. Throws one sentence for an unknown name. */
export function machineFactory(
  plants: readonly string[],
  diagnostics: Diagnostics = SILENT,
  behaviour?: Behaviour,
): MachineFactory {
  const planted = plantsOf(plants);
  const spare: SpareMemory[] = [];
  return (config) =>
    build(config, planted, spare, behaviour === undefined ? { diagnostics } : { diagnostics, behaviour });
}

/** RAM of a machine that was given up, and how many machines it has served. */
interface SpareMemory {
  readonly memory: PagedMemory;
  readonly served: number;
}

/**
 * The host keeps every page of RAM that was ever written, so RAM that served long would come to hold all of its 256 MiB:
 * hostile elements lie anywhere.
 */
const MACHINES_SERVED_MAX = 16;

/** RAM goes from one machine to the next: a fresh one of 256 MiB costs as much as all else of a machine together. */
function build(
  config: MachineConfig,
  plants: readonly Plant[],
  spare: SpareMemory[],
  options: MachineOptions,
): Verdict<FuzzMachine> {
  const at = spare.findIndex(({ memory }) => memory.size === config.ramBytes);
  const [found] = at < 0 ? [] : spare.splice(at, 1);
  const verdict = Machine.create(
    config,
    found === undefined ? options : { ...options, memory: found.memory },
  );
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
      retire: () => {
        const served = (found?.served ?? 0) + 1;
        if (served === MACHINES_SERVED_MAX) return;
        machine.memory.clear();
        spare.push({ memory: machine.memory, served });
      },
    },
  };
}
