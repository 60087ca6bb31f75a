import test from 'ava';
import fc from 'fast-check';
import { VirtioPciFunction } from '../virtio/pci-function.ts';
import type { MachineConfig } from './config.ts';
import { DEVICE_FAMILIES } from './device-types.ts';
import { Machine } from './machine.ts';
import { MONITOR_PORT } from './monitor.ts';

// Laws that hold for every row of the device table in every mode, whatever its driver does to it.

const MODERN_BAR = 0x2100_1000_0000;
const IO_BAR = 0x1000;
const IO_WINDOW = 0x2000_0000_0000;
const PCI_COMMAND = 4;
const PCI_BAR_0 = 0x10;
const RINGS = 0x20_0000;
const RING_STEP = 0x1_0000;
const BUFFERS = 0x28_0000;
const RINGS_END = 0x30_0000;
const PAGE = 0x1000;
const NEXT = 1;
const WRITE = 2;
const COMMON_STATUS = 0x14;
const NO_VECTOR = 0xffff;
/** Longest that a machine may go on by itself after one kick, in entries of its queue. */
const WORK_MAX = 20_000;

const MODES = [
  { name: 'legacy', options: 'disable-modern=on,disable-legacy=off' },
  { name: 'transitional', options: 'disable-modern=off,disable-legacy=off' },
  { name: 'modern', options: 'disable-modern=off,disable-legacy=on' },
  { name: 'modern with iommu_platform', options: 'disable-modern=off,disable-legacy=on,iommu_platform=on' },
];

/** What the rows need beside their name. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  'virtio-blk-pci': 'drive=d',
  'virtio-net-pci': 'netdev=n',
  'virtio-rng-pci': 'rng=e',
  'virtio-9p-pci': 'fsdev=f,mount_tag=t',
  'virtio-crypto-pci': 'cryptodev=c',
  'virtio-balloon-pci':
    'free-page-hint=on,iothread=t,free-page-reporting=on,guest-stats-polling-interval=1,id=b',
};

/** What is put on the bus that a row opens. */
const COMPANIONS: Readonly<Record<string, readonly string[]>> = {
  'virtio-scsi-pci': ['scsi-hd,drive=d', 'scsi-hd,drive=d,scsi-id=0,lun=1'],
  'virtio-serial-pci': ['virtconsole,chardev=c0', 'virtserialport,chardev=c1,name=p,id=p'],
};

const BACKENDS: MachineConfig['backends'] = [
  { kind: 'disk', id: 'd', sectors: 64, content: 'golden', readOnly: false },
  { kind: 'net', id: 'n', loopback: true },
  { kind: 'entropy', id: 'e' },
  { kind: 'chardev', id: 'c0', open: true },
  { kind: 'chardev', id: 'c1', open: true },
  { kind: 'iothread', id: 't' },
];

/** One act of a driver, drawn so that most of them mean something. */
type Act =
  | { readonly kind: 'register'; readonly offset: number; readonly width: 1 | 2 | 4; readonly value: number }
  | { readonly kind: 'ring'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'kick'; readonly queue: number }
  | { readonly kind: 'offer'; readonly queue: number; readonly out: number; readonly in: number }
  | { readonly kind: 'host'; readonly port: number; readonly bytes: Uint8Array }
  | { readonly kind: 'order'; readonly text: string }
  | { readonly kind: 'set up' }
  | { readonly kind: 'wait' };

