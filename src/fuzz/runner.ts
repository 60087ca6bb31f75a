/**
 * Runs cases: takes the machine of a case's configuration as it was built, lets the driver live one life on it step by
 * step, and says what broke. A machine is built once and restored for every case.
 */
import { behaviourOf } from '../emu/virtio/behaviour.ts';
import { AssertionError } from '../emu/core/assert.ts';
import { ClauseOracle } from '../clauses/oracle.ts';
import { clauseById } from '../clauses/catalogue.ts';
import { KIND, type Tap } from '../emu/core/tap.ts';
import type { GuestPlatform } from '../emu/guest/platform.ts';
import type { MachineConfig, Verdict } from '../emu/machine/config.ts';
import { NET_ORDER_PORTS } from '../emu/machine/host-ends.ts';
import { MONITOR_PORT } from '../emu/machine/monitor.ts';
import { Driver, type DriverTraits } from './adversary/driver.ts';
import { hardwareOf, type Hardware } from './adversary/hardware.ts';
import { doubtsConfig, doubtsMap, losesTrack, perform, standing, type Stage } from './adversary/perform.ts';
import type { Case, CaseMachine, Step } from './case.ts';
import { Judge, type Breach } from './judge.ts';
import { Runaway } from './invariants/work.ts';
import { LIES } from './adversary/host/lies.ts';
import { Victim } from './adversary/host/survival.ts';
import { BALLOON_ID, deviceType, PORT_ID, isReadOnly, machineConfig, TRAITS } from './machines.ts';

/** What the fuzzer asks of a machine; the emulated one fits, and so does one with a planted fault. */
export interface FuzzMachine {
  readonly platform: GuestPlatform;
  readonly digest: () => string;
  setTap(tap: Tap | undefined): void;
  hostInput(port: number, bytes: Uint8Array): void;
  /** Back to how it was built. */
  rewind(): void;
  /** Gives up what another machine can use; this one is not used again. */
  retire(): void;
}

/** Builds a machine; a refusal is a value. */
export type MachineFactory = (config: MachineConfig) => Verdict<FuzzMachine>;

export interface Outcome {
  readonly breach: Breach | undefined;
  /** Of every event in order: two words. */
  readonly digestLow: number;
  readonly digestHigh: number;
  readonly events: number;
  readonly requests: number;
  /** Whether it was stopped in the middle of an action: what that would have come to, nobody saw. */
  readonly cut: boolean;
}

/** Somebody who looks on at what a driver sees. */
export interface Witness {
  /** A register or a byte that a step looked at. */
  see(value: number): void;
  /** The device is set up, and no step was taken. */
  atStart(): void;
  /** All steps are done, and nothing is repaired yet. */
  atEnd(driver: Driver): void;
}

/** What a run is held to beside what watches its events. */
export interface RunOptions {
  /** False: nobody watches what the device does to memory, and nobody cuts it short. */
  readonly watched?: boolean;
  /** Ends with a recovery and an honest request even where nothing went wrong before. */
  readonly alwaysRecover?: boolean;
  /** Another tap that sees every event after the judge: a recorder. */
  readonly alsoTap?: Tap;
  readonly witness?: Witness;
  /** Also held against the clauses of the specification; `clauses` of the runner then has what came of it. */
  readonly clauses?: boolean;
}

/** A campaign runs its cases machine by machine; one more is kept for whoever goes back and forth. */
const MACHINES_KEPT = 2;
/** The console is the machine's first host end; the network device's is the next. */
/** Chardevs come after the one netdev. */
const FIRST_CHARDEV = 2;
const NET_PORT = 1;
const GUEST_WRITE = KIND['guest-write'];
/** Orders that NET_ORDER names. */
const NET_ORDERS = 3;
const STATISTICS: Uint8Array = new TextEncoder().encode(
  JSON.stringify({
    execute: 'qom-get',
    arguments: { path: `/machine/peripheral/${BALLOON_ID}`, property: 'guest-stats' },
  }),
);
const UNPLUG: Uint8Array = new TextEncoder().encode(
  JSON.stringify({ execute: 'device_del', arguments: { id: PORT_ID } }),
);
const MSR_LITTLE = 0x8000_0000_0000_0001n;
const MSR_BIG = 0x8000_0000_0000_0000n;

interface Prepared {
  readonly machine: FuzzMachine;
  readonly hardware: Hardware;
  readonly driver: Driver;
  readonly stage: Stage;
  readonly sight: Sight;
}

/** Through whose eyes a driver sees. */
interface Sight {
  witness: Witness | undefined;
}

export class Runner {
  readonly judge: Judge = new Judge();
  readonly #factory: MachineFactory;
  /** By configuration, least recently used first. */
  readonly #machines: Map<string, Prepared> = new Map();
  #lastKey = '';
  #last: Prepared | undefined;
  #requests = 0;
  #clauses: ClauseOracle | undefined;

  constructor(factory: MachineFactory) {
    this.#factory = factory;
  }

