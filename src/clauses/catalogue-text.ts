// Normative statements of VIRTIO 1.4 (committee draft), paraphrased: a line each, fields parted by tabs. The fields are
// named in catalogue.ts, which checks them.
/** id, section, role, level, statement, kind, checkable, how it can be checked, source line */
export const STATED: string = `TERM-BOTH-001	1.3.1 Legacy Interface: Terminology	transport-legacy	MAY	Support for pre-1.0 interfaces exists only as an optional easing of migration	transport	no	scope rule, nothing to test	introduction.tex:214
TERM-BOTH-002	1.3.1 Legacy Interface: Terminology	transport-legacy	MAY	Implementations are free to understand the pre-1.0 interface, pre-1.0 devices and pre-1.0 drivers	transport	no	scope rule	introduction.tex:217
TERM-DEV-001	1.3.1 Legacy Interface: Terminology	transport-legacy	MAY	A device may be transitional: serve 1.x drivers and pre-1.0 drivers from the same function	transport	yes	run the whole suite once with a legacy script and once with a modern script on the same device config	introduction.tex:234
TERM-DRV-001	1.3.1 Legacy Interface: Terminology	transport-legacy	MAY	A driver may be transitional: drive 1.x devices and pre-1.0 devices	transport	yes	run scripted driver against both device flavours	introduction.tex:242
STAT-DRV-001	2.1.1 Device Status Field	driver	MUST	The driver records each finished step of initialization by setting the matching status bit	status	yes	trace order of status writes: ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK	content.tex:61
STAT-DRV-002	2.1.1 Device Status Field	driver	MUST NOT	A status bit, once set, is never cleared by a status write (only a reset clears)	status	yes	every status write other than 0 is a superset of the value read before it	content.tex:66
STAT-DRV-003	2.1.1 Device Status Field	driver	MUST	After setting FAILED the driver resets before trying again	status	yes	between a write with bit 7 and the next ACKNOWLEDGE there is a write of 0	content.tex:68
STAT-DRV-004	2.1.1 Device Status Field	driver	SHOULD NOT	With DEVICE_NEEDS_RESET shown, the driver does not count on outstanding operations finishing	status	partly	inject bit 6 with requests in flight; guest must not hang or treat them as done	content.tex:70
STAT-DEV-001	2.1.2 Device Status Field	device	MUST NOT	Before DRIVER_OK the device neither takes buffers nor signals used buffers	status	yes	enable a queue with buffers and kick before DRIVER_OK: used idx and interrupt count stay 0	content.tex:81
STAT-DEV-002	2.1.2 Device Status Field	device	SHOULD	A device that hits an error it cannot recover from raises DEVICE_NEEDS_RESET	status	yes	feed an invalid ring state; read status bit 6	content.tex:84
STAT-DEV-003	2.1.2 Device Status Field	device	MUST	If DRIVER_OK is already set, raising DEVICE_NEEDS_RESET is accompanied by a config-change notification	status	yes	config ISR bit or config MSI-X vector fires together with bit 6	content.tex:86
FEAT-DRV-001	2.2.1 Feature Bits	driver	MUST NOT	Only offered feature bits may be accepted	feature	yes	written bits & ~offered == 0	content.tex:142
FEAT-DRV-002	2.2.1 Feature Bits	driver	MUST NOT	A bit whose prerequisite bit is not accepted may not be accepted	feature	yes	evaluate the dependency table over the accepted mask	content.tex:143
FEAT-DRV-003	2.2.1 Feature Bits	driver	MUST	The driver checks the offered mask for sanity	feature	partly	offer inconsistent masks and observe driver reaction	content.tex:146
FEAT-DRV-004	2.2.1 Feature Bits	driver	MUST	Offered bits that are unspecified, reserved, foreign to the transport or foreign to the device type are ignored	feature	yes	offer random bits; negotiation must go on	content.tex:147
FEAT-DRV-005	2.2.1 Feature Bits	driver	MUST NOT	Such bits are not accepted either	feature	yes	accepted mask contains none of them	content.tex:147
FEAT-DRV-006	2.2.1 Feature Bits	driver	SHOULD	If a wanted feature is missing the driver falls back to a compatible mode	feature	partly	remove one feature at a time and see it still works	content.tex:155
FEAT-DRV-007	2.2.1 Feature Bits	driver	MUST	If no fallback exists, the driver sets FAILED and stops	feature	yes	mandatory feature removed: FAILED seen, no DRIVER_OK	content.tex:156
FEAT-DRV-008	2.2.1 Feature Bits	driver	MUST NOT	An unknown offered bit alone is no reason to fail	feature	yes	offer one extra unknown bit; driver still reaches DRIVER_OK	content.tex:159
FEAT-DEV-001	2.2.2 Feature Bits	device	MUST NOT	No bit is offered without the bits it depends on	feature	yes	check the offered mask against the dependency table for every device configuration	content.tex:163
FEAT-DEV-002	2.2.2 Feature Bits	device	SHOULD	Every valid subset of the offer is accepted	feature	yes	enumerate subsets closed under dependencies; FEATURES_OK sticks	content.tex:164
FEAT-DEV-003	2.2.2 Feature Bits	device	MUST	If the subset is not acceptable, FEATURES_OK reads back clear after the driver writes it	feature	yes	write an invalid subset then FEATURES_OK; read status	content.tex:165
FEAT-DEV-004	2.2.2 Feature Bits	device	MUST NOT	Bits that would not be honoured when accepted (unknown, reserved, wrong transport or device) are never offered	feature	yes	offered & ~allow-list(transport, device) == 0	content.tex:168
FEAT-DEV-005	2.2.2 Feature Bits	device	SHOULD NOT	A set accepted once is accepted again after any device or system reset	feature	yes	negotiate, reset, negotiate the same mask twice	content.tex:181
LFEAT-DRV-001	2.2.3 Legacy Interface: A Note on Feature Bits	transport-legacy	MUST	Transitional driver: absence of VERSION_1 in the offer means the device is legacy	feature	yes	hide bit 32; driver must switch to legacy rules	content.tex:190
LFEAT-DEV-001	2.2.3 Legacy Interface: A Note on Feature Bits	transport-legacy	MUST	Transitional device: absence of VERSION_1 in the accepted mask means the driver is legacy	feature	yes	do not ack bit 32; check endianness and header sizes switch to legacy	content.tex:192
LFEAT-BOTH-001	2.2.3 Legacy Interface: A Note on Feature Bits	transport-legacy	MAY	Having a legacy interface at all is optional	feature	no	configuration choice	content.tex:197
LFEAT-BOTH-002	2.2.3 Legacy Interface: A Note on Feature Bits	transport-legacy	MUST	While in legacy use, both sides follow the Legacy Interface sections	feature	partly	meta rule: run LEG/PCIL/NETL/BLKL/CONL/BALL rows	content.tex:205
RESET-DEV-001	2.4.1 Device Reset	device	MUST	Status returns to 0 once a reset has been received	status	yes	write 0 (or transport reset), read status until 0	content.tex:254
RESET-DEV-002	2.4.1 Device Reset	device	MUST NOT	After the status shows 0 the device neither notifies nor touches queues until initialised anew	status	yes	reset with requests in flight: no ring write, no DMA, no interrupt afterwards	content.tex:256
RESET-DRV-001	2.4.2 Device Reset	driver	SHOULD	The driver takes a reset as finished only when status reads 0	status	yes	delay the 0 by k reads; driver polls	content.tex:262
CFG-DRV-001	2.5.1 Device Configuration Space	driver	MUST NOT	Reads of fields wider than 32 bits, or of several fields, are not assumed atomic	config	partly	change config between the two halves; driver result must be one of the two versions	content.tex:284
CFG-DRV-002	2.5.1 Device Configuration Space	driver	SHOULD	Config reads are wrapped in a generation-before and generation-after loop	config	yes	trace: generation read, field reads, generation read; repeated on mismatch	content.tex:286
CFG-DRV-003	2.5.1 Device Configuration Space	driver	MUST	A field that depends on a feature is only accessed when that feature is offered	config	yes	config access trace vs offered mask	content.tex:297
CFG-DRV-004	2.5.1 Device Configuration Space	driver	MUST NOT	The driver sets no upper bound on structure or config-space size	config	yes	present a longer config; driver accepts	content.tex:304
CFG-DRV-005	2.5.1 Device Configuration Space	driver	SHOULD	Only a lower bound (fields needed are present) is checked	config	yes	present a config one byte too short; driver refuses that field	content.tex:306
CFG-DEV-001	2.5.2 Device Configuration Space	device	MUST	Device config can be read before FEATURES_OK, including feature-dependent fields whose bit is offered	config	yes	read each field right after reset; value equals post-init value	content.tex:318
LCFG-DRV-001	2.5.4 Legacy Interface: Device Configuration Space	transport-legacy	SHOULD	Legacy-mode driver: racy fields (blk capacity, net mac) are re-read until two reads agree	config	partly	flip value between reads; driver ends with a consistent one	content.tex:337
VQR-DEV-001	2.6.1.1.1 Virtqueue Reset	device	MUST NOT	A reset queue executes nothing and signals nothing	ring	yes	queue_reset=1 with buffers pending: no DMA, no interrupt for that queue	content.tex:416
VQR-DEV-002	2.6.1.1.1 Virtqueue Reset	device	MUST	Queue reset puts all queue state, available and used side, back to defaults	ring	yes	after reset read back size/addresses/enable/vector; indices restart at 0	content.tex:419
VQR-DRV-001	2.6.1.1.2 Virtqueue Reset	driver	MUST	The driver confirms that the queue reset took effect	ring	yes	driver polls queue_reset/queue_enable	content.tex:424
VQR-DRV-002	2.6.1.1.2 Virtqueue Reset	driver	MAY	After a confirmed reset the queue's resources may be freed	ring	no	permission only	content.tex:427
VQR-DEV-003	2.6.1.2.1 Virtqueue Re-enable	device	MUST	On re-enable the device honours changed queue parameters such as a smaller size	ring	yes	re-enable with other size and addresses; ring works	content.tex:437
VQR-DRV-003	2.6.1.2.2 Virtqueue Re-enable	driver	MUST	Re-enable repeats the normal queue set-up, possibly with other values	ring	yes	trace: size, addresses, vector written before enable	content.tex:442
INIT-DRV-001	3.1.1 Device Initialization	driver	MUST	Order of initialization: reset, ACKNOWLEDGE, DRIVER, features, FEATURES_OK, re-read, set-up, DRIVER_OK	status	yes	state machine over the trace	content.tex:521
INIT-DRV-002	3.1.1 Device Initialization	driver	MAY	During feature selection the driver may read device config	status	no	permission only	content.tex:533
INIT-DRV-003	3.1.1 Device Initialization	driver	MUST NOT	During feature selection the driver does not write device config	status	yes	no config writes between DRIVER and FEATURES_OK	content.tex:533
INIT-DRV-004	3.1.1 Device Initialization	driver	MUST NOT	No further feature bits are accepted after FEATURES_OK	status	yes	no driver_feature writes after status bit 3	content.tex:535
INIT-DRV-005	3.1.1 Device Initialization	driver	SHOULD	An unrecoverable step is answered by setting FAILED	status	yes	make device refuse FEATURES_OK; expect bit 7	content.tex:550
INIT-DRV-006	3.1.1 Device Initialization	driver	MUST NOT	Initialization does not go on after such a failure	status	yes	no DRIVER_OK follows	content.tex:553
INIT-DRV-007	3.1.1 Device Initialization	driver	MUST NOT	No available-buffer notification before DRIVER_OK	status	yes	no notify writes before status bit 2	content.tex:555
LINIT-DRV-001	3.1.2 Legacy Interface: Device Initialization	transport-legacy	MUST	Transitional driver in legacy use: same order, without the FEATURES_OK write and re-read	status	yes	trace shows no bit 3 in legacy header writes	content.tex:582
LINIT-DEV-001	3.1.2 Legacy Interface: Device Initialization	transport-legacy	MUST	Transitional device in legacy use: device-config writes before feature selection work	status	yes	write mac/writeback right after DRIVER bit; value sticks	content.tex:591
LINIT-DEV-002	3.1.2 Legacy Interface: Device Initialization	transport-legacy	MUST	Transitional device in legacy use: rings work before DRIVER_OK	status	yes	legacy script kicks before bit 2; buffers are used	content.tex:596
CLEAN-DRV-001	3.3.1 Device Cleanup	driver	MUST NOT	Entries of a live queue that are exposed and not yet used are not altered	ring	yes	snapshot exposed descriptors; compare at consumption	content.tex:629
CLEAN-DRV-002	3.3.1 Device Cleanup	driver	MUST	Exposed buffers are withdrawn only after making the queue not live (device reset)	ring	yes	memory freed/unmapped only after reset seen	content.tex:634
SUSP-DRV-001	3.4.1 Device Suspend	driver	SHOULD NOT	SUSPEND is set only with DRIVER_OK on and VIRTIO_F_SUSPEND negotiated	status	yes	status trace	content.tex:644
SUSP-DRV-002	3.4.1 Device Suspend	driver	MUST	After setting SUSPEND the driver polls until SUSPEND=1 and DRIVER_OK=0	status	yes	delay completion; driver re-reads	content.tex:648
SUSP-DRV-003	3.4.1 Device Suspend	driver	MUST NOT	No new buffers become available after SUSPEND is set	status	yes	avail idx frozen	content.tex:649
SUSP-DRV-004	3.4.1 Device Suspend	driver	MUST NOT	No queue notifications after SUSPEND is set	status	yes	no notify writes	content.tex:650
SUSP-DRV-005	3.4.1 Device Suspend	driver	MUST NOT	No config-space changes after SUSPEND is set, other than status	status	yes	config write trace	content.tex:651
SUSP-DRV-006	3.4.1 Device Suspend	driver	MUST	On resume the driver waits for SUSPEND=0 and DRIVER_OK=1 before using the device	status	yes	delay resume; no kick before	content.tex:655
SUSP-DEV-001	3.4.2 Device Suspend	device	MUST	SUSPEND writes are ignored while the device is not fully initialised	status	yes	set bit 4 before DRIVER_OK; it does not stick	content.tex:660
SUSP-DEV-002	3.4.2 Device Suspend	device	SHOULD	While suspended, config writes other than status are ignored	status	yes	write config while suspended; unchanged after resume	content.tex:662
SUSP-DEV-003	3.4.2 Device Suspend	device	MUST NOT	While suspended: no queue notification, no ring access, no self-made config change	status	yes	DMA and interrupt counters stay constant	content.tex:665
SUSP-DEV-004	3.4.2 Device Suspend	device	MUST NOT	Config changes during suspension are not signalled at that time	status	yes	no config interrupt while suspended	content.tex:670
SUSP-DEV-005	3.4.2 Device Suspend	device	MUST	They are signalled on resume instead	status	yes	config interrupt appears after resume	content.tex:671
SUSP-DEV-006	3.4.2 Device Suspend	device	MUST	A SUSPEND request ends either in suspension or in DEVICE_NEEDS_RESET	status	yes	status eventually shows one of the two	content.tex:674
SUSP-DEV-007	3.4.2 Device Suspend	device	MUST	A resume request ends either in normal operation or in DEVICE_NEEDS_RESET	status	yes	status eventually shows one of the two	content.tex:677
SUSP-DEV-008	3.4.2 Device Suspend	device	SHOULD	Before reporting suspended, the device stops taking buffers, finishes those in progress and signals them	status	yes	outstanding == 0 when SUSPEND=1 and DRIVER_OK=0 are shown	content.tex:680
RSVD-DRV-001	6.1 Reserved Feature Bits	driver	MUST	VERSION_1 is accepted whenever offered	feature	yes	accepted bit 32	content.tex:951
RSVD-DRV-002	6.1 Reserved Feature Bits	driver	MAY	A driver may refuse a device without VERSION_1	feature	no	permission only	content.tex:952
RSVD-DRV-003	6.1 Reserved Feature Bits	driver	SHOULD	ACCESS_PLATFORM is accepted whenever offered	feature	yes	accepted bit 33	content.tex:954
RSVD-DRV-004	6.1 Reserved Feature Bits	driver	MUST	With ACCESS_PLATFORM accepted, addresses given to the device are valid under the platform IOMMU (or the IOMMU is off)	feature	yes	every ring/buffer address resolves through the TCE table of the LIOBN with the right permission	content.tex:954
RSVD-DRV-005	6.1 Reserved Feature Bits	driver	MUST	Without ACCESS_PLATFORM in the offer, only guest-physical addresses are given to the device	feature	yes	every ring/buffer address lies in guest RAM	content.tex:957
RSVD-DRV-006	6.1 Reserved Feature Bits	driver	SHOULD	RING_PACKED is accepted whenever offered	feature	yes	accepted bit 34	content.tex:960
RSVD-DRV-007	6.1 Reserved Feature Bits	driver	SHOULD	ORDER_PLATFORM is accepted whenever offered	feature	yes	accepted bit 36	content.tex:962
RSVD-DRV-008	6.1 Reserved Feature Bits	driver	MUST	With ORDER_PLATFORM the driver uses barriers fit for real hardware	feature	no	needs instruction-level observation (sync vs lwsync on ppc)	content.tex:963
RSVD-DRV-009	6.1 Reserved Feature Bits	driver	MAY	With SR_IOV the driver may turn on virtual functions	feature	no	permission only	content.tex:966
RSVD-DRV-010	6.1 Reserved Feature Bits	driver	MUST NOT	SR_IOV is not accepted without a PCI SR-IOV capability, nor on other transports	feature	yes	accepted bit 37 implies ext cap present	content.tex:968
RSVD-DRV-011	6.1 Reserved Feature Bits	driver	MUST	SR_IOV negotiation is complete (FEATURES_OK checked) before VFs are turned on	feature	yes	order of status write and SR-IOV control write	content.tex:970
RSVD-DRV-012	6.1 Reserved Feature Bits	driver	MAY	Once negotiated, VFs may be turned on again after resets without negotiating again	feature	no	permission only	content.tex:975
RSVD-DRV-013	6.1 Reserved Feature Bits	driver	SHOULD	NOTIF_CONFIG_DATA is accepted whenever offered	feature	yes	accepted bit 39	content.tex:981
RSVD-DEV-001	6.2 Reserved Feature Bits	device	MUST	VERSION_1 is offered	feature	yes	offered bit 32 (modern and transitional devices)	content.tex:985
RSVD-DEV-002	6.2 Reserved Feature Bits	device	MAY	The device may refuse to work if VERSION_1 is not accepted	feature	yes	modern-only: FEATURES_OK refused without bit 32	content.tex:985
RSVD-DEV-003	6.2 Reserved Feature Bits	device	SHOULD	ACCESS_PLATFORM is offered when the device's memory access is translated or restricted	feature	yes	iommu_platform=on iff bit 33 offered	content.tex:988
RSVD-DEV-004	6.2 Reserved Feature Bits	device	MAY	The device may refuse to work if ACCESS_PLATFORM is not accepted	feature	yes	iommu_platform=on and bit 33 not acked: FEATURES_OK refused (QEMU does)	content.tex:993
RSVD-DEV-005	6.2 Reserved Feature Bits	device	MUST	With IN_ORDER accepted buffers are used in the order made available	feature	yes	sequence of used ids equals sequence of avail heads	content.tex:996
RSVD-DEV-006	6.2 Reserved Feature Bits	device	MAY	The device may refuse to work if ORDER_PLATFORM is offered but not accepted	feature	no	permission only	content.tex:999
RSVD-DEV-007	6.2 Reserved Feature Bits	device	MAY	The device may fall back to a slower mode in that case	feature	no	permission only	content.tex:1001
RSVD-DEV-008	6.2 Reserved Feature Bits	device	SHOULD	Add-in-card devices offer both ACCESS_PLATFORM and ORDER_PLATFORM	feature	no	hardware advice	content.tex:1004
RSVD-DEV-009	6.2 Reserved Feature Bits	device	SHOULD	SR_IOV is offered exactly by PCI devices with an SR-IOV capability	feature	yes	offered bit 37 iff ext cap	content.tex:1008
RSVD-DEV-010	6.2 Reserved Feature Bits	device	MUST NOT	SR_IOV is not offered otherwise	feature	yes	offered bit 37 without cap	content.tex:1010
LRSVD-DEV-001	6.3 Legacy Interface: Reserved Feature Bits	transport-legacy	MAY	Transitional device: NOTIFY_ON_EMPTY may be offered	feature	no	permission only	content.tex:1014
LRSVD-DEV-002	6.3 Legacy Interface: Reserved Feature Bits	transport-legacy	MUST	Transitional device: with NOTIFY_ON_EMPTY accepted, running out of available buffers is signalled even if suppressed	feature	yes	set NO_INTERRUPT, drain queue: one interrupt	content.tex:1017
LRSVD-DEV-003	6.3 Legacy Interface: Reserved Feature Bits	transport-legacy	MUST	Transitional device: ANY_LAYOUT (27) is offered, and the sentence also covers bit 30 (contradicted two lines later)	feature	yes	offered bit 27 on legacy window	content.tex:1032
LRSVD-DRV-001	6.3 Legacy Interface: Reserved Feature Bits	transport-legacy	MUST	Transitional driver: accepts ANY_LAYOUT when offered	feature	yes	accepted bit 27	content.tex:1033
LRSVD-BOTH-001	6.3 Legacy Interface: Reserved Feature Bits	transport-legacy	SHOULD NOT	Bit 30 (early-experimental marker) is not negotiated	feature	yes	accepted bit 30 clear; oracle tolerates offer	content.tex:1041
SHM-DEV-001	2.10.2 Shared Memory Regions	device	MUST NOT	Shared memory regions carry neither device control nor data streams	config	no	design rule	shared-mem.tex:39
SPLIT-DRV-001	2.7.1 Virtqueues	driver	MUST	Start addresses are aligned: descriptor table 16, available ring 2, used ring 4	ring	yes	addr % align == 0 at queue_enable; fuzz misaligned values	split-ring.tex:61
SPLIT-DEV-001	2.7.4.1 Message Framing	device	MUST NOT	No reliance on how a message is cut into descriptors	ring	yes	re-split each request at every byte boundary; same result (metamorphic)	split-ring.tex:146
SPLIT-DEV-002	2.7.4.1 Message Framing	device	MAY	A reasonable upper limit on descriptors per chain is allowed	ring	yes	chains up to 128 must work; record limit	split-ring.tex:147
SPLIT-DRV-002	2.7.4.2 Message Framing	driver	MUST	Device-writable elements come after all device-readable ones	ring	yes	walk chain: once WRITE seen all later have WRITE; fuzz violates	split-ring.tex:151
SPLIT-DRV-003	2.7.4.2 Message Framing	driver	SHOULD NOT	Buffers are not cut into absurdly many descriptors	ring	partly	max chain length statistic	split-ring.tex:154
SPLIT-DEV-003	2.7.5.1 The Virtqueue Descriptor Table	device	MUST NOT	Device-readable buffers are never written	ring	yes	page-protection or hash of readable regions before/after	split-ring.tex:218
SPLIT-DEV-004	2.7.5.1 The Virtqueue Descriptor Table	device	SHOULD NOT	Device-writable buffers are not read	ring	yes	poison writable buffers; output must not depend on it; DMA log has no reads	split-ring.tex:218
SPLIT-DEV-005	2.7.5.1 The Virtqueue Descriptor Table	device	MAY	Reading them for diagnosis is tolerated	ring	no	permission only	split-ring.tex:219
SPLIT-DEV-006	2.7.5.1 The Virtqueue Descriptor Table	device	MUST NOT	The descriptor table is never written	ring	yes	DMA log: no device write inside descriptor table	split-ring.tex:220
SPLIT-DRV-004	2.7.5.2 The Virtqueue Descriptor Table	driver	MUST NOT	A chain is at most 2^32 bytes in total, so loops are impossible	ring	yes	sum of len <= 2^32; fuzz loop	split-ring.tex:223
SPLIT-DRV-005	2.7.5.2 The Virtqueue Descriptor Table	driver	MUST	With IN_ORDER a NEXT link goes to x+1, and from the last table slot to 0	ring	yes	next == (x+1) mod size	split-ring.tex:228
SPLIT-DRV-006	2.7.5.3.1 Indirect Descriptors	driver	MUST NOT	INDIRECT is set only with INDIRECT_DESC negotiated	ring	yes	flag seen without bit 28	split-ring.tex:266
SPLIT-DRV-007	2.7.5.3.1 Indirect Descriptors	driver	MUST NOT	INDIRECT never appears inside an indirect table	ring	yes	flag 4 in table entry	split-ring.tex:267
SPLIT-DRV-008	2.7.5.3.1 Indirect Descriptors	driver	MUST NOT	A chain is never longer than the queue size	ring	yes	count elements; ambiguous for indirect tables, see pitfalls	split-ring.tex:271
SPLIT-DRV-009	2.7.5.3.1 Indirect Descriptors	driver	MUST NOT	INDIRECT and NEXT are never set together in one descriptor	ring	yes	flags & 5 == 5	split-ring.tex:274
SPLIT-DRV-010	2.7.5.3.1 Indirect Descriptors	driver	MUST	With IN_ORDER indirect entries link 0->1->2 in sequence	ring	yes	next == i+1	split-ring.tex:278
SPLIT-DEV-007	2.7.5.3.2 Indirect Descriptors	device	MUST	WRITE on the descriptor that points to an indirect table is ignored	ring	yes	same request with and without flag 2: same result	split-ring.tex:282
SPLIT-DEV-008	2.7.5.3.2 Indirect Descriptors	device	MUST	Zero or more direct elements followed by one INDIRECT element form a valid chain	ring	yes	direct header + indirect tail request works	split-ring.tex:284
SPLIT-DRV-011	2.7.6.1 The Virtqueue Available Ring	driver	MUST NOT	The available idx never goes backwards	ring	yes	idx delta mod 2^16 <= queue size	split-ring.tex:321
SPLIT-DRV-012	2.7.7.1 Used Buffer Notification Suppression	driver	MUST	Without EVENT_IDX avail flags is 0 or 1	ring	yes	value check	split-ring.tex:341
SPLIT-DRV-013	2.7.7.1 Used Buffer Notification Suppression	driver	MAY	flags=1 may be used as a hint that no used notification is wanted	ring	no	permission only	split-ring.tex:342
SPLIT-DRV-014	2.7.7.1 Used Buffer Notification Suppression	driver	MUST	With EVENT_IDX avail flags is 0	ring	yes	value check	split-ring.tex:348
SPLIT-DRV-015	2.7.7.1 Used Buffer Notification Suppression	driver	MAY	used_event may be used to ask for the next notification position	ring	no	permission only	split-ring.tex:349
SPLIT-DRV-016	2.7.7.1 Used Buffer Notification Suppression	driver	MUST	Needless notifications from the device are tolerated	ring	yes	inject extra interrupts; guest unaffected	split-ring.tex:354
SPLIT-DEV-009	2.7.7.2 Used Buffer Notification Suppression	device	MUST	Without EVENT_IDX used_event is ignored	ring	yes	random used_event; interrupt behaviour unchanged	split-ring.tex:360
SPLIT-DEV-010	2.7.7.2 Used Buffer Notification Suppression	device	SHOULD NOT	Without EVENT_IDX: avail flags 1 means no notification after a used entry	ring	yes	count interrupts with flags=1	split-ring.tex:363
SPLIT-DEV-011	2.7.7.2 Used Buffer Notification Suppression	device	MUST	Without EVENT_IDX: avail flags 0 means a notification after a used entry	ring	yes	interrupt seen after every used idx update with flags=0	split-ring.tex:364
SPLIT-DEV-012	2.7.7.2 Used Buffer Notification Suppression	device	MUST	With EVENT_IDX bit 0 of avail flags is ignored	ring	yes	flags=1 plus used_event due: interrupt still sent	split-ring.tex:370
SPLIT-DEV-013	2.7.7.2 Used Buffer Notification Suppression	device	MUST	With EVENT_IDX: used idx equal to used_event when the entry was placed requires a notification	ring	yes	formula (new-event-1) < (new-old) mod 2^16 must imply interrupt	split-ring.tex:375
SPLIT-DEV-014	2.7.7.2 Used Buffer Notification Suppression	device	SHOULD NOT	With EVENT_IDX: otherwise no notification	ring	yes	formula false implies none (allow rare spurious)	split-ring.tex:376
SPLIT-DEV-015	2.7.8.2 The Virtqueue Used Ring	device	MUST	Used len is stored before used idx moves	ring	yes	DMA write order in the log	split-ring.tex:456
SPLIT-DEV-016	2.7.8.2 The Virtqueue Used Ring	device	MUST	At least len bytes from the first writable byte on are written before used idx moves	ring	yes	DMA log coverage of [0,len) of the writable part	split-ring.tex:458
SPLIT-DEV-017	2.7.8.2 The Virtqueue Used Ring	device	MAY	More bytes than len may have been written	ring	no	permission only	split-ring.tex:462
SPLIT-DRV-017	2.7.8.3 The Virtqueue Used Ring	driver	MUST NOT	Nothing is assumed about writable bytes beyond len	ring	partly	device returns short len with poison behind; guest must not expose it	split-ring.tex:473
SPLIT-DRV-018	2.7.8.3 The Virtqueue Used Ring	driver	SHOULD	Bytes beyond len are ignored	ring	partly	same test	split-ring.tex:474
SPLIT-DRV-019	2.7.10.1 Available Buffer Notification Suppression	driver	MUST	Used flags is set to 0 when the used ring is allocated	ring	yes	value at queue_enable	split-ring.tex:515
SPLIT-DRV-020	2.7.10.1 Available Buffer Notification Suppression	driver	MUST	Without EVENT_IDX avail_event is ignored	ring	yes	random avail_event; kicks unchanged	split-ring.tex:520
SPLIT-DRV-021	2.7.10.1 Available Buffer Notification Suppression	driver	SHOULD NOT	Without EVENT_IDX: used flags 1 means no kick	ring	yes	kick count with flags=1	split-ring.tex:523
SPLIT-DRV-022	2.7.10.1 Available Buffer Notification Suppression	driver	MUST	Without EVENT_IDX: used flags 0 means a kick after adding	ring	yes	kick after each avail update with flags=0	split-ring.tex:524
SPLIT-DRV-023	2.7.10.1 Available Buffer Notification Suppression	driver	MUST	With EVENT_IDX bit 0 of used flags is ignored	ring	yes	flags=1 with avail_event due: kick still sent	split-ring.tex:530
SPLIT-DRV-024	2.7.10.1 Available Buffer Notification Suppression	driver	MUST	With EVENT_IDX: avail idx equal to avail_event when the entry was placed requires a kick	ring	yes	vring_need_event formula	split-ring.tex:535
SPLIT-DRV-025	2.7.10.1 Available Buffer Notification Suppression	driver	SHOULD NOT	With EVENT_IDX: otherwise no kick	ring	yes	formula false	split-ring.tex:536
SPLIT-DEV-018	2.7.10.2 Available Buffer Notification Suppression	device	MUST	Without EVENT_IDX used flags is 0 or 1	ring	yes	value check	split-ring.tex:543
SPLIT-DEV-019	2.7.10.2 Available Buffer Notification Suppression	device	MAY	flags=1 may hint that kicks are not needed	ring	no	permission only	split-ring.tex:544
SPLIT-DEV-020	2.7.10.2 Available Buffer Notification Suppression	device	MUST	With EVENT_IDX used flags is 0	ring	yes	value check	split-ring.tex:550
SPLIT-DEV-021	2.7.10.2 Available Buffer Notification Suppression	device	MAY	avail_event may name the index at which a kick is wanted	ring	no	permission only	split-ring.tex:551
SPLIT-DEV-022	2.7.10.2 Available Buffer Notification Suppression	device	MUST	Needless kicks are tolerated	ring	yes	kick storms with empty ring: no state change	split-ring.tex:555
SPLIT-DRV-026	2.7.13 Supplying Buffers to The Device	driver	MAY	Filling descriptors and ring slots may be batched	ring	no	permission only	split-ring.tex:595
SPLIT-DRV-027	2.7.13.2 Updating The Available Ring	driver	MAY	A simple driver may store the head at idx mod size	ring	no	permission only	split-ring.tex:655
SPLIT-DRV-028	2.7.13.2 Updating The Available Ring	driver	MAY	Many heads may be stored before idx moves	ring	no	permission only	split-ring.tex:662
SPLIT-DEV-023	2.7.13.3 Updating idx	device	MAY	As soon as idx is published the device may read the chain and its memory	ring	yes	TOCTOU fuzz: mutate after publish; device must stay memory-safe	split-ring.tex:680
SPLIT-DRV-029	2.7.13.3.1 Updating idx	driver	MUST	A barrier precedes the idx update	ring	no	needs memory-model observation; under a sequential emulator only store order is visible	split-ring.tex:685
SPLIT-DEV-024	2.7.13.4 Notifying The Device	device	MAY	Kicks may be suppressed	ring	no	permission only	split-ring.tex:691
SPLIT-DRV-030	2.7.13.4.1 Notifying The Device	driver	MUST	A barrier precedes reading used flags / avail_event	ring	no	store of avail idx precedes load in program order (partly visible)	split-ring.tex:698
SPLIT-DRV-031	2.7.14 Receiving Used Buffers From The Device	driver	MAY	Used notifications may be switched off while draining	ring	no	permission only	split-ring.tex:711
SPLITL-DRV-001	2.7.2 Legacy Interfaces: A Note on Virtqueue Layout	transport-legacy	MUST	Legacy-mode driver: queue size is read from the device (not negotiable)	ring	yes	size register read before Queue Address written	split-ring.tex:84
SPLITL-DRV-002	2.7.2 Legacy Interfaces: A Note on Virtqueue Layout	transport-legacy	MUST	Legacy-mode driver: allocates align(16n + 2(3+n)) + align(6 + 8n) bytes, contiguous	ring	yes	ring area lies in mapped RAM for the computed length	split-ring.tex:85
SPLITL-BOTH-001	2.7.2 Legacy Interfaces: A Note on Virtqueue Layout	transport-legacy	MUST	Legacy mode: one contiguous block, descriptors, avail ring, padding to Queue Align, used ring	ring	yes	used ring address == align4096(desc + 16n + 6 + 2n)	split-ring.tex:100
SPLITL-BOTH-002	2.7.3 Legacy Interfaces: A Note on Virtqueue Endianness	transport-legacy	MUST	Legacy mode: ring fields use the guest's own byte order	ring	yes	big-endian guest: swap test on desc/avail/used	split-ring.tex:122
PACKED-DRV-001	2.8.11 Virtqueues	driver	MUST	Start addresses aligned: descriptor ring 16, both event structures 4	ring	yes	addr % align at queue_enable	packed-ring.tex:392
PACKED-DEV-001	2.8.12 Virtqueues	device	MUST	Driver descriptors are taken up in ring order	ring	yes	processing start order equals ring order	packed-ring.tex:397
PACKED-DEV-002	2.8.12 Virtqueues	device	MUST	Used descriptors begin to be written in completion order	ring	yes	order of used writes equals order of completions	packed-ring.tex:399
PACKED-DEV-003	2.8.12 Virtqueues	device	MAY	The writes, once begun, may be reordered	ring	no	permission only	packed-ring.tex:401
PACKED-DEV-004	2.8.15 The Virtqueue Descriptor Table	device	MUST NOT	Device-readable buffers are never written	ring	yes	hash of readable regions	packed-ring.tex:447
PACKED-DEV-005	2.8.15 The Virtqueue Descriptor Table	device	SHOULD NOT	Device-writable buffers are not read	ring	yes	poison independence	packed-ring.tex:447
PACKED-DEV-006	2.8.15 The Virtqueue Descriptor Table	device	MUST NOT	A descriptor is used only after its AVAIL bit was seen to change	ring	yes	never consume a zeroed ring; both wrap phases tested	packed-ring.tex:449
PACKED-DEV-007	2.8.15 The Virtqueue Descriptor Table	device	MUST NOT	A descriptor is not touched after its USED bit was flipped	ring	yes	no DMA write to slot after flags write until next lap	packed-ring.tex:452
PACKED-DRV-002	2.8.16 The Virtqueue Descriptor Table	driver	MUST NOT	The driver rewrites a descriptor only after its USED bit was seen to change	ring	yes	write to a slot still owned by device	packed-ring.tex:456
PACKED-DRV-003	2.8.16 The Virtqueue Descriptor Table	driver	MUST NOT	After flipping AVAIL the driver leaves the descriptor alone	ring	yes	snapshot compare	packed-ring.tex:458
PACKED-DRV-004	2.8.16 The Virtqueue Descriptor Table	driver	MUST	A notification carries next_off/next_wrap of the next descriptor not yet available	ring	yes	compare 32-bit kick payload with ring state (needs NOTIFICATION_DATA)	packed-ring.tex:460
PACKED-DRV-005	2.8.16 The Virtqueue Descriptor Table	driver	MAY	[continues PACKED-DRV-004] Repeated kicks without new buffers are fine	ring	no	permission only	packed-ring.tex:464
PACKED-DRV-006	2.8.17 Scatter-Gather Support	driver	MUST NOT	A list is not longer than the device permits	ring	partly	device limit known only per device (e.g. seg_max)	packed-ring.tex:468
PACKED-DRV-007	2.8.17 Scatter-Gather Support	driver	MUST NOT	A list is not longer than the queue size	ring	yes	count	packed-ring.tex:471
PACKED-DRV-008	2.8.17 Scatter-Gather Support	driver	MUST	Writable elements come after readable ones	ring	yes	walk	packed-ring.tex:476
PACKED-DRV-009	2.8.17 Scatter-Gather Support	driver	MUST NOT	Writing out a whole list never depends on the device freeing slots meanwhile	ring	partly	ring nearly full test	packed-ring.tex:479
PACKED-DRV-010	2.8.17 Scatter-Gather Support	driver	MUST	Room for the entire list is reserved before the head is published	ring	yes	free count >= list length at head publish	packed-ring.tex:481
PACKED-DRV-011	2.8.17 Scatter-Gather Support	driver	MUST NOT	The head's AVAIL bit is flipped last	ring	yes	write order of flags in a list	packed-ring.tex:485
PACKED-DEV-008	2.8.18 Scatter-Gather Support	device	MUST	Elements of a NEXT-linked list are processed in their given order	ring	yes	data order check	packed-ring.tex:490
PACKED-DEV-009	2.8.18 Scatter-Gather Support	device	MAY	The device may limit the number of elements in a list	ring	no	permission only	packed-ring.tex:494
PACKED-DRV-012	2.8.19 Indirect Descriptors	driver	MUST NOT	INDIRECT is used only with INDIRECT_DESC negotiated	ring	yes	flag without bit 28	packed-ring.tex:498
PACKED-DRV-013	2.8.19 Indirect Descriptors	driver	MUST NOT	In an indirect table only the WRITE flag may be set	ring	yes	flags & ~2 == 0 in table	packed-ring.tex:499
PACKED-DRV-014	2.8.19 Indirect Descriptors	driver	MUST NOT	A chain is not longer than the device permits	ring	partly	as PACKED above	packed-ring.tex:502
PACKED-DRV-015	2.8.19 Indirect Descriptors	driver	MUST NOT	An INDIRECT descriptor is not part of a NEXT-linked list	ring	yes	flags combination in ring (unlike split, no mixing)	packed-ring.tex:505
PACKED-DRV-016	2.8.21.1 Placing Available Buffers Into The Descriptor Ring	driver	MAY	A batch of descriptors may form one request	ring	no	permission only	packed-ring.tex:560
PACKED-DEV-010	2.8.21.1 Placing Available Buffers Into The Descriptor Ring	device	MAY	After the flags write the device may read this and following descriptors at once	ring	yes	TOCTOU fuzz	packed-ring.tex:567
PACKED-DRV-017	2.8.21.1.1 Updating flags	driver	MUST	A barrier precedes the flags write	ring	no	store order only	packed-ring.tex:572
PACKED-DEV-011	2.8.21.2 Sending Available Buffer Notifications	device	MAY	Kicks may be suppressed through the device event structure	ring	no	permission only	packed-ring.tex:581
PACKED-DRV-018	2.8.21.3.1 Sending Available Buffer Notifications	driver	MUST	A barrier precedes reading the device event structure	ring	no	load after store in program order	packed-ring.tex:650
PACKED-DRV-019	2.8.22 Receiving Used Buffers From The Device	driver	MAY	Used notifications may be switched off while draining	ring	no	permission only	packed-ring.tex:666
PCI-DEV-001	4.1.1 Virtio Over PCI Bus	device	MUST	The function behaves as a proper PCI or PCI Express function	transport	partly	generic config-space conformance walk (header, BAR sizing, cap list)	transport-pci.tex:13
PCI-DEV-002	4.1.2 PCI Device Discovery	device	MAY	Some device types may use an ID in the transitional range	transport	no	permission only	transport-pci.tex:26
PCI-DEV-003	4.1.2.1 PCI Device Discovery	device	MUST	Vendor ID is 0x1AF4	transport	yes	config read	transport-pci.tex:31
PCI-DEV-004	4.1.2.1 PCI Device Discovery	device	MUST	Device ID is 0x1040 plus the virtio type, or the type's transitional ID	transport	yes	config read vs table	transport-pci.tex:32
PCI-DEV-005	4.1.2.1 PCI Device Discovery	device	MAY	Subsystem IDs may describe the environment	transport	no	permission only	transport-pci.tex:60
PCI-DEV-006	4.1.2.1 PCI Device Discovery	device	SHOULD	Modern-only devices use a device ID in 0x1040..0x107f	transport	yes	config read, disable-legacy=on	transport-pci.tex:63
PCI-DEV-007	4.1.2.1 PCI Device Discovery	device	SHOULD	Modern-only devices use revision 1 or higher	transport	yes	config read	transport-pci.tex:65
PCI-DEV-008	4.1.2.1 PCI Device Discovery	device	SHOULD	Modern-only devices use a subsystem device ID of 0x40 or higher	transport	yes	config read (QEMU default is 0x1100)	transport-pci.tex:66
PCI-DRV-001	4.1.2.2 PCI Device Discovery	driver	MUST	The driver matches 0x1AF4 with 0x1040+type	transport	yes	probe test	transport-pci.tex:72
PCI-DRV-002	4.1.2.2 PCI Device Discovery	driver	MUST	Drivers of types with a transitional ID match that one too	transport	yes	probe test with 0x1000..	transport-pci.tex:78
PCI-DRV-003	4.1.2.2 PCI Device Discovery	driver	MUST	Any revision ID is matched	transport	yes	vary revision 0..255	transport-pci.tex:83
PCI-DRV-004	4.1.2.2 PCI Device Discovery	driver	MAY	Any subsystem IDs may be matched	transport	no	permission only	transport-pci.tex:84
PCI-DRV-005	4.1.3.1 PCI Device Layout	driver	MUST	Access width equals field width (8/16/32, 64-bit fields as 32-bit), aligned	transport	yes	MMIO trace widths; device side fuzz odd widths	transport-pci.tex:111
PCI-DRV-006	4.1.3.1 PCI Device Layout	driver	MAY	The halves of a 64-bit field may be accessed separately	transport	no	permission only	transport-pci.tex:114
PCI-DEV-009	4.1.3.2 PCI Device Layout	device	MUST	The halves of 64-bit fields are separately accessible	transport	yes	write only low, only high, high first	transport-pci.tex:120
PCI-DEV-010	4.1.4 Virtio Structure PCI Capabilities	device	MAY	cap_len may cover padding or fields not used	config	no	permission only	transport-pci.tex:171
PCI-DEV-011	4.1.4 Virtio Structure PCI Capabilities	device	MAY	Several structures of one type may be offered, in order of preference	config	yes	device with two notify caps	transport-pci.tex:197
PCI-DEV-012	4.1.4 Virtio Structure PCI Capabilities	device	MAY	length may cover padding or future fields	config	no	permission only	transport-pci.tex:234
PCI-DRV-007	4.1.4 Virtio Structure PCI Capabilities	driver	MAY	The driver may map only part of a long structure	config	no	permission only	transport-pci.tex:241
PCI-DRV-008	4.1.4.1 Virtio Structure PCI Capabilities	driver	MUST	Capabilities with unknown cfg_type are ignored	config	yes	add cap with type 6/7/0xff	transport-pci.tex:267
PCI-DRV-009	4.1.4.1 Virtio Structure PCI Capabilities	driver	SHOULD	The first usable capability of each type is taken	config	yes	two caps; see which one is used	transport-pci.tex:270
PCI-DRV-010	4.1.4.1 Virtio Structure PCI Capabilities	driver	MUST	A cap_len larger than known is accepted	config	yes	grow cap_len	transport-pci.tex:273
PCI-DRV-011	4.1.4.1 Virtio Structure PCI Capabilities	driver	MUST	Capabilities with a BAR index above 5 are ignored	config	yes	bar=6..255	transport-pci.tex:275
PCI-DRV-012	4.1.4.1 Virtio Structure PCI Capabilities	driver	SHOULD	Only the needed part of a structure is mapped	config	yes	map length	transport-pci.tex:278
PCI-DRV-013	4.1.4.1 Virtio Structure PCI Capabilities	driver	MUST	An unexpectedly large length is handled	config	yes	length=0xffffffff with small BAR	transport-pci.tex:279
PCI-DRV-014	4.1.4.1 Virtio Structure PCI Capabilities	driver	MAY	The driver may check that length is large enough	config	yes	length too small: refuse, no out-of-range access	transport-pci.tex:280
PCI-DRV-015	4.1.4.1 Virtio Structure PCI Capabilities	driver	MUST NOT	Capability fields are not written, other than in the PCI_CFG capability	config	yes	config write trace	transport-pci.tex:283
PCI-DEV-013	4.1.4.2 Virtio Structure PCI Capabilities	device	MUST	cap_len counts everything from cap_vndr to the end of extra data	config	yes	cap_len vs type: 16, notify 20, pci_cfg 20, shm 24	transport-pci.tex:289
PCI-DEV-014	4.1.4.2 Virtio Structure PCI Capabilities	device	MAY	Extra data or padding may follow structures	config	no	permission only	transport-pci.tex:291
PCI-DEV-015	4.1.4.2 Virtio Structure PCI Capabilities	device	SHOULD	Several structures of one type are ordered best first	config	yes	order in list	transport-pci.tex:294
PCI-DEV-016	4.1.4.3.1 Common configuration structure layout	device	MUST	Common cfg offset is 4-byte aligned	config	yes	cap check	transport-pci.tex:434
PCI-DEV-017	4.1.4.3.1 Common configuration structure layout	device	MUST	At least one common cfg capability exists	config	yes	cap walk	transport-pci.tex:436
PCI-DEV-018	4.1.4.3.1 Common configuration structure layout	device	MUST	device_feature shows bits select*32..+31 for any select written	feature	yes	select 0,1,2,3,0xffffffff; unknown words read 0	transport-pci.tex:438
PCI-DEV-019	4.1.4.3.1 Common configuration structure layout	device	MUST	driver_feature reads back the accepted valid bits for any select	feature	yes	write, read back	transport-pci.tex:443
PCI-DEV-020	4.1.4.3.1 Common configuration structure layout	device	MAY	Invalid bits may be echoed too	feature	no	permission only (oracle masks them)	transport-pci.tex:443
PCI-DEV-021	4.1.4.3.1 Common configuration structure layout	device	MUST	config_generation differs after a config value that had been read has changed	config	yes	read config, change, read generation; more than 256 changes between reads	transport-pci.tex:455
PCI-DEV-022	4.1.4.3.1 Common configuration structure layout	device	MUST	Writing 0 to device_status resets; it reads 0 when the reset is done	status	yes	write 0	transport-pci.tex:467
PCI-DEV-023	4.1.4.3.1 Common configuration structure layout	device	MUST	queue_enable reads 0 after reset	config	yes	all queues	transport-pci.tex:470
PCI-DEV-024	4.1.4.3.1 Common configuration structure layout	device	MUST	queue_reset reads 0 after device reset (RING_RESET)	config	yes	all queues	transport-pci.tex:472
PCI-DEV-025	4.1.4.3.1 Common configuration structure layout	device	MUST	queue_reset reads 0 after queue_enable was written (RING_RESET)	config	yes	read after re-enable	transport-pci.tex:475
PCI-DEV-026	4.1.4.3.1 Common configuration structure layout	device	MUST	Writing 1 to queue_reset resets that queue	config	yes	rings stop	transport-pci.tex:478
PCI-DEV-027	4.1.4.3.1 Common configuration structure layout	device	MUST	queue_reset reads 1 while the queue reset is under way	config	yes	asynchronous reset model	transport-pci.tex:479
PCI-DEV-028	4.1.4.3.1 Common configuration structure layout	device	MUST	After it, queue_reset and queue_enable both read 0	config	yes	read back	transport-pci.tex:480
PCI-DEV-029	4.1.4.3.1 Common configuration structure layout	device	MUST	queue_size reads 0 for a queue that does not exist	config	yes	queue_select up to 0xffff	transport-pci.tex:484
PCI-DEV-030	4.1.4.3.1 Common configuration structure layout	device	MUST	Without RING_PACKED queue_size reads 0 or a power of two	config	yes	all queues	transport-pci.tex:487
PCI-DEV-031	4.1.4.3.1 Common configuration structure layout	device	MUST	admin_queue_index is not below num_queues (ADMIN_VQ)	config	yes	read both	transport-pci.tex:492
PCI-DEV-032	4.1.4.3.1 Common configuration structure layout	device	MUST	admin_queue_num is at most 0x10000 - admin_queue_index	config	yes	read both	transport-pci.tex:493
PCI-DRV-016	4.1.4.3.2 Common configuration structure layout	driver	MUST NOT	Read-only common cfg fields are not written	config	yes	write trace; device-side fuzz: writes change nothing	transport-pci.tex:500
PCI-DRV-017	4.1.4.3.2 Common configuration structure layout	driver	MUST NOT	With RING_PACKED 0 is never written to queue_size	config	yes	write trace; device-side fuzz	transport-pci.tex:505
PCI-DRV-018	4.1.4.3.2 Common configuration structure layout	driver	MUST NOT	Without RING_PACKED only powers of two are written to queue_size	config	yes	write trace; device-side fuzz	transport-pci.tex:507
PCI-DRV-019	4.1.4.3.2 Common configuration structure layout	driver	MUST	All other queue fields are set before queue_enable	config	yes	write order per queue	transport-pci.tex:509
PCI-DRV-020	4.1.4.3.2 Common configuration structure layout	driver	MUST	After writing status 0 the driver waits for 0 before going on	config	yes	delay reset completion	transport-pci.tex:512
PCI-DRV-021	4.1.4.3.2 Common configuration structure layout	driver	MUST NOT	0 is never written to queue_enable	config	yes	write trace; device-side fuzz	transport-pci.tex:515
PCI-DRV-022	4.1.4.3.2 Common configuration structure layout	driver	MUST NOT	A queue reset counts as done only when queue_reset reads 0	config	yes	delay completion	transport-pci.tex:518
PCI-DRV-023	4.1.4.3.2 Common configuration structure layout	driver	MAY	The queue may be enabled again after being set up anew	config	no	permission only	transport-pci.tex:520
PCI-DRV-024	4.1.4.3.2 Common configuration structure layout	driver	MAY	Other parameters may be chosen then	config	no	permission only	transport-pci.tex:521
PCI-DRV-025	4.1.4.3.2 Common configuration structure layout	driver	MUST	Admin queues are configured inside the announced index range	config	yes	queue_select trace	transport-pci.tex:527
PCI-DRV-026	4.1.4.3.2 Common configuration structure layout	driver	MAY	Fewer admin queues than offered may be configured	config	no	permission only	transport-pci.tex:531
PCI-DEV-033	4.1.4.4.1 Notification capability	device	MUST	At least one notification capability exists	transport	yes	cap walk	transport-pci.tex:564
PCI-DEV-034	4.1.4.4.1 Notification capability	device	MUST	Without NOTIFICATION_DATA offered: notify offset is 2-byte aligned	transport	yes	cap check	transport-pci.tex:568
PCI-DEV-035	4.1.4.4.1 Notification capability	device	MUST	Without NOTIFICATION_DATA offered: multiplier is 0 or an even power of two	transport	yes	multiplier in {0,2,4,8,..} (reading 'even power of 2' as even number that is a power of two)	transport-pci.tex:570
PCI-DEV-036	4.1.4.4.1 Notification capability	device	MUST	Without NOTIFICATION_DATA offered: notify length is at least 2	transport	yes	cap check	transport-pci.tex:573
PCI-DEV-037	4.1.4.4.1 Notification capability	device	MUST	[continues PCI-DEV-036] ... and covers every queue in every configuration	transport	yes	for all queues off*mult+2 <= length	transport-pci.tex:574
PCI-DEV-038	4.1.4.4.1 Notification capability	device	MUST	Without NOTIFICATION_DATA offered: length >= queue_notify_off*multiplier + 2 for all queues	transport	yes	arithmetic	transport-pci.tex:577
PCI-DEV-039	4.1.4.4.1 Notification capability	device	MUST	With NOTIFICATION_DATA offered: multiplier is 0 or a power of two divisible by 4	transport	yes	arithmetic	transport-pci.tex:584
PCI-DEV-040	4.1.4.4.1 Notification capability	device	MUST	With NOTIFICATION_DATA offered: notify offset is 4-byte aligned	transport	yes	cap check	transport-pci.tex:588
PCI-DEV-041	4.1.4.4.1 Notification capability	device	MUST	With NOTIFICATION_DATA offered: notify length is at least 4	transport	yes	cap check	transport-pci.tex:590
PCI-DEV-042	4.1.4.4.1 Notification capability	device	MUST	[continues PCI-DEV-041] ... and covers every queue in every configuration	transport	yes	for all queues off*mult+4 <= length	transport-pci.tex:591
PCI-DEV-043	4.1.4.4.1 Notification capability	device	MUST	With NOTIFICATION_DATA offered: length >= queue_notify_off*multiplier + 4 for all queues	transport	yes	arithmetic	transport-pci.tex:594
PCI-DEV-044	4.1.4.5.1 ISR status capability	device	MUST	At least one ISR capability exists	transport	yes	cap walk	transport-pci.tex:628
PCI-DEV-045	4.1.4.5.1 ISR status capability	device	MUST	ISR bit 1 is set before a config-change notification goes out (no MSI-X condition in the text)	transport	yes	order: ISR state at interrupt time; also with MSI-X on	transport-pci.tex:630
PCI-DEV-046	4.1.4.5.1 ISR status capability	device	MUST	With MSI-X off ISR bit 0 is set before a queue notification goes out	transport	yes	ISR state at INTx assertion	transport-pci.tex:634
PCI-DEV-047	4.1.4.5.1 ISR status capability	device	MUST	With MSI-X off the PCI Status interrupt bit equals ISR != 0	transport	yes	config read offset 6 bit 3	transport-pci.tex:638
PCI-DEV-048	4.1.4.5.1 ISR status capability	device	MUST	Reading the ISR clears it	transport	yes	read twice; second is 0 and INTx drops	transport-pci.tex:644
PCI-DRV-027	4.1.4.5.2 ISR status capability	driver	SHOULD NOT	With MSI-X on the driver does not read the ISR for queue interrupts	transport	yes	MMIO trace	transport-pci.tex:648
PCI-DEV-049	4.1.4.6 Device-specific configuration	device	MUST	A device-cfg capability exists if the type has device config	transport	yes	cap walk (entropy has none)	transport-pci.tex:653
PCI-DEV-050	4.1.4.6.1 Device-specific configuration	device	MUST	Device cfg offset is 4-byte aligned	transport	yes	cap check	transport-pci.tex:658
PCI-DEV-051	4.1.4.7.1 Shared memory capability	device	MUST	A shared memory region lies inside its BAR (64-bit offset and length)	transport	yes	arithmetic incl. overflow	transport-pci.tex:676
PCI-DEV-052	4.1.4.7.1 Shared memory capability	device	MUST	Shared memory ids are unique in a device	transport	yes	cap walk	transport-pci.tex:679
PCI-DEV-053	4.1.4.8 Vendor data capability	device	MUST NOT	Reading the vendor data capability has no side effect	transport	yes	read twice	transport-pci.tex:718
PCI-DEV-054	4.1.4.8.1 Vendor data capability	device	MAY	[continues PCI-DEV-053] Its vendor_id may differ from the function's IDs	transport	no	permission only	transport-pci.tex:724
PCI-DEV-055	4.1.4.8.1 Vendor data capability	device	MAY	Several vendor data capabilities may exist	transport	no	permission only	transport-pci.tex:727
PCI-DEV-056	4.1.4.8.1 Vendor data capability	device	MUST NOT	[continues PCI-DEV-055] Its vendor_id is not 0x1AF4	transport	yes	cap check	transport-pci.tex:730
PCI-DEV-057	4.1.4.8.1 Vendor data capability	device	MUST	[continues PCI-DEV-056] Its size is a multiple of 4	transport	yes	cap_len % 4	transport-pci.tex:732
PCI-DEV-058	4.1.4.8.1 Vendor data capability	device	MUST NOT	Reads of it have no side effect (said twice in the text)	transport	yes	as above	transport-pci.tex:734
PCI-DRV-028	4.1.4.8.2 Vendor data capability	driver	SHOULD NOT	Vendor data is used for debugging and reporting only	transport	no	design rule	transport-pci.tex:741
PCI-DRV-029	4.1.4.8.2 Vendor data capability	driver	MUST	vendor_id is checked before vendor data is interpreted or written	transport	partly	trace	transport-pci.tex:744
PCI-DEV-059	4.1.4.9.1 PCI configuration access capability	device	MUST	At least one PCI_CFG access capability exists	transport	yes	cap walk	transport-pci.tex:783
PCI-DEV-060	4.1.4.9.1 PCI configuration access capability	device	MUST	Writing pci_cfg_data performs a write of cap.length bytes at cap.offset in BAR cap.bar	transport	yes	do every register write through the window; same effect as MMIO	transport-pci.tex:786
PCI-DEV-061	4.1.4.9.1 PCI configuration access capability	device	MUST	Reading pci_cfg_data performs a read of cap.length bytes there	transport	yes	read every register through the window; same value as MMIO	transport-pci.tex:791
PCI-DRV-030	4.1.4.9.2 PCI configuration access capability	driver	MUST NOT	cap.offset is always a multiple of cap.length	transport	yes	config write trace; device-side fuzz	transport-pci.tex:798
PCI-DRV-031	4.1.4.9.2 PCI configuration access capability	driver	MUST	All window accesses are aligned (same rule stated as consequence)	transport	yes	config write trace	transport-pci.tex:799
PCI-DRV-032	4.1.4.9.2 PCI configuration access capability	driver	MUST NOT	pci_cfg_data is touched only while bar/offset/length lie inside a structure of another virtio capability	transport	yes	range check; device-side fuzz of bar>5, length 0/3/8, offset past BAR	transport-pci.tex:801
PCIL-DEV-001	4.1.2.3 Legacy Interfaces: A Note on PCI Device Discovery	transport-legacy	MUST	Transitional device: revision ID 0	transport	yes	config read	transport-pci.tex:88
PCIL-DEV-002	4.1.2.3 Legacy Interfaces: A Note on PCI Device Discovery	transport-legacy	MUST	Transitional device: subsystem device ID equals the virtio type	transport	yes	config read	transport-pci.tex:89
PCIL-DEV-003	4.1.2.3 Legacy Interfaces: A Note on PCI Device Discovery	transport-legacy	MUST	Transitional device: device ID in 0x1000..0x103f	transport	yes	config read	transport-pci.tex:91
PCIL-DEV-004	4.1.4.10 Legacy Interfaces: A Note on PCI Device Layout	transport-legacy	MUST	Transitional device: legacy registers sit in BAR0, an I/O BAR	transport	yes	BAR0 bit 0 set; header readable there	transport-pci.tex:809
PCIL-DRV-001	4.1.4.10 Legacy Interfaces: A Note on PCI Device Layout	transport-legacy	MUST	Legacy-mode driver: uses those registers in BAR0	transport	yes	I/O trace	transport-pci.tex:813
PCIL-DRV-002	4.1.4.10 Legacy Interfaces: A Note on PCI Device Layout	transport-legacy	MAY	Legacy-mode driver: may access device config with any width	transport	no	permission only	transport-pci.tex:816
PCIL-DEV-005	4.1.4.10 Legacy Interfaces: A Note on PCI Device Layout	transport-legacy	MUST	Transitional device: device config via BAR0 gives the same data for every access width	transport	yes	compare 1/2/4-byte reads and writes byte by byte, big- and little-endian guest	transport-pci.tex:818
PCIL-DRV-003	4.1.4.10 Legacy Interfaces: A Note on PCI Device Layout	transport-legacy	MUST	Legacy-mode driver: device config starts right after the general header	transport	yes	offset 20 or 24 per MSI-X state	transport-pci.tex:875
PCIL-DEV-006	4.1.4.10 Legacy Interfaces: A Note on PCI Device Layout	transport-legacy	MUST	Transitional device: device config starts right after the general header	transport	yes	toggle MSI-X enable; config moves 20<->24	transport-pci.tex:879
PCIL-DEV-007	4.1.4.10 Legacy Interfaces: A Note on PCI Device Layout	transport-legacy	MUST	Transitional device: in legacy use features 32..63 count as not accepted	transport	yes	ack via legacy window; VERSION_1-only behaviour off, ACCESS_PLATFORM off	transport-pci.tex:884
PCIL-DEV-008	4.1.4.11.0.1 Non-transitional Device With Legacy Driver	device	SHOULD	Modern-only device where a look-alike legacy driver exists: offers an I/O BAR0 and, on a 1-byte 0 write at offset 18, presents zeroes everywhere and ignores writes	transport	partly	optional graceful-failure mode; fuzz writes at 18	transport-pci.tex:923
PCIL-DEV-009	4.1.5.1.1.1 Legacy Interface: A Note on Device Layout Detection	transport-legacy	MUST	Transitional device: legacy interface is in I/O space, BAR0	transport	yes	BAR type	transport-pci.tex:955
PCIL-DRV-004	4.1.5.1.1.1 Legacy Interface: A Note on Device Layout Detection	transport-legacy	MUST	Transitional driver: first looks for virtio capabilities	transport	yes	config reads of cap list before BAR0 use	transport-pci.tex:958
PCIL-DRV-005	4.1.5.1.1.1 Legacy Interface: A Note on Device Layout Detection	transport-legacy	MUST	Transitional driver: without them the device is legacy and is driven so	transport	yes	hide caps	transport-pci.tex:960
PCIL-DRV-006	4.1.5.1.1.1 Legacy Interface: A Note on Device Layout Detection	transport-legacy	MUST	Modern-only driver: looks for virtio capabilities	transport	yes	config reads	transport-pci.tex:963
PCIL-DRV-007	4.1.5.1.1.1 Legacy Interface: A Note on Device Layout Detection	transport-legacy	MUST	Modern-only driver: without them it gives up gracefully	transport	yes	hide caps; no BAR0 writes	transport-pci.tex:965
MSIX-DEV-001	4.1.5.1.2.1 MSI-X Vector Configuration	device	SHOULD	A device with MSI-X has between 2 and 0x800 vectors	transport	yes	table size	transport-pci.tex:991
MSIX-DEV-002	4.1.5.1.2.1 MSI-X Vector Configuration	device	MUST	The number of vectors is the one in Table Size	transport	yes	cap read	transport-pci.tex:993
MSIX-DEV-003	4.1.5.1.2.1 MSI-X Vector Configuration	device	SHOULD	Table Size is kept to a useful number	transport	no	advice	transport-pci.tex:996
MSIX-DEV-004	4.1.5.1.2.1 MSI-X Vector Configuration	device	MUST	Any event can be mapped to any vector within the table	transport	yes	map all to all; read back	transport-pci.tex:1002
MSIX-DEV-005	4.1.5.1.2.1 MSI-X Vector Configuration	device	MUST	Any event can be unmapped	transport	yes	write 0xffff; read back	transport-pci.tex:1004
MSIX-DEV-006	4.1.5.1.2.1 MSI-X Vector Configuration	device	MUST	Reading a vector field gives the mapped vector or NO_VECTOR	transport	yes	read back	transport-pci.tex:1006
MSIX-DEV-007	4.1.5.1.2.1 MSI-X Vector Configuration	device	MUST	After reset all events are unmapped	transport	yes	read all vectors after reset: 0xffff	transport-pci.tex:1008
MSIX-DEV-008	4.1.5.1.2.1 MSI-X Vector Configuration	device	SHOULD NOT	Mapping fails only if it cannot be done	transport	partly	map succeeds for in-range vectors	transport-pci.tex:1011
MSIX-DEV-009	4.1.5.1.2.1 MSI-X Vector Configuration	device	MUST	A failed mapping reads back NO_VECTOR	transport	yes	map vector >= table size; read 0xffff	transport-pci.tex:1013
MSIX-DRV-001	4.1.5.1.2.2 MSI-X Vector Configuration	driver	MUST	Any Table Size 0..0x7ff works	transport	yes	vary vectors=1..2048	transport-pci.tex:1019
MSIX-DRV-002	4.1.5.1.2.2 MSI-X Vector Configuration	driver	MAY	With a single vector the driver may use INTx	transport	no	permission only	transport-pci.tex:1020
MSIX-DRV-003	4.1.5.1.2.2 MSI-X Vector Configuration	driver	MAY	Table Size may be taken as a hint	transport	no	permission only	transport-pci.tex:1023
MSIX-DRV-004	4.1.5.1.2.2 MSI-X Vector Configuration	driver	MUST NOT	No vector outside the table is written	transport	yes	write trace; device-side fuzz	transport-pci.tex:1026
MSIX-DRV-005	4.1.5.1.2.2 MSI-X Vector Configuration	driver	MUST	A mapping is verified by reading back	transport	yes	read after write	transport-pci.tex:1031
MSIX-DRV-006	4.1.5.1.2.2 MSI-X Vector Configuration	driver	MAY	On failure the driver may use fewer vectors, turn MSI-X off or report failure	transport	no	permission only	transport-pci.tex:1034
NTFY-DRV-001	4.1.5.2.1 Available Buffer Notifications	driver	MUST	Without NOTIFICATION_DATA a kick is a 16-bit write	transport	yes	width	transport-pci.tex:1103
NTFY-DRV-002	4.1.5.2.1 Available Buffer Notifications	driver	MUST	With NOTIFICATION_DATA a kick is a 32-bit write	transport	yes	width	transport-pci.tex:1106
NTFY-DRV-003	4.1.5.2.1 Available Buffer Notifications	driver	MUST	Neither NOTIF_CONFIG_DATA nor NOTIFICATION_DATA: value is the queue index	transport	yes	value	transport-pci.tex:1110
NTFY-DRV-004	4.1.5.2.1 Available Buffer Notifications	driver	MUST	NOTIFICATION_DATA only: low 16 bits are the queue index	transport	yes	value	transport-pci.tex:1113
NTFY-DRV-005	4.1.5.2.1 Available Buffer Notifications	driver	MUST	NOTIF_CONFIG_DATA only: value is queue_notif_config_data	transport	yes	value	transport-pci.tex:1120
NTFY-DRV-006	4.1.5.2.1 Available Buffer Notifications	driver	MUST	Both: low 16 bits are queue_notif_config_data	transport	yes	value	transport-pci.tex:1123
NTFY-DEV-001	4.1.5.3.1 Used Buffer Notifications	device	MUST NOT	MSI-X on and queue vector NO_VECTOR: no interrupt for that queue	transport	yes	used buffers, no message, no INTx	transport-pci.tex:1151
NTFY-DEV-002	4.1.5.4 Notification of Device Configuration Changes	device	MAY	One interrupt may stand for both used buffers and a config change	transport	no	permission only	transport-pci.tex:1176
NTFY-DEV-003	4.1.5.4.1 Notification of Device Configuration Changes	device	MUST NOT	MSI-X on and config vector NO_VECTOR: no interrupt for config changes	transport	yes	change config; no message	transport-pci.tex:1182
NTFY-DRV-007	4.1.5.4.2 Notification of Device Configuration Changes	driver	MUST	The driver copes with one interrupt meaning both	transport	yes	raise ISR=3; both handled	transport-pci.tex:1187
ADML-DEV-001	2.12.1.1.6 Legacy Interface	device	MUST	The four legacy config admin commands come all together or not at all	transport	yes	opcode list query	admin-cmds-legacy-interface.tex:241
ADML-DEV-002	2.12.1.1.6 Legacy Interface	device	MUST	Their data is little-endian on the wire	transport	yes	value check	admin-cmds-legacy-interface.tex:251
ADML-DEV-003	2.12.1.1.6 Legacy Interface	device	MUST	Common cfg commands fail unless offset and length name exactly one field of the legacy header	transport	yes	fuzz offset/length	admin-cmds-legacy-interface.tex:256
ADML-DEV-004	2.12.1.1.6 Legacy Interface	device	MUST	Device cfg commands fail unless offset and length name exactly one field of device config	transport	yes	fuzz offset/length	admin-cmds-legacy-interface.tex:263
ADML-DEV-005	2.12.1.1.6 Legacy Interface	device	MUST	COMMON_CFG_WRITE acts like a write to the legacy header	transport	yes	compare with BAR0 write	admin-cmds-legacy-interface.tex:268
ADML-DEV-006	2.12.1.1.6 Legacy Interface	device	MUST	COMMON_CFG_READ acts like a read of the legacy header	transport	yes	compare with BAR0 read	admin-cmds-legacy-interface.tex:272
ADML-DEV-007	2.12.1.1.6 Legacy Interface	device	MUST	DEV_CFG_WRITE acts like a legacy device-config write	transport	yes	compare	admin-cmds-legacy-interface.tex:276
ADML-DEV-008	2.12.1.1.6 Legacy Interface	device	MUST	DEV_CFG_READ acts like a legacy device-config read	transport	yes	compare	admin-cmds-legacy-interface.tex:280
ADML-DEV-009	2.12.1.1.6 Legacy Interface	device	SHOULD	Owner and member keep the modern revision and subsystem ID rules	transport	yes	config read	admin-cmds-legacy-interface.tex:290
ADML-DEV-010	2.12.1.1.6 Legacy Interface	device	SHOULD	Owner keeps the modern device ID rule	transport	yes	config read	admin-cmds-legacy-interface.tex:294
ADML-DEV-011	2.12.1.1.6 Legacy Interface	device	MUST	A kick at an address from NOTIFY_INFO equals a legacy Queue Notify write	transport	yes	compare	admin-cmds-legacy-interface.tex:300
ADML-DEV-012	2.12.1.1.6 Legacy Interface	device	MUST	NOTIFY_INFO implies the other four commands	transport	yes	opcode list	admin-cmds-legacy-interface.tex:307
ADML-DEV-013	2.12.1.1.6 Legacy Interface	device	MUST	The NOTIFY_INFO list ends with an entry whose flags are 0	transport	yes	result check	admin-cmds-legacy-interface.tex:313
ADML-DEV-014	2.12.1.1.6 Legacy Interface	device	MUST	Valid entries name a BAR that is not hardwired to zero	transport	yes	result check	admin-cmds-legacy-interface.tex:317
ADML-DEV-015	2.12.1.1.6 Legacy Interface	device	MUST	Valid entries have 2-byte aligned offsets	transport	yes	result check	admin-cmds-legacy-interface.tex:320
ADML-DEV-016	2.12.1.1.6 Legacy Interface	device	MAY	Entries may point at owner, member, or both	transport	no	permission only	admin-cmds-legacy-interface.tex:322
ADML-DEV-017	2.12.1.1.6 Legacy Interface	device	MUST	With NOTIFY_INFO the owner hardwires VF BAR0 to zero	transport	yes	SR-IOV cap read	admin-cmds-legacy-interface.tex:325
ADML-DRV-001	2.12.1.1.7 Legacy Interface	driver	MUST	The driver uses little-endian data in these commands	transport	yes	value check	admin-cmds-legacy-interface.tex:335
ADML-DRV-002	2.12.1.1.7 Legacy Interface	driver	SHOULD	Common cfg commands name one field only	transport	yes	trace	admin-cmds-legacy-interface.tex:340
ADML-DRV-003	2.12.1.1.7 Legacy Interface	driver	SHOULD	Device cfg commands name one field only	transport	yes	trace	admin-cmds-legacy-interface.tex:346
ADML-DRV-004	2.12.1.1.7 Legacy Interface	driver	SHOULD	With NOTIFY_INFO kicks go to the given address	transport	yes	trace	admin-cmds-legacy-interface.tex:350
ADML-DRV-005	2.12.1.1.7 Legacy Interface	driver	MUST	The first entry with flags 0 ends the list	transport	yes	add junk after it	admin-cmds-legacy-interface.tex:356
ADML-DRV-006	2.12.1.1.7 Legacy Interface	driver	MUST	Entries are validated: flags 1 or 2, BAR valid, offset aligned and inside	transport	yes	fuzz entries	admin-cmds-legacy-interface.tex:357
ADML-DRV-007	2.12.1.1.7 Legacy Interface	driver	MUST	Invalid entries are ignored	transport	yes	fuzz entries	admin-cmds-legacy-interface.tex:365
NET-DEV-001	5.1.3 Feature bits	device	SHOULD	IPSEC is offered only along with OUT_NET_HEADER	device-net	yes	offered bits 70 and 69	device-types/net/description.tex:146
NET-DEV-002	5.1.4.1 Device configuration layout	device	MUST	max_virtqueue_pairs is 1..0x8000 when MQ is offered	device-net	yes	config read	device-types/net/description.tex:281
NET-DEV-003	5.1.4.1 Device configuration layout	device	MUST	mtu is 68..65535 when MTU is offered	device-net	yes	config read	device-types/net/description.tex:284
NET-DEV-004	5.1.4.1 Device configuration layout	device	SHOULD	mtu is at least 1280	device-net	yes	config read	device-types/net/description.tex:287
NET-DEV-005	5.1.4.1 Device configuration layout	device	MUST NOT	mtu never changes once set	device-net	yes	re-read over the run	device-types/net/description.tex:290
NET-DEV-006	5.1.4.1 Device configuration layout	device	MUST NOT	After MTU negotiation no non-GSO packet longer than mtu plus link header is delivered	device-net	yes	send long frame from the wire side; not delivered	device-types/net/description.tex:292
NET-DEV-007	5.1.4.1 Device configuration layout	device	MUST	After MTU negotiation packets up to mtu plus link header go out unfragmented	device-net	yes	transmit at mtu	device-types/net/description.tex:296
NET-DEV-008	5.1.4.1 Device configuration layout	device	MUST	rss_max_key_size is at least 40 when RSS or HASH_REPORT is offered	device-net	yes	config read	device-types/net/description.tex:301
NET-DEV-009	5.1.4.1 Device configuration layout	device	MUST	rss_max_indirection_table_length is at least 128 when RSS is offered	device-net	yes	config read	device-types/net/description.tex:304
NET-DEV-010	5.1.4.1 Device configuration layout	device	MAY	With STANDBY the device may be the standby of a primary with the same MAC	device-net	no	permission only	device-types/net/description.tex:307
NET-DEV-011	5.1.4.1 Device configuration layout	device	MUST	speed is Mbit/s or all ones for unknown (the text's hex constants have one digit too many)	device-net	yes	config read; treat 0..0x7fffffff and 0xffffffff as valid	device-types/net/description.tex:311
NET-DEV-012	5.1.4.1 Device configuration layout	device	MUST	duplex is 0, 1 or 0xff (this clause swaps half and full relative to the field description)	device-net	yes	config read; accept all three	device-types/net/description.tex:315
NET-DEV-013	5.1.4.1 Device configuration layout	device	SHOULD NOT	speed and duplex stay fixed while link is up	device-net	yes	re-read over the run	device-types/net/description.tex:319
NET-DEV-014	5.1.4.1 Device configuration layout	device	SHOULD NOT	HASH_REPORT is not offered without CTRL_VQ	device-net	yes	offered mask	device-types/net/description.tex:323
NET-DEV-015	5.1.4.1 Device configuration layout	device	SHOULD NOT	CTRL_RX_EXTRA is not offered without CTRL_VQ	device-net	yes	offered mask	device-types/net/description.tex:326
NET-DRV-001	5.1.4.2 Device configuration layout	driver	MUST NOT	Modern driver never writes device config	device-net	yes	write trace; device-side fuzz	device-types/net/description.tex:331
NET-DRV-002	5.1.4.2 Device configuration layout	driver	SHOULD	MAC is accepted if offered	device-net	yes	accepted bit 5	device-types/net/description.tex:333
NET-DRV-003	5.1.4.2 Device configuration layout	driver	MUST	With MAC accepted the NIC address is set from config	device-net	yes	source MAC of sent frames	device-types/net/description.tex:334
NET-DRV-004	5.1.4.2 Device configuration layout	driver	SHOULD	Without MAC a locally administered address is used	device-net	yes	bit 1 of first MAC byte	device-types/net/description.tex:335
NET-DRV-005	5.1.4.2 Device configuration layout	driver	SHOULD	Without STATUS the link counts as up	device-net	partly	driver sends	device-types/net/description.tex:339
NET-DRV-006	5.1.4.2 Device configuration layout	driver	SHOULD	With STATUS link state is bit 0 of status	device-net	yes	flip bit; driver reacts	device-types/net/description.tex:340
NET-DRV-007	5.1.4.2 Device configuration layout	driver	SHOULD	MTU is accepted if offered	device-net	yes	accepted bit 3	device-types/net/description.tex:343
NET-DRV-008	5.1.4.2 Device configuration layout	driver	MUST	With MTU enough receive buffer for one packet of mtu plus link header is posted	device-net	yes	sum of posted writable bytes	device-types/net/description.tex:345
NET-DRV-009	5.1.4.2 Device configuration layout	driver	MUST NOT	With MTU no longer non-GSO packet is sent	device-net	yes	frame length	device-types/net/description.tex:349
NET-DRV-010	5.1.4.2 Device configuration layout	driver	SHOULD	STANDBY is accepted if offered	device-net	yes	accepted bit 62	device-types/net/description.tex:353
NET-DRV-011	5.1.4.2 Device configuration layout	driver	MUST	speed above 0x7fffffff and duplex other than 0/1 mean unknown	device-net	partly	vary config; see ethtool	device-types/net/description.tex:356
NET-DRV-012	5.1.4.2 Device configuration layout	driver	SHOULD	speed/duplex are re-read after a config change	device-net	yes	config read trace	device-types/net/description.tex:361
NET-DRV-013	5.1.4.2 Device configuration layout	driver	SHOULD NOT	HASH_REPORT is not accepted without CTRL_VQ	device-net	yes	accepted mask	device-types/net/description.tex:364
NET-DRV-014	5.1.4.2 Device configuration layout	driver	SHOULD NOT	CTRL_RX_EXTRA is not accepted without CTRL_VQ	device-net	yes	accepted mask	device-types/net/description.tex:367
NETTX-DRV-001	5.1.9.2 Packet Transmission	driver	MAY	With OUT_NET_HEADER a non-zero outer_nh_offset may be given	device-net-hdr	no	permission only	device-types/net/description.tex:666
NETTX-DRV-002	5.1.9.2 Packet Transmission	driver	MUST NOT	[continues NETTX-DRV-001] Otherwise outer_nh_offset is not used	device-net-hdr	yes	field ignored	device-types/net/description.tex:669
NETTX-DRV-003	5.1.9.2.1 Packet Transmission	driver	MUST	Transmit and receive use the same header size	device-net-hdr	yes	first 10/12/20/24/32 bytes parse	device-types/net/description.tex:796
NETTX-DRV-004	5.1.9.2.1 Packet Transmission	driver	MUST	num_buffers is 0 on transmit	device-net-hdr	yes	value	device-types/net/description.tex:799
NETTX-DRV-005	5.1.9.2.1 Packet Transmission	driver	MUST	Without CSUM flags is 0	device-net-hdr	yes	value	device-types/net/description.tex:801
NETTX-DRV-006	5.1.9.2.1 Packet Transmission	driver	SHOULD	Without CSUM the packet has all checksums filled in	device-net-hdr	yes	verify checksum	device-types/net/description.tex:802
NETTX-DRV-007	5.1.9.2.1 Packet Transmission	driver	MAY	outer_nh_offset may be non-zero with OUT_NET_HEADER and a network header	device-net-hdr	no	permission only	device-types/net/description.tex:806
NETTX-DRV-008	5.1.9.2.1 Packet Transmission	driver	MAY	With HOST_TSO4 gso_type TCPV4 may be used	device-net-hdr	no	permission only	device-types/net/description.tex:810
NETTX-DRV-009	5.1.9.2.1 Packet Transmission	driver	MUST NOT	Without HOST_TSO4 TCPV4 is not used	device-net-hdr	yes	gso_type vs features	device-types/net/description.tex:812
NETTX-DRV-010	5.1.9.2.1 Packet Transmission	driver	MAY	With HOST_TSO6 gso_type TCPV6 may be used	device-net-hdr	no	permission only	device-types/net/description.tex:815
NETTX-DRV-011	5.1.9.2.1 Packet Transmission	driver	MUST NOT	Without HOST_TSO6 TCPV6 is not used	device-net-hdr	yes	gso_type vs features	device-types/net/description.tex:817
NETTX-DRV-012	5.1.9.2.1 Packet Transmission	driver	MAY	With HOST_UFO gso_type UDP may be used	device-net-hdr	no	permission only	device-types/net/description.tex:820
NETTX-DRV-013	5.1.9.2.1 Packet Transmission	driver	MUST NOT	Without HOST_UFO UDP is not used	device-net-hdr	yes	gso_type vs features	device-types/net/description.tex:822
NETTX-DRV-014	5.1.9.2.1 Packet Transmission	driver	MAY	With HOST_USO gso_type UDP_L4 may be used	device-net-hdr	no	permission only	device-types/net/description.tex:825
NETTX-DRV-015	5.1.9.2.1 Packet Transmission	driver	MUST NOT	Without HOST_USO UDP_L4 is not used	device-net-hdr	yes	gso_type vs features	device-types/net/description.tex:827
NETTX-DRV-016	5.1.9.2.1 Packet Transmission	driver	SHOULD NOT	Without HOST_ECN no ECN-marked TCP packet is sent for segmentation	device-net-hdr	yes	parse TCP flags	device-types/net/description.tex:830
NETTX-DRV-017	5.1.9.2.1 Packet Transmission	driver	MUST	With HOST_ECN such packets carry the ECN bit in gso_type	device-net-hdr	yes	parse	device-types/net/description.tex:833
NETTX-DRV-018	5.1.9.2.1 Packet Transmission	driver	MAY	With HOST_UDP_TUNNEL_GSO one of the tunnel bits may be used	device-net-hdr	no	permission only	device-types/net/description.tex:836
NETTX-DRV-019	5.1.9.2.1 Packet Transmission	driver	MUST NOT	Without HOST_UDP_TUNNEL_GSO neither tunnel bit is set	device-net-hdr	yes	gso_type vs features	device-types/net/description.tex:840
NETTX-DRV-020	5.1.9.2.1 Packet Transmission	driver	MUST	Tunnel GSO with inner IPv4 sets the IPV4 tunnel bit	device-net-hdr	yes	parse inner header	device-types/net/description.tex:844
NETTX-DRV-021	5.1.9.2.1 Packet Transmission	driver	MUST	Tunnel GSO with inner IPv6 sets the IPV6 tunnel bit	device-net-hdr	yes	parse inner header	device-types/net/description.tex:847
NETTX-DRV-022	5.1.9.2.1 Packet Transmission	driver	MUST NOT	Outer-checksum offload needs both tunnel features	device-net-hdr	yes	flags vs features	device-types/net/description.tex:849
NETTX-DRV-023	5.1.9.2.1 Packet Transmission	driver	MUST	When used, a tunnel bit and UDP_TUNNEL_CSUM are both set	device-net-hdr	yes	flags/gso_type	device-types/net/description.tex:852
NETTX-DRV-024	5.1.9.2.1 Packet Transmission	driver	MUST NOT	Without the CSUM tunnel feature UDP_TUNNEL_CSUM is not set	device-net-hdr	yes	flags vs features	device-types/net/description.tex:857
NETTX-DRV-025	5.1.9.2.1 Packet Transmission	driver	MUST NOT	[continues NETTX-DRV-024] ... and no such packet is sent	device-net-hdr	yes	parse	device-types/net/description.tex:859
NETTX-DRV-026	5.1.9.2.1 Packet Transmission	driver	MUST NOT	Tunnel bits are not combined with gso type UDP	device-net-hdr	yes	gso_type	device-types/net/description.tex:862
NETTX-DRV-027	5.1.9.2.1 Packet Transmission	driver	MUST NOT	The two tunnel bits are mutually exclusive	device-net-hdr	yes	gso_type & 0x60 != 0x60	device-types/net/description.tex:866
NETTX-DRV-028	5.1.9.2.1 Packet Transmission	driver	MUST NOT	UDP_TUNNEL_CSUM needs a tunnel bit	device-net-hdr	yes	flags/gso_type	device-types/net/description.tex:869
NETTX-DRV-029	5.1.9.2.1 Packet Transmission	driver	MAY	With CSUM NEEDS_CSUM may be set	device-net-hdr	no	permission only	device-types/net/description.tex:874
NETTX-DRV-030	5.1.9.2.1 Packet Transmission	driver	MUST	With NEEDS_CSUM checksums before csum_start+csum_offset are already right	device-net-hdr	partly	verify preceding checksums	device-types/net/description.tex:877
NETTX-DRV-031	5.1.9.2.1 Packet Transmission	driver	MUST	With NEEDS_CSUM the checksum field holds the pseudo-header sum	device-net-hdr	yes	recompute	device-types/net/description.tex:887
NETTX-DRV-032	5.1.9.2.1 Packet Transmission	driver	MUST	csum_start/csum_offset are such that summing from start to end completes the packet	device-net-hdr	yes	recompute; device-side fuzz of both values	device-types/net/description.tex:889
NETTX-DRV-033	5.1.9.2.1 Packet Transmission	driver	MUST	With no segmentation feature gso_type is NONE	device-net-hdr	yes	gso_type vs features	device-types/net/description.tex:898
NETTX-DRV-034	5.1.9.2.1 Packet Transmission	driver	MUST	A GSO packet also sets NEEDS_CSUM	device-net-hdr	yes	flags; device-side fuzz	device-types/net/description.tex:902
NETTX-DRV-035	5.1.9.2.1 Packet Transmission	driver	MUST	A GSO packet carries the MSS in gso_size	device-net-hdr	yes	non-zero; device-side fuzz 0	device-types/net/description.tex:903
NETTX-DRV-036	5.1.9.2.1 Packet Transmission	driver	MUST	With GUEST_HDRLEN hdr_len of a GSO packet is the exact header length	device-net-hdr	yes	parse	device-types/net/description.tex:911
NETTX-DRV-037	5.1.9.2.1 Packet Transmission	driver	SHOULD	[continues NETTX-DRV-036] Otherwise hdr_len is at least the header length	device-net-hdr	yes	parse	device-types/net/description.tex:919
NETTX-DRV-038	5.1.9.2.1 Packet Transmission	driver	MAY	Tunnel bits may be set when the feature is on	device-net-hdr	no	permission only	device-types/net/description.tex:925
NETTX-DRV-039	5.1.9.2.1 Packet Transmission	driver	MUST	Tunnel GSO fills outer_th_offset, inner_nh_offset and points csum fields at the inner transport header	device-net-hdr	yes	parse	device-types/net/description.tex:928
NETTX-DRV-040	5.1.9.2.1 Packet Transmission	driver	MAY	UDP_TUNNEL_CSUM may be set when allowed	device-net-hdr	no	permission only	device-types/net/description.tex:937
NETTX-DRV-041	5.1.9.2.1 Packet Transmission	driver	MUST	[continues NETTX-DRV-040] ... then the outer UDP checksum field holds the outer pseudo-header sum	device-net-hdr	yes	recompute	device-types/net/description.tex:938
NETTX-DRV-042	5.1.9.2.1 Packet Transmission	driver	MUST NOT	Without outer-checksum offload the outer UDP header needs no validation	device-net-hdr	yes	outer checksum field	device-types/net/description.tex:951
NETTX-DRV-043	5.1.9.2.1 Packet Transmission	driver	MUST	[continues NETTX-DRV-042] ... that is, it is 0 or the complete right checksum	device-net-hdr	yes	recompute	device-types/net/description.tex:952
NETTX-DRV-044	5.1.9.2.1 Packet Transmission	driver	MUST NOT	[continues NETTX-DRV-043] Repeated rule: no tunnel bits without HOST_UDP_TUNNEL_GSO	device-net-hdr	yes	gso_type vs features	device-types/net/description.tex:968
NETTX-DRV-045	5.1.9.2.1 Packet Transmission	driver	MUST NOT	[continues NETTX-DRV-044] Repeated rule: no UDP_TUNNEL_CSUM without its feature	device-net-hdr	yes	flags vs features	device-types/net/description.tex:972
NETTX-DRV-046	5.1.9.2.1 Packet Transmission	driver	SHOULD	GUEST_HDRLEN is accepted if offered and exact lengths can be given	device-net-hdr	yes	accepted bit 59	device-types/net/description.tex:975
NETTX-DRV-047	5.1.9.2.1 Packet Transmission	driver	MUST NOT	DATA_VALID and RSC_INFO are never set on transmit	device-net-hdr	yes	flags; device-side fuzz	device-types/net/description.tex:978
NETTX-DRV-048	5.1.9.2.1 Packet Transmission	driver	MUST NOT	DATA_VALID is not combined with tunnel bits	device-net-hdr	yes	flags/gso_type	device-types/net/description.tex:981
NETTX-DRV-049	5.1.9.2.1 Packet Transmission	driver	MUST	IPsec: an outbound SA object exists before SECURITY is set	device-net-hdr	no	needs admin-queue model	device-types/net/description.tex:988
NETTX-DRV-050	5.1.9.2.1 Packet Transmission	driver	MUST	IPsec: resource_id names it	device-net-hdr	no	needs admin-queue model	device-types/net/description.tex:990
NETTX-DEV-001	5.1.9.2.2 Packet Transmission	device	MUST	Unknown flag bits are ignored	device-net-hdr	yes	set bit 7; packet still sent	device-types/net/description.tex:995
NETTX-DEV-002	5.1.9.2.2 Packet Transmission	device	MUST NOT	Without NEEDS_CSUM csum_start/csum_offset are not used	device-net-hdr	yes	random values; output frame unchanged	device-types/net/description.tex:998
NETTX-DEV-003	5.1.9.2.2 Packet Transmission	device	MAY	outer_nh_offset may be used when valid	device-net-hdr	no	permission only	device-types/net/description.tex:1001
NETTX-DEV-004	5.1.9.2.2 Packet Transmission	device	MUST NOT	[continues NETTX-DEV-003] Otherwise it is not used	device-net-hdr	yes	random value	device-types/net/description.tex:1002
NETTX-DEV-005	5.1.9.2.2 Packet Transmission	device	MAY	With GUEST_HDRLEN and GSO hdr_len may be used as header size	device-net-hdr	no	permission only (fuzz for memory safety)	device-types/net/description.tex:1010
NETTX-DEV-006	5.1.9.2.2 Packet Transmission	device	MAY	[continues NETTX-DEV-005] Otherwise hdr_len is only a hint	device-net-hdr	no	permission only	device-types/net/description.tex:1019
NETTX-DEV-007	5.1.9.2.2 Packet Transmission	device	MUST NOT	[continues NETTX-DEV-006] ... and is not trusted	device-net-hdr	yes	hdr_len 0 and 0xffff; same segments	device-types/net/description.tex:1021
NETTX-DEV-008	5.1.9.2.2 Packet Transmission	device	MUST NOT	Both tunnel bits: packet is not accepted	device-net-hdr	yes	drop	device-types/net/description.tex:1030
NETTX-DEV-009	5.1.9.2.2 Packet Transmission	device	MUST NOT	No tunnel bit: outer_th_offset and inner_nh_offset are not used	device-net-hdr	yes	random values	device-types/net/description.tex:1033
NETTX-DEV-010	5.1.9.2.2 Packet Transmission	device	MUST NOT	Tunnel bit without NEEDS_CSUM, or with DATA_VALID, or with base type NONE: not accepted	device-net-hdr	yes	drop in three cases	device-types/net/description.tex:1045
NETTX-DEV-011	5.1.9.2.2 Packet Transmission	device	MUST NOT	UDP_TUNNEL_CSUM without tunnel bit: not accepted (keyword misspelt in the text)	device-net-hdr	yes	drop	device-types/net/description.tex:1050
NETTX-DEV-012	5.1.9.2.2 Packet Transmission	device	MUST NOT	Without NEEDS_CSUM the checksum is not assumed right	device-net-hdr	partly	bad checksum passes through unchanged	device-types/net/description.tex:1052
NETTX-DEV-013	5.1.9.2.2 Packet Transmission	device	MUST NOT	Without SECURITY the resource fields are not used	device-net-hdr	no	random values	device-types/net/description.tex:1056
NETRX-DRV-001	5.1.9.3.1 Setting Up Receive Buffers	driver	SHOULD	No MRG_RXBUF, some GUEST GSO bit: receive buffers of 65601 bytes or more (65609 with HASH_REPORT)	device-net-hdr	yes	buffer length	device-types/net/description.tex:1093
NETRX-DRV-002	5.1.9.3.1 Setting Up Receive Buffers	driver	SHOULD	No MRG_RXBUF, no GSO: 1526 bytes or more (1534 with HASH_REPORT)	device-net-hdr	yes	buffer length	device-types/net/description.tex:1096
NETRX-DRV-003	5.1.9.3.1 Setting Up Receive Buffers	driver	MUST	With MRG_RXBUF every buffer holds at least the header	device-net-hdr	yes	buffer length; device-side fuzz 1..11	device-types/net/description.tex:1100
NETRX-DRV-004	5.1.9.3.1 Setting Up Receive Buffers	driver	MUST	Header size: 32 with OUT_NET_HEADER or IPSEC, else 24 with UDP tunnel GSO, else 20 with HASH_REPORT, else 12	device-net-hdr	yes	size table; note GUEST_UDP_TUNNEL_GSO omitted from this sentence	device-types/net/description.tex:1110
NETRX-DRV-005	5.1.9.3.1 Setting Up Receive Buffers	driver	SHOULD	With MQ all receive queues in use are filled	device-net-hdr	yes	ring state per queue	device-types/net/description.tex:1116
NETRX-DEV-001	5.1.9.3.2 Setting Up Receive Buffers	device	MUST	num_buffers tells how many buffers hold the packet	device-net-hdr	yes	value vs used entries	device-types/net/description.tex:1120
NETRX-DEV-002	5.1.9.3.2 Setting Up Receive Buffers	device	MUST	Without MRG_RXBUF exactly one buffer per packet	device-net-hdr	yes	used entries per packet	device-types/net/description.tex:1123
NETRX-DEV-003	5.1.9.4 Processing of Incoming Packets	device	MAY	With OUT_NET_HEADER outer_nh_offset may be set on receive	device-net-hdr	no	permission only	device-types/net/description.tex:1166
NETRX-DEV-004	5.1.9.4 Processing of Incoming Packets	device	MAY	With GUEST GSO bits gso_type may differ from NONE	device-net-hdr	no	permission only	device-types/net/description.tex:1178
NETRX-DEV-005	5.1.9.4 Processing of Incoming Packets	device	MAY	With GUEST_UDP_TUNNEL_GSO tunnel bits may be set	device-net-hdr	no	permission only	device-types/net/description.tex:1205
NETRX-DEV-006	5.1.9.4.1 Processing of Incoming Packets	device	MUST	Without MRG_RXBUF num_buffers is 1	device-net-hdr	yes	value (modern and any 12-byte header)	device-types/net/description.tex:1236
NETRX-DEV-007	5.1.9.4.1 Processing of Incoming Packets	device	MUST	With MRG_RXBUF num_buffers is the number of buffers including header space	device-net-hdr	yes	value	device-types/net/description.tex:1239
NETRX-DEV-008	5.1.9.4.1 Processing of Incoming Packets	device	MUST	All buffers but the last are filled completely	device-net-hdr	yes	used len == buffer size for all but last	device-types/net/description.tex:1244
NETRX-DEV-009	5.1.9.4.1 Processing of Incoming Packets	device	MUST	All buffers of a packet become visible as used together	device-net-hdr	yes	used idx moves by num_buffers at once	device-types/net/description.tex:1248
NETRX-DEV-010	5.1.9.4.1 Processing of Incoming Packets	device	MUST	Without GUEST_CSUM flags is 0	device-net-hdr	yes	value	device-types/net/description.tex:1252
NETRX-DEV-011	5.1.9.4.1 Processing of Incoming Packets	device	SHOULD	Without GUEST_CSUM checksums are complete	device-net-hdr	yes	verify	device-types/net/description.tex:1253
NETRX-DEV-012	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	Without GUEST_TSO4 no TCPV4	device-net-hdr	yes	value	device-types/net/description.tex:1256
NETRX-DEV-013	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	Without GUEST_UFO no UDP (text calls it GUEST_UDP)	device-net-hdr	yes	value	device-types/net/description.tex:1259
NETRX-DEV-014	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	Without GUEST_TSO6 no TCPV6	device-net-hdr	yes	value	device-types/net/description.tex:1262
NETRX-DEV-015	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	Without GUEST_USO4/6 no UDP_L4	device-net-hdr	yes	value	device-types/net/description.tex:1266
NETRX-DEV-016	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	Without GUEST_UDP_TUNNEL_GSO no tunnel bits	device-net-hdr	yes	value	device-types/net/description.tex:1268
NETRX-DEV-017	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	Without its feature no UDP_TUNNEL_CSUM	device-net-hdr	yes	value	device-types/net/description.tex:1272
NETRX-DEV-018	5.1.9.4.1 Processing of Incoming Packets	device	SHOULD NOT	Without GUEST_ECN no ECN-marked GSO packet	device-net-hdr	yes	parse	device-types/net/description.tex:1275
NETRX-DEV-019	5.1.9.4.1 Processing of Incoming Packets	device	MUST	With GUEST_ECN such packets carry the ECN bit	device-net-hdr	yes	parse	device-types/net/description.tex:1278
NETRX-DEV-020	5.1.9.4.1 Processing of Incoming Packets	device	MAY	outer_nh_offset may be set with its feature	device-net-hdr	no	permission only	device-types/net/description.tex:1281
NETRX-DEV-021	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	[continues NETRX-DEV-020] Otherwise it is not used	device-net-hdr	yes	value 0	device-types/net/description.tex:1283
NETRX-DEV-022	5.1.9.4.1 Processing of Incoming Packets	device	MAY	With GUEST_CSUM NEEDS_CSUM may be set	device-net-hdr	no	permission only	device-types/net/description.tex:1287
NETRX-DEV-023	5.1.9.4.1 Processing of Incoming Packets	device	MUST	With NEEDS_CSUM preceding checksums were validated	device-net-hdr	partly	inject bad outer checksum	device-types/net/description.tex:1290
NETRX-DEV-024	5.1.9.4.1 Processing of Incoming Packets	device	MUST	With NEEDS_CSUM the field holds the pseudo-header sum	device-net-hdr	yes	recompute	device-types/net/description.tex:1293
NETRX-DEV-025	5.1.9.4.1 Processing of Incoming Packets	device	MUST	With NEEDS_CSUM csum_start/offset complete the checksum	device-net-hdr	yes	recompute	device-types/net/description.tex:1295
NETRX-DEV-026	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	Tunnel GSO is not delivered without the feature	device-net-hdr	yes	value	device-types/net/description.tex:1303
NETRX-DEV-027	5.1.9.4.1 Processing of Incoming Packets	device	MUST	Tunnel GSO sets the bit of the inner protocol	device-net-hdr	yes	parse	device-types/net/description.tex:1305
NETRX-DEV-028	5.1.9.4.1 Processing of Incoming Packets	device	MUST	Tunnel GSO fills both offsets	device-net-hdr	yes	parse	device-types/net/description.tex:1308
NETRX-DEV-029	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	Tunnel GSO: the outer UDP header needs no offload	device-net-hdr	yes	outer checksum	device-types/net/description.tex:1309
NETRX-DEV-030	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	Outer-checksum tunnel GSO is not delivered without its feature	device-net-hdr	yes	value	device-types/net/description.tex:1313
NETRX-DEV-031	5.1.9.4.1 Processing of Incoming Packets	device	MUST	Without any GUEST GSO bit gso_type is NONE	device-net-hdr	yes	value	device-types/net/description.tex:1317
NETRX-DEV-032	5.1.9.4.1 Processing of Incoming Packets	device	MUST	GSO packets set NEEDS_CSUM	device-net-hdr	yes	flags	device-types/net/description.tex:1321
NETRX-DEV-033	5.1.9.4.1 Processing of Incoming Packets	device	MUST	GSO packets carry the MSS	device-net-hdr	yes	gso_size != 0	device-types/net/description.tex:1322
NETRX-DEV-034	5.1.9.4.1 Processing of Incoming Packets	device	MUST	With RSC_EXT GSO packets set RSC_INFO, with segment and duplicate-ACK counts in the csum fields	device-net-hdr	yes	values	device-types/net/description.tex:1323
NETRX-DEV-035	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	Without RSC_EXT RSC_INFO is clear	device-net-hdr	yes	flags	device-types/net/description.tex:1328
NETRX-DEV-036	5.1.9.4.1 Processing of Incoming Packets	device	SHOULD	With GUEST GSO bits hdr_len is at least the header length (inner one for tunnels)	device-net-hdr	yes	parse	device-types/net/description.tex:1332
NETRX-DEV-037	5.1.9.4.1 Processing of Incoming Packets	device	MAY	With GUEST_CSUM DATA_VALID may be set	device-net-hdr	no	permission only	device-types/net/description.tex:1339
NETRX-DEV-038	5.1.9.4.1 Processing of Incoming Packets	device	MUST	[continues NETRX-DEV-037] ... only after validating the checksum (both levels if UDP_TUNNEL_CSUM, else the outermost)	device-net-hdr	partly	inject bad checksum; DATA_VALID clear	device-types/net/description.tex:1340
NETRX-DEV-039	5.1.9.4.1 Processing of Incoming Packets	device	MUST NOT	Tunnel bits exclude DATA_VALID	device-net-hdr	yes	flags	device-types/net/description.tex:1350
NETRX-DEV-040	5.1.9.4.1 Processing of Incoming Packets	device	MAY	UDP_TUNNEL_CSUM may be set when allowed	device-net-hdr	no	permission only	device-types/net/description.tex:1356
NETRX-DEV-041	5.1.9.4.1 Processing of Incoming Packets	device	MUST	[continues NETRX-DEV-040] ... then the outer checksum field is the pseudo-header sum	device-net-hdr	yes	recompute	device-types/net/description.tex:1357
NETRX-DEV-042	5.1.9.4.1 Processing of Incoming Packets	device	MUST	[continues NETRX-DEV-041] ... else it is 0 or complete	device-net-hdr	yes	recompute	device-types/net/description.tex:1364
NETRX-DEV-043	5.1.9.4.1 Processing of Incoming Packets	device	MUST	IPsec: SECURITY is set for packets that went through IPsec	device-net-hdr	no	needs IPsec model	device-types/net/description.tex:1367
NETRX-DEV-044	5.1.9.4.1 Processing of Incoming Packets	device	MUST	IPsec: clear otherwise	device-net-hdr	no	needs IPsec model	device-types/net/description.tex:1368
NETRX-DEV-045	5.1.9.4.1 Processing of Incoming Packets	device	MUST	IPsec: independent of the error and soft-expiry bits	device-net-hdr	no	needs IPsec model	device-types/net/description.tex:1369
NETRX-DEV-046	5.1.9.4.1 Processing of Incoming Packets	device	MUST	IPsec: SECURITY_ERR is set on error	device-net-hdr	no	needs IPsec model	device-types/net/description.tex:1372
NETRX-DEV-047	5.1.9.4.1 Processing of Incoming Packets	device	MUST	IPsec: clear otherwise	device-net-hdr	no	needs IPsec model	device-types/net/description.tex:1373
NETRX-DEV-048	5.1.9.4.1 Processing of Incoming Packets	device	MUST	IPsec: independent of the soft-expiry bit	device-net-hdr	no	needs IPsec model	device-types/net/description.tex:1374
NETRX-DEV-049	5.1.9.4.1 Processing of Incoming Packets	device	MUST	IPsec: soft-expiry bit is set at the soft lifetime limit	device-net-hdr	no	needs IPsec model	device-types/net/description.tex:1377
NETRX-DRV-006	5.1.9.4.2 Processing of Incoming Packets	driver	MUST	Unknown flag bits are ignored on receive	device-net-hdr	yes	inject bit 7	device-types/net/description.tex:1386
NETRX-DRV-007	5.1.9.4.2 Processing of Incoming Packets	driver	MAY	outer_nh_offset may be used when valid	device-net-hdr	no	permission only	device-types/net/description.tex:1389
NETRX-DRV-008	5.1.9.4.2 Processing of Incoming Packets	driver	MUST NOT	[continues NETRX-DRV-007] Otherwise it is not used	device-net-hdr	partly	inject random value	device-types/net/description.tex:1390
NETRX-DRV-009	5.1.9.4.2 Processing of Incoming Packets	driver	MUST NOT	Without NEEDS_CSUM, or with RSC_INFO, csum fields are not used	device-net-hdr	partly	inject wild values; guest unharmed	device-types/net/description.tex:1394
NETRX-DRV-010	5.1.9.4.2 Processing of Incoming Packets	driver	MAY	hdr_len may be used as a hint	device-net-hdr	no	permission only	device-types/net/description.tex:1397
NETRX-DRV-011	5.1.9.4.2 Processing of Incoming Packets	driver	MUST NOT	hdr_len is not trusted	device-net-hdr	partly	inject 0 and 0xffff	device-types/net/description.tex:1399
NETRX-DRV-012	5.1.9.4.2 Processing of Incoming Packets	driver	MUST NOT	Without NEEDS_CSUM and DATA_VALID the checksum is not trusted	device-net-hdr	partly	inject bad checksum; dropped by stack	device-types/net/description.tex:1405
NETRX-DRV-013	5.1.9.4.2 Processing of Incoming Packets	driver	MUST NOT	Both tunnel bits: packet not accepted	device-net-hdr	yes	inject	device-types/net/description.tex:1410
NETRX-DRV-014	5.1.9.4.2 Processing of Incoming Packets	driver	MUST NOT	No tunnel bit: tunnel offsets not used	device-net-hdr	partly	inject wild values	device-types/net/description.tex:1413
NETRX-DRV-015	5.1.9.4.2 Processing of Incoming Packets	driver	MUST NOT	Tunnel bit without NEEDS_CSUM, with DATA_VALID, or base NONE: not accepted	device-net-hdr	yes	inject three cases	device-types/net/description.tex:1425
NETRX-DRV-016	5.1.9.4.2 Processing of Incoming Packets	driver	MUST NOT	UDP_TUNNEL_CSUM with NEEDS_CSUM but no tunnel bit: not accepted (keyword misspelt)	device-net-hdr	yes	inject	device-types/net/description.tex:1431
NETHASH-DEV-001	5.1.9.4.3 Hash calculation for incoming packets	device	MUST	HASH_REPORT offered: some MQ-class command to set hash parameters works, even with one queue pair	device-net-rss	yes	send command	device-types/net/description.tex:1466
NETHASH-DEV-002	5.1.9.4.3 Hash calculation for incoming packets	device	MUST	[continues NETHASH-DEV-001] ... RSS_CONFIG if RSS is offered	device-net-rss	yes	send command	device-types/net/description.tex:1469
NETHASH-DEV-003	5.1.9.4.3 Hash calculation for incoming packets	device	MUST	[continues NETHASH-DEV-002] ... else HASH_CONFIG	device-net-rss	yes	send command	device-types/net/description.tex:1471
NETHASH-DEV-004	5.1.9.4.4.4 Inner Header Hash	device	MUST	No enabled tunnel type matches: hash is over the outer header	device-net-rss	yes	vector test	device-types/net/description.tex:1667
NETHASH-DEV-005	5.1.9.4.4.4 Inner Header Hash	device	SHOULD	Unsupported tunnel bits are answered with VIRTIO_NET_ERR	device-net-rss	yes	ack byte	device-types/net/description.tex:1670
NETHASH-DEV-006	5.1.9.4.4.4 Inner Header Hash	device	MUST	enabled_tunnel_types 0, or reset, turns the inner hash off	device-net-rss	yes	vector test	device-types/net/description.tex:1673
NETHASH-DRV-001	5.1.9.4.4.5 Inner Header Hash	driver	MUST	HASH_TUNNEL_SET needs HASH_TUNNEL negotiated	device-net-rss	yes	command trace; device-side fuzz	device-types/net/description.tex:1677
NETHASH-DRV-002	5.1.9.4.4.5 Inner Header Hash	driver	MUST NOT	Only supported tunnel bits are set	device-net-rss	yes	command trace	device-types/net/description.tex:1679
NETHASH-DRV-003	5.1.9.4.4.5 Inner Header Hash	driver	MUST	Undocumented supported bits are ignored	device-net-rss	yes	inject	device-types/net/description.tex:1681
NETCTRL-DEV-001	5.1.9.5.1.1 Packet Receive Filtering	device	MUST	CTRL_RX: PROMISC and ALLMULTI commands are supported	device-net-ctrl	yes	ack 0	device-types/net/description.tex:1770
NETCTRL-DEV-002	5.1.9.5.1.1 Packet Receive Filtering	device	SHOULD	Promiscuous on: everything is received	device-net-ctrl	yes	inject foreign MAC	device-types/net/description.tex:1775
NETCTRL-DEV-003	5.1.9.5.1.1 Packet Receive Filtering	device	SHOULD	[continues NETCTRL-DEV-002] ... whatever the other modes say	device-net-ctrl	yes	combine with NOUNI etc.	device-types/net/description.tex:1777
NETCTRL-DEV-004	5.1.9.5.1.1 Packet Receive Filtering	device	SHOULD	All-multicast on: all multicast is received	device-net-ctrl	yes	inject	device-types/net/description.tex:1781
NETCTRL-DEV-005	5.1.9.5.1.1 Packet Receive Filtering	device	MUST	CTRL_RX_EXTRA: ALLUNI, NOMULTI, NOUNI, NOBCAST are supported	device-net-ctrl	yes	ack 0	device-types/net/description.tex:1786
NETCTRL-DEV-006	5.1.9.5.1.1 Packet Receive Filtering	device	SHOULD	All-unicast on: all unicast is received	device-net-ctrl	yes	inject	device-types/net/description.tex:1791
NETCTRL-DEV-007	5.1.9.5.1.1 Packet Receive Filtering	device	SHOULD NOT	No-multicast: multicast is withheld	device-net-ctrl	yes	inject	device-types/net/description.tex:1796
NETCTRL-DEV-008	5.1.9.5.1.1 Packet Receive Filtering	device	SHOULD	[continues NETCTRL-DEV-007] ... even with all-multicast on	device-net-ctrl	yes	combine	device-types/net/description.tex:1798
NETCTRL-DEV-009	5.1.9.5.1.1 Packet Receive Filtering	device	SHOULD NOT	[continues NETCTRL-DEV-008] ... but broadcast still passes	device-net-ctrl	yes	inject broadcast	device-types/net/description.tex:1799
NETCTRL-DEV-010	5.1.9.5.1.1 Packet Receive Filtering	device	SHOULD NOT	No-unicast: unicast is withheld	device-net-ctrl	yes	inject	device-types/net/description.tex:1803
NETCTRL-DEV-011	5.1.9.5.1.1 Packet Receive Filtering	device	SHOULD	[continues NETCTRL-DEV-010] ... even with all-unicast on	device-net-ctrl	yes	combine	device-types/net/description.tex:1805
NETCTRL-DEV-012	5.1.9.5.1.1 Packet Receive Filtering	device	SHOULD NOT	No-broadcast: broadcast is withheld	device-net-ctrl	yes	inject	device-types/net/description.tex:1809
NETCTRL-DEV-013	5.1.9.5.1.1 Packet Receive Filtering	device	SHOULD	[continues NETCTRL-DEV-012] ... even with all-multicast on	device-net-ctrl	yes	combine	device-types/net/description.tex:1811
NETCTRL-DRV-001	5.1.9.5.1.2 Packet Receive Filtering	driver	MUST NOT	PROMISC/ALLMULTI need CTRL_RX	device-net-ctrl	yes	command trace; device-side fuzz	device-types/net/description.tex:1817
NETCTRL-DRV-002	5.1.9.5.1.2 Packet Receive Filtering	driver	MUST NOT	The four extra commands need CTRL_RX_EXTRA	device-net-ctrl	yes	command trace; device-side fuzz	device-types/net/description.tex:1821
NETCTRL-DEV-014	5.1.9.5.2.1 Setting MAC Address Filtering	device	MUST	MAC table is empty after reset	device-net-ctrl	yes	inject after reset	device-types/net/description.tex:1863
NETCTRL-DEV-015	5.1.9.5.2.1 Setting MAC Address Filtering	device	MUST	MAC table is in force before TABLE_SET is used	device-net-ctrl	yes	inject right after used	device-types/net/description.tex:1865
NETCTRL-DEV-016	5.1.9.5.2.1 Setting MAC Address Filtering	device	MUST	With MAC negotiated, config mac changes before ADDR_SET is used	device-net-ctrl	yes	config read at used time	device-types/net/description.tex:1868
NETCTRL-DEV-017	5.1.9.5.2.1 Setting MAC Address Filtering	device	SHOULD	Packets for other MACs are dropped	device-net-ctrl	yes	inject	device-types/net/description.tex:1872
NETCTRL-DRV-003	5.1.9.5.2.2 Setting MAC Address Filtering	driver	MUST NOT	MAC class commands need CTRL_RX (note: not CTRL_MAC_ADDR)	device-net-ctrl	yes	command trace	device-types/net/description.tex:1879
NETCTRL-DRV-004	5.1.9.5.2.2 Setting MAC Address Filtering	driver	SHOULD	With CTRL_RX the default MAC is set if it differs from config	device-net-ctrl	yes	command trace	device-types/net/description.tex:1882
NETCTRL-DRV-005	5.1.9.5.2.2 Setting MAC Address Filtering	driver	MUST	TABLE_SET data is count, that many unicast MACs, count, that many multicast MACs	device-net-ctrl	yes	parse; device-side fuzz lengths	device-types/net/description.tex:1885
NETCTRL-DRV-006	5.1.9.5.2.2 Setting MAC Address Filtering	driver	MAY	[continues NETCTRL-DRV-005] Either count may be 0	device-net-ctrl	no	permission only	device-types/net/description.tex:1888
NETCTRL-DEV-018	5.1.9.5.3.1 VLAN Filtering	device	MUST	Without CTRL_VLAN all tagged packets are accepted	device-net-ctrl	yes	inject	device-types/net/description.tex:1935
NETCTRL-DEV-019	5.1.9.5.3.1 VLAN Filtering	device	MUST	With CTRL_VLAN tagged packets in the table are accepted	device-net-ctrl	yes	inject	device-types/net/description.tex:1938
NETCTRL-DEV-020	5.1.9.5.3.1 VLAN Filtering	device	SHOULD	[continues NETCTRL-DEV-019] ... and others dropped	device-net-ctrl	yes	inject	device-types/net/description.tex:1940
NETCTRL-DRV-007	5.1.9.5.4.1 Gratuitous Packet Sending	driver	SHOULD	ANNOUNCE in status makes the driver announce itself	device-net-ctrl	partly	set bit; look for ARP	device-types/net/description.tex:1983
NETCTRL-DRV-008	5.1.9.5.4.1 Gratuitous Packet Sending	driver	MUST	The driver sends ANNOUNCE_ACK	device-net-ctrl	yes	command trace	device-types/net/description.tex:1985
NETCTRL-DEV-021	5.1.9.5.4.2 Gratuitous Packet Sending	device	MUST	ANNOUNCE_ACK clears the status bit before it is used	device-net-ctrl	yes	config read at used time	device-types/net/description.tex:1990
NETCTRL-DEV-022	5.1.9.5.5 Device operation in multiqueue mode	device	MAY	Several multiqueue modes may exist	device-net-ctrl	no	permission only	device-types/net/description.tex:1997
NETCTRL-DEV-023	5.1.9.5.5 Device operation in multiqueue mode	device	MAY	A device may have one or both modes	device-net-ctrl	no	permission only	device-types/net/description.tex:2005
NETCTRL-DRV-009	5.1.9.5.5 Device operation in multiqueue mode	driver	MAY	A driver may take any of them	device-net-ctrl	no	permission only	device-types/net/description.tex:2005
NETCTRL-DRV-010	5.1.9.5.6 Automatic receive steering in multiqueue mode	driver	MAY	With MQ any transmit queue may be used	device-net-ctrl	no	permission only	device-types/net/description.tex:2021
NETCTRL-DRV-011	5.1.9.5.6 Automatic receive steering in multiqueue mode	driver	MAY	After PAIRS_SET n pairs may be used	device-net-ctrl	no	permission only	device-types/net/description.tex:2031
NETCTRL-DEV-024	5.1.9.5.6 Automatic receive steering in multiqueue mode	device	MUST	After PAIRS_SET receive steering follows the flow	device-net-ctrl	partly	flow test	device-types/net/description.tex:2041
NETCTRL-DEV-025	5.1.9.5.6 Automatic receive steering in multiqueue mode	device	SHOULD	A flow sent on transmitqX comes back on receiveqX	device-net-ctrl	yes	flow test	device-types/net/description.tex:2044
NETCTRL-DEV-026	5.1.9.5.6 Automatic receive steering in multiqueue mode	device	MAY	[continues NETCTRL-DEV-025] Otherwise any receive queue of the set may be chosen	device-net-ctrl	no	permission only	device-types/net/description.tex:2046
NETCTRL-DRV-012	5.1.9.5.6.1 Automatic receive steering in multiqueue mode	driver	MUST	Queues are configured before PAIRS_SET turns them on	device-net-ctrl	yes	trace	device-types/net/description.tex:2054
NETCTRL-DRV-013	5.1.9.5.6.1 Automatic receive steering in multiqueue mode	driver	MUST NOT	virtqueue_pairs is neither 0 nor above the maximum	device-net-ctrl	yes	trace; device-side fuzz 0, max+1, 0xffff	device-types/net/description.tex:2057
NETCTRL-DRV-014	5.1.9.5.6.1 Automatic receive steering in multiqueue mode	driver	MUST	Before PAIRS_SET only transmitq1 is used	device-net-ctrl	yes	trace	device-types/net/description.tex:2060
NETCTRL-DRV-015	5.1.9.5.6.1 Automatic receive steering in multiqueue mode	driver	MUST NOT	After PAIRS_SET was made available no higher transmit queue is used	device-net-ctrl	yes	trace; device-side fuzz	device-types/net/description.tex:2063
NETCTRL-DEV-027	5.1.9.5.6.2 Automatic receive steering in multiqueue mode	device	MUST	After reset only receiveq1 gets packets	device-net-ctrl	yes	inject with several filled queues	device-types/net/description.tex:2068
NETCTRL-DEV-028	5.1.9.5.6.2 Automatic receive steering in multiqueue mode	device	MUST NOT	After PAIRS_SET was used no higher receive queue gets packets	device-net-ctrl	yes	inject	device-types/net/description.tex:2070
NETCTRL-DEV-029	5.1.9.5.6.2 Automatic receive steering in multiqueue mode	device	SHOULD	If the target queue is in reset another one is chosen	device-net-ctrl	yes	inject during queue reset	device-types/net/description.tex:2075
NETCTRL-DEV-030	5.1.9.5.6.2 Automatic receive steering in multiqueue mode	device	MUST	If all are in reset the packet is dropped	device-net-ctrl	yes	inject	device-types/net/description.tex:2076
NETCTRL-DEV-031	5.1.9.5.6.4 Hash calculation	device	MUST	HASH_REPORT with automatic steering: a command to set hash parameters works	device-net-rss	yes	send HASH_CONFIG	device-types/net/description.tex:2086
NETCTRL-DRV-016	5.1.9.5.6.4 Hash calculation	driver	MUST	reserved words of the hash config are 0	device-net-rss	yes	trace; device-side fuzz	device-types/net/description.tex:2106
NETCTRL-DRV-017	5.1.9.5.7.2 Setting RSS parameters	driver	MUST NOT	RSS_CONFIG needs RSS negotiated	device-net-rss	yes	trace; device-side fuzz	device-types/net/description.tex:2160
NETCTRL-DRV-018	5.1.9.5.7.2 Setting RSS parameters	driver	MUST	The table names enabled receive queues only	device-net-rss	yes	trace; device-side fuzz	device-types/net/description.tex:2162
NETCTRL-DRV-019	5.1.9.5.7.2 Setting RSS parameters	driver	MUST	Table length is a power of two	device-net-rss	yes	mask+1; device-side fuzz	device-types/net/description.tex:2165
NETCTRL-DRV-020	5.1.9.5.7.2 Setting RSS parameters	driver	MUST	mask is below rss_max_indirection_table_length	device-net-rss	yes	trace; device-side fuzz	device-types/net/description.tex:2167
NETCTRL-DRV-021	5.1.9.5.7.2 Setting RSS parameters	driver	MUST NOT	Only supported hash types are set	device-net-rss	yes	trace; device-side fuzz	device-types/net/description.tex:2169
NETCTRL-DEV-032	5.1.9.5.7.3 RSS processing	device	MUST	Queue choice: unhashed packets to unclassified_queue, else table[hash & mask]	device-net-rss	yes	Toeplitz vectors	device-types/net/description.tex:2172
NETCTRL-DEV-033	5.1.9.5.7.3 RSS processing	device	MUST	If that queue is in reset the packet is dropped	device-net-rss	yes	inject	device-types/net/description.tex:2179
NETCTRL-DEV-034	5.1.9.5.8.3 RSS Context	device	MUST	max_rss_contexts is at least 1 if RSS_CONTEXT is offered	device-net-rss	yes	CAP_GET	device-types/net/description.tex:2252
NETCTRL-DEV-035	5.1.9.5.8.3 RSS Context	device	MUST	Reset clears all RSS contexts	device-net-rss	yes	reset then query	device-types/net/description.tex:2254
NETCTRL-DRV-022	5.1.9.5.8.4 RSS Context	driver	MUST	RSS context commands need the feature	device-net-rss	yes	trace	device-types/net/description.tex:2258
NETCTRL-DRV-023	5.1.9.5.8.4 RSS Context	driver	MUST	rss_ctx_id is 1..max_rss_contexts	device-net-rss	yes	trace; device-side fuzz	device-types/net/description.tex:2260
NETCTRL-DRV-024	5.1.9.5.8.4 RSS Context	driver	MUST NOT	PAIRS_SET is not sent while an RSS context exists	device-net-rss	yes	trace	device-types/net/description.tex:2262
NETCTRL-DRV-025	5.1.9.5.9.2 Setting Offloads State	driver	MUST NOT	Only offloads whose feature was negotiated are enabled	device-net-ctrl	yes	trace; device-side fuzz	device-types/net/description.tex:2303
NETCOAL-DRV-001	5.1.9.5.10.5 Notifications Coalescing	driver	MUST	vq_index names an enabled receive or transmit queue	device-net-coal	yes	trace; device-side fuzz	device-types/net/description.tex:2433
NETCOAL-DRV-002	5.1.9.5.10.5 Notifications Coalescing	driver	MUST	TX_SET/RX_SET need NOTF_COAL	device-net-coal	yes	trace	device-types/net/description.tex:2435
NETCOAL-DRV-003	5.1.9.5.10.5 Notifications Coalescing	driver	MUST	VQ_SET/VQ_GET need VQ_NOTF_COAL	device-net-coal	yes	trace	device-types/net/description.tex:2437
NETCOAL-DRV-004	5.1.9.5.10.5 Notifications Coalescing	driver	MUST	Values from a failed VQ_GET are ignored	device-net-coal	partly	inject	device-types/net/description.tex:2439
NETCOAL-DEV-001	5.1.9.5.10.6 Notifications Coalescing	device	MUST	reserved is ignored	device-net-coal	yes	random value	device-types/net/description.tex:2443
NETCOAL-DEV-002	5.1.9.5.10.6 Notifications Coalescing	device	SHOULD	TX_SET/RX_SET answer ERR if nothing was changed	device-net-coal	yes	ack byte	device-types/net/description.tex:2445
NETCOAL-DEV-003	5.1.9.5.10.6 Notifications Coalescing	device	MUST	VQ_SET answers ERR if nothing was changed	device-net-coal	yes	ack byte	device-types/net/description.tex:2447
NETCOAL-DEV-004	5.1.9.5.10.6 Notifications Coalescing	device	MUST	VQ_SET/VQ_GET answer ERR for a queue that is not an enabled rx/tx queue	device-net-coal	yes	fuzz vq_index incl. controlq	device-types/net/description.tex:2449
NETCOAL-DEV-005	5.1.9.5.10.6 Notifications Coalescing	device	MUST	A re-enabled transmit queue takes the TX_SET values, or 0	device-net-coal	yes	VQ_GET after queue reset	device-types/net/description.tex:2452
NETCOAL-DEV-006	5.1.9.5.10.6 Notifications Coalescing	device	MUST	A re-enabled receive queue takes the RX_SET values, or 0	device-net-coal	yes	VQ_GET after queue reset	device-types/net/description.tex:2455
NETCOAL-DEV-007	5.1.9.5.10.6 Notifications Coalescing	device	MAY	Coalescing is best effort	device-net-coal	no	permission only	device-types/net/description.tex:2459
NETCOAL-DEV-008	5.1.9.5.10.6 Notifications Coalescing	device	SHOULD NOT	Suppressed notifications stay suppressed	device-net-coal	yes	NO_INTERRUPT plus timer	device-types/net/description.tex:2461
NETCOAL-DEV-009	5.1.9.5.10.6 Notifications Coalescing	device	MUST	Reset sets all coalescing values to 0	device-net-coal	yes	VQ_GET after reset	device-types/net/description.tex:2463
NETSTAT-DEV-001	5.1.9.5.11.12 Device Statistics	device	MUST	STATS_QUERY is answered with the capability structure	device-net-stats	yes	result	device-types/net/description.tex:2919
NETSTAT-DEV-002	5.1.9.5.11.12 Device Statistics	device	MUST	A malformed STATS_GET (index, unknown type, wrong queue, feature off) is answered ERR	device-net-stats	yes	fuzz	device-types/net/description.tex:2925
NETSTAT-DEV-003	5.1.9.5.11.12 Device Statistics	device	MUST	One bad entry fails the whole command	device-net-stats	yes	fuzz	device-types/net/description.tex:2926
NETSTAT-DEV-004	5.1.9.5.11.12 Device Statistics	device	MUST	size is the true reply size	device-net-stats	yes	parse	device-types/net/description.tex:2936
NETSTAT-DEV-005	5.1.9.5.11.12 Device Statistics	device	MUST	type and vq_index are filled in	device-net-stats	yes	parse	device-types/net/description.tex:2937
NETSTAT-DEV-006	5.1.9.5.11.12 Device Statistics	device	MUST	Only valid bytes are written, whatever the buffer size	device-net-stats	yes	fuzz short buffers	device-types/net/description.tex:2942
NETSTAT-DEV-007	5.1.9.5.11.12 Device Statistics	device	MUST	Counters wrap to zero	device-net-stats	no	long run	device-types/net/description.tex:2945
NETSTAT-DRV-001	5.1.9.5.11.13 Device Statistics	driver	MUST	Only queried types are requested	device-net-stats	yes	trace	device-types/net/description.tex:2950
NETSTAT-DRV-002	5.1.9.5.11.13 Device Statistics	driver	MUST	Requested types fit the queue	device-net-stats	yes	trace	device-types/net/description.tex:2953
NETSTAT-DRV-003	5.1.9.5.11.13 Device Statistics	driver	MUST	The result buffer has room for all reply headers	device-net-stats	yes	trace	device-types/net/description.tex:2956
NETFF-DEV-001	5.1.9.6.4 Flow filter	device	MUST	Flow filter support is announced through three capabilities	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3380
NETFF-DEV-002	5.1.9.6.4 Flow filter	device	MUST	The resource object commands work for group, classifier and rule	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3383
NETFF-DEV-003	5.1.9.6.4 Flow filter	device	SHOULD	With a capability off, object commands answer invalid opcode	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3392
NETFF-DEV-004	5.1.9.6.4 Flow filter	device	SHOULD	A second group with the same priority is refused (EINVAL)	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3400
NETFF-DEV-005	5.1.9.6.4 Flow filter	device	SHOULD	Too many groups: ENOSPC	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3405
NETFF-DEV-006	5.1.9.6.4 Flow filter	device	SHOULD	Too many classifiers: ENOSPC	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3411
NETFF-DEV-007	5.1.9.6.4 Flow filter	device	SHOULD	Destroying a group in use: EBUSY	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3417
NETFF-DEV-008	5.1.9.6.4 Flow filter	device	SHOULD	Destroying a classifier in use: EBUSY	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3421
NETFF-DEV-009	5.1.9.6.4 Flow filter	device	SHOULD	Rules with bad queue, priority, id, key length or action are refused	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3425
NETFF-DEV-010	5.1.9.6.4 Flow filter	device	MUST	Packets directed to a queue in reset are dropped	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3441
NETFF-DEV-011	5.1.9.6.4 Flow filter	device	MUST	After a rule applied, no other rule or steering applies	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3443
NETFF-DEV-012	5.1.9.6.4 Flow filter	device	MUST	The highest-priority group goes first	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3446
NETFF-DEV-013	5.1.9.6.4 Flow filter	device	MUST	After a hit the other groups are ignored	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3448
NETFF-DEV-014	5.1.9.6.4 Flow filter	device	MUST	Without a hit the next group is tried	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3449
NETFF-DEV-015	5.1.9.6.4 Flow filter	device	MUST	Inside a group rules go from high to low priority	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3453
NETFF-DEV-016	5.1.9.6.4 Flow filter	device	MUST	The matching rule's action is taken	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3454
NETFF-DEV-017	5.1.9.6.4 Flow filter	device	MUST NOT	[continues NETFF-DEV-016] ... and no other	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3455
NETFF-DEV-018	5.1.9.6.4 Flow filter	device	MAY	Equal priorities may be applied in any order	device-net-ff	no	permission only	device-types/net/description.tex:3458
NETFF-DEV-019	5.1.9.6.4 Flow filter	device	MUST	Order: CTRL filters, then flow filter, then RSS or automatic steering	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3461
NETFF-DEV-020	5.1.9.6.4 Flow filter	device	MUST	A dropped packet is not processed further	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3473
NETFF-DEV-021	5.1.9.6.4 Flow filter	device	MUST	Packets dropped by CTRL filters skip the flow filter	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3477
NETFF-DEV-022	5.1.9.6.4 Flow filter	device	MUST	Classifiers with the partial-mask flag are accepted even with full masks	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3484
NETFF-DRV-001	5.1.9.6.5 Flow filter	driver	MUST	The driver enables the three capabilities first	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3493
NETFF-DRV-002	5.1.9.6.5 Flow filter	driver	SHOULD NOT	A group with rules is not destroyed	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3496
NETFF-DRV-003	5.1.9.6.5 Flow filter	driver	SHOULD	[continues NETFF-DRV-002] ... only after its rules are gone	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3498
NETFF-DRV-004	5.1.9.6.5 Flow filter	driver	SHOULD NOT	A classifier with rules is not destroyed	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3501
NETFF-DRV-005	5.1.9.6.5 Flow filter	driver	SHOULD	[continues NETFF-DRV-004] ... only after its rules are gone	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3503
NETFF-DRV-006	5.1.9.6.5 Flow filter	driver	SHOULD NOT	No two rules of one priority in a group	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3506
NETFF-DRV-007	5.1.9.6.5 Flow filter	driver	MAY	(reason given: both could match one packet)	device-net-ff	no	not a test	device-types/net/description.tex:3507
NETFF-DRV-008	5.1.9.6.5 Flow filter	driver	SHOULD	Overlapping rules get different priorities	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3508
NETFF-DRV-009	5.1.9.6.5 Flow filter	driver	MUST	Selector order is Ethernet, IP, transport	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3513
NETFF-DRV-010	5.1.9.6.5 Flow filter	driver	MUST	Masks for EtherType and protocol are all ones where a deeper selector follows	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3523
NETFF-DRV-011	5.1.9.6.5 Flow filter	driver	MUST	Rule keys carry the EtherType that fits the second selector	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3534
NETFF-DRV-012	5.1.9.6.5 Flow filter	driver	MUST	Rule keys carry the protocol number that fits the third selector	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3542
NETFF-DRV-013	5.1.9.6.5 Flow filter	driver	SHOULD	Without partial masks every masked field is all ones	device-net-ff	partly	needs admin-queue model	device-types/net/description.tex:3546
NETSEC-DRV-001	5.1.9.7.1 Packet processing order	driver	SHOULD	The driver copes with an SA destroyed while a packet is in flight	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3579
NETSEC-DEV-001	5.1.9.7.4 IPsec Operation	device	MUST	IPsec support is announced through two capabilities	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3609
NETSEC-DEV-002	5.1.9.7.4 IPsec Operation	device	MUST	Object commands work for both SA types	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3611
NETSEC-DEV-003	5.1.9.7.4 IPsec Operation	device	MUST	With a capability off they answer invalid opcode	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3619
NETSEC-DEV-004	5.1.9.7.4 IPsec Operation	device	MUST	An existing id is refused	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3626
NETSEC-DEV-005	5.1.9.7.4 IPsec Operation	device	MUST	Bad outbound SA parameters are refused	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3631
NETSEC-DEV-006	5.1.9.7.4 IPsec Operation	device	MUST	Bad inbound SA parameters are refused	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3639
NETSEC-DEV-007	5.1.9.7.4 IPsec Operation	device	SHOULD	SAs are kept in a table by id	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3647
NETSEC-DEV-008	5.1.9.7.4 IPsec Operation	device	MUST	A destroyed object can be created anew without reset	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3650
NETSEC-DEV-009	5.1.9.7.4 IPsec Operation	device	MAY	A second SA with the same SPI may be refused	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3655
NETSEC-DEV-010	5.1.9.7.4 IPsec Operation	device	MUST	Device reset destroys all objects	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3660
NETSEC-DRV-002	5.1.9.7.5 IPsec Operation	driver	MUST	The driver lists capabilities first	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3664
NETSEC-DRV-003	5.1.9.7.5 IPsec Operation	driver	MUST	[continues NETSEC-DRV-002] ... reads them	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3667
NETSEC-DRV-004	5.1.9.7.5 IPsec Operation	driver	MUST	[continues NETSEC-DRV-003] ... and sets the ones it uses	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3671
NETSEC-DRV-005	5.1.9.7.5 IPsec Operation	driver	MUST	Outbound SAs carry all parameters	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3676
NETSEC-DRV-006	5.1.9.7.5 IPsec Operation	driver	MUST	Inbound SAs carry all but the tunnel parameters	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3679
NETSEC-DRV-007	5.1.9.7.5 IPsec Operation	driver	SHOULD NOT	No two inbound SAs with one SPI	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3682
NETSEC-DRV-008	5.1.9.7.5 IPsec Operation	driver	MUST	Outbound packets respect the path MTU	device-net-ipsec	no	needs IPsec model	device-types/net/description.tex:3684
NETL-BOTH-001	5.1.4.3 Legacy Interface: Device configuration layout	transport-legacy	MUST	Legacy mode: status and max_virtqueue_pairs in config are guest-endian	device-net-legacy	yes	big-endian guest, BAR0 reads	device-types/net/description.tex:373
NETL-BOTH-002	5.1.9.1 Legacy Interface: Device Operation	transport-legacy	MUST	Legacy mode: header fields are guest-endian	device-net-legacy	yes	big-endian guest, csum/gso packet	device-types/net/description.tex:640
NETL-DRV-001	5.1.9.1 Legacy Interface: Device Operation	transport-legacy	SHOULD	Legacy-mode driver: used len of transmit and control queues is ignored	device-net-legacy	partly	return odd len; guest unaffected	device-types/net/description.tex:648
NETL-BOTH-003	5.1.9.5.2.3 Legacy Interface: Setting MAC Address Filtering	transport-legacy	MUST	Legacy mode: entries of the MAC table are guest-endian	device-net-legacy	yes	big-endian guest, TABLE_SET	device-types/net/description.tex:1892
NETL-DEV-001	5.1.9.5.2.3 Legacy Interface: Setting MAC Address Filtering	transport-legacy	MAY	Transitional device: MAC update may wait for the last config byte	device-net-legacy	no	permission only	device-types/net/description.tex:1900
NETL-DEV-002	5.1.9.5.2.3 Legacy Interface: Setting MAC Address Filtering	transport-legacy	MAY	Transitional device: or packet processing may wait for it	device-net-legacy	no	permission only	device-types/net/description.tex:1900
NETL-BOTH-004	5.1.9.5.3.2 Legacy Interface: VLAN Filtering	transport-legacy	MUST	Legacy mode: VLAN id is guest-endian	device-net-legacy	yes	big-endian guest, VLAN_ADD	device-types/net/description.tex:1945
NETL-BOTH-005	5.1.9.5.6.3 Legacy Interface: Automatic receive steering in multiqueue mode	transport-legacy	MUST	Legacy mode: virtqueue_pairs is guest-endian	device-net-legacy	yes	big-endian guest, PAIRS_SET	device-types/net/description.tex:2080
NETL-BOTH-006	5.1.9.5.9.3 Legacy Interface: Setting Offloads State	transport-legacy	MUST	Legacy mode: the offloads mask is guest-endian	device-net-legacy	yes	big-endian guest, OFFLOADS_SET	device-types/net/description.tex:2308
NETL-DRV-002	5.1.9.8 Legacy Interface: Framing Requirements	transport-legacy	MUST	Legacy-mode driver without ANY_LAYOUT: header alone in its own descriptor, both directions	device-net-legacy	yes	descriptor lengths	device-types/net/description.tex:3692
NETL-DRV-003	5.1.9.8 Legacy Interface: Framing Requirements	transport-legacy	MUST	Legacy-mode driver without ANY_LAYOUT: control command as 2-byte, data, 1-byte descriptors	device-net-legacy	yes	descriptor lengths	device-types/net/description.tex:3699
NETL-DRV-004	5.1.9.8 Legacy Interface: Framing Requirements	transport-legacy	MUST	[continues NETL-DRV-003] ... TABLE_SET: one descriptor for the unicast table	device-net-legacy	yes	descriptor lengths	device-types/net/description.tex:3708
NETL-DRV-005	5.1.9.8 Legacy Interface: Framing Requirements	transport-legacy	MUST	[continues NETL-DRV-004] ... and one for the multicast table	device-net-legacy	yes	descriptor lengths	device-types/net/description.tex:3710
BLK-DRV-001	5.2.5.1 Device Initialization	driver	SHOULD NOT	FLUSH is not accepted by a driver that never sends flushes	device-blk	partly	fsync in guest yields a flush	device-types/blk/description.tex:285
BLK-DRV-002	5.2.5.1 Device Initialization	driver	MAY	Neither CONFIG_WCE nor FLUSH: write-through may be inferred	device-blk	no	permission only	device-types/blk/description.tex:289
BLK-DRV-003	5.2.5.1 Device Initialization	driver	SHOULD	FLUSH without CONFIG_WCE: write-back is assumed	device-blk	partly	guest cache-mode sysfs	device-types/blk/description.tex:291
BLK-DRV-004	5.2.5.1 Device Initialization	driver	MUST NOT	writeback is not read before FEATURES_OK	device-blk	yes	config read trace	device-types/blk/description.tex:293
BLK-DRV-005	5.2.5.1 Device Initialization	driver	MUST NOT	ZONED is not accepted by a driver unable to handle the models	device-blk	partly	n/a unless zoned modelled	device-types/blk/description.tex:296
BLK-DRV-006	5.2.5.1 Device Initialization	driver	MUST NOT	Host-managed zoned device: DISCARD is not negotiated (text says 'offered by the driver')	device-blk	yes	accepted mask	device-types/blk/description.tex:301
BLK-DRV-007	5.2.5.1 Device Initialization	driver	MAY	For the other models the two bits are independent	device-blk	no	permission only	device-types/blk/description.tex:306
BLK-DRV-008	5.2.5.1 Device Initialization	driver	MUST NOT	Driver without host-managed support that reads model HM sets FAILED, not FEATURES_OK	device-blk	yes	status trace	device-types/blk/description.tex:312
BLK-DRV-009	5.2.5.1 Device Initialization	driver	MAY	Host-aware device may be treated as plain	device-blk	no	permission only	device-types/blk/description.tex:316
BLK-DRV-010	5.2.5.1 Device Initialization	driver	SHOULD	[continues BLK-DRV-009] ... then the other zoned fields are ignored	device-blk	partly	config read trace	device-types/blk/description.tex:317
BLK-DEV-001	5.2.5.2 Device Initialization	device	SHOULD	FLUSH is offered	device-blk	yes	offered bit 9	device-types/blk/description.tex:322
BLK-DEV-002	5.2.5.2 Device Initialization	device	MUST	CONFIG_WCE implies FLUSH in the offer	device-blk	yes	offered bits 11 and 9	device-types/blk/description.tex:322
BLK-DEV-003	5.2.5.2 Device Initialization	device	MUST	CONFIG_WCE accepted without FLUSH: writeback starts at 0	device-blk	yes	config read after FEATURES_OK	device-types/blk/description.tex:326
BLK-DEV-004	5.2.5.2 Device Initialization	device	MUST	Padding unused0 and unused1 read 0	device-blk	yes	config read	device-types/blk/description.tex:328
BLK-DEV-005	5.2.5.2 Device Initialization	device	SHOULD NOT	A non-zoned device does not offer ZONED	device-blk	yes	offered bit 17	device-types/blk/description.tex:332
BLK-DEV-006	5.2.5.2 Device Initialization	transport-legacy	MUST NOT	Legacy device: ZONED is not offered (bit 17 is visible in the legacy window)	device-blk	yes	legacy features word	device-types/blk/description.tex:335
BLK-DEV-007	5.2.5.2 Device Initialization	device	SHOULD	ZONED not accepted, model HA or NONE: go on with zoned fields 0	device-blk	yes	config read	device-types/blk/description.tex:339
BLK-DEV-008	5.2.5.2 Device Initialization	device	MUST	ZONED not accepted, model HM: FEATURES_OK is refused	device-blk	yes	status read	device-types/blk/description.tex:343
BLK-DEV-009	5.2.5.2 Device Initialization	device	MUST	ZONED accepted: model field says NONE, HM or HA	device-blk	yes	config read	device-types/blk/description.tex:349
BLK-DEV-010	5.2.5.2 Device Initialization	device	MUST	HM/HA: zone_sectors is the zone size	device-blk	yes	config read	device-types/blk/description.tex:365
BLK-DEV-011	5.2.5.2 Device Initialization	device	MAY	The last zone may be smaller	device-blk	no	permission only	device-types/blk/description.tex:368
BLK-DEV-012	5.2.5.2 Device Initialization	device	MUST	HM/HA: max_open_zones is set (0 is no limit)	device-blk	yes	config read	device-types/blk/description.tex:378
BLK-DEV-013	5.2.5.2 Device Initialization	device	MUST	HM/HA: max_active_zones is set (0 is no limit)	device-blk	yes	config read	device-types/blk/description.tex:384
BLK-DEV-014	5.2.5.2 Device Initialization	device	MUST	HM/HA: max_append_sectors is set	device-blk	yes	config read	device-types/blk/description.tex:390
BLK-DEV-015	5.2.5.2 Device Initialization	device	MUST NOT	[continues BLK-DEV-014] ... and not above seg_max*size_max (units differ in the text: sectors vs bytes)	device-blk	yes	arithmetic	device-types/blk/description.tex:392
BLK-DEV-016	5.2.5.2 Device Initialization	device	MAY	[continues BLK-DEV-015] ... or 0 if append is unsupported	device-blk	no	permission only	device-types/blk/description.tex:393
BLK-DEV-017	5.2.5.2 Device Initialization	device	MUST	HM/HA: write_granularity is set	device-blk	yes	config read	device-types/blk/description.tex:397
BLK-DEV-018	5.2.5.2 Device Initialization	device	MUST	Padding unused2 is 0	device-blk	yes	config read	device-types/blk/description.tex:402
BLKOP-DRV-001	5.2.6.1 Device Operation	driver	SHOULD	capacity is re-read after a config change	device-blk	partly	config read trace	device-types/blk/description.tex:868
BLKOP-DRV-002	5.2.6.1 Device Operation	driver	MUST NOT	No request goes beyond capacity	device-blk	yes	sector+len <= capacity; device-side fuzz incl. overflow	device-types/blk/description.tex:871
BLKOP-DRV-003	5.2.6.1 Device Operation	driver	SHOULD	RO is accepted if offered	device-blk	yes	accepted bit 5	device-types/blk/description.tex:874
BLKOP-DRV-004	5.2.6.1 Device Operation	driver	MUST	sector is 0 for FLUSH	device-blk	yes	header; device-side fuzz	device-types/blk/description.tex:876
BLKOP-DRV-005	5.2.6.1 Device Operation	driver	SHOULD NOT	FLUSH carries no data	device-blk	yes	chain length	device-types/blk/description.tex:877
BLKOP-DRV-006	5.2.6.1 Device Operation	driver	MUST	IN/OUT data is a multiple of 512 bytes	device-blk	yes	length; device-side fuzz 1,511,513	device-types/blk/description.tex:879
BLKOP-DRV-007	5.2.6.1 Device Operation	driver	MUST	DISCARD/SECURE_ERASE/WRITE_ZEROES data is a multiple of 16 bytes	device-blk	yes	length; device-side fuzz	device-types/blk/description.tex:882
BLKOP-DRV-008	5.2.6.1 Device Operation	driver	MUST	GET_ID data is 20 bytes	device-blk	yes	length; device-side fuzz 0,19,21	device-types/blk/description.tex:886
BLKOP-DRV-009	5.2.6.1 Device Operation	driver	MUST NOT	DISCARD has at most max_discard_seg segments	device-blk	yes	count; device-side fuzz	device-types/blk/description.tex:888
BLKOP-DRV-010	5.2.6.1 Device Operation	driver	MUST NOT	SECURE_ERASE has at most max_secure_erase_seg segments	device-blk	yes	count; device-side fuzz	device-types/blk/description.tex:892
BLKOP-DRV-011	5.2.6.1 Device Operation	driver	MUST NOT	WRITE_ZEROES has at most max_write_zeroes_seg segments	device-blk	yes	count; device-side fuzz	device-types/blk/description.tex:896
BLKOP-DRV-012	5.2.6.1 Device Operation	driver	MAY	With CONFIG_WCE writeback may be switched by writing 0 or 1	device-blk	no	permission only	device-types/blk/description.tex:900
BLKOP-DRV-013	5.2.6.1 Device Operation	driver	MUST NOT	Writing 0 to writeback does not flush what is already volatile	device-blk	no	crash model	device-types/blk/description.tex:903
BLKOP-DRV-014	5.2.6.1 Device Operation	driver	MUST	unmap is 0 in discard segments	device-blk	yes	flags; device-side fuzz	device-types/blk/description.tex:906
BLKOP-DRV-015	5.2.6.1 Device Operation	driver	MUST NOT	Nothing is assumed of data after a discard	device-blk	no	crash/content model	device-types/blk/description.tex:907
BLKOP-DRV-016	5.2.6.1 Device Operation	driver	MUST NOT	After IOERR nothing is assumed of single segments	device-blk	no	driver logic	device-types/blk/description.tex:910
BLKOP-DEV-001	5.2.6.2 Device Operation	device	MAY	capacity may change at run time	device-blk	no	permission only	device-types/blk/description.tex:961
BLKOP-DEV-002	5.2.6.2 Device Operation	device	SHOULD	[continues BLKOP-DEV-001] ... with a config-change notification	device-blk	yes	resize; interrupt	device-types/blk/description.tex:962
BLKOP-DEV-003	5.2.6.2 Device Operation	device	MUST	RO offered: writes end in IOERR	device-blk	yes	write request on read-only disk (even if RO not accepted)	device-types/blk/description.tex:965
BLKOP-DEV-004	5.2.6.2 Device Operation	device	MUST NOT	[continues BLKOP-DEV-003] ... and nothing is written	device-blk	yes	content hash	device-types/blk/description.tex:966
BLKOP-DEV-005	5.2.6.2 Device Operation	device	MUST	Unknown flags in discard/erase/zeroes segments: UNSUPP	device-blk	yes	fuzz bits 1..31	device-types/blk/description.tex:969
BLKOP-DEV-006	5.2.6.2 Device Operation	device	MUST	unmap set in a discard: UNSUPP	device-blk	yes	request	device-types/blk/description.tex:971
BLKOP-DEV-007	5.2.6.2 Device Operation	device	MAY	Discard may deallocate	device-blk	no	permission only	device-types/blk/description.tex:974
BLKOP-DEV-008	5.2.6.2 Device Operation	device	MAY	Write zeroes with unmap may deallocate	device-blk	no	permission only	device-types/blk/description.tex:977
BLKOP-DEV-009	5.2.6.2 Device Operation	device	MUST	After write zeroes the range reads 0, unmap or not	device-blk	yes	read back	device-types/blk/description.tex:980
BLKOP-DEV-010	5.2.6.2 Device Operation	device	SHOULD	write_zeroes_may_unmap is 0 only if deallocation cannot happen	device-blk	partly	config read	device-types/blk/description.tex:983
BLKOP-DEV-011	5.2.6.2 Device Operation	device	MAY	[continues BLKOP-DEV-010] It may change at run time	device-blk	no	permission only	device-types/blk/description.tex:985
BLKOP-DEV-012	5.2.6.2 Device Operation	device	SHOULD	[continues BLKOP-DEV-011] ... with a config-change notification	device-blk	yes	interrupt	device-types/blk/description.tex:987
BLKOP-DEV-013	5.2.6.2 Device Operation	device	MUST	Stable writes are on the medium before completion of write or flush is reported	device-blk	no	crash-consistency model: drop unflushed writes at power cut	device-types/blk/description.tex:1007
BLKOP-DEV-014	5.2.6.2 Device Operation	device	MAY	Without FLUSH offered the device may still commit early	device-blk	no	permission only	device-types/blk/description.tex:1027
BLKOP-DEV-015	5.2.6.2 Device Operation	device	SHOULD	LIFETIME is offered if the medium has metrics	device-blk	no	backend property	device-types/blk/description.tex:1039
BLKOP-DEV-016	5.2.6.2 Device Operation	device	MUST NOT	[continues BLKOP-DEV-015] ... and not otherwise	device-blk	no	backend property	device-types/blk/description.tex:1040
BLKOP-DEV-017	5.2.6.2 Device Operation	device	MUST NOT	No reserved lifetime values are reported	device-blk	yes	value check	device-types/blk/description.tex:1042
BLKOP-DEV-018	5.2.6.2 Device Operation	device	MUST	Without ZONED all zone requests end in UNSUPP	device-blk	yes	send 15,16,18,..,26	device-types/blk/description.tex:1054
BLKOP-DRV-017	5.2.6.1 Device Operation	driver	MUST	Zone addresses are multiples of 512 bytes	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:918
BLKOP-DRV-018	5.2.6.1 Device Operation	driver	MUST	ZONE_REPORT names a sector inside the first zone wanted	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:920
BLKOP-DRV-019	5.2.6.1 Device Operation	driver	MAY	[continues BLKOP-DRV-018] It need not be the zone's first sector	device-blk-zoned	no	permission only	device-types/blk/description.tex:922
BLKOP-DRV-020	5.2.6.1 Device Operation	driver	MUST	OPEN/CLOSE/FINISH/RESET name the zone's first sector	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:925
BLKOP-DRV-021	5.2.6.1 Device Operation	driver	MUST	RESET_ALL has sector 0	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:928
BLKOP-DRV-022	5.2.6.1 Device Operation	driver	MUST	APPEND names the zone's first sector	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:931
BLKOP-DRV-023	5.2.6.1 Device Operation	driver	MUST	APPEND size is a multiple of write_granularity	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:933
BLKOP-DRV-024	5.2.6.1 Device Operation	driver	MUST NOT	APPEND size is at most max_append_sectors	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:934
BLKOP-DRV-025	5.2.6.1 Device Operation	driver	MAY	append_sector may be read after success	device-blk-zoned	no	permission only	device-types/blk/description.tex:939
BLKOP-DRV-026	5.2.6.1 Device Operation	driver	MUST	Sequential writes and appends: size and sector aligned to write_granularity and inside the zone	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:943
BLKOP-DEV-019	5.2.6.2 Device Operation	device	MUST	OPEN/CLOSE/FINISH/RESET on a conventional zone: INVALID_CMD	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1064
BLKOP-DEV-020	5.2.6.2 Device Operation	device	MUST	APPEND outside a sequential-required zone: INVALID_CMD	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1068
BLKOP-DEV-021	5.2.6.2 Device Operation	device	MUST	OPEN not possible: INVALID_CMD	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1073
BLKOP-DEV-022	5.2.6.2 Device Operation	device	MUST	OPEN without resources: OPEN_RESOURCE or ACTIVE_RESOURCE, state kept	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1076
BLKOP-DEV-023	5.2.6.2 Device Operation	device	MUST	CLOSE not possible: INVALID_CMD	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1082
BLKOP-DEV-024	5.2.6.2 Device Operation	device	MUST	FINISH not possible: INVALID_CMD, state kept	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1088
BLKOP-DEV-025	5.2.6.2 Device Operation	device	MUST	RESET not possible: INVALID_CMD, state kept	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1094
BLKOP-DEV-026	5.2.6.2 Device Operation	device	MUST	Implicit open without resources: OPEN_RESOURCE or ACTIVE_RESOURCE	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1106
BLKOP-DEV-027	5.2.6.2 Device Operation	device	MUST	APPEND not naming a first sector: INVALID_CMD	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1110
BLKOP-DEV-028	5.2.6.2 Device Operation	device	MUST	Data beyond the zone's remaining room: INVALID_CMD	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1115
BLKOP-DEV-029	5.2.6.2 Device Operation	device	MUST	Successful APPEND reports the first sector written	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1120
BLKOP-DEV-030	5.2.6.2 Device Operation	device	MUST	APPEND with max_append_sectors 0: UNSUPP	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1131
BLKOP-DEV-031	5.2.6.2 Device Operation	device	MUST	APPEND larger than max_append_sectors: INVALID_CMD	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1135
BLKOP-DEV-032	5.2.6.2 Device Operation	device	MUST	Requests crossing zones: INVALID_CMD	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1141
BLKOP-DEV-033	5.2.6.2 Device Operation	device	MUST	Write off the write pointer: UNALIGNED_WP	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1145
BLKOP-DEV-034	5.2.6.2 Device Operation	device	MAY	Implicitly open zones may be closed by the device	device-blk-zoned	no	permission only	device-types/blk/description.tex:1149
BLKOP-DEV-035	5.2.6.2 Device Operation	device	MUST	Writes to a read-only zone: INVALID_CMD	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1153
BLKOP-DEV-036	5.2.6.2 Device Operation	device	MUST	Anything on an offline zone: INVALID_CMD	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1156
BLKOP-DEV-037	5.2.6.2 Device Operation	device	MUST	Sectors past the write pointer are unwritten data	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1159
BLKOP-DEV-038	5.2.6.2 Device Operation	device	MUST	Reading unwritten data gives a pattern or fails	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1166
BLKOP-DEV-039	5.2.6.2 Device Operation	device	MUST	secure_erase_sector_alignment is a multiple of zone_sectors	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1182
BLKOP-DRV-027	5.2.6.2 Device Operation	driver	MUST	SECURE_ERASE size is a multiple of zone_sectors	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1185
BLKOP-DEV-040	5.2.6.2 Device Operation	device	MUST	SECURE_ERASE acts like zone reset on its range	device-blk-zoned	partly	needs zoned model	device-types/blk/description.tex:1189
BLKL-BOTH-001	5.2.4.1 Legacy Interface: Device configuration layout	transport-legacy	MUST	Legacy mode: config fields are guest-endian	device-blk-legacy	yes	big-endian guest, BAR0 capacity	device-types/blk/description.tex:220
BLKL-DEV-001	5.2.5.3 Legacy Interface: Device Initialization	transport-legacy	MUST	Transitional device in legacy use: negotiation differs as the next rows say	device-blk-legacy	yes	see next rows	device-types/blk/description.tex:408
BLKL-DRV-001	5.2.5.3 Legacy Interface: Device Initialization	transport-legacy	MAY	Legacy-mode driver: writeback may be accessed before DRIVER or DRIVER_OK	device-blk-legacy	no	permission only	device-types/blk/description.tex:413
BLKL-DEV-002	5.2.5.3 Legacy Interface: Device Initialization	transport-legacy	MUST NOT	Transitional device in legacy use: status writes leave the cache mode alone, unless DRIVER_OK comes without CONFIG_WCE accepted	device-blk-legacy	yes	toggle, set bits, read writeback	device-types/blk/description.tex:416
BLKL-DEV-003	5.2.5.3 Legacy Interface: Device Initialization	transport-legacy	MUST NOT	Transitional device in legacy use: feature writes leave the cache mode alone	device-blk-legacy	yes	ack CONFIG_WCE without FLUSH, read writeback	device-types/blk/description.tex:421
BLKL-BOTH-002	5.2.6.3 Legacy Interface: Device Operation	transport-legacy	MUST	Legacy mode: request header fields are guest-endian	device-blk-legacy	yes	big-endian guest, read request	device-types/blk/description.tex:1195
BLKL-DRV-002	5.2.6.3 Legacy Interface: Device Operation	transport-legacy	SHOULD	Legacy-mode driver: used len is ignored	device-blk-legacy	partly	return odd len	device-types/blk/description.tex:1200
BLKL-BOTH-003	5.2.6.3 Legacy Interface: Device Operation	transport-legacy	MUST	Legacy mode: type 5 (FLUSH_OUT) is the same as FLUSH (text says 'driver', meaning the device)	device-blk-legacy	yes	send type 5	device-types/blk/description.tex:1216
BLKL-DEV-004	5.2.6.3 Legacy Interface: Device Operation	transport-legacy	SHOULD	Legacy BARRIER bit: earlier requests finish first	device-blk-legacy	yes	ordering test if bit 0 offered	device-types/blk/description.tex:1224
BLKL-DEV-005	5.2.6.3 Legacy Interface: Device Operation	transport-legacy	SHOULD NOT	Legacy BARRIER bit: later ones start after it	device-blk-legacy	yes	ordering test	device-types/blk/description.tex:1225
BLKL-DRV-003	5.2.6.3 Legacy Interface: Device Operation	transport-legacy	MAY	Legacy-mode driver: may set writeback 0 to get safe writes	device-blk-legacy	no	permission only	device-types/blk/description.tex:1236
BLKL-DRV-004	5.2.6.3 Legacy Interface: Device Operation	transport-legacy	MAY	Legacy-mode driver: or flush after every write	device-blk-legacy	no	permission only	device-types/blk/description.tex:1237
BLKL-DRV-005	5.2.6.3 Legacy Interface: Device Operation	transport-legacy	MUST	Legacy SCSI command: cmd sits alone in one readable descriptor	device-blk-legacy	yes	descriptor layout	device-types/blk/description.tex:1271
BLKL-DRV-006	5.2.6.3 Legacy Interface: Device Operation	transport-legacy	SHOULD	Legacy SCSI command: data_len is ignored	device-blk-legacy	partly	inject	device-types/blk/description.tex:1284
BLKL-DRV-007	5.2.6.4 Legacy Interface: Framing Requirements	transport-legacy	MUST	Legacy-mode driver without ANY_LAYOUT: header alone first (text says 8 bytes; the struct has 16), 1-byte status alone last	device-blk-legacy	yes	descriptor lengths 16 ... 1	device-types/blk/description.tex:1301
BLKL-DRV-008	5.2.6.4 Legacy Interface: Framing Requirements	transport-legacy	MUST	[continues BLKL-DRV-007] ... SCSI: sense alone in a 96-byte descriptor	device-blk-legacy	yes	descriptor lengths	device-types/blk/description.tex:1307
BLKL-DRV-009	5.2.6.4 Legacy Interface: Framing Requirements	transport-legacy	MUST	[continues BLKL-DRV-008] ... SCSI: errors..residual alone in one writable descriptor	device-blk-legacy	yes	descriptor lengths	device-types/blk/description.tex:1310
CON-DEV-001	5.3 Console Device	device	MAY	A device may have several ports	device-console	no	permission only	device-types/console/description.tex:4
CON-DEV-002	5.3.5.1 Device Initialization	device	MUST	emerg_wr can be written on an unconfigured device	device-console	yes	write right after reset	device-types/console/description.tex:105
CON-DEV-003	5.3.5.1 Device Initialization	device	SHOULD	[continues CON-DEV-002] Its low byte goes to a log or output	device-console	yes	byte appears in console log	device-types/console/description.tex:108
CON-DRV-001	5.3.6.1 Device Operation	driver	MUST NOT	No readable buffer in a receive queue	device-console	yes	flags; device-side fuzz	device-types/console/description.tex:140
CON-DRV-002	5.3.6.1 Device Operation	driver	MUST NOT	No writable buffer in a transmit queue	device-console	yes	flags; device-side fuzz	device-types/console/description.tex:141
CON-DEV-004	5.3.6.2 Multiport Device Operation	device	MAY	Several ports may be console ports	device-console	no	permission only	device-types/console/description.tex:173
CON-DEV-005	5.3.6.2.1 Multiport Device Operation	device	MUST NOT	DEVICE_ADD names a new port below max_nr_ports	device-console	yes	control trace; driver-side fuzz	device-types/console/description.tex:195
CON-DEV-006	5.3.6.2.1 Multiport Device Operation	device	MUST NOT	DEVICE_REMOVE names a port added before	device-console	yes	control trace; driver-side fuzz	device-types/console/description.tex:199
CON-DRV-003	5.3.6.2.2 Multiport Device Operation	driver	MUST	With MULTIPORT the driver sends DEVICE_READY	device-console	yes	control trace	device-types/console/description.tex:204
CON-DRV-004	5.3.6.2.2 Multiport Device Operation	driver	SHOULD	CONSOLE_PORT makes the port a text console	device-console	partly	guest behaviour	device-types/console/description.tex:208
CON-DRV-005	5.3.6.2.2 Multiport Device Operation	driver	MUST	CONSOLE_PORT is answered with PORT_OPEN	device-console	yes	control trace	device-types/console/description.tex:209
CON-DRV-006	5.3.6.2.2 Multiport Device Operation	driver	MUST	[continues CON-DRV-005] ... with value 1	device-console	yes	control trace	device-types/console/description.tex:209
CONL-BOTH-001	5.3.4.1 Legacy Interface: Device configuration layout	transport-legacy	MUST	Legacy mode: config fields are guest-endian	device-console-legacy	yes	big-endian guest, BAR0	device-types/console/description.tex:71
CONL-BOTH-002	5.3.6.3 Legacy Interface: Device Operation	transport-legacy	MUST	Legacy mode: control messages are guest-endian	device-console-legacy	yes	big-endian guest, DEVICE_READY	device-types/console/description.tex:214
CONL-DRV-001	5.3.6.3 Legacy Interface: Device Operation	transport-legacy	SHOULD	Legacy-mode driver: used len of transmit queues is ignored	device-console-legacy	partly	return odd len	device-types/console/description.tex:218
CONL-DRV-002	5.3.6.4 Legacy Interface: Framing Requirements	transport-legacy	MUST	Legacy-mode driver without ANY_LAYOUT: one descriptor per control buffer	device-console-legacy	yes	descriptor count	device-types/console/description.tex:230
RNG-DRV-001	5.4.6.1 Device Operation	driver	MUST NOT	No readable buffers	device-rng	yes	flags; device-side fuzz	device-types/entropy/description.tex:34
RNG-DRV-002	5.4.6.1 Device Operation	driver	MUST	The driver looks at the used length	device-rng	partly	return short and oversize len	device-types/entropy/description.tex:36
RNG-DEV-001	5.4.6.2 Device Operation	device	MUST	At least one random byte is delivered per buffer	device-rng	yes	used len >= 1	device-types/entropy/description.tex:41
RNG-DEV-002	5.4.6.2 Device Operation	device	MAY	Less than the buffer may be delivered	device-rng	no	permission only	device-types/entropy/description.tex:42
BAL-DRV-001	5.5.3.1 Feature bits	driver	SHOULD	MUST_TELL_HOST is accepted if offered	device-balloon	yes	accepted bit 0	device-types/balloon/description.tex:55
BAL-DRV-002	5.5.3.1 Feature bits	driver	SHOULD	PAGE_POISON is dropped if pages are not written after deflate	device-balloon	partly	guest behaviour	device-types/balloon/description.tex:58
BAL-DRV-003	5.5.3.1 Feature bits	driver	MUST NOT	PAGE_REPORTING without PAGE_POISON only if pages need not keep a value	device-balloon	partly	guest behaviour	device-types/balloon/description.tex:63
BAL-DEV-001	5.5.3.2 Feature bits	device	MAY	MUST_TELL_HOST offered but not accepted: FEATURES_OK may be refused	device-balloon	yes	status read	device-types/balloon/description.tex:69
BAL-DRV-004	5.5.6.1 Device Operation	driver	SHOULD	Pages are supplied while num_pages is above the balloon size	device-balloon	yes	raise num_pages	device-types/balloon/description.tex:179
BAL-DRV-005	5.5.6.1 Device Operation	driver	MAY	Pages may be taken back while num_pages is below	device-balloon	no	permission only	device-types/balloon/description.tex:182
BAL-DRV-006	5.5.6.1 Device Operation	driver	MAY	Pages may be supplied at or above (wording as in the text)	device-balloon	no	permission only	device-types/balloon/description.tex:185
BAL-DRV-007	5.5.6.1 Device Operation	driver	MUST NOT	Without DEFLATE_ON_OOM no page is used from the balloon while num_pages <= actual (as worded; contradicts the permission above)	device-balloon	partly	see pitfalls	device-types/balloon/description.tex:189
BAL-DRV-008	5.5.6.1 Device Operation	driver	MAY	With DEFLATE_ON_OOM pages may be taken for stability	device-balloon	no	permission only	device-types/balloon/description.tex:194
BAL-DRV-009	5.5.6.1 Device Operation	driver	MUST	deflateq announces pages the guest wants back	device-balloon	yes	trace	device-types/balloon/description.tex:200
BAL-DRV-010	5.5.6.1 Device Operation	driver	MUST NOT	MUST_TELL_HOST: pages are not used before the deflate is acknowledged	device-balloon	yes	watch guest writes	device-types/balloon/description.tex:204
BAL-DRV-011	5.5.6.1 Device Operation	driver	MAY	Without it earlier reuse is fine	device-balloon	no	permission only	device-types/balloon/description.tex:208
BAL-DRV-012	5.5.6.1 Device Operation	driver	MUST NOT	Pages are not used between inflate and its acknowledgement	device-balloon	yes	watch guest writes	device-types/balloon/description.tex:212
BAL-DRV-013	5.5.6.1 Device Operation	driver	MUST NOT	Deflate is not asked before the inflate is acknowledged	device-balloon	yes	trace	device-types/balloon/description.tex:216
BAL-DRV-014	5.5.6.1 Device Operation	driver	MUST	actual is updated after the balloon size changed	device-balloon	yes	config write trace	device-types/balloon/description.tex:220
BAL-DRV-015	5.5.6.1 Device Operation	driver	MAY	[continues BAL-DRV-014] ... once for several operations	device-balloon	no	permission only	device-types/balloon/description.tex:223
BAL-DEV-002	5.5.6.2 Device Operation	device	MAY	A page may change between inflate request and acknowledgement	device-balloon	no	permission only	device-types/balloon/description.tex:228
BAL-DEV-003	5.5.6.2 Device Operation	device	MAY	MUST_TELL_HOST: a page may change until the deflate is acknowledged	device-balloon	no	permission only	device-types/balloon/description.tex:234
BAL-DRV-016	5.5.6.3.1 Memory Statistics	driver	MUST	statsq: at most one buffer outstanding	device-balloon	yes	trace; device-side fuzz two	device-types/balloon/description.tex:317
BAL-DRV-017	5.5.6.3.1 Memory Statistics	driver	MUST	statsq: one buffer right after initialization	device-balloon	yes	trace	device-types/balloon/description.tex:320
BAL-DRV-018	5.5.6.3.1 Memory Statistics	driver	MUST	statsq: a new buffer after each used one	device-balloon	yes	trace	device-types/balloon/description.tex:324
BAL-DRV-019	5.5.6.3.1 Memory Statistics	driver	MUST	statsq: the buffer is filled with one entry per supported statistic	device-balloon	yes	parse	device-types/balloon/description.tex:327
BAL-DRV-020	5.5.6.3.1 Memory Statistics	driver	MUST	statsq: size is a multiple of 6 (text; entries are 10 bytes long, so 6 is an old error)	device-balloon	yes	accept multiples of 10; device-side fuzz	device-types/balloon/description.tex:330
BAL-DRV-021	5.5.6.3.1 Memory Statistics	driver	MAY	statsq: any order of tags	device-balloon	no	permission only	device-types/balloon/description.tex:333
BAL-DRV-022	5.5.6.3.1 Memory Statistics	driver	MAY	statsq: any subset of tags	device-balloon	no	permission only	device-types/balloon/description.tex:337
BAL-DRV-023	5.5.6.3.1 Memory Statistics	driver	MUST	statsq: always the same subset	device-balloon	yes	parse over time	device-types/balloon/description.tex:340
BAL-DEV-004	5.5.6.3.2 Memory Statistics	device	MUST	statsq: unknown tags are ignored	device-balloon	yes	fuzz tags	device-types/balloon/description.tex:348
BAL-DEV-005	5.5.6.3.2 Memory Statistics	device	MUST	statsq: any order is accepted	device-balloon	yes	shuffle	device-types/balloon/description.tex:351
BAL-DRV-024	5.5.6.5.1 Free Page Hinting	driver	MUST	free_page_vq: readable buffers are 4 bytes	device-balloon	yes	length; device-side fuzz	device-types/balloon/description.tex:470
BAL-DRV-025	5.5.6.5.1 Free Page Hinting	driver	MUST	free_page_vq: hinting starts with the current command id	device-balloon	yes	trace	device-types/balloon/description.tex:473
BAL-DRV-026	5.5.6.5.1 Free Page Hinting	driver	MUST NOT	free_page_vq: the id is sent once only	device-balloon	yes	trace; device-side fuzz	device-types/balloon/description.tex:476
BAL-DRV-027	5.5.6.5.1 Free Page Hinting	driver	SHOULD	free_page_vq: pages are supplied while the id is 2 or more	device-balloon	yes	trace	device-types/balloon/description.tex:479
BAL-DRV-028	5.5.6.5.1 Free Page Hinting	driver	SHOULD	free_page_vq: supply stops at STOP or DONE	device-balloon	yes	trace	device-types/balloon/description.tex:482
BAL-DRV-029	5.5.6.5.1 Free Page Hinting	driver	MUST	free_page_vq: running out of pages is told by STOP	device-balloon	yes	trace	device-types/balloon/description.tex:486
BAL-DRV-030	5.5.6.5.1 Free Page Hinting	driver	MAY	Hinted pages may be released at any time	device-balloon	no	permission only	device-types/balloon/description.tex:489
BAL-DRV-031	5.5.6.5.1 Free Page Hinting	driver	MUST	Hinted pages count as uninitialised	device-balloon	no	guest behaviour	device-types/balloon/description.tex:492
BAL-DRV-032	5.5.6.5.1 Free Page Hinting	driver	MUST	Pages released before DONE are initialised	device-balloon	no	guest behaviour	device-types/balloon/description.tex:495
BAL-DRV-033	5.5.6.5.1 Free Page Hinting	driver	SHOULD	At DONE all hinted pages are released	device-balloon	no	guest behaviour	device-types/balloon/description.tex:499
BAL-DEV-006	5.5.6.5.2 Free Page Hinting	device	SHOULD	The id is STOP whenever hints are of no use	device-balloon	yes	config read	device-types/balloon/description.tex:508
BAL-DEV-007	5.5.6.5.2 Free Page Hinting	device	MUST NOT	An id is reused only after the driver's STOP	device-balloon	yes	config trace	device-types/balloon/description.tex:512
BAL-DEV-008	5.5.6.5.2 Free Page Hinting	device	MUST	Hints with another id are ignored	device-balloon	yes	fuzz id	device-types/balloon/description.tex:515
BAL-DEV-009	5.5.6.5.2 Free Page Hinting	device	MAY	Unmodified hinted pages may be changed	device-balloon	no	permission only	device-types/balloon/description.tex:520
BAL-DEV-010	5.5.6.5.2 Free Page Hinting	device	MUST NOT	After DONE hinted pages are left alone	device-balloon	yes	memory hash	device-types/balloon/description.tex:522
BAL-DEV-011	5.5.6.5.2 Free Page Hinting	device	MUST	DONE is shown when hints are no longer needed	device-balloon	yes	config read	device-types/balloon/description.tex:525
BAL-DRV-034	5.5.6.6.1 Page Poison	driver	MUST	PAGE_POISON: deflated pages are filled with poison_val on reuse	device-balloon	partly	memory check	device-types/balloon/description.tex:555
BAL-DRV-035	5.5.6.6.1 Page Poison	driver	MUST	PAGE_POISON: poison_val is written before DRIVER_OK	device-balloon	yes	config write trace	device-types/balloon/description.tex:558
BAL-DRV-036	5.5.6.6.1 Page Poison	driver	MUST NOT	PAGE_POISON: poison_val is not written while DRIVER_OK	device-balloon	yes	config write trace; device-side fuzz	device-types/balloon/description.tex:561
BAL-DEV-012	5.5.6.6.2 Page Poison	device	MAY	poison_val may be used as a hint	device-balloon	no	permission only	device-types/balloon/description.tex:568
BAL-DRV-037	5.5.6.7.1 Free Page Reporting	driver	MUST	Reporting without poison: reported pages count as uninitialised	device-balloon	no	guest behaviour	device-types/balloon/description.tex:607
BAL-DRV-038	5.5.6.7.1 Free Page Reporting	driver	MUST	Reporting with poison: pages hold poison_val first	device-balloon	partly	memory check	device-types/balloon/description.tex:610
BAL-DRV-039	5.5.6.7.1 Free Page Reporting	driver	MUST NOT	Reported pages are not used before acknowledgement	device-balloon	yes	watch guest writes	device-types/balloon/description.tex:613
BAL-DRV-040	5.5.6.7.1 Free Page Reporting	driver	MAY	Reporting may start any time after DRIVER_OK	device-balloon	no	permission only	device-types/balloon/description.tex:616
BAL-DRV-041	5.5.6.7.1 Free Page Reporting	driver	SHOULD	Large pages are preferred	device-balloon	no	advice	device-types/balloon/description.tex:618
BAL-DRV-042	5.5.6.7.1 Free Page Reporting	driver	SHOULD	Reported pages are left untouched	device-balloon	no	advice	device-types/balloon/description.tex:620
BAL-DEV-013	5.5.6.7.2 Free Page Reporting	device	MAY	Without poison reported pages may be changed before acknowledgement	device-balloon	no	permission only	device-types/balloon/description.tex:629
BAL-DEV-014	5.5.6.7.2 Free Page Reporting	device	MUST NOT	With poison they may only become poison_val	device-balloon	yes	memory check	device-types/balloon/description.tex:633
BALL-DEV-001	5.5.3.2.0.1 Legacy Interface: Feature bits	transport-legacy	MUST	Transitional device in legacy use: guests without MUST_TELL_HOST are served	device-balloon-legacy	yes	legacy script without bit 0	device-types/balloon/description.tex:76
BALL-DEV-002	5.5.3.2.0.1 Legacy Interface: Feature bits	transport-legacy	SHOULD	[continues BALL-DEV-001] ... and may use memory before telling	device-balloon-legacy	yes	watch	device-types/balloon/description.tex:77
BALL-BOTH-001	5.5.4.0.0.1 Legacy Interface: Device configuration layout	transport-legacy	MUST	Legacy mode: config stays little-endian (exception to the rule)	device-balloon-legacy	yes	big-endian guest, BAR0 num_pages	device-types/balloon/description.tex:102
BALL-DRV-001	5.5.6.2.1 Legacy Interface: Device Operation	transport-legacy	SHOULD	Legacy-mode driver: used len is ignored	device-balloon-legacy	partly	return odd len	device-types/balloon/description.tex:242
BALL-DRV-002	5.5.6.2.1 Legacy Interface: Device Operation	transport-legacy	MUST	Legacy-mode driver: actual is written as one 4-byte access	device-balloon-legacy	yes	I/O trace	device-types/balloon/description.tex:248
BALL-DEV-003	5.5.6.2.1 Legacy Interface: Device Operation	transport-legacy	SHOULD NOT	Transitional device in legacy use: actual counts only once its last byte is written	device-balloon-legacy	yes	byte-wise writes	device-types/balloon/description.tex:252
BALL-BOTH-002	5.5.6.3.3 Legacy Interface: Memory Statistics	transport-legacy	MUST	Legacy mode: statistics are guest-endian	device-balloon-legacy	yes	big-endian guest	device-types/balloon/description.tex:357
BALL-DEV-004	5.5.6.3.3 Legacy Interface: Memory Statistics	transport-legacy	SHOULD	Transitional device in legacy use: values of the first stats buffer are ignored	device-balloon-legacy	yes	poison first buffer	device-types/balloon/description.tex:362
BALL-BOTH-003	5.5.6.5.3 Legacy Interface: Free Page Hinting	transport-legacy	MUST	Legacy mode: the command id in buffers is guest-endian	device-balloon-legacy	yes	big-endian guest	device-types/balloon/description.tex:531`;

