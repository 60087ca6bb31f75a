import { assert } from '../core/assert.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import { XICS_IPI, XIRQ_BASE } from './abi.ts';

const XISR_MASK = 0x00ff_ffff;
const MASKED = 0xff;

/** Source flags (hw/ppc/xics.h). */
const FLAG_LSI = 1;
const FLAG_MSI = 2;

/** Source status. */
const ASSERTED = 1;
const SENT = 2;
const REJECTED = 4;
const MASKED_PENDING = 8;

/** Told whenever a CPU's external interrupt input changes. */
export type OutputChanged = (server: number, asserted: boolean) => void;

/**
 * The emulated XICS interrupt controller (QEMU hw/intc/xics.c): a presentation layer per CPU, one source layer. An
 * interrupt that a CPU's priority refuses is rejected back to its source and sent again when the CPU opens up: by
 * H_CPPR upwards, or H_EOI.
 *
 * Servers are indexes of CPUs here; numbers as guests know them are translated by the caller, except in `server`,
 * where sources keep what the guest wrote.
 */
export class Xics implements Stateful {
  readonly sources: number;
  readonly #indexOfServer: (server: number) => number;
  readonly #changed: OutputChanged;

  // Presentation, by CPU index.
  readonly #xirr: Uint32Array;
  readonly #pendingPriority: Uint8Array;
  readonly #mfrr: Uint8Array;
  /** Whether the pending interrupt came from the source layer, and not from an IPI. */
  readonly #fromSource: Uint8Array;
  readonly #output: Uint8Array;

  // Sources, by number - 0x1000.
  readonly #server: Uint32Array;
  readonly #priority: Uint8Array;
  readonly #savedPriority: Uint8Array;
  readonly #status: Uint8Array;
  readonly #flags: Uint8Array;
  /** Sources that may differ from what reset leaves, in rising order: all that is saved, digested and sent again. */
  #live: number[] = [];
  readonly #isLive: Uint8Array;
  /** Flags of what the platform claims for good. */
  readonly #fixedFlags: Uint8Array;

  constructor(
    sources: number,
    cpus: number,
    indexOfServer: (server: number) => number,
    changed: OutputChanged,
  ) {
    this.sources = sources;
    this.#indexOfServer = indexOfServer;
    this.#changed = changed;
    this.#xirr = new Uint32Array(cpus);
    this.#pendingPriority = new Uint8Array(cpus).fill(MASKED);
    this.#mfrr = new Uint8Array(cpus).fill(MASKED);
    this.#fromSource = new Uint8Array(cpus);
    this.#output = new Uint8Array(cpus);
    this.#server = new Uint32Array(sources);
    this.#priority = new Uint8Array(sources).fill(MASKED);
    this.#savedPriority = new Uint8Array(sources).fill(MASKED);
    this.#status = new Uint8Array(sources);
    this.#flags = new Uint8Array(sources);
    this.#isLive = new Uint8Array(sources);
    this.#fixedFlags = new Uint8Array(sources);
  }

  /** Whether an interrupt number belongs to the source layer. */
  isSource(irq: number): boolean {
    return irq >= XIRQ_BASE && irq < XIRQ_BASE + this.sources;
  }

