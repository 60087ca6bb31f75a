/** The parts of a machine whose host has an ultravisor: firmware, hypervisor, and the events of what passes between. */
import { AES_GCM, UNENCRYPTED } from '../core/crypto.ts';
import type { Diagnostics } from '../core/diagnostics.ts';
import type { Digest } from '../core/digest.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import { KIND, type MachineEvent } from '../core/tap.ts';
import type { TapLine } from '../core/tap-line.ts';
import type { MemorySnapshot } from '../memory/guest-memory.ts';
import type { HostRam } from '../memory/host-ram.ts';
import { FRAME_BYTES, MSR_S } from '../ultravisor/abi.ts';
import { GuestView } from '../ultravisor/guest-view.ts';
import { KvmHypervisor } from '../ultravisor/hypervisor.ts';
import type { SecureEvents } from '../ultravisor/ports.ts';
import type { ReflectedFrame } from '../ultravisor/reflection.ts';
import { Ultravisor } from '../ultravisor/ultravisor.ts';
import type { SecureOptions } from './host-options.ts';

/** What the secure side needs of the machine around it. */
export interface SecureMachine {
  readonly ram: HostRam;
  readonly cpus: number;
  readonly seed: string;
  readonly options: SecureOptions;
  readonly line: TapLine;
  readonly diagnostics: Diagnostics;
  msr(): bigint;
  setMsr(msr: bigint): void;
  acting(): number;
  radix(): boolean;
  hcall(registers: BigUint64Array): void;
  fatal(): void;
}

export class SecureSide implements Stateful {
  readonly ultravisor: Ultravisor;
  readonly hypervisor: KvmHypervisor;
  readonly view: GuestView;

  constructor(machine: SecureMachine) {
    const { ram, options, diagnostics } = machine;
    const events = new SecureLine(machine.line);
    this.ultravisor = new Ultravisor({
      ram,
      secureBytes: options.secureBytes,
      cpus: machine.cpus,
      seed: machine.seed,
      behaviour: options.behaviour,
      lockbox: options.lockbox,
      cipher: options.cipher === 'none' ? UNENCRYPTED : AES_GCM,
      events,
      diagnostics,
      msr: () => machine.msr(),
      setMsr: (msr) => machine.setMsr(msr),
      acting: () => machine.acting(),
    });
    this.hypervisor = new KvmHypervisor({
      ram,
      ultravisor: this.ultravisor,
      events,
      admits: options.admits,
      devicePages: Math.floor(options.secureBytes / FRAME_BYTES),
      slots: [{ id: 0, from: 0, bytes: ram.size }],
      radix: () => machine.radix(),
      hcall: (registers) => machine.hcall(registers),
      fatal: (reason) => {
        if (diagnostics.listening) diagnostics.say(reason);
        machine.fatal();
      },
    });
    this.ultravisor.hypervisor = this.hypervisor;
    this.view = new GuestView(this.ultravisor);
  }

  get secure(): boolean {
    return this.ultravisor.secure;
  }

  /** `sc 1`: a secure guest's goes to the ultravisor, another's straight to the hypervisor. */
  hypercall(registers: BigUint64Array, msr: bigint): void {
    if (this.secure) this.ultravisor.guestHcall(registers);
    else this.hypervisor.hcall(registers, msr & ~MSR_S);
  }

  /** A load of the secure guest outside its slots. The hypervisor answers in big-endian order. */
  load(address: number, width: 1 | 2 | 4 | 8, bigEndian: boolean): bigint {
    return ordered(this.ultravisor.ciLoad(address, width), width, bigEndian);
  }

  store(address: number, width: 1 | 2 | 4 | 8, value: bigint, bigEndian: boolean): void {
    this.ultravisor.ciStore(address, width, ordered(value, width, bigEndian));
  }

  reset(): void {
    this.hypervisor.svmOff();
    this.ultravisor.reset();
  }

  snapshot(): MemorySnapshot {
    return this.ultravisor.snapshot();
  }

  restore(snapshot: MemorySnapshot): void {
    this.ultravisor.restore(snapshot);
  }

  digest(into: Digest): void {
    this.ultravisor.digest(into);
  }

  exchange(state: StateStream): void {
    this.ultravisor.exchange(state);
    this.hypervisor.exchange(state);
  }
}

/** The ultravisor turns values round where the instruction has another order than the hypervisor. */
function ordered(value: bigint, width: number, bigEndian: boolean): bigint {
  if (bigEndian) return BigInt.asUintN(8 * width, value);
  let turned = 0n;
  for (let i = 0; i < width; i++) turned = (turned << 8n) | ((value >> BigInt(8 * i)) & 0xffn);
  return turned;
}

/** Events of what passes between ultravisor and hypervisor, and of both tables. */
class SecureLine implements SecureEvents {
  readonly #line: TapLine;

  constructor(line: TapLine) {
    this.#line = line;
  }

  guestFault(address: number): void {
    const event = this.#line.open(KIND['guest-fault']);
    if (event === undefined) return;
    event.small(0, address);
    this.#line.send();
  }

  hypervisorUcall(number: number, inputs: readonly bigint[]): void {
    this.#call(KIND['hypervisor-ucall'], number, inputs);
  }

  hypervisorUcallReturn(status: number, r4: bigint, r5: bigint): void {
    const event = this.#line.open(KIND['hypervisor-ucall-return']);
    if (event === undefined) return;
    event.fields[0] = BigInt.asUintN(64, BigInt(status));
    event.fields[1] = r4;
    event.fields[2] = r5;
    this.#line.send();
  }

  ownHcall(token: number, inputs: readonly bigint[]): void {
    this.#call(KIND['uv-hcall'], token, inputs);
  }

  ownHcallReturn(status: bigint): void {
    const event = this.#line.open(KIND['uv-hcall-return']);
    if (event === undefined) return;
    event.fields[0] = status;
    this.#line.send();
  }

  reflect(frame: ReflectedFrame): void {
    const event = this.#line.open(KIND['reflect']);
    if (event === undefined) return;
    event.small(0, frame.cpu);
    event.small(1, frame.vector);
    event.small(2, frame.own ? 1 : 0);
    const bytes = frame.bytes();
    event.carry(bytes, 0, bytes.length);
    this.#line.send();
  }

  reflectReturn(frame: ReflectedFrame): void {
    const event = this.#line.open(KIND['reflect-return']);
    if (event === undefined) return;
    const { general } = frame;
    event.fields[0] = general[0] ?? 0n;
    event.fields[1] = general[2] ?? 0n;
    for (let i = 4; i <= 12; i++) event.fields[i - 2] = general[i] ?? 0n;
    event.fields[11] = general[31] ?? 0n;
    this.#line.send();
  }

  pageState(side: 0 | 1, gfn: number, from: number, to: number): void {
    const event = this.#line.open(KIND['page-state']);
    if (event === undefined) return;
    this.#words(event, side, gfn, from, to);
  }

  vmState(side: 0 | 1, from: number, to: number): void {
    const event = this.#line.open(KIND['vm-state']);
    if (event === undefined) return;
    this.#words(event, side, from, to);
  }

  #words(event: MachineEvent, ...words: readonly number[]): void {
    for (const [index, word] of words.entries()) event.small(index, word);
    this.#line.send();
  }

  #call(kind: number, number: number, inputs: readonly bigint[]): void {
    const event = this.#line.open(kind);
    if (event === undefined) return;
    event.small(0, number);
    for (let i = 0; i < 9; i++) event.fields[1 + i] = inputs[i] ?? 0n;
    this.#line.send();
  }
}
