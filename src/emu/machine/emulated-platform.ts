import { assert } from '../core/assert.ts';
import { KIND, type MachineEvent } from '../core/tap.ts';
import type { TapLine } from '../core/tap-line.ts';
import type { PagedMemory } from '../memory/guest-memory.ts';
import type { SecureGuestPlatform } from '../guest/platform.ts';
import { U_FUNCTION } from '../ultravisor/abi.ts';
import type { GuestView } from '../ultravisor/guest-view.ts';

/** r3 … r12. */
const REGISTERS = 10;
const MMIO_READ = KIND['mmio-read'];
const MMIO_WRITE = KIND['mmio-write'];
const PIO_READ = KIND['pio-read'];
const PIO_WRITE = KIND['pio-write'];

/** What the platform needs of the machine behind it. */
export interface PlatformBackend {
  readonly deviceTree: Uint8Array;
  readonly timebase: number;
  hypercall(registers: BigUint64Array): void;
  /** False where there is no ultravisor. */
  ultracall(registers: BigUint64Array): boolean;
  readonly msr: bigint;
  readonly entry: bigint | undefined;
  readonly halted: string | undefined;
  systemRead(address: number, width: 1 | 2 | 4, bigEndian: boolean): number;
  systemWrite(address: number, width: 1 | 2 | 4, value: number, bigEndian: boolean): void;
  systemRead64(address: number, bigEndian: boolean): bigint;
  systemWrite64(address: number, value: bigint, bigEndian: boolean): void;
  /** The port behind a CPU address in a host bridge's I/O window; undefined elsewhere. */
  portOf(address: number): number | undefined;
  setCpu(cpu: number, msr: bigint): void;
  interruptPending(): boolean;
  advance(ticks: number): void;
  idle(): void;
}

/**
 * The emulated side of the seam, and the chokepoint for everything a guest does: each action is an input event before
 * the machine sees it, each answer an output event after.
 */
export class EmulatedPlatform implements SecureGuestPlatform {
  readonly ramBytes: number;
  readonly registers: BigUint64Array<ArrayBuffer> = new BigUint64Array(REGISTERS);
  /** The registers by halves: copied without making bigints. */
  readonly #words: Uint32Array<ArrayBuffer> = new Uint32Array(this.registers.buffer);
  readonly #memory: PagedMemory;
  readonly #backend: PlatformBackend;
  readonly #line: TapLine;
  /** Memory as a secure guest finds it; only where the host has an ultravisor. */
  #view: GuestView | undefined;

  constructor(memory: PagedMemory, backend: PlatformBackend, line: TapLine) {
    this.ramBytes = memory.size;
    this.#memory = memory;
    this.#backend = backend;
    this.#line = line;
  }

  seeThrough(view: GuestView): void {
    this.#view = view;
  }

  get msr(): bigint {
    return this.#backend.msr;
  }

  get entry(): bigint | undefined {
    return this.#backend.entry;
  }

  get halted(): string | undefined {
    return this.#backend.halted;
  }

  get deviceTree(): Uint8Array {
    return this.#backend.deviceTree;
  }

  get timebase(): number {
    return this.#backend.timebase;
  }

  load8(address: number): number {
    return this.#seen?.load8(address) ?? this.#memory.u8(address);
  }

  load16(address: number, littleEndian: boolean): number {
    return this.#seen?.load16(address, littleEndian) ?? this.#memory.u16(address, littleEndian);
  }

  load32(address: number, littleEndian: boolean): number {
    return this.#seen?.load32(address, littleEndian) ?? this.#memory.u32(address, littleEndian);
  }

  load64(address: number, littleEndian: boolean): bigint {
    return this.#seen?.load64(address, littleEndian) ?? this.#memory.u64(address, littleEndian);
  }

  loadBytes(address: number, into: Uint8Array, at: number, length: number): void {
    const seen = this.#seen;
    if (seen === undefined) this.#memory.read(address, into, at, length);
    else seen.loadBytes(address, into, at, length);
  }

  store8(address: number, value: number): void {
    const seen = this.#seen;
    if (seen === undefined) this.#memory.setU8(address, value);
    else seen.store8(address, value);
    this.#stored(address, 1, seen?.stored);
  }

  store16(address: number, value: number, littleEndian: boolean): void {
    const seen = this.#seen;
    if (seen === undefined) this.#memory.setU16(address, value, littleEndian);
    else seen.store16(address, value, littleEndian);
    this.#stored(address, 2, seen?.stored);
  }

  store32(address: number, value: number, littleEndian: boolean): void {
    const seen = this.#seen;
    if (seen === undefined) this.#memory.setU32(address, value, littleEndian);
    else seen.store32(address, value, littleEndian);
    this.#stored(address, 4, seen?.stored);
  }

  store64(address: number, value: bigint, littleEndian: boolean): void {
    const seen = this.#seen;
    if (seen === undefined) this.#memory.setU64(address, value, littleEndian);
    else seen.store64(address, value, littleEndian);
    this.#stored(address, 8, seen?.stored);
  }

