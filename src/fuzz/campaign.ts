import { Worker } from 'node:worker_threads';
import type { BlockClause, BlockFinding, BlockResult, Candidate } from './block.ts';
import { FEATURES_MAX } from './features.ts';
import { bucketOf } from './minimise.ts';
import { BLOCK_CASES, type Plan } from './plan.ts';
import type { WorkerStart, WorkerTask } from './worker.ts';

/** How long a campaign goes on. With neither it would not end. */
export interface Budget {
  readonly milliseconds: number | undefined;
  readonly runs: number | undefined;
  /** First case: not 0 when a campaign is resumed. */
  readonly from: number;
}

export interface CampaignState {
  readonly cases: number;
  readonly requests: number;
  readonly events: number;
  readonly features: number;
  readonly corpus: number;
  readonly findings: number;
  /** Cases since a new feature or finding. */
  readonly sinceNew: number;
}

export interface CampaignResult extends CampaignState {
  readonly digest: string;
  readonly kept: readonly Candidate[];
  /** One for each bucket: that of the smallest case number. */
  readonly found: readonly BlockFinding[];
  /** Every clause that applied, with the first case in which it did. */
  readonly clauses: readonly BlockClause[];
  readonly seconds: number;
  /** The case to resume from. */
  readonly next: number;
  /** A case that did not end, and that the campaign was stopped for. */
  readonly stuck: number | undefined;
}

/** Blocks that a worker has ahead, so that it never waits for an answer. */
const AHEAD = 2;
/** A case takes microseconds; one that has not ended after this long is in an endless loop. */
const STUCK_MS = 30_000;
const TICK_MS = 100;
const WORKER_HEAP_MIB = 96;

/**
 * Deals the blocks of a plan out to workers and merges what comes back in the order of case numbers, so that nothing
 * that is reported depends on how many workers there were or which was faster.
 */
export class Campaign {
  readonly #plan: Plan;
  readonly #budget: Budget;
  readonly #jobs: number;
  readonly #met: Uint8Array = new Uint8Array(FEATURES_MAX);
  readonly #waiting: Map<number, BlockResult> = new Map();
  readonly #buckets: Map<string, BlockFinding> = new Map();
  readonly #kept: Candidate[] = [];
  readonly #clauses: Map<string, BlockClause> = new Map();
  #nextBlock: number;
  #mergeBlock: number;
  #stopped = false;
  #cases = 0;
  #requests = 0;
  #events = 0;
  #features = 0;
  #newAt = 0;
  #low = 0;
  #high = 0;
  #stuck: number | undefined;

  constructor(plan: Plan, budget: Budget, jobs: number) {
    this.#plan = plan;
    this.#budget = budget;
    this.#jobs = jobs;
    this.#nextBlock = Math.floor(budget.from / BLOCK_CASES);
    this.#mergeBlock = this.#nextBlock;
  }

  /** Lets the blocks that are under way end, and deals no more. */
  stop(): void {
    this.#stopped = true;
  }

  get state(): CampaignState {
    return {
      cases: this.#cases,
      requests: this.#requests,
      events: this.#events,
      features: this.#features,
      corpus: this.#kept.length,
      findings: this.#buckets.size,
      sinceNew: this.#cases - this.#newAt,
    };
  }

