/**
 * Where QEMU 7.2 and the specification part. A device is built to behave one way or the other; nothing else of it differs,
 * and nothing outside this table decides it. Devices, queues and transports read the resolved flags.
 */

export const BEHAVIOURS = ['qemu-7.2', 'spec'] as const;
/** `qemu-7.2`: bit for bit what that version does. `spec`: what VIRTIO asks; errors raise DEVICE_NEEDS_RESET. */
export type BehaviourName = (typeof BEHAVIOURS)[number];

/** Each names what QEMU does; a flag that is false asks for the other. */
export const DEVIATION_NAMES = [
  'servesBeforeDriverOk',
  'servesWithoutFeaturesOk',
  'acceptsUnofferedFeatures',
  'echoesIgnoredFeatures',
  'keepsFeaturesOverReset',
  'storesStatusAsWritten',
  'dropsDriverOkWithBusMaster',
  'hidesErrorsFromLegacy',
  'hidesDmaFaults',
  'keepsOldQueueSelected',
  'takesZeroForUnset',
  'takesAnyQueueSize',
  'changesLiveQueues',
  'keepsAddressesOverQueueReset',
  'resetsQueuesUnasked',
  'servesBothWindows',
  'ignoresWindowBar',
  'followsUnnegotiatedIndirect',
  'ignoresNextOnIndirect',
  'ignoresNestedIndirect',
  'seesIndirectOnHeadOnly',
  'takesLongerChains',
  'refusesEmptyElements',
  'servesIndexJumps',
  'countsUnwrittenBytes',
  'masksRequestTypes',
  'checksRangeBeforeFlags',
  'keepsCacheWithoutFlush',
  'offersCacheSwitchAlone',
  'erasesNothingSecurely',
  'movesAllThatIsDescribed',
  'takesFirstPieceForHeader',
  'leavesNumBuffers',
  'deliversBeyondMtu',
  'keepsFramesOverQueueReset',
  'offersWithoutNeeded',
  'coalescesWithoutLengths',
  'announcesPortsBlindly',
  'countsActualByByte',
  'takesFirstLegacyStatistics',
] as const;
type DeviationName = (typeof DEVIATION_NAMES)[number];

/** What one device does where QEMU and the specification part: true is QEMU's way. */
export type Behaviour = Readonly<Record<DeviationName, boolean>>;

interface Deviation {
  readonly name: DeviationName;
  readonly qemu: string;
  readonly spec: string;
  /** Why the specification's side reads as it does here. */
  readonly because: string;
  /** Clauses that a device breaks which behaves as QEMU does; none where the text leaves the device free. */
  readonly breaks: readonly string[];
  /** Clauses that the driver breaks to get there; none where it does nothing forbidden. */
  readonly provoked: readonly string[];
  /** Where QEMU 7.2 does it. */
  readonly source: string;
}

