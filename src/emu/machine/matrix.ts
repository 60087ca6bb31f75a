/**
 * The question of compatibility, answered by running it: a guest of a profile lives on a machine with one device, and
 * the cell says whether it found the device, agreed with it, moved data and was interrupted.
 */
import { GuestDriver, type GuestOutcome } from '../guest/driver.ts';
import { GUEST_PROFILES, type GuestProfile } from '../guest/profiles.ts';
import type { BackendConfig, MachineConfig } from './config.ts';
import { Machine } from './machine.ts';
import { MACHINE_TYPES } from './types.ts';

/** How each mode is asked for, so that it means the same on every machine type. */
const MODES = [
  { name: 'legacy', options: 'disable-legacy=off,disable-modern=on' },
  { name: 'transitional', options: 'disable-legacy=off,disable-modern=off' },
  { name: 'modern', options: 'disable-legacy=on,disable-modern=off' },
] as const;

const DEVICES = [
  { name: 'rng', option: 'virtio-rng-pci,rng=e0' },
  { name: 'blk', option: 'virtio-blk-pci,drive=d0' },
  { name: 'net', option: 'virtio-net-pci,netdev=n0' },
] as const;

const BACKENDS: readonly BackendConfig[] = [
  { kind: 'entropy', id: 'e0' },
  { kind: 'disk', id: 'd0', sectors: 2048, content: 'tagged', readOnly: false },
  { kind: 'net', id: 'n0', loopback: true },
];

const RAM_BYTES = 0x1000_0000;
const REQUESTS = 8;

export interface MatrixCell {
  /** `pseries-7.2`. */
  readonly machine: string;
  /** `legacy`, `transitional`, `modern`. */
  readonly mode: string;
  readonly iommuPlatform: boolean;
  readonly guest: string;
  /** `rng`, `blk`, `net`. */
  readonly device: string;
}

/** `refused`: QEMU makes no such machine. `absent`: the guest sees no device it knows. `fails`: it gives up, or errs. */
export type CellVerdict = 'works' | 'refused' | 'absent' | 'fails';

export interface CellResult extends MatrixCell {
  readonly verdict: CellVerdict;
  /** QEMU's words, or the guest's; for a cell that works, by which way. */
  readonly reason: string;
  readonly found: boolean;
  /** Features agreed, queues set up, DRIVER_OK. */
  readonly negotiated: boolean;
  readonly dataCorrect: boolean;
  readonly interrupts: number;
}

/** Words that a cell must have; an empty list admits all. */
export interface MatrixFilter {
  readonly machine?: readonly string[];
  readonly mode?: readonly string[];
  /** `on`, `off`. */
  readonly iommuPlatform?: readonly string[];
  readonly guest?: readonly string[];
  readonly device?: readonly string[];
}

/** The names that a filter can choose from. */
export const MATRIX_NAMES: Readonly<Record<keyof MatrixFilter, readonly string[]>> = {
  machine: MACHINE_TYPES.map((type) => type.name),
  mode: MODES.map((mode) => mode.name),
  iommuPlatform: ['off', 'on'],
  guest: GUEST_PROFILES.filter(({ secure }) => secure === undefined).map(({ name }) => name),
  device: DEVICES.map((device) => device.name),
};

/** Guests that do not ask to become secure: those have a matrix of their own. */
const ORDINARY = GUEST_PROFILES.filter(({ secure }) => secure === undefined);

/** Every place for a guest that the filter admits, with the argument of its device. */
export function* placesOf(
  filter: MatrixFilter,
): Generator<readonly [row: Omit<MatrixCell, 'guest'>, device: string], void, undefined> {
  const admits = (key: keyof MatrixFilter, value: string): boolean => {
    const list = filter[key];
    return list === undefined || list.length === 0 || list.includes(value);
  };
  for (const machine of MATRIX_NAMES.machine.filter((name) => admits('machine', name))) {
    for (const mode of MODES.filter(({ name }) => admits('mode', name))) {
      for (const iommu of MATRIX_NAMES.iommuPlatform.filter((word) => admits('iommuPlatform', word))) {
        for (const device of DEVICES.filter(({ name }) => admits('device', name))) {
          const row = { machine, mode: mode.name, iommuPlatform: iommu === 'on', device: device.name };
          yield [row, `${device.option},addr=1,${mode.options},iommu_platform=${iommu}`];
        }
      }
    }
  }
}

/** Runs every cell that the filter admits: a machine is built once and goes back to its start for each guest. */
export function* runMatrix(filter: MatrixFilter): Generator<CellResult, void, undefined> {
  const wanted = filter.guest ?? [];
  const guests = ORDINARY.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  for (const [row, argument] of placesOf(filter)) yield* runGuests(row, argument, guests);
}

function* runGuests(
  row: Omit<MatrixCell, 'guest'>,
  device: string,
  guests: readonly GuestProfile[],
): Generator<CellResult, void, undefined> {
  const verdict = Machine.create(configFor(row.machine, device));
  if (!verdict.accepted) {
    const none = { found: false, negotiated: false, dataCorrect: false, interrupts: 0 };
    // The cell names the device itself.
    const reason = verdict.reason.replace(`-device ${device}: `, '');
    for (const { name } of guests) yield { ...row, guest: name, verdict: 'refused', reason, ...none };
    return;
  }
  const machine = verdict.value;
  const start = machine.snapshot();
  for (const profile of guests) {
    machine.restore(start);
    const driver = new GuestDriver(machine.platform, { profile, requests: REQUESTS, loopback: true });
    driver.boot();
    yield judged(row, profile, driver.live());
  }
}

/** The machine of a cell. */
export function configFor(machine: string, device: string): MachineConfig {
  return {
    // QEMU under TCG makes 2.8 to 2.11 only without transactional memory, and the others just so.
    machine: `${machine},cap-htm=off`,
    ramBytes: RAM_BYTES,
    cpus: 1,
    seed: 'matrix',
    devices: [device],
    globals: [],
    backends: BACKENDS,
  };
}

/** What an outcome comes to. */
export function judged(
  row: Omit<MatrixCell, 'guest'>,
  profile: GuestProfile,
  outcome: GuestOutcome,
): CellResult {
  const { found, started, dataCorrect, interrupts, gaveUp } = outcome;
  const facts = { found, negotiated: started, dataCorrect, interrupts };
  const cell = { ...row, guest: profile.name, ...facts };
  if (!found) return { ...cell, verdict: 'absent', reason: gaveUp };
  if (gaveUp !== '') return { ...cell, verdict: 'fails', reason: gaveUp };
  if (!dataCorrect) return { ...cell, verdict: 'fails', reason: 'wrong data' };
  if (profile.completion === 'interrupt' && interrupts === 0) {
    return { ...cell, verdict: 'fails', reason: 'no interrupt' };
  }
  return { ...cell, verdict: 'works', reason: way(profile, outcome) };
}

function way(profile: GuestProfile, outcome: GuestOutcome): string {
  const completion = profile.completion === 'polling' ? 'polling' : outcome.msix ? 'MSI-X' : 'INTx';
  return `${outcome.transport ?? ''}, ${completion}`;
}
