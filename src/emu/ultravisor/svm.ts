import { IV_BYTES, TAG_BYTES } from '../core/crypto.ts';
import type { StateStream } from '../core/state.ts';
import type { HostRam } from '../memory/host-ram.ts';
import { PAGE_BYTES, type PagedMemory } from '../memory/guest-memory.ts';
import { FRAME_BYTES, FRAME_SHIFT, HOST_RAM_AT, SLOTS_MAX } from './abi.ts';
import { SECURE, VM_NONE } from './page-state.ts';

/** What a frame's entry in the guest's own translation leads to. */
export const MAPS_SECURE = 0;
/** Not present: an access faults into the ultravisor. */
export const MAPS_NOTHING = 1;
/** A page of the hypervisor's. */
export const MAPS_NORMAL = 2;

/** AES-128. */
const KEY_BYTES = 16;
/** What is kept of a page that went out: IV, then tag. */
const RECORD_BYTES: number = IV_BYTES + TAG_BYTES;

/** A range of guest-physical addresses that the hypervisor registered. */
interface MemorySlot {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly flags: bigint;
}

/** Hears of every change of state. */
export interface StateWitness {
  pageState(gfn: number, from: number, to: number): void;
  vmState(from: number, to: number): void;
}

/**
 * What the ultravisor keeps of the one guest that it can make secure: its slots, the state of each frame, where each
 * frame's translation leads, and its secure memory. A frame's secure page stands at the frame's own offset in `store`.
 */
export class Svm {
  readonly frames: number;
  /** Bytes of the guest in secure memory: where they are born, and where alone they are plain. */
  readonly store: PagedMemory;
  readonly ram: HostRam;
  readonly states: Uint8Array;
  readonly maps: Uint8Array;
  /** The hypervisor's page that belongs to a shared frame, as an offset into `ram`; -1 is none. */
  readonly pages: Int32Array;
  readonly key: Uint8Array = new Uint8Array(KEY_BYTES);
  readonly ivFixed: Uint8Array = new Uint8Array(4);
  lpid = 0;
  keyed = false;
  ivCounter = 0n;
  /** Bytes of secure memory that slots have reserved. */
  reserved = 0;
  readonly #witness: StateWitness;
  readonly #slots: Map<number, MemorySlot> = new Map();
  readonly #records: Map<number, Uint8Array> = new Map();
  #state = VM_NONE;

  constructor(store: PagedMemory, ram: HostRam, witness: StateWitness) {
    this.store = store;
    this.ram = ram;
    this.frames = store.size / FRAME_BYTES;
    this.states = new Uint8Array(this.frames);
    this.maps = new Uint8Array(this.frames).fill(MAPS_NOTHING);
    this.pages = new Int32Array(this.frames).fill(-1);
    this.#witness = witness;
  }

  get state(): number {
    return this.#state;
  }

  set state(to: number) {
    const from = this.#state;
    this.#state = to;
    if (from !== to) this.#witness.vmState(from, to);
  }

  stateOf(gfn: number): number {
    return this.states[gfn] ?? SECURE;
  }

  /** Moves a frame on. */
  enter(gfn: number, to: number): void {
    const from = this.states[gfn] ?? SECURE;
    this.states[gfn] = to;
    if (from !== to) this.#witness.pageState(gfn, from, to);
  }

  /** The hypervisor's page of a frame as an offset into RAM; -1 is none. */
  pageOf(gfn: number): number {
    return this.pages[gfn] ?? -1;
  }

  // --- Slots ----------------------------------------------------------------------------------------------------

  get slots(): ReadonlyMap<number, MemorySlot> {
    return this.#slots;
  }

