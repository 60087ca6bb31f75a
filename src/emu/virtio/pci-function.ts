import { SILENT, type Diagnostics } from '../core/diagnostics.ts';
import type { StateStream } from '../core/state.ts';
import type { AccessRules, Region } from '../memory/region.ts';
import {
  PCI_CAP_ID_VNDR,
  PCI_CLASS_DEVICE,
  PCI_COMMAND,
  PCI_COMMAND_INTX_DISABLE,
  PCI_COMMAND_MASTER,
  PCI_CONFIG_SPACE_SIZE,
  PCI_DEVICE_ID,
  PCI_HEADER_TYPE,
  PCI_HEADER_TYPE_MULTI_FUNCTION,
  PCI_INTERRUPT_PIN,
  PCI_REVISION_ID,
  PCI_ROM_SLOT,
  PCI_STATUS,
  PCI_STATUS_INTERRUPT,
  PCI_SUBSYSTEM_ID,
  PCI_SUBSYSTEM_VENDOR_ID,
  PCI_VENDOR_ID,
  PCIE_CONFIG_SPACE_SIZE,
} from '../pci/abi.ts';
import { BarSet } from '../pci/bar.ts';
import { ConfigSpace } from '../pci/config-space.ts';
import { ExpressCapability, type ExpressOptions } from '../pci/express.ts';
import type { Bar, PciBus, PciFunction } from '../pci/function.ts';
import { Msix, pow2ceil } from '../pci/msix.ts';
import {
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_MSI_NO_VECTOR,
  VIRTIO_PCI_CAP_BAR,
  VIRTIO_PCI_CAP_CFG_TYPE,
  VIRTIO_PCI_CAP_LENGTH,
  VIRTIO_PCI_CAP_NOTIFY_CFG,
  VIRTIO_PCI_CAP_OFFSET,
  VIRTIO_PCI_CAP_PCI_CFG,
  VIRTIO_PCI_CFG_DATA,
  VIRTIO_PCI_CONFIG_OFF,
  VIRTIO_PCI_CONFIG_OFF_MSIX,
  VIRTIO_PCI_MODERN_DEVICE_BASE,
  VIRTIO_PCI_NOTIFY_CAP_MULT,
  VIRTIO_PCI_SUBSYSTEM_QEMU,
  VIRTIO_PCI_VENDOR,
} from './abi.ts';
import type { VirtioDevice, VirtioTransport } from './device.ts';
import { LegacyInterface } from './pci-legacy.ts';
import { ModernInterface } from './pci-modern.ts';
import { Transport, type TransportHost } from './transport.ts';

const LEGACY_BAR = 0;
const MSIX_BAR = 1;
const PIO_NOTIFY_BAR = 2;
const MODERN_BAR = 4;
const CAP_BYTES = 16;
const CAP_BYTES_EXTRA = 20;
const PCI_CFG_DATA_BYTES = 4;

/** A virtio PCI function as its realized properties describe it (machine/realize.ts makes it). */
export interface VirtioPciSettings {
  readonly devfn: number;
  /** `virtio-blk-pci`. */
  readonly typeName: string;
  /** Base and sub class: 0x0100. */
  readonly classCode: number;
  /** Device id of the legacy and the transitional function; modern-only ones have 0x1040 + type. */
  readonly transitionalId: number;
  readonly legacy: boolean;
  readonly modern: boolean;
  /** MSI-X vectors; 0 leaves capability and BAR out. */
  readonly vectors: number;
  readonly pagePerQueue: boolean;
  readonly pioNotify: boolean;
  /** `use-disabled-flag`: losing bus mastering disables the device. */
  readonly disablesWithoutBusMaster: boolean;
  readonly multifunction: boolean;
  /** Expansion ROM in bytes, a power of two; 0 for none. */
  readonly romBytes: number;
  /** Set for a function that sits behind a PCI Express port. */
  readonly express: ExpressOptions | undefined;
}

