import type { Chain } from '../chain.ts';
import type { ClauseTable } from '../clause.ts';
import {
  DATA_VALID,
  F,
  GSO_ECN,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_TUNNEL4,
  GSO_UDP,
  GSO_UDP_L4,
  NEEDS_CSUM,
  RSC_INFO,
  UDP_TUNNEL_CSUM,
  type NetPacket,
  type NetView,
} from '../net-view.ts';
import { received, rule } from './net-rules.ts';
import { isGso, isTunnel, offsetsPoint, outerDone, outerOpen } from './net-transmit.ts';

const UNKNOWN_FLAGS = 0x80;
const FAILED = 0x80;
/** Least receive buffers: of one large segment, and of one frame, each with twelve bytes of header. */
const SEGMENT_BUFFER = 65_601;
const FRAME_BUFFER = 1526;
const HASH_BYTES = 8;
const GUEST_GSO = [F.GUEST_TSO4, F.GUEST_TSO6, F.GUEST_UFO, F.GUEST_USO4, F.GUEST_USO6];

function without(...features: readonly number[]): (packet: NetPacket, view: NetView) => boolean {
  return (_packet, view) => !view.hasAny(...features);
}

/** What the driver or the wire left wrong, a device hands on. */
function ownDoing(packet: NetPacket, view: NetView): boolean {
  return !view.sentBad && view.comparesToArrived(packet) !== 'same';
}

/** Of the buffers that the driver posts. */
function posting(
  id: string,
  when: (view: NetView) => boolean,
  least: (view: NetView, chain: Chain) => boolean,
  sentence: string,
): ReturnType<typeof received> {
  return rule(id, 'driver', (clause, view) => ({
    onPosted(_queue, chain) {
      if (when(view)) clause.holds(least(view, chain), sentence);
    },
  }));
}

function hashBytes(view: NetView): number {
  return view.has(F.HASH_REPORT) ? HASH_BYTES : 0;
}

/** A GSO type that needs one of some features. */
function typeNeeds(
  id: string,
  features: readonly number[],
  type: number,
  name: string,
): ReturnType<typeof received> {
  return received(
    id,
    without(...features),
    (packet) => packet.gsoBase !== type,
    `a packet of type ${name} is delivered and its feature was not accepted`,
  );
}

