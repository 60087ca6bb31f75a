import type { HandlerId } from '../core/event-queue.ts';
import { ticks } from '../core/time.ts';
import { VIRTIO_ID_GPU } from '../virtio/abi.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureBit } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';

const VIRTIO_GPU_F_EDID = 1;
const CONFIG_BYTES = 16;
const NUM_SCANOUTS_AT = 8;
const CONTROL_QUEUE_SIZE = 64;
const CURSOR_QUEUE_SIZE = 16;
const CURSOR_QUEUE = 1;

export interface GpuOptions {
  readonly maxOutputs: number;
  readonly edid: boolean;
}

/**
 * A display (VIRTIO 1.3, 5.7; QEMU hw/display/virtio-gpu.c) without a renderer: cursor updates are acknowledged, control
 * commands are taken and stay unanswered.
 */
export class GpuDevice extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_GPU;
  readonly name: string = 'virtio-gpu';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #options: GpuOptions;
  readonly #writer: ConfigWriter;
  readonly #later: HandlerId;

  constructor(parts: CoreParts, options: GpuOptions) {
    super(parts, CONFIG_BYTES);
    this.#options = options;
    this.#writer = new ConfigWriter(this.config);
    this.addQueue(CONTROL_QUEUE_SIZE);
    this.addQueue(CURSOR_QUEUE_SIZE);
    this.#later = parts.events.register((queue) => this.#serveLater(queue));
  }

  offer(features: bigint): bigint {
    return this.#options.edid ? features | featureBit(VIRTIO_GPU_F_EDID) : features;
  }

  protected override refreshConfig(): void {
    this.config.fill(0);
    this.#writer.put(NUM_SCANOUTS_AT, 4, this.#options.maxOutputs);
  }

  protected service(queue: Virtqueue): void {
    const { events } = this.parts;
    if (!events.isScheduled(this.#later, queue.ring.index))
      events.schedule(ticks(0), this.#later, queue.ring.index);
  }

  #serveLater(index: number): void {
    const queue = this.queue(index);
    if (queue === undefined || queue.ring.driver.isZero) return;
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      if (index !== CURSOR_QUEUE) continue;
      queue.push(chain, 0);
      queue.recycle(chain);
      this.notifyUsed(queue);
    }
  }
}
