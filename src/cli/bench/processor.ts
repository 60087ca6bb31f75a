import { LoneProcessor } from '../../emu/cpu/lone-processor.ts';
import type { Figure } from './measure.ts';

const RAM_BYTES = 0x10_0000;
const CODE_AT = 0x1000;
const DATA_AT = 0x8_0000;
const DATA_BYTES = 0x4_0000;
const INSTRUCTIONS = 20_000_000;
const INSTRUCTIONS_QUICK = 4_000_000;
const ROUNDS = 5;

/** Adds and hashes words of 256 KiB and writes them back, for ever: eight instructions a turn, one turn in 64 calls. */
const LOOP = [
  0x7cc4_282e, // lwzx r6,r4,r5
  0x1cc6_0025, // mulli r6,r6,37
  0x7ce7_3214, // add r7,r7,r6
  0x54e8_2834, // rlwinm r8,r7,5,0,26
  0x7d06_3278, // xor r6,r8,r6
  0x7cc4_292e, // stwx r6,r4,r5
  0x38a5_0044, // addi r5,r5,68
  0x54a5_03be, // rlwinm r5,r5,0,14,31
  0x54a5_003a, // rlwinm r5,r5,0,0,29
  0x70a9_0fc0, // andi. r9,r5,0xfc0
  0x4082_ffd8, // bne -40
  0x4800_0009, // bl +8
  0x4bff_ffd0, // b -48
  0x3929_0001, // addi r9,r9,1
  0x4e80_0020, // blr
] as const;

/** Instructions a microsecond of processor time, through address translation caches, with every instruction counted. */
export function processorSpeed(quick: boolean): Promise<Figure> {
  const lone = new LoneProcessor(RAM_BYTES);
  const { processor } = lone;
  for (const [index, word] of LOOP.entries()) lone.poke32(CODE_AT + 4 * index, word, true);
  lone.start(CODE_AT, true);
  processor.registers[4] = BigInt(DATA_AT);
  const instructions = quick ? INSTRUCTIONS_QUICK : INSTRUCTIONS;
  const view = new DataView(new ArrayBuffer(DATA_BYTES));
  let value = 0;
  let baseline = 0;
  for (let round = 0; round < ROUNDS; round++) {
    value = Math.max(
      value,
      rate(instructions, () => void processor.run(processor.icount + instructions)),
    );
    baseline = Math.max(
      baseline,
      rate(instructions, () => accesses(view, instructions)),
    );
  }
  return Promise.resolve({
    value,
    unit: 'instructions/µs',
    baseline,
    baselineName: 'a load and a store of a DataView each',
  });
}

function rate(count: number, run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return count / (user + system);
}

function accesses(view: DataView, count: number): void {
  for (let i = 0, at = 0; i < count; i++) {
    view.setInt32(at, view.getInt32(at, true) + i, true);
    at = (at + 68) % (DATA_BYTES - 4);
  }
}
