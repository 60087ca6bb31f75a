import { GuestDriver } from '../../../emu/guest/driver.ts';
import type { GuestPlatform } from '../../../emu/guest/platform.ts';
import { PROFILES_BY_NAME } from '../../../emu/guest/profiles.ts';
import { Astray, LyingPlatform, type Lie } from './lying-platform.ts';

/** What a driver did about a device that lies. */
export interface Survival {
  /** In its own words why it gave up; empty if it went on to the end. */
  readonly gaveUp: string;
  readonly completed: number;
  /** Whether it noticed that its data were wrong. */
  readonly correct: boolean;
  /** A sentence if it did not survive: it threw, left its ground or did not end. */
  readonly harm: string;
}

/** RAM that scripted drivers use (emu/guest/driver.ts). */
const RAM_FROM = 0x40_0000;
const RAM_TO = 0x80_0000;
const MODERN_BAR = 4;
const REQUESTS = 8;

/** Drivers on one machine, whose device lies to each. */
export class Victim {
  readonly #platform: LyingPlatform;
  readonly #driver: GuestDriver;
  readonly #barBytes: number | undefined;

  /** `profile`: a row of GUEST_PROFILES with the modern interface; `barBytes`: its device ends sooner than it says. */
  constructor(real: GuestPlatform, profile: string, barBytes?: number) {
    this.#barBytes = barBytes;
    const row = PROFILES_BY_NAME.get(profile);
    if (row === undefined) throw new Error(`no guest profile is called '${profile}'`);
    this.#platform = new LyingPlatform(real);
    this.#driver = new GuestDriver(this.#platform, {
      profile: row,
      requests: REQUESTS,
      depth: 2,
      loopback: true,
    });
  }

  /** A life under the lie, then one with an honest device, which must find everything right again. */
  survive(lie: Lie): Survival {
    const driver = this.#driver;
    const platform = this.#platform;
    driver.boot();
    const [found] = driver.firmware.functions;
    const { hardware } = driver.firmware;
    const bar = driver.profile.transports[0] === 'modern' ? MODERN_BAR : 0;
    platform.begin(lie, {
      ramFrom: RAM_FROM,
      ramTo: RAM_TO,
      bar: found?.bars[bar] ?? 0,
      bars: Array.from(found?.bars ?? [], (from, at): readonly [number, number] => [
        from,
        from + (this.#barBytes ?? found?.barBytes[at] ?? 0),
      ]),
      devfn: found?.devfn ?? 0,
      readConfig: hardware.tokens.get('ibm,read-pci-config') ?? -1,
      interruptOn: hardware.tokens.get('ibm,int-on') ?? -1,
      rings: driver.rings.map((ring) => ring.writer),
    });
    const harm = this.#life();
    const { gaveUp, completed, dataCorrect } = driver.outcome;
    const first = { gaveUp, completed, correct: dataCorrect };
    platform.relent();
    if (harm !== '') return { ...first, harm };
    const again = this.#life();
    const { outcome } = driver;
    const healed = again === '' && outcome.completed === REQUESTS && outcome.dataCorrect;
    return {
      ...first,
      harm: healed ? '' : `with an honest device ${again}${outcome.gaveUp || 'data were wrong'}`,
    };
  }

  #life(): string {
    try {
      this.#driver.live();
      return '';
    } catch (error) {
      if (error instanceof Astray) return `the driver ${error.message}`;
      return `the driver threw ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}
