import { AT } from '../layout.ts';
import { L, type Emit, type Kit } from '../kit.ts';
import { get, i32, i64, select, set, type Code } from '../wasm.ts';
import {
  baseRegister,
  dForm,
  extended,
  ra,
  rb,
  register,
  rt,
  si,
  type Instruction,
  type Micro,
  type Operations,
  type Place,
} from './row.ts';

// Branches and condition registers: Power ISA 3.0B, book I 2.4 and 2.5; mfcr and mtcrf 3.3.17, isel 3.3.12.

const TAR = 815;
const TAR_AT: number = AT.spr + 8 * TAR;
const LINK = 1;
const ABSOLUTE = 2;
const PAGE_BYTES = 4096;

/** Within the page the target is a distance between decoded instructions. */
const near = (kit: Kit): Code => [...set(L.at, i32.add(get(L.at), i32.wrap(kit.immediate))), ...kit.again()];
const far = (kit: Kit): Code => kit.jump(i64.add(kit.pc, kit.immediate));
const absolute = (kit: Kit): Code => kit.jump(kit.immediate);
const toRegister =
  (at: number) =>
  (kit: Kit): Code =>
    kit.jump(i64.and(kit.doubleword(at), i64.const(-4n)));

const link = (kit: Kit): Code => kit.setDoubleword(AT.lr, kit.nextPc);

/** Operand a is the CR field, b the bit in it. */
const crBit = (kit: Kit): Code => i32.and(i32.load8(kit.a, AT.cr), kit.b);

const always: Emit = () => [];
const whenSet =
  (go: Emit): Emit =>
  (kit) => [...kit.when(crBit(kit), () => go(kit)), ...kit.next()];
const whenClear =
  (go: Emit): Emit =>
  (kit) => [...kit.when(i32.eqz(crBit(kit)), () => go(kit)), ...kit.next()];
const countDown = (kit: Kit): Code => [
  ...set(L.x, i64.sub(kit.doubleword(AT.ctr), i64.const(1n))),
  ...kit.setDoubleword(AT.ctr, get(L.x)),
];
const whenCount =
  (zero: boolean, go: Emit): Emit =>
  (kit) => [
    ...countDown(kit),
    ...kit.when(zero ? i64.eqz(get(L.x)) : i32.eqz(i64.eqz(get(L.x))), () => go(kit)),
    ...kit.next(),
  ];

/** Any BO: it stands in operand c, with the link bit above it. Where to go is in local y. */
const NO_CONDITION = 16;
const CONDITION_SENSE = 8;
const NO_COUNT = 4;
const COUNT_SENSE = 2;
const LINKS = 32;

function conditional(target: (kit: Kit) => Code): Emit {
  return (kit) => {
    const bo = (bit: number): Code => i32.and(kit.c, i32.const(bit));
    const isSet = (bit: number): Code => i32.ne(bo(bit), i32.const(0));
    const counted = i32.eq(i64.eqz(get(L.x)), isSet(COUNT_SENSE));
    const condition = i32.eq(i32.ne(crBit(kit), i32.const(0)), isSet(CONDITION_SENSE));
    return [
      // The link register may be the target: read it first.
      ...set(L.z, target(kit)),
      ...set(L.q, i32.const(1)),
      ...kit.when(i32.eqz(bo(NO_COUNT)), () => [...countDown(kit), ...set(L.q, counted)]),
      ...kit.when(i32.eqz(bo(NO_CONDITION)), () => set(L.q, i32.and(get(L.q), condition))),
      ...kit.when(bo(LINKS), () => link(kit)),
      ...kit.when(get(L.q), () => kit.jump(get(L.z))),
      ...kit.next(),
    ];
  };
}

const registerTarget =
  (at: number) =>
  (kit: Kit): Code =>
    i64.and(kit.doubleword(at), i64.const(-4n));

