import type { Chain } from '../chain.ts';
import type { ClauseChecker, ClauseTable, Judgement } from '../clause.ts';
import type { Hooks } from '../hooks.ts';
import type { ObservedQueue } from '../observed-queue.ts';
import type { VirtioFunction } from '../virtio-function.ts';

const F_MUST_TELL_HOST = 0;
const F_STATS_VQ = 1;
const F_FREE_PAGE_HINT = 3;
const F_PAGE_POISON = 4;
const F_REPORTING = 5;
const INFLATE = 0;
const DEFLATE = 1;
const STATS = 2;
const FIRST_OPTIONAL = 3;
const NUM_PAGES = 0;
const ACTUAL = 4;
const CMD_ID = 8;
const POISON_VAL = 12;
const CMD_STOP = 0;
const CMD_DONE = 1;
const CMD_FIRST = 2;
const PAGE = 4096;
const PFN = 4;
const STAT = 10;
/** Statistics that the specification numbers (5.5.6.4). */
const TAGS = 10;
const TAGS_MAX = 0x100;
const NEEDS_RESET = 0x40;
const MONITOR_PORT = 0xffff;
/** No guest has that much memory (64 TiB): another byte order makes a small count such a number. */
const PAGES_MAX = 2 ** 24;
/** Waits until nothing is due that a driver may take to do what it owes. */
const PATIENCE = 2;

/** A chain is offered: as the driver wrote it where its stores are seen, as the device read it elsewhere. */
function whenOffered(see: (queue: ObservedQueue, chain: Chain) => void): Hooks {
  return {
    onAvailable: see,
    onTaken(queue, chain) {
      if (!queue.driverSeen) see(queue, chain);
    },
  };
}

/**
 * QEMU and Linux both number the queues that are there, where the text has fixed numbers for those that may not be:
 * reporting has 3 without hinting, and 4 with it.
 */
function hintQueue(device: VirtioFunction): number {
  return device.has(F_FREE_PAGE_HINT) ? FIRST_OPTIONAL : -1;
}

function reportQueue(device: VirtioFunction): number {
  if (!device.has(F_REPORTING)) return -1;
  return device.offers(F_FREE_PAGE_HINT) ? FIRST_OPTIONAL + 1 : FIRST_OPTIONAL;
}

/** Each page number of a chain whose bytes are known. */
function eachPage(device: VirtioFunction, chain: Chain, see: (page: number) => void): void {
  const { little } = device;
  for (let at = 0; at + PFN <= chain.requestKnown; at += PFN) see(chain.request32(at, little));
}

/** Pages that begin in [address, address + length), and the one it begins in. */
function eachPageIn(address: number, length: number, see: (page: number) => void): void {
  const end = address + Math.max(length, 1);
  for (let page = Math.floor(address / PAGE); page * PAGE < end; page++) see(page);
}

/** The cmd id as the driver read it last, and what it said of it. */
interface Hinting {
  shown: number;
  /** Ids that the driver sent since the last STOP of its own, the last of them, and whether hints followed. */
  sent: number;
  hinted: boolean;
}

const NO_ID = -1;

// --- Inflate and deflate --------------------------------------------------------------------------------------------

/** Where a page of the balloon stands. */
const INFLATING = 1;
const IN_BALLOON = 2;
const DEFLATING = 3;

interface PageHooks {
  /** The guest stored into a page that is somewhere on its way. */
  readonly stored?: (state: number, page: number) => void;
  readonly deflated?: (state: number | undefined) => void;
  /** The guest told how many pages it has given; `inside` are there by its lists. */
  readonly counted?: (actual: number, inside: number) => void;
  /** The host took a page that was not being given. */
  readonly taken?: (state: number | undefined, page: number) => void;
}

