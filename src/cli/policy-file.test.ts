import test from 'ava';
import { main } from '../main.ts';
import { policyFrom, policyMeant } from './policy-file.ts';

const MINE = { name: 'mine', defaults: [{ from: '6.0', set: { disableLegacy: 'on' } }] };

test('a small file is a whole policy', (t) => {
  const policy = policyFrom(JSON.stringify(MINE), 'mine.json');
  t.is(policy.platform, 'pseries');
  t.deepEqual(policy.defaults, [
    { from: '6.0', when: 'machine', set: { disableLegacy: 'on' }, optional: true },
  ]);
  t.deepEqual(policy.secure, { admits: 'always', migratable: true });
});

for (const [what, file, sentence] of [
  ['not JSON', '{', /^mine\.json is no JSON: /],
  [
    'a field that is not there',
    JSON.stringify({ ...MINE, colour: 'red' }),
    /colour: a policy has no such field$/,
  ],
  [
    'a machine version that never was',
    JSON.stringify({ ...MINE, machines: ['5.3'] }),
    /machines\.0: there is no machine version 5\.3$/,
  ],
  [
    'a value of another kind',
    JSON.stringify({ name: 'mine', defaults: [{ set: { disableLegacy: 'maybe' } }] }),
    /defaults\.0\.set\.disableLegacy: \("auto" \| "on" \| "off"\) is wanted, not "maybe"$/,
  ],
  [
    'a name that is taken',
    JSON.stringify({ ...MINE, name: 'upstream' }),
    /name: upstream is the name of a built-in policy$/,
  ],
  [
    'nothing to admit by',
    JSON.stringify({ ...MINE, secure: { admits: 'capability', migratable: false } }),
    /secure\.capability: /,
  ],
] as const) {
  test(`a policy file with ${what} is refused in one sentence`, (t) => {
    t.throws(() => policyFrom(file, 'mine.json'), { name: 'UsageError', message: sentence });
  });
}

test('a policy that nobody knows is named, with those that are there', async (t) => {
  await t.throwsAsync(policyMeant('mine'), {
    message: /there is no policy mine; choose from upstream, proposal/,
  });
  t.is(await main(['matrix', '--policy', './nowhere/mine.json']), 2);
});
