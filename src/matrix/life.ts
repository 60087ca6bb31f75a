/** One guest, one device, one machine: a whole life, and the facts that it leaves. */
import type { GuestOutcome } from '../emu/guest/driver.ts';
import { GuestDriver } from '../emu/guest/driver.ts';
import { scriptedGuest } from '../emu/guest/scripted.ts';
import type { GuestSystem } from '../emu/guest/systems.ts';
import type { MachineConfig } from '../emu/machine/config.ts';
import { Machine, type MachineSnapshot } from '../emu/machine/machine.ts';
import type { Construction } from '../emu/machine/prediction.ts';
import type { Facts } from '../emu/machine/rules.ts';
import { KIND, type MachineEvent, type Tap } from '../emu/core/tap.ts';
import { PCI_REVISION_ID, PCI_SUBSYSTEM_ID, PCI_VENDOR_ID } from '../emu/pci/abi.ts';
import {
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_PCI_CAP_COMMON_CFG,
} from '../emu/virtio/abi.ts';
import { VirtioCore } from '../emu/virtio/core.ts';
import { SecureGuest } from '../emu/guest/secure-driver.ts';

const RAM_BYTES = 0x1000_0000;
const REQUESTS = 10;
const FRAME_SHIFT = 16;
/** Where the driver keeps all that a device may touch, and the bounce pool above it. */
const GUEST_FROM = 0x40_0000;
const GUEST_TO = 0x90_0000;

export function machineConfig(version: string, devices: readonly string[]): MachineConfig {
  return {
    // Where it is on by default QEMU itself refuses it without hardware.
    machine: `pseries-${version},cap-htm=off`,
    ramBytes: RAM_BYTES,
    cpus: 1,
    seed: 'matrix',
    devices,
    globals: [],
    backends: [
      { kind: 'entropy', id: 'e0' },
      { kind: 'disk', id: 'd0', sectors: 2048, content: 'tagged', readOnly: false },
      { kind: 'net', id: 'n0', loopback: true },
    ],
  };
}

/** Sharing is idempotent, as rule R36 quotes it; what images and random numbers cost is not what is asked here. */
const ULTRAVISOR = 'ultravisor,lockbox=trust,shareZeroesAgain=released,randomRegisters=released';
/** Enough for the guest's image and its driver. */
const SECURE_RAM_BYTES = 0x200_0000;

/** The same machine on a host with an ultravisor. `admitted`: KVM's capability is on, or KVM has none to ask. */
export function secureConfig(config: MachineConfig, admitted: boolean): MachineConfig {
  const host = admitted ? `${ULTRAVISOR},veto=off` : ULTRAVISOR;
  return { ...config, ramBytes: SECURE_RAM_BYTES, host };
}

/** The `-device` argument of a construction, every property said outright. */
export function deviceArgument(
  model: string,
  backend: string,
  built: Construction & { readonly built: true },
): string {
  const onOff = (value: boolean): string => (value ? 'on' : 'off');
  const generic = model.replace(/-(non-)?transitional$/, '');
  const words = [
    generic,
    backend,
    `disable-legacy=${onOff(built.mode === 'modern')}`,
    `disable-modern=${onOff(built.mode === 'legacy')}`,
    `iommu_platform=${onOff(built.iommuPlatform)}`,
    `packed=${onOff(built.packed)}`,
  ];
  return words.join(',');
}

/** A machine that goes back to its first moment for each life. */
export class Stage {
  readonly machine: Machine;
  readonly #start: MachineSnapshot;

  constructor(config: MachineConfig) {
    const made = Machine.create(config);
    if (!made.accepted) throw new Error(`the machine of a matrix cell was refused: ${made.reason}`);
    this.machine = made.value;
    this.#start = this.machine.snapshot();
  }

  rewind(): Machine {
    this.machine.setTap(undefined);
    this.machine.restore(this.#start);
    return this.machine;
  }
}

/** How a guest's accesses by DMA were made: by the addresses it gave, or through tables. */
export class DmaWitness implements Tap {
  readonly wantsGuestWrites = false;
  translated = 0;
  physical = 0;
  faults = 0;
  /** Bytes that a device wrote outside what the guest gave to devices. */
  harmed = 0;
  tces = 0;
  /** 64 KiB frames of RAM that a device wrote to. */
  readonly written: Set<number> = new Set();
  /** And that one read. */
  readonly read: Set<number> = new Set();
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  take(event: MachineEvent): void {
    if (event.kind === KIND['dma-fault']) this.faults++;
    else if (event.kind === KIND['hcall']) this.#hcall(event);
    else if (event.kind === KIND['dma-read'] || event.kind === KIND['dma-write']) this.#access(event);
  }

  #hcall(event: MachineEvent): void {
    const token = event.words[0] ?? 0;
    if (token === 0x20 || token === 0x138 || token === 0x13c) this.tces++;
  }

