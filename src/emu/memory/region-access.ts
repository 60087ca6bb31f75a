import type { Diagnostics } from '../core/diagnostics.ts';
import type { Region } from './region.ts';

/**
 * One load of 1, 2, 4 or 8 bytes from a region, by its rules: refused with QEMU's line and answered with zero, or split
 * into what the region implements (softmmu/memory.c, memory_region_dispatch_read). Little-endian bytes land in `into`.
 */
export function loadRegion(
  region: Region,
  offset: number,
  width: number,
  into: Uint8Array,
  at: number,
  diagnostics: Diagnostics,
): boolean {
  if (!isValid(region, offset, width, 'read', diagnostics)) {
    into.fill(0, at, at + width);
    return false;
  }
  const step = implemented(region, width);
  for (let done = 0; done < width; done += step) {
    let value = region.read(offset + done, step);
    for (let i = 0; i < step && done + i < width; i++) {
      into[at + done + i] = value & 0xff;
      value >>>= 8;
    }
  }
  return true;
}

/** The store that answers to `loadRegion`. */
export function storeRegion(
  region: Region,
  offset: number,
  width: number,
  from: Uint8Array,
  at: number,
  diagnostics: Diagnostics,
): boolean {
  if (!isValid(region, offset, width, 'write', diagnostics)) return false;
  const step = implemented(region, width);
  for (let done = 0; done < width; done += step) {
    let value = 0;
    for (let i = Math.min(step, width - done) - 1; i >= 0; i--) {
      value = ((value << 8) | (from[at + done + i] ?? 0)) >>> 0;
    }
    region.write(offset + done, step, value);
  }
  return true;
}

/** QEMU's line for an access that a region of this name turned away. */
export function refusal(
  direction: 'read' | 'write',
  address: bigint | number,
  width: number,
  name: string,
  reason: string,
): string {
  const digits = address.toString(16).toUpperCase();
  return `Invalid ${direction} at addr 0x${digits}, size ${width}, region '${name}', reason: ${reason}`;
}

function isValid(
  region: Region,
  offset: number,
  width: number,
  direction: 'read' | 'write',
  diagnostics: Diagnostics,
): boolean {
  const { validMin, validMax, validUnaligned } = region.access;
  if (!validUnaligned && offset % width !== 0) {
    if (diagnostics.listening) {
      diagnostics.say(refusal(direction, offset, width, region.name, 'unaligned'));
    }
    return false;
  }
  if (width >= validMin && width <= validMax) return true;
  if (diagnostics.listening) {
    const reason = `invalid size (min:${validMin} max:${validMax})`;
    diagnostics.say(refusal(direction, offset, width, region.name, reason));
  }
  return false;
}

function implemented(region: Region, width: number): 1 | 2 | 4 {
  const { implMin, implMax } = region.access;
  const step = Math.max(Math.min(width, implMax, 4), implMin);
  return step === 1 || step === 2 ? step : 4;
}
