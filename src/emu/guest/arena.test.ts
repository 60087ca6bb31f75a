import test from 'ava';
import { FakePlatform } from './_fake-platform.ts';
import { Arena } from './arena.ts';

test('memory is taken in order and aligned, and again from the start after a reset', (t) => {
  const arena = new Arena(new FakePlatform(), 0x10_0010, 0x11_0000);
  t.is(arena.take(8, 8), 0x10_0010);
  t.is(arena.take(8, 64), 0x10_0040);
  t.is(arena.take(1, 1), 0x10_0048);
  arena.reset();
  t.is(arena.take(8, 4096), 0x10_1000);
});

test('zeroed memory is zero, and nothing beside it is touched', (t) => {
  const platform = new FakePlatform();
  platform.ram.fill(0xaa, 0x10_0000, 0x10_4000);
  const arena = new Arena(platform, 0x10_0000, 0x11_0000);
  const at = arena.takeZeroed(0x2002, 4096);
  t.true(platform.ram.subarray(at, at + 0x2002).every((byte) => byte === 0));
  t.is(platform.ram[at + 0x2002], 0xaa);
});

test('an arena ends', (t) => {
  const arena = new Arena(new FakePlatform(), 0x10_0000, 0x10_1000);
  arena.take(0x1000, 16);
  t.throws(() => arena.take(1, 1), { name: 'AssertionError' });
  t.throws(() => new Arena(new FakePlatform(), 0, 0x200_0000), { name: 'AssertionError' });
});
