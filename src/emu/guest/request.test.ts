import test from 'ava';
import { FakePlatform } from './_fake-platform.ts';
import { Arena } from './arena.ts';
import { PhysicalMapper } from './dma-map.ts';
import {
  BlkRequests,
  NetRequests,
  NO_QUEUE,
  RngRequests,
  type DeviceRequests,
  type RequestHost,
} from './request.ts';
import { ringLayout, SplitRing } from './rings.ts';
import type { DriverTransport } from './transport.ts';

/** A transport with nothing behind it but device configuration that reads as zeros. */
const TRANSPORT = { config8: () => 0, notify: () => undefined } as unknown as DriverTransport;

interface Descriptor {
  readonly address: number;
  readonly length: number;
  readonly write: boolean;
}

/** Answers by hand what a request maker publishes. */
class Bench implements RequestHost {
  readonly platform: FakePlatform = new FakePlatform();
  readonly arena: Arena = new Arena(this.platform, 0x20_0000, 0x40_0000);
  readonly transport: DriverTransport = TRANSPORT;
  readonly rings: readonly SplitRing[];
  readonly featuresLow: number;
  readonly little = true;
  readonly saysPlace = false;
  readonly modern = true;
  readonly requests: DeviceRequests;
  readonly #used: number[] = [0, 0];

  constructor(requests: DeviceRequests, featuresLow: number) {
    this.requests = requests;
    this.featuresLow = featuresLow;
    this.rings = [0x10_0000, 0x11_0000].map((base) => {
      const ring = new SplitRing(this.platform);
      const layout = ringLayout(16);
      ring.writer.place(16, base, base + layout.avail, base + layout.used, true);
      ring.start(new PhysicalMapper(), false, 0);
      return ring;
    });
    requests.begin(this);
  }

  chain(queue: number, slot: number): { head: number; buffers: Descriptor[] } {
    const base = queue === 0 ? 0x10_0000 : 0x11_0000;
    const head = this.platform.load16(base + 16 * 16 + 4 + 2 * (slot % 16), true);
    const buffers: Descriptor[] = [];
    for (let index = head, more = true; more; index = this.platform.load16(base + 16 * index + 14, true)) {
      const at = base + 16 * index;
      const flags = this.platform.load16(at + 12, true);
      const address = this.platform.load32(at, true);
      buffers.push({ address, length: this.platform.load32(at + 8, true), write: (flags & 2) !== 0 });
      more = (flags & 1) !== 0;
    }
    return { head, buffers };
  }

  answer(queue: number, head: number, length: number): void {
    const { used } = this.rings[queue]?.writer ?? { used: 0 };
    const index = this.#used[queue] ?? 0;
    this.platform.store32(used + 4 + 8 * (index % 16), head, true);
    this.platform.store32(used + 8 + 8 * (index % 16), length, true);
    this.platform.store16(used + 2, index + 1, true);
    this.#used[queue] = index + 1;
    const collected = this.rings[queue]?.collect() ?? -1;
    this.requests.collected(queue, collected, this.rings[queue]?.collectedLength ?? 0);
  }
}

/** One random buffer answered with `length`, after `write` had its way with it. */
function rng(write: (platform: FakePlatform, address: number) => void, length: number): boolean {
  const requests = new RngRequests();
  const bench = new Bench(requests, 0);
  requests.submit();
  const { head, buffers } = bench.chain(0, 0);
  write(bench.platform, buffers[0]?.address ?? 0);
  bench.answer(0, head, length);
  return requests.correct && requests.completed === 1 && requests.outstanding === 0;
}

test('entropy: something must have come, and nothing beyond what is claimed', (t) => {
  t.true(rng((platform, at) => platform.ram.fill(7, at, at + 64), 64));
  t.true(rng((platform, at) => platform.ram.fill(7, at, at + 5), 5));
  t.false(rng(() => undefined, 64));
  t.false(rng(() => undefined, 0));
  t.false(rng((platform, at) => platform.ram.fill(7, at, at + 6), 5));
});

const FLUSH = 1 << 9;
const READ_ONLY = 1 << 5;

/** A disk by hand: answers every request of the cycle, `lie` changes data before the driver sees it. */
function blk(features: number, lie: (step: number, data: Uint8Array) => void, status = 0): boolean {
  const requests = new BlkRequests();
  const bench = new Bench(requests, features);
  const sectors = new Map<number, Uint8Array>();
  for (let step = 0; step < 10; step++) {
    if (requests.submit(step) === NO_QUEUE) return false;
    const { head, buffers } = bench.chain(0, step);
    const [header, data] = [buffers[0]?.address ?? 0, buffers.length === 3 ? buffers[1] : undefined];
    const type = bench.platform.load32(header, true);
    const sector = bench.platform.load32(header + 8, true);
    const bytes =
      data === undefined ? undefined : bench.platform.ram.subarray(data.address, data.address + data.length);
    if (type === 1 && bytes !== undefined) sectors.set(sector, bytes.slice());
    if (type === 0 && bytes !== undefined) {
      bytes.set(sectors.get(sector) ?? new Uint8Array(512));
      lie(step, bytes);
    }
    bench.platform.store8(buffers.at(-1)?.address ?? 0, status);
    bench.answer(0, head, (data?.write === true ? data.length : 0) + 1);
  }
  return requests.correct && requests.completed === 10;
}

test('block: what was written is what must be read', (t) => {
  t.true(blk(FLUSH, () => undefined));
  t.true(blk(0, () => undefined));
  t.true(blk(READ_ONLY, () => undefined));
  t.false(blk(FLUSH, () => undefined, 1));
  for (const step of [2, 4, 8, 9]) {
    t.false(
      blk(FLUSH, (at, data) => {
        if (at === step) data[511] = (data[511] ?? 0) ^ 1;
      }),
      `one bit of request ${step}`,
    );
  }
});

/** A cable that leads back, by hand; `lie` changes what comes back. */
function net(lie: (frame: Uint8Array) => void): boolean {
  const requests = new NetRequests();
  requests.loopback = true;
  const bench = new Bench(requests, 1 << 15);
  for (let step = 0; step < 20; step++) {
    if (requests.submit(step) === NO_QUEUE) return false;
    const sent = bench.chain(1, step);
    const frame = sent.buffers[1] ?? { address: 0, length: 0 };
    const received = bench.chain(0, step);
    const into = received.buffers[0]?.address ?? 0;
    const bytes = bench.platform.ram.slice(frame.address, frame.address + frame.length);
    lie(bytes);
    bench.platform.ram.set(bytes, into + 12);
    bench.answer(1, sent.head, 0);
    bench.answer(0, received.head, 12 + bytes.length);
  }
  return (
    requests.correct && requests.completed === 20 && requests.received === 20 && requests.outstanding === 0
  );
}

test('network: frames come back as they went, buffers are posted again', (t) => {
  t.true(net(() => undefined));
  t.false(
    net((frame) => {
      frame[95] = (frame[95] ?? 0) ^ 0x80;
    }),
  );
});
