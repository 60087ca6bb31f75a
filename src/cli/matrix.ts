import { runSecureMatrix, SECURE_MATRIX_NAMES } from '../matrix/secure-cells.ts';
import { MATRIX_NAMES, runMatrix, type CellResult, type MatrixFilter } from '../emu/machine/matrix.ts';
import { EXIT, UsageError, type MatrixOptions } from './options.ts';
import { styled } from './status-line.ts';

/** Runs the cells that the flags admit and prints their verdicts. A cell that does not work is no error. */
export async function matrix(options: MatrixOptions): Promise<number> {
  const filter: MatrixFilter = {
    machine: options.machine,
    mode: options.mode,
    iommuPlatform: options.iommuPlatform,
    guest: options.guest,
    device: options.device,
  };
  checkNames(filter, options.secure ? SECURE_MATRIX_NAMES : MATRIX_NAMES);
  const cells = [...(options.secure ? runSecureMatrix(filter) : runMatrix(filter))];
  if (options.json) process.stdout.write(`${JSON.stringify({ type: 'summary', ...counts(cells), cells })}\n`);
  else process.stdout.write(asText(cells));
  return EXIT.fine;
}

const FLAGS: Readonly<Record<keyof MatrixFilter, string>> = {
  machine: 'machine type',
  mode: 'mode',
  iommuPlatform: 'iommu_platform setting',
  guest: 'guest profile',
  device: 'device',
};

function checkNames(filter: MatrixFilter, names: typeof MATRIX_NAMES): void {
  for (const key of Object.keys(FLAGS) as (keyof MatrixFilter)[]) {
    const stranger = filter[key]?.find((word) => !names[key].includes(word));
    if (stranger !== undefined) {
      throw new UsageError(`there is no ${FLAGS[key]} ${stranger}; choose from ${names[key].join(', ')}`);
    }
  }
}

function counts(cells: readonly CellResult[]): Readonly<Record<string, number>> {
  const of = (verdict: string): number => cells.filter((cell) => cell.verdict === verdict).length;
  return {
    count: cells.length,
    works: of('works'),
    refused: of('refused'),
    absent: of('absent'),
    fails: of('fails'),
  };
}

interface Line {
  readonly mode: string;
  readonly iommu: string;
  readonly guest: string;
  readonly devices: string;
  readonly machines: string;
  readonly verdict: string;
  readonly reason: string;
}

/** A line for all machines and devices with one outcome, so that a page shows what ten thousand cells say. */
export function linesOf(cells: readonly CellResult[]): Line[] {
  const groups = new Map<string, CellResult[]>();
  for (const cell of cells) {
    const key = [cell.mode, cell.iommuPlatform, cell.guest, cell.verdict, cell.reason].join('\t');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [cell]);
    else group.push(cell);
  }
  return forAnyGuest([...groups.values()].flatMap(linesOfGroup), cells).toSorted(byQuestion);
}

/** What holds for every guest that was asked about takes one line. */
function forAnyGuest(lines: readonly Line[], cells: readonly CellResult[]): Line[] {
  const guests = new Set(cells.map((cell) => cell.guest)).size;
  const same = new Map<string, Line[]>();
  for (const line of lines) {
    const key = JSON.stringify({ ...line, guest: '' });
    same.set(key, [...(same.get(key) ?? []), line]);
  }
  return [...same.values()].flatMap((group) => {
    const [first] = group;
    return first !== undefined && guests > 1 && group.length === guests
      ? [{ ...first, guest: 'any' }]
      : group;
  });
}

/** Devices whose machines are the same share a line. */
function linesOfGroup(group: readonly CellResult[]): Line[] {
  const byMachines = new Map<string, string[]>();
  for (const device of new Set(group.map((cell) => cell.device))) {
    const machines = rangesOf(group.filter((cell) => cell.device === device).map((cell) => cell.machine));
    byMachines.set(machines, [...(byMachines.get(machines) ?? []), device]);
  }
  const [first] = group;
  if (first === undefined) return [];
  return [...byMachines].map(([machines, devices]) => ({
    mode: first.mode,
    iommu: first.iommuPlatform ? 'on' : 'off',
    guest: first.guest,
    devices: devices.join(' '),
    machines,
    verdict: first.verdict,
    reason: first.reason,
  }));
}

/** `2.1 … 2.6, 7.2`: neighbours in the table of machine types become a range. */
function rangesOf(machines: readonly string[]): string {
  const order = MATRIX_NAMES.machine;
  const positions = machines.map((name) => order.indexOf(name)).toSorted((a, b) => a - b);
  const runs: [first: number, last: number][] = [];
  for (const position of positions) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === position - 1) run[1] = position;
    else runs.push([position, position]);
  }
  const name = (position: number): string => (order[position] ?? '').replace('pseries-', '');
  return runs
    .map(([first, last]) => (first === last ? name(first) : `${name(first)} … ${name(last)}`))
    .join(', ');
}

function byQuestion(a: Line, b: Line): number {
  return (
    MATRIX_NAMES.mode.indexOf(a.mode) - MATRIX_NAMES.mode.indexOf(b.mode) ||
    MATRIX_NAMES.iommuPlatform.indexOf(a.iommu) - MATRIX_NAMES.iommuPlatform.indexOf(b.iommu) ||
    GUESTS.indexOf(a.guest) - GUESTS.indexOf(b.guest)
  );
}

const GUESTS = [...MATRIX_NAMES.guest, ...SECURE_MATRIX_NAMES.guest];
const COLUMNS = ['mode', 'iommu', 'guest', 'devices', 'machines', 'verdict', 'reason'] as const;
const COLOURS: Readonly<Record<string, 'green' | 'yellow' | 'red' | 'gray'>> = {
  works: 'green',
  refused: 'gray',
  absent: 'yellow',
  fails: 'red',
};

function asText(cells: readonly CellResult[]): string {
  const lines = linesOf(cells);
  const widths = COLUMNS.map((column) =>
    Math.max(column.length, ...lines.map((line) => line[column].length)),
  );
  const row = (line: Line | Readonly<Record<keyof Line, string>>): string =>
    COLUMNS.map((column, index) => {
      const text = line[column].padEnd(widths[index] ?? 0);
      return column === 'verdict' ? styled(COLOURS[line.verdict] ?? 'bold', text) : text;
    })
      .join('  ')
      .trimEnd();
  const head = Object.fromEntries(COLUMNS.map((column) => [column, column])) as Record<keyof Line, string>;
  const summary = Object.entries(counts(cells)).map(([what, times]) =>
    what === 'count' ? `${times} cells` : `${times} ${what}`,
  );
  return [row(head), ...lines.map(row), summary.join(', '), ''].join('\n');
}
