import type { AddressSpace } from '../memory/address-space.ts';
import type { PaprEnvironment } from './environment.ts';

/** Stands for every address that no number holds exactly: nothing of a machine lies there. */
export const NOWHERE = -1;

/** An address of two register halves as a number. */
export function addressOf(high: number, low: number): number {
  return high < 2 ** 21 ? high * 2 ** 32 + low : NOWHERE;
}

/**
 * The hypervisor's hands in guest memory (QEMU's ldl_be_phys, cpu_physical_memory_read and their kin). RAM goes
 * through the environment, which makes events of it; BARs answer as they do to a CPU; the rest reads as zero and
 * swallows writes. A value that straddles the end of RAM is not split: it reads as zero too.
 */
export class GuestAccess {
  readonly #environment: PaprEnvironment;
  readonly #system: AddressSpace;
  readonly #ramBytes: number;
  readonly #small: Uint8Array<ArrayBuffer> = new Uint8Array(8);
  readonly #view: DataView<ArrayBuffer> = new DataView(this.#small.buffer);

  constructor(environment: PaprEnvironment) {
    this.#environment = environment;
    this.#system = environment.system;
    this.#ramBytes = environment.options.ramBytes;
  }

  /** Whether all of [address, address + length) is RAM. */
  inRam(address: number, length: number): boolean {
    return address >= 0 && address + length <= this.#ramBytes;
  }

  /** Big-endian, zero-extended. */
  load(address: number, width: 1 | 2 | 4): number {
    if (address < this.#ramBytes) {
      if (!this.inRam(address, width)) return 0;
      this.#environment.hypervisorRead(address, this.#small, 0, width);
      if (width === 1) return this.#view.getUint8(0);
      return width === 2 ? this.#view.getUint16(0) : this.#view.getUint32(0);
    }
    return this.#system.loadPhysical(address, width, true);
  }

  load64(address: number): bigint {
    if (address < this.#ramBytes) {
      if (!this.inRam(address, 8)) return 0n;
      this.#environment.hypervisorRead(address, this.#small, 0, 8);
      return this.#view.getBigUint64(0);
    }
    return this.#system.loadPhysical64(address, true);
  }

  store(address: number, width: 1 | 2 | 4, value: number): void {
    if (address >= this.#ramBytes) {
      this.#system.storePhysical(address, width, value, true);
      return;
    }
    if (!this.inRam(address, width)) return;
    if (width === 1) this.#view.setUint8(0, value);
    else if (width === 2) this.#view.setUint16(0, value);
    else this.#view.setUint32(0, value);
    this.#environment.hypervisorWrite(address, this.#small, 0, width);
  }

  store64(address: number, value: bigint): void {
    if (address >= this.#ramBytes) {
      this.#system.storePhysical64(address, value, true);
      return;
    }
    if (!this.inRam(address, 8)) return;
    this.#view.setBigUint64(0, value);
    this.#environment.hypervisorWrite(address, this.#small, 0, 8);
  }

  /** A byte string; what nothing answers is zero. */
  read(address: number, into: Uint8Array, at: number, length: number): void {
    const inRam = this.#ramPart(address, length);
    if (inRam > 0) this.#environment.hypervisorRead(address, into, at, inRam);
    if (inRam === length) return;
    into.fill(0, at + inRam, at + length);
    if (address !== NOWHERE) this.#system.readBytes(address + inRam, into, at + inRam, length - inRam);
  }

  write(address: number, from: Uint8Array, at: number, length: number): void {
    const inRam = this.#ramPart(address, length);
    if (inRam > 0) this.#environment.hypervisorWrite(address, from, at, inRam);
    if (inRam === length || address === NOWHERE) return;
    this.#system.writeBytes(address + inRam, from, at + inRam, length - inRam);
  }

  #ramPart(address: number, length: number): number {
    return address < 0 ? 0 : Math.max(0, Math.min(length, this.#ramBytes - address));
  }
}
