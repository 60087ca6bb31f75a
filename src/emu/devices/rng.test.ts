import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { Bench, BUFFERS } from '../virtio/_bench.ts';
import { SeededEntropy } from './backends/entropy.ts';
import { RNG_DEFAULTS, RngDevice } from './rng.ts';

const VERSION_1 = 1n << 32n;
const SIZE = 8;

function setUp(maxBytes: bigint = RNG_DEFAULTS.maxBytes): {
  readonly bench: Bench;
  readonly device: RngDevice;
} {
  const bench = new Bench();
  const device = new RngDevice(bench.parts, new SeededEntropy('seed', 'e'), { maxBytes, periodMs: 1 });
  bench.drive(device, VERSION_1);
  return { bench, device };
}

prop(
  'every buffer offered is filled to its end, however it is cut',
  [fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: SIZE })],
  (lengths) => {
    const { bench, device } = setUp();
    let at = BUFFERS;
    for (const [i, length] of lengths.entries()) {
      bench.chain(i, [[at, length, true]]);
      bench.offer(i, SIZE);
      at += length;
    }
    bench.kick(device);
    const expected = new Uint8Array(at - BUFFERS);
    const source = new SeededEntropy('seed', 'e');
    for (let done = 0; done < expected.length; done += 4096)
      source.fill(expected.subarray(done, done + 4096));
    return (
      JSON.stringify(bench.used(SIZE)) === JSON.stringify(lengths.map((length, i) => [i, length])) &&
      Buffer.from(expected).equals(Buffer.from(bench.memory.view(BUFFERS, expected.length)))
    );
  },
  { numRuns: 30 },
);

test('buffers that wait for DRIVER_OK are served when it comes', (t) => {
  const { bench, device } = setUp();
  device.setStatus(11);
  bench.chain(0, [[BUFFERS, 16, true]]);
  bench.offer(0, SIZE);
  bench.kick(device);
  t.deepEqual(bench.used(SIZE), []);
  device.setStatus(15);
  bench.settle();
  t.deepEqual(bench.used(SIZE), [[0, 16]]);
});

test('a quota is kept, and the next period serves the rest', (t) => {
  const { bench, device } = setUp(10n);
  bench.chain(0, [[BUFFERS, 16, true]]);
  bench.chain(1, [[BUFFERS + 16, 16, true]]);
  for (const head of [0, 1]) bench.offer(head, SIZE);
  device.notifyQueue(0);
  t.true(bench.events.step());
  t.deepEqual(bench.used(SIZE), [[0, 10]]);
  bench.settle();
  t.deepEqual(bench.used(SIZE), [
    [0, 10],
    [1, 10],
  ]);
});

test('a chain without writable bytes is returned empty', (t) => {
  const { bench, device } = setUp();
  bench.chain(0, [[BUFFERS, 16, false]]);
  bench.chain(1, [[BUFFERS, 16, true]]);
  for (const head of [0, 1]) bench.offer(head, SIZE);
  bench.kick(device);
  t.deepEqual(bench.used(SIZE), [
    [0, 0],
    [1, 16],
  ]);
});

test('two requests at once overdraw the quota, and what is overdrawn limits nothing until the period ends', (t) => {
  const { bench, device } = setUp(10n);
  for (const head of [0, 1, 2, 3]) {
    bench.chain(head, [[BUFFERS + 16 * head, 6, true]]);
    bench.offer(head, SIZE);
  }
  device.notifyQueue(0);
  device.notifyQueue(0);
  t.true(bench.events.step());
  // 10 and 10 were asked for: 6 + 4, then 6 + 4 again; each buffer is cut by what was asked.
  t.deepEqual(bench.used(SIZE), [
    [0, 6],
    [1, 4],
    [2, 6],
    [3, 4],
  ]);
  bench.chain(4, [[BUFFERS + 64, 100, true]]);
  bench.offer(4, SIZE);
  device.notifyQueue(0);
  t.true(bench.events.step());
  t.deepEqual(bench.used(SIZE).at(-1), [4, 100]);
});

test('a machine reset takes neither the period nor an answer under way with it', (t) => {
  const { bench, device } = setUp(10n);
  bench.chain(0, [[BUFFERS, 16, true]]);
  bench.offer(0, SIZE);
  const started = Number(bench.events.now);
  device.notifyQueue(0);
  bench.events.clear();
  device.reset('big');
  t.is(bench.events.pending, 2);
  t.true(bench.events.step());
  t.deepEqual(bench.used(SIZE), []);
  t.true(bench.events.step());
  t.is(Number(bench.events.now), started + 512_000);
});
