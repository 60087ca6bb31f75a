import {
  VIRTIO_PCI_CAP_COMMON_CFG,
  VIRTIO_PCI_CAP_DEVICE_CFG,
  VIRTIO_PCI_CAP_ISR_CFG,
  VIRTIO_PCI_CAP_NOTIFY_CFG,
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
} from '../virtio/abi.ts';
import { PCI_COMMAND_IO, PCI_COMMAND_MASTER, PCI_COMMAND_MEMORY } from '../pci/abi.ts';
import type { DeviceAccess } from './calls.ts';
import type { GuestFunction } from './pci.ts';
import type { RingPlace } from './rings.ts';
import type { DriverTransport, ProbeResult } from './transport.ts';

const ID_FIRST = 0x1000;
const ID_LAST = 0x107f;
/** Queues whose place in the notification area is remembered. */
const QUEUES_MAX = 64;
const DOORBELL_BYTES = 2;
/** A reset that takes longer is a device that is gone; QEMU's is done at once. */
const RESET_READS_MAX = 100;

/** What one kind of modern driver asks for beyond the rest. */
export interface ModernDemands {
  /** SLOF takes the modern interface only if a device configuration structure is there too (virtio_setup_vd). */
  readonly deviceConfig: boolean;
}

/**
 * The modern interface (VIRTIO 1.3, 4.1.4) in the order of drivers/virtio/virtio_pci_modern_dev.c: structures found by
 * capability, 64 feature bits, three addresses a queue.
 */
export class ModernTransport implements DriverTransport {
  readonly legacy = false;
  readonly #access: DeviceAccess;
  readonly #demands: ModernDemands;
  #common = 0;
  #isr = 0;
  #notify = 0;
  #device = 0;
  #multiplier = 0;
  #notifyBytes = 0;
  #deviceBytes = 0;
  readonly #doorbells: Float64Array = new Float64Array(QUEUES_MAX);

  constructor(access: DeviceAccess, demands: ModernDemands) {
    this.#access = access;
    this.#demands = demands;
  }