  /** The clause oracle: made when it is first asked for, its counts are of all cases that it judged. */
  get clauses(): ClauseOracle {
    this.#clauses ??= new ClauseOracle();
    return this.#clauses;
  }

  /** Runs a case from the machine as built to its verdict. Throws a sentence if the machine is refused. */
  run(value: Case, options: RunOptions = {}): Outcome {
    const prepared = this.#prepare(value.machine);
    const { machine } = prepared;
    const { judge } = this;
    machine.rewind();
    judge.begin();
    const clauses = options.clauses === true ? this.clauses : undefined;
    clauses?.begin();
    let tap: Tap = judge;
    if (clauses !== undefined) tap = new Both(tap, clauses);
    if (options.alsoTap !== undefined) tap = new Both(tap, options.alsoTap);
    machine.setTap(tap);
    this.#requests = 0;
    prepared.sight.witness = options.witness;
    let breach: Breach | undefined;
    let cut = false;
    try {
      const reason = this.#live(prepared, value, options);
      breach = judge.breach ?? reason;
    } catch (error) {
      breach = judge.breach ?? thrown(error);
      cut = true;
    } finally {
      machine.setTap(undefined);
    }
    if (clauses !== undefined) {
      if (!cut) clauses.end();
      if (value.machine.behaviour === 'spec') breach ??= brokenClause(clauses);
    }
    const { features } = judge;
    return {
      breach,
      digestLow: features.digestLow,
      digestHigh: features.digestHigh,
      events: features.events,
      requests: this.#requests,
      cut,
    };
  }

  /**
   * Runs a case twice and compares: the same case gives the same events and ends in the same state (G5). The first run
   * begins on a machine as the case before left it, so a field that restoring forgets shows too.
   */
  runTwice(value: Case, options: RunOptions = {}): Outcome {
    const first = this.run(value, options);
    if (first.breach !== undefined) return first;
    const state = this.#prepare(value.machine).machine.digest();
    const second = this.run(value);
    if (second.digestLow !== first.digestLow || second.digestHigh !== first.digestHigh) {
      return {
        ...first,
        breach: { oracle: 'G5', reason: 'the same case gave other events the second time' },
      };
    }
    if (this.#prepare(value.machine).machine.digest() !== state) {
      return {
        ...first,
        breach: { oracle: 'G5', reason: 'the same case ended in another state the second time' },
      };
    }
    return first;
  }

  /** Builds the machine that a case needs, if it is not there. Throws a sentence if QEMU would refuse it. */
  prepare(machine: CaseMachine): void {
    this.#prepare(machine);
  }

  #live(prepared: Prepared, value: Case, options: RunOptions): Breach | undefined {
    const { driver, stage } = prepared;
    const found = driver.find();
    if (found !== '') return { oracle: 'life', reason: found };
    if (options.watched !== false) this.judge.watch(driver.ground());
    const up = driver.setUp();
    if (up !== '') return { oracle: 'life', reason: up };
    this.judge.rings(driver.ringEntries);
    options.witness?.atStart();
    let clean = true;
    let faults = false;
    for (const step of value.steps) {
      if (losesTrack(step)) this.judge.loseTrack();
      const reason = perform(stage, step);
      const kind = standing(step);
      if (step.name === 'lie' && reason !== '') return { oracle: 'host', reason };
      if (kind === 'fault') {
        clean = false;
        faults = true;
        driver.doubt(doubtsConfig(step), doubtsMap(step));
        // What a faulty request wrote is nobody's to say.
        driver.written.clear();
      } else if (kind === 'honest') {
        if (step.name === 'recover') {
          clean = reason === '';
          this.judge.regainTrack();
          if (reason !== '') return { oracle: 'G4', reason: `after a reset ${reason}` };
        } else this.#requests++;
        if (reason !== '' && (clean || step.name === 'fail')) return judged(step, reason);
      }
      if (this.judge.breach !== undefined) return undefined;
    }
    options.witness?.atEnd(driver);
    return faults || options.alwaysRecover === true
      ? this.#serveAgain(driver, value.machine.device)
      : undefined;
  }

  /** G4: after status 0 and the set-up a good guest is served again. */
  #serveAgain(driver: Driver, device: string): Breach | undefined {
    const up = driver.recover();
    if (up !== '') return { oracle: 'G4', reason: `after a reset ${up}` };
    this.judge.regainTrack();
    for (let i = 0; i < 2; i++) {
      // A disk that takes no writes is read.
      const reason = driver.request(isReadOnly(device) ? 0 : 1 - i, 3, 1, 0x5a);
      this.#requests++;
      if (reason !== '') return { oracle: 'G4', reason: `after a reset ${reason}` };
    }
    return undefined;
  }

  #makeRoom(): void {
    const [oldest] = this.#machines;
    if (this.#machines.size < MACHINES_KEPT || oldest === undefined) return;
    const [key, prepared] = oldest;
    this.#machines.delete(key);
    prepared.machine.retire();
  }

  #prepare(machine: CaseMachine): Prepared {
    const key = `${machine.machine}/${machine.device}/${machine.mode}/${machine.iommuPlatform}/${machine.profile}/${machine.seed}/${machine.behaviour ?? ''}`;
    if (key === this.#lastKey && this.#last !== undefined) return this.#last;
    let prepared = this.#machines.get(key);
    if (prepared === undefined) {
      this.#makeRoom();
      prepared = prepare(this.#factory, machine);
    } else this.#machines.delete(key);
    this.#machines.set(key, prepared);
    this.#lastKey = key;
    this.#last = prepared;
    return prepared;
  }
}

