// A campaign is one result, whoever works on it: jobs, blocks and interruptions do not show.
import test from 'ava';
import { BlockRunner } from './block.ts';
import { Campaign, type CampaignResult } from './campaign.ts';
import { caseText } from './case-text.ts';
import { machineFactory } from './factory.ts';
import { BLOCK_CASES, Drawer, drawSeed, seedWords, TWICE_EVERY, type Plan } from './plan.ts';
import type { WorkerStart } from './worker.ts';

const PLAN: Plan = { seed: 'jobs', scenarios: ['life', 'canary'], filter: {}, plants: [] };
const RUNS = 3 * BLOCK_CASES + 17;

async function run(jobs: number, runs = RUNS, from = 0): Promise<CampaignResult> {
  return new Campaign(PLAN, { milliseconds: undefined, runs, from }, jobs).run(() => undefined);
}

test('one worker and two give the same cases, corpus, findings and digest', async (t) => {
  const [one, two] = [await run(1), await run(2)];
  t.is(one.cases, RUNS);
  const comparable = (result: CampaignResult): unknown => ({ ...result, seconds: 0 });
  t.deepEqual(comparable(two), comparable(one));
  t.true(one.found.some((finding) => finding.oracle === 'canary'));
  t.true(one.kept.length > 0);
});

test('a campaign that is stopped keeps whole blocks and says where to go on', async (t) => {
  const campaign = new Campaign(PLAN, { milliseconds: undefined, runs: undefined, from: 0 }, 1);
  let ticks = 0;
  const result = await campaign.run((state) => {
    ticks++;
    if (state.cases > 0) campaign.stop();
  });
  t.true(ticks > 0);
  t.is(result.next % BLOCK_CASES, 0);
  t.is(result.cases, result.next);
  const again = await run(1, result.cases);
  t.is(again.digest, result.digest);
});

test('blocks that a campaign resumes with are those it would have come to', async (t) => {
  const rest = await run(1, BLOCK_CASES, 2 * BLOCK_CASES);
  const block = new BlockRunner(PLAN, machineFactory([])).run(2, 3 * BLOCK_CASES);
  t.is(rest.cases, block.cases);
  t.is(rest.events, block.events);
});

test('what a seed means', (t) => {
  // Falsified by any change of the generators, the scenarios or the machine rows: then CHANGELOG has to say so.
  const drawer = new Drawer({ seed: 'frozen', scenarios: [], filter: {}, plants: [] });
  t.snapshot([0, 1, BLOCK_CASES, 1_000_000].map((index) => caseText(drawer.draw(index))));
  t.deepEqual([...seedWords('frozen')], [...seedWords('frozen')]);
  t.notDeepEqual([...seedWords('frozen')], [...seedWords('frozem')]);
  t.true(TWICE_EVERY > 1);
});

test('a plan that leaves nothing is refused', (t) => {
  t.throws(() => new Drawer({ ...PLAN, filter: { modes: ['legacy'], iommuPlatform: [true] } }), {
    message: /no machine is left/,
  });
  t.throws(() => new Drawer({ ...PLAN, scenarios: ['gremlins'] }), {
    message: /no scenario or group is called 'gremlins'/,
  });
});

test('drawn seeds are short words, and workers start from plain data', (t) => {
  let next = 0;
  t.regex(
    drawSeed(() => (next = (next + 0.37) % 1)),
    /^[b-z2-9]{8}$/,
  );
  const start: WorkerStart = { plan: PLAN, progress: new Int32Array(1) };
  t.deepEqual(structuredClone(start).plan, PLAN);
});
