import { PagedMemory } from '../../emu/memory/guest-memory.ts';
import * as abi from '../../emu/virtio/abi.ts';
import { UsageError } from '../options.ts';
import type { Conform, Tally } from './log.ts';
import { VirtioStand } from './virtio-stand.ts';

interface Header {
  readonly ram: number;
  readonly rings: number;
  readonly buffer: number;
  readonly iova: number;
}

interface Cell {
  readonly device: 'rng' | 'blk' | 'net' | 'net-tx';
  readonly mode: string;
  readonly iommu_platform: 'on' | 'off';
  readonly machine: string;
  readonly mapping: string;
  readonly cpu_order?: 'little' | 'big';
  readonly error?: readonly string[];
  readonly offered?: string;
  readonly accepted?: string;
  readonly status_features?: number;
  readonly queue_size?: number;
  readonly used_idx?: number;
  readonly used?: readonly (readonly [number, number])[];
  readonly isr?: number;
  readonly status?: number;
  readonly data_ok?: boolean;
  readonly broken?: boolean;
  readonly command?: number;
  readonly log?: readonly (readonly [string, number])[];
  readonly peer_received?: string | null;
}

const PAGE = 4096;
const RING_PAGES = 8;
const ALL_PAGES = 64;
const READ_ONLY = 1;
const BOTH = 3;
/** Offsets of a block request's data and status from its header. */
const DATA = 0x200;
const STATUS = 0x800;
const SECTOR = 5;
const SECTOR_BYTES = 512;
const RX_BYTES = 2048;
const RNG_BYTES = 32;
const NEXT = 1;
const WRITE = 2;
const CLEARED = 0xee;
/** What the agent sends, and what it is sent. */
const ADDRESSES = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x52, 0x54, 0x00, 0x00, 0xbe, 0xef, 0x88, 0xb5];
const FRAME: Uint8Array = Uint8Array.from({ length: 64 }, (_, i) => ADDRESSES[i] ?? i - ADDRESSES.length);

const MODES: Readonly<Record<string, string>> = {
  legacy: 'disable-modern=on,disable-legacy=off',
  'transitional/legacy': 'disable-modern=off,disable-legacy=off',
  'transitional/modern': 'disable-modern=off,disable-legacy=off',
  transitional: 'disable-modern=off,disable-legacy=off',
  modern: 'disable-modern=off,disable-legacy=on',
};

const DEVICES: Readonly<Record<Cell['device'], string>> = {
  rng: 'virtio-rng-pci,addr=1,rng=r',
  blk: 'virtio-blk-pci,addr=1,drive=d',
  net: 'virtio-net-pci,addr=1,netdev=n,mac=52:54:00:12:34:56,romfile=',
  'net-tx': 'virtio-net-pci,addr=1,netdev=n,mac=52:54:00:12:34:56,romfile=',
};

/** The 216 cells: one real request for each device, mode, IOMMU setting, machine and mapping. */
export const conformMatrix: Conform = async (lines, tally) => {
  let header: Header | undefined;
  let line = 0;
  for await (const text of lines) {
    line++;
    const parsed = JSON.parse(text) as Header | Cell;
    if (!('mapping' in parsed)) {
      header = parsed;
      continue;
    }
    if (header === undefined) throw new UsageError('a matrix log begins with its configuration');
    tally.judged();
    judge(line, parsed, header, tally);
  }
};

function judge(line: number, cell: Cell, header: Header, tally: Tally): void {
  const mode = MODES[cell.mode];
  if (mode === undefined) throw new UsageError(`mode ${cell.mode} is not known`);
  const device = `${DEVICES[cell.device]},ioeventfd=off,${mode},iommu_platform=${cell.iommu_platform}`;
  const name = [cell.device, cell.mode, `iommu ${cell.iommu_platform}`, cell.machine, cell.mapping].join(' ');
  const memory = new PagedMemory(header.ram);
  const order = cell.cpu_order ?? 'big';
  const made = VirtioStand.make(
    { machine: cell.machine, device, ramBytes: header.ram, seed: 1, order },
    memory,
  );
  const told = made.accepted
    ? []
    : [refusal(device, made.reason), ...(made.hint === undefined ? [] : [made.hint])];
  if (cell.error !== undefined || !made.accepted) {
    const [left, right] = [JSON.stringify(cell.error ?? []), JSON.stringify(told)];
    if (left !== right) tally.mismatch(line, `${name}: refusal`, left, right);
    return;
  }
  const run = new Run(cell, header, made.value);
  run.play();
  for (const [what, expected, actual] of run.results()) {
    const [left, right] = [JSON.stringify(expected), JSON.stringify(actual)];
    if (left !== right) tally.mismatch(line, `${name}: ${what}`, left, right);
  }
}

