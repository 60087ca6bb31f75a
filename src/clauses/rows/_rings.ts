import type { ClauseProofs } from '../_laws.ts';
import type { Stream, StreamOptions } from '../_stream.ts';

const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
const AVAIL = 0x80;
const INDIRECT_DESC = 28;
const EVENT_IDX = 29;
const RING_PACKED = 34;
const IN_ORDER = 35;
const NOTIFICATION_DATA = 38;
const RING_RESET = 40;
const PACKED: StreamOptions = { offers: [RING_PACKED] };
const PACKED_INDIRECT: StreamOptions = { offers: [INDIRECT_DESC, RING_PACKED] };
const EVENTS: StreamOptions = { offers: [EVENT_IDX] };
const RESETS: StreamOptions = { offers: [RING_RESET] };
const LEGACY: StreamOptions = { mode: 'legacy' };
/** A block request's header, and where the first two buffers of a stream lie. */
const HEADER: readonly number[] = Array.from({ length: 16 }, () => 0);
const FIRST_BUFFER = 0x100_0000;
const SECOND_BUFFER = 0x100_1000;
/** Queue 0's descriptors, and a table far behind them, counted in descriptors from there. */
const RINGS = 0x10_0000;
const TABLE = 0x80_0000;
const TABLE_SLOT: number = (TABLE - RINGS) / 16;

type Play = (s: Stream) => void;

function scene(options: StreamOptions, play: Play): StreamOptions & { readonly play: Play } {
  return { ...options, play };
}

/** Writes the registers of queue 0 and enables it; `zeroes` of the areas are the caller's. */
function enableAt(s: Stream, descriptors: number, driver: number, device: number): void {
  s.write('common', 0x16, 2, 0);
  s.write('common', 0x18, 2, 8);
  [descriptors, driver, device].forEach((address, i) => s.write('common', 0x20 + 8 * i, 4, address));
  s.write('common', 0x1c, 2, 1);
}

function resetQueue(s: Stream, confirmed = true): void {
  s.write('common', 0x16, 2, 0);
  s.write('common', 0x3a, 2, 1);
  if (confirmed) s.read('common', 0x3a, 2, 0);
}

/** An entry of the table at TABLE. */
function entry(s: Stream, index: number, length: number, flags: number, next: number): void {
  s.storeDescriptor(0, TABLE_SLOT + index, FIRST_BUFFER + 0x1000 * index, length, flags, next);
}

/** A block request whose first descriptor, with these flags, refers to a table of all of it. */
function offerTable(s: Stream, flags: number): void {
  s.setUp();
  entry(s, 0, 16, NEXT, 1);
  entry(s, 1, 1, WRITE, 0);
  s.storeDescriptor(0, 0, TABLE, 32, flags, 1);
  s.makeAvailable(0, 0);
}

function offerDirectThenTable(s: Stream): void {
  s.setUp();
  entry(s, 0, 1, WRITE, 0);
  s.storeDescriptor(0, 1, TABLE, 16, INDIRECT, 0);
  s.storeDescriptor(0, 0, FIRST_BUFFER, 16, NEXT, 1);
  s.makeAvailable(0, 0);
  s.notify(0);
}

/** One request, made available, taken and used: everything but what is told of it. */
function useSilently(s: Stream): void {
  const id = s.publish(0, [[1], 1]);
  s.notify(0).take(0);
  s.use(0, id, [0]);
}

function setUsedEvent(s: Stream, event: number): void {
  s.store16(s.ring(0).driver + 4 + 16, event);
}

function setAvailEvent(s: Stream, event: number): void {
  s.dmaWrite(s.ring(0).device + 4 + 64, [event, 0]);
}

const plain: Play = (s) => s.setUp().request(0, [[1], 1], [0]);
const CLEAN_PACKED = scene(PACKED, plain);

/** A buffer that the device has taken, and an access of its own to where one of its elements lies. */
function takenThen(s: Stream, act: Play): void {
  s.setUp().publish(0, [HEADER, 1]);
  s.notify(0).take(0);
  act(s);
}

