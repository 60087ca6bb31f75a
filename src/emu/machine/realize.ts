import { PCI_MSIX_VECTORS_MAX } from '../pci/abi.ts';
import type { ExpressOptions } from '../pci/express.ts';
import {
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_F_ANY_LAYOUT,
  VIRTIO_F_BAD_FEATURE,
  VIRTIO_F_NOTIFY_ON_EMPTY,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_VERSION_1,
} from '../virtio/abi.ts';
import { featureBit, featureSet } from '../virtio/features.ts';
import type { VirtioPciSettings } from '../virtio/pci-function.ts';
import type { Verdict } from './config.ts';
import { deviceType, LEGACY_ALLOWED, type DeviceFamily, type DeviceTypeName } from './device-types.ts';
import { inDictionaryOrder, parseOptions, type GlobalOption } from './options.ts';
import {
  MODE_PROPERTIES,
  parseProperty,
  PCI_PROPERTIES,
  PropertyValues,
  VIRTIO_DEVICE_PROPERTIES,
  VIRTIO_PCI_PROPERTIES,
  type BackendLookup,
  type Property,
} from './properties.ts';
import type { OpenScsiBus } from './scsi-disks.ts';
import { SERIAL_BUS, type OpenSerialBus } from './serial-ports.ts';
import type { MachineType } from './types.ts';

/**
 * What a slot is to a device. `disable-legacy=auto` asks: behind a PCI Express port a device is modern only; on a
 * conventional bus, and on an Express root bus, it is transitional. The bus of a pseries host bridge is conventional.
 */
type SlotKind = 'conventional' | 'express-root' | 'express-port';

export interface RealizeRequest {
  readonly machine: MachineType;
  readonly cpus: number;
  readonly globals: readonly GlobalOption[];
  readonly backends: BackendLookup;
  /** Queue pairs of a network back end; one where nobody says. */
  readonly netQueues?: (id: string) => number;
  readonly slot: SlotKind;
  /** Slots that are taken: devfn → type name and id, as QEMU names the owner. */
  readonly taken: ReadonlyMap<number, string>;
  /** Buses that devices made before have opened, which no PCI function can go on: name → type. */
  readonly otherBuses?: ReadonlyMap<string, string>;
  /** Names of the families that are there already. */
  readonly present?: ReadonlySet<string>;
  /** Buses of devices without an id so far, by type; absent for none. */
  readonly unnamedBuses?: (type: string) => number;
}

/** A device whose every property is known and consistent: what the machine builds the function from. */
export interface RealizedDevice {
  readonly family: DeviceFamily;
  readonly typeName: string;
  readonly id: string | undefined;
  readonly values: PropertyValues;
  readonly settings: VirtioPciSettings;
  /** What transport and machine offer; the device's own `offer` adds the rest. */
  readonly transportFeatures: bigint;
  /** `iommu_platform=on`: DMA goes through the host bridge's windows. */
  readonly iommuPlatform: boolean;
  /** The SCSI bus that it opened, which disks are put on afterwards; undefined for all but SCSI hosts. */
  readonly scsiBus: OpenScsiBus | undefined;
  /** The serial bus that it opened, which ports are put on afterwards. */
  readonly serialBus: OpenSerialBus | undefined;
}

/** The feature properties of `virtio-device`, by name. */
const FEATURE_PROPERTIES: readonly (readonly [name: string, feature: number])[] = [
  ['indirect_desc', VIRTIO_F_RING_INDIRECT_DESC],
  ['event_idx', VIRTIO_F_RING_EVENT_IDX],
  ['notify_on_empty', VIRTIO_F_NOTIFY_ON_EMPTY],
  ['any_layout', VIRTIO_F_ANY_LAYOUT],
  ['iommu_platform', VIRTIO_F_ACCESS_PLATFORM],
  ['packed', VIRTIO_F_RING_PACKED],
  ['queue_reset', VIRTIO_F_RING_RESET],
];

