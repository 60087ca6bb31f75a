import type fc from 'fast-check';
import { smallerMachines } from './arbitraries/machine-config.ts';
import { clauseById } from '../clauses/catalogue.ts';
import { Drawn } from './arbitraries/drawn.ts';
import { smallerPrograms } from './arbitraries/step.ts';
import type { Case } from './case.ts';
import type { Breach } from './judge.ts';
import { machineRows } from './machines.ts';
import type { Runner } from './runner.ts';

/** Runs that making a case smaller may cost. */
const RUNS_MAX = 3000;

export interface Minimised {
  readonly value: Case;
  readonly breach: Breach;
  readonly runs: number;
}

/** What two breaches share if they are one finding: the oracle, and the reason without its figures. */
export function bucketOf(breach: Breach): string {
  return `${breach.oracle}: ${breach.reason.replaceAll(/0x[0-9a-f]+|\d+/g, '#')}`;
}

/** Cases as an arbitrary: drawn by a scenario elsewhere, shrunk here. Steps go first, then the machine gets plainer. */
export function caseArbitrary(draw: (random: fc.Random) => Case): Drawn<Case> {
  return new Drawn(draw, smallerCases, (value): value is Case => typeof value === 'object' && value !== null);
}

export function* smallerCases(value: Case): Generator<Case> {
  for (const steps of smallerPrograms(value.steps)) yield { ...value, steps };
  for (const machine of smallerMachines(value.machine, machineRows({}))) yield { ...value, machine };
}

/** The smallest case found that breaks in the same way. The case given must break. */
export function minimise(runner: Runner, value: Case, breach: Breach): Minimised {
  const wanted = bucketOf(breach);
  const twice = breach.oracle === 'G5';
  const clauses = clauseById(breach.oracle) !== undefined;
  let found = breach;
  const small = shrinkCase(value, RUNS_MAX, (smaller) => {
    const outcome = twice ? runner.runTwice(smaller) : runner.run(smaller, { clauses });
    if (outcome.breach === undefined || bucketOf(outcome.breach) !== wanted) return false;
    found = outcome.breach;
    return true;
  });
  return { ...small, breach: found };
}

/** The smallest case found, in so many tries, of which `holds` still says yes, as it does of `value`. */
export function shrinkCase(
  value: Case,
  triesMax: number,
  holds: (smaller: Case) => boolean,
): { readonly value: Case; readonly runs: number } {
  const arbitrary = caseArbitrary(() => value);
  let present = value;
  let runs = 0;
  let shrinking = true;
  while (shrinking && runs < triesMax) {
    shrinking = false;
    for (const smaller of arbitrary.shrink(present)) {
      if (runs++ >= triesMax) break;
      if (!holds(smaller.value)) continue;
      present = smaller.value;
      shrinking = true;
      break;
    }
  }
  return { value: present, runs };
}
