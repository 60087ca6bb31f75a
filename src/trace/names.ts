/**
 * How numbers in recordings read in reports: hypercall tokens and their arguments (LoPAR, and QEMU's KVMPPC_H_ range),
 * return codes, RTAS calls. Text only; nothing here decides anything.
 */
interface HcallName {
  readonly name: string;
  /** What r4, r5 … are called; the rest is not shown. */
  readonly arguments: readonly string[];
}

const HCALLS: Readonly<Record<number, HcallName>> = {
  0x04: row('H_REMOVE flags pte avpn'),
  0x08: row('H_ENTER flags pte pteh ptel'),
  0x0c: row('H_READ flags pte'),
  0x18: row('H_PROTECT flags pte avpn'),
  0x1c: row('H_GET_TCE liobn ioba'),
  0x20: row('H_PUT_TCE liobn ioba tce'),
  0x24: row('H_SET_SPRG0 value'),
  0x28: row('H_SET_DABR value'),
  0x2c: row('H_PAGE_INIT flags to from'),
  0x3c: row('H_LOGICAL_CI_LOAD size address'),
  0x40: row('H_LOGICAL_CI_STORE size address value'),
  0x44: row('H_LOGICAL_CACHE_LOAD size address'),
  0x48: row('H_LOGICAL_CACHE_STORE size address value'),
  0x4c: row('H_LOGICAL_ICBI address'),
  0x50: row('H_LOGICAL_DCBF address'),
  0x54: row('H_GET_TERM_CHAR unit'),
  0x58: row('H_PUT_TERM_CHAR unit length c0 c1'),
  0x64: row('H_EOI xirr'),
  0x68: row('H_CPPR cppr'),
  0x6c: row('H_IPI server mfrr'),
  0x70: row('H_IPOLL server'),
  0x74: row('H_XIRR'),
  0xdc: row('H_REGISTER_VPA flags cpu address'),
  0xe0: row('H_CEDE'),
  0xe4: row('H_CONFER cpu dispatch'),
  0xe8: row('H_PROD cpu'),
  0x124: row('H_BULK_REMOVE'),
  0x134: row('H_SET_XDABR value flags'),
  0x138: row('H_STUFF_TCE liobn ioba value pages'),
  0x13c: row('H_PUT_TCE_INDIRECT liobn ioba list pages'),
  0x1c8: row('H_GET_CPU_CHARACTERISTICS'),
  0x298: row('H_JOIN'),
  0x2ec: row('H_HOME_NODE_ASSOCIATIVITY flags cpu'),
  0x2fc: row('H_XIRR_X'),
  0x300: row('H_RANDOM'),
  0x31c: row('H_SET_MODE mflags resource value1 value2'),
  0x36c: row('H_RESIZE_HPT_PREPARE flags shift'),
  0x370: row('H_RESIZE_HPT_COMMIT flags shift'),
  0x374: row('H_CLEAN_SLB'),
  0x378: row('H_INVALIDATE_PID'),
  0x37c: row('H_REGISTER_PROC_TBL flags table pagesize size'),
  0x380: row('H_SIGNAL_SYS_RESET cpu'),
  0x3a8: row('H_INT_GET_SOURCE_INFO flags source'),
  0x3ac: row('H_INT_SET_SOURCE_CONFIG flags source target priority eisn'),
  0x45c: row('H_WATCHDOG flags number timeout'),
  0xf000: row('KVMPPC_H_RTAS address'),
  0xf001: row('KVMPPC_H_LOGICAL_MEMOP to from esize count op'),
  0xf002: row('KVMPPC_H_CAS vector buffer size'),
  0xf003: row('KVMPPC_H_UPDATE_DT fdt'),
};

function row(words: string): HcallName {
  const [name = '', ...names] = words.split(' ');
  return { name, arguments: names };
}

const STATUSES: Readonly<Record<string, string>> = {
  0: 'H_SUCCESS',
  1: 'H_BUSY',
  2: 'H_CLOSED',
  3: 'H_NOT_AVAILABLE',
  9: 'H_PENDING',
  14: 'H_IN_PROGRESS',
  15: 'H_PAGE_REGISTERED',
  16: 'H_PARTIAL_STORE',
  18: 'H_CONTINUE',
  9900: 'H_LONG_BUSY_ORDER_1_MSEC',
  '-1': 'H_HARDWARE',
  '-2': 'H_FUNCTION',
  '-3': 'H_PRIVILEGE',
  '-4': 'H_PARAMETER',
  '-5': 'H_BAD_MODE',
  '-6': 'H_PTEG_FULL',
  '-7': 'H_NOT_FOUND',
  '-8': 'H_RESERVED_DABR',
  '-9': 'H_NO_MEM',
  '-10': 'H_AUTHORITY',
  '-11': 'H_PERMISSION',
  '-12': 'H_DROPPED',
  '-13': 'H_SOURCE_PARM',
  '-14': 'H_DEST_PARM',
  '-15': 'H_REMOTE_PARM',
  '-16': 'H_RESOURCE',
  '-55': 'H_P2',
  '-56': 'H_P3',
  '-57': 'H_P4',
  '-58': 'H_P5',
  '-256': 'H_UNSUPPORTED_FLAG',
};

/** RTAS tokens count from here (QEMU, RTAS_TOKEN_BASE), in the order of the list. */
const RTAS_TOKEN_BASE = 0x2000;
const RTAS_CALLS =
  'display-character get-time-of-day set-time-of-day power-off system-reboot query-cpu-stopped-state start-cpu stop-self ibm,get-system-parameter ibm,set-system-parameter ibm,set-xive ibm,get-xive ibm,int-off ibm,int-on check-exception event-scan ibm,set-tce-bypass quiesce nvram-fetch nvram-store read-pci-config write-pci-config ibm,read-pci-config ibm,write-pci-config ibm,query-interrupt-source-number ibm,change-msi set-indicator set-power-level get-power-level get-sensor-state ibm,configure-connector ibm,os-term ibm,set-eeh-option ibm,get-config-addr-info2 ibm,read-slot-reset-state2 ibm,set-slot-reset ibm,configure-pe ibm,slot-error-detail ibm,query-pe-dma-window ibm,create-pe-dma-window ibm,remove-pe-dma-window ibm,reset-pe-dma-window ibm,suspend-me ibm,nmi-register ibm,nmi-interlock'.split(
    ' ',
  );

export function hcallName(token: bigint): string {
  return HCALLS[Number(token)]?.name ?? `hcall-0x${token.toString(16)}`;
}

/** What an hcall's arguments are called, from r4. Undefined for calls not in the table. */
export function hcallArguments(token: bigint): readonly string[] | undefined {
  return HCALLS[Number(token)]?.arguments;
}

/** A return code by name; `H_PARAMETER`, or the signed number. */
export function statusName(status: bigint): string {
  const signed = BigInt.asIntN(64, status);
  return STATUSES[signed.toString()] ?? signed.toString();
}

export function rtasName(token: bigint): string {
  return RTAS_CALLS[Number(token) - RTAS_TOKEN_BASE] ?? `rtas-0x${token.toString(16)}`;
}
