import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { KIND } from '../emu/core/tap.ts';
import { GuestSystem } from '../emu/machine/guest-system.ts';
import { readKernel } from '../emu/machine/kernel-image.ts';
import type { CaseRunner, PreparedCase } from '../trace/case-runner.ts';
import type { Origin, RecordingHeader } from '../trace/format.ts';
import { FileSource, RecordingReader } from '../trace/reader.ts';
import { UsageError, type BootOptions } from './options.ts';

/** What `origin.kind` says of the recording of a boot. */
const KIND_OF_ORIGIN = 'boot';
/** A drive goes into the recording whole, so that it can be replayed from its first content. */
const DRIVE_BYTES_MAX = 64 << 20;
const INSTRUCTIONS_PER_TICK = 2;

interface NamedFile {
  readonly path: string;
  readonly sha256: string;
}

/** How a boot is run again; the machine is in the header's configuration. */
interface BootPlan {
  readonly kernel: NamedFile;
  readonly initrd: NamedFile | null;
  readonly append: string;
  readonly reboot: boolean;
  readonly budget: number | null;
  /** zstd, base64. */
  readonly drive: string | null;
}

function named(path: string): NamedFile {
  return { path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') };
}

/** Kernel and initial RAM disk are named with their hashes; the drive's first content is kept. */
export function bootOrigin(options: BootOptions): Origin {
  const drive = options.drive === undefined ? undefined : readFileSync(options.drive);
  if (drive !== undefined && drive.length > DRIVE_BYTES_MAX) {
    throw new UsageError(
      `--output keeps the drive in the recording: at most ${DRIVE_BYTES_MAX >> 20} MiB of it`,
    );
  }
  const plan: BootPlan = {
    kernel: named(options.kernel),
    initrd: options.initrd === undefined ? null : named(options.initrd),
    append: options.append,
    reboot: options.reboot,
    budget: options.budget ?? null,
    drive: drive === undefined ? null : zstdCompressSync(drive).toString('base64'),
  };
  const program = new TextEncoder().encode(JSON.stringify(plan));
  return { kind: KIND_OF_ORIGIN, name: options.kernel, seed: options.seed, program };
}

/** What came in from outside: when, in ticks, and through which port. */
interface HostInput {
  readonly at: number;
  readonly port: number;
  readonly bytes: Uint8Array;
}

function inputsOf(file: string): HostInput[] {
  const source = new FileSource(file);
  try {
    const inputs: HostInput[] = [];
    new RecordingReader(source).forEach(
      (event) => {
        if (event.kind !== KIND['host-input']) return;
        const bytes = event.bytes.slice(event.byteOffset, event.byteOffset + event.byteLength);
        inputs.push({ at: event.at, port: event.words[0] ?? 0, bytes });
      },
      (kind) => kind.name === 'host-input',
    );
    return inputs;
  } finally {
    source.close();
  }
}

/** Knows the boots that `papyrus boot -o` recorded in a file, and leaves everything else to `others`. */
export function bootRunner(file: string, others: CaseRunner): CaseRunner {
  return {
    find: (request) => others.find(request),
    again: (origin, header) =>
      origin.kind === KIND_OF_ORIGIN ? prepared(file, origin, header) : others.again(origin, header),
  };
}

function prepared(file: string, origin: Origin, header: RecordingHeader): PreparedCase {
  return {
    header,
    run: (watch) => {
      const plan = JSON.parse(new TextDecoder().decode(origin.program)) as BootPlan;
      const system = systemOf(plan, header);
      watch(system.machine);
      repeat(system, plan, inputsOf(file));
    },
  };
}

function checked({ path, sha256 }: NamedFile): Uint8Array {
  if (!existsSync(path))
    throw new UsageError(`the recording was made with ${path}, which is not there any more`);
  const bytes = readFileSync(path);
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw new UsageError(
      `${path} is not the file that the recording was made with: its SHA-256 was ${sha256}`,
    );
  }
  return bytes;
}

function systemOf(plan: BootPlan, header: RecordingHeader): GuestSystem {
  const kernel = readKernel(checked(plan.kernel));
  if (!kernel.accepted) throw new UsageError(`${plan.kernel.path} cannot be booted: ${kernel.reason}`);
  const initrd = plan.initrd === null ? undefined : checked(plan.initrd);
  const made = GuestSystem.create(header.config, { kernel: kernel.value, initrd, arguments: plan.append });
  if (!made.accepted) throw new UsageError(made.reason);
  const [disk] = made.value.machine.ends.disks;
  if (plan.drive !== null && disk !== undefined) {
    const bytes = zstdDecompressSync(Buffer.from(plan.drive, 'base64'));
    disk.write(0, bytes, 0, bytes.length);
    disk.snapshot();
  }
  return made.value;
}

/** The same instructions, with each input at its own tick. */
function repeat(system: GuestSystem, plan: BootPlan, inputs: readonly HostInput[]): void {
  const { machine, processor } = system;
  const budget = plan.budget ?? Infinity;
  let given = 0;
  for (;;) {
    if (machine.requested === 'reset' && plan.reboot) system.reboot();
    if (machine.requested !== undefined || processor.icount >= budget) return;
    const next = inputs[given];
    const due = next === undefined ? Infinity : next.at * INSTRUCTIONS_PER_TICK;
    const awake = processor.icount < due && system.run(Math.min(budget, due));
    const asleep = !awake && machine.requested === undefined;
    if (next !== undefined && (processor.icount >= due || asleep)) {
      system.hostInput(next.port, next.bytes);
      given++;
    } else if (asleep) return;
  }
}
