import type { Stateful, StateStream } from '../core/state.ts';
import { PagedMemory } from '../memory/guest-memory.ts';
import { IRQ_VIO, NVRAM_BYTES, VIO_UNIT_BASE, VIO_WINDOW_BYTES, VTERM_BUFFER_BYTES } from './abi.ts';
import type { VioOptions } from './environment.ts';
import type { IrqAllocator } from './irq-allocator.ts';
import { TceTable } from './tce-table.ts';

const PAGE_SHIFT = 12;
const CARRIAGE_RETURN = 0x0d;

/** A kind of device on the VIO bus: what of it the platform itself answers for. */
export interface VioKind {
  readonly name: string;
  readonly terminal: boolean;
  readonly nvram: boolean;
  /** Bits of H_VIO_SIGNAL that it has. */
  readonly signalMask: number;
  readonly windowBytes: number;
}

const VIO_KINDS: readonly VioKind[] = [
  { name: 'spapr-nvram', terminal: false, nvram: true, signalMask: 0, windowBytes: 0 },
  { name: 'spapr-vty', terminal: true, nvram: false, signalMask: 1, windowBytes: 0 },
  // Windows and signals only: their queues are not served.
  { name: 'spapr-vlan', terminal: false, nvram: false, signalMask: 1, windowBytes: VIO_WINDOW_BYTES },
  { name: 'spapr-vscsi', terminal: false, nvram: false, signalMask: 1, windowBytes: VIO_WINDOW_BYTES },
];

/** The interrupt number that a unit has where numbers are fixed (spapr_vio.c spapr_vio_reg_to_irq). */
function irqOfUnit(unit: number): number {
  if (unit >= VIO_UNIT_BASE) return IRQ_VIO | (unit & 0xff);
  if (unit >= 0x3000_0000) return IRQ_VIO | 0xf0 | ((unit >>> 12) & 0xf);
  return IRQ_VIO | ((unit >>> 12) & 0xff);
}

export class VioDevice implements Stateful {
  readonly kind: VioKind;
  readonly unit: number;
  readonly irq: number;
  /** Number of the console that a terminal is, from 0 in order of units; -1 for others. */
  port = -1;
  readonly table: TceTable | undefined;
  signalState = 0n;
  // A terminal's 16 bytes between the host and H_GET_TERM_CHAR.
  readonly #buffer: Uint8Array = new Uint8Array(VTERM_BUFFER_BYTES);
  #in = 0;
  #out = 0;
  /** What the host has handed in and the buffer had no room for. */
  #waiting: Uint8Array = new Uint8Array(0);
  readonly #pulse: (irq: number) => void;

  constructor(kind: VioKind, unit: number, irq: number, pulse: (irq: number) => void) {
    this.kind = kind;
    this.unit = unit;
    this.irq = irq;
    this.#pulse = pulse;
    this.table = kind.windowBytes > 0 ? new TceTable(unit) : undefined;
    this.table?.enable(PAGE_SHIFT, 0, kind.windowBytes >>> PAGE_SHIFT);
  }

  /** RTAS quiesce: the window's entries are gone, its settings stay. */
  quiesce(): void {
    this.table?.clear();
  }

  reset(): void {
    this.quiesce();
    if (this.table !== undefined) this.table.bypass = false;
    this.signalState = 0n;
  }

  /** Bytes from the host's side of a terminal. */
  receive(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#waiting.length + bytes.length);
    all.set(this.#waiting);
    all.set(bytes, this.#waiting.length);
    this.#waiting = all;
    this.#refill();
  }

  /**
   * Up to 16 bytes for the guest. A zero right after a carriage return waits for the next call, because guests drop
   * it there, as a bug of PowerVM has taught them (spapr_vty.c vty_getchars).
   */
  take(into: Uint8Array): number {
    let length = 0;
    while (length < into.length && this.#out !== this.#in) {
      const byte = this.#buffer[this.#out % VTERM_BUFFER_BYTES] ?? 0;
      if (length > 0 && into[length - 1] === CARRIAGE_RETURN && byte === 0) break;
      into[length++] = byte;
      this.#out = (this.#out + 1) >>> 0;
    }
    this.#refill();
    return length;
  }

  exchange(state: StateStream): void {
    this.table?.exchange(state);
    this.signalState = state.u64(this.signalState);
    if (!this.kind.terminal) return;
    state.bytes(this.#buffer);
    this.#in = state.u32(this.#in);
    this.#out = state.u32(this.#out);
    this.#waiting = state.blob(this.#waiting);
  }

  #refill(): void {
    const room = VTERM_BUFFER_BYTES - ((this.#in - this.#out) >>> 0);
    const count = Math.min(room, this.#waiting.length);
    if (count === 0) return;
    if (this.#in === this.#out) this.#pulse(this.irq);
    for (let i = 0; i < count; i++) {
      this.#buffer[this.#in % VTERM_BUFFER_BYTES] = this.#waiting[i] ?? 0;
      this.#in = (this.#in + 1) >>> 0;
    }
    this.#waiting = this.#waiting.slice(count);
  }
}

/** The VIO bus (QEMU hw/ppc/spapr_vio.c): devices by unit number. */
export class VioBus implements Stateful {
  readonly devices: readonly VioDevice[];
  /** The first nvram's content; undefined without one. */
  readonly nvram: PagedMemory | undefined;

  constructor(options: readonly VioOptions[], irqs: IrqAllocator, pulse: (irq: number) => void) {
    const devices: VioDevice[] = [];
    let next = VIO_UNIT_BASE;
    for (const { kind: name, unit: asked } of options) {
      const kind = VIO_KINDS.find((row) => row.name === name);
      if (kind === undefined) throw new Error(`${name} is not a device of the VIO bus`);
      while (devices.some((other) => other.unit === next)) next++;
      const unit = asked ?? next++;
      devices.push(new VioDevice(kind, unit, irqs.claimFixed(irqOfUnit(unit), false), pulse));
    }
    this.devices = devices;
    const terminals = devices.filter((device) => device.kind.terminal).toSorted((a, b) => a.unit - b.unit);
    for (const [port, terminal] of terminals.entries()) terminal.port = port;
    this.nvram = devices.some((device) => device.kind.nvram) ? new PagedMemory(NVRAM_BYTES) : undefined;
  }

  /** Units are 32 bits: QEMU cuts what a register holds. */
  find(unit: number): VioDevice | undefined {
    return this.devices.find((device) => device.unit === unit);
  }

  /** The terminal of a unit; unit 0 of all 64 bits means the one with the lowest number. */
  terminal(high: number, low: number): VioDevice | undefined {
    const device = this.find(low);
    if (device === undefined) return high === 0 && low === 0 ? this.console(0) : undefined;
    return device.kind.terminal ? device : undefined;
  }

  console(port: number): VioDevice | undefined {
    return this.devices.find((device) => device.port === port);
  }

  quiesce(): void {
    for (const device of this.devices) device.quiesce();
  }

  reset(): void {
    for (const device of this.devices) device.reset();
  }

  exchange(state: StateStream): void {
    for (const device of this.devices) device.exchange(state);
  }
}
