import { ANY_WIDTH, truncate, type Region } from '../memory/region.ts';
import {
  VIRTIO_CONFIG_S_ACKNOWLEDGE,
  VIRTIO_CONFIG_S_DRIVER,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_F_VERSION_1,
  VIRTIO_F_BAD_FEATURE,
  VIRTIO_MSI_CONFIG_VECTOR,
  VIRTIO_MSI_QUEUE_VECTOR,
  VIRTIO_PCI_CONFIG_OFF,
  VIRTIO_PCI_CONFIG_OFF_MSIX,
  VIRTIO_PCI_GUEST_FEATURES,
  VIRTIO_PCI_HOST_FEATURES,
  VIRTIO_PCI_ISR,
  VIRTIO_PCI_QUEUE_NOTIFY,
  VIRTIO_PCI_QUEUE_NUM,
  VIRTIO_PCI_QUEUE_PFN,
  VIRTIO_PCI_QUEUE_SEL,
  VIRTIO_PCI_STATUS,
  VIRTIO_QUEUE_MAX,
} from './abi.ts';
import { hasFeature } from './features.ts';
import type { Transport } from './transport.ts';

const BAD_FEATURE = 2 ** VIRTIO_F_BAD_FEATURE;
/** What an offset without a register reads as. */
const NOTHING = 0xffffffff;
const LOW_WORD = 0xffffffffn;

/**
 * The legacy interface in I/O space (VIRTIO 1.3, 4.1.4.10; QEMU hw/virtio/virtio-pci.c). Registers are little-endian
 * and hit only at their exact offset, whatever the width. Device configuration follows them in the guest's order, at
 * 20, or at 24 while MSI-X is enabled.
 */
export class LegacyInterface implements Region {
  readonly access: typeof ANY_WIDTH = ANY_WIDTH;
  readonly name: string = 'virtio-pci';
  readonly size: number;
  readonly #transport: Transport;

  constructor(transport: Transport, size: number) {
    this.size = size;
    this.#transport = transport;
  }

  read(offset: number, width: 1 | 2 | 4): number {
    const config = this.#configOffset();
    if (offset < config) return truncate(this.#register(offset), width);
    return truncate(this.#transport.device.legacyConfigRead(offset - config, width), width);
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    const { behaviour, status, guestFeatures } = this.#transport.device;
    const settled =
      (status & VIRTIO_CONFIG_S_FEATURES_OK) !== 0 && hasFeature(guestFeatures, VIRTIO_F_VERSION_1);
    if (settled && !behaviour.servesBothWindows) return;
    const config = this.#configOffset();
    if (offset < config) this.#writeRegister(offset, width, value);
    else this.#transport.device.legacyConfigWrite(offset - config, width, value);
  }

  #configOffset(): number {
    return this.#transport.host.msix?.enabled === true ? VIRTIO_PCI_CONFIG_OFF_MSIX : VIRTIO_PCI_CONFIG_OFF;
  }

  #writeRegister(offset: number, width: 1 | 2 | 4, value: number): void {
    const transport = this.#transport;
    const device = transport.device;
    switch (offset) {
      case VIRTIO_PCI_GUEST_FEATURES:
        // A driver that accepts bit 30 accepts whatever it sees: it gets the device's safe set instead.
        device.setFeatures((value & BAD_FEATURE) === 0 ? BigInt(value) : device.badFeatures & LOW_WORD);
        break;
      case VIRTIO_PCI_QUEUE_PFN:
        if (value === 0) transport.reset();
        else device.setQueueFrame(device.queueSelect, value);
        break;
      case VIRTIO_PCI_QUEUE_SEL:
        if (value < VIRTIO_QUEUE_MAX) device.queueSelect = value;
        break;
      case VIRTIO_PCI_QUEUE_NOTIFY:
        if (value < VIRTIO_QUEUE_MAX) device.notifyQueue(value, width === 2);
        break;
      case VIRTIO_PCI_STATUS:
        transport.setStatus(value);
        // Linux before 2.6.34 drives the device without ever enabling bus mastering.
        if (value === (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER))
          transport.host.enableBusMaster();
        break;
      case VIRTIO_MSI_CONFIG_VECTOR:
        transport.setConfigVector(value);
        break;
      case VIRTIO_MSI_QUEUE_VECTOR:
        transport.setQueueVector(device.queueSelect, value);
        break;
      default:
        this.#complain(offset, value);
    }
  }

  #register(offset: number): number {
    const device = this.#transport.device;
    switch (offset) {
      case VIRTIO_PCI_HOST_FEATURES:
        return Number(device.hostFeatures & LOW_WORD);
      case VIRTIO_PCI_GUEST_FEATURES:
        return Number(device.guestFeatures & LOW_WORD);
      case VIRTIO_PCI_QUEUE_PFN:
        return device.queueFrame(device.queueSelect);
      case VIRTIO_PCI_QUEUE_NUM:
        return device.queueSize(device.queueSelect);
      case VIRTIO_PCI_QUEUE_SEL:
        return device.queueSelect;
      case VIRTIO_PCI_STATUS:
        return device.status;
      case VIRTIO_PCI_ISR:
        return this.#transport.takeIsr();
      case VIRTIO_MSI_CONFIG_VECTOR:
        return device.configVector;
      case VIRTIO_MSI_QUEUE_VECTOR:
        return device.queueVector(device.queueSelect);
      default:
        return NOTHING;
    }
  }

  #complain(offset: number, value: number): void {
    const diagnostics = this.#transport.host.diagnostics;
    if (!diagnostics.listening) return;
    const where = `0x${offset.toString(16)} value 0x${value.toString(16)}`;
    diagnostics.say(`virtio_ioport_write: unexpected address ${where}`);
  }
}
