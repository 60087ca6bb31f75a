import test from 'ava';
import { TestPlatform } from './_platform.ts';

const H_SUCCESS = 0;
const H_PARAMETER = -4;
const H_RTAS = 0xf000;
const PARAM_ERROR = 0xffff_fffd;
const NOT_WRITTEN = 0xdead_beef;
const BUFFER = 0x1000;

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
