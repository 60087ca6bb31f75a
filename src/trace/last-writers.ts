import type { MachineEvent } from '../emu/core/tap.ts';
import { DDW_PAGE_SIZES, H_PUT_TCE, H_PUT_TCE_INDIRECT, H_STUFF_TCE, H_SUCCESS } from '../emu/papr/abi.ts';
import type { RecordedKind } from './event-context.ts';
import { rtasName } from './names.ts';
import { RTAS_HEADER_BYTES, rtasAddress, rtasResultBytes } from './rtas-buffer.ts';

/** The event that last wrote somewhere. */
export interface Writer {
  readonly event: number;
  readonly what: string;
}

const PUT_TCE = BigInt(H_PUT_TCE);
const PUT_TCE_INDIRECT = BigInt(H_PUT_TCE_INDIRECT);
const STUFF_TCE = BigInt(H_STUFF_TCE);
const PAGE = 4096n;
const PERMISSIONS = 3n;
/** Equal entries of one H_STUFF_TCE that are followed at most; entries that map nothing are all followed. */
const STUFF_PAGES_MAX = 1 << 16;
/** Pages of a host bridge's own window; others say theirs when they are created. */
const DEFAULT_SHIFT = 12n;
/** Page sizes that windows can be created with. */
const PAGE_SHIFTS = DDW_PAGE_SIZES.map((size) => BigInt(size.shift));
const GRANULES = 512;
const WRITES = ['dma-write', 'hypervisor-write', 'guest-write', 'rtas-return', 'discard'];
const WRITE_KINDS = 8;

/** A DMA window as the guest was seen to fill it. */
interface Window {
  readonly shift: bigint;
  /** By I/O page number, counted from bus address 0. */
  readonly tces: Map<bigint, bigint>;
}

/**
 * Which recorded event last wrote each 8-byte granule of memory. Devices speak I/O bus addresses; the TCEs that the
 * guest was seen to put say where in RAM those lie, so that a write by one way is found by the other.
 */
export class LastWriters {
  readonly #names: readonly string[];
  readonly #memory = new WrittenPages();
  /** Writes through devices, by the address that the device used. */
  readonly #bus = new WrittenPages();
  /** By liobn. */
  readonly #windows = new Map<bigint, Window>();
  readonly #registers = new Map<bigint, Writer>();
  #call: readonly bigint[] = [];
  /** Where the arguments of the RTAS call under way begin, its name and what it was given. */
  #rtasAt = 0;
  #rtas = '';
  #rtasArguments: readonly bigint[] = [];
  #nargs = 0;
  #lastRead: bigint | undefined;
  #lastInput: Writer | undefined;

  constructor(kinds: readonly RecordedKind[]) {
    this.#names = kinds.map((kind) => kind.name);
  }

