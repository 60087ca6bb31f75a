// The books of the invariants, fed by hand: numbers of registers and layouts are written again here.
import { QEMU_7_2 } from '../../emu/virtio/behaviour.ts';
import test from 'ava';
import { KIND, MachineEvent, type EventName } from '../../emu/core/tap.ts';
import { addressText, type Ground, type Watcher } from './invariant.ts';
import { MemoryInvariant } from './memory.ts';
import { TranslationInvariant } from './translation.ts';
import { ACCESSES_MAX, Runaway, WorkInvariant } from './work.ts';

const COMMON = 0x2100_0000_0000;
const GROUND: Ground = {
  requester: 8,
  ramBytes: 0x1000_0000,
  iommuPlatform: true,
  behaviour: QEMU_7_2,
  common: COMMON,
  notify: COMMON + 0x3000,
  notifyMultiplier: 4,
  legacyPort: -1,
  createWindow: 0x2027,
  removeWindow: 0x2028,
  resetWindow: 0x2029,
};
const EVENT = new MachineEvent();

function send(
  watcher: Watcher,
  kind: EventName,
  fields: readonly number[],
  bytes: readonly number[] = [],
): void {
  EVENT.kind = KIND[kind];
  for (const [index, value] of fields.entries()) EVENT.fields[index] = BigInt(value);
  EVENT.carry(Uint8Array.from(bytes), 0, bytes.length);
  watcher.take(EVENT);
}

const write = (watcher: Watcher, offset: number, width: number, value: number): void =>
  send(watcher, 'mmio-write', [COMMON + offset, width, 0, value]);
const read = (watcher: Watcher, address: number, bytes: readonly number[]): void =>
  send(watcher, 'dma-read', [8, address], bytes);
const store = (watcher: Watcher, address: number, bytes: readonly number[]): void =>
  send(watcher, 'dma-write', [8, address], bytes);

/** A ring of 8 at 0x1000, 0x2000, 0x3000. */
function laidOut(): MemoryInvariant {
  const books = new MemoryInvariant();
  books.begin(GROUND);
  write(books, 0x16, 2, 0);
  write(books, 0x18, 2, 8);
  for (const [offset, value] of [
    [0x20, 0x1000],
    [0x28, 0x2000],
    [0x30, 0x3000],
  ] as const) {
    write(books, offset, 4, value);
    write(books, offset + 4, 4, 0);
  }
  write(books, 0x1c, 2, 1);
  return books;
}

/** Head 3: 16 bytes at 0x5000 that the device may write. */
const DESCRIPTOR = [0, 0x50, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 2, 0, 0, 0];

test('rings may be touched where they lie, and nowhere else', (t) => {
  const books = laidOut();
  read(books, 0x2002, [1, 0]);
  read(books, 0x1000 + 7 * 16, DESCRIPTOR);
  store(books, 0x3002, [0, 0]);
  t.is(books.breach, '');
  read(books, 0x1000 + 8 * 16, DESCRIPTOR);
  t.regex(books.breach, /read 16 bytes at 0x1080/);
});

test('an element may be touched from its descriptor until its used entry', (t) => {
  const books = laidOut();
  read(books, 0x2002, [1, 0]);
  read(books, 0x2004, [3, 0]);
  read(books, 0x1030, DESCRIPTOR);
  store(
    books,
    0x5000,
    Array.from({ length: 16 }, () => 1),
  );
  t.is(books.breach, '');
  store(books, 0x3004, [3, 0, 0, 0, 16, 0, 0, 0]);
  t.is(books.breach, '');
  store(books, 0x5000, [1]);
  t.regex(books.breach, /wrote 1 bytes at 0x5000/);
});

