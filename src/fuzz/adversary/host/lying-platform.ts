import { H_XIRR, KVMPPC_H_RTAS } from '../../../emu/papr/abi.ts';
import type { GuestPlatform } from '../../../emu/guest/platform.ts';

/** The structures of a modern device, each a page of its BAR (4.1.4). */
const STRUCTURES = ['common', 'isr', 'config', 'notify'] as const;
export type Structure = (typeof STRUCTURES)[number];
type UsedField = 'flags' | 'index' | 'id' | 'length' | 'event';

/**
 * What a bad device shows instead of the truth. Each hook is given what a good device shows and how often it was asked
 * since the life began; what it returns is what the driver sees. All are the device's own liberties: registers, used
 * rings, buffers that it may write, interrupts, and memory that it must not touch.
 */
export interface Lie {
  /** A load from a register. */
  readonly register?: (structure: Structure, offset: number, truth: number, asked: number) => number;
  /** A load from the function's configuration space. */
  readonly config?: (register: number, truth: number, asked: number) => number;
  /** A load of the driver from a used ring. */
  readonly used?: (field: UsedField, truth: number, asked: number) => number;
  /** Bytes that the driver loads out of its buffers. */
  readonly data?: (bytes: Uint8Array, at: number, length: number, asked: number) => void;
  /** The driver has notified the device, and is not told yet that it went wrong. */
  readonly kicked?: (ring: RingPlace, hand: Hand, asked: number) => void;
  /** The driver has reset the device. */
  readonly reset?: (ring: RingPlace, hand: Hand) => void;
  /** Whether the CPU sees an interrupt. */
  readonly pending?: (truth: boolean, asked: number) => boolean;
}

/** Where a ring of the driver lies, by guest-physical address. */
interface RingPlace {
  readonly size: number;
  readonly desc: number;
  readonly avail: number;
  readonly used: number;
}

/** Stores where a device can reach. */
export interface Hand {
  store16(address: number, value: number): void;
  store32(address: number, value: number): void;
}

/** What belongs to the driver: what it touches besides is a finding. */
export interface Estate {
  readonly ramFrom: number;
  readonly ramTo: number;
  /** CPU address of the BAR that holds the structures. */
  readonly bar: number;
  /** Every BAR of the device, from and to. */
  readonly bars: readonly (readonly [from: number, to: number])[];
  readonly devfn: number;
  readonly readConfig: number;
  readonly interruptOn: number;
  readonly rings: readonly RingPlace[];
}

/** Ends the life of a driver that left its own ground, or does not end by itself. */
export class Astray extends Error {
  override readonly name = 'Astray';
}

const STRUCTURE_BYTES = 0x1000;
const NOTIFY = 0x3000;
const STATUS = 20;
const ACCESSES_MAX = 200_000;
/** XIRR of a CPU that took every priority before: its top byte is what H_EOI goes back to. */
const ALL_PRIORITIES = 0xff * 2 ** 24;
const SOURCES_MAX = 8;
const RTAS_ARGUMENTS = 12;
const READ_CONFIG_RESULT: number = RTAS_ARGUMENTS + 4 * 4;
const USED_RING = 4;
const USED_ELEMENT = 8;

/**
 * A platform whose one virtio device lies, for drivers to live on. Without a lie it is the platform beneath it. It also
 * watches the driver's steps: no address outside its own memory and its device's BAR, and an end to everything.
 */
export class LyingPlatform implements GuestPlatform {
  readonly #real: GuestPlatform;
  #lie: Lie | undefined;
  #estate: Estate | undefined;
  #accesses = 0;
  readonly #asked: Map<string, number> = new Map();
  readonly #sources: number[] = [];

  constructor(real: GuestPlatform) {
    this.#real = real;
  }

  /** From here on the device lies, and the driver is watched. */
  begin(lie: Lie, estate: Estate): void {
    this.#lie = lie;
    this.#estate = estate;
    this.#accesses = 0;
    this.#asked.clear();
    this.#sources.length = 0;
  }

  /** The device is honest again; the driver stays watched. */
  relent(): void {
    this.#lie = undefined;
    this.#accesses = 0;
  }

