import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { StateLoader, StateSaver } from '../core/state.ts';
import { PagedMemory } from '../memory/guest-memory.ts';
import { Bench, BUFFERS } from '../virtio/_bench.ts';
import { behaviourOf, type BehaviourName } from '../virtio/behaviour.ts';
import { Disk, diskBytes } from './backends/disk.ts';
import { ScsiDevice, type ScsiAttachment } from './scsi.ts';

const VERSION_1 = 1n << 32n;
const [HOTPLUG, CHANGE] = [1n << 1n, 1n << 2n];
const SIZE = 256;
const SECTORS = 64;
const [CONTROL, EVENTS, COMMANDS] = [0, 1, 2];
// Where a request's parts are.
const REQUEST = BUFFERS;
const RESPONSE: number = BUFFERS + 0x400;
const DATA: number = BUFFERS + 0x1000;
const [OK, OVERRUN, ABORTED, BAD_TARGET, RESET, FAILURE, SUCCEEDED, REJECTED, WRONG_LUN] = [
  0, 1, 2, 3, 4, 9, 10, 11, 12,
];
const CHECK = 2;
const SENSE_BYTES = 96;

type Unit = Partial<ScsiAttachment['options']> & { readonly sectors?: number; readonly readOnly?: boolean };

function attach(unit: Unit = {}): ScsiAttachment {
  const sectors = unit.sectors ?? SECTORS;
  const memory = new PagedMemory(diskBytes(sectors));
  return {
    disk: new Disk(memory, sectors, unit.readOnly ?? false, 'golden', 'seed'),
    options: {
      id: 'hd',
      target: 0,
      lun: 0,
      logicalBlockSize: 512,
      physicalBlockSize: 4096,
      minIoSize: 4096,
      optIoSize: 0,
      discardGranularity: 4096,
      writeCache: true,
      version: '2.5+',
      vendor: 'QEMU',
      product: 'QEMU HARDDISK',
      serial: undefined,
      deviceId: 'd0',
      removable: false,
      dpofua: false,
      wwn: 0n,
      portWwn: 0n,
      portIndex: 0,
      maxUnmapSize: 0x4000_0000,
      maxIoSize: 0x7fff_ffff,
      rotationRate: 0,
      scsiVersion: 5,
      geometry: undefined,
      ...unit,
    },
  };
}

interface Answer {
  readonly response: number;
  readonly status: number;
  readonly residual: number;
  /** Key, code and qualifier as six digits. */
  readonly sense: string;
  readonly written: number;
}

class Stand {
  readonly bench: Bench = new Bench();
  readonly device: ScsiDevice;
  readonly units: readonly ScsiAttachment[];

  constructor(
    units: readonly Unit[] = [{}],
    features: bigint = VERSION_1,
    behaviour: BehaviourName = 'qemu-7.2',
  ) {
    this.units = units.map(attach);
    const options = { numQueues: 1, queueSize: SIZE, segMaxAdjust: true, maxSectors: 0xffff, cmdPerLun: 128 };
    this.device = new ScsiDevice(
      { ...this.bench.parts, behaviour: behaviourOf(behaviour) },
      { ...options, hotplug: true, paramChange: true },
      this.units,
    );
    this.bench.drive(this.device, features);
  }

