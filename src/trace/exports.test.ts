import test from 'ava';
import { EVENT_KINDS, KIND, MachineEvent, type EventName } from '../emu/core/tap.ts';
import { CONFIG } from './_toy.ts';
import { eventJson, headerJson, makeExporter, type ExportFormat } from './exports.ts';
import { makeHeader } from './format.ts';
import { EventText } from './report-text.ts';

type Row = readonly [name: EventName, at: number, fields: readonly bigint[], bytes?: Uint8Array];

const registers = [0n, 0n, 0n, 0n, 0n, 0n, 0n];
const ROWS: readonly Row[] = [
  ['hcall', 0, [0x20n, 0x80000000n, 0x1000n, 0x9003n, ...registers.slice(1)]],
  ['hcall-return', 0, [0n, 0x80000000n, 0x1000n, 0x9003n, ...registers.slice(1)]],
  ['hcall', 0, [0xf000n, 0x5000n, ...registers, 0n]],
  ['hypervisor-read', 0, [0x5000n], Uint8Array.of(0, 0, 0x20, 0x16)],
  ['rtas', 0, [0x2016n, 4n, 2n, 0x800n, 1n, 2n, 4n, 0n, 0n, 0n, 0n], new Uint8Array(0)],
  ['hcall-return', 0, [0n, 0x5000n, ...registers, 0n]],
  ['mmio-write', 0, [0x200080000016n, 2n, 0n, 0x0102n]],
  ['mmio-write', 0, [0x200080000016n, 2n, 1n, 0x0102n]],
  ['pio-write', 0, [0x10n, 2n, 0n, 0x0102n]],
  ['pio-read', 0, [0x13n, 1n, 0n]],
  ['advance', 0, [512_000n]],
  ['dma-read', 512_000, [8n, 0x1010n], Uint8Array.of(0xaa, 0xbb)],
  ['dma-read', 512_000, [8n, 0x1010n], Uint8Array.of(0xcc, 0xdd)],
  ['host-output', 512_000, [1n], Uint8Array.from({ length: 61 }, (_, i) => i)],
  ['host-input', 1_024_000, [1n], new Uint8Array(60)],
  ['host-input', 1_024_000, [0n], new Uint8Array(60)],
];

function exported(format: ExportFormat): Buffer {
  const header = makeHeader(CONFIG, { kind: 'case', name: 'x', seed: '1', program: Uint8Array.of(255) });
  const exporter = makeExporter(format, header, new EventText(header));
  const event = new MachineEvent();
  const parts = [exporter.begin()];
  for (const [number, [name, at, fields, bytes]] of ROWS.entries()) {
    event.kind = KIND[name];
    event.at = at;
    event.fields.set(fields);
    if (bytes === undefined) event.noBytes();
    else event.carry(bytes, 0, bytes.length);
    parts.push(exporter.event(event, number));
  }
  parts.push(exporter.end());
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

test('json is one document with every event', (t) => {
  const document = JSON.parse(exported('json').toString()) as {
    header: { origin: { program: string } };
    events: Record<string, unknown>[];
  };
  t.is(document.header.origin.program, 'ff');
  t.is(document.events.length, ROWS.length);
  t.deepEqual(document.events[11], {
    event: 11,
    at: 512_000,
    kind: 'dma-read',
    device: '0x8',
    address: '0x1010',
    bytes: 'aabb',
  });
  t.is(headerJson(makeHeader(CONFIG, undefined))['origin'], null);
  t.is(
    eventJson({ ...makeHeader(CONFIG, undefined), kinds: EVENT_KINDS }, new MachineEvent(), 0)['kind'],
    'hcall',
  );
});

test('perfetto gets calls with their ends, on named tracks, in microseconds', (t) => {
  const { traceEvents } = JSON.parse(exported('perfetto').toString()) as {
    traceEvents: { ph: string; ts?: number; name?: string; args: { name?: string } }[];
  };
  t.is(
    traceEvents.filter((row) => row.ph === 'B').length,
    traceEvents.filter((row) => row.ph === 'E').length,
  );
  t.deepEqual(
    traceEvents.filter((row) => row.ph === 'M').map((row) => row.args.name),
    ['guest', 'hypervisor', 'host', 'device 00:01.0'],
  );
  t.is(traceEvents.find((row) => row.name === 'dma-read')?.ts, 1000);
});

test('qtest gets the accesses in the order of its target, memory before who reads it', (t) => {
  t.deepEqual(exported('qtest').toString().trimEnd().split('\n').slice(1), [
    '# 0 @0 > hcall H_PUT_TCE liobn=0x80000000 ioba=0x1000 tce=0x9003',
    'write 0x5000 0x4 0x00002016',
    'write 0x500c 0x10 0x00000800000000010000000200000004',
    'rtas ibm,read-pci-config 4 0x500c 2 0x501c',
    'writew 0x200080000016 0x201',
    'writew 0x200080000016 0x102',
    'outw 0x10 0x102',
    'inb 0x13',
    'write 0x9010 0x2 0xaabb',
    'clock_step 1000000',
    '# 14 @1024000 > host-input port=0x1 | 60 bytes of 00',
    '# 15 @1024000 > host-input port=0x0 | 60 bytes of 00',
  ]);
});

test('pcapng holds the frames of network ends, padded and timed', (t) => {
  const bytes = exported('pcapng');
  const blocks: { type: number; body: Buffer }[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at + 4);
    t.is(bytes.readUInt32LE(at + length - 4), length);
    t.is(length % 4, 0);
    blocks.push({ type: bytes.readUInt32LE(at), body: bytes.subarray(at + 8, at + length - 4) });
    at += length;
  }
  t.deepEqual(
    blocks.map((block) => block.type),
    [0x0a0d0d0a, 1, 6, 6],
  );
  const frame = blocks[2]?.body ?? Buffer.alloc(0);
  t.is(frame.readUInt32LE(8), 1_000_000, 'nanoseconds of 512,000 ticks');
  t.is(frame.readUInt32LE(12), 61);
  t.is(frame[20 + 60], 60);
});
