import { KIND, type MachineEvent } from '../emu/core/tap.ts';
import {
  H_LOGICAL_CACHE_LOAD,
  H_LOGICAL_CACHE_STORE,
  H_LOGICAL_CI_LOAD,
  H_LOGICAL_CI_STORE,
  MSR_LE,
  RTAS_TOKEN,
} from '../emu/papr/abi.ts';
import { VIRTIO_ID_BLOCK, VIRTIO_ID_CONSOLE, VIRTIO_ID_NET, VIRTIO_PCI_VENDOR } from '../emu/virtio/abi.ts';
import { VIRTIO_ID_BALLOON, VIRTIO_ID_RNG, VIRTIO_ID_SCSI, VIRTIO_ID_9P } from '../emu/virtio/abi.ts';
import { PCI_INTERRUPT_PIN } from '../emu/pci/abi.ts';
import { portAt } from './host-windows.ts';
import { GuestMemoryView } from './guest-memory-view.ts';
import type { QueueSurroundings } from './observed-queue.ts';
import { TranslationView } from './translation-view.ts';
import { VirtioFunction } from './virtio-function.ts';

const TWO_32 = 2 ** 32;
const ADDRESS_HIGH_MAX = 2 ** 20;
const MODERN_BASE = 0x1040;
const TRANSITIONAL_BASE = 0x1000;
const LSI_PINS = 4;
/** PCI device ids of transitional functions (4.1.2). */
const TRANSITIONAL: readonly number[] = [
  VIRTIO_ID_NET,
  VIRTIO_ID_BLOCK,
  VIRTIO_ID_BALLOON,
  VIRTIO_ID_CONSOLE,
  VIRTIO_ID_SCSI,
  VIRTIO_ID_RNG,
  0,
  0,
  0,
  VIRTIO_ID_9P,
];

const HCALL = KIND['hcall'];
const HCALL_RETURN = KIND['hcall-return'];
const RTAS = KIND['rtas'];
const RTAS_RETURN = KIND['rtas-return'];
const MMIO_READ = KIND['mmio-read'];
const MMIO_WRITE = KIND['mmio-write'];
const PIO_READ = KIND['pio-read'];
const PIO_WRITE = KIND['pio-write'];
const READ_VALUE = KIND['read-value'];
const DMA_READ = KIND['dma-read'];
const DMA_WRITE = KIND['dma-write'];
const DMA_FAULT = KIND['dma-fault'];
const HYPERVISOR_READ = KIND['hypervisor-read'];
const INTERRUPT = KIND['interrupt'];
const CPU_MODE = KIND['cpu-mode'];
const MACHINE_RESET = KIND['machine-reset'];
const HOST_INPUT = KIND['host-input'];
const HOST_OUTPUT = KIND['host-output'];
const GUEST_WRITE = KIND['guest-write'];
const DISCARD = KIND['discard'];
const ADVANCE = KIND['advance'];
const IDLE = KIND['idle'];

/** Inputs of the guest or the host: what the one before led to is over when the next comes. */
const IS_ACTION = new Uint8Array(64);
for (const kind of [
  HCALL,
  MMIO_READ,
  MMIO_WRITE,
  PIO_READ,
  PIO_WRITE,
  ADVANCE,
  IDLE,
  MACHINE_RESET,
  HOST_INPUT,
]) {
  IS_ACTION[kind] = 1;
}

/** Told of a virtio function when its type is known, before anything else of it is told. */
export type MeetFunction = (found: VirtioFunction) => void;

/**
 * Everything that a stream of events lets one know of virtio on PCI, and nothing else: no machine is asked, so it watches
 * any that can be recorded. Events are shown in order.
 */
export class ObservedWorld implements QueueSurroundings {
  readonly memory: GuestMemoryView = new GuestMemoryView();
  readonly translation: TranslationView = new TranslationView();
  /** Number of the event that is being seen, as recordings count: from 0, and stores into RAM only where they are recorded. */
  event = 0;
  /** Stores into RAM count as events: a recording has them. */
  countsGuestWrites = false;
  readonly #meet: MeetFunction;
  /** By requester; those of the stream are in `functions`. */
  readonly #known: Map<number, VirtioFunction> = new Map();
  /** Virtio functions that were met in this stream. */
  readonly functions: VirtioFunction[] = [];
  #little = false;
  /** The function whose register is being loaded; its value is the next `read-value`. */
  #loading: VirtioFunction | undefined;
  #loadSwapped = false;
  #loadWidth = 0;
  #rtas = 0;
  #rtasFunction = 0;
  #rtasOffset = 0;
  #rtasWidth = 0;
  #logical = 0;
  #waited = false;
  #low = 0;
  #high = 0;