  get ramBytes(): number {
    return this.#real.ramBytes;
  }

  get deviceTree(): Uint8Array {
    return this.#real.deviceTree;
  }

  get timebase(): number {
    return this.#real.timebase;
  }

  get registers(): BigUint64Array {
    return this.#real.registers;
  }

  load8(address: number): number {
    this.#own(address, 1);
    const data = this.#lie?.data;
    if (data === undefined) return this.#real.load8(address);
    const byte = new Uint8Array([this.#real.load8(address)]);
    data(byte, 0, 1, this.#ask('data'));
    return byte[0] ?? 0;
  }

  load16(address: number, littleEndian: boolean): number {
    this.#own(address, 2);
    return this.#shown(address, this.#real.load16(address, littleEndian), 0xffff);
  }

  load32(address: number, littleEndian: boolean): number {
    this.#own(address, 4);
    return this.#shown(address, this.#real.load32(address, littleEndian), 0xffff_ffff);
  }

  load64(address: number, littleEndian: boolean): bigint {
    this.#own(address, 8);
    return this.#real.load64(address, littleEndian);
  }

  loadBytes(address: number, into: Uint8Array, at: number, length: number): void {
    this.#own(address, length);
    this.#real.loadBytes(address, into, at, length);
    this.#lie?.data?.(into, at, length, this.#ask('data'));
  }

  store8(address: number, value: number): void {
    this.#own(address, 1);
    this.#real.store8(address, value);
  }

  store16(address: number, value: number, littleEndian: boolean): void {
    this.#own(address, 2);
    this.#real.store16(address, value, littleEndian);
  }

  store32(address: number, value: number, littleEndian: boolean): void {
    this.#own(address, 4);
    this.#real.store32(address, value, littleEndian);
  }

  store64(address: number, value: bigint, littleEndian: boolean): void {
    this.#own(address, 8);
    this.#real.store64(address, value, littleEndian);
  }

  storeBytes(address: number, from: Uint8Array, at: number, length: number): void {
    this.#own(address, length);
    this.#real.storeBytes(address, from, at, length);
  }

  hcall(): void {
    this.#spend();
    const { registers } = this.#real;
    const token = Number(registers[0]);
    const buffer = Number(registers[1]);
    this.#real.hcall();
    if (token === KVMPPC_H_RTAS) this.#rtas(buffer);
    else if (token === H_XIRR) this.#present(registers);
  }

  ucall(): void {
    this.#spend();
    this.#real.ucall();
  }

  read(address: number, width: 1 | 2 | 4, bigEndian: boolean): number {
    this.#ofDevice(address, width);
    const truth = this.#real.read(address, width, bigEndian);
    const register = this.#lie?.register;
    const estate = this.#estate;
    if (register === undefined || estate === undefined) return truth;
    const at = address - estate.bar;
    const structure = STRUCTURES[Math.min(STRUCTURES.length - 1, Math.floor(at / STRUCTURE_BYTES))];
    if (structure === undefined) return truth;
    const offset = at % STRUCTURE_BYTES;
    const seen = register(structure, offset, truth, this.#ask(`${structure} ${offset}`));
    return width === 4 ? seen >>> 0 : seen & (width === 2 ? 0xffff : 0xff);
  }

  write(address: number, width: 1 | 2 | 4, value: number, bigEndian: boolean): void {
    this.#ofDevice(address, width);
    this.#real.write(address, width, value, bigEndian);
    const estate = this.#estate;
    if (estate === undefined) return;
    if (address === estate.bar + STATUS && value === 0) this.#wasReset(estate);
    const kicked = this.#lie?.kicked;
    if (kicked === undefined || address - estate.bar < NOTIFY) return;
    const ring = estate.rings[value];
    if (ring === undefined) return;
    // What the device had to do for the kick is done before it goes astray.
    this.#real.idle();
    kicked(ring, this.#hand(), this.#ask('kicked'));
  }

  read64(address: number, bigEndian: boolean): bigint {
    this.#ofDevice(address, 8);
    return this.#real.read64(address, bigEndian);
  }

  write64(address: number, value: bigint, bigEndian: boolean): void {
    this.#ofDevice(address, 8);
    this.#real.write64(address, value, bigEndian);
  }

  setCpu(cpu: number, msr: bigint): void {
    this.#real.setCpu(cpu, msr);
  }

  interruptPending(): boolean {
    this.#spend();
    const truth = this.#real.interruptPending();
    return this.#lie?.pending?.(truth, this.#ask('pending')) ?? truth;
  }

  advance(ticks: number): void {
    this.#spend();
    this.#real.advance(ticks);
  }

  idle(): void {
    this.#spend();
    this.#real.idle();
  }

  // --- Inside ---------------------------------------------------------------------------------------------------

  #wasReset(estate: Estate): void {
    for (const ring of estate.rings) if (ring.size > 0) this.#lie?.reset?.(ring, this.#hand());
  }

  #hand(): Hand {
    const real = this.#real;
    return {
      store16: (address, value) => real.store16(address, value, true),
      store32: (address, value) => real.store32(address, value, true),
    };
  }

  #ask(what: string): number {
    const asked = this.#asked.get(what) ?? 0;
    this.#asked.set(what, asked + 1);
    return asked;
  }

  #spend(): void {
    if (++this.#accesses > ACCESSES_MAX) throw new Astray(`made ${ACCESSES_MAX} accesses and no end`);
  }

  #own(address: number, length: number): void {
    this.#spend();
    const estate = this.#estate;
    if (estate === undefined || (address >= estate.ramFrom && address + length <= estate.ramTo)) return;
    throw new Astray(`reached for ${length} bytes at 0x${address.toString(16)}, which are not its own`);
  }

  #ofDevice(address: number, width: number): void {
    this.#spend();
    const estate = this.#estate;
    if (estate === undefined) return;
    if (estate.bars.some(([from, to]) => address >= from && address + width <= to)) return;
    throw new Astray(`accessed 0x${address.toString(16)}, which is no register of its device`);
  }