  probe(found: GuestFunction): ProbeResult {
    if (found.device < ID_FIRST || found.device > ID_LAST) return 'ENODEV';
    found.enable(PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    this.#common = found.structures[VIRTIO_PCI_CAP_COMMON_CFG]?.address ?? 0;
    this.#isr = found.structures[VIRTIO_PCI_CAP_ISR_CFG]?.address ?? 0;
    this.#notify = found.structures[VIRTIO_PCI_CAP_NOTIFY_CFG]?.address ?? 0;
    this.#device = found.structures[VIRTIO_PCI_CAP_DEVICE_CFG]?.address ?? 0;
    if (this.#demands.deviceConfig && this.#device === 0) return 'ENODEV';
    if (this.#common === 0) return 'ENODEV-COMMON';
    if (this.#isr === 0 || this.#notify === 0) return 'EINVAL';
    this.#multiplier = found.notifyMultiplier;
    this.#notifyBytes = found.structures[VIRTIO_PCI_CAP_NOTIFY_CFG]?.length ?? 0;
    this.#deviceBytes = found.structures[VIRTIO_PCI_CAP_DEVICE_CFG]?.length ?? 0;
    found.enable(PCI_COMMAND_MASTER);
    return 'bound';
  }

  reset(): boolean {
    this.setStatus(0);
    for (let reads = 0; reads < RESET_READS_MAX; reads++) if (this.status() === 0) return true;
    return false;
  }

  status(): number {
    return this.#access.read(this.#common + VIRTIO_PCI_COMMON_STATUS, 1);
  }

  setStatus(value: number): void {
    this.#access.write(this.#common + VIRTIO_PCI_COMMON_STATUS, 1, value);
  }

  deviceFeatures(word: number): number {
    this.#access.write(this.#common + VIRTIO_PCI_COMMON_DFSELECT, 4, word);
    return this.#access.read(this.#common + VIRTIO_PCI_COMMON_DF, 4);
  }

  acceptFeatures(word: number, value: number): void {
    this.#access.write(this.#common + VIRTIO_PCI_COMMON_GFSELECT, 4, word);
    this.#access.write(this.#common + VIRTIO_PCI_COMMON_GF, 4, value);
  }

  queueSize(queue: number): number {
    if (queue >= this.#access.read(this.#common + VIRTIO_PCI_COMMON_NUMQ, 2)) return 0;
    this.#select(queue);
    const size = this.#access.read(this.#common + VIRTIO_PCI_COMMON_Q_SIZE, 2);
    if (size === 0 || this.#access.read(this.#common + VIRTIO_PCI_COMMON_Q_ENABLE, 2) !== 0) return 0;
    return size;
  }

  setQueue(queue: number, writer: RingPlace, high: number, low: number): boolean {
    const access = this.#access;
    const common = this.#common;
    this.#select(queue);
    access.write(common + VIRTIO_PCI_COMMON_Q_SIZE, 2, writer.size);
    const avail = low + (writer.avail - writer.desc);
    const used = low + (writer.used - writer.desc);
    access.write(common + VIRTIO_PCI_COMMON_Q_DESCLO, 4, low);
    access.write(common + VIRTIO_PCI_COMMON_Q_DESCHI, 4, high);
    access.write(common + VIRTIO_PCI_COMMON_Q_AVAILLO, 4, avail);
    access.write(common + VIRTIO_PCI_COMMON_Q_AVAILHI, 4, high);
    access.write(common + VIRTIO_PCI_COMMON_Q_USEDLO, 4, used);
    access.write(common + VIRTIO_PCI_COMMON_Q_USEDHI, 4, high);
    const place = access.read(common + VIRTIO_PCI_COMMON_Q_NOFF, 2);
    // Linux: bad notification offset (vp_modern_map_vq_notify).
    if (place * this.#multiplier + DOORBELL_BYTES > this.#notifyBytes) return false;
    this.#doorbells[queue] = this.#notify + place * this.#multiplier;
    return true;
  }

  resetQueue(queue: number): boolean {
    const access = this.#access;
    this.#select(queue);
    access.write(this.#common + VIRTIO_PCI_COMMON_Q_RESET, 2, 1);
    for (let reads = 0; reads < RESET_READS_MAX; reads++) {
      const resetting = access.read(this.#common + VIRTIO_PCI_COMMON_Q_RESET, 2) !== 0;
      if (!resetting && access.read(this.#common + VIRTIO_PCI_COMMON_Q_ENABLE, 2) === 0) return true;
    }
    return false;
  }

  enableQueue(queue: number): void {
    this.#select(queue);
    this.#access.write(this.#common + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
  }

  setConfigVector(vector: number): number {
    this.#access.write(this.#common + VIRTIO_PCI_COMMON_MSIX, 2, vector);
    return this.#access.read(this.#common + VIRTIO_PCI_COMMON_MSIX, 2);
  }

  setQueueVector(queue: number, vector: number): number {
    this.#select(queue);
    this.#access.write(this.#common + VIRTIO_PCI_COMMON_Q_MSIX, 2, vector);
    return this.#access.read(this.#common + VIRTIO_PCI_COMMON_Q_MSIX, 2);
  }

  msixEnabled(): void {
    // The modern layout does not move.
  }

  notify(queue: number, place?: number): void {
    const doorbell = this.#doorbells[queue] ?? 0;
    if (place === undefined) this.#access.write(doorbell, 2, queue);
    else this.#access.write(doorbell, 4, ((place << 16) | queue) >>> 0);
  }

  isr(): number {
    return this.#access.read(this.#isr, 1);
  }

  config8(offset: number): number {
    // Where Linux stops with BUG_ON, a structure that is too short reads as what is not there.
    if (this.#device === 0 || offset >= this.#deviceBytes) return 0xff;
    return this.#access.read(this.#device + offset, 1);
  }

  setConfig32(offset: number, value: number): void {
    if (this.#device === 0 || offset + 4 > this.#deviceBytes) return;
    this.#access.write(this.#device + offset, 4, value);
  }

  #select(queue: number): void {
    this.#access.write(this.#common + VIRTIO_PCI_COMMON_Q_SELECT, 2, queue);
  }
}
