import { assert } from './assert.ts';
import type { Stateful, StateStream } from './state.ts';
import { after, START, type Duration, type Instant } from './time.ts';

/** What runs when an entry is due. Handlers are registered once, in a fixed order, so that a queue can be saved. */
export type HandlerId = number & { readonly handler: true };

/** Picks one of `count` entries that are due at the same moment; asked only when there is a choice. */
export type Chooser = (count: number) => number;

/**
 * Virtual time and all that is due in it. Entries due at equal moments run in the order they were scheduled, unless a
 * chooser is set: then the order is an input like any other, which the fuzzer varies and the recorder writes down.
 */
export class EventQueue implements Stateful {
  #now: Instant = START;
  readonly #handlers: ((argument: number) => void)[] = [];
  // Sorted by moment, then by scheduling order: a handful of entries at most, so insertion beats a heap.
  #moments: Instant[] = [];
  #targets: number[] = [];
  #arguments: number[] = [];
  #chooser: Chooser | undefined;

  get now(): Instant {
    return this.#now;
  }

  /** When the next entry is due; undefined if none is. */
  get next(): Instant | undefined {
    return this.#moments[0];
  }

  get pending(): number {
    return this.#moments.length;
  }

  register(run: (argument: number) => void): HandlerId {
    this.#handlers.push(run);
    return (this.#handlers.length - 1) as HandlerId;
  }

  chooseWith(chooser: Chooser | undefined): void {
    this.#chooser = chooser;
  }

  schedule(delay: Duration, handler: HandlerId, argument = 0): void {
    assert(delay >= 0, 'nothing is scheduled in the past');
    const moment = after(this.#now, delay);
    let at = this.#moments.length;
    while (at > 0 && (this.#moments[at - 1] ?? 0) > moment) at--;
    this.#moments.splice(at, 0, moment);
    this.#targets.splice(at, 0, handler);
    this.#arguments.splice(at, 0, argument);
  }

  /** True if `handler` is waiting with this argument. */
  isScheduled(handler: HandlerId, argument = 0): boolean {
    for (let i = 0; i < this.#targets.length; i++) {
      if (this.#targets[i] === handler && this.#arguments[i] === argument) return true;
    }
    return false;
  }

  cancel(handler: HandlerId, argument = 0): void {
    for (let i = this.#targets.length - 1; i >= 0; i--) {
      if (this.#targets[i] === handler && this.#arguments[i] === argument) this.#remove(i);
    }
  }

  /** Lets `span` pass and runs what falls due, in order. */
  advance(span: Duration): void {
    const end = after(this.#now, span);
    while (this.#moments.length > 0 && (this.#moments[0] ?? end) <= end) this.#runNext();
    this.#now = end;
  }

  /** Runs the next entry, moving time to it. False if nothing is scheduled. */
  step(): boolean {
    if (this.#moments.length === 0) return false;
    this.#runNext();
    return true;
  }

  clear(): void {
    this.#moments.length = 0;
    this.#targets.length = 0;
    this.#arguments.length = 0;
  }

  exchange(state: StateStream): void {
    this.#now = state.integer(this.#now) as Instant;
    const length = state.u32(this.#moments.length);
    if (state.restoring) {
      this.clear();
      for (let i = 0; i < length; i++) {
        this.#moments.push(START);
        this.#targets.push(0);
        this.#arguments.push(0);
      }
    }
    for (let i = 0; i < length; i++) {
      this.#moments[i] = state.integer(this.#moments[i] ?? 0) as Instant;
      this.#targets[i] = state.u16(this.#targets[i] ?? 0);
      this.#arguments[i] = state.u32(this.#arguments[i] ?? 0);
    }
  }

  #runNext(): void {
    const moment = this.#moments[0] ?? this.#now;
    let pick = 0;
    if (this.#chooser !== undefined) {
      let count = 1;
      while (count < this.#moments.length && this.#moments[count] === moment) count++;
      if (count > 1) {
        pick = this.#chooser(count);
        assert(pick >= 0 && pick < count, 'a chooser picks one of the entries offered');
      }
    }
    const run = this.#handlers[this.#targets[pick] ?? 0];
    const argument = this.#arguments[pick] ?? 0;
    this.#remove(pick);
    if (moment > this.#now) this.#now = moment;
    assert(run !== undefined, 'every target is a registered handler');
    run(argument);
  }

  #remove(at: number): void {
    this.#moments.splice(at, 1);
    this.#targets.splice(at, 1);
    this.#arguments.splice(at, 1);
  }
}