/** What the host does to consoles and balloons. */
const ORDERS = [
  { execute: 'x-chardev', arguments: { id: 'c1', connected: false } },
  { execute: 'x-chardev', arguments: { id: 'c1', connected: true } },
  { execute: 'x-chardev', arguments: { id: 'c1', room: 5 } },
  { execute: 'x-chardev', arguments: { id: 'c1', room: -1 } },
  { execute: 'device_add', arguments: { driver: 'virtserialport', id: 'q' } },
  { execute: 'device_del', arguments: { id: 'q' } },
  { execute: 'balloon', arguments: { value: 0x0800_0000 } },
  { execute: 'x-free-page-hint', arguments: { phase: 'start' } },
  { execute: 'x-free-page-hint', arguments: { phase: 'done' } },
].map((order) => JSON.stringify(order));

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constant('register' as const),
    offset: fc.oneof(fc.integer({ min: 0, max: 0x3c }), fc.integer({ min: 0x1000, max: 0x3040 })),
    width: fc.constantFrom(1 as const, 2 as const, 4 as const),
    value: fc.oneof(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 0xffffffff })),
  }),
  fc.record({
    kind: fc.constant('ring' as const),
    at: fc.integer({ min: 0, max: 0x4000 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  }),
  fc.record({ kind: fc.constant('kick' as const), queue: fc.integer({ min: 0, max: 3 }) }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('offer' as const),
      queue: fc.integer({ min: 0, max: 3 }),
      out: fc.integer({ min: 0, max: 100 }),
      in: fc.integer({ min: 0, max: 600 }),
    }),
  },
  fc.record({
    kind: fc.constant('host' as const),
    port: fc.integer({ min: 1, max: 3 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 80 }),
  }),
  fc.record({ kind: fc.constant('order' as const), text: fc.constantFrom(...ORDERS) }),
  fc.constant({ kind: 'set up' as const }),
  { weight: 3, arbitrary: fc.constant({ kind: 'wait' as const }) },
);

class Driver {
  readonly machine: Machine;
  readonly made: VirtioPciFunction;
  readonly #modern: boolean;

  constructor(machine: Machine, legacyOnly: boolean) {
    const [made] = machine.functions;
    if (made === undefined) throw new Error('the machine has one function');
    this.machine = machine;
    this.made = made;
    this.#modern = !legacyOnly;
    for (const bar of made.bars) {
      const base = bar.kind === 'io' ? IO_BAR : MODERN_BAR;
      if (bar.kind === 'mem32') continue;
      made.configWrite(PCI_BAR_0 + 4 * bar.index, 4, base >>> 0);
      if (bar.kind === 'mem64')
        made.configWrite(PCI_BAR_0 + 4 * bar.index + 4, 4, Math.floor(base / 2 ** 32));
    }
    made.configWrite(PCI_COMMAND, 2, 7);
    // Bus addresses of rings and buffers are their addresses in RAM, if there is a window to go through.
    const [table] = machine.bridge.dma.tables;
    for (let page = RINGS / PAGE; page < RINGS_END / PAGE; page++) table.put(page, 0, page * PAGE + 3);
  }

  do(step: Act): void {
    const { machine } = this;
    switch (step.kind) {
      case 'register':
        this.#write(step.offset, step.width, step.value);
        break;
      case 'ring':
        machine.memory.write(RINGS + step.at, step.bytes, 0, step.bytes.length);
        break;
      case 'kick':
        this.#kick(step.queue);
        break;
      case 'offer':
        this.#offer(step.queue, step.out, step.in);
        break;
      case 'host':
        machine.hostInput(step.port, step.bytes);
        break;
      case 'order':
        machine.hostInput(MONITOR_PORT, Buffer.from(step.text));
        break;
      case 'set up':
        this.#setUp();
        break;
      case 'wait':
        for (let turns = 0; machine.queue.step(); turns++) {
          if (turns > WORK_MAX) throw new Error('the device works without end');
        }
    }
  }

  /** Writes a sound chain where the ring is, makes it available, and kicks. */
  #offer(queue: number, out: number, into: number): void {
    const { memory } = this.machine;
    const { device } = this.made;
    const little = this.#modern || device.order === 'little';
    const size = device.queueSize(queue);
    if (size === 0 || out + into === 0) return;
    const ring = RINGS + RING_STEP * queue;
    const avail = this.#modern ? ring + 0x80 : ring + 16 * size;
    const pieces = [
      [BUFFERS, out, 0],
      [BUFFERS + PAGE, into, WRITE],
    ].filter(([, length]) => length !== 0);
    for (const [i, [address = 0, length = 0, flags = 0]] of pieces.entries()) {
      const at = ring + 16 * i;
      memory.setU64(at, BigInt(address), little);
      memory.setU32(at + 8, length, little);
      memory.setU16(at + 12, flags | (i + 1 < pieces.length ? NEXT : 0), little);
      memory.setU16(at + 14, i + 1, little);
    }
    const idx = memory.u16(avail + 2, little);
    memory.setU16(avail + 4 + 2 * (idx % size), 0, little);
    memory.setU16(avail + 2, (idx + 1) & 0xffff, little);
    this.#kick(queue);
  }

  #write(offset: number, width: 1 | 2 | 4, value: number): void {
    const base = this.#modern ? MODERN_BAR : IO_WINDOW + IO_BAR;
    const cut = width === 4 ? value : value & (2 ** (8 * width) - 1);
    this.machine.platform.write(base + offset, width, cut >>> 0, false);
  }

  #kick(queue: number): void {
    if (this.#modern) this.#write(0x3000 + 4 * queue, 2, queue);
    else this.#write(16, 2, queue);
  }

  #setUp(): void {
    for (const [offset, width, value] of this.#modern ? modernSetUp() : legacySetUp()) {
      this.#write(offset, width, value);
    }
  }
}

