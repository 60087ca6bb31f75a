import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { DiagnosticLog } from '../core/diagnostics.ts';
import { StateLoader, StateSaver } from '../core/state.ts';
import {
  BUFFERS,
  DESCRIPTORS,
  DEVICE_AREA,
  DRIVER_AREA,
  INDIRECT,
  NEXT,
  RingHost as Host,
  WRITE,
  type Descriptor,
} from './_bench.ts';
import { ChainPool } from './pieces.ts';
import { RingState } from './queue.ts';
import { SplitQueue } from './split-queue.ts';

const TABLE = 0x50000;

function ringOn(host: Host, size: number): SplitQueue {
  const ring = new RingState(0, size);
  const queue = new SplitQueue(ring, host, new ChainPool());
  ring.descriptors.set(BigInt(DESCRIPTORS));
  ring.driver.set(BigInt(DRIVER_AREA));
  ring.device.set(BigInt(DEVICE_AREA));
  queue.openRings();
  return queue;
}

type Outcome = { readonly failed: string } | { readonly out: number[][]; readonly in: number[][] } | 'empty';

/**
 * What 2.7 and QEMU's checks make of one chain, told as simply as it can be: no reuse, no pieces, every buffer in RAM.
 */
function naive(host: Host, size: number): Outcome {
  const { memory } = host.bench;
  if (memory.u16(DRIVER_AREA + 2, true) === 0) return 'empty';
  const head = memory.u16(DRIVER_AREA + 4, true);
  if (head >= size) return { failed: `Guest says index ${head} is available` };
  const read = (table: number, index: number): Descriptor => ({
    address: Number(memory.u64(table + 16 * index, true)),
    length: memory.u32(table + 16 * index + 8, true),
    flags: memory.u16(table + 16 * index + 12, true),
    next: memory.u16(table + 16 * index + 14, true),
  });
  let table = DESCRIPTORS;
  let entries = size;
  let found = read(table, head);
  if ((found.flags & INDIRECT) !== 0) {
    if (found.length === 0 || found.length % 16 !== 0)
      return { failed: 'Invalid size for indirect buffer table' };
    table = Number(found.address);
    entries = found.length / 16;
    found = read(table, 0);
  }
  const out: number[][] = [];
  const written: number[][] = [];
  for (let taken = 1; ; taken++) {
    const write = (found.flags & WRITE) !== 0;
    if (!write && written.length > 0) return { failed: 'Incorrect order for descriptors' };
    if (found.length === 0) return { failed: 'virtio: zero sized buffers are not allowed' };
    (write ? written : out).push([Number(found.address), found.length]);
    if (taken > entries) return { failed: 'Looped descriptor' };
    if ((found.flags & NEXT) === 0) return { out, in: written };
    if (found.next >= entries) return { failed: `Desc next is ${found.next}` };
    found = read(table, found.next);
  }
}

function popped(host: Host, queue: SplitQueue): Outcome {
  const chain = queue.pop();
  if (chain === undefined) {
    const [failed] = host.failures;
    return failed === undefined ? 'empty' : { failed };
  }
  const piece = (i: number): number[] => [chain.ram[i] ?? -1, chain.length[i] ?? 0];
  return {
    out: Array.from({ length: chain.outCount }, (_, i) => piece(i)),
    in: Array.from({ length: chain.inCount }, (_, i) => piece(chain.outCount + i)),
  };
}

/** Mostly sound, so that chains get long; each fault now and then. */
const descriptor = (entries: number): fc.Arbitrary<Descriptor> =>
  fc.record({
    address: fc.integer({ min: 0, max: 15 }).map((page) => BUFFERS + 0x1000 * page),
    length: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 64 }) }, fc.constant(0)),
    flags: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(0, NEXT, NEXT | WRITE, WRITE) },
      fc.integer({ min: 0, max: 0xffff }).map((flags) => flags & ~INDIRECT),
    ),
    next: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 0, max: entries - 1 }) },
      fc.integer({ min: 0, max: 0xffff }),
    ),
  });

