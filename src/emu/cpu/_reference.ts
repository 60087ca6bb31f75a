import { instructionOf } from './decoder.ts';

/**
 * The same instructions again, slowly: one function a name, in whole numbers, with no operation of the interpreter's.
 * Only encodings are shared. Real mode, a flat memory, no interrupts: what must be equal on programs without them.
 */
export class Reference {
  readonly gpr: bigint[] = Array.from({ length: 32 }, () => 0n);
  readonly cr: number[] = Array.from({ length: 8 }, () => 0);
  lr = 0n;
  ctr = 0n;
  so = false;
  ov = false;
  ca = false;
  ov32 = false;
  ca32 = false;
  pc = 0n;
  reservation: { address: bigint; value: bigint } | undefined;
  readonly memory: DataView;
  readonly little: boolean;

  constructor(memory: DataView, little: boolean) {
    this.memory = memory;
    this.little = little;
  }

  /** Runs the instruction at the program counter; false if it is not one that is known here. */
  step(): boolean {
    const word = this.memory.getUint32(Number(this.pc), this.little);
    const name = instructionOf(word)?.name ?? '';
    const run = MEANING.get(name);
    if (run === undefined) return false;
    const here = this.pc;
    this.pc = u64(here + 4n);
    try {
      run(this, new Fields(word, here));
      return true;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.pc = here;
      return false;
    }
  }

  bit(number: number): boolean {
    return (((this.cr[number >> 2] ?? 0) >> (3 - (number & 3))) & 1) === 1;
  }

  setBit(number: number, value: boolean): void {
    const place = 1 << (3 - (number & 3));
    const field = this.cr[number >> 2] ?? 0;
    this.cr[number >> 2] = value ? field | place : field & ~place;
  }

  order(field: number, left: bigint, right: bigint): void {
    const relation = left < right ? 8 : left > right ? 4 : 2;
    this.cr[field] = relation + (this.so ? 1 : 0);
  }

  /** Sets a register, and CR0 where Rc says so. */
  give(register: number, value: bigint, fields: Fields): void {
    this.gpr[register] = u64(value);
    if (fields.rc) this.order(0, s64(value), 0n);
  }

  overflow(wide: boolean, low: boolean): void {
    this.ov = wide;
    this.ov32 = low;
    if (wide) this.so = true;
  }

  /** An address that is no number of a byte here ends a program. */
  #check(address: bigint, bytes: number): void {
    if (address + BigInt(bytes) > BigInt(this.memory.byteLength)) throw new RangeError('outside memory');
  }

  load(address: bigint, bytes: number, reversed = false): bigint {
    this.#check(address, bytes);
    let value = 0n;
    for (let i = 0; i < bytes; i++) {
      const place = this.little === reversed ? i : bytes - 1 - i;
      value = value * 256n + BigInt(this.memory.getUint8(Number(address) + place));
    }
    return value;
  }

  store(address: bigint, bytes: number, value: bigint, reversed = false): void {
    this.#check(address, bytes);
    let rest = value;
    for (let i = 0; i < bytes; i++) {
      const place = this.little === reversed ? bytes - 1 - i : i;
      this.memory.setUint8(Number(address) + place, Number(rest % 256n));
      rest /= 256n;
    }
  }
}

/** An instruction's fields, numbered as the architecture numbers bits: 0 is the highest. */
class Fields {
  readonly word: bigint;
  readonly here: bigint;

  constructor(word: number, here: bigint) {
    this.word = BigInt(word >>> 0);
    this.here = here;
  }

  bits(from: number, to: number): number {
    return Number((this.word / 2n ** BigInt(31 - to)) % 2n ** BigInt(to - from + 1));
  }

  get t(): number {
    return this.bits(6, 10);
  }

  get a(): number {
    return this.bits(11, 15);
  }

  get b(): number {
    return this.bits(16, 20);
  }

  get si(): bigint {
    return BigInt.asIntN(16, this.word);
  }

