/** Something of QEMU's platform that this one lacks, and what a guest that tries it sees. */
export interface Missing {
  readonly name: string;
  readonly seen: string;
}

/** What is left out, for the README. Everything else of platform.md section 1.2 and 3 answers. */
export const NOT_IMPLEMENTED: readonly Missing[] = [
  {
    name: 'H_ENTER, H_REMOVE, H_READ, H_PROTECT, H_BULK_REMOVE (hash page table)',
    seen: 'H_FUNCTION; no CPU here translates by a hash page table',
  },
  {
    name: 'H_RESIZE_HPT_PREPARE, H_RESIZE_HPT_COMMIT for hash guests',
    seen: 'H_AUTHORITY, as with resize-hpt=disabled; radix guests get H_NOT_AVAILABLE as in QEMU',
  },
  {
    name: 'XIVE exploitation mode (H_INT_*, ESB and TIMA pages)',
    seen: 'H_FUNCTION, also after client-architecture-support chose XIVE',
  },
  {
    name: 'H_REGISTER_LOGICAL_LAN and its family, H_REG_CRQ on spapr-vscsi',
    seen: 'H_PARAMETER and H_NOT_FOUND, as without such devices',
  },
  {
    name: 'H_SET_PARTITION_TABLE, H_ENTER_NESTED, H_COPY_TOFROM_GUEST (cap-nested-hv)',
    seen: 'H_FUNCTION, as with cap-nested-hv=off',
  },
  { name: 'H_SCM_* with persistent memory', seen: 'H_PARAMETER, as without it' },
  { name: 'KVMPPC_H_VOF_CLIENT (x-vof) outside papyrus boot', seen: 'H_FUNCTION' },
  {
    name: 'ibm,configure-connector',
    seen: '-1 for a connector that could be configured, -9003 otherwise: nothing is hot-plugged',
  },
  {
    name: 'ibm,nmi-interlock after a machine check',
    seen: '0: there are no machine checks',
  },
  {
    name: 'the dispatch counter of a registered VPA',
    seen: 'it stays as the guest wrote it; QEMU counts turns of its own loop',
  },
];
