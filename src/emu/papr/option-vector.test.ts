import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { OptionVector } from './option-vector.ts';

const bits = fc.uniqueArray(fc.record({ byte: fc.integer({ min: 1, max: 256 }), bit: fc.nat({ max: 7 }) }), {
  selector: ({ byte, bit }) => byte * 8 + bit,
  maxLength: 12,
});

prop(
  'what two vectors share is what each of them has, cut behind its last byte',
  [bits, bits],
  (left, right) => {
    const vectors = [left, right].map((chosen) => {
      const vector = new OptionVector();
      for (const bit of chosen) vector.set(bit);
      return vector;
    });
    const [a, b] = vectors as [OptionVector, OptionVector];
    const both = new OptionVector();
    both.intersect(a, b);
    const shared = left.filter((bit) => b.has(bit));
    const last = Math.max(1, ...shared.map(({ byte }) => byte));
    return left.every((bit) => both.has(bit) === b.has(bit)) && both.trimmed().length === last;
  },
);

prop(
  'bit 0 is the most significant of its byte',
  [fc.integer({ min: 1, max: 256 }), fc.nat({ max: 7 })],
  (byte, bit) => {
    const vector = new OptionVector();
    vector.set({ byte, bit });
    return vector.trimmed()[byte - 1] === 1 << (7 - bit);
  },
);
