import { H_CPPR, H_EOI, H_XIRR } from '../papr/abi.ts';
import type { GuestCalls } from './calls.ts';
import type { Hardware } from './hardware.ts';

/** Priority that Linux gives every source; 0xff is off. */
const PRIORITY = 5;
const ACCEPT_ALL = 0xff;

/** The presentation layer of XICS as a guest drives it (PAPR+ 14.11): by hypercall, sources by RTAS. */
export class Interrupts {
  readonly #calls: GuestCalls;
  readonly #setXive: number;
  readonly #intOn: number;
  readonly #intOff: number;
  #xirr = 0;

  constructor(calls: GuestCalls, hardware: Hardware) {
    this.#calls = calls;
    this.#setXive = hardware.tokens.get('ibm,set-xive') ?? -1;
    this.#intOn = hardware.tokens.get('ibm,int-on') ?? -1;
    this.#intOff = hardware.tokens.get('ibm,int-off') ?? -1;
  }

  /** This CPU takes interrupts of every priority. */
  open(): void {
    this.#calls.set(1, ACCEPT_ALL);
    this.#calls.hcall(H_CPPR);
  }

  /** Routes a source to CPU 0 and lets it through. False if the platform knows no such source. */
  unmask(source: number): boolean {
    this.#calls.argument(0, source);
    this.#calls.argument(1, 0);
    this.#calls.argument(2, PRIORITY);
    if (this.#calls.rtas(this.#setXive, 3, 1) !== 0) return false;
    this.#calls.argument(0, source);
    return this.#calls.rtas(this.#intOn, 1, 1) === 0;
  }

  mask(source: number): void {
    this.#calls.argument(0, source);
    this.#calls.rtas(this.#intOff, 1, 1);
    this.#calls.argument(0, source);
    this.#calls.argument(1, 0);
    this.#calls.argument(2, ACCEPT_ALL);
    this.#calls.rtas(this.#setXive, 3, 1);
  }

  /** The source of the interrupt that is pending, now accepted; 0 if none is. */
  accept(): number {
    if (!this.#calls.platform.interruptPending()) return 0;
    if (this.#calls.hcall(H_XIRR) !== 0) return 0;
    this.#xirr = this.#calls.low(1);
    return this.#xirr & 0xff_ffff;
  }

  /** Ends the interrupt last accepted. */
  end(): void {
    this.#calls.set(1, this.#xirr);
    this.#calls.hcall(H_EOI);
  }
}
