/**
 * G1, second half: behind an IOMMU an access takes effect only where a TCE of a window allows it.
 *
 * The books are the guest's own calls: H_PUT_TCE, H_PUT_TCE_INDIRECT (whose list the hypervisor reads in sight),
 * H_STUFF_TCE, and the RTAS calls that make and take windows. Of each entry only the two permission bits are kept.
 */
import { KIND, type MachineEvent } from '../../emu/core/tap.ts';
import { addressText, type Ground, type Watcher } from './invariant.ts';

const HCALL = KIND['hcall'];
const HCALL_RETURN = KIND['hcall-return'];
const RTAS = KIND['rtas'];
const RTAS_RETURN = KIND['rtas-return'];
const HYPERVISOR_READ = KIND['hypervisor-read'];
const DMA_READ = KIND['dma-read'];
const DMA_WRITE = KIND['dma-write'];
const DMA_FAULT = KIND['dma-fault'];
const MACHINE_RESET = KIND['machine-reset'];

const H_PUT_TCE = 0x20;
const H_STUFF_TCE = 0x138;
const H_PUT_TCE_INDIRECT = 0x13c;
const TWO_32 = 2 ** 32;
const WINDOWS = 2;
const LIOBN = 0x8000_0000;
/** Entries of the default window: 1 GiB of 4 KiB pages (QEMU spapr_phb_properties). */
const DEFAULT_ENTRIES = 0x4_0000;
const DEFAULT_SHIFT = 12;
/** Windows with more entries than this are not followed. */
const ENTRIES_MAX = 1 << 19;
const FAULTS_MAX = 256;
const READ = 1;
const WRITE = 2;

export class TranslationInvariant implements Watcher {
  breach = '';
  #ground: Ground | undefined;
  #tracking = true;
  #lost = false;
  readonly #tables: readonly Uint8Array[] = [new Uint8Array(ENTRIES_MAX), new Uint8Array(ENTRIES_MAX)];
  readonly #entries: Float64Array = new Float64Array(WINDOWS);
  readonly #shift: Uint8Array = new Uint8Array(WINDOWS);
  readonly #baseHigh: Uint32Array = new Uint32Array(WINDOWS);
  // What of each table may be set, so that clearing costs what was used.
  readonly #from: Uint32Array = new Uint32Array(WINDOWS);
  readonly #to: Uint32Array = new Uint32Array(WINDOWS);
  #token = 0;
  #liobn = 0;
  #page = 0;
  #permission = 0;
  #count = 0;
  #done = 0;
  #rtas = 0;
  #removed = 0;
  #shiftAsked = 0;
  #windowAsked = 0;
  #faults = 0;
  readonly #faultLow: Uint32Array = new Uint32Array(FAULTS_MAX);
  readonly #faultLength: Uint32Array = new Uint32Array(FAULTS_MAX);

  begin(ground: Ground): void {
    this.#ground = ground;
    this.breach = '';
    this.#lost = false;
    this.#restoreDefault();
  }

  loseTrack(): void {
    this.#lost = true;
  }

  regainTrack(): void {
    this.#lost = false;
  }

  take(event: MachineEvent): void {
    if (this.#ground?.iommuPlatform !== true) return;
    const kind = event.kind;
    if (kind === DMA_READ) this.#access(event, READ);
    else if (kind === DMA_WRITE) this.#access(event, WRITE);
    else if (kind === DMA_FAULT) this.#fault(event);
    else if (kind === HCALL) this.#call(event);
    else if (kind === HCALL_RETURN) this.#returned(event);
    else if (kind === HYPERVISOR_READ) this.#listed(event);
    else if (kind === RTAS) this.#asked(event);
    else if (kind === RTAS_RETURN) this.#answered(event);
    else if (kind === MACHINE_RESET) this.#restoreDefault();
  }

  // --- The guest's calls ----------------------------------------------------------------------------------------

  #call(event: MachineEvent): void {
    const words = event.words;
    this.#token = words[0] ?? 0;
    if ((words[1] ?? 0) !== 0 || (words[3] ?? 0) !== 0) this.#token = 0;
    this.#liobn = words[2] ?? 0;
    const window = this.#window();
    if (window < 0) return;
    this.#page = this.#pageOf(window, words[5] ?? 0, words[4] ?? 0);
    this.#permission = (words[6] ?? 0) & 3;
    this.#count = this.#token === H_PUT_TCE ? 1 : (words[9] ?? 0) === 0 ? (words[8] ?? 0) : 0;
    this.#done = 0;
  }

