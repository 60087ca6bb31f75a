/** Width of one access in bytes. */
export type Width = 1 | 2 | 4 | 8;

/**
 * Something that answers loads and stores: a BAR, a window, a register file (QEMU's MemoryRegion). Values are little-
 * endian, as PCI is: `read(0, 2)` of bytes 34 12 is 0x1234. Offsets are inside [0, size).
 */
export interface Region {
  /** As QEMU's `info mtree` names it; stands in diagnostics. */
  readonly name: string;
  readonly size: number;
  /** Widths and alignments that pass, and how wider ones are split (QEMU's MemoryRegionOps.valid and .impl). */
  readonly access: AccessRules;
  /** One access of an implemented width (1, 2 or 4): the value zero-extended. */
  read(offset: number, width: 1 | 2 | 4): number;
  write(offset: number, width: 1 | 2 | 4, value: number): void;
}

export interface AccessRules {
  readonly validMin: number;
  readonly validMax: number;
  /** Whether an access may be unaligned at all. */
  readonly validUnaligned: boolean;
  readonly implMin: number;
  readonly implMax: number;
}
