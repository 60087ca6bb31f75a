/**
 * A case as a file that a person reads, edits and runs again:
 *
 *     papyrus case 1
 *     scenario hostile-rings
 *     machine pseries-7.2 device=blk mode=modern iommu_platform=on profile=modern seed=7
 *     submit head=9: r16 w512 w1
 *     idle
 *
 * A line that starts with # is a comment. Arguments that are not written have their plain value.
 */
import { BEHAVIOURS, type BehaviourName } from '../emu/virtio/behaviour.ts';
import { CASE_VERSION, MODES, type Case, type CaseMachine, type Mode, type Step } from './case.ts';
import { STEP_ROWS, type StepArgument, type StepName, type StepRow } from './steps.ts';
import { chain, chainText, ring, ringText } from './notation.ts';

/** A text is refused beyond this, before anything is made of it. */
const TEXT_BYTES_MAX = 1 << 20;
const STEPS_MAX = 4096;
const HEAD = 'papyrus case ';

export function caseText(value: Case): string {
  const machine = value.machine;
  return [
    `${HEAD}${CASE_VERSION}`,
    `scenario ${value.scenario}`,
    `machine ${machine.machine} device=${machine.device} mode=${machine.mode} ` +
      `iommu_platform=${machine.iommuPlatform ? 'on' : 'off'} profile=${machine.profile} seed=${machine.seed}` +
      (machine.behaviour === undefined ? '' : ` behaviour=${machine.behaviour}`),
    ...value.steps.map((one) => stepText(one)),
    '',
  ].join('\n');
}

export function stepText(value: Step): string {
  const row = STEP_ROWS.get(value.name);
  const words: string[] = [value.name];
  row?.args.forEach((argument, index) => {
    const given = value.args[index] ?? argument.plain;
    if (given !== argument.plain) words.push(`${argument.name}=${argumentText(argument, given)}`);
  });
  if (value.chain !== undefined) return `${words.join(' ')}: ${chainText(value.chain)}`.trimEnd();
  if (value.ring !== undefined) return `${words.join(' ')}: ${ringText(value.ring)}`;
  return words.join(' ');
}

/** Reads what `caseText` writes; throws one sentence that names the line. */
export function parseCase(text: string): Case {
  if (text.length > TEXT_BYTES_MAX) throw new Error('a case file holds at most 1 MiB');
  const lines = text.split('\n').map((line) => line.trim());
  if (!lines[0]?.startsWith(HEAD)) throw new Error(`no case: the first line is not '${HEAD}${CASE_VERSION}'`);
  const version = lines[0].slice(HEAD.length);
  if (version !== String(CASE_VERSION)) {
    throw new Error(`case version ${version} is not ${CASE_VERSION}, the one this papyrus reads`);
  }
  const body = lines
    .map((line, index) => ({ line, number: index + 1 }))
    .slice(1)
    .filter(({ line }) => line !== '' && !line.startsWith('#'));
  const [scenario, machine, ...steps] = body;
  const [, name] = /^scenario ([a-z0-9-]+)$/.exec(scenario?.line ?? '') ?? [];
  if (name === undefined) throw new Error("no case: the second line is not 'scenario NAME'");
  if (steps.length > STEPS_MAX) throw new Error(`a case holds at most ${STEPS_MAX} steps`);
  return {
    scenario: name,
    machine: parseMachine(machine?.line ?? ''),
    steps: steps.map(({ line, number }) => {
      try {
        return parseStep(line);
      } catch (error) {
        throw new Error(`line ${number}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }),
  };
}

export function parseStep(line: string): Step {
  const colon = line.indexOf(':');
  const head = colon === -1 ? line : line.slice(0, colon);
  const carried = colon === -1 ? undefined : line.slice(colon + 1);
  const [name = '', ...words] = head.split(/\s+/).filter((word) => word !== '');
  const row = STEP_ROWS.get(name);
  if (row === undefined)
    throw new Error(`'${name}' is no step: choose from ${[...STEP_ROWS.keys()].join(', ')}`);
  if ((row.carries === undefined) !== (carried === undefined)) {
    throw new Error(
      `${name} ${row.carries === undefined ? 'takes nothing' : `wants a ${row.carries}`} behind a colon`,
    );
  }
  const args = row.args.map((argument) => argument.plain);
  for (const word of words) readArgument(row, args, word);
  return {
    name: name as StepName,
    args,
    chain: row.carries === 'chain' ? chain(carried ?? '') : undefined,
    ring: row.carries === 'ring' ? ring(carried ?? '') : undefined,
  };
}

function readArgument(row: StepRow, args: number[], word: string): void {
  const [, key, text] = /^([a-zA-Z]+)=(.+)$/.exec(word) ?? [];
  const index = row.args.findIndex((argument) => argument.name === key);
  const argument = row.args[index];
  if (argument === undefined || text === undefined) {
    throw new Error(
      `${row.name} does not take '${word}': it takes ${row.args.map((one) => one.name).join(', ') || 'nothing'}`,
    );
  }
  const named = argument.words?.indexOf(text) ?? -1;
  const value =
    named === -1 ? (argument.words === undefined ? Number(text) : Number.NaN) : argument.least + named;
  if (!Number.isSafeInteger(value) || value < argument.least || value > argument.most) {
    const choice = argument.words?.join(', ') ?? `a whole number from ${argument.least} to ${argument.most}`;
    throw new Error(`${row.name} ${argument.name}=${text}: wanted ${choice}`);
  }
  args[index] = value;
}

function argumentText(argument: StepArgument, value: number): string {
  return (
    argument.words?.[value - argument.least] ?? (value > 0xfff ? `0x${value.toString(16)}` : String(value))
  );
}

function parseMachine(line: string): CaseMachine {
  const [word, machine, ...settings] = line.split(/\s+/);
  const map = new Map(
    settings.map((setting) => [setting.split('=')[0] ?? '', setting.slice(setting.indexOf('=') + 1)]),
  );
  const wanted = ['device', 'mode', 'iommu_platform', 'profile', 'seed'];
  if (
    word !== 'machine' ||
    machine === undefined ||
    wanted.some((key) => !map.has(key)) ||
    map.size !== wanted.length + (map.has('behaviour') ? 1 : 0)
  ) {
    throw new Error(`the third line is not 'machine pseries-X ${wanted.map((key) => `${key}=…`).join(' ')}'`);
  }
  const mode = map.get('mode') ?? '';
  if (!(MODES as readonly string[]).includes(mode))
    throw new Error(`mode=${mode}: wanted ${MODES.join(', ')}`);
  const platform = map.get('iommu_platform');
  if (platform !== 'on' && platform !== 'off')
    throw new Error(`iommu_platform=${platform ?? ''}: wanted on or off`);
  return {
    machine,
    device: map.get('device') ?? '',
    mode: mode as Mode,
    iommuPlatform: platform === 'on',
    profile: map.get('profile') ?? '',
    seed: map.get('seed') ?? '',
    ...behaviourSetting(map.get('behaviour')),
  };
}

function behaviourSetting(text: string | undefined): { readonly behaviour?: BehaviourName } {
  if (text === undefined) return {};
  const behaviour = BEHAVIOURS.find((name) => name === text);
  if (behaviour === undefined) throw new Error(`behaviour=${text}: wanted ${BEHAVIOURS.join(' or ')}`);
  return { behaviour };
}
