import test from 'ava';
import { addressOf, GuestAccess, NOWHERE } from './guest-access.ts';
import { TestFunction, TestPlatform } from './_platform.ts';

const RAM = 0x100_0000;
const MEM32 = 0x2000_8000_0000;

test('addresses that no number holds are nowhere', (t) => {
  t.is(addressOf(1, 2), 0x1_0000_0002);
  t.is(addressOf(0x1f_ffff, 0xffff_ffff), Number.MAX_SAFE_INTEGER);
  t.is(addressOf(0x20_0000, 0), NOWHERE);
  const guest = new GuestAccess(new TestPlatform());
  const bytes = Uint8Array.of(1, 2);
  guest.read(NOWHERE, bytes, 0, 2);
  guest.write(NOWHERE, bytes, 0, 2);
  guest.store(NOWHERE, 4, 5);
  guest.store64(NOWHERE, 5n);
  t.deepEqual([...bytes], [0, 0]);
  t.is(guest.load(NOWHERE, 4), 0);
  t.is(guest.load64(NOWHERE), 0n);
});

test('values across the end of RAM are lost, byte strings are cut', (t) => {
  const platform = new TestPlatform();
  const guest = new GuestAccess(platform);
  platform.memory.fill(RAM - 8, 0xff, 8);
  t.is(guest.load(RAM - 1, 2), 0);
  t.is(guest.load64(RAM - 4), 0n);
  guest.store(RAM - 1, 2, 0);
  guest.store64(RAM - 4, 0n);
  t.is(guest.load(RAM - 1, 1), 0xff);
  const bytes = new Uint8Array(4).fill(7);
  guest.read(RAM - 2, bytes, 0, 4);
  t.deepEqual([...bytes], [0xff, 0xff, 0, 0]);
  guest.write(RAM - 2, Uint8Array.of(1, 2, 3, 4), 0, 4);
  t.is(guest.load(RAM - 2, 2), 0x0102);
});

test('a BAR answers the hypervisor as it answers a CPU', (t) => {
  const platform = new TestPlatform();
  const guest = new GuestAccess(platform);
  const added = new TestFunction(8);
  added.addresses.set(1, 0x8000_0000);
  platform.papr.plug(0, added);
  guest.store(MEM32, 4, 0x0102_0304);
  guest.store64(MEM32 + 8, 0x0102_0304_0506_0708n);
  t.deepEqual(
    [...(added.regions[1]?.bytes.subarray(0, 16) ?? [])],
    [1, 2, 3, 4, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
  );
  t.is(guest.load(MEM32, 2), 0x0102);
  t.is(guest.load64(MEM32 + 8), 0x0102_0304_0506_0708n);
});