  get ui(): bigint {
    return this.word % 65_536n;
  }

  get rc(): boolean {
    return this.bits(31, 31) === 1;
  }

  get oe(): boolean {
    return this.bits(21, 21) === 1;
  }

  get sh(): number {
    return this.bits(16, 20) + 32 * this.bits(30, 30);
  }

  get mask6(): number {
    return this.bits(21, 25) + 32 * this.bits(26, 26);
  }
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);
const s32 = (value: bigint): bigint => BigInt.asIntN(32, value);
const fits = (value: bigint, bits: number): boolean => BigInt.asIntN(bits, value) === value;

type Run = (machine: Reference, fields: Fields) => void;

const reg = (machine: Reference, number: number): bigint => machine.gpr[number] ?? 0n;
const base = (machine: Reference, number: number): bigint => (number === 0 ? 0n : reg(machine, number));

/** Ones from bit `from` through `to`, going round the end. */
function ones(from: number, to: number): bigint {
  let mask = 0n;
  for (let bit = from; ; bit = (bit + 1) % 64) {
    mask += 1n << BigInt(63 - bit);
    if (bit === to) return mask;
  }
}

function turn(value: bigint, amount: number): bigint {
  const twice = value * 2n ** 64n + value;
  return u64(twice >> BigInt(64 - amount));
}

const doubled = (value: bigint): bigint => u32(value) * (2n ** 32n + 1n);

/** Sum of two operands and a carry with all that XER may learn of it. */
const summing =
  (
    left: (m: Reference, f: Fields) => bigint,
    right: (m: Reference, f: Fields) => bigint,
    carry: (m: Reference) => bigint,
  ): Run =>
  (m, f) => {
    const x = left(m, f);
    const y = right(m, f);
    const c = carry(m);
    m.ca = u64(x) + u64(y) + c >= 2n ** 64n;
    m.ca32 = u32(x) + u32(y) + c >= 2n ** 32n;
    if (f.oe) m.overflow(!fits(s64(x) + s64(y) + c, 64), !fits(s32(x) + s32(y) + c, 32));
    m.give(f.t, x + y + c, f);
  };
const ra = (m: Reference, f: Fields): bigint => reg(m, f.a);
const rb = (m: Reference, f: Fields): bigint => reg(m, f.b);
const complement = (m: Reference, f: Fields): bigint => u64(-1n - reg(m, f.a));
const carryOf = (m: Reference): bigint => (m.ca ? 1n : 0n);

/** A quotient or remainder of numbers of so many bits; QEMU gives 0 where there is none. */
const dividing =
  (bits: 32 | 64, signed: boolean, remainder: boolean, hasOverflow: boolean): Run =>
  (m, f) => {
    const cut = (value: bigint): bigint =>
      signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
    const x = cut(reg(m, f.a));
    const y = cut(reg(m, f.b));
    const none = y === 0n || (signed && y === -1n && x === -(2n ** BigInt(bits - 1)));
    const value = none ? 0n : remainder ? x % y : x / y;
    if (hasOverflow && f.oe) m.overflow(none, none);
    const result = bits === 32 && !(remainder && signed) ? u32(value) : value;
    if (hasOverflow) m.give(f.t, result, f);
    else m.gpr[f.t] = u64(result);
  };

const logical =
  (run: (s: bigint, b: bigint) => bigint, records = true): Run =>
  (m, f) => {
    const value = run(reg(m, f.t), reg(m, f.b));
    if (records) m.give(f.a, value, f);
    else m.gpr[f.a] = u64(value);
  };

const zeros = (value: bigint, bits: number): number =>
  value === 0n ? bits : bits - value.toString(2).length;
