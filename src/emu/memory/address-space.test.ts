import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { DiagnosticLog } from '../core/diagnostics.ts';
import { AddressSpace } from './address-space.ts';
import { ANY_WIDTH, RegionContainer, type AccessRules, type Region } from './region.ts';

/** Bytes that answer, and remember in which widths they were asked. */
function storage(
  name: string,
  size: number,
  access: AccessRules = ANY_WIDTH,
): Region & { log: string[]; bytes: Uint8Array } {
  const bytes = new Uint8Array(size);
  const log: string[] = [];
  return {
    name,
    size,
    access,
    bytes,
    log,
    read: (offset, width) => {
      log.push(`r${width}@${offset}`);
      let value = 0;
      for (let i = width - 1; i >= 0; i--) value = value * 256 + (bytes[offset + i] ?? 0);
      return value;
    },
    write: (offset, width, value) => {
      log.push(`w${width}@${offset}`);
      for (let i = 0; i < width; i++) if (offset + i < size) bytes[offset + i] = (value >>> (8 * i)) & 0xff;
    },
  };
}

const BASE = 0x2000_0000_1000;

test('an unaligned load becomes two aligned ones, an unaligned store byte stores', (t) => {
  const space = new AddressSpace();
  const region = storage('r', 0x1000);
  space.map(BASE, region);
  region.bytes.set([0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17]);
  t.is(space.read(BASE + 3, 4, false), 0x16151413);
  t.is(space.read(BASE + 3, 4, true), 0x13141516);
  t.deepEqual(region.log.splice(0), ['r4@0', 'r4@4', 'r4@0', 'r4@4']);
  space.write(BASE + 1, 2, 0xaabb, true);
  t.deepEqual(region.log.splice(0), ['w1@1', 'w1@2']);
  t.deepEqual([...region.bytes.subarray(0, 4)], [0x10, 0xaa, 0xbb, 0x13]);
});

test('eight bytes reach a region that takes four in two halves', (t) => {
  const space = new AddressSpace();
  const region = storage('r', 0x1000);
  space.map(BASE, region);
  space.write64(BASE + 8, 0x0102030405060708n, false);
  t.deepEqual(region.log.splice(0), ['w4@8', 'w4@12']);
  t.is(space.read64(BASE + 8, true), 0x0807060504030201n);
});

test('the hypervisor is refused what the CPU would split', (t) => {
  const log = new DiagnosticLog();
  const space = new AddressSpace(log);
  space.map(BASE, storage('virtio-pci', 0x1000));
  t.is(space.loadPhysical(BASE + 0x17, 4, true), 0);
  t.deepEqual(log.lines, ["Invalid read at addr 0x17, size 4, region 'virtio-pci', reason: unaligned"]);
});

test('beside a short region the page says no too', (t) => {
  const log = new DiagnosticLog();
  const space = new AddressSpace(log);
  space.map(BASE, storage('virtio-pci', 0x20));
  space.write(BASE + 0x3a, 2, 1, false);
  t.is(space.read(BASE + 0x1000, 1, false), 0);
  t.deepEqual(log.lines, [
    "Invalid write at addr 0x20000000103A, size 2, region '(null)', reason: rejected",
    "Invalid write at addr 0x3A, size 2, region '(null)', reason: rejected",
    "Invalid read at addr 0x200000002000, size 1, region '(null)', reason: rejected",
  ]);
});

test('a region refuses widths beyond its own, by name', (t) => {
  const log = new DiagnosticLog();
  const space = new AddressSpace(log);
  const rules = { validMin: 4, validMax: 8, validUnaligned: false, implMin: 1, implMax: 4 };
  space.map(BASE, storage('msix-table', 0x1000, rules));
  t.is(space.read(BASE + 4, 2, false), 0);
  t.is(
    log.lines[0],
    "Invalid read at addr 0x4, size 2, region 'msix-table', reason: invalid size (min:4 max:8)",
  );
});

test('what is mapped later hides what was there, and shows it again when it goes', (t) => {
  const space = new AddressSpace();
  const low = storage('low', 0x2000);
  const high = storage('high', 0x1000);
  low.bytes.fill(1);
  high.bytes.fill(2);
  space.map(BASE, low);
  space.map(BASE + 0x800, high);
  t.deepEqual(
    [BASE + 0x7ff, BASE + 0x800, BASE + 0x17ff, BASE + 0x1800].map((at) => space.read(at, 1, false)),
    [1, 2, 2, 1],
  );
  space.unmap(high);
  t.is(space.read(BASE + 0x800, 1, false), 1);
});

test('a window cuts off what reaches beyond it', (t) => {
  const space = new AddressSpace();
  const region = storage('r', 0x2000);
  region.bytes.fill(7);
  space.map(BASE, region, BASE + 0x1000, BASE + 0x1800);
  t.false(space.answers(BASE + 0xfff));
  t.is(space.read(BASE + 0x1000, 1, false), 7);
  t.false(space.answers(BASE + 0x1800));
});

const accesses = fc.array(
  fc.record({
    offset: fc.integer({ min: -16, max: 0x60 }),
    width: fc.constantFrom(1, 2, 4, 8),
    big: fc.boolean(),
    physical: fc.boolean(),
    value: fc.option(fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }), { nil: undefined }),
  }),
  { maxLength: 40 },
);

prop(
  'no access of any width, order or place throws, and none reaches beyond its region',
  [accesses],
  (list) => {
    const space = new AddressSpace(new DiagnosticLog());
    const parts = [storage('a', 0x10), storage('b', 0x20)] as const;
    space.map(
      BASE,
      new RegionContainer('bar', 0x40, [
        { offset: 0, region: parts[0] },
        { offset: 0x20, region: parts[1] },
      ]),
    );
    for (const { offset, width, big, physical, value } of list) {
      const at = BASE + offset;
      const number = Number((value ?? 0n) & ((1n << BigInt(8 * Math.min(width, 4))) - 1n));
      if (width === 8 && value !== undefined) {
        if (physical) space.storePhysical64(at, value, big);
        else space.write64(at, value, big);
      } else if (width === 8) {
        if (physical) space.loadPhysical64(at, big);
        else space.read64(at, big);
      } else if (value !== undefined) {
        if (physical) space.storePhysical(at, width, number, big);
        else space.write(at, width, number, big);
      } else if (physical) space.loadPhysical(at, width, big);
      else space.read(at, width, big);
    }
    for (const { log, size } of parts) {
      for (const entry of log) {
        const [width, offset] = entry.slice(1).split('@').map(Number) as [number, number];
        if (offset < 0 || offset + width > size) return false;
      }
    }
    return true;
  },
);

prop(
  'a CPU reads back what it wrote, byte for byte, whatever the alignment and order',
  [fc.integer({ min: 0, max: 0x30 }), fc.constantFrom(1, 2, 4), fc.boolean(), fc.nat(0xffffffff)],
  (offset, width, big, value) => {
    const space = new AddressSpace();
    space.map(BASE, storage('r', 0x40));
    const number = width === 4 ? value : value % 256 ** width;
    space.write(BASE + offset, width, number, big);
    return space.read(BASE + offset, width, big) === number;
  },
);
