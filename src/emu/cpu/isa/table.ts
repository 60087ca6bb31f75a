import { WHY } from '../layout.ts';
import { BRANCH, BRANCH_OPERATIONS } from './branch.ts';
import { INTEGER, INTEGER_OPERATIONS } from './integer.ts';
import { LOGICAL, LOGICAL_OPERATIONS } from './logical.ts';
import type { Instruction, Operations } from './row.ts';
import { STORAGE, STORAGE_OPERATIONS } from './storage.ts';
import { SYSTEM, SYSTEM_OPERATIONS } from './system.ts';
import { FLOAT } from './float.ts';
import { VECTOR_INSTRUCTIONS, VECTOR_OPERATIONS } from './vector.ts';

/** Every instruction: where encodings overlap, the first row counts. */
export const INSTRUCTIONS: readonly Instruction[] = [
  ...INTEGER,
  ...LOGICAL,
  ...BRANCH,
  ...STORAGE,
  ...SYSTEM,
  ...VECTOR_INSTRUCTIONS,
  ...FLOAT,
];

/** Every operation of the interpreter. The first three are its own. */
export const OPERATIONS: Operations = {
  undecoded: (kit) => kit.retry(WHY.decode),
  assist: (kit) => kit.leave(WHY.assist),
  pageend: (kit) => [...kit.uncount(), ...kit.jump(kit.nextPage)],
  ...INTEGER_OPERATIONS,
  ...LOGICAL_OPERATIONS,
  ...BRANCH_OPERATIONS,
  ...STORAGE_OPERATIONS,
  ...SYSTEM_OPERATIONS,
  ...VECTOR_OPERATIONS,
};
