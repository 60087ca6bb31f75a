/**
 * Numbers that a driver needs beyond those of PCI and PAPR: ring layout (VIRTIO 1.3, 2.7), requests of the device types
 * (5.1, 5.2, 5.4) and the byte order of a CPU. They are written down here a second time on purpose: a guest and a
 * device that shared them could agree on a mistake.
 */

export const DESC_BYTES = 16;
export const DESC_LEN = 8;
export const DESC_FLAGS = 12;
export const DESC_NEXT = 14;
export const DESC_F_NEXT = 1;
export const DESC_F_WRITE = 2;
export const DESC_F_INDIRECT = 4;

export const AVAIL_IDX = 2;
export const AVAIL_RING = 4;
export const AVAIL_F_NO_INTERRUPT = 1;
export const USED_IDX = 2;
export const USED_RING = 4;
export const USED_ELEM_BYTES = 8;
export const USED_F_NO_NOTIFY = 1;

/** Packed descriptor and event suppression structure (2.8.13, 2.8.14): id before flags, where split has flags before next. */
export const PACKED_DESC_ID = 12;
export const PACKED_DESC_FLAGS = 14;
export const PACKED_DESC_F_AVAIL = 0x80;
export const PACKED_DESC_F_USED = 0x8000;
export const PACKED_EVENT_BYTES = 4;
export const PACKED_EVENT_FLAGS = 2;
export const PACKED_EVENT_F_ENABLE = 0;
export const PACKED_EVENT_F_DISABLE = 1;
export const PACKED_EVENT_F_DESC = 2;

/** The one block of a legacy ring: aligned to this, and so is its used ring (2.7.2). */
export const LEGACY_RING_ALIGN = 4096;

/** Queue sizes that the drivers here accept. */
export const RING_SIZE_MAX = 1024;

/** blk (5.2): feature bits, request types, status. */
export const BLK_F_RO = 5;
export const BLK_F_FLUSH = 9;
export const BLK_T_IN = 0;
export const BLK_T_OUT = 1;
export const BLK_T_FLUSH = 4;
export const BLK_T_GET_ID = 8;
export const BLK_HEADER_BYTES = 16;
export const BLK_ID_BYTES = 20;
export const BLK_S_OK = 0;
export const SECTOR_BYTES = 512;

/** net (5.1). */
export const NET_F_MAC = 5;
export const NET_F_MRG_RXBUF = 15;
export const NET_RX_QUEUE = 0;
export const NET_TX_QUEUE = 1;
/** Header without and with num_buffers. */
export const NET_HEADER_BYTES = 10;
export const NET_HEADER_MRG_BYTES = 12;

/** MSI-X function of ibm,change-msi, and the status that means success. */
export const CHANGE_MSIX_FUNCTION = 4;

/** net, what a driver of everything needs: features by number, header, control commands, configuration. */
export const NET_F_CTRL_VQ = 17;
export const NET_F_MQ = 22;
export const NET_F_HASH_REPORT = 57;
export const NET_F_RSS = 60;
export const NET_HEADER_HASH_BYTES = 20;
export const NET_CONFIG_MAX_PAIRS_AT = 8;
