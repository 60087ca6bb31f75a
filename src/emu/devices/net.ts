import type { HandlerId } from '../core/event-queue.ts';
import type { StateStream } from '../core/state.ts';
import { ticks, type Duration } from '../core/time.ts';
import {
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FAILED,
  VIRTIO_F_VERSION_1,
  VIRTIO_ID_NET,
} from '../virtio/abi.ts';
import type { Chain } from '../virtio/chain.ts';
import { copyIn, copyOut } from '../virtio/chain-io.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureBit, featureSet, hasFeature } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { VIRTQUEUE_MAX_SIZE } from '../virtio/ring-abi.ts';
import type { NetPeer, NetReceiver } from './backends/net-end.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';
import * as abi from './net-abi.ts';
import { fillUdpChecksum, isDhcpAnswer } from './net-checksum.ts';
import { NetCoalescer } from './net-coalescer.ts';
import { NetFilter } from './net-filter.ts';
import { NetRss, RSS_HASH_TYPES, RSS_KEY_BYTES_MAX, RSS_TABLE_MAX, STAY } from './net-rss.ts';

/** Properties of virtio-net, each with QEMU's name and default. */
export interface NetOptions {
  readonly mac: Uint8Array;
  readonly rxQueueSize: number;
  readonly txQueueSize: number;
  /** `x-txburst`: frames sent before others get a turn. */
  readonly txBurst: number;
  /** `x-txtimer`: how long a kick waits with `tx=timer`, in nanoseconds; undefined: `tx=bh`. */
  readonly txTimer: number | undefined;
  /** `rsc_interval`: how long a segment waits for the next one, in nanoseconds. */
  readonly coalesceInterval: number;
  /** `failover=on`: its id, as QEMU names it when the primary is missing. */
  readonly standby: string | undefined;
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
  txTimer: undefined,
  coalesceInterval: 300_000,
  standby: undefined,
  features: NET_DEFAULT_FEATURES,
  mtu: 0,
  speed: -1,
  duplex: undefined,
};

/** What needs a host end that takes frames with a header, as a tap does. */
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
/** Frames kept for a driver that offers no buffers: by QEMU's net layer (NetQueue.nq_maxlen), or by a tap beside the one
 * that QEMU holds (TUN_READQ_SIZE). */
const WAITING_MAX = 10000;
const WAITING_AT_TAP_MAX = 501;
const LINK_BYTES = 14;
const LINK_BYTES_TAGGED = 18;
const DUPLEX_UNKNOWN = 0xff;
const TICKS_PER_MICROSECOND = 512;
/** What follows a control header at most where it is read in one piece: an RSS configuration. */
const ARGUMENT_BYTES_MAX = abi.NET_RSS_TABLE + 2 * RSS_TABLE_MAX + 3 + RSS_KEY_BYTES_MAX;

const GUEST_OFFLOADS = featureSet(
  abi.VIRTIO_NET_F_GUEST_CSUM,
  abi.VIRTIO_NET_F_GUEST_TSO4,
  abi.VIRTIO_NET_F_GUEST_TSO6,
  abi.VIRTIO_NET_F_GUEST_ECN,
  abi.VIRTIO_NET_F_GUEST_UFO,
);

const STOPPED = -1;

/** What became of a frame: kept by the driver's side or dropped, or to be tried again. */
type Reception = 'done' | 'no buffers';

/** What the net layer and the device keep for each pair of queues (QEMU's NetClientState and VirtIONetQueue). */
interface Pair {
  /** A transmission is scheduled. */
  txWaiting: boolean;
  /** The last frame found no buffers: the rest waits until the driver kicks this pair's receive queue. */
  rxBlocked: boolean;
  waiting: Uint8Array[];
}

