import test from 'ava';
import { ticks } from '../../core/time.ts';
import { flattenTree } from '../flattened-tree.ts';
import { TestPlatform } from '../_platform.ts';

const H_REGISTER_PROC_TBL = 0x37c;
const H_WATCHDOG = 0x45c;
const H_CAS = 0xf002;
const H_UPDATE_DT = 0xf003;
const H_SUCCESS = 0;
const H_PARAMETER = -4;
const MILLISECOND = 512_000;
const VECTORS = 0x5000;
const ANSWER = 0x8000;

test('H_REGISTER_PROC_TBL: flags, then table, page size, table size', (t) => {
  const platform = new TestPlatform();
  for (const [args, status] of [
    [[0x20, 0, 0, 0], H_PARAMETER],
    [[0x1c, 0x800, 1, 25], -55],
    [[0x1c, 1n << 60n, 1, 25], -55],
    [[0x1c, 0x1000, 1, 25], -56],
    [[0x1c, 0x1000, 0, 25], -57],
    [[0x1d, 0x1000, 0, 24], H_SUCCESS],
    [[0x04, 0, 0, 0], H_SUCCESS],
    [[0x00, 0, 0, 0], H_PARAMETER],
    [[0x1a, 0, 0, 0], H_PARAMETER],
    [[0x18, 1n << 38n, 8, 25], -55],
    [[0x18, 1, 8, 25], -56],
    [[0x18, 1, 7, 25], -57],
    [[0x18, 1, 7, 24], H_SUCCESS],
    [[0x04, 0, 0, 0], H_PARAMETER],
    [[0x00, 0, 0, 0], H_SUCCESS],
    [[0x10, 0, 0, 0], H_SUCCESS],
  ] as const) {
    t.is(platform.hcall(H_REGISTER_PROC_TBL, ...args), status, args.join());
  }
});

test('H_WATCHDOG: query, limits, expiry, and what it leaves running', (t) => {
  const platform = new TestPlatform();
  t.is(platform.hcall(H_WATCHDOG, 0x300), H_SUCCESS);
  t.is(platform.output(0), 0x1_0004_0000_0000n);
  t.is(platform.hcall(H_WATCHDOG, 0x400, 1), H_SUCCESS);
  t.is(platform.output(0), 2n);
  for (const [args, status] of [
    [[0x2_0301], H_PARAMETER],
    [[0x500], H_PARAMETER],
    [[0x102, 5, 100], -55],
    [[0x102, 0, 100], -55],
    [[0x102, 1, 1], -56],
    [[0x104, 1, 2], H_PARAMETER],
    [[0x200, 1], -63],
    [[0x200, 5], -55],
    [[0x200, -1], -63],
    [[0x1_0102, 1, 10], H_SUCCESS],
    [[0x101, 2, 20], H_SUCCESS],
    [[0x102, 3, 30], H_SUCCESS],
    [[0x102, 4, 1n << 63n], H_SUCCESS],
    [[0x200, 4], H_SUCCESS],
  ] as const) {
    t.is(platform.hcall(H_WATCHDOG, ...args), status, args.join());
  }
  platform.queue.advance(ticks(10 * MILLISECOND - 1));
  t.deepEqual(platform.requests, []);
  platform.queue.advance(ticks(1));
  t.deepEqual(platform.requests, ['reset']);
  const saved = platform.save();
  platform.queue.advance(ticks(100 * MILLISECOND));
  t.deepEqual(platform.requests, ['reset', 'power-off'], 'the second stops the third');
  platform.restore(saved);
  platform.queue.advance(ticks(100 * MILLISECOND));
  t.deepEqual(platform.requests, ['reset', 'power-off', 'power-off']);
});

interface CasArguments {
  readonly pvrs?: readonly (readonly [mask: number, value: number])[];
  readonly ov5?: readonly (readonly [byte: number, value: number])[];
  readonly vectors?: number;
}

const POWER9 = [0xffff_0000, 0x004e_0000] as const;
const RADIX = [24, 0x40] as const;
const XIVE = [23, 0x40] as const;

function cas(
  platform: TestPlatform,
  { pvrs = [POWER9], ov5 = [RADIX], vectors = 5 }: CasArguments = {},
): number {
  let at = VECTORS;
  for (const [mask, value] of [...pvrs, [0, 0xffff_ffff] as const]) {
    platform.memory.setU32(at, mask, false);
    platform.memory.setU32(at + 4, value, false);
    at += 8;
  }
  platform.memory.setU8(at++, vectors - 1);
  for (let vector = 1; vector <= vectors; vector++) {
    const length = vector === 5 ? 26 : 4;
    platform.memory.setU8(at++, length - 1);
    platform.memory.fill(at, 0, length);
    if (vector === 5) for (const [byte, value] of ov5) platform.memory.setU8(at + byte - 1, value);
    at += length;
  }
  return platform.hcall(H_CAS, VECTORS, ANSWER, 0x4000);
}

