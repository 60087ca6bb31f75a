import { assert } from '../emu/core/assert.ts';
import * as abi from '../emu/papr/abi.ts';
import * as secure from '../emu/ultravisor/abi.ts';
import { UCALLS } from '../emu/ultravisor/ucalls.ts';

/**
 * How numbers in recordings read in reports: hypercall tokens and their arguments (LoPAR, and QEMU's KVMPPC_H_ range),
 * return codes, RTAS calls. Text only; nothing here decides anything.
 */
interface HcallName {
  readonly name: string;
  /** What r4, r5 … are called; the rest is not shown. */
  readonly arguments: readonly string[];
}

/** A call's name in abi.ts, and what r4, r5 … are called. */
const HCALL_ROWS = [
  'H_REMOVE flags pte avpn',
  'H_ENTER flags pte pteh ptel',
  'H_READ flags pte',
  'H_PROTECT flags pte avpn',
  'H_GET_TCE liobn ioba',
  'H_PUT_TCE liobn ioba tce',
  'H_SET_SPRG0 value',
  'H_SET_DABR value',
  'H_PAGE_INIT flags to from',
  'H_LOGICAL_CI_LOAD size address',
  'H_LOGICAL_CI_STORE size address value',
  'H_LOGICAL_CACHE_LOAD size address',
  'H_LOGICAL_CACHE_STORE size address value',
  'H_LOGICAL_ICBI address',
  'H_LOGICAL_DCBF address',
  'H_GET_TERM_CHAR unit',
  'H_PUT_TERM_CHAR unit length c0 c1',
  'H_EOI xirr',
  'H_CPPR cppr',
  'H_IPI server mfrr',
  'H_IPOLL server',
  'H_XIRR',
  'H_REGISTER_VPA flags cpu address',
  'H_CEDE',
  'H_CONFER cpu dispatch',
  'H_PROD cpu',
  'H_BULK_REMOVE',
  'H_SET_XDABR value flags',
  'H_STUFF_TCE liobn ioba value pages',
  'H_PUT_TCE_INDIRECT liobn ioba list pages',
  'H_GET_CPU_CHARACTERISTICS',
  'H_JOIN',
  'H_HOME_NODE_ASSOCIATIVITY flags cpu',
  'H_XIRR_X',
  'H_RANDOM',
  'H_SET_MODE mflags resource value1 value2',
  'H_RESIZE_HPT_PREPARE flags shift',
  'H_RESIZE_HPT_COMMIT flags shift',
  'H_CLEAN_SLB',
  'H_INVALIDATE_PID',
  'H_REGISTER_PROC_TBL flags table pagesize size',
  'H_SIGNAL_SYS_RESET cpu',
  'H_INT_GET_SOURCE_INFO flags source',
  'H_INT_SET_SOURCE_CONFIG flags source target priority eisn',
  'H_WATCHDOG flags number timeout',
  'KVMPPC_H_RTAS address',
  'KVMPPC_H_LOGICAL_MEMOP to from esize count op',
  'KVMPPC_H_CAS vector buffer size',
  'KVMPPC_H_UPDATE_DT fdt',
  'H_INT_GET_QUEUE_INFO flags target priority',
  'H_INT_SET_QUEUE_CONFIG flags target priority address size',
  'H_INT_ESB flags source offset value',
  'H_INT_SYNC flags source',
  'H_INT_RESET flags',
  'H_REG_CRQ unit address length',
  'H_FREE_CRQ unit',
  'H_SEND_CRQ unit high low',
  'H_VIO_SIGNAL unit mode',
  'H_SVM_PAGE_IN gpa flags order',
  'H_SVM_PAGE_OUT gpa flags order',
  'H_SVM_INIT_START',
  'H_SVM_INIT_DONE',
  'H_SVM_INIT_ABORT',
];

