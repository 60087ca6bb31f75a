import { AT, WHY } from '../layout.ts';
import { L, type Emit, type Kit } from '../kit.ts';
import { fill, get, i32, i64, ifThen, set, type Code } from '../wasm.ts';
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

// Loads, stores, reservations and cache management: Power ISA 3.0B, book I 3.3.2 to 3.3.6, book II 4.

const P = get(L.p);
const ea = get(L.ea);

const low = (value: Code): Code => i32.wrap(value);
const swap16 = (value: Code): Code => [
  ...set(L.q, low(value)),
  ...i64.fromU(
    i32.or(
      i32.shl(i32.and(get(L.q), i32.const(0xff)), i32.const(8)),
      i32.and(i32.shrU(get(L.q), i32.const(8)), i32.const(0xff)),
    ),
  ),
];
const swapped32 = (value: Code): Code => [
  ...set(L.q, value),
  ...i32.or(
    i32.and(i32.rotl(get(L.q), i32.const(8)), i32.const(0x00ff_00ff)),
    i32.and(i32.rotl(get(L.q), i32.const(24)), i32.const(0xff00_ff00)),
  ),
];
const swap32 = (value: Code): Code => i64.fromU(swapped32(low(value)));
/** A doubleword with its bytes the other way round. */
export function bytesReversed(value: Code): Code {
  return [
    ...set(L.x, value),
    ...i64.or(i64.shl(swap32(get(L.x)), i64.const(32n)), swap32(i64.shrU(get(L.x), i64.const(32n)))),
  ];
}

type Swap = (value: Code) => Code;
const SWAPS: Readonly<Record<number, Swap>> = {
  1: (value) => value,
  2: swap16,
  4: swap32,
  8: bytesReversed,
};

function loaded(bytes: number, signed: boolean, reversed: boolean): Code {
  const plain: Readonly<Record<number, Code>> = {
    1: i64.load8(P, 0),
    2: i64.load16(P, 0),
    4: i64.load32(P, 0),
    8: i64.load(P, 0),
  };
  const value = plain[bytes] ?? [];
  const ordered = reversed ? (SWAPS[bytes] as Swap)(value) : value;
  if (!signed) return ordered;
  return bytes === 2 ? i64.extend16(ordered) : i64.extend32(ordered);
}

function stored(bytes: number, value: Code, reversed: boolean): Code {
  const ordered = reversed ? (SWAPS[bytes] as Swap)(value) : value;
  if (bytes === 1) return i64.store8(P, ordered, 0);
  if (bytes === 2) return i64.store16(P, ordered, 0);
  return bytes === 4 ? i64.store32(P, ordered, 0) : i64.store(P, ordered, 0);
}

/** What a data access is made of, once byte order and form are known. */
interface Shape {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly store: boolean;
  readonly signed: boolean;
  readonly update: boolean;
  readonly indexed: boolean;
  /** Big-endian in memory. */
  readonly reversed: boolean;
}

function shapeName(shape: Shape): string {
  return [
    shape.store ? 'store' : 'load',
    shape.bytes,
    shape.signed ? 's' : '',
    shape.update ? 'u' : '',
    shape.indexed ? 'x' : '',
    shape.reversed ? 'r' : '',
  ].join('');
}

const addressOf = (kit: Kit, indexed: boolean): Code =>
  set(L.ea, i64.add(kit.B, indexed ? kit.C : kit.immediate));

function accessOperation(shape: Shape): Emit {
  return (kit) => {
    const code = [...addressOf(kit, shape.indexed), ...kit.translate(shape.bytes, shape.store)];
    if (shape.store) code.push(...stored(shape.bytes, kit.A, shape.reversed));
    else code.push(...kit.setA(loaded(shape.bytes, shape.signed, shape.reversed)));
    if (shape.update) code.push(...kit.setB(ea));
    return code;
  };
}

const SHAPES: readonly Shape[] = [false, true].flatMap((store) =>
  ([1, 2, 4, 8] as const).flatMap((bytes) =>
    [false, true].flatMap((signed) =>
      [false, true].flatMap((update) =>
        [false, true].flatMap((indexed) =>
          [false, true]
            .map((reversed): Shape => ({ bytes, store, signed, update, indexed, reversed }))
            .filter(
              (shape) =>
                !(shape.signed && (store || bytes === 1 || bytes === 8)) && !(shape.reversed && bytes === 1),
            ),
        ),
      ),
    ),
  ),
);

