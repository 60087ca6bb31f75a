/**
 * A case is everything that decides one run, written out: which scenario judges it, which machine it needs, and the
 * program of steps that a driver performs on it. It is never "seed and path": a stored case means the same in every
 * version that can read it, whatever happens to the generators.
 */
import type { BehaviourName } from '../emu/virtio/behaviour.ts';
import type { StepName } from './steps.ts';

/** The number that stored cases carry; a reader refuses any other. */
export const CASE_VERSION = 1;

export const MODES = ['legacy', 'transitional', 'modern'] as const;
export type Mode = (typeof MODES)[number];

export interface CaseMachine {
  /** `pseries-7.2`. */
  readonly machine: string;
  /** `blk`, `net`, `rng`: a row of the device table. */
  readonly device: string;
  readonly mode: Mode;
  readonly iommuPlatform: boolean;
  /** The guest profile that finds the device and sets it up. */
  readonly profile: string;
  /** All chance of the machine itself. */
  readonly seed: string;
  /** Absent: `qemu-7.2`. */
  readonly behaviour?: BehaviourName;
}

/** Where an element lies. The words are what a case means; the addresses they stand for are the driver's to find. */
export const PLACES = [
  /** A buffer of the driver's own, mapped for the device with the permission it needs. */
  'buffer',
  /** An I/O bus address whose TCE is 0; without an IOMMU, an address behind RAM. */
  'unmapped',
  /** A page mapped for reading only (TCE permission 01). */
  'read-only',
  /** A page mapped for writing only (TCE permission 10). */
  'write-only',
  /** Behind the DMA window; without an IOMMU, far behind RAM. */
  'beyond-window',
  /** A mapped page whose TCE names an address behind RAM. */
  'hole',
  /** 2^64 - 256. */
  'wrap',
  /** The queue's own areas. */
  'descriptors',
  'available',
  'used',
  /** The device's own registers. */
  'own-bar',
  /** The window where messages become interrupts. */
  'msi',
  /** 16 bytes before the end of a page whose successor is not mapped. */
  'crossing',
  /** A page of RAM by its guest-physical address, which is not what an IOMMU wants. */
  'physical',
  /** Address 0. */
  'zero',
  /** The place of the element before. */
  'same',
] as const;
export type Place = (typeof PLACES)[number];

/** One element of a chain, as the driver describes it to the device. */
export interface Element {
  /** Bytes, 0 … 2^32 - 1. */
  readonly length: number;
  readonly write: boolean;
  readonly place: Place;
  /** Added to the address of the place. */
  readonly offset: number;
  /** Bits XORed into the descriptor's flags after the honest ones are set: 4 is INDIRECT. */
  readonly flags: number;
  /** Descriptor that NEXT names instead of the following one; undefined for the honest one. */
  readonly next: number | undefined;
}

/** Elements that the driver offers as one buffer. */
export interface Chain {
  readonly elements: readonly Element[];
  /** Bytes that the indirect descriptor claims for its table; undefined for a chain of direct descriptors. */
  readonly indirect: number | undefined;
}

/** Rings written by hand: see `ring` in notation.ts. */
export interface RingShape {
  /** Descriptors mentioned are below this; it is not the size that the device knows. */
  readonly size: number;
  readonly chains: readonly (readonly RingLink[])[];
  /** Heads put into the available ring, in order. */
  readonly avail: readonly number[];
  /** What the driver writes over the used index; undefined leaves it alone. */
  readonly used: number | undefined;
}

export interface RingLink {
  readonly descriptor: number;
  /** Undefined at a mention that only closes a link. */
  readonly element: Element | undefined;
}

/** One thing that the driver, or the host, does: a row of STEPS with its arguments, all whole numbers. */
export interface Step {
  readonly name: StepName;
  /** As many as the row has, in its order. */
  readonly args: readonly number[];
  readonly chain: Chain | undefined;
  readonly ring: RingShape | undefined;
}

export interface Case {
  readonly scenario: string;
  readonly machine: CaseMachine;
  readonly steps: readonly Step[];
}
