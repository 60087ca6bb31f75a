/**
 * RTAS calls of a secure guest (open-power/ultravisor svm/svm-rtas.c, svm-rtas-hdlr.c): the hypervisor gets a copy of the
 * arguments in a page that the ultravisor shares with it, and copies of the buffers that a few calls name.
 */
import type { StateStream } from '../core/state.ts';
import { H_SUCCESS } from '../papr/abi.ts';
import { FRAME_BYTES } from './abi.ts';

/** Pages that the ultravisor takes for it: one of arguments of its own calls, four of buffers, one of stop-self arguments. */
export const RTAS_PAGES = 6;
const BUFFERS_PAGE = 1;
const STOP_SELF_PAGE = 5;
const BUFFER_BYTES = 4096;
const STOP_SELF_BYTES = 16;
/** The most virtual CPUs for which there are stop-self arguments. */
export const VCPUS_MAX: number = FRAME_BYTES / STOP_SELF_BYTES;
const WORDS_MAX = 16;
const RTAS_PARAMETER_ERROR = 0xffff_fffd;
/** ibm,os-term as the ultravisor calls it, whatever the device tree says. */
const OS_TERM_TOKEN = 0x201f;

type Length = { readonly argument: number } | { readonly bytes: number } | 'prefix' | 'text';

interface Buffer {
  /** Index of the argument that is its address. */
  readonly argument: number;
  readonly length: Length;
  readonly way: 'in' | 'out' | 'both';
}

interface BouncedCall {
  readonly name: string;
  readonly buffers: readonly Buffer[];
  /** ESM fails where /rtas lacks it. */
  readonly required: boolean;
}

/** Every call that the ultravisor knows: with other calls an address goes through as it stands. */
export const BOUNCED_CALLS: readonly BouncedCall[] = [
  {
    name: 'check-exception',
    buffers: [{ argument: 4, length: { argument: 5 }, way: 'out' }],
    required: true,
  },
  { name: 'event-scan', buffers: [{ argument: 2, length: { argument: 3 }, way: 'out' }], required: true },
  {
    name: 'ibm,configure-connector',
    buffers: [{ argument: 0, length: { bytes: BUFFER_BYTES }, way: 'both' }],
    required: true,
  },
  {
    name: 'ibm,get-system-parameter',
    buffers: [{ argument: 1, length: { argument: 2 }, way: 'out' }],
    required: true,
  },
  {
    name: 'ibm,set-system-parameter',
    buffers: [{ argument: 1, length: 'prefix', way: 'in' }],
    required: true,
  },
  {
    name: 'ibm,slot-error-detail',
    buffers: [
      { argument: 3, length: { argument: 4 }, way: 'out' },
      { argument: 5, length: { argument: 6 }, way: 'out' },
    ],
    required: true,
  },
  { name: 'ibm,os-term', buffers: [{ argument: 0, length: 'text', way: 'in' }], required: true },
  { name: 'nvram-fetch', buffers: [{ argument: 1, length: { argument: 2 }, way: 'out' }], required: true },
  { name: 'nvram-store', buffers: [{ argument: 1, length: { argument: 2 }, way: 'in' }], required: true },
  { name: 'power-off', buffers: [], required: true },
  { name: 'start-cpu', buffers: [], required: true },
  { name: 'ibm,nmi-register', buffers: [], required: false },
];

/** The tokens that the device tree gives to the calls that need care. */
export interface RtasTokens {
  readonly calls: ReadonlyMap<number, BouncedCall>;
  readonly stopSelf: number;
}

/** What RTAS calls ask of the ultravisor around them. */
export interface RtasHost {
  /** The guest's own memory; false where the guest cannot reach it now. */
  guestRead(gpa: number, into: Uint8Array, at: number, length: number): boolean;
  guestWrite(gpa: number, from: Uint8Array, at: number, length: number): boolean;
  /** A page that is shared with the hypervisor, by its guest-physical address. */
  sharedRead(gpa: number, into: Uint8Array, at: number, length: number): void;
  sharedWrite(gpa: number, from: Uint8Array, at: number, length: number): void;
  /** H_RTAS with arguments at a guest-physical address: the status. */
  hypervisorRtas(gpa: number): number;
  /** A cookie that stands for a CPU's start: address and r3. */
  startCookie(address: number, argument: number): number;
}

/** A copy that goes back after the call. */
interface Copy {
  readonly gpa: number;
  readonly bounce: number;
  readonly length: number;
}

export class RtasBounce {
  readonly #host: RtasHost;
  readonly #words: Uint8Array = new Uint8Array(4 * (3 + WORDS_MAX));
  readonly #view: DataView = new DataView(this.#words.buffer);
  readonly #buffer: Uint8Array = new Uint8Array(BUFFER_BYTES);
  readonly #back: Copy[] = [];
  /** Guest-physical address of the six pages; -1 before they are shared. */
  base = -1;
  tokens: RtasTokens = { calls: new Map(), stopSelf: -1 };

  constructor(host: RtasHost) {
    this.#host = host;
  }

