/**
 * A running QEMU with the agent inside. RAM is a file that both of us map or read; the agent asks for its next program by
 * H_RANDOM, whose entropy comes through a pair of named pipes, so that waiting is a blocking read and nothing is polled.
 * A thread of its own watches the clock and kills a QEMU that does not answer: the read then ends.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  constants,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
  existsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { MachineConfig } from '../emu/machine/config.ts';
import { AGENT_BASE, agentImage, BOOT_MAILBOX, bootImage, PROGRAM } from './agent.ts';
import { machineArguments } from './command-line.ts';

/** QEMU ended, or was ended, in the middle of a program. */
export class QemuGone extends Error {
  override readonly name = 'QemuGone';
  /** How: it aborted, it was killed because it hung, it exited. */
  readonly how: 'hang' | 'abort' | 'exit';

  constructor(how: 'hang' | 'abort' | 'exit', text: string) {
    super(text);
    this.how = how;
  }
}

export interface QemuOptions {
  /** The program; `qemu-system-ppc64` of the PATH otherwise. */
  readonly path?: string;
  /** What a disk holds at first, zero elsewhere. */
  readonly disk?: Uint8Array;
  readonly aio?: 'io_uring' | 'threads';
  /** Milliseconds without an answer that count as a hang. */
  readonly patience?: number;
}

const RAM_FOLDER = '/dev/shm';
/** Ctrl-B. */
const WAKE: Uint8Array = Uint8Array.of(2);
const REQUEST_BYTES = 2;
const ENTROPY_BYTES = 8;
const PATIENCE = 20_000;
const START_PATIENCE = 30_000;
const FIRST_PORT = 20_000;
const PORTS = 20_000;

export class QemuProcess {
  readonly config: MachineConfig;
  readonly version: string;
  /** The flattened device tree that QEMU handed over. */
  readonly deviceTree: Uint8Array;
  /** Where the device tree stood in RAM. */
  readonly treeAt: number;
  readonly #folder: string;
  /** Files to close in the end. */
  readonly #open: number[] = [];
  readonly #ram: number;
  readonly #requests: number;
  readonly #answers: number;
  readonly #monitor: number;
  readonly #disk: number;
  readonly #log: number;
  readonly #child: ChildProcess;
  readonly #watchdog: Worker;
  readonly #deadline: Int32Array;
  readonly #patience: number;
  readonly #request: Uint8Array = new Uint8Array(REQUEST_BYTES);
  #logAt = 0;
  #port: number;