  /** Entries of a list go in as the hypervisor reads them, for a list that ends in an error has been used in part. */
  #listed(event: MachineEvent): void {
    if (this.#token !== H_PUT_TCE_INDIRECT || event.byteLength % 8 !== 0) return;
    const window = this.#window();
    if (window < 0) return;
    for (let i = 0; i < event.byteLength; i += 8) {
      this.#store(window, this.#page + this.#done++, (event.bytes[event.byteOffset + i + 7] ?? 0) & 3);
    }
  }

  #returned(event: MachineEvent): void {
    const window = this.#window();
    const token = this.#token;
    this.#token = 0;
    if (window < 0) return;
    const succeeded = (event.words[0] ?? 0) === 0;
    if (token === H_PUT_TCE && succeeded) this.#store(window, this.#page, this.#permission);
    else if (token === H_STUFF_TCE) this.#stuff(window, succeeded);
    else if (token === H_PUT_TCE_INDIRECT && succeeded && this.#done < this.#count) {
      // A list outside RAM reads as zeros, and out of sight.
      for (let i = this.#done; i < this.#count; i++) this.#store(window, this.#page + i, 0);
    }
  }

  #stuff(window: number, succeeded: boolean): void {
    const entries = this.#entries[window] ?? 0;
    if (this.#count > entries || (!succeeded && this.#page >= entries)) return;
    const end = Math.min(entries, this.#page + this.#count);
    if (this.#page >= end) return;
    this.#tables[window]?.fill(this.#permission, this.#page, end);
    this.#touch(window, this.#page, end);
  }

  #asked(event: MachineEvent): void {
    this.#rtas = event.words[0] ?? 0;
    this.#removed = event.words[6] ?? 0;
    this.#shiftAsked = event.words[12] ?? 0;
    this.#windowAsked = event.words[14] ?? 0;
  }

  #answered(event: MachineEvent): void {
    const ground = this.#ground;
    const token = this.#rtas;
    this.#rtas = 0;
    if (ground === undefined || token === 0 || (event.words[2] ?? 0) !== 0) return;
    if (token === ground.resetWindow) this.#restoreDefault();
    else if (token === ground.removeWindow) this.#remove(this.#removed - LIOBN);
    else if (token === ground.createWindow) {
      const window = (event.words[4] ?? 0) - LIOBN;
      const entries = 2 ** (this.#windowAsked - this.#shiftAsked);
      if (window < 0 || window >= WINDOWS || entries > ENTRIES_MAX || this.#shiftAsked > 31) {
        this.#tracking = false;
        return;
      }
      this.#open(window, event.words[6] ?? 0, this.#shiftAsked, entries);
    }
  }

  /** The last window that goes leaves the default one behind, unless it was the default one (tce.md 3.3). */
  #remove(window: number): void {
    if (window < 0 || window >= WINDOWS) return;
    this.#clear(window);
    this.#entries[window] = 0;
    if (window !== 0 && this.#entries[0] === 0 && this.#entries[1] === 0) this.#restoreDefault();
  }

  #restoreDefault(): void {
    this.#tracking = true;
    this.#token = 0;
    this.#rtas = 0;
    this.#faults = 0;
    this.#open(0, 0, DEFAULT_SHIFT, DEFAULT_ENTRIES);
    this.#clear(1);
    this.#entries[1] = 0;
  }

