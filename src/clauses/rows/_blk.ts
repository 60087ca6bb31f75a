import type { ClauseProofs } from '../_laws.ts';
import { le32, le64, type Part, type Stream, type StreamOptions } from '../_stream.ts';

const [IN, OUT, SCSI, FLUSH, FLUSH_OUT, GET_ID, LIFETIME, DISCARD, ZEROES, ERASE] = [
  0, 1, 2, 4, 5, 8, 10, 11, 13, 14,
];
const [APPEND, REPORT, OPEN, RESET_ALL] = [15, 16, 18, 26];
const BARRIER = 0x8000_0000;
const [OK, IOERR, UNSUPP, INVALID] = [0, 1, 2, 3];

type Play = (stream: Stream) => void;
type Scene = StreamOptions & { readonly play: Play };

interface Request {
  readonly sector?: number;
  readonly out?: readonly number[];
  readonly room?: number;
  readonly answer?: readonly number[];
  readonly status?: number;
}

function bytes(count: number, value = 0): number[] {
  return Array.from({ length: count }, () => value);
}

function header(type: number, sector = 0): number[] {
  return [...le32(type), 0, 0, 0, 0, ...le64(BigInt(sector))];
}

function parts(type: number, { sector = 0, out = [], room = 0 }: Request): Part[] {
  return [header(type, sector), ...(out.length > 0 ? [out] : []), ...(room > 0 ? [room] : []), 1];
}

/** One request, answered. */
function ask(s: Stream, type: number, request: Request = {}): void {
  const { room = 0, answer = [], status = OK } = request;
  s.request(0, parts(type, request), [...answer, ...bytes(room - answer.length), status]);
}

/** Set up, then one request. */
function one(type: number, request: Request = {}, options: StreamOptions = {}): Scene {
  return {
    ...options,
    play: (s) => {
      s.setUp();
      ask(s, type, request);
    },
  };
}

function segment(sector: number, sectors: number, flags = 0): number[] {
  return [...le64(BigInt(sector)), ...le32(sectors), ...le32(flags)];
}

/** A configuration with these numbers at these bytes, four bytes each unless the number is a list. */
function config(fields: Readonly<Record<number, number | readonly number[]>>): number[] {
  const all = bytes(96);
  for (const [at, value] of Object.entries(fields)) {
    const list = typeof value === 'number' ? le32(value) : value;
    for (const [i, byte] of list.entries()) all[Number(at) + i] = byte;
  }
  return all;
}

/** Set up, configuration read where told, then acts. */
function reading(options: StreamOptions, at: readonly number[], act: Play = () => undefined): Scene {
  return {
    ...options,
    play: (s) => {
      s.setUp();
      for (const offset of at) s.readConfig(offset, 4);
      act(s);
    },
  };
}

/** Up to DRIVER, offer read: what a driver does before it agrees. */
function undecided(s: Stream): void {
  s.probe().reset().status(1).status(3);
  s.readFeatures(0);
  s.readFeatures(1);
}

const CAPACITY = [0, 4];
const [SIZE_MAX, SEG_MAX, BLK_SIZE, WRITEBACK, UNUSED0, DISCARD_SEG, ZEROES_SEG, MAY_UNMAP] = [
  8, 12, 20, 32, 33, 40, 52, 56,
];
const [ERASE_SEG, ERASE_ALIGNMENT, ZONE_SECTORS, MAX_APPEND, GRANULARITY, MODEL] = [64, 68, 72, 84, 88, 92];
const MANAGED = 1;
const ZONED = 17;
const CACHE = { offers: [9, 11] };

/** A host-managed disk of zones of 16 sectors, and its driver that has read all of it. */
function onZones(
  fields: Readonly<Record<number, number>>,
  act: Play = () => undefined,
  more: readonly number[] = [],
): Scene {
  const all = { [ZONE_SECTORS]: 16, [MAX_APPEND]: 8, [GRANULARITY]: 512, [MODEL]: MANAGED, ...fields };
  const offers = [ZONED, ...more];
  return reading(
    { offers, config: config(all) },
    [SIZE_MAX, SEG_MAX, ERASE_ALIGNMENT, ZONE_SECTORS, MAX_APPEND, GRANULARITY, MODEL],
    act,
  );
}

