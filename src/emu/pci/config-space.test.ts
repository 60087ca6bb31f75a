import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { BarSet } from './bar.ts';
import { ConfigSpace } from './config-space.ts';
import { ANY_WIDTH, type Region } from '../memory/region.ts';

const COMMAND = 0x04;
const STATUS = 0x06;
const CAPABILITIES = 0x34;

function region(size: number): Region {
  return { name: 'r', size, access: ANY_WIDTH, read: () => 0, write: () => undefined };
}

test('of the header a driver changes command, cache line size and interrupt line; errors it clears', (t) => {
  const config = new ConfigSpace(256);
  config.set(STATUS, 2, 0xf900);
  for (let at = 0; at < 0x40; at += 4) config.write(at, 4, 0xffffffff);
  t.is(config.read(COMMAND, 2), 0x0507);
  t.is(config.read(STATUS, 2), 0);
  t.is(config.read(0x0c, 4), 0xff);
  t.is(config.read(0x3c, 4), 0xff);
});

test('capabilities go to the head of the list and are read-only; the rest of the space is storage', (t) => {
  const config = new ConfigSpace(256);
  const first = config.addCapability(9, 20);
  const second = config.addCapability(17, 12);
  t.deepEqual([first, second], [0x40, 0x54]);
  t.is(config.read(CAPABILITIES, 1), 0x54);
  t.is(config.read(0x55, 1), 0x40);
  t.is(config.read(STATUS, 2) & 0x10, 0x10);
  for (let at = 0x40; at < 0x100; at += 4) config.write(at, 4, 0xffffffff);
  t.is(config.read(0x40, 4), 0x0009);
  t.is(config.read(0x60, 4), 0xffffffff);
});

test('a BAR answers where it was put while its decoding is on, at address 0 too', (t) => {
  const config = new ConfigSpace(256);
  const bars = new BarSet(config);
  bars.add(0, 'io', false, region(0x40));
  bars.add(4, 'mem64', true, region(0x4000));
  bars.update();
  t.is(bars.address(0), undefined);
  config.write(COMMAND, 2, 3);
  t.true(bars.update());
  t.is(bars.address(0), 0);
  config.write(0x10, 4, 0x1047);
  config.write(0x20, 4, 0x10003fff);
  config.write(0x24, 4, 0x2100);
  t.true(bars.update());
  t.false(bars.update());
  t.is(bars.address(0), 0x1040);
  t.is(bars.address(4), 0x210010000000);
  t.is(config.read(0x10, 4), 0x1041);
  t.is(config.read(0x20, 4), 0x1000000c);
});

test('a BAR of all ones sizes, and answers nowhere', (t) => {
  const config = new ConfigSpace(256);
  const bars = new BarSet(config);
  bars.add(1, 'mem32', false, region(0x1000));
  config.write(COMMAND, 2, 2);
  config.write(0x14, 4, 0xffffffff);
  bars.update();
  t.is(config.read(0x14, 4), 0xfffff000);
  t.is(bars.address(1), undefined);
});

test('an expansion ROM answers only with its own enable bit', (t) => {
  const config = new ConfigSpace(256);
  const bars = new BarSet(config);
  bars.add(6, 'mem32', false, region(0x40000));
  config.write(COMMAND, 2, 2);
  config.write(0x30, 4, 0x80040000);
  bars.update();
  t.is(bars.address(6), undefined);
  config.write(0x30, 4, 0x80040001);
  bars.update();
  t.is(bars.address(6), 0x80040000);
});

const writes = fc.array(
  fc.record({ at: fc.nat(63), width: fc.constantFrom(1, 2, 4), value: fc.nat(0xffffffff) }),
  { maxLength: 60 },
);

prop('no sequence of writes changes a read-only bit', [writes], (list) => {
  const config = new ConfigSpace(256);
  config.set(0, 4, 0x10011af4);
  config.addCapability(9, 16);
  const before = config.read(0, 4);
  const capability = config.read(0x40, 4);
  for (const { at, width, value } of list) config.write(4 * at, width, value);
  return config.read(0, 4) === before && config.read(0x40, 4) === capability && config.read(0x34, 1) === 0x40;
});
