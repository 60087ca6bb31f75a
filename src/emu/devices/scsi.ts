import type { StateStream } from '../core/state.ts';
import { VIRTIO_ID_SCSI } from '../virtio/abi.ts';
import type { Chain } from '../virtio/chain.ts';
import { copyIn, copyOut } from '../virtio/chain-io.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureBit } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';

const VIRTIO_SCSI_F_HOTPLUG = 1;
const VIRTIO_SCSI_F_CHANGE = 2;
const CONFIG_BYTES = 36;
const SENSE_SIZE_AT = 20;
const CDB_SIZE_AT = 24;
const EVENT_BYTES = 16;
const MAX_TARGET = 255;
const MAX_LUN = 16383;
const SENSE_DEFAULT = 96;
const CDB_DEFAULT = 32;
const CONTROL_QUEUE = 0;
const EVENT_QUEUE = 1;

/** Sizes of request and response headers (5.6.6), without the parts that cdb_size and sense_size set. */
const CMD_REQUEST_BYTES = 19;
const CMD_RESPONSE_BYTES = 12;
const CMD_RESPONSE_CODE = 10;
const TMF_REQUEST_BYTES = 24;
const AN_REQUEST_BYTES = 20;
const AN_RESPONSE_BYTES = 5;
const T_TMF = 0;
const T_AN_QUERY = 1;
const T_AN_SUBSCRIBE = 2;
const S_BAD_TARGET = 3;

export interface ScsiOptions {
  readonly numQueues: number;
  readonly queueSize: number;
  readonly segMaxAdjust: boolean;
  readonly maxSectors: number;
  readonly cmdPerLun: number;
  readonly hotplug: boolean;
  readonly paramChange: boolean;
}

/** A SCSI host (VIRTIO 1.3, 5.6; QEMU hw/scsi/virtio-scsi.c) with nothing on its bus: every target is a bad one. */
export class ScsiDevice extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_SCSI;
  readonly name: string = 'virtio-scsi';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #options: ScsiOptions;
  readonly #writer: ConfigWriter;
  readonly #view: DataView<ArrayBuffer>;
  readonly #scratch: Uint8Array<ArrayBuffer> = new Uint8Array(128);
  readonly #scratchView: DataView<ArrayBuffer> = new DataView(this.#scratch.buffer);
  #senseSize = SENSE_DEFAULT;
  #cdbSize = CDB_DEFAULT;

  constructor(parts: CoreParts, options: ScsiOptions) {
    super(parts, CONFIG_BYTES);
    this.#options = options;
    this.#writer = new ConfigWriter(this.config);
    this.#view = new DataView(this.config.buffer);
    for (let i = 0; i < options.numQueues + 2; i++) this.addQueue(options.queueSize);
  }

  offer(features: bigint): bigint {
    const hotplug = this.#options.hotplug ? featureBit(VIRTIO_SCSI_F_HOTPLUG) : 0n;
    return features | hotplug | (this.#options.paramChange ? featureBit(VIRTIO_SCSI_F_CHANGE) : 0n);
  }

  override exchange(state: StateStream): void {
    super.exchange(state);
    this.#senseSize = state.u32(this.#senseSize);
    this.#cdbSize = state.u32(this.#cdbSize);
  }

  protected override refreshConfig(): void {
    const { numQueues, queueSize, segMaxAdjust, maxSectors, cmdPerLun } = this.#options;
    const writer = this.#writer;
    writer.littleEndian = this.littleEndian;
    writer.put(0, 4, numQueues);
    writer.put(4, 4, (segMaxAdjust ? queueSize : 128) - 2);
    writer.put(8, 4, maxSectors);
    writer.put(12, 4, cmdPerLun);
    writer.put(16, 4, EVENT_BYTES);
    writer.put(SENSE_SIZE_AT, 4, this.#senseSize);
    writer.put(CDB_SIZE_AT, 4, this.#cdbSize);
    writer.put(28, 2, 0);
    writer.put(30, 2, MAX_TARGET);
    writer.put(32, 4, MAX_LUN);
  }

  protected override configWritten(): void {
    const senseSize = this.#view.getUint32(SENSE_SIZE_AT, this.littleEndian);
    const cdbSize = this.#view.getUint32(CDB_SIZE_AT, this.littleEndian);
    if (senseSize >= 65536 || cdbSize >= 256) {
      this.fail('bad data written to virtio-scsi configuration space');
      return;
    }
    this.#senseSize = senseSize;
    this.#cdbSize = cdbSize;
  }

  protected override resetting(): void {
    this.#senseSize = SENSE_DEFAULT;
    this.#cdbSize = CDB_DEFAULT;
  }

  protected service(queue: Virtqueue): void {
    if (queue.ring.index === CONTROL_QUEUE) this.#serveControl(queue);
    else if (queue.ring.index !== EVENT_QUEUE) this.#serveCommands(queue);
  }

  #serveCommands(queue: Virtqueue): void {
    const suppresses = queue.ring.notification;
    do {
      if (suppresses) queue.setNotification(false);
      for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
        if (!this.#command(queue, chain)) return;
      }
      if (suppresses) queue.setNotification(true);
    } while (!queue.isEmpty());
  }

  /** False after a request that broke the device. */
  #command(queue: Virtqueue, chain: Chain): boolean {
    const response = CMD_RESPONSE_BYTES + this.#senseSize;
    if (chain.outBytes() < CMD_REQUEST_BYTES + this.#cdbSize || chain.inBytes() < response) {
      return this.#refuse(queue, chain);
    }
    const bytes = response <= this.#scratch.length ? this.#scratch : new Uint8Array(response);
    bytes.fill(0, 0, response);
    bytes[CMD_RESPONSE_CODE + 1] = S_BAD_TARGET;
    copyIn(this.space, chain, 0, bytes, 0, response);
    this.#complete(queue, chain, response);
    return true;
  }

  #serveControl(queue: Virtqueue): void {
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      if (copyOut(this.space, chain, 0, this.#scratch, 0, 4) < 4) {
        this.#refuse(queue, chain);
        continue;
      }
      const type = this.#scratchView.getUint32(0, this.littleEndian);
      if (type === T_TMF) this.#control(queue, chain, TMF_REQUEST_BYTES, 1, S_BAD_TARGET);
      else if (type === T_AN_QUERY || type === T_AN_SUBSCRIBE) {
        this.#control(queue, chain, AN_REQUEST_BYTES, AN_RESPONSE_BYTES, 0);
      } else this.#complete(queue, chain, 0);
    }
  }

  #control(queue: Virtqueue, chain: Chain, request: number, response: number, code: number): void {
    if (chain.outBytes() < request || chain.inBytes() < response) {
      this.#refuse(queue, chain);
      return;
    }
    this.#scratch.fill(0, 0, response);
    this.#scratch[response - 1] = code;
    copyIn(this.space, chain, 0, this.#scratch, 0, response);
    this.#complete(queue, chain, response);
  }

  #refuse(queue: Virtqueue, chain: Chain): false {
    this.fail('wrong size for virtio-scsi headers');
    queue.detach(chain, 0);
    queue.recycle(chain);
    return false;
  }

  #complete(queue: Virtqueue, chain: Chain, written: number): void {
    queue.push(chain, written);
    queue.recycle(chain);
    this.notifyUsed(queue);
  }
}
