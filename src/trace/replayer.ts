import { EVENT_KINDS, KIND, MachineEvent, type Tap } from '../emu/core/tap.ts';
import type { GuestPlatform } from '../emu/guest/platform.ts';
import type { CaseRunner, WatchedMachine } from './case-runner.ts';
import { ComparingTap, type ComparedRange } from './comparing-tap.ts';
import { copyEvent, type Divergence, type EventCopy } from './divergence.ts';
import { EventDecoder } from './event-decoder.ts';
import type { RecordingHeader } from './format.ts';
import type { RecordingEnd, RecordingReader } from './reader.ts';
import { RecordingError } from './recording-error.ts';

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
  /** Where in RAM a device's access to `address` goes now; undefined if nowhere. Bytes up to the page's end lie together. */
  busToRam(requester: number, address: bigint): number | undefined;
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
  again.run((made) => {
    machine = made;
    tap = new ComparingTap(reader, made, range);
    made.setTap(tap);
  });
  if (tap === undefined || machine === undefined)
    throw new RecordingError('the case that was recorded made no machine');
  const divergence = tap.finish(tap.done ? undefined : machine.digest());
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
  const machine = make(reader.header);
  // RAM differs where the guest stored what nothing ever read, so digests hold only if its stores are recorded.
  const whole = reader.header.guestWrites;
  const tap = new ComparingTap(reader, whole ? machine : undefined, { ...range, mayGoOn: true });
  const feeder = new Feeder(machine, tap, reader);
  feeder.run();
  const divergence = tap.finish(whole && !tap.done ? machine.digest() : undefined);
  return { events: tap.events, divergence, end: reader.end, way: 'inputs' };
}

/** Events whose bytes the machine read from RAM that the guest may have written. */
const DMA_READ = KIND['dma-read'];
const HYPERVISOR_READ = KIND['hypervisor-read'];
const CHOICE = KIND['choice'];
/** What an action leads to is kept until it is fed; more events than this are fed with what is known. */
const GROUP_MAX = 1 << 16;
/** As many bytes at most. */
const GROUP_BYTES_MAX = 32 << 20;

/** An action of guest or host, and what it led to when it was recorded. */
interface Group {
  readonly action: EventCopy;
  readonly reads: EventCopy[];
  readonly choices: number[];
  events: number;
  bytes: number;
}

/**
 * Feeds one action after the other. Before each, the bytes that the machine read from memory in its course are laid
 * where they will be read: that is what the guest had stored there. Of several reads of one place the first counts,
 * since what came between was the machine's own doing.
 */
class Feeder {
  readonly #machine: FedMachine;
  readonly #tap: ComparingTap;
  readonly #reader: RecordingReader;
  readonly #muted: MutableTap;
  #choices: number[] = [];
  readonly #choose = (count: number): number => Math.min(this.#choices.shift() ?? 0, count - 1);

  constructor(machine: FedMachine, tap: ComparingTap, reader: RecordingReader) {
    this.#machine = machine;
    this.#tap = tap;
    this.#reader = reader;
    this.#muted = new MutableTap(tap);
  }

