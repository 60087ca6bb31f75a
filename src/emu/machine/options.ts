import type { Verdict } from './config.ts';
import { machineType, type MachineCapabilities, type MachineType } from './types.ts';

/** `driver,key=value,…` as QEMU's option parser splits it. */
export interface OptionString {
  readonly head: string;
  /** In the order given; a later one of the same name overrides. */
  readonly options: readonly (readonly [name: string, value: string])[];
}

/**
 * Splits at commas; two commas are one that belongs to the value. An option without a value is `on`, and `no` before
 * it `off`, as the old short form has it.
 */
export function parseOptions(text: string): OptionString {
  const [head = '', ...rest] = splitAtCommas(text);
  const options = rest.map((option): readonly [string, string] => {
    const at = option.indexOf('=');
    if (at >= 0) return [option.slice(0, at), option.slice(at + 1)];
    return option.startsWith('no') ? [option.slice(2), 'off'] : [option, 'on'];
  });
  return { head, options };
}

function splitAtCommas(text: string): string[] {
  const parts: string[] = [''];
  for (let i = 0; i < text.length; i++) {
    const next = text[i] ?? '';
    if (next !== ',') parts[parts.length - 1] += next;
    else if (text[i + 1] === ',') {
      parts[parts.length - 1] += ',';
      i++;
    } else parts.push('');
  }
  return parts;
}

const HASH_BUCKETS = 512;

/** Names in the order in which QEMU sets them: by its dictionary's buckets, which decides whose error is told. */
export function inDictionaryOrder(names: readonly string[]): string[] {
  return names.toSorted((a, b) => bucket(a) - bucket(b));
}

/** tdb_hash of qobject/qdict.c. */
function bucket(name: string): number {
  let value = Math.imul(0x238f13af, name.length);
  for (let i = 0; i < name.length; i++) value = (value + (name.charCodeAt(i) << ((i * 5) % 24))) | 0;
  return ((Math.imul(1103515243, value) + 12345) >>> 0) % HASH_BUCKETS;
}

/** `-global driver.property=value`. */
export interface GlobalOption {
  readonly type: string;
  readonly property: string;
  readonly value: string;
}

export function parseGlobal(text: string): GlobalOption | undefined {
  const match = /^([^.=]+)\.([^=]+)=(.*)$/s.exec(text);
  if (match === null) return undefined;
  return { type: match[1] ?? '', property: match[2] ?? '', value: match[3] ?? '' };
}

/** What `-machine` may say of interrupt controllers. */
type InterruptControllers = 'dual' | 'xics' | 'xive';

/** A machine argument, resolved. */
export interface MachineArgument {
  readonly type: MachineType;
  readonly capabilities: MachineCapabilities;
  readonly interruptControllers: InterruptControllers | undefined;
  /** Whatever else was set, by name: read by whoever knows the option. */
  readonly others: ReadonlyMap<string, string>;
}

/** `cap-*` options by name: what they set and which values they take (hw/ppc/spapr_caps.c). */
const SWITCH = ['on', 'off'];
const MITIGATION = ['broken', 'workaround', 'fixed'];
const CAPABILITY_OPTIONS: ReadonlyMap<string, readonly [keyof MachineCapabilities, readonly string[]]> =
  new Map([
    ['cap-htm', ['htm', SWITCH]],
    ['cap-vsx', ['vsx', SWITCH]],
    ['cap-dfp', ['dfp', SWITCH]],
    ['cap-cfpc', ['cfpc', MITIGATION]],
    ['cap-sbbc', ['sbbc', MITIGATION]],
    ['cap-ibs', ['ibs', ['broken', 'workaround', 'fixed-ibs', 'fixed-ccd', 'fixed-na']]],
    ['cap-nested-hv', ['nestedHv', SWITCH]],
    ['cap-large-decr', ['largeDecrementer', SWITCH]],
    ['cap-ccf-assist', ['ccfAssist', SWITCH]],
    ['cap-fwnmi', ['fwnmi', SWITCH]],
    ['cap-rpt-invalidate', ['rptInvalidate', SWITCH]],
  ] as const);

/** Options that are taken and change nothing of what this emulator shows. */
const OTHER_OPTIONS: ReadonlySet<string> = new Set([
  'usb',
  'graphics',
  'dump-guest-core',
  'mem-merge',
  'memory-backend',
  'suppress-vmdesc',
  'modern-hotplug-events',
  'resize-hpt',
  'max-cpu-compat',
  'vsmt',
  'vfio-no-msix-emulation',
  'kernel-irqchip',
  'confidential-guest-support',
  'kvm-type',
  'x-vof',
  'host-model',
  'host-serial',
  'cap-hpt-max-page-size',
]);

/** Processors without transactional memory never get it by default: POWER7 and older. */
const HAS_HTM = /^power(8|9|10)/;

/** `-machine pseries-2.6,cap-htm=off`. */
export function parseMachine(text: string): Verdict<MachineArgument> {
  const { head, options } = parseOptions(text);
  const type = machineType(head);
  if (type === undefined) {
    return {
      accepted: false,
      reason: 'unsupported machine type',
      hint: 'Use -machine help to list supported machines',
    };
  }
  const defaults = type.options.capabilities;
  const htm = HAS_HTM.test(type.options.defaultCpu) ? defaults.htm : 'off';
  const capabilities: Record<string, string | number> = { ...defaults, htm };
  const others = new Map<string, string>();
  let interruptControllers: InterruptControllers | undefined;
  for (const [name, value] of options) {
    const capability = CAPABILITY_OPTIONS.get(name);
    if (capability !== undefined) {
      const [key, values] = capability;
      if (!values.includes(value)) return refused(badCapability(name, value, values));
      capabilities[key] = value;
    } else if (name === 'ic-mode') {
      if (value !== 'dual' && value !== 'xics' && value !== 'xive') {
        return refused('Bad value for "ic-mode" property');
      }
      interruptControllers = value;
    } else if (OTHER_OPTIONS.has(name)) others.set(name, value);
    else return refused(`Property '${type.name}-machine.${name}' not found`);
  }
  if (capabilities['htm'] === 'on') {
    return {
      accepted: false,
      reason: 'No Transactional Memory support in TCG',
      hint: 'Try appending -machine cap-htm=off',
    };
  }
  const resolved = capabilities as unknown as MachineCapabilities;
  return {
    accepted: true,
    value: { type, capabilities: resolved, interruptControllers, others },
    warnings: capabilityWarnings(resolved),
  };
}

function badCapability(name: string, value: string, values: readonly string[]): string {
  if (values === SWITCH) return `Parameter '${name}' expects 'on' or 'off'`;
  return `Invalid capability mode "${value}" for ${name}`;
}

/** What TCG cannot do and says so at start. */
function capabilityWarnings(capabilities: MachineCapabilities): string[] {
  const asked: readonly (readonly [string, string])[] = [
    ['cap-cfpc', capabilities.cfpc],
    ['cap-sbbc', capabilities.sbbc],
    ['cap-ibs', capabilities.ibs],
  ];
  const warnings: string[] = [];
  for (const [name, value] of asked) {
    if (value !== 'broken') warnings.push(`TCG doesn't support requested feature, ${name}=${value}`);
  }
  if (capabilities.ccfAssist === 'on')
    warnings.push(`TCG doesn't support requested feature, cap-ccf-assist=on`);
  return warnings;
}

function refused(reason: string): { readonly accepted: false; readonly reason: string } {
  return { accepted: false, reason };
}
