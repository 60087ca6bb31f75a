// Writes the parts of README.md that follow from the tables: `npm run readme` after a change of a table. Its test fails
// when a part is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { catalogue, chapterOf, countClauses } from '../src/clauses/catalogue.ts';
import { GUEST_PROFILES } from '../src/emu/guest/profiles.ts';
import { MATRIX_NAMES, runMatrix, type CellResult } from '../src/emu/machine/matrix.ts';
import { HCALLS } from '../src/emu/papr/hcall.ts';
import { RTAS_TOKEN } from '../src/emu/papr/abi.ts';
import { NOT_IMPLEMENTED } from '../src/emu/papr/not-implemented.ts';
import { PLANTS } from '../src/fuzz/plants/index.ts';
import { SCENARIOS } from '../src/fuzz/scenarios/index.ts';

const MACHINE = 'pseries-7.2';

/** By the name that stands in README.md: `<!-- generated: NAME -->` … `<!-- end -->`. */
const PARTS: Readonly<Record<string, () => string>> = {
  guests: guestMatrix,
  machines: () =>
    `${MATRIX_NAMES.machine.length} machine types: ${MATRIX_NAMES.machine.map(code).join(', ')}.`,
  hypercalls: () => [...new Set(HCALLS.map((row) => row.name))].map(code).join(', '),
  rtas: () => Object.keys(RTAS_TOKEN).map(code).join(', '),
  missing: () =>
    table(
      ['missing', 'what a guest sees'],
      NOT_IMPLEMENTED.map(({ name, seen }) => [name, seen]),
    ),
  clauses: clauseCounts,
  scenarios: () =>
    table(
      ['scenario', 'group', 'by default', 'what it does'],
      SCENARIOS.map(({ name, group, byDefault, title }) => [
        code(name),
        group,
        byDefault ? 'yes' : 'no',
        title,
      ]),
    ),
  plants: () =>
    table(
      ['fault', 'found by', 'what is broken'],
      PLANTS.map(({ name, oracle, title }) => [code(name), oracle, title]),
    ),
};

function code(name: string): string {
  return `\`${name}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** How many clauses of each chapter are watched over; the last row is all of them. */
function clauseCounts(): string {
  const entries = catalogue();
  const chapters = [...new Set(entries.map(({ clause }) => chapterOf(clause)))].toSorted((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const row = (name: string, of: typeof entries): string[] => {
    const { rows, decidable, checked, owed, beyond } = countClauses(of);
    return [name, rows, decidable, checked, decidable - checked - owed, owed, beyond].map(String);
  };
  return table(
    [
      'section',
      'statements',
      'decidable',
      'with a checker',
      'with a reason why not',
      'owed',
      'other checkers',
    ],
    [
      ...chapters.map((chapter) =>
        row(
          chapter,
          entries.filter(({ clause }) => chapterOf(clause) === chapter),
        ),
      ),
      row('all', entries),
    ],
  );
}

/** What each guest makes of a device, by the mode of the device. */
function guestMatrix(): string {
  const columns = [
    ['legacy', 'off'],
    ['transitional', 'off'],
    ['modern', 'off'],
    ['modern', 'on'],
  ] as const;
  const cells = [...runMatrix({ machine: [MACHINE] })];
  return table(
    ['guest', 'as', 'legacy', 'transitional', 'modern', 'modern, iommu_platform=on'],
    GUEST_PROFILES.filter(({ secure }) => secure === undefined).map(({ name, systems }) => [
      code(name),
      systems,
      ...columns.map(([mode, iommu]) =>
        outcome(
          cells.filter(
            (cell) => cell.guest === name && cell.mode === mode && cell.iommuPlatform === (iommu === 'on'),
          ),
        ),
      ),
    ]),
  );
}

/** One word for rng, blk and net together; each by its name if they differ. */
function outcome(cells: readonly CellResult[]): string {
  const words = cells.map(({ device, verdict, reason }) => [
    device,
    verdict === 'works' ? (reason.split(',')[0] ?? '') : verdict === 'absent' ? 'sees no device' : reason,
  ]);
  const distinct = new Set(words.map(([, word]) => word));
  if (distinct.size === 1) return [...distinct].join('');
  return words.map(([device, word]) => `${device}: ${word}`).join('; ');
}

/** The text with every generated part made anew. */
export function withTables(text: string): string {
  return text.replaceAll(
    /(<!-- generated: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, begin: string, name: string, end: string) => {
      const part = PARTS[name];
      if (part === undefined) throw new Error(`README.md asks for a part ${name}, which nobody makes`);
      return `${begin}\n${part()}\n\n${end}`;
    },
  );
}

/** Names of the parts that `text` has. */
export function partsOf(text: string): string[] {
  return [...text.matchAll(/<!-- generated: (\w+) -->/g)].map(([, name = '']) => name);
}

export const PART_NAMES: readonly string[] = Object.keys(PARTS);

if (import.meta.main) {
  writeFileSync('README.md', withTables(readFileSync('README.md', 'utf8')));
}
