import type { HandlerId } from '../core/event-queue.ts';
import type { StateStream } from '../core/state.ts';
import { ticks } from '../core/time.ts';
import { VIRTIO_CONFIG_S_DRIVER_OK, VIRTIO_ID_CONSOLE } from '../virtio/abi.ts';
import type { Chain } from '../virtio/chain.ts';
import { copyIn, copyOut } from '../virtio/chain-io.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureBit } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import type { CharEnd } from './backends/char-end.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';
import {
  CONFIG_BYTES,
  CONTROL_BYTES,
  CONTROL_EVENT_AT,
  CONTROL_RECEIVE_QUEUE,
  CONTROL_TRANSMIT_QUEUE,
  CONTROL_VALUE_AT,
  EMERG_WR_AT,
  MAX_NR_PORTS_AT,
  VIRTIO_CONSOLE_CONSOLE_PORT,
  VIRTIO_CONSOLE_DEVICE_ADD,
  VIRTIO_CONSOLE_DEVICE_READY,
  VIRTIO_CONSOLE_DEVICE_REMOVE,
  VIRTIO_CONSOLE_F_EMERG_WRITE,
  VIRTIO_CONSOLE_F_MULTIPORT,
  VIRTIO_CONSOLE_PORT_NAME,
  VIRTIO_CONSOLE_PORT_OPEN,
  VIRTIO_CONSOLE_PORT_READY,
} from './serial-abi.ts';
import { chunkMaker, discardAll, SerialPort, type PortHost, type PortSettings } from './serial-port.ts';

const PORT_QUEUE_SIZE = 128;
const CONTROL_QUEUE_SIZE = 32;
const NO_PORT = 0xffffffff;

export interface SerialOptions {
  readonly maxPorts: number;
  readonly emergencyWrite: boolean;
  /** The bus on which ports ride: `ser0.0`. Stands in messages. */
  readonly busName: string;
  /** In the order of the command line. */
  readonly ports: readonly PortSettings[];
}

/** What of the host the ports reach. */
export interface SerialBackends {
  char(id: string): CharEnd | undefined;
  /** VSERPORT_CHANGE: the guest opened or closed a port that has an id. */
  reportOpen(deviceId: string, open: boolean): void;
}

/**
 * A serial bus with the ports that ride on it (VIRTIO 1.3, 5.3; QEMU hw/char/virtio-serial-bus.c). QEMU 7.2 neither
 * offers VIRTIO_CONSOLE_F_SIZE nor sends RESIZE: columns and rows read as 0.
 */
