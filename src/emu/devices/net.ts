import type { HandlerId } from '../core/event-queue.ts';
import type { StateStream } from '../core/state.ts';
import { ticks } from '../core/time.ts';
import { VIRTIO_CONFIG_S_DRIVER_OK, VIRTIO_F_VERSION_1, VIRTIO_ID_NET } from '../virtio/abi.ts';
import type { Chain } from '../virtio/chain.ts';
import { copyIn, copyOut } from '../virtio/chain-io.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureBit, featureSet, hasFeature } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { VIRTQUEUE_MAX_SIZE } from '../virtio/ring-abi.ts';
import type { NetPeer, NetReceiver } from './backends/net-end.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';
import * as abi from './net-abi.ts';
import { NetFilter } from './net-filter.ts';

/** Properties of virtio-net, each with QEMU's name and default. */
export interface NetOptions {
  readonly mac: Uint8Array;
  readonly rxQueueSize: number;
  readonly txQueueSize: number;
  /** `x-txburst`: frames sent before others get a turn. */
  readonly txBurst: number;
  /** Feature bits whose property is on; what the host end cannot do is left out of the offer again. */
  readonly features: bigint;
  /** `host_mtu`; 0 offers none. */
  readonly mtu: number;
  /** In Mbit/s; -1 is unknown. */
  readonly speed: number;
  readonly duplex: 'half' | 'full' | undefined;
}

/** Properties that are on by default in 7.2. */
const NET_DEFAULT_FEATURES: bigint = featureSet(
  abi.VIRTIO_NET_F_CSUM,
  abi.VIRTIO_NET_F_GUEST_CSUM,
  abi.VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
  abi.VIRTIO_NET_F_GSO,
  abi.VIRTIO_NET_F_GUEST_TSO4,
  abi.VIRTIO_NET_F_GUEST_TSO6,
  abi.VIRTIO_NET_F_GUEST_ECN,
  abi.VIRTIO_NET_F_GUEST_UFO,
  abi.VIRTIO_NET_F_HOST_TSO4,
  abi.VIRTIO_NET_F_HOST_TSO6,
  abi.VIRTIO_NET_F_HOST_ECN,
  abi.VIRTIO_NET_F_HOST_UFO,
  abi.VIRTIO_NET_F_MRG_RXBUF,
  abi.VIRTIO_NET_F_STATUS,
  abi.VIRTIO_NET_F_CTRL_VQ,
  abi.VIRTIO_NET_F_CTRL_RX,
  abi.VIRTIO_NET_F_CTRL_VLAN,
  abi.VIRTIO_NET_F_CTRL_RX_EXTRA,
  abi.VIRTIO_NET_F_GUEST_ANNOUNCE,
  abi.VIRTIO_NET_F_CTRL_MAC_ADDR,
);

export const NET_DEFAULTS: NetOptions = {
  mac: new Uint8Array([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]),
  rxQueueSize: 256,
  txQueueSize: 256,
  txBurst: 256,
  features: NET_DEFAULT_FEATURES,
  mtu: 0,
  speed: -1,
  duplex: undefined,
};

/** What needs a host end that takes frames with a header, as a tap does; the one here takes plain frames. */
const NEEDS_HEADER_AT_HOST = featureSet(
  abi.VIRTIO_NET_F_CSUM,
  abi.VIRTIO_NET_F_GUEST_CSUM,
  abi.VIRTIO_NET_F_GUEST_TSO4,
  abi.VIRTIO_NET_F_GUEST_TSO6,
  abi.VIRTIO_NET_F_GUEST_ECN,
  abi.VIRTIO_NET_F_GUEST_UFO,
  abi.VIRTIO_NET_F_HOST_TSO4,
  abi.VIRTIO_NET_F_HOST_TSO6,
  abi.VIRTIO_NET_F_HOST_ECN,
  abi.VIRTIO_NET_F_HOST_UFO,
  abi.VIRTIO_NET_F_HASH_REPORT,
);

const CTRL_QUEUE_SIZE = 64;
/** Longer frames are swallowed by QEMU's net layer (NET_BUFSIZE). */
const FRAME_BYTES_MAX = 4096 + 65536;
/** Frames kept for a driver that offers no buffers (NetQueue.nq_maxlen). */
const WAITING_MAX = 10000;
const DUPLEX_UNKNOWN = 0xff;
const RSS_KEY_BYTES_MAX = 40;
const RSS_TABLE_MAX = 128;
const RSS_HASHES = 0x1ff;

