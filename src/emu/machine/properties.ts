import type { Verdict } from './config.ts';

/** Number 'auto' of queues or vectors that QEMU computes at realize. */
export const AUTO = 'auto';
/** `discard_granularity` that nobody set: QEMU's -1. */
export const AUTO_GRANULARITY = 0xffffffff;

export type PropertyValue = boolean | number | bigint | string | undefined;

/**
 * How a property's text is read (QEMU's qdev property types): `switch` on/off, `switch-auto` with auto too, `devfn`
 * slot[.function] in hexadecimal, `mac`, `block-size` a power of two, `seconds` of the balloon's timer, and references to
 * backends of a kind.
 */
export type PropertyKind =
  | 'switch'
  | 'switch-auto'
  | 'uint16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'size'
  | 'block-size'
  | 'string'
  | 'devfn'
  | 'mac'
  | 'drive'
  | 'netdev'
  | 'chardev'
  | 'seconds'
  | 'link';

export interface Property {
  readonly name: string;
  readonly kind: PropertyKind;
  /** What QEMU 7.2 gives without machine, -global or -device; undefined: nothing. */
  readonly value: PropertyValue;
  /** Who acts on it; `none`: taken for the sake of the command line, without effect here. */
  readonly reader: 'config space' | 'realize' | 'transport' | 'features' | 'device' | 'express' | 'none';
}

type Reader = Property['reader'];

export function property(name: string, kind: PropertyKind, value: PropertyValue, reader: Reader): Property {
  return { name, kind, value, reader };
}

/** `pci-device` (hw/pci/pci.c). */
export const PCI_PROPERTIES: readonly Property[] = [
  property('addr', 'devfn', -1, 'realize'),
  property('romfile', 'string', undefined, 'config space'),
  property('romsize', 'uint32', 0xffffffff, 'config space'),
  property('rombar', 'uint32', 1, 'config space'),
  property('multifunction', 'switch', false, 'config space'),
  property('x-pcie-lnksta-dllla', 'switch', true, 'none'),
  property('x-pcie-extcap-init', 'switch', true, 'express'),
  property('failover_pair_id', 'string', undefined, 'none'),
  property('acpi-index', 'uint32', 0, 'none'),
];

/** `virtio-pci` (hw/virtio/virtio-pci.c). */
export const VIRTIO_PCI_PROPERTIES: readonly Property[] = [
  property('virtio-pci-bus-master-bug-migration', 'switch', false, 'none'),
  property('migrate-extra', 'switch', true, 'none'),
  property('modern-pio-notify', 'switch', false, 'transport'),
  property('x-disable-pcie', 'switch', false, 'express'),
  property('page-per-vq', 'switch', false, 'transport'),
  property('x-ignore-backend-features', 'switch', false, 'realize'),
  property('ats', 'switch', false, 'express'),
  property('x-ats-page-aligned', 'switch', true, 'express'),
  property('x-pcie-deverr-init', 'switch', true, 'express'),
  property('x-pcie-lnkctl-init', 'switch', true, 'express'),
  property('x-pcie-pm-init', 'switch', true, 'express'),
  property('x-pcie-flr-init', 'switch', true, 'express'),
  property('aer', 'switch', false, 'express'),
];

/** The mode switches: not on the -transitional and -non-transitional types. */
export const MODE_PROPERTIES: readonly Property[] = [
  property('disable-legacy', 'switch-auto', 'auto', 'realize'),
  property('disable-modern', 'switch', false, 'realize'),
];

/** `virtio-device` with its common features (hw/virtio/virtio.c, include/hw/virtio/virtio.h). */
export const VIRTIO_DEVICE_PROPERTIES: readonly Property[] = [
  property('indirect_desc', 'switch', true, 'features'),
  property('event_idx', 'switch', true, 'features'),
  property('notify_on_empty', 'switch', true, 'features'),
  property('any_layout', 'switch', true, 'features'),
  property('iommu_platform', 'switch', false, 'features'),
  property('packed', 'switch', false, 'features'),
  property('queue_reset', 'switch', true, 'features'),
  property('use-started', 'switch', true, 'device'),
  property('use-disabled-flag', 'switch', true, 'transport'),
  property('x-disable-legacy-check', 'switch', false, 'realize'),
];

/** Tells whether a backend of the kind and name exists. */
export type BackendLookup = (kind: string, id: string) => boolean;

/** Values by name: what a device ends up with. */
export class PropertyValues {
  readonly #values: Map<string, PropertyValue>;

  constructor(values: Iterable<readonly [string, PropertyValue]>) {
    this.#values = new Map(values);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  get(name: string): PropertyValue {
    return this.#values.get(name);
  }

  set(name: string, value: PropertyValue): void {
    this.#values.set(name, value);
  }

  flag(name: string): boolean {
    return this.#values.get(name) === true;
  }

  number(name: string): number {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : 0;
  }

  text(name: string): string {
    const value = this.#values.get(name);
    return typeof value === 'string' ? value : '';
  }

  names(): Iterable<string> {
    return this.#values.keys();
  }
}

const TRUE = new Set(['on', 'yes', 'true', 'y']);
const FALSE = new Set(['off', 'no', 'false', 'n']);
const INTEGER_LIMITS: ReadonlyMap<PropertyKind, readonly [min: bigint, max: bigint, name: string]> = new Map([
  ['uint16', [0n, 0xffffn, 'uint16_t']],
  ['uint32', [0n, 0xffffffffn, 'uint32_t']],
  ['int32', [-0x80000000n, 0x7fffffffn, 'int32_t']],
  ['uint64', [0n, 0xffffffffffffffffn, 'uint64_t']],
] as const);

