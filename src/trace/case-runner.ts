import type { Tap } from '../emu/core/tap.ts';
import type { BehaviourName } from '../emu/virtio/behaviour.ts';
import type { Origin, RecordingHeader } from './format.ts';
import type { Digested } from './recorder.ts';

/** What `papyrus record` was asked for, before anybody knows what it means. */
export interface CaseRequest {
  /** A corpus file, a scenario with a seed (`split-ring:42`), or a guest profile. */
  readonly name: string;
  readonly seed: string | undefined;
  readonly machine: string | undefined;
  readonly behaviour?: BehaviourName | undefined;
  readonly device: string | undefined;
  readonly guest: string | undefined;
}

/** The machine of a case as a recorder or a comparing tap needs it. */
export interface WatchedMachine extends Digested {
  setTap(tap: Tap | undefined): void;
}

/** A case that stands ready to run. */
export interface PreparedCase {
  /** What its recording begins with. */
  readonly header: RecordingHeader;
  /**
   * Builds the machine, hands it to `watch` before the guest's first action (which is when a tap is set), and lets
   * the guest run to its end, or until it is stopped in the middle of an action: then it returns 'cut', and the
   * recording makes no claim about what would have come next. Throws only for our own mistakes.
   */
  run(watch: (machine: WatchedMachine) => void): 'cut' | void;
}

/** Knows cases: the fuzzer implements it, so that recordings can be made and run again without trace knowing guests. */
export interface CaseRunner {
  /** Throws a UsageError-like Error with one sentence if there is no such case. */
  find(request: CaseRequest): PreparedCase;
  /** The case that made a recording; undefined if `origin` is of a kind it does not know. */
  again(origin: Origin, header: RecordingHeader): PreparedCase | undefined;
}
