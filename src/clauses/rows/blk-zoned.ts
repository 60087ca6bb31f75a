import type { ClauseChecker, ClauseTable, Judged, Judgement } from '../clause.ts';
import type { Chain } from '../chain.ts';
import type { Hooks } from '../hooks.ts';
import type { VirtioFunction } from '../virtio-function.ts';
import * as blk from './blk-request.ts';

// Zoned disks (5.2.5, 5.2.6): what shows without knowing the state of each zone.

const FEATURES_OK = 8;
const ZONES = 'what a zone is and where its write pointer stands is the device’s own to know';
const ANY_VALUE = 'every value is allowed, 0 included: nothing that can be read breaks it';
const PERMISSION = 'a permission: nothing that is done or left undone breaks it';
/** Requests about one zone, by the sector that it begins at. */
const ZONE_STATES: ReadonlySet<number> = new Set([
  blk.T_ZONE_OPEN,
  blk.T_ZONE_CLOSE,
  blk.T_ZONE_FINISH,
  blk.T_ZONE_RESET,
]);

/** A checker that knows what of the configuration was read, before and with this read. */
function zoned(
  id: string,
  judge: Judged,
  watch: (clause: Judgement, device: VirtioFunction, config: blk.ConfigSeen) => Hooks,
): ClauseChecker {
  return {
    id,
    judge,
    watch: (clause, device) => {
      const config = new blk.ConfigSeen();
      const keep = blk.keepConfig(config);
      const hooks = watch(clause, device, config);
      return {
        ...keep,
        ...hooks,
        onDeviceConfigRead(offset, width, value) {
          keep.onDeviceConfigRead?.(offset, width, value);
          hooks.onDeviceConfigRead?.(offset, width, value);
        },
      };
    },
  };
}

function model(config: blk.ConfigSeen): number {
  return config.read(blk.AT_MODEL, 1, true);
}

function hasZones(device: VirtioFunction, config: blk.ConfigSeen): boolean {
  const kind = model(config);
  return device.has(blk.F_ZONED) && (kind === blk.MODEL_HOST_MANAGED || kind === blk.MODEL_HOST_AWARE);
}

function zoneSectors(device: VirtioFunction, config: blk.ConfigSeen): number {
  return hasZones(device, config) ? config.read(blk.AT_ZONE_SECTORS, 4, device.little) : -1;
}

/** A field of a disk with zones, once model and field are known; looked at with every read of either. */
function zonedField(
  id: string,
  at: number,
  width: number,
  keeps: (value: number, config: blk.ConfigSeen, device: VirtioFunction) => boolean | undefined,
  sentence: string,
): ClauseChecker {
  return zoned(id, 'device', (clause, device, config) => ({
    onDeviceConfigRead() {
      if (!hasZones(device, config)) return;
      const value = config.read(at, width, device.little);
      const kept = value < 0 ? undefined : keeps(value, config, device);
      if (kept !== undefined) clause.holds(kept, sentence);
    },
  }));
}

/** Requests of a driver of zones, judged by header and configuration. */
function zonedRequest(
  id: string,
  type: (value: number) => boolean,
  keeps: (chain: Chain, device: VirtioFunction, config: blk.ConfigSeen) => boolean | undefined,
  sentence: string,
): ClauseChecker {
  return zoned(id, 'driver', (clause, device, config) => ({
    onUsed(_queue, chain) {
      if (!blk.isRequest(chain) || !hasZones(device, config) || !type(blk.typeOf(chain, device))) return;
      const kept = keeps(chain, device, config);
      if (kept !== undefined) clause.holds(kept, sentence);
    },
  }));
}

/** How a device of zones ends what it must refuse. */
function zonedStatus(
  id: string,
  applies: (type: number, chain: Chain, device: VirtioFunction, config: blk.ConfigSeen) => boolean,
  status: number,
  sentence: string,
): ClauseChecker {
  return zoned(id, 'device', (clause, device, config) => ({
    onUsed(queue, chain) {
      if (!hasZones(device, config) || !blk.isJudged(device, queue, chain)) return;
      if (!applies(blk.typeOf(chain, device), chain, device, config)) return;
      clause.holds(blk.statusOf(chain) === status, sentence);
    },
  }));
}

