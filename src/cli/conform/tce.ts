import { createHash } from 'node:crypto';
import { SILENT } from '../../emu/core/diagnostics.ts';
import { EventQueue } from '../../emu/core/event-queue.ts';
import { AddressSpace } from '../../emu/memory/address-space.ts';
import { PagedMemory } from '../../emu/memory/guest-memory.ts';
import { KVMPPC_H_RTAS, RTAS_TOKEN, type RtasName } from '../../emu/papr/abi.ts';
import type { PaprEnvironment } from '../../emu/papr/environment.ts';
import { PSERIES_7_2 } from '../../emu/papr/options.ts';
import { Papr } from '../../emu/papr/papr.ts';
import { UsageError } from '../options.ts';
import type { Conform, Tally } from './log.ts';

/** SF, ME, IR and DR: the agent's, privileged and big-endian. */
const AGENT_MSR = 0x8000_0000_0000_1030n;
/** Where this replay puts RTAS buffers; the log's own place for them is not told. */
const RTAS_BUFFER = 0x8000;
/** What the agent fills results with before a call. */
const UNWRITTEN = 0xdead_beef;
const RANDOM_MULTIPLIER = 6364136223846793005n;
const RANDOM_INCREMENT = 1442695040888963407n;
const ENTRY_BYTES = 8;

interface Header {
  readonly ram: number;
}

interface HcallLine {
  readonly mem: readonly (readonly [string, string])[];
  readonly in: readonly string[];
  readonly out: readonly string[];
}

interface RtasLine {
  readonly rtas: string;
  readonly args: readonly number[];
  readonly out: readonly number[];
}

interface TableLine {
  readonly table: string;
  readonly page_shift: number;
  readonly first: number;
  readonly count: number;
  readonly mapped: number;
  readonly sha256: string;
}

type Line = HcallLine | RtasLine | TableLine;

/** A platform as the log's machine has it: one bridge, no console, entropy from the header's generator. */
class TceReplay {
  readonly memory: PagedMemory;
  readonly papr: Papr;
  readonly registers: BigUint64Array<ArrayBuffer> = new BigUint64Array(10);
  #random = 1n;

  constructor(ramBytes: number) {
    this.memory = new PagedMemory(ramBytes);
    this.papr = new Papr(this.#environment(ramBytes));
    this.papr.reset();
  }

  hcall(line: HcallLine): readonly string[] {
    for (const [address, bytes] of line.mem) {
      const data = Buffer.from(bytes, 'hex');
      this.memory.write(Number(address), data, 0, data.length);
    }
    for (const [i, value] of line.in.entries()) this.registers[i] = BigInt(value);
    this.papr.hcall(this.registers, AGENT_MSR, 0);
    return [...this.registers].map((value) => `0x${value.toString(16)}`);
  }

  rtas(line: RtasLine): readonly number[] {
    const token = RTAS_TOKEN[line.rtas as RtasName];
    const words = [token, line.args.length, line.out.length, ...line.args, ...line.out.map(() => UNWRITTEN)];
    for (const [i, word] of words.entries()) this.memory.setU32(RTAS_BUFFER + 4 * i, word, false);
    this.registers.fill(0n);
    this.registers[0] = BigInt(KVMPPC_H_RTAS);
    this.registers[1] = BigInt(RTAS_BUFFER);
    this.papr.hcall(this.registers, AGENT_MSR, 0);
    const results = RTAS_BUFFER + 4 * (3 + line.args.length);
    return line.out.map((_, i) => this.memory.u32(results + 4 * i, false));
  }

  /** The window as H_GET_TCE shows it, entry by entry. */
  table(line: TableLine): { readonly mapped: number; readonly sha256: string } {
    const bytes = Buffer.alloc(line.count * ENTRY_BYTES);
    let mapped = 0;
    for (let i = 0; i < line.count; i++) {
      this.registers.fill(0n);
      this.registers[0] = 0x1cn;
      this.registers[1] = BigInt(line.table);
      this.registers[2] = BigInt(line.first) + (BigInt(i) << BigInt(line.page_shift));
      this.papr.hcall(this.registers, AGENT_MSR, 0);
      if (this.registers[0] !== 0n) return { mapped: i, sha256: 'an entry is missing' };
      const tce = this.registers[1] ?? 0n;
      bytes.writeBigUInt64BE(tce, i * ENTRY_BYTES);
      if (tce !== 0n) mapped++;
    }
    return { mapped, sha256: createHash('sha256').update(bytes).digest('hex') };
  }

  #environment(ramBytes: number): PaprEnvironment {
    const { memory } = this;
    return {
      options: { ...PSERIES_7_2, ramBytes, maxRamBytes: ramBytes, vio: [{ kind: 'spapr-nvram' }] },
      queue: new EventQueue(),
      diagnostics: SILENT,
      system: new AddressSpace(),
      hypervisorRead: (address, into, at, length) => memory.read(address, into, at, length),
      hypervisorWrite: (address, from, at, length) => memory.write(address, from, at, length),
      peek: (address, into, at, length) => memory.read(address, into, at, length),
      poke: (address, from, at, length) => memory.write(address, from, at, length),
      strayMessage: () => undefined,
      mapsChanged: () => undefined,
      interrupt: () => undefined,
      cpuInterrupt: () => undefined,
      consoleOutput: () => undefined,
      request: () => undefined,
      startCpu: () => undefined,
      systemReset: () => undefined,
      randomWord: () => {
        this.#random = BigInt.asUintN(64, this.#random * RANDOM_MULTIPLIER + RANDOM_INCREMENT);
        return swapped(this.#random);
      },
      buildTree: () => undefined,
      rtasCalled: () => undefined,
      rtasReturned: () => undefined,
    };
  }
}

/** Entropy is bytes, written big-endian there and read as a PC's number by spapr-rng. */
function swapped(value: bigint): bigint {
  const view = new DataView(new ArrayBuffer(ENTRY_BYTES));
  view.setBigUint64(0, value);
  return view.getBigUint64(0, true);
}

/** tce.jsonl: hypercalls of the TCE family and their neighbours, dynamic DMA windows, digests of whole windows. */
export const conformTce: Conform = async (lines, tally) => {
  let replay: TceReplay | undefined;
  let number = 0;
  for await (const text of lines) {
    number++;
    const line: unknown = JSON.parse(text);
    if (replay === undefined) {
      const { ram } = line as Header;
      if (!Number.isSafeInteger(ram))
        throw new UsageError('the log does not say how much RAM the machine has');
      replay = new TceReplay(ram);
    } else judge(replay, line as Line, number, tally);
  }
};

function judge(replay: TceReplay, line: Line, number: number, tally: Tally): void {
  tally.judged();
  if ('rtas' in line) {
    const what = `${line.rtas}(${line.args.join(', ')})`;
    compare(tally, number, what, line.out.join(' '), replay.rtas(line).join(' '));
  } else if ('table' in line) {
    const { mapped, sha256 } = replay.table(line);
    compare(tally, number, `table ${line.table}`, `${line.mapped} ${line.sha256}`, `${mapped} ${sha256}`);
  } else {
    compare(tally, number, `hcall ${line.in.join(' ')}`, line.out.join(' '), replay.hcall(line).join(' '));
  }
}

function compare(tally: Tally, line: number, what: string, expected: string, actual: string): void {
  if (expected !== actual) tally.mismatch(line, what, expected, actual);
}
