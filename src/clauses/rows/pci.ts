import type { ClauseTable } from '../clause.ts';

/** Virtio over PCI (4.1). */
export const PCI_CLAUSES: ClauseTable = {
  name: 'pci',
  checkers: [],
  undecided: [],
};
