import { guestSystem, GUEST_SYSTEMS } from '../emu/guest/systems.ts';
import {
  platformOf,
  versionIndex,
  type DeviceProperties,
  type Policy,
  type SlotKind,
} from '../emu/machine/policies.ts';
import { ruleById, RULES, type Facts, type Rule } from '../emu/machine/rules.ts';
import { deviceModel } from '../emu/machine/virtio-models.ts';
import { blocker, hardwareTies } from '../emu/machine/capabilities.ts';
import { admitted, type Situation } from '../emu/machine/fate.ts';
import { DecidedSource } from '../matrix/decided.ts';
import { COUNTER_POLICIES } from '../matrix/counter-policies.ts';
import { deviceArgument, live, machineConfig, secureConfig, Stage } from '../matrix/life.ts';
import { makeHeader } from '../trace/format.ts';
import { FileSink, Recorder } from '../trace/recorder.ts';
import { SECURE_LIVES } from '../matrix/secure-lives.ts';
import { tierOf } from '../matrix/tiers.ts';
import { explainClause } from './clauses.ts';
import { EXIT, UsageError, type ExplainOptions } from './options.ts';
import { policyMeant } from './policy-file.ts';
import { styled } from './status-line.ts';

/** Explains a rule (`R18`), a clause (`STAT-DRV-002`) or a cell (`proposal pseries-5.0 virtio-blk-pci rhel-6`). */
export async function explain({ what, json, output }: ExplainOptions): Promise<number> {
  const [first = ''] = what;
  const rule = what.length === 1 ? ruleById(first) : undefined;
  if (rule !== undefined) {
    process.stdout.write(json ? `${JSON.stringify(ruleDocument(rule))}\n` : ruleText(rule));
    return EXIT.fine;
  }
  const clause = what.length === 1 ? explainClause(first, json) : undefined;
  if (clause !== undefined) {
    process.stdout.write(clause);
    return EXIT.fine;
  }
  if (what.length === 1) {
    const ids = `R1 … R${RULES.length}`;
    throw new UsageError(
      `${first} is no rule (${ids}) and no clause (papyrus clauses lists them); a cell is written policy machine device guest, as in: upstream pseries-5.0 virtio-blk-pci rhel-6`,
    );
  }
  const situation = await cellMeant(what);
  const found = answered(situation);
  if (output !== undefined) recordCell(situation, output);
  process.stdout.write(json ? `${JSON.stringify(found)}\n` : cellText(situation, found));
  return EXIT.fine;
}

function testOf(rule: Rule): string {
  return `npm run ava -- src/matrix/rules.test.ts --match '${rule.id}: *'`;
}

/** Recordings that show the rule at work. */
function recordingsOf(rule: Rule): readonly string[] {
  const lives = SECURE_LIVES.filter((life) => life.rule === rule.id);
  return lives.map(({ name }) => `papyrus inspect recordings/${name}.rec.cbor`);
}

function ruleDocument(rule: Rule): object {
  const { id, area, statement, reason, source, experiment } = rule;
  const counter = COUNTER_POLICIES.find((row) => row.rule === id)?.statement;
  return {
    id,
    area,
    statement,
    reason,
    source,
    experiment,
    counterPolicy: counter,
    test: testOf(rule),
    recordings: recordingsOf(rule),
  };
}

function ruleText(rule: Rule): string {
  const counter = COUNTER_POLICIES.find((row) => row.rule === rule.id)?.statement ?? '';
  return [
    styled('bold', `${rule.id}: ${rule.statement}`),
    `  because ${rule.reason}`,
    `  source  ${rule.source}`,
    `  found by the experiment “${rule.experiment}”; its test must fail in a world where ${counter}`,
    `  shown by  ${testOf(rule)}`,
    ...recordingsOf(rule).map((command) => `            ${command}`),
    '',
  ].join('\n');
}

const SLOTS: readonly SlotKind[] = ['host-bridge', 'pci-bridge', 'root-port'];

/** Words in any order after the policy: machine, device with its properties, guest, slot, `secure`, `capability`. */
async function cellMeant(words: readonly string[]): Promise<Situation> {
  const [named = '', ...rest] = words;
  const policy = await policyMeant(named);
  const { prefix } = platformOf(policy);
  const draft: {
    version?: string;
    device?: string;
    guest?: string;
    slot: SlotKind;
    secure: boolean;
    capability: boolean;
  } = {
    slot: 'host-bridge',
    secure: false,
    capability: false,
  };
  for (const word of rest) {
    const version = word.startsWith(prefix) ? word.slice(prefix.length) : word;
    if (word === 'secure') draft.secure = true;
    else if (word === 'capability') draft.capability = true;
    else if (SLOTS.includes(word as SlotKind)) draft.slot = word as SlotKind;
    else if (versionIndex(version) >= 0) draft.version = version;
    else if (deviceModel(word.split(',')[0] ?? '') !== undefined) draft.device = word;
    else if (guestSystem(word) !== undefined) draft.guest = word;
    else
      throw new UsageError(
        `${word} is no machine, device, guest or slot; guests: ${GUEST_SYSTEMS.map(({ name }) => name).join(', ')}`,
      );
  }
  return situationFrom(policy, draft);
}

