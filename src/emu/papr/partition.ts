import type { Digest } from '../core/digest.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import type { MemorySnapshot } from '../memory/guest-memory.ts';
import {
  DRC_CPU,
  DRC_PHB,
  IRQ_EPOW,
  IRQ_HOTPLUG,
  MSR_EE,
  MSR_LE,
  OV5_DRCONF_MEMORY,
  OV5_DRMEM_V2,
  OV5_FORM1_AFFINITY,
  OV5_FORM2_AFFINITY,
  OV5_HPT_RESIZE,
  OV5_HP_EVT,
  OV5_MMU_RADIX_300,
  OV5_MMU_RADIX_GTSE,
  OV5_XIVE_EXPLOIT,
  TCE_LIST_MAX,
  XIRQ_BASE,
  XIRQS,
  XIRQS_LEGACY,
} from './abi.ts';
import type { ClientInterface } from './client-interface.ts';
import { RealTimeClock } from './clock.ts';
import { Connectors } from './connectors.ts';
import type { PaprEnvironment, PaprOptions } from './environment.ts';
import { GuestAccess } from './guest-access.ts';
import { HostBridge } from './host-bridge.ts';
import { IrqAllocator } from './irq-allocator.ts';
import { OptionVector } from './option-vector.ts';
import type { TceSnapshot, TceTable } from './tce-table.ts';
import { VioBus } from './vio.ts';
import { LPCR_HR, LPCR_UPRT, VirtualCpu } from './virtual-cpu.ts';
import { WATCHDOG_DUMP, WATCHDOG_RESTART, Watchdogs } from './watchdog.ts';
import { Xics } from './xics.ts';

/** PATE1_GR: the guest uses radix translation. */
export const PATE1_GR: bigint = 1n << 63n;

const NO_TREE = new Uint8Array(0);

/** The parts whose restoring costs what was touched: tables by LIOBN order, the nvram, the guest's device tree. */
export interface PartitionSnapshot {
  readonly tables: readonly TceSnapshot[];
  readonly nvram: MemorySnapshot | undefined;
  readonly tree: Uint8Array;
}

/** What the platform offers by option vector 5 (spapr.c spapr_machine_init). */
function platformVector(options: PaprOptions): OptionVector {
  const power9 = options.cpu === 'power9';
  const offers = [
    { bit: OV5_DRCONF_MEMORY, offered: true },
    { bit: OV5_FORM1_AFFINITY, offered: true },
    { bit: OV5_FORM2_AFFINITY, offered: options.numaForm2 },
    { bit: OV5_HP_EVT, offered: options.hotplugEventSource },
    { bit: OV5_HPT_RESIZE, offered: options.hptResize },
    { bit: OV5_DRMEM_V2, offered: true },
    { bit: OV5_XIVE_EXPLOIT, offered: options.icMode !== 'xics' && power9 },
    { bit: OV5_MMU_RADIX_300, offered: power9 },
    { bit: OV5_MMU_RADIX_GTSE, offered: power9 },
  ];
  const vector = new OptionVector();
  for (const { bit, offered } of offers) if (offered) vector.set(bit);
  return vector;
}

/**
 * The logical partition: every part of the platform that hypercalls and RTAS reach, and the CPU that acts. Handlers
 * get this and nothing else.
 */
export class Partition implements Stateful {
  readonly environment: PaprEnvironment;
  readonly options: PaprOptions;
  readonly guest: GuestAccess;
  readonly cpus: readonly VirtualCpu[];
  readonly xics: Xics;
  readonly irqs: IrqAllocator;
  readonly vio: VioBus;
  readonly bridges: readonly HostBridge[];
  readonly connectors: Connectors;
  readonly clock: RealTimeClock;
  readonly watchdogs: Watchdogs;
  readonly epowIrq: number;
  /** Only where the machine has its own source for hotplug events. */
  readonly hotplugIrq: number | undefined;
  readonly ov5Platform: OptionVector;
  /** What client-architecture-support settled; empty before. */
  readonly ov5: OptionVector = new OptionVector();
  compatPvr = 0;
  preIsa3Guest = true;
  /** The partition table entry: PATE1_GR says radix. */
  partitionEntry = 0n;
  /** ibm,nmi-register: -1 is none. */
  nmiSystemReset = -1;
  nmiMachineCheck = -1;
  /** The device tree as the guest last handed it back, and the size of the one it was given. */
  tree: Uint8Array = NO_TREE;
  treeGivenBytes = 0;
  /** The client interface, where the machine is its guest's firmware. */
  readonly firmware: ClientInterface | undefined;
  /** Index of the CPU that acts. */
  acting = 0;
  /** Where H_PUT_TCE_INDIRECT reads its list. */
  readonly list: Uint8Array<ArrayBuffer> = new Uint8Array(8 * TCE_LIST_MAX);
  readonly listView: DataView<ArrayBuffer> = new DataView(this.list.buffer);
  readonly #tables: readonly TceTable[];

