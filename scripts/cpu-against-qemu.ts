// Holds random single instructions against QEMU's user-mode emulation: `npm run cpu:qemu -- 1000000 [seed]`. A small
// program, built by the cross compiler, runs each instruction on many random states; the same states go through our
// processor, and every register, CR, XER, FPSCR and VSR is compared. What the architecture leaves undefined is a row of
// UNDEFINED with its reason. Without qemu-ppc64le or powerpc64le-linux-gnu-gcc the script says so and ends with status 0.
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { join } from 'node:path';
import { LoneProcessor } from '../src/emu/cpu/lone-processor.ts';
import { MSR_FP, MSR_LE, MSR_ME, MSR_SF, MSR_VEC, MSR_VSX } from '../src/emu/cpu/abi.ts';
import { AT } from '../src/emu/cpu/layout.ts';
import { INSTRUCTIONS } from '../src/emu/cpu/isa/table.ts';
import type { Instruction } from '../src/emu/cpu/isa/row.ts';
import { Rng } from '../src/emu/core/rng.ts';

const STATES = 32;
/** Doublewords of a state: r0 … r31, CR, XER, FPSCR, VSCR, then two for each VSR. */
const DOUBLEWORDS = 36 + 128;
const CR = 32;
const XER = 33;
const FPSCR = 34;
const VSCR = 35;
const VSR = 36;

const ASSEMBLY = `
 .globl runit, slot, ctx
 .machine power9
 .text
runit: mflr 0
 std 0,16(1)
 stdu 1,-512(1)
 .irp r,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
 std \\r,(\\r-14)*8+64(1)
 .endr
 mfcr 0
 std 0,48(1)
 lis 3,save@ha
 addi 3,3,save@l
 std 1,0(3)
 std 2,8(3)
 std 13,16(3)
 lis 3,ctx@ha
 addi 3,3,ctx@l
 lfd 0,272(3)
 mtfsf 255,0
 ld 4,280(3)
 std 4,1320(3)
 addi 4,3,1312
 lxvd2x 32,0,4
 mtvscr 0
 addi 4,3,288
 .irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63
 lxvd2x \\r,0,4
 addi 4,4,16
 .endr
 ld 0,264(3)
 mtxer 0
 ld 0,256(3)
 mtcrf 255,0
 .irp r,0,1,2,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
 ld \\r,\\r*8(3)
 .endr
 ld 3,24(3)
slot: nop
 mtctr 3
 lis 3,ctx@ha
 addi 3,3,ctx@l
 .irp r,0,1,2,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
 std \\r,\\r*8(3)
 .endr
 mfctr 4
 std 4,24(3)
 mfcr 4
 std 4,256(3)
 mfxer 4
 std 4,264(3)
 addi 4,3,288
 .irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63
 stxvd2x \\r,0,4
 addi 4,4,16
 .endr
 mffs 0
 stfd 0,272(3)
 mfvscr 0
 addi 4,3,1312
 stxvd2x 32,0,4
 ld 5,1320(3)
 std 5,280(3)
 lis 3,save@ha
 addi 3,3,save@l
 ld 1,0(3)
 ld 2,8(3)
 ld 13,16(3)
 ld 0,48(1)
 mtcrf 255,0
 .irp r,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
 ld \\r,(\\r-14)*8+64(1)
 .endr
 addi 1,1,512
 ld 0,16(1)
 mtlr 0
 blr
 .bss
 .balign 16
ctx: .space 1344
save: .space 32
`;

const PROGRAM = `
typedef unsigned long u64; typedef unsigned u32;
extern u32 slot; extern u64 ctx[168]; void runit(void);
static long sc(long n, long a, long b, long c) {
  register long r0 asm("r0") = n; register long r3 asm("r3") = a; register long r4 asm("r4") = b; register long r5 asm("r5") = c;
  asm volatile("sc" : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5) : : "memory", "cr0", "ctr", "lr", "r6", "r7", "r8", "r9", "r10", "r11", "r12");
  return r3;
}
static u64 in[1 + ${STATES} * ${DOUBLEWORDS}];
void cmain(void) {
  for (;;) {
    unsigned long got = 0;
    while (got < sizeof in) { long r = sc(3, 0, (long)in + got, sizeof in - got); if (r <= 0) sc(234, 0, 0, 0); got += r; }
    slot = (u32)in[0];
    asm volatile("dcbst 0,%0; sync; icbi 0,%0; isync" : : "r"(&slot) : "memory");
    for (int k = 0; k < ${STATES}; k++) {
      u64 *p = in + 1 + k * ${DOUBLEWORDS};
      for (int i = 0; i < ${DOUBLEWORDS}; i++) ctx[i] = p[i];
      runit();
      for (int i = 0; i < ${DOUBLEWORDS}; i++) p[i] = ctx[i];
    }
    unsigned long done = 0;
    while (done < sizeof in) done += sc(4, 1, (long)in + done, sizeof in - done);
  }
}
asm(".globl _start\\n_start: lis 2,.TOC.@ha\\n addi 2,2,.TOC.@l\\n bl cmain\\n");
`;

