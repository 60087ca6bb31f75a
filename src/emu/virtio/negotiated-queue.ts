import type { Chain } from './chain.ts';
import { PackedQueue } from './packed-queue.ts';
import { ChainPool } from './pieces.ts';
import type { QueueHost, RingState, Virtqueue } from './queue.ts';
import { SplitQueue } from './split-queue.ts';

/**
 * A queue as the features of the moment say it is laid out. QEMU asks at every step, and a driver may change its mind
 * between two of them: both layouts share one state.
 */
export class NegotiatedQueue implements Virtqueue {
  readonly ring: RingState;
  readonly #host: QueueHost;
  readonly #split: SplitQueue;
  readonly #packed: PackedQueue;

  constructor(ring: RingState, host: QueueHost) {
    const pool = new ChainPool();
    this.ring = ring;
    this.#host = host;
    this.#split = new SplitQueue(ring, host, pool);
    this.#packed = new PackedQueue(ring, host, pool);
  }

  get availableIn(): number {
    return this.#host.packed ? this.#packed.availableIn : this.#split.availableIn;
  }

  get availableOut(): number {
    return this.#host.packed ? this.#packed.availableOut : this.#split.availableOut;
  }

  isEmpty(): boolean {
    return this.#host.packed ? this.#packed.isEmpty() : this.#split.isEmpty();
  }

  pop(): Chain | undefined {
    return this.#host.packed ? this.#packed.pop() : this.#split.pop();
  }

  push(chain: Chain, written: number): void {
    if (this.#host.packed) this.#packed.push(chain, written);
    else this.#split.push(chain, written);
  }

  fill(chain: Chain, written: number, ahead: number): void {
    if (this.#host.packed) this.#packed.fill(chain, written, ahead);
    else this.#split.fill(chain, written, ahead);
  }

  flush(count: number): void {
    if (this.#host.packed) this.#packed.flush(count);
    else this.#split.flush(count);
  }

  detach(chain: Chain, written: number): void {
    if (this.#host.packed) this.#packed.detach(chain, written);
    else this.#split.detach(chain, written);
  }

  unpop(chain: Chain, written: number): void {
    if (this.#host.packed) this.#packed.unpop(chain, written);
    else this.#split.unpop(chain, written);
  }

  rewind(count: number): boolean {
    return this.#host.packed ? this.#packed.rewind(count) : this.#split.rewind(count);
  }

  recycle(chain: Chain): void {
    this.#split.recycle(chain);
  }

  take(): Chain {
    return this.#split.take();
  }

  countAvailable(limitIn: number, limitOut: number): void {
    if (this.#host.packed) this.#packed.countAvailable(limitIn, limitOut);
    else this.#split.countAvailable(limitIn, limitOut);
  }

  hasMoved(seen: number): boolean {
    return this.#host.packed ? this.#packed.hasMoved(seen) : this.#split.hasMoved(seen);
  }

  dropAll(): number {
    return this.#host.packed ? this.#packed.dropAll() : this.#split.dropAll();
  }

  setNotification(enable: boolean): void {
    if (this.#host.packed) this.#packed.setNotification(enable);
    else this.#split.setNotification(enable);
  }

  shouldNotify(): boolean {
    return this.#host.packed ? this.#packed.shouldNotify() : this.#split.shouldNotify();
  }

  openRings(): void {
    if (this.#host.packed) this.#packed.openRings();
    else this.#split.openRings();
  }
}
