import type { EventQueue } from '../core/event-queue.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import { Disk, diskBytes } from '../devices/backends/disk.ts';
import { SeededEntropy, type EntropySource } from '../devices/backends/entropy.ts';
import { NetEnd, type NetPeer, type NetReceiver } from '../devices/backends/net-end.ts';
import { NetDevice } from '../devices/net.ts';
import { PagedMemory } from '../memory/guest-memory.ts';
import type { VirtioCore } from '../virtio/core.ts';
import type { MachineConfig } from './config.ts';
import type { DeviceBackends } from './devices.ts';

/** The console's number among the host's ends; network ends follow in the order of their back ends. */
export const CONSOLE_PORT = 0;
const FIRST_NET_PORT = 1;
/** 52:54:00:12:34:56 is the first address that QEMU hands out. */
const FIRST_MAC_TAIL = 0x12_3456;
const NOBODY: NetPeer = { transmitted: () => undefined };

/** What of the host the devices of one machine reach: disks, network ends and entropy, by the names they were given. */
export class HostEnds implements DeviceBackends, Stateful {
  readonly disks: readonly Disk[];
  readonly #disksById: ReadonlyMap<string, Disk>;
  readonly #nets: readonly NetEnd[];
  readonly #netsById: ReadonlyMap<string, NetEnd>;
  readonly #entropy: Map<string, EntropySource> = new Map();
  readonly #seed: string;
  #macs = 0;

  /** `sent` sees every frame that a guest sends, with the port it left by; the bytes are valid during the call. */
  constructor(config: MachineConfig, events: EventQueue, sent: (port: number, frame: Uint8Array) => void) {
    this.#seed = config.seed;
    const disks = new Map<string, Disk>();
    const nets = new Map<string, NetEnd>();
    for (const backend of config.backends) {
      if (backend.kind === 'disk') {
        const memory = new PagedMemory(diskBytes(backend.sectors));
        disks.set(
          backend.id,
          new Disk(memory, backend.sectors, backend.readOnly, backend.content, config.seed),
        );
      } else if (backend.kind === 'net') {
        const end = new NetEnd(events, backend.loopback);
        const port = FIRST_NET_PORT + nets.size;
        end.listener = (frame) => {
          sent(port, frame);
        };
        nets.set(backend.id, end);
      }
    }
    this.#disksById = disks;
    this.disks = [...disks.values()];
    this.#netsById = nets;
    this.#nets = [...nets.values()];
  }

  disk(id: string): Disk {
    return this.#disksById.get(id) as Disk;
  }

  peer(id: string): NetPeer {
    return this.#netsById.get(id) ?? NOBODY;
  }

  entropy(id: string): EntropySource {
    const known = this.#entropy.get(id);
    if (known !== undefined) return known;
    const made = new SeededEntropy(this.#seed, id);
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

  /** A frame from outside; a port that nobody listens at swallows it. */
  receive(port: number, frame: Uint8Array): void {
    const receiver: NetReceiver | undefined = this.#nets[port - FIRST_NET_PORT]?.device;
    receiver?.receive(frame);
  }

  /** All but the disks' content and the entropy, which its device keeps. */
  exchange(state: StateStream): void {
    for (const end of this.#nets) end.exchange(state);
  }
}
