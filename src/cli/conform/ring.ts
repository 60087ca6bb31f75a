import { createHash } from 'node:crypto';
import { PagedMemory } from '../../emu/memory/guest-memory.ts';
import * as abi from '../../emu/virtio/abi.ts';
import type { RingState } from '../../emu/virtio/queue.ts';
import { UsageError } from '../options.ts';
import type { Conform, Tally } from './log.ts';
import { VirtioStand } from './virtio-stand.ts';

interface Header {
  readonly machine: string;
  readonly ram: number;
  readonly qemu_seed: number;
  readonly iommu: readonly [string, string, number];
}

type Counted = readonly (readonly [string, number])[];
type Bytes = readonly (readonly [string, string])[];

interface Case {
  readonly case: string;
  readonly device: 'rng' | 'blk' | 'net' | 'net-tx';
  readonly way: 'modern' | 'legacy' | 'iommu';
  readonly options: string;
  readonly offered: string;
  readonly accepted: string;
  readonly queue: number;
  readonly registers: {
    readonly size: number;
    readonly desc: string;
    readonly avail: string;
    readonly used: string;
  };
  readonly setup: Counted;
  readonly status_before: number;
  readonly packed: boolean;
  readonly before: Bytes;
  readonly kicks: readonly number[];
  readonly publish: readonly (readonly [string, string, 'little' | 'big'])[];
  readonly frame?: string;
  readonly after?: After;
  readonly changed?: Bytes;
  readonly peer_received?: string | null | readonly [number, string];
  /** Why the oracle got no more answers; then there is no `after`. */
  readonly died?: string;
  readonly exit?: number;
  readonly last_words?: readonly string[];
}

interface After {
  readonly isr: number;
  readonly status: number;
  readonly broken: boolean;
  readonly started: boolean;
  /** A packed ring has neither these … */
  readonly used_idx?: number;
  readonly used?: readonly (readonly [number, number])[];
  readonly queue?: Readonly<Record<string, number>>;
  /** … nor a split one these: address, length, id and flags of the first descriptors, and the device's event word. */
  readonly descriptors?: readonly (readonly [number, number, number, number])[];
  readonly device_event?: string;
  readonly log: Counted;
}

const PAGE = 4096;
const BUFFERS = 0x10000;
const RINGS_END = 0x40000;
/** What the log's peer reads of one frame. */
const PEER_BYTES = 4096;
const READ_ONLY = 1;
const WRITE_ONLY = 2;
const BOTH = 3;

/** A change of the DMA window: pages from its start, where they lead to from RAM's, and with what permission. */
interface Change {
  readonly page: number;
  readonly pages: number;
  readonly to: number;
  readonly permission: number;
}

/** What a case did that its log does not write down. */
interface Unwritten {
  /** What became of the queue before DRIVER_OK: enabled, never enabled, or reset again. */
  readonly queue: 'enabled' | 'left' | 'reset';
  /** What happened to the DMA window once the device ran. */
  readonly change: Change | undefined;
}

/** By the names that the cases have which change the window. */
const CHANGES: Readonly<Record<string, Change>> = {
  'buffer-unmapped': { page: BUFFERS, pages: 1, to: 0, permission: 0 },
  'buffer-read-only': { page: BUFFERS, pages: 1, to: BUFFERS, permission: READ_ONLY },
  'buffer-write-only': { page: BUFFERS, pages: 1, to: BUFFERS, permission: WRITE_ONLY },
  'two-buffers-unmapped': { page: BUFFERS, pages: 2, to: 0, permission: 0 },
  'used-ring-page-unmapped': { page: PAGE, pages: 1, to: 0, permission: 0 },
  'used-ring-page-read-only': { page: PAGE, pages: 1, to: PAGE, permission: READ_ONLY },
  'avail-ring-page-unmapped': { page: 0, pages: 1, to: 0, permission: 0 },
  'used-ring-remapped-elsewhere': { page: PAGE, pages: 1, to: RINGS_END - PAGE, permission: BOTH },
  'indirect-table-unmapped': { page: 0x20000, pages: 1, to: 0, permission: 0 },
  'tce-points-at-the-used-ring': { page: BUFFERS, pages: 1, to: PAGE, permission: BOTH },
};
const QUEUES: Readonly<Record<string, Unwritten['queue']>> = {
  'queue-not-enabled': 'left',
  'queue-reset-then-kick': 'reset',
};