  storeBytes(address: number, from: Uint8Array, at: number, length: number): void {
    const seen = this.#seen;
    if (seen === undefined) this.#memory.write(address, from, at, length);
    else seen.storeBytes(address, from, at, length);
    this.#stored(address, length, seen === undefined ? undefined : from, at);
  }

  /** The view of a guest that is secure now. */
  get #seen(): GuestView | undefined {
    const view = this.#view;
    return view?.active === true ? view : undefined;
  }

  ucall(): void {
    const entered = this.#line.open(KIND['ucall']);
    if (entered !== undefined) {
      copyWords(entered.words, this.#words);
      this.#line.send();
    }
    // Without one the hypervisor gets the call, and has none of that number.
    if (!this.#backend.ultracall(this.registers)) this.registers[0] = BigInt.asUintN(64, BigInt(U_FUNCTION));
    const left = this.#line.open(KIND['ucall-return']);
    if (left !== undefined) {
      copyWords(left.words, this.#words);
      this.#line.send();
    }
  }

  hcall(): void {
    const entered = this.#line.open(KIND['hcall']);
    if (entered !== undefined) {
      copyWords(entered.words, this.#words);
      this.#line.send();
    }
    this.#backend.hypercall(this.registers);
    const left = this.#line.open(KIND['hcall-return']);
    if (left !== undefined) {
      copyWords(left.words, this.#words);
      this.#line.send();
    }
  }

  read(address: number, width: 1 | 2 | 4, bigEndian: boolean): number {
    if (this.#open(MMIO_READ, PIO_READ, address, width, bigEndian) !== undefined) this.#line.send();
    const value = this.#backend.systemRead(address, width, bigEndian);
    const answered = this.#line.open(KIND['read-value']);
    if (answered !== undefined) {
      answered.small(0, value);
      this.#line.send();
    }
    return value;
  }

  write(address: number, width: 1 | 2 | 4, value: number, bigEndian: boolean): void {
    const event = this.#open(MMIO_WRITE, PIO_WRITE, address, width, bigEndian);
    if (event !== undefined) {
      event.small(3, value);
      this.#line.send();
    }
    this.#backend.systemWrite(address, width, value >>> 0, bigEndian);
  }

  read64(address: number, bigEndian: boolean): bigint {
    if (this.#open(MMIO_READ, PIO_READ, address, 8, bigEndian) !== undefined) this.#line.send();
    const value = this.#backend.systemRead64(address, bigEndian);
    const answered = this.#line.open(KIND['read-value']);
    if (answered !== undefined) {
      answered.fields[0] = value;
      this.#line.send();
    }
    return value;
  }

  write64(address: number, value: bigint, bigEndian: boolean): void {
    const event = this.#open(MMIO_WRITE, PIO_WRITE, address, 8, bigEndian);
    if (event !== undefined) {
      event.fields[3] = value;
      this.#line.send();
    }
    this.#backend.systemWrite64(address, value, bigEndian);
  }

  setCpu(cpu: number, msr: bigint): void {
    const event = this.#line.open(KIND['cpu-mode']);
    if (event !== undefined) {
      event.small(0, cpu);
      event.fields[1] = msr;
      this.#line.send();
    }
    this.#backend.setCpu(cpu, msr);
  }

  interruptPending(): boolean {
    return this.#backend.interruptPending();
  }

  advance(ticks: number): void {
    assert(Number.isInteger(ticks) && ticks >= 0, 'time passes in whole ticks, forwards');
    const event = this.#line.open(KIND['advance']);
    if (event !== undefined) {
      setAddress(event.words, ticks);
      this.#line.send();
    }
    this.#backend.advance(ticks);
  }

  idle(): void {
    if (this.#line.open(KIND['idle']) !== undefined) this.#line.send();
    this.#backend.idle();
  }

  /** The access itself; a write's value is field 3, which the caller sets before sending. */
  #open(
    mmio: number,
    pio: number,
    address: number,
    width: number,
    bigEndian: boolean,
  ): MachineEvent | undefined {
    if (this.#line.tap === undefined) return undefined;
    const port = this.#backend.portOf(address);
    const event = this.#line.open(port === undefined ? mmio : pio);
    if (event === undefined) return undefined;
    setAddress(event.words, port ?? address);
    event.small(1, width);
    event.small(2, bigEndian ? 1 : 0);
    return event;
  }

  /** `bytes`: what was stored, where it is not in RAM. */
  #stored(address: number, length: number, bytes?: Uint8Array, at = 0): void {
    if (this.#line.tap?.wantsGuestWrites !== true) return;
    const event = this.#line.open(KIND['guest-write']);
    if (event === undefined) return;
    setAddress(event.words, address);
    if (bytes === undefined) event.carry(this.#memory.view(address, length), 0, length);
    else event.carry(bytes, at, length);
    this.#line.send();
  }
}

function copyWords(into: Uint32Array, from: Uint32Array): void {
  for (let i = 0; i < 2 * REGISTERS; i++) into[i] = from[i] ?? 0;
}

/** Field 0 from a number below 2^53, without a bigint. */
function setAddress(words: Uint32Array, address: number): void {
  words[0] = address % 2 ** 32;
  words[1] = Math.floor(address / 2 ** 32);
}