/** Loads and stores, branches, and what only a whole machine answers. */
const LEFT_OUT =
  /^(sync|eieio|isync|dss|dst|cp_abort|b|bc|bclr|bcctr|bctar|sc|scv|rfid|rfscv|mtmsrd?|mfmsr|m[ft]spr|mftb|tlbi|slb|darn|t[wd]i?$|addpcis|dcb|ic|wait|l[bhwd]|st|lf|lx|lve|lvx)/;
const isMemory = (row: Instruction): boolean => row.access !== undefined || LEFT_OUT.test(row.name);
const ROWS = INSTRUCTIONS.filter((row) => !isMemory(row));

/** Reserved fields, which QEMU 7.2 finds illegal when they are set and a processor ignores. */
const RESERVED: readonly (readonly [names: RegExp, bits: number])[] = [
  [/^(ext[sb].|ext.w$|cntl|cntt|popcnt|prty|neg|addze|addme|subfze|subfme)/, 0xf800],
  [/^(popcnt|prty|cmpb|cr[a-z]+|mcrf|mcrxrx|mfcr|mtcrf|setb|isel|mod|cmp$|cmpl$|cmprb|cmpeqb)/, 1],
  [/^(cmp|cmpl|cmpi|cmpli|cmprb|cmpeqb)$/, 0x40_0000],
  [/^cmpeqb$/, 0x60_0000],
  [/^mulh/, 0x400],
  [/^mcrf$/, 0x63_f800],
  [/^mcrxrx$/, 0x7f_f800],
  [/^setb$/, 0x3_f800],
  [/^mfcr$/, 0x0f_f801 | 0x10_0000],
  [/^mtcrf$/, 0x801 | 0x10_0000],
  [/^extswsli$/, 0],
  [/^(f[mn]?[a-z]*|fcmp.)$/, 0],
  [/^(fadd|fsub|fdiv)s?$/, 0x7c0],
  [/^fmuls?$/, 0xf800],
  [/^(fsqrt|fre|frsqrte)s?$/, 0x1f_07c0],
  [/^(fct|fcf|frsp|fri|fmr$|fneg|fabs|fnabs)/, 0x1f_0000],
  [/^fcmp/, 0x60_0001],
  [/^fmrg/, 1],
  [/^mffs$/, 0x1f_f800],
  [/^mtfs/, 0x20_0800],
  [/^mtfsfi$/, 0x7f_0800],
  [/^mtfsb/, 0x1f_f800],
  [/^mtfsf$/, 0x201_0000],
  [/\(VSX\)$|^xs(cv|r|sqrt)|^xxspltw|^xvcv/, 0x1c_0000],
  [/\(VSX\)$|^xs(cvdp|cvsp|rdp|sqrt|rsp)/, 0x1f_0000],
  [/^xscmp/, 0x60_0001],
  [/^(mf|mt)vsr/, 0xf800],
  [/^(vclz|vpopcnt|vupk|vgbbd|vspltis)/, 0],
  [/^(vupk|vclz|vpopcnt|vgbbd)/, 0x1f_0000],
  [/^vspltis/, 0xf800],
  [/^vspltb/, 0x10_0000],
  [/^vsplth/, 0x18_0000],
  [/^vspltw/, 0x1c_0000],
  [/^mfvscr/, 0x1f_f800],
  [/^mtvscr/, 0x3ff_0000],
  [/^vsldoi$/, 0x400],
  [/^(xxextractuw|xxinsertw)$/, 0x1c_0000 & 0x10_0000],
  [/^xxspltib$/, 0x18_0000],
  [/^lvs[lr]$/, 1],
  [/^vextract|^vinsert/, 0x10_0000],
  [/^(mtvsrdd)$/, 0],
];