  inSlot(gpa: number): boolean {
    for (const slot of this.#slots.values()) if (gpa >= slot.from && gpa < slot.to) return true;
    return false;
  }

  /** Whether every frame of the range lies in some slot. */
  rangeInSlots(gfn: bigint, count: bigint): boolean {
    if (count <= 0n || gfn < 0n || gfn + count > BigInt(this.frames)) return false;
    const first = Number(gfn);
    for (let frame = first; frame < first + Number(count); frame++) {
      if (!this.inSlot(frame * FRAME_BYTES)) return false;
    }
    return true;
  }

  overlaps(id: number, from: number, to: number): boolean {
    for (const slot of this.#slots.values()) {
      if (slot.id !== id && from < slot.to && to > slot.from) return true;
    }
    return false;
  }

  /** All frames of the slot are backed by zeroed secure memory at once. */
  addSlot(id: number, from: number, to: number, flags: bigint): void {
    // Outside slots the store is zero already.
    this.#slots.set(id, { id, from, to, flags });
    for (let gfn = from >>> FRAME_SHIFT; gfn < to / FRAME_BYTES; gfn++) {
      this.maps[gfn] = MAPS_SECURE;
      this.pages[gfn] = -1;
    }
    this.reserved += to - from;
  }

  dropSlot(id: number): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    for (let gfn = slot.from / FRAME_BYTES; gfn < slot.to / FRAME_BYTES; gfn++) {
      this.enter(gfn, SECURE);
      this.#forget(gfn);
      this.maps[gfn] = MAPS_NOTHING;
    }
    this.reserved -= slot.to - slot.from;
    this.#slots.delete(id);
    if (this.#slots.size === 0) this.store.clear();
    else this.#zero(slot.from, slot.to);
  }

  #zero(from: number, to: number): void {
    for (const page of this.store.livePages()) {
      const at = page * PAGE_BYTES;
      if (at >= from && at < to) this.store.fill(at, 0, PAGE_BYTES);
    }
  }

  // --- Pages out --------------------------------------------------------------------------------------------------

  record(gfn: number): Uint8Array | undefined {
    return this.#records.get(gfn);
  }

  keepRecord(gfn: number, record: Uint8Array): void {
    this.#records.set(gfn, record);
  }

  /** The record of a page that went out is gone: nothing that comes back can be believed any more. */
  #forget(gfn: number): void {
    this.#records.delete(gfn);
    this.pages[gfn] = -1;
  }

  dropRecord(gfn: number): void {
    this.#records.delete(gfn);
  }

  /** The next 12 bytes that no page of this guest was encrypted with before. */
  nextIv(): Uint8Array {
    const iv = new Uint8Array(IV_BYTES);
    iv.set(this.ivFixed);
    new DataView(iv.buffer).setBigUint64(4, this.ivCounter);
    this.ivCounter++;
    return iv;
  }

  // --- The whole guest --------------------------------------------------------------------------------------------

  clear(): void {
    for (const id of this.#slots.keys()) this.dropSlot(id);
    this.state = VM_NONE;
    this.lpid = 0;
    this.keyed = false;
    this.key.fill(0);
    this.ivFixed.fill(0);
    this.ivCounter = 0n;
  }

  exchange(state: StateStream): void {
    this.#state = state.u8(this.#state);
    this.lpid = state.integer(this.lpid);
    state.bytes(this.states);
    state.bytes(this.maps);
    state.bytes(new Uint8Array(this.pages.buffer));
    this.keyed = state.bool(this.keyed);
    state.bytes(this.key);
    state.bytes(this.ivFixed);
    this.ivCounter = state.u64(this.ivCounter);
    this.reserved = state.integer(this.reserved);
    this.#exchangeSlots(state);
    this.#exchangeRecords(state);
  }

  #exchangeSlots(state: StateStream): void {
    const slots = [...this.#slots.values()].toSorted((a, b) => a.id - b.id);
    const count = state.u16(slots.length);
    if (state.restoring) this.#slots.clear();
    for (let i = 0; i < count; i++) {
      const { id, from, to, flags } = slots[i] ?? NO_SLOT;
      const read = {
        id: state.u16(id),
        from: state.integer(from),
        to: state.integer(to),
        flags: state.u64(flags),
      };
      if (state.restoring) this.#slots.set(read.id, read);
    }
  }

  #exchangeRecords(state: StateStream): void {
    const out = [...this.#records].toSorted(([a], [b]) => a - b);
    const count = state.u32(out.length);
    if (state.restoring) this.#records.clear();
    for (let i = 0; i < count; i++) {
      const [gfn, kept] = out[i] ?? [0, new Uint8Array(RECORD_BYTES)];
      const record = state.restoring ? new Uint8Array(RECORD_BYTES) : kept;
      const which = state.u32(gfn);
      state.bytes(record);
      if (state.restoring) this.#records.set(which, record);
    }
  }
}

const NO_SLOT: MemorySlot = { id: 0, from: 0, to: 0, flags: 0n };

export function slotIdFits(id: number): boolean {
  return id < SLOTS_MAX;
}

/** The page of guest RAM at a real address of the hypervisor, as an offset; -1 where the host keeps none of that. */
export function ramOffset(realAddress: bigint, ramBytes: number): number {
  const offset = realAddress - BigInt(HOST_RAM_AT);
  return offset >= 0n && offset + BigInt(FRAME_BYTES) <= BigInt(ramBytes)
    ? Number(offset) - (Number(offset) % FRAME_BYTES)
    : -1;
}
