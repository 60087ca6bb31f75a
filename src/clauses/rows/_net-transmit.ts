import type { ClauseProofs } from '../_laws.ts';
import {
  AT,
  frame,
  proof,
  proofOf,
  NOTHING,
  type FrameOptions,
  type Header,
  type Play,
  type SceneOptions,
} from './_net-scene.ts';

const PLAIN = frame();
const OPEN = frame({ open: true });
const CSUM: Header = { flags: 1, csumStart: AT.transport, csumOffset: AT.tcpSum };
const TSO: Header = { ...CSUM, gso: 1, gsoSize: 20, hdrLen: AT.tcpHeader };
const BIG: FrameOptions = { open: true, payload: 100 };
/** CSUM, TSO4, TSO6, ECN, UFO, USO and both tunnel features. */
const ALL = [0, 11, 12, 13, 14, 56, 67, 68];
const TUNNEL: Header = {
  flags: 1,
  gso: 0x21,
  gsoSize: 20,
  hdrLen: AT.innerHeader,
  csumStart: AT.innerTransport,
  csumOffset: 16,
  outerTransport: AT.transport,
  innerNetwork: AT.inner,
};
const TUNNEL_FRAME = frame({ tunnel: 4, outerSum: 'zero' });
const TUNNEL_6: Header = {
  ...TUNNEL,
  gso: 0x44,
  csumStart: AT.innerTransport + 20,
  hdrLen: AT.innerHeader + 20,
};

const sends =
  (header: Header, bytes: readonly number[]): Play =>
  (net) =>
    net.send(header, bytes);
/** What leaves: nothing, or these. */
const leaves =
  (header: Header, bytes: readonly number[], ...out: readonly (readonly number[])[]): Play =>
  (net) => {
    // Something must have left before, or nobody knows that anything can.
    net.send({}, PLAIN, 1, [[...host(net.headerBytes, net.has(0)), ...PLAIN]]);
    net.send(
      header,
      bytes,
      1,
      out.map((one) => [...host(net.headerBytes, net.has(0)), ...one]),
    );
  };

function host(bytes: number, wanted: boolean): number[] {
  return wanted ? Array.from({ length: bytes }, () => 0) : [];
}

/** A header that breaks the clause, and one that keeps it. */
function headers(
  offers: readonly number[],
  bad: readonly [Header, readonly number[]],
  good: readonly [Header, readonly number[]] = [{}, PLAIN],
  options: SceneOptions = {},
): ClauseProofs[string] {
  return proof(offers, sends(...bad), sends(...good), options);
}

