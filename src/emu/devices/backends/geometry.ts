import type { Disk } from './disk.ts';

/** Cylinders, heads and sectors as a disk's firmware would tell them. */
export interface DiskGeometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number;
}

const CYLINDERS_MAX = 16383;
const HEADS = 16;
const SECTORS = 63;
const PARTITIONS_AT = 0x1be;
const PARTITION_BYTES = 16;

/** The geometry that QEMU guesses: by the partition table if there is one, otherwise by size (hw/block/hd-geometry.c). */
export function guessGeometry(disk: Disk): DiskGeometry {
  const sector = new Uint8Array(512);
  disk.read(0, sector, 0, Math.min(sector.length, disk.sectors * 512));
  const told =
    sector[510] === 0x55 && sector[511] === 0xaa ? fromPartitions(disk.sectors, sector) : undefined;
  // More heads than a disk has mean that a BIOS had translated them.
  if (told !== undefined && told.heads <= HEADS) return told;
  const cylinders = Math.floor(disk.sectors / (HEADS * SECTORS));
  return { cylinders: Math.min(Math.max(cylinders, 2), CYLINDERS_MAX), heads: HEADS, sectors: SECTORS };
}

function fromPartitions(capacity: number, sector: Uint8Array): DiskGeometry | undefined {
  const view = new DataView(sector.buffer, sector.byteOffset);
  for (let i = 0; i < 4; i++) {
    const at = PARTITIONS_AT + i * PARTITION_BYTES;
    const endHead = sector[at + 5] ?? 0;
    const sectors = (sector[at + 6] ?? 0) & 63;
    if (view.getUint32(at + 12, true) === 0 || endHead === 0 || sectors === 0) continue;
    const cylinders = Math.floor(capacity / ((endHead + 1) * sectors));
    if (cylinders >= 1 && cylinders <= CYLINDERS_MAX) return { cylinders, heads: endHead + 1, sectors };
  }
  return undefined;
}