const linked =
  (go: Emit): Emit =>
  (kit) => [...link(kit), ...go(kit)];
/** blrl: the old link register is the target. */
const linkedThrough =
  (at: number): Emit =>
  (kit) => [...set(L.z, registerTarget(at)(kit)), ...link(kit), ...kit.jump(get(L.z))];

/** Operands: the target bit's field and bit in a and b packed by decode; see `crOperands`. */
const crLogic =
  (result: (left: Code, right: Code) => Code): Emit =>
  (kit) => {
    const bit = (shift: number): Code => {
      const number = i32.and(i32.shrU(i32.wrap(kit.immediate), i32.const(shift)), i32.const(31));
      const field = i32.load8(i32.shrU(number, i32.const(2)), AT.cr);
      return i32.and(i32.shrU(field, i32.sub(i32.const(3), i32.and(number, i32.const(3)))), i32.const(1));
    };
    const field = i32.load8(kit.a, AT.cr);
    const cleared = i32.and(field, i32.xor(kit.b, i32.const(-1)));
    const value = i32.and(result(bit(0), bit(5)), i32.const(1));
    return i32.store8(kit.a, i32.or(cleared, select(value, kit.b, i32.const(0))), AT.cr);
  };

const invert = (value: Code): Code => i32.xor(value, i32.const(1));

const CR_LOGIC: readonly (readonly [name: string, xo: number, result: (l: Code, r: Code) => Code])[] = [
  ['crand', 257, i32.and],
  ['cror', 449, i32.or],
  ['crxor', 193, i32.xor],
  ['crnand', 225, (l, r) => invert(i32.and(l, r))],
  ['crnor', 33, (l, r) => invert(i32.or(l, r))],
  ['creqv', 289, (l, r) => invert(i32.xor(l, r))],
  ['crandc', 129, (l, r) => i32.and(l, invert(r))],
  ['crorc', 417, (l, r) => i32.or(l, invert(r))],
];

const FIELDS = [0, 1, 2, 3, 4, 5, 6, 7];

function wholeCr(): Code {
  let value: Code = i64.load8(i32.const(0), AT.cr);
  for (const field of FIELDS.slice(1)) {
    value = i64.or(i64.shl(value, i64.const(4n)), i64.load8(i32.const(0), AT.cr + field));
  }
  return value;
}

const fieldOf = (field: number): Code =>
  i64.store8(
    i32.const(0),
    i64.and(i64.shrU(get(L.x), i64.const(BigInt(28 - 4 * field))), i64.const(15n)),
    AT.cr + field,
  );

