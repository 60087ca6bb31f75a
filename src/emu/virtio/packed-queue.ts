import { RingCache } from '../memory/ring-cache.ts';
import type { Behaviour } from './behaviour.ts';
import type { Chain } from './chain.ts';
import { mapBuffer, unmapPieces, type ChainPool } from './pieces.ts';
import type { QueueHost, RingState, Virtqueue } from './queue.ts';
import {
  VRING_DESC_BYTES,
  VRING_DESC_F_INDIRECT,
  VRING_DESC_F_NEXT,
  VRING_DESC_F_WRITE,
  VRING_PACKED_DESC_F_AVAIL,
  VRING_PACKED_DESC_F_USED,
  VRING_PACKED_DESC_FLAGS,
  VRING_PACKED_DESC_ID,
  VRING_PACKED_DESC_LEN,
  VRING_PACKED_EVENT_BYTES,
  VRING_PACKED_EVENT_F_DESC,
  VRING_PACKED_EVENT_F_DISABLE,
  VRING_PACKED_EVENT_F_ENABLE,
  VRING_PACKED_EVENT_FLAGS,
  VRING_PACKED_EVENT_OFF_WRAP,
} from './ring-abi.ts';

/**
 * Descriptors of one table that are counted at most. A table ends with its length alone, and that may be 2^28 of them in
 * memory that nobody has: QEMU reads them all. No chain of more than 1024 can be taken, so what lies further on could
 * only change how many bytes a device believes it is offered before it breaks.
 */
const COUNTED_MAX = 2 ** 16;
const WRAP = 0x8000;
const ADDRESS_BYTES = 8;
const LEN_BYTES = 4;
const ID_BYTES = 2;
/** Length, id and flags. */
const ANSWER_BYTES = 8;

/**
 * The device's side of a packed virtqueue (VIRTIO 1.3, 2.8), with every check, read and write where QEMU 7.2 makes it
 * (hw/virtio/virtio.c, virtqueue_packed_*). Where it departs from the specification is in the table of behaviours; one
 * of its slips shows outside: a chain that is refused stays at the head of the ring, and `isEmpty` does not look whether
 * the device is broken, so a service loop that ends when the ring is empty never ends (`VirtioCore.goesOn`).
 */
