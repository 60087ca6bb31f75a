/** `papyrus matrix` under a policy: tiers, what rescues a guest, what changes between two policies, the page. */
import { writeFile } from 'node:fs/promises';
import { GUEST_SYSTEMS, type GuestSystem } from '../emu/guest/systems.ts';
import { VERSIONS, type Policy } from '../emu/machine/policies.ts';
import { DEVICE_MODELS } from '../emu/machine/virtio-models.ts';
import { WHOLE, type Axes } from '../matrix/axes.ts';
import { RuleSource, type Source } from '../matrix/cell.ts';
import { DecidedSource } from '../matrix/decided.ts';
import { matrixDocument } from '../matrix/document.ts';
import {
  capOf,
  compareTiers,
  isLoss,
  NO_CAPS,
  TierSearch,
  type TierCaps,
  type TierChange,
} from '../matrix/tiers.ts';
import { matrixPage } from './matrix-page.ts';
import { EXIT, UsageError, type MatrixOptions } from './options.ts';
import { guestOf, readOsinfo } from './osinfo.ts';
import { policyMeant } from './policy-file.ts';
import { styled } from './status-line.ts';

/** Whether the flags ask for policies rather than for the plain table of runs. */
export function asksForPolicies({ policy, against, html, osinfo }: MatrixOptions): boolean {
  return policy !== undefined || against !== undefined || html !== undefined || osinfo;
}

export async function threadMatrix(options: MatrixOptions): Promise<number> {
  const policy = await policyMeant(options.policy ?? 'upstream');
  const against = options.against === undefined ? undefined : await policyMeant(options.against);
  const caps = capsOf(options);
  const axes = await axesOf(options, against === undefined ? [policy] : [policy, against]);
  const source: Source = options.predict ? new RuleSource() : new DecidedSource();
  if (options.html !== undefined) await writePage(options.html, options, axes, source, caps);
  if (options.json) {
    const by = options.predict ? 'rules' : 'run';
    process.stdout.write(`${JSON.stringify(matrixDocument(axes, source, by, caps))}\n`);
    return EXIT.fine;
  }
  if (against !== undefined) return compared(policy, against, axes, source, caps, options.secure);
  if (options.html === undefined) listed(policy, axes, source, caps, options.secure);
  return EXIT.fine;
}

/** The page always offers every built-in policy to look at, and those that were named. */
async function writePage(
  file: string,
  options: MatrixOptions,
  axes: Axes,
  source: Source,
  caps: TierCaps,
): Promise<void> {
  const named = axes.policies;
  const others = WHOLE.policies.filter(({ name }) => named.every((policy) => policy.name !== name));
  const policies =
    options.policy === undefined && options.against === undefined ? WHOLE.policies : [...named, ...others];
  const data = matrixDocument({ ...axes, policies }, source, options.predict ? 'rules' : 'run', caps);
  await writeFile(file, matrixPage(data));
  if (!options.json)
    process.stdout.write(`${file}: ${data.guests.length} guests, ${data.policies.length} policies\n`);
}

async function axesOf(options: MatrixOptions, policies: readonly Policy[]): Promise<Axes> {
  const guests = options.osinfo ? await osinfoGuests() : GUEST_SYSTEMS;
  return {
    ...WHOLE,
    policies,
    versions: chosen(
      VERSIONS,
      options.machine.map((name) => name.replace(/^pseries-/, '')),
      'machine version',
      (word) => word,
    ),
    devices: chosen(DEVICE_MODELS, options.device, 'device model', ({ name }) => name, shortDevice),
    guests: chosen(guests, options.guest, 'guest', ({ name }) => name),
  };
}

function shortDevice(word: string): string {
  return /^(blk|net|rng)$/.test(word) ? `virtio-${word}-pci` : word;
}

async function osinfoGuests(): Promise<readonly GuestSystem[]> {
  const { total, entries } = await readOsinfo();
  process.stderr.write(`osinfo-db: ${total} systems, ${entries.length} with a ppc64 medium\n`);
  return entries.map(guestOf);
}

function chosen<T>(
  all: readonly T[],
  words: readonly string[],
  what: string,
  nameOf: (item: T) => string,
  expand: (word: string) => string = (word) => word,
): readonly T[] {
  if (words.length === 0) return all;
  return words.map((word) => {
    const found = all.find((item) => nameOf(item) === expand(word));
    if (found !== undefined) return found;
    throw new UsageError(`there is no ${what} ${word}; choose from ${all.map(nameOf).join(', ')}`);
  });
}

function capsOf({ cap, today }: MatrixOptions): TierCaps {
  if (cap.length === 0) return NO_CAPS;
  if (today === undefined)
    throw new UsageError('--cap wants --today YYYY-MM-DD: no verdict depends on the clock');
  if (!/^\d{4}-\d{2}-\d{2}$/.test(today)) throw new UsageError(`--today ${today} is no date like 2020-03-12`);
  return { today, vendorEndOfLife: cap.includes('vendor'), fiveYears: cap.includes('five-years') };
}

