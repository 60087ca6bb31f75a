import test from 'ava';
import { TestFunction, TestPlatform } from '../_platform.ts';

const HW_ERROR = 0xffff_ffff;
const PARAM_ERROR = 0xffff_fffd;
const NOT_WRITTEN = 0xdead_beef;
const BUID = [0x800_0000, 0x2000_0000] as const;

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
