import type { Chain } from './chain.ts';
import { busAddress } from './host-windows.ts';
import { deviceAddress } from './device-address.ts';
import { DmaAccess, emptyLists, INTX, RegisterAccess, UNKNOWN_VECTOR } from './hooks.ts';
import type { HookLists, Region, RegisterHooks } from './hooks.ts';
import { ObservedQueue, type QueueOwner, type QueueSurroundings } from './observed-queue.ts';
import * as virtio from '../emu/virtio/abi.ts';
import * as pci from '../emu/pci/abi.ts';

const NOBODY: HookLists = emptyLists();
const NO_REGISTERS: RegisterHooks = { read: [], write: [] };
const NO_HOOKS: RegisterHooks['read'][number] = [];
const CONFIG_BYTES = 4096;
const QUEUES_MAX = 1024;
const TWO_32 = 2 ** 32;
const LEGACY_BYTES = 20;
const LEGACY_PAGE = 4096;
/** What a structure is taken to be as long as nobody read its length. */
const USUAL_LENGTH = 0x1000;
/** QEMU's BAR of I/O ports is this long with the largest device configuration that there is. */
const LEGACY_BAR_BYTES = 0x1000;
/** As much of a BAR as is taken for the function's own. */
const MODERN_BAR_BYTES = 0x4000;
/** The common configuration of VIRTIO 1.4. */
const COMMON_BYTES = 64;
/** Fields of device configuration are accessed by 8, 16 or 32 bits (4.1.3.1). */
const FIELD_MAX = 4;
const CAPABILITY_MAX = 48;
const SOURCES_MAX = 2048;
const MESSAGES_HIGH = 0x400;
const REGIONS: Readonly<Record<number, Region>> = {
  [virtio.VIRTIO_PCI_CAP_COMMON_CFG]: 'common',
  [virtio.VIRTIO_PCI_CAP_NOTIFY_CFG]: 'notify',
  [virtio.VIRTIO_PCI_CAP_ISR_CFG]: 'isr',
  [virtio.VIRTIO_PCI_CAP_DEVICE_CFG]: 'device',
};

/** A structure that a capability points to. `length` is -1 where it was not read. */
export interface StructureSeen {
  readonly region: Region;
  readonly bar: number;
  readonly offset: number;
  readonly length: number;
  /** notify_off_multiplier; -1 for other structures, and where it was not read. */
  readonly multiplier: number;
  /** Where the capability stands. */
  readonly at: number;
}

/**
 * One PCI function as the stream shows it: configuration space, registers, status, features, queues. What nobody read or
 * wrote is not known, and says so (-1, 0 with a mask, undefined).
 */
export class VirtioFunction implements QueueOwner {
  /** Requester id, bus << 8 | devfn. */
  readonly requester: number;
  readonly surroundings: QueueSurroundings;
  /** Of the checkers that watch it; nobody's until its type is known. */
  hooks: HookLists = NOBODY;
  /** Of checkers that want some registers of the common configuration only. */
  registerHooks: RegisterHooks = NO_REGISTERS;
  /** VIRTIO device type; 0 as long as it is not known. */
  type = 0;

  /** Configuration space: bytes as read or written last, and which of them were. */
  readonly config: Uint8Array = new Uint8Array(CONFIG_BYTES);
  readonly configKnown: Uint8Array = new Uint8Array(CONFIG_BYTES);
  /** Counts on whenever something new is learnt of configuration space. */
  configVersion = 0;
  structures: readonly StructureSeen[] = [];
  /** Where the PCI_CFG access capability and the MSI-X capability stand; 0: not seen. */
  windowAt = 0;
  msixAt = 0;

  /** Status as known: written and, where that came later, read. */
  status = 0;
  /** Status 0 was written and nobody read a 0 since. */
  resetting = false;
  /** Whoever drives it spoke through the legacy registers since the last reset. */
  legacy = false;
  /** FEATURES_OK was written and nobody read status since. */
  confirming = false;
  /** Offered and accepted feature words 0 … 3, and which were seen. */
  readonly offered: Uint32Array = new Uint32Array(4);
  readonly offeredKnown: Uint8Array = new Uint8Array(4);
  readonly accepted: Uint32Array = new Uint32Array(4);
  deviceFeatureSelect = 0;
  driverFeatureSelect = 0;
  queueSelect = 0;
  configVector: number = virtio.VIRTIO_MSI_NO_VECTOR;
  /** num_queues, and config_generation, as read last; -1: never. */
  queueCount = -1;
  generation = -1;
  /** The guest wrote to the MSI-X table itself: which messages are masked nobody follows from there. */
  tableTouched = false;
  /** INTx as the interrupt controller sees it. */
  line = 0;
  /** Source number of each vector, as the platform told; -1 unknown. */
  readonly sources: Int32Array = new Int32Array(SOURCES_MAX).fill(-1);
  sourceCount = 0;
  /**
   * The driver did something after which the specification says nothing of what the device does, with the first such
   * deed as a sentence; '' while it is a driver as it should be. A device reset forgives.
   */
  misused = '';
  /** Byte order of the CPU when the device was reset last: a legacy driver's rings and fields have it. */
  cpuLittle = false;
  ringLittle = false;

