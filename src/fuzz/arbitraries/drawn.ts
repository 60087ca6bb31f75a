import fc from 'fast-check';

/**
 * An arbitrary that draws in one go and shrinks what it is shown, whoever made it: a campaign needs several thousand
 * values a second, and a case file has no generator's context. Sizes are the drawer's own; fast-check's global size,
 * which would cut every list to ten, has no say (anchors.md section 0.6).
 */
export class Drawn<T> extends fc.Arbitrary<T> {
  readonly draw: (random: fc.Random) => T;
  readonly #smaller: (value: T) => Iterable<T>;
  readonly #accepts: (value: unknown) => value is T;

  constructor(
    draw: (random: fc.Random) => T,
    smaller: (value: T) => Iterable<T>,
    accepts: (value: unknown) => value is T,
  ) {
    super();
    this.draw = draw;
    this.#smaller = smaller;
    this.#accepts = accepts;
  }

  override generate(random: fc.Random): fc.Value<T> {
    return new fc.Value(this.draw(random), undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is T {
    return this.#accepts(value);
  }

  override shrink(value: T): fc.Stream<fc.Value<T>> {
    return fc.stream(values(this.#smaller(value)));
  }
}

function* values<T>(smaller: Iterable<T>): IterableIterator<fc.Value<T>> {
  for (const value of smaller) yield new fc.Value(value, undefined);
}

/** One of `count` indices. */
export function below(random: fc.Random, count: number): number {
  return random.nextInt(0, count - 1);
}

/** True once in `times`. */
export function oneIn(random: fc.Random, times: number): boolean {
  return random.nextInt(0, times - 1) === 0;
}

export function oneOf<T>(random: fc.Random, list: readonly T[]): T {
  return list[random.nextInt(0, list.length - 1)] as T;
}

/** Values between `value` and `aim`: the aim itself first, then ever closer to `value`. */
export function* towards(value: number, aim: number): Generator<number> {
  let gap = value - aim;
  while (gap !== 0) {
    yield value - gap;
    gap = Math.trunc(gap / 2);
  }
}

/** A list with a run of its items left out: halves first, single items last. */
export function* without<T>(list: readonly T[], least = 0): Generator<T[]> {
  for (let run = list.length; run >= 1; run = run >> 1) {
    if (list.length - run < least) continue;
    for (let at = 0; at + run <= list.length; at += run)
      yield [...list.slice(0, at), ...list.slice(at + run)];
  }
}

/** A list with one item made smaller. */
export function* withSmaller<T>(list: readonly T[], smaller: (item: T) => Iterable<T>): Generator<T[]> {
  for (let at = 0; at < list.length; at++) {
    for (const item of smaller(list[at] as T)) {
      const copy = [...list];
      copy[at] = item;
      yield copy;
    }
  }
}

/** The generator behind fast-check's Random for one case: sfc32 (Doty-Humphrey), whose state is four words. */
export class CaseGenerator {
  readonly #state: Int32Array;

  /** `words` name the campaign, `index` the case; neighbouring indices give unrelated sequences. */
  constructor(words: ArrayLike<number>, index: number) {
    this.#state = new Int32Array(4);
    this.#state[0] = words[0] ?? 0;
    this.#state[1] = (words[1] ?? 0) ^ Math.imul(index, 0x9e3779b1);
    this.#state[2] = (words[2] ?? 0) ^ Math.imul(Math.floor(index / 2 ** 32) + 1, 0x85ebca6b);
    this.#state[3] = 1;
    for (let round = 0; round < 12; round++) this.next();
  }

  clone(): CaseGenerator {
    const copy = new CaseGenerator([], 0);
    copy.#state.set(this.#state);
    return copy;
  }

  /** The next 32 bits, as a signed whole number. */
  next(): number {
    const state = this.#state;
    const a = state[0] ?? 0;
    const b = state[1] ?? 0;
    const c = state[2] ?? 0;
    const counter = state[3] ?? 0;
    const sum = (a + b + counter) | 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = (c + (c << 3)) | 0;
    state[2] = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum;
  }

  getState(): readonly number[] {
    return [...this.#state];
  }
}

/** The random source of case `index` in the campaign that `words` name. */
export function randomOf(words: ArrayLike<number>, index: number): fc.Random {
  return new fc.Random(new CaseGenerator(words, index));
}
