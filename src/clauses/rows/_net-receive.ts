import type { ClauseProofs } from '../_laws.ts';
import {
  AT,
  frame,
  proof,
  type FrameOptions,
  type Header,
  type NetScene,
  type Play,
  type SceneOptions,
} from './_net-scene.ts';

const PLAIN = frame();
const OPEN = frame({ open: true });
const CSUM: Header = { flags: 1, csumStart: AT.transport, csumOffset: AT.tcpSum };
const TSO: Header = { ...CSUM, gso: 1, gsoSize: 20, hdrLen: AT.tcpHeader };
const BIG: FrameOptions = { open: true, payload: 100 };
const MERGED = 15;
/** GUEST_CSUM, TSO4, TSO6, ECN, UFO, USO4, USO6 and both tunnel features. */
const ALL = [1, 7, 8, 9, 10, 54, 55, 65, 66];
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

const gets =
  (header: Header, bytes: readonly number[]): Play =>
  (net) =>
    net.receive(header, bytes);

function packets(
  offers: readonly number[],
  bad: readonly [Header, readonly number[]],
  good: readonly [Header, readonly number[]] = [{}, PLAIN],
  options: SceneOptions = {},
): ClauseProofs[string] {
  return proof(offers, gets(...bad), gets(...good), options);
}

const posts =
  (room: number): Play =>
  (net) => {
    net.post(room);
  };

/** A packet in two buffers of 64 bytes, both visible at once or one after the other. */
function merged(net: NetScene, header: Header, first: number, together: boolean): void {
  const { s } = net;
  const bytes = [...net.header(header), ...frame({ payload: 20 })];
  const ids = [net.post(64), net.post(64)];
  for (let i = 0; i < 2; i++) s.take(0);
  const pieces = [bytes.slice(0, first), bytes.slice(first)];
  const ring = s.ring(0);
  if (!together) {
    pieces.forEach((piece, i) => s.use(0, ids[i] ?? 0, piece));
    return;
  }
  // Two used entries and one step of the index.
  pieces.forEach((piece, i) => {
    s.dmaWrite(0x100_0000 + 0x1000 * i, piece);
    s.dmaWrite(ring.device + 4 + 8 * i, [ids[i] ?? 0, 0, 0, 0, piece.length, 0, 0, 0]);
  });
  s.dmaWrite(ring.device + 2, [2, 0]);
}

const two =
  (header: Header, first: number, together: boolean): Play =>
  (net) =>
    merged(net, header, first, together);

/** Ten bytes of header at the host's end, where it has them. */
function fromWire(net: NetScene, bytes: readonly number[]): void {
  net.s.hostInput(1, bytes);
}

