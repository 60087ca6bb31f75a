import { Chain } from './chain.ts';
import type { QueueHost } from './queue.ts';
import { VIRTQUEUE_MAX_SIZE } from './ring-abi.ts';

const TWO_32 = 2 ** 32;

/**
 * Adds a buffer to a chain, cut into pieces that lie together (virtqueue_map_desc). False: it cannot be mapped, and the
 * device is broken.
 */
export function mapBuffer(
  host: QueueHost,
  chain: Chain,
  write: boolean,
  bufferHigh: number,
  bufferLow: number,
  length: number,
): boolean {
  const { space } = host;
  let high = bufferHigh;
  let low = bufferLow;
  let left = length;
  if (left === 0) {
    if (!host.behaviour.refusesEmptyElements) return true;
    host.fail('virtio: zero sized buffers are not allowed');
    return false;
  }
  while (left > 0) {
    if (chain.outCount + chain.inCount === VIRTQUEUE_MAX_SIZE) {
      host.fail('virtio: too many write descriptors in indirect table');
      return false;
    }
    if (!space.map(high, low, left, write)) {
      host.fail('virtio: bogus descriptor or out of resources');
      return false;
    }
    const { mappedLength } = space;
    chain.add(write, high, low, mappedLength, space.mappedOffset);
    left -= mappedLength;
    const sum = low + mappedLength;
    if (sum >= TWO_32) high = (high + 1) >>> 0;
    low = sum >>> 0;
  }
  return true;
}

/** virtqueue_unmap_sg: only what was bounced has anything left to do. */
export function unmapPieces(host: QueueHost, chain: Chain, written: number): void {
  const at = chain.bounced;
  if (at < 0) return;
  chain.bounced = -1;
  const write = at >= chain.outCount;
  let before = 0;
  for (let i = chain.outCount; i < at; i++) {
    before += Math.min(written - before, chain.length[i] ?? 0);
  }
  host.space.unmapBounce(write, write ? Math.min(written - before, chain.length[at] ?? 0) : 0);
}

/** Chains that are done with, for the next `pop`. */
export class ChainPool {
  readonly #free: Chain[] = [];

  take(): Chain {
    const chain = this.#free.pop() ?? new Chain();
    chain.clear();
    return chain;
  }

  recycle(chain: Chain): void {
    this.#free.push(chain);
  }

  /** For a chain that a fault cut short: its pieces are let go unwritten (virtqueue_undo_map_desc). */
  discard(host: QueueHost, chain: Chain): void {
    if (chain.bounced >= 0) host.space.unmapBounce(false, 0);
    this.#free.push(chain);
  }
}
