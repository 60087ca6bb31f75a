import type { Stateful, StateStream } from '../../core/state.ts';
import { Rng } from '../../core/rng.ts';

/** Where an entropy device takes its bytes from. */
export interface EntropySource extends Stateful {
  fill(target: Uint8Array): void;
}

/** The machine's own chance: one stream a device, so that devices do not shift each other's bytes. */
export class SeededEntropy implements EntropySource {
  readonly #rng: Rng;

  constructor(seed: string, id: string) {
    this.#rng = Rng.stream(seed, `entropy/${id}`);
  }

  fill(target: Uint8Array): void {
    this.#rng.bytes(target);
  }

  exchange(state: StateStream): void {
    this.#rng.exchange(state);
  }
}
