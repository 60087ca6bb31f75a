import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { MachineEvent, Tap } from '../emu/core/tap.ts';
import { KIND } from '../emu/core/tap.ts';
import { SECTOR_BYTES } from '../emu/devices/backends/disk.ts';
import type { BackendConfig, MachineConfig } from '../emu/machine/config.ts';
import { GuestSystem } from '../emu/machine/guest-system.ts';
import { CONSOLE_PORT } from '../emu/machine/host-ends.ts';
import { readKernel, type KernelImage } from '../emu/machine/kernel-image.ts';
import { makeHeader } from '../trace/format.ts';
import { FileSink, Recorder } from '../trace/recorder.ts';
import { bootOrigin } from './boot-recording.ts';
import { EXIT, UsageError, type BootOptions } from './options.ts';

/** Instructions between two looks at keyboard and clock: the same whatever the host does. */
const SLICE = 2_000_000;
const INSTRUCTIONS_PER_MILLISECOND = 1_000_000;
/** A typed line goes in by so few bytes at a time: an hvc console's buffer has 16. */
const KEYS_AT_ONCE = 16;
const RAM_UNIT = 0x1000_0000;
const RAM_MAX = 2 ** 31;
const PAUSE_MAX_MS = 50;

/** How a guest ended, and what its exit status is. */
const ENDS = {
  'power-off': { status: EXIT.fine, says: 'the guest powered off' },
  reset: { status: EXIT.fine, says: 'the guest asked for a reset' },
  'guest-panicked': { status: EXIT.wrong, says: "the guest's kernel panicked" },
  suspend: { status: EXIT.wrong, says: 'the guest asked to be suspended' },
  fatal: { status: EXIT.wrong, says: 'the guest asked for what QEMU would stop at' },
  budget: { status: EXIT.wrong, says: 'the budget of instructions is used up' },
  asleep: { status: EXIT.wrong, says: 'the guest waits for what can never come' },
} as const;

/** Runs a kernel on the emulated processor. */
export async function boot(options: BootOptions): Promise<number> {
  const recorder = options.output === undefined ? undefined : recorderFor(options, options.output);
  const system = makeSystem(options);
  recorder?.restart(makeHeader(machineOf(options), bootOrigin(options)), system.machine);
  system.machine.setTap(new Console(recorder));
  const end = await new Session(options, system).run();
  system.machine.setTap(undefined);
  recorder?.finish(system.machine.digest());
  keepDrive(options, system);
  return tell(options, system, end);
}

function recorderFor(options: BootOptions, file: string): Recorder {
  const folder = dirname(file);
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${folder} to write ${file} to`);
  return new Recorder(makeHeader(machineOf(options), undefined), new FileSink(file));
}

function makeSystem(options: BootOptions): GuestSystem {
  const kernel = kernelOf(options.kernel);
  const initrd = options.initrd === undefined ? undefined : initrdOf(options.initrd);
  const made = GuestSystem.create(
    machineOf(options),
    { kernel, initrd, arguments: options.append },
    { listening: true, say: complain, ended: (how, why) => complain(`QEMU would end here (${how}): ${why}`) },
  );
  if (!made.accepted) throw new UsageError(made.reason);
  const [disk] = made.value.machine.ends.disks;
  if (options.drive !== undefined && disk !== undefined) {
    const bytes = readFileSync(options.drive);
    disk.write(0, bytes, 0, bytes.length);
    disk.snapshot();
  }
  return made.value;
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

function kernelOf(path: string): KernelImage {
  const read = readKernel(readFileSync(path));
  if (!read.accepted) throw new UsageError(`${path} cannot be booted: ${read.reason}`);
  return read.value;
}

const CPIO_MAGICS = ['070701', '070702', '070707'];
const TRAILER = 'TRAILER!!!';

/** An uncompressed archive tells whether it is whole; of others the kernel will. */
function initrdOf(path: string): Uint8Array {
  const bytes = readFileSync(path);
  if (bytes.length === 0) throw new UsageError(`${path} is empty; an initial RAM disk is a cpio archive`);
  const isArchive = CPIO_MAGICS.includes(bytes.toString('latin1', 0, 6));
  if (isArchive && !bytes.includes(TRAILER)) {
    throw new UsageError(`${path} is cut off: a cpio archive ends with ${TRAILER}`);
  }
  return bytes;
}

function machineOf(options: BootOptions): MachineConfig {
  const ramBytes = options.ram * 2 ** 20;
  if (ramBytes % RAM_UNIT !== 0 || ramBytes > RAM_MAX) {
    throw new UsageError(
      `--ram ${options.ram}: pseries memory is a multiple of 256 MiB, and here at most 2048`,
    );
  }
  const transport = [
    ...(options.mode === 'modern' ? ['disable-legacy=on'] : []),
    ...(options.mode === 'legacy' ? ['disable-modern=on'] : []),
    ...(options.mode === 'transitional' ? ['disable-legacy=off', 'disable-modern=off'] : []),
    ...(options.iommuPlatform === undefined ? [] : [`iommu_platform=${options.iommuPlatform}`]),
  ];
  const devices: string[] = [];
  const backends: BackendConfig[] = [];
  if (options.drive !== undefined) {
    backends.push(driveOf(options.drive, options.readOnly));
    devices.push(['virtio-blk-pci', 'drive=drive0', 'addr=1', ...transport].join(','));
  }
  if (options.net) {
    backends.push({ kind: 'net', id: 'net0', loopback: true });
    devices.push(['virtio-net-pci', 'netdev=net0', 'addr=2', ...transport].join(','));
  }
  if (options.rng) {
    backends.push({ kind: 'entropy', id: 'rng0' });
    devices.push(['virtio-rng-pci', 'rng=rng0', 'addr=3', ...transport].join(','));
  }
  return {
    machine: withXics(options.machine),
    ramBytes,
    cpus: 1,
    seed: options.seed,
    devices,
    globals: [],
    backends,
  };
}

/** The interrupt controller that real code is served by. */
function withXics(machine: string): string {
  const wanted = /,ic-mode=(\w+)/.exec(machine)?.[1];
  if (wanted === undefined) return `${machine},ic-mode=xics`;
  if (wanted !== 'xics') {
    throw new UsageError(
      `--machine ${machine}: real code runs with ic-mode=xics; XIVE's hypercalls are not emulated`,
    );
  }
  return machine;
}