const tail = (value: bigint, bits: number): number => {
  let count = 0;
  while (count < bits && ((value >> BigInt(count)) & 1n) === 0n) count++;
  return count;
};
const population = (value: bigint): number => value.toString(2).replaceAll('0', '').length;
const parts = (value: bigint, bits: number, run: (part: bigint) => bigint): bigint => {
  let result = 0n;
  for (let at = 0; at < 64; at += bits) {
    result += BigInt.asUintN(bits, run(BigInt.asUintN(bits, value >> BigInt(at)))) << BigInt(at);
  }
  return result;
};
const lowBits = (value: bigint): number =>
  [0n, 8n, 16n, 24n, 32n, 40n, 48n, 56n].filter((at) => ((value >> at) & 1n) === 1n).length;

const rightward =
  (value: (m: Reference, f: Fields) => bigint, amount: (m: Reference, f: Fields) => bigint): Run =>
  (m, f) => {
    const x = value(m, f);
    const shift = amount(m, f);
    const result = x >> shift;
    m.ca = x < 0n && result << shift !== x;
    m.ca32 = m.ca;
    m.give(f.a, result, f);
  };

const comparing =
  (cut: (wide: boolean, value: bigint) => bigint, right: (m: Reference, f: Fields) => bigint): Run =>
  (m, f) => {
    const wide = f.bits(10, 10) === 1;
    m.order(f.bits(6, 8), cut(wide, reg(m, f.a)), cut(wide, right(m, f)));
  };
const signedCut = (wide: boolean, value: bigint): bigint => (wide ? s64(value) : s32(value));
const unsignedCut = (wide: boolean, value: bigint): bigint => (wide ? u64(value) : u32(value));

const crLogic =
  (run: (a: boolean, b: boolean) => boolean): Run =>
  (m, f) =>
    m.setBit(f.t, run(m.bit(f.a), m.bit(f.b)));

const branching =
  (target: (m: Reference, f: Fields) => bigint, counts = true): Run =>
  (m, f) => {
    const bo = f.t;
    const to = target(m, f);
    if ((bo & 4) === 0 && counts) m.ctr = u64(m.ctr - 1n);
    const counted = (bo & 4) !== 0 || (m.ctr === 0n) === ((bo & 2) !== 0);
    const condition = (bo & 16) !== 0 || m.bit(f.a) === ((bo & 8) !== 0);
    if (f.rc) m.lr = u64(f.here + 4n);
    if (counted && condition) m.pc = u64(to) & ~3n;
  };

interface Data {
  readonly bytes: number;
  readonly store?: boolean;
  readonly signed?: boolean;
  readonly reversed?: boolean;
  readonly update?: boolean;
  readonly indexed?: boolean;
  readonly shortened?: boolean;
}

const moving =
  (data: Data): Run =>
  (m, f) => {
    const displacement = data.shortened === true ? f.si & ~3n : f.si;
    const address = u64(base(m, f.a) + (data.indexed === true ? reg(m, f.b) : displacement));
    if (data.store === true) m.store(address, data.bytes, reg(m, f.t), data.reversed);
    else {
      const value = m.load(address, data.bytes, data.reversed);
      m.gpr[f.t] = data.signed === true ? u64(BigInt.asIntN(8 * data.bytes, value)) : value;
    }
    if (data.update === true) m.gpr[f.a] = address;
  };

const WIDTHS = [
  ['b', 1],
  ['h', 2],
  ['w', 4],
  ['d', 8],
] as const;

/** Reservations elsewhere are alignment interrupts: programs end there. */
function aligned(address: bigint, bytes: number): bigint {
  if (address % BigInt(bytes) !== 0n) throw new RangeError('not aligned');
  return address;
}

