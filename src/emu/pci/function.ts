import type { Stateful } from '../core/state.ts';
import type { Region } from '../memory/region.ts';

export type BarKind = 'io' | 'mem32' | 'mem64';

/** One base address register as it stands in a function's configuration space. */
export interface Bar {
  readonly index: number;
  readonly kind: BarKind;
  readonly prefetchable: boolean;
  readonly region: Region;
}

/** A PCI function as the host bridge sees it. */
export interface PciFunction extends Stateful {
  /** slot << 3 | function, on bus 0 of its host bridge. */
  readonly devfn: number;
  /** QEMU's type name, `virtio-blk-pci`. */
  readonly typeName: string;
  readonly bars: readonly Bar[];
  /** 256 for every function on a conventional bus. */
  readonly configBytes: number;
  /** The space itself, for the device tree and dumps: reading here has no side effects. */
  readonly configSpace: Uint8Array;
  /** A configuration cycle; offset is aligned to the width and inside the space. */
  configRead(offset: number, width: 1 | 2 | 4): number;
  configWrite(offset: number, width: 1 | 2 | 4, value: number): void;
  /** Bus address at which a BAR answers now: undefined while decoding is off or no address was given. */
  barAddress(index: number): number | undefined;
  /** PCI_COMMAND bit 2. */
  readonly busMaster: boolean;
  /** Vectors of the MSI-X capability; 0 without one. */
  readonly msixVectors: number;
  /** ibm,change-msi programs the whole table: address, data and unmasked (QEMU spapr_msi_setmsg). */
  setMsixMessage(vector: number, address: bigint, data: number): void;
  reset(): void;
}

/** What a function asks of the bus it sits on. */
export interface PciBus {
  /** The level of a function's INTx pin (QEMU pci_set_irq). */
  setIntx(devfn: number, asserted: boolean): void;
  /** A 4-byte message, a DMA write through the function's bus-master address space. */
  sendMessage(devfn: number, address: bigint, data: number): void;
  /** A BAR moved, or decoding or bus mastering changed. */
  remapped(devfn: number): void;
  /** Byte order of the CPU that is accessing now: MSR[LE] decides; big when nobody is. */
  readonly cpuOrder: 'little' | 'big';
}
