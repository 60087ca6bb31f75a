import { IMPLIED, STATED } from './catalogue-text.ts';
import { CLAUSE_TABLES } from './rows/index.ts';
import type { ClauseChecker } from './clause.ts';

type Decidable = 'yes' | 'partly' | 'no';

/** One normative statement of the specification. */
export interface Clause {
  /** STAT-DRV-002; statements that follow without being said begin with IMP-. */
  readonly id: string;
  /** `2.1.1`. */
  readonly section: string;
  /** `Device Status Field`. */
  readonly title: string;
  readonly role: string;
  /** MUST, MUST NOT, SHOULD, SHOULD NOT, MAY. */
  readonly level: string;
  readonly statement: string;
  /** Whether a machine can decide it. */
  readonly decidable: Decidable;
  /** How it can be checked, or why not. */
  readonly how: string;
  /** File and line of the specification's source. */
  readonly source: string;
  readonly implied: boolean;
}

/** A clause with who watches over it. */
export interface ClauseEntry {
  readonly clause: Clause;
  readonly checker: ClauseChecker | undefined;
  /** Why there is no checker; undefined where there is one, or where one is still owed. */
  readonly why: string | undefined;
}

/** Counts of a section, or of all. */
export interface ClauseCount {
  readonly rows: number;
  readonly decidable: number;
  /** Decidable rows that have a checker. */
  readonly checked: number;
  /** Rows that count as decidable and have neither checker nor reason. */
  readonly owed: number;
  /** Checkers of partly decidable and of implied rows. */
  readonly beyond: number;
}

const ENTRIES = new Map<string, ClauseEntry>();

/** Every clause in the order of the catalogue: stated ones, then implied ones. */
export function catalogue(): readonly ClauseEntry[] {
  if (ENTRIES.size === 0) fill();
  return [...ENTRIES.values()];
}

/** The clause of an id, in any case of letters. */
export function clauseById(id: string): ClauseEntry | undefined {
  if (ENTRIES.size === 0) fill();
  return ENTRIES.get(id.toUpperCase());
}

function fill(): void {
  const checkers = new Map<string, ClauseChecker>();
  const undecided = new Map<string, string>();
  for (const table of CLAUSE_TABLES) {
    for (const checker of table.checkers) checkers.set(checker.id, checker);
    for (const { id, why } of table.undecided) undecided.set(id, why);
  }
  const said = STATED.split('\n').map((line) => parsed(line, false));
  const meant = IMPLIED.split('\n').map((line) => parsed(line, true));
  for (const clause of [...said, ...meant]) {
    const checker = checkers.get(clause.id);
    const why = checker === undefined ? (undecided.get(clause.id) ?? reasonOf(clause)) : undefined;
    ENTRIES.set(clause.id, { clause, checker, why });
  }
}

/** Rows that the catalogue itself calls undecidable say there why. */
function reasonOf(clause: Clause): string | undefined {
  return clause.decidable === 'no' ? clause.how : undefined;
}

function parsed(line: string, isImplied: boolean): Clause {
  const [
    id = '',
    where = '',
    role = '',
    level = '',
    statement = '',
    ,
    decidable = '',
    how = '',
    source = '',
  ] = line.split('\t');
  return {
    id,
    ...sectionOf(where),
    role,
    level,
    statement,
    decidable: decidableOf(decidable),
    how,
    source,
    implied: isImplied,
  };
}

function decidableOf(word: string): Decidable {
  return word === 'yes' || word === 'partly' ? word : 'no';
}

function sectionOf(where: string): { readonly section: string; readonly title: string } {
  const space = where.indexOf(' ');
  return { section: where.slice(0, space), title: where.slice(space + 1) };
}

/** The chapter that sections are counted by: `2.7.13.1` is of 2.7. */
export function chapterOf(clause: Clause): string {
  return clause.section.split('.').slice(0, 2).join('.');
}

/** What stands in the catalogue, by chapter and in all; implied rows are counted apart. */
export function countClauses(entries: readonly ClauseEntry[]): ClauseCount {
  const of = entries.filter(({ clause }) => !clause.implied);
  const decidable = of.filter(({ clause }) => clause.decidable === 'yes');
  const checked = decidable.filter(({ checker }) => checker !== undefined);
  return {
    rows: of.length,
    decidable: decidable.length,
    checked: checked.length,
    owed: decidable.filter(({ checker, why }) => checker === undefined && why === undefined).length,
    beyond: entries.filter(({ checker }) => checker !== undefined).length - checked.length,
  };
}
