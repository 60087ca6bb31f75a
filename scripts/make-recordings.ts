// Writes recordings/, and the cases behind them to corpora/: `node scripts/make-recordings.ts` after the emulator has changed on
// purpose. Each row is one fault, what it shows, and where it lives; a recording that does not show it is not written.
// The same sources always give the same bytes; `--check` only compares, for CI.
import { existsSync, readFileSync } from 'node:fs';
import { caseRunner, preparedLife } from '../src/fuzz/case-runner.ts';
import { caseText, parseStep } from '../src/fuzz/case-text.ts';
import type { Case, CaseMachine } from '../src/fuzz/case.ts';
import { writeWhole } from '../src/fuzz/corpus.ts';
import { DISAGREEMENTS } from '../src/emu/ultravisor/behaviour.ts';
import { machineFactory } from '../src/fuzz/factory.ts';
import { SECURE_LIVES, secureLife, type SecureLife } from '../src/matrix/secure-lives.ts';
import type { PreparedCase } from '../src/trace/case-runner.ts';
import { MemorySource, RecordingReader } from '../src/trace/reader.ts';
import { MemorySink, Recorder } from '../src/trace/recorder.ts';
import { EventText } from '../src/trace/report-text.ts';

export interface Row {
  readonly name: string;
  readonly scenario: string;
  readonly machine: Partial<CaseMachine>;
  readonly steps: readonly string[];
  readonly title: string;
  /** What to look for. */
  readonly shows: string;
  /** Whose behaviour it is, and where that stands; D numbers are rows of the project's list of faults. */
  readonly source: string;
  /** What lines of `papyrus inspect` must hold, in this order: a recording that does not show its fault is refused. */
  readonly events: readonly string[];
  /** What no line from the first to the last of them may hold; to the end of the recording if `up` is false. */
  readonly never?: readonly string[];
  /** False where the guest never gets its device up: such a case is no input of a corpus. */
  readonly up?: false;
}

const BLK: CaseMachine = {
  machine: 'pseries-7.2',
  device: 'blk',
  mode: 'modern',
  iommuPlatform: true,
  profile: 'modern-plat',
  seed: '1',
};
const PHYSICAL = { iommuPlatform: false } as const;