/** What r4, r5 … of an ultracall are called. */
const UCALL_ARGUMENTS: Readonly<Record<string, string>> = {
  UV_WRITE_PATE: 'lpid dw0 dw1',
  UV_ESM: 'kbase fdt',
  UV_REGISTER_MEM_SLOT: 'lpid gpa size flags slot',
  UV_UNREGISTER_MEM_SLOT: 'lpid slot',
  UV_PAGE_IN: 'lpid page gpa flags order',
  UV_PAGE_OUT: 'lpid page gpa flags order',
  UV_SHARE_PAGE: 'gfn count',
  UV_UNSHARE_PAGE: 'gfn count',
  UV_PAGE_INVAL: 'lpid gpa order',
  UV_SVM_TERMINATE: 'lpid',
  UV_UNSHARE_ALL_PAGES: '',
};

/** Return codes by their names in abi.ts. */
const STATUS_NAMES =
  'H_SUCCESS H_BUSY H_CLOSED H_NOT_AVAILABLE H_CONSTRAINED H_PARTIAL H_CONTINUE H_HARDWARE H_FUNCTION H_PRIVILEGE H_PARAMETER H_BAD_MODE H_PTEG_FULL H_NOT_FOUND H_RESERVED_DABR H_NO_MEM H_AUTHORITY H_PERMISSION H_DROPPED H_RESOURCE H_P2 H_P3 H_P4 H_P5 H_NOOP H_UNSUPPORTED H_STATE H_UNSUPPORTED_FLAG H_MULTI_THREADS_ACTIVE'.split(
    ' ',
  );

const NUMBERS = { ...abi, ...secure } as unknown as Readonly<Record<string, number | undefined>>;
const HCALLS = new Map<bigint, HcallName>(HCALL_ROWS.map((words) => hcallRow(words)));
const STATUSES = new Map<string, string>(STATUS_NAMES.map((name) => [`${NUMBERS[name] ?? ''}`, name]));
const U_STATUS_NAMES =
  'U_SUCCESS U_FUNCTION U_PARAMETER U_RETRY U_PERMISSION U_P2 U_P3 U_P4 U_P5 U_BAD_MODE U_STATE'.split(' ');
const U_STATUSES = new Map<string, string>(U_STATUS_NAMES.map((name) => [`${NUMBERS[name] ?? ''}`, name]));
const UCALL_NAMES = new Map<bigint, string>(UCALLS.map((row) => [BigInt(row.number), row.name]));
const RTAS_NAMES = new Map<bigint, string>(abi.RTAS_CALLS.map((call) => [BigInt(call.token), call.name]));

function hcallRow(words: string): [bigint, HcallName] {
  const [name = '', ...names] = words.split(' ');
  const token = NUMBERS[name];
  assert(token !== undefined, `${name} has a number in an abi.ts`);
  return [BigInt(token), { name, arguments: names }];
}

export function hcallName(token: bigint): string {
  return HCALLS.get(token)?.name ?? `hcall-0x${token.toString(16)}`;
}

/** What an hcall's arguments are called, from r4. Undefined for calls not in the table. */
export function hcallArguments(token: bigint): readonly string[] | undefined {
  return HCALLS.get(token)?.arguments;
}

/** A return code by name; `H_PARAMETER`, or the signed number. */
export function statusName(status: bigint): string {
  const signed = BigInt.asIntN(64, status);
  return STATUSES.get(signed.toString()) ?? signed.toString();
}

export function rtasName(token: bigint): string {
  return RTAS_NAMES.get(token) ?? `rtas-0x${token.toString(16)}`;
}

export function ucallName(number: bigint): string {
  return UCALL_NAMES.get(number) ?? `ucall-0x${number.toString(16)}`;
}

/** What an ultracall's arguments are called, from r4. */
export function ucallArguments(number: bigint): readonly string[] {
  const words = UCALL_ARGUMENTS[ucallName(number)];
  if (words === undefined) return ['r4', 'r5', 'r6', 'r7'];
  return words === '' ? [] : words.split(' ');
}

/** An ultracall's status by name, or the signed number. */
export function ucallStatusName(status: bigint): string {
  const signed = BigInt.asIntN(64, status);
  return U_STATUSES.get(signed.toString()) ?? signed.toString();
}
