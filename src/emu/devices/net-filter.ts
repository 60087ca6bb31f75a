import type { Stateful, StateStream } from '../core/state.ts';
import * as abi from './net-abi.ts';

const MAC_BYTES = 6;
/** MAC_TABLE_ENTRIES. */
const TABLE_ENTRIES = 64;
/** MAX_VLAN. */
const VLANS = 4096;
const ETHERTYPE = 12;

/** Which frames a network device passes on to its driver (QEMU hw/net/virtio-net.c, receive_filter). */
export class NetFilter implements Stateful {
  readonly mac: Uint8Array<ArrayBuffer> = new Uint8Array(MAC_BYTES);
  /** By command of class RX: promisc, allmulti, alluni, nomulti, nouni, nobcast. Promiscuous until told otherwise. */
  readonly modes: Uint8Array<ArrayBuffer> = new Uint8Array([1, 0, 0, 0, 0, 0]);
  readonly #own: Uint8Array;
  readonly #vlans: Uint8Array<ArrayBuffer> = new Uint8Array(VLANS / 8);
  readonly #table: Uint8Array<ArrayBuffer> = new Uint8Array(TABLE_ENTRIES * MAC_BYTES);
  #used = 0;
  #firstMulticast = 0;
  #unicastOverflow = false;
  #multicastOverflow = false;

  constructor(mac: Uint8Array) {
    this.#own = mac.slice(0, MAC_BYTES);
    this.mac.set(this.#own);
  }

  reset(): void {
    this.mac.set(this.#own);
    this.modes.fill(0);
    this.modes[abi.VIRTIO_NET_CTRL_RX_PROMISC] = 1;
    this.#vlans.fill(0);
    this.#table.fill(0);
    this.#used = 0;
    this.#firstMulticast = 0;
    this.#unicastOverflow = false;
    this.#multicastOverflow = false;
  }

  /** Without CTRL_VLAN every VLAN passes. */
  passAllVlans(all: boolean): void {
    this.#vlans.fill(all ? 0xff : 0);
  }

  setVlan(id: number, pass: boolean): boolean {
    if (id >= VLANS) return false;
    const at = id >>> 3;
    const bit = 1 << (id & 7);
    this.#vlans[at] = pass ? (this.#vlans[at] ?? 0) | bit : (this.#vlans[at] ?? 0) & ~bit;
    return true;
  }

  /**
   * VIRTIO_NET_CTRL_MAC_TABLE_SET: unicast and multicast lists, each a 32-bit count and its addresses, `length` bytes in
   * all. `read` copies from an offset and returns how much there was.
   */
  setTable(
    read: (from: number, into: Uint8Array, length: number) => number,
    length: number,
    littleEndian: boolean,
  ): boolean {
    const word = new Uint8Array(4);
    const view = new DataView(word.buffer);
    const list = new Uint8Array(TABLE_ENTRIES * MAC_BYTES);
    if (read(0, word, 4) < 4) return false;
    const unicast = view.getUint32(0, littleEndian);
    // QEMU multiplies in 32 bits, and so a count can pass that does not fit.
    const unicastBytes = Math.imul(unicast, MAC_BYTES) >>> 0;
    if (unicastBytes > length - 4) return false;
    const firstMulticast = unicast <= TABLE_ENTRIES ? unicast : 0;
    read(4, list, firstMulticast * MAC_BYTES);
    const second = 4 + unicastBytes;
    if (read(second, word, 4) < 4) return false;
    const multicast = view.getUint32(0, littleEndian);
    const multicastBytes = Math.imul(multicast, MAC_BYTES) >>> 0;
    if (multicastBytes !== length - second - 4) return false;
    const fits = multicast <= TABLE_ENTRIES - firstMulticast;
    const group = fits ? multicast : 0;
    read(second + 4, list.subarray(firstMulticast * MAC_BYTES), group * MAC_BYTES);
    this.#table.set(list);
    this.#firstMulticast = firstMulticast;
    this.#used = firstMulticast + group;
    this.#unicastOverflow = unicast > TABLE_ENTRIES;
    this.#multicastOverflow = !fits;
    return true;
  }

  /** Whether the frame that begins at `start` passes; what QEMU reads behind a short one counts as zero here. */
  passes(packet: Uint8Array, start: number): boolean {
    if (this.modes[abi.VIRTIO_NET_CTRL_RX_PROMISC] !== 0) return true;
    const frame = start === 0 ? packet : packet.subarray(start);
    if (frame[ETHERTYPE] === 0x81 && frame[ETHERTYPE + 1] === 0x00) {
      const id = (((frame[ETHERTYPE + 2] ?? 0) << 8) | (frame[ETHERTYPE + 3] ?? 0)) & 0xfff;
      if (((this.#vlans[id >>> 3] ?? 0) & (1 << (id & 7))) === 0) return false;
    }
    return ((frame[0] ?? 0) & 1) === 1 ? this.#passesGroup(frame) : this.#passesOne(frame);
  }

  exchange(state: StateStream): void {
    state.bytes(this.mac);
    state.bytes(this.modes);
    state.bytes(this.#vlans);
    state.bytes(this.#table);
    this.#used = state.u8(this.#used);
    this.#firstMulticast = state.u8(this.#firstMulticast);
    this.#unicastOverflow = state.bool(this.#unicastOverflow);
    this.#multicastOverflow = state.bool(this.#multicastOverflow);
  }

  #passesGroup(frame: Uint8Array): boolean {
    let broadcast = true;
    for (let i = 0; i < MAC_BYTES; i++) if (frame[i] !== 0xff) broadcast = false;
    if (broadcast) return this.modes[abi.VIRTIO_NET_CTRL_RX_NOBCAST] === 0;
    if (this.modes[abi.VIRTIO_NET_CTRL_RX_NOMULTI] !== 0) return false;
    if (this.modes[abi.VIRTIO_NET_CTRL_RX_ALLMULTI] !== 0 || this.#multicastOverflow) return true;
    return this.#isListed(frame, this.#firstMulticast, this.#used);
  }

  #passesOne(frame: Uint8Array): boolean {
    if (this.modes[abi.VIRTIO_NET_CTRL_RX_NOUNI] !== 0) return false;
    if (this.modes[abi.VIRTIO_NET_CTRL_RX_ALLUNI] !== 0 || this.#unicastOverflow) return true;
    return equalMac(frame, this.mac, 0) || this.#isListed(frame, 0, this.#firstMulticast);
  }

  #isListed(frame: Uint8Array, from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (equalMac(frame, this.#table, i * MAC_BYTES)) return true;
    return false;
  }
}

function equalMac(frame: Uint8Array, table: Uint8Array, at: number): boolean {
  for (let i = 0; i < MAC_BYTES; i++) if (frame[i] !== table[at + i]) return false;
  return true;
}
