import type { ClauseProofs } from '../_laws.ts';

export const RNG_PROOFS: ClauseProofs = {};