function isFirstSector(chain: Chain, device: VirtioFunction, config: blk.ConfigSeen): boolean | undefined {
  const zone = zoneSectors(device, config);
  return zone <= 0 ? undefined : blk.sectorOf(chain, device) % zone === 0;
}

function mostAppended(device: VirtioFunction, config: blk.ConfigSeen): number {
  return config.read(blk.AT_MAX_APPEND_SECTORS, 4, device.little);
}

export const BLK_ZONED_CHECKERS: readonly ClauseChecker[] = [
  zoned('BLK-DRV-006', 'driver', (clause, device, config) => ({
    onDriverOk() {
      if (!device.offers(blk.F_ZONED) || model(config) !== blk.MODEL_HOST_MANAGED) return;
      clause.holds(!device.accepts(blk.F_DISCARD), 'DISCARD is accepted of a host-managed disk');
    },
  })),
  zoned('BLK-DRV-008', 'driver', (clause, device, config) => ({
    onStatusWrite(value) {
      if (!device.offers(blk.F_ZONED) || device.accepts(blk.F_ZONED)) return;
      const agrees = (value & ~device.status & FEATURES_OK) !== 0;
      const gives = (value & ~device.status & 128) !== 0;
      if (model(config) !== blk.MODEL_HOST_MANAGED || (!agrees && !gives)) return;
      clause.holds(
        !agrees,
        'FEATURES_OK is set by a driver that cannot handle the host-managed disk it found',
      );
    },
  })),
  {
    id: 'BLK-DEV-005',
    judge: 'device',
    watch: (clause, device) => ({
      onDeviceConfigRead(offset, width, value) {
        const kind = blk.byteOf(blk.AT_MODEL, offset, width, value);
        if (kind < 0 || !device.offers(blk.F_ZONED)) return;
        clause.holds(kind !== blk.MODEL_NONE, 'a disk without zones offers ZONED');
      },
    }),
  },
  {
    id: 'BLK-DEV-007',
    judge: 'device',
    watch: (clause, device) => ({
      onDeviceConfigRead(offset, width, value) {
        const agreed = (device.status & FEATURES_OK) !== 0;
        if (!agreed || !device.offers(blk.F_ZONED) || device.has(blk.F_ZONED)) return;
        for (let at = blk.AT_ZONE_SECTORS; at < blk.AT_MODEL; at++) {
          const byte = blk.byteOf(at, offset, width, value);
          if (byte >= 0) clause.holds(byte === 0, 'zoned fields are set for a driver without ZONED');
        }
      },
    }),
  },
  zoned('BLK-DEV-008', 'device', (clause, device, config) => ({
    onFeaturesOk(stands) {
      if (!device.offers(blk.F_ZONED) || device.accepts(blk.F_ZONED)) return;
      if (model(config) !== blk.MODEL_HOST_MANAGED) return;
      clause.holds(!stands, 'FEATURES_OK stands on a host-managed disk without ZONED');
    },
  })),
  {
    id: 'BLK-DEV-009',
    judge: 'device',
    watch: (clause, device) => ({
      onDeviceConfigRead(offset, width, value) {
        const kind = blk.byteOf(blk.AT_MODEL, offset, width, value);
        if (kind < 0 || !device.has(blk.F_ZONED)) return;
        clause.holds(kind <= blk.MODEL_HOST_AWARE, `the model of a zoned disk reads ${kind}`);
      },
    }),
  },
  zonedField(
    'BLK-DEV-010',
    blk.AT_ZONE_SECTORS,
    4,
    (value) => value > 0,
    'zone_sectors is 0 on a disk with zones',
  ),
  zonedField(
    'BLK-DEV-015',
    blk.AT_MAX_APPEND_SECTORS,
    4,
    (value, config, device) => {
      const segments = config.read(blk.AT_SEG_MAX, 4, device.little);
      const size = config.read(blk.AT_SIZE_MAX, 4, device.little);
      const limited = device.has(blk.F_SEG_MAX) && device.has(blk.F_SIZE_MAX) && segments > 0 && size > 0;
      return limited ? value * blk.SECTOR_BYTES <= segments * size : undefined;
    },
    'max_append_sectors is more than seg_max buffers of size_max bytes hold',
  ),
  zonedField(
    'BLK-DEV-017',
    blk.AT_WRITE_GRANULARITY,
    4,
    (value) => value > 0,
    'write_granularity is 0 on a disk with zones',
  ),
  {
    id: 'BLK-DEV-018',
    judge: 'device',
    watch: (clause, device) => ({
      onDeviceConfigRead(offset, width, value) {
        if (!device.offers(blk.F_ZONED)) return;
        for (let at = blk.AT_UNUSED2; at < blk.AT_UNUSED2 + 3; at++) {
          const byte = blk.byteOf(at, offset, width, value);
          if (byte >= 0) clause.holds(byte === 0, 'padding behind the model does not read 0');
        }
      },
    }),
  },
  zonedRequest(
    'BLKOP-DRV-020',
    (type) => ZONE_STATES.has(type),
    isFirstSector,
    'a zone is named by another sector than its first',
  ),
  zonedRequest(
    'BLKOP-DRV-021',
    (type) => type === blk.T_ZONE_RESET_ALL,
    (chain, device) => blk.sectorOf(chain, device) === 0,
    'a reset of all zones names a sector',
  ),
  zonedRequest(
    'BLKOP-DRV-022',
    (type) => type === blk.T_ZONE_APPEND,
    isFirstSector,
    'an append names another sector than its zone’s first',
  ),
  zonedRequest(
    'BLKOP-DRV-023',
    (type) => type === blk.T_ZONE_APPEND,
    (chain, device, config) => {
      const granularity = config.read(blk.AT_WRITE_GRANULARITY, 4, device.little);
      return granularity <= 0 ? undefined : blk.sentBytes(chain) % granularity === 0;
    },
    'an append is no multiple of write_granularity',
  ),
  zonedRequest(
    'BLKOP-DRV-024',
    (type) => type === blk.T_ZONE_APPEND,
    (chain, device, config) => {
      const most = mostAppended(device, config);
      return most < 0 ? undefined : blk.sentBytes(chain) <= most * blk.SECTOR_BYTES;
    },
    'an append is larger than max_append_sectors',
  ),
  zonedRequest(
    'BLKOP-DRV-027',
    (type) => type === blk.T_SECURE_ERASE,
    (chain, device, config) => {
      const zone = zoneSectors(device, config);
      if (zone <= 0 || blk.segmentCount(chain) === 0) return undefined;
      for (let i = 0; i < blk.segmentCount(chain); i++) {
        if (blk.segmentSectors(chain, device, i) % zone !== 0) return false;
      }
      return true;
    },
    'a secure erase is no multiple of zone_sectors',
  ),
  zonedStatus(
    'BLKOP-DEV-027',
    (type, chain, device, config) =>
      type === blk.T_ZONE_APPEND &&
      mostAppended(device, config) > 0 &&
      isFirstSector(chain, device, config) === false,
    blk.S_INVALID_CMD,
    'an append that names no first sector does not end in INVALID_CMD',
  ),
  zoned('BLKOP-DEV-029', 'device', (clause, device, config) => ({
    onUsed(queue, chain) {
      const zone = zoneSectors(device, config);
      if (zone <= 0 || !blk.isJudged(device, queue, chain)) return;
      const appended = blk.typeOf(chain, device) === blk.T_ZONE_APPEND && blk.statusOf(chain) === blk.S_OK;
      if (!appended || chain.writableBytes < 9) return;
      const at = chain.writableBytes - 9;
      const first = chain.response32(at + 4, device.little) * 2 ** 32 + chain.response32(at, device.little);
      const start = blk.sectorOf(chain, device);
      const end = first + blk.sentBytes(chain) / blk.SECTOR_BYTES;
      clause.holds(
        first >= start && end <= start + zone,
        `an append reports sector ${first}, outside its zone`,
      );
    },
  })),
  zonedStatus(
    'BLKOP-DEV-030',
    (type, _chain, device, config) => type === blk.T_ZONE_APPEND && mostAppended(device, config) === 0,
    blk.S_UNSUPP,
    'an append where max_append_sectors is 0 does not end in UNSUPP',
  ),
  zonedStatus(
    'BLKOP-DEV-031',
    (type, chain, device, config) => {
      const most = mostAppended(device, config);
      return type === blk.T_ZONE_APPEND && most > 0 && blk.sentBytes(chain) > most * blk.SECTOR_BYTES;
    },
    blk.S_INVALID_CMD,
    'an append larger than max_append_sectors does not end in INVALID_CMD',
  ),
  zonedStatus(
    'BLKOP-DEV-032',
    (type, chain, device, config) => {
      const zone = zoneSectors(device, config);
      const bytes = blk.sentBytes(chain);
      if (type !== blk.T_OUT || zone <= 0 || bytes === 0) return false;
      const first = blk.sectorOf(chain, device);
      const last = first + Math.ceil(bytes / blk.SECTOR_BYTES) - 1;
      return model(config) === blk.MODEL_HOST_MANAGED && Math.floor(first / zone) !== Math.floor(last / zone);
    },
    blk.S_INVALID_CMD,
    'a write across zones does not end in INVALID_CMD',
  ),
  zonedField(
    'BLKOP-DEV-039',
    blk.AT_SECURE_ERASE_ALIGNMENT,
    4,
    (value, config, device) => {
      const zone = zoneSectors(device, config);
      return zone <= 0 || !device.has(blk.F_SECURE_ERASE) ? undefined : value % zone === 0;
    },
    'secure_erase_sector_alignment is no multiple of zone_sectors',
  ),
];

