import test from 'ava';
import { DiagnosticLog } from '../core/diagnostics.ts';
import { KIND, type MachineEvent } from '../core/tap.ts';
import { Machine, type MachineSnapshot } from '../machine/machine.ts';
import { GuestDriver, type DriverOptions, type GuestOutcome } from './driver.ts';
import { PROFILES_BY_NAME, type GuestProfile } from './profiles.ts';

const DEVICES: Readonly<Record<string, string>> = {
  blk: 'virtio-blk-pci,addr=1,drive=d0',
  rng: 'virtio-rng-pci,addr=2,rng=e0',
  net: 'virtio-net-pci,addr=3,netdev=n0',
};

const MODES: Readonly<Record<string, string>> = {
  legacy: 'disable-modern=on,disable-legacy=off',
  transitional: 'disable-modern=off,disable-legacy=off',
  modern: 'disable-modern=off,disable-legacy=on',
};

interface Setting {
  readonly machine?: string;
  readonly device?: string;
  readonly mode?: string;
  readonly iommu?: boolean;
  readonly options?: string;
  readonly log?: DiagnosticLog;
  readonly behaviour?: 'spec';
}

function machine(setting: Setting): Machine {
  const { device = 'blk', mode = 'modern', iommu = false, options = '' } = setting;
  const made = Machine.create(
    {
      machine: setting.machine ?? 'pseries-7.2',
      ramBytes: 0x1000_0000,
      cpus: 1,
      seed: 'driver-test',
      devices: [`${DEVICES[device]},${MODES[mode]},iommu_platform=${iommu ? 'on' : 'off'}${options}`],
      globals: [],
      ...(setting.behaviour === undefined ? {} : { behaviour: setting.behaviour }),
      backends: [
        { kind: 'disk', id: 'd0', sectors: 2048, content: 'tagged', readOnly: false },
        { kind: 'net', id: 'n0', loopback: true },
        { kind: 'entropy', id: 'e0' },
      ],
    },
    setting.log === undefined ? {} : { diagnostics: setting.log },
  );
  if (!made.accepted) throw new Error(made.reason);
  return made.value;
}

function profile(name: string): GuestProfile {
  const row = PROFILES_BY_NAME.get(name);
  if (row === undefined) throw new Error(`no profile ${name}`);
  return row;
}

/** Machines that lives share, each as it was made: making one costs more than living. */
const shared = new Map<string, { made: Machine; start: MachineSnapshot }>();

function freshMachine(setting: Setting): Machine {
  if (setting.log !== undefined) return machine(setting);
  const key = JSON.stringify(setting);
  const known = shared.get(key);
  if (known !== undefined) {
    known.made.restore(known.start);
    return known.made;
  }
  const made = machine(setting);
  shared.set(key, { made, start: made.snapshot() });
  return made;
}

function driver(setting: Setting, name: string, options: Partial<DriverOptions> = {}): GuestDriver {
  const guest = new GuestDriver(freshMachine(setting).platform, {
    profile: profile(name),
    loopback: true,
    requests: 12,
    ...options,
  });
  guest.boot();
  return guest;
}

function life(setting: Setting, name: string, options: Partial<DriverOptions> = {}): GuestOutcome {
  return driver(setting, name, options).live();
}

const VERSION_1 = 1n << 32n;
const ACCESS_PLATFORM = 1n << 33n;

/** What a guest of this kind makes of a device (guests.md section 4, thread.md R18 to R21). */
function expected(row: GuestProfile, mode: string, iommu: boolean): Partial<GuestOutcome> {
  const modernGuest = row.transports.includes('modern');
  if (mode === 'modern' && !modernGuest) {
    return { found: false, started: false, gaveUp: 'no device that this guest knows', completed: 0 };
  }
  if (iommu && row.dma === 'physical') {
    return {
      found: true,
      started: false,
      gaveUp: 'virtio: device refuses features',
      status: 0x83,
      completed: 0,
    };
  }
  const modern = modernGuest && mode !== 'legacy';
  return {
    found: true,
    started: true,
    gaveUp: '',
    transport: modern ? 'modern' : 'legacy',
    status: modern ? 0x0f : 0x07,
    completed: 12,
    dataCorrect: true,
  };
}

for (const row of PROFILES_BY_NAME.values()) {
  test(`${row.name}: every device, mode and iommu_platform ends as on the real thing`, (t) => {
    for (const device of Object.keys(DEVICES)) {
      for (const mode of Object.keys(MODES)) {
        for (const iommu of mode === 'modern' ? [false, true] : [false]) {
          const outcome = life({ device, mode, iommu }, row.name);
          const where = `${device} ${mode} iommu_platform=${iommu ? 'on' : 'off'}`;
          t.like(outcome, expected(row, mode, iommu), where);
          if (!outcome.started) continue;
          const modern = outcome.transport === 'modern';
          t.is(outcome.features & VERSION_1, modern ? VERSION_1 : 0n, where);
          t.is(outcome.features & ACCESS_PLATFORM, iommu ? ACCESS_PLATFORM : 0n, where);
          if (row.completion === 'interrupt') t.true(outcome.interrupts > 0, where);
          else t.is(outcome.interrupts, 0, where);
        }
      }
    }
  });
}

