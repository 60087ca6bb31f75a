import {
  H_AUTHORITY,
  H_CLEAN_SLB,
  H_COPY_TOFROM_GUEST,
  H_ENTER_NESTED,
  H_FUNCTION,
  H_INVALIDATE_PID,
  H_NOOP,
  H_NOT_AVAILABLE,
  H_P2,
  H_P3,
  H_P4,
  H_PARAMETER,
  H_REGISTER_PROC_TBL,
  H_RESIZE_HPT_COMMIT,
  H_RESIZE_HPT_PREPARE,
  H_SCM_BIND_MEM,
  H_SCM_FLUSH,
  H_SCM_HEALTH,
  H_SCM_READ_METADATA,
  H_SCM_UNBIND_ALL,
  H_SCM_UNBIND_MEM,
  H_SCM_WRITE_METADATA,
  H_SET_PARTITION_TABLE,
  H_SUCCESS,
  H_TLB_INVALIDATE,
  H_WATCHDOG,
  KVMPPC_H_CAS,
  KVMPPC_H_UPDATE_DT,
  KVMPPC_H_VOF_CLIENT,
  SVM_H_TPM_COMM,
} from '../abi.ts';
import { clientArchitectureSupport } from '../cas.ts';
import { readFlattenedTree } from '../../core/flattened-tree.ts';
import { addressOf } from '../guest-access.ts';
import type { Hcall, HcallFrame } from '../hcall-frame.ts';
import { PATE1_GR, type Partition } from '../partition.ts';
import { LPCR_GTSE, LPCR_HR, LPCR_UPRT } from '../virtual-cpu.ts';
import { WATCHDOG_DUMP, WATCHDOG_MIN_MS, WATCHDOG_POWER_OFF, WATCHDOGS } from '../watchdog.ts';
import { setAllLpcrs } from './cpu.ts';

const MODIFY = 0x10n;
const REGISTER = 0x08n;
const RADIX = 0x04n;
const HASH_PROC_TBL = 0x02n;
const GTSE = 0x01n;
const PROC_TBL_FLAGS = 0x1fn;
const TABLE_SIZE_MAX = 24n;

/** Checks the arguments of a table to register: its partition table entry, or the status of the first fault. */
function processTableEntry(frame: HcallFrame, radix: boolean): bigint | number {
  const table = frame.argument(1);
  const pageSize = frame.argument(2);
  const tableSize = frame.argument(3);
  if (radix) {
    if ((table & 0xfffn) !== 0n || table >> 60n !== 0n) return H_P2;
    if (pageSize !== 0n) return H_P3;
    return tableSize > TABLE_SIZE_MAX ? H_P4 : PATE1_GR | table | tableSize;
  }
  if ((frame.argument(0) & HASH_PROC_TBL) !== 0n) return H_PARAMETER;
  if (table >> 38n !== 0n) return H_P2;
  if (pageSize > 7n) return H_P3;
  return tableSize > TABLE_SIZE_MAX ? H_P4 : (table << 25n) | (pageSize << 5n) | tableSize;
}

/** H_REGISTER_PROC_TBL (flags, table, page size, table size): what CAS agreed on is not looked at. */
function registerProcTbl(partition: Partition, frame: HcallFrame): number {
  const flags = frame.argument(0);
  if ((flags & ~PROC_TBL_FLAGS) !== 0n) return H_PARAMETER;
  const radix = (flags & RADIX) !== 0n;
  if ((flags & MODIFY) === 0n) {
    if (radix !== partition.radix) return H_PARAMETER;
  } else if ((flags & REGISTER) === 0n) partition.partitionEntry &= PATE1_GR;
  else {
    const entry = processTableEntry(frame, radix);
    if (typeof entry === 'number') return entry;
    partition.partitionEntry = entry;
  }
  let lpcr = 0n;
  if (radix) lpcr = LPCR_UPRT | LPCR_HR;
  else if ((flags & HASH_PROC_TBL) !== 0n) lpcr = LPCR_UPRT;
  if ((flags & GTSE) !== 0n) lpcr |= LPCR_GTSE;
  setAllLpcrs(partition, lpcr, LPCR_UPRT | LPCR_HR | LPCR_GTSE);
  return H_SUCCESS;
}

/** There is no hash page table here: radix guests are told so, hash guests as if resizing were switched off. */
function resizeHpt(partition: Partition): number {
  return partition.options.hptResize && partition.radix ? H_NOT_AVAILABLE : H_AUTHORITY;
}

const WATCHDOG_START = 1;
const WATCHDOG_STOP = 2;
const WATCHDOG_QUERY = 3;
const WATCHDOG_QUERY_LPM = 4;
const WATCHDOG_RESERVED = ~0x1_ffffn;
const WATCHDOG_LEAVE_OTHERS = 0x1_0000n;
const WATCHDOG_CAPABILITIES = (BigInt(WATCHDOG_MIN_MS) << 48n) | (BigInt(WATCHDOGS) << 32n);
const WATCHDOG_NOT_STOPPED_FOR_LPM = 2n;
const ALL_WATCHDOGS = (1n << 64n) - 1n;

