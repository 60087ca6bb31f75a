import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { StateLoader, StateSaver } from '../core/state.ts';
import { BUFFERS, DESCRIPTORS, DEVICE_AREA, DRIVER_AREA, NEXT, RingHost, WRITE } from './_bench.ts';
import { behaviourOf } from './behaviour.ts';
import type { Chain } from './chain.ts';
import { NegotiatedQueue } from './negotiated-queue.ts';
import { RingState } from './queue.ts';

const AVAIL = 0x80;
const USED = 0x8000;

/** A driver that knows only what 2.7 and 2.8 say; places count on for ever. */
class Model {
  readonly host: RingHost = new RingHost();
  readonly ring: RingState;
  readonly queue: NegotiatedQueue;
  readonly size: number;
  /** Places offered and used so far: requests of a split ring, descriptors of a packed one. */
  offered: number;
  returned: number;
  readonly #packed: boolean;

  constructor(size: number, packed: boolean, start: number) {
    this.size = size;
    this.#packed = packed;
    this.host.packed = packed;
    this.ring = new RingState(0, size);
    this.queue = new NegotiatedQueue(this.ring, this.host);
    this.offered = start;
    this.returned = start;
    this.ring.descriptors.set(BigInt(DESCRIPTORS));
    this.ring.driver.set(BigInt(DRIVER_AREA));
    this.ring.device.set(BigInt(DEVICE_AREA));
    this.queue.openRings();
    const { ring } = this;
    ring.lastAvail = ring.shadowAvail = ring.usedIdx = packed ? start % size : start & 0xffff;
    this.#leaveTraces(start);
    ring.lastAvailWrap = ring.shadowAvailWrap = ring.usedWrap = this.#firstLap(start);
  }

  /** What the places before `start` left in memory. */
  #leaveTraces(start: number): void {
    const { memory } = this.host.bench;
    if (!this.#packed) {
      memory.setU16(DRIVER_AREA + 2, start, true);
      memory.setU16(DEVICE_AREA + 2, start, true);
      return;
    }
    for (let place = Math.max(start - this.size, 0); place < start; place++) {
      const used = this.#firstLap(place) ? AVAIL | USED : 0;
      memory.setU16(DESCRIPTORS + 16 * (place % this.size) + 14, used, true);
    }
  }

  /** A request of `count` buffers under this id (of a split ring: from this descriptor on). */
  offer(id: number, count: number): void {
    const { memory } = this.host.bench;
    for (let i = 0; i < count; i++) {
      const more = i === count - 1 ? 0 : NEXT;
      const place = this.offered + i;
      const slot = this.#packed ? place % this.size : (id + i) % this.size;
      const at = DESCRIPTORS + 16 * slot;
      memory.setU64(at, BigInt(BUFFERS + 64 * slot), true);
      memory.setU32(at + 8, 8, true);
      const lap = this.#firstLap(place) ? AVAIL : USED;
      memory.setU16(at + 12, this.#packed ? id : more | WRITE, true);
      memory.setU16(at + 14, this.#packed ? more | WRITE | lap : (id + i + 1) % this.size, true);
    }
    if (this.#packed) {
      this.offered += count;
      return;
    }
    memory.setU16(DRIVER_AREA + 4 + 2 * (this.offered % this.size), id, true);
    this.offered++;
    memory.setU16(DRIVER_AREA + 2, this.offered, true);
  }

  /** What the device has returned since: id and length. `descriptors`: of each id. */
  collect(descriptors: ReadonlyMap<number, number>): [number, number][] {
    const { memory } = this.host.bench;
    const found: [number, number][] = [];
    for (;;) {
      const at = this.#packed
        ? DESCRIPTORS + 16 * (this.returned % this.size)
        : DEVICE_AREA + 4 + 8 * (this.returned % this.size);
      if (!this.#isReturned(at)) return found;
      const id = this.#packed ? memory.u16(at + 12, true) : memory.u32(at, true);
      found.push([id, memory.u32(this.#packed ? at + 8 : at + 4, true)]);
      this.returned += this.#packed ? (descriptors.get(id) ?? 1) : 1;
    }
  }

  #isReturned(at: number): boolean {
    const { memory } = this.host.bench;
    if (!this.#packed) return memory.u16(DEVICE_AREA + 2, true) !== (this.returned & 0xffff);
    const flags = memory.u16(at + 14, true);
    const lap = this.#firstLap(this.returned);
    return ((flags & AVAIL) !== 0) === lap && ((flags & USED) !== 0) === lap;
  }

  #firstLap(place: number): boolean {
    return Math.floor(place / this.size) % 2 === 0;
  }
}

interface Step {
  readonly offer?: number;
  readonly take?: number;
  readonly finish?: number;
}

const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ offer: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ take: fc.constant(1) }),
    fc.record({ finish: fc.nat() }),
  ),
  { maxLength: 80 },
);

