import test from 'ava';
import { ticks } from '../core/time.ts';
import { TestPlatform } from './_platform.ts';

const H_WATCHDOG = 0x45c;
const H_SUCCESS = 0;
const H_PARAMETER = -4;
const MILLISECOND = 512_000;

test('H_WATCHDOG: query, limits, expiry, and what it leaves running', (t) => {
  const platform = new TestPlatform();
  t.is(platform.hcall(H_WATCHDOG, 0x300), H_SUCCESS);
  t.is(platform.output(0), 0x1_0004_0000_0000n);
  t.is(platform.hcall(H_WATCHDOG, 0x400, 1), H_SUCCESS);
  t.is(platform.output(0), 2n);
  for (const [args, status] of [
    [[0x2_0301], H_PARAMETER],
    [[0x500], H_PARAMETER],
    [[0x102, 5, 100], -55],
    [[0x102, 0, 100], -55],
    [[0x102, 1, 1], -56],
    [[0x104, 1, 2], H_PARAMETER],
    [[0x200, 1], -63],
    [[0x200, 5], -55],
    [[0x200, -1], -63],
    [[0x1_0102, 1, 10], H_SUCCESS],
    [[0x101, 2, 20], H_SUCCESS],
    [[0x102, 3, 30], H_SUCCESS],
    [[0x102, 4, 1n << 63n], H_SUCCESS],
    [[0x200, 4], H_SUCCESS],
  ] as const) {
    t.is(platform.hcall(H_WATCHDOG, ...args), status, args.join());
  }
  platform.queue.advance(ticks(10 * MILLISECOND - 1));
  t.deepEqual(platform.requests, []);
  platform.queue.advance(ticks(1));
  t.deepEqual(platform.requests, ['reset']);
  const saved = platform.save();
  platform.queue.advance(ticks(100 * MILLISECOND));
  t.deepEqual(platform.requests, ['reset', 'power-off'], 'the second stops the third');
  platform.restore(saved);
  platform.queue.advance(ticks(100 * MILLISECOND));
  t.deepEqual(platform.requests, ['reset', 'power-off', 'power-off']);
});
