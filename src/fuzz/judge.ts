import type { MachineEvent, Tap } from '../emu/core/tap.ts';
import { FeatureSet } from './features.ts';
import type { Ground } from './invariants/invariant.ts';
import { MemoryInvariant } from './invariants/memory.ts';
import { TranslationInvariant } from './invariants/translation.ts';
import { WorkInvariant } from './invariants/work.ts';

/** What broke: by whose judgement, and in which words. */
export interface Breach {
  readonly oracle: string;
  readonly reason: string;
}

/** The tap of a run: every event goes to the features and to each invariant that watches events. */
export class Judge implements Tap {
  readonly wantsGuestWrites = false;
  readonly features: FeatureSet = new FeatureSet();
  readonly #memory: MemoryInvariant = new MemoryInvariant();
  readonly #translation: TranslationInvariant = new TranslationInvariant();
  readonly #work: WorkInvariant = new WorkInvariant();
  #watching = false;

  /** Before a machine runs a case. */
  begin(): void {
    this.features.begin();
    this.#watching = false;
  }

  /** The driver has found its device: from here on accesses are judged. */
  watch(ground: Ground): void {
    this.#memory.begin(ground);
    this.#translation.begin(ground);
    this.#work.begin(ground);
    this.#watching = true;
  }

  /** Entries of all rings that the driver has set up. */
  rings(entries: number): void {
    this.#work.rings(entries);
  }

  take(event: MachineEvent): void {
    this.features.take(event);
    if (!this.#watching) return;
    // Called one by one, so that each call site sees one class and is inlined.
    this.#work.take(event);
    this.#memory.take(event);
    this.#translation.take(event);
  }

  loseTrack(): void {
    this.#memory.loseTrack();
    this.#translation.loseTrack();
  }

  regainTrack(): void {
    this.#memory.regainTrack();
    this.#translation.regainTrack();
  }

  get breach(): Breach | undefined {
    if (this.#work.breach !== '') return { oracle: 'G2', reason: this.#work.breach };
    if (this.#memory.breach !== '') return { oracle: 'G1', reason: this.#memory.breach };
    if (this.#translation.breach !== '') return { oracle: 'G1-tce', reason: this.#translation.breach };
    return undefined;
  }
}
