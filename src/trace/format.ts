import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { STATE_LAYOUT } from '../emu/core/state.ts';
import { EVENT_KINDS } from '../emu/core/tap.ts';
import { RNG_ALGORITHM } from '../emu/core/rng.ts';
import { BEHAVIOURS } from '../emu/virtio/behaviour.ts';
import type { BackendConfig, DiskContent, MachineConfig } from '../emu/machine/config.ts';
import { decodeItem, encodeItem, scanItem, whole, type Item } from './codec.ts';
import { FIELD_STRIDE, KIND_STRIDE, type RecordedKind } from './event-context.ts';
import { RecordingError } from './recording-error.ts';

export const MAGIC = 'papyrus-recording';
/** A reader refuses a higher major number. A higher minor one only adds: kinds, elements at the end of the header. */
export const FORMAT: readonly [major: number, minor: number] = [1, 1];
const PRODUCER = 'papyrus 0.1.0';

/** A chunk ends with the first event that fills it so far; at a guest's action somewhat earlier. */
export const CHUNK_BYTES: number = 64 << 10;
/** Uncompressed bytes of a chunk at most: a chunk that is all but full, and one event with the longest payload. */
export const CHUNK_BYTES_MAX: number = 2 << 20;
/** Payload bytes of a chunk's events at most, repeating tails written out. */
export const CHUNK_PAYLOAD_MAX: number = 16 << 20;
/** Bytes of any item of the file at most. */
export const ITEM_MAX: number = 4 << 20;
/** Every so many chunks one carries the machine's digest. */
export const CHECKPOINT_EVERY = 16;

/** First element of the items after the header. */
export const CHUNK_ITEM = 1;
export const END_ITEM = 2;

/** Which case makes these events when it is run again. The fuzzer knows how to read it; recordings only carry it. */
export interface Origin {
  /** `case`, `scenario`, `guest` …: who understands the rest. */
  readonly kind: string;
  readonly name: string;
  readonly seed: string;
  readonly program: Uint8Array;
}

export interface RecordingHeader {
  readonly producer: string;
  readonly rng: string;
  readonly config: MachineConfig;
  /** Undefined where no guest can be run again, as in recordings taken from elsewhere. */
  readonly origin: Origin | undefined;
  readonly kinds: readonly RecordedKind[];
  /** Whether the guest's stores into RAM are among the events. */
  readonly guestWrites: boolean;
  /** How the state behind its digests is laid out; 1 in recordings of format 1.0. */
  readonly stateLayout: number;
}

/** A header for a recording made now. */
export function makeHeader(
  config: MachineConfig,
  origin: Origin | undefined,
  guestWrites = false,
): RecordingHeader {
  return {
    producer: PRODUCER,
    rng: RNG_ALGORITHM,
    config,
    origin,
    kinds: EVENT_KINDS,
    guestWrites,
    stateLayout: STATE_LAYOUT,
  };
}

const ZSTD = {
  params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
};

export function compress(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, ZSTD);
}

/** Throws a RecordingError unless exactly `length` bytes come out. */
export function decompress(bytes: Uint8Array, length: number): Uint8Array {
  let out: Uint8Array;
  try {
    out = zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, length) });
  } catch {
    throw new RecordingError('its compressed bytes are damaged');
  }
  if (out.length !== length) throw new RecordingError('its compressed bytes are not as long as they say');
  return out;
}

const KINDS_BYTES_MAX = 1 << 16;

/** The header's elements in order, all but the check sum: docs/recording.cddl. */
export function headerElements(header: RecordingHeader): Item[] {
  const kinds = header.kinds === EVENT_KINDS ? OUR_KINDS : kindsElement(header.kinds);
  const origin = header.origin;
  return [
    MAGIC,
    [...FORMAT],
    header.producer,
    header.rng,
    configItem(header.config),
    origin === undefined ? null : [origin.kind, origin.name, origin.seed, origin.program],
    header.guestWrites,
    whole(kinds.length),
    kinds.compressed,
    whole(header.stateLayout),
  ];
}

