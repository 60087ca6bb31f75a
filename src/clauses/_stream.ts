import { KIND, MachineEvent, type EventName, type Tap } from '../emu/core/tap.ts';

const RTAS_READ_CONFIG = 0x2016;
const RTAS_WRITE_CONFIG = 0x2017;
const RTAS_QUERY_SOURCE = 0x2018;
const TWO_32 = 2 ** 32;
const VERSION_1 = 32;
const ACCESS_PLATFORM = 33;
const RING_PACKED = 34;
const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;

/** Where things are: addresses that no two queues share. */
const MSIX_BASE = 0x8000_0000;
/** The same for the CPU. */
const MSIX_WINDOW = 0x2000_8000_0000;
const BAR_BASE = 0x2100_0000_0000;
const PORT_BASE = 0x1000;
const RINGS = 0x10_0000;
const RING_STRIDE = 0x1_0000;
const BUFFERS = 0x100_0000;
const TABLES = 0x80_0000;
const SOURCE_BASE = 0x1300;
const LINE = 0x1201;

/** Device ids by type name: [type, transitional id]. */
const TYPES = {
  net: [1, 0x1000],
  blk: [2, 0x1001],
  console: [3, 0x1003],
  rng: [4, 0x1005],
  balloon: [5, 0x1002],
  scsi: [8, 0x1004],
} as const;

type StreamDevice = keyof typeof TYPES;

export interface StreamOptions {
  /** blk unless told. */
  readonly device?: StreamDevice;
  /** `modern` (modern-only) unless told; `transitional` is driven through the modern registers, `legacy` through ports. */
  readonly mode?: 'modern' | 'transitional' | 'legacy';
  /** Feature bits that the device offers, beside VERSION_1 where it is not legacy. */
  readonly offers?: readonly number[];
  /** Bits that the driver accepts; all that is offered unless told. */
  readonly accepts?: readonly number[];
  /** Entries of every queue; 8 unless told. */
  readonly size?: number;
  /** Queues that `setUp` sets up; 1 unless told. */
  readonly queues?: number;
  /** MSI-X instead of INTx: vector 0 for configuration, 1 + n for queue n. */
  readonly msix?: boolean;
  /** The device configuration that reads answer; zeros behind it. */
  readonly config?: readonly number[];
  /** Byte order of the CPU: little unless told. */
  readonly bigEndian?: boolean;
}

/** What a driver offers: bytes to read, or a number of bytes to write. */
export type Part = readonly number[] | number;

interface Ring {
  readonly index: number;
  size: number;
  descriptors: number;
  driver: number;
  device: number;
  nextDescriptor: number;
  available: number;
  taken: number;
  used: number;
  /** Packed: the next slots and wrap counters of both sides. */
  at: number;
  wrap: boolean;
  takenAt: number;
  usedAt: number;
  usedWrap: boolean;
  /** Offers by head or id. */
  readonly offers: Map<number, Offer>;
  /** Heads not taken yet, in order. */
  readonly waiting: number[];
}

interface Offer {
  readonly id: number;
  readonly parts: readonly {
    readonly address: number;
    readonly bytes: readonly number[];
    readonly length: number;
    readonly write: boolean;
  }[];
  /** Slot of the first descriptor, and how many the ring itself has. */
  readonly first: number;
  readonly links: number;
  /** Guest address of the indirect table, 0 without. */
  readonly table: number;
}

/**
 * A driver and a device made of nothing but their events, for situations that ours never produce and misbehaviour that
 * neither would show. Every call emits the events that a real pair would; nothing is checked. All numbers are the
 * specification's own, written again.
 */
export class Stream {
  readonly options: Required<StreamOptions>;
  readonly #tap: Tap;
  readonly #event: MachineEvent = new MachineEvent();
  readonly #config: Uint8Array = new Uint8Array(256);
  readonly #rings: Ring[] = [];
  #buffer = BUFFERS;
  #table = TABLES;
  #status = 0;

  constructor(tap: Tap, options: StreamOptions = {}) {
    const { device = 'blk', mode = 'modern', offers = [] } = options;
    const all = mode === 'legacy' ? offers : [...new Set([...offers, VERSION_1])];
    this.options = {
      device,
      mode,
      offers: all,
      accepts: options.accepts ?? all,
      size: options.size ?? 8,
      queues: options.queues ?? 1,
      msix: options.msix ?? false,
      config: options.config ?? [],
      bigEndian: options.bigEndian ?? false,
    };
    this.#tap = tap;
    this.#fillConfig();
  }

