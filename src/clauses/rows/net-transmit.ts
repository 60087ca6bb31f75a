import type { ClauseTable } from '../clause.ts';
import type { NetFrame } from '../net-frame.ts';
import {
  DATA_VALID,
  F,
  GSO_ECN,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_TUNNEL,
  GSO_TUNNEL4,
  GSO_TUNNEL6,
  GSO_UDP,
  GSO_UDP_L4,
  NEEDS_CSUM,
  RSC_INFO,
  UDP_TUNNEL_CSUM,
  type NetPacket,
  type NetView,
} from '../net-view.ts';
import { accepted, rule, sending, sent } from './net-rules.ts';

const UNKNOWN_FLAGS = 0x80;

/** The device has a host's end that takes what it sends, and the driver gave it nothing to be odd about. */
function shows(packet: NetPacket, view: NetView): boolean {
  return view.handsOut && view.linkUp && view.trusts(packet.queue);
}

function sameFrame(packet: NetPacket, view: NetView): boolean {
  if (view.outFrames !== 1 || view.out.length !== packet.length) return false;
  for (let i = 0; i < packet.length; i++) if (packet.byte(i) !== view.out.byte(i)) return false;
  return true;
}

/** The outer UDP checksum of a tunnel: zero, or complete and right. */
export function outerDone(packet: NetFrame): boolean {
  const at = packet.checksumAt(packet.outer);
  return at < 0 || packet.short(at) === 0 || packet.complete(packet.outer) === true;
}

/** The outer UDP checksum of a tunnel holds the sum of its pseudo-header. */
export function outerOpen(packet: NetFrame): boolean {
  const { outer } = packet;
  const at = packet.checksumAt(outer);
  return at >= 0 && packet.short(at) === packet.pseudo(outer, outer.end - outer.transport);
}

/** Both offsets of a tunnel point at headers, and the checksum's at the inner one. */
export function offsetsPoint(packet: NetPacket): boolean {
  const { inner, outer } = packet;
  return (
    packet.outerTransport === outer.transport && inner.network >= 0 && packet.csumStart === inner.transport
  );
}

export const isGso = (packet: NetPacket): boolean => packet.gsoBase !== 0;
export const isTunnel = (packet: NetPacket): boolean => packet.tunnel !== 0;

function without(feature: number): (packet: NetPacket, view: NetView) => boolean {
  return (_packet, view) => !view.has(feature);
}

/** A GSO type that needs a feature. */
function typeNeeds(id: string, feature: number, type: number, name: string): ReturnType<typeof sending> {
  return sending(
    id,
    without(feature),
    (packet) => packet.gsoBase !== type,
    `gso_type is ${name} and the feature was not accepted`,
  );
}

/** Of what leaves by the host's end for a frame that was used. */
function leaves(
  id: string,
  when: (packet: NetPacket, view: NetView) => boolean,
  holds: (packet: NetPacket, view: NetView) => boolean,
  sentence: string,
): ReturnType<typeof sending> {
  return rule(id, 'device', (clause, view) => ({
    onSent(packet) {
      if (packet.whole && shows(packet, view) && when(packet, view))
        clause.holds(holds(packet, view), sentence);
    },
  }));
}

const refused = (_packet: NetPacket, view: NetView): boolean => view.outFrames === 0;
const hostTunnels = (_packet: NetPacket, view: NetView): boolean => view.has(F.HOST_UDP_TUNNEL_GSO);
const isPlain = (packet: NetPacket): boolean => packet.gsoType === 0 && !packet.has(NEEDS_CSUM);

