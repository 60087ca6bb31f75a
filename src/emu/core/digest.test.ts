import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { Digest } from './digest.ts';

function of(bytes: Uint8Array): string {
  const digest = new Digest();
  digest.bytes(bytes);
  return digest.hex();
}

// Checkpoints in recordings hold digests: what one means may not change without a new format version.
test('golden digests', (t) => {
  t.snapshot([of(new Uint8Array(0)), of(new Uint8Array([1])), of(new Uint8Array(64))]);
});

// Falsified by a flipped bit that leaves the digest as it was.
prop(
  'one bit is another digest',
  [fc.uint8Array({ minLength: 1, maxLength: 300, size: 'max' }), fc.nat(), fc.nat(7)],
  (bytes, where, bit) => {
    const before = of(bytes);
    const at = where % bytes.length;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
    return of(bytes) !== before;
  },
);

test('every lane reaches every digit', (t) => {
  const texts = new Set<string>();
  for (let lane = 0; lane < 4; lane++) {
    const bytes = new Uint8Array(16);
    bytes[4 * lane] = 1;
    const text = of(bytes);
    t.is(text.length, 32);
    for (let part = 0; part < 4; part++) texts.add(text.slice(8 * part, 8 * part + 8));
  }
  t.is(texts.size, 16);
});
