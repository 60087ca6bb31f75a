// Writes recordings/: each row is one fault, what it shows, and where it lives. The case is in the recording and its text.
// The same sources always give the same bytes; `--check` only compares, for CI.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { caseText, parseStep } from '../src/fuzz/case-text.ts';
import type { Case, CaseMachine } from '../src/fuzz/case.ts';
import { writeWhole } from '../src/fuzz/corpus.ts';
import { machineFactory } from '../src/fuzz/factory.ts';
import { recordCase } from '../src/fuzz/finding.ts';

interface Row {
  readonly name: string;
  readonly scenario: string;
  readonly machine: Partial<CaseMachine>;
  readonly steps: readonly string[];
  readonly title: string;
  /** What to look for. */
  readonly shows: string;
  /** Whose behaviour it is, and where that stands. */
  readonly source: string;
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

const ROWS: readonly Row[] = [
  {
    name: 'd04-head-beyond-ring',
    scenario: 'hostile-rings',
    machine: {},
    steps: [
      'request',
      'submit head=300: r16 w512 w1',
      'register-read offset=20 width=1',
      'recover',
      'request',
    ],
    title: 'A head that names no descriptor',
    shows:
      'The available ring holds head 300 on a ring of 16. The device stops, sets DEVICE_NEEDS_RESET (status reads 0x4f) and serves again after a reset.',
    source: 'QEMU 7.2 virtqueue_get_head: "Guest says index 300 is available". VIRTIO leaves it open.',
  },
  {
    name: 'd06-available-index-jump',
    scenario: 'hostile-rings',
    machine: {},
    steps: ['submit jump=300: r16 w512 w1', 'register-read offset=20 width=1', 'recover', 'request'],
    title: 'An available index that jumps by more than the ring',
    shows:
      'One chain is offered and the index says 300. The device takes the same chain again and again until as many are in flight as the ring has entries, then stops: data was written, and of what it served nothing is reported used.',
    source:
      'QEMU 7.2 virtqueue_split_pop: "Virtqueue size exceeded". A driver may not do it (VIRTIO 1.3, 2.7.13); papyrus fuzz knows the unbounded form, on queues that give back at once, as available-index-jump.',
  },
  {
    name: 'd09-zero-length',
    scenario: 'hostile-rings',
    machine: {},
    steps: ['submit: r16 w0 w512 w1', 'register-read offset=20 width=1', 'recover', 'request'],
    title: 'An element of length zero',
    shows: 'A chain with an element of no bytes, which VIRTIO does not forbid, stops the device.',
    source:
      'QEMU 7.2 virtqueue_map_desc: "zero sized buffers are not allowed". An older QEMU looped for ever here (CVE-2016-6490).',
  },
  {
    name: 'd11-order',
    scenario: 'hostile-rings',
    machine: {},
    steps: ['submit: w512 r16 w1', 'register-read offset=20 width=1', 'recover', 'request'],
    title: 'A readable element behind a writable one',
    shows: 'The device reads the chain as far as the second element and stops.',
    source:
      'QEMU 7.2 virtqueue_split_pop: "Incorrect order for descriptors". Forbidden to drivers by VIRTIO 1.3, 2.7.4.2.',
  },
  {
    name: 'd12-indirect-not-negotiated',
    scenario: 'set-up-order',
    machine: PHYSICAL,
    steps: ['set-up', 'submit: i(r16 w512 w1)', 'recover', 'request'],
    title: 'An indirect table that was not negotiated',
    shows:
      'The driver accepts no feature at all and submits an indirect descriptor. The device follows it and completes the request.',
    source:
      'QEMU 7.2 looks at the flag only, never at the feature. Forbidden to drivers by VIRTIO 1.3, 2.7.5.3.1.',
  },
  {
    name: 'd18-direct-then-indirect',
    scenario: 'hostile-rings',
    machine: {},
    steps: ['submit: r16 r48^4', 'register-read offset=20 width=1', 'recover', 'request'],
    title: 'A direct element followed by an indirect one',
    shows:
      'A legal chain (VIRTIO 1.3, 2.7.5.3.2 obliges the device to handle it). QEMU takes the table for a data buffer and the block device dies of the missing status byte.',
    source: 'QEMU 7.2 virtqueue_split_pop looks for INDIRECT on the head only.',
  },
  {
    name: 'd25-own-registers',
    scenario: 'hostile-rings',
    machine: PHYSICAL,
    steps: ['submit: r16 w512@own-bar+8192 w1', 'recover', 'request'],
    title: 'A data buffer that is the device itself',
    shows:
      'The device writes a sector over its own configuration structure: real register writes, from inside the request that makes them.',
    source:
      'QEMU 7.2 bounces what is not RAM and really writes it. DMA re-entrancy, the class of CVE-2024-3446.',
  },
  {
    name: 'd36-unmapped-silent-success',
    scenario: 'tce-maps',
    machine: {},
    steps: ['submit: r16 w512@unmapped w1', 'request'],
    title: 'A data buffer without a TCE',
    shows:
      'The TCE of the data buffer is 0. The used entry says 513 bytes were written, the status byte says OK, and the data is nowhere.',
    source:
      'QEMU 7.2: translation gives no permission, the write goes to unassigned memory and nobody is told (softmmu/physmem.c). No EEH, no NEEDS_RESET.',
  },
  {
    name: 'd37-read-only-tce',
    scenario: 'tce-maps',
    machine: {},
    steps: ['submit: r16 w512@read-only w1', 'request'],
    title: 'A data buffer behind a read-only TCE',
    shows: 'As d36 with permission 01: the write is lost and counted.',
    source: 'QEMU 7.2, as d36.',
  },
  {
    name: 'd39-used-ring-unmapped',
    scenario: 'tce-maps',
    machine: {},
    steps: ['request', 'remap area=used', 'submit: r16 w512 w1', 'recover', 'request'],
    title: 'A used ring that loses its TCE',
    shows:
      'The request is carried out and the interrupt sent; every write to the used ring is a fault that nobody hears of. The guest waits for ever.',
    source: 'QEMU 7.2: stores into a ring ignore the result of the access.',
  },
  {
    name: 'd44-physical-address-behind-iommu',
    scenario: 'tce-maps',
    machine: {},
    steps: ['submit: r16 w512@physical w1', 'request'],
    title: 'A guest-physical address where an I/O bus address is wanted',
    shows:
      'The element names a page of RAM by its physical address while the device goes through TCEs: a fault, and success for the guest to read.',
    source:
      'QEMU 7.2 chooses the address space when the device is plugged. This is what an SVM guest of Linux 5.4 does (no DMA ops in secure guests).',
  },
  {
    name: 'd45-iova-without-access-platform',
    scenario: 'tce-maps',
    machine: PHYSICAL,
    steps: ['tce-put page=16384', 'submit: r16 w512@zero+67108864 w1', 'request'],
    title: 'An I/O bus address where a physical one is wanted',
    shows:
      'The driver maps a page at I/O bus address 0x4000000 and hands that address to a device with iommu_platform=off: the device writes to physical 0x4000000, somebody else’s memory.',
    source:
      'QEMU 7.2 with iommu_platform=off. The silent corruption that made ACCESS_PLATFORM an obligation (VIRTIO 1.3, 6.1).',
  },
  {
    name: 'd47-unoffered-bits',
    scenario: 'set-up-order',
    machine: {},
    steps: [
      'set-up phases=7',
      'features value=0xffffffff',
      'features select=1 value=0xffffffff',
      'status value=11',
      'register-read offset=20 width=1',
      'register-read offset=12',
      'recover',
      'request',
    ],
    title: 'Features that were not offered',
    shows:
      'The driver accepts all 64 bits. FEATURES_OK sticks, and the register gives back the bits as they were written.',
    source:
      'QEMU 7.2 masks with the offer and checks only ACCESS_PLATFORM. VIRTIO 1.3, 2.2.2 asks the device to refuse.',
  },
  {
    name: 'd54-kick-before-driver-ok',
    scenario: 'set-up-order',
    machine: PHYSICAL,
    steps: [
      'set-up phases=255',
      'submit: r16 w512 w1',
      'register-read offset=20 width=1',
      'recover',
      'request',
    ],
    title: 'A notification before DRIVER_OK',
    shows: 'Status is 0x0b and the block device serves the request all the same.',
    source:
      'QEMU 7.2 virtio_blk_handle_output starts on a kick. VIRTIO 1.3, 2.1.2 forbids a device to consume buffers before DRIVER_OK.',
  },
  {
    name: 'd60-bus-master-cleared',
    scenario: 'register-storm',
    machine: {},
    steps: [
      'request',
      'config-write offset=4 width=2 value=3',
      'submit: r16 w512 w1',
      'register-read offset=20 width=1',
      'recover',
      'request',
    ],
    title: 'Bus mastering taken away from a running device',
    shows:
      'Clearing bit 2 of the command register takes DRIVER_OK out of the status (it reads 0x0b) and the next notification does nothing.',
    source: 'QEMU 7.2 virtio_write_config, machines from 5.0 on.',
  },
  {
    name: 'd80-two-windows-one-state',
    scenario: 'set-up-order',
    machine: { mode: 'transitional', iommuPlatform: false },
    steps: [
      'request',
      'legacy-frame',
      'register-read offset=20 width=1',
      'register-read offset=28 width=2',
      'recover',
      'request',
    ],
    title: 'The legacy window resets a device that a modern driver runs',
    shows:
      'After a modern initialisation a legacy write of page frame 0 resets the whole device: status reads 0, the queue is disabled.',
    source:
      'QEMU 7.2: both interfaces of a transitional device stay live on one state. Firecracker’s CVE-2026-5747 is of this class.',
  },
  {
    name: 'd82-wrong-byte-order',
    scenario: 'set-up-order',
    machine: { mode: 'legacy', iommuPlatform: false, profile: 'legacy-le' },
    steps: [
      'request',
      'byte-order order=big',
      'status',
      'byte-order order=little',
      'status value=3',
      'legacy-frame frame=256',
      'status value=7',
      'submit: r16 w512 w1',
      'recover',
      'request',
    ],
    title: 'A little-endian driver on a device that was reset by a big-endian CPU',
    shows:
      'The byte order of a legacy device is latched when it is reset. Rings written in the other order make nonsense of addresses and lengths.',
    source:
      'QEMU 7.2 virtio_reset latches virtio_current_cpu_endian. What a little-endian kernel meets that does not reset after a big-endian firmware.',
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
      'ddw-query',
      'tce-put window=1',
      'tce-get window=1',
      'recover',
      'request',
    ],
    title: 'Two DMA windows at one bus address',
    shows:
      'The default window is removed and made anew twice. The last call answers with LIOBN 0x80000000 at bus address 1 << 59, where window 0x80000001 already lies.',
    source:
      'QEMU 7.2 rtas_ibm_create_pe_dma_window takes the first address only if no window at all is active (tce.md 3.3, measured).',
  },
  {
    name: 'legacy-guest-on-modern-device',
    scenario: 'whole-life',
    machine: { mode: 'modern', iommuPlatform: false, profile: 'legacy-be' },
    steps: [],
    title: 'A guest from before virtio 1.0 on a modern-only device',
    shows:
      'RHEL 6 looks for device ids 0x1000 to 0x103f, an I/O BAR and revision 0. The function has none of these; the guest ends its probe without a word and has no disk.',
    source:
      'The cell that decides whether disable-legacy=on can be a default (qemu-devel, February 2020: G. Kurz on RHEL 6.10).',
  },
];

