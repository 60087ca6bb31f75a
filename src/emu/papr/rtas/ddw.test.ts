import test from 'ava';
import { TestPlatform } from '../_platform.ts';

const QUERY = 0x2026;
const CREATE = 0x2027;
const REMOVE = 0x2028;
const RESET = 0x2029;
const BUID = [0x800_0000, 0x2000_0000] as const;
const PARAM_ERROR = 0xffff_fffd;
const FIRST = 0x8000_0000;

function create(platform: TestPlatform, pageShift: number, windowShift: number): number[] {
  return platform.rtas(CREATE, [0, ...BUID, pageShift, windowShift], 4);
}

test('query: five results or six', (t) => {
  const platform = new TestPlatform();
  t.deepEqual(platform.rtas(QUERY, [0, ...BUID], 5), [0, 1, 0x8000_0000, 0x107, 0]);
  t.deepEqual(platform.rtas(QUERY, [0, ...BUID], 6), [0, 1, 0x20, 0, 0x107, 0]);
  t.is(platform.rtas(QUERY, [0, ...BUID], 4)[0], PARAM_ERROR);
  t.is(
    platform.rtas(QUERY, [0, ...BUID], 0)[0],
    PARAM_ERROR,
    'the status is written even where no result was asked',
  );
  t.is(platform.rtas(QUERY, [0, BUID[0]], 5)[0], PARAM_ERROR);
  t.is(platform.rtas(QUERY, [0, 0, 0], 5)[0], PARAM_ERROR);
});

test('page sizes of pseries-4.1, and no dynamic windows at all on pseries-2.6', (t) => {
  const older = new TestPlatform({ phbs: [{ index: 0, ddw: true, pageSizeMask: 0x1_1000 }] });
  t.is(older.rtas(QUERY, [0, ...BUID], 5)[3], 0x003);
  const oldest = new TestPlatform({ phbs: [{ index: 0, ddw: false, pageSizeMask: 0x1_1000 }] });
  t.is(oldest.rtas(QUERY, [0, ...BUID], 5)[0], PARAM_ERROR);
  t.is(create(oldest, 12, 20)[0], PARAM_ERROR);
  t.is(oldest.rtas(REMOVE, [FIRST], 1)[0], PARAM_ERROR);
  t.is(oldest.rtas(RESET, [0, ...BUID], 1)[0], PARAM_ERROR);
});

test('remove: units that are no PCI window', (t) => {
  const platform = new TestPlatform({ vio: [{ kind: 'spapr-vscsi' }] });
  t.is(platform.hcall(0x20, 0x7100_0000, 0, 3), 0, 'the unit has a table');
  for (const liobn of [0x7100_0000, 0x8000_0002, 0]) t.is(platform.rtas(REMOVE, [liobn], 1)[0], PARAM_ERROR);
});