prop(
  'a chain is what the naive model says it is, or fails for the reason it gives',
  [
    fc.integer({ min: 1, max: 8 }).chain((size) =>
      fc.record({
        size: fc.constant(size),
        head: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: size - 1 }) }, fc.constant(size)),
        ring: fc.array(descriptor(size), { minLength: size, maxLength: size }),
        table: fc.array(descriptor(6), { minLength: 6, maxLength: 6 }),
        indirect: fc.option(fc.oneof(fc.constant(96), fc.integer({ min: 0, max: 96 })), { nil: undefined }),
      }),
    ),
  ],
  ({ size, head, ring, table, indirect }) => {
    const host = new Host();
    for (const [i, found] of ring.entries()) host.bench.describe(i, found);
    for (const [i, found] of table.entries()) host.bench.describe(i, found, TABLE);
    if (indirect !== undefined && head < size) {
      host.bench.describe(head, { address: TABLE, length: indirect, flags: INDIRECT, next: 0 });
    }
    host.bench.offer(head, size);
    const expected = naive(host, size);
    const actual = popped(host, ringOn(host, size));
    return JSON.stringify(expected) === JSON.stringify(actual);
  },
);

prop(
  'no content of the rings makes the queue throw or work without end',
  [
    fc.integer({ min: 1, max: 1024 }),
    fc.uint8Array({ minLength: 64, maxLength: 256 }),
    fc.boolean(),
    fc.boolean(),
  ],
  (size, bytes, eventIdx, counts) => {
    const host = new Host();
    host.eventIdx = eventIdx;
    for (const area of [DESCRIPTORS, DRIVER_AREA, DEVICE_AREA]) {
      for (let at = 0; at < 0x4000; at += bytes.length)
        host.bench.memory.write(area + at, bytes, 0, bytes.length);
    }
    const queue = ringOn(host, size);
    if (counts) queue.countAvailable(0xffffffff, 0xffffffff);
    for (let turns = 0; turns < 50; turns++) {
      const chain = queue.pop();
      if (chain === undefined) break;
      queue.push(chain, 1);
      queue.recycle(chain);
      queue.shouldNotify();
      queue.setNotification(turns % 2 === 0);
    }
    return queue.ring.inUse <= size;
  },
);

prop(
  'a signal is due exactly when the used index passes the event',
  [fc.nat(0xffff), fc.integer({ min: 1, max: 16 }), fc.nat(0xffff)],
  (start, count, event) => {
    const host = new Host();
    host.eventIdx = true;
    const queue = ringOn(host, 16);
    queue.ring.usedIdx = start;
    queue.shouldNotify();
    queue.flush(count);
    host.bench.memory.setU16(DRIVER_AREA + 4 + 2 * 16, event, true);
    // The event lies among the entries written since: start, start + 1, … start + count - 1.
    const passed = ((event - start) & 0xffff) < count;
    return queue.shouldNotify() === passed;
  },
);

test('the first question after a reset is answered with a signal', (t) => {
  const host = new Host();
  host.eventIdx = true;
  const queue = ringOn(host, 8);
  host.bench.memory.setU16(DRIVER_AREA + 4 + 2 * 8, 100, true);
  queue.flush(1);
  t.true(queue.shouldNotify());
  queue.flush(1);
  t.false(queue.shouldNotify());
});

test('an empty ring signals whatever was asked, if the driver accepted NOTIFY_ON_EMPTY', (t) => {
  const host = new Host();
  const queue = ringOn(host, 8);
  host.bench.memory.setU16(DRIVER_AREA, 1, true);
  t.false(queue.shouldNotify());
  host.notifyOnEmpty = true;
  t.true(queue.shouldNotify());
});