function storage(): [string, Run][] {
  const rows: [string, Run][] = [];
  for (const [letter, bytes] of WIDTHS) {
    const name = letter === 'd' ? 'ld' : `l${letter}z`;
    const shortened = letter === 'd';
    for (const update of [false, true]) {
      const u = update ? 'u' : '';
      rows.push(
        [`${name}${u}`, moving({ bytes, update, shortened })],
        [`${name}${u}x`, moving({ bytes, update, indexed: true })],
        [`st${letter}${u}`, moving({ bytes, update, shortened, store: true })],
        [`st${letter}${u}x`, moving({ bytes, update, indexed: true, store: true })],
      );
      if (letter === 'h' || letter === 'w') {
        if (letter === 'h' || !update) {
          rows.push([`l${letter}a${u}`, moving({ bytes, update, signed: true, shortened: letter === 'w' })]);
        }
        rows.push([`l${letter}a${u}x`, moving({ bytes, update, signed: true, indexed: true })]);
      }
    }
    if (bytes > 1) {
      rows.push(
        [`l${letter}brx`, moving({ bytes, indexed: true, reversed: true })],
        [`st${letter}brx`, moving({ bytes, indexed: true, reversed: true, store: true })],
      );
    }
    rows.push(
      [
        `l${letter}arx`,
        (m, f) => {
          const address = u64(base(m, f.a) + reg(m, f.b));
          const value = m.load(aligned(address, bytes), bytes);
          m.gpr[f.t] = value;
          m.reservation = { address, value };
        },
      ],
      [
        `st${letter}cx.`,
        (m, f) => {
          const address = aligned(u64(base(m, f.a) + reg(m, f.b)), bytes);
          m.load(address, bytes);
          const held = m.reservation?.address === address && m.load(address, bytes) === m.reservation.value;
          if (held) m.store(address, bytes, reg(m, f.t));
          m.cr[0] = (held ? 2 : 0) + (m.so ? 1 : 0);
          m.reservation = undefined;
        },
      ],
    );
  }
  return rows;
}

const wordMask = (f: Fields): bigint => ones(32 + f.bits(21, 25), 32 + f.bits(26, 30));
const nothing: Run = () => undefined;

