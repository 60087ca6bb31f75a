import type { ClauseProofs } from '../_laws.ts';

export const FEATURES_PROOFS: ClauseProofs = {};
