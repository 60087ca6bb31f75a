import type { Stateful, StateStream } from '../core/state.ts';
import {
  DRC_CPU,
  DRC_PCI,
  DRC_PHB,
  INDICATOR_ALLOCATION_STATE,
  INDICATOR_DR,
  INDICATOR_ISOLATION_STATE,
  RTAS_NO_SUCH_INDICATOR,
  RTAS_PARAM_ERROR,
  RTAS_SUCCESS,
} from './abi.ts';

/** States of a connector (QEMU hw/ppc/spapr_drc.c; PAPR+ 13.4). PCI slots are physical, the others logical. */
const UNUSABLE = 1;
const AVAILABLE = 2;
const UNISOLATED = 3;
const CONFIGURED = 4;
const POWERED_ON = 6;
const PHYSICAL_UNISOLATED = 7;
const PHYSICAL_CONFIGURED = 8;

const ISOLATED_WANTED = 0;
const UNISOLATED_WANTED = 1;
const UNUSABLE_WANTED = 0;
const USABLE_WANTED = 1;
const INDICATOR_STATE_MAX = 3;

/** Entity sense: what stands at a connector. */
const SENSE_EMPTY = 0;
const SENSE_PRESENT = 1;
const SENSE_UNUSABLE = 2;

export interface ConnectorCounts {
  readonly cpuNumbers: readonly number[];
  readonly hostBridges: number;
  readonly pciBridges: readonly number[];
}

/**
 * Dynamic reconfiguration connectors as RTAS shows them. Nothing is ever plugged in while the machine runs; guests can
 * still isolate, release and take back what is there.
 */
export class Connectors implements Stateful {
  readonly #slots: ReadonlyMap<number, number>;
  readonly #indexes: readonly number[];
  readonly #present: (index: number) => boolean;
  readonly #states: Uint8Array;
  readonly #indicators: Uint8Array;

  constructor(counts: ConnectorCounts, present: (index: number) => boolean) {
    const indexes = counts.cpuNumbers.map((cpu) => DRC_CPU * 2 ** 28 + cpu);
    for (let phb = 0; phb < counts.hostBridges; phb++) indexes.push(DRC_PHB * 2 ** 28 + phb);
    for (const phb of counts.pciBridges) {
      for (let devfn = 0; devfn < 256; devfn++) indexes.push(DRC_PCI * 2 ** 28 + phb * 2 ** 16 + devfn);
    }
    this.#indexes = indexes;
    this.#slots = new Map(indexes.map((index, slot) => [index, slot]));
    this.#present = present;
    this.#states = new Uint8Array(indexes.length);
    this.#indicators = new Uint8Array(indexes.length);
  }

  has(index: number): boolean {
    return this.#slots.has(index);
  }

  /** At machine reset and client-architecture-support: what is there is configured. */
  resetStates(): void {
    for (const [slot, index] of this.#indexes.entries()) {
      const present = this.#present(index);
      if (isPhysical(index)) this.#states[slot] = present ? PHYSICAL_CONFIGURED : POWERED_ON;
      else this.#states[slot] = present ? CONFIGURED : UNUSABLE;
    }
  }

  reset(): void {
    this.resetStates();
    for (const [slot, index] of this.#indexes.entries()) {
      this.#indicators[slot] = isPhysical(index) && this.#present(index) ? 1 : 0;
    }
  }

  /** get-sensor-state 9003; -1 without such a connector. */
  sense(index: number): number {
    const slot = this.#slots.get(index);
    if (slot === undefined) return -1;
    if (isPhysical(index)) return this.#present(index) ? SENSE_PRESENT : SENSE_EMPTY;
    return this.#states[slot] === UNUSABLE ? SENSE_UNUSABLE : SENSE_PRESENT;
  }

  /** Whether ibm,configure-connector has something to describe. */
  isConfigurable(index: number): boolean {
    const state = this.#states[this.#slots.get(index) ?? -1];
    return (
      state === UNISOLATED ||
      state === CONFIGURED ||
      state === PHYSICAL_UNISOLATED ||
      state === PHYSICAL_CONFIGURED
    );
  }

  /** set-indicator; the status of the call. */
  set(indicator: number, index: number, value: number): number {
    const row = INDICATORS.find((entry) => entry.indicator === indicator);
    const slot = this.#slots.get(index);
    if (row === undefined || slot === undefined) return RTAS_NO_SUCH_INDICATOR;
    return row.set(this, index, slot, value);
  }

  exchange(state: StateStream): void {
    state.bytes(this.#states);
    state.bytes(this.#indicators);
  }

  isolate(index: number, slot: number, value: number): number {
    if (value === ISOLATED_WANTED)
      return isPhysical(index) ? this.#isolatePhysical(slot) : this.#isolateLogical(slot);
    if (value !== UNISOLATED_WANTED) return RTAS_PARAM_ERROR;
    const state = this.#states[slot];
    if (isPhysical(index)) {
      if (state !== POWERED_ON) return RTAS_SUCCESS;
      if (!this.#present(index)) return RTAS_NO_SUCH_INDICATOR;
      this.#states[slot] = PHYSICAL_UNISOLATED;
      return RTAS_SUCCESS;
    }
    if (state === UNUSABLE) return RTAS_NO_SUCH_INDICATOR;
    if (state === AVAILABLE) this.#states[slot] = UNISOLATED;
    return RTAS_SUCCESS;
  }

  indicate(index: number, slot: number, value: number): number {
    if (!isPhysical(index)) return RTAS_NO_SUCH_INDICATOR;
    if (value > INDICATOR_STATE_MAX) return RTAS_PARAM_ERROR;
    this.#indicators[slot] = value;
    return RTAS_SUCCESS;
  }

  allocate(index: number, slot: number, value: number): number {
    if (isPhysical(index)) return RTAS_NO_SUCH_INDICATOR;
    const state = this.#states[slot];
    if (value === USABLE_WANTED) {
      if (state !== UNUSABLE) return RTAS_SUCCESS;
      if (!this.#present(index)) return RTAS_NO_SUCH_INDICATOR;
      this.#states[slot] = AVAILABLE;
      return RTAS_SUCCESS;
    }
    if (value !== UNUSABLE_WANTED) return RTAS_PARAM_ERROR;
    if (state === UNISOLATED || state === CONFIGURED) return RTAS_PARAM_ERROR;
    this.#states[slot] = UNUSABLE;
    return RTAS_SUCCESS;
  }

  #isolatePhysical(slot: number): number {
    if (this.#states[slot] === PHYSICAL_UNISOLATED) return RTAS_PARAM_ERROR;
    this.#states[slot] = POWERED_ON;
    return RTAS_SUCCESS;
  }

  #isolateLogical(slot: number): number {
    const state = this.#states[slot];
    if (state === UNISOLATED) return RTAS_PARAM_ERROR;
    if (state === CONFIGURED) this.#states[slot] = AVAILABLE;
    return RTAS_SUCCESS;
  }
}

interface Indicator {
  readonly indicator: number;
  readonly set: (connectors: Connectors, index: number, slot: number, value: number) => number;
}

const INDICATORS: readonly Indicator[] = [
  { indicator: INDICATOR_ISOLATION_STATE, set: (of, index, slot, value) => of.isolate(index, slot, value) },
  { indicator: INDICATOR_DR, set: (of, index, slot, value) => of.indicate(index, slot, value) },
  { indicator: INDICATOR_ALLOCATION_STATE, set: (of, index, slot, value) => of.allocate(index, slot, value) },
];

function isPhysical(index: number): boolean {
  return index >>> 28 === DRC_PCI;
}
