/**
 * What a hypervisor's policy may decide about virtio: the defaults of a machine version, what asking for a secure
 * guest changes, and whether the host lets a guest become secure. A policy is plain data, so that a user's own is a
 * file; what QEMU does whatever the policy says stands in rules.ts.
 */

export type DisableLegacy = 'auto' | 'on' | 'off';

/** Properties of a virtio-pci device that decide who can drive it. An absent one is left to what ranks below. */
export interface DeviceProperties {
  readonly disableLegacy?: DisableLegacy;
  readonly disableModern?: boolean;
  readonly iommuPlatform?: boolean;
  readonly packed?: boolean;
}

/** Where a function sits, and what `disable-legacy=auto` goes by: an express bus that is not a root bus. */
export type SlotKind = 'host-bridge' | 'pci-bridge' | 'root-port';

export interface Platform {
  readonly name: 'pseries' | 'i440fx' | 'q35';
  /** Before the version in the name of a machine type: `pseries-7.2`, `pc-q35-7.2`. */
  readonly prefix: string;
  readonly slots: readonly SlotKind[];
}

const PLATFORMS: readonly Platform[] = [
  // A pcie-root-port is refused below a spapr host bridge (virtio-compat.md section 1).
  { name: 'pseries', prefix: 'pseries-', slots: ['host-bridge', 'pci-bridge'] },
  { name: 'i440fx', prefix: 'pc-i440fx-', slots: ['host-bridge', 'pci-bridge'] },
  { name: 'q35', prefix: 'pc-q35-', slots: ['host-bridge', 'pci-bridge', 'root-port'] },
];

/** QEMU versions that gave their name to a machine type, oldest first. */
export const VERSIONS: readonly string[] =
  '2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 2.9 2.10 2.11 2.12 3.0 3.1 4.0 4.1 4.2 5.0 5.1 5.2 6.0 6.1 6.2 7.0 7.1 7.2'.split(
    ' ',
  );

/** A default that a policy gives to machine versions `from` … `until`, both included; absent ends are open. */
export interface DefaultRow {
  readonly from?: string;
  readonly until?: string;
  /** `machine`: always; `capability`: where the operator turned the policy's capability on. */
  readonly when: 'machine' | 'capability';
  readonly set: DeviceProperties;
  /**
   * Whether a device type that lacks `disable-legacy` is passed over. QEMU aborts for a default that is not optional
   * (thread: vhost-user-fs-pci).
   */
  readonly optional: boolean;
}

/** What the host does when a guest asks the ultravisor to make it secure. */
interface SecurePolicy {
  /** The option that turns secure guests on, as QEMU spells it; absent where no such option exists. */
  readonly capability?: string;
  /** `always`: any guest may; `capability`: H_SVM_INIT_START fails unless it is on; `never`: it always fails. */
  readonly admits: 'always' | 'capability' | 'never';
  /** Whether a guest with the capability on may be migrated. */
  readonly migratable: boolean;
}

export interface Policy {
  readonly name: string;
  /** What the policy says, in a sentence. */
  readonly statement: string;
  readonly source: string;
  readonly platform: Platform['name'];
  /** Machine versions that it offers; absent is all. */
  readonly machines?: readonly string[];
  /** Device models that it offers; absent is all. */
  readonly devices?: readonly string[];
  /** Guests that it vouches for; absent is all. Others are capped at Unsupported. */
  readonly guests?: readonly string[];
  /** What it changes of QEMU's own defaults; a later row overrides an earlier one. */
  readonly defaults: readonly DefaultRow[];
  readonly secure: SecurePolicy;
}

/**
 * What no policy changes: machines up to 2.6 were released legacy only, and stay so. The row is optional in QEMU too
 * (hw/core/machine.c hw_compat_2_6).
 */
const LEGACY_ONLY: DefaultRow = {
  until: '2.6',
  when: 'machine',
  set: { disableLegacy: 'off', disableModern: true },
  optional: true,
};

const V3 = '20200305043009.611636-{2,3}-david@gibson.dropbear.id.au';