function* modernSetUp(): Generator<readonly [number, 1 | 2 | 4, number]> {
  yield [COMMON_STATUS, 1, 0];
  yield [COMMON_STATUS, 1, 3];
  for (const word of [0, 1]) {
    yield [8, 4, word];
    yield [12, 4, word === 0 ? 0 : 3];
  }
  yield [COMMON_STATUS, 1, 11];
  for (let queue = 0; queue < 4; queue++) {
    yield [0x16, 2, queue];
    yield [0x18, 2, 8];
    yield [0x20, 4, RINGS + RING_STEP * queue];
    yield [0x28, 4, RINGS + RING_STEP * queue + 0x80];
    yield [0x30, 4, RINGS + RING_STEP * queue + 0x100];
    yield [0x1c, 2, 1];
  }
  yield [COMMON_STATUS, 1, 15];
}

function* legacySetUp(): Generator<readonly [number, 1 | 2 | 4, number]> {
  yield [18, 1, 0];
  yield [18, 1, 3];
  yield [4, 4, 0];
  for (let queue = 0; queue < 4; queue++) {
    yield [14, 2, queue];
    yield [8, 4, (RINGS + RING_STEP * queue) >>> 12];
  }
  yield [18, 1, 7];
}

function refusedOrMade(device: string): Machine | string {
  const verdict = Machine.create({
    machine: 'pseries-7.2',
    ramBytes: 0x1000_0000,
    cpus: 1,
    seed: 'laws',
    devices: [device, ...(COMPANIONS[device.split(',')[0] ?? ''] ?? [])],
    globals: [],
    backends: BACKENDS,
  });
  return verdict.accepted ? verdict.value : verdict.reason;
}

const FRESH = { status: 0, isr: 0, features: 0n, broken: false, started: false, vector: NO_VECTOR };

function seen(made: VirtioPciFunction): object {
  const { device } = made;
  const { status, isr, guestFeatures, broken, started, configVector } = device;
  return { status, isr, features: guestFeatures, broken, started, vector: configVector };
}

// Each row draws other lives.
let seed = 1;

for (const family of DEVICE_FAMILIES) {
  for (const mode of MODES) {
    test(`${family.name}, ${mode.name}: lives through anything, is reset, and lives again the same`, (t) => {
      const extra = ARGUMENTS[family.name];
      const device = [family.name, ...(extra === undefined ? [] : [extra]), mode.options].join(',');
      const machine = refusedOrMade(device);
      if (typeof machine === 'string') {
        t.regex(machine, /legacy|modern|IOMMU_PLATFORM|not found|valid device|backend|expected/);
        return;
      }
      const driver = new Driver(machine, mode.name === 'legacy');
      const start = machine.snapshot();
      const sizes = Array.from({ length: 8 }, (_, queue) => driver.made.device.queueSize(queue));
      const check = fc.check(
        fc.property(fc.array(act, { minLength: 5, maxLength: 40 }), fc.nat(12), (acts, cut) => {
          machine.restore(start);
          driver.do({ kind: 'set up' });
          const [before, after] = [acts.slice(0, cut), acts.slice(cut)];
          for (const step of before) driver.do(step);
          const middle = machine.snapshot();
          for (const step of after) driver.do(step);
          const ended = machine.digest();
          machine.restore(middle);
          for (const step of after) driver.do(step);
          if (machine.digest() !== ended) throw new Error('a life from a snapshot is another life');
          machine.reset();
          t.deepEqual(seen(driver.made), FRESH);
          t.deepEqual(
            sizes.map((_, queue) => driver.made.device.queueSize(queue)),
            sizes,
          );
        }),
        { numRuns: 40, seed: seed++ },
      );
      t.false(check.failed, check.failed ? fc.defaultReportMessage(check) : '');
    });
  }
}
