import type { Diagnostics } from '../core/diagnostics.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import type { Msix } from '../pci/msix.ts';
import {
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_F_RING_RESET,
  VIRTIO_MSI_NO_VECTOR,
  VIRTIO_QUEUE_MAX,
} from './abi.ts';
import type { VirtioDevice } from './device.ts';
import { hasFeature } from './features.ts';

/** What the register files ask of the function they belong to. */
export interface TransportHost {
  /** Byte order of the CPU that is accessing now. */
  readonly cpuOrder: 'little' | 'big';
  readonly diagnostics: Diagnostics;
  readonly msix: Msix | undefined;
  /** The level of the device's INTx line. */
  setIntx(asserted: boolean): void;
  /** Sets PCI_COMMAND bit 2 behind the driver's back, for legacy drivers that never do. */
  enableBusMaster(): void;
}

/** Per queue: size, enabled, then low and high halves of the three addresses. */
const WORDS = 8;
const SIZE = 0;
const ENABLED = 1;
export const DESCRIPTORS_LOW = 2;
export const DESCRIPTORS_HIGH = 3;
export const DRIVER_LOW = 4;
export const DRIVER_HIGH = 5;
export const DEVICE_LOW = 6;
export const DEVICE_HIGH = 7;

/**
 * What both interfaces of a virtio PCI function share: vectors, interrupts, reset, and the words that the function
 * itself keeps beside its device (QEMU's VirtIOPCIProxy, hw/virtio/virtio-pci.c).
 */
export class Transport implements Stateful {
  readonly device: VirtioDevice;
  readonly host: TransportHost;
  /** device_feature_select, driver_feature_select and both written words: no reset touches them in QEMU. */
  deviceFeatureSelect = 0;
  driverFeatureSelect = 0;
  readonly driverFeatures: Uint32Array<ArrayBuffer> = new Uint32Array(2);
  readonly #words: Uint32Array<ArrayBuffer> = new Uint32Array(VIRTIO_QUEUE_MAX * WORDS);
  /** No queue from here on was ever written: resets and snapshots go no further. */
  #touched = 0;

  constructor(device: VirtioDevice, host: TransportHost) {
    this.device = device;
    this.host = host;
  }

  word(queue: number, which: number): number {
    return this.#words[queue * WORDS + which] ?? 0;
  }

  setWord(queue: number, which: number, value: number): void {
    if (queue >= this.#touched) this.#touched = queue + 1;
    this.#words[queue * WORDS + which] = value;
  }

  /** Whether the registers of a queue keep their values. */
  #isLocked(queue: number): boolean {
    return !this.device.behaviour.changesLiveQueues && this.enabled(queue) !== 0;
  }

  /** A kick through the modern interface. */
  notifyQueue(queue: number, doorbell: boolean): void {
    const { device } = this;
    const running = (device.status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0;
    if (running || device.behaviour.servesBeforeDriverOk) device.notifyQueue(queue, doorbell);
  }

  /** One half of one of a queue's addresses. */
  setAddress(queue: number, which: number, value: number): void {
    if (!this.#isLocked(queue)) this.setWord(queue, which, value);
  }

  /** queue_enable as it reads back. */
  enabled(queue: number): number {
    return this.word(queue, ENABLED);
  }

  setSize(queue: number, size: number): void {
    if (this.#isLocked(queue)) return;
    this.setWord(queue, SIZE, size & 0xffff);
    this.device.setQueueSize(queue, size & 0xffff);
  }

  /** The size written last is applied again, then the three addresses are handed over. */
  enable(queue: number): void {
    if (this.#isLocked(queue)) return;
    this.device.setQueueSize(queue, this.word(queue, SIZE));
    this.device.setQueueRings(
      queue,
      this.#address(queue, DESCRIPTORS_LOW),
      this.#address(queue, DRIVER_LOW),
      this.#address(queue, DEVICE_LOW),
    );
    this.setWord(queue, ENABLED, 1);
  }

  /** RING_RESET of one queue: in QEMU the addresses keep standing in their registers. */
  resetQueue(queue: number): void {
    const { behaviour, guestFeatures } = this.device;
    if (!behaviour.resetsQueuesUnasked && !hasFeature(guestFeatures, VIRTIO_F_RING_RESET)) return;
    this.device.resetQueue(queue);
    this.setWord(queue, ENABLED, 0);
    if (!behaviour.keepsAddressesOverQueueReset) {
      for (let which = SIZE; which < WORDS; which++) this.setWord(queue, which, 0);
    }
  }

  /** A vector register takes a vector of the table; anything else becomes "none". */
  setConfigVector(value: number): void {
    this.device.setConfigVector(this.#exchangeVector(this.device.configVector, value));
  }

  setQueueVector(queue: number, value: number): void {
    this.device.setQueueVector(queue, this.#exchangeVector(this.device.queueVector(queue), value));
  }

  /** A status write, by either interface: 0 resets device and function. */
  setStatus(value: number): void {
    this.device.setStatus(value & 0xff);
    if (this.device.status === 0) this.reset();
  }

  /** ISR is cleared by reading it, and the line falls. */
  takeIsr(): number {
    const isr = this.device.isr;
    this.device.isr = 0;
    this.host.setIntx(false);
    return isr;
  }

  /** The driver's reset: by status 0, or by queue address 0 on the legacy interface. */
  reset(): void {
    this.resetTo(this.host.cpuOrder);
  }

  /** Device and queue words; in QEMU feature selectors and written features stay. */
  resetTo(order: 'little' | 'big'): void {
    if (!this.device.behaviour.keepsFeaturesOverReset) {
      this.deviceFeatureSelect = 0;
      this.driverFeatureSelect = 0;
      this.driverFeatures.fill(0);
    }
    this.device.reset(order);
    this.host.msix?.releaseAll();
    this.#words.fill(0, 0, this.#touched * WORDS);
    this.#touched = 0;
  }

  exchange(state: StateStream): void {
    this.deviceFeatureSelect = state.u32(this.deviceFeatureSelect);
    this.driverFeatureSelect = state.u32(this.driverFeatureSelect);
    this.driverFeatures[0] = state.u32(this.driverFeatures[0] ?? 0);
    this.driverFeatures[1] = state.u32(this.driverFeatures[1] ?? 0);
    const before = this.#touched;
    this.#touched = state.u16(this.#touched);
    if (state.restoring) this.#words.fill(0, 0, before * WORDS);
    for (let i = 0; i < this.#touched * WORDS; i++) this.#words[i] = state.u32(this.#words[i] ?? 0);
  }

  #address(queue: number, low: number): bigint {
    return (BigInt(this.word(queue, low + 1)) << 32n) | BigInt(this.word(queue, low));
  }

  #exchangeVector(before: number, value: number): number {
    const msix = this.host.msix;
    if (before !== VIRTIO_MSI_NO_VECTOR) msix?.release(before);
    if (msix === undefined || value >= msix.vectors) return VIRTIO_MSI_NO_VECTOR;
    msix.use(value);
    return value;
  }
}