/** Device options that are not properties. */
const NOT_PROPERTIES: ReadonlySet<string> = new Set(['driver', 'bus', 'id']);
const ONE_QUEUE = (): number => 1;
const PCI_SLOTS = 32;
const NONE: ReadonlySet<string> = new Set();

/**
 * Does what QEMU does for `-device`: finds the type, applies machine, -global and -device values in their order, then
 * runs the realize functions' checks. A refusal carries QEMU's text without the part that repeats the argument.
 */
export function realizeDevice(argument: string, request: RealizeRequest): Verdict<RealizedDevice> {
  const { head, options } = parseOptions(argument);
  const type = deviceType(head);
  if (type === undefined) return refused(`'${head}' is not a valid device model name`);
  const given = new Map(options);
  const bus = given.get('bus');
  if (bus !== undefined && bus !== 'pci.0' && bus !== 'pci')
    return refused(wrongBus(type.name, bus, request));
  const object = new DeviceObject(type, request.backends, given.get('id'));
  const failure = applyDefaults(object, request) ?? applyOptions(object, given);
  if (failure !== undefined) return refused(failure);
  return new Realize(object, request, given.get('id')).run();
}

function wrongBus(type: string, bus: string, { otherBuses }: RealizeRequest): string {
  const kind = otherBuses?.get(bus);
  return kind === undefined ? `Bus '${bus}' not found` : `Device '${type}' can't go on ${kind} bus`;
}

function applyDefaults(object: DeviceObject, request: RealizeRequest): string | undefined {
  // The device behind the function is an object of its own, made and given its values before the function is.
  for (const types of [object.deviceTypes, object.pciTypes]) {
    for (const { type, property, value, optional } of request.machine.compat) {
      if (!types.includes(type) || (optional === true && !object.has(property))) continue;
      const failure = object.set(property, value, types[0]);
      if (failure !== undefined) return failure;
    }
    for (const { type, property, value } of request.globals) {
      if (!types.includes(type)) continue;
      const failure = object.set(property, value, types[0]);
      if (failure !== undefined) return `can't apply global ${type}.${property}=${value}: ${failure}`;
    }
  }
  object.fixMode();
  return undefined;
}

