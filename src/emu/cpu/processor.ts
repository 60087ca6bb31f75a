import type { Stateful, StateStream } from '../core/state.ts';
import {
  FAULT,
  MSR_DR,
  MSR_EE,
  MSR_FP,
  MSR_IR,
  MSR_LE,
  MSR_ME,
  MSR_PR,
  MSR_RI,
  MSR_SF,
  MSR_VEC,
  MSR_VSX,
  PROGRAM,
  SPR,
  VECTOR,
} from './abi.ts';
import type { Core } from './core.ts';
import { DecodedPages } from './decoded-pages.ts';
import { rowOf } from './decoder.ts';
import type { WasmMemory } from './engine.ts';
import { HandAccess } from './hand-access.ts';
import { instantiate, type Run } from './interpreter.ts';
import { INSTRUCTIONS } from './isa/table.ts';
import {
  AT,
  CODE_CACHE_AT,
  CODE_CACHE_BYTES,
  DATA_CACHE_AT,
  DATA_CACHE_BYTES,
  RAM_AT,
  REGISTERS_AT,
  REGISTERS_END,
  WHY,
} from './layout.ts';
import type { WatchedMemory } from './memory.ts';
import { RadixWalker, type Purpose, type WalkContext } from './radix.ts';
import { TranslationCaches } from './translation.ts';

/** What lies around a processor: the platform that it asks, and the clock that it drives. */
export interface Surroundings {
  /** `sc 1`; r3 … r12 are in the processor's registers. */
  hypercall(): void;
  /** An access outside RAM, at a real address, at most 8 bytes. */
  read(address: number, bytes: number, bigEndian: boolean): bigint;
  write(address: number, bytes: number, value: bigint, bigEndian: boolean): void;
  /** Whether the external interrupt input is asserted. */
  external(): boolean;
  /** Waits for an interrupt: H_CEDE. */
  halted: boolean;
  readonly lpcr: bigint;
  /** Second doubleword of the partition table entry: the process table. */
  readonly processTable: bigint;
  /** Number of started instructions at which something is due that is not the processor's; Infinity is nothing. */
  nextEvent(): number;
  /** Moves the platform's clock. */
  reach(icount: number): void;
  random(): bigint;
}

const TWO_32 = 2 ** 32;
const MASK_64 = (1n << 64n) - 1n;
const BUDGET_MAX = 0x7fff_ffff;
const LPCR_ILE = 1n << 25n;
const LPCR_AIL = 3n << 23n;
const AIL_RELOCATED = 3n << 23n;
const RELOCATED = 0xc000_0000_0000_4000n;
const VECTORED_RELOCATED = 0xc000_0000_0000_3000n;
const VECTORED = 0x1_7000n;
const TRANSLATED = MSR_IR | MSR_DR;
const PVR_POWER9 = 0x004e_1200n;
const PENDING_EXTERNAL = 1;
const PENDING_DECREMENTER = 2;
const DEC_BITS = 56;
/** After so many stores a page of instructions is data. */
const CODE_STORES_MAX = 64;
const FSCR_CAUSE_SHIFT = 56n;
/** rB of tlbie: what to invalidate, and the size of the page. */
const INVALIDATION_SET = 10n;
const ACTUAL_PAGE_SIZE = 5n;

export class Processor implements Core, Stateful, WalkContext {
  readonly registers: BigUint64Array;
  readonly vectors: BigUint64Array;
  readonly specials: BigUint64Array;
  readonly condition: Uint8Array;
  readonly ram: DataView;
  readonly ramBytes: number;
  /** Set from outside to have `run` come back. */
  stopRequested = false;
  readonly caches: TranslationCaches;
  readonly decoded: DecodedPages;
  readonly surroundings: Surroundings;
  readonly #memory: WatchedMemory;
  readonly #run: Run;
  readonly #long: BigUint64Array;
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #walker: RadixWalker = new RadixWalker();
  readonly #hand: HandAccess;
  readonly #codeStores: Uint8Array;
  readonly #touch: (page: number) => void;
  /** Timebase at whose passing the decrementer is below zero. */
  #expiry = 0n;
  #decrementerDue = 0;
  #dataCache = 0;
  #codeCache = 0;
  #moved = false;
  // What a walk depends on, as numbers.
  problemState = false;
  pid = 0;
  tableHigh = 0;
  tableLow = 0;
  authority = 0;
  fetchAuthority = 0;

