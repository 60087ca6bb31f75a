import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { TestFunction, TestPlatform } from './_platform.ts';

const H_SUCCESS = 0;
const H_PARAMETER = -4;
const H_RTAS = 0xf000;
const HW_ERROR = 0xffff_ffff;
const PARAM_ERROR = 0xffff_fffd;
const NOT_WRITTEN = 0xdead_beef;
const BUFFER = 0x1000;
const BUID = [0x800_0000, 0x2000_0000] as const;

/** platform.md section 3: token, counts that are checked, status when they are wrong. */
const COUNTED: readonly (readonly [token: number, nargs: number, nret: number, status: number])[] = [
  [0x2001, 0, 8, PARAM_ERROR],
  [0x2002, 7, 1, PARAM_ERROR],
  [0x2003, 2, 1, PARAM_ERROR],
  [0x2004, 0, 1, PARAM_ERROR],
  [0x2005, 1, 2, PARAM_ERROR],
  [0x2006, 3, 1, PARAM_ERROR],
  [0x200a, 3, 1, PARAM_ERROR],
  [0x200b, 1, 3, PARAM_ERROR],
  [0x200c, 1, 1, PARAM_ERROR],
  [0x200d, 1, 1, PARAM_ERROR],
  [0x200f, 4, 1, PARAM_ERROR],
  [0x2012, 3, 2, PARAM_ERROR],
  [0x2013, 3, 2, PARAM_ERROR],
  [0x2014, 2, 2, HW_ERROR],
  [0x2015, 3, 1, HW_ERROR],
  [0x2016, 4, 2, HW_ERROR],
  [0x2017, 5, 1, HW_ERROR],
  [0x201a, 3, 1, PARAM_ERROR],
  [0x201b, 2, 2, PARAM_ERROR],
  [0x201c, 1, 2, PARAM_ERROR],
  [0x201d, 2, 2, PARAM_ERROR],
  [0x201e, 2, 1, PARAM_ERROR],
  [0x2027, 5, 4, PARAM_ERROR],
  [0x2028, 1, 1, PARAM_ERROR],
  [0x2029, 3, 1, PARAM_ERROR],
  [0x202a, 0, 1, PARAM_ERROR],
];

for (const [token, nargs, nret, status] of COUNTED) {
  test(`0x${token.toString(16)} insists on ${nargs} arguments and ${nret} results`, (t) => {
    const platform = new TestPlatform();
    const args = Array.from({ length: nargs + 1 }, () => 0);
    t.is(platform.rtas(token, args, nret)[0], status);
    t.is(platform.rtas(token, args.slice(1), nret + 1)[0], status);
    if (nargs > 0) t.is(platform.rtas(token, args.slice(2), nret)[0], status);
    t.deepEqual(platform.requests, []);
  });
}

test('a token that no call has: both the buffer and the hypercall say so', (t) => {
  const platform = new TestPlatform();
  for (const token of [0, 0xb, 0x1fff, 0x202d, 0xffff_ffff]) {
    t.is(platform.rtas(token, [], 1)[0], PARAM_ERROR);
    t.is(platform.hcall(H_RTAS, BUFFER), H_PARAMETER);
  }
});

test('the buffer: top nibble ignored, anywhere else it reads as zeros', (t) => {
  const platform = new TestPlatform();
  platform.rtas(0x201c, [0xffff_ffff], 2);
  platform.memory.setU32(BUFFER + 16, NOT_WRITTEN, false);
  t.is(platform.hcall(H_RTAS, 0xf000_0000_0000_1000n), H_SUCCESS);
  t.is(platform.memory.u32(BUFFER + 16, false), 0);
  t.is(platform.hcall(H_RTAS, 0x100_0000), H_PARAMETER);
  t.is(platform.hcall(H_RTAS, 0x0fff_ffff_ffff_fff0n), H_PARAMETER);
});

test('the place of the results is computed in 32 bits', (t) => {
  const platform = new TestPlatform();
  platform.memory.setU32(BUFFER, 0x201c, false);
  platform.memory.setU32(BUFFER + 4, 0x4000_0001, false);
  platform.memory.setU32(BUFFER + 8, 2, false);
  t.is(platform.hcall(H_RTAS, BUFFER), H_SUCCESS);
  t.is(platform.memory.u32(BUFFER + 16, false), PARAM_ERROR);
});

test('display-character: the old token too, any counts', (t) => {
  const platform = new TestPlatform();
  t.is(platform.rtas(0x2000, [0x141], 1)[0], 0);
  t.is(platform.rtas(0xa, [0x42], 0)[0], 0);
  t.is(platform.console, 'AB');
  t.is(new TestPlatform({ vio: [] }).rtas(0x2000, [0x41], 1)[0], HW_ERROR);
});

