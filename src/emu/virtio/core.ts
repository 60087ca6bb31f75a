import type { Diagnostics, Ending } from '../core/diagnostics.ts';
import type { EventQueue, HandlerId } from '../core/event-queue.ts';
import type { StateStream } from '../core/state.ts';
import { ticks } from '../core/time.ts';
import type { DmaSpace } from '../memory/dma-space.ts';
import {
  VIRTIO_CONFIG_S_ACKNOWLEDGE,
  VIRTIO_CONFIG_S_DRIVER,
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FAILED,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_CONFIG_S_NEEDS_RESET,
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_F_BAD_FEATURE,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_NOTIFY_ON_EMPTY,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
  VIRTIO_MSI_NO_VECTOR,
  VIRTIO_PCI_ISR_CONFIG,
  VIRTIO_PCI_ISR_QUEUE,
  VIRTIO_QUEUE_MAX,
} from './abi.ts';
import { QEMU_7_2, type Behaviour } from './behaviour.ts';
import type { ByteOrder, VirtioDevice, VirtioTransport } from './device.ts';
import { featureBit, hasFeature } from './features.ts';
import { NegotiatedQueue } from './negotiated-queue.ts';
import { RingState, type QueueHost, type Virtqueue } from './queue.ts';
import { VIRTQUEUE_MAX_SIZE, VRING_AVAIL_RING, VRING_DESC_BYTES, VRING_LEGACY_ALIGN } from './ring-abi.ts';

/** What every device needs of its machine. */
export interface CoreParts {
  readonly events: EventQueue;
  readonly diagnostics: Diagnostics;
  /** `use-started`: off on machines up to 4.0. */
  readonly useStarted: boolean;
  /**
   * `ioeventfd`: a kick after DRIVER_OK is served when the machine comes to it, and DRIVER_OK kicks every queue; off, a
   * kick is served inside the write.
   */
  readonly ioeventfd: boolean;
  /** Absent: that of QEMU 7.2. */
  readonly behaviour?: Behaviour;
}

/** What a driver may set of the status (2.1). */
const DRIVERS_STATUS: number =
  VIRTIO_CONFIG_S_ACKNOWLEDGE |
  VIRTIO_CONFIG_S_DRIVER |
  VIRTIO_CONFIG_S_DRIVER_OK |
  VIRTIO_CONFIG_S_FEATURES_OK |
  VIRTIO_CONFIG_S_FAILED;

const PROGRAM = 'qemu-system-ppc64: ';

/**
 * The part of a device that all types share: QEMU's VirtIODevice (hw/virtio/virtio.c). A type overrides the hooks at the
 * end; each is called where QEMU calls the class function of the same meaning.
 */
export abstract class VirtioCore implements VirtioDevice, QueueHost {
  abstract readonly virtioId: number;
  abstract readonly name: string;
  abstract readonly legacyFeatures: bigint;
  readonly badFeatures: bigint = 0n;

  hostFeatures = 0n;
  isr = 0;
  queueSelect = 0;
  disabled = false;

  // Derived from the features and the byte order, for the rings.
  littleEndian = false;
  eventIdx = false;
  notifyOnEmpty = false;
  indirect = false;
  packed = false;
  inOrder = false;
  version1 = false;

  readonly behaviour: Behaviour;
  protected readonly parts: CoreParts;
  /** Configuration space as the driver last left it; refreshed before every read. */
  protected readonly config: Uint8Array<ArrayBuffer>;
  #guestFeatures = 0n;
  /** The set written last had bits that are not offered. */
  #overreached = false;
  #status = 0;
  #generation = 0;
  #configVector: number = VIRTIO_MSI_NO_VECTOR;
  #broken = false;
  #started = false;
  #startOnKick = false;
  #faulting = false;
  #order: ByteOrder = 'big';
  #space: DmaSpace | undefined;
  #transport: VirtioTransport | undefined;
  readonly #rings: RingState[] = [];
  readonly #queues: Virtqueue[] = [];
  readonly #vectors: Uint16Array<ArrayBuffer> = new Uint16Array(VIRTIO_QUEUE_MAX).fill(VIRTIO_MSI_NO_VECTOR);
  /** No queue from here on ever had a vector: resets and snapshots go no further. */
  #vectorsTouched = 0;
  readonly #kicked: HandlerId;

  constructor(parts: CoreParts, configLength: number) {
    this.parts = parts;
    this.behaviour = parts.behaviour ?? QEMU_7_2;
    this.config = new Uint8Array(configLength);
    this.#kicked = parts.events.register((queue) => this.#serveKick(queue));
  }

