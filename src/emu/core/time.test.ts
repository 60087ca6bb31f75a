import test from 'ava';
import { after, between, microseconds, START, ticks, TIMEBASE_HZ } from './time.ts';

test('the timebase of pseries: 512 MHz, so a microsecond is 512 ticks', (t) => {
  t.is(TIMEBASE_HZ, 512_000_000);
  t.is(microseconds(1), ticks(512));
  t.is(microseconds(1_000_000), ticks(512_000_000));
});

test('a moment and a span make a moment, two moments a span', (t) => {
  const later = after(START, ticks(5));
  t.is(between(START, later), ticks(5));
  t.is(between(later, after(later, microseconds(2))), ticks(1024));
});
