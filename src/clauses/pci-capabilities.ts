import type { VirtioFunction } from './virtio-function.ts';

const POINTER = 0x34;
const VENDOR_SPECIFIC = 9;
const MSIX = 0x11;
const TURNS_MAX = 64;

/** A capability of the list, as configuration space was read. */
export interface CapabilitySeen {
  readonly at: number;
  readonly id: number;
  /** cap_len of a virtio capability; -1 where it was not read. */
  readonly length: number;
  /** cfg_type of a virtio capability; -1 for others and where it was not read. */
  readonly kind: number;
  readonly bar: number;
  /** Of the structure: -1 where it was not read. */
  readonly offset: number;
  readonly size: number;
}

export interface CapabilityList {
  /** The list was followed to its end. */
  readonly whole: boolean;
  readonly all: readonly CapabilitySeen[];
  readonly virtio: readonly CapabilitySeen[];
  readonly msix: CapabilitySeen | undefined;
}

interface Kept {
  readonly version: number;
  readonly list: CapabilityList;
}

const KEPT = new WeakMap<VirtioFunction, Kept>();

/** The capability list as far as it was read: made once for all who ask before more is read. */
export function capabilitiesOf(device: VirtioFunction): CapabilityList {
  const { configVersion: version } = device;
  const kept = KEPT.get(device);
  if (kept !== undefined && kept.version === version) return kept.list;
  const list = walked(device);
  KEPT.set(device, { version, list });
  return list;
}

function walked(device: VirtioFunction): CapabilityList {
  const all: CapabilitySeen[] = [];
  let at = device.config[POINTER] ?? 0;
  let whole = device.knows(POINTER, 1);
  for (let turns = 0; whole && at !== 0 && turns < TURNS_MAX; turns++) {
    if (!device.knows(at, 2)) whole = false;
    else {
      all.push(capabilityAt(device, at));
      at = (device.config[at + 1] ?? 0) & 0xfc;
    }
  }
  return {
    whole,
    all,
    virtio: all.filter(({ id }) => id === VENDOR_SPECIFIC),
    msix: all.find(({ id }) => id === MSIX),
  };
}

function capabilityAt(device: VirtioFunction, at: number): CapabilitySeen {
  const id = device.config[at] ?? 0;
  const ours = id === VENDOR_SPECIFIC;
  const byte = (offset: number): number =>
    ours && device.configKnown[at + offset] === 1 ? (device.config[at + offset] ?? 0) : -1;
  const word = (offset: number): number =>
    ours && device.knows(at + offset, 4) ? device.configWord(at + offset) : -1;
  return { at, id, length: byte(2), kind: byte(3), bar: byte(4), offset: word(8), size: word(12) };
}
