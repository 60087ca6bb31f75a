import type { StateStream } from '../core/state.ts';
import {
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_VERSION_1,
  VIRTIO_ID_IOMMU,
} from '../virtio/abi.ts';
import type { Chain } from '../virtio/chain.ts';
import { copyIn, copyOut } from '../virtio/chain-io.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureSet } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';

/** VIRTIO 1.3, 5.13.3. */
const F_INPUT_RANGE = 0;
const F_DOMAIN_RANGE = 1;
const F_MAP_UNMAP = 2;
const F_PROBE = 4;
const F_MMIO = 5;
const F_BYPASS_CONFIG = 6;
const FEATURES: bigint = featureSet(
  F_INPUT_RANGE,
  F_DOMAIN_RANGE,
  F_MAP_UNMAP,
  F_PROBE,
  F_MMIO,
  F_BYPASS_CONFIG,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_VERSION_1,
);
const CONFIG_BYTES = 40;
const BYPASS_AT = 36;
const PROBE_BYTES = 0x200;
const QUEUE_SIZE = 256;
const REQUEST_QUEUE = 0;
const HEAD_BYTES = 4;
const TAIL_BYTES = 4;
const S_UNSUPP = 2;

/**
 * A paravirtual IOMMU (QEMU hw/virtio/virtio-iommu.c). A pseries host bridge has its own and asks this one nothing, so
 * requests of every kind are answered as unsupported.
 */
export class IommuDevice extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_IOMMU;
  readonly name: string = 'virtio-iommu';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #writer: ConfigWriter;
  readonly #scratch: Uint8Array<ArrayBuffer> = new Uint8Array(HEAD_BYTES);
  #bypass: number;

  constructor(parts: CoreParts, bootBypass: boolean) {
    super(parts, CONFIG_BYTES);
    this.#writer = new ConfigWriter(this.config);
    this.#bypass = bootBypass ? 1 : 0;
    this.addQueue(QUEUE_SIZE);
    this.addQueue(QUEUE_SIZE);
  }

  offer(features: bigint): bigint {
    return features | FEATURES;
  }

  override exchange(state: StateStream): void {
    super.exchange(state);
    this.#bypass = state.u8(this.#bypass);
  }

  /** Page sizes, input range, domain range, probe size, bypass: little-endian, whoever asks. */
  protected override refreshConfig(): void {
    const writer = this.#writer;
    writer.put64(0, 0xfffffffffffff000n);
    writer.put64(8, 0n);
    writer.put64(16, 0xffffffffffffffffn);
    writer.put(24, 4, 0);
    writer.put(28, 4, 0xffffffff);
    writer.put(32, 4, PROBE_BYTES);
    writer.put(BYPASS_AT, 1, this.#bypass);
  }

  protected override configWritten(): void {
    const bypass = this.config[BYPASS_AT] ?? 0;
    if (bypass === this.#bypass) return;
    if (!this.accepted(F_BYPASS_CONFIG)) this.fail('cannot set config.bypass');
    else if (bypass > 1) this.fail(`invalid config.bypass value '${bypass}'`);
    else this.#bypass = bypass;
  }

  protected service(queue: Virtqueue): void {
    if (queue.ring.index !== REQUEST_QUEUE) return;
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      if (chain.inBytes() < TAIL_BYTES || chain.outBytes() < HEAD_BYTES) {
        this.fail('virtio-iommu bad head/tail size');
        queue.detach(chain, 0);
        queue.recycle(chain);
        return;
      }
      this.#answer(queue, chain);
    }
  }

  #answer(queue: Virtqueue, chain: Chain): void {
    copyOut(this.space, chain, 0, this.#scratch, 0, HEAD_BYTES);
    this.#scratch.fill(0);
    this.#scratch[0] = S_UNSUPP;
    copyIn(this.space, chain, 0, this.#scratch, 0, TAIL_BYTES);
    queue.push(chain, TAIL_BYTES);
    queue.recycle(chain);
    this.notifyUsed(queue);
  }
}
