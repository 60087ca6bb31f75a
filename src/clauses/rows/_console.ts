import type { ClauseProofs } from '../_laws.ts';

export const CONSOLE_PROOFS: ClauseProofs = {};
