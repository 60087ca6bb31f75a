import { createHash } from 'node:crypto';
import { PagedMemory } from '../../emu/memory/guest-memory.ts';
import * as abi from '../../emu/virtio/abi.ts';
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
  readonly died?: string;
  readonly last_words?: readonly string[];
}

interface After {
  readonly isr: number;
  readonly status: number;
  readonly broken: boolean;
  readonly started: boolean;
  readonly used_idx: number;
  readonly used: readonly (readonly [number, number])[];
  readonly queue: Readonly<Record<string, number>>;
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

/**
 * What a case does to the DMA window once the device runs, which the log does not write down: pages from the window's
 * start, where they lead to from RAM's, and with what permission.
 */
const REMAPPED: Readonly<Record<string, { page: number; pages: number; to: number; permission: number }>> = {
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

/** Ends of QEMU that a guest can cause and this device does not share: it drops the access, or breaks, and lives on. */
const QEMU_DIES: readonly (readonly [RegExp, string])[] = [
  [/spapr_qirq: Assertion/, 'QEMU aborts: DMA of a number that is no interrupt into the MSI window'],
  [/iov_copy: Assertion/, 'QEMU aborts: transmit chain shorter than the frame header'],
  [/iov_from_buf_full: Assertion/, 'QEMU aborts: receive buffer shorter than the frame header'],
];

/** Every scripted ring against our device; packed rings are counted and not judged. */
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
    if (parsed.packed) tally.passOver('packed ring');
    else judge(line, parsed, header, tally);
  }
};

function judge(line: number, test: Case, header: Header, tally: Tally): void {
  const run = new Run(test, header);
  run.play();
  const ending = QEMU_DIES.find(([words]) => (test.last_words ?? []).some((said) => words.test(said)));
  if (test.died !== undefined) {
    if (ending === undefined) {
      tally.judged();
      tally.mismatch(line, `${test.case}: QEMU died`, (test.last_words ?? []).join('; '), 'the device lives');
    } else tally.passOver(ending[1]);
    return;
  }
  tally.judged();
  const name = `${test.case} (${test.device}, ${test.way})`;
  for (const [what, expected, actual] of run.differences()) {
    tally.mismatch(line, `${name}: ${what}`, expected, actual);
  }
}

class Run {
  readonly #test: Case;
  readonly #header: Header;
  readonly #stand: VirtioStand;
  readonly #legacy: boolean;
  #setupLog: Counted = [];
  #offered = 0n;
  #statusBefore = 0;

  constructor(test: Case, header: Header) {
    this.#test = test;
    this.#header = header;
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
    this.#remap();
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

  *differences(): Generator<readonly [string, string, string]> {
    const test = this.#test;
    const { device } = this.#stand;
    const after = test.after as After;
    const ring = device.queue(test.queue)?.ring;
    // Before registers are read: reading the ISR clears it, and what follows says nothing.
    const log = this.#stand.takeLog();
    const pairs: readonly (readonly [string, unknown, unknown])[] = [
      ['offered', BigInt(test.offered), this.#offered],
      ['accepted', this.#acceptedByLog(), device.guestFeatures],
      ['log of the set-up', test.setup, this.#setupLog],
      ['status before', test.status_before, this.#statusBefore],
      ['log', after.log, log],
      ['broken', after.broken, device.broken],
      ['started', after.started, device.started],
      ['status', after.status, this.#stand.status(this.#legacy)],
      ['ISR', after.isr, device.isr],
      ['last-avail-idx', after.queue['last-avail-idx'], ring?.lastAvail],
      ['shadow-avail-idx', after.queue['shadow-avail-idx'], ring?.shadowAvail],
      ['used-idx', after.queue['used-idx'], ring?.usedIdx],
      ['inuse', after.queue['inuse'], ring?.inUse],
      ['vring-num', after.queue['vring-num'], ring?.size],
      ['frame that the peer got', shownFrame(test.peer_received), shownFrame(this.#received())],
    ];
    for (const [what, expected, actual] of pairs) {
      const [left, right] = [shown(expected), shown(actual)];
      if (left !== right) yield [what, left, right];
    }
    yield* this.#memoryDifferences();
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

  #remap(): void {
    const change = REMAPPED[this.#test.case];
    if (change === undefined || this.#test.way !== 'iommu') return;
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
      stand.setModernQueue(test.queue, rings, test.case !== 'queue-not-enabled');
    }
    if (!test.case.startsWith('kick-before-driver-ok')) {
      stand.setStatus(legacy, legacy ? DRIVER_OK_LEGACY : FEATURES_OK | abi.VIRTIO_CONFIG_S_DRIVER_OK);
    }
    if (test.case === 'queue-reset-then-kick') {
      stand.common(abi.VIRTIO_PCI_COMMON_Q_SELECT, 2, test.queue);
      stand.common(abi.VIRTIO_PCI_COMMON_Q_RESET, 2, 1);
    }
    stand.settle();
    if (test.case === 'kick-after-needs-reset') this.#breakDevice();
  }

  /** Offers a head that does not exist, then takes it back. */
  #breakDevice(): void {
    const { memory } = this.#stand;
    const avail = Number(this.#test.registers.avail);
    memory.setU16(avail + 4, 255, true);
    memory.setU16(avail + 2, 1, true);
    this.#stand.kick(this.#legacy, this.#test.queue);
    memory.setU16(avail + 4, 0, true);
  }

  /** A case that starts with a driver's index in memory was kicked for it before. */
  #replayEarlierKick(): void {
    if (this.#stand.device.broken) return;
    const [bus, ram] = this.#header.iommu;
    const shift = this.#test.way === 'iommu' ? Number(ram) - Number(bus) : 0;
    const avail = Number(this.#test.registers.avail) + shift;
    if (avail < 0 || avail + 4 > this.#header.ram) return;
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

  *#memoryDifferences(): Generator<readonly [string, string, string]> {
    const { memory } = this.#stand;
    const [, start, watched] = this.#header.iommu;
    const expected = new PagedMemory(this.#header.ram);
    for (const [address, hex] of [...this.#test.before, ...(this.#test.changed ?? [])]) {
      const bytes = Buffer.from(hex, 'hex');
      expected.write(Number(address), bytes, 0, bytes.length);
    }
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
