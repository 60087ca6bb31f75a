import type { ClauseChecker } from '../clause.ts';
import { INTX, type RegisterAccess } from '../hooks.ts';
import type { ObservedQueue } from '../observed-queue.ts';
import type { VirtioFunction } from '../virtio-function.ts';

const STATUS = 0x14;
const DRIVER_FEATURE = 0x0c;
const CONFIG_VECTOR = 0x10;
const NUM_QUEUES = 0x12;
const GENERATION = 0x15;
const QUEUE_SELECT = 0x16;
const QUEUE_SIZE = 0x18;
const QUEUE_VECTOR = 0x1a;
const QUEUE_ENABLE = 0x1c;
const NOTIFY_OFF = 0x1e;
const ADDRESSES = 0x20;
const ADDRESSES_END = 0x38;
const QUEUE_RESET = 0x3a;
const ADMIN_INDEX = 0x3c;
const ADMIN_NUM = 0x3e;
const COMMON_BYTES = 64;
/** Registers that only the device writes: device_feature, num_queues, config_generation, queue_notify_off, … (4.1.4.3). */
const READ_ONLY: readonly number[] = [0x04, NUM_QUEUES, GENERATION, NOTIFY_OFF, 0x38, ADMIN_INDEX, ADMIN_NUM];
/** Width by offset; the addresses are written in halves of 4 bytes. */
const WIDTHS = new Uint8Array(COMMON_BYTES);
for (const offset of [0, 4, 8, 12, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34]) WIDTHS[offset] = 4;
for (let offset = 0x10; offset < 0x20; offset += 2) WIDTHS[offset] = 2;
for (let offset = 0x38; offset < 0x40; offset += 2) WIDTHS[offset] = 2;
WIDTHS[STATUS] = 1;
WIDTHS[GENERATION] = 1;

const NO_VECTOR = 0xffff;
/** Queues that a device has at most in QEMU; beyond, the register may show another queue than the one asked for. */
const QUEUES_SURE = 1024;
const RING_PACKED = 34;
const NOTIFICATION_DATA = 38;
const NOTIF_CONFIG_DATA = 39;
const RING_RESET = 40;
const ADMIN_VQ = 41;
const FEATURES_OK = 8;
const PCI_STATUS = 6;
const PCI_STATUS_INTERRUPT = 8;

function powerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}

/** The queue that is selected, where it is sure to be the one that the registers show. */
function selected(device: VirtioFunction): ObservedQueue | undefined {
  if (device.queueSelect >= (device.queueCount < 0 ? QUEUES_SURE : device.queueCount)) return undefined;
  return device.registers(device.queueSelect);
}

/** A whole access to one register of the common configuration. */
function isRegister(access: RegisterAccess, offset: number): boolean {
  return access.region === 'common' && access.offset === offset && access.width === WIDTHS[offset];
}

/** Judges the notification structure when features are settled. */
function notifyStructure(
  id: string,
  withData: boolean,
  fits: (offset: number, length: number, multiplier: number, queues: number) => boolean | undefined,
  sentence: string,
): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => ({
      onStatusWrite(value) {
        if ((value & ~device.status & FEATURES_OK) === 0 || !device.knowsOffer(NOTIFICATION_DATA)) return;
        const found = device.structure('notify');
        if (found === undefined || device.offers(NOTIFICATION_DATA) !== withData) return;
        const answer = fits(found.offset, found.length, found.multiplier, device.queueCount);
        if (answer !== undefined) clause.holds(answer, sentence);
      },
    }),
  };
}

/** Judges the place where a queue is notified whenever its offset is read. */
function notifyPlace(id: string, withData: boolean): ClauseChecker {
  const bytes = withData ? 4 : 2;
  return {
    id,
    judge: 'device',
    watch: (clause, device) => ({
      registers: [NOTIFY_OFF],
      onRegisterRead(access) {
        if (!isRegister(access, NOTIFY_OFF) || !device.knowsOffer(NOTIFICATION_DATA)) return;
        const found = device.structure('notify');
        if (found === undefined || found.length < 0 || found.multiplier < 0 || selected(device) === undefined)
          return;
        if (device.offers(NOTIFICATION_DATA) !== withData) return;
        const place = access.value * found.multiplier + bytes;
        clause.holds(
          place <= found.length,
          'a queue is notified at a place behind the notification structure',
        );
      },
    }),
  };
}

function evenPower(multiplier: number, least: number): boolean | undefined {
  if (multiplier < 0) return undefined;
  return multiplier === 0 || (powerOfTwo(multiplier) && multiplier >= least);
}