  isClaimed(irq: number): boolean {
    return (this.#flags[irq - XIRQ_BASE] ?? 0) !== 0;
  }

  isLevel(irq: number): boolean {
    return ((this.#flags[irq - XIRQ_BASE] ?? 0) & FLAG_LSI) !== 0;
  }

  /** Takes a source for a device. `forGood`: it belongs to the platform and outlives resets. */
  claim(irq: number, level: boolean, forGood: boolean): void {
    const source = this.#sourceOf(irq);
    assert(this.#flags[source] === 0, 'an interrupt is claimed once');
    this.#flags[source] = level ? FLAG_LSI : FLAG_MSI;
    if (forGood) this.#fixedFlags[source] = this.#flags[source] ?? 0;
    else this.#enliven(source);
  }

  /** Gives a source back, all zero: also its priority, which the next owner finds so (xics_spapr_free_irq). */
  free(irq: number): void {
    const source = this.#sourceOf(irq);
    this.#enliven(source);
    this.#flags[source] = 0;
    this.#server[source] = 0;
    this.#priority[source] = 0;
    this.#savedPriority[source] = 0;
    this.#status[source] = 0;
  }

  /** Machine reset. Claims stay. */
  reset(): void {
    for (let cpu = 0; cpu < this.#xirr.length; cpu++) this.resetPresentation(cpu);
    for (const source of this.#live) {
      this.#server[source] = 0;
      this.#priority[source] = MASKED;
      this.#savedPriority[source] = MASKED;
      this.#status[source] = 0;
    }
  }

  resetPresentation(cpu: number): void {
    this.#xirr[cpu] = 0;
    this.#pendingPriority[cpu] = MASKED;
    this.#mfrr[cpu] = MASKED;
    this.#fromSource[cpu] = 0;
    this.#drive(cpu, 0);
  }

  pending(cpu: number): boolean {
    return this.#output[cpu] === 1;
  }

  /** A message-signalled interrupt, or any pulse. */
  pulse(irq: number): void {
    if (this.isLevel(irq)) {
      this.setLevel(irq, true);
      this.setLevel(irq, false);
      return;
    }
    const source = this.#sourceOf(irq);
    if (this.#priority[source] === MASKED) this.#setStatus(source, MASKED_PENDING);
    else this.#send(source);
  }

  setLevel(irq: number, asserted: boolean): void {
    const source = this.#sourceOf(irq);
    if (asserted) this.#setStatus(source, ASSERTED);
    else this.#clearStatus(source, ASSERTED);
    this.#resendLevel(source);
  }

  server(irq: number): number {
    return this.#server[irq - XIRQ_BASE] ?? 0;
  }

  priority(irq: number): number {
    return this.#priority[irq - XIRQ_BASE] ?? 0;
  }

  savedPriority(irq: number): number {
    return this.#savedPriority[irq - XIRQ_BASE] ?? 0;
  }

  /** ics_write_xive: routes a source, and sends what waited while it was masked. */
  route(irq: number, server: number, priority: number, savedPriority: number): void {
    const source = this.#sourceOf(irq);
    this.#enliven(source);
    this.#server[source] = server;
    this.#priority[source] = priority;
    this.#savedPriority[source] = savedPriority;
    if (this.isLevel(irq)) this.#resendLevel(source);
    else if (priority !== MASKED && this.#hasStatus(source, MASKED_PENDING)) {
      this.#clearStatus(source, MASKED_PENDING);
      this.#send(source);
    }
  }

  /** H_CPPR. */
  setPriority(cpu: number, cppr: number): void {
    const xirr = this.#xirr[cpu] ?? 0;
    const before = xirr >>> 24;
    const pending = xirr & XISR_MASK;
    this.#xirr[cpu] = ((cppr << 24) | pending) >>> 0;
    if (cppr >= before) {
      if (pending === 0) this.#resendAll(cpu);
    } else if (pending !== 0 && cppr <= (this.#pendingPriority[cpu] ?? 0)) {
      this.#xirr[cpu] = (cppr << 24) >>> 0;
      this.#pendingPriority[cpu] = MASKED;
      this.#drive(cpu, 0);
      if (this.#fromSource[cpu] === 1) {
        this.#fromSource[cpu] = 0;
        this.#reject(pending - XIRQ_BASE);
      }
    }
  }

  /** H_IPI. */
  setMfrr(cpu: number, mfrr: number): void {
    this.#mfrr[cpu] = mfrr;
    if (mfrr < (this.#xirr[cpu] ?? 0) >>> 24) this.#presentIpi(cpu);
  }

  mfrr(cpu: number): number {
    return this.#mfrr[cpu] ?? 0;
  }

  /** H_IPOLL: what H_XIRR would return, left pending. */
  poll(cpu: number): number {
    return this.#xirr[cpu] ?? 0;
  }

  /** H_XIRR. With nothing pending the priority becomes least favoured. */
  accept(cpu: number): number {
    const xirr = this.#xirr[cpu] ?? 0;
    this.#drive(cpu, 0);
    this.#xirr[cpu] = ((this.#pendingPriority[cpu] ?? 0) << 24) >>> 0;
    this.#pendingPriority[cpu] = MASKED;
    this.#fromSource[cpu] = 0;
    return xirr;
  }

  /** H_EOI: the priority is the top byte of `xirr`, the source its rest. */
  endOfInterrupt(cpu: number, xirr: number): void {
    this.#xirr[cpu] = (((this.#xirr[cpu] ?? 0) & XISR_MASK) | (xirr & ~XISR_MASK)) >>> 0;
    const irq = xirr & XISR_MASK;
    if (this.isSource(irq) && this.isLevel(irq)) this.#clearStatus(irq - XIRQ_BASE, SENT);
    if (((this.#xirr[cpu] ?? 0) & XISR_MASK) === 0) this.#resendAll(cpu);
  }

  exchange(state: StateStream): void {
    for (let cpu = 0; cpu < this.#xirr.length; cpu++) {
      this.#xirr[cpu] = state.u32(this.#xirr[cpu] ?? 0);
      this.#pendingPriority[cpu] = state.u8(this.#pendingPriority[cpu] ?? 0);
      this.#mfrr[cpu] = state.u8(this.#mfrr[cpu] ?? 0);
      this.#fromSource[cpu] = state.u8(this.#fromSource[cpu] ?? 0);
      this.#output[cpu] = state.u8(this.#output[cpu] ?? 0);
    }
    if (state.restoring) this.#forgetSources();
    const changed = this.#live.filter((source) => this.#differsFromReset(source));
    const count = state.u16(changed.length);
    for (let i = 0; i < count; i++) this.#exchangeSource(state, state.u16(changed[i] ?? 0));
  }

  #exchangeSource(state: StateStream, source: number): void {
    this.#enliven(source);
    this.#server[source] = state.u32(this.#server[source] ?? 0);
    this.#priority[source] = state.u8(this.#priority[source] ?? 0);
    this.#savedPriority[source] = state.u8(this.#savedPriority[source] ?? 0);
    this.#status[source] = state.u8(this.#status[source] ?? 0);
    this.#flags[source] = state.u8(this.#flags[source] ?? 0);
  }

  #forgetSources(): void {
    for (const source of this.#live) {
      this.#server[source] = 0;
      this.#priority[source] = MASKED;
      this.#savedPriority[source] = MASKED;
      this.#status[source] = 0;
      this.#flags[source] = this.#fixedFlags[source] ?? 0;
      this.#isLive[source] = 0;
    }
    this.#live = [];
  }

  #differsFromReset(source: number): boolean {
    return (
      this.#flags[source] !== this.#fixedFlags[source] ||
      this.#priority[source] !== MASKED ||
      this.#savedPriority[source] !== MASKED ||
      this.#server[source] !== 0 ||
      this.#status[source] !== 0
    );
  }

  #enliven(source: number): void {
    if (this.#isLive[source] === 1) return;
    this.#isLive[source] = 1;
    const live = this.#live;
    let at = live.length;
    while (at > 0 && (live[at - 1] ?? 0) > source) at--;
    live.splice(at, 0, source);
  }

  #sourceOf(irq: number): number {
    assert(this.isSource(irq), 'only sources of the source layer are asked for');
    return irq - XIRQ_BASE;
  }

  #hasStatus(source: number, bits: number): boolean {
    return ((this.#status[source] ?? 0) & bits) !== 0;
  }

  #setStatus(source: number, bits: number): void {
    this.#enliven(source);
    this.#status[source] = (this.#status[source] ?? 0) | bits;
  }

  #clearStatus(source: number, bits: number): void {
    this.#status[source] = (this.#status[source] ?? 0) & ~bits;
  }

  #drive(cpu: number, level: 0 | 1): void {
    if (this.#output[cpu] === level) return;
    this.#output[cpu] = level;
    this.#changed(cpu, level === 1);
  }

  /** icp_irq: presents a source to its CPU, or rejects it, or what it displaces. */
  #send(source: number): void {
    const cpu = this.#indexOfServer(this.#server[source] ?? 0);
    const priority = this.#priority[source] ?? MASKED;
    if (cpu < 0) {
      this.#reject(source);
      return;
    }
    const xirr = this.#xirr[cpu] ?? 0;
    const pending = xirr & XISR_MASK;
    if (priority >= xirr >>> 24 || (pending !== 0 && (this.#pendingPriority[cpu] ?? 0) <= priority)) {
      this.#reject(source);
      return;
    }
    if (pending !== 0 && this.#fromSource[cpu] === 1) this.#reject(pending - XIRQ_BASE);
    this.#xirr[cpu] = ((xirr & ~XISR_MASK) | (source + XIRQ_BASE)) >>> 0;
    this.#fromSource[cpu] = 1;
    this.#pendingPriority[cpu] = priority;
    this.#drive(cpu, 1);
  }

  #reject(source: number): void {
    const flags = this.#flags[source] ?? 0;
    if ((flags & FLAG_MSI) !== 0) this.#setStatus(source, REJECTED);
    else if ((flags & FLAG_LSI) !== 0) this.#clearStatus(source, SENT);
  }

  #presentIpi(cpu: number): void {
    const xirr = this.#xirr[cpu] ?? 0;
    const pending = xirr & XISR_MASK;
    const mfrr = this.#mfrr[cpu] ?? 0;
    if (pending !== 0 && (this.#pendingPriority[cpu] ?? 0) <= mfrr) return;
    if (pending !== 0 && this.#fromSource[cpu] === 1) this.#reject(pending - XIRQ_BASE);
    this.#xirr[cpu] = ((xirr & ~XISR_MASK) | XICS_IPI) >>> 0;
    this.#pendingPriority[cpu] = mfrr;
    this.#fromSource[cpu] = 0;
    this.#drive(cpu, 1);
  }

  /** icp_resend: the IPI first, then every source in order, whatever CPU it goes to. */
  #resendAll(cpu: number): void {
    if ((this.#mfrr[cpu] ?? 0) < (this.#xirr[cpu] ?? 0) >>> 24) this.#presentIpi(cpu);
    const live = this.#live;
    for (let i = 0; i < live.length; i++) {
      const source = live[i] ?? 0;
      if (((this.#flags[source] ?? 0) & FLAG_LSI) !== 0) this.#resendLevel(source);
      else if (this.#hasStatus(source, REJECTED)) {
        this.#clearStatus(source, REJECTED);
        if (this.#priority[source] !== MASKED) this.#send(source);
      }
    }
  }

  #resendLevel(source: number): void {
    if (this.#priority[source] === MASKED) return;
    if (!this.#hasStatus(source, ASSERTED) || this.#hasStatus(source, SENT)) return;
    this.#setStatus(source, SENT);
    this.#send(source);
  }
}
