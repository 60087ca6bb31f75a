import type { ClauseProofs } from '../_laws.ts';
import type { Stream } from '../_stream.ts';

const NOTIFICATION_DATA = 38;
const NOTIF_CONFIG_DATA = 39;
const RING_RESET = 40;
const ADMIN_VQ = 41;
const PACKED = 34;
/** Where the stream's function has its capabilities: common, ISR, device, notify, window, MSI-X. */
const COMMON = 0x94;
const ISR = 0x84;
const DEVICE = 0x74;
const NOTIFY = 0x60;
const WINDOW = 0x4c;
const MSIX = 0x40;
/** Room for one more, in front of the list. */
const EXTRA = 0xb0;

const MSI = { msix: true } as const;
const LEGACY = { mode: 'legacy' } as const;
const TRANSITIONAL = { mode: 'transitional' } as const;
const WITH_DATA = { offers: [NOTIFICATION_DATA] } as const;
const RESETS = { offers: [RING_RESET] } as const;
const ADMIN = { offers: [ADMIN_VQ] } as const;

/** The function is other than it should be in these bytes; its driver probes it and comes up. */
function altered(offset: number, ...bytes: readonly number[]) {
  return (s: Stream): void => {
    s.setConfigByte(offset, ...bytes);
    s.setUp();
  };
}

/** One capability more, first in the list: cfg_type, bar, offset, length, and what else it has. */
function withCapability(
  s: Stream,
  kind: number,
  length = 16,
  fields: readonly number[] = [4, 0, 0, 0],
): Stream {
  s.setConfigByte(0x34, EXTRA);
  s.setConfigByte(EXTRA, 9, COMMON, length, kind, ...fields);
  return s;
}

/** Read by a driver, who then does not want it. */
function leaves(s: Stream): void {
  s.probe();
}

/** The driver points the window somewhere. */
function pointWindow(s: Stream, bar: number, offset: number, length: number): Stream {
  s.configWrite(WINDOW + 4, 1, bar);
  s.configWrite(WINDOW + 8, 4, offset);
  s.configWrite(WINDOW + 12, 4, length);
  return s;
}

/** A queue reset as it should be, up to where queue_reset reads `value`. */
function resetQueue(s: Stream, value: number): Stream {
  s.setUp().write('common', 0x16, 2, 0);
  s.write('common', 0x3a, 2, 1);
  s.read('common', 0x3a, 2, value);
  return s;
}

/** A vector register is written, and shows `value`. */
function vector(s: Stream, written: number, value: number): void {
  s.probe().begin().write('common', 0x10, 2, written);
  s.read('common', 0x10, 2, value);
}

function usedWithoutVector(s: Stream): Stream {
  s.setUp();
  s.write('common', 0x16, 2, 0);
  s.write('common', 0x1a, 2, 0xffff);
  s.read('common', 0x1a, 2, 0xffff);
  const head = s.publish(0, [[1], 1]);
  s.notify(0).take(0);
  return s.use(0, head, [0]);
}

const OLD_REVISION = altered(8, 9);
/** A common configuration that is said to be shorter than its fields. */
const SHORT_COMMON = [COMMON + 12, 0x20, 0, 0, 0] as const;

