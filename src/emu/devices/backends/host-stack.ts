import { hasFeature } from '../../virtio/features.ts';
import * as abi from '../net-abi.ts';
import { foldSum, putShort, sumWords } from '../net-checksum.ts';

/**
 * What a Linux tap does to a frame on its way to a guest (drivers/net/tun.c, net/core/dev.c): a header that makes no
 * sense loses the frame, and what the guest did not say it can take is done in software, checksums and segments both.
 */

const HEADER_BYTES = abi.VIRTIO_NET_HDR_BYTES;
const ETHERNET_BYTES = 14;
const VLAN_BYTES = 4;
const IP6_BYTES = 40;
const FRAGMENT_BYTES = 8;
const UDP_BYTES = 8;
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
const PROTOCOL_FRAGMENT = 44;
const TCP_FIN_PSH = 0x09;
const TCP_CWR = 0x80;

/** By GSO type: the offload that spares the host the work. */
const OFFLOAD_OF: ReadonlyMap<number, number> = new Map([
  [abi.VIRTIO_NET_HDR_GSO_TCPV4, abi.VIRTIO_NET_F_GUEST_TSO4],
  [abi.VIRTIO_NET_HDR_GSO_TCPV6, abi.VIRTIO_NET_F_GUEST_TSO6],
  [abi.VIRTIO_NET_HDR_GSO_UDP, abi.VIRTIO_NET_F_GUEST_UFO],
]);

/** Where the headers of a frame lie; undefined if they are not whole. */
interface Layout {
  readonly network: number;
  readonly ip6: boolean;
  readonly transport: number;
  readonly protocol: number;
}

interface Header {
  flags: number;
  gso: number;
  gsoSize: number;
  csumStart: number;
  csumOffset: number;
}

/**
 * Turns a frame behind its ten-byte header (little-endian) into the frames, each behind such a header, that a guest gets
 * which takes `offloads` (bits of GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, GUEST_ECN, GUEST_UFO).
 */
export function throughHostStack(packet: Uint8Array, offloads: bigint): Uint8Array<ArrayBuffer>[] {
  if (packet.length < HEADER_BYTES + ETHERNET_BYTES) return [];
  const header = readHeader(packet);
  const frame = packet.slice(HEADER_BYTES);
  if (header.gso === abi.VIRTIO_NET_HDR_GSO_NONE) {
    return unsegmented(frame, header, offloads);
  }
  const layout = layoutOf(frame);
  if (layout === undefined || header.gsoSize === 0 || !isOfKind(layout, header.gso)) return [];
  if (!closes(frame, header) || !headersFit(frame, layout)) return [];
  // Linux cuts a segment itself whose checksum is not open, and knows no other flag of what comes from a guest.
  const open = header.flags & abi.VIRTIO_NET_HDR_F_NEEDS_CSUM;
  if (open !== 0 && takes(offloads, header.gso)) {
    return [joined(frame, { ...header, flags: open }, headerBytes(frame, layout))];
  }
  const segments = layout.protocol === PROTOCOL_TCP ? tcpSegments : udpFragments;
  return segments(frame, layout, header, hasFeature(offloads, abi.VIRTIO_NET_F_GUEST_CSUM));
}

function unsegmented(
  frame: Uint8Array<ArrayBuffer>,
  header: Header,
  offloads: bigint,
): Uint8Array<ArrayBuffer>[] {
  if (!closes(frame, header)) return [];
  const needs = (header.flags & abi.VIRTIO_NET_HDR_F_NEEDS_CSUM) !== 0;
  if (needs && !hasFeature(offloads, abi.VIRTIO_NET_F_GUEST_CSUM)) {
    complete(frame, header.csumStart, header.csumOffset);
    return [joined(frame, PLAIN, 0)];
  }
  const valid = hasFeature(offloads, abi.VIRTIO_NET_F_GUEST_CSUM)
    ? header.flags & abi.VIRTIO_NET_HDR_F_DATA_VALID
    : 0;
  return [
    joined(
      frame,
      needs ? { ...header, flags: abi.VIRTIO_NET_HDR_F_NEEDS_CSUM } : { ...PLAIN, flags: valid },
      0,
    ),
  ];
}

const PLAIN: Header = { flags: 0, gso: 0, gsoSize: 0, csumStart: 0, csumOffset: 0 };

