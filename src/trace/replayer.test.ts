import test from 'ava';
import type { CaseRunner } from './case-runner.ts';
import { ComparingTap } from './comparing-tap.ts';
import { explainDivergence } from './divergence.ts';
import { LastWriters } from './last-writers.ts';
import { MemorySource, RecordingReader } from './reader.ts';
import { MemorySink, Recorder } from './recorder.ts';
import { replayInputs, replayWithGuest, verifyRecording } from './replayer.ts';
import { KIND, MachineEvent, EVENT_KINDS } from '../emu/core/tap.ts';
import { ToyMachine, toyRunner } from './_toy.ts';

function recording(seed: string, actions: number, stores = false, stateLayout?: number): RecordingReader {
  const sink = new MemorySink();
  const prepared = toyRunner().find({
    name: `toy:${seed}:${actions}`,
    seed: undefined,
    machine: undefined,
    device: undefined,
    guest: stores ? 'stores' : undefined,
  });
  const header = stateLayout === undefined ? prepared.header : { ...prepared.header, stateLayout };
  const recorder = new Recorder(header, sink);
  prepared.run((machine) => {
    // Of another layout every digest is another.
    recorder.restart(header, stateLayout === undefined ? machine : { digest: () => '00'.repeat(16) });
    machine.setTap(recorder);
  });
  recorder.finish(stateLayout === undefined ? undefined : 'ff'.repeat(16));
  return new RecordingReader(new MemorySource(sink.bytes, 'toy'));
}

test('with its guest a recording replays to the last event, checkpoints included', (t) => {
  const reader = recording('a', 30_000, true);
  const outcome = replayWithGuest(reader, toyRunner());
  t.is(outcome?.divergence, undefined);
  t.is(outcome?.events, verifyRecording(reader).events);
  t.is(outcome?.way, 'guest');
  const checkpoints = [...reader.chunks()].filter((chunk) => chunk.checkpoint !== undefined);
  t.true(checkpoints.length > 0);
});

test('digests of another state layout are not held against the machine, its events are', (t) => {
  const older = recording('a', 30_000, true, 1);
  t.false(older.sameState);
  t.is(replayWithGuest(older, toyRunner())?.divergence, undefined);
  t.is(replayInputs(older, () => new ToyMachine()).divergence, undefined);
  const faulty = replayWithGuest(recording('a', 2000, true, 1), toyRunner(FAULT));
  t.not(faulty?.divergence, undefined);
  // The same wrong digests, said to be of this layout, are a divergence.
  const claimed = recording('a', 30_000, true, older.header.stateLayout + 1);
  t.true(claimed.sameState);
  t.is(replayWithGuest(claimed, toyRunner())?.divergence?.kind, 'digest');
});

test('without its guest the recorded actions give the same outputs, whatever the guest had stored', (t) => {
  for (const stores of [false, true]) {
    for (const seed of ['a', 'b', 'c']) {
      const reader = recording(seed, 2000, stores);
      const outcome = replayInputs(reader, () => new ToyMachine());
      t.is(outcome.divergence, undefined);
      t.is(outcome.events, verifyRecording(reader).events);
    }
  }
});

const FAULT = 700;

function expectFault(
  t: {
    is: (a: unknown, b: unknown) => void;
    true: (a: boolean) => void;
    regex: (a: string, b: RegExp) => void;
  },
  reader: RecordingReader,
  outcome: ReturnType<typeof replayInputs> | undefined,
): void {
  const divergence = outcome?.divergence;
  t.is(divergence?.kind, 'event');
  if (divergence?.kind !== 'event') return;
  t.is(divergence.event, outcome?.events);
  t.is(divergence.difference.field, 'value');
  const [expected, actual] = [BigInt(divergence.difference.expected), BigInt(divergence.difference.actual)];
  t.is(actual - expected, 1n);
  const report = explainDivergence(reader, divergence);
  t.is(report.context.length, 6);
  t.regex(report.context.at(-1) ?? '', /> mmio-read 0x200080000000\/4/);
  t.regex(report.lastWriter ?? '', /last written by event \d+ \(mmio-write\)/);
  t.regex(report.summary, /read-value\) differs in value: recorded 0x[\da-f]+, happened 0x[\da-f]+/);
}

test('the first read that differs is named, both ways of replaying', (t) => {
  const reader = recording('a', 2000);
  expectFault(t, reader, replayWithGuest(reader, toyRunner(FAULT)));
  expectFault(
    t,
    reader,
    replayInputs(reader, () => new ToyMachine(FAULT)),
  );
});

