import { diffRecordings } from '../trace/diff.ts';
import { FileSource, RecordingReader } from '../trace/reader.ts';
import { EXIT, type DiffOptions } from './options.ts';

/** Prints the first difference of two recordings; status 1 if there is one. */
export async function diff(options: DiffOptions): Promise<number> {
  const sources: FileSource[] = [];
  try {
    const [a, b] = [options.a, options.b].map((path) => {
      const source = new FileSource(path);
      sources.push(source);
      return new RecordingReader(source);
    }) as [RecordingReader, RecordingReader];
    const difference = diffRecordings(a, b);
    if (options.json) process.stdout.write(`${JSON.stringify({ type: 'summary', ...difference })}\n`);
    else process.stdout.write(`${difference.lines.join('\n')}\n`);
    return difference.same ? EXIT.fine : EXIT.wrong;
  } finally {
    for (const source of sources) source.close();
  }
}
