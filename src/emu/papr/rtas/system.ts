import {
  H_MULTI_THREADS_ACTIVE,
  MSR_EE,
  MSR_ME,
  MSR_SF,
  RTAS_HW_ERROR,
  RTAS_NO_ERRORS_FOUND,
  RTAS_NOT_AUTHORIZED,
  RTAS_NOT_SUPPORTED,
  RTAS_PARAM_ERROR,
  RTAS_SUCCESS,
  RTAS_SYSPARM_PARAM_ERROR,
  SYSPARM_DIAGNOSTICS_RUN_MODE,
  SYSPARM_SPLPAR_CHARACTERISTICS,
  SYSPARM_UUID,
} from '../abi.ts';
import { findChild, findProperty, readFlattenedTree } from '../../core/flattened-tree.ts';
import type { Partition } from '../partition.ts';
import type { RtasCall, RtasRow } from '../rtas-call.ts';
import { LPCR_KEPT } from '../virtual-cpu.ts';

const MIB = 2 ** 20;
const CPU_STOPPED = 0;
const CPU_RUNNING = 2;
/** QEMU's bounce buffer: what one access to other than RAM covers at most. */
const BOUNCE_BYTES = 4096;
const MESSAGE_BYTES = 511;
const NMI_ADDRESS_END = 32 * MIB;

function displayCharacter(partition: Partition, call: RtasCall): void {
  const terminal = partition.vio.console(0);
  if (terminal === undefined) {
    call.result(0, RTAS_HW_ERROR);
    return;
  }
  partition.environment.consoleOutput(terminal.port, Uint8Array.of(call.argument(0)), 1);
  call.result(0, RTAS_SUCCESS);
}

function getTimeOfDay(partition: Partition, call: RtasCall): void {
  call.result(0, RTAS_SUCCESS);
  for (const [i, field] of partition.clock.read().entries()) call.result(i + 1, field);
}

function setTimeOfDay(partition: Partition, call: RtasCall): void {
  const set = partition.clock.set(
    call.argument(0),
    call.argument(1),
    call.argument(2),
    call.argument(3),
    call.argument(4),
    call.argument(5),
  );
  call.result(0, set ? RTAS_SUCCESS : RTAS_PARAM_ERROR);
}

function queryCpuStoppedState(partition: Partition, call: RtasCall): void {
  const cpu = partition.cpus[partition.cpuIndex(call.argument(0))];
  if (cpu === undefined) {
    call.result(0, RTAS_PARAM_ERROR);
    return;
  }
  call.result(0, RTAS_SUCCESS);
  call.result(1, cpu.halted ? CPU_STOPPED : CPU_RUNNING);
}

/** start-cpu (CPU, address, r3): real mode, big-endian, with the caller's translation mode and interrupt order. */
function startCpu(partition: Partition, call: RtasCall): void {
  const index = partition.cpuIndex(call.argument(0));
  const cpu = partition.cpus[index];
  if (cpu === undefined) {
    call.result(0, RTAS_PARAM_ERROR);
    return;
  }
  if (!cpu.halted) {
    call.result(0, RTAS_HW_ERROR);
    return;
  }
  cpu.msr = MSR_SF | MSR_ME;
  cpu.lpcr = partition.cpu.lpcr & LPCR_KEPT;
  cpu.halted = false;
  partition.environment.startCpu(index, BigInt(call.argument(1)), BigInt(call.argument(2)));
  call.result(0, RTAS_SUCCESS);
}

/** stop-self does not return, so no status is written. */
function stopSelf(partition: Partition): void {
  partition.cpu.msr = 0n;
  partition.cpu.halted = true;
}

