import type { ClauseOracle } from '../clauses/oracle.ts';
import { caseText } from './case-text.ts';
import { FEATURES_MAX } from './features.ts';
import type { Breach } from './judge.ts';
import { BLOCK_CASES, CLAUSES_EVERY, Drawer, TWICE_EVERY, type Plan } from './plan.ts';
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
  readonly clauses: readonly BlockClause[];
}

/** What a block met of one clause: how often it applied and was broken, and the case in which it first did. */
export interface BlockClause {
  readonly id: string;
  readonly exercised: number;
  readonly broken: number;
  readonly index: number;
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
  readonly #clausesEvery: number;

  constructor(plan: Plan, factory: MachineFactory, progress?: Int32Array) {
    this.#drawer = new Drawer(plan);
    this.#runner = new Runner(factory);
    this.#clausesEvery = plan.clausesEvery ?? CLAUSES_EVERY;
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
    const clauses = this.#clausesEvery === 0 ? undefined : new ClauseCount(this.#runner.clauses);
    for (let index = first; index < last; index++) {
      if (this.#progress !== undefined) Atomics.store(this.#progress, 0, index);
      const value = this.#drawer.draw(index);
      const options = { clauses: clauses !== undefined && index % this.#clausesEvery === 0 };
      const outcome =
        index % TWICE_EVERY === 0 ? this.#runner.runTwice(value, options) : this.#runner.run(value, options);
      if (options.clauses) clauses?.count(index);
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
      clauses: clauses?.met() ?? [],
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

/** What the clause oracle counted since this was made, and when each clause first applied. */
class ClauseCount {
  readonly #oracle: ClauseOracle;
  readonly #exercised: Float64Array;
  readonly #broken: Float64Array;
  readonly #first: Float64Array;

  constructor(oracle: ClauseOracle) {
    this.#oracle = oracle;
    this.#exercised = oracle.exercised.slice();
    this.#broken = oracle.broken.slice();
    this.#first = new Float64Array(oracle.checkers.length).fill(-1);
  }

  /** The case of this number was judged. */
  count(index: number): void {
    const { exercised } = this.#oracle;
    for (let i = 0; i < exercised.length; i++) {
      if (this.#first[i] === -1 && exercised[i] !== this.#exercised[i]) this.#first[i] = index;
    }
  }

  met(): BlockClause[] {
    const { checkers, exercised, broken } = this.#oracle;
    return checkers.flatMap(({ id }, i) => {
      const times = (exercised[i] ?? 0) - (this.#exercised[i] ?? 0);
      const index = this.#first[i] ?? -1;
      return times === 0
        ? []
        : [{ id, exercised: times, broken: (broken[i] ?? 0) - (this.#broken[i] ?? 0), index }];
    });
  }
}
