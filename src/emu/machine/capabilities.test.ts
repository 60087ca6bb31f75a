import test from 'ava';
import { blocker, CAPABILITIES, hardwareTies, levelOf, migrate, refusalOnHost } from './capabilities.ts';
import { policyNamed, type Policy } from './policies.ts';

const machine = (
  capabilities: Readonly<Record<string, string>>,
): { version: string; capabilities: typeof capabilities } => ({
  version: '7.2',
  capabilities,
});

test('levels are in QEMU’s order, page sizes by their logarithm', (t) => {
  t.is(levelOf('cfpc', 'workaround'), 1);
  t.is(levelOf('ibs', 'fixed-ccd'), 3);
  t.is(levelOf('hpt-max-page-size', '64k'), 16);
  t.is(levelOf('hpt-max-page-size', '16777216'), 24);
  t.is(levelOf('cfpc', 'bad'), undefined);
});

test('a higher level in the stream ends the load, in QEMU’s words', (t) => {
  const { accepted, errors } = migrate(machine({ cfpc: 'fixed' }), machine({}));
  t.false(accepted);
  t.deepEqual(errors, [
    'cap-cfpc higher level (2) in incoming stream than on destination (1)',
    `error while loading state for instance 0x0 of device 'spapr'`,
    'load of migration failed: Invalid argument',
  ]);
});

test('a lower level is a warning, equal ones are silent', (t) => {
  const lower = migrate(machine({ 'large-decr': 'off' }), machine({}));
  t.true(lower.accepted);
  t.deepEqual(lower.warnings, ['cap-large-decr lower level (0) in incoming stream than on destination (1)']);
  t.deepEqual(migrate(machine({}), machine({})), { accepted: true, errors: [], warnings: [] });
});

test('a machine with the secure capability does not arrive on a host without it', (t) => {
  const { errors } = migrate(machine({ 'secure-guest': 'on' }), machine({}));
  t.is(errors[0], 'cap-secure-guest higher level (1) in incoming stream than on destination (0)');
});

test('for every capability and pair of levels exactly the higher source is refused', (t) => {
  for (const { name, levels } of CAPABILITIES) {
    const words = levels === 'size' ? ['4k', '64k', '16m', '16g'] : levels;
    for (const [from, source] of words.entries()) {
      for (const [to, destination] of words.entries()) {
        const { accepted, warnings } = migrate(machine({ [name]: source }), machine({ [name]: destination }));
        t.is(accepted, from <= to, `${name} ${source} to ${destination}`);
        t.is(warnings.length, from < to ? 1 : 0);
      }
    }
  }
});

test('the policy blocks a secure machine before anything is sent', (t) => {
  const cgs = policyNamed('confidential-guest-support') as Policy;
  t.is(blocker(cgs, true), 'PEF: Migration is not implemented');
  t.is(blocker(cgs, false), undefined);
  t.is(refusalOnHost({ kvm: false, ultravisor: false }), 'PEF requires KVM');
  t.is(refusalOnHost({ kvm: true, ultravisor: true }), undefined);
});

test('what ties a guest to its host: nothing secure unless somebody asked for it', (t) => {
  const ties = hardwareTies(policyNamed('opt-in') as Policy, '7.2');
  t.deepEqual(
    ties.filter(({ byDefault }) => !byDefault).map(({ needs }) => needs),
    ['an ultravisor'],
  );
  t.true(ties.some(({ what }) => what === 'cap-large-decr=on'));
  t.deepEqual(
    hardwareTies(policyNamed('upstream') as Policy, '7.2').filter(({ byDefault }) => !byDefault),
    [],
  );
});
