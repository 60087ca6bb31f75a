import { assert } from '../core/assert.ts';
import type { GuestPlatform } from './platform.ts';

const ZEROS = new Uint8Array(4096);

/** Guest RAM from which a driver takes its rings and buffers; one life takes, the next begins anew. */
export class Arena {
  readonly #platform: GuestPlatform;
  readonly #start: number;
  readonly #end: number;
  readonly #leastAlign: number;
  #next: number;

  /** RAM from `start` to `end`, guest-physical, below 4 GiB; whatever is taken begins at a multiple of `leastAlign`. */
  constructor(platform: GuestPlatform, start: number, end: number, leastAlign = 1) {
    assert(start < end && end <= platform.ramBytes && end <= 2 ** 32, 'an arena lies in RAM');
    this.#platform = platform;
    this.#start = start;
    this.#end = end;
    this.#leastAlign = leastAlign;
    this.#next = start;
  }

  reset(): void {
    this.#next = this.#start;
  }

  /** `align` is a power of two. */
  take(bytes: number, asked: number): number {
    const align = Math.max(asked, this.#leastAlign);
    const at = (this.#next + align - 1) & ~(align - 1);
    assert(at + bytes <= this.#end, 'the arena is large enough for what drivers here do');
    this.#next = at + bytes;
    return at;
  }

  takeZeroed(bytes: number, align: number): number {
    const at = this.take(bytes, align);
    for (let done = 0; done < bytes; done += ZEROS.length) {
      this.#platform.storeBytes(at + done, ZEROS, 0, Math.min(ZEROS.length, bytes - done));
    }
    return at;
  }
}
