import { MSR_LE, MSR_ME, MSR_SF } from '../papr/abi.ts';
import {
  VIRTIO_CONFIG_S_ACKNOWLEDGE,
  VIRTIO_CONFIG_S_DRIVER,
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FAILED,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_CONFIG_S_NEEDS_RESET,
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_NOTIFICATION_DATA,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_VERSION_1,
  VIRTIO_MSI_NO_VECTOR,
  VIRTIO_PCI_ISR_QUEUE,
  VIRTIO_PCI_VENDOR,
} from '../virtio/abi.ts';
import { PCI_INTERRUPT_PIN, PCI_SUBSYSTEM_ID, PCI_VENDOR_ID } from '../pci/abi.ts';
import { DESC_BYTES, RING_SIZE_MAX } from './abi.ts';
import { Arena } from './arena.ts';
import { DeviceAccess, GuestCalls } from './calls.ts';
import {
  DefaultWindowMapper,
  DirectWindowMapper,
  FirmwareMapper,
  MAPPING_FAILED,
  PhysicalMapper,
  type DmaMapper,
} from './dma-map.ts';
import { Firmware } from './firmware.ts';
import { Interrupts } from './interrupts.ts';
import { LegacyTransport } from './legacy-driver.ts';
import { ModernTransport } from './modern-driver.ts';
import { packedLayout, PackedRing } from './packed-ring.ts';
import type { GuestFunction } from './pci.ts';
import type { GuestPlatform } from './platform.ts';
import type { GuestProfile, TransportName } from './profiles.ts';
import { BalloonRequests } from './balloon-requests.ts';
import { ConsoleRequests } from './console-requests.ts';
import {
  announce,
  BlkRequests,
  NetRequests,
  NO_QUEUE,
  RngRequests,
  type DeviceRequests,
  type RequestHost,
} from './request.ts';
import {
  CHAIN_MAX,
  RING_BROKEN,
  RING_EMPTY,
  ringLayout,
  SplitRing,
  type DriverRing,
  type RingFault,
} from './rings.ts';
import { ScsiRequests } from './scsi-requests.ts';
import type { DriverTransport } from './transport.ts';

/** Why a driver gave up, in the words of Linux where it has any. */
export type GaveUp =
  | ''
  /** Nothing is printed: no driver is bound, and what depends on the device is simply not there. */
  | 'no device that this guest knows'
  | 'virtio_pci: expected ABI version 0'
  | 'virtio_pci: leaving for legacy driver'
  | 'virtio_pci: missing capabilities'
  | 'virtio: device uses modern interface but does not have VIRTIO_F_VERSION_1'
  | 'virtio: device refuses features'
  | 'device does not reset'
  | 'bad virtqueue length'
  | 'bad notification offset'
  | 'no queue'
  | 'no I/O BAR'
  | 'the rings could not be mapped'
  | 'a request could not be published'
  | 'no answer'
  | 'no interrupt'
  | 'device needs reset'
  | RingFault;

/** What became of one life of a driver. The driver keeps one and fills it anew each time. */
export class GuestOutcome {
  /** A function was bound. */
  found = false;
  transport: TransportName | undefined;
  devfn = 0;
  /** Accepted feature words. */
  featuresLow = 0;
  featuresHigh = 0;
  /** Status byte when last read. */
  status = 0;
  gaveUp: GaveUp = '';
  /** The driver went through its whole set-up. */
  started = false;
  completed = 0;
  /** Every completed request moved the right data. */
  dataCorrect = false;
  interrupts = 0;
  notifications = 0;
  /** Requests were answered by MSI-X messages rather than INTx. */
  msix = false;

  get features(): bigint {
    return (BigInt(this.featuresHigh >>> 0) << 32n) | BigInt(this.featuresLow >>> 0);
  }

  clear(): void {
    this.found = false;
    this.transport = undefined;
    this.devfn = 0;
    this.featuresLow = 0;
    this.featuresHigh = 0;
    this.status = 0;
    this.gaveUp = '';
    this.started = false;
    this.completed = 0;
    this.dataCorrect = false;
    this.interrupts = 0;
    this.notifications = 0;
    this.msix = false;
  }
}

