import {
  U_PARAMETER,
  U_PERMISSION,
  U_SUCCESS,
  UV_ESM,
  UV_ESMB_GET_FILE,
  UV_PAGE_IN,
  UV_PAGE_INVAL,
  UV_PAGE_OUT,
  UV_READ_MEM,
  UV_READ_SCOM,
  UV_REGISTER_MEM_SLOT,
  UV_RESTRICTED_SPR_READ,
  UV_RESTRICTED_SPR_WRITE,
  UV_RETURN,
  UV_SEND_SBE_COMMAND,
  UV_SHARE_PAGE,
  UV_SVM_TERMINATE,
  UV_UNREGISTER_MEM_SLOT,
  UV_UNSHARE_ALL_PAGES,
  UV_UNSHARE_PAGE,
  UV_WRITE_MEM,
  UV_WRITE_PATE,
  UV_WRITE_SCOM,
} from './abi.ts';
import type { Ultravisor } from './ultravisor.ts';

export interface Ucall {
  readonly number: number;
  readonly name: string;
  /** Who may: the hypervisor; a secure guest's kernel; any guest's kernel; anybody. */
  readonly caller: 'hypervisor' | 'secure' | 'privileged' | 'any';
  /** Width in bits of r4, r5, …; higher bits are not looked at. */
  readonly inputs: readonly (16 | 32 | 64)[];
  /** The status, or undefined where r3 is left to what happened. */
  readonly run: (ultravisor: Ultravisor, inputs: readonly bigint[]) => number | undefined;
}

/** Registers that the ultravisor writes for the hypervisor: DAWR, DAWRX, CIABR, LDBAR, IMC; of these it reads three. */
const WRITABLE: ReadonlySet<number> = new Set([0xb4, 0xbc, 0xbb, 0x352, 0x31f]);
const READABLE: ReadonlySet<number> = new Set([0xb4, 0xbc, 0xbb]);

function input(inputs: readonly bigint[], index: number): bigint {
  return inputs[index] ?? 0n;
}

