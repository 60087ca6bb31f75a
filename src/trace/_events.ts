import fc from 'fast-check';
import { EVENT_KINDS, type MachineEvent } from '../emu/core/tap.ts';

/** An event as plain data, to compare and print. */
export interface PlainEvent {
  readonly kind: number;
  readonly at: number;
  readonly fields: readonly bigint[];
  readonly bytes: readonly number[];
}

export function plain(event: MachineEvent): PlainEvent {
  return {
    kind: event.kind,
    at: event.at,
    fields: [...event.fields.subarray(0, EVENT_KINDS[event.kind]?.fields.length ?? 0)],
    bytes: [...event.bytes.subarray(event.byteOffset, event.byteOffset + event.byteLength)],
  };
}

export function fillEvent(event: MachineEvent, from: PlainEvent): MachineEvent {
  event.kind = from.kind;
  event.at = from.at;
  event.fields.set(from.fields);
  const bytes = Uint8Array.from([0xee, ...from.bytes, 0xee]);
  event.carry(bytes, 1, from.bytes.length);
  return event;
}

/** Values as guests hand them over: small, near an earlier one, at the edges of 32 and 64 bits, or anything. */
const value = fc.oneof(
  fc.bigInt({ min: 0n, max: 40n }),
  fc.bigInt({ min: 0n, max: 64n }).map((page) => 0x10000000n + (page << 12n)),
  fc.constantFrom(0xffffffffn, 0x100000000n, 0x7fffffffffffffffn, 0x8000000000000000n, 0xffffffffffffffffn),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);

const bytes = fc.oneof(
  fc.array(fc.nat({ max: 3 }), { maxLength: 40 }),
  fc.array(fc.nat({ max: 255 }), { maxLength: 80 }),
  fc
    .tuple(fc.array(fc.nat({ max: 255 }), { minLength: 8, maxLength: 8 }), fc.nat({ max: 600 }))
    .map(([tag, length]) => Array.from({ length }, (_, i) => tag[i % 8] ?? 0)),
);

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  fc.nat({ max: 600 }),
  fc.maxSafeNat().map((n) => n % 2 ** 40),
);

const event = fc.nat({ max: EVENT_KINDS.length - 1 }).chain((kind) => {
  const row = EVENT_KINDS[kind];
  const count = row?.fields.length ?? 0;
  return fc.record({
    kind: fc.constant(kind),
    step,
    fields: fc.array(value, { minLength: count, maxLength: count }),
    bytes: row?.carriesBytes === true ? bytes : fc.constant([]),
  });
});

/** Any stream of events, in the order of time. */
export const eventStream: fc.Arbitrary<PlainEvent[]> = fc
  .tuple(fc.nat({ max: 1000 }), fc.array(event, { maxLength: 60 }))
  .map(([start, steps]) => {
    let at = start;
    return steps.map(({ kind, step: ticks, fields, bytes: carried }) => {
      at += ticks;
      return { kind, at, fields, bytes: carried };
    });
  });
