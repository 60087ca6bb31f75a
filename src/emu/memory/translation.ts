import type { Region } from './region.ts';

/**
 * How the bus side of the host bridge shows itself to devices. The DMA path asks; the host bridge and its TCE tables
 * answer, and neither imports the other. Addresses of 64 bits travel as two 32-bit halves, so that an access allocates
 * nothing.
 */
export interface BusSpace {
  /**
   * What lies at an I/O bus address: a translated window or a plain region (the MSI window). False if nothing does.
   * Of windows that overlap the one that QEMU's flat view shows answers.
   */
  find(high: number, low: number, hit: BusHit): boolean;
}

/** Where an I/O bus address was found. Filled in by `BusSpace.find`, read at once. */
export class BusHit {
  /** The window that answers, or undefined if `region` does. */
  window: TranslationWindow | undefined = undefined;
  region: Region | undefined = undefined;
  /** Offset in the window or region. Exact below 2^53; a window ends there at the latest. */
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

/** What answers in the system's address space beside RAM (BARs, windows of the host bridge). */
export interface SystemRegions {
  /** False if nothing is mapped at `address`. */
  find(address: number, hit: SystemHit): boolean;
}

/** Where a real address was found. Filled in by `SystemRegions.find`, read at once. */
export class SystemHit {
  region: Region | undefined = undefined;
  offset = 0;
  /** Bytes to the end of what is mapped there. */
  left = 0;
}

/** A system that holds nothing but RAM. */
export const NO_REGIONS: SystemRegions = { find: () => false };
