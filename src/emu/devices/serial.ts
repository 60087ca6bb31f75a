import { VIRTIO_ID_CONSOLE } from '../virtio/abi.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureBit } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';

const VIRTIO_CONSOLE_F_MULTIPORT = 1;
const VIRTIO_CONSOLE_F_EMERG_WRITE = 2;
const CONFIG_BYTES = 12;
const MAX_NR_PORTS_AT = 4;
const EMERG_WR_AT = 8;
const PORT_QUEUE_SIZE = 128;
const CONTROL_QUEUE_SIZE = 32;

export interface SerialOptions {
  readonly maxPorts: number;
  readonly emergencyWrite: boolean;
}

/**
 * A serial bus (VIRTIO 1.3, 5.3; QEMU hw/char/virtio-serial-bus.c) with no port on it: what the driver sends is taken
 * and dropped, by even queues nothing ever arrives.
 */
export class SerialDevice extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_CONSOLE;
  readonly name: string = 'virtio-serial';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #options: SerialOptions;
  readonly #writer: ConfigWriter;

  constructor(parts: CoreParts, options: SerialOptions) {
    super(parts, options.emergencyWrite ? CONFIG_BYTES : EMERG_WR_AT);
    this.#options = options;
    this.#writer = new ConfigWriter(this.config);
    // Port 0, the control pair, then the other ports.
    this.#addPair(PORT_QUEUE_SIZE);
    this.#addPair(CONTROL_QUEUE_SIZE);
    for (let port = 1; port < options.maxPorts; port++) this.#addPair(PORT_QUEUE_SIZE);
  }

  offer(features: bigint): bigint {
    const emergency = this.#options.emergencyWrite ? featureBit(VIRTIO_CONSOLE_F_EMERG_WRITE) : 0n;
    const ports = this.#options.maxPorts > 1 ? featureBit(VIRTIO_CONSOLE_F_MULTIPORT) : 0n;
    return features | emergency | ports;
  }

  protected override refreshConfig(): void {
    this.#writer.littleEndian = this.littleEndian;
    this.#writer.put(0, 4, 0);
    this.#writer.put(MAX_NR_PORTS_AT, 4, this.#options.maxPorts);
  }

  protected override configWritten(): void {
    // The register for last words reads as 0 again at once.
    if (this.#options.emergencyWrite) this.config.fill(0, EMERG_WR_AT, CONFIG_BYTES);
  }

  protected service(queue: Virtqueue): void {
    const isOutput = queue.ring.index % 2 === 1;
    if (!isOutput || queue.ring.driver.isZero) return;
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      queue.push(chain, 0);
      queue.recycle(chain);
    }
    this.notifyUsed(queue);
  }

  #addPair(size: number): void {
    this.addQueue(size);
    this.addQueue(size);
  }
}