  /** H_RTAS of the guest. Its r3 stays as it was; false where the arguments cannot be read. */
  call(argumentsAt: number, cpu: number): boolean {
    const host = this.#host;
    const view = this.#view;
    if (!host.guestRead(argumentsAt, this.#words, 0, 12)) return false;
    const inputs = Math.min(view.getUint32(4), WORDS_MAX);
    const outputs = Math.min(view.getUint32(8), WORDS_MAX - inputs);
    if (!host.guestRead(argumentsAt + 12, this.#words, 12, 4 * inputs)) return false;
    for (let i = 0; i < outputs; i++) view.setUint32(12 + 4 * (inputs + i), 0);
    const token = view.getUint32(0);
    const stop = token === this.tokens.stopSelf;
    const block = stop
      ? this.base + STOP_SELF_PAGE * FRAME_BYTES + STOP_SELF_BYTES * cpu
      : this.base + BUFFERS_PAGE * FRAME_BYTES;
    this.#back.length = 0;
    if (this.#prepare(this.tokens.calls.get(token))) {
      const bytes = stop ? STOP_SELF_BYTES : 12 + 4 * (inputs + outputs);
      host.sharedWrite(block, this.#words, 0, bytes);
      host.hypervisorRtas(block);
      host.sharedRead(block + 12 + 4 * inputs, this.#words, 12 + 4 * inputs, stop ? 0 : 4 * outputs);
      this.#copyBack();
    } else if (outputs > 0) view.setUint32(12 + 4 * inputs, RTAS_PARAMETER_ERROR);
    return host.guestWrite(argumentsAt + 12 + 4 * inputs, this.#words, 12 + 4 * inputs, 4 * outputs);
  }

  /** ibm,os-term without a message. False where there is no page to say it in. */
  terminate(): boolean {
    if (this.base < 0) return false;
    const words = new Uint8Array(20);
    const view = new DataView(words.buffer);
    view.setUint32(0, OS_TERM_TOKEN);
    view.setUint32(4, 1);
    view.setUint32(8, 1);
    this.#host.sharedWrite(this.base, words, 0, words.length);
    return this.#host.hypervisorRtas(this.base) === H_SUCCESS;
  }

  exchange(state: StateStream): void {
    this.base = state.integer(this.base);
    const stopSelf = state.integer(this.tokens.stopSelf);
    const rows = [...this.tokens.calls].toSorted(([a], [b]) => a - b);
    const count = state.u8(rows.length);
    const calls = new Map<number, BouncedCall>();
    for (let i = 0; i < count; i++) {
      const [token, call] = rows[i] ?? [0, undefined];
      const read = state.u32(token);
      const found = BOUNCED_CALLS[state.u8(call === undefined ? 0 : BOUNCED_CALLS.indexOf(call))];
      if (found !== undefined) calls.set(read, found);
    }
    this.tokens = { calls, stopSelf };
  }

  /** Lays copies of buffers where the hypervisor may see them, and names those instead. False for a bad length. */
  #prepare(call: BouncedCall | undefined): boolean {
    if (call === undefined) return true;
    if (call.name === 'start-cpu') {
      this.#view.setUint32(20, this.#host.startCookie(this.#argument(1), this.#argument(2)));
    }
    let bounce = this.base + BUFFERS_PAGE * FRAME_BYTES;
    for (const { argument, length: how, way } of call.buffers) {
      const gpa = this.#argument(argument);
      const length = this.#lengthOf(how, gpa);
      bounce += BUFFER_BYTES;
      if (length < 0 || length > BUFFER_BYTES) return false;
      this.#buffer.fill(0);
      if (way !== 'out' && !this.#host.guestRead(gpa, this.#buffer, 0, length)) return false;
      this.#host.sharedWrite(bounce, this.#buffer, 0, BUFFER_BYTES);
      this.#view.setUint32(12 + 4 * argument, bounce);
      if (way !== 'in') this.#back.push({ gpa, bounce, length });
    }
    return true;
  }

  #copyBack(): void {
    for (const { gpa, bounce, length } of this.#back) {
      this.#host.sharedRead(bounce, this.#buffer, 0, length);
      this.#host.guestWrite(gpa, this.#buffer, 0, length);
    }
  }

  #argument(index: number): number {
    return this.#view.getUint32(12 + 4 * index);
  }

  #lengthOf(how: Length, gpa: number): number {
    if (how === 'prefix') {
      const prefix = new Uint8Array(2);
      return this.#host.guestRead(gpa, prefix, 0, 2) ? 2 + ((prefix[0] ?? 0) << 8) + (prefix[1] ?? 0) : -1;
    }
    if (how === 'text') return this.#textLength(gpa);
    return 'argument' in how ? this.#argument(how.argument) : how.bytes;
  }

  /** Up to and with the NUL; -1 for a text that does not end. */
  #textLength(gpa: number): number {
    const one = new Uint8Array(1);
    for (let length = 1; length <= BUFFER_BYTES; length++) {
      if (!this.#host.guestRead(gpa + length - 1, one, 0, 1)) return -1;
      if (one[0] === 0) return length;
    }
    return -1;
  }
}