// --- Text -----------------------------------------------------------------------------------------------------------

const TIER_COLOUR = { Recommended: 'green', Supported: 'yellow', Unsupported: 'red' } as const;

function table(
  rows: readonly (readonly string[])[],
  coloured: (text: string, word: string) => string,
): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => coloured(cell.padEnd(widths[at] ?? 0), cell))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}

function tierColour(text: string, word: string): string {
  const colour = (TIER_COLOUR as Readonly<Record<string, 'green' | 'yellow' | 'red'>>)[word];
  return colour === undefined ? text : styled(colour, text);
}

/** Neighbouring versions with the same answer share a line. */
function listed(policy: Policy, axes: Axes, source: Source, caps: TierCaps, secureOnly: boolean): void {
  const rows: string[][] = [
    ['guest', 'machines', 'tier', 'with defaults', 'settings that rescue it', 'rule'],
  ];
  const searches = axes.versions.map((version) => new TierSearch(policy, version, source));
  for (const guest of axes.guests) {
    for (const secure of secureStates(guest, secureOnly)) {
      let last: string[] | undefined;
      for (const [index, version] of axes.versions.entries()) {
        const answer = (searches[index] as TierSearch).of(guest, secure, caps);
        const settings =
          answer.tier === 'Unsupported' ? `(${answer.tried} tried)` : (answer.witness?.options ?? '');
        const why = answer.cap === undefined ? answer.withDefaults : `${answer.withDefaults}; ${answer.cap}`;
        const row = [titleOf(guest, secure), version, answer.tier, why, settings, answer.rule];
        if (last !== undefined && row.every((cell, at) => at === 1 || cell === last?.[at])) {
          last[1] = `${(last[1] ?? '').split(' … ')[0] ?? ''} … ${version}`;
        } else rows.push((last = row));
      }
    }
  }
  process.stdout.write(`${policy.name}: ${policy.statement}\n\n${table(rows, tierColour)}\n`);
}

function secureStates(guest: GuestSystem, secureOnly: boolean): readonly boolean[] {
  if (guest.traits.secure === 'never') return secureOnly ? [] : [false];
  return secureOnly ? [true] : [false, true];
}

function titleOf(guest: GuestSystem, secure: boolean): string {
  return secure ? `${guest.name} (secure)` : guest.name;
}

/** Prints who loses and who wins. Status 1 if a guest that its vendor supports falls from Recommended to Unsupported. */
function compared(
  before: Policy,
  after: Policy,
  axes: Axes,
  source: Source,
  caps: TierCaps,
  secureOnly: boolean,
): number {
  const all = compareTiers(before, after, axes.versions, axes.guests, source, caps);
  const changes = all.filter(({ secure }) => secure || !secureOnly);
  const rows = [['guest', 'machines', before.name, after.name, 'settings that rescue it', 'why']];
  let last: string[] | undefined;
  for (const change of changes.toSorted((a, b) => orderOf(axes, a) - orderOf(axes, b))) {
    const { guest, secure, version } = change;
    const row = [
      titleOf(guest, secure),
      version,
      change.before.tier,
      change.after.tier,
      change.after.tier === 'Unsupported'
        ? `(${change.after.tried} tried)`
        : (change.after.witness?.options ?? ''),
      `${change.after.withDefaults} (${change.after.rule})`,
    ];
    if (last !== undefined && row.every((cell, at) => at === 1 || cell === last?.[at])) {
      last[1] = `${(last[1] ?? '').split(' … ')[0] ?? ''} … ${version}`;
    } else rows.push((last = row));
  }
  const lost = new Set(changes.filter(isLoss).map(({ guest, secure }) => titleOf(guest, secure)));
  const won = new Set(
    changes.filter((change) => !isLoss(change)).map(({ guest, secure }) => titleOf(guest, secure)),
  );
  const body = rows.length === 1 ? 'no guest changes its tier' : table(rows, tierColour);
  process.stdout.write(
    `from ${before.name} to ${after.name}\n\n${body}\n\n${lost.size} lose, ${won.size} win\n`,
  );
  return changes.some((change) => isBroken(change, caps)) ? EXIT.wrong : EXIT.fine;
}

function orderOf(axes: Axes, { guest, secure, version }: TierChange): number {
  const row = 2 * axes.guests.indexOf(guest) + (secure ? 1 : 0);
  return row * axes.versions.length + axes.versions.indexOf(version);
}

/** R42: no change of defaults may do this to a guest that its vendor still supports. */
function isBroken({ before, after, guest }: TierChange, caps: TierCaps): boolean {
  const supported = capOf(guest, { ...caps, vendorEndOfLife: true, fiveYears: false }) === undefined;
  return (
    supported && before.tier === 'Recommended' && after.tier === 'Unsupported' && after.cap === undefined
  );
}
