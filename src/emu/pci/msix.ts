import { assert } from '../core/assert.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import { RegionContainer, type AccessRules, type Region } from '../memory/region.ts';
import {
  PCI_CAP_ID_MSIX,
  PCI_MSIX_CAP_LENGTH,
  PCI_MSIX_ENTRY_CTRL_MASKBIT,
  PCI_MSIX_ENTRY_DATA,
  PCI_MSIX_ENTRY_SIZE,
  PCI_MSIX_ENTRY_VECTOR_CTRL,
  PCI_MSIX_FLAGS,
  PCI_MSIX_FLAGS_ENABLE,
  PCI_MSIX_FLAGS_MASKALL,
  PCI_MSIX_PBA,
  PCI_MSIX_TABLE,
} from './abi.ts';
import type { ConfigSpace } from './config-space.ts';

/** Table and pending bits take 4 and 8 bytes; narrower accesses are refused. */
const MSIX_ACCESS: AccessRules = { validMin: 4, validMax: 8, validUnaligned: false, implMin: 1, implMax: 4 };
/** An own BAR holds the table in its lower half and the pending bits in its upper one, while they fit. */
const SMALL_BAR = 4096;
const ENABLE_BYTE = PCI_MSIX_FLAGS + 1;
const ENABLE = PCI_MSIX_FLAGS_ENABLE >> 8;
const MASKALL = PCI_MSIX_FLAGS_MASKALL >> 8;

/** Sends what an unmasked vector's table entry says. */
export type SendMessage = (address: bigint, data: number) => void;

/** MSI-X with a BAR of its own, as QEMU's msix_init_exclusive_bar lays it out (hw/pci/msix.c). */
export class Msix implements Stateful {
  readonly vectors: number;
  /** Table and pending bits, to be registered as a BAR. */
  readonly bar: Region;
  /** Offset of the capability. */
  readonly capability: number;
  readonly #config: ConfigSpace;
  readonly #table: Uint8Array<ArrayBuffer>;
  readonly #tableView: DataView<ArrayBuffer>;
  readonly #pending: Uint8Array<ArrayBuffer>;
  /** How many virtio registers name a vector; a vector that none names sends nothing. */
  readonly #users: Uint16Array<ArrayBuffer>;
  readonly #send: SendMessage;
  #functionMasked = true;

