import type fc from 'fast-check';
import { PLACES, type Step } from '../case.ts';
import type { StepName } from '../steps.ts';
import { below, Drawn, oneIn } from './drawn.ts';
import { drawStep, smallerPrograms } from './step.ts';

export interface TceMapOptions {
  readonly maxLength?: number;
  /** Whether dynamic windows come and go too. */
  readonly windows?: boolean;
}

const ENTRIES: readonly StepName[] = [
  'tce-put',
  'tce-put',
  'tce-stuff',
  'tce-indirect',
  'tce-get',
  'remap',
  'remap',
];
const WINDOWS: readonly StepName[] = ['ddw-query', 'ddw-create', 'ddw-create', 'ddw-remove', 'ddw-reset'];

/** A map as a sequence of the calls that make it: entries put, stuffed, listed and taken away, windows coming and going. */
export function tceMapArbitrary(options: TceMapOptions = {}): Drawn<readonly Step[]> {
  const maxLength = options.maxLength ?? 48;
  return new Drawn(
    (random) => drawTceMap(random, maxLength, options.windows ?? true),
    smallerPrograms,
    (value): value is readonly Step[] => Array.isArray(value),
  );
}

export function drawTceMap(random: fc.Random, maxLength: number, windows: boolean): Step[] {
  const steps: Step[] = [];
  const length = 1 + below(random, maxLength);
  for (let i = 0; i < length; i++) {
    const names = windows && oneIn(random, 4) ? WINDOWS : ENTRIES;
    steps.push(drawStep(random, names[below(random, names.length)] ?? 'tce-put', PLACES));
  }
  return steps;
}
