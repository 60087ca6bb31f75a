import type { HandlerId } from '../core/event-queue.ts';
import type { StateStream } from '../core/state.ts';
import { ticks, TIMEBASE_HZ } from '../core/time.ts';
import { VIRTIO_CONFIG_S_DRIVER_OK, VIRTIO_ID_BALLOON } from '../virtio/abi.ts';
import type { Chain } from '../virtio/chain.ts';
import { copyOut } from '../virtio/chain-io.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureBit, hasFeature } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import {
  ACTUAL_AT,
  BALLOON_PAGE_BYTES,
  CONFIG_BYTES,
  FREE_PAGE_HINT_CMD_ID_AT,
  FREE_PAGE_HINT_CMD_ID_MIN,
  PFN_BYTES,
  POISON_AT,
  STAT_BYTES,
  STAT_NAMES,
  VIRTIO_BALLOON_CMD_ID_DONE,
  VIRTIO_BALLOON_CMD_ID_STOP,
  VIRTIO_BALLOON_F_DEFLATE_ON_OOM,
  VIRTIO_BALLOON_F_FREE_PAGE_HINT,
  VIRTIO_BALLOON_F_PAGE_POISON,
  VIRTIO_BALLOON_F_PAGE_REPORTING,
  VIRTIO_BALLOON_F_STATS_VQ,
  VIRTIO_BALLOON_PFN_SHIFT,
} from './balloon-abi.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';

const QUEUE_SIZE = 128;
const FREE_PAGE_QUEUE_SIZE = 1024;
const REPORTING_QUEUE_SIZE = 32;
const INFLATE_QUEUE = 0;
const STATS_QUEUE = 2;
const UINT32_MAX = 0xffffffff;

/** What a migration asks of hinting: free pages are told of, the telling pauses, the pages may be used again. */
export type HintPhase = 'start' | 'stop' | 'done';

/** QEMU's free_page_hint_status. */
const HINT_STOP = 0;
const HINT_REQUESTED = 1;
const HINT_START = 2;
const HINT_DONE = 3;

/**
 * While hints come in, QEMU's thread looks at the queue without being kicked, as fast as it can. Here it looks this
 * often, and goes to sleep after so many looks in vain; then the next kick, or the next act of the host, wakes it.
 */
const HINT_POLL_TICKS = (TIMEBASE_HZ / 1_000_000) * 50;
const HINT_POLLS = 32;

/** Page numbers read from a buffer at a time. */
const CHUNK_BYTES = 4096;
const STATS_MAX_READ = 4096 - (4096 % STAT_BYTES);

export interface BalloonOptions {
  readonly deflateOnOom: boolean;
  readonly freePageHint: boolean;
  readonly pagePoison: boolean;
  readonly freePageReporting: boolean;
  /** Configuration is whole whatever is offered, as QEMU 4.0 had it. */
  readonly wholeConfig: boolean;
  /** `guest-stats-polling-interval` in seconds; 0: nobody asks. */
  readonly pollingSeconds: number;
  readonly ramBytes: number;
  /** Page size of the host's memory behind RAM: only whole pages of it can be given up. */
  readonly hostPageBytes: number;
  /** Virtual time 0 in seconds since 1970. */
  readonly epochSeconds: number;
  /** BALLOON_CHANGE: what the guest has now, in bytes. */
  readonly changed: (actualBytes: number) => void;
}

/** What `qom-get … guest-stats` answers. */
interface Statistics {
  readonly 'last-update': number;
  readonly stats: Readonly<Record<string, bigint>>;
}

/**
 * A memory balloon (VIRTIO 1.3, 5.5; QEMU hw/virtio/virtio-balloon.c). A page that is given up or reported reads as zeros
 * from then on, as memory of a Linux host does after MADV_DONTNEED.
 */
