import {
  PCI_CAP_ID_MSIX,
  PCI_CAP_ID_VNDR,
  PCI_CAPABILITY_LIST,
  PCI_COMMAND,
  PCI_MSIX_FLAGS,
  PCI_MSIX_FLAGS_ENABLE,
  PCI_MSIX_FLAGS_MASKALL,
  PCI_STATUS,
  PCI_STATUS_CAP_LIST,
} from '../pci/abi.ts';
import {
  VIRTIO_PCI_CAP_BAR,
  VIRTIO_PCI_CAP_CFG_TYPE,
  VIRTIO_PCI_CAP_LENGTH,
  VIRTIO_PCI_CAP_NOTIFY_CFG,
  VIRTIO_PCI_CAP_OFFSET,
  VIRTIO_PCI_CAP_PCI_CFG,
  VIRTIO_PCI_NOTIFY_CAP_MULT,
} from '../virtio/abi.ts';
import { CHANGE_MSIX_FUNCTION } from './abi.ts';
import type { GuestCalls } from './calls.ts';
import type { Hardware, HostBridgeNode } from './hardware.ts';

/** Tokens that bus code needs; -1 where the platform has none. */
interface Tokens {
  readonly readConfig: number;
  readonly writeConfig: number;
  readonly changeMsi: number;
  readonly querySource: number;
}

/** Configuration cycles of one host bridge's bus 0, by RTAS (PAPR+ 7.3.11). */
export class PciBusAccess {
  readonly bridge: HostBridgeNode;
  readonly #calls: GuestCalls;
  readonly #tokens: Tokens;

