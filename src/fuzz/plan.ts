import { Digest } from '../emu/core/digest.ts';
import { drawMachine, type MachineFilter } from './arbitraries/machine-config.ts';
import { oneOf, randomOf } from './arbitraries/drawn.ts';
import type { Case } from './case.ts';
import { machineRows, type MachineRow } from './machines.ts';
import { scenariosOf } from './scenarios/index.ts';
import type { Scenario } from './scenarios/scenario.ts';

/** Cases of one block share their machine and their scenario, so that a worker keeps one machine warm: making one
 * takes as long as forty cases. */
export const BLOCK_CASES = 256;
/** One case in so many is run twice and compared (G5). */
export const TWICE_EVERY = 64;

/** Judging a case clause by clause costs a few times what running it does: so many that a campaign loses less than half. */
export const CLAUSES_EVERY = 16;

/** What a campaign is made of, as plain data that goes to workers and into reports. */
export interface Plan {
  readonly seed: string;
  readonly scenarios: readonly string[];
  readonly filter: MachineFilter;
  readonly plants: readonly string[];
  /** One case in so many is held against the clauses of the specification; 0: none. CLAUSES_EVERY unless told. */
  readonly clausesEvery?: number;
}

/** Draws the cases of a plan: case i depends on the seed, the flags and i alone. */
export class Drawer {
  readonly #words: Uint32Array;
  readonly #scenarios: readonly Scenario[];
  readonly #rows: readonly MachineRow[];
  readonly #seed: string;

  /** Throws one sentence if the plan's words leave nothing to run. */
  constructor(plan: Plan) {
    this.#seed = plan.seed;
    this.#words = seedWords(plan.seed);
    this.#scenarios = scenariosOf(plan.scenarios);
    this.#rows = machineRows(plan.filter);
    if (this.#rows.length === 0) {
      throw new Error(
        'no machine is left to run on: QEMU refuses iommu_platform=on in other modes than modern (VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device), and machines are called pseries-2.1 … pseries-7.2',
      );
    }
  }

  draw(index: number): Case {
    const block = randomOf(this.#words, -1 - Math.floor(index / BLOCK_CASES));
    const scenario = oneOf(block, this.#scenarios);
    const drawn = drawMachine(block, this.#rows, this.#seed);
    const machine = scenario.device === undefined ? drawn : { ...drawn, device: scenario.device };
    return {
      scenario: scenario.name,
      machine,
      steps: scenario.program(randomOf(this.#words, index), machine),
    };
  }
}

/** Four words of a seed; both generators of a campaign hang on them. */
export function seedWords(seed: string): Uint32Array {
  const digest = new Digest();
  digest.word(seed.length);
  digest.bytes(new TextEncoder().encode(seed));
  const hex = digest.hex();
  return Uint32Array.from([0, 8, 16, 24], (at) => Number.parseInt(hex.slice(at, at + 8), 16));
}

/** A seed for a campaign that was given none: short enough to be told on the telephone. */
export function drawSeed(random: () => number): string {
  const letters = 'bcdfghjklmnpqrstvwxz23456789';
  let text = '';
  for (let i = 0; i < 8; i++) text += letters[Math.floor(random() * letters.length)] ?? '';
  return text;
}
