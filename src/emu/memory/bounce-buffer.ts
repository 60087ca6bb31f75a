import type { Stateful, StateStream } from '../core/state.ts';
import { PAGE_BYTES } from './guest-memory.ts';

/**
 * The one buffer through which a device reaches what cannot be mapped (QEMU softmmu/physmem.c, `bounce`): a machine has
 * one, of one page, and whoever finds it taken gets nothing.
 */
export class BounceBuffer implements Stateful {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(PAGE_BYTES);
  inUse = false;
  addressHigh = 0;
  addressLow = 0;

  exchange(state: StateStream): void {
    this.inUse = state.bool(this.inUse);
    this.addressHigh = state.u32(this.addressHigh);
    this.addressLow = state.u32(this.addressLow);
    if (this.inUse) state.bytes(this.bytes);
  }
}
