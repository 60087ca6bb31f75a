// Whole lives on real machines: honest guests are served everywhere, and what a case is held to is held.
import test from 'ava';
import { hardwareOf } from './adversary/hardware.ts';
import { losesTrack, doubtsConfig, doubtsMap, standing } from './adversary/perform.ts';
import { RTAS_BUFFER } from './adversary/calls.ts';
import { Driver } from './adversary/driver.ts';
import { parseStep } from './case-text.ts';
import type { Case, CaseMachine } from './case.ts';
import { machineFactory } from './factory.ts';
import { FeatureSet } from './features.ts';
import { Judge } from './judge.ts';
import { FUZZ_PROFILES, machineConfig, machineRows, TRAITS } from './machines.ts';
import { Runner } from './runner.ts';
import { step } from './steps.ts';

const HONEST = [0, 1, 2, 3].flatMap((i) => [
  step('request', { kind: 1, sector: 4 * i, sectors: 1 + i, fill: 7 + i }),
  step('request', { kind: 0, sector: 4 * i, sectors: 1 + i, fill: 7 + i }),
]);

const MODERN: CaseMachine = {
  machine: 'pseries-7.2',
  device: 'blk',
  mode: 'modern',
  iommuPlatform: true,
  profile: 'modern-plat',
  seed: '1',
};

function caseOf(machine: CaseMachine, lines: readonly string[]): Case {
  return { scenario: 'whole-life', machine, steps: lines.map((line) => parseStep(line)) };
}

test('honest guests are served on every kind of machine, and a second life is the same', (t) => {
  const runner = new Runner(machineFactory([]));
  const rows = machineRows({ machines: ['pseries-7.2', 'pseries-4.2', 'pseries-2.6', 'pseries-2.1'] });
  for (const row of rows) {
    const outcome = runner.runTwice({
      scenario: 'whole-life',
      machine: { ...row, seed: '1' },
      steps: HONEST,
    });
    t.deepEqual(outcome.breach, undefined, JSON.stringify(row));
    t.is(outcome.requests, 8);
  }
});

test('what a machine leaves behind does not reach the next case', (t) => {
  const runner = new Runner(machineFactory([]));
  const quiet = caseOf(MODERN, ['request kind=write sector=3', 'request sector=3']);
  const alone = runner.run(quiet);
  runner.run(
    caseOf(MODERN, [
      'submit jump=300: r16 w512 w1',
      'config-write offset=16',
      'byte-order order=big',
      'remap',
    ]),
  );
  const after = runner.run(quiet);
  t.deepEqual([after.digestLow, after.digestHigh], [alone.digestLow, alone.digestHigh]);
});

test('a run that was stopped inside an access leaves nothing behind either', (t) => {
  const runner = new Runner(machineFactory([]));
  const quiet = caseOf({ ...MODERN, device: 'net' }, ['request kind=write sector=3', 'request sector=3']);
  const alone = runner.run(quiet);
  t.true(runner.run(caseOf(quiet.machine, ['submit queue=1 jump=913: r13'])).cut);
  const after = runner.run(quiet);
  t.deepEqual(
    [after.breach, after.digestLow, after.digestHigh],
    [undefined, alone.digestLow, alone.digestHigh],
  );
});

test('a reset mends what faults left, and the guest is served', (t) => {
  const runner = new Runner(machineFactory([]));
  for (const fault of [
    'submit: r16 r0 w1',
    'submit head=9000: r16 w512 w1',
    'submit: w512 r16 w1',
    'submit: r16@unmapped w512@unmapped w1',
    'ring: 4: 0:r16>1:w512>0 | avail 0 | used -',
    'config-write offset=4 value=0',
    'config-write offset=32 value=4096',
    'status value=128',
    'tce-stuff page=65536 pages=1024 permission=none',
    'ddw-remove',
    'reset-queue',
    'features value=65535',
  ]) {
    const outcome = runner.run(
      caseOf(MODERN, ['request', fault, 'submit: r16 w512 w1', 'recover', 'request kind=write', 'request']),
    );
    t.deepEqual(outcome.breach, undefined, fault);
    t.is(outcome.cut, false, fault);
  }
});

test('the driver sees a device that serves another sector', (t) => {
  const runner = new Runner(machineFactory(['shifted-data']));
  const outcome = runner.run({ scenario: 'whole-life', machine: MODERN, steps: HONEST });
  t.is(outcome.breach?.oracle, 'integrity');
});

test('a machine that QEMU refuses is refused in its words', (t) => {
  const runner = new Runner(machineFactory([]));
  const refused = { ...MODERN, mode: 'transitional' as const };
  t.throws(() => runner.run(caseOf(refused, [])), {
    message: /VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device/,
  });
  t.throws(() => runner.run(caseOf({ ...MODERN, profile: 'nobody' }, [])), {
    message: /no guest profile is called 'nobody'/,
  });
  t.throws(() => machineConfig({ ...MODERN, device: 'tape' }), { message: /no device is called 'tape'/ });
});

test('the driver finds its hardware in the device tree', (t) => {
  const verdict = machineFactory([])(machineConfig(MODERN));
  t.true(verdict.accepted);
  if (!verdict.accepted) return;
  const { platform } = verdict.value;
  const hardware = hardwareOf(platform.deviceTree);
  t.is(hardware.liobn, 0x8000_0000);
  t.is(hardware.ioBase, 0x2000_0000_0000);
  const traits = TRAITS.get('modern-plat');
  if (traits === undefined) return;
  const driver = new Driver(platform, hardware, 'blk', true, traits);
  t.is(driver.find(), '');
  t.is(driver.devfn, 8);
  t.is(driver.setUp(), '');
  t.is(driver.ringEntries, 16);
  t.true(platform.load32(RTAS_BUFFER, false) > 0x2000);
});

test('steps stand where they belong', (t) => {
  t.is(standing(parseStep('request')), 'honest');
  t.is(standing(parseStep('idle')), 'harmless');
  t.is(standing(parseStep('status')), 'fault');
  t.true(losesTrack(parseStep('submit: r16@own-bar')));
  t.false(losesTrack(parseStep('submit: r16')));
  t.true(doubtsConfig(parseStep('config-write')));
  t.true(doubtsMap(parseStep('remap')));
  t.true(FUZZ_PROFILES.length >= 4);
});

test('features are a set, and the digest depends on every run alike', (t) => {
  const judge = new Judge();
  t.is(judge.breach, undefined);
  const features = new FeatureSet();
  features.begin();
  t.is(features.count, 0);
  const runner = new Runner(machineFactory([]));
  runner.run({ scenario: 'whole-life', machine: MODERN, steps: HONEST });
  const { touched, count } = runner.judge.features;
  t.is(new Set(touched.subarray(0, count)).size, count);
  t.true(count > 50);
});
