import {
  AT,
  CODE_ENTRIES,
  CODE_ENTRY_BYTES,
  DATA_ENTRIES,
  DATA_ENTRY_BYTES,
  DATA_ENTRY_SHIFT,
  MICRO_BYTES,
  WHY,
} from './layout.ts';
import { branch, get, i32, i64, ifThen, select, set, tee, type Code } from './wasm.ts';

/** Locals of the interpreter's one function: its parameter is the number of instructions that it may start. */
export const L = {
  budget: 0,
  /** The decoded instruction under way. */
  at: 1,
  remaining: 2,
  /** Where the page's decoded instructions begin, and the page's effective address. */
  page: 3,
  effectivePage: 4,
  dataCache: 5,
  codeCache: 6,
  why: 7,
  x: 8,
  y: 9,
  z: 10,
  ea: 11,
  p: 12,
  q: 13,
  s: 14,
  v: 15,
} as const;

export const HIGH_MULTIPLY = 1;

/** Emits one operation's body. */
export type Emit = (kit: Kit) => Code;

const REAL_BASE: Code = i32.const(0);

/** What operations are written with: their operands, the machine's registers, and the ways out. */
export class Kit {
  /** How many labels lie between here and the dispatching loop. */
  #depth: number;

  constructor(depth: number) {
    this.#depth = depth;
  }

  /** Operand fields as they stand. */
  readonly a: Code = i32.load16(get(L.at), 2);
  readonly b: Code = i32.load16(get(L.at), 4);
  readonly c: Code = i32.load16(get(L.at), 6);
  readonly immediate: Code = i64.load(get(L.at), 8);
  /** The registers that the fields name. */
  readonly A: Code = i64.load(this.a, AT.gpr);
  readonly B: Code = i64.load(this.b, AT.gpr);
  readonly C: Code = i64.load(this.c, AT.gpr);

  setA(value: Code): Code {
    return i64.store(this.a, value, AT.gpr);
  }

  setB(value: Code): Code {
    return i64.store(this.b, value, AT.gpr);
  }

  byte(offset: number): Code {
    return i32.load8(REAL_BASE, offset);
  }

  setByte(offset: number, value: Code): Code {
    return i32.store8(REAL_BASE, value, offset);
  }

  doubleword(offset: number): Code {
    return i64.load(REAL_BASE, offset);
  }

  setDoubleword(offset: number, value: Code): Code {
    return i64.store(REAL_BASE, value, offset);
  }

  get carry(): Code {
    return this.byte(AT.ca);
  }

  /** CR field of a comparison: `less` and `greater` are conditions; SO is added. */
  comparison(less: Code, greater: Code): Code {
    const order = select(less, i32.const(8), select(greater, i32.const(4), i32.const(2)));
    return i32.or(order, this.byte(AT.so));
  }

  /** CR0 from the doubleword in local x. */
  record(): Code {
    const x = get(L.x);
    return this.setByte(AT.cr, this.comparison(i64.ltS(x, i64.const(0n)), i64.gtS(x, i64.const(0n))));
  }

  /** A body inside one more label. */
  nested(body: () => Code): Code {
    this.#depth++;
    const code = body();
    this.#depth--;
    return code;
  }

  when(condition: Code, body: () => Code): Code {
    return ifThen(condition, this.nested(body));
  }

  either(condition: Code, whenTrue: () => Code, whenFalse: () => Code): Code {
    return [...condition, 0x04, 0x40, ...this.nested(whenTrue), 0x05, ...this.nested(whenFalse), 0x0b];
  }

  /** To the next decoded instruction. */
  next(): Code {
    return [...set(L.at, i32.add(get(L.at), i32.const(MICRO_BYTES))), ...this.again()];
  }

  /** To the instruction that local `at` names. */
  again(): Code {
    return branch(this.#depth);
  }

  /** Out, the instruction being counted: somebody else carries it out. */
  leave(why: number): Code {
    return [...set(L.why, i32.const(why)), ...branch(this.#depth + 1)];
  }

  /** The instruction under way did not start after all. */
  uncount(): Code {
    return set(L.remaining, i32.add(get(L.remaining), i32.const(1)));
  }

  /** Out, and the instruction did not start. */
  retry(why: number): Code {
    return [...this.uncount(), ...this.leave(why)];
  }

  /** Out, with the program counter already stored. */
  leaveAt(why: number, pc: Code): Code {
    return [...this.setDoubleword(AT.pc, pc), ...set(L.why, i32.const(why)), ...branch(this.#depth + 2)];
  }

  /** Effective address of the instruction under way. */
  get pc(): Code {
    return i64.add(get(L.effectivePage), i64.fromU(i32.shrU(i32.sub(get(L.at), get(L.page)), i32.const(2))));
  }

  get nextPc(): Code {
    return i64.add(this.pc, i64.const(4n));
  }

  get nextPage(): Code {
    return i64.add(get(L.effectivePage), i64.const(4096n));
  }

  /** Goes on at an effective address. */
  jump(target: Code): Code {
    return [...this.land(target), ...this.again()];
  }

  /** Sets page and instruction by an effective address, or goes out for its translation. */
  land(target: Code): Code {
    const entry = i32.add(
      get(L.codeCache),
      i32.mul(
        i32.and(i32.wrap(i64.shrU(get(L.y), i64.const(12n))), i32.const(CODE_ENTRIES - 1)),
        i32.const(CODE_ENTRY_BYTES),
      ),
    );
    const page = i64.and(get(L.y), i64.const(-4096n));
    const offset = i32.shl(i32.and(i32.wrap(get(L.y)), i32.const(0xffc)), i32.const(2));
    return [
      ...set(L.y, target),
      ...set(L.p, entry),
      ...this.when(i64.ne(i64.load(get(L.p), 0), page), () => this.leaveAt(WHY.fetch, get(L.y))),
      ...set(L.effectivePage, page),
      ...set(L.page, i32.load(get(L.p), 8)),
      ...set(L.at, i32.add(get(L.page), offset)),
    ];
  }

  /** Leaves the byte address of local ea's data in local p, or goes out for a translation. */
  translate(size: number, forStore: boolean): Code {
    const ea = get(L.ea);
    const entry = i32.add(
      get(L.dataCache),
      i32.and(
        i32.shrU(i32.wrap(ea), i32.const(12 - DATA_ENTRY_SHIFT)),
        i32.const((DATA_ENTRIES - 1) * DATA_ENTRY_BYTES),
      ),
    );
    // An access that crosses into the next page has another page in its last byte, which no tag here can equal.
    const last = size === 1 ? ea : i64.add(ea, i64.const(BigInt(size - 1)));
    const tag = i64.load(tee(L.p, entry), forStore ? 8 : 0);
    return [
      ...this.when(i64.ne(tag, i64.and(last, i64.const(-4096n))), () => [
        ...this.setDoubleword(AT.faultAddress, ea),
        ...this.retry(forStore ? WHY.store : WHY.load),
      ]),
      ...set(L.p, i32.add(i32.wrap(ea), i32.load(get(L.p), 16))),
    ];
  }

  /** Unless a bit of MSR is set, somebody else decides what becomes of the instruction. */
  needs(msrBit: bigint): Code {
    return this.when(i64.eqz(i64.and(this.doubleword(AT.msr), i64.const(msrBit))), () =>
      this.leave(WHY.assist),
    );
  }
}
