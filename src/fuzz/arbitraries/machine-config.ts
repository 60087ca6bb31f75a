import type fc from 'fast-check';
import type { BehaviourName } from '../../emu/virtio/behaviour.ts';
import { MODES, type CaseMachine } from '../case.ts';
import { machineRows, type MachineRow } from '../machines.ts';
import { Drawn, oneOf } from './drawn.ts';

/** What an operator narrows a campaign to; an empty list is everything. */
export interface MachineFilter {
  readonly machines?: readonly string[];
  readonly devices?: readonly string[];
  readonly modes?: readonly string[];
  readonly iommuPlatform?: readonly boolean[];
  readonly profiles?: readonly string[];
  /** One behaviour for all; absent: `qemu-7.2`. */
  readonly behaviour?: BehaviourName;
}

/** Every configuration that QEMU realises, as a draw from a table: machine × device × mode × iommu_platform × guest. */
export function machineConfigArbitrary(seed: string, filter: MachineFilter = {}): Drawn<CaseMachine> {
  const rows = machineRows(filter);
  return new Drawn(
    (random) => drawMachine(random, rows, seed),
    (value) => smallerMachines(value, rows),
    (value): value is CaseMachine => typeof value === 'object' && value !== null && 'machine' in value,
  );
}

export function drawMachine(random: fc.Random, rows: readonly MachineRow[], seed: string): CaseMachine {
  return { ...oneOf(random, rows), seed };
}

/** The newest machine, then the plainest mode: configuration that does not matter goes. */
export function* smallerMachines(value: CaseMachine, rows: readonly MachineRow[]): Generator<CaseMachine> {
  const rank = (row: MachineRow): number[] => [
    rows.findIndex((one) => one.machine === row.machine),
    rows.findIndex((one) => one.device === row.device),
    MODES.length - MODES.indexOf(row.mode),
    row.iommuPlatform ? 1 : 0,
    rows.findIndex((one) => one.profile === row.profile),
  ];
  const present = rank(value);
  for (const row of rows) {
    const other = rank(row);
    const never = other.every((figure, index) => figure <= (present[index] ?? 0));
    const differs = other.some((figure, index) => figure < (present[index] ?? 0));
    if (never && differs) yield { ...value, ...row };
  }
}
