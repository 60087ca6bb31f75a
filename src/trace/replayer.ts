import { EVENT_KINDS, KIND, MachineEvent, type Tap } from '../emu/core/tap.ts';
import type { GuestPlatform } from '../emu/guest/platform.ts';
import type { CaseRunner, WatchedMachine } from './case-runner.ts';
import { ComparingTap, type ComparedRange } from './comparing-tap.ts';
import type { Divergence } from './divergence.ts';
import type { RecordedKind } from './event-context.ts';
import { EventDecoder } from './event-decoder.ts';
import type { RecordingHeader } from './format.ts';
import type { RecordingEnd, RecordingReader } from './reader.ts';
import { RecordingError } from './recording-error.ts';
import { layRtasBuffer, rtasAddress, rtasBufferBytes } from './rtas-buffer.ts';

/** What came out of one replay. */
export interface ReplayOutcome {
  /** Events that were equal. */
  readonly events: number;
  readonly divergence: Divergence | undefined;
  readonly end: RecordingEnd | undefined;
  /** Whether the guest ran again, or its recorded actions were fed. */
  readonly way: 'guest' | 'inputs';
}

/** A machine without a guest, as the recorded inputs need it. */
export interface FedMachine extends WatchedMachine {
  readonly platform: GuestPlatform;
  hostInput(port: number, bytes: Uint8Array): void;
  reset(): void;
  /** Hands the order of entries that are due together to `choose`; undefined lets it be as scheduled. */
  chooseWith(choose: ((count: number) => number) | undefined): void;
  /** The CPU address that reaches an I/O port. */
  cpuAddressOfPort(port: bigint): bigint;
  /**
   * Where in RAM a device's access to the address of these halves goes now; undefined if nowhere. Bytes up to the
   * page's end lie together.
   */
  busToRam(requester: number, high: number, low: number): number | undefined;
}

/** Replays with the guest that the recording names. Undefined if nobody knows such a guest. */
export function replayWithGuest(
  reader: RecordingReader,
  runner: CaseRunner,
  range: ComparedRange = {},
): ReplayOutcome | undefined {
  const { header } = reader;
  const again = header.origin === undefined ? undefined : runner.again(header.origin, header);
  if (again === undefined) return undefined;
  let machine: WatchedMachine | undefined;
  let tap: ComparingTap | undefined;
  const how = again.run((made) => {
    machine = made;
    tap = new ComparingTap(reader, reader.sameState ? made : undefined, range);
    made.setTap(tap);
  });
  if (tap === undefined || machine === undefined)
    throw new RecordingError('the case that was recorded made no machine');
  const divergence = tap.finish(
    tap.done || how === 'cut' || !reader.sameState ? undefined : machine.digest(),
  );
  return { events: tap.events, divergence, end: reader.end, way: 'guest' };
}

/** Builds a machine for the inputs of a recording. */
export type MachineMaker = (header: RecordingHeader) => FedMachine;

/** Replays without a guest: what the recording says came in is fed, and what the machine makes of it compared. */
export function replayInputs(
  reader: RecordingReader,
  make: MachineMaker,
  range: ComparedRange = {},
): ReplayOutcome {
  // What nobody may read in memory cannot be laid there because somebody read it.
  if (mayHide(reader.header) && !reader.header.guestWrites)
    throw new RecordingError(
      'a machine with an ultravisor is replayed with its guest, or with all that it stored',
    );
  const machine = make(reader.header);
  // RAM differs where the guest stored what nothing ever read, so digests hold only if its stores are recorded.
  const whole = reader.header.guestWrites && reader.sameState;
  const tap = new ComparingTap(reader, whole ? machine : undefined, { ...range, mayGoOn: true });
  const feeder = new Feeder(machine, tap, reader);
  feeder.run();
  const divergence = tap.finish(whole && !tap.done ? machine.digest() : undefined);
  return { events: tap.events, divergence, end: reader.end, way: 'inputs' };
}

/** Whether frames of the guest's memory may be out of the host's sight. */
function mayHide({ config }: RecordingHeader): boolean {
  return config.host?.startsWith('ultravisor') === true;
}

/** More events than this after one action, and it is fed with what is known of its reads. */
const GROUP_MAX = 1 << 16;
/** As many bytes at most. */
const GROUP_BYTES_MAX = 32 << 20;

