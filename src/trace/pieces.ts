import { EVENT_KINDS, MachineEvent } from '../emu/core/tap.ts';
import { PAYLOAD_MAX } from './event-decoder.ts';

/**
 * Hands an event with more bytes than one may carry to `take` in pieces: the same event again and again with the next
 * bytes, its address counted on. Recorder and comparing tap both cut this way, so a replay sees the same pieces.
 */
export function inPieces(event: MachineEvent, take: (piece: MachineEvent) => void): void {
  const piece = new MachineEvent();
  const fields: readonly string[] = EVENT_KINDS[event.kind]?.fields ?? [];
  const address = fields.indexOf('address');
  piece.kind = event.kind;
  piece.at = event.at;
  piece.fields.set(event.fields);
  for (let done = 0; done < event.byteLength; done += PAYLOAD_MAX) {
    if (address >= 0) piece.fields[address] = (event.fields[address] ?? 0n) + BigInt(done);
    piece.carry(event.bytes, event.byteOffset + done, Math.min(PAYLOAD_MAX, event.byteLength - done));
    take(piece);
  }
}
