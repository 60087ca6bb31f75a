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

/** Pages that the guest can spare, and how many go at a time. */
const PAGES = 32;
const AT_ONCE = 8;

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
  #host: RequestHost | undefined;
  #pages = 0;
  #list = 0;
  #statistics = 0;
  /** Pages that the request under way moves: into the balloon, or, below zero, out of it. */
  #moving = 0;

  begin(host: RequestHost): void {
    this.#host = host;
    this.outstanding = 0;
    this.completed = 0;
    this.correct = true;
    this.inside = 0;
    this.reports = 0;
    this.#moving = 0;
    this.#pages = host.arena.take(PAGES * PAGE, PAGE);
    this.#list = host.arena.take(4 * AT_ONCE, 64);
    this.#statistics = host.arena.take(STAT_BYTES * TAGS, 64);
    if ((host.featuresLow & (1 << F_STATS_VQ)) === 0) return;
    this.#tell();
    announce(host, STATS);
  }

  /** What the host wants; where it wants nothing, one page goes in and comes out again. */
  submit(): number {
    const host = this.#host;
    if (host === undefined || this.#moving !== 0) return NO_QUEUE;
    const wanted = Math.min(this.#wanted(host), PAGES);
    if (wanted > this.inside) this.#moving = Math.min(wanted - this.inside, AT_ONCE);
    else if (this.inside > 0) this.#moving = -Math.min(Math.max(this.inside - wanted, 1), AT_ONCE);
    else this.#moving = 1;
    const first = this.#moving > 0 ? this.inside : this.inside + this.#moving;
    const count = Math.abs(this.#moving);
    for (let i = 0; i < count; i++) this.#name(host, first + i, i);
    const queue = this.#moving > 0 ? INFLATE : DEFLATE;
    if ((host.rings[queue]?.add(this.#chain.clear().add(this.#list, 4 * count, false)) ?? -1) < 0)
      return NO_QUEUE;
    this.outstanding++;
    return queue;
  }

  collected(queue: number): void {
    const host = this.#host;
    if (host === undefined) return;
    if (queue === STATS) {
      this.#tell();
      announce(host, STATS);
      return;
    }
    this.outstanding--;
    this.completed++;
    if (queue !== (this.#moving > 0 ? INFLATE : DEFLATE)) this.correct = false;
    this.inside += this.#moving;
    this.#moving = 0;
    host.transport.setConfig32(ACTUAL, this.inside);
    // Pages that are the guest's again are used again.
    for (let page = this.inside; page < PAGES; page++) host.platform.store32(this.#page(page), page, true);
  }

  #wanted({ transport }: RequestHost): number {
    let value = 0;
    for (let i = 3; i >= 0; i--) value = value * 256 + transport.config8(NUM_PAGES + i);
    return value;
  }

  #page(index: number): number {
    return this.#pages + index * PAGE;
  }

  #name(host: RequestHost, index: number, at: number): void {
    host.platform.store32(this.#list + 4 * at, this.#page(index) / PAGE, host.little);
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