function applyOptions(object: DeviceObject, given: ReadonlyMap<string, string>): string | undefined {
  const names = inDictionaryOrder([...given.keys()].filter((name) => !NOT_PROPERTIES.has(name)));
  for (const name of names) {
    const failure = object.set(name, given.get(name) ?? '');
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** The properties of one device being made, with the types they belong to. */
class DeviceObject {
  readonly type: DeviceTypeName;
  readonly values: PropertyValues;
  readonly #definitions: Map<string, { readonly definition: Property; readonly owner: string }> = new Map();
  /** QOM types of the device and of the PCI function, their own first. */
  readonly deviceTypes: readonly string[];
  readonly pciTypes: readonly string[];
  readonly #backends: BackendLookup;
  readonly #id: string | undefined;

  constructor(type: DeviceTypeName, backends: BackendLookup, id: string | undefined) {
    const { family, name, variant } = type;
    this.type = type;
    this.#backends = backends;
    this.#id = id;
    this.deviceTypes = [family.deviceType, ...family.deviceParents, 'virtio-device'];
    this.pciTypes = [name, family.base, 'virtio-pci', 'pci-device'];
    // The PCI type shows the device's properties as its own; messages about their values name the device.
    this.#define([...VIRTIO_DEVICE_PROPERTIES, ...family.deviceProperties], family.deviceType);
    const mode = variant === '' ? MODE_PROPERTIES : [];
    this.#define([...PCI_PROPERTIES, ...VIRTIO_PCI_PROPERTIES, ...mode, ...family.pciProperties], name);
    this.values = new PropertyValues(
      [...this.#definitions.values()].map(({ definition }) => [definition.name, definition.value]),
    );
  }

  has(property: string): boolean {
    return this.#definitions.has(property);
  }

  /** Sets a property of `through` from its text; returns what QEMU says if it cannot. */
  set(name: string, text: string, through: string = this.type.name): string | undefined {
    const known = this.#definitions.get(name);
    if (known === undefined) return `Property '${through}.${name}' not found`;
    const parsed = parseProperty(known.definition, text, known.owner, this.#backends, this.#id);
    if (!parsed.accepted) return parsed.reason;
    this.values.set(name, parsed.value);
    return undefined;
  }

  /** The types that have a mode in their name carry it instead of the properties. */
  fixMode(): void {
    const { variant } = this.type;
    if (variant === '') return;
    this.values.set('disable-legacy', variant === '-transitional' ? 'off' : 'on');
    this.values.set('disable-modern', false);
  }

  #define(definitions: readonly Property[], owner: string): void {
    for (const definition of definitions) this.#definitions.set(definition.name, { definition, owner });
  }
}

/** One run of the realize functions (hw/virtio/virtio-pci.c, virtio-bus.c; order in each as there). */
class Realize {
  readonly #object: DeviceObject;
  readonly #values: PropertyValues;
  readonly #request: RealizeRequest;
  readonly #id: string | undefined;
  readonly #warnings: string[] = [];

  constructor(object: DeviceObject, request: RealizeRequest, id: string | undefined) {
    this.#object = object;
    this.#values = object.values;
    this.#request = request;
    this.#id = id;
  }

  run(): Verdict<RealizedDevice> {
    const values = this.#values;
    const { family } = this.#object.type;
    const context = {
      cpus: this.#request.cpus,
      onRootBus: this.#request.slot !== 'express-port',
      netQueues: this.#request.netQueues ?? ONE_QUEUE,
      warn: (text: string): void => {
        this.#warnings.push(text);
      },
      present: this.#request.present ?? NONE,
    };
    const express = this.#isExpress();
    const misplaced = this.#place();
    if (misplaced !== undefined) return refused(misplaced);
    if (values.get('disable-legacy') === 'auto') {
      values.set('disable-legacy', this.#request.slot === 'express-port' ? 'on' : 'off');
    }
    if (!this.#legacy && !this.#modern) {
      return refused(
        'device cannot work as neither modern nor legacy mode is enabled',
        'Set either disable-modern or disable-legacy to off',
      );
    }
    const unprepared = family.prepare?.(values, context);
    if (unprepared !== undefined) return refused(unprepared);
    this.#forceModern();
    const failure =
      family.check?.(values, context) ?? family.checkFeatures?.(values, this.#modern) ?? this.#checkLegacy();
    if (failure !== undefined) return refused(failure);
    this.#limitVectors();
    return { accepted: true, value: this.#result(express), warnings: this.#warnings };
  }

  get #legacy(): boolean {
    return this.#values.get('disable-legacy') === 'off';
  }

  get #modern(): boolean {
    return !this.#values.flag('disable-modern');
  }

  /** Decided before the mode is: modern was not switched off, and the slot is behind a port. */
  #isExpress(): boolean {
    return this.#request.slot === 'express-port' && !this.#values.flag('x-disable-pcie') && this.#modern;
  }

  #place(): string | undefined {
    const { taken } = this.#request;
    const devfn = this.#values.number('addr');
    if (devfn >= 0) {
      const owner = taken.get(devfn);
      if (owner === undefined) return undefined;
      const where = `slot ${devfn >> 3} function ${devfn & 7}`;
      return `PCI: ${where} not available for ${this.#object.type.name}, in use by ${owner}`;
    }
    for (let slot = 0; slot < PCI_SLOTS; slot++) {
      if (taken.has(slot << 3)) continue;
      this.#values.set('addr', slot << 3);
      return undefined;
    }
    return `PCI: no slot/function available for ${this.#object.type.name}, all in use or reserved`;
  }

  #forceModern(): void {
    const { modernOnly } = this.#object.type.family;
    if (modernOnly === 'no') return;
    if (modernOnly === 'checked' && this.#values.flag('x-disable-legacy-check')) return;
    this.#values.set('disable-modern', false);
    this.#values.set('disable-legacy', 'on');
  }

  #checkLegacy(): string | undefined {
    if (!this.#legacy) return undefined;
    if (!LEGACY_ALLOWED.has(this.#object.type.family.virtioId)) {
      if (!this.#values.flag('x-disable-legacy-check')) return 'device is modern-only, use disable-legacy=on';
      this.#warnings.push('device is modern-only, but for backward compatibility legacy is allowed');
    }
    return this.#values.flag('iommu_platform')
      ? 'VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device'
      : undefined;
  }

  #limitVectors(): void {
    const asked = this.#values.number('vectors');
    if (asked === 0) return;
    // The count goes through 16 bits on its way to the capability.
    const counted = asked & 0xffff;
    if (counted >= 1 && counted <= PCI_MSIX_VECTORS_MAX) {
      this.#values.set('vectors', counted);
      return;
    }
    this.#warnings.push(`unable to init msix vectors to ${asked}`);
    this.#values.set('vectors', 0);
  }

  #result(express: boolean): RealizedDevice {
    const values = this.#values;
    const { family, name } = this.#object.type;
    const settings: VirtioPciSettings = {
      devfn: values.number('addr'),
      typeName: name,
      classCode: values.number('class') === 0 ? family.classCode : values.number('class'),
      transitionalId: family.transitionalId,
      legacy: this.#legacy,
      modern: this.#modern,
      vectors: values.number('vectors'),
      pagePerQueue: values.flag('page-per-vq'),
      pioNotify: values.flag('modern-pio-notify'),
      disablesWithoutBusMaster: values.flag('use-disabled-flag'),
      multifunction: values.flag('multifunction'),
      romBytes: romBytes(family, values),
      express: express ? expressOptions(values) : undefined,
    };
    return {
      family,
      typeName: name,
      id: this.#id,
      values,
      settings,
      transportFeatures: transportFeatures(values, this.#modern),
      iommuPlatform: values.flag('iommu_platform'),
      scsiBus: family.opensScsiBus === true ? { name: this.#busName('scsi'), disks: [] } : undefined,
      serialBus: family.opensSerialBus === true ? this.#serialBus() : undefined,
    };
  }

  /** virtio_scsi_pci_realize, virtio_serial_pci_realize: by the device's id, otherwise by counting. */
  #busName(type: string): string {
    return this.#id === undefined ? `${type}.${this.#request.unnamedBuses?.(type) ?? 0}` : `${this.#id}.0`;
  }

  #serialBus(): OpenSerialBus {
    return { name: this.#busName(SERIAL_BUS), maxPorts: this.#values.number('max_ports'), ports: [] };
  }
}

function transportFeatures(values: PropertyValues, modern: boolean): bigint {
  let features = featureBit(VIRTIO_F_BAD_FEATURE);
  if (modern) features |= featureSet(VIRTIO_F_VERSION_1);
  for (const [name, feature] of FEATURE_PROPERTIES) if (values.flag(name)) features |= featureBit(feature);
  return features;
}

function romBytes(family: DeviceFamily, values: PropertyValues): number {
  if (values.number('rombar') === 0 || values.get('romfile') === '') return 0;
  const size = values.number('romsize');
  return family.romBytes > 0 && size !== 0xffffffff ? size : family.romBytes;
}

function expressOptions(values: PropertyValues): ExpressOptions {
  return {
    extendedCapabilities: values.flag('x-pcie-extcap-init'),
    deviceErrors: values.flag('x-pcie-deverr-init'),
    linkControl: values.flag('x-pcie-lnkctl-init'),
    powerManagement: values.flag('x-pcie-pm-init'),
    functionReset: values.flag('x-pcie-flr-init'),
    aer: values.flag('aer'),
    ats: values.flag('ats'),
    atsPageAligned: values.flag('x-ats-page-aligned'),
  };
}

function refused(
  reason: string,
  hint?: string,
): { readonly accepted: false; readonly reason: string; readonly hint?: string } {
  return hint === undefined ? { accepted: false, reason } : { accepted: false, reason, hint };
}
