/**
 * A case as one CBOR item: what a recording carries of it, and what its content address is taken of. Arrays by
 * position throughout; a step is its number in STEP_NAMES, its arguments, and the one-line
 * notation of what it carries.
 */
import { createHash } from 'node:crypto';
import { BEHAVIOURS } from '../emu/virtio/behaviour.ts';
import { decodeItem, encodeItem, scanItem, whole, type Item } from '../trace/codec.ts';
import { CASE_VERSION, MODES, type Case, type Step } from './case.ts';
import { chain, chainText, ring, ringText } from './notation.ts';
import { STEP_NAMES, stepRow } from './steps.ts';

export function encodeCase(value: Case): Uint8Array {
  const machine = value.machine;
  return encodeItem([
    CASE_VERSION,
    value.scenario,
    [
      machine.machine,
      machine.device,
      MODES.indexOf(machine.mode),
      machine.iommuPlatform,
      machine.profile,
      machine.seed,
      ...(machine.behaviour === undefined ? [] : [machine.behaviour]),
    ],
    value.steps.map((one) => stepItem(one)),
  ]);
}

/** Reads what `encodeCase` wrote; throws one sentence for anything else. */
export function decodeCase(bytes: Uint8Array): Case {
  if (scanItem(bytes, 0) !== bytes.length)
    throw new Error('no case: the CBOR item does not end where it should');
  const [version, scenario, machine, steps] = list(decodeItem(bytes), 4);
  if (version !== CASE_VERSION) {
    throw new Error(`case version ${String(version)} is not ${CASE_VERSION}, the one this papyrus reads`);
  }
  const [type, device, mode, iommuPlatform, profile, seed, behaviour] = list(machine);
  return {
    scenario: text(scenario),
    machine: {
      machine: text(type),
      device: text(device),
      mode: MODES[integer(mode)] ?? refuse('mode'),
      iommuPlatform: iommuPlatform === true,
      profile: text(profile),
      seed: text(seed),
      ...(behaviour === undefined
        ? {}
        : { behaviour: BEHAVIOURS.find((name) => name === behaviour) ?? refuse('behaviour') }),
    },
    steps: list(steps).map((one) => stepOf(one)),
  };
}

/** Sixteen hexadecimal digits that name the case by its content. */
export function caseAddress(value: Case): string {
  return createHash('sha256').update(encodeCase(value)).digest('hex').slice(0, 16);
}

function stepItem(value: Step): Item {
  const args = value.args.map((argument) => whole(argument));
  if (value.chain !== undefined) return [STEP_NAMES.indexOf(value.name), args, chainText(value.chain)];
  if (value.ring !== undefined) return [STEP_NAMES.indexOf(value.name), args, ringText(value.ring)];
  return [STEP_NAMES.indexOf(value.name), args, null];
}

function stepOf(item: Item | undefined): Step {
  const [number, args, carried] = list(item, 3);
  const name = STEP_NAMES[integer(number)] ?? refuse('step');
  const row = stepRow(name);
  const given = list(args).map((argument) => integer(argument));
  row.args.forEach((argument, index) => {
    const value = given[index] ?? argument.plain;
    if (value < argument.least || value > argument.most) refuse(`${name} ${argument.name}`);
  });
  return {
    name,
    args: row.args.map((argument, index) => given[index] ?? argument.plain),
    chain: row.carries === 'chain' ? chain(String(carried)) : undefined,
    ring: row.carries === 'ring' ? ring(String(carried)) : undefined,
  };
}

function list(item: Item | undefined, length?: number): readonly Item[] {
  if (!Array.isArray(item) || (length !== undefined && item.length !== length)) return refuse('list');
  return item as readonly Item[];
}

function integer(item: Item | undefined): number {
  const value = typeof item === 'bigint' ? Number(item) : item;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : refuse('number');
}

function text(item: Item | undefined): string {
  return typeof item === 'string' && /^[\w.,=-]*$/.test(item) ? item : refuse('text');
}

function refuse(what: string): never {
  throw new Error(`no case: it holds no valid ${what} where one should stand`);
}
