import type { GuestPlatform } from '../../emu/guest/platform.ts';
import type { Hardware } from './hardware.ts';

const H_RTAS = 0xf000n;
/** Where RTAS arguments stand in RAM, and how many words of it are used at most. */
export const RTAS_BUFFER = 0x1_0000;
const TWO_32 = 2 ** 32;

/** Hypercalls and RTAS calls of a guest on this machine, without an allocation where the argument is a number. */
export class Calls {
  readonly #platform: GuestPlatform;
  readonly #hardware: Hardware;
  /** r3 … r12 in halves, little-endian halves first; rows are registers. */
  readonly #words: Uint32Array;
  /** First result word of the last RTAS call. */
  status = 0;
  readonly #readConfig: number;
  readonly #writeConfig: number;

  constructor(platform: GuestPlatform, hardware: Hardware) {
    this.#platform = platform;
    this.#hardware = hardware;
    const { registers } = platform;
    this.#words = new Uint32Array(registers.buffer, registers.byteOffset, 2 * registers.length);
    this.#readConfig = this.token('ibm,read-pci-config');
    this.#writeConfig = this.token('ibm,write-pci-config');
  }

  token(name: string): number {
    return this.#hardware.tokens.get(name) ?? 0;
  }

  /** A hypercall whose arguments are below 2^53. The status comes back as a signed number. */
  hcall(token: number, a = 0, b = 0, c = 0, d = 0): number {
    this.#set(0, token);
    this.#set(1, a);
    this.#set(2, b);
    this.#set(3, c);
    this.#set(4, d);
    this.#platform.hcall();
    return (this.#words[0] ?? 0) | 0;
  }

  /** Another register of the call that is being prepared, or was answered. */
  argument(index: number, high: number, low: number): void {
    this.#words[2 * index] = low;
    this.#words[2 * index + 1] = high;
  }

  result(index: number): bigint {
    return this.#platform.registers[index] ?? 0n;
  }

  /** The call that `hcall` would make, with what `argument` left in place. */
  go(token: number): number {
    this.#set(0, token);
    this.#platform.hcall();
    return (this.#words[0] ?? 0) | 0;
  }

  /** RTAS by token; `args` are 32-bit words. Results are read with `rtasResult`. */
  rtas(token: number, results: number, args: readonly number[]): number {
    const platform = this.#platform;
    platform.store32(RTAS_BUFFER, token, false);
    platform.store32(RTAS_BUFFER + 4, args.length, false);
    platform.store32(RTAS_BUFFER + 8, results, false);
    let at = RTAS_BUFFER + 12;
    for (const value of args) {
      platform.store32(at, value >>> 0, false);
      at += 4;
    }
    this.#set(0, Number(H_RTAS));
    this.#set(1, RTAS_BUFFER);
    platform.hcall();
    this.status = platform.load32(at, false) | 0;
    return this.status;
  }

  rtasResult(args: number, index: number): number {
    return this.#platform.load32(RTAS_BUFFER + 12 + 4 * (args + index), false);
  }

  configRead(devfn: number, offset: number, width: number): number {
    const platform = this.#platform;
    this.#config(this.#readConfig, devfn, offset, width, 4, 2);
    platform.hcall();
    this.status = platform.load32(RTAS_BUFFER + 28, false) | 0;
    return platform.load32(RTAS_BUFFER + 32, false);
  }

  configWrite(devfn: number, offset: number, width: number, value: number): void {
    const platform = this.#platform;
    this.#config(this.#writeConfig, devfn, offset, width, 5, 1);
    platform.store32(RTAS_BUFFER + 28, value >>> 0, false);
    platform.hcall();
    this.status = platform.load32(RTAS_BUFFER + 32, false) | 0;
  }

  #config(token: number, devfn: number, offset: number, width: number, args: number, results: number): void {
    const platform = this.#platform;
    const hardware = this.#hardware;
    platform.store32(RTAS_BUFFER, token, false);
    platform.store32(RTAS_BUFFER + 4, args, false);
    platform.store32(RTAS_BUFFER + 8, results, false);
    platform.store32(RTAS_BUFFER + 12, ((offset & 0xf00) << 20) | (devfn << 8) | (offset & 0xff), false);
    platform.store32(RTAS_BUFFER + 16, hardware.buidHigh, false);
    platform.store32(RTAS_BUFFER + 20, hardware.buidLow, false);
    platform.store32(RTAS_BUFFER + 24, width, false);
    this.#set(0, Number(H_RTAS));
    this.#set(1, RTAS_BUFFER);
  }

  #set(index: number, value: number): void {
    this.#words[2 * index] = value >>> 0;
    this.#words[2 * index + 1] = value < TWO_32 ? (value < 0 ? 0xffff_ffff : 0) : Math.floor(value / TWO_32);
  }
}