test('a table is read as a table, even where one of its own elements lies over it', (t) => {
  const books = laidOut();
  read(books, 0x2004, [3, 0]);
  // Head 3: a table of two entries at 0x6000. The first describes 48 bytes from 0x5ff0 on, the second one at 0x7000.
  read(books, 0x1030, [0, 0x60, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 4, 0, 0, 0]);
  read(books, 0x6000, [0xf0, 0x5f, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0, 1, 0, 1, 0]);
  read(books, 0x6010, [0, 0x70, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
  store(books, 0x7000, [0]);
  t.is(books.breach, '');
});

test('one byte behind an element is one too many', (t) => {
  const books = laidOut();
  read(books, 0x2004, [3, 0]);
  read(books, 0x1030, DESCRIPTOR);
  store(
    books,
    0x5001,
    Array.from({ length: 16 }, () => 1),
  );
  t.regex(books.breach, /wrote 16 bytes at 0x5001/);
});

test('after a reset nothing may be touched, but what ends inside the reset may', (t) => {
  const books = laidOut();
  write(books, 0x14, 1, 0);
  store(books, 0x3002, [0, 0]);
  t.is(books.breach, '');
  send(books, 'idle', []);
  store(books, 0x3002, [0, 0]);
  t.regex(books.breach, /0x3002/);
});

test('books that were lost judge nothing until they are regained', (t) => {
  const books = laidOut();
  books.loseTrack();
  store(books, 0x9000, [1]);
  t.is(books.breach, '');
  books.regainTrack();
  store(books, 0x9000, [1]);
  t.regex(books.breach, /0x9000/);
});

const hcall = (watcher: Watcher, fields: readonly number[]): void => {
  send(watcher, 'hcall', fields);
  send(watcher, 'hcall-return', [0, ...fields.slice(1)]);
};

test('a TCE gives what its bits say, until it is taken back', (t) => {
  const books = new TranslationInvariant();
  books.begin(GROUND);
  hcall(books, [0x20, 0x8000_0000, 0x5000, 0x7000 + 1, 0]);
  read(books, 0x5004, [1, 2]);
  t.is(books.breach, '');
  store(books, 0x5004, [1]);
  t.regex(books.breach, /wrote to 0x5004 through a TCE that gives it permission 1/);
  books.begin(GROUND);
  hcall(books, [0x138, 0x8000_0000, 0x5000, 3, 2]);
  store(books, 0x6004, [1]);
  hcall(books, [0x20, 0x8000_0000, 0x6000, 0]);
  t.is(books.breach, '');
  store(books, 0x6004, [1]);
  t.regex(books.breach, /gives it nothing/);
});

test('an access that was refused in part is judged by the rest', (t) => {
  const books = new TranslationInvariant();
  books.begin(GROUND);
  hcall(books, [0x20, 0x8000_0000, 0x5000, 3, 0]);
  send(books, 'dma-fault', [8, 0x6000, 8, 1]);
  store(
    books,
    0x5ff8,
    Array.from({ length: 16 }, () => 1),
  );
  t.is(books.breach, '');
  store(
    books,
    0x5ff8,
    Array.from({ length: 16 }, () => 1),
  );
  t.regex(books.breach, /0x6000/);
});

test('work is bounded by the rings, and endless reading is seen', (t) => {
  const served = new WorkInvariant();
  served.begin(GROUND);
  served.rings(8);
  t.throws(
    () => {
      for (let i = 0; i < 100; i++) store(served, 0x3002, [i, 0]);
    },
    { instanceOf: Runaway, message: /more entries than its rings have/ },
  );
  const idle = new WorkInvariant();
  idle.begin(GROUND);
  for (let i = 0; i < 100; i++) {
    send(idle, 'idle', []);
    for (let k = 0; k < 100; k++) read(idle, 0x2002, [0, 0]);
  }
  t.is(idle.breach, '');
  t.throws(
    () => {
      for (let i = 0; i < ACCESSES_MAX; i++) read(idle, 0x2002, [0, 0]);
    },
    { instanceOf: Runaway, message: /without end/ },
  );
  t.is(addressText(1, 2), '0x100000002');
});
