import {
  PCI_CLASS_COMMUNICATION_OTHER,
  PCI_CLASS_DISPLAY_OTHER,
  PCI_CLASS_INPUT_KEYBOARD,
  PCI_CLASS_INPUT_MOUSE,
  PCI_CLASS_INPUT_OTHER,
  PCI_CLASS_NETWORK_ETHERNET,
  PCI_CLASS_OTHERS,
  PCI_CLASS_STORAGE_SCSI,
} from '../pci/abi.ts';
import {
  VIRTIO_ID_9P,
  VIRTIO_ID_BALLOON,
  VIRTIO_ID_BLOCK,
  VIRTIO_ID_CONSOLE,
  VIRTIO_ID_CRYPTO,
  VIRTIO_ID_GPU,
  VIRTIO_ID_INPUT,
  VIRTIO_ID_IOMMU,
  VIRTIO_ID_NET,
  VIRTIO_ID_RNG,
  VIRTIO_ID_SCSI,
  VIRTIO_ID_VSOCK,
  VIRTIO_QUEUE_MAX,
} from '../virtio/abi.ts';
import { BLOCK_PROPERTIES, checkBlockSizes, checkGeometry } from './block-properties.ts';
import { AUTO, property, type Property, type PropertyValues } from './properties.ts';

/** What a device's realize function may look at beside its own properties. */
interface RealizeContext {
  readonly cpus: number;
  /** Function sits on a root bus. */
  readonly onRootBus: boolean;
  /** Queue pairs of a network back end (`queues=`). */
  readonly netQueues: (id: string) => number;
  /** What QEMU says and goes on. */
  readonly warn: (text: string) => void;
  /** Names of the families that the machine has already. */
  readonly present: ReadonlySet<string>;
}

/** One virtio-pci device of QEMU 7.2 with its generic, -transitional and -non-transitional types. */
export interface DeviceFamily {
  /** The generic type. */
  readonly name: string;
  /** Its abstract parent, which all variants share. */
  readonly base: string;
  /** `-transitional` and `-non-transitional`, as far as they exist. */
  readonly variants: readonly string[];
  /** QOM type of the device behind the PCI function, and its parents below `virtio-device`. */
  readonly deviceType: string;
  readonly deviceParents: readonly string[];
  readonly virtioId: number;
  /** PCI device id of the legacy interface; 0 where there is none. */
  readonly transitionalId: number;
  readonly classCode: number;
  /** Whether its realize function leaves the legacy interface out, whatever the mode properties say. */
  readonly modernOnly: 'no' | 'yes' | 'checked';
  /** Whether disks for a SCSI bus can be put on it. */
  readonly opensScsiBus?: boolean;
  /** Opens a bus that consoles and serial ports ride on. */
  readonly opensSerialBus?: boolean;
  /** Expansion ROM by default, in bytes. */
  readonly romBytes: number;
  readonly pciProperties: readonly Property[];
  readonly deviceProperties: readonly Property[];
  /** The PCI side of realize: numbers that depend on others; a text refuses. */
  readonly prepare?: (values: PropertyValues, context: RealizeContext) => string | undefined;
  /** The device side of realize; a text refuses. */
  readonly check?: (values: PropertyValues, context: RealizeContext) => string | undefined;
  /** `get_features` with an error in it; a text refuses. */
  readonly checkFeatures?: (values: PropertyValues, modern: boolean) => string | undefined;
}

const RING_MAX = 1024;
/** PCI_MSIX_FLAGS_QSIZE: what virtio_pci_optimal_num_queues takes its limit from. */
const MSIX_QUEUES_MAX = 0x7ff;
const SCSI_FIXED_QUEUES = 2;
const NET_RX_QUEUE_MIN = 256;
const BLOCK_REQUEST_SECTORS_MAX = 0x3fffff;
const GPU_SCANOUTS_MAX = 16;
const SERIAL_PORTS_MAX = VIRTIO_QUEUE_MAX / 2 - 1;
/** Size of `efi-virtio.rom`. */
const NET_ROM_BYTES = 0x40000;

