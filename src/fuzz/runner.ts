/**
 * Runs cases: takes the machine of a case's configuration as it was built, lets the driver live one life on it step by
 * step, and says what broke. A machine is built once and restored for every case.
 */
import { AssertionError } from '../emu/core/assert.ts';
import type { Tap } from '../emu/core/tap.ts';
import type { GuestPlatform } from '../emu/guest/platform.ts';
import type { MachineConfig, Verdict } from '../emu/machine/config.ts';
import { Driver, type DriverTraits } from './adversary/driver.ts';
import { hardwareOf, type Hardware } from './adversary/hardware.ts';
import { doubtsConfig, doubtsMap, losesTrack, perform, standing, type Stage } from './adversary/perform.ts';
import type { Case, CaseMachine, Step } from './case.ts';
import { Judge, type Breach } from './judge.ts';
import { Runaway } from './invariants/work.ts';
import { machineConfig, TRAITS } from './machines.ts';

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

/** What a run is held to beside what watches its events. */
export interface RunOptions {
  /** Ends with a recovery and an honest request even where nothing went wrong before. */
  readonly alwaysRecover?: boolean;
  /** Another tap that sees every event after the judge: a recorder. */
  readonly alsoTap?: Tap;
}

/** A campaign runs its cases machine by machine; one more is kept for whoever goes back and forth. */
const MACHINES_KEPT = 2;
/** The console is the machine's first host end; the network device's is the next. */
const NET_PORT = 1;
const MSR_LITTLE = 0x8000_0000_0000_0001n;
const MSR_BIG = 0x8000_0000_0000_0000n;

interface Prepared {
  readonly machine: FuzzMachine;
  readonly hardware: Hardware;
  readonly driver: Driver;
  readonly stage: Stage;
}

export class Runner {
  readonly judge: Judge = new Judge();
  readonly #factory: MachineFactory;
  /** By configuration, least recently used first. */
  readonly #machines: Map<string, Prepared> = new Map();
  #lastKey = '';
  #last: Prepared | undefined;
  #requests = 0;

  constructor(factory: MachineFactory) {
    this.#factory = factory;
  }

  /** Runs a case from the machine as built to its verdict. Throws a sentence if the machine is refused. */
  run(value: Case, options: RunOptions = {}): Outcome {
    const prepared = this.#prepare(value.machine);
    const { machine } = prepared;
    const { judge } = this;
    machine.rewind();
    judge.begin();
    machine.setTap(options.alsoTap === undefined ? judge : new Both(judge, options.alsoTap));
    this.#requests = 0;
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
  runTwice(value: Case): Outcome {
    const first = this.run(value);
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
    this.judge.watch(driver.ground());
    const up = driver.setUp();
    if (up !== '') return { oracle: 'life', reason: up };
    this.judge.rings(driver.ringEntries);
    let clean = true;
    let faults = false;
    for (const step of value.steps) {
      if (losesTrack(step)) this.judge.loseTrack();
      const reason = perform(stage, step);
      const kind = standing(step);
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
    return faults || options.alwaysRecover === true ? this.#serveAgain(driver) : undefined;
  }

  /** G4: after status 0 and the set-up a good guest is served again. */
  #serveAgain(driver: Driver): Breach | undefined {
    const up = driver.recover();
    if (up !== '') return { oracle: 'G4', reason: `after a reset ${up}` };
    this.judge.regainTrack();
    for (let i = 0; i < 2; i++) {
      const reason = driver.request(1 - i, 3, 1, 0x5a);
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
  const driver = new Driver(machine.platform, hardware, wanted.device, wanted.iommuPlatform, traits);
  return { machine, hardware, driver, stage: stageOf(machine, driver) };
}

function stageOf(machine: FuzzMachine, driver: Driver): Stage {
  const { platform } = machine;
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
    this.#first.take(event);
    this.#second.take(event);
  }
}
