// What breaks is made small: as few steps as it takes, on the plainest machine that shows it.
import test from 'ava';
import { caseText, parseCase, parseStep, stepText } from './case-text.ts';
import { machineFactory } from './factory.ts';
import { bucketOf, caseArbitrary, minimise, smallerCases } from './minimise.ts';
import { Runner } from './runner.ts';

const NOISY = parseCase(`papyrus case 1
scenario whole-life
machine pseries-4.1 device=net mode=modern iommu_platform=off profile=modern-plat seed=1
request
request kind=write sectors=3
config-read offset=4
submit queue=1 jump=913: r13 w1 w1
scribble area=used value=3
recover
request
`);

test('a noisy case shrinks to its one step, with the same verdict', (t) => {
  const runner = new Runner(machineFactory([]));
  const { breach } = runner.run(NOISY);
  t.is(breach?.oracle, 'G2');
  if (breach === undefined) return;
  const small = minimise(runner, NOISY, breach);
  t.is(small.value.steps.length, 1);
  t.is(small.value.machine.machine, 'pseries-7.2');
  t.is(bucketOf(small.breach), bucketOf(breach));
  t.deepEqual(runner.run(small.value).breach, small.breach);
  t.log(caseText(small.value));
});

test('a planted fault shrinks to a write and a read', (t) => {
  const runner = new Runner(machineFactory(['shifted-data']));
  const lines = ['request kind=write sector=5 fill=9', 'idle', 'request sector=7', 'request sector=5'];
  const value = {
    ...NOISY,
    machine: { ...NOISY.machine, device: 'blk' },
    steps: lines.map((line) => parseStep(line)),
  };
  const { breach } = runner.run(value);
  t.is(breach?.oracle, 'integrity');
  if (breach === undefined) return;
  const small = minimise(runner, value, breach);
  t.deepEqual(
    small.value.steps.map((one) => stepText(one)),
    ['request kind=write sector=5 fill=1', 'request sector=5'],
  );
});

test('buckets forget figures and keep words', (t) => {
  t.is(bucketOf({ oracle: 'G1', reason: 'read 12 bytes at 0x10' }), 'G1: read # bytes at #');
  t.true([...smallerCases(NOISY)].length > 10);
  t.true(caseArbitrary(() => NOISY).canShrinkWithoutContext(NOISY));
});
