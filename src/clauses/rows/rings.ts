import type { Chain } from '../chain.ts';
import type { ClauseChecker, ClauseTable, Judgement } from '../clause.ts';
import { INTX, type DmaAccess, type Hooks } from '../hooks.ts';
import type { ObservedQueue } from '../observed-queue.ts';
import type { VirtioFunction } from '../virtio-function.ts';

const NET = 1;
const BLK = 2;
const RNG = 4;
const NEEDS_RESET = 64;
const FAILED = 128;
/** Feature bits (6). */
const NOTIFY_ON_EMPTY = 24;
const INDIRECT_DESC = 28;
const EVENT_IDX = 29;
const IN_ORDER = 35;
const NOTIFICATION_DATA = 38;
/** Descriptors (2.7.5, 2.8.13). */
const DESC = 16;
const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
const AVAIL = 0x80;
const USED = 0x8000;
const NO_VECTOR = 0xffff;
const TOTAL_MAX = 2 ** 32;
/** Registers of the common structure (4.1.4.3). */
const Q_SIZE = 0x18;
const Q_MSIX = 0x1a;
const Q_ENABLE = 0x1c;
const Q_DESC = 0x20;
const Q_END = 0x38;
const Q_RESET = 0x3a;
const QUEUES_MAX = 1024;
/** 2.1. */
const FEATURES_OK = 8;

/** A queue that the device serves with whatever it is given, without waiting for anything from outside. */
function servesAtOnce(device: VirtioFunction, queue: ObservedQueue): boolean {
  // Without VERSION_1 a driver has no business with the 1.x interface, and without bus mastering none with rings.
  if (!device.mayMaster || !(device.legacy || (device.modern && (device.status & FEATURES_OK) !== 0)))
    return false;
  // Nor with features that were not offered.
  for (let word = 0; word < device.accepted.length; word++)
    if (((device.accepted[word] ?? 0) & ~(device.offered[word] ?? 0)) !== 0) return false;
  if (device.type === NET) return queue.index % 2 === 1;
  return device.type === BLK || device.type === RNG;
}

/** What every machine has of RAM: a stream does not say how much there is. */
const RAM_END = 2 ** 28;

function liesInRam(device: VirtioFunction, chain: Chain): boolean {
  for (let at = 0; at < chain.count; at++) {
    const length = chain.length(at);
    if (length === 0) return false;
    const wanted = chain.writable(at) ? 2 : 1;
    for (const address of [chain.address(at), chain.address(at) + length - 1])
      if (!isReached(device, address, wanted)) return false;
  }
  return true;
}

/** RAM stands behind an address of the device's, by an entry that permits what is wanted: 1 to read, 2 to write. */
function isReached(device: VirtioFunction, address: number, wanted: number): boolean {
  if (!device.translated) return address < RAM_END;
  const { translation } = device.surroundings;
  const guest = translation.resolve(address);
  return guest >= 0 && guest < RAM_END && (translation.permission & wanted) !== 0;
}

/** An element lies over a ring: what the device writes there may be either. */
function touchesRings(device: VirtioFunction, chain: Chain): boolean {
  for (let at = 0; at < chain.count; at++) {
    const from = chain.address(at);
    const to = from + chain.length(at);
    for (const queue of device.live) {
      if (from < queue.descriptors + queue.descriptorBytes && queue.descriptors < to) return true;
      if (from < queue.driverArea + queue.driverBytes && queue.driverArea < to) return true;
      if (from < queue.deviceArea + queue.deviceBytes && queue.deviceArea < to) return true;
    }
  }
  return false;
}

/** QUEUE_ADDRESS of the legacy registers (4.1.4.10). */
const QUEUE_ADDRESS = 8;

/** Guest address of a block request's header; -1 for other devices. */
function headerAt(device: VirtioFunction, chain: Chain): number {
  if (device.type !== BLK) return -1;
  const address = chain.address(0);
  return device.translated ? device.surroundings.translation.resolve(address) : address;
}

/** VIRTIO_BLK_T_IN or _OUT (5.2.6) stands there: other requests a device may refuse for what they say. */
function isTransfer(device: VirtioFunction, header: number): boolean {
  const { memory } = device.surroundings;
  return memory.word(header, true) <= 1 || memory.word(header, false) <= 1;
}

/** A buffer that its device type has to serve, however it is cut. */
function isWhole(device: VirtioFunction, chain: Chain): boolean {
  if (chain.misordered || chain.count !== chain.elementsSeen || !liesInRam(device, chain)) return false;
  if (touchesRings(device, chain) || (chain.indirect && !device.has(INDIRECT_DESC))) return false;
  if (device.type === BLK) return chain.readableBytes >= 16 && chain.writableBytes >= 1;
  if (device.type === RNG) return chain.readableBytes === 0 && chain.writableBytes >= 1;
  return chain.readableBytes >= 64 && chain.writableBytes === 0;
}

/** Guest memory behind a descriptor's place in the ring: flags and next of a split one. */
function splitFlags(device: VirtioFunction, queue: ObservedQueue, at: number): number {
  return device.surroundings.memory.half(queue.guestDescriptors + DESC * at + 12, queue.little);
}

function splitNext(device: VirtioFunction, queue: ObservedQueue, at: number): number {
  return device.surroundings.memory.half(queue.guestDescriptors + DESC * at + 14, queue.little);
}

/** Walks the descriptors of a chain that stand in the ring itself; false as soon as one does not hold. */
function everySplit(
  device: VirtioFunction,
  queue: ObservedQueue,
  chain: Chain,
  holds: (flags: number, next: number, at: number, first: boolean) => boolean,
): boolean {
  let at = chain.id;
  for (let walked = 0; walked < queue.size && at < queue.size; walked++) {
    const flags = splitFlags(device, queue, at);
    const next = splitNext(device, queue, at);
    if (!holds(flags, next, at, walked === 0)) return false;
    if ((flags & NEXT) === 0 || (flags & INDIRECT) !== 0) return true;
    at = next;
  }
  return true;
}

