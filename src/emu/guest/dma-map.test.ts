import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { GuestCalls } from './calls.ts';
import { DefaultWindowMapper, DirectWindowMapper, FirmwareMapper, MAPPING_FAILED } from './dma-map.ts';
import { FakePlatform, fakeTree } from './_fake-platform.ts';
import { readHardware, type HostBridgeNode } from './hardware.ts';

const LIST = 0x2000;

interface Bench {
  platform: FakePlatform;
  calls: GuestCalls;
  bridge: HostBridgeNode;
}

function bench(dmaWindowBytes = 0x40000000): Bench {
  const tree = fakeTree([]);
  const platform = new FakePlatform([], { ...tree, hostBridge: { ...tree.hostBridge, dmaWindowBytes } });
  const [bridge] = readHardware(platform.deviceTree).bridges;
  if (bridge === undefined) throw new Error('no bridge');
  return { platform, calls: new GuestCalls(platform, 0x1000), bridge };
}

test('the default window hands out what Linux 6.12 was seen to use', (t) => {
  const { platform, calls, bridge } = bench();
  const mapper = new DefaultWindowMapper(calls, bridge, true, LIST, 12);
  // The golden trace 612-iommu: the ring of two pages, then header, data, status and table of the first request.
  const ring = mapper.mapCoherent(0x48da000, 0x1a86);
  const header = mapper.map(0x3e900f8, 16, false);
  const data = mapper.map(0x24d1000, 4096, true);
  const status = mapper.map(0x3e90108, 1, true);
  const table = mapper.map(0x3d68f00, 48, false);
  t.deepEqual([ring, header, data, status, table], [0x2000, 0x100f8, 0x20000, 0x30108, 0x40f00]);
  t.deepEqual(
    platform.hcalls.map((call) => call.split(' ').slice(0, 4).join(' ')),
    [
      '13c 80000000 2000 2000',
      '20 80000000 10000 3e90001',
      '20 80000000 20000 24d1003',
      '20 80000000 30000 3e90003',
      '20 80000000 40000 3d68001',
    ],
  );
  t.is(platform.load64(LIST + 8, false), 0x48db003n);
});

test('with 64 KiB pages the ring comes from the large pool, as 6.1 does', (t) => {
  const { calls, bridge } = bench();
  const mapper = new DefaultWindowMapper(calls, bridge, true, LIST, 16);
  t.is(mapper.mapCoherent(0x500000, 0x1a86), 0x30000000);
  t.is(mapper.map(0x600010, 16, false), 0x1010);
  t.is(mapper.map(0x600010, 16, false), 0x10010);
});

test('unmapping clears the entries, by one call or one by one', (t) => {
  const { platform, calls, bridge } = bench();
  const multi = new DefaultWindowMapper(calls, bridge, true, LIST, 12);
  const single = new DefaultWindowMapper(calls, bridge, false, LIST, 12);
  for (const mapper of [multi, single]) mapper.unmap(mapper.map(0x500800, 0x1000, true), 0x1000);
  t.deepEqual(
    platform.hcalls.map((call) => call.split(' ')[0]),
    ['13c', '138', '20', '20', '20', '20'],
  );
  t.regex(platform.hcalls[1] ?? '', /^138 80000000 1000 0 2$/);
});

test('a kernel clears its default window 512 entries a call', (t) => {
  const { platform, calls, bridge } = bench();
  new DefaultWindowMapper(calls, bridge, true, LIST, 12).clearWindow();
  t.is(platform.hcalls.length, 512);
  t.is(platform.hcalls.at(-1), '138 80000000 3fe00000 0 200');
});

