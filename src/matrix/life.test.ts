import test from 'ava';
import { scriptedGuest } from '../emu/guest/scripted.ts';
import { GUEST_SYSTEMS, guestSystem, type GuestSystem } from '../emu/guest/systems.ts';
import type { MachineConfig } from '../emu/machine/config.ts';
import { Machine } from '../emu/machine/machine.ts';
import { live, machineConfig, secureConfig, Stage } from './life.ts';
import { SecureGuest } from '../emu/guest/secure-driver.ts';

const FRAME_BYTES = 0x1_0000;
const MODERN = 'disable-legacy=on,disable-modern=off,iommu_platform=on';
const named = (name: string): GuestSystem => guestSystem(name) as GuestSystem;

test('a stage goes back to its first moment: the same life leaves the same facts and state', (t) => {
  const config = machineConfig('7.2', [`virtio-blk-pci,drive=d0,${MODERN}`]);
  const stage = new Stage(secureConfig(config, true));
  const first = live(stage, named('debian-12'), { secure: false });
  const digest = stage.machine.digest();
  t.true(live(stage, named('linux-5.6-svm'), { secure: true })['works']);
  t.deepEqual(live(stage, named('debian-12'), { secure: false }), first);
  t.is(stage.machine.digest(), digest);
  t.true(first['works']);
  t.is(first['dma'], 'translated');
});

test('a scripted guest accepts no feature that its row denies', (t) => {
  const ACCESS_PLATFORM = 33;
  const VERSION_1 = 32;
  for (const guest of GUEST_SYSTEMS) {
    const { transportFeatures, transports } = scriptedGuest(guest);
    t.is(transportFeatures.includes(ACCESS_PLATFORM), guest.traits.acksPlatform, guest.name);
    t.is(transportFeatures.includes(VERSION_1), transports.includes('modern'), guest.name);
  }
});

test('a guest that becomes secure works through its pool, and leaves its own frames unread', (t) => {
  const config = machineConfig('7.2', [`virtio-net-pci,netdev=n0,${MODERN}`]);
  const machine = new Stage(secureConfig(config, true)).rewind();
  const guest = named('linux-5.6-svm');
  const driver = new SecureGuest(machine.platform, {
    profile: scriptedGuest(guest),
    requests: 4,
    loopback: true,
  });
  driver.boot();
  t.is(driver.become(), 0);
  t.true(driver.secure);
  t.is(driver.live().gaveUp, '');
  t.true(driver.outcome.dataCorrect);
  // The driver's own buffers lie above its rings, in frames that were never shared.
  const secret = 0x7f;
  machine.platform.store32(secret * FRAME_BYTES, 0x5ec2e7, false);
  t.not(machine.memory.u32(secret * FRAME_BYTES, false), 0x5ec2e7);
});

test('a hypervisor without the capability lets nobody in, and gives the memory back', (t) => {
  const config = machineConfig('7.2', [`virtio-rng-pci,rng=e0,${MODERN}`]);
  const machine = new Stage(secureConfig(config, false)).rewind();
  const guest = named('linux-5.6-svm');
  const driver = new SecureGuest(machine.platform, { profile: scriptedGuest(guest) });
  driver.boot();
  machine.platform.store32(0x50_0000, 77, false);
  const H_PARAMETER = -4;
  t.is(driver.become(), H_PARAMETER);
  t.false(driver.secure);
  t.is(machine.platform.load32(0x50_0000, false), 77);
});

test('confidential-guest-support is what a secure guest’s devices need, without a word about them', (t) => {
  const outcome = (more: Partial<MachineConfig>): string => {
    const config = { ...machineConfig('7.2', ['virtio-blk-pci,drive=d0,scsi=off']), ramBytes: 0x200_0000 };
    const made = Machine.create({ ...config, ...more });
    if (!made.accepted) throw new Error(made.reason);
    const profile = scriptedGuest(named('linux-5.6-svm'));
    const driver = new SecureGuest(made.value.platform, { profile, requests: 4 });
    driver.boot();
    t.is(driver.become(), 0);
    const { gaveUp, dataCorrect } = driver.live();
    return gaveUp === '' && dataCorrect ? 'works' : gaveUp;
  };
  const machine = 'pseries-7.2,cap-htm=off,confidential-guest-support=pef0';
  t.is(outcome({ machine, objects: ['pef-guest,id=pef0'], host: 'ultravisor' }), 'works');
  t.is(outcome({ host: 'ultravisor,veto=off' }), 'device needs reset', 'transitional, and no bit 33');
});