export const BRANCH_OPERATIONS: Operations = {
  b: near,
  bl: linked(near),
  bfar: far,
  blfar: linked(far),
  ba: absolute,
  bla: linked(absolute),
  bt: whenSet(near),
  bf: whenClear(near),
  btfar: whenSet(far),
  bffar: whenClear(far),
  bdnz: whenCount(false, near),
  bdz: whenCount(true, near),
  bc: conditional((kit) => i64.add(kit.pc, kit.immediate)),
  bca: conditional((kit) => kit.immediate),
  blr: toRegister(AT.lr),
  btlr: whenSet(toRegister(AT.lr)),
  bflr: whenClear(toRegister(AT.lr)),
  blrl: linkedThrough(AT.lr),
  bclr: conditional(registerTarget(AT.lr)),
  bctr: toRegister(AT.ctr),
  bctrl: linkedThrough(AT.ctr),
  bcctr: conditional(registerTarget(AT.ctr)),
  bctar: conditional(registerTarget(TAR_AT)),
  nop: always,
  ...Object.fromEntries(CR_LOGIC.map(([name, , result]) => [name, crLogic(result)])),
  mcrf: (kit) => i32.store8(kit.a, i32.load8(kit.b, AT.cr), AT.cr),
  mfcr: (kit) => kit.setA(wholeCr()),
  mfocrf: (kit) => kit.setA(i64.fromU(i32.shl(i32.load8(kit.b, AT.cr), kit.c))),
  /** Operand c is the mask, field 0 its highest bit. */
  mtcrf: (kit) => [
    ...set(L.x, kit.B),
    ...FIELDS.flatMap((field) => kit.when(i32.and(kit.c, i32.const(0x80 >> field)), () => fieldOf(field))),
  ],
  mcrxrx: (kit) => {
    const shifted = (at: number, shift: number): Code => i32.shl(kit.byte(at), i32.const(shift));
    const bits = i32.or(
      i32.or(shifted(AT.ov, 3), shifted(AT.ov32, 2)),
      i32.or(shifted(AT.ca, 1), kit.byte(AT.ca32)),
    );
    return i32.store8(kit.a, bits, AT.cr);
  },
  setb: (kit) => {
    const field = i32.load8(kit.b, AT.cr);
    const has = (bit: number): Code => i32.and(field, i32.const(bit));
    const positive = select(has(4), i64.const(1n), i64.const(0n));
    return kit.setA(select(has(8), i64.const(-1n), positive));
  },
  /** The condition's field and bit are in the doubleword. */
  isel: (kit) => {
    const field = i32.load8(i32.wrap(i64.shrU(kit.immediate, i64.const(8n))), AT.cr);
    const bit = i32.and(field, i32.and(i32.wrap(kit.immediate), i32.const(15)));
    return kit.setA(select(bit, kit.B, kit.C));
  },
};

/** Branches never fall through to the next operation by themselves. */
export const JUMPING: ReadonlySet<string> = new Set([
  'b',
  'bl',
  'bfar',
  'blfar',
  'ba',
  'bla',
  'bt',
  'bf',
  'btfar',
  'bffar',
  'bdnz',
  'bdz',
  'bc',
  'bca',
  'blr',
  'btlr',
  'bflr',
  'blrl',
  'bclr',
  'bctr',
  'bctrl',
  'bcctr',
  'bctar',
]);

function crOperands(bit: number): { a: number; b: number } {
  return { a: bit >> 2, b: 8 >> (bit & 3) };
}

function inPage(place: Place, displacement: number): boolean {
  const target = place.offset + displacement;
  return target >= 0 && target < PAGE_BYTES;
}

/** Four times the distance: decoded instructions have 16 bytes. */
const distance = (displacement: number): bigint => BigInt(4 * displacement);

function unconditional(word: number, place: Place): Micro {
  const displacement = ((word << 6) >> 6) & ~3;
  const name = (word & LINK) === 0 ? 'b' : 'bl';
  if ((word & ABSOLUTE) !== 0) return { op: `${name}a`, immediate: BigInt(displacement) };
  if (!inPage(place, displacement)) return { op: `${name}far`, immediate: BigInt(displacement) };
  return { op: name, immediate: distance(displacement) };
}

/** BO without hint bits: which simple form it is, if it is one. */
function simpleForm(bo: number): 't' | 'f' | 'dnz' | 'dz' | 'always' | 'other' {
  if ((bo & (NO_CONDITION | NO_COUNT)) === (NO_CONDITION | NO_COUNT)) return 'always';
  if ((bo & NO_CONDITION) !== 0) return (bo & COUNT_SENSE) === 0 ? 'dnz' : 'dz';
  if ((bo & NO_COUNT) !== 0) return (bo & CONDITION_SENSE) === 0 ? 'f' : 't';
  return 'other';
}