/** A virtio device on PCI (QEMU's VirtIOPCIProxy): configuration space, BARs, MSI-X and both register interfaces. */
export class VirtioPciFunction implements PciFunction, VirtioTransport, TransportHost {
  readonly devfn: number;
  readonly typeName: string;
  readonly configBytes: number;
  readonly diagnostics: Diagnostics;
  readonly msix: Msix | undefined;
  readonly device: VirtioDevice;
  readonly #settings: VirtioPciSettings;
  readonly #bus: PciBus;
  readonly #config: ConfigSpace;
  readonly #bars: BarSet;
  readonly #transport: Transport;
  readonly #modern: ModernInterface | undefined;
  readonly #express: ExpressCapability | undefined;
  /** Offset of the PCI configuration access capability; 0 without one. */
  #window = 0;
  #intx = false;
  #busMaster = false;

  /**
   * `makeDevice` builds the device once its transport stands; it may keep it and call it later, not at once. Feature
   * bits of the transport are in the device's hostFeatures already.
   */
  constructor(
    settings: VirtioPciSettings,
    bus: PciBus,
    makeDevice: (transport: VirtioTransport) => VirtioDevice,
    diagnostics: Diagnostics = SILENT,
  ) {
    this.#settings = settings;
    this.#bus = bus;
    this.devfn = settings.devfn;
    this.typeName = settings.typeName;
    this.diagnostics = diagnostics;
    this.configBytes = settings.express === undefined ? PCI_CONFIG_SPACE_SIZE : PCIE_CONFIG_SPACE_SIZE;
    this.#config = new ConfigSpace(this.configBytes);
    this.#bars = new BarSet(this.#config);
    this.device = makeDevice(this);
    this.#identify();
    if (settings.express !== undefined) this.#express = new ExpressCapability(this.#config, settings.express);
    // Vectors are known before the MSI-X capability is added, which comes behind the virtio ones.
    const transport = new Transport(this.device, this);
    this.#transport = transport;
    if (settings.modern) this.#modern = this.#addModern(transport);
    if (settings.vectors > 0) {
      const send = (address: bigint, data: number): void => bus.sendMessage(this.devfn, address, data);
      this.msix = new Msix(this.#config, settings.vectors, MSIX_BAR, `${this.typeName}-msix`, send);
      this.#bars.add(MSIX_BAR, 'mem32', false, this.msix.bar);
    }
    if (settings.legacy) this.#addLegacy(transport);
    this.#bars.update();
  }

  get bars(): readonly Bar[] {
    return this.#bars.list;
  }

  get configSpace(): Uint8Array {
    return this.#config.bytes;
  }

  get busMaster(): boolean {
    return this.#busMaster;
  }

  get canDma(): boolean {
    return this.#busMaster;
  }

  get msixVectors(): number {
    return this.msix?.vectors ?? 0;
  }

  get cpuOrder(): 'little' | 'big' {
    return this.#bus.cpuOrder;
  }

  configRead(offset: number, width: 1 | 2 | 4): number {
    if (this.#window !== 0 && this.#touchesWindow(offset, width)) this.#readWindow();
    return this.#config.read(offset, width);
  }

  configWrite(offset: number, width: 1 | 2 | 4, value: number): void {
    this.#writeHeader(offset, width, value);
    if (this.#express?.takeReset() === true) this.reset();
    if (offset === PCI_COMMAND) this.#commandWritten();
    if (this.#window !== 0 && this.#touchesWindow(offset, width)) this.#writeWindow();
  }

  barAddress(index: number): number | undefined {
    return this.#bars.address(index);
  }

  setMsixMessage(vector: number, address: bigint, data: number): void {
    this.msix?.setMessage(vector, address, data);
  }

  /** `virtio_pci_notify`: a message while MSI-X is enabled, else the line follows ISR bit 0. */
  notify(vector: number): void {
    const msix = this.msix;
    if (msix === undefined || !msix.enabled) this.setIntx((this.device.isr & 1) !== 0);
    else if (vector !== VIRTIO_MSI_NO_VECTOR) msix.notify(vector);
  }

  setIntx(asserted: boolean): void {
    if (asserted === this.#intx) return;
    this.#intx = asserted;
    const status = this.#config.bytes[PCI_STATUS] ?? 0;
    this.#config.bytes[PCI_STATUS] = asserted
      ? status | PCI_STATUS_INTERRUPT
      : status & ~PCI_STATUS_INTERRUPT;
    if (!this.#intxDisabled()) this.#bus.setIntx(this.devfn, asserted);
  }

  enableBusMaster(): void {
    const low = this.#config.bytes[PCI_COMMAND] ?? 0;
    this.#writeHeader(PCI_COMMAND, 1, low | PCI_COMMAND_MASTER);
  }

  /** Machine or bus reset: nobody's CPU causes it, so the device latches big-endian. */
  reset(): void {
    this.#transport.resetTo('big');
    this.#express?.reset();
    this.setIntx(false);
    this.#config.reset();
    this.#bars.reset();
    this.msix?.reset();
    this.#busMaster = false;
    this.#bars.update();
    this.#bus.remapped(this.devfn);
  }

  exchange(state: StateStream): void {
    this.#config.exchange(state);
    this.msix?.exchange(state);
    this.#transport.exchange(state);
    this.#intx = state.bool(this.#intx);
    this.device.exchange(state);
    if (!state.restoring) return;
    this.#busMaster = (this.#config.read(PCI_COMMAND, 2) & PCI_COMMAND_MASTER) !== 0;
    this.#bars.update();
    this.#bus.remapped(this.devfn);
  }

  /** pci_default_write_config: the bytes, then what hangs on them. */
  #writeHeader(offset: number, width: 1 | 2 | 4, value: number): void {
    const wasDisabled = this.#intxDisabled();
    this.#config.write(offset, width, value);
    if (offset < PCI_HEADER_REGISTERS_END) {
      const busMaster = ((this.#config.bytes[PCI_COMMAND] ?? 0) & PCI_COMMAND_MASTER) !== 0;
      const changed = busMaster !== this.#busMaster;
      this.#busMaster = busMaster;
      if (this.#bars.update() || changed) this.#bus.remapped(this.devfn);
      const disabled = this.#intxDisabled();
      if (disabled !== wasDisabled && this.#intx) this.#bus.setIntx(this.devfn, !disabled);
    }
    const msix = this.msix;
    if (msix !== undefined && msix.covers(offset, width)) {
      if (msix.enabled) this.setIntx(false);
      msix.configChanged();
    }
  }

  #commandWritten(): void {
    const device = this.device;
    if (this.#settings.disablesWithoutBusMaster) device.disabled = !this.#busMaster;
    if (!this.#busMaster && device.behaviour.dropsDriverOkWithBusMaster)
      device.setStatus(device.status & ~VIRTIO_CONFIG_S_DRIVER_OK);
  }

  #intxDisabled(): boolean {
    return ((this.#config.bytes[PCI_COMMAND + 1] ?? 0) & (PCI_COMMAND_INTX_DISABLE >> 8)) !== 0;
  }

  #touchesWindow(offset: number, width: number): boolean {
    const data = this.#window + VIRTIO_PCI_CFG_DATA;
    return offset < data + PCI_CFG_DATA_BYTES && offset + width > data;
  }

  /** The access that the window describes: its structure, offset and width; QEMU does not look at the BAR field. */
  #windowTarget(): { region: Region; offset: number; width: 1 | 2 | 4 } | undefined {
    const width = this.#config.read(this.#window + VIRTIO_PCI_CAP_LENGTH, 4);
    if (width !== 1 && width !== 2 && width !== 4) return undefined;
    const bar = this.#config.read(this.#window + VIRTIO_PCI_CAP_BAR, 1);
    if (bar !== MODERN_BAR && !this.device.behaviour.ignoresWindowBar) return undefined;
    const offset = this.#config.read(this.#window + VIRTIO_PCI_CAP_OFFSET, 4);
    const aligned = offset - (offset % width);
    const structure = this.#modern?.find(aligned, width);
    if (structure === undefined) return undefined;
    return { region: structure.region, offset: aligned - structure.offset, width };
  }

  #readWindow(): void {
    const target = this.#windowTarget();
    if (target === undefined) return;
    const value = target.region.read(target.offset, target.width);
    this.#config.set(this.#window + VIRTIO_PCI_CFG_DATA, target.width, value);
  }

  #writeWindow(): void {
    const target = this.#windowTarget();
    if (target === undefined) return;
    const value = this.#config.read(this.#window + VIRTIO_PCI_CFG_DATA, target.width);
    target.region.write(target.offset, target.width, value);
  }

  #identify(): void {
    const config = this.#config;
    const { legacy, classCode, transitionalId, multifunction, romBytes } = this.#settings;
    const type = this.device.virtioId;
    config.set(PCI_VENDOR_ID, 2, VIRTIO_PCI_VENDOR);
    config.set(PCI_DEVICE_ID, 2, legacy ? transitionalId : VIRTIO_PCI_MODERN_DEVICE_BASE + type);
    config.set(PCI_REVISION_ID, 1, legacy ? 0 : 1);
    config.set(PCI_CLASS_DEVICE, 2, classCode);
    config.set(PCI_SUBSYSTEM_VENDOR_ID, 2, VIRTIO_PCI_VENDOR);
    config.set(PCI_SUBSYSTEM_ID, 2, legacy ? type : VIRTIO_PCI_SUBSYSTEM_QEMU);
    config.set(PCI_INTERRUPT_PIN, 1, 1);
    if (multifunction) config.set(PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_MULTI_FUNCTION);
    if (romBytes > 0)
      this.#bars.add(PCI_ROM_SLOT, 'mem32', false, romRegion(`${this.typeName}.rom`, romBytes));
  }

  #addModern(transport: Transport): ModernInterface {
    const modern = new ModernInterface(transport, this.#settings.pagePerQueue);
    for (const { type, offset, region } of modern.structures) {
      const step = type === VIRTIO_PCI_CAP_NOTIFY_CFG ? modern.notifyStep : undefined;
      this.#addCapability(type, MODERN_BAR, offset, region.size, step);
    }
    if (this.#settings.pioNotify) {
      this.#bars.add(PIO_NOTIFY_BAR, 'io', false, modern.pioBar);
      this.#addCapability(VIRTIO_PCI_CAP_NOTIFY_CFG, PIO_NOTIFY_BAR, 0, modern.pioBar.size, 0);
    }
    this.#bars.add(MODERN_BAR, 'mem64', true, modern.bar);
    const at = this.#addCapability(VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 0, 0);
    this.#config.allow(at + VIRTIO_PCI_CAP_BAR, 1, 0xff);
    this.#config.allow(at + VIRTIO_PCI_CAP_OFFSET, 4, ~0);
    this.#config.allow(at + VIRTIO_PCI_CAP_LENGTH, 4, ~0);
    this.#config.allow(at + VIRTIO_PCI_CFG_DATA, 4, ~0);
    this.#window = at;
    return modern;
  }

  #addCapability(
    type: number,
    bar: number,
    offset: number,
    length: number,
    extra: number | undefined,
  ): number {
    const bytes = extra === undefined ? CAP_BYTES : CAP_BYTES_EXTRA;
    const at = this.#config.addCapability(PCI_CAP_ID_VNDR, bytes);
    this.#config.set(at + 2, 1, bytes);
    this.#config.set(at + VIRTIO_PCI_CAP_CFG_TYPE, 1, type);
    this.#config.set(at + VIRTIO_PCI_CAP_BAR, 1, bar);
    this.#config.set(at + VIRTIO_PCI_CAP_OFFSET, 4, offset);
    this.#config.set(at + VIRTIO_PCI_CAP_LENGTH, 4, length);
    if (extra !== undefined) this.#config.set(at + VIRTIO_PCI_NOTIFY_CAP_MULT, 4, extra);
    return at;
  }

  #addLegacy(transport: Transport): void {
    const header = this.msix === undefined ? VIRTIO_PCI_CONFIG_OFF : VIRTIO_PCI_CONFIG_OFF_MSIX;
    const size = pow2ceil(header + this.device.configLength);
    this.#bars.add(LEGACY_BAR, 'io', false, new LegacyInterface(transport, size));
  }
}

/** An expansion ROM whose code no pseries firmware runs: it reads as zeros. */
function romRegion(name: string, size: number): Region {
  return { name, size, access: ROM_ACCESS, read: () => 0, write: () => undefined };
}

const ROM_ACCESS: AccessRules = { validMin: 1, validMax: 8, validUnaligned: true, implMin: 1, implMax: 4 };

/** Header bytes from the command register to the expansion ROM: writes here may move BARs or gates. */
const PCI_HEADER_REGISTERS_END = 0x40;
