import type { ClauseTable } from '../clause.ts';

/** Virtqueues: split, packed, notifications, queue reset (2.6, 2.7, 2.8, 2.10, 2.12). */
export const RINGS_CLAUSES: ClauseTable = {
  name: 'rings',
  checkers: [],
  undecided: [],
};