const VARIANTS = ['-transitional', '-non-transitional'];
const IOEVENTFD = property('ioeventfd', 'switch', true, 'device');

function vectors(value: number | typeof AUTO): Property {
  return property('vectors', 'uint32', value, 'transport');
}

/** One queue a CPU, within what MSI-X and virtio can count. */
function optimalQueues(cpus: number, fixed: number): number {
  return Math.min(cpus, MSIX_QUEUES_MAX - fixed, VIRTIO_QUEUE_MAX - fixed);
}

function fill(values: PropertyValues, name: string, value: number): void {
  if (values.get(name) === AUTO) values.set(name, value);
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}

const BLOCK: DeviceFamily = {
  name: 'virtio-blk-pci',
  base: 'virtio-blk-pci-base',
  variants: VARIANTS,
  deviceType: 'virtio-blk-device',
  deviceParents: [],
  virtioId: VIRTIO_ID_BLOCK,
  transitionalId: 0x1001,
  classCode: PCI_CLASS_STORAGE_SCSI,
  modernOnly: 'no',
  romBytes: 0,
  pciProperties: [property('class', 'uint32', 0, 'config space'), IOEVENTFD, vectors(AUTO)],
  deviceProperties: [
    ...BLOCK_PROPERTIES,
    property('serial', 'string', undefined, 'device'),
    property('config-wce', 'switch', true, 'features'),
    property('scsi', 'switch', false, 'features'),
    property('request-merging', 'switch', true, 'device'),
    property('num-queues', 'uint16', AUTO, 'device'),
    property('queue-size', 'uint16', 256, 'device'),
    property('seg-max-adjust', 'switch', true, 'device'),
    property('iothread', 'link', undefined, 'none'),
    property('discard', 'switch', true, 'features'),
    property('report-discard-granularity', 'switch', true, 'device'),
    property('write-zeroes', 'switch', true, 'features'),
    property('max-discard-sectors', 'uint32', BLOCK_REQUEST_SECTORS_MAX, 'device'),
    property('max-write-zeroes-sectors', 'uint32', BLOCK_REQUEST_SECTORS_MAX, 'device'),
    property('x-enable-wce-if-config-wce', 'switch', true, 'features'),
  ],
  prepare: (values, { cpus }) => {
    fill(values, 'num-queues', optimalQueues(cpus, 0));
    fill(values, 'vectors', values.number('num-queues') + 1);
    return undefined;
  },
  check: checkBlock,
  checkFeatures: (values, modern) => {
    // The property is the feature bit itself, and a legacy-only disk takes it back.
    if (!modern) values.set('any_layout', false);
    return modern && values.flag('scsi')
      ? 'Please set scsi=off for virtio-blk devices in order to use virtio 1.0'
      : undefined;
  },
};

function checkBlock(values: PropertyValues): string | undefined {
  if (values.text('drive') === '') return 'drive property not set';
  if (values.number('num-queues') === 0) return 'num-queues property must be larger than 0';
  const size = values.number('queue-size');
  if (size <= 2) return `invalid queue-size property (${size}), must be > 2`;
  if (!isPowerOfTwo(size) || size > RING_MAX) {
    return `invalid queue-size property (${size}), must be a power of 2 (max ${RING_MAX})`;
  }
  const misfit = checkGeometry(values) ?? checkBlockSizes(values);
  if (misfit !== undefined) return misfit;
  for (const [feature, limit] of [
    ['discard', 'max-discard-sectors'],
    ['write-zeroes', 'max-write-zeroes-sectors'],
  ] as const) {
    const sectors = values.number(limit);
    if (values.flag(feature) && (sectors === 0 || sectors > BLOCK_REQUEST_SECTORS_MAX)) {
      return `invalid ${limit} property (${sectors}), must be between 1 and ${BLOCK_REQUEST_SECTORS_MAX}`;
    }
  }
  return undefined;
}

