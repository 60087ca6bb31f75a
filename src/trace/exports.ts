import type { MachineEvent } from '../emu/core/tap.ts';
import { CONSOLE_PORT } from '../emu/machine/host-ends.ts';
import { KVMPPC_H_RTAS } from '../emu/papr/abi.ts';
import type { RecordingHeader } from './format.ts';
import { deviceName, LastWriters } from './last-writers.ts';
import { hcallName, rtasName, statusName } from './names.ts';
import type { EventText } from './report-text.ts';
import { layRtasBuffer, RTAS_HEADER_BYTES, rtasAddress, rtasBufferBytes } from './rtas-buffer.ts';

/** Turns events into another program's format, piece by piece. */
export interface Exporter {
  begin(): string | Uint8Array;
  /** What one event becomes; empty if the format has nothing for it. */
  event(event: MachineEvent, number: number): string | Uint8Array;
  end(): string | Uint8Array;
}

export type ExportFormat = 'json' | 'perfetto' | 'qtest' | 'pcapng';

const MAKERS: Readonly<Record<ExportFormat, (header: RecordingHeader, text: EventText) => Exporter>> = {
  json: (header) => new JsonExporter(header),
  perfetto: (header, text) => new PerfettoExporter(header, text),
  qtest: (header, text) => new QtestExporter(header, text),
  pcapng: (header) => new PcapngExporter(header),
};

export function makeExporter(format: ExportFormat, header: RecordingHeader, text: EventText): Exporter {
  return MAKERS[format](header, text);
}

/** Nanoseconds of virtual time: the timebase counts 512 MHz. */
function nanoseconds(at: number): bigint {
  return (BigInt(at) * 1000n) / 512n;
}

function bytesOf(event: MachineEvent): Uint8Array {
  return event.bytes.subarray(event.byteOffset, event.byteOffset + event.byteLength);
}

/** The header as JSON can hold it: no bigints, bytes in hexadecimal. */
export function headerJson(header: RecordingHeader): Record<string, unknown> {
  const { origin, kinds: _kinds, ...rest } = header;
  if (origin === undefined) return { ...rest, origin: null };
  return { ...rest, origin: { ...origin, program: Buffer.from(origin.program).toString('hex') } };
}

/** An event as JSON can hold it: 64-bit values as hexadecimal texts. */
export function eventJson(
  header: RecordingHeader,
  event: MachineEvent,
  number: number,
): Record<string, unknown> {
  const kind = header.kinds[event.kind];
  const fields: Record<string, string> = {};
  for (const [index, field] of (kind?.fields ?? []).entries())
    fields[field] = `0x${(event.fields[index] ?? 0n).toString(16)}`;
  const json: Record<string, unknown> = { event: number, at: event.at, kind: kind?.name, ...fields };
  if (kind?.carriesBytes === true) json['bytes'] = Buffer.from(bytesOf(event)).toString('hex');
  return json;
}

/** One document: the header, and every event. */
class JsonExporter implements Exporter {
  readonly #header: RecordingHeader;
  #any = false;

  constructor(header: RecordingHeader) {
    this.#header = header;
  }

  begin(): string {
    return `{"header":${JSON.stringify(headerJson(this.#header))},\n"events":[`;
  }

  event(event: MachineEvent, number: number): string {
    const comma = this.#any ? ',' : '';
    this.#any = true;
    return `${comma}\n${JSON.stringify(eventJson(this.#header, event, number))}`;
  }

  end(): string {
    return '\n]}\n';
  }
}

/** Tracks of the Chrome trace format, which Perfetto opens. */
const TRACKS: Readonly<Record<string, readonly [track: number, name: string]>> = {
  hcall: [1, 'guest'],
  'hcall-return': [1, 'guest'],
  'mmio-read': [1, 'guest'],
  'mmio-write': [1, 'guest'],
  'pio-read': [1, 'guest'],
  'pio-write': [1, 'guest'],
  'read-value': [1, 'guest'],
  rtas: [2, 'hypervisor'],
  'rtas-return': [2, 'hypervisor'],
  'hypervisor-read': [2, 'hypervisor'],
  'hypervisor-write': [2, 'hypervisor'],
  interrupt: [3, 'interrupts'],
  'cpu-interrupt': [3, 'interrupts'],
};
const OTHER_TRACK: readonly [number, string] = [4, 'host'];
const DEVICE_TRACKS = 0x10000;

class PerfettoExporter implements Exporter {
  readonly #header: RecordingHeader;
  readonly #text: EventText;
  readonly #named = new Set<number>();
  #any = false;

  constructor(header: RecordingHeader, text: EventText) {
    this.#header = header;
    this.#text = text;
  }

  begin(): string {
    return '{"displayTimeUnit":"ns","traceEvents":[';
  }