/** Network device: transmission (5.1.9.2). */
export const NET_TRANSMIT_CLAUSES: ClauseTable = {
  name: 'net-transmit',
  type: 1,
  checkers: [
    sending(
      'NETTX-DRV-002',
      (packet, view) => packet.headerBytes >= 32 && !view.has(F.OUT_NET_HEADER),
      (packet) => packet.outerNetwork === 0,
      'outer_nh_offset is used without OUT_NET_HEADER',
    ),
    rule('NETTX-DRV-003', 'driver', (clause, view) => ({
      onOffer(chain) {
        clause.holds(
          chain.readableBytes > view.headerBytes,
          'a frame has no room for the header that was negotiated',
        );
      },
    })),
    sending(
      'NETTX-DRV-004',
      (packet) => packet.headerBytes >= 12,
      (packet) => packet.numBuffers === 0,
      'num_buffers is not 0 in a frame that is sent',
    ),
    sending(
      'NETTX-DRV-005',
      without(F.CSUM),
      (packet) => packet.flags === 0,
      'flags is not 0 and CSUM was not accepted',
    ),
    sent(
      'NETTX-DRV-006',
      (packet, view) => !view.has(F.CSUM) && packet.complete(packet.outer) !== undefined,
      (packet) => packet.complete(packet.outer) === true && packet.networkComplete(packet.outer),
      'a checksum is not filled in and CSUM was not accepted',
    ),
    typeNeeds('NETTX-DRV-009', F.HOST_TSO4, GSO_TCPV4, 'TCPV4'),
    typeNeeds('NETTX-DRV-011', F.HOST_TSO6, GSO_TCPV6, 'TCPV6'),
    typeNeeds('NETTX-DRV-013', F.HOST_UFO, GSO_UDP, 'UDP'),
    typeNeeds('NETTX-DRV-015', F.HOST_USO, GSO_UDP_L4, 'UDP_L4'),
    sending(
      'NETTX-DRV-016',
      (packet, view) => isGso(packet) && !view.has(F.HOST_ECN),
      (packet) => !packet.marked(packet.segmented),
      'a segment to be cut has congestion marks and HOST_ECN was not accepted',
    ),
    sending(
      'NETTX-DRV-017',
      (packet, view) => isGso(packet) && view.has(F.HOST_ECN) && packet.marked(packet.segmented),
      (packet) => (packet.gsoType & GSO_ECN) !== 0,
      'a segment to be cut has congestion marks and gso_type does not say so',
    ),
    sending(
      'NETTX-DRV-019',
      without(F.HOST_UDP_TUNNEL_GSO),
      (packet) => !isTunnel(packet),
      'a tunnel bit is set and HOST_UDP_TUNNEL_GSO was not accepted',
    ),
    sending(
      'NETTX-DRV-020',
      (packet) => isTunnel(packet) && packet.inner.network >= 0 && !packet.inner.ip6,
      (packet) => (packet.gsoType & GSO_TUNNEL4) !== 0,
      'the inner packet of a tunnel is IPv4 and gso_type does not say so',
    ),
    sending(
      'NETTX-DRV-021',
      (packet) => isTunnel(packet) && packet.inner.network >= 0 && packet.inner.ip6,
      (packet) => (packet.gsoType & GSO_TUNNEL6) !== 0,
      'the inner packet of a tunnel is IPv6 and gso_type does not say so',
    ),
    sending(
      'NETTX-DRV-022',
      (packet) => packet.has(UDP_TUNNEL_CSUM),
      (_packet, view) => view.has(F.HOST_UDP_TUNNEL_GSO) && view.has(F.HOST_UDP_TUNNEL_GSO_CSUM),
      'an outer checksum is left open without both tunnel features',
    ),
    sent(
      'NETTX-DRV-023',
      (packet, view) => isTunnel(packet) && view.has(F.HOST_UDP_TUNNEL_GSO_CSUM) && !outerDone(packet),
      (packet) => packet.has(UDP_TUNNEL_CSUM),
      'the outer checksum of a tunnel is left open and flags does not say so',
    ),
    sending(
      'NETTX-DRV-024',
      without(F.HOST_UDP_TUNNEL_GSO_CSUM),
      (packet) => !packet.has(UDP_TUNNEL_CSUM),
      'UDP_TUNNEL_CSUM is set and its feature was not accepted',
    ),
    sent(
      'NETTX-DRV-025',
      (packet, view) => isTunnel(packet) && !view.has(F.HOST_UDP_TUNNEL_GSO_CSUM),
      outerDone,
      'the outer checksum of a tunnel is left open and its feature was not accepted',
    ),
    sending(
      'NETTX-DRV-026',
      isTunnel,
      (packet) => packet.gsoBase !== GSO_UDP,
      'a tunnel bit is set together with type UDP',
    ),
    sending('NETTX-DRV-027', isTunnel, (packet) => packet.tunnel !== GSO_TUNNEL, 'both tunnel bits are set'),
    sending(
      'NETTX-DRV-028',
      (packet) => packet.has(UDP_TUNNEL_CSUM),
      isTunnel,
      'UDP_TUNNEL_CSUM is set without a tunnel bit',
    ),
    sending(
      'NETTX-DRV-030',
      (packet) => packet.has(NEEDS_CSUM) && packet.outer.network >= 0 && !packet.outer.ip6,
      (packet) => packet.networkComplete(packet.outer),
      'the checksum of the IPv4 header is wrong in front of one that is left open',
    ),
    sent(
      'NETTX-DRV-031',
      (packet) => packet.has(NEEDS_CSUM) && packet.checksumAt(packet.segmented) >= 0,
      (packet) =>
        packet.short(packet.checksumAt(packet.segmented)) ===
        packet.pseudo(packet.segmented, packet.segmented.end - packet.segmented.transport),
      'a checksum is left open and its field does not hold the sum of the pseudo-header',
    ),
    sending(
      'NETTX-DRV-032',
      (packet) => packet.has(NEEDS_CSUM) && packet.checksumAt(packet.segmented) >= 0,
      (packet) =>
        packet.csumStart === packet.segmented.transport &&
        packet.csumStart + packet.csumOffset === packet.checksumAt(packet.segmented),
      'csum_start and csum_offset do not complete the checksum of the packet',
    ),
    sending(
      'NETTX-DRV-033',
      (_packet, view) => !view.hasAny(F.HOST_TSO4, F.HOST_TSO6, F.HOST_UFO, F.HOST_USO),
      (packet) => packet.gsoType === 0,
      'gso_type is not NONE and no segmentation was accepted',
    ),
    sending(
      'NETTX-DRV-034',
      isGso,
      (packet) => packet.has(NEEDS_CSUM),
      'a segment to be cut does not leave its checksum open',
    ),
    sending('NETTX-DRV-035', isGso, (packet) => packet.gsoSize > 0, 'a segment to be cut has gso_size 0'),
    sending(
      'NETTX-DRV-036',
      (packet, view) => isGso(packet) && view.has(F.GUEST_HDRLEN) && packet.segmented.transport >= 0,
      (packet) => packet.hdrLen === packet.headerEnd(packet.segmented),
      'hdr_len is not the length of the headers, as GUEST_HDRLEN has it',
    ),
    sending(
      'NETTX-DRV-037',
      (packet, view) => isGso(packet) && !view.has(F.GUEST_HDRLEN) && packet.segmented.transport >= 0,
      (packet) => packet.hdrLen >= packet.headerEnd(packet.segmented),
      'hdr_len is less than the headers',
    ),
    sending('NETTX-DRV-039', isTunnel, offsetsPoint, 'the offsets of a tunnel do not point at its headers'),
    sent(
      'NETTX-DRV-041',
      (packet) => isTunnel(packet) && packet.has(UDP_TUNNEL_CSUM),
      outerOpen,
      'UDP_TUNNEL_CSUM is set and the outer checksum is not the sum of the pseudo-header',
    ),
    sent(
      'NETTX-DRV-042',
      (packet) => isTunnel(packet) && !packet.has(UDP_TUNNEL_CSUM),
      (packet) => !outerOpen(packet) || outerDone(packet),
      'the outer checksum of a tunnel is left open and flags says nothing of it',
    ),
    sent(
      'NETTX-DRV-043',
      (packet) => isTunnel(packet) && !packet.has(UDP_TUNNEL_CSUM),
      outerDone,
      'the outer checksum of a tunnel is neither zero nor complete',
    ),
    sending(
      'NETTX-DRV-044',
      without(F.HOST_UDP_TUNNEL_GSO),
      (packet) => !isTunnel(packet),
      'a tunnel bit is set and HOST_UDP_TUNNEL_GSO was not accepted',
    ),
    sending(
      'NETTX-DRV-045',
      without(F.HOST_UDP_TUNNEL_GSO_CSUM),
      (packet) => !packet.has(UDP_TUNNEL_CSUM),
      'UDP_TUNNEL_CSUM is set and its feature was not accepted',
    ),
    accepted('NETTX-DRV-046', F.GUEST_HDRLEN, 'GUEST_HDRLEN is offered and not accepted'),
    sending(
      'NETTX-DRV-047',
      () => true,
      (packet) => !packet.has(DATA_VALID) && !packet.has(RSC_INFO),
      'DATA_VALID or RSC_INFO is set in a frame that is sent',
    ),
    sending(
      'NETTX-DRV-048',
      isTunnel,
      (packet) => !packet.has(DATA_VALID),
      'DATA_VALID is set together with a tunnel bit',
    ),
    leaves(
      'NETTX-DEV-001',
      (packet) => packet.has(UNKNOWN_FLAGS) && packet.gsoType === 0 && !packet.has(NEEDS_CSUM),
      (_packet, view) => view.outFrames > 0,
      'a frame with a flag that nobody knows is not sent',
    ),
    leaves(
      'NETTX-DEV-002',
      (packet) => isPlain(packet) && packet.csumStart !== 0,
      sameFrame,
      'csum_start is used without NEEDS_CSUM',
    ),
    leaves(
      'NETTX-DEV-004',
      (packet, view) =>
        isPlain(packet) &&
        packet.headerBytes >= 32 &&
        packet.outerNetwork !== 0 &&
        !view.has(F.OUT_NET_HEADER),
      sameFrame,
      'outer_nh_offset is used without OUT_NET_HEADER',
    ),
    leaves(
      'NETTX-DEV-007',
      (packet) =>
        isGso(packet) &&
        packet.has(NEEDS_CSUM) &&
        packet.hdrLen !== packet.headerEnd(packet.segmented) &&
        packet.segmented.transport >= 0 &&
        packet.gsoSize > 0 &&
        packet.checksumInside,
      (packet, view) => view.outFrames > 1 || sameFrame(packet, view),
      'hdr_len is trusted: a frame is lost or changed by it',
    ),
    leaves(
      'NETTX-DEV-008',
      (packet, view) => hostTunnels(packet, view) && packet.tunnel === GSO_TUNNEL,
      refused,
      'a frame with both tunnel bits is sent',
    ),
    leaves(
      'NETTX-DEV-009',
      (packet) =>
        packet.headerBytes >= 24 && isPlain(packet) && packet.outerTransport + packet.innerNetwork !== 0,
      sameFrame,
      'the offsets of a tunnel are used without a tunnel bit',
    ),
    leaves(
      'NETTX-DEV-010',
      (packet, view) =>
        hostTunnels(packet, view) &&
        isTunnel(packet) &&
        (!packet.has(NEEDS_CSUM) || packet.has(DATA_VALID) || packet.gsoBase === 0),
      refused,
      'a tunnel that leaves no checksum open, has DATA_VALID or is not to be cut is sent',
    ),
    leaves(
      'NETTX-DEV-011',
      (packet, view) => hostTunnels(packet, view) && packet.has(UDP_TUNNEL_CSUM) && !isTunnel(packet),
      refused,
      'a frame with UDP_TUNNEL_CSUM and no tunnel bit is sent',
    ),
    leaves(
      'NETTX-DEV-012',
      (packet) => isPlain(packet) && packet.complete(packet.outer) === false,
      sameFrame,
      'a wrong checksum is changed on the way out',
    ),
  ],
  undecided: [
    ...[
      'NETTX-DRV-001',
      'NETTX-DRV-007',
      'NETTX-DRV-008',
      'NETTX-DRV-010',
      'NETTX-DRV-012',
      'NETTX-DRV-014',
      'NETTX-DRV-018',
      'NETTX-DRV-029',
      'NETTX-DRV-038',
      'NETTX-DRV-040',
      'NETTX-DEV-003',
      'NETTX-DEV-005',
      'NETTX-DEV-006',
    ].map((id) => ({ id, why: 'a permission: nothing breaks it' })),
    ...['NETTX-DRV-049', 'NETTX-DRV-050', 'NETTX-DEV-013'].map((id) => ({
      id,
      why: 'security associations are objects of the administration virtqueue, which no stream shows',
    })),
  ],
};
