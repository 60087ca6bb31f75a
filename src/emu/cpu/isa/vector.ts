import { AT } from '../layout.ts';
import { MSR_FP, MSR_VEC, MSR_VSX } from '../abi.ts';
import type { Core } from '../core.ts';
import { L, type Emit, type Kit } from '../kit.ts';
import { get, i32, i64, select, set, simd, v128, type Code } from '../wasm.ts';
import { ASSISTED_VECTORS } from './vector-assists.ts';
import { bytesReversed } from './storage.ts';
import {
  baseRegister,
  dForm,
  extended,
  ra,
  rb,
  register,
  rt,
  si,
  type Access,
  type Instruction,
  type Operations,
} from './row.ts';

// Vector and VSX moves, loads and stores that run inside the interpreter: Power ISA 3.0B, book I 6.7 and 7.6.1.

const P = get(L.p);
const vr = (number: number): number => 16 * (32 + number);
const vsr = (number: number): number => 16 * number;
/** Register numbers of the VSX forms: five bits, and the sixth elsewhere. */
const xt = (word: number): number => rt(word) | ((word & 1) << 5);
const xa = (word: number): number => ra(word) | ((word & 4) << 3);
const xb = (word: number): number => rb(word) | ((word & 2) << 4);

const half = (field: Code, doubleword: 0 | 1): Code => i64.load(field, AT.vsr + 8 * doubleword);
const setHalf = (field: Code, doubleword: 0 | 1, value: Code): Code =>
  i64.store(field, value, AT.vsr + 8 * doubleword);

type Address = (kit: Kit) => Code;
const indexed: Address = (kit) => set(L.ea, i64.add(kit.B, kit.C));
const displaced: Address = (kit) => set(L.ea, i64.add(kit.B, kit.immediate));
const alignedIndexed: Address = (kit) => set(L.ea, i64.and(i64.add(kit.B, kit.C), i64.const(-16n)));

const order = (value: Code, big: boolean): Code => (big ? bytesReversed(value) : value);

/** Sixteen bytes as one element: the first in memory is the lowest in little-endian order. */
const loadWhole =
  (address: Address, msr: bigint, big: boolean): Emit =>
  (kit) => [
    ...kit.needs(msr),
    ...address(kit),
    ...kit.translate(16, false),
    ...setHalf(kit.a, big ? 0 : 1, order(i64.load(P, 0), big)),
    ...setHalf(kit.a, big ? 1 : 0, order(i64.load(P, 8), big)),
  ];
const storeWhole =
  (address: Address, msr: bigint, big: boolean): Emit =>
  (kit) => [
    ...kit.needs(msr),
    ...address(kit),
    ...kit.translate(16, true),
    ...i64.store(P, order(half(kit.a, big ? 0 : 1), big), 0),
    ...i64.store(P, order(half(kit.a, big ? 1 : 0), big), 8),
  ];
/** Two doublewords, the first in memory being element 0 in either order. */
const loadPair =
  (msr: bigint, big: boolean): Emit =>
  (kit) => [
    ...kit.needs(msr),
    ...indexed(kit),
    ...kit.translate(16, false),
    ...setHalf(kit.a, 0, order(i64.load(P, 0), big)),
    ...setHalf(kit.a, 1, order(i64.load(P, 8), big)),
  ];
const storePair =
  (msr: bigint, big: boolean): Emit =>
  (kit) => [
    ...kit.needs(msr),
    ...indexed(kit),
    ...kit.translate(16, true),
    ...i64.store(P, order(half(kit.a, 0), big), 0),
    ...i64.store(P, order(half(kit.a, 1), big), 8),
  ];
/** Doubleword 0 alone: lfd, stfd, lxsdx. QEMU 7.2 clears the other half where a load fills half a register. */
const loadDouble =
  (address: Address, msr: bigint, big: boolean): Emit =>
  (kit) => [
    ...kit.needs(msr),
    ...address(kit),
    ...kit.translate(8, false),
    ...setHalf(kit.a, 0, order(i64.load(P, 0), big)),
    ...setHalf(kit.a, 1, i64.const(0n)),
  ];
