import { assert } from '../../emu/core/assert.ts';
import { readHardware } from '../../emu/guest/hardware.ts';
import { VirtioCore } from '../../emu/virtio/core.ts';
import { Life } from './life.ts';
import type { OperationRow, Pair } from './measure.ts';

/** PAPR+ 14.5.4.2; the numbers are written again here so that the row says what it calls. */
const H_PUT_TCE = 0x20n;
const TCE_READ_WRITE = 3n;
const PAGES = 1024;

/** Register of the common structure (VIRTIO 1.3, 4.1.4.3). */
const QUEUE_SELECT = 22;
const DEVICE_STATUS = 20;
/** Where QEMU puts the device-specific structure into the BAR. */
const DEVICE_CONFIGURATION = 0x2000;

const MODERN_BAR = 4;
const BUFFER = 0x10_0000;
const DESCRIPTOR_BYTES = 16;
const NEXT = 1;
const WRITE = 2;
const PACKED_AVAIL = 0x80;
const PACKED_USED = 0x8000;
const PACKED_SIZE = 255;
const PACKED_CHAIN = [
  [16, NEXT],
  [512, NEXT | WRITE],
  [1, WRITE],
] as const;

export const OPERATIONS: readonly OperationRow[] = [
  { name: 'H_PUT_TCE', baselineName: 'Map.set of a number', prepare: putTce },
  { name: 'register read', baselineName: 'DataView.getUint8', prepare: registerRead },
  { name: 'block configuration read', baselineName: 'DataView.getUint32', prepare: configurationRead },
  { name: 'register write', baselineName: 'DataView.setUint16', prepare: registerWrite },
  {
    name: 'ring pop + push, 3 descriptors, no IOMMU',
    baselineName: 'the same loads and stores on a DataView',
    prepare: () => ring(false),
  },
  {
    name: 'ring pop + push, 3 descriptors, TCEs',
    baselineName: 'the same loads and stores on a DataView',
    prepare: () => ring(true),
  },
  {
    name: 'packed ring pop + push, no IOMMU',
    baselineName: 'the same loads and stores on a DataView',
    prepare: () => packedRing(false),
  },
  {
    name: 'packed ring pop + push, TCEs',
    baselineName: 'the same loads and stores on a DataView',
    prepare: () => packedRing(true),
  },
];

/** The whole way of a hypercall: registers set, `sc 1`, status read. */
function putTce(): Pair {
  const { machine } = new Life(true);
  const { registers } = machine.platform;
  const liobn = BigInt(readHardware(machine.platform.deviceTree).bridges[0]?.liobn ?? 0);
  const addresses = Array.from({ length: PAGES }, (_, page) => BigInt(page) << 12n);
  const plain = new Map<number, number>();
  return {
    run(times) {
      for (let i = 0; i < times; i++) {
        const address = addresses[i % PAGES] ?? 0n;
        registers[0] = H_PUT_TCE;
        registers[1] = liobn;
        registers[2] = address;
        registers[3] = address | TCE_READ_WRITE;
        machine.platform.hcall();
        if (registers[0] !== 0n) throw new Error('H_PUT_TCE was refused');
      }
    },
    runBaseline(times) {
      for (let i = 0; i < times; i++) plain.set(i % PAGES, ((i % PAGES) << 12) | 3);
    },
  };
}

function modernRegisters(life: Life): number {
  life.setUp();
  const address = life.machine.functions[0]?.barAddress(MODERN_BAR);
  assert(address !== undefined, 'firmware gave the modern BAR an address');
  const window = [life.machine.bridge.mem64, life.machine.bridge.mem32].find(
    (one) => one !== undefined && address >= one.bus && address < one.bus + one.bytes,
  );
  assert(window !== undefined, 'a BAR lies in a window of its host bridge');
  return window.cpu + (address - window.bus);
}

function registerRead(): Pair {
  const life = new Life(true);
  const { platform } = life.machine;
  const status = modernRegisters(life) + DEVICE_STATUS;
  const view = new DataView(new ArrayBuffer(64));
  let sum = 0;
  return {
    run(times) {
      for (let i = 0; i < times; i++) sum += platform.read(status, 1, false);
    },
    runBaseline(times) {
      for (let i = 0; i < times; i++) sum += view.getUint8(DEVICE_STATUS);
      if (sum < 0) throw new Error('a sum of bytes is not negative');
    },
  };
}

function configurationRead(): Pair {
  const life = new Life(true);
  const { platform } = life.machine;
  const capacity = modernRegisters(life) + DEVICE_CONFIGURATION;
  const view = new DataView(new ArrayBuffer(64));
  let sum = 0;
  return {
    run(times) {
      for (let i = 0; i < times; i++) sum += platform.read(capacity, 4, false);
    },
    runBaseline(times) {
      for (let i = 0; i < times; i++) sum += view.getUint32(0, true);
      if (sum < 0) throw new Error('a sum of capacities is not negative');
    },
  };
}

function registerWrite(): Pair {
  const life = new Life(true);
  const { platform } = life.machine;
  const select = modernRegisters(life) + QUEUE_SELECT;
  const view = new DataView(new ArrayBuffer(64));
  return {
    run(times) {
      for (let i = 0; i < times; i++) platform.write(select, 2, i & 1, false);
    },
    runBaseline(times) {
      for (let i = 0; i < times; i++) view.setUint16(QUEUE_SELECT, i & 1, true);
    },
  };
}

