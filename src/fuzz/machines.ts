import { PROFILES_BY_NAME, type GuestProfile } from '../emu/guest/profiles.ts';
import type { BackendConfig, MachineConfig } from '../emu/machine/config.ts';
import { VIRTIO_F_ACCESS_PLATFORM, VIRTIO_F_RING_INDIRECT_DESC } from '../emu/virtio/abi.ts';
import type { DriverTraits } from './adversary/driver.ts';
import { MODES, type CaseMachine, type Mode } from './case.ts';
import type { MachineFilter } from './arbitraries/machine-config.ts';

/** A configuration to fuzz, all but its seed. */
export type MachineRow = Omit<CaseMachine, 'seed'>;

/** Newest first: shrinking moves up. */
export const MACHINES: readonly string[] =
  '7.2 7.1 7.0 6.2 6.1 6.0 5.2 5.1 5.0 4.2 4.1 4.0 3.1 3.0 2.12 2.11 2.10 2.9 2.8 2.7 2.6 2.5 2.4 2.3 2.2 2.1'
    .split(' ')
    .map((version) => `pseries-${version}`);

/** Machine types whose defaults TCG cannot give (QEMU: No Transactional Memory support in TCG). */
const WITHOUT_HTM: ReadonlySet<string> = new Set([
  'pseries-2.8',
  'pseries-2.9',
  'pseries-2.10',
  'pseries-2.11',
]);

interface FuzzDevice {
  readonly name: string;
  readonly backend: string;
  /** Of which type, where the name does not say it. */
  readonly type?: string;
  /** A back end besides those that every machine has. */
  readonly needs?: BackendConfig | readonly BackendConfig[];
  /** Stands in the slot behind. */
  readonly beside?: string;
  /** Sits on the bus that it opens. */
  readonly rider?: string | readonly string[];
}

/** Devices with the options that name their back end. */
export const FUZZ_DEVICES: readonly FuzzDevice[] = [
  // Machines up to 2.4 turn scsi on, which a modern block device must not have.
  { name: 'blk', backend: 'drive=d0,scsi=off' },
  { name: 'net', backend: 'netdev=n0' },
  { name: 'rng', backend: 'rng=e0' },
  { name: 'scsi', backend: 'num_queues=1', rider: 'scsi-hd,drive=d0' },
  {
    name: 'console',
    type: 'serial',
    backend: 'max_ports=4',
    needs: [
      { kind: 'chardev', id: 'c0', open: true },
      { kind: 'chardev', id: 'c1', open: true },
    ],
    rider: ['virtconsole,chardev=c0', 'virtserialport,chardev=c1,name=port,id=p9'],
  },
  {
    name: 'ballooning',
    type: 'balloon',
    backend: 'id=b0,free-page-hint=on,iothread=t0,free-page-reporting=on',
    needs: { kind: 'iothread', id: 't0' },
  },
];

/** What the host calls the balloon. */
export const BALLOON_ID = 'balloon0';
/** And a console's port. */
export const PORT_ID = 'port0';
const READ_ONLY = 'blk-read-only';
/** Devices that single cases need; campaigns do not draw them. */
const CASE_DEVICES: readonly FuzzDevice[] = [
  {
    name: READ_ONLY,
    type: 'blk',
    backend: 'drive=d1,scsi=off',
    needs: { kind: 'disk', id: 'd1', sectors: 128, content: 'tagged', readOnly: true },
  },
  { name: 'blk-packed', type: 'blk', backend: 'drive=d0,scsi=off,packed=on' },
  {
    name: 'net-pairs',
    type: 'net',
    backend: 'netdev=n2,mq=on',
    needs: { kind: 'net', id: 'n2', loopback: true, queues: 2 },
  },
  {
    name: 'net-tap',
    type: 'net',
    backend: 'netdev=n1,mq=on,rss=on,hash=on,guest_rsc_ext=on',
    needs: { kind: 'net', id: 'n1', loopback: true, headers: true },
  },
  {
    name: 'blk-through',
    type: 'blk',
    backend: 'drive=d0,scsi=off,write-cache=off,x-enable-wce-if-config-wce=off',
  },
  { name: 'net-mtu', type: 'net', backend: 'netdev=n0,host_mtu=1400' },
  {
    name: 'net-bare',
    type: 'net',
    backend: 'netdev=n2,guest_csum=off,ctrl_vq=off,hash=on',
    needs: { kind: 'net', id: 'n2', loopback: true, headers: true },
  },
  {
    name: 'net-rsc',
    type: 'net',
    backend: 'netdev=n2,guest_rsc_ext=on,mac=52:54:00:12:34:56',
    needs: { kind: 'net', id: 'n2', loopback: true, headers: true },
  },
  { name: 'serial', backend: 'max_ports=4' },
  {
    name: 'serial-console',
    type: 'serial',
    backend: 'max_ports=4',
    rider: `virtconsole,chardev=c0,id=${PORT_ID}`,
    needs: { kind: 'chardev', id: 'c0', open: true },
  },
  { name: 'balloon', backend: `deflate-on-oom=on,id=${BALLOON_ID}` },
  { name: 'net-packed', type: 'net', backend: 'netdev=n0,packed=on' },
  {
    name: 'balloon-hints',
    type: 'balloon',
    backend: 'free-page-hint=on,iothread=t0',
    needs: { kind: 'iothread', id: 't0' },
  },
  { name: 'blk-beside-rng', type: 'blk', backend: 'drive=d0,scsi=off', beside: 'virtio-rng-pci,rng=e0' },
];

