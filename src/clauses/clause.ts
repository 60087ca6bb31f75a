import type { Hooks } from './hooks.ts';
import type { VirtioFunction } from './virtio-function.ts';

/** Whom a clause binds, and so who broke it. */
export type Judged = 'driver' | 'device';

/**
 * What a checker says. Everything is about the event that is being seen; sentences are whole, without the clause's number:
 * whoever prints a finding puts clause and section in front.
 */
export interface Judgement {
  /** A situation in which the clause applies was met. */
  applies(): void;
  /** The clause was broken, and (unless `applies` said so before) applied. `since` is an earlier event that it takes. */
  breaks(sentence: string, since?: number): void;
  /** `applies`, and `breaks` if the condition does not hold. */
  holds(condition: boolean, sentence: string, since?: number): void;
  /** A checker's own memory, of plain values: it is as given here at the start of every stream. */
  state<T extends object>(initial: T): T;
  /** Number of the event that is being seen: what `since` takes. */
  readonly event: number;
}

/** One clause with who watches over it: a row of one of the tables in `rows/`. */
export interface ClauseChecker {
  /** As in the catalogue: STAT-DRV-002, IMP-RING-004. */
  readonly id: string;
  readonly judge: Judged;
  /** Called once for every function that is met; state that is not in `judgement.state` is cleared in `onBegin`. */
  readonly watch: (judgement: Judgement, device: VirtioFunction) => Hooks;
}

/** A row that nobody can decide, or that the catalogue has wrong; the reason is shown in place of a count. */
interface UndecidedClause {
  readonly id: string;
  readonly why: string;
}

/** One file of `rows/`: the checkers of a few sections. */
export interface ClauseTable {
  readonly name: string;
  /** VIRTIO device type that the rows are about; absent: every type. */
  readonly type?: number;
  readonly checkers: readonly ClauseChecker[];
  readonly undecided: readonly UndecidedClause[];
}
