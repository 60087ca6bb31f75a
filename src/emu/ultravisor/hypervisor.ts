/**
 * The hypervisor's side of secure guests: KVM's (Linux arch/powerpc/kvm/book3s_hv_uvmem.c, book3s_hv.c; 6.1). It keeps a
 * table of its own of every frame, which nothing but calls keeps in step with the ultravisor's.
 */
import type { Stateful, StateStream } from '../core/state.ts';
import type { HostRam, HostTouch } from '../memory/host-ram.ts';
import { H_AUTHORITY, H_P2, H_P3, H_PARAMETER, H_SUCCESS } from '../papr/abi.ts';
import {
  FRAME_BYTES,
  FRAME_SHIFT,
  H_PAGE_IN_SHARED,
  H_STATE,
  H_SVM_INIT_ABORT,
  H_SVM_INIT_DONE,
  H_SVM_INIT_START,
  H_SVM_PAGE_IN,
  H_SVM_PAGE_OUT,
  H_UNSUPPORTED,
  HOST_RAM_AT,
  MSR_S,
  UV_PAGE_IN,
  UV_PAGE_INVAL,
  UV_PAGE_OUT,
  UV_REGISTER_MEM_SLOT,
  UV_SVM_TERMINATE,
  UV_UNREGISTER_MEM_SLOT,
  UV_WRITE_PATE,
  VECTOR_HDSI,
} from './abi.ts';
import type { HypervisorExit, HypervisorPort, SecureEvents, UltravisorPort } from './ports.ts';
import type { ReflectedFrame } from './reflection.ts';
import { GUEST_LPID } from './ultravisor.ts';

/** KVM's states of a frame, and of the guest's `secure_guest` byte. */
const NORMAL = 0;
/** In secure memory; the host's page table holds a device page. */
const IN_SECURE_MEMORY = 1;
/** Paged out: a page of ciphertext. */
const OUT = 2;
const SHARED_FRAME = 3;
export const FRAME_STATES: readonly string[] = ['normal', 'in-secure-memory', 'paged-out', 'shared'];
const INIT_START = 1;
const INIT_DONE = 2;
/** By the value of the byte. */
export const HYPERVISOR_VM_STATES: readonly string[] = [
  'normal',
  'transient',
  'done-without-start',
  'secure',
];

/** What a page that nobody has written to holds: Linux's PAGE_POISON. */
const POISON = 0xaa;

export interface MemorySlotOptions {
  readonly id: number;
  readonly from: number;
  readonly bytes: number;
}

export interface HypervisorParts {
  readonly ram: HostRam;
  readonly ultravisor: UltravisorPort;
  readonly events: SecureEvents;
  /** KVM_CAP_PPC_SECURE_GUEST, off unless somebody turned it on; Linux 5.5 and 5.6 have no such switch. */
  readonly admits: boolean;
  /** Pages of device memory, one for each frame that may be secure; 0 where the host found no secure memory. */
  readonly devicePages: number;
  readonly slots: readonly MemorySlotOptions[];
  /** Whether the guest's translation is radix. */
  radix(): boolean;
  /** Every other hypercall: r3 … r12 in place. */
  hcall(registers: BigUint64Array): void;
  /** The host cannot go on: a SIGBUS in QEMU, a KVM_RUN that failed. */
  fatal(reason: string): void;
}

export class KvmHypervisor implements HypervisorPort, HostTouch, Stateful {
  readonly frames: Uint8Array;
  readonly #parts: HypervisorParts;
  readonly #slots: Map<number, MemorySlotOptions>;
  readonly #registers: BigUint64Array = new BigUint64Array(10);
  /** kvm->arch.secure_guest. */
  #byte = 0;
  #devicePagesUsed = 0;

  constructor(parts: HypervisorParts) {
    this.#parts = parts;
    this.frames = new Uint8Array(parts.ram.size / FRAME_BYTES);
    this.#slots = new Map(parts.slots.map((slot) => [slot.id, slot]));
    parts.ram.guardWith(this);
  }

