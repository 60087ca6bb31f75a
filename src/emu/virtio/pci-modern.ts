import { ANY_WIDTH, RegionContainer, truncate, type Region, type RegionPart } from '../memory/region.ts';
import { pow2ceil } from '../pci/msix.ts';
import {
  VIRTIO_F_NOTIFICATION_DATA,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_PCI_CAP_COMMON_CFG,
  VIRTIO_PCI_CAP_DEVICE_CFG,
  VIRTIO_PCI_CAP_ISR_CFG,
  VIRTIO_PCI_CAP_NOTIFY_CFG,
  VIRTIO_PCI_COMMON_CFGGENERATION,
  VIRTIO_PCI_COMMON_DF,
  VIRTIO_PCI_COMMON_DFSELECT,
  VIRTIO_PCI_COMMON_GF,
  VIRTIO_PCI_COMMON_GFSELECT,
  VIRTIO_PCI_COMMON_MSIX,
  VIRTIO_PCI_COMMON_NUMQ,
  VIRTIO_PCI_COMMON_Q_AVAILHI,
  VIRTIO_PCI_COMMON_Q_AVAILLO,
  VIRTIO_PCI_COMMON_Q_DESCHI,
  VIRTIO_PCI_COMMON_Q_DESCLO,
  VIRTIO_PCI_COMMON_Q_ENABLE,
  VIRTIO_PCI_COMMON_Q_MSIX,
  VIRTIO_PCI_COMMON_Q_NOFF,
  VIRTIO_PCI_COMMON_Q_RESET,
  VIRTIO_PCI_COMMON_Q_SELECT,
  VIRTIO_PCI_COMMON_Q_SIZE,
  VIRTIO_PCI_COMMON_Q_USEDHI,
  VIRTIO_PCI_COMMON_Q_USEDLO,
  VIRTIO_PCI_COMMON_STATUS,
  VIRTIO_QUEUE_MAX,
} from './abi.ts';
import { hasFeature } from './features.ts';
import {
  DESCRIPTORS_HIGH,
  DESCRIPTORS_LOW,
  DEVICE_HIGH,
  DEVICE_LOW,
  DRIVER_HIGH,
  DRIVER_LOW,
  type Transport,
} from './transport.ts';

/** Each of common, ISR and device configuration has a page of the BAR, in this order; notification follows. */
const STRUCTURE_BYTES = 0x1000;
const NOTIFY_OFFSET = 0x3000;
/** Bytes between two notification addresses, plain and with `page-per-vq=on`. */
const NOTIFY_STEP = 4;
const NOTIFY_STEP_PAGE = 0x1000;
const PIO_NOTIFY_BYTES = 4;

/** A modern structure as its capability describes it. */
export interface ModernStructure {
  readonly type: number;
  readonly offset: number;
  readonly region: Region;
}

/** The regions of the modern interface (VIRTIO 1.3, 4.1.4; QEMU hw/virtio/virtio-pci.c). */
export class ModernInterface {
  /** In the order of their capabilities: common, ISR, device, notify. */
  readonly structures: readonly ModernStructure[];
  /** The memory BAR that holds them all. */
  readonly bar: Region;
  /** The I/O BAR of `modern-pio-notify=on`. */
  readonly pioBar: Region;
  /** notify_off_multiplier. */
  readonly notifyStep: number;

  constructor(transport: Transport, pagePerQueue: boolean) {
    const name = transport.device.name;
    this.notifyStep = pagePerQueue ? NOTIFY_STEP_PAGE : NOTIFY_STEP;
    const notify = new NotifyRegion(`virtio-pci-notify-${name}`, transport, this.notifyStep);
    const structure = (type: number, offset: number, region: Region): ModernStructure => ({
      type,
      offset,
      region,
    });
    this.structures = [
      structure(VIRTIO_PCI_CAP_COMMON_CFG, 0, new CommonRegion(`virtio-pci-common-${name}`, transport)),
      structure(VIRTIO_PCI_CAP_ISR_CFG, STRUCTURE_BYTES, new IsrRegion(`virtio-pci-isr-${name}`, transport)),
      structure(
        VIRTIO_PCI_CAP_DEVICE_CFG,
        2 * STRUCTURE_BYTES,
        new DeviceRegion(`virtio-pci-device-${name}`, transport),
      ),
      structure(VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY_OFFSET, notify),
    ];
    this.bar = new RegionContainer('virtio-pci', pow2ceil(NOTIFY_OFFSET + notify.size), this.structures);
    const pio: RegionPart = {
      offset: 0,
      region: new PioNotifyRegion(`virtio-pci-notify-pio-${name}`, transport),
    };
    this.pioBar = new RegionContainer('virtio-pci-io', PIO_NOTIFY_BYTES, [pio]);
  }

