import type { StateStream } from '../core/state.ts';
import { VIRTIO_ID_INPUT } from '../virtio/abi.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { LEGACY_ONLY } from './device.ts';

/** Configuration: select, subsel, size, five reserved bytes, then `size` bytes of data (VIRTIO 1.3, 5.8.4). */
const HEADER_BYTES = 8;
const QUEUE_SIZE = 64;
const EVENT_BYTES = 8;
const STATUS_QUEUE = 1;

const ID_NAME = 0x01;
const ID_SERIAL = 0x02;
const ID_DEVIDS = 0x03;
const EV_BITS = 0x11;
const ABS_INFO = 0x12;

/** Linux input event types and codes, as the specification takes them over. */
const EV_KEY = 0x01;
const EV_REL = 0x02;
const EV_ABS = 0x03;
const EV_LED = 0x11;
const EV_REP = 0x14;
const AXES_X_Y = 0x03;
const REL_WHEEL_BYTE_1 = 0x01;
const ABS_MAX = 0x7fff;
const BUS_VIRTUAL = 0x06;
const QEMU_VENDOR = 0x0627;
/** Caps, num and scroll lock. */
const LEDS = 0x07;
/** BTN_LEFT, RIGHT, MIDDLE, SIDE, EXTRA, GEAR_DOWN, GEAR_UP. */
const BUTTONS: readonly number[] = [0x110, 0x111, 0x112, 0x113, 0x114, 0x150, 0x151];
/** The keys that QEMU can send, as a bit map over Linux key codes: 147 of them. */
const KEYS = 'feffffffffffffffffffcf7bffffbefeffdf00f8783000000000000004';

/** One answer of the configuration space. */
interface Entry {
  readonly select: number;
  readonly subsel: number;
  readonly data: Uint8Array;
}

export type InputKind = 'keyboard' | 'mouse' | 'tablet';

/** What each kind answers to, by select and subsel (QEMU hw/input/virtio-input-hid.c). */
const KINDS: Readonly<Record<InputKind, (wheel: boolean) => readonly Entry[]>> = {
  keyboard: () => [
    text(ID_NAME, 'QEMU Virtio Keyboard', true),
    identity(1, 1),
    { select: EV_BITS, subsel: EV_REP, data: Uint8Array.of(0) },
    { select: EV_BITS, subsel: EV_LED, data: Uint8Array.of(LEDS) },
    { select: EV_BITS, subsel: EV_KEY, data: fromHex(KEYS) },
  ],
  mouse: (wheel) => [
    text(ID_NAME, 'QEMU Virtio Mouse', true),
    identity(2, wheel ? 2 : 1),
    {
      select: EV_BITS,
      subsel: EV_REL,
      data: wheel ? Uint8Array.of(AXES_X_Y, REL_WHEEL_BYTE_1) : Uint8Array.of(AXES_X_Y),
    },
    { select: EV_BITS, subsel: EV_KEY, data: bits(BUTTONS) },
  ],
  tablet: (wheel) => [
    text(ID_NAME, 'QEMU Virtio Tablet', true),
    identity(3, wheel ? 2 : 1),
    { select: EV_BITS, subsel: EV_ABS, data: Uint8Array.of(AXES_X_Y) },
    ...(wheel ? [{ select: EV_BITS, subsel: EV_REL, data: Uint8Array.of(0, REL_WHEEL_BYTE_1) }] : []),
    axis(0),
    axis(1),
    { select: EV_BITS, subsel: EV_KEY, data: bits(BUTTONS) },
  ],
};

export interface InputOptions {
  readonly kind: InputKind;
  readonly wheelAxis: boolean;
  readonly serial: string | undefined;
}

/** Keyboard, mouse and tablet (VIRTIO 1.3, 5.8; QEMU hw/input/virtio-input.c). Nobody types. */
export class InputDevice extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_INPUT;
  readonly name: string = 'virtio-input';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #entries: readonly Entry[];
  #select = 0;
  #subsel = 0;

  constructor(parts: CoreParts, options: InputOptions) {
    const entries = entriesOf(options);
    super(parts, HEADER_BYTES + Math.max(...entries.map((entry) => entry.data.length)));
    this.#entries = entries;
    this.addQueue(QUEUE_SIZE);
    this.addQueue(QUEUE_SIZE);
  }

  offer(features: bigint): bigint {
    return features;
  }

  override exchange(state: StateStream): void {
    super.exchange(state);
    this.#select = state.u8(this.#select);
    this.#subsel = state.u8(this.#subsel);
  }

  protected override refreshConfig(): void {
    const { config } = this;
    config.fill(0);
    for (const { select, subsel, data } of this.#entries) {
      if (select !== this.#select || subsel !== this.#subsel) continue;
      config[0] = select;
      config[1] = subsel;
      config[2] = data.length;
      config.set(data, HEADER_BYTES);
      return;
    }
  }

  protected override configWritten(): void {
    this.#select = this.config[0] ?? 0;
    this.#subsel = this.config[1] ?? 0;
    this.notifyConfig();
  }

  protected service(queue: Virtqueue): void {
    if (queue.ring.index !== STATUS_QUEUE) return;
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      queue.push(chain, Math.min(chain.outBytes(), EVENT_BYTES));
      queue.recycle(chain);
    }
    this.notifyUsed(queue);
  }
}

function entriesOf({ kind, wheelAxis, serial }: InputOptions): Entry[] {
  const entries = [...KINDS[kind](wheelAxis)];
  if (serial !== undefined) entries.push(text(ID_SERIAL, serial, false));
  return entries;
}

/** A name counts its terminator, a serial number does not. */
function text(select: number, value: string, terminated: boolean): Entry {
  const data = new Uint8Array(value.length + (terminated ? 1 : 0));
  for (let i = 0; i < value.length; i++) data[i] = value.charCodeAt(i);
  return { select, subsel: 0, data };
}

function identity(product: number, version: number): Entry {
  const data = new Uint8Array(8);
  const view = new DataView(data.buffer);
  view.setUint16(0, BUS_VIRTUAL, true);
  view.setUint16(2, QEMU_VENDOR, true);
  view.setUint16(4, product, true);
  view.setUint16(6, version, true);
  return { select: ID_DEVIDS, subsel: 0, data };
}

/** min, max, fuzz, flat, res. */
function axis(number: number): Entry {
  const data = new Uint8Array(20);
  new DataView(data.buffer).setUint32(4, ABS_MAX, true);
  return { select: ABS_INFO, subsel: number, data };
}

function bits(codes: readonly number[]): Uint8Array {
  const data = new Uint8Array((Math.max(...codes) >> 3) + 1);
  for (const code of codes) data[code >> 3] = (data[code >> 3] ?? 0) | (1 << (code & 7));
  return data;
}

function fromHex(hex: string): Uint8Array {
  const data = new Uint8Array(hex.length / 2);
  for (let i = 0; i < data.length; i++) data[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return data;
}
