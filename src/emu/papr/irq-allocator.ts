import { IRQ_MSI, XIRQ_BASE, XIRQS } from './abi.ts';
import type { Xics } from './xics.ts';

/** Interrupt numbers that messages may have on machines with fixed numbering: 0x1300 to 0x1fff. */
const MSIS = XIRQ_BASE + XIRQS - IRQ_MSI;

/**
 * Hands out interrupt numbers (QEMU hw/ppc/spapr_irq.c). Since pseries-3.1 every kind has its range and messages come
 * from the lowest free run above 0x1300; older machines give the lowest free source to whoever asks first.
 */
export class IrqAllocator {
  readonly #xics: Xics;
  readonly #legacy: boolean;

  constructor(xics: Xics, legacy: boolean) {
    this.#xics = xics;
    this.#legacy = legacy;
  }

  /** A source of the platform itself: `fixed` where numbers are fixed, the next free one otherwise. */
  claimFixed(fixed: number, level: boolean): number {
    const irq = this.#legacy ? this.#findLegacy(1, 1) : fixed;
    this.#xics.claim(irq, level, true);
    return irq;
  }

  /**
   * A run of message interrupts, claimed; 0 if there is none. MSI-X blocks start at even numbers and MSI blocks
   * anywhere: a slip of spapr_irq_msi_alloc that guests see. (QEMU's own test for exhaustion never fires, and it
   * aborts; here the call fails.)
   */
  claimMessages(count: number, msix: boolean): number {
    const irq = this.#legacy
      ? this.#findLegacy(count, msix ? 1 : count)
      : this.#findMessages(count, msix ? 2 : 1);
    if (irq === 0) return 0;
    for (let i = 0; i < count; i++) this.#xics.claim(irq + i, false, false);
    return irq;
  }

  free(irq: number, count: number): void {
    for (let i = 0; i < count; i++) this.#xics.free(irq + i);
  }

  #findMessages(count: number, alignment: number): number {
    const end = IRQ_MSI + MSIS;
    let first = IRQ_MSI;
    for (;;) {
      while (first < end && this.#xics.isClaimed(first)) first++;
      first += (alignment - (first % alignment)) % alignment;
      if (first + count > end) return 0;
      const taken = this.#firstClaimed(first, count);
      if (taken < 0) return first;
      first = taken + 1;
    }
  }

  /** ics_find_free_block: tries every multiple of the alignment. */
  #findLegacy(count: number, alignment: number): number {
    for (let first = 0; count <= this.#xics.sources - first; first += alignment) {
      if (this.#firstClaimed(XIRQ_BASE + first, count) < 0) return XIRQ_BASE + first;
    }
    return 0;
  }

  #firstClaimed(first: number, count: number): number {
    for (let irq = first; irq < first + count; irq++) if (this.#xics.isClaimed(irq)) return irq;
    return -1;
  }
}