// Falsified by two live mappings that share an entry, by entry 0, by an entry outside the window, or by an offset lost.
prop(
  'live mappings never overlap',
  [
    fc.array(fc.tuple(fc.nat(0xff_ffff), fc.integer({ min: 1, max: 0x1_8000 }), fc.boolean()), {
      maxLength: 60,
    }),
  ],
  (requests) => {
    const { calls, bridge } = bench(0x20_0000);
    const mapper = new DefaultWindowMapper(calls, bridge, true, LIST, 12);
    const live = new Map<number, { low: number; length: number }>();
    const owner = new Map<number, number>();
    requests.forEach(([gpa, length, release], index) => {
      const low = mapper.map(gpa, length, true);
      if (low === MAPPING_FAILED) return;
      if (low % 4096 !== gpa % 4096) throw new Error('the offset in the page is lost');
      for (let entry = low >>> 12; entry <= (low + length - 1) >>> 12; entry++) {
        if (entry === 0 || entry >= 512 || owner.has(entry)) throw new Error(`entry ${entry} is not free`);
        owner.set(entry, index);
      }
      live.set(index, { low, length });
      if (!release) return;
      const [first] = live;
      if (first === undefined) return;
      mapper.unmap(first[1].low, first[1].length);
      for (const [entry, holder] of owner) if (holder === first[0]) owner.delete(entry);
      live.delete(first[0]);
    });
  },
);

test('firmware maps page by page from 0x1000 and reuses what it gave back', (t) => {
  const { platform, calls, bridge } = bench();
  const mapper = new FirmwareMapper(calls, bridge);
  const rings = [0xe374000, 0xe375000, 0xe376000].map((gpa) => mapper.mapCoherent(gpa, 4096));
  const request = [mapper.map(0xe582028, 16), mapper.map(0xe372000, 2048), mapper.map(0xe581d90, 1)];
  t.deepEqual([...rings, ...request], [0x1000, 0x2000, 0x3000, 0x4028, 0x5000, 0x6d90]);
  mapper.unmap(request[0] ?? 0, 16);
  t.is(mapper.map(0xe582028, 16), 0x4028);
  t.true(platform.hcalls.every((call) => call.startsWith('20 80000000 ')));
  t.is(platform.hcalls[0], '20 80000000 1000 e374003 0');
});

function answerDdw(platform: FakePlatform, pages: number): void {
  platform.rtasAnswers.set(0x2026, () => [0, 1, 0x20, 0, pages, 0]);
  platform.rtasAnswers.set(0x2027, ([, , , page = 0, window = 0]) =>
    window < page ? [-3] : [0, 0x80000001, 0x8000000, 0],
  );
}

test('a direct window maps all of RAM once; an address is its base plus the guest-physical one', (t) => {
  const { platform, calls, bridge } = bench();
  answerDdw(platform, 0x003);
  const fallback = new DefaultWindowMapper(calls, bridge, true, LIST, 16);
  const mapper = new DirectWindowMapper(calls, bridge, true, LIST, fallback, 'memory', 0);
  mapper.enable();
  t.deepEqual(platform.rtas, ['2026 0 8000000 20000000', '2027 0 8000000 20000000 10 18']);
  t.deepEqual(platform.hcalls, ['13c 80000001 800000000000000 2000 100']);
  t.deepEqual([mapper.high, mapper.map(0x123456, 16, true)], [0x8000000, 0x123456]);
  mapper.unmap(0x123456, 16);
  mapper.enable();
  t.is(platform.hcalls.length, 1);
});

test('a window sized by an ibm,lrdr-capacity of 0 is refused, and the default window serves', (t) => {
  const { platform, calls, bridge } = bench();
  answerDdw(platform, 0x107);
  const fallback = new DefaultWindowMapper(calls, bridge, true, LIST, 12);
  const mapper = new DirectWindowMapper(calls, bridge, true, LIST, fallback, 'lrdr', 0);
  mapper.enable();
  // Linux 6.12.107: ibm,create-pe-dma-window(2027) 0 8000000 20000000 18 0 returned -3
  t.is(platform.rtas[1], '2027 0 8000000 20000000 18 0');
  t.false(mapper.direct);
  t.is(mapper.high, 0);
  t.is(mapper.mapCoherent(0x500000, 0x1a86), 0x2000);
});
