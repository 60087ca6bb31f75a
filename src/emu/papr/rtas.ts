import {
  H_PARAMETER,
  H_SUCCESS,
  RTAS_LEGACY_DISPLAY_CHARACTER,
  RTAS_PARAM_ERROR,
  RTAS_TOKEN,
  RTAS_TOKEN_BASE,
} from './abi.ts';
import type { HcallFrame } from './hcall-frame.ts';
import type { Partition } from './partition.ts';
import { inTokenOrder, RtasCall, runRow, type RtasRow } from './rtas-call.ts';
import { CONNECTOR_CALLS } from './rtas/connector.ts';
import { DDW_CALLS } from './rtas/ddw.ts';
import { INTERRUPT_CALLS } from './rtas/interrupt.ts';
import { PCI_CALLS } from './rtas/pci.ts';
import { SYSTEM_CALLS } from './rtas/system.ts';

const RTAS_ROWS: readonly RtasRow[] = [
  ...SYSTEM_CALLS,
  ...INTERRUPT_CALLS,
  ...PCI_CALLS,
  ...CONNECTOR_CALLS,
  ...DDW_CALLS,
];

/** Run-time abstraction services by hypercall (QEMU hw/ppc/spapr_rtas.c spapr_rtas_call). */
export class Rtas {
  readonly #partition: Partition;
  readonly #call: RtasCall;
  readonly #rows: readonly (RtasRow | undefined)[] = inTokenOrder(RTAS_ROWS);

  constructor(partition: Partition) {
    this.#partition = partition;
    this.#call = new RtasCall(partition);
  }

  /** KVMPPC_H_RTAS (address of the argument buffer). */
  call(frame: HcallFrame): number {
    const call = this.#call;
    call.begin(frame.high(0), frame.low(0));
    const token = call.token === RTAS_LEGACY_DISPLAY_CHARACTER ? RTAS_TOKEN['display-character'] : call.token;
    const row = this.#rows[token - RTAS_TOKEN_BASE];
    if (row === undefined) call.result(0, RTAS_PARAM_ERROR);
    else runRow(row, this.#partition, call);
    call.end();
    return row === undefined ? H_PARAMETER : H_SUCCESS;
  }
}
