import type fc from 'fast-check';
import { PLACES, type Chain, type Element, type Place } from '../case.ts';
import { below, Drawn, oneIn, oneOf, towards, withSmaller, without } from './drawn.ts';

export interface ChainOptions {
  /** Elements at most; lists really reach it. */
  readonly maxLength?: number;
  /** Where elements may lie besides the driver's own buffers. */
  readonly places?: readonly Place[];
}

/** Lengths that mean something to a device: headers, sectors, status bytes, page sizes, limits and their neighbours. */
const LENGTHS = [
  0, 1, 2, 4, 10, 11, 12, 15, 16, 17, 20, 60, 511, 512, 513, 1024, 1514, 4095, 4096, 4097, 8192, 65_536,
  0x7fff_ffff, 0xffff_ffff,
] as const;
const COMMON_LENGTHS = [1, 16, 512, 1024, 4096] as const;
const FLAGS = [1, 2, 3, 4, 5, 8, 0x8000] as const;
const DESCRIPTOR_BYTES = 16;
const CHAIN_LENGTH_MAX = 64;

/**
 * Chains as a hostile or careless driver builds them: the shapes that devices expect, and the same with one or more
 * lies in lengths, places, flags, order and links.
 */
export function chainArbitrary(options: ChainOptions = {}): Drawn<Chain> {
  const maxLength = options.maxLength ?? CHAIN_LENGTH_MAX;
  const places = options.places ?? PLACES;
  return new Drawn(
    (random) => drawChain(random, maxLength, places),
    (value) => smallerChains(value),
    isChain,
  );
}

export function drawChain(random: fc.Random, maxLength: number, places: readonly Place[]): Chain {
  const elements = oneIn(random, 3) ? requestShape(random) : anyShape(random, maxLength, places);
  const lies = below(random, 3);
  for (let i = 0; i < lies; i++) tellLie(random, elements, places);
  return { elements, indirect: oneIn(random, 4) ? claim(random, elements.length) : undefined };
}

export function* smallerChains(value: Chain): Generator<Chain> {
  for (const elements of without(value.elements, 1))
    yield { elements, indirect: claimFor(value, elements.length) };
  if (value.indirect !== undefined) {
    yield { elements: value.elements, indirect: undefined };
    for (const indirect of towards(value.indirect, value.elements.length * DESCRIPTOR_BYTES)) {
      yield { elements: value.elements, indirect };
    }
  }
  for (const elements of withSmaller(value.elements, smallerElements))
    yield { elements, indirect: value.indirect };
}

export function* smallerElements(value: Element): Generator<Element> {
  if (value.next !== undefined) yield { ...value, next: undefined };
  if (value.flags !== 0) yield { ...value, flags: 0 };
  if (value.place !== 'buffer') yield { ...value, place: 'buffer' };
  for (const offset of towards(value.offset, 0)) yield { ...value, offset };
  for (const length of towards(value.length, 1)) yield { ...value, length };
}

/** Header, data and status as a block device wants them; other devices see three buffers. */
function requestShape(random: fc.Random): Element[] {
  const write = oneIn(random, 2);
  const length = oneOf(random, COMMON_LENGTHS);
  return [plain(16, false), plain(length, write), plain(1, true)];
}

function anyShape(random: fc.Random, maxLength: number, places: readonly Place[]): Element[] {
  const length = Math.min(maxLength, chainLength(random));
  const readable = below(random, length + 1);
  const elements: Element[] = [];
  for (let i = 0; i < length; i++) elements.push(plain(oneOf(random, COMMON_LENGTHS), i >= readable));
  if (oneIn(random, 3)) elements[below(random, length)] = anyElement(random, places);
  return elements;
}

/** Most chains are short; one in eight is long enough to pass any limit a queue of 8 or 16 could set. */
function chainLength(random: fc.Random): number {
  const draw = below(random, 16);
  if (draw < 10) return 1 + below(random, 4);
  if (draw < 14) return 4 + below(random, 14);
  return 17 + below(random, CHAIN_LENGTH_MAX - 16);
}

function tellLie(random: fc.Random, elements: Element[], places: readonly Place[]): void {
  const at = below(random, elements.length);
  const honest = elements[at];
  if (honest === undefined) return;
  const draw = below(random, 8);
  if (draw === 0) elements[at] = { ...honest, flags: oneOf(random, FLAGS) };
  else if (draw === 1)
    elements[at] = { ...honest, next: oneIn(random, 2) ? below(random, 4) : below(random, 0x1_0000) };
  else if (draw === 2) elements[at] = { ...honest, write: !honest.write };
  else if (draw === 3) elements[at] = { ...honest, offset: below(random, 4096) };
  else if (draw < 6) elements[at] = { ...honest, length: oneOf(random, LENGTHS) };
  else elements[at] = { ...honest, place: oneOf(random, places) };
}

function anyElement(random: fc.Random, places: readonly Place[]): Element {
  return {
    length: oneIn(random, 3) ? oneOf(random, LENGTHS) : below(random, 8193),
    write: oneIn(random, 2),
    place: oneOf(random, places),
    offset: oneIn(random, 2) ? 0 : below(random, 4096),
    flags: 0,
    next: undefined,
  };
}

function plain(length: number, write: boolean): Element {
  return { length, write, place: 'buffer', offset: 0, flags: 0, next: undefined };
}

function claim(random: fc.Random, length: number): number {
  const honest = length * DESCRIPTOR_BYTES;
  if (!oneIn(random, 4)) return honest;
  return oneOf(random, [0, 1, 8, 16, honest - 1, honest + 1, honest + 16, 0xffff_fff0]);
}

/** A table that was honest stays honest when its elements go. */
function claimFor(value: Chain, length: number): number | undefined {
  const honest = value.indirect === value.elements.length * DESCRIPTOR_BYTES;
  return honest ? length * DESCRIPTOR_BYTES : value.indirect;
}

function isChain(value: unknown): value is Chain {
  return typeof value === 'object' && value !== null && 'elements' in value && Array.isArray(value.elements);
}