function micro(access: Access): Instruction['lower'] {
  return (word, place) => {
    // With update rA is the base, and a loaded register would be overwritten: QEMU finds these forms illegal.
    if (access.update === true && (ra(word) === 0 || (!access.store && ra(word) === rt(word))))
      return undefined;
    const name = shapeName({
      bytes: access.bytes as 1 | 2 | 4 | 8,
      store: access.store,
      signed: access.signed === true,
      update: access.update === true,
      indexed: access.indexed === true,
      reversed: access.bytes > 1 && place.little === (access.reversed === true),
    });
    return {
      op: name,
      a: register(rt(word)),
      b: baseRegister(word),
      c: register(rb(word)),
      immediate: si(word) & ~BigInt(access.displacementMask ?? 0),
    };
  };
}

const data = (name: string, encoding: { mask: number; match: number }, access: Access): Instruction => ({
  name,
  ...encoding,
  access,
  lower: micro(access) as NonNullable<Instruction['lower']>,
});

const load = (bytes: 1 | 2 | 4 | 8, more: Partial<Access> = {}): Access => ({
  bytes,
  store: false,
  ...more,
});
const store = (bytes: 1 | 2 | 4 | 8, more: Partial<Access> = {}): Access => ({
  bytes,
  store: true,
  ...more,
});
const U = { update: true };
const X = { indexed: true };
const S = { signed: true };
const DS = { displacementMask: 3 };
const R = { reversed: true, indexed: true };
const x31 = (xo: number): { mask: number; match: number } => extended(31, xo, 10);
const ds = (opcode: number, xo: number): { mask: number; match: number } => extended(opcode, xo, 2, 0);

const PLAIN: readonly Instruction[] = [
  data('lbz', dForm(34), load(1)),
  data('lbzu', dForm(35), load(1, U)),
  data('lhz', dForm(40), load(2)),
  data('lhzu', dForm(41), load(2, U)),
  data('lha', dForm(42), load(2, S)),
  data('lhau', dForm(43), load(2, { ...S, ...U })),
  data('lwz', dForm(32), load(4)),
  data('lwzu', dForm(33), load(4, U)),
  data('lwa', ds(58, 2), load(4, { ...S, ...DS })),
  data('ld', ds(58, 0), load(8, DS)),
  data('ldu', ds(58, 1), load(8, { ...U, ...DS })),
  data('stb', dForm(38), store(1)),
  data('stbu', dForm(39), store(1, U)),
  data('sth', dForm(44), store(2)),
  data('sthu', dForm(45), store(2, U)),
  data('stw', dForm(36), store(4)),
  data('stwu', dForm(37), store(4, U)),
  data('std', ds(62, 0), store(8, DS)),
  data('stdu', ds(62, 1), store(8, { ...U, ...DS })),
  data('lbzx', x31(87), load(1, X)),
  data('lbzux', x31(119), load(1, { ...X, ...U })),
  data('lhzx', x31(279), load(2, X)),
  data('lhzux', x31(311), load(2, { ...X, ...U })),
  data('lhax', x31(343), load(2, { ...X, ...S })),
  data('lhaux', x31(375), load(2, { ...X, ...S, ...U })),
  data('lwzx', x31(23), load(4, X)),
  data('lwzux', x31(55), load(4, { ...X, ...U })),
  data('lwax', x31(341), load(4, { ...X, ...S })),
  data('lwaux', x31(373), load(4, { ...X, ...S, ...U })),
  data('ldx', x31(21), load(8, X)),
  data('ldux', x31(53), load(8, { ...X, ...U })),
  data('stbx', x31(215), store(1, X)),
  data('stbux', x31(247), store(1, { ...X, ...U })),
  data('sthx', x31(407), store(2, X)),
  data('sthux', x31(439), store(2, { ...X, ...U })),
  data('stwx', x31(151), store(4, X)),
  data('stwux', x31(183), store(4, { ...X, ...U })),
  data('stdx', x31(149), store(8, X)),
  data('stdux', x31(181), store(8, { ...X, ...U })),
  data('lhbrx', x31(790), load(2, R)),
  data('lwbrx', x31(534), load(4, R)),
  data('ldbrx', x31(532), load(8, R)),
  data('sthbrx', x31(918), store(2, R)),
  data('stwbrx', x31(662), store(4, R)),
  data('stdbrx', x31(660), store(8, R)),
];

/** A misaligned reservation is an alignment interrupt: the processor raises it. */
const aligned = (kit: Kit, bytes: number): Code =>
  bytes === 1
    ? []
    : kit.when(i32.and(low(ea), i32.const(bytes - 1)), () => [
        ...kit.setDoubleword(AT.faultAddress, ea),
        ...kit.leave(WHY.assist),
      ]);