  constructor(config: ConfigSpace, vectors: number, barIndex: number, barName: string, send: SendMessage) {
    this.vectors = vectors;
    this.#config = config;
    this.#send = send;
    const tableBytes = vectors * PCI_MSIX_ENTRY_SIZE;
    const pendingBytes = 8 * Math.ceil(vectors / 64);
    this.#table = new Uint8Array(tableBytes);
    this.#tableView = new DataView(this.#table.buffer);
    this.#pending = new Uint8Array(pendingBytes);
    this.#users = new Uint16Array(vectors);
    const pendingOffset = Math.max(SMALL_BAR / 2, tableBytes);
    this.bar = new RegionContainer(barName, pow2ceil(Math.max(SMALL_BAR, pendingOffset + pendingBytes)), [
      { offset: 0, region: this.#tableRegion() },
      { offset: pendingOffset, region: this.#pendingRegion() },
    ]);
    const at = config.addCapability(PCI_CAP_ID_MSIX, PCI_MSIX_CAP_LENGTH);
    this.capability = at;
    config.set(at + PCI_MSIX_FLAGS, 2, vectors - 1);
    config.set(at + PCI_MSIX_TABLE, 4, barIndex);
    config.set(at + PCI_MSIX_PBA, 4, pendingOffset | barIndex);
    config.allow(at + ENABLE_BYTE, 1, ENABLE | MASKALL);
    this.#maskAll();
  }

  get enabled(): boolean {
    return ((this.#config.bytes[this.capability + ENABLE_BYTE] ?? 0) & ENABLE) !== 0;
  }

  /** Whether a configuration write touches enable and function mask. */
  covers(offset: number, width: number): boolean {
    const at = this.capability + ENABLE_BYTE;
    return at >= offset && at < offset + width;
  }

  /** After such a write: unmasking the function sends what is pending. */
  configChanged(): void {
    const before = this.#functionMasked;
    this.#updateFunctionMask();
    if (!this.enabled || before === this.#functionMasked) return;
    for (let vector = 0; vector < this.vectors; vector++) {
      this.#maskChanged(vector, before || this.#entryMasked(vector));
    }
  }

  use(vector: number): void {
    this.#users[vector] = (this.#users[vector] ?? 0) + 1;
  }

  /** One name less; the last one gone, a pending bit goes with it. */
  release(vector: number): void {
    const users = this.#users[vector] ?? 0;
    if (users === 0) return;
    this.#users[vector] = users - 1;
    if (users === 1) this.#setPending(vector, false);
  }

  releaseAll(): void {
    this.#users.fill(0);
    for (let vector = 0; vector < this.vectors; vector++) this.#setPending(vector, false);
  }

  /** The device's interrupt: a message, or a pending bit while masked. */
  notify(vector: number): void {
    assert(vector < this.vectors, 'a vector register holds a vector of the table or none');
    if (this.#users[vector] === 0) return;
    if (this.#isMasked(vector)) {
      this.#setPending(vector, true);
      return;
    }
    const entry = vector * PCI_MSIX_ENTRY_SIZE;
    this.#send(
      this.#tableView.getBigUint64(entry, true),
      this.#tableView.getUint32(entry + PCI_MSIX_ENTRY_DATA, true),
    );
  }

  /** The hypervisor programs an entry: address, data, unmasked. Nothing pending is sent (QEMU's msix_set_message). */
  setMessage(vector: number, address: bigint, data: number): void {
    if (vector >= this.vectors) return;
    const entry = vector * PCI_MSIX_ENTRY_SIZE;
    this.#tableView.setBigUint64(entry, address, true);
    this.#tableView.setUint32(entry + PCI_MSIX_ENTRY_DATA, data, true);
    const control = entry + PCI_MSIX_ENTRY_VECTOR_CTRL;
    this.#table[control] = (this.#table[control] ?? 0) & ~PCI_MSIX_ENTRY_CTRL_MASKBIT;
  }

  reset(): void {
    const at = this.capability + ENABLE_BYTE;
    this.#config.bytes[at] = (this.#config.bytes[at] ?? 0) & ~(ENABLE | MASKALL);
    this.#table.fill(0);
    this.#pending.fill(0);
    // QEMU does not recompute the function mask here; a write to the capability will.
    this.#maskAll();
  }

  exchange(state: StateStream): void {
    state.bytes(this.#table);
    state.bytes(this.#pending);
    for (let vector = 0; vector < this.vectors; vector++) {
      this.#users[vector] = state.u16(this.#users[vector] ?? 0);
    }
    this.#functionMasked = state.bool(this.#functionMasked);
  }

  #tableRegion(): Region {
    return {
      name: 'msix-table',
      size: this.#table.length,
      access: MSIX_ACCESS,
      read: (offset) => this.#tableView.getUint32(offset, true),
      write: (offset, _width, value) => this.#writeTable(offset, value),
    };
  }

  #pendingRegion(): Region {
    const view = new DataView(this.#pending.buffer);
    return {
      name: 'msix-pba',
      size: this.#pending.length,
      access: MSIX_ACCESS,
      read: (offset) => view.getUint32(offset, true),
      write: () => undefined,
    };
  }

  #writeTable(offset: number, value: number): void {
    const vector = Math.floor(offset / PCI_MSIX_ENTRY_SIZE);
    const wasMasked = this.#isMasked(vector);
    this.#tableView.setUint32(offset, value, true);
    this.#maskChanged(vector, wasMasked);
  }

  #maskChanged(vector: number, wasMasked: boolean): void {
    if (this.#isMasked(vector) || !wasMasked) return;
    if (((this.#pending[vector >> 3] ?? 0) & (1 << (vector & 7))) === 0) return;
    this.#setPending(vector, false);
    this.notify(vector);
  }

  #updateFunctionMask(): void {
    const control = this.#config.bytes[this.capability + ENABLE_BYTE] ?? 0;
    this.#functionMasked = (control & ENABLE) === 0 || (control & MASKALL) !== 0;
  }

  #isMasked(vector: number): boolean {
    return this.#functionMasked || this.#entryMasked(vector);
  }

  #entryMasked(vector: number): boolean {
    const control = this.#table[vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL] ?? 0;
    return (control & PCI_MSIX_ENTRY_CTRL_MASKBIT) !== 0;
  }

  #setPending(vector: number, pending: boolean): void {
    const bit = 1 << (vector & 7);
    const byte = this.#pending[vector >> 3] ?? 0;
    this.#pending[vector >> 3] = pending ? byte | bit : byte & ~bit;
  }

  #maskAll(): void {
    for (let vector = 0; vector < this.vectors; vector++) {
      const control = vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL;
      this.#table[control] = (this.#table[control] ?? 0) | PCI_MSIX_ENTRY_CTRL_MASKBIT;
    }
  }
}

/** The smallest power of two that is not below `value`. */
export function pow2ceil(value: number): number {
  let power = 1;
  while (power < value) power *= 2;
  return power;
}
