import test from 'ava';
import { lives, live } from './_laws.ts';
import { le16, le32, le64, Stream, type StreamOptions } from './_stream.ts';
import type { ClauseTable } from './clause.ts';
import { ClauseOracle } from './oracle.ts';

/** What hooks told, in order, as words. */
function listener(): { readonly told: string[]; readonly oracle: ClauseOracle } {
  const told: string[] = [];
  const table: ClauseTable = {
    name: 'listener',
    undecided: [],
    checkers: [
      {
        id: 'LISTENER',
        judge: 'device',
        watch: () => ({
          onAvailable: (queue, chain) =>
            told.push(`available ${queue.index}:${chain.id} ${chain.readableBytes}+${chain.writableBytes}`),
          onTaken: (queue, chain) =>
            told.push(`taken ${queue.index}:${chain.id} ${chain.readableBytes}+${chain.writableBytes}`),
          onUsed: (queue, chain) =>
            told.push(
              `used ${queue.index}:${chain.id} ${chain.usedLength} ${chain.requestKnown} ${[...chain.response.subarray(0, chain.responseEnd)].join(' ')}`,
            ),
          onUsedUnknown: (queue, id) => told.push(`unknown ${queue.index}:${id}`),
          onInterrupt: (vector, level) => told.push(`interrupt ${vector} ${level}`),
          onNotify: (queue, index) =>
            told.push(`notify ${index} ${queue === undefined ? 'nobody' : ''}`.trim()),
        }),
      },
    ],
  };
  return { told, oracle: new ClauseOracle({ tables: [table] }) };
}

function hear(options: StreamOptions, act: (stream: Stream) => void): readonly string[] {
  const { told: words, oracle } = listener();
  oracle.begin();
  act(new Stream(oracle, options));
  return words;
}

const INDIRECT = 28;
const PACKED = 34;

for (const [name, options] of [
  ['split, modern', {}],
  ['split, legacy, big-endian', { mode: 'legacy', bigEndian: true }],
  ['split, legacy, little-endian', { mode: 'legacy' }],
  ['packed', { offers: [PACKED] }],
  ['packed of 5', { offers: [PACKED], size: 5 }],
  ['indirect', { offers: [INDIRECT], indirect: true }],
  ['packed, indirect', { offers: [PACKED, INDIRECT], indirect: true }],
] as const) {
  test(`requests are seen from both sides: ${name}`, (t) => {
    const how = 'indirect' in options ? { indirect: true } : {};
    const words = hear({ ...options, msix: true }, (stream) => {
      stream.setUp();
      // More than two laps around the ring.
      for (let i = 0; i < 7; i++) stream.request(0, [[1, 2, 3], 4, 1], [9, 8, 7, 6, 5], how);
    });
    const told7 = words.filter((word) => !word.startsWith('notify') && !word.startsWith('interrupt'));
    t.is(told7.length, 21);
    for (let i = 0; i < 21; i += 3) {
      const id = /:(\d+)/.exec(told7[i] ?? '')?.[1];
      t.is(told7[i], `available 0:${id} 3+5`);
      t.is(told7[i + 1], `taken 0:${id} 3+5`);
      t.is(told7[i + 2], `used 0:${id} 5 3 9 8 7 6 5`);
    }
    t.deepEqual(
      words.filter((word) => word.startsWith('interrupt')),
      Array.from({ length: 7 }, () => 'interrupt 1 2'),
    );
  });
}

test('an id that is not under way is told as such', (t) => {
  const words = hear({}, (stream) => stream.setUp().giveBack(0, 3, 0));
  t.deepEqual(words, ['unknown 0:3']);
});

test('without guest writes the device alone tells of chains', (t) => {
  const { told: words, oracle } = listener();
  oracle.begin();
  const stream = new Stream({
    wantsGuestWrites: false,
    take: (event) => (event.kind === 23 ? undefined : oracle.take(event)),
  });
  stream.setUp().request(0, [[1, 2], 1], [0]);
  t.deepEqual(words, ['notify 0', 'taken 0:0 2+1', 'used 0:0 1 2 0', 'interrupt -1 1', 'interrupt -1 0']);
});

test('in whole lives of our guests every chain is published, taken and used, through an IOMMU as without', (t) => {
  const { told: words, oracle } = listener();
  let chains = 0;
  for (const life of lives(2)) {
    oracle.begin();
    words.length = 0;
    live(life, oracle);
    const count = (what: string): number => words.filter((word) => word.startsWith(what)).length;
    t.is(count('available'), count('taken'), life.name);
    t.is(count('used'), count('taken'), life.name);
    t.is(count('unknown'), 0, life.name);
    chains += count('used');
  }
  t.true(chains > 500, `${chains} chains were seen`);
});

test('fields of requests are read in the order of the device', (t) => {
  const seen: number[] = [];
  const table: ClauseTable = {
    name: 'reader',
    undecided: [],
    checkers: [
      {
        id: 'READER',
        judge: 'device',
        watch: (_clause, device) => ({
          onUsed: (_queue, chain) => {
            seen.push(
              chain.request16(0, device.little),
              chain.request32(2, device.little),
              chain.request32(6, true),
            );
          },
        }),
      },
    ],
  };
  for (const bigEndian of [false, true]) {
    const oracle = new ClauseOracle({ tables: [table] });
    oracle.begin();
    const stream = new Stream(oracle, { mode: 'legacy', bigEndian });
    const request = [
      ...le16(0x1234, !bigEndian),
      ...le32(0xdead_beef, !bigEndian),
      ...le64(0x0102_0304_0506_0708n),
    ];
    stream.setUp().request(0, [request, 1], [0]);
  }
  t.deepEqual(seen, [0x1234, 0xdead_beef, 0x0506_0708, 0x1234, 0xdead_beef, 0x0506_0708]);
});