/** The device's side of a block read: header, data, status byte; the driver's only store is its index. */
function ring(iommuPlatform: boolean): Pair {
  const life = new Life(iommuPlatform);
  life.setUp();
  const { driver, machine } = life;
  const { platform } = machine;
  const core = machine.functions[0]?.device;
  assert(core instanceof VirtioCore, 'a virtio function has a core');
  const queue = core.queue(0);
  const writer = driver.splitRings[0]?.writer;
  assert(queue !== undefined && writer !== undefined, 'the guest set queue 0 up');
  const { mapper } = driver;
  const low = mapper.mapCoherent(BUFFER, 0x1000);
  for (const [index, [length, flags]] of [
    [16, NEXT],
    [512, NEXT | WRITE],
    [1, WRITE],
  ].entries()) {
    writer.descriptor(
      writer.desc,
      index,
      mapper.high,
      low + 1024 * index,
      length ?? 0,
      flags ?? 0,
      index + 1,
    );
  }
  for (let slot = 0; slot < writer.size; slot++) writer.setAvailEntry(slot, 0);
  let available = writer.usedIndex();
  const plain = new DataView(new ArrayBuffer(0x4000));
  return {
    run(times) {
      for (let i = 0; i < times; i++) {
        available = (available + 1) & 0xffff;
        platform.store16(writer.avail + 2, available, true);
        const chain = queue.pop();
        if (chain === undefined) throw new Error('the ring of the benchmark has a chain');
        queue.push(chain, 513);
        queue.recycle(chain);
      }
    },
    runBaseline(times) {
      for (let i = 0; i < times; i++) plainRing(plain, i & 0xff);
    },
  };
}

/** The same of a packed ring, as long as whole chains fill it; the driver's only store is the flags of a head. */
function packedRing(iommuPlatform: boolean): Pair {
  const life = new Life(iommuPlatform, true);
  life.setUp();
  const { driver, machine } = life;
  const { memory } = machine;
  const core = machine.functions[0]?.device;
  assert(core instanceof VirtioCore, 'a virtio function has a core');
  const queue = core.queue(0);
  const used = driver.rings[0];
  assert(queue !== undefined && used !== undefined && core.packed, 'the guest set packed queue 0 up');
  const { mapper } = driver;
  const low = mapper.mapCoherent(BUFFER, 0x1000);
  queue.ring.size = PACKED_SIZE;
  for (let slot = 0; slot < PACKED_SIZE; slot++) {
    const at = used.writer.desc + DESCRIPTOR_BYTES * slot;
    const [length = 0, flags = 0] = PACKED_CHAIN[slot % PACKED_CHAIN.length] ?? [];
    memory.setU32(at, low + 1024 * (slot % PACKED_CHAIN.length), true);
    memory.setU32(at + 4, mapper.high, true);
    memory.setU32(at + 8, length, true);
    memory.setU16(at + 14, flags, true);
  }
  let head = 0;
  let lap = PACKED_AVAIL;
  const plain = new DataView(new ArrayBuffer(0x4000));
  return {
    run(times) {
      for (let i = 0; i < times; i++) {
        memory.setU16(used.writer.desc + DESCRIPTOR_BYTES * head + 14, NEXT | lap, true);
        const chain = queue.pop();
        if (chain === undefined) throw new Error('the ring of the benchmark has a chain');
        queue.push(chain, 513);
        queue.recycle(chain);
        head += PACKED_CHAIN.length;
        if (head < PACKED_SIZE) continue;
        head = 0;
        lap ^= PACKED_AVAIL | PACKED_USED;
      }
    },
    runBaseline(times) {
      for (let i = 0; i < times; i++) plainPackedRing(plain, 3 * (i % 85));
    },
  };
}

/** Flags looked at, then three descriptors of four fields, id, length and flags written. */
function plainPackedRing(view: DataView, slot: number): void {
  const head = DESCRIPTOR_BYTES * slot;
  let sum = view.getUint16(head + 14, true);
  for (let at = head; at < head + 3 * DESCRIPTOR_BYTES; at += DESCRIPTOR_BYTES) {
    sum += view.getUint16(at + 14, true) + view.getUint32(at, true) + view.getUint32(at + 4, true);
    sum += view.getUint16(at + 12, true) + view.getUint32(at + 8, true);
  }
  view.setUint16(head + 12, sum, true);
  view.setUint32(head + 8, 513, true);
  view.setUint16(head + 14, PACKED_AVAIL, true);
}

/** Available index, slot, three descriptors of five fields, used element, used index. */
function plainRing(view: DataView, slot: number): void {
  let sum = view.getUint16(0x1002, true) + view.getUint16(0x1004 + 2 * slot, true);
  for (let at = 0; at < 3 * DESCRIPTOR_BYTES; at += DESCRIPTOR_BYTES) {
    sum += view.getUint32(at, true) + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
    sum += view.getUint16(at + 12, true) + view.getUint16(at + 14, true);
  }
  view.setUint32(0x2004 + 8 * slot, sum, true);
  view.setUint32(0x2008 + 8 * slot, 513, true);
  view.setUint16(0x2002, slot, true);
}
