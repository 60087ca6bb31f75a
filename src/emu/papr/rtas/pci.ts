import { MSI_WINDOW, RTAS_HW_ERROR, RTAS_PARAM_ERROR, RTAS_SUCCESS } from '../abi.ts';
import type { HostBridge } from '../host-bridge.ts';
import type { PciFunction } from '../../pci/function.ts';
import type { Partition } from '../partition.ts';
import type { RtasCall, RtasRow } from '../rtas-call.ts';

/** Register bits of a configuration address: 31 to 28 are the upper four of an extended register. */
function registerOf(configAddress: number): number {
  return ((configAddress >>> 20) & 0xf00) | (configAddress & 0xff);
}

interface ConfigCycle {
  readonly target: PciFunction;
  readonly offset: number;
  readonly width: 1 | 2 | 4;
}

/** What a configuration access means; undefined if it is one that answers -1. */
function configCycle(
  bridge: HostBridge | undefined,
  configAddress: number,
  size: number,
): ConfigCycle | undefined {
  const target = bridge?.functionAt(configAddress);
  const offset = registerOf(configAddress);
  if ((size !== 1 && size !== 2 && size !== 4) || target === undefined) return undefined;
  if (offset % size !== 0 || offset >= target.configBytes) return undefined;
  return { target, offset, width: size };
}

function read(call: RtasCall, bridge: HostBridge | undefined, size: number): void {
  const cycle = configCycle(bridge, call.argument(0), size);
  if (cycle === undefined) {
    call.result(0, RTAS_HW_ERROR);
    return;
  }
  call.result(0, RTAS_SUCCESS);
  call.result(1, cycle.target.configRead(cycle.offset, cycle.width));
}

function write(call: RtasCall, bridge: HostBridge | undefined, size: number, value: number): void {
  const cycle = configCycle(bridge, call.argument(0), size);
  if (cycle === undefined) {
    call.result(0, RTAS_HW_ERROR);
    return;
  }
  cycle.target.configWrite(
    cycle.offset,
    cycle.width,
    cycle.width === 4 ? value : value % 2 ** (8 * cycle.width),
  );
  call.result(0, RTAS_SUCCESS);
}

/** Functions of ibm,change-msi. */
const CHANGE_ANY = 1;
const CHANGE_MSI = 3;
const CHANGE_MSIX = 4;
const TYPE_MSIX = 2;

/**
 * ibm,change-msi (configuration address, BUID, function, count, sequence): hands out interrupt numbers and programs
 * them into the device. No function here has the MSI capability, only MSI-X.
 */
function changeMsi(partition: Partition, call: RtasCall): void {
  const configAddress = call.argument(0);
  const bridge = partition.bridgeOf(call.argument(1), call.argument(2));
  const target = bridge?.functionAt(configAddress);
  if (bridge === undefined || target === undefined) {
    call.result(0, RTAS_PARAM_ERROR);
    return;
  }
  const asked = call.argument(3);
  if (asked !== CHANGE_ANY && asked !== CHANGE_MSI && asked !== CHANGE_MSIX) {
    partition.say(`rtas_ibm_change_msi(${asked}) is not implemented`);
    call.result(0, RTAS_PARAM_ERROR);
    return;
  }
  if (asked === CHANGE_MSI || target.msixVectors === 0) {
    call.result(0, RTAS_PARAM_ERROR);
    return;
  }
  const count = call.argument(4);
  if (count > 0) assign(partition, call, bridge, target, count);
  else if (bridge.releaseMessages(configAddress)) {
    call.result(0, RTAS_SUCCESS);
    call.result(1, 0);
  } else call.result(0, RTAS_HW_ERROR);
}

function assign(
  partition: Partition,
  call: RtasCall,
  bridge: HostBridge,
  target: PciFunction,
  asked: number,
): void {
  const configAddress = call.argument(0);
  const count = Math.min(asked, target.msixVectors);
  // More than the device has: only the number that would do is told.
  if (asked <= target.msixVectors) {
    const first = partition.irqs.claimMessages(count, true);
    if (first === 0) {
      partition.say(
        `Can't allocate MSIs for device ${configAddress.toString(16)}: can't find a free ${count}-IRQ block`,
      );
      call.result(0, RTAS_HW_ERROR);
      return;
    }
    bridge.releaseMessages(configAddress);
    for (let vector = 0; vector < count; vector++) target.setMsixMessage(vector, MSI_WINDOW, first + vector);
    bridge.messages.set(configAddress, { first, count });
  }
  call.result(0, RTAS_SUCCESS);
  call.result(1, count);
  call.result(2, call.argument(5) + 1);
  if (call.nret > 3) call.result(3, TYPE_MSIX);
}

const EDGE = 1;

/** ibm,query-interrupt-source-number (configuration address, BUID, vector). */
function queryInterruptSourceNumber(partition: Partition, call: RtasCall): void {
  const configAddress = call.argument(0);
  const bridge = partition.bridgeOf(call.argument(1), call.argument(2));
  if (bridge?.functionAt(configAddress) === undefined) {
    call.result(0, RTAS_PARAM_ERROR);
    return;
  }
  const block = bridge.messages.get(configAddress);
  const vector = call.argument(3);
  if (block === undefined || vector >= block.count) {
    call.result(0, RTAS_HW_ERROR);
    return;
  }
  call.result(0, RTAS_SUCCESS);
  call.result(1, block.first + vector);
  call.result(2, EDGE);
}

/** Error handling exists for devices of the host only. */
const noErrorHandling = (_partition: Partition, call: RtasCall): void => call.result(0, RTAS_PARAM_ERROR);

export const PCI_CALLS: readonly RtasRow[] = [
  {
    name: 'read-pci-config',
    nargs: 2,
    nret: 2,
    mismatch: RTAS_HW_ERROR,
    run: (partition, call) => read(call, partition.bridgeOf(0, 0), call.argument(1)),
  },
  {
    name: 'write-pci-config',
    nargs: 3,
    nret: 1,
    mismatch: RTAS_HW_ERROR,
    run: (partition, call) => write(call, partition.bridgeOf(0, 0), call.argument(1), call.argument(2)),
  },
  {
    name: 'ibm,read-pci-config',
    nargs: 4,
    nret: 2,
    mismatch: RTAS_HW_ERROR,
    run: (partition, call) =>
      read(call, partition.bridgeOf(call.argument(1), call.argument(2)), call.argument(3)),
  },
  {
    name: 'ibm,write-pci-config',
    nargs: 5,
    nret: 1,
    mismatch: RTAS_HW_ERROR,
    run: (partition, call) =>
      write(call, partition.bridgeOf(call.argument(1), call.argument(2)), call.argument(3), call.argument(4)),
  },
  { name: 'ibm,query-interrupt-source-number', run: queryInterruptSourceNumber },
  { name: 'ibm,change-msi', run: changeMsi },
  { name: 'ibm,set-eeh-option', run: noErrorHandling },
  { name: 'ibm,get-config-addr-info2', run: noErrorHandling },
  { name: 'ibm,read-slot-reset-state2', run: noErrorHandling },
  { name: 'ibm,set-slot-reset', run: noErrorHandling },
  { name: 'ibm,configure-pe', run: noErrorHandling },
  { name: 'ibm,slot-error-detail', run: noErrorHandling },
];