const RING_PACKED = 1n << 34n;

test('a guest that knows packed rings uses them where they are offered, and to the same end', (t) => {
  for (const row of PROFILES_BY_NAME.values()) {
    const knows = row.transportFeatures.includes(34);
    if (!row.transports.includes('modern')) continue;
    for (const device of Object.keys(DEVICES)) {
      for (const iommu of row.dma === 'physical' ? [false] : [false, true]) {
        // 300 slots of requests go round a ring of 256, and 40 times round one of 8.
        const setting = { device, iommu, options: ',packed=on' };
        const outcome = life(setting, row.name, { requests: 300, depth: 2 });
        const where = `${row.name} ${device} ${iommu}`;
        t.is(outcome.features & RING_PACKED, knows ? RING_PACKED : 0n, where);
        t.like(outcome, { gaveUp: '', completed: 300, dataCorrect: true, status: 0x0f }, where);
      }
    }
  }
});

const RING_FEATURES = [35, 36, 38];

test('in order, with places in notifications, a device by the specification serves both layouts', (t) => {
  for (const device of Object.keys(DEVICES)) {
    for (const packed of ['off', 'on']) {
      const setting = { device, iommu: true, behaviour: 'spec', options: `,packed=${packed}` } as const;
      const guest = driver(setting, 'debian-6.12', { features: RING_FEATURES, requests: 300, depth: 2 });
      const kicks: bigint[] = [];
      t.true(guest.probe() && guest.start());
      const notify = guest.transport.notify.bind(guest.transport);
      guest.transport.notify = (queue, place) => {
        kicks.push(BigInt(place ?? -1));
        notify(queue, place);
      };
      t.true(guest.run(300), `${device} ${packed}: ${guest.outcome.gaveUp}`);
      for (const bit of RING_FEATURES) t.is((guest.outcome.features >> BigInt(bit)) & 1n, 1n);
      t.like(guest.outcome, { completed: 300, dataCorrect: true, status: 0x0f });
      t.true(kicks.length > 0 && kicks.every((place) => place >= 0n));
      if (packed === 'on')
        t.true(
          kicks.some((place) => place < 0x8000n),
          'the second lap was reached',
        );
    }
  }
});

test('QEMU 7.2 offers none of them', (t) => {
  const outcome = life({ options: ',packed=on' }, 'debian-6.12', { features: RING_FEATURES });
  for (const bit of RING_FEATURES) t.is((outcome.features >> BigInt(bit)) & 1n, 0n);
  t.is(outcome.completed, 12);
});

test('a queue is reset and set up again while the device goes on, in both layouts and behaviours', (t) => {
  for (const device of ['blk', 'rng']) {
    for (const behaviour of [undefined, 'spec'] as const) {
      for (const packed of ['off', 'on']) {
        const options = `,packed=${packed}`;
        const setting = { device, iommu: true, options, ...(behaviour === undefined ? {} : { behaviour }) };
        const guest = driver(setting, 'debian-6.12');
        const where = `${device} ${behaviour} ${packed}`;
        t.true(guest.probe() && guest.start() && guest.run(20), where);
        t.true(guest.resetQueue(0), where);
        t.true(guest.run(20), `${where}: ${guest.outcome.gaveUp}`);
        t.like(guest.outcome, { completed: 40, dataCorrect: true, status: 0x0f }, where);
      }
    }
  }
  const legacy = driver({ mode: 'legacy' }, 'legacy-le');
  t.true(legacy.probe() && legacy.start());
  t.false(legacy.resetQueue(0));
});

test('what becomes of requests does not depend on how the rings are laid out', (t) => {
  for (const device of Object.keys(DEVICES)) {
    for (const options of ['', ',event_idx=off', ',indirect_desc=off', ',event_idx=off,indirect_desc=off']) {
      const [split, packed] = ['off', 'on'].map((layout) => {
        const setting = { device, iommu: true, options: `${options},packed=${layout}` };
        const guest = driver(setting, 'debian-6.12', { requests: 40 });
        const { completed, dataCorrect, gaveUp, interrupts, notifications, status } = guest.live();
        return { completed, dataCorrect, gaveUp, interrupts, notifications, status };
      });
      t.deepEqual(packed, split, `${device}${options}`);
      t.is(split?.completed, 40);
    }
  }
});