function readHeader(packet: Uint8Array): Header {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  return {
    flags: view.getUint8(abi.VIRTIO_NET_HDR_FLAGS),
    gso: view.getUint8(abi.VIRTIO_NET_HDR_GSO_TYPE),
    gsoSize: view.getUint16(abi.VIRTIO_NET_HDR_GSO_SIZE, true),
    csumStart: view.getUint16(abi.VIRTIO_NET_HDR_CSUM_START, true),
    csumOffset: view.getUint16(abi.VIRTIO_NET_HDR_CSUM_OFFSET, true),
  };
}

function joined(frame: Uint8Array, header: Header, headers: number): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(HEADER_BYTES + frame.length);
  const view = new DataView(packet.buffer);
  packet[abi.VIRTIO_NET_HDR_FLAGS] = header.flags;
  packet[abi.VIRTIO_NET_HDR_GSO_TYPE] = header.gso;
  view.setUint16(abi.VIRTIO_NET_HDR_HDR_LEN, headers, true);
  view.setUint16(abi.VIRTIO_NET_HDR_GSO_SIZE, header.gsoSize, true);
  view.setUint16(abi.VIRTIO_NET_HDR_CSUM_START, header.csumStart, true);
  view.setUint16(abi.VIRTIO_NET_HDR_CSUM_OFFSET, header.csumOffset, true);
  packet.set(frame, HEADER_BYTES);
  return packet;
}

/** A checksum that is left open lies inside the frame. */
function closes(frame: Uint8Array, { flags, csumStart, csumOffset }: Header): boolean {
  if ((flags & abi.VIRTIO_NET_HDR_F_NEEDS_CSUM) === 0) return true;
  return csumStart + csumOffset + 2 <= frame.length;
}

function complete(frame: Uint8Array, start: number, offset: number): void {
  const sum = foldSum(sumWords(frame, start, frame.length));
  putShort(frame, start + offset, sum === 0 ? 0xffff : sum);
}

function isOfKind({ ip6, protocol }: Layout, gso: number): boolean {
  switch (gso & ~abi.VIRTIO_NET_HDR_GSO_ECN) {
    case abi.VIRTIO_NET_HDR_GSO_TCPV4:
      return !ip6 && protocol === PROTOCOL_TCP;
    case abi.VIRTIO_NET_HDR_GSO_TCPV6:
      return ip6 && protocol === PROTOCOL_TCP;
    case abi.VIRTIO_NET_HDR_GSO_UDP:
      return protocol === PROTOCOL_UDP && (gso & abi.VIRTIO_NET_HDR_GSO_ECN) === 0;
    default:
      return false;
  }
}

function takes(offloads: bigint, gso: number): boolean {
  const offload = OFFLOAD_OF.get(gso & ~abi.VIRTIO_NET_HDR_GSO_ECN);
  if (offload === undefined || !hasFeature(offloads, offload)) return false;
  if (!hasFeature(offloads, abi.VIRTIO_NET_F_GUEST_CSUM)) return false;
  return (gso & abi.VIRTIO_NET_HDR_GSO_ECN) === 0 || hasFeature(offloads, abi.VIRTIO_NET_F_GUEST_ECN);
}

function short(frame: Uint8Array, at: number): number {
  return ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
}

/** Ethernet, at most one VLAN tag, IPv4 with options or IPv6 without extensions. */
function layoutOf(frame: Uint8Array): Layout | undefined {
  const tagged = short(frame, 12) === 0x8100;
  const network = tagged ? ETHERNET_BYTES + VLAN_BYTES : ETHERNET_BYTES;
  const ethertype = short(frame, network - 2);
  const ip6 = ethertype === 0x86dd;
  if (!ip6 && ethertype !== 0x0800) return undefined;
  const bytes = ip6 ? IP6_BYTES : 4 * ((frame[network] ?? 0) & 15);
  if (bytes < 20 || network + bytes > frame.length) return undefined;
  const protocol = frame[network + (ip6 ? 6 : 9)] ?? 0;
  return { network, ip6, transport: network + bytes, protocol };
}

function headerBytes(frame: Uint8Array, { transport, protocol }: Layout): number {
  return transport + (protocol === PROTOCOL_TCP ? 4 * ((frame[transport + 12] ?? 0) >> 4) : UDP_BYTES);
}

