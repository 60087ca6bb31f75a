/**
 * The one way of a device into memory. Addresses are what the device was given: guest-physical without an IOMMU,
 * I/O bus addresses with one. What nothing answers reads as zeros and swallows writes (QEMU's unassigned memory); the
 * implementation emits the events and the diagnostics.
 */
export interface Dma {
  /** Fills `into[at .. at + length)`. */
  read(address: bigint, into: Uint8Array, at: number, length: number): void;
  write(address: bigint, from: Uint8Array, at: number, length: number): void;
}
