import type { Stateful, StateStream } from '../core/state.ts';
import { MSR_ME, MSR_SF } from './abi.ts';

/** LPCR bits that hypercalls change (Power ISA 3.0, book III 2.2). */
export const LPCR_ILE: bigint = 1n << 25n;
export const LPCR_AIL_SHIFT = 23n;
export const LPCR_AIL: bigint = 3n << LPCR_AIL_SHIFT;
export const LPCR_UPRT: bigint = 1n << 22n;
export const LPCR_HR: bigint = 1n << 20n;
export const LPCR_GTSE: bigint = 1n << 10n;
/** Of these, nothing else is kept. */
export const LPCR_KEPT: bigint = LPCR_ILE | LPCR_AIL | LPCR_UPRT | LPCR_HR | LPCR_GTSE;

/** What the hypervisor keeps of one virtual CPU (QEMU's SpaprCpuState and the registers that hypercalls touch). */
export class VirtualCpu implements Stateful {
  /** As guests name it: `reg` of its node, server number of its interrupts. */
  readonly number: number;
  msr: bigint = MSR_SF | MSR_ME;
  halted: boolean;
  /** H_PROD was called, and no H_CEDE has used it up. */
  prodded = false;
  lpcr = 0n;
  sprg0 = 0n;
  dabr = 0n;
  dabrx = 0n;
  /** Addresses of areas registered by H_REGISTER_VPA; 0 is none. */
  vpa = 0n;
  slbShadow = 0n;
  slbShadowBytes = 0;
  dispatchLog = 0n;
  dispatchLogBytes = 0;
  readonly #startsHalted: boolean;

  constructor(number: number, startsHalted: boolean) {
    this.number = number;
    this.#startsHalted = startsHalted;
    this.halted = startsHalted;
  }

  reset(lpcr: bigint): void {
    this.msr = MSR_SF | MSR_ME;
    this.halted = this.#startsHalted;
    this.prodded = false;
    this.lpcr = lpcr;
    this.sprg0 = 0n;
    this.dabr = 0n;
    this.dabrx = 0n;
    this.vpa = 0n;
    this.slbShadow = 0n;
    this.slbShadowBytes = 0;
    this.dispatchLog = 0n;
    this.dispatchLogBytes = 0;
  }

  exchange(state: StateStream): void {
    this.msr = state.u64(this.msr);
    this.halted = state.bool(this.halted);
    this.prodded = state.bool(this.prodded);
    this.lpcr = state.u64(this.lpcr);
    this.sprg0 = state.u64(this.sprg0);
    this.dabr = state.u64(this.dabr);
    this.dabrx = state.u64(this.dabrx);
    this.vpa = state.u64(this.vpa);
    this.slbShadow = state.u64(this.slbShadow);
    this.slbShadowBytes = state.u32(this.slbShadowBytes);
    this.dispatchLog = state.u64(this.dispatchLog);
    this.dispatchLogBytes = state.u32(this.dispatchLogBytes);
  }
}