  /** The structure that holds all of [offset, offset + length) of the memory BAR. */
  find(offset: number, length: number): ModernStructure | undefined {
    for (const structure of this.structures) {
      if (offset >= structure.offset && offset + length <= structure.offset + structure.region.size)
        return structure;
    }
    return undefined;
  }
}

/**
 * Common configuration. Only an access that starts at a register's offset reaches it, whatever its width: reads are
 * cut to the width, writes are zero-extended.
 */
class CommonRegion implements Region {
  readonly access = ANY_WIDTH;
  readonly size = STRUCTURE_BYTES;
  readonly name: string;
  readonly #transport: Transport;
  /** The offer in two words, and what it was computed from. */
  #offeredFrom = 0n;
  #offeredLow = 0;
  #offeredHigh = 0;

  constructor(name: string, transport: Transport) {
    this.name = name;
    this.#transport = transport;
  }

  read(offset: number, width: 1 | 2 | 4): number {
    return truncate(this.#register(offset), width);
  }

  write(offset: number, _width: 1 | 2 | 4, value: number): void {
    const transport = this.#transport;
    const device = transport.device;
    switch (offset) {
      case VIRTIO_PCI_COMMON_DFSELECT:
        transport.deviceFeatureSelect = value;
        break;
      case VIRTIO_PCI_COMMON_GFSELECT:
        transport.driverFeatureSelect = value;
        break;
      case VIRTIO_PCI_COMMON_GF:
        this.#writeFeatures(value);
        break;
      case VIRTIO_PCI_COMMON_MSIX:
        transport.setConfigVector(value);
        break;
      case VIRTIO_PCI_COMMON_STATUS:
        transport.setStatus(value);
        break;
      case VIRTIO_PCI_COMMON_Q_SELECT:
        if (value < VIRTIO_QUEUE_MAX || !device.behaviour.keepsOldQueueSelected)
          device.queueSelect = value & 0xffff;
        break;
      default:
        if (device.queueSelect < VIRTIO_QUEUE_MAX) this.#writeQueue(offset, device.queueSelect, value);
    }
  }

  #writeQueue(offset: number, queue: number, value: number): void {
    const transport = this.#transport;
    switch (offset) {
      case VIRTIO_PCI_COMMON_Q_SIZE:
        transport.setSize(queue, value);
        break;
      case VIRTIO_PCI_COMMON_Q_MSIX:
        transport.setQueueVector(queue, value);
        break;
      case VIRTIO_PCI_COMMON_Q_ENABLE:
        if (value === 1) transport.enable(queue);
        else transport.device.fail(`wrong value for queue_enable ${value.toString(16)}`);
        break;
      case VIRTIO_PCI_COMMON_Q_DESCLO:
        transport.setAddress(queue, DESCRIPTORS_LOW, value);
        break;
      case VIRTIO_PCI_COMMON_Q_DESCHI:
        transport.setAddress(queue, DESCRIPTORS_HIGH, value);
        break;
      case VIRTIO_PCI_COMMON_Q_AVAILLO:
        transport.setAddress(queue, DRIVER_LOW, value);
        break;
      case VIRTIO_PCI_COMMON_Q_AVAILHI:
        transport.setAddress(queue, DRIVER_HIGH, value);
        break;
      case VIRTIO_PCI_COMMON_Q_USEDLO:
        transport.setAddress(queue, DEVICE_LOW, value);
        break;
      case VIRTIO_PCI_COMMON_Q_USEDHI:
        transport.setAddress(queue, DEVICE_HIGH, value);
        break;
      case VIRTIO_PCI_COMMON_Q_RESET:
        if (value === 1) transport.resetQueue(queue);
        break;
      default:
    }
  }

