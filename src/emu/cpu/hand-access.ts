import { AT } from './layout.ts';
import { rowOf } from './decoder.ts';
import { INSTRUCTIONS } from './isa/table.ts';
import { ra, rb, rt, type Access } from './isa/row.ts';
import type { Processor } from './processor.ts';
import { PROGRAM } from './abi.ts';

const PAGE_BYTES = 4096;
const WIDEST = 128;
const MASK_64 = (1n << 64n) - 1n;
const NO_RESERVATION = MASK_64;

/**
 * Loads and stores that the interpreter cannot make: outside RAM, across a page's end, into pages whose instructions
 * are decoded, and in 32-bit mode with something in the upper half of an address.
 */
export class HandAccess {
  readonly #processor: Processor;
  readonly #reservation: BigUint64Array;
  readonly #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(WIDEST);
  readonly #view: DataView = new DataView(this.#bytes.buffer);
  /** Real addresses of the one or two pages of the access under way. */
  #first = 0;
  #second = 0;

  constructor(processor: Processor, buffer: ArrayBuffer) {
    this.#processor = processor;
    this.#reservation = new BigUint64Array(buffer, AT.reservation, 2);
  }

  /** Whether an access of this instruction at an address leaves the page. */
  crosses(word: number, low: number): boolean {
    const access = INSTRUCTIONS[rowOf(word)]?.access;
    return access !== undefined && (low & (PAGE_BYTES - 1)) + access.bytes > PAGE_BYTES;
  }

  perform(word: number): void {
    const access = INSTRUCTIONS[rowOf(word)]?.access;
    if (access === undefined) {
      this.#processor.programInterrupt(PROGRAM.illegal);
      return;
    }
    const address = this.#address(access, word);
    if (!this.#translate(address, access)) return;
    if (!access.store) this.#load(access, word, address);
    else if (access.reserve === true) this.#storeConditional(access, word, address);
    else this.#store(access, word, address);
    if (access.update === true) this.#processor.registers[ra(word)] = address;
  }

  /** Up to 16 bytes as they lie in memory. */
  loadBytes(address: bigint, length: number): Uint8Array | undefined {
    const access: Access = { bytes: length as 16, store: false };
    if (!this.#translate(this.#cut(address), access)) return undefined;
    this.#fetch(access, address);
    return this.#bytes.slice(0, length);
  }

  storeBytes(address: bigint, bytes: Uint8Array): boolean {
    const access: Access = { bytes: bytes.length as 16, store: true };
    if (!this.#translate(this.#cut(address), access)) return false;
    this.#bytes.set(bytes);
    this.#send(access, address);
    return true;
  }

  #cut(address: bigint): bigint {
    return BigInt.asUintN(this.#processor.wide ? 64 : 32, address);
  }

  #address(access: Access, word: number): bigint {
    const { registers } = this.#processor;
    const base = ra(word) === 0 ? 0n : (registers[ra(word)] ?? 0n);
    const displacement = BigInt((word << 16) >> 16) & ~BigInt(access.displacementMask ?? 0);
    const sum = base + (access.indexed === true ? (registers[rb(word)] ?? 0n) : displacement);
    const whole = this.#processor.wide ? BigInt.asUintN(64, sum) : BigInt.asUintN(32, sum);
    return access.aligned === true ? whole & ~BigInt(access.bytes - 1) : whole;
  }

  /** Both pages, before anything happens. */
  #translate(address: bigint, access: Access): boolean {
    this.#first = this.#page(address, access.store);
    if (this.#first < 0) return false;
    const offset = Number(address & 0xfffn);
    if (offset + access.bytes <= PAGE_BYTES) return true;
    this.#second = this.#page((address | 0xfffn) + 1n, access.store);
    return this.#second >= 0;
  }

  /** Real address of a page, or -1 with the interrupt raised. */
  #page(address: bigint, store: boolean): number {
    const cut = BigInt.asUintN(64, address);
    const high = Number(cut >> 32n);
    const low = Number(cut & 0xffff_ffffn);
    if (this.#processor.translate(high, low, store ? 'store' : 'load'))
      return this.#processor.translated.page;
    this.#processor.dataFault(cut, this.#processor.translated.fault, store);
    return -1;
  }

  #load(access: Access, word: number, address: bigint): void {
    this.#fetch(access, address);
    const { vectors, registers } = this.#processor;
    if (access.vector === undefined) {
      const value = this.#value(access);
      registers[rt(word)] = value;
      if (access.reserve === true) {
        this.#reservation[0] = address;
        this.#reservation[1] = value;
      }
      return;
    }
    const at = 2 * access.vector(word);
    const { little } = this.#processor;
    const first = this.#view.getBigUint64(0, little);
    const second = access.layout === 'double' ? 0n : this.#view.getBigUint64(8, little);
    const swaps = access.layout === 'whole' && little;
    vectors[at] = swaps ? second : first;
    vectors[at + 1] = swaps ? first : second;
  }

  #store(access: Access, word: number, address: bigint): void {
    const { vectors, registers, little } = this.#processor;
    if (access.layout === 'zeros') this.#bytes.fill(0);
    else if (access.vector === undefined) this.#put(access, registers[rt(word)] ?? 0n);
    else {
      const at = 2 * access.vector(word);
      const swaps = access.layout === 'whole' && little;
      this.#view.setBigUint64(0, vectors[swaps ? at + 1 : at] ?? 0n, little);
      this.#view.setBigUint64(8, vectors[swaps ? at : at + 1] ?? 0n, little);
    }
    this.#send(access, address);
  }

