import {
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_VERSION_1,
} from '../virtio/abi.ts';

export type TransportName = 'modern' | 'legacy';

/** How a profile makes memory reachable where it uses the DMA API. */
type DmaPolicy =
  /** There is no DMA API: devices get guest-physical addresses. */
  | 'physical'
  /** Linux without dynamic windows (`disable_ddw`, or a host bridge without). */
  | 'default-window'
  /** Linux: a direct window of all memory, the default window where it cannot be had. */
  | 'direct-window'
  /** As `direct-window`, sized by ibm,lrdr-capacity: without hot-pluggable memory the window cannot be had. */
  | 'direct-window-lrdr'
  /** Page by page. */
  | 'firmware';

/** What a kernel with CONFIG_PPC_SVM does about secure mode (ultravisor 8, guests 3). */
export interface SecureHabits {
  /** The swiotlb pool: shared and used; used, with plain addresses in descriptors (5.4); never allocated (5.19 and later). */
  readonly pool: 'shared' | 'raw' | 'missing';
  /** Translation that it has set up when it asks to become secure. */
  readonly mmu: 'radix' | 'hash';
  /** CPUs that it brings up, the first included. */
  readonly cpus: number;
}

/** One kind of guest, as guests.md section 5 lists them. */
export interface GuestProfile {
  readonly name: string;
  /** The real systems that behave so. */
  readonly systems: string;
  /** Where it was read or seen. */
  readonly evidence: string;
  /** In the order of trying; the next one follows only upon -ENODEV. */
  readonly transports: readonly TransportName[];
  /** The modern interface needs a device configuration structure too. */
  readonly needsDeviceConfig: boolean;
  /** Feature bits of the ring and transport that it takes where they are offered. */
  readonly transportFeatures: readonly number[];
  /** Takes device-type features: a kernel's driver table, or the few of firmware. */
  readonly deviceFeatures: 'kernel' | 'firmware';
  /** Used where ACCESS_PLATFORM was accepted; elsewhere addresses are guest-physical. */
  readonly dma: DmaPolicy;
  readonly byteOrder: 'little' | 'big';
  readonly completion: 'interrupt' | 'polling';
  /** Uses H_PUT_TCE_INDIRECT and H_STUFF_TCE where hcall-multi-tce is announced. */
  readonly multiTce: boolean;
  /** Keeps to H_PUT_TCE all the same, since the list's page would have to be shared: a secure Linux from 5.6 on. */
  readonly putsSingly?: boolean;
  /** Absent: it never asks to become secure. */
  readonly secure?: SecureHabits;
  /** 12 or 16. */
  readonly pageShift: number;
  /** Reaches registers by H_LOGICAL_CI_LOAD and H_LOGICAL_CI_STORE, as firmware in real mode does. */
  readonly registersByHypercall: boolean;
}

const RING = [VIRTIO_F_RING_INDIRECT_DESC, VIRTIO_F_RING_EVENT_IDX];
const MODERN = [...RING, VIRTIO_F_VERSION_1];
const PLATFORM = [...MODERN, VIRTIO_F_ACCESS_PLATFORM];

/** A modern Linux on POWER, little-endian; rows say what differs. */
const LINUX: Omit<GuestProfile, 'name' | 'systems' | 'evidence'> = {
  transports: ['modern', 'legacy'],
  needsDeviceConfig: false,
  transportFeatures: PLATFORM,
  deviceFeatures: 'kernel',
  dma: 'direct-window',
  byteOrder: 'little',
  completion: 'interrupt',
  multiTce: true,
  pageShift: 16,
  registersByHypercall: false,
};

/** SLOF: big-endian, polling, registers through the hypervisor. */
const FIRMWARE: Omit<GuestProfile, 'name' | 'systems' | 'evidence'> = {
  transports: ['modern', 'legacy'],
  needsDeviceConfig: true,
  transportFeatures: [VIRTIO_F_VERSION_1],
  deviceFeatures: 'firmware',
  dma: 'physical',
  byteOrder: 'big',
  completion: 'polling',
  multiTce: false,
  pageShift: 12,
  registersByHypercall: true,
};

