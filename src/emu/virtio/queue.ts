import type { Ending } from '../core/diagnostics.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import type { DmaSpace } from '../memory/dma-space.ts';
import { RingCache, type RingKind } from '../memory/ring-cache.ts';
import type { Behaviour } from './behaviour.ts';
import type { Chain } from './chain.ts';

/** What a queue asks of the device it belongs to. */
export interface QueueHost {
  readonly space: DmaSpace;
  readonly behaviour: Behaviour;
  /** Broken, or without bus mastering: then nothing is taken and nothing returned. */
  readonly stopped: boolean;
  /** Byte order of the rings. */
  readonly littleEndian: boolean;
  /** VIRTIO_F_RING_EVENT_IDX was accepted. */
  readonly eventIdx: boolean;
  /** VIRTIO_F_NOTIFY_ON_EMPTY was accepted. */
  readonly notifyOnEmpty: boolean;
  /** VIRTIO_F_RING_INDIRECT_DESC was accepted. */
  readonly indirect: boolean;
  /** VIRTIO_F_RING_PACKED was accepted. */
  readonly packed: boolean;
  /** VIRTIO_F_IN_ORDER was accepted. */
  readonly inOrder: boolean;
  /** `virtio_error`. */
  fail(text: string): void;
  /** QEMU would end here: the device breaks, and the machine is told. */
  end(how: Ending, why: string): void;
}

/**
 * A virtqueue as devices use it, whatever its layout. Order of use: `pop`, then the pieces, then `push` (or `fill`
 * several times and `flush`), then `recycle`; `shouldNotify` says whether the driver wants to hear of it.
 */
export interface Virtqueue {
  readonly ring: RingState;
  /** No more requests, as far as is known without looking twice. */
  isEmpty(): boolean;
  /** The next request, its pieces mapped. Undefined: none, or a bad ring, and then the device is broken. */
  pop(): Chain | undefined;
  /** Returns a request: `written` bytes of it are the device's. */
  push(chain: Chain, written: number): void;
  /** Writes used entry `ahead` places after the next; the driver sees it at `flush`. */
  fill(chain: Chain, written: number, ahead: number): void;
  flush(count: number): void;
  /** Lets go of a request that is not returned: the driver never sees it again. */
  detach(chain: Chain, written: number): void;
  /** Takes a request back into the ring: the next `pop` finds it again. */
  unpop(chain: Chain, written: number): void;
  /** Takes the last `count` requests back into the ring, whoever holds them; false if fewer are in flight. */
  rewind(count: number): boolean;
  /** Gives a chain that is done with back for the next `pop`. */
  recycle(chain: Chain): void;
  /** A fresh chain, for restoring one that was in flight. */
  take(): Chain;
  /**
   * Counts what the driver offers, up to the limits, into `availableIn` and `availableOut` (bytes). A bad ring gives 0,
   * and the device is broken.
   */
  countAvailable(limitIn: number, limitOut: number): void;
  readonly availableIn: number;
  readonly availableOut: number;
  /** Whether the driver's index differs from what it was (virtio_queue_poll). */
  hasMoved(seen: number): boolean;
  /** Returns every request unseen, without mapping it; how many there were. */
  dropAll(): number;
  /** Tells the driver whether kicks are wanted: a hint. */
  setNotification(enable: boolean): void;
  /** Whether the used entries since the last question are to be signalled. */
  shouldNotify(): boolean;
  /** Finds the areas again: addresses, size or what lies there changed. */
  openRings(): void;
}

/** A ring address in two halves. */
export class RingAddress {
  high = 0;
  low = 0;
  /** Counts as set up even where it is 0. */
  given = false;

  /** Whether the area counts as not set up. */
  get isZero(): boolean {
    return this.low === 0 && this.high === 0 && !this.given;
  }

  set(address: bigint): void {
    this.high = Number(BigInt.asUintN(32, address >> 32n));
    this.low = Number(BigInt.asUintN(32, address));
    this.given = false;
  }

  /** For addresses below 2^53. */
  setNumber(address: number): void {
    this.high = Math.floor(address / 2 ** 32);
    this.low = address >>> 0;
    this.given = false;
  }
}

