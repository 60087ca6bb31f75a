import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { catalogue } from '../clauses/catalogue.ts';
import type { Candidate } from '../fuzz/block.ts';
import { Campaign, type CampaignResult, type CampaignState } from '../fuzz/campaign.ts';
import { parseCase } from '../fuzz/case-text.ts';
import { keepCase, readCases, readCorpus, writeWhole, type StoredCase } from '../fuzz/corpus.ts';
import { machineFactory } from '../fuzz/factory.ts';
import { FEATURES_MAX } from '../fuzz/features.ts';
import { storeFinding, type StoredFinding } from '../fuzz/finding.ts';
import type { Breach } from '../fuzz/judge.ts';
import { checkDisallowed, knownBreach } from '../fuzz/known.ts';
import { minimise } from '../fuzz/minimise.ts';
import { BLOCK_CASES, Drawer, drawSeed, type Plan } from '../fuzz/plan.ts';
import { plantsOf } from '../fuzz/plants/index.ts';
import { Runner, type MachineFactory } from '../fuzz/runner.ts';
import { reportJunit, reportSarif, type ReportedFinding } from '../fuzz/report.ts';
import { EXIT, UsageError, type FuzzOptions } from './options.ts';
import { StatusLine } from './status-line.ts';

const TIME_MS = 30_000;
/** Clauses that have a checker. */
const CHECKED = catalogue().filter(({ checker }) => checker !== undefined).length;
const CORPUS = 'corpora';
const CANARY = 'canary';
/** Findings that are made small; a campaign with more has something else to tell. */
const MINIMISED_MAX = 20;
/** Cases that one campaign adds to the stored corpus at most. */
const KEPT_MAX = 64;
const STATE_FILE = 'campaign.json';

/** What an interrupted campaign leaves behind to go on from. */
interface Interrupted {
  readonly plan: Plan;
  readonly next: number;
}

/** What was run before the campaign: stored findings and the corpus. */
interface Repeated {
  readonly cases: number;
  /** Stored findings that still break something, and corpus cases that newly do. */
  readonly broken: readonly ReportedFinding[];
}

/** `papyrus fuzz`: stored findings, the corpus, then the campaign. Status 1 if anything broke. */
export async function fuzz(options: FuzzOptions): Promise<number> {
  const talk = new Talk(options.json);
  const { plan, from } = planOf(options);
  // Everything that can be wrong with the flags is wrong before the first case runs and before anything is written.
  new Drawer(plan).draw(0);
  checkDisallowed(options.disallow);
  plantsOf(plan.plants);
  const corpus = storedCorpus(options.corpus);
  const findings = readCases(options.findings);
  const factory = machineFactory(plan.plants);

  talk.say(
    `seed ${plan.seed}: ${plan.scenarios.length === 0 ? 'default scenarios' : plan.scenarios.join(', ')}`,
  );
  const repeated = repeat(findings, corpus, factory, options, talk);
  if (options.regressions) return conclude(options, talk, plan, from, repeated, undefined, []);
  const result = await campaignOf(plan, from, options, talk);
  const stored = storeAll(plan, result, factory, options, talk);
  if (plan.plants.length === 0) growCorpus(result, corpus, options.corpus, factory);
  return conclude(options, talk, plan, from, repeated, result, stored);
}

function planOf(options: FuzzOptions): { readonly plan: Plan; readonly from: number } {
  if (options.resume) return resumed(options);
  const plan: Plan = {
    seed: options.seed ?? drawSeed(Math.random),
    scenarios: options.scenario,
    filter: {
      machines: options.machine,
      modes: options.mode,
      iommuPlatform: options.iommuPlatform.map((word) => word === 'on'),
      ...(options.behaviour === undefined ? {} : { behaviour: options.behaviour }),
    },
    plants: options.plant,
    ...(options.clauses === undefined ? {} : { clausesEvery: options.clauses }),
  };
  return { plan, from: 0 };
}