export const RINGS_PROOFS: ClauseProofs = {
  'VQR-DEV-001': {
    breach: scene(RESETS, (s) => {
      const { driver } = s.setUp().ring(0);
      resetQueue(s);
      s.dmaRead(driver + 2, [1, 0]);
    }),
    clean: scene(RESETS, (s) => resetQueue(s.setUp())),
  },
  'VQR-DEV-002': {
    breach: scene(RESETS, (s) => {
      resetQueue(s.setUp());
      s.read('common', 0x20, 4, RINGS);
    }),
    clean: scene(RESETS, (s) => {
      resetQueue(s.setUp());
      s.read('common', 0x20, 4, 0);
      s.read('common', 0x18, 2, 8);
      s.read('common', 0x1c, 2, 0);
    }),
  },
  'VQR-DRV-001': {
    breach: scene(RESETS, (s) => {
      resetQueue(s.setUp(), false);
      s.enableQueue(0);
    }),
    clean: scene(RESETS, (s) => {
      resetQueue(s.setUp());
      s.enableQueue(0);
    }),
  },
  'VQR-DEV-003': {
    breach: scene(RESETS, (s) => {
      const { driver } = s.setUp().ring(0);
      resetQueue(s);
      s.enableQueue(0, 4).dmaRead(driver + 2, [1, 0]);
    }),
    clean: scene(RESETS, (s) => {
      resetQueue(s.setUp());
      s.enableQueue(0, 4).request(0, [[1], 1], [0]);
    }),
  },
  'VQR-DRV-003': {
    breach: scene(RESETS, (s) => {
      resetQueue(s.setUp());
      s.write('common', 0x18, 2, 4);
      s.write('common', 0x1c, 2, 1);
    }),
    clean: scene(RESETS, (s) => {
      resetQueue(s.setUp());
      s.enableQueue(0, 4);
    }),
  },
  'SPLIT-DRV-001': { breach: (s) => enableAt(s.probe().begin(), RINGS + 8, RINGS + 0x1000, RINGS + 0x2000) },
  'SPLIT-DEV-001': {
    breach: (s) => {
      s.setUp().publish(0, [HEADER.slice(0, 8), HEADER.slice(8), 512, 1]);
      s.notify(0).take(0);
      s.idle();
    },
  },
  'SPLIT-DRV-002': { breach: (s) => s.setUp().publish(0, [1, [1]]) },
  'SPLIT-DRV-003': { breach: (s) => s.setUp().publish(0, [[], [1]]) },
  'SPLIT-DEV-003': { breach: (s) => takenThen(s, () => s.dmaWrite(FIRST_BUFFER, [1])) },
  'SPLIT-DEV-004': { breach: (s) => takenThen(s, () => s.dmaRead(SECOND_BUFFER, [1])) },
  'SPLIT-DEV-006': { breach: (s) => takenThen(s, () => s.dmaWrite(RINGS + 16 * 5, HEADER)) },
  'SPLIT-DRV-004': {
    breach: (s) => {
      s.setUp().storeDescriptor(0, 0, FIRST_BUFFER, 0xffff_ffff, NEXT | WRITE, 1);
      s.storeDescriptor(0, 1, FIRST_BUFFER, 0xffff_ffff, WRITE, 0);
      s.makeAvailable(0, 0);
    },
  },
  'SPLIT-DRV-005': {
    breach: scene({ offers: [IN_ORDER] }, (s) => {
      s.setUp().storeDescriptor(0, 5, SECOND_BUFFER, 1, WRITE, 0);
      s.storeDescriptor(0, 0, FIRST_BUFFER, 16, NEXT, 5);
      s.makeAvailable(0, 0);
    }),
    clean: scene({ offers: [IN_ORDER] }, plain),
  },
  'SPLIT-DRV-006': { breach: (s) => s.setUp().publish(0, [[1], 1], { indirect: true }) },
  'SPLIT-DRV-007': {
    breach: scene({ offers: [INDIRECT_DESC] }, (s) => {
      s.setUp();
      entry(s, 0, 16, INDIRECT, 0);
      s.storeDescriptor(0, 0, TABLE, 16, INDIRECT, 0);
      s.makeAvailable(0, 0);
    }),
  },
  'SPLIT-DRV-008': {
    breach: scene({ offers: [INDIRECT_DESC] }, (s) =>
      s.setUp().publish(0, [1, 1, 1, 1, 1, 1, 1, 1, 1], { indirect: true }),
    ),
  },
  'SPLIT-DRV-009': {
    breach: scene({ offers: [INDIRECT_DESC] }, (s) => offerTable(s, INDIRECT | NEXT)),
  },
  'SPLIT-DRV-010': {
    breach: scene({ offers: [INDIRECT_DESC, IN_ORDER] }, (s) => {
      s.setUp();
      entry(s, 0, 16, NEXT, 2);
      entry(s, 1, 16, 0, 0);
      entry(s, 2, 1, WRITE, 0);
      s.storeDescriptor(0, 0, TABLE, 48, INDIRECT, 0);
      s.makeAvailable(0, 0);
    }),
    clean: scene({ offers: [INDIRECT_DESC, IN_ORDER] }, (s) =>
      s.setUp().publish(0, [[1], 1], { indirect: true }),
    ),
  },
  'SPLIT-DEV-007': {
    breach: scene({ offers: [INDIRECT_DESC] }, (s) => {
      offerTable(s, INDIRECT | WRITE);
      s.notify(0).idle();
    }),
    clean: scene({ offers: [INDIRECT_DESC] }, (s) => {
      offerTable(s, INDIRECT | WRITE);
      s.notify(0).giveBack(0, 0, 1).idle();
    }),
  },
  'SPLIT-DEV-008': {
    breach: scene({ offers: [INDIRECT_DESC] }, (s) => {
      offerDirectThenTable(s);
      s.idle();
    }),
    clean: scene({ offers: [INDIRECT_DESC] }, (s) => {
      offerDirectThenTable(s);
      s.giveBack(0, 0, 1).idle();
    }),
  },
  'SPLIT-DRV-011': { breach: (s) => s.setUp().store16(s.ring(0).driver + 2, 0xffff) },
  'SPLIT-DRV-012': {
    breach: (s) => {
      s.setUp().store16(s.ring(0).driver, 2);
      s.publish(0, [[1], 1]);
    },
  },
  'SPLIT-DRV-014': {
    breach: scene(EVENTS, (s) => {
      s.setUp().store16(s.ring(0).driver, 1);
      s.publish(0, [[1], 1]);
    }),
  },
  'SPLIT-DRV-016': {
    breach: (s) => {
      plain(s);
      s.interruptQueue(0).status(0x8f);
    },
    clean: (s) => {
      plain(s);
      s.interruptQueue(0);
    },
  },
  'SPLIT-DEV-009': {
    breach: (s) => {
      setUsedEvent(s.setUp(), 100);
      useSilently(s);
      s.idle();
    },
    clean: (s) => {
      setUsedEvent(s.setUp(), 100);
      useSilently(s);
      s.interruptQueue(0).idle();
    },
  },
  'SPLIT-DEV-010': {
    breach: (s) => {
      s.setUp().store16(s.ring(0).driver, 1);
      useSilently(s);
      s.interruptQueue(0);
    },
    clean: (s) => {
      s.setUp().store16(s.ring(0).driver, 1);
      useSilently(s);
      s.idle();
    },
  },
  'SPLIT-DEV-011': {
    breach: (s) => {
      useSilently(s.setUp());
      s.idle();
    },
  },
  'SPLIT-DEV-012': {
    breach: scene(EVENTS, (s) => {
      s.setUp().store16(s.ring(0).driver, 1);
      useSilently(s);
      s.idle();
    }),
    clean: scene(EVENTS, (s) => {
      s.setUp().store16(s.ring(0).driver, 1);
      useSilently(s);
      s.interruptQueue(0).idle();
    }),
  },
  'SPLIT-DEV-013': {
    breach: scene(EVENTS, (s) => {
      useSilently(s.setUp());
      s.idle();
    }),
  },
  'SPLIT-DEV-014': {
    breach: scene({ ...EVENTS, msix: true }, (s) => {
      plain(s);
      setUsedEvent(s, 50);
      useSilently(s);
      s.interruptQueue(0);
    }),
    clean: scene({ ...EVENTS, msix: true }, plain),
  },
  'SPLIT-DEV-015': {
    breach: (s) => {
      plain(s);
      s.dmaWrite(s.ring(0).device + 4, [0, 0, 0, 0, 9, 0, 0, 0]);
    },
  },
  'SPLIT-DEV-016': {
    breach: (s) => {
      const id = s.setUp().publish(0, [[1], 16]);
      s.notify(0).take(0);
      s.giveBack(0, id, 16);
    },
  },
  'SPLIT-DRV-019': {
    breach: (s) => {
      s.probe().begin().store(RINGS, HEADER);
      s.store(RINGS + 0x1000, HEADER);
      s.store(RINGS + 0x2000, [1, 0]);
      enableAt(s, RINGS, RINGS + 0x1000, RINGS + 0x2000);
    },
  },
  'SPLIT-DRV-020': {
    breach: (s) => {
      setAvailEvent(s.setUp(), 5);
      s.publish(0, [[1], 1]);
      s.idle().idle();
    },
    clean: (s) => {
      setAvailEvent(s.setUp(), 5);
      s.publish(0, [[1], 1]);
      s.notify(0).idle();
    },
  },
  'SPLIT-DRV-021': {
    breach: (s) => {
      s.setUp().dmaWrite(s.ring(0).device, [1, 0]);
      s.publish(0, [[1], 1]);
      s.notify(0);
    },
  },
  'SPLIT-DRV-022': {
    breach: (s) => {
      s.setUp().publish(0, [[1], 1]);
      s.idle().idle();
    },
  },
  'SPLIT-DRV-023': {
    breach: scene(EVENTS, (s) => {
      s.setUp().dmaWrite(s.ring(0).device, [1, 0]);
      s.publish(0, [[1], 1]);
      s.idle().idle();
    }),
    clean: scene(EVENTS, (s) => {
      s.setUp().dmaWrite(s.ring(0).device, [1, 0]);
      s.publish(0, [[1], 1]);
      s.notify(0).idle();
    }),
  },
  'SPLIT-DRV-024': {
    breach: scene(EVENTS, (s) => {
      s.setUp().publish(0, [[1], 1]);
      s.idle().idle();
    }),
  },
  'SPLIT-DRV-025': {
    breach: scene(EVENTS, (s) => {
      setAvailEvent(s.setUp(), 5);
      s.publish(0, [[1], 1]);
      s.notify(0);
    }),
  },
  'SPLIT-DEV-018': {
    breach: (s) => {
      s.setUp().dmaWrite(s.ring(0).device, [2, 0]);
      s.request(0, [[1], 1], [0]);
    },
  },
  'SPLIT-DEV-020': {
    breach: scene(EVENTS, (s) => {
      s.setUp().dmaWrite(s.ring(0).device, [1, 0]);
      s.request(0, [[1], 1], [0]);
    }),
  },
  'SPLIT-DEV-022': {
    breach: (s) => s.setUp().notify(0).readStatus(0x4f),
    clean: (s) => s.setUp().notify(0).readStatus(),
  },
  'SPLITL-DRV-001': {
    breach: scene(LEGACY, (s) => {
      s.probe().begin().write('legacy', 14, 2, 0);
      s.write('legacy', 8, 4, RINGS / 4096);
    }),
  },
  'SPLITL-DRV-002': {
    breach: scene(LEGACY, (s) => s.setUp().emit('dma-fault', [8, s.ring(0).driver + 2, 2, 0])),
  },
  'SPLITL-BOTH-001': { breach: scene(LEGACY, (s) => s.setUp().dmaWrite(s.ring(0).driver + 100, [1])) },
  'SPLITL-BOTH-002': {
    breach: scene({ ...LEGACY, bigEndian: true }, (s) => {
      s.setUp().publish(0, [[1], 1]);
      s.notify(0).take(0);
      s.dmaWrite(s.ring(0).device + 2, [1, 0]);
    }),
  },
  'PACKED-DRV-001': {
    breach: scene(PACKED, (s) => enableAt(s.probe().begin(), RINGS, RINGS + 0x1002, RINGS + 0x2000)),
    clean: CLEAN_PACKED,
  },
  'PACKED-DEV-001': {
    breach: scene(PACKED, (s) => {
      s.setUp().publish(0, [[1], 1]);
      const second = s.publish(0, [[1], 1]);
      s.notify(0).giveBack(0, second, 0);
    }),
    clean: CLEAN_PACKED,
  },
  'PACKED-DEV-004': {
    breach: scene(PACKED, (s) => takenThen(s, () => s.dmaWrite(FIRST_BUFFER, [1]))),
    clean: CLEAN_PACKED,
  },
  'PACKED-DEV-005': {
    breach: scene(PACKED, (s) => takenThen(s, () => s.dmaRead(SECOND_BUFFER, [1]))),
    clean: CLEAN_PACKED,
  },
  'PACKED-DEV-006': { breach: scene(PACKED, (s) => s.setUp().giveBack(0, 5, 0)), clean: CLEAN_PACKED },
  'PACKED-DEV-007': {
    breach: scene(PACKED, (s) => {
      plain(s);
      s.dmaWrite(RINGS + 8, [0, 0, 0, 0]);
    }),
    clean: CLEAN_PACKED,
  },
  'PACKED-DRV-002': {
    breach: scene(PACKED, (s) => {
      s.setUp().publish(0, [[1], 1]);
      s.storeDescriptor(0, 1, FIRST_BUFFER, 1, WRITE | AVAIL, 3);
    }),
    clean: CLEAN_PACKED,
  },
  'PACKED-DRV-003': {
    breach: scene(PACKED, (s) => {
      s.setUp().publish(0, [[1], 1]);
      s.storeDescriptor(0, 0, FIRST_BUFFER, 1, NEXT | AVAIL, 3);
    }),
    clean: CLEAN_PACKED,
  },
  'PACKED-DRV-004': {
    breach: scene({ offers: [RING_PACKED, NOTIFICATION_DATA] }, (s) => {
      s.setUp().publish(0, [[1], 1]);
      s.notify(0, 0, 4);
    }),
    clean: scene({ offers: [RING_PACKED, NOTIFICATION_DATA] }, (s) => {
      s.setUp().publish(0, [[1], 1]);
      s.notify(0, 0x8002_0000, 4);
    }),
  },
  'PACKED-DRV-007': {
    breach: scene(PACKED, (s) => {
      s.setUp();
      for (let slot = 7; slot >= 0; slot--)
        s.storeDescriptor(0, slot, FIRST_BUFFER, 1, NEXT | WRITE | AVAIL, 0);
    }),
    clean: CLEAN_PACKED,
  },
  'PACKED-DRV-008': { breach: scene(PACKED, (s) => s.setUp().publish(0, [1, [1]])), clean: CLEAN_PACKED },
  'PACKED-DRV-010': {
    breach: scene(PACKED, (s) => {
      s.setUp().publish(0, [1, 1, 1, 1, 1]);
      s.publish(0, [1, 1, 1, 1]);
    }),
    clean: CLEAN_PACKED,
  },
  'PACKED-DRV-011': {
    breach: scene(PACKED, (s) => {
      s.setUp().storeDescriptor(0, 0, FIRST_BUFFER, 16, NEXT | AVAIL, 0);
      s.storeDescriptor(0, 1, SECOND_BUFFER, 1, WRITE | AVAIL, 0);
    }),
    clean: CLEAN_PACKED,
  },
  'PACKED-DEV-008': {
    breach: scene(PACKED, (s) => {
      s.setUp().publish(0, [HEADER, HEADER, 1]);
      s.notify(0).take(0, { readsRequest: false });
      s.dmaRead(SECOND_BUFFER, HEADER);
    }),
    clean: scene(PACKED, (s) => s.setUp().request(0, [HEADER, HEADER, 1], [0])),
  },
  'PACKED-DRV-012': {
    breach: scene(PACKED, (s) => s.setUp().publish(0, [[1], 1], { indirect: true })),
    clean: scene(PACKED_INDIRECT, (s) => s.setUp().publish(0, [[1], 1], { indirect: true })),
  },
  'PACKED-DRV-013': {
    breach: scene(PACKED_INDIRECT, (s) => {
      s.setUp();
      entry(s, 0, 16, NEXT, 0);
      s.storeDescriptor(0, 0, TABLE, 16, INDIRECT | AVAIL, 0);
    }),
    clean: scene(PACKED_INDIRECT, (s) => s.setUp().publish(0, [[1], 1], { indirect: true })),
  },
  'PACKED-DRV-015': {
    breach: scene(PACKED_INDIRECT, (s) => {
      s.setUp();
      entry(s, 0, 16, 0, 0);
      s.storeDescriptor(0, 1, TABLE, 16, INDIRECT | AVAIL, 0);
      s.storeDescriptor(0, 0, FIRST_BUFFER, 16, NEXT | AVAIL, 0);
    }),
    clean: scene(PACKED_INDIRECT, (s) => s.setUp().publish(0, [[1], 1], { indirect: true })),
  },
};
