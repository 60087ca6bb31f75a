import type { StateStream } from '../../emu/core/state.ts';
import type { EntropySource } from '../../emu/devices/backends/entropy.ts';

const WORDS = 624;
const SHIFT = 397;
/**
 * Words that the machine of the logs draws before its first device: a seed for the thread of its one CPU, and 32 bytes
 * of `rng-seed` for the device tree.
 */
const DRAWN_BEFORE = 10;

/**
 * The bytes that the QEMU of the logs gave its entropy device, as its host input: glib's Mersenne Twister under `-seed`
 * (QEMU util/guest-random.c). Matsumoto and Nishimura, mt19937ar, seeded by an array.
 */
export class QemuEntropy implements EntropySource {
  readonly #state: Uint32Array<ArrayBuffer> = new Uint32Array(WORDS);
  #at: number = WORDS;

  constructor(seed: number) {
    this.#seed([seed >>> 0, Math.floor(seed / 2 ** 32)]);
    for (let i = 0; i < DRAWN_BEFORE; i++) this.#word();
  }

  fill(target: Uint8Array): void {
    for (let i = 0; i < target.length; i += 4) {
      let word = this.#word();
      for (let k = i; k < Math.min(i + 4, target.length); k++) {
        target[k] = word & 0xff;
        word >>>= 8;
      }
    }
  }

  exchange(state: StateStream): void {
    for (let i = 0; i < WORDS; i++) this.#state[i] = state.u32(this.#state[i] ?? 0);
    this.#at = state.u16(this.#at);
  }

  #seed(key: readonly number[]): void {
    const state = this.#state;
    state[0] = 19650218;
    for (let i = 1; i < WORDS; i++) state[i] = Math.imul(1812433253, this.#mixed(i)) + i;
    let at = 1;
    for (let k = 0; k < WORDS; k++) {
      const from = k % key.length;
      state[at] = ((state[at] ?? 0) ^ Math.imul(1664525, this.#mixed(at))) + (key[from] ?? 0) + from;
      at = this.#next(at);
    }
    for (let k = 1; k < WORDS; k++) {
      state[at] = ((state[at] ?? 0) ^ Math.imul(1566083941, this.#mixed(at))) - at;
      at = this.#next(at);
    }
    state[0] = 0x80000000;
  }

  #mixed(at: number): number {
    const before = this.#state[at - 1] ?? 0;
    return before ^ (before >>> 30);
  }

  #next(at: number): number {
    if (at + 1 < WORDS) return at + 1;
    this.#state[0] = this.#state[WORDS - 1] ?? 0;
    return 1;
  }

  #word(): number {
    if (this.#at === WORDS) this.#turn();
    let word = this.#state[this.#at++] ?? 0;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #turn(): void {
    const state = this.#state;
    for (let k = 0; k < WORDS; k++) {
      const next = state[(k + 1) % WORDS] ?? 0;
      const word = ((state[k] ?? 0) & 0x80000000) | (next & 0x7fffffff);
      state[k] = (state[(k + SHIFT) % WORDS] ?? 0) ^ (word >>> 1) ^ ((next & 1) === 0 ? 0 : 0x9908b0df);
    }
    this.#at = 0;
  }
}
