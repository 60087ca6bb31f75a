// Numbers of the Power ISA 3.0B, book III: machine state, special registers, interrupt vectors.

export const MSR_SF: bigint = 1n << 63n;
export const MSR_VEC: bigint = 1n << 25n;
export const MSR_VSX: bigint = 1n << 23n;
export const MSR_EE: bigint = 1n << 15n;
export const MSR_PR: bigint = 1n << 14n;
export const MSR_FP: bigint = 1n << 13n;
export const MSR_ME: bigint = 1n << 12n;
export const MSR_FE0: bigint = 1n << 11n;
export const MSR_FE1: bigint = 1n << 8n;
export const MSR_IR: bigint = 1n << 5n;
export const MSR_DR: bigint = 1n << 4n;
export const MSR_RI: bigint = 1n << 1n;
export const MSR_LE: bigint = 1n;

export const SPR: {
  readonly xer: number;
  readonly dscrUser: number;
  readonly lr: number;
  readonly ctr: number;
  readonly amrUser: number;
  readonly amr: number;
  readonly iamr: number;
  readonly dsisr: number;
  readonly dar: number;
  readonly dec: number;
  readonly srr0: number;
  readonly srr1: number;
  readonly pid: number;
  readonly fscr: number;
  readonly sprg3User: number;
  readonly tb: number;
  readonly tbu: number;
  readonly sprg3: number;
  readonly pvr: number;
  readonly tar: number;
} = {
  xer: 1,
  dscrUser: 3,
  lr: 8,
  ctr: 9,
  amrUser: 13,
  amr: 29,
  iamr: 61,
  dsisr: 18,
  dar: 19,
  dec: 22,
  srr0: 26,
  srr1: 27,
  pid: 48,
  fscr: 153,
  sprg3User: 259,
  tb: 268,
  tbu: 269,
  sprg3: 275,
  pvr: 287,
  tar: 815,
};

export const VECTOR: {
  readonly systemReset: number;
  readonly machineCheck: number;
  readonly dataStorage: number;
  readonly dataSegment: number;
  readonly instructionStorage: number;
  readonly instructionSegment: number;
  readonly external: number;
  readonly alignment: number;
  readonly program: number;
  readonly floatUnavailable: number;
  readonly decrementer: number;
  readonly systemCall: number;
  readonly vectorUnavailable: number;
  readonly vsxUnavailable: number;
  readonly facilityUnavailable: number;
} = {
  systemReset: 0x100,
  machineCheck: 0x200,
  dataStorage: 0x300,
  dataSegment: 0x380,
  instructionStorage: 0x400,
  instructionSegment: 0x480,
  external: 0x500,
  alignment: 0x600,
  program: 0x700,
  floatUnavailable: 0x800,
  decrementer: 0x900,
  systemCall: 0xc00,
  vectorUnavailable: 0xf20,
  vsxUnavailable: 0xf40,
  facilityUnavailable: 0xf60,
};

/** SRR1 of a program interrupt. */
export const PROGRAM: {
  readonly floatEnabled: bigint;
  readonly illegal: bigint;
  readonly privileged: bigint;
  readonly trap: bigint;
} = { floatEnabled: 1n << 20n, illegal: 1n << 19n, privileged: 1n << 18n, trap: 1n << 17n };

/** DSISR, and SRR1 of instruction storage interrupts. */
export const FAULT: {
  readonly noTranslation: number;
  readonly noExecute: number;
  readonly protection: number;
  readonly store: number;
  readonly badTree: number;
} = {
  noTranslation: 0x4000_0000,
  noExecute: 0x1000_0000,
  protection: 0x0800_0000,
  store: 0x0200_0000,
  badTree: 0x0008_0000,
};
