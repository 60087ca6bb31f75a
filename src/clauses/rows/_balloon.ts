import type { ClauseProofs } from '../_laws.ts';
import { le16, le32, le64, type Stream } from '../_stream.ts';

const PLAIN = { device: 'balloon', queues: 2 } as const;
const STATS = { device: 'balloon', queues: 3, offers: [1] } as const;
const HINTS = { device: 'balloon', queues: 4, offers: [1, 3] } as const;
const REPORTS = { device: 'balloon', queues: 4, offers: [1, 4, 5] } as const;
const LEGACY = { ...PLAIN, mode: 'legacy', bigEndian: true } as const;

const PAGE = 4096;
/** Pages that no buffer of a stream lies in. */
const FIRST = 0x7000;
const ID = 0x8000_0001;

const list = (...pages: readonly number[]): number[] => pages.flatMap((page) => le32(page));

/** Pages given up, by a whole request; the balloon's size is told after it. */
function inflate(s: Stream, ...pages: readonly number[]): Stream {
  return s.request(0, [list(...pages)]);
}

function deflate(s: Stream, ...pages: readonly number[]): Stream {
  return s.request(1, [list(...pages)]);
}

/** Offered and not given back. */
function offer(s: Stream, queue: number, ...pages: readonly number[]): number {
  const id = s.publish(queue, [list(...pages)]);
  s.notify(queue);
  s.take(queue);
  return id;
}

const waits = (s: Stream, times = 5): Stream => {
  for (let i = 0; i < times; i++) s.idle();
  return s;
};

const stats = (...tags: readonly number[]): number[] =>
  tags.flatMap((tag) => [...le16(tag), ...le64(BigInt(tag + 1))]);

/** A statistics buffer that the device keeps; what it is called. */
function handIn(s: Stream, bytes: readonly number[]): number {
  const id = s.publish(2, [bytes]);
  s.notify(2);
  s.take(2);
  return id;
}

/** The device shows a command id, and the driver reads it. */
const show = (s: Stream, id: number): Stream => s.readConfig(8, 4, id);

const command = (s: Stream, id: number): Stream => s.request(3, [le32(id)]);

const hint = (s: Stream): Stream => s.request(3, [PAGE]);

/** A hint, and the page that it is about: the command before it took the first. */
function hintedPage(s: Stream): number {
  hint(s);
  return 0x100_1000;
}

const discard = (s: Stream, address: number, length = PAGE): void => {
  s.emit('discard', [s.requester, address, length]);
};

const monitor = (s: Stream, text: string): void => {
  s.hostInput(
    0xffff,
    Array.from(text, (letter) => letter.charCodeAt(0)),
  );
};

const told = (s: Stream, text: string): void => {
  s.hostOutput(
    0xffff,
    Array.from(text, (letter) => letter.charCodeAt(0)),
  );
};

/** A page that is reported and not acknowledged: what the request is called. */
function report(s: Stream): number {
  const id = s.publish(3, [PAGE]);
  s.notify(3);
  s.take(3);
  return id;
}