  constructor(shared: WasmMemory, memory: WatchedMemory, surroundings: Surroundings) {
    const { buffer } = shared;
    this.#run = instantiate(shared);
    this.#memory = memory;
    this.surroundings = surroundings;
    this.ramBytes = memory.size;
    this.registers = new BigUint64Array(buffer, AT.gpr, 33);
    this.vectors = new BigUint64Array(buffer, AT.vsr, 128);
    this.specials = new BigUint64Array(buffer, AT.spr, 1024);
    this.condition = new Uint8Array(buffer, AT.cr, 8);
    this.#long = new BigUint64Array(buffer, 0, REGISTERS_END / 8);
    this.#words = new Uint32Array(buffer, 0, REGISTERS_END / 4);
    this.#bytes = new Uint8Array(buffer);
    this.ram = new DataView(buffer, RAM_AT, memory.size);
    this.caches = new TranslationCaches(buffer, memory.size / 4096);
    this.decoded = new DecodedPages(buffer, this.ram);
    this.#codeStores = new Uint8Array(memory.size / 4096);
    this.#touch = (page) => memory.touchPage(page);
    this.#hand = new HandAccess(this, buffer);
    memory.watch({
      guardedWritten: (page) => this.#forgetCode(page),
      baselined: () => this.caches.flushStores(),
    });
    this.reset(0n, MSR_SF | MSR_ME);
  }

  // --- State ------------------------------------------------------------------------------------------------------

  get msr(): bigint {
    return this.#long[AT.msr / 8] ?? 0n;
  }

  get fpscr(): bigint {
    return this.#long[AT.fpscr / 8] ?? 0n;
  }

  set fpscr(value: bigint) {
    this.#long[AT.fpscr / 8] = value;
  }

  get vscr(): bigint {
    return this.#long[AT.vscr / 8] ?? 0n;
  }

  set vscr(value: bigint) {
    this.#long[AT.vscr / 8] = value;
  }

  get pc(): bigint {
    return this.#long[AT.pc / 8] ?? 0n;
  }

  get icount(): number {
    return this.#number(AT.icount);
  }

  get summaryOverflow(): number {
    return this.#bytes[AT.so] ?? 0;
  }

  get faultAddress(): bigint {
    return this.#long[AT.faultAddress / 8] ?? 0n;
  }