test('time of day: virtual time from the epoch, nanoseconds as the low word of the whole', (t) => {
  const platform = new TestPlatform({ epochSeconds: 951_782_400 });
  platform.queue.advance(1_512_000_000 as never);
  const ns = Number(BigInt.asUintN(32, 951_782_400n * 1_000_000_000n + 2_953_125_000n));
  t.deepEqual(platform.rtas(0x2001, [], 8), [0, 2000, 2, 29, 0, 0, 2, ns]);
  t.deepEqual(platform.rtas(0x2002, [2024, 12, 31, 23, 59, 59, 7], 1), [0]);
  t.deepEqual(platform.rtas(0x2001, [], 8).slice(0, 7), [0, 2024, 12, 31, 23, 59, 59]);
  t.deepEqual(platform.rtas(0x2002, [2024, 13, 32, 0, 0, 0, 0], 1), [0], 'dates are not checked');
  t.deepEqual(platform.rtas(0x2001, [], 8).slice(0, 4), [0, 2025, 2, 1]);
  t.is(
    platform.rtas(0x2002, [1969, 12, 31, 23, 59, 59, 0], 1)[0],
    PARAM_ERROR,
    'the one sum that is an error',
  );
});

prop(
  'a clock that is set to a moment shows that moment',
  [
    fc.tuple(
      fc.integer({ min: 1970, max: 2200 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 28 }),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 59 }),
      fc.integer({ min: 0, max: 59 }),
    ),
  ],
  (fields) => {
    const platform = new TestPlatform();
    platform.rtas(0x2002, [...fields, 0], 1);
    return platform.rtas(0x2001, [], 8).slice(1, 7).join() === fields.join();
  },
);

test('power-off, reboot and os-term ask the machine', (t) => {
  const platform = new TestPlatform();
  platform.rtas(0x2003, [0, 0], 1);
  platform.rtas(0x2004, [], 1);
  platform.memory.write(0x3000, new TextEncoder().encode('bad luck\0'), 0, 9);
  t.is(platform.rtas(0x201f, [0x3000], 1)[0], 0);
  t.deepEqual(platform.requests, ['power-off', 'reset', 'guest-panicked']);
  t.deepEqual(platform.diagnostics.lines, ['OS terminated: bad luck']);
});

test('CPUs: stopped ones can be started, once', (t) => {
  const platform = new TestPlatform({ cpus: 2, maxCpus: 2 });
  t.deepEqual(platform.rtas(0x2005, [0], 2), [0, 2]);
  t.deepEqual(platform.rtas(0x2005, [1], 2), [0, 0]);
  t.deepEqual(platform.rtas(0x2005, [2], 2), [PARAM_ERROR, NOT_WRITTEN]);
  t.is(platform.rtas(0x2006, [1, 0x4000, 7], 1)[0], 0);
  t.deepEqual(platform.started, [[1, 0x4000n, 7n]]);
  t.is(platform.rtas(0x2006, [1, 0x4000, 7], 1)[0], HW_ERROR);
  t.is(platform.rtas(0x2006, [0, 0x4000, 7], 1)[0], HW_ERROR);
  t.is(platform.rtas(0x2006, [9, 0x4000, 7], 1)[0], PARAM_ERROR);
  platform.cpu = 1;
  t.is(platform.rtas(0x2007, [], 1)[0], NOT_WRITTEN, 'stop-self does not return');
  platform.cpu = 0;
  t.deepEqual(platform.rtas(0x2005, [1], 2), [0, 0]);
});

test('system parameters', (t) => {
  const uuid = Uint8Array.from({ length: 16 }, (_, i) => i);
  const platform = new TestPlatform({ uuid });
  t.is(platform.rtas(0x2008, [20, 0x3000, 100], 1)[0], 0);
  const text = 'MaxEntCap=1,DesMem=16,DesProcs=1,MaxPlatProcs=1,HostThrs=4\0';
  t.is(platform.memory.u16(0x3000, false), text.length);
  t.is(new TextDecoder().decode(platform.memory.view(0x3002, text.length)), text);
  t.is(platform.rtas(0x2008, [48, 0x3000, 4], 1)[0], 0);
  t.deepEqual(
    [...platform.memory.view(0x3000, 5)],
    [0, 16, 0, 1, text.charCodeAt(2)],
    'cut, with its whole length',
  );
  t.is(platform.rtas(0x2008, [42, 0x3000, 1], 1)[0], 0xffff_d8f1);
  t.is(platform.rtas(0x2008, [43, 0x3000, 100], 1)[0], PARAM_ERROR);
  for (const [id, status] of [
    [20, 0xffff_dcd6],
    [42, 0xffff_dcd6],
    [48, 0xffff_dcd6],
    [1, PARAM_ERROR],
  ] as const) {
    t.is(platform.rtas(0x2009, [id, 0x3000], 1)[0], status);
  }
});