/** The same of the table that a chain's descriptor in the ring refers to. */
function everyEntry(
  device: VirtioFunction,
  queue: ObservedQueue,
  at: number,
  holds: (flags: number, next: number, index: number) => boolean,
): boolean {
  const { memory, translation } = device.surroundings;
  const descriptor = queue.guestDescriptors + DESC * at;
  const low = memory.word(queue.little ? descriptor : descriptor + 4, queue.little);
  const entries = Math.min(memory.word(descriptor + 8, queue.little) / DESC, 1024);
  const table = device.translated ? translation.resolve(low) : low;
  if (table < 0) return true;
  for (let i = 0; i < entries; i++) {
    const entry = table + DESC * i;
    const flags = memory.half(entry + (queue.packed ? 14 : 12), queue.little);
    if (!holds(flags, memory.half(entry + 14, queue.little), i)) return false;
  }
  return true;
}

/** The descriptor of a split chain that refers to a table; -1 if none does. */
function tableAt(device: VirtioFunction, queue: ObservedQueue, chain: Chain): number {
  let found = -1;
  everySplit(device, queue, chain, (flags, _next, at) => {
    if ((flags & INDIRECT) !== 0) found = at;
    return true;
  });
  return found;
}

type Layout = 'split' | 'packed';

function isLaid(queue: ObservedQueue, layout: Layout): boolean {
  return queue.packed === (layout === 'packed');
}

/** What the driver must hold to in every buffer that it makes available; `where` says in which. */
function everyBuffer(
  id: string,
  layout: Layout,
  sentence: string,
  where: (device: VirtioFunction, queue: ObservedQueue, chain: Chain) => boolean,
  holds: (device: VirtioFunction, queue: ObservedQueue, chain: Chain) => boolean,
): ClauseChecker {
  return {
    id,
    judge: 'driver',
    watch: (clause, device) => ({
      onAvailable(queue, chain) {
        if (!isLaid(queue, layout) || !queue.driverSeen || !where(device, queue, chain)) return;
        clause.holds(holds(device, queue, chain), sentence);
      },
    }),
  };
}

const ALWAYS = (): boolean => true;
const IS_INDIRECT = (_device: VirtioFunction, _queue: ObservedQueue, chain: Chain): boolean => chain.indirect;

/** A fault of a ring that the driver causes by itself. */
function faultless(
  id: string,
  layout: Layout,
  fault: string,
  sentence: string,
  holds: (chain: Chain, queue: ObservedQueue) => boolean,
): ClauseChecker {
  return {
    id,
    judge: 'driver',
    watch: (clause) => ({
      onAvailable(queue, chain) {
        if (isLaid(queue, layout)) clause.holds(holds(chain, queue), sentence);
      },
      onRingBroken(queue, why, byDevice) {
        if (isLaid(queue, layout) && !byDevice && why === fault) clause.breaks(sentence);
      },
    }),
  };
}

/** A buffer that the device has to serve: made available, notified, and not used though the device had its time. */
function served(
  id: string,
  sentence: string,
  wants: (device: VirtioFunction, queue: ObservedQueue, chain: Chain) => boolean,
): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => {
      // After a request that a device may give up over nothing is owed any more.
      const seen = clause.state({ queue: -1, chain: -1, header: -1, since: 0, kicked: false, spoilt: false });
      const forget = (): void => {
        seen.chain = -1;
      };
      const spoil = (): void => {
        seen.chain = -1;
        seen.spoilt = true;
      };
      const renew = (): void => {
        seen.chain = -1;
        seen.spoilt = false;
      };
      return {
        onAvailable(queue, chain) {
          const whole = isWhole(device, chain) && chain.elementsSeen <= queue.size;
          if (servesAtOnce(device, queue) && !whole) spoil();
          if (
            seen.spoilt ||
            seen.chain >= 0 ||
            !device.running ||
            device.misused !== '' ||
            queue.broken !== ''
          )
            return;
          if (!servesAtOnce(device, queue) || !wants(device, queue, chain)) return;
          seen.queue = queue.index;
          seen.chain = chain.id;
          seen.header = headerAt(device, chain);
          seen.since = clause.event;
          seen.kicked = false;
        },
        // By the place alone: a device need not look at the value.
        onRegisterWrite({ region, offset, value }) {
          // A driver that moves a live queue has lost what it offered there.
          if (region === 'legacy' && offset === QUEUE_ADDRESS && device.running) spoil();
          const queue = device.queue(seen.queue);
          if (queue === undefined) return;
          const step = device.structure('notify')?.multiplier ?? 0;
          const place = step * (queue.notifyOffset < 0 ? queue.index : queue.notifyOffset);
          if (
            region === 'notify'
              ? offset === place
              : region === 'legacy' && offset === 16 && value === seen.queue
          )
            seen.kicked = true;
        },
        onUsed(queue, chain) {
          if (queue.index !== seen.queue || chain.id !== seen.chain) return;
          clause.applies();
          forget();
        },
        onReset: renew,
        onMachineReset: renew,
        onQueueReset: forget,
        onRingBroken: spoil,
        onConfigSpaceWrite: spoil,
        onDma(access) {
          if (access.fault) spoil();
        },
        onIdle() {
          if (seen.chain < 0 || !seen.kicked) return;
          forget();
          if (seen.header >= 0 && !isTransfer(device, seen.header)) return;
          if (device.misused === '' && device.running) clause.breaks(sentence, seen.since);
        },
      };
    },
  };
}

/** Whether two device-writable elements share memory: then nobody can tell where in the buffer a byte went. */
function overlaps(chain: Chain): boolean {
  for (let a = 0; a < chain.count; a++) {
    for (let b = 0; b < a; b++) {
      if (!chain.writable(a) || !chain.writable(b)) continue;
      const [from, to] = [chain.address(a), chain.address(a) + chain.length(a)];
      if (from < chain.address(b) + chain.length(b) && chain.address(b) < to) return true;
    }
  }
  return false;
}

/** Asks of a device's access to memory that no ring area or described element explains in its direction. */
class Search {
  #address = 0;
  #write = false;
  #found = false;
  readonly #visit = (chain: Chain): void => {
    if (chain.taken && chain.find(this.#address, this.#write) >= 0) this.#found = true;
  };

  /** Whether an address lies in an element of a direction, of a buffer that the device has taken. */
  holds(device: VirtioFunction, address: number, write: boolean, layout: Layout): boolean {
    this.#address = address;
    this.#write = write;
    this.#found = false;
    for (const queue of device.live) if (isLaid(queue, layout)) queue.eachInFlight(this.#visit);
    return this.#found;
  }
}

/** Buffers are accessed in their own direction only: `write` is the access that the clause forbids. */
function untouched(id: string, layout: Layout, write: boolean, sentence: string): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => {
      const search = new Search();
      return {
        onTaken(queue, chain) {
          const bytes = write ? chain.readableBytes : chain.writableBytes;
          if (isLaid(queue, layout) && bytes > 0) clause.applies();
        },
        onDma(access) {
          if (access.write !== write || access.message || access.fault || access.address < 0) return;
          if (access.area !== 'none' || device.misused !== '') return;
          const forbidden = search.holds(device, access.address, !write, layout);
          if (forbidden && !search.holds(device, access.address, write, layout)) clause.breaks(sentence);
        },
      };
    },
  };
}