const storeDouble =
  (address: Address, msr: bigint, big: boolean): Emit =>
  (kit) => [
    ...kit.needs(msr),
    ...address(kit),
    ...kit.translate(8, true),
    ...i64.store(P, order(half(kit.a, 0), big), 0),
  ];

const both = (name: string, make: (big: boolean) => Emit): [string, Emit][] => [
  [name, make(false)],
  [`${name}r`, make(true)],
];

const not = (value: Code): Code => i64.xor(value, i64.const(-1n));
const LOGIC: Readonly<Record<string, (left: Code, right: Code) => Code>> = {
  and: i64.and,
  andc: (l, r) => i64.and(l, not(r)),
  or: i64.or,
  xor: i64.xor,
  nor: (l, r) => not(i64.or(l, r)),
  eqv: (l, r) => not(i64.xor(l, r)),
  nand: (l, r) => not(i64.and(l, r)),
  orc: (l, r) => i64.or(l, not(r)),
};

const logic =
  (msr: bigint, result: (left: Code, right: Code) => Code): Emit =>
  (kit) => [
    ...kit.needs(msr),
    ...setHalf(kit.a, 0, result(half(kit.b, 0), half(kit.c, 0))),
    ...setHalf(kit.a, 1, result(half(kit.b, 1), half(kit.c, 1))),
  ];

/**
 * Vectors of the WebAssembly kind: a register's doublewords stand in order, each with its last byte first, so lanes
 * pair up as they should, and byte i of the register is lane i ^ 7.
 */
const whole = (field: Code): Code => v128.load(field, AT.vsr);
const setWhole = (field: Code, value: Code): Code => v128.store(field, value, AT.vsr);
const LANES = Array.from({ length: 16 }, (_, lane) => lane);
const BYTE_NUMBERS = v128.const(LANES.map((lane) => lane ^ 7));
const splat = (byte: number): Code => v128.const(LANES.map(() => byte));

/** lvsl, lvsr: byte i is the shift plus i, or that many less than 16. */
const shiftControl =
  (right: boolean): Emit =>
  (kit) => {
    const shift = i32.and(i32.wrap(i64.add(kit.B, kit.C)), i32.const(15));
    const first = right ? i32.sub(i32.const(16), shift) : shift;
    return [...kit.needs(MSR_VEC), ...setWhole(kit.a, v128.add8(v128.splat8(first), BYTE_NUMBERS))];
  };

/** Lanes beyond 15 give zero: each half of the 32 bytes fills in what the other leaves. The control is in local v. */
const permute: Emit = (kit) => {
  const control = get(L.v);
  return [
    ...kit.needs(MSR_VEC),
    ...set(L.v, v128.xor(v128.and(whole(i32.wrap(kit.immediate)), splat(31)), splat(7))),
    ...setWhole(
      kit.a,
      v128.or(v128.swizzle(whole(kit.b), control), v128.swizzle(whole(kit.c), v128.sub8(control, splat(16)))),
    ),
  ];
};

/** Lane by lane: extended opcode, and the number of the WebAssembly instruction. */
const LANE_WISE: readonly (readonly [name: string, xo: number, instruction: number])[] = [
  ['vaddubm', 0, 0x6e],
  ['vadduhm', 64, 0x8e],
  ['vadduwm', 128, 0xae],
  ['vaddudm', 192, 0xce],
  ['vsububm', 1024, 0x71],
  ['vsubuhm', 1088, 0x91],
  ['vsubuwm', 1152, 0xb1],
  ['vsubudm', 1216, 0xd1],
  ['vmaxub', 2, 0x79],
  ['vmaxuh', 66, 0x99],
  ['vmaxuw', 130, 0xb9],
  ['vmaxsb', 258, 0x78],
  ['vmaxsh', 322, 0x98],
  ['vmaxsw', 386, 0xb8],
  ['vminub', 514, 0x77],
  ['vminuh', 578, 0x97],
  ['vminuw', 642, 0xb7],
  ['vminsb', 770, 0x76],
  ['vminsh', 834, 0x96],
  ['vminsw', 898, 0xb6],
  ['vavgub', 1026, 0x7b],
  ['vavguh', 1090, 0x9b],
  ['vmuluwm', 137, 0xb5],
];