const HCALL = KIND['hcall'];
const UCALL = KIND['ucall'];
const GUEST_FAULT = KIND['guest-fault'];
const MMIO_READ = KIND['mmio-read'];
const MMIO_WRITE = KIND['mmio-write'];
const PIO_READ = KIND['pio-read'];
const PIO_WRITE = KIND['pio-write'];
const ADVANCE = KIND['advance'];
const IDLE = KIND['idle'];
const CPU_MODE = KIND['cpu-mode'];
const MACHINE_RESET = KIND['machine-reset'];
const HOST_INPUT = KIND['host-input'];
const GUEST_WRITE = KIND['guest-write'];
const RTAS = KIND['rtas'];
const DMA_READ = KIND['dma-read'];
const HYPERVISOR_READ = KIND['hypervisor-read'];
const CHOICE = KIND['choice'];
/** Kinds that begin a group: every input of guest or host but choices, which are made in the course of one. */
const ACTIONS: readonly boolean[] = EVENT_KINDS.map(
  (kind, number) => kind.direction === 'input' && number !== CHOICE,
);
const FIELD_COUNTS: readonly number[] = EVENT_KINDS.map((kind) => kind.fields.length);
/** What of a recording has to be known to feed it. */
const FED: ReadonlySet<string> = new Set(
  EVENT_KINDS.filter(
    (kind, number) =>
      kind.direction === 'input' || number === DMA_READ || number === HYPERVISOR_READ || number === RTAS,
  ).map((kind) => kind.name),
);
const isFed = (kind: RecordedKind): boolean => FED.has(kind.name);
const PAGE = 4096;
const TWO_32 = 2 ** 32;

/**
 * What the machine read from memory in the course of one action, in flat arrays that every action uses again: whose
 * address it is, the address, and where its bytes are kept.
 */
class ReadList {
  count = 0;
  /** Requester, or HYPERVISOR. */
  whose: Int32Array = new Int32Array(64);
  /** High and low half. */
  high: Uint32Array = new Uint32Array(64);
  low: Uint32Array = new Uint32Array(64);
  from: Uint32Array = new Uint32Array(64);
  length: Uint32Array = new Uint32Array(64);
  bytes: Uint8Array = new Uint8Array(1 << 12);
  bytesUsed = 0;

  clear(): void {
    this.count = 0;
    this.bytesUsed = 0;
  }

  /** Makes room for `length` bytes of a read, which the caller lays at the offset returned. */
  add(whose: number, high: number, low: number, length: number): number {
    if (this.count === this.whose.length) this.#growList();
    if (this.bytesUsed + length > this.bytes.length) this.#growBytes(length);
    const { count, bytesUsed } = this;
    this.whose[count] = whose;
    this.high[count] = high;
    this.low[count] = low;
    this.from[count] = bytesUsed;
    this.length[count] = length;
    this.count = count + 1;
    this.bytesUsed = bytesUsed + length;
    return bytesUsed;
  }

  #growList(): void {
    const room = 2 * this.count;
    this.whose = grown(new Int32Array(room), this.whose);
    this.high = grown(new Uint32Array(room), this.high);
    this.low = grown(new Uint32Array(room), this.low);
    this.from = grown(new Uint32Array(room), this.from);
    this.length = grown(new Uint32Array(room), this.length);
  }

  #growBytes(length: number): void {
    this.bytes = grown(new Uint8Array(2 * (this.bytesUsed + length)), this.bytes);
  }
}

function grown<T extends Int32Array | Uint32Array | Uint8Array>(into: T, from: T): T {
  into.set(from);
  return into;
}

/** Stands for the requester where the hypervisor read guest-physical memory. */
const HYPERVISOR = -1;

/**
 * Feeds one action after the other. Before each, the bytes that the machine read from memory in its course are laid
 * where they will be read: that is what the guest had stored there. Of several reads of one place the first counts,
 * since what came between was the machine's own doing.
 */
class Feeder {
  readonly #machine: FedMachine;
  readonly #tap: ComparingTap;
  readonly #reader: RecordingReader;
  readonly #muted: MutableTap | undefined;
  readonly #registers: Uint32Array;
  /** Our number of each of the file's kinds; -1 for those we do not know. */
  readonly #kinds: readonly number[];
  readonly #action: MachineEvent = new MachineEvent();
  readonly #reads: ReadList = new ReadList();
  #page: number | undefined;
  #pageWhose = HYPERVISOR;
  #pageHigh = 0;
  #pageLow = 0;
  #choosing = true;
  #pending = false;
  #groupEvents = 0;
  #choices: number[] = [];
  readonly #choose = (count: number): number => Math.min(this.#choices.shift() ?? 0, count - 1);

