import type { SealingCipher } from '../core/crypto.ts';
import type { Diagnostics } from '../core/diagnostics.ts';
import type { Digest } from '../core/digest.ts';
import { Rng } from '../core/rng.ts';
import type { Stateful, StateStream } from '../core/state.ts';
import { PagedMemory, type MemorySnapshot } from '../memory/guest-memory.ts';
import type { HostRam } from '../memory/host-ram.ts';
import {
  H_CEDE,
  H_FUNCTION,
  H_LOGICAL_CI_LOAD,
  H_LOGICAL_CI_STORE,
  H_RANDOM,
  H_SUCCESS,
  KVMPPC_H_RTAS,
  MSR_EE,
  MSR_ME,
  MSR_PR,
  MSR_SF,
} from '../papr/abi.ts';
import {
  FRAME_BYTES,
  H_PAGE_IN_NONSHARED,
  H_SVM_INIT_ABORT,
  H_SVM_INIT_DONE,
  H_SVM_INIT_START,
  H_SVM_PAGE_IN,
  FRAME_SHIFT,
  MSR_HV,
  MSR_S,
  MSR_TS,
  U_BAD_MODE,
  U_FUNCTION,
  U_P2,
  U_P3,
  U_PARAMETER,
  U_PERMISSION,
  U_RETRY,
  U_SUCCESS,
  UV_RETURN,
  VECTOR_HDSI,
  VECTOR_SYSTEM_CALL,
} from './abi.ts';
import type { Behaviour } from './behaviour.ts';
import { enterSecureMode, type EsmHost } from './esm.ts';
import { hcallRegisters } from './hcall-registers.ts';
import type { LockboxPolicy } from './lockbox.ts';
import {
  IMPLICIT,
  IMPLICIT_INV,
  PAGED_OUT,
  SHARED_INV,
  VM_ABORT,
  VM_ENDED,
  VM_NONE,
  VM_SECURE,
  VM_STARTING,
  type ShareKind,
} from './page-state.ts';
import { Pages } from './pages.ts';
import type { HypervisorExit, HypervisorPort, SecureEvents, UcallCaller, UltravisorPort } from './ports.ts';
import { Reflection, VcpuRegisters, type Interrupted, type ReflectedFrame } from './reflection.ts';
import { RtasBounce, VCPUS_MAX, type RtasHost } from './rtas-bounce.ts';
import { MAPS_NORMAL, MAPS_SECURE, slotIdFits, Svm } from './svm.ts';
import { UCALLS_BY_NUMBER, type Ucall } from './ucalls.ts';

/** What the ultravisor needs of the machine that it runs on. */
export interface UltravisorParts {
  readonly ram: HostRam;
  /** Bytes of secure memory. */
  readonly secureBytes: number;
  readonly cpus: number;
  readonly seed: string;
  readonly behaviour: Behaviour;
  readonly lockbox: LockboxPolicy;
  readonly cipher: SealingCipher;
  readonly events: SecureEvents;
  readonly diagnostics: Diagnostics;
  /** MSR of the CPU that acts, without S, and its number. */
  msr(): bigint;
  setMsr(msr: bigint): void;
  acting(): number;
}

/** Why no instruction of the guest completes any more. */
export type Halt =
  /** An access faults for ever: the hypervisor does not bring the page, or brings another one. */
  | 'fault loop'
  /** ibm,os-term was called for it. */
  | 'terminated'
  /** The firmware gave up, and the whole machine with it. */
  | 'firmware abort';

/** Where a CPU starts or goes on, where that is not behind its last call. */
export interface Entry {
  readonly address: bigint;
  readonly argument: bigint;
}

/** Faults of one access after which the CPU is taken to be in a loop. */
const FAULTS_MAX = 16;
/** The guest's LPID: there is one guest on a machine. */
export const GUEST_LPID = 1;
const NO_INPUTS: readonly bigint[] = [];

/**
 * The ultravisor of a POWER9 with PEF, for the one guest of a machine (open-power/ultravisor). The hypervisor is behind
 * `hypervisor`, a port; the guest's calls and accesses come in through `guestUcall`, `guestHcall`, `reach` and the two
 * register accesses. It is synchronous: when a call returns, all that it causes has happened.
 */