  #open(window: number, baseHigh: number, shift: number, entries: number): void {
    this.#clear(window);
    this.#baseHigh[window] = baseHigh;
    this.#shift[window] = shift;
    this.#entries[window] = entries;
  }

  #clear(window: number): void {
    this.#tables[window]?.fill(0, this.#from[window] ?? 0, this.#to[window] ?? 0);
    this.#from[window] = ENTRIES_MAX;
    this.#to[window] = 0;
  }

  #store(window: number, page: number, permission: number): void {
    const table = this.#tables[window];
    if (table === undefined || page >= (this.#entries[window] ?? 0)) return;
    table[page] = permission;
    this.#touch(window, page, page + 1);
  }

  #touch(window: number, from: number, to: number): void {
    if (from < (this.#from[window] ?? 0)) this.#from[window] = from;
    if (to > (this.#to[window] ?? 0)) this.#to[window] = to;
  }

  #window(): number {
    const window = this.#liobn - LIOBN;
    const known =
      this.#token === H_PUT_TCE || this.#token === H_STUFF_TCE || this.#token === H_PUT_TCE_INDIRECT;
    return known && (window === 0 || window === 1) ? window : -1;
  }

  /** Entry of a bus address in a window; Infinity outside it. */
  #pageOf(window: number, high: number, low: number): number {
    const over = high - (this.#baseHigh[window] ?? 0);
    if (over < 0 || over >= 2 ** 20) return Number.POSITIVE_INFINITY;
    const page = Math.floor((over * TWO_32 + low) / 2 ** (this.#shift[window] ?? 0));
    return page < (this.#entries[window] ?? 0) ? page : Number.POSITIVE_INFINITY;
  }

  // --- The device's accesses ------------------------------------------------------------------------------------

  /** Faults come before the access they are part of. */
  #fault(event: MachineEvent): void {
    if ((event.words[0] ?? 0) !== this.#ground?.requester) return;
    if (this.#faults === FAULTS_MAX) this.#faults = 0;
    this.#faultLow[this.#faults] = event.words[2] ?? 0;
    this.#faultLength[this.#faults] = event.words[4] ?? 0;
    this.#faults++;
  }

  #access(event: MachineEvent, need: number): void {
    if ((event.words[0] ?? 0) !== this.#ground?.requester) return;
    const high = event.words[3] ?? 0;
    const low = event.words[2] ?? 0;
    const end = low + event.byteLength;
    if (!this.#tracking || this.#lost || this.breach !== '' || (high === 0x400 && low < 0x1000)) {
      this.#faults = 0;
      return;
    }
    if (high === 0 && this.#isPlain(low, end, need)) {
      this.#faults = 0;
      return;
    }
    let at = low;
    while (at < end) {
      // Addresses end at 2^64 and begin again.
      const wraps = high === 0xffff_ffff && at >= TWO_32;
      const [pageHigh, pageLow] = wraps ? [0, at - TWO_32] : [high, at];
      const window = this.#windowOf(pageHigh, pageLow);
      const pageBytes = 2 ** (window < 0 ? DEFAULT_SHIFT : (this.#shift[window] ?? DEFAULT_SHIFT));
      const next = Math.min(end, (Math.floor(at / pageBytes) + 1) * pageBytes);
      const permission =
        window < 0 ? 0 : (this.#tables[window]?.[this.#pageOf(window, pageHigh, pageLow)] ?? 0);
      if ((permission & need) === 0 && !this.#faulted(at, next)) {
        this.breach = `the device ${need === READ ? 'read from' : 'wrote to'} ${addressText(high, at)} through a TCE that gives it ${permission === 0 ? 'nothing' : `permission ${permission}`}`;
        return;
      }
      at = next;
    }
    this.#faults = 0;
  }

  /** Nearly every access: inside one page of the default window, alone on the bus, and allowed. */
  #isPlain(low: number, end: number, need: number): boolean {
    if (this.#entries[1] !== 0 || this.#shift[0] !== DEFAULT_SHIFT || this.#baseHigh[0] !== 0) return false;
    const page = low >>> DEFAULT_SHIFT;
    if (page !== (end - 1) >>> DEFAULT_SHIFT || page >= (this.#entries[0] ?? 0)) return false;
    return ((this.#tables[0]?.[page] ?? 0) & need) !== 0;
  }

  #windowOf(high: number, low: number): number {
    for (let window = WINDOWS - 1; window >= 0; window--) {
      if ((this.#entries[window] ?? 0) > 0 && this.#pageOf(window, high, low) !== Number.POSITIVE_INFINITY) {
        return window;
      }
    }
    return -1;
  }

  #faulted(from: number, to: number): boolean {
    for (let i = 0; i < this.#faults; i++) {
      const start = this.#faultLow[i] ?? 0;
      if (start <= from && to <= start + (this.#faultLength[i] ?? 0)) return true;
    }
    return false;
  }
}
