import { assert } from './assert.ts';
import type { Digest } from './digest.ts';

/**
 * The number of what all `exchange` methods together describe. Whoever adds, drops or moves a field raises it once in a
 * release: the digest of a state then is another, and recordings of an older number are held to their events alone.
 */
export const STATE_LAYOUT = 2;

/**
 * One description of a component's state serves three purposes: saving, restoring and digesting. Every call hands
 * in the present value and returns the value to keep:
 *
 *     this.status = state.u8(this.status);
 *
 * A component that forgets a field is caught by the law "snapshot, run, restore, run again gives the same digest".
 */
export interface StateStream {
  /** True while values come out of a snapshot; derived state is rebuilt then. */
  readonly restoring: boolean;
  u8(value: number): number;
  u16(value: number): number;
  u32(value: number): number;
  /** Any integer that a double holds exactly. */
  integer(value: number): number;
  u64(value: bigint): bigint;
  bool(value: boolean): boolean;
  /** Fixed-length bytes, replaced in place when restoring. */
  bytes(target: Uint8Array): void;
  /** Bytes whose length is part of the state; restoring returns a new array. */
  blob(value: Uint8Array): Uint8Array;
}

export interface Stateful {
  exchange(state: StateStream): void;
}

const SCRATCH = new DataView(new ArrayBuffer(8));

/** Saves into a growing buffer, which `finish` returns. */
export class StateSaver implements StateStream {
  readonly restoring = false;
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;

  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  u8(value: number): number {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
    return value;
  }

  u16(value: number): number {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value);
    return value;
  }

  u32(value: number): number {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value);
    return value;
  }

  integer(value: number): number {
    assert(Number.isSafeInteger(value), 'state integers are exact');
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value);
    return value;
  }

  u64(value: bigint): bigint {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, value);
    return value;
  }

  bool(value: boolean): boolean {
    this.u8(value ? 1 : 0);
    return value;
  }

  bytes(target: Uint8Array): void {
    const at = this.#reserve(target.length);
    this.#bytes.set(target, at);
  }

  blob(value: Uint8Array): Uint8Array {
    this.u32(value.length);
    this.bytes(value);
    return value;
  }

  #reserve(length: number): number {
    const at = this.#at;
    this.#at = at + length;
    if (this.#at > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#at, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

/** Restores from what a StateSaver finished. The caller ends with `done`, which asserts that nothing is left over. */
export class StateLoader implements StateStream {
  readonly restoring = true;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(saved: Uint8Array) {
    this.#bytes = saved;
    this.#view = new DataView(saved.buffer, saved.byteOffset, saved.byteLength);
  }

  done(): void {
    assert(this.#at === this.#bytes.length, 'a snapshot is read to its last byte');
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  integer(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  bool(): boolean {
    return this.u8() !== 0;
  }

  bytes(target: Uint8Array): void {
    const at = this.#take(target.length);
    target.set(this.#bytes.subarray(at, at + target.length));
  }

  blob(): Uint8Array {
    const length = this.u32();
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  #take(length: number): number {
    const at = this.#at;
    this.#at = at + length;
    assert(this.#at <= this.#bytes.length, 'a snapshot holds every field');
    return at;
  }
}

/** Feeds every field into a digest, in the order of the description. */
export class StateHasher implements StateStream {
  readonly restoring = false;
  readonly #digest: Digest;

  constructor(digest: Digest) {
    this.#digest = digest;
  }

  u8(value: number): number {
    this.#digest.word(value);
    return value;
  }

  u16(value: number): number {
    this.#digest.word(value);
    return value;
  }

  u32(value: number): number {
    this.#digest.word(value);
    return value;
  }

  integer(value: number): number {
    SCRATCH.setFloat64(0, value);
    this.#digest.word(SCRATCH.getUint32(0));
    this.#digest.word(SCRATCH.getUint32(4));
    return value;
  }

  u64(value: bigint): bigint {
    SCRATCH.setBigUint64(0, value);
    this.#digest.word(SCRATCH.getUint32(0));
    this.#digest.word(SCRATCH.getUint32(4));
    return value;
  }

  bool(value: boolean): boolean {
    this.#digest.word(value ? 1 : 0);
    return value;
  }

  bytes(target: Uint8Array): void {
    this.#digest.bytes(target);
  }

  blob(value: Uint8Array): Uint8Array {
    this.#digest.word(value.length);
    this.#digest.bytes(value);
    return value;
  }
}
