import type { ClauseChecker, ClauseTable } from '../clause.ts';
import { knownFeatures, lackingDependency } from '../feature-rules.ts';
import type { VirtioFunction } from '../virtio-function.ts';

const FEATURES_OK = 8;
const DRIVER_OK = 4;
const NEEDS_RESET = 64;
const FAILED = 128;
const NOTIFY_ON_EMPTY = 24;
const ANY_LAYOUT = 27;
const EARLY_MARKER = 30;
const VERSION_1 = 32;
const ACCESS_PLATFORM = 33;
const RING_PACKED = 34;
const IN_ORDER = 35;
const ORDER_PLATFORM = 36;
const SR_IOV = 37;
const NOTIF_CONFIG_DATA = 39;
const MODERN_ID = 0x1040;
const EXTENDED = 0x100;
const SRIOV_CAPABILITY = 0x10;
const SRIOV_CONTROL = 8;
const VF_ENABLE = 1;
const CONFIG_BYTES = 4096;
const DEVICE_READS = 1;
const DEVICE_WRITES = 2;

/** Both words of the offer were read. */
function offerKnown(device: VirtioFunction): boolean {
  return device.offeredKnown[0] === 1 && device.offeredKnown[1] === 1;
}

/** Something is accepted that was not offered. */
function exceedsOffer(device: VirtioFunction): boolean {
  for (let word = 0; word < device.accepted.length; word++) {
    if (device.offeredKnown[word] !== 1) continue;
    if (((device.accepted[word] ?? 0) & ~(device.offered[word] ?? 0)) !== 0) return true;
  }
  return false;
}

/** Bits that are offered and mean nothing to whoever knows this device type. */
function offersUnknown(device: VirtioFunction): boolean {
  for (let word = 0; word < device.offered.length; word++) {
    if (((device.offered[word] ?? 0) & ~knownFeatures(device.type, word, false)) !== 0) return true;
  }
  return false;
}

/** Where the SR-IOV capability stands; 0: it was read to the end and there is none; -1: nobody looked. */
function sriovAt(device: VirtioFunction): number {
  let at = EXTENDED;
  for (let turns = 0; turns < 64; turns++) {
    if (!device.knows(at, 4)) return -1;
    const head = device.configWord(at);
    if ((head & 0xffff) === SRIOV_CAPABILITY) return at;
    at = head >>> 20;
    if (at < EXTENDED || at >= CONFIG_BYTES) return 0;
  }
  return 0;
}

/** A feature that drivers accept wherever it is offered. */
function alwaysAccepted(id: string, bit: number, name: string): ClauseChecker {
  return {
    id,
    judge: 'driver',
    watch: (clause, device) => ({
      onStatusWrite(value) {
        if (device.legacy || (value & ~device.status & FEATURES_OK) === 0 || !device.offers(bit)) return;
        clause.holds(device.accepts(bit), `${name} is offered and not accepted`);
      },
    }),
  };
}

/** A device that may refuse to work without a feature says so by FEATURES_OK, and by nothing else. */
function refusesInTheOpen(id: string, bit: number, name: string): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => ({
      onFeaturesOk(stands) {
        if (device.accepts(bit) || !device.offers(bit) || device.misused !== '') return;
        const broken = stands && (device.status & NEEDS_RESET) !== 0;
        clause.holds(!broken, `without ${name} the device keeps FEATURES_OK and gives up at once`);
      },
    }),
  };
}

