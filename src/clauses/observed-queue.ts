import { Chain, half, word } from './chain.ts';
import { deviceAddress } from './device-address.ts';
import type { Area, HookLists } from './hooks.ts';
import type { GuestMemoryView } from './guest-memory-view.ts';
import type { TranslationView } from './translation-view.ts';

const DESCRIPTOR = 16;
const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
/** Packed: the two bits that say whose turn a descriptor is (2.8.1). */
const AVAIL = 1 << 7;
const USED = 1 << 15;
const SIZE_MAX = 32768;
/** Indirect tables are followed this far: QEMU's own limit, and beyond what any lawful driver makes. */
const TABLE_MAX = 1024;
const NO_ADDRESS = -1;

/**
 * How a driver leaves its ring undefined: the available index moves on by more than the ring holds; an available entry
 * names no descriptor of the table; a descriptor leads out of its table; a chain never ends; a buffer that is under way
 * is made available again.
 */
export type RingFault = 'index' | 'head' | 'outside' | 'loop' | 'reused';

/** What a queue asks of the stream around it. */
export interface QueueSurroundings {
  readonly memory: GuestMemoryView;
  readonly translation: TranslationView;
  /** Number of the event that is being seen. */
  readonly event: number;
}

/** The function that a queue belongs to, as its queue needs it. */
export interface QueueOwner {
  readonly surroundings: QueueSurroundings;
  readonly hooks: HookLists;
  /** Byte order of rings. */
  readonly little: boolean;
  readonly packed: boolean;
  /** Device addresses go through an IOMMU: ACCESS_PLATFORM was accepted. */
  readonly translated: boolean;
}

/** A ring's two sides: what the driver stored into it and what the device read from and wrote to it. */
export class ObservedQueue {
  readonly index: number;
  /** Entries as read, or as the driver set them; 0: nobody said. */
  size = 0;
  /** The size that the device offered, read before the driver set any; 0: nobody read it. */
  offeredSize = 0;
  enabled = false;
  packed = false;
  little = true;
  /** MSI-X vector last written (0xffff: none). */
  vector = 0xffff;
  /** As read from the vector register last; -1: not read since it was written. */
  vectorRead = -1;
  notifyOffset = -1;
  notifyData = -1;
  /** Device addresses of the areas (`deviceAddress`); as written while not enabled. */
  descriptors = 0;
  driverArea = 0;
  deviceArea = 0;
  /** The same, by the two registers of each. */
  readonly halves: Readonly<
    Record<'descriptors' | 'driverArea' | 'deviceArea', { low: number; high: number }>
  > = {
    descriptors: { low: 0, high: 0 },
    driverArea: { low: 0, high: 0 },
    deviceArea: { low: 0, high: 0 },
  };
  /** Event at which it was enabled. */
  enabledAt = 0;

  /** Guest addresses of the areas, -1 where they are not known or not in one piece. */
  guestDescriptors: number = NO_ADDRESS;
  guestDriverArea: number = NO_ADDRESS;
  guestDeviceArea: number = NO_ADDRESS;
  /** The driver's stores can be seen: its side of the ring is known, not only what the device reads of it. */
  driverSeen = false;
  /** The driver did what leaves its ring undefined since it was enabled: trust nothing. */
  broken: RingFault | '' = '';
  /** The same, of what the device has read: it knows. */
  puzzled: RingFault | '' = '';

  /** Split: the driver's available index, and the device's used index, as stored last. */
  availableIndex = 0;
  usedIndex = 0;
  /** Split: available entries that the device has read, modulo 65536. */
  takenIndex = 0;
  /** avail.flags, used_event; used.flags, avail_event. Packed: the two event suppression structures' words. */
  driverFlags = 0;
  driverEvent = 0;
  deviceFlags = 0;
  deviceEvent = 0;
  /** Packed: where driver and device stand, with their wrap counters. */
  availableAt = 0;
  availableWrap = true;
  takenAt = 0;
  takenWrap = true;
  usedAt = 0;
  usedWrap = true;

