/** Feature bits by number, as the specification allots them (2.2, 6, and each device's chapter). */

const NET = 1;
const BLK = 2;
const CONSOLE = 3;
const RNG = 4;
const BALLOON = 5;
const SCSI = 8;

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Bits of a device type, legacy ones included. */
const OF_TYPE: Readonly<Record<number, readonly number[]>> = {
  [NET]: [...range(0, 3), ...range(5, 23), 41, 42, ...range(50, 57), ...range(59, 70)],
  [BLK]: [0, 1, 2, 4, 5, 6, 7, 9, ...range(10, 17)],
  [CONSOLE]: [0, 1, 2],
  [RNG]: [],
  [BALLOON]: range(0, 5),
  [SCSI]: [0, 1, 2, 3],
};
/** Of the queue layer, on PCI: 28, 29, 32 … 41, SUSPEND. */
const OF_QUEUES: readonly number[] = [28, 29, ...range(32, 41), 43];
/** NOTIFY_ON_EMPTY, ANY_LAYOUT, and the marker of early drivers, which may be offered and is not to be accepted. */
const OF_LEGACY: readonly number[] = [24, 27, 30];

const WORDS = 4;
const KNOWN = new Map<number, Uint32Array>();

function wordsOf(bits: readonly number[]): Uint32Array {
  const words = new Uint32Array(WORDS);
  for (const bit of bits) words[bit >>> 5] = ((words[bit >>> 5] ?? 0) | (1 << (bit & 31))) >>> 0;
  return words;
}

for (const [type, bits] of Object.entries(OF_TYPE)) KNOWN.set(Number(type), wordsOf([...bits, ...OF_QUEUES]));
const LEGACY_BITS = wordsOf(OF_LEGACY)[0] ?? 0;

/**
 * Bits of a word that mean something for a device type on PCI. Types whose chapters are not followed count every bit of
 * theirs as known.
 */
export function knownFeatures(type: number, word: number, legacy: boolean): number {
  const words = KNOWN.get(type);
  if (words === undefined) return 0xffff_ffff;
  const own = words[word] ?? 0;
  return (legacy && word === 0 ? own | LEGACY_BITS : own) >>> 0;
}

interface Dependency {
  readonly bit: number;
  /** All of these … */
  readonly all: readonly number[];
  /** … and one of these, where there are any. */
  readonly any: readonly number[];
}

function needs(bit: number, all: readonly number[], any: readonly number[] = []): Dependency {
  return { bit, all, any };
}

/** 5.1.3.1; no other chapter that is followed has such a table. */
const NET_DEPENDENCIES: readonly Dependency[] = [
  needs(7, [1]),
  needs(8, [1]),
  needs(9, [], [7, 8]),
  needs(10, [1]),
  needs(54, [1]),
  needs(55, [1]),
  needs(65, [7, 8, 54, 55]),
  needs(66, [65]),
  needs(11, [0]),
  needs(12, [0]),
  needs(13, [], [11, 12]),
  needs(14, [0]),
  needs(56, [0]),
  needs(67, [11, 12, 56]),
  needs(68, [67]),
  needs(18, [17]),
  needs(19, [17]),
  needs(21, [17]),
  needs(22, [17]),
  needs(23, [17]),
  needs(53, [17]),
  needs(61, [], [11, 12]),
  needs(60, [17]),
  needs(52, [17]),
  needs(51, [17], [60, 57]),
  needs(64, [17, 60]),
];
const NONE: readonly Dependency[] = [];

/** The first bit of a set that lacks one that it depends on; -1 if none does. */
export function lackingDependency(type: number, set: Uint32Array): number {
  const table = type === NET ? NET_DEPENDENCIES : NONE;
  for (const { bit, all, any } of table) {
    if (!hasBit(set, bit)) continue;
    for (const other of all) if (!hasBit(set, other)) return bit;
    let one = any.length === 0;
    for (const other of any) one ||= hasBit(set, other);
    if (!one) return bit;
  }
  return -1;
}

function hasBit(set: Uint32Array, bit: number): boolean {
  return (((set[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
}
