/** A program for the agent: records written here, run in one go, their outcomes read back. */
import {
  DONE,
  OPERATION,
  RECORD,
  RECORD_BYTES,
  snippetMsr,
  snippetOf,
  STAGING,
  PROGRAM,
  stagingEa,
  type Instruction,
} from './agent.ts';

/** Records and staged bytes that a program holds at most; whoever fills it runs it and begins the next. */
const RECORDS_MAX: number = (STAGING - PROGRAM) / RECORD_BYTES - 1;
const STAGED_MAX = 0x70_0000;
const REGISTERS = 10;

/** What the entropy pipe must answer while a program runs, in order. */
const ANY_ENTROPY: Uint8Array = new Uint8Array(8);
const H_RANDOM = 0x300n;

export class Program {
  #view: DataView = new DataView(new ArrayBuffer(64 * RECORD_BYTES));
  #staging: Uint8Array = new Uint8Array(1 << 12);
  #count = 0;
  #staged = 0;
  /** Answers to H_RANDOM and to barriers. */
  readonly entropy: Uint8Array[] = [];

  /** Records so far. */
  get length(): number {
    return this.#count;
  }

  /** Whether another record with as many bytes fits. */
  hasRoom(bytes = 0): boolean {
    return this.#count < RECORDS_MAX && this.#staged + bytes <= STAGED_MAX;
  }

  /** The records, the end included, as they stand in memory. */
  get records(): Uint8Array {
    return new Uint8Array(this.#view.buffer, 0, (this.#count + 1) * RECORD_BYTES);
  }

  get staged(): Uint8Array {
    return this.#staging.subarray(0, this.#staged);
  }

  clear(): void {
    new Uint8Array(this.#view.buffer).fill(0, 0, (this.#count + 1) * RECORD_BYTES);
    this.#count = 0;
    this.#staged = 0;
    this.entropy.length = 0;
  }

  /** Takes in what the agent left. */
  replaceRecords(bytes: Uint8Array): void {
    this.records.set(bytes);
  }

  /** A load or store of the guest; in the order of bytes that a register of the CPU would have it. */
  access(instruction: Instruction, address: number, value: bigint, msr: bigint): number {
    const at = this.#execute(instruction, msr);
    this.#view.setBigUint64(at + RECORD.registers, value);
    this.#view.setBigUint64(at + RECORD.registers + 8, BigInt(address));
    return this.#count++;
  }

  /** `sc 1` with r3 … r12; `answer` is what the entropy pipe gives if the call asks for some. */
  hcall(registers: BigUint64Array, msr: bigint, answer?: Uint8Array): number {
    const at = this.#execute('hcall', msr);
    for (let i = 0; i < REGISTERS; i++)
      this.#view.setBigUint64(at + RECORD.registers + 8 * i, registers[i] ?? 0n);
    if (registers[0] === H_RANDOM) this.entropy.push(answer ?? ANY_ENTROPY);
    return this.#count++;
  }

  /** Looks whether the CPU's external interrupt input is asserted. */
  listen(msr: bigint): number {
    const at = this.#execute('nop', msr);
    this.#view.setBigUint64(at + RECORD.msr, snippetMsr(msr, true));
    return this.#count++;
  }

  /** Bytes stored one after the other. */
  copy(address: number, bytes: Uint8Array, from: number, length: number): number {
    const at = this.#next(OPERATION.copy);
    this.#view.setBigUint64(at + RECORD.target, stagingEa(this.#staged));
    this.#view.setBigUint64(at + RECORD.msr, BigInt(address));
    this.#view.setBigUint64(at + RECORD.amount, BigInt(length));
    this.#stage(bytes, from, length);
    return this.#count++;
  }

  /** Waits until the halfword at `address` is `value` (big-endian), or in vain for `ticks`. */
  wait(address: number, value: number, ticks: number): number {
    const at = this.#next(OPERATION.wait);
    this.#view.setBigUint64(at + RECORD.target, BigInt(address));
    this.#view.setBigUint64(at + RECORD.msr, BigInt(value));
    this.#view.setBigUint64(at + RECORD.amount, BigInt(ticks));
    return this.#count++;
  }

  /** Lets QEMU's main loop take a turn. */
  barrier(): number {
    this.#next(OPERATION.barrier);
    this.entropy.push(ANY_ENTROPY);
    return this.#count++;
  }

  /** DONE, or what else became of a record. */
  outcome(record: number): number {
    return this.#view.getUint32(record * RECORD_BYTES + RECORD.outcome);
  }

  isDone(record: number): boolean {
    return this.outcome(record) === DONE;
  }

  /** r3 + `index` after a record. */
  register(record: number, index: number): bigint {
    return this.#view.getBigUint64(record * RECORD_BYTES + RECORD.registers + 8 * index);
  }

  #execute(instruction: Instruction, msr: bigint): number {
    const at = this.#next(OPERATION.execute);
    this.#view.setBigUint64(at + RECORD.target, snippetOf(instruction, (msr & 1n) === 1n));
    this.#view.setBigUint64(at + RECORD.msr, snippetMsr(msr));
    return at;
  }

  #next(operation: number): number {
    const at = this.#count * RECORD_BYTES;
    if (at + 2 * RECORD_BYTES > this.#view.byteLength) {
      const grown = new Uint8Array(2 * this.#view.byteLength);
      grown.set(new Uint8Array(this.#view.buffer));
      this.#view = new DataView(grown.buffer);
    }
    this.#view.setUint32(at, operation);
    return at;
  }

  #stage(bytes: Uint8Array, from: number, length: number): void {
    if (this.#staged + length > this.#staging.length) {
      const grown = new Uint8Array(2 * (this.#staged + length));
      grown.set(this.#staging);
      this.#staging = grown;
    }
    this.#staging.set(bytes.subarray(from, from + length), this.#staged);
    this.#staged += length;
  }
}

const LOADS: readonly Instruction[] = ['load1', 'load2', 'load4', 'load8'];
const LOADS_SWAPPED: readonly Instruction[] = ['load1', 'load2x', 'load4x', 'load8x'];
const STORES: readonly Instruction[] = ['store1', 'store2', 'store4', 'store8'];
const STORES_SWAPPED: readonly Instruction[] = ['store1', 'store2x', 'store4x', 'store8x'];

/** The instruction by which a CPU with this MSR accesses `width` bytes in that order. */
export function instructionFor(
  what: 'load' | 'store',
  width: 1 | 2 | 4 | 8,
  bigEndian: boolean,
  msr: bigint,
): Instruction {
  const swapped = bigEndian === ((msr & 1n) === 1n);
  const table = what === 'load' ? (swapped ? LOADS_SWAPPED : LOADS) : swapped ? STORES_SWAPPED : STORES;
  return table[Math.log2(width)] ?? 'nop';
}
