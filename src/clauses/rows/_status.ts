import type { ClauseProofs } from '../_laws.ts';

export const STATUS_PROOFS: ClauseProofs = {
  'STAT-DRV-001': { breach: (s) => s.probe().reset().status(1).status(5) },
  'STAT-DRV-002': { breach: (s) => s.probe().reset().status(1).status(3).status(2) },
  'STAT-DRV-003': {
    breach: (s) => s.probe().reset().status(0x81).status(0x83),
    clean: (s) => s.probe().reset().status(0x81).status(0x81),
  },
};