function zoneRequest(
  type: number,
  request: Request,
  fields: Readonly<Record<number, number>> = {},
  more: readonly number[] = [],
): Scene {
  return onZones(fields, (s) => ask(s, type, request), more);
}

/** Two requests under way, given back in an order. */
function two(first: number, second: number, swapped: boolean): Scene {
  return {
    mode: 'legacy',
    offers: [0],
    play: (s) => {
      s.setUp();
      const a = s.publish(0, parts(first, { out: bytes(512) }));
      const b = s.publish(0, parts(second, { out: bytes(512) }));
      s.notify(0);
      s.take(0);
      s.take(0);
      for (const id of swapped ? [b, a] : [a, b]) s.use(0, id, [OK]);
    },
  };
}

function scsi(list: readonly Part[]): Scene {
  return {
    mode: 'legacy',
    play: (s) => {
      s.setUp();
      const room = list.reduce<number>((sum, part) => sum + (typeof part === 'number' ? part : 0), 0);
      s.request(0, [header(SCSI), ...list], bytes(room));
    },
  };
}

const COMMAND = bytes(6);

/** A field that changes, with or without a word. */
function changing(at: number, told: boolean): Scene {
  const read = (s: Stream, value: number): void => {
    if (at === MAY_UNMAP) s.readConfig(at, 1, value);
    else s.readConfig(0, 4, value).readConfig(4, 4, 0);
  };
  return {
    play: (s) => {
      s.setUp();
      read(s, 1);
      if (told) s.interruptConfig();
      read(s, 2);
    },
  };
}

function modeAfter(touch: Play, seen: number): Scene {
  return {
    ...CACHE,
    mode: 'legacy',
    play: (s) => {
      s.setUp().readConfig(WRITEBACK, 1, 1);
      touch(s);
      s.readConfig(WRITEBACK, 1, seen);
    },
  };
}

const readAfterWrite = (second: number): Scene => ({
  offers: [5],
  play: (s) => {
    s.setUp();
    ask(s, IN, { sector: 2, room: 512, answer: bytes(512, 7) });
    ask(s, OUT, { sector: 2, out: bytes(512, 9), status: IOERR });
    ask(s, IN, { sector: 2, room: 512, answer: bytes(512, second) });
  },
});

const readAfterZeroes = (value: number): Scene => ({
  offers: [14],
  play: (s) => {
    s.setUp();
    ask(s, ZEROES, { out: segment(4, 1) });
    ask(s, IN, { sector: 4, room: 512, answer: bytes(512, value) });
  },
});

