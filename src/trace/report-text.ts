import { MachineEvent } from '../emu/core/tap.ts';
import { DeviceView } from './device-view.ts';
import type { EventCopy } from './divergence.ts';
import type { RecordedKind } from './event-context.ts';
import type { RecordingHeader } from './format.ts';
import { deviceName } from './last-writers.ts';
import {
  hcallArguments,
  hcallName,
  rtasName,
  statusName,
  ucallArguments,
  ucallName,
  ucallStatusName,
} from './names.ts';
import { pageStateText, reflectText, vmStateText } from './secure-text.ts';

const BYTES_SHOWN = 24;
const REGISTER_NAMES = ['r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12'];

/**
 * One line an event, in the words of the specifications. Lines are asked for in order, because what an address means
 * depends on what came before: events that are not shown are still to be handed to `see`.
 */
export class EventText {
  readonly #kinds: readonly RecordedKind[];
  readonly #view: DeviceView;
  readonly #call = new BigUint64Array(10);
  readonly #scratch: MachineEvent = new MachineEvent();

  constructor(header: Pick<RecordingHeader, 'kinds'>) {
    this.#kinds = header.kinds;
    this.#view = new DeviceView(header.kinds);
  }

  /** What is known of the devices by now. */
  get devices(): DeviceView {
    return this.#view;
  }

  see(event: MachineEvent): void {
    this.#view.see(event);
    if (this.#kinds[event.kind]?.name === 'hcall') this.#call.set(event.fields.subarray(0, 10));
  }

  /** The event's line; it is also seen. */
  line(event: MachineEvent, number: number): string {
    this.see(event);
    const kind = this.#kinds[event.kind];
    const name = kind?.name ?? `kind-${event.kind}`;
    const arrow = kind?.direction === 'input' ? '>' : ' ';
    return `${number} @${event.at} ${arrow} ${name}${this.#tail(name, event, kind?.fields ?? [])}`;
  }

  /** As `line`, for an event that was kept and did not happen in this recording. */
  copyLine(copy: EventCopy, number: number): string {
    const event = this.#scratch;
    event.kind = this.#kinds.findIndex((kind) => kind.name === copy.kind.name);
    event.at = copy.at;
    event.fields.set(copy.fields);
    event.carry(copy.bytes, 0, copy.bytes.length);
    const arrow = copy.kind.direction === 'input' ? '>' : ' ';
    return `${number} @${copy.at} ${arrow} ${copy.kind.name}${this.#tail(copy.kind.name, event, copy.kind.fields)}`;
  }

  #tail(name: string, event: MachineEvent, fields: readonly string[]): string {
    const values = event.fields;
    switch (name) {
      case 'hcall':
        return ` ${hcallName(values[0] ?? 0n)}${callArguments(values)}`;
      case 'hcall-return':
        return ` ${statusName(values[0] ?? 0n)}${this.#changedRegisters(values)}`;
      case 'rtas':
        return ` ${rtasName(values[0] ?? 0n)}(${rtasWords(values, 3, Number(values[1] ?? 0n), 8)})`;
      case 'rtas-return':
        return ` ${rtasWords(values, 1, Number(values[0] ?? 0n), 8)}`;
      case 'mmio-read':
      case 'mmio-write':
      case 'pio-read':
      case 'pio-write':
        return this.#access(name, values);
      case 'dma-read':
      case 'dma-write':
        return this.#dma(event);
      case 'dma-fault':
        return ` ${deviceName(Number(values[0] ?? 0n))} ${hex(values[1])} ${values[2] ?? 0} bytes, ${values[3] === 0n ? 'read' : 'write'} dropped`;
      case 'discard':
        return ` ${deviceName(Number(values[0] ?? 0n))} ${hex(values[1])} ${values[2] ?? 0} bytes given up`;
      case 'ucall':
      case 'hypervisor-ucall':
        return ` ${ucallName(values[0] ?? 0n)}${named(ucallArguments(values[0] ?? 0n), values)}`;
      case 'ucall-return':
        return ` ${ucallStatusName(values[0] ?? 0n)}${named(REGISTER_NAMES.slice(0, 2), values)}`;
      case 'hypervisor-ucall-return':
        return ` ${ucallStatusName(values[0] ?? 0n)}`;
      case 'uv-hcall':
        return ` ${hcallName(values[0] ?? 0n)}${callArguments(values)}`;
      case 'uv-hcall-return':
        return ` ${statusName(values[0] ?? 0n)}`;
      case 'reflect':
        return reflectText(event);
      case 'page-state':
        return pageStateText(event);
      case 'vm-state':
        return vmStateText(event);
      case 'interrupt':
        return ` source ${hex(values[0])} ${['lowered', 'raised', 'message'][Number(values[1] ?? 0n)] ?? hex(values[1])}`;
      default:
        return plainFields(event, fields);
    }
  }

