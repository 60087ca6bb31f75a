/**
 * A driver made of steps: it finds its device on the bus, negotiates, lays rings and TCEs out and serves honest
 * requests as a guest does, and it can tell every lie that a step asks for. It stands on GuestPlatform alone, so it
 * drives the emulator, a recording or a real QEMU alike, and it trusts nothing that the device says.
 */
import type { GuestPlatform } from '../../emu/guest/platform.ts';
import { QEMU_7_2, type Behaviour } from '../../emu/virtio/behaviour.ts';
import type { Chain, Element, Place, RingShape } from '../case.ts';
import type { Ground } from '../invariants/invariant.ts';
import { Calls } from './calls.ts';
import {
  commandBlock,
  SCSI_COMMAND_QUEUE,
  SCSI_RESPONSE_BYTES,
  SCSI_SENSE_KEY,
  SCSI_STATUS,
  scsiCommand,
} from './disk-commands.ts';
import type { Hardware } from './hardware.ts';

/** How a guest of this kind behaves: which interface it drives, in which byte order, and what it accepts. */
export interface DriverTraits {
  readonly legacy: boolean;
  /** MSR[LE] of the guest; legacy rings are in its order. */
  readonly littleEndian: boolean;
  readonly acceptsPlatform: boolean;
  readonly acceptsIndirect: boolean;
  /** Maps pages by the list, not one by one. */
  readonly multiTce: boolean;
}

const TWO_32 = 2 ** 32;
const PAGE = 4096;

// What a driver's numbers are (VIRTIO 1.3, 2.1, 4.1.4, 6; PCI 3.0).
const VENDOR = 0x1af4;
const ACKNOWLEDGE = 1;
const DRIVER = 2;
const DRIVER_OK = 4;
const FEATURES_OK = 8;
const NEEDS_RESET = 0x40;
const COMMAND = 4;
const ROM = 0x30;
const IO_MEMORY_MASTER = 7;
const CAP_POINTER = 0x34;
const CAP_VENDOR = 9;
const CAP_MSIX = 0x11;
const CFG_COMMON = 1;
const CFG_NOTIFY = 2;
const CFG_ISR = 3;
const CFG_DEVICE = 4;
const INDIRECT_DESC = 1 << 28;
const VERSION_1 = 1;
const ACCESS_PLATFORM = 2;
const DESC_NEXT = 1;
const DESC_WRITE = 2;
const DESC_INDIRECT = 4;
const H_PUT_TCE_INDIRECT = 0x13c;
const H_PUT_TCE = 0x20;
const MSR_LITTLE = 0x8000_0000_0000_0001n;
const MSR_BIG = 0x8000_0000_0000_0000n;

// Where the driver keeps things. RAM below 64 KiB is left alone; what overruns a buffer falls into free RAM.
const TCE_LIST = 0x2_0000;
const RINGS = 0x10_0000;
const RING_BYTES = 0x8000;
const QUEUES_MAX = 4;
/** Rings that every driver lets its device see, used or not. */
const QUEUES_MAPPED = 3;
const RING_PAGES: number = (QUEUES_MAPPED * RING_BYTES) / PAGE;
const POOL = 0x20_0000;
const POOL_PAGES = 32;
const SCRATCH = 0x30_0000;
const READ_ONLY = 0x31_0000;
const WRITE_ONLY = 0x32_0000;
/** I/O bus addresses of the above: everything is somewhere else on the bus, so that one is never taken for the other. */
const BUS = 0x1000_0000;
const RINGS_BUS: number = BUS;
const POOL_BUS: number = BUS + 0x10_0000;
const READ_ONLY_BUS: number = BUS + 0x20_0000;
const WRITE_ONLY_BUS: number = READ_ONLY_BUS + PAGE;
const HOLE_BUS: number = WRITE_ONLY_BUS + PAGE;
const OWN_BAR_BUS: number = HOLE_BUS + PAGE;
const UNMAPPED_BUS: number = BUS + 0x80_0000;
const BEYOND_WINDOW = 0x5000_0000;
/** Behind everything that a pseries machine maps: the host bridges' windows end at 0x4000_0000_0000. */
const BEYOND_RAM = 0x5000_0000_0000;
const MSI_WINDOW = 0x400_0000_0000;
const CROSSING = 16;
const SLOT_STEP = 8;
const NEIGHBOUR = 0x1_0000;

/** RAM that nothing else lies in, in pages. */
const SPARE_PAGES = 0x400;
const HEADER_BYTES = 16;
const SECTOR = 512;
/** Sectors from here on are where hostile requests write; honest ones stay below. */
const HOSTILE_SECTOR = 64;
const QUEUE_BUFFER_BYTES = 2048;
const NET_HEADER_LEGACY = 10;
const NET_HEADER_MODERN = 12;
const NET_HEADER_HASH = 20;

interface Queue {
  readonly index: number;
  size: number;
  enabled: boolean;
  /** Next descriptor to use, next available index to publish, next used index to look at. */
  next: number;
  avail: number;
  used: number;
  notifyOffset: number;
  /** Offsets of the driver and the device area from the ring's start. */
  availOffset: number;
  usedOffset: number;
}

/** Queues that a driver of the type sets up, where that is more than one. */
const QUEUES: ReadonlyMap<string, number> = new Map([
  ['net', 2],
  ['scsi', 3],
  ['console', 4],
  // The hinting queue is the last that is set up: reporting has its own cases.
  ['ballooning', 4],
]);
/** Features of its type that a driver accepts: a console's MULTIPORT, a balloon's STATS_VQ and FREE_PAGE_HINT. */
const FEATURES: ReadonlyMap<string, number> = new Map([
  ['console', 2],
  ['ballooning', 2 | 8],
]);
const SCSI_REQUEST_BYTES = 51;
const SCSI_CHECK_CONDITION = 0x200;
const SCSI_UNIT_ATTENTION = 6;
const OK = '';
const ANY_LENGTH = -1;

