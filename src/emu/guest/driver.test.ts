import test from 'ava';
import { DiagnosticLog } from '../core/diagnostics.ts';
import { Machine } from '../machine/machine.ts';
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

function driver(setting: Setting, name: string, options: Partial<DriverOptions> = {}): GuestDriver {
  const guest = new GuestDriver(machine(setting).platform, {
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
          // SLOF wants a device configuration structure, and has no driver that could go without.
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
