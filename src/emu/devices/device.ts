import { VIRTIO_F_ANY_LAYOUT, VIRTIO_F_BAD_FEATURE, VIRTIO_F_NOTIFY_ON_EMPTY } from '../virtio/abi.ts';
import { featureSet } from '../virtio/features.ts';

/** Bits that every type offers through the legacy interface only (QEMU's virtio_device_class_init). */
export const LEGACY_ONLY: bigint = featureSet(
  VIRTIO_F_NOTIFY_ON_EMPTY,
  VIRTIO_F_ANY_LAYOUT,
  VIRTIO_F_BAD_FEATURE,
);

/** A field of the device configuration, in the order the driver reads it. */
export class ConfigWriter {
  readonly #view: DataView;
  littleEndian = true;

  constructor(config: Uint8Array) {
    this.#view = new DataView(config.buffer, config.byteOffset, config.byteLength);
  }

  /** Writes `bytes` bytes at `offset`; what lies beyond the configuration's end is left out. */
  put(offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (offset + bytes > this.#view.byteLength) return;
    if (bytes === 1) this.#view.setUint8(offset, value);
    else if (bytes === 2) this.#view.setUint16(offset, value, this.littleEndian);
    else this.#view.setUint32(offset, value, this.littleEndian);
  }

  put64(offset: number, value: bigint): void {
    this.#view.setBigUint64(offset, value, this.littleEndian);
  }
}

/** How often `from` doubles until it is `to`, both powers of two; 0 if it is as large already. */
export function doublings(from: number, to: number): number {
  let count = 0;
  for (let size = to; size > from; size /= 2) count++;
  return count;
}