/** Comparisons: nine or ten bits behind Rc. */
const COMPARISONS: readonly (readonly [name: string, xo: number, instruction: number])[] = [
  ['vcmpequb', 6, 0x23],
  ['vcmpequh', 70, 0x2d],
  ['vcmpequw', 134, 0x37],
  ['vcmpequd', 199, 0xd6],
  ['vcmpneb', 7, 0x24],
  ['vcmpneh', 71, 0x2e],
  ['vcmpnew', 135, 0x38],
  ['vcmpgtub', 518, 0x28],
  ['vcmpgtuh', 582, 0x32],
  ['vcmpgtuw', 646, 0x3c],
  ['vcmpgtsb', 774, 0x27],
  ['vcmpgtsh', 838, 0x31],
  ['vcmpgtsw', 902, 0x3b],
  ['vcmpgtsd', 967, 0xd9],
];

const laneWise =
  (instruction: number): Emit =>
  (kit) => [...kit.needs(MSR_VEC), ...setWhole(kit.a, simd(instruction, whole(kit.b), whole(kit.c)))];

/** CR6 says whether all lanes hold, or none. */
const compares =
  (instruction: number, records: boolean): Emit =>
  (kit) => {
    const code = [
      ...kit.needs(MSR_VEC),
      ...set(L.v, simd(instruction, whole(kit.b), whole(kit.c))),
      ...setWhole(kit.a, get(L.v)),
    ];
    if (!records) return code;
    const some = select(v128.anyTrue(get(L.v)), i32.const(0), i32.const(2));
    const field = select(v128.allTrue8(get(L.v)), i32.const(8), some);
    return [...code, ...kit.setByte(AT.cr + 6, field)];
  };

export const VECTOR_OPERATIONS: Operations = Object.fromEntries<Emit>([
  ...both('lvx', (big) => loadWhole(alignedIndexed, MSR_VEC, big)),
  ...both('stvx', (big) => storeWhole(alignedIndexed, MSR_VEC, big)),
  ...both('lxv', (big) => loadWhole(displaced, MSR_VSX, big)),
  ...both('stxv', (big) => storeWhole(displaced, MSR_VSX, big)),
  ...both('lxvx', (big) => loadWhole(indexed, MSR_VSX, big)),
  ...both('stxvx', (big) => storeWhole(indexed, MSR_VSX, big)),
  ...both('lxvd2x', (big) => loadPair(MSR_VSX, big)),
  ...both('stxvd2x', (big) => storePair(MSR_VSX, big)),
  ...both('lfd', (big) => loadDouble(displaced, MSR_FP, big)),
  ...both('stfd', (big) => storeDouble(displaced, MSR_FP, big)),
  ...both('lfdx', (big) => loadDouble(indexed, MSR_FP, big)),
  ...both('stfdx', (big) => storeDouble(indexed, MSR_FP, big)),
  ...both('lxsdx', (big) => loadDouble(indexed, MSR_VSX, big)),
  ...both('stxsdx', (big) => storeDouble(indexed, MSR_VSX, big)),
  ...Object.entries(LOGIC).flatMap(([name, result]): [string, Emit][] => [
    [`v${name}`, logic(MSR_VEC, result)],
    [`xxl${name}`, logic(MSR_VSX, result)],
  ]),
  ['lvsl', shiftControl(false)],
  ['lvsr', shiftControl(true)],
  ['vperm', permute],
  ...LANE_WISE.map(([name, , instruction]): [string, Emit] => [name, laneWise(instruction)]),
  ...COMPARISONS.flatMap(([name, , instruction]): [string, Emit][] => [
    [name, compares(instruction, false)],
    [`${name}.`, compares(instruction, true)],
  ]),
  ...(['', 'v'] as const).flatMap((kind): [string, Emit][] => [
    [`mfvsrd${kind}`, (kit) => [...kit.needs(kind === '' ? MSR_FP : MSR_VEC), ...kit.setA(half(kit.b, 0))]],
    [
      `mtvsrd${kind}`,
      (kit) => [
        ...kit.needs(kind === '' ? MSR_FP : MSR_VEC),
        // The other half is undefined; QEMU 7.2 leaves it.
        ...setHalf(kit.a, 0, kit.B),
      ],
    ],
  ]),
]);

