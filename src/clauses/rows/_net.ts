import type { ClauseProofs } from '../_laws.ts';

export const NET_PROOFS: ClauseProofs = {};
