import type { ClauseProofs } from '../_laws.ts';
import {
  AT,
  CONFIG,
  frame,
  OTHER,
  proof,
  proofOf,
  NOTHING,
  type Play,
  type SceneOptions,
} from './_net-scene.ts';

const BIG: SceneOptions = {
  mode: 'legacy',
  bigEndian: true,
  config: CONFIG.with(6, 0).with(7, 1).with(8, 0).with(9, 4),
};
const LITTLE: SceneOptions = { mode: 'legacy' };
const VQ = 17;
const OPEN = frame({ open: true });
const TABLE = [0, 0, 0, 1, ...OTHER, 0, 0, 0, 0];

function obeyed(
  offers: readonly number[],
  kind: number,
  command: number,
  argument: readonly number[],
): ClauseProofs[string] {
  return proof(
    offers,
    (net) => net.command(kind, command, argument, 1),
    (net) => net.command(kind, command, argument, 0),
    BIG,
  );
}

/** A command in parts of one's own. */
const parts =
  (...pieces: readonly (readonly number[] | number)[]): Play =>
  (net) => {
    net.s.publish(net.control, pieces);
  };

export const NET_LEGACY_PROOFS: ClauseProofs = {
  'NETL-BOTH-001': proofOf([[16], NOTHING, { ...BIG, config: CONFIG }], [[16], NOTHING, BIG]),
  'NETL-BOTH-002': proof(
    [1],
    (net) => net.receive({ flags: 1, csumStart: 0x2200, csumOffset: 0x1000 }, OPEN),
    (net) => net.receive({ flags: 1, csumStart: AT.transport, csumOffset: 16 }, OPEN),
    BIG,
  ),
  'NETL-BOTH-003': obeyed([VQ, 18], 1, 0, TABLE),
  'NETL-BOTH-004': obeyed([VQ, 19], 2, 0, [0, 5]),
  'NETL-BOTH-005': obeyed([VQ, 22], 4, 0, [0, 2]),
  'NETL-BOTH-006': obeyed([VQ, 1, 2], 5, 0, [0, 0, 0, 0, 0, 0, 0, 2]),
  'NETL-DRV-002': proof(
    [],
    (net) => net.s.publish(1, [[...net.header({}), ...frame()]]),
    (net) => net.send({}, frame()),
    LITTLE,
  ),
  'NETL-DRV-003': proof([VQ], parts([0, 0, 1], 1), parts([0, 0], [1], 1), LITTLE),
  'NETL-DRV-004': proof(
    [VQ, 18],
    parts([1, 0], [0, 0, 0, 0, 0, 0, 0, 0], 1),
    parts([1, 0], [0, 0, 0, 0], [0, 0, 0, 0], 1),
    LITTLE,
  ),
  'NETL-DRV-005': proof(
    [VQ, 18],
    parts([1, 0], [0, 0, 0, 0], [0, 0], [0, 0], 1),
    parts([1, 0], [0, 0, 0, 0], [0, 0, 0, 0], 1),
    LITTLE,
  ),
};
