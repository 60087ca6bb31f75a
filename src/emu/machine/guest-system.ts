import { SILENT, type Diagnostics } from '../core/diagnostics.ts';
import { Digest } from '../core/digest.ts';
import { Rng } from '../core/rng.ts';
import { StateHasher, StateLoader, StateSaver, type StateStream } from '../core/state.ts';
import { MSR_ME } from '../cpu/abi.ts';
import { RAM_AT } from '../cpu/layout.ts';
import { sharedMemory } from '../cpu/memory.ts';
import { Processor, type Surroundings } from '../cpu/processor.ts';
import { PagedMemory } from '../memory/guest-memory.ts';
import { ClientInterface } from '../papr/client-interface.ts';
import type { TreeLoaded } from '../papr/device-tree.ts';
import type { MachineConfig, Verdict } from './config.ts';
import { initrdPlace, type KernelImage } from './kernel-image.ts';
import { Machine, type MachineSnapshot } from './machine.ts';

/** Instructions a tick of the timebase: the machine's clock is half the processor's. */
const INSTRUCTIONS_PER_TICK = 2;
const TWO_32 = 2 ** 32;

/** The firmware's memory, its stack, and where it is entered (QEMU's vof.bin; ours is a few instructions). */
const FIRMWARE_BYTES = 0xda0;
const STACK_AT = 0x8000;
const STACK_BYTES = 0x8000;
const STACK_FRAME = 0x20;
const ENTRY = 0x100;
const CLIENT_ENTRY = 0x200;

const high = (value: number): number => value >>> 16;
const lowHalf = (value: number): number => value & 0xffff;

/** Big-endian: load r5 with the client interface's address, and go to the kernel with r3 and r4 as they are. */
function entryCode(kernelAt: number): number[] {
  return [
    0x3ca0_0000 | high(CLIENT_ENTRY),
    0x60a5_0000 | lowHalf(CLIENT_ENTRY),
    0x3cc0_0000 | high(kernelAt),
    0x60c6_0000 | lowHalf(kernelAt),
    0x7cc9_03a6,
    0x4e80_0420,
  ];
}

/** `mr r4,r3; lis r3,0; ori r3,r3,0xf005; sc 1; blr` */
const CLIENT_CODE = [0x7c64_1b78, 0x3c60_0000, 0x6063_f005, 0x4400_0022, 0x4e80_0020];

/** A moment of a guest system; what a restore costs is what was touched since. */
export interface SystemSnapshot {
  readonly machine: MachineSnapshot;
  readonly state: Uint8Array;
}

/** What a guest system starts from. */
export interface Boot {
  readonly kernel: KernelImage;
  readonly initrd: Uint8Array | undefined;
  readonly arguments: string;
}

/**
 * A machine and the processor that runs real code on it, started as QEMU's Virtual Open Firmware starts a kernel. The
 * count of instructions is the machine's time.
 */
export class GuestSystem implements Surroundings {
  readonly machine: Machine;
  readonly processor: Processor;
  readonly #boot: Boot;
  readonly #firmware: ClientInterface;
  readonly #loaded: TreeLoaded;
  readonly #chance: Rng;

  static create(config: MachineConfig, boot: Boot, diagnostics: Diagnostics = SILENT): Verdict<GuestSystem> {
    const { kernel, initrd } = boot;
    const initrdAt = initrdPlace(kernel);
    const end = initrd === undefined ? kernel.end : Math.max(kernel.end, initrdAt + initrd.length);
    if (end > config.ramBytes) {
      const reason = `kernel and initial RAM disk end at ${end}, and RAM at ${config.ramBytes}`;
      return { accepted: false, reason };
    }
    const shared = sharedMemory(config.ramBytes);
    const memory = new PagedMemory(config.ramBytes, { buffer: shared.buffer, offset: RAM_AT });
    const firmware = new ClientInterface(FIRMWARE_BYTES);
    const loaded: TreeLoaded = {
      kernelAt: kernel.at,
      kernelBytes: kernel.bytes,
      kernelLittle: kernel.little,
      initrd: initrd === undefined ? undefined : [initrdAt, initrdAt + initrd.length],
      arguments: boot.arguments,
    };
    const made = Machine.create(config, { memory, firmware, loaded, diagnostics });
    if (!made.accepted) return made;
    if (made.value.memory !== memory) {
      return {
        accepted: false,
        reason: 'real code does not run as a secure guest: the processor has no ultravisor mode',
      };
    }
    const system = new GuestSystem(made.value, shared, memory, boot, firmware, loaded);
    return { accepted: true, value: system, warnings: made.warnings };
  }

  private constructor(
    machine: Machine,
    shared: ReturnType<typeof sharedMemory>,
    memory: PagedMemory,
    boot: Boot,
    firmware: ClientInterface,
    loaded: TreeLoaded,
  ) {
    this.machine = machine;
    this.#boot = boot;
    this.#firmware = firmware;
    this.#loaded = loaded;
    this.#chance = Rng.stream(machine.config.seed, 'processor');
    this.processor = new Processor(shared, memory, this);
    this.#load();
  }

  /** Runs until so many instructions have started; false if nothing can happen any more without input. */
  run(until: number): boolean {
    this.processor.stopRequested = this.machine.requested !== undefined;
    return this.processor.run(until);
  }