  #writeFeatures(value: number): void {
    const transport = this.#transport;
    const select = transport.driverFeatureSelect;
    if (select > 1) return;
    const { behaviour, status } = transport.device;
    if (!behaviour.echoesIgnoredFeatures && (status & VIRTIO_CONFIG_S_FEATURES_OK) !== 0) return;
    const features = transport.driverFeatures;
    features[select] = value;
    transport.device.setFeatures((BigInt(features[1] ?? 0) << 32n) | BigInt(features[0] ?? 0));
  }

  #register(offset: number): number {
    const transport = this.#transport;
    const device = transport.device;
    switch (offset) {
      case VIRTIO_PCI_COMMON_DFSELECT:
        return transport.deviceFeatureSelect;
      case VIRTIO_PCI_COMMON_DF:
        return this.#offered();
      case VIRTIO_PCI_COMMON_GFSELECT:
        return transport.driverFeatureSelect;
      case VIRTIO_PCI_COMMON_GF:
        return transport.driverFeatureSelect > 1
          ? 0
          : (transport.driverFeatures[transport.driverFeatureSelect] ?? 0);
      case VIRTIO_PCI_COMMON_MSIX:
        return device.configVector;
      case VIRTIO_PCI_COMMON_NUMQ:
        return device.queueCount;
      case VIRTIO_PCI_COMMON_STATUS:
        return device.status;
      case VIRTIO_PCI_COMMON_CFGGENERATION:
        return device.generation;
      case VIRTIO_PCI_COMMON_Q_SELECT:
        return device.queueSelect;
      default:
        return this.#queueRegister(offset, device.queueSelect);
    }
  }

  #queueRegister(offset: number, queue: number): number {
    const transport = this.#transport;
    switch (offset) {
      case VIRTIO_PCI_COMMON_Q_SIZE:
        return transport.device.queueSize(queue);
      case VIRTIO_PCI_COMMON_Q_MSIX:
        return transport.device.queueVector(queue);
      case VIRTIO_PCI_COMMON_Q_ENABLE:
        return transport.enabled(queue);
      case VIRTIO_PCI_COMMON_Q_NOFF:
        return queue;
      case VIRTIO_PCI_COMMON_Q_DESCLO:
        return transport.word(queue, DESCRIPTORS_LOW);
      case VIRTIO_PCI_COMMON_Q_DESCHI:
        return transport.word(queue, DESCRIPTORS_HIGH);
      case VIRTIO_PCI_COMMON_Q_AVAILLO:
        return transport.word(queue, DRIVER_LOW);
      case VIRTIO_PCI_COMMON_Q_AVAILHI:
        return transport.word(queue, DRIVER_HIGH);
      case VIRTIO_PCI_COMMON_Q_USEDLO:
        return transport.word(queue, DEVICE_LOW);
      case VIRTIO_PCI_COMMON_Q_USEDHI:
        return transport.word(queue, DEVICE_HIGH);
      default:
        // queue_reset has gone back to 0 by the time anybody can read it; queue_notify_data is not there in 7.2.
        return 0;
    }
  }

  #offered(): number {
    const { device, deviceFeatureSelect: select } = this.#transport;
    if (device.hostFeatures !== this.#offeredFrom) {
      this.#offeredFrom = device.hostFeatures;
      const shown = device.hostFeatures & ~device.legacyFeatures;
      this.#offeredLow = Number(shown & 0xffffffffn);
      this.#offeredHigh = Number((shown >> 32n) & 0xffffffffn);
    }
    if (select > 1) return 0;
    return select === 0 ? this.#offeredLow : this.#offeredHigh;
  }
}

/** ISR status: every byte of the page is the one register. */
class IsrRegion implements Region {
  readonly access = ANY_WIDTH;
  readonly size = STRUCTURE_BYTES;
  readonly name: string;
  readonly #transport: Transport;

  constructor(name: string, transport: Transport) {
    this.name = name;
    this.#transport = transport;
  }

  read(): number {
    return this.#transport.takeIsr();
  }

  write(): void {
    // Read-only.
  }
}

class DeviceRegion implements Region {
  readonly access = ANY_WIDTH;
  readonly size = STRUCTURE_BYTES;
  readonly name: string;
  readonly #transport: Transport;

  constructor(name: string, transport: Transport) {
    this.name = name;
    this.#transport = transport;
  }

  read(offset: number, width: 1 | 2 | 4): number {
    return truncate(this.#transport.device.configRead(offset, width), width);
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    this.#transport.device.configWrite(offset, width, value);
  }
}

/** A store kicks the queue whose slot it falls into; what is stored does not matter. */
class NotifyRegion implements Region {
  readonly access = ANY_WIDTH;
  readonly size: number;
  readonly name: string;
  readonly #transport: Transport;
  readonly #step: number;

  constructor(name: string, transport: Transport, step: number) {
    this.name = name;
    this.size = step * VIRTIO_QUEUE_MAX;
    this.#transport = transport;
    this.#step = step;
  }

  read(): number {
    return 0;
  }

  write(offset: number, width: 1 | 2 | 4): void {
    const queue = Math.floor(offset / this.#step);
    const doorbell = width === 2 && offset % this.#step === 0;
    if (queue < VIRTIO_QUEUE_MAX) this.#transport.notifyQueue(queue, doorbell);
  }
}

/** The I/O BAR: the value names the queue. */
class PioNotifyRegion implements Region {
  readonly access = ANY_WIDTH;
  readonly size = PIO_NOTIFY_BYTES;
  readonly name: string;
  readonly #transport: Transport;

  constructor(name: string, transport: Transport) {
    this.name = name;
    this.#transport = transport;
  }

  read(): number {
    return 0;
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    // With NOTIFICATION_DATA the upper half says how far the driver has come (2.9).
    const { guestFeatures } = this.#transport.device;
    const queue = hasFeature(guestFeatures, VIRTIO_F_NOTIFICATION_DATA) ? value & 0xffff : value;
    if (queue < VIRTIO_QUEUE_MAX) this.#transport.notifyQueue(queue, width === 2 && offset === 0);
  }
}
