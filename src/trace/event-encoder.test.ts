// One test holds both directions: whatever stream of events goes in, the same comes out, and the bytes are CBOR that
// an independent decoder reads item by item.
import test from 'ava';
import fc from 'fast-check';
import { prop } from '../_prop.ts';
import { EVENT_KINDS, KIND, MachineEvent } from '../emu/core/tap.ts';
import { decodeSequence } from './codec.ts';
import { addressSlot, EventContext, FIELD_STRIDE } from './event-context.ts';
import { EventDecoder } from './event-decoder.ts';
import { EventEncoder } from './event-encoder.ts';
import { RecordingError } from './recording-error.ts';
import { eventStream, fillEvent, plain, type PlainEvent } from './_events.ts';

function encodeAll(events: readonly PlainEvent[], encoder = new EventEncoder(256)): Uint8Array {
  const event = new MachineEvent();
  encoder.reset(events[0]?.at ?? 0);
  for (const one of events) encoder.encode(fillEvent(event, one));
  return encoder.bytes.slice(0, encoder.length);
}

function decodeAll(bytes: Uint8Array, firstTime: number): PlainEvent[] {
  const decoder = new EventDecoder(EVENT_KINDS);
  const events: PlainEvent[] = [];
  decoder.start(bytes, firstTime);
  while (decoder.next()) events.push(plain(decoder.event));
  return events;
}

prop('any stream of events comes back as it went in', [eventStream], (events) => {
  const back = decodeAll(encodeAll(events), events[0]?.at ?? 0);
  return same(back, events);
});

prop(
  'an encoder that was used before writes the same bytes',
  [eventStream, eventStream],
  (before, events) => {
    const encoder = new EventEncoder();
    encodeAll(before, encoder);
    return Buffer.compare(encodeAll(events, encoder), encodeAll(events)) === 0;
  },
);

prop('an independent CBOR decoder reads the bytes to the end', [eventStream], (events) => {
  const bytes = encodeAll(events);
  const items = decodeSequence(bytes);
  return items.every(
    (item) =>
      typeof item === 'number' || typeof item === 'bigint' || item === true || item instanceof Uint8Array,
  );
});

function same(a: readonly PlainEvent[], b: readonly PlainEvent[]): boolean {
  return fc.stringify(a) === fc.stringify(b);
}

test('a run of H_PUT_TCE costs a few bytes each', (t) => {
  const events: PlainEvent[] = [];
  for (let i = 0; i < 100; i++) {
    const registers = [0x80000000n, BigInt(i) << 12n, 0x100003n + (BigInt(i) << 12n), 0n, 0n, 0n, 0n, 0n, 0n];
    events.push({ kind: KIND['hcall'], at: 0, fields: [0x20n, ...registers], bytes: [] });
    events.push({ kind: KIND['hcall-return'], at: 0, fields: [0n, ...registers], bytes: [] });
  }
  t.true(encodeAll(events).length <= 200 * 3);
});

test('a tagged sector costs its tag', (t) => {
  const tag = [1, 2, 3, 4, 5, 6, 7, 8];
  const bytes = Array.from({ length: 512 }, (_, i) => tag[i % 8] ?? 0);
  const size = encodeAll([{ kind: KIND['dma-write'], at: 0, fields: [8n, 0x1000n], bytes }]).length;
  t.true(size <= 24, `${size} bytes`);
});

prop('bytes from anywhere decode to events or are refused', [fc.uint8Array({ maxLength: 200 })], (bytes) => {
  const decoder = new EventDecoder(EVENT_KINDS);
  decoder.start(bytes, 0);
  try {
    while (decoder.next()) if (decoder.event.byteLength > 1 << 20) return false;
  } catch (error) {
    return error instanceof RecordingError;
  }
  return decoder.atEnd;
});

prop('a stream cut anywhere never reads as the whole one', [eventStream, fc.nat()], (events, cut) => {
  const bytes = encodeAll(events);
  if (bytes.length === 0) return true;
  const length = cut % bytes.length;
  try {
    return decodeAll(bytes.subarray(0, length), events[0]?.at ?? 0).length < events.length;
  } catch (error) {
    return error instanceof RecordingError;
  }
});

test('a hypercall and its return share their registers, addresses go by length', (t) => {
  const context = new EventContext(EVENT_KINDS);
  const slot = (kind: number, field: number): number | undefined =>
    context.slotOf[kind * FIELD_STRIDE + field];
  for (let i = 1; i < 10; i++) t.is(slot(KIND['hcall'], i), slot(KIND['hcall-return'], i));
  t.not(slot(KIND['hcall'], 0), slot(KIND['hcall-return'], 0));
  t.is(slot(KIND['mmio-read'], 0), slot(KIND['mmio-write'], 0));
  t.not(slot(KIND['dma-read'], 1), slot(KIND['dma-write'], 1));
  t.is(addressSlot(33), addressSlot(4096));
  t.not(addressSlot(32), addressSlot(33));
});
