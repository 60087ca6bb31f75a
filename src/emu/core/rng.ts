import seedrandom from 'seedrandom';
import type { StateStream } from './state.ts';

/** The generator's name as recordings carry it; another algorithm or seed form is another name. */
export const RNG_ALGORITHM = 'seedrandom-3.0.5/tychei/int32';

/**
 * The machine's one source of chance: seedrandom's Tyche-i, whose state is four 32-bit words and whose steps are
 * integer only, drawn as 32-bit words so that no float rounding can enter. Seeds are always strings: numeric seeds
 * of some seedrandom algorithms give correlated first draws (measured in packages.md section 3.4).
 */
export class Rng {
  #generator: seedrandom.StatefulPRNG<seedrandom.State.Tychei>;

  constructor(seed: string) {
    this.#generator = seedrandom.tychei(seed, { state: true });
  }

  /** An independent stream for one purpose: a draw added to one stream never shifts another. */
  static stream(seed: string, purpose: string): Rng {
    return new Rng(`${seed}/${purpose}`);
  }

  u32(): number {
    return this.#generator.int32() >>> 0;
  }

  u64(): bigint {
    const high = this.u32();
    return (BigInt(high) << 32n) | BigInt(this.u32());
  }

  /** Unbiased integer in [0, bound), bound from 1 to 2^32. */
  below(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let draw = this.u32();
    while (draw >= limit) draw = this.u32();
    return draw % bound;
  }

  bytes(target: Uint8Array): void {
    let at = 0;
    while (at < target.length) {
      let word = this.u32();
      for (let i = 0; i < 4 && at < target.length; i++) {
        target[at++] = word & 0xff;
        word >>>= 8;
      }
    }
  }

  /** The generator's four words, so that a restored machine draws on exactly where the saved one stood. */
  exchange(state: StateStream): void {
    const words = this.#generator.state();
    const a = state.u32(words.a >>> 0);
    const b = state.u32(words.b >>> 0);
    const c = state.u32(words.c >>> 0);
    const d = state.u32(words.d >>> 0);
    if (state.restoring) {
      this.#generator = seedrandom.tychei('', { state: { a: a | 0, b: b | 0, c: c | 0, d: d | 0 } });
    }
  }
}