export const NET_RECEIVE_PROOFS: ClauseProofs = {
  'NETRX-DRV-001': proof([1, 7], posts(2048), posts(65_601)),
  'NETRX-DRV-002': proof([], posts(1525), posts(1526)),
  'NETRX-DRV-003': proof([MERGED], posts(11), posts(12)),
  'NETRX-DRV-004': proof([17, 57], posts(20), posts(1534)),
  'NETRX-DRV-005': proof(
    [17, 22],
    (net) => {
      net.command(4, 0, [2, 0]);
      net.post(2048, 0);
      net.idle();
    },
    (net) => {
      net.command(4, 0, [2, 0]);
      net.post(2048, 0);
      net.post(2048, 2);
      net.idle();
    },
    { queues: 8 },
  ),
  'NETRX-DEV-001': proof(
    [MERGED],
    (net) => {
      net.receive({ buffers: 2 }, PLAIN);
      net.idle();
    },
    two({ buffers: 2 }, 64, true),
  ),
  'NETRX-DEV-002': proof(
    [],
    (net) => {
      fromWire(net, PLAIN);
      net.receive({}, PLAIN.slice(0, 50));
      net.receive({}, PLAIN.slice(50));
    },
    (net) => {
      fromWire(net, PLAIN);
      net.receive({}, PLAIN);
    },
  ),
  'NETRX-DEV-006': packets([], [{ buffers: 0 }, PLAIN]),
  'NETRX-DEV-007': packets([MERGED], [{ buffers: 0 }, PLAIN]),
  'NETRX-DEV-008': proof([MERGED], two({ buffers: 2 }, 40, true), two({ buffers: 2 }, 64, true)),
  'NETRX-DEV-009': proof([MERGED], two({ buffers: 2 }, 64, false), two({ buffers: 2 }, 64, true)),
  'NETRX-DEV-010': packets([], [{ flags: 2 }, PLAIN]),
  'NETRX-DEV-011': packets([], [{}, OPEN]),
  'NETRX-DEV-012': packets([1], [TSO, frame(BIG)]),
  'NETRX-DEV-013': packets([1], [{ ...TSO, gso: 3 }, frame(BIG)]),
  'NETRX-DEV-014': packets([1], [{ ...TSO, gso: 4 }, frame(BIG)]),
  'NETRX-DEV-015': packets([1], [{ ...TSO, gso: 5 }, frame(BIG)]),
  'NETRX-DEV-016': packets([1, 7], [{ ...TSO, gso: 0x21 }, frame(BIG)]),
  'NETRX-DEV-017': packets([1, 7], [{ flags: 8 }, PLAIN]),
  'NETRX-DEV-018': packets([1, 7], [TSO, frame({ ...BIG, marked: true })], [TSO, frame(BIG)]),
  'NETRX-DEV-019': packets(
    [1, 7, 9],
    [TSO, frame({ ...BIG, marked: true })],
    [{ ...TSO, gso: 0x81 }, frame({ ...BIG, marked: true })],
  ),
  'NETRX-DEV-021': packets([70], [{ outerNetwork: 14 }, PLAIN]),
  'NETRX-DEV-023': packets([1], [CSUM, frame({ open: true, badIp: true })], [CSUM, OPEN]),
  'NETRX-DEV-024': packets([1], [CSUM, PLAIN], [CSUM, OPEN]),
  'NETRX-DEV-025': packets([1], [{ ...CSUM, csumStart: 33 }, OPEN], [CSUM, OPEN]),
  'NETRX-DEV-026': packets([1, 7], [TUNNEL, TUNNEL_FRAME]),
  'NETRX-DEV-027': packets(ALL, [{ ...TUNNEL, gso: 0x41 }, TUNNEL_FRAME], [TUNNEL, TUNNEL_FRAME]),
  'NETRX-DEV-028': packets(ALL, [{ ...TUNNEL, innerNetwork: 0 }, TUNNEL_FRAME], [TUNNEL, TUNNEL_FRAME]),
  'NETRX-DEV-029': packets(ALL, [TUNNEL, frame({ tunnel: 4, outerSum: 'open' })], [TUNNEL, TUNNEL_FRAME]),
  'NETRX-DEV-030': packets(ALL.slice(0, 8), [
    { ...TUNNEL, flags: 9 },
    frame({ tunnel: 4, outerSum: 'open' }),
  ]),
  'NETRX-DEV-031': packets([1], [TSO, frame(BIG)]),
  'NETRX-DEV-032': packets(ALL, [{ ...TSO, flags: 0 }, frame(BIG)], [TSO, frame(BIG)]),
  'NETRX-DEV-033': packets(ALL, [{ ...TSO, gsoSize: 0 }, frame(BIG)], [TSO, frame(BIG)]),
  'NETRX-DEV-034': packets(
    [...ALL, 61],
    [TSO, frame(BIG)],
    [{ ...TSO, flags: 5, csumStart: 3, csumOffset: 0 }, frame(BIG)],
  ),
  'NETRX-DEV-035': packets([1], [{ flags: 4 }, PLAIN]),
  'NETRX-DEV-036': packets(ALL, [{ ...TSO, hdrLen: 20 }, frame(BIG)], [TSO, frame(BIG)]),
  'NETRX-DEV-038': packets([1], [{ flags: 2 }, frame({ badSum: true })], [{ flags: 2 }, PLAIN]),
  'NETRX-DEV-039': packets(ALL, [{ ...TUNNEL, flags: 3 }, TUNNEL_FRAME], [TUNNEL, TUNNEL_FRAME]),
  'NETRX-DEV-041': packets(
    ALL,
    [{ ...TUNNEL, flags: 9 }, frame({ tunnel: 4, outerSum: 'bad' })],
    [{ ...TUNNEL, flags: 9 }, frame({ tunnel: 4, outerSum: 'open' })],
  ),
  'NETRX-DEV-042': packets(
    ALL,
    [TUNNEL, frame({ tunnel: 4, outerSum: 'bad' })],
    [TUNNEL, frame({ tunnel: 4, outerSum: 'right' })],
  ),
  'NETRX-DRV-006': proof(
    [],
    (net) => {
      net.receive({ flags: 0x80 }, PLAIN);
      net.s.status(0x8f);
    },
    gets({ flags: 0x80 }, PLAIN),
  ),
};
