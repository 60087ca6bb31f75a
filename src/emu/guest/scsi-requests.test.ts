import test from 'ava';
import { Machine } from '../machine/machine.ts';
import { MONITOR_PORT } from '../machine/monitor.ts';
import { GuestDriver } from './driver.ts';
import { GUEST_PROFILES } from './profiles.ts';
import { ScsiRequests } from './scsi-requests.ts';

const MODES = [
  'disable-legacy=off,disable-modern=on',
  'disable-legacy=off,disable-modern=off',
  'disable-legacy=on,disable-modern=off,packed=on',
  'disable-legacy=on,disable-modern=off,iommu_platform=on',
];

function machine(options: string, behaviour: 'qemu-7.2' | 'spec' = 'qemu-7.2'): Machine {
  const verdict = Machine.create({
    machine: 'pseries-7.2',
    ramBytes: 0x1000_0000,
    cpus: 1,
    seed: 'scsi',
    devices: [`virtio-scsi-pci,id=s,addr=1,${options}`, 'scsi-hd,drive=d,id=hd'],
    globals: [],
    backends: [{ kind: 'disk', id: 'd', sectors: 64, content: 'tagged', readOnly: false }],
    behaviour,
  });
  if (!verdict.accepted) throw new Error(verdict.reason);
  return verdict.value;
}

function scsiOf(guest: GuestDriver): ScsiRequests {
  const { requests } = guest;
  if (!(requests instanceof ScsiRequests)) throw new Error('the guest drives no SCSI host');
  return requests;
}

test('every guest scans its disk, is told of the reset once, and reads back what it wrote', (t) => {
  for (const behaviour of ['qemu-7.2', 'spec'] as const) {
    for (const options of MODES) {
      const made = machine(options, behaviour);
      const start = made.snapshot();
      for (const profile of GUEST_PROFILES) {
        made.restore(start);
        const guest = new GuestDriver(made.platform, { profile, requests: 16 });
        guest.boot();
        guest.live();
        if (!guest.outcome.started) continue;
        const where = `${profile.name}, ${options}, ${behaviour}`;
        const requests = scsiOf(guest);
        if (!guest.outcome.dataCorrect) {
          // A guest whose addresses the device does not translate reaches nothing, and says so.
          t.regex(options, /iommu_platform/, `${where}: ${guest.outcome.gaveUp}`);
          continue;
        }
        t.deepEqual([requests.completed, requests.attentions, requests.lastBlock], [17, 1, 63], where);
        t.is(requests.product, 'QEMU    QEMU HARDDISK   ', where);
      }
    }
  }
});

test('a disk that goes and comes is told of by events', (t) => {
  const made = machine(MODES[1] ?? '');
  const profile = GUEST_PROFILES.find(({ name }) => name === 'modern-plat');
  if (profile === undefined) {
    t.fail('there is no such guest');
    return;
  }
  const guest = new GuestDriver(made.platform, { profile, requests: 6 });
  guest.boot();
  t.true(guest.probe() && guest.start() && guest.run(6));
  const say = (execute: string, args: object): void => {
    made.hostInput(MONITOR_PORT, Buffer.from(JSON.stringify({ execute, arguments: args })));
  };
  say('device_del', { id: 'hd' });
  say('device_add', { driver: 'scsi-hd', id: 'hd', drive: 'd' });
  say('block_resize', { device: 'd', size: 16_384 });
  t.true(guest.run(5));
  // Transport reset twice, parameters changed.
  t.deepEqual(scsiOf(guest).events, [1, 1, 3]);
  // The reset at the start; that of the disk that came, which is more important than its size; and the changed list.
  t.is(scsiOf(guest).attentions, 3);
});
