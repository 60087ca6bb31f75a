import { H_LOGICAL_CI_LOAD, H_LOGICAL_CI_STORE, KVMPPC_H_RTAS } from '../papr/abi.ts';
import type { GuestPlatform } from './platform.ts';

/** Status of an RTAS call that the platform does not know at all. */
export const RTAS_UNKNOWN = -3;

/**
 * Hypercalls and RTAS calls, without a bigint on the way: the register file is seen as pairs of 32-bit words. RTAS
 * arguments lie in a buffer of guest RAM, big-endian.
 */
export class GuestCalls {
  readonly platform: GuestPlatform;
  readonly #words: Int32Array;
  readonly #buffer: number;
  #results = 0;

  /** `buffer`: 64 bytes of RAM that nothing else uses. */
  constructor(platform: GuestPlatform, buffer: number) {
    this.platform = platform;
    this.#buffer = buffer;
    const { registers } = platform;
    this.#words = new Int32Array(registers.buffer, registers.byteOffset, 2 * registers.length);
  }

  /** Sets r3 + index to a whole number from 0 to 2^53. */
  set(index: number, value: number): void {
    this.#words[2 * index] = value | 0;
    this.#words[2 * index + 1] = value > 0xffff_ffff ? Math.floor(value / 2 ** 32) : 0;
  }

  setWide(index: number, high: number, low: number): void {
    this.#words[2 * index] = low;
    this.#words[2 * index + 1] = high;
  }

  /** The low half of r3 + index. */
  low(index: number): number {
    return (this.#words[2 * index] ?? 0) >>> 0;
  }

  /** Makes the call whose arguments have been set from index 1 on; the status in r3. */
  hcall(token: number): number {
    this.#words[0] = token;
    this.#words[1] = 0;
    this.platform.hcall();
    return this.#words[0] ?? 0;
  }

  argument(index: number, value: number): void {
    this.platform.store32(this.#buffer + 12 + 4 * index, value >>> 0, false);
  }

  /** Calls RTAS with the arguments set before; the status word. Token -1 stands for a call that is not there. */
  rtas(token: number, nargs: number, nret: number): number {
    if (token < 0) return RTAS_UNKNOWN;
    const { platform } = this;
    const buffer = this.#buffer;
    this.#results = buffer + 12 + 4 * nargs;
    platform.store32(buffer, token, false);
    platform.store32(buffer + 4, nargs, false);
    platform.store32(buffer + 8, nret, false);
    this.set(1, buffer);
    // The RTAS entry of the firmware drops r3: what counts is the status word. A secure guest's r3 is never written.
    this.hcall(KVMPPC_H_RTAS);
    return platform.load32(this.#results, false) | 0;
  }

  /** Word `index` of the results; 0 is the status. */
  result(index: number): number {
    return this.platform.load32(this.#results + 4 * index, false);
  }
}

/**
 * How a driver reaches device registers: with loads and stores of its CPU, or, as firmware in real mode does, through
 * the hypervisor. Values are little-endian, as PCI's registers are.
 */
export class DeviceAccess {
  readonly #calls: GuestCalls;
  readonly #viaHypervisor: boolean;

  constructor(calls: GuestCalls, viaHypervisor: boolean) {
    this.#calls = calls;
    this.#viaHypervisor = viaHypervisor;
  }

  read(address: number, width: 1 | 2 | 4): number {
    if (!this.#viaHypervisor) return this.#calls.platform.read(address, width, false);
    this.#calls.set(1, width);
    this.#calls.set(2, address);
    if (this.#calls.hcall(H_LOGICAL_CI_LOAD) !== 0) return 0;
    return swapped(this.#calls.low(1), width);
  }

  write(address: number, width: 1 | 2 | 4, value: number): void {
    if (!this.#viaHypervisor) {
      this.#calls.platform.write(address, width, value, false);
      return;
    }
    this.#calls.set(1, width);
    this.#calls.set(2, address);
    this.#calls.set(3, swapped(value, width));
    this.#calls.hcall(H_LOGICAL_CI_STORE);
  }
}

/** The hypervisor's loads and stores are big-endian. */
function swapped(value: number, width: 1 | 2 | 4): number {
  if (width === 1) return value & 0xff;
  if (width === 2) return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | ((value >>> 24) & 0xff)) >>> 0;
}
