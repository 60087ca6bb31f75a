import type { ClauseTable } from '../clause.ts';
import { INTX } from '../hooks.ts';
import type { ObservedQueue } from '../observed-queue.ts';
import type { VirtioFunction } from '../virtio-function.ts';

const ACKNOWLEDGE = 1;
const DRIVER = 2;
const DRIVER_OK = 4;
const FEATURES_OK = 8;
const SUSPEND = 16;
const NEEDS_RESET = 64;
const FAILED = 128;
/** VIRTIO_F_SUSPEND (6). */
const F_SUSPEND = 43;
const BLK = 2;
const RNG = 4;
const NET = 1;
const BLK_F_CONFIG_WCE = 11;
const BLK_WRITEBACK = 32;
const MAC_BYTES = 6;

/** A step of initialization was skipped, or taken before the one that it needs. */
function skipsAStep(value: number, legacy: boolean): boolean {
  if ((value & DRIVER) !== 0 && (value & ACKNOWLEDGE) === 0) return true;
  if ((value & FEATURES_OK) !== 0 && (value & DRIVER) === 0) return true;
  return (value & DRIVER_OK) !== 0 && ((value & DRIVER) === 0 || (!legacy && (value & FEATURES_OK) === 0));
}

/** The device is suspended: it shows SUSPEND and has taken DRIVER_OK back. */
function isSuspended(status: number): boolean {
  return (status & SUSPEND) !== 0 && (status & DRIVER_OK) === 0;
}

/** Everything on offer is as it should be, on every queue: one that is not may stop the device. */
function isSound(device: VirtioFunction): boolean {
  return device.live.every((queue) => isServable(device, queue));
}

/** What a queue has on offer are requests with their fixed parts. */
function isServable(device: VirtioFunction, queue: ObservedQueue): boolean {
  let fine = true;
  queue.eachInFlight((chain) => {
    const { readableBytes, writableBytes, misordered } = chain;
    if (device.type === BLK) fine &&= readableBytes >= 16 && writableBytes >= 1;
    else if (device.type === NET && queue.index % 2 === 0) fine &&= readableBytes === 0 && writableBytes > 12;
    else if (device.type === NET) fine &&= readableBytes > 12 && writableBytes === 0;
    else fine &&= writableBytes >= 1;
    fine &&= !misordered;
  });
  return fine;
}

/** A ring of the device is beyond the specification, and with it may be all of them. */
function anyBroken(device: VirtioFunction): boolean {
  return device.live.some((queue) => queue.broken !== '');
}

/** A queue that the device serves with whatever it is given, without waiting for anything from outside. */
function servesAtOnce(device: VirtioFunction, queue: ObservedQueue): boolean {
  if (device.type === NET) return queue.index % 2 === 1;
  return device.type === BLK || device.type === RNG;
}