  /** Whether the hypervisor takes the guest for secure. */
  get secure(): boolean {
    return (this.#byte & INIT_DONE) !== 0;
  }

  /** Whether it has begun to become so. */
  get started(): boolean {
    return (this.#byte & INIT_START) !== 0;
  }

  get slots(): ReadonlyMap<number, MemorySlotOptions> {
    return this.#slots;
  }

  frameOf(gfn: number): number {
    return this.frames[gfn] ?? NORMAL;
  }

  /** Whether host and guest see one page there. */
  shares(gfn: number): boolean {
    return this.frameOf(gfn) === SHARED_FRAME;
  }

  /** Whether a frame is out: the host has its ciphertext. */
  wentOut(gfn: number): boolean {
    return this.frameOf(gfn) === OUT;
  }

  // --- Entries ------------------------------------------------------------------------------------------------------

  enter(frame: ReflectedFrame): HypervisorExit {
    if (frame.vector === VECTOR_HDSI) this.#sendPage(Number(frame.faultAddress >> BigInt(FRAME_SHIFT)));
    else if (frame.vector === 0xc00) this.#hcall(frame);
    return this.#byte === 0 ? 'hrfid' : 'uv-return';
  }

  #hcall(frame: ReflectedFrame): void {
    const registers = this.#registers;
    for (let i = 0; i < registers.length; i++) registers[i] = frame.general[3 + i] ?? 0n;
    this.hcall(registers, frame.srr1);
    frame.general[0] = registers[0] ?? 0n;
    for (let i = 1; i < registers.length; i++) frame.general[3 + i] = registers[i] ?? 0n;
  }

  /** A hypercall of the guest, or of the ultravisor for it: kvmppc_pseries_do_hcall, then QEMU. */
  hcall(registers: BigUint64Array, srr1: bigint): void {
    const token = Number(BigInt.asUintN(64, registers[0] ?? 0n));
    const status = this.#secureCall(token, registers, (srr1 & MSR_S) !== 0n);
    if (status === undefined) this.#parts.hcall(registers);
    else registers[0] = BigInt.asUintN(64, BigInt(status));
  }

  #secureCall(token: number, registers: BigUint64Array, fromUltravisor: boolean): number | undefined {
    const [, gpa = 0n, flags = 0n, order = 0n] = registers;
    switch (token) {
      case H_SVM_PAGE_IN:
        return fromUltravisor ? this.#pageIn(gpa, flags, order) : H_UNSUPPORTED;
      case H_SVM_PAGE_OUT:
        return fromUltravisor ? this.#pageOutCall(gpa, flags, order) : H_UNSUPPORTED;
      case H_SVM_INIT_START:
        return fromUltravisor ? this.#initStart() : H_UNSUPPORTED;
      case H_SVM_INIT_DONE:
        return fromUltravisor ? this.#initDone() : H_UNSUPPORTED;
      case H_SVM_INIT_ABORT:
        // The guest is not secure when it comes: whether the ultravisor calls cannot be told.
        return this.#initAbort();
      default:
        return undefined;
    }
  }

  // --- The ultravisor's hypercalls ----------------------------------------------------------------------------------

