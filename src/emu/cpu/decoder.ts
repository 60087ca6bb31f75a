import { INSTRUCTIONS } from './isa/table.ts';
import type { Instruction } from './isa/row.ts';

/** Rows by primary opcode and the low eleven bits; few cells have more than one candidate. */
const CELLS: readonly (readonly number[])[] = (() => {
  const cells: number[][] = Array.from({ length: 64 * 2048 }, () => []);
  for (const [index, row] of INSTRUCTIONS.entries()) {
    const base = (row.match >>> 26) << 11;
    const mask = row.mask & 0x7ff;
    const match = row.match & 0x7ff;
    for (let low = 0; low < 2048; low++) if ((low & mask) === match) cells[base | low]?.push(index);
  }
  return cells;
})();

/** Number of the instruction's row, or -1. */
export function rowOf(word: number): number {
  const candidates = CELLS[((word >>> 26) << 11) | (word & 0x7ff)] ?? [];
  for (const index of candidates) {
    const row = INSTRUCTIONS[index];
    if (row !== undefined && (word & row.mask) >>> 0 === row.match) return index;
  }
  return -1;
}

export function instructionOf(word: number): Instruction | undefined {
  return INSTRUCTIONS[rowOf(word)];
}
