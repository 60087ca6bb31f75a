import type { StateStream } from '../core/state.ts';
import type { Chain } from '../virtio/chain.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import type { CharEnd, CharFrontEnd } from './backends/char-end.ts';

/** A port as its operator describes it: `-device virtserialport,nr=1,name=org.example.0,chardev=c0,id=p1`. */
export interface PortSettings {
  readonly nr: number;
  /** A `virtconsole`: the host is always there, and what it does not take at once is lost. */
  readonly isConsole: boolean;
  readonly name: string | undefined;
  readonly deviceId: string | undefined;
  /** Back end by id; undefined: everything the guest sends is taken and dropped. */
  readonly chardev: string | undefined;
}

/** What a port asks of the device that it belongs to. */
export interface PortHost {
  /** VIRTIO_CONSOLE_F_MULTIPORT was accepted. */
  multiport(): boolean;
  driverOk(): boolean;
  /** PORT_OPEN to the driver. */
  tellOpen(port: number, value: 0 | 1): void;
  /** `virtio_notify`. */
  notify(queue: Virtqueue): void;
  /** Copies out of a chain's device-readable bytes. */
  readonly copyOut: (chain: Chain, offset: number, into: Uint8Array, length: number) => void;
  readonly copyIn: (chain: Chain, from: Uint8Array, at: number, length: number) => number;
  /** Sends what the guest wrote as soon as the machine gets to it (the port's bottom half). */
  flushLater(port: number): void;
  /** VSERPORT_CHANGE. */
  reportOpen(deviceId: string, open: boolean): void;
}

/** What guest_ready counts to. */
const READY_BYTES = 4096;
/** How much of a buffer is handed to the host at a time; the host cannot tell. */
const CHUNK = 0x1_0000;

/**
 * One port of a serial bus (QEMU's VirtIOSerialPort and VirtConsole: hw/char/virtio-serial-bus.c, virtio-console.c).
 */
export class SerialPort implements CharFrontEnd {
  readonly settings: PortSettings;
  readonly receive: Virtqueue;
  readonly transmit: Virtqueue;
  guestConnected = false;
  hostConnected = false;
  /** The host takes nothing for the moment: what the guest sends stays in its ring. */
  throttled = false;
  /** The driver was told of the port since the last reset. */
  announced = false;
  readonly #host: PortHost;
  readonly #end: CharEnd | undefined;
  readonly #chunk: () => Uint8Array;
  /** The request that the host has taken in part, the piece it stands in, and the bytes of that piece it has. */
  #chain: Chain | undefined;
  #piece = 0;
  #offset = 0;

  constructor(
    settings: PortSettings,
    host: PortHost,
    queues: { readonly receive: Virtqueue; readonly transmit: Virtqueue },
    end: CharEnd | undefined,
    chunk: () => Uint8Array,
  ) {
    this.settings = settings;
    this.receive = queues.receive;
    this.transmit = queues.transmit;
    this.#host = host;
    this.#end = end;
    this.#chunk = chunk;
  }

  /** `virtconsole_realize`: what is connected already shows at once; a console's host always is. */
  attach(): void {
    this.hold();
    const end = this.#end;
    if (end !== undefined && (this.settings.isConsole || end.open)) this.openHost();
  }