export class Driver {
  readonly calls: Calls;
  readonly device: string;
  readonly traits: DriverTraits;
  /** Where the device answers, once it is found. */
  common = 0;
  notifyBase = 0;
  notifyMultiplier = 0;
  isrBase = 0;
  configBase = 0;
  msixBase = 0;
  legacyPort = -1;
  /** Whether the device speaks bus addresses. */
  translated = false;
  /** Length of a network frame's header, towards the device and at the host's end. */
  netHeaderBytes: number = NET_HEADER_MODERN;
  hostHeaderBytes = 0;
  /** The last address that `locate` found, in halves. */
  #high = 0;
  #low = 0;
  readonly #platform: GuestPlatform;
  readonly #hardware: Hardware;
  readonly #behaviour: Behaviour;
  readonly #queues: readonly Queue[];
  #devfn = -1;
  #configDoubted = false;
  #mapDoubted = true;
  #pool = 0;
  #order: boolean;
  #lastLow = 0;
  #lastHigh = 0;
  readonly #bytes: Uint8Array = new Uint8Array(16 * SECTOR);
  readonly #list: Uint8Array;

  constructor(
    platform: GuestPlatform,
    hardware: Hardware,
    device: string,
    translated: boolean,
    traits: DriverTraits,
    behaviour: Behaviour = QEMU_7_2,
  ) {
    this.#behaviour = behaviour;
    this.#platform = platform;
    this.#hardware = hardware;
    this.device = device;
    this.traits = traits;
    this.translated = translated;
    this.calls = new Calls(platform, hardware);
    this.#order = !traits.legacy || traits.littleEndian;
    this.#queues = Array.from({ length: QUEUES_MAX }, (_, index) => newQueue(index));
    this.#list = tceList(this.#ringPages);
  }

  // --- Finding and setting up -----------------------------------------------------------------------------------

  /** Looks for the device, gives its BARs addresses and turns it on. A sentence if that fails. */
  find(): string {
    this.#mapDoubted = true;
    this.#platform.setCpu(0, this.traits.littleEndian ? MSR_LITTLE : MSR_BIG);
    this.#forget();
    for (const devfn of this.#hardware.devfns) {
      const identity = this.calls.configRead(devfn, 0, 4);
      if (this.calls.status === 0 && (identity & 0xffff) === VENDOR) {
        this.#devfn = devfn;
        this.#assign();
        return OK;
      }
    }
    return 'no virtio device stands on the bus';
  }

