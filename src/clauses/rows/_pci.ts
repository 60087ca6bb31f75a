import type { ClauseProofs } from '../_laws.ts';

export const PCI_PROOFS: ClauseProofs = {};
