import type { Chain } from './chain.ts';
import type { Hooks } from './hooks.ts';
import { ANY_ETHERTYPE, Layer, NetFrame } from './net-frame.ts';
import type { ObservedQueue } from './observed-queue.ts';
import type { VirtioFunction } from './virtio-function.ts';

/** Features by number (5.1.3). */
export const F = {
  CSUM: 0,
  GUEST_CSUM: 1,
  CTRL_GUEST_OFFLOADS: 2,
  MTU: 3,
  MAC: 5,
  GUEST_TSO4: 7,
  GUEST_TSO6: 8,
  GUEST_ECN: 9,
  GUEST_UFO: 10,
  HOST_TSO4: 11,
  HOST_TSO6: 12,
  HOST_ECN: 13,
  HOST_UFO: 14,
  MRG_RXBUF: 15,
  STATUS: 16,
  CTRL_VQ: 17,
  CTRL_RX: 18,
  CTRL_VLAN: 19,
  CTRL_RX_EXTRA: 20,
  GUEST_ANNOUNCE: 21,
  MQ: 22,
  CTRL_MAC_ADDR: 23,
  ANY_LAYOUT: 27,
  DEVICE_STATS: 50,
  HASH_TUNNEL: 51,
  VQ_NOTF_COAL: 52,
  NOTF_COAL: 53,
  GUEST_USO4: 54,
  GUEST_USO6: 55,
  HOST_USO: 56,
  HASH_REPORT: 57,
  GUEST_HDRLEN: 59,
  RSS: 60,
  RSC_EXT: 61,
  STANDBY: 62,
  SPEED_DUPLEX: 63,
  RSS_CONTEXT: 64,
  GUEST_UDP_TUNNEL_GSO: 65,
  GUEST_UDP_TUNNEL_GSO_CSUM: 66,
  HOST_UDP_TUNNEL_GSO: 67,
  HOST_UDP_TUNNEL_GSO_CSUM: 68,
  OUT_NET_HEADER: 69,
  IPSEC: 70,
} as const;

/** Flags and GSO types of the frame header (5.1.9). */
export const NEEDS_CSUM = 1;
export const DATA_VALID = 2;
export const RSC_INFO = 4;
export const UDP_TUNNEL_CSUM = 8;
export const GSO_TCPV4 = 1;
export const GSO_UDP = 3;
export const GSO_TCPV6 = 4;
export const GSO_UDP_L4 = 5;
export const GSO_TUNNEL4 = 0x20;
export const GSO_TUNNEL6 = 0x40;
export const GSO_TUNNEL = 0x60;
export const GSO_ECN = 0x80;

/** Fields of device configuration by offset (5.1.4). */
export const CONFIG = {
  mac: 0,
  status: 6,
  maxPairs: 8,
  mtu: 10,
  speed: 12,
  duplex: 16,
  keyBytes: 17,
  tableLength: 18,
  hashTypes: 20,
  tunnelTypes: 24,
} as const;
const CONFIG_BYTES = 32;

/** Classes of control commands (5.1.9.5). */
export const CLASS = {
  RX: 0,
  MAC: 1,
  VLAN: 2,
  ANNOUNCE: 3,
  MQ: 4,
  OFFLOADS: 5,
  COAL: 6,
  TUNNEL: 7,
  STATS: 8,
  CONTEXT: 9,
} as const;

const MACS_MAX = 128;
const VLANS = 4096;
const MODES = 6;
/** A frame that waits for the driver is not looked for beyond this. */
const ARRIVED_MAX = 0x1_0000;

/** A frame with its header, as it passed between driver and device. Reused: nothing may be held on to. */
export class NetPacket extends NetFrame {
  queue = 0;
  headerBytes = 0;
  little = true;
  /** Buffers that it took, and whether all became visible at one event. */
  buffers = 0;
  together = true;
  /** All buffers but the last were filled. */
  filled = true;
  /** Every byte up to the end was written (received) or read (sent). */
  whole = true;
  /** Bytes of a received packet that nobody saw written; below 0 where buffers overlap. */
  hole = 0;
  /** Length of the frame, also where not all of it is known. */
  told = 0;
  /** Header and frame: `start` is where the frame begins. */
  data: Uint8Array = new Uint8Array(256);
  size = 0;
  readonly inner: Layer = new Layer();