  /** Becomes the one that the back end serves. */
  hold(): void {
    if (this.#end !== undefined) this.#end.frontEnd = this;
  }

  /** Lets go of the back end. */
  release(): void {
    this.#end?.unwatch();
    if (this.#end?.frontEnd === this) this.#end.frontEnd = undefined;
  }

  // --- The host's side --------------------------------------------------------------------------------------------

  canRead(): number {
    const { receive } = this;
    if (receive.ring.driver.isZero || !this.#host.driverOk() || receive.isEmpty()) return 0;
    if (this.#host.multiport() && !this.guestConnected) return 0;
    receive.countAvailable(READY_BYTES, 0);
    return receive.availableIn;
  }

  /** `virtio_serial_write`: what comes before both sides are there is lost. */
  received(bytes: Uint8Array): void {
    if (!this.hostConnected || !this.guestConnected) return;
    const { receive } = this;
    if (receive.ring.driver.isZero) return;
    let done = 0;
    while (done < bytes.length) {
      const chain = receive.pop();
      if (chain === undefined) break;
      const length = this.#host.copyIn(chain, bytes, done, bytes.length - done);
      done += length;
      receive.push(chain, length);
      receive.recycle(chain);
    }
    this.#host.notify(receive);
  }

  opened(): void {
    if (!this.settings.isConsole) this.openHost();
  }

  closed(): void {
    if (this.settings.isConsole) return;
    this.#end?.unwatch();
    this.closeHost();
  }

  writable(): void {
    this.throttled = false;
    this.#host.flushLater(this.settings.nr);
  }

  openHost(): void {
    if (this.hostConnected) return;
    this.hostConnected = true;
    this.#host.tellOpen(this.settings.nr, 1);
  }

  closeHost(): void {
    this.hostConnected = false;
    this.throttled = false;
    this.forget();
    this.discard();
    this.#host.tellOpen(this.settings.nr, 0);
  }

  /** The host end may be able to hand over what it kept. */
  poll(): void {
    this.#end?.poll();
  }

  // --- The guest's side -------------------------------------------------------------------------------------------

  /** PORT_OPEN from the driver, and the end of it at a reset. */
  setGuestConnected(open: boolean): void {
    this.guestConnected = open;
    const { deviceId } = this.settings;
    if (deviceId !== undefined) this.#host.reportOpen(deviceId, open);
  }

  /** `guest_reset`. */
  resetGuest(): void {
    this.forget();
    if (this.guestConnected) this.setGuestConnected(false);
  }

  /** `discard_throttle_data`: lets go of a request taken in part; the driver never sees it again. */
  forget(): void {
    const chain = this.#chain;
    if (chain === undefined) return;
    this.transmit.detach(chain, 0);
    this.transmit.recycle(chain);
    this.#chain = undefined;
  }

  discard(): void {
    discardAll(this.transmit, this.#host);
  }

  /** The driver kicked the transmit queue. */
  serviceTransmit(): void {
    if (!this.hostConnected) this.discard();
    else if (!this.throttled) this.#flush();
  }

  flushIfReady(): void {
    if (!this.transmit.ring.driver.isZero) this.#flush();
  }

  /** One byte by the emergency register. */
  writeByte(byte: number): void {
    this.#haveData(Uint8Array.of(byte));
  }

  exchange(state: StateStream): void {
    this.guestConnected = state.bool(this.guestConnected);
    this.hostConnected = state.bool(this.hostConnected);
    this.throttled = state.bool(this.throttled);
    this.announced = state.bool(this.announced);
    const holds = state.bool(this.#chain !== undefined);
    if (!holds) {
      this.#chain = undefined;
      return;
    }
    this.#chain ??= this.transmit.take();
    this.#chain.exchange(state);
    this.#piece = state.u16(this.#piece);
    this.#offset = state.u32(this.#offset);
  }

  /** `do_flush_queued_data`. */
  #flush(): void {
    const { transmit } = this;
    while (!this.throttled) {
      if (this.#chain === undefined) {
        this.#chain = transmit.pop();
        if (this.#chain === undefined) break;
        this.#piece = 0;
        this.#offset = 0;
      }
      const chain = this.#chain;
      this.#sendChain(chain);
      if (this.throttled) break;
      transmit.push(chain, 0);
      transmit.recycle(chain);
      this.#chain = undefined;
    }
    this.#host.notify(transmit);
  }

  #sendChain(chain: Chain): void {
    let before = 0;
    for (let i = 0; i < chain.outCount; i++) {
      const length = chain.length[i] ?? 0;
      if (i >= this.#piece) {
        const taken = this.#sendPiece(chain, before + this.#offset, length - this.#offset);
        if (this.throttled) {
          this.#piece = i;
          this.#offset += taken;
          return;
        }
        this.#offset = 0;
      }
      before += length;
    }
  }

  /** Hands bytes of a chain to the host; how many it took. A buffer that nobody looks at is not read. */
  #sendPiece(chain: Chain, from: number, length: number): number {
    if (this.#end === undefined) return length;
    let done = 0;
    while (done < length && this.#end.takesBytes) {
      const step = Math.min(CHUNK, length - done);
      const bytes = this.#chunk().subarray(0, step);
      this.#host.copyOut(chain, from + done, bytes, step);
      const taken = this.#haveData(bytes);
      done += taken;
      if (taken < step) return done;
    }
    if (done < length) this.#couldNotWrite();
    return done;
  }

  /** `flush_buf`. */
  #haveData(bytes: Uint8Array): number {
    if (this.#end === undefined) return bytes.length;
    const taken = Math.max(this.#end.write(bytes), 0);
    if (taken < bytes.length) this.#couldNotWrite();
    return taken;
  }

  /** A console loses what the host does not take; any other port waits. */
  #couldNotWrite(): void {
    if (this.settings.isConsole) return;
    this.throttled = true;
    this.#end?.watch();
  }
}

/** `discard_vq_data`: returns whatever is offered, unseen. */
export function discardAll(queue: Virtqueue, host: Pick<PortHost, 'notify'>): void {
  if (queue.ring.driver.isZero) return;
  for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
    queue.push(chain, 0);
    queue.recycle(chain);
  }
  host.notify(queue);
}

/** Scratch for all ports of a device, made when one first sends something. */
export function chunkMaker(): () => Uint8Array {
  let chunk: Uint8Array | undefined;
  return () => (chunk ??= new Uint8Array(CHUNK));
}