test('client-architecture-support answers with a header in host order and the new tree', (t) => {
  const platform = new TestPlatform();
  platform.tree = Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed, 1);
  t.is(cas(platform, { ov5: [[5, 0xff], RADIX, [26, 0xff]] }), H_SUCCESS);
  t.deepEqual([...platform.memory.view(ANSWER, 9)], [1, 0, 0, 0, 0xd0, 0x0d, 0xfe, 0xed, 1]);
  t.is(platform.negotiated?.ov5.length, 26);
  t.is(platform.negotiated?.ov5[4], 0xa0, 'FORM1 and FORM2, nothing that is not offered');
  t.is(platform.negotiated?.ov5[23], 0x40);
  t.is(platform.negotiated?.ov5[25], 0x40);
  t.is(platform.negotiated?.compatPvr, 0);
  t.is(platform.hcall(H_REGISTER_PROC_TBL, 4, 0, 0, 0), H_SUCCESS, 'radix');
});

test('processors: the raw one, the best logical one, or none', (t) => {
  const platform = new TestPlatform();
  platform.tree = Uint8Array.of(1);
  t.is(cas(platform, { pvrs: [[0xffff_ffff, 0x0f00_0004]] }), H_SUCCESS);
  t.is(platform.negotiated?.compatPvr, 0x0f00_0004);
  cas(platform, {
    pvrs: [
      [0xffff_ffff, 0x0f00_0005],
      [0xffff_ffff, 0x0f00_0003],
      [0xffff_ffff, 0x0f00_0006],
    ],
  });
  t.is(platform.negotiated?.compatPvr, 0x0f00_0005, 'version 3.1 is not offered');
  t.is(cas(platform, { pvrs: [[0xffff_ffff, 0x0f00_0006]] }), -1);
  t.is(cas(platform, { pvrs: [] }), -1);
  t.is(platform.diagnostics.lines.at(-1), "Couldn't negotiate a suitable PVR during CAS");
});

test('vectors that are missing, impossible or not to be had', (t) => {
  const platform = new TestPlatform({ icMode: 'xics' });
  platform.tree = Uint8Array.of(1);
  t.is(cas(platform, { vectors: 4 }), H_PARAMETER);
  t.deepEqual(platform.requests, []);
  cas(platform, { ov5: [[24, 0x80]] });
  cas(platform, { ov5: [[23, 0x80]] });
  cas(platform, { ov5: [RADIX, XIVE] });
  t.deepEqual(platform.requests, ['fatal', 'fatal', 'fatal'], 'QEMU exits');
  t.deepEqual(platform.diagnostics.lines, [
    "guest didn't provide option vector 5",
    'guest requested hash and radix MMU, which is invalid.',
    'guest requested an invalid interrupt mode',
    'Guest requested unavailable interrupt mode (XIVE), try the ic-mode=xive or ic-mode=dual machine property',
  ]);
  t.not(platform.hcall(H_CAS, VECTORS, ANSWER, 3), H_SUCCESS);
  t.is(platform.requests.length, 4);
  const two = new TestPlatform({ cpus: 2, maxCpus: 2 });
  two.rtas(0x2006, [1, 0, 0], 1);
  t.is(cas(two), -9005);
});

test('XIVE chosen: the calls of XICS are refused, H_XIRR after it took', (t) => {
  const platform = new TestPlatform();
  platform.tree = Uint8Array.of(1);
  t.is(cas(platform, { ov5: [RADIX, XIVE] }), H_SUCCESS);
  t.is(platform.hcall(0x74), -1);
  t.is(platform.output(0), 0n);
  t.is(platform.hcall(0x68, 5), -1);
  t.is(platform.rtas(0x200b, [0x1101], 0)[0], 0xffff_ffff);
  t.is(platform.diagnostics.lines[0], 'pseries: h_xirr must only be called for emulated XICS');
  t.is(cas(platform), H_SUCCESS, 'and back');
  t.is(platform.hcall(0x74), H_SUCCESS);
  t.is(platform.output(0), 0xff00_0000n);
});

test('H_UPDATE_DT takes a whole tree that grew to twice its size at most', (t) => {
  const platform = new TestPlatform();
  const tree = flattenTree({ name: '', properties: [], children: [] });
  platform.memory.write(0x6000, tree, 0, tree.length);
  t.is(platform.hcall(H_UPDATE_DT, 0x6000), H_PARAMETER, 'no tree was handed over');
  platform.papr.handOver(tree.subarray(0, tree.length / 2));
  t.is(platform.hcall(H_UPDATE_DT, 0x6000), H_SUCCESS);
  platform.memory.setU8(0x6000, 0);
  t.is(platform.hcall(H_UPDATE_DT, 0x6000), H_PARAMETER);
  t.is(platform.hcall(H_UPDATE_DT, 0x100_0000), H_PARAMETER);
});