export const NET_TRANSMIT_PROOFS: ClauseProofs = {
  'NETTX-DRV-002': headers([70], [{ outerNetwork: 14 }, PLAIN]),
  'NETTX-DRV-003': proof(
    [],
    (net) => net.s.publish(1, [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]),
    sends({}, PLAIN),
  ),
  'NETTX-DRV-004': headers([], [{ buffers: 1 }, PLAIN]),
  'NETTX-DRV-005': headers([], [{ flags: 1 }, PLAIN]),
  'NETTX-DRV-006': headers([], [{}, frame({ badSum: true })]),
  'NETTX-DRV-009': headers([0], [TSO, OPEN]),
  'NETTX-DRV-011': headers([0], [{ ...TSO, gso: 4 }, OPEN]),
  'NETTX-DRV-013': headers([0], [{ ...TSO, gso: 3 }, OPEN]),
  'NETTX-DRV-015': headers([0], [{ ...TSO, gso: 5 }, OPEN]),
  'NETTX-DRV-016': headers([0, 11], [TSO, frame({ ...BIG, marked: true })], [TSO, frame(BIG)]),
  'NETTX-DRV-017': headers(
    [0, 11, 13],
    [TSO, frame({ ...BIG, marked: true })],
    [{ ...TSO, gso: 0x81 }, frame({ ...BIG, marked: true })],
  ),
  'NETTX-DRV-019': headers(ALL.slice(0, 6), [{ gso: 0x21 }, PLAIN]),
  'NETTX-DRV-020': headers(ALL, [{ ...TUNNEL, gso: 0x41 }, TUNNEL_FRAME], [TUNNEL, TUNNEL_FRAME]),
  'NETTX-DRV-021': headers(
    ALL,
    [{ ...TUNNEL_6, gso: 0x24 }, frame({ tunnel: 6, outerSum: 'zero' })],
    [TUNNEL_6, frame({ tunnel: 6, outerSum: 'zero' })],
  ),
  'NETTX-DRV-022': proofOf(
    [ALL.slice(0, 7), sends({ ...TUNNEL, flags: 9 }, frame({ tunnel: 4, outerSum: 'open' }))],
    [ALL, sends({ ...TUNNEL, flags: 9 }, frame({ tunnel: 4, outerSum: 'open' }))],
  ),
  'NETTX-DRV-023': headers(
    ALL,
    [TUNNEL, frame({ tunnel: 4, outerSum: 'open' })],
    [{ ...TUNNEL, flags: 9 }, frame({ tunnel: 4, outerSum: 'open' })],
  ),
  'NETTX-DRV-024': headers(ALL.slice(0, 7), [{ ...TUNNEL, flags: 9 }, TUNNEL_FRAME], [TUNNEL, TUNNEL_FRAME]),
  'NETTX-DRV-025': headers(
    ALL.slice(0, 7),
    [TUNNEL, frame({ tunnel: 4, outerSum: 'open' })],
    [TUNNEL, TUNNEL_FRAME],
  ),
  'NETTX-DRV-026': headers(ALL, [{ ...TUNNEL, gso: 0x23 }, TUNNEL_FRAME], [TUNNEL, TUNNEL_FRAME]),
  'NETTX-DRV-027': headers(ALL, [{ ...TUNNEL, gso: 0x61 }, TUNNEL_FRAME], [TUNNEL, TUNNEL_FRAME]),
  'NETTX-DRV-028': headers(
    ALL,
    [{ ...CSUM, flags: 9 }, OPEN],
    [{ ...TUNNEL, flags: 9 }, frame({ tunnel: 4, outerSum: 'open' })],
  ),
  'NETTX-DRV-030': headers([0], [CSUM, frame({ open: true, badIp: true })], [CSUM, OPEN]),
  'NETTX-DRV-031': headers([0], [CSUM, PLAIN], [CSUM, OPEN]),
  'NETTX-DRV-032': headers([0], [{ ...CSUM, csumOffset: 6 }, OPEN], [CSUM, OPEN]),
  'NETTX-DRV-033': headers([0], [TSO, OPEN]),
  'NETTX-DRV-034': headers(ALL, [{ ...TSO, flags: 0 }, frame(BIG)], [TSO, frame(BIG)]),
  'NETTX-DRV-035': headers(ALL, [{ ...TSO, gsoSize: 0 }, frame(BIG)], [TSO, frame(BIG)]),
  'NETTX-DRV-036': headers([...ALL, 59], [{ ...TSO, hdrLen: 60 }, frame(BIG)], [TSO, frame(BIG)]),
  'NETTX-DRV-037': headers(ALL, [{ ...TSO, hdrLen: 53 }, frame(BIG)], [{ ...TSO, hdrLen: 60 }, frame(BIG)]),
  'NETTX-DRV-039': headers(ALL, [{ ...TUNNEL, outerTransport: 0 }, TUNNEL_FRAME], [TUNNEL, TUNNEL_FRAME]),
  'NETTX-DRV-041': headers(
    ALL,
    [{ ...TUNNEL, flags: 9 }, frame({ tunnel: 4, outerSum: 'bad' })],
    [{ ...TUNNEL, flags: 9 }, frame({ tunnel: 4, outerSum: 'open' })],
  ),
  'NETTX-DRV-042': headers(
    ALL,
    [TUNNEL, frame({ tunnel: 4, outerSum: 'open' })],
    [TUNNEL, frame({ tunnel: 4, outerSum: 'right' })],
  ),
  'NETTX-DRV-043': headers(
    ALL,
    [TUNNEL, frame({ tunnel: 4, outerSum: 'bad' })],
    [TUNNEL, frame({ tunnel: 4, outerSum: 'right' })],
  ),
  'NETTX-DRV-044': headers(ALL.slice(0, 6), [{ gso: 0x41 }, PLAIN]),
  'NETTX-DRV-045': headers(ALL.slice(0, 7), [{ flags: 8 }, PLAIN]),
  'NETTX-DRV-046': proofOf([[59], NOTHING, { accepts: [32] }], [[59], NOTHING]),
  'NETTX-DRV-047': headers([0], [{ flags: 2 }, PLAIN]),
  'NETTX-DRV-048': headers(ALL, [{ ...TUNNEL, flags: 3 }, TUNNEL_FRAME], [TUNNEL, TUNNEL_FRAME]),
  'NETTX-DEV-001': proof([0], leaves({ flags: 0x80 }, PLAIN), leaves({ flags: 0x80 }, PLAIN, PLAIN)),
  'NETTX-DEV-002': proof(
    [0],
    leaves({ csumStart: 34, csumOffset: 16 }, PLAIN, PLAIN.with(50, 1)),
    leaves({ csumStart: 34, csumOffset: 16 }, PLAIN, PLAIN),
  ),
  'NETTX-DEV-004': proof(
    [70],
    leaves({ outerNetwork: 3 }, PLAIN, PLAIN.slice(3)),
    leaves({ outerNetwork: 3 }, PLAIN, PLAIN),
  ),
  'NETTX-DEV-007': proof(
    [0, 11],
    leaves({ ...TSO, hdrLen: 0xffff }, frame(BIG)),
    leaves({ ...TSO, hdrLen: 0xffff }, frame(BIG), frame(BIG)),
  ),
  'NETTX-DEV-008': proof(
    ALL,
    leaves({ ...TUNNEL, gso: 0x61 }, TUNNEL_FRAME, TUNNEL_FRAME),
    leaves({ ...TUNNEL, gso: 0x61 }, TUNNEL_FRAME),
  ),
  'NETTX-DEV-009': proof(
    ALL,
    leaves({ outerTransport: 5 }, PLAIN, PLAIN.slice(5)),
    leaves({ outerTransport: 5 }, PLAIN, PLAIN),
  ),
  'NETTX-DEV-010': proof(
    ALL,
    leaves({ ...TUNNEL, flags: 0 }, TUNNEL_FRAME, TUNNEL_FRAME),
    leaves({ ...TUNNEL, flags: 3 }, TUNNEL_FRAME),
  ),
  'NETTX-DEV-011': proof(ALL, leaves({ ...CSUM, flags: 9 }, OPEN, OPEN), leaves({ ...CSUM, flags: 9 }, OPEN)),
  'NETTX-DEV-012': proof(
    [0],
    leaves({}, frame({ badSum: true }), PLAIN),
    leaves({}, frame({ badSum: true }), frame({ badSum: true })),
  ),
};
