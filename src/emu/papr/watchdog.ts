import type { EventQueue, HandlerId } from '../core/event-queue.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import { ticks } from '../core/time.ts';

export const WATCHDOGS = 4;
export const WATCHDOG_MIN_MS = 1;
export const WATCHDOG_POWER_OFF = 1;
export const WATCHDOG_RESTART = 2;
export const WATCHDOG_DUMP = 3;

const MILLISECOND_NS = 1_000_000n;
/** Later than any run: such a timer is armed and never due. */
const TICKS_MAX = 2 ** 52;

/** The timers of H_WATCHDOG (QEMU hw/watchdog/spapr_watchdog.c). A machine reset does not stop them. */
export class Watchdogs implements Stateful {
  readonly #queue: EventQueue;
  readonly #expired: (action: number) => void;
  readonly #handler: HandlerId;
  readonly #armed: Uint8Array = new Uint8Array(WATCHDOGS);
  readonly #action: Uint8Array = new Uint8Array(WATCHDOGS);
  readonly #leaveOthers: Uint8Array = new Uint8Array(WATCHDOGS);

  constructor(queue: EventQueue, expired: (action: number) => void) {
    this.#queue = queue;
    this.#expired = expired;
    this.#handler = queue.register((index) => this.#fire(index));
  }

  /** Starts one anew, `index` from 0. Timers count whole milliseconds of virtual time in 64 wrapping bits. */
  start(index: number, milliseconds: bigint, action: number, leaveOthers: boolean): void {
    this.stop(index);
    this.#armed[index] = 1;
    this.#action[index] = action;
    this.#leaveOthers[index] = leaveOthers ? 1 : 0;
    const nowNs = (BigInt(this.#queue.now) * 125n) / 64n;
    const dueMs = BigInt.asIntN(64, nowNs / MILLISECOND_NS + milliseconds);
    const dueNs = BigInt.asIntN(64, dueMs * MILLISECOND_NS);
    const dueTicks = dueNs <= 0n ? 0 : Number((dueNs * 64n + 124n) / 125n);
    const delay = Math.max(0, dueTicks - this.#queue.now);
    if (delay < TICKS_MAX) this.#queue.schedule(ticks(delay), this.#handler, index);
  }

  /** False if it was not running. */
  stop(index: number): boolean {
    if (this.#armed[index] !== 1) return false;
    this.#armed[index] = 0;
    this.#queue.cancel(this.#handler, index);
    return true;
  }

  stopAll(): void {
    for (let index = 0; index < WATCHDOGS; index++) this.stop(index);
  }

  exchange(state: StateStream): void {
    state.bytes(this.#armed);
    state.bytes(this.#action);
    state.bytes(this.#leaveOthers);
  }

  #fire(index: number): void {
    this.#armed[index] = 0;
    this.#expired(this.#action[index] ?? 0);
    if (this.#leaveOthers[index] === 0) this.stopAll();
  }
}
