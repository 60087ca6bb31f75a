import type { Chain } from '../chain.ts';
import type { ClauseChecker, ClauseTable, Judgement } from '../clause.ts';
import type { Hooks } from '../hooks.ts';
import type { ObservedQueue } from '../observed-queue.ts';
import type { VirtioFunction } from '../virtio-function.ts';

const F_MULTIPORT = 1;
const F_EMERG_WRITE = 2;
const ANY_LAYOUT = 27;
const MAX_NR_PORTS = 4;
const EMERG_WR = 8;
const CONTROL_IN = 2;
const CONTROL_OUT = 3;
const FIRST_PORT_QUEUE = 4;
const CONTROL_BYTES = 8;
const DEVICE_READY = 0;
const DEVICE_ADD = 1;
const DEVICE_REMOVE = 2;
const CONSOLE_PORT = 4;
const PORT_OPEN = 6;
const EVENT_MAX = 7;
/** Where commands to the machine come in: what they do to the console's host is not the device's. */
const MONITOR_PORT = 0xffff;
/** Waits until nothing is due that a driver has to answer in. */
const PATIENCE = 2;

/** A chain is offered: as the driver wrote it where its stores are seen, as the device read it elsewhere. */
function whenOffered(see: (queue: ObservedQueue, chain: Chain) => void): Hooks {
  return {
    onAvailable: see,
    onTaken(queue, chain) {
      if (!queue.driverSeen) see(queue, chain);
    },
  };
}

function has(chain: Chain, writable: boolean): boolean {
  for (let at = 0; at < chain.count; at++) if (chain.writable(at) === writable) return true;
  return false;
}

/** A control message of the device that arrived whole. */
function whenTold(
  device: VirtioFunction,
  see: (event: number, id: number, value: number) => void,
): NonNullable<Hooks['onUsed']> {
  return (queue, chain) => {
    if (queue.index !== CONTROL_IN || chain.responseEnd < CONTROL_BYTES) return;
    if (queue.broken !== '' || device.misused !== '') return;
    const { little } = device;
    see(chain.response16(4, little), chain.response32(0, little), chain.response16(6, little));
  };
}

/** A control message of the driver, once the device has taken it whole. */
function whenAsked(
  device: VirtioFunction,
  see: (event: number, id: number, value: number) => void,
): NonNullable<Hooks['onUsed']> {
  return (queue, chain) => {
    if (queue.index !== CONTROL_OUT || chain.requestKnown < CONTROL_BYTES) return;
    const { little } = device;
    see(chain.request16(4, little), chain.request32(0, little), chain.request16(6, little));
  };
}

/** Bytes of max_nr_ports as read last, and whether all of them were. */
interface Ports {
  readonly bytes: number;
  readonly known: number;
}

function notePorts(
  ports: { -readonly [K in keyof Ports]: Ports[K] },
  offset: number,
  width: number,
  value: number,
): void {
  for (let i = 0; i < width; i++) {
    const at = offset + i - MAX_NR_PORTS;
    if (at < 0 || at > 3) continue;
    const byte = Math.floor(value / 2 ** (8 * i)) & 0xff;
    ports.bytes = ((ports.bytes & ~(0xff << (8 * at))) | (byte << (8 * at))) >>> 0;
    ports.known |= 1 << at;
  }
}

