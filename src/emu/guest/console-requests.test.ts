import test from 'ava';
import { KIND } from '../core/tap.ts';
import { Machine } from '../machine/machine.ts';
import { MONITOR_PORT } from '../machine/monitor.ts';
import { BalloonRequests } from './balloon-requests.ts';
import { ConsoleRequests } from './console-requests.ts';
import { GuestDriver } from './driver.ts';
import { GUEST_PROFILES } from './profiles.ts';

const MODES = [
  'disable-legacy=off,disable-modern=on',
  'disable-legacy=off,disable-modern=off',
  'disable-legacy=on,disable-modern=off,packed=on',
];

function machine(...devices: readonly string[]): Machine {
  const verdict = Machine.create({
    machine: 'pseries-7.2',
    ramBytes: 0x100_0000,
    cpus: 1,
    seed: 'guests',
    devices,
    globals: [],
    backends: [
      { kind: 'chardev', id: 'c0', open: true },
      { kind: 'chardev', id: 'c1', open: true },
    ],
  });
  if (!verdict.accepted) throw new Error(verdict.reason);
  return verdict.value;
}

/** What left at each port. */
function listen(made: Machine): string[] {
  const heard: string[] = ['', '', ''];
  made.setTap({
    wantsGuestWrites: false,
    take: ({ kind, words, bytes, byteOffset, byteLength }) => {
      if (kind !== KIND['host-output'] || (words[0] ?? 0) > 2) return;
      heard[words[0] ?? 0] += Buffer.from(bytes.subarray(byteOffset, byteOffset + byteLength)).toString(
        'latin1',
      );
    },
  });
  return heard;
}

test('every guest finds its console, opens its ports, and host and guest hear each other', (t) => {
  for (const options of MODES) {
    const made = machine(
      `virtio-serial-pci,id=ser,addr=1,vectors=7,${options}`,
      'virtconsole,chardev=c0',
      'virtserialport,chardev=c1,name=org.papyrus,id=p',
    );
    const start = made.snapshot();
    for (const profile of GUEST_PROFILES) {
      if (profile.transports[0] === 'legacy' && options.startsWith('disable-legacy=on')) continue;
      made.restore(start);
      const heard = listen(made);
      const guest = new GuestDriver(made.platform, { profile });
      const where = `${profile.name}, ${options}`;
      guest.boot();
      if (!guest.probe()) continue;
      t.true(guest.start(), where);
      t.true(guest.run(7), `${where}: ${guest.outcome.gaveUp}`);
      const { requests } = guest;
      if (!(requests instanceof ConsoleRequests)) throw new Error('a console is driven as one');
      const multiport = (guest.outcome.featuresLow & 2) !== 0;
      t.is(heard[1]?.length, 24 * (multiport ? 3 : 7), where);
      t.is(heard[2]?.length, multiport ? 24 * 3 : 0, where);
      if (multiport) t.deepEqual(requests.names, ['', 'org.papyrus'], where);
      made.hostInput(1, Buffer.from('to the console'));
      made.platform.idle();
      if (profile.completion === 'polling') guest.poll();
      else guest.onInterrupt();
      t.is(Buffer.from(requests.received[0] ?? []).toString(), 'to the console', where);
      guest.stop();
    }
  }
});

test('every guest gives the host the pages that it asks for, tells of its memory, and takes them back', (t) => {
  for (const options of MODES) {
    const made = machine(`virtio-balloon-pci,id=b,addr=1,guest-stats-polling-interval=1,${options}`);
    const start = made.snapshot();
    for (const profile of GUEST_PROFILES) {
      if (profile.transports[0] === 'legacy' && options.startsWith('disable-legacy=on')) continue;
      made.restore(start);
      const guest = new GuestDriver(made.platform, { profile });
      const where = `${profile.name}, ${options}`;
      const ask = (bytes: number): void => {
        const order = JSON.stringify({ execute: 'balloon', arguments: { value: bytes } });
        made.hostInput(MONITOR_PORT, Buffer.from(order));
      };
      guest.boot();
      if (!guest.probe()) continue;
      t.true(guest.start(), where);
      ask(0x100_0000 - 20 * 4096);
      t.true(guest.run(3), `${where}: ${guest.outcome.gaveUp}`);
      const { requests } = guest;
      if (!(requests instanceof BalloonRequests)) throw new Error('a balloon is driven as one');
      t.is(requests.inside, 20, where);
      ask(0x100_0000 - 4096);
      t.true(guest.run(3), where);
      t.is(requests.inside, 1, where);
      made.platform.idle();
      if (profile.completion === 'polling') guest.poll();
      else guest.onInterrupt();
      if ((guest.outcome.featuresLow & 2) !== 0) t.true(requests.reports >= 2, where);
      guest.stop();
    }
  }
});