/** H_WATCHDOG (flags, number from 1, milliseconds). Number 0, at which QEMU crashes, is refused. */
function watchdog(partition: Partition, frame: HcallFrame): number {
  const flags = frame.argument(0);
  const number = frame.argument(1);
  if ((BigInt.asUintN(64, WATCHDOG_RESERVED) & flags) !== 0n) return H_PARAMETER;
  switch ((frame.low(0) >>> 8) & 0xff) {
    case WATCHDOG_START:
      return startWatchdog(partition, frame);
    case WATCHDOG_STOP:
      if (number === ALL_WATCHDOGS) {
        partition.watchdogs.stopAll();
        return H_NOOP;
      }
      if (number > BigInt(WATCHDOGS)) return H_P2;
      return partition.watchdogs.stop(Number(number) - 1) ? H_SUCCESS : H_NOOP;
    case WATCHDOG_QUERY:
      frame.set(0, WATCHDOG_CAPABILITIES);
      return H_SUCCESS;
    case WATCHDOG_QUERY_LPM:
      if (number > BigInt(WATCHDOGS)) return H_P2;
      frame.set(0, WATCHDOG_NOT_STOPPED_FOR_LPM);
      return H_SUCCESS;
    default:
      return H_PARAMETER;
  }
}

function startWatchdog(partition: Partition, frame: HcallFrame): number {
  const number = frame.small(1);
  const action = frame.low(0) & 0xff;
  if (number > WATCHDOGS || number === 0) return H_P2;
  if (frame.argument(2) <= BigInt(WATCHDOG_MIN_MS)) return H_P3;
  if (action < WATCHDOG_POWER_OFF || action > WATCHDOG_DUMP) return H_PARAMETER;
  const leaveOthers = (frame.argument(0) & WATCHDOG_LEAVE_OTHERS) !== 0n;
  partition.watchdogs.start(number - 1, frame.argument(2), action, leaveOthers);
  return H_SUCCESS;
}

const FDT_HEADER_BYTES = 40;

/** KVMPPC_H_UPDATE_DT (tree): firmware hands back what it made of the tree. It may grow to twice its size. */
function updateDt(partition: Partition, frame: HcallFrame): number {
  const address = addressOf(frame.high(0) & 0x0fff_ffff, frame.low(0));
  const header = new Uint8Array(FDT_HEADER_BYTES);
  partition.guest.read(address, header, 0, FDT_HEADER_BYTES);
  const bytes = new DataView(header.buffer).getUint32(4);
  if (bytes > 2 * partition.treeGivenBytes) return H_PARAMETER;
  const tree = new Uint8Array(bytes);
  partition.guest.read(address, tree, 0, bytes);
  if (!readFlattenedTree(tree).ok) return H_PARAMETER;
  partition.tree = tree;
  return H_SUCCESS;
}

const UNBIND_ALL = 1n;
const UNBIND_CONNECTOR = 2n;

/** H_SCM_UNBIND_ALL (scope, connector, token), without persistent memory. */
function scmUnbindAll(_partition: Partition, frame: HcallFrame): number {
  const scope = frame.argument(0);
  if (frame.argument(2) !== 0n) return H_P4;
  if (scope === UNBIND_CONNECTOR) return H_P2;
  if (scope !== UNBIND_ALL) return H_PARAMETER;
  frame.set(1, 0n);
  return H_SUCCESS;
}

function tpmComm(partition: Partition): number {
  partition.say('TPM proxy not available');
  return H_FUNCTION;
}

/** Only where the machine is its guest's firmware (x-vof). */
function vofClient(partition: Partition, frame: HcallFrame): number {
  return partition.firmware?.call(partition, frame) ?? H_FUNCTION;
}

const unknown = (): number => H_FUNCTION;
const succeeds = (): number => H_SUCCESS;
const noMemory = (): number => H_PARAMETER;

export const PLATFORM_HCALLS: readonly Hcall[] = [
  { number: H_RESIZE_HPT_PREPARE, name: 'H_RESIZE_HPT_PREPARE', run: resizeHpt },
  { number: H_RESIZE_HPT_COMMIT, name: 'H_RESIZE_HPT_COMMIT', run: resizeHpt },
  { number: H_CLEAN_SLB, name: 'H_CLEAN_SLB', run: unknown },
  { number: H_INVALIDATE_PID, name: 'H_INVALIDATE_PID', run: unknown },
  { number: H_REGISTER_PROC_TBL, name: 'H_REGISTER_PROC_TBL', run: registerProcTbl },
  { number: H_SCM_READ_METADATA, name: 'H_SCM_READ_METADATA', run: noMemory },
  { number: H_SCM_WRITE_METADATA, name: 'H_SCM_WRITE_METADATA', run: noMemory },
  { number: H_SCM_BIND_MEM, name: 'H_SCM_BIND_MEM', run: noMemory },
  { number: H_SCM_UNBIND_MEM, name: 'H_SCM_UNBIND_MEM', run: noMemory },
  { number: H_SCM_UNBIND_ALL, name: 'H_SCM_UNBIND_ALL', run: scmUnbindAll },
  { number: H_SCM_HEALTH, name: 'H_SCM_HEALTH', run: noMemory },
  { number: H_SCM_FLUSH, name: 'H_SCM_FLUSH', run: noMemory },
  { number: H_WATCHDOG, name: 'H_WATCHDOG', run: watchdog },
  { number: SVM_H_TPM_COMM, name: 'SVM_H_TPM_COMM', run: tpmComm },
  { number: KVMPPC_H_CAS, name: 'KVMPPC_H_CAS', run: clientArchitectureSupport },
  { number: KVMPPC_H_UPDATE_DT, name: 'KVMPPC_H_UPDATE_DT', run: updateDt },
  { number: KVMPPC_H_VOF_CLIENT, name: 'KVMPPC_H_VOF_CLIENT', run: vofClient },
  { number: H_SET_PARTITION_TABLE, name: 'H_SET_PARTITION_TABLE', run: unknown },
  { number: H_ENTER_NESTED, name: 'H_ENTER_NESTED', run: unknown },
  { number: H_TLB_INVALIDATE, name: 'H_TLB_INVALIDATE', run: succeeds },
  { number: H_COPY_TOFROM_GUEST, name: 'H_COPY_TOFROM_GUEST', run: unknown },
];