const NET_FEATURES: readonly (readonly [name: string, on: boolean])[] = [
  ['csum', true],
  ['guest_csum', true],
  ['gso', true],
  ['guest_tso4', true],
  ['guest_tso6', true],
  ['guest_ecn', true],
  ['guest_ufo', true],
  ['guest_announce', true],
  ['host_tso4', true],
  ['host_tso6', true],
  ['host_ecn', true],
  ['host_ufo', true],
  ['mrg_rxbuf', true],
  ['status', true],
  ['ctrl_vq', true],
  ['ctrl_rx', true],
  ['ctrl_vlan', true],
  ['ctrl_rx_extra', true],
  ['ctrl_mac_addr', true],
  ['ctrl_guest_offloads', true],
  ['mq', false],
  ['rss', false],
  ['hash', false],
  ['guest_rsc_ext', false],
];

const NET: DeviceFamily = {
  name: 'virtio-net-pci',
  base: 'virtio-net-pci-base',
  variants: VARIANTS,
  deviceType: 'virtio-net-device',
  deviceParents: [],
  virtioId: VIRTIO_ID_NET,
  transitionalId: 0x1000,
  classCode: PCI_CLASS_NETWORK_ETHERNET,
  modernOnly: 'no',
  romBytes: NET_ROM_BYTES,
  pciProperties: [IOEVENTFD, vectors(AUTO)],
  deviceProperties: [
    ...NET_FEATURES.map(([name, on]) => property(name, 'switch', on, 'features')),
    property('rsc_interval', 'uint32', 300000, 'device'),
    property('mac', 'mac', undefined, 'device'),
    property('netdev', 'netdev', undefined, 'device'),
    property('bootindex', 'int32', -1, 'none'),
    property('x-txtimer', 'uint32', 150000, 'device'),
    property('x-txburst', 'int32', 256, 'device'),
    property('tx', 'string', undefined, 'device'),
    property('rx_queue_size', 'uint16', 256, 'device'),
    property('tx_queue_size', 'uint16', 256, 'device'),
    property('host_mtu', 'uint16', 0, 'device'),
    property('x-mtu-bypass-backend', 'switch', true, 'none'),
    property('speed', 'int32', -1, 'device'),
    property('duplex', 'string', undefined, 'device'),
    property('failover', 'switch', false, 'features'),
  ],
  prepare: (values, { netQueues }) => {
    // A vector each way for every pair, one for control, one for configuration.
    fill(values, 'vectors', 2 * netQueues(values.text('netdev')) + 2);
    return undefined;
  },
  check: checkNet,
};

function checkNet(values: PropertyValues, { netQueues, warn }: RealizeContext): string | undefined {
  const duplex = values.get('duplex');
  if (duplex !== undefined && duplex !== 'half' && duplex !== 'full')
    return "'duplex' must be 'half' or 'full'";
  if (values.number('speed') < -1) return "'speed' must be between 0 and INT_MAX";
  for (const [name, end] of [
    ['rx_queue_size', '.'],
    ['tx_queue_size', ''],
  ] as const) {
    const size = values.number(name);
    if (size < NET_RX_QUEUE_MIN || size > RING_MAX || !isPowerOfTwo(size)) {
      return `Invalid ${name} (= ${size}), must be a power of 2 between ${NET_RX_QUEUE_MIN} and ${RING_MAX}${end}`;
    }
  }
  const pairs = netQueues(values.text('netdev'));
  if (2 * pairs + 1 > VIRTIO_QUEUE_MAX) {
    const most = Math.floor((VIRTIO_QUEUE_MAX - 1) / 2);
    return `Invalid number of queue pairs (= ${pairs}), must be a positive integer less than ${most}.`;
  }
  const tx = values.get('tx');
  if (tx !== undefined && tx !== 'timer' && tx !== 'bh') {
    warn(`virtio-net: Unknown option tx=${String(tx)}, valid options: "timer" "bh"\nDefaulting to "bh"`);
  }
  // Only vhost-user and vDPA peers take longer transmit queues.
  values.set('tx_queue_size', Math.min(values.number('tx_queue_size'), 256));
  return undefined;
}

