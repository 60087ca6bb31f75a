import { VIRTIO_ID_CONSOLE } from '../virtio/abi.ts';
import { announce, NO_QUEUE, type DeviceRequests, type RequestHost } from './request.ts';
import { Chain } from './rings.ts';

// VIRTIO 1.3, 5.3.
const F_MULTIPORT = 1;
const CONTROL_IN = 2;
const CONTROL_OUT = 3;
const CONTROL_BYTES = 8;
const DEVICE_READY = 0;
const DEVICE_ADD = 1;
const DEVICE_REMOVE = 2;
const PORT_READY = 3;
const CONSOLE_PORT = 4;
const PORT_OPEN = 6;
const PORT_NAME = 7;
const NO_PORT = 0xffff_ffff;

/** Ports that are driven: 0 and 1. */
const PORTS = 2;
const SLOT_BYTES = 64;
const SLOTS = 8;
const QUEUES = 6;
const TEXT_BYTES = 24;

/** A queue's buffers, by slot, and the slot of each head. */
class Buffers {
  base = 0;
  readonly #ofHead: Int16Array = new Int16Array(1024).fill(-1);
  readonly #busy: Uint8Array = new Uint8Array(SLOTS);

  begin(base: number): void {
    this.base = base;
    this.#ofHead.fill(-1);
    this.#busy.fill(0);
  }

  free(): number {
    const slot = this.#busy.indexOf(0);
    return slot < 0 ? -1 : this.base + slot * SLOT_BYTES;
  }

  hold(address: number, head: number): void {
    const slot = (address - this.base) / SLOT_BYTES;
    this.#busy[slot] = 1;
    this.#ofHead[head] = slot;
  }

  release(head: number): number {
    const slot = this.#ofHead[head] ?? -1;
    if (slot < 0) return -1;
    this.#ofHead[head] = -1;
    this.#busy[slot] = 0;
    return this.base + slot * SLOT_BYTES;
  }
}

/**
 * Console (5.3): what a kernel's driver does. It says DEVICE_READY, answers each port with PORT_READY, opens the ports
 * that are there, and sends text on them; what comes from the host is kept for whoever asks.
 */
export class ConsoleRequests implements DeviceRequests {
  readonly virtioId: number = VIRTIO_ID_CONSOLE;
  readonly queues: number = QUEUES;
  /** SIZE, MULTIPORT. */
  readonly kernelFeatures: number = 3;
  readonly firmwareFeatures: number = 0;
  outstanding = 0;
  completed = 0;
  correct = true;
  /** Bytes that the host sent to each port. */
  readonly received: number[][] = Array.from({ length: PORTS }, () => []);
  /** Names that ports were given. */
  readonly names: string[] = Array.from({ length: PORTS }, () => '');
  readonly #chain: Chain = new Chain();
  readonly #buffers: readonly Buffers[] = Array.from({ length: QUEUES }, () => new Buffers());
  readonly #open: Uint8Array = new Uint8Array(PORTS);
  /** Slots of the control queue that hold an answer rather than a request. */
  readonly #answers: Uint8Array = new Uint8Array(SLOTS);
  readonly #bytes: Uint8Array = new Uint8Array(SLOT_BYTES);
  readonly #view: DataView = new DataView(this.#bytes.buffer);
  #host: RequestHost | undefined;
  #next = 0;