  #initStart(): number {
    // The table of transitions in book3s_hv_uvmem.c: an error, and nothing changes.
    if (this.started) return H_STATE;
    // Before anything is looked at: that is what lets the abort that follows succeed.
    this.#setByte(this.#byte | INIT_START);
    if (this.#parts.devicePages === 0 || !this.#parts.radix()) return H_UNSUPPORTED;
    if (!this.#parts.admits) return H_AUTHORITY;
    for (const slot of this.#slots.values()) if (!this.#register(slot)) return H_PARAMETER;
    return H_SUCCESS;
  }

  #register({ id, from, bytes }: MemorySlotOptions): boolean {
    const lpid = BigInt(GUEST_LPID);
    const inputs = [lpid, BigInt(from), BigInt(bytes), 0n, BigInt(id)];
    if (this.#parts.ultravisor.hypervisorUcall(UV_REGISTER_MEM_SLOT, ...inputs) >= 0) return true;
    this.#parts.ultravisor.hypervisorUcall(UV_UNREGISTER_MEM_SLOT, lpid, BigInt(id));
    return false;
  }

  #initDone(): number {
    if (!this.started) return H_UNSUPPORTED;
    for (const { from, bytes } of this.#slots.values()) {
      for (let gfn = from / FRAME_BYTES; gfn < (from + bytes) / FRAME_BYTES; gfn++) {
        const state = this.frameOf(gfn);
        // Without copying: the ultravisor has a zeroed page for it.
        if (state === NORMAL && !this.#takeDevicePage(gfn)) return H_STATE;
      }
    }
    this.#setByte(this.#byte | INIT_DONE);
    return H_SUCCESS;
  }

  #initAbort(): number {
    if (!this.started) return H_UNSUPPORTED;
    if (this.secure) return H_STATE;
    for (let gfn = 0; gfn < this.frames.length; gfn++) {
      if (this.frameOf(gfn) === IN_SECURE_MEMORY) this.#pageOut(gfn, false);
      this.#enter(gfn, NORMAL);
    }
    this.#setByte(0);
    this.#parts.ultravisor.hypervisorUcall(UV_SVM_TERMINATE, BigInt(GUEST_LPID));
    return H_PARAMETER;
  }

  #pageIn(gpa: bigint, flags: bigint, order: bigint): number {
    if (!this.started) return H_UNSUPPORTED;
    if (order !== BigInt(FRAME_SHIFT)) return H_P3;
    if ((flags & ~BigInt(H_PAGE_IN_SHARED)) !== 0n) return H_P2;
    const gfn = this.#frameIn(gpa);
    if (gfn < 0) return H_PARAMETER;
    if ((flags & BigInt(H_PAGE_IN_SHARED)) !== 0n) return this.#share(gfn);
    if (this.frameOf(gfn) === IN_SECURE_MEMORY) return H_PARAMETER;
    if (this.#devicePagesUsed >= this.#parts.devicePages) return H_PARAMETER;
    if (this.#uvPageIn(gfn) !== 0) return H_PARAMETER;
    this.#takeDevicePage(gfn);
    return H_SUCCESS;
  }

  /** The page becomes one that both see: the host's own if it has one, else a fresh one. */
  #share(gfn: number): number {
    if (this.frameOf(gfn) === IN_SECURE_MEMORY) this.#pageOut(gfn, true);
    if (this.#uvPageIn(gfn) !== 0) return H_PARAMETER;
    this.#enter(gfn, SHARED_FRAME);
    return H_SUCCESS;
  }

  #pageOutCall(gpa: bigint, flags: bigint, order: bigint): number {
    if (!this.started) return H_UNSUPPORTED;
    if (order !== BigInt(FRAME_SHIFT)) return H_P3;
    if (flags !== 0n) return H_P2;
    const gfn = this.#frameIn(gpa);
    if (gfn < 0) return H_PARAMETER;
    if (this.frameOf(gfn) !== IN_SECURE_MEMORY) return H_SUCCESS;
    return this.#pageOut(gfn, false) ? H_SUCCESS : H_PARAMETER;
  }

  // --- What the host does of itself -----------------------------------------------------------------------------------

  /** The host, or a device of its, touches RAM: what is in secure memory comes out first, as ciphertext. */
  touched(offset: number, length: number): void {
    if (this.#byte === 0) return;
    const end = Math.floor((offset + length - 1) / FRAME_BYTES);
    for (let gfn = Math.floor(offset / FRAME_BYTES); gfn <= end; gfn++) {
      if (this.frameOf(gfn) !== IN_SECURE_MEMORY || this.#pageOut(gfn, false)) continue;
      this.#parts.fatal(`SIGBUS: guest frame 0x${gfn.toString(16)} cannot be paged out`);
    }
  }

  /** Swap, ballooning, page merging: the host takes a normal page away (kvm_unmap_radix). The answer is not looked at. */
  unmap(gfn: number): void {
    if (!this.started) return;
    this.#parts.ultravisor.hypervisorUcall(
      UV_PAGE_INVAL,
      BigInt(GUEST_LPID),
      BigInt(gfn * FRAME_BYTES),
      BigInt(FRAME_SHIFT),
    );
  }

  /** A storage interrupt of a page that is shared and not mapped (kvmppc_send_page_to_uv). */
  #sendPage(gfn: number): void {
    if (this.#uvPageIn(gfn) !== 0)
      this.#parts.fatal(`KVM_RUN: the ultravisor refuses guest frame 0x${gfn.toString(16)}`);
  }

  #uvPageIn(gfn: number): number {
    return this.#parts.ultravisor.hypervisorUcall(
      UV_PAGE_IN,
      BigInt(GUEST_LPID),
      BigInt(HOST_RAM_AT + gfn * FRAME_BYTES),
      BigInt(gfn * FRAME_BYTES),
      0n,
      BigInt(FRAME_SHIFT),
    );
  }