export class PackedQueue implements Virtqueue {
  readonly ring: RingState;
  availableIn = 0;
  availableOut = 0;
  readonly #host: QueueHost;
  readonly #behaviour: Behaviour;
  readonly #pool: ChainPool;
  readonly #indirect: RingCache = new RingCache();
  /** A descriptor's fields, which are moved one by one. */
  readonly #view: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(VRING_DESC_BYTES));
  readonly #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(this.#view.buffer);
  readonly #addressBytes: Uint8Array<ArrayBuffer> = new Uint8Array(this.#view.buffer, 0, ADDRESS_BYTES);
  readonly #lengthBytes: Uint8Array<ArrayBuffer> = new Uint8Array(
    this.#view.buffer,
    VRING_PACKED_DESC_LEN,
    LEN_BYTES,
  );
  readonly #idBytes: Uint8Array<ArrayBuffer> = new Uint8Array(
    this.#view.buffer,
    VRING_PACKED_DESC_ID,
    ID_BYTES,
  );
  // The descriptor read last.
  #addressHigh = 0;
  #addressLow = 0;
  #length = 0;
  #flags = 0;
  #id = 0;
  // Entries filled and not flushed (QEMU's used_elems).
  readonly #filledId: number[] = [];
  readonly #filledLength: number[] = [];
  readonly #filledDescriptors: number[] = [];

  constructor(ring: RingState, host: QueueHost, pool: ChainPool) {
    this.ring = ring;
    this.#host = host;
    this.#behaviour = host.behaviour;
    this.#pool = pool;
  }

  isEmpty(): boolean {
    const { ring } = this;
    if (ring.descriptors.isZero || !ring.open) return true;
    return !isAvailable(this.#readFlags(ring.descriptorArea, ring.lastAvail), ring.lastAvailWrap);
  }

  pop(): Chain | undefined {
    const { ring } = this;
    if (this.#host.stopped || this.isEmpty()) return undefined;
    // Without a sign, as QEMU compares: a count that fell below zero is a large one.
    if (ring.inUse >>> 0 >= ring.size) return this.#fail('Virtqueue size exceeded');
    if (ring.descriptorArea.length < ring.size * VRING_DESC_BYTES)
      return this.#fail('Cannot map descriptor ring');
    let table = ring.descriptorArea;
    let entries = ring.size;
    let at = ring.lastAvail;
    this.#readDescriptor(table, at);
    const id = this.#id;
    const indirect = (this.#flags & VRING_DESC_F_INDIRECT) !== 0;
    if (indirect) {
      entries = this.#openIndirect(0);
      if (entries < 0) return undefined;
      table = this.#indirect;
      at = 0;
      this.#readDescriptor(table, 0);
    }
    const chain = this.take();
    const taken = this.#collect(chain, table, at, entries);
    // Under the specification's rules a fault on the way has broken the device.
    if (taken === 0 || (!this.#behaviour.hidesDmaFaults && this.#host.stopped)) {
      this.#pool.discard(this.#host, chain);
      return undefined;
    }
    chain.index = indirect || this.#behaviour.returnsFirstId ? id : this.#id;
    chain.descriptors = indirect ? 1 : taken;
    ring.inUse += chain.descriptors;
    this.#advance(chain.descriptors);
    ring.shadowAvail = ring.lastAvail;
    ring.shadowAvailWrap = ring.lastAvailWrap;
    return chain;
  }

  push(chain: Chain, written: number): void {
    this.fill(chain, written, 0);
    this.flush(1);
  }

  fill(chain: Chain, written: number, ahead: number): void {
    unmapPieces(this.#host, chain, written);
    if (this.#host.stopped) return;
    this.#filledId[ahead] = chain.index;
    this.#filledLength[ahead] = written;
    this.#filledDescriptors[ahead] = chain.descriptors;
  }

  /** The first entry is written last, and its flags after all: until then the driver sees nothing. */
  flush(count: number): void {
    const { ring } = this;
    if (this.#host.stopped) {
      ring.inUse -= count;
      return;
    }
    if (ring.descriptors.isZero) return;
    let descriptors = this.#filledDescriptors[0] ?? 0;
    for (let i = 1; i < count; i++) {
      this.#writeUsed(i, descriptors);
      descriptors += this.#filledDescriptors[i] ?? 0;
    }
    this.#writeUsed(0, 0);
    ring.inUse -= descriptors;
    ring.usedIdx = (ring.usedIdx + descriptors) & 0xffff;
    if (ring.usedIdx < ring.size) return;
    ring.usedIdx -= ring.size;
    ring.usedWrap = !ring.usedWrap;
    ring.signalledUsedValid = false;
  }

  detach(chain: Chain, written: number): void {
    this.ring.inUse -= chain.descriptors;
    unmapPieces(this.#host, chain, written);
  }

  unpop(chain: Chain, written: number): void {
    this.#goBack(this.#behaviour.rewindsOneDescriptor ? 1 : chain.descriptors);
    this.detach(chain, written);
  }

  rewind(count: number): boolean {
    const { ring } = this;
    if (count > ring.inUse >>> 0) return false;
    ring.inUse -= count;
    this.#goBack(count);
    return true;
  }

  /** virtqueue_packed_rewind. */
  #goBack(descriptors: number): void {
    const { ring } = this;
    if (ring.lastAvail < descriptors) {
      ring.lastAvail = (ring.size + ring.lastAvail - descriptors) & 0xffff;
      ring.lastAvailWrap = !ring.lastAvailWrap;
    } else ring.lastAvail -= descriptors;
  }

  recycle(chain: Chain): void {
    this.#pool.recycle(chain);
  }

  take(): Chain {
    return this.#pool.take();
  }

  countAvailable(limitIn: number, limitOut: number): void {
    const { ring } = this;
    this.availableIn = 0;
    this.availableOut = 0;
    if (ring.descriptors.isZero || !ring.open) return;
    if (ring.descriptorArea.length < ring.size * VRING_DESC_BYTES) {
      this.#fail('Cannot map descriptor ring');
      return;
    }
    if (this.#count(limitIn, limitOut)) return;
    this.availableIn = 0;
    this.availableOut = 0;
  }

  hasMoved(seen: number): boolean {
    const { ring } = this;
    if (this.#host.stopped || ring.descriptors.isZero || !ring.open) return false;
    this.#readDescriptor(ring.descriptorArea, seen);
    return isAvailable(this.#flags, ring.shadowAvailWrap);
  }

  dropAll(): number {
    const { ring } = this;
    if (this.#host.stopped || !ring.open) return 0;
    let dropped = 0;
    this.setNotification(false);
    while (ring.inUse >>> 0 < ring.size) {
      this.#readDescriptor(ring.descriptorArea, ring.lastAvail);
      if (!isAvailable(this.#flags, ring.lastAvailWrap)) break;
      const chain = this.take();
      chain.index = this.#id;
      chain.descriptors = this.#countList(ring.lastAvail);
      if (chain.descriptors === 0) {
        this.recycle(chain);
        break;
      }
      if (!this.#behaviour.dropsUncounted) ring.inUse += chain.descriptors;
      this.push(chain, 0);
      dropped++;
      this.#advance(chain.descriptors);
      this.recycle(chain);
    }
    return dropped;
  }

  setNotification(enable: boolean): void {
    const { ring } = this;
    ring.notification = enable;
    if (ring.descriptors.isZero || !ring.open) return;
    const { space, littleEndian, eventIdx } = this.#host;
    // Read before written, and the values are not looked at.
    this.#readEvent(ring.deviceArea);
    let flags = enable ? VRING_PACKED_EVENT_F_ENABLE : VRING_PACKED_EVENT_F_DISABLE;
    if (enable && eventIdx) {
      const place = ring.shadowAvail | (ring.shadowAvailWrap ? WRAP : 0);
      space.store16(ring.deviceArea, VRING_PACKED_EVENT_OFF_WRAP, place, littleEndian);
      flags = VRING_PACKED_EVENT_F_DESC;
    }
    space.store16(ring.deviceArea, VRING_PACKED_EVENT_FLAGS, flags, littleEndian);
  }

  shouldNotify(): boolean {
    const { ring } = this;
    if (!ring.open) return false;
    this.#readEvent(ring.driverArea);
    const known = ring.signalledUsedValid;
    const old = ring.signalledUsed;
    const now = ring.usedIdx;
    ring.signalledUsed = now;
    ring.signalledUsedValid = true;
    if (this.#eventFlags === VRING_PACKED_EVENT_F_DISABLE) return false;
    if (this.#eventFlags === VRING_PACKED_EVENT_F_ENABLE || !known) return true;
    // Whatever else the flags say is taken for a place; the place before is not lowered when the counter has flipped.
    const sameWrap = ((this.#eventPlace & WRAP) !== 0) === ring.usedWrap;
    const event = (this.#eventPlace & ~WRAP) - (sameWrap ? 0 : ring.size);
    return ((now - event - 1) & 0xffff) < ((now - old) & 0xffff);
  }

  openRings(): void {
    const { ring } = this;
    ring.open = false;
    if (ring.descriptors.isZero) return;
    if (!this.#openArea('desc', ring.descriptorArea, ring.descriptors, VRING_DESC_BYTES * ring.size)) return;
    if (!this.#openArea('used', ring.deviceArea, ring.device, VRING_PACKED_EVENT_BYTES)) return;
    if (!this.#openArea('avail', ring.driverArea, ring.driver, VRING_PACKED_EVENT_BYTES)) return;
    ring.open = true;
  }

  #openArea(name: string, area: RingCache, at: { high: number; low: number }, length: number): boolean {
    if (this.#host.space.openRing(area, at.high, at.low, length) >= length) return true;
    this.#host.fail(`Cannot map ${name}`);
    return false;
  }

  // --- The driver's descriptors ---------------------------------------------------------------------------------

  /** Every descriptor of the chain whose first one was just read, at `first`; how many, or 0 for a bad chain. */
  #collect(chain: Chain, table: RingCache, first: number, entries: number): number {
    const host = this.#host;
    const longest = this.#behaviour.takesLongerChains ? entries : Math.min(entries, this.ring.size);
    let at = first;
    let taken = 0;
    for (;;) {
      const write = (this.#flags & VRING_DESC_F_WRITE) !== 0;
      if (!write && chain.inCount > 0) {
        host.fail('Incorrect order for descriptors');
        return 0;
      }
      if (!mapBuffer(host, chain, write, this.#addressHigh, this.#addressLow, this.#length)) return 0;
      if (++taken > longest) {
        host.fail('Looped descriptor');
        return 0;
      }
      at = this.#readNext(table, at, entries);
      if (at < 0) return taken;
      if (table !== this.#indirect && !this.#isLawfulTail(at)) return 0;
    }
  }

  /** What follows a list's head: under the specification's rules it is available too, and no table. */
  #isLawfulTail(at: number): boolean {
    const { ring } = this;
    const wrap = at < ring.lastAvail ? !ring.lastAvailWrap : ring.lastAvailWrap;
    if (!this.#behaviour.takesUnavailableTails && !isAvailable(this.#flags, wrap)) {
      this.#host.fail(`Descriptor ${at} of a list is not available`);
      return false;
    }
    if (!this.#behaviour.seesIndirectOnHeadOnly && (this.#flags & VRING_DESC_F_INDIRECT) !== 0) {
      this.#host.fail('Indirect descriptor in a list');
      return false;
    }
    return true;
  }

  /** virtqueue_packed_read_next_desc: where the next descriptor was read, or -1. A table ends with its length only. */
  #readNext(table: RingCache, before: number, entries: number): number {
    const indirect = table === this.#indirect;
    if (!indirect && (this.#flags & VRING_DESC_F_NEXT) === 0) return -1;
    let at = before + 1;
    if (at === entries) {
      if (indirect) return -1;
      at -= this.ring.size;
    }
    this.#readDescriptor(table, at);
    return at;
  }

  /** Opens the table that the descriptor just read points to and returns its entries; -1 if it is bad. */
  #openIndirect(counted: number): number {
    const host = this.#host;
    const behaviour = this.#behaviour;
    const length = this.#length;
    if (!behaviour.followsUnnegotiatedIndirect && !host.indirect) {
      host.fail('Indirect descriptor without VIRTIO_F_RING_INDIRECT_DESC');
      return -1;
    }
    if (!behaviour.ignoresNextOnIndirect && (this.#flags & VRING_DESC_F_NEXT) !== 0) {
      host.fail('Indirect descriptor with another behind it');
      return -1;
    }
    if (length % VRING_DESC_BYTES !== 0 || (length === 0 && !behaviour.diesOfRequests)) {
      host.fail('Invalid size for indirect buffer table');
      return -1;
    }
    if (counted > 0 && counted >= this.ring.size) {
      host.fail('Looped descriptor');
      return -1;
    }
    if (length === 0) {
      host.end('abort', "address_space_cache_init: Assertion `len > 0' failed.");
      return -1;
    }
    if (host.space.openRing(this.#indirect, this.#addressHigh, this.#addressLow, length) < length) {
      host.fail('Cannot map indirect buffer');
      return -1;
    }
    return length / VRING_DESC_BYTES;
  }

  /** virtqueue_packed_get_avail_bytes. False: the ring is bad. */
  #count(limitIn: number, limitOut: number): boolean {
    const { ring } = this;
    let place = ring.lastAvail;
    let wrap = ring.lastAvailWrap;
    let counted = 0;
    for (;;) {
      let table = ring.descriptorArea;
      let entries = ring.size;
      let taken = counted;
      let at = place;
      this.#readDescriptor(table, at);
      if (!isAvailable(this.#flags, wrap)) break;
      const indirect = (this.#flags & VRING_DESC_F_INDIRECT) !== 0;
      if (indirect) {
        entries = this.#openIndirect(counted);
        if (entries < 0) return false;
        table = this.#indirect;
        taken = 0;
        at = 0;
        this.#readDescriptor(table, 0);
      }
      do {
        if (++taken > entries) {
          this.#fail('Looped descriptor');
          return false;
        }
        if ((this.#flags & VRING_DESC_F_WRITE) !== 0)
          this.availableIn = (this.availableIn + this.#length) >>> 0;
        else this.availableOut = (this.availableOut + this.#length) >>> 0;
        if (this.availableIn >= limitIn && this.availableOut >= limitOut) return true;
        at = taken < COUNTED_MAX ? this.#readNext(table, at, entries) : -1;
      } while (at >= 0);
      place += indirect ? 1 : taken - counted;
      counted = indirect ? counted + 1 : taken;
      if (place >= ring.size) {
        place -= ring.size;
        wrap = !wrap;
      }
    }
    // Where the device wants to be kicked next.
    ring.shadowAvail = place & 0xffff;
    ring.shadowAvailWrap = wrap;
    return true;
  }

  /** Descriptors of the list whose head was just read; 0 if it has no end. */
  #countList(first: number): number {
    const { ring } = this;
    let at = first;
    for (let descriptors = 1; descriptors <= ring.size; descriptors++) {
      at = this.#readNext(ring.descriptorArea, at, ring.size);
      if (at < 0) return descriptors;
    }
    this.#host.end('hang', 'virtqueue_packed_drop_all follows a list without end');
    return 0;
  }

  #advance(descriptors: number): void {
    const { ring } = this;
    ring.lastAvail = (ring.lastAvail + descriptors) & 0xffff;
    if (ring.lastAvail < ring.size) return;
    ring.lastAvail -= ring.size;
    ring.lastAvailWrap = !ring.lastAvailWrap;
  }

  /** Flags first: what else a descriptor says counts only after them. */
  #readDescriptor(table: RingCache, index: number): void {
    const { space, littleEndian } = this.#host;
    const at = VRING_DESC_BYTES * index;
    if (!space.loadUnseen(table, at, this.#bytes, VRING_DESC_BYTES)) this.#loadByFields(table, at);
    const view = this.#view;
    this.#flags = view.getUint16(VRING_PACKED_DESC_FLAGS, littleEndian);
    this.#addressHigh = view.getUint32(littleEndian ? 4 : 0, littleEndian);
    this.#addressLow = view.getUint32(littleEndian ? 0 : 4, littleEndian);
    this.#length = view.getUint32(VRING_PACKED_DESC_LEN, littleEndian);
    this.#id = view.getUint16(VRING_PACKED_DESC_ID, littleEndian);
  }

  #loadByFields(table: RingCache, at: number): void {
    const { space, littleEndian } = this.#host;
    const flags = space.load16(table, at + VRING_PACKED_DESC_FLAGS, littleEndian);
    this.#view.setUint16(VRING_PACKED_DESC_FLAGS, flags, littleEndian);
    space.loadBlock(table, at, this.#addressBytes, ADDRESS_BYTES);
    space.loadBlock(table, at + VRING_PACKED_DESC_ID, this.#idBytes, ID_BYTES);
    space.loadBlock(table, at + VRING_PACKED_DESC_LEN, this.#lengthBytes, LEN_BYTES);
  }

  #readFlags(table: RingCache, index: number): number {
    const { space, littleEndian } = this.#host;
    return space.load16(table, VRING_DESC_BYTES * index + VRING_PACKED_DESC_FLAGS, littleEndian);
  }

  // --- What the device writes -----------------------------------------------------------------------------------

  /** virtqueue_packed_fill_desc: entry `which`, `ahead` descriptors after the next. */
  #writeUsed(which: number, ahead: number): void {
    const { ring } = this;
    if (!ring.open) return;
    const { space, littleEndian } = this.#host;
    let place = (ring.usedIdx + ahead) & 0xffff;
    let wrap = ring.usedWrap;
    if (place >= ring.size) {
      place -= ring.size;
      wrap = !wrap;
    }
    const at = VRING_DESC_BYTES * place;
    const area = ring.descriptorArea;
    this.#view.setUint16(VRING_PACKED_DESC_ID, this.#filledId[which] ?? 0, littleEndian);
    this.#view.setUint32(VRING_PACKED_DESC_LEN, this.#filledLength[which] ?? 0, littleEndian);
    const written = !this.#behaviour.leavesWriteFlagOut && (this.#filledLength[which] ?? 0) > 0;
    const lap = wrap ? VRING_PACKED_DESC_F_AVAIL | VRING_PACKED_DESC_F_USED : 0;
    const flags = written ? lap | VRING_DESC_F_WRITE : lap;
    this.#view.setUint16(VRING_PACKED_DESC_FLAGS, flags, littleEndian);
    if (space.storeUnseen(area, at + VRING_PACKED_DESC_LEN, this.#bytes, VRING_PACKED_DESC_LEN, ANSWER_BYTES))
      return;
    space.storeBlock(area, at + VRING_PACKED_DESC_ID, this.#idBytes, ID_BYTES);
    space.storeBlock(area, at + VRING_PACKED_DESC_LEN, this.#lengthBytes, LEN_BYTES);
    space.store16(area, at + VRING_PACKED_DESC_FLAGS, flags, littleEndian);
  }

  // --- Event suppression ----------------------------------------------------------------------------------------

  // The event structure read last.
  #eventFlags = 0;
  #eventPlace = 0;

  #readEvent(area: RingCache): void {
    const { space, littleEndian } = this.#host;
    this.#eventFlags = space.load16(area, VRING_PACKED_EVENT_FLAGS, littleEndian);
    this.#eventPlace = space.load16(area, VRING_PACKED_EVENT_OFF_WRAP, littleEndian);
  }

  #fail(text: string): undefined {
    this.#host.fail(text);
  }
}

/** Whether a driver whose wrap counter is `wrap` made this available (2.8.1). */
function isAvailable(flags: number, wrap: boolean): boolean {
  const available = (flags & VRING_PACKED_DESC_F_AVAIL) !== 0;
  const used = (flags & VRING_PACKED_DESC_F_USED) !== 0;
  return available !== used && available === wrap;
}
