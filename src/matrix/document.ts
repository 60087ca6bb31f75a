/**
 * The matrix as one document, for the page and for other programs (docs/matrix.schema.json). It holds every cell of its
 * axes, folded: equal columns are written once, equal rows of columns once, and places name rows.
 */
import { OUTCOMES } from '../emu/machine/fate.ts';
import { platformOf, type Policy, type SlotKind } from '../emu/machine/policies.ts';
import { RULES } from '../emu/machine/rules.ts';
import { capabilitiesOf, slotsOf, spelled, type Axes } from './axes.ts';
import type { Source } from './cell.ts';
import { Columns, type Column } from './sweep.ts';
import { TierSearch, type TierAnswer, type TierCaps } from './tiers.ts';

export interface MatrixDocument {
  readonly type: 'papyrus-matrix';
  readonly version: 1;
  /** `run`: guests lived on the emulated machine. `rules`: predicted only. */
  readonly decidedBy: 'run' | 'rules';
  readonly outcomes: readonly string[];
  readonly policies: readonly DocumentPolicy[];
  readonly versions: readonly string[];
  readonly devices: readonly string[];
  readonly settings: readonly string[];
  readonly guests: readonly DocumentGuest[];
  readonly rules: readonly DocumentRule[];
  /** What stands in a place: a device that was built, or why not. */
  readonly columns: readonly DocumentColumn[];
  /** Indices of columns, version by version. */
  readonly rows: readonly (readonly number[])[];
  readonly places: readonly DocumentPlace[];
  readonly tiers: readonly DocumentTier[];
  /** Indices of tiers: policy, then version, then guest; ordinary first, then secure where the guest can be. */
  readonly tiersByPolicy: readonly (readonly (readonly number[])[])[];
}

interface DocumentPolicy {
  readonly name: string;
  readonly statement: string;
  readonly source: string;
  readonly prefix: string;
  readonly slots: readonly SlotKind[];
  readonly capability: string | null;
  readonly admits: string;
}

interface DocumentGuest {
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  readonly certainty: string;
  readonly evidence: string;
  readonly secure: boolean;
  readonly released: string | null;
  readonly supportEnds: string | null;
}

interface DocumentRule {
  readonly id: string;
  readonly statement: string;
  readonly reason: string;
  readonly source: string;
}

interface DocumentColumn {
  /** `transitional`, `modern + iommu_platform`, … or QEMU's refusal. */
  readonly device: string;
  readonly built: boolean;
  readonly rule: string;
  /** A digit for each guest: index of outcomes. `secure`: where the guest asks to become secure. */
  readonly ordinary: string;
  readonly secure: string;
  /** Rules behind the digits, as indices of `rules`; -1 where none is needed. */
  readonly ordinaryRules: readonly number[];
  readonly secureRules: readonly number[];
}

interface DocumentPlace {
  /** Indices. */
  readonly policy: number;
  readonly device: number;
  readonly slot: SlotKind;
  readonly capability: boolean;
  /** Index of a row for each setting. */
  readonly rows: readonly number[];
}

interface DocumentTier {
  readonly tier: string;
  readonly options: string;
  readonly tried: number;
  readonly withDefaults: string;
  readonly rule: string;
  readonly cap: string;
}

/** Interns values by their JSON text, so that each is written once. */
class Interned<T> {
  readonly list: T[] = [];
  readonly #index: Map<string, number> = new Map();

  of(value: T): number {
    const key = JSON.stringify(value);
    const known = this.#index.get(key);
    if (known !== undefined) return known;
    this.#index.set(key, this.list.length);
    return this.list.push(value) - 1;
  }
}

export function matrixDocument(
  axes: Axes,
  source: Source,
  decidedBy: MatrixDocument['decidedBy'],
  caps: TierCaps,
): MatrixDocument {
  const whole = { ...axes, secure: [false, true] };
  const columns = new Interned<DocumentColumn>();
  const rows = new Interned<readonly number[]>();
  const tiers = new Interned<DocumentTier>();
  const found = new Columns(whole, source);
  const places = axes.policies.flatMap((policy, index) =>
    placesOf(whole, policy, index, found, columns, rows),
  );
  return {
    type: 'papyrus-matrix',
    version: 1,
    decidedBy,
    outcomes: OUTCOMES,
    policies: axes.policies.map(policyOf),
    versions: axes.versions,
    devices: axes.devices.map(({ name }) => name),
    settings: axes.settings.map(spelled),
    guests: axes.guests.map((guest) => ({
      name: guest.name,
      title: guest.title,
      kind: guest.kind,
      certainty: guest.certainty,
      evidence: guest.evidence,
      secure: guest.traits.secure !== 'never',
      released: guest.released ?? null,
      supportEnds: guest.supportEnds ?? null,
    })),
    rules: RULES.map(({ id, statement, reason, source: from }) => ({ id, statement, reason, source: from })),
    columns: columns.list,
    rows: rows.list,
    places,
    tiers: tiers.list,
    tiersByPolicy: axes.policies.map((policy) => tiersOf(axes, policy, source, caps, tiers)),
  };
}

function policyOf(policy: Policy): DocumentPolicy {
  const { prefix, slots } = platformOf(policy);
  return {
    name: policy.name,
    statement: policy.statement,
    source: policy.source,
    prefix,
    slots,
    capability: policy.secure.capability ?? null,
    admits: policy.secure.admits,
  };
}

function placesOf(
  axes: Axes,
  policy: Policy,
  index: number,
  found: Columns,
  columns: Interned<DocumentColumn>,
  rows: Interned<readonly number[]>,
): DocumentPlace[] {
  const places: DocumentPlace[] = [];
  for (const [device, model] of axes.devices.entries()) {
    for (const slot of slotsOf(axes, policy)) {
      for (const capability of capabilitiesOf(policy)) {
        const place = { policy, device: model, slot, globals: {}, capability };
        const here = axes.settings.map((properties) =>
          rows.of(
            axes.versions.map((version) =>
              columns.of(columnOf(found.of({ ...place, version, properties }).column)),
            ),
          ),
        );
        places.push({ policy: index, device, slot, capability, rows: here });
      }
    }
  }
  return places;
}

function columnOf({ built: { construction }, codes, answers }: Column): DocumentColumn {
  const half = (offset: number): number[] => [...codes].filter((_, at) => at % 2 === offset);
  const rules = (offset: number): number[] =>
    answers.filter((_, at) => at % 2 === offset).map(({ rule }) => RULES.findIndex(({ id }) => id === rule));
  const extras = construction.built
    ? [construction.mode, construction.iommuPlatform && 'iommu_platform', construction.packed && 'packed']
    : [construction.reason];
  return {
    device: extras.filter(Boolean).join(' + '),
    built: construction.built,
    rule: construction.built ? '' : construction.rule,
    ordinary: half(0).join(''),
    secure: half(1).join(''),
    ordinaryRules: rules(0),
    secureRules: rules(1),
  };
}

function tiersOf(
  axes: Axes,
  policy: Policy,
  source: Source,
  caps: TierCaps,
  tiers: Interned<DocumentTier>,
): number[][] {
  return axes.versions.map((version) => {
    const search = new TierSearch(policy, version, source);
    return axes.guests.flatMap((guest) =>
      (guest.traits.secure === 'never' ? [false] : [false, true]).map((secure) =>
        tiers.of(written(search.of(guest, secure, caps))),
      ),
    );
  });
}

function written({ tier, witness, tried, withDefaults, rule, cap }: TierAnswer): DocumentTier {
  return { tier, options: witness?.options ?? '', tried, withDefaults, rule, cap: cap ?? '' };
}
