// A whole machine on a host with an ultravisor: from the kernel's `sc 2` to the entry of a secure guest, and what host
// and devices see of it from then on. Numbers are those of ultravisor.md sections 2, 3 and 7.
import test from 'ava';
import { EVENT_KINDS, type MachineEvent, type Tap } from '../core/tap.ts';
import { KERNEL_AT, laySecureImage, TREE_AT, type ImageFault } from '../guest/secure-image.ts';
import { Machine } from './machine.ts';
import type { MachineConfig } from './config.ts';

const PEF: Partial<MachineConfig> = {
  machine: 'pseries-7.2,cap-htm=off,confidential-guest-support=pef0',
  objects: ['pef-guest,id=pef0'],
  host: 'ultravisor',
};

function config(more: Partial<MachineConfig> = PEF): MachineConfig {
  return {
    machine: 'pseries-7.2,cap-htm=off',
    ramBytes: 0x400_0000,
    cpus: 2,
    seed: 'secure',
    devices: [],
    globals: [],
    backends: [{ kind: 'entropy', id: 'e0' }],
    ...more,
  };
}

function made(more?: Partial<MachineConfig>): Machine {
  const machine = Machine.create(config(more));
  if (!machine.accepted) throw new Error(machine.reason);
  return machine.value;
}

function ucall(machine: Machine, number: number, ...inputs: readonly number[]): number {
  const { registers } = machine.platform;
  registers.fill(0n);
  registers[0] = BigInt(number);
  for (const [index, value] of inputs.entries()) registers[1 + index] = BigInt(value);
  machine.platform.ucall();
  return Number(BigInt.asIntN(64, registers[0] ?? 0n));
}

function hcall(machine: Machine, token: number, ...inputs: readonly number[]): number {
  const { registers } = machine.platform;
  registers.fill(0n);
  registers[0] = BigInt(token);
  for (const [index, value] of inputs.entries()) registers[1 + index] = BigInt(value);
  machine.platform.hcall();
  return Number(BigInt.asIntN(64, registers[0] ?? 0n));
}

const KERNEL_MSR = (1n << 63n) | (1n << 12n) | 1n;
const MSR_S = 1n << 22n;

/** r3 after UV_ESM. */
function enter(machine: Machine, fault?: ImageFault): number {
  machine.platform.setCpu(0, KERNEL_MSR);
  laySecureImage(machine.platform, fault === undefined ? {} : { fault });
  return ucall(machine, 0xf110, KERNEL_AT, TREE_AT);
}

/** Every event by name and its first fields. */
class Story implements Tap {
  readonly wantsGuestWrites = false;
  readonly lines: string[] = [];
  readonly bytes: Uint8Array[] = [];

  take(event: MachineEvent): void {
    const kind = EVENT_KINDS[event.kind];
    const fields = [...event.fields.subarray(0, kind?.fields.length ?? 0)].map((word) => word.toString(16));
    this.lines.push(`${kind?.name ?? ''} ${fields.join(' ')}`);
    if (event.byteLength > 0)
      this.bytes.push(event.bytes.slice(event.byteOffset, event.byteOffset + event.byteLength));
  }

  of(name: string): string[] {
    return this.lines.filter((line) => line.startsWith(`${name} `));
  }
}

test('UV_ESM from device tree and blob to the entry of a secure kernel', (t) => {
  const machine = made();
  const story = new Story();
  machine.setTap(story);
  machine.platform.store32(0x50_0000, 0x1234, false);
  t.is(enter(machine), TREE_AT, 'r3 is the device tree');
  const { registers } = machine.platform;
  t.is(registers[1], BigInt(KERNEL_AT));
  t.is(registers[2], 0n);
  t.is(machine.entry, BigInt(KERNEL_AT));
  t.is(machine.msr, KERNEL_MSR | MSR_S);
  t.is(machine.platform.halted, undefined);
  const own = story.of('uv-hcall').map((line) => line.split(' ')[1]);
  t.is(own[0], 'ef08');
  t.is(own.at(-1), 'ef0c');
  t.true(own.slice(1, -1).every((token) => token === 'ef00'));
  t.is(machine.platform.load32(0x50_0000, false), 0, 'what was not brought in is zero');
  t.is(machine.platform.load32(TREE_AT, false), 0xd00dfeed);
  const reservation = machine.platform.load32(TREE_AT + 16, false);
  t.is(
    machine.platform.load64(TREE_AT + reservation + 8, false),
    6n * 0x1_0000n,
    'six pages are the ultravisor’s',
  );
  t.is(story.of('vm-state').length, 4, 'both went from nothing by way of starting');
});

