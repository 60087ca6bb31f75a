import type { ClauseTable } from '../clause.ts';

/** Entropy device (5.4). */
export const RNG_CLAUSES: ClauseTable = {
  name: 'rng',
  type: 4,
  checkers: [],
  undecided: [],
};