export const PCI_PROOFS: ClauseProofs = {
  'PCI-DEV-003': { breach: (s) => s.probe().configRead(0, 4, 0x1042_1af5) },
  'PCI-DEV-004': { breach: altered(2, 0x06, 0x10) },
  'PCI-DEV-006': { breach: altered(2, 0x01, 0x10) },
  'PCI-DEV-007': { breach: altered(8, 0), clean: (s) => s.setUp() },
  'PCI-DEV-008': { breach: altered(0x2e, 2, 0), clean: (s) => s.setUp() },
  'PCI-DRV-001': { breach: leaves },
  'PCI-DRV-002': { breach: { ...TRANSITIONAL, play: leaves } },
  'PCI-DRV-003': {
    breach: (s) => {
      s.setConfigByte(8, 9);
      s.probe();
    },
    clean: OLD_REVISION,
  },
  'PCI-DRV-005': {
    breach: (s) => s.setUp().write('common', 0x16, 4, 0),
  },
  'PCI-DEV-009': {
    breach: (s) => {
      s.probe().begin().write('common', 0x16, 2, 0);
      s.read('common', 0x18, 2, 8);
      s.write('common', 0x20, 4, 0x1000);
      s.read('common', 0x20, 4, 0);
    },
    clean: (s) => {
      s.probe().begin().write('common', 0x16, 2, 0);
      s.read('common', 0x18, 2, 8);
      s.write('common', 0x24, 4, 0x1000);
      s.read('common', 0x24, 4, 0x1000);
    },
  },
  'PCI-DEV-011': {
    // The same type again, behind the one in use, with no length.
    breach: (s) =>
      withCapability(s, 1, 16, [4, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0])
        .setConfigByte(COMMON + 12, 0, 0, 0, 0)
        .setUp(),
    clean: (s) => withCapability(s, 1, 16, [4, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0]).setUp(),
  },
  'PCI-DRV-008': {
    breach: (s) => {
      withCapability(s, 7, 16, [4, 0, 0, 0, 0, 0x38, 0, 0, 0, 8, 0, 0]).setConfigByte(
        NOTIFY + 12,
        0,
        4,
        0,
        0,
      );
      s.setUp();
      s.read('notify', 0x800, 4, 0);
    },
    clean: (s) =>
      withCapability(s, 7, 16, [4, 0, 0, 0, 0, 0x38, 0, 0, 0, 8, 0, 0])
        .setConfigByte(NOTIFY + 12, 0, 4, 0, 0)
        .setUp(),
  },
  'PCI-DRV-009': {
    breach: (s) => withCapability(s, 1, 16, [4, 0, 0, 0, 0, 0x38, 0, 0, 0, 8, 0, 0]).setUp(),
    clean: (s) => withCapability(s, 1, 16, [4, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0]).setUp(),
  },
  'PCI-DRV-010': {
    breach: (s) => {
      s.setConfigByte(COMMON + 2, 20);
      s.probe();
    },
    clean: altered(COMMON + 2, 20),
  },
  'PCI-DRV-011': {
    breach: (s) => leaves(withCapability(s, 1, 16, [6, 0, 0, 0])),
    clean: (s) => withCapability(s, 1, 16, [6, 0, 0, 0]).setUp(),
  },
  'PCI-DRV-012': { breach: (s) => s.setUp().read('common', 0x80, 4, 0) },
  'PCI-DRV-013': {
    breach: (s) => {
      s.setConfigByte(NOTIFY + 12, 0xff, 0xff, 0xff, 0xff);
      s.probe();
    },
    clean: altered(NOTIFY + 12, 0xff, 0xff, 0xff, 0xff),
  },
  'PCI-DRV-014': {
    breach: (s) => {
      s.setConfigByte(...SHORT_COMMON);
      s.setUp();
    },
    clean: (s) => s.setUp(),
  },
  'PCI-DRV-015': { breach: (s) => s.setUp().configWrite(COMMON + 12, 4, 0) },
  'PCI-DEV-013': { breach: altered(NOTIFY + 2, 16) },
  'PCI-DEV-015': {
    breach: (s) => withCapability(s, 1, 16, [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).setUp(),
    clean: (s) => withCapability(s, 1, 16, [4, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0]).setUp(),
  },
  'PCI-DEV-016': {
    breach: (s) => {
      s.setConfigByte(COMMON + 8, 2);
      // device_status is two bytes further on.
      s.probe().write('common', 0x16, 1, 0);
    },
  },
  'PCI-DEV-017': {
    breach: { ...TRANSITIONAL, play: (s) => s.setConfigByte(0x34, ISR).probe().write('legacy', 18, 1, 0) },
  },
  'PCI-DEV-018': {
    breach: (s) => {
      s.probe().begin().write('common', 0, 4, 7);
      s.read('common', 4, 4, 1);
    },
    clean: (s) => {
      s.probe().begin().write('common', 0, 4, 7);
      s.read('common', 4, 4, 0);
    },
  },
  'PCI-DEV-019': {
    breach: (s) => s.probe().begin().read('common', 12, 4, 0),
    clean: (s) => s.probe().begin().read('common', 12, 4, 1),
  },
  'PCI-DEV-021': {
    breach: (s) => s.setUp().readGeneration(3).readConfig(0, 4, 8).readConfig(0, 4, 9).readGeneration(3),
    clean: (s) => s.setUp().readGeneration(3).readConfig(0, 4, 8).readConfig(0, 4, 9).readGeneration(4),
  },
  'PCI-DEV-022': { breach: (s) => s.setUp().status(0).idle().readStatus(1) },
  'PCI-DEV-023': {
    breach: (s) => {
      s.probe().begin().write('common', 0x16, 2, 0);
      s.read('common', 0x1c, 2, 1);
    },
    clean: (s) => {
      s.probe().begin().write('common', 0x16, 2, 0);
      s.read('common', 0x1c, 2, 0);
    },
  },
  'PCI-DEV-024': {
    breach: { ...RESETS, play: (s) => s.probe().begin().read('common', 0x3a, 2, 1) },
    clean: { ...RESETS, play: (s) => s.probe().begin().read('common', 0x3a, 2, 0) },
  },
  'PCI-DEV-025': {
    breach: { ...RESETS, play: (s) => s.setUp().read('common', 0x3a, 2, 1) },
    clean: { ...RESETS, play: (s) => s.setUp().read('common', 0x3a, 2, 0) },
  },
  'PCI-DEV-026': {
    breach: {
      ...RESETS,
      play: (s) => {
        resetQueue(s, 0).idle();
        s.dmaRead(s.ring(0).driver + 2, [0, 0]);
      },
    },
    clean: { ...RESETS, play: (s) => resetQueue(s, 0).idle() },
  },
  'PCI-DEV-027': {
    breach: {
      ...RESETS,
      play: (s) => {
        resetQueue(s, 0);
        s.dmaRead(s.ring(0).driver + 2, [0, 0]);
      },
    },
    clean: { ...RESETS, play: (s) => resetQueue(s, 1).read('common', 0x3a, 2, 0) },
  },
  'PCI-DEV-028': {
    breach: { ...RESETS, play: (s) => resetQueue(s, 0).read('common', 0x1c, 2, 1) },
    clean: { ...RESETS, play: (s) => resetQueue(s, 0).read('common', 0x1c, 2, 0) },
  },
  'PCI-DEV-029': {
    breach: (s) => {
      s.probe().begin().read('common', 0x12, 2, 1);
      s.write('common', 0x16, 2, 5);
      s.read('common', 0x18, 2, 128);
    },
    clean: (s) => {
      s.probe().begin().read('common', 0x12, 2, 1);
      s.write('common', 0x16, 2, 5);
      s.read('common', 0x18, 2, 0);
    },
  },
  'PCI-DEV-030': { breach: (s) => s.probe().begin().read('common', 0x18, 2, 100) },
  'PCI-DEV-031': {
    breach: {
      ...ADMIN,
      play: (s) => {
        s.probe().begin().read('common', 0x12, 2, 4);
        s.read('common', 0x3c, 2, 3);
      },
    },
    clean: {
      ...ADMIN,
      play: (s) => {
        s.probe().begin().read('common', 0x12, 2, 4);
        s.read('common', 0x3c, 2, 4);
      },
    },
  },
  'PCI-DEV-032': {
    breach: {
      ...ADMIN,
      play: (s) => {
        s.probe().begin().read('common', 0x3c, 2, 0xffff);
        s.read('common', 0x3e, 2, 2);
      },
    },
    clean: {
      ...ADMIN,
      play: (s) => {
        s.probe().begin().read('common', 0x3c, 2, 0xffff);
        s.read('common', 0x3e, 2, 1);
      },
    },
  },
  'PCI-DRV-016': { breach: (s) => s.setUp().write('common', 0x15, 1, 0) },
  'PCI-DRV-017': {
    breach: { offers: [PACKED], play: (s) => s.probe().begin().write('common', 0x18, 2, 0) },
    clean: { offers: [PACKED], size: 5, play: (s) => s.setUp() },
  },
  'PCI-DRV-018': {
    breach: (s) => s.probe().begin().write('common', 0x18, 2, 3),
    clean: (s) => s.setUp(),
  },
  'PCI-DRV-019': { breach: (s) => s.setUp().write('common', 0x20, 4, 0) },
  'PCI-DRV-020': { breach: (s) => s.setUp().status(0).status(1) },
  'PCI-DRV-021': { breach: (s) => s.setUp().write('common', 0x1c, 2, 0) },
  'PCI-DRV-022': {
    breach: { ...RESETS, play: (s) => resetQueue(s, 1).write('common', 0x18, 2, 8) },
    clean: { ...RESETS, play: (s) => resetQueue(s, 0).write('common', 0x18, 2, 8) },
  },
  'PCI-DRV-025': {
    breach: {
      ...ADMIN,
      play: (s) => {
        s.probe().begin().read('common', 0x12, 2, 1);
        s.read('common', 0x3c, 2, 4);
        s.read('common', 0x3e, 2, 1);
        s.enableQueue(3);
      },
    },
    clean: {
      ...ADMIN,
      play: (s) => {
        s.probe().begin().read('common', 0x12, 2, 1);
        s.read('common', 0x3c, 2, 4);
        s.read('common', 0x3e, 2, 1);
        s.enableQueue(4);
      },
    },
  },
  'PCI-DEV-033': { breach: altered(DEVICE + 1, WINDOW) },
  'PCI-DEV-034': { breach: altered(NOTIFY + 8, 1) },
  'PCI-DEV-035': { breach: altered(NOTIFY + 16, 3) },
  'PCI-DEV-036': { breach: altered(NOTIFY + 12, 1, 0, 0, 0), clean: (s) => s.setUp() },
  'PCI-DEV-037': { breach: { queues: 2, play: altered(NOTIFY + 12, 4, 0, 0, 0) }, clean: (s) => s.setUp() },
  'PCI-DEV-038': { breach: { queues: 2, play: altered(NOTIFY + 12, 4, 0, 0, 0) }, clean: (s) => s.setUp() },
  'PCI-DEV-039': {
    breach: { ...WITH_DATA, play: altered(NOTIFY + 16, 2) },
    clean: { ...WITH_DATA, play: (s) => s.setUp() },
  },
  'PCI-DEV-040': {
    breach: { ...WITH_DATA, play: altered(NOTIFY + 8, 2) },
    clean: { ...WITH_DATA, play: (s) => s.setUp() },
  },
  'PCI-DEV-041': {
    breach: { ...WITH_DATA, play: altered(NOTIFY + 12, 2, 0, 0, 0) },
    clean: { ...WITH_DATA, play: (s) => s.setUp() },
  },
  'PCI-DEV-042': {
    breach: { ...WITH_DATA, queues: 2, play: altered(NOTIFY + 12, 6, 0, 0, 0) },
    clean: { ...WITH_DATA, play: (s) => s.setUp() },
  },
  'PCI-DEV-043': {
    breach: { ...WITH_DATA, queues: 2, play: altered(NOTIFY + 12, 6, 0, 0, 0) },
    clean: { ...WITH_DATA, play: (s) => s.setUp() },
  },
  'PCI-DEV-044': { breach: altered(COMMON + 1, DEVICE) },
  'PCI-DEV-045': {
    breach: { ...MSI, play: (s) => s.setUp().interruptConfig().readIsr(0) },
    clean: { ...MSI, play: (s) => s.setUp().interruptConfig().readIsr(2) },
  },
  'PCI-DEV-046': {
    breach: (s) => {
      s.setUp().line(1);
      s.readIsr(0);
    },
  },
  'PCI-DEV-047': {
    breach: (s) => {
      s.setUp().line(1);
      s.configRead(6, 2, 0x10);
    },
    clean: (s) => {
      s.setUp().line(1);
      s.configRead(6, 2, 0x18);
    },
  },
  'PCI-DEV-048': {
    breach: (s) => {
      s.setUp().readIsr(1);
      s.readIsr(1);
    },
    clean: (s) => {
      s.setUp().readIsr(1);
      s.readIsr(0);
    },
  },
  'PCI-DRV-027': { breach: { ...MSI, play: (s) => s.setUp().interruptQueue(0).readIsr(0) } },
  'PCI-DEV-049': { breach: altered(ISR + 1, NOTIFY) },
  'PCI-DEV-050': { breach: altered(DEVICE + 8, 2) },
  'PCI-DEV-051': {
    breach: (s) => withCapability(s, 8, 24, [6, 1, 0, 0]).setUp(),
    clean: (s) => withCapability(s, 8, 24, [4, 1, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0]).setUp(),
  },
  'PCI-DEV-052': {
    breach: (s) => {
      withCapability(s, 8, 24, [4, 1, 0, 0]).setConfigByte(EXTRA + 1, 0xd0);
      s.setConfigByte(0xd0, 9, COMMON, 24, 8, 4, 1);
      s.setUp();
    },
    clean: (s) => {
      withCapability(s, 8, 24, [4, 1, 0, 0]).setConfigByte(EXTRA + 1, 0xd0);
      s.setConfigByte(0xd0, 9, COMMON, 24, 8, 4, 2);
      s.setUp();
    },
  },
  'PCI-DEV-053': {
    breach: (s) =>
      withCapability(s, 9, 12, [0x14, 0x10, 1, 2])
        .probe()
        .configRead(EXTRA + 4, 4, 0),
    clean: (s) =>
      withCapability(s, 9, 12, [0x14, 0x10, 1, 2])
        .probe()
        .configRead(EXTRA + 4, 4),
  },
  'PCI-DEV-056': {
    breach: (s) => withCapability(s, 9, 12, [0xf4, 0x1a, 0, 0]).setUp(),
    clean: (s) => withCapability(s, 9, 12, [0x14, 0x10, 0, 0]).setUp(),
  },
  'PCI-DEV-057': {
    breach: (s) => withCapability(s, 9, 10, [0x14, 0x10, 0, 0]).setUp(),
    clean: (s) => withCapability(s, 9, 12, [0x14, 0x10, 0, 0]).setUp(),
  },
  'PCI-DEV-058': {
    breach: (s) =>
      withCapability(s, 9, 12, [0x14, 0x10, 1, 2])
        .probe()
        .configRead(EXTRA + 4, 4, 0),
    clean: (s) =>
      withCapability(s, 9, 12, [0x14, 0x10, 1, 2])
        .probe()
        .configRead(EXTRA + 4, 4),
  },
  'PCI-DEV-059': { breach: altered(NOTIFY + 1, MSIX) },
  'PCI-DEV-060': {
    breach: (s) => {
      pointWindow(s.probe().begin(), 4, 0x16, 2).configWrite(WINDOW + 16, 2, 3);
      s.read('common', 0x16, 2, 0);
    },
    clean: (s) => {
      pointWindow(s.probe().begin(), 4, 0x16, 2).configWrite(WINDOW + 16, 2, 3);
      s.read('common', 0x16, 2, 3);
    },
  },
  'PCI-DEV-061': {
    breach: (s) => {
      s.probe().begin().read('common', 0x12, 2, 4);
      pointWindow(s, 4, 0x12, 2).configRead(WINDOW + 16, 2, 0);
    },
    clean: (s) => {
      s.probe().begin().read('common', 0x12, 2, 4);
      pointWindow(s, 4, 0x12, 2).configRead(WINDOW + 16, 2, 4);
    },
  },
  'PCI-DRV-030': {
    breach: (s) => pointWindow(s.probe().begin(), 4, 2, 4).configRead(WINDOW + 16, 4, 0),
    clean: (s) => pointWindow(s.probe().begin(), 4, 4, 4).configRead(WINDOW + 16, 4, 0),
  },
  'PCI-DRV-031': {
    breach: (s) => pointWindow(s.probe().begin(), 4, 3, 2).configRead(WINDOW + 16, 2, 0),
    clean: (s) => pointWindow(s.probe().begin(), 4, 4, 4).configRead(WINDOW + 16, 4, 0),
  },
  'PCI-DRV-032': {
    breach: (s) => pointWindow(s.probe().begin(), 4, 0x9000, 4).configRead(WINDOW + 16, 4, 0),
    clean: (s) => pointWindow(s.probe().begin(), 4, 4, 4).configRead(WINDOW + 16, 4, 0),
  },
  'PCIL-DEV-001': { breach: { ...TRANSITIONAL, play: altered(8, 1) } },
  'PCIL-DEV-002': { breach: { ...TRANSITIONAL, play: altered(0x2e, 9) } },
  'PCIL-DEV-003': { breach: { ...TRANSITIONAL, play: altered(2, 0x42, 0x10) } },
  'PCIL-DEV-004': { breach: { ...TRANSITIONAL, play: altered(0x10, 0, 0) } },
  'PCIL-DEV-009': { breach: { ...TRANSITIONAL, play: altered(0x10, 0, 0) } },
  'PCIL-DRV-001': { breach: { ...TRANSITIONAL, accepts: [], play: (s) => s.setUp() } },
  'PCIL-DRV-004': {
    breach: {
      ...TRANSITIONAL,
      play: (s) => {
        s.configRead(0, 4);
        s.configRead(0x10, 4);
        s.write('legacy', 18, 1, 0);
        s.setUp();
      },
    },
  },
  'PCIL-DRV-005': {
    breach: { ...LEGACY, play: (s) => s.setUp().reset().status(1).status(3).status(11).status(15) },
  },
  'PCIL-DRV-006': {
    breach: (s) => {
      s.configRead(0, 4);
      s.configRead(0x20, 4);
      s.configRead(0x24, 4);
      s.write('common', 0x14, 1, 0);
    },
  },
  'PCIL-DRV-007': {
    breach: (s) => {
      s.setConfigByte(0x34, MSIX);
      s.probe();
      s.write('common', 0x14, 1, 0);
    },
    clean: (s) => {
      s.setConfigByte(0x34, MSIX);
      s.probe();
    },
  },
  'PCIL-DEV-005': {
    breach: { ...LEGACY, play: (s) => s.setUp().readConfig(0, 4, 0x0403_0201).readConfig(1, 1, 9) },
    clean: { ...LEGACY, play: (s) => s.setUp().readConfig(0, 4, 0x0403_0201).readConfig(1, 1, 2) },
  },
  'PCIL-DRV-003': {
    breach: { ...LEGACY, ...MSI, play: (s) => s.setUp().read('legacy', 20, 4, 0) },
    clean: { ...LEGACY, ...MSI, play: (s) => s.setUp().readConfig(0, 4, 0) },
  },
  'PCIL-DEV-006': {
    breach: {
      ...LEGACY,
      play: (s) => {
        s.setUp()
          .readConfig(0, 1, 7)
          .configWrite(MSIX + 2, 2, 0x8007);
        s.read('legacy', 24, 1, 0);
      },
    },
    clean: {
      ...LEGACY,
      play: (s) => {
        s.setUp()
          .readConfig(0, 1, 7)
          .configWrite(MSIX + 2, 2, 0x8007);
        s.read('legacy', 24, 1, 7);
      },
    },
  },
  'PCIL-DEV-007': {
    breach: {
      ...LEGACY,
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
  'MSIX-DEV-001': { breach: altered(MSIX + 2, 0, 0) },
  'MSIX-DEV-002': {
    breach: {
      ...MSI,
      play: (s) => {
        s.setConfigByte(MSIX + 2, 1, 0x80);
        s.setUp().message(5);
      },
    },
  },
  'MSIX-DEV-004': { breach: { ...MSI, play: (s) => vector(s, 3, 0xffff) } },
  'MSIX-DEV-005': {
    breach: { ...MSI, play: (s) => vector(s, 0xffff, 0) },
    clean: { ...MSI, play: (s) => vector(s, 0xffff, 0xffff) },
  },
  'MSIX-DEV-006': { breach: { ...MSI, play: (s) => vector(s, 3, 8) } },
  'MSIX-DEV-007': {
    breach: { ...MSI, play: (s) => s.probe().begin().read('common', 0x10, 2, 0) },
    clean: { ...MSI, play: (s) => s.probe().begin().read('common', 0x10, 2, 0xffff) },
  },
  'MSIX-DEV-009': {
    breach: { ...MSI, play: (s) => vector(s, 9, 9) },
    clean: { ...MSI, play: (s) => vector(s, 9, 0xffff) },
  },
  'MSIX-DRV-001': {
    breach: (s) => {
      s.setConfigByte(MSIX + 2, 0xff, 7);
      s.probe();
    },
    clean: altered(MSIX + 2, 0xff, 7),
  },
  'MSIX-DRV-004': { breach: { ...MSI, play: (s) => vector(s, 9, 0xffff) } },
  'MSIX-DRV-005': {
    breach: {
      ...MSI,
      play: (s) => {
        s.probe().begin().enableQueue(0);
        s.write('common', 0x1a, 2, 2);
        s.status(15);
      },
    },
  },
  'NTFY-DRV-001': { breach: (s) => s.setUp().notify(0, 0, 4) },
  'NTFY-DRV-002': {
    breach: { ...WITH_DATA, play: (s) => s.setUp().notify(0, 0, 2) },
    clean: { ...WITH_DATA, play: (s) => s.setUp().notify(0, 0, 4) },
  },
  'NTFY-DRV-003': { breach: (s) => s.setUp().notify(0, 7) },
  'NTFY-DRV-004': {
    breach: { ...WITH_DATA, play: (s) => s.setUp().notify(0, 0x0001_0007, 4) },
    clean: { ...WITH_DATA, play: (s) => s.setUp().notify(0, 0x0001_0000, 4) },
  },
  'NTFY-DRV-005': {
    breach: {
      offers: [NOTIF_CONFIG_DATA],
      play: (s) => {
        s.setUp().read('common', 0x38, 2, 0x55);
        s.notify(0, 0);
      },
    },
    clean: {
      offers: [NOTIF_CONFIG_DATA],
      play: (s) => {
        s.setUp().read('common', 0x38, 2, 0x55);
        s.notify(0, 0x55);
      },
    },
  },
  'NTFY-DRV-006': {
    breach: {
      offers: [NOTIFICATION_DATA, NOTIF_CONFIG_DATA],
      play: (s) => {
        s.setUp().read('common', 0x38, 2, 0x55);
        s.notify(0, 0x0001_0000, 4);
      },
    },
    clean: {
      offers: [NOTIFICATION_DATA, NOTIF_CONFIG_DATA],
      play: (s) => {
        s.setUp().read('common', 0x38, 2, 0x55);
        s.notify(0, 0x0001_0055, 4);
      },
    },
  },
  'NTFY-DEV-001': {
    breach: { ...MSI, play: (s) => usedWithoutVector(s).message(1) },
    clean: { ...MSI, play: usedWithoutVector },
  },
  'NTFY-DEV-003': {
    breach: {
      ...MSI,
      play: (s) => {
        s.setUp().write('common', 0x10, 2, 0xffff);
        s.message(0);
      },
    },
    clean: {
      ...MSI,
      play: (s) => {
        s.setUp().write('common', 0x10, 2, 0xffff);
        s.readGeneration(1);
      },
    },
  },
};