function situationFrom(
  policy: Policy,
  draft: {
    readonly version?: string;
    readonly device?: string;
    readonly guest?: string;
    readonly slot: SlotKind;
    readonly secure: boolean;
    readonly capability: boolean;
  },
): Situation {
  const guest = guestSystem(draft.guest ?? '');
  if (guest === undefined) throw new UsageError('a cell needs a guest, such as rhel-6');
  const [name = '', ...options] = (draft.device ?? 'virtio-blk-pci').split(',');
  const device = deviceModel(name);
  if (device === undefined) throw new UsageError(`there is no device model ${name}`);
  return {
    policy,
    version: draft.version ?? '7.2',
    device,
    slot: draft.slot,
    properties: propertiesFrom(options),
    globals: {},
    capability: draft.capability,
    guest,
    secure: draft.secure,
  };
}

function propertiesFrom(options: readonly string[]): DeviceProperties {
  let properties: DeviceProperties = {};
  for (const option of options) {
    const [name = '', value = ''] = option.split('=');
    const on = value === 'on';
    if (!['on', 'off', 'auto'].includes(value))
      throw new UsageError(`${option}: on, off or (for disable-legacy) auto is wanted`);
    if (name === 'disable-legacy')
      properties = { ...properties, disableLegacy: value as 'on' | 'off' | 'auto' };
    else if (name === 'disable-modern') properties = { ...properties, disableModern: on };
    else if (name === 'iommu_platform') properties = { ...properties, iommuPlatform: on };
    else if (name === 'packed') properties = { ...properties, packed: on };
    else
      throw new UsageError(
        `${name} is not a property of the matrix: disable-legacy, disable-modern, iommu_platform, packed`,
      );
  }
  return properties;
}

/** Writes the whole life of the cell's guest as a recording that replays by its inputs. */
function recordCell(situation: Situation, file: string): void {
  const { construction, by } = new DecidedSource().construct(situation);
  if (!construction.built || by === 'rule' || !situation.device.emulated) {
    throw new UsageError('there is no life to record: the device of this cell is not built');
  }
  const { device, version, guest, secure } = situation;
  const plain = machineConfig(version, [deviceArgument(device.name, device.backend, construction)]);
  const config = secure && guest.traits.secure !== 'never' ? secureConfig(plain, admitted(situation)) : plain;
  const stage = new Stage(config);
  // No guest runs again on replay, so what it stored into RAM is recorded too.
  const recorder = new Recorder(makeHeader(config, undefined, true), new FileSink(file), stage.machine);
  try {
    live(stage, guest, { secure, watch: recorder });
    recorder.finish(stage.machine.digest());
  } catch (error) {
    recorder.discard();
    throw error;
  }
}

interface Explained {
  readonly outcome: string;
  readonly by: string;
  readonly device: string;
  readonly rule: object | null;
  readonly facts: Facts | null;
  readonly tier: string;
  readonly settings: string;
  readonly tried: number;
  /** What of the host its machine depends on. */
  readonly ties: ReturnType<typeof hardwareTies>;
  /** Why it cannot be migrated. */
  readonly blocker: string | null;
}

function answered(situation: Situation): Explained {
  const source = new DecidedSource();
  const built = source.construct(situation);
  const answer = source.answer(situation, built);
  const { construction } = built;
  const rule = ruleById(construction.built ? answer.rule : construction.rule);
  const tier = tierOf(situation, source);
  const ran = construction.built && answer.by === 'run';
  return {
    outcome: answer.outcome,
    by: answer.by,
    device: construction.built
      ? `${construction.mode}${construction.iommuPlatform ? ', iommu_platform' : ''}`
      : construction.reason,
    rule: rule === undefined ? null : ruleDocument(rule),
    facts: ran ? source.evidence(situation, built).facts : null,
    tier: tier.tier,
    settings: tier.witness?.options ?? '',
    tried: tier.tried,
    ties:
      platformOf(situation.policy).name === 'pseries'
        ? hardwareTies(situation.policy, situation.version)
        : [],
    blocker: blocker(situation.policy, situation.capability) ?? null,
  };
}

const DECIDED_BY: Readonly<Record<string, string>> = {
  run: 'the guest was run on the emulated machine',
  realize: 'the emulated machine was asked for the device',
  rule: 'by the rules alone: this emulator has no such device or slot',
};

function cellText(situation: Situation, found: Explained): string {
  const { policy, version, device, guest } = situation;
  const where = `${guest.title} with ${device.name} on ${platformOf(policy).prefix}${version} under ${policy.name}`;
  const lines = [
    styled('bold', where),
    `  outcome  ${found.outcome} (${DECIDED_BY[found.by] ?? found.by})`,
    `  device   ${found.device}`,
  ];
  if (found.facts !== null) {
    const told = Object.entries(found.facts).map(([name, value]) => `${name}=${String(value)}`);
    lines.push(`  facts    ${told.join(' ')}`);
  }
  const rule = found.rule as {
    readonly id: string;
    readonly statement: string;
    readonly reason: string;
    readonly source: string;
  } | null;
  if (rule !== null) {
    lines.push(
      `  ${rule.id.padEnd(8)} ${rule.statement}`,
      `  because  ${rule.reason}`,
      `  source   ${rule.source}`,
    );
  }
  const settings =
    found.tier === 'Unsupported' ? `all ${found.tried} assignments of settings were tried` : found.settings;
  lines.push(`  tier     ${found.tier}${settings === '' ? '' : `: ${settings}`}`);
  const ties = found.ties.map(
    ({ what, needs, byDefault }) => `${what} (${needs}${byDefault ? '' : '; opt-in'})`,
  );
  if (ties.length > 0) lines.push(`  host     its machine asks for ${ties.join(', ')}`);
  if (found.blocker !== null) lines.push(`  moving   ${found.blocker}`);
  lines.push('');
  return lines.join('\n');
}
