import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { TestFunction, TestPlatform } from './_platform.ts';

/** Every part of the platform changed once. */
function disturb(platform: TestPlatform): void {
  platform.hcall(0x138, 0x8000_0000, 0, 0x5003, 0x4_0000);
  platform.rtas(0x2027, [0, 0x800_0000, 0x2000_0000, 24, 30], 4);
  platform.hcall(0x20, 0x8000_0001, 1n << 59n, 7);
  platform.rtas(0x2013, [0, 0x1000, 16], 2);
  platform.rtas(0x200a, [0x1101, 0, 5], 1);
  platform.rtas(0x2002, [2000, 1, 1, 0, 0, 0, 0], 1);
  platform.rtas(0x201a, [9001, 0x1000_0000, 0], 1);
  platform.hcall(0x68, 7);
  platform.hcall(0x45c, 0x101, 1, 1000);
  platform.papr.consoleInput(0, Uint8Array.of(1, 2, 3));
}

test('a reset leaves what a new platform has, but for nvram, clock, watchdogs and typed text', (t) => {
  const platform = new TestPlatform({ vio: [] });
  const fresh = platform.digest();
  platform.hcall(0x138, 0x8000_0000, 0, 0x5003, 0x4_0000);
  platform.rtas(0x2027, [0, 0x800_0000, 0x2000_0000, 24, 30], 4);
  platform.rtas(0x201a, [9001, 0x1000_0000, 0], 1);
  platform.hcall(0x68, 7);
  platform.hcall(0x37c, 0x1d, 0x1_0000, 0, 4);
  t.not(platform.digest(), fresh);
  platform.papr.reset();
  platform.memory.fill(0, 0, platform.memory.size);
  t.is(platform.digest(), fresh);
});

test('a snapshot holds every part, and restoring twice is restoring once', (t) => {
  const platform = new TestPlatform();
  const fresh = platform.save();
  const before = platform.digest();
  disturb(platform);
  const disturbed = platform.save();
  const after = platform.digest();
  t.not(after, before);
  for (const [saved, digest] of [
    [fresh, before],
    [disturbed, after],
    [disturbed, after],
    [fresh, before],
  ] as const) {
    platform.restore(saved);
    t.is(platform.digest(), digest);
  }
});

test('a snapshot carries to another platform of the same options', (t) => {
  const one = new TestPlatform();
  disturb(one);
  const other = new TestPlatform();
  other.restore(one.save());
  t.is(other.digest(), one.digest());
  t.deepEqual(
    other.rtas(0x2026, [0, 0x800_0000, 0x2000_0000], 5),
    one.rtas(0x2026, [0, 0x800_0000, 0x2000_0000], 5),
  );
});

prop(
  'every TCE counts in the digest',
  [fc.nat({ max: 0x3_ffff }), fc.bigInt(1n, (1n << 64n) - 1n)],
  (index, tce) => {
    const platform = new TestPlatform();
    const before = platform.digest();
    platform.hcall(0x20, 0x8000_0000, index * 0x1000, tce);
    const changed = platform.digest() !== before;
    platform.hcall(0x20, 0x8000_0000, index * 0x1000, 0);
    return changed && platform.digest() === before;
  },
);

test('a function cannot be plugged where no bridge is', (t) => {
  t.throws(() => new TestPlatform().papr.plug(1, new TestFunction(8)), {
    message: 'there is no host bridge with index 1',
  });
});
