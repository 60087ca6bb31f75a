/** Events of secure guests in words: reflected registers, and states of frames and guests. */
import type { MachineEvent } from '../emu/core/tap.ts';
import { FRAME_STATES, HYPERVISOR_VM_STATES } from '../emu/ultravisor/hypervisor.ts';
import { PAGE_STATES, VM_STATES } from '../emu/ultravisor/page-state.ts';
import { SPECIAL_REGISTERS } from '../emu/ultravisor/reflection.ts';
import { hcallArguments, hcallName } from './names.ts';

const SIDES = ['ultravisor', 'hypervisor'];
const FRAMES = [PAGE_STATES, FRAME_STATES];
const GUESTS = [VM_STATES, HYPERVISOR_VM_STATES];
const SYSTEM_CALL = 0xc00n;
const COOKIE = 31;

function hex(value: bigint | undefined): string {
  return value === undefined ? '-' : `0x${value.toString(16)}`;
}

/** `gfn=0x60 ultravisor: secure -> hv-sharing`. */
export function pageStateText({ fields }: MachineEvent): string {
  const side = Number(fields[0] ?? 0n);
  const [from, to] = [fields[2], fields[3]].map((state) => FRAMES[side]?.[Number(state)] ?? hex(state));
  return ` gfn=${hex(fields[1])} ${SIDES[side] ?? ''}: ${from ?? ''} -> ${to ?? ''}`;
}

export function vmStateText({ fields }: MachineEvent): string {
  const side = Number(fields[0] ?? 0n);
  const [from, to] = [fields[1], fields[2]].map((state) => GUESTS[side]?.[Number(state)] ?? hex(state));
  return ` ${SIDES[side] ?? ''}: ${from ?? ''} -> ${to ?? ''}`;
}

/** What the hypervisor finds that is not 0; the cookie, which stands in many places, once. */
export function reflectText(event: MachineEvent): string {
  const { bytes, byteOffset, byteLength, fields } = event;
  const view = new DataView(bytes.buffer, bytes.byteOffset + byteOffset, byteLength);
  const words = Array.from({ length: byteLength >> 3 }, (_, index) => view.getBigUint64(8 * index));
  const cookie = words[COOKIE];
  const call = fields[1] === SYSTEM_CALL ? ` ${hcallName(words[3] ?? 0n)}` : '';
  const names = fields[1] === SYSTEM_CALL ? (hcallArguments(words[3] ?? 0n) ?? []) : [];
  const general = words.slice(0, COOKIE).flatMap((word, index) => {
    if (word === 0n || (index === 3 && call !== '')) return [];
    return [`${names[index - 4] ?? `r${index}`}=${hex(word)}`];
  });
  const special = words.slice(32).flatMap((word, index) => {
    const name = SPECIAL_REGISTERS[index]?.name ?? '';
    return word === 0n || word === cookie ? [] : [`${name}=${hex(word)}`];
  });
  const whose = fields[2] === 1n ? ' for the ultravisor' : '';
  return ` vector=${hex(fields[1])}${call}${whose} | ${general.join(' ')} | ${special.join(' ')} cookie=${hex(cookie)}`;
}
