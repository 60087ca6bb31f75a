import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { Bench, BUFFERS } from '../virtio/_bench.ts';
import { NOBODY } from './backends/net-end.ts';
import { NET_DEFAULTS, NetDevice } from './net.ts';

const VERSION_1 = 1n << 32n;
const MRG_RXBUF = 1n << 15n;
const CTRL_VQ = 1n << 17n;
const CTRL_VLAN = 1n << 19n;
const GUEST_ANNOUNCE = 1n << 21n;
const CTRL_MAC_ADDR = 1n << 23n;
const [RX, TX, CTRL] = [0, 1, 2];
const SIZE = 256;
const CTRL_SIZE = 64;
const COMMAND = BUFFERS + 0x10000;
const ACK = BUFFERS + 0x20000;
const OWN = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

function setUp(features: bigint): {
  readonly bench: Bench;
  readonly device: NetDevice;
  readonly sent: Uint8Array[];
} {
  const bench = new Bench();
  const sent: Uint8Array[] = [];
  const device = new NetDevice(
    bench.parts,
    { ...NOBODY, transmitted: (bytes) => sent.push(bytes.slice()) },
    NET_DEFAULTS,
  );
  bench.drive(device, features);
  return { bench, device, sent };
}

/** A frame to `destination` whose bytes count up. */
function frame(destination: readonly number[], length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => destination[i] ?? i & 255);
}

/** Runs one control command and returns its acknowledgement. */
function command(bench: Bench, device: NetDevice, bytes: readonly number[]): number {
  bench.memory.write(COMMAND, Uint8Array.from(bytes), 0, bytes.length);
  bench.memory.setU8(ACK, 0xff);
  bench.chain(
    0,
    [
      [COMMAND, bytes.length, false],
      [ACK, 1, true],
    ],
    CTRL,
  );
  bench.offer(0, CTRL_SIZE, CTRL);
  bench.kick(device, CTRL);
  return bench.memory.u8(ACK);
}

prop(
  'a frame lies whole in as many merged buffers as it needs',
  [
    fc.array(fc.integer({ min: 12, max: 300 }), { minLength: 1, maxLength: 20 }),
    fc.integer({ min: 14, max: 1500 }),
  ],
  (lengths, size) => {
    const { bench, device } = setUp(VERSION_1 | MRG_RXBUF);
    for (const [i, length] of lengths.entries()) {
      bench.chain(i, [[BUFFERS + 0x1000 * i, length, true]]);
      bench.offer(i, SIZE);
    }
    bench.kick(device, RX);
    const sentFrame = frame(OWN, size);
    device.receive(sentFrame);
    const room = lengths.reduce((sum, length) => sum + length, 0);
    const used = bench.used(SIZE);
    if (room < size + 12) return used.length === 0;
    const got = used.flatMap(([id, length]) => [...bench.memory.view(BUFFERS + 0x1000 * id, length)]);
    const count = (got[10] ?? 0) + 256 * (got[11] ?? 0);
    return count === used.length && Buffer.from(got.slice(12)).equals(Buffer.from(sentFrame));
  },
  { numRuns: 60 },
);

test('what is sent leaves without its header', (t) => {
  const { bench, device, sent } = setUp(VERSION_1);
  bench.memory.write(BUFFERS + 12, frame(OWN, 60), 0, 60);
  bench.chain(
    0,
    [
      [BUFFERS, 5, false],
      [BUFFERS + 5, 67, false],
    ],
    TX,
  );
  bench.offer(0, SIZE, TX);
  bench.kick(device, TX);
  t.deepEqual(sent, [frame(OWN, 60)]);
  t.deepEqual(bench.used(SIZE, TX), [[0, 0]]);
});

test('frames wait for buffers, in order', (t) => {
  const { bench, device } = setUp(VERSION_1);
  for (const length of [60, 61]) device.receive(frame(OWN, length));
  t.deepEqual(bench.used(SIZE), []);
  for (const i of [0, 1]) {
    bench.chain(i, [[BUFFERS + 0x1000 * i, 200, true]]);
    bench.offer(i, SIZE);
  }
  bench.kick(device, RX);
  t.deepEqual(bench.used(SIZE), [
    [0, 72],
    [1, 73],
  ]);
});