/** The same fields: what follows from the text without being said. */
export const IMPLIED: string = `IMP-RING-001	2.6 Virtqueues	both	MUST	At most 65536 virtqueues per device, index 0..65535	ring	yes	queue_select range	content.tex:341
IMP-RING-002	2.7 Split Virtqueues	both	MUST	Split queue size is a power of two, at most 32768	ring	yes	queue_size value	split-ring.tex:50
IMP-RING-003	2.7 Split Virtqueues	both	MUST	Split parts sizes: 16n, 6+2n, 6+8n bytes (the trailing event words are always counted)	ring	yes	mapped length check	split-ring.tex:36
IMP-RING-004	2.7.6 The Virtqueue Available Ring	driver	MUST	avail idx starts at 0 after (re)enable and counts modulo 65536; slot is idx mod size	ring	yes	first chain consumed after reset comes from slot 0	split-ring.tex:306
IMP-RING-005	2.7.8 The Virtqueue Used Ring	device	MUST	used idx starts at 0 after (re)enable and counts modulo 65536; slot is idx mod size	ring	yes	DMA log	split-ring.tex:432
IMP-RING-006	2.7.8 The Virtqueue Used Ring	device	MUST	Every used id is the head of a chain that was made available and not yet returned	ring	yes	multiset of outstanding heads	split-ring.tex:415
IMP-RING-007	2.7.8 The Virtqueue Used Ring	device	MUST	used len counts only bytes written to writable elements	ring	yes	len <= sum of writable lengths	split-ring.tex:405
IMP-RING-008	2.7.5 The Virtqueue Descriptor Table	both	MUST	next is meaningful only with NEXT set	ring	yes	random next with flag clear	split-ring.tex:196
IMP-RING-009	2.7.5.3 Indirect Descriptors	both	MUST	An indirect table has len/16 entries, starts at entry 0, is linked by next inside the table (split)	ring	yes	shuffled table	split-ring.tex:246
IMP-RING-010	2.7.9 In-order use of descriptors	device	MUST	IN_ORDER: one used entry may stand for a batch; it is written at the slot of the batch's first buffer, names the last head, idx moves by the batch size	ring	yes	reference model	split-ring.tex:476
IMP-RING-011	2.7.9 In-order use of descriptors	device	MUST	IN_ORDER: skipped buffers count as completely used	ring	yes	reference model	split-ring.tex:500
IMP-RING-012	2.9 Driver Notifications	driver	MUST	Split ring kick data: next_off is avail idx bits 0..14, next_wrap is bit 15	ring	yes	payload check	content.tex:480
IMP-RING-013	2.9 Driver Notifications	driver	MUST	Repeated kicks without new buffers carry identical data	ring	yes	payload check	content.tex:490
IMP-RING-014	2.7.5 The Virtqueue Descriptor Table	driver	MUST	With IN_ORDER descriptors are taken in table order from slot 0, wrapping at the end	ring	yes	slot trace	split-ring.tex:206
IMP-PACK-001	2.8 Packed Virtqueues	both	MUST	Packed ring has at most 32768 entries; size need not be a power of two	ring	yes	sizes 1,3,7,32767	packed-ring.tex:389
IMP-PACK-002	2.8.1 Driver and Device Ring Wrap Counters	both	MUST	Both wrap counters start at 1 on (re)enable	ring	yes	first lap uses AVAIL=1	packed-ring.tex:79
IMP-PACK-003	2.8.1 Driver and Device Ring Wrap Counters	driver	MUST	Driver counter flips after the last slot was made available	ring	yes	reference model	packed-ring.tex:82
IMP-PACK-004	2.8.1 Driver and Device Ring Wrap Counters	device	MUST	Device counter flips after the last slot was used (also when skipped over by a list)	ring	yes	reference model, list across the end	packed-ring.tex:88
IMP-PACK-005	2.8.1 Driver and Device Ring Wrap Counters	driver	MUST	Available: AVAIL bit 7 equals driver counter, USED bit 15 is its inverse	ring	yes	bit check	packed-ring.tex:105
IMP-PACK-006	2.8.1 Driver and Device Ring Wrap Counters	device	MUST	Used: both bits equal the device counter	ring	yes	bit check	packed-ring.tex:110
IMP-PACK-007	2.8.13 The Virtqueue Descriptor Format	driver	MUST	The ring is zeroed before enabling	ring	yes	memory at queue_enable	packed-ring.tex:424
IMP-PACK-008	2.8.2 Polling of available and used descriptors	both	MUST	Each side looks only at the next slot in ring order	ring	yes	mark a later slot: must not be picked up	packed-ring.tex:128
IMP-PACK-009	2.8.3 Write Flag	device	MUST	In a used slot WRITE tells whether anything was written	ring	yes	flag vs writable bytes touched	packed-ring.tex:157
IMP-PACK-010	2.8.4 Element Address and Length	driver	MUST	used len is ignored without WRITE; used addr is never meaningful	ring	yes	poison both	packed-ring.tex:168
IMP-PACK-011	2.8.6 Next Flag: Descriptor Chaining	driver	MUST	Buffer id sits in the last element of a list	ring	yes	poison ids of other elements	packed-ring.tex:212
IMP-PACK-012	2.8.6 Next Flag: Descriptor Chaining	device	MUST	One used slot per list, then a skip by the list's element count	ring	yes	slot positions	packed-ring.tex:223
IMP-PACK-013	2.8.6 Next Flag: Descriptor Chaining	driver	MUST	AVAIL/USED/WRITE are right in every element of the list, not only the head	ring	yes	bit check	packed-ring.tex:219
IMP-PACK-014	2.8.6 Next Flag: Descriptor Chaining	driver	MUST	NEXT in a used slot is ignored	ring	yes	inject	packed-ring.tex:236
IMP-PACK-015	2.8.7 Indirect Flag	device	MUST	Indirect entries follow each other; ids and flags other than WRITE are ignored	ring	yes	poison NEXT and id in table	packed-ring.tex:268
IMP-PACK-016	2.8.7 Indirect Flag	device	MUST	WRITE on the slot that holds INDIRECT is ignored	ring	yes	toggle	packed-ring.tex:274
IMP-PACK-017	2.8.8 In-order use of descriptors	device	MUST	IN_ORDER: one used slot for a batch, at the batch's first slot, with the last buffer's id	ring	yes	reference model	packed-ring.tex:277
IMP-PACK-018	2.8.9 Multi-buffer requests	device	MUST	A request of several buffers: the first buffer's used slot is written last	ring	yes	mergeable rx write order	packed-ring.tex:301
IMP-PACK-019	2.8.10 Driver and Device Event Suppression	both	MUST	Event flags: 0 on, 1 off, 2 at a descriptor (only with EVENT_IDX), 3 reserved	ring	yes	value check, inject 3	packed-ring.tex:329
IMP-PACK-020	2.8.10 Driver and Device Event Suppression	both	MUST	Descriptor events fire when the slot at off is passed with the given wrap value	ring	yes	formula in wire.md	packed-ring.tex:343
IMP-PACK-021	2.8.14 Event Suppression Structure Format	both	MUST	Reserved 14 bits of event flags are 0	ring	yes	value check	packed-ring.tex:441
IMP-STAT-001	2.1 Device Status Field	device	MUST	Status starts as 0 and is 0 again after reset	status	yes	read	content.tex:57
IMP-STAT-002	3.2.1 Notification of Device Configuration Changes	device	MUST	Every device-made config change is notified	config	yes	interrupt per change	content.tex:612
IMP-FEAT-001	2.2 Feature Bits	both	MUST	Bits 0-23, 41, 42, 50-127 belong to device types, 24-40 and 43 to the queue layer, 44-49 and 128 up are reserved (41 is nevertheless also ADMIN_VQ)	feature	yes	allow-list	content.tex:103
IMP-FEAT-002	2.2 Feature Bits	driver	MUST	Features can only be renegotiated through a reset	feature	yes	write after FEATURES_OK has no effect	content.tex:92
IMP-FEAT-003	6 Reserved Feature Bits	device	MUST	Without ACCESS_PLATFORM accepted, device accesses are untranslated guest-physical, whatever the platform tables say	feature	yes	same address in TCE and RAM: data must come from RAM	content.tex:868
IMP-PCI-001	4.1.3 PCI Device Layout	device	MUST	Common, notify, ISR fields and modern device config are little-endian; 64-bit fields are low half then high half	config	yes	byte compare on a big-endian guest	transport-pci.tex:103
IMP-PCI-002	4.1.4.3 Common configuration	device	MUST	num_queues counts without admin queues	config	yes	read	transport-pci.tex:354
IMP-PCI-003	4.1.4.3 Common configuration	device	MUST	queue_size reads the maximum after reset	config	yes	read	transport-pci.tex:369
IMP-PCI-004	4.1.4.4 Notification structure layout	driver	MUST	Kick address is cap.offset + queue_notify_off * notify_off_multiplier in the cap's BAR	transport	yes	address check	transport-pci.tex:549
IMP-PCI-005	4.1.4.5 ISR status capability	device	MUST	ISR offset has no alignment rule; bits 2 and up are reserved	transport	yes	read	transport-pci.tex:604
IMP-PCI-006	4.1.4.9 PCI configuration access capability	device	MUST	bar, offset, length and pci_cfg_data of the PCI_CFG capability are read-write	config	yes	write, read back	transport-pci.tex:763
IMP-PCI-007	4.1.5.1.2 MSI-X Vector Configuration	device	MUST	With MSI-X on, ISR bit 0 is not used for queues; vectors decide	transport	yes	see PCI-DEV rows	transport-pci.tex:971
IMP-PCIL-001	4.1.4.10 Legacy layout	device	MUST	Legacy header: features r0, driver features 4, queue PFN 8, size 12 (RO), select 14, notify 16, status 18, ISR 19 (RO); with MSI-X also 20 and 22	transport	yes	register table	transport-pci.tex:827
IMP-PCIL-002	4.1.4.10 Legacy layout	device	MUST	Device config starts at 24 with MSI-X enabled, at 20 otherwise, and moves at run time	transport	yes	toggle enable bit	transport-pci.tex:855
IMP-PCIL-003	4.1.4.10 Legacy layout	device	MUST	The legacy header itself is little-endian although device config is guest-endian	transport	yes	big-endian guest	transport-pci.tex:822
IMP-PCIL-004	4.1.5.1.3.1 Legacy queue configuration	device	MUST	Queue address register holds address/4096; ring alignment is 4096; size cannot be negotiated	transport	yes	PFN round trip; write to size register ignored	transport-pci.tex:1065
IMP-PCIL-005	4.1.4.10 Legacy layout	device	MUST	Only feature bits 0..31 are reachable	feature	yes	bit 32 unreachable	transport-pci.tex:882
IMP-CFG-001	2.5.3 Legacy config endianness	device	MUST	Legacy device config is guest-endian unless a device says otherwise (balloon does)	config	yes	big-endian guest	content.tex:323
IMP-NET-001	5.1.2 Virtqueues	both	MUST	receiveqN is 2(N-1), transmitqN 2(N-1)+1, controlq 2*max_virtqueue_pairs when MQ or RSS is accepted, else 2	device-net	yes	controlq moves from 2 to 2*max when MQ is accepted	net/description.tex:19
IMP-NET-002	5.1.4 Device configuration layout	device	MUST	mac is always present though valid only with MAC	device-net	yes	config length >= 6	net/description.tex:225
IMP-NET-003	5.1.9.1 Legacy Device Operation	both	MUST	Legacy header has no num_buffers unless MRG_RXBUF is accepted: 10 bytes instead of 12	device-net-hdr	yes	parse at 10	net/description.tex:644
IMP-NET-004	5.1.9.4 Processing of Incoming Packets	device	MUST	Second and later merged buffers have no header	device-net-hdr	yes	parse	net/description.tex:1153
IMP-NET-005	5.1.9.5 Control Virtqueue	device	MUST	Every control command gets one ack byte after the readable part: 0 ok, 1 error	device-net-ctrl	yes	ack	net/description.tex:1725
IMP-NET-006	5.1.9.5.9 Offloads	device	MUST	All negotiated offloads start enabled	device-net-ctrl	yes	rx GSO without command	net/description.tex:2297
IMP-NET-007	5.1.9.5.3 VLAN Filtering	device	MUST	VLAN table is empty at start	device-net-ctrl	yes	inject tagged	net/description.tex:1910
IMP-NET-008	5.1.4 Device configuration layout	device	MUST	Legacy: mac is writable in config	device-net-legacy	yes	write via BAR0	net/description.tex:378
IMP-BLK-001	5.2.6 Device Operation	both	MUST	sector and capacity are in 512-byte units whatever blk_size says	device-blk	yes	blk_size=4096 disk	blk/description.tex:460
IMP-BLK-002	5.2.6 Device Operation	device	MUST	The last writable byte of the chain is the status: 0, 1, 2 (3..6 zoned)	device-blk	yes	byte check	blk/description.tex:535
IMP-BLK-003	5.2.6 Device Operation	device	MUST	GET_ID gives up to 20 bytes, NUL padded, unterminated at 20	device-blk	yes	serial of 19, 20, 21 characters	blk/description.tex:497
IMP-BLK-004	5.2.5 Device Initialization	device	MUST	writeback 0 is write-through, 1 is write-back	device-blk	yes	config	blk/description.tex:245
IMP-BLK-005	5.2.6 Device Operation	device	MUST	Unknown request types end in UNSUPP	device-blk	yes	all unassigned types	blk/description.tex:536
IMP-CON-001	5.3.2 Virtqueues	both	MUST	Queues: port0 rx 0, tx 1, control rx 2, tx 3, port n rx 2n+2, tx 2n+3 (n >= 1)	device-console	yes	queue map	console/description.tex:22
IMP-CON-002	5.3.6.2 Multiport	device	MUST	PORT_NAME carries UTF-8 without a terminating NUL (QEMU 7.2 sends one)	device-console	yes	message length	console/description.tex:188
IMP-CON-003	5.3.4 Device configuration layout	device	MUST	emerg_wr works without queues, and without accepting the feature	device-console	yes	write at reset state	console/description.tex:57
IMP-BAL-001	5.5.6 Device Operation	both	MUST	Page numbers are in 4096-byte units whatever the guest page size (64K on ppc64)	device-balloon	yes	16 entries per 64K page	balloon/description.tex:152
IMP-BAL-002	5.5.2 Virtqueues	both	MUST	Queue numbers 0 inflate, 1 deflate, 2 stats, 3 free page, 4 reporting (QEMU 7.2 numbers reporting 3 when hinting is off)	device-balloon	yes	queue map	balloon/description.tex:19
IMP-BAL-003	5.5.6.3 Memory Statistics	both	MUST	A statistics entry is 10 bytes: le16 tag, le64 value, packed	device-balloon	yes	parse	balloon/description.tex:288
IMP-NETDEP-001	5.1.3.1 Feature bit requirements	both	MUST	net feature GUEST_TSO4(7) requires GUEST_CSUM(1)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-002	5.1.3.1 Feature bit requirements	both	MUST	net feature GUEST_TSO6(8) requires GUEST_CSUM(1)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-003	5.1.3.1 Feature bit requirements	both	MUST	net feature GUEST_ECN(9) requires GUEST_TSO4(7) or GUEST_TSO6(8)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-004	5.1.3.1 Feature bit requirements	both	MUST	net feature GUEST_UFO(10) requires GUEST_CSUM(1)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-005	5.1.3.1 Feature bit requirements	both	MUST	net feature GUEST_USO4(54) requires GUEST_CSUM(1)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-006	5.1.3.1 Feature bit requirements	both	MUST	net feature GUEST_USO6(55) requires GUEST_CSUM(1)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-007	5.1.3.1 Feature bit requirements	both	MUST	net feature GUEST_UDP_TUNNEL_GSO(65) requires GUEST_TSO4(7) and GUEST_TSO6(8) and GUEST_USO4(54) and GUEST_USO6(55)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-008	5.1.3.1 Feature bit requirements	both	MUST	net feature GUEST_UDP_TUNNEL_GSO_CSUM(66) requires GUEST_UDP_TUNNEL_GSO(65)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-009	5.1.3.1 Feature bit requirements	both	MUST	net feature HOST_TSO4(11) requires CSUM(0)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-010	5.1.3.1 Feature bit requirements	both	MUST	net feature HOST_TSO6(12) requires CSUM(0)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-011	5.1.3.1 Feature bit requirements	both	MUST	net feature HOST_ECN(13) requires HOST_TSO4(11) or HOST_TSO6(12)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-012	5.1.3.1 Feature bit requirements	both	MUST	net feature HOST_UFO(14) requires CSUM(0)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-013	5.1.3.1 Feature bit requirements	both	MUST	net feature HOST_USO(56) requires CSUM(0)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-014	5.1.3.1 Feature bit requirements	both	MUST	net feature HOST_UDP_TUNNEL_GSO(67) requires HOST_TSO4(11) and HOST_TSO6(12) and HOST_USO(56)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-015	5.1.3.1 Feature bit requirements	both	MUST	net feature HOST_UDP_TUNNEL_GSO_CSUM(68) requires HOST_UDP_TUNNEL_GSO(67)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-016	5.1.3.1 Feature bit requirements	both	MUST	net feature CTRL_RX(18) requires CTRL_VQ(17)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-017	5.1.3.1 Feature bit requirements	both	MUST	net feature CTRL_VLAN(19) requires CTRL_VQ(17)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-018	5.1.3.1 Feature bit requirements	both	MUST	net feature GUEST_ANNOUNCE(21) requires CTRL_VQ(17)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-019	5.1.3.1 Feature bit requirements	both	MUST	net feature MQ(22) requires CTRL_VQ(17)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-020	5.1.3.1 Feature bit requirements	both	MUST	net feature CTRL_MAC_ADDR(23) requires CTRL_VQ(17)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-021	5.1.3.1 Feature bit requirements	both	MUST	net feature NOTF_COAL(53) requires CTRL_VQ(17)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-022	5.1.3.1 Feature bit requirements	both	MUST	net feature RSC_EXT(61) requires HOST_TSO4(11) or HOST_TSO6(12)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-023	5.1.3.1 Feature bit requirements	both	MUST	net feature RSS(60) requires CTRL_VQ(17)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-024	5.1.3.1 Feature bit requirements	both	MUST	net feature VQ_NOTF_COAL(52) requires CTRL_VQ(17)	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-025	5.1.3.1 Feature bit requirements	both	MUST	net feature HASH_TUNNEL(51) requires CTRL_VQ(17) and (RSS(60) or HASH_REPORT(57))	feature	yes	mask predicate	net/description.tex:151
IMP-NETDEP-026	5.1.3.1 Feature bit requirements	both	MUST	net feature RSS_CONTEXT(64) requires CTRL_VQ(17) and RSS(60)	feature	yes	mask predicate	net/description.tex:151`;
