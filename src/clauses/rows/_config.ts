import type { ClauseProofs } from '../_laws.ts';

export const CONFIG_PROOFS: ClauseProofs = {};
