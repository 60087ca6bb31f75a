import type { Core } from '../core.ts';
import { fromSingle, toSingle } from '../soft-float.ts';
import { extended, ra, rb, rt, type Instruction } from './row.ts';

// Vector and VSX instructions that the interpreter leaves to the processor: Power ISA 3.0B, book I chapters 6 and 7.

/** A register's sixteen bytes, byte 0 the most significant, as a view. */
function bytesOf(core: Core, vsr: number): DataView {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, core.vectors[2 * vsr] ?? 0n);
  view.setBigUint64(8, core.vectors[2 * vsr + 1] ?? 0n);
  return view;
}

function setBytes(core: Core, vsr: number, view: DataView): void {
  core.vectors[2 * vsr] = view.getBigUint64(0);
  core.vectors[2 * vsr + 1] = view.getBigUint64(8);
}

const empty = (): DataView => new DataView(new ArrayBuffer(16));
const vr = (number: number): number => 32 + number;
const vc = (word: number): number => (word >>> 6) & 31;
const xt = (word: number): number => rt(word) | ((word & 1) << 5);
const xa = (word: number): number => ra(word) | ((word & 4) << 3);
const xb = (word: number): number => rb(word) | ((word & 2) << 4);
const xc = (word: number): number => ((word >>> 6) & 31) | ((word & 8) << 2);

type Run = (core: Core, word: number) => void;
const vector =
  (run: Run): Run =>
  (core, word) => {
    if (core.available('vector')) run(core, word);
  };
const vsx =
  (run: Run): Run =>
  (core, word) => {
    if (core.available('vsx')) run(core, word);
  };

type Size = 1 | 2 | 4 | 8;

function element(view: DataView, size: Size, index: number): bigint {
  if (size === 1) return BigInt(view.getUint8(index));
  if (size === 2) return BigInt(view.getUint16(2 * index));
  return size === 4 ? BigInt(view.getUint32(4 * index)) : view.getBigUint64(8 * index);
}

function setElement(view: DataView, size: Size, index: number, value: bigint): void {
  if (size === 1) view.setUint8(index, Number(value & 0xffn));
  else if (size === 2) view.setUint16(2 * index, Number(value & 0xffffn));
  else if (size === 4) view.setUint32(4 * index, Number(value & 0xffff_ffffn));
  else view.setBigUint64(8 * index, BigInt.asUintN(64, value));
}

const signed = (size: Size, value: bigint): bigint => BigInt.asIntN(8 * size, value);

/** vD = f(vA, vB), element by element. */
const each = (size: Size, run: (a: bigint, b: bigint) => bigint): Run =>
  vector((core, word) => {
    const a = bytesOf(core, vr(ra(word)));
    const b = bytesOf(core, vr(rb(word)));
    const result = empty();
    for (let i = 0; i < 16 / size; i++) {
      setElement(result, size, i, run(element(a, size, i), element(b, size, i)));
    }
    setBytes(core, vr(rt(word)), result);
  });

/** vD, whole, from the bytes of vA and vB. */
const whole = (run: (a: DataView, b: DataView, result: DataView, word: number) => void): Run =>
  vector((core, word) => {
    const result = empty();
    run(bytesOf(core, vr(ra(word))), bytesOf(core, vr(rb(word))), result, word);
    setBytes(core, vr(rt(word)), result);
  });

const vx = (name: string, xo: number, assist: Run): Instruction => ({
  name,
  ...extended(4, xo, 11, 0),
  assist,
});

const SATURATED = 1n;

/** Saturating sums: VSCR[SAT] remembers. */
const saturating = (size: Size, isSigned: boolean, run: (a: bigint, b: bigint) => bigint): Run =>
  vector((core, word) => {
    const a = bytesOf(core, vr(ra(word)));
    const b = bytesOf(core, vr(rb(word)));
    const result = empty();
    for (let i = 0; i < 16 / size; i++) {
      const cut = (value: bigint): bigint => (isSigned ? signed(size, value) : value);
      const sum = run(cut(element(a, size, i)), cut(element(b, size, i)));
      setElement(result, size, i, clamp(core, size, isSigned, sum));
    }
    setBytes(core, vr(rt(word)), result);
  });

function clamp(core: Core, size: Size, isSigned: boolean, value: bigint): bigint {
  const span = 1n << BigInt(8 * size);
  const least = isSigned ? -(span >> 1n) : 0n;
  const most = isSigned ? (span >> 1n) - 1n : span - 1n;
  if (value >= least && value <= most) return value;
  core.vscr |= SATURATED;
  return value < least ? least : most;
}

const shiftOf = (size: Size, b: bigint): bigint => b & BigInt(8 * size - 1);
const rotated =
  (size: Size) =>
  (a: bigint, b: bigint): bigint => {
    const shift = shiftOf(size, b);
    return (a << shift) | (a >> (BigInt(8 * size) - shift));
  };

