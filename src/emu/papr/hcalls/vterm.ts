import { H_GET_TERM_CHAR, H_PARAMETER, H_PUT_TERM_CHAR, H_SUCCESS } from '../abi.ts';
import type { Hcall, HcallFrame } from '../hcall-frame.ts';
import type { Partition } from '../partition.ts';

const CHARACTERS_MAX = 16;

/** H_GET_TERM_CHAR (unit) -> length, 16 bytes in two registers. */
function getTermChar(partition: Partition, frame: HcallFrame): number {
  const terminal = partition.vio.terminal(frame.high(0), frame.low(0));
  if (terminal === undefined) return H_PARAMETER;
  const bytes = new Uint8Array(CHARACTERS_MAX);
  const length = terminal.take(bytes);
  bytes.fill(0, length);
  const view = new DataView(bytes.buffer);
  frame.set(0, BigInt(length));
  frame.set(1, view.getBigUint64(0));
  frame.set(2, view.getBigUint64(8));
  return H_SUCCESS;
}

/** H_PUT_TERM_CHAR (unit, length, two registers of bytes). Everything is taken at once. */
function putTermChar(partition: Partition, frame: HcallFrame): number {
  const terminal = partition.vio.terminal(frame.high(0), frame.low(0));
  const length = frame.small(1);
  if (terminal === undefined || length > CHARACTERS_MAX) return H_PARAMETER;
  const view = new DataView(new ArrayBuffer(CHARACTERS_MAX));
  view.setBigUint64(0, frame.argument(2));
  view.setBigUint64(8, frame.argument(3));
  partition.environment.consoleOutput(terminal.port, new Uint8Array(view.buffer), length);
  return H_SUCCESS;
}

export const VTERM_HCALLS: readonly Hcall[] = [
  { number: H_GET_TERM_CHAR, name: 'H_GET_TERM_CHAR', run: getTermChar },
  { number: H_PUT_TERM_CHAR, name: 'H_PUT_TERM_CHAR', run: putTermChar },
];
