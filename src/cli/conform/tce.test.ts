import { createHash } from 'node:crypto';
import test from 'ava';
import { Tally } from './log.ts';
import { conformTce } from './tce.ts';

const HEADER = '{"qemu":"7.2.22","ram":268435456}';
const PUT =
  '{"mem":[],"in":["0x20","0x80000000","0x1000","0x5003","0x0","0x0","0x0","0x0","0x0","0x0"],"out":["0x0","0x80000000","0x1000","0x5003","0x0","0x0","0x0","0x0","0x0","0x0"]}';
const LIST =
  '{"mem":[["0x200000","00000000000060030000000000007003"]],"in":["0x13c","0x80000000","0x2000","0x200000","0x2","0x0","0x0","0x0","0x0","0x0"],"out":["0x0","0x80000000","0x2000","0x200000","0x2","0x0","0x0","0x0","0x0","0x0"]}';
const QUERY =
  '{"rtas":"ibm,query-pe-dma-window","args":[0,134217728,536870912],"out":[0,1,2147483648,263,0]}';

function tableLine(mapped: number): string {
  const window = Buffer.alloc(32);
  for (const [i, tce] of [0n, 0x5003n, 0x6003n, 0x7003n].entries()) window.writeBigUInt64BE(tce, 8 * i);
  const sha256 = createHash('sha256').update(window).digest('hex');
  return `{"table":"0x80000000","page_shift":12,"first":0,"count":4,"mapped":${mapped},"sha256":"${sha256}"}`;
}

async function judged(...lines: readonly string[]): Promise<Tally> {
  const tally = new Tally(10);
  await conformTce(
    (async function* () {
      yield* lines;
    })(),
    tally,
  );
  return tally;
}

test('a log that agrees: calls, lists, windows, whole tables', async (t) => {
  const tally = await judged(HEADER, PUT, LIST, QUERY, tableLine(3));
  t.is(tally.lines, 4);
  t.deepEqual(tally.first, []);
});

test('each kind of line is compared', async (t) => {
  const tally = await judged(
    HEADER,
    PUT.replace('"out":["0x0"', '"out":["0x1"'),
    LIST,
    QUERY.replace('263', '3'),
    tableLine(2),
    '{"mem":[],"in":["0x3c","0x3","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0"],"out":["0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0"]}',
  );
  t.is(tally.mismatches, 4);
  t.deepEqual(
    tally.first.map(({ line }) => line),
    [2, 4, 5, 6],
  );
});

test('H_RANDOM follows the generator of the header', async (t) => {
  const line =
    '{"mem":[],"in":["0x300","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0"],"out":["0x0","0x7c00fd43ac6f576c","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0"]}';
  t.deepEqual((await judged(HEADER, line)).first, []);
});

test('a header without RAM is refused', async (t) => {
  await t.throwsAsync(judged('{"qemu":"7.2.22"}', PUT), { message: /does not say how much RAM/ });
});
