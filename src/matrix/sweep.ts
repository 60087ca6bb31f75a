/**
 * Every cell, none sampled. A cell's answer depends on what its guest can see of the device and on how the guest
 * behaves, so each distinct pair is answered once and every cell of the axes looks its answer up: the sweep still
 * visits each cell, counts it and digests it.
 */
import { behaviourKey } from '../emu/guest/systems.ts';
import { OUTCOMES, type Outcome } from '../emu/machine/fate.ts';
import type { Policy } from '../emu/machine/policies.ts';
import type { Request } from '../emu/machine/prediction.ts';
import { capabilitiesOf, slotsOf, type Axes } from './axes.ts';
import type { Answer, Built, Source } from './cell.ts';

/** The cells of one device in one place on one machine: an answer for each guest, ordinary first, then secure. */
export interface Column {
  readonly request: Request;
  readonly built: Built;
  /** Outcome codes (indices of OUTCOMES), guest by guest; with both settings of secure, ordinary before secure. */
  readonly codes: Uint8Array;
  /** The answers behind the codes, in the same order. */
  readonly answers: readonly Answer[];
}

export interface SweepResult {
  readonly cells: number;
  readonly constructions: number;
  /** Distinct pairs of what is seen and how the guest behaves. */
  readonly pairs: number;
  readonly byPolicy: ReadonlyMap<string, Readonly<Record<Outcome, number>>>;
  readonly byOrigin: Readonly<Record<Answer['by'], number>>;
  /** 64 bits over every cell in order, hexadecimal. */
  readonly digest: string;
}

const CODE: ReadonlyMap<Outcome, number> = new Map(OUTCOMES.map((outcome, code) => [outcome, code]));

/** Visits all cells in the order of the axes, policy first and guest last. */
export function sweep(
  axes: Axes,
  source: Source,
  visit: (column: Column) => void = () => undefined,
): SweepResult {
  const columns = new Columns(axes, source);
  const byPolicy = new Map<string, Record<Outcome, number>>();
  const byOrigin = { run: 0, realize: 0, rule: 0 };
  const tally = new Float64Array(OUTCOMES.length);
  const digest = new CellDigest();
  let cells = 0;
  let constructions = 0;
  for (const policy of axes.policies) {
    tally.fill(0);
    for (const request of requests(axes, policy)) {
      const { column, origins } = columns.of(request);
      constructions++;
      cells += column.codes.length;
      for (const code of column.codes) {
        tally[code] = (tally[code] ?? 0) + 1;
        digest.add(code);
      }
      byOrigin.run += origins.run;
      byOrigin.realize += origins.realize;
      byOrigin.rule += origins.rule;
      visit(column);
    }
    byPolicy.set(policy.name, asRecord(tally));
  }
  return { cells, constructions, pairs: columns.pairs, byPolicy, byOrigin, digest: digest.text() };
}

function* requests(axes: Axes, policy: Policy): Generator<Request> {
  for (const version of axes.versions) {
    for (const device of axes.devices) {
      for (const slot of slotsOf(axes, policy)) {
        for (const capability of capabilitiesOf(policy)) {
          for (const properties of axes.settings) {
            yield { policy, version, device, slot, properties, globals: {}, capability };
          }
        }
      }
    }
  }
}

interface Origins {
  readonly run: number;
  readonly realize: number;
  readonly rule: number;
}

interface Known {
  readonly codes: Uint8Array;
  readonly answers: readonly Answer[];
  readonly origins: Origins;
}

/** Answers of all guests by what they see; the policy matters only in whether it lets a guest become secure. */
export class Columns {
  pairs = 0;
  readonly #axes: Axes;
  readonly #source: Source;
  readonly #known: Map<string, Known> = new Map();

  constructor(axes: Axes, source: Source) {
    this.#axes = axes;
    this.#source = source;
  }

  of(request: Request): { readonly column: Column; readonly origins: Origins } {
    const built = this.#source.construct(request);
    const { admits } = request.policy.secure;
    const letIn = admits === 'always' || (admits === 'capability' && request.capability);
    const key = `${letIn} ${built.by} ${built.key}`;
    const known = this.#known.get(key) ?? this.#answer(key, request, built);
    return { column: { request, built, codes: known.codes, answers: known.answers }, origins: known.origins };
  }

  #answer(key: string, request: Request, built: Built): Known {
    const { guests, secure } = this.#axes;
    const codes = new Uint8Array(guests.length * secure.length);
    const origins = { run: 0, realize: 0, rule: 0 };
    const answers: Answer[] = [];
    const seen = new Map<string, Answer>();
    for (const [row, guest] of guests.entries()) {
      for (const [half, asks] of secure.entries()) {
        // A guest that cannot become secure lives the same life either way.
        const tries = asks && guest.traits.secure !== 'never';
        const behaviour = `${behaviourKey(guest)} ${tries}`;
        let answer = seen.get(behaviour);
        if (answer === undefined) {
          answer = this.#source.answer({ ...request, guest, secure: asks }, built);
          seen.set(behaviour, answer);
          this.pairs++;
        }
        codes[row * secure.length + half] = CODE.get(answer.outcome) ?? 0;
        answers.push(answer);
        origins[answer.by]++;
      }
    }
    const found = { codes, origins, answers };
    this.#known.set(key, found);
    return found;
  }
}

function asRecord(tally: Float64Array): Record<Outcome, number> {
  return Object.fromEntries(OUTCOMES.map((outcome, code) => [outcome, tally[code] ?? 0])) as Record<
    Outcome,
    number
  >;
}

/** Two independent 32-bit FNV-1a sums: not against malice, but every change of any cell changes it. */
class CellDigest {
  #low = 0x811c9dc5;
  #high = 0x050c5d1f;

  add(code: number): void {
    this.#low = Math.imul(this.#low ^ code, 0x01000193);
    this.#high = Math.imul(this.#high ^ (code + 17), 0x01000193);
  }

  text(): string {
    return [this.#high, this.#low].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