  get pair(): number {
    return this.queue >> 1;
  }

  get flags(): number {
    return this.data[0] ?? 0;
  }

  get gsoType(): number {
    return this.data[1] ?? 0;
  }

  /** Without the bits for ECN and tunnels. */
  get gsoBase(): number {
    return this.gsoType & 0x1f;
  }

  get tunnel(): number {
    return this.gsoType & GSO_TUNNEL;
  }

  get hdrLen(): number {
    return this.#field(2);
  }

  get gsoSize(): number {
    return this.#field(4);
  }

  get csumStart(): number {
    return this.#field(6);
  }

  get csumOffset(): number {
    return this.#field(8);
  }

  get numBuffers(): number {
    return this.headerBytes >= 12 ? this.#field(10) : 0;
  }

  get hashValue(): number {
    return this.#field(12) + 0x1_0000 * this.#field(14);
  }

  get hashReport(): number {
    return this.#field(16);
  }

  get outerTransport(): number {
    return this.#field(20);
  }

  get innerNetwork(): number {
    return this.#field(22);
  }

  get outerNetwork(): number {
    return this.#field(24);
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** The headers that segmentation is about: the inner ones of a tunnel. */
  get segmented(): Layer {
    return this.tunnel !== 0 && this.headerBytes >= 24 ? this.inner : this.outer;
  }

  /** Where csum_start and csum_offset point lies in the frame. */
  get checksumInside(): boolean {
    return this.csumStart + this.csumOffset + 2 <= this.length;
  }

  begin(queue: number, headerBytes: number, little: boolean): void {
    this.queue = queue;
    this.headerBytes = headerBytes;
    this.little = little;
    this.size = 0;
    this.buffers = 0;
    this.together = true;
    this.filled = true;
    this.whole = true;
    this.hole = 0;
  }

  append(bytes: Uint8Array, length: number): void {
    const end = this.size + length;
    if (this.data.length < end) {
      const larger = new Uint8Array(Math.max(end, 2 * this.data.length));
      larger.set(this.data.subarray(0, this.size));
      this.data = larger;
    }
    for (let i = 0; i < length; i++) this.data[this.size + i] = bytes[i] ?? 0;
    this.size = end;
    this.buffers++;
  }

  /** All is there: the frame is read. */
  finish(): void {
    this.read(this.data, Math.min(this.headerBytes, this.size), this.size);
    const tunnel = this.headerBytes >= 24 && this.tunnel !== 0;
    this.readLayer(this.inner, tunnel ? this.innerNetwork : this.length, ANY_ETHERTYPE);
  }

  #field(at: number): number {
    if (at + 2 > this.headerBytes) return 0;
    const first = this.data[at] ?? 0;
    const second = this.data[at + 1] ?? 0;
    return this.little ? first | (second << 8) : (first << 8) | second;
  }
}

/** A control command with what the device answered. Reused. */
export class NetCommand {
  kind = 0;
  command = 0;
  /** What follows class and command. */
  argument: Uint8Array = new Uint8Array(0);
  argumentBytes = 0;
  /** 0 is OK, 1 is ERR; -1: nothing was written. */
  ack = -1;
  /** What the device wrote behind the acknowledgement. */
  result: Uint8Array = new Uint8Array(0);
  resultBytes = 0;
  little = true;
  /** All of the argument is known. */
  known = true;
  chain: Chain | undefined;

  is(kind: number, command?: number): boolean {
    return this.kind === kind && (command === undefined || this.command === command);
  }

  /** Bytes that the device may write behind the acknowledgement. */
  get room(): number {
    return Math.max(0, (this.chain?.writableBytes ?? 0) - 1);
  }

  resultByte(at: number): number {
    return at < this.resultBytes ? (this.result[1 + at] ?? 0) : 0;
  }

  resultHalf(at: number): number {
    return this.resultByte(at) | (this.resultByte(at + 1) << 8);
  }

  resultWord(at: number): number {
    return this.resultHalf(at) + 0x1_0000 * this.resultHalf(at + 2);
  }

