import type { MachineEvent } from '../emu/core/tap.ts';
import { H_PUT_TCE, H_PUT_TCE_INDIRECT, H_STUFF_TCE, RTAS_TOKEN } from '../emu/papr/abi.ts';
import { deviceAddress } from './device-address.ts';

const TWO_32 = 2 ** 32;
const DEFAULT_SHIFT = 12;
const LIST_MAX = 512;
const PERMISSION = 3;
/** Entries of a H_STUFF_TCE that are set one by one; a longer run of zeros drops the books instead. */
const STUFF_MAX = 0x4_0000;

interface WindowView {
  readonly liobn: number;
  shift: number;
  /** Page on the bus -> guest address of its frame, plus the two permission bits. */
  readonly entries: Map<number, number>;
}

/**
 * Where bus addresses lead, by the guest's own calls: entries put, lists (which the hypervisor reads in sight), stuffed
 * runs, and windows made and taken by RTAS. Which window a function is behind nobody says; addresses of windows do not
 * overlap on a bus, so they are looked up in all.
 */
export class TranslationView {
  readonly #windows: WindowView[] = [];
  readonly #list: Float64Array = new Float64Array(LIST_MAX);
  readonly #permissions: Uint8Array = new Uint8Array(LIST_MAX);
  /** Entries went: whoever watches takes this back. */
  removed = false;
  #listed = 0;
  #token = 0;
  #liobn = 0;
  #bus = 0;
  #tce = 0;
  #count = 0;
  #shiftAsked = 0;
  #rtas = 0;
  /** Of the entry that `resolve` found: 1 the device may read, 2 it may write. */
  permission = 0;

  begin(): void {
    this.#windows.length = 0;
    this.#token = 0;
    this.#rtas = 0;
  }

  /** Guest address behind a device's address (as `deviceAddress` has it); -1 if no entry is known. Sets `permission`. */
  resolve(bus: number): number {
    this.permission = 0;
    if (bus < 0) return -1;
    for (const window of this.#windows) {
      const bytes = 2 ** window.shift;
      const page = Math.floor(bus / bytes);
      const entry = window.entries.get(page);
      if (entry === undefined) continue;
      this.permission = entry & PERMISSION;
      return entry - this.permission + (bus - page * bytes);
    }
    return -1;
  }

  hcall(event: MachineEvent): void {
    const { words } = event;
    const token = words[0] ?? 0;
    this.#token = 0;
    if (token !== H_PUT_TCE && token !== H_PUT_TCE_INDIRECT && token !== H_STUFF_TCE) return;
    this.#token = token;
    this.#liobn = words[2] ?? 0;
    this.#bus = deviceAddress(words[5] ?? 0, words[4] ?? 0);
    this.#tce = (words[7] ?? 0) * TWO_32 + (words[6] ?? 0);
    this.#count = (words[9] ?? 0) === 0 ? (words[8] ?? 0) : 0;
    this.#listed = 0;
  }

  /** The list of a H_PUT_TCE_INDIRECT, as it is read. */
  hypervisorRead(event: MachineEvent): void {
    if (this.#token !== H_PUT_TCE_INDIRECT) return;
    for (let i = 0; i + 8 <= event.byteLength && this.#listed < LIST_MAX; i += 8) {
      const at = event.byteOffset + i;
      this.#list[this.#listed] = bigWord(event.bytes, at) * TWO_32 + bigWord(event.bytes, at + 4);
      this.#permissions[this.#listed++] = (event.bytes[at + 7] ?? 0) & PERMISSION;
    }
  }

  hcallReturn(event: MachineEvent): void {
    const token = this.#token;
    this.#token = 0;
    if (token === 0) return;
    const succeeded = (event.words[0] ?? 0) === 0 && (event.words[1] ?? 0) === 0;
    const window = this.#window(this.#liobn);
    const page = Math.floor(this.#bus / 2 ** window.shift);
    // A list that ends in an error has been used up to there: its entries so far count.
    if (token === H_PUT_TCE_INDIRECT) {
      for (let i = 0; i < this.#listed; i++)
        this.#put(window, page + i, this.#list[i] ?? 0, this.#permissions[i] ?? 0);
    } else if (!succeeded) return;
    else if (token === H_PUT_TCE) this.#put(window, page, this.#tce, this.#tce % 4);
    else this.#stuff(window, page);
  }

  #stuff(window: WindowView, page: number): void {
    const permission = this.#tce % 4;
    if (permission === 0 && window.entries.size === 0) return;
    if (this.#count > STUFF_MAX) {
      window.entries.clear();
      this.removed = true;
      return;
    }
    for (let i = 0; i < this.#count; i++) this.#put(window, page + i, this.#tce, permission);
  }

  #put(window: WindowView, page: number, tce: number, permission: number): void {
    if (permission === 0) this.removed = window.entries.delete(page) || this.removed;
    else window.entries.set(page, tce - (tce % 2 ** Math.min(window.shift, DEFAULT_SHIFT)) + permission);
  }

  rtas(event: MachineEvent): void {
    this.#rtas = event.words[0] ?? 0;
    const argument = (index: number): number => event.words[2 * (3 + index)] ?? 0;
    if (this.#rtas === RTAS_TOKEN['ibm,create-pe-dma-window']) this.#shiftAsked = argument(3);
    if (this.#rtas === RTAS_TOKEN['ibm,remove-pe-dma-window']) this.#bus = argument(0);
    if (this.#rtas === RTAS_TOKEN['ibm,reset-pe-dma-window']) this.#bus = 0;
  }

  rtasReturn(event: MachineEvent): void {
    const token = this.#rtas;
    this.#rtas = 0;
    const result = (index: number): number => event.words[2 * (1 + index)] ?? 0;
    if (token === 0 || result(0) !== 0) return;
    if (token === RTAS_TOKEN['ibm,create-pe-dma-window']) {
      const window = this.#window(result(1));
      window.shift = this.#shiftAsked;
      window.entries.clear();
    } else if (token === RTAS_TOKEN['ibm,remove-pe-dma-window']) {
      this.#window(this.#bus).entries.clear();
      this.removed = true;
    } else if (token === RTAS_TOKEN['ibm,reset-pe-dma-window']) {
      for (const window of this.#windows) window.entries.clear();
      this.removed = true;
    }
  }

  #window(liobn: number): WindowView {
    for (const window of this.#windows) if (window.liobn === liobn) return window;
    const made = { liobn, shift: DEFAULT_SHIFT, entries: new Map<number, number>() };
    this.#windows.push(made);
    return made;
  }
}

function bigWord(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}
