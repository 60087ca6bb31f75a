/** What network devices are told and given: control commands and frames behind headers (VIRTIO 1.3, 5.1.6), right and wrong. */

const MAC_BYTES = 6;
const KEY_BYTES = 40;
const OWN: readonly number[] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
const OTHER: readonly number[] = [0x52, 0x54, 0x00, 0xab, 0xcd, 0xef];
const GROUP: readonly number[] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0x01];
const EVERYBODY: readonly number[] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const DESTINATIONS = [OWN, OTHER, GROUP, EVERYBODY];

/** How the argument of a command lies. */
export const COMMAND_SHAPES = ['fits', 'short', 'long', 'empty', 'huge', 'no-ack'] as const;

export const NET_CONTROL_QUEUE = 2;

function numbers(little: boolean, value: number, bytes: number): number[] {
  const all = Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) & 0xff);
  return little ? all : all.toReversed();
}

/** Class, command and the argument that a command of the class has; `value` goes where it matters most. */
export function netCommand(
  little: boolean,
  kind: number,
  command: number,
  value: number,
  shape: number,
): Uint8Array {
  const argument = shaped(argumentOf(little, kind, command, value), shape, little);
  return Uint8Array.from([kind, command, ...argument]);
}

function argumentOf(little: boolean, kind: number, command: number, value: number): number[] {
  switch (kind) {
    case 0:
      return [value & 0xff];
    case 1:
      return command === 1
        ? numbers(true, value, MAC_BYTES)
        : [
            ...numbers(little, 1, 4),
            ...OTHER,
            ...numbers(little, value & 1, 4),
            ...((value & 1) === 1 ? GROUP : []),
          ];
    case 4:
      return command === 0 ? numbers(little, value, 2) : hashArgument(little, command === 1, value);
    case 5:
      return numbers(little, value, 8);
    case 6:
      return [...numbers(little, value & 0xffff, 4), ...numbers(little, value >>> 16, 8)];
    default:
      return numbers(little, value, 2);
  }
}

/** Types in the low bits of the value, length of the table in the next, pairs in the highest. */
function hashArgument(little: boolean, steering: boolean, value: number): number[] {
  const entries = steering ? 1 << ((value >>> 9) & 7) : 1;
  const fixed = steering ? [...numbers(little, entries - 1, 2), 0, 0] : [0, 0, 0, 0];
  const pairs = steering ? Math.max(1, (value >>> 12) & 3) : 0;
  const table = Array.from({ length: 2 * entries }, () => 0);
  const key = Array.from({ length: KEY_BYTES }, (_, i) => (i * 89 + 7) & 0xff);
  return [
    ...numbers(little, value & 0x1ff, 4),
    ...fixed,
    ...table,
    ...numbers(little, pairs, 2),
    KEY_BYTES,
    ...key,
  ];
}

function shaped(argument: readonly number[], shape: number, little: boolean): readonly number[] {
  switch (COMMAND_SHAPES[shape]) {
    case 'short':
      return argument.slice(0, -1);
    case 'long':
      return [...argument, 0x5a];
    case 'empty':
      return [];
    case 'huge':
      return [...numbers(little, 0x2aaa_aaab, 4), ...argument.slice(4)];
    default:
      return argument;
  }
}

/** A frame header of ten bytes and zeros up to its length. */
export function netHeader(little: boolean, bytes: number, fields: readonly number[]): Uint8Array {
  const [flags = 0, gso = 0, hdrLen = 0, gsoSize = 0, csumStart = 0, csumOffset = 0] = fields;
  const words = [hdrLen, gsoSize, csumStart, csumOffset].flatMap((word) => numbers(little, word, 2));
  const header = new Uint8Array(bytes);
  header.set([flags, gso, ...words].slice(0, bytes));
  return header;
}

/**
 * Ethernet with IPv4 and TCP or UDP, to one of four addresses; tagged where `vlan` is not 0. The checksum is complete, or
 * left open.
 */
export function netFrame(
  to: number,
  vlan: number,
  payload: number,
  udp: boolean,
  leaveOpen: boolean,
): Uint8Array {
  const transport = (udp ? 8 : 20) + payload;
  const addresses = [10, 0, 0, 1, 10, 0, 0, 2];
  const pseudo = foldedSum([...addresses, 0, udp ? 17 : 6, ...numbers(false, transport, 2)]);
  const data = Array.from({ length: payload }, (_, i) => (i * 3 + to) & 0xff);
  const ip = [
    0x45,
    0,
    ...numbers(false, 20 + transport, 2),
    0,
    1,
    0x40,
    0,
    64,
    udp ? 17 : 6,
    0,
    0,
    ...addresses,
  ];
  const check = ~foldedSum(ip) & 0xffff;
  const head = udp
    ? [4, 0, 0, 53, ...numbers(false, transport, 2), ...numbers(false, pseudo, 2)]
    : [4, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, ...numbers(false, pseudo, 2), 0, 0];
  const sum = leaveOpen ? pseudo : ~foldedSum([...head, ...data]) & 0xffff;
  const at = udp ? 6 : 16;
  const tag = vlan === 0 ? [] : [0x81, 0x00, ...numbers(false, vlan, 2)];
  return Uint8Array.from([
    ...(DESTINATIONS[to] ?? OWN),
    ...OWN,
    ...tag,
    0x08,
    0x00,
    ...ip.with(10, check >>> 8).with(11, check & 0xff),
    ...head.with(at, sum >>> 8).with(at + 1, sum & 0xff),
    ...data,
  ]);
}

function foldedSum(bytes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}
