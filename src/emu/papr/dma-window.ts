import type { Stateful, StateStream } from '../core/state.ts';
import type { BusHit } from '../memory/translation.ts';
import {
  DDW_PAGE_SIZES,
  DEFAULT_WINDOW_BYTES,
  DMA64_WINDOW_HIGH,
  DMA_WINDOWS_MAX,
  PCI_LIOBN_BASE,
} from './abi.ts';
import { TceTable } from './tce-table.ts';

const TWO_32 = 2 ** 32;
/** Windows are found by numbers, which are exact up to here. */
const EXACT_BYTES = 2 ** 53;
const DEFAULT_PAGE_SHIFT = 12;
/** Shift counts of 64 and more are undefined in QEMU's C; this machine refuses them. */
const SHIFT_MAX = 63;

export type CreatedWindow = TceTable | 'parameter-error' | 'hardware-error';

/** Whether QEMU's `page_size_mask & (1ULL << shift)` holds. */
function offersPageSize(mask: number, shift: number): boolean {
  return shift <= SHIFT_MAX && Math.floor(mask / 2 ** shift) % 2 === 1;
}

/**
 * The two DMA windows of one host bridge and what dynamic windows make of them (QEMU hw/ppc/spapr_rtas_ddw.c and
 * spapr_phb_dma_reset). Until the first reset both tables are registered and disabled.
 */
export class DmaWindows implements Stateful {
  readonly ddw: boolean;
  readonly tables: readonly [TceTable, TceTable];
  readonly #pageSizeMask: number;

  constructor(phb: number, ddw: boolean, pageSizeMask: number) {
    const liobn = PCI_LIOBN_BASE + phb * 256;
    this.ddw = ddw;
    this.#pageSizeMask = pageSizeMask;
    this.tables = [new TceTable(liobn), new TceTable(liobn + 1)];
  }

  get active(): number {
    return (this.tables[0].entries > 0 ? 1 : 0) + (this.tables[1].entries > 0 ? 1 : 0);
  }

  get available(): number {
    return DMA_WINDOWS_MAX - this.active;
  }

  /** Page sizes as `ibm,query-pe-dma-window` encodes them. */
  get queryMask(): number {
    let mask = 0;
    for (const { shift, queryBit } of DDW_PAGE_SIZES) {
      if (offersPageSize(this.#pageSizeMask, shift)) mask |= queryBit;
    }
    return mask;
  }

  /** Both windows gone, the default one new and empty: at machine reset and by `ibm,reset-pe-dma-window`. */
  reset(): void {
    const [first, second] = this.tables;
    first.disable();
    second.disable();
    first.enable(DEFAULT_PAGE_SHIFT, 0, DEFAULT_WINDOW_BYTES >>> DEFAULT_PAGE_SHIFT);
    first.defaultWindow = true;
  }

  create(pageShift: number, windowShift: number): CreatedWindow {
    if (!offersPageSize(this.#pageSizeMask, pageShift) || windowShift < pageShift) return 'parameter-error';
    if (windowShift - pageShift > SHIFT_MAX) return 'parameter-error';
    const active = this.active;
    const free = this.tables.find((table) => table.entries === 0);
    if (free === undefined) return 'hardware-error';
    // The count is cut to 32 bits. QEMU leaves an empty region behind then and aborts at the next create; here the
    // call has only failed.
    const entries = windowShift - pageShift < 32 ? 2 ** (windowShift - pageShift) : 0;
    free.enable(pageShift, active === 0 ? 0 : DMA64_WINDOW_HIGH, entries);
    return entries === 0 ? 'hardware-error' : free;
  }

  /** False if the table is disabled already. The default window comes back with the last one that is not it. */
  remove(table: TceTable): boolean {
    if (table.entries === 0) return false;
    table.disable();
    if (this.active === 0 && !table.defaultWindow) this.reset();
    return true;
  }

  /** The window that holds an I/O bus address. The second is found first where both lie at one place. */
  find(high: number, low: number, hit: BusHit): boolean {
    return this.#within(this.tables[1], high, low, hit) || this.#within(this.tables[0], high, low, hit);
  }

  exchange(state: StateStream): void {
    for (const table of this.tables) table.exchange(state);
  }

  #within(table: TceTable, high: number, low: number, hit: BusHit): boolean {
    if (table.entries === 0 || high < table.busHigh) return false;
    const offset = (high - table.busHigh) * TWO_32 + low;
    const bytes = Math.min(table.bytes, EXACT_BYTES);
    if (offset >= bytes) return false;
    hit.window = table;
    hit.offset = offset;
    hit.left = bytes - offset;
    return true;
  }
}