const RNG: DeviceFamily = {
  name: 'virtio-rng-pci',
  base: 'virtio-rng-pci-base',
  variants: VARIANTS,
  deviceType: 'virtio-rng-device',
  deviceParents: [],
  virtioId: VIRTIO_ID_RNG,
  transitionalId: 0x1005,
  classCode: PCI_CLASS_OTHERS,
  modernOnly: 'no',
  romBytes: 0,
  pciProperties: [IOEVENTFD, vectors(AUTO)],
  deviceProperties: [
    property('max-bytes', 'uint64', 0x7fffffffffffffffn, 'device'),
    property('period', 'uint32', 1 << 16, 'device'),
    property('rng', 'link', undefined, 'device'),
  ],
  prepare: (values) => {
    fill(values, 'vectors', 2);
    return undefined;
  },
  check: (values) => {
    if (values.number('period') === 0) return "'period' parameter expects a positive integer";
    const most = values.get('max-bytes');
    // QEMU names the wrong bound here: it refuses what a signed number cannot hold.
    return typeof most === 'bigint' && most > 0x7fffffffffffffffn
      ? "'max-bytes' parameter must be non-negative, and less than 2^63"
      : undefined;
  },
};

const SCSI: DeviceFamily = {
  name: 'virtio-scsi-pci',
  base: 'virtio-scsi-pci-base',
  variants: VARIANTS,
  deviceType: 'virtio-scsi-device',
  deviceParents: ['virtio-scsi-common'],
  virtioId: VIRTIO_ID_SCSI,
  transitionalId: 0x1004,
  classCode: PCI_CLASS_STORAGE_SCSI,
  modernOnly: 'no',
  opensScsiBus: true,
  romBytes: 0,
  pciProperties: [IOEVENTFD, vectors(AUTO)],
  deviceProperties: [
    property('num_queues', 'uint32', AUTO, 'device'),
    property('virtqueue_size', 'uint32', 256, 'device'),
    property('seg_max_adjust', 'switch', true, 'device'),
    property('max_sectors', 'uint32', 0xffff, 'device'),
    property('cmd_per_lun', 'uint32', 128, 'device'),
    property('hotplug', 'switch', true, 'features'),
    property('param_change', 'switch', true, 'features'),
    property('iothread', 'link', undefined, 'none'),
  ],
  prepare: (values, { cpus }) => {
    fill(values, 'num_queues', optimalQueues(cpus, SCSI_FIXED_QUEUES));
    fill(values, 'vectors', values.number('num_queues') + SCSI_FIXED_QUEUES + 1);
    return undefined;
  },
  check: (values) => {
    const queues = values.number('num_queues');
    const most = VIRTIO_QUEUE_MAX - SCSI_FIXED_QUEUES;
    if (queues === 0 || queues > most) {
      return `Invalid number of queues (= ${queues}), must be a positive integer less than ${most}.`;
    }
    const size = values.number('virtqueue_size');
    return size <= 2 ? `invalid virtqueue_size property (= ${size}), must be > 2` : undefined;
  },
};

const SERIAL_CLASSES: readonly number[] = [
  PCI_CLASS_COMMUNICATION_OTHER,
  PCI_CLASS_DISPLAY_OTHER,
  PCI_CLASS_OTHERS,
];

