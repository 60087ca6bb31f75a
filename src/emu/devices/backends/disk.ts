import type { Digest } from '../../core/digest.ts';
import { Rng } from '../../core/rng.ts';
import type { MemorySnapshot, PagedMemory } from '../../memory/guest-memory.ts';

export const SECTOR_BYTES = 512;

/** What a fresh disk holds: see `DiskContent` in machine/config.ts. */
export type DiskPattern = 'zero' | 'tagged' | 'golden';

/** Whole pages of 4 KiB that hold `sectors` sectors. */
export function diskBytes(sectors: number): number {
  return Math.ceil(sectors / 8) * 8 * SECTOR_BYTES;
}

/** A disk image in memory, 512-byte sectors. Offsets are checked by the device that owns it. */
export class Disk {
  /** Sectors that the devices see now: never more than the image was made with. */
  sectors: number;
  readonly readOnly: boolean;
  readonly memory: PagedMemory;

  /** `memory` is fresh and as long as `diskBytes` says; it is the disk's from now on. */
  constructor(memory: PagedMemory, sectors: number, readOnly: boolean, pattern: DiskPattern, seed: string) {
    this.memory = memory;
    this.sectors = sectors;
    this.readOnly = readOnly;
    if (pattern !== 'zero') this.#lay(pattern, seed);
    this.memory.snapshot();
  }

  read(offset: number, into: Uint8Array, at: number, length: number): void {
    this.memory.read(offset, into, at, length);
  }

  write(offset: number, from: Uint8Array, at: number, length: number): void {
    this.memory.write(offset, from, at, length);
  }

  fill(offset: number, value: number, length: number): void {
    this.memory.fill(offset, value, length);
  }

  /** `block_resize`. What lies beyond the end is kept, and shows again when the disk grows. False for more than there is. */
  resize(sectors: number): boolean {
    if (sectors < 0 || diskBytes(sectors) > this.memory.size) return false;
    this.sectors = sectors;
    return true;
  }

  snapshot(): MemorySnapshot {
    return this.memory.snapshot();
  }

  restore(snapshot: MemorySnapshot): void {
    this.memory.restore(snapshot);
  }

  digest(into: Digest): void {
    this.memory.digest(into);
  }

  #lay(pattern: 'tagged' | 'golden', seed: string): void {
    const sector = new Uint8Array(SECTOR_BYTES);
    const view = new DataView(sector.buffer);
    const salt = Rng.stream(seed, 'disk').u32();
    for (let n = 0; n < this.sectors; n++) {
      if (pattern === 'golden') for (let i = 0; i < SECTOR_BYTES; i++) sector[i] = (7 * n + 13 * i) & 255;
      else {
        for (let i = 0; i < SECTOR_BYTES; i += 8) {
          view.setUint32(i, n);
          view.setUint32(i + 4, salt);
        }
      }
      this.memory.write(n * SECTOR_BYTES, sector, 0, SECTOR_BYTES);
    }
  }
}
