/**
 * Numbers of the PAPR interface as QEMU 7.2 speaks it (include/hw/ppc/spapr.h, spapr_irq.h, spapr_ovec.h; PAPR+
 * chapters 7, 13 and 14). Constants and layouts only: guests, machine and device tree share this file.
 */

/** Return codes of hypercalls, in r3 (sign-extended to 64 bits). */
export const H_SUCCESS = 0;
/** @public Known to reports. */
export const H_BUSY = 1;
/** @public Known to reports. */
export const H_CLOSED = 2;
export const H_NOT_AVAILABLE = 3;
/** @public Known to reports. */
export const H_CONSTRAINED = 4;
/** @public Known to reports. */
export const H_PARTIAL = 5;
export const H_CONTINUE = 18;
export const H_HARDWARE = -1;
export const H_FUNCTION = -2;
export const H_PRIVILEGE = -3;
export const H_PARAMETER = -4;
export const H_BAD_MODE = -5;
/** @public Known to reports. */
export const H_PTEG_FULL = -6;
export const H_NOT_FOUND = -7;
/** @public Known to reports. */
export const H_RESERVED_DABR = -8;
/** @public Known to reports. */
export const H_NO_MEM = -9;
export const H_AUTHORITY = -10;
/** @public Known to reports. */
export const H_PERMISSION = -11;
/** @public Known to reports. */
export const H_DROPPED = -12;
export const H_RESOURCE = -16;
export const H_P2 = -55;
export const H_P3 = -56;
export const H_P4 = -57;
/** @public Known to reports. */
export const H_P5 = -58;
export const H_NOOP = -63;
export const H_UNSUPPORTED_FLAG = -256;
export const H_MULTI_THREADS_ACTIVE = -9005;