const larx =
  (bytes: 1 | 2 | 4 | 8, reversed: boolean): Emit =>
  (kit) => [
    ...addressOf(kit, true),
    ...aligned(kit, bytes),
    ...kit.translate(bytes, false),
    ...kit.setA(loaded(bytes, false, reversed)),
    ...kit.setDoubleword(AT.reservation, ea),
    ...kit.setDoubleword(AT.reservedValue, kit.A),
  ];

/** As QEMU's TCG: the same effective address, and memory still holds what was loaded (translate.c 7.2). */
const stcx =
  (bytes: 1 | 2 | 4 | 8, reversed: boolean): Emit =>
  (kit) => {
    const same = i64.eq(kit.doubleword(AT.reservation), ea);
    const unchanged = i64.eq(loaded(bytes, false, reversed), kit.doubleword(AT.reservedValue));
    return [
      ...addressOf(kit, true),
      ...aligned(kit, bytes),
      ...kit.translate(bytes, true),
      ...set(L.s, i32.const(0)),
      ...kit.when(same, () =>
        ifThen(unchanged, [...stored(bytes, kit.A, reversed), ...set(L.s, i32.const(2))]),
      ),
      ...kit.setByte(AT.cr, i32.or(get(L.s), kit.byte(AT.so))),
      ...kit.setDoubleword(AT.reservation, i64.const(-1n)),
    ];
  };

const SIZES = [
  { bytes: 1, letter: 'b', larx: 52, stcx: 694 },
  { bytes: 2, letter: 'h', larx: 116, stcx: 726 },
  { bytes: 4, letter: 'w', larx: 20, stcx: 150 },
  { bytes: 8, letter: 'd', larx: 84, stcx: 214 },
] as const;

const ordered = (name: string, little: boolean): string => (little ? name : `${name}r`);

const RESERVATIONS: readonly Instruction[] = SIZES.flatMap(({ bytes, letter, larx: loadXo, stcx: storeXo }) =>
  [
    { name: `l${letter}arx`, xo: loadXo, store: false },
    { name: `st${letter}cx.`, xo: storeXo, store: true },
  ].map((row): Instruction => ({
    name: row.name,
    ...x31(row.xo),
    access: { bytes, store: row.store, indexed: true, reserve: true },
    lower: (word, place) => ({
      op: ordered(row.name, place.little || bytes === 1),
      a: register(rt(word)),
      b: baseRegister(word),
      c: register(rb(word)),
    }),
    assist: (core) => core.alignmentInterrupt(),
  })),
);

const BLOCK_BYTES = 128;

/** Instructions that order or hint, and change nothing that one processor can see. */
const HINTS: readonly (readonly [name: string, xo: number])[] = [
  ['sync', 598],
  ['eieio', 854],
  ['dcbst', 54],
  ['dcbf', 86],
  ['dcbt', 278],
  ['dcbtst', 246],
  ['icbi', 982],
  ['icbt', 22],
  ['dss', 822],
  ['dst', 342],
  ['dstst', 374],
  ['cp_abort', 838],
  ['tlbsync', 566],
  ['wait', 30],
  ['slbsync', 338],
];

export const STORAGE_OPERATIONS: Operations = {
  ...Object.fromEntries(SHAPES.map((shape) => [shapeName(shape), accessOperation(shape)])),
  ...Object.fromEntries(
    SIZES.flatMap(({ bytes, letter }) =>
      (bytes === 1 ? [false] : [false, true]).flatMap((reversed): [string, Emit][] => [
        [ordered(`l${letter}arx`, !reversed), larx(bytes, reversed)],
        [ordered(`st${letter}cx.`, !reversed), stcx(bytes, reversed)],
      ]),
    ),
  ),
  dcbz: (kit) => [
    ...set(L.ea, i64.and(i64.add(kit.B, kit.C), i64.const(BigInt(-BLOCK_BYTES)))),
    ...kit.translate(BLOCK_BYTES, true),
    ...fill(P, i32.const(0), i32.const(BLOCK_BYTES)),
  ],
};

export const STORAGE: readonly Instruction[] = [
  ...PLAIN,
  ...RESERVATIONS,
  {
    name: 'dcbz',
    ...x31(1014),
    access: { bytes: BLOCK_BYTES, store: true, indexed: true, aligned: true, layout: 'zeros' },
    lower: (word) => ({ op: 'dcbz', b: baseRegister(word), c: register(rb(word)) }),
  },
  ...HINTS.map(([name, xo]): Instruction => ({ name, ...x31(xo), lower: () => ({ op: 'nop' }) })),
  { name: 'isync', ...extended(19, 150, 10), lower: () => ({ op: 'nop' }) },
];