export class Ultravisor implements UltravisorPort, RtasHost, EsmHost, Stateful {
  readonly svm: Svm;
  readonly pages: Pages;
  readonly behaviour: Behaviour;
  readonly cipher: SealingCipher;
  readonly chance: Rng;
  readonly vcpus: readonly VcpuRegisters[];
  readonly lockbox: LockboxPolicy;
  /** Second results of a few ultracalls, r4 and r5. */
  readonly results: BigUint64Array<ArrayBuffer> = new BigUint64Array(2);
  /** The partition table entry of the guest, and the registers that only the ultravisor may write. */
  readonly partitionEntry: BigUint64Array<ArrayBuffer> = new BigUint64Array(2);
  readonly restricted: Map<number, bigint> = new Map();
  halt: Halt | undefined;
  readonly #parts: UltravisorParts;
  readonly #reflection: Reflection;
  readonly #rtas: RtasBounce;
  /** By frame: brought in by UV_ESM. */
  readonly #broughtIn: Uint8Array;
  readonly #entries: Map<number, Entry> = new Map();
  readonly #startCookies: Map<number, Entry> = new Map();
  #hypervisor: HypervisorPort | undefined;
  /** Of the guest that entered UV_ESM last. */
  #registers: BigUint64Array = new BigUint64Array(10);
  whyNot = '';

