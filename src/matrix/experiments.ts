/**
 * How the facts that rules predict are found: each experiment drives scripted guests on the emulated machine, one thing
 * more than a plain life. None looks at a rule or at a prediction.
 */
import { Chain } from '../emu/guest/rings.ts';
import type { DmaMapper } from '../emu/guest/dma-map.ts';
import { GuestDriver, type DriverOptions } from '../emu/guest/driver.ts';
import type { GuestPlatform } from '../emu/guest/platform.ts';
import { scriptedGuest } from '../emu/guest/scripted.ts';
import { guestSystem, type GuestSystem } from '../emu/guest/systems.ts';
import { blocker, migrate, refusalOnHost } from '../emu/machine/capabilities.ts';
import { admitted, type Situation } from '../emu/machine/fate.ts';
import type { Machine } from '../emu/machine/machine.ts';
import { policyNamed } from '../emu/machine/policies.ts';
import type { ExperimentName, Facts } from '../emu/machine/rules.ts';
import type { SecureSide } from '../emu/machine/secure-side.ts';
import { deviceModel } from '../emu/machine/virtio-models.ts';
import {
  FRAME_BYTES,
  H_SVM_INIT_DONE,
  H_SVM_INIT_START,
  H_SVM_PAGE_IN,
  H_SVM_PAGE_OUT,
  MSR_S,
} from '../emu/ultravisor/abi.ts';
import { SHARED } from '../emu/ultravisor/page-state.ts';
import { RuleSource, type Built } from './cell.ts';
import { DecidedSource } from './decided.ts';
import { deviceArgument, DmaWitness, live, machineConfig, secureConfig, Stage } from './life.ts';
import { SecureGuest } from '../emu/guest/secure-driver.ts';
import { isSecureSlip, plantSlip, type SecureSlip } from './secure-slips.ts';
import { choicesOf, tierOf, TierSearch } from './tiers.ts';

/** Faults of the world in which an experiment is made, so that its rule can be seen to notice. */
export type Slip =
  | SecureSlip
  | 'order-latched-once'
  | 'spilling-refusal'
  | 'map-all-writable'
  | 'leak-entries'
  | 'map-the-next-page'
  | 'no-reset'
  | 'boastful-host'
  | 'claims-of-another-policy';

/** Bytes of guest memory that a sealed experiment looks at: one frame that is shared and one that is not. */
const SHARED_FRAME = 0x60;
const SECRET_FRAME = 0x61;
const SECRET = 0x5ec2e7;

const MODERN_WITH_PLATFORM = { disableLegacy: 'on', disableModern: false, iommuPlatform: true } as const;

export class Laboratory {
  readonly source: DecidedSource = new DecidedSource();
  readonly #slip: Slip | undefined;

  constructor(slip?: Slip) {
    this.#slip = slip;
  }

  /** Facts by name; a device that cannot be built leaves the refusal. */
  run(experiment: ExperimentName, situation: Situation): Facts {
    const built = this.source.construct(situation);
    if (experiment === 'migration') return this.#migration(situation);
    if (experiment === 'capability-host') return this.#capabilityHost(situation);
    if (experiment === 'tier') return this.#tier(situation);
    const { construction } = built;
    if (!construction.built) return { built: false, refusal: construction.reason };
    if (experiment === 'life') return this.#life(situation, built);
    return this.#built(experiment, situation, built);
  }

  #life(situation: Situation, built: Built): Facts {
    const { construction } = built;
    // A type that this emulator knows by its registers only: what realize settled is what there is to see.
    if (!situation.device.emulated && construction.built) return { built: true, mode: construction.mode };
    if (this.#slip === 'ignore-capability') {
      return live(this.#secureStage(situation, built, true), situation.guest, { secure: situation.secure });
    }
    return this.source.evidence(situation, built).facts;
  }

