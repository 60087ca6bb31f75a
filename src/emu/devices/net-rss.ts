import type { Stateful, StateStream } from '../core/state.ts';
import * as abi from './net-abi.ts';
import { NetPacket } from './net-packet.ts';

/** VIRTIO_NET_RSS_MAX_KEY_SIZE and VIRTIO_NET_RSS_MAX_TABLE_LEN of QEMU. */
export const RSS_KEY_BYTES_MAX = 40;
export const RSS_TABLE_MAX = 128;
/** Hash types 1.2's driver may ask for, all of them. */
export const RSS_HASH_TYPES = 0x1ff;

/** The frame stays on the queue it came by. */
export const STAY = -1;

const HASH_IP4 = 1 << 0;
const HASH_TCP4 = 1 << 1;
const HASH_UDP4 = 1 << 2;
const HASH_IP6 = 1 << 3;
const HASH_TCP6 = 1 << 4;
const HASH_UDP6 = 1 << 5;
const HASH_IP6_EX = 1 << 6;
const HASH_TCP6_EX = 1 << 7;
const HASH_UDP6_EX = 1 << 8;

/** What goes into a hash, and what the header reports (VIRTIO 1.3, 5.1.6.4.4). */
interface HashRow {
  readonly report: number;
  readonly ip6: boolean;
  readonly ports: boolean;
  readonly extensions: boolean;
}

function row(report: number, ip6: boolean, ports: boolean, extensions = false): HashRow {
  return { report, ip6, ports, extensions };
}

/** First row whose type the driver wants, for each kind of packet: with options first (virtio_net_get_hash_type). */
const TCP4 = row(2, false, true);
const UDP4 = row(3, false, true);
const IP4 = row(1, false, false);
const CHOICES_4: readonly (readonly [type: number, row: HashRow])[] = [[HASH_IP4, IP4]];
const CHOICES_TCP4: typeof CHOICES_4 = [[HASH_TCP4, TCP4], ...CHOICES_4];
const CHOICES_UDP4: typeof CHOICES_4 = [[HASH_UDP4, UDP4], ...CHOICES_4];
const CHOICES_6: typeof CHOICES_4 = [
  [HASH_IP6_EX, row(7, true, false, true)],
  [HASH_IP6, row(4, true, false)],
];
const CHOICES_TCP6: typeof CHOICES_4 = [
  [HASH_TCP6_EX, row(8, true, true, true)],
  [HASH_TCP6, row(5, true, true)],
  ...CHOICES_6,
];
const CHOICES_UDP6: typeof CHOICES_4 = [
  [HASH_UDP6_EX, row(9, true, true, true)],
  [HASH_UDP6, row(6, true, true)],
  ...CHOICES_6,
];

/** A device's settings that a command's check needs. */
export interface RssLimits {
  readonly pairs: number;
  readonly currentPairs: number;
  readonly littleEndian: boolean;
}

/**
 * Receive-side scaling in software (QEMU hw/net/virtio-net.c: virtio_net_handle_rss, virtio_net_process_rss). A device
 * reset does not switch it off: QEMU 7.2 forgets to.
 */
export class NetRss implements Stateful {
  enabled = false;
  /** Set with the first success, and never taken back. */
  software = false;
  /** Frames are redirected: RSS was accepted. */
  redirect = false;
  /** Hashes are reported: HASH_REPORT was accepted. A legacy driver does not take it back. */
  populate = false;
  /** Of the frame looked at last. */
  hash = 0;
  report = 0;
  #hashTypes = 0;
  #tableLength = 0;
  #defaultQueue = 0;
  readonly #table: Uint16Array<ArrayBuffer> = new Uint16Array(RSS_TABLE_MAX);
  readonly #key: Uint8Array<ArrayBuffer> = new Uint8Array(RSS_KEY_BYTES_MAX);
  readonly #packet: NetPacket = new NetPacket();
  readonly #input: Uint8Array<ArrayBuffer> = new Uint8Array(36);

  /** Where the eBPF program would take over: this host has none. */
  get active(): boolean {
    return this.enabled && this.software;
  }

  /**
   * Takes the argument of VIRTIO_NET_CTRL_MQ_RSS_CONFIG, or, with `steering` off, of HASH_CONFIG; the pairs that it asks
   * for, or 0 if it is bad. Fields are taken as they are read, and what follows a bad one is not.
   */
  configure(argument: Uint8Array, steering: boolean, limits: RssLimits): number {
    const pairs = this.#read(argument, steering, limits);
    if (pairs === 0) this.enabled = false;
    return pairs;
  }

  /** Looks at a frame that begins at `start`: the queue pair to redirect it to, or STAY. */
  choose(bytes: Uint8Array, start: number, pair: number): number {
    const packet = this.#packet;
    packet.read(bytes, start);
    const chosen = this.#hashRow();
    this.report = chosen?.report ?? 0;
    this.hash = chosen === undefined ? 0 : this.#hash(chosen);
    if (!this.redirect) return STAY;
    // A frame without a hash goes to the default queue even if it is there already.
    if (chosen === undefined) return this.#defaultQueue;
    const target = this.#table[this.hash & (this.#tableLength - 1)] ?? 0;
    return target === pair ? STAY : target;
  }

