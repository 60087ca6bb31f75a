import type { OutcomeClass } from './observe.ts';

/** What became of the device, and the line that shows it (`Observation.evidence`). */
type Expected = readonly [outcome: OutcomeClass, evidence: string];

export interface FaultRow {
  /** Row of the list of faults: D for what drivers do. */
  readonly id: string;
  /** File in corpora/faults, without its suffix. */
  readonly name: string;
  readonly qemu: Expected;
  /** Absent: as QEMU. */
  readonly spec?: Expected;
}

/**
 * Every fault that a driver can commit, as the list of faults numbers them, with what comes of it under either behaviour.
 * `read` and `wrote` are the bytes of all accesses of the device; values after `saw` are what the case's looks gave.
 */
export const FAULTS: readonly FaultRow[] = [
  {
    id: 'D01',
    name: 'd01-descriptor-loop',
    qemu: ['needs reset', 'status 4f isr 3; Looped descriptor; read 288 wrote 8'],
  },
  {
    id: 'D02',
    name: 'd02-chain-longer-than-queue',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 342 wrote 531'],
    spec: ['needs reset', 'status 4f isr 3; Looped descriptor; read 304 wrote 8'],
  },
  {
    id: 'D03',
    name: 'd03-next-beyond-table',
    qemu: ['needs reset', 'status 4f isr 3; Desc next is 16; read 48 wrote 8'],
  },
  {
    id: 'D04',
    name: 'd04-head-beyond-queue',
    qemu: ['needs reset', 'status 4f isr 3; Guest says index 16 is available; read 16 wrote 8'],
  },
  {
    id: 'D05',
    name: 'd05-head-twice',
    qemu: ['served', 'status f isr 1; used 0: 0=513 0=513; read 154 wrote 1054'],
  },
  {
    id: 'D06',
    name: 'd06-available-index-jump',
    qemu: ['needs reset', 'status 4f isr 3; used 0: 0=513; Virtqueue size exceeded; read 1180 wrote 8743'],
    spec: [
      'needs reset',
      'status 4f isr 3; used 0: 0=513; Guest moved available index from 1 to 21; read 92 wrote 535',
    ],
  },
  {
    id: 'D07',
    name: 'd07-available-index-back',
    qemu: ['needs reset', 'status 4f isr 3; used 0: 0=513; Virtqueue size exceeded; read 1180 wrote 8743'],
    spec: [
      'needs reset',
      'status 4f isr 3; used 0: 0=513; Guest moved available index from 1 to 0; read 92 wrote 535',
    ],
  },
  {
    id: 'D08',
    name: 'd08-more-than-the-queue-holds',
    qemu: ['needs reset', 'status 4f isr 3; Virtqueue size exceeded; read 1358 wrote 8216'],
    spec: ['needs reset', 'status 4f isr 3; Guest moved available index from 0 to 20; read 14 wrote 8'],
  },
  {
    id: 'D09',
    name: 'd09-empty-element',
    qemu: ['needs reset', 'status 4f isr 3; virtio: zero sized buffers are not allowed; read 48 wrote 8'],
    spec: ['served', 'status f isr 1; used 0: 0=513; read 102 wrote 531'],
  },
  {
    id: 'D10',
    name: 'd10-only-empty-elements',
    qemu: ['needs reset', 'status 4f isr 3; virtio: zero sized buffers are not allowed; read 32 wrote 8'],
    spec: ['needs reset', 'status 4f isr 3; virtio-blk missing headers; read 48 wrote 8'],
  },
  {
    id: 'D11',
    name: 'd11-readable-after-writable',
    qemu: ['needs reset', 'status 4f isr 3; Incorrect order for descriptors; read 64 wrote 8'],
  },
  {
    id: 'D12',
    name: 'd12-indirect-not-negotiated',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 110 wrote 535'],
    spec: ['needs reset', 'status 4f isr 3; Indirect descriptor without the feature; read 32 wrote 8'],
  },
  {
    id: 'D13',
    name: 'd13-indirect-in-table',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 102 wrote 531'],
    spec: ['needs reset', 'status 4f isr 3; Indirect descriptor in an indirect table; read 64 wrote 8'],
  },
  {
    id: 'D14',
    name: 'd14-indirect-with-next',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 102 wrote 531'],
    spec: ['needs reset', 'status 4f isr 3; Indirect descriptor with a successor; read 32 wrote 8'],
  },
  {
    id: 'D15',
    name: 'd15-empty-table',
    qemu: ['needs reset', 'status 4f isr 3; Invalid size for indirect buffer table; read 32 wrote 8'],
  },
  {
    id: 'D16',
    name: 'd16-table-length-odd',
    qemu: ['needs reset', 'status 4f isr 3; Invalid size for indirect buffer table; read 32 wrote 8'],
  },
  {
    id: 'D17',
    name: 'd17-table-length-huge',
    qemu: ['needs reset', 'status 4f isr 3; Cannot map indirect buffer; read 32 wrote 8'],
  },
  {
    id: 'D18',
    name: 'd18-direct-then-indirect',
    qemu: ['needs reset', 'status 4f isr 3; virtio-blk missing headers; read 48 wrote 8; saw deadbeef'],
    spec: ['served', 'status f isr 1; used 0: 0=513; read 102 wrote 531; saw 0'],
  },
  {
    id: 'D19',
    name: 'd19-write-on-indirect',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 102 wrote 531'],
  },
  {
    id: 'D20',
    name: 'd20-unknown-flags',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531'],
  },
  {
    id: 'D21',
    name: 'd21-wraps-64-bits',
    qemu: ['lost unseen', 'status f isr 1; used 0: 0=513; read 86 wrote 531; 1 faults'],
    spec: [
      'needs reset',
      'status 4f isr 3; an access to memory was not answered; read 86 wrote 521; 1 faults',
    ],
  },
  {
    id: 'D22',
    name: 'd22-longer-than-memory',
    qemu: ['needs reset', 'status 4f isr 3; virtio: bogus descriptor or out of resources; read 48 wrote 8'],
  },
  {
    id: 'D23',
    name: 'd23-outside-ram',
    qemu: ['lost unseen', 'status f isr 1; used 0: 0=513; read 86 wrote 19; 1 faults'],
    spec: ['needs reset', 'status 4f isr 3; an access to memory was not answered; read 86 wrote 9; 1 faults'],
  },
  {
    id: 'D24',
    name: 'd24-other-device',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531'],
  },
  {
    id: 'D25',
    name: 'd25-own-registers',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531'],
  },
  {
    id: 'D26',
    name: 'd26-over-the-rings',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531'],
  },
  {
    id: 'D27',
    name: 'd27-overlapping-elements',
    qemu: ['served', 'status f isr 1; used 0: 0=1025; read 102 wrote 1043'],
  },
  {
    id: 'D28',
    name: 'd28-changed-after-publication',
    qemu: ['served', 'status f isr 1; used 0: 0=1025; read 86 wrote 1043'],
  },
  {
    id: 'D29',
    name: 'd29-across-the-end-of-ram',
    qemu: ['lost unseen', 'status f isr 1; used 0: 0=513; read 86 wrote 35; 1 faults'],
    spec: [
      'needs reset',
      'status 4f isr 3; an access to memory was not answered; read 86 wrote 25; 1 faults',
    ],
  },
  {
    id: 'D30',
    name: 'd30-read-only-memory',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531'],
  },
  {
    id: 'D31',
    name: 'd31-misaligned-rings',
    qemu: ['served', 'status f isr 1; read 86 wrote 531; saw 10000 201'],
  },
  {
    id: 'D32',
    name: 'd32-ring-across-the-end-of-ram',
    qemu: ['dies unseen', 'status f isr 0; Cannot map desc; read 8 wrote 4; saw 1'],
    spec: ['needs reset', 'status 4f isr 0; Cannot map desc; read 8 wrote 4; saw 1'],
  },
  {
    id: 'D33',
    name: 'd33-ring-at-zero',
    qemu: ['nothing', 'status f isr 0; read 8 wrote 4; saw 1'],
    spec: ['needs reset', 'status 4f isr 3; virtio-blk missing headers; read 32 wrote 8; saw 1'],
  },
  {
    id: 'D34',
    name: 'd34-areas-overlap',
    qemu: ['served', 'status f isr 1; read 86 wrote 531; saw 10000 201'],
  },
  {
    id: 'D35',
    name: 'd35-ring-in-registers',
    qemu: ['lost unseen', 'status f isr 1; read 86 wrote 527; 1 faults; saw 0 1'],
    spec: [
      'needs reset',
      'status 4f isr 3; an access to memory was not answered; read 86 wrote 525; 1 faults; saw 0 1',
    ],
  },
  {
    id: 'D36',
    name: 'd36-unmapped-buffer',
    qemu: ['lost unseen', 'status f isr 1; used 0: 0=513; read 86 wrote 19; 1 faults'],
    spec: ['needs reset', 'status 4f isr 3; an access to memory was not answered; read 86 wrote 9; 1 faults'],
  },
  {
    id: 'D37',
    name: 'd37-read-only-tce',
    qemu: ['lost unseen', 'status f isr 1; used 0: 0=513; read 86 wrote 19; 1 faults'],
    spec: ['needs reset', 'status 4f isr 3; an access to memory was not answered; read 86 wrote 9; 1 faults'],
  },
  {
    id: 'D38',
    name: 'd38-write-only-tce',
    qemu: ['lost unseen', 'status f isr 1; used 0: 0=513; read 70 wrote 531; 1 faults'],
    spec: ['needs reset', 'status 4f isr 3; an access to memory was not answered; read 64 wrote 8; 1 faults'],
  },
  {
    id: 'D39',
    name: 'd39-used-ring-unmapped',
    qemu: ['lost unseen', 'status f isr 1; read 82 wrote 517; 7 faults'],
    spec: ['needs reset', 'status 4f isr 3; an access to memory was not answered; read 8 wrote 4; 4 faults'],
  },
  {
    id: 'D40',
    name: 'd40-available-ring-unmapped',
    qemu: ['lost unseen', 'status f isr 0; read 12 wrote 8; 2 faults'],
    spec: ['needs reset', 'status 4f isr 3; an access to memory was not answered; read 12 wrote 8; 1 faults'],
  },
  {
    id: 'D41',
    name: 'd41-tce-changed-in-flight',
    qemu: [
      'needs reset',
      'status 4f isr 3; virtio: bogus descriptor or out of resources; read 48 wrote 8; 1 faults',
    ],
    spec: [
      'needs reset',
      'status 4f isr 3; an access to memory was not answered; virtio: bogus descriptor or out of resources; read 48 wrote 8; 1 faults',
    ],
  },
  {
    id: 'D42',
    name: 'd42-beyond-the-window',
    qemu: ['lost unseen', 'status f isr 1; used 0: 0=513; read 86 wrote 19; 1 faults'],
    spec: ['needs reset', 'status 4f isr 3; an access to memory was not answered; read 86 wrote 9; 1 faults'],
  },
  {
    id: 'D43',
    name: 'd43-crosses-into-unmapped',
    qemu: ['lost unseen', 'status f isr 1; used 0: 0=513; read 86 wrote 35; 1 faults'],
    spec: [
      'needs reset',
      'status 4f isr 3; an access to memory was not answered; read 86 wrote 25; 1 faults',
    ],
  },
  {
    id: 'D44',
    name: 'd44-platform-refused',
    qemu: ['lost unseen', 'status 7 isr 1; used 0: 0=513; read 94 wrote 23; 1 faults; saw 3'],
    spec: ['needs reset', 'status 47 isr 3; DRIVER_OK without FEATURES_OK; read 8 wrote 4; saw 3'],
  },
  {
    id: 'D45',
    name: 'd45-iova-without-iommu',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531; saw 11111111 0'],
  },
  {
    id: 'D46',
    name: 'd46-frame-beyond-ram',
    qemu: ['lost unseen', 'status 7 isr 0; read 8 wrote 4; 6 faults'],
    spec: ['needs reset', 'status 47 isr 3; an access to memory was not answered; read 8 wrote 4; 4 faults'],
  },
  {
    id: 'D47',
    name: 'd47-unoffered-bits',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 92 wrote 531; saw b ffffffff'],
    spec: ['needs reset', 'status 47 isr 3; DRIVER_OK without FEATURES_OK; read 8 wrote 4; saw 3 ffffffff'],
  },
  {
    id: 'D48',
    name: 'd48-prerequisite-missing',
    qemu: ['nothing', 'status b isr 0; read 2 wrote 2; saw b'],
    spec: ['nothing', 'status 3 isr 0; read 2 wrote 2; saw 3'],
  },
  {
    id: 'D49',
    name: 'd49-features-too-late',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531; saw 3 10000200 f'],
    spec: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531; saw 3 10000000 f'],
  },
  {
    id: 'D50',
    name: 'd50-driver-ok-without-features-ok',
    qemu: ['served', 'status 7 isr 1; used 0: 0=513; read 94 wrote 535; saw 7'],
    spec: ['needs reset', 'status 47 isr 3; DRIVER_OK without FEATURES_OK; read 8 wrote 4; saw 47'],
  },
  {
    id: 'D51',
    name: 'd51-features-ok-without-features',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 94 wrote 535; saw b'],
    spec: ['needs reset', 'status 47 isr 3; DRIVER_OK without FEATURES_OK; read 8 wrote 4; saw 3'],
  },
  {
    id: 'D52',
    name: 'd52-status-bit-cleared',
    qemu: ['served', 'status b isr 1; used 0: 0=513; read 86 wrote 531; saw b'],
    spec: ['served', 'status f isr 1; used 0: 0=513; read 78 wrote 527; saw f'],
  },
  {
    id: 'D53',
    name: 'd53-status-bits-of-others',
    qemu: ['needs reset', 'status 7f isr 1; used 0: 0=513; read 78 wrote 527; saw 7f'],
    spec: ['served', 'status f isr 1; used 0: 0=513; read 78 wrote 527; saw f'],
  },
  {
    id: 'D54',
    name: 'd54-kick-before-driver-ok',
    qemu: ['served', 'status b isr 1; used 0: 0=513; read 94 wrote 535'],
    spec: ['nothing', 'status b isr 0; read 8 wrote 4'],
  },
  {
    id: 'D55',
    name: 'd55-legacy-kick-before-driver-ok',
    qemu: ['served', 'status 3 isr 1; used 0: 0=513; read 86 wrote 531'],
  },
  {
    id: 'D56',
    name: 'd56-reset-in-flight',
    qemu: ['nothing', 'status 0 isr 0; read 8 wrote 4; saw 0'],
  },
  {
    id: 'D57',
    name: 'd57-reset-twice',
    qemu: ['nothing', 'status 0 isr 0; read 8 wrote 4; saw 0 0'],
  },
  {
    id: 'D58',
    name: 'd58-bus-master-cleared',
    qemu: ['lost unseen', 'status b isr 0; read 8 wrote 4; 4 faults; saw b'],
    spec: ['nothing', 'status f isr 0; read 8 wrote 4; saw f'],
  },
  {
    id: 'D59',
    name: 'd59-event-index-late',
    qemu: ['served', 'status 7 isr 1; used 0: 0=513; read 82 wrote 529; saw 20000000'],
  },
  {
    id: 'D60',
    name: 'd60-never-bus-master',
    qemu: ['lost unseen', 'status f isr 0; read 8 wrote 4; 12 faults'],
    spec: ['nothing', 'status f isr 0; read 8 wrote 4'],
  },
  {
    id: 'D61',
    name: 'd61-queue-select-absent',
    qemu: ['nothing', 'status f isr 0; read 8 wrote 4; saw 1 0 10 0 10 0'],
    spec: ['nothing', 'status f isr 0; read 8 wrote 4; saw 1 400 0 ffff 0 0'],
  },
  {
    id: 'D62',
    name: 'd62-queue-size-wrong',
    qemu: ['nothing', 'status 3 isr 0; read 8 wrote 4; saw 3 3 3 3 3 3ff 200 8'],
    spec: ['nothing', 'status 3 isr 0; read 8 wrote 4; saw 100 100 100 100 100 100 100 8'],
  },
  {
    id: 'D63',
    name: 'd63-enable-before-addresses',
    qemu: ['nothing', 'status f isr 0; read 8 wrote 4; saw 1'],
    spec: [
      'needs reset',
      'status 4f isr 3; an access to memory was not answered; read 8 wrote 4; 4 faults; saw 1',
    ],
  },
  {
    id: 'D64',
    name: 'd64-live-queue-changed',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531; saw 8 10004000'],
    spec: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531; saw 10 10000000'],
  },
  {
    id: 'D65',
    name: 'd65-enable-twice',
    qemu: ['served', 'status f isr 1; used 0: 0=513 3=513; read 164 wrote 1058'],
  },
  {
    id: 'D66',
    name: 'd66-queue-enable-zero',
    qemu: ['needs reset', 'status 4f isr 3; wrong value for queue_enable 0; read 8 wrote 4'],
  },
  {
    id: 'D67',
    name: 'd67-queue-reset-unasked',
    qemu: ['nothing', 'status f isr 0; read 8 wrote 4; saw 1 1 0 10000000'],
    spec: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531; saw 1 1 1 10000000'],
  },
  {
    id: 'D68',
    name: 'd68-notify-absent-queue',
    qemu: ['nothing', 'status f isr 0; read 8 wrote 4; saw f'],
  },
  {
    id: 'D69',
    name: 'd69-notify-odd',
    qemu: ['served', 'status f isr 1; used 0: 0=513 3=513; read 164 wrote 1058'],
  },
  {
    id: 'D70',
    name: 'd70-kick-storm',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 150 wrote 563'],
  },
  {
    id: 'D71',
    name: 'd71-notification-data-lies',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 102 wrote 539; saw b'],
    spec: ['served', 'status f isr 1; used 0: 0=513; read 94 wrote 535; saw b'],
  },
  {
    id: 'D72',
    name: 'd72-vector-beyond-table',
    qemu: ['nothing', 'status f isr 0; read 8 wrote 4; saw ffff ffff'],
  },
  {
    id: 'D73',
    name: 'd73-vector-while-off',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 86 wrote 531; saw 0 1'],
  },
  {
    id: 'D74',
    name: 'd74-msix-moves-the-window',
    qemu: ['nothing', 'status 7 isr 0; read 8 wrote 4; saw 80000000 0 10011 ffff 80000000 80000000'],
    spec: ['nothing', 'status 7 isr 0; read 8 wrote 4; saw 80 0 10011 ffff 80 80'],
  },
  {
    id: 'D75',
    name: 'd75-odd-widths',
    qemu: ['nothing', 'status f isr 0; read 8 wrote 4; saw ffff 10 0 0 100000 f'],
  },
  {
    id: 'D76',
    name: 'd76-config-beyond-end',
    qemu: ['nothing', 'status f isr 0; read 8 wrote 4; saw ffffffff ffffffff ffffffff 80'],
    spec: ['nothing', 'status f isr 0; read 8 wrote 4; saw ffffffff 3fffff ffffffff 80'],
  },
  {
    id: 'D77',
    name: 'd77-config-written',
    qemu: ['nothing', 'status f isr 0; read 8 wrote 4; saw 0 1 80'],
  },
  {
    id: 'D78',
    name: 'd78-window-misused',
    qemu: ['nothing', 'status f isr 0; read 8 wrote 4; saw 5147009 f 1 1 f f f f'],
    spec: ['nothing', 'status f isr 0; read 8 wrote 4; saw 5147009 f f f f f f f'],
  },
  {
    id: 'D79',
    name: 'd79-window-at-status',
    qemu: ['served', 'status 0 isr 0; used 0: 0=513; read 86 wrote 531; saw f 0'],
  },
  {
    id: 'D80',
    name: 'd80-two-windows',
    qemu: ['served', 'status 0 isr 0; used 0: 0=513; read 86 wrote 531; saw f 1 0 0'],
    spec: ['served', 'status f isr 1; used 0: 0=513 3=513; read 164 wrote 1058; saw f 1 f 1'],
  },
  {
    id: 'D81',
    name: 'd81-frame-moved',
    qemu: ['nothing', 'status 7 isr 0; read 16 wrote 8'],
  },
  {
    id: 'D82',
    name: 'd82-wrong-byte-order',
    qemu: [
      'dies unseen',
      'status 7 isr 0; virtio: bogus descriptor or out of resources; read 32 wrote 8; 1 faults',
    ],
    spec: [
      'needs reset',
      'status 47 isr 3; an access to memory was not answered; virtio: bogus descriptor or out of resources; read 32 wrote 8; 1 faults',
    ],
  },
  {
    id: 'D83',
    name: 'd83-byte-order-after-reset',
    qemu: ['served', 'status 7 isr 1; used 0: 0=513; read 86 wrote 531'],
  },
  {
    id: 'D84',
    name: 'd84-capabilities-written',
    qemu: ['nothing', 'status f isr 0; read 8 wrote 4; saw 5147009 5147009 1100009 1100009'],
  },
  {
    id: 'D85',
    name: 'd85-packed-never-available',
    qemu: ['nothing', 'status f isr 0; read 32 wrote 12; saw 80800001'],
    spec: ['nothing', 'status f isr 0; read 20 wrote 8; saw 80800001'],
  },
  {
    id: 'D86',
    name: 'd86-packed-list-half-available',
    qemu: ['served', 'status f isr 1; read 102 wrote 533; saw 80800007 201'],
    spec: [
      'needs reset',
      'status 4f isr 3; Descriptor 1 of a list is not available; read 52 wrote 8; saw 810007 10',
    ],
  },
  {
    id: 'D87',
    name: 'd87-packed-list-as-long-as-ring',
    qemu: ['needs reset', 'status 4f isr 3; Looped descriptor; read 304 wrote 12; QEMU hangs; saw 810000'],
    spec: ['needs reset', 'status 4f isr 3; Looped descriptor; read 292 wrote 8; saw 810000'],
  },
  {
    id: 'D88',
    name: 'd88-packed-buffer-ids',
    qemu: ['served', 'status f isr 1; read 102 wrote 533; saw 80801234 201'],
    spec: ['served', 'status f isr 1; read 90 wrote 529; saw 80829abc 201'],
  },
  {
    id: 'D89',
    name: 'd89-packed-slot-rewritten',
    qemu: ['served', 'status f isr 1; read 102 wrote 1045; saw 80800007 401'],
    spec: ['served', 'status f isr 1; read 90 wrote 1041; saw 80820007 401'],
  },
  {
    id: 'D90',
    name: 'd90-packed-event-flags-reserved',
    qemu: ['served', 'status f isr 1; read 102 wrote 533; saw 80800007'],
    spec: ['served', 'status f isr 1; read 90 wrote 529; saw 80820007'],
  },
  {
    id: 'D91',
    name: 'd91-packed-indirect-in-list',
    qemu: ['needs reset', 'status 4f isr 3; virtio-blk missing headers; read 64 wrote 12; saw 810007'],
    spec: ['needs reset', 'status 4f isr 3; Indirect descriptor in a list; read 52 wrote 8; saw 810007'],
  },
  {
    id: 'D92',
    name: 'd92-packed-table-flags-and-length',
    qemu: [
      'needs reset',
      'status 4f isr 3; Invalid size for indirect buffer table; read 146 wrote 537; QEMU hangs; saw 80800007 840008',
    ],
    spec: [
      'needs reset',
      'status 4f isr 3; Invalid size for indirect buffer table; read 134 wrote 533; saw 80820007 840008',
    ],
  },
  {
    id: 'D93',
    name: 'd93-packed-ring-of-three',
    qemu: ['served', 'status f isr 1; read 172 wrote 1054; saw 80800007 201 8'],
    spec: ['served', 'status f isr 1; read 172 wrote 1054; saw 80820007 201 20008'],
  },
  {
    id: 'D94',
    name: 'd94-packed-counter-flipped',
    qemu: ['nothing', 'status f isr 0; read 32 wrote 12; saw 80010007'],
    spec: ['nothing', 'status f isr 0; read 20 wrote 8; saw 80010007'],
  },
  {
    id: 'D95',
    name: 'd95-net-short-header',
    qemu: [
      'needs reset',
      "status 4f isr 3; iov_copy: Assertion `offset == 0' failed.; read 30 wrote 6; QEMU aborts",
    ],
    spec: ['needs reset', "status 4f isr 3; iov_copy: Assertion `offset == 0' failed.; read 30 wrote 6"],
  },
  {
    id: 'D96',
    name: 'd96-net-checksum-wild',
    qemu: ['served', 'status f isr 1; used 1: 0=0; read 106 wrote 20; 60 bytes for the host'],
  },
  {
    id: 'D97',
    name: 'd97-net-gso-zero',
    qemu: ['served', 'status f isr 1; used 1: 0=0; read 106 wrote 20; 60 bytes for the host'],
  },
  {
    id: 'D98',
    name: 'd98-net-header-length-lies',
    qemu: ['served', 'status f isr 1; used 1: 0=0; read 106 wrote 20; 60 bytes for the host'],
  },
  {
    id: 'D99',
    name: 'd99-net-header-only',
    qemu: ['needs reset', 'status 4f isr 3; virtio-net nothing to send; read 30 wrote 6'],
  },
  {
    id: 'D100',
    name: 'd100-net-receive-too-small',
    qemu: [
      'needs reset',
      "status 4f isr 3; iov_from_buf_full: Assertion `offset == 0' failed.; read 30 wrote 10; QEMU aborts",
    ],
    spec: [
      'needs reset',
      "status 4f isr 3; iov_from_buf_full: Assertion `offset == 0' failed.; read 30 wrote 10",
    ],
  },
  {
    id: 'D101',
    name: 'd101-net-receive-runs-dry',
    qemu: ['nothing', 'status f isr 0; read 64 wrote 10'],
  },
  {
    id: 'D102',
    name: 'd102-net-receive-in-registers',
    qemu: ['served', 'status f isr 1; used 0: 0=72; read 32 wrote 88'],
  },
  {
    id: 'D103',
    name: 'd103-net-control-without-ack',
    qemu: ['needs reset', 'status 4f isr 3; virtio-net ctrl missing headers; read 22 wrote 2'],
  },
  {
    id: 'D104',
    name: 'd104-net-mac-table-overflow',
    qemu: ['served', 'status f isr 1; read 48 wrote 13; saw 1'],
  },
  {
    id: 'D105',
    name: 'd105-net-pairs-out-of-range',
    qemu: ['served', 'status f isr 1; read 90 wrote 24; saw 1 1'],
  },
  {
    id: 'D106',
    name: 'd106-net-inactive-pair',
    qemu: ['served', 'status f isr 1; read 92 wrote 16; 60 bytes for the host; saw 10000'],
  },
  {
    id: 'D107',
    name: 'd107-blk-short-header',
    qemu: ['needs reset', 'status 4f isr 3; virtio-blk request outhdr too short; read 72 wrote 8'],
  },
  {
    id: 'D108',
    name: 'd108-blk-odd-length',
    qemu: ['served', 'status f isr 1; used 0: 0=512 3=1; read 148 wrote 34; saw 1 0'],
    spec: ['served', 'status f isr 1; used 0: 0=512 3=1; read 148 wrote 545; saw 1 0'],
  },
  {
    id: 'D109',
    name: 'd109-blk-beyond-capacity',
    qemu: ['served', 'status f isr 1; used 0: 0=513 3=513; read 164 wrote 34; saw 1 1'],
    spec: ['served', 'status f isr 1; used 0: 0=513 3=513; read 164 wrote 1058; saw 1 1'],
  },
  {
    id: 'D110',
    name: 'd110-blk-write-read-only',
    qemu: ['served', 'status f isr 1; used 0: 0=1; read 86 wrote 19; saw 1'],
  },
  {
    id: 'D111',
    name: 'd111-blk-discard-malformed',
    qemu: [
      'needs reset',
      'status 4f isr 3; used 0: 0=1 3=1 6=1 9=1; virtio-blk discard/write_zeroes header too short; read 448 wrote 68; saw 2 2 1 1',
    ],
    spec: [
      'needs reset',
      'status 4f isr 3; used 0: 0=1 3=1 6=1 9=1; virtio-blk discard/write_zeroes header too short; read 448 wrote 68; saw 2 2 2 2',
    ],
  },
  {
    id: 'D112',
    name: 'd112-blk-id-lengths',
    qemu: ['served', 'status f isr 1; used 0: 0=20 3=4097 6=21; read 242 wrote 52; saw 0 0 0'],
    spec: ['served', 'status f isr 1; used 0: 0=20 3=4097 6=21; read 242 wrote 4184; saw 0 0 0'],
  },
  {
    id: 'D113',
    name: 'd113-blk-extra-data',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 614 wrote 19; saw 0'],
    spec: ['served', 'status f isr 1; used 0: 0=513; read 614 wrote 531; saw 0'],
  },
  {
    id: 'D114',
    name: 'd114-blk-scsi-passthrough',
    qemu: ['served', 'status 7 isr 1; used 0: 0=1; read 70 wrote 19; saw 1'],
  },
  {
    id: 'D115',
    name: 'd115-console-control-malformed',
    qemu: [
      'served',
      'status f isr 1; virtio-serial-bus: Unexpected port id 29 for device virtio-serial-bus.0; virtio-serial-bus: Unexpected port id 0 for device virtio-serial-bus.0; read 92 wrote 30; saw 10000 20000 30000',
    ],
  },
  {
    id: 'D116',
    name: 'd116-console-directions-swapped',
    qemu: ['served', 'status f isr 1; read 24 wrote 10; saw 10000'],
  },
  {
    id: 'D117',
    name: 'd117-rng-readable-only',
    qemu: [
      'needs reset',
      'status 4f isr 3; used 0: 0=0; virtio: bogus descriptor or out of resources; read 102 wrote 10',
    ],
  },
  {
    id: 'D118',
    name: 'd118-balloon-pages-of-others',
    qemu: [
      'needs reset',
      'status 4f isr 3; used 0: 0=0; virtio: zero sized buffers are not allowed; read 60 wrote 10; saw 10000',
    ],
    spec: [
      'needs reset',
      'status 4f isr 3; used 0: 0=0; Guest moved available index from 1 to 0; read 42 wrote 10; saw 10000',
    ],
  },
  {
    id: 'D119',
    name: 'd119-balloon-two-statistics',
    qemu: ['served', 'status f isr 1; read 87 wrote 10; saw 10000'],
  },
  {
    id: 'D120',
    name: 'd120-balloon-hint-malformed',
    qemu: ['needs reset', 'status 4f isr 3; received an incorrect cmd id; read 28 wrote 4; saw 0'],
  },
  {
    id: 'D121',
    name: 'd121-scsi-lengths-disagree',
    qemu: ['needs reset', 'status 4f isr 3; wrong size for virtio-scsi headers; read 70 wrote 8'],
  },
  {
    id: 'D122',
    name: 'd122-blk-header-in-pieces',
    qemu: ['served', 'status f isr 1; used 0: 0=513; read 118 wrote 531; saw 0'],
  },
];