export class BalloonDevice extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_BALLOON;
  readonly name: string = 'virtio-balloon';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #options: BalloonOptions;
  readonly #writer: ConfigWriter;
  readonly #view: DataView<ArrayBuffer>;
  readonly #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(CHUNK_BYTES);
  readonly #chunkView: DataView<ArrayBuffer> = new DataView(this.#chunk.buffer);
  readonly #poll: HandlerId;
  readonly #hints: HandlerId;
  readonly #hintQueue: number;
  readonly #reportQueue: number;
  #numPages = 0;
  #actual = 0;
  /** As the driver wrote it: a legacy one may do so byte by byte. */
  #writtenActual = 0;
  #poison = 0;
  #pollingSeconds: number;
  /** When the host asks for statistics next, in ticks; -1: no timer runs. */
  #pollAt = -1;
  /** The statistics buffer, kept until the host wants new ones. */
  #statistics: Chain | undefined;
  readonly #stats: BigUint64Array<ArrayBuffer> = new BigUint64Array(STAT_NAMES.length).fill(2n ** 64n - 1n);
  #lastUpdate = 0;
  /** A statistics buffer came since the last reset. */
  #hadStatistics = false;
  #hintStatus = HINT_STOP;
  #hintCommand = FREE_PAGE_HINT_CMD_ID_MIN;
  #hintLooks = 0;
  /** Pieces of one larger host page that this buffer has named so far: its address, or -1, and which. */
  #partialPage = -1;
  readonly #partialPieces: Uint8Array<ArrayBuffer>;
  /** Host pages of the list being read that the list has given away. */
  readonly #ownGone: Set<number> = new Set();
  #warned = false;
  /** During a write of a legacy driver that leaves actual half written. */
  #writesInPart = false;

  constructor(parts: CoreParts, options: BalloonOptions) {
    super(parts, configLength(options));
    this.#options = options;
    this.#writer = new ConfigWriter(this.config);
    this.#view = new DataView(this.config.buffer);
    this.#partialPieces = new Uint8Array(options.hostPageBytes / BALLOON_PAGE_BYTES);
    this.#poll = parts.events.register(() => this.#askForStatistics());
    this.#hints = parts.events.register(() => this.#takeHints());
    for (let i = INFLATE_QUEUE; i <= STATS_QUEUE; i++) this.addQueue(QUEUE_SIZE);
    let next = STATS_QUEUE + 1;
    this.#hintQueue = options.freePageHint ? next++ : -1;
    this.#reportQueue = options.freePageReporting ? next : -1;
    if (options.freePageHint) this.addQueue(FREE_PAGE_QUEUE_SIZE);
    if (options.freePageReporting) this.addQueue(REPORTING_QUEUE_SIZE);
    this.#pollingSeconds = options.pollingSeconds;
    if (this.#pollingSeconds > 0) this.#pollAt = parts.events.now;
  }

  offer(features: bigint): bigint {
    const options = this.#options;
    let offered = features | featureBit(VIRTIO_BALLOON_F_STATS_VQ);
    if (options.deflateOnOom) offered |= featureBit(VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
    if (options.freePageHint) offered |= featureBit(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
    if (options.pagePoison) offered |= featureBit(VIRTIO_BALLOON_F_PAGE_POISON);
    if (options.freePageReporting) offered |= featureBit(VIRTIO_BALLOON_F_PAGE_REPORTING);
    return offered;
  }

  // --- The host's side --------------------------------------------------------------------------------------------

  /** `balloon VALUE`: how much memory the guest shall keep, in bytes. */
  setTarget(bytes: number): void {
    const { ramBytes } = this.#options;
    const target = Math.min(bytes, ramBytes);
    if (target === 0) return;
    this.#numPages = Math.floor((ramBytes - target) / BALLOON_PAGE_BYTES) >>> 0;
    this.notifyConfig();
  }

  /** What the guest has, as it says itself. */
  get actualBytes(): number {
    return this.#options.ramBytes - this.#actual * BALLOON_PAGE_BYTES;
  }

  get pollingInterval(): number {
    return this.#pollingSeconds;
  }

  /** 0 … 2^32 - 1 seconds; 0 ends the polling. */
  setPollingInterval(seconds: number): void {
    if (seconds === this.#pollingSeconds) return;
    const polled = this.#pollingSeconds > 0;
    this.#pollingSeconds = seconds;
    if (seconds === 0) this.#setTimer(-1);
    else this.#setTimer(polled ? this.#inSeconds(seconds) : this.parts.events.now);
  }

  /** A statistic that the guest did not give reads as 2^64 - 1. */
  get statistics(): Statistics {
    const stats: Record<string, bigint> = {};
    for (const [tag, name] of STAT_NAMES.entries()) stats[name] = this.#stats[tag] ?? 0n;
    return { 'last-update': this.#lastUpdate, stats };
  }

  /** What a migration asks of a guest that accepted FREE_PAGE_HINT. */
  hint(phase: HintPhase): void {
    if (!this.accepted(VIRTIO_BALLOON_F_FREE_PAGE_HINT)) return;
    if (phase === 'start') this.#startHints();
    else this.#endHints(phase === 'stop' ? HINT_STOP : HINT_DONE);
  }

  override exchange(state: StateStream): void {
    super.exchange(state);
    this.#numPages = state.u32(this.#numPages);
    this.#actual = state.u32(this.#actual);
    this.#writtenActual = state.u32(this.#writtenActual);
    this.#hadStatistics = state.bool(this.#hadStatistics);
    this.#poison = state.u32(this.#poison);
    this.#pollingSeconds = state.u32(this.#pollingSeconds);
    this.#pollAt = state.integer(this.#pollAt);
    this.#lastUpdate = state.integer(this.#lastUpdate);
    for (let tag = 0; tag < this.#stats.length; tag++) this.#stats[tag] = state.u64(this.#stats[tag] ?? 0n);
    this.#hintStatus = state.u8(this.#hintStatus);
    this.#hintCommand = state.u32(this.#hintCommand);
    this.#hintLooks = state.u8(this.#hintLooks);
    this.#warned = state.bool(this.#warned);
    const held = state.bool(this.#statistics !== undefined);
    if (!held) this.#statistics = undefined;
    else {
      this.#statistics ??= this.queue(STATS_QUEUE)?.take();
      this.#statistics?.exchange(state);
    }
  }

  /** Always little-endian, whoever asks. */
  protected override refreshConfig(): void {
    this.#writer.put(0, 4, this.#numPages);
    this.#writer.put(ACTUAL_AT, 4, this.#writtenActual);
    this.#writer.put(FREE_PAGE_HINT_CMD_ID_AT, 4, this.#shownCommand());
    this.#writer.put(POISON_AT, 4, this.#poison);
  }

  protected override configWritten(): void {
    this.#writtenActual = this.#view.getUint32(ACTUAL_AT, true);
    if (!this.#writesInPart) this.#countActual();
    const poisons = this.accepted(VIRTIO_BALLOON_F_PAGE_POISON) && this.config.length > POISON_AT;
    this.#poison = poisons ? this.#view.getUint32(POISON_AT, true) : 0;
  }

  #countActual(): void {
    if (this.#actual === this.#writtenActual) return;
    this.#actual = this.#writtenActual;
    this.#options.changed(this.actualBytes);
  }

  override legacyConfigWrite(offset: number, width: 1 | 2 | 4, value: number): void {
    const end = offset + width;
    this.#writesInPart =
      !this.behaviour.countsActualByByte && end > ACTUAL_AT && end < ACTUAL_AT + 4 && offset >= ACTUAL_AT;
    super.legacyConfigWrite(offset, width, value);
    this.#writesInPart = false;
  }

  /** A legacy driver may accept statistics when it has handed in a buffer already. */
  protected override featuresChanging(features: bigint): void {
    if (this.#statistics === undefined || this.#pollingSeconds === 0 || this.#pollAt >= 0) return;
    if (hasFeature(features, VIRTIO_BALLOON_F_STATS_VQ))
      this.#setTimer(this.#inSeconds(this.#pollingSeconds));
  }

  protected override statusChanging(status: number): void {
    const queue = this.queue(STATS_QUEUE);
    if (queue === undefined || this.#statistics !== undefined) return;
    // A buffer that was taken and forgotten is looked for again.
    if ((status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0 && queue.rewind(1)) this.#takeStatistics(queue);
  }

  protected override resetting(): void {
    if (this.accepted(VIRTIO_BALLOON_F_FREE_PAGE_HINT)) this.#endHints(HINT_STOP);
    const queue = this.queue(STATS_QUEUE);
    if (this.#statistics !== undefined && queue !== undefined) {
      queue.unpop(this.#statistics, 0);
      queue.recycle(this.#statistics);
    }
    this.#statistics = undefined;
    this.#hadStatistics = false;
    this.#poison = 0;
    // A reset of the machine takes everything off the clock; the host goes on asking.
    this.#setTimer(this.#pollAt);
  }

  protected service(queue: Virtqueue): void {
    const { index } = queue.ring;
    if (index === STATS_QUEUE) this.#takeStatistics(queue);
    else if (index === this.#hintQueue) this.#wakeHints();
    else if (index === this.#reportQueue) this.#takeReports(queue);
    else this.#takePages(queue, index === INFLATE_QUEUE);
  }

  // --- Inflate and deflate ----------------------------------------------------------------------------------------

  #takePages(queue: Virtqueue, inflate: boolean): void {
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      this.#partialPage = -1;
      this.#readPages(chain, inflate);
      this.#return(queue, chain);
    }
  }

  /**
   * Pages that come back need nothing of the host; their numbers are read all the same. QEMU reads one number at a time,
   * so a list that gives its own page away goes on in zeros.
   */
  #readPages(chain: Chain, inflate: boolean): void {
    const bytes = chain.outBytes();
    const { hostPageBytes } = this.#options;
    this.#ownGone.clear();
    for (let at = 0; at + PFN_BYTES <= bytes; at += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, bytes - at);
      copyOut(this.space, chain, at, this.#chunk, 0, length);
      if (!inflate) continue;
      for (let i = 0; i + PFN_BYTES <= length; i += PFN_BYTES) {
        const page = this.#chunkView.getUint32(i, this.littleEndian);
        const address = page * 2 ** VIRTIO_BALLOON_PFN_SHIFT;
        if (!this.#inflate(address) || !holds(chain, address, hostPageBytes)) continue;
        const own = Math.floor(address / hostPageBytes);
        // What was given away once stays empty.
        if (!this.#ownGone.has(own)) copyOut(this.space, chain, at, this.#chunk, 0, length);
        this.#ownGone.add(own);
      }
    }
  }

  /** `balloon_inflate_page`: true if memory was given up. What is not RAM is passed over. */
  #inflate(address: number): boolean {
    const { hostPageBytes, ramBytes } = this.#options;
    if (address >= ramBytes) return false;
    if (hostPageBytes === BALLOON_PAGE_BYTES) {
      this.space.discard(address, BALLOON_PAGE_BYTES);
      return true;
    }
    this.#warnOfPages();
    const page = address - (address % hostPageBytes);
    // Only one host page is kept track of: naming a piece of another forgets the pieces before.
    if (page !== this.#partialPage) this.#partialPieces.fill(0);
    this.#partialPage = page;
    this.#partialPieces[(address - page) / BALLOON_PAGE_BYTES] = 1;
    if (this.#partialPieces.includes(0)) return false;
    this.space.discard(page, hostPageBytes);
    this.#partialPage = -1;
    return true;
  }

  #warnOfPages(): void {
    if (this.#warned) return;
    this.#warned = true;
    const { diagnostics } = this.parts;
    if (!diagnostics.listening) return;
    diagnostics.say(
      'qemu-system-ppc64: warning: Balloon used with backing page size > 4kiB, this may not be reliable',
    );
  }

  // --- Free page reporting ----------------------------------------------------------------------------------------

  #takeReports(queue: Virtqueue): void {
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      // Pages that must hold the guest's pattern are left alone.
      if (this.#poison === 0) this.#discardReported(chain);
      this.#return(queue, chain);
    }
  }

  /** Pieces that are not whole host pages of RAM are passed over. */
  #discardReported(chain: Chain): void {
    const { hostPageBytes, ramBytes } = this.#options;
    for (let i = chain.outCount; i < chain.pieces; i++) {
      const at = chain.ram[i] ?? -1;
      const length = chain.length[i] ?? 0;
      if (at < 0 || at % hostPageBytes !== 0 || length % hostPageBytes !== 0) continue;
      if (at + length <= ramBytes) this.space.discard(at, length);
    }
  }

  // --- Statistics -------------------------------------------------------------------------------------------------

  /** `virtio_balloon_receive_stats`. */
  #takeStatistics(queue: Virtqueue): void {
    const chain = queue.pop();
    if (chain !== undefined) {
      if (this.#statistics !== undefined) this.#return(queue, this.#statistics);
      this.#statistics = chain;
      const empty = !this.#hadStatistics && !this.version1 && !this.behaviour.takesFirstLegacyStatistics;
      this.#hadStatistics = true;
      if (!empty) this.#readStatistics(chain);
    }
    if (this.#pollingSeconds > 0) this.#setTimer(this.#inSeconds(this.#pollingSeconds));
  }

  #readStatistics(chain: Chain): void {
    const seconds = Math.floor(this.parts.events.now / TIMEBASE_HZ);
    this.#lastUpdate = this.#options.epochSeconds + seconds;
    this.#stats.fill(2n ** 64n - 1n);
    const bytes = chain.outBytes();
    for (let at = 0; at + STAT_BYTES <= bytes; at += STATS_MAX_READ) {
      const got = copyOut(this.space, chain, at, this.#chunk, 0, Math.min(STATS_MAX_READ, bytes - at));
      for (let i = 0; i + STAT_BYTES <= got; i += STAT_BYTES) {
        const tag = this.#chunkView.getUint16(i, this.littleEndian);
        if (tag < this.#stats.length)
          this.#stats[tag] = this.#chunkView.getBigUint64(i + 2, this.littleEndian);
      }
    }
  }

  /**
   * `balloon_stats_poll_cb`: gives the buffer back, which asks the driver to fill it again. Where there is nothing to
   * give QEMU's timer goes on in vain; here it rests until there is, which starts it anew in either.
   */
  #askForStatistics(): void {
    this.#pollAt = -1;
    const queue = this.queue(STATS_QUEUE);
    const chain = this.#statistics;
    if (queue === undefined || chain === undefined || !this.accepted(VIRTIO_BALLOON_F_STATS_VQ)) return;
    this.#statistics = undefined;
    this.#return(queue, chain);
  }

  #inSeconds(seconds: number): number {
    return this.parts.events.now + seconds * TIMEBASE_HZ;
  }

  /** Asks at this tick, or not at all: -1. */
  #setTimer(at: number): void {
    const { events } = this.parts;
    events.cancel(this.#poll);
    this.#pollAt = at;
    if (at >= 0) events.schedule(ticks(Math.max(at - events.now, 0)), this.#poll);
  }

  // --- Free page hinting ------------------------------------------------------------------------------------------

  #shownCommand(): number {
    if (this.#hintStatus === HINT_REQUESTED) return this.#hintCommand;
    return this.#hintStatus === HINT_DONE ? VIRTIO_BALLOON_CMD_ID_DONE : VIRTIO_BALLOON_CMD_ID_STOP;
  }

  #startHints(): void {
    this.#hintCommand = this.#hintCommand === UINT32_MAX ? FREE_PAGE_HINT_CMD_ID_MIN : this.#hintCommand + 1;
    this.#hintStatus = HINT_REQUESTED;
    this.notifyConfig();
    this.#keepLooking();
  }

  #endHints(status: number): void {
    if (this.#hintStatus === status) return;
    this.#hintStatus = status;
    this.notifyConfig();
    this.#keepLooking();
  }

  /** The thread that looks at the queue was not done when the host changed its mind: it looks once more. */
  #keepLooking(): void {
    if (this.parts.events.isScheduled(this.#hints)) this.#hintLooks = HINT_POLLS;
  }

  #wakeHints(): void {
    const { events } = this.parts;
    this.#hintLooks = HINT_POLLS;
    events.cancel(this.#hints);
    events.schedule(ticks(0), this.#hints);
  }

  /** `virtio_ballloon_get_free_page_hints`: takes what is there, and while hints come in keeps looking. */
  #takeHints(): void {
    const queue = this.queue(this.#hintQueue);
    if (queue === undefined) return;
    for (;;) {
      queue.setNotification(false);
      const more = this.#takeHint(queue);
      this.notifyUsed(queue);
      if (!more) break;
      this.#hintLooks = HINT_POLLS;
    }
    if (this.#hintStatus !== HINT_START) queue.setNotification(true);
    else if (this.#hintLooks > 0) {
      this.#hintLooks--;
      this.parts.events.schedule(ticks(HINT_POLL_TICKS), this.#hints);
    } else queue.setNotification(true);
  }

  /** `get_free_page_hints`: false if there is nothing more to take. The pages themselves stay as they are. */
  #takeHint(queue: Virtqueue): boolean {
    const chain = queue.pop();
    if (chain === undefined) return false;
    const good = chain.outCount === 0 || this.#readCommand(chain);
    queue.push(chain, 0);
    queue.recycle(chain);
    return good;
  }

  #readCommand(chain: Chain): boolean {
    if (copyOut(this.space, chain, 0, this.#chunk, 0, PFN_BYTES) !== PFN_BYTES) {
      this.fail('received an incorrect cmd id');
      return false;
    }
    const id = this.#chunkView.getUint32(0, this.littleEndian);
    if (this.#hintStatus === HINT_REQUESTED && id === this.#hintCommand) this.#hintStatus = HINT_START;
    // Only what has begun can end: a late stop of the request before is no stop.
    else if (this.#hintStatus === HINT_START) this.#hintStatus = HINT_STOP;
    return true;
  }

  #return(queue: Virtqueue, chain: Chain): void {
    queue.push(chain, 0);
    queue.recycle(chain);
    this.notifyUsed(queue);
  }
}

/** Whether some of a chain's device-readable bytes lie in the host page around `address`. */
function holds(chain: Chain, address: number, pageBytes: number): boolean {
  const page = address - (address % pageBytes);
  for (let i = 0; i < chain.outCount; i++) {
    const at = chain.ram[i] ?? -1;
    if (at >= 0 && at < page + pageBytes && at + (chain.length[i] ?? 0) > page) return true;
  }
  return false;
}

function configLength(options: BalloonOptions): number {
  if (options.wholeConfig || options.pagePoison) return CONFIG_BYTES;
  return options.freePageHint ? POISON_AT : FREE_PAGE_HINT_CMD_ID_AT;
}