const CASE_ROWS: readonly Row[] = [
  {
    name: 'd01-descriptor-loop',
    scenario: 'hostile-rings',
    machine: {},
    steps: ['submit: r16 w512>1', 'register-read offset=20 width=1'],
    title: 'A descriptor that names itself as the next one',
    shows:
      'The second descriptor of the chain points at itself. The device reads it until it has taken as many elements as the ring has descriptors, stops and sets DEVICE_NEEDS_RESET; nothing is reported used.',
    source:
      'D01. QEMU 7.2 virtqueue_split_pop: "Looped descriptor". Forbidden to drivers by VIRTIO 1.3, 2.7.5.2. Without the bound a device overruns its own arrays (CVE-2011-2212).',
    events: ['descriptor 0 | r16', 'descriptor 1 | w512', 'descriptor 1 | w512', 'value=0x4f'],
    never: ['used.idx'],
  },
  {
    name: 'd04-head-beyond-ring',
    scenario: 'hostile-rings',
    machine: {},
    steps: ['submit head=16: r16 w512 w1', 'register-read offset=20 width=1'],
    title: 'A head that names no descriptor',
    shows:
      'The available ring holds head 16 on a ring of 16. The device looks at no descriptor, stops, sets DEVICE_NEEDS_RESET (status reads 0x4f) and serves again after a reset.',
    source:
      'D04. QEMU 7.2 virtqueue_get_head: "Guest says index 16 is available". VIRTIO leaves it open. Who only trusts the head reads behind the table.',
    events: ['avail.ring[0] | 1000', 'value=0x4f'],
    never: ['descriptor', 'used.idx'],
  },
  {
    name: 'd06-available-index-jump',
    scenario: 'hostile-rings',
    machine: {},
    steps: [
      'request kind=write sector=62 fill=90',
      'submit: r16 r512@zero+0x10100010 w1',
      'submit jump=300: r16 w512 w1',
      'register-read offset=20 width=1',
    ],
    title: 'An available index that jumps by more than the ring',
    shows:
      'One chain is offered and the index says 300. The device takes the same chain again and again until as many are in flight as the ring has entries, then stops: data was written, and of what it served nothing is reported used.',
    source:
      'D06. QEMU 7.2 virtqueue_split_pop: "Virtqueue size exceeded". A driver may not do it (VIRTIO 1.3, 2.7.6.1); papyrus fuzz knows the unbounded form, on queues that give back at once, as available-index-jump.',
    events: ['avail.idx | 2e01', '512 bytes of 5a', '512 bytes of 5a', 'value=0x4f'],
    never: ['used.idx'],
  },
  {
    name: 'd09-zero-length',
    scenario: 'hostile-rings',
    machine: {},
    steps: ['submit: r16 w0 w512 w1', 'register-read offset=20 width=1'],
    title: 'An element of length zero',
    shows: 'A chain with an element of no bytes, which VIRTIO does not forbid, stops the device.',
    source:
      'D09. QEMU 7.2 virtqueue_map_desc: "zero sized buffers are not allowed". An older QEMU looped for ever here (CVE-2016-6490).',
    events: ['descriptor 1 | w0@', 'value=0x4f'],
    never: ['used.idx'],
  },
  {
    name: 'd11-order',
    scenario: 'hostile-rings',
    machine: {},
    steps: ['submit: r16 w512 r512 w1', 'register-read offset=20 width=1'],
    title: 'A readable element behind a writable one',
    shows: 'The device reads the chain as far as the second element and stops.',
    source:
      'D11. QEMU 7.2 virtqueue_split_pop: "Incorrect order for descriptors". Forbidden to drivers by VIRTIO 1.3, 2.7.4.2.',
    events: ['descriptor 1 | w512', 'descriptor 2 | r512', 'value=0x4f'],
    never: ['used.idx', 'descriptor 3'],
  },
  {
    name: 'd12-indirect-not-negotiated',
    scenario: 'set-up-order',
    machine: PHYSICAL,
    steps: [
      'set-up phases=7',
      'features',
      'features select=1 value=1',
      'status value=11',
      'set-up phases=120',
      'status value=15',
      'register-read offset=20 width=1',
      'submit: i(r16 w512 w1)',
      'register-read offset=20 width=1',
    ],
    title: 'An indirect table that was not negotiated',
    shows:
      'The driver accepts VERSION_1 and nothing else, and submits an indirect descriptor. The device follows it and completes the request.',
    source:
      'D12. QEMU 7.2 looks at the flag only, never at the feature. Forbidden to drivers by VIRTIO 1.3, 2.7.5.3.1.',
    events: [
      '0x21000000000c/4 = 0x0 |',
      '0x21000000000c/4 = 0x1 |',
      'value=0xf',
      'descriptor 0 |',
      'used.idx | 0100',
      'value=0xf',
    ],
  },
  {
    name: 'd18-direct-then-indirect',
    scenario: 'hostile-rings',
    machine: {},
    steps: ['submit: r16 r48^4', 'register-read offset=20 width=1'],
    title: 'A direct element followed by an indirect one',
    shows:
      'A legal chain (VIRTIO 1.3, 2.7.5.3.2 obliges the device to handle it). QEMU takes the table for a data buffer and the block device dies of the missing status byte.',
    source: 'D18. QEMU 7.2 virtqueue_split_pop looks for INDIRECT on the head only.',
    events: ['descriptor 0 | r16', 'descriptor 1 | ', 'value=0x4f'],
    never: ['used.idx'],
  },
  {
    name: 'd25-own-registers',
    scenario: 'hostile-rings',
    machine: PHYSICAL,
    steps: ['submit: r16 w512@own-bar+8192 w1', 'register-read offset=20 width=1'],
    title: 'A data buffer that is the device itself',
    shows:
      'The device writes a sector over its own configuration structure: real register writes, from inside the request that makes them.',
    source:
      'D25. QEMU 7.2 bounces what is not RAM and really writes it. DMA re-entrancy, the class of CVE-2024-3446.',
    events: [
      'descriptor 1 | w512@0x210000002000',
      'dma-write 00:01.0 0x210000002000 | 512 bytes of 00',
      'used.idx | 0100',
      'value=0xf',
    ],
  },
  {
    name: 'd36-unmapped-silent-success',
    scenario: 'tce-maps',
    machine: {},
    steps: [
      'request kind=write sector=62 fill=90',
      'submit: r16 r512@zero+0x10100010 w1',
      'submit: r16 r512@unmapped w1',
      'submit: r16 w512 w1',
      'submit: r16 w512@unmapped w1',
      'register-read offset=20 width=1',
    ],
    title: 'A data buffer without a TCE',
    shows:
      'The TCE of a data buffer is 0. A sector of 0x5a is written from there and holds zeros afterwards; a sector is read to there, the used entry says 513 bytes were written, the status byte says OK, and the data is nowhere.',
    source:
      'D36. QEMU 7.2: translation gives no permission, the write goes to unassigned memory and nobody is told (softmmu/physmem.c). No EEH, no NEEDS_RESET.',
    events: [
      '512 bytes of 5a',
      '0x10800000 512 bytes, read dropped',
      'used.idx | 0300',
      '512 bytes of 00',
      'used.idx | 0400',
      '0x10800000 512 bytes, write dropped',
      'used.ring[4] | 0c00000001020000',
      'value=0xf',
    ],
  },
  {
    name: 'd37-read-only-tce',
    scenario: 'tce-maps',
    machine: {},
    steps: [
      'request kind=write sector=62 fill=90',
      'submit: r16 r512@zero+0x10100010 w1',
      'submit: r16 w512@read-only w1',
      'submit: r16 r512@read-only w1',
      'register-read offset=20 width=1',
    ],
    title: 'A data buffer behind a read-only TCE',
    shows:
      'As d36 with permission 01: the write is lost and counted, and the device itself reads back what stood there before.',
    source: 'D37. QEMU 7.2, as d36.',
    events: [
      '512 bytes of 5a',
      '0x10200000 512 bytes, write dropped',
      'used.ring[2] | 0600000001020000',
      'dma-read 00:01.0 0x10200000 | 512 bytes of 00',
      'value=0xf',
    ],
  },
  {
    name: 'd39-used-ring-unmapped',
    scenario: 'tce-maps',
    machine: {},
    steps: [
      'request kind=write sector=62 fill=90',
      'submit: r16 r512@zero+0x10100010 w1',
      'register-read region=isr width=1',
      'remap area=used',
      'submit: r16 w512 w1',
      'register-read offset=20 width=1',
    ],
    title: 'A used ring that loses its TCE',
    shows:
      'The request is carried out and the interrupt sent; every write to the used ring is a fault that nobody hears of, so the guest waits for ever. The length of the used entry even goes to another address (0x18): behind the first four bytes QEMU takes the offset in its ring cache for an I/O bus address.',
    source: 'D39. QEMU 7.2: stores into a ring ignore the result of the access.',
    events: [
      'ioba=0x10001000',
      '512 bytes of 5a',
      '0x10001014 4 bytes, write dropped',
      '0x10001002 2 bytes, write dropped',
      'interrupt source',
      'value=0xf',
    ],
    never: ['used.idx'],
  },
  {
    name: 'd43-element-crosses-into-unmapped',
    scenario: 'tce-maps',
    machine: {},
    steps: [
      'request kind=write sector=62 fill=90',
      'submit: r16 r512@zero+0x10100010 w1',
      'submit: r16 w512@crossing w1',
      'register-read offset=20 width=1',
    ],
    title: 'A buffer that runs into a page without a TCE',
    shows:
      'A sector is to go to the last 16 bytes of a mapped page and on into a page whose TCE is 0. The 16 bytes arrive, the other 496 are lost, and the used entry counts 513.',
    source:
      'D43. QEMU 7.2 translates each page on its own and tells nobody of the second (softmmu/physmem.c). CVE-2018-1059 is what becomes of this border in a device that checks it once.',
    events: [
      '0x1011fff0 | 16 bytes of 5a',
      '0x10120000 496 bytes, write dropped',
      'used.ring[2] | 0600000001020000',
      'value=0xf',
    ],
  },
  {
    name: 'd44-physical-address-behind-iommu',
    scenario: 'tce-maps',
    machine: {},
    steps: [
      'request kind=write sector=62 fill=90',
      'submit: r16 r512@zero+0x10100010 w1',
      'submit: r16 w512@physical w1',
      'register-read offset=20 width=1',
    ],
    title: 'A guest-physical address where an I/O bus address is wanted',
    shows:
      'The element names a page of RAM by its physical address while the device goes through TCEs: a fault, and success for the guest to read.',
    source:
      'D44. QEMU 7.2 chooses the address space when the device is plugged. This is what an SVM guest of Linux 5.4 does (no DMA ops in secure guests).',
    events: ['0x300000 512 bytes, write dropped', 'used.ring[2] | 0600000001020000', 'value=0xf'],
  },
  {
    name: 'd44-access-platform-refused',
    scenario: 'set-up-order',
    machine: { profile: 'modern-noplat' },
    steps: [],
    title: 'A guest without ACCESS_PLATFORM on a device that asks for it',
    shows:
      'iommu_platform=on and a guest of the kind of Linux 4.0 to 4.7, which does not know the feature: it writes FEATURES_OK and reads status 3, and gives the device up.',
    source: 'D44. QEMU 7.2 virtio_validate_features: a device may refuse (VIRTIO 1.3, 6.2).',
    events: ['0x21000000000c/4 = 0x1 |', '= 0xb | 00:01.0 common.status', 'read-value value=0x3'],
    never: ['notify'],
    up: false,
  },
  {
    name: 'd45-iova-without-access-platform',
    scenario: 'tce-maps',
    machine: PHYSICAL,
    steps: [
      'request kind=write sector=62 fill=90',
      'submit: r16 r512@zero+0x200010 w1',
      'tce-put page=0x300',
      'tce-get page=0x300',
      'submit: r16 w512@zero+0x300000 w1',
      'submit: r16 r512@zero+0x300000 w1',
      'register-read offset=20 width=1',
    ],
    title: 'An I/O bus address where a physical one is wanted',
    shows:
      'The driver maps its buffer at I/O bus address 0x300000, reads the TCE back, and hands that address to a device with iommu_platform=off: the sector goes to physical 0x300000, somebody else’s memory, and comes back from there.',
    source:
      'D45. QEMU 7.2 with iommu_platform=off. The silent corruption that made ACCESS_PLATFORM an obligation (VIRTIO 1.3, 6.1).',
    events: [
      '512 bytes of 5a',
      'H_GET_TCE liobn=0x80000000 ioba=0x300000',
      'r4=0x200003',
      'dma-write 00:01.0 0x300000 | 512 bytes of 5a',
      'dma-read 00:01.0 0x300000 | 512 bytes of 5a',
      'value=0xf',
    ],
    never: ['dma-fault'],
  },
  {
    name: 'd47-unoffered-bits',
    scenario: 'set-up-order',
    machine: {},
    steps: [
      'set-up phases=7',
      'register-write value=0',
      'register-read offset=4',
      'register-write value=1',
      'register-read offset=4',
      'features value=0xffffffff',
      'features select=1 value=0xffffffff',
      'status value=11',
      'register-read offset=20 width=1',
      'register-write offset=8 value=0',
      'register-read offset=12',
      'register-write offset=8 value=1',
      'register-read offset=12',
      'set-up phases=120',
      'status value=15',
      'submit: r16 w512 w1',
      'register-read offset=20 width=1',
    ],
    title: 'Features that were not offered',
    shows:
      'The device offers bits 0x103_30006e54 and the driver accepts all 64 bits. FEATURES_OK sticks, the register gives back the bits as they were written, and the queue is served.',
    source:
      'D47. QEMU 7.2 masks with the offer and checks only ACCESS_PLATFORM. VIRTIO 1.3, 2.2.2 asks the device to refuse.',
    events: [
      'value=0x30006e54',
      'value=0x103',
      '0x21000000000c/4 = 0xffffffff',
      '= 0xb | 00:01.0 common.status',
      'value=0xb',
      'value=0xffffffff',
      'value=0xffffffff',
      'used.idx | 0100',
      'value=0xf',
    ],
  },
  {
    name: 'd54-kick-before-driver-ok',
    scenario: 'set-up-order',
    machine: PHYSICAL,
    steps: [
      'set-up phases=7',
      'features',
      'features select=1 value=1',
      'status value=11',
      'set-up phases=120',
      'submit: r16 w512 w1',
      'register-read offset=20 width=1',
    ],
    title: 'A notification before DRIVER_OK',
    shows: 'Status is 0x0b and the block device serves the request all the same.',
    source:
      'D54. QEMU 7.2 virtio_blk_handle_output starts on a kick. VIRTIO 1.3, 2.1.2 forbids a device to consume buffers before DRIVER_OK.',
    events: [
      '0x21000000000c/4 = 0x0 |',
      '= 0xb | 00:01.0 common.status',
      'notify queue 0',
      'used.idx | 0100',
      'value=0xb',
    ],
    never: ['= 0xf | 00:01.0 common.status'],
  },
  {
    name: 'd60-bus-master-cleared',
    scenario: 'register-storm',
    machine: {},
    steps: [
      'request',
      'config-write offset=4 width=2 value=3',
      'register-read offset=20 width=1',
      'submit: r16 w512 w1',
      'register-read offset=20 width=1',
    ],
    title: 'Bus mastering taken away from a running device',
    shows:
      'Clearing bit 2 of the command register takes DRIVER_OK out of the status (it reads 0x0b) and the next notification does nothing.',
    source: 'D60. QEMU 7.2 virtio_write_config, machines from 5.0 on.',
    events: [
      'write-pci-config(0x804, 0x8000000, 0x20000000, 0x2, 0x3)',
      'value=0xb',
      'notify queue 0',
      'value=0xb',
    ],
    never: ['used.idx'],
  },
  {
    name: 'd66-queue-enable-zero',
    scenario: 'register-storm',
    machine: {},
    steps: [
      'register-write offset=0x16 width=2',
      'register-write offset=0x1c width=2',
      'register-read offset=20 width=1',
      'submit: r16 w512 w1',
      'register-read offset=20 width=1',
    ],
    title: 'A queue that is switched off by writing 0 to queue_enable',
    shows:
      'The driver writes 0 to queue_enable of a live queue. The device is broken from then on: status reads 0x4f and the next notification does nothing.',
    source:
      'D66. QEMU 7.2 virtio_pci_common_write: "wrong value for queue_enable 0". Forbidden to drivers by VIRTIO 1.3, 4.1.4.3.2.',
    events: ['= 0x0 | 00:01.0 common.q_enable', 'value=0x4f', 'notify queue 0', 'value=0x4f'],
    never: ['descriptor', 'used.idx'],
  },
  {
    name: 'd80-two-windows-one-state',
    scenario: 'set-up-order',
    machine: { mode: 'transitional', iommuPlatform: false },
    steps: [
      'request',
      'register-read offset=20 width=1',
      'register-read offset=28 width=2',
      'legacy-frame',
      'register-read offset=20 width=1',
      'register-read offset=28 width=2',
    ],
    title: 'The legacy window resets a device that a modern driver runs',
    shows:
      'After a modern initialisation a legacy write of page frame 0 resets the whole device: status reads 0, the queue is disabled.',
    source:
      'D80. QEMU 7.2: both interfaces of a transitional device stay live on one state. Firecracker’s CVE-2026-5747 is of this class.',
    events: [
      'used.idx | 0100',
      'common.status',
      'value=0xf',
      'common.q_enable',
      'value=0x1',
      '= 0x0 | 00:01.0 legacy.queue_pfn',
      'common.status',
      'value=0x0',
      'common.q_enable',
      'value=0x0',
    ],
  },
  {
    name: 'd82-wrong-byte-order',
    scenario: 'set-up-order',
    machine: { mode: 'legacy', iommuPlatform: false, profile: 'legacy-le' },
    steps: [
      'byte-order order=big',
      'status',
      'byte-order order=little',
      'status value=1',
      'status value=3',
      'legacy-frame frame=256',
      'status value=7',
      'submit: r16 w512 w1',
      'register-read offset=18 width=1',
    ],
    title: 'A little-endian driver on a device that was reset by a big-endian CPU',
    shows:
      'The byte order of a legacy device is latched when it is reset. Rings written in the other order make nonsense of addresses: 0x200000 becomes 0x200000000000, and the device stops. A legacy status has no DEVICE_NEEDS_RESET: it goes on reading 7.',
    source:
      'D82. QEMU 7.2 virtio_reset latches virtio_current_cpu_endian. What a little-endian kernel meets that does not reset after a big-endian firmware.',
    events: [
      'msr=0x8000000000000000',
      '= 0x0 | 00:01.0 legacy.status',
      'avail.idx | 0100',
      '0x200000000000 4096 bytes, read dropped',
      'value=0x7',
    ],
    never: ['used.idx'],
  },
  {
    name: 'ddw-windows-overlap',
    scenario: 'tce-maps',
    machine: {},
    steps: [
      'ddw-query',
      'ddw-remove',
      'ddw-create',
      'ddw-create windowShift=30',
      'ddw-remove',
      'ddw-create',
      'tce-put page=16',
      'tce-put window=1 page=16',
    ],
    title: 'Two DMA windows at one bus address',
    shows:
      'The default window is removed, two are made, the first of them is removed and made again. The last call answers with LIOBN 0x80000000 at bus address 1 << 59, where window 0x80000001 already lies, and H_PUT_TCE refuses it bus addresses from 0.',
    source:
      'QEMU 7.2 rtas_ibm_create_pe_dma_window takes the first address only if no window at all is active (tce.md 3.3, measured).',
    events: [
      'remove-pe-dma-window(0x80000000)',
      'rtas-return 0x0, 0x80000000, 0x0, 0x0',
      'rtas-return 0x0, 0x80000001, 0x8000000, 0x0',
      'remove-pe-dma-window(0x80000000)',
      'rtas-return 0x0, 0x80000000, 0x8000000, 0x0',
      'H_PUT_TCE liobn=0x80000000',
      'H_PARAMETER',
      'H_PUT_TCE liobn=0x80000001',
      'H_SUCCESS',
    ],
  },
  {
    name: 'legacy-guest-on-modern-device',
    scenario: 'whole-life',
    machine: { mode: 'modern', iommuPlatform: false, profile: 'legacy-be' },
    steps: [],
    title: 'A guest from before virtio 1.0 on a modern-only device',
    shows:
      'A guest of the kind of RHEL 6 binds to device ids 0x1000 to 0x103f and drives an I/O BAR. It finds id 0x1042, and BAR 0 reads 0 after it was written: it ends its probe without touching a register, and has no disk.',
    source:
      'The cell that decides whether disable-legacy=on can be a default (qemu-devel, February 2020: G. Kurz on RHEL 6.10).',
    events: [
      'rtas-return 0x0, 0x10421af4',
      'write-pci-config(0x810',
      'read-pci-config(0x810',
      'rtas-return 0x0, 0x0',
    ],
    never: ['pio-', 'mmio-'],
    up: false,
  },
];

