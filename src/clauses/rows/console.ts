import type { ClauseTable } from '../clause.ts';

/** Console device (5.3). */
export const CONSOLE_CLAUSES: ClauseTable = {
  name: 'console',
  type: 3,
  checkers: [],
  undecided: [],
};