  see(event: MachineEvent, number: number): void {
    const fields = event.fields;
    const name = this.#names[event.kind];
    switch (name) {
      case 'hcall':
        this.seeMappings(event);
        this.#input(number, name);
        break;
      case 'hcall-return':
      case 'hypervisor-read':
      case 'rtas':
        this.seeMappings(event);
        break;
      case 'rtas-return':
        this.seeMappings(event);
        this.#memory.mark(this.#resultsAt(), rtasResultBytes(event), pack(number, WRITES.indexOf(name), 0));
        break;
      case 'dma-write': {
        const address = fields[1] ?? 0n;
        const mark = pack(number, 0, Number(fields[0] ?? 0n));
        this.#bus.mark(address, event.byteLength, mark);
        for (let done = 0n; done < event.byteLength;) {
          const here = address + done;
          const room = PAGE - (here % PAGE);
          const length = room < BigInt(event.byteLength) - done ? room : BigInt(event.byteLength) - done;
          this.#memory.mark(this.translate(here) ?? here, Number(length), mark);
          done += length;
        }
        break;
      }
      case 'hypervisor-write':
      case 'guest-write':
        this.#memory.mark(fields[0] ?? 0n, event.byteLength, pack(number, WRITES.indexOf(name), 0));
        break;
      case 'discard':
        this.#memory.mark(
          fields[1] ?? 0n,
          Number(fields[2] ?? 0n),
          pack(number, WRITES.indexOf(name), Number(fields[0] ?? 0n)),
        );
        break;
      case 'mmio-write':
      case 'pio-write':
        this.#registers.set(fields[0] ?? 0n, { event: number, what: name });
        this.#input(number, name);
        break;
      case 'mmio-read':
      case 'pio-read':
        this.#lastRead = fields[0];
        this.#input(number, name);
        break;
      case 'machine-reset':
        this.seeMappings(event);
        this.#input(number, name);
        break;
      case 'advance':
      case 'idle':
      case 'host-input':
        this.#input(number, name);
        break;
      default:
        return;
    }
  }

  /** As `see`, but only to follow the TCEs. */
  seeMappings(event: MachineEvent): void {
    switch (this.#names[event.kind]) {
      case 'hcall':
        this.#call = [...event.fields.subarray(0, 10)];
        this.#rtasAt = rtasAddress(event) + RTAS_HEADER_BYTES;
        break;
      case 'hypervisor-read':
        this.#list(event);
        break;
      case 'hcall-return':
        if (event.fields[0] === BigInt(H_SUCCESS)) this.#map();
        break;
      case 'rtas':
        this.#rtas = rtasName(event.fields[0] ?? 0n);
        this.#nargs = event.words[2] ?? 0;
        this.#rtasArguments = [...event.fields.subarray(3, 11)];
        break;
      case 'rtas-return':
        if (event.fields[1] === 0n) this.#windowCall(event);
        break;
      case 'machine-reset':
        this.#windows.clear();
        break;
      default:
        return;
    }
  }

  /** Where a device's access to `ioba` goes, by the TCEs seen; undefined if none is known. */
  translate(ioba: bigint): bigint | undefined {
    for (const { shift, tces } of this.#windows.values()) {
      const tce = tces.get(ioba >> shift);
      const inside = (1n << shift) - 1n;
      if (tce !== undefined) return (tce & ~0xfffn & ~inside) | (ioba & inside);
    }
    return undefined;
  }

  /** Who wrote the byte at `address`; with a device, the address is the one that the device uses. */
  of(address: bigint, device?: bigint): Writer | undefined {
    const memory = device === undefined ? address : (this.translate(address) ?? address);
    const direct = this.#memory.at(memory);
    const bus = device === undefined ? 0 : this.#bus.at(address);
    return unpack(Math.max(direct, bus));
  }

  /** Who last wrote the register that was last read. */
  ofLastRead(): Writer | undefined {
    return this.#lastRead === undefined ? undefined : this.#registers.get(this.#lastRead);
  }

  /** What the guest or the host did last. */
  lastInput(): Writer | undefined {
    return this.#lastInput;
  }

  #input(event: number, what: string): void {
    this.#lastInput = { event, what };
  }

  /** The results stand behind the arguments, wherever 32 bits of their count lead. */
  #resultsAt(): bigint {
    return BigInt(this.#rtasAt + ((4 * this.#nargs) % 2 ** 32));
  }

  /** A call about windows that succeeded. Without one that it was created by, a window has pages of 4 KiB. */
  #windowCall(event: MachineEvent): void {
    const given = this.#rtasArguments;
    if (this.#rtas === 'ibm,create-pe-dma-window') {
      const shift = PAGE_SHIFTS.find((known) => known === given[3]) ?? DEFAULT_SHIFT;
      this.#windows.set(event.fields[2] ?? 0n, { shift, tces: new Map() });
    } else if (this.#rtas === 'ibm,remove-pe-dma-window') this.#windows.delete(given[0] ?? 0n);
    else if (this.#rtas === 'ibm,reset-pe-dma-window') this.#windows.clear();
  }

  #window(liobn: bigint): Window {
    let window = this.#windows.get(liobn);
    if (window === undefined) {
      window = { shift: DEFAULT_SHIFT, tces: new Map() };
      this.#windows.set(liobn, window);
    }
    return window;
  }

  /** The entries that H_PUT_TCE_INDIRECT takes from memory, big-endian: in one read or one by one. */
  #list(event: MachineEvent): void {
    const [token, liobn = 0n, ioba = 0n, list = 0n, pages = 0n] = this.#call;
    if (token !== PUT_TCE_INDIRECT) return;
    const { shift, tces } = this.#window(liobn);
    const first = ((event.fields[0] ?? 0n) - (list & ~0xfffn)) / 8n;
    const view = new DataView(
      event.bytes.buffer,
      event.bytes.byteOffset + event.byteOffset,
      event.byteLength,
    );
    for (let i = 0; i + 8 <= event.byteLength; i += 8) {
      const index = first + BigInt(i / 8);
      if (index < 0n || index >= pages) continue;
      put(tces, (ioba >> shift) + index, view.getBigUint64(i));
    }
  }

  #map(): void {
    const [token, liobn = 0n, ioba = 0n, tce = 0n, pages = 0n] = this.#call;
    if (token !== PUT_TCE && token !== STUFF_TCE) return;
    const { shift, tces } = this.#window(liobn);
    const first = ioba >> shift;
    if (token === PUT_TCE) put(tces, first, tce);
    else if ((tce & PERMISSIONS) === 0n && pages > BigInt(tces.size)) {
      for (const page of tces.keys()) if (page >= first && page < first + pages) tces.delete(page);
    } else for (let i = 0n; i < pages && i < STUFF_PAGES_MAX; i++) put(tces, first + i, tce);
  }
}

