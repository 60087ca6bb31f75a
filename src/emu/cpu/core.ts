/**
 * What instructions need that the interpreter leaves to the processor. Interrupts replace the program counter; every
 * other instruction goes on behind itself.
 */
export interface Core {
  /** r0 … r31, and a zero. */
  readonly registers: BigUint64Array;
  /** Doublewords 0 and 1 of VSR n at 2n and 2n + 1. */
  readonly vectors: BigUint64Array;
  /** By number. */
  readonly specials: BigUint64Array;
  /** CR fields 0 … 7: LT 8, GT 4, EQ 2, SO 1. */
  readonly condition: Uint8Array;
  /** XER[SO]. */
  readonly summaryOverflow: number;
  readonly msr: bigint;
  fpscr: bigint;
  vscr: bigint;
  /** MSR[LE]. */
  readonly little: boolean;
  /** Address of the instruction under way. */
  readonly pc: bigint;
  /** Where to go on instead of behind the instruction. */
  goTo(pc: bigint): void;
  /** Changes MSR as mtmsrd and rfid do. */
  setMsr(value: bigint): void;
  timebase(): bigint;
  decrementer(): bigint;
  setDecrementer(value: bigint): void;
  setPid(value: bigint): void;
  /** AMR, under its two numbers, and IAMR. */
  setAuthority(spr: number, value: bigint): void;
  /** tlbie, tlbiel: rB and RIC. */
  invalidate(operand: bigint, ric: number): void;
  interrupt(vector: number, status: bigint): void;
  programInterrupt(reason: bigint): void;
  alignmentInterrupt(): void;
  facilityInterrupt(facility: number): void;
  /** False if MSR has not all these bits: then the interrupt is taken already. */
  available(facility: 'float' | 'vector' | 'vsx'): boolean;
  /** sc 1. */
  hypercall(): void;
  systemCallVectored(level: number): void;
  returnFromVectored(): void;
  random(): bigint;
  /** Bytes of memory as they lie; undefined with the interrupt raised. */
  loadBytes(address: bigint, length: number): Uint8Array | undefined;
  /** False with the interrupt raised. */
  storeBytes(address: bigint, bytes: Uint8Array): boolean;
}