export class SerialDevice extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_CONSOLE;
  readonly name: string = 'virtio-serial';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #options: SerialOptions;
  readonly #backends: SerialBackends;
  readonly #writer: ConfigWriter;
  readonly #flush: HandlerId;
  readonly #portHost: PortHost;
  readonly #chunk: () => Uint8Array = chunkMaker();
  readonly #message: Uint8Array<ArrayBuffer> = new Uint8Array(CONTROL_BYTES);
  readonly #view: DataView<ArrayBuffer> = new DataView(this.#message.buffer);
  /** In the order they were plugged, which is the order the driver hears of them. */
  #ports: SerialPort[] = [];
  /** DEVICE_READY came since the last reset. */
  #ready = false;

  constructor(parts: CoreParts, options: SerialOptions, backends: SerialBackends) {
    super(parts, options.emergencyWrite ? CONFIG_BYTES : EMERG_WR_AT);
    this.#options = options;
    this.#backends = backends;
    this.#writer = new ConfigWriter(this.config);
    this.#portHost = this.#hostOfPorts();
    this.#flush = parts.events.register((nr) => this.#portOf(nr)?.flushIfReady());
    this.#addPair(PORT_QUEUE_SIZE);
    this.#addPair(CONTROL_QUEUE_SIZE);
    for (let port = 1; port < options.maxPorts; port++) this.#addPair(PORT_QUEUE_SIZE);
    for (const settings of options.ports) this.plugPort(settings);
  }

  get busName(): string {
    return this.#options.busName;
  }

  get maxPorts(): number {
    return this.#options.maxPorts;
  }

  /** The ports as they are now. */
  get ports(): readonly PortSettings[] {
    return this.#ports.map((port) => port.settings);
  }

  offer(features: bigint): bigint {
    const emergency = this.#options.emergencyWrite ? featureBit(VIRTIO_CONSOLE_F_EMERG_WRITE) : 0n;
    const ports = this.#options.maxPorts > 1 ? featureBit(VIRTIO_CONSOLE_F_MULTIPORT) : 0n;
    return features | emergency | ports;
  }

  /**
   * `device_add`. The host's side is told of first, so that a driver hears PORT_OPEN of a port before it hears of the
   * port itself.
   */
  plugPort(settings: PortSettings): void {
    const port = this.#makePort(settings);
    port.attach();
    this.#ports.push(port);
    this.#announce(port);
    this.notifyConfig();
  }

  /** `device_del` of the port with this id; false if it is not on this bus. */
  unplugPort(deviceId: string): boolean {
    const port = this.#ports.find(({ settings }) => settings.deviceId === deviceId);
    if (port === undefined) return false;
    const { nr } = port.settings;
    this.parts.events.cancel(this.#flush, nr);
    port.forget();
    port.discard();
    if (port.announced || this.behaviour.announcesPortsBlindly) {
      this.#sendControl(nr, VIRTIO_CONSOLE_DEVICE_REMOVE, 1);
    }
    this.#ports = this.#ports.filter((other) => other !== port);
    port.release();
    return true;
  }

  override exchange(state: StateStream): void {
    super.exchange(state);
    this.#ready = state.bool(this.#ready);
    const count = state.u16(this.#ports.length);
    const described: PortSettings[] = [];
    for (let i = 0; i < count; i++) described.push(exchangeSettings(this.#ports[i]?.settings, state));
    if (state.restoring) this.#makePortsAgain(described);
    for (const port of this.#ports) port.exchange(state);
  }

  protected override refreshConfig(): void {
    this.#writer.littleEndian = this.littleEndian;
    this.#writer.put(0, 4, 0);
    this.#writer.put(MAX_NR_PORTS_AT, 4, this.#options.maxPorts);
  }

  /** Last words: any write that leaves the register other than zero sends its lowest byte, and clears it. */
  protected override configWritten(): void {
    if (!this.#options.emergencyWrite) return;
    const at = this.config.subarray(EMERG_WR_AT, CONFIG_BYTES);
    if (at.every((byte) => byte === 0)) return;
    const byte = at[0] ?? 0;
    at.fill(0);
    this.#ports.find((port) => port.settings.isConsole && port.hostConnected)?.writeByte(byte);
  }

  protected override statusChanging(status: number): void {
    const up = (status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0;
    const first = this.#portOf(0);
    // A driver without MULTIPORT cannot say that it opens its one port.
    if (first !== undefined && up && !this.#multiport) first.guestConnected = true;
    if (!up) for (const port of this.#ports) port.resetGuest();
    for (const port of this.#ports) port.poll();
  }

  protected override resetting(): void {
    this.#ready = false;
    for (const port of this.#ports) {
      port.resetGuest();
      port.announced = false;
    }
  }

  protected service(queue: Virtqueue): void {
    const { index } = queue.ring;
    if (index === CONTROL_TRANSMIT_QUEUE) this.#takeControl(queue);
    else if (index !== CONTROL_RECEIVE_QUEUE) this.#servicePort(queue, index);
    else if (!this.behaviour.announcesPortsBlindly) this.#announceAll();
  }

  // --- Inside -----------------------------------------------------------------------------------------------------

  get #multiport(): boolean {
    return this.accepted(VIRTIO_CONSOLE_F_MULTIPORT);
  }

  #servicePort(queue: Virtqueue, index: number): void {
    const port = this.#portOf(index < CONTROL_RECEIVE_QUEUE ? 0 : (index >> 1) - 1);
    if (index % 2 === 0) port?.poll();
    else if (port === undefined) discardAll(queue, this.#portHost);
    else port.serviceTransmit();
  }

  #portOf(nr: number): SerialPort | undefined {
    for (const port of this.#ports) if (port.settings.nr === nr) return port;
    return undefined;
  }

  // --- Control messages -------------------------------------------------------------------------------------------

  #takeControl(queue: Virtqueue): void {
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      this.#readControl(chain);
      queue.push(chain, 0);
      queue.recycle(chain);
    }
    this.notifyUsed(queue);
  }

  /** What follows the eight bytes of a message is of no interest to anybody. */
  #readControl(chain: Chain): void {
    const message = this.#message;
    if (copyOut(this.space, chain, 0, message, 0, CONTROL_BYTES) < CONTROL_BYTES) return;
    const little = this.littleEndian;
    const id = this.#view.getUint32(0, little);
    const event = this.#view.getUint16(CONTROL_EVENT_AT, little);
    const value = this.#view.getUint16(CONTROL_VALUE_AT, little);
    if (event === VIRTIO_CONSOLE_DEVICE_READY) this.#deviceReady(value);
    else this.#portMessage(id, event, value);
  }

  #deviceReady(value: number): void {
    if (value === 0) {
      this.#report(`Guest failure in adding device ${this.busName}`);
      return;
    }
    this.#ready = true;
    this.#announceAll();
  }

  #announceAll(): void {
    for (const port of this.#ports) this.#announce(port);
  }

  /** DEVICE_ADD: where the device is careful, once, to a driver that is ready and has a buffer for it. */
  #announce(port: SerialPort): void {
    if (!this.behaviour.announcesPortsBlindly && (port.announced || !this.#ready)) return;
    if (this.#sendControl(port.settings.nr, VIRTIO_CONSOLE_DEVICE_ADD, 1)) port.announced = true;
  }

  /** PORT_OPEN and its end: a careful device tells of ports that the driver knows only. */
  #tellOpen(nr: number, value: number): void {
    const known = this.#portOf(nr)?.announced === true;
    if (known || this.behaviour.announcesPortsBlindly) this.#sendControl(nr, VIRTIO_CONSOLE_PORT_OPEN, value);
  }

  #portMessage(id: number, event: number, value: number): void {
    const port = id === NO_PORT ? undefined : this.#portOf(id);
    if (port === undefined) this.#report(`Unexpected port id ${id} for device ${this.busName}`);
    else if (event === VIRTIO_CONSOLE_PORT_READY) this.#portReady(port, value);
    else if (event === VIRTIO_CONSOLE_PORT_OPEN) {
      port.setGuestConnected(value !== 0);
      port.poll();
    }
  }

  #portReady(port: SerialPort, value: number): void {
    const { nr, isConsole, name } = port.settings;
    if (value === 0) {
      this.#report(`Guest failure in adding port ${nr} for device ${this.busName}`);
      return;
    }
    if (isConsole) this.#sendControl(nr, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
    if (name !== undefined) this.#sendName(nr, name);
    if (port.hostConnected) this.#sendControl(nr, VIRTIO_CONSOLE_PORT_OPEN, 1);
  }

  /** False if there was no buffer for it. */
  #sendControl(nr: number, event: number, value: number): boolean {
    this.#fillControl(this.#view, nr, event, value);
    return this.#sendMessage(this.#message);
  }

  /** The name ends with a zero byte, which the specification does not ask for. */
  #sendName(nr: number, name: string): void {
    const text = utf8(name);
    const message = new Uint8Array(CONTROL_BYTES + text.length + 1);
    this.#fillControl(new DataView(message.buffer), nr, VIRTIO_CONSOLE_PORT_NAME, 1);
    message.set(text, CONTROL_BYTES);
    this.#sendMessage(message);
  }

  #fillControl(view: DataView, nr: number, event: number, value: number): void {
    const little = this.littleEndian;
    view.setUint32(0, nr, little);
    view.setUint16(CONTROL_EVENT_AT, event, little);
    view.setUint16(CONTROL_VALUE_AT, value, little);
  }

  /** A message that finds no buffer is lost; one too long for its buffer is cut, and its length told whole. */
  #sendMessage(message: Uint8Array): boolean {
    const queue = this.queue(CONTROL_RECEIVE_QUEUE);
    if (queue === undefined || queue.ring.driver.isZero) return false;
    const chain = queue.pop();
    if (chain === undefined) return false;
    copyIn(this.space, chain, 0, message, 0, message.length);
    queue.push(chain, message.length);
    this.notifyUsed(queue);
    queue.recycle(chain);
    return true;
  }

  #report(text: string): void {
    const { diagnostics } = this.parts;
    if (diagnostics.listening) diagnostics.say(`qemu-system-ppc64: virtio-serial-bus: ${text}`);
  }

  // --- Making -----------------------------------------------------------------------------------------------------

  #addPair(size: number): void {
    this.addQueue(size);
    this.addQueue(size);
  }

  #makePort(settings: PortSettings): SerialPort {
    const first = settings.nr === 0 ? 0 : 2 * settings.nr + 2;
    const queues = { receive: this.queue(first) as Virtqueue, transmit: this.queue(first + 1) as Virtqueue };
    const end = settings.chardev === undefined ? undefined : this.#backends.char(settings.chardev);
    return new SerialPort(settings, this.#portHost, queues, end, this.#chunk);
  }

  /** A snapshot's ports may be others than those that are plugged now. */
  #makePortsAgain(described: readonly PortSettings[]): void {
    const same =
      described.length === this.#ports.length &&
      described.every((settings, i) => sameSettings(settings, this.#ports[i]?.settings));
    if (same) return;
    for (const port of this.#ports) port.release();
    this.#ports = described.map((settings) => this.#makePort(settings));
    for (const port of this.#ports) port.hold();
  }

  #hostOfPorts(): PortHost {
    return {
      multiport: () => this.#multiport,
      driverOk: () => (this.status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0,
      tellOpen: (port, value) => {
        this.#tellOpen(port, value);
      },
      notify: (queue) => {
        this.notifyUsed(queue);
      },
      copyOut: (chain, offset, into, length) => copyOut(this.space, chain, offset, into, 0, length),
      copyIn: (chain, from, at, length) => copyIn(this.space, chain, 0, from, at, length),
      flushLater: (nr) => {
        if (!this.parts.events.isScheduled(this.#flush, nr))
          this.parts.events.schedule(ticks(0), this.#flush, nr);
      },
      reportOpen: (deviceId, open) => {
        this.#backends.reportOpen(deviceId, open);
      },
    };
  }
}

function exchangeSettings(settings: PortSettings | undefined, state: StateStream): PortSettings {
  return {
    nr: state.u16(settings?.nr ?? 0),
    isConsole: state.bool(settings?.isConsole ?? false),
    name: exchangeText(settings?.name, state),
    deviceId: exchangeText(settings?.deviceId, state),
    chardev: exchangeText(settings?.chardev, state),
  };
}

function exchangeText(text: string | undefined, state: StateStream): string | undefined {
  const given = state.bool(text !== undefined);
  return given ? fromUtf8(state.blob(utf8(text ?? ''))) : undefined;
}

function sameSettings(a: PortSettings, b: PortSettings | undefined): boolean {
  return (
    a.nr === b?.nr &&
    a.isConsole === b.isConsole &&
    a.name === b.name &&
    a.deviceId === b.deviceId &&
    a.chardev === b.chardev
  );
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function fromUtf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
