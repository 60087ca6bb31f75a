import type { ClauseProofs } from '../_laws.ts';
import type { Stream } from '../_stream.ts';

const F_SUSPEND = 43;
/** Of a block request: a flush. */
const HEADER = [4, ...Array.from({ length: 15 }, () => 0)];
const SUSPENDABLE = { offers: [F_SUSPEND], msix: true } as const;
/** ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK; with SUSPEND; suspended. */
const RUNNING = 0x0f;
const ASKING = 0x1f;
const SUSPENDED = 0x1b;

function suspend(s: Stream): Stream {
  return s.setUp().status(ASKING).readStatus(SUSPENDED);
}

function resume(s: Stream): Stream {
  return suspend(s).status(0x0b).readStatus(RUNNING);
}

/** A split ring whose only available entry names descriptor `head`, as the device reads it. */
function deviceReadsHead(s: Stream, head: number): void {
  const { driver } = s.ring(0);
  s.makeAvailable(0, head);
  s.notify(0);
  s.dmaRead(driver + 2, [1, 0]);
  s.dmaRead(driver + 4, [head, 0]);
}

export const STATUS_PROOFS: ClauseProofs = {
  'STAT-DRV-001': { breach: (s) => s.probe().reset().status(1).status(5) },
  'STAT-DRV-002': { breach: (s) => s.probe().reset().status(1).status(3).status(2) },
  'STAT-DRV-003': {
    breach: (s) => s.probe().reset().status(0x81).status(0x83),
    clean: (s) => s.probe().reset().status(0x81).reset(),
  },
  'STAT-DEV-001': {
    breach: (s) => {
      s.probe().begin().enableQueue(0);
      s.publish(0, [[1], 1]);
      s.notify(0).take(0);
    },
  },
  'STAT-DEV-002': {
    breach: (s) => {
      deviceReadsHead(s.setUp(), 200);
      s.readStatus(RUNNING);
    },
    clean: (s) => {
      deviceReadsHead(s.setUp(), 200);
      s.readStatus(0x4f);
    },
  },
  'STAT-DEV-003': {
    breach: { msix: true, play: (s) => s.setUp().readStatus(0x4f) },
    clean: { msix: true, play: (s) => s.setUp().interruptConfig().readStatus(0x4f) },
  },
  'RESET-DEV-001': { breach: (s) => s.setUp().status(0).idle().readStatus(RUNNING) },
  'RESET-DEV-002': {
    breach: (s) => {
      s.setUp();
      const { driver } = s.ring(0);
      s.reset().dmaRead(driver, [0, 0]);
    },
  },
  'RESET-DRV-001': { breach: (s) => s.setUp().status(0).status(1) },
  'INIT-DRV-001': { breach: (s) => s.probe().reset().status(3).negotiate().status(RUNNING) },
  'INIT-DRV-003': { breach: (s) => s.probe().reset().status(1).status(3).writeConfig(32, 1, 1) },
  'INIT-DRV-004': { breach: (s) => s.setUp().writeFeatures(0, 0) },
  'INIT-DRV-005': {
    breach: (s) => s.probe().reset().status(1).status(3).status(11).readStatus(3).status(7),
    clean: (s) => s.probe().reset().status(1).status(3).status(11).readStatus(3).status(0x83),
  },
  'INIT-DRV-006': {
    breach: (s) => s.probe().reset().status(1).status(3).status(11).readStatus(3).status(7),
    clean: (s) => s.probe().reset().status(1).status(3).status(11).readStatus(3).status(0x83),
  },
  'INIT-DRV-007': { breach: (s) => s.probe().begin().enableQueue(0).notify(0) },
  'LINIT-DRV-001': {
    breach: { mode: 'legacy', play: (s) => s.probe().reset().status(1).status(3).status(11) },
  },
  'LINIT-DEV-001': {
    breach: {
      mode: 'legacy',
      device: 'net',
      play: (s) => s.probe().reset().status(1).status(3).writeConfig(0, 1, 0x52).readConfig(0, 1, 0),
    },
    clean: {
      mode: 'legacy',
      device: 'net',
      play: (s) => s.probe().reset().status(1).status(3).writeConfig(0, 1, 0x52).readConfig(0, 1, 0x52),
    },
  },
  'LINIT-DEV-002': {
    breach: {
      mode: 'legacy',
      play: (s) => {
        s.probe().begin().enableQueue(0);
        s.publish(0, [HEADER, 1]);
        s.notify(0).idle();
      },
    },
    clean: {
      mode: 'legacy',
      play: (s) => {
        s.probe().begin().enableQueue(0);
        const head = s.publish(0, [HEADER, 1]);
        s.notify(0);
        s.emit('idle', []);
        s.take(0);
        s.use(0, head, [0]).idle();
      },
    },
  },
  'CLEAN-DRV-001': {
    breach: (s) => {
      const head = s.setUp().publish(0, [[1], 1]);
      s.notify(0);
      s.storeDescriptor(0, head, 0x9000, 4, 0, 0);
    },
  },
  'CLEAN-DRV-002': {
    breach: {
      offers: [33],
      play: (s) => {
        s.probe();
        for (let page = 0x10_0000; page < 0x12_0000; page += 4096) s.map(page, page);
        for (let page = 0x100_0000; page < 0x101_0000; page += 4096) s.map(page, page);
        s.setUp().publish(0, [[1], 1]);
        s.unmap(0x100_0000);
      },
    },
  },
  'SUSP-DRV-001': {
    breach: {
      ...SUSPENDABLE,
      play: (s) =>
        s
          .probe()
          .begin()
          .status(ASKING & ~4),
    },
    clean: { ...SUSPENDABLE, play: suspend },
  },
  'SUSP-DRV-002': {
    breach: { ...SUSPENDABLE, play: (s) => s.setUp().status(ASKING).readStatus(ASKING).status(0x0b) },
    clean: { ...SUSPENDABLE, play: suspend },
  },
  'SUSP-DRV-003': {
    breach: { ...SUSPENDABLE, play: (s) => suspend(s).publish(0, [[1]]) },
    clean: { ...SUSPENDABLE, play: suspend },
  },
  'SUSP-DRV-004': {
    breach: { ...SUSPENDABLE, play: (s) => suspend(s).notify(0) },
    clean: { ...SUSPENDABLE, play: suspend },
  },
  'SUSP-DRV-005': {
    breach: { ...SUSPENDABLE, play: (s) => suspend(s).writeConfig(32, 1, 1) },
    clean: { ...SUSPENDABLE, play: suspend },
  },
  'SUSP-DRV-006': {
    breach: { ...SUSPENDABLE, play: (s) => suspend(s).status(0x0b).readStatus(SUSPENDED).notify(0) },
    clean: { ...SUSPENDABLE, play: (s) => resume(s).notify(0) },
  },
  'SUSP-DEV-001': {
    breach: { ...SUSPENDABLE, play: (s) => s.probe().begin().status(SUSPENDED).readStatus(SUSPENDED) },
    clean: { ...SUSPENDABLE, play: (s) => s.probe().begin().status(SUSPENDED).readStatus(0x0b) },
  },
  'SUSP-DEV-002': {
    breach: {
      ...SUSPENDABLE,
      play: (s) => suspend(s.probe()).readConfig(32, 1, 0).writeConfig(32, 1, 1).readConfig(32, 1, 1),
    },
    clean: {
      ...SUSPENDABLE,
      play: (s) => suspend(s.probe()).readConfig(32, 1, 0).writeConfig(32, 1, 1).readConfig(32, 1, 0),
    },
  },
  'SUSP-DEV-003': {
    breach: { ...SUSPENDABLE, play: (s) => suspend(s).dmaRead(s.ring(0).driver, [0, 0]) },
    clean: { ...SUSPENDABLE, play: suspend },
  },
  'SUSP-DEV-004': {
    breach: { ...SUSPENDABLE, play: (s) => suspend(s).interruptConfig() },
    clean: { ...SUSPENDABLE, play: (s) => resume(s).interruptConfig() },
  },
  'SUSP-DEV-005': {
    breach: {
      ...SUSPENDABLE,
      play: (s) => {
        s.setUp().readGeneration(1).status(ASKING).readStatus(SUSPENDED).readGeneration(2);
        s.status(0x0b).readStatus(RUNNING).idle();
      },
    },
    clean: {
      ...SUSPENDABLE,
      play: (s) => {
        s.setUp().readGeneration(1).status(ASKING).readStatus(SUSPENDED).readGeneration(2);
        s.status(0x0b).interruptConfig().readStatus(RUNNING).idle();
      },
    },
  },
  'SUSP-DEV-006': {
    breach: { ...SUSPENDABLE, play: (s) => s.setUp().status(ASKING).idle().readStatus(ASKING) },
    clean: { ...SUSPENDABLE, play: suspend },
  },
  'SUSP-DEV-007': {
    breach: { ...SUSPENDABLE, play: (s) => suspend(s).status(0x0b).idle().readStatus(SUSPENDED) },
    clean: { ...SUSPENDABLE, play: resume },
  },
  'SUSP-DEV-008': {
    breach: {
      ...SUSPENDABLE,
      play: (s) => {
        s.setUp().publish(0, [[1], 1]);
        s.notify(0).take(0);
        s.status(ASKING).readStatus(SUSPENDED);
      },
    },
    clean: { ...SUSPENDABLE, play: (s) => suspend(s.setUp().request(0, [[1], 1], [0])) },
  },
};
