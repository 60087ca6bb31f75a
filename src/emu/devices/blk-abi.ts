/** Numbers of the block device (VIRTIO 1.3, 5.2). */

export const VIRTIO_BLK_F_SEG_MAX = 2;
export const VIRTIO_BLK_F_GEOMETRY = 4;
export const VIRTIO_BLK_F_RO = 5;
export const VIRTIO_BLK_F_BLK_SIZE = 6;
export const VIRTIO_BLK_F_SCSI = 7;
/** Called WCE by legacy drivers. */
export const VIRTIO_BLK_F_FLUSH = 9;
export const VIRTIO_BLK_F_TOPOLOGY = 10;
export const VIRTIO_BLK_F_CONFIG_WCE = 11;
export const VIRTIO_BLK_F_MQ = 12;
export const VIRTIO_BLK_F_DISCARD = 13;
export const VIRTIO_BLK_F_WRITE_ZEROES = 14;
export const VIRTIO_BLK_F_SECURE_ERASE = 16;

export const VIRTIO_BLK_T_IN = 0;
export const VIRTIO_BLK_T_OUT = 1;
export const VIRTIO_BLK_T_SCSI_CMD = 2;
export const VIRTIO_BLK_T_FLUSH = 4;
export const VIRTIO_BLK_T_GET_ID = 8;
export const VIRTIO_BLK_T_DISCARD = 11;
export const VIRTIO_BLK_T_WRITE_ZEROES = 13;
export const VIRTIO_BLK_T_SECURE_ERASE = 14;
export const VIRTIO_BLK_T_BARRIER = 0x80000000;

export const VIRTIO_BLK_S_OK = 0;
export const VIRTIO_BLK_S_IOERR = 1;
export const VIRTIO_BLK_S_UNSUPP = 2;

/** Request header: type 4, reserved 4, sector 8. */
export const VIRTIO_BLK_OUTHDR_BYTES = 16;
export const VIRTIO_BLK_ID_BYTES = 20;
/** Discard and write-zeroes segment: sector 8, num_sectors 4, flags 4. */
export const VIRTIO_BLK_SEGMENT_BYTES = 16;
export const VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP = 1;

/** Configuration, by offset. */
export const BLK_CONFIG_CAPACITY = 0;
export const BLK_CONFIG_SEG_MAX = 12;
export const BLK_CONFIG_CYLINDERS = 16;
export const BLK_CONFIG_HEADS = 18;
export const BLK_CONFIG_SECTORS = 19;
export const BLK_CONFIG_BLK_SIZE = 20;
export const BLK_CONFIG_PHYSICAL_BLOCK_EXP = 24;
export const BLK_CONFIG_MIN_IO_SIZE = 26;
export const BLK_CONFIG_OPT_IO_SIZE = 28;
export const BLK_CONFIG_WCE = 32;
export const BLK_CONFIG_NUM_QUEUES = 34;
export const BLK_CONFIG_MAX_DISCARD_SECTORS = 36;
export const BLK_CONFIG_MAX_DISCARD_SEG = 40;
export const BLK_CONFIG_DISCARD_ALIGNMENT = 44;
export const BLK_CONFIG_MAX_WRITE_ZEROES_SECTORS = 48;
export const BLK_CONFIG_MAX_WRITE_ZEROES_SEG = 52;
export const BLK_CONFIG_WRITE_ZEROES_MAY_UNMAP = 56;
export const BLK_CONFIG_MAX_SECURE_ERASE_SECTORS = 60;
export const BLK_CONFIG_MAX_SECURE_ERASE_SEG = 64;
export const BLK_CONFIG_SECURE_ERASE_ALIGNMENT = 68;
/** Where QEMU ends the configuration: without discard and write zeroes, with the one, with the other. */
export const BLK_CONFIG_BYTES = 36;
export const BLK_CONFIG_BYTES_DISCARD = 48;
export const BLK_CONFIG_BYTES_WRITE_ZEROES = 57;
export const BLK_CONFIG_BYTES_SECURE_ERASE = 72;
