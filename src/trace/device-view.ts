import type { MachineEvent } from '../emu/core/tap.ts';
import { MSR_LE } from '../emu/papr/abi.ts';
import * as virtio from '../emu/virtio/abi.ts';
import type { RecordedKind } from './event-context.ts';
import { deviceName } from './last-writers.ts';
import { rtasName } from './names.ts';

/** Where a queue's three areas lie, as the driver told the device. */
export interface QueueAreas {
  size: number;
  descriptors: bigint;
  available: bigint;
  used: bigint;
  /** Byte order of the ring: a legacy queue is laid out as the CPU stood when it was set up. */
  bigEndian: boolean;
}

interface DeviceSeen {
  readonly requester: number;
  /** Base by BAR number, type bits cleared. */
  readonly bars: bigint[];
  readonly queues: Map<number, QueueAreas>;
  /** Sizes that the driver was told, by queue. */
  readonly offered: Map<number, number>;
  selected: number;
}

/** What an access or a DMA turns out to be. */
export interface Meaning {
  readonly device: number;
  /** `08:… common.queue_select`, `queue 0 descriptor 3`. */
  readonly text: string;
  readonly queue: number | undefined;
}

/** QEMU's layout of the modern BAR (hw/virtio/virtio-pci.c, virtio_pci_modern_regions_init). */
const MODERN_BAR = 4;
const REGION_BYTES = 0x1000;
const REGIONS = ['common', 'isr', 'device', 'notify'];
const NOTIFY_MULTIPLIER = 4;
const MODERN_BYTES = 0x4000n;
const LEGACY_BYTES = 0x80n;
const MSIX_BAR = 1;
const MSIX_BYTES = 0x1000n;
/** The 32-bit window is moved by whole multiples of this between the CPU's and the bus's addresses. */
const WINDOW_MASK = (1n << 31n) - 1n;

const COMMON: Readonly<Record<number, string>> = namesOf('VIRTIO_PCI_COMMON_');
const LEGACY: Readonly<Record<number, string>> = {
  [virtio.VIRTIO_PCI_HOST_FEATURES]: 'host_features',
  [virtio.VIRTIO_PCI_GUEST_FEATURES]: 'guest_features',
  [virtio.VIRTIO_PCI_QUEUE_PFN]: 'queue_pfn',
  [virtio.VIRTIO_PCI_QUEUE_NUM]: 'queue_num',
  [virtio.VIRTIO_PCI_QUEUE_SEL]: 'queue_sel',
  [virtio.VIRTIO_PCI_QUEUE_NOTIFY]: 'queue_notify',
  [virtio.VIRTIO_PCI_STATUS]: 'status',
  [virtio.VIRTIO_PCI_ISR]: 'isr',
  [virtio.VIRTIO_MSI_CONFIG_VECTOR]: 'config_vector_or_device',
  [virtio.VIRTIO_MSI_QUEUE_VECTOR]: 'queue_vector_or_device',
};

function namesOf(prefix: string): Record<number, string> {
  const named = Object.entries(virtio).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(named.map(([name, value]) => [value, name.slice(prefix.length).toLowerCase()]));
}

const DESCRIPTOR_BYTES = 16n;

/**
 * What a recording lets one know about the devices without having them: BARs from the configuration writes, queues
 * from the register writes. Events are shown in order; a question is about the moment reached.
 */
export class DeviceView {
  readonly #names: readonly string[];
  readonly #devices = new Map<number, DeviceSeen>();
  #bigEndian = true;
  /** The device whose queue size is being read. */
  #sizeOf: DeviceSeen | undefined;

  constructor(kinds: readonly RecordedKind[]) {
    this.#names = kinds.map((kind) => kind.name);
  }

  see(event: MachineEvent): void {
    const fields = event.fields;
    switch (this.#names[event.kind]) {
      case 'rtas':
        this.#configWrite(fields);
        break;
      case 'mmio-write':
        this.#registerWrite(fields[0] ?? 0n, Number(fields[1]), fields[3] ?? 0n, false);
        break;
      case 'pio-write':
        this.#registerWrite(fields[0] ?? 0n, Number(fields[1]), fields[3] ?? 0n, true);
        break;
      case 'mmio-read':
        this.#sizeOf = this.#sizeRead(fields[0] ?? 0n, false);
        break;
      case 'pio-read':
        this.#sizeOf = this.#sizeRead(fields[0] ?? 0n, true);
        break;
      case 'read-value':
        this.#sizeOf?.offered.set(this.#sizeOf.selected, Number((fields[0] ?? 0n) & 0xffffn));
        this.#sizeOf = undefined;
        break;
      case 'cpu-mode':
        this.#bigEndian = ((fields[1] ?? 0n) & MSR_LE) === 0n;
        break;
      case 'machine-reset':
        this.#devices.clear();
        break;
      default:
        break;
    }
  }

