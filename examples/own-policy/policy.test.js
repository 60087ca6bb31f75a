import test from 'ava';
import { compareTiers, DecidedSource, GUEST_SYSTEMS, isLoss, policyNamed } from 'papyrus';

const upstream = policyNamed('upstream');
// From 6.0 on no legacy interface, unless somebody asks for it.
const row = { from: '6.0', when: 'machine', set: { disableLegacy: 'on' }, optional: true };
const mine = { ...upstream, name: 'mine', defaults: [row] };

test('my policy breaks guests without virtio 1.0, and only those', (t) => {
  const changes = compareTiers(upstream, mine, ['5.2', '6.0'], GUEST_SYSTEMS, new DecidedSource());
  for (const { version, guest, after } of changes.filter(isLoss)) {
    t.is(version, '6.0');
    t.deepEqual(guest.traits.transports, ['legacy']);
    t.is(after.witness.options, '-global virtio-pci.disable-legacy=auto');
  }
  t.is(changes.length, 11);
});
