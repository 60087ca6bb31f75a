/**
 * The pseries machine types of QEMU 7.2 as a table of differences: each row is what an older machine changes against
 * the next newer one, so the newest row is empty and a new QEMU release is one row on top (hw/ppc/spapr.c, with the
 * hw_compat tables of hw/core/machine.c). Only what a guest sees through virtio, DMA, interrupts or the device tree.
 */

/** A default that a machine version changes on every object of a class (QEMU's GlobalProperty). */
interface CompatProperty {
  /** QOM class, which subclasses inherit: `virtio-pci`, `virtio-blk-device`. */
  readonly type: string;
  readonly property: string;
  readonly value: string;
  /** Left alone where an object of the class has no such property. */
  readonly optional?: boolean;
}

/** How a machine places its PCI host bridges (SpaprMachineClass.phb_placement). */
type PhbPlacement = '2.8' | '2.7';
/** Interrupt controllers offered to client-architecture-support (SpaprMachineClass.irq). */
type InterruptMode = 'dual' | 'xics' | 'xics-legacy';
type Capability = 'on' | 'off' | 'broken' | 'workaround' | 'fixed-ccd';

/** What a machine class sets beside properties. */
interface MachineOptions {
  readonly placement: PhbPlacement;
  readonly interrupts: InterruptMode;
  /** Interrupt sources behind 0x1000; the legacy allocator numbers devices from 0x1000 up as they appear. */
  readonly interruptSources: number;
  readonly legacyInterruptNumbers: boolean;
  readonly defaultCpu: string;
  /** /chosen/linux,pci-probe-only is 0: Linux assigns BARs itself. */
  readonly linuxPciProbe: boolean;
  readonly threadsAreVsmt: boolean;
  readonly hotplugBridges: boolean;
  readonly hotplugMemory: boolean;
  readonly hotplugCpus: boolean;
  readonly updatesDeviceTree: boolean;
  readonly resizesHashTable: boolean;
  readonly modernHotplugEvents: boolean;
  readonly usesOhci: boolean;
  readonly nvdimm: boolean;
  /** Bytes; undefined: no limit but the CPU's. */
  readonly realModeLimit: number | undefined;
  readonly numaAlignShift: number;
  readonly numaAffinityBefore62: boolean;
  readonly numaAssociativityBefore52: boolean;
  readonly associativityBefore51: boolean;
  readonly unusedPresentersBefore210: boolean;
  readonly hostSerialExposed: boolean;
  readonly capabilities: MachineCapabilities;
}

/** `cap-*` defaults (hw/ppc/spapr_caps.c). */
export interface MachineCapabilities {
  readonly htm: Capability;
  readonly vsx: Capability;
  readonly dfp: Capability;
  readonly cfpc: Capability;
  readonly sbbc: Capability;
  readonly ibs: Capability;
  /** Page shift; 0: by CPU and accelerator. */
  readonly hptMaxPageShift: number;
  readonly nestedHv: Capability;
  readonly largeDecrementer: Capability;
  readonly ccfAssist: Capability;
  readonly fwnmi: Capability;
  readonly rptInvalidate: Capability;
}

/** Properties of `spapr-pci-host-bridge` as the machine leaves them. */
interface HostBridgeOptions {
  /** Dynamic DMA windows. */
  readonly ddw: boolean;
  /** Page sizes that windows may have, as a mask of sizes. */
  readonly pageSizes: number;
  /** Bytes of the 32-bit window; more than 2 GiB spills into a 64-bit one of its own. */
  readonly memoryWindow: number;
  readonly memory64Window: number;
  readonly dynamicReconfiguration: boolean;
  readonly extendedConfigSpace: boolean;
}

export interface MachineType {
  /** `pseries-7.2`. */
  readonly name: string;
  /** `7.2`. */
  readonly version: string;
  readonly options: MachineOptions;
  readonly hostBridge: HostBridgeOptions;
  /** In the order they apply, newest machine's first: a later one overrides. */
  readonly compat: readonly CompatProperty[];
}

type Change<T> = { readonly [Key in keyof T]?: T[Key] };

interface Difference {
  readonly version: string;
  readonly compat?: readonly CompatProperty[];
  readonly options?: Change<Omit<MachineOptions, 'capabilities'>>;
  readonly capabilities?: Change<MachineCapabilities>;
  readonly hostBridge?: Change<HostBridgeOptions>;
}

const GIB = 2 ** 30;
const NEWEST = '7.2';

const NEWEST_CAPABILITIES: MachineCapabilities = {
  htm: 'off',
  vsx: 'on',
  dfp: 'on',
  cfpc: 'workaround',
  sbbc: 'workaround',
  ibs: 'workaround',
  hptMaxPageShift: 16,
  nestedHv: 'off',
  largeDecrementer: 'on',
  ccfAssist: 'on',
  fwnmi: 'on',
  rptInvalidate: 'off',
};

