/** Where things lie in an Ethernet frame: what checkers of network clauses look at, worked out from the bytes alone. */

const ETHERNET = 14;
const VLAN = 4;
const IP6_BYTES = 40;
/** By the version in the network header. */
export const ANY_ETHERTYPE = 0;
const NO_ETHERTYPE = 1;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_IP4 = 0x0800;
const ETHERTYPE_IP6 = 0x86dd;
export const TCP = 6;
export const UDP = 17;
/** Extensions of IPv6 that are walked over: hop-by-hop, routing, destination options. */
const EXTENSIONS: readonly number[] = [0, 43, 60];
const FRAGMENT = 44;

/** One network header with its transport header; offsets from the start of the frame, -1 where there is none. */
export class Layer {
  network = -1;
  ip6 = false;
  transport = -1;
  protocol = -1;
  fragment = false;
  /** End of what the network header says that the packet is; at most the frame's. */
  end = 0;
}

/** A frame, read anew by `read`; nothing of it is kept but the bytes that it was given. */
export class NetFrame {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the frame begins and ends in `bytes`. */
  start = 0;
  end = 0;
  /** VLAN id, -1 without a tag; bytes before the network header. */
  vlan = -1;
  linkBytes: number = ETHERNET;
  readonly outer: Layer = new Layer();

  read(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    const tagged = this.length >= ETHERNET + VLAN && this.short(12) === ETHERTYPE_VLAN;
    this.vlan = tagged ? this.short(14) & 0xfff : -1;
    this.linkBytes = tagged ? ETHERNET + VLAN : ETHERNET;
    const ethertype = this.length >= ETHERNET ? this.short(this.linkBytes - 2) : NO_ETHERTYPE;
    this.readLayer(this.outer, this.linkBytes, ethertype);
    return this;
  }

  get length(): number {
    return this.end - this.start;
  }

  byte(at: number): number {
    const place = this.start + at;
    return place < this.end ? (this.bytes[place] ?? 0) : 0;
  }

  short(at: number): number {
    return (this.byte(at) << 8) | this.byte(at + 1);
  }

  get broadcast(): boolean {
    for (let i = 0; i < 6; i++) if (this.byte(i) !== 0xff) return false;
    return true;
  }

  get multicast(): boolean {
    return (this.byte(0) & 1) !== 0 && !this.broadcast;
  }

  get unicast(): boolean {
    return (this.byte(0) & 1) === 0;
  }

  /** Reads a network header at `at`; by its version where `ethertype` is ANY_ETHERTYPE. */
  readLayer(into: Layer, at: number, ethertype: number): void {
    const version = this.byte(at) >> 4;
    const ip6 = ethertype === ETHERTYPE_IP6 || (ethertype === ANY_ETHERTYPE && version === 6);
    const ip4 = ethertype === ETHERTYPE_IP4 || (ethertype === ANY_ETHERTYPE && version === 4);
    into.network = -1;
    into.transport = -1;
    into.protocol = -1;
    into.fragment = false;
    into.end = this.length;
    if (ip4 && at + 20 <= this.length && version === 4) this.#ip4(into, at);
    else if (ip6 && at + IP6_BYTES <= this.length && version === 6) this.#ip6(into, at);
    if (into.transport > this.length) into.transport = -1;
  }

  #ip4(into: Layer, at: number): void {
    into.network = at;
    into.ip6 = false;
    into.protocol = this.byte(at + 9);
    into.fragment = (this.short(at + 6) & 0x3fff) !== 0;
    into.transport = at + 4 * (this.byte(at) & 15);
    into.end = Math.min(this.length, at + this.short(at + 2));
  }

  #ip6(into: Layer, at: number): void {
    into.network = at;
    into.ip6 = true;
    into.end = Math.min(this.length, at + IP6_BYTES + this.short(at + 4));
    let next = this.byte(at + 6);
    let where = at + IP6_BYTES;
    while (EXTENSIONS.includes(next) && where + 8 <= this.length) {
      next = this.byte(where);
      where += 8 * (this.byte(where + 1) + 1);
    }
    into.fragment = next === FRAGMENT;
    into.protocol = next;
    into.transport = where;
  }

  /** Sum of the 16-bit words of [from, to), carries added; an odd byte at the end is the high half of one. */
  sum(from: number, to: number): number {
    let sum = 0;
    for (let at = from; at < to; at += 2) {
      sum += (this.byte(at) << 8) | (at + 1 < to ? this.byte(at + 1) : 0);
    }
    return fold(sum);
  }

  /** Sum of the pseudo-header of a layer's transport, for `length` bytes of it. */
  pseudo({ network, ip6, protocol }: Layer, length: number): number {
    const addresses = ip6 ? this.sum(network + 8, network + 40) : this.sum(network + 12, network + 20);
    return fold(addresses + protocol + length);
  }

  /** Where the checksum of a layer's transport header lies; -1 if it has none. */
  checksumAt({ transport, protocol }: Layer): number {
    if (transport < 0) return -1;
    return protocol === TCP ? transport + 16 : protocol === UDP ? transport + 6 : -1;
  }

  /** End of a layer's transport header. */
  headerEnd({ transport, protocol }: Layer): number {
    if (transport < 0) return -1;
    return protocol === TCP ? transport + 4 * (this.byte(transport + 12) >> 4) : transport + 8;
  }

  /** Whether a layer's transport checksum is complete and right, or, of UDP over IPv4, left out; undefined: there is none. */
  complete(layer: Layer): boolean | undefined {
    const at = this.checksumAt(layer);
    if (at < 0 || layer.fragment || at + 2 > layer.end) return undefined;
    if (layer.protocol === UDP && this.short(at) === 0) return !layer.ip6;
    const length = layer.end - layer.transport;
    return fold(this.pseudo(layer, length) + this.sum(layer.transport, layer.end)) === 0xffff;
  }

  /** Whether the checksum of an IPv4 header is right; true for anything else. */
  networkComplete({ network, ip6 }: Layer): boolean {
    if (network < 0 || ip6) return true;
    return this.sum(network, network + 4 * (this.byte(network) & 15)) === 0xffff;
  }

  /** Congestion-marked TCP: ECE or CWR set. */
  marked({ transport, protocol }: Layer): boolean {
    return protocol === TCP && transport >= 0 && (this.byte(transport + 13) & 0x80) !== 0;
  }
}

/** Carries added until 16 bits are left. */
function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return folded;
}