const SERIAL: DeviceFamily = {
  name: 'virtio-serial-pci',
  base: 'virtio-serial-pci-base',
  variants: VARIANTS,
  deviceType: 'virtio-serial-device',
  opensSerialBus: true,
  deviceParents: [],
  virtioId: VIRTIO_ID_CONSOLE,
  transitionalId: 0x1003,
  classCode: PCI_CLASS_COMMUNICATION_OTHER,
  modernOnly: 'no',
  romBytes: 0,
  pciProperties: [IOEVENTFD, vectors(2), property('class', 'uint32', 0, 'config space')],
  deviceProperties: [
    property('max_ports', 'uint32', 31, 'device'),
    property('emergency-write', 'switch', true, 'features'),
  ],
  prepare: (values) => {
    if (!SERIAL_CLASSES.includes(values.number('class'))) values.set('class', PCI_CLASS_COMMUNICATION_OTHER);
    if (values.get('vectors') === 0xffffffff) values.set('vectors', values.number('max_ports') + 1);
    return undefined;
  },
  check: (values) => {
    const ports = values.number('max_ports');
    if (ports === 0) return 'Maximum number of serial ports not specified';
    return ports > SERIAL_PORTS_MAX ? `maximum ports supported: ${SERIAL_PORTS_MAX}` : undefined;
  },
};

const BALLOON: DeviceFamily = {
  name: 'virtio-balloon-pci',
  base: 'virtio-balloon-pci-base',
  variants: VARIANTS,
  deviceType: 'virtio-balloon-device',
  deviceParents: [],
  virtioId: VIRTIO_ID_BALLOON,
  transitionalId: 0x1002,
  classCode: PCI_CLASS_OTHERS,
  modernOnly: 'no',
  romBytes: 0,
  pciProperties: [],
  deviceProperties: [
    property('deflate-on-oom', 'switch', false, 'features'),
    property('free-page-hint', 'switch', false, 'features'),
    property('page-poison', 'switch', true, 'features'),
    property('free-page-reporting', 'switch', false, 'features'),
    property('qemu-4-0-config-size', 'switch', false, 'device'),
    property('guest-stats-polling-interval', 'seconds', 0, 'device'),
    property('iothread', 'link', undefined, 'device'),
  ],
  check: (values, { present }) => {
    if (present.has('virtio-balloon-pci')) return 'Only one balloon device is supported';
    return values.flag('free-page-hint') && values.text('iothread') === ''
      ? "'free-page-hint' requires 'iothread' to be set"
      : undefined;
  },
};

const PLAN9: DeviceFamily = {
  name: 'virtio-9p-pci',
  base: 'virtio-9p-pci-base',
  variants: VARIANTS,
  deviceType: 'virtio-9p-device',
  deviceParents: [],
  virtioId: VIRTIO_ID_9P,
  transitionalId: 0x1009,
  // The class is a literal 2 in QEMU: base class 0, sub class 2.
  classCode: 0x0002,
  modernOnly: 'no',
  romBytes: 0,
  pciProperties: [IOEVENTFD, vectors(2)],
  deviceProperties: [
    property('mount_tag', 'string', undefined, 'device'),
    property('fsdev', 'string', undefined, 'device'),
  ],
  check: (values) => {
    const fsdev = values.get('fsdev');
    if (typeof fsdev !== 'string') return "9pfs device couldn't find fsdev with the id = NULL";
    return values.get('mount_tag') === undefined
      ? `fsdev with id ${fsdev} needs mount_tag arguments`
      : undefined;
  },
};

const CRYPTO: DeviceFamily = {
  name: 'virtio-crypto-pci',
  base: 'virtio-crypto-pci-base-type',
  variants: [],
  deviceType: 'virtio-crypto-device',
  deviceParents: [],
  virtioId: VIRTIO_ID_CRYPTO,
  transitionalId: 0,
  classCode: PCI_CLASS_OTHERS,
  modernOnly: 'yes',
  romBytes: 0,
  pciProperties: [IOEVENTFD, vectors(2)],
  deviceProperties: [property('cryptodev', 'link', undefined, 'device')],
  prepare: (values) =>
    values.text('cryptodev') === '' ? "'cryptodev' parameter expects a valid object" : undefined,
};

