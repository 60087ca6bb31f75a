// Every row of the list of faults that devices commit against drivers: a device that lies so, and what our driver makes of it.
import test from 'ava';
import { Machine } from '../../../emu/machine/machine.ts';
import type { GuestPlatform } from '../../../emu/guest/platform.ts';
import { machineConfig } from '../../machines.ts';
import { LIES } from './lies.ts';
import { Victim } from './survival.ts';

const HOST_FAULTS = 50;
/** Rows of rings that no scripted driver lays out yet, and of devices that none drives: it does not bind to them. */
const NOT_DRIVEN = ['H13', 'H14', 'H15', 'H44', 'H45', 'H47'];

/** Why it gave up, requests that it took for done, whether it found all data right. */
const REACTIONS: Readonly<Record<string, readonly [gaveUp: string, completed: number, correct: boolean]>> = {
  H01: ['id out of range', 0, false],
  H02: ['id is not a head', 1, true],
  H03: ['id is not a head', 1, true],
  H04: ['id is not a head', 0, false],
  H05: ['length exceeds the buffers', 0, false],
  H06: ['', 8, false],
  H07: ['', 8, false],
  H08: ['index jumped', 0, false],
  H09: ['index jumped', 1, true],
  H10: ['length exceeds the buffers', 3, false],
  H11: ['id is not a head', 1, true],
  H12: ['', 8, true],
  H16: ['', 8, true],
  H17: ['no interrupt', 0, false],
  H18: ['', 8, true],
  H19: ['', 8, true],
  H20: ['', 8, true],
  H21: ['device does not reset', 0, false],
  H22: ['virtio: device refuses features', 0, false],
  H23: ['device needs reset', 8, true],
  H24: ['', 8, true],
  H25: ['virtio: device refuses features', 0, false],
  H26: ['', 8, true],
  H27: ['bad virtqueue length', 0, false],
  H28: ['no queue', 0, false],
  H29: ['no queue', 0, false],
  H30: ['bad notification offset', 0, false],
  H31: ['virtio_pci: leaving for legacy driver', 0, false],
  H32: ['', 8, true],
  H33: ['virtio_pci: leaving for legacy driver', 0, false],
  H34: ['', 8, true],
  H35: ['', 8, true],
  H36: ['', 8, true],
  H37: ['', 8, true],
  H38: ['', 8, true],
  H39: ['', 8, true],
  H40: ['', 8, true],
  H41: ['', 8, false],
  H42: ['', 8, true],
  H43: ['', 8, false],
  H46: ['', 8, false],
  H48: ['', 8, true],
  H49: ['', 8, true],
  H50: ['device needs reset', 4, true],
};

function platform(device: string): GuestPlatform {
  const verdict = Machine.create(
    machineConfig({
      machine: 'pseries-7.2',
      device,
      mode: 'modern',
      iommuPlatform: true,
      profile: 'modern-plat',
      seed: '1',
    }),
  );
  if (!verdict.accepted) throw new Error(verdict.reason);
  return verdict.value.platform;
}

const PLATFORMS: ReadonlyMap<string, GuestPlatform> = new Map(
  ['blk', 'net', 'rng'].map((device) => [device, platform(device)]),
);

function victim(device: string): Victim {
  return new Victim(PLATFORMS.get(device) ?? platform(device), 'modern-plat');
}

test('every number of the list has its lie', (t) => {
  const wanted = Array.from({ length: HOST_FAULTS }, (_, i) => `H${String(i + 1).padStart(2, '0')}`);
  t.deepEqual([...LIES.map((row) => row.id), ...NOT_DRIVEN].toSorted(), wanted);
  t.deepEqual(
    Object.keys(REACTIONS),
    LIES.map((row) => row.id),
  );
});

test('an honest device is served to the end', (t) => {
  for (const device of PLATFORMS.keys())
    t.deepEqual(victim(device).survive({}), { gaveUp: '', completed: 8, correct: true, harm: '' });
});

test('each lie meets the reaction of the table, and none does harm', (t) => {
  for (const row of LIES) {
    const { gaveUp, completed, correct, harm } = victim(row.device).survive(row.lie(0));
    t.is(harm, '', row.name);
    t.deepEqual([gaveUp, completed, correct], [...(REACTIONS[row.id] ?? [])], row.name);
  }
});

test('a driver that leaves its ground, or does not end, is seen', (t) => {
  const blk = PLATFORMS.get('blk');
  if (blk === undefined) return;
  // A device that is asked for its size for ever, and one that sends the driver to a register elsewhere.
  const endless = victim('blk').survive({
    pending: () => true,
    used: (field, truth) => (field === 'index' ? truth : 0),
  });
  t.not(endless.gaveUp, '');
  const lost = new Victim(blk, 'modern-plat', 0x1000).survive({});
  t.regex(lost.harm, /no register of its device/);
});
