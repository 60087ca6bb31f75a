import { PagedMemory } from './guest-memory.ts';

/** Who is asked before the host, or a device of its, touches a frame of the guest's RAM. */
export interface HostTouch {
  /** [offset, offset + length) is about to be read or written; afterwards it holds what the host finds there. */
  touched(offset: number, length: number): void;
}

/**
 * Guest RAM of a host that may hold frames of it in secure memory: what is there is what the host has. Every access of
 * the host and of its devices goes through `touched` first, as QEMU's loads and stores go through the host's page
 * tables. The `raw` ones are the accesses of those who name the host's own page: KVM and the ultravisor.
 */
export class HostRam extends PagedMemory {
  #touch: HostTouch | undefined;

  guardWith(touch: HostTouch): void {
    this.#touch = touch;
  }

  rawRead(offset: number, into: Uint8Array, at: number, length: number): void {
    super.read(offset, into, at, length);
  }

  rawWrite(offset: number, from: Uint8Array, at: number, length: number): void {
    super.write(offset, from, at, length);
  }

  rawFill(offset: number, value: number, length: number): void {
    super.fill(offset, value, length);
  }

  override u8(offset: number): number {
    this.#touch?.touched(offset, 1);
    return super.u8(offset);
  }

  override u16(offset: number, littleEndian: boolean): number {
    this.#touch?.touched(offset, 2);
    return super.u16(offset, littleEndian);
  }

  override u32(offset: number, littleEndian: boolean): number {
    this.#touch?.touched(offset, 4);
    return super.u32(offset, littleEndian);
  }

  override u64(offset: number, littleEndian: boolean): bigint {
    this.#touch?.touched(offset, 8);
    return super.u64(offset, littleEndian);
  }

  override setU8(offset: number, value: number): void {
    this.#touch?.touched(offset, 1);
    super.setU8(offset, value);
  }

  override setU16(offset: number, value: number, littleEndian: boolean): void {
    this.#touch?.touched(offset, 2);
    super.setU16(offset, value, littleEndian);
  }

  override setU32(offset: number, value: number, littleEndian: boolean): void {
    this.#touch?.touched(offset, 4);
    super.setU32(offset, value, littleEndian);
  }

  override setU64(offset: number, value: bigint, littleEndian: boolean): void {
    this.#touch?.touched(offset, 8);
    super.setU64(offset, value, littleEndian);
  }

  override read(offset: number, into: Uint8Array, at: number, length: number): void {
    this.#touch?.touched(offset, length);
    super.read(offset, into, at, length);
  }

  override write(offset: number, from: Uint8Array, at: number, length: number): void {
    this.#touch?.touched(offset, length);
    super.write(offset, from, at, length);
  }

  override fill(offset: number, value: number, length: number): void {
    this.#touch?.touched(offset, length);
    super.fill(offset, value, length);
  }

  override view(offset: number, length: number): Uint8Array {
    this.#touch?.touched(offset, length);
    return super.view(offset, length);
  }
}
