import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { PCI_PROOFS } from './_pci.ts';
import { PCI_CLAUSES } from './pci.ts';

/** What real systems do, and so our guests. */
const KNOWN = {
  'PCI-DRV-001':
    'firmware looks at every virtio function on its way and leaves those of types that it has no driver for',
};

clauseLaws(test, PCI_CLAUSES, PCI_PROOFS, KNOWN);
