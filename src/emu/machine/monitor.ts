import { TIMEBASE_HZ } from '../core/time.ts';
import type { CharEnd } from '../devices/backends/char-end.ts';
import type { Disk } from '../devices/backends/disk.ts';
import { BalloonDevice, type HintPhase } from '../devices/balloon.ts';
import { BlkDevice } from '../devices/blk.ts';
import { ScsiDevice } from '../devices/scsi.ts';
import { SerialDevice } from '../devices/serial.ts';
import type { VirtioCore } from '../virtio/core.ts';
import type { Verdict } from './config.ts';
import { EPOCH_SECONDS } from './platform-options.ts';
import { intervalError } from './properties.ts';

/** The monitor's number among the host's ends: commands come in there, answers and events go out. */
export const MONITOR_PORT = 0xffff;

/** What the monitor reaches. */
export interface MonitorHost {
  /** Virtual time in ticks. */
  now(): number;
  readonly cores: readonly VirtioCore[];
  /** The device with this id. */
  core(id: string): VirtioCore | undefined;
  charEnd(id: string): CharEnd | undefined;
  disk(id: string): Disk | undefined;
  /** `device_add` of what rides on a bus that a device opened. */
  plug(argument: string): Verdict<unknown>;
  /** A line to whoever listens at MONITOR_PORT. */
  tell(line: string): void;
}

type Arguments = Readonly<Record<string, unknown>>;
type ErrorClass = 'GenericError' | 'CommandNotFound' | 'DeviceNotActive' | 'DeviceNotFound';

/** What a command ends in: a value, or an error in QEMU's words. */
type Reply = { readonly return: unknown } | { readonly error: { readonly class: ErrorClass; desc: string } };

interface Command {
  readonly name: string;
  readonly takes: Readonly<Record<string, 'string' | 'number' | 'boolean' | 'any'>>;
  readonly optional?: readonly string[];
  /** Whether other arguments may stand beside those. */
  readonly open?: boolean;
  readonly run: (host: MonitorHost, args: Arguments) => Reply;
}

const SECTOR_BYTES = 512;
const WIDE = 'a whole number: ';
const WIDE_NUMBER = /"a whole number: (\d+)"/g;
const DONE: Reply = { return: {} };
const HINT_PHASES: readonly HintPhase[] = ['start', 'stop', 'done'];

/** QMP commands that reach devices, and two of our own for what happens at the other end of a chardev or a migration. */
const COMMANDS: readonly Command[] = [
  { name: 'balloon', takes: { value: 'number' }, run: balloon },
  { name: 'query-balloon', takes: {}, run: queryBalloon },
  { name: 'qom-get', takes: { path: 'string', property: 'string' }, run: qomGet },
  { name: 'qom-set', takes: { path: 'string', property: 'string', value: 'any' }, run: qomSet },
  { name: 'device_add', takes: { driver: 'string' }, open: true, run: deviceAdd },
  { name: 'device_del', takes: { id: 'string' }, run: deviceDel },
  { name: 'block_resize', takes: { device: 'string', size: 'number' }, run: blockResize },
  /** Connects to a chardev or leaves it, or says how many bytes are read from it before no more are; -1: all. */
  {
    name: 'x-chardev',
    takes: { id: 'string', connected: 'boolean', room: 'number' },
    optional: ['connected', 'room'],
    run: chardev,
  },
  /** What a migration asks of free page hinting (PRECOPY_NOTIFY_*). */
  { name: 'x-free-page-hint', takes: { phase: 'string' }, run: freePageHint },
];

const BY_NAME: ReadonlyMap<string, Command> = new Map(COMMANDS.map((command) => [command.name, command]));

/** One command as a JSON object, `{"execute": …, "arguments": {…}}`; the answer goes back as one line. */
export function execute(host: MonitorHost, bytes: Uint8Array): void {
  host.tell(line(answer(host, bytes)));
}

/** An event as QMP tells it; QEMU would hold some of them back to one a second of the host's clock. */
export function report(host: MonitorHost, event: string, data: Readonly<Record<string, unknown>>): void {
  const ticks = host.now();
  const timestamp = {
    seconds: EPOCH_SECONDS + Math.floor(ticks / TIMEBASE_HZ),
    microseconds: Math.floor(((ticks % TIMEBASE_HZ) * 1_000_000) / TIMEBASE_HZ),
  };
  host.tell(line({ timestamp, event, data }));
}

/** Whole numbers beyond 2^53 are written out, which JSON allows and JSON.stringify cannot. */
function line(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'bigint' ? `${WIDE}${item}` : item,
  );
  return `${text.replaceAll(WIDE_NUMBER, '$1')}\r\n`;
}

