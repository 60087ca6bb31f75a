import type { ClauseProofs } from '../_laws.ts';

export const BLK_PROOFS: ClauseProofs = {};