test('a range compares only its events', (t) => {
  const reader = recording('a', 2000);
  const at = replayWithGuest(reader, toyRunner(FAULT))?.divergence?.event ?? 0;
  t.is(replayWithGuest(reader, toyRunner(FAULT), { until: at })?.divergence, undefined);
  t.is(replayWithGuest(reader, toyRunner(FAULT), { from: at + 1 })?.divergence, undefined);
  t.is(replayWithGuest(reader, toyRunner(FAULT), { from: at })?.divergence?.event, at);
});

test('a guest that stops early, or goes on, is a divergence', (t) => {
  const long = recording('a', 50);
  const shorter: CaseRunner = {
    ...toyRunner(),
    again: (origin, header) => toyRunner().again({ ...origin, name: '40' }, header),
  };
  const short = replayWithGuest(long, shorter)?.divergence;
  t.is(short?.kind, 'short');
  if (short !== undefined) t.regex(explainDivergence(long, short).summary, /nothing happened any more/);
  const longer: CaseRunner = {
    ...toyRunner(),
    again: (origin, header) => toyRunner().again({ ...origin, name: '60' }, header),
  };
  const more = replayWithGuest(recording('a', 50), longer)?.divergence;
  t.is(more?.kind, 'long');
  if (more !== undefined) t.regex(explainDivergence(long, more).summary, /the recording ends before/);
});

test('a recording without a guest that anybody knows is not replayed with one', (t) => {
  const reader = recording('a', 5);
  t.is(replayWithGuest(reader, { ...toyRunner(), again: () => undefined }), undefined);
});

test('a torn recording compares what it has', (t) => {
  const sink = new MemorySink();
  const prepared = toyRunner().find({
    name: 'toy:a:3000',
    seed: undefined,
    machine: undefined,
    device: undefined,
    guest: undefined,
  });
  const recorder = new Recorder(prepared.header, sink);
  prepared.run((machine) => machine.setTap(recorder));
  recorder.finish();
  const cut = new RecordingReader(new MemorySource(sink.bytes.subarray(0, sink.bytes.length - 100)));
  const outcome = replayWithGuest(cut, toyRunner());
  t.is(outcome?.divergence, undefined);
  t.true((outcome?.events ?? 0) > 0);
  t.is(outcome?.end?.torn !== undefined, true);
});

test('bytes that differ are traced to the write they come from', (t) => {
  const sink = new MemorySink();
  const event = new MachineEvent();
  const prepared = toyRunner().find({
    name: 'toy:a:1',
    seed: undefined,
    machine: undefined,
    device: undefined,
    guest: undefined,
  });
  const recorder = new Recorder(prepared.header, sink);
  const emit = (
    tap: { take(e: MachineEvent): void },
    name: 'dma-write' | 'dma-read' | 'hypervisor-write',
    fields: readonly bigint[],
    bytes: readonly number[],
  ): void => {
    event.kind = KIND[name];
    event.fields.set(fields);
    event.carry(Uint8Array.from(bytes), 0, bytes.length);
    tap.take(event);
  };
  const stream = (tap: { take(e: MachineEvent): void }, last: number): void => {
    event.kind = KIND['hcall'];
    event.noBytes();
    event.fields.set([0x20n, 0x80000000n, 0x5000n, 0x9003n, 0n, 0n, 0n, 0n, 0n, 0n]);
    tap.take(event);
    event.kind = KIND['hcall-return'];
    event.fields[0] = 0n;
    tap.take(event);
    emit(tap, 'hypervisor-write', [0x9010n], [1, 2, 3, 4, 5, 6, 7, 8]);
    emit(tap, 'dma-write', [8n, 0x5018n], [1, 2, 3, 4]);
    emit(tap, 'dma-read', [8n, 0x5010n], [1, 2, 3, last, 5, 6, 7, 8]);
  };
  stream(recorder, 4);
  recorder.finish();
  const reader = new RecordingReader(new MemorySource(sink.bytes));
  const tap = new ComparingTap(reader);
  stream(tap, 9);
  const { divergence } = tap;
  t.is(divergence?.event, 4);
  if (divergence?.kind !== 'event') return;
  t.deepEqual(divergence.difference, { field: 'byte 3', expected: '0x4', actual: '0x9', byte: 3 });
  // I/O address 0x5013 lies at 0x9013, which the hypervisor wrote, not the device beside it.
  t.regex(explainDivergence(reader, divergence).lastWriter ?? '', /event 2 \(hypervisor-write\)/);
  const writers = new LastWriters(EVENT_KINDS);
  reader.forEach((seen, number) => writers.see(seen, number));
  t.deepEqual(writers.of(0x9018n), { event: 3, what: 'dma-write by device 00:01.0' });
  t.is(writers.of(0x9100n), undefined);
});
