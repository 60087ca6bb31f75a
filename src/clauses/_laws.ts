import type { TestFn } from 'ava';
import { Machine, type MachineSnapshot } from '../emu/machine/machine.ts';
import { GuestDriver } from '../emu/guest/driver.ts';
import { GUEST_PROFILES, type GuestProfile } from '../emu/guest/profiles.ts';
import type { ClauseChecker, ClauseTable } from './clause.ts';
import { ClauseOracle } from './oracle.ts';
import { Stream, type StreamOptions } from './_stream.ts';

/** A stream that shows something: how the two are set up, and what they do. */
interface Scene extends StreamOptions {
  readonly play: (stream: Stream) => void;
}

/** What proves a checker. */
interface ClauseProof {
  /** Breaks the clause. */
  readonly breach: Scene | ((stream: Stream) => void);
  /** Keeps the clause where it applies. Absent: the lives of our own guests do. */
  readonly clean?: Scene | ((stream: Stream) => void);
}

export type ClauseProofs = Readonly<Record<string, ClauseProof>>;

interface Played {
  readonly exercised: number;
  readonly sentences: readonly string[];
}

function play(
  table: ClauseTable,
  checker: ClauseChecker,
  scene: ClauseProof['breach'],
  again = false,
): Played {
  const oracle = new ClauseOracle({ tables: [{ ...table, checkers: [checker] }] });
  const { play: act, ...options }: Scene = typeof scene === 'function' ? { play: scene } : scene;
  // Twice on one oracle must be as once on two: nothing is kept from stream to stream.
  let before = 0;
  for (let turn = again ? 0 : 1; turn < 2; turn++) {
    before = oracle.exercised[0] ?? 0;
    oracle.begin();
    act(new Stream(oracle, options));
    oracle.end();
  }
  return {
    exercised: (oracle.exercised[0] ?? 0) - before,
    sentences: oracle.breaks.map((found) => found.sentence),
  };
}

const KEEPS = 'keeps something from stream to stream';

function same(a: Played, b: Played): boolean {
  return a.exercised === b.exercised && a.sentences.join('|') === b.sentences.join('|');
}

/**
 * The laws of one table, a test each: every checker reports its breach, says nothing of its clean stream (or of whole
 * lives of our guests) while it counts it as exercised, and keeps nothing from one stream to the next. `known` names the clauses that our guests break because the
 * real systems do, each with the reason.
 */
export function clauseLaws(
  test: TestFn,
  table: ClauseTable,
  proofs: ClauseProofs,
  known: Readonly<Record<string, string>> = {},
): void {
  test(`${table.name}: every checker has a proof, and every proof a checker`, (t) => {
    const ids = table.checkers.map((checker) => checker.id).toSorted();
    t.deepEqual(ids, [...new Set(ids)], 'a clause has one checker');
    t.deepEqual(Object.keys(proofs).toSorted(), ids);
  });

  test(`${table.name}: a breach of each clause is reported, the first time and the second`, (t) => {
    const wrong: string[] = [];
    for (const checker of table.checkers) {
      const proof = proofs[checker.id];
      if (proof === undefined) continue;
      const once = play(table, checker, proof.breach);
      if (once.sentences.length === 0) {
        wrong.push(`${checker.id} does not report its breach (it applied ${once.exercised} times)`);
      }
      if (!same(once, play(table, checker, proof.breach, true))) wrong.push(`${checker.id} ${KEEPS}`);
    }
    t.deepEqual(wrong, []);
  });

  test(`${table.name}: a stream that keeps each clause is counted and not reported`, (t) => {
    const wrong: string[] = [];
    for (const checker of table.checkers) {
      const clean = proofs[checker.id]?.clean;
      if (clean === undefined) continue;
      const once = play(table, checker, clean);
      for (const sentence of once.sentences)
        wrong.push(`${checker.id} reports its clean stream: ${sentence}`);
      if (once.exercised === 0) wrong.push(`${checker.id} does not apply in its clean stream`);
      if (!same(once, play(table, checker, clean, true))) wrong.push(`${checker.id} ${KEEPS}`);
    }
    t.deepEqual(wrong, []);
  });

  test(`${table.name}: lives of our guests keep every clause, and exercise those without a stream of their own`, (t) => {
    const oracle = new ClauseOracle({ tables: [table] });
    const broken = new Map<string, string>();
    for (const life of lives(table.type)) {
      oracle.begin();
      live(life, oracle);
      oracle.end();
      for (const found of oracle.breaks)
        broken.set(found.id, `${found.id} (${life.name}): ${found.sentence}`);
    }
    const unexpected = [...broken].filter(([id]) => known[id] === undefined);
    t.deepEqual(
      unexpected.map(([, text]) => text),
      [],
    );
    t.deepEqual(
      Object.keys(known).filter((id) => !broken.has(id)),
      [],
      'known to be broken, and is not',
    );
    const idle = table.checkers.filter(
      (checker, index) => proofs[checker.id]?.clean === undefined && oracle.exercised[index] === 0,
    );
    t.deepEqual(
      idle.map((checker) => checker.id),
      [],
      'never exercised by lives: a clean stream is wanted',
    );
  });
}