/** Plays a program on a queue and on a list: what is returned must be what a list says, in the same order. */
function agrees(
  size: number,
  packed: boolean,
  start: number,
  inOrder: boolean,
  steps: readonly Step[],
): boolean {
  const model = new Model(size, packed, start);
  model.host.inOrder = inOrder;
  const count = new Map<number, number>();
  const offered: number[] = [];
  const taken: { chain: Chain; id: number; length: number }[] = [];
  const done = new Map<number, number>();
  const order: number[] = [];
  const expected: [number, number][] = [];
  const actual: [number, number][] = [];
  let free = size;
  let serial = 0;
  for (const step of steps) {
    if (step.offer !== undefined && step.offer <= free) {
      // Split: descriptors are given out in a circle, which the requests never fill twice.
      const id = packed ? serial % 60000 : ids(count, size, step.offer);
      if (id < 0) continue;
      serial++;
      free -= step.offer;
      count.set(id, step.offer);
      offered.push(id);
      model.offer(id, step.offer);
    }
    if (step.take !== undefined) {
      const wanted = offered.shift();
      const chain = model.queue.pop();
      if (chain?.index !== wanted) return false;
      if (chain === undefined || wanted === undefined) continue;
      if (chain.inCount !== count.get(wanted)) return false;
      taken.push({ chain, id: wanted, length: serial });
      order.push(wanted);
    }
    if (step.finish !== undefined && taken.length > 0) {
      const [finished] = taken.splice(step.finish % taken.length, 1);
      if (finished === undefined) continue;
      model.queue.push(finished.chain, finished.length);
      model.queue.recycle(finished.chain);
      done.set(finished.id, finished.length);
      if (!inOrder) {
        expected.push([finished.id, finished.length]);
        order.length = 0;
      }
      for (let first = order[0]; first !== undefined && done.has(first); first = order[0]) {
        order.shift();
        expected.push([first, done.get(first) ?? 0]);
        done.delete(first);
      }
    }
    for (const [id, length] of model.collect(count)) {
      actual.push([id, length]);
      free += count.get(id) ?? 0;
      count.delete(id);
    }
  }
  const held = [...count.values()].reduce((sum, one) => sum + one, 0);
  const same = JSON.stringify(actual) === JSON.stringify(expected);
  return same && model.host.failures.length === 0 && model.ring.inUse <= held;
}

/** A run of descriptors that no request has; -1 if there is none. */
function ids(count: ReadonlyMap<number, number>, size: number, wanted: number): number {
  const busy = new Set(
    [...count].flatMap(([id, length]) => Array.from({ length }, (_, i) => (id + i) % size)),
  );
  for (let id = 0; id < size; id++) {
    if (Array.from({ length: wanted }, (_, i) => (id + i) % size).every((slot) => !busy.has(slot))) return id;
  }
  return -1;
}

const SPLIT_SIZES = fc.constantFrom(1, 2, 4, 8, 16);
const PACKED_SIZES = fc.integer({ min: 1, max: 13 });
/** Where 16-bit indices run over, and where they do not. */
const STARTS = fc.oneof(fc.constantFrom(0, 65530, 65535), fc.nat(70000));

for (const inOrder of [false, true]) {
  const how = inOrder ? 'in the order of their taking' : 'in the order of their completion';
  prop(
    `a split queue returns what a list would, ${how}, over the end of the indices`,
    [SPLIT_SIZES, STARTS, STEPS],
    (size, start, steps) => agrees(size, false, start, inOrder, steps),
  );
  prop(
    `a packed queue of any size returns what a list would, ${how}, over the end of the ring`,
    [PACKED_SIZES, STARTS, STEPS],
    (size, start, steps) => agrees(size, true, start, inOrder, steps),
  );
}

test('in order, what is done early is held, saved, and no reason for a signal', (t) => {
  for (const packed of [false, true]) {
    const model = new Model(4, packed, 0);
    model.host.inOrder = true;
    const count = new Map([
      [0, 1],
      [1, 1],
    ]);
    model.offer(0, 1);
    model.offer(1, 1);
    const [first, second] = [model.queue.pop(), model.queue.pop()];
    if (first === undefined || second === undefined) {
      t.fail('two requests were offered');
      return;
    }
    model.queue.push(second, 7);
    t.false(model.queue.shouldNotify());
    t.deepEqual(model.collect(count), []);
    const saver = new StateSaver();
    model.ring.exchange(saver);
    model.ring.order.length = 0;
    const loader = new StateLoader(saver.finish());
    model.ring.exchange(loader);
    loader.done();
    model.queue.push(first, 5);
    t.deepEqual(model.collect(count), [
      [0, 5],
      [1, 7],
    ]);
    t.true(model.queue.shouldNotify());
    t.is(model.ring.inUse, 0);
  }
});

test('by the specification a packed list must be available whole, and is named by its last descriptor', (t) => {
  const model = new Model(4, true, 0);
  model.host.behaviour = behaviourOf('spec');
  const other = new NegotiatedQueue(model.ring, model.host);
  model.offer(3, 2);
  model.host.bench.memory.setU16(DESCRIPTORS + 12, 9, true);
  const chain = other.pop();
  t.is(chain?.index, 3);
  if (chain !== undefined) other.push(chain, 1);
  t.is(model.host.bench.memory.u16(DESCRIPTORS + 14, true), AVAIL | USED | WRITE);
  model.offer(5, 2);
  model.host.bench.memory.setU16(DESCRIPTORS + 16 * 3 + 14, 0, true);
  t.is(other.pop(), undefined);
  t.deepEqual(model.host.failures, ['Descriptor 3 of a list is not available']);
});
