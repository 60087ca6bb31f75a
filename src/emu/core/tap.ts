export type EventName =
  | 'hcall'
  | 'hcall-return'
  | 'rtas'
  | 'rtas-return'
  | 'mmio-read'
  | 'mmio-write'
  | 'pio-read'
  | 'pio-write'
  | 'read-value'
  | 'dma-read'
  | 'dma-write'
  | 'dma-fault'
  | 'hypervisor-read'
  | 'hypervisor-write'
  | 'interrupt'
  | 'cpu-interrupt'
  | 'advance'
  | 'idle'
  | 'choice'
  | 'cpu-mode'
  | 'machine-reset'
  | 'host-input'
  | 'host-output'
  | 'guest-write'
  | 'ending'
  | 'discard'
  | 'ucall'
  | 'ucall-return'
  | 'hypervisor-ucall'
  | 'hypervisor-ucall-return'
  | 'uv-hcall'
  | 'uv-hcall-return'
  | 'reflect'
  | 'reflect-return'
  | 'page-state'
  | 'vm-state'
  | 'guest-fault';

/**
 * The vocabulary of everything that is recorded: what crosses between guest and host, or between a device and memory.
 *
 * An `input` comes from outside the deterministic part: what the guest does, what the host hands in, a choice that
 * chance would make. An `output` is what the machine made of it. Recording writes both down; replaying feeds the
 * inputs and compares the outputs. Only the chokepoints emit (machine.ts, the Dma wrapper, xics.ts, event-queue.ts by
 * way of the machine); devices never do.
 */
export interface EventKind {
  readonly name: EventName;
  readonly direction: 'input' | 'output';
  /** 64-bit fields in order; narrower values use the low bits. */
  readonly fields: readonly string[];
  /** Whether the event carries a byte string. */
  readonly carriesBytes: boolean;
}

const REGISTERS = ['r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12'];

