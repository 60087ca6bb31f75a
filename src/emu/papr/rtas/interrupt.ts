import { RTAS_HW_ERROR, RTAS_PARAM_ERROR, RTAS_SUCCESS } from '../abi.ts';
import type { Partition } from '../partition.ts';
import { type RtasCall, type RtasRow } from '../rtas-call.ts';

const PRIORITY_MAX = 0xff;
const MASKED = 0xff;

/** Calls of XICS: refused under XIVE before their counts are looked at; a source that does not exist is -3. */
function xicsRow(
  name: RtasRow['name'] & `ibm,${string}`,
  qemuName: string,
  nargs: number,
  nret: number,
  run: (partition: Partition, call: RtasCall, irq: number) => void,
): RtasRow {
  return {
    name,
    run: (partition, call) => {
      if (partition.xive) {
        partition.say(`pseries: ${qemuName} must only be called for emulated XICS`);
        call.result(0, RTAS_HW_ERROR);
        return;
      }
      const irq = call.nargs === nargs && call.nret === nret ? call.argument(0) : -1;
      if (partition.xics.isSource(irq)) run(partition, call, irq);
      else call.result(0, RTAS_PARAM_ERROR);
    },
  };
}

/** ibm,set-xive (source, server, priority). */
function setXive(partition: Partition, call: RtasCall, irq: number): void {
  const server = call.argument(1);
  const priority = call.argument(2);
  if (partition.cpuIndex(server) < 0 || priority > PRIORITY_MAX) {
    call.result(0, RTAS_PARAM_ERROR);
    return;
  }
  partition.xics.route(irq, server, priority, priority);
  call.result(0, RTAS_SUCCESS);
}

function getXive(partition: Partition, call: RtasCall, irq: number): void {
  call.result(0, RTAS_SUCCESS);
  call.result(1, partition.xics.server(irq));
  call.result(2, partition.xics.priority(irq));
}

/** ibm,int-off: masks a source and keeps its priority for ibm,int-on. */
function intOff({ xics }: Partition, call: RtasCall, irq: number): void {
  xics.route(irq, xics.server(irq), MASKED, xics.priority(irq));
  call.result(0, RTAS_SUCCESS);
}

function intOn({ xics }: Partition, call: RtasCall, irq: number): void {
  const priority = xics.savedPriority(irq);
  xics.route(irq, xics.server(irq), priority, priority);
  call.result(0, RTAS_SUCCESS);
}

export const INTERRUPT_CALLS: readonly RtasRow[] = [
  xicsRow('ibm,set-xive', 'rtas_set_xive', 3, 1, setXive),
  xicsRow('ibm,get-xive', 'rtas_get_xive', 1, 3, getXive),
  xicsRow('ibm,int-off', 'rtas_int_off', 1, 1, intOff),
  xicsRow('ibm,int-on', 'rtas_int_on', 1, 1, intOn),
];
