/** The emulator's answers: realize builds or refuses each device, and a scripted guest lives with each that is built. */
import { behaviourKey } from '../emu/guest/systems.ts';
import { admitted, type Fate, type Outcome, type Situation } from '../emu/machine/fate.ts';
import { defaultsOf } from '../emu/machine/policies.ts';
import { construct, notOffered, type Request } from '../emu/machine/prediction.ts';
import type { Facts } from '../emu/machine/rules.ts';
import { predictLife } from '../emu/machine/fate.ts';
import { ConstructionDecider } from './decided-construction.ts';
import type { Answer, Built, Source } from './cell.ts';
import { deviceArgument, live, machineConfig, secureConfig, Stage } from './life.ts';

/** A life's facts, and the words in which QEMU and the guest would report it. */
export interface Evidence {
  readonly facts: Facts;
  /** The guest's last words; empty where it says nothing. */
  readonly message: string;
}

export class DecidedSource implements Source {
  readonly #decider: ConstructionDecider = new ConstructionDecider();
  readonly #built: Map<string, Built> = new Map();
  readonly #lives: Map<string, Evidence> = new Map();
  /** The last stage of each kind of host. */
  readonly #stages: Map<string, { readonly key: string; readonly stage: Stage }> = new Map();

  /** Lives really led so far. */
  get lives(): number {
    return this.#lives.size;
  }

  /** Distinct constructions put to realize so far. */
  get constructions(): number {
    return this.#built.size;
  }

  construct(request: Request): Built {
    const left = notOffered(request);
    if (left !== undefined && !left.built) {
      return { construction: left, key: `offer ${left.reason}`, by: 'rule' };
    }
    const key = constructionKey(request);
    const known = this.#built.get(key);
    if (known !== undefined) return known;
    const decided = this.#decider.decide(request);
    const built: Built =
      decided === undefined
        ? byRule(request)
        : { construction: decided.construction, key: decided.key, by: 'realize' };
    this.#built.set(key, built);
    return built;
  }

  answer(situation: Situation, built: Built): Answer {
    const { construction } = built;
    if (!construction.built || !situation.device.emulated || built.by === 'rule') {
      const by = construction.built ? 'rule' : built.by;
      return { ...predictLife(situation, construction), by };
    }
    return { ...fateOf(situation, this.evidence(situation, built).facts), by: 'run' };
  }

  /** What the guest's life left. The device is built and this emulator has it. */
  evidence(situation: Situation, built: Built): Evidence {
    const secure = situation.secure && situation.guest.traits.secure !== 'never';
    const letIn = admitted(situation);
    const key = `${behaviourKey(situation.guest)} ${secure} ${secure && letIn} ${built.key}`;
    const known = this.#lives.get(key);
    if (known !== undefined) return known;
    const host = secure ? (letIn ? 'admits' : 'refuses') : 'plain';
    const facts = live(this.#stageFor(situation, built, host), situation.guest, { secure });
    const evidence = { facts, message: String(facts['message'] ?? '') };
    this.#lives.set(key, evidence);
    return evidence;
  }

  #stageFor({ version, device }: Situation, { key, construction }: Built, host: Host): Stage {
    const known = this.#stages.get(host);
    if (known?.key === key) return known.stage;
    if (!construction.built) throw new Error('a guest lives only with a device that was built');
    const argument = deviceArgument(device.name, device.backend, construction);
    const config = machineConfig(version, [argument]);
    const stage = new Stage(host === 'plain' ? config : secureConfig(config, host === 'admits'));
    this.#stages.set(host, { key, stage });
    return stage;
  }
}

/** Whether the host has an ultravisor, and then whether it lets guests become secure. */
type Host = 'plain' | 'admits' | 'refuses';

function byRule(request: Request): Built {
  const construction = construct(request);
  const key = construction.built
    ? `${request.version} ${construction.mode} ${construction.iommuPlatform} ${construction.packed}`
    : `${construction.by} ${construction.reason}`;
  return { construction, key: `rule ${key}`, by: 'rule' };
}

/** Policies that set the same defaults ask realize the same thing. */
function constructionKey(request: Request): string {
  const { policy, version, device, slot, properties, globals, capability } = request;
  const rows = defaultsOf(policy, version, capability).map(({ set, optional }) => [set, optional]);
  return JSON.stringify([rows, version, device.name, slot, properties, globals]);
}

function fateOf(situation: Situation, facts: Facts): Fate {
  const outcome = outcomeOf(facts);
  const found = facts['found'] === true;
  const transport = facts['transport'];
  return {
    outcome,
    works: outcome === 'works',
    found,
    transport: transport === 'legacy' || transport === 'modern' ? transport : 'none',
    rule: ruleFor(situation, facts, outcome),
  };
}

function outcomeOf(facts: Facts): Outcome {
  if (facts['vetoed'] === true) return 'vetoed';
  if (facts['works'] === true) return 'works';
  if (facts['found'] !== true) return 'absent';
  return facts['featuresOk'] === true ? 'stuck' : 'declined';
}

/** The rule that explains an outcome: for people, no part of the verdict. */
function ruleFor({ guest }: Situation, facts: Facts, outcome: Outcome): string {
  if (outcome === 'vetoed') return 'R15';
  if (outcome === 'declined') return 'R19';
  if (outcome === 'absent') return 'R18';
  if (outcome === 'stuck') return facts['flagged'] === true ? 'R35' : 'R34';
  if (facts['entered'] === true) return 'R34';
  if (guest.traits.acksPlatform) return 'R20';
  return guest.traits.transports.includes('modern') ? 'R19' : 'R18';
}
