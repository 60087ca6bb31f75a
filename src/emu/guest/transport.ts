import type { GuestFunction } from './pci.ts';
import type { RingPlace } from './rings.ts';

/** A virtio device as the core of a driver sees it, whichever of the two register layouts it has. */
export interface DriverTransport {
  readonly legacy: boolean;
  /** Binds to a function whose registers this transport knows; otherwise says why not, as Linux would. */
  probe(found: GuestFunction): ProbeResult;
  /** Status 0, and waits until the device says that it is so; false if it never does. */
  reset(): boolean;
  status(): number;
  setStatus(value: number): void;
  /** Feature word 0 or 1; a legacy device has only word 0. */
  deviceFeatures(word: number): number;
  acceptFeatures(word: number, value: number): void;
  /** Entries of a queue; 0 if it is not there. */
  queueSize(queue: number): number;
  /**
   * Tells the device where a ring lies, in its own addresses: `low` is that of the descriptor table, the other areas
   * lie as the writer has them, in one block. False if the device did not take it.
   */
  setQueue(queue: number, writer: RingPlace, high: number, low: number): boolean;
  /** Resets one queue and waits until the device says that it is done. False where there is no such thing. */
  resetQueue(queue: number): boolean;
  /** The ring is complete, its vector included (4.1.4.3.2): a legacy device, which has it already, is told nothing. */
  enableQueue(queue: number): void;
  /** MSI-X vectors; what reads back, 0xffff if the device refused. */
  setConfigVector(vector: number): number;
  setQueueVector(queue: number, vector: number): number;
  /** `used`: once MSI-X is on, legacy device configuration lies four bytes further. */
  msixEnabled(enabled: boolean): void;
  /** `place`: what NOTIFICATION_DATA wants said of the queue; undefined where it was not accepted. */
  notify(queue: number, place?: number): void;
  /** Reads and thereby clears. */
  isr(): number;
  /** One byte of device configuration. */
  config8(offset: number): number;
  /** 32 little-endian bits of device configuration: at once, or byte by byte as Linux does on a legacy device. */
  setConfig32(offset: number, value: number): void;
}

/** How a probe ends: bound, not for this transport (the next one is tried), or given up for good. */
export type ProbeResult = 'bound' | NoDevice | Invalid;
/** -ENODEV: Linux goes on with the next transport. */
type NoDevice = 'ENODEV' | 'ENODEV-ABI' | 'ENODEV-COMMON';
/** -EINVAL and -ENOMEM: no other transport is tried, except that force_legacy goes on after ENOMEM. */
type Invalid = 'EINVAL' | 'ENOMEM';
