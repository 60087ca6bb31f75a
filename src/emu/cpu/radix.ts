import { FAULT } from './abi.ts';

/** What a translation is for. */
export type Purpose = 'load' | 'store' | 'fetch';

/** Where a page of effective addresses leads, and whether problem state may go there. */
export interface Translated {
  /** Real address of the 4 KiB page. */
  page: number;
  /** The page is the kernel's alone. */
  privileged: boolean;
  /** DSISR or SRR1 of the interrupt, if there is no translation; -1 is a segment interrupt. */
  fault: number;
}

/** What a walk depends on. */
export interface WalkContext {
  readonly ramBytes: number;
  /** Guest RAM, big-endian words. */
  readonly ram: DataView;
  readonly problemState: boolean;
  readonly pid: number;
  /** The partition table entry's second doubleword: process table and its size. */
  readonly tableHigh: number;
  readonly tableLow: number;
  /** AMR and IAMR: key 0's two bits of each. */
  readonly authority: number;
  readonly fetchAuthority: number;
}

const SEGMENT = -1;
const VALID = 0x8000_0000;
const LEAF = 0x4000_0000;
const REFERENCED = 0x100;
const CHANGED = 0x80;
const PRIVILEGED = 8;
const READ = 4;
const WRITE = 2;
const EXECUTE = 1;
const ATTRIBUTES = 0x30;
const NON_IDEMPOTENT = 0x20;
const TWO_32 = 2 ** 32;
const ENTRIES_MIN = 5;

/** Bits shift … shift + count - 1 of a doubleword, at most 31 of them. */
function bits(high: number, low: number, shift: number, count: number): number {
  const mask = 2 ** count - 1;
  if (shift >= 32) return (high >>> (shift - 32)) & mask;
  if (shift === 0) return low & mask;
  return ((low >>> shift) | (high << (32 - shift))) & mask;
}

/**
 * Radix trees of a guest (Power ISA 3.0B, book III 5.7.10), as QEMU 7.2 walks them (target/ppc/mmu-radix64.c): the
 * same checks in the same order, the same causes. Referenced and changed bits are set in the guest's tables.
 */
export class RadixWalker {
  readonly result: Translated = { page: 0, privileged: false, fault: 0 };
  walks = 0;

  walk(
    context: WalkContext,
    high: number,
    low: number,
    purpose: Purpose,
    touch: (page: number) => void,
  ): boolean {
    this.walks++;
    const quadrant = high >>> 30;
    if (quadrant === 1 || quadrant === 2) return this.#fail(SEGMENT);
    const pid = quadrant === 3 ? 0 : context.pid;
    const size = 2 ** ((context.tableLow & 31) + 12);
    const offset = 16 * pid;
    if (offset >= size) return this.#fail(FAULT.noTranslation);
    const base =
      (context.tableHigh & 0x0fff_ffff) * TWO_32 + ((context.tableLow & 0xffff_f000) >>> 0) + offset;
    const rootHigh = this.#word(context, base);
    const rootLow = this.#word(context, base + 4);
    const size52 = (((rootHigh >>> 29) & 3) << 3) | ((rootLow >>> 5) & 7);
    return this.#descend(context, high & 0x3fff_ffff, low, purpose, touch, rootHigh, rootLow, size52 + 31);
  }

  #descend(
    context: WalkContext,
    high: number,
    low: number,
    purpose: Purpose,
    touch: (page: number) => void,
    rootHigh: number,
    rootLow: number,
    addressBits: number,
  ): boolean {
    let left = addressBits;
    let nextHigh = rootHigh;
    let nextLow = rootLow;
    for (;;) {
      const count = nextLow & 31;
      if (count < ENTRIES_MIN) return this.#fail(FAULT.badTree);
      left -= count;
      const directory = (nextHigh & 0x0fff_ffff) * TWO_32 + ((nextLow & 0xffff_ff00) >>> 0);
      const at = directory + 8 * (left < 0 ? 0 : bits(high, low, left, count));
      nextHigh = this.#word(context, at);
      nextLow = this.#word(context, at + 4);
      if ((nextHigh & VALID) === 0) return this.#fail(FAULT.noTranslation);
      if ((nextHigh & LEAF) === 0) continue;
      return this.#leaf(context, purpose, nextHigh, nextLow, at, left, high, low, touch);
    }
  }

  #leaf(
    context: WalkContext,
    purpose: Purpose,
    entryHigh: number,
    entryLow: number,
    at: number,
    pageBits: number,
    high: number,
    low: number,
    touch: (page: number) => void,
  ): boolean {
    if (purpose === 'fetch' && (entryLow & ATTRIBUTES) === NON_IDEMPOTENT) return this.#fail(FAULT.noExecute);
    this.result.privileged = (entryLow & PRIVILEGED) !== 0;
    if (!this.#allowed(context, purpose, entryLow)) return this.#fail(FAULT.protection);
    const marked = entryLow | REFERENCED | (purpose === 'store' ? CHANGED : 0);
    if (marked !== entryLow && at + 8 <= context.ramBytes) {
      touch(Math.floor(at / 4096));
      context.ram.setUint32(at + 4, marked >>> 0);
    }
    const real = (entryHigh & 0x01ff_ffff) * TWO_32 + ((entryLow & 0xffff_f000) >>> 0);
    const span = 2 ** pageBits;
    const within = pageBits <= 12 ? 0 : (((high & 0xf_ffff) * TWO_32 + low) % span) - (low & 0xfff);
    this.result.page = Math.floor(real / span) * span + within;
    this.result.fault = 0;
    return true;
  }

  #allowed(context: WalkContext, purpose: Purpose, entry: number): boolean {
    const privileged = (entry & PRIVILEGED) !== 0;
    if (privileged && context.problemState) return false;
    const guarded = !context.problemState && !privileged;
    if (purpose === 'fetch') {
      return (entry & EXECUTE) !== 0 && !(guarded && (context.fetchAuthority & 1) !== 0);
    }
    if (purpose === 'store') return (entry & WRITE) !== 0 && !(guarded && (context.authority & 2) !== 0);
    return (entry & (READ | WRITE)) !== 0 && !(guarded && (context.authority & 1) !== 0);
  }

  /** What lies outside RAM reads as zero: an invalid entry. */
  #word(context: WalkContext, at: number): number {
    return at + 4 <= context.ramBytes ? context.ram.getUint32(at) : 0;
  }

  #fail(fault: number): false {
    this.result.fault = fault;
    return false;
  }
}
