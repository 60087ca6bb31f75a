import type { MachineEvent } from '../../emu/core/tap.ts';
import type { Behaviour } from '../../emu/virtio/behaviour.ts';

/** What the driver knows of its own device, told to whoever watches: addresses, not the device's insides. */
export interface Ground {
  /** Requester id of the device: bus << 8 | devfn. */
  readonly requester: number;
  readonly ramBytes: number;
  /** Whether the device speaks I/O bus addresses. */
  readonly iommuPlatform: boolean;
  /** What devices of this machine do where QEMU and the specification part. */
  readonly behaviour: Behaviour;
  /** CPU address of the common configuration structure; 0 without the modern interface. */
  readonly common: number;
  /** CPU address of the notification area and its bytes a queue. */
  readonly notify: number;
  readonly notifyMultiplier: number;
  /** First port of the legacy interface; -1 without. */
  readonly legacyPort: number;
  /** Token of each RTAS call that changes DMA windows. */
  readonly createWindow: number;
  readonly removeWindow: number;
  readonly resetWindow: number;
}

/**
 * Watches the events of one run and says what broke. It keeps its own books from what crosses the seams, allocates
 * nothing per event, and never looks into a device.
 */
export interface Watcher {
  /** A run starts on a machine where the driver found this ground. */
  begin(ground: Ground): void;
  take(event: MachineEvent): void;
  /** The driver does something that the books cannot follow: nothing is judged until `regainTrack`. */
  loseTrack(): void;
  /** The device was set up anew. */
  regainTrack(): void;
  /** What broke first, as a sentence; empty while nothing did. */
  readonly breach: string;
}

/** 64-bit address in halves, as reports print it. */
export function addressText(high: number, low: number): string {
  const text = high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0');
  return `0x${text}`;
}
