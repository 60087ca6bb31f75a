import {
  VIRTIO_MSI_CONFIG_VECTOR,
  VIRTIO_MSI_QUEUE_VECTOR,
  VIRTIO_PCI_CONFIG_OFF,
  VIRTIO_PCI_CONFIG_OFF_MSIX,
  VIRTIO_PCI_GUEST_FEATURES,
  VIRTIO_PCI_HOST_FEATURES,
  VIRTIO_PCI_ISR,
  VIRTIO_PCI_QUEUE_ADDR_SHIFT,
  VIRTIO_PCI_QUEUE_NOTIFY,
  VIRTIO_PCI_QUEUE_NUM,
  VIRTIO_PCI_QUEUE_PFN,
  VIRTIO_PCI_QUEUE_SEL,
  VIRTIO_PCI_STATUS,
} from '../virtio/abi.ts';
import { PCI_COMMAND_IO, PCI_COMMAND_MASTER, PCI_COMMAND_MEMORY, PCI_REVISION_ID } from '../pci/abi.ts';
import type { DeviceAccess } from './calls.ts';
import type { GuestFunction } from './pci.ts';
import type { RingPlace } from './rings.ts';
import type { DriverTransport, ProbeResult } from './transport.ts';

const LEGACY_ID_FIRST = 0x1000;
const LEGACY_ID_LAST = 0x103f;

/**
 * The legacy interface as drivers from 2.6.25 on use it (drivers/virtio/virtio_pci.c, today virtio_pci_legacy.c):
 * registers in BAR 0's I/O space, a ring by page frame, 32 feature bits.
 */
export class LegacyTransport implements DriverTransport {
  readonly legacy = true;
  readonly #access: DeviceAccess;
  #base = 0;
  #config = VIRTIO_PCI_CONFIG_OFF;

  constructor(access: DeviceAccess) {
    this.#access = access;
  }

  probe(found: GuestFunction): ProbeResult {
    if (found.device < LEGACY_ID_FIRST || found.device > LEGACY_ID_LAST) return 'ENODEV';
    found.revision = found.read(PCI_REVISION_ID, 1);
    if (found.revision !== 0) return 'ENODEV-ABI';
    const base = found.bars[0] ?? 0;
    if (base === 0 || found.barIsIo[0] !== 1) return 'ENOMEM';
    found.enable(PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    found.enable(PCI_COMMAND_MASTER);
    this.#base = base;
    this.#config = VIRTIO_PCI_CONFIG_OFF;
    return 'bound';
  }

  reset(): boolean {
    this.setStatus(0);
    // The read flushes the write, and the interrupt that may be under way. Linux does not look at what it gives.
    this.status();
    return true;
  }

  status(): number {
    return this.#access.read(this.#base + VIRTIO_PCI_STATUS, 1);
  }

  setStatus(value: number): void {
    this.#access.write(this.#base + VIRTIO_PCI_STATUS, 1, value);
  }

  deviceFeatures(word: number): number {
    return word === 0 ? this.#access.read(this.#base + VIRTIO_PCI_HOST_FEATURES, 4) : 0;
  }

  acceptFeatures(word: number, value: number): void {
    if (word === 0) this.#access.write(this.#base + VIRTIO_PCI_GUEST_FEATURES, 4, value);
  }

  queueSize(queue: number): number {
    this.#select(queue);
    const size = this.#access.read(this.#base + VIRTIO_PCI_QUEUE_NUM, 2);
    // A queue that has an address already belongs to somebody.
    if (size === 0 || this.#access.read(this.#base + VIRTIO_PCI_QUEUE_PFN, 4) !== 0) return 0;
    return size;
  }

  setQueue(queue: number, _writer: RingPlace, high: number, low: number): boolean {
    if (high !== 0) return false;
    this.#select(queue);
    this.#access.write(this.#base + VIRTIO_PCI_QUEUE_PFN, 4, low >>> VIRTIO_PCI_QUEUE_ADDR_SHIFT);
    return true;
  }

  resetQueue(): boolean {
    return false;
  }

  enableQueue(): void {
    // The page frame number was that.
  }

  setConfigVector(vector: number): number {
    this.#access.write(this.#base + VIRTIO_MSI_CONFIG_VECTOR, 2, vector);
    return this.#access.read(this.#base + VIRTIO_MSI_CONFIG_VECTOR, 2);
  }

  setQueueVector(queue: number, vector: number): number {
    this.#select(queue);
    this.#access.write(this.#base + VIRTIO_MSI_QUEUE_VECTOR, 2, vector);
    return this.#access.read(this.#base + VIRTIO_MSI_QUEUE_VECTOR, 2);
  }

  msixEnabled(enabled: boolean): void {
    this.#config = enabled ? VIRTIO_PCI_CONFIG_OFF_MSIX : VIRTIO_PCI_CONFIG_OFF;
  }

  notify(queue: number): void {
    this.#access.write(this.#base + VIRTIO_PCI_QUEUE_NOTIFY, 2, queue);
  }

  isr(): number {
    return this.#access.read(this.#base + VIRTIO_PCI_ISR, 1);
  }

  config8(offset: number): number {
    return this.#access.read(this.#base + this.#config + offset, 1);
  }

  setConfig32(offset: number, value: number): void {
    const at = this.#base + this.#config + offset;
    for (let i = 0; i < 4; i++) this.#access.write(at + i, 1, (value >>> (8 * i)) & 0xff);
  }

  #select(queue: number): void {
    this.#access.write(this.#base + VIRTIO_PCI_QUEUE_SEL, 2, queue);
  }
}