  /** Chains made available, taken and used since the queue was enabled. */
  published = 0;
  taken = 0;
  used = 0;

  readonly #owner: QueueOwner;
  readonly #chains: (Chain | undefined)[] = [];
  #lived = false;
  /** Those under way. */
  readonly #flying: Chain[] = [];
  /** The chain whose descriptors the device is reading, and its indirect table. */
  #reading: Chain | undefined;
  #next = -1;
  #tableAt = NO_ADDRESS;
  #tableLength = 0;
  #tableNext = 0;
  /** Chain that each descriptor of the ring was made available with; -1: none. */
  #owners: Int32Array = new Int32Array(0);
  /** Packed: the ring as stored by both sides last. */
  #ring: Uint8Array = new Uint8Array(0);
  /** Split: used entries as written last: id and length by slot. */
  #usedIds: Float64Array = new Float64Array(0);
  #usedLengths: Float64Array = new Float64Array(0);

  constructor(index: number, owner: QueueOwner) {
    this.index = index;
    this.#owner = owner;
  }

  /** As after a device reset, whose queue register the driver has not touched. */
  reset(): void {
    this.enabled = false;
    this.size = this.offeredSize;
    this.vector = 0xffff;
    this.vectorRead = -1;
    this.descriptors = 0;
    this.driverArea = 0;
    this.deviceArea = 0;
    for (const pair of [this.halves.descriptors, this.halves.driverArea, this.halves.deviceArea]) {
      pair.low = 0;
      pair.high = 0;
    }
    this.enabledAt = 0;
    // Most queues whose registers are looked at never come to life.
    if (this.#lived) this.#clearRing();
    this.#lived = false;
  }

  /** Nothing is known of it, not even what the device offers. */
  forget(): void {
    this.offeredSize = 0;
    this.notifyOffset = -1;
    this.notifyData = -1;
    this.reset();
  }

  #clearRing(): void {
    this.guestDescriptors = NO_ADDRESS;
    this.guestDriverArea = NO_ADDRESS;
    this.guestDeviceArea = NO_ADDRESS;
    this.driverSeen = false;
    this.broken = '';
    this.puzzled = '';
    this.#owners.fill(-1);
    this.availableIndex = 0;
    this.usedIndex = 0;
    this.takenIndex = 0;
    this.driverFlags = 0;
    this.driverEvent = 0;
    this.deviceFlags = 0;
    this.deviceEvent = 0;
    this.availableAt = 0;
    this.availableWrap = true;
    this.takenAt = 0;
    this.takenWrap = true;
    this.usedAt = 0;
    this.usedWrap = true;
    this.published = 0;
    this.taken = 0;
    this.used = 0;
    this.#stopReading();
    for (const chain of this.#flying) chain.inFlight = false;
    this.#flying.length = 0;
  }

  /** A chain ends: it is the driver's again. */
  #land(chain: Chain): void {
    chain.inFlight = false;
    const at = this.#flying.indexOf(chain);
    const last = this.#flying.pop();
    if (last !== undefined && last !== chain && at >= 0) this.#flying[at] = last;
  }

