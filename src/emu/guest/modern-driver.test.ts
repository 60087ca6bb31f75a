import test from 'ava';
import { FakePlatform, fakeFunction } from './_fake-platform.ts';
import { DeviceAccess, GuestCalls } from './calls.ts';
import { Firmware } from './firmware.ts';
import { ModernTransport } from './modern-driver.ts';
import type { GuestFunction } from './pci.ts';
import { RingWriter } from './rings.ts';
import type { ProbeResult } from './transport.ts';

const [COMMON, NOTIFY, ISR, DEVICE] = [1, 2, 3, 4];

class Registers extends FakePlatform {
  readonly written: string[] = [];
  /** What reads give, by offset in the BAR. */
  readonly values: Map<number, number> = new Map();

  override read(...[address]: [address?: number]): number {
    return this.values.get((address ?? 0) % 0x10000) ?? 0;
  }

  override write(...[address, width, value]: [address?: number, width?: number, value?: number]): void {
    this.written.push(`${((address ?? 0) % 0x10000).toString(16)}.${width} = ${(value ?? 0).toString(16)}`);
  }
}

interface Probed {
  result: ProbeResult;
  transport: ModernTransport;
  platform: Registers;
}

/** A function with these structures, each 0x1000 behind the one before, notify with multiplier 4. */
function probed(
  types: readonly (number | undefined)[],
  options: { id?: number; deviceConfig?: boolean } = {},
): Probed {
  const device = fakeFunction(0x08, [[4, 'mem64', 0x8000]]);
  const space = device.configSpace;
  const id = options.id ?? 0x1042;
  space[2] = id & 0xff;
  space[3] = id >> 8;
  space[6] = 0x10;
  space[0x34] = types.length > 0 ? 0x40 : 0;
  for (const [index, type = 0] of types.entries()) {
    const at = 0x40 + 0x18 * index;
    space.set([0x09, index === types.length - 1 ? 0 : at + 0x18, 20, type, 4, 0, 0, 0], at);
    space.set([0, 0x10 * index, 0, 0, 0, 0x10, 0, 0, 4, 0, 0, 0], at + 8);
  }
  const platform = new Registers([device]);
  const calls = new GuestCalls(platform, 0x1000);
  const firmware = new Firmware(calls);
  firmware.boot();
  const found = firmware.functions[0] as GuestFunction;
  found.walkCapabilities();
  const access = new DeviceAccess(calls, false);
  const transport = new ModernTransport(access, { deviceConfig: options.deviceConfig ?? false });
  return { result: transport.probe(found), transport, platform };
}

test('without a common structure the next transport is tried; without the others none is', (t) => {
  t.is(probed([COMMON, NOTIFY, ISR, DEVICE]).result, 'bound');
  t.is(probed([COMMON, NOTIFY, ISR]).result, 'bound', 'device configuration may be missing');
  t.is(probed([NOTIFY, ISR, DEVICE]).result, 'ENODEV-COMMON');
  t.is(probed([COMMON, ISR, DEVICE]).result, 'EINVAL');
  t.is(probed([COMMON, NOTIFY, DEVICE]).result, 'EINVAL');
  t.is(probed([]).result, 'ENODEV-COMMON');
});

test('SLOF asks for the device structure too', (t) => {
  t.is(probed([COMMON, NOTIFY, ISR], { deviceConfig: true }).result, 'ENODEV');
  t.is(probed([COMMON, NOTIFY, ISR, DEVICE], { deviceConfig: true }).result, 'bound');
});

test('ids reach from 0x1000 to 0x107f', (t) => {
  for (const [id, result] of [
    [0x1000, 'bound'],
    [0x107f, 'bound'],
    [0x1080, 'ENODEV'],
    [0x0fff, 'ENODEV'],
  ] as const) {
    t.is(probed([COMMON, NOTIFY, ISR], { id }).result, result);
  }
});

test('a queue gets its size, three addresses, its place in the notification area, and is enabled last', (t) => {
  const { transport, platform } = probed([COMMON, NOTIFY, ISR]);
  platform.values.set(0x1e, 3);
  const writer = new RingWriter(platform);
  writer.place(8, 0x10_0000, 0x10_0080, 0x10_1000, true);
  t.true(transport.setQueue(1, writer, 0x0800_0000, 0x10_0000));
  transport.enableQueue(1);
  transport.notify(1);
  t.deepEqual(platform.written, [
    '16.2 = 1',
    '18.2 = 8',
    '20.4 = 100000',
    '24.4 = 8000000',
    '28.4 = 100080',
    '2c.4 = 8000000',
    '30.4 = 101000',
    '34.4 = 8000000',
    '16.2 = 1',
    '1c.2 = 1',
    `${(0x1000 + 4 * 3).toString(16)}.2 = 1`,
  ]);
});

test('a queue beyond num_queues, or one in use, is not taken', (t) => {
  const { transport, platform } = probed([COMMON, NOTIFY, ISR]);
  platform.values.set(0x12, 1);
  platform.values.set(0x18, 256);
  t.is(transport.queueSize(0), 256);
  t.is(transport.queueSize(1), 0);
  platform.values.set(0x1c, 1);
  t.is(transport.queueSize(0), 0);
});
