import type { Chain } from '../chain.ts';
import type { ClauseTable } from '../clause.ts';

function isWritable(chain: Chain): boolean {
  for (let at = 0; at < chain.count; at++) if (!chain.writable(at)) return false;
  return true;
}

/** Entropy device (5.4). */
export const RNG_CLAUSES: ClauseTable = {
  name: 'rng',
  type: 4,
  checkers: [
    {
      id: 'RNG-DRV-001',
      judge: 'driver',
      watch: (clause) => {
        const see = (chain: Chain): void => {
          clause.holds(isWritable(chain), 'a buffer for entropy has a part for the device to read');
        };
        return {
          onAvailable: (_queue, chain) => {
            see(chain);
          },
          onTaken(queue, chain) {
            if (!queue.driverSeen) see(chain);
          },
        };
      },
    },
    {
      id: 'RNG-DEV-001',
      judge: 'device',
      watch: (clause, device) => ({
        onUsed(queue, chain) {
          if (chain.writableBytes === 0 || queue.broken !== '' || device.misused !== '') return;
          clause.holds(chain.usedLength > 0, 'a buffer comes back without a byte of entropy');
        },
      }),
    },
  ],
  undecided: [
    {
      id: 'RNG-DRV-002',
      why: 'what a driver makes of a length inside the guest crosses no seam; our drivers are held to it by their own tests',
    },
  ],
};
