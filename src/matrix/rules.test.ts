// Every rule against real lives: what it predicts is what the scripted guest achieved on the machine. A case that
// differs falsifies the rule, or the emulator. Then each rule in its counter-world, where it must be seen to fail.
import test from 'ava';
import fc from 'fast-check';
import { prop } from '../_prop.ts';
import { policyArbitrary, situationOfRule } from '../fuzz/arbitraries/situation.ts';
import type { Situation } from '../emu/machine/fate.ts';
import { construct } from '../emu/machine/prediction.ts';
import { ruleById, RULES, type Facts, type Rule } from '../emu/machine/rules.ts';
import { COUNTER_POLICIES } from './counter-policies.ts';
import { Laboratory } from './experiments.ts';

/** The first fact that is not as predicted, in words; undefined if all are. */
function contradiction(rule: Rule, situation: Situation, facts: Facts): string | undefined {
  const expected = rule.expects(situation, construct(situation));
  for (const [name, value] of Object.entries(expected)) {
    if (facts[name] !== value)
      return `${name}: ${rule.id} says ${String(value)}, the run ${String(facts[name])}`;
  }
  return undefined;
}

function described({
  policy,
  version,
  device,
  slot,
  properties,
  globals,
  capability,
  guest,
  secure,
}: Situation): string {
  const words = {
    policy: policy.name,
    version,
    device: device.name,
    slot,
    properties,
    globals,
    capability,
    guest: guest.name,
    secure,
  };
  return JSON.stringify(words);
}

// A tier is a search over hundreds of machines.
const runsOf = (rule: Rule): number => (rule.experiment === 'tier' ? 3 : 25);

const laboratory = new Laboratory();
for (const rule of RULES) {
  prop(
    `${rule.id}: ${rule.statement}`,
    [situationOfRule(rule)],
    (situation) => {
      const wrong = contradiction(rule, situation, laboratory.run(rule.experiment, situation));
      if (wrong !== undefined) throw new Error(`${described(situation)}: ${wrong}`);
    },
    { numRuns: runsOf(rule) },
  );
}

test('every rule of the sheet has its row, and each its counter-policy', (t) => {
  const numbers = Array.from({ length: 43 }, (_, at) => `R${at + 1}`);
  t.deepEqual(
    RULES.map(({ id }) => id),
    numbers,
  );
  t.deepEqual(
    COUNTER_POLICIES.map(({ rule }) => rule),
    numbers,
  );
});

for (const counter of COUNTER_POLICIES) {
  test(`the test of ${counter.rule} catches a world where ${counter.statement}`, (t) => {
    const rule = ruleById(counter.rule) as Rule;
    const elsewhere = new Laboratory(counter.slip);
    const found = fc.check(
      fc.property(situationOfRule(rule), (situation) => {
        const really = counter.instead?.(situation) ?? situation;
        return contradiction(rule, situation, elsewhere.run(rule.experiment, really)) === undefined;
      }),
      { numRuns: rule.experiment === 'tier' ? 12 : 120, endOnFailure: true },
    );
    t.true(found.failed, 'the counter-policy went unnoticed');
  });
}

prop(
  'a policy that was drawn is predicted as it is decided',
  [policyArbitrary(), situationOfRule(ruleById('R5') as Rule)],
  (policy, drawn) => {
    const situation = {
      ...drawn,
      policy,
      slot: 'host-bridge' as const,
      capability: policy.secure.capability !== undefined,
    };
    const predicted = construct(situation);
    const decided = laboratory.source.construct(situation).construction;
    const words = (c: typeof predicted): string =>
      c.built ? `${c.mode} ${c.iommuPlatform}` : c.by === 'abort' ? 'abort' : c.reason;
    if (words(predicted) !== words(decided)) {
      throw new Error(
        `${described(situation)} ${JSON.stringify(policy.defaults)}: ${words(predicted)} / ${words(decided)}`,
      );
    }
  },
  { numRuns: 500 },
);