  constructor(calls: GuestCalls, hardware: Hardware, bridge: HostBridgeNode) {
    this.bridge = bridge;
    this.#calls = calls;
    const token = (name: string): number => hardware.tokens.get(name) ?? -1;
    this.#tokens = {
      readConfig: token('ibm,read-pci-config'),
      writeConfig: token('ibm,write-pci-config'),
      changeMsi: token('ibm,change-msi'),
      querySource: token('ibm,query-interrupt-source-number'),
    };
  }

  /** All ones where nothing answers, as on a real bus. */
  read(devfn: number, register: number, width: 1 | 2 | 4): number {
    const calls = this.#calls;
    this.#address(devfn, register);
    calls.argument(3, width);
    if (calls.rtas(this.#tokens.readConfig, 4, 2) !== 0) return 2 ** (8 * width) - 1;
    return calls.result(1);
  }

  write(devfn: number, register: number, width: 1 | 2 | 4, value: number): void {
    const calls = this.#calls;
    this.#address(devfn, register);
    calls.argument(3, width);
    calls.argument(4, value);
    calls.rtas(this.#tokens.writeConfig, 5, 1);
  }

  /** Asks for `count` MSI-X vectors (0 releases them); how many were given, negative for an error. */
  changeMsix(devfn: number, count: number): number {
    const calls = this.#calls;
    let sequence = 1;
    for (;;) {
      this.#address(devfn, 0);
      calls.argument(3, CHANGE_MSIX_FUNCTION);
      calls.argument(4, count);
      calls.argument(5, sequence);
      const status = calls.rtas(this.#tokens.changeMsi, 6, 4);
      // Busy: go on with the sequence number that came back. QEMU never says so.
      if (status !== -2) return status === 0 ? calls.result(1) : status;
      sequence = calls.result(2);
    }
  }

  /** Interrupt source of vector `index`; -1 if there is none. */
  interruptSource(devfn: number, index: number): number {
    this.#address(devfn, 0);
    this.#calls.argument(3, index);
    return this.#calls.rtas(this.#tokens.querySource, 4, 3) === 0 ? this.#calls.result(1) : -1;
  }

  #address(devfn: number, register: number): void {
    this.#calls.argument(0, (devfn << 8) | register);
    this.#calls.argument(1, this.bridge.buidHigh);
    this.#calls.argument(2, this.bridge.buidLow);
  }
}

/** One structure that a virtio capability names; `address` is the CPU's, 0 if there is none. */
export class VirtioStructure {
  address = 0;
  length = 0;

  clear(): void {
    this.address = 0;
    this.length = 0;
  }
}

const BARS = 6;
const CAPABILITIES_MAX = 48;
const CAPABILITY_TYPES = VIRTIO_PCI_CAP_PCI_CFG + 1;

/** A function as firmware left it and as its driver comes to know it. */
export class GuestFunction {
  bus: PciBusAccess;
  readonly devfn: number;
  vendor = 0;
  device = 0;
  revision = 0;
  subsystem = 0;
  /** CPU address by BAR, 0 where there is none. */
  readonly bars: Float64Array = new Float64Array(BARS);
  readonly barIsIo: Uint8Array = new Uint8Array(BARS);
  readonly barBytes: Float64Array = new Float64Array(BARS);
  /** Offset of the MSI-X capability, 0 without one. */
  msix = 0;
  /** By cfg_type: the first usable one of each. */
  readonly structures: readonly VirtioStructure[] = Array.from(
    { length: CAPABILITY_TYPES },
    () => new VirtioStructure(),
  );
  notifyMultiplier = 0;

  constructor(bus: PciBusAccess, devfn: number) {
    this.bus = bus;
    this.devfn = devfn;
  }

  read(register: number, width: 1 | 2 | 4): number {
    return this.bus.read(this.devfn, register, width);
  }

  write(register: number, width: 1 | 2 | 4, value: number): void {
    this.bus.write(this.devfn, register, width, value);
  }

  /** Sets bits of the command register that are not set yet. */
  enable(bits: number): void {
    const command = this.read(PCI_COMMAND, 2);
    if ((command & bits) !== bits) this.write(PCI_COMMAND, 2, command | bits);
  }

  /** One walk over the capability list: MSI-X, and the first structure of each type that lies in a BAR. */
  walkCapabilities(): void {
    this.msix = 0;
    this.notifyMultiplier = 0;
    for (const structure of this.structures) structure.clear();
    if ((this.read(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST) === 0) return;
    let at = this.read(PCI_CAPABILITY_LIST, 1) & 0xfc;
    for (let seen = 0; at >= 0x40 && seen < CAPABILITIES_MAX; seen++) {
      const head = this.read(at, 4);
      const id = head & 0xff;
      if (id === PCI_CAP_ID_MSIX && this.msix === 0) this.msix = at;
      if (id === PCI_CAP_ID_VNDR) this.#vendorCapability(at, (head >>> (8 * VIRTIO_PCI_CAP_CFG_TYPE)) & 0xff);
      at = (head >>> 8) & 0xfc;
    }
  }

  #vendorCapability(at: number, type: number): void {
    const structure = this.structures[type];
    if (structure === undefined || structure.address !== 0 || type === VIRTIO_PCI_CAP_PCI_CFG) return;
    const bar = this.read(at + VIRTIO_PCI_CAP_BAR, 1);
    const base = this.bars[bar] ?? 0;
    if (base === 0) return;
    const offset = this.read(at + VIRTIO_PCI_CAP_OFFSET, 4);
    const length = this.read(at + VIRTIO_PCI_CAP_LENGTH, 4);
    // Both are whole numbers below 2^32, so the sum does not wrap (vp_modern_map_capability checks for that).
    if (offset + length > (this.barBytes[bar] ?? 0)) return;
    structure.address = base + offset;
    structure.length = length;
    if (type === VIRTIO_PCI_CAP_NOTIFY_CFG) {
      this.notifyMultiplier = this.read(at + VIRTIO_PCI_NOTIFY_CAP_MULT, 4);
    }
  }

  /** Vectors of the MSI-X table. */
  msixTableSize(): number {
    return this.msix === 0 ? 0 : (this.read(this.msix + PCI_MSIX_FLAGS, 2) & 0x7ff) + 1;
  }

  setMsixEnabled(enabled: boolean): void {
    if (this.msix === 0) return;
    const flags = this.read(this.msix + PCI_MSIX_FLAGS, 2);
    // Whoever had the function before may have masked it whole (msix_capability_init clears the same).
    const wanted = enabled
      ? (flags | PCI_MSIX_FLAGS_ENABLE) & ~PCI_MSIX_FLAGS_MASKALL
      : flags & ~PCI_MSIX_FLAGS_ENABLE;
    if (flags !== wanted) this.write(this.msix + PCI_MSIX_FLAGS, 2, wanted);
  }
}