const NEWEST_OPTIONS: MachineOptions = {
  placement: '2.8',
  interrupts: 'dual',
  interruptSources: 0x1000,
  legacyInterruptNumbers: false,
  defaultCpu: 'power9_v2.0',
  linuxPciProbe: true,
  threadsAreVsmt: true,
  hotplugBridges: true,
  hotplugMemory: true,
  hotplugCpus: true,
  updatesDeviceTree: true,
  resizesHashTable: true,
  modernHotplugEvents: true,
  usesOhci: false,
  nvdimm: true,
  realModeLimit: undefined,
  numaAlignShift: 28,
  numaAffinityBefore62: false,
  numaAssociativityBefore52: false,
  associativityBefore51: false,
  unusedPresentersBefore210: false,
  hostSerialExposed: false,
  capabilities: NEWEST_CAPABILITIES,
};

const NEWEST_HOST_BRIDGE: HostBridgeOptions = {
  ddw: true,
  pageSizes: 0x100_1000 | 0x1_0000 | 0x20_0000,
  memoryWindow: 2 * GIB,
  memory64Window: 1024 * GIB,
  dynamicReconfiguration: true,
  extendedConfigSpace: true,
};

function compat(type: string, property: string, value: string): CompatProperty {
  return { type, property, value };
}

function optional(type: string, property: string, value: string): CompatProperty {
  return { type, property, value, optional: true };
}

/** Newest first. */
const DIFFERENCES: readonly Difference[] = [
  { version: '7.2' },
  {
    version: '7.1',
    compat: [
      compat('virtio-device', 'queue_reset', 'false'),
      compat('virtio-rng-pci', 'vectors', '0'),
      compat('virtio-rng-pci-transitional', 'vectors', '0'),
      compat('virtio-rng-pci-non-transitional', 'vectors', '0'),
    ],
  },
  { version: '7.0' },
  { version: '6.2' },
  { version: '6.1', options: { numaAffinityBefore62: true } },
  { version: '6.0', compat: [compat('vhost-vsock-device', 'seqpacket', 'off')] },
  {
    version: '5.2',
    compat: [
      compat('virtio-blk-device', 'report-discard-granularity', 'off'),
      compat('virtio-net-pci-base', 'vectors', '3'),
    ],
  },
  {
    version: '5.1',
    options: { numaAssociativityBefore52: true },
    compat: [
      compat('virtio-blk-device', 'num-queues', '1'),
      compat('virtio-scsi-device', 'num_queues', '1'),
      compat('virtio-pci', 'x-ats-page-aligned', 'off'),
    ],
  },
  {
    version: '5.0',
    options: { associativityBefore51: true },
    compat: [
      compat('virtio-balloon-device', 'page-poison', 'false'),
      compat('virtio-device', 'x-disable-legacy-check', 'true'),
    ],
  },
  {
    version: '4.2',
    options: { realModeLimit: 16 * GIB, nvdimm: false },
    capabilities: { ccfAssist: 'off', fwnmi: 'off' },
    compat: [
      compat('virtio-blk-device', 'queue-size', '128'),
      compat('virtio-scsi-device', 'virtqueue_size', '128'),
      compat('virtio-blk-device', 'x-enable-wce-if-config-wce', 'off'),
      compat('virtio-blk-device', 'seg-max-adjust', 'off'),
      compat('virtio-scsi-device', 'seg_max_adjust', 'off'),
      compat('virtio-device', 'use-disabled-flag', 'false'),
    ],
  },
  {
    version: '4.1',
    options: { linuxPciProbe: false, threadsAreVsmt: false },
    // Only windows of 4 KiB and 64 KiB pages.
    hostBridge: { pageSizes: 0x1_1000 },
    compat: [compat('virtio-pci', 'x-pcie-flr-init', 'off')],
  },
  {
    version: '4.0',
    options: { interrupts: 'xics' },
    compat: [
      compat('virtio-gpu-device', 'edid', 'false'),
      compat('virtio-device', 'use-started', 'false'),
      compat('virtio-balloon-device', 'qemu-4-0-config-size', 'true'),
    ],
  },
  {
    version: '3.1',
    options: {
      defaultCpu: 'power8_v2.0',
      updatesDeviceTree: false,
      hotplugBridges: false,
      hostSerialExposed: true,
    },
    capabilities: { cfpc: 'broken', sbbc: 'broken', ibs: 'broken', largeDecrementer: 'off' },
    compat: [
      compat('virtio-blk-device', 'discard', 'false'),
      compat('virtio-blk-device', 'write-zeroes', 'false'),
      compat('virtio-balloon-device', 'qemu-4-0-config-size', 'false'),
    ],
  },
  {
    version: '3.0',
    options: { legacyInterruptNumbers: true, interruptSources: 0x400, interrupts: 'xics-legacy' },
  },
  { version: '2.12', capabilities: { hptMaxPageShift: 0 } },
  {
    version: '2.11',
    capabilities: { htm: 'on' },
    compat: [compat('virtio-blk-pci', 'vectors', '2')],
  },
  {
    version: '2.10',
    compat: [
      compat('virtio-mouse-device', 'wheel-axis', 'false'),
      compat('virtio-tablet-device', 'wheel-axis', 'false'),
    ],
  },
  {
    version: '2.9',
    options: { unusedPresentersBefore210: true, resizesHashTable: false },
    compat: [compat('virtio-net-device', 'x-mtu-bypass-backend', 'off')],
  },
  {
    version: '2.8',
    options: { numaAlignShift: 23 },
    hostBridge: { extendedConfigSpace: false },
    compat: [
      compat('pci-device', 'x-pcie-extcap-init', 'off'),
      compat('virtio-pci', 'x-pcie-deverr-init', 'off'),
      compat('virtio-pci', 'x-pcie-lnkctl-init', 'off'),
      compat('virtio-pci', 'x-pcie-pm-init', 'off'),
    ],
  },
  {
    version: '2.7',
    options: { placement: '2.7', defaultCpu: 'power7_v2.3', modernHotplugEvents: false },
    hostBridge: { memoryWindow: 0xf_8000_0000, memory64Window: 0 },
    compat: [
      compat('virtio-pci', 'page-per-vq', 'on'),
      compat('virtio-serial-device', 'emergency-write', 'off'),
      compat('virtio-pci', 'x-ignore-backend-features', 'on'),
    ],
  },
  {
    version: '2.6',
    options: { hotplugCpus: false },
    hostBridge: { ddw: false },
    // Optional because the -transitional and -non-transitional types have no such properties.
    compat: [optional('virtio-pci', 'disable-modern', 'on'), optional('virtio-pci', 'disable-legacy', 'off')],
  },
  { version: '2.5', options: { usesOhci: true } },
  {
    version: '2.4',
    options: { hotplugMemory: false },
    compat: [
      optional('virtio-blk-device', 'scsi', 'true'),
      compat('virtio-pci', 'x-disable-pcie', 'on'),
      compat('virtio-pci', 'migrate-extra', 'off'),
    ],
  },
  {
    version: '2.3',
    hostBridge: { dynamicReconfiguration: false },
    compat: [
      compat('virtio-blk-pci', 'any_layout', 'off'),
      compat('virtio-balloon-pci', 'any_layout', 'off'),
      compat('virtio-serial-pci', 'any_layout', 'off'),
      compat('virtio-9p-pci', 'any_layout', 'off'),
      compat('virtio-rng-pci', 'any_layout', 'off'),
      compat('pci-device', 'x-pcie-lnksta-dllla', 'off'),
    ],
  },
  { version: '2.2', hostBridge: { memoryWindow: 0x2000_0000 } },
  {
    version: '2.1',
    compat: [
      compat('virtio-scsi-pci', 'any_layout', 'off'),
      compat('virtio-pci', 'virtio-pci-bus-master-bug-migration', 'on'),
    ],
  },
];