/**
 * The network device (VIRTIO 1.3, 5.1; QEMU hw/net/virtio-net.c). The queues are rx 0, tx 0, rx 1, tx 1 …, and the last
 * one is for control: with one pair until the driver accepts MQ or RSS, and with as many as the host has from then on.
 */
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
  readonly #rss: NetRss = new NetRss();
  readonly #coalescer: NetCoalescer;
  readonly #pairs: readonly Pair[];
  readonly #transmit: HandlerId;
  readonly #transmitDelay: Duration;
  readonly #configWriter: ConfigWriter;
  readonly #frame: Uint8Array<ArrayBuffer> = new Uint8Array(FRAME_BYTES_MAX);
  readonly #small: Uint8Array<ArrayBuffer> = new Uint8Array(ARGUMENT_BYTES_MAX);
  readonly #smallView: DataView<ArrayBuffer> = new DataView(this.#small.buffer);
  readonly #taken: Chain[] = [];
  readonly #lengths: number[] = [];
  #linkStatus: number = abi.VIRTIO_NET_S_LINK_UP;
  #currentPairs = 1;
  /** Length of the header towards the driver, and towards the host (0 where the end takes plain frames). */
  #headerBytes: number = abi.VIRTIO_NET_HDR_BYTES;
  #hostHeaderBytes = 0;
  /** The host cannot take a big-endian driver's headers: they are turned here (needs_vnet_hdr_swap). */
  #swapHeaders = false;
  #mergeable = false;
  #multiqueue = false;
  #offloads = 0n;

  constructor(parts: CoreParts, peer: NetPeer, options: NetOptions = NET_DEFAULTS) {
    super(parts, configLength(offeredBy(options)));
    this.#options = options;
    this.#offered = offeredBy(options);
    this.#peer = peer;
    this.#filter = new NetFilter(options.mac);
    this.#configWriter = new ConfigWriter(this.config);
    this.#pairs = Array.from({ length: peer.queues }, () => ({
      txWaiting: false,
      rxBlocked: false,
      waiting: [],
    }));
    this.addQueue(options.rxQueueSize);
    this.addQueue(options.txQueueSize);
    this.addQueue(CTRL_QUEUE_SIZE);
    this.#transmit = parts.events.register((pair) => this.#transmitBurst(pair));
    this.#transmitDelay = nanoseconds(options.txTimer ?? 0);
    const bare = this.behaviour.coalescesWithoutLengths;
    this.#coalescer = new NetCoalescer(
      parts.events,
      nanoseconds(options.coalesceInterval),
      (frame, pair) => this.#accept(frame, pair, true) === 'done',
      bare,
    );
    if (peer.headers) this.#hostHeaderBytes = abi.VIRTIO_NET_HDR_BYTES;
  }

  offer(features: bigint): bigint {
    const all = features | this.#offered;
    const offered = this.#peer.headers ? all : all & ~NEEDS_HEADER_AT_HOST;
    return this.behaviour.offersWithoutNeeded ? offered : withNeeded(offered);
  }

  /** qemu_send_packet to the device. */
  receive(frame: Uint8Array, asked = 0): void {
    const pair = this.behaviour.keepsFramesOverQueueReset ? asked : this.#pairInUse(asked);
    const state = this.#pairs[pair];
    if (state === undefined || !this.#linkUp) return;
    if (state.rxBlocked || !this.#canReceive(pair)) {
      this.#keep(state, frame);
      return;
    }
    if (this.#deliver(frame, pair) === 'no buffers') {
      state.rxBlocked = true;
      this.#keep(state, frame);
      return;
    }
    this.#flushWaiting(pair);
  }

  /** Frames that came and wait until the driver offers buffers. */
  get framesKept(): number {
    return this.#pairs.reduce((sum, pair) => sum + pair.waiting.length, 0);
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
    this.#rss.exchange(state);
    this.#coalescer.exchange(state);
    this.#linkStatus = state.u16(this.#linkStatus);
    this.#currentPairs = state.u16(this.#currentPairs);
    this.#headerBytes = state.u8(this.#headerBytes);
    this.#hostHeaderBytes = state.u8(this.#hostHeaderBytes);
    this.#swapHeaders = state.bool(this.#swapHeaders);
    this.#mergeable = state.bool(this.#mergeable);
    this.#multiqueue = state.bool(this.#multiqueue);
    this.#offloads = state.u64(this.#offloads);
    for (const pair of this.#pairs) {
      pair.txWaiting = state.bool(pair.txWaiting);
      pair.rxBlocked = state.bool(pair.rxBlocked);
      const count = state.u32(pair.waiting.length);
      const frames: Uint8Array[] = [];
      for (let i = 0; i < count; i++) frames.push(state.blob(pair.waiting[i] ?? new Uint8Array(0)));
      pair.waiting = frames;
    }
  }

  // --- Hooks ----------------------------------------------------------------------------------------------------

  protected service(queue: Virtqueue): void {
    const { index } = queue.ring;
    if (index === this.queueCount - 1) this.#serveControl(queue);
    else if (index % 2 === 0) this.#flushWaiting(index / 2);
    else this.#scheduleTransmit((index - 1) / 2);
  }

  protected override refreshConfig(): void {
    const config = this.#configWriter;
    config.littleEndian = this.littleEndian;
    this.config.fill(0);
    this.config.set(this.#filter.mac, abi.NET_CONFIG_MAC);
    config.put(abi.NET_CONFIG_STATUS, 2, this.#linkStatus);
    config.put(abi.NET_CONFIG_MAX_PAIRS, 2, this.#pairs.length);
    config.put(abi.NET_CONFIG_MTU, 2, this.#options.mtu);
    config.put(abi.NET_CONFIG_SPEED, 4, this.#options.speed);
    config.put(abi.NET_CONFIG_DUPLEX, 1, duplexCode(this.#options.duplex));
    config.put(abi.NET_CONFIG_RSS_KEY_SIZE, 1, RSS_KEY_BYTES_MAX);
    const table = hasFeature(this.hostFeatures, abi.VIRTIO_NET_F_RSS) ? RSS_TABLE_MAX : 1;
    config.put(abi.NET_CONFIG_RSS_TABLE_LENGTH, 2, table);
    config.put(abi.NET_CONFIG_HASH_TYPES, 4, RSS_HASH_TYPES);
  }

  protected override configWritten(): void {
    if (this.accepted(abi.VIRTIO_NET_F_CTRL_MAC_ADDR) || this.version1) return;
    this.#filter.mac.set(
      this.config.subarray(abi.NET_CONFIG_MAC, abi.NET_CONFIG_MAC + this.#filter.mac.length),
    );
  }

  /** virtio_net_set_features. */
  protected override featuresChanging(features: bigint): void {
    const rss = hasFeature(features, abi.VIRTIO_NET_F_RSS);
    this.#setMultiqueue(rss || hasFeature(features, abi.VIRTIO_NET_F_MQ));
    this.#setHeader(features);
    this.#coalescer.setFeatures(features);
    this.#rss.redirect = rss;
    if (this.#peer.headers) this.#setOffloads(features & GUEST_OFFLOADS);
    this.#filter.passAllVlans(!hasFeature(features, abi.VIRTIO_NET_F_CTRL_VLAN));
    if (hasFeature(features, abi.VIRTIO_NET_F_STANDBY)) this.#missPrimary();
  }

  /** virtio_net_set_status. */
  protected override statusChanging(status: number): void {
    const driverOk = this.#mayRun(status);
    if (driverOk && this.#linkUp) this.#swapHeaders = !this.littleEndian;
    for (let pair = 0; pair < this.#pairs.length; pair++) {
      const inUse = pair < this.#currentPairs && (this.#multiqueue || pair === 0);
      this.#pairStatusChanging(pair, inUse && driverOk);
    }
  }

  protected override resetting(): void {
    this.#filter.reset();
    if (!this.behaviour.keepsFramesOverReset) this.#forgetFrames();
    this.#currentPairs = 1;
    this.#linkStatus &= ~abi.VIRTIO_NET_S_ANNOUNCE;
  }

  // --- Features -------------------------------------------------------------------------------------------------

  /** DRIVER_OK; of a legacy driver, asked for by the specification, any status but reset and FAILED. */
  #mayRun(status: number): boolean {
    if ((status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0) return true;
    if (this.behaviour.networkWaitsForDriverOk || this.version1) return false;
    return status !== 0 && (status & VIRTIO_CONFIG_S_FAILED) === 0;
  }

  get #linkUp(): boolean {
    return (this.#linkStatus & abi.VIRTIO_NET_S_LINK_UP) !== 0;
  }

  /** virtio_net_change_num_queues: the control queue is always last, and so it moves. */
  #setMultiqueue(multiqueue: boolean): void {
    this.#multiqueue = multiqueue;
    const pairs = multiqueue ? this.#pairs.length : 1;
    let now = (this.queueCount - 1) / 2;
    if (now !== pairs) this.removeQueue();
    for (; now > pairs; now--) this.#removePair(now - 1);
    const more = now < pairs;
    for (; now < pairs; now++) {
      this.addQueue(this.#options.rxQueueSize);
      this.addQueue(this.#options.txQueueSize);
    }
    if (this.queueCount % 2 === 0 || more) this.addQueue(CTRL_QUEUE_SIZE);
    this.#peer.setActive(this.#currentPairs);
  }

  #removePair(pair: number): void {
    this.removeQueue();
    this.removeQueue();
    const state = this.#pairs[pair];
    if (state === undefined) return;
    state.txWaiting = false;
    this.parts.events.cancel(this.#transmit, pair);
  }

  /** virtio_net_set_mrg_rx_bufs. */
  #setHeader(features: bigint): void {
    this.#mergeable = hasFeature(features, abi.VIRTIO_NET_F_MRG_RXBUF);
    const version1 = hasFeature(features, VIRTIO_F_VERSION_1);
    const report = hasFeature(features, abi.VIRTIO_NET_F_HASH_REPORT);
    if (version1) this.#rss.populate = report;
    const long = this.#mergeable || version1;
    this.#headerBytes = long ? abi.VIRTIO_NET_HDR_MRG_BYTES : abi.VIRTIO_NET_HDR_BYTES;
    if (version1 && report) this.#headerBytes = abi.VIRTIO_NET_HDR_HASH_BYTES;
    if (!this.#peer.headers) return;
    this.#hostHeaderBytes = this.#headerBytes;
    this.#peer.setHeaderLength(this.#headerBytes);
  }

  #setOffloads(offloads: bigint): void {
    this.#offloads = offloads;
    this.#peer.setOffloads(offloads);
  }

  /** failover_add_primary: there is never a primary here. */
  #missPrimary(): void {
    const { diagnostics } = this.parts;
    if (!diagnostics.listening) return;
    diagnostics.say('qemu-system-ppc64: warning: Primary device not found');
    const option = `failover_pair_id=${this.#options.standby ?? ''}`;
    diagnostics.say(`Virtio-net failover will not work. Make sure primary device has parameter ${option}`);
  }

  #pairStatusChanging(pair: number, running: boolean): void {
    const state = this.#pairs[pair];
    if (state === undefined) return;
    const started = running && this.#linkUp;
    if (started) this.#flushWaiting(pair);
    if (!state.txWaiting) return;
    const { events } = this.parts;
    if (started) {
      this.#rearm(pair);
      return;
    }
    events.cancel(this.#transmit, pair);
    if (this.#linkUp || !running) return;
    state.txWaiting = false;
    this.#txQueue(pair)?.setNotification(true);
    this.#dropTransmissions(pair);
  }

  #rxQueue(pair: number): Virtqueue | undefined {
    return 2 * pair < this.queueCount - 1 ? this.queue(2 * pair) : undefined;
  }

  #txQueue(pair: number): Virtqueue | undefined {
    return 2 * pair < this.queueCount - 1 ? this.queue(2 * pair + 1) : undefined;
  }

  // --- Receiving ------------------------------------------------------------------------------------------------

  #forgetFrames(): void {
    for (const state of this.#pairs) {
      state.waiting.length = 0;
      state.rxBlocked = false;
    }
    this.#coalescer.forget();
    this.#peer.forget?.();
  }

  /** The pair asked for, or, while its queue is in reset, another one in use; -1 if the driver took them all away. */
  #pairInUse(asked: number): number {
    if (!this.#mayRun(this.status) || this.#canReceive(asked)) return asked;
    for (let pair = 0; pair < this.#currentPairs; pair++) if (this.#canReceive(pair)) return pair;
    return -1;
  }

  /** The frame is longer than the MTU that the driver accepted, and is not to be cut. */
  #isBeyondMtu(frame: Uint8Array): boolean {
    if (!this.accepted(abi.VIRTIO_NET_F_MTU)) return false;
    const start = this.#hostHeaderBytes;
    if (start > 0 && frame[abi.VIRTIO_NET_HDR_GSO_TYPE] !== abi.VIRTIO_NET_HDR_GSO_NONE) return false;
    const tagged = frame[start + 12] === 0x81 && frame[start + 13] === 0x00;
    return frame.length - start > this.#options.mtu + (tagged ? LINK_BYTES_TAGGED : LINK_BYTES);
  }

  #canReceive(pair: number): boolean {
    if (pair >= this.#currentPairs || !this.#mayRun(this.status)) return false;
    return this.#rxQueue(pair)?.ring.driver.isZero === false;
  }

  #keep(state: Pair, frame: Uint8Array): void {
    const most = this.#peer.headers ? WAITING_AT_TAP_MAX : WAITING_MAX;
    if (state.waiting.length < most) state.waiting.push(frame.slice());
  }

  /** qemu_flush_queued_packets. */
  #flushWaiting(pair: number): void {
    const state = this.#pairs[pair];
    if (state === undefined) return;
    state.rxBlocked = false;
    while (state.waiting.length > 0) {
      const frame = state.waiting.shift() as Uint8Array;
      if (!this.#linkUp || this.#deliver(frame, pair) === 'done') continue;
      state.rxBlocked = true;
      state.waiting.unshift(frame);
      return;
    }
    this.#peer.drained();
  }

  /** virtio_net_receive. */
  #deliver(frame: Uint8Array, pair: number): Reception {
    if (this.#coalescer.enabled) {
      return this.#coalescer.receive(frame, this.#headerBytes, pair) ? 'done' : 'no buffers';
    }
    return this.#accept(frame, pair, true);
  }

  /** virtio_net_receive_rcu. A frame that a bad ring or a short buffer cannot take is lost. */
  #accept(frame: Uint8Array, pair: number, steer: boolean): Reception {
    const queue = this.#rxQueue(pair);
    if (queue === undefined || !this.#canReceive(pair)) return 'done';
    if (steer && this.#rss.active) {
      const target = this.#steer(frame, pair);
      // What the other queue cannot take waits for a kick of the queue that the frame came by.
      if (target !== STAY) return this.#accept(frame, target % this.#currentPairs, false);
    }
    if (!this.#hasBuffers(queue, frame.length + this.#headerBytes - this.#hostHeaderBytes))
      return 'no buffers';
    if (!this.#filter.passes(frame, this.#hostHeaderBytes)) return 'done';
    if (!this.behaviour.deliversBeyondMtu && this.#isBeyondMtu(frame)) return 'done';
    const count = this.#fillBuffers(queue, frame);
    if (count === STOPPED) {
      for (let i = 0; i < this.#taken.length; i++) this.#letGo(queue, i);
    } else {
      this.#returnBuffers(queue, count);
    }
    this.#taken.length = 0;
    this.#lengths.length = 0;
    return 'done';
  }

  /** virtio_net_process_rss. The report goes into the frame even where its header has no room for one. */
  #steer(frame: Uint8Array, pair: number): number {
    const target = this.#rss.choose(frame, this.#hostHeaderBytes, pair);
    if (this.#rss.populate && frame.length >= abi.VIRTIO_NET_HDR_HASH_REPORT + 2) {
      const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
      view.setUint32(abi.VIRTIO_NET_HDR_HASH_VALUE, this.#rss.hash, true);
      view.setUint16(abi.VIRTIO_NET_HDR_HASH_REPORT, this.#rss.report, true);
    }
    return target;
  }

  /** virtio_net_has_buffers: asks for a kick before giving up, and then looks once more. */
  #hasBuffers(queue: Virtqueue, bytes: number): boolean {
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

  #fillBuffers(queue: Virtqueue, frame: Uint8Array): number {
    let offset = 0;
    let count = 0;
    while (offset < frame.length) {
      if (count === VIRTQUEUE_MAX_SIZE) {
        this.fail('virtio-net unexpected long buffer chain');
        return STOPPED;
      }
      const chain = queue.pop();
      if (chain === undefined) {
        if (count > 0) this.fail(this.#unexpectedlyEmpty(count, offset, frame.length));
        return STOPPED;
      }
      if (chain.inCount < 1) {
        this.fail('virtio-net receive queue contains no in buffers');
        queue.detach(chain, 0);
        queue.recycle(chain);
        return STOPPED;
      }
      const before = count === 0 ? this.#putHeader(queue, chain, frame) : 0;
      if (before === STOPPED) return STOPPED;
      if (count === 0) offset = this.#hostHeaderBytes;
      const copied = copyIn(this.space, chain, before, frame, offset, frame.length - offset);
      offset += copied;
      if (!this.#mergeable && offset < frame.length) {
        queue.unpop(chain, before + copied);
        queue.recycle(chain);
        return STOPPED;
      }
      this.#taken.push(chain);
      this.#lengths.push(before + copied);
      count++;
    }
    return count;
  }

  /**
   * The frame's header; its length. Of a header with num_buffers QEMU 7.2 writes ten bytes where buffers do not merge. A
   * first buffer too short for it makes QEMU abort: here the frame is lost.
   */
  #putHeader(queue: Virtqueue, chain: Chain, frame: Uint8Array): number {
    const room = chain.inBytes();
    if (this.#mergeable && room < abi.VIRTIO_NET_HDR_NUM_BUFFERS) {
      return this.#tooShort(queue, chain, "iov_copy: Assertion `offset == 0' failed.");
    }
    if (this.#peer.headers) {
      this.#finishHeader(frame);
      copyIn(this.space, chain, 0, frame, 0, abi.VIRTIO_NET_HDR_BYTES);
      const more = this.#hostHeaderBytes - abi.VIRTIO_NET_HDR_MRG_BYTES;
      if (this.#rss.populate && more > 0)
        copyIn(this.space, chain, abi.VIRTIO_NET_HDR_MRG_BYTES, frame, abi.VIRTIO_NET_HDR_MRG_BYTES, more);
    } else {
      this.#small.fill(0, 0, abi.VIRTIO_NET_HDR_BYTES);
      copyIn(this.space, chain, 0, this.#small, 0, abi.VIRTIO_NET_HDR_BYTES);
    }
    if (room >= this.#headerBytes) {
      if (!this.#mergeable && !this.behaviour.leavesNumBuffers) this.#putOneBuffer(chain);
      return this.#headerBytes;
    }
    return this.#tooShort(queue, chain, "iov_from_buf_full: Assertion `offset == 0' failed.");
  }

  #putOneBuffer(chain: Chain): void {
    if (this.#headerBytes < abi.VIRTIO_NET_HDR_MRG_BYTES) return;
    this.#smallView.setUint16(0, 1, this.littleEndian);
    copyIn(this.space, chain, abi.VIRTIO_NET_HDR_NUM_BUFFERS, this.#small, 0, 2);
  }

  #tooShort(queue: Virtqueue, chain: Chain, assertion: string): number {
    this.end('abort', assertion);
    queue.detach(chain, 0);
    queue.recycle(chain);
    return STOPPED;
  }

  /** receive_header: DHCP clients that look past the kernel get their checksum, and a big-endian driver its order. */
  #finishHeader(frame: Uint8Array): void {
    const flags = frame[abi.VIRTIO_NET_HDR_FLAGS] ?? 0;
    if ((flags & abi.VIRTIO_NET_HDR_F_NEEDS_CSUM) !== 0 && isDhcpAnswer(frame, this.#hostHeaderBytes)) {
      fillUdpChecksum(frame, this.#hostHeaderBytes);
      frame[abi.VIRTIO_NET_HDR_FLAGS] = flags & ~abi.VIRTIO_NET_HDR_F_NEEDS_CSUM;
    }
    if (this.#swapHeaders) swapHeader(frame);
  }

  #returnBuffers(queue: Virtqueue, count: number): void {
    const first = this.#taken[0];
    if (this.#mergeable && first !== undefined) {
      this.#smallView.setUint16(0, count, this.littleEndian);
      copyIn(this.space, first, abi.VIRTIO_NET_HDR_NUM_BUFFERS, this.#small, 0, 2);
    }
    for (let i = 0; i < count; i++) {
      const chain = this.#taken[i] as Chain;
      queue.fill(chain, this.#lengths[i] ?? 0, i);
      queue.recycle(chain);
    }
    queue.flush(count);
    this.notifyUsed(queue);
  }

  #letGo(queue: Virtqueue, index: number): void {
    const chain = this.#taken[index] as Chain;
    queue.detach(chain, this.#lengths[index] ?? 0);
    queue.recycle(chain);
  }

  #unexpectedlyEmpty(count: number, offset: number, size: number): string {
    const state = `i ${count} mergeable ${this.#mergeable ? 1 : 0} offset ${offset}, size ${size}`;
    const headers = `guest hdr len ${this.#headerBytes}, host hdr len ${this.#hostHeaderBytes}`;
    const features = `guest features 0x${this.guestFeatures.toString(16)}`;
    return `virtio-net unexpected empty queue: ${state}, ${headers} ${features}`;
  }

  // --- Transmitting ---------------------------------------------------------------------------------------------

  /** virtio_net_handle_tx_bh, virtio_net_handle_tx_timer. */
  #scheduleTransmit(pair: number): void {
    const state = this.#pairs[pair];
    if (state === undefined) return;
    if (!this.#linkUp) {
      this.#dropTransmissions(pair);
      return;
    }
    if (!state.txWaiting) {
      state.txWaiting = true;
      this.#txQueue(pair)?.setNotification(false);
      this.#rearm(pair);
      return;
    }
    if (this.#options.txTimer === undefined) return;
    // A second kick while the timer runs: no more waiting.
    this.parts.events.cancel(this.#transmit, pair);
    this.#transmitBurst(pair);
  }

  #transmitLater(pair: number): void {
    const state = this.#pairs[pair];
    if (state !== undefined) state.txWaiting = true;
    this.#rearm(pair);
  }

  /** A timer starts anew (timer_mod); a bottom half that is scheduled stays so. */
  #rearm(pair: number): void {
    const { events } = this.parts;
    if (this.#options.txTimer !== undefined) events.cancel(this.#transmit, pair);
    if (!events.isScheduled(this.#transmit, pair)) events.schedule(this.#transmitDelay, this.#transmit, pair);
  }

  /** virtio_net_tx_bh, virtio_net_tx_timer. */
  #transmitBurst(pair: number): void {
    const state = this.#pairs[pair];
    const queue = this.#txQueue(pair);
    if (state === undefined || queue === undefined) return;
    state.txWaiting = false;
    if (!this.#mayRun(this.status)) return;
    const sent = this.#flushTransmissions(queue, pair);
    if (sent === STOPPED) return;
    if (sent >= this.#options.txBurst) {
      this.#transmitLater(pair);
      return;
    }
    queue.setNotification(true);
    // What came meanwhile means that more is coming.
    if (this.#flushTransmissions(queue, pair) <= 0) return;
    queue.setNotification(false);
    this.#transmitLater(pair);
  }

  /** virtio_net_flush_tx: frames sent, or STOPPED when the device broke. */
  #flushTransmissions(queue: Virtqueue, pair: number): number {
    let sent = 0;
    do {
      const chain = queue.pop();
      if (chain === undefined) break;
      if (!this.#send(chain, pair)) {
        queue.detach(chain, 0);
        queue.recycle(chain);
        return STOPPED;
      }
      queue.push(chain, 0);
      queue.recycle(chain);
      this.notifyUsed(queue);
      sent++;
    } while (sent < this.#options.txBurst);
    return sent;
  }

  #send(chain: Chain, pair: number): boolean {
    if (chain.outCount < 1) {
      this.fail('virtio-net header not in first element');
      return false;
    }
    return this.#peer.headers ? this.#sendWithHeader(chain, pair) : this.#sendPlain(chain, pair);
  }

  #sendPlain(chain: Chain, pair: number): boolean {
    const bytes = chain.outBytes();
    if (bytes === this.#headerBytes) {
      this.fail('virtio-net nothing to send');
      return false;
    }
    if (bytes < this.#headerBytes) {
      this.end('abort', "iov_copy: Assertion `offset == 0' failed.");
      return false;
    }
    const size = bytes - this.#headerBytes;
    if (size > FRAME_BYTES_MAX) return true;
    copyOut(this.space, chain, this.#headerBytes, this.#frame, 0, size);
    this.#peer.transmitted(this.#frame.subarray(0, size), pair);
    return true;
  }

  #sendWithHeader(chain: Chain, pair: number): boolean {
    const bytes = chain.outBytes();
    if (bytes < this.#headerBytes) {
      this.fail('virtio-net header incorrect');
      return false;
    }
    // With its own header in front QEMU has no room for as many pieces as a ring may have: it drops the frame.
    if (this.#swapHeaders && piecesBehind(chain, this.#headerBytes) === VIRTQUEUE_MAX_SIZE) return true;
    if (bytes > FRAME_BYTES_MAX) return true;
    const packet = this.#frame.subarray(0, bytes);
    copyOut(this.space, chain, 0, packet, 0, bytes);
    if (this.#swapHeaders) swapHeader(packet);
    this.#peer.transmitted(packet, pair);
    return true;
  }

  /** virtqueue_drop_all: without a cable requests are returned unseen. */
  #dropTransmissions(pair: number): void {
    const queue = this.#txQueue(pair);
    if (queue !== undefined && queue.dropAll() > 0) this.notifyUsed(queue);
  }

  // --- Control --------------------------------------------------------------------------------------------------

  #serveControl(queue: Virtqueue): void {
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

  /** False: VIRTIO_NET_ERR. Whether a class was negotiated is asked by the commands of two classes only. */
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
        return this.#steerBy(chain, command);
      case abi.VIRTIO_NET_CTRL_GUEST_OFFLOADS:
        return this.#changeOffloads(chain, command);
      default:
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

  /** virtio_net_handle_mq: whatever comes of it, hashing is off first. */
  #steerBy(chain: Chain, command: number): boolean {
    this.#rss.enabled = false;
    switch (command) {
      case abi.VIRTIO_NET_CTRL_MQ_HASH_CONFIG:
        return this.#configureRss(chain, false) !== 0;
      case abi.VIRTIO_NET_CTRL_MQ_RSS_CONFIG:
        return this.#usePairs(this.#configureRss(chain, true));
      case abi.VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET:
        if (!this.accepted(abi.VIRTIO_NET_F_MQ) || this.#argument(chain, 2) < 2) return false;
        return this.#usePairs(this.#smallView.getUint16(0, this.littleEndian));
      default:
        return false;
    }
  }

  #configureRss(chain: Chain, steering: boolean): number {
    if (!this.accepted(steering ? abi.VIRTIO_NET_F_RSS : abi.VIRTIO_NET_F_HASH_REPORT)) return 0;
    const length = this.#argument(chain, ARGUMENT_BYTES_MAX);
    const pairs = this.#rss.configure(this.#small.subarray(0, length), steering, {
      pairs: this.#pairs.length,
      currentPairs: this.#currentPairs,
      littleEndian: this.littleEndian,
    });
    const { diagnostics } = this.parts;
    if (this.#rss.enabled && !this.#rss.populate && diagnostics.listening) {
      diagnostics.say("qemu-system-ppc64: warning: Can't load eBPF RSS - fallback to software RSS");
    }
    return pairs;
  }

  #usePairs(pairs: number): boolean {
    const least = abi.VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN;
    if (pairs < least || pairs > abi.VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MAX) return false;
    if (pairs > this.#pairs.length || !this.#multiqueue) return false;
    this.#currentPairs = pairs;
    this.statusChanging(this.status);
    this.#peer.setActive(pairs);
    return true;
  }

  /** virtio_net_handle_offloads: coalescing is switched even if the command then fails. */
  #changeOffloads(chain: Chain, command: number): boolean {
    if (!this.accepted(abi.VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) || this.#argument(chain, 8) < 8) return false;
    if (command !== abi.VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET || !this.#peer.headers) return false;
    const asked = this.#smallView.getBigUint64(0, this.littleEndian);
    this.#coalescer.setFeatures(asked);
    const offloads = asked & ~featureBit(abi.VIRTIO_NET_F_RSC_EXT);
    if ((offloads & ~(this.guestFeatures & GUEST_OFFLOADS)) !== 0n) return false;
    this.#setOffloads(offloads);
    return true;
  }

  /** Copies what follows the control header; how much of it there was. */
  #argument(chain: Chain, bytes: number): number {
    return copyOut(this.space, chain, abi.VIRTIO_NET_CTRL_HDR_BYTES, this.#small, 0, bytes);
  }
}

/** Turns the four 16-bit fields of a header. */
function swapHeader(packet: Uint8Array): void {
  for (let at = abi.VIRTIO_NET_HDR_HDR_LEN; at < abi.VIRTIO_NET_HDR_BYTES; at += 2) {
    const first = packet[at] ?? 0;
    packet[at] = packet[at + 1] ?? 0;
    packet[at + 1] = first;
  }
}

/** Device-readable pieces that have bytes behind the first `bytes`. */
function piecesBehind(chain: Chain, bytes: number): number {
  let left = bytes;
  let before = 0;
  while (before < chain.outCount && (chain.length[before] ?? 0) <= left) left -= chain.length[before++] ?? 0;
  return chain.outCount - before;
}

function nanoseconds(count: number): Duration {
  return ticks(Math.ceil((count * TICKS_PER_MICROSECOND) / 1000));
}

/** Features with those of which each needs one (VIRTIO 1.3, 5.1.3.1), in an order in which one pass is enough. */
const NEEDS: readonly (readonly [feature: number, oneOf: readonly number[]])[] = [
  ...[abi.VIRTIO_NET_F_GUEST_TSO4, abi.VIRTIO_NET_F_GUEST_TSO6, abi.VIRTIO_NET_F_GUEST_UFO].map(
    (feature) => [feature, [abi.VIRTIO_NET_F_GUEST_CSUM]] as const,
  ),
  [abi.VIRTIO_NET_F_GUEST_ECN, [abi.VIRTIO_NET_F_GUEST_TSO4, abi.VIRTIO_NET_F_GUEST_TSO6]],
  ...[abi.VIRTIO_NET_F_HOST_TSO4, abi.VIRTIO_NET_F_HOST_TSO6, abi.VIRTIO_NET_F_HOST_UFO].map(
    (feature) => [feature, [abi.VIRTIO_NET_F_CSUM]] as const,
  ),
  [abi.VIRTIO_NET_F_HOST_ECN, [abi.VIRTIO_NET_F_HOST_TSO4, abi.VIRTIO_NET_F_HOST_TSO6]],
  [abi.VIRTIO_NET_F_RSC_EXT, [abi.VIRTIO_NET_F_HOST_TSO4, abi.VIRTIO_NET_F_HOST_TSO6]],
  ...[
    abi.VIRTIO_NET_F_CTRL_RX,
    abi.VIRTIO_NET_F_CTRL_VLAN,
    abi.VIRTIO_NET_F_CTRL_RX_EXTRA,
    abi.VIRTIO_NET_F_GUEST_ANNOUNCE,
    abi.VIRTIO_NET_F_MQ,
    abi.VIRTIO_NET_F_CTRL_MAC_ADDR,
    abi.VIRTIO_NET_F_RSS,
    abi.VIRTIO_NET_F_HASH_REPORT,
  ].map((feature) => [feature, [abi.VIRTIO_NET_F_CTRL_VQ]] as const),
];

/** A set without the features that lack what they need. */
function withNeeded(offered: bigint): bigint {
  let left = offered;
  for (const [feature, oneOf] of NEEDS) {
    if ((left & featureSet(...oneOf)) === 0n) left &= ~featureBit(feature);
  }
  return left;
}

function offeredBy(options: NetOptions): bigint {
  let offered = options.features | featureBit(abi.VIRTIO_NET_F_MAC);
  if (options.mtu !== 0) offered |= featureBit(abi.VIRTIO_NET_F_MTU);
  if (options.speed >= 0 || options.duplex !== undefined)
    offered |= featureBit(abi.VIRTIO_NET_F_SPEED_DUPLEX);
  if (options.standby !== undefined) offered |= featureBit(abi.VIRTIO_NET_F_STANDBY);
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