/** Lives of secure guests: one for each sentence of the thread about them that a run can show. */
function lifeRow({ name, rule, disagreement, title, shows, events, never }: SecureLife): Row {
  return {
    name,
    scenario: '',
    machine: {},
    steps: [],
    title,
    shows,
    source: rule === undefined ? disagreementOf(disagreement) : `${rule} (\`papyrus explain ${rule}\`).`,
    events,
    ...(never === undefined ? {} : { never }),
    up: false,
  };
}

function disagreementOf(knob: string | undefined): string {
  const row = DISAGREEMENTS.find((one) => one.knob === knob);
  if (row === undefined) throw new Error(`there is no disagreement ${knob ?? ''}`);
  return `disagreement ${row.number}, ${row.about}: ${row.source}. Released: ${row.released}. Document: ${row.documented}.`;
}

export const ROWS: readonly Row[] = [...CASE_ROWS, ...SECURE_LIVES.map((life) => lifeRow(life))];

/** How every case with a fault ends that a guest can come back from: a reset, and honest requests that are served. */
const SERVED_AGAIN = ['/1 = 0x0 | 00:01.0', 'used.idx | 0200'];
const factory = machineFactory([]);

/** The files of a row by path, as the sources of today make them. Throws a sentence if the fault does not show. */
export function filesOf(row: Row): ReadonlyMap<string, Buffer> {
  const life = secureLife(row.name);
  if (life !== undefined) return filesOfLife(row, life);
  const value: Case = {
    scenario: row.scenario,
    machine: { ...BLK, ...row.machine },
    steps: row.steps.map((line) => parseStep(line)),
  };
  const recording = recordingOf(caseRunner(factory).ready(value));
  const told = tellingLines(row, linesOf(recording));
  const files = new Map([
    [`recordings/${row.name}.rec.cbor`, recording],
    [`recordings/${row.name}.md`, Buffer.from(textOf(row, value, told))],
  ]);
  if (row.up !== false)
    files.set(`corpora/${row.scenario}/${row.name}.case`, Buffer.from(caseFileOf(row, value)));
  return files;
}