  /** Registers that came back otherwise than they went in. */
  #changedRegisters(values: BigUint64Array): string {
    let text = '';
    for (let i = 1; i < 10; i++)
      if (values[i] !== this.#call[i]) text += ` ${REGISTER_NAMES[i - 1] ?? ''}=${hex(values[i])}`;
    return text;
  }

  #access(name: string, values: BigUint64Array): string {
    const [address = 0n, width = 0n, bigEndian = 0n, value = 0n] = values;
    const meaning = this.#view.register(address, name.startsWith('pio'));
    const order = bigEndian === 0n ? '' : ' big-endian';
    const written = name.endsWith('write') ? ` = ${hex(value)}` : '';
    const what = meaning === undefined ? '' : ` | ${meaning.text}`;
    return ` ${hex(address)}/${width}${order}${written}${what}`;
  }

  #dma(event: MachineEvent): string {
    const [device = 0n, address = 0n] = event.fields;
    const meaning = this.#view.area(Number(device), address);
    const bytes = event.bytes.subarray(event.byteOffset, event.byteOffset + event.byteLength);
    const isDescriptor = meaning?.text.includes('descriptor') === true && bytes.length === 16;
    const what = meaning === undefined ? '' : ` | ${meaning.text}`;
    const bigEndian =
      meaning?.queue !== undefined && this.#view.queue(meaning.device, meaning.queue)?.bigEndian === true;
    return ` ${deviceName(Number(device))} ${hex(address)}${what} | ${isDescriptor ? descriptorText(bytes, bigEndian) : bytesText(bytes)}`;
  }
}

/** A descriptor in the ring notation: `w512@0x3000 >2` is 512 bytes for the device to write, chained to descriptor 2. */
export function descriptorText(bytes: Uint8Array, bigEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint16(12, !bigEndian);
  const direction = (flags & 2) === 0 ? 'r' : 'w';
  const indirect = (flags & 4) === 0 ? '' : ' indirect';
  const next = (flags & 1) === 0 ? '' : ` >${view.getUint16(14, !bigEndian)}`;
  return `${direction}${view.getUint32(8, !bigEndian)}@${hex(view.getBigUint64(0, !bigEndian))}${indirect}${next}`;
}

/** Bytes in hexadecimal, long ones cut, repeating ones said. */
function bytesText(bytes: Uint8Array): string {
  if (bytes.length > 2 && bytes.every((byte) => byte === bytes[0]))
    return `${bytes.length} bytes of ${(bytes[0] ?? 0).toString(16).padStart(2, '0')}`;
  const shown = Buffer.from(bytes.subarray(0, BYTES_SHOWN)).toString('hex');
  return bytes.length > BYTES_SHOWN ? `${shown}… (${bytes.length} bytes)` : shown;
}

function callArguments(values: BigUint64Array): string {
  const names = hcallArguments(values[0] ?? 0n) ?? ['r4', 'r5', 'r6', 'r7'];
  return names.map((name, index) => ` ${name}=${hex(values[index + 1])}`).join('');
}

function named(names: readonly string[], values: BigUint64Array): string {
  return names.map((name, index) => ` ${name}=${hex(values[index + 1])}`).join('');
}

function rtasWords(values: BigUint64Array, from: number, count: number, most: number): string {
  return Array.from(values.subarray(from, from + Math.min(count, most)), hex).join(', ');
}

function plainFields(event: MachineEvent, fields: readonly string[]): string {
  const text = fields.map((field, index) => ` ${field}=${hex(event.fields[index])}`).join('');
  if (event.byteLength === 0) return text;
  return `${text} | ${bytesText(event.bytes.subarray(event.byteOffset, event.byteOffset + event.byteLength))}`;
}

function hex(value: bigint | undefined): string {
  return value === undefined ? '-' : `0x${value.toString(16)}`;
}