test('each thing that is wrong with an image fails UV_ESM, and the guest goes on with its memory', (t) => {
  const faults: readonly ImageFault[] = [
    'tampered-kernel',
    'tampered-initrd',
    'tampered-rtas',
    'other-bootargs',
    'no-blob',
    'no-initrd',
    'no-rtas-text',
    'no-tree',
    'another-key',
  ];
  for (const fault of faults) {
    const machine = made();
    machine.platform.store32(0x50_0000, 0x1234, false);
    t.is(enter(machine, fault), -4, fault);
    t.is(machine.msr, KERNEL_MSR);
    t.is(machine.platform.load32(0x50_0000, false), 0x1234, fault);
    t.not(machine.platform.load32(KERNEL_AT, false), 0, fault);
    t.false(machine.secureSide?.hypervisor.started ?? true);
    // It may try again with what is right.
    if (fault === 'tampered-kernel') t.is(enter(machine), TREE_AT);
  }
});

test('the lockbox decides: trusted without a blob, or not to be opened at all', (t) => {
  const trusting = made({ ...PEF, host: 'ultravisor,lockbox=trust' });
  trusting.platform.store32(0x50_0000, 0x1234, false);
  t.is(enter(trusting, 'no-blob'), TREE_AT);
  t.is(trusting.platform.load32(0x50_0000, false), 0x1234, 'all of its memory was brought in');
  t.is(enter(made({ ...PEF, host: 'ultravisor,lockbox=trust' }), 'tampered-kernel'), TREE_AT);
  t.is(enter(made({ ...PEF, host: 'ultravisor,lockbox=closed' })), -4);
});

test('the capability is off unless somebody turned it on: H_AUTHORITY, and r3 = H_PARAMETER', (t) => {
  const machine = made({ host: 'ultravisor' });
  const story = new Story();
  machine.setTap(story);
  machine.platform.store32(0x50_0000, 0x1234, false);
  t.is(enter(machine), -4);
  t.true(story.of('uv-hcall-return').includes(`uv-hcall-return ${BigInt.asUintN(64, -10n).toString(16)}`));
  t.is(machine.platform.load32(0x50_0000, false), 0x1234);
  t.is(enter(made({ host: 'ultravisor,veto=off' })), TREE_AT, 'Linux 5.5 and 5.6 have no veto');
});

test('a guest on hash translation, and a host without enough secure memory, are refused', (t) => {
  const hash = made();
  t.is(hcall(hash, 0x37c, 0x18, 0, 0, 0), 0, 'H_REGISTER_PROC_TBL without the radix flag');
  t.is(enter(hash), -4);
  const story = new Story();
  const small = made({ ...PEF, host: 'ultravisor,secure-memory=16777216' });
  small.setTap(story);
  t.is(enter(small), -4);
  t.true(
    story
      .of('hypervisor-ucall-return')
      .some((line) => line.split(' ')[1] === BigInt.asUintN(64, -4n).toString(16)),
  );
});

test('without an ultravisor sc 2 fails in the hypervisor', (t) => {
  const machine = made({});
  t.is(ucall(machine, 0xf110, KERNEL_AT, TREE_AT), -2);
  t.is(machine.msr & MSR_S, 0n);
  machine.platform.setCpu(0, KERNEL_MSR | MSR_S);
  t.is(machine.msr & MSR_S, 0n, 'a guest cannot set S');
});

test('hypercalls of the ultravisor, made by a guest', (t) => {
  const machine = made();
  for (const token of [0xef00, 0xef04, 0xef08, 0xef0c, 0xef14]) t.is(hcall(machine, token, 0, 0, 16), -67);
});

test('what the host finds in secure memory is ciphertext, and what it writes there is noticed', (t) => {
  const machine = made();
  enter(machine);
  const { platform, memory } = machine;
  const SECRET = 0x5ec2_e75e;
  platform.store32(0x50_0000, SECRET, false);
  t.not(memory.u32(0x50_0000, false), SECRET);
  t.is(platform.load32(0x50_0000, false), SECRET, 'it comes back');
  t.not(memory.u32(0x50_0000, false), SECRET);
  memory.setU32(0x50_8000, 1, false);
  t.is(platform.load32(0x50_0000, false), 0);
  t.is(platform.halted, 'fault loop');
});

test('a shared page is one for both, zeroed when it changes hands', (t) => {
  const machine = made();
  enter(machine);
  const { platform, memory } = machine;
  platform.store32(0x50_0000, 0x1234, false);
  t.is(ucall(machine, 0xf130, 0x50, 1), 0);
  t.is(memory.u32(0x50_0000, false), 0);
  platform.store32(0x50_0000, 0x5678, true);
  t.is(memory.u32(0x50_0000, true), 0x5678);
  memory.setU32(0x50_0004, 0x9abc, true);
  t.is(platform.load32(0x50_0004, true), 0x9abc);
  t.is(ucall(machine, 0xf134, 0x50, 1), 0);
  t.is(platform.load32(0x50_0004, true), 0);
  // An access over two frames of which one is shared.
  ucall(machine, 0xf130, 0x50, 1);
  platform.store64(0x50_fffc, 0x1122_3344_5566_7788n, false);
  t.is(platform.load64(0x50_fffc, false), 0x1122_3344_5566_7788n);
  t.is(memory.u32(0x50_fffc, false), 0x1122_3344);
  t.not(memory.u32(0x51_0000, false), 0x5566_7788);
});

