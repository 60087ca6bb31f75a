import { MSR_LE, MSR_ME, MSR_SF } from './abi.ts';
import { RAM_AT } from './layout.ts';
import { sharedMemory, type WatchedMemory } from './memory.ts';
import { Processor, type Surroundings } from './processor.ts';

const PAGE_BYTES = 4096;

/** A processor over plain RAM with nothing around it: for single instructions, and programs that want no machine. */
export class LoneProcessor implements Surroundings, WatchedMemory {
  readonly size: number;
  readonly ram: DataView;
  readonly processor: Processor;
  halted = false;
  lpcr = 0n;
  processTable = 0n;
  isExternal = false;
  readonly hypercalls: bigint[] = [];
  readonly accesses: string[] = [];
  #guarded = new Set<number>();
  #watcher: Parameters<WatchedMemory['watch']>[0] | undefined;

  constructor(ramBytes: number) {
    this.size = ramBytes;
    const shared = sharedMemory(ramBytes);
    this.ram = new DataView(shared.buffer, RAM_AT, ramBytes);
    this.processor = new Processor(shared, this, this);
  }

  /** From a known state, at an address. */
  start(pc: number, little: boolean): void {
    this.processor.reset(BigInt(pc), MSR_SF | MSR_ME | (little ? MSR_LE : 0n));
  }

  /** As a device would write: the processor is told. */
  poke32(address: number, value: number, little: boolean): void {
    const page = Math.floor(address / PAGE_BYTES);
    if (this.#guarded.delete(page)) this.#watcher?.guardedWritten(page);
    this.ram.setUint32(address, value, little);
  }

  touchPage(page: number): void {
    if (this.#guarded.delete(page)) this.#watcher?.guardedWritten(page);
  }

  guard(page: number): void {
    this.#guarded.add(page);
  }

  watch(watcher: Parameters<WatchedMemory['watch']>[0]): void {
    this.#watcher = watcher;
  }

  hypercall(): void {
    this.hypercalls.push(this.processor.registers[3] ?? 0n);
  }

  read(address: number, bytes: number, bigEndian: boolean): bigint {
    this.accesses.push(`read ${address.toString(16)} ${bytes} ${bigEndian ? 'big' : 'little'}`);
    return BigInt.asUintN(8 * bytes, 0x8877_6655_4433_2211n);
  }

  write(address: number, bytes: number, value: bigint, bigEndian: boolean): void {
    const order = bigEndian ? 'big' : 'little';
    this.accesses.push(`write ${address.toString(16)} ${bytes} ${order} ${value.toString(16)}`);
  }

  external(): boolean {
    return this.isExternal;
  }

  nextEvent(): number {
    return Infinity;
  }

  reach(): void {
    // Time means nothing to nothing.
  }

  random(): bigint {
    return 0x0123_4567_89ab_cdefn;
  }
}