  constructor(parts: UltravisorParts) {
    this.#parts = parts;
    this.behaviour = parts.behaviour;
    this.cipher = parts.cipher;
    this.lockbox = parts.lockbox;
    this.chance = Rng.stream(parts.seed, 'ultravisor');
    this.svm = new Svm(new PagedMemory(parts.ram.size), parts.ram, {
      pageState: (gfn, from, to) => parts.events.pageState(0, gfn, from, to),
      vmState: (from, to) => parts.events.vmState(0, from, to),
    });
    this.pages = new Pages(this.svm, this);
    this.#reflection = new Reflection(this.chance, parts.behaviour.randomRegisters === 'documented', () =>
      BigInt(GUEST_LPID),
    );
    this.#rtas = new RtasBounce(this);
    this.#broughtIn = new Uint8Array(this.svm.frames);
    this.vcpus = Array.from({ length: parts.cpus }, () => new VcpuRegisters());
  }

  /** The hypervisor that is called from now on. */
  set hypervisor(port: HypervisorPort) {
    this.#hypervisor = port;
  }

  /** Whether the guest runs with MSR[S]. */
  get secure(): boolean {
    return this.svm.state === VM_SECURE || this.svm.state === VM_ENDED;
  }

  /** Bytes of secure memory that no slot has taken. */
  get free(): number {
    return this.#parts.secureBytes - this.svm.reserved;
  }

  get checksTree(): boolean {
    return this.behaviour.treeChecked === 'documented';
  }

  /** Where a CPU goes on that was started, or went through UV_ESM; undefined if behind its last call. */
  entryOf(cpu: number): Entry | undefined {
    return this.#entries.get(cpu);
  }

  say(line: string): void {
    if (this.#parts.diagnostics.listening) this.#parts.diagnostics.say(line);
  }

  // --- Ultracalls -------------------------------------------------------------------------------------------------

  /** `sc 2` of the guest: r3 … r12 in place. */
  guestUcall(registers: BigUint64Array): void {
    if (this.halt !== undefined) return;
    this.#registers = registers;
    this.#entries.delete(this.#parts.acting());
    const number = registers[0] ?? 0n;
    const inputs = Array.from(registers.subarray(1));
    // A guest cannot set S nor HV, whatever it writes into its MSR.
    const msr = (this.#parts.msr() & ~(MSR_S | MSR_HV)) | (this.secure ? MSR_S : 0n);
    this.results.fill(0n);
    const status = this.#dispatch(number, inputs, { msr, resumeMsr: 0n });
    if (status !== undefined) registers[0] = BigInt.asUintN(64, BigInt(status));
  }

  /** `sc 2` of the hypervisor, through the same checks. */
  hypervisorUcall(number: number, ...inputs: readonly bigint[]): number {
    this.#parts.events.hypervisorUcall(number, inputs);
    this.results.fill(0n);
    const status =
      this.#dispatch(BigInt(number), inputs, { msr: MSR_SF | MSR_HV | MSR_ME, resumeMsr: 0n }) ?? 0;
    const [r4 = 0n, r5 = 0n] = this.results;
    this.#parts.events.hypervisorUcallReturn(status, r4, r5);
    return status;
  }

  /** An ultracall of a caller in any state: the status, or undefined where r3 is not written. */
  ucallAs(caller: UcallCaller, number: number, ...inputs: readonly bigint[]): number | undefined {
    return this.#dispatch(BigInt(number), inputs, caller);
  }

  #dispatch(number: bigint, inputs: readonly bigint[], caller: UcallCaller): number | undefined {
    const { msr } = caller;
    const privilege = msr & (MSR_HV | MSR_PR);
    if (privilege === MSR_HV && ((msr | caller.resumeMsr) & MSR_TS) !== 0n) {
      if (number !== BigInt(UV_RETURN)) return U_BAD_MODE;
    }
    const row = UCALLS_BY_NUMBER.get(Number(number));
    if (row !== undefined && !allowed(row, msr, privilege)) return U_PERMISSION;
    if (row === undefined) return U_FUNCTION;
    const cut = row.inputs.map((width, index) => BigInt.asUintN(width, inputs[index] ?? 0n));
    return row.run(this, cut);
  }

  // --- UV_ESM -----------------------------------------------------------------------------------------------------

  esm(kernelBase: bigint, treeAt: bigint): number | undefined {
    if (kernelBase === 0n) return U_P2;
    if (treeAt === 0n) return U_P3;
    const { svm } = this;
    if (svm.state !== VM_NONE) {
      return svm.state === VM_SECURE && this.behaviour.esmAgain === 'documented' ? U_SUCCESS : U_RETRY;
    }
    svm.lpid = GUEST_LPID;
    svm.state = VM_STARTING;
    this.#broughtIn.fill(0);
    this.whyNot = '';
    const outcome = enterSecureMode(this, safe(kernelBase), safe(treeAt));
    if (outcome.ok) {
      this.#enter(kernelBase, treeAt);
      return undefined;
    }
    this.whyNot = outcome.reason;
    this.say(`UV_ESM: ${outcome.reason}`);
    if (outcome.committed) this.kill('Cannot secure VM!');
    else this.#abort();
    return undefined;
  }

  /** The kernel's entry, as kexec would make it. */
  #enter(kernelBase: bigint, treeAt: bigint): void {
    const cpu = this.#parts.acting();
    const registers = this.#registers;
    registers[0] = treeAt;
    registers[1] = kernelBase;
    registers[2] = 0n;
    this.#parts.setMsr(this.#parts.msr() & ~(MSR_HV | MSR_EE));
    this.#entries.set(cpu, { address: kernelBase, argument: treeAt });
  }

  /** H_SVM_INIT_ABORT with the guest's own registers: it was never secure. What it returns is the guest's r3. */
  #abort(): void {
    this.svm.state = VM_ABORT;
    const registers = this.#registers;
    const frame = this.#openFrame(VECTOR_SYSTEM_CALL);
    frame.own = true;
    const mine = this.vcpus[frame.cpu]?.general ?? NO_REGISTERS.general;
    frame.general.set(mine);
    for (let i = 1; i < registers.length; i++) frame.general[3 + i] = registers[i] ?? 0n;
    frame.general[3] = BigInt(H_SVM_INIT_ABORT);
    frame.leaveSecure();
    this.#parts.events.ownHcall(H_SVM_INIT_ABORT, NO_INPUTS);
    this.#enterHypervisor(frame);
    const status = frame.general[0] ?? 0n;
    this.#parts.events.ownHcallReturn(status);
    registers[0] = status;
  }

  initStart(): number {
    return this.#hcall(H_SVM_INIT_START);
  }

  initDone(): number {
    return this.#hcall(H_SVM_INIT_DONE);
  }

  pageIn(gpa: number, length: number): boolean {
    if (gpa < 0 || gpa + length > this.svm.store.size) return false;
    const end = Math.ceil((gpa + length) / FRAME_BYTES);
    for (let gfn = Math.floor(gpa / FRAME_BYTES); gfn < end; gfn++) {
      if (!this.svm.inSlot(gfn * FRAME_BYTES)) return false;
      if (this.svm.state !== VM_STARTING || this.#broughtIn[gfn] === 1) continue;
      if (this.hypervisorPageIn(gfn * FRAME_BYTES, H_PAGE_IN_NONSHARED) !== 0) return false;
      this.#broughtIn[gfn] = 1;
    }
    return true;
  }

  pageInEverything(): boolean {
    for (const { from, to } of this.svm.slots.values()) {
      for (let gpa = from; gpa < to; gpa += FRAME_BYTES) {
        // The ultravisor's own pages are the hypervisor's already.
        if (this.svm.stateOf(gpa / FRAME_BYTES) === 0 && !this.pageIn(gpa, FRAME_BYTES)) return false;
      }
    }
    return true;
  }

  secureRead(gpa: number, length: number): Uint8Array {
    return this.svm.store.view(gpa, length);
  }

  secureWrite(gpa: number, bytes: Uint8Array): void {
    this.svm.store.write(gpa, bytes, 0, bytes.length);
  }

  share(gpa: number, frames: number, kind: ShareKind): boolean {
    return this.pages.share(BigInt(Math.floor(gpa / FRAME_BYTES)), BigInt(frames), kind) === U_SUCCESS;
  }

  adopt(rtasPages: number, tokens: RtasBounce['tokens']): void {
    this.#rtas.base = rtasPages;
    this.#rtas.tokens = tokens;
  }

  commit(): void {
    this.svm.state = VM_SECURE;
  }

  // --- Other ultracalls -------------------------------------------------------------------------------------------

  registerSlot(lpid: bigint, start: bigint, size: bigint, flags: bigint, id: number): number {
    const { svm } = this;
    if (svm.state === VM_NONE || lpid !== BigInt(svm.lpid)) return U_PARAMETER;
    if ((start & 0xffffn) !== 0n || start + size >= 1n << 64n || !slotIdFits(id)) return U_PARAMETER;
    const from = start;
    const to = start + (size & ~0xffffn);
    // Memory that the machine does not have cannot be reserved either.
    if (to > BigInt(svm.store.size)) return U_PARAMETER;
    if (svm.overlaps(id, Number(from), Number(to))) return U_PARAMETER;
    if (Number(to - from) > this.free) return U_PARAMETER;
    svm.dropSlot(id);
    svm.addSlot(id, Number(from), Number(to), flags);
    return U_SUCCESS;
  }

  unregisterSlot(lpid: bigint, id: number): number {
    if (this.svm.state !== VM_NONE && lpid === BigInt(this.svm.lpid)) this.svm.dropSlot(id);
    return U_SUCCESS;
  }

  terminate(lpid: bigint): number {
    if (this.svm.state === VM_NONE || lpid !== BigInt(this.svm.lpid)) return U_SUCCESS;
    if (this.secure) this.partitionEntry.fill(0n);
    this.svm.clear();
    this.#broughtIn.fill(0);
    this.#entries.clear();
    this.#startCookies.clear();
    this.#rtas.base = -1;
    return U_SUCCESS;
  }

  writePartitionEntry(lpid: bigint, dw0: bigint, dw1: bigint): number {
    if (lpid !== BigInt(GUEST_LPID)) return U_SUCCESS;
    const known = this.svm.state !== VM_NONE;
    if (known && this.behaviour.pateRefuses === 'documented') return U_PERMISSION;
    if (!known) this.partitionEntry[0] = dw0;
    this.partitionEntry[1] = dw1;
    return U_SUCCESS;
  }

  /** The status of a guest's sharing call, if it is told. */
  shareStatus(status: number): number | undefined {
    return this.behaviour.shareAnswers === 'documented' ? status : undefined;
  }

  // --- Towards the hypervisor -------------------------------------------------------------------------------------

  hypervisorPageIn(gpa: number, flags: number): number {
    return this.#hcall(H_SVM_PAGE_IN, BigInt(gpa), BigInt(flags), BigInt(FRAME_SHIFT));
  }

  /** A hypercall of the ultravisor's own: its status as the hypervisor gave it, cut to 32 bits. */
  #hcall(token: number, ...inputs: readonly bigint[]): number {
    if (this.halt !== undefined) return U_RETRY;
    const frame = this.#openFrame(VECTOR_SYSTEM_CALL);
    frame.own = true;
    frame.general[3] = BigInt(token);
    const declared = (hcallRegisters(token)?.inputs ?? 1) - 1;
    for (let i = 0; i < declared; i++) frame.general[4 + i] = inputs[i] ?? 0n;
    this.#parts.events.ownHcall(token, inputs);
    this.#enterHypervisor(frame);
    const status = BigInt.asIntN(64, frame.general[0] ?? 0n);
    this.#parts.events.ownHcallReturn(BigInt.asUintN(64, status));
    return Number(BigInt.asIntN(32, status));
  }

  #openFrame(vector: number, more: Partial<Interrupted> = {}): ReflectedFrame {
    const cpu = this.#parts.acting();
    const registers = this.vcpus[cpu] ?? NO_REGISTERS;
    const msr = this.#parts.msr() & ~MSR_HV;
    return this.#reflection.open({ vector, cpu, msr, registers, ...more });
  }

  /** What comes back is believed as far as UV_RETURN believes it. */
  #enterHypervisor(frame: ReflectedFrame): HypervisorExit {
    const { events } = this.#parts;
    events.reflect(frame);
    const exit = this.#hypervisor?.enter(frame) ?? 'uv-return';
    events.reflectReturn(frame);
    const returned = this.#reflection.close(frame);
    if (exit === 'hrfid') return exit;
    if (returned.verdict === 'unknown-cookie')
      this.#stop('firmware abort', 'UV_RETURN with an unknown cookie');
    else if (returned.verdict === 'moved') this.kill('UV_RETURN to another guest');
    else if (returned.verdict === 'interrupt') {
      this.#entries.set(frame.cpu, { address: BigInt(returned.vector), argument: returned.status });
    }
    return exit;
  }

  kill(reason: string): void {
    if (this.halt !== undefined) return;
    this.say(`ultravisor: guest terminated: ${reason}`);
    if (this.svm.state === VM_SECURE) this.svm.state = VM_ENDED;
    this.#rtas.terminate();
    this.#stop('terminated', reason);
  }

  #stop(halt: Halt, reason: string): void {
    this.halt ??= halt;
    this.whyNot = reason;
  }

  // --- Hypercalls and registers of a secure guest -----------------------------------------------------------------

  /** `sc 1` of the secure guest: r3 … r12 in place. */
  guestHcall(registers: BigUint64Array): void {
    if (this.halt !== undefined) return;
    this.#entries.delete(this.#parts.acting());
    const token = Number(BigInt.asUintN(64, registers[0] ?? 0n));
    if (token === H_RANDOM) {
      const draws = this.behaviour.random === 'documented';
      registers[0] = BigInt.asUintN(64, BigInt(draws ? H_SUCCESS : H_FUNCTION));
      if (draws) registers[1] = this.chance.u64();
      return;
    }
    if (token === KVMPPC_H_RTAS) {
      const ok = this.#rtas.call(safe(registers[1] ?? 0n), this.#parts.acting() % VCPUS_MAX);
      if (!ok && this.halt === undefined)
        this.#stop('fault loop', 'the arguments of an RTAS call are not there');
      return;
    }
    this.#reflectHcall(token, registers);
  }

  #reflectHcall(token: number, registers: BigUint64Array): void {
    const declared = hcallRegisters(token);
    if (declared === undefined) {
      this.kill(`HCALL 0x${token.toString(16)} is not one that the ultravisor knows`);
      return;
    }
    const cede = token === H_CEDE;
    const frame = this.#openFrame(VECTOR_SYSTEM_CALL, cede ? { decrementer: 0n } : {});
    frame.own = false;
    for (let i = 0; i < declared.inputs; i++) frame.general[3 + i] = registers[i] ?? 0n;
    this.#enterHypervisor(frame);
    if (this.halt !== undefined) return;
    registers[0] = frame.general[0] ?? 0n;
    for (let i = 1; i < declared.outputs; i++) registers[i] = frame.general[3 + i] ?? 0n;
    if (cede) this.#parts.setMsr(this.#parts.msr() | MSR_EE);
  }

  /** H_RTAS on behalf of the guest, its arguments in a shared page. */
  hypervisorRtas(gpa: number): number {
    return this.#hcall(KVMPPC_H_RTAS, BigInt(gpa));
  }

  /**
   * A load outside every slot: the ultravisor decodes the instruction and asks H_LOGICAL_CI_LOAD. The value is
   * big-endian, as the hypervisor loads it.
   */
  ciLoad(address: number, width: number): bigint {
    if (this.halt !== undefined) return 0n;
    const frame = this.#openFrame(VECTOR_SYSTEM_CALL);
    frame.own = true;
    frame.general[3] = BigInt(H_LOGICAL_CI_LOAD);
    frame.general[4] = BigInt(width);
    frame.general[5] = BigInt(address);
    this.#enterHypervisor(frame);
    return BigInt.asUintN(8 * width, frame.general[4] ?? 0n);
  }

  ciStore(address: number, width: number, value: bigint): void {
    if (this.halt !== undefined) return;
    const frame = this.#openFrame(VECTOR_SYSTEM_CALL);
    frame.own = true;
    frame.general[3] = BigInt(H_LOGICAL_CI_STORE);
    frame.general[4] = BigInt(width);
    frame.general[5] = BigInt(address);
    frame.general[6] = value;
    this.#enterHypervisor(frame);
  }

  /** A CPU that RTAS start-cpu was called for arrives with the cookie that stands for its start. */
  startCpu(cpu: number, cookie: number): void {
    const entry = this.#startCookies.get(cookie);
    if (entry === undefined) {
      this.#stop('firmware abort', 'a CPU starts with an unknown cookie');
      return;
    }
    this.#startCookies.delete(cookie);
    this.#entries.set(cpu, entry);
  }

  startCookie(address: number, argument: number): number {
    let cookie = this.chance.u32() & ~3;
    while (cookie < 0x2000 || this.#startCookies.has(cookie)) cookie = (this.chance.u32() & ~3) >>> 0;
    this.#startCookies.set(cookie, { address: BigInt(address), argument: BigInt(argument) });
    return cookie;
  }

  // --- Memory of a secure guest -----------------------------------------------------------------------------------

  /** `reach` for an access of the guest's own, which is an event where it faults. */
  guestReach(address: number): number | undefined {
    const maps = this.svm.maps[Math.floor(address / FRAME_BYTES)];
    if (maps !== MAPS_SECURE && maps !== MAPS_NORMAL && this.halt === undefined)
      this.#parts.events.guestFault(address);
    return this.reach(address);
  }

  /**
   * Makes the frame of an address reachable for the guest, with all the faults that it takes: an offset of the
   * hypervisor's page in RAM, or -1 for the frame's own in secure memory. Undefined: the access never completes.
   */
  reach(address: number): number | undefined {
    if (this.halt !== undefined) return undefined;
    const gfn = Math.floor(address / FRAME_BYTES);
    const { svm } = this;
    for (let faults = 0; faults < FAULTS_MAX; faults++) {
      const maps = svm.maps[gfn];
      if (maps === MAPS_SECURE) return -1;
      if (maps === MAPS_NORMAL) return svm.pageOf(gfn);
      this.#fault(gfn);
      if (this.halt !== undefined) return undefined;
    }
    this.#stop('fault loop', `guest frame 0x${gfn.toString(16)} never comes back`);
    return undefined;
  }

  /** A hypervisor data storage interrupt (0xE00) that the ultravisor takes (core/svm_host.c svm_e00_handle). */
  #fault(gfn: number): void {
    switch (this.svm.stateOf(gfn)) {
      case SHARED_INV:
        this.#enterHypervisor(this.#openFault(gfn));
        break;
      case IMPLICIT:
      case IMPLICIT_INV:
        this.kill(`guest frame 0x${gfn.toString(16)} is the ultravisor's`);
        break;
      case PAGED_OUT:
        this.hypervisorPageIn(gfn * FRAME_BYTES, H_PAGE_IN_NONSHARED);
        break;
      default:
      // Back to the same instruction.
    }
  }

  #openFault(gfn: number): ReflectedFrame {
    const frame = this.#openFrame(VECTOR_HDSI, { address: BigInt(gfn * FRAME_BYTES) });
    frame.own = false;
    return frame;
  }

  guestRead(gpa: number, into: Uint8Array, at: number, length: number): boolean {
    return this.#pieces(gpa, length, (offset, page, done, size) => {
      if (page < 0) this.svm.store.read(offset, into, at + done, size);
      else this.svm.ram.rawRead(page, into, at + done, size);
    });
  }

  guestWrite(gpa: number, from: Uint8Array, at: number, length: number): boolean {
    return this.#pieces(gpa, length, (offset, page, done, size) => {
      if (page < 0) this.svm.store.write(offset, from, at + done, size);
      else this.svm.ram.rawWrite(page, from, at + done, size);
    });
  }

  #pieces(
    gpa: number,
    length: number,
    move: (offset: number, page: number, done: number, size: number) => void,
  ): boolean {
    if (gpa < 0 || gpa + length > this.svm.store.size) return false;
    for (let done = 0; done < length;) {
      const address = gpa + done;
      const inside = address % FRAME_BYTES;
      const size = Math.min(length - done, FRAME_BYTES - inside);
      if (!this.svm.inSlot(address)) return false;
      const page = this.reach(address);
      if (page === undefined) return false;
      move(address, page < 0 ? -1 : page + inside, done, size);
      done += size;
    }
    return true;
  }

  sharedRead(gpa: number, into: Uint8Array, at: number, length: number): void {
    const page = this.svm.pageOf(Math.floor(gpa / FRAME_BYTES));
    if (page >= 0) this.svm.ram.rawRead(page + (gpa % FRAME_BYTES), into, at, length);
  }

  sharedWrite(gpa: number, from: Uint8Array, at: number, length: number): void {
    const page = this.svm.pageOf(Math.floor(gpa / FRAME_BYTES));
    if (page >= 0) this.svm.ram.rawWrite(page + (gpa % FRAME_BYTES), from, at, length);
  }

  // --- The machine around -------------------------------------------------------------------------------------------

  /** A machine reset: the firmware lives on; what it knew of the guest went with KVM_PPC_SVM_OFF. */
  reset(): void {
    this.halt = undefined;
    this.whyNot = '';
    this.#entries.clear();
    for (const { general, special } of this.vcpus) {
      general.fill(0n);
      special.fill(0n);
    }
  }

  snapshot(): MemorySnapshot {
    return this.svm.store.snapshot();
  }

  restore(snapshot: MemorySnapshot): void {
    this.svm.store.restore(snapshot);
  }

  digest(into: Digest): void {
    this.svm.store.digest(into);
  }

  exchange(state: StateStream): void {
    this.svm.exchange(state);
    this.chance.exchange(state);
    for (const vcpu of this.vcpus) vcpu.exchange(state);
    for (let i = 0; i < 2; i++) this.partitionEntry[i] = state.u64(this.partitionEntry[i] ?? 0n);
    state.bytes(this.#broughtIn);
    const halt = state.u8(this.halt === undefined ? 0 : HALTS.indexOf(this.halt) + 1);
    this.halt = halt === 0 ? undefined : HALTS[halt - 1];
    exchangeMap(state, this.restricted, (value) => state.u64(value), 0n);
    exchangeMap(state, this.#entries, (value) => exchangeEntry(state, value), NO_ENTRY);
    exchangeMap(state, this.#startCookies, (value) => exchangeEntry(state, value), NO_ENTRY);
    this.#rtas.exchange(state);
  }
}

const HALTS: readonly Halt[] = ['fault loop', 'terminated', 'firmware abort'];
const NO_REGISTERS = new VcpuRegisters();
const NO_ENTRY: Entry = { address: 0n, argument: 0n };

function exchangeEntry(state: StateStream, entry: Entry): Entry {
  return { address: state.u64(entry.address), argument: state.u64(entry.argument) };
}

function exchangeMap<T>(state: StateStream, map: Map<number, T>, value: (value: T) => T, none: T): void {
  const rows = [...map].toSorted(([a], [b]) => a - b);
  const count = state.u16(rows.length);
  if (state.restoring) map.clear();
  for (let i = 0; i < count; i++) {
    const [key, kept] = rows[i] ?? [0, none];
    const read = state.u32(key);
    const found = value(kept);
    if (state.restoring) map.set(read, found);
  }
}

/** Numbers above 2^53 name nothing that exists. */
function safe(value: bigint): number {
  return value < 1n << 53n ? Number(value) : Number.MAX_SAFE_INTEGER - FRAME_BYTES;
}

/** The firmware's order: who may make which call (core/uvcall.c). */
function allowed(row: Ucall, msr: bigint, privilege: bigint): boolean {
  switch (row.caller) {
    case 'hypervisor':
      return privilege === MSR_HV;
    case 'secure':
      return (msr & MSR_S) !== 0n && privilege === 0n;
    case 'privileged':
      return privilege === 0n;
    default:
      return true;
  }
}
