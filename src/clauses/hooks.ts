import type { Chain } from './chain.ts';
import type { ObservedQueue, RingFault } from './observed-queue.ts';

/** A register access as the device saw it: a value in PCI's byte order, whichever way it went. */
export class RegisterAccess {
  /** Structure of the device, by `cfg_type` of its capability (4.1.4); `other` has a type that nobody knows. */
  region: Region = 'none';
  /** From the start of the structure; of the BAR where there is no structure. */
  offset = 0;
  width = 0;
  bar = -1;
  /** Low 32 bits, and of an 8-byte access the high ones. */
  value = 0;
  valueHigh = 0;
  /** Through `pci_cfg_data` (4.1.4.9) rather than a load or store. */
  windowed = false;
  /** Where the capability of the structure stands in configuration space; 0 where there is none. */
  capability = 0;
}

export type Region = 'none' | 'common' | 'notify' | 'isr' | 'device' | 'legacy' | 'msix' | 'other';

/** One DMA of a device. Ring areas and buffers are told apart by what the driver set up. */
export class DmaAccess {
  write = false;
  /** Nothing answered: `length` is told, there are no bytes. */
  fault = false;
  high = 0;
  low = 0;
  /** The address as a number; -1 if it is not below 2^53. */
  address = 0;
  length = 0;
  bytes: Uint8Array = new Uint8Array(0);
  byteOffset = 0;
  /** The ring area that it begins in. */
  queue: ObservedQueue | undefined;
  area: Area = 'none';
  /** From the start of the area, of the indirect table, or of the element. */
  offset = 0;
  /** The chain whose indirect table or element it begins in. */
  chain: Chain | undefined;
  /** Number of that element; -1 in an indirect table. */
  element = -1;
  /** A message-signalled interrupt's own store. */
  message = false;
}

/** Parts of a ring: split and packed rings have descriptors, a driver area (available) and a device area (used). */
export type Area = 'none' | 'descriptors' | 'driver' | 'device' | 'table' | 'buffer';

/** `onInterrupt` for a line rather than a message. */
export const INTX = -1;
/** Vector of a message whose source nobody asked for. */
export const UNKNOWN_VECTOR = -2;

/**
 * What a checker may watch. Hooks are about the one function that `watch` was called for. In every hook the function's
 * fields are as before the event if the hook's name ends in `Write`, and as after it otherwise.
 */
export interface Hooks {
  /** A new stream begins. */
  onBegin?(): void;
  /** The stream is over: what was still owed is owed no more. */
  onEnd?(): void;
  onMachineReset?(): void;
  /** Any input event, before its own hooks: what the event before it led to has all been seen. */
  onAction?(): void;
  /** After a wait until nothing was due: the device had all the time that it needs. */
  onIdle?(): void;

  /** PCI configuration space. */
  onConfigSpaceRead?(offset: number, width: number, value: number): void;
  onConfigSpaceWrite?(offset: number, width: number, value: number): void;

  /**
   * Offsets in the common configuration: if given, the two hooks below are called for accesses that begin there and for
   * no others. There are many checkers of registers, and most want one.
   */
  readonly registers?: readonly number[];
  /** Any access to a structure of the device, before the hook that says what it means. */
  onRegisterRead?(access: RegisterAccess): void;
  onRegisterWrite?(access: RegisterAccess): void;

  onStatusRead?(value: number, before: number): void;
  onStatusWrite?(value: number): void;
  /** Status 0 was written, or the machine was reset: fields are already cleared. */
  onReset?(): void;
  /** Status read 0 for the first time after a reset. */
  onResetDone?(): void;
  /** A word of device_feature was read; `word` counts 32 bits. */
  onFeaturesRead?(word: number, value: number): void;
  onFeaturesWrite?(word: number, value: number): void;
  /** Status was read for the first time after FEATURES_OK was written. */
  onFeaturesOk?(stands: boolean): void;
  /** DRIVER_OK was written; fields are as after it. */
  onDriverOk?(): void;

