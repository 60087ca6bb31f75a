/**
 * The one seam: everything a guest can do, whatever the guest is made of. A scripted driver, a CPU that runs real
 * code and the bridge to a real QEMU all stand on this side of it; the emulated machine, or the real one, on the other.
 *
 * A guest learns of its hardware only through the device tree and through what it reads.
 */
export interface GuestPlatform {
  /** Bytes of RAM from guest-physical address 0. */
  readonly ramBytes: number;
  /** The flattened device tree that the machine hands over at entry. */
  readonly deviceTree: Uint8Array;
  /** Virtual time in timebase ticks (512 MHz): what `mftb` reads. */
  readonly timebase: number;

  /** RAM by guest-physical address, the way the guest's own loads and stores reach it. Addresses are inside RAM. */
  load8(address: number): number;
  load16(address: number, littleEndian: boolean): number;
  load32(address: number, littleEndian: boolean): number;
  load64(address: number, littleEndian: boolean): bigint;
  loadBytes(address: number, into: Uint8Array, at: number, length: number): void;
  store8(address: number, value: number): void;
  store16(address: number, value: number, littleEndian: boolean): void;
  store32(address: number, value: number, littleEndian: boolean): void;
  store64(address: number, value: bigint, littleEndian: boolean): void;
  storeBytes(address: number, from: Uint8Array, at: number, length: number): void;

  /** r3 … r12 before and after `sc 1`: index 0 is r3. Set them, call `hcall`, read them. */
  readonly registers: BigUint64Array;
  hcall(): void;
  /** `sc 2`: an ultracall, with the same registers. A host without an ultravisor fails it. */
  ucall(): void;

  /**
   * A load or store outside RAM by CPU real address (host bridge windows, BARs). `bigEndian` is the instruction's
   * byte order: false is `lwbrx` and friends, whose value is the register's as PCI means it.
   */
  read(address: number, width: 1 | 2 | 4, bigEndian: boolean): number;
  write(address: number, width: 1 | 2 | 4, value: number, bigEndian: boolean): void;
  read64(address: number, bigEndian: boolean): bigint;
  write64(address: number, value: bigint, bigEndian: boolean): void;

  /** MSR of the CPU that acts from now on: PR decides H_PRIVILEGE, LE the byte order that a device reset latches. */
  setCpu(cpu: number, msr: bigint): void;

  /** Whether the acting CPU's external interrupt input is asserted; the guest then asks H_XIRR for the source. */
  interruptPending(): boolean;
  /** Lets virtual time pass, and what falls due in it happen. */
  advance(ticks: number): void;
  /** Waits until nothing is due any more, as a guest that has nothing else to do. */
  idle(): void;
}

/** What a guest that may become secure sees beyond that. */
export interface SecureGuestPlatform extends GuestPlatform {
  /** MSR of the acting CPU, as mfmsr reads it: with S where the guest is secure. */
  readonly msr: bigint;
  /**
   * Where the acting CPU goes on, if that is not behind its last call: the kernel's entry after UV_ESM, the address given
   * to start-cpu, an interrupt vector.
   */
  readonly entry: bigint | undefined;
  /** Why no instruction of this guest completes any more; undefined while it runs. Loads then give 0, calls nothing. */
  readonly halted: string | undefined;
}