/** Feature bits (2.2), reserved feature bits (6), and who is transitional (1.3.1). */
export const FEATURES_CLAUSES: ClauseTable = {
  name: 'features',
  checkers: [
    {
      id: 'TERM-DEV-001',
      judge: 'device',
      watch: (clause, device) => ({
        onFeaturesRead(word) {
          if (word !== 1 || device.configHalf(2) >= MODERN_ID || device.structures.length === 0) return;
          clause.holds(device.offers(VERSION_1), 'a function with both interfaces serves no 1.x driver');
        },
      }),
    },
    {
      id: 'TERM-DRV-001',
      judge: 'driver',
      watch: (clause, device) => ({
        onDriverOk() {
          clause.applies();
        },
        onRegisterWrite({ region }) {
          if (region !== 'legacy' || !device.modern || (device.status & FEATURES_OK) === 0) return;
          clause.breaks('the legacy interface is used with VERSION_1 accepted');
        },
      }),
    },
    {
      id: 'FEAT-DRV-001',
      judge: 'driver',
      watch: (clause, device) => ({
        onFeaturesWrite(word, value) {
          if (device.offeredKnown[word] !== 1) return;
          clause.holds(
            (value & ~(device.offered[word] ?? 0)) === 0,
            'a feature is accepted that was not offered',
          );
        },
      }),
    },
    {
      id: 'FEAT-DRV-002',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if ((value & ~device.status & (device.legacy ? DRIVER_OK : FEATURES_OK)) === 0) return;
          clause.holds(
            lackingDependency(device.type, device.accepted) < 0,
            'a feature is accepted without one that it needs',
          );
        },
      }),
    },
    {
      id: 'FEAT-DRV-004',
      judge: 'driver',
      watch: (clause, device) => {
        const seen = clause.state({ chosen: false });
        return {
          onReset() {
            seen.chosen = false;
          },
          onFeaturesWrite() {
            if (!seen.chosen && offersUnknown(device)) clause.applies();
            seen.chosen = true;
          },
          onStatusWrite(value) {
            if ((value & ~device.status & FAILED) === 0 || seen.chosen || !offersUnknown(device)) return;
            if (device.legacy || device.offers(VERSION_1))
              clause.breaks('the driver gives up at an offer with a bit that it does not know');
          },
        };
      },
    },
    {
      id: 'FEAT-DRV-005',
      judge: 'driver',
      watch: (clause, device) => ({
        onFeaturesWrite(word, value) {
          const unknown = ~knownFeatures(device.type, word, device.legacy);
          if ((((device.offered[word] ?? 0) | value) & unknown) === 0) return;
          clause.holds((value & unknown) === 0, 'a bit that means nothing for this device is accepted');
        },
      }),
    },
    {
      id: 'FEAT-DRV-007',
      judge: 'driver',
      watch: (clause) => {
        const seen = clause.state({ refused: false });
        return {
          onReset() {
            seen.refused = false;
          },
          onFeaturesOk(stands) {
            seen.refused = !stands;
          },
          onStatusWrite(value) {
            if (!seen.refused) return;
            if ((value & FAILED) !== 0) clause.applies();
            else if ((value & DRIVER_OK) !== 0)
              clause.breaks('the driver goes on where the device refuses what it needs');
          },
        };
      },
    },
    {
      id: 'FEAT-DRV-008',
      judge: 'driver',
      watch: (clause, device) => {
        const seen = clause.state({ refused: false });
        return {
          onReset() {
            seen.refused = false;
          },
          onFeaturesOk(stands) {
            seen.refused = !stands;
          },
          onDriverOk() {
            if (offersUnknown(device)) clause.applies();
          },
          onStatusWrite(value) {
            const gaveUp = (value & ~device.status & FAILED) !== 0 && !device.running && !seen.refused;
            if (!gaveUp || !offersUnknown(device) || (!device.legacy && !device.offers(VERSION_1))) return;
            clause.breaks('the driver sets FAILED where nothing is wrong but a bit that it does not know');
          },
        };
      },
    },
    {
      id: 'FEAT-DEV-001',
      judge: 'device',
      watch: (clause, device) => ({
        onFeaturesRead(word) {
          if (word !== 1 || !offerKnown(device)) return;
          clause.holds(
            lackingDependency(device.type, device.offered) < 0,
            'a feature is offered without one that it needs',
          );
        },
      }),
    },
    {
      id: 'FEAT-DEV-002',
      judge: 'device',
      watch: (clause, device) => ({
        onFeaturesOk(stands) {
          if (
            !offerKnown(device) ||
            device.misused !== '' ||
            !device.accepts(VERSION_1) ||
            exceedsOffer(device)
          )
            return;
          if (lackingDependency(device.type, device.accepted) >= 0) return;
          // Without ACCESS_PLATFORM a device may refuse to work (6.2).
          if (device.offers(ACCESS_PLATFORM) && !device.accepts(ACCESS_PLATFORM)) return;
          clause.holds(stands, 'a valid subset of the offer is refused');
        },
      }),
    },
    {
      id: 'FEAT-DEV-003',
      judge: 'device',
      watch: (clause, device) => ({
        onFeaturesOk(stands) {
          if (!offerKnown(device) || device.misused !== '') return;
          const needy = lackingDependency(device.type, device.accepted) >= 0;
          if (!needy && !exceedsOffer(device)) return;
          clause.holds(!stands, 'FEATURES_OK stands after a set that was not offered so');
        },
      }),
    },
    {
      id: 'FEAT-DEV-004',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ legacy: false });
        return {
          onRegisterRead(access) {
            seen.legacy = access.region === 'legacy';
          },
          onFeaturesRead(word, value) {
            const known = word < device.offered.length ? knownFeatures(device.type, word, seen.legacy) : 0;
            clause.holds((value & ~known) === 0, 'a bit is offered that means nothing for this device');
          },
        };
      },
    },
    {
      id: 'FEAT-DEV-005',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ low: -1, high: -1, offeredLow: 0, offeredHigh: 0 });
        return {
          onFeaturesOk(stands) {
            if (!offerKnown(device) || device.misused !== '') return;
            const [low = 0, high = 0] = device.accepted;
            const [offeredLow = 0, offeredHigh = 0] = device.offered;
            const again = low === seen.low && high === seen.high;
            if (again && offeredLow === seen.offeredLow && offeredHigh === seen.offeredHigh) {
              clause.holds(stands, 'a set of features that was accepted once is refused after a reset');
            } else if (stands) {
              seen.low = low;
              seen.high = high;
              seen.offeredLow = offeredLow;
              seen.offeredHigh = offeredHigh;
            }
          },
        };
      },
    },
    {
      id: 'LFEAT-DRV-001',
      judge: 'driver',
      watch: (clause, device) => ({
        onFeaturesRead(word, value) {
          if (word === 1 && (value & 1) === 0) clause.applies();
        },
        onDriverOk() {
          if (device.legacy || !device.knowsOffer(VERSION_1) || device.offers(VERSION_1)) return;
          clause.breaks('a device without VERSION_1 is driven as if it had it');
        },
      }),
    },
    {
      id: 'LFEAT-DEV-001',
      judge: 'device',
      watch: (clause, device) => ({
        onUsed() {
          if (!device.modern) clause.applies();
        },
        onUsedUnknown(queue, id) {
          if (device.modern || queue.little || queue.broken !== '' || device.misused !== '') return;
          const swapped = ((id & 0xff) << 8) | ((id >>> 8) & 0xff) | (id >>> 16);
          const turned = id >>> 16 === 0 ? swapped : ((id >>> 24) & 0xff) | ((id >>> 8) & 0xff00);
          if (queue.chain(turned)?.inFlight === true || queue.chain(swapped)?.inFlight === true) {
            clause.breaks('used entries of a big-endian legacy driver are written little-endian');
          }
        },
      }),
    },
    alwaysAccepted('RSVD-DRV-001', VERSION_1, 'VERSION_1'),
    alwaysAccepted('RSVD-DRV-003', ACCESS_PLATFORM, 'ACCESS_PLATFORM'),
    {
      id: 'RSVD-DRV-004',
      judge: 'driver',
      watch: (clause, device) => ({
        onAvailable(_queue, chain) {
          if (!device.translated) return;
          clause.applies();
          const { translation } = device.surroundings;
          for (let at = 0; at < chain.count; at++) {
            if (chain.length(at) === 0) continue;
            const found = translation.resolve(chain.address(at)) >= 0;
            const wanted = chain.writable(at) ? DEVICE_WRITES : DEVICE_READS;
            if (found && (translation.permission & wanted) !== 0) continue;
            clause.breaks('a buffer is given to the device that no TCE lets it reach');
            return;
          }
        },
      }),
    },
    {
      id: 'RSVD-DRV-005',
      judge: 'driver',
      watch: (clause, device) => ({
        onTaken() {
          if (!device.translated) clause.applies();
        },
        onDma(access) {
          if (!access.fault || device.translated) return;
          clause.breaks('an address is given to the device at which there is no memory');
        },
      }),
    },
    alwaysAccepted('RSVD-DRV-006', RING_PACKED, 'RING_PACKED'),
    alwaysAccepted('RSVD-DRV-007', ORDER_PLATFORM, 'ORDER_PLATFORM'),
    {
      id: 'RSVD-DRV-010',
      judge: 'driver',
      watch: (clause, device) => ({
        onStatusWrite(value) {
          if ((value & ~device.status & FEATURES_OK) === 0) return;
          if (!device.offers(SR_IOV) && !device.accepts(SR_IOV)) return;
          clause.holds(
            !device.accepts(SR_IOV) || sriovAt(device) > 0,
            'SR_IOV is accepted without an SR-IOV capability',
          );
        },
      }),
    },
    {
      id: 'RSVD-DRV-011',
      judge: 'driver',
      watch: (clause, device) => ({
        onConfigSpaceWrite(offset, width, value) {
          if (offset < EXTENDED) return;
          const at = sriovAt(device);
          if (at <= 0 || offset > at + SRIOV_CONTROL || offset + width <= at + SRIOV_CONTROL) return;
          const enables = ((value >>> (8 * (at + SRIOV_CONTROL - offset))) & VF_ENABLE) !== 0;
          if (!enables) return;
          const settled = (device.status & FEATURES_OK) !== 0 && !device.confirming && device.has(SR_IOV);
          clause.holds(settled, 'virtual functions are turned on before SR_IOV is negotiated');
        },
      }),
    },
    alwaysAccepted('RSVD-DRV-013', NOTIF_CONFIG_DATA, 'NOTIF_CONFIG_DATA'),
    {
      id: 'RSVD-DEV-001',
      judge: 'device',
      watch: (clause) => ({
        onFeaturesRead(word, value) {
          if (word === 1) clause.holds((value & 1) === 1, 'VERSION_1 is not offered');
        },
      }),
    },
    refusesInTheOpen('RSVD-DEV-002', VERSION_1, 'VERSION_1'),
    {
      id: 'RSVD-DEV-003',
      judge: 'device',
      watch: (clause, device) => ({
        onDma({ queue, area, offset, write, fault, length, bytes, byteOffset }) {
          if (area !== 'driver' || offset !== 2 || write || fault || length !== 2 || queue === undefined)
            return;
          if (
            queue.packed ||
            !queue.driverSeen ||
            !device.knowsOffer(ACCESS_PLATFORM) ||
            device.offers(ACCESS_PLATFORM)
          )
            return;
          if (queue.broken !== '' || device.misused !== '') return;
          const [at, next] = queue.little ? [byteOffset, byteOffset + 1] : [byteOffset + 1, byteOffset];
          const seen = (bytes[at] ?? 0) | ((bytes[next] ?? 0) << 8);
          clause.holds(
            seen === queue.availableIndex,
            'the device reads another place than the guest-physical one, without ACCESS_PLATFORM',
          );
        },
      }),
    },
    refusesInTheOpen('RSVD-DEV-004', ACCESS_PLATFORM, 'ACCESS_PLATFORM'),
    {
      id: 'RSVD-DEV-005',
      judge: 'device',
      watch: (clause, device) => ({
        onUsed(queue, chain) {
          if (!device.has(IN_ORDER) || queue.broken !== '') return;
          clause.holds(
            chain.serial === queue.used - 1,
            'buffers are not used in the order in which they were made available',
          );
        },
      }),
    },
    {
      id: 'RSVD-DEV-009',
      judge: 'device',
      watch: (clause, device) => ({
        onFeaturesRead(word) {
          const at = sriovAt(device);
          if (word !== 1 || at < 0 || (at === 0 && !device.offers(SR_IOV))) return;
          clause.holds(
            device.offers(SR_IOV) === at > 0,
            'SR_IOV is offered without an SR-IOV capability, or not with one',
          );
        },
      }),
    },
    {
      id: 'RSVD-DEV-010',
      judge: 'device',
      watch: (clause, device) => ({
        onFeaturesRead(word) {
          if (word !== 1) return;
          if (!device.offers(SR_IOV)) clause.applies();
          else if (sriovAt(device) === 0) clause.breaks('SR_IOV is offered without an SR-IOV capability');
        },
      }),
    },
    {
      id: 'LRSVD-DEV-002',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ owed: false, since: 0 });
        return {
          onReset() {
            seen.owed = false;
          },
          onUsed(queue) {
            if (!device.legacy || !device.has(NOTIFY_ON_EMPTY) || queue.published !== queue.used) return;
            seen.owed = device.canInterrupt(queue.vector) && device.line === 0 && queue.broken === '';
            seen.since = clause.event;
          },
          onInterrupt(_vector, level) {
            if (seen.owed && level !== 0) clause.applies();
            if (level !== 0) seen.owed = false;
          },
          onIdle() {
            if (seen.owed) clause.breaks('the queue ran empty and no interrupt told of it', seen.since);
            seen.owed = false;
          },
        };
      },
    },
    {
      id: 'LRSVD-DEV-003',
      judge: 'device',
      watch: (clause, device) => {
        const seen = clause.state({ legacy: false });
        return {
          onRegisterRead(access) {
            seen.legacy = access.region === 'legacy';
          },
          onFeaturesRead(word) {
            if (word !== 0 || !seen.legacy || device.structures.length === 0) return;
            clause.holds(device.offers(ANY_LAYOUT), 'a transitional device does not offer ANY_LAYOUT');
          },
        };
      },
    },
    {
      id: 'LRSVD-DRV-001',
      judge: 'driver',
      watch: (clause, device) => ({
        onDriverOk() {
          // Only who looks for capabilities and then uses the legacy interface knows both.
          if (!device.legacy || !device.knows(0x34, 1) || !device.offers(ANY_LAYOUT)) return;
          clause.holds(device.accepts(ANY_LAYOUT), 'ANY_LAYOUT is offered and not accepted');
        },
      }),
    },
    {
      id: 'LRSVD-BOTH-001',
      judge: 'driver',
      watch: (clause, device) => ({
        onDriverOk() {
          if (device.legacy)
            clause.holds(!device.accepts(EARLY_MARKER), 'bit 30, the marker of early drivers, is accepted');
        },
      }),
    },
  ],
  undecided: [],
};