  readonly access: RegisterAccess = new RegisterAccess();
  readonly dma: DmaAccess = new DmaAccess();
  readonly #queues: (ObservedQueue | undefined)[] = [];
  /** Queues that are enabled, so that an address is looked for in few. */
  readonly live: ObservedQueue[] = [];
  readonly #pending: RegisterAccess = new RegisterAccess();

  constructor(requester: number, surroundings: QueueSurroundings) {
    this.requester = requester;
    this.surroundings = surroundings;
  }

  /** A feature is in force: accepted, and offered as far as that was read. False for all before any was written. */
  has(bit: number): boolean {
    const word = bit >>> 5;
    const shown = this.offeredKnown[word] === 1 ? (this.offered[word] ?? 0) : ~0;
    return ((((this.accepted[word] ?? 0) & shown) >>> (bit & 31)) & 1) === 1;
  }

  /** Bit of what the driver wrote last as accepted, offered or not. */
  accepts(bit: number): boolean {
    return (((this.accepted[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
  }

  /** Bit of the offered features, as far as they were read. */
  offers(bit: number): boolean {
    return (((this.offered[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
  }

  /** The word of offered features that holds a bit was read. */
  knowsOffer(bit: number): boolean {
    return this.offeredKnown[bit >>> 5] === 1;
  }

  /** A 1.x driver: VERSION_1 was accepted. */
  get modern(): boolean {
    return this.has(virtio.VIRTIO_F_VERSION_1);
  }

  get packed(): boolean {
    return this.has(virtio.VIRTIO_F_RING_PACKED);
  }

  get translated(): boolean {
    return this.has(virtio.VIRTIO_F_ACCESS_PLATFORM);
  }

  /** Byte order of rings and of device-type structures. */
  get little(): boolean {
    return this.modern || this.ringLittle;
  }

  get running(): boolean {
    return (this.status & virtio.VIRTIO_CONFIG_S_DRIVER_OK) !== 0;
  }

  get msixEnabled(): boolean {
    return (
      this.msixAt !== 0 &&
      (this.configHalf(this.msixAt + pci.PCI_MSIX_FLAGS) & pci.PCI_MSIX_FLAGS_ENABLE) !== 0
    );
  }

  /** Table Size, as many vectors as there are; 0 where nobody read it. */
  get vectors(): number {
    if (this.msixAt === 0 || this.configKnown[this.msixAt + pci.PCI_MSIX_FLAGS] !== 1) return 0;
    return (this.configHalf(this.msixAt + pci.PCI_MSIX_FLAGS) & 0x7ff) + 1;
  }

  /** As far as the stream tells, the driver lets the function reach memory. */
  get mayMaster(): boolean {
    const known = this.configKnown[pci.PCI_COMMAND] === 1;
    return !known || (this.configHalf(pci.PCI_COMMAND) & pci.PCI_COMMAND_MASTER) !== 0;
  }

  /** Nothing of PCI keeps an interrupt with this vector (MSI-X), or the line, from being seen. */
  canInterrupt(vector: number): boolean {
    const command = this.configHalf(pci.PCI_COMMAND);
    const commandKnown = this.configKnown[pci.PCI_COMMAND] === 1;
    if (!this.msixEnabled) return !commandKnown || (command & pci.PCI_COMMAND_INTX_DISABLE) === 0;
    if (this.tableTouched || vector >= this.vectors) return false;
    if (commandKnown && (command & pci.PCI_COMMAND_MASTER) === 0) return false;
    return (this.configHalf(this.msixAt + pci.PCI_MSIX_FLAGS) & pci.PCI_MSIX_FLAGS_MASKALL) === 0;
  }

  /** From a legacy header: 20, or 24 with MSI-X enabled. */
  get legacyConfigAt(): number {
    return this.msixEnabled ? virtio.VIRTIO_PCI_CONFIG_OFF_MSIX : virtio.VIRTIO_PCI_CONFIG_OFF;
  }

  configHalf(at: number): number {
    return (this.config[at] ?? 0) | ((this.config[at + 1] ?? 0) << 8);
  }

  configWord(at: number): number {
    return (this.configHalf(at) | (this.configHalf(at + 2) << 16)) >>> 0;
  }

  knows(at: number, width: number): boolean {
    for (let i = 0; i < width; i++) if (this.configKnown[at + i] !== 1) return false;
    return true;
  }

  structure(region: Region): StructureSeen | undefined {
    for (const seen of this.structures) if (seen.region === region) return seen;
    return undefined;
  }

  /** A queue that was enabled; undefined for any other. */
  queue(index: number): ObservedQueue | undefined {
    const queue = this.#queues[index];
    return queue?.enabled === true ? queue : undefined;
  }

  /** The queue's registers, enabled or not. */
  registers(index: number): ObservedQueue | undefined {
    if (index < 0 || index >= QUEUES_MAX) return undefined;
    let queue = this.#queues[index];
    if (queue === undefined) {
      queue = new ObservedQueue(index, this);
      this.#queues[index] = queue;
    }
    return queue;
  }

  misuse(how: string): void {
    if (this.misused === '') this.misused = how;
  }

  /** A new stream: nothing is known. */
  forget(): void {
    this.hooks = NOBODY;
    this.registerHooks = NO_REGISTERS;
    this.type = 0;
    this.configVersion++;
    this.configKnown.fill(0);
    this.config.fill(0);
    this.structures = [];
    this.windowAt = 0;
    this.msixAt = 0;
    this.offered.fill(0);
    this.offeredKnown.fill(0);
    this.queueCount = -1;
    this.sources.fill(-1, 0, this.sourceCount);
    this.sourceCount = 0;
    this.line = 0;
    this.tableTouched = false;
    for (const queue of this.#queues) queue?.forget();
    this.clear();
    this.resetting = false;
  }

  /** What a device reset takes back. */
  clear(): void {
    this.status = 0;
    this.legacy = false;
    this.confirming = false;
    this.accepted.fill(0);
    this.deviceFeatureSelect = 0;
    this.driverFeatureSelect = 0;
    this.queueSelect = 0;
    this.configVector = virtio.VIRTIO_MSI_NO_VECTOR;
    this.generation = -1;
    this.misused = '';
    this.live.length = 0;
    for (const queue of this.#queues) queue?.reset();
  }

  // --- Configuration space ---------------------------------------------------------------------------------------

  configRead(offset: number, width: number, value: number): void {
    this.#remember(offset, width, value);
    if (this.#inWindow(offset)) this.#windowRead(offset, width, value);
    for (const hook of this.hooks.onConfigSpaceRead) hook(offset, width, value);
  }

  configWrite(offset: number, width: number, value: number): void {
    for (const hook of this.hooks.onConfigSpaceWrite) hook(offset, width, value);
    const keep = offset + width <= pci.PCI_COMMAND || (offset >= 0x08 && offset < 0x0c);
    if (!keep) this.#remember(offset, width, this.#withTypeBits(offset, width, value));
    if (this.#inWindow(offset)) this.#windowWrite(offset, width, value);
  }

  /** A BAR keeps the bits that say what it is, whatever is written. */
  #withTypeBits(offset: number, width: number, value: number): number {
    const bar = (offset - pci.PCI_BASE_ADDRESS_0) >> 2;
    if (bar < 0 || bar >= pci.PCI_BARS || width !== 4 || (offset & 3) !== 0) return value;
    const below = bar === 0 ? 0 : this.configWord(offset - 4);
    const upperHalf = bar > 0 && (below & 7) === pci.PCI_BASE_ADDRESS_MEM_TYPE_64 && !this.#isUpper(bar - 1);
    if (upperHalf) return value;
    if (this.configKnown[offset] !== 1) return value;
    const kind = this.config[offset] ?? 0;
    const mask = (kind & 1) === 1 ? 3 : 15;
    return ((value & ~mask) | (kind & mask)) >>> 0;
  }

  #isUpper(bar: number): boolean {
    if (bar === 0) return false;
    const below = this.configWord(pci.PCI_BASE_ADDRESS_0 + 4 * bar - 4);
    return (below & 7) === pci.PCI_BASE_ADDRESS_MEM_TYPE_64 && !this.#isUpper(bar - 1);
  }

  #remember(offset: number, width: number, value: number): void {
    let rest = value;
    let news = false;
    for (let i = 0; i < width; i++) {
      news ||= this.configKnown[offset + i] !== 1 || this.config[offset + i] !== (rest & 0xff);
      this.config[offset + i] = rest & 0xff;
      this.configKnown[offset + i] = 1;
      rest >>>= 8;
    }
    if (!news) return;
    this.configVersion++;
    if (offset + width > 0x34 && offset < 0x100) this.#walk();
  }

  /** Finds the capabilities as far as their heads were read. */
  #walk(): void {
    const found: StructureSeen[] = [];
    let at = this.config[pci.PCI_CAPABILITY_LIST] ?? 0;
    for (let turns = 0; turns < CAPABILITY_MAX && at >= 0x40 && at < 0xfd && this.knows(at, 2); turns++) {
      const id = this.config[at];
      if (id === pci.PCI_CAP_ID_MSIX) this.msixAt = at;
      if (id === pci.PCI_CAP_ID_VNDR) this.#structure(at, found);
      at = (this.config[at + 1] ?? 0) & 0xfc;
    }
    this.structures = found;
  }

  #structure(at: number, found: StructureSeen[]): void {
    if (this.configKnown[at + virtio.VIRTIO_PCI_CAP_CFG_TYPE] !== 1) return;
    const kind = this.config[at + virtio.VIRTIO_PCI_CAP_CFG_TYPE] ?? 0;
    if (kind === virtio.VIRTIO_PCI_CAP_PCI_CFG) this.windowAt = at;
    const region = kind === 5 || kind === 8 || kind === 9 ? undefined : (REGIONS[kind] ?? 'other');
    if (region === undefined || this.configKnown[at + 4] !== 1 || !this.knows(at + 8, 4)) return;
    const multiplies = region === 'notify' && this.knows(at + virtio.VIRTIO_PCI_NOTIFY_CAP_MULT, 4);
    found.push({
      region,
      bar: this.config[at + virtio.VIRTIO_PCI_CAP_BAR] ?? 0,
      offset: this.configWord(at + virtio.VIRTIO_PCI_CAP_OFFSET),
      length: this.knows(at + 12, 4) ? this.configWord(at + virtio.VIRTIO_PCI_CAP_LENGTH) : -1,
      multiplier: multiplies ? this.configWord(at + virtio.VIRTIO_PCI_NOTIFY_CAP_MULT) : -1,
      at,
    });
  }

  /** Base address of a memory or I/O BAR, type bits off; -1 where it is none. */
  barBase(bar: number): number {
    const register = pci.PCI_BASE_ADDRESS_0 + 4 * bar;
    if (bar < 0 || bar > 5 || this.configKnown[register] !== 1) return -1;
    const low = this.configWord(register);
    if (this.barIsPorts(bar)) return (low & ~3) >>> 0;
    const wide =
      (low & 6) === pci.PCI_BASE_ADDRESS_MEM_TYPE_64 || (bar === 4 && this.configKnown[register + 4] === 1);
    return (wide ? this.configWord(register + 4) : 0) * TWO_32 + ((low & ~15) >>> 0);
  }

  barIsPorts(bar: number): boolean {
    return (this.configWord(pci.PCI_BASE_ADDRESS_0 + 4 * bar) & 1) === 1;
  }

  #inWindow(offset: number): boolean {
    return (
      this.windowAt !== 0 &&
      offset >= this.windowAt + virtio.VIRTIO_PCI_CFG_DATA &&
      offset < this.windowAt + 20
    );
  }

  #window(offset: number, width: number): RegisterAccess | undefined {
    const { access, windowAt } = this;
    const length = this.configWord(windowAt + virtio.VIRTIO_PCI_CAP_LENGTH);
    if (offset !== windowAt + virtio.VIRTIO_PCI_CFG_DATA || width < length || ![1, 2, 4].includes(length))
      return undefined;
    access.bar = this.config[windowAt + virtio.VIRTIO_PCI_CAP_BAR] ?? 0;
    access.windowed = true;
    access.width = length;
    this.#place(access, access.bar, this.configWord(windowAt + virtio.VIRTIO_PCI_CAP_OFFSET));
    return access;
  }

  #windowRead(offset: number, width: number, value: number): void {
    const access = this.#window(offset, width);
    if (access === undefined) return;
    access.value = access.width === 4 ? value : value & (2 ** (8 * access.width) - 1);
    access.valueHigh = 0;
    this.#registerRead(access);
  }

  #windowWrite(offset: number, width: number, value: number): void {
    const access = this.#window(offset, width);
    if (access === undefined) return;
    access.value = access.width === 4 ? value : value & (2 ** (8 * access.width) - 1);
    access.valueHigh = 0;
    this.#registerWrite(access);
  }

  // --- Registers -------------------------------------------------------------------------------------------------

  /** The structure at an offset of a BAR. */
  #place(access: RegisterAccess, bar: number, offset: number): void {
    access.region = 'none';
    access.capability = 0;
    access.offset = offset;
    if (bar === 0 && this.barIsPorts(0)) {
      access.region = 'legacy';
      return;
    }
    for (const seen of this.structures) {
      const length = reach(seen);
      if (seen.bar !== bar || offset < seen.offset || offset >= seen.offset + length) continue;
      access.region = seen.region;
      access.offset = offset - seen.offset;
      access.capability = seen.at;
      return;
    }
  }

  /** Whether a CPU address (or a port) is in one of this function's BARs; `access` then has region and offset. */
  claims(address: number, isPort: boolean): boolean {
    const { access } = this;
    // Where the driver has turned decoding off, somebody else answers, or nobody.
    const known = !isPort && this.configKnown[pci.PCI_COMMAND] === 1;
    if (known && (this.configHalf(pci.PCI_COMMAND) & pci.PCI_COMMAND_MEMORY) === 0) return false;
    access.windowed = false;
    if (isPort) {
      const from = address - this.barBase(0);
      if (this.barBase(0) <= 0 || !this.barIsPorts(0) || from < 0 || from >= LEGACY_BAR_BYTES) return false;
      access.bar = 0;
      access.region = 'legacy';
      access.offset = from;
      return true;
    }
    for (const seen of this.structures) {
      const base = this.barBase(seen.bar);
      const length = reach(seen);
      const from = cpuOffset(address, base) - seen.offset;
      if (base <= 0 || from < 0 || from >= length) continue;
      access.bar = seen.bar;
      access.region = seen.region;
      access.offset = from;
      access.capability = seen.at;
      return true;
    }
    return this.#claimsMsix(address) || this.#claimsBar(address);
  }

  /** A memory BAR, where no structure is known to be: wide ones first, whose addresses are the CPU's as they are. */
  #claimsBar(address: number): boolean {
    return this.#claimsBarOf(address, true) || this.#claimsBarOf(address, false);
  }

  #claimsBarOf(address: number, wide: boolean): boolean {
    for (let bar = 1; bar < pci.PCI_BARS; bar++) {
      if (this.#isUpper(bar)) continue;
      const base = this.barBase(bar);
      if (base >= TWO_32 !== wide) continue;
      const from = cpuOffset(address, base);
      if (base <= 0 || this.barIsPorts(bar) || from < 0 || from >= MODERN_BAR_BYTES) continue;
      this.access.bar = bar;
      this.access.region = 'none';
      this.access.offset = from;
      this.access.capability = 0;
      return true;
    }
    return false;
  }

  #claimsMsix(address: number): boolean {
    if (this.msixAt === 0 || !this.knows(this.msixAt + pci.PCI_MSIX_TABLE, 4)) return false;
    const where = this.configWord(this.msixAt + pci.PCI_MSIX_TABLE);
    const base = this.barBase(where & 7);
    const from = cpuOffset(address, base) - (where & ~7);
    if (base <= 0 || from < 0 || from >= pci.PCI_MSIX_ENTRY_SIZE * this.vectors) return false;
    this.access.bar = where & 7;
    this.access.region = 'msix';
    this.access.offset = from;
    return true;
  }