  byte(at: number): number {
    return at < this.argumentBytes ? (this.argument[2 + at] ?? 0) : 0;
  }

  half(at: number): number {
    return this.little ? this.byte(at) | (this.byte(at + 1) << 8) : (this.byte(at) << 8) | this.byte(at + 1);
  }

  word(at: number): number {
    return this.little
      ? this.half(at) + 0x1_0000 * this.half(at + 2)
      : this.half(at) * 0x1_0000 + this.half(at + 2);
  }
}

/** What a checker of a network clause may watch; names of hooks mean what they mean there. */
export interface NetWatch {
  onBegin?(): void;
  onReset?(): void;
  onFeaturesOk?(stands: boolean): void;
  onFeaturesRead?(): void;
  onDriverOk?(): void;
  onConfigRead?(offset: number, width: number, value: number): void;
  onConfigWrite?(offset: number, width: number, value: number): void;
  onQueueReset?(queue: ObservedQueue): void;
  onInterrupt?(vector: number, level: number): void;
  onStatusWrite?(value: number): void;
  /** A chain on a transmit queue, whatever is in it. */
  onOffer?(chain: Chain, queue: number): void;
  /** A frame that the driver sends: it was made available, and the device has used it. */
  onSending?(packet: NetPacket, chain: Chain): void;
  onSent?(packet: NetPacket, chain: Chain): void;
  /** Receive buffers: offered by the driver; and a packet, once its last buffer is used. */
  onPosted?(queue: ObservedQueue, chain: Chain): void;
  onReceived?(packet: NetPacket): void;
  /** A packet was not finished when the next thing happened. */
  onUnfinished?(packet: NetPacket): void;
  /** A command as the driver makes it available, and once the device has used it; the view has not taken it in yet. */
  onCommanding?(command: NetCommand, chain: Chain): void;
  onCommand?(command: NetCommand): void;
  /** A frame went out of the host's end, or came in by it. */
  onHandedOut?(frame: NetFrame): void;
  onArrived?(frame: NetFrame): void;
  /** The device had time: a frame that came in before is delivered or never will be. `delivered`: by which pair, or -1. */
  onSettled?(frame: NetFrame, delivered: number): void;
  onIdle?(): void;
}

type WatchName = keyof NetWatch;
const WATCH_NAMES: readonly WatchName[] = [
  'onBegin',
  'onReset',
  'onFeaturesOk',
  'onFeaturesRead',
  'onDriverOk',
  'onConfigRead',
  'onConfigWrite',
  'onQueueReset',
  'onInterrupt',
  'onStatusWrite',
  'onOffer',
  'onSending',
  'onSent',
  'onPosted',
  'onReceived',
  'onUnfinished',
  'onCommanding',
  'onCommand',
  'onHandedOut',
  'onArrived',
  'onSettled',
  'onIdle',
];

type WatchLists = { readonly [Name in WatchName]-?: Required<NetWatch>[Name][] };

const VIEWS = new WeakMap<VirtioFunction, NetView>();

/**
 * Watches a network device. The view is one for all checkers of a function: the first to ask carries the hooks that feed
 * it, and what it makes of them is told to each.
 */
export function watchNet(device: VirtioFunction, make: (view: NetView) => NetWatch): Hooks {
  const known = VIEWS.get(device);
  const view = known ?? new NetView(device);
  VIEWS.set(device, view);
  view.add(make(view));
  return known === undefined ? view.hooks() : {};
}

