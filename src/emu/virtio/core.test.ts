import test from 'ava';
import { Bench } from './_bench.ts';
import { VirtioCore } from './core.ts';
import type { Virtqueue } from './queue.ts';

const VERSION_1 = 1n << 32n;
const ACCESS_PLATFORM = 1n << 33n;
const EVENT_IDX = 1n << 29n;
const NO_VECTOR = 0xffff;

class Plain extends VirtioCore {
  readonly virtioId = 99;
  readonly name = 'plain';
  readonly legacyFeatures = 0n;
  served = 0;

  constructor(bench: Bench, ioeventfd = false) {
    super({ ...bench.parts, ioeventfd }, 8);
    this.addQueue(16);
    this.addQueue(16);
  }

  offer(features: bigint): bigint {
    return features;
  }

  protected service(_queue: Virtqueue): void {
    this.served++;
  }

  protected override refreshConfig(): void {
    for (let i = 0; i < 8; i++) this.config[i] = i + 1;
  }
}

function driven(features: bigint, ioeventfd = false): { readonly bench: Bench; readonly device: Plain } {
  const bench = new Bench();
  const device = new Plain(bench, ioeventfd);
  bench.drive(device, features);
  return { bench, device };
}

test('a status write that claims FEATURES_OK without ACCESS_PLATFORM is dropped whole', (t) => {
  const bench = new Bench();
  const device = new Plain(bench);
  bench.drive(device, VERSION_1, VERSION_1 | ACCESS_PLATFORM);
  t.is(device.status, 3);
});

test('without VERSION_1 nobody checks the features', (t) => {
  const bench = new Bench();
  const device = new Plain(bench);
  bench.drive(device, 0n, ACCESS_PLATFORM);
  t.is(device.status, 15);
});

test('features after FEATURES_OK are refused, and never more than was offered', (t) => {
  const { device } = driven(VERSION_1);
  t.false(device.setFeatures(0n));
  t.is(device.guestFeatures, VERSION_1);
  device.reset('little');
  device.setFeatures(VERSION_1 | EVENT_IDX);
  t.is(device.guestFeatures, VERSION_1);
});

test('an error of a modern driver is shown and signalled; of a legacy one it is not', (t) => {
  for (const [features, status, isr, generation] of [
    [VERSION_1, 0x4f, 3, 1],
    [0n, 0x0f, 0, 0],
  ] as const) {
    const { bench, device } = driven(features);
    device.fail('something is wrong');
    t.deepEqual([device.status, device.isr, device.generation], [status, isr, generation]);
    t.true(device.broken);
    t.deepEqual(bench.log.lines, ['qemu-system-ppc64: something is wrong']);
    device.notifyQueue(0);
    t.is(device.served, 0);
  }
});

test('before DRIVER_OK an error sets its bit and nothing else', (t) => {
  const { device } = driven(VERSION_1);
  device.setStatus(11);
  device.fail('early');
  t.deepEqual([device.status, device.isr, device.generation], [0x4b, 0, 0]);
});

test('a reset leaves nothing but the generation', (t) => {
  const { device } = driven(VERSION_1);
  device.setConfigVector(1);
  device.setQueueVector(700, 2);
  device.setQueueSize(0, 5);
  device.fail('broken');
  device.reset('big');
  t.deepEqual(
    [device.status, device.isr, device.guestFeatures, device.broken, device.started, device.generation],
    [0, 0, 0n, false, false, 1],
  );
  t.deepEqual(
    [device.configVector, device.queueVector(700), device.queueSize(0)],
    [NO_VECTOR, NO_VECTOR, 16],
  );
});

test('queue sizes from 1 to 1024 are taken on a queue that is there', (t) => {
  const { device } = driven(VERSION_1);
  for (const [asked, taken] of [
    [3, 3],
    [0, 3],
    [1024, 1024],
    [1025, 1024],
    [1, 1],
  ] as const) {
    device.setQueueSize(0, asked);
    t.is(device.queueSize(0), taken);
  }
  device.setQueueSize(7, 16);
  t.is(device.queueSize(7), 0);
});

test('a kick of a queue without a descriptor address is not served, nor of one that is not there', (t) => {
  const { device } = driven(VERSION_1);
  device.setQueueRings(0, 0n, 0n, 0n);
  device.notifyQueue(0);
  device.notifyQueue(1000);
  t.is(device.served, 0);
  device.notifyQueue(1);
  t.is(device.served, 1);
});

test('configuration is what the transport means by it, and nothing beyond its end', (t) => {
  const { device } = driven(VERSION_1);
  t.is(device.configRead(0, 4), 0x04030201);
  t.is(device.configRead(6, 4), 0xffffffff);
  t.is(device.configRead(8, 1), 0xff);
  t.is(device.legacyConfigRead(0, 2), 0x0102, 'QEMU loads in its target’s order and leaves it so');
  device.reset('big');
  t.is(device.legacyConfigRead(0, 2), 0x0201);
});

test('with ioeventfd DRIVER_OK kicks every queue, and kicks are served later', (t) => {
  const { bench, device } = driven(VERSION_1, true);
  t.is(device.served, 2);
  device.notifyQueue(0);
  device.notifyQueue(0);
  t.is(device.served, 2);
  bench.settle();
  t.is(device.served, 3);
  device.notifyQueue(0);
  device.setStatus(11);
  t.is(device.served, 4, 'what was kicked before is served before the device stops');
});

test('a driver that never says VERSION_1 starts the device by kicking it', (t) => {
  const bench = new Bench();
  const device = new Plain(bench);
  bench.drive(device, 0n);
  device.setStatus(3);
  device.reset('little');
  device.setFeatures(0n);
  t.true(device.startOnKick);
  device.setQueueRings(0, 0x1000n, 0x2000n, 0x3000n);
  device.notifyQueue(0);
  t.true(device.started);
  t.false(device.startOnKick);
});
