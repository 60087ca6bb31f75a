import { DiagnosticLog } from '../../emu/core/diagnostics.ts';
import { EventQueue } from '../../emu/core/event-queue.ts';
import { TapLine } from '../../emu/core/tap-line.ts';
import { NOBODY } from '../../emu/devices/backends/net-end.ts';
import { Disk, diskBytes } from '../../emu/devices/backends/disk.ts';
import { AddressSpace, EntryGuard } from '../../emu/memory/address-space.ts';
import { BounceBuffer } from '../../emu/memory/bounce-buffer.ts';
import { DmaSpace } from '../../emu/memory/dma-space.ts';
import { PagedMemory } from '../../emu/memory/guest-memory.ts';
import { ANY_WIDTH, type Region } from '../../emu/memory/region.ts';
import { makeDevice } from '../../emu/machine/devices.ts';
import { parseMachine } from '../../emu/machine/options.ts';
import { realizeDevice } from '../../emu/machine/realize.ts';
import type { Verdict } from '../../emu/machine/config.ts';
import { XIRQ_BASE, XIRQS } from '../../emu/papr/abi.ts';
import { DmaWindows } from '../../emu/papr/dma-window.ts';
import { PCI_BASE_ADDRESS_0, PCI_COMMAND } from '../../emu/pci/abi.ts';
import type { PciBus } from '../../emu/pci/function.ts';
import { NetDevice } from '../../emu/devices/net.ts';
import type { VirtioCore } from '../../emu/virtio/core.ts';
import { VirtioPciFunction } from '../../emu/virtio/pci-function.ts';
import * as abi from '../../emu/virtio/abi.ts';
import { QemuEntropy } from './qemu-entropy.ts';

/** Where the agent that took the logs put the BARs. */
const LEGACY_BASE = 0x200000010000;
const MODERN_BASE = 0x210010000000;
const MSI_ADDRESS = 0x40000000000;
const MSI_BYTES = 0x1000;
const DISK_SECTORS = 2048;
const PCI_MEMORY_AND_IO = 3;
const PCI_MASTER = 4;
const QUEUE_STEP = 4;
const NOTIFY = 0x3000;
const ISR = 0x1000;

export interface Rings {
  readonly size: number;
  readonly desc: bigint;
  readonly avail: bigint;
  readonly used: bigint;
}

export interface StandOptions {
  readonly machine: string;
  /** The `-device` argument; it names drive `d`, netdev `n`. */
  readonly device: string;
  readonly ramBytes: number;
  readonly seed: number;
  /** Byte order of the CPU that drives the device. */
  readonly order: 'little' | 'big';
}

/**
 * One virtio function on a bare bus, driven register by register as the logs' agent drove it: RAM, a DMA window, and
 * nothing of the platform around.
 */
export class VirtioStand implements PciBus {
  readonly memory: PagedMemory;
  readonly log: DiagnosticLog = new DiagnosticLog();
  readonly windows: DmaWindows = new DmaWindows(0, true, 0x1211000);
  readonly queue: EventQueue = new EventQueue();
  readonly system: AddressSpace;
  cpuOrder: 'little' | 'big';
  /** The last frame the device sent. */
  frame: Uint8Array | undefined = undefined;
  device!: VirtioCore;
  function!: VirtioPciFunction;

  readonly #guard: EntryGuard = new EntryGuard();

