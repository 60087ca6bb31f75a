import {
  H_FUNCTION,
  H_PRIVILEGE,
  HCALL_MAX,
  KVMPPC_H_RTAS,
  KVMPPC_HCALL_BASE,
  KVMPPC_HCALL_MAX,
  MSR_PR,
  SVM_HCALL_BASE,
  SVM_HCALL_MAX,
} from './abi.ts';
import { HcallFrame, LEAVE_R3, type Hcall } from './hcall-frame.ts';
import { CPU_HCALLS } from './hcalls/cpu.ts';
import { INTERRUPT_HCALLS } from './hcalls/interrupt.ts';
import { LOGICAL_HCALLS } from './hcalls/logical.ts';
import { MEMOP_HCALLS } from './hcalls/memop.ts';
import { PLATFORM_HCALLS } from './hcalls/platform.ts';
import { TCE_HCALLS } from './hcalls/tce.ts';
import { VIO_HCALLS } from './hcalls/vio.ts';
import { VTERM_HCALLS } from './hcalls/vterm.ts';
import { XIVE_HCALLS } from './hcalls/xive.ts';
import type { Partition } from './partition.ts';
import { Rtas } from './rtas.ts';

/** Every hypercall that has a handler, but KVMPPC_H_RTAS, which the dispatcher carries. */
export const HCALLS: readonly Hcall[] = [
  ...TCE_HCALLS,
  ...LOGICAL_HCALLS,
  ...MEMOP_HCALLS,
  ...INTERRUPT_HCALLS,
  ...VTERM_HCALLS,
  ...VIO_HCALLS,
  ...CPU_HCALLS,
  ...PLATFORM_HCALLS,
  ...XIVE_HCALLS,
];

/** Looks the number up, runs the handler and writes the status (QEMU emulate_spapr_hypercall, spapr_hypercall). */
export class HcallTable {
  readonly #partition: Partition;
  readonly #rtas: Rtas;
  readonly #frame: HcallFrame = new HcallFrame();
  /** By number; PAPR's own range by number / 4. */
  readonly #papr: (Hcall | undefined)[];
  readonly #svm: (Hcall | undefined)[];
  readonly #private: (Hcall | undefined)[];

  constructor(partition: Partition) {
    this.#partition = partition;
    this.#rtas = new Rtas(partition);
    const rows: readonly Hcall[] = [
      ...HCALLS,
      { number: KVMPPC_H_RTAS, name: 'KVMPPC_H_RTAS', run: (_, frame) => this.#rtas.call(frame) },
    ];
    const table = (base: number, end: number, step: number): (Hcall | undefined)[] => {
      const found = Array.from<Hcall | undefined>({ length: (end - base) / step + 1 });
      for (const row of rows)
        if (row.number >= base && row.number <= end) found[(row.number - base) / step] ??= row;
      return found;
    };
    this.#papr = table(0, HCALL_MAX, 4);
    this.#svm = table(SVM_HCALL_BASE, SVM_HCALL_MAX, 4);
    this.#private = table(KVMPPC_HCALL_BASE, KVMPPC_HCALL_MAX, 1);
  }

  /** `sc 1` of the acting CPU: r3 … r12 in place. */
  dispatch(registers: BigUint64Array): void {
    const frame = this.#frame;
    frame.bind(registers);
    if ((this.#partition.cpu.msr & MSR_PR) !== 0n) {
      frame.finish(H_PRIVILEGE);
      return;
    }
    const row = this.#row(frame.token);
    const status = row === undefined ? H_FUNCTION : row.run(this.#partition, frame);
    if (status !== LEAVE_R3) frame.finish(status);
  }

  #row(token: number): Hcall | undefined {
    if (token <= HCALL_MAX) return token % 4 === 0 ? this.#papr[token / 4] : undefined;
    if (token <= SVM_HCALL_MAX) return this.#svm[(token - SVM_HCALL_BASE) / 4];
    return this.#private[token - KVMPPC_HCALL_BASE];
  }
}