/** A vector was written; judges what is read back of it. */
function vectorReadBack(
  id: string,
  judges: (written: number, vectors: number) => boolean,
  holds: (written: number, value: number, vectors: number) => boolean,
  sentence: string,
): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ offset: -1, legacy: false, select: -1, written: 0, since: 0 });
      return {
        onReset() {
          seen.offset = -1;
        },
        onRegisterWrite(access) {
          const legacy = isLegacyVector(access, device);
          if (!legacy && !isRegister(access, CONFIG_VECTOR) && !isRegister(access, QUEUE_VECTOR)) return;
          seen.offset = access.offset;
          seen.legacy = legacy;
          seen.select = device.queueSelect;
          seen.written = access.value;
          seen.since = clause.event;
        },
        onRegisterRead(access) {
          const legacy = isLegacyVector(access, device);
          if (
            access.offset !== seen.offset ||
            (!legacy && access.region !== 'common') ||
            legacy !== seen.legacy
          )
            return;
          if (access.width !== 2 || device.vectors === 0 || !judges(seen.written, device.vectors)) return;
          const ofQueue = access.offset === (legacy ? 22 : QUEUE_VECTOR);
          const queue = selected(device);
          if (
            ofQueue &&
            (seen.select !== device.queueSelect || queue === undefined || queue.offeredSize === 0)
          )
            return;
          clause.holds(holds(seen.written, access.value, device.vectors), sentence, seen.since);
        },
      };
    },
  };
}

function isLegacyVector(access: RegisterAccess, device: VirtioFunction): boolean {
  const { region, offset, width } = access;
  return region === 'legacy' && device.msixEnabled && width === 2 && (offset === 20 || offset === 22);
}

function notifyRule(
  id: string,
  applies: (device: VirtioFunction) => boolean,
  holds: (value: number, width: number, index: number, queue: ObservedQueue) => boolean,
  sentence: string,
): ClauseChecker {
  return {
    id,
    judge: 'driver',
    watch: (clause, device) => ({
      onNotify(queue, index, value, width) {
        if (queue !== undefined && applies(device)) clause.holds(holds(value, width, index, queue), sentence);
      },
    }),
  };
}

/** Some live queue, or configuration changes, are mapped to a vector. */
function isMapped(device: VirtioFunction, vector: number): boolean {
  for (const queue of device.live) if (queue.vector === vector) return true;
  return device.configVector === vector;
}

