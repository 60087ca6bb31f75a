import test from 'ava';
import { FakePlatform, fakeFunction, type FakeFunction } from './_fake-platform.ts';
import { DeviceAccess, GuestCalls } from './calls.ts';
import { Firmware } from './firmware.ts';
import { LegacyTransport } from './legacy-driver.ts';
import { RingWriter } from './rings.ts';
import type { ProbeResult } from './transport.ts';

/** Keeps what is written to registers, in order. */
class Registers extends FakePlatform {
  readonly written: string[] = [];
  value = 0;

  override read(): number {
    return this.value;
  }

  override write(...[address, width, value]: [address?: number, width?: number, value?: number]): void {
    this.written.push(`${((address ?? 0) % 0x10000).toString(16)}.${width} = ${(value ?? 0).toString(16)}`);
  }
}

function probed(device: FakeFunction): {
  result: ProbeResult;
  transport: LegacyTransport;
  platform: Registers;
} {
  const platform = new Registers([device]);
  const calls = new GuestCalls(platform, 0x1000);
  const firmware = new Firmware(calls);
  firmware.boot();
  const transport = new LegacyTransport(new DeviceAccess(calls, false));
  const [found] = firmware.functions;
  if (found === undefined) throw new Error('nothing found');
  return { result: transport.probe(found), transport, platform };
}

const BARS = [[0, 'io', 0x80]] as const;

function withIds(device: number, revision: number): FakeFunction {
  const made = fakeFunction(0x08, BARS);
  made.configSpace[2] = device & 0xff;
  made.configSpace[3] = device >> 8;
  made.configSpace[8] = revision;
  return made;
}

test('ids 0x1000 to 0x103f with revision 0 and an I/O BAR are bound; nothing else is', (t) => {
  t.is(probed(withIds(0x1000, 0)).result, 'bound');
  t.is(probed(withIds(0x103f, 0)).result, 'bound');
  t.is(probed(withIds(0x1042, 0)).result, 'ENODEV');
  t.is(probed(withIds(0x0fff, 0)).result, 'ENODEV');
  t.is(probed(withIds(0x1001, 1)).result, 'ENODEV-ABI');
  const memory = fakeFunction(0x08, [[0, 'mem32', 0x1000]]);
  t.is(probed(memory).result, 'ENOMEM');
});

test('binding turns decoding and bus mastering on', (t) => {
  const device = withIds(0x1001, 0);
  probed(device);
  t.is(device.configSpace[4], 7);
});

test('a ring is named by its page frame', (t) => {
  const { transport, platform } = probed(withIds(0x1001, 0));
  t.true(transport.setQueue(1, new RingWriter(platform), 0, 0x12_3000));
  t.deepEqual(platform.written, ['8e.2 = 1', '88.4 = 123']);
  t.false(
    transport.setQueue(1, new RingWriter(platform), 0x0800_0000, 0),
    '32 bits of frame hold no such address',
  );
});

test('a queue that has an address is not taken', (t) => {
  const { transport, platform } = probed(withIds(0x1001, 0));
  platform.value = 64;
  t.is(transport.queueSize(0), 0);
});

test('device configuration moves when MSI-X is enabled', (t) => {
  const { transport, platform } = probed(withIds(0x1001, 0));
  const addresses: number[] = [];
  platform.read = (...[address]: [address?: number]): number => {
    addresses.push((address ?? 0) % 0x10000);
    return 0;
  };
  transport.config8(3);
  transport.msixEnabled(true);
  transport.config8(3);
  t.deepEqual(addresses, [0x80 + 20 + 3, 0x80 + 24 + 3]);
});