  /** Entries of all rings that are set up. */
  get ringEntries(): number {
    let entries = 0;
    for (const queue of this.#queues) if (queue.enabled) entries += queue.size;
    return entries;
  }

  /** What watchers of this run may know. */
  ground(): Ground {
    return {
      requester: this.#devfn,
      ramBytes: this.#platform.ramBytes,
      iommuPlatform: this.translated,
      behaviour: this.#behaviour,
      common: this.common,
      notify: this.notifyBase,
      notifyMultiplier: this.notifyMultiplier,
      legacyPort: this.legacyPort,
      createWindow: this.#hardware.createWindow,
      removeWindow: this.#hardware.removeWindow,
      resetWindow: this.#hardware.resetWindow,
    };
  }

  /** From status 0 to DRIVER_OK, with TCEs and rings. A sentence if the device does not come up. */
  setUp(): string {
    this.#forget();
    // Linux before 4.0 ends its probe here and prints nothing (guests.md 4, row 4).
    if (this.traits.legacy && this.legacyPort < 0) return 'a legacy guest finds no I/O BAR';
    if (!this.traits.legacy && this.common === 0) return 'a modern guest finds no common configuration';
    this.writeStatus(0);
    if (this.readStatus() !== 0) return 'status does not read 0 after a reset';
    this.#order = !this.traits.legacy || this.traits.littleEndian;
    this.writeStatus(ACKNOWLEDGE);
    this.writeStatus(ACKNOWLEDGE | DRIVER);
    if (this.#mapDoubted) this.mapAll();
    if (this.traits.legacy) this.#negotiateLegacy();
    else if (!this.#negotiateModern()) return 'the device refuses FEATURES_OK';
    const queues = queueCount(this.device);
    for (let index = 0; index < queues; index++) {
      const failed = this.#openQueue(index);
      if (failed !== OK) return failed;
    }
    const status = ACKNOWLEDGE | DRIVER | DRIVER_OK | (this.traits.legacy ? 0 : FEATURES_OK);
    this.writeStatus(status);
    if (this.readStatus() !== status)
      return `status reads ${this.readStatus()} instead of ${status} after DRIVER_OK`;
    return OK;
  }

  /**
   * A network device from status 0 to DRIVER_OK with these features, of those offered, and its first three queues: with
   * one pair the third is for control. A sentence if it does not come up.
   */
  openNet(low: number, high: number): string {
    this.#forget();
    for (const queue of this.#queues) this.#clearRing(this.#ringAt(queue.index));
    this.writeStatus(0);
    this.#order = !this.traits.legacy || this.traits.littleEndian;
    this.writeStatus(ACKNOWLEDGE);
    this.writeStatus(ACKNOWLEDGE | DRIVER);
    if (this.#mapDoubted) this.mapAll();
    const accepted = this.traits.legacy ? this.#acceptLegacy(low) : this.#acceptModern(low, high);
    this.netHeaderBytes = headerBytes(accepted, !this.traits.legacy);
    this.hostHeaderBytes = hasBit(accepted.offeredLow, CSUM) ? NET_HEADER_LEGACY : 0;
    if (!this.traits.legacy) this.writeStatus(ACKNOWLEDGE | DRIVER | FEATURES_OK);
    for (let index = 0; index < QUEUES_MAX; index++) {
      const failed = this.#openQueue(index);
      if (failed !== OK) return failed;
    }
    this.writeStatus(ACKNOWLEDGE | DRIVER | DRIVER_OK | (this.traits.legacy ? 0 : FEATURES_OK));
    return OK;
  }

  /** Something may have changed the function's configuration, or the map, behind the driver's back. */
  doubt(config: boolean, map: boolean): void {
    this.#configDoubted ||= config;
    this.#mapDoubted ||= map;
  }

  /** After anything: what is in doubt of the PCI function and the DMA windows, and the device from the start. */
  recover(): string {
    this.#platform.setCpu(0, this.traits.littleEndian ? MSR_LITTLE : MSR_BIG);
    if (this.#configDoubted) this.#assign();
    const reset = this.#hardware.resetWindow;
    if (this.#mapDoubted && reset > 0)
      this.calls.rtas(reset, 1, [this.#devfn << 8, this.#hardware.buidHigh, this.#hardware.buidLow]);
    for (const queue of this.#queues) this.#clearRing(this.#ringAt(queue.index));
    return this.setUp();
  }

  /** Every page that the driver lets the device see, in one list. */
  mapAll(): void {
    this.#mapDoubted = false;
    if (!this.translated) return;
    if (this.traits.multiTce) this.#platform.storeBytes(TCE_LIST, this.#list, 0, this.#list.length);
    const liobn = this.#hardware.liobn;
    if (this.traits.multiTce) {
      this.calls.hcall(H_PUT_TCE_INDIRECT, liobn, RINGS_BUS, TCE_LIST, this.#ringPages);
      // The list's second part starts at a page of its own, as the call wants it.
      this.calls.hcall(H_PUT_TCE_INDIRECT, liobn, POOL_BUS, TCE_LIST + PAGE, POOL_PAGES);
    } else {
      this.#mapOneByOne(RINGS_BUS, RINGS, this.#ringPages);
      this.#mapOneByOne(POOL_BUS, POOL, POOL_PAGES);
    }
    this.calls.hcall(H_PUT_TCE, liobn, READ_ONLY_BUS, READ_ONLY | 1);
    this.calls.hcall(H_PUT_TCE, liobn, WRITE_ONLY_BUS, WRITE_ONLY | 2);
    this.calls.hcall(H_PUT_TCE, liobn, HOLE_BUS, (this.#platform.ramBytes + 0x10_0000) | 3);
    const bar = this.common === 0 ? this.#hardware.mem32Base : this.common;
    this.calls.hcall(H_PUT_TCE, liobn, OWN_BAR_BUS, bar + 3);
  }

  get #wantedFeatures(): number {
    return (this.traits.acceptsIndirect ? INDIRECT_DESC : 0) | (FEATURES.get(this.device) ?? 0);
  }

  get #ringPages(): number {
    return Math.max(RING_PAGES, (queueCount(this.device) * RING_BYTES) / PAGE);
  }

  #mapOneByOne(bus: number, real: number, pages: number): void {
    for (let i = 0; i < pages; i++) {
      this.calls.hcall(H_PUT_TCE, this.#hardware.liobn, bus + i * PAGE, real + i * PAGE + 3);
    }
  }

  // --- Registers ------------------------------------------------------------------------------------------------

  readStatus(): number {
    if (this.traits.legacy) return this.portRead(18, 1);
    return this.#platform.read(this.common + 0x14, 1, false);
  }

  /** Reading it clears it. */
  readIsr(): number {
    return this.traits.legacy ? this.portRead(19, 1) : this.#platform.read(this.isrBase, 1, false);
  }

  writeStatus(value: number): void {
    if (this.traits.legacy) this.portWrite(18, 1, value);
    else this.#platform.write(this.common + 0x14, 1, value, false);
  }

  get needsReset(): boolean {
    return (this.readStatus() & NEEDS_RESET) !== 0;
  }

  portRead(offset: number, width: 1 | 2 | 4): number {
    return this.#platform.read(this.#hardware.ioBase + this.legacyPort + offset, width, false);
  }

  portWrite(offset: number, width: 1 | 2 | 4, value: number): void {
    this.#platform.write(this.#hardware.ioBase + this.legacyPort + offset, width, value, false);
  }

  /** Start of a register region by number (common, isr, device, notify, msix); 0 where it is not. */
  region(number: number): number {
    const legacy = this.legacyPort < 0 ? 0 : this.#hardware.ioBase + this.legacyPort;
    const starts = [this.common, this.isrBase, this.configBase, this.notifyBase, this.msixBase];
    const start = starts[number] ?? 0;
    return start === 0 || (this.traits.legacy && number < 4) ? legacy : start;
  }

  notify(index: number): void {
    if (this.traits.legacy) this.portWrite(16, 2, index);
    else this.notifyValue(index, index, 2);
  }

  notifyValue(index: number, value: number, width: 1 | 2 | 4): void {
    if (this.traits.legacy) {
      this.portWrite(16, width, value);
      return;
    }
    const offset = (this.#queues[index]?.notifyOffset ?? 0) * this.notifyMultiplier;
    this.#platform.write(this.notifyBase + offset, width, value, false);
  }

  // --- Rings ----------------------------------------------------------------------------------------------------

  /** Publishes a chain. `head` and `jump` are what the driver claims; a head above 0xffff is the honest one. */
  submit(index: number, chain: Chain, head: number, jump: number, times: number): void {
    const queue = this.#queue(index);
    const first = queue.next;
    if (chain.indirect === undefined) this.#writeDirect(queue, chain.elements);
    else this.#writeIndirect(queue, chain.elements, chain.indirect);
    for (let i = 0; i < times; i++) this.#publish(queue, head > 0xffff ? first : head);
    // The index moves by the number published, unless the step lies about it.
    const moved = jump === 1 ? times : jump;
    queue.avail = (queue.avail + moved - times) & 0xffff;
    this.#storeAvailIndex(queue);
  }

  writeRing(index: number, shape: RingShape): void {
    const queue = this.#queue(index);
    const base = this.#ringAt(queue.index);
    for (const links of shape.chains) {
      let previous = -1;
      for (const link of links) {
        if (previous >= 0) this.#linkTo(base, previous, link.descriptor);
        if (link.element !== undefined || previous < 0 || link !== links.at(-1)) {
          this.#writeShapeLink(base, link.descriptor, link.element, previous < 0, links.length);
        }
        previous = link.descriptor % 1024;
      }
    }
    for (const head of shape.avail) this.#publish(queue, head);
    this.#storeAvailIndex(queue);
    if (shape.used !== undefined) this.#store16(base + queue.usedOffset + 2, shape.used);
  }

  scribble(index: number, area: number, offset: number, value: number): void {
    const queue = this.#queue(index);
    const starts = [0, queue.availOffset, queue.usedOffset];
    this.#store16(this.#ringAt(queue.index) + (starts[area] ?? 0) + (offset & 0xffe), value);
  }

  /** Stores into the pool or the rings, wherever that hits. */
  poke(area: number, offset: number, width: 1 | 2 | 4, value: number): void {
    const at = this.#poked(area, offset);
    if (width === 1) this.#platform.store8(at, value & 0xff);
    else if (width === 2) this.#store16(at, value & 0xffff);
    else this.#platform.store32(at, value, this.#order);
  }

  peek(area: number, offset: number, width: 1 | 2 | 4): number {
    const at = this.#poked(area, offset);
    if (width === 1) return this.#platform.load8(at);
    return width === 2 ? this.#load16(at) : this.#platform.load32(at, this.#order);
  }

  #poked(area: number, offset: number): number {
    return area === 0
      ? POOL + (offset % (POOL_PAGES * PAGE))
      : RINGS + (offset % (QUEUES_MAPPED * RING_BYTES));
  }

  /** What lies in a queue's used ring, oldest first, as `id=length`. */
  usedEntries(index: number): readonly string[] {
    const queue = this.#queues[index];
    if (queue === undefined || !queue.enabled) return [];
    const base = this.#ringAt(index) + queue.usedOffset;
    const entries: string[] = [];
    const count = Math.min(this.#load16(base + 2), queue.size);
    for (let i = 0; i < count; i++) {
      const at = base + 4 + 8 * i;
      const id = this.#platform.load32(at, this.#order);
      entries.push(`${id}=${this.#platform.load32(at + 4, this.#order)}`);
    }
    return entries;
  }

  /** Takes what the device gave back; how many elements. */
  reap(index: number): number {
    const queue = this.#queue(index);
    const found = (this.#load16(this.#ringAt(queue.index) + queue.usedOffset + 2) - queue.used) & 0xffff;
    queue.used = (queue.used + found) & 0xffff;
    return found;
  }

  // --- Honest requests ------------------------------------------------------------------------------------------

  /** Makes one request and holds the outcome against what was asked. A sentence if it is wrong. */
  request(kind: number, sector: number, sectors: number, fill: number): string {
    if (this.device === 'blk') return this.#blockRequest(kind, sector, sectors, fill);
    if (this.device === 'net') return this.#netRequest(fill, sectors);
    if (this.device === 'scsi') return this.#scsiRequest(kind, sector, sectors, fill);
    if (this.device === 'console') return this.#textRequest(sectors, fill);
    if (this.device === 'ballooning') return this.#balloonRequest(sector, sectors);
    // Of the other types only the set-up is looked at.
    return this.device === 'rng' ? this.#entropyRequest(sectors) : OK;
  }

  /** What a block device was last told to hold, by sector; the driver's own memory of what it wrote. */
  readonly written: Map<number, number> = new Map();

  #blockRequest(kind: number, sector: number, sectors: number, fill: number): string {
    const queue = this.#queue(0);
    const length = sectors * SECTOR;
    const header = this.#take(HEADER_BYTES);
    this.#blockHeader(header, kind, sector);
    const data = this.#take(length);
    const status = this.#take(1);
    this.#platform.store8(status, 0xff);
    if (kind === 1) this.#fill(data, length, fill);
    const first = queue.next;
    this.#descriptor(queue, header, HEADER_BYTES, DESC_NEXT);
    this.#descriptor(queue, data, length, DESC_NEXT | (kind === 1 ? 0 : DESC_WRITE));
    this.#descriptor(queue, status, 1, DESC_WRITE);
    const failed = this.#exchange(queue, first, kind === 1 ? 1 : length + 1);
    if (failed !== OK) return failed;
    const answer = this.#platform.load8(status);
    if (answer !== 0) return `an honest block request ended with status ${answer}`;
    if (kind === 1) {
      for (let i = 0; i < sectors; i++) this.written.set(sector + i, fill);
      return OK;
    }
    return this.#compareSectors(data, sector, sectors);
  }

  #compareSectors(data: number, sector: number, sectors: number): string {
    for (let i = 0; i < sectors; i++) {
      const fill = this.written.get(sector + i);
      if (fill === undefined) continue;
      const at = data + i * SECTOR;
      const seen = this.#platform.load32(at, true);
      const wanted = Math.imul(fill, 0x0101_0101) >>> 0;
      const last = this.#platform.load32(at + SECTOR - 4, true);
      if (seen !== wanted || last !== wanted)
        return `sector ${sector + i} does not read back what was written to it`;
    }
    return OK;
  }

  /** The same through a SCSI disk, whose first answer after a reset is that there was one. */
  #scsiRequest(kind: number, sector: number, sectors: number, fill: number): string {
    const queue = this.#queue(SCSI_COMMAND_QUEUE);
    const length = sectors * SECTOR;
    const header = this.#hold(scsiCommand(0, 0, commandBlock(kind === 1 ? 0x2a : 0x28, 0, sector, sectors)));
    const data = this.#take(length);
    const response = this.#take(SCSI_RESPONSE_BYTES);
    if (kind === 1) this.#fill(data, length, fill);
    for (let attempt = 0; attempt < 2; attempt++) {
      const first = queue.next;
      this.#descriptor(queue, header, SCSI_REQUEST_BYTES, DESC_NEXT);
      if (kind === 1) this.#descriptor(queue, data, length, DESC_NEXT);
      this.#descriptor(queue, response, SCSI_RESPONSE_BYTES, DESC_WRITE | (kind === 1 ? 0 : DESC_NEXT));
      if (kind !== 1) this.#descriptor(queue, data, length, DESC_WRITE);
      const failed = this.#exchange(queue, first, ANY_LENGTH);
      if (failed !== OK) return failed;
      const answer = this.#platform.load32(response + SCSI_STATUS - 2, false) & 0xffff;
      if (answer === 0) break;
      const key = this.#platform.load8(response + SCSI_SENSE_KEY);
      if (attempt > 0 || answer !== SCSI_CHECK_CONDITION || key !== SCSI_UNIT_ATTENTION)
        return `an honest SCSI command ended with status and response 0x${answer.toString(16)}`;
    }
    if (kind !== 1) return this.#compareSectors(data, sector, sectors);
    for (let i = 0; i < sectors; i++) this.written.set(sector + i, fill);
    return OK;
  }

  /** Offers buffers as one chain, readable ones with what they say, writable ones as they are, and kicks. */
  offer(index: number, readable: readonly Uint8Array[], writable: readonly number[]): void {
    const queue = this.#queue(index);
    const first = queue.next;
    const count = readable.length + writable.length;
    for (const [i, bytes] of readable.entries()) {
      const at = this.#hold(bytes);
      this.#descriptor(queue, at, bytes.length, i + 1 < count ? DESC_NEXT : 0);
    }
    for (const [i, length] of writable.entries()) {
      const at = this.#take(length);
      this.#descriptor(queue, at, length, DESC_WRITE | (readable.length + i + 1 < count ? DESC_NEXT : 0));
    }
    this.#publish(queue, first);
    this.#storeAvailIndex(queue);
    this.notify(queue.index);
  }

  get littleEndianRings(): boolean {
    return this.#order;
  }

  #hold(bytes: Uint8Array): number {
    const at = this.#take(bytes.length);
    this.#platform.storeBytes(at, bytes, 0, bytes.length);
    return at;
  }

  /** The device fills a buffer; what lies behind the length that it tells must be untouched. */
  /** Text for the console: taken by its host or lost, it comes back. */
  #textRequest(sectors: number, fill: number): string {
    const queue = this.#queue(1);
    const length = 16 * sectors;
    const data = this.#take(length);
    this.#fill(data, length, fill);
    const first = queue.next;
    this.#descriptor(queue, data, length, 0);
    return this.#exchange(queue, first, 0);
  }

  /** Pages that the guest can spare: given up they read as zeros. */
  #balloonRequest(sector: number, sectors: number): string {
    const queue = this.#queue(0);
    const page = SPARE_PAGES + sector;
    for (let i = 0; i < sectors; i++) this.#fill((page + i) * PAGE, 64, 0xa5);
    const list = this.#take(4 * sectors);
    for (let i = 0; i < sectors; i++) this.#platform.store32(list + 4 * i, page + i, this.#order);
    const first = queue.next;
    this.#descriptor(queue, list, 4 * sectors, 0);
    const failed = this.#exchange(queue, first, 0);
    if (failed !== OK) return failed;
    for (let i = 0; i < sectors; i++) {
      if (this.#platform.load32((page + i) * PAGE, true) !== 0)
        return `page ${page + i} was given up and is still there`;
    }
    return OK;
  }

  #entropyRequest(sectors: number): string {
    const queue = this.#queue(0);
    const length = 8 * sectors;
    const data = this.#take(length + 8);
    this.#fill(data, length + 8, 0xa5);
    const first = queue.next;
    this.#descriptor(queue, data, length, DESC_WRITE);
    const failed = this.#exchange(queue, first, ANY_LENGTH);
    if (failed !== OK) return failed;
    // Entropy may come short: an answer that an earlier request left behind serves this one (QEMU chr_read).
    const told = this.#lastWritten;
    if (told < 1 || told > length) return `an entropy request of ${length} bytes reports ${told}`;
    if (this.#platform.load32(data + length, true) !== 0xa5a5_a5a5)
      return 'the device wrote behind its buffer';
    return OK;
  }

  /** A frame goes out; the back end sends it round, and it comes in as it went out. */
  #netRequest(fill: number, sectors: number): string {
    const receive = this.#queue(0);
    const transmit = this.#queue(1);
    const header = this.traits.legacy ? NET_HEADER_LEGACY : NET_HEADER_MODERN;
    const length = 60 + 8 * sectors;
    const space = this.#take(QUEUE_BUFFER_BYTES);
    const slot = receive.next;
    this.#descriptor(receive, space, QUEUE_BUFFER_BYTES, DESC_WRITE);
    this.#publish(receive, slot);
    this.#storeAvailIndex(receive);
    this.notify(0);
    const frame = this.#take(header + length);
    this.#fill(frame, header, 0);
    this.#fill(frame + header, length, fill);
    const first = transmit.next;
    this.#descriptor(transmit, frame, header + length, 0);
    const failed = this.#exchange(transmit, first, 0);
    if (failed !== OK) return failed;
    const arrived = this.#answer(receive, slot);
    if (arrived < 0) return this.#complaint;
    if (arrived !== header + length) return `a frame of ${length} bytes came back as ${arrived - header}`;
    const seen = this.#platform.load32(space + header + length - 4, true);
    return seen === Math.imul(fill, 0x0101_0101) >>> 0 ? OK : 'a frame came back with other bytes';
  }

  #complaint = OK;
  #lastWritten = 0;

  /** Publishes the chain at `first`, kicks, waits and looks at the used ring. */
  #exchange(queue: Queue, first: number, written: number): string {
    this.#publish(queue, first);
    this.#storeAvailIndex(queue);
    this.notify(queue.index);
    this.#platform.idle();
    const length = this.#answer(queue, first);
    if (length < 0) return this.#complaint;
    this.#lastWritten = length;
    return length === written || written === ANY_LENGTH
      ? OK
      : `an honest request reports ${length} bytes written instead of ${written}`;
  }

  /** Bytes written of the one chain expected back; negative with a complaint if another comes, or none. */
  #answer(queue: Queue, head: number): number {
    const base = this.#ringAt(queue.index) + queue.usedOffset;
    const index = this.#load16(base + 2);
    if (index !== ((queue.used + 1) & 0xffff)) {
      this.#complaint = `the used index of queue ${queue.index} is ${index} instead of ${(queue.used + 1) & 0xffff} after an honest request`;
      return -1;
    }
    const element = base + 4 + 8 * (queue.used % queue.size);
    queue.used = index;
    const id = this.#platform.load32(element, this.#order);
    if (id !== head) {
      this.#complaint = `the device returned head ${id} instead of ${head}`;
      return -1;
    }
    return this.#platform.load32(element + 4, this.#order);
  }

  // --- Laying things out ----------------------------------------------------------------------------------------

  #forget(): void {
    this.#pool = 0;
    this.#lastLow = 0;
    this.#lastHigh = 0;
    this.written.clear();
    for (const queue of this.#queues) {
      queue.enabled = false;
      queue.next = 0;
      queue.avail = 0;
      queue.used = 0;
    }
  }

  /** BARs where the driver wants them, and the addresses of the register structures that lie in them. */
  #assign(): void {
    this.#configDoubted = false;
    const { calls } = this;
    const devfn = this.#devfn;
    const hardware = this.#hardware;
    const bars = [0, 0, 0, 0, 0, 0];
    calls.configWrite(devfn, COMMAND, 2, 0);
    calls.configWrite(devfn, ROM, 4, 0);
    calls.configWrite(devfn, 0x10, 4, 0x1000);
    if ((calls.configRead(devfn, 0x10, 4) & 0x1001) === 0x1001) this.legacyPort = 0x1000;
    else this.legacyPort = -1;
    const msix = hardware.mem32Bus;
    calls.configWrite(devfn, 0x14, 4, msix);
    bars[1] = hardware.mem32Base;
    const wide = hardware.mem64Base !== 0;
    const modern = wide ? hardware.mem64Bus : msix + 0x100_0000;
    calls.configWrite(devfn, 0x20, 4, modern >>> 0);
    calls.configWrite(devfn, 0x24, 4, Math.floor(modern / TWO_32));
    bars[4] = wide ? hardware.mem64Base : hardware.mem32Base + 0x100_0000;
    calls.configWrite(devfn, COMMAND, 2, IO_MEMORY_MASTER);
    this.#walkCapabilities(bars);
  }

  /** The function in the next slot answers behind this one, if there is one. */
  openNeighbour(): void {
    const { calls } = this;
    const devfn = this.#devfn + SLOT_STEP;
    const at = calls.configRead(this.#devfn, 0x20, 4) & ~0xf;
    calls.configWrite(devfn, 0x20, 4, (at + NEIGHBOUR) >>> 0);
    calls.configWrite(devfn, 0x24, 4, calls.configRead(this.#devfn, 0x24, 4));
    calls.configWrite(devfn, COMMAND, 2, IO_MEMORY_MASTER);
  }

  #walkCapabilities(bars: readonly number[]): void {
    const { calls } = this;
    const devfn = this.#devfn;
    this.common = 0;
    this.msixBase = 0;
    let at = calls.configRead(devfn, CAP_POINTER, 1);
    for (let turns = 0; at !== 0 && turns < 16; turns++) {
      const head = calls.configRead(devfn, at, 4);
      const kind = head >>> 24;
      if ((head & 0xff) === CAP_MSIX) this.msixBase = bars[1] ?? 0;
      else if ((head & 0xff) === CAP_VENDOR && kind <= CFG_DEVICE) this.#structure(kind, at, bars);
      at = (head >>> 8) & 0xfc;
    }
  }

  #structure(kind: number, at: number, bars: readonly number[]): void {
    const { calls } = this;
    const bar = calls.configRead(this.#devfn, at + 4, 1);
    const base = (bars[bar] ?? 0) + calls.configRead(this.#devfn, at + 8, 4);
    if (kind === CFG_COMMON) this.common = base;
    else if (kind === CFG_ISR) this.isrBase = base;
    else if (kind === CFG_DEVICE) this.configBase = base;
    else if (kind === CFG_NOTIFY) {
      this.notifyBase = base;
      this.notifyMultiplier = calls.configRead(this.#devfn, at + 16, 4);
    }
  }

  #acceptLegacy(wanted: number): AcceptedNet {
    const offeredLow = this.portRead(0, 4);
    const low = (offeredLow & wanted & ~RING_FEATURES) >>> 0;
    this.portWrite(4, 4, low);
    return { offeredLow, low, high: 0 };
  }

  #acceptModern(wantedLow: number, wantedHigh: number): AcceptedNet {
    const platform = this.#platform;
    const { common, traits } = this;
    platform.write(common, 4, 0, false);
    const offeredLow = platform.read(common + 4, 4, false);
    platform.write(common, 4, 1, false);
    const offeredHigh = platform.read(common + 4, 4, false);
    const low = (offeredLow & wantedLow & ~RING_FEATURES) >>> 0;
    const must = VERSION_1 | (traits.acceptsPlatform ? ACCESS_PLATFORM : 0);
    const high = (offeredHigh & ((wantedHigh & NET_HIGH) | must)) >>> 0;
    platform.write(common + 8, 4, 0, false);
    platform.write(common + 12, 4, low, false);
    platform.write(common + 8, 4, 1, false);
    platform.write(common + 12, 4, high, false);
    return { offeredLow, low, high };
  }

  #negotiateLegacy(): void {
    const offered = this.portRead(0, 4);
    this.portWrite(4, 4, (offered & this.#wantedFeatures) >>> 0);
  }

  #negotiateModern(): boolean {
    const platform = this.#platform;
    const { common, traits } = this;
    platform.write(common, 4, 0, false);
    const low = platform.read(common + 4, 4, false);
    platform.write(common, 4, 1, false);
    const high = platform.read(common + 4, 4, false);
    platform.write(common + 8, 4, 0, false);
    platform.write(common + 12, 4, (low & this.#wantedFeatures) >>> 0, false);
    platform.write(common + 8, 4, 1, false);
    platform.write(
      common + 12,
      4,
      high & (VERSION_1 | (traits.acceptsPlatform ? ACCESS_PLATFORM : 0)),
      false,
    );
    const status = ACKNOWLEDGE | DRIVER | FEATURES_OK;
    this.writeStatus(status);
    return this.readStatus() === status;
  }

  #openQueue(index: number): string {
    const queue = this.#queues[index];
    if (queue === undefined) return OK;
    const failed = this.traits.legacy ? this.#openLegacy(queue) : this.#openModern(queue);
    queue.enabled = failed === OK;
    return failed;
  }

  #openLegacy(queue: Queue): string {
    this.portWrite(14, 2, queue.index);
    const size = this.portRead(12, 2);
    if (size === 0 || size > 1024) return `queue ${queue.index} has size ${size}`;
    layOut(queue, size);
    this.portWrite(8, 4, (RINGS + queue.index * RING_BYTES) / PAGE);
    return OK;
  }

  #openModern(queue: Queue): string {
    const platform = this.#platform;
    const { common } = this;
    platform.write(common + 0x16, 2, queue.index, false);
    const offered = platform.read(common + 0x18, 2, false);
    if (offered === 0 || offered > 1024) return `queue ${queue.index} has size ${offered}`;
    // A small ring wraps within a run.
    const size = Math.min(offered, 16);
    if (size !== offered) platform.write(common + 0x18, 2, size, false);
    layOut(queue, size);
    queue.notifyOffset = platform.read(common + 0x1e, 2, false);
    const base = this.translated ? RINGS_BUS + queue.index * RING_BYTES : RINGS + queue.index * RING_BYTES;
    this.#address(common + 0x20, base);
    this.#address(common + 0x28, base + queue.availOffset);
    this.#address(common + 0x30, base + queue.usedOffset);
    platform.write(common + 0x1c, 2, 1, false);
    return OK;
  }

  #address(register: number, value: number): void {
    this.#platform.write(register, 4, value >>> 0, false);
    this.#platform.write(register + 4, 4, Math.floor(value / TWO_32), false);
  }

  /** Indices back to 0; descriptors may keep what they hold. */
  #clearRing(base: number): void {
    for (const queue of this.#queues) {
      if (this.#ringAt(queue.index) !== base || queue.size === 0) continue;
      this.#platform.store32(base + queue.availOffset, 0, true);
      this.#platform.store32(base + queue.usedOffset, 0, true);
    }
  }

  #queue(index: number): Queue {
    const count = queueCount(this.device);
    return this.#queues[index % count] ?? newQueue(0);
  }

  #ringAt(index: number): number {
    return RINGS + index * RING_BYTES;
  }

  /** Room for a buffer, 16 bytes aligned, in a pool that is used round and round. */
  #take(length: number): number {
    const bytes = (length + 15) & ~15;
    if (this.#pool + bytes > POOL_PAGES * PAGE) this.#pool = 0;
    const at = POOL + this.#pool;
    this.#pool += Math.min(bytes, 2 * PAGE);
    return at;
  }

  #blockHeader(at: number, kind: number, sector: number): void {
    this.#platform.store32(at, kind, this.#order);
    this.#platform.store32(at + 4, 0, this.#order);
    this.#platform.store32(at + (this.#order ? 8 : 12), sector, this.#order);
    this.#platform.store32(at + (this.#order ? 12 : 8), 0, this.#order);
  }

