import type { EventQueue, HandlerId } from '../../core/event-queue.ts';
import type { Stateful, StateStream } from '../../core/state.ts';
import { ticks } from '../../core/time.ts';

/** What a network device sends to. */
export interface NetPeer {
  /** A whole frame, valid during the call. */
  transmitted(frame: Uint8Array): void;
}

/** What a host end sends to. */
export interface NetReceiver {
  /** Hands a frame to the device, or keeps it until the driver offers buffers. */
  receive(frame: Uint8Array): void;
}

/**
 * The host's end of a network device: shows each frame to whoever listens, and, looped back, returns it to the device
 * once the machine comes to it.
 */
export class NetEnd implements NetPeer, Stateful {
  /** Sees every frame the guest sends; the bytes are valid during the call. */
  listener: ((frame: Uint8Array) => void) | undefined = undefined;
  device: NetReceiver | undefined = undefined;
  readonly loopback: boolean;
  readonly #events: EventQueue;
  readonly #deliver: HandlerId;
  #waiting: Uint8Array[] = [];

  constructor(events: EventQueue, loopback: boolean) {
    this.#events = events;
    this.loopback = loopback;
    this.#deliver = events.register(() => this.#deliverNext());
  }

  transmitted(frame: Uint8Array): void {
    this.listener?.(frame);
    if (!this.loopback) return;
    this.#waiting.push(frame.slice());
    this.#events.schedule(ticks(0), this.#deliver);
  }

  exchange(state: StateStream): void {
    const count = state.u32(this.#waiting.length);
    const frames: Uint8Array[] = [];
    for (let i = 0; i < count; i++) frames.push(state.blob(this.#waiting[i] ?? new Uint8Array(0)));
    this.#waiting = frames;
  }

  #deliverNext(): void {
    const frame = this.#waiting.shift();
    if (frame !== undefined) this.device?.receive(frame);
  }
}