function filesOfLife(row: Row, life: SecureLife): ReadonlyMap<string, Buffer> {
  const recording = recordingOf(preparedLife(life, '1'));
  const told = tellingLines(row, linesOf(recording));
  return new Map([
    [`recordings/${row.name}.rec.cbor`, recording],
    [
      `recordings/${row.name}.md`,
      Buffer.from(
        `${storyOf(row, told)}Guest \`${life.profile}\`; \`papyrus record ${life.name}\` makes it again.\n`,
      ),
    ],
  ]);
}

/** Runs a case and records it. */
export function recordingOf(prepared: PreparedCase): Buffer {
  const sink = new MemorySink();
  const recorder = new Recorder(prepared.header, sink);
  let digest: (() => string) | undefined;
  const how = prepared.run((machine) => {
    digest = () => machine.digest();
    recorder.restart(prepared.header, machine);
    machine.setTap(recorder);
  });
  recorder.finish(how === 'cut' ? undefined : digest?.());
  return Buffer.from(sink.bytes);
}

/** Every event as `papyrus inspect` prints it. */
export function linesOf(recording: Uint8Array): string[] {
  const reader = new RecordingReader(new MemorySource(recording));
  const text = new EventText(reader.header);
  const lines: string[] = [];
  reader.forEach((event, number) => {
    lines.push(text.line(event, number));
  });
  return lines;
}