const STOPPED = -1;

/** What became of a frame: kept by the driver's side or dropped, or to be tried again. */
type Reception = 'done' | 'no buffers';

/** The network device (VIRTIO 1.3, 5.1; QEMU hw/net/virtio-net.c) with one pair of queues and a plain host end. */
export class NetDevice extends VirtioCore implements NetReceiver {
  readonly virtioId: number = VIRTIO_ID_NET;
  readonly name: string = 'virtio-net';
  readonly legacyFeatures: bigint = LEGACY_ONLY | featureBit(abi.VIRTIO_NET_F_GSO);
  override readonly badFeatures: bigint = featureSet(
    abi.VIRTIO_NET_F_MAC,
    abi.VIRTIO_NET_F_CSUM,
    abi.VIRTIO_NET_F_HOST_TSO4,
    abi.VIRTIO_NET_F_HOST_TSO6,
    abi.VIRTIO_NET_F_HOST_ECN,
  );
  readonly #options: NetOptions;
  readonly #offered: bigint;
  readonly #peer: NetPeer;
  readonly #filter: NetFilter;
  readonly #rx: Virtqueue;
  readonly #tx: Virtqueue;
  readonly #control: Virtqueue;
  readonly #transmit: HandlerId;
  readonly #configWriter: ConfigWriter;
  readonly #frame: Uint8Array<ArrayBuffer> = new Uint8Array(FRAME_BYTES_MAX);
  readonly #small: Uint8Array<ArrayBuffer> = new Uint8Array(16);
  readonly #smallView: DataView<ArrayBuffer> = new DataView(this.#small.buffer);
  readonly #taken: Chain[] = [];
  readonly #lengths: number[] = [];
  #linkStatus: number = abi.VIRTIO_NET_S_LINK_UP;
  /** A transmission is scheduled. */
  #txWaiting = false;
  /** The last frame found no buffers: the rest waits until the driver kicks. */
  #rxBlocked = false;
  #waiting: Uint8Array[] = [];
  #headerBytes: number = abi.VIRTIO_NET_HDR_BYTES;
  #mergeable = false;
  #multiqueue = false;

  constructor(parts: CoreParts, peer: NetPeer, options: NetOptions = NET_DEFAULTS) {
    super(parts, configLength(offeredBy(options)));
    this.#options = options;
    this.#offered = offeredBy(options);
    this.#peer = peer;
    this.#filter = new NetFilter(options.mac);
    this.#configWriter = new ConfigWriter(this.config);
    this.#rx = this.addQueue(options.rxQueueSize);
    this.#tx = this.addQueue(options.txQueueSize);
    this.#control = this.addQueue(CTRL_QUEUE_SIZE);
    this.#transmit = parts.events.register(() => this.#transmitBurst());
  }

