import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { StateLoader, StateSaver } from '../core/state.ts';
import { PagedMemory } from '../memory/guest-memory.ts';
import { Bench, BUFFERS } from '../virtio/_bench.ts';
import { behaviourOf, type BehaviourName } from '../virtio/behaviour.ts';
import { Disk, diskBytes } from './backends/disk.ts';
import { BLK_DEFAULTS, BlkDevice, type BlkOptions } from './blk.ts';

const VERSION_1 = 1n << 32n;
const SECTORS = 64;
const SIZE = 256;
const DATA = BUFFERS + 0x1000;
const STATUS = BUFFERS + 0x8000;
const [IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES] = [0, 1, 4, 8, 11, 13];
const [OK, IOERR, UNSUPP] = [0, 1, 2];

function setUp(
  options: Partial<BlkOptions> = {},
  readOnly = false,
  behaviour: BehaviourName = 'qemu-7.2',
  features: bigint = VERSION_1,
): { readonly bench: Bench; readonly device: BlkDevice; readonly disk: Disk } {
  const bench = new Bench();
  const parts = { ...bench.parts, behaviour: behaviourOf(behaviour) };
  const disk = new Disk(new PagedMemory(diskBytes(SECTORS)), SECTORS, readOnly, 'golden', 'seed');
  const device = new BlkDevice(parts, disk, { ...BLK_DEFAULTS, ...options });
  bench.drive(device, features, VERSION_1);
  return { bench, device, disk };
}

/** One request; its status, or undefined if it was not returned. */
function request(
  bench: Bench,
  device: BlkDevice,
  type: number,
  sector: bigint,
  data: readonly (readonly [number, number, boolean])[],
): number | undefined {
  const before = bench.used(SIZE).length;
  bench.memory.setU32(BUFFERS, type, true);
  bench.memory.setU64(BUFFERS + 8, sector, true);
  bench.memory.setU8(STATUS, 0xee);
  bench.chain(0, [[BUFFERS, 16, false], ...data, [STATUS, 1, true]]);
  bench.offer(0, SIZE);
  bench.kick(device);
  return bench.used(SIZE).length === before ? undefined : bench.memory.u8(STATUS);
}

prop(
  'what was written is read back, and nothing beside it has changed',
  [fc.integer({ min: 0, max: SECTORS }), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 255 })],
  (sector, count, value) => {
    const { bench, device, disk } = setUp();
    const before = disk.memory.view(0, disk.memory.size).slice();
    bench.memory.fill(DATA, value, 512 * count);
    const data = count === 0 ? [] : ([[DATA, 512 * count, false]] as const);
    const status = request(bench, device, OUT, BigInt(sector), data);
    const fits = sector + count <= SECTORS;
    if (status !== (fits ? OK : IOERR)) return false;
    if (fits) before.fill(value, 512 * sector, 512 * (sector + count));
    return Buffer.from(before).equals(Buffer.from(disk.memory.view(0, disk.memory.size)));
  },
  { numRuns: 50 },
);

test('a read gives the sectors asked for, and counts the status byte', (t) => {
  const { bench, device } = setUp();
  t.is(request(bench, device, IN, 5n, [[DATA, 1024, true]]), OK);
  t.deepEqual(bench.used(SIZE), [[0, 1025]]);
  for (const i of [0, 511, 512, 1023]) {
    t.is(bench.memory.u8(DATA + i), (7 * (5 + (i >> 9)) + 13 * (i & 511)) & 255);
  }
});

