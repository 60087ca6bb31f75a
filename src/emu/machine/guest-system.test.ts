import test from 'ava';
import { KIND, type MachineEvent } from '../core/tap.ts';
import { findChild, findProperty, readFlattenedTree } from '../core/flattened-tree.ts';
import { kernelOf, OK_KERNEL } from './_kernel.ts';
import type { MachineConfig } from './config.ts';
import { GuestSystem } from './guest-system.ts';
import { initrdPlace, readKernel, type KernelImage } from './kernel-image.ts';

const CONFIG: MachineConfig = {
  machine: 'pseries-7.2,ic-mode=xics',
  ramBytes: 0x1000_0000,
  cpus: 1,
  seed: 'system',
  devices: [],
  globals: [],
  backends: [],
};

function kernel(file: Uint8Array): KernelImage {
  const read = readKernel(file);
  if (!read.accepted) throw new Error(read.reason);
  return read.value;
}

function system(file: Uint8Array, initrd?: Uint8Array): GuestSystem {
  const made = GuestSystem.create(CONFIG, { kernel: kernel(file), initrd, arguments: 'console=hvc0' });
  if (!made.accepted) throw new Error(made.reason);
  return made.value;
}

function consoleOf(guest: GuestSystem): () => string {
  let text = '';
  guest.machine.setTap({
    wantsGuestWrites: false,
    take: (event: MachineEvent) => {
      if (event.kind !== KIND['host-output']) return;
      text += String.fromCharCode(
        ...event.bytes.subarray(event.byteOffset, event.byteOffset + event.byteLength),
      );
    },
  });
  return () => text;
}

test('a kernel is entered, speaks, finds a node, and powers the machine off', (t) => {
  const guest = system(OK_KERNEL);
  const text = consoleOf(guest);
  guest.run(100_000);
  t.is(guest.machine.requested, 'power-off');
  t.is(text(), 'OK\n');
  // The result of finddevice stands behind its one argument.
  const chosen = guest.machine.memory.u32(0x40_0910, false);
  t.not(chosen, 0xffff_ffff);
  t.not(chosen, 0);
});

test('slices, snapshots and a second system give the same instructions and the same digest', (t) => {
  const whole = system(OK_KERNEL);
  whole.run(100_000);
  const sliced = system(OK_KERNEL);
  for (let until = 7; sliced.machine.requested === undefined; until += 7) sliced.run(until);
  t.is(sliced.processor.icount, whole.processor.icount);
  t.is(sliced.digest(), whole.digest());

  const saved = system(OK_KERNEL);
  saved.run(1234);
  const moment = saved.snapshot();
  const there = saved.digest();
  saved.run(100_000);
  t.is(saved.digest(), whole.digest());
  saved.restore(moment);
  t.is(saved.digest(), there);
  saved.run(100_000);
  t.is(saved.digest(), whole.digest());
});

test('/chosen names kernel, initial RAM disk and arguments, and memory what is claimed', (t) => {
  const initrd = new Uint8Array(5000).fill(7);
  const guest = system(OK_KERNEL, initrd);
  const read = readFlattenedTree(guest.machine.deviceTree);
  if (!read.ok) throw new Error(read.reason);
  const chosen = findChild(read.root, 'chosen');
  if (chosen === undefined) throw new Error('no /chosen');
  const cell = (name: string): number => {
    const value = findProperty(chosen, name);
    return value === undefined ? -1 : new DataView(value.buffer, value.byteOffset).getUint32(0);
  };
  const start = cell('linux,initrd-start');
  // 64 KiB aligned, behind the kernel.
  t.is(start, 0x41_0000 + 0x1_0000 * Math.floor((0x2000 + 0x1_ffff) / 0x1_0000 - 1));
  t.is(start, initrdPlace(kernel(OK_KERNEL)));
  t.is(cell('linux,initrd-end'), start + 5000);
  t.is(Buffer.from(findProperty(chosen, 'bootargs') ?? []).toString('latin1'), 'console=hvc0\0');
  t.is(guest.machine.memory.u8(start + 4999), 7);
});

test('a guest that waits with nothing due says so, and goes on when a key comes', (t) => {
  // li r3,0xe0; sc 1; b .-8
  const guest = system(kernelOf([0x3860_00e0, 0x4400_0022, 0x4bff_fff8]));
  t.true(guest.run(50_000));
  const before = guest.processor.icount;
  t.is(before, 50_000);
  guest.machine.hostInput(0, Uint8Array.of(65));
  t.true(guest.run(60_000));
});

test('a reboot starts the kernel again', (t) => {
  const guest = system(OK_KERNEL);
  const text = consoleOf(guest);
  guest.run(100_000);
  guest.reboot();
  t.is(guest.machine.requested, undefined);
  guest.run(200_000);
  t.is(guest.machine.requested, 'power-off');
  t.is(text(), 'OK\nOK\n');
});

test('what is no kernel is refused in a sentence', (t) => {
  const refused = (change: (file: Uint8Array) => Uint8Array | void): string => {
    const file = OK_KERNEL.slice();
    const read = readKernel(change(file) ?? file);
    return read.accepted ? 'accepted' : read.reason;
  };
  t.is(
    refused(() => undefined),
    'accepted',
  );
  t.regex(
    refused(() => new Uint8Array(10)),
    /no ELF file/,
  );
  t.regex(
    refused((file) => void (file[4] = 1)),
    /32-bit/,
  );
  t.regex(
    refused((file) => void (file[5] = 1)),
    /byte order/,
  );
  t.regex(
    refused((file) => void (file[19] = 62)),
    /another machine \(e_machine 62\)/,
  );
  t.regex(
    refused((file) => file.subarray(0, 0x1800)),
    /cut off/,
  );
  t.regex(
    refused((file) => void (file[67] = 2)),
    /nothing to load/,
  );
});
