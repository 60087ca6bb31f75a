import {
  H_BAD_MODE,
  H_CEDE,
  H_CONFER,
  H_CONTINUE,
  H_FUNCTION,
  H_GET_CPU_CHARACTERISTICS,
  H_HARDWARE,
  H_HOME_NODE_ASSOCIATIVITY,
  H_JOIN,
  H_P2,
  H_P3,
  H_P4,
  H_PARAMETER,
  H_PROD,
  H_REGISTER_VPA,
  H_RESOURCE,
  H_SET_DABR,
  H_SET_MODE,
  H_SET_SPRG0,
  H_SET_XDABR,
  H_SIGNAL_SYS_RESET,
  H_SUCCESS,
  H_UNSUPPORTED_FLAG,
  MSR_EE,
  OV5_FORM2_AFFINITY,
} from '../abi.ts';
import type { MitigationLevels } from '../environment.ts';
import { addressOf } from '../guest-access.ts';
import { LEAVE_R3, type Hcall, type HcallFrame } from '../hcall-frame.ts';
import type { Partition } from '../partition.ts';
import { LPCR_AIL, LPCR_AIL_SHIFT, LPCR_ILE, LPCR_KEPT, type VirtualCpu } from '../virtual-cpu.ts';

const ALL_CPUS = (1n << 64n) - 1n;
const ALL_OTHER_CPUS = ALL_CPUS - 1n;

const VPA_BYTES_MIN = 640;
const VPA_ALIGNMENT = 128n;
const VPA_SHARED_PROCESSOR = 9;
const VPA_DISPATCH_COUNTER = 0x100;
const SLB_SHADOW_BYTES_MIN = 8;
const DISPATCH_LOG_BYTES_MIN = 48;
const PAGE_BYTES = 4096n;
const MASK_64 = (1n << 64n) - 1n;

/** H_REGISTER_VPA's flags, whole: the function stands in bits 45 to 47. */
const VPA_FUNCTIONS = new Map<bigint, (partition: Partition, cpu: VirtualCpu, address: bigint) => number>([
  [1n << 45n, registerVpa],
  [2n << 45n, registerDispatchLog],
  [3n << 45n, registerSlbShadow],
  [5n << 45n, deregisterVpa],
  [6n << 45n, deregisterDispatchLog],
  [7n << 45n, deregisterSlbShadow],
]);

function at(address: bigint, offset: number): number {
  const moved = (address + BigInt(offset)) & MASK_64;
  return addressOf(Number(moved >> 32n), Number(BigInt.asUintN(32, moved)));
}

function crossesPage(address: bigint, bytes: number): boolean {
  return address / PAGE_BYTES !== ((address + BigInt(bytes) - 1n) & MASK_64) / PAGE_BYTES;
}

function registerVpa(partition: Partition, cpu: VirtualCpu, address: bigint): number {
  if (address === 0n) return H_HARDWARE;
  if (address % VPA_ALIGNMENT !== 0n) return H_PARAMETER;
  const bytes = partition.guest.load(at(address, 4), 2);
  if (bytes < VPA_BYTES_MIN || crossesPage(address, bytes)) return H_PARAMETER;
  cpu.vpa = address;
  const shared = at(address, VPA_SHARED_PROCESSOR);
  partition.guest.store(shared, 1, partition.guest.load(shared, 1) | 2);
  return H_SUCCESS;
}

function deregisterVpa(_partition: Partition, cpu: VirtualCpu): number {
  if (cpu.slbShadow !== 0n || cpu.dispatchLog !== 0n) return H_RESOURCE;
  cpu.vpa = 0n;
  return H_SUCCESS;
}

function registerSlbShadow(partition: Partition, cpu: VirtualCpu, address: bigint): number {
  if (address === 0n) return H_HARDWARE;
  const bytes = partition.guest.load(at(address, 4), 4);
  if (bytes < SLB_SHADOW_BYTES_MIN || crossesPage(address, bytes)) return H_PARAMETER;
  if (cpu.vpa === 0n) return H_RESOURCE;
  cpu.slbShadow = address;
  cpu.slbShadowBytes = bytes;
  return H_SUCCESS;
}

function deregisterSlbShadow(_partition: Partition, cpu: VirtualCpu): number {
  cpu.slbShadow = 0n;
  cpu.slbShadowBytes = 0;
  return H_SUCCESS;
}