export const DEVIATIONS: readonly Deviation[] = [
  {
    name: 'servesBeforeDriverOk',
    qemu: 'A kick before DRIVER_OK is served at once.',
    spec: 'A kick through the modern interface, or of a driver that accepted VERSION_1, waits for DRIVER_OK.',
    because: 'Only a legacy driver may count on its rings before DRIVER_OK (LINIT-DEV-002).',
    breaks: ['STAT-DEV-001'],
    provoked: ['INIT-DRV-007'],
    source: 'hw/virtio/virtio.c: virtio_queue_notify; hw/block/virtio-blk.c: virtio_blk_handle_output',
  },
  {
    name: 'servesWithoutFeaturesOk',
    qemu: 'DRIVER_OK without FEATURES_OK starts the device; the accepted set is never looked at.',
    spec: 'DRIVER_OK without FEATURES_OK, or after it was refused, is an error.',
    because: 'What was negotiated is not settled, so the device cannot go on (STAT-DEV-002).',
    breaks: [],
    provoked: ['INIT-DRV-001'],
    source: 'hw/virtio/virtio.c: virtio_set_status',
  },
  {
    name: 'acceptsUnofferedFeatures',
    qemu: 'A set is cut to what is offered, and FEATURES_OK sticks; of the set itself only ACCESS_PLATFORM is looked at, and only if VERSION_1 is in it.',
    spec: 'FEATURES_OK reads back clear after a set with bits that were not offered, without VERSION_1, or without a bit that another one needs.',
    because: 'A subset that the device does not support must not keep FEATURES_OK.',
    breaks: ['FEAT-DEV-003'],
    provoked: ['FEAT-DRV-001', 'FEAT-DRV-002'],
    source: 'hw/virtio/virtio.c: virtio_validate_features, virtio_set_features_nocheck',
  },
  {
    name: 'echoesIgnoredFeatures',
    qemu: 'driver_feature shows what was written last, also where the device ignored it after FEATURES_OK.',
    spec: 'After FEATURES_OK driver_feature keeps what was accepted.',
    because: 'The register reads back the accepted bits.',
    breaks: ['PCI-DEV-019'],
    provoked: ['INIT-DRV-004'],
    source: 'hw/virtio/virtio-pci.c: virtio_pci_common_write',
  },
  {
    name: 'keepsFeaturesOverReset',
    qemu: 'driver_feature and both selectors survive a reset, and the word of the last negotiation joins the first write after it.',
    spec: 'A reset clears them.',
    because: 'After a reset nothing is accepted, so nothing may read back or come in force.',
    breaks: ['PCI-DEV-019'],
    provoked: [],
    source: 'hw/virtio/virtio-pci.c: virtio_pci_reset',
  },
  {
    name: 'storesStatusAsWritten',
    qemu: 'Any status is stored: bits that the driver has no right to, bits that it takes back, DEVICE_NEEDS_RESET included.',
    spec: 'A write other than 0 adds bits that belong to the driver and takes none away.',
    because: 'DEVICE_NEEDS_RESET is the device’s to raise, and only a reset clears a bit.',
    breaks: [],
    provoked: ['STAT-DRV-002'],
    source: 'hw/virtio/virtio.c: virtio_set_status',
  },
  {
    name: 'dropsDriverOkWithBusMaster',
    qemu: 'When the driver turns bus mastering off, DRIVER_OK disappears from the status; after a reset without bus mastering the device looks at its rings in vain.',
    spec: 'The status stays; the device touches nothing until bus mastering is back.',
    because:
      'Only a reset clears a bit of the status, and DEVICE_NEEDS_RESET is the only one that a device changes.',
    breaks: ['IMP-STAT-001'],
    provoked: [],
    source: 'hw/virtio/virtio-pci.c: virtio_write_config',
  },
  {
    name: 'hidesErrorsFromLegacy',
    qemu: 'Without VERSION_1 a broken device shows nothing: no DEVICE_NEEDS_RESET, no interrupt.',
    spec: 'DEVICE_NEEDS_RESET and its notification come whatever was accepted.',
    because: 'No section for the legacy interface takes the rule back.',
    breaks: ['STAT-DEV-002'],
    provoked: [],
    source: 'hw/virtio/virtio.c: virtio_error',
  },
  {
    name: 'hidesDmaFaults',
    qemu: 'Where no TCE and no memory answers, reads give 0 and writes vanish; the request succeeds.',
    spec: 'Such an access is an error.',
    because:
      'The device told the driver of bytes that never arrived, and used entries that nobody can see are lost.',
    breaks: ['SPLIT-DEV-016', 'STAT-DEV-002'],
    provoked: ['RSVD-DRV-004'],
    source: 'softmmu/physmem.c: address_space_map, flatview_write_continue',
  },
  {
    name: 'keepsOldQueueSelected',
    qemu: 'queue_select above 1023 is ignored, and the registers go on to show the queue selected before.',
    spec: 'Any value is selected; a queue that is not there has size 0 and swallows writes.',
    because: 'queue_size of a queue that does not exist reads 0.',
    breaks: ['PCI-DEV-029'],
    provoked: [],
    source: 'hw/virtio/virtio-pci.c: virtio_pci_common_write',
  },
  {
    name: 'takesZeroForUnset',
    qemu: 'A ring area at address 0 counts as not set up: the queue reads as enabled, and kicks do nothing.',
    spec: 'Address 0 is an address as any other.',
    because: 'No address is reserved; with a translation 0 is a usual one.',
    breaks: [],
    provoked: [],
    source: 'hw/virtio/virtio.c: virtio_queue_notify, virtio_queue_empty',
  },
  {
    name: 'takesAnyQueueSize',
    qemu: 'queue_size takes every value from 1 to 1024.',
    spec: 'queue_size takes a power of two (any number for a packed ring) up to what it read after reset.',
    because: 'queue_size reads 0 or a power of two.',
    breaks: ['PCI-DEV-030'],
    provoked: ['PCI-DRV-017', 'PCI-DRV-018'],
    source: 'hw/virtio/virtio.c: virtio_queue_set_num',
  },
  {
    name: 'changesLiveQueues',
    qemu: 'The registers of an enabled queue take new values: the size at once, addresses with the next queue_enable.',
    spec: 'The registers of an enabled queue keep their values until it is reset.',
    because: 'All fields are set before the queue is enabled; nothing says what later values would mean.',
    breaks: [],
    provoked: ['PCI-DRV-019'],
    source: 'hw/virtio/virtio-pci.c: virtio_pci_common_write',
  },
  {
    name: 'keepsAddressesOverQueueReset',
    qemu: 'After queue_reset the address registers keep what was written.',
    spec: 'They read 0.',
    because: 'All state of the queue goes back to its default.',
    breaks: ['VQR-DEV-002'],
    provoked: [],
    source: 'hw/virtio/virtio-pci.c: virtio_pci_common_write',
  },
  {
    name: 'resetsQueuesUnasked',
    qemu: 'queue_reset acts whether RING_RESET was accepted or not.',
    spec: 'Without RING_RESET a write to queue_reset does nothing.',
    because: 'The register belongs to the feature.',
    breaks: [],
    provoked: [],
    source: 'hw/virtio/virtio-pci.c: virtio_pci_common_write',
  },
  {
    name: 'servesBothWindows',
    qemu: 'Both windows of a transitional device stay live on one state: a legacy queue address of 0 resets a device in modern use.',
    spec: 'Once VERSION_1 is settled by FEATURES_OK, writes to the legacy window do nothing.',
    because: 'A driver that accepted VERSION_1 has said that it does not use the legacy interface.',
    breaks: [],
    provoked: [],
    source: 'hw/virtio/virtio-pci.c: virtio_ioport_write',
  },
  {
    name: 'ignoresWindowBar',
    qemu: 'The configuration access window reaches the modern structures whatever bar it names.',
    spec: 'It reaches them through the bar that holds them.',
    because: 'The access is one to cap.offset of bar cap.bar.',
    breaks: ['PCI-DEV-060', 'PCI-DEV-061'],
    provoked: ['PCI-DRV-030'],
    source: 'hw/virtio/virtio-pci.c: virtio_address_space_lookup',
  },
  {
    name: 'followsUnnegotiatedIndirect',
    qemu: 'INDIRECT is followed whether the feature was accepted or not.',
    spec: 'INDIRECT without VIRTIO_F_RING_INDIRECT_DESC is an error.',
    because: 'Without the feature the flag has no meaning, and the driver did not mean a buffer either.',
    breaks: [],
    provoked: ['SPLIT-DRV-006'],
    source: 'hw/virtio/virtio.c: virtqueue_split_pop',
  },
  {
    name: 'ignoresNextOnIndirect',
    qemu: 'Of INDIRECT together with NEXT the table is followed, and NEXT forgotten.',
    spec: 'Both together are an error.',
    because: 'Part of what the driver offered would never be looked at.',
    breaks: [],
    provoked: ['SPLIT-DRV-009'],
    source: 'hw/virtio/virtio.c: virtqueue_split_pop',
  },
  {
    name: 'ignoresNestedIndirect',
    qemu: 'INDIRECT inside a split ring’s table is ignored: the descriptor is a plain buffer.',
    spec: 'INDIRECT inside a table is an error.',
    because: 'Data would go over descriptors.',
    breaks: [],
    provoked: ['SPLIT-DRV-007'],
    source: 'hw/virtio/virtio.c: virtqueue_split_pop',
  },
  {
    name: 'seesIndirectOnHeadOnly',
    qemu: 'INDIRECT counts on a chain’s first descriptor only; after direct ones the table is taken for a buffer.',
    spec: 'Direct descriptors may be followed by one that refers to a table.',
    because: 'Zero or more direct descriptors, then one with INDIRECT, are a valid chain.',
    breaks: ['SPLIT-DEV-008'],
    provoked: [],
    source: 'hw/virtio/virtio.c: virtqueue_split_pop',
  },
  {
    name: 'takesLongerChains',
    qemu: 'A chain in a table may have up to 1024 descriptors, whatever the queue’s size.',
    spec: 'A chain of more descriptors than the queue has entries is an error.',
    because: 'The queue’s size bounds every chain.',
    breaks: [],
    provoked: ['SPLIT-DRV-008'],
    source: 'hw/virtio/virtio.c: virtqueue_split_pop',
  },
  {
    name: 'refusesEmptyElements',
    qemu: 'An element of length 0 breaks the device.',
    spec: 'An element of length 0 adds nothing to its chain.',
    because: 'Nothing forbids it, and no device may rely on how a message is cut.',
    breaks: ['SPLIT-DEV-001'],
    provoked: [],
    source: 'hw/virtio/virtio.c: virtqueue_map_desc',
  },
  {
    name: 'servesIndexJumps',
    qemu: 'An available index further ahead than the queue is long is believed: stale heads are served until the queue counts as full.',
    spec: 'Such an index is an error before anything is taken.',
    because:
      'More chains than the queue has entries cannot be outstanding, so what the driver meant is lost.',
    breaks: ['IMP-RING-006'],
    provoked: ['SPLIT-DRV-011'],
    source: 'hw/virtio/virtio.c: virtqueue_split_pop',
  },
  {
    name: 'countsUnwrittenBytes',
    qemu: 'Disks report every byte that the driver left room for as written: of a failed read, of a short serial number, of sense that there is none of, even what the driver sent.',
    spec: 'What is reported is written, with zeroes where there is nothing to say, and counts nothing that the driver sent.',
    because:
      'Before it reports a length the device has written that many bytes, and a serial number is filled up with zeroes.',
    breaks: ['SPLIT-DEV-016', 'IMP-BLK-003'],
    provoked: [],
    source: 'hw/block/virtio-blk.c: virtio_blk_req_complete; hw/scsi/virtio-scsi.c: virtio_scsi_complete_req',
  },
  {
    name: 'masksRequestTypes',
    qemu: 'The direction bit and bit 31 of a block request’s type are taken away before it is looked at, and SCSI commands are known to modern drivers.',
    spec: 'With VERSION_1 a type is what the whole field says; all that are not in the list are UNSUPP.',
    because: 'Barriers, SCSI commands and FLUSH_OUT belong to the legacy interface.',
    breaks: ['IMP-BLK-005'],
    provoked: [],
    source: 'hw/block/virtio-blk.c: virtio_blk_handle_request',
  },
  {
    name: 'checksRangeBeforeFlags',
    qemu: 'A discard or write zeroes segment out of range is IOERR, whatever flags it has.',
    spec: 'Flags are looked at first: unknown ones are UNSUPP.',
    because: 'The status of unknown flags is said without a condition.',
    breaks: ['BLKOP-DEV-005', 'BLKOP-DEV-006'],
    provoked: ['BLKOP-DRV-002'],
    source: 'hw/block/virtio-blk.c: virtio_blk_handle_discard_write_zeroes',
  },
  {
    name: 'keepsCacheWithoutFlush',
    qemu: 'writeback keeps its value where CONFIG_WCE is accepted and FLUSH is not.',
    spec: 'It starts at 0 then.',
    because: 'A driver that cannot flush must find a disk that writes through.',
    breaks: ['BLK-DEV-003'],
    provoked: [],
    source: 'hw/block/virtio-blk.c: virtio_blk_set_status',
  },
  {
    name: 'offersCacheSwitchAlone',
    qemu: 'With x-enable-wce-if-config-wce=off and write-cache=off CONFIG_WCE is offered without FLUSH.',
    spec: 'FLUSH comes with CONFIG_WCE.',
    because: 'The one is offered only with the other.',
    breaks: ['BLK-DEV-001', 'BLK-DEV-002'],
    provoked: [],
    source: 'hw/block/virtio-blk.c: virtio_blk_get_features',
  },
  {
    name: 'erasesNothingSecurely',
    qemu: 'SECURE_ERASE is neither offered nor known.',
    spec: 'SECURE_ERASE is offered, and overwrites its range with zeroes.',
    because: 'The device is free to offer it; a driver that knows it can be tried.',
    breaks: [],
    provoked: [],
    source: 'include/standard-headers/linux/virtio_blk.h: virtio_blk_config',
  },
  {
    name: 'movesAllThatIsDescribed',
    qemu: 'A SCSI read or write moves as many whole sectors as the driver’s buffers hold, if that is more than the command asked for.',
    spec: 'It moves what the command asks for.',
    because: 'The command says how many blocks; residual is what of the buffers was not needed.',
    breaks: [],
    provoked: [],
    source: 'softmmu/dma-helpers.c: dma_blk_cb',
  },
  {
    name: 'takesFirstPieceForHeader',
    qemu: 'Without ANY_LAYOUT, which no modern driver has, data of a SCSI request begin at the second descriptor of their half.',
    spec: 'With VERSION_1 they begin where the header ends.',
    because: 'No device may rely on how a message is cut.',
    breaks: ['SPLIT-DEV-001'],
    provoked: [],
    source: 'hw/scsi/virtio-scsi.c: virtio_scsi_parse_req',
  },
  {
    name: 'leavesNumBuffers',
    qemu: 'Where buffers do not merge, ten of the twelve bytes of a received frame’s header are written.',
    spec: 'num_buffers is written as 1.',
    because: 'The field is there for every 1.x driver, and has one value.',
    breaks: ['NETRX-DEV-006'],
    provoked: [],
    source: 'hw/net/virtio-net.c: receive_header',
  },
  {
    name: 'deliversBeyondMtu',
    qemu: 'The MTU is advice: frames of any length are delivered.',
    spec: 'After MTU was accepted a longer frame that is not to be cut is dropped.',
    because: 'The driver may have sized its buffers by the MTU.',
    breaks: ['NET-DEV-006'],
    provoked: [],
    source: 'hw/net/virtio-net.c: virtio_net_receive_rcu',
  },
  {
    name: 'keepsFramesOverQueueReset',
    qemu: 'A frame for a receive queue that is in reset waits until the queue is back.',
    spec: 'It goes to another receive queue in use, and is dropped if all are in reset.',
    because: 'Packets must not wait for a queue that the driver took away.',
    breaks: ['NETCTRL-DEV-029', 'NETCTRL-DEV-030'],
    provoked: [],
    source: 'hw/net/virtio-net.c: virtio_net_can_receive',
  },
  {
    name: 'offersWithoutNeeded',
    qemu: 'Properties that switch a feature off leave those that need it on.',
    spec: 'A feature is offered only with what it needs.',
    because: 'No driver could accept such a set.',
    breaks: ['NET-DEV-014', 'NET-DEV-015'],
    provoked: [],
    source: 'hw/net/virtio-net.c: virtio_net_get_features',
  },
  {
    name: 'coalescesWithoutLengths',
    qemu: 'Coalesced segments have neither gso_size nor hdr_len, and large segments of the host’s pass without a count.',
    spec: 'Both are filled in, and a large segment of the host’s counts as one.',
    because: 'They are what a driver needs to cut the packet again.',
    breaks: ['NETRX-DEV-033', 'NETRX-DEV-034', 'NETRX-DEV-036'],
    provoked: [],
    source: 'hw/net/virtio-net.c: virtio_net_rsc_drain_seg',
  },
  {
    name: 'announcesPortsBlindly',
    qemu: 'Each DEVICE_READY is answered with DEVICE_ADD of every port, announced or not; a port that is plugged or taken away is told of at any time, PORT_OPEN first.',
    spec: 'A port is announced once, after DEVICE_READY and as soon as there is a buffer; only what was announced is opened or removed.',
    because: 'DEVICE_ADD must not name a port that was added, DEVICE_REMOVE none that was not.',
    breaks: ['CON-DEV-005', 'CON-DEV-006'],
    provoked: [],
    source: 'hw/char/virtio-serial-bus.c: handle_control_message, virtser_port_device_realize, remove_port',
  },
  {
    name: 'countsActualByByte',
    qemu: 'Every write to actual counts at once, a byte of a legacy driver too.',
    spec: 'What a legacy driver writes in pieces counts once the last byte is there.',
    because: 'A number that is half written is none.',
    breaks: ['BALL-DEV-003'],
    provoked: ['BALL-DRV-002'],
    source: 'hw/virtio/virtio-balloon.c: virtio_balloon_set_config',
  },
  {
    name: 'takesFirstLegacyStatistics',
    qemu: 'The first statistics buffer counts like any other.',
    spec: 'Of a legacy driver its values are ignored.',
    because: 'Legacy drivers hand the first buffer in as it is, without statistics.',
    breaks: ['BALL-DEV-004'],
    provoked: [],
    source: 'hw/virtio/virtio-balloon.c: virtio_balloon_receive_stats',
  },
];

function resolved(likeQemu: boolean): Behaviour {
  const flags = DEVIATION_NAMES.map((name): [DeviationName, boolean] => [name, likeQemu]);
  return Object.freeze(Object.fromEntries(flags) as Record<DeviationName, boolean>);
}

/** Bit for bit what QEMU 7.2 does. */
export const QEMU_7_2: Behaviour = resolved(true);
const SPEC: Behaviour = resolved(false);

/** The flags of a behaviour; without a name those of `qemu-7.2`. */
export function behaviourOf(name: BehaviourName | undefined): Behaviour {
  return name === 'spec' ? SPEC : QEMU_7_2;
}