  /** Offers a command; it is not waited for. */
  offer(cdb: readonly number[], out: number, in_: number, more: Partial<Address> = {}): void {
    const { memory } = this.bench;
    const { target = 0, lun = 0, tag = 7, at = 0 } = more;
    const [request, response, data] = [REQUEST + at, RESPONSE + at, DATA + at * 16];
    memory.fill(request, 0, 51);
    memory.fill(response, 0xee, 12 + SENSE_BYTES);
    memory.write(request, this.#lun(target, lun), 0, 8);
    memory.setU32(request + 8, tag, true);
    memory.write(request + 19, Uint8Array.from(cdb), 0, cdb.length);
    const first = at === 0 ? 0 : at / 0x40;
    const head: [number, number, boolean][] = [[request, 51, false]];
    if (out > 0) head.push([data, out, false]);
    head.push([response, 12 + SENSE_BYTES, true]);
    if (in_ > 0) head.push([data, in_, true]);
    this.bench.chain(first, head, COMMANDS);
    this.bench.offer(first, SIZE, COMMANDS);
  }

  run(cdb: readonly number[], out = 0, in_ = 0, more: Partial<Address> = {}): Answer {
    this.offer(cdb, out, in_, more);
    this.bench.kick(this.device, COMMANDS);
    return this.answer(more.at);
  }

  answer(at = 0): Answer {
    const { memory } = this.bench;
    const response = RESPONSE + at;
    const sense = memory.view(response + 12, 18);
    const bytes = [sense[2], sense[12], sense[13]].map((byte) => (byte ?? 0).toString(16).padStart(2, '0'));
    return {
      response: memory.u8(response + 11),
      status: memory.u8(response + 10),
      residual: memory.u32(response + 4, true),
      sense: memory.u32(response, true) === 0 ? '' : bytes.join(''),
      written: this.bench.used(SIZE, COMMANDS).at(-1)?.[1] ?? -1,
    };
  }

  /** After reset the first command is told of it. */
  clearAttention(more: Partial<Address> = {}): void {
    this.run([0, 0, 0, 0, 0, 0], 0, 0, more);
  }

  task(subtype: number, more: Partial<Address> = {}): number | undefined {
    const { memory } = this.bench;
    const { target = 0, lun = 0, tag = 7 } = more;
    const [request, response] = [BUFFERS + 0x8000, BUFFERS + 0x8100];
    memory.fill(request, 0, 24);
    memory.setU32(request + 4, subtype, true);
    memory.write(request + 8, this.#lun(target, lun), 0, 8);
    memory.setU32(request + 16, tag, true);
    memory.setU8(response, 0xee);
    this.bench.chain(
      0,
      [
        [request, 24, false],
        [response, 1, true],
      ],
      CONTROL,
    );
    this.bench.offer(0, SIZE, CONTROL);
    this.device.notifyQueue(CONTROL);
    const answer = memory.u8(response);
    return answer === 0xee ? undefined : answer;
  }

  data(length: number): number[] {
    return [...this.bench.memory.view(DATA, length)];
  }

  text(at: number, length: number): string {
    return String.fromCharCode(...this.bench.memory.view(DATA + at, length));
  }

  #lun(target: number, lun: number): Uint8Array {
    return Uint8Array.of(1, target, lun === 0 ? 0 : 0x40 | (lun >>> 8), lun & 0xff, 0, 0, 0, 0);
  }
}

interface Address {
  readonly target: number;
  readonly lun: number;
  readonly tag: number;
  /** Where this request's parts are, beyond those of the first: a multiple of 0x40. */
  readonly at: number;
}

const TEST_UNIT_READY = [0, 0, 0, 0, 0, 0];
const inquiry = (length: number, page = -1): number[] => [
  0x12,
  page < 0 ? 0 : 1,
  Math.max(page, 0),
  length >> 8,
  length & 255,
  0,
];
const read10 = (block: number, count: number): number[] => [
  0x28,
  0,
  0,
  0,
  block >> 8,
  block & 255,
  0,
  0,
  count,
  0,
];
const write10 = (block: number, count: number): number[] => [0x2a, ...read10(block, count).slice(1)];

function wide(bytes: readonly number[], at: number): number {
  return bytes.slice(at, at + 4).reduce((sum, byte) => sum * 256 + byte, 0);
}

test('a reset is told once, to the first command that is not an inquiry', (t) => {
  const stand = new Stand();
  t.is(stand.run(inquiry(36), 0, 36).status, 0);
  t.deepEqual(stand.run(TEST_UNIT_READY), {
    response: OK,
    status: CHECK,
    residual: 0,
    sense: '062900',
    written: 108,
  });
  t.deepEqual(stand.run(TEST_UNIT_READY), { response: OK, status: 0, residual: 0, sense: '', written: 108 });
});

test('inquiry and vital product data are those of scsi-hd', (t) => {
  const stand = new Stand([{ serial: 'S1', wwn: 0x5000_c500_0000_0001n, portIndex: 3, rotationRate: 1 }]);
  t.is(stand.run(inquiry(96), 0, 96).residual, 0);
  t.deepEqual(stand.data(8), [0, 0, 5, 0x12, 91, 0, 0, 0x12]);
  t.is(stand.text(8, 28), 'QEMU    QEMU HARDDISK   2.5+');
  stand.run(inquiry(20), 0, 255);
  t.is(stand.data(5)[4], 31);
  t.is(stand.answer().residual, 235);
  stand.run(inquiry(255, 0), 0, 255);
  t.deepEqual(stand.data(10), [0, 0, 0, 6, 0, 0x80, 0x83, 0xb0, 0xb1, 0xb2]);
  stand.run(inquiry(255, 0x80), 0, 255);
  t.deepEqual(stand.data(7), [0, 0x80, 0, 2, 0x53, 0x31, 0]);
  stand.run(inquiry(255, 0x83), 0, 255);
  const names = [
    0x02, 0, 0, 2, 0x64, 0x30, 0x01, 0x03, 0, 8, 0x50, 0, 0xc5, 0, 0, 0, 0, 1, 0x61, 0x94, 0, 4, 0, 0, 0, 3,
  ];
  t.deepEqual(stand.data(30), [0, 0x83, 0, 26, ...names]);
  stand.run(inquiry(255, 0xb0), 0, 255);
  const limits = stand.data(64);
  t.deepEqual([limits[3], limits[4], limits[7]], [0x3c, 1, 8]);
  t.deepEqual(
    [8, 20, 24, 28, 40].map((at) => wide(limits, at)),
    [0x3fffff, 0x200000, 255, 8, 0x3fffff],
  );
  stand.run(inquiry(255, 0xb1), 0, 255);
  t.deepEqual(stand.data(6), [0, 0xb1, 0, 0x3c, 0, 1]);
  stand.run(inquiry(255, 0xb2), 0, 255);
  t.deepEqual(stand.data(8), [0, 0xb2, 0, 4, 0, 0xe0, 2, 0]);
  t.is(stand.run(inquiry(255, 0xb9), 0, 255).sense, '052400');
  t.is(new Stand().run(inquiry(255, 0x80), 0, 255).sense, '052400');
});

test('capacity is the last block, and both commands refuse an address', (t) => {
  const stand = new Stand();
  stand.clearAttention();
  t.is(stand.run([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0, 8).status, 0);
  t.deepEqual(stand.data(8), [0, 0, 0, SECTORS - 1, 0, 0, 2, 0]);
  t.is(stand.run([0x25, 0, 0, 0, 0, 1, 0, 0, 0, 0], 0, 8).sense, '052400');
  const long = [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0];
  t.is(stand.run(long, 0, 32).status, 0);
  t.deepEqual(stand.data(16), [0, 0, 0, 0, 0, 0, 0, SECTORS - 1, 0, 0, 2, 0, 0, 3, 0x80, 0]);
  t.is(stand.run([0x9e, 0x12, ...long.slice(2)], 0, 32).sense, '052400');
});

test('mode pages are told and the cache is switched by one', (t) => {
  const stand = new Stand();
  stand.clearAttention();
  t.is(stand.run([0x1a, 0, 0x08, 0, 64, 0], 0, 64).status, 0);
  t.deepEqual(stand.data(16), [31, 0, 0, 8, 0, 0, 0, SECTORS, 0, 0, 2, 0, 0x08, 0x12, 4, 0]);
  t.is(stand.run([0x1a, 8, 0x3f, 0, 255, 0], 0, 255).status, 0);
  // Error recovery, rigid and flexible geometry, caching.
  t.deepEqual([stand.data(1)[0], stand.data(5)[4], stand.data(17)[16]], [12 + 24 + 32 + 20 + 3, 1, 4]);
  t.is(stand.run([0x1a, 0, 0xc8, 0, 64, 0], 0, 64).sense, '053900');
  t.is(stand.run([0x1a, 0, 0x2a, 0, 64, 0], 0, 64).sense, '052400');
  const select = (list: readonly number[], flags = 0x10): Answer => {
    stand.bench.memory.write(DATA, Uint8Array.from(list), 0, list.length);
    return stand.run([0x15, flags, 0, 0, list.length, 0], list.length);
  };
  const page = [0x08, 0x12, 0, ...Array.from({ length: 17 }, () => 0)];
  t.is(select([0, 0, 0, 0, ...page]).status, 0);
  stand.run([0x1a, 8, 0x08, 0, 64, 0], 0, 64);
  t.is(stand.data(7)[6], 0);
  t.is(select([0, 0, 0, 0, ...page.slice(0, 19), 1]).sense, '052600');
  t.is(select([0, 0, 0, 0, 0x08]).sense, '051a00');
  t.is(select([0, 0, 0, 0], 0).sense, '052400');
  t.is(select([0, 0, 0, 4, 0, 0, 0, 0]).sense, '052600');
});

prop(
  'what was written is read back, and nothing beside it has changed',
  [
    fc.nat({ max: SECTORS }),
    fc.integer({ min: 0, max: 8 }),
    fc.integer({ min: 1, max: 255 }),
    fc.constantFrom(10, 12, 16),
  ],
  (block, count, value, kind) => {
    const stand = new Stand();
    stand.clearAttention();
    const memory = stand.units[0]?.disk.memory;
    if (memory === undefined) return false;
    const model = memory.view(0, memory.size).slice();
    stand.bench.memory.fill(DATA, value, 512 * 8);
    const address = [0, 0, 0, block];
    const cdb =
      kind === 10
        ? [0x2a, 0, ...address, 0, 0, count, 0]
        : kind === 12
          ? [0xaa, 0, ...address, 0, 0, 0, count, 0, 0]
          : [0x8a, 0, 0, 0, 0, 0, ...address, 0, 0, 0, count, 0, 0];
    const answer = stand.run(cdb, 512 * count);
    const fits = block + count <= SECTORS;
    if (answer.response !== OK || answer.sense !== (fits ? '' : '052100')) return false;
    if (fits) model.fill(value, 512 * block, 512 * (block + count));
    return Buffer.from(model).equals(Buffer.from(memory.view(0, memory.size)));
  },
  { numRuns: 60 },
);

test('six-byte commands count 256 blocks as none, and reach 21 bits far', (t) => {
  const stand = new Stand([{ sectors: 512 }]);
  stand.clearAttention();
  t.is(stand.run([0x08, 0, 0, 9, 1, 0], 0, 512).status, 0);
  t.is(stand.data(2)[1], (7 * 9 + 13) & 255);
  t.is(stand.run([0x08, 0, 0, 0, 0, 0], 0, 512).response, OVERRUN);
  t.is(stand.run([0x08, 0x1f, 0xff, 0xff, 1, 0], 0, 512).sense, '052100');
  // The bits above the address mean protection, which is not supported.
  t.is(stand.run([0x08, 0xe0, 0, 9, 1, 0], 0, 512).sense, '052400');
});

test('QEMU moves all that was described, however little was asked for', (t) => {
  const stand = new Stand();
  stand.clearAttention();
  const answer = stand.run(read10(2, 1), 0, 1536 + 100);
  t.is(answer.residual, (512 - 1636) >>> 0);
  t.is(answer.written, 108 + 1636);
  const first = [0, 512, 1024].map((at) => stand.bench.memory.u8(DATA + at));
  t.deepEqual(first, [14, 21, 28]);
  t.is(stand.bench.memory.u8(DATA + 1536), 0);
  t.is(stand.run(read10(SECTORS - 1, 1), 0, 1024).sense, '0b0006');
});

test('a response names what is wrong with a request, in QEMU’s order', (t) => {
  const stand = new Stand([{ lun: 1 }]);
  const rows: readonly (readonly [string, readonly number[], number, number, Partial<Address>, number])[] = [
    ['no such target', TEST_UNIT_READY, 0, 0, { target: 5 }, BAD_TARGET],
    ['data both ways', inquiry(36), 512, 36, { target: 5 }, FAILURE],
    ['the wrong way', inquiry(36), 36, 0, { lun: 1 }, OVERRUN],
    ['too little room', inquiry(96), 0, 36, { lun: 1 }, OVERRUN],
    ['no room', read10(0, 1), 0, 0, { lun: 1 }, OVERRUN],
  ];
  for (const [what, cdb, out, in_, address, response] of rows) {
    t.is(stand.run(cdb, out, in_, address).response, response, what);
  }
  // Too little room cost the unit attention; a length beyond 2 GiB is refused before.
  t.is(stand.run(TEST_UNIT_READY, 0, 0, { lun: 1 }).sense, '');
});

test('a unit that is not there is answered for by its target', (t) => {
  const stand = new Stand([{ lun: 1 }, { lun: 300 }, { target: 1, lun: 0 }]);
  for (const lun of [1, 300]) stand.clearAttention({ lun });
  t.is(stand.run(TEST_UNIT_READY).status, 0);
  t.is(stand.run(TEST_UNIT_READY, 0, 0, { lun: 2 }).sense, '052500');
  t.is(stand.run(read10(0, 1), 0, 512).sense, '052000');
  stand.run(inquiry(36), 0, 36);
  t.deepEqual(stand.data(8), [0x3f, 0, 5, 0x12, 31, 0, 0, 0x12]);
  t.is(stand.text(8, 28), 'QEMU    QEMU TARGET     2.5\0');
  stand.run(inquiry(36), 0, 36, { lun: 2 });
  t.is(stand.data(1)[0], 0x7f);
  const list = [0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0];
  t.is(stand.run(list, 0, 64).residual, 64 - 32);
  t.deepEqual(
    stand.data(32),
    [0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 44, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  );
  t.is(stand.run(list, 0, 64, { lun: 1 }).sense, '052500');
});

test('sense is held until a command succeeds', (t) => {
  const stand = new Stand();
  stand.clearAttention();
  t.is(stand.run([0xc0, 0, 0, 0, 0, 0]).sense, '052000');
  const request = [0x03, 0, 0, 0, 18, 0];
  t.is(stand.run(request, 0, 18).status, 0);
  t.deepEqual(stand.data(14), [0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x20, 0]);
  t.is(stand.run([0x03, 1, 0, 0, 18, 0], 0, 18).status, 0);
  t.deepEqual(stand.data(4), [0x72, 0, 0, 0]);
});

test('a read-only disk refuses, a longer command is waited for', (t) => {
  const stand = new Stand([{ readOnly: true }]);
  stand.clearAttention();
  t.is(stand.run(write10(0, 1), 512).sense, '072700');
  t.is(stand.run([0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0]).status, 0);
  stand.bench.memory.fill(DATA, 0, 24);
  stand.bench.memory.setU8(DATA + 3, 16);
  t.is(stand.run([0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0], 24).sense, '072700');
  stand.run([0x1a, 8, 0x3f, 0, 255, 0], 0, 255);
  t.is(stand.data(3)[2], 0x80);
});

test('write same repeats a block, or zeroes, over its range', (t) => {
  const stand = new Stand();
  stand.clearAttention();
  const memory = stand.units[0]?.disk.memory;
  stand.bench.memory.fill(DATA, 0x5a, 512);
  const cdb = [0x41, 0, 0, 0, 0, 3, 0, 0, 2, 0];
  t.is(stand.run(cdb, 512).status, 0);
  t.true(memory?.view(3 * 512, 1024).every((byte) => byte === 0x5a));
  t.is(memory?.u8(5 * 512 + 1), (35 + 13) & 255);
  t.is(stand.run([0x41, 0, 0, 0, 0, SECTORS - 1, 0, 0, 2, 0], 512).sense, '052100');
  t.is(stand.run([0x41, 4, ...cdb.slice(2)], 512).sense, '052400');
  t.is(stand.run([0x41, 0, 0, 0, 0, 3, 0, 0, 0, 0], 512).sense, '052400');
});

test('headers of the wrong size break the device, and what was taken before is not begun', (t) => {
  const stand = new Stand();
  stand.offer(TEST_UNIT_READY, 0, 0);
  stand.bench.chain(
    8,
    [
      [REQUEST, 50, false],
      [RESPONSE + 0x400, 108, true],
    ],
    COMMANDS,
  );
  stand.bench.offer(8, SIZE, COMMANDS);
  stand.bench.kick(stand.device, COMMANDS);
  t.true(stand.device.broken);
  t.deepEqual(stand.bench.log.lines, ['qemu-system-ppc64: wrong size for virtio-scsi headers']);
  t.deepEqual(stand.bench.used(SIZE, COMMANDS), []);
});

/** A read that is begun and not finished. */
function pending(t: ExecutionContext): Stand {
  const stand = new Stand();
  stand.clearAttention();
  stand.offer(read10(2, 1), 0, 512, { tag: 9 });
  stand.device.notifyQueue(COMMANDS);
  t.is(stand.answer().response, 0xee);
  return stand;
}

test('a task is found by its tag, and aborted when the disk is done with it', (t) => {
  const stand = pending(t);
  const [ABORT, QUERY, QUERY_SET] = [0, 6, 7];
  t.is(stand.task(QUERY, { tag: 8 }), OK);
  t.is(stand.task(QUERY, { tag: 9 }), SUCCEEDED);
  t.is(stand.task(QUERY_SET), SUCCEEDED);
  t.is(stand.task(ABORT, { tag: 8 }), OK);
  t.is(stand.task(ABORT, { tag: 9 }), undefined);
  // It is in the list no more.
  t.is(stand.bench.used(SIZE, CONTROL).length, 4);
  stand.bench.settle();
  t.is(stand.answer().response, ABORTED);
  t.is(stand.bench.memory.u8(BUFFERS + 0x8100), OK);
  t.is(stand.bench.memory.u8(DATA), 14);
  t.is(stand.bench.used(SIZE, CONTROL).length, 5);
});

test('task sets are cleared, and what is asked of nobody is refused', (t) => {
  const stand = new Stand([{ lun: 1 }]);
  for (const [subtype, address, answer] of [
    [1, { lun: 1 }, OK],
    [3, { lun: 1 }, OK],
    [5, { lun: 0 }, WRONG_LUN],
    [0, { target: 3 }, BAD_TARGET],
    [2, { lun: 1 }, REJECTED],
    [77, { lun: 1 }, REJECTED],
    [4, { target: 3 }, OK],
  ] as const) {
    t.is(stand.task(subtype, address), answer, `${subtype}`);
  }
});

test('a reset of a unit, a target or the device ends what is in flight', (t) => {
  for (const subtype of [5, 4]) {
    const stand = pending(t);
    t.is(stand.task(subtype), OK);
    t.is(stand.answer().response, RESET);
    t.is(stand.run(TEST_UNIT_READY).sense, '062900');
  }
  const stand = pending(t);
  stand.device.reset('little');
  t.is(stand.answer().response, RESET);
});

test('a snapshot holds what is in flight and who waits for it', (t) => {
  const stand = pending(t);
  t.is(stand.task(0, { tag: 9 }), undefined);
  const saver = new StateSaver();
  stand.bench.events.exchange(saver);
  stand.device.exchange(saver);
  const memory = stand.bench.memory.snapshot();
  stand.bench.settle();
  const after = stand.answer();
  stand.bench.memory.restore(memory);
  const loader = new StateLoader(saver.finish());
  stand.bench.events.exchange(loader);
  stand.device.exchange(loader);
  loader.done();
  t.is(stand.answer().response, 0xee);
  stand.bench.settle();
  t.deepEqual(stand.answer(), after);
  t.is(stand.bench.memory.u8(BUFFERS + 0x8100), OK);
});

function giveEvents(stand: Stand, count: number): void {
  for (let i = 0; i < count; i++) {
    stand.bench.chain(i, [[BUFFERS + 0x9000 + 16 * i, 16, true]], EVENTS);
    stand.bench.offer(i, SIZE, EVENTS);
  }
}

function eventAt(stand: Stand, i: number): number[] {
  return [...stand.bench.memory.view(BUFFERS + 0x9000 + 16 * i, 16)];
}

test('plugging, unplugging and resizing are events, and missed ones are told', (t) => {
  const stand = new Stand([{ id: 'a', lun: 300 }], VERSION_1 | HOTPLUG | CHANGE);
  stand.clearAttention({ lun: 300 });
  giveEvents(stand, 1);
  t.true(stand.device.remove('a'));
  t.deepEqual(eventAt(stand, 0), [1, 0, 0, 0, 1, 0, 0x41, 44, 0, 0, 0, 0, 2, 0, 0, 0]);
  t.is(stand.run(TEST_UNIT_READY, 0, 0, { lun: 300 }).response, BAD_TARGET);
  t.false(stand.device.remove('a'));
  // Nobody gave a buffer for this one.
  t.true(stand.device.attach('a'));
  giveEvents(stand, 2);
  stand.bench.kick(stand.device, EVENTS);
  t.deepEqual(eventAt(stand, 0).slice(0, 4), [0, 0, 0, 0x80]);
  const attention = stand.run(TEST_UNIT_READY, 0, 0, { lun: 300 });
  t.is(attention.sense, '062900');
  t.is(stand.run(TEST_UNIT_READY, 0, 0, { lun: 300 }).sense, '063f0e');
  const [unit] = stand.units;
  if (unit !== undefined) stand.device.resized(unit.disk);
  t.deepEqual(eventAt(stand, 1), [3, 0, 0, 0, 1, 0, 0x41, 44, 0, 0, 0, 0, 0x2a, 9, 0, 0]);
  t.is(stand.run(TEST_UNIT_READY, 0, 0, { lun: 300 }).sense, '062a09');
});

test('the driver says how long commands and sense are', (t) => {
  const stand = new Stand();
  stand.device.configWrite(24, 4, 6);
  stand.device.configWrite(20, 4, 0);
  const { memory } = stand.bench;
  memory.fill(REQUEST, 0, 25);
  memory.setU8(REQUEST, 1);
  memory.setU8(REQUEST + 19, 0xa0);
  stand.bench.chain(
    0,
    [
      [REQUEST, 25, false],
      [RESPONSE, 12, true],
    ],
    COMMANDS,
  );
  stand.bench.offer(0, SIZE, COMMANDS);
  stand.bench.kick(stand.device, COMMANDS);
  // Twelve bytes of command do not fit into six.
  t.is(memory.u8(RESPONSE + 10), CHECK);
  t.is(memory.u32(RESPONSE, true), 0);
  t.deepEqual(stand.bench.used(SIZE, COMMANDS), [[0, 12]]);
  stand.device.configWrite(24, 4, 256);
  t.true(stand.device.broken);
});

test('the control queue answers notifications with nothing, and unknown types with no byte', (t) => {
  const stand = new Stand();
  const { memory } = stand.bench;
  for (const [type, written] of [
    [1, 5],
    [2, 5],
    [9, 0],
  ] as const) {
    memory.fill(REQUEST, 0, 16);
    memory.setU32(REQUEST, type, true);
    memory.fill(RESPONSE, 0xee, 8);
    stand.bench.chain(
      0,
      [
        [REQUEST, 16, false],
        [RESPONSE, 5, true],
      ],
      CONTROL,
    );
    stand.bench.offer(0, SIZE, CONTROL);
    stand.bench.kick(stand.device, CONTROL);
    t.is(stand.bench.used(SIZE, CONTROL).at(-1)?.[1], written);
    t.is(memory.u8(RESPONSE), written === 0 ? 0xee : 0);
  }
});

test('spec: a command moves what it asks for, and what is told was written', (t) => {
  const stand = new Stand([{}], VERSION_1, 'spec');
  const attention = stand.run(TEST_UNIT_READY);
  t.deepEqual([attention.sense, attention.written], ['062900', 108]);
  t.true(stand.bench.memory.view(RESPONSE + 30, 78).every((byte) => byte === 0));
  const read = stand.run(read10(2, 1), 0, 1536);
  t.deepEqual([read.residual, read.written], [1024, 108 + 512]);
  t.is(stand.bench.memory.u8(DATA + 512), 0);
  t.is(stand.run(write10(2, 1), 512).written, 108);
  // The request's header in two parts, and the data behind it in one buffer.
  const { memory } = stand.bench;
  stand.offer(inquiry(36), 0, 36);
  stand.bench.chain(
    0,
    [
      [REQUEST, 20, false],
      [REQUEST + 20, 31, false],
      [RESPONSE, 144, true],
    ],
    COMMANDS,
  );
  stand.bench.kick(stand.device, COMMANDS);
  t.is(memory.u8(RESPONSE + 108 + 4), 31);
});