function headersFit(frame: Uint8Array, layout: Layout): boolean {
  const least = layout.protocol === PROTOCOL_TCP ? 20 : UDP_BYTES;
  const end = headerBytes(frame, layout);
  return end - layout.transport >= least && end <= frame.length;
}

/** Sum over addresses, protocol and length of a transport header's datagram. */
function pseudoSum(frame: Uint8Array, { network, ip6, protocol }: Layout, length: number): number {
  const addresses = ip6
    ? sumWords(frame, network + 8, network + 40)
    : sumWords(frame, network + 12, network + 20);
  return addresses + protocol + length;
}

function setNetworkLength(frame: Uint8Array, { network, ip6, transport }: Layout): void {
  if (ip6) {
    putShort(frame, network + 4, frame.length - transport);
    return;
  }
  putShort(frame, network + 2, frame.length - network);
  putShort(frame, network + 10, 0);
  putShort(frame, network + 10, foldSum(sumWords(frame, network, transport)));
}

function tcpSegments(
  frame: Uint8Array,
  layout: Layout,
  { gsoSize }: Header,
  leaveOpen: boolean,
): Uint8Array<ArrayBuffer>[] {
  const { network, ip6, transport } = layout;
  const headers = headerBytes(frame, layout);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const packets: Uint8Array<ArrayBuffer>[] = [];
  for (let at = headers; at < frame.length || packets.length === 0; at += gsoSize) {
    const end = Math.min(at + gsoSize, frame.length);
    const segment = new Uint8Array(headers + end - at);
    segment.set(frame.subarray(0, headers));
    segment.set(frame.subarray(at, end), headers);
    const put = new DataView(segment.buffer);
    if (!ip6) putShort(segment, network + 4, (short(frame, network + 4) + packets.length) & 0xffff);
    put.setUint32(transport + 4, (view.getUint32(transport + 4) + at - headers) >>> 0);
    const flags = transport + 13;
    if (end < frame.length) segment[flags] = (segment[flags] ?? 0) & ~TCP_FIN_PSH;
    if (packets.length > 0) segment[flags] = (segment[flags] ?? 0) & ~TCP_CWR;
    setNetworkLength(segment, layout);
    const pseudo = pseudoSum(segment, layout, segment.length - transport);
    putShort(segment, transport + 16, ~foldSum(pseudo) & 0xffff);
    if (!leaveOpen) complete(segment, transport, 16);
    const open = { ...PLAIN, flags: abi.VIRTIO_NET_HDR_F_NEEDS_CSUM, csumStart: transport, csumOffset: 16 };
    packets.push(joined(segment, leaveOpen ? open : PLAIN, 0));
  }
  return packets;
}

/** One datagram in fragments of the network layer: its checksum is computed over the whole. */
function udpFragments(frame: Uint8Array, layout: Layout, { gsoSize }: Header): Uint8Array<ArrayBuffer>[] {
  const { network, ip6, transport } = layout;
  const whole = frame.slice();
  putShort(whole, transport + 6, ~foldSum(pseudoSum(whole, layout, whole.length - transport)) & 0xffff);
  complete(whole, transport, 6);
  const step = gsoSize & ~7;
  if (step === 0) return [];
  const extra = ip6 ? FRAGMENT_BYTES : 0;
  const packets: Uint8Array<ArrayBuffer>[] = [];
  for (let at = transport; at < whole.length; at += step) {
    const end = Math.min(at + step, whole.length);
    const fragment = new Uint8Array(transport + extra + end - at);
    fragment.set(whole.subarray(0, transport));
    fragment.set(whole.subarray(at, end), transport + extra);
    const more = end < whole.length;
    if (ip6) {
      fragment[network + 6] = PROTOCOL_FRAGMENT;
      fragment[transport] = PROTOCOL_UDP;
      putShort(fragment, transport + 2, (at - transport) | (more ? 1 : 0));
      // The identification repeats the datagram's checksum: any value that its fragments share.
      fragment.set(whole.subarray(transport + 6, transport + 8), transport + 6);
    } else {
      putShort(fragment, network + 6, ((at - transport) >> 3) | (more ? 0x2000 : 0));
    }
    setNetworkLength(fragment, layout);
    packets.push(joined(fragment, PLAIN, 0));
  }
  return packets;
}
