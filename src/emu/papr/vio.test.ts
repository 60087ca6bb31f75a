import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { TestPlatform } from './_platform.ts';

test('units and interrupts: given ones, and the next free ones', (t) => {
  const platform = new TestPlatform({
    vio: [
      { kind: 'spapr-vty', unit: 0x7100_0001 },
      { kind: 'spapr-nvram' },
      { kind: 'spapr-vty' },
      { kind: 'spapr-vscsi', unit: 0x3000_2000 },
      { kind: 'spapr-vty', unit: 0x5000 },
    ],
  });
  t.deepEqual(
    platform.papr.partition.vio.devices.map(({ unit, irq, port }) => [unit, irq, port]),
    [
      [0x7100_0001, 0x1101, 1],
      [0x7100_0000, 0x1100, -1],
      [0x7100_0002, 0x1102, 2],
      [0x3000_2000, 0x11f2, -1],
      [0x5000, 0x1105, 0],
    ],
  );
});

test('reset empties windows and takes bypass and signals back', (t) => {
  const platform = new TestPlatform({ vio: [{ kind: 'spapr-vscsi' }] });
  platform.hcall(0x20, 0x7100_0000, 0xfff_f000, 3);
  platform.rtas(0x2010, [0x7100_0000, 1], 1);
  platform.hcall(0x104, 0x7100_0000, 1);
  platform.papr.reset();
  const [device] = platform.papr.partition.vio.devices;
  t.is(device?.signalState, 0n);
  t.false(device?.table?.bypass);
  t.is(platform.hcall(0x1c, 0x7100_0000, 0xfff_f000), 0);
  t.is(platform.output(0), 0n);
});

prop(
  'whatever the host types arrives whole and in order, also across a snapshot',
  [fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 }), fc.nat({ max: 8 })],
  (typed, early) => {
    const platform = new TestPlatform();
    const received: number[] = [];
    const take = (): boolean => {
      platform.hcall(0x54, 0);
      const length = Number(platform.output(0));
      const text =
        platform.output(1).toString(16).padStart(16, '0') + platform.output(2).toString(16).padStart(16, '0');
      for (let i = 0; i < length; i++) received.push(Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
      return length > 0;
    };
    for (const bytes of typed) platform.papr.consoleInput(0, bytes);
    for (let i = 0; i < early; i++) take();
    platform.restore(platform.save());
    while (take());
    return received.join() === typed.flatMap((bytes) => [...bytes]).join();
  },
);