export const ZONED_UNDECIDED: ClauseTable['undecided'] = [
  { id: 'BLK-DEV-011', why: PERMISSION },
  { id: 'BLK-DEV-012', why: ANY_VALUE },
  { id: 'BLK-DEV-013', why: ANY_VALUE },
  { id: 'BLK-DEV-014', why: ANY_VALUE },
  { id: 'BLK-DEV-016', why: PERMISSION },
  { id: 'BLKOP-DRV-017', why: 'a request counts in sectors of 512 bytes: it cannot say anything else' },
  { id: 'BLKOP-DRV-018', why: 'every sector lies in the zone that the driver may want' },
  { id: 'BLKOP-DRV-019', why: PERMISSION },
  { id: 'BLKOP-DRV-025', why: PERMISSION },
  { id: 'BLKOP-DRV-026', why: ZONES },
  { id: 'BLKOP-DEV-019', why: ZONES },
  { id: 'BLKOP-DEV-020', why: ZONES },
  { id: 'BLKOP-DEV-021', why: ZONES },
  { id: 'BLKOP-DEV-022', why: ZONES },
  { id: 'BLKOP-DEV-023', why: ZONES },
  { id: 'BLKOP-DEV-024', why: ZONES },
  { id: 'BLKOP-DEV-025', why: ZONES },
  { id: 'BLKOP-DEV-026', why: ZONES },
  { id: 'BLKOP-DEV-028', why: ZONES },
  { id: 'BLKOP-DEV-033', why: ZONES },
  { id: 'BLKOP-DEV-034', why: PERMISSION },
  { id: 'BLKOP-DEV-035', why: ZONES },
  { id: 'BLKOP-DEV-036', why: ZONES },
  { id: 'BLKOP-DEV-037', why: ZONES },
  { id: 'BLKOP-DEV-038', why: ZONES },
  { id: 'BLKOP-DEV-040', why: ZONES },
];