function prepare(factory: MachineFactory, wanted: CaseMachine): Prepared {
  const traits: DriverTraits | undefined = TRAITS.get(wanted.profile);
  if (traits === undefined) {
    throw new Error(
      `no guest profile is called '${wanted.profile}': choose from ${[...TRAITS.keys()].join(', ')}`,
    );
  }
  const verdict = factory(machineConfig(wanted));
  if (!verdict.accepted) throw new Error(`${wanted.machine} is refused: ${verdict.reason}`);
  const machine = verdict.value;
  const hardware = hardwareOf(machine.platform.deviceTree);
  const device = deviceType(wanted.device);
  const behaviour = behaviourOf(wanted.behaviour);
  const driver = new Driver(machine.platform, hardware, device, wanted.iommuPlatform, traits, behaviour);
  const sight: Sight = { witness: undefined };
  return { machine, hardware, driver, stage: stageOf(machine, driver, sight, wanted.profile), sight };
}

function stageOf(machine: FuzzMachine, driver: Driver, sight: Sight, profile: string): Stage {
  const { platform } = machine;
  let victim: Victim | undefined;
  return {
    driver,
    advance: (ticks) => platform.advance(ticks),
    idle: () => platform.idle(),
    setLittleEndian: (little) => platform.setCpu(0, little ? MSR_LITTLE : MSR_BIG),
    load: (address, width) => platform.read(address, width, false),
    store: (address, width, value) => platform.write(address, width, value >>> 0, false),
    load64: (address) => void platform.read64(address, false),
    store64: (address, value) => platform.write64(address, BigInt(value), false),
    storeList: (address, entries, first) => {
      for (let i = 0; i < entries; i++) {
        platform.store32(address + 8 * i, 0, false);
        platform.store32(address + 8 * i + 4, first + (i << 12), false);
      }
    },
    see: (value) => sight.witness?.see(value),
    lie: (which, word) => {
      victim ??= new Victim(platform, profile);
      return victim.survive(LIES[which]?.lie(word) ?? {}).harm;
    },
    hostBytes: (bytes) => machine.hostInput(NET_PORT, bytes),
    hostOrder: (which) => {
      if (which < NET_ORDERS) machine.hostInput(NET_PORT + NET_ORDER_PORTS, Uint8Array.of(which));
      else machine.hostInput(MONITOR_PORT, which === NET_ORDERS ? STATISTICS : UNPLUG);
    },
    chardevBytes: (end, length, fill) =>
      machine.hostInput(FIRST_CHARDEV + end, new Uint8Array(length).fill(fill)),
    tellMonitor: (text) => machine.hostInput(MONITOR_PORT, new TextEncoder().encode(text)),
    hostFrame: (length, fill) => machine.hostInput(NET_PORT, new Uint8Array(length).fill(fill)),
  };
}

function judged(step: Step, reason: string): Breach {
  return { oracle: step.name === 'fail' ? 'canary' : 'integrity', reason };
}

/** Our own assertion, or anything else that is thrown, is a finding of its own (G3). */
function thrown(error: unknown): Breach | undefined {
  if (error instanceof Runaway) return undefined;
  if (error instanceof AssertionError) return { oracle: 'G3', reason: `our own assertion: ${error.message}` };
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { oracle: 'G3', reason: `the emulator threw ${text}` };
}

/** A clause that the device broke: under `spec` it promises to keep them all. */
function brokenClause(clauses: ClauseOracle): Breach | undefined {
  const found = clauses.breaks.find((one) => one.judge === 'device');
  if (found === undefined) return undefined;
  const section = clauseById(found.id)?.clause.section ?? '';
  return { oracle: found.id, reason: `${found.sentence} (${section})` };
}

/** Two taps in a row. */
class Both implements Tap {
  readonly #first: Tap;
  readonly #second: Tap;

  constructor(first: Tap, second: Tap) {
    this.#first = first;
    this.#second = second;
  }

  get wantsGuestWrites(): boolean {
    return this.#first.wantsGuestWrites || this.#second.wantsGuestWrites;
  }

  take(event: Parameters<Tap['take']>[0]): void {
    const stored = event.kind === GUEST_WRITE;
    if (!stored || this.#first.wantsGuestWrites) this.#first.take(event);
    if (!stored || this.#second.wantsGuestWrites) this.#second.take(event);
  }
}
