import type { ClauseTable } from '../clause.ts';

/** Memory balloon device (5.5). */
export const BALLOON_CLAUSES: ClauseTable = {
  name: 'balloon',
  type: 5,
  checkers: [],
  undecided: [],
};