  get legacy(): boolean {
    return this.options.mode === 'legacy';
  }

  get #little(): boolean {
    return !this.legacy || !this.options.bigEndian;
  }

  get packed(): boolean {
    return this.options.accepts.includes(RING_PACKED) && !this.legacy;
  }

  // --- Events ------------------------------------------------------------------------------------------------------

  /** Any event, by its fields and bytes: what the helpers below do not say. */
  emit(
    name: EventName,
    fields: readonly (number | bigint)[],
    bytes: readonly number[] | Uint8Array = [],
  ): void {
    const event = this.#event;
    event.kind = KIND[name];
    event.fields.fill(0n);
    fields.forEach((value, index) => {
      event.fields[index] = BigInt.asUintN(64, BigInt(value));
    });
    event.carry(Uint8Array.from(bytes), 0, bytes.length);
    this.#tap.take(event);
  }

  // --- PCI -----------------------------------------------------------------------------------------------------------

  #fillConfig(): void {
    const { device, mode, msix } = this.options;
    const [type, transitional] = TYPES[device];
    const view = new DataView(this.#config.buffer);
    view.setUint16(0, 0x1af4, true);
    view.setUint16(2, mode === 'modern' ? 0x1040 + type : transitional, true);
    view.setUint16(4, 7, true);
    view.setUint16(6, 0x10, true);
    view.setUint8(8, mode === 'modern' ? 1 : 0);
    view.setUint16(0x2c, 0x1af4, true);
    view.setUint16(0x2e, mode === 'modern' ? 0x1100 : type, true);
    if (mode !== 'modern') view.setUint32(0x10, PORT_BASE | 1, true);
    view.setUint32(0x14, MSIX_BASE, true);
    view.setUint32(0x20, (BAR_BASE % TWO_32) | 0xc, true);
    view.setUint32(0x24, Math.floor(BAR_BASE / TWO_32), true);
    view.setUint8(0x3d, 1);
    // MSI-X 0x40; PCI_CFG 0x4c; notify 0x60; device 0x74; ISR 0x84; common 0x94.
    view.setUint8(0x34, mode === 'legacy' ? 0x40 : 0x94);
    const capability = (
      at: number,
      next: number,
      length: number,
      kind: number,
      offset: number,
      bytes: number,
    ): void => {
      view.setUint32(at, 9 | (next << 8) | (length << 16) | (kind << 24), true);
      view.setUint8(at + 4, kind === 5 ? 0 : 4);
      view.setUint32(at + 8, offset, true);
      view.setUint32(at + 12, bytes, true);
    };
    if (mode !== 'legacy') {
      capability(0x94, 0x84, 16, 1, 0, 0x1000);
      capability(0x84, 0x74, 16, 3, 0x1000, 0x1000);
      capability(0x74, 0x60, 16, 4, 0x2000, 0x1000);
      capability(0x60, 0x4c, 20, 2, 0x3000, 0x1000);
      view.setUint32(0x70, 4, true);
      capability(0x4c, 0x40, 20, 5, 0, 0);
    }
    view.setUint16(0x40, 0x11, true);
    view.setUint16(0x42, 7 | (msix ? 0x8000 : 0), true);
    view.setUint32(0x44, 1, true);
    view.setUint32(0x48, 0x801, true);
  }

  /** What configuration space answers from now on: for functions that are not as they should be. */
  setConfigByte(offset: number, ...bytes: readonly number[]): this {
    this.#config.set(bytes, offset);
    return this;
  }

  /** The driver reads configuration space; the answer is as the function stands unless given. */
  configRead(offset: number, width: 1 | 2 | 4, value: number = this.#configValue(offset, width)): void {
    this.#rtas(RTAS_READ_CONFIG, [this.#configAddress(offset), 0, 0, width], [0, value]);
  }

  configWrite(offset: number, width: 1 | 2 | 4, value: number): void {
    for (let i = 0; i < width; i++) this.#config[offset + i] = Math.floor(value / 2 ** (8 * i)) & 0xff;
    this.#rtas(RTAS_WRITE_CONFIG, [this.#configAddress(offset), 0, 0, width, value], [0]);
  }

  #configAddress(offset: number): number {
    return ((offset & 0xf00) << 20) | (this.requester << 8) | (offset & 0xff);
  }

  #configValue(offset: number, width: number): number {
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + (this.#config[offset + i] ?? 0);
    return value;
  }

  #rtas(token: number, args: readonly number[], results: readonly number[]): void {
    this.emit('rtas', [token, args.length, results.length, ...args]);
    this.emit('rtas-return', [results.length, ...results]);
  }

  readonly requester: number = 8;

  /** Reads all that a driver needs to know: identity, BARs, every capability, the sources of vectors. */
  probe(): this {
    this.emit('cpu-mode', [0, this.options.bigEndian ? 0 : 1]);
    for (let offset = 0; offset < 0x100; offset += 4) this.configRead(offset, 4);
    if (this.options.msix) {
      for (let vector = 0; vector < 8; vector++) {
        this.#rtas(RTAS_QUERY_SOURCE, [this.requester << 8, 0, 0, vector], [0, SOURCE_BASE + vector, 1]);
      }
    }
    return this;
  }

  // --- Registers -----------------------------------------------------------------------------------------------------

  #address(region: 'common' | 'isr' | 'device' | 'notify' | 'legacy' | 'msix', offset: number): number {
    if (region === 'legacy') return PORT_BASE + offset;
    if (region === 'msix') return MSIX_WINDOW + offset;
    return BAR_BASE + { common: 0, isr: 0x1000, device: 0x2000, notify: 0x3000 }[region] + offset;
  }

  read(
    region: 'common' | 'isr' | 'device' | 'notify' | 'legacy' | 'msix',
    offset: number,
    width: number,
    value: number | bigint,
  ): void {
    this.emit(region === 'legacy' ? 'pio-read' : 'mmio-read', [this.#address(region, offset), width, 0]);
    this.emit('read-value', [value]);
  }

  write(
    region: 'common' | 'isr' | 'device' | 'notify' | 'legacy' | 'msix',
    offset: number,
    width: number,
    value: number | bigint,
  ): void {
    this.emit(region === 'legacy' ? 'pio-write' : 'mmio-write', [
      this.#address(region, offset),
      width,
      0,
      value,
    ]);
  }

  /** The driver writes status. */
  status(value: number): this {
    this.#status = value;
    if (this.legacy) this.write('legacy', 18, 1, value);
    else this.write('common', 0x14, 1, value);
    if (value === 0) this.#rings.length = 0;
    return this;
  }

  /** The driver reads status; the device answers what was written unless told. */
  readStatus(value: number = this.#status): this {
    this.#status = value;
    if (this.legacy) this.read('legacy', 18, 1, value);
    else this.read('common', 0x14, 1, value);
    return this;
  }

  reset(): this {
    return this.status(0).readStatus(0);
  }

  /** The driver reads one word of the offer. */
  readFeatures(word: number, value: number = wordOf(this.options.offers, word)): void {
    if (this.legacy) {
      this.read('legacy', 0, 4, value);
      return;
    }
    this.write('common', 0, 4, word);
    this.read('common', 4, 4, value);
  }

  writeFeatures(word: number, value: number = wordOf(this.options.accepts, word)): void {
    if (this.legacy) {
      this.write('legacy', 4, 4, value);
      return;
    }
    this.write('common', 8, 4, word);
    this.write('common', 12, 4, value);
  }

  /** Offer read, features accepted; FEATURES_OK set and seen to stand. The driver stands at DRIVER. */
  negotiate(): this {
    const words = this.legacy ? 1 : 2;
    for (let word = 0; word < words; word++) this.readFeatures(word);
    for (let word = 0; word < words; word++) this.writeFeatures(word);
    if (!this.legacy) this.status(this.#status | 8).readStatus();
    return this;
  }

  /** From nothing (or a reset) to the place where queues are set up. */
  begin(): this {
    this.reset().status(1).status(3);
    return this.negotiate();
  }

  /** One queue: size read, areas written, vector set, enabled. */
  enableQueue(index: number, size: number = this.options.size): this {
    const ring = this.#ring(index, size);
    const bytes = new Uint8Array(RING_STRIDE / 2);
    this.emit('guest-write', [ring.descriptors], bytes);
    if (this.legacy) {
      this.write('legacy', 14, 2, index);
      this.read('legacy', 12, 2, size);
      this.write('legacy', 8, 4, ring.descriptors / 4096);
      if (this.options.msix) {
        this.write('legacy', 22, 2, index + 1);
        this.read('legacy', 22, 2, index + 1);
      }
      return this;
    }
    this.write('common', 0x16, 2, index);
    this.read('common', 0x18, 2, size);
    this.read('common', 0x1e, 2, index);
    this.write('common', 0x18, 2, size);
    const areas = [ring.descriptors, ring.driver, ring.device];
    areas.forEach((address, i) => {
      this.write('common', 0x20 + 8 * i, 4, address % TWO_32);
      this.write('common', 0x24 + 8 * i, 4, Math.floor(address / TWO_32));
    });
    if (this.options.msix) {
      this.write('common', 0x1a, 2, index + 1);
      this.read('common', 0x1a, 2, index + 1);
    }
    this.write('common', 0x1c, 2, 1);
    return this;
  }

  #ring(index: number, size: number): Ring {
    const base = RINGS + RING_STRIDE * index;
    const available = base + 16 * size;
    const ring: Ring = {
      index,
      size,
      descriptors: base,
      driver: available,
      device: this.legacy ? Math.ceil((available + 6 + 2 * size) / 4096) * 4096 : base + RING_STRIDE / 4,
      nextDescriptor: 0,
      available: 0,
      taken: 0,
      used: 0,
      at: 0,
      wrap: true,
      takenAt: 0,
      usedAt: 0,
      usedWrap: true,
      offers: new Map(),
      waiting: [],
    };
    this.#rings[index] = ring;
    return ring;
  }

  /** Everything from the first look to DRIVER_OK. */
  setUp(): this {
    this.probe().begin();
    if (this.options.msix && !this.legacy) {
      this.write('common', 0x10, 2, 0);
      this.read('common', 0x10, 2, 0);
    }
    for (let index = 0; index < this.options.queues; index++) this.enableQueue(index);
    return this.status(this.#status | 4).readStatus();
  }

  /** The driver reads device configuration; the device answers `options.config` unless told. */
  readConfig(offset: number, width: 1 | 2 | 4, value?: number): this {
    let answer = 0;
    for (let i = width - 1; i >= 0; i--) answer = answer * 256 + (this.options.config[offset + i] ?? 0);
    const at = this.legacy ? offset + (this.options.msix ? 24 : 20) : offset;
    this.read(this.legacy ? 'legacy' : 'device', at, width, value ?? answer);
    return this;
  }

  writeConfig(offset: number, width: 1 | 2 | 4, value: number): this {
    const at = this.legacy ? offset + (this.options.msix ? 24 : 20) : offset;
    this.write(this.legacy ? 'legacy' : 'device', at, width, value);
    return this;
  }

  /** The driver reads config_generation. */
  readGeneration(value: number): this {
    this.read('common', 0x15, 1, value);
    return this;
  }

  // --- Rings: the driver ---------------------------------------------------------------------------------------------

  /** Where things of a queue are: guest addresses, which are the device's too without an IOMMU. */
  ring(
    index: number,
  ): Readonly<Pick<Ring, 'size' | 'descriptors' | 'driver' | 'device' | 'available' | 'used' | 'usedAt'>> {
    return this.#at(index);
  }

  #at(index: number): Ring {
    const ring = this.#rings[index];
    if (ring === undefined) throw new Error(`queue ${index} is not set up`);
    return ring;
  }

  /** The driver stores bytes into its memory. */
  store(address: number, bytes: readonly number[]): void {
    this.emit('guest-write', [address], bytes);
  }

  store16(address: number, value: number): void {
    this.store(address, le16(value, this.#little));
  }

  /** A split descriptor, or a packed one (whose two last fields are id and flags). */
  storeDescriptor(
    queue: number,
    slot: number,
    address: number,
    length: number,
    flags: number,
    next: number,
  ): void {
    this.store(this.#at(queue).descriptors + 16 * slot, this.#descriptor(address, length, flags, next));
  }

  #descriptor(address: number, length: number, flags: number, next: number): number[] {
    const little = this.#little;
    const high = le32(Math.floor(address / TWO_32), little);
    const low = le32(address % TWO_32, little);
    const first = little ? [...low, ...high] : [...high, ...low];
    const tail = this.packed
      ? [...le16(next, true), ...le16(flags, true)]
      : [...le16(flags, little), ...le16(next, little)];
    return [...first, ...le32(length, little), ...tail];
  }

  /** The driver makes a chain available: arrays are bytes for the device to read, numbers bytes for it to write. */
  publish(queue: number, parts: readonly Part[], how: { readonly indirect?: boolean } = {}): number {
    const ring = this.#at(queue);
    const made = parts.map((part) => this.#part(part));
    const indirect = how.indirect === true;
    const table = indirect ? this.#table : 0;
    if (indirect) {
      this.#table += 0x1000;
      made.forEach((part, i) => {
        const more = !this.packed && i + 1 < made.length ? NEXT : 0;
        this.store(
          table + 16 * i,
          this.#descriptor(
            part.address,
            part.length,
            (part.write ? WRITE : 0) | more,
            more === 0 ? 0 : i + 1,
          ),
        );
      });
    }
    const inRing = indirect
      ? [{ address: table, length: 16 * made.length, write: false, flags: INDIRECT }]
      : made.map((part) => ({ ...part, flags: 0 }));
    const id = this.packed ? this.#publishPacked(ring, inRing) : this.#publishSplit(ring, inRing);
    ring.offers.set(id, {
      id,
      parts: made,
      first: this.packed ? (ring.at + ring.size - inRing.length) % ring.size : id,
      links: inRing.length,
      table,
    });
    ring.waiting.push(id);
    return id;
  }

  #part(part: Part): Offer['parts'][number] {
    const address = this.#buffer;
    const length = typeof part === 'number' ? part : part.length;
    this.#buffer += Math.ceil((length + 1) / 0x1000) * 0x1000;
    if (typeof part === 'number') return { address, bytes: [], length, write: true };
    this.store(address, part);
    return { address, bytes: part, length, write: false };
  }

  #publishSplit(
    ring: Ring,
    parts: readonly {
      readonly address: number;
      readonly length: number;
      readonly write: boolean;
      readonly flags: number;
    }[],
  ): number {
    const head = ring.nextDescriptor;
    parts.forEach((part, i) => {
      const slot = (head + i) % ring.size;
      const more = i + 1 < parts.length ? NEXT : 0;
      this.storeDescriptor(
        ring.index,
        slot,
        part.address,
        part.length,
        part.flags | (part.write ? WRITE : 0) | more,
        (slot + 1) % ring.size,
      );
    });
    ring.nextDescriptor = (head + parts.length) % ring.size;
    this.makeAvailable(ring.index, head);
    return head;
  }

  /** A head into the available ring, and the index moved on. */
  makeAvailable(queue: number, head: number): void {
    const ring = this.#at(queue);
    this.store16(ring.driver + 4 + 2 * (ring.available % ring.size), head);
    ring.available = (ring.available + 1) & 0xffff;
    this.store16(ring.driver + 2, ring.available);
  }

  #publishPacked(
    ring: Ring,
    parts: readonly {
      readonly address: number;
      readonly length: number;
      readonly write: boolean;
      readonly flags: number;
    }[],
  ): number {
    const first = ring.at;
    const id = ring.nextDescriptor;
    ring.nextDescriptor = (id + 1) % ring.size;
    const stores: (() => void)[] = [];
    parts.forEach((part, i) => {
      const slot = (first + i) % ring.size;
      const wrap = first + i >= ring.size ? !ring.wrap : ring.wrap;
      const turn = wrap ? 0x80 : 0x8000;
      const more = i + 1 < parts.length ? NEXT : 0;
      const flags = part.flags | (part.write ? WRITE : 0) | more | turn;
      stores.push(() => this.storeDescriptor(ring.index, slot, part.address, part.length, flags, id));
    });
    // The first descriptor last, so that the chain appears whole.
    for (const storeOne of stores.slice(1)) storeOne();
    stores[0]?.();
    ring.at = first + parts.length;
    if (ring.at >= ring.size) {
      ring.at -= ring.size;
      ring.wrap = !ring.wrap;
    }
    return id;
  }

  /** The driver notifies; the value is the queue's number unless told. */
  notify(queue: number, value: number = queue, width = 2): this {
    if (this.legacy) this.write('legacy', 16, width, value);
    else this.write('notify', 4 * queue, width, value);
    return this;
  }

  // --- Rings: the device ---------------------------------------------------------------------------------------------

  dmaRead(address: number, bytes: readonly number[]): void {
    this.emit('dma-read', [this.requester, address], bytes);
  }

  dmaWrite(address: number, bytes: readonly number[]): void {
    this.emit('dma-write', [this.requester, address], bytes);
  }

  /** The device takes the oldest chain that it has not taken: reads index, slot, descriptors, and all readable bytes. */
  take(queue: number, how: { readonly readsRequest?: boolean } = {}): number {
    const ring = this.#at(queue);
    const id = ring.waiting.shift();
    const offer = id === undefined ? undefined : ring.offers.get(id);
    if (offer === undefined) throw new Error(`nothing is available on queue ${queue}`);
    if (this.packed) this.#takePacked(ring, offer);
    else this.#takeSplit(ring, offer);
    if (offer.table !== 0) {
      offer.parts.forEach((part, i) => {
        const more = !this.packed && i + 1 < offer.parts.length ? NEXT : 0;
        this.dmaRead(
          offer.table + 16 * i,
          this.#descriptor(
            part.address,
            part.length,
            (part.write ? WRITE : 0) | more,
            more === 0 ? 0 : i + 1,
          ),
        );
      });
    }
    if (how.readsRequest !== false) {
      for (const part of offer.parts)
        if (!part.write && part.length > 0) this.dmaRead(part.address, part.bytes);
    }
    return offer.id;
  }

  #takeSplit(ring: Ring, offer: Offer): void {
    const little = this.#little;
    this.dmaRead(ring.driver + 2, le16(ring.available, little));
    this.dmaRead(ring.driver + 4 + 2 * (ring.taken % ring.size), le16(offer.id, little));
    ring.taken = (ring.taken + 1) & 0xffff;
    for (let i = 0; i < offer.links; i++) {
      const slot = (offer.first + i) % ring.size;
      this.dmaRead(ring.descriptors + 16 * slot, this.#linkOf(offer, i, (slot + 1) % ring.size, 0));
    }
  }

  #linkOf(offer: Offer, i: number, next: number, turn: number): number[] {
    const more = i + 1 < offer.links ? NEXT : 0;
    if (offer.table !== 0)
      return this.#descriptor(offer.table, 16 * offer.parts.length, INDIRECT | turn, next);
    const part = offer.parts[i];
    return this.#descriptor(
      part?.address ?? 0,
      part?.length ?? 0,
      (part?.write === true ? WRITE : 0) | more | turn,
      next,
    );
  }

  #takePacked(ring: Ring, offer: Offer): void {
    for (let i = 0; i < offer.links; i++) {
      const slot = (ring.takenAt + i) % ring.size;
      const wrap = (ring.taken & 1) === 0 ? slot >= ring.takenAt : slot < ring.takenAt;
      this.dmaRead(ring.descriptors + 16 * slot, this.#linkOf(offer, i, offer.id, wrap ? 0x80 : 0x8000));
    }
    ring.takenAt += offer.links;
    if (ring.takenAt < ring.size) return;
    ring.takenAt -= ring.size;
    // `taken` counts laps here.
    ring.taken++;
  }

  /** The device writes bytes to the chain's writable parts, in order, and gives it back; the length is theirs unless told. */
  use(queue: number, id: number, bytes: readonly number[] = [], length: number = bytes.length): this {
    const offer = this.#at(queue).offers.get(id);
    let from = 0;
    for (const part of offer?.parts ?? []) {
      if (!part.write || from >= bytes.length) continue;
      this.dmaWrite(part.address, bytes.slice(from, from + part.length));
      from += part.length;
    }
    return this.giveBack(queue, id, length);
  }

  /** A used entry and nothing else, whether or not the id is under way. */
  giveBack(queue: number, id: number, length: number): this {
    const ring = this.#at(queue);
    const offer = ring.offers.get(id);
    ring.offers.delete(id);
    if (this.packed) {
      const flags = (ring.usedWrap ? 0x8080 : 0) | (length > 0 ? WRITE : 0);
      this.dmaWrite(ring.descriptors + 16 * ring.usedAt + 8, [
        ...le32(length, true),
        ...le16(id, true),
        ...le16(flags, true),
      ]);
      ring.usedAt += offer?.links ?? 1;
      if (ring.usedAt >= ring.size) {
        ring.usedAt -= ring.size;
        ring.usedWrap = !ring.usedWrap;
      }
      return this;
    }
    const little = this.#little;
    this.dmaWrite(ring.device + 4 + 8 * (ring.used % ring.size), [
      ...le32(id, little),
      ...le32(length, little),
    ]);
    ring.used = (ring.used + 1) & 0xffff;
    this.dmaWrite(ring.device + 2, le16(ring.used, little));
    return this;
  }

  /** A whole request as it should be: published, notified, taken, answered, told, and the interrupt acknowledged. */
  request(
    queue: number,
    parts: readonly Part[],
    response: readonly number[] = [],
    how: { readonly indirect?: boolean; readonly length?: number } = {},
  ): this {
    const id = this.publish(queue, parts, how);
    this.notify(queue);
    this.take(queue);
    this.use(queue, id, response, how.length ?? response.length);
    return this.interruptQueue(queue);
  }

  /** A used-buffer notification, in the way that is set up, and what the handler reads. */
  interruptQueue(queue: number): this {
    if (this.options.msix) this.emit('interrupt', [SOURCE_BASE + queue + 1, 2]);
    else {
      this.emit('interrupt', [LINE, 1]);
      this.readIsr(1);
    }
    return this;
  }

  interruptConfig(): this {
    if (this.options.msix) this.emit('interrupt', [SOURCE_BASE, 2]);
    else {
      this.emit('interrupt', [LINE, 1]);
      this.readIsr(2);
    }
    return this;
  }

  /** A message of any vector, or the line at a level. */
  message(vector: number): void {
    this.emit('interrupt', [SOURCE_BASE + vector, 2]);
  }

  line(level: 0 | 1): void {
    this.emit('interrupt', [LINE, level]);
  }

  /** The driver reads the ISR, which clears it and lowers the line. */
  readIsr(value: number): void {
    if (this.legacy) this.emit('pio-read', [PORT_BASE + 19, 1, 0]);
    else this.emit('mmio-read', [BAR_BASE + 0x1000, 1, 0]);
    if (value !== 0) this.line(0);
    this.emit('read-value', [value]);
  }

  /** The guest waits until nothing is due; the device has had its time when the next action comes. */
  idle(): this {
    this.emit('idle', []);
    this.emit('advance', [1]);
    return this;
  }

  hostInput(port: number, bytes: readonly number[]): void {
    this.emit('host-input', [port], bytes);
  }

  hostOutput(port: number, bytes: readonly number[]): void {
    this.emit('host-output', [port], bytes);
  }

  machineReset(): this {
    this.emit('machine-reset', []);
    this.#status = 0;
    this.#rings.length = 0;
    return this;
  }

  /** Maps guest pages for the device, one entry of the default window each (ACCESS_PLATFORM). */
  map(bus: number, guest: number, permission: 1 | 2 | 3 = 3): void {
    this.emit('hcall', [0x20, 0x8000_0000, bus, guest + permission]);
    this.emit('hcall-return', [0]);
  }

  unmap(bus: number): void {
    this.emit('hcall', [0x20, 0x8000_0000, bus, 0]);
    this.emit('hcall-return', [0]);
  }

  get translated(): boolean {
    return this.options.accepts.includes(ACCESS_PLATFORM);
  }
}

/** Bytes of a number: for requests and configurations. */
export function le16(value: number, little = true): number[] {
  const bytes = [value & 0xff, (value >>> 8) & 0xff];
  return little ? bytes : bytes.toReversed();
}

export function le32(value: number, little = true): number[] {
  const bytes = [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
  return little ? bytes : bytes.toReversed();
}

export function le64(value: bigint, little = true): number[] {
  const low = Number(value & 0xffff_ffffn);
  const high = Number(value >> 32n);
  return little ? [...le32(low), ...le32(high)] : [...le32(high, false), ...le32(low, false)];
}

function wordOf(bits: readonly number[], which: number): number {
  let value = 0;
  for (const bit of bits) if (bit >>> 5 === which) value |= 1 << (bit & 31);
  return value >>> 0;
}
