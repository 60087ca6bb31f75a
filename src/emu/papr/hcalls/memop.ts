import { H_PARAMETER, H_SUCCESS, KVMPPC_H_LOGICAL_MEMOP } from '../abi.ts';
import { addressOf } from '../guest-access.ts';
import type { Hcall, HcallFrame } from '../hcall-frame.ts';
import type { Partition } from '../partition.ts';

const COUNT_MAX = 0x8000_0000;
const INVERT = 1n;
const MASK_64 = (1n << 64n) - 1n;
const EXACT_BYTES = 2 ** 53;

/**
 * KVMPPC_H_LOGICAL_MEMOP (destination, source, element size as a shift, count, operation): copies, or copies
 * inverted, from the end if the destination begins inside the source.
 */
function memop(partition: Partition, frame: HcallFrame): number {
  const to = frame.argument(0);
  const from = frame.argument(1);
  const shift = frame.argument(2);
  const count = frame.small(3);
  const operation = frame.argument(4);
  if (count > COUNT_MAX) return H_PARAMETER;
  // C shifts an int by the low five bits of the count here, as x86 carries it out.
  const mask = (1n << (shift & 31n)) - 1n;
  if (((to | from) & mask) !== 0n || operation > INVERT) return H_PARAMETER;
  if (count === 0) return H_SUCCESS;
  if (shift > 3n) return H_PARAMETER;
  const elementBytes = 1 << Number(shift);
  const bytes = BigInt(count * elementBytes);
  const backwards = to >= from && to < ((from + bytes) & MASK_64);
  new BlockCopy(partition, elementBytes, operation === INVERT).run(to, from, count, backwards);
  return H_SUCCESS;
}

/**
 * A copy in stretches: RAM by blocks, a BAR element by element, and where nothing answers on either side in one step.
 * A guest may ask for 16 GiB, and QEMU would walk them.
 */
class BlockCopy {
  readonly #partition: Partition;
  readonly #elementBytes: number;
  readonly #invert: boolean;

  constructor(partition: Partition, elementBytes: number, invert: boolean) {
    this.#partition = partition;
    this.#elementBytes = elementBytes;
    this.#invert = invert;
  }

  run(to: bigint, from: bigint, count: number, backwards: boolean): void {
    const size = this.#elementBytes;
    let left = count;
    while (left > 0) {
      // The next element: the first that is left, or the last.
      const offset = BigInt((backwards ? left - 1 : count - left) * size);
      const target = (to + offset) & MASK_64;
      const source = (from + offset) & MASK_64;
      const stretch = backwards
        ? Math.min(this.#below(target), this.#below(source))
        : Math.min(this.#above(target), this.#above(source));
      const elements = Math.min(left, Math.max(1, Math.floor(stretch / size)));
      left -= this.#copy(exact(target), exact(source), elements, backwards);
    }
  }

  /** Copies up to `elements` that begin, or end, with those at the two addresses; how many. */
  #copy(target: number, source: number, elements: number, backwards: boolean): number {
    const { guest, list } = this.#partition;
    const size = this.#elementBytes;
    if (!this.#answers(target) && !this.#answers(source)) return elements;
    if (this.#isBar(target) || this.#isBar(source)) {
      this.#copyElement(target, source);
      return 1;
    }
    const block = Math.min(elements, Math.floor(list.length / size));
    const back = backwards ? (block - 1) * size : 0;
    if (this.#answers(source)) guest.read(source - back, list, 0, block * size);
    else list.fill(0, 0, block * size);
    if (this.#invert) for (let i = 0; i < block * size; i++) list[i] = ~(list[i] ?? 0);
    if (this.#answers(target)) guest.write(target - back, list, 0, block * size);
    return block;
  }

  #copyElement(to: number, from: number): void {
    const { guest } = this.#partition;
    const size = this.#elementBytes;
    if (size === 8) {
      const value = guest.load64(from);
      guest.store64(to, this.#invert ? BigInt.asUintN(64, ~value) : value);
      return;
    }
    const width = size as 1 | 2 | 4;
    const value = guest.load(from, width);
    const kept = (this.#invert ? ~value : value) >>> 0;
    guest.store(to, width, kept % 2 ** (8 * width));
  }

  #isBar(address: number): boolean {
    return address >= this.#partition.options.ramBytes && this.#partition.nextMapped(address) === address;
  }

  #answers(address: number): boolean {
    return address >= 0 && (address < this.#partition.options.ramBytes || this.#isBar(address));
  }

  /** Bytes from an address on that share its fate: RAM, or nothing; at a BAR one element. */
  #above(at: bigint): number {
    const address = exact(at);
    const { ramBytes } = this.#partition.options;
    if (address < 0) return Number(MASK_64 - at) + 1;
    if (address < ramBytes) return ramBytes - address;
    const next = this.#partition.nextMapped(address);
    return next === address ? this.#elementBytes : Math.min(next, EXACT_BYTES) - address;
  }

  /** The same downwards, the element at the address included. */
  #below(at: bigint): number {
    const address = exact(at);
    const { ramBytes } = this.#partition.options;
    if (address < 0) return Number(at - BigInt(EXACT_BYTES)) + this.#elementBytes;
    const end = address + this.#elementBytes;
    if (address < ramBytes) return end;
    if (this.#partition.nextMapped(ramBytes) >= end) return end - ramBytes;
    const low = Math.max(ramBytes, end - this.#partition.list.length);
    return this.#partition.nextMapped(low) >= end ? end - low : this.#elementBytes;
  }
}

function exact(address: bigint): number {
  return addressOf(Number(address >> 32n), Number(BigInt.asUintN(32, address)));
}

export const MEMOP_HCALLS: readonly Hcall[] = [
  { number: KVMPPC_H_LOGICAL_MEMOP, name: 'KVMPPC_H_LOGICAL_MEMOP', run: memop },
];