export const BLK_PROOFS: ClauseProofs = {
  'BLK-DRV-004': {
    breach: (s) => {
      undecided(s);
      s.readConfig(WRITEBACK, 1);
    },
    clean: (s) => s.setUp().readConfig(WRITEBACK, 1),
  },
  'BLK-DEV-001': { breach: { offers: [6], play: (s) => s.setUp() } },
  'BLK-DEV-002': { breach: { offers: [11], play: (s) => s.setUp() } },
  'BLK-DEV-003': {
    breach: { ...CACHE, accepts: [11, 32], play: (s) => s.setUp().readConfig(WRITEBACK, 1, 1) },
    clean: { ...CACHE, accepts: [11, 32], play: (s) => s.setUp().readConfig(WRITEBACK, 1, 0) },
  },
  'BLK-DEV-004': {
    breach: { offers: [14], play: (s) => s.setUp().readConfig(57, 1, 0xff) },
    clean: { offers: [14], play: (s) => s.setUp().readConfig(UNUSED0, 1).readConfig(MAY_UNMAP, 4, 1) },
  },
  'BLK-DEV-006': { breach: { mode: 'legacy', offers: [ZONED], play: (s) => s.setUp() } },

  'BLKOP-DRV-002': {
    breach: reading({ config: config({ 0: 8 }) }, CAPACITY, (s) => ask(s, IN, { sector: 8, room: 512 })),
    clean: reading({ config: config({ 0: 8 }) }, CAPACITY, (s) => ask(s, IN, { sector: 7, room: 512 })),
  },
  'BLKOP-DRV-003': {
    breach: { offers: [5], accepts: [32], play: (s) => s.setUp() },
    clean: { offers: [5], play: (s) => s.setUp() },
  },
  'BLKOP-DRV-004': { breach: one(FLUSH, { sector: 3 }), clean: one(FLUSH) },
  'BLKOP-DRV-005': { breach: one(FLUSH, { out: bytes(512) }), clean: one(FLUSH) },
  'BLKOP-DRV-006': { breach: one(IN, { room: 511 }) },
  'BLKOP-DRV-007': {
    breach: one(DISCARD, { out: bytes(15) }),
    clean: one(DISCARD, { out: segment(0, 1) }),
  },
  'BLKOP-DRV-008': { breach: one(GET_ID, { room: 19 }), clean: one(GET_ID, { room: 20 }) },
  'BLKOP-DRV-009': tooMany(DISCARD, DISCARD_SEG),
  'BLKOP-DRV-010': tooMany(ERASE, ERASE_SEG),
  'BLKOP-DRV-011': tooMany(ZEROES, ZEROES_SEG),
  'BLKOP-DRV-014': {
    breach: one(DISCARD, { out: segment(0, 1, 1) }),
    clean: one(DISCARD, { out: segment(0, 1) }),
  },

  'BLKOP-DEV-002': { breach: changing(0, false), clean: changing(0, true) },
  'BLKOP-DEV-003': {
    breach: one(OUT, { out: bytes(512) }, { offers: [5] }),
    clean: one(OUT, { out: bytes(512), status: IOERR }, { offers: [5] }),
  },
  'BLKOP-DEV-004': { breach: readAfterWrite(9), clean: readAfterWrite(7) },
  'BLKOP-DEV-005': {
    breach: one(DISCARD, { out: segment(0, 1, 4), status: IOERR }),
    clean: one(DISCARD, { out: segment(0, 1, 4), status: UNSUPP }),
  },
  'BLKOP-DEV-006': {
    breach: one(DISCARD, { out: segment(0, 1, 1) }),
    clean: one(DISCARD, { out: segment(0, 1, 1), status: UNSUPP }),
  },
  'BLKOP-DEV-009': { breach: readAfterZeroes(5), clean: readAfterZeroes(0) },
  'BLKOP-DEV-012': { breach: changing(MAY_UNMAP, false), clean: changing(MAY_UNMAP, true) },
  'BLKOP-DEV-017': {
    breach: one(LIFETIME, { room: 6, answer: [4, 0, 1, 0, 1, 0] }, { offers: [15] }),
    clean: one(LIFETIME, { room: 6, answer: [3, 0, 11, 0, 1, 0] }, { offers: [15] }),
  },
  'BLKOP-DEV-018': {
    breach: one(REPORT, { room: 64 }),
    clean: one(REPORT, { room: 64, status: UNSUPP }),
  },
  'IMP-BLK-001': { breach: largeBlocks(IOERR), clean: largeBlocks(OK) },
  'IMP-BLK-002': { breach: one(OUT, { out: bytes(512), status: 9 }) },
  'IMP-BLK-003': {
    breach: one(GET_ID, { room: 20, answer: [65, 0, 238] }),
    clean: one(GET_ID, { room: 20, answer: [65, 66] }),
  },
  'IMP-BLK-004': {
    breach: { ...CACHE, play: (s) => s.setUp().readConfig(WRITEBACK, 1, 2) },
    clean: { ...CACHE, play: (s) => s.setUp().readConfig(WRITEBACK, 1, 1) },
  },
  'IMP-BLK-005': { breach: one(30), clean: one(30, { status: UNSUPP }) },

  'BLK-DRV-006': { breach: managed([ZONED, 13]), clean: managed([ZONED]) },
  'BLK-DRV-008': { breach: foundManaged(0xb), clean: foundManaged(0x83) },
  'BLK-DEV-005': {
    breach: { offers: [ZONED], play: (s) => s.setUp().readConfig(MODEL, 1, 0) },
    clean: { offers: [ZONED], play: (s) => s.setUp().readConfig(MODEL, 1, 2) },
  },
  'BLK-DEV-007': {
    breach: { offers: [ZONED], accepts: [32], play: (s) => s.setUp().readConfig(ZONE_SECTORS, 4, 16) },
    clean: { offers: [ZONED], accepts: [32], play: (s) => s.setUp().readConfig(ZONE_SECTORS, 4, 0) },
  },
  'BLK-DEV-008': { breach: agreesWithout(0xb), clean: agreesWithout(3) },
  'BLK-DEV-009': { breach: onZones({ [MODEL]: 3 }), clean: onZones({}) },
  'BLK-DEV-010': { breach: onZones({ [ZONE_SECTORS]: 0 }), clean: onZones({}) },
  'BLK-DEV-015': {
    breach: onZones({ [SIZE_MAX]: 4096, [SEG_MAX]: 1, [MAX_APPEND]: 9 }, undefined, [1, 2]),
    clean: onZones({ [SIZE_MAX]: 4096, [SEG_MAX]: 1 }, undefined, [1, 2]),
  },
  'BLK-DEV-017': { breach: onZones({ [GRANULARITY]: 0 }), clean: onZones({}) },
  'BLK-DEV-018': { breach: onZones({ [MODEL]: 0x101 }), clean: onZones({}) },
  'BLKOP-DRV-020': {
    breach: zoneRequest(OPEN, { sector: 17 }),
    clean: zoneRequest(OPEN, { sector: 16 }),
  },
  'BLKOP-DRV-021': {
    breach: zoneRequest(RESET_ALL, { sector: 16 }),
    clean: zoneRequest(RESET_ALL, {}),
  },
  'BLKOP-DRV-022': {
    breach: zoneRequest(APPEND, { sector: 17, out: bytes(512), room: 8 }),
    clean: zoneRequest(APPEND, { sector: 16, out: bytes(512), room: 8 }),
  },
  'BLKOP-DRV-023': {
    breach: zoneRequest(APPEND, { out: bytes(512), room: 8 }, { [GRANULARITY]: 4096 }),
    clean: zoneRequest(APPEND, { out: bytes(512), room: 8 }),
  },
  'BLKOP-DRV-024': {
    breach: zoneRequest(APPEND, { out: bytes(1024), room: 8 }, { [MAX_APPEND]: 1 }),
    clean: zoneRequest(APPEND, { out: bytes(512), room: 8 }, { [MAX_APPEND]: 1 }),
  },
  'BLKOP-DRV-027': {
    breach: zoneRequest(ERASE, { out: segment(16, 8) }, {}, [16]),
    clean: zoneRequest(ERASE, { out: segment(16, 16) }, {}, [16]),
  },
  'BLKOP-DEV-027': {
    breach: zoneRequest(APPEND, { sector: 17, out: bytes(512), room: 8 }),
    clean: zoneRequest(APPEND, { sector: 17, out: bytes(512), room: 8, status: INVALID }),
  },
  'BLKOP-DEV-029': {
    breach: zoneRequest(APPEND, { sector: 16, out: bytes(512), room: 8, answer: le64(40n) }),
    clean: zoneRequest(APPEND, { sector: 16, out: bytes(512), room: 8, answer: le64(20n) }),
  },
  'BLKOP-DEV-030': {
    breach: zoneRequest(APPEND, { out: bytes(512), room: 8 }, { [MAX_APPEND]: 0 }),
    clean: zoneRequest(APPEND, { out: bytes(512), room: 8, status: UNSUPP }, { [MAX_APPEND]: 0 }),
  },
  'BLKOP-DEV-031': {
    breach: zoneRequest(APPEND, { out: bytes(1024), room: 8 }, { [MAX_APPEND]: 1 }),
    clean: zoneRequest(APPEND, { out: bytes(1024), room: 8, status: INVALID }, { [MAX_APPEND]: 1 }),
  },
  'BLKOP-DEV-032': {
    breach: zoneRequest(OUT, { sector: 15, out: bytes(1024) }),
    clean: zoneRequest(OUT, { sector: 15, out: bytes(1024), status: INVALID }),
  },
  'BLKOP-DEV-039': {
    breach: onZones({ [ERASE_ALIGNMENT]: 8 }, undefined, [16]),
    clean: onZones({ [ERASE_ALIGNMENT]: 32 }, undefined, [16]),
  },

  'BLKL-BOTH-001': {
    breach: reading({ mode: 'legacy', bigEndian: true, config: config({ 0: 2048 }) }, CAPACITY),
    clean: reading({ mode: 'legacy', bigEndian: true, config: config({ 6: [8, 0] }) }, CAPACITY),
  },
  'BLKL-DEV-002': {
    breach: modeAfter((s) => s.status(7), 0),
    clean: modeAfter((s) => s.status(7), 1),
  },
  'BLKL-DEV-003': {
    breach: modeAfter((s) => s.writeFeatures(0), 0),
    clean: modeAfter((s) => s.writeFeatures(0), 1),
  },
  'BLKL-BOTH-002': {
    breach: one(OUT, { out: bytes(512), status: UNSUPP }, { mode: 'legacy' }),
    clean: one(OUT, { out: bytes(512) }, { mode: 'legacy' }),
  },
  'BLKL-BOTH-003': {
    breach: one(FLUSH_OUT, { status: UNSUPP }, { mode: 'legacy', offers: [9] }),
    clean: one(FLUSH_OUT, {}, { mode: 'legacy', offers: [9] }),
  },
  'BLKL-DEV-004': { breach: two(OUT, OUT + BARRIER, true), clean: two(OUT, OUT + BARRIER, false) },
  'BLKL-DEV-005': { breach: two(OUT + BARRIER, OUT, true), clean: two(OUT + BARRIER, OUT, false) },
  'BLKL-DRV-005': { breach: scsi([96, 16, 1]), clean: scsi([COMMAND, 96, 16, 1]) },
  'BLKL-DRV-007': {
    breach: {
      mode: 'legacy',
      play: (s) => s.setUp().request(0, [[...header(OUT), ...bytes(512)], 1], [OK]),
    },
    clean: one(OUT, { out: bytes(512) }, { mode: 'legacy' }),
  },
  'BLKL-DRV-008': { breach: scsi([COMMAND, 95, 16, 1]), clean: scsi([COMMAND, 96, 16, 1]) },
  'BLKL-DRV-009': { breach: scsi([COMMAND, 96, 15, 1]), clean: scsi([COMMAND, 96, 16, 1]) },
};

