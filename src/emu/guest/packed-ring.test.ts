import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { FakePlatform } from './_fake-platform.ts';
import { PhysicalMapper } from './dma-map.ts';
import { packedLayout, PackedRing } from './packed-ring.ts';
import { Chain, RING_BROKEN, RING_EMPTY, RING_FULL } from './rings.ts';

const BASE = 0x10_0000;
const TABLES = 0x20_0000;
const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
const AVAIL = 0x80;
const USED = 0x8000;

/** A ring and a device that is as simple as 2.8 lets it be: places count on through the laps. */
class Bench {
  readonly platform: FakePlatform = new FakePlatform();
  readonly ring: PackedRing = new PackedRing(this.platform);
  readonly size: number;
  taken = 0;
  #used = 0;

  constructor(size: number, options: { eventIdx?: boolean; indirect?: boolean } = {}) {
    this.size = size;
    const layout = packedLayout(size);
    this.ring.writer.place(size, BASE, BASE + layout.avail, BASE + layout.used, true);
    this.ring.start(new PhysicalMapper(), options.eventIdx ?? false, options.indirect === true ? TABLES : 0);
  }

  /** Address, length, id and flags. */
  descriptor(slot: number, table = BASE): (number | bigint)[] {
    const at = table + 16 * slot;
    const { platform } = this;
    return [
      platform.load64(at, true),
      platform.load32(at + 8, true),
      platform.load16(at + 12, true),
      platform.load16(at + 14, true),
    ];
  }

  /** The next request: its id and slots. Undefined if none is available. */
  take(): { id: number; slots: number } | undefined {
    const first = this.taken;
    if (!this.#isAvailable(first)) return undefined;
    for (;;) {
      const [, , id, flags] = this.descriptor(this.taken % this.size);
      this.taken++;
      if ((Number(flags) & NEXT) === 0) return { id: Number(id), slots: this.taken - first };
    }
  }

  #isAvailable(place: number): boolean {
    const flags = Number(this.descriptor(place % this.size)[3]);
    const lap = Math.floor(place / this.size) % 2 === 0;
    return ((flags & AVAIL) !== 0) === lap && ((flags & USED) !== 0) === !lap;
  }

