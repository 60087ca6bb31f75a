/**
 * The two ways of measuring. An operation of nanoseconds is repeated until a clock can see it, interleaved with its
 * baseline over several rounds, and the fastest round counts: whatever else the machine does only ever makes a round
 * slower. What takes seconds is run once and gives its figure itself.
 */

/** An operation and what it is held against, both prepared; each runs itself `times` times. */
export interface Pair {
  run(times: number): void;
  /** What `baselineName` names, at the same size. */
  runBaseline(times: number): void;
}

export interface OperationRow {
  readonly name: string;
  readonly baselineName: string;
  readonly prepare: () => Pair;
}

/** A measurement that has its own way; undefined where what it needs is not there. */
export interface FigureRow {
  readonly name: string;
  readonly measure: (quick: boolean) => Promise<Figure>;
}

export interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly baseline: number;
  readonly baselineName: string;
}

export interface Measured extends Figure {
  readonly name: string;
}

export interface Effort {
  readonly rounds: number;
  readonly roundMs: number;
}

interface Prepared {
  readonly row: OperationRow;
  readonly pair: Pair;
  times: number;
  baselineTimes: number;
  best: number;
  baselineBest: number;
}

/** Nanoseconds of each operation and of its baseline: the best of interleaved rounds. */
export function measureOperations(rows: readonly OperationRow[], effort: Effort): Measured[] {
  const prepared = rows.map((row): Prepared => {
    const pair = row.prepare();
    return {
      row,
      pair,
      times: timesFor((times) => pair.run(times), effort.roundMs),
      baselineTimes: timesFor((times) => pair.runBaseline(times), effort.roundMs),
      best: Infinity,
      baselineBest: Infinity,
    };
  });
  for (let round = 0; round < effort.rounds; round++) {
    for (const entry of prepared) {
      const { pair, times, baselineTimes } = entry;
      entry.best = Math.min(entry.best, millisecondsOf(() => pair.run(times)) / times);
      entry.baselineBest = Math.min(
        entry.baselineBest,
        millisecondsOf(() => pair.runBaseline(baselineTimes)) / baselineTimes,
      );
    }
  }
  return prepared.map(({ row, best, baselineBest }) => ({
    name: row.name,
    value: best * 1e6,
    unit: 'ns',
    baseline: baselineBest * 1e6,
    baselineName: row.baselineName,
  }));
}

export function millisecondsOf(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** How often to run so that a round takes about `roundMs`; running it also warms the code up. */
function timesFor(run: (times: number) => void, roundMs: number): number {
  for (let times = 16; ; times *= 2) {
    const took = millisecondsOf(() => run(times));
    if (took >= roundMs / 2) return Math.max(1, Math.round((times * roundMs) / took));
  }
}