function resumed(options: FuzzOptions): { readonly plan: Plan; readonly from: number } {
  const path = join(options.findings, STATE_FILE);
  if (!existsSync(path))
    throw new UsageError(`there is no interrupted campaign to resume: ${path} does not exist`);
  try {
    const { plan, next } = JSON.parse(readFileSync(path, 'utf8')) as Interrupted;
    if (typeof plan.seed !== 'string' || !Number.isSafeInteger(next)) throw new Error('fields are missing');
    return { plan, from: next };
  } catch (error) {
    throw new UsageError(`${path} does not describe an interrupted campaign; remove it and start anew`, {
      cause: error,
    });
  }
}

/** The default corpus may be missing; one that was named may not. */
function storedCorpus(folder: string): readonly StoredCase[] {
  return folder === CORPUS && !existsSync(folder) ? [] : readCorpus(folder);
}

function repeat(
  findings: readonly StoredCase[],
  corpus: readonly StoredCase[],
  factory: MachineFactory,
  options: FuzzOptions,
  talk: Talk,
): Repeated {
  const runner = new Runner(factory);
  const broken: ReportedFinding[] = [];
  let done = 0;
  const count = findings.length + corpus.length;
  for (const one of findings) {
    talk.repeating(done++, count);
    const { breach } = runner.runTwice(one.value, { clauses: true });
    if (breach === undefined) talk.say(`${one.path} breaks nothing any more; remove it`);
    else if (knownBreach(breach, options.disallow) === undefined) {
      broken.push({ name: one.path, ...breach, command: `papyrus minimise ${one.path}` });
    }
  }
  for (const one of corpus) {
    talk.repeating(done++, count);
    const { breach } = runner.run(one.value, { clauses: true });
    const mustBreak = one.value.scenario === CANARY;
    if (mustBreak && breach === undefined) {
      const reason = 'a case of the canary passed, so the harness judges nothing';
      broken.push({ name: one.path, oracle: CANARY, reason, command: `papyrus minimise ${one.path}` });
    } else if (!mustBreak && breach !== undefined && knownBreach(breach, options.disallow) === undefined) {
      broken.push({ name: one.path, ...breach, command: `papyrus minimise ${one.path}` });
    }
  }
  for (const one of broken) talk.finding(one);
  return { cases: findings.length + corpus.length, broken };
}

async function campaignOf(
  plan: Plan,
  from: number,
  options: FuzzOptions,
  talk: Talk,
): Promise<CampaignResult> {
  const milliseconds = options.time ?? (options.runs === undefined ? TIME_MS : undefined);
  const campaign = new Campaign(
    plan,
    { milliseconds, runs: options.runs, from },
    options.jobs ?? availableParallelism(),
  );
  let interrupted = false;
  const interrupt = (): void => {
    // A second one ends the process at once, as everywhere.
    if (interrupted) process.exit(130);
    interrupted = true;
    campaign.stop();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    const result = await campaign.run((state) => talk.status(state));
    const path = join(options.findings, STATE_FILE);
    if (interrupted && plan.plants.length === 0) {
      writeWhole(path, `${JSON.stringify({ plan, next: result.next })}\n`);
      talk.say(
        `interrupted after ${result.cases} cases; papyrus fuzz --resume goes on${findingsFlag(options)}`,
      );
    } else if (options.resume) rmSync(path, { force: true });
    return result;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    talk.clear();
  }
}

function findingsFlag(options: FuzzOptions): string {
  return options.findings === 'findings' ? '' : ` with --findings ${options.findings}`;
}

