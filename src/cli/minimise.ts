import { machineFactory } from '../fuzz/factory.ts';
import { readCase, writeWhole } from '../fuzz/corpus.ts';
import { caseText } from '../fuzz/case-text.ts';
import { minimise as makeSmaller } from '../fuzz/minimise.ts';
import { Runner } from '../fuzz/runner.ts';
import { EXIT, type MinimiseOptions } from './options.ts';

/** The smallest case that breaks as this one does. Status 0 if it breaks nothing, else 1. */
export async function minimise(options: MinimiseOptions): Promise<number> {
  const { value: read } = readCase(options.file);
  const value =
    options.seed === undefined ? read : { ...read, machine: { ...read.machine, seed: options.seed } };
  const runner = new Runner(machineFactory([]));
  const first = runner.run(value, { clauses: true });
  const { breach } = first.breach === undefined ? runner.runTwice(value) : first;
  if (breach === undefined) {
    say(
      options.json,
      { type: 'summary', file: options.file, breach: null },
      `${options.file} breaks nothing\n`,
    );
    return EXIT.fine;
  }
  const small = makeSmaller(runner, value, breach);
  const text = caseText(small.value);
  if (options.output !== undefined) writeWhole(options.output, text);
  const summary = {
    type: 'summary',
    file: options.file,
    breach: small.breach,
    steps: [value.steps.length, small.value.steps.length],
    runs: small.runs,
    case: text,
  };
  const where = options.output === undefined ? `\n${text}` : `, in ${options.output}\n`;
  say(
    options.json,
    summary,
    `${small.breach.oracle}: ${small.breach.reason}\n${value.steps.length} steps became ${small.value.steps.length}${where}`,
  );
  return EXIT.wrong;
}

function say(json: boolean, document: unknown, text: string): void {
  process.stdout.write(json ? `${JSON.stringify(document)}\n` : text);
}