/** One row a kind; the row's index is the kind's number in recordings, so rows are only ever added at the end. */
export const EVENT_KINDS: readonly EventKind[] = [
  { name: 'hcall', direction: 'input', fields: ['token', ...REGISTERS], carriesBytes: false },
  { name: 'hcall-return', direction: 'output', fields: ['status', ...REGISTERS], carriesBytes: false },
  // arguments beyond the eighth are in the bytes, big-endian words
  {
    name: 'rtas',
    direction: 'output',
    fields: ['token', 'nargs', 'nret', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'],
    carriesBytes: true,
  },
  {
    name: 'rtas-return',
    direction: 'output',
    fields: ['count', 'r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7'],
    carriesBytes: true,
  },
  { name: 'mmio-read', direction: 'input', fields: ['address', 'width', 'bigEndian'], carriesBytes: false },
  {
    name: 'mmio-write',
    direction: 'input',
    fields: ['address', 'width', 'bigEndian', 'value'],
    carriesBytes: false,
  },
  { name: 'pio-read', direction: 'input', fields: ['port', 'width', 'bigEndian'], carriesBytes: false },
  {
    name: 'pio-write',
    direction: 'input',
    fields: ['port', 'width', 'bigEndian', 'value'],
    carriesBytes: false,
  },
  /** What the last mmio-read or pio-read returned. */
  { name: 'read-value', direction: 'output', fields: ['value'], carriesBytes: false },
  /** `device` is the requester id (bus << 8 | devfn); the bytes are what the device saw. */
  { name: 'dma-read', direction: 'output', fields: ['device', 'address'], carriesBytes: true },
  { name: 'dma-write', direction: 'output', fields: ['device', 'address'], carriesBytes: true },
  /** An access, or the part of one, that no memory answered: reads gave zeros, writes were dropped. */
  {
    name: 'dma-fault',
    direction: 'output',
    fields: ['device', 'address', 'length', 'write'],
    carriesBytes: false,
  },
  /** The hypervisor's own access to guest memory: lists, buffers, areas registered by hypercall. */
  { name: 'hypervisor-read', direction: 'output', fields: ['address'], carriesBytes: true },
  { name: 'hypervisor-write', direction: 'output', fields: ['address'], carriesBytes: true },
  /** level: 0 lowered, 1 raised, 2 a message (edge). */
  { name: 'interrupt', direction: 'output', fields: ['source', 'level'], carriesBytes: false },
  /** The external interrupt input of a CPU changed. */
  { name: 'cpu-interrupt', direction: 'output', fields: ['server', 'asserted'], carriesBytes: false },
  { name: 'advance', direction: 'input', fields: ['ticks'], carriesBytes: false },
  /** Runs until nothing is due, as a guest that waits does. */
  { name: 'idle', direction: 'input', fields: [], carriesBytes: false },
  { name: 'choice', direction: 'input', fields: ['count', 'picked'], carriesBytes: false },
  { name: 'cpu-mode', direction: 'input', fields: ['cpu', 'msr'], carriesBytes: false },
  { name: 'machine-reset', direction: 'input', fields: [], carriesBytes: false },
  /** The host hands in: a frame for a network end, keys for a console. `port` numbers the machine's host ends. */
  { name: 'host-input', direction: 'input', fields: ['port'], carriesBytes: true },
  { name: 'host-output', direction: 'output', fields: ['port'], carriesBytes: true },
  /** Guest stores into RAM: shown to taps that ask, not recorded where the guest runs again. */
  { name: 'guest-write', direction: 'input', fields: ['address'], carriesBytes: true },
  /** QEMU would have ended here, the machine lives on. how: 1 it aborts, 2 it hangs; the bytes are why, in ASCII. */
  { name: 'ending', direction: 'output', fields: ['how'], carriesBytes: true },
  /** A balloon gave pages of RAM (a guest-physical address) to the host: they read as zeros from now on. */
  { name: 'discard', direction: 'output', fields: ['device', 'address', 'length'], carriesBytes: false },
  /** `sc 2` of the guest. */
  { name: 'ucall', direction: 'input', fields: ['number', ...REGISTERS], carriesBytes: false },
  { name: 'ucall-return', direction: 'output', fields: ['status', ...REGISTERS], carriesBytes: false },
  /** `sc 2` of the hypervisor, answering or of its own. */
  { name: 'hypervisor-ucall', direction: 'output', fields: ['number', ...REGISTERS], carriesBytes: false },
  {
    name: 'hypervisor-ucall-return',
    direction: 'output',
    fields: ['status', 'r4', 'r5'],
    carriesBytes: false,
  },
  /** A hypercall that the ultravisor makes for its guest. */
  { name: 'uv-hcall', direction: 'output', fields: ['token', ...REGISTERS], carriesBytes: false },
  { name: 'uv-hcall-return', direction: 'output', fields: ['status'], carriesBytes: false },
  /**
   * All registers that the hypervisor finds, big-endian: r0 … r31, then those of ultravisor/reflection.ts. `own`: the
   * ultravisor's own errand.
   */
  { name: 'reflect', direction: 'output', fields: ['cpu', 'vector', 'own'], carriesBytes: true },
  /** What it leaves of them for UV_RETURN. */
  {
    name: 'reflect-return',
    direction: 'output',
    fields: ['r0', 'r2', ...REGISTERS, 'r31'],
    carriesBytes: false,
  },
  /** side: 0 the ultravisor's table of frames, 1 the hypervisor's; states by their numbers in either. */
  { name: 'page-state', direction: 'output', fields: ['side', 'gfn', 'from', 'to'], carriesBytes: false },
  { name: 'vm-state', direction: 'output', fields: ['side', 'from', 'to'], carriesBytes: false },
  /** A load or store of a secure guest that its own translation does not answer: the ultravisor takes over. */
  { name: 'guest-fault', direction: 'input', fields: ['address'], carriesBytes: false },
];

/** The number of each kind, by name. */
export const KIND: Readonly<Record<EventName, number>> = Object.fromEntries(
  EVENT_KINDS.map((kind, index) => [kind.name, index]),
) as Record<EventName, number>;

const FIELDS_MAX = 12;
const NOTHING = new Uint8Array(0);

/**
 * One event, in the one buffer that every emission reuses: a tap reads what it wants before it returns and keeps
 * nothing of it. Field i stands in `fields[i]` whole, and in `words[2i]` (low) and `words[2i + 1]` (high).
 */
export class MachineEvent {
  kind = 0;
  /** Timebase ticks. */
  at = 0;
  readonly fields: BigUint64Array<ArrayBuffer> = new BigUint64Array(FIELDS_MAX);
  readonly words: Uint32Array<ArrayBuffer> = new Uint32Array(this.fields.buffer);
  bytes: Uint8Array = NOTHING;
  byteOffset = 0;
  byteLength = 0;

  /** Sets field `index` to a whole number below 2^32. */
  small(index: number, value: number): void {
    this.words[2 * index] = value;
    this.words[2 * index + 1] = 0;
  }

  noBytes(): void {
    this.bytes = NOTHING;
    this.byteOffset = 0;
    this.byteLength = 0;
  }

  carry(bytes: Uint8Array, offset: number, length: number): void {
    this.bytes = bytes;
    this.byteOffset = offset;
    this.byteLength = length;
  }
}

/** Sees every event, in order, as it happens. */
export interface Tap {
  /** Whether guest stores into RAM are to be shown too. */
  readonly wantsGuestWrites: boolean;
  take(event: MachineEvent): void;
}
