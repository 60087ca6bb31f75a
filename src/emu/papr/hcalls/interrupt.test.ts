import test from 'ava';
import { TestPlatform } from '../_platform.ts';

const H_EOI = 0x64;
const H_CPPR = 0x68;
const H_IPI = 0x6c;
const H_IPOLL = 0x70;
const H_XIRR = 0x74;
const H_XIRR_X = 0x2fc;
const H_PARAMETER = -4;
const IPI = 2;

function xirr(platform: TestPlatform): number {
  platform.hcall(H_XIRR);
  return Number(platform.output(0));
}

test('at boot the priority blocks everything; taking nothing opens it', (t) => {
  const platform = new TestPlatform();
  t.is(xirr(platform), 0);
  t.is(xirr(platform), 0xff00_0000);
  t.is(platform.hcall(H_IPOLL, 0), 0);
  t.deepEqual([platform.output(0), platform.output(1)], [0xff00_0000n, 0xffn]);
});

test('an inter-processor interrupt is taken once, and its priority stays until EOI', (t) => {
  const platform = new TestPlatform();
  platform.hcall(H_CPPR, 0xff);
  t.is(platform.hcall(H_IPI, 0, 4), 0);
  t.deepEqual(platform.cpuInterrupts, [[0, true]]);
  t.is(xirr(platform), 0xff00_0000 + IPI);
  t.is(xirr(platform), 0x0400_0000);
  platform.hcall(H_IPI, 0, 0xff);
  platform.hcall(H_EOI, 0xff00_0000 + IPI);
  t.is(xirr(platform), 0xff00_0000);
  t.is(platform.hcall(H_IPI, 1, 4), H_PARAMETER);
  t.is(platform.hcall(H_IPOLL, 7), H_PARAMETER);
  t.is(platform.hcall(H_XIRR_X), 0);
});
