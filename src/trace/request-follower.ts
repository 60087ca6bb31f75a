import type { MachineEvent } from '../emu/core/tap.ts';
import type { DeviceView, Meaning } from './device-view.ts';
import type { RecordedKind } from './event-context.ts';

const NEXT = 1;
const INDIRECT = 4;

interface Span {
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Picks the events of one request: the read of its slot in the available ring, its descriptors, what the device moves
 * in its buffers, its used element, the used index, and the interrupt. Requests are counted from 0 by the reads of
 * available slots, over all devices or on one queue.
 */
export class RequestFollower {
  readonly #names: readonly string[];
  readonly #view: DeviceView;
  readonly #queue: number | undefined;
  #left: number;
  #device = -1;
  #followed = -1;
  #head = -1;
  #next: number | undefined;
  #indirect: Span | undefined;
  readonly #buffers: Span[] = [];
  #used = false;
  #done = false;

  constructor(request: number, kinds: readonly RecordedKind[], view: DeviceView, queue?: number) {
    this.#left = request;
    this.#names = kinds.map((kind) => kind.name);
    this.#view = view;
    this.#queue = queue;
  }

  takes(event: MachineEvent): boolean {
    if (this.#done) return false;
    const name = this.#names[event.kind];
    if (this.#head < 0) return name === 'dma-read' && this.#starts(event);
    if (name === 'interrupt') {
      this.#done = this.#used;
      return this.#used;
    }
    if (name !== 'dma-read' && name !== 'dma-write' && name !== 'dma-fault') return false;
    const device = Number(event.fields[0] ?? 0n);
    if (device !== this.#device) return false;
    const address = event.fields[1] ?? 0n;
    const meaning = this.#view.area(device, address);
    if (meaning?.queue === this.#followed) return this.#onRing(name, event, meaning);
    if (name === 'dma-read' && this.#indirect !== undefined && inside(this.#indirect, address)) {
      this.#descriptor(event);
      return true;
    }
    return this.#buffers.some((span) => inside(span, address));
  }

  #starts(event: MachineEvent): boolean {
    const device = Number(event.fields[0] ?? 0n);
    const meaning = this.#view.area(device, event.fields[1] ?? 0n);
    if (meaning === undefined || !meaning.text.includes('avail.ring[') || event.byteLength !== 2)
      return false;
    if (this.#queue !== undefined && meaning.queue !== this.#queue) return false;
    if (this.#left-- > 0) return false;
    this.#device = device;
    this.#followed = meaning.queue ?? 0;
    this.#head = this.#bytes(event).getUint16(0, this.#littleEndian());
    this.#next = this.#head;
    return true;
  }

  #onRing(name: string, event: MachineEvent, meaning: Meaning): boolean {
    if (name === 'dma-read' && meaning.text.endsWith(` descriptor ${this.#next ?? '-'}`)) {
      this.#descriptor(event);
      return true;
    }
    if (name !== 'dma-write') return false;
    if (meaning.text.includes('used.ring[') && event.byteLength === 8) {
      const ours = this.#bytes(event).getUint32(0, this.#littleEndian()) === this.#head;
      this.#used ||= ours;
      return ours;
    }
    return this.#used && meaning.text.includes('used.idx');
  }

  #descriptor(event: MachineEvent): void {
    if (event.byteLength < 16) return;
    const view = this.#bytes(event);
    const order = this.#littleEndian();
    const flags = view.getUint16(12, order);
    const from = view.getBigUint64(0, order);
    const span = { from, to: from + BigInt(view.getUint32(8, order)) };
    if ((flags & INDIRECT) === 0) this.#buffers.push(span);
    else this.#indirect = span;
    this.#next = (flags & NEXT) === 0 ? undefined : view.getUint16(14, order);
  }

  #littleEndian(): boolean {
    return this.#view.queue(this.#device, this.#followed)?.bigEndian !== true;
  }

  #bytes(event: MachineEvent): DataView {
    return new DataView(event.bytes.buffer, event.bytes.byteOffset + event.byteOffset, event.byteLength);
  }
}

function inside(span: Span, address: bigint): boolean {
  return address >= span.from && address < span.to;
}
