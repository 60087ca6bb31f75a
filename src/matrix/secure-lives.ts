/**
 * Lives of secure guests that each show one sentence of the thread: a machine, a profile, and what the guest does. What
 * the host does besides is its own: nobody but the guest acts here, and a reset where it says so.
 */
import type { DriverOptions } from '../emu/guest/driver.ts';
import { PROFILES_BY_NAME, type GuestProfile } from '../emu/guest/profiles.ts';
import { SecureGuest } from '../emu/guest/secure-driver.ts';
import { TREE_AT } from '../emu/guest/secure-image.ts';
import type { MachineConfig } from '../emu/machine/config.ts';
import type { Machine } from '../emu/machine/machine.ts';
import {
  FRAME_BYTES,
  H_SVM_INIT_DONE,
  H_SVM_INIT_START,
  H_SVM_PAGE_IN,
  H_SVM_PAGE_OUT,
} from '../emu/ultravisor/abi.ts';
import type { Knob } from '../emu/ultravisor/behaviour.ts';
import { machineConfig } from './life.ts';

export interface SecureLife {
  readonly name: string;
  /** The rule of the thread that it shows; none where it shows a disagreement. */
  readonly rule?: string;
  /** The disagreement between released firmware and document that it shows: the released side is lived. */
  readonly disagreement?: Knob;
  readonly title: string;
  readonly shows: string;
  readonly profile: string;
  readonly device: string;
  /** The host; with `veto`, KVM's capability is left off. */
  readonly veto?: true;
  readonly run: (guest: SecureGuest, machine: Machine) => void;
  /** What lines of `papyrus inspect` must hold, in this order. */
  readonly events: readonly string[];
  /** What no line may hold. */
  readonly never?: readonly string[];
}

const RAM_BYTES = 0x200_0000;
/** Random registers say nothing and fill a recording. */
const HOST = 'ultravisor,randomRegisters=released';
const SECRET = 0x5ec2_e75e;
const SECRET_FRAME = 0xb0;
const H_RANDOM = 0x300;
const MODERN = 'disable-legacy=on,disable-modern=off,iommu_platform=on';
const RNG = `virtio-rng-pci,addr=1,rng=e0,${MODERN}`;
const BLK = `virtio-blk-pci,addr=1,drive=d0,scsi=off,${MODERN}`;

function fill(machine: Machine, frame: number): void {
  for (let at = 0; at < 64; at += 4) machine.platform.store32(frame * FRAME_BYTES + at, SECRET, false);
}