interface KindsElement {
  /** Bytes before compression. */
  readonly length: number;
  readonly compressed: Uint8Array;
}

// Compressing the table costs more than the rest of a small recording's header.
const OUR_KINDS: KindsElement = kindsElement(EVENT_KINDS);

function kindsElement(kinds: readonly RecordedKind[]): KindsElement {
  const rows = kinds.map((kind) => [
    kind.name,
    kind.direction === 'input',
    kind.carriesBytes,
    [...kind.fields],
  ]);
  const bytes = encodeItem(rows);
  return { length: bytes.length, compressed: compress(bytes) };
}

function configItem(config: MachineConfig): Item {
  return [
    config.machine,
    whole(config.ramBytes),
    whole(config.cpus),
    config.seed,
    [...config.devices],
    [...config.globals],
    config.backends.map(backendItem),
    ...laterItems(config),
  ];
}

/** What newer machines have and older ones leave out, from the end. */
function laterItems({ behaviour = 'qemu-7.2', host, objects = [] }: MachineConfig): Item[] {
  if (host !== undefined || objects.length > 0) return [behaviour, host ?? '', [...objects]];
  return behaviour === 'qemu-7.2' ? [] : [behaviour];
}

function backendItem(backend: BackendConfig): Item {
  switch (backend.kind) {
    case 'disk':
      return [backend.kind, backend.id, whole(backend.sectors), backend.content, backend.readOnly];
    case 'net':
      return [
        backend.kind,
        backend.id,
        backend.loopback,
        // Left out where they are as they ever were: older readers go on reading.
        ...(backend.headers === true || (backend.queues ?? 1) > 1
          ? [whole(backend.queues ?? 1), backend.headers === true]
          : []),
      ];
    case 'chardev':
      return [backend.kind, backend.id, backend.open];
    case 'memory':
      return [backend.kind, backend.id, whole(backend.pageBytes)];
    default:
      return [backend.kind, backend.id];
  }
}

/** Reads elements in order; each read says what belongs there, and what does not is a RecordingError. */
class Elements {
  readonly #items: readonly Item[];
  #next = 0;

  constructor(item: Item | readonly Item[] | undefined, least: number) {
    if (!Array.isArray(item) || item.length < least) throw misfit('a list');
    this.#items = item as readonly Item[];
  }

  get done(): boolean {
    return this.#next >= this.#items.length;
  }

  item(): Item {
    return this.#items[this.#next++] ?? null;
  }

  text(): string {
    const item = this.item();
    if (typeof item !== 'string') throw misfit('a text');
    return item;
  }

  whole(): number {
    const item = this.item();
    const value = typeof item === 'bigint' ? Number(item) : item;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw misfit('a whole number');
    return value;
  }

  flag(): boolean {
    const item = this.item();
    if (typeof item !== 'boolean') throw misfit('true or false');
    return item;
  }

  bytes(): Uint8Array {
    const item = this.item();
    if (!(item instanceof Uint8Array)) throw misfit('a byte string');
    return item;
  }

  list<T>(read: (elements: Elements) => T, least: number): T[] {
    return this.#list().map((item) => read(new Elements(item, least)));
  }

  texts(): string[] {
    const items = this.#list();
    return items.map((item) => {
      if (typeof item !== 'string') throw misfit('a text');
      return item;
    });
  }

  #list(): readonly Item[] {
    const item = this.item();
    if (!Array.isArray(item)) throw misfit('a list');
    return item as readonly Item[];
  }
}

function misfit(wanted: string): RecordingError {
  return new RecordingError(`its header lacks ${wanted} where one belongs`);
}

/** Elements of a header of format 1.0, its check sum among them. */
const LEAST_ELEMENTS = 10;