function driveOf(path: string, readOnly: boolean): BackendConfig {
  if (!existsSync(path)) throw new UsageError(`--drive ${path}: there is no such file`);
  const { size } = statSync(path);
  if (size === 0 || size % SECTOR_BYTES !== 0) {
    throw new UsageError(
      `--drive ${path}: a raw image has whole sectors of ${SECTOR_BYTES} bytes, this one ${size} bytes`,
    );
  }
  try {
    if (!readOnly) accessSync(path, constants.W_OK);
  } catch {
    throw new UsageError(`--drive ${path} cannot be written; --read-only gives it to the guest as it is`);
  }
  return { kind: 'disk', id: 'drive0', sectors: size / SECTOR_BYTES, content: 'zero', readOnly };
}

/** What the guest wrote goes into the image, page by page. */
function keepDrive(options: BootOptions, system: GuestSystem): void {
  const [disk] = system.machine.ends.disks;
  if (options.drive === undefined || options.readOnly || disk === undefined) return;
  const bytes = new Uint8Array(disk.sectors * SECTOR_BYTES);
  disk.read(0, bytes, 0, bytes.length);
  if (!readFileSync(options.drive).equals(bytes)) writeFileSync(options.drive, bytes);
}

/** The guest's console on stdout; everything else to the recorder. */
class Console implements Tap {
  readonly wantsGuestWrites = false;
  readonly #recorder: Recorder | undefined;

  constructor(recorder: Recorder | undefined) {
    this.#recorder = recorder;
  }

  take(event: MachineEvent): void {
    this.#recorder?.take(event);
    if (event.kind !== KIND['host-output'] || event.words[0] !== CONSOLE_PORT) return;
    // A copy: the event's bytes live only as long as this call.
    process.stdout.write(
      Buffer.from(event.bytes.subarray(event.byteOffset, event.byteOffset + event.byteLength)),
    );
  }
}

type End = keyof typeof ENDS;

/** One run of a guest with a keyboard. */
class Session {
  readonly #options: BootOptions;
  readonly #system: GuestSystem;
  #keys: Buffer = Buffer.alloc(0);
  #inputEnded = false;
  #wake: (() => void) | undefined;

  constructor(options: BootOptions, system: GuestSystem) {
    this.#options = options;
    this.#system = system;
  }

  async run(): Promise<End> {
    const { stdin } = process;
    const terminal = stdin.isTTY;
    if (terminal) stdin.setRawMode(true);
    stdin.on('data', this.#typed).on('end', this.#ended);
    try {
      return await this.#loop(terminal);
    } finally {
      stdin.off('data', this.#typed).off('end', this.#ended);
      if (terminal) stdin.setRawMode(false);
      stdin.pause();
    }
  }

  readonly #typed = (bytes: Buffer): void => {
    this.#keys = Buffer.concat([this.#keys, bytes]);
    this.#wake?.();
  };

  readonly #ended = (): void => {
    this.#inputEnded = true;
    this.#wake?.();
  };

  async #loop(terminal: boolean): Promise<End> {
    const { machine, processor } = this.#system;
    const began = performance.now();
    const budget = this.#options.budget ?? Infinity;
    for (let until = SLICE; ; until += SLICE) {
      if (machine.requested === 'reset' && this.#options.reboot) this.#system.reboot();
      if (machine.requested !== undefined) return machine.requested;
      if (processor.icount >= budget) return 'budget';
      this.#hand();
      const awake = this.#system.run(Math.min(until, budget));
      if (!awake && machine.requested === undefined) {
        if (this.#keys.length === 0 && this.#inputEnded) return 'asleep';
        if (this.#keys.length === 0) await this.#input();
      }
      // Whoever looks at a clock at a terminal finds it going as his own does.
      const ahead = terminal
        ? processor.icount / INSTRUCTIONS_PER_MILLISECOND - (performance.now() - began)
        : 0;
      await pause(Math.max(0, Math.min(ahead, PAUSE_MAX_MS)));
    }
  }

  /** Gives the guest what was typed, a little at a time. */
  #hand(): void {
    if (this.#keys.length === 0) return;
    this.#system.hostInput(CONSOLE_PORT, this.#keys.subarray(0, KEYS_AT_ONCE));
    this.#keys = this.#keys.subarray(KEYS_AT_ONCE);
  }

  async #input(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}

function tell(options: BootOptions, system: GuestSystem, end: End): number {
  const { status, says } = ENDS[end];
  const instructions = system.processor.icount;
  if (options.json) {
    const digest = system.digest();
    process.stderr.write(`${JSON.stringify({ type: 'summary', end, instructions, digest })}\n`);
  } else process.stderr.write(`papyrus: ${says} after ${instructions} instructions\n`);
  return status;
}