export const SECURE_LIVES: readonly SecureLife[] = [
  {
    name: 'secure-r15-vetoed',
    rule: 'R15',
    title: 'A guest asks to become secure and KVM has the capability off',
    shows:
      'H_SVM_INIT_START answers H_AUTHORITY, the ultravisor aborts with H_SVM_INIT_ABORT, and the guest finds H_PARAMETER in r3 and its memory as it was; Linux then ends by ibm,os-term.',
    profile: 'svm-5.10',
    device: RNG,
    veto: true,
    run: (guest) => {
      guest.become();
      guest.giveUp();
    },
    events: [
      'ucall UV_ESM',
      'uv-hcall H_SVM_INIT_START',
      'uv-hcall-return H_AUTHORITY',
      'uv-hcall H_SVM_INIT_ABORT',
      'UV_SVM_TERMINATE',
      'uv-hcall-return H_PARAMETER',
      'rtas ibm,os-term',
    ],
  },
  {
    name: 'secure-r15-hash',
    rule: 'R15',
    title: 'A guest on hash translation asks to become secure',
    shows:
      'KVM makes secure only guests on radix: H_SVM_INIT_START answers H_UNSUPPORTED, and the guest goes on as it was.',
    profile: 'svm-hash',
    device: RNG,
    run: (guest) => {
      guest.become();
      guest.giveUp();
    },
    events: [
      'hcall H_REGISTER_PROC_TBL',
      'uv-hcall H_SVM_INIT_START',
      'uv-hcall-return H_UNSUPPORTED',
      'uv-hcall H_SVM_INIT_ABORT',
      'rtas ibm,os-term',
    ],
  },
  {
    name: 'secure-r17-capability-alone',
    rule: 'R17',
    title: 'The capability is on and the guest never asks',
    shows:
      'An ordinary guest on a host that would let it become secure sees what it always sees: nothing passes between ultravisor and hypervisor.',
    profile: 'modern-plat',
    device: RNG,
    run: (guest) => {
      guest.live();
    },
    events: ['mmio-write', 'dma-write', 'interrupt'],
    never: ['ucall', 'uv-hcall', 'reflect', 'page-state'],
  },
  {
    name: 'secure-r33-data-in-secure-frames',
    rule: 'R33',
    title: 'Linux 5.19 and later: a device writes into a frame that is not shared',
    shows:
      'The rings are shared, the buffer is not, for there is no bounce pool. The device’s write makes the host page the frame out, as ciphertext, and lands in that; when the guest looks for its data the page fails authentication (U_P3), again and again.',
    profile: 'svm-5.19',
    device: RNG,
    run: (guest) => {
      guest.become();
      guest.live();
    },
    events: [
      'ucall UV_SHARE_PAGE',
      'hypervisor-ucall UV_PAGE_OUT',
      'ultravisor: secure -> paged-out',
      'dma-write 00:01.0',
      'guest-fault',
      'uv-hcall H_SVM_PAGE_IN',
      'hypervisor-ucall UV_PAGE_IN',
      'hypervisor-ucall-return U_P3',
      'uv-hcall-return H_PARAMETER',
    ],
  },
  {
    name: 'secure-r34-works',
    rule: 'R34',
    title: 'Linux 5.6 to 5.18: everything that the device needs is shared',
    shows:
      'ACCESS_PLATFORM, a direct window, shared rings and a shared bounce pool: requests are served, and no secure frame is ever paged out.',
    profile: 'svm-5.10',
    device: BLK,
    run: (guest) => {
      guest.become();
      guest.live();
    },
    events: [
      'ucall UV_SHARE_PAGE gfn=0x80 count=0x10',
      'hcall H_PUT_TCE',
      'dma-read 00:01.0',
      'dma-write 00:01.0',
      'interrupt',
    ],
    never: ['UV_PAGE_OUT', 'H_PUT_TCE_INDIRECT'],
  },
  {
    name: 'secure-r34-default-window',
    rule: 'R34',
    title: 'A secure guest behind the default window',
    shows:
      'Without a direct window the IOMMU’s own operations run, which bounce nothing and share nothing: the device finds ciphertext where the ring should be.',
    profile: 'svm-default-window',
    device: RNG,
    run: (guest) => {
      guest.become();
      guest.live();
    },
    events: ['hcall H_PUT_TCE', 'hypervisor-ucall UV_PAGE_OUT', 'dma-read 00:01.0'],
  },
  {
    name: 'secure-r34-two-cpus',
    rule: 'R34',
    title: 'A secure guest brings up a second CPU',
    shows:
      'One block of lppacas is shared; RTAS start-cpu shows the hypervisor a cookie in place of the second CPU’s r3, and the CPU starts secure.',
    profile: 'svm-5.10-smp',
    device: RNG,
    run: (guest) => {
      guest.become();
    },
    events: [
      'ucall UV_SHARE_PAGE gfn=0xa0 count=0x1',
      'rtas start-cpu(0x1, 0x1000060',
      'cpu-mode cpu=0x1',
      'hcall H_REGISTER_VPA',
    ],
  },
  {
    name: 'secure-r34-four-kib-pages',
    rule: 'R34',
    title: 'A secure kernel with 4 KiB pages shares other frames than it means',
    shows:
      'It counts 4 KiB pages, the ultravisor 64 KiB frames: frame 0xa00 stands for 0xa00000, and is none of the guest’s. The status is U_P2, and nobody looks.',
    profile: 'svm-4k',
    device: RNG,
    run: (guest) => {
      guest.become();
      guest.live();
    },
    events: [
      'ucall UV_SHARE_PAGE gfn=0xa00',
      'ucall-return U_P2',
      'ucall UV_SHARE_PAGE gfn=0x800',
      'hypervisor-ucall UV_PAGE_OUT',
    ],
  },
  {
    name: 'secure-r35-without-platform',
    rule: 'R35',
    title: 'A secure guest drives a device without ACCESS_PLATFORM',
    shows:
      'Nothing on powerpc refuses it: the driver binds, sets DRIVER_OK, and the device reads the available index out of ciphertext.',
    profile: 'svm-no-platform',
    device: RNG.replace('iommu_platform=on', 'iommu_platform=off'),
    run: (guest) => {
      guest.become();
      guest.live();
    },
    events: ['common.status', 'hypervisor-ucall UV_PAGE_OUT', 'dma-read 00:01.0'],
  },
  {
    name: 'secure-r36-share-and-unshare',
    rule: 'R36',
    title: 'A frame is shared, shared again and taken back',
    shows:
      'Each frame goes through the hypervisor’s hands and back; its second sharing asks nobody; what stood in it never crosses.',
    profile: 'svm-5.10',
    device: RNG,
    run: (guest, machine) => {
      guest.become();
      fill(machine, SECRET_FRAME);
      guest.share(SECRET_FRAME, 2);
      guest.share(SECRET_FRAME, 2);
      guest.unshare(SECRET_FRAME, 2);
      machine.platform.load32(SECRET_FRAME * FRAME_BYTES, false);
    },
    events: [
      'ucall UV_SHARE_PAGE gfn=0xb0 count=0x2',
      'gfn=0xb0 ultravisor: secure -> hv-sharing',
      'gfn=0xb0 hypervisor: paged-out -> shared',
      'gfn=0xb1 ultravisor: hv-shared -> shared',
      'ucall UV_SHARE_PAGE gfn=0xb0 count=0x2',
      'ucall-return U_SUCCESS',
      'ucall UV_UNSHARE_PAGE gfn=0xb0 count=0x2',
      'gfn=0xb0 ultravisor: shared -> hv-unsharing',
      'gfn=0xb1 ultravisor: hv-unshared -> secure',
    ],
  },
  {
    name: 'secure-r37-declared-registers',
    rule: 'R37',
    title: 'Registers full of secrets, and a hypercall with one argument',
    shows:
      'The hypervisor finds the number and the one argument that H_CPPR declares; registers are reached through H_LOGICAL_CI calls of the ultravisor.',
    profile: 'svm-5.10',
    device: RNG,
    run: (guest, machine) => {
      guest.become();
      const { registers } = machine.platform;
      registers.fill(BigInt(SECRET));
      registers[0] = 0x68n;
      registers[1] = 0xffn;
      machine.platform.hcall();
      guest.probe();
      guest.transport.status();
    },
    events: ['hcall H_CPPR', 'vector=0xc00 H_CPPR |', 'H_LOGICAL_CI_LOAD for the ultravisor'],
    never: ['H_CPPR | r0=0x5ec2e75e'],
  },
  {
    name: 'secure-r38-not-the-guests-calls',
    rule: 'R38',
    title: 'An ordinary guest makes the ultravisor’s hypercalls',
    shows: 'Every H_SVM call of a guest that is not secure is H_UNSUPPORTED, before START and as START.',
    profile: 'modern-plat',
    device: RNG,
    run: (guest) => {
      for (const token of [H_SVM_PAGE_IN, H_SVM_PAGE_OUT, H_SVM_INIT_START, H_SVM_INIT_DONE])
        guest.calls.hcall(token);
    },
    events: [
      'hcall H_SVM_PAGE_IN',
      'hcall-return H_UNSUPPORTED',
      'hcall H_SVM_PAGE_OUT',
      'hcall-return H_UNSUPPORTED',
      'hcall H_SVM_INIT_START',
      'hcall-return H_UNSUPPORTED',
      'hcall H_SVM_INIT_DONE',
      'hcall-return H_UNSUPPORTED',
    ],
    never: ['vm-state'],
  },
  {
    name: 'secure-r39-reset',
    rule: 'R39',
    title: 'The machine is reset under a secure guest',
    shows:
      'KVM drops the secure pages instead of paging them out, unregisters the slot and terminates the guest; an ordinary one remains.',
    profile: 'svm-5.10',
    device: RNG,
    run: (guest, machine) => {
      guest.become();
      fill(machine, SECRET_FRAME);
      machine.reset();
    },
    events: [
      'machine-reset',
      'hypervisor-ucall UV_UNREGISTER_MEM_SLOT',
      'hypervisor-ucall UV_SVM_TERMINATE',
      'ultravisor: secure -> none',
      'hypervisor: secure -> normal',
    ],
    never: ['UV_PAGE_OUT'],
  },
  {
    name: 'secure-r40-kexec',
    rule: 'R40',
    title: 'A secure guest goes into kexec',
    shows:
      'UV_UNSHARE_ALL_PAGES takes back every frame that the guest shared; those that the ultravisor shares stay.',
    profile: 'svm-5.10',
    device: RNG,
    run: (guest) => {
      guest.become();
      guest.unshareAll();
    },
    events: [
      'ucall UV_UNSHARE_ALL_PAGES',
      'gfn=0x80 ultravisor: hv-unshared -> secure',
      'gfn=0xa0 ultravisor: hv-unshared -> secure',
      'ucall-return U_SUCCESS',
    ],
  },
  {
    name: 'secure-r41-tce-is-no-leave',
    rule: 'R41',
    title: 'Secure frames are mapped for reading and writing',
    shows:
      'H_PUT_TCE of the secure frames that hold a block device’s ring succeeds, and what the device reads there is ciphertext: a table of the hypervisor’s is no leave of the guest’s.',
    profile: 'svm-default-window',
    device: RNG.replace('rng-pci,addr=1,rng=e0', 'blk-pci,addr=1,drive=d0,scsi=off'),
    run: (guest) => {
      guest.become();
      guest.probe();
      guest.start();
      guest.transport.notify(0);
      guest.platform.idle();
    },
    events: ['hcall H_PUT_TCE', 'hcall-return H_SUCCESS', 'hypervisor-ucall UV_PAGE_OUT', 'dma-read 00:01.0'],
  },
  {
    name: 'secure-released-01-random',
    disagreement: 'random',
    title: 'A secure guest asks for a random number',
    shows:
      'The ultravisor answers H_RANDOM itself, and the released one answers H_FUNCTION; the hypervisor hears nothing of it.',
    profile: 'svm-5.10',
    device: RNG,
    run: (guest) => {
      guest.become();
      guest.calls.hcall(H_RANDOM);
    },
    events: ['ucall UV_SHARE_PAGE', 'hcall H_RANDOM', 'hcall-return H_FUNCTION'],
    never: ['vector=0xc00 H_RANDOM'],
  },
  {
    name: 'secure-released-03-abort-loses-pages',
    disagreement: 'abortRestores',
    title: 'UV_ESM fails after pages were brought in',
    shows:
      'The kernel is not the one that its owner’s blob tells of. UV_PAGE_OUT succeeds for every page that was brought in and writes none: the guest goes on, and its device tree is gone.',
    profile: 'svm-5.10',
    device: RNG,
    run: (guest) => {
      guest.become({ fault: 'tampered-kernel' });
      guest.platform.load32(TREE_AT, false);
    },
    events: [
      'ucall UV_ESM',
      'uv-hcall H_SVM_INIT_ABORT',
      'hypervisor-ucall UV_PAGE_OUT',
      'hypervisor-ucall-return U_SUCCESS',
      'ucall-return U_PARAMETER',
    ],
    never: ['ultravisor: secure -> paged-out'],
  },
  {
    name: 'secure-released-06-shared-again',
    disagreement: 'shareZeroesAgain',
    title: 'A shared frame is shared again',
    shows: 'Nothing happens to it: the device goes on reading what it held. The document has it zeroed.',
    profile: 'svm-5.10',
    device: RNG,
    run: (guest, machine) => {
      guest.become();
      guest.share(SECRET_FRAME, 1);
      fill(machine, SECRET_FRAME);
      guest.share(SECRET_FRAME, 1);
      machine.platform.load32(SECRET_FRAME * FRAME_BYTES, false);
    },
    events: [
      'ucall UV_SHARE_PAGE gfn=0xb0',
      'gfn=0xb0 ultravisor: hv-shared -> shared',
      'ucall UV_SHARE_PAGE gfn=0xb0',
      'ucall-return U_SUCCESS',
    ],
  },
  {
    name: 'secure-released-07-faults-for-ever',
    disagreement: 'keepPagedOut',
    title: 'A frame that is paged out is unshared',
    shows:
      'Unsharing a secure frame should do nothing. The released firmware drops the record of the page that is out, takes it for secure and present, and the guest’s next access faults without an end.',
    profile: 'svm-5.10',
    device: RNG,
    run: (guest, machine) => {
      guest.become();
      fill(machine, SECRET_FRAME);
      machine.memory.u8(SECRET_FRAME * FRAME_BYTES);
      guest.unshare(SECRET_FRAME, 1);
      machine.platform.load32(SECRET_FRAME * FRAME_BYTES, false);
    },
    events: [
      'gfn=0xb0 ultravisor: secure -> paged-out',
      'ucall UV_UNSHARE_PAGE gfn=0xb0',
      'gfn=0xb0 ultravisor: paged-out -> secure',
      'guest-fault address=0xb00000',
    ],
  },
  {
    name: 'secure-released-08-no-status',
    disagreement: 'shareAnswers',
    title: 'What a guest finds in r3 after sharing',
    shows:
      'The released firmware never writes it: the guest finds the number of its call, whatever became of it. Linux does not look.',
    profile: 'svm-5.10',
    device: RNG,
    run: (guest) => {
      guest.become();
      guest.share(SECRET_FRAME, 1);
      guest.share(0x7fff, 1);
    },
    events: [
      'ucall UV_SHARE_PAGE gfn=0xb0',
      'ucall-return 61744',
      'ucall UV_SHARE_PAGE gfn=0x7fff',
      'ucall-return 61744',
    ],
  },
  {
    name: 'secure-released-14-hypervisors-page',
    disagreement: 'revertRemaps',
    title: 'The hypervisor refuses the second frame of two',
    shows:
      'The first frame is taken back, and both sides call it secure; but its translation leads to the hypervisor’s page. What the guest keeps there from now on the host can read and write.',
    profile: 'svm-5.10',
    device: RNG,
    run: (guest, machine) => {
      guest.become();
      refuseSharing(machine, SECRET_FRAME + 1);
      guest.share(SECRET_FRAME, 2);
      fill(machine, SECRET_FRAME);
    },
    events: [
      'ucall UV_SHARE_PAGE gfn=0xb0 count=0x2',
      'gfn=0xb0 ultravisor: hv-sharing -> hv-shared',
      'uv-hcall-return H_PARAMETER',
      'gfn=0xb0 ultravisor: hv-unshared -> secure',
      'ucall-return U_P2',
    ],
  },
  {
    name: 'secure-released-17-first-frame',
    disagreement: 'revertFrame',
    title: 'The hypervisor refuses a frame behind one that is shared already',
    shows:
      'The released firmware makes the first frame of the range secure in place of the one that was refused: the hypervisor goes on sharing a frame that the guest no longer shares.',
    profile: 'svm-5.10',
    device: RNG,
    run: (guest, machine) => {
      guest.become();
      guest.share(SECRET_FRAME, 1);
      refuseSharing(machine, SECRET_FRAME + 1);
      guest.share(SECRET_FRAME, 2);
    },
    events: [
      'gfn=0xb0 hypervisor: paged-out -> shared',
      'ucall UV_SHARE_PAGE gfn=0xb0 count=0x2',
      'uv-hcall-return H_PARAMETER',
      'gfn=0xb0 ultravisor: shared -> secure',
      'ucall-return U_P2',
    ],
  },
];

