/** What a secure guest gets of each machine, mode and iommu_platform setting, found by running it. */
import { SecureGuest } from '../emu/guest/secure-driver.ts';
import { GUEST_PROFILES, type GuestProfile } from '../emu/guest/profiles.ts';
import {
  configFor,
  judged,
  MATRIX_NAMES,
  placesOf,
  type CellResult,
  type MatrixCell,
  type MatrixFilter,
} from '../emu/machine/matrix.ts';
import { Machine } from '../emu/machine/machine.ts';
import { DmaWitness } from './life.ts';

const SECURE_PROFILES: readonly GuestProfile[] = GUEST_PROFILES.filter(({ secure }) => secure !== undefined);
const RAM_BYTES = 0x200_0000;
/** A host that lets the guest in; what images and random registers cost is not what is asked here. */
const HOST = 'ultravisor,veto=off,lockbox=trust,randomRegisters=released';
const REQUESTS = 4;

export const SECURE_MATRIX_NAMES: typeof MATRIX_NAMES = {
  ...MATRIX_NAMES,
  guest: SECURE_PROFILES.map(({ name }) => name),
};

/** Runs every cell that the filter admits. */
export function* runSecureMatrix(filter: MatrixFilter): Generator<CellResult, void, undefined> {
  const wanted = filter.guest ?? [];
  const guests = SECURE_PROFILES.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  for (const [row, device] of placesOf(filter)) yield* runGuests(row, device, guests);
}

function* runGuests(
  row: Omit<MatrixCell, 'guest'>,
  device: string,
  guests: readonly GuestProfile[],
): Generator<CellResult, void, undefined> {
  const cpus = Math.max(...guests.map(({ secure }) => secure?.cpus ?? 1));
  const config = { ...configFor(row.machine, device), ramBytes: RAM_BYTES, cpus, host: HOST };
  const verdict = Machine.create(config);
  if (!verdict.accepted) {
    const none = { found: false, negotiated: false, dataCorrect: false, interrupts: 0 };
    const reason = verdict.reason.replace(`-device ${device}: `, '');
    for (const { name } of guests) yield { ...row, guest: name, verdict: 'refused', reason, ...none };
    return;
  }
  const machine = verdict.value;
  const start = machine.snapshot();
  for (const profile of guests) {
    machine.setTap(undefined);
    machine.restore(start);
    yield lived(row, machine, profile);
  }
}

function lived(row: Omit<MatrixCell, 'guest'>, machine: Machine, profile: GuestProfile): CellResult {
  const guest = new SecureGuest(machine.platform, { profile, requests: REQUESTS, loopback: true });
  guest.boot();
  const status = guest.become();
  const none = { found: false, negotiated: false, dataCorrect: false, interrupts: 0 };
  if (status !== 0) {
    const why = machine.secureSide?.ultravisor.whyNot ?? '';
    return {
      ...row,
      guest: profile.name,
      verdict: 'fails',
      reason: `not secure: r3 = ${status}, ${why}`,
      ...none,
    };
  }
  const witness = new DmaWitness(machine);
  machine.setTap(witness);
  const cell = judged(row, profile, guest.live());
  machine.setTap(undefined);
  if (cell.verdict !== 'fails') return cell;
  return { ...cell, reason: `${cell.reason}: ${causeOf(machine, witness)}` };
}

/** Why a secure guest that found its device gets nothing of it: by what the device and the host did to its frames. */
function causeOf(machine: Machine, witness: DmaWitness): string {
  const hypervisor = machine.secureSide?.hypervisor;
  const spoiled = [...witness.written].some((frame) => hypervisor?.wentOut(frame) === true);
  const read = [...witness.read].some((frame) => hypervisor?.shares(frame) === false);
  if (spoiled) return 'the device wrote into a secure frame, which never comes back';
  if (read) return 'the device read ciphertext of a secure frame';
  if (witness.faults > 0) return 'the device was given addresses that no table has';
  return 'the device saw nothing of it';
}