const IOMMU: DeviceFamily = {
  name: 'virtio-iommu-pci',
  base: 'virtio-iommu-pci-base-type',
  variants: [],
  deviceType: 'virtio-iommu-device',
  deviceParents: [],
  virtioId: VIRTIO_ID_IOMMU,
  transitionalId: 0,
  classCode: PCI_CLASS_OTHERS,
  modernOnly: 'yes',
  romBytes: 0,
  pciProperties: [property('class', 'uint32', 0, 'config space')],
  deviceProperties: [property('boot-bypass', 'switch', true, 'device')],
  prepare: (_values, { onRootBus }) =>
    onRootBus ? undefined : 'virtio-iommu-pci must be plugged on the root bus',
};

const GPU: DeviceFamily = {
  name: 'virtio-gpu-pci',
  base: 'virtio-gpu-pci-base-type',
  variants: [],
  deviceType: 'virtio-gpu-device',
  deviceParents: ['virtio-gpu-base'],
  virtioId: VIRTIO_ID_GPU,
  transitionalId: 0,
  classCode: PCI_CLASS_DISPLAY_OTHER,
  modernOnly: 'yes',
  romBytes: 0,
  pciProperties: [IOEVENTFD, vectors(3)],
  deviceProperties: [
    property('max_outputs', 'uint32', 1, 'device'),
    property('edid', 'switch', true, 'features'),
    property('xres', 'uint32', 1280, 'none'),
    property('yres', 'uint32', 800, 'none'),
    property('max_hostmem', 'size', 256 * 2 ** 20, 'none'),
    property('blob', 'switch', false, 'features'),
  ],
  check: (values) => {
    if (values.flag('blob')) return 'cannot enable blob resources without udmabuf';
    return values.number('max_outputs') > GPU_SCANOUTS_MAX
      ? `invalid max_outputs > ${GPU_SCANOUTS_MAX}`
      : undefined;
  },
};

const VSOCK: DeviceFamily = {
  name: 'vhost-vsock-pci',
  base: 'vhost-vsock-pci-base',
  variants: ['-non-transitional'],
  deviceType: 'vhost-vsock-device',
  deviceParents: ['vhost-vsock-common'],
  virtioId: VIRTIO_ID_VSOCK,
  transitionalId: 0x1012,
  classCode: PCI_CLASS_COMMUNICATION_OTHER,
  modernOnly: 'checked',
  romBytes: 0,
  pciProperties: [vectors(3)],
  deviceProperties: [
    property('guest-cid', 'uint64', 0n, 'device'),
    property('vhostfd', 'string', undefined, 'none'),
    property('seqpacket', 'switch-auto', 'auto', 'none'),
  ],
  check: (values) => {
    const cid = values.get('guest-cid');
    if (typeof cid !== 'bigint' || cid <= 2n) return 'guest-cid property must be greater than 2';
    if (cid > 0xffffffffn) return 'guest-cid property must be a 32-bit number';
    // This host has no vhost.
    return 'vhost-vsock: failed to open vhost device: No such file or directory';
  },
};

interface InputRow {
  readonly name: string;
  readonly deviceType: string;
  readonly classCode: number;
  readonly properties: readonly Property[];
}

const HID_PROPERTIES: readonly Property[] = [
  property('display', 'string', undefined, 'none'),
  property('head', 'uint32', 0, 'none'),
];
const WHEEL = property('wheel-axis', 'switch', true, 'device');

const INPUTS: readonly InputRow[] = [
  {
    name: 'virtio-keyboard-pci',
    deviceType: 'virtio-keyboard-device',
    classCode: PCI_CLASS_INPUT_KEYBOARD,
    properties: HID_PROPERTIES,
  },
  {
    name: 'virtio-mouse-pci',
    deviceType: 'virtio-mouse-device',
    classCode: PCI_CLASS_INPUT_MOUSE,
    properties: [...HID_PROPERTIES, WHEEL],
  },
  {
    name: 'virtio-tablet-pci',
    deviceType: 'virtio-tablet-device',
    classCode: PCI_CLASS_INPUT_OTHER,
    properties: [...HID_PROPERTIES, WHEEL],
  },
];

