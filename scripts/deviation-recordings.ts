// Writes recordings/deviations/: `node scripts/deviation-recordings.ts`. One recording of qemu-7.2 for each row of the table of
// deviations, and its story, made from the table and from what was seen under either behaviour.
import { existsSync, readFileSync } from 'node:fs';
import { DEVIATIONS } from '../src/emu/virtio/behaviour.ts';
import { caseRunner } from '../src/fuzz/case-runner.ts';
import { readCase, writeWhole } from '../src/fuzz/corpus.ts';
import { machineFactory } from '../src/fuzz/factory.ts';
import { SHOWN_BY } from '../src/fuzz/faults/deviations.ts';
import { Observer } from '../src/fuzz/faults/observe.ts';
import { recordingOf } from './make-recordings.ts';

type Deviation = (typeof DEVIATIONS)[number];

const FOLDER = 'recordings/deviations';
const observer = new Observer();
const runner = caseRunner(machineFactory([]));

/** `servesBeforeDriverOk` as files are called. */
export function fileName(row: Deviation): string {
  return row.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Recording and story of a deviation by path, as the sources of today make them. */
function filesOfDeviation(row: Deviation): ReadonlyMap<string, Buffer> {
  const file = `corpora/faults/${SHOWN_BY[row.name]}.case`;
  const { value } = readCase(file);
  const name = fileName(row);
  return new Map([
    [
      `${FOLDER}/${name}.rec.cbor`,
      recordingOf(runner.ready({ ...value, machine: { ...value.machine, behaviour: 'qemu-7.2' } })),
    ],
    [`${FOLDER}/${name}.md`, Buffer.from(storyOf(row))],
  ]);
}

/** What a deviation is, and what is seen of it under either behaviour. */
export function storyOf(row: Deviation): string {
  const file = `corpora/faults/${SHOWN_BY[row.name]}.case`;
  const comment = readFileSync(file, 'utf8').split('\n')[1] ?? '';
  const { value } = readCase(file);
  const list = (title: string, ids: readonly string[]): string =>
    ids.length === 0
      ? ''
      : `\n${title}: ${ids.map((id) => `\`${id}\``).join(', ')} (\`papyrus explain ${ids[0] ?? ''}\`).\n`;
  const seen = (['qemu-7.2', 'spec'] as const).map((behaviour) => {
    const { outcome, evidence } = observer.observe(value, behaviour);
    return `| \`${behaviour}\` | ${outcome} | ${evidence} |`;
  });
  const recording = `${FOLDER}/${fileName(row)}.rec.cbor`;
  return `# ${row.qemu}

That is \`qemu-7.2\` (\`${row.name}\`, ${row.source}). Under \`spec\`: ${row.spec}

Why: ${row.because}
${list('What a device that does so breaks', row.breaks)}${list('What the driver breaks to get there', row.provoked)}
The case is \`${file}\`: ${comment.replace(/^# /, '').toLowerCase()}. What is seen of it:

| behaviour | outcome | evidence |
| --- | --- | --- |
${seen.join('\n')}

    papyrus replay ${recording}
    papyrus inspect ${recording}
    papyrus record ${file} --behaviour spec -o other.rec.cbor
    papyrus diff ${recording} other.rec.cbor
`;
}

if (import.meta.main) {
  let written = 0;
  for (const row of DEVIATIONS.filter(({ name }) => SHOWN_BY[name] !== undefined)) {
    for (const [path, content] of filesOfDeviation(row)) {
      if (existsSync(path) && readFileSync(path).equals(content)) continue;
      written++;
      writeWhole(path, content);
    }
  }
  process.stdout.write(`${DEVIATIONS.length} deviations, ${written} files written\n`);
}
