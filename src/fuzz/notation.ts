/**
 * One line for a chain and one for a ring, used in tests, case files and reports.
 *
 *     r16 w512 w1             three direct elements: 16 bytes to read, 512 and 1 to write
 *     i( r16 w512 w1 )        the same through an indirect table; i50(…) claims 50 bytes for it
 *     w512@unmapped+8         the place and an offset in it
 *     w512^4                  flags changed by XOR (4 is INDIRECT)
 *     w512>9                  NEXT names descriptor 9
 *
 *     4: 0>1>2 | avail 0,3 | used -
 *     4: 0:r16>1:w512>0 | avail 0 | used 7
 */
import { PLACES, type Chain, type Element, type Place, type RingLink, type RingShape } from './case.ts';

const ELEMENT =
  /^([rw])(\d+|0x[0-9a-f]+)(?:@([a-z-]*[a-z]))?(?:\+(\d+|0x[0-9a-f]+))?(?:\^(\d+|0x[0-9a-f]+))?(?:>(\d+))?$/i;
const DESCRIPTOR_BYTES = 16;

/** Reads a chain; throws a sentence that names what it does not understand. */
export function chain(text: string): Chain {
  const [, claimed, inside] = /^i(\d*)\(([^()]*)\)$/.exec(text.trim()) ?? [];
  const words = (inside ?? text).split(/\s+/).filter((word) => word !== '');
  const elements = words.map((word) => element(word));
  if (inside === undefined) return { elements, indirect: undefined };
  const honest = elements.length * DESCRIPTOR_BYTES;
  return { elements, indirect: claimed === '' || claimed === undefined ? honest : Number(claimed) };
}

export function chainText(value: Chain): string {
  const elements = value.elements.map((one) => elementText(one)).join(' ');
  if (value.indirect === undefined) return elements;
  const honest = value.elements.length * DESCRIPTOR_BYTES;
  return `i${value.indirect === honest ? '' : value.indirect}(${elements})`;
}

function element(word: string): Element {
  const match = ELEMENT.exec(word);
  if (match === null) throw new Error(`'${word}' is no element: write r16 or w512@unmapped+8^4>9`);
  const [, direction, length, place = 'buffer', offset = '0', flags = '0', next] = match;
  if (!(PLACES as readonly string[]).includes(place)) {
    throw new Error(`'${place}' is no place: choose from ${PLACES.join(', ')}`);
  }
  return {
    length: bounded(length ?? '0', 0xffff_ffff, 'length'),
    write: direction?.toLowerCase() === 'w',
    place: place as Place,
    offset: bounded(offset, 0xffff_ffff, 'offset'),
    flags: bounded(flags, 0xffff, 'flags'),
    next: next === undefined ? undefined : bounded(next, 0xffff, 'next descriptor'),
  };
}

function elementText(value: Element): string {
  return [
    value.write ? 'w' : 'r',
    value.length,
    value.place === 'buffer' ? '' : `@${value.place}`,
    value.offset === 0 ? '' : `+${value.offset}`,
    value.flags === 0 ? '' : `^${value.flags}`,
    value.next === undefined ? '' : `>${value.next}`,
  ].join('');
}

/** Reads a ring; throws a sentence that names what it does not understand. */
export function ring(text: string): RingShape {
  const [, size, chains, avail, used] =
    /^\s*(\d+)\s*:([^|]*)\|\s*avail\s+([\d,\s-]+)\|\s*used\s+(\d+|-)\s*$/.exec(text) ?? [];
  if (size === undefined || chains === undefined || avail === undefined || used === undefined) {
    throw new Error(`'${text}' is no ring: write 4: 0>1>2 | avail 0,3 | used -`);
  }
  const heads = avail.trim();
  return {
    size: bounded(size, 0xffff, 'ring size'),
    chains: chains
      .split(/\s+/)
      .filter((word) => word !== '')
      .map((word) => links(word)),
    avail: heads === '-' ? [] : heads.split(',').map((head) => bounded(head.trim(), 0xffff, 'head')),
    used: used === '-' ? undefined : bounded(used, 0xffff, 'used index'),
  };
}

export function ringText(value: RingShape): string {
  const chains = value.chains.map((one) => one.map((link) => linkText(link)).join('>')).join(' ');
  const avail = value.avail.length === 0 ? '-' : value.avail.join(',');
  return `${value.size}: ${chains}${chains === '' ? '' : ' '}| avail ${avail} | used ${value.used ?? '-'}`;
}

function links(word: string): RingLink[] {
  return word.split('>').map((part) => {
    const [, descriptor, content] = /^(\d+)(?::(.+))?$/.exec(part) ?? [];
    if (descriptor === undefined) throw new Error(`'${part}' is no link: write 0 or 0:r16`);
    return {
      descriptor: bounded(descriptor, 0xffff, 'descriptor'),
      element: content === undefined ? undefined : element(content),
    };
  });
}

function linkText(link: RingLink): string {
  return link.element === undefined
    ? `${link.descriptor}`
    : `${link.descriptor}:${elementText(link.element)}`;
}

function bounded(text: string, most: number, what: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0 || value > most) {
    throw new Error(`${what} '${text}' is not a whole number from 0 to ${most}`);
  }
  return value;
}
