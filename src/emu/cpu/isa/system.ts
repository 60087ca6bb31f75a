import { AT, WHY } from '../layout.ts';
import { MSR_EE, MSR_PR, MSR_RI, PROGRAM, SPR, VECTOR } from '../abi.ts';
import type { Core } from '../core.ts';
import { L, type Emit, type Kit } from '../kit.ts';
import { get, i32, i64, select, set, type Code } from '../wasm.ts';
import { dForm, extended, ra, rb, register, rt, si, type Instruction, type Operations } from './row.ts';

// Traps, system calls, machine state and special registers: Power ISA 3.0B, book I 3.3.12 and 3.3.17, book III 3 to 5.

const y = get(L.y);
const z = get(L.z);

/** TO's bits, from the highest: less, greater, equal, less unsigned, greater unsigned. Operand a is TO. */
const trap =
  (wide: boolean, right: (kit: Kit) => Code): Emit =>
  (kit) => {
    const cut = (value: Code): Code => (wide ? value : i32.wrap(value));
    const width = wide ? i64 : i32;
    const relation = i32.or(
      select(
        width.ltS(cut(y), cut(z)),
        i32.const(16),
        select(width.gtS(cut(y), cut(z)), i32.const(8), i32.const(4)),
      ),
      select(
        width.ltU(cut(y), cut(z)),
        i32.const(2),
        select(width.gtU(cut(y), cut(z)), i32.const(1), i32.const(0)),
      ),
    );
    return [
      ...set(L.y, kit.B),
      ...set(L.z, right(kit)),
      ...kit.when(i32.and(relation, kit.a), () => kit.leave(WHY.assist)),
    ];
  };

const rB = (kit: Kit): Code => kit.C;
const immediate = (kit: Kit): Code => kit.immediate;

const trapped = (core: Core): void => core.programInterrupt(PROGRAM.trap);

const trapRow = (name: string, encoding: { mask: number; match: number }): Instruction => ({
  name,
  ...encoding,
  lower: (word) => ({
    op: name,
    a: rt(word),
    b: register(ra(word)),
    c: register(rb(word)),
    immediate: si(word),
  }),
  assist: trapped,
});

const MSR_QUICK = MSR_EE | MSR_RI;
const quickMsr: Emit = (kit) => [
  ...set(
    L.x,
    i64.or(i64.and(kit.doubleword(AT.msr), i64.const(~MSR_QUICK)), i64.and(kit.B, i64.const(MSR_QUICK))),
  ),
  ...kit.when(i64.ne(i64.and(kit.doubleword(AT.msr), i64.const(MSR_PR)), i64.const(0n)), () =>
    kit.leave(WHY.assist),
  ),
  ...kit.setDoubleword(AT.msr, get(L.x)),
  // An interrupt that waited is taken behind this instruction.
  ...kit.when(
    i32.and(
      i32.ne(i32.load(i32.const(0), AT.pending), i32.const(0)),
      i64.ne(i64.and(get(L.x), i64.const(MSR_EE)), i64.const(0n)),
    ),
    () => kit.leaveAt(WHY.pending, kit.nextPc),
  ),
];

const startedInstructions: Code = i64.add(
  i64.load(i32.const(0), AT.icount),
  i64.fromU(i32.sub(get(L.budget), get(L.remaining))),
);
/** 512 MHz at one instruction a nanosecond, as QEMU's -icount shift=0 has it. */
const timebase = i64.shrU(startedInstructions, i64.const(1n));

const privileged = (kit: Kit): Code =>
  kit.when(i64.ne(i64.and(kit.doubleword(AT.msr), i64.const(MSR_PR)), i64.const(0n)), () =>
    kit.leave(WHY.assist),
  );

const special = (kit: Kit): Code => i64.load(kit.c, AT.spr);
const setSpecial = (kit: Kit): Code => i64.store(kit.c, kit.B, AT.spr);

const XER_FLAGS = [
  { at: AT.so, bit: 31n },
  { at: AT.ov, bit: 30n },
  { at: AT.ca, bit: 29n },
  { at: AT.ov32, bit: 19n },
  { at: AT.ca32, bit: 18n },
] as const;
/** What of XER is neither a flag nor reserved: the byte count of string instructions. */
const XER_REST = 0x7fn;

