import type { ClauseProofs } from '../_laws.ts';

export const BALLOON_PROOFS: ClauseProofs = {};
