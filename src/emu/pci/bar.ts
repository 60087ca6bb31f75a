import { assert } from '../core/assert.ts';
import type { Region } from '../memory/region.ts';
import {
  PCI_BARS,
  PCI_BASE_ADDRESS_0,
  PCI_BASE_ADDRESS_MEM_PREFETCH,
  PCI_BASE_ADDRESS_MEM_TYPE_64,
  PCI_BASE_ADDRESS_SPACE_IO,
  PCI_COMMAND,
  PCI_COMMAND_IO,
  PCI_COMMAND_MEMORY,
  PCI_ROM_ADDRESS,
  PCI_ROM_ADDRESS_ENABLE,
  PCI_ROM_SLOT,
} from './abi.ts';
import type { ConfigSpace } from './config-space.ts';
import type { Bar, BarKind } from './function.ts';

const UNMAPPED = -1;
/** QEMU leaves a 32-bit BAR unmapped that ends at or beyond this. */
const LAST_32 = 0xffffffff;

/** The base address registers of one function, the expansion ROM's among them as index 6: their layout in configuration space and where each answers now. */
export class BarSet {
  readonly list: Bar[] = [];
  readonly #config: ConfigSpace;
  /** Present bus address by index. Derived: `update` computes it from configuration space. */
  readonly #addresses: number[] = Array.from({ length: PCI_BARS + 1 }, () => UNMAPPED);

  constructor(config: ConfigSpace) {
    this.#config = config;
  }

  /** Registers a BAR; the region's size is a power of two. A 64-bit one takes the next index too. */
  add(index: number, kind: BarKind, prefetchable: boolean, region: Region): void {
    const size = region.size;
    assert((size & (size - 1)) === 0, 'a BAR is a power of two long');
    const isRom = index === PCI_ROM_SLOT;
    const bar: Bar = { index, kind, prefetchable, region };
    this.list.push(bar);
    this.list.sort((a, b) => a.index - b.index);
    const at = barRegister(index);
    this.#config.allow(at, 4, ~(size - 1) | (isRom ? PCI_ROM_ADDRESS_ENABLE : 0));
    if (kind === 'mem64') this.#config.allow(at + 4, 4, ~0);
    this.#zero(bar);
  }

  /** Where a BAR answers; undefined while it does not. */
  address(index: number): number | undefined {
    const address = this.#addresses[index] ?? UNMAPPED;
    return address === UNMAPPED ? undefined : address;
  }

  /** Recomputes every address; true if one changed (QEMU's pci_update_mappings). */
  update(): boolean {
    let changed = false;
    for (const bar of this.list) {
      const address = this.#decode(bar);
      if (address === this.#addresses[bar.index]) continue;
      this.#addresses[bar.index] = address;
      changed = true;
    }
    return changed;
  }

  reset(): void {
    for (const bar of this.list) this.#zero(bar);
  }

  #zero(bar: Bar): void {
    const at = barRegister(bar.index);
    this.#config.set(at, 4, typeBits(bar));
    if (bar.kind === 'mem64') this.#config.set(at + 4, 4, 0);
  }

  #decode(bar: Bar): number {
    const command = this.#config.read(PCI_COMMAND, 2);
    if ((command & (bar.kind === 'io' ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)) === 0) return UNMAPPED;
    const at = barRegister(bar.index);
    const value = this.#config.read(at, 4);
    if (bar.index === PCI_ROM_SLOT && (value & PCI_ROM_ADDRESS_ENABLE) === 0) return UNMAPPED;
    const low = (value & ~(bar.region.size - 1)) >>> 0;
    if (bar.kind === 'mem64') {
      const address = this.#config.read(at + 4, 4) * 2 ** 32 + low;
      // No window of this machine reaches 2^53, so a BAR set there answers nowhere, as in QEMU.
      return address + bar.region.size <= Number.MAX_SAFE_INTEGER ? address : UNMAPPED;
    }
    // Address 0 is an address like any other on pseries (MachineClass.pci_allow_0_address).
    return low + bar.region.size - 1 >= LAST_32 ? UNMAPPED : low;
  }
}

/** Where the register of a BAR stands; index 6 is the expansion ROM. */
function barRegister(index: number): number {
  return index === PCI_ROM_SLOT ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS_0 + 4 * index;
}

function typeBits(bar: Bar): number {
  if (bar.kind === 'io') return PCI_BASE_ADDRESS_SPACE_IO;
  const width = bar.kind === 'mem64' ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0;
  return width | (bar.prefetchable ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0);
}