  /** A fresh page in place of a device page. `skip`: its content is of no interest. */
  #pageOut(gfn: number, skip: boolean): boolean {
    const at = gfn * FRAME_BYTES;
    this.#parts.ram.rawFill(at, POISON, FRAME_BYTES);
    if (!skip) {
      const status = this.#parts.ultravisor.hypervisorUcall(
        UV_PAGE_OUT,
        BigInt(GUEST_LPID),
        BigInt(HOST_RAM_AT + at),
        BigInt(at),
        0n,
        BigInt(FRAME_SHIFT),
      );
      if (status !== 0) return false;
    }
    this.#devicePagesUsed--;
    this.#enter(gfn, OUT);
    return true;
  }

  #takeDevicePage(gfn: number): boolean {
    if (this.#devicePagesUsed >= this.#parts.devicePages) return false;
    this.#devicePagesUsed++;
    this.#enter(gfn, IN_SECURE_MEMORY);
    return true;
  }

  #frameIn(gpa: bigint): number {
    if (gpa >= BigInt(this.#parts.ram.size)) return -1;
    const address = Number(gpa);
    for (const { from, bytes } of this.#slots.values())
      if (address >= from && address < from + bytes) return Math.floor(address / FRAME_BYTES);
    return -1;
  }

  // --- QEMU's requests --------------------------------------------------------------------------------------------------

  /** KVM_PPC_SVM_OFF, at every machine reset: contents are dropped, not paged out. */
  svmOff(): void {
    if (!this.started) return;
    for (const { id } of this.#slots.values()) {
      this.#dropPages(id);
      this.#parts.ultravisor.hypervisorUcall(UV_UNREGISTER_MEM_SLOT, BigInt(GUEST_LPID), BigInt(id));
    }
    this.#parts.ultravisor.hypervisorUcall(UV_SVM_TERMINATE, BigInt(GUEST_LPID));
    this.#parts.ultravisor.hypervisorUcall(UV_WRITE_PATE, BigInt(GUEST_LPID), 0n, 0n);
    this.#setByte(0);
  }

  /** A slot that is made while the guest is secure: its frames are secure, and zero. False if the ultravisor refuses. */
  addSlot(slot: MemorySlotOptions): boolean {
    this.#slots.set(slot.id, slot);
    if (!this.started) return true;
    if (!this.#register(slot)) return false;
    for (let gfn = slot.from / FRAME_BYTES; gfn < (slot.from + slot.bytes) / FRAME_BYTES; gfn++) {
      if (this.frameOf(gfn) === NORMAL) this.#takeDevicePage(gfn);
    }
    return true;
  }

  removeSlot(id: number): void {
    this.#dropPages(id);
    this.#slots.delete(id);
    if (this.started)
      this.#parts.ultravisor.hypervisorUcall(UV_UNREGISTER_MEM_SLOT, BigInt(GUEST_LPID), BigInt(id));
  }

  #dropPages(id: number): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    for (let gfn = slot.from / FRAME_BYTES; gfn < (slot.from + slot.bytes) / FRAME_BYTES; gfn++) {
      if (this.frameOf(gfn) === IN_SECURE_MEMORY) this.#pageOut(gfn, true);
      this.#enter(gfn, NORMAL);
    }
  }

  #enter(gfn: number, to: number): void {
    const from = this.frameOf(gfn);
    if (from === to) return;
    this.frames[gfn] = to;
    this.#parts.events.pageState(1, gfn, from, to);
  }

  #setByte(to: number): void {
    const from = this.#byte;
    if (from === to) return;
    this.#byte = to;
    this.#parts.events.vmState(1, from, to);
  }

  exchange(state: StateStream): void {
    state.bytes(this.frames);
    this.#byte = state.u8(this.#byte);
    this.#devicePagesUsed = state.integer(this.#devicePagesUsed);
    const slots = [...this.#slots.values()].toSorted((a, b) => a.id - b.id);
    const count = state.u16(slots.length);
    if (state.restoring) this.#slots.clear();
    for (let i = 0; i < count; i++) {
      const { id, from, bytes } = slots[i] ?? { id: 0, from: 0, bytes: 0 };
      const read = { id: state.u16(id), from: state.integer(from), bytes: state.integer(bytes) };
      if (state.restoring) this.#slots.set(read.id, read);
    }
  }
}