  constructor(machine: FedMachine, tap: ComparingTap, reader: RecordingReader) {
    this.#machine = machine;
    this.#tap = tap;
    this.#reader = reader;
    // Laying bytes makes events only where stores are recorded.
    this.#muted = tap.wantsGuestWrites ? new MutableTap(tap) : undefined;
    const { registers } = machine.platform;
    this.#registers = new Uint32Array(registers.buffer, registers.byteOffset, 2 * registers.length);
    this.#kinds = reader.header.kinds.map((kind) => EVENT_KINDS.findIndex((ours) => ours.name === kind.name));
  }

  run(): void {
    this.#machine.setTap(this.#muted ?? this.#tap);
    this.#reader.forEach((event) => {
      const kind = this.#kinds[event.kind] ?? -1;
      if (ACTIONS[kind] === true) {
        if (this.#pending) this.#feed();
        this.#begin(kind, event);
      } else if (this.#pending) this.#collect(kind, event);
      return !this.#tap.done;
    }, isFed);
    if (this.#pending && !this.#tap.done) this.#feed();
    this.#machine.setTap(undefined);
    this.#machine.chooseWith(undefined);
  }

  #begin(kind: number, event: MachineEvent): void {
    const action = this.#action;
    action.kind = kind;
    const words = 2 * (FIELD_COUNTS[kind] ?? 0);
    for (let i = 0; i < words; i++) action.words[i] = event.words[i] ?? 0;
    const { byteLength, byteOffset } = event;
    if (byteLength === 0) action.noBytes();
    // A copy of its own, for the machine may keep what it is handed.
    else action.carry(event.bytes.slice(byteOffset, byteOffset + byteLength), 0, byteLength);
    this.#reads.clear();
    this.#groupEvents = 0;
    this.#pending = true;
    if (this.#choices.length > 0) this.#choices = [];
  }

  #collect(kind: number, event: MachineEvent): void {
    this.#groupEvents++;
    if (kind === CHOICE) this.#choices.push(wide(event, 1));
    const reads = this.#reads;
    if (this.#groupEvents >= GROUP_MAX || reads.bytesUsed >= GROUP_BYTES_MAX) return;
    const { words } = event;
    if (kind === DMA_READ) {
      const at = reads.add(words[0] ?? 0, words[3] ?? 0, words[2] ?? 0, event.byteLength);
      copyPayload(event, reads.bytes, at);
    } else if (kind === HYPERVISOR_READ) {
      const at = reads.add(HYPERVISOR, words[1] ?? 0, words[0] ?? 0, event.byteLength);
      copyPayload(event, reads.bytes, at);
    } else if (kind === RTAS && this.#action.kind === HCALL) {
      const address = rtasAddress(this.#action);
      const length = rtasBufferBytes(event);
      layRtasBuffer(event, reads.bytes, reads.add(HYPERVISOR, address / TWO_32, address, length));
    }
  }

  #feed(): void {
    this.#pending = false;
    if (this.#tap.done) return;
    if (this.#muted !== undefined) this.#muted.on = false;
    this.#pageWhose = HYPERVISOR;
    if (!mayHide(this.#reader.header)) for (let i = this.#reads.count - 1; i >= 0; i--) this.#lay(i);
    if (this.#muted !== undefined) this.#muted.on = true;
    // Without a chooser there are no choices to see; only where some were recorded was one at work.
    const choosing = this.#choices.length > 0;
    if (choosing !== this.#choosing) this.#machine.chooseWith(choosing ? this.#choose : undefined);
    this.#choosing = choosing;
    this.#act();
  }

  #lay(index: number): void {
    const reads = this.#reads;
    const whose = reads.whose[index] ?? HYPERVISOR;
    const length = reads.length[index] ?? 0;
    const from = reads.from[index] ?? 0;
    const address = (reads.high[index] ?? 0) * TWO_32 + (reads.low[index] ?? 0);
    if (whose === HYPERVISOR) {
      this.#store(address, from, length);
      return;
    }
    for (let done = 0; done < length;) {
      const low = (reads.low[index] ?? 0) + done;
      const inside = low % PAGE;
      const room = Math.min(length - done, PAGE - inside);
      const carry = low < TWO_32 ? 0 : 1;
      const page = this.#pageInRam(whose, ((reads.high[index] ?? 0) + carry) >>> 0, (low - inside) >>> 0);
      if (page !== undefined) this.#store(page + inside, from + done, room);
      done += room;
    }
  }

  /** Neighbouring reads mostly share a page; between two actions its translation may change. */
  #pageInRam(whose: number, high: number, low: number): number | undefined {
    if (whose !== this.#pageWhose || high !== this.#pageHigh || low !== this.#pageLow) {
      this.#page = this.#machine.busToRam(whose, high, low);
      this.#pageWhose = whose;
      this.#pageHigh = high;
      this.#pageLow = low;
    }
    return this.#page;
  }

  /** What lies beyond RAM was answered by something that the machine has. */
  #store(ram: number, from: number, length: number): void {
    const { platform } = this.#machine;
    const room = Math.min(length, platform.ramBytes - ram);
    if (room > 0) platform.storeBytes(ram, this.#reads.bytes, from, room);
  }

  #act(): void {
    const action = this.#action;
    const { platform } = this.#machine;
    switch (action.kind) {
      case HCALL:
        for (let i = 0; i < this.#registers.length; i++) this.#registers[i] = action.words[i] ?? 0;
        platform.hcall();
        break;
      case GUEST_FAULT:
        platform.load8(wide(action, 0));
        break;
      case UCALL:
        for (let i = 0; i < this.#registers.length; i++) this.#registers[i] = action.words[i] ?? 0;
        platform.ucall();
        break;
      case MMIO_READ:
        load(platform, wide(action, 0), action);
        break;
      case MMIO_WRITE:
        store(platform, wide(action, 0), action);
        break;
      case PIO_READ:
        load(platform, this.#portAddress(), action);
        break;
      case PIO_WRITE:
        store(platform, this.#portAddress(), action);
        break;
      case ADVANCE:
        platform.advance(wide(action, 0));
        break;
      case IDLE:
        platform.idle();
        break;
      case CPU_MODE:
        platform.setCpu(wide(action, 0), action.fields[1] ?? 0n);
        break;
      case MACHINE_RESET:
        this.#machine.reset();
        break;
      case HOST_INPUT:
        this.#machine.hostInput(wide(action, 0), action.bytes);
        break;
      case GUEST_WRITE:
        if (wide(action, 0) + action.byteLength <= platform.ramBytes)
          platform.storeBytes(wide(action, 0), action.bytes, 0, action.byteLength);
        break;
      default:
        throw new RecordingError(`nobody can repeat a guest's ${EVENT_KINDS[action.kind]?.name ?? 'action'}`);
    }
  }

  #portAddress(): number {
    return Number(this.#machine.cpuAddressOfPort(this.#action.fields[0] ?? 0n));
  }
}

function copyPayload(event: MachineEvent, into: Uint8Array, at: number): void {
  const { bytes, byteOffset, byteLength } = event;
  if (byteLength <= 64) for (let i = 0; i < byteLength; i++) into[at + i] = bytes[byteOffset + i] ?? 0;
  else into.set(bytes.subarray(byteOffset, byteOffset + byteLength), at);
}

/** A field as a number: exact below 2^53, and what lies above is no place and no moment of any machine. */
function wide(event: MachineEvent, field: number): number {
  return (event.words[2 * field] ?? 0) + (event.words[2 * field + 1] ?? 0) * TWO_32;
}

/** Lets events through to the comparison unless bytes are being laid. */
class MutableTap implements Tap {
  readonly wantsGuestWrites: boolean;
  on = true;
  readonly #tap: Tap;

  constructor(tap: Tap) {
    this.#tap = tap;
    this.wantsGuestWrites = tap.wantsGuestWrites;
  }

  take(event: MachineEvent): void {
    if (this.on) this.#tap.take(event);
  }
}

/** Width, byte order and value are fields 1 to 3 of an access. */
function load(platform: GuestPlatform, address: number, access: MachineEvent): void {
  const width = wide(access, 1);
  const bigEndian = wide(access, 2) !== 0;
  if (width === 8) platform.read64(address, bigEndian);
  else platform.read(address, checkedWidth(width), bigEndian);
}

function store(platform: GuestPlatform, address: number, access: MachineEvent): void {
  const width = wide(access, 1);
  const bigEndian = wide(access, 2) !== 0;
  if (width === 8) platform.write64(address, access.fields[3] ?? 0n, bigEndian);
  else platform.write(address, checkedWidth(width), wide(access, 3), bigEndian);
}

function checkedWidth(width: number): 1 | 2 | 4 {
  if (width !== 1 && width !== 2 && width !== 4) throw new RecordingError(`no access is ${width} bytes wide`);
  return width;
}

/** Reads every event without a machine: what `inspect` needs to know before it trusts a file, and its totals. */
export function verifyRecording(reader: RecordingReader): RecordingEnd {
  const decoder = new EventDecoder(reader.header.kinds);
  for (const chunk of reader.chunks()) reader.visitChunk(chunk, decoder, () => true);
  const end = reader.end;
  if (end === undefined) throw new RecordingError('it has no end');
  return end;
}
