import test from 'ava';
import { TestFunction, TestPlatform } from './_platform.ts';

const PARAM_ERROR = 0xffff_fffd;

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