test('the host takes a shared page away: the next touch brings it back, with its content', (t) => {
  const machine = made();
  enter(machine);
  ucall(machine, 0xf130, 0x50, 1);
  machine.platform.store32(0x50_0000, 0x5678, true);
  const story = new Story();
  machine.setTap(story);
  machine.secureSide?.hypervisor.unmap(0x50);
  t.is(machine.platform.load32(0x50_0000, true), 0x5678);
  t.true(story.of('reflect').some((line) => line.startsWith('reflect 0 e00')));
});

test('RTAS of a secure guest: arguments and buffers go through shared pages', (t) => {
  const machine = made();
  enter(machine);
  const { platform } = machine;
  const rtas = (token: number, inputs: readonly number[], outputs: number): number => {
    for (const [index, word] of [token, inputs.length, outputs, ...inputs].entries())
      platform.store32(0x50_0000 + 4 * index, word, false);
    t.is(hcall(machine, 0xf000, 0x50_0000), 0xf000, 'r3 is left alone');
    return platform.load32(0x50_000c + 4 * inputs.length, false) | 0;
  };
  t.is(rtas(0x2001, [], 8), 0, 'get-time-of-day');
  t.true(platform.load32(0x50_0010, false) >= 1970);
  // SPLPAR characteristics into a buffer in secure memory.
  t.is(rtas(0x2008, [20, 0x51_0000, 512], 1), 0);
  t.not(platform.load32(0x51_0000, false), 0);
  t.is(rtas(0x2008, [20, 0x51_0000, 5000], 1), -3, 'longer than a bounce buffer');
  t.is(rtas(0x2fff, [], 1), -3, 'a call that there is not');
});

test('a second CPU starts where the guest says, by a cookie that says nothing', (t) => {
  const machine = made();
  enter(machine);
  const { platform } = machine;
  const story = new Story();
  machine.setTap(story);
  for (const [index, word] of [0x2006, 3, 1, 1, 0x60_0000, 0x77].entries())
    platform.store32(0x50_0000 + 4 * index, word, false);
  hcall(machine, 0xf000, 0x50_0000);
  t.is(platform.load32(0x50_0018, false), 0);
  const call = story.of('rtas')[0]?.split(' ') ?? [];
  t.not(call[6], '77', 'r3 is hidden');
  platform.setCpu(1, KERNEL_MSR);
  t.is(platform.entry, 0x60_0000n);
  t.is(platform.msr & MSR_S, MSR_S);
});

test('registers of devices are reached by hypercalls of the ultravisor’s', (t) => {
  const machine = made({
    ...PEF,
    devices: ['virtio-rng-pci,rng=e0,addr=1'],
  });
  enter(machine);
  const story = new Story();
  machine.setTap(story);
  const window = machine.bridge.mem32.cpu;
  machine.platform.read(window, 4, false);
  machine.platform.write(window + 8, 2, 0x1234, false);
  t.is(story.of('mmio-read').length, 1);
  const frames = story.bytes.map((bytes) => new DataView(bytes.buffer));
  t.is(frames[0]?.getBigUint64(8 * 3), 0x3cn, 'H_LOGICAL_CI_LOAD');
  t.is(frames[0]?.getBigUint64(8 * 4), 4n);
  t.is(frames[0]?.getBigUint64(8 * 5), BigInt(window));
  t.is(frames[1]?.getBigUint64(8 * 3), 0x40n, 'H_LOGICAL_CI_STORE');
  t.is(frames[1]?.getBigUint64(8 * 6), 0x3412n, 'turned round for the hypervisor');
});

test('touching a page that the ultravisor shares behind the guest’s back ends it by os-term', (t) => {
  const machine = made();
  enter(machine);
  machine.platform.load32(0x400_0000 - 0x1_0000, false);
  t.is(machine.platform.halted, 'terminated');
  t.is(machine.requested, 'guest-panicked');
});

test('a machine reset leaves an ordinary guest, and nothing of the secure one', (t) => {
  const machine = made();
  enter(machine);
  const SECRET = 0x5ec2_e75e;
  for (let at = 0x50_0000; at < 0x52_0000; at += 4) machine.platform.store32(at, SECRET, false);
  machine.reset();
  t.is(machine.msr & MSR_S, 0n);
  t.false(machine.secureSide?.hypervisor.started ?? true);
  for (let at = 0x50_0000; at < 0x52_0000; at += 4) t.not(machine.memory.u32(at, false), SECRET);
  t.is(enter(machine), TREE_AT, 'and it may become secure again');
});