/** Whether the index that an entry was placed at is the one that the other side waits for. */
function isDue(count: number, event: number): boolean {
  return ((count - 1) & 0xffff) === event;
}

/** An interrupt that may be a queue's used-buffer notification. */
function isOf(device: VirtioFunction, queue: ObservedQueue, vector: number, level: number): boolean {
  if (device.msixEnabled) return vector === queue.vector && level === 2;
  return vector === INTX && level === 1;
}

function hearsOf(device: VirtioFunction, queue: ObservedQueue): boolean {
  if (device.msixEnabled && (queue.vector === NO_VECTOR || queue.vectorRead === NO_VECTOR)) return false;
  return device.canInterrupt(queue.vector);
}

/** A used-buffer notification that the device owes after an entry for which `due` says so. */
function notifiesUsed(
  id: string,
  sentence: string,
  due: (device: VirtioFunction, queue: ObservedQueue) => boolean,
): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ owed: 0, since: 0 });
      const owes = new Uint8Array(QUEUES_MAX);
      const forget = (): void => {
        if (seen.owed > 0) owes.fill(0);
        seen.owed = 0;
      };
      return {
        onBegin() {
          owes.fill(0);
        },
        onUsed(queue) {
          if (queue.packed || !queue.driverSeen || !device.running || !hearsOf(device, queue)) return;
          if (device.misused !== '' || queue.broken !== '' || !due(device, queue)) return;
          clause.applies();
          if (!device.msixEnabled && device.line === 1) return;
          if (owes[queue.index] === 0) seen.owed++;
          owes[queue.index] = 1;
          seen.since = clause.event;
        },
        onInterrupt(vector, level) {
          if (seen.owed === 0) return;
          for (const queue of device.live) {
            if (owes[queue.index] !== 1 || !isOf(device, queue, vector, level)) continue;
            owes[queue.index] = 0;
            seen.owed--;
          }
        },
        onReset: forget,
        onQueueReset: forget,
        onMachineReset: forget,
        onConfigSpaceWrite: forget,
        onIdle() {
          const owed = seen.owed > 0 && device.running && device.misused === '';
          forget();
          if (owed) clause.breaks(sentence, seen.since);
        },
      };
    },
  };
}

/** A kick that the driver owes after a buffer for which `due` says so. */
function kicks(
  id: string,
  sentence: string,
  due: (device: VirtioFunction, queue: ObservedQueue) => boolean,
): ClauseChecker {
  return {
    id,
    judge: 'driver',
    watch: (clause, device) => {
      // A store is no action: what is published between a wait and the next action has not been waited for.
      const seen = clause.state({ queue: -1, since: 0, acted: false });
      const forget = (): void => {
        seen.queue = -1;
        seen.acted = false;
      };
      return {
        onAction() {
          seen.acted = seen.queue >= 0;
        },
        onAvailable(queue) {
          if (queue.packed || !device.running || queue.broken !== '' || !due(device, queue)) return;
          clause.applies();
          if (seen.queue >= 0) return;
          seen.queue = queue.index;
          seen.since = clause.event;
        },
        onNotify(queue) {
          if (queue?.index === seen.queue) forget();
        },
        onReset: forget,
        onQueueReset: forget,
        onMachineReset: forget,
        onStatusWrite: forget,
        onIdle() {
          if (!seen.acted) return;
          forget();
          clause.breaks(sentence, seen.since);
        },
      };
    },
  };
}

/** What the device leaves in flags of its used ring; what the driver has scribbled there is not the device's. */
function usedFlags(
  id: string,
  sentence: string,
  where: (device: VirtioFunction) => boolean,
  holds: (flags: number) => boolean,
): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ scribbled: false });
      return {
        onReset() {
          seen.scribbled = false;
        },
        onDriverWrite(_queue, area) {
          if (area === 'device') seen.scribbled = true;
        },
        onUsed(queue) {
          if (!queue.packed && !seen.scribbled && device.misused === '' && where(device))
            clause.holds(holds(queue.deviceFlags), sentence);
        },
      };
    },
  };
}

/** The driver leaves descriptors alone that the device has. */
function leavesAlone(id: string, sentence: string): ClauseChecker {
  return {
    id,
    judge: 'driver',
    watch: (clause) => {
      // The store that publishes a list is the last that may touch it.
      const seen = clause.state({ publishing: false });
      return {
        onAvailable(queue) {
          if (!queue.packed) return;
          clause.applies();
          seen.publishing = true;
        },
        onDriverWrite(queue, area, offset, length) {
          if (!queue.packed || area !== 'descriptors') return;
          const { publishing } = seen;
          seen.publishing = false;
          if (publishing) return;
          for (let at = Math.floor(offset / DESC); DESC * at < offset + length; at++) {
            const owner = queue.ownerOf(at);
            if (owner === undefined) continue;
            clause.breaks(sentence, owner.availableAt);
            return;
          }
        },
      };
    },
  };
}

/** What a queue reset leaves, from its confirmation to the next set-up: `write` says of registers that are no default. */
function afterReset(clause: Judgement, device: VirtioFunction): Hooks {
  const seen = clause.state({ queue: -1, confirmed: false, touched: 0 });
  return {
    onRegisterWrite(access) {
      if (access.region !== 'common') return;
      if (access.offset === Q_RESET && access.value === 1) {
        seen.queue = device.queueSelect;
        seen.confirmed = false;
        seen.touched = 0;
      } else if (device.queueSelect === seen.queue && access.offset >= Q_SIZE && access.offset < Q_END) {
        seen.touched |= 1 << ((access.offset - Q_SIZE) >> 1);
      }
    },
    onReset() {
      seen.queue = -1;
    },
    onRegisterRead(access) {
      if (access.region !== 'common' || device.queueSelect !== seen.queue) return;
      if (access.offset === Q_RESET) seen.confirmed ||= access.value === 0;
      const { offset } = access;
      const isQueue = offset >= Q_SIZE && offset < Q_END && offset !== Q_ENABLE + 2;
      if (!seen.confirmed || !isQueue || (seen.touched & (1 << ((offset - Q_SIZE) >> 1))) !== 0) return;
      const offered = device.registers(seen.queue)?.offeredSize ?? 0;
      const fresh = offset === Q_SIZE ? offered : offset === Q_MSIX ? NO_VECTOR : 0;
      if (offset === Q_SIZE && offered === 0) return;
      clause.holds(
        access.value === fresh,
        `after a queue reset the register at 0x${offset.toString(16)} is not as at first`,
      );
    },
  };
}