  #built(experiment: ExperimentName, situation: Situation, built: Built): Facts {
    switch (experiment) {
      case 'capability-pair':
        return this.#capabilityPair(situation);
      case 'handover':
        return this.#handover(situation, built);
      case 'neighbour':
        return this.#neighbour(situation);
      case 'permissions':
        return this.#permissions(situation, built);
      case 'streaming':
        return this.#streaming(situation, built);
      case 'granularity':
        return this.#granularity(situation);
      case 'reset':
        return this.#reset(situation, built);
      case 'sealed':
        return this.#sealed(situation, built);
      case 'share':
        return this.#share(situation, built);
      case 'reflection':
        return this.#reflection(situation, built);
      case 'calls':
        return this.#calls(situation, built);
      case 'switched-off':
        return this.#switchedOff(situation, built);
      case 'kexec':
        return this.#kexec(situation, built);
      case 'secure-tce':
        return this.#secureTce(situation, built);
      default:
        throw new Error(`there is no experiment ${experiment} on a built device`);
    }
  }

  #stage({ version, device }: Situation, { construction }: Built): Stage {
    if (!construction.built) throw new Error('only what was built can be tried');
    return new Stage(machineConfig(version, [deviceArgument(device.name, device.backend, construction)]));
  }

  #secureStage({ version, device }: Situation, { construction }: Built, letIn: boolean): Stage {
    if (!construction.built) throw new Error('only what was built can be tried');
    const config = machineConfig(version, [deviceArgument(device.name, device.backend, construction)]);
    const secure = secureConfig(config, letIn);
    const host = this.#slip === 'no-ciphertext' ? `${secure.host ?? ''},cipher=none` : secure.host;
    return new Stage({ ...secure, ...(host === undefined ? {} : { host }) });
  }

  /** A driver on a fresh machine, that makes its mappings in the default window. */
  #driver(
    situation: Situation,
    built: Built,
    more: Partial<DriverOptions> = {},
  ): [GuestDriver, DmaWitness, Machine] {
    const machine = this.#stage(situation, built).rewind();
    const profile = { ...scriptedGuest(situation.guest), dma: 'default-window' as const };
    const driver = new GuestDriver(machine.platform, { profile, requests: 4, loopback: true, ...more });
    driver.boot();
    const witness = new DmaWitness(machine);
    machine.setTap(witness);
    return [driver, witness, machine];
  }

  // --- Policy -------------------------------------------------------------------------------------------------------

  #migration({ policy, version }: Situation): Facts {
    const on = { version, capabilities: { 'secure-guest': 'on' } };
    const off = { version, capabilities: {} };
    const higher = migrate(on, off);
    const stays = blocker(policy, true) !== undefined && !higher.accepted;
    return {
      offByDefault: !policy.defaults.some(
        ({ when, set }) => when === 'machine' && set.iommuPlatform === true,
      ),
      blockedWhileOn: stays,
      freeWhileOff: blocker(policy, false) === undefined && migrate(off, off).accepted,
    };
  }

  #capabilityHost({ policy }: Situation): Facts {
    const boastful = this.#slip === 'boastful-host';
    return {
      withoutKvm: refusalOnHost({ kvm: boastful, ultravisor: boastful }) ?? '',
      withoutUltravisor: refusalOnHost({ kvm: true, ultravisor: boastful }) ?? '',
      migration: blocker(policy, true) ?? '',
    };
  }

  /** The tier that the rules claim, and whether real machines bear it out: the witness works, nothing smaller does. */
  #tier({ policy, version, guest, secure }: Situation): Facts {
    const question = { policy, version, guest, secure };
    const other = policyNamed('proposal');
    const stale = this.#slip === 'claims-of-another-policy' && other !== undefined;
    const claimed = stale ? { ...question, policy: other, version: '5.0' } : question;
    const claim = tierOf(claimed, new RuleSource());
    const size = claim.witness?.size ?? Infinity;
    const search = new TierSearch(policy, version, this.source);
    const choices = choicesOf(policy);
    const fails = (index: number): boolean => search.failure(index, guest, secure) !== undefined;
    const smaller = choices.flatMap((choice, index) => (choice.size < size ? [index] : []));
    const witness = choices.findIndex(({ options }) => options === claim.witness?.options);
    return {
      claimHolds: search.of(guest, secure).tier === claim.tier,
      witnessWorks: witness < 0 || !fails(witness),
      smallerFails: smaller.every(fails),
    };
  }

  /** The same ordinary guest with the capability off and on, virtio defaults left alone: how many facts differ. */
  #capabilityPair(situation: Situation): Facts {
    const defaults = situation.policy.defaults.filter(
      ({ when }) => when === 'machine' || this.#slip === 'boastful-host',
    );
    const policy = { ...situation.policy, defaults };
    const facts = [false, true].map((capability) => {
      const asked = { ...situation, policy, capability };
      return this.run('life', asked);
    });
    const [off = {}, on = {}] = facts;
    return { differences: Object.keys(off).filter((name) => off[name] !== on[name]).length };
  }

  // --- Guests -------------------------------------------------------------------------------------------------------

  /** Firmware in big endian uses the device, then a kernel in little endian, without a machine reset between. */
  #handover(situation: Situation, built: Built): Facts {
    const machine = this.#stage(situation, built).rewind();
    const platform = this.#slip === 'order-latched-once' ? latchedOnce(machine.platform) : machine.platform;
    const works = (name: string): boolean => {
      const guest = guestSystem(name) as GuestSystem;
      const options = { profile: scriptedGuest(guest), requests: 4, loopback: true };
      const driver = new GuestDriver(platform, options);
      driver.boot();
      const { gaveUp, dataCorrect } = driver.live();
      return gaveUp === '' && dataCorrect;
    };
    return { firmwareWorks: works('slof-old'), kernelWorks: works('linux-3.19') };
  }

  /** Two devices on one bus; the first one's driver drops bit 33, as virtio-balloon's does. */
  #neighbour(situation: Situation): Facts {
    const modern = 'disable-legacy=on,disable-modern=off,iommu_platform=on';
    const devices = [`virtio-rng-pci,addr=1,rng=e0,${modern}`, `virtio-net-pci,addr=2,netdev=n0,${modern}`];
    const machine = new Stage(machineConfig(situation.version, devices)).rewind();
    const drives = (guest: GuestSystem, devfn: number): GuestDriver => {
      const driver = new GuestDriver(machine.platform, {
        profile: scriptedGuest(guest),
        requests: 4,
        loopback: true,
        devfn,
      });
      driver.boot();
      driver.live();
      return driver;
    };
    const dropping = guestSystem('linux-4.7') as GuestSystem;
    const first = drives(dropping, 1 << 3);
    const second = drives(this.#slip === 'spilling-refusal' ? dropping : situation.guest, 2 << 3);
    const { gaveUp, dataCorrect } = second.outcome;
    return {
      firstRefused: first.outcome.gaveUp === 'virtio: device refuses features',
      neighbourWorks: gaveUp === '' && dataCorrect,
    };
  }

  // --- DMA ----------------------------------------------------------------------------------------------------------

  /** Buffers for the device's writes are mapped for reading only. */
  #permissions(situation: Situation, built: Built): Facts {
    const [driver, witness] = this.#driver(situation, built);
    const tampered = this.#slip === 'map-all-writable';
    replaceMapper(driver, (inner) => ({
      ...forwarding(inner),
      map: (gpa, length, deviceWrites) => inner.map(gpa, length, tampered && deviceWrites),
    }));
    const { gaveUp, dataCorrect } = driver.live();
    return { faulted: witness.faults > 0, works: gaveUp === '' && dataCorrect, harmed: witness.harmed };
  }

  /** Streaming entries in flight, and after. */
  #streaming(situation: Situation, built: Built): Facts {
    const [driver, , machine] = this.#driver(situation, built);
    const given: number[] = [];
    const leaks = this.#slip === 'leak-entries';
    replaceMapper(driver, (inner) => ({
      ...forwarding(inner),
      map: (gpa, length, deviceWrites) => {
        const low = inner.map(gpa, length, deviceWrites);
        given.push(low);
        return low;
      },
      unmap: (low, length) => {
        if (!leaks) inner.unmap(low, length);
      },
    }));
    if (!driver.probe() || !driver.start()) return { mappedInFlight: false, liveAfter: -1 };
    const table = machine.bridge.dma.tables[0];
    const alive = (low: number): boolean => table.low(low >>> 12) !== 0;
    const before = given.length;
    driver.submit();
    const mappedInFlight = given.slice(before).every(alive) && given.length > before;
    driver.settle();
    driver.stop();
    return { mappedInFlight, liveAfter: given.filter(alive).length };
  }

  /** One I/O page is mapped: a buffer in it that ends where the page ends, and one that goes on beyond. */
  #granularity(situation: Situation): Facts {
    const device = deviceModel('virtio-rng-pci');
    if (device === undefined) throw new Error('rng is a row of the table');
    const request = {
      ...situation,
      device,
      properties: MODERN_WITH_PLATFORM,
    };
    const built = this.source.construct(request);
    const [driver, witness, machine] = this.#driver(request, built);
    const page = 4096;
    const generous = this.#slip === 'map-the-next-page';
    replaceMapper(driver, (inner) => ({
      ...forwarding(inner),
      map: (gpa, length, deviceWrites) =>
        inner.map(gpa, generous ? length : Math.min(length, page - (gpa % page)), deviceWrites),
    }));
    if (!driver.probe() || !driver.start()) return { insidePage: false };
    const at = 0x70_0000;
    const written = (address: number): boolean => {
      for (let i = 0; i < 64; i += 4) if (machine.platform.load32(address + i, false) !== 0) return true;
      return false;
    };
    this.#request(driver, at + page - 64, 64);
    const insidePage = written(at + page - 64) && witness.faults === 0;
    this.#request(driver, at + 2 * page - 32, 64);
    return {
      insidePage,
      nextPageFaulted: witness.faults > 0 && !written(at + 2 * page),
      harmed: witness.harmed,
    };
  }

  #request(driver: GuestDriver, gpa: number, length: number): void {
    driver.rings[0]?.add(new Chain().add(gpa, length, true));
    driver.transport.notify(0);
    driver.platform.idle();
  }

  /** A direct window full of entries, through a guest's kexec and through a machine reset. */
  #reset(situation: Situation, built: Built): Facts {
    const machine = this.#stage(situation, built).rewind();
    const driver = new GuestDriver(machine.platform, {
      profile: scriptedGuest(situation.guest),
      requests: 4,
    });
    driver.boot();
    if (!driver.probe() || !driver.start()) return { keptByKexec: false };
    driver.run(2);
    const count = (): number =>
      machine.bridge.dma.tables.reduce((sum, table) => sum + mappedEntries(table), 0);
    const before = count();
    // kexec: the device is reset by its next driver, nobody else hears of it.
    driver.transport.reset();
    const keptByKexec = before > 0 && count() === before && machine.bridge.dma.active === 2;
    if (this.#slip !== 'no-reset') machine.reset();
    return { keptByKexec, mappedAfterReset: count(), windowsAfterReset: machine.bridge.dma.active - 1 };
  }

  // --- Secure guests ------------------------------------------------------------------------------------------------

  #secure(situation: Situation, built: Built): [SecureGuest, Machine, SecureSide] {
    const machine = this.#secureStage(situation, built, admitted(situation)).rewind();
    const side = machine.secureSide;
    if (side === undefined) throw new Error('the host has an ultravisor');
    if (isSecureSlip(this.#slip)) plantSlip(machine, side, this.#slip);
    const profile = scriptedGuest(situation.guest);
    const guest = new SecureGuest(machine.platform, {
      profile,
      requests: 4,
      loopback: true,
    });
    guest.boot();
    for (const frame of [SHARED_FRAME, SECRET_FRAME]) fillFrame(machine, frame);
    guest.become();
    return [guest, machine, side];
  }

  #sealed(situation: Situation, built: Built): Facts {
    const [guest, machine] = this.#secure(situation, built);
    const { platform } = machine;
    guest.share(SHARED_FRAME, 1);
    const shared = SHARED_FRAME * FRAME_BYTES;
    const secret = SECRET_FRAME * FRAME_BYTES;
    platform.store32(shared, SECRET, false);
    platform.store32(secret, SECRET, false);
    const sharedIsPlain = machine.memory.u32(shared, false) === SECRET;
    const secureIsCipher = machine.memory.u32(secret, false) !== SECRET;
    machine.memory.setU32(secret + 64, 1, false);
    // The page-in that the next touch asks for is refused, for ever.
    platform.load32(secret, false);
    return { sharedIsPlain, secureIsCipher, writeDetected: platform.halted === 'fault loop' };
  }

  #share(situation: Situation, built: Built): Facts {
    const [guest, machine] = this.#secure(situation, built);
    const { platform } = machine;
    const from = SECRET_FRAME * FRAME_BYTES;
    const isZero = (): boolean => {
      for (let at = 0; at < FRAME_BYTES; at += 4) if (platform.load32(from + at, false) !== 0) return false;
      return true;
    };
    fillFrame(machine, SECRET_FRAME);
    guest.share(SECRET_FRAME, 1);
    const zeroedOnShare = isZero();
    const last = from + FRAME_BYTES - 4;
    const whole = platform.load32(last, false) === machine.memory.u32(last, false);
    platform.store32(from, SECRET, false);
    guest.share(SECRET_FRAME, 1);
    const idempotent = platform.load32(from, false) === SECRET;
    guest.unshare(SECRET_FRAME, 1);
    return { zeroedOnShare, zeroedOnUnshare: isZero(), idempotent, wholeFrame: whole };
  }

  #reflection(situation: Situation, built: Built): Facts {
    const [, machine, { hypervisor }] = this.#secure(situation, built);
    let seen: readonly bigint[] = [];
    const enter = hypervisor.enter.bind(hypervisor);
    hypervisor.enter = (frame) => {
      seen = [...frame.general];
      return enter(frame);
    };
    const H_CPPR = 0x68n;
    const { registers } = machine.platform;
    registers.fill(0x5ec2e7n);
    registers[0] = H_CPPR;
    registers[1] = 0xffn;
    machine.platform.hcall();
    return {
      declaredArrive: seen[4] === 0xffn,
      leaked: seen.filter((word) => word === 0x5ec2e7n).length,
    };
  }

  /** H_SVM_* of a guest that is not secure, and the ultravisor's own twice. */
  #calls(situation: Situation, built: Built): Facts {
    const [guest, machine, { hypervisor }] = this.#secure(situation, built);
    // The same hypervisor before it ever heard of a secure guest.
    const fresh = this.#secureStage(situation, built, true).rewind();
    if (isSecureSlip(this.#slip) && fresh.secureSide !== undefined)
      plantSlip(fresh, fresh.secureSide, this.#slip);
    const ask = (token: number): number => {
      fresh.platform.registers.fill(0n);
      fresh.platform.registers[0] = BigInt(token);
      fresh.platform.registers[3] = 16n;
      fresh.platform.hcall();
      return Number(BigInt.asIntN(64, fresh.platform.registers[0] ?? 0n));
    };
    // A guest that begins by itself would find the others open.
    ask(H_SVM_INIT_START);
    const [pageInStatus, pageOutStatus, doneStatus] = [H_SVM_PAGE_IN, H_SVM_PAGE_OUT, H_SVM_INIT_DONE].map(
      ask,
    );
    const twice = new BigUint64Array(10);
    for (const token of [H_SVM_INIT_START, H_SVM_INIT_DONE]) {
      twice[0] = BigInt(token);
      hypervisor.hcall(twice, MSR_S);
    }
    const alive = machine.platform.load32(SECRET_FRAME * FRAME_BYTES, false) >= 0;
    const twiceSame = hypervisor.secure && guest.secure && alive && machine.halted === undefined;
    return {
      pageInStatus: pageInStatus ?? 0,
      pageOutStatus: pageOutStatus ?? 0,
      doneStatus: doneStatus ?? 0,
      twiceSame,
    };
  }

  #switchedOff(situation: Situation, built: Built): Facts {
    const [guest, machine, { hypervisor }] = this.#secure(situation, built);
    fillFrame(machine, SECRET_FRAME);
    machine.reset();
    let left = 0;
    for (let at = 0; at < FRAME_BYTES; at += 4) {
      if (machine.memory.u32(SECRET_FRAME * FRAME_BYTES + at, false) === SECRET) left++;
    }
    return { secure: guest.secure || hypervisor.secure, plainTextLeft: left };
  }

  #kexec(situation: Situation, built: Built): Facts {
    const [guest, , { ultravisor }] = this.#secure(situation, built);
    const shared = (): number => ultravisor.svm.states.filter((state) => state === SHARED).length;
    guest.share(SHARED_FRAME, 2);
    const before = shared();
    // A crash kernel makes no such call.
    const kdumpKeeps = before >= 2;
    if (this.#slip !== 'forget-unshare-all') guest.unshareAll();
    return { sharedAfterKexec: shared(), kdumpKeeps };
  }

  /** A secure frame mapped for reading and writing in the default window: what the device would be given. */
  #secureTce(situation: Situation, built: Built): Facts {
    const [guest, machine] = this.#secure(situation, built);
    fillFrame(machine, SECRET_FRAME);
    const H_PUT_TCE = 0x20;
    // A function masters the bus once its driver is bound.
    guest.probe();
    const ioba = 0x10_0000;
    const bridge = guest.firmware.hardware.bridges[0];
    guest.calls.set(1, bridge?.liobn ?? 0);
    guest.calls.set(2, ioba);
    guest.calls.set(3, (SECRET_FRAME * FRAME_BYTES) | 3);
    const mapped = guest.calls.hcall(H_PUT_TCE) === 0;
    const place = machine.busToRam(machine.functions[0]?.devfn ?? 0, 0, ioba);
    const seen = place === undefined ? 0 : machine.memory.u32(place, false);
    return { mapped: mapped && place !== undefined, deviceSawPlainText: seen === SECRET };
  }
}