/** Every ultracall that the firmware dispatches (core/uvcall.c), in the order of the numbers. */
export const UCALLS: readonly Ucall[] = [
  {
    number: UV_WRITE_PATE,
    name: 'UV_WRITE_PATE',
    caller: 'hypervisor',
    inputs: [64, 64, 64],
    run: (uv, inputs) => uv.writePartitionEntry(input(inputs, 0), input(inputs, 1), input(inputs, 2)),
  },
  {
    number: UV_RESTRICTED_SPR_WRITE,
    name: 'UV_RESTRICTED_SPR_WRITE',
    caller: 'hypervisor',
    inputs: [64, 64],
    run: (uv, inputs) => {
      const register = Number(input(inputs, 0));
      if (!WRITABLE.has(register)) return U_PARAMETER;
      uv.restricted.set(register, input(inputs, 1));
      return U_SUCCESS;
    },
  },
  {
    number: UV_RESTRICTED_SPR_READ,
    name: 'UV_RESTRICTED_SPR_READ',
    caller: 'hypervisor',
    inputs: [64],
    run: (uv, inputs) => {
      const register = Number(input(inputs, 0));
      if (!READABLE.has(register)) return U_PARAMETER;
      // The released firmware answers in r5, not in r4.
      uv.results[1] = uv.restricted.get(register) ?? 0n;
      return U_SUCCESS;
    },
  },
  {
    number: UV_ESM,
    name: 'UV_ESM',
    caller: 'privileged',
    inputs: [64, 64],
    run: (uv, inputs) => uv.esm(input(inputs, 0), input(inputs, 1)),
  },
  // SCOMs and memory resources are allowed by lists of the machine's chips; this machine has none, so none is allowed.
  {
    number: UV_READ_SCOM,
    name: 'UV_READ_SCOM',
    caller: 'hypervisor',
    inputs: [32, 64],
    run: () => U_PERMISSION,
  },
  {
    number: UV_WRITE_SCOM,
    name: 'UV_WRITE_SCOM',
    caller: 'hypervisor',
    inputs: [32, 64, 64],
    run: () => U_PERMISSION,
  },
  // Where the hypervisor was entered, its return comes back to there; one that comes from nowhere has no cookie.
  {
    number: UV_RETURN,
    name: 'UV_RETURN',
    caller: 'hypervisor',
    inputs: [],
    run: (uv) => {
      uv.halt ??= 'firmware abort';
      return undefined;
    },
  },
  {
    number: UV_REGISTER_MEM_SLOT,
    name: 'UV_REGISTER_MEM_SLOT',
    caller: 'hypervisor',
    inputs: [64, 64, 64, 64, 16],
    run: (uv, inputs) =>
      uv.registerSlot(
        input(inputs, 0),
        input(inputs, 1),
        input(inputs, 2),
        input(inputs, 3),
        Number(input(inputs, 4)),
      ),
  },
  {
    number: UV_UNREGISTER_MEM_SLOT,
    name: 'UV_UNREGISTER_MEM_SLOT',
    caller: 'hypervisor',
    inputs: [64, 16],
    run: (uv, inputs) => uv.unregisterSlot(input(inputs, 0), Number(input(inputs, 1))),
  },
  {
    number: UV_PAGE_IN,
    name: 'UV_PAGE_IN',
    caller: 'hypervisor',
    inputs: [64, 64, 64, 64, 64],
    run: (uv, inputs) =>
      uv.pages.pageIn(input(inputs, 0), input(inputs, 1), input(inputs, 2), input(inputs, 4)),
  },
  {
    number: UV_PAGE_OUT,
    name: 'UV_PAGE_OUT',
    caller: 'hypervisor',
    inputs: [64, 64, 64, 64, 64],
    run: (uv, inputs) =>
      uv.pages.pageOut(input(inputs, 0), input(inputs, 1), input(inputs, 2), input(inputs, 4)),
  },
  {
    number: UV_SHARE_PAGE,
    name: 'UV_SHARE_PAGE',
    caller: 'secure',
    inputs: [64, 64],
    run: (uv, inputs) => uv.shareStatus(uv.pages.share(input(inputs, 0), input(inputs, 1), 'explicit')),
  },
  {
    number: UV_UNSHARE_PAGE,
    name: 'UV_UNSHARE_PAGE',
    caller: 'secure',
    inputs: [64, 64],
    run: (uv, inputs) => uv.shareStatus(uv.pages.unshare(input(inputs, 0), input(inputs, 1))),
  },
  {
    number: UV_PAGE_INVAL,
    name: 'UV_PAGE_INVAL',
    caller: 'hypervisor',
    inputs: [64, 64, 64],
    run: (uv, inputs) => uv.pages.invalidate(input(inputs, 0), input(inputs, 1), input(inputs, 2)),
  },
  {
    number: UV_SVM_TERMINATE,
    name: 'UV_SVM_TERMINATE',
    caller: 'hypervisor',
    inputs: [64],
    run: (uv, inputs) => uv.terminate(input(inputs, 0)),
  },
  {
    number: UV_UNSHARE_ALL_PAGES,
    name: 'UV_UNSHARE_ALL_PAGES',
    caller: 'secure',
    inputs: [],
    run: (uv) => uv.shareStatus(uv.pages.unshareAll()),
  },
  {
    number: UV_READ_MEM,
    name: 'UV_READ_MEM',
    caller: 'hypervisor',
    inputs: [64, 64, 64, 32],
    run: (_, inputs) => memoryResource(inputs),
  },
  {
    number: UV_WRITE_MEM,
    name: 'UV_WRITE_MEM',
    caller: 'hypervisor',
    inputs: [64, 64, 64, 32],
    run: (_, inputs) => memoryResource(inputs),
  },
  // Attachments of the ESM blob: none is kept, so every name is unknown.
  {
    number: UV_ESMB_GET_FILE,
    name: 'UV_ESMB_GET_FILE',
    caller: 'any',
    inputs: [64, 64, 64, 64, 64, 64, 64, 64, 64],
    run: () => U_PARAMETER,
  },
  {
    number: UV_SEND_SBE_COMMAND,
    name: 'UV_SEND_SBE_COMMAND',
    caller: 'hypervisor',
    inputs: [],
    run: () => U_PERMISSION,
  },
];

export const UCALLS_BY_NUMBER: ReadonlyMap<number, Ucall> = new Map(UCALLS.map((row) => [row.number, row]));

function memoryResource(inputs: readonly bigint[]): number {
  return input(inputs, 0) === 0n || input(inputs, 3) === 0n ? U_PARAMETER : U_PERMISSION;
}