  get little(): boolean {
    return ((this.#words[AT.msr / 4] ?? 0) & 1) !== 0;
  }

  /** Everything zero but what a POWER9 begins with; the clock goes on. */
  reset(pc: bigint, msr: bigint): void {
    const { icount } = this;
    this.#bytes.fill(0, REGISTERS_AT, REGISTERS_END);
    this.#setNumber(AT.icount, icount);
    this.#long[AT.reservation / 8] = MASK_64;
    this.#long[AT.pc / 8] = pc;
    this.specials[SPR.pvr] = PVR_POWER9;
    this.#expiry = this.timebase();
    this.setDecrementer(0x7fff_ffffn);
    this.pid = 0;
    this.authority = 0;
    this.fetchAuthority = 0;
    this.caches.flush();
    this.setMsr(msr);
  }

  exchange(state: StateStream): void {
    state.bytes(this.#bytes.subarray(REGISTERS_AT, AT.dataCache));
    state.bytes(this.#bytes.subarray(AT.vsr, REGISTERS_END));
    this.#expiry = state.u64(this.#expiry);
    if (!state.restoring) return;
    this.caches.flush();
    this.#decrementerChanged();
    this.#refreshWalk();
    this.setMsr(this.msr);
  }

  setMsr(value: bigint): void {
    const msr = (value & MSR_PR) === 0n ? value : value | MSR_EE | MSR_IR | MSR_DR;
    this.#long[AT.msr / 8] = msr;
    this.problemState = (msr & MSR_PR) !== 0n;
    const state = this.problemState ? 2 : 1;
    this.#dataCache = (msr & MSR_DR) === 0n ? 0 : state;
    this.#codeCache = ((msr & MSR_IR) === 0n ? 0 : 2 * state) + Number(msr & MSR_LE);
    this.#words[AT.dataCache / 4] = DATA_CACHE_AT + this.#dataCache * DATA_CACHE_BYTES;
    this.#words[AT.codeCache / 4] = CODE_CACHE_AT + this.#codeCache * CODE_CACHE_BYTES;
  }

  goTo(pc: bigint): void {
    this.#long[AT.pc / 8] = pc;
    this.#moved = true;
  }

  timebase(): bigint {
    return (this.#long[AT.icount / 8] ?? 0n) >> 1n;
  }

  decrementer(): bigint {
    return BigInt.asUintN(64, this.#expiry - this.timebase());
  }

  setDecrementer(value: bigint): void {
    this.#expiry = this.timebase() + BigInt.asIntN(DEC_BITS, value);
    this.#decrementerChanged();
  }

  setPid(value: bigint): void {
    this.specials[SPR.pid] = value;
    const pid = Number(BigInt.asUintN(32, value));
    if (pid === this.pid) return;
    this.pid = pid;
    this.caches.flushUser();
  }

  setAuthority(spr: number, value: bigint): void {
    this.specials[spr === SPR.amrUser ? SPR.amr : spr] = value;
    const before = this.authority + 4 * this.fetchAuthority;
    this.#refreshWalk();
    if (before !== this.authority + 4 * this.fetchAuthority) this.caches.flushKeyed();
  }

  /** Single pages are found by their address; everything larger forgets everything. */
  invalidate(operand: bigint, ric: number): void {
    const single = ((operand >> INVALIDATION_SET) & 3n) === 0n && ((operand >> ACTUAL_PAGE_SIZE) & 7n) === 0n;
    if (single && ric === 0) this.caches.flushPage(Number(operand & 0xffff_f000n));
    else this.caches.flush();
  }

  random(): bigint {
    return this.surroundings.random();
  }

  loadBytes(address: bigint, length: number): Uint8Array | undefined {
    return this.#hand.loadBytes(address, length);
  }

  storeBytes(address: bigint, bytes: Uint8Array): boolean {
    return this.#hand.storeBytes(address, bytes);
  }

  hypercall(): void {
    // The call returns behind itself.
    this.goTo(this.pc + 4n);
    const table = this.surroundings.processTable;
    this.surroundings.hypercall();
    if (table !== this.surroundings.processTable) {
      this.#refreshWalk();
      this.caches.flush();
    }
  }

  // --- Interrupts -------------------------------------------------------------------------------------------------

  interrupt(vector: number, status: bigint): void {
    const { msr } = this;
    const { lpcr } = this.surroundings;
    this.specials[SPR.srr0] = this.pc;
    this.specials[SPR.srr1] = (msr & ~0x783f_0000n) | status;
    let next = MSR_SF | (msr & MSR_ME) | ((lpcr & LPCR_ILE) === 0n ? 0n : MSR_LE);
    let at = BigInt(vector);
    const relocates = vector !== VECTOR.systemReset && vector !== VECTOR.machineCheck;
    if (relocates && (lpcr & LPCR_AIL) === AIL_RELOCATED && (msr & TRANSLATED) === TRANSLATED) {
      next |= TRANSLATED;
      at |= RELOCATED;
    }
    this.#long[AT.reservation / 8] = MASK_64;
    this.surroundings.halted = false;
    this.setMsr(next);
    this.goTo(at);
  }

  programInterrupt(reason: bigint): void {
    this.interrupt(VECTOR.program, reason);
  }

  alignmentInterrupt(): void {
    this.specials[SPR.dar] = this.faultAddress;
    this.interrupt(VECTOR.alignment, 0n);
  }

  facilityInterrupt(facility: number): void {
    const fscr = this.specials[SPR.fscr] ?? 0n;
    this.specials[SPR.fscr] = (fscr & ~(0xffn << FSCR_CAUSE_SHIFT)) | (BigInt(facility) << FSCR_CAUSE_SHIFT);
    this.interrupt(VECTOR.facilityUnavailable, 0n);
  }

  available(facility: 'float' | 'vector' | 'vsx'): boolean {
    const { bit, vector } = FACILITIES[facility];
    if ((this.msr & bit) !== 0n) return true;
    this.interrupt(vector, 0n);
    return false;
  }

  /** A data access without translation: raises the interrupt it deserves. */
  dataFault(address: bigint, fault: number, store: boolean): void {
    this.specials[SPR.dar] = address;
    if (fault < 0) {
      this.interrupt(VECTOR.dataSegment, 0n);
      return;
    }
    this.specials[SPR.dsisr] = BigInt((fault | (store ? FAULT.store : 0)) >>> 0);
    this.interrupt(VECTOR.dataStorage, 0n);
  }

  /** scv: LR and CTR take what SRR0 and SRR1 would; RI and EE stay. */
  systemCallVectored(level: number): void {
    const { msr } = this;
    const { lpcr } = this.surroundings;
    this.specials[SPR.lr] = this.pc + 4n;
    this.specials[SPR.ctr] = msr & ~0x783f_0000n;
    let next = MSR_SF | (msr & (MSR_ME | MSR_EE | MSR_RI)) | ((lpcr & LPCR_ILE) === 0n ? 0n : MSR_LE);
    let at = VECTORED;
    if ((lpcr & LPCR_AIL) === AIL_RELOCATED && (msr & TRANSLATED) === TRANSLATED) {
      next |= TRANSLATED;
      at = VECTORED_RELOCATED;
    }
    this.#long[AT.reservation / 8] = MASK_64;
    this.setMsr(next);
    this.goTo(at + 0x20n * BigInt(level));
  }

  returnFromVectored(): void {
    const target = (this.specials[SPR.lr] ?? 0n) & ~3n;
    this.setMsr((this.specials[SPR.ctr] ?? 0n) & ~0x783f_0000n);
    this.#long[AT.reservation / 8] = MASK_64;
    this.goTo(target);
  }

  // --- Running ----------------------------------------------------------------------------------------------------

  /**
   * Runs until so many instructions have started since the machine began, or somebody asked for a stop, or nothing
   * can ever happen any more without input from outside: false then.
   */
  run(until: number): boolean {
    while (!this.stopRequested) {
      const now = this.icount;
      if (now >= until) return true;
      const event = this.surroundings.nextEvent();
      if (event <= now) {
        this.surroundings.reach(now);
        continue;
      }
      this.#takeInterrupts(now);
      const end = Math.min(until, event, now < this.#decrementerDue ? this.#decrementerDue : Infinity);
      if (this.surroundings.halted) {
        if (end === Infinity) {
          // What wakes it comes at a whole tick.
          this.#setNumber(AT.icount, now + (now % 2));
          return false;
        }
        this.#setNumber(AT.icount, end);
        this.surroundings.reach(end);
        continue;
      }
      const why = this.#run(Math.min(end - now, BUDGET_MAX));
      // A fetch belongs to the next instruction, and it is not its turn before what is due here.
      if (why !== WHY.fetch || this.icount < end) this.#serve(why);
    }
    return true;
  }

  #takeInterrupts(now: number): void {
    const pending =
      (this.surroundings.external() ? PENDING_EXTERNAL : 0) |
      (now >= this.#decrementerDue ? PENDING_DECREMENTER : 0);
    if (pending !== 0 && (this.msr & MSR_EE) !== 0n) {
      this.interrupt((pending & PENDING_EXTERNAL) === 0 ? VECTOR.decrementer : VECTOR.external, 0n);
    }
    this.#words[AT.pending / 4] = pending;
  }

  #serve(why: number): void {
    if (why === WHY.load) this.#missed('load');
    else if (why === WHY.assist) this.#assist();
    else if (why === WHY.store) this.#missed('store');
    else if (why === WHY.fetch) this.#fetch();
    else if (why === WHY.decode) this.#decode();
  }

  #missed(purpose: 'load' | 'store'): void {
    const words = this.#words;
    const high = words[AT.faultAddress / 4 + 1] ?? 0;
    const low = words[AT.faultAddress / 4] ?? 0;
    const wide = this.wide;
    if (!wide && high !== 0) {
      // In 32-bit mode the high half of an address does not count: no cached translation can know that.
      this.#byHand();
      return;
    }
    if (!this.translate(high, low, purpose)) {
      this.#countOne();
      this.dataFault(this.#address(high, low), this.#walker.result.fault, purpose === 'store');
      return;
    }
    const { page, privileged } = this.#walker.result;
    const crosses = (low & 0xfff) > 4096 - 128 && this.#hand.crosses(this.#word(), low);
    const isCode = purpose === 'store' && page < this.ramBytes && this.decoded.has(page / 4096);
    if (page >= this.ramBytes || crosses || isCode) {
      this.#byHand();
      return;
    }
    if (purpose === 'store') this.#memory.touchPage(page / 4096);
    const keyed = this.#dataCache === 1 && !privileged;
    this.caches.fillData(this.#dataCache, high, low, page, purpose === 'store', keyed);
  }

  /** Carries the instruction out without the interpreter, and counts it. */
  #byHand(): void {
    this.#countOne();
    this.#moved = false;
    this.#hand.perform(this.#word());
    if (!this.#moved) this.#long[AT.pc / 8] = this.#cut(this.pc + 4n);
  }

  #assist(): void {
    const word = this.#word();
    const row = INSTRUCTIONS[rowOf(word)];
    this.#moved = false;
    if (row?.assist === undefined) this.programInterrupt(PROGRAM.illegal);
    else row.assist(this, word);
    if (!this.#moved) this.#long[AT.pc / 8] = this.#cut(this.pc + 4n);
  }

  #fetch(): void {
    const words = this.#words;
    if (!this.wide) words[AT.pc / 4 + 1] = 0;
    const high = words[AT.pc / 4 + 1] ?? 0;
    const low = words[AT.pc / 4] ?? 0;
    if (!this.translate(high, low, 'fetch') || this.#walker.result.page >= this.ramBytes) {
      this.#countOne();
      const { fault } = this.#walker.result;
      if (fault < 0) this.interrupt(VECTOR.instructionSegment, 0n);
      else this.interrupt(VECTOR.instructionStorage, BigInt(fault === 0 ? FAULT.noTranslation : fault));
      return;
    }
    const { page, privileged } = this.#walker.result;
    const number = page / 4096;
    if (!this.decoded.has(number)) {
      if (this.caches.isWritable(number)) this.caches.flushStores();
      this.#memory.guard(number);
      this.#codeStores[number] = 0;
    }
    let decoded = this.decoded.of(number, this.little);
    if (decoded === 0) {
      this.decoded.clear();
      this.caches.flush();
      decoded = this.decoded.of(number, this.little);
      this.#memory.guard(number);
    }
    this.caches.fillCode(this.#codeCache, high, low, decoded, this.#codeCache >> 1 === 1 && !privileged);
  }

  #decode(): void {
    const low = this.#words[AT.pc / 4] ?? 0;
    this.decoded.decode(this.#decodedHere(), low & 0xffc);
  }

  /** The instruction under way. */
  #word(): number {
    return this.decoded.wordAt(this.#decodedHere(), (this.#words[AT.pc / 4] ?? 0) & 0xffc);
  }

  #decodedHere(): number {
    const high = this.#words[AT.pc / 4 + 1] ?? 0;
    const low = this.#words[AT.pc / 4] ?? 0;
    return this.caches.decodedOf(this.#codeCache, high, low) ?? 0;
  }

  // --- Memory -----------------------------------------------------------------------------------------------------

  /** Finds the real address of a page; where there is none, the walker's result says why. */
  translate(high: number, low: number, purpose: Purpose): boolean {
    const translated = purpose === 'fetch' ? this.#codeCache >> 1 !== 0 : this.#dataCache !== 0;
    if (translated) return this.#walker.walk(this, high, low, purpose, this.#touch);
    const { result } = this.#walker;
    result.page = (high & 0x0fff_ffff) * TWO_32 + ((low & -4096) >>> 0);
    result.privileged = true;
    result.fault = 0;
    return true;
  }

  get translated(): RadixWalker['result'] {
    return this.#walker.result;
  }

  /** Before the processor stores into a page of RAM by hand: decoded instructions there are forgotten. */
  storing(page: number, offset: number, bytes: number): void {
    if (!this.decoded.has(page)) {
      this.#memory.touchPage(page);
      return;
    }
    const stores = (this.#codeStores[page] ?? 0) + 1;
    this.#codeStores[page] = stores;
    if (stores >= CODE_STORES_MAX) {
      // Touching ends the guard, which forgets the page.
      this.#memory.touchPage(page);
      return;
    }
    this.decoded.reset(page, offset, bytes);
    this.#quietly(page);
  }

  /** Counts the page as touched, and keeps what was decoded of it. */
  #quietly(page: number): void {
    this.#keeping = true;
    this.#memory.touchPage(page);
    this.#keeping = false;
    this.#memory.guard(page);
  }

  #keeping = false;

  #forgetCode(page: number): void {
    if (this.#keeping) return;
    this.decoded.drop(page);
    this.caches.flushCode();
  }

  #refreshWalk(): void {
    const table = this.surroundings.processTable;
    this.tableHigh = Number(table >> 32n) >>> 0;
    this.tableLow = Number(table & 0xffff_ffffn);
    this.pid = Number(BigInt.asUintN(32, this.specials[SPR.pid] ?? 0n));
    this.authority = Number((this.specials[SPR.amr] ?? 0n) >> 62n);
    this.fetchAuthority = Number((this.specials[SPR.iamr] ?? 0n) >> 62n);
  }

  // --- Numbers ----------------------------------------------------------------------------------------------------

  get wide(): boolean {
    return ((this.#words[AT.msr / 4 + 1] ?? 0) & 0x8000_0000) !== 0;
  }

  #cut(address: bigint): bigint {
    return this.wide ? BigInt.asUintN(64, address) : address & 0xffff_ffffn;
  }

  #address(high: number, low: number): bigint {
    return (BigInt(high) << 32n) | BigInt(low);
  }

  #countOne(): void {
    this.#setNumber(AT.icount, this.icount + 1);
  }

  #decrementerChanged(): void {
    this.#decrementerDue = Number(this.#expiry + 1n) * 2;
  }

  #number(at: number): number {
    return (this.#words[at / 4 + 1] ?? 0) * TWO_32 + (this.#words[at / 4] ?? 0);
  }

  #setNumber(at: number, value: number): void {
    this.#words[at / 4] = value % TWO_32;
    this.#words[at / 4 + 1] = Math.floor(value / TWO_32);
  }
}

const FACILITIES = {
  float: { bit: MSR_FP, vector: VECTOR.floatUnavailable },
  vector: { bit: MSR_VEC, vector: VECTOR.vectorUnavailable },
  vsx: { bit: MSR_VSX, vector: VECTOR.vsxUnavailable },
} as const;
