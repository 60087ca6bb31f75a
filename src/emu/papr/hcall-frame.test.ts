import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { HcallFrame } from './hcall-frame.ts';

const word = fc.bigInt(0n, (1n << 64n) - 1n);

prop('halves, whole and small values are of one register', [fc.nat({ max: 8 }), word], (argument, value) => {
  const frame = new HcallFrame();
  const registers = new BigUint64Array(10);
  frame.bind(registers);
  frame.set(argument, value);
  return (
    registers[argument + 1] === value &&
    frame.argument(argument) === value &&
    (BigInt(frame.high(argument)) << 32n) + BigInt(frame.low(argument)) === value &&
    frame.small(argument) === (value < 1n << 53n ? Number(value) : Infinity)
  );
});

test('a status is sign-extended, and a token of more than 32 bits is none', (t) => {
  const frame = new HcallFrame();
  const registers = new BigUint64Array(10);
  frame.bind(registers);
  frame.finish(-4);
  t.is(registers[0], 0xffff_ffff_ffff_fffcn);
  t.is(frame.token, Infinity);
  frame.finish(18);
  t.is(registers[0], 18n);
  t.is(frame.token, 18);
});

test('registers in the middle of a buffer', (t) => {
  const frame = new HcallFrame();
  const all = new BigUint64Array(32);
  frame.bind(all.subarray(7, 17));
  frame.setWords(0, 1, 2);
  t.is(all[8], 0x1_0000_0002n);
});
