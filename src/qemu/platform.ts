/**
 * A real QEMU behind the seam. Loads and stores in RAM go to the file that is its RAM; what has no answer (stores outside
 * RAM) is put off until something asks, so that a driver's set-up becomes few programs.
 */
import type { GuestPlatform } from '../emu/guest/platform.ts';
import { AGENT_BASE, PROGRAM, STAGING } from './agent.ts';
import type { QemuProcess } from './process.ts';
import { instructionFor, Program } from './program.ts';

const BARRIERS = 4;
const MSR_BIG = 0x8000_0000_0000_0000n;
const EXTERNAL = 0x500;
const U_FUNCTION = BigInt.asUintN(64, -2n);

export class QemuPlatform implements GuestPlatform {
  readonly ramBytes: number;
  readonly registers: BigUint64Array = new BigUint64Array(10);
  readonly #qemu: QemuProcess;
  readonly #program: Program = new Program();
  readonly #bytes: Uint8Array = new Uint8Array(8);
  readonly #view: DataView = new DataView(this.#bytes.buffer);
  #msr = MSR_BIG;

  constructor(qemu: QemuProcess) {
    this.#qemu = qemu;
    this.ramBytes = qemu.config.ramBytes;
  }

  get deviceTree(): Uint8Array {
    return this.#qemu.deviceTree;
  }

  /** Nothing here tells the virtual clock without letting it run: what the CPU's timebase read last. */
  readonly timebase = 0;

  load8(address: number): number {
    this.loadBytes(address, this.#bytes, 0, 1);
    return this.#bytes[0] ?? 0;
  }

  load16(address: number, littleEndian: boolean): number {
    this.loadBytes(address, this.#bytes, 0, 2);
    return this.#view.getUint16(0, littleEndian);
  }

  load32(address: number, littleEndian: boolean): number {
    this.loadBytes(address, this.#bytes, 0, 4);
    return this.#view.getUint32(0, littleEndian);
  }

  load64(address: number, littleEndian: boolean): bigint {
    this.loadBytes(address, this.#bytes, 0, 8);
    return this.#view.getBigUint64(0, littleEndian);
  }

  loadBytes(address: number, into: Uint8Array, at: number, length: number): void {
    this.settle();
    this.#qemu.readRam(address, into, at, length);
  }

  store8(address: number, value: number): void {
    this.#bytes[0] = value;
    this.storeBytes(address, this.#bytes, 0, 1);
  }

  store16(address: number, value: number, littleEndian: boolean): void {
    this.#view.setUint16(0, value, littleEndian);
    this.storeBytes(address, this.#bytes, 0, 2);
  }

  store32(address: number, value: number, littleEndian: boolean): void {
    this.#view.setUint32(0, value, littleEndian);
    this.storeBytes(address, this.#bytes, 0, 4);
  }

  store64(address: number, value: bigint, littleEndian: boolean): void {
    this.#view.setBigUint64(0, value, littleEndian);
    this.storeBytes(address, this.#bytes, 0, 8);
  }

  storeBytes(address: number, from: Uint8Array, at: number, length: number): void {
    this.settle();
    this.#qemu.writeRam(address, from, at, length);
  }

  hcall(): void {
    const record = this.#program.hcall(this.registers, this.#msr);
    this.#run();
    for (let i = 0; i < this.registers.length; i++) this.registers[i] = this.#program.register(record, i);
    this.#program.clear();
  }

  /** QEMU has no ultravisor: `sc 2` would only be a system call, and nobody here has a handler for it. */
  ucall(): void {
    this.registers[0] = U_FUNCTION;
  }

  read(address: number, width: 1 | 2 | 4, bigEndian: boolean): number {
    return Number(this.#read(address, width, bigEndian));
  }

  write(address: number, width: 1 | 2 | 4, value: number, bigEndian: boolean): void {
    this.#write(address, width, BigInt(value >>> 0), bigEndian);
  }

  read64(address: number, bigEndian: boolean): bigint {
    return this.#read(address, 8, bigEndian);
  }

  write64(address: number, value: bigint, bigEndian: boolean): void {
    this.#write(address, 8, value, bigEndian);
  }

  setCpu(_cpu: number, msr: bigint): void {
    this.#msr = msr;
  }

  interruptPending(): boolean {
    const record = this.#program.listen(this.#msr);
    this.#run();
    const pending = this.#program.outcome(record) === EXTERNAL;
    this.#program.clear();
    return pending;
  }

  /** The clock runs by itself. */
  advance(_ticks: number): void {
    this.settle();
  }

  idle(): void {
    for (let i = 0; i < BARRIERS; i++) this.#program.barrier();
    this.settle();
  }

  /** Does what was put off. */
  settle(): void {
    if (this.#program.length === 0) return;
    this.#run();
    this.#program.clear();
  }

  #read(address: number, width: 1 | 2 | 4 | 8, bigEndian: boolean): bigint {
    const record = this.#program.access(
      instructionFor('load', width, bigEndian, this.#msr),
      address,
      0n,
      this.#msr,
    );
    this.#run();
    const value = this.#program.register(record, 0);
    this.#program.clear();
    return value;
  }

  #write(address: number, width: 1 | 2 | 4 | 8, value: bigint, bigEndian: boolean): void {
    if (!this.#program.hasRoom()) this.settle();
    this.#program.access(instructionFor('store', width, bigEndian, this.#msr), address, value, this.#msr);
  }

  #run(): void {
    runProgram(this.#qemu, this.#program);
  }
}

/** Has the agent run a program, and takes its outcomes in. Throws QemuGone. */
export function runProgram(qemu: QemuProcess, program: Program): void {
  const { records, staged } = program;
  if (staged.length > 0) qemu.writeRam(AGENT_BASE + STAGING, staged, 0, staged.length);
  qemu.writeRam(AGENT_BASE + PROGRAM, records, 0, records.length);
  qemu.run(program.entropy);
  const after = new Uint8Array(records.length);
  qemu.readRam(AGENT_BASE + PROGRAM, after, 0, after.length);
  program.replaceRecords(after);
}
