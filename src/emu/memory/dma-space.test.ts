import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { DiagnosticLog } from '../core/diagnostics.ts';
import { EventQueue } from '../core/event-queue.ts';
import { EVENT_KINDS, type MachineEvent } from '../core/tap.ts';
import { TapLine } from '../core/tap-line.ts';
import { AddressSpace } from './address-space.ts';
import { BounceBuffer } from './bounce-buffer.ts';
import { DmaSpace } from './dma-space.ts';
import { PagedMemory } from './guest-memory.ts';
import { ANY_WIDTH } from './region.ts';
import { RingCache } from './ring-cache.ts';
import type { BusHit, BusSpace, Translation, TranslationWindow } from './translation.ts';

const RAM = 0x10_0000;
const WINDOW = 0x1000_0000;
const WINDOW_PAGES = 16;
const PAGE = 0x1000;
const BAR = 0x2_0000_0000;

/** A table of 4 KiB pages from bus address WINDOW on; an entry is a page number and a permission. */
class Window implements TranslationWindow, BusSpace {
  readonly regions: AddressSpace = new AddressSpace();
  readonly entries: { page: number; permission: number }[] = Array.from({ length: WINDOW_PAGES }, () => ({
    page: 0,
    permission: 0,
  }));

  find(high: number, low: number, hit: BusHit): boolean {
    const offset = high * 2 ** 32 + low - WINDOW;
    if (offset < 0 || offset >= WINDOW_PAGES * PAGE) return false;
    hit.window = this;
    hit.offset = offset;
    hit.left = WINDOW_PAGES * PAGE - offset;
    return true;
  }

  translate(offset: number, into: Translation): void {
    const entry = this.entries[Math.floor(offset / PAGE)];
    into.permission = entry?.permission ?? 0;
    into.pageShift = 12;
    into.pageHigh = 0;
    into.pageLow = (entry?.page ?? 0) * PAGE;
  }
}

function setUp(translated: boolean): {
  readonly memory: PagedMemory;
  readonly window: Window;
  readonly space: DmaSpace;
  readonly log: DiagnosticLog;
  readonly events: string[];
  readonly written: number[][];
} {
  const memory = new PagedMemory(RAM);
  const window = new Window();
  const log = new DiagnosticLog();
  const events: string[] = [];
  const written: number[][] = [];
  const system = new AddressSpace(log);
  system.map(BAR, {
    name: 'bar',
    size: PAGE,
    access: ANY_WIDTH,
    read: (offset, width) => offset * 16 + width,
    write: (offset, width, value) => written.push([offset, width, value]),
  });
  const line = new TapLine(new EventQueue());
  line.tap = {
    wantsGuestWrites: false,
    take: (event: MachineEvent) => {
      const at = (event.words[3] ?? 0) * 2 ** 32 + (event.words[2] ?? 0);
      const length = event.byteLength > 0 ? event.byteLength : Number(event.fields[2]);
      events.push(`${EVENT_KINDS[event.kind]?.name} 0x${at.toString(16)}+${length}`);
    },
  };
  const space = new DmaSpace({
    memory,
    system,
    bounce: new BounceBuffer(),
    diagnostics: log,
    line,
    requester: 8,
    bus: translated ? { space: window, function: { busMaster: true } } : undefined,
  });
  return { memory, window, space, log, events, written };
}

const rejected = (direction: string, at: number, size: number): string =>
  `Invalid ${direction} at addr 0x${at.toString(16).toUpperCase()}, size ${size}, region '(null)', reason: rejected`;

prop(
  'a read sees page by page what is mapped to be read, and zeros elsewhere',
  [
    fc.array(
      fc.record({ page: fc.integer({ min: 0, max: 300 }), permission: fc.integer({ min: 0, max: 3 }) }),
      {
        minLength: WINDOW_PAGES,
        maxLength: WINDOW_PAGES,
      },
    ),
    fc.integer({ min: -64, max: WINDOW_PAGES * PAGE }),
    fc.integer({ min: 1, max: 3 * PAGE }),
  ],
  (entries, start, length) => {
    const { memory, window, space } = setUp(true);
    for (let i = 0; i < RAM; i += 4) memory.setU32(i, i * 2654435761, true);
    for (const [i, entry] of entries.entries()) window.entries[i] = entry;
    const into = new Uint8Array(length);
    space.read(BigInt(WINDOW + start), into, 0, length);
    for (let i = 0; i < length; i++) {
      const offset = start + i;
      const entry = offset < 0 ? undefined : window.entries[Math.floor(offset / PAGE)];
      const real = (entry?.page ?? 0) * PAGE + (offset % PAGE);
      const answered = entry !== undefined && (entry.permission & 1) !== 0 && real < RAM;
      if (into[i] !== (answered ? memory.u8(real) : 0)) return false;
    }
    return true;
  },
  { numRuns: 60 },
);

test('what nothing answers is told in aligned pieces of at most four bytes', (t) => {
  const { space, log, events } = setUp(false);
  space.write(BigInt(RAM + 1), new Uint8Array(8), 0, 8);
  t.deepEqual(log.lines, [
    rejected('write', RAM + 1, 1),
    rejected('write', RAM + 2, 2),
    rejected('write', RAM + 4, 4),
    rejected('write', RAM + 8, 1),
  ]);
  t.deepEqual(events, ['dma-fault 0x100001+8']);
});