/** How QEMU ended, by what the oracle saw of it: SIGABRT, or silence. */
const SIGABRT = -6;
const SILENCE = 'OracleHang';
const ASSERTION = /\w+: Assertion .* failed\.$/;
const PROGRAM = 'qemu-system-ppc64: ';
const DESC_BYTES = 16;

/** Every scripted ring against our device, split and packed; and where QEMU died of it, that ours says so. */
export const conformRing: Conform = async (lines, tally) => {
  let header: Header | undefined;
  let line = 0;
  for await (const text of lines) {
    line++;
    const parsed = JSON.parse(text) as Header | Case;
    if (!('case' in parsed)) {
      header = parsed;
      continue;
    }
    if (header === undefined) throw new UsageError('a ring log begins with its configuration');
    judge(line, parsed, header, tally);
  }
};

function judge(line: number, test: Case, header: Header, tally: Tally): void {
  tally.judged();
  const change = test.way === 'iommu' ? CHANGES[test.case] : undefined;
  const differences = differencesOf(test, header, { queue: QUEUES[test.case] ?? 'enabled', change });
  if (differences.length === 0) return;
  for (const unwritten of guesses(test, header)) {
    if (differencesOf(test, header, unwritten).length > 0) continue;
    tally.suppose(unwritten.change === undefined ? `queue ${unwritten.queue}` : 'DMA window changed');
    return;
  }
  const name = `${test.case} (${test.device}, ${test.way})`;
  for (const [what, expected, actual] of differences) {
    tally.mismatch(line, `${name}: ${what}`, expected, actual);
  }
}

type Difference = readonly [what: string, expected: string, actual: string];

function differencesOf(test: Case, header: Header, unwritten: Unwritten): Difference[] {
  const run = new Run(test, header, unwritten);
  run.play();
  return [...(test.died === undefined ? run.differences() : run.differencesOfDeath())];
}

/**
 * For a case whose name says nothing and that came out otherwise: what it may have done besides. One change of one or
 * two pages that the log speaks of, or a queue that was never enabled; whoever judges must find every observable
 * explained by it.
 */
function* guesses(test: Case, header: Header): Generator<Unwritten> {
  if (test.way !== 'legacy') {
    yield { queue: 'left', change: undefined };
    yield { queue: 'reset', change: undefined };
  }
  if (test.way !== 'iommu') return;
  const pages = pagesSpokenOf(test, header);
  for (const page of pages) {
    for (const permission of [0, READ_ONLY, WRITE_ONLY]) {
      yield { queue: 'enabled', change: { page, pages: 1, to: page, permission } };
    }
    yield { queue: 'enabled', change: { page, pages: 2, to: page, permission: 0 } };
  }
  for (const page of pages) {
    for (const to of pages) yield { queue: 'enabled', change: { page, pages: 1, to, permission: BOTH } };
  }
}

/** Pages of the window, from its start, that registers, memory, descriptors or messages of the case name. */
function pagesSpokenOf(test: Case, header: Header): number[] {
  const [bus, ram, count] = header.iommu;
  const { desc, avail, used } = test.registers;
  const named = (test.after?.log ?? []).flatMap(([text]) => text.match(/0x[\dA-F]+/gi) ?? []);
  const offsets = [
    ...[desc, avail, used, ...named].map((address) => Number(BigInt(address) - BigInt(bus))),
    ...[...test.before, ...(test.changed ?? [])].map(([address]) => Number(address) - Number(ram)),
    ...buffersOf(test, header).map((address) => Number(address - BigInt(bus))),
  ];
  const inside = offsets.filter((offset) => offset >= 0 && offset < count * PAGE);
  return [...new Set(inside.map((offset) => offset - (offset % PAGE)))].toSorted((x, y) => x - y);
}

/** What stands where descriptors of either layout have their address; the log is of little-endian rings here. */
function buffersOf(test: Case, header: Header): bigint[] {
  const [bus, ram] = header.iommu;
  const memory = memoryOf(test.before, header.ram);
  const table = Number(BigInt(test.registers.desc) - BigInt(bus)) + Number(ram);
  const found: bigint[] = [];
  for (let slot = 0; slot < test.registers.size; slot++) {
    const at = table + DESC_BYTES * slot;
    if (at >= 0 && at + DESC_BYTES <= header.ram) found.push(memory.u64(at, true));
  }
  return found;
}

