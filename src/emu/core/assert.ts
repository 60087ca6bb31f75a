/** Our own mistake: stops the run. Never reachable by what a guest writes. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws unless `condition` holds; `sentence` says what was believed. */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new AssertionError(sentence);
}
