/**
 * One planted contradiction for each rule: a world in which the rule does not hold, because another policy was built,
 * another guest booted, or the machinery slips. A rule whose test passes in its own counter-world says nothing.
 */
import { guestSystem, type GuestSystem } from '../emu/guest/systems.ts';
import type { Situation } from '../emu/machine/fate.ts';
import type { DeviceProperties, Policy } from '../emu/machine/policies.ts';
import { settle } from '../emu/machine/prediction.ts';
import type { Slip } from './experiments.ts';

export interface CounterPolicy {
  readonly rule: string;
  /** What this world does instead. */
  readonly statement: string;
  /** What is really built and booted when a situation is asked for. */
  readonly instead?: (situation: Situation) => Situation;
  readonly slip?: Slip;
}

function withProperties(situation: Situation, properties: DeviceProperties): Situation {
  return { ...situation, properties: { ...situation.properties, ...properties } };
}

function withPolicy(situation: Situation, change: (policy: Policy) => Partial<Policy>): Situation {
  return { ...situation, policy: { ...situation.policy, ...change(situation.policy) } };
}

function withGuest(situation: Situation, name: string): Situation {
  return { ...situation, guest: guestSystem(name) as GuestSystem };
}

/** A type whose properties decide, in place of one whose name does. */
function generic(situation: Situation): Situation {
  const name = situation.device.name.replace(/-(non-)?transitional$/, '');
  return { ...situation, device: { ...situation.device, name, form: 'any' } };
}

const MODERN_WITH_PLATFORM = { disableLegacy: 'on', disableModern: false, iommuPlatform: true } as const;

