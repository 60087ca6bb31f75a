import { AUTO_GRANULARITY, property, type Property, type PropertyValues } from './properties.ts';

/** Properties of everything with a drive (include/hw/block/block.h: DEFINE_BLOCK_PROPERTIES and its siblings). */
export const BLOCK_PROPERTIES: readonly Property[] = [
  property('drive', 'drive', undefined, 'device'),
  property('backend_defaults', 'switch-auto', 'auto', 'none'),
  property('logical_block_size', 'block-size', 0, 'device'),
  property('physical_block_size', 'block-size', 0, 'device'),
  property('min_io_size', 'size', 0, 'device'),
  property('opt_io_size', 'size', 0, 'device'),
  property('discard_granularity', 'size', AUTO_GRANULARITY, 'device'),
  property('write-cache', 'switch-auto', 'auto', 'device'),
  property('share-rw', 'switch', false, 'none'),
  property('account-invalid', 'switch-auto', 'auto', 'none'),
  property('account-failed', 'switch-auto', 'auto', 'none'),
  property('rerror', 'string', 'auto', 'none'),
  property('werror', 'string', 'auto', 'none'),
  property('bootindex', 'int32', -1, 'none'),
  property('cyls', 'uint32', 0, 'device'),
  property('heads', 'uint32', 0, 'device'),
  property('secs', 'uint32', 0, 'device'),
  property('lcyls', 'uint32', 0, 'none'),
  property('lheads', 'uint32', 0, 'none'),
  property('lsecs', 'uint32', 0, 'none'),
];

const SECTOR_BYTES = 512;
const LOGICAL_BLOCKS_MAX = 0xffff;
const CYLINDERS_MAX = 65535;
const HEADS_MAX = 255;
const SECTORS_MAX = 255;

/** blkconf_blocksizes: fills in what was left open; a text refuses. */
export function checkBlockSizes(values: PropertyValues): string | undefined {
  for (const name of ['logical_block_size', 'physical_block_size']) {
    if (values.number(name) === 0) values.set(name, SECTOR_BYTES);
  }
  const block = values.number('logical_block_size');
  if (block > values.number('physical_block_size')) {
    return 'logical_block_size > physical_block_size not supported';
  }
  const least = values.number('min_io_size');
  if (least % block !== 0) return 'min_io_size must be a multiple of logical_block_size';
  if (least / block > LOGICAL_BLOCKS_MAX) {
    return `min_io_size must not exceed ${LOGICAL_BLOCKS_MAX} logical blocks`;
  }
  if (values.number('opt_io_size') % block !== 0) {
    return 'opt_io_size must be a multiple of logical_block_size';
  }
  const granularity = values.number('discard_granularity');
  return granularity !== AUTO_GRANULARITY && granularity % block !== 0
    ? 'discard_granularity must be a multiple of logical_block_size'
    : undefined;
}

/** blkconf_geometry: all three numbers or none; a text refuses. */
export function checkGeometry(values: PropertyValues): string | undefined {
  const given: readonly (readonly [string, number])[] = [
    ['cyls', CYLINDERS_MAX],
    ['heads', HEADS_MAX],
    ['secs', SECTORS_MAX],
  ];
  if (given.every(([name]) => values.number(name) === 0)) return undefined;
  const wrong = given.find(([name, most]) => values.number(name) < 1 || values.number(name) > most);
  return wrong === undefined ? undefined : `${wrong[0]} must be between 1 and ${wrong[1]}`;
}
