import test from 'ava';
import { TestPlatform } from '../_platform.ts';

const H_SUCCESS = 0;
const H_PARAMETER = -4;

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