  /** Runs to the end of the budget, or until `stop`. `tick` is called a few times a second. */
  async run(tick: (state: CampaignState) => void): Promise<CampaignResult> {
    const started = performance.now();
    const { milliseconds } = this.#budget;
    const timer =
      milliseconds === undefined ? undefined : setTimeout(() => this.stop(), Math.max(1, milliseconds));
    const ticker = setInterval(() => tick(this.state), TICK_MS);
    const hands = Array.from({ length: this.#jobs }, () => new Hand(this.#plan));
    try {
      await Promise.all(hands.map((hand) => this.#work(hand)));
    } finally {
      clearTimeout(timer);
      clearInterval(ticker);
      await Promise.all(hands.map((hand) => hand.dismiss()));
    }
    return {
      ...this.state,
      digest:
        (this.#high >>> 0).toString(16).padStart(8, '0') + (this.#low >>> 0).toString(16).padStart(8, '0'),
      kept: this.#kept,
      found: [...this.#buckets.values()],
      clauses: [...this.#clauses.values()],
      seconds: (performance.now() - started) / 1000,
      next: this.#mergeBlock * BLOCK_CASES,
      stuck: this.#stuck,
    };
  }

  async #work(hand: Hand): Promise<void> {
    const under: Promise<BlockResult | number>[] = [];
    for (;;) {
      for (let task = this.#deal(under.length); task !== undefined; task = this.#deal(under.length)) {
        under.push(hand.give(task));
      }
      const first = under.shift();
      if (first === undefined) return;
      const result = await first;
      if (typeof result === 'number') {
        this.#stuck = Math.min(result, this.#stuck ?? result);
        this.stop();
        return;
      }
      this.#waiting.set(result.block, result);
      this.#merge();
    }
  }

  #deal(under: number): WorkerTask | undefined {
    const end =
      this.#budget.runs === undefined ? Number.MAX_SAFE_INTEGER : this.#budget.from + this.#budget.runs;
    if (this.#stopped || under >= AHEAD || this.#nextBlock * BLOCK_CASES >= end) return undefined;
    return { block: this.#nextBlock++, end };
  }

  #merge(): void {
    for (;;) {
      const result = this.#waiting.get(this.#mergeBlock);
      if (result === undefined) return;
      this.#waiting.delete(this.#mergeBlock++);
      this.#take(result);
    }
  }

  #take(result: BlockResult): void {
    this.#cases += result.cases;
    this.#requests += result.requests;
    this.#events += result.events;
    this.#low = Math.imul(this.#low ^ Number.parseInt(result.digest.slice(8), 16), 0x01000193);
    this.#high = Math.imul(
      this.#high ^ Number.parseInt(result.digest.slice(0, 8), 16) ^ (this.#low >>> 13),
      0x85ebca6b,
    );
    for (const met of result.clauses) {
      const before = this.#clauses.get(met.id);
      const { exercised, broken } = before ?? { exercised: 0, broken: 0 };
      this.#clauses.set(met.id, {
        id: met.id,
        exercised: exercised + met.exercised,
        broken: broken + met.broken,
        index: before?.index ?? met.index,
      });
    }
    for (const candidate of result.candidates) {
      const added = candidate.features.filter((feature) => this.#met[feature] === 0);
      if (added.length === 0) continue;
      for (const feature of added) this.#met[feature] = 1;
      this.#features += added.length;
      // A worker that saw fewer cases before thinks more of them new: what counts is what the campaign had not met.
      this.#kept.push({ ...candidate, features: added });
      this.#newAt = this.#cases;
    }
    for (const finding of result.findings) {
      const bucket = bucketOf(finding);
      if (this.#buckets.has(bucket)) continue;
      this.#buckets.set(bucket, finding);
      this.#newAt = this.#cases;
    }
  }
}

/** One worker thread and the blocks it was given. */
class Hand {
  readonly #worker: Worker;
  readonly #progress: Int32Array;
  readonly #awaited: {
    readonly done: (result: BlockResult | number) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  #seen = -2;
  #seenAt = 0;
  readonly #watch: NodeJS.Timeout;

  constructor(plan: Plan) {
    this.#progress = new Int32Array(new SharedArrayBuffer(4));
    this.#progress[0] = -1;
    const start: WorkerStart = { plan, progress: this.#progress };
    // Beside this file, with its own suffix: the sources run as TypeScript, the installed package as JavaScript.
    this.#worker = new Worker(
      new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url),
      {
        workerData: start,
        execArgv: process.execArgv.filter((flag) => flag.startsWith('--disable-warning')),
        resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MIB },
      },
    );
    this.#worker.on('message', (result: BlockResult) => this.#awaited.shift()?.done(result));
    this.#worker.on('error', (error) => {
      for (const one of this.#awaited.splice(0))
        one.fail(error instanceof Error ? error : new Error(String(error)));
    });
    this.#watch = setInterval(() => this.#look(), 1000);
  }

  /** Resolves to what came of the block, or to the number of the case that would not end. */
  give(task: WorkerTask): Promise<BlockResult | number> {
    this.#worker.postMessage(task);
    return new Promise((done, fail) => {
      this.#awaited.push({ done, fail });
    });
  }

  async dismiss(): Promise<void> {
    clearInterval(this.#watch);
    await this.#worker.terminate();
  }

  #look(): void {
    const present = Atomics.load(this.#progress, 0);
    const now = performance.now();
    if (present !== this.#seen || this.#awaited.length === 0) {
      this.#seen = present;
      this.#seenAt = now;
    } else if (now - this.#seenAt > STUCK_MS) {
      for (const one of this.#awaited.splice(0)) one.done(present);
    }
  }
}