  /** The areas are where they are: both sides begin. */
  enable(): void {
    this.#clearRing();
    this.#lived = true;
    this.enabled = true;
    this.enabledAt = this.#owner.surroundings.event;
    this.packed = this.#owner.packed;
    this.little = this.#owner.little;
    if (this.size > SIZE_MAX) this.size = 0;
    if (this.packed && this.#ring.length < this.size * DESCRIPTOR)
      this.#ring = new Uint8Array(this.size * DESCRIPTOR);
    this.#ring.fill(0);
    if (this.#owners.length < this.size) this.#owners = new Int32Array(this.size).fill(-1);
    if (!this.packed && this.#usedIds.length < this.size) {
      this.#usedIds = new Float64Array(this.size);
      this.#usedLengths = new Float64Array(this.size);
    }
    this.locate();
  }

  get descriptorBytes(): number {
    return DESCRIPTOR * this.size;
  }

  /** Some of the areas lie over another. */
  get overlaps(): boolean {
    const { descriptors, driverArea, deviceArea } = this;
    const apart = (from: number, bytes: number, other: number, otherBytes: number): boolean =>
      from + bytes <= other || other + otherBytes <= from;
    return !(
      apart(descriptors, this.descriptorBytes, driverArea, this.driverBytes) &&
      apart(descriptors, this.descriptorBytes, deviceArea, this.deviceBytes) &&
      apart(driverArea, this.driverBytes, deviceArea, this.deviceBytes)
    );
  }

  get driverBytes(): number {
    return this.packed ? 4 : 6 + 2 * this.size;
  }

  get deviceBytes(): number {
    return this.packed ? 4 : 6 + 8 * this.size;
  }

  /** Finds the areas in guest memory. Asked again where a mapping came after the queue. */
  locate(): void {
    const { surroundings } = this.#owner;
    if (!this.enabled || this.driverSeen || !surroundings.memory.seen || this.size === 0) return;
    this.guestDescriptors = this.#guestAddress(this.descriptors, this.descriptorBytes);
    this.guestDriverArea = this.#guestAddress(this.driverArea, this.driverBytes);
    this.guestDeviceArea = this.#guestAddress(this.deviceArea, this.deviceBytes);
    this.driverSeen = this.guestDescriptors >= 0 && this.guestDriverArea >= 0;
    if (this.driverSeen) this.#readDriverSide();
  }

  /** What the driver wrote before the queue was live. */
  #readDriverSide(): void {
    const { memory } = this.#owner.surroundings;
    if (this.packed) {
      this.#copyRing();
      this.#publishPacked();
      return;
    }
    this.driverFlags = memory.half(this.guestDriverArea, this.little);
    const index = memory.half(this.guestDriverArea + 2, this.little);
    this.driverEvent = memory.half(this.guestDriverArea + 4 + 2 * this.size, this.little);
    if (index !== this.availableIndex) this.#publish(index);
  }

  /** Guest address of a device address, if all of it lies in one piece; -1 if not. */
  #guestAddress(address: number, length: number): number {
    if (address < 0) return NO_ADDRESS;
    if (!this.#owner.translated) return address;
    const { translation } = this.#owner.surroundings;
    const first = translation.resolve(address);
    for (let at = 4096 - (address % 4096); at < length; at += 4096) {
      if (first < 0 || translation.resolve(address + at) !== first + at) return NO_ADDRESS;
    }
    return first;
  }

  /** The chain under way that a descriptor of the ring belongs to, as the driver made it available. */
  ownerOf(descriptor: number): Chain | undefined {
    const id = this.#owners[descriptor] ?? -1;
    const chain = id < 0 ? undefined : this.#chains[id];
    return chain?.inFlight === true ? chain : undefined;
  }

  /** Calls `visit` with every chain that is under way. */
  eachInFlight(visit: (chain: Chain) => void): void {
    for (const chain of this.#flying) visit(chain);
  }

  /** The chain of a head or id, if it ever was one. */
  chain(id: number): Chain | undefined {
    return this.#chains[id];
  }

  /** The chain under way whose element of a direction holds a device address. */
  holding(address: number, write: boolean): Chain | undefined {
    const reading = this.#reading;
    if (reading !== undefined && reading.find(address, write) >= 0) return reading;
    for (const chain of this.#flying) if (chain.taken && chain.find(address, write) >= 0) return chain;
    return undefined;
  }

  /** Where a device address lies in this ring; `areaOffset` says how far in. */
  areaOffset = 0;
  areaOf(address: number): Area {
    if (!this.enabled || address < 0) return 'none';
    this.areaOffset = address - this.descriptors;
    if (this.areaOffset >= 0 && this.areaOffset < this.descriptorBytes) return 'descriptors';
    this.areaOffset = address - this.driverArea;
    if (this.areaOffset >= 0 && this.areaOffset < this.driverBytes) return 'driver';
    this.areaOffset = address - this.deviceArea;
    if (this.areaOffset >= 0 && this.areaOffset < this.deviceBytes) return 'device';
    this.areaOffset = address - this.#tableAt;
    if (this.#tableAt >= 0 && this.areaOffset >= 0 && this.areaOffset < this.#tableLength) return 'table';
    return 'none';
  }

  /** The chain whose indirect table is being read. */
  get tableOf(): Chain | undefined {
    return this.#reading;
  }

  // --- The driver's stores ---------------------------------------------------------------------------------------

  /** A store of the driver that begins in `area`; memory already has it. */
  driverWrote(area: Area, offset: number, length: number): void {
    if (this.packed) {
      if (area === 'descriptors') this.#packedStore(offset, length);
      else if (area === 'driver') this.#driverEvents();
      return;
    }
    if (area !== 'driver') return;
    const { memory } = this.#owner.surroundings;
    if (offset < 2) this.driverFlags = memory.half(this.guestDriverArea, this.little);
    const event = 4 + 2 * this.size;
    if (offset + length > event) this.driverEvent = memory.half(this.guestDriverArea + event, this.little);
    if (offset < 4 && offset + length > 2) {
      const index = memory.half(this.guestDriverArea + 2, this.little);
      if (index !== this.availableIndex) this.#publish(index);
    }
  }

  #publish(index: number): void {
    const { memory } = this.#owner.surroundings;
    const count = (index - this.availableIndex) & 0xffff;
    if (count > this.size) this.#distrust('index');
    const shown = Math.min(count, this.size);
    let at = (index - shown) & 0xffff;
    this.availableIndex = index;
    for (let i = 0; i < shown; i++) {
      const head = memory.half(this.guestDriverArea + 4 + 2 * (at % this.size), this.little);
      at = (at + 1) & 0xffff;
      if (head >= this.size) this.#distrust('head');
      // What a broken ring offers besides, nobody can tell from what it does not.
      if (this.broken !== '') {
        this.published++;
        continue;
      }
      const chain = this.#open(head);
      if (!this.#describeSplit(chain, head)) continue;
      this.#tellAvailable(chain);
    }
  }

  #open(id: number): Chain {
    let chain = this.#chains[id];
    if (chain === undefined) {
      chain = new Chain();
      this.#chains[id] = chain;
    }
    if (chain.inFlight && chain.byDriver) this.#distrust('reused');
    if (!chain.inFlight) this.#flying.push(chain);
    chain.open(id);
    chain.serial = this.published;
    return chain;
  }

  #tellAvailable(chain: Chain): void {
    chain.byDriver = true;
    chain.availableAt = this.#owner.surroundings.event;
    this.published++;
    this.#requestFromMemory(chain);
    for (const hook of this.#owner.hooks.onAvailable) hook(this, chain);
  }

  /** Follows a chain through the driver's memory. False if it never ends or leads out of the table. */
  #describeSplit(chain: Chain, head: number): boolean {
    const { memory } = this.#owner.surroundings;
    let base = this.guestDescriptors;
    let entries = this.size;
    let index = head;
    const most = this.size + TABLE_MAX;
    for (let links = 0; links < most; links++) {
      if (!chain.indirect && links >= this.size) break;
      const at = base + DESCRIPTOR * index;
      const flags = memory.half(at + 12, this.little);
      const address = this.#memoryAddress(at);
      const length = memory.word(at + 8, this.little);
      if (base === this.guestDescriptors) {
        chain.descriptors++;
        this.#owners[index] = chain.id;
      }
      if ((flags & INDIRECT) !== 0 && !chain.indirect) {
        const table = this.#guestAddress(address, Math.min(length, DESCRIPTOR * TABLE_MAX));
        chain.indirect = true;
        if (table < 0) return true;
        base = table;
        entries = Math.floor(length / DESCRIPTOR);
        index = 0;
        continue;
      }
      chain.add(address, length, (flags & WRITE) !== 0);
      if ((flags & NEXT) === 0) return true;
      index = memory.half(at + 14, this.little);
      if (index >= entries) {
        this.#distrust('outside');
        return false;
      }
    }
    this.#distrust('loop');
    return false;
  }

  #memoryAddress(at: number): number {
    const { memory } = this.#owner.surroundings;
    const first = memory.word(at, this.little);
    const second = memory.word(at + 4, this.little);
    return this.little ? deviceAddress(second, first) : deviceAddress(first, second);
  }

  #distrust(why: RingFault): void {
    if (this.broken !== '') return;
    this.broken = why;
    for (const hook of this.#owner.hooks.onRingBroken) hook(this, why, false);
  }

  /** The device has read what is wrong. */
  #devicePuzzled(why: RingFault): void {
    if (this.puzzled !== '') return;
    this.puzzled = why;
    this.broken ||= why;
    for (const hook of this.#owner.hooks.onRingBroken) hook(this, why, true);
  }

  /** The readable bytes as the driver left them: what the device does not read is known all the same. */
  #requestFromMemory(chain: Chain): void {
    const { memory } = this.#owner.surroundings;
    for (let at = 0; at < chain.count && chain.requestKnown < REQUEST_SHOWN; at++) {
      if (chain.writable(at)) continue;
      const length = Math.min(chain.length(at), REQUEST_SHOWN - chain.requestKnown);
      const guest = this.#guestAddress(chain.address(at), length);
      if (guest < 0 || !memory.knows(guest)) return;
      for (let i = 0; i < length; i++) SCRATCH[i] = memory.byte(guest + i);
      chain.fillRequest(chain.start(at), SCRATCH, 0, length);
    }
  }