  /** The register at a CPU address, or at a port. */
  register(address: bigint, isPort: boolean): Meaning | undefined {
    for (const device of this.#devices.values()) {
      const modern = within(device.bars[MODERN_BAR], address, MODERN_BYTES);
      if (modern !== undefined && !isPort) return modernMeaning(device, modern);
      const msix = within(device.bars[MSIX_BAR], address, MSIX_BYTES);
      if (msix !== undefined && !isPort) return meaning(device, `msix+0x${msix.toString(16)}`, undefined);
      const legacy = within(device.bars[0], address, LEGACY_BYTES);
      if (legacy !== undefined && isPort) return legacyMeaning(device, legacy);
    }
    return undefined;
  }

  /** What a device reads or writes at an address of its own. */
  area(requester: number, address: bigint): Meaning | undefined {
    const device = this.#devices.get(requester);
    if (device === undefined) return undefined;
    for (const [index, queue] of device.queues) {
      const text = areaText(queue, address);
      if (text !== undefined) return meaning(device, `queue ${index} ${text}`, index);
    }
    return undefined;
  }

  /** The areas of a queue, if the driver has set it up. */
  queue(requester: number, index: number): QueueAreas | undefined {
    return this.#devices.get(requester)?.queues.get(index);
  }

  #configWrite(fields: BigUint64Array): void {
    const name = rtasName(fields[0] ?? 0n);
    const ibm = name === 'ibm,write-pci-config';
    if (!ibm && name !== 'write-pci-config') return;
    const where = Number(fields[3] ?? 0n);
    const size = Number(fields[ibm ? 6 : 4] ?? 0n);
    const value = fields[ibm ? 7 : 5] ?? 0n;
    const register = (where & 0xff) | ((where >>> 20) & 0xf00);
    if (size !== 4 || register < 0x10 || register > 0x24 || value === 0xffffffffn) return;
    const device = this.#device((where >>> 8) & 0xffff);
    const bar = (register - 0x10) >> 2;
    const below = device.bars[bar - 1];
    // The upper half of a 64-bit BAR lands beside the lower one: its low bits said so.
    if (below !== undefined && (bar === 5 || bar === 3)) device.bars[bar - 1] = below | (value << 32n);
    else device.bars[bar] = value & ~((value & 1n) !== 0n ? 3n : 15n);
  }

  #sizeRead(address: bigint, isPort: boolean): DeviceSeen | undefined {
    for (const device of this.#devices.values()) {
      const size = isPort
        ? within(device.bars[0], address, LEGACY_BYTES) === virtio.VIRTIO_PCI_QUEUE_NUM
        : within(device.bars[MODERN_BAR], address, MODERN_BYTES) === virtio.VIRTIO_PCI_COMMON_Q_SIZE;
      if (size) return device;
    }
    return undefined;
  }

  #registerWrite(address: bigint, width: number, value: bigint, isPort: boolean): void {
    for (const device of this.#devices.values()) {
      const modern = isPort ? undefined : within(device.bars[MODERN_BAR], address, MODERN_BYTES);
      if (modern !== undefined && modern < REGION_BYTES) commonWrite(device, modern, width, value);
      const legacy = isPort ? within(device.bars[0], address, LEGACY_BYTES) : undefined;
      if (legacy === virtio.VIRTIO_PCI_QUEUE_SEL) device.selected = Number(value & 0xffffn);
      if (legacy === virtio.VIRTIO_PCI_QUEUE_PFN) legacyQueue(device, value, this.#bigEndian);
    }
  }

  #device(requester: number): DeviceSeen {
    let device = this.#devices.get(requester);
    if (device === undefined) {
      device = { requester, bars: [], queues: new Map(), offered: new Map(), selected: 0 };
      this.#devices.set(requester, device);
    }
    return device;
  }
}

/** QEMU's most usual size, for drivers that never looked. */
const USUAL_QUEUE_SIZE = 256;

function legacyQueue(device: DeviceSeen, pfn: bigint, bigEndian: boolean): void {
  if (pfn === 0n) {
    device.queues.delete(device.selected);
    return;
  }
  const descriptors = pfn << BigInt(virtio.VIRTIO_PCI_QUEUE_ADDR_SHIFT);
  const size = device.offered.get(device.selected) ?? USUAL_QUEUE_SIZE;
  const available = descriptors + DESCRIPTOR_BYTES * BigInt(size);
  const used = (available + 4n + 2n * BigInt(size) + 4095n) & ~4095n;
  device.queues.set(device.selected, { size, descriptors, available, used, bigEndian });
}

