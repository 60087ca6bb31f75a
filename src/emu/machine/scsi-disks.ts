import type { ScsiAttachment } from '../devices/scsi.ts';
import type { Disk } from '../devices/backends/disk.ts';
import { BLOCK_PROPERTIES, checkBlockSizes, checkGeometry } from './block-properties.ts';
import type { Verdict } from './config.ts';
import { parseOptions, type GlobalOption } from './options.ts';
import {
  AUTO_GRANULARITY,
  parseProperty,
  property,
  PropertyValues,
  type BackendLookup,
  type Property,
} from './properties.ts';

/** A disk type of a SCSI bus (QEMU hw/scsi/scsi-disk.c). */
interface ScsiDiskType {
  readonly name: string;
  /** QOM types whose -global settings it takes. */
  readonly types: readonly string[];
  readonly properties: readonly Property[];
}

/** Not given: the bus finds a free one. */
const ANY = -1;
const TARGET_MAX = 255;
const LUN_MAX = 16383;
const GRANULARITY = 4096;
const HARDWARE_VERSION = '2.5+';
const DEVICE_ID_FROM_SERIAL = 20;

const SCSI_DISK_TYPES: readonly ScsiDiskType[] = [
  {
    name: 'scsi-hd',
    types: ['scsi-hd', 'scsi-disk-base', 'scsi-device'],
    properties: [
      property('channel', 'uint32', 0, 'realize'),
      property('scsi-id', 'int32', ANY, 'realize'),
      property('lun', 'int32', ANY, 'realize'),
      ...BLOCK_PROPERTIES,
      property('ver', 'string', undefined, 'device'),
      property('serial', 'string', undefined, 'device'),
      property('vendor', 'string', undefined, 'device'),
      property('product', 'string', undefined, 'device'),
      property('device_id', 'string', undefined, 'device'),
      property('removable', 'switch', false, 'device'),
      property('dpofua', 'switch', false, 'device'),
      property('wwn', 'uint64', 0n, 'device'),
      property('port_wwn', 'uint64', 0n, 'device'),
      property('port_index', 'uint16', 0, 'device'),
      property('max_unmap_size', 'uint64', 0x4000_0000n, 'device'),
      property('max_io_size', 'uint64', 0x7fff_ffffn, 'device'),
      property('rotation_rate', 'uint16', 0, 'device'),
      property('scsi_version', 'int32', 5, 'device'),
      property('quirk_mode_page_vendor_specific_apple', 'switch', false, 'none'),
    ],
  },
];

/** A disk that a bus has taken. */
export interface RealizedScsiDisk {
  readonly id: string;
  readonly target: number;
  readonly lun: number;
  readonly values: PropertyValues;
}

/** A SCSI bus that a device opened, and what is on it so far. */
export interface OpenScsiBus {
  readonly name: string;
  readonly disks: RealizedScsiDisk[];
}

/** Whether a -device argument is about a disk for such a bus. */
export function isScsiDisk(argument: string): boolean {
  return typeOf(argument) !== undefined;
}

function typeOf(argument: string): ScsiDiskType | undefined {
  const { head } = parseOptions(argument);
  return SCSI_DISK_TYPES.find((type) => type.name === head);
}

/** Puts a disk onto a bus of `buses`, in the order of their making, or says in QEMU's words why not. */
export function realizeScsiDisk(
  argument: string,
  buses: readonly OpenScsiBus[],
  globals: readonly GlobalOption[],
  backends: BackendLookup,
): Verdict<RealizedScsiDisk> {
  const type = typeOf(argument);
  if (type === undefined) return refused(`'${argument}' is not a valid device model name`);
  const { options } = parseOptions(argument);
  const given = new Map(options);
  const bus = findBus(type.name, given.get('bus'), buses);
  if (typeof bus === 'string') return refused(bus);
  const id = given.get('id') ?? '';
  const values = readValues(type, given, globals, backends, id);
  if (typeof values === 'string') return refused(values);
  const place = findPlace(values, bus);
  if (typeof place === 'string') return refused(place);
  const failure = realizeValues(values);
  if (failure !== undefined) return refused(failure);
  const disk: RealizedScsiDisk = { id, ...place, values };
  bus.disks.push(disk);
  return { accepted: true, value: disk, warnings: [] };
}

/** Of several buses QEMU takes the one that was made last. */
function findBus(
  type: string,
  name: string | undefined,
  buses: readonly OpenScsiBus[],
): OpenScsiBus | string {
  if (name === undefined) return buses.at(-1) ?? `No 'SCSI' bus found for device '${type}'`;
  const found = buses.find((bus) => bus.name === name);
  if (found !== undefined) return found;
  return name === 'pci.0' || name === 'pci'
    ? `Device '${type}' can't go on PCI bus`
    : `Bus '${name}' not found`;
}

