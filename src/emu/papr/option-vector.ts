import type { OptionBit } from './abi.ts';

/** The most that an option vector holds: its length byte counts from 1 to 256. */
const OPTION_BYTES_MAX = 256;

/** One option vector of client-architecture-support (QEMU hw/ppc/spapr_ovec.c): byte n at index n - 1. */
export class OptionVector {
  readonly bytes: Uint8Array = new Uint8Array(OPTION_BYTES_MAX);

  has({ byte, bit }: OptionBit): boolean {
    return ((this.bytes[byte - 1] ?? 0) & (0x80 >>> bit)) !== 0;
  }

  set({ byte, bit }: OptionBit): void {
    this.bytes[byte - 1] = (this.bytes[byte - 1] ?? 0) | (0x80 >>> bit);
  }

  clear(): void {
    this.bytes.fill(0);
  }

  intersect(a: OptionVector, b: OptionVector): void {
    for (let i = 0; i < OPTION_BYTES_MAX; i++) this.bytes[i] = (a.bytes[i] ?? 0) & (b.bytes[i] ?? 0);
  }

  /** Up to the last byte that is not zero, at least one. */
  trimmed(): Uint8Array {
    let length = OPTION_BYTES_MAX;
    while (length > 1 && this.bytes[length - 1] === 0) length--;
    return this.bytes.slice(0, length);
  }
}
