import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { Rng } from './rng.ts';
import { StateLoader, StateSaver } from './state.ts';

// What seeds mean is a promise to every recording: these draws were taken once and may not change.
test('golden draws', (t) => {
  const rng = new Rng('papyrus');
  const draws = [rng.u32(), rng.u32(), rng.u32(), rng.u32()].map((word) => word.toString(16));
  t.snapshot(draws);
  t.not(new Rng('0').u32(), new Rng('1').u32());
});

test('streams of one seed are independent: a draw in one never shifts another', (t) => {
  const first = Rng.stream('s', 'entropy');
  const expected = [first.u32(), first.u32()];
  const other = Rng.stream('s', 'h-random');
  other.u32();
  const again = Rng.stream('s', 'entropy');
  other.u32();
  t.deepEqual([again.u32(), again.u32()], expected);
  t.not(other.u32(), expected[0]);
});

// Falsified by a bound whose draws leave [0, bound), or by a value of a small bound that never comes.
prop('below stays below', [fc.string(), fc.integer({ min: 1, max: 2 ** 32 })], (seed, bound) => {
  const rng = new Rng(seed);
  for (let i = 0; i < 20; i++) {
    const draw = rng.below(bound);
    if (draw < 0 || draw >= bound || !Number.isInteger(draw)) return false;
  }
  return true;
});

test('below reaches every value of a small bound about equally', (t) => {
  const rng = new Rng('spread');
  const counts = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < 70_000; i++) {
    const draw = rng.below(7);
    counts[draw] = (counts[draw] ?? 0) + 1;
  }
  for (const count of counts) t.true(count > 9_500 && count < 10_500, String(counts));
});

// Falsified by a saved generator that draws on differently once restored.
prop('a restored generator draws on', [fc.string(), fc.nat(50)], (seed, skip) => {
  const rng = new Rng(seed);
  for (let i = 0; i < skip; i++) rng.u32();
  const saver = new StateSaver();
  rng.exchange(saver);
  const other = new Rng('another');
  const loader = new StateLoader(saver.finish());
  other.exchange(loader);
  loader.done();
  const a = new Uint8Array(13);
  const b = new Uint8Array(13);
  rng.bytes(a);
  other.bytes(b);
  return a.join() === b.join() && rng.u64() === other.u64();
});
