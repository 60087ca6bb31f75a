/**
 * The agent: what runs inside a real QEMU in place of a kernel. It takes programs of records from memory and executes
 * each as a guest's CPU would: one instruction in any MSR (byte order, problem state), a copy, a wait. Between programs
 * it sits in H_RANDOM, whose entropy comes from a pipe that we answer when the next program is ready.
 *
 * It stands at real address AGENT_BASE and runs translated, at EA 0xc000… of PID 0's tree; the guest that is being played
 * has all other RAM, from address 0 on, through PID 1's tree, which maps every address to itself. Interrupts come to
 * 0xc000_0000_0000_4000 (AIL 3), so that nothing of ours stands where guests and devices write.
 */
import { Assembler, indexed, scWord } from './assembler.ts';

/** Real address of everything that is ours; 2 MiB aligned, as its leaf pages want. */
export const AGENT_BASE = 0x0800_0000;
/** Bytes that are ours: page tables, code, and programs with their data. */
const AGENT_BYTES = 0x0100_0000;
const HIGH = 0xc000_0000_0000_0000n;
const VECTORS = 0x4000;
const CODE = 0x6000;
const SNIPPETS = 0x7000;
const PROCESS_TABLE = 0x1_0000;
const TREES = 0x2_0000;
/** Programs begin here, from AGENT_BASE. */
export const PROGRAM = 0x20_0000;
/** Bytes that copies take from, from AGENT_BASE. */
export const STAGING = 0x80_0000;
/** Where the boot code leaves the device tree's address and the answers to its two hypercalls. */
export const BOOT_MAILBOX = 0x3000;

/** A record: what is to be done, and in the same place what came of it. Offsets in bytes, all big-endian. */
export const RECORD_BYTES = 128;
export const RECORD = {
  operation: 0,
  /** 0 not reached, DONE, WAITED_IN_VAIN, or the interrupt vector that ended it. */
  outcome: 4,
  /** EXECUTE: EA of the instruction. COPY: EA to take from. WAIT: address. */
  target: 8,
  /** EXECUTE: MSR. COPY: address to put to. WAIT: the halfword to wait for, as a big-endian CPU loads it. */
  msr: 16,
  /** COPY: bytes. WAIT: timebase ticks at most. */
  amount: 24,
  /** r3 … r12 before, then after. */
  registers: 32,
  srr0: 112,
  dar: 120,
} as const;

export const OPERATION = { end: 0, execute: 1, copy: 2, wait: 3, barrier: 4 } as const;
export const DONE = 1;
export const WAITED_IN_VAIN = 2;

const H_RANDOM = 0x300;
const H_REGISTER_PROC_TBL = 0x37c;
const H_SET_MODE = 0x31c;
const CTR = 9;
const SRR0 = 26;
const SRR1 = 27;
const DAR = 19;
const DEC = 22;
const PIDR = 48;
const MSR_LE = 1n;
const MSR_RI = 2n;
const MSR_DR = 0x10n;
const MSR_IR = 0x20n;
const MSR_ME = 0x1000n;
const MSR_PR = 0x4000n;
const MSR_EE = 0x8000n;
const TRANSLATED: bigint = (1n << 63n) | MSR_ME | MSR_IR | MSR_DR | MSR_RI;

/** The MSR that a snippet runs with, given the guest's: byte order and problem state are the guest's. */
export function snippetMsr(guest: bigint, listening = false): bigint {
  return TRANSLATED | (guest & (MSR_LE | MSR_PR)) | (listening ? MSR_EE : 0n);
}

/** One instruction each, r3 the value and r4 the address; `…x` are those of the byte order that is not the CPU's. */
export type Instruction =
  | 'hcall'
  | 'nop'
  | 'load1'
  | 'load2'
  | 'load4'
  | 'load8'
  | 'store1'
  | 'store2'
  | 'store4'
  | 'store8'
  | 'load2x'
  | 'load4x'
  | 'load8x'
  | 'store2x'
  | 'store4x'
  | 'store8x';

