/** Numbers of the virtqueue layouts (VIRTIO 1.3, 2.7 and 2.8). */

/** Split descriptor: addr 8, len 4, flags 2, next 2. */
export const VRING_DESC_BYTES = 16;
export const VRING_DESC_LEN = 8;
export const VRING_DESC_FLAGS = 12;
export const VRING_DESC_NEXT = 14;
export const VRING_DESC_F_NEXT = 1;
export const VRING_DESC_F_WRITE = 2;
export const VRING_DESC_F_INDIRECT = 4;

/** Driver area: flags 2, idx 2, ring of 2 each, used_event 2. */
export const VRING_AVAIL_FLAGS = 0;
export const VRING_AVAIL_IDX = 2;
export const VRING_AVAIL_RING = 4;
export const VRING_AVAIL_F_NO_INTERRUPT = 1;

/** Device area: flags 2, idx 2, ring of 8 each (id, len), avail_event 2. */
export const VRING_USED_FLAGS = 0;
export const VRING_USED_IDX = 2;
export const VRING_USED_RING = 4;
export const VRING_USED_ELEM_BYTES = 8;
export const VRING_USED_F_NO_NOTIFY = 1;
/** used_event and avail_event. */
export const VRING_EVENT_BYTES = 2;

/** Packed descriptor: addr 8, len 4, id 2, flags 2 (2.8.13). */
export const VRING_PACKED_DESC_LEN = 8;
export const VRING_PACKED_DESC_ID = 12;
export const VRING_PACKED_DESC_FLAGS = 14;
export const VRING_PACKED_DESC_F_AVAIL = 0x80;
export const VRING_PACKED_DESC_F_USED = 0x8000;

/** Event suppression structure, driver's and device's: place and wrap counter 2, flags 2 (2.8.14). */
export const VRING_PACKED_EVENT_BYTES = 4;
export const VRING_PACKED_EVENT_OFF_WRAP = 0;
export const VRING_PACKED_EVENT_FLAGS = 2;
export const VRING_PACKED_EVENT_F_ENABLE = 0;
export const VRING_PACKED_EVENT_F_DISABLE = 1;
export const VRING_PACKED_EVENT_F_DESC = 2;

/** Where the device area of a legacy ring starts: the next multiple after the driver area (2.7.2). */
export const VRING_LEGACY_ALIGN = 4096;

/** Largest ring, and most pieces of one request, that QEMU takes (VIRTQUEUE_MAX_SIZE). */
export const VIRTQUEUE_MAX_SIZE = 1024;
