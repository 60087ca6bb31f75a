const TWO_32 = 2 ** 32;
const SECOND_WINDOW = 0x0800_0000;
const EXACT_HIGH = 2 ** 20;

/**
 * An address of a device as a number that is exact: as it is below 2^52; addresses of the second DMA window, which begins
 * at 2^59 (PAPR's dynamic windows in QEMU), are moved down to 2^52. -1 for every other: no such address is one of memory.
 */
export function deviceAddress(high: number, low: number): number {
  if (high < EXACT_HIGH) return high * TWO_32 + low;
  if (high >= SECOND_WINDOW && high < SECOND_WINDOW + EXACT_HIGH) {
    return EXACT_HIGH * TWO_32 + (high - SECOND_WINDOW) * TWO_32 + low;
  }
  return -1;
}