/** Keeps the books of every page that is in the balloon or on its way. */
function pageBook(device: VirtioFunction, hooks: PageHooks): Hooks {
  const pages = new Map<number, number>();
  let inside = 0;
  const clear = (): void => {
    pages.clear();
    inside = 0;
  };
  return {
    onBegin: clear,
    onReset: clear,
    ...whenOffered((queue, chain) => {
      if (queue.index === INFLATE) {
        eachPage(device, chain, (page) => {
          if (!pages.has(page)) inside++;
          pages.set(page, INFLATING);
        });
      } else if (queue.index === DEFLATE) {
        eachPage(device, chain, (page) => {
          hooks.deflated?.(pages.get(page));
          if (pages.has(page)) pages.set(page, DEFLATING);
        });
      }
    }),
    onUsed(queue, chain) {
      if (queue.index === INFLATE) {
        eachPage(device, chain, (page) => {
          if (pages.get(page) === INFLATING) pages.set(page, IN_BALLOON);
        });
      } else if (queue.index === DEFLATE) {
        eachPage(device, chain, (page) => {
          if (pages.delete(page)) inside--;
        });
      }
    },
    onGuestStore(address, length) {
      if (pages.size === 0 || hooks.stored === undefined) return;
      eachPageIn(address, length, (page) => {
        const state = pages.get(page);
        if (state !== undefined) hooks.stored?.(state, page);
      });
    },
    onDiscard(address, length) {
      eachPageIn(address, length, (page) => hooks.taken?.(pages.get(page), page));
    },
    onDeviceConfigWrite(offset, width, value) {
      if (offset === ACTUAL && width === 4) hooks.counted?.(value, inside);
    },
  };
}

/** Something that the driver owes: it may take a few waits, and an act of its own pays. */
function debt(
  clause: Judgement,
  sentence: string,
): { owe(): void; pay(): void; wait(): void; clear(): void } {
  const state = clause.state({ since: -1, waits: 0 });
  return {
    owe(): void {
      if (state.since >= 0) return;
      state.since = clause.event;
      state.waits = 0;
    },
    pay(): void {
      if (state.since >= 0) clause.applies();
      state.since = -1;
    },
    wait(): void {
      if (state.since < 0 || ++state.waits <= PATIENCE) return;
      clause.breaks(sentence, state.since);
      state.since = -1;
    },
    clear(): void {
      state.since = -1;
    },
  };
}

const PAGES: readonly ClauseChecker[] = [
  {
    id: 'BAL-DRV-001',
    judge: 'driver',
    watch: (clause, device) => ({
      onDriverOk() {
        if (!device.knowsOffer(F_MUST_TELL_HOST) || !device.offers(F_MUST_TELL_HOST)) return;
        clause.holds(device.accepts(F_MUST_TELL_HOST), 'MUST_TELL_HOST is offered and not accepted');
      },
    }),
  },
  {
    id: 'BAL-DRV-004',
    judge: 'driver',
    watch: (clause, device) => {
      const state = clause.state({ actual: 0 });
      const owed = debt(clause, 'num_pages is above what the balloon holds, and no pages are supplied');
      return {
        onReset: () => {
          owed.clear();
          state.actual = 0;
        },
        onDeviceConfigRead(offset, width, value) {
          if (offset !== NUM_PAGES || width !== 4 || !device.running) return;
          if (value > state.actual) owed.owe();
          else owed.clear();
        },
        onDeviceConfigWrite(offset, width, value) {
          if (offset === ACTUAL && width === 4) state.actual = value;
        },
        ...whenOffered((queue) => {
          if (queue.index === INFLATE) owed.pay();
        }),
        onIdle: () => {
          owed.wait();
        },
      };
    },
  },
  {
    id: 'BAL-DRV-009',
    judge: 'driver',
    watch: (clause, device) =>
      pageBook(device, {
        deflated: () => {
          clause.applies();
        },
        counted: (actual, inside) => {
          if (actual < inside)
            clause.breaks('pages have left the balloon and were not named in the deflateq');
        },
      }),
  },
  {
    id: 'BAL-DRV-010',
    judge: 'driver',
    watch: (clause, device) =>
      pageBook(device, {
        deflated: () => {
          if (device.has(F_MUST_TELL_HOST)) clause.applies();
        },
        stored: (state) => {
          if (device.has(F_MUST_TELL_HOST) && (state === IN_BALLOON || state === DEFLATING))
            clause.breaks('a page is used before the device has acknowledged that it comes back');
        },
      }),
  },
  {
    id: 'BAL-DRV-012',
    judge: 'driver',
    watch: (clause, device) => ({
      ...pageBook(device, {
        stored: (state) => {
          if (state === INFLATING) clause.breaks('a page is used while it is being given to the device');
        },
      }),
      onNotify(queue, index) {
        if (queue !== undefined && index === INFLATE) clause.applies();
      },
    }),
  },
  {
    id: 'BAL-DRV-013',
    judge: 'driver',
    watch: (clause, device) =>
      pageBook(device, {
        deflated: (state) => {
          clause.holds(state !== INFLATING, 'a page is taken back before the device has acknowledged it');
        },
      }),
  },
  {
    id: 'BAL-DRV-014',
    judge: 'driver',
    watch: (clause, device) => {
      const owed = debt(clause, 'the balloon has another size, and actual is not updated');
      return {
        onReset: () => {
          owed.clear();
        },
        onUsed(queue) {
          if (queue.index === INFLATE || queue.index === DEFLATE) owed.owe();
        },
        onDeviceConfigWrite(offset, width) {
          if (offset + width > ACTUAL && offset < ACTUAL + 4) owed.pay();
        },
        onIdle: () => {
          if (device.running) owed.wait();
        },
      };
    },
  },
];