  /** The device on its stand, decoding and mastering; or QEMU's refusal. */
  static make(options: StandOptions, memory: PagedMemory): Verdict<VirtioStand> {
    const machine = parseMachine(options.machine);
    if (!machine.accepted) return machine;
    const realized = realizeDevice(options.device, {
      machine: machine.value.type,
      cpus: 1,
      globals: [],
      backends: () => true,
      slot: 'conventional',
      taken: new Map(),
    });
    if (!realized.accepted) return realized;
    const stand = new VirtioStand(options, memory);
    const { value } = realized;
    const regions = new AddressSpace(stand.log);
    regions.map(MSI_ADDRESS, messageWindow(stand.log));
    const space = {
      find: stand.windows.find.bind(stand.windows),
      regions,
    };
    stand.function = new VirtioPciFunction(
      value.settings,
      stand,
      (transport) => {
        const parts = {
          events: stand.queue,
          diagnostics: stand.log,
          useStarted: value.values.flag('use-started'),
          ioeventfd: value.values.flag('ioeventfd'),
        };
        const backends = {
          disk: () => new Disk(new PagedMemory(diskBytes(DISK_SECTORS)), DISK_SECTORS, false, 'golden', ''),
          peer: () => ({ ...NOBODY, transmitted: (frame: Uint8Array) => (stand.frame = frame.slice()) }),
          entropy: () => new QemuEntropy(options.seed),
          nextMac: () => new Uint8Array([0x52, 0x54, 0, 0x12, 0x34, 0x56]),
          char: () => undefined,
          report: () => undefined,
          ramBytes: stand.memory.size,
          hostPageBytes: 4096,
        };
        const device = makeDevice(value, parts, backends);
        const master = {
          get busMaster(): boolean {
            return stand.function.busMaster;
          },
        };
        device.plug(
          transport,
          new DmaSpace({
            memory: stand.memory,
            system: stand.system,
            bounce: new BounceBuffer(),
            diagnostics: stand.log,
            line: new TapLine(stand.queue),
            requester: value.settings.devfn,
            bus: value.iommuPlatform ? { space, function: master } : undefined,
          }),
        );
        stand.device = device;
        return device;
      },
      stand.log,
    );
    stand.windows.reset();
    stand.function.reset();
    stand.#enable();
    return { accepted: true, value: stand, warnings: realized.warnings };
  }

  private constructor(options: StandOptions, memory: PagedMemory) {
    this.memory = memory;
    this.system = new AddressSpace(this.log);
    this.cpuOrder = options.order;
  }

  setIntx(): void {}
  sendMessage(): void {}

  remapped(): void {
    this.device?.memoryChanged();
  }

  get command(): number {
    return this.function.configRead(PCI_COMMAND, 2);
  }

  setMaster(on: boolean): void {
    this.function.configWrite(PCI_COMMAND, 2, on ? PCI_MEMORY_AND_IO | PCI_MASTER : PCI_MEMORY_AND_IO);
  }

  /** Maps `pages` pages of 4 KiB, permissions as in a TCE. */
  mapPages(bus: number, ram: number, pages: number, permission: number): void {
    const [table] = this.windows.tables;
    for (let i = 0; i < pages; i++) {
      table.put((bus >>> 12) + i, 0, permission === 0 ? 0 : ram + i * 4096 + permission);
    }
  }

  // --- The modern interface -------------------------------------------------------------------------------------

  modernFeatures(): bigint {
    let features = 0n;
    for (let word = 0; word < 2; word++) {
      this.common(abi.VIRTIO_PCI_COMMON_DFSELECT, 4, word);
      features |= BigInt(this.modern(abi.VIRTIO_PCI_COMMON_DF, 4)) << BigInt(32 * word);
    }
    return features;
  }

  acceptModern(features: bigint): void {
    for (let word = 0; word < 2; word++) {
      this.common(abi.VIRTIO_PCI_COMMON_GFSELECT, 4, word);
      this.common(abi.VIRTIO_PCI_COMMON_GF, 4, Number((features >> BigInt(32 * word)) & 0xffffffffn));
    }
  }