  constructor(config: MachineConfig, options: QemuOptions = {}) {
    this.config = config;
    this.#patience = options.patience ?? PATIENCE;
    const path = options.path ?? 'qemu-system-ppc64';
    this.version = versionOf(path);
    this.#folder = mkdtempSync(join(existsSync(RAM_FOLDER) ? RAM_FOLDER : tmpdir(), 'papyrus-'));
    const file = (name: string): string => join(this.#folder, name);
    this.#ram = this.#opened(file('ram'), 'w+');
    ftruncateSync(this.#ram, config.ramBytes);
    this.#disk = this.#opened(file('disk'), 'w+');
    ftruncateSync(this.#disk, diskBytes(config));
    if (options.disk !== undefined) writeSync(this.#disk, options.disk, 0, options.disk.length, 0);
    writeFileSync(file('boot'), bootImage());
    spawnSync('mkfifo', [file('egd.in'), file('egd.out'), file('monitor.in'), file('monitor.out')]);
    this.#log = this.#opened(file('log'), 'w+');
    this.#port = FIRST_PORT + ((process.pid * 7) % PORTS);
    const args = [
      ...machineArguments(config, {
        disk: () => file('disk'),
        entropy: () => '/dev/zero',
        aio: options.aio ?? 'io_uring',
        netPort: () => this.#port,
      }),
      ...bridgeArguments(config.ramBytes, file),
    ];
    this.#child = spawn(path, args, { stdio: ['ignore', 'ignore', this.#log] });
    const shared = new SharedArrayBuffer(12);
    this.#deadline = new Int32Array(shared);
    this.#watchdog = new Worker(WATCHDOG, { eval: true, workerData: { shared, pid: this.#child.pid } });
    this.#watchdog.unref();
    this.#arm(START_PATIENCE);
    this.#awaitStart(file('egd.out'));
    // From here on there is somebody at the other end, so that opening does not block, and reading does.
    this.#requests = this.#opened(file('egd.out'), 'r');
    this.#answers = this.#opened(file('egd.in'), 'w');
    this.#monitor = this.#opened(file('monitor.in'), 'w');
    this.treeAt = Number(this.#word(BOOT_MAILBOX));
    this.deviceTree = this.#tree();
    this.#install();
  }

  /** What QEMU printed on stderr since the last question, without what it says at every start. */
  takeLog(): string[] {
    const bytes = Buffer.alloc(1 << 20);
    const length = readSync(this.#log, bytes, 0, bytes.length, this.#logAt);
    this.#logAt += length;
    return bytes
      .toString('utf8', 0, length)
      .split('\n')
      .map((line) => line.replace(/^[^ ]*qemu-system-ppc64: /, ''))
      .filter((line) => line !== '' && !/TCG doesn't support requested feature/.test(line));
  }

  readRam(address: number, into: Uint8Array, at: number, length: number): void {
    readSync(this.#ram, into, at, length, address);
  }

  writeRam(address: number, from: Uint8Array, at: number, length: number): void {
    writeSync(this.#ram, from, at, length, address);
  }

  readDisk(into: Uint8Array): void {
    readSync(this.#disk, into, 0, into.length, 0);
  }

  writeDisk(from: Uint8Array): void {
    writeSync(this.#disk, from, 0, from.length, 0);
  }

  /** UDP port of the network end. */
  get netPort(): number {
    return this.#port;
  }

  /**
   * Runs the program that stands in memory. `entropy` answers, in order, every H_RANDOM and barrier within it, the next
   * eight bytes each. Throws QemuGone.
   */
  run(entropy: readonly Uint8Array[] = []): void {
    this.#arm(this.#patience);
    this.#answer(new Uint8Array(ENTROPY_BYTES));
    for (const bytes of entropy) {
      this.#awaitRequest();
      this.#answer(bytes);
    }
    this.#awaitRequest();
    Atomics.store(this.#deadline, 0, 0);
  }

  stop(): void {
    Atomics.store(this.#deadline, 1, 1);
    this.#child.kill('SIGKILL');
    void this.#watchdog.terminate();
    for (const fd of this.#open) closeSync(fd);
    this.#open.length = 0;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #opened(path: string, flags: string): number {
    const fd = openSync(path, flags);
    this.#open.push(fd);
    return fd;
  }

  /** Until the agent asks for its first program. Throws a sentence with QEMU's own words if it never will. */
  #awaitStart(pipe: string): void {
    const fd = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    const until = performance.now() + START_PATIENCE;
    try {
      while (!hasArrived(fd, this.#request)) {
        if (hasExited(this.#child.pid) || performance.now() > until) {
          const [reason = 'it says nothing'] = this.takeLog();
          this.stop();
          throw new Error(`QEMU ${this.version} does not start: ${reason}`);
        }
        Atomics.wait(pause, 0, 0, 2);
      }
    } finally {
      closeSync(fd);
    }
  }

  #install(): void {
    const { ramBytes } = this.config;
    const zeros = new Uint8Array(1 << 20);
    const clean = AGENT_BASE;
    for (let at = 0; at < clean; at += zeros.length) if (at === 0) this.writeRam(at, zeros, 0, zeros.length);
    void ramBytes;
    this.writeRam(AGENT_BASE, agentImage(), 0, PROGRAM);
    // The first program is empty: the agent goes to its high place and parks there.
    const kept = bootImage();
    this.writeRam(0, kept, 0, kept.length);
    this.writeRam(AGENT_BASE + PROGRAM, new Uint8Array(128), 0, 128);
    this.run();
    const registered = this.#word(BOOT_MAILBOX + 8);
    const moved = this.#word(BOOT_MAILBOX + 16);
    if (registered !== 0n || moved !== 0n)
      throw new QemuGone('exit', `QEMU refuses the agent's address translation (${registered}, ${moved})`);
    this.writeRam(0, zeros, 0, kept.length + BOOT_MAILBOX);
    this.takeLog();
  }

  #tree(): Uint8Array {
    const header = new Uint8Array(8);
    this.readRam(this.treeAt, header, 0, 8);
    const length = new DataView(header.buffer).getUint32(4);
    const tree = new Uint8Array(length);
    this.readRam(this.treeAt, tree, 0, length);
    return tree;
  }

  #word(address: number): bigint {
    const bytes = new Uint8Array(8);
    this.readRam(address, bytes, 0, 8);
    return new DataView(bytes.buffer).getBigUint64(0);
  }

  #arm(milliseconds: number): void {
    Atomics.store(this.#deadline, 0, milliseconds);
    Atomics.add(this.#deadline, 2, 1);
  }

  #answer(bytes: Uint8Array): void {
    try {
      writeSync(this.#answers, bytes, 0, ENTROPY_BYTES);
      // QEMU's main loop may have gone to sleep before it was asked for entropy, and then does not look at the pipe
      // (io_watch_poll_prepare). A control character wakes it that the monitor's line editor ignores.
      writeSync(this.#monitor, WAKE, 0, 1);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EPIPE') throw this.#gone();
      throw error;
    }
  }

  #awaitRequest(): void {
    let got = 0;
    while (got < REQUEST_BYTES) {
      const count = readSync(this.#requests, this.#request, got, REQUEST_BYTES - got, null);
      if (count === 0) throw this.#gone();
      got += count;
    }
  }

  #gone(): QemuGone {
    const log = this.takeLog();
    const last = log.at(-1) ?? '';
    if (Atomics.load(this.#deadline, 1) === 2) return new QemuGone('hang', 'QEMU hangs');
    if (/Assertion|assert/i.test(log.join('\n'))) return new QemuGone('abort', last);
    return new QemuGone('exit', last === '' ? 'QEMU ended' : last);
  }
}

/** What the bridge itself needs: RAM in a file, the agent as firmware, the pipes, one thread for the CPU and the disk. */
function bridgeArguments(ramBytes: number, file: (name: string) => string): string[] {
  return [
    ['-accel', 'tcg,thread=single', '-cpu', 'power9', '-m', String(ramBytes >> 20)],
    ['-object', `memory-backend-file,id=ram0,size=${ramBytes},mem-path=${file('ram')},share=on`],
    ['-bios', file('boot'), '-nodefaults', '-display', 'none', '-monitor', 'none', '-seed', '1'],
    ['-rtc', 'base=2020-03-10T00:00:00,clock=vm'],
    ['-chardev', `pipe,id=egd,path=${file('egd')}`, '-object', 'rng-egd,id=egd0,chardev=egd'],
    // Requests end in the order in which they began, as the emulator's do, also where io_uring is not to be had.
    ['-object', 'main-loop,id=main-loop,thread-pool-max=1'],
    ['-device', 'spapr-rng,rng=egd0'],
    ['-chardev', `pipe,id=monitor,path=${file('monitor')}`, '-mon', 'chardev=monitor,mode=readline'],
  ].flat();
}

/** A QEMU with io_uring where that is to be had: containers often refuse it. Throws one sentence if none starts. */
export function startQemu(config: MachineConfig, options: QemuOptions = {}): QemuProcess {
  try {
    return new QemuProcess(config, options);
  } catch (error) {
    if (!(error instanceof Error) || !/io_uring|aio/.test(error.message)) throw error;
    return new QemuProcess(config, { ...options, aio: 'threads' });
  }
}

/** The version that a QEMU gives of itself; throws one sentence if there is none. */
export function versionOf(path: string): string {
  const { stdout, error } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(
      `no ${path} can be run here: install it (Debian: apt-get install qemu-system-ppc ipxe-qemu) or name one with --qemu PATH`,
    );
  const found = /version (\S+)/.exec(stdout);
  return found?.[1] ?? 'unknown';
}

/** Takes a request off a pipe that does not block; whether there was one. */
function hasArrived(fd: number, request: Uint8Array): boolean {
  try {
    return readSync(fd, request, 0, REQUEST_BYTES, null) === REQUEST_BYTES;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return false;
    throw error;
  }
}

/** While we wait nobody reaps our children: one that ended is a zombie. */
function hasExited(pid: number | undefined): boolean {
  try {
    return /^\d+ \(.*\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

function diskBytes(config: MachineConfig): number {
  const disk = config.backends.find((backend) => backend.kind === 'disk');
  return disk?.kind === 'disk' ? disk.sectors * 512 : 512;
}

/**
 * Cell 0: milliseconds of patience, 0 where nothing is awaited. Cell 1: 1 to end, 2 once it has killed. Cell 2: how often
 * something was awaited.
 */
const WATCHDOG = `
const { workerData } = require('node:worker_threads');
const cells = new Int32Array(workerData.shared);
let since = 0;
let armed = 0;
while (Atomics.load(cells, 1) === 0) {
  Atomics.wait(cells, 1, 0, 100);
  const patience = Atomics.load(cells, 0);
  const awaited = Atomics.load(cells, 2);
  if (patience === 0 || armed !== awaited) { armed = awaited; since = Date.now(); continue; }
  if (Date.now() - since > patience) {
    Atomics.store(cells, 1, 2);
    try { process.kill(workerData.pid, 'SIGKILL'); } catch {}
  }
}
`;