  use(id: number, slots: number, length: number): void {
    const at = BASE + 16 * (this.#used % this.size);
    const lap = Math.floor(this.#used / this.size) % 2 === 0;
    this.platform.store32(at + 8, length, true);
    this.platform.store16(at + 12, id, true);
    this.platform.store16(at + 14, lap ? AVAIL | USED : 0, true);
    this.#used += slots;
  }
}

test('a list has its id everywhere, and both bits as the lap wants them', (t) => {
  const bench = new Bench(3);
  const chain = new Chain().add(0x1000, 16, false).add(0x2000, 512, true);
  t.is(bench.ring.add(chain), 0);
  t.deepEqual(bench.descriptor(0), [0x1000n, 16, 0, NEXT | AVAIL]);
  t.deepEqual(bench.descriptor(1), [0x2000n, 512, 0, WRITE | AVAIL]);
  t.is(bench.ring.add(chain), RING_FULL);
  bench.use(0, 2, 512);
  t.is(bench.ring.collect(), 0);
  t.is(bench.ring.collectedLength, 512);
  t.is(bench.ring.add(chain), 0);
  t.deepEqual(bench.descriptor(2), [0x1000n, 16, 0, NEXT | AVAIL]);
  t.deepEqual(
    bench.descriptor(0),
    [0x2000n, 512, 0, WRITE | USED],
    'over the end the other bit says available',
  );
  t.is(bench.ring.place, 1);
});

test('the head becomes available after everything else is written', (t) => {
  const bench = new Bench(4);
  const stored: number[] = [];
  const store16 = bench.platform.store16.bind(bench.platform);
  bench.platform.store16 = (address, value, little) => {
    if (address % 16 === 14) stored.push((address - BASE - 14) / 16);
    store16(address, value, little);
  };
  bench.ring.add(new Chain().add(0x1000, 1, false).add(0x2000, 1, false).add(0x3000, 1, true));
  t.deepEqual(stored, [1, 2, 0]);
});

test('an indirect table takes one slot, and its descriptors have no flag but WRITE', (t) => {
  const bench = new Bench(2, { indirect: true });
  t.is(bench.ring.add(new Chain().add(0x1000, 16, false).add(0x2000, 64, true)), 0);
  t.deepEqual(bench.descriptor(0), [BigInt(TABLES), 32, 0, INDIRECT | AVAIL]);
  t.deepEqual(bench.descriptor(0, TABLES), [0x1000n, 16, 0, 0]);
  t.deepEqual(bench.descriptor(1, TABLES), [0x2000n, 64, 0, WRITE]);
  t.is(bench.ring.freeDescriptors, 1);
});

test('what the device asks for by flag or place is what it gets', (t) => {
  for (const [place, flags, wanted] of [
    [0, 0, true],
    [0, 1, false],
    [0x8000, 2, true],
    [0x8001, 2, true],
    [0x8002, 2, false],
    [0, 2, false],
  ] as const) {
    const bench = new Bench(4);
    bench.platform.store32(bench.ring.writer.used, ((flags << 16) | place) >>> 0, true);
    const chain = new Chain().add(0x1000, 1, false);
    t.false(bench.ring.needsNotification());
    bench.ring.add(chain);
    bench.ring.add(chain);
    t.is(bench.ring.needsNotification(), wanted, `${place} ${flags}`);
  }
});

test('interrupts are asked for by flag, or at the place where the driver is', (t) => {
  for (const eventIdx of [false, true]) {
    const bench = new Bench(1, { eventIdx });
    const said = (): number => bench.platform.load32(bench.ring.writer.avail, true);
    bench.ring.disableInterrupts();
    t.is(said() >>> 16, 1);
    t.true(bench.ring.enableInterrupts());
    t.is(said() >>> 0, eventIdx ? 0x2_8000 : 0);
    bench.ring.add(new Chain().add(0x1000, 1, true));
    bench.use(0, 1, 1);
    t.false(bench.ring.enableInterrupts(), 'one is there already');
    t.is(bench.ring.collect(), 0);
    t.true(bench.ring.enableInterrupts());
    t.is(said() >>> 0, eventIdx ? 0x2_0000 : 0, 'the second lap');
  }
});

test('a device that names no request, a returned one, or too many bytes is out of use', (t) => {
  for (const [id, length, fault] of [
    [4, 0, 'id out of range'],
    [1, 0, 'id is not a head'],
    [0, 2, 'length exceeds the buffers'],
  ] as const) {
    const bench = new Bench(4);
    bench.ring.add(new Chain().add(0x1000, 1, true));
    bench.use(id, 1, length);
    t.is(bench.ring.collect(), RING_BROKEN);
    t.is(bench.ring.fault, fault);
  }
});

prop(
  'whatever the order of answers, each request comes back once, with its own length, in a ring of any size',
  [
    fc.integer({ min: 1, max: 9 }),
    fc.boolean(),
    fc.array(
      fc.oneof(fc.record({ offer: fc.integer({ min: 1, max: 4 }) }), fc.record({ answer: fc.nat() })),
      { maxLength: 60 },
    ),
  ],
  (size, indirect, steps) => {
    const bench = new Bench(size, { indirect });
    const waiting: { id: number; slots: number; bytes: number }[] = [];
    for (const step of steps) {
      if ('offer' in step) {
        const chain = new Chain();
        for (let i = 0; i < step.offer; i++) chain.add(0x1000 * i, 8, true);
        const id = bench.ring.add(chain);
        if (id < 0) continue;
        const seen = bench.take();
        if (seen === undefined || seen.id !== id) return false;
        if (seen.slots !== (indirect && step.offer > 1 ? 1 : step.offer)) return false;
        waiting.push({ ...seen, bytes: 8 * step.offer });
        continue;
      }
      const [answered] = waiting.splice(step.answer % Math.max(waiting.length, 1), 1);
      if (answered === undefined) {
        if (bench.ring.collect() !== RING_EMPTY) return false;
        continue;
      }
      bench.use(answered.id, answered.slots, answered.bytes);
      if (bench.ring.collect() !== answered.id || bench.ring.collectedLength !== answered.bytes) return false;
    }
    return bench.ring.inFlight === waiting.length;
  },
);
