import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FileSink, Recorder } from '../trace/recorder.ts';
import { caseAddress } from './case-binary.ts';
import { caseRunner } from './case-runner.ts';
import { caseText } from './case-text.ts';
import type { Case } from './case.ts';
import { writeWhole } from './corpus.ts';
import type { Breach } from './judge.ts';
import type { MachineFactory } from './runner.ts';

/** A breach that was made small and stored: a case to edit, its recording, and what it says. */
export interface StoredFinding {
  readonly name: string;
  readonly path: string;
  readonly breach: Breach;
  readonly steps: number;
  /** A line for a shell that shows it again. */
  readonly command: string;
  /** False if the same finding was stored before. */
  readonly isNew: boolean;
}

/** Name of a finding: who judged, and the content of the smallest case. */
export function findingName(value: Case, breach: Breach): string {
  return `${breach.oracle.toLowerCase()}-${value.machine.device}-${caseAddress(value)}`;
}

/** Writes the case, its recording and a text; what is there already stays. */
export function storeFinding(
  folder: string,
  value: Case,
  breach: Breach,
  origin: string,
  factory: MachineFactory,
): StoredFinding {
  const name = findingName(value, breach);
  const path = join(folder, `${name}.case`);
  const stored = { name, path, breach, steps: value.steps.length, command: `papyrus minimise ${path}` };
  if (existsSync(path)) return { ...stored, isNew: false };
  mkdirSync(folder, { recursive: true });
  recordCase(join(folder, `${name}.rec.cbor`), value, factory);
  writeWhole(join(folder, `${name}.md`), findingText(stored, value, origin));
  writeWhole(path, caseText(value));
  return { ...stored, isNew: true };
}

/** Runs a case once more and writes its recording; no file is left if that fails. */
export function recordCase(path: string, value: Case, factory: MachineFactory): void {
  const prepared = caseRunner(factory).ready(value);
  const recorder = new Recorder(prepared.header, new FileSink(path));
  let digest: (() => string) | undefined;
  try {
    const how = prepared.run((machine) => {
      digest = () => machine.digest();
      recorder.restart(prepared.header, machine);
      machine.setTap(recorder);
    });
    recorder.finish(how === 'cut' ? undefined : digest?.());
  } catch (error) {
    recorder.discard();
    throw error;
  }
}

function findingText(
  finding: { readonly name: string; readonly breach: Breach; readonly command: string },
  value: Case,
  origin: string,
): string {
  return `# ${finding.breach.oracle}: ${finding.breach.reason}

Found by \`${origin}\`, made as small as it goes. To see the verdict again:

    ${finding.command}

To see what happened, event by event:

    papyrus inspect ${finding.name}.rec.cbor

The case, which can be edited and run:

\`\`\`
${caseText(value)}\`\`\`
`;
}