  event(event: MachineEvent, number: number): string {
    const kind = this.#header.kinds[event.kind];
    const name = kind?.name ?? '';
    const [track, trackName] = this.#track(event, kind?.fields[0] === 'device', name);
    let out = '';
    if (!this.#named.has(track)) {
      this.#named.add(track);
      out += this.#row({ ph: 'M', name: 'thread_name', pid: 1, tid: track, args: { name: trackName } });
    }
    const ts = event.at / 512;
    const line = this.#text.line(event, number);
    if (name === 'hcall')
      return (
        out +
        this.#row({ ph: 'B', name: hcallName(event.fields[0] ?? 0n), pid: 1, tid: track, ts, args: { line } })
      );
    if (name === 'hcall-return')
      return (
        out +
        this.#row({
          ph: 'E',
          pid: 1,
          tid: track,
          ts,
          args: { status: statusName(event.fields[0] ?? 0n), line },
        })
      );
    return out + this.#row({ ph: 'i', s: 't', name, pid: 1, tid: track, ts, args: { line } });
  }

  end(): string {
    return '\n]}\n';
  }

  #track(event: MachineEvent, ofDevice: boolean, name: string): readonly [number, string] {
    if (!ofDevice) return TRACKS[name] ?? OTHER_TRACK;
    const device = Number(event.fields[0] ?? 0n);
    return [DEVICE_TRACKS + device, `device ${deviceName(device)}`];
  }

  #row(row: Record<string, unknown>): string {
    const comma = this.#any ? ',' : '';
    this.#any = true;
    return `${comma}\n${JSON.stringify(row)}`;
  }
}

const QTEST_WIDTHS: Readonly<Record<number, string>> = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' };

/**
 * The script that makes QEMU's qtest server do the same: accesses, RTAS calls, time, and before them the memory that
 * was read in their course. qtest has no command for other hypercalls; they stand as comments, which a sender drops.
 */
class QtestExporter implements Exporter {
  readonly #header: RecordingHeader;
  readonly #text: EventText;
  readonly #memory: LastWriters;
  /** The command that waits for the memory that it reads. */
  #pending: string[] = [];
  #argumentsAt = 0;

  constructor(header: RecordingHeader, text: EventText) {
    this.#header = header;
    this.#text = text;
    this.#memory = new LastWriters(header.kinds);
  }

  begin(): string {
    const { machine, ramBytes, cpus, devices } = this.#header.config;
    const words = devices.map((device) => ` -device ${device}`).join('');
    return `# -machine ${machine} -m ${ramBytes / 2 ** 20} -smp ${cpus}${words}\n`;
  }

  event(event: MachineEvent, number: number): string {
    this.#memory.seeMappings(event);
    const kind = this.#header.kinds[event.kind];
    const line = this.#text.line(event, number);
    if (kind?.direction === 'input') {
      const out = this.#flush();
      const command = this.#command(kind.name, event, line);
      if (command !== undefined) this.#pending.push(command);
      return out;
    }
    if (kind?.name === 'dma-read')
      this.#lay(this.#memory.translate(event.fields[1] ?? 0n) ?? event.fields[1] ?? 0n, event);
    if (kind?.name === 'hypervisor-read') this.#lay(event.fields[0] ?? 0n, event);
    if (kind?.name === 'rtas') {
      this.#layArguments(event);
      this.#pending.push(this.#rtas(event));
    }
    return '';
  }

  end(): string {
    return this.#flush();
  }

  #flush(): string {
    const lines = this.#pending;
    this.#pending = [];
    return lines.map((line) => `${line}\n`).join('');
  }

  /** In front of the pending command. Reads of one place: the first is what the guest had stored. */
  #lay(address: bigint, event: MachineEvent): void {
    const line = `write 0x${address.toString(16)} 0x${event.byteLength.toString(16)} 0x${Buffer.from(bytesOf(event)).toString('hex')}`;
    const at = this.#pending.findIndex((pending) => pending.startsWith(`write 0x${address.toString(16)} `));
    if (event.byteLength > 0 && at < 0) this.#pending.splice(Math.max(0, this.#pending.length - 1), 0, line);
  }

  /** qtest's command names call and counts itself, and takes the arguments from memory. */
  #layArguments(event: MachineEvent): void {
    const bytes = new Uint8Array(rtasBufferBytes(event));
    layRtasBuffer(event, bytes, 0);
    const args = Buffer.from(bytes.buffer, RTAS_HEADER_BYTES);
    if (args.length > 0)
      this.#pending.push(
        `write 0x${this.#argumentsAt.toString(16)} 0x${args.length.toString(16)} 0x${args.toString('hex')}`,
      );
  }

  #command(name: string, event: MachineEvent, line: string): string | undefined {
    const [address = 0n, width = 0n, bigEndian = 0n, value = 0n] = event.fields;
    const letter = QTEST_WIDTHS[Number(width)] ?? 'l';
    const where = `0x${address.toString(16)}`;
    switch (name) {
      case 'mmio-read':
        return `read${letter} ${where}`;
      case 'mmio-write':
        return `write${letter} ${where} ${targetOrder(value, Number(width), bigEndian !== 0n)}`;
      case 'pio-read':
        return `in${letter} ${where}`;
      case 'pio-write':
        return `out${letter} ${where} ${targetOrder(value, Number(width), bigEndian === 0n)}`;
      case 'advance':
        return `clock_step ${(address * 1000n) / 512n}`;
      case 'idle':
        return 'clock_step';
      case 'machine-reset':
        return 'system_reset';
      case 'hcall':
        if (address === BigInt(KVMPPC_H_RTAS)) {
          this.#argumentsAt = rtasAddress(event) + RTAS_HEADER_BYTES;
          return undefined;
        }
        return `# ${line}`;
      default:
        return `# ${line}`;
    }
  }

  #rtas(event: MachineEvent): string {
    const [token = 0n, nargs = 0n, nret = 0n] = event.fields;
    const args = this.#argumentsAt;
    const rets = args + 4 * Number(nargs);
    return `rtas ${rtasName(token)} ${nargs} 0x${args.toString(16)} ${nret} 0x${rets.toString(16)}`;
  }
}

