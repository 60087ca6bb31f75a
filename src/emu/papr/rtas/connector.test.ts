import test from 'ava';
import { TestPlatform } from '../_platform.ts';

const PARAM_ERROR = 0xffff_fffd;
const NOT_WRITTEN = 0xdead_beef;
const NOT_CONFIGURABLE = 0xffff_dcd5;
const HW_ERROR = 0xffff_ffff;

test('power levels: one domain, full power', (t) => {
  const platform = new TestPlatform();
  t.deepEqual(platform.rtas(0x201b, [0xffff_ffff, 50], 2), [0, 100]);
  t.deepEqual(platform.rtas(0x201c, [0xffff_ffff], 2), [0, 100]);
  for (const domain of [0, 1, 0x7fff_ffff]) {
    t.deepEqual(platform.rtas(0x201b, [domain, 50], 2), [PARAM_ERROR, NOT_WRITTEN]);
    t.deepEqual(platform.rtas(0x201c, [domain], 2), [PARAM_ERROR, NOT_WRITTEN]);
  }
});

test('ibm,configure-connector: the connector stands in the work area', (t) => {
  const platform = new TestPlatform();
  const configure = (index: number): number => {
    platform.memory.setU32(0x3000, index, false);
    return platform.rtas(0x201e, [0x3000, 0xf000_0000], 1)[0] ?? 0;
  };
  t.is(configure(0x3000_0000), PARAM_ERROR);
  t.is(configure(0x4000_0008), NOT_CONFIGURABLE);
  t.is(configure(0x1000_0000), HW_ERROR);
  t.is(platform.rtas(0x201e, [0, 0x0fff_ffff], 1)[0], PARAM_ERROR);
});