  constructor(environment: PaprEnvironment, firmware?: ClientInterface) {
    const { options } = environment;
    this.environment = environment;
    this.firmware = firmware;
    this.options = options;
    this.guest = new GuestAccess(environment);
    this.cpus = Array.from({ length: options.cpus }, (_, i) => new VirtualCpu(i * options.vsmt, i > 0));
    const sources = options.legacyIrqNumbers ? XIRQS_LEGACY : XIRQS;
    this.xics = new Xics(
      sources,
      options.cpus,
      (server) => this.cpuIndex(server),
      (cpu, asserted) => this.#outputChanged(cpu, asserted),
    );
    this.irqs = new IrqAllocator(this.xics, options.legacyIrqNumbers);
    this.epowIrq = this.irqs.claimFixed(IRQ_EPOW, false);
    this.hotplugIrq = options.hotplugEventSource ? this.irqs.claimFixed(IRQ_HOTPLUG, false) : undefined;
    this.vio = new VioBus(options.vio, this.irqs, (irq) => this.pulse(irq));
    this.bridges = options.phbs.map(
      (phb) =>
        new HostBridge(phb, options.phbPlacement, {
          environment,
          irqs: this.irqs,
          cpuOrder: () => this.cpuOrder,
          setLevel: (irq, asserted) => this.#setLevel(irq, asserted),
          message: (irq) => this.#message(irq),
        }),
    );
    this.connectors = new Connectors(
      {
        cpuNumbers: options.drcCpus
          ? Array.from({ length: options.maxCpus }, (_, i) => i * options.vsmt)
          : [],
        hostBridges: options.drcPhbs,
        pciBridges: options.drcPci ? options.phbs.map((phb) => phb.index) : [],
      },
      (index) => this.#isPresent(index),
    );
    this.clock = new RealTimeClock(environment.queue, options.epochSeconds);
    this.watchdogs = new Watchdogs(environment.queue, (action) => this.#watchdogExpired(action));
    this.ov5Platform = platformVector(options);
    this.#tables = [
      ...this.bridges.flatMap((bridge) => bridge.dma.tables),
      ...this.vio.devices.flatMap((device) => (device.table === undefined ? [] : [device.table])),
    ];
  }

  get cpu(): VirtualCpu {
    return this.cpus[this.acting] as VirtualCpu;
  }

  get cpuOrder(): 'little' | 'big' {
    return (this.cpu.msr & MSR_LE) !== 0n ? 'little' : 'big';
  }

  get radix(): boolean {
    return (this.partitionEntry & PATE1_GR) !== 0n;
  }

  /** Whether client-architecture-support chose XIVE: the calls of XICS answer H_HARDWARE then. */
  get xive(): boolean {
    return this.ov5.has(OV5_XIVE_EXPLOIT);
  }

  /** The CPU of a guest's number, cut to 32 bits as QEMU's spapr_find_cpu cuts it; -1 without one. */
  cpuIndex(number: number): number {
    const index = (number >>> 0) / this.options.vsmt;
    return Number.isInteger(index) && index < this.options.cpus ? index : -1;
  }

  /** The table of a LIOBN, disabled ones too; the upper half of a register must be zero. */
  tableOf(high: number, liobn: number): TceTable | undefined {
    if (high !== 0) return undefined;
    const tables = this.#tables;
    for (let i = 0; i < tables.length; i++) if (tables[i]?.liobn === liobn) return tables[i];
    return undefined;
  }

  bridgeOf(buidHigh: number, buidLow: number): HostBridge | undefined {
    return this.bridges.find((bridge) => bridge.buidHigh === buidHigh && bridge.buidLow === buidLow);
  }

  /** Lowest address at or above `address` at which a BAR answers; Infinity if none does. */
  nextMapped(address: number): number {
    let lowest = Infinity;
    for (const bridge of this.bridges) lowest = Math.min(lowest, bridge.nextMapped(address));
    return lowest;
  }

  /** An edge: message interrupts, consoles. */
  pulse(irq: number): void {
    this.environment.interrupt(irq, 2);
    this.xics.pulse(irq);
  }

  say(line: string): void {
    if (this.environment.diagnostics.listening) this.environment.diagnostics.say(line);
  }

  reset(): void {
    const power9 = this.options.cpu === 'power9';
    this.partitionEntry = power9 ? PATE1_GR : 0n;
    for (const cpu of this.cpus) cpu.reset(power9 ? LPCR_HR | LPCR_UPRT : 0n);
    this.acting = 0;
    // Sources first: what host bridges give back afterwards is left with priority 0, as in QEMU.
    this.xics.reset();
    this.vio.reset();
    for (const bridge of this.bridges) bridge.reset();
    this.ov5.clear();
    this.compatPvr = 0;
    this.preIsa3Guest = true;
    this.connectors.reset();
    this.nmiSystemReset = -1;
    this.nmiMachineCheck = -1;
    this.tree = NO_TREE;
    this.treeGivenBytes = 0;
  }

