import type { DmaSpace } from '../memory/dma-space.ts';
import type { Chain } from './chain.ts';

/**
 * Copies from the device-readable bytes of a chain, `offset` bytes in, and returns how many there were (QEMU's
 * iov_to_buf).
 */
export function copyOut(
  space: DmaSpace,
  chain: Chain,
  offset: number,
  into: Uint8Array,
  at: number,
  length: number,
): number {
  return copy(space, chain, 0, chain.outCount, false, offset, into, at, length);
}

/** Copies to the device-writable bytes of a chain, `offset` bytes in, and returns how many fitted (iov_from_buf). */
export function copyIn(
  space: DmaSpace,
  chain: Chain,
  offset: number,
  from: Uint8Array,
  at: number,
  length: number,
): number {
  return copy(space, chain, chain.outCount, chain.outCount + chain.inCount, true, offset, from, at, length);
}

function copy(
  space: DmaSpace,
  chain: Chain,
  first: number,
  end: number,
  write: boolean,
  offset: number,
  bytes: Uint8Array,
  at: number,
  length: number,
): number {
  let skip = offset;
  let done = 0;
  for (let i = first; i < end && done < length; i++) {
    const size = chain.length[i] ?? 0;
    if (skip >= size) {
      skip -= size;
      continue;
    }
    const step = Math.min(size - skip, length - done);
    const ram = chain.ram[i] ?? -1;
    if (ram < 0) {
      const bounce = space.bounce.bytes;
      if (write) bounce.set(bytes.subarray(at + done, at + done + step), skip);
      else bytes.set(bounce.subarray(skip, skip + step), at + done);
    } else {
      const sum = (chain.low[i] ?? 0) + skip;
      const high = sum >= 2 ** 32 ? ((chain.high[i] ?? 0) + 1) >>> 0 : (chain.high[i] ?? 0);
      if (write) space.writeMapped(ram + skip, high, sum >>> 0, bytes, at + done, step);
      else space.readMapped(ram + skip, high, sum >>> 0, bytes, at + done, step);
    }
    done += step;
    skip = 0;
  }
  return done;
}
