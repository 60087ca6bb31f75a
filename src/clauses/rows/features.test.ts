import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { FEATURES_PROOFS } from './_features.ts';
import { FEATURES_CLAUSES } from './features.ts';

/** What real systems do, and so our guests: each is why its device refuses FEATURES_OK, or is of no consequence. */
const KNOWN = {
  'RSVD-DRV-003':
    'guests from before ACCESS_PLATFORM leave it out, and devices refuse them (guest profiles without the DMA API)',
  'LRSVD-DRV-001':
    'SLOF before 2018 walks the capabilities and accepts no feature at all through the legacy interface',
};

clauseLaws(test, FEATURES_CLAUSES, FEATURES_PROOFS, KNOWN);
