import {
  H_ADD_LOGICAL_LAN_BUFFER,
  H_CHANGE_LOGICAL_LAN_MAC,
  H_ENABLE_CRQ,
  H_FREE_CRQ,
  H_FREE_LOGICAL_LAN,
  H_HARDWARE,
  H_MULTICAST_CTRL,
  H_NOT_FOUND,
  H_PARAMETER,
  H_REGISTER_LOGICAL_LAN,
  H_REG_CRQ,
  H_SEND_CRQ,
  H_SEND_LOGICAL_LAN,
  H_SUCCESS,
  H_VIO_SIGNAL,
} from '../abi.ts';
import type { Hcall, HcallFrame } from '../hcall-frame.ts';
import type { Partition } from '../partition.ts';

const QUEUE_BYTES_MIN = 0x1000;
const QUEUE_BYTES_MAX = 0x1000_0000;

/** H_REG_CRQ (unit, address, length). No device here has a command queue, so none is ever registered. */
function regCrq(partition: Partition, frame: HcallFrame): number {
  const length = frame.small(2);
  if (partition.vio.find(frame.low(0)) === undefined) return H_PARAMETER;
  if (length < QUEUE_BYTES_MIN || length > QUEUE_BYTES_MAX) return H_PARAMETER;
  if ((frame.low(1) & 0xfff) !== 0) return H_PARAMETER;
  return H_NOT_FOUND;
}

function unitExists(partition: Partition, frame: HcallFrame): number {
  return partition.vio.find(frame.low(0)) === undefined ? H_PARAMETER : H_SUCCESS;
}

function sendCrq(partition: Partition, frame: HcallFrame): number {
  return partition.vio.find(frame.low(0)) === undefined ? H_PARAMETER : H_HARDWARE;
}

/** H_VIO_SIGNAL (unit, mode). */
function vioSignal(partition: Partition, frame: HcallFrame): number {
  const device = partition.vio.find(frame.low(0));
  const mode = frame.argument(1);
  if (device === undefined || (mode & ~BigInt(device.kind.signalMask)) !== 0n) return H_PARAMETER;
  device.signalState = mode;
  return H_SUCCESS;
}

/** The calls of spapr-vlan without such a device. */
const noLan = (): number => H_PARAMETER;

export const VIO_HCALLS: readonly Hcall[] = [
  { number: H_REG_CRQ, name: 'H_REG_CRQ', run: regCrq },
  { number: H_FREE_CRQ, name: 'H_FREE_CRQ', run: unitExists },
  { number: H_VIO_SIGNAL, name: 'H_VIO_SIGNAL', run: vioSignal },
  { number: H_SEND_CRQ, name: 'H_SEND_CRQ', run: sendCrq },
  { number: H_ENABLE_CRQ, name: 'H_ENABLE_CRQ', run: unitExists },
  { number: H_REGISTER_LOGICAL_LAN, name: 'H_REGISTER_LOGICAL_LAN', run: noLan },
  { number: H_FREE_LOGICAL_LAN, name: 'H_FREE_LOGICAL_LAN', run: noLan },
  { number: H_ADD_LOGICAL_LAN_BUFFER, name: 'H_ADD_LOGICAL_LAN_BUFFER', run: noLan },
  { number: H_SEND_LOGICAL_LAN, name: 'H_SEND_LOGICAL_LAN', run: noLan },
  { number: H_MULTICAST_CTRL, name: 'H_MULTICAST_CTRL', run: unitExists },
  { number: H_CHANGE_LOGICAL_LAN_MAC, name: 'H_CHANGE_LOGICAL_LAN_MAC', run: noLan },
];