const MEANING: ReadonlyMap<string, Run> = new Map<string, Run>([
  ['addi', (m, f) => void (m.gpr[f.t] = u64(base(m, f.a) + f.si))],
  ['addis', (m, f) => void (m.gpr[f.t] = u64(base(m, f.a) + f.si * 65_536n))],
  ['mulli', (m, f) => void (m.gpr[f.t] = u64(s64(reg(m, f.a)) * f.si))],
  [
    'addpcis',
    (m, f) => {
      const d = BigInt.asIntN(16, BigInt(f.bits(16, 25) * 64 + f.bits(11, 15) * 2 + f.bits(31, 31)));
      m.gpr[f.t] = u64(f.here + 4n + d * 65_536n);
    },
  ],
  ...(['addic', 'addic.'] as const).map((name): [string, Run] => [
    name,
    (m, f) => {
      const x = reg(m, f.a);
      m.ca = x + u64(f.si) >= 2n ** 64n;
      m.ca32 = u32(x) + u32(f.si) >= 2n ** 32n;
      m.gpr[f.t] = u64(x + f.si);
      if (name === 'addic.') m.order(0, s64(x + f.si), 0n);
    },
  ]),
  [
    'subfic',
    (m, f) => {
      const x = u64(-1n - reg(m, f.a));
      m.ca = x + u64(f.si) + 1n >= 2n ** 64n;
      m.ca32 = u32(x) + u32(f.si) + 1n >= 2n ** 32n;
      m.gpr[f.t] = u64(f.si - reg(m, f.a));
    },
  ],
  [
    'add',
    (m, f) => {
      const [x, y] = [reg(m, f.a), reg(m, f.b)];
      if (f.oe) m.overflow(!fits(s64(x) + s64(y), 64), !fits(s32(x) + s32(y), 32));
      m.give(f.t, x + y, f);
    },
  ],
  [
    'subf',
    (m, f) => {
      const [x, y] = [reg(m, f.a), reg(m, f.b)];
      if (f.oe) m.overflow(!fits(s64(y) - s64(x), 64), !fits(s32(y) - s32(x), 32));
      m.give(f.t, y - x, f);
    },
  ],
  [
    'neg',
    (m, f) => {
      const x = reg(m, f.a);
      if (f.oe) m.overflow(!fits(-s64(x), 64), !fits(-s32(x), 32));
      m.give(f.t, -x, f);
    },
  ],
  ['addc', summing(ra, rb, () => 0n)],
  ['adde', summing(ra, rb, carryOf)],
  ['subfc', summing(complement, rb, () => 1n)],
  ['subfe', summing(complement, rb, carryOf)],
  ['addze', summing(ra, () => 0n, carryOf)],
  ['subfze', summing(complement, () => 0n, carryOf)],
  ['addme', summing(ra, () => 2n ** 64n - 1n, carryOf)],
  ['subfme', summing(complement, () => 2n ** 64n - 1n, carryOf)],
  [
    'mulld',
    (m, f) => {
      const product = s64(reg(m, f.a)) * s64(reg(m, f.b));
      if (f.oe) m.overflow(!fits(product, 64), !fits(product, 64));
      m.give(f.t, product, f);
    },
  ],
  [
    'mullw',
    (m, f) => {
      const product = s32(reg(m, f.a)) * s32(reg(m, f.b));
      if (f.oe) m.overflow(!fits(product, 32), !fits(product, 32));
      m.give(f.t, product, f);
    },
  ],
  ['mulhd', (m, f) => m.give(f.t, (s64(reg(m, f.a)) * s64(reg(m, f.b))) >> 64n, f)],
  ['mulhdu', (m, f) => m.give(f.t, (reg(m, f.a) * reg(m, f.b)) >> 64n, f)],
  ['mulhw', (m, f) => m.give(f.t, u32((s32(reg(m, f.a)) * s32(reg(m, f.b))) >> 32n), f)],
  ['mulhwu', (m, f) => m.give(f.t, (u32(reg(m, f.a)) * u32(reg(m, f.b))) >> 32n, f)],
  ['divd', dividing(64, true, false, true)],
  ['divdu', dividing(64, false, false, true)],
  ['divw', dividing(32, true, false, true)],
  ['divwu', dividing(32, false, false, true)],
  ['modsd', dividing(64, true, true, false)],
  ['modud', dividing(64, false, true, false)],
  ['modsw', dividing(32, true, true, false)],
  ['moduw', dividing(32, false, true, false)],
  ['cmpi', comparing(signedCut, (_, f) => f.si)],
  ['cmpli', comparing(unsignedCut, (_, f) => f.ui)],
  ['cmp', comparing(signedCut, rb)],
  ['cmpl', comparing(unsignedCut, rb)],
  [
    'cmprb',
    (m, f) => {
      const byte = reg(m, f.a) % 256n;
      const inside = (low: bigint): boolean => {
        const range = reg(m, f.b) >> low;
        return byte >= range % 256n && byte <= (range >> 8n) % 256n;
      };
      const second = f.bits(10, 10) === 1 && inside(16n);
      m.cr[f.bits(6, 8)] = inside(0n) || second ? 4 : 0;
    },
  ],
  [
    'cmpeqb',
    (m, f) => {
      const byte = reg(m, f.a) % 256n;
      const found = [0n, 8n, 16n, 24n, 32n, 40n, 48n, 56n].some((at) => (reg(m, f.b) >> at) % 256n === byte);
      m.cr[f.bits(6, 8)] = found ? 4 : 0;
    },
  ],
  ['ori', (m, f) => void (m.gpr[f.a] = reg(m, f.t) | f.ui)],
  ['oris', (m, f) => void (m.gpr[f.a] = reg(m, f.t) | (f.ui * 65_536n))],
  ['xori', (m, f) => void (m.gpr[f.a] = reg(m, f.t) ^ f.ui)],
  ['xoris', (m, f) => void (m.gpr[f.a] = reg(m, f.t) ^ (f.ui * 65_536n))],
  ...(
    [
      ['andi.', 1n],
      ['andis.', 65_536n],
    ] as const
  ).map(([name, scale]): [string, Run] => [
    name,
    (m, f) => {
      m.gpr[f.a] = reg(m, f.t) & (f.ui * scale);
      m.order(0, s64(m.gpr[f.a] ?? 0n), 0n);
    },
  ]),
  ['and', logical((s, b) => s & b)],
  ['andc', logical((s, b) => s & (-1n - b))],
  ['or', logical((s, b) => s | b)],
  ['orc', logical((s, b) => s | (-1n - b))],
  ['xor', logical((s, b) => s ^ b)],
  ['nor', logical((s, b) => -1n - (s | b))],
  ['nand', logical((s, b) => -1n - (s & b))],
  ['eqv', logical((s, b) => -1n - (s ^ b))],
  ['extsb', logical((s) => BigInt.asIntN(8, s))],
  ['extsh', logical((s) => BigInt.asIntN(16, s))],
  ['extsw', logical((s) => s32(s))],
  ['cntlzw', logical((s) => BigInt(zeros(u32(s), 32)))],
  ['cntlzd', logical((s) => BigInt(zeros(s, 64)))],
  ['cnttzw', logical((s) => BigInt(tail(s, 32)))],
  ['cnttzd', logical((s) => BigInt(tail(s, 64)))],
  ['popcntb', logical((s) => parts(s, 8, (part) => BigInt(population(part))), false)],
  ['popcntw', logical((s) => parts(s, 32, (part) => BigInt(population(part))), false)],
  ['popcntd', logical((s) => BigInt(population(s)), false)],
  ['prtyw', logical((s) => parts(s, 32, (part) => BigInt(lowBits(part) % 2)), false)],
  ['prtyd', logical((s) => BigInt(lowBits(s) % 2), false)],
  ['cmpb', logical((s, b) => parts(s ^ b, 8, (part) => (part === 0n ? 0xffn : 0n)), false)],
  ['slw', logical((s, b) => ((b & 32n) !== 0n ? 0n : u32(u32(s) << (b & 31n))))],
  ['srw', logical((s, b) => ((b & 32n) !== 0n ? 0n : u32(s) >> (b & 31n)))],
  ['sld', logical((s, b) => ((b & 64n) !== 0n ? 0n : s << (b & 63n)))],
  ['srd', logical((s, b) => ((b & 64n) !== 0n ? 0n : s >> (b & 63n)))],
  [
    'sraw',
    rightward(
      (m, f) => s32(reg(m, f.t)),
      (m, f) => reg(m, f.b) & 63n,
    ),
  ],
  [
    'srad',
    rightward(
      (m, f) => s64(reg(m, f.t)),
      (m, f) => reg(m, f.b) & 127n,
    ),
  ],
  [
    'srawi',
    rightward(
      (m, f) => s32(reg(m, f.t)),
      (_, f) => BigInt(f.b),
    ),
  ],
  [
    'sradi',
    rightward(
      (m, f) => s64(reg(m, f.t)),
      (_, f) => BigInt(f.sh),
    ),
  ],
  ['extswsli', (m, f) => m.give(f.a, s32(reg(m, f.t)) << BigInt(f.sh), f)],
  ['rlwinm', (m, f) => m.give(f.a, turn(doubled(reg(m, f.t)), f.b) & wordMask(f), f)],
  [
    'rlwimi',
    (m, f) => {
      const mask = wordMask(f);
      m.give(f.a, (turn(doubled(reg(m, f.t)), f.b) & mask) | (reg(m, f.a) & ~mask), f);
    },
  ],
  ['rlwnm', (m, f) => m.give(f.a, turn(doubled(reg(m, f.t)), Number(reg(m, f.b) % 32n)) & wordMask(f), f)],
  ['rldicl', (m, f) => m.give(f.a, turn(reg(m, f.t), f.sh) & ones(f.mask6, 63), f)],
  ['rldicr', (m, f) => m.give(f.a, turn(reg(m, f.t), f.sh) & ones(0, f.mask6), f)],
  ['rldic', (m, f) => m.give(f.a, turn(reg(m, f.t), f.sh) & ones(f.mask6, 63 - f.sh), f)],
  [
    'rldimi',
    (m, f) => {
      const mask = ones(f.mask6, 63 - f.sh);
      m.give(f.a, (turn(reg(m, f.t), f.sh) & mask) | (reg(m, f.a) & ~mask), f);
    },
  ],
  ['rldcl', (m, f) => m.give(f.a, turn(reg(m, f.t), Number(reg(m, f.b) % 64n)) & ones(f.mask6, 63), f)],
  ['rldcr', (m, f) => m.give(f.a, turn(reg(m, f.t), Number(reg(m, f.b) % 64n)) & ones(0, f.mask6), f)],
  [
    'b',
    (m, f) => {
      const displacement = BigInt.asIntN(26, BigInt(f.bits(6, 29) * 4));
      if (f.rc) m.lr = u64(f.here + 4n);
      m.pc = u64(f.bits(30, 30) === 1 ? displacement : f.here + displacement);
    },
  ],
  ['bc', branching((_, f) => (f.bits(30, 30) === 1 ? f.si & ~3n : f.here + (f.si & ~3n)))],
  ['bclr', branching((m) => m.lr)],
  ['bcctr', branching((m) => m.ctr)],
  ['crand', crLogic((a, b) => a && b)],
  ['cror', crLogic((a, b) => a || b)],
  ['crxor', crLogic((a, b) => a !== b)],
  ['crnand', crLogic((a, b) => !(a && b))],
  ['crnor', crLogic((a, b) => !(a || b))],
  ['creqv', crLogic((a, b) => a === b)],
  ['crandc', crLogic((a, b) => a && !b)],
  ['crorc', crLogic((a, b) => a || !b)],
  ['mcrf', (m, f) => void (m.cr[f.bits(6, 8)] = m.cr[f.bits(11, 13)] ?? 0)],
  [
    'mtcrf',
    (m, f) => {
      const wanted = Array.from({ length: 8 }, (_, i) => i).filter((i) => f.bits(12 + i, 12 + i) === 1);
      if (f.bits(11, 11) === 1 && wanted.length !== 1) return;
      for (const i of wanted) m.cr[i] = Number((reg(m, f.t) >> BigInt(28 - 4 * i)) & 15n);
    },
  ],
  [
    'mfcr',
    (m, f) => {
      const wanted = Array.from({ length: 8 }, (_, i) => i).filter(
        (i) => f.bits(11, 11) === 0 || f.bits(12 + i, 12 + i) === 1,
      );
      if (f.bits(11, 11) === 1 && wanted.length !== 1) return;
      m.gpr[f.t] = wanted.reduce((sum, i) => sum + (BigInt(m.cr[i] ?? 0) << BigInt(28 - 4 * i)), 0n);
    },
  ],
  [
    'mcrxrx',
    (m, f) => {
      const flags = [m.ov, m.ov32, m.ca, m.ca32];
      m.cr[f.bits(6, 8)] = flags.reduce((sum, flag) => 2 * sum + (flag ? 1 : 0), 0);
    },
  ],
  [
    'setb',
    (m, f) => {
      const field = m.cr[f.bits(11, 13)] ?? 0;
      m.gpr[f.t] = field >= 8 ? u64(-1n) : field >= 4 ? 1n : 0n;
    },
  ],
  ['isel', (m, f) => void (m.gpr[f.t] = m.bit(f.bits(21, 25)) ? base(m, f.a) : reg(m, f.b))],
  ...storage(),
  ['sync', nothing],
  ['isync', nothing],
  ['eieio', nothing],
]);

/** What random programs are made of. */
export const KNOWN_TO_REFERENCE: readonly string[] = [...MEANING.keys()];
