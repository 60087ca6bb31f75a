import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { EventDecoder } from '../trace/event-decoder.ts';
import { eventJson, headerJson, makeExporter, type ExportFormat } from '../trace/exports.ts';
import { EventFilter, type FilterOptions } from '../trace/filter.ts';
import { LastWriters } from '../trace/last-writers.ts';
import { FileSource, RecordingReader, type RecordingEnd } from '../trace/reader.ts';
import { EventText } from '../trace/report-text.ts';
import { EXIT, UsageError, type InspectOptions } from './options.ts';

const FORMATS: readonly string[] = ['json', 'perfetto', 'qtest', 'pcapng'];

/** Prints a recording, or writes it in another format. Status 2 if it is torn, after everything that is left of it. */
export async function inspect(options: InspectOptions): Promise<number> {
  const source = new FileSource(options.file);
  try {
    const reader = new RecordingReader(source);
    checkKinds(reader, options.kind);
    if (options.to !== undefined) exportTo(reader, options, options.to);
    else if (options.whoWrote !== undefined) whoWrote(reader, options, options.whoWrote);
    else if (options.json) printJson(reader, options);
    else printText(reader, options);
    return ended(reader, endOf(reader));
  } finally {
    source.close();
  }
}

function checkKinds(reader: RecordingReader, kinds: readonly string[]): void {
  const names = reader.header.kinds.map((kind) => kind.name);
  const stranger = kinds.find((kind) => !names.includes(kind));
  if (stranger !== undefined)
    throw new UsageError(`there is no kind of event called ${stranger}; choose from ${names.join(', ')}`);
}

/** A torn recording is shown as far as it goes, and then named. */
function ended(reader: RecordingReader, end: RecordingEnd): number {
  if (end.torn === undefined) return EXIT.fine;
  process.stderr.write(
    `papyrus: ${reader.name} is torn: its last ${end.torn} bytes are no whole item and its end is missing, the ${end.events} events before are whole\n`,
  );
  return EXIT.cannot;
}

function endOf(reader: RecordingReader): RecordingEnd {
  if (reader.end === undefined) reader.forEach(() => true);
  if (reader.end === undefined) throw new Error('a recording that was read to its end has one');
  return reader.end;
}

function filterOf(options: InspectOptions): FilterOptions {
  return {
    kind: options.kind,
    ...(options.device === undefined ? {} : { device: options.device }),
    ...(options.queue === undefined ? {} : { queue: options.queue }),
    ...(options.address === undefined ? {} : { address: options.address }),
    ...(options.followRequest === undefined ? {} : { followRequest: options.followRequest }),
    ...(options.followPage === undefined ? {} : { followPage: options.followPage }),
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.until === undefined ? {} : { until: options.until }),
  };
}

/** Gathers text and writes it in pieces, synchronously: a million lines must not wait in memory. */
class Output {
  readonly #file: number;
  #text: string[] = [];
  #length = 0;

  constructor(file: number) {
    this.#file = file;
  }

  add(text: string | Uint8Array): void {
    if (typeof text !== 'string') {
      this.flush();
      writeAll(this.#file, text);
      return;
    }
    this.#text.push(text);
    this.#length += text.length;
    if (this.#length > 1 << 16) this.flush();
  }

  flush(): void {
    if (this.#length > 0) writeAll(this.#file, Buffer.from(this.#text.join('')));
    this.#text = [];
    this.#length = 0;
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(file, bytes, at);
    } catch (error) {
      // A pipe whose reader is slow; and one whose reader has gone, which is the reader's right.
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(EXIT.fine);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

const STDOUT = 1;

function printText(reader: RecordingReader, options: InspectOptions): void {
  const { header } = reader;
  const out = new Output(STDOUT);
  const { config, origin } = header;
  out.add(`${reader.name}: written by ${header.producer}, chance from ${header.rng}\n`);
  out.add(
    `machine ${config.machine}, ${config.ramBytes / 2 ** 20} MiB, ${config.cpus} CPUs, seed ${JSON.stringify(config.seed)}\n`,
  );
  if (config.host !== undefined) out.add(`  on a host ${config.host}\n`);
  for (const object of config.objects ?? []) out.add(`  -object ${object}\n`);
  for (const device of config.devices) out.add(`  -device ${device}\n`);
  for (const global of config.globals) out.add(`  -global ${global}\n`);
  for (const { kind, id, ...rest } of config.backends) out.add(`  ${kind} ${id} ${JSON.stringify(rest)}\n`);
  out.add(
    origin === undefined
      ? 'no guest to run again\n'
      : `${origin.kind} ${origin.name}, seed ${JSON.stringify(origin.seed)}\n`,
  );
  const text = new EventText(header);
  let shown = 0;
  each(reader, options, text, (event, number) => {
    out.add(`${text.line(event, number)}\n`);
    shown++;
  });
  const end = endOf(reader);
  out.add(`${shown} of ${end.events} events shown, ${end.chunks} chunks`);
  out.add(end.finalDigest === undefined ? '\n' : `, final digest ${end.finalDigest}\n`);
  out.flush();
}

function printJson(reader: RecordingReader, options: InspectOptions): void {
  const out = new Output(STDOUT);
  out.add(`{"header":${JSON.stringify(headerJson(reader.header))},"events":[`);
  let any = false;
  each(reader, options, new EventText(reader.header), (event, number) => {
    out.add(`${any ? ',' : ''}\n${JSON.stringify(eventJson(reader.header, event, number))}`);
    any = true;
  });
  out.add(`\n],"end":${JSON.stringify(endOf(reader))}}\n`);
  out.flush();
}

type Visit = (event: EventDecoder['event'], number: number) => void;

/** Every event that the filter admits; all are seen, since what they mean depends on those before. */
function each(reader: RecordingReader, options: InspectOptions, text: EventText, visit: Visit): void {
  const filter = new EventFilter(filterOf(options), reader.header.kinds, text.devices);
  reader.forEach((event, number) => {
    text.see(event);
    if (filter.admits(event, number)) visit(event, number);
  });
}

function whoWrote(reader: RecordingReader, options: InspectOptions, address: bigint): void {
  const writers = new LastWriters(reader.header.kinds);
  const until = options.until ?? Infinity;
  reader.forEach((event, number) => {
    if (number <= until) writers.see(event, number);
  });
  const writer = writers.of(address);
  const where = `0x${address.toString(16)}`;
  let line: string | undefined;
  if (writer !== undefined) {
    const text = new EventText(reader.header);
    reader.forEach((event, number) => {
      if (number === writer.event) line = text.line(event, number);
      else text.see(event);
      return number < writer.event;
    });
  }
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ address: where, event: writer?.event ?? null, line: line ?? null })}\n`,
    );
  } else {
    process.stdout.write(
      `${line ?? `no recorded event wrote ${where}; the guest's own stores are not recorded`}\n`,
    );
  }
}

/** The file appears only when it is complete. */
function exportTo(
  reader: RecordingReader,
  options: InspectOptions,
  to: readonly [format: string, out: string],
): void {
  const [format, path] = to;
  if (!FORMATS.includes(format))
    throw new UsageError(`there is no format ${format}; choose from ${FORMATS.join(', ')}`);
  const draft = `${path}.part`;
  const file = openSync(draft, 'w');
  try {
    const text = new EventText(reader.header);
    const exporter = makeExporter(format as ExportFormat, reader.header, text);
    const out = new Output(file);
    out.add(exporter.begin());
    each(reader, options, text, (event, number) => out.add(exporter.event(event, number)));
    out.add(exporter.end());
    out.flush();
    closeSync(file);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