/** qtest stores in the target's byte order, which is big-endian here; a port's value is PCI's, little-endian. */
function targetOrder(value: bigint, width: number, asIs: boolean): string {
  if (asIs) return `0x${value.toString(16)}`;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return `0x${BigInt(`0x${bytes.subarray(0, width).toString('hex') || '0'}`).toString(16)}`;
}

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const ENHANCED_PACKET = 6;
const LINKTYPE_ETHERNET = 1;
const OPTION_TSRESOL = 9;
const OPTION_FLAGS = 2;
const INBOUND = 1;
const OUTBOUND = 2;

/** Network frames between host and guest, one interface for each of the machine's host ends. Times in nanoseconds. */
class PcapngExporter implements Exporter {
  readonly #header: RecordingHeader;
  /** Interface number by port. */
  readonly #interfaces = new Map<number, number>();

  constructor(header: RecordingHeader) {
    this.#header = header;
  }

  begin(): Uint8Array {
    const body = Buffer.alloc(16);
    body.writeUInt32LE(0x1a2b3c4d, 0);
    body.writeUInt16LE(1, 4);
    body.fill(0xff, 8);
    return block(SECTION_HEADER, body);
  }

  event(event: MachineEvent): Uint8Array {
    const name = this.#header.kinds[event.kind]?.name;
    const port = Number(event.fields[0] ?? 0n);
    if ((name !== 'host-input' && name !== 'host-output') || !isNetworkEnd(this.#header, port))
      return new Uint8Array(0);
    const parts: Uint8Array[] = [];
    let number = this.#interfaces.get(port);
    if (number === undefined) {
      number = this.#interfaces.size;
      this.#interfaces.set(port, number);
      parts.push(interfaceBlock());
    }
    parts.push(packetBlock(number, event, name === 'host-input' ? INBOUND : OUTBOUND));
    return Buffer.concat(parts);
  }

  end(): Uint8Array {
    return new Uint8Array(0);
  }
}

/** Whether a host end carries frames: behind the console come the network ends, and nothing else (host-ends.ts). */
function isNetworkEnd(header: RecordingHeader, port: number): boolean {
  const ends = header.config.backends.filter(({ kind }) => kind === 'net' || kind === 'chardev');
  return ends[port - CONSOLE_PORT - 1]?.kind === 'net';
}

function interfaceBlock(): Uint8Array {
  const body = Buffer.alloc(20);
  body.writeUInt16LE(LINKTYPE_ETHERNET, 0);
  body.writeUInt16LE(OPTION_TSRESOL, 8);
  body.writeUInt16LE(1, 10);
  body.writeUInt8(9, 12);
  return block(INTERFACE, body);
}

function packetBlock(number: number, event: MachineEvent, direction: number): Uint8Array {
  const bytes = bytesOf(event);
  const padded = (bytes.length + 3) & ~3;
  const body = Buffer.alloc(20 + padded + 12);
  const time = nanoseconds(event.at);
  body.writeUInt32LE(number, 0);
  body.writeUInt32LE(Number(time >> 32n), 4);
  body.writeUInt32LE(Number(time & 0xffffffffn), 8);
  body.writeUInt32LE(bytes.length, 12);
  body.writeUInt32LE(bytes.length, 16);
  body.set(bytes, 20);
  body.writeUInt16LE(OPTION_FLAGS, 20 + padded);
  body.writeUInt16LE(4, 22 + padded);
  body.writeUInt32LE(direction, 24 + padded);
  return block(ENHANCED_PACKET, body);
}

function block(type: number, body: Uint8Array): Uint8Array {
  const out = Buffer.alloc(12 + body.length);
  out.writeUInt32LE(type, 0);
  out.writeUInt32LE(out.length, 4);
  out.set(body, 8);
  out.writeUInt32LE(out.length, 8 + body.length);
  return out;
}