test('nvram: what is stored is fetched, within 64 KiB', (t) => {
  const platform = new TestPlatform();
  platform.memory.write(0x3000, Uint8Array.of(1, 2, 3, 4), 0, 4);
  t.deepEqual(platform.rtas(0x2013, [0xfffc, 0x3000, 4], 2), [0, 4]);
  t.deepEqual(platform.rtas(0x2012, [0xfffe, 0x4000, 2], 2), [0, 2]);
  t.deepEqual([...platform.memory.view(0x4000, 3)], [3, 4, 0]);
  t.deepEqual(platform.rtas(0x2012, [0xfffe, 0x4000, 3], 2), [PARAM_ERROR, 0]);
  t.deepEqual(platform.rtas(0x2012, [1, 0x4000, 0xffff_ffff], 2), [PARAM_ERROR, 0]);
  t.deepEqual(platform.rtas(0x2012, [0, 0xff_fff0, 0x100], 2), [0, 0x10], 'as far as RAM goes');
  t.deepEqual(platform.rtas(0x2012, [0, 0x8000_0000, 0x2000], 2), [0, 0x1000], 'a bounce buffer elsewhere');
  t.deepEqual(new TestPlatform({ vio: [] }).rtas(0x2012, [0, 0, 0], 2), [HW_ERROR, 0]);
});

test('configuration cycles: everything wrong is -1', (t) => {
  const platform = new TestPlatform();
  const plugged = new TestFunction(8);
  platform.papr.plug(0, plugged);
  plugged.configWrite(0x10, 4, 0x1234_5678);
  t.deepEqual(platform.rtas(0x2016, [0x810, ...BUID, 2], 2), [0, 0x5678]);
  t.deepEqual(platform.rtas(0x2016, [0x813, ...BUID, 1], 2), [0, 0x12]);
  t.is(platform.rtas(0x2017, [0x812, ...BUID, 2, 0xdead_beef], 1)[0], 0);
  t.is(plugged.configRead(0x10, 4), 0xbeef_5678);
  for (const [address, high, low, size] of [
    [0x810, ...BUID, 3],
    [0x810, ...BUID, 8],
    [0x811, ...BUID, 2],
    [0x812, ...BUID, 4],
    [0x910, ...BUID, 4],
    [0x1_0810, ...BUID, 4],
    [0x1000_0810, ...BUID, 4],
    [0x810, 0, 0, 4],
  ] as const) {
    t.deepEqual(platform.rtas(0x2016, [address, high, low, size], 2), [HW_ERROR, NOT_WRITTEN]);
    t.is(platform.rtas(0x2017, [address, high, low, size, 0], 1)[0], HW_ERROR);
  }
  t.is(platform.rtas(0x2014, [0x810, 4], 2)[0], HW_ERROR, 'no bridge has BUID 0');
});