  /** Device configuration, legacy or not: offsets count from its start. */
  onDeviceConfigRead?(offset: number, width: number, value: number): void;
  onDeviceConfigWrite?(offset: number, width: number, value: number): void;

  /** The queue is live from here on: areas, size and vector are known. */
  onQueueEnable?(queue: ObservedQueue): void;
  onQueueReset?(queue: ObservedQueue): void;
  /** An available-buffer notification. `queue` is undefined where nothing of that number is live. */
  onNotify?(queue: ObservedQueue | undefined, index: number, value: number, width: number): void;

  /** The driver stored into a ring area; `length` bytes from `offset` of the area are in `queue.driverByte…`. */
  onDriverWrite?(queue: ObservedQueue, area: Area, offset: number, length: number): void;
  /** The driver made a chain available (needs guest writes): described as the driver wrote it. */
  onAvailable?(queue: ObservedQueue, chain: Chain): void;
  /** The driver left the ring undefined: it stored so, and (`byDevice`) the device has read it; each once. */
  onRingBroken?(queue: ObservedQueue, fault: RingFault, byDevice: boolean): void;
  /** The guest took back translations (entries set to nothing, windows removed): `device.surroundings.translation`. */
  onUnmapped?(): void;
  /** The device has read the chain's last descriptor: described as the device saw it. */
  onTaken?(queue: ObservedQueue, chain: Chain): void;
  /** The device's used entry became visible: `chain.usedLength` and everything that it wrote are known. */
  onUsed?(queue: ObservedQueue, chain: Chain): void;
  /** The device used an id that names no chain under way. */
  onUsedUnknown?(queue: ObservedQueue, id: number, length: number): void;

  /** Any DMA of the function, also faulting. */
  onDma?(access: DmaAccess): void;
  /** `vector` is INTX with level 0 or 1, or a vector (UNKNOWN_VECTOR) with level 2. */
  onInterrupt?(vector: number, level: number): void;
  onIsrRead?(value: number): void;

  /** The guest stored into RAM, wherever (needs guest writes): guest addresses. */
  onGuestStore?(address: number, length: number): void;
  /** The host took pages of RAM: they read as zeros from now on. Guest addresses. */
  onDiscard?(address: number, length: number): void;

  /** Host ends: a network back end, a console. */
  onHostInput?(port: number, bytes: Uint8Array, from: number, length: number): void;
  onHostOutput?(port: number, bytes: Uint8Array, from: number, length: number): void;
}

export type HookName = Exclude<keyof Hooks, 'registers'>;

/** Hooks of single registers of the common configuration, by offset. */
export interface RegisterHooks {
  readonly read: ((access: RegisterAccess) => void)[][];
  readonly write: ((access: RegisterAccess) => void)[][];
}

/** The hooks of many checkers, by name: what happens is told to each list in turn. */
export type HookLists = { readonly [Name in HookName]-?: Required<Hooks>[Name][] };

export const HOOK_NAMES: readonly HookName[] = [
  'onBegin',
  'onEnd',
  'onMachineReset',
  'onAction',
  'onIdle',
  'onConfigSpaceRead',
  'onConfigSpaceWrite',
  'onRegisterRead',
  'onRegisterWrite',
  'onStatusRead',
  'onStatusWrite',
  'onReset',
  'onResetDone',
  'onFeaturesRead',
  'onFeaturesWrite',
  'onFeaturesOk',
  'onDriverOk',
  'onDeviceConfigRead',
  'onDeviceConfigWrite',
  'onQueueEnable',
  'onQueueReset',
  'onNotify',
  'onDriverWrite',
  'onAvailable',
  'onRingBroken',
  'onUnmapped',
  'onTaken',
  'onUsed',
  'onUsedUnknown',
  'onDma',
  'onInterrupt',
  'onIsrRead',
  'onGuestStore',
  'onDiscard',
  'onHostInput',
  'onHostOutput',
];

export function emptyLists(): HookLists {
  return Object.fromEntries(HOOK_NAMES.map((name) => [name, []])) as unknown as HookLists;
}
