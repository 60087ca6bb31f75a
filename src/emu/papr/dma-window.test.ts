import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { BusHit, Translation } from '../memory/translation.ts';
import { TestPlatform } from './_platform.ts';

const QUERY = 0x2026;
const CREATE = 0x2027;
const REMOVE = 0x2028;
const RESET = 0x2029;
const BUID = [0x800_0000, 0x2000_0000] as const;
const HW_ERROR = 0xffff_ffff;
const PARAM_ERROR = 0xffff_fffd;
const NOT_WRITTEN = 0xdead_beef;
const FIRST = 0x8000_0000;
const SECOND = 0x8000_0001;
/** Upper word of 2^59. */
const HIGH = 0x800_0000;

function create(platform: TestPlatform, pageShift: number, windowShift: number): number[] {
  return platform.rtas(CREATE, [0, ...BUID, pageShift, windowShift], 4);
}

/** Where the bus address 0 and 2^59 lead: the window and its page size, or nothing. */
function windows(platform: TestPlatform): [number | undefined, number | undefined] {
  const hit = new BusHit();
  const translation = new Translation();
  const shiftAt = (high: number): number | undefined => {
    if (!platform.papr.hostBridge.find(high, 0, hit)) return undefined;
    hit.window?.translate(hit.offset, translation);
    return translation.pageShift;
  };
  return [shiftAt(0), shiftAt(HIGH)];
}

test('create: the checks in their order', (t) => {
  const platform = new TestPlatform();
  t.deepEqual(create(platform, 13, 20), [PARAM_ERROR, NOT_WRITTEN, NOT_WRITTEN, NOT_WRITTEN]);
  t.is(create(platform, 16, 15)[0], PARAM_ERROR, 'a window is no smaller than its pages');
  t.deepEqual(create(platform, 16, 16), [0, SECOND, HIGH, 0]);
  t.is(create(platform, 13, 20)[0], PARAM_ERROR, 'page sizes are checked before the number of windows');
  t.is(create(platform, 16, 16)[0], HW_ERROR);
});

test('create: 2^32 entries are none, and the window stays free', (t) => {
  const platform = new TestPlatform();
  t.is(create(platform, 12, 44)[0], HW_ERROR);
  t.is(create(platform, 12, 44)[0], HW_ERROR, 'QEMU aborts here');
  t.deepEqual(create(platform, 12, 20), [0, SECOND, HIGH, 0]);
});

test('measured: removing the default window first', (t) => {
  const platform = new TestPlatform();
  t.deepEqual(windows(platform), [12, undefined]);
  t.is(platform.rtas(REMOVE, [FIRST], 1)[0], 0);
  t.deepEqual(windows(platform), [undefined, undefined], 'it is not restored');
  t.is(platform.rtas(REMOVE, [FIRST], 1)[0], PARAM_ERROR);
  t.deepEqual(create(platform, 16, 28), [0, FIRST, 0, 0]);
  t.deepEqual(create(platform, 24, 30), [0, SECOND, HIGH, 0]);
  t.deepEqual(windows(platform), [16, 24]);
  t.is(platform.rtas(REMOVE, [FIRST], 1)[0], 0);
  t.deepEqual(create(platform, 16, 28), [0, FIRST, HIGH, 0], 'both windows lie at 2^59 now');
  t.deepEqual(windows(platform), [undefined, 24], 'and the second is found first');
});

test('measured: the default window comes back with the last one', (t) => {
  const platform = new TestPlatform();
  platform.hcall(0x20, FIRST, 0x5000, 0x123003);
  create(platform, 16, 28);
  platform.rtas(REMOVE, [FIRST], 1);
  platform.rtas(REMOVE, [SECOND], 1);
  t.deepEqual(windows(platform), [12, undefined]);
  platform.hcall(0x1c, FIRST, 0x5000);
  t.is(platform.output(0), 0n, 'and is empty');
});