test('ibm,change-msi and ibm,query-interrupt-source-number', (t) => {
  const platform = new TestPlatform();
  const first = new TestFunction(8, 3);
  const second = new TestFunction(16, 4);
  platform.papr.plug(0, first);
  platform.papr.plug(0, second);
  platform.papr.plug(0, new TestFunction(24, 0));
  const change = (address: number, kind: number, count: number, nret = 4): number[] =>
    platform.rtas(0x2019, [address, ...BUID, kind, count, 41], nret);
  const query = (address: number, vector: number): number[] =>
    platform.rtas(0x2018, [address, ...BUID, vector], 3);

  t.is(change(0x3800, 1, 1)[0], PARAM_ERROR, 'no such device');
  t.is(change(0x1800, 1, 1)[0], PARAM_ERROR, 'no MSI-X');
  for (const kind of [0, 2, 3, 5]) t.is(change(0x800, kind, 1)[0], PARAM_ERROR);
  t.deepEqual(platform.diagnostics.lines, [
    'rtas_ibm_change_msi(0) is not implemented',
    'rtas_ibm_change_msi(2) is not implemented',
    'rtas_ibm_change_msi(5) is not implemented',
  ]);
  t.is(change(0x800, 1, 0)[0], HW_ERROR, 'nothing to release');
  t.deepEqual(change(0x800, 1, 9), [0, 3, 42, 2], 'too many: only the number that would do');
  t.is(query(0x800, 0)[0], HW_ERROR);
  t.deepEqual(change(0x800, 4, 3), [0, 3, 42, 2]);
  t.deepEqual(
    [...first.messages],
    [
      [0, 0x1300],
      [1, 0x1301],
      [2, 0x1302],
    ],
  );
  t.deepEqual(change(0x1000, 1, 2, 3), [0, 2, 42], 'blocks start at even numbers');
  t.deepEqual(query(0x1000, 1), [0, 0x1305, 1]);
  t.is(query(0x1000, 2)[0], HW_ERROR);
  t.deepEqual(change(0x800, 1, 1), [0, 1, 42, 2], 'the new block is taken before the old one is free');
  t.deepEqual(query(0x800, 0), [0, 0x1306, 1]);
  t.is(query(0x801, 0)[0], HW_ERROR, 'register bits are part of the key');
  t.deepEqual(change(0x1000, 1, 0).slice(0, 3), [0, 0, NOT_WRITTEN]);
  t.is(query(0x1000, 0)[0], HW_ERROR);
  t.is(second.messages.get(0), 0x1304, 'the table keeps its text');
});

test('ibm,change-msi runs out of numbers, and says so', (t) => {
  const platform = new TestPlatform();
  platform.papr.plug(0, new TestFunction(8, 2048));
  t.deepEqual(platform.rtas(0x2019, [0x800, ...BUID, 1, 2048, 0], 3), [0, 2048, 1]);
  t.is(platform.rtas(0x2019, [0x800, ...BUID, 1, 2048, 0], 3)[0], HW_ERROR);
  t.deepEqual(platform.rtas(0x2018, [0x800, ...BUID, 2047], 3), [0, 0x1300 + 2047, 1]);
});

test('machines before pseries-3.1 number interrupts in order of creation', (t) => {
  const platform = new TestPlatform({ legacyIrqNumbers: true, hotplugEventSource: false });
  t.is(platform.papr.partition.epowIrq, 0x1000);
  t.deepEqual(
    platform.papr.partition.vio.devices.map((device) => device.irq),
    [0x1001, 0x1002],
  );
  t.deepEqual(platform.papr.hostBridge.lsi, [0x1003, 0x1004, 0x1005, 0x1006]);
  platform.papr.plug(0, new TestFunction(8, 4));
  platform.rtas(0x2019, [0x800, ...BUID, 1, 4, 0], 3);
  t.is(platform.rtas(0x2018, [0x800, ...BUID, 0], 3)[1], 0x1007);
  t.is(platform.rtas(0x200b, [0x1400], 3)[0], PARAM_ERROR, 'there are 0x400 sources');
});

test('error handling, events, power levels, interlock', (t) => {
  const platform = new TestPlatform();
  platform.papr.plug(0, new TestFunction(8));
  for (let token = 0x2020; token <= 0x2025; token++) {
    t.is(platform.rtas(token, [0x800, ...BUID, 1], 2)[0], PARAM_ERROR);
  }
  t.is(platform.rtas(0x200e, [0, 0, 0, 0, 0, 0], 1)[0], 1);
  t.is(platform.rtas(0x200e, [0, 0, 0, 0, 0], 1)[0], PARAM_ERROR);
  t.is(platform.rtas(0x200f, [0, 0, 0, 0], 1)[0], 1);
  t.deepEqual(platform.rtas(0x201b, [0xffff_ffff, 50], 2), [0, 100]);
  t.deepEqual(platform.rtas(0x201c, [0], 2), [PARAM_ERROR, NOT_WRITTEN]);
  t.is(platform.rtas(0x202b, [0x100, 0x200], 1)[0], PARAM_ERROR, 'nobody told where RTAS lies');
  t.is(platform.rtas(0x202c, [], 1)[0], PARAM_ERROR);
  t.is(platform.rtas(0x202a, [], 1)[0], 0);
});