function registerDispatchLog(partition: Partition, cpu: VirtualCpu, address: bigint): number {
  if (address === 0n) return H_HARDWARE;
  const bytes = partition.guest.load(at(address, 4), 4);
  if (bytes < DISPATCH_LOG_BYTES_MIN) return H_PARAMETER;
  if (cpu.vpa === 0n) return H_RESOURCE;
  cpu.dispatchLog = address;
  cpu.dispatchLogBytes = bytes;
  return H_SUCCESS;
}

function deregisterDispatchLog(_partition: Partition, cpu: VirtualCpu): number {
  cpu.dispatchLog = 0n;
  cpu.dispatchLogBytes = 0;
  return H_SUCCESS;
}

/** H_REGISTER_VPA (flags, CPU, address). */
function vpa(partition: Partition, frame: HcallFrame): number {
  const cpu = partition.cpus[partition.cpuIndex(frame.low(1))];
  const run = VPA_FUNCTIONS.get(frame.argument(0));
  if (cpu === undefined || run === undefined) return H_PARAMETER;
  return run(partition, cpu, frame.argument(2));
}

/** H_CEDE: interrupts on, and asleep unless there is work or a prod to use up. */
function cede(partition: Partition): number {
  const { cpu } = partition;
  cpu.msr |= MSR_EE;
  if (cpu.prodded) cpu.prodded = false;
  else if (!partition.xics.pending(partition.acting)) cpu.halted = true;
  return H_SUCCESS;
}

/** Asleep until prodded: H_JOIN, and H_CONFER to oneself. */
function sleepUntilProdded(cpu: VirtualCpu): number {
  if (cpu.prodded) cpu.prodded = false;
  else cpu.halted = true;
  return H_SUCCESS;
}

/**
 * H_CONFER (target, dispatch counter). Where it yields, QEMU leaves the call by a longjmp and never writes the status:
 * the guest finds the call's own number in r3 (spapr_hcall.c h_confer).
 */
function confer(partition: Partition, frame: HcallFrame): number {
  if (frame.argument(0) === ALL_CPUS) return LEAVE_R3;
  const target = partition.cpus[partition.cpuIndex(frame.low(0))];
  if (target === undefined) return H_PARAMETER;
  if (target === partition.cpu) return sleepUntilProdded(target);
  const dispatch = frame.low(1);
  if (target.vpa === 0n || (dispatch & 1) === 0) return H_SUCCESS;
  if (partition.guest.load(at(target.vpa, VPA_DISPATCH_COUNTER), 4) !== dispatch) return H_SUCCESS;
  return LEAVE_R3;
}

function prod(partition: Partition, frame: HcallFrame): number {
  const target = partition.cpus[partition.cpuIndex(frame.low(0))];
  if (target === undefined) return H_PARAMETER;
  target.prodded = true;
  target.halted = false;
  return H_SUCCESS;
}

function join(partition: Partition): number {
  const { cpu } = partition;
  if ((cpu.msr & MSR_EE) !== 0n) return H_BAD_MODE;
  const anotherRuns = partition.cpus.some(
    (other) => other !== cpu && (!other.halted || (other.msr & MSR_EE) !== 0n),
  );
  return anotherRuns ? sleepUntilProdded(cpu) : H_CONTINUE;
}

/** H_SIGNAL_SYS_RESET (CPU, or -1 for all, -2 for all others). */
function signalSysReset(partition: Partition, frame: HcallFrame): number {
  const target = frame.argument(0);
  if (target >= 1n << 63n) {
    if (target < ALL_OTHER_CPUS) return H_PARAMETER;
    for (let cpu = 0; cpu < partition.cpus.length; cpu++) {
      if (target === ALL_CPUS || cpu !== partition.acting) partition.systemReset(cpu);
    }
    return H_SUCCESS;
  }
  const cpu = partition.cpuIndex(frame.low(0));
  if (cpu < 0) return H_PARAMETER;
  partition.systemReset(cpu);
  return H_SUCCESS;
}

/** Sets LPCR bits of every CPU; the value is not cut to the mask, as in QEMU's spapr_set_all_lpcrs. */
export function setAllLpcrs(partition: Partition, value: bigint, mask: bigint): void {
  for (const cpu of partition.cpus) cpu.lpcr = ((cpu.lpcr & ~mask) | value) & LPCR_KEPT;
}

