import {
  H_GET_TCE,
  H_PARAMETER,
  H_PUT_TCE,
  H_PUT_TCE_INDIRECT,
  H_STUFF_TCE,
  H_SUCCESS,
  TCE_LIST_MAX,
} from '../abi.ts';
import { addressOf } from '../guest-access.ts';
import type { Hcall, HcallFrame } from '../hcall-frame.ts';
import type { Partition } from '../partition.ts';
import type { TceTable } from '../tce-table.ts';

/** H_PUT_TCE (liobn, ioba, tce). The value is not looked at. */
function putTce(partition: Partition, frame: HcallFrame): number {
  const table = partition.tableOf(frame.high(0), frame.low(0));
  if (table === undefined) return H_PARAMETER;
  const index = table.indexOf(frame.high(1), frame.low(1));
  if (index < 0) return H_PARAMETER;
  table.put(index, frame.high(2), frame.low(2));
  return H_SUCCESS;
}

/** H_GET_TCE (liobn, ioba) -> tce. */
function getTce(partition: Partition, frame: HcallFrame): number {
  const table = partition.tableOf(frame.high(0), frame.low(0));
  if (table === undefined) return H_PARAMETER;
  const index = table.indexOf(frame.high(1), frame.low(1));
  if (index < 0) return H_PARAMETER;
  frame.setWords(0, table.high(index), table.low(index));
  return H_SUCCESS;
}

/** H_STUFF_TCE (liobn, ioba, value, npages). What lies before the first page outside the window stays written. */
function stuffTce(partition: Partition, frame: HcallFrame): number {
  const table = partition.tableOf(frame.high(0), frame.low(0));
  if (table === undefined) return H_PARAMETER;
  const count = frame.small(3);
  if (count > table.entries || count === 0) return H_PARAMETER;
  const index = table.indexOf(frame.high(1), frame.low(1));
  if (index < 0) return H_PARAMETER;
  const room = Math.min(count, table.entries - index);
  table.fill(index, room, frame.high(2), frame.low(2));
  return room === count ? H_SUCCESS : H_PARAMETER;
}

/** H_PUT_TCE_INDIRECT (liobn, ioba, list, npages): big-endian entries, on a 4 KiB page of the CPU's address space. */
function putTceIndirect(partition: Partition, frame: HcallFrame): number {
  const table = partition.tableOf(frame.high(0), frame.low(0));
  if (table === undefined) return H_PARAMETER;
  const count = frame.small(3);
  if (count > TCE_LIST_MAX || (frame.low(2) & 0xfff) !== 0 || count === 0) return H_PARAMETER;
  const list = addressOf(frame.high(2), frame.low(2));
  const index = table.indexOf(frame.high(1), frame.low(1));
  const room = index < 0 ? 0 : Math.min(count, table.entries - index);
  // Each entry is read before its page is checked, so that of the first page outside the window is read too.
  putList(partition, table, list, index, room, Math.min(count, room + 1));
  return room === count ? H_SUCCESS : H_PARAMETER;
}

function putList(
  partition: Partition,
  table: TceTable,
  list: number,
  index: number,
  room: number,
  readCount: number,
): void {
  if (partition.guest.inRam(list, 8 * readCount)) {
    partition.environment.hypervisorRead(list, partition.list, 0, 8 * readCount);
    const view = partition.listView;
    for (let i = 0; i < room; i++) table.put(index + i, view.getUint32(8 * i), view.getUint32(8 * i + 4));
    return;
  }
  for (let i = 0; i < readCount; i++) {
    const tce = partition.guest.load64(list < 0 ? list : list + 8 * i);
    if (i < room) {
      table.put(index + i, Number(tce >> 32n), Number(BigInt.asUintN(32, tce)));
    }
  }
}

export const TCE_HCALLS: readonly Hcall[] = [
  { number: H_GET_TCE, name: 'H_GET_TCE', run: getTce },
  { number: H_PUT_TCE, name: 'H_PUT_TCE', run: putTce },
  { number: H_STUFF_TCE, name: 'H_STUFF_TCE', run: stuffTce },
  { number: H_PUT_TCE_INDIRECT, name: 'H_PUT_TCE_INDIRECT', run: putTceIndirect },
];