test('status words follow QEMU', (t) => {
  const { bench, device } = setUp({ serial: 'S123' });
  const segment = (sectors: number, flags: number): readonly [number, number, boolean] => {
    bench.memory.setU64(DATA, 1n, true);
    bench.memory.setU32(DATA + 8, sectors, true);
    bench.memory.setU32(DATA + 12, flags, true);
    return [DATA, 16, false];
  };
  const rows: readonly (readonly [
    string,
    number,
    bigint,
    readonly (readonly [number, number, boolean])[],
    number,
  ])[] = [
    ['partial sector', IN, 0n, [[DATA, 511, true]], IOERR],
    ['no data', IN, 0n, [], OK],
    ['at the end, no data', IN, BigInt(SECTORS), [], OK],
    ['beyond the end', IN, BigInt(SECTORS) + 1n, [], IOERR],
    ['far beyond', IN, 0xffff_ffff_ffff_ffffn, [[DATA, 512, true]], IOERR],
    ['flush', FLUSH, 0n, [], OK],
    ['get id', GET_ID, 0n, [[DATA, 20, true]], OK],
    ['unknown', 30, 0n, [], UNSUPP],
    ['discard', DISCARD, 0n, [segment(2, 0)], OK],
    ['discard with unmap', DISCARD, 0n, [segment(2, 1)], UNSUPP],
    ['discard of two segments', DISCARD, 0n, [[DATA, 32, false]], UNSUPP],
    ['discard beyond the end, unknown flag', DISCARD, 0n, [segment(1000, 8)], IOERR],
    ['write zeroes with unmap', WRITE_ZEROES, 0n, [segment(2, 1)], OK],
    ['write zeroes without the out bit', WRITE_ZEROES - 1, 0n, [segment(2, 1)], UNSUPP],
  ];
  for (const [what, type, sector, data, status] of rows) {
    if (type === DISCARD || type === WRITE_ZEROES) {
      const [flags, sectors] = [
        what.includes('unmap') ? 1 : what.includes('unknown') ? 8 : 0,
        what.includes('beyond') ? 1000 : 2,
      ];
      segment(sectors, flags);
    }
    t.is(request(bench, device, type, sector, data), status, what);
  }
});

test('a serial number shorter than the field is terminated', (t) => {
  const { bench, device } = setUp({ serial: 'S123' });
  bench.memory.fill(DATA, 0xff, 20);
  request(bench, device, GET_ID, 0n, [[DATA, 20, true]]);
  t.deepEqual([...bench.memory.view(DATA, 6)], [0x53, 0x31, 0x32, 0x33, 0, 0xff]);
});

test('zeroes are written, a discarded sector keeps its bytes', (t) => {
  const { bench, device, disk } = setUp();
  bench.memory.setU64(DATA, 3n, true);
  bench.memory.setU32(DATA + 8, 1, true);
  request(bench, device, DISCARD, 0n, [[DATA, 16, false]]);
  t.is(disk.memory.u8(3 * 512 + 1), (7 * 3 + 13) & 255);
  request(bench, device, WRITE_ZEROES, 0n, [[DATA, 16, false]]);
  t.true(disk.memory.view(3 * 512, 512).every((byte) => byte === 0));
});

test('a read-only disk refuses writes', (t) => {
  const { bench, device, disk } = setUp({}, true);
  t.is(request(bench, device, OUT, 0n, [[DATA, 512, false]]), IOERR);
  t.is(disk.memory.u8(1), 13);
});

test('requests without a header or a status break the device', (t) => {
  for (const [pieces, text] of [
    [[[BUFFERS, 16, false]], 'virtio-blk missing headers'],
    [[[BUFFERS, 16, true]], 'virtio-blk missing headers'],
    [
      [
        [BUFFERS, 15, false],
        [STATUS, 1, true],
      ],
      'virtio-blk request outhdr too short',
    ],
  ] as const) {
    const { bench, device } = setUp();
    bench.chain(0, pieces);
    bench.offer(0, SIZE);
    bench.kick(device);
    t.true(device.broken);
    t.deepEqual(bench.log.lines, [`qemu-system-ppc64: ${text}`]);
    t.is(device.status & 0x40, 0x40);
  }
});

test('data goes where the buffer was when the request was taken, also over a snapshot', (t) => {
  const { bench, device, disk } = setUp();
  bench.memory.setU32(BUFFERS, IN, true);
  bench.memory.setU64(BUFFERS + 8, 2n, true);
  bench.chain(0, [
    [BUFFERS, 16, false],
    [DATA, 512, true],
    [STATUS, 1, true],
  ]);
  bench.offer(0, SIZE);
  device.notifyQueue(0);
  const saver = new StateSaver();
  bench.events.exchange(saver);
  device.exchange(saver);
  const memory = bench.memory.snapshot();
  bench.settle();
  const data = bench.memory.view(DATA, 512).slice();
  t.is(data[0], 14);
  // Another life of the same machine goes on from the snapshot.
  bench.memory.restore(memory);
  t.is(bench.memory.u8(DATA), 0);
  const loader = new StateLoader(saver.finish());
  bench.events.exchange(loader);
  device.exchange(loader);
  loader.done();
  bench.settle();
  t.deepEqual(bench.memory.view(DATA, 512).slice(), data);
  t.deepEqual(bench.used(SIZE), [[0, 513]]);
  t.is(disk.sectors, SECTORS);
});

