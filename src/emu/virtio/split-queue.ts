import { RingCache } from '../memory/ring-cache.ts';
import type { Behaviour } from './behaviour.ts';
import type { Chain } from './chain.ts';
import { mapBuffer, unmapPieces, type ChainPool } from './pieces.ts';
import type { QueueHost, RingState, Virtqueue } from './queue.ts';
import {
  VRING_AVAIL_F_NO_INTERRUPT,
  VRING_AVAIL_FLAGS,
  VRING_AVAIL_IDX,
  VRING_AVAIL_RING,
  VRING_DESC_BYTES,
  VRING_DESC_F_INDIRECT,
  VRING_DESC_F_NEXT,
  VRING_DESC_F_WRITE,
  VRING_DESC_FLAGS,
  VRING_DESC_LEN,
  VRING_DESC_NEXT,
  VRING_EVENT_BYTES,
  VRING_USED_ELEM_BYTES,
  VRING_USED_F_NO_NOTIFY,
  VRING_USED_FLAGS,
  VRING_USED_IDX,
  VRING_USED_RING,
} from './ring-abi.ts';

const NO_MORE = -1;
const BAD = -2;

/**
 * The device's side of a split virtqueue (VIRTIO 1.3, 2.7), with every check where QEMU 7.2 makes it (hw/virtio/virtio.c,
 * virtqueue_split_*) and none besides: which of two faults is named, and what was touched before, is visible to the driver.
 */
export class SplitQueue implements Virtqueue {
  readonly ring: RingState;
  availableIn = 0;
  availableOut = 0;
  readonly #host: QueueHost;
  readonly #behaviour: Behaviour;
  readonly #indirect: RingCache = new RingCache();
  readonly #pool: ChainPool;
  readonly #block: Uint8Array<ArrayBuffer> = new Uint8Array(VRING_DESC_BYTES);
  readonly #view: DataView<ArrayBuffer> = new DataView(this.#block.buffer);
  // The descriptor read last.
  #addressHigh = 0;
  #addressLow = 0;
  #length = 0;
  #flags = 0;
  #next = 0;

  constructor(ring: RingState, host: QueueHost, pool: ChainPool) {
    this.ring = ring;
    this.#host = host;
    this.#behaviour = host.behaviour;
    this.#pool = pool;
  }

