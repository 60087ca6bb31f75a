import type { EventQueue, HandlerId } from '../../core/event-queue.ts';
import type { Stateful, StateStream } from '../../core/state.ts';
import { ticks } from '../../core/time.ts';

/** What a character back end tells the device that it serves (QEMU's CharBackend handlers). */
export interface CharFrontEnd {
  /** Bytes that the device takes now; 0 leaves what the host sent where it is. */
  canRead(): number;
  /** Some of what the host sent, at most as many bytes as `canRead` said; valid during the call. */
  received(bytes: Uint8Array): void;
  /** Somebody connected to the host's side, or left it. */
  opened(): void;
  closed(): void;
  /** The host takes bytes again, or has left, since `watch` was called. */
  writable(): void;
}

/** Bytes handed over at a time (CHR_READ_BUF_LEN). */
const READ_BYTES = 4096;
/** Stands in the state for a host that takes everything. */
const WITHOUT_LIMIT = -1;
const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * The host's side of a character device, as `-chardev socket` has one: somebody is connected or nobody is, what the host
 * sends waits until the device takes it, and the host may stop reading.
 */
export class CharEnd implements Stateful {
  /** Sees every byte that the host reads; the bytes are valid during the call. */
  listener: ((bytes: Uint8Array) => void) | undefined = undefined;
  frontEnd: CharFrontEnd | undefined = undefined;
  readonly #events: EventQueue;
  readonly #read: HandlerId;
  readonly #writable: HandlerId;
  #open: boolean;
  #room = Infinity;
  #watched = false;
  #sent: Uint8Array = NOTHING;

  constructor(events: EventQueue, open: boolean) {
    this.#events = events;
    this.#open = open;
    this.#read = events.register(() => this.#handOver());
    this.#writable = events.register(() => this.#becomeWritable());
  }

  get open(): boolean {
    return this.#open;
  }

  /** Gives bytes to the host and returns how many it took: -1 if none, because it is full or gone. */
  write(bytes: Uint8Array): number {
    const taken = this.#open ? Math.min(bytes.length, this.#room) : 0;
    if (taken === 0) return bytes.length === 0 && this.#open ? 0 : -1;
    this.#room -= taken;
    this.listener?.(bytes.subarray(0, taken));
    return taken;
  }

  /** Whether a write of anything would be taken, if only in part. */
  get takesBytes(): boolean {
    return this.#open && this.#room > 0;
  }

  /** `frontEnd.writable` is called once, as soon as the host takes bytes again. */
  watch(): void {
    this.#watched = true;
  }

  unwatch(): void {
    this.#watched = false;
    this.#events.cancel(this.#writable);
  }

  /** The device may take bytes now that it did not take before. */
  poll(): void {
    if (this.#sent.length > 0 && !this.#events.isScheduled(this.#read)) {
      this.#events.schedule(ticks(0), this.#read);
    }
  }

  // --- What the host does -----------------------------------------------------------------------------------------

  send(bytes: Uint8Array): void {
    if (!this.#open || bytes.length === 0) return;
    const both = new Uint8Array(this.#sent.length + bytes.length);
    both.set(this.#sent);
    both.set(bytes, this.#sent.length);
    this.#sent = both;
    this.poll();
  }

  connect(): void {
    if (this.#open) return;
    this.#open = true;
    this.frontEnd?.opened();
  }

  /** What the host sent and the device did not take yet is lost. */
  disconnect(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#sent = NOTHING;
    this.#room = Infinity;
    this.frontEnd?.closed();
  }

  /** The host reads `bytes` bytes more, and then no more for now; Infinity: all there will be. */
  setRoom(bytes: number): void {
    this.#room = bytes;
    if (bytes > 0) this.#wakeWriter();
  }

  /** After everything was taken off the clock. */
  resume(): void {
    this.poll();
    if (this.takesBytes) this.#wakeWriter();
  }

  exchange(state: StateStream): void {
    this.#open = state.bool(this.#open);
    this.#watched = state.bool(this.#watched);
    const room = state.integer(this.#room === Infinity ? WITHOUT_LIMIT : this.#room);
    this.#room = room === WITHOUT_LIMIT ? Infinity : room;
    this.#sent = state.blob(this.#sent);
  }

  #handOver(): void {
    const room = this.frontEnd?.canRead() ?? 0;
    const length = Math.min(room, READ_BYTES, this.#sent.length);
    if (length === 0) return;
    const bytes = this.#sent.subarray(0, length);
    this.#sent = this.#sent.slice(length);
    this.frontEnd?.received(bytes);
    this.poll();
  }

  #wakeWriter(): void {
    if (this.#watched && !this.#events.isScheduled(this.#writable)) {
      this.#events.schedule(ticks(0), this.#writable);
    }
  }

  #becomeWritable(): void {
    if (!this.#watched) return;
    this.#watched = false;
    this.frontEnd?.writable();
  }
}
