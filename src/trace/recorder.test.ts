import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { prop } from '../_prop.ts';
import { EVENT_KINDS, KIND, MachineEvent } from '../emu/core/tap.ts';
import { eventStream, fillEvent, plain, type PlainEvent } from './_events.ts';
import { CONFIG } from './_toy.ts';
import { checkSeal, sealItem } from './envelope.ts';
import { makeHeader, CHUNK_BYTES, CHUNK_BYTES_MAX } from './format.ts';
import { inPieces } from './pieces.ts';
import { MemorySource, RecordingReader } from './reader.ts';
import { FileSink, MemorySink, Recorder } from './recorder.ts';

function record(events: readonly PlainEvent[], recorder: Recorder): void {
  const event = new MachineEvent();
  for (const one of events) recorder.take(fillEvent(event, one));
}

function read(bytes: Uint8Array): PlainEvent[] {
  const events: PlainEvent[] = [];
  new RecordingReader(new MemorySource(bytes)).forEach((event) => void events.push(plain(event)));
  return events;
}

prop('what is recorded is read back, header and all', [eventStream], (events) => {
  const sink = new MemorySink();
  const origin = { kind: 'case', name: 'split-ring', seed: '42', program: Uint8Array.of(1, 2, 3) };
  const recorder = new Recorder(makeHeader(CONFIG, origin, true), sink);
  record(events, recorder);
  const totals = recorder.finish('00112233445566778899aabbccddeeff');
  const reader = new RecordingReader(new MemorySource(sink.bytes));
  const header = JSON.stringify(reader.header.config) === JSON.stringify(CONFIG);
  const { origin: back } = reader.header;
  let number = 0;
  reader.forEach(() => void number++);
  return (
    header &&
    reader.header.guestWrites &&
    reader.sameKinds &&
    JSON.stringify(reader.header.kinds) === JSON.stringify(EVENT_KINDS) &&
    back?.seed === '42' &&
    back.program.join() === '1,2,3' &&
    number === events.length &&
    totals.events === events.length &&
    totals.fileBytes === sink.bytes.length &&
    reader.end?.finalDigest === '00112233445566778899aabbccddeeff' &&
    reader.end.torn === undefined
  );
});

prop(
  'a recorder that starts again writes what a new one writes',
  [eventStream, eventStream],
  (before, events) => {
    const fresh = new MemorySink();
    const recorder = new Recorder(makeHeader(CONFIG, undefined), fresh);
    record(events, recorder);
    recorder.finish();
    const used = new MemorySink();
    const again = new Recorder(makeHeader(CONFIG, undefined), used);
    record(before, again);
    again.restart(makeHeader(CONFIG, undefined));
    record(events, again);
    again.finish();
    return Buffer.compare(fresh.bytes, used.bytes) === 0;
  },
);

test('bytes beyond one event are recorded in pieces, in order and without gaps', (t) => {
  const bytes = Uint8Array.from({ length: (5 << 20) + 17 }, (_, i) => (i * 7919) >>> 3);
  const event = new MachineEvent();
  event.kind = KIND['dma-write'];
  event.fields.set([8n, 0xffff_fff0n]);
  event.carry(bytes, 5, bytes.length - 5);
  const sink = new MemorySink();
  const recorder = new Recorder(makeHeader(CONFIG, undefined), sink);
  recorder.take(event);
  recorder.finish();
  const events = read(sink.bytes);
  t.is(events.length, 6);
  let at = 5;
  for (const piece of events) {
    t.is(piece.fields[1], 0xffff_fff0n + BigInt(at - 5));
    t.is(Buffer.compare(Uint8Array.from(piece.bytes), bytes.subarray(at, at + piece.bytes.length)), 0);
    at += piece.bytes.length;
  }
  t.is(at, bytes.length);
  let pieces = 0;
  inPieces(event, () => pieces++);
  t.is(pieces, 6);
});

test('chunks end at an action of the guest where they can, and carry checkpoints', (t) => {
  const sink = new MemorySink();
  let digests = 0;
  const machine = { digest: () => (digests++ + 1).toString(16).padStart(32, '0') };
  const recorder = new Recorder(makeHeader(CONFIG, undefined), sink, machine);
  const event = new MachineEvent();
  for (let i = 0; i < 300_000; i++) {
    event.kind = KIND['mmio-read'];
    event.fields.set([BigInt(i * 7919), 4n, 0n]);
    recorder.take(event);
    event.kind = KIND['read-value'];
    event.fields[0] = BigInt((i * 2654435761) >>> 0);
    recorder.take(event);
  }
  recorder.finish();
  const reader = new RecordingReader(new MemorySource(sink.bytes));
  const checkpoints: string[] = [];
  let previous = 0;
  for (const chunk of reader.chunks()) {
    t.true(chunk.raw.length <= CHUNK_BYTES_MAX && chunk.raw.length < CHUNK_BYTES + 256);
    t.is(chunk.firstEvent % 2, 0, 'a chunk begins with the read, not with its value');
    t.is(chunk.firstEvent, previous);
    previous += chunk.events;
    if (chunk.checkpoint !== undefined) checkpoints.push(`${chunk.index}:${chunk.checkpoint.slice(-2)}`);
  }
  t.deepEqual(checkpoints.slice(0, 2), ['16:01', '32:02']);
});

test('a recording given up leaves no file', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'papyrus-'));
  const path = join(folder, 'x.rec.cbor');
  const event = new MachineEvent();
  const recorder = new Recorder(makeHeader(CONFIG, undefined), new FileSink(path));
  recorder.take(event);
  t.false(existsSync(path), 'nothing is written before there is a chunk');
  recorder.finish();
  t.is(read(readFileSync(path)).length, 1);
  const second = new Recorder(makeHeader(CONFIG, undefined), new FileSink(path));
  second.finish();
  t.is(read(readFileSync(path)).length, 0);
  const third = new Recorder(makeHeader(CONFIG, undefined), new FileSink(join(folder, 'y')));
  for (let i = 0; i < 100_000; i++) third.take(event);
  t.true(existsSync(join(folder, 'y')));
  third.discard();
  t.false(existsSync(join(folder, 'y')));
  rmSync(folder, { recursive: true });
});

test('a seal notices every single flipped bit', (t) => {
  const { bytes } = sealItem([1, 'two', Uint8Array.of(3, 4, 5)], 7);
  const seal = Buffer.from(bytes).readUInt32BE(bytes.length - 4);
  t.not(checkSeal(bytes, seal, 7), undefined);
  t.is(checkSeal(bytes, seal, 8), undefined);
  for (let bit = 0; bit < (bytes.length - 5) * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    t.is(checkSeal(flipped, seal, 7), undefined);
  }
});