function conditionalBranch(word: number, place: Place): Micro {
  const displacement = Number(si(word)) & ~3;
  const operands = crOperands(ra(word));
  const form = simpleForm(rt(word));
  if ((word & (LINK | ABSOLUTE)) === 0 && form !== 'other') {
    const close = inPage(place, displacement);
    if (form === 'always') {
      return close
        ? { op: 'b', immediate: distance(displacement) }
        : { op: 'bfar', immediate: BigInt(displacement) };
    }
    if (close) return { op: `b${form}`, ...operands, immediate: distance(displacement) };
    if (form === 't' || form === 'f') {
      return { op: `b${form}far`, ...operands, immediate: BigInt(displacement) };
    }
  }
  return {
    op: (word & ABSOLUTE) === 0 ? 'bc' : 'bca',
    ...operands,
    c: rt(word) | ((word & LINK) === 0 ? 0 : LINKS),
    immediate: BigInt(displacement),
  };
}

const registerBranch = (name: 'lr' | 'ctr' | 'tar', word: number): Micro => {
  const operands = crOperands(ra(word));
  const form = simpleForm(rt(word));
  const links = (word & LINK) !== 0;
  if (form === 'always' && name !== 'tar') return { op: `b${name}${links ? 'l' : ''}` };
  if (name === 'lr' && !links && (form === 't' || form === 'f')) return { op: `b${form}lr`, ...operands };
  return { op: `bc${name}`, ...operands, c: rt(word) | (links ? LINKS : 0) };
};

/** mfocrf and mtocrf, which QEMU ignores unless the mask has one bit; the other fields of mfocrf's result are 0. */
const ONE_FIELD = 0x10_0000;

function singleField(word: number): number {
  const mask = (word >>> 12) & 0xff;
  return FIELDS.findIndex((field) => mask === 0x80 >> field);
}

export const BRANCH: readonly Instruction[] = [
  { name: 'b', ...dForm(18), lower: unconditional },
  { name: 'bc', ...dForm(16), lower: conditionalBranch },
  { name: 'bclr', ...extended(19, 16, 10), lower: (word) => registerBranch('lr', word) },
  { name: 'bcctr', ...extended(19, 528, 10), lower: (word) => registerBranch('ctr', word) },
  { name: 'bctar', ...extended(19, 560, 10), lower: (word) => registerBranch('tar', word) },
  ...CR_LOGIC.map(([name, xo]): Instruction => ({
    name,
    ...extended(19, xo, 10),
    lower: (word) => ({
      op: name,
      ...crOperands(rt(word)),
      immediate: BigInt(ra(word) | (rb(word) << 5)),
    }),
  })),
  {
    name: 'mcrf',
    ...extended(19, 0, 10),
    lower: (word) => ({ op: 'mcrf', a: rt(word) >> 2, b: ra(word) >> 2 }),
  },
  {
    name: 'mfcr',
    ...extended(31, 19, 10),
    lower: (word) => {
      if ((word & ONE_FIELD) === 0) return { op: 'mfcr', a: register(rt(word)) };
      const field = singleField(word);
      return field < 0 ? { op: 'nop' } : { op: 'mfocrf', a: register(rt(word)), b: field, c: 28 - 4 * field };
    },
  },
  {
    name: 'mtcrf',
    ...extended(31, 144, 10),
    lower: (word) =>
      (word & ONE_FIELD) !== 0 && singleField(word) < 0
        ? { op: 'nop' }
        : { op: 'mtcrf', b: register(rt(word)), c: (word >>> 12) & 0xff },
  },
  {
    name: 'mcrxrx',
    ...extended(31, 576, 10),
    lower: (word) => ({ op: 'mcrxrx', a: rt(word) >> 2 }),
  },
  {
    name: 'setb',
    ...extended(31, 128, 10),
    lower: (word) => ({ op: 'setb', a: register(rt(word)), b: ra(word) >> 2 }),
  },
  {
    name: 'isel',
    ...extended(31, 15, 5),
    lower: (word) => {
      const bit = (word >>> 6) & 31;
      return {
        op: 'isel',
        a: register(rt(word)),
        b: baseRegister(word),
        c: register(rb(word)),
        immediate: BigInt(((bit >> 2) << 8) | (8 >> (bit & 3))),
      };
    },
  },
];
