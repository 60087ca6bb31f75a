/**
 * Support tiers as Berrangé proposed them on 2020-03-10, by search: a guest is Recommended where it works with pure
 * defaults, Supported where some settings make it work (the smallest such set is the witness), Unsupported where every
 * assignment of settings was tried and none does.
 */
import type { GuestSystem } from '../emu/guest/systems.ts';
import type { DeviceProperties, Policy, SlotKind } from '../emu/machine/policies.ts';
import type { Request } from '../emu/machine/prediction.ts';
import { deviceModel, type DeviceModel } from '../emu/machine/virtio-models.ts';
import { asGlobals, capabilitiesOf, SETTINGS, slotsOf, WHOLE } from './axes.ts';
import type { Built, Source } from './cell.ts';

export type Tier = 'Recommended' | 'Supported' | 'Unsupported';

export interface TierQuestion {
  readonly policy: Policy;
  readonly version: string;
  readonly guest: GuestSystem;
  /** The guest asks to become secure. */
  readonly secure: boolean;
}

/** Settings beyond the defaults; each property, another slot, and the capability count one. */
export interface Witness {
  readonly properties: DeviceProperties;
  readonly slot: SlotKind;
  readonly capability: boolean;
  readonly size: number;
  /** As QEMU takes them; empty where nothing is set. */
  readonly options: string;
}

export interface TierAnswer {
  readonly tier: Tier;
  /** Present unless Unsupported. */
  readonly witness?: Witness;
  /** Settings tried: all there are where the answer is Unsupported. */
  readonly tried: number;
  /** Why the defaults do not do, and the rule. */
  readonly withDefaults: string;
  readonly rule: string;
  /** Why a tier is lower than what works: end of support, age, or the policy. */
  readonly cap?: string;
}

/** What a guest needs to be of use: a disk and a network. */
const NEEDED: readonly DeviceModel[] = ['virtio-blk-pci', 'virtio-net-pci'].flatMap(
  (name) => deviceModel(name) ?? [],
);

/** Dates as YYYY-MM-DD. Absent: that cap does not apply. */
export interface TierCaps {
  readonly today?: string;
  readonly vendorEndOfLife: boolean;
  readonly fiveYears: boolean;
}

export const NO_CAPS: TierCaps = { vendorEndOfLife: false, fiveYears: false };

interface Choice extends Witness {
  readonly order: number;
}

/** Every assignment that a policy's platform has, smallest first; packed rings rescue nobody and stay out. */
export function choicesOf(policy: Policy): readonly Witness[] {
  const choices: Choice[] = [];
  for (const capability of capabilitiesOf(policy)) {
    for (const slot of slotsOf(WHOLE, policy)) {
      for (const properties of SETTINGS) {
        if (properties.packed === true) continue;
        const placed = slot === 'host-bridge' ? 0 : 1;
        const size = Object.keys(properties).length + placed + (capability ? 1 : 0);
        const options = optionsOf(policy, properties, slot, capability);
        choices.push({ properties, slot, capability, size, options, order: choices.length });
      }
    }
  }
  return choices.toSorted((a, b) => a.size - b.size || a.order - b.order);
}

function optionsOf(
  policy: Policy,
  properties: DeviceProperties,
  slot: SlotKind,
  capability: boolean,
): string {
  const words: string[] = [];
  if (capability && policy.secure.capability !== undefined) words.push(policy.secure.capability);
  if (slot !== 'host-bridge') words.push(`(devices behind a ${slot})`);
  const globals = asGlobals(properties);
  if (globals !== '') words.push(globals);
  return words.join(' ');
}

/** Searches; `source` answers each cell. */
export function tierOf(question: TierQuestion, source: Source, caps: TierCaps = NO_CAPS): TierAnswer {
  return new TierSearch(question.policy, question.version, source).of(question.guest, question.secure, caps);
}

interface Place {
  readonly request: Request;
  readonly built: Built;
}

/** Every assignment of settings on one machine version under one policy, built once for all guests. */
export class TierSearch {
  readonly #policy: Policy;
  readonly #version: string;
  readonly #source: Source;
  readonly #choices: readonly Witness[];
  /** By choice: the needed devices, built when they are first asked for. */
  readonly #places: (readonly Place[] | undefined)[];

  constructor(policy: Policy, version: string, source: Source) {
    this.#policy = policy;
    this.#version = version;
    this.#source = source;
    this.#choices = choicesOf(policy);
    this.#places = this.#choices.map(() => undefined);
  }

