import type { Stateful } from '../core/state.ts';
import type { Behaviour } from './behaviour.ts';

/** Byte order of a guest, latched when it resets a device: it rules legacy rings and legacy configuration. */
export type ByteOrder = 'little' | 'big';

/**
 * What a transport sees of a device: QEMU's VirtIODevice (hw/virtio/virtio.c). Queue numbers reach here unchecked;
 * a queue that is not there answers size 0 and swallows writes.
 */
export interface VirtioDevice extends Stateful {
  /** Device type of the specification (1 net, 2 blk, 4 entropy …). */
  readonly virtioId: number;
  /** `virtio-blk` and the like. */
  readonly name: string;
  readonly behaviour: Behaviour;
  /** Bytes of device configuration (QEMU's config_len). */
  readonly configLength: number;

  /** Everything offered; the transport adds its bits (VERSION_1, bit 30, ACCESS_PLATFORM) before the first reset. */
  hostFeatures: bigint;
  readonly guestFeatures: bigint;
  /** Bits offered only through the legacy interface (QEMU's legacy_features). */
  readonly legacyFeatures: bigint;
  /** What a legacy driver gets that accepts bit 30 (QEMU's bad_features). */
  readonly badFeatures: bigint;

  readonly status: number;
  isr: number;
  queueSelect: number;
  readonly generation: number;
  readonly configVector: number;
  readonly broken: boolean;
  /** Set while the function has no bus mastering (machines from 5.0 on). */
  disabled: boolean;
  readonly started: boolean;
  readonly startOnKick: boolean;
  readonly order: ByteOrder;

  /** False if the write was refused whole. */
  setStatus(value: number): boolean;
  /** `set_features`: masked by what is offered. False after FEATURES_OK. */
  setFeatures(value: bigint): boolean;
  /** Device reset; `order` is that of the CPU that caused it, big for a machine reset. */
  reset(order: ByteOrder): void;
  setConfigVector(vector: number): void;

  /** Index of the highest queue with a size, plus one. */
  readonly queueCount: number;
  queueSize(queue: number): number;
  queueDefaultSize(queue: number): number;
  /** 1 … 1024 on a queue that is there; anything else is ignored. */
  setQueueSize(queue: number, size: number): void;
  queueVector(queue: number): number;
  setQueueVector(queue: number, vector: number): void;
  /** Legacy: page frame of the ring's one block, in units of 4096 bytes. */
  queueFrame(queue: number): number;
  setQueueFrame(queue: number, frame: number): void;
  /** Modern: where the three areas lie; maps them (complaints go to diagnostics). */
  setQueueRings(queue: number, descriptors: bigint, driver: bigint, device: bigint): void;
  /** RING_RESET of one queue. */
  resetQueue(queue: number): void;
  /**
   * The driver's notification. `doorbell`: by a store of 16 bits to the very address of the queue, which ioeventfd
   * listens at; any other that reaches the queue is served inside the store.
   */
  notifyQueue(queue: number, doorbell?: boolean): void;

  /** Device configuration through the legacy interface (guest-native order) … */
  legacyConfigRead(offset: number, width: 1 | 2 | 4): number;
  legacyConfigWrite(offset: number, width: 1 | 2 | 4, value: number): void;
  /** … and through the modern one (little-endian once VERSION_1 is accepted). */
  configRead(offset: number, width: 1 | 2 | 4): number;
  configWrite(offset: number, width: 1 | 2 | 4, value: number): void;

  /** `virtio_error`: says the text, marks the device broken, raises DEVICE_NEEDS_RESET where VERSION_1 was accepted. */
  fail(text: string): void;
}

/** What a device asks of its transport. */
export interface VirtioTransport {
  /** `virtio_notify_vector`: the device has set its ISR already; 0xffff is no vector. */
  notify(vector: number): void;
  /** `vdev` started or stopped serving without a status write; legacy drivers that skip DRIVER_OK rely on it. */
  readonly canDma: boolean;
}
