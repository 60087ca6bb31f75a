import { FIGURES } from './bench/figures.ts';
import { measureOperations, type Measured } from './bench/measure.ts';
import { OPERATIONS } from './bench/operations.ts';
import { asJson, asTable } from './bench/table.ts';
import { EXIT, UsageError, type BenchOptions } from './options.ts';
import { StatusLine } from './status-line.ts';

const EFFORT = { rounds: 9, roundMs: 60 };
const EFFORT_QUICK = { rounds: 3, roundMs: 15 };

/** Measures the rows asked for and prints them. */
export async function bench(options: BenchOptions): Promise<number> {
  if (options.faults)
    throw new UsageError('bench --faults comes in a later version; fuzz --plant finds a fault');
  const wanted = (row: { readonly name: string }): boolean =>
    options.only.length === 0 ||
    options.only.some((word) => row.name.toLowerCase().includes(word.toLowerCase()));
  const operations = OPERATIONS.filter(wanted);
  const figures = FIGURES.filter(wanted);
  if (operations.length + figures.length === 0) {
    const names = [...OPERATIONS, ...FIGURES].map((row) => row.name).join(', ');
    throw new UsageError(`no row has ${options.only.join(' or ')} in its name; there are: ${names}`);
  }
  const status = new StatusLine();
  if (operations.length > 0) status.show(`measuring ${operations.map((row) => row.name).join(', ')}`);
  const rows: Measured[] = measureOperations(operations, options.quick ? EFFORT_QUICK : EFFORT);
  for (const row of figures) {
    status.show(`measuring ${row.name}`);
    rows.push({ name: row.name, ...(await row.measure(options.quick)) });
  }
  status.clear();
  process.stdout.write(`${options.json ? JSON.stringify(asJson(rows)) : asTable(rows)}\n`);
  return EXIT.fine;
}
