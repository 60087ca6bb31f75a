import type { ClauseProofs } from '../_laws.ts';
import { CONFIG, frame, NOTHING, OTHER, proof, proofOf, type Play } from './_net-scene.ts';

/** The configuration with other bytes at a place. */
function but(at: number, ...bytes: readonly number[]): readonly number[] {
  return CONFIG.map((byte, i) => bytes[i - at] ?? byte);
}

const READ_AGAIN: Play = ({ s }) => {
  for (let at = 0; at < 24; at++) s.readConfig(at, 1);
};

/** The configuration as it stands, and one that breaks the clause. */
function configured(
  offers: readonly number[],
  at: number,
  ...bytes: readonly number[]
): ClauseProofs[string] {
  return proofOf([offers, NOTHING, { config: but(at, ...bytes) }], [offers, NOTHING]);
}

function offered(bad: readonly number[], good: readonly number[]): ClauseProofs[string] {
  return proofOf([bad, NOTHING], [good, NOTHING]);
}

function taken(feature: number): ClauseProofs[string] {
  return proofOf([[feature], NOTHING, { accepts: [32] }], [[feature], NOTHING]);
}

const LONG = frame({ payload: 1600 });
const FITS = frame({ payload: 1460 });

export const NET_CONFIG_PROOFS: ClauseProofs = {
  'NET-DEV-001': offered([70], [69, 70]),
  'NET-DEV-002': configured([17, 22], 8, 0, 0),
  'NET-DEV-003': configured([3], 10, 67, 0),
  'NET-DEV-004': configured([3], 10, 0xff, 4),
  'NET-DEV-005': proof([3], (net) => net.s.readConfig(10, 2, 1400), READ_AGAIN),
  'NET-DEV-006': proof(
    [3],
    (net) => net.receive({}, LONG),
    (net) => net.receive({}, FITS),
  ),
  'NET-DEV-007': proof(
    [3],
    (net) => net.send({}, FITS, 1, [FITS.slice(0, 700), FITS.slice(700)]),
    (net) => net.send({}, FITS, 1, [FITS]),
  ),
  'NET-DEV-008': configured([17, 57], 17, 39),
  'NET-DEV-009': configured([17, 60], 18, 64, 0),
  'NET-DEV-011': configured([63], 12, 0, 0, 0, 0x80),
  'NET-DEV-012': configured([63], 16, 2),
  'NET-DEV-013': proof([63], (net) => net.s.readConfig(12, 4, 100), READ_AGAIN),
  'NET-DEV-014': offered([57], [17, 57]),
  'NET-DEV-015': offered([20], [17, 20]),
  'NET-DRV-001': proof([5], (net) => net.s.writeConfig(0, 1, 2), NOTHING),
  'NET-DRV-002': taken(5),
  'NET-DRV-003': proof(
    [5],
    (net) => net.send({}, frame({ from: OTHER })),
    (net) => net.send({}, frame()),
  ),
  'NET-DRV-004': proof(
    [],
    (net) => net.send({}, frame({ from: [0, 1, 2, 3, 4, 5] })),
    (net) => net.send({}, frame()),
  ),
  'NET-DRV-006': proof(
    [16],
    (net) => {
      net.s.readConfig(6, 2, 0);
      net.send({}, frame());
    },
    (net) => net.send({}, frame()),
  ),
  'NET-DRV-007': taken(3),
  'NET-DRV-008': proof(
    [3],
    (net) => {
      net.post(1500);
      net.idle();
    },
    (net) => {
      net.post(1526);
      net.idle();
    },
  ),
  'NET-DRV-009': proof(
    [3],
    (net) => net.send({}, LONG),
    (net) => net.send({}, FITS),
  ),
  'NET-DRV-010': taken(62),
  'NET-DRV-012': proof(
    [63],
    (net) => {
      net.s.message(0);
      net.s.message(0);
    },
    (net) => {
      net.s.message(0);
      net.s.readConfig(12, 4);
    },
    { msix: true },
  ),
  'NET-DRV-013': proofOf([[17, 57], NOTHING, { accepts: [32, 57] }], [[17, 57], NOTHING]),
  'NET-DRV-014': proofOf([[17, 20], NOTHING, { accepts: [32, 20] }], [[17, 20], NOTHING]),
};
