import type { Partition } from './partition.ts';

/**
 * The registers of a hypercall under way, live: argument n is r(4 + n), and what a handler sets is what the guest
 * finds. Halves are read without making a bigint.
 */
export class HcallFrame {
  #registers: BigUint64Array = new BigUint64Array(10);
  #words: Uint32Array = new Uint32Array(this.#registers.buffer);

  /** Binding the same registers again costs a comparison. */
  bind(registers: BigUint64Array): void {
    if (registers === this.#registers) return;
    this.#registers = registers;
    this.#words = new Uint32Array(registers.buffer, registers.byteOffset, 20);
  }

  /** r3 at entry: below 2^53 or Infinity. */
  get token(): number {
    return this.#words[1] === 0 ? (this.#words[0] ?? 0) : Infinity;
  }

  /** Status into r3, sign-extended. */
  finish(status: number): void {
    this.#words[0] = status;
    this.#words[1] = status < 0 ? 0xffff_ffff : 0;
  }

  high(argument: number): number {
    return this.#words[2 * argument + 3] ?? 0;
  }

  low(argument: number): number {
    return this.#words[2 * argument + 2] ?? 0;
  }

  argument(argument: number): bigint {
    return this.#registers[argument + 1] ?? 0n;
  }

  /** The argument if it is below 2^53, else Infinity. */
  small(argument: number): number {
    const high = this.high(argument);
    return high < 2 ** 21 ? high * 2 ** 32 + this.low(argument) : Infinity;
  }

  set(argument: number, value: bigint): void {
    this.#registers[argument + 1] = value;
  }

  setWords(argument: number, high: number, low: number): void {
    this.#words[2 * argument + 3] = high;
    this.#words[2 * argument + 2] = low;
  }
}

/** Returned by a call that leaves r3 as it was. */
export const LEAVE_R3: number = 2 ** 31;

export interface Hcall {
  readonly number: number;
  readonly name: string;
  /** Answers the call: its status, for r3. */
  readonly run: (partition: Partition, frame: HcallFrame) => number;
}
