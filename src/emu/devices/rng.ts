import type { HandlerId } from '../core/event-queue.ts';
import type { StateStream } from '../core/state.ts';
import { TIMEBASE_HZ, ticks } from '../core/time.ts';
import { VIRTIO_CONFIG_S_DRIVER_OK, VIRTIO_ID_RNG } from '../virtio/abi.ts';
import { copyIn } from '../virtio/chain-io.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { LEGACY_ONLY } from './device.ts';
import type { EntropySource } from './backends/entropy.ts';

const QUEUE_SIZE = 8;
const CHUNK = 4096;
const UINT32_MAX = 0xffffffff;

/** Properties of virtio-rng. */
export interface RngOptions {
  /** `max-bytes`: bytes a period; what a double cannot hold exactly is as good as no limit. */
  readonly maxBytes: bigint;
  /** `period` in milliseconds. */
  readonly periodMs: number;
}

export const RNG_DEFAULTS: RngOptions = { maxBytes: 2n ** 63n - 1n, periodMs: 65536 };

/**
 * The entropy device (VIRTIO 1.3, 5.4; QEMU hw/virtio/virtio-rng.c with backends/rng-builtin.c). A kick counts what the
 * driver offers and asks the backend for as much; the answer comes when the machine gets to it, and fills whatever the
 * driver offers then.
 */
export class RngDevice extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_RNG;
  readonly name: string = 'virtio-rng';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #queue: Virtqueue;
  readonly #source: EntropySource;
  readonly #answer: HandlerId;
  readonly #refill: HandlerId;
  readonly #limit: number;
  readonly #period: number;
  readonly #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(CHUNK);
  /** Sizes asked of the backend and not answered yet, oldest first. */
  readonly #asked: number[] = [];
  #quota: number;
  /** The period starts with the first request in it. */
  #startsPeriod = true;
  /** When the period ends, in ticks; -1 while none runs. */
  #endsAt = -1;

  constructor(parts: CoreParts, source: EntropySource, options: RngOptions = RNG_DEFAULTS) {
    super(parts, 0);
    this.#queue = this.addQueue(QUEUE_SIZE);
    this.#source = source;
    this.#limit = options.maxBytes > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(options.maxBytes);
    this.#period = options.periodMs * (TIMEBASE_HZ / 1000);
    this.#quota = this.#limit;
    this.#answer = parts.events.register(() => this.#answerAll());
    this.#refill = parts.events.register(() => this.#startPeriod());
  }

  offer(features: bigint): bigint {
    return features;
  }

  override exchange(state: StateStream): void {
    super.exchange(state);
    const limited = this.#limit !== Infinity;
    if (limited) this.#quota = state.integer(this.#quota);
    this.#startsPeriod = state.bool(this.#startsPeriod);
    this.#endsAt = state.integer(this.#endsAt);
    const count = state.u32(this.#asked.length);
    if (state.restoring) this.#asked.length = 0;
    for (let i = 0; i < count; i++) {
      const size = state.integer(this.#asked[i] ?? 0);
      if (state.restoring) this.#asked.push(size);
    }
    this.#source.exchange(state);
  }

  protected service(): void {
    this.#process();
  }

  protected override statusChanging(status: number): void {
    // The new status counts already: DRIVER_OK lets waiting buffers be served.
    this.storeStatus(status);
    this.#process();
  }

  /** A reset of the machine takes everything off the clock; the period and the backend's answers are the host's. */
  protected override resetting(): void {
    const { events } = this.parts;
    if (this.#endsAt >= 0 && !events.isScheduled(this.#refill)) {
      events.schedule(ticks(Math.max(this.#endsAt - events.now, 0)), this.#refill);
    }
    this.#answerSoon();
  }

  #isGuestReady(): boolean {
    return !this.#queue.ring.driver.isZero && (this.status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0;
  }

  /** What the driver offers and did not get is asked for again, whether or not the device can take it. */
  #askAgain(): void {
    const asked = this.#process();
    if (!asked || !this.stopped) return;
    // Nothing will be popped any more, and a packed queue does not look empty for that: as long as there is quota,
    // QEMU asks its backend and throws the answer away, and with no limit it does nothing else ever after.
    this.#asked.pop();
    if (this.#limit !== Infinity) this.#quota = 0;
    else if (this.behaviour.diesOfRequests)
      this.end('hang', `${this.name} asks for entropy that it cannot deliver`);
  }

  /** Whether anything was asked of the backend. */
  #process(): boolean {
    if (!this.#isGuestReady()) return false;
    if (this.#startsPeriod && this.#limit !== Infinity) {
      this.parts.events.schedule(ticks(this.#period), this.#refill);
      this.#endsAt = this.parts.events.now + this.#period;
    }
    this.#startsPeriod = false;
    const quota = Math.min(Math.max(this.#quota, 0), UINT32_MAX);
    this.#queue.countAvailable(quota, 0);
    const { availableIn } = this.#queue;
    // QEMU compares without a sign: a quota below zero, which two requests at once leave behind, limits nothing.
    const size = this.#quota < 0 ? availableIn : Math.min(this.#quota, availableIn);
    if (size === 0) return false;
    this.#asked.push(size);
    this.#answerSoon();
    return true;
  }

  #answerSoon(): void {
    if (this.#asked.length === 0 || this.parts.events.isScheduled(this.#answer)) return;
    this.parts.events.schedule(ticks(0), this.#answer);
  }

  #answerAll(): void {
    while (this.#asked.length > 0) {
      // A request stays listed while it is answered, and more may be asked meanwhile.
      this.#deliver(this.#asked[0] ?? 0);
      this.#asked.shift();
    }
  }

  #deliver(size: number): void {
    if (!this.#isGuestReady()) return;
    this.#quota -= size;
    let given = 0;
    // One run of bytes a request, however the driver cut its buffers.
    let drawn = 0;
    while (given < size) {
      const chain = this.#queue.pop();
      if (chain === undefined) break;
      const wanted = Math.min(size - given, chain.inBytes());
      let done = 0;
      while (done < wanted) {
        const at = (given + done) % CHUNK;
        if (given + done === drawn) {
          const fresh = Math.min(CHUNK, size - drawn);
          this.#source.fill(fresh === CHUNK ? this.#chunk : this.#chunk.subarray(0, fresh));
          drawn += fresh;
        }
        const step = Math.min(CHUNK - at, wanted - done);
        copyIn(this.space, chain, done, this.#chunk, at, step);
        done += step;
      }
      given += wanted;
      this.#queue.push(chain, wanted);
      this.#queue.recycle(chain);
    }
    this.notifyUsed(this.#queue);
    if (!this.#queue.isEmpty()) this.#askAgain();
  }

  #startPeriod(): void {
    this.#quota = this.#limit;
    this.#endsAt = -1;
    this.#process();
    this.#startsPeriod = true;
  }
}
