import { RTAS_HW_ERROR, RTAS_PARAM_ERROR, RTAS_SUCCESS } from '../abi.ts';
import type { HostBridge } from '../host-bridge.ts';
import type { Partition } from '../partition.ts';
import type { RtasCall, RtasRow } from '../rtas-call.ts';

/** "Largest block", in pages: constants, whatever the windows are. */
const LARGEST_32 = 0x8000_0000;
const LARGEST_64_HIGH = 0x20;

/** The bridge of arguments 1 and 2, if it has dynamic windows. */
function dynamicBridge(partition: Partition, call: RtasCall): HostBridge | undefined {
  const bridge = partition.bridgeOf(call.argument(1), call.argument(2));
  return bridge?.dma.ddw === true ? bridge : undefined;
}

function query(partition: Partition, call: RtasCall): void {
  const bridge = dynamicBridge(partition, call);
  if (bridge === undefined || (call.nret !== 5 && call.nret !== 6)) {
    call.result(0, RTAS_PARAM_ERROR);
    return;
  }
  call.result(0, RTAS_SUCCESS);
  call.result(1, bridge.dma.available);
  if (call.nret === 6) {
    call.result(2, LARGEST_64_HIGH);
    call.result(3, 0);
  } else call.result(2, LARGEST_32);
  call.result(call.nret - 2, bridge.dma.queryMask);
  call.result(call.nret - 1, 0);
}

function create(partition: Partition, call: RtasCall): void {
  const bridge = dynamicBridge(partition, call);
  const created = bridge?.dma.create(call.argument(3), call.argument(4)) ?? 'parameter-error';
  if (typeof created === 'string') {
    call.result(0, created === 'hardware-error' ? RTAS_HW_ERROR : RTAS_PARAM_ERROR);
    return;
  }
  partition.environment.mapsChanged();
  call.result(0, RTAS_SUCCESS);
  call.result(1, created.liobn);
  call.result(2, created.busHigh);
  call.result(3, 0);
}

function remove(partition: Partition, call: RtasCall): void {
  const liobn = call.argument(0);
  const owner = partition.bridges.find((bridge) => bridge.dma.tables.some((table) => table.liobn === liobn));
  const table = partition.tableOf(0, liobn);
  const removed = table !== undefined && owner?.dma.ddw === true && owner.dma.remove(table);
  if (removed) partition.environment.mapsChanged();
  call.result(0, removed ? RTAS_SUCCESS : RTAS_PARAM_ERROR);
}

function reset(partition: Partition, call: RtasCall): void {
  const bridge = dynamicBridge(partition, call);
  bridge?.dma.reset();
  if (bridge !== undefined) partition.environment.mapsChanged();
  call.result(0, bridge === undefined ? RTAS_PARAM_ERROR : RTAS_SUCCESS);
}

export const DDW_CALLS: readonly RtasRow[] = [
  { name: 'ibm,query-pe-dma-window', nargs: 3, run: query },
  { name: 'ibm,create-pe-dma-window', nargs: 5, nret: 4, run: create },
  { name: 'ibm,remove-pe-dma-window', nargs: 1, nret: 1, run: remove },
  { name: 'ibm,reset-pe-dma-window', nargs: 3, nret: 1, run: reset },
];
