import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { PCI_PROOFS } from './_pci.ts';
import { PCI_CLAUSES } from './pci.ts';

clauseLaws(test, PCI_CLAUSES, PCI_PROOFS);
