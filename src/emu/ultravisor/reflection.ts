/**
 * What the hypervisor sees of a secure guest's registers (open-power/ultravisor core/exceptions.c, core/context.c): a
 * frame built from zero, into which only what the event needs is put.
 */
import type { Rng } from '../core/rng.ts';
import type { StateStream } from '../core/state.ts';
import { MSR_ME, MSR_SF } from '../papr/abi.ts';
import {
  MSR_FP,
  MSR_HV,
  MSR_RI,
  MSR_S,
  MSR_VEC,
  MSR_VSX,
  SRR1_LEV,
  SRR1_LEV_SHIFT,
  VECTOR_HDSI,
  VECTOR_SYSTEM_CALL,
} from './abi.ts';

/** `hidden`: the hypervisor finds 0; `kept`: what the guest has there; `made`: the ultravisor's own value. */
type Treatment = 'hidden' | 'kept' | 'made';

interface SpecialRegister {
  readonly name: string;
  readonly treatment: Treatment;
}

const NAMES: Readonly<Record<Treatment, string>> = {
  made: 'nia msr srr0 srr1 hsrr0 hsrr1 dec ppr hdar hdsisr asdr dar dsisr',
  kept: 'lpidr pidr lpcr hsprg0 hsprg1',
  hidden:
    'ctr lr xer cfar cr sprg0 sprg1 sprg2 sprg3 spurr purr ciabr dawr dawrx iamr dscr pspb tar uamor vrsave sdar sier siar pmc1 pmc2 pmc3 pmc4 pmc5 pmc6 mmcrc trace ebbhr ebbrr bescr heir tidr ic',
};

/** Every special register of a frame, in the order in which a `reflect` event carries them after r0 … r31. */
export const SPECIAL_REGISTERS: readonly SpecialRegister[] = (['made', 'kept', 'hidden'] as const).flatMap(
  (treatment) => NAMES[treatment].split(' ').map((name) => ({ name, treatment })),
);

const INDEX: ReadonlyMap<string, number> = new Map(SPECIAL_REGISTERS.map(({ name }, index) => [name, index]));

function special(name: string): number {
  return INDEX.get(name) ?? 0;
}

const NIA: number = special('nia');
const MSR: number = special('msr');
const SRR0: number = special('srr0');
const SRR1: number = special('srr1');
const HSRR0: number = special('hsrr0');
const HSRR1: number = special('hsrr1');
const DEC: number = special('dec');
const PPR: number = special('ppr');
const LPIDR: number = special('lpidr');
const PIDR: number = special('pidr');
const ASDR: number = special('asdr');
const HDAR: number = special('hdar');

const DEC_HIDDEN = 0x7fff_ffffn;
const PPR_USUAL = 0x0010_0000_0000_0000n;
const COOKIE_BITS = (1n << 52n) - 1n;
const VECTORS_END = 0x2000n;
/** SRR1 bits that say why: all that a synthesized interrupt may bring. */
const SRR1_STATUS = 0x783f_0000n;

/** The registers of one virtual CPU beyond r3 … r12, which the seam has: what must not be seen. */
export class VcpuRegisters {
  readonly general: BigUint64Array<ArrayBuffer> = new BigUint64Array(32);
  readonly special: BigUint64Array<ArrayBuffer> = new BigUint64Array(SPECIAL_REGISTERS.length);

  exchange(state: StateStream): void {
    state.bytes(new Uint8Array(this.general.buffer));
    state.bytes(new Uint8Array(this.special.buffer));
  }
}

const FRAME_WORDS: number = 32 + SPECIAL_REGISTERS.length;

/**
 * The registers with which the hypervisor is entered and which it leaves behind: r0 … r31, then the special ones. It may
 * change all of them; what is believed of that is `accept`'s business.
 */
export class ReflectedFrame {
  readonly words: BigUint64Array<ArrayBuffer> = new BigUint64Array(FRAME_WORDS);
  readonly general: BigUint64Array<ArrayBuffer> = this.words.subarray(0, 32);
  readonly special: BigUint64Array<ArrayBuffer> = this.words.subarray(32);
  /** The general ones by halves. */
  readonly halves: Uint32Array<ArrayBuffer> = new Uint32Array(this.words.buffer, 0, 64);
  readonly #bytes: Uint8Array = new Uint8Array(8 * FRAME_WORDS);
  readonly #view: DataView = new DataView(this.#bytes.buffer);
  vector = 0;
  cpu = 0;
  /** Whose errand it is: the guest's own event, or the ultravisor's hypercall. */
  own = false;

  get srr1(): bigint {
    return this.special[SRR1] ?? 0n;
  }

  /** The guest-physical address of a fault that is shown to the hypervisor. */
  get faultAddress(): bigint {
    return this.special[ASDR] ?? 0n;
  }

  /** The guest is not secure after all: the hypervisor returns to it by itself. */
  leaveSecure(): void {
    this.special[SRR1] = (this.special[SRR1] ?? 0n) & ~MSR_S;
    this.special[HSRR1] = this.special[SRR1] ?? 0n;
  }