test('reset: the default window, empty; a machine reset does the same', (t) => {
  for (const again of [
    (platform: TestPlatform) => t.is(platform.rtas(RESET, [0, ...BUID], 1)[0], 0),
    (platform: TestPlatform) => platform.papr.reset(),
  ]) {
    const platform = new TestPlatform();
    const fresh = platform.papr.hostBridge.dma.tables.map((table) => [table.entries, table.busHigh]);
    platform.hcall(0x138, FIRST, 0, 0x3003, 0x4_0000);
    create(platform, 24, 30);
    again(platform);
    t.deepEqual(
      platform.papr.hostBridge.dma.tables.map((table) => [table.entries, table.busHigh]),
      fresh,
    );
    platform.hcall(0x1c, FIRST, 0x3fff_f000);
    t.is(platform.output(0), 0n);
  }
});

/** A model with no shortcuts: two slots, each empty or a window. */
interface Slot {
  readonly shift: number;
  readonly high: number;
  readonly size: number;
}
const action = fc.oneof(
  fc.record({
    call: fc.constant('create' as const),
    page: fc.constantFrom(12, 13, 16, 21, 24, 34, 63, 64, 76),
    window: fc.integer({ min: 0, max: 60 }),
  }),
  fc.record({ call: fc.constant('remove' as const), slot: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ call: fc.constant('reset' as const) }),
);

prop(
  'sequences of window calls agree with a naive model',
  [fc.array(action, { maxLength: 20 })],
  (program) => {
    const platform = new TestPlatform();
    const initial: Slot = { shift: 12, high: 0, size: 30 };
    let slots: (Slot | undefined)[] = [initial, undefined];
    for (const step of program) {
      const active = slots.filter((slot) => slot !== undefined).length;
      let expected = 0;
      let actual: number | undefined;
      if (step.call === 'create') {
        actual = create(platform, step.page, step.window)[0];
        const free = slots.indexOf(undefined);
        if (![12, 16, 21, 24].includes(step.page) || step.window < step.page) expected = PARAM_ERROR;
        else if (free < 0 || step.window - step.page >= 32) expected = HW_ERROR;
        else slots[free] = { shift: step.page, high: active === 0 ? 0 : HIGH, size: step.window };
      } else if (step.call === 'remove') {
        actual = platform.rtas(REMOVE, [FIRST + step.slot], 1)[0];
        if (slots[step.slot] === undefined) expected = PARAM_ERROR;
        else {
          slots[step.slot] = undefined;
          if (active === 1 && step.slot === 1) slots = [initial, undefined];
        }
      } else {
        actual = platform.rtas(RESET, [0, ...BUID], 1)[0];
        slots = [initial, undefined];
      }
      if (actual !== expected) return false;
      if (platform.rtas(QUERY, [0, ...BUID], 5)[1] !== slots.filter((slot) => slot === undefined).length)
        return false;
    }
    const tables = platform.papr.hostBridge.dma.tables;
    return slots.every((slot, i) => {
      const table = tables[i];
      return slot === undefined
        ? table?.entries === 0
        : table?.entries === 2 ** (slot.size - slot.shift) && table.busHigh === slot.high;
    });
  },
);

prop(
  'a translation is the entry with the page offset, where its bits allow',
  [fc.integer({ min: 0, max: 0x3_ffff }), fc.bigInt(0n, (1n << 64n) - 1n)],
  (index, tce) => {
    const platform = new TestPlatform();
    platform.hcall(0x20, FIRST, index * 0x1000, tce);
    const hit = new BusHit();
    const translation = new Translation();
    if (!platform.papr.hostBridge.find(0, index * 0x1000 + 0x123, hit)) return false;
    hit.window?.translate(hit.offset, translation);
    return (
      translation.permission === Number(tce & 3n) &&
      ((BigInt(translation.pageHigh) << 32n) | BigInt(translation.pageLow)) === (tce & ~0xfffn) &&
      hit.left === 0x4000_0000 - index * 0x1000 - 0x123
    );
  },
);
