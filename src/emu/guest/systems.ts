/**
 * Guests as rows: what each does when it meets a virtio-pci device, and how we know. A row's traits are all that the
 * rules and the scripted guests go by; two systems with equal traits are one guest to them.
 */

export type Transport = 'legacy' | 'modern';

/** What a guest does about secure mode: nothing, or where its virtio memory lies once it is secure (guests.md 3). */
type SecureBehaviour =
  /** No CONFIG_PPC_SVM, or a system that cannot: it stays an ordinary guest. */
  | 'never'
  /** 5.4.0, 5.5.0: shared bounce pool, raw guest-physical addresses in descriptors. */
  | 'pool-raw'
  /** 5.6 … 5.18, or later with swiotlb=force: shared bounce pool behind the direct DMA window. */
  | 'pool'
  /** 5.19 and later: coherent rings are shared, the pool is gone, so data stays in secure memory. */
  | 'rings-only';

export interface GuestTraits {
  /** In the order in which they are tried; none where the system has no virtio-pci driver. */
  readonly transports: readonly Transport[];
  /** Acknowledges VIRTIO_F_ACCESS_PLATFORM (33) where it is offered. */
  readonly acksPlatform: boolean;
  /** Acknowledges VIRTIO_F_RING_PACKED (34) where it is offered. */
  readonly acksPacked: boolean;
  readonly bigEndian: boolean;
  /**
   * Makes a direct window over all of RAM where the host bridge offers dynamic DMA windows: of the size of memory, or
   * of ibm,lrdr-capacity (6aa989ab2bd0), which is 0 and makes none where no memory can be plugged in.
   */
  readonly directWindow: 'memory' | 'lrdr' | 'none';
  readonly pageShift: 12 | 16;
  readonly secure: SecureBehaviour;
}

export interface GuestSystem {
  readonly name: string;
  readonly title: string;
  readonly kind: 'kernel' | 'distribution' | 'firmware' | 'loader';
  readonly traits: GuestTraits;
  /** `run` on a real QEMU, read in its `source`, said in the `thread`, `derived` from a version, or `believed`. */
  readonly certainty: 'run' | 'source' | 'thread' | 'derived' | 'believed';
  readonly evidence: string;
  /** First release and end of the vendor's support, where a public source names them. */
  readonly released?: string;
  readonly supportEnds?: string;
}

const OLD: GuestTraits = {
  transports: ['legacy'],
  acksPlatform: false,
  acksPacked: false,
  bigEndian: false,
  directWindow: 'none',
  pageShift: 16,
  secure: 'never',
};
const OLD_BE: GuestTraits = { ...OLD, bigEndian: true };
const MID: GuestTraits = { ...OLD, transports: ['modern', 'legacy'] };
const NEW: GuestTraits = { ...MID, acksPlatform: true, directWindow: 'memory' };
const PACKED: GuestTraits = { ...NEW, acksPacked: true };
const FOUR_K: GuestTraits = { ...PACKED, pageShift: 12, directWindow: 'lrdr' };

const LEGACY_ONLY = 'one driver virtio_pci.c, ids 0x1000–0x103f and revision 0 only';
const V4_8 = 'bit 33 is acknowledged and selects the DMA API from 4.8 on';

function row(
  name: string,
  title: string,
  kind: GuestSystem['kind'],
  traits: GuestTraits,
  certainty: GuestSystem['certainty'],
  evidence: string,
  dates: { readonly released?: string; readonly supportEnds?: string } = {},
): GuestSystem {
  return { name, title, kind, traits, certainty, evidence, ...dates };
}

