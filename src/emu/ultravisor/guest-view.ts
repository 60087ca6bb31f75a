import { FRAME_BYTES } from './abi.ts';
import type { Ultravisor } from './ultravisor.ts';

/**
 * Memory as a secure guest's own loads and stores find it: its secure page, or the page of the hypervisor's that it
 * shares. An access that never completes reads as zero and stores nothing; `Ultravisor.halt` says so.
 */
export class GuestView {
  readonly #ultravisor: Ultravisor;
  readonly #small: Uint8Array = new Uint8Array(8);
  readonly #view: DataView = new DataView(this.#small.buffer);

  constructor(ultravisor: Ultravisor) {
    this.#ultravisor = ultravisor;
  }

  /** The last value that was stored, in its place's byte order; a run of bytes is the caller's own. */
  get stored(): Uint8Array {
    return this.#small;
  }

  /** Whether the guest sees memory through the ultravisor's translation. */
  get active(): boolean {
    return this.#ultravisor.secure;
  }

  load8(address: number): number {
    return this.#load(address, 1).getUint8(0);
  }

  load16(address: number, littleEndian: boolean): number {
    return this.#load(address, 2).getUint16(0, littleEndian);
  }

  load32(address: number, littleEndian: boolean): number {
    return this.#load(address, 4).getUint32(0, littleEndian);
  }

  load64(address: number, littleEndian: boolean): bigint {
    return this.#load(address, 8).getBigUint64(0, littleEndian);
  }

  loadBytes(address: number, into: Uint8Array, at: number, length: number): void {
    for (let done = 0; done < length;) {
      const size = Math.min(length - done, FRAME_BYTES - ((address + done) % FRAME_BYTES));
      const page = this.#ultravisor.guestReach(address + done);
      const { store, ram } = this.#ultravisor.svm;
      if (page === undefined) into.fill(0, at + done, at + done + size);
      else if (page < 0) store.read(address + done, into, at + done, size);
      else ram.rawRead(page + ((address + done) % FRAME_BYTES), into, at + done, size);
      done += size;
    }
  }

  store8(address: number, value: number): void {
    this.#view.setUint8(0, value);
    this.storeBytes(address, this.#small, 0, 1);
  }

  store16(address: number, value: number, littleEndian: boolean): void {
    this.#view.setUint16(0, value, littleEndian);
    this.storeBytes(address, this.#small, 0, 2);
  }

  store32(address: number, value: number, littleEndian: boolean): void {
    this.#view.setUint32(0, value, littleEndian);
    this.storeBytes(address, this.#small, 0, 4);
  }

  store64(address: number, value: bigint, littleEndian: boolean): void {
    this.#view.setBigUint64(0, value, littleEndian);
    this.storeBytes(address, this.#small, 0, 8);
  }

  storeBytes(address: number, from: Uint8Array, at: number, length: number): void {
    for (let done = 0; done < length;) {
      const size = Math.min(length - done, FRAME_BYTES - ((address + done) % FRAME_BYTES));
      const page = this.#ultravisor.guestReach(address + done);
      const { store, ram } = this.#ultravisor.svm;
      if (page !== undefined) {
        if (page < 0) store.write(address + done, from, at + done, size);
        else ram.rawWrite(page + ((address + done) % FRAME_BYTES), from, at + done, size);
      }
      done += size;
    }
  }

  #load(address: number, width: number): DataView {
    this.loadBytes(address, this.#small, 0, width);
    return this.#view;
  }
}