/** Hypercall numbers (r3). Those above 0xf000 are QEMU's own range. */
/** @public Known to reports. */
export const H_REMOVE = 0x04;
/** @public Known to reports. */
export const H_ENTER = 0x08;
/** @public Known to reports. */
export const H_READ = 0x0c;
/** @public Known to reports. */
export const H_PROTECT = 0x18;
export const H_GET_TCE = 0x1c;
export const H_PUT_TCE = 0x20;
export const H_SET_SPRG0 = 0x24;
export const H_SET_DABR = 0x28;
export const H_PAGE_INIT = 0x2c;
export const H_LOGICAL_CI_LOAD = 0x3c;
export const H_LOGICAL_CI_STORE = 0x40;
export const H_LOGICAL_CACHE_LOAD = 0x44;
export const H_LOGICAL_CACHE_STORE = 0x48;
export const H_LOGICAL_ICBI = 0x4c;
export const H_LOGICAL_DCBF = 0x50;
export const H_GET_TERM_CHAR = 0x54;
export const H_PUT_TERM_CHAR = 0x58;
export const H_EOI = 0x64;
export const H_CPPR = 0x68;
export const H_IPI = 0x6c;
export const H_IPOLL = 0x70;
export const H_XIRR = 0x74;
export const H_REGISTER_VPA = 0xdc;
export const H_CEDE = 0xe0;
export const H_CONFER = 0xe4;
export const H_PROD = 0xe8;
export const H_REG_CRQ = 0xfc;
export const H_FREE_CRQ = 0x100;
export const H_VIO_SIGNAL = 0x104;
export const H_SEND_CRQ = 0x108;
export const H_REGISTER_LOGICAL_LAN = 0x114;
export const H_FREE_LOGICAL_LAN = 0x118;
export const H_ADD_LOGICAL_LAN_BUFFER = 0x11c;
export const H_SEND_LOGICAL_LAN = 0x120;
/** @public Known to reports. */
export const H_BULK_REMOVE = 0x124;
export const H_MULTICAST_CTRL = 0x130;
export const H_SET_XDABR = 0x134;
export const H_STUFF_TCE = 0x138;
export const H_PUT_TCE_INDIRECT = 0x13c;
export const H_CHANGE_LOGICAL_LAN_MAC = 0x14c;
export const H_GET_CPU_CHARACTERISTICS = 0x1c8;
export const H_JOIN = 0x298;
export const H_ENABLE_CRQ = 0x2b0;
export const H_HOME_NODE_ASSOCIATIVITY = 0x2ec;
export const H_XIRR_X = 0x2fc;
export const H_RANDOM = 0x300;
export const H_SET_MODE = 0x31c;
export const H_RESIZE_HPT_PREPARE = 0x36c;
export const H_RESIZE_HPT_COMMIT = 0x370;
export const H_CLEAN_SLB = 0x374;
export const H_INVALIDATE_PID = 0x378;
export const H_REGISTER_PROC_TBL = 0x37c;
export const H_SIGNAL_SYS_RESET = 0x380;
export const H_INT_GET_SOURCE_INFO = 0x3a8;
export const H_INT_SET_SOURCE_CONFIG = 0x3ac;
export const H_INT_GET_SOURCE_CONFIG = 0x3b0;
export const H_INT_GET_QUEUE_INFO = 0x3b4;
export const H_INT_SET_QUEUE_CONFIG = 0x3b8;
export const H_INT_GET_QUEUE_CONFIG = 0x3bc;
export const H_INT_SET_OS_REPORTING_LINE = 0x3c0;
export const H_INT_GET_OS_REPORTING_LINE = 0x3c4;
export const H_INT_ESB = 0x3c8;
export const H_INT_SYNC = 0x3cc;
export const H_INT_RESET = 0x3d0;
export const H_SCM_READ_METADATA = 0x3e4;
export const H_SCM_WRITE_METADATA = 0x3e8;
export const H_SCM_BIND_MEM = 0x3ec;
export const H_SCM_UNBIND_MEM = 0x3f0;
export const H_SCM_UNBIND_ALL = 0x3fc;
export const H_SCM_HEALTH = 0x400;
export const H_SCM_FLUSH = 0x44c;
export const H_WATCHDOG = 0x45c;
export const SVM_H_TPM_COMM = 0xef10;
export const KVMPPC_H_RTAS = 0xf000;
export const KVMPPC_H_LOGICAL_MEMOP = 0xf001;
export const KVMPPC_H_CAS = 0xf002;
export const KVMPPC_H_UPDATE_DT = 0xf003;
export const KVMPPC_H_VOF_CLIENT = 0xf005;
export const H_SET_PARTITION_TABLE = 0xf800;
export const H_ENTER_NESTED = 0xf804;
export const H_TLB_INVALIDATE = 0xf808;
export const H_COPY_TOFROM_GUEST = 0xf80c;

/** The ranges that QEMU's dispatcher looks up (spapr_hcall.c `spapr_hypercall`); PAPR's own goes in steps of 4. */
export const HCALL_MAX = 0x45c;
export const SVM_HCALL_BASE = 0xef00;
export const SVM_HCALL_MAX = 0xef10;
export const KVMPPC_HCALL_BASE = 0xf000;
export const KVMPPC_HCALL_MAX = 0xf80c;

/** MSR bits. */
export const MSR_LE: bigint = 1n << 0n;
export const MSR_PR: bigint = 1n << 14n;
export const MSR_EE: bigint = 1n << 15n;
export const MSR_ME: bigint = 1n << 12n;
export const MSR_SF: bigint = 1n << 63n;

/** TCE permission bits: what the device may do. */
export const TCE_READ = 1;
export const TCE_WRITE = 2;

/** H_PUT_TCE_INDIRECT: one 4 KiB page of entries, whatever the window's page size. */
export const TCE_LIST_MAX = 512;

/** LIOBN of a PCI window: 0x80000000 | host bridge index << 8 | window. */
export const PCI_LIOBN_BASE = 0x8000_0000;
export const DMA_WINDOWS_MAX = 2;
export const DEFAULT_WINDOW_BYTES = 0x4000_0000;
/** 2^59, the high half: where every window but the first lies. */
export const DMA64_WINDOW_HIGH = 0x0800_0000;

