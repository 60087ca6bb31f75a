import type { ClauseTable } from '../clause.ts';

/** Network device (5.1). */
export const NET_CLAUSES: ClauseTable = {
  name: 'net',
  type: 1,
  checkers: [],
  undecided: [],
};
