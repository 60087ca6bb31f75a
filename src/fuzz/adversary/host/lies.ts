import type { Lie, Structure } from './lying-platform.ts';

/** A lie of the list of faults, and what a driver here makes of it. */
export interface LieRow {
  /** Row of the list of faults: H for what devices do. */
  readonly id: string;
  readonly name: string;
  readonly device: 'blk' | 'net' | 'rng';
  readonly iommuPlatform: boolean;
  /** What Linux makes of it (drivers/virtio and the device drivers, 6.12), as far as it is known. */
  readonly linux: string;
  /** `word`: chance of a campaign, 0 … 2^32 - 1; 0 is the lie as the list has it. */
  readonly lie: (word: number) => Lie;
}

// Registers of the common structure (4.1.4.3).
const FEATURE = 4;
const CONFIG_VECTOR = 16;
const NUM_QUEUES = 18;
const STATUS = 20;
const GENERATION = 21;
const QUEUE_SIZE = 24;
const QUEUE_VECTOR = 26;
const QUEUE_ENABLE = 28;
const NOTIFY_OFFSET = 30;
const NEEDS_RESET = 0x40;
const FEATURES_OK = 8;
const DRIVER_OK = 4;
const FAILED = 0x80;
const VENDOR = 9;
const RING_ENTRIES = 256;

/** One register of the common structure says something else. */
function common(at: number, seen: (truth: number, asked: number) => number): Lie {
  return {
    register: (structure, offset, truth, asked) =>
      structure === 'common' && offset === at ? seen(truth, asked) : truth,
  };
}

function everyByte(of: Structure, seen: (truth: number, asked: number) => number): Lie {
  return {
    register: (structure, _offset, truth, asked) => (structure === of ? seen(truth, asked) : truth),
  };
}

/** Offset of the word in a virtio capability that `seen` replaces, for capabilities of one type. */
function capability(type: number, word: number, seen: (truth: number, asked: number) => number): Lie {
  const starts = new Set<number>();
  return {
    config: (register, truth, asked) => {
      if ((truth & 0xff) === VENDOR && truth >>> 24 === type) starts.add(register);
      return starts.has(register - word) ? seen(truth, asked) : truth;
    },
  };
}

function row(
  id: string,
  name: string,
  linux: string,
  lie: (word: number) => Lie,
  device: LieRow['device'] = 'blk',
  iommuPlatform = true,
): LieRow {
  return { id, name, device, iommuPlatform, linux, lie };
}