function tidied(row: Instruction, word: number): number {
  let bits = 0;
  for (const [names, reserved] of RESERVED) if (names.test(row.name)) bits |= reserved;
  // mtvsrdd has a second source where its like have none.
  return (word & ~(row.name === 'mtvsrdd' ? 0 : bits)) >>> 0;
}

interface Undefined {
  readonly names: RegExp;
  readonly reason: string;
  /** Which doublewords of the state do not count, given the instruction and the state before. */
  readonly hides: (word: number, index: number, before: BigUint64Array) => boolean;
}

const RC = 1;
const UNDEFINED: readonly Undefined[] = [
  {
    names: /^(divw|divwu|divd|divdu|mods[wd]|modu[wd])$/,
    reason: 'a quotient that does not exist is undefined, and CR0 with it (book I 3.3.9)',
    hides: (word, index, before) => {
      const target = (word >>> 21) & 31;
      const [x, y] = [before[(word >>> 16) & 31] ?? 0n, before[(word >>> 11) & 31] ?? 0n];
      const low = BigInt.asUintN(32, y);
      const none =
        y === 0n ||
        low === 0n ||
        (y === (1n << 64n) - 1n && x === 1n << 63n) ||
        (low === 0xffff_ffffn && BigInt.asUintN(32, x) === 0x8000_0000n);
      return none && (index === target || (index === CR && (word & RC) !== 0));
    },
  },
  {
    names: /^vextract/,
    reason: 'bytes beyond the register are undefined (book I 6.8.4)',
    hides: (word, index) => ((word >>> 16) & 15) > 8 && (index - VSR) >> 1 === 32 + ((word >>> 21) & 31),
  },
  {
    names: /^vext \d to register/,
    reason: 'bytes beyond the register are undefined (book I 6.8.4)',
    hides: (word, index, before) =>
      index === ((word >>> 21) & 31) && Number((before[(word >>> 16) & 31] ?? 0n) & 15n) > 12,
  },
];

const MODES = 0x3n;

class States {
  readonly #rng: Rng;

  constructor(seed: string) {
    this.#rng = Rng.stream(seed, 'states');
  }

  below(bound: number): number {
    return this.#rng.below(bound);
  }

  u32(): number {
    return this.#rng.u32();
  }