  #access(event: MachineEvent): void {
    const low = event.words[2] ?? 0;
    const high = event.words[3] ?? 0;
    const place = this.#machine.busToRam(event.words[0] ?? 0, high, low);
    if (place === undefined) return;
    if (high === 0 && place === low) this.physical++;
    else this.translated++;
    if (event.kind !== KIND['dma-write']) {
      this.read.add(place >>> FRAME_SHIFT);
      return;
    }
    this.written.add(place >>> FRAME_SHIFT);
    if (place < GUEST_FROM || place + event.byteLength > GUEST_TO) this.harmed += event.byteLength;
  }

  get way(): string {
    if (this.translated === 0) return this.physical === 0 ? 'none' : 'physical';
    return this.physical === 0 ? 'translated' : 'mixed';
  }
}

export interface LifeOptions {
  /** The guest asks to become secure first, if it is one that can. */
  readonly secure: boolean;
  /** Sees the whole life in place of the witness, whose facts are then not there. */
  readonly watch?: Tap;
}

/** Of frames that a device wrote to, those whose encrypted copy is not what the ultravisor put there any more. */
function spoiledFrames(machine: Machine, frames: Iterable<number>): number {
  const hypervisor = machine.secureSide?.hypervisor;
  let count = 0;
  for (const frame of frames) if (hypervisor?.wentOut(frame) === true) count++;
  return count;
}

/** Lets a guest live on a rewound stage, which is one with an ultravisor where it asks to become secure. */
export function live(stage: Stage, guest: GuestSystem, { secure, watch }: LifeOptions): Facts {
  const machine = stage.rewind();
  const witness = new DmaWitness(machine);
  machine.setTap(watch);
  const profile = scriptedGuest(guest);
  const options = { profile, requests: REQUESTS, loopback: true };
  if (!secure || guest.traits.secure === 'never') {
    const driver = new GuestDriver(machine.platform, options);
    driver.boot();
    const seen = visible(driver, machine);
    machine.setTap(watch ?? witness);
    const outcome = driver.live();
    return { ...seen, ...told(outcome, driver, witness), entered: false, flagged: false };
  }
  const driver = new SecureGuest(machine.platform, options);
  driver.boot();
  const seen = visible(driver, machine);
  const mark = 0x1234_5678;
  machine.platform.store32(GUEST_TO, mark, false);
  const status = driver.become();
  if (status !== 0) {
    const memoryKept = machine.platform.load32(GUEST_TO, false) === mark;
    return { ...seen, entered: false, esmStatus: status, memoryKept, works: false, vetoed: true };
  }
  machine.setTap(watch ?? witness);
  const outcome = driver.live();
  machine.setTap(undefined);
  const spoiled = spoiledFrames(machine, witness.written);
  const facts = told(outcome, driver, witness);
  const flagged = outcome.found && (outcome.features & (1n << BigInt(VIRTIO_F_ACCESS_PLATFORM))) === 0n;
  return {
    ...seen,
    ...facts,
    entered: true,
    flagged,
    spoiled,
    works: facts['works'] === true && spoiled === 0,
  };
}

/** What a guest reads of the function before it drives it. */
function visible(driver: GuestDriver, machine: Machine): Facts {
  const found = driver.firmware.functions[0];
  if (found === undefined) return { built: true };
  const ids = found.read(PCI_VENDOR_ID, 4);
  found.walkCapabilities();
  const ioBar = found.barIsIo[0] === 1;
  const common = (found.structures[VIRTIO_PCI_CAP_COMMON_CFG]?.address ?? 0) !== 0;
  const device = machine.functions[0]?.device;
  const offered = device instanceof VirtioCore ? device.hostFeatures : 0n;
  return {
    built: true,
    pciDevice: ids >>> 16,
    revision: found.read(PCI_REVISION_ID, 1),
    subsystem: found.read(PCI_SUBSYSTEM_ID, 2),
    ioBar,
    mode: ioBar ? (common ? 'transitional' : 'legacy') : 'modern',
    offersPlatform: ((offered >> BigInt(VIRTIO_F_ACCESS_PLATFORM)) & 1n) === 1n,
    dynamicWindows: driver.firmware.hardware.bridges[0]?.ddw !== undefined,
  };
}

function told(outcome: GuestOutcome, driver: GuestDriver, witness: DmaWitness): Facts {
  const { found, started, dataCorrect, interrupts, gaveUp, status, transport } = outcome;
  const interrupted = driver.profile.completion === 'polling' || interrupts > 0;
  const featuresOk = gaveUp !== 'virtio: device refuses features' && found;
  return {
    found,
    transport: transport ?? 'none',
    negotiated: started,
    featuresOk,
    statusFeatures: (status & VIRTIO_CONFIG_S_FEATURES_OK) !== 0,
    message: gaveUp === 'no device that this guest knows' ? '' : gaveUp,
    dataCorrect,
    interrupted,
    works: found && started && gaveUp === '' && dataCorrect && interrupted,
    dma: witness.way,
    faults: witness.faults,
    harmed: witness.harmed,
    tcesWritten: witness.tces > 0,
  };
}