const MODE_ADDRESS_TRANSLATION = 3n;
const MODE_ENDIAN = 4n;
const ENDIAN_LITTLE = 1n;
const AIL_RESERVED = 1n;

/** H_SET_MODE (flags, resource, value, value). */
function setMode(partition: Partition, frame: HcallFrame): number {
  const flags = frame.argument(0);
  const resource = frame.argument(1);
  if (resource !== MODE_ENDIAN && resource !== MODE_ADDRESS_TRANSLATION) return H_P2;
  if (resource === MODE_ADDRESS_TRANSLATION && partition.options.cpu === 'power7') return H_P2;
  if (frame.argument(2) !== 0n) return H_P3;
  if (frame.argument(3) !== 0n) return H_P4;
  if (resource === MODE_ENDIAN) {
    if (flags > ENDIAN_LITTLE) return H_UNSUPPORTED_FLAG;
    setAllLpcrs(partition, flags === ENDIAN_LITTLE ? LPCR_ILE : 0n, LPCR_ILE);
    return H_SUCCESS;
  }
  if (flags === AIL_RESERVED) return H_UNSUPPORTED_FLAG;
  setAllLpcrs(partition, (flags << LPCR_AIL_SHIFT) & MASK_64, LPCR_AIL);
  return H_SUCCESS;
}

function setSprg0(partition: Partition, frame: HcallFrame): number {
  partition.cpu.sprg0 = frame.argument(0);
  return H_SUCCESS;
}

/** Of QEMU's CPUs only POWER7 has the two registers. */
function setDabr(partition: Partition, frame: HcallFrame): number {
  if (partition.options.cpu !== 'power7') return H_HARDWARE;
  partition.cpu.dabrx = 3n;
  partition.cpu.dabr = frame.argument(0);
  return H_SUCCESS;
}

const DABRX_HYPERVISOR = 4n;
const DABRX_KERNEL_OR_USER = 3n;

function setXdabr(partition: Partition, frame: HcallFrame): number {
  if (partition.options.cpu !== 'power7') return H_HARDWARE;
  const dabrx = frame.argument(1);
  if (dabrx > 0xfn || (dabrx & DABRX_HYPERVISOR) !== 0n || (dabrx & DABRX_KERNEL_OR_USER) === 0n) {
    return H_PARAMETER;
  }
  partition.cpu.dabrx = dabrx;
  partition.cpu.dabr = frame.argument(0);
  return H_SUCCESS;
}

function powerBit(bit: number): bigint {
  return 1n << BigInt(63 - bit);
}

const CHARACTERISTIC_SPECULATION_BARRIER = powerBit(0);
const CHARACTERISTIC_BCCTRL_SERIALISED = powerBit(1);
const CHARACTERISTIC_FLUSH_ORI30 = powerBit(2);
const CHARACTERISTIC_FLUSH_TRIG2 = powerBit(3);
const CHARACTERISTIC_L1D_THREAD_PRIVATE = powerBit(4);
const CHARACTERISTIC_HONOURS_BRANCH_HINTS = powerBit(5);
const CHARACTERISTIC_COUNT_CACHE_DISABLED = powerBit(7);
const CHARACTERISTIC_COUNT_FLUSH_ASSIST = powerBit(9);
const BEHAVIOUR_FAVOUR_SECURITY = powerBit(0);
const BEHAVIOUR_FLUSH_L1D = powerBit(1);
const BEHAVIOUR_BOUNDS_BARRIER = powerBit(2);
const BEHAVIOUR_FLUSH_COUNT_CACHE = powerBit(5);
const BEHAVIOUR_NO_L1D_FLUSH_ENTRY = powerBit(7);
const BEHAVIOUR_NO_L1D_FLUSH_ACCESS = powerBit(8);

interface Announced {
  readonly characteristics: bigint;
  readonly behaviour: bigint;
}

const CFPC: Readonly<Record<MitigationLevels['cfpc'], Announced>> = {
  broken: { characteristics: 0n, behaviour: BEHAVIOUR_FLUSH_L1D },
  workaround: {
    characteristics:
      CHARACTERISTIC_FLUSH_ORI30 | CHARACTERISTIC_FLUSH_TRIG2 | CHARACTERISTIC_L1D_THREAD_PRIVATE,
    behaviour: BEHAVIOUR_FLUSH_L1D,
  },
  fixed: { characteristics: 0n, behaviour: BEHAVIOUR_NO_L1D_FLUSH_ENTRY | BEHAVIOUR_NO_L1D_FLUSH_ACCESS },
};