  /** The tree that the guest starts with. */
  handOver(tree: Uint8Array): void {
    this.tree = tree;
    this.treeGivenBytes = tree.length;
  }

  exchange(state: StateStream): void {
    for (const cpu of this.cpus) cpu.exchange(state);
    this.acting = state.u16(this.acting);
    this.xics.exchange(state);
    this.vio.exchange(state);
    for (const bridge of this.bridges) bridge.exchange(state);
    this.connectors.exchange(state);
    this.clock.exchange(state);
    this.watchdogs.exchange(state);
    state.bytes(this.ov5.bytes);
    this.compatPvr = state.u32(this.compatPvr);
    this.preIsa3Guest = state.bool(this.preIsa3Guest);
    this.partitionEntry = state.u64(this.partitionEntry);
    this.nmiSystemReset = state.integer(this.nmiSystemReset);
    this.nmiMachineCheck = state.integer(this.nmiMachineCheck);
    this.treeGivenBytes = state.u32(this.treeGivenBytes);
    this.firmware?.exchange(state);
  }

  snapshot(): PartitionSnapshot {
    return {
      tables: this.#tables.map((table) => table.snapshot()),
      nvram: this.vio.nvram?.snapshot(),
      tree: this.tree,
    };
  }

  restore(snapshot: PartitionSnapshot): void {
    for (let i = 0; i < this.#tables.length; i++) {
      const table = snapshot.tables[i];
      if (table !== undefined) this.#tables[i]?.restore(table);
    }
    if (snapshot.nvram !== undefined) this.vio.nvram?.restore(snapshot.nvram);
    this.tree = snapshot.tree;
  }

  /** What snapshot() covers; the rest is digested through exchange(). */
  digest(into: Digest): void {
    for (const table of this.#tables) {
      into.word(table.liobn);
      table.digest(into);
    }
    this.vio.nvram?.digest(into);
    into.word(this.tree.length);
    into.bytes(this.tree);
  }

  #setLevel(irq: number, asserted: boolean): void {
    this.environment.interrupt(irq, asserted ? 1 : 0);
    this.xics.setLevel(irq, asserted);
  }

  /** QEMU aborts at a number that is no interrupt (spapr_qirq); here nothing happens, nor where nobody owns it. */
  #message(irq: number): void {
    const { diagnostics } = this.environment;
    if (irq < XIRQ_BASE) diagnostics.ended('abort', "spapr_qirq: Assertion `irq >= SPAPR_XIRQ_BASE' failed.");
    else if (!this.xics.isSource(irq)) {
      const limit = 'irq < (smc->nr_xirqs + SPAPR_XIRQ_BASE)';
      diagnostics.ended('abort', `spapr_qirq: Assertion \`${limit}' failed.`);
    }
    if (this.xics.isSource(irq) && this.xics.isClaimed(irq)) this.pulse(irq);
    else this.say(`spapr_msi_write: nobody owns interrupt 0x${irq.toString(16)}`);
  }

  #outputChanged(index: number, asserted: boolean): void {
    const cpu = this.cpus[index];
    if (cpu === undefined) return;
    if (asserted && cpu.halted && this.#wakes(cpu)) cpu.halted = false;
    this.environment.cpuInterrupt(cpu.number, asserted);
  }

  /** A CPU that ceded has interrupts enabled; one that was never started, or joined, has not. */
  #wakes(cpu: VirtualCpu): boolean {
    return (cpu.msr & MSR_EE) !== 0n;
  }

  #watchdogExpired(action: number): void {
    if (action === WATCHDOG_RESTART) this.environment.request('reset');
    else if (action === WATCHDOG_DUMP) for (let cpu = 0; cpu < this.cpus.length; cpu++) this.systemReset(cpu);
    else this.environment.request('power-off');
  }

  systemReset(cpu: number): void {
    const target = this.cpus[cpu];
    if (target !== undefined) target.halted = false;
    this.environment.systemReset(cpu);
  }

  #isPresent(index: number): boolean {
    const type = index >>> 28;
    const id = index % 2 ** 28;
    if (type === DRC_CPU) return this.cpuIndex(id) >= 0;
    if (type === DRC_PHB) return this.bridges.some((bridge) => bridge.index === id);
    const bridge = this.bridges.find((candidate) => candidate.index === id >>> 16);
    return bridge?.functions.some((found) => found.devfn === (id & 0xff)) === true;
  }
}