export interface DriverOptions {
  readonly profile: GuestProfile;
  /** Requests of a whole life; 8 unless told. */
  readonly requests?: number;
  /** Requests in flight, 1 or 2; 1 unless told. */
  readonly depth?: number;
  /** Whether the other end of a network device sends frames back. */
  readonly loopback?: boolean;
  /** Feature bits of the ring and transport that it takes besides those of its profile. */
  readonly features?: readonly number[];
  /** Use INTx even where there is MSI-X (`pci=nomsi`). */
  readonly noMsi?: boolean;
  /** Clear the default DMA window when the host bridge is found, as a kernel does at boot: 512 calls for 1 GiB. */
  readonly clearWindow?: boolean;
  /** The function to drive; otherwise the first that the profile can bind. */
  readonly devfn?: number;
  /** Rings, tables and buffers each begin at a multiple of this: 64 KiB keeps them in frames of their own. */
  readonly leastAlign?: number;
}

const NO_FEATURES: readonly number[] = [];
/** Guest RAM that a driver uses, from here on. */
const GUEST_MEMORY = 0x40_0000;
const GUEST_MEMORY_BYTES = 0x40_0000;
const RTAS_BUFFER_BYTES = 128;
const TCE_LIST_BYTES = 4096;
const QUEUES_MAX = 6;
const INTERRUPTS_MAX = 64;

/**
 * A guest made of one virtio driver: it learns of its hardware from the device tree, finds its device, negotiates, sets
 * queues and mappings up, moves data and checks it, the way its profile's real systems do. All that it needs is made
 * once; lives follow one another without allocating.
 */
export class GuestDriver implements RequestHost {
  readonly platform: GuestPlatform;
  readonly outcome: GuestOutcome = new GuestOutcome();
  readonly firmware: Firmware;
  readonly arena: Arena;
  readonly calls: GuestCalls;
  readonly profile: GuestProfile;
  /** The rings in use, in the layout that was negotiated. */
  readonly rings: DriverRing[];
  readonly splitRings: readonly SplitRing[];
  /** The function in use, once `probe` has bound one. */
  device: GuestFunction | undefined;
  transport: DriverTransport;
  /** The request maker of the device in use. */
  requests: DeviceRequests;
  /** Where device addresses come from, once features are negotiated. */
  mapper: DmaMapper;
  little: boolean;
  modern = false;

  readonly #options: DriverOptions;
  readonly #makers: readonly DeviceRequests[];
  readonly #interrupts: Interrupts;
  readonly #modern: ModernTransport;
  readonly #legacy: LegacyTransport;
  readonly #physical: PhysicalMapper = new PhysicalMapper();
  readonly #translated: DmaMapper;
  readonly #window: DefaultWindowMapper | undefined;
  readonly #direct: DirectWindowMapper | undefined;
  /** Made when they are first negotiated. */
  readonly #packedRings: PackedRing[] = [];
  readonly #sources: Int32Array = new Int32Array(QUEUES_MAX + 1);
  readonly #ringLow: Float64Array = new Float64Array(QUEUES_MAX);
  readonly #ringBytes: Float64Array = new Float64Array(QUEUES_MAX);
  #vectors = 0;
  #step = 0;
  /** Buffers that came back, ever. */
  #collected = 0;

  constructor(platform: GuestPlatform, options: DriverOptions) {
    this.platform = platform;
    this.profile = options.profile;
    this.#options = options;
    const list = GUEST_MEMORY + RTAS_BUFFER_BYTES;
    const listPage = (list + TCE_LIST_BYTES - 1) & ~(TCE_LIST_BYTES - 1);
    this.calls = new GuestCalls(platform, GUEST_MEMORY);
    this.arena = new Arena(
      platform,
      listPage + TCE_LIST_BYTES,
      GUEST_MEMORY + GUEST_MEMORY_BYTES,
      options.leastAlign,
    );
    this.firmware = new Firmware(this.calls);
    const access = new DeviceAccess(this.calls, options.profile.registersByHypercall);
    this.#modern = new ModernTransport(access, { deviceConfig: options.profile.needsDeviceConfig });
    this.#legacy = new LegacyTransport(access);
    this.#interrupts = new Interrupts(this.calls, this.firmware.hardware);
    this.#makers = makersFor(options);
    this.splitRings = Array.from({ length: QUEUES_MAX }, () => new SplitRing(platform));
    this.rings = [...this.splitRings];
    this.little = options.profile.byteOrder === 'little';
    const mappers = mappersFor(this.calls, this.firmware, options.profile, listPage);
    this.#window = mappers.window;
    this.#direct = mappers.direct;
    this.#translated = mappers.translated;
    this.mapper = this.#physical;
    this.transport = this.#legacy;
    this.requests = this.#makers[0] ?? this.#noMaker();
  }

