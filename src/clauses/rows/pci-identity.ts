import type { ClauseChecker } from '../clause.ts';
import { capabilitiesOf, type CapabilityList, type CapabilitySeen } from '../pci-capabilities.ts';
import type { VirtioFunction } from '../virtio-function.ts';

const VENDOR = 0x1af4;
const MODERN_ID = 0x1040;
const MODERN_ID_END = 0x107f;
const TRANSITIONAL_END = 0x103f;
const TRANSITIONAL_IDS: readonly number[] = [0x1000, 0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1009];
const REVISION = 0x08;
const SUBSYSTEM = 0x2e;
const SUBSYSTEM_MODERN = 0x40;
const BAR0 = 0x10;
const BAR_MAX = 5;
const COMMON = 1;
const NOTIFY = 2;
const ISR = 3;
const DEVICE = 4;
const WINDOW = 5;
const SHARED_MEMORY = 8;
const VENDOR_DATA = 9;
/** Bytes from cap_vndr to the end of what the text defines, by cfg_type. */
const LEAST_LENGTH: Readonly<Record<number, number>> = {
  [COMMON]: 16,
  [NOTIFY]: 20,
  [ISR]: 16,
  [DEVICE]: 16,
  [WINDOW]: 20,
  [SHARED_MEMORY]: 24,
  [VENDOR_DATA]: 8,
};
const RNG = 4;
const FAILED = 128;
/** Structures that are larger than anything that is in them. */
const LARGE = 0x1_0000;
const USUAL_VECTORS = 64;

/** `undefined`: nothing to judge. */
type Holds = boolean | undefined;

/** Judges a function once in a stream, when its driver has looked at it and first writes status. */
function atFirstStatus(
  id: string,
  holds: (device: VirtioFunction, list: CapabilityList) => Holds,
  sentence: string,
): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => {
      const seen = clause.state({ done: false });
      return {
        onStatusWrite() {
          if (seen.done) return;
          seen.done = true;
          const answer = holds(device, capabilitiesOf(device));
          if (answer !== undefined) clause.holds(answer, sentence);
        },
      };
    },
  };
}

/** The function has the modern interface: its id says so, or a capability. */
function isModern(device: VirtioFunction, list: CapabilityList): boolean {
  return device.configHalf(2) >= MODERN_ID || list.virtio.length > 0;
}

function isTransitional(device: VirtioFunction): boolean {
  return device.configHalf(2) < MODERN_ID;
}

/** BAR 0 was looked at, and has no legacy registers, though there are capabilities. */
function isModernOnly(device: VirtioFunction, list: CapabilityList): boolean {
  return device.knows(BAR0, 4) && ((device.config[BAR0] ?? 0) & 1) === 0 && list.virtio.length > 0;
}

/** A structure of a kind, wherever the whole list was read. */
function hasStructure(kind: number): (device: VirtioFunction, list: CapabilityList) => Holds {
  return (device, list) =>
    list.whole && isModern(device, list) ? list.virtio.some((one) => one.kind === kind) : undefined;
}

/** All structures of a kind whose capability was read. */
function everyStructure(
  kind: number,
  fits: (one: CapabilitySeen) => boolean,
): (device: VirtioFunction, list: CapabilityList) => Holds {
  return (_device, list) => {
    const found = list.virtio.filter((one) => one.kind === kind && one.offset >= 0);
    return found.length === 0 ? undefined : found.every(fits);
  };
}

function repeatedKind(list: CapabilityList): CapabilitySeen | undefined {
  return list.virtio.find((one) => {
    const first = list.virtio.find((other) => other.kind === one.kind);
    return one.kind >= COMMON && one.kind <= DEVICE && first !== one;
  });
}

/** As `holds`, of a driver that takes the function over in spite of something unusual. */
function driverCopes(
  id: string,
  unusual: (device: VirtioFunction, list: CapabilityList) => boolean,
  sentence: string,
): ClauseChecker {
  return {
    id,
    judge: 'driver',
    watch: (clause, device) => {
      const seen = clause.state({ met: false, features: false });
      return {
        onStatusWrite(value) {
          seen.met = true;
          if ((value & ~device.status & FAILED) === 0 || seen.features) return;
          if (unusual(device, capabilitiesOf(device))) clause.breaks(sentence);
        },
        onFeaturesRead() {
          seen.features = true;
        },
        onDriverOk() {
          if (unusual(device, capabilitiesOf(device))) clause.applies();
        },
        onEnd() {
          const read = device.structure('common') !== undefined;
          if (!seen.met && read && unusual(device, capabilitiesOf(device))) clause.breaks(sentence);
        },
      };
    },
  };
}