  constructor(meet: MeetFunction) {
    this.#meet = meet;
  }

  /** A new stream. */
  begin(): void {
    this.event = -1;
    this.memory.begin();
    this.translation.begin();
    this.functions.length = 0;
    this.#little = false;
    this.#loading = undefined;
    this.#rtas = 0;
    this.#logical = 0;
    this.#waited = false;
    for (const known of this.#known.values()) known.forget();
  }

  end(): void {
    for (const found of this.functions) for (const hook of found.hooks.onEnd) hook();
  }

  take(event: MachineEvent): void {
    const { kind, words } = event;
    if (kind !== GUEST_WRITE || this.countsGuestWrites) this.event++;
    if (kind === GUEST_WRITE) {
      this.#rested();
      this.#guestWrite(event);
      return;
    }
    if (IS_ACTION[kind] === 1) this.#action();
    if (kind === DMA_READ || kind === DMA_WRITE) {
      const found = this.#function(words[0] ?? 0);
      found?.dmaSeen(
        kind === DMA_WRITE,
        words[3] ?? 0,
        words[2] ?? 0,
        event.bytes,
        event.byteOffset,
        event.byteLength,
      );
    } else if (kind === MMIO_WRITE || kind === PIO_WRITE) this.#store(event, kind === PIO_WRITE);
    else if (kind === MMIO_READ || kind === PIO_READ) this.#load(event, kind === PIO_READ);
    else if (kind === READ_VALUE) this.#loaded(words[0] ?? 0, words[1] ?? 0);
    else if (kind === DMA_FAULT) {
      this.#function(words[0] ?? 0)?.faultSeen(
        (words[6] ?? 0) === 1,
        words[3] ?? 0,
        words[2] ?? 0,
        words[4] ?? 0,
      );
    } else if (kind === INTERRUPT) this.#interrupt(words[0] ?? 0, words[2] ?? 0);
    else if (kind === HCALL) this.#hcall(event);
    else if (kind === HCALL_RETURN) this.#hcallReturn(event);
    else if (kind === RTAS) this.#rtasCall(event);
    else if (kind === RTAS_RETURN) this.#rtasReturn(event);
    else if (kind === HYPERVISOR_READ) this.translation.hypervisorRead(event);
    else if (kind === CPU_MODE) this.#cpuMode(event);
    else if (kind === IDLE) this.#waited = true;
    else if (kind === MACHINE_RESET) this.#machineReset();
    else if (kind === DISCARD) this.#discarded(event);
    else if (kind === HOST_INPUT || kind === HOST_OUTPUT) this.#hostEnd(event, kind === HOST_INPUT);
  }

