import type { ClauseProofs } from '../_laws.ts';

export const SCSI_PROOFS: ClauseProofs = {};