// --- Statistics -----------------------------------------------------------------------------------------------------

/** Tags of a statistics buffer as a set of bits; -1 if one of them stands there twice or cannot be numbered so. */
function tagsOf(device: VirtioFunction, chain: Chain): number {
  let tags = 0;
  for (let at = 0; at + STAT <= chain.requestKnown; at += STAT) {
    const tag = chain.request16(at, device.little);
    const bit = tag < 31 ? 1 << tag : 0;
    if (bit === 0 || (tags & bit) !== 0) return -1;
    tags |= bit;
  }
  return tags;
}

/** A statistics buffer of a driver that accepted them. */
function whenStatistics(device: VirtioFunction, see: (chain: Chain) => void): Hooks {
  return whenOffered((queue, chain) => {
    if (queue.index === STATS && device.has(F_STATS_VQ)) see(chain);
  });
}

/** After a buffer of a kind that the device has to take, it must not ask to be reset. */
function takesStatistics(
  clause: Judgement,
  device: VirtioFunction,
  isMeant: (chain: Chain) => boolean,
  sentence: string,
): Hooks {
  const state = clause.state({ since: -1 });
  return {
    onReset: () => {
      state.since = -1;
    },
    onTaken(queue, chain) {
      if (queue.index !== STATS || !device.has(F_STATS_VQ) || device.misused !== '' || queue.broken !== '')
        return;
      if (chain.readableBytes % STAT === 0 && chain.writableBytes === 0 && isMeant(chain))
        state.since = clause.event;
    },
    onStatusRead(value) {
      if (state.since < 0) return;
      clause.holds((value & NEEDS_RESET) === 0, sentence, state.since);
      state.since = -1;
    },
  };
}

function isUnknown(device: VirtioFunction, chain: Chain): boolean {
  for (let at = 0; at + STAT <= chain.requestKnown; at += STAT) {
    if (chain.request16(at, device.little) >= TAGS) return true;
  }
  return false;
}

function isShuffled(device: VirtioFunction, chain: Chain): boolean {
  let last = -1;
  for (let at = 0; at + STAT <= chain.requestKnown; at += STAT) {
    const tag = chain.request16(at, device.little);
    if (tag < last) return true;
    last = tag;
  }
  return false;
}

