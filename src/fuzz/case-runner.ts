import type { MachineEvent, Tap } from '../emu/core/tap.ts';
import { Machine } from '../emu/machine/machine.ts';
import { liveSecurely, secureLife, secureLifeConfig, type SecureLife } from '../matrix/secure-lives.ts';
import type { CaseRequest, CaseRunner, PreparedCase } from '../trace/case-runner.ts';
import { makeHeader, type Origin, type RecordingHeader } from '../trace/format.ts';
import { decodeCase, encodeCase } from './case-binary.ts';
import type { Case, CaseMachine } from './case.ts';
import { readCase } from './corpus.ts';
import { FUZZ_DEVICES, machineConfig, machineRows, MACHINES, TRAITS } from './machines.ts';
import { Drawer } from './plan.ts';
import { Runner, type FuzzMachine, type MachineFactory } from './runner.ts';
import { SCENARIOS } from './scenarios/index.ts';

/** The kind of origin that recordings of cases carry. */
const ORIGIN_KIND = 'fuzz-case';
/** And of lives of secure guests, which their names say whole. */
const LIFE_KIND = 'secure-life';

export interface FuzzCaseRunner extends CaseRunner {
  /** A case that is at hand already. */
  ready(value: Case): PreparedCase;
}

/** Makes cases into what recorders and replayers run. */
export function caseRunner(factory: MachineFactory): FuzzCaseRunner {
  return {
    ready: (value) => prepared(value, factory),
    find: (request) => {
      const life = secureLife(request.name);
      return life === undefined
        ? prepared(requestedCase(request), factory)
        : preparedLife(life, request.seed ?? '1');
    },
    again: (origin) => {
      const life = origin.kind === LIFE_KIND ? secureLife(origin.name) : undefined;
      if (life !== undefined) return preparedLife(life, origin.seed);
      return origin.kind === ORIGIN_KIND ? prepared(decodeCase(origin.program), factory) : undefined;
    },
  };
}

/** What a recording of `value` begins with. */
export function caseHeader(value: Case): RecordingHeader {
  const origin: Origin = {
    kind: ORIGIN_KIND,
    name: value.scenario,
    seed: value.machine.seed,
    program: encodeCase(value),
  };
  return makeHeader(machineConfig(value.machine), origin);
}

function prepared(value: Case, factory: MachineFactory): PreparedCase {
  return {
    header: caseHeader(value),
    run: (watch) => {
      // Whoever records or compares stands behind the judge and sees every event after it.
      const behind = new TapBehind();
      const machines: FuzzMachine[] = [];
      const runner = new Runner((config) => {
        const verdict = factory(config);
        if (verdict.accepted) machines.push(verdict.value);
        return verdict;
      });
      runner.prepare(value.machine);
      watch({
        digest: () => machines[0]?.digest() ?? '',
        setTap: (tap) => {
          behind.tap = tap;
        },
      });
      return runner.run(value, { alsoTap: behind }).cut ? 'cut' : undefined;
    },
  };
}

/** A life of a secure guest, on a machine of its own. */
export function preparedLife(life: SecureLife, seed: string): PreparedCase {
  const config = secureLifeConfig(life, seed);
  const origin: Origin = { kind: LIFE_KIND, name: life.name, seed, program: new Uint8Array(0) };
  return {
    header: makeHeader(config, origin),
    run: (watch) => {
      const made = Machine.create(config);
      if (!made.accepted) throw new Error(`the machine of ${life.name} was refused: ${made.reason}`);
      watch(made.value);
      liveSecurely(life, made.value);
    },
  };
}

class TapBehind implements Tap {
  tap: Tap | undefined;

  get wantsGuestWrites(): boolean {
    return this.tap?.wantsGuestWrites === true;
  }

  take(event: MachineEvent): void {
    this.tap?.take(event);
  }
}

/** A case file, `SCENARIO:SEED`, or a guest profile with honest requests. Throws one sentence for anything else. */
export function requestedCase(request: CaseRequest): Case {
  const value = caseNamed(request);
  return { ...value, machine: adjusted(value.machine, request) };
}

function caseNamed(request: CaseRequest): Case {
  const [name = '', seed = request.seed ?? '1'] = request.name.split(':');
  if (SCENARIOS.some((scenario) => scenario.name === name)) {
    const filter = {
      ...(request.machine === undefined ? {} : { machines: [request.machine] }),
      ...(request.device === undefined ? {} : { devices: [request.device] }),
      ...(request.guest === undefined ? {} : { profiles: [request.guest] }),
    };
    return new Drawer({ seed, scenarios: [name], filter, plants: [] }).draw(0);
  }
  if (TRAITS.has(name)) return honestCase(name, request);
  return readCase(request.name).value;
}

/** Eight honest requests of a guest on the first machine that suits it. */
function honestCase(profile: string, request: CaseRequest): Case {
  const row = machineRows({ profiles: [profile] })[0];
  if (row === undefined) throw new Error(`no machine suits guest ${profile}`);
  const steps = Array.from({ length: 8 }, (_, i) => ({
    name: 'request' as const,
    args: [(i + 1) % 2, 8 * (i >> 1), 1 + (i >> 1), 0x11 * (1 + (i >> 1))],
    chain: undefined,
    ring: undefined,
  }));
  return { scenario: 'whole-life', machine: { ...row, seed: request.seed ?? '1' }, steps };
}

function adjusted(machine: CaseMachine, request: CaseRequest): CaseMachine {
  const wanted = {
    ...machine,
    machine: request.machine ?? machine.machine,
    device: request.device ?? machine.device,
    profile: request.guest ?? machine.profile,
    ...(request.behaviour === undefined ? {} : { behaviour: request.behaviour }),
  };
  if (!MACHINES.includes(wanted.machine)) {
    throw new Error(`no machine type is called '${wanted.machine}': choose from pseries-2.1 … pseries-7.2`);
  }
  if (!FUZZ_DEVICES.some((row) => row.name === wanted.device)) {
    throw new Error(
      `no device is called '${wanted.device}': choose from ${FUZZ_DEVICES.map((row) => row.name).join(', ')}`,
    );
  }
  if (!TRAITS.has(wanted.profile)) {
    throw new Error(`no guest is called '${wanted.profile}': choose from ${[...TRAITS.keys()].join(', ')}`);
  }
  return wanted;
}