  of(guest: GuestSystem, secure: boolean, caps: TierCaps = NO_CAPS): TierAnswer {
    let withDefaults = '';
    let rule = '';
    for (const [index, witness] of this.#choices.entries()) {
      const failed = this.failure(index, guest, secure);
      if (index === 0) {
        withDefaults = failed?.reason ?? 'works';
        rule = failed?.rule ?? 'R42';
      }
      if (failed !== undefined) continue;
      const tier: Tier = witness.size === 0 ? 'Recommended' : 'Supported';
      const answer = { tier, witness, tried: index + 1, withDefaults, rule };
      return capped(answer, guest, this.#policy, caps);
    }
    return { tier: 'Unsupported', tried: this.#choices.length, withDefaults, rule };
  }

  /** Undefined if every needed device works with the settings of a choice. */
  failure(
    choice: number,
    guest: GuestSystem,
    secure: boolean,
  ): { readonly reason: string; readonly rule: string } | undefined {
    for (const { request, built } of this.#built(choice)) {
      const answer = this.#source.answer({ ...request, guest, secure }, built);
      if (answer.works) continue;
      const { construction } = built;
      const reason = construction.built ? answer.outcome : `${answer.outcome}: ${construction.reason}`;
      return { reason, rule: answer.rule };
    }
    return undefined;
  }

  #built(choice: number): readonly Place[] {
    const known = this.#places[choice];
    if (known !== undefined) return known;
    const { properties, slot, capability } = this.#choices[choice] as Witness;
    const where = { policy: this.#policy, version: this.#version, slot, capability };
    const places = NEEDED.map((device) => {
      const request: Request = { ...where, device, properties: {}, globals: properties };
      return { request, built: this.#source.construct(request) };
    });
    this.#places[choice] = places;
    return places;
  }
}

function capped(answer: TierAnswer, guest: GuestSystem, policy: Policy, caps: TierCaps): TierAnswer {
  if (policy.guests?.includes(guest.name) === false) {
    return {
      ...answer,
      tier: 'Unsupported',
      cap: `the policy ${policy.name} does not vouch for ${guest.name}`,
    };
  }
  const cap = capOf(guest, caps);
  return cap === undefined || answer.tier !== 'Recommended' ? answer : { ...answer, tier: 'Supported', cap };
}

/** A guest past its vendor's support and older than five years is Supported at best; either cap can be left off. */
export function capOf(
  guest: Pick<GuestSystem, 'released' | 'supportEnds'>,
  caps: TierCaps,
): string | undefined {
  const { today } = caps;
  if (today === undefined) return undefined;
  const { released, supportEnds } = guest;
  if (caps.vendorEndOfLife && supportEnds !== undefined) {
    if (supportEnds >= today) return undefined;
    if (!caps.fiveYears) return `its vendor’s support ended on ${supportEnds}`;
  }
  if (!caps.fiveYears || released === undefined) return undefined;
  const before = `${Number(today.slice(0, 4)) - 5}${today.slice(4)}`;
  return released < before
    ? `it was released on ${released}, more than five years before ${today}`
    : undefined;
}

export interface TierChange {
  readonly version: string;
  readonly guest: GuestSystem;
  readonly secure: boolean;
  readonly before: TierAnswer;
  readonly after: TierAnswer;
}

const RANK: Readonly<Record<Tier, number>> = { Recommended: 2, Supported: 1, Unsupported: 0 };

/** Guests whose tier differs between two policies, and whether each was lost or won. */
export function compareTiers(
  before: Policy,
  after: Policy,
  versions: readonly string[],
  guests: readonly GuestSystem[],
  source: Source,
  caps: TierCaps = NO_CAPS,
): readonly TierChange[] {
  const changes: TierChange[] = [];
  for (const version of versions) {
    const from = new TierSearch(before, version, source);
    const to = new TierSearch(after, version, source);
    for (const guest of guests) {
      for (const secure of guest.traits.secure === 'never' ? [false] : [false, true]) {
        const old = from.of(guest, secure, caps);
        const now = to.of(guest, secure, caps);
        if (old.tier !== now.tier) changes.push({ version, guest, secure, before: old, after: now });
      }
    }
  }
  return changes;
}

export function isLoss({ before, after }: TierChange): boolean {
  return RANK[after.tier] < RANK[before.tier];
}