const STATISTICS: readonly ClauseChecker[] = [
  {
    id: 'BAL-DRV-016',
    judge: 'driver',
    watch: (clause, device) => {
      const state = clause.state({ out: 0 });
      const clear = (): void => {
        state.out = 0;
      };
      return {
        onReset: clear,
        onQueueReset: clear,
        ...whenStatistics(device, () => {
          clause.holds(state.out === 0, 'a second statistics buffer is handed in');
          state.out++;
        }),
        onUsed(queue) {
          if (queue.index === STATS) state.out = Math.max(state.out - 1, 0);
        },
      };
    },
  },
  {
    id: 'BAL-DRV-017',
    judge: 'driver',
    watch: (clause, device) => {
      const owed = debt(clause, 'the driver is up and has handed in no statistics buffer');
      const state = clause.state({ early: false });
      return {
        onReset: () => {
          owed.clear();
          state.early = false;
        },
        onDriverOk: () => {
          if (!device.has(F_STATS_VQ)) return;
          if (state.early) clause.applies();
          else owed.owe();
        },
        ...whenStatistics(device, () => {
          state.early = true;
          owed.pay();
        }),
        onIdle: () => {
          owed.wait();
        },
      };
    },
  },
  {
    id: 'BAL-DRV-018',
    judge: 'driver',
    watch: (clause, device) => {
      const owed = debt(clause, 'a statistics buffer came back and no other is handed in');
      return {
        onReset: () => {
          owed.clear();
        },
        onUsed(queue) {
          if (queue.index === STATS && device.has(F_STATS_VQ)) owed.owe();
        },
        ...whenStatistics(device, () => {
          owed.pay();
        }),
        onIdle: () => {
          owed.wait();
        },
      };
    },
  },
  {
    id: 'BAL-DRV-019',
    judge: 'driver',
    watch: (clause, device) =>
      whenStatistics(device, (chain) => {
        if (chain.requestKnown < chain.readableBytes) return;
        clause.holds(
          chain.readableBytes > 0 && tagsOf(device, chain) !== -1,
          'a statistics buffer does not hold one entry for each statistic',
        );
      }),
  },
  {
    id: 'BAL-DRV-020',
    judge: 'driver',
    watch: (clause, device) =>
      whenStatistics(device, (chain) => {
        clause.holds(chain.readableBytes % STAT === 0, 'a statistics buffer is not a multiple of 10 bytes');
      }),
  },
  {
    id: 'BAL-DRV-023',
    judge: 'driver',
    watch: (clause, device) => {
      const state = clause.state({ tags: 0, seen: false });
      return {
        onReset: () => {
          state.seen = false;
        },
        ...whenStatistics(device, (chain) => {
          const tags = tagsOf(device, chain);
          if (tags === -1 || chain.requestKnown < chain.readableBytes) return;
          if (state.seen)
            clause.holds(tags === state.tags, 'a statistics buffer holds other statistics than the first');
          state.seen = true;
          state.tags = tags;
        }),
      };
    },
  },
  {
    id: 'BAL-DEV-004',
    judge: 'device',
    watch: (clause, device) =>
      takesStatistics(
        clause,
        device,
        (chain) => isUnknown(device, chain),
        'an unknown statistic makes the device ask for a reset',
      ),
  },
  {
    id: 'BAL-DEV-005',
    judge: 'device',
    watch: (clause, device) =>
      takesStatistics(
        clause,
        device,
        (chain) => isShuffled(device, chain),
        'statistics in another order make the device ask for a reset',
      ),
  },
];

// --- Free page hinting ----------------------------------------------------------------------------------------------

/** What a chain of the hinting queue says: a command, hints, or both. */
function follow(
  clause: Judgement,
  device: VirtioFunction,
  see: {
    readonly command?: (id: number, seen: Hinting, chain: Chain) => void;
    readonly hint?: (seen: Hinting, chain: Chain) => void;
    readonly shown?: (id: number, seen: Hinting) => void;
    readonly used?: (seen: Hinting, chain: Chain) => void;
    readonly idle?: (seen: Hinting) => void;
    readonly reset?: () => void;
  },
): Hooks {
  const seen: Hinting = clause.state({ shown: NO_ID, sent: NO_ID, hinted: false });
  return {
    onBegin: () => see.reset?.(),
    onReset: () => {
      seen.shown = NO_ID;
      seen.sent = NO_ID;
      seen.hinted = false;
      see.reset?.();
    },
    onDeviceConfigRead(offset, width, value) {
      if (offset !== CMD_ID || width !== 4 || !device.has(F_FREE_PAGE_HINT)) return;
      see.shown?.(value, seen);
      seen.shown = value;
    },
    ...whenOffered((queue, chain) => {
      if (queue.index !== hintQueue(device)) return;
      if (chain.readableBytes > 0) {
        const id = chain.requestKnown >= 4 ? chain.request32(0, device.little) : NO_ID;
        see.command?.(id, seen, chain);
        seen.sent = id;
        if (id !== CMD_STOP) seen.hinted = false;
      }
      if (chain.writableBytes > 0) {
        see.hint?.(seen, chain);
        seen.hinted = true;
      }
    }),
    onUsed(queue, chain) {
      if (queue.index === hintQueue(device)) see.used?.(seen, chain);
    },
    onIdle() {
      see.idle?.(seen);
    },
  };
}

