import type { PortSettings } from '../devices/serial-port.ts';
import type { Verdict } from './config.ts';
import { inDictionaryOrder, parseOptions, type GlobalOption } from './options.ts';
import { parseProperty, property, PropertyValues, type BackendLookup } from './properties.ts';

export const SERIAL_BUS = 'virtio-serial-bus';

/** A serial bus as a port finds it: its name, and what rides on it already. */
interface SerialBus {
  readonly name: string;
  readonly maxPorts: number;
  readonly ports: readonly PortSettings[];
}

/** One that a device opened, and that ports are put on. */
export interface OpenSerialBus extends SerialBus {
  readonly ports: PortSettings[];
}

export interface PortRequest {
  /** Every serial bus of the machine, in the order of their devices. */
  readonly buses: readonly SerialBus[];
  readonly globals: readonly GlobalOption[];
  readonly backends: BackendLookup;
  /** Whether a device has the id already. */
  readonly taken: (id: string) => boolean;
}

/** Where a port goes: `bus` is an index into the buses that were asked about. */
export interface RealizedPort {
  readonly bus: number;
  readonly settings: PortSettings;
}

/** What rides on a serial bus (hw/char/virtio-console.c). */
const PORT_TYPES: ReadonlyMap<string, { readonly isConsole: boolean; readonly types: readonly string[] }> =
  new Map([
    ['virtserialport', { isConsole: false, types: ['virtserialport', 'virtio-serial-port'] }],
    ['virtconsole', { isConsole: true, types: ['virtconsole', 'virtserialport', 'virtio-serial-port'] }],
  ]);

const ANY_NUMBER = 0xffffffff;
const PROPERTIES = new Map(
  [
    property('nr', 'uint32', ANY_NUMBER, 'device'),
    property('name', 'string', undefined, 'device'),
    property('chardev', 'chardev', undefined, 'device'),
  ].map((row) => [row.name, row]),
);
const NOT_PROPERTIES: ReadonlySet<string> = new Set(['bus', 'id']);
const PCI_BUSES: ReadonlySet<string> = new Set(['pci.0', 'pci']);

/** Whether a `-device` argument names something that rides on a serial bus. */
export function isSerialPort(argument: string): boolean {
  return PORT_TYPES.has(parseOptions(argument).head);
}

/** What QEMU does for `-device virtserialport,…` (hw/char/virtio-serial-bus.c, virtser_port_device_realize). */
export function realizePort(argument: string, request: PortRequest): Verdict<RealizedPort> {
  const { head, options } = parseOptions(argument);
  const type = PORT_TYPES.get(head);
  if (type === undefined) return refused(`'${head}' is not a valid device model name`);
  const given = new Map(options);
  const bus = findBus(head, given.get('bus'), request.buses);
  if (typeof bus === 'string') return refused(bus);
  const id = given.get('id');
  if (id !== undefined && request.taken(id)) return refused(`Duplicate device ID '${id}'`);
  const values = new PropertyValues([...PROPERTIES.values()].map((row) => [row.name, row.value]));
  const failure = setAll(values, head, type.types, given, request);
  if (failure !== undefined) return refused(failure);
  return place(bus, type.isConsole, values, id, request.buses);
}

/** The newest bus where none is named: QEMU looks through the devices of a bus from the last to the first. */
function findBus(head: string, name: string | undefined, buses: readonly SerialBus[]): number | string {
  if (name === undefined) {
    return buses.length > 0 ? buses.length - 1 : `No '${SERIAL_BUS}' bus found for device '${head}'`;
  }
  if (PCI_BUSES.has(name)) return `Device '${head}' can't go on PCI bus`;
  const found = buses.findLastIndex((bus) => bus.name === name);
  return found >= 0 ? found : `Bus '${name}' not found`;
}

function setAll(
  values: PropertyValues,
  head: string,
  types: readonly string[],
  given: ReadonlyMap<string, string>,
  request: PortRequest,
): string | undefined {
  for (const { type, property: name, value } of request.globals) {
    if (!types.includes(type)) continue;
    const failure = set(values, head, name, value, request.backends);
    if (failure !== undefined) return `can't apply global ${type}.${name}=${value}: ${failure}`;
  }
  const names = inDictionaryOrder([...given.keys()].filter((name) => !NOT_PROPERTIES.has(name)));
  for (const name of names) {
    const failure = set(values, head, name, given.get(name) ?? '', request.backends);
    if (failure !== undefined) return failure;
  }
  const chardev = values.get('chardev');
  if (chardev === undefined || !request.buses.some((bus) => bus.ports.some((row) => row.chardev === chardev)))
    return undefined;
  return `Property '${head}.chardev' can't take value '${String(chardev)}': Device '${String(chardev)}' is in use`;
}

function set(
  values: PropertyValues,
  head: string,
  name: string,
  text: string,
  backends: BackendLookup,
): string | undefined {
  const definition = PROPERTIES.get(name);
  if (definition === undefined) return `Property '${head}.${name}' not found`;
  const parsed = parseProperty(definition, text, head, backends);
  if (!parsed.accepted) return parsed.reason;
  values.set(name, parsed.value);
  return undefined;
}

function place(
  index: number,
  isConsole: boolean,
  values: PropertyValues,
  deviceId: string | undefined,
  buses: readonly SerialBus[],
): Verdict<RealizedPort> {
  const bus = buses[index] as SerialBus;
  const name = values.get('name');
  let nr = values.number('nr');
  if (nr !== ANY_NUMBER && has(bus, nr))
    return refused(`virtio-serial-bus: A port already exists at id ${nr}`);
  if (typeof name === 'string' && buses.some((other) => other.ports.some((port) => port.name === name))) {
    return refused(`virtio-serial-bus: A port already exists by name ${name}`);
  }
  if (nr === ANY_NUMBER) {
    // The first console goes to 0, where drivers without MULTIPORT look for it; nothing else ever does.
    nr = isConsole && !has(bus, 0) ? 0 : firstFree(bus);
    if (nr === ANY_NUMBER) return refused('virtio-serial-bus: Maximum port limit for this device reached');
  }
  if (nr >= bus.maxPorts) {
    return refused(`virtio-serial-bus: Out-of-range port id specified, max. allowed: ${bus.maxPorts - 1}`);
  }
  if (nr === 0 && !isConsole) {
    return refused(
      'Port number 0 on virtio-serial devices reserved for virtconsole devices for backward compatibility.',
    );
  }
  const chardev = values.text('chardev');
  const settings: PortSettings = {
    nr,
    isConsole,
    name: typeof name === 'string' ? name : undefined,
    deviceId,
    chardev: chardev === '' ? undefined : chardev,
  };
  return { accepted: true, value: { bus: index, settings }, warnings: [] };
}

function has(bus: SerialBus, nr: number): boolean {
  return bus.ports.some((port) => port.nr === nr);
}

/** The map of ports is whole words: numbers up to the next multiple of 32 are found free, and refused later. */
function firstFree(bus: SerialBus): number {
  const end = Math.ceil(bus.maxPorts / 32) * 32;
  for (let nr = 1; nr < end; nr++) if (!has(bus, nr)) return nr;
  return ANY_NUMBER;
}

function refused(reason: string): { readonly accepted: false; readonly reason: string } {
  return { accepted: false, reason };
}