/** A capability's configuration bytes are the same whenever they are read, unless somebody wrote to them. */
function readsAlike(id: string): ClauseChecker {
  return {
    id,
    judge: 'device',
    watch: (clause, device) => {
      const bytes = new Int16Array(256);
      return {
        onBegin() {
          bytes.fill(-1);
        },
        onConfigSpaceWrite(offset, width) {
          bytes.fill(-1, offset, offset + width);
        },
        onConfigSpaceRead(offset, width, value) {
          if (offset >= 256) return;
          const { virtio } = capabilitiesOf(device);
          for (const { kind, at, length } of virtio) {
            if (kind !== VENDOR_DATA || offset < at || offset >= at + length) continue;
            for (let i = 0; i < width; i++) {
              const byte = (value >>> (8 * i)) & 0xff;
              const before = bytes[offset + i] ?? -1;
              if (before >= 0) clause.holds(before === byte, 'reading vendor data changes it');
              bytes[offset + i] = byte;
            }
          }
        },
      };
    },
  };
}

/** Who a function is, and what its capabilities say (4.1.2, 4.1.4 to 4.1.4.9, 4.1.5.1.1). */
export const PCI_IDENTITY: readonly ClauseChecker[] = [
  {
    id: 'PCI-DEV-003',
    judge: 'device',
    watch: (clause) => ({
      onConfigSpaceRead(offset, width, value) {
        if (offset === 0 && width >= 2)
          clause.holds((value & 0xffff) === VENDOR, 'the vendor id is not 0x1AF4');
      },
    }),
  },
  atFirstStatus(
    'PCI-DEV-004',
    (device) => {
      const id = device.configHalf(2);
      return (id > MODERN_ID && id <= MODERN_ID_END) || TRANSITIONAL_IDS.includes(id);
    },
    'the device id is of no device type',
  ),
  atFirstStatus(
    'PCI-DEV-006',
    (device, list) => (isModernOnly(device, list) ? device.configHalf(2) >= MODERN_ID : undefined),
    'a modern-only function has a transitional device id',
  ),
  atFirstStatus(
    'PCI-DEV-007',
    (device, list) =>
      isModernOnly(device, list) && device.knows(REVISION, 1)
        ? (device.config[REVISION] ?? 0) >= 1
        : undefined,
    'a modern-only function has revision 0',
  ),
  atFirstStatus(
    'PCI-DEV-008',
    (device, list) =>
      isModernOnly(device, list) && device.knows(SUBSYSTEM, 2)
        ? device.configHalf(SUBSYSTEM) >= SUBSYSTEM_MODERN
        : undefined,
    'a modern-only function has a subsystem id below 0x40',
  ),
  driverCopes(
    'PCI-DRV-001',
    (device) => !isTransitional(device),
    'a driver looks at a modern function and leaves it',
  ),
  driverCopes('PCI-DRV-002', isTransitional, 'a driver looks at a transitional function and leaves it'),
  driverCopes(
    'PCI-DRV-003',
    (device) => device.knows(REVISION, 1) && (device.config[REVISION] ?? 0) > 1,
    'a driver leaves a function because of its revision',
  ),
  atFirstStatus(
    'PCI-DEV-011',
    (_device, list) => {
      const again = repeatedKind(list);
      return again === undefined ? undefined : again.bar <= BAR_MAX && again.size !== 0;
    },
    'a second structure of a type is of no use',
  ),
  {
    id: 'PCI-DRV-008',
    judge: 'driver',
    watch: (clause, device) => ({
      onDriverOk() {
        if (device.structure('other') !== undefined) clause.applies();
      },
      onRegisterRead(access) {
        if (access.region === 'other') clause.breaks('a structure of unknown type is read');
      },
      onRegisterWrite(access) {
        if (access.region === 'other') clause.breaks('a structure of unknown type is written');
      },
    }),
  },
  {
    id: 'PCI-DRV-009',
    judge: 'driver',
    watch: (clause, device) => ({
      onDriverOk() {
        if (repeatedKind(capabilitiesOf(device)) !== undefined) clause.applies();
      },
      onRegisterWrite({ region, capability, bar }) {
        if (capability === 0) return;
        const first = device.structures.find(
          (one) => one.region === region && one.bar <= BAR_MAX && one.length !== 0,
        );
        if (first === undefined || first.at === capability || bar > BAR_MAX) return;
        clause.breaks('a structure is used though a better one of its type comes before it');
      },
    }),
  },
  driverCopes(
    'PCI-DRV-010',
    (_device, list) =>
      list.virtio.some(({ kind, length }) => length > (LEAST_LENGTH[kind] ?? 255) && kind <= WINDOW),
    'a driver leaves a function whose capability is longer than it knows',
  ),
  driverCopes(
    'PCI-DRV-011',
    (_device, list) => list.virtio.some(({ kind, bar }) => bar > BAR_MAX && kind <= DEVICE),
    'a driver leaves a function with a capability of a BAR that there is not',
  ),
  {
    id: 'PCI-DRV-012',
    judge: 'driver',
    watch: (clause) => ({
      onRegisterRead({ region, offset }) {
        if (region === 'common')
          clause.holds(offset < 64, 'more of the common configuration is used than it has');
      },
      onRegisterWrite({ region, offset }) {
        if (region === 'common')
          clause.holds(offset < 64, 'more of the common configuration is used than it has');
      },
    }),
  },
  driverCopes(
    'PCI-DRV-013',
    (_device, list) => list.virtio.some(({ kind, size }) => size > LARGE && kind <= DEVICE),
    'a driver leaves a function with a structure that is larger than it expects',
  ),
  {
    id: 'PCI-DRV-014',
    judge: 'driver',
    watch: (clause, device) => {
      const judge = (offset: number, width: number): void => {
        const length = device.structure('common')?.length ?? -1;
        if (length >= 0) clause.holds(offset + width <= length, 'a structure is used beyond its length');
      };
      return {
        onRegisterRead({ region, offset, width }) {
          if (region === 'common') judge(offset, width);
        },
        onRegisterWrite({ region, offset, width }) {
          if (region === 'common') judge(offset, width);
        },
      };
    },
  },
  {
    id: 'PCI-DRV-015',
    judge: 'driver',
    watch: (clause, device) => ({
      onDriverOk() {
        if (device.structures.length > 0) clause.applies();
      },
      onConfigSpaceWrite(offset, width) {
        for (const { at, length, kind } of capabilitiesOf(device).virtio) {
          if (
            kind === WINDOW ||
            kind === VENDOR_DATA ||
            offset >= at + Math.max(length, 16) ||
            offset + width <= at
          )
            continue;
          clause.breaks('a field of a capability is written');
        }
      },
    }),
  },
  atFirstStatus(
    'PCI-DEV-013',
    (_device, list) => {
      const known = list.virtio.filter(({ length, kind }) => length >= 0 && LEAST_LENGTH[kind] !== undefined);
      return known.length === 0
        ? undefined
        : known.every(({ length, kind }) => length >= (LEAST_LENGTH[kind] ?? 0));
    },
    'cap_len is shorter than the capability',
  ),
  atFirstStatus(
    'PCI-DEV-015',
    (_device, list) => {
      const again = repeatedKind(list);
      const first = list.virtio.find(({ kind }) => kind === again?.kind);
      return first === undefined ? undefined : first.bar <= BAR_MAX && first.size !== 0;
    },
    'the first of several structures of a type is of no use',
  ),
  atFirstStatus(
    'PCI-DEV-016',
    everyStructure(COMMON, ({ offset }) => offset % 4 === 0),
    'the common configuration is not aligned',
  ),
  atFirstStatus('PCI-DEV-017', hasStructure(COMMON), 'there is no common configuration'),
  atFirstStatus('PCI-DEV-033', hasStructure(NOTIFY), 'there is no notification structure'),
  atFirstStatus('PCI-DEV-044', hasStructure(ISR), 'there is no ISR structure'),
  atFirstStatus(
    'PCI-DEV-049',
    (device, list) => (device.type === RNG ? undefined : hasStructure(DEVICE)(device, list)),
    'there is no device configuration structure',
  ),
  atFirstStatus(
    'PCI-DEV-050',
    everyStructure(DEVICE, ({ offset }) => offset % 4 === 0),
    'the device configuration is not aligned',
  ),
  atFirstStatus(
    'PCI-DEV-051',
    (device, list) => {
      const found = list.virtio.filter(({ kind, at }) => kind === SHARED_MEMORY && device.knows(at, 24));
      if (found.length === 0) return undefined;
      return found.every(({ at, bar, offset, size }) => {
        const high = device.configWord(at + 16) + device.configWord(at + 20);
        return bar <= BAR_MAX && high * 2 ** 32 + offset + size <= 2 ** 64;
      });
    },
    'a shared memory region lies outside its BAR',
  ),
  atFirstStatus(
    'PCI-DEV-052',
    (device, list) => {
      const ids = list.virtio
        .filter(({ kind, at }) => kind === SHARED_MEMORY && device.knows(at + 5, 1))
        .map(({ at }) => device.config[at + 5]);
      return ids.length === 0 ? undefined : new Set(ids).size === ids.length;
    },
    'two shared memory regions have one id',
  ),
  readsAlike('PCI-DEV-053'),
  atFirstStatus(
    'PCI-DEV-056',
    (device, list) => {
      const found = list.virtio.filter(({ kind, at }) => kind === VENDOR_DATA && device.knows(at + 4, 2));
      return found.length === 0 ? undefined : found.every(({ at }) => device.configHalf(at + 4) !== VENDOR);
    },
    'vendor data has the vendor id 0x1AF4',
  ),
  atFirstStatus(
    'PCI-DEV-057',
    (_device, list) => {
      const found = list.virtio.filter(({ kind, length }) => kind === VENDOR_DATA && length >= 0);
      return found.length === 0 ? undefined : found.every(({ length }) => length % 4 === 0);
    },
    'the size of vendor data is no multiple of 4',
  ),
  readsAlike('PCI-DEV-058'),
  atFirstStatus('PCI-DEV-059', hasStructure(WINDOW), 'there is no PCI configuration access capability'),
  atFirstStatus(
    'PCIL-DEV-001',
    (device) =>
      isTransitional(device) && device.knows(REVISION, 1) ? device.config[REVISION] === 0 : undefined,
    'a transitional function has another revision than 0',
  ),
  atFirstStatus(
    'PCIL-DEV-002',
    (device) =>
      isTransitional(device) && device.knows(SUBSYSTEM, 2)
        ? device.configHalf(SUBSYSTEM) === device.type
        : undefined,
    'the subsystem id of a transitional function is not its type',
  ),
  atFirstStatus(
    'PCIL-DEV-003',
    (device, list) => {
      const both = list.virtio.length > 0 && device.knows(BAR0, 4) && ((device.config[BAR0] ?? 0) & 1) === 1;
      return both ? device.configHalf(2) <= TRANSITIONAL_END : undefined;
    },
    'a function with legacy registers and capabilities has a modern device id',
  ),
  atFirstStatus(
    'PCIL-DEV-004',
    (device) =>
      isTransitional(device) && device.knows(BAR0, 4) ? ((device.config[BAR0] ?? 0) & 1) === 1 : undefined,
    'BAR 0 of a transitional function is no I/O BAR',
  ),
  atFirstStatus(
    'PCIL-DEV-009',
    (device) =>
      isTransitional(device) && device.knows(BAR0, 4) ? ((device.config[BAR0] ?? 0) & 1) === 1 : undefined,
    'the legacy interface is not in I/O space',
  ),
  {
    id: 'PCIL-DRV-001',
    judge: 'driver',
    watch: (clause, device) => ({
      onDriverOk() {
        if (device.accepts(32) || !isTransitional(device)) return;
        clause.holds(device.legacy, 'a driver in legacy use does not use the legacy registers');
      },
    }),
  },
  {
    id: 'PCIL-DRV-004',
    judge: 'driver',
    watch: (clause, device) => {
      const seen = clause.state({ blind: false });
      return {
        onRegisterWrite({ region }) {
          if (region === 'legacy' && !device.knows(0x34, 1)) seen.blind = true;
          if (region !== 'common' || !isTransitional(device)) return;
          clause.holds(!seen.blind, 'a transitional driver uses BAR 0 before it looks for capabilities');
        },
      };
    },
  },
  {
    id: 'PCIL-DRV-005',
    judge: 'driver',
    watch: (clause, device) => ({
      onDriverOk() {
        const { whole, virtio } = capabilitiesOf(device);
        if (!whole || virtio.length > 0) return;
        clause.holds(
          (device.status & 8) === 0,
          'a device without capabilities is driven as if it were a 1.x device',
        );
      },
    }),
  },
  {
    id: 'PCIL-DRV-006',
    judge: 'driver',
    watch: (clause, device) => {
      const seen = clause.state({ done: false });
      return {
        onRegisterWrite({ region }) {
          if (seen.done || (region !== 'common' && region !== 'none')) return;
          seen.done = true;
          clause.holds(
            device.knows(0x34, 1),
            'registers in memory are used without a look at the capabilities',
          );
        },
      };
    },
  },
  {
    id: 'PCIL-DRV-007',
    judge: 'driver',
    watch: (clause, device) => {
      const seen = clause.state({ used: false });
      return {
        onRegisterWrite({ region, bar }) {
          seen.used = true;
          if (region !== 'none') return;
          const { whole, virtio, msix } = capabilitiesOf(device);
          if (!whole || virtio.length > 0) return;
          const table = msix !== undefined && (device.configWord(msix.at + 4) & 7) === bar;
          if (!table) clause.breaks('registers in memory are used though no capability points to them');
        },
        onEnd() {
          const { whole, virtio } = capabilitiesOf(device);
          if (whole && virtio.length === 0 && !seen.used) clause.applies();
        },
      };
    },
  },
  atFirstStatus(
    'MSIX-DEV-001',
    (device) => (device.vectors > 0 ? device.vectors >= 2 && device.vectors <= 0x800 : undefined),
    'a function with MSI-X has fewer than 2 vectors',
  ),
  driverCopes(
    'MSIX-DRV-001',
    (device) => device.vectors === 1 || device.vectors > USUAL_VECTORS,
    'a driver leaves a function because of its number of vectors',
  ),
];
