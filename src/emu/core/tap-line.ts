import type { EventQueue } from './event-queue.ts';
import { MachineEvent, type Tap } from './tap.ts';

/**
 * The line from the chokepoints to whoever watches the machine. Without a tap an emission costs one comparison:
 *
 *     const event = line.open(KIND['dma-read']);
 *     if (event !== undefined) { event.small(0, device); … line.send(); }
 */
export class TapLine {
  readonly #queue: EventQueue;
  readonly #event: MachineEvent = new MachineEvent();
  #tap: Tap | undefined;

  constructor(queue: EventQueue) {
    this.#queue = queue;
  }

  get tap(): Tap | undefined {
    return this.#tap;
  }

  set tap(tap: Tap | undefined) {
    this.#tap = tap;
  }

  /** The event to fill in, without bytes; undefined if nobody watches. Fields keep old values until they are set. */
  open(kind: number): MachineEvent | undefined {
    if (this.#tap === undefined) return undefined;
    const event = this.#event;
    event.kind = kind;
    event.at = this.#queue.now;
    event.noBytes();
    return event;
  }

  send(): void {
    this.#tap?.take(this.#event);
  }
}
