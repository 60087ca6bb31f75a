const TWO_32 = 2 ** 32;
/** Where pseries puts the windows of its host bridges, from 2.8 on (hw/ppc/spapr.c, spapr_phb_placement). */
const NEW_PORTS = 0x2000_0000_0000;
const NEW_MEMORY = 0x2000_8000_0000;
const NEW_END = 0x2100_0000_0000;
/** Before: 64 GiB for each bridge, with its ports and its memory inside (phb_placement_2_7). */
const OLD_BASE = 0x100_0000_0000;
const OLD_END = 0x2000_0000_0000;
const OLD_STRIDE = 0x10_0000_0000;
const OLD_PORTS = 0x8000_0000;
const OLD_MEMORY = 0xa000_0000;
const PORTS = 0x1_0000;
/** The 32-bit window on the bus. */
const BUS_MEMORY = 0x8000_0000;

/** The bus address behind a CPU address; -1 where no window is. */
export function busAddress(address: number): number {
  if ((address >= 0 && address < TWO_32) || address >= NEW_END) return address;
  if (address >= NEW_MEMORY && address < NEW_END) return BUS_MEMORY + ((address - NEW_MEMORY) % BUS_MEMORY);
  if (address < OLD_BASE || address >= OLD_END) return -1;
  const into = ((address - OLD_BASE) % OLD_STRIDE) - OLD_MEMORY;
  if (into < 0) return -1;
  // What the old window has beyond 2 GiB begins at 4 GiB on the bus.
  return into < BUS_MEMORY ? BUS_MEMORY + into : TWO_32 + into - BUS_MEMORY;
}

/** The I/O port behind a CPU address; -1 where no window is. */
export function portAt(address: number): number {
  if (address >= NEW_PORTS && address < NEW_MEMORY) return address % PORTS;
  if (address < OLD_BASE || address >= OLD_END) return -1;
  const into = ((address - OLD_BASE) % OLD_STRIDE) - OLD_PORTS;
  return into >= 0 && into < PORTS ? into : -1;
}