  #fill(at: number, length: number, fill: number): void {
    const bytes = this.#bytes;
    const step = Math.min(length, bytes.length);
    bytes.fill(fill, 0, step);
    this.#platform.storeBytes(at, bytes, 0, step);
  }

  /** An honest descriptor at the queue's next place, for a buffer of the pool. */
  #descriptor(queue: Queue, address: number, length: number, flags: number): void {
    const at = queue.next;
    queue.next = (at + 1) % queue.size;
    this.#low = this.translated ? address - POOL + POOL_BUS : address;
    this.#high = 0;
    this.#writeDescriptor(this.#ringAt(queue.index) + 16 * at, length, flags, queue.next);
  }

  #writeDescriptor(at: number, length: number, flags: number, next: number): void {
    const platform = this.#platform;
    const order = this.#order;
    platform.store32(order ? at : at + 4, this.#low, order);
    platform.store32(order ? at + 4 : at, this.#high, order);
    platform.store32(at + 8, length, order);
    platform.store16(at + 12, flags, order);
    platform.store16(at + 14, next, order);
  }

  #writeDirect(queue: Queue, elements: readonly Element[]): void {
    const base = this.#ringAt(queue.index);
    const last = elements.length - 1;
    for (let i = 0; i <= last; i++) {
      const element = elements[i];
      if (element === undefined) continue;
      const at = queue.next;
      queue.next = (at + 1) % queue.size;
      const flags =
        (element.write ? DESC_WRITE : 0) | (i < last || element.next !== undefined ? DESC_NEXT : 0);
      this.locate(element, i === 0, elements);
      this.#writeDescriptor(
        base + 16 * at,
        element.length,
        flags ^ element.flags,
        element.next ?? queue.next,
      );
    }
  }

  #writeIndirect(queue: Queue, elements: readonly Element[], claimed: number): void {
    const last = elements.length - 1;
    const table = this.#take(16 * elements.length);
    for (let i = 0; i <= last; i++) {
      const element = elements[i];
      if (element === undefined) continue;
      const flags =
        (element.write ? DESC_WRITE : 0) | (i < last || element.next !== undefined ? DESC_NEXT : 0);
      this.locate(element, i === 0, elements);
      this.#writeDescriptor(table + 16 * i, element.length, flags ^ element.flags, element.next ?? i + 1);
    }
    this.#descriptor(queue, table, claimed, DESC_INDIRECT);
  }

  #writeShapeLink(
    base: number,
    descriptor: number,
    element: Element | undefined,
    first: boolean,
    links: number,
  ): void {
    const at = descriptor % 1024;
    const content = element ?? (first ? SHAPE_HEAD : SHAPE_DATA);
    this.locate(content, first, links > 1 ? [content, SHAPE_DATA] : [content]);
    this.#writeDescriptor(
      base + 16 * at,
      content.length,
      (content.write ? DESC_WRITE : 0) ^ content.flags,
      0,
    );
  }

  #linkTo(base: number, from: number, to: number): void {
    const at = base + 16 * from;
    this.#store16(at + 12, this.#load16(at + 12) | DESC_NEXT);
    this.#store16(at + 14, to);
  }

  #publish(queue: Queue, head: number): void {
    const base = this.#ringAt(queue.index) + queue.availOffset;
    this.#store16(base + 4 + 2 * (queue.avail % queue.size), head);
    queue.avail = (queue.avail + 1) & 0xffff;
  }

  #storeAvailIndex(queue: Queue): void {
    this.#store16(this.#ringAt(queue.index) + queue.availOffset + 2, queue.avail);
  }

  #store16(at: number, value: number): void {
    this.#platform.store16(at, value, this.#order);
  }

  #load16(at: number): number {
    return this.#platform.load16(at, this.#order);
  }

  // --- Places ---------------------------------------------------------------------------------------------------

  /** The bus address of an element, into #high and #low; buffers get room and the content that a request wants. */
  locate(element: Element, first: boolean, elements: readonly Element[]): void {
    if (element.place === 'buffer') this.#buffer(element, first, elements);
    else if (element.place === 'wrap') {
      this.#low = 0xffff_ff00;
      this.#high = 0xffff_ffff;
    } else if (element.place === 'same') {
      this.#low = this.#lastLow;
      this.#high = this.#lastHigh;
    } else {
      const at = this.#placeAddress(element.place);
      this.#low = at >>> 0;
      this.#high = Math.floor(at / TWO_32);
    }
    this.#lastLow = this.#low;
    this.#lastHigh = this.#high;
    const low = this.#low + element.offset;
    this.#low = low >>> 0;
    if (low >= TWO_32) this.#high = (this.#high + 1) >>> 0;
  }

  #buffer(element: Element, first: boolean, elements: readonly Element[]): void {
    const room = Math.min(element.length, 2 * PAGE) + Math.min(element.offset, PAGE);
    const at = this.#take(Math.max(16, room));
    if (first && !element.write && this.device === 'blk') {
      const writes = elements.length > 1 && elements[1]?.write === false;
      this.#blockHeader(at, writes ? 1 : 0, HOSTILE_SECTOR);
    }
    this.#low = this.translated ? at - POOL + POOL_BUS : at;
    this.#high = 0;
  }

  #placeAddress(place: Place): number {
    const rings = this.translated ? RINGS_BUS : RINGS;
    const queue = this.#queues[0];
    switch (place) {
      case 'unmapped':
        return this.translated ? UNMAPPED_BUS : this.#platform.ramBytes + 0x10_0000;
      case 'read-only':
        return this.translated ? READ_ONLY_BUS : READ_ONLY;
      case 'write-only':
        return this.translated ? WRITE_ONLY_BUS : WRITE_ONLY;
      case 'beyond-window':
        return this.translated ? BEYOND_WINDOW : BEYOND_RAM;
      case 'hole':
        return this.translated ? HOLE_BUS : this.#platform.ramBytes + 0x20_0000;
      case 'descriptors':
        return rings;
      case 'available':
        return rings + (queue?.availOffset ?? 0);
      case 'used':
        return rings + (queue?.usedOffset ?? 0);
      case 'own-bar':
        return this.translated ? OWN_BAR_BUS : this.common === 0 ? this.#hardware.mem32Base : this.common;
      case 'msi':
        return MSI_WINDOW;
      case 'crossing':
        return this.translated ? POOL_BUS + POOL_PAGES * PAGE - CROSSING : this.#platform.ramBytes - CROSSING;
      case 'physical':
        return SCRATCH;
      default:
        return 0;
    }
  }

  // --- What steps do to the map ---------------------------------------------------------------------------------

  /** Bus address of page `page` of a window, and the window's number, for the TCE steps. */
  windowPage(window: number, page: number): number {
    return window === 0 ? page * PAGE : 0x800_0000_0000_0000 + page * PAGE;
  }

  get liobn(): number {
    return this.#hardware.liobn;
  }

  get devfn(): number {
    return this.#devfn;
  }

  get bridge(): Hardware {
    return this.#hardware;
  }

  /** Real address that a TCE step names. */
  target(number: number): number {
    const targets = [POOL, RINGS, this.#platform.ramBytes + 0x10_0000, this.common, 0];
    return targets[number] ?? 0;
  }

  /** Puts every page of an area (rings of a queue, or the pool) again, with another permission or behind RAM. */
  remap(index: number, area: number, permission: number, hole: boolean): void {
    if (!this.translated) return;
    const queue = this.#queue(index);
    const ring = RINGS_BUS + queue.index * RING_BYTES;
    const starts = [ring, ring + queue.availOffset, ring + queue.usedOffset, POOL_BUS];
    const start = (starts[area] ?? ring) & ~(PAGE - 1);
    const pages = area === 3 ? POOL_PAGES : 1;
    for (let i = 0; i < pages; i++) {
      const bus = start + i * PAGE;
      const real = area === 3 ? bus - POOL_BUS + POOL : bus - RINGS_BUS + RINGS;
      this.calls.hcall(
        H_PUT_TCE,
        this.#hardware.liobn,
        bus,
        (hole ? real + this.#platform.ramBytes : real) + permission,
      );
    }
  }

  /** Ring addresses of a queue as the set-up steps write them: the start of an area, on the bus. */
  ringAddress(index: number, area: number): number {
    const queue = this.#queue(index);
    const offsets = [0, queue.availOffset, queue.usedOffset];
    return (this.translated ? RINGS_BUS : RINGS) + queue.index * RING_BYTES + (offsets[area] ?? 0);
  }
}

const SHAPE_HEAD: Element = {
  length: 16,
  write: false,
  place: 'buffer',
  offset: 0,
  flags: 0,
  next: undefined,
};
const SHAPE_DATA: Element = {
  length: 512,
  write: true,
  place: 'buffer',
  offset: 0,
  flags: 0,
  next: undefined,
};

function newQueue(index: number): Queue {
  return {
    index,
    size: 16,
    enabled: false,
    next: 0,
    avail: 0,
    used: 0,
    notifyOffset: index,
    availOffset: PAGE,
    usedOffset: 2 * PAGE,
  };
}

/** One block, as the legacy interface wants it; the modern one takes it as well (2.7.2). */
function layOut(queue: Queue, size: number): void {
  queue.size = size;
  queue.availOffset = 16 * size;
  queue.usedOffset = Math.ceil((16 * size + 6 + 2 * size) / PAGE) * PAGE;
}

/** What a network device offered, word 0, and what was taken of it. */
interface AcceptedNet {
  readonly offeredLow: number;
  readonly low: number;
  readonly high: number;
}

const CSUM = 0;
const MRG_RXBUF = 15;
const HASH_REPORT_HIGH = 57 - 32;
/** Indirect descriptors, event indexes and bit 30, which these rings do without. */
const RING_FEATURES = 0x7000_0000;
/** HASH_REPORT, RSS and RSC_EXT, in word 1. */
const NET_HIGH = 0x3200_0000;

function hasBit(word: number, bit: number): boolean {
  return ((word >>> bit) & 1) === 1;
}

function headerBytes({ low, high }: AcceptedNet, modern: boolean): number {
  if (modern && hasBit(high, HASH_REPORT_HIGH)) return NET_HEADER_HASH;
  return modern || hasBit(low, MRG_RXBUF) ? NET_HEADER_MODERN : NET_HEADER_LEGACY;
}

function queueCount(device: string): number {
  return QUEUES.get(device) ?? 1;
}

/** TCEs of the rings, and from the second page on those of the pool, big-endian as the hypervisor reads them. */
function tceList(ringPages: number): Uint8Array {
  const bytes = new Uint8Array(PAGE + 8 * POOL_PAGES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < ringPages; i++) view.setUint32(8 * i + 4, RINGS + i * PAGE + 3);
  for (let i = 0; i < POOL_PAGES; i++) view.setUint32(PAGE + 8 * i + 4, POOL + i * PAGE + 3);
  return bytes;
}