/** DDW page sizes: shift and the bit of `ibm,query-pe-dma-window` (PAPR+ 7.3.34). */
export const DDW_PAGE_SIZES: readonly { readonly shift: number; readonly queryBit: number }[] = [
  { shift: 12, queryBit: 0x001 },
  { shift: 16, queryBit: 0x002 },
  { shift: 24, queryBit: 0x004 },
  { shift: 25, queryBit: 0x008 },
  { shift: 26, queryBit: 0x010 },
  { shift: 27, queryBit: 0x020 },
  { shift: 28, queryBit: 0x040 },
  { shift: 34, queryBit: 0x080 },
  { shift: 21, queryBit: 0x100 },
];

/** Interrupt numbers (spapr_irq.h). */
export const XICS_IPI = 2;
export const XIRQ_BASE = 0x1000;
export const IRQ_EPOW = 0x1000;
export const IRQ_HOTPLUG = 0x1001;
export const IRQ_VIO = 0x1100;
export const IRQ_PCI_LSI = 0x1200;
export const IRQ_MSI = 0x1300;
export const XIRQS = 0x1000;
/** The size of the source layer on machines with dynamic numbering (pseries-3.0 and older). */
export const XIRQS_LEGACY = 0x400;
export const PCI_PINS = 4;

/** Host bridge (spapr_pci.c). */
export const PHB_BUID_HIGH = 0x0800_0000;
export const PHB_BUID_LOW = 0x2000_0000;
export const MSI_WINDOW_HIGH = 0x400;
export const MSI_WINDOW_BYTES = 0x1000;
export const MSI_WINDOW: bigint = 0x400_0000_0000n;
export const IO_WINDOW_BYTES = 0x1_0000;
export const MEM32_BUS_ADDRESS = 0x8000_0000;
export const MEM32_WINDOW_BYTES = 0x8000_0000;

/** Status words of RTAS calls. */
export const RTAS_SUCCESS = 0;
export const RTAS_NO_ERRORS_FOUND = 1;
export const RTAS_HW_ERROR = -1;
export const RTAS_PARAM_ERROR = -3;
export const RTAS_NOT_SUPPORTED = -3;
export const RTAS_NO_SUCH_INDICATOR = -3;
export const RTAS_NOT_AUTHORIZED = -9002;
export const RTAS_NOT_CONFIGURABLE = -9003;
export const RTAS_SYSPARM_PARAM_ERROR = -9999;

export const RTAS_TOKEN_BASE = 0x2000;
/** Early Linux writes characters with this token without looking it up; QEMU answers it. */
export const RTAS_LEGACY_DISPLAY_CHARACTER = 0xa;

/** Every RTAS call with its token; the device tree's /rtas node carries these as properties, in this order. */
export const RTAS_CALLS = [
  { token: 0x2000, name: 'display-character' },
  { token: 0x2001, name: 'get-time-of-day' },
  { token: 0x2002, name: 'set-time-of-day' },
  { token: 0x2003, name: 'power-off' },
  { token: 0x2004, name: 'system-reboot' },
  { token: 0x2005, name: 'query-cpu-stopped-state' },
  { token: 0x2006, name: 'start-cpu' },
  { token: 0x2007, name: 'stop-self' },
  { token: 0x2008, name: 'ibm,get-system-parameter' },
  { token: 0x2009, name: 'ibm,set-system-parameter' },
  { token: 0x200a, name: 'ibm,set-xive' },
  { token: 0x200b, name: 'ibm,get-xive' },
  { token: 0x200c, name: 'ibm,int-off' },
  { token: 0x200d, name: 'ibm,int-on' },
  { token: 0x200e, name: 'check-exception' },
  { token: 0x200f, name: 'event-scan' },
  { token: 0x2010, name: 'ibm,set-tce-bypass' },
  { token: 0x2011, name: 'quiesce' },
  { token: 0x2012, name: 'nvram-fetch' },
  { token: 0x2013, name: 'nvram-store' },
  { token: 0x2014, name: 'read-pci-config' },
  { token: 0x2015, name: 'write-pci-config' },
  { token: 0x2016, name: 'ibm,read-pci-config' },
  { token: 0x2017, name: 'ibm,write-pci-config' },
  { token: 0x2018, name: 'ibm,query-interrupt-source-number' },
  { token: 0x2019, name: 'ibm,change-msi' },
  { token: 0x201a, name: 'set-indicator' },
  { token: 0x201b, name: 'set-power-level' },
  { token: 0x201c, name: 'get-power-level' },
  { token: 0x201d, name: 'get-sensor-state' },
  { token: 0x201e, name: 'ibm,configure-connector' },
  { token: 0x201f, name: 'ibm,os-term' },
  { token: 0x2020, name: 'ibm,set-eeh-option' },
  { token: 0x2021, name: 'ibm,get-config-addr-info2' },
  { token: 0x2022, name: 'ibm,read-slot-reset-state2' },
  { token: 0x2023, name: 'ibm,set-slot-reset' },
  { token: 0x2024, name: 'ibm,configure-pe' },
  { token: 0x2025, name: 'ibm,slot-error-detail' },
  { token: 0x2026, name: 'ibm,query-pe-dma-window' },
  { token: 0x2027, name: 'ibm,create-pe-dma-window' },
  { token: 0x2028, name: 'ibm,remove-pe-dma-window' },
  { token: 0x2029, name: 'ibm,reset-pe-dma-window' },
  { token: 0x202a, name: 'ibm,suspend-me' },
  { token: 0x202b, name: 'ibm,nmi-register' },
  { token: 0x202c, name: 'ibm,nmi-interlock' },
] as const;