const SBBC: Readonly<Record<MitigationLevels['sbbc'], Announced>> = {
  broken: { characteristics: 0n, behaviour: BEHAVIOUR_BOUNDS_BARRIER },
  workaround: { characteristics: CHARACTERISTIC_SPECULATION_BARRIER, behaviour: BEHAVIOUR_BOUNDS_BARRIER },
  fixed: { characteristics: 0n, behaviour: 0n },
};

const IBS: Readonly<Record<MitigationLevels['ibs'], Announced>> = {
  broken: { characteristics: 0n, behaviour: 0n },
  workaround: { characteristics: 0n, behaviour: BEHAVIOUR_FLUSH_COUNT_CACHE },
  'fixed-ibs': { characteristics: CHARACTERISTIC_BCCTRL_SERIALISED, behaviour: 0n },
  'fixed-ccd': { characteristics: CHARACTERISTIC_COUNT_CACHE_DISABLED, behaviour: 0n },
  'fixed-na': { characteristics: 0n, behaviour: 0n },
};

/** H_GET_CPU_CHARACTERISTICS -> characteristics, behaviour, from the machine's capabilities. */
function cpuCharacteristics(partition: Partition, frame: HcallFrame): number {
  const levels = partition.options.mitigations;
  let characteristics = CHARACTERISTIC_HONOURS_BRANCH_HINTS;
  let behaviour = BEHAVIOUR_FAVOUR_SECURITY;
  for (const row of [CFPC[levels.cfpc], SBBC[levels.sbbc], IBS[levels.ibs]]) {
    characteristics |= row.characteristics;
    behaviour |= row.behaviour;
  }
  if (levels.ibs === 'workaround' && levels.countCacheFlushAssist) {
    characteristics |= CHARACTERISTIC_COUNT_FLUSH_ASSIST;
  }
  frame.set(0, characteristics);
  frame.set(1, behaviour);
  return H_SUCCESS;
}

const ASSOCIATIVITY_REGISTERS = 6;

/** H_HOME_NODE_ASSOCIATIVITY (flags, CPU) -> domains of node 0, two a register, -1 behind the last. */
function homeNodeAssociativity(partition: Partition, frame: HcallFrame): number {
  if (frame.argument(0) !== 1n) return H_FUNCTION;
  const cpu = partition.cpus[partition.cpuIndex(frame.low(1))];
  if (cpu === undefined) return H_P2;
  const domains = partition.ov5.has(OV5_FORM2_AFFINITY) ? [0, cpu.number] : [0, 0, 0, 0, cpu.number];
  for (let i = 0; i < ASSOCIATIVITY_REGISTERS; i++) {
    frame.setWords(i, (domains[2 * i] ?? -1) >>> 0, (domains[2 * i + 1] ?? -1) >>> 0);
  }
  return H_SUCCESS;
}

export const CPU_HCALLS: readonly Hcall[] = [
  { number: H_SET_SPRG0, name: 'H_SET_SPRG0', run: setSprg0 },
  { number: H_SET_DABR, name: 'H_SET_DABR', run: setDabr },
  { number: H_SET_XDABR, name: 'H_SET_XDABR', run: setXdabr },
  { number: H_REGISTER_VPA, name: 'H_REGISTER_VPA', run: vpa },
  { number: H_CEDE, name: 'H_CEDE', run: cede },
  { number: H_CONFER, name: 'H_CONFER', run: confer },
  { number: H_PROD, name: 'H_PROD', run: prod },
  { number: H_JOIN, name: 'H_JOIN', run: join },
  { number: H_SET_MODE, name: 'H_SET_MODE', run: setMode },
  { number: H_SIGNAL_SYS_RESET, name: 'H_SIGNAL_SYS_RESET', run: signalSysReset },
  { number: H_GET_CPU_CHARACTERISTICS, name: 'H_GET_CPU_CHARACTERISTICS', run: cpuCharacteristics },
  { number: H_HOME_NODE_ASSOCIATIVITY, name: 'H_HOME_NODE_ASSOCIATIVITY', run: homeNodeAssociativity },
];
