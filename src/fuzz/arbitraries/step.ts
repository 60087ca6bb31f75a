import type fc from 'fast-check';
import { PLACES, type Place, type Step } from '../case.ts';
import { STEP_NAMES, stepRow, type StepArgument, type StepName, type StepRow } from '../steps.ts';
import { drawChain, smallerChains } from './chain.ts';
import { below, Drawn, oneIn, oneOf, towards, withSmaller, without } from './drawn.ts';
import { drawRing, smallerRings } from './ring.ts';

export interface StepOptions {
  readonly names?: readonly StepName[];
  readonly places?: readonly Place[];
  readonly maxChain?: number;
}

const CHAIN_MAX = 64;
const RING_MAX = 32;

/** Any step of the table, every argument inside its limits: edges, plain values and anything between. */
export function stepArbitrary(options: StepOptions = {}): Drawn<Step> {
  const names = options.names ?? STEP_NAMES.filter((name) => name !== 'fail');
  const places = options.places ?? PLACES;
  return new Drawn(
    (random) => drawStep(random, oneOf(random, names), places, options.maxChain ?? CHAIN_MAX),
    smallerSteps,
    isStep,
  );
}

/** Programs of steps; `maxLength` is really reached. */
export function programArbitrary(
  options: StepOptions & { readonly maxLength?: number } = {},
): Drawn<readonly Step[]> {
  const one = stepArbitrary(options);
  const maxLength = options.maxLength ?? 32;
  return new Drawn(
    (random) => {
      const steps: Step[] = [];
      const length = 1 + below(random, maxLength);
      for (let i = 0; i < length; i++) steps.push(one.draw(random));
      return steps;
    },
    smallerPrograms,
    (value): value is readonly Step[] => Array.isArray(value) && value.every((item) => isStep(item)),
  );
}

export function drawStep(
  random: fc.Random,
  name: StepName,
  places: readonly Place[],
  maxChain: number = CHAIN_MAX,
): Step {
  const row = stepRow(name);
  const args = drawArguments(random, row);
  return {
    name,
    args,
    chain: row.carries === 'chain' ? drawChain(random, maxChain, places) : undefined,
    ring: row.carries === 'ring' ? drawRing(random, RING_MAX, places) : undefined,
  };
}

export function* smallerPrograms(value: readonly Step[]): Generator<readonly Step[]> {
  yield* without(value);
  yield* withSmaller(value, smallerSteps);
}

function* smallerSteps(value: Step): Generator<Step> {
  const row = stepRow(value.name);
  for (let at = 0; at < row.args.length; at++) {
    const argument = row.args[at];
    const given = value.args[at];
    if (argument === undefined || given === undefined) continue;
    for (const smaller of towards(given, argument.plain)) {
      const args = [...value.args];
      args[at] = smaller;
      yield { ...value, args };
    }
  }
  if (value.chain !== undefined) for (const chain of smallerChains(value.chain)) yield { ...value, chain };
  if (value.ring !== undefined) for (const ring of smallerRings(value.ring)) yield { ...value, ring };
}

function drawArguments(random: fc.Random, row: StepRow): number[] {
  const args: number[] = [];
  for (const argument of row.args) args.push(drawArgument(random, argument));
  return args;
}

function drawArgument(random: fc.Random, argument: StepArgument): number {
  if (argument.words !== undefined) return random.nextInt(argument.least, argument.most);
  if (argument.rare === true ? !oneIn(random, 16) : oneIn(random, 2)) return argument.plain;
  if (argument.edges !== undefined && !oneIn(random, 4)) return oneOf(random, argument.edges);
  // Small values are worth more than large ones: registers, indices and counts are small.
  const most = oneIn(random, 2) ? argument.most : Math.min(argument.most, argument.least + 63);
  return random.nextInt(argument.least, most);
}

function isStep(value: unknown): value is Step {
  return typeof value === 'object' && value !== null && 'name' in value && 'args' in value;
}