export const COUNTER_POLICIES: readonly CounterPolicy[] = [
  {
    rule: 'R1',
    statement: 'disable-modern is ignored',
    instead: (s) => withProperties(s, { disableModern: false }),
  },
  {
    rule: 'R2',
    statement: 'disable-legacy=auto is on in every slot',
    instead: (s) => withProperties(s, { disableLegacy: 'on', disableModern: false }),
  },
  {
    rule: 'R3',
    statement: 'auto wins over disable-modern=on',
    instead: (s) => withProperties(s, { disableLegacy: 'on' }),
  },
  {
    rule: 'R4',
    statement: 'iommu_platform=on is dropped in silence where it does not fit',
    instead: (s) => withProperties(s, { iommuPlatform: false }),
  },
  {
    rule: 'R5',
    statement: 'a modern device keeps its transitional identity, and a transitional one hides it',
    instead: (s) => {
      const modern = settle(s).disableLegacy === 'on';
      const wanted = {
        disableLegacy: modern ? 'off' : 'on',
        disableModern: false,
        iommuPlatform: false,
      } as const;
      return withProperties(generic(s), wanted);
    },
  },
  {
    rule: 'R6',
    statement: 'the properties decide, whatever the type is called',
    instead: (s) => ({ ...generic(s), properties: { disableLegacy: 'off', disableModern: true } }),
  },
  {
    rule: 'R7',
    statement: '-global overrides -device',
    instead: (s) => ({ ...s, properties: { ...s.properties, ...s.globals } }),
  },
  {
    rule: 'R8',
    statement: 'a default for a property that is not there ends QEMU (the patches as posted)',
    instead: (s) =>
      withPolicy(s, (p) => ({ defaults: p.defaults.map((row) => ({ ...row, optional: false })) })),
  },
  {
    rule: 'R9',
    statement: 'bit 33 is offered where a legacy interface was asked for',
    instead: (s) => withProperties(generic(s), MODERN_WITH_PLATFORM),
  },
  {
    rule: 'R10',
    statement: 'the device lets a driver off that does not acknowledge bit 33',
    instead: (s) =>
      withProperties(generic(s), { disableLegacy: 'on', disableModern: false, iommuPlatform: false }),
  },
  {
    rule: 'R11',
    statement: '2.6 is transitional already, 2.7 and later still legacy only',
    instead: (s) => ({ ...s, version: s.version === '2.6' ? '2.7' : '2.6' }),
  },
  {
    rule: 'R12',
    statement: 'a new default reaches back to released machine versions',
    instead: (s) =>
      withPolicy(s, () => ({
        defaults: [
          {
            when: 'machine',
            set: { disableLegacy: 'on', disableModern: false, iommuPlatform: true },
            optional: true,
          },
        ],
      })),
  },
  {
    rule: 'R13',
    statement: 'confidential-guest-support turns the interface and forgets iommu_platform',
    instead: (s) =>
      withPolicy(s, (p) => ({
        defaults: p.defaults.map((row) =>
          row.when === 'capability' ? { ...row, set: { disableLegacy: 'off', iommuPlatform: false } } : row,
        ),
      })),
  },
  {
    rule: 'R14',
    statement: 'patch 1/2 alone was applied',
    instead: (s) =>
      withPolicy(s, (p) => ({
        defaults: p.defaults.map(({ set, ...row }) => ({ ...row, set: { ...set, iommuPlatform: false } })),
      })),
  },
  { rule: 'R15', statement: 'the hypervisor does not look at the capability', slip: 'ignore-capability' },
  { rule: 'R16', statement: 'the host claims an ultravisor that it has not', slip: 'boastful-host' },
  { rule: 'R17', statement: 'the capability turns virtio defaults as well', slip: 'boastful-host' },
  {
    rule: 'R18',
    statement: 'the old guest has virtio 1.0 backported',
    instead: (s) => withGuest(s, 'linux-4.8'),
  },
  {
    rule: 'R19',
    statement: 'the guest knows bit 33, or knows nothing modern',
    instead: (s) => withGuest(s, settle(s).iommuPlatform ? 'linux-4.8' : 'aix'),
  },
  { rule: 'R20', statement: 'bit 33 is not known before 5.0', instead: (s) => withGuest(s, 'linux-2.6.32') },
  {
    rule: 'R21',
    statement: 'the failures sign the other way round',
    instead: (s) => withGuest(s, s.guest.traits.transports.includes('modern') ? 'linux-3.19' : 'linux-4.8'),
  },
  {
    rule: 'R22',
    statement: 'a cell that should fail goes through',
    instead: (s) => withGuest(s, 'linux-4.8'),
  },
  {
    rule: 'R23',
    statement: 'the firmware of the other side of December 2019 is on the machine',
    instead: (s) => withGuest(s, s.guest.traits.acksPlatform ? 'slof-old' : 'slof-20191206'),
  },
  {
    rule: 'R24',
    statement: 'the byte order is latched once, for firmware and kernel',
    slip: 'order-latched-once',
  },
  { rule: 'R25', statement: 'a refusal spills over to the next function', slip: 'spilling-refusal' },
  {
    rule: 'R26',
    statement: 'force_legacy tries the legacy transport alone',
    instead: (s) => withGuest(s, 'linux-3.19'),
  },
  {
    rule: 'R27',
    statement: 'iommu_platform says one thing and the device does the other',
    instead: (s) =>
      withProperties(generic(s), {
        disableLegacy: 'on',
        disableModern: false,
        iommuPlatform: !settle(s).iommuPlatform,
      }),
  },
  {
    rule: 'R28',
    statement: 'a guest makes windows only once bit 33 is acknowledged',
    instead: (s) => withGuest(s, 'linux-4.7'),
  },
  { rule: 'R29', statement: 'everything is mapped for writing', slip: 'map-all-writable' },
  {
    rule: 'R30',
    statement: 'entries stay when requests end (Linux 7.2.13 where the direct window fails)',
    slip: 'leak-entries',
  },
  { rule: 'R31', statement: 'the next page is mapped along', slip: 'map-the-next-page' },
  { rule: 'R32', statement: 'a machine reset leaves windows and entries', slip: 'no-reset' },
  { rule: 'R33', statement: 'secure frames show the host their plain text', slip: 'no-ciphertext' },
  {
    rule: 'R34',
    statement: 'the bounce pool is there or not, the other way round',
    instead: (s) => withGuest(s, s.guest.traits.secure === 'pool' ? 'linux-5.19-svm' : 'linux-5.6-svm'),
  },
  {
    rule: 'R35',
    statement: 'the architecture hook refuses devices without bit 33, as on s390',
    instead: (s) => ({ ...withProperties(generic(s), MODERN_WITH_PLATFORM) }),
  },
  { rule: 'R36', statement: 'a page keeps its content when it is shared', slip: 'forget-to-zero' },
  { rule: 'R37', statement: 'the host sees every register of a hypercall', slip: 'pass-all-registers' },
  { rule: 'R38', statement: 'H_SVM_* answer whoever calls', slip: 'answer-anybody' },
  { rule: 'R39', statement: 'secure pages are paged out when the guest is reset', slip: 'page-out-on-reset' },
  { rule: 'R40', statement: 'kexec forgets UV_UNSHARE_ALL_PAGES', slip: 'forget-unshare-all' },
  { rule: 'R41', statement: 'a mapped page is readable, secure or not', slip: 'no-ciphertext' },
  {
    rule: 'R42',
    statement: 'tiers are taken from one policy and published for another',
    slip: 'claims-of-another-policy',
  },
  {
    rule: 'R43',
    statement: 'a guest with the capability may be migrated anywhere',
    instead: (s) => withPolicy(s, (p) => ({ secure: { ...p.secure, migratable: true } })),
  },
];
