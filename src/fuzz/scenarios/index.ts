import type { Scenario } from './scenario.ts';
import { canary } from './canary.ts';
import { diskCommands } from './disk-commands.ts';
import { faults } from './faults.ts';
import { hostFrames } from './host-frames.ts';
import { hostLies } from './host-lies.ts';
import { hostOrders } from './host-orders.ts';
import { hostileRings } from './hostile-rings.ts';
import { netControl } from './net-control.ts';
import { registerStorm } from './register-storm.ts';
import { setUpOrder } from './set-up-order.ts';
import { tceMaps } from './tce-maps.ts';
import { wholeLife } from './whole-life.ts';

/** Every scenario. The first is what a campaign runs that names none. */
export const SCENARIOS: readonly Scenario[] = [
  wholeLife,
  hostileRings,
  tceMaps,
  registerStorm,
  setUpOrder,
  hostFrames,
  netControl,
  hostLies,
  hostOrders,
  diskCommands,
  faults,
  canary,
];

/** Scenarios by name or group; throws one sentence for a word that is neither. */
export function scenariosOf(words: readonly string[]): readonly Scenario[] {
  if (words.length === 0) return SCENARIOS.filter((scenario) => scenario.byDefault);
  const chosen = SCENARIOS.filter(
    (scenario) => words.includes(scenario.name) || words.includes(scenario.group),
  );
  const stranger = words.find((word) => !SCENARIOS.some((one) => one.name === word || one.group === word));
  if (stranger !== undefined) {
    const known = [...new Set(SCENARIOS.flatMap((one) => [one.name, one.group]))];
    throw new Error(`no scenario or group is called '${stranger}': choose from ${known.join(', ')}`);
  }
  return chosen;
}

export function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) {
    throw new Error(
      `no scenario is called '${name}': choose from ${SCENARIOS.map((one) => one.name).join(', ')}`,
    );
  }
  return found;
}