function put(tces: Map<bigint, bigint>, page: bigint, tce: bigint): void {
  if ((tce & PERMISSIONS) === 0n) tces.delete(page);
  else tces.set(page, tce);
}

/** Marks by 8-byte granule, kept page by page so that they take no more room than what was written. */
class WrittenPages {
  readonly #pages = new Map<number, Float64Array>();

  mark(address: bigint, length: number, mark: number): void {
    if (length === 0) return;
    let granule = Number(address >> 3n);
    const last = Number((address + BigInt(length) - 1n) >> 3n);
    while (granule <= last) {
      const page = Math.floor(granule / GRANULES);
      let marks = this.#pages.get(page);
      if (marks === undefined) {
        marks = new Float64Array(GRANULES);
        this.#pages.set(page, marks);
      }
      const end = Math.min(last, page * GRANULES + GRANULES - 1);
      marks.fill(mark, granule % GRANULES, (end % GRANULES) + 1);
      granule = end + 1;
    }
  }

  /** 0 where nothing was written. */
  at(address: bigint): number {
    const granule = Number(address >> 3n);
    return this.#pages.get(Math.floor(granule / GRANULES))?.[granule % GRANULES] ?? 0;
  }
}

/** Event number (from 1, so that 0 is nobody), kind of write and device in one exact double. */
function pack(event: number, kind: number, device: number): number {
  return ((event + 1) * WRITE_KINDS + kind) * 2 ** 16 + (device & 0xffff);
}

function unpack(mark: number): Writer | undefined {
  if (mark === 0) return undefined;
  const kind = WRITES[Math.floor(mark / 2 ** 16) % WRITE_KINDS] ?? 'write';
  const byDevice = kind === 'dma-write' || kind === 'discard';
  const device = byDevice ? ` by device ${deviceName(mark % 2 ** 16)}` : '';
  return { event: Math.floor(mark / (WRITE_KINDS * 2 ** 16)) - 1, what: `${kind}${device}` };
}

/** A requester id as QEMU and lspci write it: bus:slot.function. */
export function deviceName(requester: number): string {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return `${hex(requester >>> 8)}:${hex((requester >>> 3) & 31)}.${requester & 7}`;
}
