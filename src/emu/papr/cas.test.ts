import test from 'ava';
import { TestPlatform } from './_platform.ts';

const H_REGISTER_PROC_TBL = 0x37c;
const H_CAS = 0xf002;
const H_SUCCESS = 0;
const H_PARAMETER = -4;
const VECTORS = 0x5000;
const ANSWER = 0x8000;

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
