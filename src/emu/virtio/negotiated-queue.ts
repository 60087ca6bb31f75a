import { Chain } from './chain.ts';
import { PackedQueue } from './packed-queue.ts';
import { ChainPool, unmapPieces } from './pieces.ts';
import type { QueueHost, RingState, Virtqueue } from './queue.ts';
import { SplitQueue } from './split-queue.ts';

/**
 * A queue as the features of the moment say it is laid out. QEMU asks at every step, and a driver may change its mind
 * between two of them: both layouts share one state. Where IN_ORDER was accepted (2.7.9, 2.8.8), which QEMU 7.2 never
 * offers, a request that is done waits here for those that were taken before it.
 */
export class NegotiatedQueue implements Virtqueue {
  readonly ring: RingState;
  readonly #host: QueueHost;
  readonly #split: SplitQueue;
  readonly #packed: PackedQueue;
  /** Stands for a request whose own chain the device has already given back. */
  readonly #stand: Chain = new Chain();
  /** Something was returned since the device asked whether the driver wants to know. */
  #returned = false;

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
    const chain = this.#host.packed ? this.#packed.pop() : this.#split.pop();
    if (chain !== undefined && this.#host.inOrder) {
      this.ring.order.push({ index: chain.index, descriptors: chain.descriptors, written: -1 });
    }
    return chain;
  }

  push(chain: Chain, written: number): void {
    if (this.#host.inOrder) {
      this.#finish(chain, written);
      this.#release();
    } else if (this.#host.packed) this.#packed.push(chain, written);
    else this.#split.push(chain, written);
  }

  fill(chain: Chain, written: number, ahead: number): void {
    if (this.#host.inOrder) this.#finish(chain, written);
    else if (this.#host.packed) this.#packed.fill(chain, written, ahead);
    else this.#split.fill(chain, written, ahead);
  }

  flush(count: number): void {
    if (this.#host.inOrder) this.#release();
    else this.#flush(count);
  }

  /** The request is done, and waits for its turn. */
  #finish(chain: Chain, written: number): void {
    unmapPieces(this.#host, chain, written);
    for (const entry of this.ring.order) {
      if (entry.index !== chain.index || entry.written >= 0) continue;
      entry.written = written;
      return;
    }
  }

  /** Returns what is done and has nothing before it that is not. */
  #release(): void {
    const { order } = this.ring;
    const stand = this.#stand;
    let count = 0;
    for (const entry of order) {
      if (entry.written < 0) break;
      stand.clear();
      stand.index = entry.index;
      stand.descriptors = entry.descriptors;
      if (this.#host.packed) this.#packed.fill(stand, entry.written, count);
      else this.#split.fill(stand, entry.written, count);
      count++;
    }
    if (count === 0) return;
    order.splice(0, count);
    this.#returned = true;
    this.#flush(count);
  }

  /** A request that goes another way than `push` is waited for no longer. */
  #forget(chain: Chain): void {
    const { order } = this.ring;
    const at = order.findLastIndex((entry) => entry.index === chain.index && entry.written < 0);
    if (at >= 0) order.splice(at, 1);
  }

  #flush(count: number): void {
    if (this.#host.packed) this.#packed.flush(count);
    else this.#split.flush(count);
  }

  detach(chain: Chain, written: number): void {
    if (this.#host.inOrder) this.#forget(chain);
    if (this.#host.packed) this.#packed.detach(chain, written);
    else this.#split.detach(chain, written);
  }

  unpop(chain: Chain, written: number): void {
    if (this.#host.inOrder) this.#forget(chain);
    if (this.#host.packed) this.#packed.unpop(chain, written);
    else this.#split.unpop(chain, written);
  }

  rewind(count: number): boolean {
    if (this.#host.inOrder) this.ring.order.splice(-count, count);
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
    if (this.#host.inOrder && !this.#returned) return false;
    this.#returned = false;
    return this.#host.packed ? this.#packed.shouldNotify() : this.#split.shouldNotify();
  }

  openRings(): void {
    if (this.#host.packed) this.#packed.openRings();
    else this.#split.openRings();
  }
}