/**
 * Reads the text of one property with QEMU's messages (qapi/qobject-input-visitor.c, hw/core/qdev-properties*.c).
 * `owner` is the QOM type that has the property: the device's own for features and queues, not the PCI type's; `id` what
 * the device was given as its id, which few messages name.
 */
export function parseProperty(
  definition: Property,
  text: string,
  owner: string,
  backends: BackendLookup,
  id: string = '',
): Verdict<PropertyValue> {
  const { name, kind } = definition;
  switch (kind) {
    case 'switch':
      if (TRUE.has(text)) return accepted(true);
      return FALSE.has(text) ? accepted(false) : refused(`Parameter '${name}' expects 'on' or 'off'`);
    case 'switch-auto':
      if (text === 'auto' || text === 'on' || text === 'off') return accepted(text);
      return refused(`Parameter '${name}' does not accept value '${text}'`);
    case 'uint16':
    case 'uint32':
    case 'int32':
    case 'uint64':
      return parseInteger(name, kind, text);
    case 'size':
      return parseSize(name, text);
    case 'block-size':
      return parseBlockSize(name, text, id);
    case 'devfn':
      return parseDevfn(text) ?? refused(`Property '${owner}.${name}' doesn't take value '${text}'`);
    case 'mac':
      if (/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) return accepted(text);
      return refused(`Property '${owner}.${name}' doesn't take value '${text}'`);
    case 'drive':
    case 'netdev':
      if (backends(kind, text) || (kind === 'drive' && text === '')) return accepted(text);
      return refused(`Property '${owner}.${name}' can't find value '${text}'`);
    case 'chardev':
      if (text === '') return accepted(undefined);
      if (backends(kind, text)) return accepted(text);
      return refused(`Property '${owner}.${name}' can't find value '${text}'`);
    case 'seconds':
      return parseSeconds(name, text);
    case 'link':
      if (backends(name, text) || text === '') return accepted(text);
      return refused(`Device '${text}' not found`);
    default:
      return accepted(text);
  }
}

function parseInteger(name: string, kind: PropertyKind, text: string): Verdict<PropertyValue> {
  const number = wholeNumber(text);
  if (number === undefined) return refused(`Parameter '${name}' expects integer`);
  const [min, max, type] = INTEGER_LIMITS.get(kind) ?? [0n, 0n, ''];
  if (number < min || number > max) return refused(`Parameter '${name}' expects ${type}`);
  return accepted(kind === 'uint64' ? number : Number(number));
}

/** balloon_stats_set_poll_interval. */
function parseSeconds(name: string, text: string): Verdict<PropertyValue> {
  const number = wholeNumber(text);
  if (number === undefined || number !== BigInt.asIntN(64, number)) {
    return refused(`Parameter '${name}' expects integer`);
  }
  const wrong = intervalError(number);
  return wrong === undefined ? accepted(Number(number)) : refused(wrong);
}

/** What QEMU says of a polling interval that it does not take. */
export function intervalError(seconds: bigint): string | undefined {
  if (seconds < 0n) return 'timer value must be greater than zero';
  return seconds > 0xffffffffn ? 'timer value is too big' : undefined;
}

/** strtoull with base 0: decimal, 0x hexadecimal, leading 0 octal; the whole text. */
function wholeNumber(text: string): bigint | undefined {
  const match = /^\s*([-+]?)(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)$/i.exec(text);
  if (match === null) return undefined;
  const digits = match[2] ?? '0';
  const octal = /^0[0-7]+$/.test(digits);
  const magnitude = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  return match[1] === '-' ? -magnitude : magnitude;
}

const SUFFIX = 'BKMGTPE';

function parseSize(name: string, text: string): Verdict<PropertyValue> {
  const match = /^(\d+(?:\.\d+)?)([bkmgtpe]?)$/i.exec(text);
  if (match === null) return refused(`Parameter '${name}' expects a size`);
  const power = Math.max(SUFFIX.indexOf((match[2] ?? '').toUpperCase()), 0);
  return accepted(Math.floor(Number(match[1]) * 1024 ** power));
}

const BLOCK_SIZE_MIN = 512;
const BLOCK_SIZE_MAX = 2 ** 21;

/** set_blocksize and check_block_size; 0 leaves it to the back end. */
function parseBlockSize(name: string, text: string, id: string): Verdict<PropertyValue> {
  const size = parseSize(name, text);
  if (!size.accepted) return size;
  const bytes = Number(size.value);
  if (bytes !== 0 && (bytes < BLOCK_SIZE_MIN || bytes > BLOCK_SIZE_MAX)) {
    const limits = `(minimum: ${BLOCK_SIZE_MIN}, maximum: ${BLOCK_SIZE_MAX})`;
    return refused(`Property ${id}.${name} doesn't take value ${bytes} ${limits}`);
  }
  if ((bytes & (bytes - 1)) !== 0) {
    return refused(`Property ${id}.${name} doesn't take value '${bytes}', it's not a power of 2`);
  }
  return size;
}

function parseDevfn(text: string): Verdict<PropertyValue> | undefined {
  const match = /^\s*(?:0x)?([0-9a-f]+)(?:\.(?:0x)?([0-9a-f]+))?$/i.exec(text);
  if (match === null) return undefined;
  const slot = Number.parseInt(match[1] ?? '0', 16);
  const inSlot = Number.parseInt(match[2] ?? '0', 16);
  return slot > 31 || inSlot > 7 ? undefined : accepted((slot << 3) | inSlot);
}

function accepted(value: PropertyValue): Verdict<PropertyValue> {
  return { accepted: true, value, warnings: [] };
}

function refused(reason: string): { readonly accepted: false; readonly reason: string } {
  return { accepted: false, reason };
}
