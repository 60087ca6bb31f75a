/** Numbers of the SCSI host (VIRTIO 1.3, 5.6) and of the commands that its disks know (SPC-3, SBC-2, MMC-6). */

export const VIRTIO_SCSI_F_HOTPLUG = 1;
export const VIRTIO_SCSI_F_CHANGE = 2;

/** Configuration, by offset. */
export const SCSI_CONFIG_NUM_QUEUES = 0;
export const SCSI_CONFIG_SEG_MAX = 4;
export const SCSI_CONFIG_MAX_SECTORS = 8;
export const SCSI_CONFIG_CMD_PER_LUN = 12;
export const SCSI_CONFIG_EVENT_INFO_SIZE = 16;
export const SCSI_CONFIG_SENSE_SIZE = 20;
export const SCSI_CONFIG_CDB_SIZE = 24;
export const SCSI_CONFIG_MAX_CHANNEL = 28;
export const SCSI_CONFIG_MAX_TARGET = 30;
export const SCSI_CONFIG_MAX_LUN = 32;
export const SCSI_CONFIG_BYTES = 36;
export const VIRTIO_SCSI_SENSE_DEFAULT_SIZE = 96;
export const VIRTIO_SCSI_CDB_DEFAULT_SIZE = 32;
export const VIRTIO_SCSI_MAX_TARGET = 255;
export const VIRTIO_SCSI_MAX_LUN = 16383;

export const VIRTIO_SCSI_CONTROL_QUEUE = 0;
export const VIRTIO_SCSI_EVENT_QUEUE = 1;
export const VIRTIO_SCSI_VQ_NUM_FIXED = 2;

/** Command request: lun 8, tag 8, task_attr, prio, crn, then cdb_size bytes. */
export const SCSI_CMD_REQUEST_BYTES = 19;
export const SCSI_CMD_TAG = 8;
export const SCSI_CMD_CDB = 19;
/** Command response: sense_len 4, resid 4, status_qualifier 2, status, response, then sense_size bytes. */
export const SCSI_CMD_RESPONSE_BYTES = 12;
export const SCSI_CMD_RESPONSE_RESID = 4;
export const SCSI_CMD_RESPONSE_STATUS = 10;
export const SCSI_CMD_RESPONSE_CODE = 11;
/** Task management: type 4, subtype 4, lun 8, tag 8; one byte comes back. */
export const SCSI_TMF_REQUEST_BYTES = 24;
export const SCSI_TMF_SUBTYPE = 4;
export const SCSI_TMF_LUN = 8;
export const SCSI_TMF_TAG = 16;
/** Asynchronous notification: type 4, lun 8, event_requested 4; event_actual 4 and a response come back. */
export const SCSI_AN_REQUEST_BYTES = 16;
export const SCSI_AN_RESPONSE_BYTES = 5;
/** Event: event 4, lun 8, reason 4. */
export const SCSI_EVENT_BYTES = 16;

export const VIRTIO_SCSI_T_TMF = 0;
export const VIRTIO_SCSI_T_AN_QUERY = 1;
export const VIRTIO_SCSI_T_AN_SUBSCRIBE = 2;

export const VIRTIO_SCSI_T_TMF_ABORT_TASK = 0;
export const VIRTIO_SCSI_T_TMF_ABORT_TASK_SET = 1;
export const VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET = 3;
export const VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET = 4;
export const VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET = 5;
export const VIRTIO_SCSI_T_TMF_QUERY_TASK = 6;
export const VIRTIO_SCSI_T_TMF_QUERY_TASK_SET = 7;

export const VIRTIO_SCSI_S_OK = 0;
export const VIRTIO_SCSI_S_OVERRUN = 1;
export const VIRTIO_SCSI_S_ABORTED = 2;
export const VIRTIO_SCSI_S_BAD_TARGET = 3;
export const VIRTIO_SCSI_S_RESET = 4;
export const VIRTIO_SCSI_S_FAILURE = 9;
export const VIRTIO_SCSI_S_FUNCTION_SUCCEEDED = 10;
export const VIRTIO_SCSI_S_FUNCTION_REJECTED = 11;
export const VIRTIO_SCSI_S_INCORRECT_LUN = 12;

export const VIRTIO_SCSI_T_NO_EVENT = 0;
export const VIRTIO_SCSI_T_TRANSPORT_RESET = 1;
export const VIRTIO_SCSI_T_PARAM_CHANGE = 3;
export const VIRTIO_SCSI_T_EVENTS_MISSED = 0x80000000;
export const VIRTIO_SCSI_EVT_RESET_RESCAN = 1;
export const VIRTIO_SCSI_EVT_RESET_REMOVED = 2;