function memoryOf(parts: Bytes, ram: number): PagedMemory {
  const memory = new PagedMemory(ram);
  for (const [address, hex] of parts) {
    const bytes = Buffer.from(hex, 'hex');
    memory.write(Number(address), bytes, 0, bytes.length);
  }
  return memory;
}

/** QEMU's end as the device would have to tell it: how, and of which assertion. */
function endOf(test: Case): string {
  const words = test.last_words ?? [];
  if (test.died?.startsWith(SILENCE) === true) return 'hang';
  const [assertion] = ASSERTION.exec(words.at(-1) ?? '') ?? [];
  if (test.exit === SIGABRT && assertion !== undefined) return `abort: ${assertion}`;
  return `exit ${test.exit}: ${words.join('; ')}`;
}

/** An observable, what the log says of it, and what the device did. */
type Compared = readonly [string, unknown, unknown];

class Run {
  readonly #test: Case;
  readonly #header: Header;
  readonly #stand: VirtioStand;
  readonly #unwritten: Unwritten;
  readonly #legacy: boolean;
  #setupLog: Counted = [];
  #offered = 0n;
  #statusBefore = 0;

  constructor(test: Case, header: Header, unwritten: Unwritten) {
    this.#test = test;
    this.#header = header;
    this.#unwritten = unwritten;
    this.#legacy = test.way === 'legacy';
    const made = VirtioStand.make(
      {
        machine: header.machine,
        device: `virtio-${DRIVER[test.device]}-pci,addr=1,ioeventfd=off,${BACKEND[test.device]}${test.options}`,
        ramBytes: header.ram,
        seed: header.qemu_seed,
        order: 'big',
      },
      new PagedMemory(header.ram),
    );
    if (!made.accepted) throw new UsageError(`${test.options}: ${made.reason}`);
    this.#stand = made.value;
  }

