import type { ClauseTable } from '../clause.ts';
import { PCI_IDENTITY } from './pci-identity.ts';
import { PCI_REGISTERS } from './pci-registers.ts';

/** Virtio over PCI (4.1). */
export const PCI_CLAUSES: ClauseTable = {
  name: 'pci',
  checkers: [...PCI_IDENTITY, ...PCI_REGISTERS],
  undecided: [
    {
      id: 'NTFY-DRV-007',
      why: 'what a driver does upon an interrupt that means both is to look at its used rings and at configuration that it may not care for; looking at RAM makes no event',
    },
  ],
};
