/** Width of one access in bytes. */
export type Width = 1 | 2 | 4 | 8;

/**
 * Something that answers loads and stores: a BAR, a window, a register file (QEMU's MemoryRegion). Values are little-
 * endian, as PCI is: `read(0, 2)` of bytes 34 12 is 0x1234. Offsets are inside [0, size), except that a region smaller
 * than an access which starts inside it is asked for the rest too.
 */
export interface Region {
  /** As QEMU's `info mtree` names it; stands in diagnostics. */
  readonly name: string;
  readonly size: number;
  /** Widths and alignments that pass, and how wider ones are split (QEMU's MemoryRegionOps.valid and .impl). */
  readonly access: AccessRules;
  /** Regions inside this one, which then answers nothing itself: what lies between them is unassigned. */
  readonly parts?: readonly RegionPart[];
  /** One access of an implemented width (1, 2 or 4): the value zero-extended. */
  read(offset: number, width: 1 | 2 | 4): number;
  write(offset: number, width: 1 | 2 | 4, value: number): void;
}

export interface RegionPart {
  readonly offset: number;
  readonly region: Region;
}

export interface AccessRules {
  readonly validMin: number;
  /** 0: every width passes (QEMU's compatibility meaning of a zero); byte strings go in pieces of at most 4. */
  readonly validMax: number;
  /** Whether an access may be unaligned at all. */
  readonly validUnaligned: boolean;
  readonly implMin: number;
  readonly implMax: number;
}

/** Any aligned width; the region itself sees 1, 2 and 4. What all virtio-pci regions declare. */
export const ANY_WIDTH: AccessRules = {
  validMin: 0,
  validMax: 0,
  validUnaligned: false,
  implMin: 1,
  implMax: 4,
};

/** A region made of others (QEMU's container): modern virtio BAR, MSI-X BAR. */
export class RegionContainer implements Region {
  readonly access: AccessRules = ANY_WIDTH;
  readonly name: string;
  readonly size: number;
  readonly parts: readonly RegionPart[];

  constructor(name: string, size: number, parts: readonly RegionPart[]) {
    this.name = name;
    this.size = size;
    this.parts = parts;
  }

  read(offset: number, width: 1 | 2 | 4): number {
    const part = this.#partAt(offset);
    return part === undefined ? 0 : part.region.read(offset - part.offset, width);
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    const part = this.#partAt(offset);
    part?.region.write(offset - part.offset, width, value);
  }

  #partAt(offset: number): RegionPart | undefined {
    for (const part of this.parts) {
      if (offset >= part.offset && offset < part.offset + part.region.size) return part;
    }
    return undefined;
  }
}

/** `value` cut to `width` bytes, as an unsigned number. */
export function truncate(value: number, width: 1 | 2 | 4): number {
  return width === 4 ? value >>> 0 : width === 2 ? value & 0xffff : value & 0xff;
}
