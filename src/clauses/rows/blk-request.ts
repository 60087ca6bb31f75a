import type { Chain } from '../chain.ts';
import type { Hooks } from '../hooks.ts';
import type { ObservedQueue } from '../observed-queue.ts';
import type { VirtioFunction } from '../virtio-function.ts';

// Numbers of the block device (5.2), written again.
export const F_SIZE_MAX = 1;
export const F_SEG_MAX = 2;
export const F_BARRIER = 0;
export const F_RO = 5;
export const F_FLUSH = 9;
export const F_CONFIG_WCE = 11;
export const F_DISCARD = 13;
export const F_WRITE_ZEROES = 14;
export const F_SECURE_ERASE = 16;
export const F_ZONED = 17;
export const F_ANY_LAYOUT = 27;

export const T_IN = 0;
export const T_OUT = 1;
export const T_SCSI = 2;
export const T_SCSI_OUT = 3;
export const T_FLUSH = 4;
export const T_FLUSH_OUT = 5;
export const T_GET_ID = 8;
export const T_GET_LIFETIME = 10;
export const T_DISCARD = 11;
export const T_WRITE_ZEROES = 13;
export const T_SECURE_ERASE = 14;
export const T_ZONE_APPEND = 15;
export const T_ZONE_REPORT = 16;
export const T_ZONE_OPEN = 18;
export const T_ZONE_CLOSE = 20;
export const T_ZONE_FINISH = 22;
export const T_ZONE_RESET = 24;
export const T_ZONE_RESET_ALL = 26;
export const T_BARRIER = 0x8000_0000;

export const S_OK = 0;
export const S_IOERR = 1;
export const S_UNSUPP = 2;
export const S_INVALID_CMD = 3;
export const S_ACTIVE_RESOURCE = 6;

export const AT_CAPACITY = 0;
export const AT_SIZE_MAX = 8;
export const AT_SEG_MAX = 12;
export const AT_BLK_SIZE = 20;
export const AT_WRITEBACK = 32;
export const AT_UNUSED0 = 33;
export const AT_MAX_DISCARD_SEG = 40;
export const AT_MAX_WRITE_ZEROES_SEG = 52;
export const AT_MAY_UNMAP = 56;
export const AT_UNUSED1 = 57;
export const AT_MAX_SECURE_ERASE_SEG = 64;
export const AT_SECURE_ERASE_ALIGNMENT = 68;
export const AT_ZONE_SECTORS = 72;
export const AT_MAX_APPEND_SECTORS = 84;
export const AT_WRITE_GRANULARITY = 88;
export const AT_MODEL = 92;
export const AT_UNUSED2 = 93;
export const MODEL_NONE = 0;
export const MODEL_HOST_MANAGED = 1;
export const MODEL_HOST_AWARE = 2;

export const HEADER_BYTES = 16;
export const SEGMENT_BYTES = 16;
export const SECTOR_BYTES = 512;
export const ID_BYTES = 20;

const CONFIG_BYTES = 96;
const ELEMENTS_JUDGED = 16;
const TWO_32 = 2 ** 32;

/** What a driver has read of the device configuration, and what it wrote there. */
export class ConfigSeen {
  readonly bytes: Uint8Array = new Uint8Array(CONFIG_BYTES);
  readonly known: Uint8Array = new Uint8Array(CONFIG_BYTES);

  forget(): void {
    this.known.fill(0);
  }

  take(offset: number, width: number, value: number): void {
    for (let i = 0; i < width && offset + i < CONFIG_BYTES; i++) {
      this.bytes[offset + i] = Math.floor(value / 256 ** i) & 0xff;
      this.known[offset + i] = 1;
    }
  }

  knows(at: number, width: number): boolean {
    for (let i = 0; i < width; i++) if (this.known[at + i] !== 1) return false;
    return true;
  }

  /** Some of these bytes were read before. */
  shares(offset: number, width: number): boolean {
    for (let i = 0; i < width; i++) if (this.known[offset + i] === 1) return true;
    return false;
  }

  /** Those that were read before read as they did. */
  agrees(offset: number, width: number, value: number): boolean {
    for (let i = 0; i < width; i++) {
      const at = offset + i;
      if (this.known[at] === 1 && this.bytes[at] !== byteOf(at, offset, width, value)) return false;
    }
    return true;
  }

  /** A field in the order of the device's structures. */
  number(at: number, width: number, little: boolean): number {
    let value = 0;
    for (let i = 0; i < width; i++)
      value = value * 256 + (this.bytes[at + (little ? width - 1 - i : i)] ?? 0);
    return value;
  }

  /** A field that was read whole; -1 otherwise. */
  read(at: number, width: number, little: boolean): number {
    return this.knows(at, width) ? this.number(at, width, little) : -1;
  }
}

