import test from 'ava';
import { FakePlatform } from './_fake-platform.ts';
import { GuestCalls } from './calls.ts';
import { readHardware } from './hardware.ts';
import { Interrupts } from './interrupts.ts';

test('a source is routed, accepted and ended as XICS wants it', (t) => {
  const platform = new FakePlatform();
  const interrupts = new Interrupts(new GuestCalls(platform, 0x1000), readHardware(platform.deviceTree));
  interrupts.open();
  t.true(interrupts.unmask(0x1300));
  t.is(interrupts.accept(), 0, 'nothing is pending, so the presentation layer is not asked');
  platform.pending = true;
  platform.answers.set(0x74, (registers) => {
    registers[1] = 0xff00_1300n;
    return 0n;
  });
  t.is(interrupts.accept(), 0x1300);
  interrupts.end();
  interrupts.mask(0x1300);
  const calls = platform.hcalls.map((call) => call.split(' ').slice(0, 2).join(' '));
  t.is(calls[0], '68 ff');
  t.true(calls[1]?.startsWith('74 '));
  t.is(calls[2], '64 ff001300', 'the end carries back the priority that was');
  t.deepEqual(platform.rtas, ['200a 1300 0 5', '200d 1300', '200c 1300', '200a 1300 0 ff']);
});

test('a source that the platform does not know is not unmasked', (t) => {
  const platform = new FakePlatform();
  platform.rtasAnswers.set(0x200a, () => [-3]);
  const interrupts = new Interrupts(new GuestCalls(platform, 0x1000), readHardware(platform.deviceTree));
  t.false(interrupts.unmask(7));
  t.deepEqual(platform.rtas, ['200a 7 0 5']);
});
