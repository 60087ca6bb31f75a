import test from 'ava';
import { OK_KERNEL } from './_kernel.ts';
import { GuestSystem } from './guest-system.ts';
import { readKernel } from './kernel-image.ts';

// The services as a guest calls them: KVMPPC_H_VOF_CLIENT with the address of service, counts, arguments and results.

const H_VOF_CLIENT = 0xf005n;
const ARGUMENTS = 0x1000;
const STRINGS = 0x1100;
const BUFFER = 0x2000;
const ERROR = 0xffff_ffff;

function system(): GuestSystem {
  const kernel = readKernel(OK_KERNEL);
  if (!kernel.accepted) throw new Error(kernel.reason);
  const config = {
    machine: 'pseries-7.2,ic-mode=xics',
    ramBytes: 0x1000_0000,
    cpus: 1,
    seed: 'client',
    devices: [],
    globals: [],
    backends: [],
  };
  const made = GuestSystem.create(config, { kernel: kernel.value, initrd: undefined, arguments: 'quiet' });
  if (!made.accepted) throw new Error(made.reason);
  return made.value;
}

const { machine } = system();

/** Strings among the arguments stand in memory, one every 64 bytes. */
function call(service: string, nret: number, ...values: readonly (number | string)[]): number {
  const { memory, platform } = machine;
  let strings = STRINGS;
  const place = (value: number | string): number => {
    if (typeof value === 'number') return value;
    const at = strings;
    strings += 64;
    const bytes = new TextEncoder().encode(`${value}\0`);
    memory.write(at, bytes, 0, bytes.length);
    return at;
  };
  const words = [place(service), values.length, nret, ...values.map(place)];
  for (const [index, word] of words.entries()) memory.setU32(ARGUMENTS + 4 * index, word >>> 0, false);
  platform.setCpu(0, 1n << 12n);
  platform.registers[0] = H_VOF_CLIENT;
  platform.registers[1] = BigInt(ARGUMENTS);
  platform.hcall();
  return memory.u32(ARGUMENTS + 12 + 4 * values.length, false);
}

function text(at: number): string {
  let found = '';
  for (let i = at; machine.memory.u8(i) !== 0; i++) found += String.fromCharCode(machine.memory.u8(i));
  return found;
}

test.serial('every node is found from the root, and knows its parent and its path', (t) => {
  const root = call('peer', 1, 0);
  const seen: string[] = [];
  const visit = (node: number, parent: number): void => {
    t.is(call('parent', 1, node), parent);
    const length = call('package-to-path', 1, node, BUFFER, 256);
    const path = text(BUFFER);
    t.is(length, path.length + 1);
    t.is(call('finddevice', 1, path), node);
    seen.push(path);
    for (let child = call('child', 1, node); child !== 0; child = call('peer', 1, child)) visit(child, node);
  };
  visit(root, 0);
  for (const path of ['/', '/chosen', '/rtas', '/cpus/PowerPC,POWER9@0', '/vdevice/vty@71000001']) {
    t.true(seen.includes(path), path);
  }
});

test.serial('properties are listed, measured, read and set', (t) => {
  const chosen = call('finddevice', 1, '/chosen');
  t.is(call('getproplen', 1, chosen, 'bootargs'), 6);
  t.is(call('getprop', 1, chosen, 'bootargs', BUFFER, 100), 6);
  t.is(text(BUFFER), 'quiet');
  t.is(call('getprop', 1, chosen, 'name', BUFFER, 100), 7);
  t.is(text(BUFFER), 'chosen');
  t.is(call('getproplen', 1, chosen, 'nothing'), ERROR);
  const names: string[] = [];
  machine.memory.setU8(BUFFER, 0);
  while (call('nextprop', 1, chosen, BUFFER, BUFFER) === 1) names.push(text(BUFFER));
  t.true(names.includes('stdout') && names.includes('qemu,boot-kernel'));
  t.is(new Set(names).size, names.length);
  machine.memory.setU32(BUFFER, 0x1234_5678, false);
  t.is(call('setprop', 1, chosen, 'linux,new', BUFFER, 4), 4);
  t.is(call('getprop', 1, chosen, 'linux,new', BUFFER + 64, 4), 4);
  t.is(machine.memory.u32(BUFFER + 64, false), 0x1234_5678);
});

test.serial('memory is claimed once, aligned where asked, and given back', (t) => {
  t.is(call('claim', 1, 0x200_0000, 0x1000, 0), 0x200_0000);
  t.is(call('claim', 1, 0x200_0800, 0x1000, 0), ERROR);
  const aligned = call('claim', 1, 0, 0x3000, 0x1_0000);
  t.is(aligned % 0x1_0000, 0);
  t.true(aligned >= 0x200_1000);
  // Kernel and firmware are claimed from the start.
  t.is(call('claim', 1, 0x40_0000, 0x1000, 0), ERROR);
  t.is(call('claim', 1, 0, 0x1000, 0), ERROR);
  const memory = call('finddevice', 1, '/memory@0');
  const available = call('getprop', 1, memory, 'available', BUFFER, 256);
  t.is(available % 16, 0);
  call('release', 0, 0x200_0000, 0x1000);
  t.is(call('claim', 1, 0x200_0800, 0x800, 0), 0x200_0800);
});

test.serial('instances lead to packages; RTAS is five instructions where the guest wants them', (t) => {
  const rtas = call('open', 1, '/rtas');
  t.is(call('instance-to-package', 1, rtas), call('finddevice', 1, '/rtas'));
  t.is(call('call-method', 2, 'instantiate-rtas', rtas, 0x8000), 0);
  t.is(machine.memory.u32(ARGUMENTS + 12 + 4 * 3 + 4, false), 0x8000);
  t.is(machine.memory.u32(0x8000 + 12, false), 0x4400_0022);
  t.is(call('call-method', 1, 'nonsense', rtas), ERROR);
  t.is(call('open', 1, '/nowhere'), ERROR);
  t.is(call('no-such-service', 1), ERROR);
  // QEMU's own case: unit addresses count in either case, names do not.
  t.not(call('finddevice', 1, '/vdevice/VTY@71000001'), call('finddevice', 1, '/vdevice/vty@71000001'));
  t.is(call('finddevice', 1), ERROR);
});

test.serial('too many arguments, and addresses outside RAM, are H_PARAMETER', (t) => {
  machine.memory.setU32(ARGUMENTS + 4, 11, false);
  machine.platform.registers[0] = H_VOF_CLIENT;
  machine.platform.registers[1] = BigInt(ARGUMENTS);
  machine.platform.hcall();
  t.is(machine.platform.registers[0], BigInt.asUintN(64, -4n));
  machine.platform.registers[0] = H_VOF_CLIENT;
  machine.platform.registers[1] = 0x1000_0000_0000n;
  machine.platform.hcall();
  t.is(machine.platform.registers[0], BigInt.asUintN(64, -4n));
});
