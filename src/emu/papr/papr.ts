import type { Digest } from '../core/digest.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import type { PciFunction } from '../pci/function.ts';
import type { ClientInterface } from './client-interface.ts';
import type { PaprEnvironment } from './environment.ts';
import { HcallTable } from './hcall.ts';
import type { HostBridge } from './host-bridge.ts';
import { Partition, type PartitionSnapshot } from './partition.ts';
import type { VirtualCpu } from './virtual-cpu.ts';

/**
 * The PAPR platform of one machine: hypercalls, RTAS, interrupts, TCEs and the PCI host bridges, answering as QEMU
 * 7.2's pseries machine does. A new one is in the state between realize and the first reset: call `reset`.
 */
export class Papr implements Stateful {
  readonly partition: Partition;
  readonly #hcalls: HcallTable;

  constructor(environment: PaprEnvironment, firmware?: ClientInterface) {
    this.partition = new Partition(environment, firmware);
    this.#hcalls = new HcallTable(this.partition);
  }

  get hostBridges(): readonly HostBridge[] {
    return this.partition.bridges;
  }

  /** The default host bridge, index 0. */
  get hostBridge(): HostBridge {
    return this.partition.bridges[0] as HostBridge;
  }

  get cpus(): readonly VirtualCpu[] {
    return this.partition.cpus;
  }

  /** The CPU that acts from now on, and its MSR: PR decides H_PRIVILEGE, LE the order that devices see. */
  setCpu(cpu: number, msr: bigint): void {
    this.partition.acting = cpu;
    const acting = this.partition.cpu;
    acting.msr = msr;
    acting.halted = false;
  }

  /** `sc 1` of a CPU: r3 … r12 at index 0 … 9, changed in place. Afterwards its MSR may have EE set (H_CEDE). */
  hcall(registers: BigUint64Array, msr: bigint, cpu: number): void {
    this.setCpu(cpu, msr);
    this.#hcalls.dispatch(registers);
  }

  interruptPending(cpu: number): boolean {
    return this.partition.xics.pending(cpu);
  }

  plug(phb: number, added: PciFunction): void {
    const bridge = this.partition.bridges.find((candidate) => candidate.index === phb);
    if (bridge === undefined) throw new Error(`there is no host bridge with index ${phb}`);
    bridge.plug(added);
  }

  /** Bytes typed at a console; ports count the vtys in order of their units. */
  consoleInput(port: number, bytes: Uint8Array): void {
    this.partition.vio.console(port)?.receive(bytes);
  }

  /** Machine reset, but for the PCI functions, which the machine resets. */
  reset(): void {
    this.partition.reset();
  }

  /** Says what tree the guest was started with; KVMPPC_H_UPDATE_DT is measured by it. */
  handOver(tree: Uint8Array): void {
    this.partition.handOver(tree);
  }

  /** All state but what snapshot() covers. */
  exchange(state: StateStream): void {
    this.partition.exchange(state);
  }

  /** TCEs, nvram and the handed-back tree: restoring costs what was touched since. */
  snapshot(): PartitionSnapshot {
    return this.partition.snapshot();
  }

  restore(snapshot: PartitionSnapshot): void {
    this.partition.restore(snapshot);
  }

  digest(into: Digest): void {
    this.partition.digest(into);
  }
}
