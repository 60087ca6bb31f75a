/**
 * How many registers of each hypercall, from r3 on, the ultravisor hands to the hypervisor, and how many it takes back
 * (open-power/ultravisor core/hcall-regs.c). A hypercall that is not here ends the guest: the list was closed in 2019.
 */
import { H_SVM_INIT_ABORT, H_SVM_INIT_DONE, H_SVM_INIT_START, H_SVM_PAGE_IN, H_SVM_PAGE_OUT } from './abi.ts';

interface HcallRegisters {
  readonly inputs: number;
  readonly outputs: number;
}

/** `number inputs outputs`, r3 counted in both. */
const ROWS = `
004 6 3, 008 7 2, 00c 3 9, 010 3 2, 014 3 2, 018 4 1, 01c 3 2, 020 4 1, 024 2 1, 028 2 1, 02c 4 1, 03c 3 2, 040 4 1,
054 2 4, 058 5 1, 060 2 9, 064 2 1, 068 2 1, 06c 3 1, 070 2 3, 074 1 2, 078 4 1, 07c 3 2, 0dc 4 1, 0e0 1 1, 0e4 3 1,
0e8 2 1, 0ec 1 6, 0f0 3 1, 0f4 1 2, 0f8 4 1, 0fc 4 1, 100 2 1, 104 3 1, 108 4 1, 110 6 9, 114 6 1, 118 2 1, 11c 3 1,
120 9 1, 124 9 2, 130 4 2, 134 3 1, 138 5 1, 13c 5 1, 14c 3 1, 150 5 1, 154 4 1, 158 2 1, 1c8 2 3, 1d4 3 1, 1d8 1 1,
244 4 2, 298 1 1, 2a4 2 2, 2a8 6 1, 2b0 2 1, 2b8 1 7, 2d0 3 1, 2d4 1 8, 2dc 4 3, 2e0 3 1, 2e4 7 1, 2e8 5 1, 2ec 3 7,
2f4 10 3, 2fc 2 3, 300 2 2, 304 8 1, 314 1 8, 31c 5 1, 328 10 1, 358 1 1, 36c 3 1, 370 3 1, 37c 5 1, 380 2 1, 3a8 3 5,
3ac 6 1, 3b4 4 3, 3b8 6 1, 3c8 5 2, 3cc 3 1, 3d0 2 1, 3e4 4 2, 3e8 5 1, 3ec 6 2, 3f0 5 2, f000 2 2, f078 4 1, f07c 5 1,
f080 3 1, f800 2 1, f804 3 1, f808 4 1, f80c 7 1`;

const TABLE: ReadonlyMap<number, HcallRegisters> = new Map([
  ...ROWS.trim()
    .split(/,\s*/)
    .map((row): [number, HcallRegisters] => {
      const [number = '', inputs, outputs] = row.split(' ');
      return [parseInt(number, 16), { inputs: Number(inputs), outputs: Number(outputs) }];
    }),
  [H_SVM_PAGE_IN, { inputs: 4, outputs: 1 }],
  [H_SVM_PAGE_OUT, { inputs: 4, outputs: 1 }],
  [H_SVM_INIT_START, { inputs: 1, outputs: 1 }],
  [H_SVM_INIT_DONE, { inputs: 1, outputs: 1 }],
  [H_SVM_INIT_ABORT, { inputs: 1, outputs: 1 }],
]);

export function hcallRegisters(token: number): HcallRegisters | undefined {
  return TABLE.get(token);
}