function refusal(device: string, reason: string): string {
  return `QEMU did not start: qemu-system-ppc64: -device ${device}: ${reason}`;
}

class Run {
  readonly #cell: Cell;
  readonly #header: Header;
  readonly #stand: VirtioStand;
  readonly #legacy: boolean;
  readonly #queue: number;
  /** Rings are little-endian but for a big-endian driver of the legacy interface. */
  readonly #little: boolean;
  /** What the driver adds to RAM addresses. */
  readonly #shift: number;
  #size = 0;
  #offered = 0;
  #offeredHigh = 0;
  #statusFeatures = 0;

  constructor(cell: Cell, header: Header, stand: VirtioStand) {
    this.#cell = cell;
    this.#header = header;
    this.#stand = stand;
    this.#legacy = cell.mode.endsWith('legacy');
    this.#queue = cell.device === 'net-tx' ? 1 : 0;
    this.#little = !this.#legacy || cell.cpu_order === 'little';
    // Only `phys` uses RAM addresses where translation is offered; without it `iova` uses addresses beyond RAM.
    const translated = cell.mapping !== 'phys';
    this.#shift = translated ? header.iova - header.rings : 0;
  }

  play(): void {
    const stand = this.#stand;
    const { mapping } = this.#cell;
    // Never switched on; the device's reset takes back that this disabled it.
    if (mapping === 'no-bus-master') stand.setMaster(false);
    if (mapping !== 'mapped-after-enable') this.#map();
    this.#negotiate();
    this.#writeRequest();
    this.#setQueue();
    if (mapping === 'mapped-after-enable') this.#map();
    stand.setStatus(this.#legacy, this.#legacy ? 7 : 15);
    stand.settle();
    stand.memory.setU16(this.#header.rings + DESC_BYTES * this.#size + 2, 1, this.#little);
    stand.kick(this.#legacy, this.#queue);
    if (this.#cell.device === 'net') stand.receive(FRAME);
  }

  *results(): Generator<readonly [string, unknown, unknown]> {
    const { device } = this.#stand;
    const cell = this.#cell;
    // Reading registers says nothing, but the log is taken first all the same: reading the ISR clears it.
    yield ['log', cell.log, this.#stand.takeLog()];
    yield ['offered', cell.offered, hex64(this.#offeredHigh, this.#offered)];
    yield ['status after FEATURES_OK', cell.status_features, this.#statusFeatures];
    yield ['queue size', cell.queue_size, this.#size];
    yield ['used index', cell.used_idx, this.#usedIdx()];
    yield ['used', cell.used, this.#used()];
    yield ['broken', cell.broken, device.broken];
    yield ['ISR', cell.isr, device.isr];
    yield ['status', cell.status, this.#stand.status(this.#legacy)];
    yield ['command', cell.command, this.#stand.command];
    yield ['data', cell.data_ok, this.#dataIsRight()];
    if (cell.peer_received !== undefined)
      yield ['frame that the peer got', cell.peer_received, this.#received()];
  }

  #map(): void {
    const { mapping, iommu_platform: platform } = this.#cell;
    if (platform === 'off' || mapping === 'nothing-mapped') return;
    const { iova, rings, buffer } = this.#header;
    const bufferAt = iova + buffer - rings;
    this.#stand.mapPages(iova, rings, ALL_PAGES, BOTH);
    if (mapping === 'buffer-unmapped') this.#stand.mapPages(bufferAt, buffer, 1, 0);
    if (mapping === 'buffer-read-only') this.#stand.mapPages(bufferAt, buffer, 1, READ_ONLY);
    if (mapping === 'rings-unmapped') this.#stand.mapPages(iova, rings, RING_PAGES, 0);
  }

  #negotiate(): void {
    const stand = this.#stand;
    const legacy = this.#legacy;
    for (const status of [0, 1, 3]) stand.setStatus(legacy, status);
    // The log tells what was written; it is the driver's own doing.
    const accepted = BigInt(this.#cell.accepted ?? '0');
    if (legacy) {
      this.#offered = stand.legacy(abi.VIRTIO_PCI_HOST_FEATURES, 4);
      stand.setLegacy(abi.VIRTIO_PCI_GUEST_FEATURES, 4, Number(accepted));
      stand.setLegacy(abi.VIRTIO_PCI_QUEUE_SEL, 2, this.#queue);
      this.#size = stand.legacy(abi.VIRTIO_PCI_QUEUE_NUM, 2);
    } else {
      const offered = stand.modernFeatures();
      this.#offered = Number(offered & 0xffffffffn);
      this.#offeredHigh = Number(offered >> 32n);
      stand.acceptModern(accepted);
      stand.setStatus(legacy, 11);
      stand.common(abi.VIRTIO_PCI_COMMON_Q_SELECT, 2, this.#queue);
      this.#size = stand.modern(abi.VIRTIO_PCI_COMMON_Q_SIZE, 2);
    }
    this.#statusFeatures = stand.status(legacy);
  }

  #setQueue(): void {
    const desc = this.#header.rings + this.#shift;
    const avail = desc + DESC_BYTES * this.#size;
    if (this.#legacy) {
      this.#stand.setLegacy(abi.VIRTIO_PCI_QUEUE_PFN, 4, desc / PAGE);
      return;
    }
    const rings = {
      size: this.#size,
      desc: BigInt(desc),
      avail: BigInt(avail),
      used: BigInt(this.#usedAt() + this.#shift),
    };
    this.#stand.setModernQueue(this.#queue, rings, true);
  }

  #writeRequest(): void {
    const { memory } = this.#stand;
    const { buffer } = this.#header;
    const at = buffer + this.#shift;
    const header = this.#headerBytes();
    switch (this.#cell.device) {
      case 'rng':
        this.#describe(0, at, RNG_BYTES, WRITE, 0);
        return;
      case 'blk':
        memory.setU32(buffer, 0, this.#little);
        memory.setU64(buffer + 8, BigInt(SECTOR), this.#little);
        memory.setU8(buffer + STATUS, CLEARED);
        this.#describe(0, at, DESC_BYTES, NEXT, 1);
        this.#describe(1, at + DATA, SECTOR_BYTES, NEXT | WRITE, 2);
        this.#describe(2, at + STATUS, 1, WRITE, 0);
        return;
      case 'net':
        this.#describe(0, at, RX_BYTES, WRITE, 0);
        return;
      default:
        memory.write(buffer + header, FRAME, 0, FRAME.length);
        this.#describe(0, at, header + FRAME.length, 0, 0);
    }
  }

  #describe(index: number, address: number, length: number, flags: number, next: number): void {
    const { memory } = this.#stand;
    const at = this.#header.rings + DESC_BYTES * index;
    memory.setU64(at, BigInt(address), this.#little);
    memory.setU32(at + 8, length, this.#little);
    memory.setU16(at + 12, flags, this.#little);
    memory.setU16(at + 14, next, this.#little);
  }

  /** A legacy driver here never gets mergeable buffers: it accepts bit 30, and with it the safe set. */
  #headerBytes(): number {
    return this.#legacy ? 10 : 12;
  }

  #usedAt(): number {
    const end = this.#header.rings + DESC_BYTES * this.#size + 4 + 2 * this.#size;
    return Math.ceil(end / PAGE) * PAGE;
  }

  #usedIdx(): number {
    return this.#stand.memory.u16(this.#usedAt() + 2, this.#little);
  }

  #used(): number[][] {
    const { memory } = this.#stand;
    const entries: number[][] = [];
    for (let i = 0; i < this.#usedIdx(); i++) {
      const at = this.#usedAt() + 4 + 8 * i;
      entries.push([memory.u32(at, this.#little), memory.u32(at + 4, this.#little)]);
    }
    return entries;
  }

  #dataIsRight(): boolean {
    const { memory, frame } = this.#stand;
    const { buffer } = this.#header;
    switch (this.#cell.device) {
      case 'rng':
        return memory.view(buffer, RNG_BYTES).some((byte) => byte !== 0);
      case 'blk': {
        const data = memory.view(buffer + DATA, SECTOR_BYTES);
        return (
          memory.u8(buffer + STATUS) === 0 && data.every((byte, i) => byte === ((7 * SECTOR + 13 * i) & 255))
        );
      }
      case 'net': {
        const at = buffer + this.#headerBytes();
        return memory.view(at, FRAME.length).every((byte, i) => byte === FRAME[i]);
      }
      default:
        return frame !== undefined && Buffer.from(frame).equals(Buffer.from(FRAME));
    }
  }

  #received(): string | null {
    const { frame } = this.#stand;
    return frame === undefined ? null : Buffer.from(frame).toString('hex');
  }
}

const DESC_BYTES = 16;

function hex64(high: number, low: number): string {
  return `0x${((BigInt(high) << 32n) | BigInt(low)).toString(16)}`;
}