test('consoles: lengths, units, and zeros behind carriage returns', (t) => {
  const platform = new TestPlatform();
  t.is(platform.hcall(0x58, 0x7100_0001, 3, 0x6869_2100_0000_0000n, 0), H_SUCCESS);
  t.is(platform.hcall(0x58, 0, 16, 0x2020_2020_2020_2020n, 0x2020_2020_2020_2021n), H_SUCCESS);
  t.is(platform.console, `hi!${' '.repeat(15)}!`);
  t.is(platform.hcall(0x58, 0x7100_0001, 17, 0, 0), H_PARAMETER);
  t.is(platform.hcall(0x58, 0x7100_0000, 1, 0, 0), H_PARAMETER, 'an nvram is no console');
  t.is(platform.hcall(0x54, 0x7100_0002), H_PARAMETER);
  t.is(platform.hcall(0x54, 1n << 32n), H_PARAMETER, 'unit 0 means all 64 bits');
  platform.papr.consoleInput(
    0,
    Uint8Array.from([0x61, 0x0d, 0x00, ...Array.from({ length: 20 }, () => 0x62)]),
  );
  const taken: string[] = [];
  for (let i = 0; i < 4; i++) {
    platform.hcall(0x54, 0);
    taken.push(`${platform.output(0)} ${platform.output(1).toString(16)} ${platform.output(2).toString(16)}`);
  }
  t.deepEqual(taken, [
    '2 610d000000000000 0',
    '16 62626262626262 6262626262626262',
    '5 6262626262000000 0',
    '0 0 0',
  ]);
});

test('VIO signals and queues', (t) => {
  const platform = new TestPlatform();
  t.is(platform.hcall(0x104, 0x7100_0001, 1), H_SUCCESS);
  t.is(platform.hcall(0x104, 0x7100_0001, 2), H_PARAMETER);
  t.is(platform.hcall(0x104, 0x7100_0000, 1), H_PARAMETER);
  t.is(platform.hcall(0x104, 0x7100_0000, 0), H_SUCCESS);
  t.is(platform.hcall(0xfc, 0x7100_0001, 0x1000, 0xfff), H_PARAMETER);
  t.is(platform.hcall(0xfc, 0x7100_0001, 0x1800, 0x1000), H_PARAMETER);
  t.is(platform.hcall(0xfc, 0x7100_0001, 0x1000, 0x1000), -7);
  t.is(platform.hcall(0x108, 0x7100_0001), -1);
  t.is(platform.hcall(0x100, 0x7100_0001), H_SUCCESS);
  t.is(platform.hcall(0x130, 0x7100_0001), H_SUCCESS);
  t.is(platform.hcall(0x130, 0x7100_0009), H_PARAMETER);
});

test('H_RANDOM exists where the machine has a source; H_PAGE_INIT clears and copies RAM', (t) => {
  const platform = new TestPlatform();
  platform.randomWords = [5n];
  t.is(platform.hcall(0x300), H_SUCCESS);
  t.is(platform.output(0), 5n);
  platform.memory.setU64(0x3000, 7n, false);
  t.is(platform.hcall(0x2c, 1 << 14, 0x2000, 0x3000), H_SUCCESS);
  t.is(platform.memory.u64(0x2000, false), 7n);
  t.is(platform.hcall(0x2c, 1 << 15, 0x2000, 0), H_SUCCESS);
  t.is(platform.memory.u64(0x2000, false), 0n);
  for (const args of [
    [1, 0x2000, 0],
    [1 << 15, 0x2008, 0],
    [1 << 15, 0x100_0000, 0],
    [1 << 14, 0x2000, 0x3008],
    [1 << 14, 0x2000, 0x100_0000],
    [1 << 15, -4096, 0],
  ]) {
    t.is(platform.hcall(0x2c, ...args), H_PARAMETER);
  }
});

test('loads and stores: sizes, RAM, its end, and everywhere else', (t) => {
  const platform = new TestPlatform();
  t.is(platform.hcall(0x40, 8, 0x2000, 0x0102_0304_0506_0708n), H_SUCCESS);
  for (const [size, value] of [
    [1, 1n],
    [2, 0x102n],
    [4, 0x102_0304n],
    [8, 0x102_0304_0506_0708n],
  ] as const) {
    t.is(platform.hcall(0x3c, size, 0x2000), H_SUCCESS);
    t.is(platform.output(0), value);
  }
  for (const size of [0, 3, 5, 16, (1n << 32n) + 1n, -1]) {
    t.is(platform.hcall(0x3c, size, 0x2000), H_PARAMETER);
    t.is(platform.output(0), BigInt.asUintN(64, BigInt(size)), 'r4 stays');
    t.is(platform.hcall(0x40, size, 0x2000, 0), H_PARAMETER);
  }
  t.is(platform.hcall(0x40, 2, 0x2000, 0xabcd_ef01), H_SUCCESS);
  t.is(platform.memory.u32(0x2000, false), 0xef01_0304);
  for (const address of [0x100_0000, 0x1_0000_0000n, 0x2000_8000_0000n, -1, 1n << 60n]) {
    t.is(platform.hcall(0x40, 4, address, 5), H_SUCCESS);
    t.is(platform.hcall(0x3c, 4, address), H_SUCCESS);
    t.is(platform.output(0), 0n);
  }
  platform.memory.fill(0xff_fff0, 0xff, 16);
  platform.hcall(0x3c, 4, 0xff_fffe);
  t.is(platform.output(0), 0n, 'a value across the end of RAM is not split');
  platform.hcall(0x3c, 2, 0xff_fffe);
  t.is(platform.output(0), 0xffffn);
});
