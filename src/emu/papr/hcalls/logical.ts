import {
  H_FUNCTION,
  H_LOGICAL_CACHE_LOAD,
  H_LOGICAL_CACHE_STORE,
  H_LOGICAL_CI_LOAD,
  H_LOGICAL_CI_STORE,
  H_LOGICAL_DCBF,
  H_LOGICAL_ICBI,
  H_PAGE_INIT,
  H_PARAMETER,
  H_RANDOM,
  H_SUCCESS,
} from '../abi.ts';
import { addressOf } from '../guest-access.ts';
import type { Hcall, HcallFrame } from '../hcall-frame.ts';
import type { Partition } from '../partition.ts';

const PAGE_BYTES = 4096;
const H_ICACHE_INVALIDATE = 1n << 23n;
const H_ICACHE_SYNCHRONIZE = 1n << 22n;
const H_ZERO_PAGE = 1n << 15n;
const H_COPY_PAGE = 1n << 14n;
const PAGE_INIT_FLAGS = H_ICACHE_INVALIDATE | H_ICACHE_SYNCHRONIZE | H_ZERO_PAGE | H_COPY_PAGE;

/** H_LOGICAL_CI_LOAD (size, address) -> value. */
function load(partition: Partition, frame: HcallFrame): number {
  const size = frame.small(0);
  const address = addressOf(frame.high(1), frame.low(1));
  if (size === 8) frame.set(0, partition.guest.load64(address));
  else if (size === 1 || size === 2 || size === 4) frame.setWords(0, 0, partition.guest.load(address, size));
  else return H_PARAMETER;
  return H_SUCCESS;
}

/** H_LOGICAL_CI_STORE (size, address, value). */
function store(partition: Partition, frame: HcallFrame): number {
  const size = frame.small(0);
  const address = addressOf(frame.high(1), frame.low(1));
  if (size === 8) partition.guest.store64(address, frame.argument(2));
  else if (size === 1 || size === 2 || size === 4) {
    partition.guest.store(address, size, size === 4 ? frame.low(2) : frame.low(2) & (2 ** (8 * size) - 1));
  } else return H_PARAMETER;
  return H_SUCCESS;
}

/** H_PAGE_INIT (flags, destination, source): zeroes or copies one page of RAM. */
function pageInit(partition: Partition, frame: HcallFrame): number {
  const flags = frame.argument(0);
  const to = addressOf(frame.high(1), frame.low(1));
  const from = addressOf(frame.high(2), frame.low(2));
  if ((flags & ~PAGE_INIT_FLAGS) !== 0n) return H_PARAMETER;
  if (to % PAGE_BYTES !== 0 || !partition.guest.inRam(to, PAGE_BYTES)) return H_PARAMETER;
  const page = partition.list;
  if ((flags & H_COPY_PAGE) !== 0n) {
    if (from % PAGE_BYTES !== 0 || !partition.guest.inRam(from, PAGE_BYTES)) return H_PARAMETER;
    partition.guest.read(from, page, 0, PAGE_BYTES);
  } else if ((flags & H_ZERO_PAGE) === 0n) return H_SUCCESS;
  else page.fill(0);
  partition.guest.write(to, page, 0, PAGE_BYTES);
  return H_SUCCESS;
}

/** H_RANDOM -> 64 bits, where the machine has a source of them. */
function random(partition: Partition, frame: HcallFrame): number {
  const word = partition.environment.randomWord();
  if (word === undefined) return H_FUNCTION;
  frame.set(0, word);
  return H_SUCCESS;
}

const nothing = (): number => H_SUCCESS;

export const LOGICAL_HCALLS: readonly Hcall[] = [
  { number: H_PAGE_INIT, name: 'H_PAGE_INIT', run: pageInit },
  { number: H_LOGICAL_CI_LOAD, name: 'H_LOGICAL_CI_LOAD', run: load },
  { number: H_LOGICAL_CI_STORE, name: 'H_LOGICAL_CI_STORE', run: store },
  { number: H_LOGICAL_CACHE_LOAD, name: 'H_LOGICAL_CACHE_LOAD', run: load },
  { number: H_LOGICAL_CACHE_STORE, name: 'H_LOGICAL_CACHE_STORE', run: store },
  { number: H_LOGICAL_ICBI, name: 'H_LOGICAL_ICBI', run: nothing },
  { number: H_LOGICAL_DCBF, name: 'H_LOGICAL_DCBF', run: nothing },
  { number: H_RANDOM, name: 'H_RANDOM', run: random },
];
