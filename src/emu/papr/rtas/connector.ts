import {
  RTAS_HW_ERROR,
  RTAS_NOT_CONFIGURABLE,
  RTAS_NOT_SUPPORTED,
  RTAS_PARAM_ERROR,
  RTAS_SUCCESS,
  SENSOR_ENTITY_SENSE,
} from '../abi.ts';
import type { Partition } from '../partition.ts';
import { addressOf, NOWHERE } from '../guest-access.ts';
import type { RtasCall, RtasRow } from '../rtas-call.ts';

const LIVE_INSERT_DOMAIN = 0xffff_ffff;
const FULL_POWER = 100;

function setIndicator(partition: Partition, call: RtasCall): void {
  call.result(0, partition.connectors.set(call.argument(0), call.argument(1), call.argument(2)));
}

/** The reading is written whatever happens, even where the counts are wrong. */
function getSensorState(partition: Partition, call: RtasCall): void {
  let status = RTAS_PARAM_ERROR;
  let reading = 0;
  if (call.nargs === 2 && call.nret === 2) {
    const sense =
      call.argument(0) === SENSOR_ENTITY_SENSE ? partition.connectors.sense(call.argument(1)) : -1;
    status = sense < 0 ? RTAS_NOT_SUPPORTED : RTAS_SUCCESS;
    reading = Math.max(sense, 0);
  }
  call.result(0, status);
  call.result(1, reading);
}

/** Everything hot-plugged is in one live-insert domain, at full power. */
function powerLevel(_partition: Partition, call: RtasCall): void {
  if (call.argument(0) !== LIVE_INSERT_DOMAIN) {
    call.result(0, RTAS_NOT_SUPPORTED);
    return;
  }
  call.result(0, RTAS_SUCCESS);
  call.result(1, FULL_POWER);
}

/** ibm,configure-connector (work area): the part of the tree below a connector is not described. */
function configureConnector(partition: Partition, call: RtasCall): void {
  const area = addressOf(call.argument(1) & 0x0fff_ffff, call.argument(0));
  const index = area === NOWHERE ? 0 : partition.guest.load(area, 4);
  if (!partition.connectors.has(index)) call.result(0, RTAS_PARAM_ERROR);
  else call.result(0, partition.connectors.isConfigurable(index) ? RTAS_HW_ERROR : RTAS_NOT_CONFIGURABLE);
}

export const CONNECTOR_CALLS: readonly RtasRow[] = [
  { name: 'set-indicator', nargs: 3, nret: 1, run: setIndicator },
  { name: 'set-power-level', nargs: 2, nret: 2, run: powerLevel },
  { name: 'get-power-level', nargs: 1, nret: 2, run: powerLevel },
  { name: 'get-sensor-state', run: getSensorState },
  { name: 'ibm,configure-connector', nargs: 2, nret: 1, run: configureConnector },
];