  /** A load was begun; its value comes with the next event. */
  loadBegins(): void {
    const { access } = this;
    this.#pending.bar = access.bar;
    this.#pending.region = access.region;
    this.#pending.offset = access.offset;
    this.#pending.width = access.width;
    this.#pending.capability = access.capability;
  }

  loadEnds(value: number, valueHigh: number): void {
    const { access } = this;
    access.windowed = false;
    access.bar = this.#pending.bar;
    access.region = this.#pending.region;
    access.offset = this.#pending.offset;
    access.width = this.#pending.width;
    access.capability = this.#pending.capability;
    access.value = value;
    access.valueHigh = valueHigh;
    this.#registerRead(access);
  }

  /** A store whose place is in `access`. */
  stored(value: number, valueHigh: number): void {
    this.access.value = value;
    this.access.valueHigh = valueHigh;
    this.#registerWrite(this.access);
  }

  #registerRead(access: RegisterAccess): void {
    const { region, offset, width, value } = access;
    for (const hook of this.hooks.onRegisterRead) hook(access);
    if (region === 'common') for (const hook of this.registerHooks.read[offset] ?? NO_HOOKS) hook(access);
    if (region === 'common') this.#commonRead(offset, width, value);
    else if (region === 'legacy') this.#legacyRead(offset, width, value);
    else if (region === 'isr' && offset === 0) for (const hook of this.hooks.onIsrRead) hook(value & 0xff);
    else if (region === 'device') this.#deviceRead(offset, width, value);
  }

  #registerWrite(access: RegisterAccess): void {
    const { region, offset, width, value } = access;
    for (const hook of this.hooks.onRegisterWrite) hook(access);
    if (region === 'common') for (const hook of this.registerHooks.write[offset] ?? NO_HOOKS) hook(access);
    if (region === 'msix') this.tableTouched = true;
    if (access.windowed && region === 'none')
      this.misuse('the configuration window is used where no structure is');
    if (region === 'common') this.#commonWrite(offset, width, value);
    else if (region === 'legacy') this.#legacyWrite(offset, width, value);
    else if (region === 'notify') this.#notified(offset, width, value);
    else if (region === 'device') this.#deviceWrite(offset, width, value);
  }

  #deviceRead(offset: number, width: number, value: number): void {
    if (width > FIELD_MAX) return;
    for (const hook of this.hooks.onDeviceConfigRead) hook(offset, width, value);
  }

  #deviceWrite(offset: number, width: number, value: number): void {
    if (width > FIELD_MAX) this.misuse('device configuration is written by more than 32 bits at once');
    else for (const hook of this.hooks.onDeviceConfigWrite) hook(offset, width, value);
  }

  #commonRead(offset: number, width: number, value: number): void {
    if (width !== COMMON_WIDTHS[offset]) return;
    const queue = this.registers(this.queueSelect);
    if (offset === virtio.VIRTIO_PCI_COMMON_STATUS) this.#statusRead(value);
    else if (offset === virtio.VIRTIO_PCI_COMMON_DF) this.#featuresRead(this.deviceFeatureSelect, value);
    else if (offset === virtio.VIRTIO_PCI_COMMON_NUMQ) this.queueCount = value;
    else if (offset === virtio.VIRTIO_PCI_COMMON_CFGGENERATION) this.generation = value;
    else if (offset === virtio.VIRTIO_PCI_COMMON_MSIX) this.configVector = value;
    else if (queue === undefined) return;
    else if (offset === virtio.VIRTIO_PCI_COMMON_Q_SIZE) sizeRead(queue, value);
    else if (offset === virtio.VIRTIO_PCI_COMMON_Q_MSIX) vectorRead(queue, value);
    else if (offset === virtio.VIRTIO_PCI_COMMON_Q_NOFF) queue.notifyOffset = value;
    else if (offset === virtio.VIRTIO_PCI_COMMON_Q_NDATA) queue.notifyData = value;
  }

  #commonWrite(offset: number, width: number, value: number): void {
    this.legacy = false;
    if (width !== COMMON_WIDTHS[offset]) {
      this.misuse('a common configuration register is written with another width than it has');
      return;
    }
    if (offset === virtio.VIRTIO_PCI_COMMON_STATUS) this.#statusWrite(value);
    else if (offset === virtio.VIRTIO_PCI_COMMON_DFSELECT) this.deviceFeatureSelect = value;
    else if (offset === virtio.VIRTIO_PCI_COMMON_GFSELECT) this.driverFeatureSelect = value;
    else if (offset === virtio.VIRTIO_PCI_COMMON_GF) this.#featuresWrite(this.driverFeatureSelect, value);
    else if (offset === virtio.VIRTIO_PCI_COMMON_MSIX) this.configVector = value;
    else if (offset === virtio.VIRTIO_PCI_COMMON_Q_SELECT) this.queueSelect = value;
    else this.#queueWrite(offset, value);
  }

  #queueWrite(offset: number, value: number): void {
    const queue = this.registers(this.queueSelect);
    if (queue === undefined) return;
    if (
      queue.enabled &&
      offset !== virtio.VIRTIO_PCI_COMMON_Q_RESET &&
      offset !== virtio.VIRTIO_PCI_COMMON_Q_MSIX
    ) {
      this.misuse('a queue is configured while it is live');
    }
    if (offset === virtio.VIRTIO_PCI_COMMON_Q_SIZE) queue.size = value;
    else if (offset === virtio.VIRTIO_PCI_COMMON_Q_MSIX) {
      queue.vector = value;
      queue.vectorRead = -1;
    } else if (offset === virtio.VIRTIO_PCI_COMMON_Q_ENABLE && value === 1) this.#enable(queue);
    else if (offset === virtio.VIRTIO_PCI_COMMON_Q_RESET && value === 1) this.#askQueueReset(queue);
    else if (!queue.enabled) placeArea(queue, offset, value);
  }

  #enable(queue: ObservedQueue): void {
    if (!this.live.includes(queue)) this.live.push(queue);
    queue.enable();
    if (queue.overlaps) this.misuse('the areas of a queue lie over each other');
    for (const hook of this.hooks.onQueueEnable) hook(queue);
  }

  /** Without RING_RESET nothing says what such a write does. */
  #askQueueReset(queue: ObservedQueue): void {
    if (this.has(virtio.VIRTIO_F_RING_RESET)) this.#resetQueue(queue);
    else this.misuse('a queue is reset without RING_RESET');
  }

  #resetQueue(queue: ObservedQueue): void {
    for (const hook of this.hooks.onQueueReset) hook(queue);
    const at = this.live.indexOf(queue);
    if (at >= 0) this.live.splice(at, 1);
    queue.reset();
  }

  #statusRead(value: number): void {
    const before = this.status;
    this.status = value;
    for (const hook of this.hooks.onStatusRead) hook(value, before);
    if (this.resetting && value === 0) {
      this.resetting = false;
      for (const hook of this.hooks.onResetDone) hook();
    }
    if (!this.confirming) return;
    this.confirming = false;
    const stands = (value & virtio.VIRTIO_CONFIG_S_FEATURES_OK) !== 0;
    for (const hook of this.hooks.onFeaturesOk) hook(stands);
  }

  #statusWrite(value: number): void {
    for (const hook of this.hooks.onStatusWrite) hook(value);
    if (value === 0) {
      this.reset();
      return;
    }
    const set = value & ~this.status;
    if ((this.status & ~value & ~virtio.VIRTIO_CONFIG_S_NEEDS_RESET) !== 0)
      this.misuse('a status bit is taken back without a reset');
    this.status = value;
    this.resetting = false;
    if ((set & virtio.VIRTIO_CONFIG_S_FEATURES_OK) !== 0) this.confirming = true;
    if ((set & virtio.VIRTIO_CONFIG_S_DRIVER_OK) === 0) return;
    for (const queue of this.live) queue.locate();
    for (const hook of this.hooks.onDriverOk) hook();
  }

  reset(): void {
    this.clear();
    this.resetting = true;
    this.ringLittle = this.cpuLittle;
    for (const hook of this.hooks.onReset) hook();
  }

  #featuresRead(select: number, value: number): void {
    if (select < this.offered.length) {
      this.offered[select] = value;
      this.offeredKnown[select] = 1;
    }
    for (const hook of this.hooks.onFeaturesRead) hook(select, value);
  }

  #featuresWrite(select: number, value: number): void {
    for (const hook of this.hooks.onFeaturesWrite) hook(select, value);
    // What comes after FEATURES_OK a device ignores.
    const settled = !this.legacy && (this.status & virtio.VIRTIO_CONFIG_S_FEATURES_OK) !== 0;
    if (select < this.accepted.length && !settled) this.accepted[select] = value;
  }

  #notified(offset: number, width: number, value: number): void {
    const multiplier = this.structure('notify')?.multiplier ?? 0;
    let index = value & 0xffff;
    // The place says which queue where each has its own; the value may be the device's own number for it.
    if (multiplier > 0) {
      const place = offset / multiplier;
      for (const queue of this.live) if (queue.notifyOffset === place) index = queue.index;
    }
    this.#kicked(index, value, width);
  }

  #kicked(index: number, value: number, width: number): void {
    const queue = this.queue(index);
    queue?.locate();
    for (const hook of this.hooks.onNotify) hook(queue, index, value, width);
  }

  #legacyRead(offset: number, width: number, value: number): void {
    const queue = this.registers(this.queueSelect);
    if (offset >= this.legacyConfigAt) this.#deviceRead(offset - this.legacyConfigAt, width, value);
    else if (offset === virtio.VIRTIO_PCI_STATUS && width === 1) this.#statusRead(value);
    else if (offset === virtio.VIRTIO_PCI_HOST_FEATURES && width === 4) this.#featuresRead(0, value);
    else if (offset === virtio.VIRTIO_PCI_ISR && width === 1)
      for (const hook of this.hooks.onIsrRead) hook(value);
    else if (offset === virtio.VIRTIO_PCI_QUEUE_NUM && width === 2 && queue !== undefined) {
      queue.offeredSize = value;
      queue.size = value;
    } else if (this.msixEnabled && offset === virtio.VIRTIO_MSI_CONFIG_VECTOR) this.configVector = value;
    else if (this.msixEnabled && offset === virtio.VIRTIO_MSI_QUEUE_VECTOR && queue !== undefined)
      vectorRead(queue, value);
  }

  #legacyWrite(offset: number, width: number, value: number): void {
    this.legacy = true;
    if (offset >= this.legacyConfigAt) {
      this.#deviceWrite(offset - this.legacyConfigAt, width, value);
      return;
    }
    const queue = this.registers(this.queueSelect);
    if (offset === virtio.VIRTIO_PCI_STATUS && width === 1) this.#statusWrite(value);
    else if (offset === virtio.VIRTIO_PCI_GUEST_FEATURES && width === 4) this.#featuresWrite(0, value);
    else if (offset === virtio.VIRTIO_PCI_QUEUE_SEL && width === 2) this.queueSelect = value;
    else if (offset === virtio.VIRTIO_PCI_QUEUE_NOTIFY && width === 2) this.#kicked(value, value, width);
    else if (offset === virtio.VIRTIO_PCI_QUEUE_PFN && width === 4 && queue !== undefined)
      this.#legacyQueue(queue, value);
    else if (this.msixEnabled && offset === virtio.VIRTIO_MSI_CONFIG_VECTOR) this.configVector = value;
    else if (this.msixEnabled && offset === virtio.VIRTIO_MSI_QUEUE_VECTOR && queue !== undefined) {
      queue.vector = value;
      queue.vectorRead = -1;
    } else if (offset < LEGACY_BYTES)
      this.misuse('a legacy register is written with another width than it has');
  }

  /** A legacy ring is one block: descriptors, available, and used from the next 4 KiB on (2.7.2). */
  #legacyQueue(queue: ObservedQueue, frame: number): void {
    if (this.modern && (this.status & virtio.VIRTIO_CONFIG_S_FEATURES_OK) !== 0) {
      // Nothing says what the other window does then; QEMU resets the device by it.
      this.misuse('a legacy queue address is written in modern use');
      return;
    }
    if (frame === 0) {
      this.#resetQueue(queue);
      return;
    }
    const { size, vector } = queue;
    queue.size = size;
    queue.vector = vector;
    queue.descriptors = frame * LEGACY_PAGE;
    queue.driverArea = queue.descriptors + 16 * size;
    queue.deviceArea = Math.ceil((queue.driverArea + 6 + 2 * size) / LEGACY_PAGE) * LEGACY_PAGE;
    this.#enable(queue);
  }

  // --- Memory and interrupts -------------------------------------------------------------------------------------

  /** A DMA: told to whom it concerns, then to the rings. */
  dmaSeen(write: boolean, high: number, low: number, bytes: Uint8Array, from: number, length: number): void {
    const { dma } = this;
    this.#locate(write, false, high, low, length);
    dma.bytes = bytes;
    dma.byteOffset = from;
    const { queue, area, chain, element, offset } = dma;
    if (write && queue !== undefined && area !== 'buffer' && area !== 'device' && !queue.packed)
      this.#overRing();
    if (chain !== undefined && element >= 0) moved(chain, element, offset, write, bytes, from, length);
    for (const hook of this.hooks.onDma) hook(dma);
    if (queue === undefined || area === 'none' || area === 'buffer') return;
    if (write) queue.deviceWrote(area, offset, bytes, from, length);
    else queue.deviceRead(area, offset, bytes, from, length);
  }

  /** A store into what only the driver stores into: no checker of rings is at fault if the driver told the device to. */
  #overRing(): void {
    const { address } = this.dma;
    for (const queue of this.live) {
      if (queue.holding(address, true) !== undefined) this.misuse('a buffer to be written lies over a ring');
    }
  }

  faultSeen(write: boolean, high: number, low: number, length: number): void {
    this.#locate(write, true, high, low, length);
    this.misuse('a device was given an address that nothing answers');
    for (const hook of this.hooks.onDma) hook(this.dma);
  }

  #locate(write: boolean, fault: boolean, high: number, low: number, length: number): void {
    const { dma } = this;
    const address = deviceAddress(high, low);
    dma.write = write;
    dma.fault = fault;
    dma.high = high;
    dma.low = low;
    dma.address = address;
    dma.length = length;
    dma.queue = undefined;
    dma.area = 'none';
    dma.chain = undefined;
    dma.element = -1;
    dma.offset = 0;
    dma.message = write && length === 4 && high === MESSAGES_HIGH;
    for (const queue of this.live) {
      const area = queue.areaOf(address);
      if (area === 'none') continue;
      dma.queue = queue;
      dma.area = area;
      dma.offset = queue.areaOffset;
      if (area === 'table') dma.chain = queue.tableOf;
      return;
    }
    for (const queue of this.live) {
      const chain = queue.holding(address, write);
      if (chain === undefined) continue;
      dma.queue = queue;
      dma.area = 'buffer';
      dma.chain = chain;
      dma.element = chain.find(address, write);
      dma.offset = address - chain.address(dma.element);
      return;
    }
  }

  /** A message of a source that is this function's, or a change of its line. */
  interrupted(source: number, level: number): void {
    let vector = INTX;
    if (level === 2) {
      vector = UNKNOWN_VECTOR;
      for (let i = 0; i < this.sourceCount; i++) if (this.sources[i] === source) vector = i;
    } else this.line = level;
    for (const hook of this.hooks.onInterrupt) hook(vector, level);
  }

  owns(source: number): boolean {
    for (let i = 0; i < this.sourceCount; i++) if (this.sources[i] === source) return true;
    return false;
  }

  /** The platform told the source number of a vector. */
  learnSource(vector: number, source: number): void {
    if (vector >= SOURCES_MAX) return;
    this.sources[vector] = source;
    this.sourceCount = Math.max(this.sourceCount, vector + 1);
  }
}

