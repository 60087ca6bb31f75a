import type { MachineEvent } from '../emu/core/tap.ts';
import type { DeviceView, Meaning } from './device-view.ts';
import type { RecordedKind } from './event-context.ts';
import { deviceName, LastWriters } from './last-writers.ts';
import { PageFollower } from './page-follower.ts';
import { RequestFollower } from './request-follower.ts';

/** Which events to show; what is left out asks for nothing. */
export interface FilterOptions {
  readonly kind?: readonly string[];
  /** `00:01.0`, or the requester id as a number. */
  readonly device?: string;
  readonly queue?: number;
  /** RAM, I/O bus, CPU address or port. */
  readonly address?: bigint;
  /** The n-th request that a device took from a ring, counted from 0. */
  readonly followRequest?: number;
  /** A guest page frame: its whole life. */
  readonly followPage?: number;
  readonly from?: number;
  /** Last event shown. */
  readonly until?: number;
}

/** Decides event by event; all are to be offered, in order. */
export class EventFilter {
  readonly #options: FilterOptions;
  readonly #kinds: readonly RecordedKind[];
  readonly #view: DeviceView;
  readonly #memory: LastWriters;
  readonly #wanted: ReadonlySet<string>;
  readonly #follower: RequestFollower | undefined;
  readonly #page: PageFollower | undefined;
  readonly #needsMemory: boolean;

  /** `view` is shown every event before it is offered here. */
  constructor(options: FilterOptions, kinds: readonly RecordedKind[], view: DeviceView) {
    this.#options = options;
    this.#kinds = kinds;
    this.#view = view;
    this.#memory = new LastWriters(kinds);
    this.#wanted = new Set(options.kind);
    this.#needsMemory = options.address !== undefined || options.followPage !== undefined;
    if (options.followPage !== undefined)
      this.#page = new PageFollower(options.followPage, kinds, this.#memory);
    if (options.followRequest !== undefined)
      this.#follower = new RequestFollower(options.followRequest, kinds, view, options.queue);
  }

  /** Whether the event is to be shown. */
  admits(event: MachineEvent, number: number): boolean {
    const options = this.#options;
    const kind = this.#kinds[event.kind];
    if (this.#needsMemory) this.#memory.seeMappings(event);
    const followed = (this.#follower?.takes(event) ?? true) && (this.#page?.takes(event) ?? true);
    if (!followed || number < (options.from ?? 0) || number > (options.until ?? Infinity)) return false;
    if (this.#wanted.size > 0 && !this.#wanted.has(kind?.name ?? '')) return false;
    if (options.address !== undefined && !this.#touches(event, kind, options.address)) return false;
    if (options.device === undefined && (options.queue === undefined || this.#follower !== undefined))
      return true;
    const meaning = this.#meaning(event, kind);
    if (options.queue !== undefined && this.#follower === undefined && meaning?.queue !== options.queue)
      return false;
    return (
      options.device === undefined || isDevice(options.device, this.#device(event, kind) ?? meaning?.device)
    );
  }

  #meaning(event: MachineEvent, kind: RecordedKind | undefined): Meaning | undefined {
    const name = kind?.name ?? '';
    const fields = event.fields;
    if (name.startsWith('dma-')) return this.#view.area(Number(fields[0] ?? 0n), fields[1] ?? 0n);
    if (name.startsWith('mmio-') || name.startsWith('pio-'))
      return this.#view.register(fields[0] ?? 0n, name.startsWith('pio-'));
    return undefined;
  }

  #device(event: MachineEvent, kind: RecordedKind | undefined): number | undefined {
    const index = kind?.fields.indexOf('device') ?? -1;
    return index < 0 ? undefined : Number(event.fields[index] ?? 0n);
  }

  #touches(event: MachineEvent, kind: RecordedKind | undefined, wanted: bigint): boolean {
    const name = kind?.name ?? '';
    const at = kind?.fields.findIndex((field) => field === 'address' || field === 'port') ?? -1;
    if (name === 'hcall')
      return event.fields.subarray(1, 6).some((value) => value >> 12n === wanted >> 12n && value !== 0n);
    if (at < 0) return false;
    const address = event.fields[at] ?? 0n;
    const width = kind?.fields.findIndex((field) => field === 'width' || field === 'length') ?? -1;
    const length = BigInt(width < 0 ? event.byteLength : Number(event.fields[width] ?? 0n));
    if (wanted >= address && wanted < address + length) return true;
    if (!name.startsWith('dma-')) return false;
    const ram = this.#memory.translate(address);
    return ram !== undefined && wanted >= ram && wanted < ram + length;
  }
}

function isDevice(wanted: string, device: number | undefined): boolean {
  if (device === undefined) return false;
  return deviceName(device).endsWith(wanted) || Number(wanted) === device;
}