/** Guest pages of the hints that are out, by device address: the balloon's device knows no other. */
function rememberHints(hints: Set<number>, chain: Chain): void {
  for (let at = 0; at < chain.count; at++) {
    if (chain.writable(at) && chain.address(at) >= 0)
      eachPageIn(chain.address(at), chain.length(at), (page) => hints.add(page));
  }
}

const HINTING: readonly ClauseChecker[] = [
  {
    id: 'BAL-DRV-024',
    judge: 'driver',
    watch: (clause, device) =>
      follow(clause, device, {
        command: (_id, _seen, chain) => {
          clause.holds(chain.readableBytes === 4, 'a command of free page hinting is not 4 bytes long');
        },
      }),
  },
  {
    id: 'BAL-DRV-025',
    judge: 'driver',
    watch: (clause, device) =>
      follow(clause, device, {
        hint: (seen) => {
          clause.holds(
            seen.sent >= CMD_FIRST && seen.sent === seen.shown,
            'pages are hinted without the command id that the device shows',
          );
        },
      }),
  },
  {
    id: 'BAL-DRV-026',
    judge: 'driver',
    watch: (clause, device) => {
      const said = new Set<number>();
      return follow(clause, device, {
        reset: () => {
          said.clear();
        },
        command: (id) => {
          if (id < CMD_FIRST) return;
          clause.holds(!said.has(id), 'a command id is sent a second time');
          said.add(id);
        },
      });
    },
  },
  {
    id: 'BAL-DRV-027',
    judge: 'driver',
    watch: (clause, device) => {
      const owed = debt(clause, 'the device asks for hints and gets none');
      return follow(clause, device, {
        reset: () => {
          owed.clear();
        },
        shown: (id, seen) => {
          if (id < CMD_FIRST) owed.clear();
          else if (id !== seen.shown) owed.owe();
        },
        hint: () => {
          owed.pay();
        },
        idle: () => {
          owed.wait();
        },
      });
    },
  },
  {
    id: 'BAL-DRV-028',
    judge: 'driver',
    watch: (clause, device) =>
      follow(clause, device, {
        hint: (seen) => {
          clause.holds(seen.shown >= CMD_FIRST, 'pages are hinted after the device has shown STOP or DONE');
        },
      }),
  },
  {
    id: 'BAL-DRV-029',
    judge: 'driver',
    watch: (clause, device) => {
      const owed = debt(clause, 'the driver stops hinting without telling STOP');
      return follow(clause, device, {
        reset: () => {
          owed.clear();
        },
        hint: () => {
          owed.owe();
        },
        shown: (id) => {
          if (id < CMD_FIRST) owed.clear();
        },
        command: (id) => {
          if (id === CMD_STOP) owed.pay();
        },
        idle: () => {
          owed.wait();
        },
      });
    },
  },
  {
    id: 'BAL-DEV-006',
    judge: 'device',
    watch: (clause, device) => {
      const state = clause.state({ ended: NO_ID });
      return follow(clause, device, {
        reset: () => {
          state.ended = NO_ID;
        },
        used: (seen, chain) => {
          // The driver's STOP of a request that had begun: hints are of no use until there is another.
          if (chain.readableBytes !== 4 || chain.request32(0, device.little) !== CMD_STOP) return;
          if (seen.hinted && device.misused === '') state.ended = seen.shown;
        },
        shown: (id) => {
          if (state.ended < CMD_FIRST) return;
          clause.holds(id !== state.ended, 'the command id of a request that is over is still shown');
        },
      });
    },
  },
  {
    id: 'BAL-DEV-007',
    judge: 'device',
    watch: (clause, device) => {
      const old = new Set<number>();
      return follow(clause, device, {
        reset: () => {
          old.clear();
        },
        used: (_seen, chain) => {
          if (chain.readableBytes === 4 && chain.request32(0, device.little) === CMD_STOP) old.clear();
        },
        shown: (id, seen) => {
          if (id < CMD_FIRST || id === seen.shown) return;
          clause.holds(!old.has(id), 'a command id comes again before the driver has told STOP');
          old.add(id);
        },
      });
    },
  },
  {
    id: 'BAL-DEV-008',
    judge: 'device',
    watch: (clause, device) => {
      const stale = new Set<number>();
      return {
        ...follow(clause, device, {
          reset: () => {
            stale.clear();
          },
          hint: (seen, chain) => {
            stale.clear();
            if (seen.sent === seen.shown) return;
            clause.applies();
            rememberHints(stale, chain);
          },
          used: (seen, chain) => {
            if (seen.sent !== seen.shown && chain.responseWritten > 0)
              clause.breaks('a page is written to that was hinted under another command id');
          },
        }),
        onDiscard(address, length) {
          eachPageIn(address, length, (page) => {
            if (stale.delete(page)) clause.breaks('a page is taken that was hinted under another command id');
          });
        },
      };
    },
  },
  {
    id: 'BAL-DEV-010',
    judge: 'device',
    watch: (clause, device) => {
      const hints = new Set<number>();
      const state = clause.state({ done: false });
      const hinting = follow(clause, device, {
        reset: () => {
          hints.clear();
          state.done = false;
        },
        hint: (_seen, chain) => {
          if (state.done) hints.clear();
          state.done = false;
          rememberHints(hints, chain);
        },
        shown: (id) => {
          if (id !== CMD_DONE || hints.size === 0) return;
          if (!state.done) clause.applies();
          state.done = true;
        },
      });
      // A page that the driver gives to something else is the host's to take.
      const given = (queue: ObservedQueue): void => {
        if (queue.index === INFLATE || queue.index === reportQueue(device)) hints.clear();
      };
      return {
        ...hinting,
        onAvailable(queue, chain) {
          given(queue);
          hinting.onAvailable?.(queue, chain);
        },
        onTaken(queue, chain) {
          given(queue);
          hinting.onTaken?.(queue, chain);
        },
        onDiscard(address, length) {
          if (!state.done) return;
          eachPageIn(address, length, (page) => {
            if (hints.has(page)) clause.breaks('a hinted page is taken after DONE was shown');
          });
        },
      };
    },
  },
  {
    id: 'BAL-DEV-011',
    judge: 'device',
    watch: (clause, device) => {
      const state = clause.state({ since: -1 });
      return {
        ...follow(clause, device, {
          reset: () => {
            state.since = -1;
          },
          shown: (id) => {
            if (state.since < 0) return;
            clause.holds(
              id === CMD_DONE,
              'the host needs no hints any more, and DONE is not shown',
              state.since,
            );
            state.since = -1;
          },
        }),
        onHostInput(port, bytes, from, length) {
          if (port !== MONITOR_PORT || !device.has(F_FREE_PAGE_HINT)) return;
          const phase = hintPhase(bytes, from, length);
          if (phase === 'done') state.since = clause.event;
          else if (phase !== '') state.since = -1;
        },
      };
    },
  },
];

