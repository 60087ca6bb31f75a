import type { Stateful, StateStream } from '../core/state.ts';
import { AddressSpace, EntryGuard } from '../memory/address-space.ts';
import { ANY_WIDTH, type Region } from '../memory/region.ts';
import { BusHit, type BusSpace } from '../memory/translation.ts';
import type { Bar, PciBus, PciFunction } from '../pci/function.ts';
import {
  IO_WINDOW_BYTES,
  IRQ_PCI_LSI,
  MEM32_BUS_ADDRESS,
  MEM32_WINDOW_BYTES,
  MSI_WINDOW_BYTES,
  MSI_WINDOW_HIGH,
  PCI_PINS,
  PHB_BUID_HIGH,
  PHB_BUID_LOW,
} from './abi.ts';
import { DmaWindows } from './dma-window.ts';
import type { PaprEnvironment, PhbOptions, PhbPlacement } from './environment.ts';
import type { IrqAllocator } from './irq-allocator.ts';

const TWO_32 = 2 ** 32;
const GIB = 2 ** 30;
const TIB = 2 ** 40;
const DEVFNS = 256;
const MSI_ADDRESS = MSI_WINDOW_HIGH * TWO_32;

/** A stretch of the CPU's address space that shows a stretch of the bus. */
export interface BridgeWindow {
  /** Address on the PCI side. */
  readonly bus: number;
  /** Address on the CPU's side. */
  readonly cpu: number;
  readonly bytes: number;
}

interface Placement {
  readonly io: BridgeWindow;
  readonly mem32: BridgeWindow;
  readonly mem64: BridgeWindow | undefined;
}

/** spapr_phb_placement of pseries-2.8 and newer, phb_placement_2_7 before. */
function placed(index: number, placement: PhbPlacement): Placement {
  if (placement.scheme === '2.8') {
    const mem64 = 0x2100_0000_0000 + TIB * index;
    return {
      io: { bus: 0, cpu: 0x2000_0000_0000 + IO_WINDOW_BYTES * index, bytes: IO_WINDOW_BYTES },
      mem32: { bus: MEM32_BUS_ADDRESS, cpu: 0x2000_8000_0000 + 2 * GIB * index, bytes: MEM32_WINDOW_BYTES },
      mem64: { bus: mem64, cpu: mem64, bytes: TIB },
    };
  }
  const base = placement.base + 64 * GIB * index;
  const mem = base + 0xa000_0000;
  const beyond = placement.memWindowBytes - MEM32_WINDOW_BYTES;
  return {
    io: { bus: 0, cpu: base + 0x8000_0000, bytes: IO_WINDOW_BYTES },
    mem32: {
      bus: MEM32_BUS_ADDRESS,
      cpu: mem,
      bytes: Math.min(placement.memWindowBytes, MEM32_WINDOW_BYTES),
    },
    mem64: beyond > 0 ? { bus: TWO_32, cpu: mem + MEM32_WINDOW_BYTES, bytes: beyond } : undefined,
  };
}

/** A block of message interrupts that ibm,change-msi gave to a configuration address. */
export interface MessageBlock {
  readonly first: number;
  readonly count: number;
}

/** What of the platform a host bridge uses. */
export interface BridgeServices {
  readonly environment: PaprEnvironment;
  readonly irqs: IrqAllocator;
  readonly cpuOrder: () => 'little' | 'big';
  readonly setLevel: (irq: number, asserted: boolean) => void;
  /** A message with this interrupt number arrived. */
  readonly message: (irq: number) => void;
}

interface MappedBar {
  readonly devfn: number;
  readonly bar: number;
  readonly address: number;
}

/**
 * A PCI host bridge (QEMU hw/ppc/spapr_pci.c): a conventional root bus, three windows through which the CPU sees its
 * BARs, and the I/O bus address space that its functions master: TCE windows and the MSI window.
 */
export class HostBridge implements PciBus, BusSpace, Stateful {
  readonly index: number;
  readonly buidHigh: number = PHB_BUID_HIGH;
  readonly buidLow: number;
  readonly io: BridgeWindow;
  readonly mem32: BridgeWindow;
  readonly mem64: BridgeWindow | undefined;
  readonly dma: DmaWindows;
  /** Sources of the four lines that INTx pins share. */
  readonly lsi: readonly [number, number, number, number];
  /** What functions reach outside the TCE windows. */
  readonly regions: AddressSpace = new AddressSpace();
  /** By configuration address, register bits included. */
  readonly messages: Map<number, MessageBlock> = new Map();