function tooMany(type: number, at: number): { readonly breach: Scene; readonly clean: Scene } {
  const options = { config: config({ [at]: 1 }) };
  const cut = (count: number): Scene =>
    reading(options, [at], (s) =>
      ask(s, type, { out: [segment(0, 1), segment(2, 1)].slice(0, count).flat() }),
    );
  return { breach: cut(2), clean: cut(1) };
}

function largeBlocks(status: number): Scene {
  const options = { offers: [6], config: config({ 0: 1024, [BLK_SIZE]: 4096 }) };
  return reading(options, [...CAPACITY, BLK_SIZE], (s) => ask(s, IN, { sector: 1016, room: 4096, status }));
}

function managed(offers: readonly number[]): Scene {
  return {
    offers,
    play: (s) => {
      undecided(s);
      s.writeFeatures(0);
      s.writeFeatures(1);
      s.status(0xb).readStatus().readConfig(MODEL, 1, MANAGED).status(0xf);
    },
  };
}

function foundManaged(status: number): Scene {
  return {
    offers: [ZONED],
    play: (s) => {
      undecided(s);
      s.readConfig(MODEL, 1, MANAGED).status(status);
    },
  };
}

function agreesWithout(read: number): Scene {
  return {
    offers: [ZONED],
    accepts: [32],
    play: (s) => {
      undecided(s);
      s.readConfig(MODEL, 1, MANAGED);
      s.writeFeatures(0);
      s.writeFeatures(1);
      s.status(0xb).readStatus(read);
    },
  };
}