/** A request that IN_ORDER holds to its place: what it will say, once the device is done with it and those before it. */
interface OrderedEntry {
  index: number;
  descriptors: number;
  /** Bytes; -1 as long as the device works on it. */
  written: number;
}

/** The state of one queue that every layout shares (QEMU's VirtQueue and VRing). */
export class RingState implements Stateful {
  readonly index: number;
  defaultSize: number;
  size: number;
  readonly descriptors: RingAddress = new RingAddress();
  readonly driver: RingAddress = new RingAddress();
  readonly device: RingAddress = new RingAddress();
  /** Whether the three areas are open; if opening one fails, none is. */
  open = false;
  readonly descriptorArea: RingCache = new RingCache();
  readonly driverArea: RingCache = new RingCache();
  readonly deviceArea: RingCache = new RingCache();

  /** Heads taken so far, and the driver's index as it was read last: while they differ the index is not read again. */
  lastAvail = 0;
  shadowAvail = 0;
  usedIdx = 0;
  /** The wrap counters of a packed ring, which belong to the three before. */
  lastAvailWrap = true;
  shadowAvailWrap = true;
  usedWrap = true;
  /** Used index at the last notification, and whether it can be relied upon. */
  signalledUsed = 0;
  signalledUsedValid = false;
  notification = true;
  /** Requests (packed: descriptors) popped and not returned. */
  inUse = 0;
  /** Requests in the order of their taking, where that is the order of their return. */
  readonly order: OrderedEntry[] = [];

  constructor(index: number, size: number) {
    this.index = index;
    this.defaultSize = size;
    this.size = size;
  }

  reset(): void {
    this.descriptors.setNumber(0);
    this.driver.setNumber(0);
    this.device.setNumber(0);
    this.lastAvail = 0;
    this.shadowAvail = 0;
    this.usedIdx = 0;
    this.lastAvailWrap = true;
    this.shadowAvailWrap = true;
    this.usedWrap = true;
    this.signalledUsed = 0;
    this.signalledUsedValid = false;
    this.notification = true;
    this.size = this.defaultSize;
    this.inUse = 0;
    this.order.length = 0;
    this.open = false;
  }

  exchange(state: StateStream): void {
    this.size = state.u16(this.size);
    this.defaultSize = state.u16(this.defaultSize);
    exchangeAddress(this.descriptors, state);
    exchangeAddress(this.driver, state);
    exchangeAddress(this.device, state);
    this.open = state.bool(this.open);
    if (this.open) {
      exchangeArea(this.descriptorArea, state);
      exchangeArea(this.driverArea, state);
      exchangeArea(this.deviceArea, state);
    }
    this.lastAvail = state.u16(this.lastAvail);
    this.shadowAvail = state.u16(this.shadowAvail);
    this.usedIdx = state.u16(this.usedIdx);
    this.lastAvailWrap = state.bool(this.lastAvailWrap);
    this.shadowAvailWrap = state.bool(this.shadowAvailWrap);
    this.usedWrap = state.bool(this.usedWrap);
    this.signalledUsed = state.u16(this.signalledUsed);
    this.signalledUsedValid = state.bool(this.signalledUsedValid);
    this.notification = state.bool(this.notification);
    // QEMU lets a faulty device count below zero; so can this.
    this.inUse = state.integer(this.inUse);
    const held = state.u16(this.order.length);
    if (state.restoring) this.order.length = 0;
    for (let i = 0; i < held; i++) {
      const entry = this.order[i] ?? { index: 0, descriptors: 0, written: -1 };
      this.order[i] = entry;
      entry.index = state.u16(entry.index);
      entry.descriptors = state.u16(entry.descriptors);
      entry.written = state.integer(entry.written);
    }
  }
}

function exchangeAddress(address: RingAddress, state: StateStream): void {
  address.high = state.u32(address.high);
  address.low = state.u32(address.low);
  address.given = state.bool(address.given);
}

function exchangeArea(area: RingCache, state: StateStream): void {
  area.kind = state.u8(area.kind) as RingKind;
  area.high = state.u32(area.high);
  area.low = state.u32(area.low);
  area.offset = state.integer(area.offset);
  area.length = state.u32(area.length);
  // The window is found again at the first access: the host bridge may be restored after the device.
  if (state.restoring) area.window = undefined;
}