test('the available index is not read again while heads are known', (t) => {
  const host = new Host();
  const queue = ringOn(host, 8);
  host.bench.chain(0, [[BUFFERS, 16, true]]);
  for (let i = 0; i < 2; i++) host.bench.offer(0, 8);
  const first = queue.pop();
  t.truthy(first);
  // The driver takes the second head back; the device has seen it.
  host.bench.memory.setU16(DRIVER_AREA + 2, 1, true);
  t.truthy(queue.pop());
  // Now it looks again, and finds the index behind its own: that is 65535 heads.
  t.truthy(queue.pop());
  t.is(queue.ring.shadowAvail, 1);
});

test('as many requests as the ring is long may be in flight, and no more', (t) => {
  const host = new Host();
  const queue = ringOn(host, 2);
  host.bench.chain(0, [[BUFFERS, 16, true]]);
  for (let i = 0; i < 3; i++) host.bench.offer(0, 2);
  t.truthy(queue.pop());
  t.truthy(queue.pop());
  t.is(queue.pop(), undefined);
  t.deepEqual(host.failures, ['Virtqueue size exceeded']);
});

test('1024 pieces are taken, however long the indirect table', (t) => {
  const host = new Host();
  const queue = ringOn(host, 8);
  for (let i = 0; i < 1025; i++) {
    host.bench.describe(i, { address: BUFFERS, length: 1, flags: i < 1024 ? NEXT : 0, next: i + 1 }, TABLE);
  }
  host.bench.describe(0, { address: TABLE, length: 16 * 1025, flags: INDIRECT, next: 0 });
  host.bench.offer(0, 8);
  t.is(queue.pop(), undefined);
  t.deepEqual(host.failures, ['virtio: too many write descriptors in indirect table']);
});

test('without a used ring a request stays in flight', (t) => {
  const host = new Host();
  const queue = ringOn(host, 8);
  queue.ring.device.set(0n);
  queue.openRings();
  host.bench.chain(0, [[BUFFERS, 16, true]]);
  host.bench.offer(0, 8);
  const chain = queue.pop();
  t.truthy(chain);
  if (chain !== undefined) queue.push(chain, 16);
  t.is(queue.ring.inUse, 1);
  t.is(queue.ring.usedIdx, 0);
});

test('areas that run over the end of RAM cannot be mapped, and the first of them is named', (t) => {
  const host = new Host();
  const queue = ringOn(host, 8);
  for (const [name, area] of [
    ['desc', queue.ring.descriptors],
    ['used', queue.ring.device],
    ['avail', queue.ring.driver],
  ] as const) {
    host.failures.length = 0;
    const kept = [area.high, area.low] as const;
    area.set(BigInt(host.bench.memory.size - 8));
    queue.openRings();
    t.deepEqual(host.failures, [`Cannot map ${name}`]);
    t.false(queue.ring.open);
    [area.high, area.low] = kept;
  }
});

test('a queue is restored where it was saved', (t) => {
  const host = new Host();
  const queue = ringOn(host, 8);
  host.bench.chain(0, [[BUFFERS, 16, true]]);
  for (let i = 0; i < 3; i++) host.bench.offer(0, 8);
  queue.pop();
  const saver = new StateSaver();
  queue.ring.exchange(saver);
  const other = new SplitQueue(new RingState(0, 8), host, new ChainPool());
  const loader = new StateLoader(saver.finish());
  other.ring.exchange(loader);
  loader.done();
  const again = new StateSaver();
  other.ring.exchange(again);
  t.deepEqual(again.finish(), saver.finish());
  t.is(other.pop()?.index, 0);
  t.is(other.ring.lastAvail, 2);
});

test('what is said of a bad ring is said once', (t) => {
  const host = new Host();
  t.true(host.bench.log instanceof DiagnosticLog);
  const queue = ringOn(host, 8);
  host.bench.offer(99, 8);
  t.is(queue.pop(), undefined);
  t.is(queue.pop(), undefined);
  t.deepEqual(host.failures, ['Guest says index 99 is available']);
});