test('memory slots come and go while the guest is secure', (t) => {
  const machine = made({ ...PEF, host: 'ultravisor,secure-memory=134217728' });
  enter(machine);
  const { platform, secureSide } = machine;
  const F = 0x1_0000;
  platform.store32(0x3_0000, 0x5ec2, false);
  t.is(secureSide?.hypervisor.addSlot({ id: 1, from: 0, bytes: 16 * F }), false, 'overlaps what there is');
  secureSide?.hypervisor.removeSlot(0);
  t.is(secureSide?.ultravisor.svm.slots.size, 0);
  t.is(secureSide?.hypervisor.addSlot({ id: 2, from: 0, bytes: 0x400_0000 }), true);
  t.is(platform.load32(0x3_0000, false), 0, 'zeroed');
});

test('snapshot and restore take both tables and secure memory along', (t) => {
  const machine = made();
  enter(machine);
  machine.platform.store32(0x50_0000, 0x5ec2, false);
  ucall(machine, 0xf130, 0x60, 2);
  machine.memory.u8(0x50_0000);
  const moment = machine.snapshot();
  const before = machine.digest();
  const go = (): string => {
    machine.platform.load32(0x50_0000, false);
    machine.platform.store32(0x51_0000, 7, false);
    machine.memory.u8(0x51_0000);
    ucall(machine, 0xf134, 0x60, 2);
    return machine.digest();
  };
  const after = go();
  t.not(after, before);
  machine.restore(moment);
  t.is(machine.digest(), before);
  t.is(go(), after);
});

test('two machines of one seed encrypt alike, of another seed not', (t) => {
  const cipher = (seed: string): bigint => {
    const machine = made({ ...PEF, seed });
    enter(machine);
    machine.platform.store32(0x50_0000, 0x5ec2, false);
    return machine.memory.u64(0x50_0000, false);
  };
  t.is(cipher('a'), cipher('a'));
  t.not(cipher('a'), cipher('b'));
});

test('what -object and -machine ask for is refused where the host cannot give it', (t) => {
  const reason = (more: Partial<MachineConfig>): string | undefined => {
    const machine = Machine.create(config(more));
    return machine.accepted ? undefined : machine.reason;
  };
  t.is(reason({ ...PEF, host: undefined } as unknown as Partial<MachineConfig>), 'PEF requires KVM');
  t.is(
    reason({ ...PEF, host: 'kvm' }),
    'KVM implementation does not support Secure VMs (is an ultravisor running?)',
  );
  t.is(reason({ ...PEF, objects: [] }), `Device 'pef0' not found`);
  t.is(reason({ objects: ['sev-guest,id=x'] }), 'invalid object type: sev-guest');
  t.is(reason({ host: 'xen' }), `host 'xen' is neither of ultravisor, kvm`);
  t.is(reason({ host: 'kvm,behaviour=released' }), `host 'kvm' takes no options`);
  t.is(reason({ host: 'ultravisor,colour=red' }), `an ultravisor has no option 'colour'`);
  t.is(
    reason({ host: 'ultravisor,behaviour=old' }),
    `option 'behaviour' of an ultravisor takes released or documented, not 'old'`,
  );
  t.is(
    reason({ host: 'ultravisor,secure-memory=1G' }),
    `option 'secure-memory' of an ultravisor takes bytes, not '1G'`,
  );
  t.is(reason({ host: 'ultravisor,random=released' }), undefined);
  t.is(made().migrationBlocker, 'PEF: Migration is not implemented');
  t.is(made({ host: 'ultravisor' }).migrationBlocker, undefined);
});

test('confidential-guest-support turns virtio’s defaults, and an explicit property wins', (t) => {
  const device = 'virtio-rng-pci,rng=e0,addr=1';
  const id = (machine: Machine): number => machine.functions[0]?.configRead(0, 4) ?? 0;
  t.is(id(made({ devices: [device] })) >>> 16, 0x1005);
  t.is(id(made({ ...PEF, devices: [device] })) >>> 16, 0x1044);
  t.is(id(made({ ...PEF, devices: [`${device},disable-legacy=off,iommu_platform=off`] })) >>> 16, 0x1005);
  const broken = Machine.create(config({ ...PEF, devices: [`${device},disable-legacy=off`] }));
  t.false(broken.accepted);
  t.is(
    id(
      made({
        ...PEF,
        devices: [device],
        globals: ['virtio-pci.disable-legacy=off', 'virtio-device.iommu_platform=off'],
      }),
    ) >>> 16,
    0x1005,
    '-global ranks above it',
  );
});
