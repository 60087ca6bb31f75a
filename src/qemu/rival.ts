/** One case on both machines, and whatever differs. */
import type { EntropySource } from '../emu/devices/backends/entropy.ts';
import { DiagnosticLog } from '../emu/core/diagnostics.ts';
import type { GuestPlatform } from '../emu/guest/platform.ts';
import { Machine } from '../emu/machine/machine.ts';
import type { MachineConfig } from '../emu/machine/config.ts';
import { Calls } from '../fuzz/adversary/calls.ts';
import { hardwareOf, type Hardware } from '../fuzz/adversary/hardware.ts';
import type { Case } from '../fuzz/case.ts';
import { machineConfig } from '../fuzz/machines.ts';
import { Runner, type FuzzMachine } from '../fuzz/runner.ts';
import { DONE, WAITED_IN_VAIN } from './agent.ts';
import { synchronous } from './command-line.ts';
import { FrameSender } from './frame-sender.ts';
import { QemuGone, startQemu, type QemuOptions, type QemuProcess } from './process.ts';
import { runProgram } from './platform.ts';
import { instructionFor, Program } from './program.ts';
import { Script, type Expected, type Part } from './script.ts';

/** One thing that the two machines did differently. */
export interface Difference {
  /** `order`: the used rings hold the same elements, each in an order of its own. */
  readonly what: 'hcall' | 'read' | 'wait' | 'memory' | 'order' | 'disk' | 'log' | 'interrupt' | 'gone';
  /** The call's number, the address, the line: what is needed to tell it. */
  readonly subject: string;
  readonly emulator: string;
  readonly qemu: string;
  /** Event of the emulator's run, where there is one. */
  readonly event: number | undefined;
}

/** RAM that cases use: zeroed before and compared after each. */
/** What QEMU begins its own lines on stderr with; the others are its guest-error log, which is off. */
const OWN = 'qemu-system-ppc64: ';
const RAM_USED = 0x34_0000;
/** Elements of a ring, or of as much of it as lies in one page. */
const USED_SORTED = 256;
const H_STUFF_TCE = 0x138;
const H_CPPR = 0x68;
const H_XIRR = 0x74n;
const CONFIG_BYTES = 256;
/** Bus addresses for the time of a reset, from the windows' starts. */
const MSIX_PLACE = 0x10_0000;
const PORTS_PLACE = 0x1000;
const IO_AND_MEMORY = 3;
/** More than any device of a case has. */
const MSIX_ENTRIES = 8;
const MSR_BIG = 0x8000_0000_0000_0000n;
/** What of configuration space an earlier case may have left otherwise, first to last: offset, width, value. */
const CONFIG_AT_START: readonly (readonly [number, number, number])[] = [
  [4, 2, 0],
  ...[0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30].map((offset): [number, number, number] => [offset, 4, 0]),
  [0x3c, 1, 0],
];
/** Hypercalls after which a QEMU is not as it was: CPU state, presenters, registered areas. */
const LASTING: ReadonlySet<bigint> = new Set(
  [
    0x68, 0x6c, 0x70, 0x78, 0xdc, 0xe0, 0xe4, 0x298, 0x31c, 0x320, 0x358, 0x35c, 0x36c, 0x370, 0x37c, 0x45c,
    0xf002, 0xf003, 0xf005,
  ].map(BigInt),
);

/**
 * Entropy of both machines: QEMU's backend reads what was asked for and drops what finds no buffer, ours draws what it
 * delivers; of nothing but zeros both come to the same.
 */
const ZEROS: EntropySource = { fill: (target) => void target.fill(0), exchange: () => undefined };

/** Both machines of one configuration. */
export class Rival {
  readonly qemuVersion: string;
  readonly #config: MachineConfig;
  readonly #options: QemuOptions;
  #runner: Runner;
  #profile: string;
  readonly #log: DiagnosticLog = new DiagnosticLog();
  #emulated: Machine | undefined;
  #hardware: Hardware | undefined;
  #qemu: QemuProcess | undefined;
  #sender: FrameSender | undefined;
  readonly #ours: Uint8Array = new Uint8Array(RAM_USED);
  readonly #theirs: Uint8Array = new Uint8Array(RAM_USED);
  readonly #zeros: Uint8Array = new Uint8Array(RAM_USED);
  #starts = 0;