function reversed(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/** Ports that the device has announced: judged against each further announcement. */
function portNames(
  clause: Judgement,
  device: VirtioFunction,
  judged: typeof DEVICE_ADD | typeof DEVICE_REMOVE,
): Hooks {
  const added = new Set<number>();
  const ports = clause.state({ bytes: 0, known: 0 });
  const clear = (): void => added.clear();
  return {
    onBegin: clear,
    onReset: clear,
    onDeviceConfigRead(offset, width, value) {
      notePorts(ports, offset, width, value);
    },
    onUsed: whenTold(device, (event, id) => {
      if (event === DEVICE_ADD) {
        if (judged === DEVICE_ADD) {
          const most = device.little ? ports.bytes : reversed(ports.bytes);
          clause.holds(
            !added.has(id) && (ports.known !== 15 || id < most),
            'DEVICE_ADD names a port that was added before, or one beyond max_nr_ports',
          );
        }
        added.add(id);
      } else if (event === DEVICE_REMOVE) {
        if (judged === DEVICE_REMOVE)
          clause.holds(added.has(id), 'DEVICE_REMOVE names a port that was never added');
        added.delete(id);
      }
    }),
  };
}

/**
 * A write to emerg_wr and whether the host saw it. That somebody listens is known once anything of this stream reached a
 * host end while the device served a port, and not after the operator did something to it.
 */
function lastWords(clause: Judgement, device: VirtioFunction, unconfigured: boolean): Hooks {
  const state = clause.state({ heard: false, serving: false, owed: -1, since: 0 });
  return {
    onTaken(queue) {
      if (queue.index % 2 === 1 && queue.index !== CONTROL_OUT) state.serving = true;
    },
    onAction() {
      if (state.owed >= 0) clause.breaks('a byte written to emerg_wr reaches nobody', state.since);
      state.owed = -1;
      state.serving = false;
    },
    onHostInput(port) {
      if (port === MONITOR_PORT) state.heard = false;
    },
    onHostOutput(port, bytes, from, length) {
      if (port === MONITOR_PORT) return;
      if (state.serving) state.heard = true;
      if (state.owed >= 0 && length > 0 && bytes[from + length - 1] === state.owed) state.owed = -1;
    },
    onDeviceConfigWrite(offset, width, value) {
      if (offset !== EMERG_WR || !state.heard || !device.offers(F_EMERG_WRITE)) return;
      if (unconfigured === device.running || value === 0) return;
      clause.applies();
      state.owed = value & 0xff;
      state.since = clause.event;
      void width;
    },
  };
}

/** What CONSOLE_PORT asks for. */
function answersConsolePort(clause: Judgement, device: VirtioFunction, judgesValue: boolean): Hooks {
  const owed = new Map<number, number>();
  const state = clause.state({ waits: 0 });
  const clear = (): void => {
    owed.clear();
    state.waits = 0;
  };
  const told = whenTold(device, (event, id) => {
    if (event !== CONSOLE_PORT || owed.has(id)) return;
    owed.set(id, clause.event);
    state.waits = 0;
  });
  const asked = whenAsked(device, (event, id, value) => {
    const since = owed.get(id);
    if (event !== PORT_OPEN || since === undefined) return;
    owed.delete(id);
    if (judgesValue)
      clause.holds(value === 1, 'CONSOLE_PORT is answered with PORT_OPEN of another value than 1', since);
    else clause.applies();
  });
  return {
    onBegin: clear,
    onReset: clear,
    onUsed(queue, chain) {
      told(queue, chain);
      asked(queue, chain);
    },
    onIdle() {
      if (owed.size === 0 || ++state.waits <= PATIENCE) return;
      if (!judgesValue)
        for (const since of owed.values())
          clause.breaks('CONSOLE_PORT is not answered with PORT_OPEN', since);
      clear();
    },
  };
}

const FRAMING: readonly ClauseChecker[] = [
  {
    id: 'CON-DRV-001',
    judge: 'driver',
    watch: (clause) =>
      whenOffered((queue, chain) => {
        if (queue.index % 2 === 1) return;
        clause.holds(!has(chain, false), 'a buffer in a receive queue has a part for the device to read');
      }),
  },
  {
    id: 'CON-DRV-002',
    judge: 'driver',
    watch: (clause) =>
      whenOffered((queue, chain) => {
        if (queue.index % 2 === 0) return;
        clause.holds(!has(chain, true), 'a buffer in a transmit queue has a part for the device to write');
      }),
  },
  {
    id: 'CONL-DRV-002',
    judge: 'driver',
    watch: (clause, device) =>
      whenOffered((queue, chain) => {
        if (!device.legacy || device.has(ANY_LAYOUT)) return;
        if (queue.index !== CONTROL_IN && queue.index !== CONTROL_OUT) return;
        clause.holds(chain.count === 1, 'a control buffer of a legacy driver has more than one descriptor');
      }),
  },
];

/** Console device (5.3). */
export const CONSOLE_CLAUSES: ClauseTable = {
  name: 'console',
  type: 3,
  checkers: [
    ...FRAMING,
    { id: 'CON-DEV-002', judge: 'device', watch: (clause, device) => lastWords(clause, device, true) },
    { id: 'CON-DEV-003', judge: 'device', watch: (clause, device) => lastWords(clause, device, false) },
    { id: 'CON-DEV-005', judge: 'device', watch: (clause, device) => portNames(clause, device, DEVICE_ADD) },
    {
      id: 'CON-DEV-006',
      judge: 'device',
      watch: (clause, device) => portNames(clause, device, DEVICE_REMOVE),
    },
    {
      id: 'CON-DRV-003',
      judge: 'driver',
      watch: (clause, device) => {
        const state = clause.state({ ready: false });
        const clear = (): void => {
          state.ready = false;
        };
        return {
          onReset: clear,
          ...whenOffered((queue) => {
            if (queue.index < FIRST_PORT_QUEUE || state.ready || !device.has(F_MULTIPORT)) return;
            // Buffers may wait in the queues of ports that are not there yet; sending to one says that it is.
            if (queue.index % 2 === 1)
              clause.breaks('a driver with MULTIPORT uses a port before it sends DEVICE_READY');
          }),
          onUsed: whenAsked(device, (event) => {
            if (state.ready || !device.has(F_MULTIPORT)) return;
            state.ready = event === DEVICE_READY;
            clause.holds(state.ready, 'the first message of a driver with MULTIPORT is not DEVICE_READY');
          }),
        };
      },
    },
    {
      id: 'CON-DRV-005',
      judge: 'driver',
      watch: (clause, device) => answersConsolePort(clause, device, false),
    },
    {
      id: 'CON-DRV-006',
      judge: 'driver',
      watch: (clause, device) => answersConsolePort(clause, device, true),
    },
    {
      id: 'CONL-BOTH-001',
      judge: 'device',
      watch: (clause, device) => {
        const ports = clause.state({ bytes: 0, known: 0 });
        return {
          onDeviceConfigRead(offset, width, value) {
            if (!device.legacy) return;
            notePorts(ports, offset, width, value);
            if (ports.known !== 15 || ports.bytes === 0) return;
            const guest = device.ringLittle ? ports.bytes : reversed(ports.bytes);
            // There are never more ports than fit into 16 bits, so the other order cannot be meant.
            clause.holds(guest < 0x1_0000, 'max_nr_ports is not in the byte order of a legacy guest');
          },
        };
      },
    },
    {
      id: 'CONL-BOTH-002',
      judge: 'device',
      watch: (clause, device) => ({
        onUsed(queue, chain) {
          if (!device.legacy || queue.index !== CONTROL_IN || chain.responseEnd < CONTROL_BYTES) return;
          const event = chain.response16(4, device.ringLittle);
          clause.holds(event <= EVENT_MAX, 'a control message is not in the byte order of a legacy guest');
        },
      }),
    },
  ],
  undecided: [
    {
      id: 'CON-DRV-004',
      why: 'whether a guest offers a text console crosses no seam of the machine; the PORT_OPEN that goes with it is CON-DRV-005',
    },
    {
      id: 'CONL-DRV-001',
      why: 'a driver that ignores a length and one that reads it do the same as long as the device tells the truth',
    },
  ],
};