  #action(): void {
    this.#rested();
    for (const found of this.functions) for (const hook of found.hooks.onAction) hook();
  }

  /** The guest goes on after it waited: what was due has happened. Even a store into RAM shows that. */
  #rested(): void {
    if (!this.#waited) return;
    this.#waited = false;
    for (const found of this.functions) for (const hook of found.hooks.onIdle) hook();
  }

  #function(requester: number): VirtioFunction | undefined {
    for (const found of this.functions) if (found.requester === requester) return found;
    return undefined;
  }

  #guestWrite(event: MachineEvent): void {
    const address = (event.words[1] ?? 0) * TWO_32 + (event.words[0] ?? 0);
    const length = event.byteLength;
    this.memory.write(address, event.bytes, event.byteOffset, length);
    for (const found of this.functions) {
      for (const hook of found.hooks.onGuestStore) hook(address, length);
      for (const queue of found.live) {
        if (!queue.driverSeen) continue;
        const descriptor = address - queue.guestDescriptors;
        if (descriptor >= 0 && descriptor < queue.descriptorBytes) {
          queue.driverWrote('descriptors', descriptor, length);
          for (const hook of found.hooks.onDriverWrite) hook(queue, 'descriptors', descriptor, length);
        }
        const driver = address - queue.guestDriverArea;
        if (driver >= 0 && driver < queue.driverBytes) {
          queue.driverWrote('driver', driver, length);
          for (const hook of found.hooks.onDriverWrite) hook(queue, 'driver', driver, length);
        }
        const device = address - queue.guestDeviceArea;
        if (queue.guestDeviceArea >= 0 && device >= 0 && device < queue.deviceBytes) {
          for (const hook of found.hooks.onDriverWrite) hook(queue, 'device', device, length);
        }
      }
    }
  }

  #discarded({ words }: MachineEvent): void {
    const address = (words[3] ?? 0) * TWO_32 + (words[2] ?? 0);
    const found = this.#function(words[0] ?? 0);
    if (found !== undefined) for (const hook of found.hooks.onDiscard) hook(address, words[4] ?? 0);
  }

  // --- Loads and stores outside RAM ------------------------------------------------------------------------------

  #load(event: MachineEvent, isPort: boolean): void {
    const address = (event.words[1] ?? 0) * TWO_32 + (event.words[0] ?? 0);
    this.#beginLoad(address, event.words[2] ?? 0, event.words[4] === 1, isPort);
  }

  #beginLoad(address: number, width: number, swapped: boolean, isPort: boolean): void {
    this.#loading = undefined;
    for (const found of this.functions) {
      if (!found.claims(address, isPort)) continue;
      found.access.width = width;
      found.loadBegins();
      this.#loading = found;
      this.#loadSwapped = swapped;
      this.#loadWidth = width;
      return;
    }
  }

  #loaded(low: number, high: number): void {
    const found = this.#loading;
    if (found === undefined) return;
    this.#loading = undefined;
    this.#swap(low, high, this.#loadWidth, this.#loadSwapped);
    found.loadEnds(this.#low, this.#high);
  }

  #store(event: MachineEvent, isPort: boolean): void {
    const { words } = event;
    const address = (words[1] ?? 0) * TWO_32 + (words[0] ?? 0);
    this.#storeAt(address, words[2] ?? 0, words[4] === 1, isPort, words[6] ?? 0, words[7] ?? 0);
  }

  #storeAt(
    address: number,
    width: number,
    swapped: boolean,
    isPort: boolean,
    low: number,
    high: number,
  ): void {
    for (const found of this.functions) {
      if (!found.claims(address, isPort)) continue;
      found.access.width = width;
      this.#swap(low, high, width, swapped);
      found.stored(this.#low, this.#high);
      return;
    }
  }

  /** A value as PCI means it, whichever way the instruction had it: the device's bytes are little-endian. */
  #swap(low: number, high: number, width: number, swapped: boolean): void {
    const kept = width === 4 || width === 8 ? low : low & (2 ** (8 * width) - 1);
    this.#low = kept;
    this.#high = width === 8 ? high : 0;
    if (!swapped || width === 1) return;
    if (width === 2) this.#low = ((kept & 0xff) << 8) | (kept >>> 8);
    else if (width === 4) this.#low = swapped32(kept);
    else {
      this.#low = swapped32(high);
      this.#high = swapped32(low);
    }
  }

  // --- Hypervisor calls ------------------------------------------------------------------------------------------

  #hcall(event: MachineEvent): void {
    const { words } = event;
    this.translation.hcall(event);
    const token = words[0] ?? 0;
    this.#logical = 0;
    if (token === H_LOGICAL_CI_LOAD || token === H_LOGICAL_CACHE_LOAD) {
      this.#logical = token;
      this.#beginLogicalLoad(words[5] ?? 0, words[4] ?? 0, words[2] ?? 0);
    } else if (token === H_LOGICAL_CI_STORE || token === H_LOGICAL_CACHE_STORE) {
      const address = logicalAddress(words[5] ?? 0, words[4] ?? 0);
      const port = portAt(address);
      this.#storeAt(port < 0 ? address : port, words[2] ?? 0, true, port >= 0, words[6] ?? 0, words[7] ?? 0);
    }
  }

  #beginLogicalLoad(high: number, low: number, width: number): void {
    const address = logicalAddress(high, low);
    const port = portAt(address);
    this.#beginLoad(port < 0 ? address : port, width, true, port >= 0);
  }

  #hcallReturn(event: MachineEvent): void {
    this.translation.hcallReturn(event);
    this.#unmapped();
    if (this.#logical === 0) return;
    this.#logical = 0;
    if ((event.words[0] ?? 0) === 0) this.#loaded(event.words[2] ?? 0, event.words[3] ?? 0);
    this.#loading = undefined;
  }

  #unmapped(): void {
    if (!this.translation.removed) return;
    this.translation.removed = false;
    for (const found of this.functions) for (const hook of found.hooks.onUnmapped) hook();
  }

  #rtasCall(event: MachineEvent): void {
    this.translation.rtas(event);
    const { words } = event;
    const argument = (index: number): number => words[2 * (3 + index)] ?? 0;
    const token = words[0] ?? 0;
    this.#rtas = token;
    const where = argument(0);
    this.#rtasFunction = (where >>> 8) & 0xffff;
    this.#rtasOffset = (where & 0xff) | ((where >>> 20) & 0xf00);
    if (token === RTAS_TOKEN['ibm,read-pci-config']) this.#rtasWidth = argument(3);
    else if (token === RTAS_TOKEN['read-pci-config']) this.#rtasWidth = argument(1);
    else if (token === RTAS_TOKEN['ibm,write-pci-config']) this.#configWrite(argument(3), argument(4));
    else if (token === RTAS_TOKEN['write-pci-config']) this.#configWrite(argument(1), argument(2));
    else if (token === RTAS_TOKEN['ibm,query-interrupt-source-number']) this.#rtasOffset = argument(3);
  }

  #configWrite(width: number, value: number): void {
    if (width !== 1 && width !== 2 && width !== 4) return;
    this.#known
      .get(this.#rtasFunction)
      ?.configWrite(this.#rtasOffset, width, width === 4 ? value : value & (2 ** (8 * width) - 1));
  }

  #rtasReturn(event: MachineEvent): void {
    this.translation.rtasReturn(event);
    this.#unmapped();
    const token = this.#rtas;
    this.#rtas = 0;
    const result = (index: number): number => event.words[2 * (1 + index)] ?? 0;
    if (token === 0 || result(0) !== 0) return;
    if (token === RTAS_TOKEN['ibm,read-pci-config'] || token === RTAS_TOKEN['read-pci-config']) {
      this.#configRead(result(1));
    } else if (token === RTAS_TOKEN['ibm,query-interrupt-source-number']) {
      this.#known.get(this.#rtasFunction)?.learnSource(this.#rtasOffset, result(1));
    }
  }

  #configRead(value: number): void {
    const width = this.#rtasWidth;
    if (width !== 1 && width !== 2 && width !== 4) return;
    let found = this.#known.get(this.#rtasFunction);
    if (found === undefined) {
      if (this.#rtasOffset > 3) return;
      found = new VirtioFunction(this.#rtasFunction, this);
      this.#known.set(this.#rtasFunction, found);
    }
    const met = this.functions.includes(found);
    found.configRead(this.#rtasOffset, width, width === 4 ? value : value & (2 ** (8 * width) - 1));
    if (!met && this.#rtasOffset <= 3 && found.knows(0, 4)) this.#identify(found);
  }

  #identify(found: VirtioFunction): void {
    if (found.configHalf(0) !== VIRTIO_PCI_VENDOR) return;
    const id = found.configHalf(2);
    if (id < TRANSITIONAL_BASE || id >= MODERN_BASE + 0x40) return;
    const type = id >= MODERN_BASE ? id - MODERN_BASE : (TRANSITIONAL[id - TRANSITIONAL_BASE] ?? 0);
    found.type = type;
    found.cpuLittle = this.#little;
    this.functions.push(found);
    this.#meet(found);
  }

  #cpuMode(event: MachineEvent): void {
    this.#little = ((event.words[2] ?? 0) & Number(MSR_LE)) !== 0;
    for (const found of this.functions) found.cpuLittle = this.#little;
  }

  #machineReset(): void {
    this.#loading = undefined;
    for (const found of this.functions) {
      for (const hook of found.hooks.onMachineReset) hook();
      found.reset();
      found.resetting = false;
      found.line = 0;
    }
  }

  #interrupt(source: number, level: number): void {
    let owner: VirtioFunction | undefined;
    if (level === 2) {
      for (const found of this.functions) if (found.owns(source)) owner = found;
      if (owner === undefined && this.functions.length === 1) owner = this.functions[0];
      owner?.interrupted(source, level);
      return;
    }
    // A line is shared by the functions whose slot and pin lead to it; without a device tree, by the last two bits.
    for (const found of this.functions) {
      const pin = found.config[PCI_INTERRUPT_PIN] ?? 0;
      const line = ((found.requester >> 3) + Math.max(0, pin - 1)) % LSI_PINS;
      if (this.functions.length === 1 || line === source % LSI_PINS) found.interrupted(source, level);
    }
  }

  #hostEnd(event: MachineEvent, input: boolean): void {
    const port = event.words[0] ?? 0;
    for (const found of this.functions) {
      const hooks = input ? found.hooks.onHostInput : found.hooks.onHostOutput;
      for (const hook of hooks) hook(port, event.bytes, event.byteOffset, event.byteLength);
    }
  }
}

function logicalAddress(high: number, low: number): number {
  return high < ADDRESS_HIGH_MAX ? high * TWO_32 + low : -1;
}

function swapped32(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
