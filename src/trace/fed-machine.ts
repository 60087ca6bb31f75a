import { Machine } from '../emu/machine/machine.ts';
import type { RecordingHeader } from './format.ts';
import { RecordingError } from './recording-error.ts';
import type { FedMachine } from './replayer.ts';

/** The emulated machine that a recording's header describes. A RecordingError if it would not be built. */
export function fedMachine(header: RecordingHeader): FedMachine {
  const verdict = Machine.create(header.config);
  if (!verdict.accepted) throw new RecordingError(`its machine cannot be built: ${verdict.reason}`);
  return verdict.value;
}
