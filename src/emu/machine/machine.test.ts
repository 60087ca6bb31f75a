import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { EVENT_KINDS, type MachineEvent, type Tap } from '../core/tap.ts';
import { GuestDriver } from '../guest/driver.ts';
import { GUEST_PROFILES } from '../guest/profiles.ts';
import type { MachineConfig } from './config.ts';
import { Machine } from './machine.ts';

const BACKENDS: MachineConfig['backends'] = [
  { kind: 'disk', id: 'd0', sectors: 256, content: 'tagged', readOnly: false },
  { kind: 'net', id: 'n0', loopback: true },
  { kind: 'entropy', id: 'e0' },
];
const DEVICES = ['virtio-blk-pci,drive=d0', 'virtio-net-pci,netdev=n0', 'virtio-rng-pci,rng=e0'];
const MODES = [
  { options: 'disable-modern=on,disable-legacy=off', profiles: ['legacy-be', 'legacy-le', 'debian-6.12'] },
  { options: 'disable-modern=off,disable-legacy=off', profiles: ['legacy-be', 'modern-plat', 'slof-modern'] },
  { options: 'disable-modern=off,disable-legacy=on', profiles: ['modern-noplat', 'debian-6.12-polling'] },
  {
    options: 'disable-modern=off,disable-legacy=on,iommu_platform=on',
    profiles: ['debian-6.1', 'slof-iommu', 'modern-plat-be'],
  },
];

function config(machine: string, device: string): MachineConfig {
  return {
    machine,
    ramBytes: 0x1000_0000,
    cpus: 1,
    seed: 'machine-test',
    devices: [device],
    globals: [],
    backends: BACKENDS,
  };
}

function made(machine: string, device: string): Machine {
  const verdict = Machine.create(config(machine, device));
  if (!verdict.accepted) throw new Error(verdict.reason);
  return verdict.value;
}

/** Every event as text: what two runs have to share. */
class Script implements Tap {
  readonly wantsGuestWrites = true;
  readonly lines: string[] = [];

  take(event: MachineEvent): void {
    const kind = EVENT_KINDS[event.kind];
    const fields = [...event.fields.subarray(0, kind?.fields.length)].map((field) => field.toString(16));
    const bytes = event.bytes.subarray(event.byteOffset, event.byteOffset + event.byteLength);
    this.lines.push(`${event.at} ${kind?.name} ${fields.join(' ')} ${Buffer.from(bytes).toString('hex')}`);
  }
}

function live(machine: Machine, profileName: string): string[] {
  const profile = GUEST_PROFILES.find((candidate) => candidate.name === profileName);
  if (profile === undefined) throw new Error(`no profile ${profileName}`);
  const script = new Script();
  machine.setTap(script);
  const driver = new GuestDriver(machine.platform, { profile, loopback: true });
  driver.boot();
  const outcome = driver.live();
  machine.setTap(undefined);
  if (!outcome.dataCorrect || outcome.completed < 8) throw new Error(`${profileName}: ${outcome.gaveUp}`);
  return script.lines;
}

const CELLS = MODES.flatMap(({ options, profiles }) =>
  DEVICES.flatMap((device) =>
    profiles.map((profile) => ({ device: `${device},addr=1,${options}`, profile })),
  ),
);

// Falsified by state that a snapshot forgets: the second life would see it.
prop(
  'a life from a restored snapshot is the same life, event for event, and ends in the same state',
  [fc.constantFrom(...CELLS), fc.constantFrom('pseries-7.2', 'pseries-5.0', 'pseries-4.0', 'pseries-2.12')],
  ({ device, profile }, type) => {
    const machine = made(type, device);
    const start = machine.snapshot();
    const before = machine.digest();
    const first = live(machine, profile);
    const end = machine.digest();
    const middle = machine.snapshot();
    machine.restore(start);
    if (machine.digest() !== before) throw new Error('restoring the start');
    const second = live(machine, profile);
    for (const [i, line] of first.entries())
      if (second[i] !== line) throw new Error(`event ${i}: ${line}\n${second[i]}`);
    if (machine.digest() !== end || second.length !== first.length)
      throw new Error('the second life ends elsewhere');
    machine.restore(start);
    machine.restore(middle);
    return machine.digest() === end;
  },
  { numRuns: 40 },
);