  play(): void {
    const test = this.#test;
    const stand = this.#stand;
    this.#mapWindow();
    this.#setUp();
    this.#setupLog = stand.takeLog();
    this.#changeWindow();
    for (const [address, hex] of test.before) {
      const bytes = Buffer.from(hex, 'hex');
      stand.memory.write(Number(address), bytes, 0, bytes.length);
    }
    this.#replayEarlierKick();
    this.#statusBefore = stand.status(this.#legacy);
    for (const [address, value, order] of test.publish) {
      stand.memory.setU16(Number(address), Number(value), order === 'little');
    }
    for (const queue of test.kicks) stand.kick(this.#legacy, queue);
    if (test.frame !== undefined) stand.receive(Buffer.from(test.frame, 'hex'));
  }

  *differences(): Generator<Difference> {
    const test = this.#test;
    const { device } = this.#stand;
    const after = test.after as After;
    const ring = device.queue(test.queue)?.ring;
    // Before registers are read: reading the ISR clears it, and what follows says nothing.
    const log = this.#stand.takeLog();
    const pairs: readonly Compared[] = [
      ['offered', BigInt(test.offered), this.#offered],
      ['accepted', this.#acceptedByLog(), device.guestFeatures],
      ['log of the set-up', test.setup, this.#setupLog],
      ['status before', test.status_before, this.#statusBefore],
      ['log', after.log, log],
      ['broken', after.broken, device.broken],
      ['started', after.started, device.started],
      ['status', after.status, this.#stand.status(this.#legacy)],
      ['ISR', after.isr, device.isr],
      ['endings', [], this.#stand.log.endings],
      ['frame that the peer got', shownFrame(test.peer_received), shownFrame(this.#received())],
    ];
    const { queue, descriptors } = after;
    const layout = queue === undefined ? [] : splitState(queue, ring);
    const packed = descriptors === undefined ? [] : this.#packedState(after, descriptors);
    for (const [what, expected, actual] of [...pairs, ...layout, ...packed]) {
      const [left, right] = [shown(expected), shown(actual)];
      if (left !== right) yield [what, left, right];
    }
    yield* this.#memoryDifferences();
  }

  /** Where QEMU died: that ours says how and of what, after the same last words. */
  *differencesOfDeath(): Generator<Difference> {
    const test = this.#test;
    const { endings, lines } = this.#stand.log;
    const [ending] = endings;
    const expected = endOf(test);
    const actual = ending === undefined ? 'lives' : ending[0] === 'hang' ? 'hang' : ending.join(': ');
    if (expected !== actual) yield ['ending', expected, actual];
    const words = (test.last_words ?? []).filter((word) => !ASSERTION.test(word));
    const said = lines.filter((line) => line !== `${PROGRAM}${ending?.[1]}`);
    const last = words.length === 0 ? [] : said.slice(-words.length);
    if (shown(words) !== shown(last)) yield ['last words', shown(words), shown(last)];
  }

  #packedState(after: After, descriptors: NonNullable<After['descriptors']>): Compared[] {
    const { memory } = this.#stand;
    const { registers } = this.#test;
    const ring = this.#inRam(registers.desc, DESC_BYTES * descriptors.length);
    const event = this.#inRam(registers.used, 4);
    const compared: Compared[] = [];
    if (ring !== undefined) {
      const seen = descriptors.map((_, i) => {
        const at = ring + DESC_BYTES * i;
        const address = Number(memory.u64(at, true));
        return [address, memory.u32(at + 8, true), memory.u16(at + 12, true), memory.u16(at + 14, true)];
      });
      compared.push(['descriptors', descriptors, seen]);
    }
    if (event !== undefined && after.device_event !== undefined) {
      compared.push(['device event', after.device_event, Buffer.from(memory.view(event, 4)).toString('hex')]);
    }
    return compared;
  }

  /** Where in RAM `bytes` at an address of the driver's lie, if they do; the log reads them there. */
  #inRam(address: string, bytes: number): number | undefined {
    const [bus, ram] = this.#header.iommu;
    const shift = this.#test.way === 'iommu' ? Number(ram) - Number(bus) : 0;
    const at = Number(address) + shift;
    return at >= 0 && at + bytes <= this.#header.ram ? at : undefined;
  }

  /** The log writes down what the driver wrote; bit 30 in a legacy write makes QEMU take its safe set instead. */
  #acceptedByLog(): bigint {
    const written = BigInt(this.#test.accepted);
    const safe = this.#legacy && (written & (1n << BigInt(abi.VIRTIO_F_BAD_FEATURE))) !== 0n;
    return safe ? this.#stand.device.badFeatures & BigInt(this.#test.offered) : written;
  }

  #mapWindow(): void {
    const [bus, ram, pages] = this.#header.iommu;
    if (this.#test.way === 'iommu') this.#stand.mapPages(Number(bus), Number(ram), pages, BOTH);
  }

  #changeWindow(): void {
    const { change } = this.#unwritten;
    if (change === undefined) return;
    const [bus, ram] = this.#header.iommu;
    const { page, pages, to, permission } = change;
    this.#stand.mapPages(Number(bus) + page, Number(ram) + to, pages, permission);
  }

  #setUp(): void {
    const test = this.#test;
    const stand = this.#stand;
    const legacy = this.#legacy;
    const registers = test.registers;
    stand.setStatus(legacy, 0);
    stand.setStatus(legacy, abi.VIRTIO_CONFIG_S_ACKNOWLEDGE);
    stand.setStatus(legacy, abi.VIRTIO_CONFIG_S_ACKNOWLEDGE | abi.VIRTIO_CONFIG_S_DRIVER);
    if (legacy) {
      this.#offered = BigInt(stand.legacy(abi.VIRTIO_PCI_HOST_FEATURES, 4));
      stand.setLegacy(abi.VIRTIO_PCI_GUEST_FEATURES, 4, Number(test.accepted));
      stand.setLegacy(abi.VIRTIO_PCI_QUEUE_SEL, 2, test.queue);
      stand.setLegacy(abi.VIRTIO_PCI_QUEUE_PFN, 4, Number(BigInt(registers.desc) >> 12n));
    } else {
      this.#offered = stand.modernFeatures();
      stand.acceptModern(BigInt(test.accepted));
      stand.setStatus(legacy, FEATURES_OK);
      const rings = {
        size: registers.size,
        desc: BigInt(registers.desc),
        avail: BigInt(registers.avail),
        used: BigInt(registers.used),
      };
      stand.setModernQueue(test.queue, rings, this.#unwritten.queue !== 'left');
    }
    if ((test.status_before & abi.VIRTIO_CONFIG_S_DRIVER_OK) !== 0) {
      stand.setStatus(legacy, legacy ? DRIVER_OK_LEGACY : FEATURES_OK | abi.VIRTIO_CONFIG_S_DRIVER_OK);
    }
    if (this.#unwritten.queue === 'reset') {
      stand.common(abi.VIRTIO_PCI_COMMON_Q_SELECT, 2, test.queue);
      stand.common(abi.VIRTIO_PCI_COMMON_Q_RESET, 2, 1);
    }
    stand.settle();
    if ((test.status_before & abi.VIRTIO_CONFIG_S_NEEDS_RESET) !== 0) this.#breakDevice();
  }

  /** Offers a head that does not exist, the one that the log names, then takes it back. */
  #breakDevice(): void {
    const { memory } = this.#stand;
    const avail = Number(this.#test.registers.avail);
    const [, head] = /Guest says index (\d+) is/.exec(this.#test.setup[0]?.[0] ?? '') ?? [];
    memory.setU16(avail + 4, Number(head), true);
    memory.setU16(avail + 2, 1, true);
    this.#stand.kick(this.#legacy, this.#test.queue);
    memory.setU16(avail + 4, 0, true);
  }

  /** A case that starts with a driver's index in memory was kicked for it before. */
  #replayEarlierKick(): void {
    if (this.#stand.device.broken) return;
    if (this.#test.packed) return;
    const avail = this.#inRam(this.#test.registers.avail, 4);
    if (avail === undefined) return;
    if (this.#stand.memory.u16(avail + 2, !this.#legacy) === 0) return;
    this.#stand.kick(this.#legacy, this.#test.queue);
    this.#stand.takeLog();
  }

  #received(): Case['peer_received'] {
    const { frame } = this.#stand;
    if (this.#test.peer_received === undefined) return undefined;
    if (frame === undefined) return null;
    if (!Array.isArray(this.#test.peer_received)) return Buffer.from(frame).toString('hex');
    const read = frame.subarray(0, PEER_BYTES);
    return [read.length, createHash('sha256').update(read).digest('hex')];
  }

  *#memoryDifferences(): Generator<Difference> {
    const { memory } = this.#stand;
    const [, start, watched] = this.#header.iommu;
    const expected = memoryOf([...this.#test.before, ...(this.#test.changed ?? [])], this.#header.ram);
    const pages = new Set([...memory.livePages(), ...expected.livePages()]);
    for (const page of [...pages].toSorted((a, b) => a - b)) {
      // The log watches the pages that the DMA window maps, and no others.
      if (page * PAGE < Number(start) || page * PAGE >= Number(start) + watched * PAGE) continue;
      const [left, right] = [expected.view(page * PAGE, PAGE), memory.view(page * PAGE, PAGE)];
      const at = left.findIndex((byte, i) => byte !== right[i]);
      if (at < 0) continue;
      const where = `memory at 0x${(page * PAGE + at).toString(16)}`;
      const hex = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(at, at + 16)).toString('hex');
      yield [where, hex(left), hex(right)];
    }
  }
}

function splitState(queue: Readonly<Record<string, number>>, ring: RingState | undefined): Compared[] {
  return [
    ['last-avail-idx', queue['last-avail-idx'], ring?.lastAvail],
    ['shadow-avail-idx', queue['shadow-avail-idx'], ring?.shadowAvail],
    ['used-idx', queue['used-idx'], ring?.usedIdx],
    ['inuse', queue['inuse'], ring === undefined ? undefined : ring.inUse >>> 0],
    ['vring-num', queue['vring-num'], ring?.size],
  ];
}

const DRIVER: Readonly<Record<Case['device'], string>> = {
  rng: 'rng',
  blk: 'blk',
  net: 'net',
  'net-tx': 'net',
};
const BACKEND: Readonly<Record<Case['device'], string>> = {
  rng: '',
  blk: 'drive=d,',
  net: 'netdev=n,mac=52:54:00:12:34:56,',
  'net-tx': 'netdev=n,mac=52:54:00:12:34:56,',
};
const FEATURES_OK =
  abi.VIRTIO_CONFIG_S_ACKNOWLEDGE | abi.VIRTIO_CONFIG_S_DRIVER | abi.VIRTIO_CONFIG_S_FEATURES_OK;
const DRIVER_OK_LEGACY =
  abi.VIRTIO_CONFIG_S_ACKNOWLEDGE | abi.VIRTIO_CONFIG_S_DRIVER | abi.VIRTIO_CONFIG_S_DRIVER_OK;

function shown(value: unknown): string {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : (JSON.stringify(value) ?? 'undefined');
}

function shownFrame(frame: Case['peer_received']): string {
  return frame === undefined ? 'not looked at' : shown(frame);
}