  #shown(address: number, truth: number, mask: number): number {
    const used = this.#lie?.used;
    if (used === undefined) return truth;
    for (const ring of this.#estate?.rings ?? []) {
      const offset = address - ring.used;
      if (ring.size === 0 || offset < 0 || offset >= USED_RING + USED_ELEMENT * ring.size + 2) continue;
      const field = usedField(offset, ring.size);
      return (used(field, truth, this.#ask(field)) & mask) >>> 0;
    }
    return truth;
  }

  #rtas(buffer: number): void {
    const real = this.#real;
    const token = real.load32(buffer, false);
    const estate = this.#estate;
    if (estate === undefined) return;
    if (token === estate.interruptOn && this.#sources.length < SOURCES_MAX)
      this.#sources.push(real.load32(buffer + RTAS_ARGUMENTS, false));
    const config = this.#lie?.config;
    if (config === undefined || token !== estate.readConfig) return;
    const address = real.load32(buffer + RTAS_ARGUMENTS, false);
    if (((address >>> 8) & 0xff) !== estate.devfn) return;
    const width = real.load32(buffer + RTAS_ARGUMENTS + 12, false);
    const truth = real.load32(buffer + READ_CONFIG_RESULT + 4, false);
    const register = address & 0xff;
    const seen = config(register, truth, this.#ask(`config ${register}`));
    real.store32(
      buffer + READ_CONFIG_RESULT + 4,
      width === 4 ? seen >>> 0 : seen & (2 ** (8 * width) - 1),
      false,
    );
  }

  /** Where the lie made the CPU believe in an interrupt, one of the device's own sources is presented. */
  #present(registers: BigUint64Array): void {
    const source = this.#sources[0];
    if (this.#lie?.pending === undefined || source === undefined || Number(registers[1]) % 2 ** 24 !== 0)
      return;
    registers[0] = 0n;
    registers[1] = BigInt(ALL_PRIORITIES + source);
  }
}

function usedField(offset: number, size: number): UsedField {
  if (offset < 2) return 'flags';
  if (offset < USED_RING) return 'index';
  if (offset >= USED_RING + USED_ELEMENT * size) return 'event';
  return (offset - USED_RING) % USED_ELEMENT < 4 ? 'id' : 'length';
}
