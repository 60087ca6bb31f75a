/**
 * What holding a golden log against the emulator consists of: a function of the file's lines that tells a tally what it
 * judged. conform.ts recognises the kind of a file, opens it, and prints the tally.
 */

/** The file's lines in order, without their ends; the first is the header where the kind has one. */
export type Lines = AsyncIterable<string>;

/** Holds one file against the emulator. A file whose lines are not what its kind promises: throws a UsageError. */
export type Conform = (lines: Lines, tally: Tally) => Promise<void>;

export interface Mismatch {
  /** Counted from 1, as editors do. */
  readonly line: number;
  /** Which operation, which observable. */
  readonly what: string;
  /** What the log of the real QEMU says … */
  readonly expected: string;
  /** … and what the emulator did. */
  readonly actual: string;
}

/** Counts what was judged, and keeps the first mismatches. */
export class Tally {
  readonly first: Mismatch[] = [];
  /** Lines that were read but not judged, by what they are. They are counted aloud. */
  readonly notJudged: Map<string, number> = new Map();
  /** Lines that agree only if something is supposed which the log does not say, by what that is. Counted aloud too. */
  readonly supposed: Map<string, number> = new Map();
  lines = 0;
  mismatches = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** One line was judged. */
  judged(): void {
    this.lines++;
  }

  /** One line was read and not judged. */
  passOver(what: string): void {
    this.notJudged.set(what, (this.notJudged.get(what) ?? 0) + 1);
  }

  /** One line agrees, supposing this. */
  suppose(what: string): void {
    this.supposed.set(what, (this.supposed.get(what) ?? 0) + 1);
  }

  mismatch(line: number, what: string, expected: string, actual: string): void {
    this.mismatches++;
    if (this.first.length < this.#limit) this.first.push({ line, what, expected, actual });
  }
}