  begin(host: RequestHost): void {
    this.#host = host;
    this.outstanding = 0;
    this.completed = 0;
    this.correct = true;
    this.#next = 0;
    this.#open.fill(0);
    this.#answers.fill(0);
    for (const bytes of this.received) bytes.length = 0;
    this.names.fill('');
    for (const buffers of this.#buffers) buffers.begin(host.arena.take(SLOTS * SLOT_BYTES, SLOT_BYTES));
    for (const queue of this.#multiport ? [CONTROL_IN, 0, 4] : [0]) {
      for (let i = 0; i < SLOTS; i++) this.#post(queue);
      announce(host, queue);
    }
  }

  /** The first request of a driver with MULTIPORT tells the device that it is there; the others are text. */
  submit(step: number): number {
    if (this.#multiport && step === 0) return this.#say(NO_PORT, DEVICE_READY, 1) ? CONTROL_OUT : NO_QUEUE;
    const port = this.#nextPort();
    const queue = 1 + (port === 0 ? 0 : 2 * port + 2);
    for (let i = 0; i < TEXT_BYTES; i++) this.#bytes[i] = 32 + ((step + i) % 95);
    return this.#send(queue, TEXT_BYTES) ? queue : NO_QUEUE;
  }

  collected(queue: number, head: number, length: number): void {
    const address = this.#buffers[queue]?.release(head) ?? -1;
    const host = this.#host;
    if (address < 0 || host === undefined) {
      this.correct = false;
      return;
    }
    if (queue % 2 === 1) {
      // A device has nothing to write here; what it says that it wrote is of no interest.
      this.outstanding--;
      // Answers to the device are no requests.
      if (this.#isAnswer(queue, address)) this.#answers[this.#slotOf(address)] = 0;
      else this.completed++;
      return;
    }
    const told = Math.min(length, SLOT_BYTES);
    host.platform.loadBytes(address, this.#bytes, 0, told);
    if (queue === CONTROL_IN) this.#control(told);
    else for (let i = 0; i < told; i++) this.received[queue === 0 ? 0 : 1]?.push(this.#bytes[i] ?? 0);
    this.#post(queue);
    announce(host, queue);
  }

  get #multiport(): boolean {
    return ((this.#host?.featuresLow ?? 0) & (1 << F_MULTIPORT)) !== 0;
  }

  /** Ports that are open take turns; without any the first is spoken to, as drivers without MULTIPORT do. */
  #nextPort(): number {
    for (let i = 0; i < PORTS; i++) {
      const port = (this.#next + i) % PORTS;
      if (this.#open[port] !== 1) continue;
      this.#next = port + 1;
      return port;
    }
    return 0;
  }

  #control(length: number): void {
    if (length < CONTROL_BYTES) return;
    const little = this.#host?.little === true;
    const id = this.#view.getUint32(0, little);
    const event = this.#view.getUint16(4, little);
    const value = this.#view.getUint16(6, little);
    if (id >= PORTS) return;
    if (event === DEVICE_ADD) this.#answer(id, PORT_READY);
    else if (event === CONSOLE_PORT) this.#openPort(id);
    else if (event === PORT_NAME) {
      let name = '';
      for (let i = CONTROL_BYTES; i < length && this.#bytes[i] !== 0; i++)
        name += String.fromCharCode(this.#bytes[i] ?? 0);
      this.names[id] = name;
      this.#openPort(id);
    } else if (event === DEVICE_REMOVE || (event === PORT_OPEN && value === 0)) this.#open[id] = 0;
  }

  #openPort(id: number): void {
    if (this.#open[id] === 1) return;
    this.#open[id] = 1;
    this.#answer(id, PORT_OPEN);
  }

  #answer(id: number, event: number): void {
    const address = this.#buffers[CONTROL_OUT]?.free() ?? -1;
    if (!this.#say(id, event, 1) || this.#host === undefined) return;
    this.#answers[this.#slotOf(address)] = 1;
    announce(this.#host, CONTROL_OUT);
  }

  #isAnswer(queue: number, address: number): boolean {
    return queue === CONTROL_OUT && this.#answers[this.#slotOf(address)] === 1;
  }

  #slotOf(address: number): number {
    return (address - (this.#buffers[CONTROL_OUT]?.base ?? 0)) / SLOT_BYTES;
  }

  #say(id: number, event: number, value: number): boolean {
    const little = this.#host?.little === true;
    this.#view.setUint32(0, id, little);
    this.#view.setUint16(4, event, little);
    this.#view.setUint16(6, value, little);
    return this.#send(CONTROL_OUT, CONTROL_BYTES);
  }

  #send(queue: number, length: number): boolean {
    const buffers = this.#buffers[queue];
    const address = buffers?.free() ?? -1;
    if (this.#host === undefined || buffers === undefined || address < 0) return false;
    this.#host.platform.storeBytes(address, this.#bytes, 0, length);
    const head = this.#host.rings[queue]?.add(this.#chain.clear().add(address, length, false)) ?? -1;
    if (head < 0) return false;
    buffers.hold(address, head);
    this.outstanding++;
    return true;
  }

  #post(queue: number): void {
    const buffers = this.#buffers[queue];
    const address = buffers?.free() ?? -1;
    if (buffers === undefined || address < 0) return;
    const head = this.#host?.rings[queue]?.add(this.#chain.clear().add(address, SLOT_BYTES, true)) ?? -1;
    if (head >= 0) buffers.hold(address, head);
  }
}
