import type { ClauseTable } from '../clause.ts';

/** Device configuration space (2.5). */
export const CONFIG_CLAUSES: ClauseTable = {
  name: 'config',
  checkers: [],
  undecided: [],
};
