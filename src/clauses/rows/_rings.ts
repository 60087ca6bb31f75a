import type { ClauseProofs } from '../_laws.ts';

export const RINGS_PROOFS: ClauseProofs = {};
