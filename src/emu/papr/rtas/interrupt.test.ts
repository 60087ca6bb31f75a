import test from 'ava';
import { TestPlatform } from '../_platform.ts';

const H_CPPR = 0x68;
const SET_XIVE = 0x200a;
const GET_XIVE = 0x200b;
const INT_OFF = 0x200c;
const INT_ON = 0x200d;
const PARAM_ERROR = 0xffff_fffd;
const CONSOLE = 0x1101;

test('routing: sources, servers and priorities that do not exist', (t) => {
  const platform = new TestPlatform();
  t.deepEqual(platform.rtas(GET_XIVE, [CONSOLE], 3), [0, 0, 0xff], 'masked after reset');
  t.deepEqual(platform.rtas(SET_XIVE, [CONSOLE, 0, 5], 1), [0]);
  t.deepEqual(platform.rtas(GET_XIVE, [CONSOLE], 3), [0, 0, 5]);
  for (const args of [
    [0xfff, 0, 5],
    [0x2000, 0, 5],
    [CONSOLE, 1, 5],
    [CONSOLE, 0, 0x100],
    [CONSOLE, 0],
  ]) {
    t.is(platform.rtas(SET_XIVE, args, 1)[0], PARAM_ERROR);
  }
  for (const token of [INT_OFF, INT_ON]) t.is(platform.rtas(token, [2], 1)[0], PARAM_ERROR);
  t.is(platform.rtas(GET_XIVE, [2], 3)[0], PARAM_ERROR);
});

test('int-off keeps the priority for int-on', (t) => {
  const platform = new TestPlatform();
  platform.hcall(H_CPPR, 0xff);
  platform.rtas(SET_XIVE, [CONSOLE, 0, 5], 1);
  platform.rtas(INT_OFF, [CONSOLE], 1);
  t.deepEqual(platform.rtas(GET_XIVE, [CONSOLE], 3), [0, 0, 0xff]);
  platform.papr.consoleInput(0, Uint8Array.of(0x61));
  t.false(platform.papr.interruptPending(0));
  platform.rtas(INT_ON, [CONSOLE], 1);
  t.deepEqual(platform.rtas(GET_XIVE, [CONSOLE], 3), [0, 0, 5]);
  t.true(platform.papr.interruptPending(0));
});