const SIZED: readonly (readonly [Size, string])[] = [
  [1, 'b'],
  [2, 'h'],
  [4, 'w'],
  [8, 'd'],
];
const shifts: readonly Instruction[] = SIZED.flatMap(([size, letter], index) => [
  vx(`vrl${letter}`, 4 + 64 * index, each(size, rotated(size))),
  vx(
    `vsl${letter}`,
    size === 8 ? 1476 : 260 + 64 * index,
    each(size, (a, b) => a << shiftOf(size, b)),
  ),
  vx(
    `vsr${letter}`,
    size === 8 ? 1732 : 516 + 64 * index,
    each(size, (a, b) => a >> shiftOf(size, b)),
  ),
  vx(
    `vsra${letter}`,
    772 + 64 * index,
    each(size, (a, b) => signed(size, a) >> shiftOf(size, b)),
  ),
]);

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

const sums: readonly Instruction[] = SIZED.slice(0, 3).flatMap(([size, letter], index) => [
  vx(
    `vaddu${letter}s`,
    512 + 64 * index,
    saturating(size, false, (a, b) => a + b),
  ),
  vx(
    `vadds${letter}s`,
    768 + 64 * index,
    saturating(size, true, (a, b) => a + b),
  ),
  vx(
    `vsubu${letter}s`,
    1536 + 64 * index,
    saturating(size, false, (a, b) => a - b),
  ),
  vx(
    `vsubs${letter}s`,
    1792 + 64 * index,
    saturating(size, true, (a, b) => a - b),
  ),
]);

const counted = (size: Size, run: (value: bigint) => bigint): Run => each(size, (_, b) => run(b));
const bits = (value: bigint): string => value.toString(2);
const population = (value: bigint): bigint => BigInt(bits(value).replaceAll('0', '').length);
const leading =
  (size: Size) =>
  (value: bigint): bigint =>
    value === 0n ? BigInt(8 * size) : BigInt(8 * size - bits(value).length);
const trailing =
  (size: Size) =>
  (value: bigint): bigint =>
    value === 0n ? BigInt(8 * size) : BigInt(bits(value).length - 1 - bits(value).lastIndexOf('1'));

const counts: readonly Instruction[] = SIZED.flatMap(([size, letter], index) => [
  vx(`vclz${letter}`, 1794 + 64 * index, counted(size, leading(size))),
  vx(`vpopcnt${letter}`, 1795 + 64 * index, counted(size, population)),
]);

/** Comparisons that WebAssembly's lanes lack. */
const comparing = (
  name: string,
  xo: number,
  size: Size,
  holds: (a: bigint, b: bigint) => boolean,
): Instruction => ({
  name,
  ...extended(4, xo, 10, 0),
  assist: vector((core, word) => {
    const a = bytesOf(core, vr(ra(word)));
    const b = bytesOf(core, vr(rb(word)));
    const result = empty();
    let found = 0;
    for (let i = 0; i < 16 / size; i++) {
      if (!holds(element(a, size, i), element(b, size, i))) continue;
      setElement(result, size, i, -1n);
      found++;
    }
    setBytes(core, vr(rt(word)), result);
    if ((word & 0x400) !== 0) core.condition[6] = found === 16 / size ? 8 : found === 0 ? 2 : 0;
  }),
});

const comparisons: readonly Instruction[] = [
  comparing('vcmpgtud', 711, 8, (a, b) => a > b),
  comparing('vcmpnezb', 263, 1, (a, b) => a !== b || a === 0n || b === 0n),
  comparing('vcmpnezh', 327, 2, (a, b) => a !== b || a === 0n || b === 0n),
  comparing('vcmpnezw', 391, 4, (a, b) => a !== b || a === 0n || b === 0n),
];

/** Group 1538: what vA's number says. */
const GROUP: Readonly<Record<number, Run>> = {
  6: counted(4, (b) => -b),
  7: counted(8, (b) => -b),
  8: counted(4, (b) => population(b & 0x0101_0101n) & 1n),
  9: counted(8, (b) => population(b & 0x0101_0101_0101_0101n) & 1n),
  16: counted(4, (b) => BigInt.asIntN(8, b)),
  17: counted(4, (b) => BigInt.asIntN(16, b)),
  24: counted(8, (b) => BigInt.asIntN(8, b)),
  25: counted(8, (b) => BigInt.asIntN(16, b)),
  26: counted(8, (b) => BigInt.asIntN(32, b)),
  28: counted(1, trailing(1)),
  29: counted(2, trailing(2)),
  30: counted(4, trailing(4)),
  31: counted(8, trailing(8)),
};

/** Bytes before the first, or after the last, whose lowest bit is set. */
const countBytes = (fromEnd: boolean): Run =>
  vector((core, word) => {
    const b = bytesOf(core, vr(rb(word)));
    let count = 0;
    while (count < 16 && (b.getUint8(fromEnd ? 15 - count : count) & 1) === 0) count++;
    core.registers[rt(word)] = BigInt(count);
  });

const group: readonly Instruction[] = [
  ...Object.entries(GROUP).map(([form, assist]): Instruction => ({
    name: `vector group 1538 form ${form}`,
    mask: 0xfc1f_07ff,
    match: ((4 << 26) | (Number(form) << 16) | 1538) >>> 0,
    assist,
  })),
  ...([0, 1] as const).map((form): Instruction => ({
    name: form === 0 ? 'vclzlsbb' : 'vctzlsbb',
    mask: 0xfc1f_07ff,
    match: ((4 << 26) | (form << 16) | 1538) >>> 0,
    assist: countBytes(form === 1),
  })),
];