/** A side branch: the mitigations of 2018 switched on for the machine of that year. */
const MITIGATED_2_12: Difference = {
  version: '2.12-sxxm',
  capabilities: { cfpc: 'workaround', sbbc: 'workaround', ibs: 'fixed-ccd' },
};

/** Every machine type, newest first. */
export const MACHINE_TYPES: readonly MachineType[] = resolveAll();

/** The machine type of a name: `pseries-5.0`, or the alias `pseries`. */
export function machineType(name: string): MachineType | undefined {
  const full = name === 'pseries' ? `pseries-${NEWEST}` : name;
  return MACHINE_TYPES.find((type) => type.name === full);
}

function resolveAll(): MachineType[] {
  const resolved: MachineType[] = [];
  let newer: MachineType = {
    name: 'pseries',
    version: '',
    options: NEWEST_OPTIONS,
    hostBridge: NEWEST_HOST_BRIDGE,
    compat: [],
  };
  for (const difference of DIFFERENCES) {
    newer = apply(newer, difference);
    resolved.push(newer);
    if (difference.version === '2.12') resolved.push(apply(newer, MITIGATED_2_12));
  }
  return resolved;
}

function apply(newer: MachineType, difference: Difference): MachineType {
  return {
    name: `pseries-${difference.version}`,
    version: difference.version,
    options: {
      ...newer.options,
      ...difference.options,
      capabilities: { ...newer.options.capabilities, ...difference.capabilities },
    },
    hostBridge: { ...newer.hostBridge, ...difference.hostBridge },
    compat: [...newer.compat, ...(difference.compat ?? [])],
  };
}
