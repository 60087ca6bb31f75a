import type { AddressSpace } from './address-space.ts';

/**
 * How the bus side of the host bridge shows itself to devices. The DMA path asks; the host bridge and its TCE tables
 * answer, and neither imports the other. Addresses of 64 bits travel as two 32-bit halves, so that an access allocates
 * nothing.
 */
export interface BusSpace {
  /**
   * The translated window at an I/O bus address; false if none is there. Of windows that overlap, the one that QEMU's
   * flat view shows answers.
   */
  find(high: number, low: number, hit: BusHit): boolean;
  /** What answers on the bus outside the windows: the MSI window, at its bus address. */
  readonly regions: AddressSpace;
}

/** Where an I/O bus address was found. Filled in by `BusSpace.find`, read at once. */
export class BusHit {
  window: TranslationWindow | undefined = undefined;
  /** Offset in the window. Exact below 2^53, where a window ends at the latest. */
  offset = 0;
  /** Bytes from there to where the flat view's section ends. */
  left = 0;
}

/** One TCE window (QEMU's IOMMUMemoryRegion): it outlives its removal, and then translates nothing. */
export interface TranslationWindow {
  /** Looks up the page of `offset`; an offset beyond the table has permission 0. */
  translate(offset: number, into: Translation): void;
}

/** Bits of `Translation.permission`, as they stand in a TCE. */
export const MAY_READ = 1;
export const MAY_WRITE = 2;

/** One table entry. Filled in by `TranslationWindow.translate`, read at once. */
export class Translation {
  permission = 0;
  pageShift = 12;
  /** Real address of the page, its low `pageShift` bits zero. */
  pageHigh = 0;
  pageLow = 0;
}
