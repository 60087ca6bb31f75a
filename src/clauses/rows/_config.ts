import type { ClauseProofs } from '../_laws.ts';

/** Device configuration of the stream's function, by its capability. */
const DEVICE = 0x74;

export const CONFIG_PROOFS: ClauseProofs = {
  'CFG-DRV-002': {
    breach: (s) => s.setUp().readConfig(0, 4).readConfig(4, 4).readGeneration(0),
    clean: (s) => s.setUp().readGeneration(0).readConfig(0, 4).readConfig(4, 4).readGeneration(0),
  },
  'CFG-DRV-003': {
    breach: (s) => s.setUp().readConfig(20, 4),
    clean: { offers: [6], play: (s) => s.setUp().readConfig(20, 4) },
  },
  'CFG-DRV-004': { breach: (s) => s.probe().reset().status(1).status(0x81) },
  'CFG-DRV-005': {
    breach: (s) => {
      s.setConfigByte(DEVICE + 12, 6, 0, 0, 0);
      s.setUp().readConfig(4, 4);
    },
    clean: (s) => {
      s.setConfigByte(DEVICE + 12, 6, 0, 0, 0);
      s.setUp().readConfig(4, 2);
    },
  },
  'CFG-DEV-001': {
    breach: (s) => {
      s.probe().reset().status(1).status(3).readConfig(0, 4, 0);
      s.negotiate().readConfig(0, 4, 2048);
    },
    clean: (s) => {
      s.probe().reset().status(1).status(3).readConfig(0, 4, 2048);
      s.negotiate().readConfig(0, 4, 2048);
    },
  },
};