export const GUEST_SYSTEMS: readonly GuestSystem[] = [
  // Linux by version, as kernel.org released it.
  row('linux-2.6.32', 'Linux 2.6.32', 'kernel', OLD_BE, 'source', LEGACY_ONLY, { released: '2009-12-03' }),
  row('linux-3.10', 'Linux 3.10 without backports', 'kernel', OLD, 'source', LEGACY_ONLY, {
    released: '2013-06-30',
  }),
  row('linux-3.19', 'Linux 3.19', 'kernel', OLD, 'source', LEGACY_ONLY, { released: '2015-02-08' }),
  row('linux-4.0', 'Linux 4.0', 'kernel', MID, 'source', 'modern transport, commit 1fcf0512c9c8', {
    released: '2015-04-12',
  }),
  row('linux-4.7', 'Linux 4.7', 'kernel', MID, 'source', 'modern, and bit 33 is not known before 4.8', {
    released: '2016-07-24',
  }),
  row('linux-4.8', 'Linux 4.8', 'kernel', NEW, 'thread', V4_8, { released: '2016-10-02' }),
  row('linux-5.0', 'Linux 5.0', 'kernel', PACKED, 'source', 'packed rings since 5.0', {
    released: '2019-03-03',
  }),
  row(
    'linux-5.4-svm',
    'Linux 5.4.0, secure',
    'kernel',
    { ...PACKED, secure: 'pool-raw' },
    'source',
    'edea902c1c1e: no dma_iommu_ops in a secure guest, raw addresses of the pool',
    { released: '2019-11-24' },
  ),
  row(
    'linux-5.6-svm',
    'Linux 5.6–5.18, secure',
    'kernel',
    { ...PACKED, secure: 'pool' },
    'source',
    'revert d862b44133b7: a secure guest uses TCEs again, pool behind the direct window',
    { released: '2020-03-29' },
  ),
  row(
    'linux-5.19-svm',
    'Linux 5.19 and later, secure',
    'kernel',
    { ...PACKED, secure: 'rings-only' },
    'source',
    'the pool is no longer allocated: ultravisor.md section 8',
    { released: '2022-07-31' },
  ),
  row(
    'linux-5.19-svm-force',
    'Linux 5.19 and later, secure, swiotlb=force',
    'kernel',
    { ...PACKED, secure: 'pool' },
    'source',
    'swiotlb=force brings the pool back: ultravisor.md section 8',
    { released: '2022-07-31' },
  ),
  row(
    'linux-6.12-svm-4k',
    'Linux 6.12, secure, 4 KiB pages, swiotlb=force',
    'kernel',
    { ...FOUR_K, secure: 'pool' },
    'source',
    'PHYS_PFN(pa) counts 4 KiB pages and the ultravisor 64 KiB frames: the wrong ones are shared',
    { released: '2024-11-17' },
  ),
  row(
    'linux-7.2',
    'Linux 7.2',
    'kernel',
    PACKED,
    'run',
    'Debian 7.2.13 ran; TCE leak where the direct window fails',
    {},
  ),
  row(
    'linux-force-legacy',
    'Linux 6.1 with virtio_pci.force_legacy=1',
    'kernel',
    { ...PACKED, transports: ['legacy', 'modern'] },
    'source',
    'probe order turned round, modern after −ENODEV or −ENOMEM',
    {},
  ),
  row(
    'linux-no-cas',
    'Linux that never calls client-architecture-support',
    'kernel',
    { ...NEW, directWindow: 'none' },
    'derived',
    'stays on XICS and hash, and makes no direct window',
    {},
  ),
  row(
    'linux-6.12-4k',
    'Linux 6.12 with 4 KiB pages',
    'kernel',
    FOUR_K,
    'run',
    'Debian 6.12.107 ran, 4 KiB pages',
    { released: '2024-11-17' },
  ),

  // Distributions.
  row(
    'rhel-6',
    'RHEL 6 (2.6.32, ppc64)',
    'distribution',
    OLD_BE,
    'thread',
    'Kurz 2020-02-13 and 2020-03-05: RHEL 6.10 finds no modern-only device',
    { released: '2010-11-10', supportEnds: '2020-11-30' },
  ),
  row(
    'rhel-7.0',
    'RHEL 7.0 (3.10, ppc64)',
    'distribution',
    OLD_BE,
    'derived',
    'osinfo-db: no virtio 1.0 device before 7.2',
    { released: '2014-06-10' },
  ),
  row(
    'rhel-7.1',
    'RHEL 7.1 (3.10, ppc64le)',
    'distribution',
    OLD,
    'derived',
    'osinfo-db: no virtio 1.0 device before 7.2',
    { released: '2015-03-05' },
  ),
  row(
    'rhel-7.2',
    'RHEL 7.2–7.6 (3.10 with virtio 1.0)',
    'distribution',
    MID,
    'derived',
    'osinfo-db: virtio 1.0 from 7.2; the first release with bit 33 is not known, so none before 7.7 is counted on',
    { released: '2015-11-19' },
  ),
  row(
    'rhel-7.7',
    'RHEL 7.7 and later (3.10 with ACCESS_PLATFORM)',
    'distribution',
    NEW,
    'thread',
    'Kurz 2020-02-13: RHEL 7.7 is unaffected by both patches',
    { released: '2019-08-06', supportEnds: '2024-06-30' },
  ),
  row(
    'rhel-8',
    'RHEL 8 (4.18)',
    'distribution',
    { ...NEW, secure: 'pool' },
    'derived',
    'later than 4.8; its secure-guest code is a backport',
    { released: '2019-05-07', supportEnds: '2029-05-31' },
  ),
  row('rhel-9', 'RHEL 9 (5.14)', 'distribution', PACKED, 'derived', 'later than 5.0', {
    released: '2022-05-17',
    supportEnds: '2032-05-31',
  }),
  row(
    'sles-11',
    'SLES 11 (3.0, ppc64)',
    'distribution',
    OLD_BE,
    'derived',
    'earlier than 4.0, no backport known',
    { released: '2009-03-24' },
  ),
  row(
    'sles-12',
    'SLES 12 GA, SP1 (3.12, ppc64le)',
    'distribution',
    OLD,
    'derived',
    'osinfo-db: virtio 1.0 from SP2',
    { released: '2014-10-27' },
  ),
  row('sles-12-sp2', 'SLES 12 SP2 (4.4)', 'distribution', MID, 'derived', 'between 4.0 and 4.8', {
    released: '2016-11-08',
  }),
  row('sles-15', 'SLES 15 (4.12)', 'distribution', NEW, 'derived', 'later than 4.8', {
    released: '2018-07-16',
  }),
  row('ubuntu-14.04', 'Ubuntu 14.04 (3.13, ppc64le)', 'distribution', OLD, 'derived', 'earlier than 4.0', {
    released: '2014-04-17',
  }),
  row(
    'ubuntu-16.04',
    'Ubuntu 16.04 (4.4)',
    'distribution',
    MID,
    'derived',
    'between 4.0 and 4.8; osinfo-db says legacy',
    { released: '2016-04-21' },
  ),
  row('debian-8', 'Debian 8 (3.16, ppc64le)', 'distribution', OLD, 'derived', 'earlier than 4.0', {
    released: '2015-04-25',
  }),
  row('debian-9', 'Debian 9 (4.9)', 'distribution', NEW, 'derived', 'later than 4.8', {
    released: '2017-06-17',
  }),
  row('debian-10', 'Debian 10 (4.19)', 'distribution', NEW, 'derived', 'later than 4.8', {
    released: '2019-07-06',
  }),
  row(
    'debian-12',
    'Debian 12 (6.1.0-50)',
    'distribution',
    PACKED,
    'run',
    'booted: modern with iommu_platform through TCEs; PPC_SVM off',
    { released: '2023-06-10' },
  ),
  row(
    'debian-13',
    'Debian 13 (6.12.107, 4 KiB pages)',
    'distribution',
    FOUR_K,
    'run',
    'booted: modern with iommu_platform through TCEs; PPC_SVM off',
    { released: '2025-08-09' },
  ),
  row(
    'debian-13-64k',
    'Debian 13, -64k flavour',
    'distribution',
    PACKED,
    'source',
    'configuration read; PPC_SVM off',
    { released: '2025-08-09' },
  ),
  row(
    'debian-sid',
    'Debian sid (7.2.13, 4 KiB pages)',
    'distribution',
    FOUR_K,
    'run',
    'booted; PPC_SVM off',
    {},
  ),
  row(
    'freebsd-13',
    'FreeBSD 13',
    'distribution',
    { ...MID, bigEndian: true },
    'source',
    'virtqueue.c of 2021 keeps INDIRECT, EVENT_IDX and VERSION_1 only: bit 33 is never acknowledged',
    { released: '2021-04-13' },
  ),
  row(
    'aix',
    'AIX',
    'distribution',
    { ...OLD_BE, transports: [] },
    'believed',
    'no virtio-pci driver was found in public material; it uses spapr-vscsi and spapr-vlan',
    {},
  ),

  // Firmware and what boots through it.
  row(
    'slof-old',
    'SLOF before February 2016',
    'firmware',
    OLD_BE,
    'source',
    'Forth packages by PCI id 1af4:1000 …, legacy',
    {},
  ),
  row(
    'slof-modern',
    'SLOF 2016-02 … 20191205',
    'firmware',
    { ...MID, bigEndian: true },
    'source',
    'modern if COMMON, NOTIFY, ISR and DEVICE are found, never bit 33',
    { released: '2016-02-23' },
  ),
  row(
    'slof-20191206',
    'SLOF 20191206 and later',
    'firmware',
    { ...MID, bigEndian: true, acksPlatform: true },
    'run',
    '7477a17 “virtio: Enable IOMMU”: bit 33 if offered, 4 KiB TCEs one by one',
    { released: '2019-12-06' },
  ),
  row(
    'grub',
    'GRUB (ieee1275) through SLOF 20191206 and later',
    'loader',
    { ...MID, bigEndian: true, acksPlatform: true },
    'source',
    'has no virtio driver: it reads through the firmware’s disk node',
    {},
  ),
];

export function guestSystem(name: string): GuestSystem | undefined {
  return GUEST_SYSTEMS.find((system) => system.name === name);
}

/** Equal for guests that no host can tell apart by what they do to a virtio device here. */
export function behaviourKey({ traits, kind }: GuestSystem): string {
  const { transports, acksPlatform, acksPacked, bigEndian, directWindow, pageShift, secure } = traits;
  const firmware = kind === 'firmware' || kind === 'loader' ? 'firmware' : 'kernel';
  const words = [
    firmware,
    transports.join('+') || 'none',
    acksPlatform ? '33' : '-',
    acksPacked ? '34' : '-',
    bigEndian ? 'be' : 'le',
  ];
  return [...words, directWindow, pageShift, secure].join(' ');
}
