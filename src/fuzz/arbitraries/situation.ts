import fc from 'fast-check';
import { GUEST_SYSTEMS, type GuestSystem } from '../../emu/guest/systems.ts';
import type { Situation } from '../../emu/machine/fate.ts';
import { POLICIES, VERSIONS, type DeviceProperties, type Policy } from '../../emu/machine/policies.ts';
import { construct } from '../../emu/machine/prediction.ts';
import type { Rule } from '../../emu/machine/rules.ts';
import { DEVICE_MODELS } from '../../emu/machine/virtio-models.ts';
import { capabilitiesOf, SETTINGS, slotsOf, WHOLE } from '../../matrix/axes.ts';

export interface SituationChoice {
  readonly policies?: readonly Policy[];
  readonly versions?: readonly string[];
  readonly guests?: readonly GuestSystem[];
}

const PLAIN: readonly DeviceProperties[] = SETTINGS.filter(({ packed }) => packed !== true);

/** Any guest in front of any device under any policy, as the matrix has them; `-global` values too. */
export function situationArbitrary(choice: SituationChoice = {}): fc.Arbitrary<Situation> {
  return fc
    .record({
      policy: fc.constantFrom(...(choice.policies ?? POLICIES)),
      version: fc.constantFrom(...(choice.versions ?? VERSIONS)),
      device: fc.constantFrom(...DEVICE_MODELS.filter(({ emulated }) => emulated)),
      slot: fc.nat(2),
      capability: fc.boolean(),
      // Half of all devices are left to their defaults, and few are told anything from outside.
      properties: fc.oneof(fc.constant({}), fc.constantFrom(...PLAIN)),
      globals: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, fc.constantFrom(...PLAIN)),
      guest: fc.constantFrom(...(choice.guests ?? GUEST_SYSTEMS)),
      secure: fc.boolean(),
    })
    .map(({ slot, capability, ...others }): Situation => {
      const slots = slotsOf(WHOLE, others.policy);
      const offered = capabilitiesOf(others.policy).length > 1;
      return {
        ...others,
        slot: slots[slot % slots.length] ?? 'host-bridge',
        capability: capability && offered,
      };
    });
}

/** Situations to which a rule applies. */
export function situationOfRule(rule: Rule, choice: SituationChoice = {}): fc.Arbitrary<Situation> {
  return situationArbitrary(choice).filter((situation) => rule.applies(situation, construct(situation)));
}

/** A policy as a user might write one: defaults from a version on, with or without a capability. */
export function policyArbitrary(): fc.Arbitrary<Policy> {
  const row = fc.record({
    from: fc.constantFrom(...VERSIONS),
    when: fc.constantFrom('machine' as const, 'capability' as const),
    set: fc.constantFrom(...PLAIN),
    optional: fc.boolean(),
  });
  return fc.record({
    name: fc.constant('drawn'),
    statement: fc.constant('a policy that was drawn'),
    source: fc.constant('fast-check'),
    platform: fc.constant('pseries' as const),
    defaults: fc.array(row, { maxLength: 3 }),
    secure: fc.constantFrom(
      { admits: 'always' as const, migratable: true },
      { admits: 'never' as const, migratable: true },
      { capability: '-machine cap-drawn=on', admits: 'capability' as const, migratable: false },
    ),
  });
}
