import test from 'ava';
import { flattenTree } from '../../core/flattened-tree.ts';
import { TestPlatform } from '../_platform.ts';

const H_REGISTER_PROC_TBL = 0x37c;
const H_UPDATE_DT = 0xf003;
const H_SUCCESS = 0;
const H_PARAMETER = -4;

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
