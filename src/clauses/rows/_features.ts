import type { ClauseProofs } from '../_laws.ts';
import type { Stream } from '../_stream.ts';

const ACCESS_PLATFORM = 33;
const PACKED = 34;
const IN_ORDER = 35;
const ORDER_PLATFORM = 36;
const SR_IOV = 37;
const NOTIF_CONFIG_DATA = 39;
/** Reserved for extensions of queues and negotiation to come. */
const STRANGE = 45;

/** Offered, accepted and confirmed or not, from a reset. */
function negotiated(s: Stream, status: number): Stream {
  s.probe().reset().status(1).status(3);
  s.readFeatures(0);
  s.readFeatures(1);
  s.writeFeatures(0);
  s.writeFeatures(1);
  return s.status(11).readStatus(status);
}

/** An SR-IOV capability at the start of extended configuration space. */
function withSriov(s: Stream): void {
  s.configRead(0x100, 4, 0x0001_0010);
}

/** An SR-IOV capability does not stand there: a serial number does. */
function withoutSriov(s: Stream): void {
  s.configRead(0x100, 4, 0x0001_0003);
}

export const FEATURES_PROOFS: ClauseProofs = {
  'TERM-DEV-001': {
    breach: { mode: 'transitional', play: (s) => s.probe().reset().status(1).status(3).readFeatures(1, 0) },
  },
  'TERM-DRV-001': {
    breach: {
      mode: 'transitional',
      play: (s) => s.probe().begin().write('legacy', 18, 1, 15),
    },
  },
  'FEAT-DRV-001': { breach: { accepts: [5, 32], play: (s) => negotiated(s, 11) } },
  'FEAT-DRV-002': {
    breach: { device: 'net', offers: [7, 1], accepts: [7, 32], play: (s) => negotiated(s, 11) },
  },
  'FEAT-DRV-004': {
    breach: {
      offers: [STRANGE],
      play: (s) => {
        s.probe().reset().status(1).status(3).readFeatures(0);
        s.readFeatures(1);
        s.status(0x83);
      },
    },
    clean: { offers: [STRANGE], accepts: [32], play: (s) => s.setUp() },
  },
  'FEAT-DRV-005': {
    breach: { offers: [STRANGE], play: (s) => s.setUp() },
    clean: { offers: [STRANGE], accepts: [32], play: (s) => s.setUp() },
  },
  'FEAT-DRV-007': { breach: (s) => negotiated(s, 3).status(7) },
  'FEAT-DRV-008': {
    breach: { offers: [STRANGE], accepts: [32], play: (s) => negotiated(s, 11).status(0x8b) },
    clean: { offers: [STRANGE], accepts: [32], play: (s) => s.setUp() },
  },
  'FEAT-DEV-001': { breach: { device: 'net', offers: [7], play: (s) => negotiated(s, 11) } },
  'FEAT-DEV-002': { breach: (s) => negotiated(s, 3) },
  'FEAT-DEV-003': {
    breach: { accepts: [5, 32], play: (s) => negotiated(s, 11) },
    clean: { accepts: [5, 32], play: (s) => negotiated(s, 3) },
  },
  'FEAT-DEV-004': { breach: { offers: [STRANGE], play: (s) => negotiated(s, 11) } },
  'FEAT-DEV-005': {
    breach: (s) => {
      negotiated(s, 11);
      negotiated(s, 3);
    },
    clean: (s) => {
      negotiated(s, 11);
      negotiated(s, 11);
    },
  },
  'LFEAT-DRV-001': {
    breach: (s) => {
      s.probe().reset().status(1).status(3).readFeatures(1, 0);
      s.status(11).status(15);
    },
    clean: (s) => {
      s.probe().reset().status(1).status(3).readFeatures(1, 0);
      s.status(0x83);
    },
  },
  'LFEAT-DEV-001': {
    breach: {
      mode: 'legacy',
      bigEndian: true,
      play: (s) => {
        s.setUp().request(0, [[1], 1], [0]);
        s.publish(0, [[1], 1]);
        s.take(0);
        const { device } = s.ring(0);
        s.dmaWrite(device + 12, [2, 0, 0, 0, 1, 0, 0, 0]);
        s.dmaWrite(device + 2, [0, 2]);
      },
    },
  },
  'RSVD-DRV-001': { breach: { accepts: [], play: (s) => negotiated(s, 11) } },
  'RSVD-DRV-003': {
    breach: { offers: [ACCESS_PLATFORM], accepts: [32], play: (s) => negotiated(s, 11) },
    clean: { offers: [ACCESS_PLATFORM], play: (s) => negotiated(s, 11) },
  },
  'RSVD-DRV-004': {
    breach: {
      offers: [ACCESS_PLATFORM],
      play: (s) => {
        s.probe();
        for (let page = 0x10_0000; page < 0x12_0000; page += 4096) s.map(page, page);
        // The device may read the buffer and is to write it.
        s.map(0x100_0000, 0x100_0000, 1);
        s.setUp().publish(0, [4]);
      },
    },
  },
  'RSVD-DRV-005': {
    breach: (s) => {
      s.setUp().publish(0, [[1], 1]);
      s.take(0);
      s.emit('dma-fault', [s.requester, 0xdead_0000, 4, 0]);
    },
  },
  'RSVD-DRV-006': {
    breach: { offers: [PACKED], accepts: [32], play: (s) => negotiated(s, 11) },
    clean: { offers: [PACKED], play: (s) => negotiated(s, 11) },
  },
  'RSVD-DRV-007': {
    breach: { offers: [ORDER_PLATFORM], accepts: [32], play: (s) => negotiated(s, 11) },
    clean: { offers: [ORDER_PLATFORM], play: (s) => negotiated(s, 11) },
  },
  'RSVD-DRV-010': {
    breach: {
      offers: [SR_IOV],
      play: (s) => {
        withoutSriov(s.probe());
        negotiated(s, 11);
      },
    },
    clean: { offers: [SR_IOV], accepts: [32], play: (s) => negotiated(s, 11) },
  },
  'RSVD-DRV-011': {
    breach: {
      offers: [SR_IOV],
      play: (s) => {
        withSriov(s.probe());
        s.reset().configWrite(0x108, 2, 1);
      },
    },
    clean: {
      offers: [SR_IOV],
      play: (s) => {
        withSriov(s.probe());
        negotiated(s, 11).configWrite(0x108, 2, 1);
      },
    },
  },
  'RSVD-DRV-013': {
    breach: { offers: [NOTIF_CONFIG_DATA], accepts: [32], play: (s) => negotiated(s, 11) },
    clean: { offers: [NOTIF_CONFIG_DATA], play: (s) => negotiated(s, 11) },
  },
  'RSVD-DEV-001': { breach: (s) => s.probe().reset().status(1).status(3).readFeatures(1, 0) },
  'RSVD-DEV-002': {
    breach: { accepts: [], play: (s) => negotiated(s, 0x4b) },
    clean: { accepts: [], play: (s) => negotiated(s, 3) },
  },
  'RSVD-DEV-003': {
    breach: (s) => {
      s.setUp().publish(0, [[1], 1]);
      // Index 0x4141: of memory elsewhere.
      s.dmaRead(s.ring(0).driver + 2, [0, 0]);
    },
  },
  'RSVD-DEV-004': {
    breach: { offers: [ACCESS_PLATFORM], accepts: [32], play: (s) => negotiated(s, 0x4b) },
    clean: { offers: [ACCESS_PLATFORM], accepts: [32], play: (s) => negotiated(s, 3) },
  },
  'RSVD-DEV-005': {
    breach: {
      offers: [IN_ORDER],
      play: (s) => {
        s.setUp();
        const first = s.publish(0, [[1], 1]);
        const second = s.publish(0, [[1], 1]);
        s.take(0);
        s.take(0);
        s.use(0, second, [0]).use(0, first, [0]);
      },
    },
    clean: {
      offers: [IN_ORDER],
      play: (s) => {
        s.setUp();
        const first = s.publish(0, [[1], 1]);
        const second = s.publish(0, [[1], 1]);
        s.take(0);
        s.take(0);
        s.use(0, first, [0]).use(0, second, [0]);
      },
    },
  },
  'RSVD-DEV-009': {
    breach: {
      play: (s) => {
        withSriov(s.probe());
        negotiated(s, 11);
      },
    },
    clean: {
      offers: [SR_IOV],
      play: (s) => {
        withSriov(s.probe());
        negotiated(s, 11);
      },
    },
  },
  'RSVD-DEV-010': {
    breach: {
      offers: [SR_IOV],
      play: (s) => {
        withoutSriov(s.probe());
        negotiated(s, 11);
      },
    },
  },
  'LRSVD-DEV-002': {
    breach: {
      mode: 'legacy',
      offers: [24],
      play: (s) => {
        s.setUp();
        const head = s.publish(0, [[1], 1]);
        s.notify(0).take(0);
        s.use(0, head, [0]).idle();
      },
    },
    clean: {
      mode: 'legacy',
      offers: [24],
      play: (s) =>
        s
          .setUp()
          .request(0, [[1], 1], [0])
          .idle(),
    },
  },
  'LRSVD-DEV-003': {
    breach: { mode: 'transitional', play: (s) => s.probe().read('legacy', 0, 4, 0) },
    clean: { mode: 'transitional', play: (s) => s.probe().read('legacy', 0, 4, 1 << 27) },
  },
  'LRSVD-DRV-001': {
    breach: { mode: 'legacy', offers: [27], accepts: [], play: (s) => s.setUp() },
    clean: { mode: 'legacy', offers: [27], play: (s) => s.setUp() },
  },
  'LRSVD-BOTH-001': { breach: { mode: 'legacy', offers: [30], play: (s) => s.setUp() } },
};