export type RtasName = (typeof RTAS_CALLS)[number]['name'];

/** The token of each call, by name. */
export const RTAS_TOKEN: Readonly<Record<RtasName, number>> = Object.fromEntries(
  RTAS_CALLS.map((call) => [call.name, call.token]),
) as Record<RtasName, number>;

/** Indicators and sensors of dynamic reconfiguration connectors. */
export const INDICATOR_ISOLATION_STATE = 9001;
export const INDICATOR_DR = 9002;
export const INDICATOR_ALLOCATION_STATE = 9003;
export const SENSOR_ENTITY_SENSE = 9003;

/** Connector types: the top nibble of a connector's index. */
export const DRC_CPU = 1;
export const DRC_PHB = 2;
export const DRC_PCI = 4;

/** System parameters of `ibm,get-system-parameter`. */
export const SYSPARM_SPLPAR_CHARACTERISTICS = 20;
export const SYSPARM_DIAGNOSTICS_RUN_MODE = 42;
export const SYSPARM_UUID = 48;

/** One bit of an option vector: byte from 1, bit 0 is the byte's most significant. */
export interface OptionBit {
  readonly byte: number;
  readonly bit: number;
}
export const OV1_PPC_3_00: OptionBit = { byte: 3, bit: 0 };
export const OV5_DRCONF_MEMORY: OptionBit = { byte: 2, bit: 2 };
export const OV5_FORM1_AFFINITY: OptionBit = { byte: 5, bit: 0 };
export const OV5_FORM2_AFFINITY: OptionBit = { byte: 5, bit: 2 };
export const OV5_HP_EVT: OptionBit = { byte: 6, bit: 5 };
export const OV5_HPT_RESIZE: OptionBit = { byte: 6, bit: 7 };
export const OV5_DRMEM_V2: OptionBit = { byte: 22, bit: 0 };
export const OV5_XIVE_BOTH: OptionBit = { byte: 23, bit: 0 };
export const OV5_XIVE_EXPLOIT: OptionBit = { byte: 23, bit: 1 };
export const OV5_MMU_BOTH: OptionBit = { byte: 24, bit: 0 };
export const OV5_MMU_RADIX_300: OptionBit = { byte: 24, bit: 1 };
export const OV5_MMU_RADIX_GTSE: OptionBit = { byte: 26, bit: 1 };

/** VIO units (spapr_vio.c): the first unit's `reg`, and the size of the windows of those that have one. */
export const VIO_UNIT_BASE = 0x7100_0000;
export const VIO_WINDOW_BYTES = 0x1000_0000;
export const NVRAM_BYTES = 0x1_0000;
export const VTERM_BUFFER_BYTES = 16;
