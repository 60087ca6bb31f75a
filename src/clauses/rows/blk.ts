import type { ClauseTable } from '../clause.ts';

/** Block device (5.2). */
export const BLK_CLAUSES: ClauseTable = {
  name: 'blk',
  type: 2,
  checkers: [],
  undecided: [],
};
