/**
 * Where things stand in the memory that interpreter, processor and devices share: the registers, two kinds of
 * translation caches, decoded instructions, and guest RAM behind them. Byte offsets; values are little-endian, as
 * WebAssembly has them.
 */
export const AT: {
  readonly gpr: number;
  readonly cr: number;
  readonly lr: number;
  readonly ctr: number;
  readonly fpscr: number;
  readonly vscr: number;
  readonly so: number;
  readonly ov: number;
  readonly ca: number;
  readonly ov32: number;
  readonly ca32: number;
  readonly msr: number;
  readonly pc: number;
  readonly icount: number;
  readonly reservation: number;
  readonly reservedValue: number;
  readonly faultAddress: number;
  readonly dataCache: number;
  readonly codeCache: number;
  readonly pending: number;
  readonly vsr: number;
  readonly spr: number;
} = {
  /** r0 … r31, then a zero for the forms whose rA = 0 means none. */
  gpr: 0x1000,
  /** One byte a field, CR0 first: LT 8, GT 4, EQ 2, SO 1. */
  cr: 0x1200,
  /** SPRs 8 and 9. */
  lr: 0x2040,
  ctr: 0x2048,
  fpscr: 0x1210,
  vscr: 0x1218,
  so: 0x1220,
  ov: 0x1221,
  ca: 0x1222,
  ov32: 0x1223,
  ca32: 0x1224,
  msr: 0x1228,
  pc: 0x1230,
  /** Instructions started: the only clock. */
  icount: 0x1238,
  /** Effective address of the reservation, all ones without one, and what was loaded then. */
  reservation: 0x1240,
  reservedValue: 0x1248,
  faultAddress: 0x1250,
  /** Which translation caches the present MSR uses. */
  dataCache: 0x1258,
  codeCache: 0x125c,
  /** Nonzero while an interrupt waits for MSR[EE]. */
  pending: 0x1260,
  /** VSR 0 … 63: doubleword 0, then doubleword 1. */
  vsr: 0x1400,
  spr: 0x2000,
};

/** From the first register to the last SPR: what a snapshot saves. */
export const REGISTERS_AT = 0x1000;
export const REGISTERS_END = 0x4000;
export const ZERO_REGISTER = 32;

/**
 * Data translations, direct-mapped by effective page: tag for loads, tag for stores (all ones is none), then what to
 * add to the effective address. One cache each for real mode, privileged and problem state.
 */
export const DATA_ENTRIES = 4096;
export const DATA_ENTRY_SHIFT = 5;
export const DATA_ENTRY_BYTES: number = 2 ** DATA_ENTRY_SHIFT;
export const DATA_CACHE_AT = 0x1_0000;
export const DATA_CACHE_BYTES: number = DATA_ENTRIES * DATA_ENTRY_BYTES;
/** Instruction translations: tag, then where the page's decoded instructions begin. One for each state and byte order. */
export const CODE_ENTRIES = 512;
export const CODE_ENTRY_BYTES = 16;
export const CODE_CACHE_AT: number = DATA_CACHE_AT + 3 * DATA_CACHE_BYTES;
export const CODE_CACHE_BYTES: number = CODE_ENTRIES * CODE_ENTRY_BYTES;
export const CACHES_END: number = CODE_CACHE_AT + 6 * CODE_CACHE_BYTES;

/** A decoded instruction: operation, three operands (offsets from `gpr` or as the operation has it), a doubleword. */
export const MICRO_BYTES = 16;
/** A page's instructions, then one that leads to the next page. */
export const MICRO_PAGE_BYTES: number = (1024 + 2) * MICRO_BYTES;
export const MICRO_AT = 0x10_0000;
export const RAM_AT = 0x400_0000;
export const MICRO_PAGES: number = Math.floor((RAM_AT - MICRO_AT) / MICRO_PAGE_BYTES);

/** Why the interpreter came back. */
export const WHY: {
  readonly limit: number;
  readonly fetch: number;
  readonly decode: number;
  readonly load: number;
  readonly store: number;
  readonly assist: number;
  readonly pending: number;
} = { limit: 0, fetch: 1, decode: 2, load: 3, store: 4, assist: 5, pending: 6 };