test('connectors: sensors and indicators', (t) => {
  const platform = new TestPlatform();
  platform.papr.plug(0, new TestFunction(8));
  platform.papr.reset();
  const sense = (index: number): number[] => platform.rtas(0x201d, [9003, index], 2);
  const set = (indicator: number, index: number, value: number): number =>
    platform.rtas(0x201a, [indicator, index, value], 1)[0] ?? 0;
  t.deepEqual(sense(0x4000_0008), [0, 1]);
  t.deepEqual(sense(0x4000_0010), [0, 0]);
  t.deepEqual(sense(0x1000_0000), [0, 1]);
  t.deepEqual(sense(0x2000_0001), [0, 2]);
  t.deepEqual(sense(0x3000_0000), [PARAM_ERROR, 0]);
  t.deepEqual(platform.rtas(0x201d, [9004, 0x4000_0008], 2), [PARAM_ERROR, 0]);
  t.deepEqual(platform.rtas(0x201d, [9003], 2), [PARAM_ERROR, 0], 'the reading is written anyway');
  t.is(set(9001, 0x4000_0008, 0), 0);
  t.is(set(9001, 0x4000_0008, 1), 0);
  t.is(set(9001, 0x4000_0008, 0), PARAM_ERROR, 'while it is being configured');
  t.is(set(9001, 0x4000_0010, 1), PARAM_ERROR, 'nothing is there');
  t.is(set(9001, 0x4000_0008, 2), PARAM_ERROR);
  t.is(set(9002, 0x4000_0008, 3), 0);
  t.is(set(9002, 0x4000_0008, 4), PARAM_ERROR);
  t.is(set(9003, 0x4000_0008, 1), PARAM_ERROR, 'slots are physical');
  t.is(set(9003, 0x1000_0000, 0), PARAM_ERROR, 'not while it is in use');
  t.is(set(9001, 0x1000_0000, 0), 0);
  t.is(set(9003, 0x1000_0000, 0), 0);
  t.deepEqual(sense(0x1000_0000), [0, 2]);
  t.is(set(9003, 0x1000_0000, 1), 0);
  t.is(set(9, 0x1000_0000, 1), PARAM_ERROR);
});

test('quiesce and bypass reach VIO windows only', (t) => {
  const platform = new TestPlatform({ vio: [{ kind: 'spapr-nvram' }, { kind: 'spapr-vscsi' }] });
  platform.hcall(0x20, 0x7100_0001, 0x1000, 0x5003);
  platform.hcall(0x20, 0x8000_0000, 0x1000, 0x5003);
  t.is(platform.rtas(0x2010, [0x7100_0001, 1], 0)[0], 0);
  t.true(platform.papr.partition.vio.devices[1]?.table?.bypass);
  t.is(platform.rtas(0x2010, [0x7100_0000, 1], 1)[0], PARAM_ERROR);
  t.is(platform.rtas(0x2010, [0x7100_0007, 1], 1)[0], PARAM_ERROR);
  t.is(platform.rtas(0x2011, [0], 1)[0], PARAM_ERROR);
  t.is(platform.rtas(0x2011, [], 1)[0], 0);
  platform.hcall(0x1c, 0x7100_0001, 0x1000);
  t.is(platform.output(0), 0n);
  platform.hcall(0x1c, 0x8000_0000, 0x1000);
  t.is(platform.output(0), 0x5003n);
});

const wordOf = fc.oneof(
  fc.constantFrom(0, 1, 2, 0x800, 0x800_0000, 0x2000_0000, 0x8000_0000, 0x1300, 0xffff_ffff, 0x3000),
  fc.nat({ max: 0x20 }),
  fc.nat({ max: 0xffff_ffff }),
);
const buffers = fc.array(
  fc.record({
    token: fc.oneof(fc.integer({ min: 0x2000, max: 0x202d }), wordOf),
    nargs: fc.oneof(fc.nat({ max: 8 }), wordOf),
    nret: fc.oneof(fc.nat({ max: 8 }), wordOf),
    args: fc.array(wordOf, { maxLength: 10 }),
    at: fc.oneof(
      fc.nat({ max: 0x10_0010 }).map((n) => 0xf_0000 + n),
      fc.constant(BUFFER),
    ),
  }),
  { maxLength: 10 },
);

prop(
  'no argument buffer makes RTAS throw, and a restored platform does the same again',
  [buffers, buffers],
  (first, second) => {
    const platform = new TestPlatform({ cpus: 2, maxCpus: 2 });
    platform.papr.plug(0, new TestFunction(8, 4));
    const run = (steps: typeof first): string => {
      let answers = '';
      for (const { token, nargs, nret, args, at } of steps) {
        for (const [i, word] of [token, nargs, nret, ...args].entries()) {
          if (at + 4 * i + 4 <= platform.memory.size) platform.memory.setU32(at + 4 * i, word, false);
        }
        answers += `${platform.hcall(H_RTAS, at)} `;
      }
      return answers + platform.digest();
    };
    run(first);
    const saved = platform.save();
    const once = run(second);
    platform.restore(saved);
    return run(second) === once;
  },
);