test('a filter passes its own address, what it was told, and no others', (t) => {
  const { bench, device } = setUp(VERSION_1 | CTRL_VQ | CTRL_MAC_ADDR);
  for (let i = 0; i < 20; i++) {
    bench.chain(i, [[BUFFERS + 0x100 * i, 100, true]]);
    bench.offer(i, SIZE);
  }
  const passes = (destination: readonly number[]): boolean => {
    const before = bench.used(SIZE).length;
    device.receive(frame(destination, 60));
    return bench.used(SIZE).length > before;
  };
  const other = [0x52, 0x54, 0, 0, 0, 1];
  const group = [0x01, 0, 0x5e, 0, 0, 1];
  const all = [255, 255, 255, 255, 255, 255];
  t.true(passes(other), 'promiscuous until told otherwise');
  t.is(command(bench, device, [0, 0, 0]), 0);
  t.deepEqual([OWN, other, group, all].map(passes), [true, false, false, true]);
  // One unicast and one multicast address, counts in 32 bits.
  t.is(command(bench, device, [1, 0, 1, 0, 0, 0, ...other, 1, 0, 0, 0, ...group]), 0);
  t.deepEqual([OWN, other, group, all].map(passes), [true, true, true, true]);
  t.is(command(bench, device, [0, 5, 1]), 0);
  t.false(passes(all));
  t.is(command(bench, device, [1, 1, ...other]), 0);
  t.is(device.configRead(5, 1), 1);
});

test('VLANs are filtered once the driver wants it', (t) => {
  const { bench, device } = setUp(VERSION_1 | CTRL_VQ | CTRL_VLAN);
  for (let i = 0; i < 4; i++) {
    bench.chain(i, [[BUFFERS + 0x100 * i, 100, true]]);
    bench.offer(i, SIZE);
  }
  const tagged = frame([...OWN, ...OWN, 0x81, 0x00, 0x00, 0x05], 60);
  command(bench, device, [0, 0, 0]);
  device.receive(tagged);
  t.is(bench.used(SIZE).length, 0);
  t.is(command(bench, device, [2, 0, 5, 0]), 0);
  device.receive(tagged);
  t.is(bench.used(SIZE).length, 1);
  t.is(command(bench, device, [2, 0, 0, 0x10]), 1, 'there are 4096 VLANs');
});

test('commands that do not fit their class are refused', (t) => {
  const { bench, device } = setUp(VERSION_1 | CTRL_VQ);
  for (const bytes of [
    [0, 6, 1],
    [0, 0],
    [1, 0, 255, 255, 255, 255],
    [1, 1, 1, 2],
    [4, 0, 1, 0],
    [5, 0],
    [9, 9],
  ]) {
    t.is(command(bench, device, bytes), 1, bytes.join());
  }
  bench.chain(0, [[COMMAND, 2, false]], CTRL);
  bench.offer(0, CTRL_SIZE, CTRL);
  bench.kick(device, CTRL);
  t.deepEqual(bench.log.lines, ['qemu-system-ppc64: virtio-net ctrl missing headers']);
});

test('an announcement is asked for once and acknowledged once', (t) => {
  const { bench, device } = setUp(VERSION_1 | CTRL_VQ | GUEST_ANNOUNCE);
  device.announce();
  t.is(device.configRead(6, 2), 3);
  t.is(device.generation, 1);
  t.is(command(bench, device, [3, 0]), 0);
  t.is(command(bench, device, [3, 0]), 1);
  t.is(device.configRead(6, 2), 1);
});

test('without a cable nothing passes, and what was to be sent is returned', (t) => {
  const { bench, device, sent } = setUp(VERSION_1);
  device.setLink(false);
  t.is(device.configRead(6, 2), 0);
  bench.chain(0, [[BUFFERS, 72, false]], TX);
  bench.offer(0, SIZE, TX);
  bench.kick(device, TX);
  t.deepEqual(sent, []);
  t.deepEqual(bench.used(SIZE, TX), [[0, 0]]);
  device.receive(frame(OWN, 60));
  device.setLink(true);
  bench.chain(0, [[BUFFERS, 200, true]]);
  bench.offer(0, SIZE);
  bench.kick(device, RX);
  t.deepEqual(bench.used(SIZE), []);
});
