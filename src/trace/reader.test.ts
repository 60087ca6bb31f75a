// A recording may come from anybody and may be damaged anywhere. Whatever the bytes are, the reader gives events that
// were recorded, or refuses with one sentence; it never gives others.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { prop } from '../_prop.ts';
import { KIND, MachineEvent } from '../emu/core/tap.ts';
import { Rng } from '../emu/core/rng.ts';
import { CONFIG, toyRunner } from './_toy.ts';
import { encodeItem, type Item } from './codec.ts';
import { sealItem } from './envelope.ts';
import { headerElements, makeHeader } from './format.ts';
import { FileSource, MemorySource, RecordingReader, type RecordingEnd } from './reader.ts';
import { FileSink, MemorySink, Recorder } from './recorder.ts';
import { RecordingError } from './recording-error.ts';

function toyRecording(actions: number): Uint8Array {
  const sink = new MemorySink();
  const prepared = toyRunner().find({
    name: `toy:a:${actions}`,
    seed: undefined,
    machine: undefined,
    device: undefined,
    guest: undefined,
  });
  const recorder = new Recorder(prepared.header, sink);
  prepared.run((machine) => machine.setTap(recorder));
  recorder.finish('ab'.repeat(16));
  return sink.bytes;
}

/** Reads to the end; the count of events, and how it ended or the sentence that refused it. */
function readAll(bytes: Uint8Array): {
  events: number;
  end: RecordingEnd | undefined;
  refused: string | undefined;
} {
  let events = 0;
  try {
    const reader = new RecordingReader(new MemorySource(bytes, 'file'));
    reader.forEach(() => void events++);
    return { events, end: reader.end, refused: undefined };
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    return { events, end: undefined, refused: error.message };
  }
}

const whole = toyRecording(3000);

test('cut anywhere, what lies before is read and the cut is named', (t) => {
  const reader = new RecordingReader(new MemorySource(whole));
  const ends: number[] = [0];
  for (const chunk of reader.chunks()) ends.push(chunk.firstEvent + chunk.events);
  t.true(ends.length > 2, 'there are several chunks');
  for (let length = 0; length < whole.length; length += length < 700 ? 1 : 211) {
    const { events, end, refused } = readAll(whole.subarray(0, length));
    if (refused === undefined) {
      t.true(ends.includes(events), `cut at ${length}: ${events} events`);
      t.not(end?.torn, undefined);
      t.is(end?.events, events);
    } else {
      t.is(events, 0);
      t.regex(refused, /^file (is not a Papyrus recording|is damaged: it ends inside its header)$/);
    }
  }
});

/** Every flip has to be noticed: refused, or called torn. Never read as whole. */
function noticesFlips(bytes: Uint8Array, flips: number, seed: string): string[] {
  const chance = new Rng(seed);
  const missed: string[] = [];
  for (let i = 0; i < flips; i++) {
    const at = i < bytes.length && flips >= bytes.length ? i : chance.below(bytes.length);
    const flipped = Uint8Array.from(bytes);
    const by = 1 + chance.below(255);
    flipped[at] = (flipped[at] ?? 0) ^ by;
    const { end, refused } = readAll(flipped);
    if (refused === undefined && end?.torn === undefined) missed.push(`byte ${at} ^ ${by}`);
  }
  return missed;
}

test('any one byte changed is noticed', (t) => {
  t.deepEqual(noticesFlips(toyRecording(20), 3000, 'small'), []);
  t.deepEqual(noticesFlips(whole, 300, 'large'), []);
});

test('any one byte changed in the recordings that ship is noticed', (t) => {
  const files = existsSync('recordings')
    ? readdirSync('recordings').filter((name) => name.endsWith('.rec.cbor'))
    : [];
  const each = Math.ceil(1000 / Math.max(1, files.length));
  for (const name of files) {
    const bytes = readFileSync(join('recordings', name));
    t.is(readAll(bytes).refused, undefined, name);
    t.deepEqual(noticesFlips(bytes, each, name), [], name);
  }
  t.pass();
});

prop('bytes from anywhere are refused, in one sentence', [fc.uint8Array({ maxLength: 400 })], (bytes) => {
  const { refused } = readAll(bytes);
  return refused !== undefined && !refused.includes('\n');
});

prop(
  'bytes from anywhere behind a good header are refused or torn',
  [fc.uint8Array({ maxLength: 400 })],
  (bytes) => {
    const { bytes: header } = sealItem(headerElements(makeHeader(CONFIG, undefined)), 0);
    const { events, end, refused } = readAll(Buffer.concat([header, bytes]));
    return events === 0 && (refused !== undefined || end?.torn === bytes.length);
  },
);

