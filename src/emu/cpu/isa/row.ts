import { ZERO_REGISTER } from '../layout.ts';
import type { Emit } from '../kit.ts';
import type { Core } from '../core.ts';

/** A decoded instruction: which operation, its operand fields, and a doubleword. */
export interface Micro {
  readonly op: string;
  readonly a?: number;
  readonly b?: number;
  readonly c?: number;
  readonly immediate?: bigint;
}

/** Where an instruction stands: its offset in the page, and the byte order of data there. */
export interface Place {
  readonly offset: number;
  readonly little: boolean;
}

/** What a load or store does, for accesses that the interpreter cannot make itself. */
export interface Access {
  readonly bytes: 1 | 2 | 4 | 8 | 16 | 128;
  readonly store: boolean;
  readonly signed?: boolean;
  /** Byte-reversed with respect to MSR[LE]. */
  readonly reversed?: boolean;
  readonly update?: boolean;
  readonly indexed?: boolean;
  /** Low bits of the displacement that are not part of it. */
  readonly displacementMask?: number;
  /** The address is rounded down to the size: lvx, dcbz. */
  readonly aligned?: boolean;
  /** Makes or wants a reservation. */
  readonly reserve?: boolean;
  /** The VSR that holds the data, if it is no general register; zeros for dcbz. */
  readonly vector?: (word: number) => number;
  /** How the data lies in a VSR: as one element, as two doublewords, or in doubleword 0 alone. */
  readonly layout?: 'whole' | 'pair' | 'double' | 'zeros';
}

/** One instruction of the architecture: encoding, operands, semantics. Power ISA 3.0B, section numbers in the files. */
export interface Instruction {
  readonly name: string;
  /** `word & mask` equals `match`. */
  readonly mask: number;
  readonly match: number;
  /**
   * The operation that the interpreter runs, with its operands; undefined for a form that does not exist. Left out
   * where `assist` does everything.
   */
  readonly lower?: (word: number, place: Place) => Micro | undefined;
  readonly access?: Access;
  /** What the interpreter leaves to the processor: the whole instruction, or the cases it went out with. */
  readonly assist?: (core: Core, word: number) => void;
}

export type Operations = Readonly<Record<string, Emit>>;

export const rt = (word: number): number => (word >>> 21) & 31;
export const ra = (word: number): number => (word >>> 16) & 31;
export const rb = (word: number): number => (word >>> 11) & 31;
/** Six-bit shift count and mask begin of the MD and XS forms. */
export const sh6 = (word: number): number => ((word >>> 11) & 31) | ((word & 2) << 4);
export const mb6 = (word: number): number => ((word >>> 6) & 31) | (word & 32);
export const register = (number: number): number => 8 * number;
/** rA, or nothing where it is r0. */
export const baseRegister = (word: number): number => register(ra(word) === 0 ? ZERO_REGISTER : ra(word));
export const si = (word: number): bigint => BigInt((word << 16) >> 16);
export const ui = (word: number): bigint => BigInt(word & 0xffff);

const primary = (opcode: number): number => (opcode << 26) >>> 0;
const PRIMARY = 0xfc00_0000;

/** Encodings: D, X and XO forms, and the few with shorter extended opcodes. */
export const dForm = (opcode: number): { mask: number; match: number } => ({
  mask: PRIMARY,
  match: primary(opcode),
});
export const extended = (
  opcode: number,
  xo: number,
  bits: number,
  shift = 1,
): { mask: number; match: number } => ({
  mask: (PRIMARY | (((1 << bits) - 1) << shift)) >>> 0,
  match: (primary(opcode) | (xo << shift)) >>> 0,
});

/** Ones from bit `from` to bit `to`, wrapping; bit 0 is the most significant (MASK of the ISA). */
export function mask64(from: number, to: number): bigint {
  const all = (1n << 64n) - 1n;
  const right = all >> BigInt(from);
  const left = (all << BigInt(63 - to)) & all;
  return from <= to ? right & left : right | left;
}
