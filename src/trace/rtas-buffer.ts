import type { MachineEvent } from '../emu/core/tap.ts';

/** Token, nargs and nret stand before the arguments. */
export const RTAS_HEADER_BYTES = 12;

/** Fields of an `rtas` event before its first argument. */
const ARGUMENTS_FROM = 3;
const WORDS_IN_FIELDS = 8;
/** The top nibble of r4 is no part of the address (QEMU ppc64_phys_to_real). */
const REAL_MASK_HIGH = 0x0fff_ffff;

/**
 * Where a KVMPPC_H_RTAS call's buffer lies, by the `hcall` event. RTAS buffers in RAM make no `hypervisor-read` and
 * `hypervisor-write` events: `rtas` and `rtas-return` tell their words.
 */
export function rtasAddress(hcall: MachineEvent): number {
  return ((hcall.words[3] ?? 0) & REAL_MASK_HIGH) * 2 ** 32 + (hcall.words[2] ?? 0);
}

/** Bytes of the buffer that an `rtas` event tells: header and arguments. */
export function rtasBufferBytes(event: MachineEvent): number {
  return RTAS_HEADER_BYTES + wordBytes(event, event.words[2] ?? 0);
}

/** Lays those bytes at `at`, big-endian as they stood in memory. */
export function layRtasBuffer(event: MachineEvent, into: Uint8Array, at: number): void {
  for (let i = 0; i < ARGUMENTS_FROM; i++) putWord(into, at + 4 * i, event.words[2 * i] ?? 0);
  layWords(event, wordBytes(event, event.words[2] ?? 0), into, at + RTAS_HEADER_BYTES);
}

/** Bytes of results that an `rtas-return` event tells. */
export function rtasResultBytes(event: MachineEvent): number {
  return wordBytes(event, event.words[0] ?? 0);
}

/** Words up to the eighth are fields; the rest, as many as there are, is in the bytes. */
function wordBytes(event: MachineEvent, count: number): number {
  return 4 * Math.min(count, WORDS_IN_FIELDS) + (count > WORDS_IN_FIELDS ? event.byteLength : 0);
}

function layWords(event: MachineEvent, length: number, into: Uint8Array, at: number): void {
  const inFields = Math.min(length >>> 2, WORDS_IN_FIELDS);
  for (let i = 0; i < inFields; i++) putWord(into, at + 4 * i, event.words[2 * (ARGUMENTS_FROM + i)] ?? 0);
  const rest = length - 4 * inFields;
  for (let i = 0; i < rest; i++) into[at + 4 * inFields + i] = event.bytes[event.byteOffset + i] ?? 0;
}

function putWord(into: Uint8Array, at: number, word: number): void {
  into[at] = word >>> 24;
  into[at + 1] = word >>> 16;
  into[at + 2] = word >>> 8;
  into[at + 3] = word;
}
