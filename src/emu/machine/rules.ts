/**
 * The argument of the thread as rules (messages of February and March 2020 on qemu-devel and linuxppc-dev, with what
 * was merged and measured since). A rule says where it applies and predicts facts; whoever runs a guest on the machine
 * finds the facts. Rules never look at a run, and a run never asks a rule.
 */
import { admitted, predictLife, type Situation } from './fate.ts';
import { defaultsOf, versionIndex } from './policies.ts';
import {
  construct,
  NEITHER,
  PLATFORM_NEEDS_MODERN,
  settle,
  type Construction,
  type Request,
} from './prediction.ts';

type Fact = string | number | boolean;
/** What an experiment found, or what a rule says that it will find: by name. */
export type Facts = Readonly<Record<string, Fact>>;

/**
 * How a rule's facts are found. `life`: the guest finds, negotiates and uses the device. The others start from a life
 * and do one thing more; src/matrix/experiments.ts holds them.
 */
export type ExperimentName =
  | 'life'
  | 'capability-pair'
  | 'capability-host'
  | 'handover'
  | 'neighbour'
  | 'permissions'
  | 'streaming'
  | 'granularity'
  | 'reset'
  | 'sealed'
  | 'share'
  | 'reflection'
  | 'calls'
  | 'switched-off'
  | 'kexec'
  | 'secure-tce'
  | 'tier'
  | 'migration';

export interface Rule {
  /** `R1` …, as the sheet of the thread numbers them. */
  readonly id: string;
  readonly area: 'construction' | 'defaults' | 'guest' | 'dma' | 'secure' | 'policy';
  readonly statement: string;
  readonly reason: string;
  readonly source: string;
  readonly experiment: ExperimentName;
  readonly applies: (situation: Situation, construction: Construction) => boolean;
  readonly expects: (situation: Situation, construction: Construction) => Facts;
}

const MEASURED = 'measured on QEMU 7.2.22';
const KURZ_0213 = 'Kurz 2020-02-13, 20200213124643.7b205d44@bahia.lan';
const BERRANGE_0310 = 'Berrangé 2020-03-10';
const KVM_CAP = 'KVM_CAP_PPC_SECURE_GUEST, Linux commit 9a5788c615f5';
const CGS = 'QEMU commit 9f88a7a3df11';
const UV = 'the released ultravisor; ultravisor sheet';

const isModern = (c: Construction): boolean => c.built && c.mode === 'modern';
const hasLegacy = (c: Construction): boolean => c.built && c.mode !== 'modern';
const offersPlatform = (c: Construction): boolean => c.built && c.iommuPlatform;

/** A guest that asks to become secure and is one that can. */
function triesSecure({ secure, guest }: Situation): boolean {
  return secure && guest.traits.secure !== 'never';
}

function ordinary(situation: Situation): boolean {
  return !triesSecure(situation);
}

function becomesSecure(situation: Situation): boolean {
  return triesSecure(situation) && admitted(situation);
}

function isOld({ guest: { traits } }: Situation): boolean {
  return traits.transports.length === 1 && traits.transports[0] === 'legacy';
}

function isMid({ guest: { traits } }: Situation): boolean {
  return traits.transports.includes('modern') && !traits.acksPlatform;
}

function isNew({ guest: { traits } }: Situation): boolean {
  return traits.transports.includes('modern') && traits.acksPlatform;
}

function isFirmware({ guest }: Situation): boolean {
  return guest.kind === 'firmware' || guest.kind === 'loader';
}

function untouched({ properties, globals }: Request): boolean {
  return Object.keys(properties).length === 0 && Object.keys(globals).length === 0;
}

function emulated({ device }: Request): boolean {
  return device.emulated;
}

/** The facts of a construction that every rule about construction predicts alike. */
function constructionFacts(construction: Construction): Facts {
  return construction.built
    ? { built: true, mode: construction.mode }
    : { built: false, refusal: construction.reason };
}

function byRealize(construction: Construction): boolean {
  return construction.built || construction.by === 'realize';
}

const TRANSITIONAL_IDS: Readonly<Record<number, number>> = {
  1: 0x1000,
  2: 0x1001,
  3: 0x1003,
  4: 0x1005,
  5: 0x1002,
  8: 0x1004,
};