/** How a mode is asked for, so that it means the same on every machine type. */
const MODE_OPTIONS: Readonly<Record<Mode, string>> = {
  legacy: 'disable-legacy=off,disable-modern=on',
  transitional: 'disable-legacy=off,disable-modern=off',
  modern: 'disable-legacy=on,disable-modern=off',
};

/** A guest profile as the fuzzer uses it: which devices it finds, and whether it takes ACCESS_PLATFORM. */
export interface FuzzProfile {
  readonly name: string;
  readonly modes: readonly Mode[];
  readonly acceptsPlatform: boolean;
}

/**
 * Every configuration that QEMU realises and whose guest drives it. A legacy interface with ACCESS_PLATFORM is refused
 * at realize (virtio_pci_device_plugged), and a device with ACCESS_PLATFORM refuses FEATURES_OK to a guest without.
 */
export function machineRows(
  filter: MachineFilter,
  profiles: readonly FuzzProfile[] = FUZZ_PROFILES,
): readonly MachineRow[] {
  const rows: MachineRow[] = [];
  const chosen = filter.behaviour === undefined ? {} : { behaviour: filter.behaviour };
  const admits = <T>(list: readonly T[] | undefined, value: T): boolean =>
    list === undefined || list.length === 0 || list.includes(value);
  for (const machine of MACHINES) {
    if (!admits(filter.machines, machine)) continue;
    for (const device of FUZZ_DEVICES) {
      if (!admits(filter.devices, device.name)) continue;
      for (const mode of MODES) {
        if (!admits(filter.modes, mode)) continue;
        for (const iommuPlatform of [false, true]) {
          if (!admits(filter.iommuPlatform, iommuPlatform)) continue;
          if (iommuPlatform && mode !== 'modern') continue;
          for (const profile of profiles) {
            if (!profile.modes.includes(mode) || (iommuPlatform && !profile.acceptsPlatform)) continue;
            if (!admits(filter.profiles, profile.name)) continue;
            rows.push({
              machine,
              device: device.name,
              mode,
              iommuPlatform,
              profile: profile.name,
              ...chosen,
            });
          }
        }
      }
    }
  }
  return rows;
}

/**
 * The guests of a campaign: profiles of the guest table. Which interface the device is driven through, in which byte
 * order, and which features are accepted is the profile's; what is done wrong is the case's.
 */
const CHOSEN = [
  'modern-plat',
  'modern-plat-be',
  'modern-plat-single-tce',
  'modern-noplat',
  'legacy-le',
  'legacy-be',
];

function chosenProfiles(): readonly GuestProfile[] {
  return CHOSEN.flatMap((name) => PROFILES_BY_NAME.get(name) ?? []);
}

export const FUZZ_PROFILES: readonly FuzzProfile[] = chosenProfiles().map((profile) => ({
  name: profile.name,
  modes: profile.transports[0] === 'modern' ? ['transitional', 'modern'] : ['legacy', 'transitional'],
  acceptsPlatform: profile.transportFeatures.includes(VIRTIO_F_ACCESS_PLATFORM),
}));

/** How the driver of a profile behaves. */
export const TRAITS: ReadonlyMap<string, DriverTraits> = new Map(
  chosenProfiles().map((profile): [string, DriverTraits] => [
    profile.name,
    {
      legacy: profile.transports[0] === 'legacy',
      littleEndian: profile.byteOrder === 'little',
      acceptsPlatform: profile.transportFeatures.includes(VIRTIO_F_ACCESS_PLATFORM),
      acceptsIndirect: profile.transportFeatures.includes(VIRTIO_F_RING_INDIRECT_DESC),
      multiTce: profile.multiTce,
    },
  ]),
);

const RAM_BYTES = 0x1000_0000;
const DISK_SECTORS = 128;
const SLOT = 1;

/** The machine of a case, in QEMU's words. */
export function machineConfig(wanted: CaseMachine): MachineConfig {
  const device = [...FUZZ_DEVICES, ...CASE_DEVICES].find((row) => row.name === wanted.device);
  if (device === undefined) {
    throw new Error(
      `no device is called '${wanted.device}': choose from ${FUZZ_DEVICES.map((row) => row.name).join(', ')}`,
    );
  }
  const platform = `iommu_platform=${wanted.iommuPlatform ? 'on' : 'off'}`;
  return {
    machine: WITHOUT_HTM.has(wanted.machine) ? `${wanted.machine},cap-htm=off` : wanted.machine,
    ramBytes: RAM_BYTES,
    cpus: 1,
    seed: wanted.seed,
    devices: [
      `virtio-${device.type ?? device.name}-pci,addr=${SLOT},${device.backend},${MODE_OPTIONS[wanted.mode]},${platform}`,
      ...(device.beside === undefined
        ? []
        : [`${device.beside},addr=${SLOT + 1},${MODE_OPTIONS[wanted.mode]},${platform}`]),
      ...[device.rider ?? []].flat(),
    ],
    globals: [],
    backends: [
      { kind: 'disk', id: 'd0', sectors: DISK_SECTORS, content: 'zero', readOnly: false },
      ...(device.needs !== undefined && !Array.isArray(device.needs) ? [device.needs as BackendConfig] : []),
      { kind: 'net', id: 'n0', loopback: true },
      { kind: 'entropy', id: 'e0' },
      ...(Array.isArray(device.needs) ? (device.needs as readonly BackendConfig[]) : []),
    ],
    ...(wanted.behaviour === undefined ? {} : { behaviour: wanted.behaviour }),
  };
}

/** `blk` and the like: which protocol a device of this name speaks. */
export function deviceType(name: string): string {
  return CASE_DEVICES.find((row) => row.name === name)?.type ?? name;
}

export function isReadOnly(name: string): boolean {
  return name === READ_ONLY;
}
