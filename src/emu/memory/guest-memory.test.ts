import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { Digest } from '../core/digest.ts';
import { PagedMemory, type MemorySnapshot } from './guest-memory.ts';

const SIZE = 16 * 4096;

type Step =
  | { readonly do: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly do: 'fill'; readonly offset: number; readonly value: number; readonly length: number }
  | { readonly do: 'word'; readonly offset: number; readonly value: bigint }
  | { readonly do: 'snapshot' }
  | { readonly do: 'restore'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('write' as const),
    offset: fc.nat(SIZE - 5000),
    bytes: fc.uint8Array({ maxLength: 5000, size: 'max' }),
  }),
  fc.record({
    do: fc.constant('fill' as const),
    offset: fc.nat(SIZE - 9000),
    value: fc.constantFrom(0, 1, 255),
    length: fc.nat(9000),
  }),
  fc.record({
    do: fc.constant('word' as const),
    offset: fc.nat(SIZE - 8),
    value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  }),
  fc.record({ do: fc.constant('snapshot' as const) }),
  fc.record({ do: fc.constant('restore' as const), which: fc.nat(5) }),
);

function digest(memory: PagedMemory): string {
  const into = new Digest();
  memory.digest(into);
  return into.hex();
}

// Falsified by any mixture of writes, snapshots and restores after which the memory differs from a plain copy of it.
prop(
  'snapshots and restores equal whole copies',
  [fc.array(step, { maxLength: 30, size: 'max' })],
  (steps) => {
    const memory = new PagedMemory(SIZE);
    let plain = new Uint8Array(SIZE);
    const kept: { snapshot: MemorySnapshot; copy: Uint8Array<ArrayBuffer>; digest: string }[] = [];
    for (const taken of steps) {
      if (taken.do === 'write') {
        memory.write(taken.offset, taken.bytes, 0, taken.bytes.length);
        plain.set(taken.bytes, taken.offset);
      } else if (taken.do === 'fill') {
        memory.fill(taken.offset, taken.value, taken.length);
        plain.fill(taken.value, taken.offset, taken.offset + taken.length);
      } else if (taken.do === 'word') {
        memory.setU64(taken.offset, taken.value, true);
        new DataView(plain.buffer).setBigUint64(taken.offset, taken.value, true);
      } else if (taken.do === 'snapshot') {
        const before = digest(memory);
        kept.push({ snapshot: memory.snapshot(), copy: plain.slice(), digest: before });
        if (digest(memory) !== before) return false;
      } else if (kept.length > 0) {
        const back = kept[taken.which % kept.length];
        if (back === undefined) return false;
        memory.restore(back.snapshot);
        plain = back.copy.slice();
        if (digest(memory) !== back.digest) return false;
      }
      if (Buffer.compare(memory.view(0, SIZE), plain) !== 0) return false;
    }
    return true;
  },
);

test('the digest does not depend on the way to a content', (t) => {
  const a = new PagedMemory(SIZE);
  const b = new PagedMemory(SIZE);
  a.setU32(0x2000, 7, false);
  b.setU8(0x5000, 1);
  b.setU32(0x2000, 7, false);
  t.not(digest(a), digest(b));
  b.setU8(0x5000, 0);
  t.is(digest(a), digest(b));
});

test('writing outside is our mistake', (t) => {
  const memory = new PagedMemory(SIZE);
  t.throws(() => {
    memory.write(SIZE - 1, new Uint8Array(2), 0, 2);
  });
  t.true(memory.contains(BigInt(SIZE - 1), 1));
  t.false(memory.contains(BigInt(SIZE - 1), 2));
  t.false(memory.contains(2n ** 64n - 1n, 1));
});

test('a watcher hears of the next change of a guarded page, once, and of every baseline', (t) => {
  const memory = new PagedMemory(SIZE);
  const heard: string[] = [];
  memory.watch({
    guardedWritten: (page) => heard.push(`page ${page}`),
    baselined: () => heard.push('baseline'),
  });
  memory.setU8(4096, 1);
  memory.guard(1);
  memory.guard(2);
  memory.setU8(4097, 2);
  memory.setU8(4098, 3);
  t.deepEqual(heard, ['page 1']);
  const there = memory.snapshot();
  t.deepEqual(heard, ['page 1', 'baseline']);
  memory.fill(8192, 9, 1);
  t.deepEqual(heard.slice(2), ['page 2']);
  memory.guard(2);
  memory.restore(there);
  t.deepEqual(heard.slice(3), ['baseline', 'page 2']);
  t.is(memory.u8(8192), 0);
  // Bytes that somebody else writes count as soon as he says so.
  memory.touchPage(3);
  memory.view(3 * 4096, 1)[0] = 5;
  memory.restore(there);
  t.is(memory.u8(3 * 4096), 0);
});

test('memory lives in the bytes that it is given', (t) => {
  const buffer = new ArrayBuffer(SIZE + 4096);
  const memory = new PagedMemory(SIZE, { buffer, offset: 4096 });
  memory.setU32(8, 0x0102_0304, false);
  t.is(new DataView(buffer).getUint32(4104), 0x0102_0304);
});