test('a reset finishes what was begun', (t) => {
  const { bench, device } = setUp();
  bench.memory.setU32(BUFFERS, IN, true);
  bench.chain(0, [
    [BUFFERS, 16, false],
    [DATA, 512, true],
    [STATUS, 1, true],
  ]);
  bench.offer(0, SIZE);
  device.notifyQueue(0);
  device.reset('little');
  t.is(bench.memory.u8(DATA + 1), 13);
  t.is(bench.events.pending, 0);
});

test('a driver without CONFIG_WCE gets the cache mode it can flush', (t) => {
  const { device } = setUp();
  t.is(device.configRead(32, 1), 0, 'neither FLUSH nor CONFIG_WCE was accepted');
  device.configWrite(32, 1, 1);
  t.is(device.configRead(32, 1), 1);
  device.reset('little');
  t.is(device.configRead(32, 1), 1);
});

const SECTORS_WIDE = BigInt(SECTORS);
const [SECURE_ERASE, FLUSH_BIT, CONFIG_WCE] = [1n << 16n, 1n << 9n, 1n << 11n];
const WCE_AT = 32;

test('the cache mode follows what was agreed, and a reset brings it back', (t) => {
  const wce = (device: BlkDevice): number => device.configRead(WCE_AT, 1);
  const both = setUp({}, false, 'qemu-7.2', VERSION_1 | FLUSH_BIT | CONFIG_WCE).device;
  t.is(wce(both), 1);
  both.configWrite(WCE_AT, 1, 0);
  t.is(wce(both), 0);
  both.configWrite(WCE_AT, 1, 7);
  t.is(wce(both), 1);
  t.is(wce(setUp({}, false, 'qemu-7.2', VERSION_1).device), 0);
  t.is(wce(setUp({ writeCache: false }, false, 'qemu-7.2', VERSION_1 | FLUSH_BIT).device), 1);
  const alone = setUp({}, false, 'qemu-7.2', VERSION_1 | CONFIG_WCE).device;
  t.is(wce(alone), 1);
  alone.configWrite(WCE_AT, 1, 0);
  alone.reset('little');
  t.is(wce(alone), 1);
  t.is(wce(setUp({}, false, 'spec', VERSION_1 | CONFIG_WCE).device), 0);
});

test('the configuration is what the driver reads, whatever it scribbled over it', (t) => {
  const { bench, device, disk } = setUp();
  const all = (): number[] =>
    Array.from({ length: device.configLength }, (_, at) => device.configRead(at, 1));
  const before = all();
  for (let at = 0; at < 32; at++) device.configWrite(at, 1, 0xa5);
  t.deepEqual(all(), before);
  const seen = bench.interrupts;
  t.true(disk.resize(SECTORS / 2));
  device.resized(disk);
  t.is(bench.interrupts, seen + 1);
  t.is(device.isr & 2, 2);
  t.is(device.configRead(0, 4), SECTORS / 2);
  t.is(request(bench, device, IN, BigInt(SECTORS / 2), [[DATA, 512, true]]), IOERR);
  t.false(disk.resize(SECTORS * 2));
});

test('a discard of a read-only disk succeeds, zeroes do not', (t) => {
  const { bench, device } = setUp({}, true);
  bench.memory.setU64(DATA, 1n, true);
  bench.memory.setU32(DATA + 8, 1, true);
  t.is(request(bench, device, DISCARD, 0n, [[DATA, 16, false]]), OK);
  t.is(request(bench, device, WRITE_ZEROES, 0n, [[DATA, 16, false]]), IOERR);
});