const INSTRUCTIONS: Readonly<Record<Instruction, number>> = {
  hcall: scWord(1),
  nop: 0x6000_0000,
  load1: indexed(3, 4, 87),
  load2: indexed(3, 4, 279),
  load4: indexed(3, 4, 23),
  load8: indexed(3, 4, 21),
  store1: indexed(3, 4, 215),
  store2: indexed(3, 4, 407),
  store4: indexed(3, 4, 151),
  store8: indexed(3, 4, 149),
  load2x: indexed(3, 4, 790),
  load4x: indexed(3, 4, 534),
  load8x: indexed(3, 4, 532),
  store2x: indexed(3, 4, 918),
  store4x: indexed(3, 4, 662),
  store8x: indexed(3, 4, 660),
};
const NAMES = Object.keys(INSTRUCTIONS) as Instruction[];

/** EA of an instruction's snippet for a CPU of that byte order. */
export function snippetOf(name: Instruction, littleEndian: boolean): bigint {
  return HIGH + BigInt(SNIPPETS + 32 * NAMES.indexOf(name) + (littleEndian ? 16 : 0));
}

/** EA of a place in the staging area. */
export function stagingEa(offset: number): bigint {
  return HIGH + BigInt(STAGING + offset);
}

/** What QEMU loads at address 0: it parks at once, and when the rest stands, turns translation on and goes there. */
export function bootImage(): Uint8Array {
  const code = new Assembler(0x100)
    .std(3, BOOT_MAILBOX, 0)
    .li(3, H_RANDOM)
    .sc(1)
    .li(3, H_REGISTER_PROC_TBL)
    .li(4, 0x1d)
    .constant(5, BigInt(AGENT_BASE + PROCESS_TABLE))
    .li(6, 0)
    .li(7, 0)
    .sc(1)
    .std(3, BOOT_MAILBOX + 8, 0)
    .li(3, H_SET_MODE)
    .li(4, 3)
    .li(5, 3)
    .li(6, 0)
    .li(7, 0)
    .sc(1)
    .std(3, BOOT_MAILBOX + 16, 0)
    .li(3, 1)
    .mtspr(PIDR, 3)
    .constant(3, HIGH + BigInt(CODE))
    .mtspr(SRR0, 3)
    .constant(3, TRANSLATED)
    .mtspr(SRR1, 3)
    .rfid()
    .bytes();
  const image = new Uint8Array(0x1000);
  image.set(code, 0x100);
  return image;
}

/** What stands from AGENT_BASE on when the boot code goes on. */
export function agentImage(): Uint8Array {
  const image = new Uint8Array(PROGRAM);
  const view = new DataView(image.buffer);
  writeTrees(view);
  image.set(mainLoop(), CODE);
  for (let vector = 0x100; vector < 0x1000; vector += 0x80) image.set(vectorCode(vector), VECTORS + vector);
  for (const [index, name] of NAMES.entries()) {
    for (const little of [false, true]) {
      const at = SNIPPETS + 32 * index + (little ? 16 : 0);
      const words = [INSTRUCTIONS[name], ...(name === 'nop' ? [INSTRUCTIONS.nop] : []), scWord(0)];
      for (const [i, word] of words.entries()) view.setUint32(at + 4 * i, word, little);
    }
  }
  return image;
}

/** From the end of the main loop: where every interrupt goes, r14 holding which it was. */
const TAKEN = 0x400;

function vectorCode(vector: number): Uint8Array {
  return new Assembler(VECTORS + vector)
    .outside('taken', CODE + TAKEN)
    .li(14, vector === 0xc00 ? DONE : vector)
    .b('taken')
    .bytes();
}