/** Registers, notifications and interrupts (4.1.3, 4.1.4.3 to 4.1.4.10, 4.1.5). */
export const PCI_REGISTERS: readonly ClauseChecker[] = [
  {
    id: 'PCI-DRV-005',
    judge: 'driver',
    watch: (clause) => {
      const judge = (access: RegisterAccess): void => {
        const { region, offset, width } = access;
        if (region === 'common' && offset < COMMON_BYTES) {
          clause.holds(WIDTHS[offset] === width, 'a register is accessed with another width than it has');
        } else if (region === 'isr' && offset === 0)
          clause.holds(width === 1, 'the ISR is accessed with another width than it has');
      };
      return { onRegisterRead: judge, onRegisterWrite: judge };
    },
  },
  {
    id: 'PCI-DEV-009',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ offset: -1, select: -1, value: 0, since: 0 });
      return {
        onReset() {
          seen.offset = -1;
        },
        onQueueReset() {
          seen.offset = -1;
        },
        onRegisterWrite(access) {
          const { region, offset, width, value } = access;
          if (region !== 'common' || offset < ADDRESSES || offset >= ADDRESSES_END) return;
          seen.offset = -1;
          const queue = selected(device);
          if (
            width !== 4 ||
            (offset & 3) !== 0 ||
            queue === undefined ||
            queue.enabled ||
            queue.offeredSize === 0
          )
            return;
          seen.offset = offset;
          seen.select = device.queueSelect;
          seen.value = value;
          seen.since = clause.event;
        },
        onRegisterRead({ region, offset, width, value }) {
          if (
            region !== 'common' ||
            offset !== seen.offset ||
            width !== 4 ||
            seen.select !== device.queueSelect
          )
            return;
          clause.holds(
            value === seen.value,
            'half of a 64-bit register does not keep what was written to it',
            seen.since,
          );
        },
      };
    },
  },
  {
    id: 'PCI-DEV-018',
    judge: 'device',
    watch: (clause) => {
      const seen = clause.state({ low: -1, high: -1, legacy: false });
      return {
        onRegisterRead({ region }) {
          seen.legacy = region === 'legacy';
        },
        onFeaturesRead(word, value) {
          // The legacy window shows bits that the other does not.
          if (seen.legacy) return;
          if (word >= 4) clause.holds(value === 0, 'a word of features behind the last is not 0');
          else if (word === 0) {
            if (seen.low >= 0)
              clause.holds(value === seen.low, 'device_feature shows another word than before');
            seen.low = value;
          } else if (word === 1) {
            if (seen.high >= 0)
              clause.holds(value === seen.high, 'device_feature shows another word than before');
            seen.high = value;
          }
        },
      };
    },
  },
  {
    id: 'PCI-DEV-019',
    judge: 'device',
    watch: (clause, device) => ({
      registers: [DRIVER_FEATURE],
      onRegisterRead(access) {
        if (!isRegister(access, DRIVER_FEATURE)) return;
        const word = device.driverFeatureSelect;
        const accepted = word < 4 ? (device.accepted[word] ?? 0) : 0;
        const offered = device.offeredKnown[word] === 1 ? (device.offered[word] ?? 0) : 0xffff_ffff;
        const valid = (accepted & offered) >>> 0;
        const shown = access.value === accepted || access.value === valid;
        clause.holds(shown, 'driver_feature does not read back what was accepted');
      },
    }),
  },
  {
    id: 'PCI-DEV-021',
    judge: 'device',
    watch: (clause) => {
      const bytes = new Int16Array(256);
      const seen = clause.state({ changed: false, before: -1, since: 0 });
      return {
        registers: [GENERATION],
        onBegin() {
          bytes.fill(-1);
        },
        onReset() {
          bytes.fill(-1);
          seen.changed = false;
          seen.before = -1;
        },
        onDeviceConfigWrite(offset) {
          bytes.fill(-1, Math.min(offset, 255));
        },
        onDeviceConfigRead(offset, width, value) {
          for (let i = 0; i < Math.min(width, 4) && offset + i < 256; i++) {
            const byte = (value >>> (8 * i)) & 0xff;
            const before = bytes[offset + i] ?? -1;
            if (before >= 0 && before !== byte && !seen.changed) {
              seen.changed = true;
              seen.since = clause.event;
            }
            bytes[offset + i] = byte;
          }
        },
        onRegisterRead(access) {
          if (!isRegister(access, GENERATION)) return;
          if (seen.changed && seen.before >= 0) {
            clause.holds(
              access.value !== seen.before,
              'configuration changed and config_generation did not',
              seen.since,
            );
          }
          seen.changed = false;
          seen.before = access.value;
        },
      };
    },
  },
  {
    id: 'PCI-DEV-022',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ waited: false });
      return {
        registers: [STATUS],
        onReset() {
          seen.waited = false;
        },
        onIdle() {
          seen.waited = device.resetting;
        },
        onRegisterRead(access) {
          if (!isRegister(access, STATUS) || !device.resetting) return;
          if (access.value === 0) clause.applies();
          else if (seen.waited) clause.breaks('device_status does not read 0 after 0 was written');
        },
      };
    },
  },
  {
    id: 'PCI-DEV-023',
    judge: 'device',
    watch: (clause, device) => ({
      registers: [QUEUE_ENABLE],
      onRegisterRead(access) {
        if (!isRegister(access, QUEUE_ENABLE)) return;
        const queue = selected(device);
        if (queue === undefined || queue.enabled || device.misused !== '') return;
        clause.holds(access.value === 0, 'queue_enable is not 0 after a reset');
      },
    }),
  },
  {
    id: 'PCI-DEV-024',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ asked: false });
      return {
        onReset() {
          seen.asked = false;
        },
        onRegisterWrite(access) {
          if (
            access.region === 'common' &&
            access.offset >= QUEUE_RESET - 3 &&
            access.offset <= QUEUE_RESET + 1
          )
            seen.asked = true;
        },
        onRegisterRead(access) {
          if (!isRegister(access, QUEUE_RESET) || !device.offers(RING_RESET) || seen.asked) return;
          clause.holds(access.value === 0, 'queue_reset is not 0 after a device reset');
        },
      };
    },
  },
  {
    id: 'PCI-DEV-025',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ select: -1 });
      return {
        registers: [QUEUE_RESET],
        onReset() {
          seen.select = -1;
        },
        onQueueReset() {
          seen.select = -1;
        },
        onQueueEnable(queue) {
          seen.select = queue.index;
        },
        onRegisterRead(access) {
          if (
            !isRegister(access, QUEUE_RESET) ||
            !device.has(RING_RESET) ||
            seen.select !== device.queueSelect
          )
            return;
          clause.holds(access.value === 0, 'queue_reset is not 0 after queue_enable was written');
        },
      };
    },
  },
  {
    id: 'PCI-DEV-026',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ index: -1, from: 0, to: 0, waited: false, since: 0 });
      return {
        onReset() {
          seen.index = -1;
        },
        onQueueEnable() {
          seen.index = -1;
        },
        onQueueReset(queue) {
          if (!device.has(RING_RESET) || device.legacy) return;
          clause.applies();
          seen.index = queue.index;
          seen.from = queue.driverArea;
          seen.to = queue.driverArea + queue.driverBytes;
          seen.waited = false;
          seen.since = clause.event;
        },
        onIdle() {
          seen.waited = true;
        },
        onDma({ address, queue }) {
          if (
            seen.index < 0 ||
            !seen.waited ||
            queue !== undefined ||
            address < seen.from ||
            address >= seen.to
          )
            return;
          clause.breaks('the device goes on with a queue that was reset', seen.since);
        },
      };
    },
  },
  {
    id: 'PCI-DEV-027',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ index: -1, from: 0, to: 0, done: false, since: 0 });
      return {
        registers: [QUEUE_RESET],
        onReset() {
          seen.index = -1;
        },
        onQueueEnable() {
          seen.index = -1;
        },
        onQueueReset(queue) {
          if (!device.has(RING_RESET) || device.legacy) return;
          seen.index = queue.index;
          seen.from = queue.driverArea;
          seen.to = queue.driverArea + queue.driverBytes;
          seen.done = false;
          seen.since = clause.event;
        },
        onRegisterRead(access) {
          if (!isRegister(access, QUEUE_RESET) || seen.index !== device.queueSelect) return;
          clause.holds(access.value <= 1, 'queue_reset is neither 0 nor 1', seen.since);
          seen.done = access.value === 0;
        },
        onDma({ address, queue }) {
          if (
            seen.index < 0 ||
            !seen.done ||
            queue !== undefined ||
            address < seen.from ||
            address >= seen.to
          )
            return;
          clause.breaks('queue_reset read 0 and the queue is still being reset', seen.since);
        },
      };
    },
  },
  {
    id: 'PCI-DEV-028',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ index: -1, done: false });
      return {
        registers: [QUEUE_RESET, QUEUE_ENABLE],
        onReset() {
          seen.index = -1;
        },
        onQueueEnable() {
          seen.index = -1;
        },
        onQueueReset(queue) {
          seen.index = device.has(RING_RESET) && !device.legacy ? queue.index : -1;
          seen.done = false;
        },
        onIdle() {
          seen.done = true;
        },
        onRegisterRead(access) {
          if (seen.index < 0 || seen.index !== device.queueSelect) return;
          if (isRegister(access, QUEUE_RESET) && access.value === 0) seen.done = true;
          if (!seen.done) return;
          if (isRegister(access, QUEUE_RESET) || isRegister(access, QUEUE_ENABLE)) {
            clause.holds(
              access.value === 0,
              'queue_reset and queue_enable are not both 0 after the queue was reset',
            );
          }
        },
      };
    },
  },
  {
    id: 'PCI-DEV-029',
    judge: 'device',
    watch: (clause, device) => ({
      registers: [QUEUE_SIZE],
      onRegisterRead(access) {
        if (
          !isRegister(access, QUEUE_SIZE) ||
          device.queueCount < 0 ||
          device.queueSelect < device.queueCount
        )
          return;
        clause.holds(access.value === 0, 'queue_size of a queue that there is not is not 0');
      },
    }),
  },
  {
    id: 'PCI-DEV-030',
    judge: 'device',
    watch: (clause, device) => ({
      registers: [QUEUE_SIZE],
      onRegisterRead(access) {
        if (!isRegister(access, QUEUE_SIZE) || device.has(RING_PACKED)) return;
        clause.holds(access.value === 0 || powerOfTwo(access.value), 'queue_size is no power of two');
      },
    }),
  },
  {
    id: 'PCI-DEV-031',
    judge: 'device',
    watch: (clause, device) => ({
      registers: [ADMIN_INDEX],
      onRegisterRead(access) {
        if (!isRegister(access, ADMIN_INDEX) || !device.offers(ADMIN_VQ) || device.queueCount < 0) return;
        clause.holds(access.value >= device.queueCount, 'admin_queue_index is below num_queues');
      },
    }),
  },
  {
    id: 'PCI-DEV-032',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ index: -1 });
      return {
        registers: [ADMIN_INDEX, ADMIN_NUM],
        onRegisterRead(access) {
          if (isRegister(access, ADMIN_INDEX)) seen.index = access.value;
          if (!isRegister(access, ADMIN_NUM) || !device.offers(ADMIN_VQ) || seen.index < 0) return;
          clause.holds(
            access.value <= 0x1_0000 - seen.index,
            'administration queues go on behind the last queue index',
          );
        },
      };
    },
  },
  {
    id: 'PCI-DRV-016',
    judge: 'driver',
    watch: (clause) => ({
      onRegisterWrite({ region, offset }) {
        if (region === 'common')
          clause.holds(!READ_ONLY.includes(offset), 'a register is written that only the device writes');
      },
    }),
  },
  {
    id: 'PCI-DRV-017',
    judge: 'driver',
    watch: (clause, device) => ({
      registers: [QUEUE_SIZE],
      onRegisterWrite(access) {
        if (!isRegister(access, QUEUE_SIZE) || !device.has(RING_PACKED)) return;
        clause.holds(access.value !== 0, 'queue_size 0 is written');
      },
    }),
  },
  {
    id: 'PCI-DRV-018',
    judge: 'driver',
    watch: (clause, device) => ({
      registers: [QUEUE_SIZE],
      onRegisterWrite(access) {
        if (!isRegister(access, QUEUE_SIZE) || device.has(RING_PACKED)) return;
        clause.holds(powerOfTwo(access.value), 'a queue_size that is no power of two is written');
      },
    }),
  },
  {
    id: 'PCI-DRV-019',
    judge: 'driver',
    watch: (clause, device) => ({
      onQueueEnable() {
        if (!device.legacy) clause.applies();
      },
      onRegisterWrite({ region, offset }) {
        if (region !== 'common' || offset < QUEUE_SIZE || offset >= QUEUE_RESET) return;
        if (offset === QUEUE_ENABLE || selected(device)?.enabled !== true) return;
        clause.breaks('a queue is configured after queue_enable');
      },
    }),
  },
  {
    id: 'PCI-DRV-020',
    judge: 'driver',
    watch: (clause, device) => ({
      onRegisterRead(access) {
        if (isRegister(access, STATUS) && device.resetting && access.value === 0) clause.applies();
      },
      onRegisterWrite(access) {
        if (access.region !== 'common' || !device.resetting) return;
        if (access.offset === STATUS && access.value === 0) return;
        clause.breaks('the driver goes on before device_status reads 0');
      },
    }),
  },
  {
    id: 'PCI-DRV-021',
    judge: 'driver',
    watch: (clause) => ({
      registers: [QUEUE_ENABLE],
      onRegisterWrite(access) {
        if (isRegister(access, QUEUE_ENABLE))
          clause.holds(access.value !== 0, '0 is written to queue_enable');
      },
    }),
  },
  {
    id: 'PCI-DRV-022',
    judge: 'driver',
    watch: (clause, device) => {
      const seen = clause.state({ index: -1, since: 0 });
      return {
        onReset() {
          seen.index = -1;
        },
        onQueueReset(queue) {
          if (!device.has(RING_RESET) || device.legacy) return;
          seen.index = queue.index;
          seen.since = clause.event;
        },
        onRegisterRead(access) {
          if (!isRegister(access, QUEUE_RESET) || seen.index !== device.queueSelect || access.value !== 0)
            return;
          clause.applies();
          seen.index = -1;
        },
        onRegisterWrite({ region, offset }) {
          if (region !== 'common' || seen.index < 0 || seen.index !== device.queueSelect) return;
          if (offset >= QUEUE_SIZE && offset < QUEUE_RESET) {
            clause.breaks('the driver goes on with a queue before queue_reset reads 0', seen.since);
          }
        },
      };
    },
  },
  {
    id: 'PCI-DRV-025',
    judge: 'driver',
    watch: (clause, device) => {
      const seen = clause.state({ index: -1, count: 0 });
      return {
        registers: [ADMIN_INDEX, ADMIN_NUM],
        onRegisterRead(access) {
          if (isRegister(access, ADMIN_INDEX)) seen.index = access.value;
          if (isRegister(access, ADMIN_NUM)) seen.count = access.value;
        },
        onQueueEnable(queue) {
          if (!device.has(ADMIN_VQ) || device.queueCount < 0 || queue.index < device.queueCount) return;
          const inside = queue.index >= seen.index && queue.index < seen.index + seen.count;
          clause.holds(
            seen.index >= 0 && inside,
            'an administration queue outside the announced range is set up',
          );
        },
      };
    },
  },
  notifyStructure(
    'PCI-DEV-034',
    false,
    (offset) => offset % 2 === 0,
    'the notification structure is not aligned to 2 bytes',
  ),
  notifyStructure(
    'PCI-DEV-035',
    false,
    (_offset, _length, multiplier) => evenPower(multiplier, 2),
    'notify_off_multiplier is neither 0 nor an even power of two',
  ),
  notifyStructure(
    'PCI-DEV-036',
    false,
    (_offset, length) => (length < 0 ? undefined : length >= 2),
    'the notification structure is shorter than 2 bytes',
  ),
  notifyPlace('PCI-DEV-037', false),
  notifyPlace('PCI-DEV-038', false),
  notifyStructure(
    'PCI-DEV-039',
    true,
    (_offset, _length, multiplier) => evenPower(multiplier, 4),
    'notify_off_multiplier is neither 0 nor a power of two from 4 on',
  ),
  notifyStructure(
    'PCI-DEV-040',
    true,
    (offset) => offset % 4 === 0,
    'the notification structure is not aligned to 4 bytes',
  ),
  notifyStructure(
    'PCI-DEV-041',
    true,
    (_offset, length) => (length < 0 ? undefined : length >= 4),
    'the notification structure is shorter than 4 bytes',
  ),
  notifyPlace('PCI-DEV-042', true),
  notifyPlace('PCI-DEV-043', true),
  {
    id: 'PCI-DEV-045',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ told: false, since: 0 });
      return {
        onReset() {
          seen.told = false;
        },
        onInterrupt(vector, level) {
          if (level !== 2 || vector !== device.configVector) return;
          for (const queue of device.live) if (queue.vector === vector) return;
          seen.told = true;
          seen.since = clause.event;
        },
        onIsrRead(value) {
          if (seen.told)
            clause.holds(
              (value & 2) !== 0,
              'a configuration change was notified without its bit in the ISR',
              seen.since,
            );
          seen.told = false;
        },
      };
    },
  },
  {
    id: 'PCI-DEV-046',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ raised: false, since: 0 });
      return {
        onReset() {
          seen.raised = false;
        },
        onInterrupt(vector, level) {
          if (vector !== INTX) return;
          seen.raised = level === 1 && !device.msixEnabled;
          seen.since = clause.event;
        },
        onRegisterRead() {
          // The line falls while the ISR is read, and that is told first.
          if (device.line === 0) return;
          seen.raised = seen.raised && !device.msixEnabled;
        },
        onIsrRead(value) {
          if (device.line === 1 && !device.msixEnabled) {
            clause.holds(value !== 0, 'the interrupt line is up and the ISR shows no reason', seen.since);
          } else if (value !== 0 && !device.msixEnabled) clause.applies();
        },
      };
    },
  },
  {
    id: 'PCI-DEV-047',
    judge: 'device',
    watch: (clause, device) => ({
      onConfigSpaceRead(offset, width, value) {
        const covers = offset <= PCI_STATUS && offset + width > PCI_STATUS;
        if (!covers || device.msixEnabled || !device.canInterrupt(0) || device.surroundings.event === 0)
          return;
        const shown = ((value >>> (8 * (PCI_STATUS - offset))) & PCI_STATUS_INTERRUPT) !== 0;
        clause.holds(
          shown === (device.line === 1),
          'the interrupt bit of the PCI status is not as the line is',
        );
      },
    }),
  },
  {
    id: 'PCI-DEV-048',
    judge: 'device',
    watch: (clause) => {
      const seen = clause.state({ quiet: false });
      const stir = (): void => {
        seen.quiet = false;
      };
      return {
        onReset: stir,
        onRegisterWrite: stir,
        onConfigSpaceWrite: stir,
        onIdle: stir,
        onHostInput: stir,
        onDma: stir,
        onInterrupt(_vector, level) {
          if (level !== 0) seen.quiet = false;
        },
        onIsrRead(value) {
          if (seen.quiet) clause.holds(value === 0, 'the ISR was read and is not 0');
          seen.quiet = true;
        },
      };
    },
  },
  {
    id: 'PCI-DRV-027',
    judge: 'driver',
    watch: (clause, device) => ({
      onInterrupt(_vector, level) {
        if (level === 2 && device.msixEnabled) clause.applies();
      },
      onIsrRead() {
        if (device.msixEnabled && device.running) clause.breaks('the ISR is read with MSI-X on');
      },
    }),
  },
  {
    id: 'PCI-DEV-060',
    judge: 'device',
    watch: (clause, device) => {
      // What the selectors show: -1 unknown. Windowed stores show there as any other.
      const shown = new Float64Array(COMMON_BYTES);
      const seen = clause.state({ offset: -1, value: 0, since: 0 });
      const isSelector = (offset: number): boolean => offset === 0 || offset === 8 || offset === QUEUE_SELECT;
      return {
        onBegin() {
          shown.fill(-1);
        },
        onReset() {
          shown.fill(-1);
          seen.offset = -1;
        },
        onRegisterWrite({ region, offset, width, value, windowed, bar }) {
          const common = device.structure('common');
          if (region === 'common' && isSelector(offset)) {
            seen.offset = windowed && width === WIDTHS[offset] && value < QUEUES_SURE ? offset : -1;
            seen.value = value;
            seen.since = clause.event;
            shown[offset] = -1;
          }
          if (!windowed || region !== 'none' || common === undefined || bar === common.bar) return;
          const place = offset - common.offset;
          if (
            !isSelector(place) ||
            width !== WIDTHS[place] ||
            (shown[place] ?? -1) < 0 ||
            value === shown[place]
          )
            return;
          seen.offset = place;
          seen.value = shown[place] ?? 0;
          seen.since = clause.event;
        },
        onRegisterRead({ region, offset, width, value, windowed }) {
          if (region !== 'common' || !isSelector(offset) || width !== WIDTHS[offset] || windowed) return;
          if (offset === seen.offset) {
            clause.holds(
              value === seen.value,
              'a store through the configuration window does not do what it says',
              seen.since,
            );
          }
          seen.offset = -1;
          shown[offset] = value;
        },
      };
    },
  },
  {
    id: 'PCI-DEV-061',
    judge: 'device',
    watch: (clause, device) => {
      const shown = new Float64Array(COMMON_BYTES);
      const isStable = (offset: number): boolean =>
        offset === 0 || offset === 8 || offset === NUM_QUEUES || offset === QUEUE_SELECT;
      return {
        onBegin() {
          shown.fill(-1);
        },
        onReset() {
          shown.fill(-1);
        },
        onRegisterWrite({ region, offset, windowed }) {
          if (region === 'common' || windowed)
            shown.fill(
              -1,
              region === 'common' ? Math.min(offset, 63) : 0,
              region === 'common' ? Math.min(offset, 63) + 1 : 64,
            );
        },
        onRegisterRead({ region, offset, width, value, windowed, bar }) {
          const common = device.structure('common');
          if (region === 'common' && isStable(offset) && width === WIDTHS[offset]) {
            const before = shown[offset] ?? -1;
            if (windowed && before >= 0)
              clause.holds(value === before, 'a load through the configuration window shows something else');
            if (!windowed) shown[offset] = value;
          }
          if (!windowed || region !== 'none' || common === undefined || bar === common.bar || value === 0)
            return;
          const place = offset - common.offset;
          if (isStable(place) && value === shown[place])
            clause.breaks('a load through the configuration window reads another BAR than it names');
        },
      };
    },
  },
  windowRule(
    'PCI-DRV-030',
    (_region, offset, length) => length > 0 && offset % length === 0,
    'the window’s offset is no multiple of its length',
  ),
  windowRule(
    'PCI-DRV-031',
    (_region, offset, length, width) => length > 0 && offset % length === 0 && width >= length,
    'an access through the window is not aligned',
  ),
  windowRule('PCI-DRV-032', (inside) => inside, 'the window is used where no structure is'),
  {
    id: 'PCIL-DEV-005',
    judge: 'device',
    watch: (clause, device) => {
      const bytes = new Int16Array(256).fill(-1);
      const widths = new Uint8Array(256);
      let any = false;
      const forget = (): void => {
        if (any) bytes.fill(-1);
        any = false;
      };
      return {
        onBegin: forget,
        onReset: forget,
        onDeviceConfigWrite: forget,
        onHostInput: forget,
        onIdle: forget,
        onDma: forget,
        onConfigSpaceWrite: forget,
        onRegisterRead({ region, offset, width, value }) {
          const at = offset - device.legacyConfigAt;
          if (region !== 'legacy' || at < 0 || width > 4) return;
          for (let i = 0; i < width && at + i < 256; i++) {
            const byte = (value >>> (8 * i)) & 0xff;
            const before = bytes[at + i] ?? -1;
            if (before >= 0 && widths[at + i] !== width)
              clause.holds(before === byte, 'device configuration differs by the width of the access');
            bytes[at + i] = byte;
            any = true;
            widths[at + i] = width;
          }
        },
      };
    },
  },
  {
    id: 'PCIL-DRV-003',
    judge: 'driver',
    watch: (clause, device) => ({
      onDeviceConfigRead() {
        if (device.legacy) clause.applies();
      },
      onRegisterRead({ region, offset, width }) {
        if (region !== 'legacy' || !device.msixEnabled || offset < 20 || offset >= 24) return;
        if (width !== 2 || (offset & 1) !== 0)
          clause.breaks('the vectors are read as if they were device configuration');
      },
    }),
  },
  {
    id: 'PCIL-DEV-006',
    judge: 'device',
    watch: (clause, device) => {
      const bytes = new Int16Array(256);
      const msix = new Uint8Array(256);
      const forget = (): void => {
        bytes.fill(-1);
      };
      return {
        onBegin: forget,
        onReset: forget,
        onDeviceConfigWrite: forget,
        onHostInput: forget,
        onRegisterRead({ region, offset, width, value }) {
          const at = offset - device.legacyConfigAt;
          if (region !== 'legacy' || at < 0 || width > 4) return;
          const state = device.msixEnabled ? 1 : 0;
          for (let i = 0; i < width && at + i < 256; i++) {
            const byte = (value >>> (8 * i)) & 0xff;
            const before = bytes[at + i] ?? -1;
            if (before >= 0 && msix[at + i] !== state)
              clause.holds(before === byte, 'device configuration does not move with MSI-X');
            bytes[at + i] = byte;
            msix[at + i] = state;
          }
        },
      };
    },
  },
  {
    id: 'PCIL-DEV-007',
    judge: 'device',
    watch: (clause, device) => ({
      onUsed() {
        if (device.legacy) clause.applies();
      },
      onUsedUnknown(queue, id) {
        if (!device.legacy || queue.little || queue.broken !== '' || device.misused !== '') return;
        const turned = ((id >>> 24) & 0xff) | ((id >>> 8) & 0xff00);
        if (queue.chain(turned)?.inFlight === true)
          clause.breaks('a device in legacy use lays its ring out as with VERSION_1');
      },
    }),
  },
  {
    id: 'MSIX-DEV-002',
    judge: 'device',
    watch: (clause, device) => ({
      onInterrupt(vector, level) {
        if (level === 2 && vector >= 0 && device.vectors > 0)
          clause.holds(vector < device.vectors, 'a message has a vector behind the table');
      },
    }),
  },
  vectorReadBack(
    'MSIX-DEV-004',
    (written, vectors) => written < vectors,
    (written, value) => value === written,
    'an event is not mapped to a vector that the table has',
  ),
  vectorReadBack(
    'MSIX-DEV-005',
    (written) => written === NO_VECTOR,
    (_written, value) => value === NO_VECTOR,
    'an event is not unmapped by NO_VECTOR',
  ),
  vectorReadBack(
    'MSIX-DEV-006',
    () => true,
    (_written, value, vectors) => value < vectors || value === NO_VECTOR,
    'a vector register shows neither a vector nor NO_VECTOR',
  ),
  {
    id: 'MSIX-DEV-007',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ config: false });
      const written = new Set<number>();
      return {
        onBegin() {
          written.clear();
        },
        onReset() {
          written.clear();
          seen.config = false;
        },
        onRegisterWrite(access) {
          if (isRegister(access, CONFIG_VECTOR) || isLegacyVector(access, device)) seen.config = true;
          if (isRegister(access, QUEUE_VECTOR) || isLegacyVector(access, device))
            written.add(device.queueSelect);
        },
        onRegisterRead(access) {
          const config = isRegister(access, CONFIG_VECTOR) && !seen.config;
          const queue =
            isRegister(access, QUEUE_VECTOR) &&
            !written.has(device.queueSelect) &&
            selected(device) !== undefined;
          if (config || queue) clause.holds(access.value === NO_VECTOR, 'an event is mapped after a reset');
        },
      };
    },
  },
  vectorReadBack(
    'MSIX-DEV-009',
    (written, vectors) => written >= vectors && written !== NO_VECTOR,
    (_written, value) => value === NO_VECTOR,
    'a vector behind the table does not read back as NO_VECTOR',
  ),
  {
    id: 'MSIX-DRV-004',
    judge: 'driver',
    watch: (clause, device) => ({
      onRegisterWrite(access) {
        if (
          !isRegister(access, CONFIG_VECTOR) &&
          !isRegister(access, QUEUE_VECTOR) &&
          !isLegacyVector(access, device)
        )
          return;
        if (device.vectors === 0) return;
        const inside = access.value < device.vectors || access.value === NO_VECTOR;
        clause.holds(inside, 'a vector behind the table is written');
      },
    }),
  },
  {
    id: 'MSIX-DRV-005',
    judge: 'driver',
    watch: (clause, device) => ({
      onDriverOk() {
        if (!device.msixEnabled) return;
        for (const queue of device.live) {
          if (queue.vector === NO_VECTOR && queue.vectorRead < 0) continue;
          clause.holds(queue.vectorRead >= 0, 'a vector is set and not read back');
        }
      },
    }),
  },
  notifyRule(
    'NTFY-DRV-001',
    (device) => !device.has(NOTIFICATION_DATA),
    (_value, width) => width === 2,
    'a queue is notified by a store of another width than 16 bits',
  ),
  notifyRule(
    'NTFY-DRV-002',
    (device) => device.has(NOTIFICATION_DATA),
    (_value, width) => width === 4,
    'a queue is notified by a store of another width than 32 bits, with NOTIFICATION_DATA',
  ),
  notifyRule(
    'NTFY-DRV-003',
    (device) => !device.has(NOTIFICATION_DATA) && !device.has(NOTIF_CONFIG_DATA),
    (value, _width, index) => value === index,
    'a notification does not carry the index of its queue',
  ),
  notifyRule(
    'NTFY-DRV-004',
    (device) => device.has(NOTIFICATION_DATA) && !device.has(NOTIF_CONFIG_DATA),
    (value, _width, index) => (value & 0xffff) === index,
    'the low half of a notification is not the index of its queue',
  ),
  notifyRule(
    'NTFY-DRV-005',
    (device) => !device.has(NOTIFICATION_DATA) && device.has(NOTIF_CONFIG_DATA),
    (value, _width, _index, queue) => queue.notifyData < 0 || value === queue.notifyData,
    'a notification does not carry queue_notif_config_data',
  ),
  notifyRule(
    'NTFY-DRV-006',
    (device) => device.has(NOTIFICATION_DATA) && device.has(NOTIF_CONFIG_DATA),
    (value, _width, _index, queue) => queue.notifyData < 0 || (value & 0xffff) === queue.notifyData,
    'the low half of a notification is not queue_notif_config_data',
  ),
  {
    id: 'NTFY-DEV-001',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ used: false, since: 0 });
      return {
        onAction() {
          seen.used = false;
        },
        onUsed(queue) {
          if (!device.msixEnabled || queue.vector !== NO_VECTOR || queue.broken !== '') return;
          seen.used = true;
          seen.since = clause.event;
          clause.applies();
        },
        onInterrupt(vector, level) {
          if (!seen.used || level === 0 || device.tableTouched || !device.msixEnabled) return;
          if (vector === INTX || (vector >= 0 && !isMapped(device, vector))) {
            clause.breaks('a queue without a vector interrupts', seen.since);
          }
        },
      };
    },
  },
  {
    id: 'NTFY-DEV-003',
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ used: false });
      return {
        registers: [GENERATION],
        onAction() {
          seen.used = false;
        },
        onUsed() {
          seen.used = true;
        },
        onRegisterRead(access) {
          if (isRegister(access, GENERATION) && device.msixEnabled && device.configVector === NO_VECTOR)
            clause.applies();
        },
        onInterrupt(vector, level) {
          if (
            seen.used ||
            level === 0 ||
            device.tableTouched ||
            !device.msixEnabled ||
            device.configVector !== NO_VECTOR
          )
            return;
          if (vector === INTX || (vector >= 0 && !isMapped(device, vector))) {
            clause.breaks('a configuration change without a vector interrupts');
          }
        },
      };
    },
  },
];

