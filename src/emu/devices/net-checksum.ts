/** The Internet checksum (RFC 1071) where a host computes one that its guest left open. */

/** Sum of big-endian 16-bit words; a last odd byte counts as the high half of one. */
export function sumWords(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i + 1 < end; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  if (((end - start) & 1) === 1) sum += (bytes[end - 1] ?? 0) << 8;
  return sum;
}

/** The complement of a sum, in 16 bits. */
export function foldSum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

export function putShort(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value & 0xff;
}

const ETHERNET_BYTES = 14;
const IP4_BYTES = 20;
const UDP_BYTES = 8;
const PROTOCOL_UDP = 17;
const DHCP_SERVER_PORT = 67;
/** Longer frames are no answer of a DHCP server. */
const DHCP_FRAME_MAX = 1500;

/** Whether a frame is a DHCP server's, by the places where QEMU looks (work_around_broken_dhclient). */
export function isDhcpAnswer(bytes: Uint8Array, start: number): boolean {
  const size = bytes.length - start;
  if (size < ETHERNET_BYTES + IP4_BYTES + UDP_BYTES || size >= DHCP_FRAME_MAX) return false;
  const ip4 = bytes[start + 12] === 0x08 && bytes[start + 13] === 0x00;
  const udp = bytes[start + 23] === PROTOCOL_UDP;
  return ip4 && udp && bytes[start + 34] === 0 && bytes[start + 35] === DHCP_SERVER_PORT;
}

/**
 * Fills in the checksum of a UDP datagram in an untagged IPv4 frame (QEMU net/checksum.c, net_checksum_calculate): not of
 * a fragment, nor of one that is cut off. The UDP header is looked for behind 20 bytes even where there are options.
 */
export function fillUdpChecksum(bytes: Uint8Array, start: number): void {
  const ip = start + ETHERNET_BYTES;
  const short = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if ((bytes[ip] ?? 0) >> 4 !== 4 || (short(ip + 6) & 0x3fff) !== 0) return;
  const total = short(ip + 2);
  const length = total - 4 * ((bytes[ip] ?? 0) & 15);
  if (bytes.length - ip < total || length < UDP_BYTES) return;
  const udp = ip + IP4_BYTES;
  putShort(bytes, udp + 6, 0);
  const pseudo = sumWords(bytes, ip + 12, ip + 20) + PROTOCOL_UDP + length;
  putShort(bytes, udp + 6, foldSum(pseudo + sumWords(bytes, udp, udp + length)));
}
