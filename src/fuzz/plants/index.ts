/**
 * Faults to plant, a row each: a method of one object of one machine is wrapped, and no line of the emulator knows of it.
 * Each invariant has at least one of its own, so that a green campaign says something.
 */
import { AssertionError } from '../../emu/core/assert.ts';
import type { Machine } from '../../emu/machine/machine.ts';
import { BusHit, type Translation, type TranslationWindow } from '../../emu/memory/translation.ts';
import { VirtioCore } from '../../emu/virtio/core.ts';
import type { Plant } from './plant.ts';

/** Turns of a device that does not know when to stop; more than any ring has entries. */
const TURNS = 20_000;
const EVERYTHING = 3;

function nothingToRewind(): void {
  // The fault keeps nothing of its own.
}

/** The one device of a machine that the fuzzer makes. */
function deviceOf(machine: Machine): VirtioCore {
  const device = machine.functions[0]?.device;
  if (!(device instanceof VirtioCore)) throw new Error('a fault is planted in a virtio device');
  return device;
}

export const PLANTS: readonly Plant[] = [
  {
    name: 'write-overrun',
    oracle: 'G1',
    title: 'the device writes one byte more than an element holds',
    within: 2000,
    into(machine) {
      const { space } = deviceOf(machine);
      const write = space.writeMapped.bind(space);
      space.writeMapped = (offset, high, low, from, at, length) => {
        write(offset, high, low, from, at, length);
        if (length >= 16) write(offset + length, high, low + length, from, at, 1);
      };
      return nothingToRewind;
    },
  },
  {
    name: 'permission-ignored',
    oracle: 'G1-tce',
    title: 'a TCE that names a page gives both permissions',
    within: 4000,
    into(machine) {
      const bridge = machine.bridge;
      const find = bridge.find.bind(bridge);
      const generous = new WeakMap<TranslationWindow, TranslationWindow>();
      bridge.find = (high: number, low: number, hit: BusHit): boolean => {
        if (!find(high, low, hit)) return false;
        const { window } = hit;
        if (window !== undefined) hit.window = generousWindow(window, generous);
        return true;
      };
      return nothingToRewind;
    },
  },
  {
    name: 'restless',
    oracle: 'G2',
    title: 'one notification makes the device look at its ring without end',
    within: 64,
    into(machine) {
      const device = deviceOf(machine);
      const notify = device.notifyQueue.bind(device);
      device.notifyQueue = (queue) => {
        for (let turn = 0; turn < TURNS; turn++) {
          notify(queue);
          machine.queue.step();
        }
      };
      return nothingToRewind;
    },
  },
  {
    name: 'assertion',
    oracle: 'G3',
    title: 'a guest can make the emulator assert: a kick after the device needs a reset',
    within: 2000,
    into(machine) {
      const device = deviceOf(machine);
      const notify = device.notifyQueue.bind(device);
      device.notifyQueue = (queue) => {
        if (device.broken) throw new AssertionError('a broken device is not notified');
        notify(queue);
      };
      return nothingToRewind;
    },
  },
  {
    name: 'broken-for-good',
    oracle: 'G4',
    title: 'a device that failed once stays dead after a reset',
    within: 2000,
    into(machine) {
      const device = deviceOf(machine);
      const notify = device.notifyQueue.bind(device);
      const fail = device.fail.bind(device);
      let failed = false;
      device.fail = (text) => {
        failed = true;
        fail(text);
      };
      device.notifyQueue = (queue) => {
        if (!failed) notify(queue);
      };
      return () => {
        failed = false;
      };
    },
  },
  {
    name: 'hidden-counter',
    oracle: 'G5',
    title: 'what a device writes depends on something that no snapshot holds',
    within: 4000,
    into(machine) {
      const { space } = deviceOf(machine);
      const write = space.writeMapped.bind(space);
      let writes = 0;
      space.writeMapped = (offset, high, low, from, at, length) => {
        write(offset, high, low, from, at, length);
        // The second half of a long buffer, where no honest request looks.
        if (length >= 64) write(offset + 32, high, low + 32, Uint8Array.of(writes++), 0, 1);
      };
      return nothingToRewind;
    },
  },
  {
    name: 'shifted-data',
    oracle: 'integrity',
    title: 'long data arrives one byte off',
    within: 64,
    devices: ['blk'],
    into(machine) {
      const { space } = deviceOf(machine);
      const write = space.writeMapped.bind(space);
      space.writeMapped = (offset, high, low, from, at, length) => {
        if (length < 64) write(offset, high, low, from, at, length);
        else {
          const bytes = from.slice(at, at + length);
          bytes.copyWithin(1, 0);
          bytes[0] = 0;
          write(offset, high, low, bytes, 0, length);
        }
      };
      return nothingToRewind;
    },
  },
];

/** Plants by name; throws one sentence for a name that is none. */
export function plantsOf(names: readonly string[]): readonly Plant[] {
  return names.map((name) => {
    const found = PLANTS.find((plant) => plant.name === name);
    if (found === undefined) {
      throw new Error(
        `no fault is called '${name}': choose from ${PLANTS.map((plant) => plant.name).join(', ')}`,
      );
    }
    return found;
  });
}

function generousWindow(
  window: TranslationWindow,
  known: WeakMap<TranslationWindow, TranslationWindow>,
): TranslationWindow {
  const present = known.get(window);
  if (present !== undefined) return present;
  const made: TranslationWindow = {
    translate(offset: number, into: Translation): void {
      window.translate(offset, into);
      if (into.permission !== 0) into.permission = EVERYTHING;
    },
  };
  known.set(window, made);
  return made;
}