/** Every row of the list of faults of a device, as far as the drivers here can be lied to. */
export const LIES: readonly LieRow[] = [
  row('H01', 'used-id-beyond-queue', 'dead: id out of range', (word) => ({
    used: (field, truth) => (field === 'id' ? RING_ENTRIES + word : truth),
  })),
  row('H02', 'used-id-no-head', 'dead: is not a head', (word) => ({
    used: (field, truth) => (field === 'id' ? (truth + 1 + (word % 250)) % RING_ENTRIES : truth),
  })),
  row('H03', 'completed-twice', 'dead: the slot is empty', (word) => {
    let last = 0;
    return {
      used: (field, truth, asked) => {
        if (field !== 'id') return truth;
        const seen = asked > (word & 3) ? last : truth;
        last = truth;
        return seen;
      },
    };
  }),
  row('H04', 'never-offered', 'dead, as H01 to H03', (word) => ({
    used: (field, truth) => (field === 'id' ? (truth ^ 0x80 ^ (word & 0x3f)) >>> 0 : truth),
  })),
  row('H05', 'used-length-too-large', 'not checked by the core', (word) => ({
    used: (field, truth) => (field === 'length' ? truth + 1 + word : truth),
  })),
  row('H06', 'used-length-zero', 'rng asks again; net drops it as short', () => ({
    used: (field, truth) => (field === 'length' ? 0 : truth),
  })),
  row('H07', 'data-not-written', 'stale memory goes on to the user', (word) => ({
    data: (bytes, at, length) => {
      if (length > 1) bytes.fill(word & 0xff, at, at + length);
    },
  })),
  row('H08', 'used-index-jumps', 'stale slots until one is no head', (word) => ({
    used: (field, truth) => (field === 'index' ? truth + 3 + (word % 60_000) : truth),
  })),
  row('H09', 'used-index-back', '65,535 new entries, then not a head', (word) => ({
    used: (field, truth, asked) => (field === 'index' && asked > (word & 7) ? truth - 3 : truth),
  })),
  row('H10', 'out-of-order', 'IN_ORDER is not used', () => ({
    used: (field, truth) => (field === 'id' ? truth ^ 1 : truth),
  })),
  row('H11', 'used-ring-rewritten', 'id and length are read once each', (word) => ({
    used: (field, truth, asked) =>
      field !== 'index' && asked % 2 === 1 ? truth ^ (1 + (word & 0xff)) : truth,
  })),
  row('H12', 'descriptors-overwritten', 'the free list is private', (word) => ({
    kicked: (ring, hand) => {
      for (let at = 0; at < 16 * ring.size; at += 4) hand.store32(ring.desc + at, 0xffff_fff0 ^ word);
      hand.store16(ring.avail + 2, word & 0xffff);
    },
  })),
  row('H16', 'interrupt-storm', 'not mine; a line may be turned off as spurious', () => ({
    pending: () => true,
  })),
  row('H17', 'no-interrupt', 'hangs until a watchdog', () => ({ pending: () => false })),
  row('H18', 'interrupt-too-early', 'guarded only with HARDEN_NOTIFICATION', (word) => ({
    pending: (truth, asked) => truth || asked < 1 + (word & 7),
  })),
  row('H19', 'generation-never-stable', 'the helpers loop without a bound', () =>
    common(GENERATION, (_truth, asked) => asked & 0xff),
  ),
  row('H20', 'config-changes-between-reads', 'a mixed value is accepted', (word) =>
    everyByte('config', (truth, asked) => (truth + asked + word) & 0xff),
  ),
  row('H21', 'status-never-zero', 'loops for ever', () => common(STATUS, (truth) => truth | 1)),
  row('H22', 'features-refused', 'probe fails', () => common(STATUS, (truth) => truth & ~FEATURES_OK)),
  row('H23', 'status-changes-by-itself', 'few drivers look at bit 64', (word) =>
    common(STATUS, (truth, asked) => {
      if (asked < 5) return truth;
      return (word & 1) === 0 ? truth | NEEDS_RESET : (truth & ~DRIVER_OK) | FAILED;
    }),
  ),
  row(
    'H24',
    'contradictory-features',
    'goes on; net looks at what needs the control queue',
    (word) => common(FEATURE, (truth, asked) => (asked % 2 === 0 ? 0x0040_ff80 | (word & 0xff) : truth)),
    'net',
  ),
  row('H25', 'platform-not-offered', 'hands out guest-physical addresses', () =>
    common(FEATURE, (truth, asked) => (asked % 2 === 1 ? truth & ~2 : truth)),
  ),
  row('H26', 'features-change', 'read again at restore', (word) =>
    common(FEATURE, (truth, asked) => (asked % 2 === 1 && asked > 1 ? truth & ~1 : truth ^ (word & 0x600))),
  ),
  row('H27', 'queue-size-absurd', 'Bad virtqueue length', (word) =>
    common(QUEUE_SIZE, () => [3, 0, 65_535, 1025, 2048, 511][word % 6] ?? 0),
  ),
  row('H28', 'too-few-queues', '-ENOENT', () => common(NUM_QUEUES, () => 0)),
  row('H29', 'queue-enabled-at-probe', '-ENOENT', () => common(QUEUE_ENABLE, () => 1)),
  row('H30', 'notify-offset-outside', 'bad notification offset', (word) =>
    common(NOTIFY_OFFSET, () => 0xffff - (word & 0xff)),
  ),
  row('H31', 'capability-outside-bar', 'each checked when it is mapped', (word) =>
    capability(1, 8, () => (0x10_0000 + 4 * word) >>> 0),
  ),
  row('H32', 'capability-changes', 'bar unexpectedly changed', (word) =>
    capability(2, 4, (truth, asked) => (asked > (word & 3) ? truth ^ 1 : truth)),
  ),
  row('H33', 'capability-loop', 'the core counts down', () => ({
    config: (register, truth) => (register >= 0x40 ? (truth & 0xffff_00ff) | (register << 8) : truth),
  })),
  row('H34', 'config-too-short', 'BUG', () => capability(4, 12, () => 4)),
  row('H35', 'vector-refused', '-EBUSY, fewer vectors', () => ({
    register: (structure, offset, truth) =>
      structure === 'common' && (offset === CONFIG_VECTOR || offset === QUEUE_VECTOR) ? 0xffff : truth,
  })),
  row(
    'H36',
    'net-buffer-count-wild',
    'buffers missing',
    (word) => ({
      data: (bytes, at, length) => {
        if (length < 12) return;
        bytes[at + 10] = word & 0xff;
        bytes[at + 11] = (word >>> 8) & 0xff;
      },
    }),
    'net',
  ),
  row(
    'H37',
    'net-offsets-wild',
    'checked, and marked as not to be trusted',
    (word) => ({
      data: (bytes, at, length) => {
        if (length >= 12) bytes.fill(0xff ^ (word & 0x0f), at, at + 10);
      },
    }),
    'net',
  ),
  row(
    'H38',
    'net-config-absurd',
    'one queue pair; MTU cleared',
    (word) => everyByte('config', (truth, asked) => (asked >= 0 && (word & 1) === 0 ? 0xff : truth ^ 0xff)),
    'net',
  ),
  row('H39', 'net-rss-config-huge', 'exceeds the limit', () => everyByte('config', () => 0xff), 'net'),
  row(
    'H40',
    'net-status-flaps',
    'spins until an answer comes',
    (word) => everyByte('config', (truth, asked) => truth ^ ((asked + word) & 1)),
    'net',
  ),
  row('H41', 'blk-status-garbage', 'an I/O error', (word) => ({
    data: (bytes, at, length) => {
      if (length === 1) bytes[at] = 0x77 ^ (word & 0x70);
    },
  })),
  row('H42', 'blk-geometry-absurd', 'validated in the queue limits', (word) =>
    everyByte('config', () => ((word & 1) === 0 ? 0 : 0xff)),
  ),
  row('H43', 'blk-id-not-written', '20 bytes and an own terminator', (word) => ({
    data: (bytes, at, length) => {
      if (length === 512) bytes.fill(0x41 + (word & 7), at, at + length);
    },
  })),
  row(
    'H46',
    'rng-no-entropy',
    'asked again',
    () => ({
      used: (field, truth) => (field === 'length' ? 0 : truth),
    }),
    'rng',
  ),
  row('H48', 'writes-outside-its-buffers', 'what lies outside the slot is ignored', (word) => ({
    kicked: (ring, hand) => {
      for (let at = 0; at < 64; at += 4) hand.store32(ring.used + 0x900 + at, word);
    },
  })),
  row('H49', 'writes-after-reset', 'not to be seen', (word) => ({
    reset: (ring, hand) => {
      for (let at = 0; at < 8 * ring.size; at += 4) hand.store32(ring.used + at, 0xffff_ffff ^ word);
    },
  })),
  row('H50', 'taken-away', 'queues dead', (word) => {
    let requests = 0;
    const gone = (): boolean => requests > 2 + (word & 3);
    return {
      register: (_structure, _offset, truth) => (gone() ? 0xffff_ffff : truth),
      used: (field, truth) => {
        if (field === 'id') requests++;
        return truth;
      },
      pending: (truth) => truth && !gone(),
    };
  }),
];
