/**
 * What a guest did on the emulator, written down as programs for the agent together with what the emulator answered: the
 * same case on a real QEMU then costs one turn of the agent, whatever the number of its actions.
 */
import { KIND, type MachineEvent, type Tap } from '../emu/core/tap.ts';
import { instructionFor, Program } from './program.ts';

/** An action whose answer is to be compared. */
export interface Expected {
  /** Which record of the program of its part. */
  readonly record: number;
  readonly what: 'hcall' | 'read' | 'wait' | 'action';
  /** r3 … r12, or r3 alone. */
  values: readonly bigint[];
  /** The call's number, or the address. */
  readonly subject: bigint;
  /** Bytes of a read. */
  readonly width: number;
  readonly event: number;
}

/** Programs, and what the host does between them. */
export interface Part {
  readonly program: Program;
  readonly expected: Expected[];
  /** A frame that the host hands in after the program. */
  frame: Uint8Array | undefined;
}

/** What the script asks of the machine that is being watched. */
export interface ScriptMachine {
  cpuAddressOfPort(port: bigint): bigint;
  busToRam(requester: number, high: number, low: number): number | undefined;
  /** Frames that wait for buffers of the guest's. */
  readonly framesKept: number;
}

const HCALL = KIND['hcall'];
const HCALL_RETURN = KIND['hcall-return'];
const MMIO_READ = KIND['mmio-read'];
const MMIO_WRITE = KIND['mmio-write'];
const PIO_READ = KIND['pio-read'];
const PIO_WRITE = KIND['pio-write'];
const READ_VALUE = KIND['read-value'];
const DMA_WRITE = KIND['dma-write'];
const ADVANCE = KIND['advance'];
const IDLE = KIND['idle'];
const CPU_MODE = KIND['cpu-mode'];
const HOST_INPUT = KIND['host-input'];
const HOST_OUTPUT = KIND['host-output'];
const GUEST_WRITE = KIND['guest-write'];

const H_RANDOM = 0x300n;
const REGISTERS = 10;
const MSR_BIG = 0x8000_0000_0000_0000n;
/** A second of the 512 MHz timebase: work that is due takes microseconds, but the host may be busy. */
const WAIT_TICKS = 512_000_000;
/** Main-loop turns after an action from which nothing was seen to come. */
const QUIET_BARRIERS = 2;
const LAST_BARRIERS = 4;
const FRAME_TURNS = 3;
const TURNS_MAX = 64;
const WIDTHS: ReadonlySet<number> = new Set([1, 2, 4, 8]);

export class Script implements Tap {
  readonly wantsGuestWrites = true;
  readonly parts: Part[] = [];
  /** Hypercalls that were made, by number. */
  readonly calls: Set<bigint> = new Set();
  /** Where devices wrote used indexes, as far as can be told: halfwords behind the flags. */
  readonly usedIndexes: Set<number> = new Set();
  readonly #machine: ScriptMachine;
  /** Frames that went through the host since the guest acted. */
  #frames = 0;
  #part: Part = newPart();
  #msr = MSR_BIG;
  #events = 0;
  #waiting = false;
  /** RAM address of the last halfword that a device wrote since the guest acted; -1 for none. */
  #written = -1;
  /** What it wrote there, as a big-endian CPU loads it. */
  #value = 0;
  readonly #registers: BigUint64Array = new BigUint64Array(REGISTERS);

