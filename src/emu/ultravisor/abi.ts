/**
 * Numbers of the Protected Execution Facility: ultracalls, the hypercalls that an ultravisor makes, and what both
 * answer (open-power/ultravisor include/uvcall.h, uapi_uvcall.h, hvcall.h; Linux arch/powerpc/include/asm/ultravisor-api.h,
 * hvcall.h). Constants only: guests, ultravisor and hypervisor share this file.
 */

/** Status of an ultracall, in r3. */
export const U_SUCCESS = 0;
export const U_FUNCTION = -2;
export const U_PARAMETER = -4;
export const U_RETRY = -5;
export const U_PERMISSION = -11;
export const U_P2 = -55;
export const U_P3 = -56;
/** @public Known to reports. */
export const U_P4 = -57;
export const U_P5 = -58;
export const U_BAD_MODE = -59;
export const U_STATE = -75;

/** Ultracalls, in r3 of `sc 2`. */
export const UV_WRITE_PATE = 0xf104;
export const UV_RESTRICTED_SPR_WRITE = 0xf108;
export const UV_RESTRICTED_SPR_READ = 0xf10c;
export const UV_ESM = 0xf110;
export const UV_READ_SCOM = 0xf114;
export const UV_WRITE_SCOM = 0xf118;
export const UV_RETURN = 0xf11c;
export const UV_REGISTER_MEM_SLOT = 0xf120;
export const UV_UNREGISTER_MEM_SLOT = 0xf124;
export const UV_PAGE_IN = 0xf128;
export const UV_PAGE_OUT = 0xf12c;
export const UV_SHARE_PAGE = 0xf130;
export const UV_UNSHARE_PAGE = 0xf134;
export const UV_PAGE_INVAL = 0xf138;
export const UV_SVM_TERMINATE = 0xf13c;
export const UV_UNSHARE_ALL_PAGES = 0xf140;
export const UV_READ_MEM = 0xf144;
export const UV_WRITE_MEM = 0xf148;
export const UV_ESMB_GET_FILE = 0xf14c;
export const UV_SEND_SBE_COMMAND = 0xf150;

/** Hypercalls that the ultravisor makes. */
export const H_SVM_PAGE_IN = 0xef00;
export const H_SVM_PAGE_OUT = 0xef04;
export const H_SVM_INIT_START = 0xef08;
export const H_SVM_INIT_DONE = 0xef0c;
export const H_SVM_INIT_ABORT = 0xef14;
export const H_UNSUPPORTED = -67;
export const H_STATE = -75;
/** Flags of H_SVM_PAGE_IN. */
export const H_PAGE_IN_NONSHARED = 0;
export const H_PAGE_IN_SHARED = 1;

/** MSR[S], architected bit 41: secure state. Only the ultravisor sets it. */
export const MSR_S: bigint = 1n << 22n;
export const MSR_HV: bigint = 1n << 60n;
/** MSR[TS]: a transaction is active or suspended. */
export const MSR_TS: bigint = 3n << 33n;
export const MSR_FP: bigint = 1n << 13n;
export const MSR_VSX: bigint = 1n << 23n;
export const MSR_VEC: bigint = 1n << 25n;
export const MSR_RI: bigint = 1n << 1n;
/** SRR1 bits 42:43: LEV of the system call that interrupted. */
export const SRR1_LEV_SHIFT = 20n;
export const SRR1_LEV: bigint = 3n << SRR1_LEV_SHIFT;

/** The one page size of secure guests; the order argument of ultracalls and hypercalls. */
export const FRAME_SHIFT = 16;
export const FRAME_BYTES = 0x1_0000;
export const SLOTS_MAX = 512;
/** Real address bit 15: secure memory. A real address of the hypervisor must not have it. */
export const SECURE_REAL_ADDRESS: bigint = 1n << 48n;
/** Where the machine's host keeps the guest's RAM: the real address of guest-physical 0. Real addresses 0 are refused. */
export const HOST_RAM_AT = 0x10_0000_0000;

/** Interrupt vectors. */
export const VECTOR_SYSTEM_CALL = 0xc00;
export const VECTOR_HDSI = 0xe00;

/** Where the ultravisor's device tree must lie: at most this long, and RAM below this may be used by firmware. */
export const TREE_BYTES_MAX = 0x10_0000;
export const REAL_MODE_TOP_MAX = 0x3000_0000;
