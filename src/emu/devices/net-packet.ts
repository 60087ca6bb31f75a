import type { Stateful, StateStream } from '../core/state.ts';

const ETHERTYPE_IP4 = 0x0800;
const ETHERTYPE_IP6 = 0x86dd;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_DOUBLE_VLAN = 0x88a8;
const ETHERTYPE_UNKNOWN = 0xffff;
const ETHERNET_BYTES = 14;
const VLAN_BYTES = 4;
const IP4_BYTES = 20;
const IP6_BYTES = 40;
const TCP_BYTES = 20;
const UDP_BYTES = 8;
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
/** Hop-by-hop, routing, fragment, authentication, destination options, mobility. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 44, 51, 60, 135]);
const EXTENSION_ROUTING = 43;
const EXTENSION_FRAGMENT = 44;
const EXTENSION_DESTINATION = 60;
const OPTION_PAD1 = 0;
const OPTION_HOME_ADDRESS = 0xc9;

/**
 * What receive-side scaling reads of a frame (QEMU hw/net/net_rx_pkt.c and net/eth.c). Headers that a short frame lacks
 * keep what an earlier frame left there, as in QEMU, and so they are state.
 */
export class NetPacket implements Stateful {
  isIp4 = false;
  isIp6 = false;
  isUdp = false;
  isTcp = false;
  /** As the last IPv4, or IPv6, header said. */
  fragment4 = false;
  fragment6 = false;
  /** Addresses of the home-address option and of the type 2 routing header, if the frame had them. */
  hasHome = false;
  hasRoute = false;
  readonly home: Uint8Array<ArrayBuffer> = new Uint8Array(16);
  readonly route: Uint8Array<ArrayBuffer> = new Uint8Array(16);
  readonly ip4: Uint8Array<ArrayBuffer> = new Uint8Array(IP4_BYTES);
  readonly ip6: Uint8Array<ArrayBuffer> = new Uint8Array(IP6_BYTES);
  readonly transport: Uint8Array<ArrayBuffer> = new Uint8Array(TCP_BYTES);
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #size = 0;
  #protocol6 = 0;
  #headers6 = 0;

  /** Reads the frame that begins at `start` (eth_get_protocols). */
  read(bytes: Uint8Array, start: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#size = bytes.length - start;
    this.isIp4 = false;
    this.isIp6 = false;
    this.isUdp = false;
    this.isTcp = false;
    const network = this.#linkBytes();
    const ethertype = network < 2 ? ETHERTYPE_UNKNOWN : this.#short(network - 2);
    if (ethertype === ETHERTYPE_IP4) this.#readIp4(network);
    else if (ethertype === ETHERTYPE_IP6) this.#readIp6(network);
  }

  exchange(state: StateStream): void {
    this.fragment4 = state.bool(this.fragment4);
    this.fragment6 = state.bool(this.fragment6);
    this.hasHome = state.bool(this.hasHome);
    this.hasRoute = state.bool(this.hasRoute);
    for (const header of [this.home, this.route, this.ip4, this.ip6, this.transport]) state.bytes(header);
  }

  /** eth_get_l2_hdr_length_iov: a frame too short for a VLAN tag is all link header. */
  #linkBytes(): number {
    if (this.#size < ETHERNET_BYTES + VLAN_BYTES) return this.#size;
    const ethertype = this.#short(12);
    if (ethertype === ETHERTYPE_VLAN) return ETHERNET_BYTES + VLAN_BYTES;
    if (ethertype !== ETHERTYPE_DOUBLE_VLAN) return ETHERNET_BYTES;
    return this.#short(16) === ETHERTYPE_VLAN ? ETHERNET_BYTES + 2 * VLAN_BYTES : ETHERNET_BYTES + VLAN_BYTES;
  }

  #readIp4(at: number): void {
    this.isIp4 = true;
    if (this.#copy(at, this.ip4, IP4_BYTES) < IP4_BYTES) return;
    const { ip4 } = this;
    const protocol = (ip4[0] ?? 0) >> 4 === 4 ? ip4[9] : 0;
    // More fragments, or an offset.
    this.fragment4 = ((ip4[6] ?? 0) & 0x3f) !== 0 || ip4[7] !== 0;
    this.#readTransport(at + 4 * ((ip4[0] ?? 0) & 15), protocol, this.fragment4);
  }

  #readIp6(at: number): void {
    this.isIp6 = true;
    if (!this.#readExtensions(at)) return;
    this.#readTransport(at + this.#headers6, this.#protocol6, this.fragment6);
  }

  #readTransport(at: number, protocol: number | undefined, fragment: boolean): void {
    this.isTcp = protocol === PROTOCOL_TCP;
    this.isUdp = protocol === PROTOCOL_UDP;
    if (fragment || !(this.isTcp || this.isUdp)) return;
    const bytes = this.isTcp ? TCP_BYTES : UDP_BYTES;
    const whole = at <= this.#size && this.#copy(at, this.transport, bytes) === bytes;
    this.isTcp &&= whole;
    this.isUdp &&= whole;
  }

  /** eth_parse_ipv6_hdr. */
  #readExtensions(at: number): boolean {
    this.hasRoute = false;
    this.hasHome = false;
    this.fragment6 = false;
    if (this.#copy(at, this.ip6, IP6_BYTES) < IP6_BYTES) return false;
    this.#headers6 = IP6_BYTES;
    let kind = this.ip6[6] ?? 0;
    while (EXTENSIONS.has(kind)) {
      const extension = at + this.#headers6;
      if (extension + 2 > this.#size) return false;
      const length = this.#byte(extension + 1);
      if (kind === EXTENSION_ROUTING) {
        if (length === 2) this.hasRoute = this.#readRoute(extension);
      } else if (kind === EXTENSION_DESTINATION)
        this.hasHome = this.#readHome(extension, 8 * (length + 1) - 2);
      else if (kind === EXTENSION_FRAGMENT) this.fragment6 = true;
      this.#headers6 += 8 * (length + 1);
      kind = this.#byte(extension);
    }
    this.#protocol6 = kind;
    return true;
  }

  #readRoute(at: number): boolean {
    if (this.#size < at + 24 || this.#byte(at + 2) !== 2 || this.#byte(at + 3) !== 1) return false;
    this.#copy(at + 8, this.route, 16);
    return true;
  }

  #readHome(at: number, optionBytes: number): boolean {
    let left = optionBytes;
    let option = at + 2;
    while (left > 2) {
      if (option + 2 > this.#size) return false;
      const kind = this.#byte(option);
      const length = kind === OPTION_PAD1 ? 1 : this.#byte(option + 1) + 2;
      if (length > left) return false;
      if (kind === OPTION_HOME_ADDRESS) return this.#copy(option + 2, this.home, 16) === 16;
      option += length;
      left -= length;
    }
    return false;
  }

  #byte(at: number): number {
    return this.#bytes[this.#start + at] ?? 0;
  }

  #short(at: number): number {
    return (this.#byte(at) << 8) | this.#byte(at + 1);
  }

  #copy(at: number, into: Uint8Array, length: number): number {
    const count = Math.max(Math.min(length, this.#size - at), 0);
    for (let i = 0; i < count; i++) into[i] = this.#byte(at + i);
    return count;
  }
}