  isEmpty(): boolean {
    const { ring } = this;
    if (this.#host.stopped || ring.driver.isZero) return true;
    if (ring.shadowAvail !== ring.lastAvail) return false;
    return this.#readAvailIdx() === ring.lastAvail;
  }

  pop(): Chain | undefined {
    const { ring } = this;
    const host = this.#host;
    if (this.isEmpty()) return undefined;
    // Without a sign, as QEMU compares: a count that fell below zero is a large one.
    if (ring.inUse >>> 0 >= ring.size) return this.#fail('Virtqueue size exceeded');
    const place = ring.lastAvail;
    if (!this.#behaviour.servesIndexJumps && ((ring.shadowAvail - place) & 0xffff) > ring.size)
      return this.#fail(`Guest moved available index from ${place} to ${ring.shadowAvail}`);
    ring.lastAvail = (place + 1) & 0xffff;
    const head = this.#readHead(place);
    if (head < 0) return undefined;
    if (host.eventIdx) this.#writeAvailEvent(ring.lastAvail);
    if (!ring.open) return this.#fail('Region caches not initialized');
    if (ring.descriptorArea.length < ring.size * VRING_DESC_BYTES)
      return this.#fail('Cannot map descriptor ring');

    let table = ring.descriptorArea;
    let entries = ring.size;
    this.#readDescriptor(table, head);
    if ((this.#flags & VRING_DESC_F_INDIRECT) !== 0) {
      entries = this.#openIndirect();
      if (entries < 0) return undefined;
      table = this.#indirect;
      this.#readDescriptor(table, 0);
    }
    const chain = this.take();
    const whole = this.#collect(chain, table, entries);
    // Under the specification's rules a fault on the way has broken the device.
    if (!whole || (!this.#behaviour.hidesDmaFaults && host.stopped)) {
      this.#pool.discard(host, chain);
      return undefined;
    }
    chain.index = head;
    ring.inUse++;
    return chain;
  }

  push(chain: Chain, written: number): void {
    this.fill(chain, written, 0);
    this.flush(1);
  }

  fill(chain: Chain, written: number, ahead: number): void {
    const { ring } = this;
    unmapPieces(this.#host, chain, written);
    if (this.#host.stopped || ring.device.isZero || !ring.open) return;
    const slot = (ahead + ring.usedIdx) % ring.size;
    const { littleEndian } = this.#host;
    this.#view.setUint32(0, chain.index, littleEndian);
    this.#view.setUint32(4, written, littleEndian);
    this.#host.space.storeBlock(
      ring.deviceArea,
      VRING_USED_RING + VRING_USED_ELEM_BYTES * slot,
      this.#block,
      VRING_USED_ELEM_BYTES,
    );
  }

  flush(count: number): void {
    const { ring } = this;
    if (this.#host.stopped) {
      ring.inUse -= count;
      return;
    }
    // Without a used ring the requests stay counted as in flight.
    if (ring.device.isZero) return;
    const old = ring.usedIdx;
    const now = (old + count) & 0xffff;
    if (ring.open) {
      this.#host.space.store16(ring.deviceArea, VRING_USED_IDX, now, this.#host.littleEndian);
    }
    ring.usedIdx = now;
    ring.inUse -= count;
    // A signed distance on the left: after 2^15 entries without a notification the remembered index counts for nothing.
    if (((now - ring.signalledUsed) << 16) >> 16 < ((now - old) & 0xffff)) ring.signalledUsedValid = false;
  }

  detach(chain: Chain, written: number): void {
    this.ring.inUse -= chain.descriptors;
    unmapPieces(this.#host, chain, written);
  }

  unpop(chain: Chain, written: number): void {
    this.ring.lastAvail = (this.ring.lastAvail - 1) & 0xffff;
    this.detach(chain, written);
  }

  rewind(count: number): boolean {
    const { ring } = this;
    // QEMU's count is unsigned: one that fell below zero is huge.
    if (count > ring.inUse >>> 0) return false;
    ring.inUse -= count;
    ring.lastAvail = (ring.lastAvail - count) & 0xffff;
    return true;
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
    return !this.#host.stopped && !this.ring.driver.isZero && this.#readAvailIdx() !== seen;
  }

  dropAll(): number {
    const { ring } = this;
    let dropped = 0;
    while (!this.isEmpty() && ring.inUse >>> 0 < ring.size) {
      const head = this.#readHead(ring.lastAvail);
      if (head < 0) break;
      ring.inUse++;
      ring.lastAvail = (ring.lastAvail + 1) & 0xffff;
      if (this.#host.eventIdx) this.#writeAvailEvent(ring.lastAvail);
      const chain = this.take();
      chain.index = head;
      this.push(chain, 0);
      this.recycle(chain);
      dropped++;
    }
    return dropped;
  }

  setNotification(enable: boolean): void {
    const { ring } = this;
    ring.notification = enable;
    if (ring.descriptors.isZero) return;
    if (this.#host.eventIdx) {
      this.#writeAvailEvent(this.#readAvailIdx());
      return;
    }
    if (!ring.open) return;
    const { space, littleEndian } = this.#host;
    const flags = space.load16(ring.deviceArea, VRING_USED_FLAGS, littleEndian);
    const wanted = enable ? flags & ~VRING_USED_F_NO_NOTIFY : flags | VRING_USED_F_NO_NOTIFY;
    space.store16(ring.deviceArea, VRING_USED_FLAGS, wanted, littleEndian);
  }

  shouldNotify(): boolean {
    const { ring } = this;
    const host = this.#host;
    if (host.notifyOnEmpty && ring.inUse === 0 && this.isEmpty()) return true;
    if (!host.eventIdx) return (this.#readAvail(VRING_AVAIL_FLAGS) & VRING_AVAIL_F_NO_INTERRUPT) === 0;
    const known = ring.signalledUsedValid;
    const old = ring.signalledUsed;
    const now = ring.usedIdx;
    ring.signalledUsedValid = true;
    ring.signalledUsed = now;
    if (!known) return true;
    const event = this.#readAvail(VRING_AVAIL_RING + 2 * ring.size);
    return ((now - event - 1) & 0xffff) < ((now - old) & 0xffff);
  }

  openRings(): void {
    const { ring } = this;
    ring.open = false;
    if (ring.descriptors.isZero) return;
    const event = this.#host.eventIdx ? VRING_EVENT_BYTES : 0;
    if (!this.#openArea('desc', ring.descriptorArea, ring.descriptors, VRING_DESC_BYTES * ring.size)) return;
    const used = VRING_USED_RING + VRING_USED_ELEM_BYTES * ring.size + event;
    if (!this.#openArea('used', ring.deviceArea, ring.device, used)) return;
    const avail = VRING_AVAIL_RING + 2 * ring.size + event;
    if (!this.#openArea('avail', ring.driverArea, ring.driver, avail)) return;
    ring.open = true;
  }

  #openArea(name: string, area: RingCache, at: { high: number; low: number }, length: number): boolean {
    if (this.#host.space.openRing(area, at.high, at.low, length) >= length) return true;
    this.#host.fail(`Cannot map ${name}`);
    return false;
  }

  /** Every descriptor of the chain whose first one was just read. */
  #collect(chain: Chain, head: RingCache, size: number): boolean {
    let table = head;
    let entries = size;
    let taken = 0;
    for (;;) {
      if ((this.#flags & VRING_DESC_F_INDIRECT) !== 0) {
        const inner = this.#meetIndirect(table);
        if (inner < 0) return false;
        if (inner > 0) {
          table = this.#indirect;
          entries = inner;
          continue;
        }
      }
      const write = (this.#flags & VRING_DESC_F_WRITE) !== 0;
      if (!write && chain.inCount > 0) {
        this.#fail('Incorrect order for descriptors');
        return false;
      }
      if (!mapBuffer(this.#host, chain, write, this.#addressHigh, this.#addressLow, this.#length))
        return false;
      if (++taken > this.#chainLimit(entries)) {
        this.#fail('Looped descriptor');
        return false;
      }
      const next = this.#readNext(table, entries);
      if (next === NO_MORE) return true;
      if (next === BAD) return false;
    }
  }

  /** Descriptors that a chain may have which is in a table of so many. */
  #chainLimit(entries: number): number {
    return this.#behaviour.takesLongerChains ? entries : this.ring.size;
  }

  /**
   * INDIRECT behind the head of a chain or in a table: 0 where it counts for nothing, -1 where it is an error, or the
   * entries of its table, whose first descriptor is then the one read last.
   */
  #meetIndirect(table: RingCache): number {
    if (table === this.#indirect) {
      if (this.#behaviour.ignoresNestedIndirect) return 0;
      this.#fail('Indirect descriptor in an indirect table');
      return -1;
    }
    if (this.#behaviour.seesIndirectOnHeadOnly) return 0;
    const entries = this.#openIndirect();
    if (entries > 0) this.#readDescriptor(this.#indirect, 0);
    return entries;
  }

  /** virtqueue_split_get_avail_bytes. False: the ring is bad. */
  #count(limitIn: number, limitOut: number): boolean {
    const { ring } = this;
    let place = ring.lastAvail;
    let counted = 0;
    for (;;) {
      const heads = (this.#readAvailIdx() - place) & 0xffff;
      if (heads > ring.size) {
        this.#fail(`Guest moved used index from ${place} to ${ring.shadowAvail}`);
        return false;
      }
      if (heads === 0) return true;
      const head = this.#readHead(place++);
      if (head < 0) return false;
      let table = ring.descriptorArea;
      let entries = ring.size;
      let taken = counted;
      this.#readDescriptor(table, head);
      let indirect = (this.#flags & VRING_DESC_F_INDIRECT) !== 0;
      if (indirect) {
        entries = this.#openIndirect(counted);
        if (entries < 0) return false;
        table = this.#indirect;
        taken = 0;
        this.#readDescriptor(table, 0);
      }
      for (;;) {
        if ((this.#flags & VRING_DESC_F_INDIRECT) !== 0) {
          const inner = this.#meetIndirect(table);
          if (inner < 0) return false;
          if (inner > 0) {
            table = this.#indirect;
            entries = inner;
            taken = 0;
            indirect = true;
            continue;
          }
        }
        if (++taken > entries) {
          this.#fail('Looped descriptor');
          return false;
        }
        if ((this.#flags & VRING_DESC_F_WRITE) !== 0)
          this.availableIn = (this.availableIn + this.#length) >>> 0;
        else this.availableOut = (this.availableOut + this.#length) >>> 0;
        if (this.availableIn >= limitIn && this.availableOut >= limitOut) return true;
        const next = this.#readNext(table, entries);
        if (next === BAD) return false;
        if (next === NO_MORE) break;
      }
      counted = indirect ? counted + 1 : taken;
    }
  }

  /**
   * Opens the table that the descriptor just read points to and returns its entries; -1 if it is bad. Counting checks
   * for a loop before the table is opened, with what it has counted so far.
   */
  #openIndirect(counted = 0): number {
    const length = this.#length;
    if (!this.#behaviour.followsUnnegotiatedIndirect && !this.#host.indirect) {
      this.#fail('Indirect descriptor without the feature');
      return -1;
    }
    if (!this.#behaviour.ignoresNextOnIndirect && (this.#flags & VRING_DESC_F_NEXT) !== 0) {
      this.#fail('Indirect descriptor with a successor');
      return -1;
    }
    if (length === 0 || length % VRING_DESC_BYTES !== 0) {
      this.#fail('Invalid size for indirect buffer table');
      return -1;
    }
    if (counted > 0 && counted >= this.ring.size) {
      this.#fail('Looped descriptor');
      return -1;
    }
    if (this.#host.space.openRing(this.#indirect, this.#addressHigh, this.#addressLow, length) < length) {
      this.#fail('Cannot map indirect buffer');
      return -1;
    }
    return length / VRING_DESC_BYTES;
  }

  #readNext(table: RingCache, entries: number): number {
    if ((this.#flags & VRING_DESC_F_NEXT) === 0) return NO_MORE;
    const next = this.#next;
    if (next >= entries) {
      this.#fail(`Desc next is ${next}`);
      return BAD;
    }
    this.#readDescriptor(table, next);
    return next;
  }

  #readDescriptor(table: RingCache, index: number): void {
    const { space, littleEndian } = this.#host;
    space.loadBlock(table, VRING_DESC_BYTES * index, this.#block, VRING_DESC_BYTES);
    const view = this.#view;
    this.#addressHigh = view.getUint32(littleEndian ? 4 : 0, littleEndian);
    this.#addressLow = view.getUint32(littleEndian ? 0 : 4, littleEndian);
    this.#length = view.getUint32(VRING_DESC_LEN, littleEndian);
    this.#flags = view.getUint16(VRING_DESC_FLAGS, littleEndian);
    this.#next = view.getUint16(VRING_DESC_NEXT, littleEndian);
  }

  /** The head at a place of the available ring; negative if it is no descriptor. */
  #readHead(place: number): number {
    const head = this.#readAvail(VRING_AVAIL_RING + 2 * (place % this.ring.size));
    if (head < this.ring.size) return head;
    this.#fail(`Guest says index ${head} is available`);
    return BAD;
  }

  #readAvailIdx(): number {
    // Without areas the index reads as zero, and what was read before stays.
    if (!this.ring.open) return 0;
    this.ring.shadowAvail = this.#readAvail(VRING_AVAIL_IDX);
    return this.ring.shadowAvail;
  }

  #readAvail(at: number): number {
    if (!this.ring.open) return 0;
    return this.#host.space.load16(this.ring.driverArea, at, this.#host.littleEndian);
  }

  #writeAvailEvent(value: number): void {
    const { ring } = this;
    if (!ring.notification || !ring.open) return;
    const at = VRING_USED_RING + VRING_USED_ELEM_BYTES * ring.size;
    this.#host.space.store16(ring.deviceArea, at, value, this.#host.littleEndian);
  }

  #fail(text: string): undefined {
    this.#host.fail(text);
  }
}