const merge = (size: Size, from: number, step: number): Run =>
  whole((a, b, result) => {
    for (let i = 0; i < 8 / size; i++) {
      setElement(result, size, 2 * i, element(a, size, from + step * i));
      setElement(result, size, 2 * i + 1, element(b, size, from + step * i));
    }
  });
const pack = (size: Size): Run =>
  whole((a, b, result) => {
    const half = (size / 2) as Size;
    for (let i = 0; i < 16 / size; i++) {
      setElement(result, half, i, element(a, size, i));
      setElement(result, half, 16 / size + i, element(b, size, i));
    }
  });
const unpack = (size: Size, from: number): Run =>
  whole((_, b, result) => {
    const half = (size / 2) as Size;
    for (let i = 0; i < 16 / size; i++) {
      setElement(result, size, i, signed(half, element(b, half, from + i)));
    }
  });
const splat = (size: Size): Run =>
  whole((_, b, result, word) => {
    const value = element(b, size, ra(word) & (16 / size - 1));
    for (let i = 0; i < 16 / size; i++) setElement(result, size, i, value);
  });
const splatImmediate = (size: Size): Run =>
  whole((_a, _b, result, word) => {
    const value = BigInt((ra(word) << 27) >> 27);
    for (let i = 0; i < 16 / size; i++) setElement(result, size, i, value);
  });

