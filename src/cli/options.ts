import { InvalidArgumentError } from 'commander';
import type { BehaviourName } from '../emu/virtio/behaviour.ts';

/** Exit statuses of every command. */
export const EXIT = {
  /** Nothing is wrong. */
  fine: 0,
  /** What was asked about is wrong: a finding, a divergence, a mismatch, a refused rule. */
  wrong: 1,
  /** The command could not be carried out. */
  cannot: 2,
} as const;

/**
 * What an operator did wrong, in one sentence that says what, and what instead. A command throws it; main.ts prints
 * the sentence on stderr and ends with status 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What every command takes. */
interface CommonOptions {
  readonly json: boolean;
}

export interface FuzzOptions extends CommonOptions {
  /** Milliseconds; undefined where the operator left the choice to the command. */
  readonly time?: number;
  readonly runs?: number;
  readonly jobs?: number;
  readonly seed?: string;
  /** Names and groups; empty is all. */
  readonly scenario: readonly string[];
  readonly mode: readonly string[];
  /** `on`, `off`; empty is both. */
  readonly iommuPlatform: readonly string[];
  readonly machine: readonly string[];
  readonly behaviour?: BehaviourName;
  readonly regressions: boolean;
  readonly corpus: string;
  readonly findings: string;
  readonly plant: readonly string[];
  readonly disallow: readonly string[];
  readonly resume: boolean;
  /** One case in so many is judged clause by clause; 0: none. */
  readonly clauses?: number;
  readonly junit?: string;
  readonly sarif?: string;
}

export interface OracleOptions extends CommonOptions {
  readonly cases?: number;
  /** One case, from a file. */
  readonly case?: string;
  /** The program; `qemu-system-ppc64` of the PATH otherwise. */
  readonly qemu?: string;
  readonly seed?: string;
  readonly scenario: readonly string[];
  readonly mode: readonly string[];
  readonly iommuPlatform: readonly string[];
  readonly machine: readonly string[];
  readonly device: readonly string[];
  readonly findings: string;
}

export interface RecordOptions extends CommonOptions {
  /** A corpus file, a scenario with a seed (`split-ring:42`), or a guest profile. */
  readonly case: string;
  readonly output: string;
  readonly seed?: string;
  readonly machine?: string;
  readonly device?: string;
  readonly guest?: string;
  readonly behaviour?: BehaviourName;
}

export interface ReplayOptions extends CommonOptions {
  /** Files, and folders whose recordings are all meant. */
  readonly files: readonly string[];
  readonly from?: number;
  readonly until?: number;
}

export interface InspectOptions extends CommonOptions {
  readonly file: string;
  readonly kind: readonly string[];
  readonly device?: string;
  readonly queue?: number;
  readonly address?: bigint;
  readonly followRequest?: number;
  readonly followPage?: number;
  readonly whoWrote?: bigint;
  readonly from?: number;
  readonly until?: number;
  /** Another format, and the file it goes to. */
  readonly to?: readonly [format: string, out: string];
}

export interface DiffOptions extends CommonOptions {
  readonly a: string;
  readonly b: string;
}

export interface MinimiseOptions extends CommonOptions {
  readonly file: string;
  readonly output?: string;
  readonly seed?: string;
}

export interface MatrixOptions extends CommonOptions {
  readonly guest: readonly string[];
  readonly machine: readonly string[];
  readonly device: readonly string[];
  readonly mode: readonly string[];
  readonly iommuPlatform: readonly string[];
  /** A built-in policy, or the path of a policy file. */
  readonly policy?: string;
  readonly against?: string;
  readonly html?: string;
  /** Guests that ask to become secure, and no others. */
  readonly secure: boolean;
  readonly osinfo: boolean;
  /** Nothing is run: the rules alone answer. */
  readonly predict: boolean;
  /** `vendor`, `five-years`. */
  readonly cap: readonly string[];
  readonly today?: string;
}

export interface ExplainOptions extends CommonOptions {
  readonly what: readonly string[];
  /** Where the recording of a cell's guest goes. */
  readonly output?: string;
}

export interface ClausesOptions extends CommonOptions {
  /** A section and those below: 2.7. */
  readonly section?: string;
  /** A recording, a case, or a folder of them; what comes with the program unless told. */
  readonly on?: string;
}

export interface ConformOptions extends CommonOptions {
  readonly files: readonly string[];
  /** How many mismatches of a file are shown. */
  readonly limit: number;
}

export interface CorpusOptions extends CommonOptions {
  readonly action: 'stats' | 'merge' | 'minimise' | 'why';
  readonly files: readonly string[];
  readonly corpus: string;
}

export interface SelfcheckOptions extends CommonOptions {
  readonly quick: boolean;
  /** Only prints the digest of one run with so many jobs: what the command asks of its own child processes. */
  readonly digest?: number;
}

export interface BootOptions extends CommonOptions {
  readonly kernel: string;
  /** Where the recording goes. */
  readonly output?: string;
  readonly initrd?: string;
  readonly append: string;
  readonly drive?: string;
  readonly readOnly: boolean;
  readonly net: boolean;
  readonly rng: boolean;
  readonly mode?: string;
  readonly iommuPlatform?: string;
  readonly machine: string;
  /** MiB. */
  readonly ram: number;
  readonly seed: string;
  /** Instructions. */
  readonly budget?: number;
  /** Starts over where the guest asks for it. */
  readonly reboot: boolean;
}

export interface BenchOptions extends CommonOptions {
  readonly quick: boolean;
  readonly faults: boolean;
  readonly only: readonly string[];
}

/** `30s`, `5m`, `1h`, `250ms`; a bare number is seconds. Milliseconds. */
export function duration(text: string): number {
  const [, figure, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (figure === undefined) throw new InvalidArgumentError('a span is written like 30s, 5m, 1h or 250ms');
  const scale: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  return Math.round(Number(figure) * (scale[unit] ?? 1000));
}

/** A whole number from 1. */
export function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('a whole number from 1 is wanted');
  }
  return value;
}

/** A whole number from 0. */
export function index(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('a whole number from 0 is wanted');
  }
  return value;
}

/** A 64-bit address, `0x…` or decimal. */
export function address(text: string): bigint {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text) || BigInt(text) >= 1n << 64n) {
    throw new InvalidArgumentError('an address is written like 0x100000');
  }
  return BigInt(text);
}

/** Comma-separated words, gathered over every occurrence of the flag. */
export function words(text: string, before: readonly string[] | undefined): readonly string[] {
  const found = text.split(',').map((word) => word.trim());
  if (found.includes('')) throw new InvalidArgumentError('names are separated by single commas');
  return [...(before ?? []), ...found];
}

/** As `words`, but only of these. */
export function wordsOf(
  choices: readonly string[],
): (text: string, before: readonly string[] | undefined) => readonly string[] {
  return (text, before) => {
    const found = words(text, before);
    const stranger = found.find((word) => !choices.includes(word));
    if (stranger !== undefined) throw new InvalidArgumentError(`choose from ${choices.join(', ')}`);
    return found;
  };
}