/** What an instruction without its facility does. */
const unavailable =
  (msr: bigint) =>
  (core: Core): void => {
    core.available(msr === MSR_FP ? 'float' : msr === MSR_VEC ? 'vector' : 'vsx');
  };

const placed = (
  name: string,
  encoding: { mask: number; match: number },
  msr: bigint,
  vector: (word: number) => number,
  access: Omit<Access, 'vector'>,
): Instruction => ({
  name,
  ...encoding,
  access: { ...access, vector },
  lower: (word, place) => ({
    op: place.little ? name : `${name}r`,
    a: vsr(vector(word)),
    b: baseRegister(word),
    c: register(rb(word)),
    immediate: si(word) & ~BigInt(access.displacementMask ?? 0),
  }),
  assist: unavailable(msr),
});

const x31 = (xo: number): { mask: number; match: number } => extended(31, xo, 10);
const vrt = (word: number): number => 32 + rt(word);
/** lxv and stxv keep the sixth bit beside the displacement. */
const dqTarget = (word: number): number => rt(word) | ((word & 8) << 2);

const LOGIC_ROWS: readonly (readonly [name: string, vx: number, xx: number])[] = [
  ['and', 1028, 130],
  ['andc', 1092, 138],
  ['or', 1156, 146],
  ['xor', 1220, 154],
  ['nor', 1284, 162],
  ['orc', 1348, 170],
  ['nand', 1412, 178],
  ['eqv', 1668, 186],
];

const RECORDS = 0x400;

/** Moves between register files want floating point for the lower 32 VSRs and vectors for the others. */
const movesChecked = (word: number, name: string): string => ((word & 1) === 0 ? name : `${name}v`);
const movesUnavailable = (core: Core, word: number): void => {
  core.available((word & 1) === 0 ? 'float' : 'vector');
};

