/** Numbers of the memory balloon (VIRTIO 1.3, 5.5). */

/** Feature bits (5.5.3). QEMU never offers VIRTIO_BALLOON_F_MUST_TELL_HOST (0). */
export const VIRTIO_BALLOON_F_STATS_VQ = 1;
export const VIRTIO_BALLOON_F_DEFLATE_ON_OOM = 2;
export const VIRTIO_BALLOON_F_FREE_PAGE_HINT = 3;
export const VIRTIO_BALLOON_F_PAGE_POISON = 4;
export const VIRTIO_BALLOON_F_PAGE_REPORTING = 5;

/** Device configuration (5.5.4), little-endian always: num_pages first. */
export const ACTUAL_AT = 4;
export const FREE_PAGE_HINT_CMD_ID_AT = 8;
export const POISON_AT = 12;
export const CONFIG_BYTES = 16;

/** A page number in a buffer counts pages of 4 KiB, whatever pages guest or host have (5.5.6). */
export const VIRTIO_BALLOON_PFN_SHIFT = 12;
export const BALLOON_PAGE_BYTES = 4096;
export const PFN_BYTES = 4;

/** Free page hinting (5.5.6.4): commands that the device shows, and the first number of a request. */
export const VIRTIO_BALLOON_CMD_ID_STOP = 0;
export const VIRTIO_BALLOON_CMD_ID_DONE = 1;
export const FREE_PAGE_HINT_CMD_ID_MIN = 0x8000_0000;

/** Statistics (5.5.6.3): a tag of 16 and a value of 64 bits, and QEMU's name of each tag. */
export const STAT_BYTES = 10;
export const STAT_NAMES = [
  'stat-swap-in',
  'stat-swap-out',
  'stat-major-faults',
  'stat-minor-faults',
  'stat-free-memory',
  'stat-total-memory',
  'stat-available-memory',
  'stat-disk-caches',
  'stat-htlb-pgalloc',
  'stat-htlb-pgfail',
] as const;
