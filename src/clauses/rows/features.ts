import type { ClauseTable } from '../clause.ts';

/** Feature bits (2.2) and reserved feature bits (6). */
export const FEATURES_CLAUSES: ClauseTable = {
  name: 'features',
  checkers: [],
  undecided: [],
};
