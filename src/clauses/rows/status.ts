import type { ClauseTable } from '../clause.ts';

const ACKNOWLEDGE = 1;
const DRIVER = 2;
const DRIVER_OK = 4;
const FEATURES_OK = 8;
const NEEDS_RESET = 64;
const FAILED = 128;
/** Bits that a driver sets, in the order of initialization (3.1.1). */
const STEPS = [ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK];

/** Device status (2.1), reset (2.4), initialization (3.1), clean-up (3.3), suspension (3.4). */
export const STATUS_CLAUSES: ClauseTable = {
  name: 'status',
  checkers: [
    {
      id: 'STAT-DRV-001',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          const set = value & ~device.status;
          const last = STEPS.findLast((bit) => (set & bit) !== 0);
          if (last === undefined) return;
          const needed = STEPS.slice(0, STEPS.indexOf(last)).filter(
            (bit) => bit !== FEATURES_OK || !device.legacy,
          );
          const missing = needed.some((bit) => (value & bit) === 0);
          clause.holds(!missing, 'a step is recorded in status and one before it is not');
        },
      }),
    },
    {
      id: 'STAT-DRV-002',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if (value === 0) return;
          const kept = device.status & ~NEEDS_RESET;
          clause.holds(
            (kept & ~value) === 0,
            'a status bit that was set is cleared by a write that is no reset',
          );
        },
      }),
    },
    {
      id: 'STAT-DRV-003',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if ((device.status & FAILED) === 0 || value === 0) return;
          clause.holds(
            (value & FAILED) !== 0 && (value & ~device.status) === 0,
            'the driver goes on after FAILED without a reset',
          );
        },
      }),
    },
  ],
  undecided: [],
};
