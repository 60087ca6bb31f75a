/** What a host does to consoles and balloons while their driver lives: QMP, by the number of a step's argument. */

interface Order {
  readonly name: string;
  /** The command; `value` is the step's own. */
  readonly text: (value: number) => string;
}

const qmp = (execute: string, args: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ execute, arguments: args });

/** In the order of their numbers in stored cases: rows are only added at the end. */
export const HOST_ORDERS: readonly Order[] = [
  { name: 'console-off', text: () => qmp('x-chardev', { id: 'c0', connected: false }) },
  { name: 'console-on', text: () => qmp('x-chardev', { id: 'c0', connected: true }) },
  { name: 'port-off', text: () => qmp('x-chardev', { id: 'c1', connected: false }) },
  { name: 'port-on', text: () => qmp('x-chardev', { id: 'c1', connected: true }) },
  { name: 'port-room', text: (value) => qmp('x-chardev', { id: 'c1', room: value % 4096 }) },
  { name: 'port-free', text: () => qmp('x-chardev', { id: 'c1', room: -1 }) },
  { name: 'plug', text: (value) => qmp('device_add', { driver: 'virtserialport', id: `p${value % 4}` }) },
  { name: 'unplug', text: (value) => qmp('device_del', { id: `p${value % 4}` }) },
  { name: 'balloon', text: (value) => qmp('balloon', { value: value * 4096 }) },
  { name: 'hint-start', text: () => qmp('x-free-page-hint', { phase: 'start' }) },
  { name: 'hint-stop', text: () => qmp('x-free-page-hint', { phase: 'stop' }) },
  { name: 'hint-done', text: () => qmp('x-free-page-hint', { phase: 'done' }) },
  {
    name: 'poll',
    text: (value) =>
      qmp('qom-set', { path: 'b0', property: 'guest-stats-polling-interval', value: value % 100 }),
  },
  { name: 'rubbish', text: (value) => `{"execute":${value}` },
];

const CONTROL_BYTES = 8;
const PFN_BYTES = 4;
const STAT_BYTES = 10;

/** A console's control message (5.3.6.2), cut to `length` bytes or followed by zeros. */
export function controlMessage(
  little: boolean,
  id: number,
  event: number,
  value: number,
  length: number,
): Uint8Array {
  const bytes = new Uint8Array(Math.max(length, CONTROL_BYTES));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, id, little);
  view.setUint16(4, event, little);
  view.setUint16(6, value, little);
  return bytes.subarray(0, length);
}

/** Page numbers from `first` on (5.5.6), with `odd` bytes behind them that are no number. */
export function pageList(
  little: boolean,
  first: number,
  stride: number,
  count: number,
  odd: number,
): Uint8Array {
  const bytes = new Uint8Array(PFN_BYTES * count + odd);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) view.setUint32(PFN_BYTES * i, (first + i * stride) >>> 0, little);
  return bytes;
}

/** Statistics (5.5.6.3) of tags from `tag` on. */
export function statistics(little: boolean, tag: number, count: number, odd: number): Uint8Array {
  const bytes = new Uint8Array(STAT_BYTES * count + odd);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) view.setUint16(STAT_BYTES * i, (tag + i) & 0xffff, little);
  return bytes;
}

export function commandId(little: boolean, id: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, id, little);
  return bytes;
}
