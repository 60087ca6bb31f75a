import type { EventKind } from '../emu/core/tap.ts';

/** A row of a recording's own table of kinds: as EventKind, but newer programs may have named kinds we do not know. */
export interface RecordedKind extends Omit<EventKind, 'name'> {
  readonly name: string;
}

/** Bytes up to which payloads are remembered, so that the next of the same kind and length is coded against them. */
export const SHORT_PAYLOAD = 32;
/** Slots of a field: one word pair for the value last seen, one for the difference that led to it. */
const SLOT_WORDS = 4;
const ADDRESS_SLOTS = SHORT_PAYLOAD + 2;
/** Stride of `slotOf`, at least the fields of any kind. */
export const FIELD_STRIDE = 16;
/** Stride of `successor`: more kinds than this no recording names. */
export const KIND_STRIDE = 64;

/** Kinds that continue another's fields: a field of the same name shares its slot. */
const SHARES: Readonly<Record<string, string>> = {
  'hcall-return': 'hcall',
  'mmio-write': 'mmio-read',
  'pio-write': 'pio-read',
};

/**
 * What encoder and decoder both remember while they walk through one chunk (docs/recording-format.md, "What an event
 * is predicted from"). A chunk starts from nothing, so that it can be read without those before it.
 */
export class EventContext {
  readonly kinds: readonly RecordedKind[];
  /** Word index of a field's slot, by `kind * FIELD_STRIDE + field`. */
  readonly slotOf: Uint16Array<ArrayBuffer>;
  /** Which field of a kind is the address kept apart by byte length; 255 if none. */
  readonly addressField: Uint8Array<ArrayBuffer>;
  readonly fieldCount: Uint8Array<ArrayBuffer>;
  readonly carriesBytes: Uint8Array<ArrayBuffer>;
  /** Value (low, high) and last difference (low, high) of every slot. */
  readonly slots: Uint32Array<ArrayBuffer>;
  /** The kind that last followed a pair of kinds, by `previous * KIND_STRIDE + last`. */
  readonly successor: Uint8Array<ArrayBuffer>;
  readonly byteLength: Uint32Array<ArrayBuffer>;
  /** The time step last seen before an event of each kind, in ticks. */
  readonly timeStep: Float64Array<ArrayBuffer>;
  /** The last short payload by kind and length. */
  readonly payloads: Uint8Array<ArrayBuffer>;
  /** `previous * KIND_STRIDE + last` of the two latest events. */
  pair = 0;
  now = 0;

  constructor(kinds: readonly RecordedKind[]) {
    this.kinds = kinds;
    this.slotOf = new Uint16Array(kinds.length * FIELD_STRIDE);
    this.addressField = new Uint8Array(kinds.length).fill(255);
    this.fieldCount = Uint8Array.from(kinds, (kind) => kind.fields.length);
    this.carriesBytes = Uint8Array.from(kinds, (kind) => (kind.carriesBytes ? 1 : 0));
    this.slots = new Uint32Array(this.#layOut() * SLOT_WORDS);
    this.successor = new Uint8Array(KIND_STRIDE * KIND_STRIDE);
    this.byteLength = new Uint32Array(kinds.length);
    this.timeStep = new Float64Array(kinds.length);
    this.payloads = new Uint8Array(kinds.length * (SHORT_PAYLOAD + 1) * SHORT_PAYLOAD);
  }

  /** Forgets everything: the start of a chunk whose first event happens at `now`. */
  reset(now: number): void {
    this.slots.fill(0);
    this.successor.fill(0);
    this.byteLength.fill(0);
    this.timeStep.fill(0);
    this.payloads.fill(0);
    this.pair = 0;
    this.now = now;
  }

  #layOut(): number {
    let next = 0;
    const shared = new Map<string, number>();
    for (const [number, kind] of this.kinds.entries()) {
      const family = SHARES[kind.name] ?? kind.name;
      for (const [index, field] of kind.fields.entries()) {
        const name = `${family}.${field}`;
        let slot = shared.get(name);
        if (slot === undefined) {
          slot = next;
          shared.set(name, slot);
          next += kind.carriesBytes && field === 'address' ? ADDRESS_SLOTS : 1;
        }
        this.slotOf[number * FIELD_STRIDE + index] = slot * SLOT_WORDS;
      }
      if (kind.carriesBytes) this.addressField[number] = kind.fields.indexOf('address') & 255;
    }
    return next;
  }
}

/** How far into an address's slots the payload's length leads, in words. */
export function addressSlot(byteLength: number): number {
  return (byteLength > SHORT_PAYLOAD ? SHORT_PAYLOAD + 1 : byteLength) * SLOT_WORDS;
}