/** Makes what was found small, stores it unless it was planted, and says so. */
function storeAll(
  plan: Plan,
  result: CampaignResult,
  factory: MachineFactory,
  options: FuzzOptions,
  talk: Talk,
): ReportedFinding[] {
  const runner = new Runner(factory);
  const reported: ReportedFinding[] = [];
  for (const found of result.found) {
    if (knownBreach(found, options.disallow) !== undefined) continue;
    const again = `papyrus fuzz ${flagsOf(plan)} --runs ${found.index + 1}`;
    const value = parseCase(found.text);
    const small =
      reported.length < MINIMISED_MAX ? minimise(runner, value, found) : { value, breach: found as Breach };
    const command = again;
    const finding =
      plan.plants.length > 0 || value.scenario === CANARY
        ? { name: `case ${found.index}`, ...small.breach, command }
        : reportOf(storeFinding(options.findings, small.value, small.breach, again, factory));
    reported.push(finding);
    talk.finding(finding);
  }
  return reported;
}

function reportOf(stored: StoredFinding): ReportedFinding {
  return { name: stored.name, ...stored.breach, command: stored.command };
}

function flagsOf(plan: Plan): string {
  const { filter } = plan;
  const list = (flag: string, words: readonly string[] | undefined): string[] =>
    words === undefined || words.length === 0 ? [] : [`--${flag} ${words.join(',')}`];
  return [
    `--seed ${plan.seed}`,
    ...list('scenario', plan.scenarios),
    ...list('machine', filter.machines),
    ...list('mode', filter.modes),
    ...list(
      'iommu-platform',
      filter.iommuPlatform?.map((on) => (on ? 'on' : 'off')),
    ),
    ...list('behaviour', filter.behaviour === undefined ? [] : [filter.behaviour]),
    ...list('clauses', plan.clausesEvery === undefined ? [] : [`${plan.clausesEvery}`]),
    ...list('plant', plan.plants),
  ].join(' ');
}

/** Keeps the cases that reach what the stored corpus does not. */
function growCorpus(
  result: CampaignResult,
  corpus: readonly StoredCase[],
  folder: string,
  factory: MachineFactory,
): void {
  const runner = new Runner(factory);
  const met = new Uint8Array(FEATURES_MAX);
  const meet = (): void => {
    const { touched, count } = runner.judge.features;
    for (let i = 0; i < count; i++) met[touched[i] ?? 0] = 1;
  };
  for (const one of corpus) {
    runner.run(one.value);
    meet();
  }
  let kept = 0;
  for (const candidate of spread(result.kept)) {
    if (kept === KEPT_MAX) return;
    if (!candidate.features.some((feature) => met[feature] === 0)) continue;
    const value = parseCase(candidate.text);
    if (value.scenario === CANARY || runner.run(value).breach !== undefined) continue;
    meet();
    if (keepCase(folder, value)) kept++;
  }
}

/** The richest case of every block, then the second of each, and so on: blocks differ in machine and scenario. */
function spread(kept: CampaignResult['kept']): CampaignResult['kept'] {
  const blocks = new Map<number, Candidate[]>();
  for (const candidate of kept) {
    const block = Math.floor(candidate.index / BLOCK_CASES);
    const list = blocks.get(block) ?? [];
    list.push(candidate);
    blocks.set(block, list);
  }
  const ranked = [...blocks.values()].map((list) =>
    list.toSorted((a, b) => b.features.length - a.features.length || a.index - b.index),
  );
  const turns = Math.max(0, ...ranked.map((list) => list.length));
  return Array.from({ length: turns }, (_, turn) => ranked.flatMap((list) => list[turn] ?? [])).flat();
}