/** Where the areas of a queue lay before its reset. */
class FormerAreas {
  queue = -1;
  #starts: readonly number[] = [];
  #ends: readonly number[] = [];

  take(queue: ObservedQueue): void {
    this.queue = queue.index;
    this.#starts = [queue.descriptors, queue.driverArea, queue.deviceArea];
    this.#ends = [queue.descriptorBytes, queue.driverBytes, queue.deviceBytes].map(
      (bytes, i) => (this.#starts[i] ?? 0) + bytes,
    );
  }

  forget(): void {
    this.queue = -1;
    this.#starts = [];
  }

  hold({ address, message }: DmaAccess): boolean {
    if (message) return false;
    return this.#starts.some((start, i) => address >= start && address < (this.#ends[i] ?? 0));
  }
}

function resetsQueue(
  device: VirtioFunction,
  region: string,
  offset: number,
  value: number,
): ObservedQueue | undefined {
  if (region !== 'common' || offset !== Q_RESET || value !== 1) return undefined;
  return device.queue(device.queueSelect);
}

const CHECKERS: readonly ClauseChecker[] = [
  // --- 2.6 ----------------------------------------------------------------------------------------------------------
  {
    id: 'VQR-DEV-001',
    judge: 'device',
    watch: (clause, device) => {
      const former = new FormerAreas();
      const seen = clause.state({ vector: NO_VECTOR, confirmed: false, since: 0 });
      const forget = (): void => {
        former.forget();
        seen.confirmed = false;
      };
      return {
        onBegin: forget,
        onReset: forget,
        onMachineReset: forget,
        onQueueEnable(queue) {
          if (queue.index === former.queue) forget();
        },
        onRegisterWrite({ region, offset, value }) {
          const queue = resetsQueue(device, region, offset, value);
          if (queue === undefined) return;
          former.take(queue);
          seen.vector = device.msixEnabled ? queue.vector : NO_VECTOR;
          for (const other of device.live)
            if (other !== queue && other.vector === seen.vector) seen.vector = NO_VECTOR;
          seen.confirmed = false;
        },
        onRegisterRead({ region, offset, value }) {
          if (region !== 'common' || offset !== Q_RESET || device.queueSelect !== former.queue) return;
          if (value !== 0 || seen.confirmed) return;
          seen.confirmed = true;
          seen.since = clause.event;
          clause.applies();
        },
        onDma(access) {
          if (!seen.confirmed || access.area !== 'none' || !former.hold(access)) return;
          clause.breaks('the device reaches for the rings of a queue that was reset', seen.since);
        },
        onInterrupt(vector) {
          if (seen.confirmed && vector !== NO_VECTOR && vector === seen.vector)
            clause.breaks('the device notifies for a queue that was reset', seen.since);
        },
      };
    },
  },
  { id: 'VQR-DEV-002', judge: 'device', watch: afterReset },
  {
    id: 'VQR-DRV-001',
    judge: 'driver',
    watch: (clause, device) => {
      const seen = clause.state({ queue: -1, confirmed: false, since: 0 });
      return {
        onRegisterWrite({ region, offset, value }) {
          const queue = resetsQueue(device, region, offset, value);
          if (queue === undefined) return;
          seen.queue = queue.index;
          seen.confirmed = false;
          seen.since = clause.event;
        },
        onRegisterRead({ region, offset, value }) {
          if (region !== 'common' || device.queueSelect !== seen.queue || value !== 0) return;
          if (offset === Q_RESET || offset === Q_ENABLE) seen.confirmed = true;
        },
        onReset() {
          seen.queue = -1;
        },
        onQueueEnable(queue) {
          if (queue.index !== seen.queue) return;
          seen.queue = -1;
          clause.holds(
            seen.confirmed,
            'a queue is used again before its reset was seen to be done',
            seen.since,
          );
        },
      };
    },
  },
  {
    id: 'VQR-DEV-003',
    judge: 'device',
    watch: (clause, device) => {
      const former = new FormerAreas();
      const seen = clause.state({ again: false });
      const forget = (): void => {
        former.forget();
        seen.again = false;
      };
      return {
        onBegin: forget,
        onReset: forget,
        onMachineReset: forget,
        onRegisterWrite({ region, offset, value }) {
          const queue = resetsQueue(device, region, offset, value);
          if (queue === undefined) return;
          former.take(queue);
          seen.again = false;
        },
        onQueueEnable(queue) {
          if (queue.index === former.queue) seen.again = true;
        },
        onUsed(queue) {
          if (seen.again && queue.index === former.queue) clause.applies();
        },
        onDma(access) {
          if (seen.again && access.area === 'none' && former.hold(access))
            clause.breaks('a queue that was enabled again is looked for where it was before');
        },
      };
    },
  },
  {
    id: 'VQR-DRV-003',
    judge: 'driver',
    watch: (clause, device) => {
      const seen = clause.state({ queue: -1, written: 0 });
      return {
        onRegisterWrite(access) {
          const queue = resetsQueue(device, access.region, access.offset, access.value);
          if (queue !== undefined) {
            seen.queue = queue.index;
            seen.written = 0;
          } else if (access.region === 'common' && device.queueSelect === seen.queue) {
            if (access.offset >= Q_DESC && access.offset < Q_END)
              seen.written |= 1 << ((access.offset - Q_DESC) >> 3);
          }
        },
        onReset() {
          seen.queue = -1;
        },
        onQueueEnable(queue) {
          if (queue.index !== seen.queue) return;
          seen.queue = -1;
          clause.holds(seen.written === 7, 'a queue is enabled again without all of its addresses');
        },
      };
    },
  },
  // --- 2.7: what the driver lays out ------------------------------------------------------------------------------
  {
    id: 'SPLIT-DRV-001',
    judge: 'driver',
    watch: (clause) => ({
      onQueueEnable({ packed, descriptors, driverArea, deviceArea }) {
        if (packed) return;
        const aligned = descriptors % 16 === 0 && driverArea % 2 === 0 && deviceArea % 4 === 0;
        clause.holds(aligned, 'a part of a split virtqueue is not aligned');
      },
    }),
  },
  served(
    'SPLIT-DEV-001',
    'a request is not served for the way it is cut',
    // How tables may be linked is the matter of the clauses about tables.
    (_device, queue, chain) => !queue.packed && !chain.indirect && chain.count > 1,
  ),
  everyBuffer(
    'SPLIT-DRV-002',
    'split',
    'a device-readable element stands behind a device-writable one',
    (_device, _queue, chain) => chain.elementsSeen > 1,
    (_device, _queue, chain) => !chain.misordered,
  ),
  everyBuffer(
    'SPLIT-DRV-003',
    'split',
    'a buffer is cut into more descriptors than it has bytes',
    ALWAYS,
    (_device, _queue, chain) => chain.elementsSeen <= chain.readableBytes + chain.writableBytes,
  ),
  untouched('SPLIT-DEV-003', 'split', true, 'the device writes to a device-readable buffer'),
  untouched('SPLIT-DEV-004', 'split', false, 'the device reads a device-writable buffer'),
  {
    id: 'SPLIT-DEV-006',
    judge: 'device',
    watch: (clause, device) => {
      const search = new Search();
      return {
        onTaken(queue) {
          if (!queue.packed) clause.applies();
        },
        onDma(access) {
          if (!access.write || access.area !== 'descriptors' || access.queue?.packed === true) return;
          // Where the driver put one area over another, who writes to which nobody can say.
          if (access.queue?.overlaps === true) return;
          if (!search.holds(device, access.address, true, 'split'))
            clause.breaks('the device writes to the descriptor table');
        },
      };
    },
  },
  faultless(
    'SPLIT-DRV-004',
    'split',
    'loop',
    'a chain has no end, or more than 2^32 bytes',
    (chain) => chain.readableBytes + chain.writableBytes <= TOTAL_MAX,
  ),
  everyBuffer(
    'SPLIT-DRV-005',
    'split',
    'in order, a descriptor’s next is not the one behind it',
    (device, _queue, chain) => device.has(IN_ORDER) && chain.descriptors !== 1 && !chain.indirect,
    (device, queue, chain) =>
      everySplit(
        device,
        queue,
        chain,
        (flags, next, at) => (flags & NEXT) === 0 || next === (at + 1) % queue.size,
      ),
  ),
  everyBuffer('SPLIT-DRV-006', 'split', 'INDIRECT is used without INDIRECT_DESC', IS_INDIRECT, (device) =>
    device.has(INDIRECT_DESC),
  ),
  everyBuffer(
    'SPLIT-DRV-007',
    'split',
    'INDIRECT stands inside an indirect table',
    IS_INDIRECT,
    (device, queue, chain) => {
      const at = tableAt(device, queue, chain);
      return at < 0 || everyEntry(device, queue, at, (flags) => (flags & INDIRECT) === 0);
    },
  ),
  everyBuffer(
    'SPLIT-DRV-008',
    'split',
    'a chain has more descriptors than the queue',
    ALWAYS,
    (_device, queue, chain) => chain.elementsSeen <= queue.size,
  ),
  everyBuffer(
    'SPLIT-DRV-009',
    'split',
    'INDIRECT and NEXT stand together',
    IS_INDIRECT,
    (device, queue, chain) =>
      everySplit(device, queue, chain, (flags) => (flags & (INDIRECT | NEXT)) !== (INDIRECT | NEXT)),
  ),
  everyBuffer(
    'SPLIT-DRV-010',
    'split',
    'in order, an indirect table is not linked entry by entry',
    (device, _queue, chain) => device.has(IN_ORDER) && chain.indirect,
    (device, queue, chain) => {
      const at = tableAt(device, queue, chain);
      return (
        at < 0 ||
        everyEntry(device, queue, at, (flags, next, index) => (flags & NEXT) === 0 || next === index + 1)
      );
    },
  ),
  served(
    'SPLIT-DEV-007',
    'a table is not followed for the WRITE of the descriptor that refers to it',
    (device, queue, chain) =>
      !queue.packed &&
      chain.indirect &&
      (splitFlags(device, queue, chain.id) & (INDIRECT | WRITE)) === (INDIRECT | WRITE),
  ),
  served(
    'SPLIT-DEV-008',
    'direct descriptors with an indirect one behind them are not served',
    (device, queue, chain) =>
      !queue.packed && chain.indirect && (splitFlags(device, queue, chain.id) & INDIRECT) === 0,
  ),
  faultless('SPLIT-DRV-011', 'split', 'index', 'the available index goes backwards', ALWAYS),
  {
    id: 'SPLIT-DRV-012',
    judge: 'driver',
    watch: (clause, device) => ({
      onAvailable(queue) {
        if (!queue.packed && !device.has(EVENT_IDX))
          clause.holds(queue.driverFlags <= 1, 'flags of the available ring are neither 0 nor 1');
      },
    }),
  },
  {
    id: 'SPLIT-DRV-014',
    judge: 'driver',
    watch: (clause, device) => ({
      onAvailable(queue) {
        if (!queue.packed && device.has(EVENT_IDX))
          clause.holds(queue.driverFlags === 0, 'with EVENT_IDX flags of the available ring are not 0');
      },
    }),
  },
  {
    id: 'SPLIT-DRV-016',
    judge: 'driver',
    watch: (clause, device) => {
      const seen = clause.state({ used: -1, needless: false, since: 0 });
      const count = (): number => {
        let used = 0;
        for (const queue of device.live) used += queue.used;
        return used;
      };
      return {
        onReset() {
          seen.used = -1;
          seen.needless = false;
        },
        onUsed() {
          seen.needless = false;
        },
        onInterrupt(_vector, level) {
          if (level === 0 || !device.running) return;
          const used = count();
          seen.needless = used === seen.used;
          seen.used = used;
          seen.since = clause.event;
          if (seen.needless) clause.applies();
        },
        onStatusRead(value) {
          if ((value & NEEDS_RESET) !== 0) seen.needless = false;
        },
        onStatusWrite(value) {
          if (seen.needless && (value & FAILED) !== 0)
            clause.breaks('the driver gives up over a notification with nothing behind it', seen.since);
        },
      };
    },
  },
  // --- 2.7: notifications of used buffers -------------------------------------------------------------------------
  notifiesUsed(
    'SPLIT-DEV-009',
    'without EVENT_IDX a used_event keeps the device from notifying',
    (device, queue) => !device.has(EVENT_IDX) && queue.driverFlags === 0 && queue.driverEvent !== 0,
  ),
  {
    id: 'SPLIT-DEV-010',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ queue: -1, loud: false });
      return {
        onReset() {
          seen.queue = -1;
          seen.loud = false;
        },
        onUsed(queue) {
          if (queue.packed || device.has(EVENT_IDX) || device.has(NOTIFY_ON_EMPTY) || !queue.driverSeen) {
            seen.loud = true;
            return;
          }
          if (queue.driverFlags !== 1) {
            seen.loud = true;
            return;
          }
          seen.queue = queue.index;
          if (!seen.loud) clause.applies();
        },
        onInterrupt(vector, level) {
          if (seen.queue < 0) return;
          const queue = device.queue(seen.queue);
          const quiet = !seen.loud;
          seen.queue = -1;
          seen.loud = false;
          if (!quiet || queue === undefined || !isOf(device, queue, vector, level)) return;
          if ((device.status & NEEDS_RESET) === 0 && device.misused === '')
            clause.breaks('used buffers are notified though the driver asked for none');
        },
        onStatusRead(value) {
          if ((value & NEEDS_RESET) !== 0) seen.queue = -1;
        },
        onAction() {
          seen.loud = false;
          seen.queue = -1;
        },
      };
    },
  },
  notifiesUsed(
    'SPLIT-DEV-011',
    'used buffers are not notified though flags are 0',
    (device, queue) => !device.has(EVENT_IDX) && queue.driverFlags === 0,
  ),
  notifiesUsed(
    'SPLIT-DEV-012',
    'with EVENT_IDX a flag keeps the device from notifying',
    (device, queue) =>
      device.has(EVENT_IDX) && (queue.driverFlags & 1) === 1 && isDue(queue.used, queue.driverEvent),
  ),
  notifiesUsed(
    'SPLIT-DEV-013',
    'the used index passes used_event and nobody is notified',
    (device, queue) => device.has(EVENT_IDX) && isDue(queue.used, queue.driverEvent),
  ),
  {
    id: 'SPLIT-DEV-014',
    judge: 'device',
    watch: (clause, device) => {
      const due = new Uint8Array(QUEUES_MAX);
      return {
        onBegin() {
          due.fill(0);
        },
        onQueueEnable(queue) {
          // What was remembered of a queue's last notification counts for nothing at first.
          due[queue.index] = 1;
        },
        onUsed(queue) {
          if (queue.packed || !device.has(EVENT_IDX) || !queue.driverSeen) return;
          if (isDue(queue.used, queue.driverEvent)) due[queue.index] = 1;
        },
        onInterrupt(vector, level) {
          if (!device.msixEnabled || level !== 2 || !device.has(EVENT_IDX)) return;
          for (const queue of device.live) {
            if (queue.packed || queue.vector !== vector || vector === device.configVector) continue;
            const wanted = due[queue.index] === 1 || !queue.driverSeen || device.misused !== '';
            clause.holds(wanted, 'used buffers are notified before used_event is reached');
            due[queue.index] = 0;
          }
        },
      };
    },
  },
  {
    id: 'SPLIT-DEV-015',
    judge: 'device',
    watch: (clause, device) => {
      const pending = new Uint16Array(QUEUES_MAX);
      const search = new Search();
      return {
        onBegin() {
          pending.fill(0);
        },
        onQueueEnable(queue) {
          pending[queue.index] = 0;
        },
        onUsed(queue) {
          pending[queue.index] = 0;
        },
        onDma(access) {
          const { queue, offset } = access;
          if (!access.write || access.area !== 'device' || queue === undefined || queue.packed) return;
          const slot = (offset - 4) / 8;
          if (offset === 2) clause.applies();
          if (offset < 4 || slot >= queue.size || !Number.isInteger(slot) || device.misused !== '') return;
          if (search.holds(device, access.address, true, 'split')) return;
          const ahead = (slot - (queue.usedIndex % queue.size) + queue.size) % queue.size;
          const before = pending[queue.index] ?? 0;
          if (ahead > before) clause.breaks('a used entry is written after the used index passed it');
          else pending[queue.index] = Math.max(before, ahead + 1);
        },
      };
    },
  },
  {
    id: 'SPLIT-DEV-016',
    judge: 'device',
    watch: (clause, device) => ({
      onUsed(queue, chain) {
        if (queue.packed || chain.usedLength === 0 || device.misused !== '' || queue.broken !== '') return;
        if (touchesRings(device, chain)) return;
        const reached = chain.responseEnd >= chain.usedLength || overlaps(chain);
        const written = reached && chain.responseWritten >= chain.usedLength;
        clause.holds(written, 'the device reports more bytes than it has written');
      },
    }),
  },
  {
    id: 'SPLIT-DRV-019',
    judge: 'driver',
    watch: (clause, device) => ({
      onQueueEnable(queue) {
        const { memory } = device.surroundings;
        if (queue.packed || queue.guestDeviceArea < 0 || !memory.knows(queue.guestDeviceArea)) return;
        const flags = memory.half(queue.guestDeviceArea, queue.little);
        clause.holds(flags === 0, 'flags of the used ring are not 0 when the queue is enabled');
      },
    }),
  },
  // --- 2.7: kicks -------------------------------------------------------------------------------------------------
  kicks(
    'SPLIT-DRV-020',
    'without EVENT_IDX an avail_event keeps the driver from notifying',
    (device, queue) => !device.has(EVENT_IDX) && queue.deviceFlags === 0 && queue.deviceEvent !== 0,
  ),
  {
    id: 'SPLIT-DRV-021',
    judge: 'driver',
    watch: (clause, device) => ({
      onNotify(queue) {
        if (queue === undefined || queue.packed || device.has(EVENT_IDX)) return;
        clause.holds(queue.deviceFlags !== 1, 'the driver notifies though the device asked for nothing');
      },
    }),
  },
  kicks(
    'SPLIT-DRV-022',
    'buffers are made available and the device is not notified',
    (device, queue) => !device.has(EVENT_IDX) && queue.deviceFlags === 0,
  ),
  kicks(
    'SPLIT-DRV-023',
    'with EVENT_IDX a flag keeps the driver from notifying',
    (device, queue) =>
      device.has(EVENT_IDX) && (queue.deviceFlags & 1) === 1 && isDue(queue.published, queue.deviceEvent),
  ),
  kicks(
    'SPLIT-DRV-024',
    'the available index passes avail_event and the device is not notified',
    (device, queue) => device.has(EVENT_IDX) && isDue(queue.published, queue.deviceEvent),
  ),
  {
    id: 'SPLIT-DRV-025',
    judge: 'driver',
    watch: (clause, device) => {
      const due = new Uint8Array(QUEUES_MAX);
      return {
        onBegin() {
          due.fill(0);
        },
        onAvailable(queue) {
          if (isDue(queue.published, queue.deviceEvent)) due[queue.index] = 1;
        },
        onQueueEnable(queue) {
          due[queue.index] = 0;
        },
        onNotify(queue) {
          if (queue === undefined || queue.packed || !device.has(EVENT_IDX) || !queue.driverSeen) return;
          clause.holds(due[queue.index] === 1, 'the driver notifies before avail_event is reached');
          due[queue.index] = 0;
        },
      };
    },
  },
  usedFlags(
    'SPLIT-DEV-018',
    'flags of the used ring are neither 0 nor 1',
    (device) => !device.has(EVENT_IDX),
    (flags) => flags <= 1,
  ),
  usedFlags(
    'SPLIT-DEV-020',
    'with EVENT_IDX flags of the used ring are not 0',
    (device) => device.has(EVENT_IDX),
    (flags) => flags === 0,
  ),
  {
    id: 'SPLIT-DEV-022',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ needless: false, since: 0 });
      const forget = (): void => {
        seen.needless = false;
      };
      return {
        onNotify(queue) {
          if (queue === undefined || !device.running || device.misused !== '' || queue.broken !== '') return;
          seen.needless = queue.driverSeen && queue.published === queue.taken;
          seen.since = clause.event;
          if (seen.needless) clause.applies();
        },
        onAvailable: forget,
        onTaken: forget,
        onReset: forget,
        onStatusRead(value) {
          if (seen.needless && (value & NEEDS_RESET) !== 0 && device.misused === '')
            clause.breaks('a kick with nothing behind it makes the device need a reset', seen.since);
          forget();
        },
      };
    },
  },
  // --- 2.7, legacy ------------------------------------------------------------------------------------------------
  {
    id: 'SPLITL-DRV-001',
    judge: 'driver',
    watch: (clause, device) => ({
      onRegisterWrite({ region, offset, value }) {
        if (region !== 'legacy' || offset !== 8 || value === 0) return;
        const known = (device.registers(device.queueSelect)?.offeredSize ?? 0) > 0;
        clause.holds(known, 'a queue is set up before its size was read');
      },
    }),
  },
  {
    id: 'SPLITL-DRV-002',
    judge: 'driver',
    watch: (clause, device) => ({
      onQueueEnable() {
        if (device.legacy) clause.applies();
      },
      onDma(access) {
        if (device.legacy && access.fault && access.area !== 'none' && access.area !== 'buffer')
          clause.breaks('a part of the ring’s one block lies where there is no memory');
      },
    }),
  },
  {
    id: 'SPLITL-BOTH-001',
    judge: 'device',
    watch: (clause, device) => ({
      onUsed() {
        if (device.legacy) clause.applies();
      },
      onDma(access) {
        if (!device.legacy || !access.write || access.area !== 'none' || access.message) return;
        for (const queue of device.live) {
          const inside = access.address >= queue.descriptors && access.address < queue.deviceArea;
          if (inside) clause.breaks('the device writes into the padding between the parts of a ring');
        }
      },
    }),
  },
  {
    id: 'SPLITL-BOTH-002',
    judge: 'device',
    watch: (clause, device) => {
      const last = new Uint16Array(QUEUES_MAX);
      return {
        onBegin() {
          last.fill(0);
        },
        onQueueEnable(queue) {
          last[queue.index] = 0;
        },
        onDma(access) {
          const { queue, bytes, byteOffset } = access;
          if (!device.legacy || queue === undefined || !access.write || access.area !== 'device') return;
          if (access.offset !== 2 || access.length !== 2) return;
          const first = bytes[byteOffset] ?? 0;
          const second = bytes[byteOffset + 1] ?? 0;
          const value = queue.little ? first | (second << 8) : (first << 8) | second;
          const swapped = ((value & 0xff) << 8) | (value >>> 8);
          const wanted = ((last[queue.index] ?? 0) + 1) & 0xffff;
          clause.holds(
            value === wanted || swapped !== wanted,
            'the used index is in the byte order that is not the driver’s',
          );
          last[queue.index] = value;
        },
      };
    },
  },
  // --- 2.8 --------------------------------------------------------------------------------------------------------
  {
    id: 'PACKED-DRV-001',
    judge: 'driver',
    watch: (clause) => ({
      onQueueEnable({ packed, descriptors, driverArea, deviceArea }) {
        if (!packed) return;
        const aligned = descriptors % 16 === 0 && driverArea % 4 === 0 && deviceArea % 4 === 0;
        clause.holds(aligned, 'a part of a packed virtqueue is not aligned');
      },
    }),
  },
  {
    id: 'PACKED-DEV-001',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ serial: 0, skipped: false });
      const visit = (chain: Chain): void => {
        if (chain.serial < seen.serial && !chain.taken) seen.skipped = true;
      };
      return {
        onUsed(queue, chain) {
          if (!queue.packed || device.misused !== '' || !queue.driverSeen) return;
          seen.serial = chain.serial;
          seen.skipped = false;
          queue.eachInFlight(visit);
          clause.holds(!seen.skipped, 'a buffer is used while one before it was not taken up');
        },
      };
    },
  },
  untouched('PACKED-DEV-004', 'packed', true, 'the device writes to a device-readable buffer'),
  untouched('PACKED-DEV-005', 'packed', false, 'the device reads a device-writable buffer'),
  {
    id: 'PACKED-DEV-006',
    judge: 'device',
    watch: (clause, device) => ({
      onUsed(queue) {
        if (queue.packed) clause.applies();
      },
      onUsedUnknown(queue) {
        if (queue.packed && queue.driverSeen && device.misused === '')
          clause.breaks('the device uses what was not made available');
      },
    }),
  },
  {
    id: 'PACKED-DEV-007',
    judge: 'device',
    watch: (clause) => {
      const seen = clause.state({ queue: -1, slot: -1, since: 0 });
      const forget = (): void => {
        seen.slot = -1;
      };
      return {
        onQueueEnable: forget,
        onReset: forget,
        onDriverWrite(queue, area, offset, length) {
          if (area !== 'descriptors' || queue.index !== seen.queue) return;
          if (offset < DESC * (seen.slot + 1) && offset + length > DESC * seen.slot) forget();
        },
        onDma(access) {
          const { queue } = access;
          if (!access.write || access.area !== 'descriptors' || queue === undefined || !queue.packed) return;
          const slot = Math.floor(access.offset / DESC);
          if (queue.index === seen.queue && slot === seen.slot && queue.driverSeen) {
            clause.breaks('a descriptor is written again after it was used', seen.since);
            return;
          }
          if ((access.offset % DESC) + access.length <= DESC - 2) return;
          clause.applies();
          seen.queue = queue.index;
          seen.slot = slot;
          seen.since = clause.event;
        },
      };
    },
  },
  leavesAlone('PACKED-DRV-002', 'a descriptor is written before the device was seen to have used it'),
  leavesAlone('PACKED-DRV-003', 'a descriptor is changed after it was made available'),
  {
    id: 'PACKED-DRV-004',
    judge: 'driver',
    watch: (clause, device) => ({
      onNotify(queue, _index, value, width) {
        if (queue === undefined || !queue.packed || !queue.driverSeen || !device.has(NOTIFICATION_DATA))
          return;
        const place = queue.availableAt | (queue.availableWrap ? 0x8000 : 0);
        const told = width === 4 && value >>> 16 === place;
        clause.holds(told, 'a notification does not tell where the driver stands');
      },
    }),
  },
  everyBuffer(
    'PACKED-DRV-007',
    'packed',
    'a list has as many descriptors as the ring and goes on',
    ALWAYS,
    (_device, queue, chain) => {
      const last = (queue.availableAt + queue.size - 1) % queue.size;
      return chain.descriptors < queue.size || (queue.packedFlags(last) & NEXT) === 0;
    },
  ),
  everyBuffer(
    'PACKED-DRV-008',
    'packed',
    'a device-readable element stands behind a device-writable one',
    (_device, _queue, chain) => chain.elementsSeen > 1,
    (_device, _queue, chain) => !chain.misordered,
  ),
  {
    id: 'PACKED-DRV-010',
    judge: 'driver',
    watch: (clause) => {
      const seen = clause.state({ slots: 0 });
      const visit = (chain: Chain): void => {
        seen.slots += chain.descriptors;
      };
      return {
        onAvailable(queue) {
          if (!queue.packed) return;
          seen.slots = 0;
          queue.eachInFlight(visit);
          clause.holds(seen.slots <= queue.size, 'a list is published that the ring has no room for');
        },
      };
    },
  },
  everyBuffer(
    'PACKED-DRV-011',
    'packed',
    'the head of a list is available before the rest',
    (_device, _queue, chain) => chain.descriptors > 1,
    (_device, queue, chain) => {
      for (let i = 1; i <= chain.descriptors; i++) {
        const at = (queue.availableAt - i + queue.size) % queue.size;
        const wrap = at < queue.availableAt ? queue.availableWrap : !queue.availableWrap;
        if ((queue.packedFlags(at) & (AVAIL | USED)) !== (wrap ? AVAIL : USED)) return false;
      }
      return true;
    },
  ),
  {
    id: 'PACKED-DEV-008',
    judge: 'device',
    watch: (clause) => {
      const seen = clause.state({ queue: -1, chain: -1, element: -1 });
      return {
        onTaken(queue, chain) {
          if (!queue.packed) return;
          seen.queue = queue.index;
          seen.chain = chain.id;
          seen.element = -1;
        },
        onDma(access) {
          const { chain, element, queue } = access;
          if (access.write || access.area !== 'buffer' || chain === undefined || chain.id !== seen.chain)
            return;
          if (queue !== undefined && queue.index !== seen.queue) return;
          if (element > 0) clause.applies();
          if (element > seen.element + 1) {
            clause.breaks('elements of a list are not taken in their order');
          }
          seen.element = Math.max(seen.element, element);
        },
      };
    },
  },
  everyBuffer('PACKED-DRV-012', 'packed', 'INDIRECT is used without INDIRECT_DESC', IS_INDIRECT, (device) =>
    device.has(INDIRECT_DESC),
  ),
  everyBuffer(
    'PACKED-DRV-013',
    'packed',
    'a flag besides WRITE stands in an indirect table',
    IS_INDIRECT,
    (device, queue) => {
      const at = (queue.availableAt + queue.size - 1) % queue.size;
      return (
        (queue.packedFlags(at) & INDIRECT) === 0 ||
        everyEntry(device, queue, at, (flags) => (flags & ~WRITE) === 0)
      );
    },
  ),
  everyBuffer(
    'PACKED-DRV-015',
    'packed',
    'an indirect descriptor is part of a list',
    IS_INDIRECT,
    (_device, _queue, chain) => chain.descriptors === 1,
  ),
];

const PERMISSION = 'a permission: whatever the device does is within it';

/** Virtqueues: split, packed, notifications, queue reset (2.6, 2.7, 2.8, 2.10). */
export const RINGS_CLAUSES: ClauseTable = {
  name: 'rings',
  checkers: CHECKERS,
  undecided: [
    { id: 'SPLIT-DEV-002', why: PERMISSION },
    { id: 'SPLIT-DEV-023', why: PERMISSION },
    { id: 'PACKED-DEV-010', why: PERMISSION },
    { id: 'SPLIT-DRV-017', why: 'what a driver makes of the bytes that it reads is not in the stream' },
    { id: 'SPLIT-DRV-018', why: 'what a driver makes of the bytes that it reads is not in the stream' },
    { id: 'PACKED-DEV-002', why: 'when a device counts a buffer as completed is its own to know' },
    { id: 'PACKED-DRV-006', why: 'what a device permits at most is nowhere said for all of them' },
    {
      id: 'PACKED-DRV-009',
      why: 'that a driver waited for room in the middle of a list shows as PACKED-DRV-010 only',
    },
    { id: 'PACKED-DRV-014', why: 'what a device permits at most is nowhere said for all of them' },
  ],
};
