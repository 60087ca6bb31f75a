import { RTAS_CALLS, RTAS_PARAM_ERROR, type RtasName } from './abi.ts';
import type { Partition } from './partition.ts';
import { NOWHERE } from './guest-access.ts';

const HEADER_BYTES = 12;
/** Arguments fetched in one go; no call has more. */
const ARGUMENTS_KEPT = 16;
const RESULTS_MAX = 16;
const TWO_32 = 2 ** 32;
/** The top nibble of an address is not part of it (QEMU ppc64_phys_to_real). */
const REAL_MASK_HIGH = 0x0fff_ffff;

/**
 * One RTAS call's argument buffer: token, counts, arguments and results, big-endian words in guest memory. Counts are
 * what the guest says; a handler may read an argument beyond them, as QEMU's do.
 */
export class RtasCall {
  token = 0;
  nargs = 0;
  nret = 0;
  readonly #partition: Partition;
  readonly #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(4 * ARGUMENTS_KEPT);
  readonly #view: DataView<ArrayBuffer> = new DataView(this.#bytes.buffer);
  readonly #arguments: Uint32Array = new Uint32Array(ARGUMENTS_KEPT);
  readonly #results: Uint32Array = new Uint32Array(RESULTS_MAX);
  #argumentsAt = NOWHERE;
  #resultsAt = NOWHERE;
  #kept = 0;
  /** Bit n: result n was written. */
  #written = 0;

  constructor(partition: Partition) {
    this.#partition = partition;
  }

  /** Reads header and arguments at a register's address. */
  begin(high: number, low: number): void {
    const { environment } = this.#partition;
    const at = real((high & REAL_MASK_HIGH) * TWO_32 + low);
    this.#fetch(at, HEADER_BYTES);
    this.token = this.#view.getUint32(0);
    this.nargs = this.#view.getUint32(4);
    this.nret = this.#view.getUint32(8);
    this.#argumentsAt = at === NOWHERE ? NOWHERE : at + HEADER_BYTES;
    // The results' place is computed in 32 bits: a huge count of arguments wraps.
    this.#resultsAt = at === NOWHERE ? NOWHERE : real(at + HEADER_BYTES + ((4 * this.nargs) % TWO_32));
    this.#kept = Math.min(this.nargs, ARGUMENTS_KEPT);
    this.#fetch(this.#argumentsAt, 4 * this.#kept);
    for (let i = 0; i < this.#kept; i++) this.#arguments[i] = this.#view.getUint32(4 * i);
    this.#written = 0;
    this.#results.fill(0);
    environment.rtasCalled(this.token, this.nargs, this.nret, this.#arguments, this.#kept);
  }

  argument(index: number): number {
    if (index < this.#kept) return this.#arguments[index] ?? 0;
    if (this.#argumentsAt === NOWHERE) return 0;
    return this.#partition.guest.load(real(this.#argumentsAt + 4 * index), 4);
  }

  /** Sets a result word; negative codes as they are. */
  result(index: number, value: number): void {
    this.#results[index] = value;
    this.#written |= 1 << index;
  }

  /** Writes what was set back to guest memory, each run of words at once. */
  end(): void {
    const { environment } = this.#partition;
    // Results are told as one run from the first: anything else is a write of its own.
    const told = (this.#written & (this.#written + 1)) === 0;
    let count = 0;
    for (let first = 0; first < RESULTS_MAX; first++) {
      let end = first;
      while (end < RESULTS_MAX && (this.#written & (1 << end)) !== 0) {
        this.#view.setUint32(4 * (end - first), this.#results[end] ?? 0);
        end++;
      }
      if (end === first) continue;
      if (this.#resultsAt !== NOWHERE) {
        this.#put(real(this.#resultsAt + 4 * first), 4 * (end - first), told);
      }
      count = end;
      first = end;
    }
    environment.rtasReturned(this.#results, count);
  }

  /** What lies in RAM is read without an event, for `rtas` tells every word of it. */
  #fetch(address: number, length: number): void {
    const { guest, environment } = this.#partition;
    if (guest.inRam(address, length)) environment.peek(address, this.#bytes, 0, length);
    else guest.read(address, this.#bytes, 0, length);
  }

  /** As `#fetch`: `rtas-return` tells the words. */
  #put(address: number, length: number, told: boolean): void {
    const { guest, environment } = this.#partition;
    if (told && guest.inRam(address, length)) environment.poke(address, this.#bytes, 0, length);
    else guest.write(address, this.#bytes, 0, length);
  }
}

function real(address: number): number {
  return address >= 2 ** 53 ? NOWHERE : address;
}

/** One RTAS call: how many arguments and results it insists on, and what it does. */
export interface RtasRow {
  readonly name: RtasName;
  /** Left out where QEMU does not look. */
  readonly nargs?: number;
  readonly nret?: number;
  /** Status for other counts; -3 unless said. */
  readonly mismatch?: number;
  readonly run: (partition: Partition, call: RtasCall) => void;
}

/** Runs a row's handler if the counts are right. */
export function runRow(row: RtasRow, partition: Partition, call: RtasCall): void {
  const counted =
    (row.nargs === undefined || row.nargs === call.nargs) &&
    (row.nret === undefined || row.nret === call.nret);
  if (counted) row.run(partition, call);
  else call.result(0, row.mismatch ?? RTAS_PARAM_ERROR);
}

/** The rows in the order of their tokens. */
export function inTokenOrder(rows: readonly RtasRow[]): (RtasRow | undefined)[] {
  return RTAS_CALLS.map(({ name }) => rows.find((row) => row.name === name));
}