  #storeConditional(access: Access, word: number, address: bigint): void {
    this.#fetch(access, address);
    const holds = this.#reservation[0] === address && this.#value(access) === this.#reservation[1];
    if (holds) {
      this.#put(access, this.#processor.registers[rt(word)] ?? 0n);
      this.#send(access, address);
    }
    this.#processor.condition[0] = (holds ? 2 : 0) | this.#processor.summaryOverflow;
    this.#reservation[0] = NO_RESERVATION;
  }

  /** Whether the access is little-endian in memory. */
  #little(access: Access): boolean {
    return this.#processor.little !== (access.reversed === true);
  }

  #value(access: Access): bigint {
    const little = this.#little(access);
    const view = this.#view;
    if (access.bytes === 1) return BigInt(view.getUint8(0));
    if (access.bytes === 2) {
      return access.signed === true
        ? BigInt.asUintN(64, BigInt(view.getInt16(0, little)))
        : BigInt(view.getUint16(0, little));
    }
    if (access.bytes === 4) {
      return access.signed === true
        ? BigInt.asUintN(64, BigInt(view.getInt32(0, little)))
        : BigInt(view.getUint32(0, little));
    }
    return view.getBigUint64(0, little);
  }

  #put(access: Access, value: bigint): void {
    const little = this.#little(access);
    const view = this.#view;
    if (access.bytes === 1) view.setUint8(0, Number(value & 0xffn));
    else if (access.bytes === 2) view.setUint16(0, Number(value & 0xffffn), little);
    else if (access.bytes === 4) view.setUint32(0, Number(value & 0xffff_ffffn), little);
    else view.setBigUint64(0, value, little);
  }

  #fetch(access: Access, address: bigint): void {
    const offset = Number(address & 0xfffn);
    const before = Math.min(access.bytes, PAGE_BYTES - offset);
    this.#fetchPart(this.#first + offset, 0, before, this.#little(access));
    if (before < access.bytes)
      this.#fetchPart(this.#second, before, access.bytes - before, this.#little(access));
  }

  #fetchPart(real: number, at: number, length: number, little: boolean): void {
    const { ram, ramBytes, surroundings } = this.#processor;
    if (real + length <= ramBytes) {
      for (let i = 0; i < length; i++) this.#bytes[at + i] = ram.getUint8(real + i);
      return;
    }
    // Pieces as a processor would make them: doublewords, then what is left by powers of two.
    for (let done = 0; done < length;) {
      const piece = pieceOf(length - done);
      const value = surroundings.read(real + done, piece, !little);
      for (let i = 0; i < piece; i++) {
        const shift = BigInt(8 * (little ? i : piece - 1 - i));
        this.#bytes[at + done + i] = Number((value >> shift) & 0xffn);
      }
      done += piece;
    }
  }

  #send(access: Access, address: bigint): void {
    const offset = Number(address & 0xfffn);
    const before = Math.min(access.bytes, PAGE_BYTES - offset);
    this.#sendPart(this.#first + offset, 0, before, this.#little(access));
    if (before < access.bytes)
      this.#sendPart(this.#second, before, access.bytes - before, this.#little(access));
  }

  #sendPart(real: number, at: number, length: number, little: boolean): void {
    const { ram, ramBytes, surroundings } = this.#processor;
    if (real + length <= ramBytes) {
      this.#processor.storing(Math.floor(real / PAGE_BYTES), real % PAGE_BYTES, length);
      for (let i = 0; i < length; i++) ram.setUint8(real + i, this.#bytes[at + i] ?? 0);
      return;
    }
    for (let done = 0; done < length;) {
      const piece = pieceOf(length - done);
      let value = 0n;
      for (let i = 0; i < piece; i++) {
        const shift = BigInt(8 * (little ? i : piece - 1 - i));
        value |= BigInt(this.#bytes[at + done + i] ?? 0) << shift;
      }
      surroundings.write(real + done, piece, value, !little);
      done += piece;
    }
  }
}

function pieceOf(length: number): 1 | 2 | 4 | 8 {
  if (length >= 8) return 8;
  if (length >= 4) return 4;
  return length >= 2 ? 2 : 1;
}