/** The hooks that keep a `ConfigSeen` up to date: for checkers that need nothing else of them. */
export function keepConfig(config: ConfigSeen): Pick<Hooks, 'onBegin' | 'onReset' | 'onDeviceConfigRead'> {
  return {
    onBegin: () => {
      config.forget();
    },
    onReset: () => {
      config.forget();
    },
    onDeviceConfigRead: (offset, width, value) => {
      config.take(offset, width, value);
    },
  };
}

/** A byte of a config read that may cover it; -1 if it does not. */
export function byteOf(at: number, offset: number, width: number, value: number): number {
  return at >= offset && at < offset + width ? Math.floor(value / 256 ** (at - offset)) & 0xff : -1;
}

/** A header was sent whole, and there is a byte for the status. */
export function isRequest(chain: Chain): boolean {
  return chain.readableBytes >= HEADER_BYTES && chain.requestKnown >= HEADER_BYTES && chain.writableBytes > 0;
}

export function typeOf(chain: Chain, device: VirtioFunction): number {
  return chain.request32(0, device.little);
}

export function sectorOf(chain: Chain, device: VirtioFunction): number {
  return wideAt(chain, 8, device.little);
}

function wideAt(chain: Chain, at: number, little: boolean): number {
  const [low, high] = little ? [at, at + 4] : [at + 4, at];
  return chain.request32(high, little) * TWO_32 + chain.request32(low, little);
}

/** Bytes between header and status that go to the device, and that come from it. */
export function sentBytes(chain: Chain): number {
  return chain.readableBytes - HEADER_BYTES;
}

export function receivedBytes(chain: Chain): number {
  return chain.writableBytes - 1;
}

/** Segments of a discard and its like that are known whole. */
export function segmentCount(chain: Chain): number {
  const known = Math.min(chain.requestKnown, chain.readableBytes) - HEADER_BYTES;
  return Math.floor(Math.max(known, 0) / SEGMENT_BYTES);
}

export function segmentSector(chain: Chain, device: VirtioFunction, i: number): number {
  return wideAt(chain, HEADER_BYTES + SEGMENT_BYTES * i, device.little);
}

export function segmentSectors(chain: Chain, device: VirtioFunction, i: number): number {
  return chain.request32(HEADER_BYTES + SEGMENT_BYTES * i + 8, device.little);
}

export function segmentFlags(chain: Chain, device: VirtioFunction, i: number): number {
  return chain.request32(HEADER_BYTES + SEGMENT_BYTES * i + 12, device.little);
}

export function hasSegments(type: number): boolean {
  return type === T_DISCARD || type === T_WRITE_ZEROES || type === T_SECURE_ERASE;
}

/** The last writable byte, if it was written; -1 otherwise. */
export function statusOf(chain: Chain): number {
  const at = chain.writableBytes - 1;
  return chain.responseEnd === chain.writableBytes ? (chain.response[at] ?? -1) : -1;
}

/**
 * Whether the device can be judged by this request: the driver kept to the rules so far, and no byte has two places in
 * the chain, or a place in a ring.
 */
export function isJudged(device: VirtioFunction, queue: ObservedQueue, chain: Chain): boolean {
  if (device.misused !== '' || queue.broken !== '' || !device.running || !isRequest(chain)) return false;
  if (chain.count !== chain.elementsSeen || chain.count > ELEMENTS_JUDGED || overlaps(chain)) return false;
  return !device.live.some((ring) => liesOverRing(chain, ring));
}

function liesOverRing(chain: Chain, ring: ObservedQueue): boolean {
  const { size } = ring;
  return (
    liesOver(chain, ring.descriptors, 16 * size) ||
    liesOver(chain, ring.driverArea, 6 + 2 * size) ||
    liesOver(chain, ring.deviceArea, 6 + 8 * size)
  );
}

function liesOver(chain: Chain, from: number, length: number): boolean {
  for (let at = 0; at < chain.count; at++) {
    const apart = chain.address(at) + chain.length(at) <= from || from + length <= chain.address(at);
    if (!apart) return true;
  }
  return false;
}

function overlaps(chain: Chain): boolean {
  for (let a = 0; a < chain.count; a++) {
    if (chain.address(a) < 0) return true;
    for (let b = a + 1; b < chain.count; b++) {
      const apart =
        chain.address(a) + chain.length(a) <= chain.address(b) ||
        chain.address(b) + chain.length(b) <= chain.address(a);
      if (!apart) return true;
    }
  }
  return false;
}

/** Whether a request was the only one under way from when the device took it: then nothing else explains its answer. */
export class Alone {
  #underWay = 0;
  #crowded = false;

  begin(): void {
    this.#underWay = 0;
    this.#crowded = false;
  }

  taken(): void {
    this.#crowded = this.#underWay > 0;
    this.#underWay++;
  }

  /** Call first of all when a request comes back. */
  used(): boolean {
    const alone = this.#underWay === 1 && !this.#crowded;
    if (this.#underWay > 0) this.#underWay--;
    if (this.#underWay === 0) this.#crowded = false;
    return alone;
  }
}