  constructor(value: Case['machine'], options: QemuOptions = {}) {
    const config = machineConfig(value);
    this.#config = {
      ...config,
      devices: config.devices.map(synchronous),
    };
    this.#options = options;
    this.#runner = new Runner(() => this.#build());
    this.#profile = value.profile;
    this.#runner.prepare(value);
    this.#start();
    this.qemuVersion = this.#qemu?.version ?? '';
  }

  /** Runs a case on both; what differs, in the order of the case. */
  compare(value: Case): Difference[] {
    const script = this.#emulate(value);
    let differences: Difference[];
    try {
      differences = this.#replay(script);
    } catch (error) {
      if (!(error instanceof QemuGone)) throw error;
      this.#restart();
      return this.#compareEndings(error);
    }
    differences.push(...this.#compareEndings(undefined));
    if (this.#leavesTraces(script)) this.#restart();
    return differences;
  }

  /** Whether QEMU would begin the next case otherwise than as it was started. */
  #leavesTraces(script: Script): boolean {
    if (this.#machine().ends.framesKept > 0) return true;
    return [...script.calls].some((call) => LASTING.has(call));
  }

  /** Both ended alike, or one of them did not. */
  #compareEndings(gone: QemuGone | undefined): Difference[] {
    const [how, why] = this.#log.endings[0] ?? ['none', 'goes on'];
    if (how === (gone?.how ?? 'none')) return [];
    const qemu = gone === undefined ? 'goes on' : `${gone.how}: ${gone.message}`;
    return [{ what: 'gone', subject: gone?.how ?? how, emulator: why, qemu, event: undefined }];
  }

  /** Starts of QEMU since the last question. */
  takeStarts(): number {
    const starts = this.#starts;
    this.#starts = 0;
    return starts;
  }

  get #hasDisk(): boolean {
    return this.#config.devices.some((device) => device.includes('drive=d0'));
  }

  stop(): void {
    this.#qemu?.stop();
    this.#sender?.stop();
    this.#qemu = undefined;
  }

  #build(): ReturnType<ConstructorParameters<typeof Runner>[0]> {
    const verdict = Machine.create(this.#config, {
      diagnostics: this.#log,
      randomWord: () => 0x0123_4567_89ab_cdefn,
      entropy: () => ZEROS,
    });
    if (!verdict.accepted) return verdict;
    const machine = verdict.value;
    this.#emulated = machine;
    const start = machine.snapshot();
    const value: FuzzMachine = {
      platform: restless(machine),
      digest: () => machine.digest(),
      setTap: (tap) => machine.setTap(tap),
      hostInput: (port, bytes) => machine.hostInput(port, bytes),
      rewind: () => machine.restore(start),
      retire: () => undefined,
    };
    return { accepted: true, value, warnings: verdict.warnings };
  }

  #machine(): Machine {
    if (this.#emulated === undefined) throw new Error('the runner made no machine');
    return this.#emulated;
  }

  #emulate(value: Case): Script {
    if (value.machine.profile !== this.#profile) {
      // A runner keeps the machines of several guests; here there is one at a time, as there is one QEMU.
      this.#runner = new Runner(() => this.#build());
      this.#profile = value.machine.profile;
      this.#runner.prepare(value.machine);
    }
    const machine = this.#machine();
    const script = new Script({
      cpuAddressOfPort: (port) => machine.cpuAddressOfPort(port),
      busToRam: (requester, high, low) => machine.busToRam(requester, high, low),
      get framesKept() {
        return machine.ends.framesKept;
      },
    });
    this.#log.lines.length = 0;
    this.#log.endings.length = 0;
    this.#runner.run(value, { alsoTap: script, watched: false });
    machine.setTap(script);
    this.#epilogue();
    machine.setTap(undefined);
    script.finish();
    return script;
  }

  /** What a careful observer looks at in the end, through the guest's eyes. */
  #epilogue(): void {
    const { platform } = this.#machine();
    const hardware = this.#hardwareOf();
    platform.setCpu(0, MSR_BIG);
    platform.idle();
    const calls = new Calls(platform, hardware);
    const devfn = 1 << 3;
    for (let offset = 0; offset < CONFIG_BYTES; offset += 4) calls.configRead(devfn, offset, 4);
    for (let page = 0; page < 4; page++) calls.hcall(0x1c, hardware.liobn, 0x1000_0000 + page * 4096);
    platform.registers.fill(0n);
    platform.registers[0] = H_XIRR;
    platform.hcall();
  }

  #hardwareOf(): Hardware {
    this.#hardware ??= hardwareOf(this.#machine().platform.deviceTree);
    return this.#hardware;
  }

  #start(): void {
    this.#qemu = startQemu(this.#config, this.#options);
    this.#sender ??= this.#config.devices.some((device) => device.includes('virtio-net'))
      ? new FrameSender()
      : undefined;
    this.#starts++;
  }

  #restart(): void {
    this.#qemu?.stop();
    this.#start();
  }

  #replay(script: Script): Difference[] {
    const qemu = this.#ready();
    const differences: Difference[] = [];
    for (const part of script.parts) {
      runProgram(qemu, part.program);
      this.#compareAnswers(part, differences);
      if (part.frame !== undefined) this.#sender?.send(qemu.netPort, part.frame);
    }
    this.#compareMemory(qemu, script, differences);
    this.#compareDisk(qemu, differences);
    this.#compareLogs(qemu, differences);
    return differences;
  }

  #compareAnswers(part: Part, differences: Difference[]): void {
    for (const expected of part.expected) {
      const outcome = part.program.outcome(expected.record);
      const found = this.#compareAnswer(part.program, expected, outcome);
      if (found !== undefined) differences.push(found);
    }
  }

  #compareAnswer(program: Program, expected: Expected, outcome: number): Difference | undefined {
    const subject = `0x${expected.subject.toString(16)}`;
    const { event, record } = expected;
    if (outcome !== DONE && outcome !== WAITED_IN_VAIN) {
      return {
        what: 'interrupt',
        subject,
        emulator: 'done',
        qemu: `vector 0x${outcome.toString(16)}`,
        event,
      };
    }
    if (expected.what === 'wait') {
      if (outcome === DONE) return undefined;
      return {
        what: 'wait',
        subject,
        emulator: hex(expected.values[0] ?? 0n),
        qemu: hex(program.register(record, 0)),
        event,
      };
    }
    for (const [i, value] of expected.values.entries()) {
      const theirs = program.register(record, i);
      if (theirs === value) continue;
      const name = expected.what === 'hcall' ? `${subject} r${3 + i}` : `${subject}/${expected.width}`;
      const what = expected.what === 'hcall' ? 'hcall' : 'read';
      return { what, subject: name, emulator: hex(value), qemu: hex(theirs), event };
    }
    return undefined;
  }

  #compareMemory(qemu: QemuProcess, script: Script, differences: Difference[]): void {
    this.#machine().platform.loadBytes(0, this.#ours, 0, RAM_USED);
    qemu.readRam(0, this.#theirs, 0, RAM_USED);
    if (Buffer.compare(this.#ours, this.#theirs) === 0) return;
    for (const index of script.usedIndexes) {
      sortUsed(this.#ours, index + 2);
      sortUsed(this.#theirs, index + 2);
    }
    if (Buffer.compare(this.#ours, this.#theirs) === 0) {
      differences.push({ what: 'order', subject: '', emulator: '', qemu: '', event: undefined });
      return;
    }
    for (let at = 0; at < RAM_USED; at++) {
      if (this.#ours[at] === this.#theirs[at]) continue;
      const from = at & ~15;
      differences.push({
        what: 'memory',
        subject: `0x${at.toString(16)}`,
        emulator: Buffer.from(this.#ours.subarray(from, from + 16)).toString('hex'),
        qemu: Buffer.from(this.#theirs.subarray(from, from + 16)).toString('hex'),
        event: undefined,
      });
      at |= 0xfff;
    }
  }

  #compareDisk(qemu: QemuProcess, differences: Difference[]): void {
    const disk = this.#machine().ends.disks[0];
    if (disk === undefined || !this.#hasDisk) return;
    const bytes = disk.sectors * 512;
    const ours = new Uint8Array(bytes);
    disk.memory.read(0, ours, 0, bytes);
    const theirs = new Uint8Array(bytes);
    qemu.readDisk(theirs);
    if (Buffer.compare(ours, theirs) === 0) return;
    const at = ours.findIndex((byte, i) => byte !== theirs[i]);
    differences.push({
      what: 'disk',
      subject: `sector ${at >> 9}`,
      emulator: String(ours[at]),
      qemu: String(theirs[at]),
      event: undefined,
    });
  }

  #compareLogs(qemu: QemuProcess, differences: Difference[]): void {
    const ours = this.#log.lines
      .filter((line) => line.startsWith(OWN))
      .map((line) => line.slice(OWN.length))
      .join('\n');
    const theirs = qemu.takeLog().join('\n');
    if (ours === theirs) return;
    differences.push({ what: 'log', subject: '', emulator: ours, qemu: theirs, event: undefined });
  }

  /** A QEMU as it was started. What the case before left behind may still have ended it. */
  #ready(): QemuProcess {
    try {
      return this.#reset();
    } catch (error) {
      if (!(error instanceof QemuGone)) throw error;
      this.#restart();
      return this.#reset();
    }
  }

  /** The device as it was built, as far as a driver that begins with status 0 can tell. */
  #reset(): QemuProcess {
    const qemu = this.#qemu;
    if (qemu === undefined) throw new Error('no QEMU runs');
    runProgram(qemu, this.#pristineProgram());
    qemu.writeRam(0, this.#zeros, 0, RAM_USED);
    if (this.#hasDisk) qemu.writeDisk(new Uint8Array((this.#machine().ends.disks[0]?.sectors ?? 0) * 512));
    qemu.takeLog();
    return qemu;
  }

  /** A reset by either interface, and what no reset takes back: selectors of the common structure, the MSI-X table. */
  #forget(program: Program, calls: Calls, hardware: Hardware): void {
    const devfn = 1 << 3;
    const store = (width: 1 | 2 | 4, address: number, value: bigint): void => {
      program.access(instructionFor('store', width, false, MSR_BIG), address, value, MSR_BIG);
    };
    const msix = hardware.mem32Bus + MSIX_PLACE;
    for (const [bar, address] of [
      [0x10, PORTS_PLACE],
      [0x14, msix],
      [0x20, hardware.mem32Bus],
      [0x24, 0],
    ] as const)
      calls.configWrite(devfn, bar, 4, address);
    calls.configWrite(devfn, 4, 2, IO_AND_MEMORY);
    store(1, hardware.mem32Base + 0x14, 0n);
    store(1, hardware.ioBase + PORTS_PLACE + 0x12, 0n);
    for (const selector of [0x00, 0x08]) store(4, hardware.mem32Base + selector, 0n);
    store(2, hardware.mem32Base + 0x16, 0n);
    for (let word = 0; word < 4 * MSIX_ENTRIES; word++)
      store(4, hardware.mem32Base + MSIX_PLACE + 4 * word, word % 4 === 3 ? 1n : 0n);
  }

  #pristineProgram(): Program {
    const hardware = this.#hardwareOf();
    const program = new Program();
    const platform = new WritingPlatform(program);
    const calls = new Calls(platform as never, hardware);
    const devfn = 1 << 3;
    this.#forget(program, calls, hardware);
    for (const [offset, width, value] of CONFIG_AT_START) calls.configWrite(devfn, offset, width, value);
    if (hardware.resetWindow > 0)
      calls.rtas(hardware.resetWindow, 1, [devfn << 8, hardware.buidHigh, hardware.buidLow]);
    for (let part = 0; part < 4; part++)
      calls.hcall(H_STUFF_TCE, hardware.liobn, part * 0x1000_0000, 0, 0x1_0000);
    calls.hcall(H_CPPR, 0);
    return program;
  }
}

/**
 * A guest whose stores are followed at once by what they set going: QEMU's main loop does not wait until the guest has
 * nothing else to do.
 */
function restless(machine: Machine): GuestPlatform {
  const { platform } = machine;
  const settle = (): void => {
    if (machine.queue.pending > 0) platform.idle();
  };
  const stores: Pick<GuestPlatform, 'write' | 'write64'> = {
    write: (address, width, value, bigEndian) => {
      platform.write(address, width, value, bigEndian);
      settle();
    },
    write64: (address, value, bigEndian) => {
      platform.write64(address, value, bigEndian);
      settle();
    },
  };
  return new Proxy<GuestPlatform>(platform, {
    get: (target, name) => {
      if (name === 'write' || name === 'write64') return stores[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Puts the elements of a used ring into an order that says nothing of when they came. */
function sortUsed(ram: Uint8Array, at: number): void {
  const elements: string[] = [];
  for (let i = 0; i < USED_SORTED; i++) {
    elements.push(Buffer.from(ram.subarray(at + 8 * i, at + 8 * i + 8)).toString('hex'));
  }
  elements.sort();
  for (const [i, element] of elements.entries()) ram.set(Buffer.from(element, 'hex'), at + 8 * i);
}

/** A platform that only writes down: for what is done without looking at the answers. */
class WritingPlatform {
  readonly registers: BigUint64Array = new BigUint64Array(10);
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  store32(address: number, value: number): void {
    this.#program.access('store4', address, BigInt(value >>> 0), MSR_BIG);
  }

  load32(): number {
    return 0;
  }

  hcall(): void {
    this.#program.hcall(this.registers, MSR_BIG);
  }
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
