import type fc from 'fast-check';
import { PLACES, type Element, type Place, type RingLink, type RingShape } from '../case.ts';
import { smallerElements } from './chain.ts';
import { below, Drawn, oneIn, oneOf, towards, withSmaller, without } from './drawn.ts';

export interface RingOptions {
  readonly places?: readonly Place[];
  /** Descriptors at most. */
  readonly maxSize?: number;
}

const SIZES = [1, 2, 4, 8, 16, 32] as const;

/** Whole rings written by hand: chains that share descriptors and bite their tails, heads that name nothing. */
export function ringArbitrary(options: RingOptions = {}): Drawn<RingShape> {
  const places = options.places ?? PLACES;
  const maxSize = options.maxSize ?? 32;
  return new Drawn((random) => drawRing(random, maxSize, places), smallerRings, isRing);
}

export function drawRing(random: fc.Random, maxSize: number, places: readonly Place[]): RingShape {
  const size = Math.min(maxSize, oneOf(random, SIZES));
  const chains: RingLink[][] = [];
  const count = 1 + below(random, 3);
  for (let i = 0; i < count; i++) chains.push(drawLinks(random, size, places));
  const avail: number[] = [];
  const heads = 1 + below(random, oneIn(random, 4) ? 2 * size : 4);
  for (let i = 0; i < heads; i++) {
    const honest = chains[below(random, count)]?.[0]?.descriptor ?? 0;
    avail.push(oneIn(random, 6) ? below(random, 0x1_0000) : honest);
  }
  return { size, chains, avail, used: oneIn(random, 6) ? below(random, 0x1_0000) : undefined };
}

export function* smallerRings(value: RingShape): Generator<RingShape> {
  for (const avail of without(value.avail)) yield { ...value, avail };
  for (const chains of without(value.chains)) yield { ...value, chains };
  if (value.used !== undefined) yield { ...value, used: undefined };
  for (const chains of withSmaller(value.chains, smallerLinks)) yield { ...value, chains };
  for (const avail of withSmaller(value.avail, (head) => towards(head, 0))) yield { ...value, avail };
}

function drawLinks(random: fc.Random, size: number, places: readonly Place[]): RingLink[] {
  const links: RingLink[] = [];
  const length = 1 + below(random, Math.min(size, 8));
  const start = below(random, size);
  for (let i = 0; i < length; i++) {
    const element: Element = {
      length: oneOf(random, [0, 1, 16, 512, 4096]),
      write: i > 0 && oneIn(random, 2),
      place: oneIn(random, 4) ? oneOf(random, places) : 'buffer',
      offset: 0,
      flags: oneIn(random, 8) ? oneOf(random, [1, 2, 4]) : 0,
      next: undefined,
    };
    links.push({ descriptor: (start + i) % size, element });
  }
  // One chain in four ends in a link back to one of its own, or to somewhere else.
  if (oneIn(random, 4)) links.push({ descriptor: below(random, 2 * size), element: undefined });
  return links;
}

function* smallerLinks(value: readonly RingLink[]): Generator<readonly RingLink[]> {
  for (const links of without(value, 1)) yield links;
  for (let at = 0; at < value.length; at++) {
    const link = value[at];
    if (link?.element === undefined) continue;
    for (const element of smallerElements(link.element)) {
      const copy = [...value];
      copy[at] = { descriptor: link.descriptor, element };
      yield copy;
    }
  }
}

function isRing(value: unknown): value is RingShape {
  return typeof value === 'object' && value !== null && 'avail' in value && 'chains' in value;
}