function quad(view: DataView): bigint {
  return (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
}

function setQuad(view: DataView, value: bigint): void {
  view.setBigUint64(0, BigInt.asUintN(64, value >> 64n));
  view.setBigUint64(8, BigInt.asUintN(64, value));
}

const onQuads = (run: (a: bigint, b: bigint) => bigint): Run =>
  whole((a, b, result) => setQuad(result, run(quad(a), quad(b))));

const odd = (size: Size, from: number, isSigned: boolean): Run =>
  whole((a, b, result) => {
    const half = (size / 2) as Size;
    const cut = (value: bigint): bigint => (isSigned ? signed(half, value) : value);
    for (let i = 0; i < 16 / size; i++) {
      setElement(result, size, i, cut(element(a, half, 2 * i + from)) * cut(element(b, half, 2 * i + from)));
    }
  });

function carryless(a: bigint, b: bigint): bigint {
  let sum = 0n;
  for (let rest = b, shift = 0n; rest !== 0n; rest >>= 1n, shift++) if ((rest & 1n) !== 0n) sum ^= a << shift;
  return sum;
}

const polynomial = (size: Size): Run =>
  whole((a, b, result) => {
    const wide = 2 * size;
    let total = 0n;
    for (let i = 0; i < 16 / wide; i++) {
      let sum = 0n;
      for (const j of [2 * i, 2 * i + 1]) sum ^= carryless(element(a, size, j), element(b, size, j));
      total = (total << BigInt(8 * wide)) | sum;
    }
    setQuad(result, total);
  });

const simple: readonly Instruction[] = [
  vx('vmaxud', 194, each(8, max)),
  vx('vminud', 706, each(8, min)),
  vx(
    'vmaxsd',
    450,
    each(8, (a, b) => max(signed(8, a), signed(8, b))),
  ),
  vx(
    'vminsd',
    962,
    each(8, (a, b) => min(signed(8, a), signed(8, b))),
  ),
  vx(
    'vavguw',
    1154,
    each(4, (a, b) => (a + b + 1n) >> 1n),
  ),
  vx(
    'vsl',
    452,
    onQuads((a, b) => a << (b & 7n)),
  ),
  vx(
    'vsr',
    708,
    onQuads((a, b) => a >> (b & 7n)),
  ),
  vx(
    'vslo',
    1036,
    onQuads((a, b) => a << (b & 0x78n)),
  ),
  vx(
    'vsro',
    1100,
    onQuads((a, b) => a >> (b & 0x78n)),
  ),
  vx(
    'vadduqm',
    256,
    onQuads((a, b) => a + b),
  ),
  vx(
    'vsubuqm',
    1280,
    onQuads((a, b) => a - b),
  ),
  vx(
    'vaddcuw',
    384,
    each(4, (a, b) => (a + b) >> 32n),
  ),
  vx('vmrghb', 12, merge(1, 0, 1)),
  vx('vmrghh', 76, merge(2, 0, 1)),
  vx('vmrghw', 140, merge(4, 0, 1)),
  vx('vmrglb', 268, merge(1, 8, 1)),
  vx('vmrglh', 332, merge(2, 4, 1)),
  vx('vmrglw', 396, merge(4, 2, 1)),
  vx('vmrgow', 1676, merge(4, 1, 2)),
  vx('vmrgew', 1932, merge(4, 0, 2)),
  vx('vpkuhum', 14, pack(2)),
  vx('vpkuwum', 78, pack(4)),
  vx('vpkudum', 1102, pack(8)),
  vx('vupkhsb', 526, unpack(2, 0)),
  vx('vupkhsh', 590, unpack(4, 0)),
  vx('vupkhsw', 1614, unpack(8, 0)),
  vx('vupklsb', 654, unpack(2, 8)),
  vx('vupklsh', 718, unpack(4, 4)),
  vx('vupklsw', 1742, unpack(8, 2)),
  vx('vspltb', 524, splat(1)),
  vx('vsplth', 588, splat(2)),
  vx('vspltw', 652, splat(4)),
  vx('vspltisb', 780, splatImmediate(1)),
  vx('vspltish', 844, splatImmediate(2)),
  vx('vspltisw', 908, splatImmediate(4)),
  ...([1, 2, 4] as const).flatMap((size, index) => {
    const wide = (2 * size) as Size;
    const letter = 'bhw'[index] ?? '';
    return [
      vx(`vmulou${letter}`, 8 + 64 * index, odd(wide, 1, false)),
      vx(`vmulos${letter}`, 264 + 64 * index, odd(wide, 1, true)),
      vx(`vmuleu${letter}`, 520 + 64 * index, odd(wide, 0, false)),
      vx(`vmules${letter}`, 776 + 64 * index, odd(wide, 0, true)),
    ];
  }),
  vx('vpmsumb', 1032, polynomial(1)),
  vx('vpmsumh', 1096, polynomial(2)),
  vx('vpmsumw', 1160, polynomial(4)),
  vx('vpmsumd', 1224, polynomial(8)),
  // Bit j of each byte gathered into byte j, in each doubleword.
  vx(
    'vgbbd',
    1292,
    whole((_, b, result) => {
      for (let i = 0; i < 16; i++) {
        let gathered = 0;
        for (let j = 0; j < 8; j++) {
          gathered = (gathered << 1) | ((b.getUint8((i & 8) + j) >> (7 - (i & 7))) & 1);
        }
        result.setUint8(i, gathered);
      }
    }),
  ),
  vx(
    'vbpermq',
    1356,
    whole((a, b, result) => {
      let gathered = 0n;
      for (let i = 0; i < 16; i++) {
        const index = b.getUint8(i);
        const bit = index < 128 ? (a.getUint8(index >> 3) >> (7 - (index & 7))) & 1 : 0;
        gathered = (gathered << 1n) | BigInt(bit);
      }
      result.setBigUint64(0, gathered);
    }),
  ),
  vx(
    'vslv',
    1860,
    whole((a, b, result) => {
      for (let i = 0; i < 16; i++) {
        const pair = (a.getUint8(i) << 8) | (i < 15 ? a.getUint8(i + 1) : 0);
        result.setUint8(i, ((pair << (b.getUint8(i) & 7)) >> 8) & 0xff);
      }
    }),
  ),
  vx(
    'vsrv',
    1796,
    whole((a, b, result) => {
      for (let i = 0; i < 16; i++) {
        const pair = ((i > 0 ? a.getUint8(i - 1) : 0) << 8) | a.getUint8(i);
        result.setUint8(i, (pair >> (b.getUint8(i) & 7)) & 0xff);
      }
    }),
  ),
  ...([1, 2, 4, 8] as const).flatMap((size, index): Instruction[] => [
    vx(
      `vextract ${size}`,
      525 + 64 * index,
      whole((_, b, result, word) => {
        // Beyond the register nothing is extracted, and nothing inserted.
        const at = ra(word) & 15;
        if (at + size > 16) return;
        for (let i = 0; i < size; i++) result.setUint8(8 - size + i, b.getUint8(at + i));
      }),
    ),
    vx(
      `vinsert ${size}`,
      781 + 64 * index,
      vector((core, word) => {
        const b = bytesOf(core, vr(rb(word)));
        const target = bytesOf(core, vr(rt(word)));
        const at = ra(word) & 15;
        if (at + size > 16) return;
        for (let i = 0; i < size; i++) target.setUint8(at + i, b.getUint8(8 - size + i));
        setBytes(core, vr(rt(word)), target);
      }),
    ),
  ]),
  ...([1, 2, 4] as const).flatMap((size, index): Instruction[] =>
    [false, true].map((fromRight) =>
      vx(
        `vext ${size} to register`,
        (fromRight ? 1805 : 1549) + 64 * index,
        vector((core, word) => {
          const b = bytesOf(core, vr(rb(word)));
          const at = Number((core.registers[ra(word)] ?? 0n) & 15n);
          let value = 0n;
          for (let i = 0; i < size; i++) {
            const from = fromRight ? 16 - size - at + i : at + i;
            value = (value << 8n) | BigInt(from >= 0 && from < 16 ? b.getUint8(from) : 0);
          }
          core.registers[rt(word)] = value;
        }),
      ),
    ),
  ),
  vx(
    'mfvscr',
    1540,
    vector((core, word) => {
      core.vectors[2 * vr(rt(word))] = 0n;
      core.vectors[2 * vr(rt(word)) + 1] = core.vscr;
    }),
  ),
  vx(
    'mtvscr',
    1604,
    vector((core, word) => {
      core.vscr = (core.vectors[2 * vr(rb(word)) + 1] ?? 0n) & 0xffff_ffffn;
    }),
  ),
];

/** Three operands: the third in bits 21 to 25. */
const va = (
  name: string,
  xo: number,
  run: (a: DataView, b: DataView, c: DataView, result: DataView, word: number) => void,
): Instruction => ({
  name,
  ...extended(4, xo, 6, 0),
  assist: vector((core, word) => {
    const result = empty();
    run(bytesOf(core, vr(ra(word))), bytesOf(core, vr(rb(word))), bytesOf(core, vr(vc(word))), result, word);
    setBytes(core, vr(rt(word)), result);
  }),
});

const pairByte = (a: DataView, b: DataView, index: number): number =>
  index < 16 ? a.getUint8(index) : b.getUint8(index - 16);

const triple: readonly Instruction[] = [
  va('vpermr', 59, (a, b, c, result) => {
    for (let i = 0; i < 16; i++) result.setUint8(i, pairByte(a, b, 31 - (c.getUint8(i) & 31)));
  }),
  va('vpermxor', 45, (a, b, c, result) => {
    for (let i = 0; i < 16; i++) {
      const index = c.getUint8(i);
      result.setUint8(i, a.getUint8(index >> 4) ^ b.getUint8(index & 15));
    }
  }),
  va('vsel', 42, (a, b, c, result) => {
    for (const half of [0, 8]) {
      const mask = c.getBigUint64(half);
      result.setBigUint64(half, (a.getBigUint64(half) & ~mask) | (b.getBigUint64(half) & mask));
    }
  }),
  va('vsldoi', 44, (a, b, _, result, word) => {
    const shift = (word >>> 6) & 15;
    for (let i = 0; i < 16; i++) result.setUint8(i, pairByte(a, b, i + shift));
  }),
  va('vmladduhm', 34, (a, b, c, result) => {
    for (let i = 0; i < 8; i++) {
      setElement(result, 2, i, element(a, 2, i) * element(b, 2, i) + element(c, 2, i));
    }
  }),
];

// --- VSX ------------------------------------------------------------------------------------------------------------

const xx3 = (
  name: string,
  xo: number,
  run: (a: DataView, b: DataView, result: DataView, word: number) => void,
  mask = 0xff,
): Instruction => ({
  name,
  mask: (0xfc00_0000 | (mask << 3)) >>> 0,
  match: ((60 << 26) | (xo << 3)) >>> 0,
  assist: vsx((core, word) => {
    const result = empty();
    run(bytesOf(core, xa(word)), bytesOf(core, xb(word)), result, word);
    setBytes(core, xt(word), result);
  }),
});

const xx2 = (
  name: string,
  xo: number,
  run: (b: DataView, result: DataView, word: number, core: Core) => void,
  field?: number,
): Instruction => ({
  name,
  mask: (0xfc00_0000 | (0x1ff << 2) | (field === undefined ? 0 : 0x1f_0000)) >>> 0,
  match: ((60 << 26) | (xo << 2) | ((field ?? 0) << 16)) >>> 0,
  assist: vsx((core, word) => {
    const result = empty();
    run(bytesOf(core, xb(word)), result, word, core);
    setBytes(core, xt(word), result);
  }),
});

const reversed =
  (size: number) =>
  (b: DataView, result: DataView): void => {
    for (let i = 0; i < 16; i++) result.setUint8(i, b.getUint8(i - (i % size) + size - 1 - (i % size)));
  };

const arranging: readonly Instruction[] = [
  xx3(
    'xxpermdi',
    10,
    (a, b, result, word) => {
      result.setBigUint64(0, a.getBigUint64((word >>> 9) & 1 ? 8 : 0));
      result.setBigUint64(8, b.getBigUint64((word >>> 8) & 1 ? 8 : 0));
    },
    0x9f,
  ),
  xx3(
    'xxsldwi',
    2,
    (a, b, result, word) => {
      const shift = 4 * ((word >>> 8) & 3);
      for (let i = 0; i < 16; i++) result.setUint8(i, pairByte(a, b, i + shift));
    },
    0x9f,
  ),
  xx3('xxmrghw', 18, (a, b, result) => {
    for (let i = 0; i < 2; i++) {
      setElement(result, 4, 2 * i, element(a, 4, i));
      setElement(result, 4, 2 * i + 1, element(b, 4, i));
    }
  }),
  xx3('xxmrglw', 50, (a, b, result) => {
    for (let i = 0; i < 2; i++) {
      setElement(result, 4, 2 * i, element(a, 4, 2 + i));
      setElement(result, 4, 2 * i + 1, element(b, 4, 2 + i));
    }
  }),
  ...(
    [
      ['xxperm', 26, false],
      ['xxpermr', 58, true],
    ] as const
  ).map(([name, xo, right]): Instruction => ({
    name,
    ...extended(60, xo, 8, 3),
    assist: vsx((core, word) => {
      const a = bytesOf(core, xa(word));
      const t = bytesOf(core, xt(word));
      const control = bytesOf(core, xb(word));
      const result = empty();
      for (let i = 0; i < 16; i++) {
        const index = control.getUint8(i) & 31;
        result.setUint8(i, pairByte(a, t, right ? 31 - index : index));
      }
      setBytes(core, xt(word), result);
    }),
  })),
  {
    name: 'xxsel',
    mask: 0xfc00_0030,
    match: ((60 << 26) | 0x30) >>> 0,
    assist: vsx((core, word) => {
      for (const half of [0, 1]) {
        const at = (vsr: number): bigint => core.vectors[2 * vsr + half] ?? 0n;
        const mask = at(xc(word));
        core.vectors[2 * xt(word) + half] = (at(xa(word)) & ~mask) | (at(xb(word)) & mask);
      }
    }),
  },
  xx2('xxspltw', 164, (b, result, word) => {
    const value = element(b, 4, ra(word) & 3);
    for (let i = 0; i < 4; i++) setElement(result, 4, i, value);
  }),
  {
    name: 'xxspltib',
    mask: 0xfc18_07fe,
    match: ((60 << 26) | (360 << 1)) >>> 0,
    assist: vsx((core, word) => {
      const value = BigInt((word >>> 11) & 0xff) * 0x0101_0101_0101_0101n;
      core.vectors[2 * xt(word)] = value;
      core.vectors[2 * xt(word) + 1] = value;
    }),
  },
  xx2('xxextractuw', 165, (b, result, word) => {
    for (let i = 0; i < 4; i++) result.setUint8(4 + i, b.getUint8(((ra(word) & 15) + i) & 15));
  }),
  {
    name: 'xxinsertw',
    ...extended(60, 181, 9, 2),
    assist: vsx((core, word) => {
      const b = bytesOf(core, xb(word));
      const target = bytesOf(core, xt(word));
      const at = ra(word) & 15;
      // What lies beyond the register is not inserted; xxextractuw goes round instead, both as in QEMU.
      for (let i = 0; i < 4 && at + i < 16; i++) target.setUint8(at + i, b.getUint8(4 + i));
      setBytes(core, xt(word), target);
    }),
  },
  xx2('xxbrh', 475, reversed(2), 7),
  xx2('xxbrw', 475, reversed(4), 15),
  xx2('xxbrd', 475, reversed(8), 23),
  xx2('xxbrq', 475, reversed(16), 31),
  xx2('xscvspdpn', 331, (b, result) => result.setBigUint64(0, fromSingle(b.getUint32(0)))),
  xx2('xscvdpspn', 267, (b, result) => {
    const word = toSingle(b.getBigUint64(0));
    result.setUint32(0, word);
    result.setUint32(4, word);
  }),
];

/** Moves between general registers and VSRs: floating point, or vectors for the upper 32. */
const move = (name: string, xo: number, run: Run, always?: 'vsx' | 'vector'): Instruction => ({
  name,
  ...extended(31, xo, 10),
  assist: (core, word) => {
    const facility = xt(word) < 32 ? (always === 'vsx' ? 'vsx' : 'float') : 'vector';
    if (core.available(facility)) run(core, word);
  },
});

function setDoubles(core: Core, vsr: number, first: bigint, second: bigint): void {
  core.vectors[2 * vsr] = BigInt.asUintN(64, first);
  core.vectors[2 * vsr + 1] = BigInt.asUintN(64, second);
}

/** The other half is undefined; QEMU 7.2 leaves it. */
function setFirst(core: Core, vsr: number, value: bigint): void {
  core.vectors[2 * vsr] = BigInt.asUintN(64, value);
}

const gpr = (core: Core, number: number): bigint => core.registers[number] ?? 0n;

const moves: readonly Instruction[] = [
  move('mfvsrwz', 115, (core, word) => {
    core.registers[ra(word)] = (core.vectors[2 * xt(word)] ?? 0n) & 0xffff_ffffn;
  }),
  move(
    'mfvsrld',
    307,
    (core, word) => {
      core.registers[ra(word)] = core.vectors[2 * xt(word) + 1] ?? 0n;
    },
    'vsx',
  ),
  move('mtvsrwa', 211, (core, word) => setFirst(core, xt(word), BigInt.asIntN(32, gpr(core, ra(word))))),
  move('mtvsrwz', 243, (core, word) => setFirst(core, xt(word), BigInt.asUintN(32, gpr(core, ra(word))))),
  move(
    'mtvsrdd',
    435,
    (core, word) => {
      const first = ra(word) === 0 ? 0n : gpr(core, ra(word));
      setDoubles(core, xt(word), first, gpr(core, rb(word)));
    },
    'vsx',
  ),
  move(
    'mtvsrws',
    403,
    (core, word) => {
      const value = BigInt.asUintN(32, gpr(core, ra(word))) * 0x1_0000_0001n;
      setDoubles(core, xt(word), value, value);
    },
    'vsx',
  ),
];

// --- Loads and stores that the interpreter does not know -------------------------------------------------------------

interface MemoryRow {
  readonly name: string;
  readonly encoding: { readonly mask: number; readonly match: number };
  readonly facility: 'float' | 'vector' | 'vsx';
  readonly form: 'x' | 'd' | 'ds';
  readonly update?: boolean;
  readonly bytes: number;
  readonly target: (word: number) => number;
  /** What the register becomes of bytes in memory order. */
  readonly load?: (bytes: DataView, core: Core, vsr: number) => void;
  readonly store?: (core: Core, vsr: number, bytes: DataView) => void;
}

function effective(core: Core, word: number, form: MemoryRow['form']): bigint {
  const base = ra(word) === 0 ? 0n : gpr(core, ra(word));
  const displacement = BigInt((word << 16) >> 16);
  if (form === 'x') return BigInt.asUintN(64, base + gpr(core, rb(word)));
  return BigInt.asUintN(64, base + (form === 'ds' ? displacement & ~3n : displacement));
}

const memoryRow = (row: MemoryRow): Instruction => ({
  name: row.name,
  ...row.encoding,
  assist: (core, word) => {
    if (!core.available(row.facility)) return;
    const address = effective(core, word, row.form);
    const vsr = row.target(word);
    if (row.load !== undefined) {
      const found = core.loadBytes(address, row.bytes);
      if (found === undefined) return;
      row.load(new DataView(found.buffer, found.byteOffset), core, vsr);
    } else {
      const bytes = new Uint8Array(row.bytes);
      row.store?.(core, vsr, new DataView(bytes.buffer));
      if (!core.storeBytes(address, bytes)) return;
    }
    if (row.update === true) core.registers[ra(word)] = address;
  },
});

const x31 = (xo: number): { mask: number; match: number } => extended(31, xo, 10);
const primary = (opcode: number): { mask: number; match: number } => ({
  mask: 0xfc00_0000,
  match: (opcode << 26) >>> 0,
});

const loadSingle = (bytes: DataView, core: Core, vsr: number): void =>
  setDoubles(core, vsr, fromSingle(bytes.getUint32(0, core.little)), 0n);
const storeSingle = (core: Core, vsr: number, bytes: DataView): void =>
  bytes.setUint32(0, toSingle(core.vectors[2 * vsr] ?? 0n), core.little);
const loadDouble = (bytes: DataView, core: Core, vsr: number): void =>
  setDoubles(core, vsr, bytes.getBigUint64(0, core.little), 0n);
const storeDouble = (core: Core, vsr: number, bytes: DataView): void =>
  bytes.setBigUint64(0, core.vectors[2 * vsr] ?? 0n, core.little);
const loadWord =
  (isSigned: boolean) =>
  (bytes: DataView, core: Core, vsr: number): void => {
    const word = isSigned ? bytes.getInt32(0, core.little) : bytes.getUint32(0, core.little);
    setDoubles(core, vsr, BigInt(word), 0n);
  };
const storeWord = (core: Core, vsr: number, bytes: DataView): void =>
  bytes.setUint32(0, Number((core.vectors[2 * vsr] ?? 0n) & 0xffff_ffffn), core.little);
/** Elements of this size in memory order, the first being element 0. */
const loadElements =
  (size: Size) =>
  (bytes: DataView, core: Core, vsr: number): void => {
    const result = empty();
    for (let i = 0; i < 16 / size; i++) {
      for (let j = 0; j < size; j++) {
        result.setUint8(i * size + j, bytes.getUint8(i * size + (core.little ? size - 1 - j : j)));
      }
    }
    setBytes(core, vsr, result);
  };
const storeElements =
  (size: Size) =>
  (core: Core, vsr: number, bytes: DataView): void => {
    const from = bytesOf(core, vsr);
    for (let i = 0; i < 16 / size; i++) {
      for (let j = 0; j < size; j++) {
        bytes.setUint8(i * size + (core.little ? size - 1 - j : j), from.getUint8(i * size + j));
      }
    }
  };
const loadSplat =
  (size: 4 | 8) =>
  (bytes: DataView, core: Core, vsr: number): void => {
    const value =
      size === 8
        ? bytes.getBigUint64(0, core.little)
        : BigInt(bytes.getUint32(0, core.little)) * 0x1_0000_0001n;
    setDoubles(core, vsr, value, value);
  };

const frt = (word: number): number => rt(word);
const upper = (word: number): number => vr(rt(word));
const D = { form: 'd', facility: 'float', target: frt } as const;
const X = { form: 'x', facility: 'float', target: frt } as const;
const XS = { form: 'x', facility: 'vsx', target: xt } as const;
const U = { update: true };

const memory: readonly Instruction[] = (
  [
    { ...D, name: 'lfs', encoding: primary(48), bytes: 4, load: loadSingle },
    { ...D, ...U, name: 'lfsu', encoding: primary(49), bytes: 4, load: loadSingle },
    { ...D, ...U, name: 'lfdu', encoding: primary(51), bytes: 8, load: loadDouble },
    { ...D, name: 'stfs', encoding: primary(52), bytes: 4, store: storeSingle },
    { ...D, ...U, name: 'stfsu', encoding: primary(53), bytes: 4, store: storeSingle },
    { ...D, ...U, name: 'stfdu', encoding: primary(55), bytes: 8, store: storeDouble },
    { ...X, name: 'lfsx', encoding: x31(535), bytes: 4, load: loadSingle },
    { ...X, ...U, name: 'lfsux', encoding: x31(567), bytes: 4, load: loadSingle },
    { ...X, ...U, name: 'lfdux', encoding: x31(631), bytes: 8, load: loadDouble },
    { ...X, name: 'stfsx', encoding: x31(663), bytes: 4, store: storeSingle },
    { ...X, ...U, name: 'stfsux', encoding: x31(695), bytes: 4, store: storeSingle },
    { ...X, ...U, name: 'stfdux', encoding: x31(759), bytes: 8, store: storeDouble },
    { ...X, name: 'lfiwax', encoding: x31(855), bytes: 4, load: loadWord(true) },
    { ...X, name: 'lfiwzx', encoding: x31(887), bytes: 4, load: loadWord(false) },
    { ...X, name: 'stfiwx', encoding: x31(983), bytes: 4, store: storeWord },
    { ...XS, name: 'lxsiwax', encoding: x31(76), bytes: 4, load: loadWord(true) },
    { ...XS, name: 'lxsiwzx', encoding: x31(12), bytes: 4, load: loadWord(false) },
    { ...XS, name: 'stxsiwx', encoding: x31(140), bytes: 4, store: storeWord },
    { ...XS, name: 'lxsspx', encoding: x31(524), bytes: 4, load: loadSingle },
    { ...XS, name: 'stxsspx', encoding: x31(652), bytes: 4, store: storeSingle },
    { ...XS, name: 'lxvdsx', encoding: x31(332), bytes: 8, load: loadSplat(8) },
    { ...XS, name: 'lxvwsx', encoding: x31(364), bytes: 4, load: loadSplat(4) },
    { ...XS, name: 'lxvw4x', encoding: x31(780), bytes: 16, load: loadElements(4) },
    { ...XS, name: 'lxvh8x', encoding: x31(812), bytes: 16, load: loadElements(2) },
    { ...XS, name: 'lxvb16x', encoding: x31(876), bytes: 16, load: loadElements(1) },
    { ...XS, name: 'stxvw4x', encoding: x31(908), bytes: 16, store: storeElements(4) },
    { ...XS, name: 'stxvh8x', encoding: x31(940), bytes: 16, store: storeElements(2) },
    { ...XS, name: 'stxvb16x', encoding: x31(1004), bytes: 16, store: storeElements(1) },
    {
      form: 'ds',
      facility: 'vector',
      target: upper,
      name: 'lxsd',
      encoding: extended(57, 2, 2, 0),
      bytes: 8,
      load: loadDouble,
    },
    {
      form: 'ds',
      facility: 'vector',
      target: upper,
      name: 'lxssp',
      encoding: extended(57, 3, 2, 0),
      bytes: 4,
      load: loadSingle,
    },
    {
      form: 'ds',
      facility: 'vector',
      target: upper,
      name: 'stxsd',
      encoding: extended(61, 2, 2, 0),
      bytes: 8,
      store: storeDouble,
    },
    {
      form: 'ds',
      facility: 'vector',
      target: upper,
      name: 'stxssp',
      encoding: extended(61, 3, 2, 0),
      bytes: 4,
      store: storeSingle,
    },
  ] satisfies readonly MemoryRow[]
).map(memoryRow);

/** lxvl, stxvl: the bytes that the high byte of rB counts, at rA; the `ll` forms in big-endian order always. */
const counted16 = (core: Core, word: number): number => Math.min(16, Number(gpr(core, rb(word)) >> 56n));
const baseOf = (core: Core, word: number): bigint => (ra(word) === 0 ? 0n : gpr(core, ra(word)));

const lengths: readonly Instruction[] = [
  { name: 'lxvl', xo: 269, left: false, store: false },
  { name: 'lxvll', xo: 301, left: true, store: false },
  { name: 'stxvl', xo: 397, left: false, store: true },
  { name: 'stxvll', xo: 429, left: true, store: true },
].map((row): Instruction => ({
  name: row.name,
  ...x31(row.xo),
  assist: (core, word) => {
    if (!core.available(xt(word) < 32 ? 'vsx' : 'vector')) return;
    const length = counted16(core, word);
    const swaps = core.little && !row.left;
    if (row.store) {
      const from = bytesOf(core, xt(word));
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) bytes[i] = from.getUint8(swaps ? 15 - i : i);
      if (length > 0) core.storeBytes(baseOf(core, word), bytes);
      return;
    }
    const found = length === 0 ? new Uint8Array(0) : core.loadBytes(baseOf(core, word), length);
    if (found === undefined) return;
    const result = empty();
    for (let i = 0; i < length; i++) result.setUint8(swaps ? 15 - i : i, found[i] ?? 0);
    setBytes(core, xt(word), result);
  },
}));

