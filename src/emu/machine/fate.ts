/** What becomes of a guest in front of a device, as the rules predict it. The machine, with the guest run, decides. */
import type { GuestSystem, Transport } from '../guest/systems.ts';
import { versionIndex } from './policies.ts';
import type { Construction, Request } from './prediction.ts';

/** A guest in front of a device. */
export interface Situation extends Request {
  readonly guest: GuestSystem;
  /** Whether the guest, if it can, asks to become secure before it looks at any device. */
  readonly secure: boolean;
}

/** Whether the host lets a guest of this machine become secure. */
export function admitted({ policy, capability }: Request): boolean {
  return policy.secure.admits === 'always' || (policy.secure.admits === 'capability' && capability);
}

/** How a cell ends, from the best to what never began. */
export const OUTCOMES = [
  'works',
  /** It was bound, and its requests never gave right data. */
  'stuck',
  /** FEATURES_OK did not stick: the guest says so and gives up. */
  'declined',
  /** The guest does not see it, and says nothing. */
  'absent',
  /** The hypervisor does not let the guest become secure. */
  'vetoed',
  /** QEMU refuses to build the device. */
  'refused',
  /** QEMU dies. */
  'aborts',
  /** The policy does not offer it. */
  'not-offered',
] as const;

export type Outcome = (typeof OUTCOMES)[number];

export interface Fate {
  readonly outcome: Outcome;
  readonly works: boolean;
  readonly found: boolean;
  readonly transport: Transport | 'none';
  /** The rule that decides. */
  readonly rule: string;
}

function fate(outcome: Outcome, rule: string, transport: Fate['transport'] = 'none'): Fate {
  const found = outcome === 'works' || outcome === 'stuck' || outcome === 'declined';
  return { outcome, works: outcome === 'works', found, transport, rule };
}

const WHY_NOT_BUILT = { offer: 'not-offered', realize: 'refused', abort: 'aborts' } as const;

export function predictLife(situation: Situation, construction: Construction): Fate {
  if (!construction.built) return fate(WHY_NOT_BUILT[construction.by], construction.rule);
  const { traits } = situation.guest;
  const asksSecure = situation.secure && traits.secure !== 'never';
  if (asksSecure && !admitted(situation)) return fate('vetoed', 'R15');
  const transport = traits.transports.find((one) =>
    one === 'legacy' ? construction.mode !== 'modern' : construction.mode !== 'legacy',
  );
  if (transport === undefined) return fate('absent', 'R18');
  if (construction.iommuPlatform && !traits.acksPlatform) return fate('declined', 'R19', transport);
  if (asksSecure) {
    const window = traits.directWindow === 'memory' && versionIndex(situation.version) >= versionIndex('2.7');
    const shared = traits.secure === 'pool' && traits.pageShift === 16;
    if (!construction.iommuPlatform) return fate('stuck', 'R35', transport);
    return window && shared ? fate('works', 'R34', transport) : fate('stuck', 'R34', transport);
  }
  if (traits.acksPlatform) return fate('works', 'R20', transport);
  return fate('works', traits.transports.includes('modern') ? 'R19' : 'R18', transport);
}
