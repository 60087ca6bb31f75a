import { caseText } from './case-text.ts';
import { FEATURES_MAX } from './features.ts';
import type { Breach } from './judge.ts';
import { BLOCK_CASES, Drawer, TWICE_EVERY, type Plan } from './plan.ts';
import { Runner, type MachineFactory } from './runner.ts';

/** A case that reached something its worker had not met in an earlier case. */
export interface Candidate {
  readonly index: number;
  readonly features: readonly number[];
  readonly text: string;
}

export interface BlockFinding extends Breach {
  readonly index: number;
  readonly text: string;
}

export interface BlockResult {
  readonly block: number;
  readonly cases: number;
  readonly requests: number;
  readonly events: number;
  /** Of the digests of its cases, in order. */
  readonly digest: string;
  readonly candidates: readonly Candidate[];
  readonly findings: readonly BlockFinding[];
}

const FINDINGS_OF_A_BLOCK = 8;

/**
 * Runs blocks of a plan. A worker gets its blocks in rising order, so a feature it has met before was met in an earlier
 * case; what it holds back for that reason the campaign, which merges by case number, would not have kept either.
 */
export class BlockRunner {
  readonly #drawer: Drawer;
  readonly #runner: Runner;
  readonly #met: Uint8Array = new Uint8Array(FEATURES_MAX);
  /** Told which case is about to run, for whoever watches from outside. */
  readonly #progress: Int32Array | undefined;

  constructor(plan: Plan, factory: MachineFactory, progress?: Int32Array) {
    this.#drawer = new Drawer(plan);
    this.#runner = new Runner(factory);
    this.#progress = progress;
  }

  /** Runs the cases of `block` below `end`. */
  run(block: number, end: number): BlockResult {
    const first = block * BLOCK_CASES;
    const last = Math.min(end, first + BLOCK_CASES);
    const candidates: Candidate[] = [];
    const findings: BlockFinding[] = [];
    let requests = 0;
    let events = 0;
    let low = 0x811c9dc5;
    let high = 0x1b873593;
    for (let index = first; index < last; index++) {
      if (this.#progress !== undefined) Atomics.store(this.#progress, 0, index);
      const value = this.#drawer.draw(index);
      const outcome = index % TWICE_EVERY === 0 ? this.#runner.runTwice(value) : this.#runner.run(value);
      requests += outcome.requests;
      events += outcome.events;
      low = Math.imul(low ^ outcome.digestLow, 0x01000193);
      high = Math.imul(high ^ outcome.digestHigh ^ (low >>> 13), 0x85ebca6b);
      const features = this.#newFeatures();
      if (features.length > 0) candidates.push({ index, features, text: caseText(value) });
      if (outcome.breach !== undefined && findings.length < FINDINGS_OF_A_BLOCK) {
        findings.push({ index, ...outcome.breach, text: caseText(value) });
      }
    }
    return {
      block,
      cases: last - first,
      requests,
      events,
      digest: (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0'),
      candidates,
      findings,
    };
  }

  #newFeatures(): number[] {
    const { touched, count } = this.#runner.judge.features;
    const met = this.#met;
    const found: number[] = [];
    for (let i = 0; i < count; i++) {
      const feature = touched[i] ?? 0;
      if (met[feature] === 1) continue;
      met[feature] = 1;
      found.push(feature);
    }
    return found;
  }
}