/** lvebx and its like: one element of the aligned sixteen bytes; QEMU leaves the others as they were. */
const oneElement: readonly Instruction[] = ([1, 2, 4] as const).flatMap((size, index) =>
  [false, true].map((store): Instruction => ({
    name: `${store ? 'stve' : 'lve'}${'bhw'[index] ?? ''}x`,
    ...x31((store ? 135 : 7) + 32 * index),
    assist: vector((core, word) => {
      const address = BigInt.asUintN(64, baseOf(core, word) + gpr(core, rb(word))) & ~BigInt(size - 1);
      const within = Number(address & 15n);
      const register = bytesOf(core, vr(rt(word)));
      const first = core.little ? 16 - size - within : within;
      const place = (i: number): number => first + (core.little ? size - 1 - i : i);
      if (store) {
        core.storeBytes(
          address,
          Uint8Array.from({ length: size }, (_, i) => register.getUint8(place(i))),
        );
        return;
      }
      const found = core.loadBytes(address, size);
      if (found === undefined) return;
      for (let i = 0; i < size; i++) register.setUint8(place(i), found[i] ?? 0);
      setBytes(core, vr(rt(word)), register);
    }),
  })),
);

export const ASSISTED_VECTORS: readonly Instruction[] = [
  ...shifts,
  ...sums,
  ...counts,
  ...comparisons,
  ...group,
  ...simple,
  ...triple,
  ...arranging,
  ...moves,
  ...memory,
  ...lengths,
  ...oneElement,
];
