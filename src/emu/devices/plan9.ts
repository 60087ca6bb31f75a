import { VIRTIO_ID_9P } from '../virtio/abi.ts';
import { copyOut } from '../virtio/chain-io.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureBit } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';

const VIRTIO_9P_MOUNT_TAG = 0;
const TAG_AT = 2;
const QUEUE_SIZE = 128;
/** size[4] type[1] tag[2] */
const HEADER_BYTES = 7;

/**
 * A 9P transport (VIRTIO 1.2, 5.10; QEMU hw/9pfs/virtio-9p-device.c) with no server behind it: requests that are well
 * formed as far as virtio sees them are taken and stay unanswered.
 */
export class Plan9Device extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_9P;
  readonly name: string = 'virtio-9p';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #tag: string;
  readonly #writer: ConfigWriter;
  readonly #header: Uint8Array<ArrayBuffer> = new Uint8Array(HEADER_BYTES);

  constructor(parts: CoreParts, tag: string) {
    super(parts, TAG_AT + tag.length);
    this.#tag = tag;
    this.#writer = new ConfigWriter(this.config);
    this.addQueue(QUEUE_SIZE);
  }

  offer(features: bigint): bigint {
    return features | featureBit(VIRTIO_9P_MOUNT_TAG);
  }

  protected override refreshConfig(): void {
    this.#writer.littleEndian = this.littleEndian;
    this.#writer.put(0, 2, this.#tag.length);
    for (let i = 0; i < this.#tag.length; i++) this.config[TAG_AT + i] = this.#tag.charCodeAt(i);
  }

  protected service(queue: Virtqueue): void {
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      const length = copyOut(this.space, chain, 0, this.#header, 0, HEADER_BYTES);
      if (chain.inBytes() < HEADER_BYTES) {
        this.fail('The guest sent a VirtFS request without space for the reply');
      } else if (length !== HEADER_BYTES) {
        this.fail(
          `The guest sent a malformed VirtFS request: header size is ${length}, should be ${HEADER_BYTES}`,
        );
      } else continue;
      queue.detach(chain, 0);
      queue.recycle(chain);
      return;
    }
  }
}