  /** All registers, big-endian: what an event carries. */
  bytes(): Uint8Array {
    for (let i = 0; i < FRAME_WORDS; i++) this.#view.setBigUint64(8 * i, this.words[i] ?? 0n);
    return this.#bytes;
  }
}

/** What the guest was doing when it was interrupted. */
export interface Interrupted {
  readonly vector: number;
  readonly cpu: number;
  readonly msr: bigint;
  readonly registers: VcpuRegisters;
  /** Leave the decrementer: H_CEDE would sleep too long. */
  readonly decrementer?: bigint;
  /** Of a storage interrupt. */
  readonly address?: bigint;
}

/** Builds frames and keeps the cookies by which UV_RETURN is known. */
export class Reflection {
  readonly #chance: Rng;
  readonly #allRandom: boolean;
  readonly #lpid: () => bigint;
  #depth = 0;
  readonly #frames: ReflectedFrame[] = [];
  readonly #cookies: bigint[] = [];
  readonly #processIds: bigint[] = [];

  constructor(chance: Rng, allRandom: boolean, lpid: () => bigint) {
    this.#chance = chance;
    this.#allRandom = allRandom;
    this.#lpid = lpid;
  }

  /** A frame of its own for every depth: the hypervisor's ultracalls may lead to further reflections. */
  open(interrupted: Interrupted): ReflectedFrame {
    const depth = this.#depth++;
    const frame = (this.#frames[depth] ??= new ReflectedFrame());
    const { vector, msr, registers } = interrupted;
    frame.words.fill(0n);
    frame.vector = vector;
    frame.cpu = interrupted.cpu;
    const { general, special: sprs } = frame;
    const halves = this.#allRandom ? 64 : 2;
    for (let i = 0; i < halves; i++) frame.halves[i] = this.#chance.u32();
    const cookie = this.#cookie();
    this.#cookies[depth] = cookie;
    general[31] = cookie;
    sprs[SRR0] = cookie;
    sprs[HSRR0] = cookie;
    let srr1 = msr | MSR_S;
    if (vector === VECTOR_SYSTEM_CALL) srr1 = (srr1 & ~SRR1_LEV) | (1n << SRR1_LEV_SHIFT);
    sprs[SRR1] = srr1;
    sprs[HSRR1] = srr1;
    sprs[NIA] = BigInt(vector);
    sprs[MSR] =
      MSR_SF | MSR_HV | MSR_ME | (msr & (MSR_FP | MSR_VSX | MSR_VEC)) | (isHvInterrupt(vector) ? MSR_RI : 0n);
    sprs[DEC] = interrupted.decrementer ?? DEC_HIDDEN;
    sprs[PPR] = PPR_USUAL;
    for (const [index, { treatment }] of SPECIAL_REGISTERS.entries()) {
      if (treatment === 'kept') sprs[index] = registers.special[index] ?? 0n;
    }
    sprs[LPIDR] = this.#lpid();
    this.#processIds[depth] = sprs[PIDR] ?? 0n;
    if (vector === VECTOR_HDSI) {
      sprs[ASDR] = interrupted.address ?? 0n;
      sprs[HDAR] = interrupted.address ?? 0n;
    }
    return frame;
  }

  /** UV_RETURN's checks of a frame that came back. */
  close(frame: ReflectedFrame): Returned {
    const depth = --this.#depth;
    const cookie = this.#cookies[depth] ?? 0n;
    const { general, special: sprs } = frame;
    if (general[31] !== cookie) return { verdict: 'unknown-cookie' };
    if (sprs[LPIDR] !== this.#lpid() || sprs[PIDR] !== this.#processIds[depth]) return { verdict: 'moved' };
    const at = sprs[HSRR0] ?? 0n;
    if (at === cookie || at >= VECTORS_END || (at & 0x1fn) !== 0n) return { verdict: 'resume' };
    return { verdict: 'interrupt', vector: Number(at), status: (general[2] ?? 0n) & SRR1_STATUS };
  }

  /** 52 random bits, never 0 … 0x1fff, so that no vector is taken for one. */
  #cookie(): bigint {
    for (;;) {
      const cookie = this.#chance.u64() & COOKIE_BITS & ~3n;
      if (cookie >= VECTORS_END) return cookie;
    }
  }
}

export type Returned =
  | { readonly verdict: 'resume' }
  /** Something that the firmware does not survive. */
  | { readonly verdict: 'unknown-cookie' }
  /** LPIDR or PIDR is not the guest's: the guest ends. */
  | { readonly verdict: 'moved' }
  | { readonly verdict: 'interrupt'; readonly vector: number; readonly status: bigint };

function isHvInterrupt(vector: number): boolean {
  return HV_VECTORS.has(vector);
}

/** Interrupts that set HSRR0 and HSRR1. */
const HV_VECTORS: ReadonlySet<number> = new Set([0x980, 0xe00, 0xe20, 0xe40, 0xe60, 0xe80, 0xea0, 0xf80]);