/** Device status (2.1), reset (2.4), initialization (3.1), clean-up (3.3), suspension (3.4). */
export const STATUS_CLAUSES: ClauseTable = {
  name: 'status',
  checkers: [
    {
      id: 'STAT-DRV-001',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if (value === 0 || (value & ~device.status & (DRIVER | FEATURES_OK | DRIVER_OK)) === 0) return;
          clause.holds(!skipsAStep(value, device.legacy), 'status records a step and not one before it');
        },
      }),
    },
    {
      id: 'STAT-DRV-002',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if (value === 0) return;
          const kept = device.status & ~NEEDS_RESET & ~SUSPEND;
          clause.holds((kept & ~value) === 0, 'a write that is no reset clears a status bit');
        },
      }),
    },
    {
      id: 'STAT-DRV-003',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if ((device.status & FAILED) === 0) return;
          const goesOn =
            value !== 0 && (value & ~device.status & (ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)) !== 0;
          clause.holds(!goesOn, 'after FAILED the driver goes on without a reset');
        },
      }),
    },
    {
      id: 'STAT-DEV-001',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ ran: false });
        const early = (): boolean => !seen.ran && device.modern && !device.legacy;
        return {
          onReset() {
            seen.ran = false;
          },
          onDriverOk() {
            seen.ran = true;
            if (device.modern && device.live.length > 0) clause.applies();
          },
          onNotify(queue) {
            if (queue !== undefined && early()) clause.applies();
          },
          onTaken() {
            if (early()) clause.breaks('the device takes a buffer before DRIVER_OK');
          },
          onUsed() {
            if (early()) clause.breaks('the device uses a buffer before DRIVER_OK');
          },
        };
      },
    },
    {
      id: 'STAT-DEV-002',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ owed: false, since: 0 });
        return {
          onRingBroken(_queue, fault, byDevice) {
            if (!byDevice || fault === 'reused' || !device.running) return;
            seen.owed = true;
            seen.since = clause.event;
          },
          onStatusWrite() {
            // What the driver stores there hides what the device has to say.
            seen.owed = false;
          },
          onReset() {
            seen.owed = false;
          },
          onQueueReset() {
            seen.owed = false;
          },
          onStatusRead(value) {
            if (!seen.owed) return;
            seen.owed = false;
            const raised = (value & NEEDS_RESET) !== 0;
            clause.holds(
              raised,
              'the device has read a ring that makes no sense and shows no DEVICE_NEEDS_RESET',
              seen.since,
            );
          },
        };
      },
    },
    {
      id: 'STAT-DEV-003',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ told: false });
        return {
          onStatusWrite() {
            seen.told = false;
          },
          onReset() {
            seen.told = false;
          },
          onInterrupt(vector, level) {
            if (level === 0) return;
            if (vector === INTX || vector === device.configVector) seen.told = true;
          },
          onStatusRead(value, before) {
            const raised = (value & ~before & NEEDS_RESET) !== 0 && (before & DRIVER_OK) !== 0;
            if (raised && device.canInterrupt(device.configVector)) {
              const told = seen.told || (!device.msixEnabled && device.line === 1);
              clause.holds(
                told,
                'DEVICE_NEEDS_RESET appears after DRIVER_OK and no configuration change was notified',
              );
            }
            if ((value & NEEDS_RESET) === 0) seen.told = false;
          },
        };
      },
    },
    {
      id: 'RESET-DEV-001',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ waited: false });
        return {
          onReset() {
            seen.waited = false;
          },
          onIdle() {
            seen.waited = device.resetting;
          },
          onResetDone() {
            clause.applies();
          },
          onStatusRead(value) {
            if (device.resetting && seen.waited && value !== 0) {
              clause.breaks('status does not read 0 after a reset, though the device had its time');
            }
          },
        };
      },
    },
    {
      id: 'RESET-DEV-002',
      judge: 'device',
      watch: (clause) => {
        const seen = clause.state({ off: false, since: 0 });
        return {
          onResetDone() {
            seen.off = true;
            seen.since = clause.event;
            clause.applies();
          },
          onQueueEnable() {
            seen.off = false;
          },
          onMachineReset() {
            seen.off = false;
          },
          onDriverOk() {
            seen.off = false;
          },
          onDma(access) {
            if (seen.off && !access.message)
              clause.breaks('the device reaches for memory after its reset is done', seen.since);
          },
          onInterrupt(_vector, level) {
            if (seen.off && level !== 0)
              clause.breaks('the device notifies after its reset is done', seen.since);
          },
        };
      },
    },
    {
      id: 'RESET-DRV-001',
      judge: 'driver',
      watch: (clause, device) => ({
        onResetDone() {
          clause.applies();
        },
        onStatusWrite(value) {
          if (device.resetting && value !== 0) clause.breaks('the driver goes on before status read 0');
        },
      }),
    },
    {
      id: 'INIT-DRV-001',
      judge: 'driver',
      watch: (clause, device) => {
        const seen = clause.state({ leaps: false, early: false, features: false });
        return {
          onReset() {
            seen.leaps = false;
            seen.early = false;
            seen.features = false;
          },
          onFeaturesWrite() {
            seen.features = true;
            if ((device.status & DRIVER) === 0) seen.early = true;
          },
          onStatusWrite(value) {
            const set = value & ~device.status & (ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
            if ((set & (set - 1)) !== 0) seen.leaps = true;
            if ((set & DRIVER_OK) === 0) return;
            const inOrder = !skipsAStep(value, device.legacy) && !seen.leaps && !seen.early && seen.features;
            clause.holds(
              inOrder && !device.confirming,
              'DRIVER_OK comes without all steps before it, one by one',
            );
          },
          onQueueEnable() {
            if (!device.legacy && (device.status & FEATURES_OK) === 0) seen.early = true;
          },
        };
      },
    },
    {
      id: 'INIT-DRV-003',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if (!device.legacy && (value & ~device.status & FEATURES_OK) !== 0) clause.applies();
        },
        onDeviceConfigWrite() {
          if (device.legacy || (device.status & DRIVER) === 0 || (device.status & FEATURES_OK) !== 0) return;
          clause.breaks('device configuration is written while features are selected');
        },
      }),
    },
    {
      id: 'INIT-DRV-004',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if (!device.legacy && (value & ~device.status & FEATURES_OK) !== 0) clause.applies();
        },
        onFeaturesWrite() {
          if (device.legacy || (device.status & FEATURES_OK) === 0) return;
          clause.breaks('features are written after FEATURES_OK');
        },
      }),
    },
    {
      id: 'INIT-DRV-005',
      judge: 'driver',
      watch: (clause) => {
        const seen = clause.state({ refused: false, since: 0 });
        return {
          onFeaturesOk(stands) {
            seen.refused = !stands;
            seen.since = clause.event;
          },
          onStatusWrite(value) {
            if (!seen.refused) return;
            seen.refused = false;
            const fails = value === 0 || (value & FAILED) !== 0;
            clause.holds(fails, 'FEATURES_OK was refused, and the driver does not set FAILED', seen.since);
          },
        };
      },
    },
    {
      id: 'INIT-DRV-006',
      judge: 'driver',
      watch: (clause) => {
        const seen = clause.state({ refused: false, since: 0 });
        return {
          onFeaturesOk(stands) {
            seen.refused = !stands;
            seen.since = clause.event;
          },
          onReset() {
            seen.refused = false;
          },
          onStatusWrite(value) {
            if (!seen.refused) return;
            clause.holds((value & DRIVER_OK) === 0, 'DRIVER_OK follows a refused FEATURES_OK', seen.since);
          },
        };
      },
    },
    {
      id: 'INIT-DRV-007',
      judge: 'driver',
      watch: (clause, device) => {
        const seen = clause.state({ ran: false });
        return {
          onReset() {
            seen.ran = false;
          },
          onDriverOk() {
            seen.ran = true;
          },
          onNotify() {
            if (!device.legacy) clause.holds(seen.ran, 'a queue is notified before DRIVER_OK');
          },
        };
      },
    },
    {
      id: 'LINIT-DRV-001',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if (!device.legacy || (value & ~device.status & (FEATURES_OK | DRIVER_OK)) === 0) return;
          clause.holds((value & FEATURES_OK) === 0, 'FEATURES_OK is set through the legacy interface');
        },
      }),
    },
    {
      id: 'LINIT-DEV-001',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ offset: -1, value: 0, since: 0 });
        return {
          onReset() {
            seen.offset = -1;
          },
          onFeaturesWrite() {
            seen.offset = -1;
          },
          onDeviceConfigWrite(offset, width, value) {
            seen.offset = -1;
            if (!device.legacy || width !== 1 || (device.status & (DRIVER | DRIVER_OK)) !== DRIVER) return;
            const mac = device.type === NET && offset < MAC_BYTES;
            const cache =
              device.type === BLK && offset === BLK_WRITEBACK && device.offers(BLK_F_CONFIG_WCE) && value < 2;
            if (!mac && !cache) return;
            seen.offset = offset;
            seen.value = value;
            seen.since = clause.event;
          },
          onDeviceConfigRead(offset, width, value) {
            if (offset !== seen.offset || width !== 1) return;
            clause.holds(
              value === seen.value,
              'a field written before features were chosen does not keep its value',
              seen.since,
            );
          },
        };
      },
    },
    {
      id: 'LINIT-DEV-002',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ queue: -1, used: 0, taken: 0, since: 0 });
        return {
          onReset() {
            seen.queue = -1;
          },
          onQueueReset() {
            seen.queue = -1;
          },
          onNotify(queue) {
            const early =
              device.legacy && !device.running && (device.status & FAILED) === 0 && device.misused === '';
            if (queue === undefined || !early || anyBroken(device) || !servesAtOnce(device, queue)) return;
            if (queue.published === queue.used || !queue.driverSeen || !isSound(device)) return;
            seen.queue = queue.index;
            seen.used = queue.used;
            seen.taken = queue.taken;
            seen.since = clause.event;
          },
          onIdle() {
            const queue = device.queue(seen.queue);
            seen.queue = -1;
            if (queue === undefined || anyBroken(device) || device.misused !== '') return;
            clause.holds(
              // A buffer that was looked at and given up is not one that was left alone.
              queue.used > seen.used || queue.taken > seen.taken,
              'buffers of a legacy driver are not used before DRIVER_OK',
              seen.since,
            );
          },
        };
      },
    },
    {
      id: 'CLEAN-DRV-001',
      judge: 'driver',
      watch: (clause) => ({
        onAvailable() {
          clause.applies();
        },
        onDriverWrite(queue, area, offset, length) {
          if (area !== 'descriptors') return;
          // The store that makes a packed chain available is its last, and has been seen as such already.
          for (let at = offset >> 4; at << 4 < offset + length; at++) {
            const owner = queue.ownerOf(at);
            if (owner === undefined || owner.availableAt >= clause.event) continue;
            clause.breaks('a descriptor of a buffer under way is written to', owner.availableAt);
          }
        },
      }),
    },
    {
      id: 'CLEAN-DRV-002',
      judge: 'driver',
      watch: (clause, device) => ({
        onUnmapped() {
          if (!device.translated || device.live.length === 0) return;
          clause.applies();
          const { translation } = device.surroundings;
          for (const queue of device.live) {
            queue.eachInFlight((chain) => {
              for (let at = 0; at < chain.count; at++) {
                if (chain.length(at) === 0 || translation.resolve(chain.address(at)) >= 0 || !chain.byDriver)
                  continue;
                clause.breaks('a buffer under way is unmapped while its queue is live', chain.availableAt);
                return;
              }
            });
          }
        },
      }),
    },
    {
      id: 'SUSP-DRV-001',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if ((value & ~device.status & SUSPEND) === 0) return;
          clause.holds(
            device.running && device.has(F_SUSPEND),
            'SUSPEND is set without DRIVER_OK, or without its feature',
          );
        },
      }),
    },
    {
      id: 'SUSP-DRV-002',
      judge: 'driver',
      watch: (clause, device) => {
        const seen = clause.state({ asked: false, since: 0 });
        return {
          onStatusWrite(value) {
            const asks = (value & ~device.status & SUSPEND) !== 0 && device.running && device.has(F_SUSPEND);
            if (seen.asked && value !== 0)
              clause.breaks(
                'status is written again before the device shows that it is suspended',
                seen.since,
              );
            seen.asked = asks;
            seen.since = clause.event;
          },
          onStatusRead(value) {
            if (!seen.asked) return;
            if (isSuspended(value)) clause.applies();
            seen.asked = !isSuspended(value) && (value & NEEDS_RESET) === 0;
          },
          onDeviceConfigRead() {
            if (seen.asked)
              clause.breaks('the device is used before it shows that it is suspended', seen.since);
          },
        };
      },
    },
    {
      id: 'SUSP-DRV-003',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if ((value & ~device.status & SUSPEND) !== 0 && device.has(F_SUSPEND)) clause.applies();
        },
        onAvailable() {
          if ((device.status & SUSPEND) !== 0 && device.has(F_SUSPEND)) {
            clause.breaks('a buffer is made available after SUSPEND');
          }
        },
      }),
    },
    {
      id: 'SUSP-DRV-004',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if ((value & ~device.status & SUSPEND) !== 0 && device.has(F_SUSPEND)) clause.applies();
        },
        onNotify() {
          if ((device.status & SUSPEND) !== 0 && device.has(F_SUSPEND))
            clause.breaks('a queue is notified after SUSPEND');
        },
      }),
    },
    {
      id: 'SUSP-DRV-005',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if ((value & ~device.status & SUSPEND) !== 0 && device.has(F_SUSPEND)) clause.applies();
        },
        onRegisterWrite(access) {
          if ((device.status & SUSPEND) === 0 || !device.has(F_SUSPEND)) return;
          const { region, offset } = access;
          const status = region === 'common' && offset === 0x14;
          if ((region === 'common' && !status) || region === 'device') {
            clause.breaks('configuration other than status is written after SUSPEND');
          }
        },
      }),
    },
    {
      id: 'SUSP-DRV-006',
      judge: 'driver',
      watch: (clause, device) => {
        const seen = clause.state({ resuming: false, since: 0 });
        return {
          onStatusWrite(value) {
            const resumes =
              isSuspended(device.status) && (value & SUSPEND) === 0 && value !== 0 && device.has(F_SUSPEND);
            if (!resumes) return;
            seen.resuming = true;
            seen.since = clause.event;
          },
          onReset() {
            seen.resuming = false;
          },
          onStatusRead(value) {
            if (!seen.resuming) return;
            seen.resuming = (value & SUSPEND) !== 0 || (value & DRIVER_OK) === 0;
            if (!seen.resuming) clause.applies();
          },
          onNotify() {
            if (seen.resuming)
              clause.breaks('a queue is notified before the device shows that it runs again', seen.since);
          },
          onAvailable() {
            if (seen.resuming)
              clause.breaks(
                'a buffer is made available before the device shows that it runs again',
                seen.since,
              );
          },
        };
      },
    },
    {
      id: 'SUSP-DEV-001',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ early: false, since: 0 });
        return {
          onStatusWrite(value) {
            seen.early =
              (value & ~device.status & SUSPEND) !== 0 && !device.running && (value & DRIVER_OK) === 0;
            seen.since = clause.event;
          },
          onStatusRead(value) {
            if (!seen.early) return;
            seen.early = false;
            clause.holds(
              (value & SUSPEND) === 0,
              'SUSPEND sticks before the device is initialised',
              seen.since,
            );
          },
        };
      },
    },
    {
      id: 'SUSP-DEV-002',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ offset: -1, before: -1, written: -1, known: -1, value: 0 });
        return {
          onReset() {
            seen.offset = -1;
            seen.known = -1;
          },
          onDeviceConfigRead(offset, width, value) {
            if (width !== 1) return;
            if (offset === seen.offset && seen.before !== seen.written) {
              clause.holds(value === seen.before, 'a configuration write while suspended takes effect');
              seen.offset = -1;
            }
            seen.known = offset;
            seen.value = value;
          },
          onDeviceConfigWrite(offset, width, value) {
            if (!isSuspended(device.status) || !device.has(F_SUSPEND) || width !== 1 || seen.known !== offset)
              return;
            seen.offset = offset;
            seen.before = seen.value;
            seen.written = value;
          },
        };
      },
    },
    {
      id: 'SUSP-DEV-003',
      judge: 'device',
      watch: (clause, device) => {
        const suspended = (): boolean => isSuspended(device.status) && device.has(F_SUSPEND);
        return {
          onStatusRead(value, before) {
            if (device.has(F_SUSPEND) && isSuspended(value) && !isSuspended(before)) clause.applies();
          },
          onDma(access) {
            if (suspended() && !access.message) clause.breaks('a suspended device reaches for memory');
          },
          onInterrupt(vector, level) {
            if (suspended() && level !== 0 && vector !== device.configVector && vector !== INTX) {
              clause.breaks('a suspended device notifies of a queue');
            }
          },
          onIsrRead(value) {
            if (suspended() && (value & 1) !== 0) clause.breaks('a suspended device notifies of a queue');
          },
        };
      },
    },
    {
      id: 'SUSP-DEV-004',
      judge: 'device',
      watch: (clause, device) => {
        const suspended = (): boolean => isSuspended(device.status) && device.has(F_SUSPEND);
        return {
          onStatusRead(value, before) {
            if (device.has(F_SUSPEND) && isSuspended(value) && !isSuspended(before)) clause.applies();
          },
          onInterrupt(vector, level) {
            if (!suspended() || level === 0) return;
            if (device.msixEnabled && vector === device.configVector) {
              clause.breaks('a configuration change is signalled while the device is suspended');
            }
          },
          onIsrRead(value) {
            if (suspended() && (value & 2) !== 0)
              clause.breaks('a configuration change is signalled while the device is suspended');
          },
        };
      },
    },
    {
      id: 'SUSP-DEV-005',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ before: -1, changed: false, told: false, resumed: false });
        return {
          onReset() {
            seen.before = -1;
            seen.changed = false;
            seen.resumed = false;
          },
          onRegisterRead(access) {
            if (access.region !== 'common' || access.offset !== 0x15 || !device.has(F_SUSPEND)) return;
            if (isSuspended(device.status) && seen.before >= 0 && access.value !== seen.before)
              seen.changed = true;
            seen.before = access.value;
          },
          onInterrupt(vector, level) {
            if (level !== 0 && (vector === INTX || vector === device.configVector)) seen.told = true;
          },
          onStatusRead(value, before) {
            if (!seen.changed || isSuspended(value) || (value & DRIVER_OK) === 0) return;
            if ((before & DRIVER_OK) === 0) seen.resumed = true;
          },
          onStatusWrite() {
            seen.told = false;
          },
          onIdle() {
            if (!seen.resumed || !device.canInterrupt(device.configVector)) return;
            seen.resumed = false;
            seen.changed = false;
            clause.holds(seen.told, 'a change during suspension is not signalled when the device resumes');
          },
        };
      },
    },
    {
      id: 'SUSP-DEV-006',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ asked: false, waited: false, since: 0 });
        return {
          onReset() {
            seen.asked = false;
          },
          onStatusWrite(value) {
            seen.asked = (value & ~device.status & SUSPEND) !== 0 && device.running && device.has(F_SUSPEND);
            seen.waited = false;
            seen.since = clause.event;
          },
          onIdle() {
            seen.waited = seen.asked;
          },
          onStatusRead(value) {
            if (!seen.asked) return;
            if (isSuspended(value) || (value & NEEDS_RESET) !== 0) {
              seen.asked = false;
              clause.applies();
            } else if (seen.waited) {
              seen.asked = false;
              clause.breaks(
                'a SUSPEND request ends neither in suspension nor in DEVICE_NEEDS_RESET',
                seen.since,
              );
            }
          },
        };
      },
    },
    {
      id: 'SUSP-DEV-007',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ asked: false, waited: false, since: 0 });
        return {
          onReset() {
            seen.asked = false;
          },
          onStatusWrite(value) {
            seen.asked =
              isSuspended(device.status) && (value & SUSPEND) === 0 && value !== 0 && device.has(F_SUSPEND);
            seen.waited = false;
            seen.since = clause.event;
          },
          onIdle() {
            seen.waited = seen.asked;
          },
          onStatusRead(value) {
            if (!seen.asked) return;
            if (((value & SUSPEND) === 0 && (value & DRIVER_OK) !== 0) || (value & NEEDS_RESET) !== 0) {
              seen.asked = false;
              clause.applies();
            } else if (seen.waited) {
              seen.asked = false;
              clause.breaks(
                'a resume request ends neither in operation nor in DEVICE_NEEDS_RESET',
                seen.since,
              );
            }
          },
        };
      },
    },
    {
      id: 'SUSP-DEV-008',
      judge: 'device',
      watch: (clause, device) => ({
        onStatusRead(value, before) {
          if (!device.has(F_SUSPEND) || !isSuspended(value) || isSuspended(before)) return;
          const open = device.live.some((queue) => queue.taken > queue.used);
          clause.holds(!open, 'the device reports that it is suspended with buffers in progress');
        },
      }),
    },
  ],
  undecided: [],
};
