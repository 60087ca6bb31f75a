/**
 * G2: what one action of the guest can make the device do is bounded by the rings: of each queue that was notified at
 * most every entry once, and of each chain at most as many elements as QEMU takes (1024). The bound is in accesses, not
 * in time, so that a verdict never depends on the machine it was reached on.
 */
import { EVENT_KINDS, KIND, type MachineEvent } from '../../emu/core/tap.ts';
import type { Ground, Watcher } from './invariant.ts';

const DMA_READ = KIND['dma-read'];
const DMA_WRITE = KIND['dma-write'];
const DMA_FAULT = KIND['dma-fault'];
const IS_INPUT: Uint8Array = Uint8Array.from(EVENT_KINDS, (kind) => (kind.direction === 'input' ? 1 : 0));

/** Elements of a chain at most (VIRTQUEUE_MAX_SIZE in QEMU). */
const CHAIN_MAX = 1024;
/** Accesses that a chain costs beside its elements: index, head, flags, used element, used index, event. */
const CHAIN_OVERHEAD = 16;
/** Each element is a descriptor and, where it crosses pages, a few pieces of data. */
const ACCESSES_PER_CHAIN: number = CHAIN_OVERHEAD + 4 * CHAIN_MAX;
/** Two-byte stores of a head at most: used index, flags, event. */
const STORES_PER_HEAD = 3;
/** Accesses after which a run is stopped even if every one of them has its reason: a run is a test, not a job. */
export const ACCESSES_MAX = 400_000;

/** Ends a run that would not end by itself; thrown through the machine by the tap that counts. */
export class Runaway extends Error {
  override readonly name = 'Runaway';
}

export class WorkInvariant implements Watcher {
  breach = '';
  #device = 0;
  #accesses = 0;
  #total = 0;
  #heads = 0;
  #storesMax = Number.POSITIVE_INFINITY;

  begin(ground: Ground): void {
    this.breach = '';
    this.#device = ground.requester;
    this.#total = 0;
    this.#storesMax = Number.POSITIVE_INFINITY;
    this.#start();
  }

  /** The driver has set up rings with so many entries; what one action serves is bounded from now on. */
  rings(entries: number): void {
    this.#storesMax = STORES_PER_HEAD * (entries + 2);
  }

  loseTrack(): void {
    // Counting needs no books of where things are.
  }

  regainTrack(): void {
    // Nothing was lost.
  }

  take(event: MachineEvent): void {
    const kind = event.kind;
    if (IS_INPUT[kind] === 1) {
      this.#start();
      return;
    }
    if (kind !== DMA_READ && kind !== DMA_WRITE && kind !== DMA_FAULT) return;
    if ((event.words[0] ?? 0) !== this.#device) return;
    this.#accesses++;
    this.#total++;
    // Two-byte stores of the device go to its rings: an index or a flags word, at least one for every head served.
    if (isRingStore(event)) this.#heads++;
    const allowed = (this.#heads + 1) * ACCESSES_PER_CHAIN;
    if (this.#heads > this.#storesMax) {
      this.breach = 'one action of the guest made the device serve more entries than its rings have';
    } else if (this.#accesses > allowed) {
      this.breach = 'one action of the guest made the device look at its rings without end';
    }
    if (this.breach !== '' || this.#total > ACCESSES_MAX) {
      throw new Runaway(this.breach === '' ? 'the run was cut off' : this.breach);
    }
  }

  #start(): void {
    this.#accesses = 0;
    this.#heads = 0;
  }
}

/** Whether it took effect or no TCE allowed it. */
function isRingStore(event: MachineEvent): boolean {
  if (event.kind === DMA_WRITE) return event.byteLength === 2;
  return event.kind === DMA_FAULT && event.words[4] === 2 && event.words[6] === 1;
}
