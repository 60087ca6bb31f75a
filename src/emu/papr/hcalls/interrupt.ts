import {
  H_CPPR,
  H_EOI,
  H_HARDWARE,
  H_IPI,
  H_IPOLL,
  H_PARAMETER,
  H_SUCCESS,
  H_XIRR,
  H_XIRR_X,
} from '../abi.ts';
import type { Hcall, HcallFrame } from '../hcall-frame.ts';
import type { Partition } from '../partition.ts';

/** The calls of XICS are refused once client-architecture-support chose XIVE (xics_spapr.c check_emulated_xics). */
function refused(partition: Partition, name: string): boolean {
  if (!partition.xive) return false;
  partition.say(`pseries: ${name} must only be called for emulated XICS`);
  return true;
}

function cppr(partition: Partition, frame: HcallFrame): number {
  if (refused(partition, 'h_cppr')) return H_HARDWARE;
  partition.xics.setPriority(partition.acting, frame.low(0) & 0xff);
  return H_SUCCESS;
}

function ipi(partition: Partition, frame: HcallFrame): number {
  if (refused(partition, 'h_ipi')) return H_HARDWARE;
  const cpu = partition.cpuIndex(frame.low(0));
  if (cpu < 0) return H_PARAMETER;
  partition.xics.setMfrr(cpu, frame.low(1) & 0xff);
  return H_SUCCESS;
}

/** Accepting comes before the check, as in QEMU: a refused H_XIRR still closes the CPU. */
function xirr(partition: Partition, frame: HcallFrame): number {
  const value = partition.xics.accept(partition.acting);
  if (refused(partition, 'h_xirr')) return H_HARDWARE;
  frame.setWords(0, 0, value);
  return H_SUCCESS;
}

/** The second output is a time stamp: QEMU's is the host's, this one the guest's timebase. */
function xirrX(partition: Partition, frame: HcallFrame): number {
  const value = partition.xics.accept(partition.acting);
  if (refused(partition, 'h_xirr_x')) return H_HARDWARE;
  frame.setWords(0, 0, value);
  frame.set(1, BigInt(partition.environment.queue.now));
  return H_SUCCESS;
}

function eoi(partition: Partition, frame: HcallFrame): number {
  if (refused(partition, 'h_eoi')) return H_HARDWARE;
  partition.xics.endOfInterrupt(partition.acting, frame.low(0));
  return H_SUCCESS;
}

function ipoll(partition: Partition, frame: HcallFrame): number {
  if (refused(partition, 'h_ipoll')) return H_HARDWARE;
  const cpu = partition.cpuIndex(frame.low(0));
  if (cpu < 0) return H_PARAMETER;
  frame.setWords(0, 0, partition.xics.poll(cpu));
  frame.setWords(1, 0, partition.xics.mfrr(cpu));
  return H_SUCCESS;
}

export const INTERRUPT_HCALLS: readonly Hcall[] = [
  { number: H_EOI, name: 'H_EOI', run: eoi },
  { number: H_CPPR, name: 'H_CPPR', run: cppr },
  { number: H_IPI, name: 'H_IPI', run: ipi },
  { number: H_IPOLL, name: 'H_IPOLL', run: ipoll },
  { number: H_XIRR, name: 'H_XIRR', run: xirr },
  { number: H_XIRR_X, name: 'H_XIRR_X', run: xirrX },
];