const QUEUE_ADDRESSES: Readonly<Record<number, readonly ['descriptors' | 'available' | 'used', bigint]>> = {
  [virtio.VIRTIO_PCI_COMMON_Q_DESCLO]: ['descriptors', 0n],
  [virtio.VIRTIO_PCI_COMMON_Q_DESCHI]: ['descriptors', 32n],
  [virtio.VIRTIO_PCI_COMMON_Q_AVAILLO]: ['available', 0n],
  [virtio.VIRTIO_PCI_COMMON_Q_AVAILHI]: ['available', 32n],
  [virtio.VIRTIO_PCI_COMMON_Q_USEDLO]: ['used', 0n],
  [virtio.VIRTIO_PCI_COMMON_Q_USEDHI]: ['used', 32n],
};

function commonWrite(device: DeviceSeen, offset: number, width: number, value: bigint): void {
  if (offset === virtio.VIRTIO_PCI_COMMON_Q_SELECT) device.selected = Number(value & 0xffffn);
  if (offset === virtio.VIRTIO_PCI_COMMON_STATUS && value === 0n) device.queues.clear();
  const queue = device.queues.get(device.selected) ?? {
    size: device.offered.get(device.selected) ?? USUAL_QUEUE_SIZE,
    descriptors: 0n,
    available: 0n,
    used: 0n,
    bigEndian: false,
  };
  if (offset === virtio.VIRTIO_PCI_COMMON_Q_SIZE) queue.size = Number(value & 0xffffn);
  const half = QUEUE_ADDRESSES[offset];
  if (half !== undefined) {
    const [area, shift] = half;
    const bits = width === 8 ? (1n << 64n) - 1n : 0xffffffffn << shift;
    queue[area] = (queue[area] & ~bits) | ((value << shift) & bits);
  }
  if (half !== undefined || offset === virtio.VIRTIO_PCI_COMMON_Q_SIZE)
    device.queues.set(device.selected, queue);
}

function areaText(queue: QueueAreas, address: bigint): string | undefined {
  const size = BigInt(queue.size);
  const descriptor = address - queue.descriptors;
  if (descriptor >= 0n && descriptor < DESCRIPTOR_BYTES * size)
    return `descriptor ${descriptor / DESCRIPTOR_BYTES}`;
  const available = address - queue.available;
  if (available === 0n) return 'avail.flags';
  if (available === 2n) return 'avail.idx';
  if (available > 2n && available < 4n + 2n * size) return `avail.ring[${(available - 4n) / 2n}]`;
  if (available === 4n + 2n * size) return 'avail.used_event';
  const used = address - queue.used;
  if (used === 0n) return 'used.flags';
  if (used === 2n) return 'used.idx';
  if (used > 2n && used < 4n + 8n * size) return `used.ring[${(used - 4n) / 8n}]`;
  if (used === 4n + 8n * size) return 'used.avail_event';
  return undefined;
}

function within(base: bigint | undefined, address: bigint, size: bigint): number | undefined {
  if (base === undefined || base === 0n) return undefined;
  const offset = (address & WINDOW_MASK) - (base & WINDOW_MASK);
  return offset >= 0n && offset < size ? Number(offset) : undefined;
}

function modernMeaning(device: DeviceSeen, offset: number): Meaning {
  const region = REGIONS[Math.floor(offset / REGION_BYTES)] ?? 'bar';
  const inside = offset % REGION_BYTES;
  if (region === 'common') {
    const name = COMMON[inside] ?? `0x${inside.toString(16)}`;
    return meaning(device, `common.${name}`, name.startsWith('q_') ? device.selected : undefined);
  }
  if (region === 'notify') {
    const queue = Math.floor(inside / NOTIFY_MULTIPLIER);
    return meaning(device, `notify queue ${queue}`, queue);
  }
  return meaning(device, `${region}+0x${inside.toString(16)}`, undefined);
}

function legacyMeaning(device: DeviceSeen, offset: number): Meaning {
  const name = LEGACY[offset] ?? `device+0x${(offset - virtio.VIRTIO_PCI_CONFIG_OFF).toString(16)}`;
  return meaning(device, `legacy.${name}`, name.startsWith('queue_') ? device.selected : undefined);
}

function meaning(device: DeviceSeen, text: string, queue: number | undefined): Meaning {
  return { device: device.requester, text: `${deviceName(device.requester)} ${text}`, queue };
}