export const SYSTEM_OPERATIONS: Operations = {
  tw: trap(false, rB),
  td: trap(true, rB),
  twi: trap(false, immediate),
  tdi: trap(true, immediate),
  mtmsrquick: quickMsr,
  mfmsr: (kit) => [...privileged(kit), ...kit.setA(kit.doubleword(AT.msr))],
  mfspr: (kit) => kit.setA(special(kit)),
  mtspr: setSpecial,
  mfsprp: (kit) => [...privileged(kit), ...kit.setA(special(kit))],
  mtsprp: (kit) => [...privileged(kit), ...setSpecial(kit)],
  mftb: (kit) => kit.setA(timebase),
  mftbu: (kit) => kit.setA(i64.shrU(timebase, i64.const(32n))),
  mfxer: (kit) => {
    let value: Code = i64.load(i32.const(0), AT.spr + 8 * SPR.xer);
    for (const flag of XER_FLAGS) {
      value = i64.or(value, i64.shl(i64.load8(i32.const(0), flag.at), i64.const(flag.bit)));
    }
    return kit.setA(value);
  },
  mtxer: (kit) => [
    ...set(L.x, kit.B),
    ...kit.setDoubleword(AT.spr + 8 * SPR.xer, i64.and(get(L.x), i64.const(XER_REST))),
    ...XER_FLAGS.flatMap((flag) =>
      kit.setByte(flag.at, i32.and(i32.wrap(i64.shrU(get(L.x), i64.const(flag.bit))), i32.const(1))),
    ),
  ],
};

const sprOf = (word: number): number => ra(word) | (rb(word) << 5);
/** Numbers with this bit are privileged. */
const PRIVILEGED_SPR = 0x10;

const isPrivileged = (core: Core): boolean => (core.msr & MSR_PR) !== 0n;

/** Runs what only privileged software may; others get a program interrupt. */
const supervisor =
  (run: (core: Core, word: number) => void) =>
  (core: Core, word: number): void => {
    if (isPrivileged(core)) core.programInterrupt(PROGRAM.privileged);
    else run(core, word);
  };

function moveFromSpr(core: Core, word: number): void {
  const spr = sprOf(word);
  if (isPrivileged(core) && (spr & PRIVILEGED_SPR) !== 0) {
    core.programInterrupt(PROGRAM.privileged);
    return;
  }
  core.registers[rt(word)] = spr === SPR.dec ? core.decrementer() : (core.specials[spr] ?? 0n);
}

function moveToSpr(core: Core, word: number): void {
  const spr = sprOf(word);
  const value = core.registers[rt(word)] ?? 0n;
  if (isPrivileged(core) && (spr & PRIVILEGED_SPR) !== 0) core.programInterrupt(PROGRAM.privileged);
  else if (spr === SPR.dec) core.setDecrementer(value);
  else if (spr === SPR.pid) core.setPid(value);
  else core.setAuthority(spr, value);
}

/** Whose writing does more than store. */
const ASSISTED_SPRS: ReadonlySet<number> = new Set([SPR.dec, SPR.pid, SPR.amrUser, SPR.amr, SPR.iamr]);

const LEVEL_1 = 1;
const L_BIT = 0x1_0000;
/** MSR[HV] and MSR[S] are out of a guest's reach; MSR[ME] too. */
const MSR_FIXED = (1n << 60n) | (1n << 22n);

function moveToMsr(core: Core, value: bigint): void {
  core.setMsr((value & ~MSR_FIXED) | (core.msr & MSR_FIXED));
}

const MASK_32 = 0xffff_ffffn;
const FSCR_SCV = 1n << 12n;
const FACILITY_SCV = 12;
/** What rfid does not take from SRR1. */
const SRR1_STATUS = 0x783f_0000n;

