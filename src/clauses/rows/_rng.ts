import type { ClauseProofs } from '../_laws.ts';

export const RNG_PROOFS: ClauseProofs = {
  'RNG-DRV-001': { breach: { device: 'rng', play: (s) => s.setUp().request(0, [[1], 16], [1, 2]) } },
  'RNG-DEV-001': { breach: { device: 'rng', play: (s) => s.setUp().request(0, [16], []) } },
};
