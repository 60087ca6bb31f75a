import { DiagnosticLog } from '../../emu/core/diagnostics.ts';
import type { BackendConfig, Verdict } from '../../emu/machine/config.ts';
import { Machine } from '../../emu/machine/machine.ts';
import type { BridgeWindow } from '../../emu/papr/host-bridge.ts';
import type { Bar } from '../../emu/pci/function.ts';
import { UsageError } from '../options.ts';
import type { VirtioPciFunction } from '../../emu/virtio/pci-function.ts';

const RAM_BYTES = 0x1000_0000;
const DEFAULT_SECTORS = 2048;
/** H_LOGICAL_CI_LOAD and H_LOGICAL_CI_STORE. */
const CI_LOAD = 0x3cn;
const CI_STORE = 0x40n;
const COMMAND = 4;
const BAR_0 = 0x10;
const MEMORY_AND_IO = 3;
const MASTER = 4;
/** 64-bit mode, big-endian: MSR[SF]. */
const BIG_ENDIAN_MSR = 1n << 63n;

/** Kinds of back end by the property that names one; the golden logs' arguments name no other. */
const BACKENDS: Readonly<Record<string, (id: string) => BackendConfig>> = {
  drive: (id) => ({ kind: 'disk', id, sectors: DEFAULT_SECTORS, content: 'zero', readOnly: false }),
  netdev: (id) => ({ kind: 'net', id, loopback: false }),
  rng: (id) => ({ kind: 'entropy', id }),
  cryptodev: (id) => ({ kind: 'crypto', id }),
};

export interface ProbeOptions {
  readonly machine: string;
  /** The `-device` argument. */
  readonly device: string;
  readonly cpus?: number;
  readonly ramBytes?: number;
}

/** A fresh machine with one device, or QEMU's refusal. */
export function makeProbe({ machine, device, cpus, ramBytes }: ProbeOptions): Verdict<Probe> {
  const log = new DiagnosticLog();
  const made = Machine.create(
    {
      // The processor of every golden log is a POWER9, which has no transactional memory to switch off.
      machine: machine.includes('cap-htm=') ? machine : `${machine},cap-htm=off`,
      ramBytes: ramBytes ?? RAM_BYTES,
      cpus: cpus ?? 1,
      seed: '1',
      devices: [device],
      globals: [],
      backends: backendsOf(device),
    },
    { diagnostics: log },
  );
  if (!made.accepted) return made;
  return { accepted: true, value: new Probe(made.value, log), warnings: made.warnings };
}

function backendsOf(device: string): BackendConfig[] {
  const backends: BackendConfig[] = [];
  for (const option of device.split(',').slice(1)) {
    const [name = '', id = ''] = option.split('=');
    const make = BACKENDS[name];
    if (make !== undefined) backends.push(make(id));
  }
  return backends;
}

/** One function, looked at and driven from the guest's side of the seam. */
export class Probe {
  readonly machine: Machine;
  readonly log: DiagnosticLog;
  readonly function: VirtioPciFunction;

  constructor(machine: Machine, log: DiagnosticLog) {
    this.machine = machine;
    this.log = log;
    const [only] = machine.functions;
    if (only === undefined) throw new UsageError('a golden log describes a machine without a device');
    this.function = only;
    machine.platform.setCpu(0, BIG_ENDIAN_MSR);
  }

  config(offset: number, width: 1 | 2 | 4): number {
    return this.function.configRead(offset, width);
  }

  setConfig(offset: number, width: 1 | 2 | 4, value: number): void {
    this.function.configWrite(offset, width, value);
  }

  bar(index: number): Bar | undefined {
    return this.function.bars.find((bar) => bar.index === index);
  }

  /** Puts a BAR where the CPU sees it at `cpu`; false if no window shows it there. */
  placeBar(index: number, cpu: number): boolean {
    const bar = this.bar(index);
    if (bar === undefined) return false;
    const window = this.#windowsOf(bar).find((one) => cpu >= one.cpu && cpu < one.cpu + one.bytes);
    if (window === undefined) return false;
    const bus = cpu - window.cpu + window.bus;
    this.setConfig(BAR_0 + 4 * index, 4, bus % 2 ** 32);
    if (bar.kind === 'mem64') this.setConfig(BAR_0 + 4 * index + 4, 4, Math.floor(bus / 2 ** 32));
    return true;
  }

