import type { ClauseTable } from '../clause.ts';

/** SCSI host device (5.6). */
export const SCSI_CLAUSES: ClauseTable = {
  name: 'scsi',
  type: 8,
  checkers: [],
  undecided: [],
};