  constructor(machine: ScriptMachine) {
    this.#machine = machine;
    this.parts.push(this.#part);
  }

  take(event: MachineEvent): void {
    this.#events++;
    const { fields } = event;
    switch (event.kind) {
      case HCALL:
        this.#settle();
        this.#hcall(fields);
        break;
      case HCALL_RETURN:
        this.#answer(Array.from(fields.subarray(0, REGISTERS)));
        break;
      case MMIO_READ:
      case PIO_READ:
        this.#settle();
        this.#access('load', this.#address(event), fields, 0n);
        break;
      case MMIO_WRITE:
      case PIO_WRITE:
        this.#settle();
        this.#access('store', this.#address(event), fields, fields[3] ?? 0n);
        break;
      case READ_VALUE:
        this.#answer([fields[0] ?? 0n]);
        break;
      case GUEST_WRITE:
        this.#settle();
        this.#store(Number(fields[0]), event.bytes, event.byteOffset, event.byteLength);
        break;
      case CPU_MODE:
        this.#settle();
        this.#msr = fields[1] ?? 0n;
        break;
      case IDLE:
      case ADVANCE:
        this.#waiting = true;
        break;
      case HOST_INPUT:
        this.#settle();
        this.#part.frame = event.bytes.slice(event.byteOffset, event.byteOffset + event.byteLength);
        this.#part = newPart();
        this.parts.push(this.#part);
        this.#frames++;
        this.#waiting = true;
        break;
      case HOST_OUTPUT:
        this.#frames++;
        break;
      case DMA_WRITE:
        this.#deviceWrote(event);
        break;
      default:
        break;
    }
  }

  /** After the last action: what is still on its way may arrive. */
  finish(): void {
    this.#settle();
    for (let i = 0; i < LAST_BARRIERS; i++) this.#part.program.barrier();
  }

  #address(event: MachineEvent): number {
    const address = event.fields[0] ?? 0n;
    const isPort = event.kind === PIO_READ || event.kind === PIO_WRITE;
    return Number(isPort ? this.#machine.cpuAddressOfPort(address) : address);
  }

  #hcall(fields: BigUint64Array): void {
    this.#registers.set(fields.subarray(0, REGISTERS));
    const token = fields[0] ?? 0n;
    this.calls.add(token);
    const record = this.#part.program.hcall(this.#registers, this.#msr);
    this.#expect(record, 'hcall', token, 8);
  }

  #access(what: 'load' | 'store', address: number, fields: BigUint64Array, value: bigint): void {
    const width = Number(fields[1]) as 1 | 2 | 4 | 8;
    const instruction = instructionFor(what, width, fields[2] === 1n, this.#msr);
    const record = this.#part.program.access(instruction, address, value, this.#msr);
    this.#expect(record, what === 'load' ? 'read' : 'action', BigInt(address), width);
    this.#written = -1;
  }

  #store(address: number, bytes: Uint8Array, from: number, length: number): void {
    const { program } = this.#part;
    this.#written = -1;
    if (!WIDTHS.has(length)) {
      program.copy(address, bytes, from, length);
      return;
    }
    let value = 0n;
    for (let i = 0; i < length; i++) value = (value << 8n) | BigInt(bytes[from + i] ?? 0);
    const width = length as 1 | 2 | 4 | 8;
    program.access(instructionFor('store', width, true, this.#msr), address, value, this.#msr);
  }

  #deviceWrote(event: MachineEvent): void {
    if (event.byteLength !== 2) return;
    const { words, bytes, byteOffset } = event;
    this.#value = ((bytes[byteOffset] ?? 0) << 8) | (bytes[byteOffset + 1] ?? 0);
    this.#written = this.#machine.busToRam(words[0] ?? 0, words[3] ?? 0, words[2] ?? 0) ?? -1;
    if (this.#written % 4 === 2) this.usedIndexes.add(this.#written);
  }

  /** Before the guest acts again: what it waited for has to have happened on the other side too. */
  #settle(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    const { program } = this.#part;
    const address = this.#written;
    if (address >= 0) {
      const record = program.wait(address, this.#value, WAIT_TICKS);
      this.#expect(record, 'wait', BigInt(address), 2, [BigInt(this.#value)]);
    }
    // A frame comes by a socket, of which QEMU reads one a turn, and not while the driver offers no buffers.
    const frames = this.#frames + this.#machine.framesKept;
    // Flags at the start of a used ring are written before anything else is.
    const quiet = address % 4 !== 2;
    const turns = frames > 0 ? frames + FRAME_TURNS : quiet ? QUIET_BARRIERS : 0;
    for (let i = 0; i < Math.min(turns, TURNS_MAX); i++) program.barrier();
    this.#frames = 0;
  }

  #expect(
    record: number,
    what: Expected['what'],
    subject: bigint,
    width: number,
    values: readonly bigint[] = [],
  ): void {
    this.#part.expected.push({ record, what, values, subject, width, event: this.#events - 1 });
  }

  #answer(values: readonly bigint[]): void {
    const asked = this.#part.expected.findLast((one) => one.what === 'hcall' || one.what === 'read');
    if (asked === undefined) return;
    asked.values = values;
    if (asked.what !== 'hcall' || asked.subject !== H_RANDOM) return;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, values[1] ?? 0n);
    this.#part.program.entropy[this.#part.program.entropy.length - 1] = bytes;
  }
}

function newPart(): Part {
  return { program: new Program(), expected: [], frame: undefined };
}
