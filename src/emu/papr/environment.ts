import type { Diagnostics } from '../core/diagnostics.ts';
import type { EventQueue } from '../core/event-queue.ts';
import type { AddressSpace } from '../memory/address-space.ts';

/** Side-channel mitigations that `H_GET_CPU_CHARACTERISTICS` announces (spapr_caps.c). */
export interface MitigationLevels {
  readonly cfpc: 'broken' | 'workaround' | 'fixed';
  readonly sbbc: 'broken' | 'workaround' | 'fixed';
  readonly ibs: 'broken' | 'workaround' | 'fixed-ibs' | 'fixed-ccd' | 'fixed-na';
  readonly countCacheFlushAssist: boolean;
}

/** Where a host bridge's windows lie (spapr.c `spapr_phb_placement` and `phb_placement_2_7`). */
export type PhbPlacement =
  | { readonly scheme: '2.8' }
  | {
      readonly scheme: '2.7';
      /** First address behind RAM and hotplug area, rounded up to 1 TiB. */
      readonly base: number;
      /** 0xf80000000 (pseries-2.3 to 2.7) or 0x20000000 (older). */
      readonly memWindowBytes: number;
    };

export interface PhbOptions {
  readonly index: number;
  readonly ddw: boolean;
  /** Bit n: pages of 2^n bytes (`pgsz`). */
  readonly pageSizeMask: number;
}

/** One device on the VIO bus; `kind` is a row of VIO_KINDS. */
export interface VioOptions {
  readonly kind: string;
  /** `reg`; the next free number from 0x71000000 if it is left out. */
  readonly unit?: number;
}

/** What a machine version and its command line decide about the platform. All of it is plain data. */
export interface PaprOptions {
  readonly ramBytes: number;
  readonly maxRamBytes: number;
  readonly cpus: number;
  readonly maxCpus: number;
  /** Distance of the numbers of neighbouring CPUs: 1, or 8 on pseries-4.1 and older (`vsmt`). */
  readonly vsmt: number;
  readonly cpu: 'power7' | 'power8' | 'power9';
  readonly icMode: 'xics' | 'xive' | 'dual';
  /** pseries-3.0 and older: interrupt numbers are handed out from 0x1000 in order of creation. */
  readonly legacyIrqNumbers: boolean;
  readonly phbs: readonly PhbOptions[];
  readonly phbPlacement: PhbPlacement;
  readonly vio: readonly VioOptions[];
  readonly mitigations: MitigationLevels;
  readonly numaForm2: boolean;
  readonly hotplugEventSource: boolean;
  readonly hptResize: boolean;
  readonly fwnmi: boolean;
  readonly nestedHv: boolean;
  /** Whether host bridges, CPUs and PCI slots have dynamic reconfiguration connectors. */
  readonly drcPhbs: number;
  readonly drcCpus: boolean;
  readonly drcPci: boolean;
  /** 16 bytes, or none when the operator gave no UUID. */
  readonly uuid: Uint8Array | undefined;
  /** Seconds since 1970 at virtual time 0 (`-rtc base=`). */
  readonly epochSeconds: number;
}

/** What client-architecture-support settled, for the tree that is built anew. */
export interface Negotiated {
  /** Option vector 5: byte n of the vector at index n - 1. */
  readonly ov5: Uint8Array;
  /** 0 means the CPU's own mode. */
  readonly compatPvr: number;
  readonly preIsa3Guest: boolean;
}

/** How a machine stops or starts over. */
export type MachineRequest = 'power-off' | 'reset' | 'guest-panicked' | 'suspend' | 'fatal';

/**
 * What the platform needs of the machine around it. Addresses are guest-physical numbers; what cannot be held
 * exactly (2^53 and above) never reaches these hooks, because nothing answers there.
 */
export interface PaprEnvironment {
  readonly options: PaprOptions;
  readonly queue: EventQueue;
  readonly diagnostics: Diagnostics;
  /** What answers beside RAM; host bridges map their functions' BARs here. */
  readonly system: AddressSpace;

  /** The hypervisor's access to guest RAM; the whole range lies in RAM. The machine makes events of these. */
  hypervisorRead(address: number, into: Uint8Array, at: number, length: number): void;
  hypervisorWrite(address: number, from: Uint8Array, at: number, length: number): void;
  /** As these, but no events: for bytes that another event tells, RTAS arguments and results. */
  peek(address: number, into: Uint8Array, at: number, length: number): void;
  poke(address: number, from: Uint8Array, at: number, length: number): void;
  /** An interrupt message that does not hit the MSI window: 4 bytes, little-endian, through the function's DMA. */
  strayMessage(phb: number, devfn: number, address: bigint, data: number): void;
  /** BARs, bus mastering or DMA windows changed: what devices found in memory has to be found anew. */
  mapsChanged(): void;
  /** level: 0 lowered, 1 raised, 2 a message. */
  interrupt(source: number, level: 0 | 1 | 2): void;
  cpuInterrupt(server: number, asserted: boolean): void;
  /** `port` numbers the vtys in order of their unit. */
  consoleOutput(port: number, bytes: Uint8Array, length: number): void;
  request(kind: MachineRequest): void;
  /** A CPU that was halted runs: start-cpu. The entry state is real mode, big-endian. */
  startCpu(cpu: number, address: bigint, argument: bigint): void;
  /** A system reset interrupt at this CPU. */
  systemReset(cpu: number): void;
  /** The next 8 bytes of `spapr-rng`, the first least significant as a PC reads them; undefined without the device. */
  randomWord(): bigint | undefined;
  /** The device tree after client-architecture-support; undefined if it does not fit into `room` bytes. */
  buildTree(negotiated: Negotiated, room: number): Uint8Array | undefined;
  rtasCalled(token: number, nargs: number, nret: number, args: Uint32Array, count: number): void;
  rtasReturned(rets: Uint32Array, count: number): void;
}
