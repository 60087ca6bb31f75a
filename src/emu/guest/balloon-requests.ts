import { VIRTIO_ID_BALLOON } from '../virtio/abi.ts';
import { announce, NO_QUEUE, type DeviceRequests, type RequestHost } from './request.ts';
import { Chain } from './rings.ts';

// VIRTIO 1.3, 5.5.
const F_STATS_VQ = 1;
const INFLATE = 0;
const DEFLATE = 1;
const STATS = 2;
const NUM_PAGES = 0;
const ACTUAL = 4;
const PAGE = 4096;
const STAT_BYTES = 10;
const TAGS = 10;

/** Pages that the guest can spare, how many go at a time, and how many lists may be under way. */
const PAGES = 32;
const AT_ONCE = 8;
const SLOTS = 8;
/** Where a page is. */
const GUEST = 0;
const BALLOON = 1;
const MOVING = 2;
/** Where the host wants nothing, the balloon breathes between none and so many pages. */
const BREATH = 2;

/** Memory balloon (5.5): pages are given and taken back as the host wants, and statistics told whenever it asks. */
export class BalloonRequests implements DeviceRequests {
  readonly virtioId: number = VIRTIO_ID_BALLOON;
  readonly queues: number = 3;
  /** STATS_VQ, DEFLATE_ON_OOM. */
  readonly kernelFeatures: number = 6;
  readonly firmwareFeatures: number = 0;
  outstanding = 0;
  completed = 0;
  correct = true;
  /** Pages that are in the balloon. */
  inside = 0;
  /** Statistics told so far. */
  reports = 0;
  readonly #chain: Chain = new Chain();
  readonly #where: Uint8Array = new Uint8Array(PAGES);
  /** Pages that each slot's list names, and the slot of each head by queue. */
  readonly #named: Int8Array = new Int8Array(SLOTS * AT_ONCE);
  readonly #slots: readonly Int16Array[] = [new Int16Array(1024), new Int16Array(1024)];
  readonly #busy: Uint8Array = new Uint8Array(SLOTS);
  #host: RequestHost | undefined;
  #pages = 0;
  #lists = 0;
  #statistics = 0;
  #breathesIn = true;

  begin(host: RequestHost): void {
    this.#host = host;
    this.outstanding = 0;
    this.completed = 0;
    this.correct = true;
    this.inside = 0;
    this.reports = 0;
    this.#breathesIn = true;
    this.#where.fill(GUEST);
    this.#busy.fill(0);
    for (const slots of this.#slots) slots.fill(-1);
    this.#pages = host.arena.take(PAGES * PAGE, PAGE);
    this.#lists = host.arena.take(4 * AT_ONCE * SLOTS, 64);
    this.#statistics = host.arena.take(STAT_BYTES * TAGS, 64);
    if ((host.featuresLow & (1 << F_STATS_VQ)) === 0) return;
    this.#tell();
    announce(host, STATS);
  }

  /** What the host wants; where it wants nothing, a page goes in or comes out. */
  submit(): number {
    const host = this.#host;
    const slot = this.#busy.indexOf(0);
    if (host === undefined || slot < 0) return NO_QUEUE;
    const change = Math.min(this.#wanted(host), PAGES) - this.inside;
    if (this.inside === 0) this.#breathesIn = true;
    if (this.inside >= BREATH) this.#breathesIn = false;
    const inflates = change > 0 || (change === -this.inside && this.#breathesIn);
    const most = Math.min(Math.max(Math.abs(change), 1), AT_ONCE);
    return this.#move(host, slot, inflates ? INFLATE : DEFLATE, inflates && change <= 0 ? 1 : most);
  }

  #move(host: RequestHost, slot: number, queue: number, most: number): number {
    const count = this.#list(host, slot, queue === INFLATE ? GUEST : BALLOON, most);
    // Everything that could go is on its way: the other direction has something.
    if (count === 0) return queue === DEFLATE ? this.#move(host, slot, INFLATE, 1) : NO_QUEUE;
    const list = this.#lists + 4 * AT_ONCE * slot;
    const head = host.rings[queue]?.add(this.#chain.clear().add(list, 4 * count, false)) ?? -1;
    const slots = this.#slots[queue];
    if (head < 0 || slots === undefined) return NO_QUEUE;
    slots[head] = slot;
    this.#busy[slot] = count;
    this.outstanding++;
    return queue;
  }

  /** Writes down the next pages that are in a place; how many there are. */
  #list(host: RequestHost, slot: number, place: number, most: number): number {
    let count = 0;
    for (let page = 0; page < PAGES && count < most; page++) {
      if (this.#where[page] !== place) continue;
      this.#where[page] = MOVING;
      const at = slot * AT_ONCE + count++;
      this.#named[at] = page;
      host.platform.store32(this.#lists + 4 * at, this.#page(page) / PAGE, host.little);
    }
    return count;
  }

  collected(queue: number, head: number): void {
    const host = this.#host;
    if (host === undefined) return;
    if (queue === STATS) {
      this.#tell();
      announce(host, STATS);
      return;
    }
    const slot = this.#slots[queue]?.[head] ?? -1;
    if (slot < 0) {
      this.correct = false;
      return;
    }
    this.outstanding--;
    this.completed++;
    const count = this.#busy[slot] ?? 0;
    this.#busy[slot] = 0;
    for (let i = 0; i < count; i++) {
      const page = this.#named[slot * AT_ONCE + i] ?? 0;
      this.#where[page] = queue === INFLATE ? BALLOON : GUEST;
      // A page that is the guest's again is used again.
      if (queue === DEFLATE) host.platform.store32(this.#page(page), page, true);
    }
    this.inside += queue === INFLATE ? count : -count;
    host.transport.setConfig32(ACTUAL, this.inside);
  }

  #wanted({ transport }: RequestHost): number {
    let value = 0;
    for (let i = 3; i >= 0; i--) value = value * 256 + transport.config8(NUM_PAGES + i);
    return value;
  }

  #page(index: number): number {
    return this.#pages + index * PAGE;
  }

  #tell(): void {
    const host = this.#host;
    if (host === undefined) return;
    this.reports++;
    for (let tag = 0; tag < TAGS; tag++) {
      const at = this.#statistics + STAT_BYTES * tag;
      host.platform.store16(at, tag, host.little);
      host.platform.store64(at + 2, BigInt(1000 * this.reports + tag), host.little);
    }
    host.rings[STATS]?.add(this.#chain.clear().add(this.#statistics, STAT_BYTES * TAGS, false));
  }
}
