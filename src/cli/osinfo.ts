/** What Debian's osinfo-db knows of guests: which virtio devices, which dates, and whether a ppc64 medium exists. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { guestSystem, type GuestSystem, type GuestTraits } from '../emu/guest/systems.ts';
import { UsageError } from './options.ts';

const OSINFO_FOLDER = '/usr/share/osinfo';

export interface OsinfoEntry {
  readonly id: string;
  readonly shortId: string;
  readonly title: string;
  readonly released?: string;
  readonly endOfLife?: string;
  /** Of virtio block devices, its own and those it inherits. */
  readonly virtio: 'none' | 'legacy' | 'virtio-1.0';
  readonly ppc64: boolean;
  readonly littleEndianOnly: boolean;
}

interface Parsed {
  readonly id: string;
  readonly text: string;
}

/** Every system of the database that has a ppc64 or ppc64le medium, tree or image. */
export async function readOsinfo(folder: string = OSINFO_FOLDER): Promise<{
  readonly total: number;
  readonly entries: readonly OsinfoEntry[];
}> {
  const files = await filesBelow(join(folder, 'os'));
  const systems = new Map<string, Parsed>();
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    const id = /<os\s+id="([^"]+)"/.exec(text)?.[1];
    // A file beside the main one extends the same system (os/vendor/name.d/…).
    if (id !== undefined) systems.set(id, { id, text: (systems.get(id)?.text ?? '') + text });
  }
  const entries = [...systems.values()]
    .map((parsed) => entryOf(parsed, systems))
    .filter(({ ppc64 }) => ppc64)
    .toSorted((a, b) => (a.shortId < b.shortId ? -1 : 1));
  return { total: systems.size, entries };
}

async function filesBelow(folder: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new UsageError('osinfo-db is not installed; on Debian: apt-get install osinfo-db');
  }
  return names
    .filter((name) => name.endsWith('.xml'))
    .toSorted()
    .map((name) => join(folder, name));
}

function entryOf({ id, text }: Parsed, systems: ReadonlyMap<string, Parsed>): OsinfoEntry {
  const field = (name: string): string | undefined =>
    new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  const devices = devicesOf(id, systems, new Set());
  const modern = devices.has('virtio1.0-block') || devices.has('1042');
  const legacy = devices.has('virtio-block') || devices.has('1001');
  const arches = [...text.matchAll(/<(?:media|tree|image|resources)\b[^>]*\barch="(ppc64(?:le|el)?)"/g)].map(
    ([, arch]) => arch,
  );
  const released = field('release-date');
  const endOfLife = field('eol-date');
  return {
    id,
    shortId: field('short-id') ?? id,
    title: field('name') ?? id,
    ...(released === undefined ? {} : { released }),
    ...(endOfLife === undefined ? {} : { endOfLife }),
    virtio: modern ? 'virtio-1.0' : legacy ? 'legacy' : 'none',
    ppc64: arches.length > 0,
    littleEndianOnly: arches.every((arch) => arch !== 'ppc64'),
  };
}

/** PCI ids of devices, with those of the systems that this one derives from or is a clone of. */
function devicesOf(id: string, systems: ReadonlyMap<string, Parsed>, seen: Set<string>): Set<string> {
  const found = new Set<string>();
  const text = systems.get(id)?.text;
  if (text === undefined || seen.has(id)) return found;
  seen.add(id);
  for (const [, from] of text.matchAll(/<(?:derives-from|clones)\s+id="([^"]+)"/g)) {
    for (const device of devicesOf(from ?? '', systems, seen)) found.add(device);
  }
  for (const [, device] of text.matchAll(/<device\s+id="[^"]*pci\/1af4[/:-]?(?:0x)?([0-9a-f]{4})"/gi))
    found.add(device ?? '');
  for (const [, device] of text.matchAll(/<device\s+id="[^"]*\/1af4\/([0-9a-f]{4})"/gi))
    found.add(device ?? '');
  return found;
}

function traitsOf(name: string): GuestTraits {
  const system = guestSystem(name);
  if (system === undefined) throw new Error(`${name} is a row of the guests`);
  return system.traits;
}

/** Systems whose kernel says more than a release date: by short id, the row of ours that they behave as. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/^(rhel|centos)7(\.[2-6]|\.0)?$/, 'rhel-7.2'],
  [/^rhel7\.[789]$/, 'rhel-7.7'],
  [/^rhel7\.0$/, 'rhel-7.0'],
  [/^rhel7\.1$/, 'rhel-7.1'],
  [/^sles12sp[23]$/, 'sles-12-sp2'],
  [/^ubuntu16\.04$/, 'ubuntu-16.04'],
];

/** Linux 4.8: the first release that knows bit 33, which the database does not record. */
const PLATFORM_KNOWN_SINCE = '2016-10-02';

/**
 * An entry as a guest of the matrix. The database says legacy or 1.0; bit 33 it does not know, so what was released
 * before Linux 4.8 counts as without, and later Linux as with.
 */
export function guestOf(entry: OsinfoEntry): GuestSystem {
  const known = KNOWN.findLast(([pattern]) => pattern.test(entry.shortId))?.[1];
  const late = !/bsd/i.test(entry.id) && (entry.released ?? '') >= PLATFORM_KNOWN_SINCE;
  const byClass = { none: 'aix', legacy: 'linux-3.19', 'virtio-1.0': late ? 'linux-4.8' : 'linux-4.7' }[
    entry.virtio
  ];
  const base = traitsOf(known ?? byClass);
  const why = known === undefined ? (late ? ', released after Linux 4.8' : '') : `, behaves as ${known}`;
  return {
    name: entry.shortId,
    title: entry.title,
    kind: 'distribution',
    traits: { ...base, bigEndian: !entry.littleEndianOnly },
    certainty: 'derived',
    evidence: `osinfo-db: ${entry.virtio}${why}`,
    ...(entry.released === undefined ? {} : { released: entry.released }),
    ...(entry.endOfLife === undefined ? {} : { supportEnds: entry.endOfLife }),
  };
}
