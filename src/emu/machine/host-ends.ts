import type { EventQueue } from '../core/event-queue.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import { CharEnd } from '../devices/backends/char-end.ts';
import { Disk, diskBytes } from '../devices/backends/disk.ts';
import { SeededEntropy, type EntropySource } from '../devices/backends/entropy.ts';
import { NetEnd, NOBODY, type NetPeer } from '../devices/backends/net-end.ts';
import { NetDevice } from '../devices/net.ts';
import { PagedMemory } from '../memory/guest-memory.ts';
import type { VirtioCore } from '../virtio/core.ts';
import type { MachineConfig } from './config.ts';
import type { DeviceBackends } from './devices.ts';

/** The console's number among the host's ends; netdevs and chardevs follow in the order of their back ends. */
export const CONSOLE_PORT = 0;
const FIRST_PORT = 1;
const HOST_PAGE_BYTES = 4096;
/** What an operator tells the network end at a port comes in at that port and this more: one byte of NET_ORDER. */
export const NET_ORDER_PORTS = 0x100;
/** `set_link off`, `set_link on`, `announce-self`. */
export const NET_ORDER = { linkDown: 0, linkUp: 1, announce: 2 } as const;
/** 52:54:00:12:34:56 is the first address that QEMU hands out. */
const FIRST_MAC_TAIL = 0x12_3456;

/** What a machine's ends tell: what a guest sent and by which port it left, and QMP events. */
export interface EndsListener {
  /** The bytes are valid during the call. */
  sent(port: number, bytes: Uint8Array): void;
  report(event: string, data: Readonly<Record<string, unknown>>): void;
}

/** What of the host the devices of one machine reach: disks, network ends and the like, by the names they were given. */
export class HostEnds implements DeviceBackends, Stateful {
  readonly disks: readonly Disk[];
  readonly #disksById: ReadonlyMap<string, Disk>;
  readonly ramBytes: number;
  readonly hostPageBytes: number;
  /** By port, from FIRST_PORT on. */
  readonly #ports: readonly (NetEnd | CharEnd)[];
  readonly #netsById: ReadonlyMap<string, NetEnd>;
  readonly #charsById: ReadonlyMap<string, CharEnd>;
  readonly #entropy: Map<string, EntropySource> = new Map();
  readonly #makeEntropy: (id: string) => EntropySource;
  readonly #listener: EndsListener;
  #macs = 0;

  /**
   * `memoryBackend`: the back end behind RAM, by its id; '' for the host's plain memory. `entropy` replaces the machine's
   * own chance as what entropy devices give.
   */
  constructor(
    config: MachineConfig,
    events: EventQueue,
    listener: EndsListener,
    memoryBackend = '',
    entropy?: (id: string) => EntropySource,
  ) {
    this.#makeEntropy = entropy ?? ((id) => new SeededEntropy(config.seed, id));
    this.#listener = listener;
    this.ramBytes = config.ramBytes;
    const disks = new Map<string, Disk>();
    const nets = new Map<string, NetEnd>();
    const chars = new Map<string, CharEnd>();
    const ports: (NetEnd | CharEnd)[] = [];
    let hostPageBytes = HOST_PAGE_BYTES;
    for (const backend of config.backends) {
      const port = FIRST_PORT + ports.length;
      const sent = (bytes: Uint8Array): void => {
        listener.sent(port, bytes);
      };
      if (backend.kind === 'disk') {
        const memory = new PagedMemory(diskBytes(backend.sectors));
        disks.set(
          backend.id,
          new Disk(memory, backend.sectors, backend.readOnly, backend.content, config.seed),
        );
      } else if (backend.kind === 'net') {
        const { loopback, queues = 1, headers = false } = backend;
        const end = new NetEnd(events, { loopback, queues, headers });
        end.listener = sent;
        nets.set(backend.id, end);
        ports.push(end);
      } else if (backend.kind === 'chardev') {
        const end = new CharEnd(events, backend.open);
        end.listener = sent;
        chars.set(backend.id, end);
        ports.push(end);
      } else if (backend.kind === 'memory' && backend.id === memoryBackend) hostPageBytes = backend.pageBytes;
    }
    this.hostPageBytes = hostPageBytes;
    this.#disksById = disks;
    this.disks = [...disks.values()];
    this.#netsById = nets;
    this.#charsById = chars;
    this.#ports = ports;
  }

  disk(id: string): Disk {
    return this.#disksById.get(id) as Disk;
  }

  peer(id: string): NetPeer {
    return this.#netsById.get(id) ?? NOBODY;
  }

  char(id: string): CharEnd | undefined {
    return this.#charsById.get(id);
  }

  report(event: string, data: Readonly<Record<string, unknown>>): void {
    this.#listener.report(event, data);
  }

  /** Frames on their way to the guest, at all network ends. */
  get framesKept(): number {
    let sum = 0;
    for (const end of this.#netsById.values()) sum += end.framesKept;
    return sum;
  }

  entropy(id: string): EntropySource {
    const known = this.#entropy.get(id);
    if (known !== undefined) return known;
    const made = this.#makeEntropy(id);
    this.#entropy.set(id, made);
    return made;
  }

  nextMac(): Uint8Array {
    const tail = FIRST_MAC_TAIL + this.#macs++;
    return Uint8Array.of(0x52, 0x54, 0x00, tail >>> 16, (tail >>> 8) & 0xff, tail & 0xff);
  }

  /** Lets frames from the network end `id` reach the device that was made with it. */
  connect(id: string, device: VirtioCore): void {
    const end = this.#netsById.get(id);
    if (end !== undefined && device instanceof NetDevice) end.device = device;
  }

  /** A frame, or bytes, from outside, or an operator's order; a port that nobody listens at swallows it. */
  receive(port: number, bytes: Uint8Array): void {
    if (port >= NET_ORDER_PORTS) {
      this.#order(port - NET_ORDER_PORTS, bytes[0]);
      return;
    }
    const end = this.#ports[port - FIRST_PORT];
    if (end instanceof NetEnd) end.arrive(bytes);
    else end?.send(bytes);
  }

  /** A reset of the machine takes everything off the clock; what the host has sent is still there. */
  machineReset(): void {
    for (const end of this.#ports) end.resume();
  }

  #order(port: number, order: number | undefined): void {
    const end = this.#ports[port - FIRST_PORT];
    if (!(end instanceof NetEnd)) return;
    const { device } = end;
    if (order === NET_ORDER.announce) device?.announce();
    else if (order === NET_ORDER.linkDown || order === NET_ORDER.linkUp) {
      device?.setLink(order === NET_ORDER.linkUp);
    }
  }

  /** All but the disks' content and the entropy, which its device keeps. */
  exchange(state: StateStream): void {
    for (const end of this.#ports) end.exchange(state);
    for (const disk of this.disks) disk.sectors = state.integer(disk.sectors);
  }
}