function readValues(
  type: ScsiDiskType,
  given: ReadonlyMap<string, string>,
  globals: readonly GlobalOption[],
  backends: BackendLookup,
  id: string,
): PropertyValues | string {
  const definitions = new Map(type.properties.map((definition) => [definition.name, definition]));
  const values = new PropertyValues(type.properties.map(({ name, value }) => [name, value]));
  const set = (name: string, text: string): string | undefined => {
    const definition = definitions.get(name);
    if (definition === undefined) return `Property '${type.name}.${name}' not found`;
    const parsed = parseProperty(definition, text, type.name, backends, id);
    if (!parsed.accepted) return parsed.reason;
    values.set(name, parsed.value);
    return undefined;
  };
  for (const setting of globals) {
    if (!type.types.includes(setting.type)) continue;
    const { property: name, value } = setting;
    const failure = set(name, value);
    if (failure !== undefined) return `can't apply global ${setting.type}.${name}=${value}: ${failure}`;
  }
  for (const [name, text] of given) {
    const failure = name === 'bus' || name === 'id' ? undefined : set(name, text);
    if (failure !== undefined) return failure;
  }
  return values;
}

/** scsi_bus_check_address and scsi_qdev_realize: what was asked for, or the first that is free. */
function findPlace(
  values: PropertyValues,
  { disks }: OpenScsiBus,
): { readonly target: number; readonly lun: number } | string {
  const channel = values.number('channel');
  const [target, lun] = [values.number('scsi-id'), values.number('lun')];
  if (channel > 0) return `bad scsi channel id: ${channel}`;
  if (target > TARGET_MAX || target < ANY) return `bad scsi device id: ${target}`;
  if (lun > LUN_MAX || lun < ANY) return `bad scsi device lun: ${lun}`;
  const holder = (t: number, l: number): RealizedScsiDisk | undefined =>
    disks.find((disk) => disk.target === t && disk.lun === l);
  if (target === ANY) {
    const unit = lun === ANY ? 0 : lun;
    const free = firstFree(TARGET_MAX, (t) => holder(t, unit) === undefined);
    return free === undefined ? 'no free target' : { target: free, lun: unit };
  }
  if (lun === ANY) {
    const free = firstFree(LUN_MAX, (l) => holder(target, l) === undefined);
    return free === undefined ? 'no free lun' : { target, lun: free };
  }
  const other = holder(target, lun);
  return other === undefined ? { target, lun } : `lun already used by '${other.id || '(null)'}'`;
}

function firstFree(most: number, isFree: (number: number) => boolean): number | undefined {
  for (let number = 0; number <= most; number++) if (isFree(number)) return number;
  return undefined;
}

/** scsi_hd_realize and scsi_realize. */
function realizeValues(values: PropertyValues): string | undefined {
  if (values.text('drive') === '') return 'drive property not set';
  const misfit = checkBlockSizes(values) ?? checkGeometry(values);
  if (misfit !== undefined) return misfit;
  if (values.number('discard_granularity') === AUTO_GRANULARITY) {
    values.set('discard_granularity', Math.max(values.number('logical_block_size'), GRANULARITY));
  }
  return undefined;
}

/** What the host adapter needs of a disk that is on its bus. */
export function attachment(realized: RealizedScsiDisk, disk: (id: string) => Disk): ScsiAttachment {
  const { id, target, lun, values } = realized;
  const text = (name: string, otherwise: string): string =>
    values.get(name) === undefined ? otherwise : values.text(name);
  const serial = values.get('serial') === undefined ? undefined : values.text('serial');
  const drive = values.text('drive');
  const cylinders = values.number('cyls');
  return {
    disk: disk(drive),
    options: {
      id,
      target,
      lun,
      logicalBlockSize: values.number('logical_block_size'),
      physicalBlockSize: values.number('physical_block_size'),
      minIoSize: values.number('min_io_size'),
      optIoSize: values.number('opt_io_size'),
      discardGranularity: values.number('discard_granularity'),
      writeCache: values.get('write-cache') !== 'off',
      version: text('ver', HARDWARE_VERSION),
      vendor: text('vendor', 'QEMU'),
      product: text('product', 'QEMU HARDDISK'),
      serial,
      deviceId: text('device_id', serial?.slice(0, DEVICE_ID_FROM_SERIAL) ?? drive),
      removable: values.flag('removable'),
      dpofua: values.flag('dpofua'),
      wwn: wide(values.get('wwn')),
      portWwn: wide(values.get('port_wwn')),
      portIndex: values.number('port_index'),
      maxUnmapSize: Number(wide(values.get('max_unmap_size'))),
      maxIoSize: Number(wide(values.get('max_io_size'))),
      rotationRate: values.number('rotation_rate'),
      scsiVersion: values.number('scsi_version'),
      geometry:
        cylinders === 0
          ? undefined
          : { cylinders, heads: values.number('heads'), sectors: values.number('secs') },
    },
  };
}

function wide(value: unknown): bigint {
  return typeof value === 'bigint' ? value : 0n;
}

function refused(reason: string): { readonly accepted: false; readonly reason: string } {
  return { accepted: false, reason };
}
