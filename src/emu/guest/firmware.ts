import {
  PCI_BASE_ADDRESS_0,
  PCI_BASE_ADDRESS_MEM_TYPE_64,
  PCI_BASE_ADDRESS_SPACE_IO,
  PCI_HEADER_TYPE,
  PCI_ROM_ADDRESS,
  PCI_ROM_ADDRESS_ENABLE,
  PCI_VENDOR_ID,
} from '../pci/abi.ts';
import type { GuestCalls } from './calls.ts';
import { readHardware, type BridgeWindow, type Hardware, type HostBridgeNode } from './hardware.ts';
import { GuestFunction, PciBusAccess } from './pci.ts';

/** Memory BARs are kept at least this far apart, so that each has a page of its own on any kernel. */
const MEM_BAR_ALIGN = 0x1_0000;
/** A BAR must not be 0: I/O begins here instead. */
const IO_FIRST = 0x10;
const PREFETCHABLE_64 = 0xc;

/**
 * What SLOF does before any driver: it goes through the functions of the tree, or of the bus where the tree names none,
 * and gives every BAR a place in the host bridge's windows (board-qemu/slof/pci-phb.fs, slof/fs/pci-properties.fs;
 * the cycles are those of the golden SLOF trace). It leaves decoding off: a driver turns it on.
 */
export class Firmware {
  readonly functions: GuestFunction[] = [];
  hardware: Hardware;
  readonly #calls: GuestCalls;
  #nextIo = 0;
  #nextMem32 = 0;
  #nextMem64 = 0;
  #bridge: HostBridgeNode | undefined;

  constructor(calls: GuestCalls) {
    this.#calls = calls;
    this.hardware = readHardware(calls.platform.deviceTree);
  }

  /** Assigns everything anew; functions found by an earlier boot are forgotten. */
  boot(): void {
    this.functions.length = 0;
    for (const bridge of this.hardware.bridges) {
      const bus = new PciBusAccess(this.#calls, this.hardware, bridge);
      this.#bridge = bridge;
      this.#nextIo = Math.max(bridge.io?.bus ?? 0, IO_FIRST);
      this.#nextMem32 = bridge.mem32?.bus ?? 0;
      this.#nextMem64 = bridge.mem64?.bus ?? 0;
      if (bridge.enumerated) for (const node of bridge.functions) this.#setUp(bus, node.devfn);
      else this.#scan(bus);
    }
  }

  #scan(bus: PciBusAccess): void {
    for (let slot = 0; slot < 32; slot++) {
      if ((bus.read(slot << 3, PCI_VENDOR_ID, 4) & 0xffff) === 0xffff) continue;
      const multi = (bus.read(slot << 3, PCI_HEADER_TYPE, 1) & 0x80) !== 0;
      for (let fn = 0; fn < (multi ? 8 : 1); fn++) {
        const devfn = (slot << 3) | fn;
        if (fn === 0 || (bus.read(devfn, PCI_VENDOR_ID, 4) & 0xffff) !== 0xffff) this.#setUp(bus, devfn);
      }
    }
  }

  #setUp(bus: PciBusAccess, devfn: number): void {
    const found = new GuestFunction(bus, devfn);
    const ids = found.read(PCI_VENDOR_ID, 4);
    found.vendor = ids & 0xffff;
    found.device = ids >>> 16;
    // Bridges and cards have other registers there; pseries has none on its root bus.
    if ((found.read(PCI_HEADER_TYPE, 1) & 0x7f) !== 0) return;
    for (let bar = 0; bar < 6; bar++) bar += this.#assign(found, bar);
    this.#assignRom(found);
    this.functions.push(found);
  }

  /** Sizes and places one BAR; 1 if it takes the next register too. */
  #assign(found: GuestFunction, bar: number): number {
    const register = PCI_BASE_ADDRESS_0 + 4 * bar;
    const kind = found.read(register, 4);
    if ((kind & PCI_BASE_ADDRESS_SPACE_IO) !== 0) {
      const size = -(sizeMask(found, register) & ~3) & 0xffff_ffff;
      this.#nextIo = this.#place(found, bar, this.#nextIo, size >>> 0, size >>> 0, this.#bridge?.io);
      found.barIsIo[bar] = 1;
      return 0;
    }
    const low = sizeMask(found, register) & ~0xf;
    if ((kind & PCI_BASE_ADDRESS_MEM_TYPE_64) === 0) {
      const size = -low >>> 0;
      this.#nextMem32 = this.#placeMemory(found, bar, this.#nextMem32, size, this.#bridge?.mem32);
      return 0;
    }
    const high = sizeMask(found, register + 4);
    const size = 2 ** 64 - (high * 2 ** 32 + (low >>> 0));
    if ((kind & 0xf) === PREFETCHABLE_64 && this.#bridge?.mem64 !== undefined) {
      this.#nextMem64 = this.#placeMemory(found, bar, this.#nextMem64, size, this.#bridge.mem64);
    } else {
      this.#nextMem32 = this.#placeMemory(found, bar, this.#nextMem32, size, this.#bridge?.mem32);
    }
    found.write(register + 4, 4, Math.floor(this.#lastPlaced / 2 ** 32));
    return 1;
  }

  #lastPlaced = 0;

  #placeMemory(
    found: GuestFunction,
    bar: number,
    next: number,
    size: number,
    window: BridgeWindow | undefined,
  ): number {
    return this.#place(found, bar, next, size, Math.max(size, MEM_BAR_ALIGN), window);
  }

  /** Writes the low half of the BAR and returns where the next one may lie. */
  #place(
    found: GuestFunction,
    bar: number,
    next: number,
    size: number,
    align: number,
    window: BridgeWindow | undefined,
  ): number {
    this.#lastPlaced = 0;
    if (size === 0 || window === undefined) return next;
    const bus = Math.ceil(next / align) * align;
    if (bus + size > window.bus + window.bytes) return next;
    this.#lastPlaced = bus;
    found.write(PCI_BASE_ADDRESS_0 + 4 * bar, 4, bus % 2 ** 32);
    found.bars[bar] = window.cpu + (bus - window.bus);
    found.barBytes[bar] = size;
    return bus + size;
  }

  #assignRom(found: GuestFunction): void {
    const size = -(sizeMask(found, PCI_ROM_ADDRESS) & 0xffff_f800) >>> 0;
    const window = this.#bridge?.mem32;
    if (size === 0 || window === undefined) return;
    const align = Math.max(size, MEM_BAR_ALIGN);
    const bus = Math.ceil(this.#nextMem32 / align) * align;
    if (bus + size > window.bus + window.bytes) return;
    found.write(PCI_ROM_ADDRESS, 4, bus);
    found.write(PCI_ROM_ADDRESS, 4, found.read(PCI_ROM_ADDRESS, 4) | PCI_ROM_ADDRESS_ENABLE);
    this.#nextMem32 = bus + size;
  }
}

/** Writes ones, reads what stuck, and puts the old value back. */
function sizeMask(found: GuestFunction, register: number): number {
  const old = found.read(register, 4);
  found.write(register, 4, 0xffff_ffff);
  const mask = found.read(register, 4);
  found.write(register, 4, old);
  return mask;
}