function answer(host: MonitorHost, bytes: Uint8Array): Reply {
  const request = parse(new TextDecoder().decode(bytes));
  if (!isObject(request)) return failed('QMP input must be a JSON object');
  const { execute: name, arguments: given = {} } = request as { execute?: unknown; arguments?: unknown };
  if (typeof name !== 'string') return failed("QMP input lacks member 'execute'");
  const command = BY_NAME.get(name);
  if (command === undefined) return failed(`The command ${name} has not been found`, 'CommandNotFound');
  if (!isObject(given)) return failed("QMP input member 'arguments' must be an object");
  const wrong = checkArguments(command, given);
  return wrong === undefined ? command.run(host, given) : failed(wrong);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Arguments {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkArguments(command: Command, given: Arguments): string | undefined {
  for (const [name, type] of Object.entries(command.takes)) {
    const value = given[name];
    if (value === undefined) {
      if (command.optional?.includes(name) === true) continue;
      return `Parameter '${name}' is missing`;
    }
    const right = type === 'number' ? Number.isInteger(value) : type === 'any' || typeof value === type;
    const expected = type === 'number' ? 'integer' : type;
    if (!right) return `Invalid parameter type for '${name}', expected: ${expected}`;
  }
  if (command.open === true) return undefined;
  const extra = Object.keys(given).find((name) => !Object.hasOwn(command.takes, name));
  return extra === undefined ? undefined : `Parameter '${extra}' is unexpected`;
}

function failed(desc: string, kind: ErrorClass = 'GenericError'): Reply {
  return { error: { class: kind, desc } };
}

// --- Balloon (softmmu/balloon.c) ----------------------------------------------------------------------------------

function theBalloon(host: MonitorHost): BalloonDevice | undefined {
  return host.cores.find((core): core is BalloonDevice => core instanceof BalloonDevice);
}

function balloon(host: MonitorHost, args: Arguments): Reply {
  const device = theBalloon(host);
  if (device === undefined) return failed('No balloon device has been activated', 'DeviceNotActive');
  const target = args['value'] as number;
  if (target <= 0) return failed("Parameter 'target' expects a size");
  device.setTarget(target);
  return DONE;
}

function queryBalloon(host: MonitorHost): Reply {
  const device = theBalloon(host);
  if (device === undefined) return failed('No balloon device has been activated', 'DeviceNotActive');
  return { return: { actual: device.actualBytes } };
}

function freePageHint(host: MonitorHost, args: Arguments): Reply {
  const phase = HINT_PHASES.find((name) => name === args['phase']);
  if (phase === undefined) return failed("Parameter 'phase' expects 'start', 'stop' or 'done'");
  theBalloon(host)?.hint(phase);
  return DONE;
}

// --- Properties that change while the machine runs ---------------------------------------------------------------

/** A device by its path: an id alone, or under /machine/peripheral. */
function byPath(host: MonitorHost, path: string): VirtioCore | undefined {
  return host.core(path.replace(/^\/machine\/peripheral\//, ''));
}

function qomGet(host: MonitorHost, args: Arguments): Reply {
  const { path, property } = args as { path: string; property: string };
  const device = byPath(host, path);
  if (device === undefined) return failed(`Device '${path}' not found`, 'DeviceNotFound');
  if (device instanceof BalloonDevice) {
    if (property === 'guest-stats') return { return: device.statistics };
    if (property === 'guest-stats-polling-interval') return { return: device.pollingInterval };
  }
  return failed(`Property '${device.name}-pci.${property}' not found`);
}

function qomSet(host: MonitorHost, args: Arguments): Reply {
  const { path, property, value } = args as { path: string; property: string; value: unknown };
  const device = byPath(host, path);
  if (device === undefined) return failed(`Device '${path}' not found`, 'DeviceNotFound');
  if (!(device instanceof BalloonDevice) || property !== 'guest-stats-polling-interval') {
    return failed(`Property '${device.name}-pci.${property}' not found`);
  }
  if (!Number.isInteger(value)) return failed(`Invalid parameter type for '${property}', expected: integer`);
  const wrong = intervalError(BigInt(value as number));
  if (wrong !== undefined) return failed(wrong);
  device.setPollingInterval(value as number);
  return DONE;
}

// --- Hot plug (softmmu/qdev-monitor.c) ---------------------------------------------------------------------------

function deviceAdd(host: MonitorHost, args: Arguments): Reply {
  const { driver, ...rest } = args as { driver: string };
  const options = Object.entries(rest).map(([name, value]) => `,${name}=${doubled(value)}`);
  const made = host.plug(driver + options.join(''));
  return made.accepted ? DONE : failed(made.reason);
}

/** A comma inside a value is written twice. */
function doubled(value: unknown): string {
  const text = typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
  return text.replaceAll(',', ',,');
}

function deviceDel(host: MonitorHost, args: Arguments): Reply {
  const id = args['id'] as string;
  for (const core of host.cores) {
    const gone =
      (core instanceof SerialDevice && core.unplugPort(id)) ||
      (core instanceof ScsiDevice && core.remove(id));
    if (!gone) continue;
    report(host, 'DEVICE_DELETED', { device: id, path: `/machine/peripheral/${id}` });
    return DONE;
  }
  if (host.core(id) === undefined) return failed(`Device '${id}' not found`, 'DeviceNotFound');
  return failed(
    `Device '${id}' is a PCI function, which stays: only what sits on a serial or SCSI bus can be taken away`,
  );
}

// --- Disks (blockdev.c) -------------------------------------------------------------------------------------------

function blockResize(host: MonitorHost, args: Arguments): Reply {
  const { device, size } = args as { device: string; size: number };
  const disk = host.disk(device);
  if (disk === undefined) return failed(`Cannot find device='${device}' nor node-name=''`);
  if (size < 0) return failed("Parameter 'size' expects a >0 size");
  if (size % SECTOR_BYTES !== 0 || !disk.resize(size / SECTOR_BYTES)) {
    return failed(
      `Disk '${device}' takes whole sectors up to the ${disk.memory.size} bytes that it was made with`,
    );
  }
  for (const core of host.cores) {
    if (core instanceof BlkDevice || core instanceof ScsiDevice) core.resized(disk);
  }
  return DONE;
}

// --- The other end of a chardev ----------------------------------------------------------------------------------

function chardev(host: MonitorHost, args: Arguments): Reply {
  const { id, connected, room } = args as { id: string; connected?: boolean; room?: number };
  const end = host.charEnd(id);
  if (end === undefined) return failed(`Chardev '${id}' not found`, 'DeviceNotFound');
  if (connected === true) end.connect();
  if (connected === false) end.disconnect();
  if (room !== undefined) end.setRoom(room < 0 ? Infinity : room);
  return DONE;
}
