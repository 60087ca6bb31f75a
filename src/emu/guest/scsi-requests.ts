import { VIRTIO_ID_SCSI } from '../virtio/abi.ts';
import { announce, NO_QUEUE, type DeviceRequests, type RequestHost } from './request.ts';
import { Chain } from './rings.ts';

// VIRTIO 1.3, 5.6; SPC-3 and SBC-2 for what commands say.
const CONTROL_QUEUE = 0;
const EVENT_QUEUE = 1;
const COMMAND_QUEUE = 2;
const QUEUES = 3;
const REQUEST_BYTES = 51;
const RESPONSE_BYTES = 108;
const TASK_BYTES = 24;
const EVENT_BYTES = 16;
const CDB = 19;
const CDB_BYTES = 32;
const STATUS = 10;
const RESPONSE = 11;
const SENSE = 12;
const CHECK_CONDITION = 2;
const UNIT_ATTENTION = 6;
const S_OK = 0;
const S_FUNCTION_SUCCEEDED = 10;
const QUERY_TASK_SET = 7;
const SECTOR_BYTES = 512;

const SLOTS = 8;
const SLOT_BYTES = 1024;
const RESPONSE_AT = 64;
const DATA_AT = 256;
const EVENTS = 4;
/** Blocks that writes and reads take turns with. */
const BLOCKS = [2, 5, 3, 9];

type Kind =
  | 'inquiry'
  | 'report-luns'
  | 'ready'
  | 'capacity'
  | 'mode-sense'
  | 'write'
  | 'read'
  | 'synchronize'
  | 'query';

interface Row {
  readonly kind: Kind;
  /** Of BLOCKS. */
  readonly block: number;
}

/** What a kernel asks a disk that it finds, in the order of Linux' scan. */
const SCAN: readonly Row[] = [
  { kind: 'inquiry', block: 0 },
  { kind: 'report-luns', block: 0 },
  { kind: 'ready', block: 0 },
  { kind: 'capacity', block: 0 },
  { kind: 'mode-sense', block: 0 },
];
/** What it does from then on. A read follows the write that it checks at a distance, so that two may be in flight. */
const CYCLE: readonly Row[] = [
  { kind: 'write', block: 0 },
  { kind: 'write', block: 1 },
  { kind: 'read', block: 0 },
  { kind: 'query', block: 0 },
  { kind: 'read', block: 1 },
  { kind: 'synchronize', block: 0 },
  { kind: 'write', block: 2 },
  { kind: 'write', block: 3 },
  { kind: 'read', block: 2 },
  { kind: 'read', block: 3 },
];

/** A command: what it says from the operation code on, and how much data it brings or takes. */
interface Command {
  readonly cdb: (block: number) => readonly number[];
  readonly sends: number;
  readonly asks: number;
}

const COMMANDS: Readonly<Record<Exclude<Kind, 'query'>, Command>> = {
  inquiry: { cdb: () => [0x12, 0, 0, 0, 36, 0], sends: 0, asks: 36 },
  'report-luns': { cdb: () => [0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0], sends: 0, asks: 64 },
  ready: { cdb: () => [0, 0, 0, 0, 0, 0], sends: 0, asks: 0 },
  capacity: { cdb: () => [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], sends: 0, asks: 8 },
  'mode-sense': { cdb: () => [0x1a, 8, 0x08, 0, 64, 0], sends: 0, asks: 64 },
  write: { cdb: (block) => [0x2a, 0, 0, 0, 0, block, 0, 0, 1, 0], sends: SECTOR_BYTES, asks: 0 },
  read: { cdb: (block) => [0x28, 0, 0, 0, 0, block, 0, 0, 1, 0], sends: 0, asks: SECTOR_BYTES },
  synchronize: { cdb: () => [0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0], sends: 0, asks: 0 },
};

const NOT_WRITTEN = -1;

/**
 * SCSI (5.6): a scan of unit 0 of target 0, then writes that are read back, with a question to task management among
 * them. Event buffers are posted, and what comes in them is counted.
 */
