import type { TranslationWindow } from './translation.ts';

export const RING_IN_RAM = 0;
export const RING_IN_WINDOW = 1;
export const RING_IN_REGION = 2;
export const RING_NOWHERE = 3;
export type RingKind =
  | typeof RING_IN_RAM
  | typeof RING_IN_WINDOW
  | typeof RING_IN_REGION
  | typeof RING_NOWHERE;

/**
 * Where a ring area was found when it was set up (QEMU's MemoryRegionCache). Translations are not kept: behind an IOMMU
 * only the window is, and each access looks its page up.
 */
export class RingCache {
  kind: RingKind = RING_NOWHERE;
  /** The area's address as the driver gave it. */
  high = 0;
  low = 0;
  /** Offset into RAM, or into the window. */
  offset = 0;
  window: TranslationWindow | undefined = undefined;
  /** Bytes that the section holds, at most what was asked for. */
  length = 0;
}
