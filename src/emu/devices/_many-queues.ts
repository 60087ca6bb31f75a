import { Bench, NEXT, WRITE } from '../virtio/_bench.ts';
import type { VirtioCore } from '../virtio/core.ts';

const RINGS = 0x10000;
const STEP = 0x2000;
const DRIVER = 0x1000;
const DEVICE = 0x1800;
const PAGE = 0x1000;

/** A bench for devices of many queues: each has two pages of rings, and every buffer a page of its own. */
export class ManyQueues extends Bench {
  readonly #device: VirtioCore;
  readonly #seen: number[] = [];
  readonly #heads: number[] = [];
  readonly #little: boolean;
  #nextBuffer = 0x100000;

  constructor(make: (bench: ManyQueues) => VirtioCore, features: bigint, order: 'little' | 'big' = 'little') {
    super();
    const device = make(this);
    this.#device = device;
    this.#little = order === 'little' || (features & (1n << 32n)) !== 0n;
    device.hostFeatures = device.offer(features);
    device.plug({ notify: () => this.interrupts++, canDma: true }, this.space);
    device.reset(order);
    this.start(features);
  }

  /** From status 0 to DRIVER_OK with fresh rings. */
  start(features: bigint): void {
    const device = this.#device;
    device.setStatus(3);
    device.setFeatures(features);
    const legacy = (features & (1n << 32n)) === 0n;
    device.setStatus(legacy ? 3 : 11);
    for (let queue = 0; queue < device.queueCount; queue++) {
      const at = RINGS + queue * STEP;
      this.memory.fill(at, 0, STEP);
      this.#seen[queue] = 0;
      this.#heads[queue] = 0;
      device.setQueueRings(queue, BigInt(at), BigInt(at + DRIVER), BigInt(at + DEVICE));
    }
    device.setStatus(legacy ? 7 : 15);
    this.settle();
  }

  /** Bytes for the device to read: offered, kicked, and all that follows done. Where they lie. */
  send(queue: number, ...pieces: readonly Uint8Array[]): number[] {
    const places = pieces.map((bytes) => {
      const at = this.#take();
      this.memory.write(at, bytes, 0, bytes.length);
      return at;
    });
    this.post(
      queue,
      pieces.map((bytes, i) => [places[i] ?? 0, bytes.length, false] as const),
    );
    return places;
  }

  /** A buffer of `length` bytes for the device to fill. */
  room(queue: number, length: number): number {
    const at = this.#take();
    this.post(queue, [[at, length, true]]);
    return at;
  }

  post(queue: number, pieces: readonly (readonly [number, number, boolean])[]): void {
    const size = this.#device.queueSize(queue);
    const at = RINGS + queue * STEP;
    const first = this.#heads[queue] ?? 0;
    for (const [i, [address, length, write]] of pieces.entries()) {
      const slot = at + 16 * ((first + i) % size);
      const last = i === pieces.length - 1;
      this.memory.setU64(slot, BigInt(address), this.#little);
      this.memory.setU32(slot + 8, length, this.#little);
      this.memory.setU16(slot + 12, (last ? 0 : NEXT) | (write ? WRITE : 0), this.#little);
      this.memory.setU16(slot + 14, (first + i + 1) % size, this.#little);
    }
    this.#heads[queue] = (first + pieces.length) % size;
    const idx = this.memory.u16(at + DRIVER + 2, this.#little);
    this.memory.setU16(at + DRIVER + 4 + 2 * (idx % size), first % size, this.#little);
    this.memory.setU16(at + DRIVER + 2, idx + 1, this.#little);
    this.kick(this.#device, queue);
  }

  /** What came back since the last question: the length the device wrote, and what stands in its first buffer. */
  taken(queue: number): { readonly length: number; readonly bytes: Uint8Array }[] {
    const size = this.#device.queueSize(queue);
    const at = RINGS + queue * STEP;
    const found: { length: number; bytes: Uint8Array }[] = [];
    const end = this.memory.u16(at + DEVICE + 2, this.#little);
    for (let i = this.#seen[queue] ?? 0; i !== end; i = (i + 1) & 0xffff) {
      const entry = at + DEVICE + 4 + 8 * (i % size);
      const slot = at + 16 * this.memory.u32(entry, this.#little);
      const buffer = Number(this.memory.u64(slot, this.#little));
      const room = this.memory.u32(slot + 8, this.#little);
      const length = this.memory.u32(entry + 4, this.#little);
      found.push({ length, bytes: this.memory.view(buffer, Math.min(length, room)).slice() });
    }
    this.#seen[queue] = end;
    return found;
  }

  #take(): number {
    const at = this.#nextBuffer;
    this.#nextBuffer += PAGE;
    return at;
  }
}