test('spec: types are whole, flags come before ranges, lengths are true', (t) => {
  const { bench, device, disk } = setUp({ serial: 'S1' }, false, 'spec', VERSION_1 | SECURE_ERASE);
  const ERASE = 14;
  for (const type of [2, 3, 5, 9, 10, 12, 15, 16, 26, 0x8000_0000]) {
    t.is(request(bench, device, type, 0n, [[DATA, 512, true]]), UNSUPP, `${type}`);
  }
  const segment = (sector: bigint, sectors: number, flags: number): readonly [number, number, boolean] => {
    bench.memory.setU64(DATA, sector, true);
    bench.memory.setU32(DATA + 8, sectors, true);
    bench.memory.setU32(DATA + 12, flags, true);
    return [DATA, 16, false];
  };
  t.is(request(bench, device, DISCARD, 0n, [segment(0n, 1000, 8)]), UNSUPP);
  t.is(request(bench, device, ERASE, 0n, [segment(3n, 2, 1)]), UNSUPP);
  t.is(request(bench, device, ERASE, 0n, [segment(SECTORS_WIDE, 1, 0)]), IOERR);
  t.is(request(bench, device, ERASE, 0n, [segment(3n, 2, 0)]), OK);
  t.true(disk.memory.view(3 * 512, 1024).every((byte) => byte === 0));
  bench.memory.fill(DATA, 0xee, 512);
  t.is(request(bench, device, GET_ID, 0n, [[DATA, 20, true]]), OK);
  t.deepEqual([...bench.memory.view(DATA, 20)], [0x53, 0x31, ...Array.from({ length: 18 }, () => 0)]);
  bench.memory.fill(DATA, 0xee, 512);
  t.is(request(bench, device, IN, SECTORS_WIDE, [[DATA, 512, true]]), IOERR);
  t.true(bench.memory.view(DATA, 512).every((byte) => byte === 0));
  t.deepEqual(
    [60, 64, 68].map((at) => device.configRead(at, 4)),
    [0x3fffff, 1, 1],
  );
});

prop(
  'any run of requests leaves the disk as a naive model has it',
  [
    fc.array(
      fc.record({
        type: fc.constantFrom(IN, OUT, FLUSH, DISCARD, WRITE_ZEROES, GET_ID),
        sector: fc.nat({ max: SECTORS + 2 }),
        count: fc.nat({ max: 4 }),
        fill: fc.nat({ max: 255 }),
      }),
      { maxLength: 24 },
    ),
  ],
  (acts) => {
    const { bench, device, disk } = setUp();
    const model = disk.memory.view(0, disk.memory.size).slice();
    for (const { type, sector, count, fill } of acts) {
      const bytes = 512 * count;
      bench.memory.fill(DATA, fill, 4 * 512);
      if (type === DISCARD || type === WRITE_ZEROES) {
        bench.memory.setU64(DATA, BigInt(sector), true);
        bench.memory.setU32(DATA + 8, count, true);
        bench.memory.setU32(DATA + 12, 0, true);
      }
      const data: Record<number, readonly [number, number, boolean][]> = {
        [IN]: count === 0 ? [] : [[DATA, bytes, true]],
        [OUT]: count === 0 ? [] : [[DATA, bytes, false]],
        [DISCARD]: [[DATA, 16, false]],
        [WRITE_ZEROES]: [[DATA, 16, false]],
        [GET_ID]: [[DATA, 20, true]],
      };
      const status = request(bench, device, type, BigInt(sector), data[type] ?? []);
      const fits = sector + count <= SECTORS || type === FLUSH || type === GET_ID;
      if (status !== (fits ? OK : IOERR)) return false;
      if (!fits) continue;
      if (type === OUT) model.fill(fill, 512 * sector, 512 * sector + bytes);
      if (type === WRITE_ZEROES) model.fill(0, 512 * sector, 512 * sector + bytes);
      const read = Buffer.from(bench.memory.view(DATA, bytes));
      if (type === IN && !read.equals(Buffer.from(model.subarray(512 * sector, 512 * sector + bytes))))
        return false;
    }
    return Buffer.from(model).equals(Buffer.from(disk.memory.view(0, disk.memory.size)));
  },
  { numRuns: 60 },
);