export const POLICIES: readonly Policy[] = [
  {
    name: 'upstream',
    statement:
      'What QEMU does by machine version when nobody asks for a secure guest: legacy only up to 2.6, transitional since, iommu_platform off.',
    source: 'measured on QEMU 7.2.22; hw/core/machine.c hw_compat_2_6',
    platform: 'pseries',
    defaults: [],
    // A guest transitions itself by an ultracall; until KVM_CAP_PPC_SECURE_GUEST nothing could stop it (Gibson 2020-03-11).
    secure: { admits: 'always', migratable: true },
  },
  {
    name: 'proposal',
    statement:
      'The patches of the thread: from pseries-5.0 on, modern only and iommu_platform=on by default.',
    source: V3,
    platform: 'pseries',
    defaults: [
      { from: '5.0', when: 'machine', set: { disableLegacy: 'on', iommuPlatform: true }, optional: false },
    ],
    secure: { admits: 'always', migratable: true },
  },
  {
    name: 'opt-in',
    statement:
      'What the thread ended in: a machine capability, off by default, makes the hypervisor admit secure guests, and it alone turns the virtio defaults.',
    source: 'Gibson 2020-03-12; KVM_CAP_PPC_SECURE_GUEST, Linux 5.7 commit 9a5788c615f5',
    platform: 'pseries',
    defaults: [{ when: 'capability', set: { disableLegacy: 'on', iommuPlatform: true }, optional: true }],
    secure: { capability: '-machine cap-secure-guest=on', admits: 'capability', migratable: false },
  },
  {
    name: 'confidential-guest-support',
    statement:
      'What was merged for QEMU 6.0: -machine confidential-guest-support makes virtio modern with iommu_platform=on, as defaults that an explicit property overrides.',
    source: 'QEMU commit 9f88a7a3df11; hw/core/machine.c machine_run_board_init',
    platform: 'pseries',
    defaults: [{ when: 'capability', set: { disableLegacy: 'on', iommuPlatform: true }, optional: true }],
    secure: {
      capability: '-object pef-guest,id=pef0 -machine confidential-guest-support=pef0',
      admits: 'capability',
      migratable: false,
    },
  },
  {
    name: 'downstream',
    statement:
      'A vendor’s narrow matrix in the shape that Berrangé describes: few machine versions, few devices, and only the guests it tests.',
    source: 'Berrangé 2020-03-10 (vendors renumber machine types); Gibson 2020-02-14',
    platform: 'pseries',
    machines: ['4.2', '5.1', '6.0', '7.2'],
    devices: ['virtio-blk-pci', 'virtio-net-pci', 'virtio-rng-pci'],
    guests: ['rhel-7.2', 'rhel-7.7', 'rhel-8', 'rhel-9', 'slof-20191206', 'grub'],
    defaults: [],
    secure: { admits: 'never', migratable: true },
  },
  {
    name: 'x86-i440fx',
    statement: 'The x86 analogue with conventional slots: disable-legacy=auto is off everywhere.',
    source: 'Berrangé 2020-03-10; hw/virtio/virtio-pci.c virtio_pci_realize',
    platform: 'i440fx',
    defaults: [],
    secure: { admits: 'never', migratable: true },
  },
  {
    name: 'x86-q35',
    statement:
      'The x86 analogue with express slots: below a root port disable-legacy=auto is on, on the root bus and behind a conventional bridge it is off.',
    source: 'Berrangé 2020-03-10; hw/virtio/virtio-pci.c virtio_pci_realize',
    platform: 'q35',
    defaults: [],
    secure: { admits: 'never', migratable: true },
  },
];

export function policyNamed(name: string): Policy | undefined {
  return POLICIES.find((policy) => policy.name === name);
}

export function platformOf(policy: Policy): Platform {
  const found = PLATFORMS.find((platform) => platform.name === policy.platform);
  return found as Platform;
}

/** Where a version stands in the order of releases; -1 where no machine type has that name. */
export function versionIndex(version: string): number {
  return VERSIONS.indexOf(version);
}

/** Rows that hold for a machine version, in the order in which a later one overrides an earlier one. */
export function defaultsOf(policy: Policy, version: string, capability: boolean): readonly DefaultRow[] {
  const at = versionIndex(version);
  const holds = (row: DefaultRow): boolean =>
    (row.from === undefined || at >= versionIndex(row.from)) &&
    (row.until === undefined || at <= versionIndex(row.until)) &&
    (row.when === 'machine' || capability);
  const rows = [LEGACY_ONLY, ...policy.defaults].filter(holds);
  return [
    ...rows.filter((row) => row.when === 'machine'),
    ...rows.filter((row) => row.when === 'capability'),
  ];
}