/** A header and items that are sealed properly, whatever they say. */
function crafted(...items: readonly (readonly Item[])[]): Uint8Array {
  const first = sealItem(headerElements(makeHeader(CONFIG, undefined)), 0);
  const parts = [first.bytes];
  let { crc } = first;
  for (const item of items) {
    const sealed = sealItem(item, crc);
    crc = sealed.crc;
    parts.push(sealed.bytes);
  }
  return Buffer.concat(parts);
}

test('crafted files with good check sums are refused by what they say', (t) => {
  const sha = new Uint8Array(32);
  const refusals: readonly (readonly [string, Uint8Array])[] = [
    ['neither a chunk nor the end', crafted([3, 0])],
    ['another', crafted([1, 1, 0, 0, 1, 1, null, sha, sha])],
    ['sizes that no chunk has', crafted([1, 0, 0, 0, 1, 0xffffffff, null, sha, sha])],
    ['sizes that no chunk has', crafted([1, 0, 0, 0, 900, 100, null, sha, sha])],
    ['compressed bytes are damaged', crafted([1, 0, 0, 0, 1, 100, null, sha, sha])],
    ['end does not fit', crafted([2, 5, sha, null])],
    ['SHA-256', crafted([2, 0, sha, null])],
  ];
  for (const [wanted, bytes] of refusals) {
    const { refused } = readAll(bytes);
    t.true(refused?.includes(wanted) === true, `${refused ?? 'not refused'}, where ${wanted} was expected`);
  }
  t.regex(readAll(Buffer.concat([crafted(), Uint8Array.of(0xbf)])).refused ?? '', /map or tag/);
  t.regex(readAll(Buffer.concat([whole, Uint8Array.of(0)])).refused ?? '', /goes on after its end/);
});

test('an item that claims to be huge costs no memory', (t) => {
  const claim = Uint8Array.of(
    0x8a,
    1,
    0,
    0,
    0,
    1,
    1,
    0xf6,
    0x58,
    32,
    ...new Uint8Array(32),
    0x5a,
    0x3f,
    0xff,
    0xff,
    0xff,
  );
  const { end, refused } = readAll(Buffer.concat([crafted(), claim]));
  t.is(refused, undefined);
  t.is(end?.torn, claim.length);
});

function withVersion(major: number): Uint8Array {
  const elements = headerElements(makeHeader(CONFIG, undefined)).slice();
  elements[1] = [major, 0];
  return sealItem(elements, 0).bytes;
}

test('a newer major version is refused by its number, whatever follows', (t) => {
  t.is(
    readAll(withVersion(2)).refused,
    'file is of recording format 2, newer than the 1 that this version reads; use a newer papyrus',
  );
  const cut = withVersion(9).subarray(0, 40);
  t.regex(readAll(cut).refused ?? '', /recording format 9/);
});

test('foreign files are refused by name', (t) => {
  for (const bytes of [
    new Uint8Array(0),
    Buffer.from('{"machine":"x"}'),
    encodeItem(['papyrus-case', 1]),
    Buffer.from('PK\u0003\u0004'),
  ])
    t.is(readAll(bytes).refused, 'file is not a Papyrus recording');
});

test('kinds that this version does not know are read by the names that the file gives', (t) => {
  const header = makeHeader(CONFIG, undefined);
  const kinds = [
    ...header.kinds,
    { name: 'page-shared', direction: 'output' as const, fields: ['page'], carriesBytes: false },
  ];
  const { bytes, crc } = sealItem(headerElements({ ...header, kinds }), 0);
  const reader = new RecordingReader(new MemorySource(bytes));
  t.is(reader.header.kinds.at(-1)?.name, 'page-shared');
  t.false(reader.sameKinds);
  t.is(crc, crc32(bytes));
});

test('a million events are written and read in bounded memory', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'papyrus-'));
  const path = join(folder, 'million.rec.cbor');
  const event = new MachineEvent();
  const bytes = new Uint8Array(512);
  const recorder = new Recorder(makeHeader(CONFIG, undefined), new FileSink(path));
  const before = process.memoryUsage();
  for (let i = 0; i < 1_000_000; i++) {
    event.kind = i % 4 === 0 ? KIND['dma-write'] : KIND['interrupt'];
    event.at = i;
    event.small(0, i % 3);
    event.small(1, (i * 4096) % 2 ** 30);
    if (i % 4 === 0) {
      bytes.fill(i, 0, 8);
      event.carry(bytes, 0, 512);
    } else event.noBytes();
    recorder.take(event);
  }
  recorder.finish();
  const source = new FileSource(path);
  const reader = new RecordingReader(source);
  let events = 0;
  let most = 0;
  reader.forEach((_event, number) => {
    events++;
    if (number % 50_000 === 0) {
      const now = process.memoryUsage();
      most = Math.max(most, now.heapUsed - before.heapUsed + now.external - before.external);
    }
  });
  source.close();
  t.is(events, 1_000_000);
  t.true(most < 100 << 20, `${Math.round(most / 2 ** 20)} MiB more than before`);
  rmSync(folder, { recursive: true });
});
