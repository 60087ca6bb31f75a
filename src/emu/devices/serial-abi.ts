/** Numbers of the console device (VIRTIO 1.3, 5.3). */

/** Feature bits (5.3.3). */
export const VIRTIO_CONSOLE_F_MULTIPORT = 1;
export const VIRTIO_CONSOLE_F_EMERG_WRITE = 2;

/** Device configuration (5.3.4): cols, rows, then these. */
export const MAX_NR_PORTS_AT = 4;
export const EMERG_WR_AT = 8;
export const CONFIG_BYTES = 12;

/** Control messages (5.3.6.2): id, event, value. */
export const CONTROL_BYTES = 8;
export const CONTROL_EVENT_AT = 4;
export const CONTROL_VALUE_AT = 6;
export const VIRTIO_CONSOLE_DEVICE_READY = 0;
export const VIRTIO_CONSOLE_DEVICE_ADD = 1;
export const VIRTIO_CONSOLE_DEVICE_REMOVE = 2;
export const VIRTIO_CONSOLE_PORT_READY = 3;
export const VIRTIO_CONSOLE_CONSOLE_PORT = 4;
export const VIRTIO_CONSOLE_PORT_OPEN = 6;
export const VIRTIO_CONSOLE_PORT_NAME = 7;

/** Queues (5.3.2): port 0, the control pair, then two for each further port. */
export const CONTROL_RECEIVE_QUEUE = 2;
export const CONTROL_TRANSMIT_QUEUE = 3;