/** From here on the hypervisor refuses to share these frames. */
function refuseSharing(machine: Machine, ...frames: readonly number[]): void {
  const side = machine.secureSide;
  if (side === undefined) throw new Error('the host has an ultravisor');
  const { hypervisor } = side;
  side.ultravisor.hypervisor = {
    enter: (frame) => {
      const { general } = frame;
      const asked = Number(general[3]) === H_SVM_PAGE_IN && general[5] === 1n;
      if (!asked || !frames.includes(Number((general[4] ?? 0n) >> 16n))) return hypervisor.enter(frame);
      general[0] = BigInt.asUintN(64, -4n);
      return 'uv-return';
    },
  };
}

export function secureLife(name: string): SecureLife | undefined {
  return SECURE_LIVES.find((life) => life.name === name);
}

/** The machine of a life. */
export function secureLifeConfig(life: SecureLife, seed: string): MachineConfig {
  const profile = profileOf(life);
  const config = machineConfig('7.2', [life.device]);
  return {
    ...config,
    seed,
    ramBytes: RAM_BYTES,
    cpus: profile.secure?.cpus ?? 1,
    host: hostOf(life),
  };
}

function hostOf({ veto, disagreement }: SecureLife): string {
  const admits = veto === true ? HOST : `${HOST},veto=off`;
  return disagreement === undefined ? admits : `${admits},${disagreement}=released`;
}

/** Lets the guest live on a fresh machine of that configuration. */
export function liveSecurely(life: SecureLife, machine: Machine): void {
  const options: DriverOptions = { profile: profileOf(life), requests: 1, loopback: true };
  const guest = new SecureGuest(machine.platform, options);
  guest.boot();
  life.run(guest, machine);
}

function profileOf({ profile }: SecureLife): GuestProfile {
  const found = PROFILES_BY_NAME.get(profile);
  if (found === undefined) throw new Error(`there is no guest profile ${profile}`);
  return found;
}