  exchange(state: StateStream): void {
    this.enabled = state.bool(this.enabled);
    this.software = state.bool(this.software);
    this.redirect = state.bool(this.redirect);
    this.populate = state.bool(this.populate);
    this.#hashTypes = state.u32(this.#hashTypes);
    this.#tableLength = state.u16(this.#tableLength);
    this.#defaultQueue = state.u16(this.#defaultQueue);
    state.bytes(this.#key);
    for (let i = 0; i < RSS_TABLE_MAX; i++) this.#table[i] = state.u16(this.#table[i] ?? 0);
    this.#packet.exchange(state);
  }

  #read(argument: Uint8Array, steering: boolean, { pairs, currentPairs, littleEndian }: RssLimits): number {
    const view = new DataView(argument.buffer, argument.byteOffset, argument.byteLength);
    if (argument.length < abi.NET_RSS_TABLE) return 0;
    this.#hashTypes = view.getUint32(0, littleEndian);
    this.#tableLength = steering ? (view.getUint16(4, littleEndian) + 1) & 0xffff : 1;
    const length = this.#tableLength;
    if (length === 0 || (length & (length - 1)) !== 0 || length > RSS_TABLE_MAX) return 0;
    this.#defaultQueue = steering ? view.getUint16(6, littleEndian) : 0;
    if (this.#defaultQueue >= pairs) return 0;
    const end = abi.NET_RSS_TABLE + 2 * length;
    if (argument.length < end) return 0;
    // Entries are not checked: a frame takes them modulo the pairs in use.
    for (let i = 0; i < length; i++) {
      this.#table[i] = view.getUint16(abi.NET_RSS_TABLE + 2 * i, littleEndian);
    }
    if (argument.length < end + 3) return 0;
    const asked = steering ? view.getUint16(end, littleEndian) : currentPairs;
    if (asked === 0 || asked > pairs) return 0;
    const keyBytes = argument[end + 2] ?? 0;
    if (keyBytes > RSS_KEY_BYTES_MAX) return 0;
    if (keyBytes === 0) return this.#switchOff(asked);
    const key = argument.subarray(end + 3, end + 3 + keyBytes);
    this.#key.set(key);
    if (key.length < keyBytes) return 0;
    this.enabled = true;
    this.software = true;
    return asked;
  }

  /** No key: a mistake if hashes are wanted, else the way to switch hashing off. */
  #switchOff(asked: number): number {
    if (this.#hashTypes !== 0) return 0;
    this.enabled = false;
    return asked;
  }

  #hashRow(): HashRow | undefined {
    const packet = this.#packet;
    const whole = !((packet.isIp4 && packet.fragment4) || (packet.isIp6 && packet.fragment6));
    const tcp = whole && packet.isTcp;
    const udp = whole && packet.isUdp;
    let choices: typeof CHOICES_4 = [];
    if (packet.isIp4) choices = tcp ? CHOICES_TCP4 : udp ? CHOICES_UDP4 : CHOICES_4;
    else if (packet.isIp6) choices = tcp ? CHOICES_TCP6 : udp ? CHOICES_UDP6 : CHOICES_6;
    for (const [type, chosen] of choices) if ((this.#hashTypes & type) !== 0) return chosen;
    return undefined;
  }

  #hash({ ip6, ports, extensions }: HashRow): number {
    const packet = this.#packet;
    const input = this.#input;
    let length = 8;
    if (ip6) {
      input.set(extensions && packet.hasHome ? packet.home : packet.ip6.subarray(8, 24), 0);
      input.set(extensions && packet.hasRoute ? packet.route : packet.ip6.subarray(24, 40), 16);
      length = 32;
    } else {
      input.set(packet.ip4.subarray(12, 20), 0);
    }
    if (ports) input.set(packet.transport.subarray(0, 4), length);
    return toeplitz(this.#key, input, ports ? length + 4 : length);
  }
}

/** The Toeplitz hash: the 32 bits of the key that begin at each set bit of the input, added without carry. */
function toeplitz(key: Uint8Array, input: Uint8Array, length: number): number {
  let window = ((key[0] ?? 0) << 24) | ((key[1] ?? 0) << 16) | ((key[2] ?? 0) << 8) | (key[3] ?? 0);
  let hash = 0;
  for (let i = 0; i < length; i++) {
    const byte = input[i] ?? 0;
    const following = key[i + 4] ?? 0;
    for (let bit = 7; bit >= 0; bit--) {
      if ((byte & (1 << bit)) !== 0) hash ^= window;
      window = (window << 1) | ((following >> bit) & 1);
    }
  }
  return hash >>> 0;
}