export const RULES: readonly Rule[] = [
  {
    id: 'R1',
    area: 'construction',
    statement:
      'Kind is legacy if disable-modern, modern if disable-legacy=on, transitional otherwise; both disabled is refused.',
    reason: 'a device needs one interface at least, and each property takes one away',
    source: `${MEASURED}; hw/virtio/virtio-pci.c virtio_pci_realize`,
    experiment: 'life',
    applies: (s, c) =>
      s.device.form === 'any' && byRealize(c) && (c.built || c.rule === 'R1') && s.slot !== 'root-port',
    expects: (s) => {
      const { disableLegacy, disableModern } = settle(s);
      if (disableLegacy === 'on' && disableModern) return { built: false, refusal: NEITHER };
      return {
        built: true,
        mode: disableModern ? 'legacy' : disableLegacy === 'on' ? 'modern' : 'transitional',
      };
    },
  },
  {
    id: 'R2',
    area: 'construction',
    statement:
      'disable-legacy=auto is on exactly in a slot of an express bus that is not a root bus; every pseries slot and every conventional bridge gives off.',
    reason:
      'legacy needs I/O ports, which express ports are not asked to route; PAPR’s bus looks conventional',
    source: `${MEASURED} on pci.0 and behind pci-bridge; q35: ${BERRANGE_0310}`,
    experiment: 'life',
    applies: (s, c) => s.device.form === 'any' && settle(s).disableLegacy === 'auto' && c.built,
    expects: (s) => ({ built: true, ioBar: s.slot !== 'root-port' }),
  },
  {
    id: 'R3',
    area: 'construction',
    statement: 'disable-legacy=auto with disable-modern=on is a legacy device, not an error.',
    reason: 'auto gives way: on these slots it means off',
    source: MEASURED,
    experiment: 'life',
    applies: (s) => {
      const { disableLegacy, disableModern, iommuPlatform } = settle(s);
      const asked = disableLegacy === 'auto' && disableModern && !iommuPlatform;
      return asked && s.device.form === 'any' && s.slot !== 'root-port' && byRealize(construct(s));
    },
    expects: () => ({ built: true, mode: 'legacy' }),
  },
  {
    id: 'R4',
    area: 'construction',
    statement:
      'iommu_platform=on with a legacy or transitional kind is refused with QEMU’s text, whatever the slot, the secure mode and the guest.',
    reason: 'a legacy driver cannot see bit 33, and would give plain addresses to a device that translates',
    source: `${MEASURED}, 6 of 6 combinations; hw/virtio/virtio-pci.c virtio_pci_device_plugged`,
    experiment: 'life',
    applies: (s, c) => {
      const { iommuPlatform, disableLegacy } = settle(s);
      const legacy =
        s.device.form === 'transitional' ||
        (s.device.form === 'any' && disableLegacy !== 'on' && s.slot !== 'root-port');
      return iommuPlatform && legacy && (c.built || c.rule === 'R4');
    },
    expects: () => ({ built: false, refusal: PLATFORM_NEEDS_MODERN }),
  },
  {
    id: 'R5',
    area: 'construction',
    statement:
      'iommu_platform=on needs a modern device: id 0x1040 + type, revision 1, no I/O BAR; a legacy interface keeps its old id, revision 0, and the type as subsystem id.',
    reason: 'the ids are what tells an old driver that the device is not for it',
    source: `${MEASURED}; VIRTIO 1.3, 4.1.2`,
    experiment: 'life',
    applies: (s, c) => emulated(s) && c.built,
    expects: (s, c) =>
      isModern(c)
        ? { pciDevice: 0x1040 + s.device.virtioId, revision: 1, ioBar: false }
        : {
            pciDevice: TRANSITIONAL_IDS[s.device.virtioId] ?? 0,
            revision: 0,
            subsystem: s.device.virtioId,
            offersPlatform: false,
          },
  },
  {
    id: 'R6',
    area: 'construction',
    statement:
      'Types named -transitional and -non-transitional have no disable-legacy property: setting it is an error; their name decides.',
    reason: 'the property would contradict the name',
    source: MEASURED,
    experiment: 'life',
    applies: (s, c) => s.device.form.endsWith('transitional') && byRealize(c),
    expects: (_s, c) => constructionFacts(c),
  },
  {
    id: 'R7',
    area: 'construction',
    statement:
      'An explicit -device value ranks above -global, that above machine compat, that above the class default.',
    reason: 'what an operator says of one device is the most particular',
    source: `${MEASURED}; hw/core/qdev-properties.c`,
    experiment: 'life',
    applies: (s, c) => Object.keys(s.globals).length > 0 && s.device.form === 'any' && byRealize(c),
    expects: (_s, c) => constructionFacts(c),
  },
  {
    id: 'R8',
    area: 'construction',
    statement: 'A default for a property that a type lacks is passed over and never kills the host.',
    reason: 'modern-only types have no disable-legacy; the patches made vhost-user-fs-pci abort',
    source: 'Kurz 2020-03-10; fixed for QEMU 6.0 by optional sugar properties',
    experiment: 'life',
    applies: (s, c) =>
      s.device.form.endsWith('transitional') &&
      (c.built || c.rule === 'R4' || c.rule === 'R8') &&
      untouched(s) &&
      defaultsOf(s.policy, s.version, s.capability).some(({ set }) => set.disableLegacy !== undefined) &&
      defaultsOf(s.policy, s.version, s.capability).every(({ optional }) => optional),
    expects: (s) =>
      s.device.form === 'transitional' && settle(s).iommuPlatform
        ? { built: false, refusal: PLATFORM_NEEDS_MODERN }
        : { built: true, mode: s.device.form === 'transitional' ? 'transitional' : 'modern' },
  },
  {
    id: 'R9',
    area: 'construction',
    statement:
      'No device with a legacy interface offers a bit from 32 up that it needs: 33 is never offered there.',
    reason: 'a legacy driver sees 32 feature bits',
    source: 'Linux 2.6.32 drivers/virtio/virtio_pci.c; VIRTIO 1.3, 4.1.4.8',
    experiment: 'life',
    applies: (_s, c) => hasLegacy(c),
    expects: () => ({ offersPlatform: false }),
  },
  {
    id: 'R10',
    area: 'construction',
    statement: 'Bit 33 offered and not acknowledged: FEATURES_OK reads back clear.',
    reason: 'the device would have to trust plain addresses, past the IOMMU',
    source: `${MEASURED} with virtio-balloon; QEMU commit 2943b53f682`,
    experiment: 'life',
    applies: (s, c) => offersPlatform(c) && isMid(s) && ordinary(s),
    expects: () => ({ featuresOk: false, works: false }),
  },
  {
    id: 'R11',
    area: 'defaults',
    statement:
      'pseries-2.6 and older: legacy only, no dynamic windows; 2.7 … 7.2: transitional, dynamic windows; iommu_platform off in all.',
    reason: 'compat rows keep what a machine version was released with',
    source: MEASURED,
    experiment: 'life',
    applies: (s) => s.policy.name === 'upstream' && untouched(s) && s.device.form === 'any',
    expects: (s) => {
      const old = versionIndex(s.version) <= versionIndex('2.6');
      return { mode: old ? 'legacy' : 'transitional', offersPlatform: false, dynamicWindows: !old };
    },
  },
  {
    id: 'R12',
    area: 'defaults',
    statement:
      'A released machine version’s defaults never change: 4.2 and older stay as they are under every proposal.',
    reason: 'a guest that is migrated or restarted must find its device again',
    source: 'the patches’ own compat arrays: 4.2 keeps auto and off',
    experiment: 'life',
    applies: (s) =>
      (s.policy.name === 'proposal' || s.policy.name === 'upstream') &&
      versionIndex(s.version) <= versionIndex('4.2') &&
      untouched(s) &&
      s.device.form === 'any',
    expects: (s) => ({
      mode: versionIndex(s.version) <= versionIndex('2.6') ? 'legacy' : 'transitional',
      offersPlatform: false,
    }),
  },
  {
    id: 'R13',
    area: 'defaults',
    statement:
      'With confidential-guest-support every virtio device is modern with iommu_platform=on by default; explicit properties still win.',
    reason: 'a secure guest needs the DMA API, and an operator may know better',
    source: CGS,
    experiment: 'life',
    applies: (s, c) =>
      s.policy.name === 'confidential-guest-support' &&
      s.capability &&
      versionIndex(s.version) >= versionIndex('2.7') &&
      s.device.form === 'any' &&
      byRealize(c),
    expects: (s, c) =>
      untouched(s) ? { built: true, mode: 'modern', offersPlatform: true } : constructionFacts(c),
  },
  {
    id: 'R14',
    area: 'defaults',
    statement:
      'On pseries-5.0 as proposed, guests before 4.0 fail by the first patch and guests before 4.8 by the second, and each needs its own counter option.',
    reason: 'kind and platform are two properties, and transitional with platform is refused',
    source: `${KURZ_0213}; patches v3 20200305043009.611636-{2,3}`,
    experiment: 'life',
    applies: (s, c) =>
      s.policy.name === 'proposal' &&
      versionIndex(s.version) >= versionIndex('5.0') &&
      s.device.form === 'any' &&
      (isOld(s) || isMid(s)) &&
      ordinary(s) &&
      byRealize(c),
    expects: (s, c) => {
      if (!c.built) return constructionFacts(c);
      const undone = settle(s).disableLegacy !== 'on' && !settle(s).iommuPlatform;
      return { works: undone || (isMid(s) && !settle(s).iommuPlatform) };
    },
  },
  {
    id: 'R15',
    area: 'secure',
    statement:
      'Without the capability every attempt to become secure fails, and the guest keeps its memory and can say so: r3 = H_PARAMETER, then os-term.',
    reason: 'H_SVM_INIT_START answers H_AUTHORITY, the ultravisor aborts, and the pages come back',
    source: KVM_CAP,
    experiment: 'life',
    applies: (s) => triesSecure(s) && !admitted(s),
    expects: (_s, c) =>
      c.built ? { entered: false, esmStatus: -4, memoryKept: true, works: false } : constructionFacts(c),
  },
  {
    id: 'R16',
    area: 'secure',
    statement: 'The capability is refused where no ultravisor is, and a guest that has it is not migrated.',
    reason: 'a promise of secrecy that nobody keeps is worse than none',
    source: 'hw/ppc/pef.c kvmppc_svm_init, kvmppc_svm_off; texts measured (TCG) and read',
    experiment: 'capability-host',
    applies: (s) => s.policy.secure.capability !== undefined,
    expects: () => ({
      withoutKvm: 'PEF requires KVM',
      withoutUltravisor: 'KVM implementation does not support Secure VMs (is an ultravisor running?)',
      migration: 'PEF: Migration is not implemented',
    }),
  },
  {
    id: 'R17',
    area: 'secure',
    statement:
      'The capability alone changes nothing that an ordinary guest can observe; only what UV_ESM answers.',
    reason: 'the kernel’s capability gates one hypercall of the ultravisor',
    source: KVM_CAP,
    experiment: 'capability-pair',
    applies: (s, c) =>
      s.policy.secure.capability !== undefined && c.built && s.guest.traits.secure === 'never',
    expects: () => ({ differences: 0 }),
  },
  {
    id: 'R18',
    area: 'guest',
    statement:
      'A guest before 4.0 without backports works exactly with a legacy or transitional device without iommu_platform.',
    reason: 'it binds ids 0x1000–0x103f of revision 0 through I/O ports, and gives physical addresses',
    source: 'Tsirkin 2020-02-07; patch 1/2; Kurz 2020-03-05 (RHEL 6.10)',
    experiment: 'life',
    applies: (s, c) => isOld(s) && ordinary(s) && c.built && !isFirmware(s),
    expects: (_s, c) => ({ works: hasLegacy(c) && !offersPlatform(c) }),
  },
  {
    id: 'R19',
    area: 'guest',
    statement: 'A guest 4.0 … 4.7 without backports works exactly without iommu_platform, whatever the kind.',
    reason: 'it drives both interfaces and does not know bit 33',
    source: 'patch 2/2; Linux 4.0 commit 1fcf0512c9c8',
    experiment: 'life',
    applies: (s, c) => isMid(s) && ordinary(s) && c.built && !isFirmware(s),
    expects: (_s, c) => ({ works: !offersPlatform(c) }),
  },
  {
    id: 'R20',
    area: 'guest',
    statement: 'A guest from 4.8 on, or RHEL 7.7, works with every device that can be built.',
    reason: 'it drives both interfaces and uses the DMA API where bit 33 asks for it',
    source: 'Kurz 2020-02-13; run with Debian 6.1, 6.12, 7.2',
    experiment: 'life',
    applies: (s, c) => isNew(s) && ordinary(s) && c.built,
    expects: () => ({ works: true }),
  },
  {
    id: 'R21',
    area: 'guest',
    statement:
      'The two failures sign differently: an old guest says nothing at all, a guest without bit 33 says “device refuses features”.',
    reason: 'one is a probe that returns −ENODEV, the other a status that does not stick',
    source: 'Linux drivers/virtio; text measured',
    experiment: 'life',
    applies: (s, c) => c.built && ordinary(s) && !isFirmware(s) && !predictLife(s, c).works && !isNew(s),
    expects: (s) =>
      s.guest.traits.transports.includes('modern')
        ? { found: true, message: 'virtio: device refuses features' }
        : { found: false, message: '' },
  },
  {
    id: 'R22',
    area: 'guest',
    statement:
      'Every failing cell fails closed: the device changes no byte of the guest’s memory outside its rings and buffers.',
    reason: 'a compatibility failure must not become corruption',
    source: 'follows from R9 and R10',
    experiment: 'life',
    applies: (s, c) => c.built && ordinary(s) && !predictLife(s, c).works,
    expects: () => ({ works: false, harmed: 0 }),
  },
  {
    id: 'R23',
    area: 'guest',
    statement:
      'Firmware is a guest too: SLOF before 2019-12-06 cannot use a boot device with iommu_platform=on, later ones can; a kernel may succeed where the firmware failed.',
    reason: 'the boot device is first driven by the firmware’s own driver',
    source: 'SLOF commit 7477a17; Kurz 2020-03-05; run with the golden SLOF trace',
    experiment: 'life',
    applies: (s, c) => isFirmware(s) && c.built && ordinary(s),
    expects: (s, c) => ({ works: predictLife(s, c).works }),
  },
  {
    id: 'R24',
    area: 'guest',
    statement:
      'A legacy device follows the byte order of the CPU that resets it: firmware in big endian and a kernel in little endian use the same device in turn.',
    reason: 'device_endian is latched at every device reset',
    source: `${MEASURED}; VIRTIO 1.3, 2.4.3; hw/virtio/virtio.c virtio_reset`,
    experiment: 'handover',
    applies: (_s, c) => hasLegacy(c),
    expects: () => ({ firmwareWorks: true, kernelWorks: true }),
  },
  {
    id: 'R25',
    area: 'guest',
    statement: 'A driver that drops bit 33 loses its own device and no other.',
    reason: 'negotiation belongs to one function',
    source: `${MEASURED} with virtio-balloon, status 0x83`,
    experiment: 'neighbour',
    applies: (s, c) => isModern(c) && offersPlatform(c) && isNew(s) && ordinary(s),
    expects: () => ({ firstRefused: true, neighbourWorks: true }),
  },
  {
    id: 'R26',
    area: 'guest',
    statement:
      'virtio_pci.force_legacy=1: a transitional device is driven by its legacy interface, a modern one as modern; it never fails.',
    reason: 'the other transport is tried on −ENODEV and −ENOMEM',
    source: `${MEASURED}; Linux drivers/virtio/virtio_pci_common.c`,
    experiment: 'life',
    applies: (s, c) => s.guest.traits.transports[0] === 'legacy' && isNew(s) && ordinary(s) && c.built,
    expects: (_s, c) => ({ works: true, transport: isModern(c) ? 'modern' : 'legacy' }),
  },
  {
    id: 'R27',
    area: 'dma',
    statement:
      'Without bit 33 no address of the device goes through the TCE table, with it every one does: one of the two for the life of a negotiation.',
    reason: 'the address space is the platform’s word, and the driver answers it by the DMA API',
    source: 'Linux drivers/virtio/virtio_ring.c vring_use_dma_api; hw/virtio/virtio-bus.c',
    experiment: 'life',
    applies: (s, c) => c.built && ordinary(s) && predictLife(s, c).works,
    expects: (_s, c) => ({ dma: offersPlatform(c) ? 'translated' : 'physical' }),
  },
  {
    id: 'R28',
    area: 'dma',
    statement:
      'A guest may make and fill windows although no device acknowledged bit 33: TCE traffic is no sign of translation.',
    reason: 'the PCI layer sets its windows up before any virtio driver decides',
    source: `${MEASURED} with Debian kernels`,
    experiment: 'life',
    applies: (s, c) =>
      hasLegacy(c) &&
      isNew(s) &&
      ordinary(s) &&
      s.guest.traits.directWindow === 'memory' &&
      versionIndex(s.version) >= versionIndex('2.7'),
    expects: () => ({ tcesWritten: true, dma: 'physical', works: true }),
  },
  {
    id: 'R29',
    area: 'dma',
    statement:
      'A TCE needs W for what a device writes and R for what it reads; a write through a read-only entry faults and changes nothing.',
    reason: 'headers and tables are mapped for reading only',
    source: `${MEASURED}: entries …001 and …003`,
    experiment: 'permissions',
    applies: (s, c) => isModern(c) && offersPlatform(c) && isNew(s) && ordinary(s),
    expects: () => ({ faulted: true, works: false, harmed: 0 }),
  },
  {
    id: 'R30',
    area: 'dma',
    statement:
      'No more streaming entries live than requests in flight; when one completes its entries are cleared.',
    reason: 'a mapping ends with its use (violated by Linux 7.2.13 where the direct window fails)',
    source: `${MEASURED}; dma sheet section 7`,
    experiment: 'streaming',
    applies: (s, c) => isModern(c) && offersPlatform(c) && isNew(s) && ordinary(s),
    expects: () => ({ mappedInFlight: true, liveAfter: 0 }),
  },
  {
    id: 'R31',
    area: 'dma',
    statement: 'A device can touch the whole I/O page of a mapped buffer, and nothing else.',
    reason: 'a TCE knows pages, not bytes',
    source: 'hw/ppc/spapr_iommu.c spapr_tce_translate_iommu',
    experiment: 'granularity',
    applies: (s, c) => isModern(c) && offersPlatform(c) && isNew(s) && ordinary(s),
    expects: () => ({ insidePage: true, nextPageFaulted: true, harmed: 0 }),
  },
  {
    id: 'R32',
    area: 'dma',
    statement:
      'After a machine reset every TCE is 0 and dynamic windows are gone; a guest’s kexec keeps both.',
    reason: 'the tables are the platform’s, not the kernel’s',
    source: `${MEASURED}; hw/ppc/spapr_iommu.c spapr_tce_reset, hw/ppc/spapr_pci.c spapr_phb_reset`,
    experiment: 'reset',
    applies: (s, c) =>
      isModern(c) &&
      offersPlatform(c) &&
      isNew(s) &&
      ordinary(s) &&
      s.guest.traits.directWindow === 'memory' &&
      versionIndex(s.version) >= versionIndex('2.7'),
    expects: () => ({ keptByKexec: true, mappedAfterReset: 0, windowsAfterReset: 0 }),
  },
  {
    id: 'R33',
    area: 'secure',
    statement:
      'A device reads plain text from shared frames only; any other 64 KiB frame gives ciphertext, and writing there makes the next page-in fail.',
    reason: 'the hypervisor’s view of a secure frame is its encrypted copy',
    source: UV,
    experiment: 'sealed',
    applies: (s, c) => becomesSecure(s) && c.built,
    expects: () => ({ sharedIsPlain: true, secureIsCipher: true, writeDetected: true }),
  },
  {
    id: 'R34',
    area: 'secure',
    statement:
      'Virtio works in a secure guest exactly with a modern device, bit 33 acknowledged, a direct window and a shared bounce pool.',
    reason: 'only then rings, headers and data all lie in frames that the host may read',
    source: 'Linux 5.6–5.18 and swiotlb=force; guests sheet section 4',
    experiment: 'life',
    applies: (s, c) => becomesSecure(s) && c.built,
    expects: (s, c) => ({ entered: true, works: predictLife(s, c).works }),
  },
  {
    id: 'R35',
    area: 'secure',
    statement:
      'A secure guest on powerpc binds a device without bit 33 all the same: the state is silent, and is reported as a misconfiguration.',
    reason: 'arch hooks refuse such devices on s390 only',
    source: 'Linux 5.10 … 7.2, no user of the hook in arch/powerpc',
    experiment: 'life',
    applies: (s, c) => becomesSecure(s) && c.built && !offersPlatform(c) && predictLife(s, c).found,
    expects: () => ({ found: true, works: false, flagged: true }),
  },
  {
    id: 'R36',
    area: 'secure',
    statement:
      'Sharing and unsharing work on 64 KiB frames, twice is once, and contents never cross the boundary.',
    reason: 'the ultravisor zeroes the new page on a change of state',
    source: UV,
    experiment: 'share',
    applies: (s, c) => becomesSecure(s) && c.built,
    expects: () => ({ zeroedOnShare: true, zeroedOnUnshare: true, idempotent: true, wholeFrame: true }),
  },
  {
    id: 'R37',
    area: 'secure',
    statement: 'A hypercall of a secure guest shows the host its declared argument registers only.',
    reason: 'the ultravisor reflects a call through a frame built from zero',
    source: UV,
    experiment: 'reflection',
    applies: (s, c) => becomesSecure(s) && c.built,
    expects: () => ({ declaredArrive: true, leaked: 0 }),
  },
  {
    id: 'R38',
    area: 'secure',
    statement:
      'H_SVM_* from a guest that is not secure answer H_UNSUPPORTED, before START likewise; START or DONE twice change nothing.',
    reason: 'the calls are the ultravisor’s, not the guest’s',
    source: 'KVM source, book3s_hv_uvmem.c',
    experiment: 'calls',
    applies: (s, c) => becomesSecure(s) && c.built,
    expects: () => ({ pageInStatus: -67, pageOutStatus: -67, doneStatus: -67, twiceSame: true }),
  },
  {
    id: 'R39',
    area: 'secure',
    statement:
      'After KVM_PPC_SVM_OFF an ordinary guest remains, and its former secure frames hold no plain text.',
    reason: 'the pages are dropped, not paged out',
    source: 'KVM source, kvmhv_svm_off',
    experiment: 'switched-off',
    applies: (s, c) => becomesSecure(s) && c.built,
    expects: () => ({ secure: false, plainTextLeft: 0 }),
  },
  {
    id: 'R40',
    area: 'secure',
    statement: 'kexec of a secure guest leaves no frame explicitly shared; a crash kernel finds all of them.',
    reason: 'UV_UNSHARE_ALL_PAGES runs on the way into kexec, and not on the way into kdump',
    source: 'Linux arch/powerpc/platforms/pseries; UV source',
    experiment: 'kexec',
    applies: (s, c) => becomesSecure(s) && c.built,
    expects: () => ({ sharedAfterKexec: 0, kdumpKeeps: true }),
  },
  {
    id: 'R41',
    area: 'secure',
    statement:
      'TCEs do not decide about secrecy: a secure page mapped for reading and writing gives the host ciphertext.',
    reason: 'the table is the hypervisor’s, the frame the ultravisor’s',
    source: UV,
    experiment: 'secure-tce',
    applies: (s, c) => becomesSecure(s) && isModern(c) && offersPlatform(c),
    expects: () => ({ mapped: true, deviceSawPlainText: false }),
  },
  {
    id: 'R42',
    area: 'policy',
    statement:
      'A guest is Recommended if it works with the defaults, Supported if some settings make it work, Unsupported if none do; every Supported comes with its settings.',
    reason: 'what breaks, and for whom, must be printed before a default changes',
    source: `${BERRANGE_0310}; ${KURZ_0213}`,
    experiment: 'tier',
    applies: (s) => emulated(s) && untouched(s) && s.device.form === 'any',
    expects: () => ({ claimHolds: true, witnessWorks: true, smallerFails: true }),
  },
  {
    id: 'R43',
    area: 'policy',
    statement: 'What depends on host hardware is opt-in, and blocks migration while it is on.',
    reason: 'a guest must not be tied to a host that nobody asked for',
    source: 'Berrangé 2020-03-11',
    experiment: 'migration',
    applies: (s) => s.policy.secure.capability !== undefined,
    expects: () => ({ offByDefault: true, blockedWhileOn: true, freeWhileOff: true }),
  },
];

export function ruleById(id: string): Rule | undefined {
  return RULES.find((rule) => rule.id.toLowerCase() === id.toLowerCase());
}
