import type { Measured } from './measure.ts';

/** The rows as text: figure, unit, and the ratio to the named baseline. */
export function asTable(rows: readonly Measured[]): string {
  const cells = rows.map((row) => [row.name, figure(row.value), row.unit, ratioOf(row)]);
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells
    .map(([name = '', value = '', unit = '', ratio = '']) =>
      [name.padEnd(widths[0] ?? 0), value.padStart(widths[1] ?? 0), unit.padEnd(widths[2] ?? 0), ratio].join(
        '  ',
      ),
    )
    .join('\n');
}

function ratioOf({ value, baseline, baselineName, unit }: Measured): string {
  return `${figure(value / baseline)} × ${baselineName} (${figure(baseline)} ${unit})`;
}

/** Three significant digits, thousands set apart. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

export function asJson(rows: readonly Measured[]): object {
  return {
    type: 'summary',
    rows: rows.map((row) => ({ ...row, ratio: row.value / row.baseline })),
  };
}