export class ScsiRequests implements DeviceRequests {
  readonly virtioId: number = VIRTIO_ID_SCSI;
  readonly queues: number = QUEUES;
  /** HOTPLUG, CHANGE. */
  readonly kernelFeatures: number = 6;
  readonly firmwareFeatures: number = 0;
  /** Linux' driver goes by residual and sense; QEMU counts what was sent to it among the bytes that it wrote. */
  readonly ignoresLengths: boolean = true;
  outstanding = 0;
  completed = 0;
  correct = true;
  /** What the scan found out: last block, vendor and product. */
  lastBlock = 0;
  product = '';
  /** Unit attentions that were told, and events that came in, as the driver's own numbers. */
  attentions = 0;
  readonly events: number[] = [];
  readonly #chain: Chain = new Chain();
  readonly #rows: Row[] = Array.from({ length: SLOTS }, (): Row => ({ kind: 'ready', block: 0 }));
  readonly #expected: Int16Array = new Int16Array(SLOTS);
  readonly #busy: Uint8Array = new Uint8Array(SLOTS);
  readonly #slotOf: readonly Int16Array[] = Array.from({ length: QUEUES }, () =>
    new Int16Array(1024).fill(-1),
  );
  readonly #contents: Int16Array = new Int16Array(BLOCKS.length);
  readonly #bytes: Uint8Array = new Uint8Array(SLOT_BYTES);
  #host: RequestHost | undefined;
  #buffers = 0;
  #eventBuffers = 0;

  begin(host: RequestHost): void {
    this.#host = host;
    this.outstanding = 0;
    this.completed = 0;
    this.correct = true;
    this.lastBlock = 0;
    this.product = '';
    this.attentions = 0;
    this.events.length = 0;
    this.#busy.fill(0);
    for (const slots of this.#slotOf) slots.fill(-1);
    this.#contents.fill(NOT_WRITTEN);
    this.#buffers = host.arena.take(SLOTS * SLOT_BYTES, SLOT_BYTES);
    this.#eventBuffers = host.arena.take(EVENTS * EVENT_BYTES, EVENT_BYTES);
    for (let i = 0; i < EVENTS; i++) this.#postEvent(i);
    announce(host, EVENT_QUEUE);
  }

  submit(step: number): number {
    const slot = this.#busy.indexOf(0);
    const row = step < SCAN.length ? SCAN[step] : CYCLE[(step - SCAN.length) % CYCLE.length];
    if (slot < 0 || row === undefined) return NO_QUEUE;
    this.#rows[slot] = row;
    if (row.kind === 'write') this.#contents[row.block] = step & 0xff;
    this.#expected[slot] = this.#contents[row.block] ?? NOT_WRITTEN;
    const queue = row.kind === 'query' ? CONTROL_QUEUE : COMMAND_QUEUE;
    if (!this.#publish(slot, row, queue)) return NO_QUEUE;
    this.outstanding++;
    return queue;
  }

  collected(queue: number, head: number, length: number): void {
    const slot = this.#slotOf[queue]?.[head] ?? -1;
    const host = this.#host;
    const row = this.#rows[slot];
    if (slot < 0 || host === undefined || row === undefined) {
      this.correct = false;
      return;
    }
    if (queue === EVENT_QUEUE) {
      const at = this.#eventBuffers + slot * EVENT_BYTES;
      this.events.push(host.platform.load32(at, host.little));
      this.#postEvent(slot);
      announce(host, EVENT_QUEUE);
      return;
    }
    this.#busy[slot] = 0;
    // What a reset left behind is told once; the command is given again, as kernels do.
    if (queue === COMMAND_QUEUE && this.#isAttention(slot)) {
      this.attentions++;
      this.completed++;
      if (this.#publish(slot, row, queue)) announce(host, queue);
      else this.correct = false;
      return;
    }
    this.outstanding--;
    this.completed++;
    const kept = queue === CONTROL_QUEUE ? this.#judgeTask(slot) : this.#judge(slot, row, length);
    if (!kept) this.correct = false;
  }

  #publish(slot: number, row: Row, queue: number): boolean {
    const host = this.#host;
    if (host === undefined) return false;
    const base = this.#buffers + slot * SLOT_BYTES;
    host.platform.store8(base + RESPONSE_AT + (queue === CONTROL_QUEUE ? 0 : RESPONSE), 0xff);
    const chain = this.#chain.clear();
    if (row.kind === 'query') {
      this.#writeTask(host, base);
      chain.add(base, TASK_BYTES, false).add(base + RESPONSE_AT, 1, true);
    } else {
      const command = COMMANDS[row.kind];
      this.#writeCommand(host, base, command.cdb(BLOCKS[row.block] ?? 0), slot);
      chain.add(base, REQUEST_BYTES, false);
      if (command.sends > 0) {
        this.#bytes.fill(this.#expected[slot] ?? 0, 0, SECTOR_BYTES);
        host.platform.storeBytes(base + DATA_AT, this.#bytes, 0, SECTOR_BYTES);
        chain.add(base + DATA_AT, command.sends, false);
      }
      chain.add(base + RESPONSE_AT, RESPONSE_BYTES, true);
      if (command.asks > 0) chain.add(base + DATA_AT, command.asks, true);
    }
    const head = host.rings[queue]?.add(chain) ?? -1;
    if (head < 0) return false;
    this.#busy[slot] = 1;
    const slots = this.#slotOf[queue];
    if (slots !== undefined) slots[head] = slot;
    return true;
  }

  #writeCommand({ platform }: RequestHost, base: number, cdb: readonly number[], slot: number): void {
    const bytes = this.#bytes;
    bytes.fill(0, 0, CDB + CDB_BYTES);
    // Unit 0 of target 0, and a tag of its own.
    bytes[0] = 1;
    bytes[8] = slot + 1;
    for (const [i, byte] of cdb.entries()) bytes[CDB + i] = byte;
    platform.storeBytes(base, bytes, 0, REQUEST_BYTES);
  }

  #writeTask({ platform, little }: RequestHost, base: number): void {
    this.#bytes.fill(0, 0, TASK_BYTES);
    this.#bytes[8] = 1;
    platform.storeBytes(base, this.#bytes, 0, TASK_BYTES);
    platform.store32(base + 4, QUERY_TASK_SET, little);
  }

  #postEvent(slot: number): void {
    const at = this.#eventBuffers + slot * EVENT_BYTES;
    const head = this.#host?.rings[EVENT_QUEUE]?.add(this.#chain.clear().add(at, EVENT_BYTES, true)) ?? -1;
    const slots = this.#slotOf[EVENT_QUEUE];
    if (head >= 0 && slots !== undefined) slots[head] = slot;
  }

  #isAttention(slot: number): boolean {
    const at = this.#buffers + slot * SLOT_BYTES + RESPONSE_AT;
    const platform = this.#host?.platform;
    const refused = platform?.load8(at + STATUS) === CHECK_CONDITION;
    return refused && ((platform?.load8(at + SENSE + 2) ?? 0) & 0xf) === UNIT_ATTENTION;
  }

  #judgeTask(slot: number): boolean {
    const answer = this.#host?.platform.load8(this.#buffers + slot * SLOT_BYTES + RESPONSE_AT);
    return answer === S_OK || answer === S_FUNCTION_SUCCEEDED;
  }

  #judge(slot: number, row: Row, length: number): boolean {
    const base = this.#buffers + slot * SLOT_BYTES;
    const host = this.#host;
    if (host === undefined || length < RESPONSE_BYTES) return false;
    const at = base + RESPONSE_AT;
    if (host.platform.load8(at + RESPONSE) !== S_OK || host.platform.load8(at + STATUS) !== 0) return false;
    host.platform.loadBytes(base + DATA_AT, this.#bytes, 0, SECTOR_BYTES);
    const bytes = this.#bytes;
    switch (row.kind) {
      case 'inquiry':
        this.product = String.fromCharCode(...bytes.subarray(8, 32));
        // A direct-access device that is there, of SPC-3.
        return bytes[0] === 0 && bytes[2] === 5;
      case 'report-luns':
        return bytes[3] !== undefined && bytes[3] >= 8;
      case 'capacity':
        for (let i = 0; i < 4; i++) this.lastBlock = this.lastBlock * 256 + (bytes[i] ?? 0);
        return bytes[6] === SECTOR_BYTES >> 8;
      case 'mode-sense':
        return bytes[4] === 0x08;
      case 'read':
        return this.#readBack(slot);
      default:
        return true;
    }
  }

  #readBack(slot: number): boolean {
    const expected = this.#expected[slot] ?? NOT_WRITTEN;
    if (expected === NOT_WRITTEN) return true;
    for (let i = 0; i < SECTOR_BYTES; i++) if (this.#bytes[i] !== expected) return false;
    return true;
  }
}
