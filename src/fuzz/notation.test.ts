// One line says a chain or a ring, and nothing is lost between the line and the value.
import test from 'ava';
import { prop } from '../_prop.ts';
import { chainArbitrary } from './arbitraries/chain.ts';
import { ringArbitrary } from './arbitraries/ring.ts';
import { chain, chainText, ring, ringText } from './notation.ts';

prop('a chain that is written and read is the same chain', [chainArbitrary()], (value) => {
  const text = chainText(value);
  return JSON.stringify(chain(text)) === JSON.stringify(value) && chainText(chain(text)) === text;
});

prop('a ring that is written and read is the same ring', [ringArbitrary()], (value) => {
  const text = ringText(value);
  return JSON.stringify(ring(text)) === JSON.stringify(value) && ringText(ring(text)) === text;
});

test('the plain form is the short one', (t) => {
  t.is(chainText(chain('r16  w512 w1')), 'r16 w512 w1');
  t.is(chainText(chain('i( r16 w1 )')), 'i(r16 w1)');
  t.is(chain('i(r16 w1)').indirect, 32);
  t.is(chain('i50(r16)').indirect, 50);
  t.deepEqual(chain('w0x200@unmapped+8^4>9').elements[0], {
    length: 512,
    write: true,
    place: 'unmapped',
    offset: 8,
    flags: 4,
    next: 9,
  });
  t.is(ringText(ring('4: 0>1>2 | avail 0,3 | used -')), '4: 0>1>2 | avail 0,3 | used -');
  t.deepEqual(ring('1: | avail - | used 7').avail, []);
});

test('what is no notation is refused by name', (t) => {
  t.throws(() => chain('x16'), { message: /'x16' is no element/ });
  t.throws(() => chain('r16@nowhere'), { message: /'nowhere' is no place/ });
  t.throws(() => chain('r4294967296'), { message: /length/ });
  t.throws(() => ring('0>1 | avail 0'), { message: /is no ring/ });
  t.throws(() => ring('4: a>1 | avail 0 | used -'), { message: /is no link/ });
  t.throws(() => ring('4: 0 | avail 65536 | used -'), { message: /head/ });
});