export const VECTOR_INSTRUCTIONS: readonly Instruction[] = [
  placed('lvx', x31(103), MSR_VEC, vrt, {
    bytes: 16,
    store: false,
    layout: 'whole',
    indexed: true,
    aligned: true,
  }),
  placed('lvx', x31(359), MSR_VEC, vrt, {
    bytes: 16,
    store: false,
    layout: 'whole',
    indexed: true,
    aligned: true,
  }),
  placed('stvx', x31(231), MSR_VEC, vrt, {
    bytes: 16,
    store: true,
    layout: 'whole',
    indexed: true,
    aligned: true,
  }),
  placed('stvx', x31(487), MSR_VEC, vrt, {
    bytes: 16,
    store: true,
    layout: 'whole',
    indexed: true,
    aligned: true,
  }),
  placed('lxv', extended(61, 1, 3, 0), MSR_VSX, dqTarget, {
    bytes: 16,
    store: false,
    layout: 'whole',
    displacementMask: 15,
  }),
  placed('stxv', extended(61, 5, 3, 0), MSR_VSX, dqTarget, {
    bytes: 16,
    store: true,
    layout: 'whole',
    displacementMask: 15,
  }),
  placed('lxvx', x31(268), MSR_VSX, xt, { bytes: 16, store: false, layout: 'whole', indexed: true }),
  placed('stxvx', x31(396), MSR_VSX, xt, { bytes: 16, store: true, layout: 'whole', indexed: true }),
  placed('lxvd2x', x31(844), MSR_VSX, xt, { bytes: 16, store: false, layout: 'pair', indexed: true }),
  placed('stxvd2x', x31(972), MSR_VSX, xt, { bytes: 16, store: true, layout: 'pair', indexed: true }),
  placed('lfd', dForm(50), MSR_FP, rt, { bytes: 8, store: false, layout: 'double' }),
  placed('stfd', dForm(54), MSR_FP, rt, { bytes: 8, store: true, layout: 'double' }),
  placed('lfdx', x31(599), MSR_FP, rt, { bytes: 8, store: false, layout: 'double', indexed: true }),
  placed('stfdx', x31(727), MSR_FP, rt, { bytes: 8, store: true, layout: 'double', indexed: true }),
  placed('lxsdx', x31(588), MSR_VSX, xt, { bytes: 8, store: false, layout: 'double', indexed: true }),
  placed('stxsdx', x31(716), MSR_VSX, xt, { bytes: 8, store: true, layout: 'double', indexed: true }),
  ...LOGIC_ROWS.flatMap(([name, vx, xx]): Instruction[] => [
    {
      name: `v${name}`,
      ...extended(4, vx, 11, 0),
      lower: (word) => ({ op: `v${name}`, a: vr(rt(word)), b: vr(ra(word)), c: vr(rb(word)) }),
      assist: unavailable(MSR_VEC),
    },
    {
      name: `xxl${name}`,
      ...extended(60, xx, 8, 3),
      lower: (word) => ({ op: `xxl${name}`, a: vsr(xt(word)), b: vsr(xa(word)), c: vsr(xb(word)) }),
      assist: unavailable(MSR_VSX),
    },
  ]),
  ...(['lvsl', 'lvsr'] as const).map((name): Instruction => ({
    name,
    ...x31(name === 'lvsl' ? 6 : 38),
    lower: (word) => ({
      op: name,
      a: vr(rt(word)),
      b: baseRegister(word),
      c: register(rb(word)),
    }),
    assist: unavailable(MSR_VEC),
  })),
  {
    name: 'vperm',
    ...extended(4, 43, 6, 0),
    lower: (word) => ({
      op: 'vperm',
      a: vr(rt(word)),
      b: vr(ra(word)),
      c: vr(rb(word)),
      immediate: BigInt(vr((word >>> 6) & 31)),
    }),
    assist: unavailable(MSR_VEC),
  },
  ...LANE_WISE.map(([name, xo]): Instruction => ({
    name,
    ...extended(4, xo, 11, 0),
    lower: (word) => ({ op: name, a: vr(rt(word)), b: vr(ra(word)), c: vr(rb(word)) }),
    assist: unavailable(MSR_VEC),
  })),
  ...COMPARISONS.map(([name, xo]): Instruction => ({
    name,
    ...extended(4, xo, 10, 0),
    lower: (word) => ({
      op: (word & RECORDS) === 0 ? name : `${name}.`,
      a: vr(rt(word)),
      b: vr(ra(word)),
      c: vr(rb(word)),
    }),
    assist: unavailable(MSR_VEC),
  })),
  {
    name: 'mfvsrd',
    ...x31(51),
    lower: (word) => ({ op: movesChecked(word, 'mfvsrd'), a: register(ra(word)), b: vsr(xt(word)) }),
    assist: movesUnavailable,
  },
  {
    name: 'mtvsrd',
    ...x31(179),
    lower: (word) => ({ op: movesChecked(word, 'mtvsrd'), a: vsr(xt(word)), b: register(ra(word)) }),
    assist: movesUnavailable,
  },
  ...ASSISTED_VECTORS,
];