  integer(): bigint {
    const kind = this.below(8);
    if (kind === 0) return BigInt.asUintN(64, BigInt(this.below(5)) - 2n);
    if (kind === 1) return 1n << BigInt(this.below(64));
    if (kind === 2) return BigInt.asUintN(64, BigInt.asIntN(32, this.#rng.u64()));
    if (kind === 3) return BigInt(this.u32());
    if (kind === 4) return (1n << 63n) - 1n + BigInt(this.below(3));
    return this.#rng.u64();
  }

  /** Doubles near each other, near the ends, NaNs, singles, integers, and anything. */
  double(): bigint {
    const kind = this.below(8);
    const sign = BigInt(this.below(2)) << 63n;
    if (kind === 0) return sign | (BigInt([0, 0x7ff, 1, 0x7fe][this.below(4)] ?? 0) << 52n);
    if (kind === 1) return sign | (0x7ffn << 52n) | (this.#rng.u64() >> 12n);
    if (kind === 2) return sign | (BigInt(1023 + this.below(70) - 5) << 52n) | (this.#rng.u64() >> 12n);
    if (kind === 3) return sign | (BigInt(1023 + this.below(8)) << 52n) | (BigInt(this.below(16)) << 48n);
    if (kind === 4) return sign | (BigInt(896 + this.below(4) - 26) << 52n) | (this.#rng.u64() >> 12n);
    if (kind === 5) return sign | BigInt(this.below(1000));
    return this.#rng.u64();
  }

  fill(state: BigUint64Array): void {
    for (let i = 0; i < 32; i++) state[i] = this.integer();
    state[CR] = BigInt(this.u32());
    state[XER] = BigInt(this.u32()) & 0xe00c_0000n;
    state[FPSCR] = BigInt(this.below(4)) & MODES;
    state[VSCR] = 0n;
    for (let i = VSR; i < DOUBLEWORDS; i++) state[i] = this.below(2) === 0 ? this.double() : this.integer();
  }

  instruction(): { readonly word: number; readonly row: Instruction } {
    const row = ROWS[this.below(ROWS.length)] as Instruction;
    return { row, word: tidied(row, (row.match | (this.u32() & ~row.mask)) >>> 0) };
  }
}

const CODE_AT = 0x2000;
const lone = new LoneProcessor(0x1_0000);
const bytes = new Uint8Array(lone.ram.buffer);
const FLAGS = [
  [AT.so, 31n],
  [AT.ov, 30n],
  [AT.ca, 29n],
  [AT.ov32, 19n],
  [AT.ca32, 18n],
] as const;

/** One state through our processor, in place; false if it took an interrupt. */
function runOurs(state: BigUint64Array): boolean {
  const { processor } = lone;
  processor.registers.set(state.subarray(0, 32));
  for (let i = 0; i < 8; i++)
    processor.condition[i] = Number(((state[CR] ?? 0n) >> BigInt(28 - 4 * i)) & 15n);
  for (const [at, shift] of FLAGS) bytes[at] = Number(((state[XER] ?? 0n) >> shift) & 1n);
  processor.fpscr = state[FPSCR] ?? 0n;
  processor.vscr = state[VSCR] ?? 0n;
  processor.vectors.set(state.subarray(VSR));
  processor.goTo(BigInt(CODE_AT));
  processor.run(processor.icount + 1);
  const went = processor.pc === BigInt(CODE_AT + 4);
  state.set(processor.registers.subarray(0, 32));
  state[CR] = processor.condition.reduce((sum, field) => (sum << 4n) | BigInt(field), 0n);
  state[XER] = FLAGS.reduce((sum, [at, shift]) => sum | (BigInt(bytes[at] ?? 0) << shift), 0n);
  state[FPSCR] = processor.fpscr;
  state[VSCR] = processor.vscr;
  state.set(processor.vectors, VSR);
  return went;
}

function nameOf(index: number): string {
  if (index < 32) return `r${index}`;
  return ['CR', 'XER', 'FPSCR', 'VSCR'][index - 32] ?? `vs${(index - VSR) >> 1}.${(index - VSR) & 1}`;
}

class Judge {
  compared = 0;
  hidden = 0;
  wrong = 0;
  readonly rows = new Set<string>();
  readonly #shown = new Map<string, number>();

  judge(
    row: Instruction,
    word: number,
    before: BigUint64Array,
    ours: BigUint64Array,
    theirs: BigUint64Array,
  ): void {
    this.compared++;
    this.rows.add(row.name);
    const differing: number[] = [];
    for (let i = 0; i < DOUBLEWORDS; i++) if (ours[i] !== theirs[i]) differing.push(i);
    if (differing.length === 0) return;
    const rule = UNDEFINED.find(({ names }) => names.test(row.name));
    const left = differing.filter((index) => rule?.hides(word, index, before) !== true);
    if (left.length === 0) {
      this.hidden++;
      return;
    }
    this.wrong++;
    const times = (this.#shown.get(row.name) ?? 0) + 1;
    this.#shown.set(row.name, times);
    if (times > 2) return;
    const show = (index: number): string =>
      `${nameOf(index)} ours ${(ours[index] ?? 0n).toString(16)} QEMU ${(theirs[index] ?? 0n).toString(16)} before ${(before[index] ?? 0n).toString(16)}`;
    const [a, b, c] = [(word >>> 16) & 31, (word >>> 11) & 31, (word >>> 6) & 31].map((n) =>
      (before[VSR + 2 * n] ?? 0n).toString(16),
    );
    process.stdout.write(
      `${row.name} ${word.toString(16)}: ${left.slice(0, 3).map(show).join('; ')} | fr ${a} ${b} ${c} rA ${(before[(word >>> 16) & 31] ?? 0n).toString(16)} rB ${(before[(word >>> 11) & 31] ?? 0n).toString(16)}\n`,
    );
  }

  get unequal(): string {
    return [...this.#shown].map(([name, times]) => `${name} ${times}`).join(', ');
  }
}

const BATCH_BYTES = 8 * (1 + STATES * DOUBLEWORDS);

/** QEMU with the harness; a form that it finds illegal ends the process, and the next batch begins another. */
class Qemu {
  readonly #harness: string;
  #child: ChildProcessByStdio<Writable, Readable, null>;
  #answers: AsyncIterator<Buffer>;
  #waiting: Buffer = Buffer.alloc(0);

  constructor(harness: string) {
    this.#harness = harness;
    this.#child = this.begin();
    this.#answers = this.#child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  begin(): ChildProcessByStdio<Writable, Readable, null> {
    const child = spawn('qemu-ppc64le', ['-cpu', 'power9', this.#harness], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => undefined);
    return child;
  }

  /** The states afterwards; undefined if the instruction ended QEMU. */
  async ask(batch: BigUint64Array<ArrayBuffer>): Promise<BigUint64Array | undefined> {
    this.#child.stdin.write(new Uint8Array(batch.buffer));
    while (this.#waiting.length < BATCH_BYTES) {
      const next = await this.#answers.next();
      if (next.done === true) {
        this.#child = this.begin();
        this.#answers = this.#child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
        this.#waiting = Buffer.alloc(0);
        return undefined;
      }
      this.#waiting = Buffer.concat([this.#waiting, next.value]);
    }
    const given = this.#waiting.subarray(0, BATCH_BYTES);
    this.#waiting = this.#waiting.subarray(BATCH_BYTES);
    return new BigUint64Array(given.buffer.slice(given.byteOffset, given.byteOffset + BATCH_BYTES)).subarray(
      1,
    );
  }

  end(): void {
    this.#child.kill();
  }
}

function readyToRun(): void {
  lone.start(CODE_AT, true);
  lone.processor.setMsr(MSR_SF | MSR_ME | MSR_LE | MSR_FP | MSR_VEC | MSR_VSX);
}

async function main(cases: number, seed: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'papyrus-qemu-'));
  const harness = build(folder);
  if (harness === undefined) return 0;
  const states = new States(seed);
  const judge = new Judge();
  const qemu = new Qemu(harness);
  const refused = new Map<string, number>();
  readyToRun();
  while (judge.compared < cases) {
    if (judge.compared % 100_000 < STATES) process.stderr.write(`${judge.compared} cases\n`);
    const { row, word } = states.instruction();
    const batch = new BigUint64Array(1 + STATES * DOUBLEWORDS);
    const of = (all: BigUint64Array, k: number): BigUint64Array =>
      all.subarray(k * DOUBLEWORDS, (k + 1) * DOUBLEWORDS);
    batch[0] = BigInt(word);
    const before = batch.subarray(1);
    for (let k = 0; k < STATES; k++) states.fill(of(before, k));
    lone.poke32(CODE_AT, word, true);
    const ours = batch.slice(1);
    const went = Array.from({ length: STATES }, (_, k) => runOurs(of(ours, k)));
    if (went.includes(false)) readyToRun();
    const theirs = await qemu.ask(batch);
    if (theirs === undefined) {
      if (!went.includes(false)) refused.set(row.name, (refused.get(row.name) ?? 0) + 1);
      continue;
    }
    for (let k = 0; k < STATES; k++) judge.judge(row, word, of(before, k), of(ours, k), of(theirs, k));
  }
  qemu.end();
  rmSync(folder, { recursive: true });
  if (refused.size > 0) {
    const names = [...refused].map(([name, times]) => `${name} ${times}`).join(', ');
    process.stdout.write(`illegal in QEMU with reserved bits set, and run here: ${names}\n`);
  }
  const { compared, rows, hidden, wrong, unequal } = judge;
  process.stdout.write(
    `${compared} cases of ${rows.size} instructions compared, ${hidden} differ where nothing is defined, ${wrong} mismatches${wrong === 0 ? '' : `: ${unequal}`}\n`,
  );
  return wrong === 0 ? 0 : 1;
}

function build(folder: string): string | undefined {
  writeFileSync(join(folder, 'h.S'), ASSEMBLY);
  writeFileSync(join(folder, 'h.c'), PROGRAM);
  const out = join(folder, 'harness');
  const flags = [
    '-O1',
    '-static',
    '-nostdlib',
    '-ffreestanding',
    '-fno-stack-protector',
    '-mcpu=power8',
    '-Wl,-N',
    '-Wl,-z,execstack',
  ];
  const built = spawnSync(
    'powerpc64le-linux-gnu-gcc',
    [...flags, '-o', out, join(folder, 'h.c'), join(folder, 'h.S')],
    { encoding: 'utf8' },
  );
  const has = spawnSync('qemu-ppc64le', ['--version']).status === 0;
  if (built.status === 0 && has) return out;
  process.stdout.write(
    `skipped: ${has ? `powerpc64le-linux-gnu-gcc cannot build the harness ${built.stderr ?? ''}` : 'there is no qemu-ppc64le'}\n`,
  );
  return undefined;
}

process.exitCode = await main(Number(process.argv[2] ?? 100_000), process.argv[3] ?? 'qemu');