function input(row: InputRow): DeviceFamily {
  return {
    name: row.name,
    base: `${row.name}-base-type`,
    variants: [],
    deviceType: row.deviceType,
    deviceParents: ['virtio-input-hid-device', 'virtio-input-device'],
    virtioId: VIRTIO_ID_INPUT,
    transitionalId: 0,
    classCode: row.classCode,
    modernOnly: 'yes',
    romBytes: 0,
    pciProperties: [vectors(2)],
    deviceProperties: [property('serial', 'string', undefined, 'device'), ...row.properties],
  };
}

const INPUT_HOST: DeviceFamily = {
  name: 'virtio-input-host-pci',
  base: 'virtio-input-host-pci-base',
  variants: VARIANTS,
  deviceType: 'virtio-input-host-device',
  deviceParents: ['virtio-input-device'],
  virtioId: VIRTIO_ID_INPUT,
  transitionalId: 0,
  classCode: PCI_CLASS_INPUT_OTHER,
  modernOnly: 'yes',
  romBytes: 0,
  pciProperties: [vectors(2)],
  deviceProperties: [
    property('serial', 'string', undefined, 'device'),
    property('evdev', 'string', undefined, 'device'),
  ],
  check: (values) => {
    const evdev = values.get('evdev');
    if (typeof evdev !== 'string') return 'evdev property is required';
    return `Could not open '${evdev}': No such file or directory`;
  },
};

/** Every family, in no order that matters. */
export const DEVICE_FAMILIES: readonly DeviceFamily[] = [
  NET,
  BLOCK,
  SERIAL,
  RNG,
  BALLOON,
  SCSI,
  PLAN9,
  GPU,
  ...INPUTS.map(input),
  INPUT_HOST,
  VSOCK,
  CRYPTO,
  IOMMU,
];

/** Families that only the types with a mode in their name can negotiate as legacy (hw/virtio/virtio.c). */
export const LEGACY_ALLOWED: ReadonlySet<number> = new Set([
  VIRTIO_ID_NET,
  VIRTIO_ID_BLOCK,
  VIRTIO_ID_CONSOLE,
  VIRTIO_ID_RNG,
  VIRTIO_ID_BALLOON,
  VIRTIO_ID_SCSI,
  VIRTIO_ID_9P,
]);

/** Names that QEMU takes for others (qdev-monitor.c). */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['virtio-9p', 'virtio-9p-pci'],
  ['virtio-balloon', 'virtio-balloon-pci'],
  ['virtio-blk', 'virtio-blk-pci'],
  ['virtio-gpu', 'virtio-gpu-pci'],
  ['virtio-input-host', 'virtio-input-host-pci'],
  ['virtio-iommu', 'virtio-iommu-pci'],
  ['virtio-keyboard', 'virtio-keyboard-pci'],
  ['virtio-mouse', 'virtio-mouse-pci'],
  ['virtio-net', 'virtio-net-pci'],
  ['virtio-rng', 'virtio-rng-pci'],
  ['virtio-scsi', 'virtio-scsi-pci'],
  ['virtio-serial', 'virtio-serial-pci'],
  ['virtio-tablet', 'virtio-tablet-pci'],
]);

/** What a type name stands for: its family and the suffix that fixes the mode ('' for the generic type). */
export interface DeviceTypeName {
  readonly name: string;
  readonly family: DeviceFamily;
  readonly variant: string;
}

export function deviceType(given: string): DeviceTypeName | undefined {
  const name = ALIASES.get(given) ?? given;
  for (const family of DEVICE_FAMILIES) {
    if (name === family.name) return { name, family, variant: '' };
    for (const variant of family.variants) {
      if (name === family.name + variant) return { name, family, variant };
    }
  }
  return undefined;
}
