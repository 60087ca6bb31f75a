/**
 * The host that a machine runs on, where that matters: what it has for secure guests. `ultravisor,behaviour=released`;
 * `kvm` is one without an ultravisor.
 */
import { behaviourOf, DISAGREEMENTS, type Behaviour, type Knob, type Side } from '../ultravisor/behaviour.ts';
import type { LockboxPolicy } from '../ultravisor/lockbox.ts';
import type { MachineConfig, Verdict } from './config.ts';
import { parseOptions, type MachineArgument } from './options.ts';
import { refusalOnHost } from './capabilities.ts';

export interface SecureOptions {
  readonly behaviour: Behaviour;
  readonly lockbox: LockboxPolicy;
  /** Bytes of secure memory. */
  readonly secureBytes: number;
  /** KVM admits secure guests: the capability was enabled, or this KVM (Linux 5.5, 5.6) has none to ask. */
  readonly admits: boolean;
  /** Pages leave secure memory encrypted; `none` is for figures only. */
  readonly cipher: 'aes-128-gcm' | 'none';
}

export interface HostOptions {
  /** Absent where the host has no ultravisor. */
  readonly secure: SecureOptions | undefined;
  /** The machine has confidential-guest-support: virtio's defaults turn with it, and it cannot be migrated. */
  readonly confidential: boolean;
}

const HEADS = ['ultravisor', 'kvm'];
const SIDES: readonly string[] = ['released', 'documented'];
const LOCKBOXES: readonly string[] = ['open', 'trust', 'closed'];
const CIPHERS: readonly string[] = ['aes-128-gcm', 'none'];

/** What the host, the objects and the machine's own option come to, in QEMU's words where it refuses. */
export function hostOptions(config: MachineConfig, machine: MachineArgument): Verdict<HostOptions> {
  const objects = (config.objects ?? []).map((text) => parseOptions(text));
  const stranger = objects.find(({ head }) => head !== 'pef-guest');
  if (stranger !== undefined) return refused(`invalid object type: ${stranger.head}`);
  const asked = machine.others.get('confidential-guest-support');
  const ids = objects.map(({ options }) => new Map(options).get('id'));
  if (asked !== undefined && !ids.includes(asked)) return refused(`Device '${asked}' not found`);
  const confidential = asked !== undefined;
  const { head, options } = parseOptions(config.host ?? '');
  if (head !== '' && !HEADS.includes(head))
    return refused(`host '${head}' is neither of ${HEADS.join(', ')}`);
  const refusal = refusalOnHost({ kvm: head !== '', ultravisor: head === 'ultravisor' });
  if (confidential && refusal !== undefined) return refused(refusal);
  if (head !== 'ultravisor') {
    return options.length > 0
      ? refused(`host '${head}' takes no options`)
      : accepted({ secure: undefined, confidential });
  }
  const values = new Map(options);
  const bad = wrongOption(values);
  if (bad !== undefined) return refused(bad);
  return accepted({ secure: secureOptions(values, config.ramBytes, confidential), confidential });
}

function secureOptions(
  values: ReadonlyMap<string, string>,
  ramBytes: number,
  confidential: boolean,
): SecureOptions {
  const except = Object.fromEntries(
    DISAGREEMENTS.flatMap(({ knob }) => {
      const side = values.get(knob);
      return side === undefined ? [] : [[knob, side]];
    }),
  ) as Partial<Record<Knob, Side>>;
  const cipher = values.get('cipher');
  return {
    behaviour: behaviourOf((values.get('behaviour') ?? 'documented') as Side, except),
    lockbox: (values.get('lockbox') ?? 'open') as LockboxPolicy,
    secureBytes: Number(values.get('secure-memory') ?? ramBytes),
    admits: confidential || values.get('veto') === 'off',
    cipher: cipher === 'none' ? 'none' : 'aes-128-gcm',
  };
}

/** What is wrong with the options of an ultravisor, in a sentence. */
function wrongOption(values: ReadonlyMap<string, string>): string | undefined {
  for (const [name, value] of values) {
    const words = wordsOf(name);
    if (words === undefined) return `an ultravisor has no option '${name}'`;
    if (words.length > 0 && !words.includes(value))
      return `option '${name}' of an ultravisor takes ${words.join(' or ')}, not '${value}'`;
    if (words.length === 0 && !/^\d+$/.test(value))
      return `option '${name}' of an ultravisor takes bytes, not '${value}'`;
  }
  return undefined;
}

/** The words that an option takes; none for a number. Undefined for an option that there is not. */
function wordsOf(name: string): readonly string[] | undefined {
  if (name === 'behaviour') return SIDES;
  if (name === 'lockbox') return LOCKBOXES;
  if (name === 'cipher') return CIPHERS;
  if (name === 'veto') return ['on', 'off'];
  if (name === 'secure-memory') return [];
  return DISAGREEMENTS.some(({ knob }) => knob === name) ? SIDES : undefined;
}

function accepted(value: HostOptions): Verdict<HostOptions> {
  return { accepted: true, value, warnings: [] };
}

function refused(reason: string): { readonly accepted: false; readonly reason: string } {
  return { accepted: false, reason };
}