  /** Connects the device: what it notifies, and how it reaches memory. Decided once, when the function is made. */
  plug(transport: VirtioTransport, space: DmaSpace): void {
    this.#transport = transport;
    this.#space = space;
  }

  // --- Identity and registers -----------------------------------------------------------------------------------

  get configLength(): number {
    return this.config.length;
  }

  get space(): DmaSpace {
    return this.#space as DmaSpace;
  }

  get guestFeatures(): bigint {
    return this.#guestFeatures;
  }

  get status(): number {
    return this.#status;
  }

  get generation(): number {
    return this.#generation;
  }

  get configVector(): number {
    return this.#configVector;
  }

  get broken(): boolean {
    return this.#broken;
  }

  get stopped(): boolean {
    return this.disabled || this.#broken;
  }

  get started(): boolean {
    return this.#started;
  }

  get startOnKick(): boolean {
    return this.#startOnKick;
  }

  get order(): ByteOrder {
    return this.#order;
  }

  setConfigVector(vector: number): void {
    this.#configVector = vector;
  }

  accepted(feature: number): boolean {
    return hasFeature(this.#guestFeatures, feature);
  }

  // --- Status, features, reset ----------------------------------------------------------------------------------

  setStatus(value: number): boolean {
    if (!this.behaviour.storesStatusAsWritten && value !== 0) value = (value & DRIVERS_STATUS) | this.#status;
    if (this.parts.ioeventfd && (value & VIRTIO_CONFIG_S_DRIVER_OK) === 0) this.#stopKicks();
    const claims = value & ~this.#status;
    const claimsFeatures = (claims & VIRTIO_CONFIG_S_FEATURES_OK) !== 0;
    if (this.behaviour.acceptsUnofferedFeatures) {
      if (this.version1 && claimsFeatures && !this.#acceptsPlatform()) return false;
    } else if (claimsFeatures && !this.#featuresAreValid()) value &= ~VIRTIO_CONFIG_S_FEATURES_OK;
    if (((value ^ this.#status) & VIRTIO_CONFIG_S_DRIVER_OK) !== 0) {
      this.#setStarted((value & VIRTIO_CONFIG_S_DRIVER_OK) !== 0);
    }
    this.statusChanging(value);
    this.#status = value;
    if (!this.behaviour.servesWithoutFeaturesOk && (claims & VIRTIO_CONFIG_S_DRIVER_OK) !== 0) {
      const modern = this.version1 || claimsFeatures;
      if (modern && (value & VIRTIO_CONFIG_S_FEATURES_OK) === 0) this.fail('DRIVER_OK without FEATURES_OK');
    }
    if (this.parts.ioeventfd && (value & VIRTIO_CONFIG_S_DRIVER_OK) !== 0) this.#startKicks();
    return true;
  }

  setFeatures(value: bigint): boolean {
    if ((this.#status & VIRTIO_CONFIG_S_FEATURES_OK) !== 0) return false;
    if (hasFeature(value, VIRTIO_F_BAD_FEATURE) && this.parts.diagnostics.listening) {
      const who = `guest driver for ${this.name}`;
      this.parts.diagnostics.say(`virtio_set_features: ${who} has enabled UNUSED(30) feature bit!`);
    }
    const unoffered = (value & ~this.hostFeatures) !== 0n;
    this.#overreached = unoffered;
    this.#takeFeatures(value);
    if (this.eventIdx) {
      // The event words make two of the areas longer.
      for (const queue of this.#queues) if (queue.ring.size !== 0) queue.openRings();
    }
    const running = this.parts.useStarted ? this.#started : (this.#status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0;
    if (!unoffered && !running && !this.version1) this.#startOnKick = true;
    return true;
  }

  reset(order: ByteOrder): void {
    this.setStatus(0);
    this.#order = order;
    this.#deriveFlags();
    this.resetting();
    this.#startOnKick = false;
    this.#started = false;
    this.#broken = false;
    this.#overreached = false;
    this.#takeFeatures(0n);
    this.queueSelect = 0;
    this.#status = 0;
    if (this.behaviour.dropsDriverOkWithBusMaster) this.disabled = false;
    this.isr = 0;
    this.#configVector = VIRTIO_MSI_NO_VECTOR;
    // Whatever keeps the device silent otherwise: the line falls with the ISR.
    this.#transport?.notify(VIRTIO_MSI_NO_VECTOR);
    this.#vectors.fill(VIRTIO_MSI_NO_VECTOR, 0, this.#vectorsTouched);
    this.#vectorsTouched = 0;
    for (const ring of this.#rings) ring.reset();
  }

  /** `virtio_error`. */
  fail(text: string): void {
    if (this.parts.diagnostics.listening) this.parts.diagnostics.say(PROGRAM + text);
    if (this.version1 || !this.behaviour.hidesErrorsFromLegacy) {
      this.#status |= VIRTIO_CONFIG_S_NEEDS_RESET;
      this.notifyConfig();
    }
    this.#broken = true;
  }

  /** One of the device's accesses to memory found nothing there, or no permission. */
  dmaFaulted(): void {
    // The notification of the error may be such an access itself.
    if (this.behaviour.hidesDmaFaults || this.#broken || this.#faulting) return;
    this.#faulting = true;
    this.fail('an access to memory was not answered');
    this.#faulting = false;
  }

  /**
   * Where QEMU would abort on an assertion, or never return: the device breaks instead, as `virtio_error` breaks it, and
   * the machine is told. A reset mends it. Under the specification's rules all this is an error like any other.
   */
  end(how: Ending, why: string): void {
    if (this.behaviour.diesOfRequests) this.parts.diagnostics.ended(how, why);
    if (how === 'abort' || !this.behaviour.diesOfRequests) this.fail(why);
    else this.#broken = true;
  }

  // --- Queues ---------------------------------------------------------------------------------------------------

  get queueCount(): number {
    // QEMU counts to the first queue without a size.
    return this.#rings.length;
  }

  queueSize(queue: number): number {
    return this.#rings[queue]?.size ?? 0;
  }

  queueDefaultSize(queue: number): number {
    return this.#rings[queue]?.defaultSize ?? 0;
  }

  setQueueSize(queue: number, size: number): void {
    const ring = this.#rings[queue];
    if (ring === undefined || size < 1 || size > VIRTQUEUE_MAX_SIZE) return;
    if (this.behaviour.takesAnyQueueSize || this.#isLawfulSize(ring, size)) ring.size = size;
  }

  queueVector(queue: number): number {
    return this.#vectors[queue] ?? VIRTIO_MSI_NO_VECTOR;
  }

  setQueueVector(queue: number, vector: number): void {
    if (queue >= VIRTIO_QUEUE_MAX) return;
    if (queue >= this.#vectorsTouched) this.#vectorsTouched = queue + 1;
    this.#vectors[queue] = vector;
  }

  queueFrame(queue: number): number {
    const ring = this.#rings[queue];
    if (ring === undefined) return 0;
    const { high, low } = ring.descriptors;
    return ((low >>> 12) | (high << 20)) >>> 0;
  }

  setQueueFrame(queue: number, frame: number): void {
    const ring = this.#rings[queue];
    if (ring === undefined) return;
    const descriptors = frame * VRING_LEGACY_ALIGN;
    ring.descriptors.setNumber(descriptors);
    if (descriptors === 0) return;
    const driver = descriptors + VRING_DESC_BYTES * ring.size;
    ring.driver.setNumber(driver);
    const end = driver + VRING_AVAIL_RING + 2 * ring.size;
    ring.device.setNumber(Math.ceil(end / VRING_LEGACY_ALIGN) * VRING_LEGACY_ALIGN);
    this.queue(queue)?.openRings();
  }

  setQueueRings(queue: number, descriptors: bigint, driver: bigint, device: bigint): void {
    const ring = this.#rings[queue];
    if (ring === undefined) return;
    ring.descriptors.set(descriptors);
    ring.driver.set(driver);
    ring.device.set(device);
    for (const area of [ring.descriptors, ring.driver, ring.device])
      area.given = !this.behaviour.takesZeroForUnset;
    this.queue(queue)?.openRings();
  }

  resetQueue(queue: number): void {
    const ring = this.#rings[queue];
    if (ring !== undefined) {
      this.queueResetting(queue);
      ring.reset();
    }
    this.setQueueVector(queue, VIRTIO_MSI_NO_VECTOR);
  }

  notifyQueue(queue: number, doorbell = true): void {
    const ring = this.#rings[queue];
    if (ring === undefined || ring.descriptors.isZero || this.#broken) return;
    if (!this.behaviour.servesBeforeDriverOk && this.version1 && !this.#driverOk()) return;
    if (!this.behaviour.dropsDriverOkWithBusMaster && this.disabled) return;
    // virtio_pci_ioeventfd_assign
    const later = doorbell && this.parts.ioeventfd && (this.#status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0;
    if (later) this.#scheduleKick(queue);
    else this.#serve(queue);
  }

  /** The queue in the layout that was negotiated. */
  queue(index: number): Virtqueue | undefined {
    return this.#queues[index];
  }

  /** What the system or the bus maps has changed: every ring is found anew (virtio_memory_listener_commit). */
  memoryChanged(): void {
    for (const queue of this.#queues) queue.openRings();
  }

  // --- Device configuration -------------------------------------------------------------------------------------

  legacyConfigRead(offset: number, width: 1 | 2 | 4): number {
    return this.#readConfig(offset, width, this.#swapsConfig);
  }

  legacyConfigWrite(offset: number, width: 1 | 2 | 4, value: number): void {
    this.#writeConfig(offset, width, value, this.#swapsConfig);
  }

  configRead(offset: number, width: 1 | 2 | 4): number {
    return this.#readConfig(offset, width, false);
  }

  configWrite(offset: number, width: 1 | 2 | 4, value: number): void {
    this.#writeConfig(offset, width, value, false);
  }

  // --- For the device types -------------------------------------------------------------------------------------

  protected addQueue(size: number): Virtqueue {
    const ring = new RingState(this.#rings.length, size);
    const queue = new NegotiatedQueue(ring, this);
    this.#rings.push(ring);
    this.#queues.push(queue);
    return queue;
  }

  /** Takes the last queue away (net drops queue pairs that were not accepted). */
  protected removeQueue(): void {
    this.#rings.pop();
    this.#queues.pop();
  }

  /** `virtio_notify`: signals used buffers if the driver wants to know. */
  protected notifyUsed(queue: Virtqueue): void {
    if (!queue.shouldNotify()) return;
    this.isr |= VIRTIO_PCI_ISR_QUEUE;
    this.notifyVector(this.queueVector(queue.ring.index));
  }

  /** `virtio_notify_config`. */
  protected notifyConfig(): void {
    if ((this.#status & VIRTIO_CONFIG_S_DRIVER_OK) === 0) return;
    this.isr |= VIRTIO_PCI_ISR_QUEUE | VIRTIO_PCI_ISR_CONFIG;
    this.#generation = (this.#generation + 1) & 0xff;
    this.notifyVector(this.#configVector);
  }

  protected notifyVector(vector: number): void {
    if (!this.stopped) this.#transport?.notify(vector);
  }

  /**
   * Whether a service loop goes round once more. QEMU asks only whether the queue is empty, and a packed queue is not
   * while its head is a request that cannot be taken: that loop has no end, and with it the main loop stands still.
   */
  protected goesOn(queue: Virtqueue): boolean {
    if (queue.isEmpty()) return false;
    if (!this.stopped) return true;
    if (!this.behaviour.diesOfRequests) return false;
    this.end('hang', `${this.name} serves a queue that never becomes empty`);
    return false;
  }

  /** For hooks that must see the new status before the core stores it. */
  protected storeStatus(value: number): void {
    this.#status = value;
  }

  /** Whether every accepted bit has the bits with it that its type makes it need. */
  protected hasPrerequisites(_features: bigint): boolean {
    return true;
  }

  /** `get_features`: everything offered, given the transport's and the machine's bits. */
  abstract offer(features: bigint): bigint;
  /** `handle_output`: the driver kicked. */
  protected abstract service(queue: Virtqueue): void;
  /** `get_config`: bring `config` up to date. */
  protected refreshConfig(): void {}
  /** `set_config`: the driver wrote `config`. */
  protected configWritten(): void {}
  /** `set_features`, before the set is stored. */
  protected featuresChanging(_features: bigint): void {}
  /** `set_status`, before the value is stored. */
  protected statusChanging(_status: number): void {}
  /** `reset`, after status 0 and before anything else is cleared. */
  protected resetting(): void {}
  /** `queue_reset`. */
  protected queueResetting(_queue: number): void {}

  exchange(state: StateStream): void {
    this.hostFeatures = state.u64(this.hostFeatures);
    this.#guestFeatures = state.u64(this.#guestFeatures);
    this.#status = state.u8(this.#status);
    this.isr = state.u8(this.isr);
    this.queueSelect = state.u16(this.queueSelect);
    this.disabled = state.bool(this.disabled);
    this.#generation = state.u8(this.#generation);
    this.#configVector = state.u16(this.#configVector);
    this.#broken = state.bool(this.#broken);
    this.#started = state.bool(this.#started);
    this.#startOnKick = state.bool(this.#startOnKick);
    this.#overreached = state.bool(this.#overreached);
    this.#faulting = false;
    this.#order = state.bool(this.#order === 'big') ? 'big' : 'little';
    state.bytes(this.config);
    const count = state.u16(this.#rings.length);
    while (this.#rings.length > count) this.removeQueue();
    while (this.#rings.length < count) this.addQueue(0);
    for (let i = 0; i < count; i++) {
      this.#rings[i]?.exchange(state);
    }
    const touched = state.u16(this.#vectorsTouched);
    if (state.restoring) this.#vectors.fill(VIRTIO_MSI_NO_VECTOR, 0, this.#vectorsTouched);
    this.#vectorsTouched = touched;
    for (let i = 0; i < touched; i++) this.#vectors[i] = state.u16(this.#vectors[i] ?? 0);
    this.#deriveFlags();
  }

  // --- Inside ---------------------------------------------------------------------------------------------------

  /** What was written before the features were may turn out to be for a packed ring. */
  #isLawfulSize(ring: RingState, size: number): boolean {
    return size <= ring.defaultSize && (this.packed || (size & (size - 1)) === 0);
  }

  #driverOk(): boolean {
    return (this.#status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0;
  }

  #featuresAreValid(): boolean {
    if (this.#overreached || !this.version1 || !this.#acceptsPlatform()) return false;
    return this.hasPrerequisites(this.#guestFeatures);
  }

  #acceptsPlatform(): boolean {
    const platform = featureBit(VIRTIO_F_ACCESS_PLATFORM);
    return (this.hostFeatures & ~this.#guestFeatures & platform) === 0n;
  }

  #takeFeatures(value: bigint): void {
    const features = value & this.hostFeatures;
    this.featuresChanging(features);
    this.#guestFeatures = features;
    this.#deriveFlags();
  }

  #deriveFlags(): void {
    const features = this.#guestFeatures;
    this.version1 = hasFeature(features, VIRTIO_F_VERSION_1);
    this.eventIdx = hasFeature(features, VIRTIO_F_RING_EVENT_IDX);
    this.notifyOnEmpty = hasFeature(features, VIRTIO_F_NOTIFY_ON_EMPTY);
    this.indirect = hasFeature(features, VIRTIO_F_RING_INDIRECT_DESC);
    this.packed = hasFeature(features, VIRTIO_F_RING_PACKED);
    this.inOrder = hasFeature(features, VIRTIO_F_IN_ORDER);
    this.littleEndian = this.version1 || this.#order === 'little';
  }

  #setStarted(started: boolean): void {
    if (started) this.#startOnKick = false;
    if (this.parts.useStarted) this.#started = started;
  }

  #serve(queue: number): void {
    const target = this.queue(queue);
    if (target === undefined) return;
    this.service(target);
    if (this.#startOnKick) this.#setStarted(true);
  }

  #serveKick(queue: number): void {
    const ring = this.#rings[queue];
    if (ring === undefined || ring.descriptors.isZero || this.#broken) return;
    if (this.behaviour.dropsDriverOkWithBusMaster || !this.disabled) this.#serve(queue);
  }

  #scheduleKick(queue: number): void {
    const { events } = this.parts;
    if (!events.isScheduled(this.#kicked, queue)) events.schedule(ticks(0), this.#kicked, queue);
  }

  /** Requests made before DRIVER_OK are looked for at once. */
  #startKicks(): void {
    for (const ring of this.#rings) this.#scheduleKick(ring.index);
  }

  /** What was kicked before DRIVER_OK fell is still served. */
  #stopKicks(): void {
    const { events } = this.parts;
    for (const ring of this.#rings) {
      if (!events.isScheduled(this.#kicked, ring.index)) continue;
      events.cancel(this.#kicked, ring.index);
      this.#serveKick(ring.index);
    }
  }

  get #swapsConfig(): boolean {
    return this.littleEndian && this.behaviour.swapsLegacyConfig;
  }

  /** `reversed`: QEMU loads in its target's order, big, and swaps only for big-endian devices. */
  #readConfig(offset: number, width: 1 | 2 | 4, reversed: boolean): number {
    if (offset + width > this.config.length) return width === 4 ? 0xffffffff : width === 2 ? 0xffff : 0xff;
    this.refreshConfig();
    let value = 0;
    for (let i = 0; i < width; i++) {
      value = (value << 8) | (this.config[offset + (reversed ? i : width - 1 - i)] ?? 0);
    }
    return value >>> 0;
  }

  #writeConfig(offset: number, width: 1 | 2 | 4, value: number, reversed: boolean): void {
    if (offset + width > this.config.length) return;
    for (let i = 0; i < width; i++) {
      this.config[offset + (reversed ? width - 1 - i : i)] = (value >>> (8 * i)) & 0xff;
    }
    this.configWritten();
  }
}