  /** Starts over, as RTAS system-reboot asks. */
  reboot(): void {
    this.machine.reset();
    this.#load();
  }

  exchange(state: StateStream): void {
    this.processor.exchange(state);
    this.#chance.exchange(state);
  }

  /** What the host hands in, at the moment where the processor stands. */
  hostInput(port: number, bytes: Uint8Array): void {
    this.reach(this.processor.icount);
    this.machine.hostInput(port, bytes);
  }

  snapshot(): SystemSnapshot {
    const saver = new StateSaver();
    this.exchange(saver);
    return { machine: this.machine.snapshot(), state: saver.finish() };
  }

  restore(snapshot: SystemSnapshot): void {
    this.machine.restore(snapshot.machine);
    const loader = new StateLoader(snapshot.state);
    this.exchange(loader);
    loader.done();
  }

  /** 32 hexadecimal digits over the machine's state, then over the processor's. */
  digest(): string {
    const into = new Digest();
    this.exchange(new StateHasher(into));
    return this.machine.digest() + into.hex();
  }

  // --- What the processor asks --------------------------------------------------------------------------------------

  get halted(): boolean {
    return this.machine.papr.partition.cpu.halted;
  }

  set halted(value: boolean) {
    this.machine.papr.partition.cpu.halted = value;
  }

  get lpcr(): bigint {
    return this.machine.papr.partition.cpu.lpcr;
  }

  get processTable(): bigint {
    return this.machine.papr.partition.partitionEntry;
  }

  external(): boolean {
    return this.machine.platform.interruptPending();
  }

  nextEvent(): number {
    const moment = this.machine.queue.next;
    return moment === undefined ? Infinity : moment * INSTRUCTIONS_PER_TICK;
  }

  reach(icount: number): void {
    const { queue, platform } = this.machine;
    const ticks = Math.floor(icount / INSTRUCTIONS_PER_TICK);
    // What became due at this very tick runs although no time passes.
    if (ticks > queue.now || (queue.next ?? Infinity) <= ticks) platform.advance(ticks - queue.now);
  }

  hypercall(): void {
    const { processor, machine } = this;
    const { platform } = machine;
    this.#act();
    for (let i = 0; i < platform.registers.length; i++) {
      platform.registers[i] = processor.registers[3 + i] ?? 0n;
    }
    platform.hcall();
    for (let i = 0; i < platform.registers.length; i++) {
      processor.registers[3 + i] = platform.registers[i] ?? 0n;
    }
    const { msr } = machine.papr.partition.cpu;
    if (msr !== processor.msr) processor.setMsr(msr);
    if (machine.requested !== undefined) processor.stopRequested = true;
  }

  read(address: number, bytes: number, bigEndian: boolean): bigint {
    this.#act();
    const { platform } = this.machine;
    if (bytes === 8) return platform.read64(address, bigEndian);
    return BigInt(platform.read(address, bytes as 1 | 2 | 4, bigEndian));
  }

  write(address: number, bytes: number, value: bigint, bigEndian: boolean): void {
    this.#act();
    const { platform } = this.machine;
    if (bytes === 8) platform.write64(address, value, bigEndian);
    else platform.write(address, bytes as 1 | 2 | 4, Number(value), bigEndian);
  }

  random(): bigint {
    return this.#chance.u64();
  }

  /** The machine's clock and its CPU stand where the processor does. */
  #act(): void {
    const { processor, machine } = this;
    this.reach(processor.icount);
    if (machine.papr.partition.cpu.msr !== processor.msr) machine.platform.setCpu(0, processor.msr);
  }

  #load(): void {
    const { machine, processor } = this;
    const { kernel, initrd } = this.#boot;
    const { memory } = machine;
    this.#write(ENTRY, entryCode(kernel.at));
    this.#write(CLIENT_ENTRY, CLIENT_CODE);
    for (const segment of kernel.segments) {
      memory.write(
        segment.address,
        kernel.file.subarray(segment.offset, segment.offset + segment.fileBytes),
        0,
        segment.fileBytes,
      );
      memory.fill(segment.address + segment.fileBytes, 0, segment.memoryBytes - segment.fileBytes);
    }
    const initrdAt = this.#loaded.initrd?.[0] ?? 0;
    if (initrd !== undefined) memory.write(initrdAt, initrd, 0, initrd.length);
    this.#firmware.reset(machine.papr.partition, [
      { start: STACK_AT, bytes: STACK_BYTES },
      { start: kernel.at, bytes: kernel.bytes },
      ...(initrd === undefined ? [] : [{ start: initrdAt, bytes: initrd.length }]),
    ]);
    // 32-bit big-endian, as QEMU enters its firmware.
    processor.reset(BigInt(ENTRY), MSR_ME);
    processor.registers[1] = BigInt(STACK_AT + STACK_BYTES - STACK_FRAME);
    processor.registers[3] = BigInt(initrdAt % TWO_32);
    processor.registers[4] = BigInt(initrd?.length ?? 0);
    machine.platform.setCpu(0, processor.msr);
  }

  #write(at: number, words: readonly number[]): void {
    for (const [index, word] of words.entries()) this.machine.memory.setU32(at + 4 * index, word, false);
  }
}
