/**
 * Machine capabilities as migration sees them (hw/ppc/spapr_caps.c): a level each, compared when a machine moves. A
 * higher level in the stream than on the destination ends the load, a lower one is a warning.
 */
import { machineType, type MachineType } from './types.ts';
import { defaultsOf, type Policy } from './policies.ts';

interface CapabilityRow {
  /** Without `cap-`. */
  readonly name: string;
  /** Words in the order of their levels, 0 first. `size`: the level is log2 of a page size. */
  readonly levels: readonly string[] | 'size';
  readonly of: (type: MachineType) => string | number;
  /** What of the host it asks for; empty where any host will do. */
  readonly hardware: string;
}

const SWITCH = ['off', 'on'];
const MITIGATION = ['broken', 'workaround', 'fixed'];

export const CAPABILITIES: readonly CapabilityRow[] = [
  { name: 'htm', levels: SWITCH, of: (t) => t.options.capabilities.htm, hardware: 'transactional memory' },
  { name: 'vsx', levels: SWITCH, of: (t) => t.options.capabilities.vsx, hardware: 'VSX' },
  { name: 'dfp', levels: SWITCH, of: (t) => t.options.capabilities.dfp, hardware: 'decimal floating point' },
  {
    name: 'cfpc',
    levels: MITIGATION,
    of: (t) => t.options.capabilities.cfpc,
    hardware: 'firmware mitigation',
  },
  {
    name: 'sbbc',
    levels: MITIGATION,
    of: (t) => t.options.capabilities.sbbc,
    hardware: 'firmware mitigation',
  },
  {
    name: 'ibs',
    levels: ['broken', 'workaround', 'fixed-ibs', 'fixed-ccd', 'fixed-na'],
    of: (t) => t.options.capabilities.ibs,
    hardware: 'firmware mitigation',
  },
  {
    name: 'hpt-max-page-size',
    levels: 'size',
    of: (t) => t.options.capabilities.hptMaxPageShift,
    hardware: 'host page size',
  },
  { name: 'nested-hv', levels: SWITCH, of: (t) => t.options.capabilities.nestedHv, hardware: 'nested KVM' },
  {
    name: 'large-decr',
    levels: SWITCH,
    of: (t) => t.options.capabilities.largeDecrementer,
    hardware: 'POWER9',
  },
  {
    name: 'ccf-assist',
    levels: SWITCH,
    of: (t) => t.options.capabilities.ccfAssist,
    hardware: 'firmware mitigation',
  },
  { name: 'fwnmi', levels: SWITCH, of: (t) => t.options.capabilities.fwnmi, hardware: '' },
  {
    name: 'rpt-invalidate',
    levels: SWITCH,
    of: (t) => t.options.capabilities.rptInvalidate,
    hardware: 'KVM with H_RPT_INVALIDATE',
  },
  // The plan of 2020-03-12, in the same frame; QEMU took an object, pef-guest, instead.
  { name: 'secure-guest', levels: SWITCH, of: () => 'off', hardware: 'an ultravisor' },
];

/** Options that were set, by capability name: `{ 'secure-guest': 'on' }`. */
type CapabilitySettings = Readonly<Record<string, string>>;

export interface MigrationVerdict {
  readonly accepted: boolean;
  /** What the destination prints, or the source where it refuses to begin. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

export interface Endpoint {
  /** `7.2`. Both ends have the same machine type, as QEMU demands. */
  readonly version: string;
  readonly capabilities: CapabilitySettings;
}

/** What the emulated PEF says of migration (hw/ppc/pef.c). */
export const PEF_BLOCKER = 'PEF: Migration is not implemented';

/** The two lines with which a refused load ends. */
const LOAD_FAILED = [
  `error while loading state for instance 0x0 of device 'spapr'`,
  'load of migration failed: Invalid argument',
];