  #noMaker(): never {
    throw new Error('there is a request maker for every device type');
  }

  get saysPlace(): boolean {
    return this.#accepted(VIRTIO_F_NOTIFICATION_DATA);
  }

  get featuresLow(): number {
    return this.outcome.featuresLow;
  }

  /** What firmware does with a fresh machine. Its result holds for every snapshot taken later. */
  boot(): void {
    this.platform.setCpu(0, MSR_SF | MSR_ME);
    this.firmware.boot();
  }

  /** A whole life on a machine that firmware has set up: found, negotiated, set up, used, stopped. */
  live(): GuestOutcome {
    if (this.probe() && this.start()) {
      this.run(this.#options.requests ?? 8);
      this.stop();
    }
    return this.outcome;
  }

  /** Forgets the last life; the machine is as firmware left it. Finds a device and binds a transport to it. */
  probe(): boolean {
    const { outcome } = this;
    outcome.clear();
    this.arena.reset();
    this.#translated.reset();
    this.#vectors = 0;
    this.#step = 0;
    const order = this.profile.byteOrder === 'little' ? MSR_LE : 0n;
    this.platform.setCpu(0, MSR_SF | MSR_ME | order);
    if (this.#options.clearWindow === true) this.#window?.clearWindow();
    outcome.gaveUp = 'no device that this guest knows';
    for (const found of this.firmware.functions) {
      if (this.#options.devfn !== undefined && found.devfn !== this.#options.devfn) continue;
      if (!this.#identify(found)) continue;
      if (this.#bind(found)) return true;
    }
    return false;
  }

  #identify(found: GuestFunction): boolean {
    const ids = found.read(PCI_VENDOR_ID, 4);
    found.vendor = ids & 0xffff;
    found.device = ids >>> 16;
    if (found.vendor !== VIRTIO_PCI_VENDOR) return false;
    const type = found.device < 0x1040 ? found.read(PCI_SUBSYSTEM_ID, 2) : found.device - 0x1040;
    for (const maker of this.#makers) {
      if (maker.virtioId !== type) continue;
      this.requests = maker;
      return true;
    }
    return false;
  }

  #bind(found: GuestFunction): boolean {
    const { outcome } = this;
    found.walkCapabilities();
    for (const name of this.profile.transports) {
      const transport = name === 'modern' ? this.#modern : this.#legacy;
      const result = transport.probe(found);
      if (result === 'bound') {
        this.device = found;
        this.transport = transport;
        outcome.found = true;
        outcome.devfn = found.devfn;
        outcome.transport = name;
        outcome.gaveUp = '';
        return true;
      }
      if (result === 'ENODEV-ABI') outcome.gaveUp = 'virtio_pci: expected ABI version 0';
      if (result === 'ENODEV-COMMON') outcome.gaveUp = 'virtio_pci: leaving for legacy driver';
      if (result === 'EINVAL') outcome.gaveUp = 'virtio_pci: missing capabilities';
      if (result === 'ENOMEM') outcome.gaveUp = 'no I/O BAR';
      if (result === 'EINVAL' || result === 'ENOMEM') return false;
    }
    return false;
  }

  /** From reset to DRIVER_OK. False if the driver gave up; then the device has been told. */
  start(): boolean {
    const { transport, outcome } = this;
    // Drivers set their DMA mask when they are bound, and that makes the window, used or not.
    this.#direct?.enable();
    if (!transport.reset()) {
      outcome.gaveUp = 'device does not reset';
      this.#fail();
      return false;
    }
    transport.setStatus(VIRTIO_CONFIG_S_ACKNOWLEDGE);
    transport.setStatus(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    const done = this.negotiate() && this.setUpQueues();
    if (!done) {
      this.#fail();
      return false;
    }
    transport.setStatus(transport.status() | VIRTIO_CONFIG_S_DRIVER_OK);
    outcome.status = transport.status();
    outcome.started = true;
    this.requests.begin(this);
    return true;
  }

  #fail(): void {
    this.transport.setStatus(this.transport.status() | VIRTIO_CONFIG_S_FAILED);
    this.outcome.status = this.transport.status();
  }

  /** Reads what is offered, accepts what the profile knows, and, on the modern interface, has it confirmed. */
  negotiate(): boolean {
    const { transport, outcome, profile } = this;
    const offeredLow = transport.deviceFeatures(0);
    const offeredHigh = transport.legacy ? 0 : transport.deviceFeatures(1);
    let low =
      profile.deviceFeatures === 'kernel' ? this.requests.kernelFeatures : this.requests.firmwareFeatures;
    let high = 0;
    for (const bits of [profile.transportFeatures, this.#options.features ?? NO_FEATURES]) {
      for (const bit of bits) {
        if (bit < 32) low |= 1 << bit;
        else high |= 1 << (bit - 32);
      }
    }
    outcome.featuresLow = (offeredLow & low) >>> 0;
    outcome.featuresHigh = (offeredHigh & high) >>> 0;
    if (!transport.legacy && !this.#accepted(VIRTIO_F_VERSION_1)) {
      outcome.gaveUp = 'virtio: device uses modern interface but does not have VIRTIO_F_VERSION_1';
      return false;
    }
    transport.acceptFeatures(0, outcome.featuresLow);
    if (!transport.legacy) transport.acceptFeatures(1, outcome.featuresHigh);
    this.modern = this.#accepted(VIRTIO_F_VERSION_1);
    this.little = this.modern || profile.byteOrder === 'little';
    this.mapper = this.#accepted(VIRTIO_F_ACCESS_PLATFORM) ? this.#translated : this.#physical;
    return !this.modern || this.#featuresOk();
  }

  #featuresOk(): boolean {
    const { transport, outcome } = this;
    transport.setStatus(transport.status() | VIRTIO_CONFIG_S_FEATURES_OK);
    if ((transport.status() & VIRTIO_CONFIG_S_FEATURES_OK) !== 0) return true;
    outcome.gaveUp = 'virtio: device refuses features';
    return false;
  }

  #accepted(bit: number): boolean {
    const { featuresLow, featuresHigh } = this.outcome;
    return bit < 32 ? ((featuresLow >>> bit) & 1) === 1 : ((featuresHigh >>> (bit - 32)) & 1) === 1;
  }

  /** Interrupts, then every queue that the requests use. */
  setUpQueues(): boolean {
    const { profile, requests } = this;
    if (profile.completion === 'interrupt') this.#setUpInterrupts();
    for (let queue = 0; queue < requests.queues; queue++) if (!this.setUpQueue(queue)) return false;
    return true;
  }

  /** Asks for a vector for configuration changes and one for each queue; INTx if that is not to be had. */
  #setUpInterrupts(): void {
    const { device, requests, transport, outcome } = this;
    if (device === undefined) return;
    this.#interrupts.open();
    outcome.msix = false;
    const wanted = requests.queues + 1;
    if (this.#options.noMsi !== true && device.msixTableSize() >= wanted) {
      outcome.msix = device.bus.changeMsix(device.devfn, wanted) === wanted;
    }
    if (outcome.msix && this.#useMsix(wanted)) return;
    outcome.msix = false;
    transport.msixEnabled(false);
    const pin = device.read(PCI_INTERRUPT_PIN, 1);
    const source = device.bus.bridge.intx[4 * (device.devfn >> 3) + pin - 1] ?? -1;
    this.#sources[0] = source;
    this.#vectors = 1;
    this.#interrupts.unmask(source);
  }

  /** Routes the vectors that were given. False if the device takes none: they are given back, as Linux does upon -EBUSY. */
  #useMsix(wanted: number): boolean {
    const { device, transport } = this;
    if (device === undefined) return false;
    transport.msixEnabled(true);
    this.#vectors = wanted;
    for (let vector = 0; vector < wanted; vector++) {
      const source = device.bus.interruptSource(device.devfn, vector);
      this.#sources[vector] = source;
      this.#interrupts.unmask(source);
    }
    device.setMsixEnabled(true);
    if (transport.setConfigVector(0) !== VIRTIO_MSI_NO_VECTOR) return true;
    for (let vector = 0; vector < wanted; vector++) this.#interrupts.mask(this.#sources[vector] ?? 0);
    device.setMsixEnabled(false);
    device.bus.changeMsix(device.devfn, 0);
    return false;
  }

  /** Lays a ring out and gives it to the device. */
  setUpQueue(queue: number): boolean {
    const { transport, outcome, arena, mapper } = this;
    const packed = this.#accepted(VIRTIO_F_RING_PACKED);
    const ring = this.#chooseRing(queue, packed);
    const size = transport.queueSize(queue);
    if (ring === undefined || size === 0 || size > RING_SIZE_MAX) {
      outcome.gaveUp = 'no queue';
      return false;
    }
    // A split ring's slots are counted modulo 2^16 (vring_create_virtqueue refuses the same).
    if (!packed && (size & (size - 1)) !== 0) {
      outcome.gaveUp = 'bad virtqueue length';
      return false;
    }
    const layout = packed ? packedLayout(size) : ringLayout(size);
    const base = arena.takeZeroed(layout.bytes, 4096);
    const indirect = this.#accepted(VIRTIO_F_RING_INDIRECT_DESC);
    const tables = indirect ? arena.take(size * CHAIN_MAX * DESC_BYTES, CHAIN_MAX * DESC_BYTES) : 0;
    ring.writer.place(size, base, base + layout.avail, base + layout.used, this.little);
    const low = mapper.mapCoherent(base, layout.bytes);
    if (low === MAPPING_FAILED) {
      outcome.gaveUp = 'the rings could not be mapped';
      return false;
    }
    this.#ringLow[queue] = low;
    this.#ringBytes[queue] = layout.bytes;
    ring.ignoresLengths = this.requests.ignoresLengths === true;
    ring.start(mapper, this.#accepted(VIRTIO_F_RING_EVENT_IDX), tables, this.#accepted(VIRTIO_F_IN_ORDER));
    if (this.profile.completion === 'polling') ring.disableInterrupts();
    if (!transport.setQueue(queue, ring.writer, mapper.high, low)) {
      outcome.gaveUp = 'bad notification offset';
      return false;
    }
    if (outcome.msix && transport.setQueueVector(queue, queue + 1) === VIRTIO_MSI_NO_VECTOR) {
      outcome.gaveUp = 'no queue';
      return false;
    }
    transport.enableQueue(queue);
    return true;
  }

  #chooseRing(queue: number, packed: boolean): DriverRing | undefined {
    const split = this.splitRings[queue];
    if (split === undefined) return undefined;
    this.rings[queue] = packed ? (this.#packedRings[queue] ??= new PackedRing(this.platform)) : split;
    return this.rings[queue];
  }

  /** Resets a queue that waits for nothing, and sets it up anew (2.6.1). Needs RING_RESET. */
  resetQueue(queue: number): boolean {
    if (!this.#accepted(VIRTIO_F_RING_RESET) || !this.transport.resetQueue(queue)) return false;
    this.rings[queue]?.abandon();
    this.mapper.unmap(this.#ringLow[queue] ?? 0, this.#ringBytes[queue] ?? 0);
    return this.setUpQueue(queue);
  }

  /** Requests one after another, or in pairs, until `count` have been answered or something is wrong. */
  run(count: number): boolean {
    const { requests, outcome } = this;
    const depth = this.#options.depth ?? 1;
    let done = true;
    for (let step = 0; done && step < count; step += depth) {
      for (let i = 0; done && i < depth && step + i < count; i++) done = this.submit();
      done &&= this.settle();
    }
    outcome.completed = requests.completed;
    outcome.dataCorrect = requests.completed > 0 && requests.correct;
    outcome.status = this.transport.status();
    if ((outcome.status & VIRTIO_CONFIG_S_NEEDS_RESET) !== 0) outcome.gaveUp = 'device needs reset';
    return done && outcome.dataCorrect;
  }

  /** Publishes the next request and notifies the device if it wants that. */
  submit(): boolean {
    const queue = this.requests.submit(this.#step++);
    if (queue === NO_QUEUE) {
      this.outcome.gaveUp = 'a request could not be published';
      return false;
    }
    if (announce(this, queue)) this.outcome.notifications++;
    return true;
  }

  /** Waits for everything outstanding. */
  settle(): boolean {
    const polling = this.profile.completion === 'polling';
    for (let idles = 0; this.requests.outstanding > 0; idles++) {
      const before = this.requests.outstanding;
      const collected = this.#collected;
      const interrupts = this.outcome.interrupts;
      this.platform.idle();
      const sound = polling ? this.poll() : this.onInterrupt();
      if (!sound) return false;
      // An answer may lead to the next request, as a console's do.
      const moved = this.requests.outstanding < before || this.#collected > collected;
      if (moved || (idles === 0 && !polling)) continue;
      const silent = !polling && this.outcome.interrupts === interrupts;
      this.outcome.gaveUp = silent ? 'no interrupt' : 'no answer';
      return false;
    }
    return true;
  }

  /** Looks at every used ring. False if one is broken. */
  poll(): boolean {
    for (let queue = 0; queue < this.requests.queues; queue++) if (!this.#drain(queue)) return false;
    return true;
  }

  /** Takes the interrupts that are pending, each to its end. False if a ring is broken. */
  onInterrupt(): boolean {
    for (let taken = 0; taken < INTERRUPTS_MAX; taken++) {
      const source = this.#interrupts.accept();
      if (source === 0) return true;
      const sound = this.#serve(source);
      this.#interrupts.end();
      if (!sound) return false;
    }
    return true;
  }

  #serve(source: number): boolean {
    const { outcome } = this;
    for (let vector = 0; vector < this.#vectors; vector++) {
      if (this.#sources[vector] !== source) continue;
      outcome.interrupts++;
      // Vector 0 of MSI-X tells of configuration changes, the queues' come after it.
      if (outcome.msix) return vector === 0 || this.#drainUntilQuiet(vector - 1);
      if ((this.transport.isr() & VIRTIO_PCI_ISR_QUEUE) === 0) return true;
      for (let queue = 0; queue < this.requests.queues; queue++)
        if (!this.#drainUntilQuiet(queue)) return false;
      return true;
    }
    return true;
  }

  /** As an interrupt handler does: callbacks off, take all, callbacks on, look once more. */
  #drainUntilQuiet(queue: number): boolean {
    const ring = this.rings[queue];
    if (ring === undefined) return true;
    do {
      ring.disableInterrupts();
      if (!this.#drain(queue)) return false;
    } while (!ring.enableInterrupts());
    return true;
  }

  #drain(queue: number): boolean {
    const ring = this.rings[queue];
    if (ring === undefined) return true;
    for (;;) {
      const head = ring.collect();
      if (head === RING_EMPTY) return true;
      if (head === RING_BROKEN) {
        this.outcome.gaveUp = ring.fault ?? '';
        return false;
      }
      this.#collected++;
      this.requests.collected(queue, head, ring.collectedLength);
    }
  }

  /** Resets the device, gives back interrupts and mappings. */
  stop(): void {
    const { device, transport, mapper } = this;
    transport.reset();
    for (let queue = 0; queue < this.requests.queues; queue++) {
      const ring = this.rings[queue];
      if (ring === undefined) continue;
      if (ring.inFlight > 0) ring.abandon();
      mapper.unmap(this.#ringLow[queue] ?? 0, this.#ringBytes[queue] ?? 0);
    }
    if (device === undefined || this.profile.completion === 'polling') return;
    for (let vector = 0; vector < this.#vectors; vector++) this.#interrupts.mask(this.#sources[vector] ?? 0);
    if (!this.outcome.msix) return;
    device.setMsixEnabled(false);
    transport.msixEnabled(false);
    device.bus.changeMsix(device.devfn, 0);
  }
}

/** One maker a device type. */
function makersFor(options: DriverOptions): readonly DeviceRequests[] {
  const net = new NetRequests();
  net.loopback = options.loopback === true;
  return [
    new RngRequests(),
    new BlkRequests(),
    net,
    new ConsoleRequests(),
    new BalloonRequests(),
    new ScsiRequests(),
  ];
}

interface Mappers {
  readonly window: DefaultWindowMapper | undefined;
  readonly direct: DirectWindowMapper | undefined;
  readonly translated: DmaMapper;
}

function mappersFor(calls: GuestCalls, firmware: Firmware, profile: GuestProfile, list: number): Mappers {
  const { hardware } = firmware;
  const bridge = hardware.bridges[0];
  if (bridge === undefined || profile.dma === 'physical') {
    return { window: undefined, direct: undefined, translated: new PhysicalMapper() };
  }
  if (profile.dma === 'firmware') {
    return { window: undefined, direct: undefined, translated: new FirmwareMapper(calls, bridge) };
  }
  const both = hardware.multiTce && profile.multiTce;
  const multi = both && profile.putsSingly === true ? 'stuff' : both;
  const window = new DefaultWindowMapper(calls, bridge, multi, list, profile.pageShift);
  if (profile.dma === 'default-window') return { window, direct: undefined, translated: window };
  const length = profile.dma === 'direct-window' ? 'memory' : 'lrdr';
  const direct = new DirectWindowMapper(calls, bridge, multi, list, window, length, hardware.hotplugTop);
  return { window, direct, translated: direct };
}