test('an access over the end of RAM is answered as far as RAM goes', (t) => {
  const { space, memory, events } = setUp(false);
  memory.setU32(RAM - 4, 0x11223344, false);
  const into = new Uint8Array(8).fill(0xff);
  space.read(BigInt(RAM - 4), into, 0, 8);
  t.deepEqual([...into], [0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0]);
  t.deepEqual(events, ['dma-fault 0x100000+4', 'dma-read 0xffffc+8']);
});

test('addresses wrap at 2^64', (t) => {
  const { space, memory } = setUp(false);
  memory.setU16(0, 0xabcd, false);
  const into = new Uint8Array(4);
  space.read(2n ** 64n - 2n, into, 0, 4);
  t.deepEqual([...into], [0, 0, 0xab, 0xcd]);
});

test('a BAR is really accessed', (t) => {
  const { space, written } = setUp(false);
  const into = new Uint8Array(4);
  space.read(BigInt(BAR + 4), into, 0, 4);
  t.is(into[0], 4 * 16 + 4);
  space.write(BigInt(BAR + 8), Uint8Array.of(1, 2, 3, 4, 5), 0, 5);
  t.deepEqual(written, [
    [8, 4, 0x04030201],
    [12, 1, 5],
  ]);
});

test('neighbouring pages are mapped as one piece, others not', (t) => {
  const { space, window } = setUp(true);
  window.entries[0] = { page: 5, permission: 3 };
  window.entries[1] = { page: 6, permission: 3 };
  window.entries[2] = { page: 9, permission: 3 };
  t.true(space.map(0, WINDOW + 16, 3 * PAGE - 16, true));
  t.is(space.mappedOffset, 5 * PAGE + 16);
  t.is(space.mappedLength, 2 * PAGE - 16);
});

test('there is one bounce buffer, of one page, and it writes through what is mapped when it is let go', (t) => {
  const { space, window, memory, log } = setUp(true);
  t.true(space.map(0, WINDOW, 8192, true));
  t.is(space.mappedOffset, -1);
  t.is(space.mappedLength, 4096);
  t.false(space.map(0, WINDOW + PAGE, 16, false));
  space.bounce.bytes.fill(0x5a, 0, 16);
  window.entries[0] = { page: 3, permission: 2 };
  space.unmapBounce(true, 16);
  t.is(memory.u32(3 * PAGE, true), 0x5a5a5a5a);
  t.deepEqual(log.lines, []);
  t.true(space.map(0, WINDOW + PAGE, 16, false));
});

test('a ring block whose page is not mapped continues at its offset taken as an address', (t) => {
  const { space, log } = setUp(true);
  const ring = new RingCache();
  t.is(space.openRing(ring, 0, WINDOW, 128), 128);
  const block = new Uint8Array(16).fill(0xff);
  space.loadBlock(ring, 32, block, 16);
  t.deepEqual(log.lines, [
    rejected('read', 32, 4),
    rejected('read', 36, 4),
    rejected('read', 40, 4),
    rejected('read', 44, 4),
  ]);
  t.deepEqual(
    [...block],
    Array.from({ length: 16 }, () => 0),
  );
});

test('a ring block across two pages finds only the first of them', (t) => {
  const { space, window, memory } = setUp(true);
  window.entries[0] = { page: 1, permission: 3 };
  window.entries[1] = { page: 2, permission: 3 };
  const ring = new RingCache();
  space.openRing(ring, 0, WINDOW, 2 * PAGE);
  space.storeBlock(ring, PAGE - 4, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 8);
  t.is(memory.u32(2 * PAGE - 4, false), 0x01020304);
  // The rest went to bus address 0x1000, which no window holds, and not to the second page.
  t.is(memory.u32(2 * PAGE, false), 0);
});

test('a ring is as long as its window allows, whatever the table says', (t) => {
  const { space } = setUp(true);
  const ring = new RingCache();
  t.is(space.openRing(ring, 0, WINDOW + WINDOW_PAGES * PAGE - 100, 128), 100);
  t.is(space.openRing(ring, 0, 0x4000_0000, 128), 128);
  t.is(space.openRing(ring, 0xffffffff, 0xffffff80, 256), 128);
});

test('beyond what was opened nothing is read or written', (t) => {
  const { space, memory, log } = setUp(false);
  const ring = new RingCache();
  space.openRing(ring, 0, 0x1000, 64);
  space.store16(ring, 64, 0xffff, true);
  t.is(memory.u16(0x1040, true), 0);
  t.is(space.load16(ring, 63, true), 0);
  t.is(log.lines.length, 2);
});

test('without bus mastering nothing answers', (t) => {
  const { memory, window, log } = setUp(true);
  window.entries[0] = { page: 1, permission: 3 };
  const space = new DmaSpace({
    memory,
    system: new AddressSpace(log),
    bounce: new BounceBuffer(),
    diagnostics: log,
    line: new TapLine(new EventQueue()),
    requester: 8,
    bus: { space: window, function: { busMaster: false } },
  });
  space.writeMessage(0, WINDOW, 7);
  t.deepEqual(log.lines, [rejected('write', WINDOW, 4)]);
});