/** Registers of the common configuration by offset, with their widths (4.1.4.3). */
const COMMON_WIDTHS: Readonly<Record<number, number>> = {
  0: 4,
  4: 4,
  8: 4,
  12: 4,
  16: 2,
  18: 2,
  20: 1,
  21: 1,
  22: 2,
  24: 2,
  26: 2,
  28: 2,
  30: 2,
  32: 4,
  36: 4,
  40: 4,
  44: 4,
  48: 4,
  52: 4,
  56: 2,
  58: 2,
  60: 2,
  62: 2,
};

/** How far accesses count as ones to a structure: a driver may go on beyond the length that it was told. */
function reach(seen: StructureSeen): number {
  if (seen.length < 0) return USUAL_LENGTH;
  return seen.region === 'common' ? Math.max(seen.length, COMMON_BYTES) : seen.length;
}

/** How far a CPU address is into a BAR; negative where it is not, or where the windows do not lead there. */
function cpuOffset(address: number, base: number): number {
  const bus = busAddress(address);
  return bus < 0 ? -1 : bus - base;
}

function sizeRead(queue: ObservedQueue, value: number): void {
  if (queue.offeredSize === 0) queue.offeredSize = value;
  if (!queue.enabled) queue.size = value;
}

function vectorRead(queue: ObservedQueue, value: number): void {
  queue.vectorRead = value;
  queue.vector = value;
}

function moved(
  chain: Chain,
  element: number,
  offset: number,
  write: boolean,
  bytes: Uint8Array,
  from: number,
  length: number,
): void {
  const at = chain.start(element) + offset;
  if (write) chain.sawResponse(at, bytes, from, length);
  else chain.sawRequest(at, bytes, from, length);
}

const AREAS: Readonly<Record<number, 'descriptors' | 'driverArea' | 'deviceArea'>> = {
  [virtio.VIRTIO_PCI_COMMON_Q_DESCLO]: 'descriptors',
  [virtio.VIRTIO_PCI_COMMON_Q_AVAILLO]: 'driverArea',
  [virtio.VIRTIO_PCI_COMMON_Q_USEDLO]: 'deviceArea',
};

/** Halves of the queue's addresses, which may come in any order. */
function placeArea(queue: ObservedQueue, offset: number, value: number): void {
  const low = AREAS[offset];
  const high = AREAS[offset - 4];
  const halves = queue.halves;
  if (low !== undefined) halves[low].low = value;
  if (high !== undefined) halves[high].high = value;
  const area = low ?? high;
  if (area !== undefined) queue[area] = deviceAddress(halves[area].high, halves[area].low);
}