/** The level of a word, or undefined for a word that the capability does not know. */
export function levelOf(capability: string, word: string | number): number | undefined {
  const row = CAPABILITIES.find(({ name }) => name === capability);
  if (row === undefined) return undefined;
  if (row.levels === 'size') return pageShift(word);
  const level = row.levels.indexOf(String(word));
  return level < 0 ? undefined : level;
}

/** `64k`, `16777216`, or a shift as the machine table has it; a table that leaves it open means 16 GiB. */
function pageShift(word: string | number): number | undefined {
  if (typeof word === 'number') return word === 0 ? 34 : word;
  const [, figure, unit = ''] = /^(\d+)([kKmMgG]?)$/.exec(word) ?? [];
  if (figure === undefined) return undefined;
  const bytes = Number(figure) * ({ '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[unit.toLowerCase()] ?? 1);
  for (let shift = 0; shift < 53; shift++) if (2 ** shift === bytes) return shift;
  return undefined;
}

/**
 * Whether a machine arrives. Only what was set on the source's command line and differs from the default is in the
 * stream; the destination takes its machine's default for the rest.
 */
export function migrate(source: Endpoint, destination: Endpoint): MigrationVerdict {
  const errors: string[] = [];
  const warnings: string[] = [];
  const machine = machineType(`pseries-${source.version}`);
  if (machine === undefined || source.version !== destination.version) {
    return { accepted: false, errors: ['Machine type received is not the one of the destination'], warnings };
  }
  for (const row of CAPABILITIES) {
    const usual = levelOf(row.name, row.of(machine)) ?? 0;
    const sent = levelOf(row.name, source.capabilities[row.name] ?? '') ?? usual;
    const here = levelOf(row.name, destination.capabilities[row.name] ?? '') ?? usual;
    if (sent > here) {
      errors.push(`cap-${row.name} higher level (${sent}) in incoming stream than on destination (${here})`);
    } else if (sent < here) {
      warnings.push(`cap-${row.name} lower level (${sent}) in incoming stream than on destination (${here})`);
    }
  }
  return errors.length === 0
    ? { accepted: true, errors, warnings }
    : { accepted: false, errors: [...errors, ...LOAD_FAILED], warnings };
}

/** Whether a guest may move at all under a policy; a blocked one is refused before anything is sent. */
export function blocker(policy: Policy, capability: boolean): string | undefined {
  return capability && !policy.secure.migratable ? PEF_BLOCKER : undefined;
}

/** What QEMU says when the capability is asked for on a host that cannot give it (hw/ppc/pef.c). */
export function refusalOnHost(host: {
  readonly kvm: boolean;
  readonly ultravisor: boolean;
}): string | undefined {
  if (!host.kvm) return 'PEF requires KVM';
  return host.ultravisor
    ? undefined
    : 'KVM implementation does not support Secure VMs (is an ultravisor running?)';
}

interface HardwareTie {
  readonly what: string;
  readonly needs: string;
  /** Whether it holds without anybody having asked. */
  readonly byDefault: boolean;
}

/** What of a machine version's defaults ties its guests to a host: the question of Berrangé, 2020-03-11. */
export function hardwareTies(policy: Policy, version: string): readonly HardwareTie[] {
  const machine = machineType(`pseries-${version}`);
  if (machine === undefined) return [];
  const ties = CAPABILITIES.filter(
    (row) =>
      row.hardware !== '' && row.name !== 'secure-guest' && (levelOf(row.name, row.of(machine)) ?? 0) > 0,
  ).map((row) => ({ what: `cap-${row.name}=${row.of(machine)}`, needs: row.hardware, byDefault: true }));
  const { capability } = policy.secure;
  if (capability === undefined) return ties;
  // Defaults that the capability turns come only with it.
  const turned = defaultsOf(policy, version, true).length > defaultsOf(policy, version, false).length;
  const what = turned ? `${capability} (and virtio defaults with it)` : capability;
  return [...ties, { what, needs: 'an ultravisor', byDefault: false }];
}