/** What the driver does with `pci_cfg_data`: every access to it, by what the window's registers say. */
function windowRule(
  id: string,
  holds: (inside: boolean, offset: number, length: number, width: number) => boolean,
  sentence: string,
): ClauseChecker {
  return {
    id,
    judge: 'driver',
    watch: (clause, device) => {
      const judge = (at: number, width: number): void => {
        const { windowAt } = device;
        if (windowAt === 0 || at + width <= windowAt + 16 || at >= windowAt + 20) return;
        // Whoever reads all of configuration space reads this too: a window that was never set up is none.
        const length = device.configWord(windowAt + 12);
        const offset = device.configWord(windowAt + 8);
        if (!set.up) return;
        clause.holds(holds(inStructure(device, offset, length), offset, length, width), sentence);
      };
      const set = clause.state({ up: false });
      return {
        onConfigSpaceRead: judge,
        onConfigSpaceWrite(at, width) {
          const { windowAt } = device;
          if (windowAt !== 0 && at >= windowAt + 4 && at < windowAt + 16) set.up = true;
          judge(at, width);
        },
      };
    },
  };
}

function inStructure(device: VirtioFunction, offset: number, length: number): boolean {
  const bar = device.config[device.windowAt + 4] ?? 0;
  if (bar === 0 && device.barIsPorts(0)) return device.configHalf(2) < 0x1040;
  return device.structures.some(
    (one) =>
      one.bar === bar &&
      offset >= one.offset &&
      (one.length < 0 || offset + length <= one.offset + one.length),
  );
}