export const BALLOON_PROOFS: ClauseProofs = {
  'BAL-DRV-001': {
    breach: { ...PLAIN, offers: [0], accepts: [32], play: (s) => s.setUp() },
    clean: { ...PLAIN, offers: [0], play: (s) => s.setUp() },
  },
  'BAL-DRV-004': {
    breach: { ...PLAIN, play: (s) => waits(s.setUp().readConfig(0, 4, 16)) },
    clean: {
      ...PLAIN,
      play: (s) =>
        waits(
          inflate(s.setUp().readConfig(0, 4, 1).idle(), FIRST)
            .writeConfig(4, 4, 1)
            .readConfig(0, 4, 1),
        ),
    },
  },
  'BAL-DRV-009': {
    breach: {
      ...PLAIN,
      play: (s) =>
        inflate(s.setUp(), FIRST, FIRST + 1)
          .writeConfig(4, 4, 2)
          .writeConfig(4, 4, 1),
    },
    clean: {
      ...PLAIN,
      play: (s) =>
        deflate(inflate(s.setUp(), FIRST, FIRST + 1).writeConfig(4, 4, 2), FIRST).writeConfig(4, 4, 1),
    },
  },
  'BAL-DRV-010': {
    breach: {
      ...PLAIN,
      offers: [0],
      play: (s) => {
        inflate(s.setUp(), FIRST);
        offer(s, 1, FIRST);
        s.store(FIRST * PAGE + 8, [1]);
      },
    },
    clean: {
      ...PLAIN,
      offers: [0],
      play: (s) => deflate(inflate(s.setUp(), FIRST), FIRST).store(FIRST * PAGE, [1]),
    },
  },
  'BAL-DRV-012': {
    breach: {
      ...PLAIN,
      play: (s) => {
        offer(s.setUp(), 0, FIRST, FIRST + 3);
        s.store((FIRST + 3) * PAGE + 4095, [1]);
      },
    },
    clean: { ...PLAIN, play: (s) => inflate(s.setUp(), FIRST).store(FIRST * PAGE, [1]) },
  },
  'BAL-DRV-013': {
    breach: {
      ...PLAIN,
      play: (s) => {
        offer(s.setUp(), 0, FIRST);
        offer(s, 1, FIRST);
      },
    },
    clean: { ...PLAIN, play: (s) => deflate(inflate(s.setUp(), FIRST), FIRST) },
  },
  'BAL-DRV-014': {
    breach: { ...PLAIN, play: (s) => waits(inflate(s.setUp(), FIRST)) },
    clean: {
      ...PLAIN,
      play: (s) => waits(inflate(inflate(s.setUp(), FIRST), FIRST + 1).writeConfig(4, 4, 2)),
    },
  },
  'BAL-DRV-016': {
    breach: {
      ...STATS,
      play: (s) => {
        handIn(s.setUp(), stats(0));
        handIn(s, stats(0));
      },
    },
    clean: {
      ...STATS,
      play: (s) => {
        s.use(2, handIn(s.setUp(), stats(0)));
        handIn(s, stats(0));
      },
    },
  },
  'BAL-DRV-017': {
    breach: { ...STATS, play: (s) => waits(s.setUp()) },
    clean: {
      ...STATS,
      play: (s) => {
        handIn(s.setUp(), stats(0));
        waits(s);
      },
    },
  },
  'BAL-DRV-018': {
    breach: {
      ...STATS,
      play: (s) => {
        s.use(2, handIn(s.setUp(), stats(0)));
        waits(s);
      },
    },
    clean: {
      ...STATS,
      play: (s) => {
        s.use(2, handIn(s.setUp(), stats(0))).idle();
        handIn(s, stats(0));
        waits(s);
      },
    },
  },
  'BAL-DRV-019': {
    breach: { ...STATS, play: (s) => void handIn(s.setUp(), stats(4, 5, 4)) },
    clean: { ...STATS, play: (s) => void handIn(s.setUp(), stats(4, 5, 0)) },
  },
  'BAL-DRV-020': {
    breach: { ...STATS, play: (s) => void handIn(s.setUp(), [...stats(4), 0]) },
    clean: { ...STATS, play: (s) => void handIn(s.setUp(), stats(4, 5)) },
  },
  'BAL-DRV-023': {
    breach: {
      ...STATS,
      play: (s) => {
        s.use(2, handIn(s.setUp(), stats(4, 5)));
        handIn(s, stats(4));
      },
    },
    clean: {
      ...STATS,
      play: (s) => {
        s.use(2, handIn(s.setUp(), stats(4, 5)));
        handIn(s, stats(5, 4));
      },
    },
  },
  'BAL-DEV-004': {
    breach: {
      ...STATS,
      play: (s) => {
        handIn(s.setUp(), stats(4, 77));
        s.readStatus(0x4f);
      },
    },
    clean: {
      ...STATS,
      play: (s) => {
        handIn(s.setUp(), stats(4, 77));
        s.readStatus();
      },
    },
  },
  'BAL-DEV-005': {
    breach: {
      ...STATS,
      play: (s) => {
        handIn(s.setUp(), stats(4, 3));
        s.readStatus(0x4f);
      },
    },
    clean: {
      ...STATS,
      play: (s) => {
        handIn(s.setUp(), stats(4, 3));
        s.readStatus();
      },
    },
  },
  'BAL-DRV-024': {
    breach: { ...HINTS, play: (s) => show(s.setUp(), ID).request(3, [[...le32(ID), 0]]) },
    clean: { ...HINTS, play: (s) => command(show(s.setUp(), ID), ID) },
  },
  'BAL-DRV-025': {
    breach: { ...HINTS, play: (s) => hint(show(s.setUp(), ID)) },
    clean: { ...HINTS, play: (s) => hint(command(show(s.setUp(), ID), ID)) },
  },
  'BAL-DRV-026': {
    breach: { ...HINTS, play: (s) => command(command(show(s.setUp(), ID), ID), ID) },
    clean: { ...HINTS, play: (s) => command(show(command(show(s.setUp(), ID), ID), ID + 1), ID + 1) },
  },
  'BAL-DRV-027': {
    breach: { ...HINTS, play: (s) => waits(show(s.setUp(), ID)) },
    clean: { ...HINTS, play: (s) => waits(hint(command(show(s.setUp(), ID).idle(), ID))) },
  },
  'BAL-DRV-028': {
    breach: { ...HINTS, play: (s) => hint(show(hint(command(show(s.setUp(), ID), ID)), 0)) },
    clean: { ...HINTS, play: (s) => hint(command(show(s.setUp(), ID), ID)) },
  },
  'BAL-DRV-029': {
    breach: { ...HINTS, play: (s) => waits(hint(command(show(s.setUp(), ID), ID))) },
    clean: { ...HINTS, play: (s) => waits(command(hint(command(show(s.setUp(), ID), ID)), 0)) },
  },
  'BAL-DEV-006': {
    breach: { ...HINTS, play: (s) => show(command(hint(command(show(s.setUp(), ID), ID)), 0), ID) },
    clean: { ...HINTS, play: (s) => show(command(hint(command(show(s.setUp(), ID), ID)), 0), 0) },
  },
  'BAL-DEV-007': {
    breach: { ...HINTS, play: (s) => show(show(show(s.setUp(), ID), 0), ID) },
    clean: { ...HINTS, play: (s) => show(command(hint(command(show(s.setUp(), ID), ID)), 0), ID) },
  },
  'BAL-DEV-008': {
    breach: {
      ...HINTS,
      play: (s) => {
        command(show(s.setUp(), ID), ID + 7);
        discard(s, hintedPage(s));
      },
    },
    clean: { ...HINTS, play: (s) => hint(command(show(s.setUp(), ID), ID + 7)) },
  },
  'BAL-DEV-010': {
    breach: {
      ...HINTS,
      play: (s) => {
        command(show(s.setUp(), ID), ID);
        const page = hintedPage(s);
        show(s, 1);
        discard(s, page);
      },
    },
    clean: {
      ...HINTS,
      play: (s) => {
        command(show(s.setUp(), ID), ID);
        discard(s, hintedPage(s));
        show(s, 1);
        inflate(s, FIRST);
        discard(s, FIRST * PAGE);
      },
    },
  },
  'BAL-DEV-011': {
    breach: {
      ...HINTS,
      play: (s) => {
        monitor(s.setUp(), '{"execute":"x-free-page-hint","arguments":{"phase":"done"}}');
        show(s, 0);
      },
    },
    clean: {
      ...HINTS,
      play: (s) => {
        monitor(s.setUp(), '{"execute":"x-free-page-hint","arguments":{"phase":"done"}}');
        show(s, 1);
      },
    },
  },
  'BAL-DRV-035': {
    breach: { ...REPORTS, play: (s) => s.setUp() },
    clean: {
      ...REPORTS,
      play: (s) => s.probe().begin().writeConfig(12, 4, 0xaa).enableQueue(0).status(15),
    },
  },
  'BAL-DRV-036': {
    breach: { ...REPORTS, play: (s) => s.setUp().writeConfig(12, 4, 0xaa) },
    clean: { ...REPORTS, play: (s) => s.setUp().writeConfig(4, 4, 1) },
  },
  'BAL-DRV-039': {
    breach: {
      ...REPORTS,
      play: (s) => {
        report(s.setUp());
        s.store(0x100_0000 + 4095, [1]);
      },
    },
    clean: {
      ...REPORTS,
      play: (s) => {
        s.use(3, report(s.setUp())).store(0x100_0000, [1]);
      },
    },
  },
  'BAL-DEV-014': {
    breach: {
      ...REPORTS,
      play: (s) => {
        s.probe().begin().writeConfig(12, 4, 0xaa);
        for (let queue = 0; queue < 4; queue++) s.enableQueue(queue);
        report(s.status(15));
        discard(s, 0x100_0000);
      },
    },
    clean: {
      ...REPORTS,
      play: (s) => {
        report(s.setUp());
        discard(s, 0x100_0000);
      },
    },
  },
  'BALL-DEV-001': {
    breach: {
      ...LEGACY,
      offers: [0],
      accepts: [],
      play: (s) => {
        offer(s.setUp(), 0, FIRST);
        waits(s);
      },
    },
    clean: { ...LEGACY, offers: [0], accepts: [], play: (s) => waits(inflate(s.setUp(), FIRST)) },
  },
  'BALL-DEV-002': {
    breach: {
      ...PLAIN,
      mode: 'legacy',
      play: (s) => {
        inflate(s.setUp(), FIRST).store(FIRST * PAGE, [1]);
        discard(s, FIRST * PAGE);
      },
    },
    clean: {
      ...PLAIN,
      mode: 'legacy',
      play: (s) => {
        inflate(s.setUp(), FIRST).store(FIRST * PAGE, [1]);
        deflate(s, FIRST);
      },
    },
  },
  'BALL-BOTH-001': {
    breach: { ...LEGACY, play: (s) => s.setUp().readConfig(0, 4, 0x1000_0000) },
    clean: { ...LEGACY, play: (s) => s.setUp().readConfig(0, 4, 0x10) },
  },
  'BALL-DRV-002': {
    breach: { ...LEGACY, play: (s) => s.setUp().writeConfig(4, 1, 1) },
    clean: { ...LEGACY, play: (s) => s.setUp().writeConfig(4, 4, 1) },
  },
  'BALL-DEV-003': {
    breach: { ...LEGACY, play: (s) => told(s.setUp().writeConfig(4, 1, 1), '{"event":"BALLOON_CHANGE"}') },
    clean: {
      ...LEGACY,
      play: (s) => told(s.setUp().writeConfig(4, 1, 1).writeConfig(7, 1, 0), '{"event":"BALLOON_CHANGE"}'),
    },
  },
  'BALL-BOTH-002': {
    breach: {
      ...STATS,
      mode: 'legacy',
      bigEndian: true,
      play: (s) => void handIn(s.setUp(), stats(4)),
    },
    clean: { ...STATS, mode: 'legacy', play: (s) => void handIn(s.setUp(), stats(4)) },
  },
  'BALL-BOTH-003': {
    breach: {
      ...HINTS,
      mode: 'legacy',
      bigEndian: true,
      play: (s) => command(show(s.setUp(), ID), ID),
    },
    clean: {
      ...HINTS,
      mode: 'legacy',
      bigEndian: true,
      play: (s) => show(s.setUp(), ID).request(3, [le32(ID, false)]),
    },
  },
};