/** r31 is the record; hypercalls keep r14 … r31, and snippets touch no other than r3. */
function mainLoop(): Uint8Array {
  const R = RECORD;
  const loop = new Assembler(CODE);
  loop.label('park').li(3, H_RANDOM).sc(1);
  loop.constant(31, HIGH + BigInt(PROGRAM));
  loop.label('record').constant(3, 0x7fff_ffffn).mtspr(DEC, 3);
  loop.lwz(0, R.operation, 31);
  loop.cmpwi(0, OPERATION.execute).beq('execute');
  loop.cmpwi(0, OPERATION.copy).beq('copy');
  loop.cmpwi(0, OPERATION.wait).beq('wait');
  loop.cmpwi(0, OPERATION.barrier).beq('barrier');
  loop.b('park');

  loop.label('execute').ld(14, R.target, 31).mtspr(SRR0, 14).ld(14, R.msr, 31).mtspr(SRR1, 14);
  for (let i = 0; i < 10; i++) loop.ld(3 + i, R.registers + 8 * i, 31);
  loop.rfid();

  loop.label('copy').ld(5, R.amount, 31).mtspr(CTR, 5).ld(3, R.target, 31).ld(4, R.msr, 31);
  loop.label('byte').lbz(6, 0, 3).stb(6, 0, 4).addi(3, 3, 1).addi(4, 4, 1).bdnz('byte');
  loop.label('done').li(14, DONE).b('next');

  loop.label('wait').ld(3, R.target, 31).ld(4, R.msr, 31).ld(5, R.amount, 31).mftb(7);
  loop.label('look').lhz(6, 0, 3).cmpd(6, 4).beq('done');
  loop.mftb(8).subf(8, 7, 8).cmpd(8, 5).ble('look');
  loop.std(6, R.registers, 31).li(14, WAITED_IN_VAIN).b('next');

  loop.label('barrier').li(3, H_RANDOM).sc(1).b('done');
  loop.label('next').stw(14, R.outcome, 31).addi(31, 31, RECORD_BYTES).b('record');

  const taken = new Assembler(CODE + TAKEN);
  for (let i = 0; i < 10; i++) taken.std(3 + i, R.registers + 8 * i, 31);
  taken.mfspr(3, SRR0).std(3, R.srr0, 31).mfspr(3, DAR).std(3, R.dar, 31);
  const code = new Uint8Array(0x800);
  code.set(loop.bytes(), 0);
  taken.outside('next', loop.addressOf('next')).b('next');
  code.set(taken.bytes(), TAKEN);
  return code;
}

// --- Radix trees (Power ISA 3.0B, book III, 5.7.10): 52 bits in levels of 13, 9, 9 and 9 --------------------------

const VALID = 1n << 63n;
const LEAF = 1n << 62n;
const REFERENCED_CHANGED = 0x180n;
const READ_WRITE_EXECUTE = 7n;
const NON_IDEMPOTENT = 0x20n;
/** 52 bits of address: the field counts from 31, in two parts. */
const TREE_SIZE: bigint = (0x5n << 5n) | (0x2n << 61n);
const ROOT_BITS = 13n;
const ROOT_BYTES = 0x1_0000;
const TABLE_BYTES = 0x1000;
const GIBIBYTE: bigint = 1n << 30n;
/** 512 GiB pieces that a guest's loads and stores reach, by number: RAM, then the host bridge's windows of every machine. */
const GUEST_PIECES: readonly number[] = [0, 2, 3, 64, 65, 66, 67, 68];

function writeTrees(view: DataView): void {
  const ours = TREES;
  const guests = TREES + ROOT_BYTES;
  let free = guests + ROOT_BYTES;
  const take = (): number => {
    const at = free;
    free += TABLE_BYTES;
    return at;
  };
  const real = (at: number): bigint => BigInt(AGENT_BASE + at);
  const link = (at: number, table: number): void => view.setBigUint64(at, VALID | real(table) | 9n);
  view.setBigUint64(PROCESS_TABLE, TREE_SIZE | real(ours) | ROOT_BITS);
  view.setBigUint64(PROCESS_TABLE + 16, TREE_SIZE | real(guests) | ROOT_BITS);

  const second = take();
  const third = take();
  link(ours, second);
  link(second, third);
  const leaf = VALID | LEAF | REFERENCED_CHANGED | READ_WRITE_EXECUTE;
  for (let i = 0; i < AGENT_BYTES >> 21; i++)
    view.setBigUint64(third + 8 * i, leaf | (real(0) + BigInt(i) * 0x20_0000n));

  for (const piece of GUEST_PIECES) {
    const table = take();
    link(guests + 8 * piece, table);
    const kind = piece === 0 ? leaf : leaf | NON_IDEMPOTENT;
    for (let i = 0; i < 512; i++)
      view.setBigUint64(table + 8 * i, kind | (BigInt(piece * 512 + i) * GIBIBYTE));
  }
}