function conclude(
  options: FuzzOptions,
  talk: Talk,
  plan: Plan,
  from: number,
  repeated: Repeated,
  result: CampaignResult | undefined,
  found: readonly ReportedFinding[],
): number {
  const jobs = options.jobs ?? availableParallelism();
  const all = [...repeated.broken, ...found];
  if (options.junit !== undefined)
    writeWhole(options.junit, reportJunit(all, repeated.cases + (result?.cases ?? 0)));
  if (options.sarif !== undefined) writeWhole(options.sarif, reportSarif(all));
  const known = (result?.found.length ?? 0) - found.length;
  talk.summary({
    type: 'summary',
    seed: plan.seed,
    cases: result?.cases ?? 0,
    repeated: repeated.cases,
    seconds: Math.round((result?.seconds ?? 0) * 1000) / 1000,
    jobs,
    findings: found.length,
    broken: repeated.broken.length,
    known: Math.max(0, known),
    features: result?.features ?? 0,
    corpus: result?.corpus ?? 0,
    requests: result?.requests ?? 0,
    events: result?.events ?? 0,
    clauses: result?.clauses.length ?? 0,
    clausesBroken: result?.clauses.filter((met) => met.broken > 0).length ?? 0,
    clausesChecked: CHECKED,
    digest: result?.digest ?? '',
    again: `papyrus fuzz ${flagsOf(plan)} --runs ${from + (result?.cases ?? 0)}`,
  });
  if (result?.stuck !== undefined) {
    throw new UsageError(
      `case ${result.stuck} does not end, so the campaign was stopped; papyrus record ${plan.scenarios[0] ?? 'whole-life'}:${plan.seed} shows how far it gets`,
    );
  }
  return all.length === 0 ? EXIT.fine : EXIT.wrong;
}

interface Summary {
  readonly type: 'summary';
  readonly seed: string;
  readonly cases: number;
  readonly repeated: number;
  readonly seconds: number;
  readonly jobs: number;
  readonly findings: number;
  readonly broken: number;
  readonly known: number;
  readonly features: number;
  readonly corpus: number;
  readonly requests: number;
  readonly events: number;
  /** Clauses that applied in a case that was judged, those of them that somebody broke, and all that have a checker. */
  readonly clauses: number;
  readonly clausesBroken: number;
  readonly clausesChecked: number;
  readonly digest: string;
  readonly again: string;
}

/** Says what happens: text for people, JSON lines for programs. */
class Talk {
  readonly #json: boolean;
  readonly #line: StatusLine = new StatusLine();
  readonly #started: number = performance.now();
  #newCount = 0;
  #newAt: number = performance.now();

  constructor(json: boolean) {
    this.#json = json;
  }

  say(text: string): void {
    this.#line.say(text);
  }

  clear(): void {
    this.#line.clear();
  }

  repeating(done: number, count: number): void {
    this.#line.show(`${done} of ${count} stored cases repeated`);
  }

  status(state: CampaignState): void {
    const now = performance.now();
    const count = state.features + state.findings;
    if (count !== this.#newCount) this.#newAt = now;
    this.#newCount = count;
    const seconds = (now - this.#started) / 1000;
    this.#line.show(
      `${Math.round(seconds)} s  ${state.cases} cases  ${Math.round(state.cases / seconds)}/s  ${state.features} features  ` +
        `${state.corpus} corpus  ${state.findings} findings  ${Math.round((now - this.#newAt) / 1000)} s since the last new one`,
    );
  }

  finding(finding: ReportedFinding): void {
    this.#line.clear();
    const { name, oracle, reason, command } = finding;
    if (this.#json)
      process.stdout.write(`${JSON.stringify({ type: 'finding', name, oracle, reason, command })}\n`);
    else process.stdout.write(`${oracle}: ${reason} (${name}): ${command}\n`);
  }

  summary(summary: Summary): void {
    this.#line.clear();
    if (this.#json) {
      process.stdout.write(`${JSON.stringify(summary)}\n`);
      return;
    }
    const { cases, seconds, repeated, findings, broken, known, features, corpus, digest, again } = summary;
    const { clauses, clausesBroken, clausesChecked } = summary;
    const rate = seconds === 0 ? 0 : Math.round(cases / seconds);
    process.stdout.write(
      `${repeated} stored cases repeated, ${broken} of them broken\n` +
        `${cases} cases in ${seconds.toFixed(1)} s (${rate}/s), ${features} features, ${corpus} worth keeping, ` +
        `${findings} findings, ${known} known of QEMU\n` +
        `${clauses} of ${clausesChecked} clauses exercised, ${clausesBroken} of them broken by a driver or a device\n` +
        `digest ${digest === '' ? '-' : digest}: ${again}\n`,
    );
  }
}