test('a function without usable MSI-X, or a guest that wants none, uses the shared line', (t) => {
  for (const name of ['legacy-be', 'legacy-le', 'modern-plat', 'debian-6.12']) {
    for (const mode of Object.keys(MODES)) {
      if (mode === 'modern' && name.startsWith('legacy')) continue;
      for (const device of Object.keys(DEVICES)) {
        const outcome = life({ device, mode }, name, { noMsi: true });
        t.like(outcome, { completed: 12, dataCorrect: true, msix: false }, `${name} ${device} ${mode}`);
        t.true(outcome.interrupts > 0);
      }
    }
  }
  t.false(
    life({ device: 'rng', machine: 'pseries-6.2' }, 'modern-plat').msix,
    'rng had no vectors before 7.2',
  );
  t.true(life({ device: 'rng' }, 'modern-plat').msix);
});

test('big-endian firmware hands the same legacy device over to a little-endian kernel', (t) => {
  for (const mode of ['legacy', 'transitional']) {
    const made = machine({ mode });
    const firmware = new GuestDriver(made.platform, { profile: profile('slof-old') });
    firmware.boot();
    t.like(firmware.live(), { completed: 8, dataCorrect: true });
    const kernel = new GuestDriver(made.platform, { profile: profile('legacy-le') });
    kernel.boot();
    t.like(kernel.live(), { completed: 8, dataCorrect: true }, mode);
  }
});

test('a refused device leaves the others alone', (t) => {
  const made = Machine.create({
    machine: 'pseries-7.2',
    ramBytes: 0x1000_0000,
    cpus: 1,
    seed: 'two',
    devices: [
      'virtio-blk-pci,addr=1,drive=d0,disable-legacy=on,iommu_platform=on',
      'virtio-rng-pci,addr=2,rng=e0,disable-legacy=on',
    ],
    globals: [],
    backends: [
      { kind: 'disk', id: 'd0', sectors: 64, content: 'zero', readOnly: false },
      { kind: 'entropy', id: 'e0' },
    ],
  });
  if (!made.accepted) throw new Error(made.reason);
  const refused = new GuestDriver(made.value.platform, { profile: profile('modern-noplat'), devfn: 8 });
  refused.boot();
  t.is(refused.live().gaveUp, 'virtio: device refuses features');
  const served = new GuestDriver(made.value.platform, { profile: profile('modern-noplat'), devfn: 16 });
  served.boot();
  t.like(served.live(), { gaveUp: '', completed: 8, dataCorrect: true });
});

test('every machine type serves the guests of its time', (t) => {
  for (const version of ['2.1', '2.6', '2.7', '2.12', '3.1', '4.1', '5.0', '6.2']) {
    // Up to 2.4 blk had SCSI requests on, which VIRTIO 1.0 has none of, and QEMU refuses.
    const setting = { machine: `pseries-${version}`, mode: 'transitional', options: ',scsi=off' };
    for (const name of ['legacy-be', 'modern-plat', 'slof-modern']) {
      t.like(life(setting, name), { completed: 12, dataCorrect: true }, `${version} ${name}`);
    }
    const translated = life({ ...setting, mode: 'modern', iommu: true }, 'modern-plat');
    t.like(translated, { completed: 12, dataCorrect: true, status: 0x0f }, version);
  }
});

/** Sees what a guest does. */
function watch(made: Machine, see: (event: MachineEvent) => void): void {
  made.setTap({ wantsGuestWrites: false, take: see });
}

/** Every value written to the status register, by CPU store or through the hypervisor. */
function statusWrites(setting: Setting, name: string): number[] {
  const written: number[] = [];
  const made = machine(setting);
  const guest = new GuestDriver(made.platform, { profile: profile(name) });
  guest.boot();
  const isStatus = (address: bigint | undefined): boolean => (address ?? 0n) % 0x10000n === 0x14n;
  watch(made, ({ kind, fields }) => {
    const [first, second, third, fourth] = fields;
    const stored = kind === KIND['mmio-write'] && second === 1n && isStatus(first);
    const called = kind === KIND['hcall'] && first === 0x40n && second === 1n && isStatus(third);
    if (stored || called) written.push(Number(fourth));
  });
  guest.live();
  return written;
}

test('the status register sees what the golden traces show', (t) => {
  // linux/61-iommu.trace, 612-iommu.trace, slof/blk-modern-iommu.trace; 612-legacy for the legacy interface.
  t.deepEqual(statusWrites({ iommu: true }, 'debian-6.12'), [0, 1, 3, 0x0b, 0x0f, 0]);
  t.deepEqual(statusWrites({ iommu: true }, 'slof-iommu'), [0, 1, 3, 0x0b, 0x0f, 0]);
  t.deepEqual(statusWrites({ iommu: true }, 'modern-noplat'), [0, 1, 3, 0x0b, 0x83]);
});

