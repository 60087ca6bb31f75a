import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { caseAddress } from './case-binary.ts';
import { caseText, parseCase, stepText } from './case-text.ts';
import type { Case } from './case.ts';
import { SCENARIOS } from './scenarios/index.ts';

const SUFFIX = '.case';
/** Longer files are no cases. */
const BYTES_MAX = 1 << 20;

export interface StoredCase {
  readonly path: string;
  readonly value: Case;
}

/**
 * A corpus: one folder a scenario, one file a case, named after what it shows and after its content. Reads it whole;
 * throws one sentence for a file that is no case, or that stands in the folder of another scenario.
 */
export function readCorpus(folder: string): StoredCase[] {
  if (!existsSync(folder)) throw new Error(`there is no corpus folder ${folder}`);
  if (!statSync(folder).isDirectory())
    throw new Error(`the corpus ${folder} is a file, and a folder is wanted`);
  const stored: StoredCase[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    if (!entry.isDirectory()) continue;
    if (!SCENARIOS.some((scenario) => scenario.name === entry.name)) {
      throw new Error(
        `${join(folder, entry.name)} is no folder of a corpus: no scenario is called '${entry.name}'`,
      );
    }
    for (const name of readdirSync(join(folder, entry.name)).toSorted()) {
      if (!name.endsWith(SUFFIX)) continue;
      const one = readCase(join(folder, entry.name, name));
      if (one.value.scenario !== entry.name) {
        throw new Error(
          `${one.path} is a case of scenario ${one.value.scenario}, and stands in the folder of ${entry.name}`,
        );
      }
      stored.push(one);
    }
  }
  return stored;
}

/** Cases of a flat folder, such as findings; a folder that is not there holds none. */
export function readCases(folder: string): StoredCase[] {
  if (!existsSync(folder)) return [];
  if (!statSync(folder).isDirectory()) throw new Error(`${folder} is a file, and a folder is wanted`);
  return readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .toSorted()
    .map((name) => readCase(join(folder, name)));
}

/** One case file; throws one sentence that names it. */
export function readCase(path: string): StoredCase {
  if (statSync(path).size > BYTES_MAX) throw new Error(`${path} is no case: it is larger than 1 MiB`);
  try {
    return { path, value: parseCase(readFileSync(path, 'utf8')) };
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Where a case belongs in a corpus. */
export function corpusPath(folder: string, value: Case): string {
  return join(folder, value.scenario, `${caseName(value)}${SUFFIX}`);
}

/** What a case is about, in two words, and its content's address. */
export function caseName(value: Case): string {
  const words = new Set<string>();
  for (const one of value.steps) {
    if (words.size < 2 && one.name !== 'request' && one.name !== 'recover' && one.name !== 'idle')
      words.add(one.name);
  }
  const about = words.size === 0 ? 'requests' : [...words].join('-');
  return `${value.machine.device}-${value.machine.mode}-${about}-${caseAddress(value)}`;
}

/** Whole or not at all: the text goes to a file beside, which then takes the name. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    writeFileSync(beside, content);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/** Stores a case in a corpus; true if it was not there. */
export function keepCase(folder: string, value: Case): boolean {
  const path = corpusPath(folder, value);
  if (existsSync(path)) return false;
  writeWhole(path, caseText(value));
  return true;
}

/** The steps of a case as one line each, for reports. */
export function programText(value: Case): string {
  return value.steps.map((one) => stepText(one)).join('\n');
}
