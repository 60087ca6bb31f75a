import { TCP, UDP, type Layer, type NetFrame } from './net-frame.ts';

/** Hash types of the driver's configuration, in the order in which a device asks for them (5.1.9.4.4). */
const TYPE = {
  ip4: 1,
  tcp4: 2,
  udp4: 4,
  ip6: 8,
  tcp6: 16,
  udp6: 32,
  ip6Ex: 64,
  tcp6Ex: 128,
  udp6Ex: 256,
} as const;

/** A hash and what it is of; report 0: none of the types fits. */
export interface PacketHash {
  readonly value: number;
  readonly report: number;
}

const NO_HASH: PacketHash = { value: 0, report: 0 };
const INPUT = new Uint8Array(36);

/**
 * The hash that a device computes of a packet's outer headers. Undefined where options of IPv6 decide, which this does
 * not follow.
 */
export function hashOf(frame: NetFrame, types: number, key: Uint8Array): PacketHash | undefined {
  const { outer } = frame;
  if (outer.network < 0) return NO_HASH;
  const report = reportOf(outer, types);
  if (report === undefined) return undefined;
  if (report === 0) return NO_HASH;
  const ports = report !== 1 && report !== 4;
  return { value: toeplitz(key, gather(frame, outer, ports)), report };
}

function reportOf({ ip6, protocol, transport, fragment }: Layer, types: number): number | undefined {
  if (ip6 && (types & (TYPE.ip6Ex | TYPE.tcp6Ex | TYPE.udp6Ex)) !== 0) return undefined;
  const whole = !fragment && transport >= 0;
  const tcp = whole && protocol === TCP;
  const udp = whole && protocol === UDP;
  if (tcp && (types & (ip6 ? TYPE.tcp6 : TYPE.tcp4)) !== 0) return ip6 ? 5 : 2;
  if (udp && (types & (ip6 ? TYPE.udp6 : TYPE.udp4)) !== 0) return ip6 ? 6 : 3;
  return (types & (ip6 ? TYPE.ip6 : TYPE.ip4)) === 0 ? 0 : ip6 ? 4 : 1;
}

function gather(frame: NetFrame, { network, ip6, transport }: Layer, ports: boolean): Uint8Array {
  const from = network + (ip6 ? 8 : 12);
  const addresses = ip6 ? 32 : 8;
  for (let i = 0; i < addresses; i++) INPUT[i] = frame.byte(from + i);
  if (!ports) return INPUT.subarray(0, addresses);
  for (let i = 0; i < 4; i++) INPUT[addresses + i] = frame.byte(transport + i);
  return INPUT.subarray(0, addresses + 4);
}

/** For each set bit of the input, the 32 bits of the key that begin there, added without carry. */
function toeplitz(key: Uint8Array, input: Uint8Array): number {
  let hash = 0;
  for (let bit = 0; bit < 8 * input.length; bit++) {
    if (((input[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0) hash ^= keyBits(key, bit);
  }
  return hash >>> 0;
}

function keyBits(key: Uint8Array, from: number): number {
  let bits = 0;
  for (let i = from; i < from + 32; i++) bits = (bits << 1) | (((key[i >> 3] ?? 0) >> (7 - (i & 7))) & 1);
  return bits;
}
