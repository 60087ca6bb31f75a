import { DiagnosticLog } from '../core/diagnostics.ts';
import { EventQueue } from '../core/event-queue.ts';
import { TapLine } from '../core/tap-line.ts';
import { AddressSpace } from '../memory/address-space.ts';
import { BounceBuffer } from '../memory/bounce-buffer.ts';
import { DmaSpace } from '../memory/dma-space.ts';
import { PagedMemory } from '../memory/guest-memory.ts';
import type { CoreParts, VirtioCore } from './core.ts';
import { QEMU_7_2, type Behaviour } from './behaviour.ts';
import type { QueueHost } from './queue.ts';

const RAM_BYTES = 0x40_0000;
/** Where the tests put the three areas of their one ring, and buffers. */
export const DESCRIPTORS = 0x10000;
export const DRIVER_AREA = 0x20000;
export const DEVICE_AREA = 0x30000;
export const BUFFERS = 0x40000;

export const NEXT = 1;
export const WRITE = 2;
export const INDIRECT = 4;

export interface Descriptor {
  readonly address: number | bigint;
  readonly length: number;
  readonly flags: number;
  readonly next: number;
}

/** RAM, time and a way into them: what a device needs around it, and a driver's hand to write its rings. */
export class Bench {
  readonly memory: PagedMemory = new PagedMemory(RAM_BYTES);
  readonly events: EventQueue = new EventQueue();
  readonly log: DiagnosticLog = new DiagnosticLog();
  readonly bounce: BounceBuffer = new BounceBuffer();
  readonly line: TapLine = new TapLine(this.events);
  readonly space: DmaSpace = new DmaSpace({
    memory: this.memory,
    system: new AddressSpace(this.log),
    bounce: this.bounce,
    diagnostics: this.log,
    line: this.line,
    requester: 8,
    bus: undefined,
  });
  readonly parts: CoreParts = {
    events: this.events,
    diagnostics: this.log,
    useStarted: true,
    ioeventfd: false,
  };
  interrupts = 0;

  /** Plugs a device in and brings it to DRIVER_OK with `features` of what it offers. */
  drive(device: VirtioCore, features: bigint, offered: bigint = features): void {
    device.hostFeatures = device.offer(offered);
    device.plug(
      {
        notify: () => {
          this.interrupts++;
        },
        canDma: true,
      },
      this.space,
    );
    device.reset('little');
    device.setStatus(3);
    device.setFeatures(features);
    device.setStatus(11);
    for (let queue = 0; queue < device.queueCount; queue++) {
      // Every queue after the first has its areas one page further on.
      const shift = BigInt(queue * 0x4000);
      device.setQueueRings(
        queue,
        BigInt(DESCRIPTORS) + shift,
        BigInt(DRIVER_AREA) + shift,
        BigInt(DEVICE_AREA) + shift,
      );
    }
    device.setStatus(15);
    this.settle();
  }

  describe(index: number, { address, length, flags, next }: Descriptor, table: number = DESCRIPTORS): void {
    const at = table + 16 * index;
    this.memory.setU64(at, BigInt.asUintN(64, BigInt(address)), true);
    this.memory.setU32(at + 8, length, true);
    this.memory.setU16(at + 12, flags, true);
    this.memory.setU16(at + 14, next, true);
  }

  /** Writes a chain from descriptor `first` on: each row an address, a length and whether the device writes. */
  chain(first: number, pieces: readonly (readonly [number, number, boolean])[], queue = 0): void {
    for (const [i, [address, length, write]] of pieces.entries()) {
      const last = i === pieces.length - 1;
      const flags = (last ? 0 : NEXT) | (write ? WRITE : 0);
      this.describe(first + i, { address, length, flags, next: first + i + 1 }, DESCRIPTORS + queue * 0x4000);
    }
  }

  /** Makes `head` available. */
  offer(head: number, size: number, queue = 0): void {
    const area = DRIVER_AREA + queue * 0x4000;
    const idx = this.memory.u16(area + 2, true);
    this.memory.setU16(area + 4 + 2 * (idx % size), head, true);
    this.memory.setU16(area + 2, idx + 1, true);
  }

  kick(device: VirtioCore, queue = 0): void {
    device.notifyQueue(queue);
    this.settle();
  }

  /** Used entries as [id, length]. */
  used(size: number, queue = 0): [number, number][] {
    const area = DEVICE_AREA + queue * 0x4000;
    const entries: [number, number][] = [];
    for (let i = 0; i < this.memory.u16(area + 2, true); i++) {
      const at = area + 4 + 8 * (i % size);
      entries.push([this.memory.u32(at, true), this.memory.u32(at + 4, true)]);
    }
    return entries;
  }

  settle(): void {
    for (let turns = 0; turns < 10_000 && this.events.step(); turns++);
  }
}

/** What a queue asks of its device, with no device: features are fields, failures are kept. */
export class RingHost implements QueueHost {
  readonly bench: Bench = new Bench();
  readonly space: DmaSpace = this.bench.space;
  littleEndian = true;
  packed = false;
  inOrder = false;
  indirect = true;
  behaviour: Behaviour = QEMU_7_2;
  stopped = false;
  eventIdx = false;
  notifyOnEmpty = false;
  readonly failures: string[] = [];
  readonly endings: string[] = [];

  fail(text: string): void {
    this.failures.push(text);
    this.stopped = true;
  }

  end(how: 'abort' | 'hang', why: string): void {
    this.endings.push(`${how}: ${why}`);
    this.stopped = true;
  }
}