  setModernQueue(queue: number, rings: Rings, enable: boolean): void {
    this.common(abi.VIRTIO_PCI_COMMON_Q_SELECT, 2, queue);
    this.common(abi.VIRTIO_PCI_COMMON_Q_SIZE, 2, rings.size);
    for (const [at, address] of [
      [abi.VIRTIO_PCI_COMMON_Q_DESCLO, rings.desc],
      [abi.VIRTIO_PCI_COMMON_Q_AVAILLO, rings.avail],
      [abi.VIRTIO_PCI_COMMON_Q_USEDLO, rings.used],
    ] as const) {
      this.common(at, 4, Number(address & 0xffffffffn));
      this.common(at + 4, 4, Number(address >> 32n));
    }
    if (enable) this.common(abi.VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
  }

  common(offset: number, width: 1 | 2 | 4, value: number): void {
    this.system.write(MODERN_BASE + offset, width, value, false);
  }

  modern(offset: number, width: 1 | 2 | 4): number {
    return this.system.read(MODERN_BASE + offset, width, false);
  }

  // --- The legacy interface -------------------------------------------------------------------------------------

  legacy(offset: number, width: 1 | 2 | 4): number {
    return this.system.read(LEGACY_BASE + offset, width, false);
  }

  setLegacy(offset: number, width: 1 | 2 | 4, value: number): void {
    this.system.write(LEGACY_BASE + offset, width, value, false);
  }

  // --- Either ---------------------------------------------------------------------------------------------------

  setStatus(legacy: boolean, value: number): void {
    if (legacy) this.setLegacy(abi.VIRTIO_PCI_STATUS, 1, value);
    else this.common(abi.VIRTIO_PCI_COMMON_STATUS, 1, value);
  }

  status(legacy: boolean): number {
    return legacy ? this.legacy(abi.VIRTIO_PCI_STATUS, 1) : this.modern(abi.VIRTIO_PCI_COMMON_STATUS, 1);
  }

  kick(legacy: boolean, queue: number): void {
    if (legacy) this.setLegacy(abi.VIRTIO_PCI_QUEUE_NOTIFY, 2, queue);
    else this.common(NOTIFY + QUEUE_STEP * queue, 2, queue);
    this.settle();
  }

  isr(legacy: boolean): number {
    return legacy ? this.legacy(abi.VIRTIO_PCI_ISR, 1) : this.modern(ISR, 1);
  }

  /** Runs until nothing is due. */
  settle(): void {
    for (let turns = 0; turns < 100_000 && this.queue.step(); turns++);
  }

  receive(frame: Uint8Array): void {
    if (this.device instanceof NetDevice) this.device.receive(frame);
    this.settle();
  }

  /** What was said since the last question, as the logs count repeats. */
  takeLog(): (readonly [string, number])[] {
    const counted: [string, number][] = [];
    for (const line of this.log.lines) {
      const last = counted.at(-1);
      if (last !== undefined && last[0] === line) last[1]++;
      else counted.push([line, 1]);
    }
    this.log.lines.length = 0;
    return counted;
  }

  #enable(): void {
    const made = this.function;
    for (const bar of made.bars) {
      const base = bar.kind === 'io' ? LEGACY_BASE : bar.index === 4 ? MODERN_BASE : undefined;
      if (base === undefined) continue;
      made.configWrite(PCI_BASE_ADDRESS_0 + 4 * bar.index, 4, base >>> 0);
      this.system.map(base, bar.region, 0, Number.MAX_SAFE_INTEGER, this.#guard);
    }
    this.setMaster(true);
  }
}

/** A number that is no interrupt makes QEMU abort in the MSI window; no case sends one that is. */
function messageWindow(log: DiagnosticLog): Region {
  return {
    name: 'msi',
    size: MSI_BYTES,
    access: ANY_WIDTH,
    read: () => 0,
    write: (_offset, _width, value) => {
      const limit = value < XIRQ_BASE ? 'irq >= SPAPR_XIRQ_BASE' : 'irq < (smc->nr_xirqs + SPAPR_XIRQ_BASE)';
      if (value >= XIRQ_BASE && value < XIRQ_BASE + XIRQS) return;
      log.ended('abort', `spapr_qirq: Assertion \`${limit}' failed.`);
    },
  };
}