  readonly #services: BridgeServices;
  readonly #functions: (PciFunction | undefined)[] = Array.from({ length: DEVFNS }, () => undefined);
  /** In the order of mapping: what was mapped later hides what was mapped earlier. */
  #mapped: MappedBar[] = [];
  readonly #guards: Map<number, EntryGuard> = new Map();
  readonly #intx: Uint8Array = new Uint8Array(DEVFNS);
  readonly #asserted: Uint8Array = new Uint8Array(PCI_PINS);
  readonly #hit: BusHit = new BusHit();

  constructor(options: PhbOptions, placement: PhbPlacement, services: BridgeServices) {
    this.index = options.index;
    this.buidLow = PHB_BUID_LOW + options.index;
    const { io, mem32, mem64 } = placed(options.index, placement);
    this.io = io;
    this.mem32 = mem32;
    this.mem64 = mem64;
    this.dma = new DmaWindows(options.index, options.ddw, options.pageSizeMask);
    this.#services = services;
    const claim = (pin: number): number =>
      services.irqs.claimFixed(IRQ_PCI_LSI + PCI_PINS * options.index + pin, true);
    this.lsi = [claim(0), claim(1), claim(2), claim(3)];
    this.regions.map(MSI_ADDRESS, this.#messageWindow());
  }

  get functions(): readonly PciFunction[] {
    return this.#functions.filter((found) => found !== undefined);
  }

  get cpuOrder(): 'little' | 'big' {
    return this.#services.cpuOrder();
  }

  plug(added: PciFunction): void {
    this.#functions[added.devfn] = added;
    this.remapped(added.devfn);
  }

  /** The function that the bus and devfn bits of a configuration address name. Only bus 0 is populated. */
  functionAt(configAddress: number): PciFunction | undefined {
    return ((configAddress >>> 16) & 0xff) === 0 ? this.#functions[(configAddress >>> 8) & 0xff] : undefined;
  }

  find(high: number, low: number, hit: BusHit): boolean {
    return this.dma.find(high, low, hit);
  }

  /** The port number behind a CPU address in the I/O window; undefined elsewhere. */
  portOf(cpuAddress: number): number | undefined {
    const offset = cpuAddress - this.io.cpu;
    return offset >= 0 && offset < this.io.bytes ? this.io.bus + offset : undefined;
  }

  /** Lowest CPU address at or above `address` at which a BAR may answer; Infinity if none does. */
  nextMapped(address: number): number {
    let lowest = Infinity;
    for (const { devfn, bar, address: bus } of this.#mapped) {
      const found = this.#barOf(devfn, bar);
      if (found === undefined) continue;
      for (const window of this.#windowsOf(found)) {
        const from = Math.max(window.cpu, window.cpu + bus - window.bus);
        const to = Math.min(window.cpu + window.bytes, window.cpu + bus - window.bus + found.region.size);
        if (to > from && to > address) lowest = Math.min(lowest, Math.max(from, address));
      }
    }
    return lowest;
  }

  setIntx(devfn: number, asserted: boolean): void {
    const level = asserted ? 1 : 0;
    if (this.#intx[devfn] === level) return;
    this.#intx[devfn] = level;
    // pci_swizzle: pin A of every function here; slots share four lines in turn.
    const line = (devfn >>> 3) % PCI_PINS;
    const before = this.#asserted[line] ?? 0;
    const now = before + (asserted ? 1 : -1);
    this.#asserted[line] = now;
    if (before > 0 !== now > 0) this.#services.setLevel(this.lsi[line as 0 | 1 | 2 | 3], now > 0);
  }

  /** Messages are writes of their function: without bus mastering they are lost, and a TCE window may catch them. */
  sendMessage(devfn: number, address: bigint, data: number): void {
    if (this.#functions[devfn]?.busMaster !== true) return;
    const high = Number(BigInt.asUintN(32, address >> 32n));
    const low = Number(BigInt.asUintN(32, address));
    if (high === MSI_WINDOW_HIGH && low < MSI_WINDOW_BYTES && !this.find(high, low, this.#hit)) {
      this.#services.message(data >>> 0);
    } else this.#services.environment.strayMessage(this.index, devfn, address, data);
  }

  remapped(devfn: number): void {
    const found = this.#functions[devfn];
    if (found === undefined) return;
    for (const bar of found.bars) {
      const address = found.barAddress(bar.index);
      const at = this.#mapped.findIndex((entry) => entry.devfn === devfn && entry.bar === bar.index);
      if (at < 0 ? address === undefined : this.#mapped[at]?.address === address) continue;
      if (at >= 0) {
        this.#mapped.splice(at, 1);
        this.#services.environment.system.unmap(bar.region);
      }
      if (address === undefined) continue;
      this.#mapped.push({ devfn, bar: bar.index, address });
      this.#map(bar, address);
    }
    this.#services.environment.mapsChanged();
  }

  /** ibm,change-msi with nothing asked for, or machine reset: the numbers are free again, the table keeps its text. */
  releaseMessages(configAddress: number): boolean {
    const block = this.messages.get(configAddress);
    if (block === undefined) return false;
    this.messages.delete(configAddress);
    this.#services.irqs.free(block.first, block.count);
    return true;
  }

  /** spapr_phb_reset. The machine resets the functions. */
  reset(): void {
    this.dma.reset();
    for (const configAddress of this.messages.keys()) this.releaseMessages(configAddress);
  }

  /** Everything but the TCEs. BARs show where they showed, whatever the functions' own state says meanwhile. */
  exchange(state: StateStream): void {
    this.dma.exchange(state);
    state.bytes(this.#intx);
    state.bytes(this.#asserted);
    this.#exchangeMessages(state);
    this.#exchangeMapped(state);
    // A snapshot is taken between accesses. A run that was stopped inside one leaves its device entered.
    if (state.restoring) for (const guard of this.#guards.values()) guard.engaged = false;
  }

  #exchangeMessages(state: StateStream): void {
    const blocks = [...this.messages].toSorted(([a], [b]) => a - b);
    if (state.restoring) this.messages.clear();
    const count = state.u16(blocks.length);
    for (let i = 0; i < count; i++) {
      const [key, block] = blocks[i] ?? [0, { first: 0, count: 0 }];
      const configAddress = state.u32(key);
      this.messages.set(configAddress, { first: state.u16(block.first), count: state.u16(block.count) });
    }
  }

  #exchangeMapped(state: StateStream): void {
    const count = state.u16(this.#mapped.length);
    const mapped: MappedBar[] = [];
    let same = count === this.#mapped.length;
    for (let i = 0; i < count; i++) {
      const now = this.#mapped[i];
      const devfn = state.u8(now?.devfn ?? 0);
      const bar = state.u8(now?.bar ?? 0);
      const address = state.integer(now?.address ?? 0);
      mapped.push({ devfn, bar, address });
      same &&= now?.devfn === devfn && now.bar === bar && now.address === address;
    }
    if (!state.restoring || same) return;
    for (const { devfn, bar } of this.#mapped) {
      const found = this.#barOf(devfn, bar);
      if (found !== undefined) this.#services.environment.system.unmap(found.region);
    }
    this.#mapped = mapped;
    for (const { devfn, bar, address } of mapped) {
      const found = this.#barOf(devfn, bar);
      if (found !== undefined) this.#map(found, address);
    }
  }

  #barOf(devfn: number, index: number): Bar | undefined {
    return this.#functions[devfn]?.bars.find((bar) => bar.index === index);
  }

  #windowsOf(bar: Bar): readonly BridgeWindow[] {
    if (bar.kind === 'io') return [this.io];
    return this.mem64 === undefined ? [this.mem32] : [this.mem32, this.mem64];
  }

  /** One for all BARs of a function. */
  #guardOf(bar: Bar): EntryGuard | undefined {
    const devfn = this.#functions.findIndex((found) => found?.bars.includes(bar));
    const known = this.#guards.get(devfn) ?? new EntryGuard();
    this.#guards.set(devfn, known);
    return known;
  }

  #map(bar: Bar, address: number): void {
    for (const window of this.#windowsOf(bar)) {
      if (address >= window.bus + window.bytes || address + bar.region.size <= window.bus) continue;
      const base = window.cpu + address - window.bus;
      const { system } = this.#services.environment;
      system.map(base, bar.region, window.cpu, window.cpu + window.bytes, this.#guardOf(bar));
    }
  }

  /** spapr_msi_write: the value is the interrupt's number. */
  #messageWindow(): Region {
    const message = this.#services.message;
    return {
      name: 'msi',
      size: MSI_WINDOW_BYTES,
      access: ANY_WIDTH,
      read: () => 0,
      write: (_offset, _width, value) => {
        message(value);
      },
    };
  }
}