/** What the events told of a network device beside its features: filters, pairs, configuration, the frame under way. */
export class NetView {
  readonly device: VirtioFunction;
  /** By command of class RX, as the driver set them last; -1 since reset. */
  readonly modes: Int8Array = new Int8Array(MODES);
  readonly vlans: Uint8Array = new Uint8Array(VLANS);
  readonly mac: Uint8Array = new Uint8Array(6);
  /** The address is known: read, or set. */
  macKnown = false;
  /** Addresses of the table, six bytes each. */
  readonly table: Uint8Array = new Uint8Array(6 * MACS_MAX);
  tableEntries = 0;
  /** More entries than are kept: what passes by them is not known. */
  tableOverflowed = false;
  /** Pairs by the last PAIRS_SET or RSS_CONFIG that was acknowledged; 1 after reset. */
  pairs = 1;
  /** The driver set a number of pairs, or RSS, since reset. */
  pairsSet = false;
  /** An RSS or hash configuration is in force; of the first kind, frames are steered by it. */
  hashing = false;
  steering = false;
  hashTypes = 0;
  unclassified = 0;
  indirection: number[] = [];
  key: Uint8Array = new Uint8Array(0);
  /** Device configuration as read last, and which bytes were. */
  readonly config: Uint8Array = new Uint8Array(CONFIG_BYTES);
  readonly configKnown: Uint8Array = new Uint8Array(CONFIG_BYTES);
  linkUp = true;
  /** Frames that left by the host's end since the driver's last frame was used, and the last of them. */
  outFrames = 0;
  readonly out: NetFrame = new NetFrame();
  /** Frames are seen to leave at all: the device has a host's end. */
  handsOut = false;
  /** The driver sent a frame whose checksums are wrong: such a frame may come back. */
  sentBad = false;
  readonly #lists: WatchLists = Object.fromEntries(
    WATCH_NAMES.map((name) => [name, []]),
  ) as unknown as WatchLists;
  readonly #sent: NetPacket = new NetPacket();
  readonly #received: NetPacket = new NetPacket();
  readonly #command: NetCommand = new NetCommand();
  readonly #host: NetFrame = new NetFrame();
  readonly #waiting: NetFrame = new NetFrame();
  readonly #arrived: Uint8Array = new Uint8Array(ARRIVED_MAX);
  #outBytes: Uint8Array = new Uint8Array(256);
  #arrivedLength = 0;
  /** Longest frame since reset that came in, or went out and may come back: it may wait in front of the next one. */
  #longest = 0;
  #isWaiting = false;
  #deliveredBy = -1;
  #missing = 0;
  #firstUsedAt = 0;
  #lastRoom = 0;
  /** Writable bytes that are posted, buffers, and the smallest of them since reset, by receive queue. */
  readonly #postedBytes: Map<number, number> = new Map();
  readonly #posted: Map<number, number> = new Map();
  readonly #smallest: Map<number, number> = new Map();

  constructor(device: VirtioFunction) {
    this.device = device;
  }

  add(watch: NetWatch): void {
    for (const name of WATCH_NAMES) {
      const hook: ((...told: never[]) => void) | undefined = watch[name];
      if (hook !== undefined) (this.#lists[name] as unknown[]).push(hook.bind(watch));
    }
  }

  get little(): boolean {
    return this.device.little;
  }

  /** Neither the driver nor a ring is beyond what the specification speaks of. */
  trusts(queue?: number): boolean {
    const ring = queue === undefined ? undefined : this.device.queue(queue);
    return this.device.misused === '' && (ring === undefined || ring.broken === '');
  }

  has(feature: number): boolean {
    return this.device.has(feature);
  }

  hasAny(...features: readonly number[]): boolean {
    return features.some((feature) => this.device.has(feature));
  }

  /** The driver switched a mode of class RX on. */
  on(mode: number): boolean {
    return (this.modes[mode] ?? -1) > 0;
  }

  /** The driver switched promiscuity off, so that filters count: what holds before any command is the device's choice. */
  get filters(): boolean {
    return this.modes[0] === 0;
  }

  /** Pairs that the device has: from its configuration, else from its number of queues. */
  get maxPairs(): number {
    if (this.knows(CONFIG.maxPairs, 2)) return Math.max(1, this.field(CONFIG.maxPairs, 2));
    const { queueCount } = this.device;
    return queueCount >= 3 ? (queueCount - 1) >> 1 : 1;
  }

  get controlQueue(): number {
    return this.has(F.MQ) || this.has(F.RSS) ? 2 * this.maxPairs : 2;
  }

  isControl(queue: number): boolean {
    return this.has(F.CTRL_VQ) && queue === this.controlQueue;
  }

  isReceive(queue: number): boolean {
    return queue % 2 === 0 && queue !== this.controlQueue;
  }

  get headerBytes(): number {
    if (this.hasAny(F.OUT_NET_HEADER, F.IPSEC)) return 32;
    if (this.hasAny(F.HOST_UDP_TUNNEL_GSO, F.GUEST_UDP_TUNNEL_GSO)) return 24;
    if (this.has(F.HASH_REPORT) && this.device.modern) return 20;
    return this.device.modern || this.has(F.MRG_RXBUF) ? 12 : 10;
  }

  /** Bytes of header that the host's end has in front of a frame: its own, and what the driver is given. */
  get hostHeader(): boolean {
    return this.device.offers(F.GUEST_CSUM) || this.device.offers(F.CSUM);
  }

  knows(offset: number, width: number): boolean {
    for (let i = 0; i < width; i++) if (this.configKnown[offset + i] !== 1) return false;
    return true;
  }

  /** A field of device configuration as read last. */
  field(offset: number, width: number): number {
    let value = 0;
    for (let i = 0; i < width; i++) {
      value = value * 256 + (this.config[offset + (this.little ? width - 1 - i : i)] ?? 0);
    }
    return value;
  }

  inTable(frame: NetFrame): boolean {
    for (let entry = 0; entry < this.tableEntries; entry++)
      if (isTo(frame, this.table, 6 * entry)) return true;
    return false;
  }

  isOwn(frame: NetFrame): boolean {
    return isTo(frame, this.mac, 0);
  }

  /** What was negotiated stands, and with it the byte order of device configuration. */
  get settled(): boolean {
    return this.device.legacy || this.device.modern;
  }

  /** Buffers posted on a receive queue and not used, and whether a frame of a length finds room in them. */
  posted(queue: number): number {
    return this.#posted.get(queue) ?? 0;
  }

  /** A frame of this length finds buffers on every receive queue in use. */
  hasRoom(length: number): boolean {
    const need = length + this.headerBytes;
    for (let pair = 0; pair < this.pairs; pair++) {
      const queue = 2 * pair;
      if (this.device.queue(queue)?.driverSeen !== true || (this.#posted.get(queue) ?? 0) < 1) return false;
      const merged = this.has(F.MRG_RXBUF);
      const room = merged ? this.#postedBytes.get(queue) : this.#smallest.get(queue);
      if ((room ?? 0) < need) return false;
    }
    return true;
  }

  hooks(): Hooks {
    const lists = this.#lists;
    const cleared = (): void => {
      this.#clear();
      for (const hook of lists.onReset) hook();
    };
    return {
      onBegin: () => {
        this.configKnown.fill(0);
        this.linkUp = true;
        this.handsOut = false;
        this.#clear();
        for (const hook of lists.onBegin) hook();
      },
      onReset: cleared,
      onFeaturesOk: (stands) => {
        for (const hook of lists.onFeaturesOk) hook(stands);
      },
      onFeaturesRead: () => {
        for (const hook of lists.onFeaturesRead) hook();
      },
      onDriverOk: () => {
        for (const hook of lists.onDriverOk) hook();
      },
      onDeviceConfigRead: (offset, width, value) => this.#configRead(offset, width, value),
      onDeviceConfigWrite: (offset, width, value) => {
        for (const hook of lists.onConfigWrite) hook(offset, width, value);
        if (this.device.modern || this.has(F.CTRL_MAC_ADDR)) return;
        for (let i = 0; i < width; i++) if (offset + i < 6) this.mac[offset + i] = (value / 256 ** i) & 0xff;
      },
      onQueueReset: (queue) => {
        this.#forgetPosted(queue.index);
        for (const hook of lists.onQueueReset) hook(queue);
      },
      onStatusWrite: (value) => {
        for (const hook of lists.onStatusWrite) hook(value);
      },
      onInterrupt: (vector, level) => {
        for (const hook of lists.onInterrupt) hook(vector, level);
      },
      onAvailable: (queue, chain) => this.#available(queue, chain),
      onUsed: (queue, chain) => this.#used(queue, chain),
      onHostInput: (port, bytes, from, length) => {
        if (port >= ORDER_PORTS) this.linkUp = bytes[from] === 0 ? false : bytes[from] === 1 || this.linkUp;
        else if (port > 0) this.#arrives(bytes, from, length);
      },
      onHostOutput: (port, bytes, from, length) => {
        if (port > 0 && port < ORDER_PORTS) this.#handedOut(bytes, from, length);
      },
      onAction: () => this.#finishReceived(),
      onIdle: () => {
        this.#settle();
        for (const hook of lists.onIdle) hook();
      },
      onEnd: () => this.#finishReceived(),
    };
  }

  #clear(): void {
    this.modes.fill(-1);
    this.vlans.fill(0);
    this.macKnown = false;
    this.tableEntries = 0;
    this.tableOverflowed = false;
    this.pairs = 1;
    this.pairsSet = false;
    this.hashing = false;
    this.steering = false;
    this.sentBad = false;
    this.outFrames = 0;
    this.#arrivedLength = 0;
    this.#longest = 0;
    this.#isWaiting = false;
    this.#missing = 0;
    this.#postedBytes.clear();
    this.#posted.clear();
    this.#smallest.clear();
  }

  #forgetPosted(queue: number): void {
    this.#postedBytes.delete(queue);
    this.#posted.delete(queue);
    this.#smallest.delete(queue);
  }

  #configRead(offset: number, width: number, value: number): void {
    // Wide loads through the legacy interface come in an order of the transport's own: bytes alone say what is there.
    if (width > 1 && this.device.legacy) return;
    // Registers show bytes in PCI's order, whatever a field's order is.
    for (let i = 0; i < width && offset + i < CONFIG_BYTES; i++) {
      this.config[offset + i] = Math.floor(value / 256 ** i) & 0xff;
      this.configKnown[offset + i] = 1;
      if (offset + i < 6) this.mac[offset + i] = this.config[offset + i] ?? 0;
    }
    if (this.knows(CONFIG.mac, 6)) this.macKnown = true;
    for (const hook of this.#lists.onConfigRead) hook(offset, width, value);
  }

  #available(queue: ObservedQueue, chain: Chain): void {
    const { index } = queue;
    if (this.isControl(index)) {
      if (chain.readableBytes < 2 || chain.writableBytes < 1) this.device.misuse(TOO_SHORT);
      if (this.#lists.onCommanding.length === 0) return;
      this.#readCommand(chain, false);
      for (const hook of this.#lists.onCommanding) hook(this.#command, chain);
    } else if (this.isReceive(index)) this.#post(queue, chain);
    else this.#sending(index, chain);
  }

  #post(queue: ObservedQueue, chain: Chain): void {
    const { index } = queue;
    const bytes = chain.writableBytes;
    if (bytes < this.headerBytes) this.device.misuse(TOO_SHORT);
    this.#postedBytes.set(index, (this.#postedBytes.get(index) ?? 0) + bytes);
    this.#posted.set(index, (this.#posted.get(index) ?? 0) + 1);
    this.#smallest.set(index, Math.min(this.#smallest.get(index) ?? bytes, bytes));
    for (const hook of this.#lists.onPosted) hook(queue, chain);
  }

  #sending(index: number, chain: Chain): void {
    for (const hook of this.#lists.onOffer) hook(chain, index);
    if (chain.readableBytes <= this.headerBytes) this.device.misuse(TOO_SHORT);
    if (this.#lists.onSending.length === 0 || chain.requestKnown < this.headerBytes) return;
    this.#readSent(index, chain);
    for (const hook of this.#lists.onSending) hook(this.#sent, chain);
  }

  #readSent(index: number, chain: Chain): void {
    const packet = this.#sent;
    packet.begin(index, this.headerBytes, this.little);
    packet.append(chain.request, Math.min(chain.requestKnown, chain.readableBytes));
    packet.whole = chain.requestKnown >= chain.readableBytes;
    packet.told = chain.readableBytes - this.headerBytes;
    packet.finish();
  }

  #used(queue: ObservedQueue, chain: Chain): void {
    const { index } = queue;
    if (this.isControl(index)) {
      this.#readCommand(chain, true);
      for (const hook of this.#lists.onCommand) hook(this.#command);
      if (this.#command.ack === 0) this.#obey(this.#command);
    } else if (this.isReceive(index)) this.#receive(queue, chain);
    else if (chain.requestKnown >= this.headerBytes) {
      this.#readSent(index, chain);
      for (const hook of this.#lists.onSent) hook(this.#sent, chain);
      this.outFrames = 0;
      if (isBad(this.#sent)) this.sentBad = true;
    }
  }

  #readCommand(chain: Chain, answered: boolean): void {
    const command = this.#command;
    command.kind = chain.requestKnown > 0 ? (chain.request[0] ?? 0) : -1;
    command.command = chain.request[1] ?? 0;
    command.argument = chain.request;
    command.argumentBytes = Math.max(0, chain.readableBytes - 2);
    command.known = chain.requestKnown >= chain.readableBytes;
    command.little = this.little;
    command.chain = chain;
    command.resultBytes = answered ? Math.max(0, chain.responseEnd - 1) : 0;
    command.result = chain.response;
    command.ack = answered && chain.responseEnd > 0 ? (chain.response[0] ?? -1) : -1;
  }

  // --- Receiving ------------------------------------------------------------------------------------------------

  #receive(queue: ObservedQueue, chain: Chain): void {
    const { index } = queue;
    this.#postedBytes.set(index, (this.#postedBytes.get(index) ?? 0) - chain.writableBytes);
    this.#posted.set(index, (this.#posted.get(index) ?? 0) - 1);
    // A used buffer of nothing is one that a device gives back unused.
    if (chain.usedLength === 0) return;
    const packet = this.#received;
    if (this.#missing === 0) {
      packet.begin(index, this.headerBytes, this.little);
      this.#firstUsedAt = chain.usedAt;
    } else if (this.#lastRoom !== 0) packet.filled = false;
    packet.append(chain.response, Math.min(chain.usedLength, chain.responseEnd));
    packet.hole += chain.usedLength - chain.responseWritten;
    packet.whole = packet.hole === 0;
    if (chain.usedAt !== this.#firstUsedAt || index !== packet.queue) packet.together = false;
    this.#lastRoom = chain.writableBytes - chain.usedLength;
    if (this.#missing === 0) this.#missing = this.has(F.MRG_RXBUF) ? Math.max(1, packet.numBuffers) : 1;
    if (--this.#missing > 0) return;
    packet.finish();
    this.#match(packet);
    for (const hook of this.#lists.onReceived) hook(packet);
  }

  #finishReceived(): void {
    if (this.#missing === 0) return;
    this.#missing = 0;
    this.#received.finish();
    for (const hook of this.#lists.onUnfinished) hook(this.#received);
  }

  #handedOut(bytes: Uint8Array, from: number, length: number): void {
    const header = this.hostHeader ? Math.min(this.headerBytes, length) : 0;
    this.handsOut = true;
    this.outFrames++;
    this.#longest = Math.max(this.#longest, length - header);
    if (this.#outBytes.length < length) this.#outBytes = new Uint8Array(2 * length);
    this.#outBytes.set(bytes.subarray(from + header, from + length));
    this.out.read(this.#outBytes, 0, length - header);
    for (const hook of this.#lists.onHandedOut) hook(this.out);
  }

  #arrives(bytes: Uint8Array, from: number, length: number): void {
    const header = this.hostHeader ? HOST_HEADER_BYTES : 0;
    if (length < header) return;
    this.#host.read(bytes, from + header, from + length);
    for (const hook of this.#lists.onArrived) hook(this.#host);
    this.#isWaiting = false;
    this.#longest = Math.max(this.#longest, this.#host.length);
    this.#arrivedLength = Math.min(this.#host.length, ARRIVED_MAX);
    this.#arrived.set(bytes.subarray(from + header, from + header + this.#arrivedLength));
    this.#waiting.read(this.#arrived, 0, this.#arrivedLength);
    if (this.#host.length < 14 || this.#host.length > ARRIVED_MAX) return;
    // What the host's end may still change is not looked for.
    for (let i = 0; i < header; i++) if (bytes[from + i] !== 0) return;
    if (!this.device.running || !this.linkUp || !this.hasRoom(this.#longest)) return;
    this.#isWaiting = true;
    this.#deliveredBy = -1;
  }

  /** How a packet begins as the frame that came in last does: all of it, its first part, or another frame. */
  comparesToArrived(packet: NetFrame): 'same' | 'part' | 'other' {
    if (this.#arrivedLength === 0 || packet.length > this.#arrivedLength) return 'other';
    for (let i = 0; i < packet.length; i++) if (packet.byte(i) !== this.#waiting.byte(i)) return 'other';
    return packet.length === this.#arrivedLength ? 'same' : 'part';
  }

  #match(packet: NetPacket): void {
    if (this.#isWaiting && this.comparesToArrived(packet) === 'same') this.#deliveredBy = packet.pair;
  }

  #settle(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    for (const hook of this.#lists.onSettled) hook(this.#waiting, this.#deliveredBy);
  }

  // --- What commands change -------------------------------------------------------------------------------------

  #obey(command: NetCommand): void {
    if (command.is(CLASS.RX) && command.command < MODES)
      this.modes[command.command] = command.byte(0) === 0 ? 0 : 1;
    else if (command.is(CLASS.MAC, 0)) this.#setTable(command);
    else if (command.is(CLASS.MAC, 1)) {
      for (let i = 0; i < 6; i++) this.mac[i] = command.byte(i);
      this.macKnown = true;
    } else if (command.is(CLASS.VLAN)) this.vlans[command.half(0) % VLANS] = command.command === 0 ? 1 : 0;
    else if (command.is(CLASS.MQ, 0)) {
      this.pairs = command.half(0);
      this.pairsSet = true;
      this.hashing = false;
      this.steering = false;
    } else if (command.is(CLASS.MQ)) this.#setHash(command);
  }

  #setTable(command: NetCommand): void {
    const unicast = command.word(0);
    const second = 4 + 6 * unicast;
    const multicast = command.word(second);
    this.tableEntries = 0;
    this.tableOverflowed = unicast + multicast > TABLE_SURE || !command.known;
    if (this.tableOverflowed) return;
    for (let i = 0; i < 6 * unicast; i++) this.table[i] = command.byte(4 + i);
    for (let i = 0; i < 6 * multicast; i++) this.table[6 * unicast + i] = command.byte(second + 4 + i);
    this.tableEntries = unicast + multicast;
  }

  #setHash(command: NetCommand): void {
    const steering = command.command === 1;
    const entries = steering ? command.half(4) + 1 : 1;
    const end = 8 + 2 * entries;
    const keyBytes = command.byte(end + 2);
    this.hashTypes = command.word(0);
    this.unclassified = steering ? command.half(6) : 0;
    this.indirection = Array.from({ length: entries }, (_, i) => command.half(8 + 2 * i));
    this.key = Uint8Array.from({ length: keyBytes }, (_, i) => command.byte(end + 3 + i));
    this.hashing = keyBytes > 0;
    this.steering = steering && keyBytes > 0;
    if (!steering) return;
    this.pairs = command.half(end);
    this.pairsSet = true;
  }
}

/** After this what a network device does is its own to choose. */
const TOO_SHORT = 'a buffer of a network device has no room for what must be in it';
/** Host input from here on is an operator's order to the network end at the port so much lower. */
const ORDER_PORTS = 0x100;
const HOST_HEADER_BYTES = 10;
/** Entries that every device takes: QEMU has room for 64. */
const TABLE_SURE = 64;

/** Neither complete nor rightly left open. */
function isBad(packet: NetPacket): boolean {
  if (!packet.has(NEEDS_CSUM))
    return packet.complete(packet.outer) === false || !packet.networkComplete(packet.outer);
  return !isOpen(packet);
}

/** Whether the transport checksum is left open as it should be: the place is right, and holds the pseudo-header's sum. */
function isOpen(packet: NetPacket): boolean {
  const { segmented } = packet;
  const at = packet.checksumAt(segmented);
  if (at < 0 || packet.csumStart !== segmented.transport || packet.csumStart + packet.csumOffset !== at)
    return false;
  return (
    packet.checksumInside &&
    packet.short(at) === packet.pseudo(segmented, segmented.end - segmented.transport)
  );
}

function isTo(frame: NetFrame, addresses: Uint8Array, at: number): boolean {
  for (let i = 0; i < 6; i++) if (frame.byte(i) !== addresses[at + i]) return false;
  return true;
}