// Falsified by anything of the first machine that another machine of the same configuration does not share.
prop(
  'two machines of one configuration live one life',
  [fc.constantFrom(...CELLS)],
  ({ device, profile }) => {
    const [a, b] = [made('pseries-7.2', device), made('pseries-7.2', device)];
    return live(a, profile).join('\n') === live(b, profile).join('\n') && a.digest() === b.digest();
  },
  { numRuns: 20 },
);

test('what QEMU refuses is refused in its words', (t) => {
  const refusals: [string, string, string][] = [
    [
      'pseries-7.2',
      'virtio-blk-pci,drive=d0,iommu_platform=on',
      '-device virtio-blk-pci,drive=d0,iommu_platform=on: VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device',
    ],
    [
      'pseries-2.6,cap-htm=off',
      'virtio-blk-pci,drive=d0,disable-legacy=on',
      '-device virtio-blk-pci,drive=d0,disable-legacy=on: device cannot work as neither modern nor legacy mode is enabled',
    ],
    ['pseries-1.0', 'virtio-rng-pci', 'unsupported machine type'],
  ];
  for (const [machine, device, reason] of refusals) {
    const verdict = Machine.create(config(machine, device));
    t.false(verdict.accepted);
    if (!verdict.accepted) t.is(verdict.reason, reason);
  }
  const global = Machine.create({ ...config('pseries-7.2', 'virtio-rng-pci'), globals: ['nonsense'] });
  t.false(global.accepted);
});

test('what nothing answers is zero, and reads are answered by the very next event', (t) => {
  const machine = made('pseries-7.2', 'virtio-rng-pci,addr=1');
  const script = new Script();
  machine.setTap(script);
  t.is(machine.platform.read(0x2100_0000_0000, 4, false), 0);
  t.is(machine.platform.read64(0x2000_0000_0010, true), 0n);
  machine.platform.write(0x2000_8000_0000, 2, 0x1234, true);
  t.deepEqual(script.lines, [
    '0 mmio-read 210000000000 4 0 ',
    '0 read-value 0 ',
    '0 pio-read 10 8 1 ',
    '0 read-value 0 ',
    '0 mmio-write 200080000000 2 1 1234 ',
  ]);
});

test('host input is an event before it is a frame, and the console hands over what was typed', (t) => {
  const machine = made('pseries-7.2', 'virtio-net-pci,addr=1,netdev=n0');
  const script = new Script();
  machine.setTap(script);
  machine.hostInput(0, Uint8Array.of(0x6c, 0x73, 0x0a));
  machine.hostInput(1, Uint8Array.of(1, 2, 3));
  machine.hostInput(9, Uint8Array.of(4));
  t.true(script.lines.includes('0 host-input 0 6c730a'));
  t.true(script.lines.includes('0 host-input 9 04'));
  const registers = machine.platform.registers;
  registers.fill(0n);
  registers[0] = 0x54n;
  machine.platform.hcall();
  t.deepEqual([...registers.subarray(0, 3)], [0n, 3n, 0x6c73_0a00_0000_0000n]);
  t.false(machine.platform.interruptPending());
});

test('a machine reset keeps RAM and forgets devices and tables', (t) => {
  const machine = made('pseries-7.2', 'virtio-blk-pci,addr=1,drive=d0');
  machine.platform.store32(0x2000, 0xcafe, false);
  const { registers } = machine.platform;
  registers.set([0x20n, 0x8000_0000n, 0x1000n, 0x5003n]);
  machine.platform.hcall();
  machine.reset();
  t.is(machine.platform.load32(0x2000, false), 0xcafe);
  registers.set([0x1cn, 0x8000_0000n, 0x1000n]);
  machine.platform.hcall();
  t.deepEqual([...registers.subarray(0, 2)], [0n, 0n]);
});

test('a chooser decides among devices that are due together, and each choice is an event', (t) => {
  const machine = made('pseries-7.2', 'virtio-rng-pci,addr=1');
  const note = machine.queue.register(() => undefined);
  const script = new Script();
  machine.setTap(script);
  machine.chooseWith(() => 1);
  machine.queue.schedule(0 as never, note, 1);
  machine.queue.schedule(0 as never, note, 2);
  machine.platform.idle();
  t.deepEqual(script.lines, ['0 idle  ', '0 choice 2 1 ']);
});