/** What an order at the monitor asks of hinting: `done`, something else, or nothing. */
function hintPhase(bytes: Uint8Array, from: number, length: number): string {
  let text = '';
  for (let i = 0; i < Math.min(length, 200); i++) text += String.fromCharCode(bytes[from + i] ?? 0);
  if (!text.includes('x-free-page-hint')) return '';
  return text.includes('"done"') ? 'done' : 'other';
}

// --- Poison and reporting -------------------------------------------------------------------------------------------

const REPORTING: readonly ClauseChecker[] = [
  {
    id: 'BAL-DRV-035',
    judge: 'driver',
    watch: (clause, device) => {
      const state = clause.state({ written: false });
      return {
        onReset: () => {
          state.written = false;
        },
        onDeviceConfigWrite(offset, width) {
          if (offset + width > POISON_VAL && offset < POISON_VAL + 4) state.written = true;
        },
        onDriverOk() {
          if (device.has(F_PAGE_POISON))
            clause.holds(
              state.written,
              'PAGE_POISON is accepted and poison_val not written before DRIVER_OK',
            );
        },
      };
    },
  },
  {
    id: 'BAL-DRV-036',
    judge: 'driver',
    watch: (clause, device) => ({
      onDriverOk() {
        if (device.has(F_PAGE_POISON)) clause.applies();
      },
      onDeviceConfigWrite(offset, width) {
        if (!device.running || !device.has(F_PAGE_POISON)) return;
        if (offset + width > POISON_VAL && offset < POISON_VAL + 4)
          clause.breaks('poison_val is written while the driver is up');
      },
    }),
  },
  {
    id: 'BAL-DRV-039',
    judge: 'driver',
    watch: (clause, device) => {
      const reported = new Set<number>();
      const clear = (): void => {
        reported.clear();
      };
      return {
        onBegin: clear,
        onReset: clear,
        ...whenOffered((queue, chain) => {
          if (queue.index !== reportQueue(device)) return;
          clause.applies();
          rememberHints(reported, chain);
        }),
        onUsed(queue, chain) {
          if (queue.index !== reportQueue(device)) return;
          for (let at = 0; at < chain.count; at++)
            eachPageIn(chain.address(at), chain.length(at), (page) => reported.delete(page));
        },
        onGuestStore(address, length) {
          if (reported.size === 0 || device.translated) return;
          eachPageIn(address, length, (page) => {
            if (reported.has(page)) clause.breaks('a reported page is used before it is acknowledged');
          });
        },
      };
    },
  },
  {
    id: 'BAL-DEV-014',
    judge: 'device',
    watch: (clause, device) => {
      const state = clause.state({ poison: 0, out: 0 });
      return {
        onReset: () => {
          state.poison = 0;
          state.out = 0;
        },
        onDeviceConfigWrite(offset, width, value) {
          if (offset === POISON_VAL && width === 4) state.poison = value;
        },
        onTaken(queue) {
          if (queue.index !== reportQueue(device) || !device.has(F_PAGE_POISON)) return;
          state.out++;
          clause.applies();
        },
        onUsed(queue, chain) {
          if (queue.index !== reportQueue(device)) return;
          state.out = Math.max(state.out - 1, 0);
          if (device.has(F_PAGE_POISON) && chain.responseWritten > 0)
            clause.breaks('a reported page that must hold a pattern is written to');
        },
        onDiscard() {
          // Taken pages read as zeros: that is what they must hold only where the pattern is zero.
          if (state.out > 0 && state.poison !== 0 && device.has(F_PAGE_POISON))
            clause.breaks('a reported page that must hold a pattern reads as zeros');
        },
      };
    },
  },
];

