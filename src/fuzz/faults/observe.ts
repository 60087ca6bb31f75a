import { DiagnosticLog } from '../../emu/core/diagnostics.ts';
import { KIND, type MachineEvent, type Tap } from '../../emu/core/tap.ts';
import type { Behaviour, BehaviourName } from '../../emu/virtio/behaviour.ts';
import type { Driver } from '../adversary/driver.ts';
import type { Case } from '../case.ts';
import { machineFactory } from '../factory.ts';
import type { Breach } from '../judge.ts';
import { Runner, type Witness } from '../runner.ts';

/** What became of a device that was told lies. */
export type OutcomeClass =
  /** DEVICE_NEEDS_RESET stands in the status. */
  | 'needs reset'
  /** The device is dead, and nothing that the driver can read says so. */
  | 'dies unseen'
  /** A request came back, and part of what it asked for reached no memory. */
  | 'lost unseen'
  /** Everything that was offered came back. */
  | 'served'
  /** Nothing came back, and nothing is wrong. */
  | 'nothing';

export interface Observation {
  readonly outcome: OutcomeClass;
  /** What the outcome is read from, in one line. */
  readonly evidence: string;
  /** What an invariant says against the run, recovery included. */
  readonly breach: Breach | undefined;
}

const DMA_READ = KIND['dma-read'];
const DMA_WRITE = KIND['dma-write'];
const DMA_FAULT = KIND['dma-fault'];
const HOST_OUTPUT = KIND['host-output'];
const ENDING = KIND['ending'];
/** `how` of an ending. */
const ABORT = 1;
const NEEDS_RESET = 0x40;
const QUEUES = 3;
const QUEUE_INTERRUPT = 1;
/** What QEMU says without giving the device up. */
const COMPLAINT = /virtio-serial-bus: Unexpected port id/;
const PROGRAM = 'qemu-system-ppc64: ';

/** Runs cases and says what came of each, as a driver and somebody at QEMU's stderr see it. */
export class Observer {
  readonly #log: DiagnosticLog = new DiagnosticLog();
  readonly #runner: Runner;

  /** `behaviour`: deviations one by one, whatever is asked for later. */
  constructor(behaviour?: Behaviour) {
    this.#runner = new Runner(machineFactory([], this.#log, behaviour));
  }

  observe(value: Case, behaviour: BehaviourName): Observation {
    const look = new Look(this.#log);
    const machine = { ...value.machine, behaviour };
    const { breach } = this.#runner.run({ ...value, machine }, { alsoTap: look, witness: look });
    return { outcome: look.outcome(), evidence: look.evidence(), breach };
  }
}

/** One run from the first step to the last. */
class Look implements Tap, Witness {
  readonly wantsGuestWrites = false;
  readonly #log: DiagnosticLog;
  readonly #seen: string[] = [];
  #watching = false;
  #read = 0;
  #written = 0;
  #faults = 0;
  #handed = 0;
  #ending = '';
  #status = 0;
  #isr = 0;
  #used: readonly string[] = [];
  #said: readonly string[] = [];

  constructor(log: DiagnosticLog) {
    this.#log = log;
  }

  take(event: MachineEvent): void {
    if (!this.#watching) return;
    if (event.kind === DMA_READ) this.#read += event.byteLength;
    else if (event.kind === DMA_WRITE) this.#written += event.byteLength;
    else if (event.kind === DMA_FAULT) this.#faults++;
    else if (event.kind === ENDING) this.#ending = event.words[0] === ABORT ? 'QEMU aborts' : 'QEMU hangs';
    else if (event.kind === HOST_OUTPUT) this.#handed += event.byteLength;
  }

  see(value: number): void {
    this.#seen.push(value.toString(16));
  }

  atStart(): void {
    this.#log.lines.length = 0;
    this.#watching = true;
  }

  atEnd(driver: Driver): void {
    this.#watching = false;
    this.#said = this.#log.lines.filter((line) => line.startsWith(PROGRAM));
    this.#used = Array.from({ length: QUEUES }, (_, queue) => driver.usedEntries(queue)).flatMap(
      (entries, queue) => (entries.length === 0 ? [] : [`${queue}: ${entries.join(' ')}`]),
    );
    this.#status = driver.readStatus();
    this.#isr = driver.readIsr();
  }

  outcome(): OutcomeClass {
    if ((this.#status & NEEDS_RESET) !== 0) return 'needs reset';
    if (this.#said.some((line) => !COMPLAINT.test(line))) return 'dies unseen';
    if (this.#faults > 0) return 'lost unseen';
    return this.#used.length > 0 || (this.#isr & QUEUE_INTERRUPT) !== 0 ? 'served' : 'nothing';
  }

  evidence(): string {
    const parts = [`status ${this.#status.toString(16)} isr ${this.#isr}`];
    if (this.#used.length > 0) parts.push(`used ${this.#used.join(', ')}`);
    for (const line of this.#said) parts.push(line.slice(PROGRAM.length));
    if (this.#read + this.#written > 0) parts.push(`read ${this.#read} wrote ${this.#written}`);
    if (this.#faults > 0) parts.push(`${this.#faults} faults`);
    if (this.#ending !== '') parts.push(this.#ending);
    if (this.#handed > 0) parts.push(`${this.#handed} bytes for the host`);
    if (this.#seen.length > 0) parts.push(`saw ${this.#seen.join(' ')}`);
    return parts.join('; ');
  }
}