  #driverEvents(): void {
    const { memory } = this.#owner.surroundings;
    this.driverEvent = memory.half(this.guestDriverArea, true);
    this.driverFlags = memory.half(this.guestDriverArea + 2, true);
  }

  #copyRing(): void {
    const { memory } = this.#owner.surroundings;
    for (let i = 0; i < this.descriptorBytes; i++) this.#ring[i] = memory.byte(this.guestDescriptors + i);
    this.#driverEvents();
  }

  #packedStore(offset: number, length: number): void {
    const { memory } = this.#owner.surroundings;
    const end = Math.min(offset + length, this.descriptorBytes);
    for (let i = offset; i < end; i++) this.#ring[i] = memory.byte(this.guestDescriptors + i);
    // Only a store to the flags at the place where the driver stands makes anything available.
    const flags = DESCRIPTOR * this.availableAt + 14;
    if (offset <= flags && end > flags) this.#publishPacked();
  }

  /** Flags of the packed descriptor at a place, as stored last by either side. */
  packedFlags(at: number): number {
    return half(this.#ring, DESCRIPTOR * at + 14, true);
  }

  packedId(at: number): number {
    return half(this.#ring, DESCRIPTOR * at + 12, true);
  }

  packedLength(at: number): number {
    return word(this.#ring, DESCRIPTOR * at + 8, true);
  }

  #packedAddress(at: number): number {
    return deviceAddress(
      word(this.#ring, DESCRIPTOR * at + 4, true),
      word(this.#ring, DESCRIPTOR * at, true),
    );
  }

  #publishPacked(): void {
    for (
      let chains = 0;
      chains < this.size && isAvailable(this.packedFlags(this.availableAt), this.availableWrap);
      chains++
    ) {
      let last = this.availableAt;
      let links = 1;
      while ((this.packedFlags(last) & NEXT) !== 0 && links < this.size) {
        last = (last + 1) % this.size;
        links++;
      }
      const chain = this.#open(this.packedId(last));
      for (let i = 0; i < links; i++) {
        const at = (this.availableAt + i) % this.size;
        this.#owners[at] = chain.id;
        this.#addPacked(chain, at, true);
      }
      this.availableAt += links;
      if (this.availableAt >= this.size) {
        this.availableAt -= this.size;
        this.availableWrap = !this.availableWrap;
      }
      this.#tellAvailable(chain);
    }
  }

  #addPacked(chain: Chain, at: number, followTable: boolean): void {
    const flags = this.packedFlags(at);
    const address = this.#packedAddress(at);
    const length = this.packedLength(at);
    chain.descriptors++;
    if ((flags & INDIRECT) === 0) {
      chain.add(address, length, (flags & WRITE) !== 0);
      return;
    }
    chain.indirect = true;
    if (!followTable) {
      this.#tableAt = address;
      this.#tableLength = length;
      this.#tableNext = 0;
      return;
    }
    const table = this.#guestAddress(address, Math.min(length, DESCRIPTOR * TABLE_MAX));
    if (table < 0) return;
    const { memory } = this.#owner.surroundings;
    for (let i = 0; i < Math.min(Math.floor(length / DESCRIPTOR), TABLE_MAX); i++) {
      const entry = table + DESCRIPTOR * i;
      const writable = (memory.half(entry + 14, true) & WRITE) !== 0;
      chain.add(this.#memoryAddress(entry), memory.word(entry + 8, true), writable);
    }
  }

  // --- The device's reads and writes -----------------------------------------------------------------------------

  deviceRead(area: Area, offset: number, bytes: Uint8Array, from: number, length: number): void {
    if (area === 'table') this.#readTable(offset, bytes, from, length);
    else if (this.packed) this.#readPacked(area, offset, bytes, from, length);
    else if (area === 'descriptors') this.#readDescriptors(offset, bytes, from, length);
    else if (area === 'driver') this.#readAvailable(offset, bytes, from, length);
  }

  #readAvailable(offset: number, bytes: Uint8Array, from: number, length: number): void {
    if (length !== 2) return;
    const value = half(bytes, from, this.little);
    if (offset === 0) {
      if (!this.driverSeen) this.driverFlags = value;
    } else if (offset === 2) {
      if (((value - this.takenIndex) & 0xffff) > this.size) this.#devicePuzzled('index');
      if (!this.driverSeen) this.availableIndex = value;
    } else if (offset === 4 + 2 * this.size) {
      if (!this.driverSeen) this.driverEvent = value;
    } else this.#takeSplit(offset, value);
  }

  #takeSplit(offset: number, head: number): void {
    this.#stopReading();
    const slot = (offset - 4) >> 1;
    if (slot === this.takenIndex % this.size) this.takenIndex = (this.takenIndex + 1) & 0xffff;
    if (head >= this.size) {
      this.#devicePuzzled('head');
      return;
    }
    this.#beginReading(this.#chainToTake(head));
    this.#next = head;
  }

  #chainToTake(id: number): Chain {
    const known = this.#chains[id];
    if (known?.inFlight === true) return known;
    const chain = this.#open(id);
    if (!this.driverSeen) this.published++;
    return chain;
  }

  #beginReading(chain: Chain): void {
    chain.describe();
    this.#reading = chain;
  }

  #stopReading(): void {
    this.#reading = undefined;
    this.#next = -1;
    this.#tableAt = NO_ADDRESS;
    this.#tableLength = 0;
  }

  #readDescriptors(offset: number, bytes: Uint8Array, from: number, length: number): void {
    const chain = this.#reading;
    if (chain === undefined || length !== DESCRIPTOR || offset !== DESCRIPTOR * this.#next) return;
    chain.descriptors++;
    this.#element(chain, bytes, from, false);
  }

  #readTable(offset: number, bytes: Uint8Array, from: number, length: number): void {
    const chain = this.#reading;
    if (chain === undefined || length !== DESCRIPTOR || offset !== DESCRIPTOR * this.#tableNext) return;
    if (!this.packed) {
      this.#element(chain, bytes, from, true);
      return;
    }
    const flags = half(bytes, from + 14, true);
    chain.add(addressIn(bytes, from, true), word(bytes, from + 8, true), (flags & WRITE) !== 0);
    this.#tableNext++;
    if (DESCRIPTOR * this.#tableNext >= this.#tableLength - (DESCRIPTOR - 1)) this.#tellTaken(chain);
  }

  /** A split descriptor that the device read. */
  #element(chain: Chain, bytes: Uint8Array, from: number, inTable: boolean): void {
    const flags = half(bytes, from + 12, this.little);
    const address = addressIn(bytes, from, this.little);
    const length = word(bytes, from + 8, this.little);
    const next = half(bytes, from + 14, this.little);
    if ((flags & INDIRECT) !== 0 && !inTable) {
      chain.indirect = true;
      this.#tableAt = address;
      this.#tableLength = length;
      this.#tableNext = 0;
      this.#next = -1;
      return;
    }
    chain.add(address, length, (flags & WRITE) !== 0);
    const entries = inTable ? Math.floor(this.#tableLength / DESCRIPTOR) : this.size;
    if ((flags & NEXT) === 0) this.#tellTaken(chain);
    else if (next >= entries || chain.elementsSeen > TABLE_MAX) {
      this.#devicePuzzled(next >= entries ? 'outside' : 'loop');
      this.#stopReading();
    } else if (inTable) this.#tableNext = next;
    else this.#next = next;
  }

  #tellTaken(chain: Chain): void {
    const again = chain.taken;
    chain.taken = true;
    this.#next = -1;
    if (again) return;
    chain.takenAt = this.#owner.surroundings.event;
    this.taken++;
    for (const hook of this.#owner.hooks.onTaken) hook(this, chain);
  }

  /** Packed: what a read of the ring says, where the device stands. */
  #readPacked(area: Area, offset: number, bytes: Uint8Array, from: number, length: number): void {
    if (area === 'driver') {
      if (this.driverSeen) return;
      if (offset === 0 && length >= 2) this.driverEvent = half(bytes, from, true);
      if (offset + length >= 4 && offset <= 2) this.driverFlags = half(bytes, from + 2 - offset, true);
      return;
    }
    if (area !== 'descriptors') return;
    for (let i = 0; i < length && offset + i < this.descriptorBytes; i++)
      this.#ring[offset + i] = bytes[from + i] ?? 0;
    // A descriptor counts as read with its last byte of content: flags may be read before the rest.
    if (length < DESCRIPTOR || offset % DESCRIPTOR !== 0) return;
    this.#takePacked(offset / DESCRIPTOR);
  }

  #packedCount = 0;
  #packedFirst = -1;

  #takePacked(at: number): void {
    const middle = this.#reading !== undefined && this.#next === at;
    if (!middle) {
      if (at !== this.takenAt || !isAvailable(this.packedFlags(at), this.takenWrap)) return;
      this.#stopReading();
      this.#packedFirst = at;
      this.#packedCount = 0;
      this.#beginReading(this.#unnamed);
    }
    this.#packedCount++;
    if ((this.packedFlags(at) & NEXT) !== 0 && this.#packedCount < this.size) {
      this.#reading = this.#unnamed;
      this.#next = (at + 1) % this.size;
      return;
    }
    const chain = this.#chainToTake(this.packedId(at));
    this.#beginReading(chain);
    for (let i = 0; i < this.#packedCount; i++)
      this.#addPacked(chain, (this.#packedFirst + i) % this.size, false);
    this.takenAt += this.#packedCount;
    if (this.takenAt >= this.size) {
      this.takenAt -= this.size;
      this.takenWrap = !this.takenWrap;
    }
    if (this.#tableAt < 0) this.#tellTaken(chain);
  }

  /** Stands for a packed chain whose id, in its last descriptor, is not read yet. */
  readonly #unnamed: Chain = new Chain();

  deviceWrote(area: Area, offset: number, bytes: Uint8Array, from: number, length: number): void {
    if (this.packed) {
      this.#packedWrite(area, offset, bytes, from, length);
      return;
    }
    if (area !== 'device') return;
    const event = 4 + 8 * this.size;
    if (offset === 0 && length === 2) this.deviceFlags = half(bytes, from, this.little);
    else if (offset === event && length === 2) this.deviceEvent = half(bytes, from, this.little);
    else if (offset === 2 && length === 2) this.#useUpTo(half(bytes, from, this.little));
    else if (offset >= 4) this.#usedEntry(offset - 4, bytes, from, length);
  }

  #usedEntry(offset: number, bytes: Uint8Array, from: number, length: number): void {
    const slot = offset >> 3;
    if ((offset & 7) === 0 && length >= 4) this.#usedIds[slot] = word(bytes, from, this.little);
    if ((offset & 7) === 0 && length >= 8) this.#usedLengths[slot] = word(bytes, from + 4, this.little);
    if ((offset & 7) === 4 && length >= 4) this.#usedLengths[slot] = word(bytes, from, this.little);
  }

  #useUpTo(index: number): void {
    const count = (index - this.usedIndex) & 0xffff;
    if (count > this.size) {
      this.usedIndex = index;
      return;
    }
    for (let i = 0; i < count; i++) {
      const slot = this.usedIndex % this.size;
      this.usedIndex = (this.usedIndex + 1) & 0xffff;
      this.#use(this.#usedIds[slot] ?? 0, this.#usedLengths[slot] ?? 0);
    }
  }

  #use(id: number, length: number): Chain | undefined {
    const chain = this.#chains[id];
    this.used++;
    if (chain?.inFlight !== true) {
      for (const hook of this.#owner.hooks.onUsedUnknown) hook(this, id, length);
      return undefined;
    }
    chain.usedLength = length;
    chain.usedAt = this.#owner.surroundings.event;
    this.#land(chain);
    if (this.#reading === chain) this.#stopReading();
    for (const hook of this.#owner.hooks.onUsed) hook(this, chain);
    return chain;
  }

  #packedWrite(area: Area, offset: number, bytes: Uint8Array, from: number, length: number): void {
    if (area === 'device') {
      if (offset === 0 && length >= 2) this.deviceEvent = half(bytes, from, true);
      if (offset <= 2 && offset + length >= 4) this.deviceFlags = half(bytes, from + 2 - offset, true);
      return;
    }
    if (area !== 'descriptors') return;
    for (let i = 0; i < length && offset + i < this.descriptorBytes; i++)
      this.#ring[offset + i] = bytes[from + i] ?? 0;
    const flags = offset + length - 1 - ((offset + length - 1) % DESCRIPTOR) + 14;
    if (flags < offset || flags >= offset + length) return;
    this.#packedUsed();
  }

  /** Entries from where the device stands that it has marked used. */
  #packedUsed(): void {
    for (let i = 0; i < this.size && isUsed(this.packedFlags(this.usedAt), this.usedWrap); i++) {
      const at = this.usedAt;
      const chain = this.#chains[this.packedId(at)];
      const step = chain?.inFlight === true ? Math.max(1, chain.descriptors) : 1;
      this.usedAt += step;
      if (this.usedAt >= this.size) {
        this.usedAt -= this.size;
        this.usedWrap = !this.usedWrap;
      }
      this.#use(this.packedId(at), (this.packedFlags(at) & WRITE) === 0 ? 0 : this.packedLength(at));
    }
  }
}

/** Bytes of a request that are taken from the driver's memory when it is published. */
const REQUEST_SHOWN = 512;
const SCRATCH = new Uint8Array(REQUEST_SHOWN);

function addressIn(bytes: Uint8Array, at: number, little: boolean): number {
  const first = word(bytes, at, little);
  const second = word(bytes, at + 4, little);
  return little ? deviceAddress(second, first) : deviceAddress(first, second);
}

function isAvailable(flags: number, wrap: boolean): boolean {
  return ((flags & AVAIL) !== 0) === wrap && ((flags & USED) !== 0) !== wrap;
}

function isUsed(flags: number, wrap: boolean): boolean {
  return ((flags & AVAIL) !== 0) === wrap && ((flags & USED) !== 0) === wrap;
}