/** Cut to the buffer, behind a length that is not cut. */
function storeParameter(partition: Partition, call: RtasCall, value: Uint8Array): number {
  const address = call.argument(1);
  const length = call.argument(2);
  if (length < 2) return RTAS_SYSPARM_PARAM_ERROR;
  partition.guest.store(address, 2, value.length);
  partition.guest.write(address + 2, value, 0, Math.min(length - 2, value.length));
  return RTAS_SUCCESS;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The processor and memory entitlements; threads of the host only from POWER8 on. */
function splparCharacteristics(partition: Partition): Uint8Array {
  const { options } = partition;
  const threads = { power7: '', power8: ',HostThrs=8', power9: ',HostThrs=4' }[options.cpu];
  const memory = Math.floor(options.ramBytes / MIB);
  return ascii(
    `MaxEntCap=${options.maxCpus},DesMem=${memory},DesProcs=${options.cpus},MaxPlatProcs=${options.maxCpus}${threads}\0`,
  );
}

const SYSTEM_PARAMETERS = new Map<number, (partition: Partition) => Uint8Array>([
  [SYSPARM_SPLPAR_CHARACTERISTICS, splparCharacteristics],
  [SYSPARM_DIAGNOSTICS_RUN_MODE, () => new Uint8Array(1)],
  [SYSPARM_UUID, (partition) => partition.options.uuid ?? new Uint8Array(0)],
]);

function getSystemParameter(partition: Partition, call: RtasCall): void {
  const value = SYSTEM_PARAMETERS.get(call.argument(0));
  call.result(
    0,
    value === undefined ? RTAS_NOT_SUPPORTED : storeParameter(partition, call, value(partition)),
  );
}

function setSystemParameter(_partition: Partition, call: RtasCall): void {
  call.result(0, SYSTEM_PARAMETERS.has(call.argument(0)) ? RTAS_NOT_AUTHORIZED : RTAS_NOT_SUPPORTED);
}

/** Nothing is ever logged: there is no hot-plug and no power failure. */
function checkException(_partition: Partition, call: RtasCall): void {
  call.result(0, call.nargs < 6 || call.nargs > 7 ? RTAS_PARAM_ERROR : RTAS_NO_ERRORS_FOUND);
}

function setTceBypass(partition: Partition, call: RtasCall): void {
  const table = partition.vio.find(call.argument(0))?.table;
  if (table === undefined) {
    call.result(0, RTAS_PARAM_ERROR);
    return;
  }
  table.bypass = call.argument(1) !== 0;
  call.result(0, RTAS_SUCCESS);
}

function quiesce(partition: Partition, call: RtasCall): void {
  partition.vio.quiesce();
  call.result(0, RTAS_SUCCESS);
}

/** nvram-fetch and nvram-store (offset, buffer, length) -> count. */
function transferNvram(partition: Partition, call: RtasCall, fetch: boolean): void {
  const { nvram } = partition.vio;
  const offset = call.argument(0);
  const buffer = call.argument(1);
  const length = call.argument(2);
  if (nvram === undefined || offset + length > nvram.size) {
    call.result(0, nvram === undefined ? RTAS_HW_ERROR : RTAS_PARAM_ERROR);
    call.result(1, 0);
    return;
  }
  const { ramBytes } = partition.options;
  const count = buffer < ramBytes ? Math.min(length, ramBytes - buffer) : Math.min(length, BOUNCE_BYTES);
  const bytes = new Uint8Array(count);
  if (fetch) {
    nvram.read(offset, bytes, 0, count);
    partition.guest.write(buffer, bytes, 0, count);
  } else {
    partition.guest.read(buffer, bytes, 0, count);
    nvram.write(offset, bytes, 0, count);
  }
  call.result(0, RTAS_SUCCESS);
  call.result(1, count);
}

function osTerm(partition: Partition, call: RtasCall): void {
  const bytes = new Uint8Array(MESSAGE_BYTES);
  partition.guest.read(call.argument(0), bytes, 0, MESSAGE_BYTES);
  const end = bytes.indexOf(0);
  const text = String.fromCharCode(...bytes.subarray(0, end < 0 ? MESSAGE_BYTES : end));
  partition.say(`OS terminated: ${text}`);
  partition.environment.request('guest-panicked');
  call.result(0, RTAS_SUCCESS);
}

function suspendMe(partition: Partition, call: RtasCall): void {
  const others = partition.cpus.filter((cpu) => cpu !== partition.cpu);
  if (others.some((cpu) => !cpu.halted || (cpu.msr & MSR_EE) !== 0n)) {
    call.result(0, H_MULTI_THREADS_ACTIVE);
    return;
  }
  call.result(0, RTAS_SUCCESS);
  partition.environment.request('suspend');
}

/** Whether the guest has told where its RTAS lies: /rtas linux,rtas-base of the tree it handed back. */
function hasRtasBase(tree: Uint8Array): boolean {
  const read = readFlattenedTree(tree);
  const rtas = read.ok ? findChild(read.root, 'rtas') : undefined;
  return rtas !== undefined && findProperty(rtas, 'linux,rtas-base') !== undefined;
}

/** ibm,nmi-register (system reset address, machine check address): both in the first 32 MiB. */
function nmiRegister(partition: Partition, call: RtasCall): void {
  if (!partition.options.fwnmi || !hasRtasBase(partition.tree)) {
    call.result(0, RTAS_NOT_SUPPORTED);
    return;
  }
  const end = Math.min(NMI_ADDRESS_END, partition.options.ramBytes);
  if (call.argument(0) >= end || call.argument(1) >= end) {
    call.result(0, RTAS_PARAM_ERROR);
    return;
  }
  partition.nmiSystemReset = call.argument(0);
  partition.nmiMachineCheck = call.argument(1);
  call.result(0, RTAS_SUCCESS);
}

function nmiInterlock(partition: Partition, call: RtasCall): void {
  const registered = partition.options.fwnmi && partition.nmiMachineCheck !== -1;
  call.result(0, registered ? RTAS_SUCCESS : RTAS_NOT_SUPPORTED);
}

export const SYSTEM_CALLS: readonly RtasRow[] = [
  { name: 'display-character', run: displayCharacter },
  { name: 'get-time-of-day', nargs: 0, nret: 8, run: getTimeOfDay },
  { name: 'set-time-of-day', nargs: 7, nret: 1, run: setTimeOfDay },
  {
    name: 'power-off',
    nargs: 2,
    nret: 1,
    run: (partition, call) => {
      partition.environment.request('power-off');
      call.result(0, RTAS_SUCCESS);
    },
  },
  {
    name: 'system-reboot',
    nargs: 0,
    nret: 1,
    run: (partition, call) => {
      partition.environment.request('reset');
      call.result(0, RTAS_SUCCESS);
    },
  },
  { name: 'query-cpu-stopped-state', nargs: 1, nret: 2, run: queryCpuStoppedState },
  { name: 'start-cpu', nargs: 3, nret: 1, run: startCpu },
  { name: 'stop-self', run: stopSelf },
  { name: 'ibm,get-system-parameter', run: getSystemParameter },
  { name: 'ibm,set-system-parameter', run: setSystemParameter },
  { name: 'check-exception', nret: 1, run: checkException },
  { name: 'event-scan', nargs: 4, nret: 1, run: (_, call) => call.result(0, RTAS_NO_ERRORS_FOUND) },
  { name: 'ibm,set-tce-bypass', nargs: 2, run: setTceBypass },
  { name: 'quiesce', nargs: 0, run: quiesce },
  { name: 'nvram-fetch', nargs: 3, nret: 2, run: (partition, call) => transferNvram(partition, call, true) },
  { name: 'nvram-store', nargs: 3, nret: 2, run: (partition, call) => transferNvram(partition, call, false) },
  { name: 'ibm,os-term', run: osTerm },
  { name: 'ibm,suspend-me', nargs: 0, nret: 1, run: suspendMe },
  { name: 'ibm,nmi-register', run: nmiRegister },
  { name: 'ibm,nmi-interlock', run: nmiInterlock },
];