/** A header from its decoded item, whose magic and version have been looked at. */
export function readHeader(item: readonly Item[]): RecordingHeader {
  const elements = new Elements(item, LEAST_ELEMENTS);
  elements.text();
  elements.item();
  const producer = elements.text();
  const rng = elements.text();
  const config = readConfig(new Elements(elements.item(), 7));
  const origin = readOrigin(elements.item());
  const guestWrites = elements.flag();
  const kindsLength = elements.whole();
  if (kindsLength > KINDS_BYTES_MAX)
    throw new RecordingError('its header lists more event kinds than there can be');
  const kinds = readKinds(readKindsItem(elements.bytes(), kindsLength));
  const stateLayout = item.length > LEAST_ELEMENTS ? elements.whole() : 1;
  return { producer, rng, config, origin, kinds, guestWrites, stateLayout };
}

function readKindsItem(compressed: Uint8Array, length: number): Item {
  const bytes = decompress(compressed, length);
  if (scanItem(bytes, 0) !== bytes.length) throw misfit('its event kinds');
  return decodeItem(bytes);
}

function readKinds(item: Item): RecordedKind[] {
  if (!Array.isArray(item) || item.length === 0 || item.length > KIND_STRIDE - 1)
    throw misfit('its event kinds');
  return item.map((row: Item): RecordedKind => {
    const elements = new Elements(row, 4);
    const name = elements.text();
    const direction = elements.flag() ? 'input' : 'output';
    const carriesBytes = elements.flag();
    const fields = elements.texts();
    // MachineEvent holds twelve.
    if (fields.length > Math.min(12, FIELD_STRIDE)) throw misfit('event kinds of at most twelve fields');
    return { name, direction, fields, carriesBytes };
  });
}

function readOrigin(item: Item): Origin | undefined {
  if (item === null) return undefined;
  const elements = new Elements(item, 4);
  return { kind: elements.text(), name: elements.text(), seed: elements.text(), program: elements.bytes() };
}

function readConfig(elements: Elements): MachineConfig {
  const config = readQemuConfig(elements);
  const behaviour = elements.item();
  if (behaviour === null) return config;
  const name = BEHAVIOURS.find((known) => known === behaviour);
  if (name === undefined)
    throw new RecordingError(`its header names the unknown behaviour ${JSON.stringify(String(behaviour))}`);
  const host = elements.item();
  if (host === null) return { ...config, behaviour: name };
  if (typeof host !== 'string') throw misfit('a text');
  const objects = elements.texts();
  return { ...config, behaviour: name, objects, ...(host === '' ? {} : { host }) };
}

/** What every recording has; those of before there was a choice have nothing else. */
function readQemuConfig(elements: Elements): MachineConfig {
  return {
    machine: elements.text(),
    ramBytes: elements.whole(),
    cpus: elements.whole(),
    seed: elements.text(),
    devices: elements.texts(),
    globals: elements.texts(),
    backends: elements.list(readBackend, 2),
  };
}

const DISK_CONTENTS: readonly DiskContent[] = ['zero', 'tagged', 'golden'];

function readBackend(elements: Elements): BackendConfig {
  const kind = elements.text();
  const id = elements.text();
  switch (kind) {
    case 'disk':
      return {
        kind,
        id,
        sectors: elements.whole(),
        content: diskContent(elements.text()),
        readOnly: elements.flag(),
      };
    case 'net': {
      const loopback = elements.flag();
      if (elements.done) return { kind, id, loopback };
      return { kind, id, loopback, queues: elements.whole(), headers: elements.flag() };
    }
    case 'chardev':
      return { kind, id, open: elements.flag() };
    case 'memory':
      return { kind, id, pageBytes: elements.whole() };
    case 'entropy':
    case 'crypto':
    case 'iothread':
      return { kind, id };
    default:
      throw new RecordingError(`its header names a backend of the unknown kind ${JSON.stringify(kind)}`);
  }
}

function diskContent(text: string): DiskContent {
  const content = DISK_CONTENTS.find((name) => name === text);
  if (content === undefined)
    throw new RecordingError(`its header names the unknown disk content ${JSON.stringify(text)}`);
  return content;
}