  /** Gives every BAR an address of its own, in the last of its windows, and returns its CPU address by index. */
  placeAll(): Map<number, number> {
    const at = new Map<number, number>();
    for (const bar of this.function.bars) {
      const window = this.#windowsOf(bar).at(-1) as BridgeWindow;
      const step = Math.max(bar.region.size, 0x1000);
      const cpu =
        window.cpu +
        Math.ceil(0x10_0000 / step) * step * (bar.kind === 'io' ? 0 : 1 + bar.index) +
        ioOffset(bar);
      if (this.placeBar(bar.index, cpu)) at.set(bar.index, cpu);
    }
    return at;
  }

  /** Switches decoding on, and bus mastering. */
  enable(command: number = MEMORY_AND_IO | MASTER): void {
    this.setConfig(COMMAND, 2, command);
  }

  /** A load as the log names it: by the CPU itself, or by H_LOGICAL_CI_LOAD. */
  load(address: number, width: number, bigEndian: boolean, ci: boolean): bigint {
    const { platform } = this.machine;
    if (ci) {
      this.#call(CI_LOAD, BigInt(width), BigInt(address), 0n);
      return platform.registers[1] ?? 0n;
    }
    if (width === 8) return platform.read64(address, bigEndian);
    return BigInt(platform.read(address, width as 1 | 2 | 4, bigEndian));
  }

  store(address: number, width: number, value: bigint, bigEndian: boolean, ci: boolean): void {
    const { platform } = this.machine;
    if (ci) this.#call(CI_STORE, BigInt(width), BigInt(address), value);
    else if (width === 8) platform.write64(address, value, bigEndian);
    else platform.write(address, width as 1 | 2 | 4, Number(value), bigEndian);
  }

  /** A byte-reversed load, whose value is PCI's. */
  read(address: number, width: 1 | 2 | 4): number {
    return this.machine.platform.read(address, width, false);
  }

  write(address: number, width: 1 | 2 | 4, value: number): void {
    this.machine.platform.write(address, width, value, false);
  }

  #call(token: bigint, a: bigint, b: bigint, c: bigint): void {
    const { platform } = this.machine;
    platform.registers.fill(0n);
    platform.registers.set([token, a, b, c]);
    platform.hcall();
  }

  #windowsOf(bar: Bar): BridgeWindow[] {
    const { io, mem32, mem64 } = this.machine.bridge;
    if (bar.kind === 'io') return [io];
    return bar.kind === 'mem32' || mem64 === undefined ? [mem32] : [mem32, mem64];
  }
}

/** Ports from 0x1000 up, a page a BAR. */
function ioOffset(bar: Bar): number {
  return bar.kind === 'io' ? 0x1000 * (bar.index + 1) : 0;
}

/** Two capabilities as the logs list them: MSI-X by its three words, virtio's by its fields. */
export interface CapabilityView {
  readonly at: number;
  readonly id: number;
  readonly length: number;
  readonly type: number;
  readonly bar: number;
  readonly identity: number;
  readonly offset: number;
  readonly bytes: number;
  readonly extra: number;
  readonly control: number;
  /** MSI-X: table offset and BAR; the pending bits' word is `offset`. */
  readonly table: number;
}

/** The capability list, in the order a driver walks it. */
export function capabilitiesOf(probe: Probe): CapabilityView[] {
  const found: CapabilityView[] = [];
  for (let at = probe.config(0x34, 1); at !== 0; at = probe.config(at + 1, 1)) {
    found.push({
      at,
      id: probe.config(at, 1),
      length: probe.config(at + 2, 1),
      type: probe.config(at + 3, 1),
      bar: probe.config(at + 4, 1),
      identity: probe.config(at + 5, 1),
      offset: probe.config(at + 8, 4),
      bytes: probe.config(at + 12, 4),
      extra: probe.config(at + 16, 4),
      control: probe.config(at + 2, 2),
      table: probe.config(at + 4, 4),
    });
  }
  return found;
}
