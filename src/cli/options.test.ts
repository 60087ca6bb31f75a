import test from 'ava';
import fc from 'fast-check';
import { prop } from '../_prop.ts';
import { address, count, duration, index, words, wordsOf } from './options.ts';

test('a span is a figure and a unit, seconds where none is named', (t) => {
  t.is(duration('30s'), 30_000);
  t.is(duration('30'), 30_000);
  t.is(duration('5m'), 300_000);
  t.is(duration('1h'), 3_600_000);
  t.is(duration('250ms'), 250);
  t.is(duration('1.5s'), 1500);
  for (const text of ['', 's', '-1s', '1 s', '1d', '1e3', '0x10', 'Infinity']) {
    t.throws(() => duration(text), { message: /30s/ }, text);
  }
});

// False as soon as a reader takes a number that the operator did not write, or refuses one that stands as digits.
prop('counts and indexes read exactly the whole numbers', [fc.string({ maxLength: 6 })], (text) => {
  const digits = /^\d+$/.test(text);
  let read: number | undefined;
  try {
    read = index(text);
  } catch {
    read = undefined;
  }
  return read === (digits ? Number(text) : undefined);
});

test('a count starts at 1', (t) => {
  t.is(count('1'), 1);
  t.throws(() => count('0'), { message: /from 1/ });
  t.throws(() => count('99999999999999999999'), { message: /whole number/ });
});

test('an address is 64 bits', (t) => {
  t.is(address('0x800000000000000'), 0x800000000000000n);
  t.is(address('4096'), 4096n);
  t.is(address('0xffffffffffffffff'), 0xffff_ffff_ffff_ffffn);
  for (const text of ['', '0x', '0x1ffffffffffffffff', '-1', 'rings']) {
    t.throws(() => address(text), { message: /0x100000/ }, text);
  }
});

test('words gather over commas and occurrences', (t) => {
  t.deepEqual(words('a,b', undefined), ['a', 'b']);
  t.deepEqual(words(' c ', ['a', 'b']), ['a', 'b', 'c']);
  t.throws(() => words('a,,b', []), { message: /commas/ });
  t.deepEqual(wordsOf(['on', 'off'])('on', []), ['on']);
  t.throws(() => wordsOf(['on', 'off'])('on,up', []), { message: /on, off/ });
});