export interface Life {
  readonly name: string;
  readonly device: string;
  readonly riders: readonly string[];
  readonly type: number;
  readonly options: string;
  readonly profile: GuestProfile;
  readonly noMsi: boolean;
}

const DEVICES: readonly {
  readonly name: string;
  readonly type: number;
  readonly text: string;
  /** What rides on the bus that it opens. */
  readonly riders?: readonly string[];
  /** Lived for the rows of its own type only. */
  readonly own?: true;
}[] = [
  { name: 'blk', type: 2, text: 'virtio-blk-pci,addr=1,drive=d0,scsi=off' },
  { name: 'net', type: 1, text: 'virtio-net-pci,addr=3,netdev=n0' },
  { name: 'rng', type: 4, text: 'virtio-rng-pci,addr=2,rng=e0' },
  {
    name: 'console',
    type: 3,
    text: 'virtio-serial-pci,addr=4,vectors=7',
    riders: ['virtconsole,chardev=c0', 'virtserialport,chardev=c1,name=org.papyrus'],
    own: true,
  },
  { name: 'balloon', type: 5, text: 'virtio-balloon-pci,addr=5,guest-stats-polling-interval=1', own: true },
];

const MODES: readonly {
  readonly name: string;
  readonly options: string;
  readonly modern: boolean;
  readonly legacy: boolean;
}[] = [
  { name: 'legacy', options: 'disable-modern=on,disable-legacy=off', modern: false, legacy: true },
  { name: 'transitional', options: 'disable-modern=off,disable-legacy=off', modern: true, legacy: true },
  { name: 'modern', options: 'disable-modern=off,disable-legacy=on', modern: true, legacy: false },
  {
    name: 'iommu',
    options: 'disable-modern=off,disable-legacy=on,iommu_platform=on',
    modern: true,
    legacy: false,
  },
];

const MACHINES = new Map<string, { readonly machine: Machine; readonly start: MachineSnapshot }>();

export function lives(type: number | undefined): readonly Life[] {
  const found: Life[] = [];
  for (const device of DEVICES) {
    // What is common to all devices is seen at three of them as well as at five.
    if (type === undefined ? device.own === true : device.type !== type) continue;
    for (const mode of MODES) {
      for (const profile of GUEST_PROFILES) {
        for (const noMsi of [false, true]) {
          const name = `${profile.name} with ${device.name}, ${mode.name}${noMsi ? ', INTx' : ''}`;
          const { text, type: of, riders = [] } = device;
          found.push({ name, device: text, riders, type: of, options: mode.options, profile, noMsi });
        }
      }
    }
  }
  return found;
}

export function live(life: Life, oracle: ClauseOracle): void {
  const key = `${life.device},${life.options}`;
  let kept = MACHINES.get(key);
  if (kept === undefined) {
    const made = Machine.create({
      machine: 'pseries-7.2',
      ramBytes: 0x1000_0000,
      cpus: 1,
      seed: 'clauses',
      devices: [key, ...life.riders],
      globals: [],
      backends: [
        { kind: 'disk', id: 'd0', sectors: 2048, content: 'tagged', readOnly: false },
        { kind: 'net', id: 'n0', loopback: true },
        { kind: 'entropy', id: 'e0' },
        { kind: 'chardev', id: 'c0', open: true },
        { kind: 'chardev', id: 'c1', open: true },
      ],
    });
    if (!made.accepted) throw new Error(made.reason);
    kept = { machine: made.value, start: made.value.snapshot() };
    MACHINES.set(key, kept);
  }
  const { machine } = kept;
  machine.restore(kept.start);
  machine.setTap(oracle);
  const guest = new GuestDriver(machine.platform, {
    profile: life.profile,
    loopback: true,
    requests: 6,
    noMsi: life.noMsi,
  });
  guest.boot();
  guest.live();
  machine.platform.idle();
  machine.platform.advance(1);
  machine.setTap(undefined);
}
