import type { StateStream } from '../core/state.ts';
import { VIRTIO_ID_BALLOON } from '../virtio/abi.ts';
import type { Chain } from '../virtio/chain.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureBit } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';

const VIRTIO_BALLOON_F_STATS_VQ = 1;
const VIRTIO_BALLOON_F_DEFLATE_ON_OOM = 2;
const VIRTIO_BALLOON_F_FREE_PAGE_HINT = 3;
const VIRTIO_BALLOON_F_PAGE_POISON = 4;
const VIRTIO_BALLOON_F_PAGE_REPORTING = 5;
const CONFIG_BYTES = 16;
const CONFIG_BYTES_TO_HINT = 12;
const CONFIG_BYTES_TO_ACTUAL = 8;
const ACTUAL_AT = 4;
const POISON_AT = 12;
const QUEUE_SIZE = 128;
const FREE_PAGE_QUEUE_SIZE = 1024;
const REPORTING_QUEUE_SIZE = 32;
const STATS_QUEUE = 2;

export interface BalloonOptions {
  readonly deflateOnOom: boolean;
  readonly freePageHint: boolean;
  readonly pagePoison: boolean;
  readonly freePageReporting: boolean;
  /** Configuration is whole whatever is offered, as QEMU 4.0 had it. */
  readonly wholeConfig: boolean;
}

/**
 * A balloon (VIRTIO 1.3, 5.5; QEMU hw/virtio/virtio-balloon.c) that nobody inflates. Pages given up keep their content:
 * the host has no use for them.
 */
export class BalloonDevice extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_BALLOON;
  readonly name: string = 'virtio-balloon';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #options: BalloonOptions;
  readonly #writer: ConfigWriter;
  readonly #view: DataView<ArrayBuffer>;
  /** The statistics buffer, kept until there is another. */
  #statistics: Chain | undefined;
  #actual = 0;
  #poison = 0;

  constructor(parts: CoreParts, options: BalloonOptions) {
    super(parts, configLength(options));
    this.#options = options;
    this.#writer = new ConfigWriter(this.config);
    this.#view = new DataView(this.config.buffer);
    for (let i = 0; i <= STATS_QUEUE; i++) this.addQueue(QUEUE_SIZE);
    if (options.freePageHint) this.addQueue(FREE_PAGE_QUEUE_SIZE);
    if (options.freePageReporting) this.addQueue(REPORTING_QUEUE_SIZE);
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

  override exchange(state: StateStream): void {
    super.exchange(state);
    this.#actual = state.u32(this.#actual);
    this.#poison = state.u32(this.#poison);
    const holds = state.bool(this.#statistics !== undefined);
    if (!holds) this.#statistics = undefined;
    else {
      this.#statistics ??= this.queue(STATS_QUEUE)?.take();
      this.#statistics?.exchange(state);
    }
  }

  /** Always little-endian, whoever asks. */
  protected override refreshConfig(): void {
    this.#writer.put(0, 4, 0);
    this.#writer.put(ACTUAL_AT, 4, this.#actual);
    this.#writer.put(CONFIG_BYTES_TO_ACTUAL, 4, 0);
    this.#writer.put(POISON_AT, 4, this.#poison);
  }

  protected override configWritten(): void {
    this.#actual = this.#view.getUint32(ACTUAL_AT, true);
    const poisons = this.accepted(VIRTIO_BALLOON_F_PAGE_POISON) && this.config.length > POISON_AT;
    this.#poison = poisons ? this.#view.getUint32(POISON_AT, true) : 0;
  }

  protected override resetting(): void {
    const queue = this.queue(STATS_QUEUE);
    if (this.#statistics !== undefined && queue !== undefined) {
      queue.unpop(this.#statistics, 0);
      queue.recycle(this.#statistics);
    }
    this.#statistics = undefined;
    this.#poison = 0;
  }

  protected service(queue: Virtqueue): void {
    if (queue.ring.index === STATS_QUEUE) {
      this.#takeStatistics(queue);
      return;
    }
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) this.#return(queue, chain);
  }

  #takeStatistics(queue: Virtqueue): void {
    const chain = queue.pop();
    if (chain === undefined) return;
    if (this.#statistics !== undefined) this.#return(queue, this.#statistics);
    this.#statistics = chain;
  }

  #return(queue: Virtqueue, chain: Chain): void {
    queue.push(chain, 0);
    queue.recycle(chain);
    this.notifyUsed(queue);
  }
}

function configLength(options: BalloonOptions): number {
  if (options.wholeConfig || options.pagePoison) return CONFIG_BYTES;
  return options.freePageHint ? CONFIG_BYTES_TO_HINT : CONFIG_BYTES_TO_ACTUAL;
}