  run(): void {
    this.#machine.setTap(this.#muted);
    let group: Group | undefined;
    const kinds = this.#reader.header.kinds.map((kind) =>
      EVENT_KINDS.findIndex((ours) => ours.name === kind.name),
    );
    this.#reader.forEach((event) => {
      const kind = kinds[event.kind] ?? -1;
      if (kind >= 0 && kind !== CHOICE && EVENT_KINDS[kind]?.direction === 'input') {
        if (group !== undefined) this.#feed(group);
        group = {
          action: copyEvent(event, this.#reader.header.kinds),
          reads: [],
          choices: [],
          events: 0,
          bytes: 0,
        };
      } else if (group !== undefined) this.#collect(group, kind, event);
      return !this.#tap.done;
    });
    if (group !== undefined && !this.#tap.done) this.#feed(group);
    this.#machine.setTap(undefined);
    this.#machine.chooseWith(undefined);
  }

  #collect(group: Group, kind: number, event: MachineEvent): void {
    group.events++;
    if (kind === CHOICE) group.choices.push(Number(event.fields[1] ?? 0n));
    const isRead = kind === DMA_READ || kind === HYPERVISOR_READ;
    if (!isRead || group.events >= GROUP_MAX || group.bytes >= GROUP_BYTES_MAX) return;
    group.bytes += event.byteLength;
    group.reads.push(copyEvent(event, this.#reader.header.kinds));
  }

  #feed(group: Group): void {
    if (this.#tap.done) return;
    this.#muted.on = false;
    for (const bytes of group.reads.toReversed()) this.#lay(bytes);
    this.#muted.on = true;
    this.#choices = group.choices;
    // Without a chooser there are no choices to see; only where some were recorded was one at work.
    this.#machine.chooseWith(group.choices.length > 0 ? this.#choose : undefined);
    this.#act(group.action);
  }

  #lay(read: EventCopy): void {
    const isDma = read.kind.name === 'dma-read';
    const address = read.fields[isDma ? 1 : 0] ?? 0n;
    const requester = isDma ? Number(read.fields[0] ?? 0n) : undefined;
    for (let done = 0; done < read.bytes.length;) {
      const here = address + BigInt(done);
      const room = Math.min(read.bytes.length - done, 4096 - Number(here & 4095n));
      const ram = this.#inRam(requester, here, room);
      if (ram !== undefined) this.#machine.platform.storeBytes(ram, read.bytes, done, room);
      done += room;
    }
  }

  #inRam(requester: number | undefined, address: bigint, length: number): number | undefined {
    const { platform } = this.#machine;
    if (requester !== undefined) {
      const ram = this.#machine.busToRam(requester, address);
      return ram === undefined || ram + length > platform.ramBytes ? undefined : ram;
    }
    return address + BigInt(length) > BigInt(platform.ramBytes) ? undefined : Number(address);
  }

  #act(action: EventCopy): void {
    const { platform } = this.#machine;
    const [first = 0n, second = 0n, third = 0n, fourth = 0n] = action.fields;
    switch (action.kind.name) {
      case 'hcall':
        platform.registers.set(action.fields);
        platform.hcall();
        break;
      case 'mmio-read':
        load(platform, first, Number(second), third !== 0n);
        break;
      case 'mmio-write':
        store(platform, first, Number(second), fourth, third !== 0n);
        break;
      case 'pio-read':
        load(platform, this.#machine.cpuAddressOfPort(first), Number(second), third !== 0n);
        break;
      case 'pio-write':
        store(platform, this.#machine.cpuAddressOfPort(first), Number(second), fourth, third !== 0n);
        break;
      case 'advance':
        platform.advance(Number(first));
        break;
      case 'idle':
        platform.idle();
        break;
      case 'cpu-mode':
        platform.setCpu(Number(first), second);
        break;
      case 'machine-reset':
        this.#machine.reset();
        break;
      case 'host-input':
        this.#machine.hostInput(Number(first), action.bytes);
        break;
      case 'guest-write':
        if (first + BigInt(action.bytes.length) <= BigInt(platform.ramBytes))
          platform.storeBytes(Number(first), action.bytes, 0, action.bytes.length);
        break;
      default:
        throw new RecordingError(`nobody can repeat a guest's ${action.kind.name}`);
    }
  }
}

/** Lets events through to the comparison unless it lays bytes itself. */
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

function load(platform: GuestPlatform, address: bigint, width: number, bigEndian: boolean): void {
  if (width === 8) platform.read64(Number(address), bigEndian);
  else platform.read(Number(address), checkedWidth(width), bigEndian);
}

function store(
  platform: GuestPlatform,
  address: bigint,
  width: number,
  value: bigint,
  bigEndian: boolean,
): void {
  if (width === 8) platform.write64(Number(address), value, bigEndian);
  else platform.write(Number(address), checkedWidth(width), Number(value), bigEndian);
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