test('windows: direct, none because of its size, and cleared at boot', (t) => {
  const hcalls = (name: string, options: Partial<DriverOptions> = {}): Map<number, number> => {
    const made = machine({ iommu: true });
    const guest = new GuestDriver(made.platform, { profile: profile(name), ...options });
    guest.boot();
    const counts = new Map<number, number>();
    watch(made, ({ kind, fields }) => {
      const token = Number(fields[0]);
      if (kind === KIND['hcall']) counts.set(token, (counts.get(token) ?? 0) + 1);
    });
    t.true(guest.live().dataCorrect);
    return counts;
  };
  const [PUT, STUFF, INDIRECT] = [0x20, 0x138, 0x13c];
  const direct = hcalls('debian-6.1');
  t.deepEqual([direct.get(PUT), direct.get(STUFF), direct.get(INDIRECT)], [undefined, undefined, 1]);
  const small = hcalls('debian-6.12');
  t.true(
    (small.get(PUT) ?? 0) > 20 &&
      (small.get(STUFF) ?? 0) === (small.get(PUT) ?? 0) + (small.get(INDIRECT) ?? 0),
  );
  const single = hcalls('modern-plat-single-tce');
  t.deepEqual([single.get(STUFF), single.get(INDIRECT)], [undefined, undefined]);
  t.is((hcalls('debian-6.12', { clearWindow: true }).get(STUFF) ?? 0) - (small.get(STUFF) ?? 0), 512);
});

test('two requests may be in flight', (t) => {
  for (const device of Object.keys(DEVICES)) {
    const outcome = life({ device }, 'modern-plat', { requests: 20, depth: 2 });
    t.like(outcome, { completed: 20, dataCorrect: true }, device);
  }
});

test('a disk that may not be written is only read', (t) => {
  const made = Machine.create({
    machine: 'pseries-7.2',
    ramBytes: 0x1000_0000,
    cpus: 1,
    seed: 'ro',
    devices: ['virtio-blk-pci,addr=1,drive=d0,disable-legacy=on'],
    globals: [],
    backends: [{ kind: 'disk', id: 'd0', sectors: 64, content: 'tagged', readOnly: true }],
  });
  if (!made.accepted) throw new Error(made.reason);
  const guest = new GuestDriver(made.value.platform, { profile: profile('modern-plat') });
  guest.boot();
  t.like(guest.live(), { completed: 8, dataCorrect: true });
});

test('ring indexes wrap, with and without interrupts', (t) => {
  for (const name of ['debian-6.12-polling', 'legacy-be']) {
    const outcome = life({ device: 'rng', mode: 'transitional' }, name, { requests: 66_000, depth: 2 });
    t.like(outcome, { completed: 66_000, dataCorrect: true, gaveUp: '' });
  }
});

test('a life leaves the machine as the same life before did', (t) => {
  const made = machine({ iommu: true });
  const guest = new GuestDriver(made.platform, { profile: profile('debian-6.12') });
  guest.boot();
  const start = made.snapshot();
  const digests = [1, 2, 3].map(() => {
    made.restore(start);
    t.true(guest.live().dataCorrect);
    return made.digest();
  });
  t.is(new Set(digests).size, 1);
});

test('after a life every entry of the default window is clear again', (t) => {
  const { platform } = machine({ iommu: true });
  const guest = new GuestDriver(platform, { profile: profile('debian-6.12') });
  guest.boot();
  guest.live();
  for (let entry = 0; entry < 0x400; entry++) {
    platform.registers[0] = 0x1cn;
    platform.registers[1] = 0x8000_0000n;
    platform.registers[2] = BigInt(entry) << 12n;
    platform.hcall();
    t.is(platform.registers[1], 0n, `entry ${entry}`);
  }
});

test('a driver that misbehaves is told so', (t) => {
  const log = new DiagnosticLog();
  const guest = driver({ log }, 'modern-plat');
  t.true(guest.probe() && guest.start());
  const [ring] = guest.splitRings;
  ring?.writer.setAvailEntry(0, 999);
  ring?.writer.setAvailIndex(1);
  guest.transport.notify(0);
  guest.platform.idle();
  t.is(guest.transport.status(), 0x4f);
  t.true(log.lines.some((line) => line.includes('Guest says index 999 is available')));
  t.false(guest.run(1));
  t.is(guest.outcome.gaveUp, 'device needs reset');
});

test('a transport is asked for in the order of the profile', (t) => {
  t.is(life({ mode: 'transitional' }, 'modern-plat').transport, 'modern');
  const forced: GuestProfile = { ...profile('modern-plat'), transports: ['legacy', 'modern'] };
  for (const [mode, transport] of [
    ['transitional', 'legacy'],
    ['modern', 'modern'],
  ] as const) {
    const guest = new GuestDriver(machine({ mode }).platform, { profile: forced });
    guest.boot();
    t.like(guest.live(), { transport, dataCorrect: true }, mode);
  }
});