/** Network device: reception (5.1.9.3, 5.1.9.4). */
export const NET_RECEIVE_CLAUSES: ClauseTable = {
  name: 'net-receive',
  type: 1,
  checkers: [
    posting(
      'NETRX-DRV-001',
      (view) => !view.has(F.MRG_RXBUF) && view.hasAny(...GUEST_GSO),
      (view, chain) => chain.writableBytes >= SEGMENT_BUFFER + hashBytes(view),
      'a receive buffer has no room for a large segment, and buffers do not merge',
    ),
    posting(
      'NETRX-DRV-002',
      (view) => !view.has(F.MRG_RXBUF) && !view.hasAny(...GUEST_GSO),
      (view, chain) => chain.writableBytes >= FRAME_BUFFER + hashBytes(view),
      'a receive buffer has no room for a frame, and buffers do not merge',
    ),
    posting(
      'NETRX-DRV-003',
      (view) => view.has(F.MRG_RXBUF),
      (view, chain) => chain.writableBytes >= view.headerBytes,
      'a receive buffer has no room for the header',
    ),
    posting(
      'NETRX-DRV-004',
      (view) => view.device.modern && !view.has(F.MRG_RXBUF),
      (view, chain) => chain.writableBytes > view.headerBytes,
      'a receive buffer is made for a shorter header than the one negotiated',
    ),
    rule('NETRX-DRV-005', 'driver', (clause, view) => ({
      onIdle() {
        if (!view.device.running || !view.has(F.MQ) || view.pairs < 2) return;
        let filled = true;
        for (let pair = 0; pair < view.pairs; pair++) filled &&= view.posted(2 * pair) > 0;
        clause.holds(filled, 'a receive queue in use has no buffers');
      },
    })),
    rule('NETRX-DEV-001', 'device', (clause, view) => ({
      onReceived(packet) {
        if (!view.trusts(packet.queue) || !view.has(F.MRG_RXBUF)) return;
        clause.holds(
          packet.numBuffers === packet.buffers,
          'num_buffers is not the number of buffers that hold the packet',
        );
      },
      onUnfinished(packet) {
        if (view.trusts(packet.queue))
          clause.breaks('num_buffers is more than the buffers that hold the packet');
      },
    })),
    received(
      'NETRX-DEV-002',
      without(F.MRG_RXBUF),
      (packet, view) => view.comparesToArrived(packet) !== 'part',
      'a packet is spread over buffers and MRG_RXBUF was not accepted',
    ),
    received(
      'NETRX-DEV-006',
      (packet, view) =>
        !view.has(F.MRG_RXBUF) && packet.headerBytes >= 12 && packet.hole >= 0 && packet.hole <= 2,
      (packet) => packet.whole && packet.numBuffers === 1,
      'num_buffers is not written as 1, and buffers do not merge',
    ),
    received(
      'NETRX-DEV-007',
      (_packet, view) => view.has(F.MRG_RXBUF),
      (packet) => packet.numBuffers >= 1 && packet.numBuffers === packet.buffers,
      'num_buffers is not the number of buffers, the header counted in',
    ),
    received(
      'NETRX-DEV-008',
      (packet) => packet.buffers > 1,
      (packet) => packet.filled,
      'a buffer before the last is not filled',
    ),
    rule('NETRX-DEV-009', 'device', (clause, view) => ({
      onReceived(packet) {
        if (view.trusts(packet.queue) && packet.buffers > 1)
          clause.holds(packet.together, 'the buffers of one packet become visible one after the other');
      },
    })),
    received(
      'NETRX-DEV-010',
      without(F.GUEST_CSUM),
      (packet) => packet.flags === 0,
      'flags is not 0 and GUEST_CSUM was not accepted',
    ),
    received(
      'NETRX-DEV-011',
      (packet, view) =>
        !view.has(F.GUEST_CSUM) && ownDoing(packet, view) && packet.complete(packet.outer) !== undefined,
      (packet) => packet.complete(packet.outer) === true,
      'a checksum is left open and GUEST_CSUM was not accepted',
    ),
    typeNeeds('NETRX-DEV-012', [F.GUEST_TSO4], GSO_TCPV4, 'TCPV4'),
    typeNeeds('NETRX-DEV-013', [F.GUEST_UFO], GSO_UDP, 'UDP'),
    typeNeeds('NETRX-DEV-014', [F.GUEST_TSO6], GSO_TCPV6, 'TCPV6'),
    typeNeeds('NETRX-DEV-015', [F.GUEST_USO4, F.GUEST_USO6], GSO_UDP_L4, 'UDP_L4'),
    received(
      'NETRX-DEV-016',
      without(F.GUEST_UDP_TUNNEL_GSO),
      (packet) => !isTunnel(packet),
      'a tunnel bit is set and GUEST_UDP_TUNNEL_GSO was not accepted',
    ),
    received(
      'NETRX-DEV-017',
      without(F.GUEST_UDP_TUNNEL_GSO_CSUM),
      (packet) => !packet.has(UDP_TUNNEL_CSUM),
      'UDP_TUNNEL_CSUM is set and its feature was not accepted',
    ),
    received(
      'NETRX-DEV-018',
      (packet, view) => isGso(packet) && !view.has(F.GUEST_ECN),
      (packet) => !packet.marked(packet.segmented),
      'a large segment has congestion marks and GUEST_ECN was not accepted',
    ),
    received(
      'NETRX-DEV-019',
      (packet, view) => isGso(packet) && view.has(F.GUEST_ECN) && packet.marked(packet.segmented),
      (packet) => (packet.gsoType & GSO_ECN) !== 0,
      'a large segment has congestion marks and gso_type does not say so',
    ),
    received(
      'NETRX-DEV-021',
      (packet, view) => packet.headerBytes >= 32 && !view.has(F.OUT_NET_HEADER),
      (packet) => packet.outerNetwork === 0,
      'outer_nh_offset is used without OUT_NET_HEADER',
    ),
    received(
      'NETRX-DEV-023',
      (packet, view) =>
        packet.has(NEEDS_CSUM) && ownDoing(packet, view) && packet.outer.network >= 0 && !packet.outer.ip6,
      (packet) => packet.networkComplete(packet.outer),
      'the checksum of the IPv4 header is wrong in front of one that is left open',
    ),
    received(
      'NETRX-DEV-024',
      (packet, view) =>
        packet.has(NEEDS_CSUM) &&
        !packet.has(RSC_INFO) &&
        !view.sentBad &&
        packet.checksumAt(packet.segmented) >= 0,
      (packet) =>
        packet.short(packet.checksumAt(packet.segmented)) ===
        packet.pseudo(packet.segmented, packet.segmented.end - packet.segmented.transport),
      'a checksum is left open and its field does not hold the sum of the pseudo-header',
    ),
    received(
      'NETRX-DEV-025',
      (packet, view) =>
        packet.has(NEEDS_CSUM) &&
        !packet.has(RSC_INFO) &&
        !view.sentBad &&
        packet.checksumAt(packet.segmented) >= 0,
      (packet) =>
        packet.csumStart === packet.segmented.transport &&
        packet.csumStart + packet.csumOffset === packet.checksumAt(packet.segmented),
      'csum_start and csum_offset do not complete the checksum of the packet',
    ),
    received(
      'NETRX-DEV-026',
      without(F.GUEST_UDP_TUNNEL_GSO),
      (packet) => !isTunnel(packet),
      'a tunnel to be cut is delivered and GUEST_UDP_TUNNEL_GSO was not accepted',
    ),
    received(
      'NETRX-DEV-027',
      (packet) => isTunnel(packet) && packet.inner.network >= 0,
      (packet) => packet.inner.ip6 === ((packet.gsoType & GSO_TUNNEL4) === 0),
      'the tunnel bit is not that of the inner packet',
    ),
    received('NETRX-DEV-028', isTunnel, offsetsPoint, 'the offsets of a tunnel do not point at its headers'),
    received(
      'NETRX-DEV-029',
      (packet) => isTunnel(packet) && !packet.has(UDP_TUNNEL_CSUM),
      (packet) => !outerOpen(packet) || outerDone(packet),
      'the outer checksum of a tunnel is left open and flags says nothing of it',
    ),
    received(
      'NETRX-DEV-030',
      without(F.GUEST_UDP_TUNNEL_GSO_CSUM),
      (packet) => !(isTunnel(packet) && packet.has(UDP_TUNNEL_CSUM)),
      'a tunnel whose outer checksum is left open is delivered and its feature was not accepted',
    ),
    received(
      'NETRX-DEV-031',
      without(...GUEST_GSO),
      (packet) => packet.gsoType === 0,
      'gso_type is not NONE and no segmentation was accepted',
    ),
    received(
      'NETRX-DEV-032',
      isGso,
      (packet) => packet.has(NEEDS_CSUM) || packet.has(RSC_INFO),
      'a large segment does not leave its checksum open',
    ),
    received('NETRX-DEV-033', isGso, (packet) => packet.gsoSize > 0, 'a large segment has gso_size 0'),
    received(
      'NETRX-DEV-034',
      (packet, view) => isGso(packet) && view.has(F.RSC_EXT),
      (packet) => packet.has(RSC_INFO) && packet.csumStart > 0,
      'a large segment does not tell how many it was made of, and RSC_EXT was accepted',
    ),
    received(
      'NETRX-DEV-035',
      without(F.RSC_EXT),
      (packet) => !packet.has(RSC_INFO),
      'RSC_INFO is set and RSC_EXT was not accepted',
    ),
    received(
      'NETRX-DEV-036',
      (packet) => isGso(packet) && packet.segmented.transport >= 0,
      (packet) => packet.hdrLen >= packet.headerEnd(packet.segmented),
      'hdr_len is less than the headers',
    ),
    received(
      'NETRX-DEV-038',
      (packet, view) =>
        packet.has(DATA_VALID) && ownDoing(packet, view) && packet.complete(packet.outer) !== undefined,
      (packet) => packet.complete(packet.outer) === true,
      'DATA_VALID is set and the checksum is wrong',
    ),
    received(
      'NETRX-DEV-039',
      isTunnel,
      (packet) => !packet.has(DATA_VALID),
      'DATA_VALID is set together with a tunnel bit',
    ),
    received(
      'NETRX-DEV-041',
      (packet) => isTunnel(packet) && packet.has(UDP_TUNNEL_CSUM),
      outerOpen,
      'UDP_TUNNEL_CSUM is set and the outer checksum is not the sum of the pseudo-header',
    ),
    received(
      'NETRX-DEV-042',
      (packet) => isTunnel(packet) && !packet.has(UDP_TUNNEL_CSUM),
      outerDone,
      'the outer checksum of a tunnel is neither zero nor complete',
    ),
    rule('NETRX-DRV-006', 'driver', (clause) => {
      const odd = clause.state({ since: 0 });
      return {
        onReset() {
          odd.since = 0;
        },
        onReceived(packet) {
          if (!packet.has(UNKNOWN_FLAGS)) return;
          odd.since = clause.event;
          clause.applies();
        },
        onStatusWrite(value) {
          if (odd.since !== 0 && (value & FAILED) !== 0)
            clause.breaks('the driver gives up over a flag that it does not know', odd.since);
        },
        onPosted() {
          odd.since = 0;
        },
      };
    }),
  ],
  undecided: [
    ...[
      'NETRX-DEV-003',
      'NETRX-DEV-004',
      'NETRX-DEV-005',
      'NETRX-DEV-020',
      'NETRX-DEV-022',
      'NETRX-DEV-037',
      'NETRX-DEV-040',
      'NETRX-DRV-007',
      'NETRX-DRV-010',
    ].map((id) => ({ id, why: 'a permission: nothing breaks it' })),
    ...[
      'NETRX-DEV-043',
      'NETRX-DEV-044',
      'NETRX-DEV-045',
      'NETRX-DEV-046',
      'NETRX-DEV-047',
      'NETRX-DEV-048',
      'NETRX-DEV-049',
    ].map((id) => ({
      id,
      why: 'security associations are objects of the administration virtqueue, which no stream shows',
    })),
    ...['NETRX-DRV-008', 'NETRX-DRV-009', 'NETRX-DRV-011', 'NETRX-DRV-012', 'NETRX-DRV-014'].map((id) => ({
      id,
      why: 'what a driver makes of a field of a packet that it received shows in no event',
    })),
    ...['NETRX-DRV-013', 'NETRX-DRV-015', 'NETRX-DRV-016'].map((id) => ({
      id,
      why: 'whether a driver passes on or drops a packet that it received shows in no event: it returns the buffer either way',
    })),
  ],
};