/** Status of a command (SAM-4, 5.3). */
export const GOOD = 0;
export const CHECK_CONDITION = 2;

/** Operation codes. */
export const TEST_UNIT_READY = 0x00;
export const REZERO_UNIT = 0x01;
export const REQUEST_SENSE = 0x03;
export const FORMAT_UNIT = 0x04;
export const READ_BLOCK_LIMITS = 0x05;
export const REASSIGN_BLOCKS = 0x07;
export const READ_6 = 0x08;
export const WRITE_6 = 0x0a;
export const SET_CAPACITY = 0x0b;
export const READ_REVERSE = 0x0f;
export const WRITE_FILEMARKS = 0x10;
export const SPACE = 0x11;
export const INQUIRY = 0x12;
export const MODE_SELECT = 0x15;
export const RESERVE = 0x16;
export const RELEASE = 0x17;
export const COPY = 0x18;
export const ERASE = 0x19;
export const MODE_SENSE = 0x1a;
export const START_STOP = 0x1b;
export const RECEIVE_DIAGNOSTIC = 0x1c;
export const SEND_DIAGNOSTIC = 0x1d;
export const ALLOW_MEDIUM_REMOVAL = 0x1e;
export const SET_WINDOW = 0x24;
export const READ_CAPACITY_10 = 0x25;
export const READ_10 = 0x28;
export const WRITE_10 = 0x2a;
export const SEEK_10 = 0x2b;
export const WRITE_VERIFY_10 = 0x2e;
export const VERIFY_10 = 0x2f;
export const SEARCH_HIGH = 0x30;
export const SEARCH_EQUAL = 0x31;
export const SEARCH_LOW = 0x32;
export const SET_LIMITS = 0x33;
export const PRE_FETCH = 0x34;
export const SYNCHRONIZE_CACHE = 0x35;
export const LOCK_UNLOCK_CACHE = 0x36;
export const MEDIUM_SCAN = 0x38;
export const COMPARE = 0x39;
export const COPY_VERIFY = 0x3a;
export const WRITE_BUFFER = 0x3b;
export const READ_BUFFER = 0x3c;
export const UPDATE_BLOCK = 0x3d;
export const WRITE_LONG_10 = 0x3f;
export const CHANGE_DEFINITION = 0x40;
export const WRITE_SAME_10 = 0x41;
export const UNMAP = 0x42;
export const READ_TOC = 0x43;
export const GET_CONFIGURATION = 0x46;
export const GET_EVENT_STATUS_NOTIFICATION = 0x4a;
export const LOG_SELECT = 0x4c;
export const READ_DISC_INFORMATION = 0x51;
export const RESERVE_TRACK = 0x53;
export const MODE_SELECT_10 = 0x55;
export const RESERVE_10 = 0x56;
export const RELEASE_10 = 0x57;
export const MODE_SENSE_10 = 0x5a;
export const SEND_CUE_SHEET = 0x5d;
export const PERSISTENT_RESERVE_OUT = 0x5f;
export const WRITE_FILEMARKS_16 = 0x80;
export const ALLOW_OVERWRITE = 0x82;
export const ATA_PASSTHROUGH_16 = 0x85;
export const READ_16 = 0x88;
export const WRITE_16 = 0x8a;
export const WRITE_VERIFY_16 = 0x8e;
export const VERIFY_16 = 0x8f;
export const PRE_FETCH_16 = 0x90;
export const SYNCHRONIZE_CACHE_16 = 0x91;
export const LOCATE_16 = 0x92;
export const WRITE_SAME_16 = 0x93;
export const SERVICE_ACTION_IN_16 = 0x9e;
export const REPORT_LUNS = 0xa0;
export const ATA_PASSTHROUGH_12 = 0xa1;
export const MAINTENANCE_OUT = 0xa4;
export const SET_READ_AHEAD = 0xa7;
export const READ_12 = 0xa8;
export const WRITE_12 = 0xaa;
export const READ_DVD_STRUCTURE = 0xad;
export const WRITE_VERIFY_12 = 0xae;
export const VERIFY_12 = 0xaf;
export const SEARCH_HIGH_12 = 0xb0;
export const SEARCH_EQUAL_12 = 0xb1;
export const SEARCH_LOW_12 = 0xb2;
export const SEND_VOLUME_TAG = 0xb6;
export const SET_CD_SPEED = 0xbb;
export const MECHANISM_STATUS = 0xbd;
export const READ_CD = 0xbe;
export const SEND_DVD_STRUCTURE = 0xbf;

/** Service action of SERVICE ACTION IN (16). */
export const SAI_READ_CAPACITY_16 = 0x10;
/** Longest command that is kept (QEMU's SCSI_CMD_BUF_SIZE). */
export const CDB_BYTES_MAX = 16;