  offer(features: bigint): bigint {
    return (features | this.#offered) & ~NEEDS_HEADER_AT_HOST;
  }

  /** qemu_send_packet to the device. */
  receive(frame: Uint8Array): void {
    if ((this.#linkStatus & abi.VIRTIO_NET_S_LINK_UP) === 0) return;
    if (this.#rxBlocked || !this.#canReceive()) {
      this.#keep(frame);
      return;
    }
    if (this.#accept(frame) === 'no buffers') {
      this.#rxBlocked = true;
      this.#keep(frame);
      return;
    }
    this.#flushWaiting();
  }

  /** Pulls the host's cable, or plugs it in again. */
  setLink(up: boolean): void {
    const old = this.#linkStatus;
    this.#linkStatus = up ? old | abi.VIRTIO_NET_S_LINK_UP : old & ~abi.VIRTIO_NET_S_LINK_UP;
    if (this.#linkStatus !== old) this.notifyConfig();
    this.statusChanging(this.status);
  }

  /** Asks the driver to announce itself, as after a migration. */
  announce(): void {
    if (!this.accepted(abi.VIRTIO_NET_F_GUEST_ANNOUNCE) || !this.accepted(abi.VIRTIO_NET_F_CTRL_VQ)) return;
    this.#linkStatus |= abi.VIRTIO_NET_S_ANNOUNCE;
    this.notifyConfig();
  }

  override exchange(state: StateStream): void {
    super.exchange(state);
    this.#filter.exchange(state);
    this.#linkStatus = state.u16(this.#linkStatus);
    this.#txWaiting = state.bool(this.#txWaiting);
    this.#rxBlocked = state.bool(this.#rxBlocked);
    this.#headerBytes = state.u8(this.#headerBytes);
    this.#mergeable = state.bool(this.#mergeable);
    this.#multiqueue = state.bool(this.#multiqueue);
    const count = state.u32(this.#waiting.length);
    const frames: Uint8Array[] = [];
    for (let i = 0; i < count; i++) frames.push(state.blob(this.#waiting[i] ?? new Uint8Array(0)));
    this.#waiting = frames;
  }

  // --- Hooks ----------------------------------------------------------------------------------------------------

  protected service(queue: Virtqueue): void {
    if (queue === this.#rx) this.#flushWaiting();
    else if (queue === this.#tx) this.#scheduleTransmit();
    else this.#serveControl();
  }

  protected override refreshConfig(): void {
    const config = this.#configWriter;
    config.littleEndian = this.littleEndian;
    this.config.fill(0);
    this.config.set(this.#filter.mac, abi.NET_CONFIG_MAC);
    config.put(abi.NET_CONFIG_STATUS, 2, this.#linkStatus);
    config.put(abi.NET_CONFIG_MAX_PAIRS, 2, 1);
    config.put(abi.NET_CONFIG_MTU, 2, this.#options.mtu);
    config.put(abi.NET_CONFIG_SPEED, 4, this.#options.speed);
    config.put(abi.NET_CONFIG_DUPLEX, 1, duplexCode(this.#options.duplex));
    config.put(abi.NET_CONFIG_RSS_KEY_SIZE, 1, RSS_KEY_BYTES_MAX);
    const table = hasFeature(this.hostFeatures, abi.VIRTIO_NET_F_RSS) ? RSS_TABLE_MAX : 1;
    config.put(abi.NET_CONFIG_RSS_TABLE_LENGTH, 2, table);
    config.put(abi.NET_CONFIG_HASH_TYPES, 4, RSS_HASHES);
  }

  protected override configWritten(): void {
    if (this.accepted(abi.VIRTIO_NET_F_CTRL_MAC_ADDR) || this.version1) return;
    this.#filter.mac.set(
      this.config.subarray(abi.NET_CONFIG_MAC, abi.NET_CONFIG_MAC + this.#filter.mac.length),
    );
  }

  protected override featuresChanging(features: bigint): void {
    this.#multiqueue =
      hasFeature(features, abi.VIRTIO_NET_F_RSS) || hasFeature(features, abi.VIRTIO_NET_F_MQ);
    this.#mergeable = hasFeature(features, abi.VIRTIO_NET_F_MRG_RXBUF);
    const long = this.#mergeable || hasFeature(features, VIRTIO_F_VERSION_1);
    this.#headerBytes = long ? abi.VIRTIO_NET_HDR_MRG_BYTES : abi.VIRTIO_NET_HDR_BYTES;
    this.#filter.passAllVlans(!hasFeature(features, abi.VIRTIO_NET_F_CTRL_VLAN));
  }

  protected override statusChanging(status: number): void {
    const driverOk = (status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0;
    const up = (this.#linkStatus & abi.VIRTIO_NET_S_LINK_UP) !== 0;
    const { events } = this.parts;
    if (driverOk && up) this.#flushWaiting();
    if (!this.#txWaiting) return;
    if (driverOk && up) {
      if (!events.isScheduled(this.#transmit)) events.schedule(ticks(0), this.#transmit);
      return;
    }
    events.cancel(this.#transmit);
    if (up || !driverOk) return;
    this.#txWaiting = false;
    this.#tx.setNotification(true);
    this.#dropTransmissions();
  }

  protected override resetting(): void {
    this.#filter.reset();
    this.#linkStatus &= ~abi.VIRTIO_NET_S_ANNOUNCE;
  }

  // --- Receiving ------------------------------------------------------------------------------------------------

  #canReceive(): boolean {
    return !this.#rx.ring.driver.isZero && (this.status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0;
  }

  #keep(frame: Uint8Array): void {
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(frame.slice());
  }

  /** qemu_flush_queued_packets. */
  #flushWaiting(): void {
    this.#rxBlocked = false;
    while (this.#waiting.length > 0) {
      const frame = this.#waiting.shift() as Uint8Array;
      if (this.#accept(frame) === 'done') continue;
      this.#rxBlocked = true;
      this.#waiting.unshift(frame);
      return;
    }
  }

  /** virtio_net_receive_rcu. A frame that a bad ring or a short buffer cannot take is lost. */
  #accept(frame: Uint8Array): Reception {
    if (!this.#canReceive()) return 'done';
    if (!this.#hasBuffers(frame.length + this.#headerBytes)) return 'no buffers';
    if (!this.#filter.passes(frame)) return 'done';
    const count = this.#fillBuffers(frame);
    if (count === STOPPED) {
      for (let i = 0; i < this.#taken.length; i++) this.#letGo(i);
    } else {
      this.#returnBuffers(count);
    }
    this.#taken.length = 0;
    this.#lengths.length = 0;
    return 'done';
  }

  /** virtio_net_has_buffers: asks for a kick before giving up, and then looks once more. */
  #hasBuffers(bytes: number): boolean {
    const queue = this.#rx;
    while (queue.isEmpty() || this.#mergeable) {
      const readable = queue.ring.open && !queue.ring.descriptors.isZero;
      queue.countAvailable(bytes, 0);
      const seen = queue.ring.shadowAvail;
      if (bytes <= queue.availableIn) break;
      queue.setNotification(true);
      if (!readable || !queue.hasMoved(seen)) return false;
    }
    queue.setNotification(false);
    return true;
  }

  #fillBuffers(frame: Uint8Array): number {
    let offset = 0;
    let count = 0;
    while (offset < frame.length) {
      if (count === VIRTQUEUE_MAX_SIZE) {
        this.fail('virtio-net unexpected long buffer chain');
        return STOPPED;
      }
      const chain = this.#rx.pop();
      if (chain === undefined) {
        if (count > 0) this.fail(this.#unexpectedlyEmpty(count, offset, frame.length));
        return STOPPED;
      }
      if (chain.inCount < 1) {
        this.fail('virtio-net receive queue contains no in buffers');
        this.#rx.detach(chain, 0);
        this.#rx.recycle(chain);
        return STOPPED;
      }
      const before = count === 0 ? this.#putHeader(chain) : 0;
      if (before === STOPPED) return STOPPED;
      const copied = copyIn(this.space, chain, before, frame, offset, frame.length - offset);
      offset += copied;
      if (!this.#mergeable && offset < frame.length) {
        this.#rx.unpop(chain, before + copied);
        this.#rx.recycle(chain);
        return STOPPED;
      }
      this.#taken.push(chain);
      this.#lengths.push(before + copied);
      count++;
    }
    return count;
  }

  /** The frame header, all zero; its length. A first buffer too short for it makes QEMU abort: here the frame is lost. */
  #putHeader(chain: Chain): number {
    this.#small.fill(0, 0, abi.VIRTIO_NET_HDR_BYTES);
    copyIn(this.space, chain, 0, this.#small, 0, abi.VIRTIO_NET_HDR_BYTES);
    if (chain.inBytes() >= this.#headerBytes) return this.#headerBytes;
    this.abort("iov_from_buf_full: Assertion `offset == 0' failed.");
    this.#rx.detach(chain, 0);
    this.#rx.recycle(chain);
    return STOPPED;
  }

  #returnBuffers(count: number): void {
    const first = this.#taken[0];
    if (this.#mergeable && first !== undefined) {
      this.#smallView.setUint16(0, count, this.littleEndian);
      copyIn(this.space, first, abi.VIRTIO_NET_HDR_NUM_BUFFERS, this.#small, 0, 2);
    }
    for (let i = 0; i < count; i++) {
      const chain = this.#taken[i] as Chain;
      this.#rx.fill(chain, this.#lengths[i] ?? 0, i);
      this.#rx.recycle(chain);
    }
    this.#rx.flush(count);
    this.notifyUsed(this.#rx);
  }

  #letGo(index: number): void {
    const chain = this.#taken[index] as Chain;
    this.#rx.detach(chain, this.#lengths[index] ?? 0);
    this.#rx.recycle(chain);
  }

  #unexpectedlyEmpty(count: number, offset: number, size: number): string {
    const state = `i ${count} mergeable ${this.#mergeable ? 1 : 0} offset ${offset}, size ${size}`;
    const headers = `guest hdr len ${this.#headerBytes}, host hdr len 0`;
    const features = `guest features 0x${this.guestFeatures.toString(16)}`;
    return `virtio-net unexpected empty queue: ${state}, ${headers} ${features}`;
  }

  // --- Transmitting ---------------------------------------------------------------------------------------------

  #scheduleTransmit(): void {
    if ((this.#linkStatus & abi.VIRTIO_NET_S_LINK_UP) === 0) {
      this.#dropTransmissions();
      return;
    }
    if (this.#txWaiting) return;
    this.#tx.setNotification(false);
    this.#transmitLater();
  }

  #transmitLater(): void {
    this.#txWaiting = true;
    this.parts.events.schedule(ticks(0), this.#transmit);
  }

  /** virtio_net_tx_bh. */
  #transmitBurst(): void {
    this.#txWaiting = false;
    if ((this.status & VIRTIO_CONFIG_S_DRIVER_OK) === 0) return;
    const sent = this.#flushTransmissions();
    if (sent === STOPPED) return;
    if (sent >= this.#options.txBurst) {
      this.#transmitLater();
      return;
    }
    this.#tx.setNotification(true);
    // What came meanwhile means that more is coming.
    if (this.#flushTransmissions() <= 0) return;
    this.#tx.setNotification(false);
    this.#transmitLater();
  }

  /** virtio_net_flush_tx: frames sent, or STOPPED when the device broke. */
  #flushTransmissions(): number {
    let sent = 0;
    while (sent < this.#options.txBurst) {
      const chain = this.#tx.pop();
      if (chain === undefined) break;
      if (!this.#send(chain)) {
        this.#tx.detach(chain, 0);
        this.#tx.recycle(chain);
        return STOPPED;
      }
      this.#tx.push(chain, 0);
      this.#tx.recycle(chain);
      this.notifyUsed(this.#tx);
      sent++;
    }
    return sent;
  }

  #send(chain: Chain): boolean {
    if (chain.outCount < 1) {
      this.fail('virtio-net header not in first element');
      return false;
    }
    const bytes = chain.outBytes();
    if (bytes === this.#headerBytes) {
      this.fail('virtio-net nothing to send');
      return false;
    }
    if (bytes < this.#headerBytes) {
      this.abort("iov_copy: Assertion `offset == 0' failed.");
      return false;
    }
    const size = bytes - this.#headerBytes;
    if (size > FRAME_BYTES_MAX) return true;
    copyOut(this.space, chain, this.#headerBytes, this.#frame, 0, size);
    this.#peer.transmitted(this.#frame.subarray(0, size));
    return true;
  }

  /** virtqueue_drop_all: without a cable requests are returned unseen. */
  #dropTransmissions(): void {
    if (this.#tx.dropAll() > 0) this.notifyUsed(this.#tx);
  }

  // --- Control --------------------------------------------------------------------------------------------------

  #serveControl(): void {
    const queue = this.#control;
    for (;;) {
      const chain = queue.pop();
      if (chain === undefined) return;
      if (chain.inBytes() < 1 || chain.outBytes() < abi.VIRTIO_NET_CTRL_HDR_BYTES) {
        this.fail('virtio-net ctrl missing headers');
        queue.detach(chain, 0);
        queue.recycle(chain);
        return;
      }
      this.#small[0] = this.#command(chain) ? abi.VIRTIO_NET_OK : abi.VIRTIO_NET_ERR;
      copyIn(this.space, chain, 0, this.#small, 0, 1);
      queue.push(chain, 1);
      queue.recycle(chain);
      this.notifyUsed(queue);
    }
  }

  /** False: VIRTIO_NET_ERR. */
  #command(chain: Chain): boolean {
    const head = this.#small;
    copyOut(this.space, chain, 0, head, 0, abi.VIRTIO_NET_CTRL_HDR_BYTES);
    const [kind = 0, command = 0] = head;
    switch (kind) {
      case abi.VIRTIO_NET_CTRL_RX:
        return this.#setMode(chain, command);
      case abi.VIRTIO_NET_CTRL_MAC:
        return this.#setMac(chain, command);
      case abi.VIRTIO_NET_CTRL_VLAN:
        return this.#setVlan(chain, command);
      case abi.VIRTIO_NET_CTRL_ANNOUNCE:
        return this.#acknowledgeAnnouncement(command);
      case abi.VIRTIO_NET_CTRL_MQ:
        return this.#setPairs(chain, command);
      default:
        // Offloads need a host end that takes headers, so VIRTIO_NET_CTRL_GUEST_OFFLOADS always fails here.
        return false;
    }
  }

  #setMode(chain: Chain, command: number): boolean {
    if (this.#argument(chain, 1) < 1 || command > abi.VIRTIO_NET_CTRL_RX_NOBCAST) return false;
    this.#filter.modes[command] = this.#small[0] ?? 0;
    return true;
  }

  #setMac(chain: Chain, command: number): boolean {
    const bytes = chain.outBytes() - abi.VIRTIO_NET_CTRL_HDR_BYTES;
    if (command === abi.VIRTIO_NET_CTRL_MAC_ADDR_SET) {
      if (bytes !== this.#filter.mac.length) return false;
      copyOut(this.space, chain, abi.VIRTIO_NET_CTRL_HDR_BYTES, this.#filter.mac, 0, bytes);
      return true;
    }
    if (command !== abi.VIRTIO_NET_CTRL_MAC_TABLE_SET) return false;
    const start = abi.VIRTIO_NET_CTRL_HDR_BYTES;
    const read = (from: number, into: Uint8Array, length: number): number =>
      copyOut(this.space, chain, start + from, into, 0, length);
    return this.#filter.setTable(read, bytes, this.littleEndian);
  }

  #setVlan(chain: Chain, command: number): boolean {
    if (this.#argument(chain, 2) < 2 || command > abi.VIRTIO_NET_CTRL_VLAN_DEL) return false;
    const id = this.#smallView.getUint16(0, this.littleEndian);
    return this.#filter.setVlan(id, command === abi.VIRTIO_NET_CTRL_VLAN_ADD);
  }

  #acknowledgeAnnouncement(command: number): boolean {
    const announcing = (this.#linkStatus & abi.VIRTIO_NET_S_ANNOUNCE) !== 0;
    if (command !== abi.VIRTIO_NET_CTRL_ANNOUNCE_ACK || !announcing) return false;
    this.#linkStatus &= ~abi.VIRTIO_NET_S_ANNOUNCE;
    return true;
  }

  #setPairs(chain: Chain, command: number): boolean {
    if (command !== abi.VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET || !this.accepted(abi.VIRTIO_NET_F_MQ)) return false;
    if (this.#argument(chain, 2) < 2 || !this.#multiqueue) return false;
    if (this.#smallView.getUint16(0, this.littleEndian) !== 1) return false;
    this.statusChanging(this.status);
    return true;
  }

  /** Copies what follows the control header; how much of it there was. */
  #argument(chain: Chain, bytes: number): number {
    return copyOut(this.space, chain, abi.VIRTIO_NET_CTRL_HDR_BYTES, this.#small, 0, bytes);
  }
}

function offeredBy(options: NetOptions): bigint {
  let offered = options.features | featureBit(abi.VIRTIO_NET_F_MAC);
  if (options.mtu !== 0) offered |= featureBit(abi.VIRTIO_NET_F_MTU);
  if (options.speed >= 0 || options.duplex !== undefined)
    offered |= featureBit(abi.VIRTIO_NET_F_SPEED_DUPLEX);
  return offered;
}

/** The configuration ends with the last field that belongs to a feature offered by property. */
function configLength(offered: bigint): number {
  let end = abi.NET_CONFIG_STATUS;
  const ends: readonly (readonly [number, number])[] = [
    [abi.VIRTIO_NET_F_STATUS, abi.NET_CONFIG_MAX_PAIRS],
    [abi.VIRTIO_NET_F_MQ, abi.NET_CONFIG_MTU],
    [abi.VIRTIO_NET_F_MTU, abi.NET_CONFIG_SPEED],
    [abi.VIRTIO_NET_F_SPEED_DUPLEX, abi.NET_CONFIG_RSS_KEY_SIZE],
    [abi.VIRTIO_NET_F_RSS, abi.NET_CONFIG_HASH_TYPES + 4],
    [abi.VIRTIO_NET_F_HASH_REPORT, abi.NET_CONFIG_HASH_TYPES + 4],
  ];
  for (const [feature, after] of ends) if (hasFeature(offered, feature)) end = Math.max(end, after);
  return end;
}

function duplexCode(duplex: NetOptions['duplex']): number {
  return duplex === undefined ? DUPLEX_UNKNOWN : duplex === 'half' ? 0 : 1;
}