/** The lines that tell what happened, in order; throws a sentence that names what is missing, or there in spite of it. */
export function tellingLines(row: Row, lines: readonly string[]): string[] {
  const told: number[] = [];
  const find = (wanted: string): number => {
    const at = lines.findIndex((line, index) => index > (told.at(-1) ?? -1) && line.includes(wanted));
    if (at < 0)
      throw new Error(`${row.name} does not show its fault: no line holds '${wanted}' where it should`);
    return told.push(at);
  };
  for (const wanted of row.events) find(wanted);
  const shown = told.map((at) => lines[at] ?? '');
  const between = lines.slice(told[0], row.up === false ? lines.length : (told.at(-1) ?? 0) + 1);
  for (const unwanted of row.never ?? []) {
    const line = between.find((one) => one.includes(unwanted));
    if (line !== undefined)
      throw new Error(`${row.name} does not show its fault: there should be no '${line}'`);
  }
  if (row.up !== false) for (const wanted of SERVED_AGAIN) find(wanted);
  return shown;
}

/** A corpus file: the case under the name of what it shows. */
function caseFileOf(row: Row, value: Case): string {
  const [version = '', ...rest] = caseText(value).split('\n');
  return [version, `# ${row.title}: recordings/${row.name}.md`, ...rest].join('\n');
}

