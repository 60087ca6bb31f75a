import type { HandlerId } from '../core/event-queue.ts';
import { ticks } from '../core/time.ts';
import { VIRTIO_CONFIG_S_DRIVER_OK, VIRTIO_ID_CRYPTO } from '../virtio/abi.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';

const QUEUE_SIZE = 1024;
const DATA_QUEUE = 0;
const DATA_REQUEST_BYTES = 72;
const CONTROL_REQUEST_BYTES = 72;
const MAX_SIZE = 0x7fffffffffffffe7n;
const MAX_SIZE_AT = 48;

/**
 * status (ready), data queues, services (cipher, hash, MAC, akcipher), cipher algorithms (AES-CBC) in two words, hash
 * (SHA-1), MAC in two words, AEAD, longest cipher and authentication keys, akcipher (RSA): as `cryptodev-backend-builtin`
 * sets them in QEMU 7.2.
 */
const CONFIG: readonly number[] = [1, 1, 0x17, 8, 0, 4, 0, 0, 0, 64, 512, 2];

/**
 * A crypto device (VIRTIO 1.3, 5.9; QEMU hw/virtio/virtio-crypto.c) without a crypto engine: requests that are long
 * enough are taken and stay unanswered.
 */
export class CryptoDevice extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_CRYPTO;
  readonly name: string = 'virtio-crypto';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #data: Virtqueue;
  readonly #later: HandlerId;
  readonly #writer: ConfigWriter;

  constructor(parts: CoreParts) {
    super(parts, MAX_SIZE_AT + 8);
    this.#writer = new ConfigWriter(this.config);
    this.#data = this.addQueue(QUEUE_SIZE);
    this.addQueue(QUEUE_SIZE);
    this.#later = parts.events.register(() => this.#serveData());
  }

  offer(features: bigint): bigint {
    return features;
  }

  protected override refreshConfig(): void {
    for (const [index, word] of CONFIG.entries()) this.#writer.put(4 * index, 4, word);
    this.#writer.put64(MAX_SIZE_AT, MAX_SIZE);
  }

  protected service(queue: Virtqueue): void {
    if (queue.ring.index !== DATA_QUEUE) {
      this.#serve(queue, CONTROL_REQUEST_BYTES, 'ctrl missing headers', 'request ctrl_hdr too short');
      return;
    }
    queue.setNotification(false);
    const { events } = this.parts;
    if (!events.isScheduled(this.#later)) events.schedule(ticks(0), this.#later);
  }

  #serveData(): void {
    if ((this.status & VIRTIO_CONFIG_S_DRIVER_OK) === 0) return;
    const queue = this.#data;
    for (;;) {
      this.#serve(queue, DATA_REQUEST_BYTES, 'dataq missing headers', 'request outhdr too short');
      queue.setNotification(true);
      if (!this.goesOn(queue)) break;
      queue.setNotification(false);
    }
  }

  #serve(queue: Virtqueue, wanted: number, missing: string, short: string): void {
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      if (chain.outCount < 1 || chain.inCount < 1) this.fail(`virtio-crypto ${missing}`);
      else if (chain.outBytes() < wanted) this.fail(`virtio-crypto ${short}`);
      else continue;
      queue.detach(chain, 0);
      queue.recycle(chain);
      return;
    }
  }
}
