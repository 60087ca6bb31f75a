/**
 * The whole matrix as text that a reviewer can read: every policy's places as letters, version by version, and what
 * each letter means for each guest. Any change of any cell changes a line of it.
 */
import { OUTCOMES, type Outcome } from '../emu/machine/fate.ts';
import type { MatrixDocument } from './document.ts';

const LETTER: Readonly<Record<Outcome, string>> = {
  works: '+',
  stuck: 'x',
  declined: 'd',
  absent: '-',
  vetoed: 'v',
  refused: 'r',
  aborts: '!',
  'not-offered': '.',
};

const COLUMN_NAMES = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789#$%&*+=?@^~<>{}[]|/';

/** Lines without an end of line. */
export function gridText(data: MatrixDocument): string[] {
  return [...columnLines(data), '', ...placeLines(data), '', ...tierLines(data)];
}

function letters(digits: string): string {
  return digits
    .split('')
    .map((digit) => LETTER[OUTCOMES[Number(digit)] ?? 'works'])
    .join('');
}

function columnLines({ columns, guests }: MatrixDocument): string[] {
  const legend = Object.entries(LETTER).map(([outcome, letter]) => `${letter} ${outcome}`);
  return [
    'What a place holds, and what becomes of each guest: ordinary, then asking to become secure.',
    `Outcomes: ${legend.join(', ')}`,
    `Guests in order: ${guests.map(({ name }) => name).join(' ')}`,
    ...columns.map(({ device, ordinary, secure }, at) => {
      const name = COLUMN_NAMES[at] ?? `(${at})`;
      return `${name}  ${letters(ordinary)}  ${letters(secure)}  ${device}`;
    }),
  ];
}

/** Places with the same grid share it. */
function placeLines({ places, rows, settings, policies, devices, versions }: MatrixDocument): string[] {
  const grids = new Map<string, string[]>();
  for (const place of places) {
    const grid = place.rows.map((row, setting) => {
      const cells = (rows[row] ?? []).map((column) => COLUMN_NAMES[column] ?? `(${column})`).join('');
      return `  ${cells}  ${settings[setting] ?? ''}`;
    });
    const key = grid.join('\n');
    const name = `${policies[place.policy]?.name ?? ''} ${devices[place.device] ?? ''} ${place.slot}${place.capability ? ' capability' : ''}`;
    grids.set(key, [...(grids.get(key) ?? []), name]);
  }
  const lines = [`Places, one line a setting, one letter a machine version: ${versions.join(' ')}`];
  for (const [grid, names] of grids) lines.push('', ...names, ...grid.split('\n'));
  return lines;
}

function tierLines({ tiersByPolicy, tiers, guests, policies, versions }: MatrixDocument): string[] {
  const lines = [
    'Tiers: R recommended, S supported, U unsupported, one letter a machine version; with the settings that rescue',
  ];
  const rows = guests.flatMap((guest) =>
    guest.secure ? [guest.name, `${guest.name} (secure)`] : [guest.name],
  );
  for (const [index, byVersion] of tiersByPolicy.entries()) {
    lines.push('', policies[index]?.name ?? '');
    for (const [row, name] of rows.entries()) {
      const here = versions.map((_, version) => tiers[byVersion[version]?.[row] ?? 0]);
      const words = here.map((tier) => (tier?.tier ?? '?').slice(0, 1)).join('');
      const options = new Set(here.map((tier) => tier?.options ?? '').filter((text) => text !== ''));
      lines.push(`  ${words}  ${name}${options.size === 0 ? '' : `: ${[...options].join(' / ')}`}`);
    }
  }
  return lines;
}