function textOf(row: Row, value: Case, told: readonly string[]): string {
  const where = row.up === false ? '' : ` (it is \`corpora/${row.scenario}/${row.name}.case\`)`;
  return `${storyOf(row, told)}The case, which can be edited and run with \`papyrus record\`${where}:

\`\`\`
${caseText(value)}\`\`\`
`;
}

function storyOf(row: Row, told: readonly string[]): string {
  const numbers = told.map((line) => Number.parseInt(line, 10));
  const range = `--from ${numbers[0] ?? 0} --until ${numbers.at(-1) ?? 0}`;
  const file = `recordings/${row.name}.rec.cbor`;
  return `# ${row.title}

${row.shows}

Where it lives: ${row.source}

    papyrus replay ${file}
    papyrus inspect ${file} ${range}

Expected: the replay is identical, and among the lines that the second command prints are, in this order,

\`\`\`
${told.join('\n')}
\`\`\`

`;
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  let stale = 0;
  for (const row of ROWS) {
    for (const [path, content] of filesOf(row)) {
      if (existsSync(path) && readFileSync(path).equals(content)) continue;
      stale++;
      if (check) process.stdout.write(`${path} is not what scripts/make-recordings.ts makes\n`);
      else writeWhole(path, content);
    }
  }
  process.stdout.write(`${ROWS.length} recordings, ${stale} files ${check ? 'stale' : 'written'}\n`);
  process.exitCode = check && stale > 0 ? 1 : 0;
}
