/** The two sides as they know each other: by calls alone. */
import type { ReflectedFrame } from './reflection.ts';

/** How the hypervisor leaves: by UV_RETURN, or straight into the guest (HRFID), which it may when the guest is not secure. */
export type HypervisorExit = 'uv-return' | 'hrfid';

/** The hypervisor as the ultravisor sees it. A hostile one stands in its place. */
export interface HypervisorPort {
  /**
   * An interrupt or a hypercall: all that the hypervisor learns of the guest's registers is in `frame`, and all that it
   * answers it leaves there: r0 is a hypercall's status, r4 … r12 its results.
   */
  enter(frame: ReflectedFrame): HypervisorExit;
}

/** Who makes an ultracall, by the machine state that it was interrupted in. */
export interface UcallCaller {
  readonly msr: bigint;
  /** The MSR that UV_RETURN goes back to; only the hypervisor's counts. */
  readonly resumeMsr: bigint;
}

/** The ultravisor as the hypervisor sees it. */
export interface UltravisorPort {
  /** `sc 2` in hypervisor state: arguments from r4 on. The status; r4 and r5 of some calls are in `results`. */
  hypervisorUcall(number: number, ...inputs: readonly bigint[]): number;
}

/** Everything that crosses, for whoever records. Sides: 0 the ultravisor, 1 the hypervisor. */
export interface SecureEvents {
  guestFault(address: number): void;
  hypervisorUcall(number: number, inputs: readonly bigint[]): void;
  hypervisorUcallReturn(status: number, r4: bigint, r5: bigint): void;
  ownHcall(token: number, inputs: readonly bigint[]): void;
  ownHcallReturn(status: bigint): void;
  reflect(frame: ReflectedFrame): void;
  reflectReturn(frame: ReflectedFrame): void;
  pageState(side: 0 | 1, gfn: number, from: number, to: number): void;
  vmState(side: 0 | 1, from: number, to: number): void;
}