// --- The legacy interface -------------------------------------------------------------------------------------------

function swapped(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

const LEGACY: readonly ClauseChecker[] = [
  {
    id: 'BALL-DEV-001',
    judge: 'device',
    watch: (clause, device) => {
      const state = clause.state({ out: 0, since: 0, waits: 0 });
      const isMeant = (): boolean =>
        device.legacy && device.offers(F_MUST_TELL_HOST) && !device.accepts(F_MUST_TELL_HOST);
      return {
        onReset: () => {
          state.out = 0;
        },
        onTaken(queue) {
          if (queue.index > DEFLATE || !isMeant() || device.misused !== '') return;
          state.out++;
          state.since = clause.event;
          state.waits = 0;
        },
        onUsed(queue) {
          if (queue.index > DEFLATE || state.out === 0) return;
          state.out--;
          clause.applies();
        },
        onIdle() {
          if (state.out === 0 || ++state.waits <= PATIENCE) return;
          clause.breaks('a legacy driver without MUST_TELL_HOST is not served', state.since);
          state.out = 0;
        },
      };
    },
  },
  {
    id: 'BALL-DEV-002',
    judge: 'device',
    watch: (clause, device) => {
      const reused = new Set<number>();
      const clear = (): void => {
        reused.clear();
      };
      const book = pageBook(device, {
        stored: (state, page) => {
          if (state !== IN_BALLOON || !device.legacy || device.has(F_MUST_TELL_HOST)) return;
          if (!reused.has(page)) clause.applies();
          reused.add(page);
        },
        taken: (state, page) => {
          if (state !== INFLATING && reused.has(page))
            clause.breaks('a page is taken from a legacy driver that used it before it told');
        },
      });
      return {
        ...book,
        onBegin: () => {
          book.onBegin?.();
          clear();
        },
        onReset: () => {
          book.onReset?.();
          clear();
        },
      };
    },
  },
  {
    id: 'BALL-BOTH-001',
    judge: 'device',
    watch: (clause, device) => ({
      onDeviceConfigRead(offset, width, value) {
        if (!device.legacy || width !== 4 || (offset !== NUM_PAGES && offset !== ACTUAL)) return;
        if (value === 0 || swapped(value) === value) return;
        clause.holds(value < PAGES_MAX, 'the configuration of a balloon is not little-endian');
      },
    }),
  },
  {
    id: 'BALL-DRV-002',
    judge: 'driver',
    watch: (clause, device) => ({
      onDeviceConfigWrite(offset, width) {
        if (!device.legacy || offset + width <= ACTUAL || offset >= ACTUAL + 4) return;
        clause.holds(offset === ACTUAL && width === 4, 'a legacy driver writes actual in pieces');
      },
    }),
  },
  {
    id: 'BALL-DEV-003',
    judge: 'device',
    watch: (clause, device) => {
      const state = clause.state({ partial: false });
      return {
        onAction: () => {
          state.partial = false;
        },
        onDeviceConfigWrite(offset, width) {
          const whole = offset + width > ACTUAL + 3;
          state.partial = device.legacy && offset >= ACTUAL && offset < ACTUAL + 3 && !whole;
          if (state.partial) clause.applies();
        },
        onHostOutput(port, bytes, from, length) {
          if (!state.partial || port !== MONITOR_PORT || !tells(bytes, from, length, 'BALLOON_CHANGE'))
            return;
          clause.breaks('the host hears of actual before its last byte is written');
        },
      };
    },
  },
  {
    id: 'BALL-BOTH-002',
    judge: 'driver',
    watch: (clause, device) =>
      whenStatistics(device, (chain) => {
        if (!device.legacy || chain.requestKnown < STAT) return;
        clause.holds(
          chain.request16(0, device.ringLittle) < TAGS_MAX,
          'statistics are not in the byte order of a legacy guest',
        );
      }),
  },
  {
    id: 'BALL-BOTH-003',
    judge: 'driver',
    watch: (clause, device) =>
      follow(clause, device, {
        command: (_id, seen, chain) => {
          if (!device.legacy || chain.requestKnown < 4 || chain.request32(0, true) === CMD_STOP) return;
          clause.holds(
            chain.request32(0, device.ringLittle) === seen.shown,
            'a command id is not in the byte order of a legacy guest',
          );
        },
      }),
  },
];

function tells(bytes: Uint8Array, from: number, length: number, word: string): boolean {
  for (let at = 0; at + word.length <= length; at++) {
    let same = 0;
    while (same < word.length && bytes[from + at + same] === word.charCodeAt(same)) same++;
    if (same === word.length) return true;
  }
  return false;
}

const INSIDE_GUEST =
  'what a guest does with its own memory is seen only as far as it stores while it is watched, and';

/** Memory balloon device (5.5). */
export const BALLOON_CLAUSES: ClauseTable = {
  name: 'balloon',
  type: 5,
  checkers: [...PAGES, ...STATISTICS, ...HINTING, ...REPORTING, ...LEGACY],
  undecided: [
    {
      id: 'BAL-DEV-001',
      why: 'a permission: a device that takes FEATURES_OK and one that refuses it both keep it',
    },
    {
      id: 'BAL-DRV-002',
      why: `${INSIDE_GUEST} whether a kernel would write to every deflated page is a setting of its allocator`,
    },
    {
      id: 'BAL-DRV-003',
      why: `${INSIDE_GUEST} whether pages need to keep a value is known to its allocator alone`,
    },
    {
      id: 'BAL-DRV-007',
      why: 'the text forbids here what it permits in the sentence before, so that no driver could be told right from wrong',
    },
    {
      id: 'BAL-DRV-034',
      why: `${INSIDE_GUEST} when a deflated page is used again is not`,
    },
    {
      id: 'BAL-DRV-038',
      why: `${INSIDE_GUEST} what a page held before it was first stored to is not known`,
    },
    {
      id: 'BALL-DRV-001',
      why: 'a driver that ignores a length and one that reads it do the same as long as the device tells the truth',
    },
    {
      id: 'BALL-DEV-004',
      why: 'what the host makes of statistics is the answer to a question that it asks later: no event says which buffer it is from',
    },
  ],
};
