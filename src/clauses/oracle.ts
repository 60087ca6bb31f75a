import type { MachineEvent, Tap } from '../emu/core/tap.ts';
import type { ClauseChecker, ClauseTable, Judged, Judgement } from './clause.ts';
import { emptyLists, HOOK_NAMES } from './hooks.ts';
import type { HookLists, Hooks, RegisterAccess, RegisterHooks } from './hooks.ts';
import { ObservedWorld } from './observed-world.ts';
import { CLAUSE_TABLES } from './rows/index.ts';
import type { VirtioFunction } from './virtio-function.ts';

/** Findings whose sentences are kept; beyond, they are counted. */
const BREAKS_MAX = 64;

/** A clause that was broken: the first time in a stream. */
export interface BrokenClause {
  readonly id: string;
  readonly judge: Judged;
  readonly sentence: string;
  /** Numbers of the events that it takes, as recordings count them. */
  readonly events: readonly number[];
}

/** What is judged: all clauses unless told. */
export interface OracleOptions {
  readonly tables?: readonly ClauseTable[];
  readonly only?: (checker: ClauseChecker) => boolean;
}

/**
 * Holds a stream of events against the clauses of the specification. One checker runs for each clause and function; all
 * that they know is what an ObservedWorld shows them.
 */
export class ClauseOracle implements Tap {
  readonly wantsGuestWrites = true;
  readonly checkers: readonly ClauseChecker[];
  /** By index in `checkers`, since the oracle was made: situations in which a clause applied, and in which it was broken. */
  readonly exercised: Float64Array;
  readonly broken: Float64Array;
  /** Of the stream that is being judged. */
  readonly breaks: BrokenClause[] = [];
  readonly world: ObservedWorld;
  /** Streams begun. */
  stream = 0;
  readonly #types: readonly (number | undefined)[];
  /** By function and device type: made once, begun anew with each stream. */
  readonly #watched: Map<VirtioFunction, Map<number, Watched>> = new Map();
  readonly #brokenHere: Uint8Array;

  constructor(options: OracleOptions = {}) {
    const checkers: ClauseChecker[] = [];
    const types: (number | undefined)[] = [];
    for (const table of options.tables ?? CLAUSE_TABLES) {
      for (const checker of table.checkers) {
        if (options.only?.(checker) === false) continue;
        checkers.push(checker);
        types.push(table.type);
      }
    }
    this.checkers = checkers;
    this.#types = types;
    this.exercised = new Float64Array(checkers.length);
    this.broken = new Float64Array(checkers.length);
    this.#brokenHere = new Uint8Array(checkers.length);
    this.world = new ObservedWorld((found) => this.#meet(found));
  }

  /** A new stream: counts go on, everything else is forgotten. */
  begin(): void {
    this.stream++;
    this.breaks.length = 0;
    this.#brokenHere.fill(0);
    this.world.begin();
  }

  take(event: MachineEvent): void {
    this.world.take(event);
  }

  /** The stream is over. */
  end(): void {
    this.world.end();
  }

  /** Clauses that applied at least once, and clauses that were broken at least once. */
  get exercisedCount(): number {
    let count = 0;
    for (const times of this.exercised) if (times > 0) count++;
    return count;
  }

  #meet(found: VirtioFunction): void {
    let byType = this.#watched.get(found);
    if (byType === undefined) {
      byType = new Map();
      this.#watched.set(found, byType);
    }
    let watched = byType.get(found.type);
    if (watched === undefined) {
      watched = this.#watch(found);
      byType.set(found.type, watched);
    }
    found.hooks = watched.lists;
    found.registerHooks = watched.single;
    for (const watch of watched.watches) watch.begin();
    for (const hook of found.hooks.onBegin) hook();
    // What made the function known is the first that there is to know of it.
    for (const hook of found.hooks.onConfigSpaceRead) hook(0, 4, found.configWord(0));
  }

  #watch(found: VirtioFunction): Watched {
    const watches: Watch[] = [];
    const lists = emptyLists();
    const single: RegisterHooks = { read: [], write: [] };
    this.checkers.forEach((checker, index) => {
      const type = this.#types[index];
      if (type === undefined || type === found.type)
        watches.push(new Watch(this, index, checker, found, lists, single));
    });
    return { watches: watches.filter((watch) => watch.remembers), lists, single };
  }

  /** A checker says that its clause is broken. */
  report(index: number, checker: ClauseChecker, sentence: string, events: readonly number[]): void {
    this.broken[index] = (this.broken[index] ?? 0) + 1;
    if (this.#brokenHere[index] === 1 || this.breaks.length === BREAKS_MAX) return;
    this.#brokenHere[index] = 1;
    this.breaks.push({ id: checker.id, judge: checker.judge, sentence, events });
  }
}

interface Watched {
  /** Those that have something to forget. */
  readonly watches: readonly Watch[];
  readonly lists: HookLists;
  readonly single: RegisterHooks;
}

/** One checker at one function: its hooks and its memory. */
class Watch implements Judgement {
  readonly #oracle: ClauseOracle;
  readonly #index: number;
  readonly #checker: ClauseChecker;
  /** Every state with what it is at the start. */
  readonly #states: { readonly now: object; readonly initial: object }[] = [];
  /** The stream in which `applies` was said and not used up: `breaks` does not say it again. */
  #appliedIn = 0;

  constructor(
    oracle: ClauseOracle,
    index: number,
    checker: ClauseChecker,
    found: VirtioFunction,
    lists: HookLists,
    single: RegisterHooks,
  ) {
    this.#oracle = oracle;
    this.#index = index;
    this.#checker = checker;
    const hooks: Hooks = checker.watch(this, found);
    for (const name of HOOK_NAMES) {
      const hook: ((...told: never[]) => void) | undefined = hooks[name];
      if (hook === undefined) continue;
      const { registers } = hooks;
      const byRegister =
        name === 'onRegisterRead' ? single.read : name === 'onRegisterWrite' ? single.write : undefined;
      // Arrow functions and methods that have no use for `this`: a bound function costs more to call.
      if (registers === undefined || byRegister === undefined) (lists[name] as unknown[]).push(hook);
      else
        for (const offset of registers)
          (byRegister[offset] ??= []).push(hook as (access: RegisterAccess) => void);
    }
  }

  get remembers(): boolean {
    return this.#states.length > 0;
  }

  get event(): number {
    return this.#oracle.world.event;
  }

  begin(): void {
    for (const { now, initial } of this.#states) Object.assign(now, initial);
  }

  state<T extends object>(initial: T): T {
    const now = { ...initial };
    this.#states.push({ now, initial });
    return now;
  }

  applies(): void {
    const { exercised } = this.#oracle;
    exercised[this.#index] = (exercised[this.#index] ?? 0) + 1;
    this.#appliedIn = this.#oracle.stream;
  }

  breaks(sentence: string, since?: number): void {
    const { event } = this;
    if (this.#appliedIn !== this.#oracle.stream) this.applies();
    this.#appliedIn = 0;
    const events = since === undefined || since === event ? [event] : [since, event];
    this.#oracle.report(this.#index, this.#checker, sentence, events);
  }

  holds(condition: boolean, sentence: string, since?: number): void {
    this.applies();
    if (!condition) this.breaks(sentence, since);
  }
}
