import type { Stateful, StateStream } from '../core/state.ts';

/**
 * One request as the device holds it (QEMU's VirtQueueElement): its pieces in order, device-readable ones first. A piece
 * is as much of a buffer as lies together in RAM, or in the bounce buffer. Chains are reused; the arrays only grow.
 */
export class Chain implements Stateful {
  /** Head descriptor, or buffer id. */
  index = 0;
  /** Ring slots it takes. */
  descriptors = 1;
  outCount = 0;
  inCount = 0;
  /** The piece that lies in the bounce buffer, or -1. */
  bounced = -1;
  /** Bus address of each piece. */
  high: Uint32Array<ArrayBuffer> = new Uint32Array(8);
  low: Uint32Array<ArrayBuffer> = new Uint32Array(8);
  length: Uint32Array<ArrayBuffer> = new Uint32Array(8);
  /** Offset into RAM, or -1. */
  ram: Float64Array<ArrayBuffer> = new Float64Array(8);

  get pieces(): number {
    return this.outCount + this.inCount;
  }

  clear(): void {
    this.outCount = 0;
    this.inCount = 0;
    this.bounced = -1;
    this.descriptors = 1;
  }

  add(write: boolean, high: number, low: number, length: number, ram: number): void {
    const at = this.outCount + this.inCount;
    if (at === this.length.length) this.#grow();
    this.high[at] = high;
    this.low[at] = low;
    this.length[at] = length;
    this.ram[at] = ram;
    if (ram < 0) this.bounced = at;
    if (write) this.inCount++;
    else this.outCount++;
  }

  /** Bytes that the device may read. */
  outBytes(): number {
    return this.#sum(0, this.outCount);
  }

  /** Bytes that the device may write. */
  inBytes(): number {
    return this.#sum(this.outCount, this.outCount + this.inCount);
  }

  exchange(state: StateStream): void {
    this.index = state.u16(this.index);
    this.descriptors = state.u16(this.descriptors);
    const outCount = state.u16(this.outCount);
    const inCount = state.u16(this.inCount);
    const bounced = state.integer(this.bounced);
    if (state.restoring) this.clear();
    for (let i = 0; i < outCount + inCount; i++) {
      if (state.restoring) this.add(i >= outCount, 0, 0, 0, 0);
      this.high[i] = state.u32(this.high[i] ?? 0);
      this.low[i] = state.u32(this.low[i] ?? 0);
      this.length[i] = state.u32(this.length[i] ?? 0);
      this.ram[i] = state.integer(this.ram[i] ?? 0);
    }
    this.bounced = bounced;
    this.descriptors = Math.max(this.descriptors, 1);
  }

  #sum(from: number, to: number): number {
    let bytes = 0;
    for (let i = from; i < to; i++) bytes += this.length[i] ?? 0;
    return bytes;
  }

  #grow(): void {
    const size = this.length.length * 2;
    const high = new Uint32Array(size);
    const low = new Uint32Array(size);
    const length = new Uint32Array(size);
    const ram = new Float64Array(size);
    high.set(this.high);
    low.set(this.low);
    length.set(this.length);
    ram.set(this.ram);
    this.high = high;
    this.low = low;
    this.length = length;
    this.ram = ram;
  }
}