/** Linux with CONFIG_PPC_SVM, 64 KiB pages and radix, booted with svm=on. */
const SECURE: Omit<GuestProfile, 'name' | 'systems' | 'evidence'> & { readonly secure: SecureHabits } = {
  ...LINUX,
  secure: { pool: 'shared', mmu: 'radix', cpus: 1 },
};

export const GUEST_PROFILES: readonly GuestProfile[] = [
  {
    ...LINUX,
    name: 'legacy-be',
    systems: 'RHEL 6 ppc64 (2.6.32), SLES 11 (3.0)',
    evidence: '2.6.32 drivers/virtio/virtio_pci.c; G. Kurz on qemu-devel, 2020-02-13',
    transports: ['legacy'],
    transportFeatures: [VIRTIO_F_RING_INDIRECT_DESC],
    dma: 'physical',
    byteOrder: 'big',
  },
  {
    ...LINUX,
    name: 'legacy-le',
    systems: 'Ubuntu 14.04 (3.13), SLES 12 (3.12), Debian 8 (3.16), ppc64le',
    evidence: 'drivers/virtio/virtio_pci.c before 4.0; LE rings after SLOF measured on 7.2',
    transports: ['legacy'],
    transportFeatures: RING,
    dma: 'physical',
  },
  {
    ...LINUX,
    name: 'legacy-be-polling',
    systems: 'a kexec kernel or boot loader that takes no interrupts, ppc64',
    evidence: 'as legacy-be; NO_INTERRUPT in the available ring',
    transports: ['legacy'],
    transportFeatures: [VIRTIO_F_RING_INDIRECT_DESC],
    dma: 'physical',
    byteOrder: 'big',
    completion: 'polling',
  },
  {
    ...LINUX,
    name: 'rhel7',
    systems: 'RHEL 7 (3.10.0 with backports), late updates',
    evidence:
      'D. Gibson and G. Kurz on qemu-devel, 2020-02 and 2020-03: modern and ACCESS_PLATFORM backported',
    dma: 'direct-window',
  },
  {
    ...LINUX,
    name: 'modern-noplat',
    systems: 'Linux 4.0 to 4.7: Ubuntu 16.04 (4.4), SLES 12 SP2 (4.4)',
    evidence: '1fcf0512c9c8 (4.0) brought modern, 4.8 ACCESS_PLATFORM',
    transportFeatures: MODERN,
    dma: 'physical',
  },
  {
    ...LINUX,
    name: 'modern-plat',
    systems: 'Linux 4.8 to 5.3: Debian 9 (4.9), Debian 10 (4.19), RHEL 8 (4.18)',
    evidence: 'drivers/virtio/virtio_ring.c vring_use_dma_api: the DMA API iff ACCESS_PLATFORM was accepted',
  },
  {
    ...LINUX,
    name: 'modern-plat-be',
    systems: 'Linux 4.8 and later built for big-endian ppc64',
    evidence: 'as modern-plat; modern rings stay little-endian',
    byteOrder: 'big',
    pageShift: 12,
  },
  {
    ...LINUX,
    name: 'modern-plat-single-tce',
    systems: 'the same with multitce=off on the kernel command line',
    evidence: 'measured on 6.12: H_PUT_TCE alone, no H_PUT_TCE_INDIRECT, no H_STUFF_TCE',
    multiTce: false,
    dma: 'default-window',
  },
  {
    ...FIRMWARE,
    name: 'slof-old',
    systems: 'SLOF before 2016-02',
    evidence: 'board-qemu/slof/pci-device_1af4_1000.fs and its like: bound by legacy id',
    transports: ['legacy'],
    transportFeatures: [],
  },
  {
    ...FIRMWARE,
    name: 'slof-modern',
    systems: 'SLOF 2016-02 to 20191205 (QEMU 2.6 to 4.2)',
    evidence: 'lib/libvirtio/virtio.c virtio_setup_vd: modern only if all four structures are found',
  },
  {
    ...FIRMWARE,
    name: 'slof-iommu',
    systems: 'SLOF 20191206 and later (QEMU 5.0 and later)',
    evidence: '7477a17 "virtio: Enable IOMMU"; the golden SLOF trace',
    transportFeatures: [VIRTIO_F_VERSION_1, VIRTIO_F_ACCESS_PLATFORM],
    dma: 'firmware',
  },
  {
    ...LINUX,
    name: 'freebsd',
    systems: 'FreeBSD 13 powerpc64le',
    evidence: 'sys/dev/virtio/virtqueue.c of 2021: keeps INDIRECT_DESC, EVENT_IDX and VERSION_1 alone',
    transportFeatures: MODERN,
    dma: 'physical',
    pageShift: 12,
  },
  {
    ...LINUX,
    name: 'debian-6.1',
    systems: 'Debian 12 ppc64el, 6.1.0-50, 64 KiB pages',
    evidence: 'golden console and trace 61-*: direct window without hot-pluggable memory too',
    transportFeatures: [...PLATFORM, VIRTIO_F_RING_PACKED, VIRTIO_F_RING_RESET],
  },
  {
    ...LINUX,
    name: 'debian-6.12',
    systems: 'Debian 13 ppc64el, 6.12.107, 4 KiB pages',
    evidence:
      'golden console and trace 612-*: window sized by ibm,lrdr-capacity, so the default one without maxmem',
    transportFeatures: [...PLATFORM, VIRTIO_F_RING_PACKED, VIRTIO_F_RING_RESET],
    dma: 'direct-window-lrdr',
    pageShift: 12,
  },
  {
    ...LINUX,
    name: 'debian-6.12-polling',
    systems: 'the same with poll queues (virtio_blk.poll_queues)',
    evidence: 'drivers/block/virtio_blk.c virtblk_poll: callbacks stay off',
    transportFeatures: [...PLATFORM, VIRTIO_F_RING_PACKED, VIRTIO_F_RING_RESET],
    dma: 'direct-window-lrdr',
    pageShift: 12,
    completion: 'polling',
  },
  {
    ...SECURE,
    name: 'svm-5.4',
    systems: 'Linux 5.4.0 and 5.5.0 with svm=on',
    evidence: 'edea902c1c1e: no dma_iommu_ops in a secure guest, plain addresses of the pool',
    secure: { ...SECURE.secure, pool: 'raw' },
  },
  {
    ...SECURE,
    name: 'svm-5.10',
    systems: 'Linux 5.6 to 5.18 with svm=on; later ones with swiotlb=force',
    evidence:
      'd862b44133b7; arch/powerpc/platforms/pseries/svm.c init_svm, svm_swiotlb_init (read in 5.10.223)',
  },
  {
    ...SECURE,
    name: 'svm-5.10-smp',
    systems: 'the same with two CPUs',
    evidence: 'arch/powerpc/kernel/paca.c: one shared block of lppacas; secondaries by start-cpu',
    secure: { ...SECURE.secure, cpus: 2 },
  },
  {
    ...SECURE,
    name: 'svm-5.19',
    systems: 'Linux 5.19 and later with svm=on and nothing else',
    evidence: 'mem_init calls swiotlb_init before init_svm sets its flags: no pool (read in 6.1, 6.12, 7.2)',
    secure: { ...SECURE.secure, pool: 'missing' },
  },
  {
    ...SECURE,
    name: 'svm-4k',
    systems: 'Linux 6.12 with svm=on, swiotlb=force and 4 KiB pages',
    evidence: 'PHYS_PFN counts 4 KiB pages, UV_SHARE_PAGE 64 KiB frames: others are shared than are meant',
    pageShift: 12,
  },
  {
    ...SECURE,
    name: 'svm-no-platform',
    systems: 'a secure guest whose virtio driver does not take ACCESS_PLATFORM',
    evidence: 'no architecture hook refuses it on powerpc (5.10 to 7.2)',
    transportFeatures: MODERN,
    dma: 'physical',
  },
  {
    ...SECURE,
    name: 'svm-default-window',
    systems: 'Linux 5.10 with svm=on and disable_ddw',
    evidence: 'arch/powerpc/kernel/iommu.c bounces nothing and shares nothing',
    dma: 'default-window',
  },
  {
    ...SECURE,
    name: 'svm-hash',
    systems: 'Linux 5.10 with svm=on and disable_radix',
    evidence: 'book3s_hv_uvmem.c kvmppc_h_svm_init_start: only radix guests',
    secure: { ...SECURE.secure, mmu: 'hash' },
  },
];

export const PROFILES_BY_NAME: ReadonlyMap<string, GuestProfile> = new Map(
  GUEST_PROFILES.map((profile): [string, GuestProfile] => [profile.name, profile]),
);
