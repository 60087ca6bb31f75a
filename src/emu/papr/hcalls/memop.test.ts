import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../../_prop.ts';
import { TestFunction, TestPlatform } from '../_platform.ts';

const MEMOP = 0xf001;
const H_PARAMETER = -4;
const RAM = 0x100_0000;
const MEM32 = 0x2000_8000_0000;

test('arguments: count, alignment, operation, element size', (t) => {
  const platform = new TestPlatform();
  t.is(platform.hcall(MEMOP, 0, 0, 0, 0x8000_0001, 0), H_PARAMETER);
  t.is(platform.hcall(MEMOP, 1, 0, 1, 1, 0), H_PARAMETER);
  t.is(platform.hcall(MEMOP, 0, 4, 3, 1, 0), H_PARAMETER);
  t.is(platform.hcall(MEMOP, 0, 0, 0, 1, 2), H_PARAMETER);
  t.is(platform.hcall(MEMOP, 0, 0, 4, 0, 0), 0, 'no element, no size');
  t.is(platform.hcall(MEMOP, 0, 0, 4, 1, 0), H_PARAMETER);
  t.is(platform.hcall(MEMOP, 0x1000, 0x2000, 32, 1, 0), H_PARAMETER);
});

test('the largest count over RAM, nothing and the end of the address space is quick', (t) => {
  const platform = new TestPlatform();
  platform.memory.setU8(0x1000, 0x55);
  platform.memory.setU8(0x100f, 0x66);
  t.is(platform.hcall(MEMOP, RAM, 0, 3, 0x8000_0000, 0), 0);
  t.is(platform.hcall(MEMOP, 0x8000_0000, 0x1_0000_0000n, 3, 0x8000_0000, 1), 0);
  t.is(platform.hcall(MEMOP, 0x1_0000_0008n, 0x1_0000_0000n, 3, 0x8000_0000, 0), 0);
  t.is(platform.hcall(MEMOP, 0xffff_ffff_ffff_fff8n, 0x1000, 3, 2, 0), 0);
  t.is(platform.memory.u64(0, false), 0x66n, 'wraps to address 0, where the second element lands');
  t.is(platform.memory.u8(0x1000), 0x55);
});

test('a BAR is read and written element by element', (t) => {
  const platform = new TestPlatform();
  const added = new TestFunction(8);
  added.addresses.set(1, 0x8000_0000);
  platform.papr.plug(0, added);
  platform.memory.write(0x1000, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 0, 8);
  t.is(platform.hcall(MEMOP, MEM32, 0x1000, 2, 2, 1), 0);
  t.deepEqual([...(added.regions[1]?.bytes.subarray(0, 8) ?? [])], [254, 253, 252, 251, 250, 249, 248, 247]);
  t.is(platform.hcall(MEMOP, 0x2000, MEM32 + 0xff8, 3, 2, 0), 0);
  added.regions[1]?.bytes.fill(9);
  t.is(platform.hcall(MEMOP, 0x2000, MEM32 + 0xff8, 3, 2, 0), 0);
  t.deepEqual(
    [...platform.memory.view(0x2000, 16)],
    [...Array.from({ length: 8 }, () => 9), ...Array.from({ length: 8 }, () => 0)],
  );
});

/** Addresses around both ends of RAM. */
const place = fc.oneof(
  fc.nat({ max: 0x40 }),
  fc.nat({ max: 0x2000 }).map((n) => 0x1000 + n),
  fc.nat({ max: 0x40 }).map((n) => RAM - 0x20 + n),
);

prop(
  'copies agree with a loop over elements',
  [
    place,
    place,
    fc.nat({ max: 3 }),
    fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 6000 })),
    fc.nat({ max: 1 }),
  ],
  (toPlace, fromPlace, shift, count, invert) => {
    const size = 1 << shift;
    const to = toPlace - (toPlace % size);
    const from = fromPlace - (fromPlace % size);
    const platform = new TestPlatform();
    const model = new Uint8Array(RAM + 0x20000);
    for (let i = 0; i < 0x4000; i++) model[i] = (i * 7 + (i >> 8)) & 0xff;
    for (let i = RAM - 0x40; i < RAM; i++) model[i] = i & 0xff;
    platform.memory.write(0, model, 0, RAM);
    const backwards = to >= from && to < from + count * size;
    for (let k = 0; k < count; k++) {
      const i = backwards ? count - 1 - k : k;
      for (let b = 0; b < size; b++) {
        const source = from + i * size + b;
        const target = to + i * size + b;
        const value = source < RAM ? (model[source] ?? 0) : 0;
        if (target < RAM) model[target] = invert === 1 ? ~value : value;
      }
    }
    if (platform.hcall(MEMOP, to, from, shift, count, invert) !== 0) return false;
    return Buffer.compare(model.subarray(0, RAM), platform.memory.view(0, RAM)) === 0;
  },
  { numRuns: 60 },
);