const check = process.argv.includes('--check');
const factory = machineFactory([]);
const scratch = mkdtempSync(join(tmpdir(), 'papyrus-recordings-'));
let stale = 0;
for (const row of ROWS) {
  const value: Case = {
    scenario: row.scenario,
    machine: { ...BLK, ...row.machine },
    steps: row.steps.map((line) => parseStep(line)),
  };
  const made = join(scratch, `${row.name}.rec.cbor`);
  recordCase(made, value, factory);
  put(`recordings/${row.name}.rec.cbor`, readFileSync(made));
  put(`recordings/${row.name}.md`, Buffer.from(textOf(row, value)));
}
rmSync(scratch, { recursive: true });
process.stdout.write(`${ROWS.length} recordings, ${stale} ${check ? 'stale' : 'written'}\n`);
process.exitCode = check && stale > 0 ? 1 : 0;

function put(path: string, content: Buffer): void {
  if (existsSync(path) && readFileSync(path).equals(content)) return;
  stale++;
  if (check) process.stdout.write(`${path} is not what scripts/make-recordings.ts makes\n`);
  else writeWhole(path, content);
}

function textOf(row: Row, value: Case): string {
  return `# ${row.title}

${row.shows}

Where it lives: ${row.source}

    papyrus replay recordings/${row.name}.rec.cbor
    papyrus inspect recordings/${row.name}.rec.cbor

The case, which can be kept as a file, edited and run with \`papyrus record\`:

\`\`\`
${caseText(value)}\`\`\`
`;
}