export const SYSTEM: readonly Instruction[] = [
  trapRow('twi', dForm(3)),
  trapRow('tdi', dForm(2)),
  trapRow('tw', extended(31, 4, 10)),
  trapRow('td', extended(31, 68, 10)),
  {
    name: 'sc',
    ...extended(17, 1, 1),
    assist: (core, word) => {
      if (((word >>> 5) & 0x7f) === LEVEL_1) core.hypercall();
      else {
        core.goTo(core.pc + 4n);
        core.interrupt(VECTOR.systemCall, 0n);
      }
    },
  },
  {
    name: 'scv',
    ...extended(17, 1, 2, 0),
    assist: (core, word) => {
      if (((core.specials[SPR.fscr] ?? 0n) & FSCR_SCV) === 0n) core.facilityInterrupt(FACILITY_SCV);
      else core.systemCallVectored((word >>> 5) & 0x7f);
    },
  },
  {
    name: 'rfid',
    ...extended(19, 18, 10),
    assist: supervisor((core) => {
      const status = core.specials[SPR.srr1] ?? 0n;
      const target = (core.specials[SPR.srr0] ?? 0n) & ~3n;
      moveToMsr(core, status & ~SRR1_STATUS);
      core.goTo(target);
    }),
  },
  { name: 'rfscv', ...extended(19, 82, 10), assist: supervisor((core) => core.returnFromVectored()) },
  {
    name: 'mtmsrd',
    ...extended(31, 178, 10),
    lower: (word) => ((word & L_BIT) === 0 ? { op: 'assist' } : { op: 'mtmsrquick', b: register(rt(word)) }),
    assist: supervisor((core, word) => moveToMsr(core, core.registers[rt(word)] ?? 0n)),
  },
  {
    name: 'mtmsr',
    ...extended(31, 146, 10),
    lower: (word) => ((word & L_BIT) === 0 ? { op: 'assist' } : { op: 'mtmsrquick', b: register(rt(word)) }),
    assist: supervisor((core, word) => {
      const value = core.registers[rt(word)] ?? 0n;
      moveToMsr(core, (core.msr & ~MASK_32) | (value & MASK_32));
    }),
  },
  {
    name: 'mfmsr',
    ...extended(31, 83, 10),
    lower: (word) => ({ op: 'mfmsr', a: register(rt(word)) }),
    assist: (core) => core.programInterrupt(PROGRAM.privileged),
  },
  {
    name: 'mfspr',
    ...extended(31, 339, 10),
    lower: (word) => {
      const spr = sprOf(word);
      const a = register(rt(word));
      if (spr === SPR.xer) return { op: 'mfxer', a };
      if (spr === SPR.tb) return { op: 'mftb', a };
      if (spr === SPR.tbu) return { op: 'mftbu', a };
      if (spr === SPR.dec) return { op: 'assist' };
      if (spr === SPR.sprg3User) return { op: 'mfspr', a, c: 8 * SPR.sprg3 };
      if (spr === SPR.amrUser) return { op: 'mfspr', a, c: 8 * SPR.amr };
      return { op: (spr & PRIVILEGED_SPR) === 0 ? 'mfspr' : 'mfsprp', a, c: 8 * spr };
    },
    assist: moveFromSpr,
  },
  {
    name: 'mtspr',
    ...extended(31, 467, 10),
    lower: (word) => {
      const spr = sprOf(word);
      const b = register(rt(word));
      if (spr === SPR.xer) return { op: 'mtxer', b };
      if (ASSISTED_SPRS.has(spr)) return { op: 'assist' };
      if (spr === SPR.pvr || spr === SPR.tb || spr === SPR.tbu || spr === SPR.sprg3User) return { op: 'nop' };
      return { op: (spr & PRIVILEGED_SPR) === 0 ? 'mtspr' : 'mtsprp', b, c: 8 * spr };
    },
    assist: moveToSpr,
  },
  {
    name: 'mftb',
    ...extended(31, 371, 10),
    lower: (word) => ({ op: sprOf(word) === SPR.tbu ? 'mftbu' : 'mftb', a: register(rt(word)) }),
  },
  ...['tlbie', 'tlbiel'].map((name): Instruction => ({
    name,
    ...extended(31, name === 'tlbie' ? 306 : 274, 10),
    assist: supervisor((core, word) => core.invalidate(core.registers[rb(word)] ?? 0n, (word >>> 18) & 3)),
  })),
  // With radix translation there are no segments; Linux clears them all the same.
  ...(
    [
      ['slbia', 498],
      ['slbie', 434],
      ['slbmte', 402],
      ['slbieg', 466],
    ] as const
  ).map(([name, xo]): Instruction => ({
    name,
    ...extended(31, xo, 10),
    assist: supervisor(() => undefined),
  })),
  {
    name: 'darn',
    ...extended(31, 755, 10),
    assist: (core, word) => {
      const length = ra(word) & 3;
      const value = core.random();
      const answer = length === 0 ? value & MASK_32 : value;
      core.registers[rt(word)] = length === 3 ? (1n << 64n) - 1n : answer;
    },
  },
];