function fillFrame(machine: Machine, frame: number): void {
  for (let at = 0; at < FRAME_BYTES; at += 4)
    machine.platform.store32(frame * FRAME_BYTES + at, SECRET, false);
}

function mappedEntries(table: {
  readonly entries: number;
  low(index: number): number;
  high(index: number): number;
}): number {
  let mapped = 0;
  for (let index = 0; index < table.entries; index++)
    if ((table.low(index) | table.high(index)) !== 0) mapped++;
  return mapped;
}

/** A mapper that passes everything on, for those that change one thing. */
function forwarding(inner: DmaMapper): DmaMapper {
  return {
    get high(): number {
      return inner.high;
    },
    reset: () => {
      inner.reset();
    },
    mapCoherent: (gpa, length) => inner.mapCoherent(gpa, length),
    map: (gpa, length, deviceWrites) => inner.map(gpa, length, deviceWrites),
    unmap: (low, length) => {
      inner.unmap(low, length);
    },
  };
}

/** The driver's mapper is settled when features are: from then on this one stands before it. */
function replaceMapper(driver: GuestDriver, make: (inner: DmaMapper) => DmaMapper): void {
  const setUp = driver.setUpQueues.bind(driver);
  driver.setUpQueues = (): boolean => {
    driver.mapper = make(driver.mapper);
    return setUp();
  };
}

/** A CPU whose byte order nobody is told: what latching it once, at machine reset, would come to. */
function latchedOnce(platform: GuestPlatform): GuestPlatform {
  return new Proxy(platform, {
    get: (target, name): unknown => {
      if (name === 'setCpu') return (cpu: number, msr: bigint) => target.setCpu(cpu, msr & ~1n);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
